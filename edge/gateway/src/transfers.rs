//! Money between a user's own accounts (ACCT-24, D-100).

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use schema::{AssetRef, Code, Command, Transfer};
use serde::Deserialize;
use units::Id;
use utoipa::ToSchema;

use crate::answer::{Object, json};
use crate::arrival::Arrival;
use crate::body::Payload;
use crate::caller::Trader;
use crate::door::Door;
use crate::error::ApiError;
use crate::idempotency::{KeyHeader, header_key};
use crate::openapi::words::{Decimal, Uuid};
use crate::params::Params;
use crate::text::{parse_amount, parse_id, parse_symbol};

/// POST /v1/transfers.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TransferForm {
    /// Where it comes from; an account of the caller's.
    #[schema(value_type = Uuid)]
    from_account_id: String,
    /// Where it goes; an account of the caller's.
    #[schema(value_type = Uuid)]
    to_account_id: String,
    /// Symbol of what is moved.
    asset: String,
    #[schema(value_type = Decimal)]
    amount: String,
}

impl TransferForm {
    /// The two accounts as written.
    pub(crate) fn accounts(&self) -> Result<(Id, Id), ApiError> {
        let from = parse_id("from_account_id", &self.from_account_id)?;
        Ok((from, parse_id("to_account_id", &self.to_account_id)?))
    }

    /// The command's content.
    pub(crate) fn transfer(
        &self,
        (from, to): (Id, Id),
        asset: AssetRef,
    ) -> Result<Transfer, ApiError> {
        let amount = parse_amount("amount", &self.amount, Code::InvalidAmount)?;
        Ok(Transfer { from, to, asset, amount })
    }
}

/// POST /v1/transfers: 201 with the transfer's id. Both accounts are the caller's, or it is 403; that
/// they have one owner is the core's to check.
pub(crate) async fn create(
    State(door): State<Arc<Door>>,
    trader: Trader,
    params: Params,
    (KeyHeader(text), arrival): (KeyHeader, Arrival),
    payload: Payload,
) -> Result<Response, ApiError> {
    params.only(&[])?;
    let form: TransferForm = payload.json()?;
    let (from, to) = form.accounts()?;
    let accounts = (trader.check_owns(from)?, trader.check_owns(to)?);
    let asset = door.asset_ref(parse_symbol("asset", &form.asset)?).await?;
    let transfer = form.transfer(accounts, asset)?;
    let command = Command::Transfer(transfer);
    let key = header_key(door.machine(), from, text, &command);
    let done = door.perform(arrival, key, command).await?;
    let body = Object::new()
        .maybe("transfer_id", done.created)
        .shown("from_account_id", from)
        .shown("to_account_id", to)
        .text("asset", &form.asset)
        .shown("amount", transfer.amount);
    Ok(json(StatusCode::CREATED, body.count("sequence", done.sequence)))
}
