//! Pausing and resuming markets and changing their parameters (D-95).

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use port::{Query, View};
use schema::{Code, Command, Label, MarketChange, MarketParameters, ParameterChange, SymbolRef};
use serde::{Deserialize, Deserializer};
use units::{Lots, Ticks};
use utoipa::ToSchema;

use super::listings::StepSize;
use crate::answer::{Object, json};
use crate::arrival::Arrival;
use crate::body::Payload;
use crate::caller::Operator;
use crate::catalog::Listing;
use crate::door::Door;
use crate::error::ApiError;
use crate::idempotency::KeyHeader;
use crate::openapi::words::{Decimal, Ratio};
use crate::params::PathSymbol;
use crate::submit::Done;
use crate::text::{parse_key, parse_rate, parse_words};

/// POST /v1/admin/markets/{symbol}/pause and /resume.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReasonForm {
    /// Why, for the record.
    reason: String,
}

/// POST /v1/admin/markets/{symbol}/parameters: what is absent stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ParametersForm {
    #[schema(value_type = Option<Decimal>)]
    min_price: Option<String>,
    #[schema(value_type = Option<Decimal>)]
    max_price: Option<String>,
    #[schema(value_type = Option<Decimal>)]
    min_quantity: Option<String>,
    #[schema(value_type = Option<Decimal>)]
    max_quantity: Option<String>,
    #[schema(value_type = Option<Ratio>)]
    protection_bound: Option<String>,
    /// Null takes the band away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Ratio>)]
    price_band: Option<Option<String>>,
    open_orders_max: Option<u32>,
}

/// A field that is there, whether null or not.
fn given<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(from).map(Some)
}

impl ReasonForm {
    /// Why.
    pub(crate) fn reason(&self) -> Result<Label, ApiError> {
        parse_words("reason", &self.reason)
    }
}

impl ParametersForm {
    /// The command's content, in the steps of the market.
    pub(crate) fn parameters(
        &self,
        tick: &StepSize,
        lot: &StepSize,
    ) -> Result<MarketParameters, ApiError> {
        let ticks = |name: &str, text: &Option<String>| {
            text.as_deref().map(|text| tick.count(name, text).map(Ticks)).transpose()
        };
        let lots = |name: &str, text: &Option<String>| {
            text.as_deref().map(|text| lot.count(name, text).map(Lots)).transpose()
        };
        let bound = self.protection_bound.as_deref();
        let band = self
            .price_band
            .as_ref()
            .map(|band| band.as_deref().map(|text| parse_rate("price_band", text)).transpose());
        Ok(MarketParameters {
            min_price: ticks("min_price", &self.min_price)?,
            max_price: ticks("max_price", &self.max_price)?,
            min_quantity: lots("min_quantity", &self.min_quantity)?,
            max_quantity: lots("max_quantity", &self.max_quantity)?,
            protection_bound: bound.map(|text| parse_rate("protection_bound", text)).transpose()?,
            price_band: band.transpose()?,
            open_orders_max: self.open_orders_max,
        })
    }
}

/// Pauses a market: 200. Cancels go on.
pub(crate) async fn pause_market(
    State(door): State<Arc<Door>>,
    operator: Operator,
    PathSymbol(symbol): PathSymbol,
    named: (KeyHeader, Arrival),
    payload: Payload,
) -> Result<Response, ApiError> {
    let form: ReasonForm = payload.json()?;
    let (listing, change) = state_change(&door, &operator, symbol, &form).await?;
    let (KeyHeader(text), arrival) = named;
    let make = |approval| Command::PauseMarket(change, approval);
    let done = door.perform_signed(arrival, text, make).await?;
    Ok(changed(&listing, Object::new().flag("open", false), done))
}

/// Resumes a market: 200.
pub(crate) async fn resume_market(
    State(door): State<Arc<Door>>,
    operator: Operator,
    PathSymbol(symbol): PathSymbol,
    named: (KeyHeader, Arrival),
    payload: Payload,
) -> Result<Response, ApiError> {
    let form: ReasonForm = payload.json()?;
    let (listing, change) = state_change(&door, &operator, symbol, &form).await?;
    let (KeyHeader(text), arrival) = named;
    let make = |approval| Command::ResumeMarket(change, approval);
    let done = door.perform_signed(arrival, text, make).await?;
    Ok(changed(&listing, Object::new().flag("open", true), done))
}

/// Changes parameters of a market: 200.
pub(crate) async fn set_parameters(
    State(door): State<Arc<Door>>,
    _: Operator,
    PathSymbol(symbol): PathSymbol,
    (KeyHeader(text), arrival): (KeyHeader, Arrival),
    payload: Payload,
) -> Result<Response, ApiError> {
    let form: ParametersForm = payload.json()?;
    let listing = door.listing(symbol).await?.ok_or_else(ApiError::no_market)?;
    let View::Markets(markets) = door.query_now(Query::Markets).await?.view else {
        return Err(ApiError::no_market());
    };
    let market = markets.iter().find(|market| market.number == listing.number);
    let terms = &market.ok_or_else(ApiError::no_market)?.terms;
    let tick = StepSize { size: terms.tick_size, code: Code::InvalidPrice };
    let lot = StepSize { size: terms.lot_size, code: Code::InvalidQuantity };
    let parameters = form.parameters(&tick, &lot)?;
    if parameters.is_empty() {
        return Err(ApiError::schema("no parameter is given"));
    }
    let change = ParameterChange { symbol: SymbolRef::Listed(listing.number), parameters };
    let make = |approval| Command::SetMarketParameters(change, approval);
    let done = door.perform_signed(arrival, text, make).await?;
    Ok(changed(&listing, Object::new(), done))
}

async fn state_change(
    door: &Door,
    operator: &Operator,
    symbol: Label,
    form: &ReasonForm,
) -> Result<(Listing, MarketChange), ApiError> {
    let reason = form.reason()?;
    let actor = parse_key("actor", &operator.0.claims.user.to_string())?;
    let listing = door.listing(symbol).await?.ok_or_else(ApiError::no_market)?;
    let symbol = SymbolRef::Listed(listing.number);
    Ok((listing, MarketChange { symbol, reason, actor }))
}

fn changed(listing: &Listing, body: Object, done: Done) -> Response {
    let body = body.text("symbol", listing.symbol.as_str()).count("sequence", done.sequence);
    json(StatusCode::OK, body)
}
