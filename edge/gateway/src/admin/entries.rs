//! Deposits and withdrawals in the ledger, on an operator's word. Chains come with the wallet.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use schema::{AssetRef, Code, Command, Label, LedgerEntry};
use serde::Deserialize;
use units::Id;
use utoipa::ToSchema;

use super::created;
use crate::answer::Object;
use crate::arrival::Arrival;
use crate::body::Payload;
use crate::caller::Operator;
use crate::door::Door;
use crate::error::ApiError;
use crate::idempotency::{KeyHeader, client_key};
use crate::openapi::words::{Decimal, Uuid};
use crate::text::{parse_amount, parse_id, parse_symbol};

/// POST /v1/admin/deposits and /v1/admin/withdrawals.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EntryForm {
    #[schema(value_type = Uuid)]
    account_id: String,
    asset: String,
    #[schema(value_type = Decimal)]
    amount: String,
    #[schema(value_type = Option<Uuid>)]
    reference: Option<String>,
}

impl EntryForm {
    /// The command's content; `made` stands for a reference that the caller left out.
    pub(crate) fn entry(&self, asset: AssetRef, made: Id) -> Result<LedgerEntry, ApiError> {
        let reference = self.reference.as_deref().map(|text| parse_id("reference", text));
        Ok(LedgerEntry {
            account: parse_id("account_id", &self.account_id)?,
            asset,
            amount: parse_amount("amount", &self.amount, Code::InvalidAmount)?,
            reference: reference.transpose()?.unwrap_or(made),
        })
    }
}

/// Credits an account from EXTERNAL: 201.
pub(crate) async fn deposit(
    State(door): State<Arc<Door>>,
    _: Operator,
    named: (KeyHeader, Arrival),
    payload: Payload,
) -> Result<Response, ApiError> {
    post(&door, named, &payload.json()?, Command::Deposit).await
}

/// Debits an account to EXTERNAL: 201.
pub(crate) async fn withdraw(
    State(door): State<Arc<Door>>,
    _: Operator,
    named: (KeyHeader, Arrival),
    payload: Payload,
) -> Result<Response, ApiError> {
    post(&door, named, &payload.json()?, Command::Withdraw).await
}

async fn post(
    door: &Door,
    (KeyHeader(text), arrival): (KeyHeader, Arrival),
    form: &EntryForm,
    make: impl Fn(LedgerEntry) -> Command,
) -> Result<Response, ApiError> {
    let asset = door.asset_ref(parse_symbol("asset", &form.asset)?).await?;
    // With a key of the caller's the reference follows from it, so that a repeat has the same body.
    let made = match &text {
        Some(text) => Id(client_key(door.config.venue_id, text.as_str(), &Command::Tick).key_hash),
        None => door.machine().random_id(),
    };
    let entry = form.entry(asset, made)?;
    let command = make(entry);
    // The transaction outside is the key: the same one never moves money twice while it is kept
    // (SVC-43). A deposit and a withdrawal may share it.
    let text = match &form.reference {
        Some(_) => Label::new(&format!("{} {}", command.kind().name(), entry.reference)).ok(),
        None => text,
    };
    let key = door.operator_key(text, &command);
    let done = door.perform(arrival, key, command).await?;
    let body = Object::new()
        .shown("account_id", entry.account)
        .text("asset", &form.asset)
        .shown("amount", entry.amount)
        .shown("reference", entry.reference);
    Ok(created(body, done))
}
