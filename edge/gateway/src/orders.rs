//! POST, GET and DELETE of orders. What changes an open one is in `order_changes.rs`.
//!
//! The way of an order: credentials, body, account, symbol, key, command, submit, answer. Everything up
//! to the key can only fail for the caller's own fault and leaves no trace in the shard (LIFE-9).

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use port::{OrderView, Query, View};
use schema::{
    CancelOrder, Code, Command, Key, Label, OrderRequest, OrderState, Outcome, Refusal, Reply,
};
use tokio::time::Instant;
use units::Id;

use crate::answer::{Object, json};
use crate::arrival::Arrival;
use crate::body::Payload;
use crate::caller::Trader;
use crate::door::Door;
use crate::error::ApiError;
use crate::forms::OrderForm;
use crate::idempotency::{KeyHeader, header_key, order_key};
use crate::params::{Params, PathId};
use crate::text::parse_key;

/// POST /v1/orders: 201 with the id of an accepted order, or one reason (LIFE-5).
pub(crate) async fn create(
    State(door): State<Arc<Door>>,
    trader: Trader,
    (KeyHeader(header), arrival): (KeyHeader, Arrival),
    payload: Payload,
) -> Result<Response, ApiError> {
    let started = Instant::now();
    check_no_header_key(header)?;
    let form: OrderForm = payload.json()?;
    let (request, key) = prepare(&door, &trader, &form).await?;
    let reply = door.submit(arrival, key, Command::PlaceOrder(request)).await?;
    door.metrics.placements.record(started.elapsed());
    Ok(json(StatusCode::CREATED, placed(request.client_order_id, &reply)?))
}

/// GET /v1/orders/{id}: the caller's own, open or ended (D-72).
pub(crate) async fn read(
    State(door): State<Arc<Door>>,
    trader: Trader,
    PathId(id): PathId,
    params: Params,
) -> Result<Response, ApiError> {
    let params = params.only(&["min_sequence"])?;
    let seen = door.query(Query::Order(id), &params).await?;
    let View::Order(Some(order)) = seen.view else { return Err(ApiError::no_order()) };
    if !trader.owns(order.account_id) {
        trader.0.log_refused("another's order");
        return Err(ApiError::no_order());
    }
    Ok(json(StatusCode::OK, order_object(&order).count("sequence", seen.sequence)))
}

/// GET /v1/orders?client_order_id=: the caller's own order with this key.
pub(crate) async fn find(
    State(door): State<Arc<Door>>,
    trader: Trader,
    params: Params,
) -> Result<Response, ApiError> {
    let params = params.only(&["client_order_id", "account_id", "min_sequence"])?;
    let (order, sequence) = order_by_key(&door, &trader, &params).await?;
    Ok(json(StatusCode::OK, order_object(&order).count("sequence", sequence)))
}

/// DELETE /v1/orders/{id}: 200 CANCELED, a second time too (D-64).
pub(crate) async fn cancel(
    State(door): State<Arc<Door>>,
    trader: Trader,
    PathId(order): PathId,
    params: Params,
    named: (KeyHeader, Arrival),
) -> Result<Response, ApiError> {
    let params = params.only(&["state_seq"])?;
    let account = account_of(&door, &trader, order).await?;
    let state_seq = params.count("state_seq")?;
    submit_cancel(&door, &trader, CancelOrder { account, order, state_seq }, named).await
}

/// DELETE /v1/orders?client_order_id=: cancels the caller's own order with this key.
pub(crate) async fn cancel_by_key(
    State(door): State<Arc<Door>>,
    trader: Trader,
    params: Params,
    named: (KeyHeader, Arrival),
) -> Result<Response, ApiError> {
    let params = params.only(&["client_order_id", "account_id", "state_seq"])?;
    let state_seq = params.count("state_seq")?;
    let (order, _) = order_by_key(&door, &trader, &params).await?;
    let cancel = CancelOrder { account: order.account_id, order: order.order_id, state_seq };
    submit_cancel(&door, &trader, cancel, named).await
}

/// The command of a form that is an order, and its key.
pub(crate) async fn prepare(
    door: &Door,
    trader: &Trader,
    form: &OrderForm,
) -> Result<(OrderRequest, Key), ApiError> {
    let account = trader.account(form.account_id.as_deref())?;
    let request = form.order(account, door.symbol_ref(form.symbol()?).await?)?;
    let command = Command::PlaceOrder(request);
    Ok((request, order_key(door.machine(), account, request.client_order_id.as_ref(), &command)))
}

/// The key of what is an order stands in its body and nowhere else.
pub(crate) fn check_no_header_key(header: Option<Label>) -> Result<(), ApiError> {
    match header {
        Some(_) => Err(ApiError::schema("an order's key is client_order_id in its body")),
        None => Ok(()),
    }
}

/// What came of an order.
pub(crate) fn placed(key: Option<Label>, reply: &Reply) -> Result<Object, ApiError> {
    let body = match reply.outcome {
        Outcome::Accepted { order } => {
            Object::new().shown("order_id", order).text("status", "ACCEPTED")
        }
        Outcome::Rejected { order, refusal } => {
            return Err(ApiError::of_rejection(order, &refusal));
        }
        Outcome::Refused(refusal) => return Err(ApiError::of_refusal(&refusal)),
        Outcome::Done { .. } => Object::new().text("status", "ACCEPTED"),
        // A node that keeps answers gives the first one instead of this (LIFE-14).
        Outcome::Repeated { first } => {
            Object::new().text("status", "REPEATED").count("first_command", first)
        }
    };
    Ok(body.maybe("client_order_id", key).count("sequence", reply.last_event))
}

