//! What changes open orders: reduce, replace, cancel all, countdown cancel (LIFE-42 to LIFE-47, D-96).
//!
//! An expectation of `state_seq` is a parameter of the address, as with a cancel (STATE-39). Another's
//! account is 403 before anything is read of the body; another's order is 404 (D-72).

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use schema::{
    CancelAllOrders, Code, Command, CountdownCancel, Outcome, ReduceOrder, ReplaceOrder, SymbolRef,
};
use serde::Deserialize;
use units::{Amount, Id};
use utoipa::ToSchema;

use crate::answer::{Object, json};
use crate::arrival::Arrival;
use crate::body::Payload;
use crate::caller::Trader;
use crate::door::Door;
use crate::error::ApiError;
use crate::forms::OrderForm;
use crate::idempotency::{KeyHeader, header_key, order_key};
use crate::openapi::words::Decimal;
use crate::orders::{account_of, check_no_header_key, ended_fault, ended_state, is_gone, placed};
use crate::params::{Params, PathId};
use crate::text::{parse_amount, parse_symbol};

/// PATCH /v1/orders/{id}.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReduceForm {
    /// The new total quantity, below the present one and above what is filled.
    #[schema(value_type = Decimal)]
    quantity: String,
}

/// PUT /v1/accounts/{id}/countdown.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CountdownForm {
    /// Milliseconds from now until all open orders are canceled; 0 takes it back.
    timeout_ms: u64,
}

impl ReduceForm {
    /// The new total.
    pub(crate) fn quantity(&self) -> Result<Amount, ApiError> {
        parse_amount("quantity", &self.quantity, Code::InvalidQuantity)
    }
}

impl CountdownForm {
    /// The command's content. What does not fit is the core's to refuse: it is out of every range.
    pub(crate) fn countdown(&self, account: Id) -> CountdownCancel {
        CountdownCancel { account, timeout: self.timeout_ms.saturating_mul(1_000_000) }
    }
}

/// PATCH /v1/orders/{id}: takes quantity off, 200; the order keeps its place in time.
pub(crate) async fn reduce(
    State(door): State<Arc<Door>>,
    trader: Trader,
    (PathId(order), params): (PathId, Params),
    (KeyHeader(text), arrival): (KeyHeader, Arrival),
    payload: Payload,
) -> Result<Response, ApiError> {
    let state_seq = params.only(&["state_seq"])?.count("state_seq")?;
    let quantity = payload.json::<ReduceForm>()?.quantity()?;
    let account = account_of(&door, &trader, order).await?;
    let command = Command::ReduceOrder(ReduceOrder { account, order, quantity, state_seq });
    let key = header_key(door.machine(), account, text, &command);
    let reply = door.submit(arrival, key, command).await?;
    if let Outcome::Refused(refusal) | Outcome::Rejected { refusal, .. } = reply.outcome {
        if !is_gone(&refusal) {
            return Err(ApiError::of_refusal(&refusal));
        }
        let state = ended_state(&door, &trader, order, reply.last_event).await?;
        return Err(ended_fault(order, state));
    }
    let body = Object::new().shown("order_id", order).shown("quantity", quantity);
    Ok(json(StatusCode::OK, body.count("sequence", reply.last_event)))
}

/// PUT /v1/orders/{id}: cancels the order and places the one of the body, both or neither: 200 with
/// the id of the new one.
pub(crate) async fn replace(
    State(door): State<Arc<Door>>,
    trader: Trader,
    (PathId(order), params): (PathId, Params),
    (KeyHeader(header), arrival): (KeyHeader, Arrival),
    payload: Payload,
) -> Result<Response, ApiError> {
    let state_seq = params.only(&["state_seq"])?.count("state_seq")?;
    check_no_header_key(header)?;
    let form: OrderForm = payload.json()?;
    let account = match &form.account_id {
        None => account_of(&door, &trader, order).await?,
        given => trader.account(given.as_deref())?,
    };
    let request = form.order(account, door.symbol_ref(form.symbol()?).await?)?;
    let command = Command::ReplaceOrder(ReplaceOrder { order, state_seq, request });
    let key = order_key(door.machine(), account, request.client_order_id.as_ref(), &command);
    let reply = door.submit(arrival, key, command).await?;
    if let Outcome::Refused(refusal) = reply.outcome {
        if !is_gone(&refusal) {
            return Err(ApiError::of_refused_order(&refusal));
        }
        let state = ended_state(&door, &trader, order, reply.last_event).await?;
        return Err(ended_fault(order, state));
    }
    let body = placed(request.client_order_id, &reply)?;
    Ok(json(StatusCode::OK, body.shown("replaced_order_id", order)))
}

/// DELETE /v1/accounts/{id}/orders?symbol=: cancels every open order of the account, or those of one
/// market: 200, with none open too.
pub(crate) async fn cancel_all(
    State(door): State<Arc<Door>>,
    trader: Trader,
    (PathId(account), params): (PathId, Params),
    (KeyHeader(text), arrival): (KeyHeader, Arrival),
) -> Result<Response, ApiError> {
    let account = trader.check_owns(account)?;
    let params = params.only(&["symbol"])?;
    let symbol = match params.value("symbol") {
        None => None,
        Some(symbol) => {
            let symbol = parse_symbol("symbol", symbol)?;
            let listing = door.listing(symbol).await?;
            let known = listing.map(|it| (SymbolRef::Listed(it.number), it.symbol));
            Some(known.unwrap_or((SymbolRef::Unknown(symbol), symbol)))
        }
    };
    let all = CancelAllOrders { account, symbol: symbol.map(|(symbol, _)| symbol) };
    let command = Command::CancelAllOrders(all);
    let key = header_key(door.machine(), account, text, &command);
    let done = door.perform(arrival, key, command).await?;
    let body = Object::new()
        .shown("account_id", account)
        .maybe("symbol", symbol.map(|(_, symbol)| symbol))
        .text("status", "CANCELED");
    Ok(json(StatusCode::OK, body.count("sequence", done.sequence)))
}

/// PUT /v1/accounts/{id}/countdown: arms, moves or takes back the countdown cancel: 200.
pub(crate) async fn set_countdown(
    State(door): State<Arc<Door>>,
    trader: Trader,
    PathId(account): PathId,
    (KeyHeader(text), arrival): (KeyHeader, Arrival),
    payload: Payload,
) -> Result<Response, ApiError> {
    let account = trader.check_owns(account)?;
    let form: CountdownForm = payload.json()?;
    let command = Command::SetCountdownCancel(form.countdown(account));
    let key = header_key(door.machine(), account, text, &command);
    let done = door.perform(arrival, key, command).await?;
    let body = Object::new().shown("account_id", account).count("timeout_ms", form.timeout_ms);
    Ok(json(StatusCode::OK, body.count("sequence", done.sequence)))
}
