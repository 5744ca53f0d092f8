//! POST, GET and DELETE of orders.
//!
//! The way of an order: credentials, body, account, symbol, key, command, submit, answer. Everything up
//! to the key can only fail for the caller's own fault and leaves no trace in the shard (LIFE-9).

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use port::{OrderView, Query, View};
use schema::{CancelOrder, Code, Command, OrderState, Outcome};
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

/// POST /v1/orders: 201 with the id of an accepted order, or one reason (LIFE-5).
pub(crate) async fn create(
    State(door): State<Arc<Door>>,
    trader: Trader,
    (KeyHeader(header), arrival): (KeyHeader, Arrival),
    payload: Payload,
) -> Result<Response, ApiError> {
    let started = Instant::now();
    if header.is_some() {
        return Err(ApiError::schema("an order's key is client_order_id in its body"));
    }
    let form: OrderForm = payload.json()?;
    let account = trader.account(form.account_id.as_deref())?;
    let order = form.order(account, door.symbol_ref(form.symbol()?).await?)?;
    let command = Command::PlaceOrder(order);
    let key = order_key(account, order.client_order_id.as_ref(), &command);
    let reply = door.submit(arrival, key, command).await?;
    door.metrics.placements.record(started.elapsed());
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
    let key = order.client_order_id;
    let body = body.maybe("client_order_id", key).count("sequence", reply.last_event);
    Ok(json(StatusCode::CREATED, body))
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

/// DELETE /v1/orders/{id}: 200 CANCELED, a second time too (D-64).
pub(crate) async fn cancel(
    State(door): State<Arc<Door>>,
    trader: Trader,
    PathId(order): PathId,
    params: Params,
    (KeyHeader(text), arrival): (KeyHeader, Arrival),
) -> Result<Response, ApiError> {
    let params = params.only(&["state_seq"])?;
    let account = account_of(&door, &trader, order).await?;
    let state_seq = params.count("state_seq")?;
    let command = Command::CancelOrder(CancelOrder { account, order, state_seq });
    let key = header_key(account, text, &command);
    let reply = door.submit(arrival, key, command).await?;
    match reply.outcome {
        Outcome::Refused(refusal)
            if matches!(refusal.code, Code::OrderNotFound | Code::InvalidStateTransition) =>
        {
            ended(&door, &trader, order, reply.last_event).await
        }
        Outcome::Refused(refusal) | Outcome::Rejected { refusal, .. } => {
            Err(ApiError::of_refusal(&refusal))
        }
        _ => Ok(canceled(order, reply.last_event)),
    }
}

/// The account for which the caller may cancel an order: their only one, or the order's.
async fn account_of(door: &Door, trader: &Trader, order: Id) -> Result<Id, ApiError> {
    if let [only] = trader.0.claims.accounts.as_slice() {
        return Ok(*only);
    }
    let seen = door.query(Query::Order(order), &Params::default()).await?;
    match seen.view {
        View::Order(Some(view)) if trader.owns(view.account_id) => Ok(view.account_id),
        _ => Err(ApiError::no_order()),
    }
}

/// What a cancel of an order that is not open is answered (LIFE-46).
async fn ended(
    door: &Door,
    trader: &Trader,
    order: Id,
    sequence: u64,
) -> Result<Response, ApiError> {
    let seen = door.query_at(Query::Order(order), sequence).await?;
    let View::Order(Some(view)) = seen.view else { return Err(ApiError::no_order()) };
    if !trader.owns(view.account_id) {
        trader.0.log_refused("another's order");
        return Err(ApiError::no_order());
    }
    match view.state {
        OrderState::Canceled => Ok(canceled(order, sequence)),
        OrderState::Pending | OrderState::Partial => Err(ApiError::no_order()),
        state => {
            tracing::warn!(%order, state = state.name(), "refused to cancel an ended order");
            Err(ApiError::new(
                StatusCode::CONFLICT,
                Code::InvalidStateTransition,
                format!("the order is {}", state.name()),
            ))
        }
    }
}

fn canceled(order: Id, sequence: u64) -> Response {
    let body = Object::new().shown("order_id", order).text("status", "CANCELED");
    json(StatusCode::OK, body.count("sequence", sequence))
}

/// An order as it is shown (STATE-36).
pub(crate) fn order_object(order: &OrderView) -> Object {
    let reason = order.reason.map(Code::name).or(order.expiry.map(schema::ExpiryReason::name));
    Object::new()
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
}
