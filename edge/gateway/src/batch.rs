//! Several orders or cancels in one request (D-93).
//!
//! As many commands, submitted one behind the other, each with its own key and its own answer; never
//! atomic. A body that cannot be read is one 400 and nothing of it is sequenced; whatever else is wrong
//! with one item is that item's answer, and the others go on.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use schema::{CancelOrder, Command, Key, Reply};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::answer::{Object, json};
use crate::arrival::Arrival;
use crate::body::Payload;
use crate::caller::Trader;
use crate::door::Door;
use crate::error::ApiError;
use crate::forms::OrderForm;
use crate::idempotency::{KeyHeader, header_key};
use crate::limits::BATCH_COUNT_MAX;
use crate::openapi::words::{KeyText, Uuid};
use crate::orders::{account_of, canceled, placed, prepare};
use crate::text::{parse_id, parse_key};

/// POST /v1/orders/batch.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BatchForm {
    /// 1 to 20 orders, in the order in which they are to be taken.
    orders: Vec<OrderForm>,
}

/// POST /v1/orders/batch/cancel.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CancelBatchForm {
    /// 1 to 20 cancels, in the order in which they are to be taken.
    cancels: Vec<CancelForm>,
}

/// A cancel among several.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CancelForm {
    #[schema(value_type = Uuid)]
    order_id: String,
    /// May be left out when the token names one account.
    #[schema(value_type = Option<Uuid>)]
    account_id: Option<String>,
    /// Cancels only if this is the order's current one.
    state_seq: Option<u64>,
    #[schema(value_type = Option<KeyText>)]
    idempotency_key: Option<String>,
}

/// POST /v1/orders/batch: 200 with one answer for each order, in their order.
pub(crate) async fn create(
    State(door): State<Arc<Door>>,
    trader: Trader,
    (KeyHeader(header), arrival): (KeyHeader, Arrival),
    payload: Payload,
) -> Result<Response, ApiError> {
    check_no_key(header.is_some())?;
    let form: BatchForm = payload.json()?;
    check_count("orders", form.orders.len())?;
    let mut orders = Vec::with_capacity(form.orders.len());
    for form in &form.orders {
        orders.push(prepare(&door, &trader, form).await);
    }
    let ready = orders.iter().flatten();
    let commands = ready.map(|(order, key)| (*key, Command::PlaceOrder(*order))).collect();
    let mut replies = door.submit_each(arrival, commands).await.into_iter();
    let answers = orders.into_iter().map(|order| {
        let (order, _) = order?;
        placed(order.client_order_id, &next(&mut replies)?)
    });
    Ok(answered(answers.map(|answer| item(201, answer)).collect()))
}

/// POST /v1/orders/batch/cancel: 200 with one answer for each cancel, in their order.
pub(crate) async fn cancel(
    State(door): State<Arc<Door>>,
    trader: Trader,
    (KeyHeader(header), arrival): (KeyHeader, Arrival),
    payload: Payload,
) -> Result<Response, ApiError> {
    check_no_key(header.is_some())?;
    let form: CancelBatchForm = payload.json()?;
    check_count("cancels", form.cancels.len())?;
    let mut cancels = Vec::with_capacity(form.cancels.len());
    for form in &form.cancels {
        cancels.push(form.cancel(&door, &trader).await);
    }
    let ready = cancels.iter().flatten();
    let commands = ready.map(|(cancel, key)| (*key, Command::CancelOrder(*cancel))).collect();
    let mut replies = door.submit_each(arrival, commands).await.into_iter();
    let mut answers = Vec::with_capacity(cancels.len());
    for cancel in cancels {
        let answer = match cancel.and_then(|(cancel, _)| Ok((cancel, next(&mut replies)?))) {
            Ok((cancel, reply)) => canceled(&door, &trader, cancel.order, &reply).await,
            Err(fault) => Err(fault),
        };
        answers.push(item(200, answer));
    }
    Ok(answered(answers))
}

impl CancelForm {
    async fn cancel(&self, door: &Door, trader: &Trader) -> Result<(CancelOrder, Key), ApiError> {
        let order = parse_id("order_id", &self.order_id)?;
        let key = self.idempotency_key.as_deref();
        let key = key.map(|text| parse_key("idempotency_key", text)).transpose()?;
        let account = match &self.account_id {
            None => account_of(door, trader, order).await?,
            given => trader.account(given.as_deref())?,
        };
        let cancel = CancelOrder { account, order, state_seq: self.state_seq };
        Ok((cancel, header_key(door.machine(), account, key, &Command::CancelOrder(cancel))))
    }
}

fn check_no_key(has_key: bool) -> Result<(), ApiError> {
    if has_key {
        return Err(ApiError::schema("the keys of a batch stand in its items"));
    }
    Ok(())
}

fn check_count(field: &str, count: usize) -> Result<(), ApiError> {
    if (1..=BATCH_COUNT_MAX).contains(&count) {
        return Ok(());
    }
    Err(ApiError::schema(format!("{field} has 1 to {BATCH_COUNT_MAX} items")))
}

/// The reply to the next command that was submitted; there is one for each.
fn next(replies: &mut impl Iterator<Item = Result<Reply, ApiError>>) -> Result<Reply, ApiError> {
    replies.next().unwrap_or_else(|| Err(port::PortFault::Stopped.into()))
}

/// What a request of its own would have been answered: its status and its body.
fn item(status: u64, answer: Result<Object, ApiError>) -> Object {
    match answer {
        Ok(body) => Object::new().count("status", status).object("body", body),
        Err(fault) => fault.item(),
    }
}

fn answered(answers: Vec<Object>) -> Response {
    let body = Object::new().list("answers", answers, |out, answer| out.push_str(&answer.end()));
    json(StatusCode::OK, body)
}
