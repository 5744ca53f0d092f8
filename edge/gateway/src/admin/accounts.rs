//! Opening accounts, changing their status and what is known of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use port::{Query, View};
use schema::limits::METADATA_COUNT_MAX;
use schema::{
    AccountOpening, AccountStatus, AccountType, ApiClass, Code, Command, Label, OrderTier,
    ProfileChange, RiskTier, StatusChange,
};
use serde::Deserialize;
use units::Id;
use utoipa::ToSchema;

use super::created;
use crate::answer::{Object, json};
use crate::arrival::Arrival;
use crate::body::Payload;
use crate::caller::Operator;
use crate::door::Door;
use crate::error::ApiError;
use crate::idempotency::KeyHeader;
use crate::openapi::words::{
    AccountStatusName, AccountTypeName, ApiClassName, KeyText, OrderTierName, RiskTierName, Uuid,
};
use crate::params::{Params, PathId};
use crate::text::{parse_id, parse_key, parse_name, parse_words};

/// POST /v1/admin/accounts.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountForm {
    #[schema(value_type = KeyText)]
    external_id: String,
    #[schema(value_type = Option<AccountTypeName>)]
    account_type: Option<String>,
    #[schema(value_type = Option<Uuid>)]
    owner_id: Option<String>,
    jurisdiction: Option<String>,
    #[serde(default)]
    kyc_tier: u8,
    #[schema(value_type = Option<RiskTierName>)]
    risk_tier: Option<String>,
    #[schema(value_type = Option<OrderTierName>)]
    order_tier: Option<String>,
    #[schema(value_type = Option<ApiClassName>)]
    api_class: Option<String>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

/// POST /v1/admin/accounts/{id}/status.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StatusForm {
    #[schema(value_type = AccountStatusName)]
    status: String,
    reason: String,
}

/// POST /v1/admin/accounts/{id}/profile: all of it, as it is to be from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProfileForm {
    /// 0 to 3.
    kyc_tier: u8,
    /// Country code of the owner.
    jurisdiction: String,
    #[schema(value_type = RiskTierName)]
    risk_tier: String,
    #[schema(value_type = OrderTierName)]
    order_tier: String,
    #[schema(value_type = ApiClassName)]
    api_class: String,
    /// Whether fees are paid in the platform token where that is possible.
    fee_in_token: bool,
}

/// Where nobody said where an owner lives.
const UNKNOWN_JURISDICTION: &str = "ZZ";

impl AccountForm {
    /// The command's content.
    pub(crate) fn opening(&self) -> Result<AccountOpening, ApiError> {
        let jurisdiction = self.jurisdiction.as_deref().unwrap_or(UNKNOWN_JURISDICTION);
        let owner = self.owner_id.as_deref().map(|text| parse_id("owner_id", text));
        Ok(AccountOpening {
            account_type: tier("account_type", &self.account_type, TYPES, AccountType::name)?,
            external_id: parse_key("external_id", &self.external_id)?,
            owner_id: owner.transpose()?,
            jurisdiction: parse_key("jurisdiction", jurisdiction)?,
            kyc_tier: self.kyc_tier,
            risk_tier: tier("risk_tier", &self.risk_tier, RiskTier::ALL, RiskTier::name)?,
            order_tier: tier("order_tier", &self.order_tier, OrderTier::ALL, OrderTier::name)?,
            api_class: tier("api_class", &self.api_class, ApiClass::ALL, ApiClass::name)?,
            metadata: self.pairs()?,
        })
    }

    fn pairs(&self) -> Result<Vec<(Label, Label)>, ApiError> {
        if self.metadata.len() > METADATA_COUNT_MAX {
            return Err(ApiError::schema(format!("metadata has over {METADATA_COUNT_MAX} pairs")));
        }
        let pair = |(name, value): (&String, &String)| {
            Ok((parse_key("a name in metadata", name)?, parse_words("a value in metadata", value)?))
        };
        self.metadata.iter().map(pair).collect()
    }
}

impl StatusForm {
    /// The command's content.
    pub(crate) fn change(&self, account: Id, user: Id) -> Result<StatusChange, ApiError> {
        let all = AccountStatus::ALL;
        Ok(StatusChange {
            account,
            to: parse_name("status", &self.status, all, AccountStatus::name)?,
            reason: parse_words("reason", &self.reason)?,
            actor: parse_key("actor", &user.to_string())?,
        })
    }
}

