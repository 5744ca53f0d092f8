//! Halting and resuming trading on the shard, and confirming its clock (GOV-33, GOV-35, TIME-34, D-119).

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use schema::{Command, HaltReason, Label, TradingHalt};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::answer::{Object, json};
use crate::arrival::Arrival;
use crate::body::Payload;
use crate::caller::Operator;
use crate::door::Door;
use crate::error::ApiError;
use crate::idempotency::KeyHeader;
use crate::openapi::words::HaltReasonName;
use crate::submit::Done;
use crate::text::{parse_key, parse_name};

/// POST /v1/admin/trading/halt.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HaltForm {
    #[schema(value_type = HaltReasonName)]
    reason: String,
}

/// POST /v1/admin/trading/resume and /v1/admin/clock/confirm: an empty object. Who asks is all that there is to say.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WordForm {}

/// Stops orders on every market: 200. Cancels and withdrawals go on.
pub(crate) async fn halt_trading(
    State(door): State<Arc<Door>>,
    operator: Operator,
    (KeyHeader(text), arrival): (KeyHeader, Arrival),
    payload: Payload,
) -> Result<Response, ApiError> {
    let form: HaltForm = payload.json()?;
    let reason = parse_name("reason", &form.reason, HaltReason::BY_PEOPLE, HaltReason::name)?;
    let halt = TradingHalt { reason, actor: actor_of(&operator)? };
    let make = |approval| Command::HaltTrading(halt, approval);
    let done = door.perform_signed(arrival, text, make).await?;
    Ok(changed(Object::new().text("trading", "halted"), &done))
}

/// Ends the halt: 200. The markets that it stopped take orders again.
pub(crate) async fn resume_trading(
    State(door): State<Arc<Door>>,
    operator: Operator,
    (KeyHeader(text), arrival): (KeyHeader, Arrival),
    payload: Payload,
) -> Result<Response, ApiError> {
    let WordForm {} = payload.json()?;
    let actor = actor_of(&operator)?;
    let make = |approval| Command::ResumeTrading(actor, approval);
    let done = door.perform_signed(arrival, text, make).await?;
    Ok(changed(Object::new().text("trading", "open"), &done))
}

/// Says that the clock of the machine is right as it is: 200. Trading stays halted until it is resumed.
pub(crate) async fn confirm_clock(
    State(door): State<Arc<Door>>,
    operator: Operator,
    (KeyHeader(text), arrival): (KeyHeader, Arrival),
    payload: Payload,
) -> Result<Response, ApiError> {
    let WordForm {} = payload.json()?;
    let actor = actor_of(&operator)?;
    let make = |approval| Command::ConfirmClock(actor, approval);
    let done = door.perform_signed(arrival, text, make).await?;
    Ok(changed(Object::new(), &done))
}

fn actor_of(operator: &Operator) -> Result<Label, ApiError> {
    parse_key("actor", &operator.0.claims.user.to_string())
}

fn changed(body: Object, done: &Done) -> Response {
    json(StatusCode::OK, body.count("sequence", done.sequence))
}
