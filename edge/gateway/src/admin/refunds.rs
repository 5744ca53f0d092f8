//! Fees that are given back (FEE-23, FEE-24, D-104).
//!
//! The caller names the trade and the account; what the trade charged it is read from the archive and
//! goes into what is signed, because the core does not remember trades (D-73).

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use port::{PortFault, Query, TradeView, View};
use schema::{Code, Command, FeeRefund, Label, RefundReason};
use serde::Deserialize;
use units::{Amount, Id};
use utoipa::ToSchema;

use crate::answer::{Object, json};
use crate::arrival::Arrival;
use crate::body::Payload;
use crate::caller::Operator;
use crate::door::Door;
use crate::error::ApiError;
use crate::idempotency::KeyHeader;
use crate::openapi::words::{Decimal, RefundReasonName, Uuid};
use crate::params::{Params, PathId};
use crate::text::{parse_amount, parse_id, parse_key, parse_name};

/// POST /v1/admin/accounts/{id}/refunds.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefundForm {
    /// The trade whose fee goes back.
    #[schema(value_type = Uuid)]
    trade_id: String,
    /// How much of it; left out for all that was charged.
    #[schema(value_type = Option<Decimal>)]
    amount: Option<String>,
    #[schema(value_type = RefundReasonName)]
    reason: String,
}

/// What a trade charged an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Charged {
    fee: Amount,
    asset: Label,
}

impl Charged {
    /// The fee of one side of a trade; nothing when the account had no part in it.
    fn of(trade: &TradeView, account: Id) -> Option<Self> {
        if account == trade.maker_account_id {
            return Some(Self { fee: trade.maker_fee, asset: trade.maker_fee_asset });
        }
        let taker = Self { fee: trade.taker_fee, asset: trade.taker_fee_asset };
        (account == trade.taker_account_id).then_some(taker)
    }
}

impl RefundForm {
    fn amount(&self) -> Result<Option<Amount>, ApiError> {
        let parse = |text| parse_amount("amount", text, Code::InvalidAmount);
        self.amount.as_deref().map(parse).transpose()
    }
}

/// Gives a fee back, in whole or in part: 200. A trade that the account had no part in is 404.
pub(crate) async fn refund_fee(
    State(door): State<Arc<Door>>,
    operator: Operator,
    PathId(account): PathId,
    (KeyHeader(text), arrival): (KeyHeader, Arrival),
    payload: Payload,
) -> Result<Response, ApiError> {
    let form: RefundForm = payload.json()?;
    let trade = parse_id("trade_id", &form.trade_id)?;
    let reason = parse_name("reason", &form.reason, RefundReason::ALL, RefundReason::name)?;
    let amount = form.amount()?;
    let actor = parse_key("actor", &operator.0.claims.user.to_string())?;
    let charged = charged(&door, trade, account).await?;
    let asset = door.asset_ref(charged.asset).await?;
    let (fee, amount) = (charged.fee, amount.unwrap_or(charged.fee));
    let refund = FeeRefund { trade, account, asset, fee, amount, reason, actor };
    let make = |approval| Command::RefundFee(refund, approval);
    let done = door.perform_signed(arrival, text, make).await?;
    let body = Object::new()
        .shown("account_id", account)
        .shown("trade_id", trade)
        .text("asset", charged.asset.as_str())
        .shown("fee", fee)
        .shown("amount", amount)
        .text("reason", reason.name());
    Ok(json(StatusCode::OK, body.count("sequence", done.sequence)))
}

/// What the archive says that a trade charged an account.
async fn charged(door: &Door, trade: Id, account: Id) -> Result<Charged, ApiError> {
    let missing = || {
        let message = "no trade of this account with this id";
        ApiError::new(StatusCode::NOT_FOUND, Code::TradeNotFound, message)
    };
    let seen = door.query(Query::Trade(trade), &Params::default()).await?;
    let View::Trade(found) = seen.view else { return Err(PortFault::Stopped.into()) };
    let found = found.map_err(|_| missing())?;
    Charged::of(&found, account).ok_or_else(missing)
}