impl ProfileForm {
    /// The command's content.
    pub(crate) fn change(&self, account: Id) -> Result<ProfileChange, ApiError> {
        let (order_tiers, classes) = (OrderTier::ALL, ApiClass::ALL);
        Ok(ProfileChange {
            account,
            kyc_tier: self.kyc_tier,
            jurisdiction: parse_key("jurisdiction", &self.jurisdiction)?,
            risk_tier: parse_name("risk_tier", &self.risk_tier, RiskTier::ALL, RiskTier::name)?,
            order_tier: parse_name("order_tier", &self.order_tier, order_tiers, OrderTier::name)?,
            api_class: parse_name("api_class", &self.api_class, classes, ApiClass::name)?,
            fee_in_token: self.fee_in_token,
        })
    }
}

/// Opens an account: 201 with its id.
pub(crate) async fn create_account(
    State(door): State<Arc<Door>>,
    _: Operator,
    (KeyHeader(text), arrival): (KeyHeader, Arrival),
    payload: Payload,
) -> Result<Response, ApiError> {
    let form: AccountForm = payload.json()?;
    let command = Command::CreateAccount(form.opening()?);
    let key = door.operator_key(text, &command);
    let done = door.perform(arrival, key, command).await?;
    let body = Object::new().maybe("account_id", done.created);
    Ok(created(body.text("external_id", &form.external_id), done))
}

/// GET /v1/admin/accounts?external_id=: which account has this number. Its id and status and no more:
/// what is in it is its owner's (INV-13).
pub(crate) async fn find_account(
    State(door): State<Arc<Door>>,
    _: Operator,
    params: Params,
) -> Result<Response, ApiError> {
    let params = params.only(&["external_id", "min_sequence"])?;
    let external_id = parse_key("external_id", params.needed("external_id")?)?;
    let seen = door.query(Query::AccountByExternalId(external_id), &params).await?;
    let View::Account(Some(account)) = seen.view else {
        let message = "no account with this external_id";
        return Err(ApiError::new(StatusCode::NOT_FOUND, Code::AccountNotFound, message));
    };
    let body = Object::new()
        .shown("account_id", account.account_id)
        .text("external_id", account.opening.external_id.as_str())
        .shown("status", account.status.name());
    Ok(json(StatusCode::OK, body.count("sequence", seen.sequence)))
}

/// Suspends, activates or closes an account: 200.
pub(crate) async fn set_status(
    State(door): State<Arc<Door>>,
    operator: Operator,
    PathId(account): PathId,
    (KeyHeader(text), arrival): (KeyHeader, Arrival),
    payload: Payload,
) -> Result<Response, ApiError> {
    let form: StatusForm = payload.json()?;
    let change = form.change(account, operator.0.claims.user)?;
    let make = |approval| Command::SetAccountStatus(change, approval);
    let done = door.perform_signed(arrival, text, make).await?;
    let body = Object::new().shown("account_id", account).shown("status", change.to.name());
    Ok(json(StatusCode::OK, body.count("sequence", done.sequence)))
}

/// Changes what is known of an account: 200.
pub(crate) async fn set_profile(
    State(door): State<Arc<Door>>,
    _: Operator,
    PathId(account): PathId,
    (KeyHeader(text), arrival): (KeyHeader, Arrival),
    payload: Payload,
) -> Result<Response, ApiError> {
    let change = payload.json::<ProfileForm>()?.change(account)?;
    let make = |approval| Command::SetAccountProfile(change, approval);
    let done = door.perform_signed(arrival, text, make).await?;
    let body = Object::new().shown("account_id", account);
    Ok(json(StatusCode::OK, body.count("sequence", done.sequence)))
}

/// The types that may be asked for; the exchange's own accounts come with the genesis (D-41).
const TYPES: &[AccountType] = &[AccountType::Spot, AccountType::Margin, AccountType::Futures];

/// A value of an enumeration, or the first one.
fn tier<T: Copy>(
    field: &str,
    text: &Option<String>,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<T, ApiError> {
    let text = text.as_deref().unwrap_or_else(|| name(all[0]));
    parse_name(field, text, all, name)
}
