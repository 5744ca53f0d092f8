//! Fees before they are paid: the tiers, an account's rates, what an order would cost (FEE-41 to FEE-43).

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use port::{AccountFeesView, AnnouncedRates, OrderPreview, PortFault, Query, RefundView, View};
use schema::{FeeTier, WaiverReason};
use units::{Id, Timestamp};

use crate::account::no_account;
use crate::answer::{Object, json};
use crate::body::Payload;
use crate::caller::Trader;
use crate::door::Door;
use crate::error::ApiError;
use crate::forms::OrderForm;
use crate::market::push_tier;
use crate::orders::prepare;
use crate::params::{Params, PathId};

/// GET /v1/fees: the tiers of the shard, and those that take their place.
pub(crate) async fn schedule(
    State(door): State<Arc<Door>>,
    params: Params,
) -> Result<Response, ApiError> {
    let params = params.only(&["min_sequence"])?;
    let seen = door.query(Query::FeeSchedule, &params).await?;
    let View::FeeSchedule(schedule) = seen.view else { return Err(unanswered()) };
    let body = Object::new().list("tiers", &schedule.tiers, push_tier);
    let body = match &schedule.announced {
        Some((time, tiers)) => body.object("announced", announced_tiers(*time, tiers)),
        None => body.raw("announced", "null"),
    };
    Ok(json(StatusCode::OK, body.count("sequence", seen.sequence)))
}

/// GET /v1/accounts/{id}/fees: an account's tier, volume and rates, and what the next tier needs.
pub(crate) async fn of_account(
    State(door): State<Arc<Door>>,
    trader: Trader,
    PathId(id): PathId,
    params: Params,
) -> Result<Response, ApiError> {
    let params = params.only(&["min_sequence"])?;
    let account = trader.check_owns(id)?;
    let seen = door.query(Query::AccountFees(account), &params).await?;
    let View::AccountFees(Some(fees)) = seen.view else { return Err(no_account()) };
    Ok(json(StatusCode::OK, fees_object(&fees).count("sequence", seen.sequence)))
}

/// POST /v1/orders/preview: what the order of the body would reserve and cost, or why it would be
/// refused. Nothing is sequenced.
pub(crate) async fn preview(
    State(door): State<Arc<Door>>,
    trader: Trader,
    payload: Payload,
) -> Result<Response, ApiError> {
    let form: OrderForm = payload.json()?;
    let (request, _) = prepare(&door, &trader, &form).await?;
    let seen = door.query(Query::Preview(request), &Params::default()).await?;
    let View::Preview(preview) = seen.view else { return Err(unanswered()) };
    let preview = preview.map_err(|refusal| ApiError::of_refused_order(&refusal))?;
    let body = preview_object(request.account, &preview);
    Ok(json(StatusCode::OK, body.count("sequence", seen.sequence)))
}

/// A view that answers another question than was asked is no view.
fn unanswered() -> ApiError {
    PortFault::Stopped.into()
}

fn announced_tiers(time: Timestamp, tiers: &[FeeTier]) -> Object {
    Object::new().list("tiers", tiers, push_tier).time("effective_at", time)
}

fn fees_object(fees: &AccountFeesView) -> Object {
    let body = Object::new()
        .shown("account_id", fees.account_id)
        .shown("kind", fees.kind.name())
        .shown("maker_rate", fees.maker_rate)
        .shown("taker_rate", fees.taker_rate)
        .shown("volume_30d", fees.volume_30d)
        .count("tier", fees.tier)
        .maybe("waiver_reason", fees.waiver.map(WaiverReason::name))
        .maybe_time("waiver_ends_at", fees.waiver_ends_at);
    let body = match &fees.next_tier {
        Some(next) => {
            let next = Object::new()
                .shown("above", next.above)
                .shown("maker", next.maker)
                .shown("taker", next.taker);
            body.object("next_tier", next)
        }
        None => body.raw("next_tier", "null"),
    };
    let body = match &fees.announced {
        Some(announced) => body.object("announced", announced_object(announced)),
        None => body.raw("announced", "null"),
    };
    body.list("refunds", &fees.refunds, |out, refund| {
        out.push_str(&refund_object(refund).end());
    })
}

fn refund_object(refund: &RefundView) -> Object {
    Object::new()
        .shown("trade_id", refund.trade_id)
        .text("asset", refund.asset.as_str())
        .shown("fee", refund.fee)
        .shown("refunded", refund.refunded)
}

fn announced_object(announced: &AnnouncedRates) -> Object {
    Object::new()
        .shown("kind", announced.kind.name())
        .shown("maker_rate", announced.maker_rate)
        .shown("taker_rate", announced.taker_rate)
        .time("effective_at", announced.effective_at)
}

fn preview_object(account: Id, preview: &OrderPreview) -> Object {
    Object::new()
        .shown("account_id", account)
        .text("symbol", preview.symbol.as_str())
        .shown("maker_rate", preview.maker_rate)
        .shown("taker_rate", preview.taker_rate)
        .maybe("price", preview.price)
        .shown("quantity", preview.quantity)
        .shown("value", preview.value)
        .shown("maker_fee", preview.maker_fee)
        .shown("taker_fee", preview.taker_fee)
        .shown("worst_fee", preview.maker_fee.max(preview.taker_fee))
        .shown("reserved", preview.reserved)
        .text("reserved_asset", preview.reserved_asset.as_str())
        .shown("available", preview.available)
}