/// What came of a cancel; a second one of a canceled order is like the first (D-64).
pub(crate) async fn canceled(
    door: &Door,
    trader: &Trader,
    order: Id,
    reply: &Reply,
) -> Result<Object, ApiError> {
    if let Outcome::Refused(refusal) | Outcome::Rejected { refusal, .. } = reply.outcome {
        if !is_gone(&refusal) {
            return Err(ApiError::of_refusal(&refusal));
        }
        let state = ended_state(door, trader, order, reply.last_event).await?;
        if state != OrderState::Canceled {
            return Err(ended_fault(order, state));
        }
    }
    let body = Object::new().shown("order_id", order).text("status", "CANCELED");
    Ok(body.count("sequence", reply.last_event))
}

/// The account for which the caller may change an order: their only one, or the order's.
pub(crate) async fn account_of(door: &Door, trader: &Trader, order: Id) -> Result<Id, ApiError> {
    if let [only] = trader.0.claims.accounts.as_slice() {
        return Ok(*only);
    }
    let seen = door.query(Query::Order(order), &Params::default()).await?;
    match seen.view {
        View::Order(Some(view)) if trader.owns(view.account_id) => Ok(view.account_id),
        _ => Err(ApiError::no_order()),
    }
}

/// Whether a refusal says that the core holds no such open order.
pub(crate) fn is_gone(refusal: &Refusal) -> bool {
    matches!(refusal.code, Code::OrderNotFound | Code::InvalidStateTransition)
}

/// How an order of the caller's ended, of which the core said that it is not open (LIFE-46).
pub(crate) async fn ended_state(
    door: &Door,
    trader: &Trader,
    order: Id,
    sequence: u64,
) -> Result<OrderState, ApiError> {
    let seen = door.query_at(Query::Order(order), sequence).await?;
    let View::Order(Some(view)) = seen.view else { return Err(ApiError::no_order()) };
    if !trader.owns(view.account_id) {
        trader.0.log_refused("another's order");
        return Err(ApiError::no_order());
    }
    match view.state {
        OrderState::Pending | OrderState::Partial => Err(ApiError::no_order()),
        state => Ok(state),
    }
}

/// 409: the order has ended otherwise than it was to be changed.
pub(crate) fn ended_fault(order: Id, state: OrderState) -> ApiError {
    tracing::warn!(%order, state = state.name(), "refused to change an ended order");
    ApiError::new(
        StatusCode::CONFLICT,
        Code::InvalidStateTransition,
        format!("the order is {}", state.name()),
    )
}

async fn submit_cancel(
    door: &Door,
    trader: &Trader,
    cancel: CancelOrder,
    (KeyHeader(text), arrival): (KeyHeader, Arrival),
) -> Result<Response, ApiError> {
    let command = Command::CancelOrder(cancel);
    let key = header_key(door.machine(), cancel.account, text, &command);
    let reply = door.submit(arrival, key, command).await?;
    Ok(json(StatusCode::OK, canceled(door, trader, cancel.order, &reply).await?))
}

/// The caller's newest order with a key, open or ended, and the event that the answer reflects.
async fn order_by_key(
    door: &Door,
    trader: &Trader,
    params: &Params,
) -> Result<(OrderView, u64), ApiError> {
    let key = parse_key("client_order_id", params.needed("client_order_id")?)?;
    let account = trader.account(params.value("account_id"))?;
    let seen = door.query(Query::OrderByClientId(account, key), params).await?;
    let View::Order(Some(order)) = seen.view else { return Err(ApiError::no_order()) };
    Ok((order, seen.sequence))
}

/// An order as it is shown (STATE-36).
pub(crate) fn order_object(order: &OrderView) -> Object {
    let reason = order.reason.map(Code::name).or(order.expiry.map(schema::ExpiryReason::name));
    let object = Object::new()
        .shown("order_id", order.order_id)
        .shown("account_id", order.account_id)
        .maybe_text("client_order_id", order.client_order_id.as_ref().map(schema::Label::as_str))
        .text("symbol", order.symbol.as_str())
        .shown("side", order.side.name())
        .shown("type", order.order_type.name())
        .shown("time_in_force", order.time_in_force.name())
        .shown("self_trade", order.self_trade.name())
        .maybe("price", order.price)
        .shown("quantity", order.quantity)
        .shown("filled_quantity", order.filled_quantity)
        .shown("remaining_quantity", order.remaining_quantity)
        .maybe("average_price", order.average_price)
        .shown("total_fee", order.total_fee)
        .shown("reserved", order.reserved)
        .shown("status", order.state.name())
        .maybe("prev_status", order.prev_state.map(OrderState::name))
        .maybe("state_reason", reason)
        .count("state_seq", order.state_seq)
        .time("state_changed_at", order.state_changed_at)
        .time("created_at", order.created_at)
        .flag("post_only", order.post_only)
        .maybe_time("expire_at", order.expire_at)
        .maybe("oco_with", order.oco_with)
        .flag("triggered", order.is_triggered);
    match &order.trigger {
        None => object.raw("trigger", "null"),
        Some(trigger) => {
            let trigger = Object::new()
                .shown("kind", trigger.kind.name())
                .shown("price", trigger.price)
                .shown("source", trigger.source.name());
            object.object("trigger", trigger)
        }
    }
}
