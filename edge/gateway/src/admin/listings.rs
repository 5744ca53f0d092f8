//! Listing assets and markets. Here, and only here, decimals become ticks and lots outside the core:
//! a listing carries its bounds as whole steps (D-75).

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::response::Response;
use schema::limits::{FEE_TIER_COUNT_MAX, NETWORK_COUNT_MAX, OPEN_ORDER_COUNT_DEFAULT};
use schema::{
    AssetTerms, Code, Command, FeeTier, Label, MarketKind, MarketTerms, Matching, NetworkTerms,
};
use serde::Deserialize;
use units::{Amount, Lots, Rate, Ticks};
use utoipa::ToSchema;

use super::created;
use crate::answer::Object;
use crate::arrival::Arrival;
use crate::body::Payload;
use crate::caller::Operator;
use crate::door::Door;
use crate::error::ApiError;
use crate::idempotency::KeyHeader;
use crate::openapi::words::{Decimal, MarketKindName, MatchingName, Ratio, Time};
use crate::submit::Done;
use crate::text::{parse_amount, parse_name, parse_rate, parse_symbol, parse_time, parse_words};

/// POST /v1/admin/assets.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssetForm {
    symbol: String,
    name: String,
    decimals: u8,
    #[serde(default)]
    is_collateral: bool,
    #[schema(value_type = Option<Ratio>)]
    collateral_weight: Option<String>,
    #[serde(default)]
    networks: Vec<NetworkForm>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NetworkForm {
    network: String,
    #[schema(value_type = Decimal)]
    min_withdrawal: String,
    #[schema(value_type = Decimal)]
    withdrawal_fee: String,
    confirmations: u32,
    #[serde(default)]
    deposits_open: bool,
    #[serde(default)]
    withdrawals_open: bool,
}

/// POST /v1/admin/markets.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MarketForm {
    symbol: String,
    #[schema(value_type = Option<MarketKindName>)]
    kind: Option<String>,
    base: Option<String>,
    quote: Option<String>,
    #[schema(value_type = Decimal)]
    tick_size: String,
    #[schema(value_type = Decimal)]
    lot_size: String,
    #[schema(value_type = Option<Decimal>)]
    min_price: Option<String>,
    #[schema(value_type = Decimal)]
    max_price: String,
    #[schema(value_type = Option<Decimal>)]
    min_quantity: Option<String>,
    #[schema(value_type = Decimal)]
    max_quantity: String,
    #[schema(value_type = Option<MatchingName>)]
    matching: Option<String>,
    #[schema(value_type = Option<Ratio>)]
    protection_bound: Option<String>,
    #[schema(value_type = Option<Ratio>)]
    price_band: Option<String>,
    open_orders_max: Option<u32>,
    #[serde(default)]
    fee_tiers: Vec<TierForm>,
    #[schema(value_type = Option<Time>)]
    post_only_until: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TierForm {
    #[schema(value_type = Decimal)]
    above: String,
    #[schema(value_type = Ratio)]
    maker: String,
    #[schema(value_type = Ratio)]
    taker: String,
}

/// Five percent (D-15).
const PROTECTION_DEFAULT: Rate = Rate(5_000_000);

impl AssetForm {
    /// The command's content.
    pub(crate) fn terms(&self) -> Result<AssetTerms, ApiError> {
        if self.networks.len() > NETWORK_COUNT_MAX {
            return Err(ApiError::schema(format!("networks has over {NETWORK_COUNT_MAX} items")));
        }
        let weight = self.collateral_weight.as_deref();
        let weight = weight.map(|text| parse_rate("collateral_weight", text)).transpose()?;
        Ok(AssetTerms {
            symbol: parse_symbol("symbol", &self.symbol)?,
            name: parse_words("name", &self.name)?,
            decimals: self.decimals,
            is_collateral: self.is_collateral,
            collateral_weight: weight.unwrap_or(Rate(0)),
            networks: self.networks.iter().map(NetworkForm::terms).collect::<Result<_, _>>()?,
        })
    }
}

impl NetworkForm {
    fn terms(&self) -> Result<NetworkTerms, ApiError> {
        let code = Code::InvalidAmount;
        Ok(NetworkTerms {
            network: parse_words("network", &self.network)?,
            min_withdrawal: parse_amount("min_withdrawal", &self.min_withdrawal, code)?,
            withdrawal_fee: parse_amount("withdrawal_fee", &self.withdrawal_fee, code)?,
            confirmations: self.confirmations,
            deposits_open: self.deposits_open,
            withdrawals_open: self.withdrawals_open,
        })
    }
}

impl MarketForm {
    /// The command's content.
    pub(crate) fn terms(&self) -> Result<MarketTerms, ApiError> {
        if self.fee_tiers.len() > FEE_TIER_COUNT_MAX {
            return Err(ApiError::schema(format!("fee_tiers has over {FEE_TIER_COUNT_MAX} rows")));
        }
        let symbol = parse_symbol("symbol", &self.symbol)?;
        let (base, quote) = self.pair()?;
        let tick = step("tick_size", &self.tick_size, Code::InvalidPrice)?;
        let lot = step("lot_size", &self.lot_size, Code::InvalidQuantity)?;
        let bound = self.protection_bound.as_deref();
        let bound = bound.map(|text| parse_rate("protection_bound", text)).transpose()?;
        let (band, opening) = (self.price_band.as_deref(), self.post_only_until.as_deref());
        Ok(MarketTerms {
            symbol,
            kind: named("kind", self.kind.as_deref(), MarketKind::ALL, MarketKind::name)?,
            base,
            quote,
            tick_size: tick.size,
            lot_size: lot.size,
            min_price: Ticks(tick.count_or_one("min_price", self.min_price.as_deref())?),
            max_price: Ticks(tick.count("max_price", &self.max_price)?),
            min_quantity: Lots(lot.count_or_one("min_quantity", self.min_quantity.as_deref())?),
            max_quantity: Lots(lot.count("max_quantity", &self.max_quantity)?),
            matching: named("matching", self.matching.as_deref(), Matching::ALL, Matching::name)?,
            protection_bound: bound.unwrap_or(PROTECTION_DEFAULT),
            price_band: band.map(|text| parse_rate("price_band", text)).transpose()?,
            open_orders_max: self.open_orders_max.unwrap_or(OPEN_ORDER_COUNT_DEFAULT),
            fee_tiers: self.fee_tiers.iter().map(TierForm::tier).collect::<Result<_, _>>()?,
            post_only_until: opening.map(|text| parse_time("post_only_until", text)).transpose()?,
        })
    }

    /// Base and quote as given, or as the symbol says: `BASE/QUOTE` (D-18).
    fn pair(&self) -> Result<(Label, Label), ApiError> {
        let (base, rest) = self.symbol.split_once('/').unwrap_or((&self.symbol, ""));
        let quote = rest.split(':').next().unwrap_or_default();
        Ok((
            parse_symbol("base", self.base.as_deref().unwrap_or(base))?,
            parse_symbol("quote", self.quote.as_deref().unwrap_or(quote))?,
        ))
    }
}

impl TierForm {
    /// The row.
    pub(crate) fn tier(&self) -> Result<FeeTier, ApiError> {
        Ok(FeeTier {
            above: parse_amount("above", &self.above, Code::InvalidAmount)?,
            maker: parse_rate("maker", &self.maker)?,
            taker: parse_rate("taker", &self.taker)?,
        })
    }
}

/// A tick or a lot, and the code of what does not fit it.
pub(crate) struct StepSize {
    /// The step.
    pub(crate) size: Amount,
    /// Code of what is not whole.
    pub(crate) code: Code,
}

impl StepSize {
    /// How many whole steps a decimal is. Exact: what is not whole is refused, never rounded (D-6).
    pub(crate) fn count(&self, field: &str, text: &str) -> Result<u64, ApiError> {
        let amount = parse_amount(field, text, self.code)?;
        if amount.0 % self.size.0 != 0 {
            let message = format!("{field} is no multiple of {}", self.size);
            return Err(ApiError::refused(self.code, message));
        }
        u64::try_from(amount.0 / self.size.0)
            .map_err(|_| ApiError::refused(self.code, format!("{field} is out of range")))
    }

    fn count_or_one(&self, field: &str, text: Option<&str>) -> Result<u64, ApiError> {
        text.map_or(Ok(1), |text| self.count(field, text))
    }
}

fn step(field: &str, text: &str, code: Code) -> Result<StepSize, ApiError> {
    let size = parse_amount(field, text, code)?;
    if size <= Amount::ZERO {
        return Err(ApiError::refused(code, format!("{field} must be above zero")));
    }
    Ok(StepSize { size, code })
}

fn named<T: Copy>(
    field: &str,
    text: Option<&str>,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<T, ApiError> {
    parse_name(field, text.unwrap_or_else(|| name(all[0])), all, name)
}

/// Lists an asset: 201.
pub(crate) async fn list_asset(
    State(door): State<Arc<Door>>,
    _: Operator,
    (KeyHeader(text), arrival): (KeyHeader, Arrival),
    payload: Payload,
) -> Result<Response, ApiError> {
    let terms = payload.json::<AssetForm>()?.terms()?;
    let symbol = terms.symbol;
    let make = |approval| Command::ListAsset(terms, approval);
    let done = door.perform_signed(arrival, text, make).await?;
    Ok(listed(&door, Object::new().maybe("asset_id", done.created), symbol, done))
}

/// Lists a market: 201.
pub(crate) async fn list_market(
    State(door): State<Arc<Door>>,
    _: Operator,
    (KeyHeader(text), arrival): (KeyHeader, Arrival),
    payload: Payload,
) -> Result<Response, ApiError> {
    let terms = payload.json::<MarketForm>()?.terms()?;
    let symbol = terms.symbol;
    let make = |approval| Command::ListMarket(terms, approval);
    let done = door.perform_signed(arrival, text, make).await?;
    Ok(listed(&door, Object::new().maybe("market_id", done.created), symbol, done))
}

fn listed(door: &Door, body: Object, symbol: Label, done: Done) -> Response {
    door.listed.fetch_max(done.sequence, Ordering::AcqRel);
    created(body.text("symbol", symbol.as_str()), done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::parse_json;

    fn market(more: &str) -> Result<MarketTerms, ApiError> {
        let text = format!(
            r#"{{"symbol":"BTC/USDT","tick_size":"0.01","lot_size":"0.00001",
                "max_price":"1000000","max_quantity":"1000"{more}}}"#
        );
        parse_json::<MarketForm>(text.as_bytes())?.terms()
    }

    /// A listing's decimals become whole steps exactly, or are refused.
    #[test]
    fn decimals_become_whole_steps() {
        let terms = market(r#","min_price":"0.05","min_quantity":"0.0001""#).expect("whole steps");
        assert_eq!((terms.min_price, terms.max_price), (Ticks(5), Ticks(100_000_000)));
        assert_eq!((terms.min_quantity, terms.max_quantity), (Lots(10), Lots(100_000_000)));
        assert_eq!((terms.base.as_str(), terms.quote.as_str()), ("BTC", "USDT"));
        let off = market(r#","min_price":"0.015""#).expect_err("half a tick");
        assert_eq!(off.code(), "INVALID_PRICE");
        let negative = market(r#","min_quantity":"-1""#).expect_err("below zero");
        assert_eq!(negative.code(), "INVALID_QUANTITY");
    }

    #[test]
    fn steps_are_above_zero() {
        for tick in ["0", "-0.01"] {
            assert!(step("tick_size", tick, Code::InvalidPrice).is_err(), "{tick}");
        }
    }
}
