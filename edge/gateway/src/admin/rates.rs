//! The fee tiers of the shard, and rates and waivers of accounts (FEE-10, FEE-21, FEE-38, D-98).

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use schema::limits::FEE_TIER_COUNT_MAX;
use schema::{AccountRates, Command, FeeKind, FeeSchedule, RatesChange, WaiverReason};
use serde::Deserialize;
use units::{Id, Timestamp};
use utoipa::ToSchema;

use super::listings::TierForm;
use crate::answer::{Object, json};
use crate::arrival::Arrival;
use crate::body::Payload;
use crate::caller::Operator;
use crate::door::Door;
use crate::error::ApiError;
use crate::idempotency::KeyHeader;
use crate::openapi::words::{FeeKindName, Ratio, Time, WaiverReasonName};
use crate::params::PathId;
use crate::text::{parse_name, parse_rate, parse_time};

/// POST /v1/admin/fees.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScheduleForm {
    /// The whole table, volumes rising from 0.
    tiers: Vec<TierForm>,
    /// From when on; left out for at once, which only what relieves may be.
    #[schema(value_type = Option<Time>)]
    effective_at: Option<String>,
}

/// POST /v1/admin/accounts/{id}/rates.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RatesForm {
    /// VOLUME gives the tier's rates back, VIP needs maker and taker, WAIVER a reason.
    #[schema(value_type = FeeKindName)]
    kind: String,
    #[schema(value_type = Option<Ratio>)]
    maker: Option<String>,
    #[schema(value_type = Option<Ratio>)]
    taker: Option<String>,
    #[schema(value_type = Option<WaiverReasonName>)]
    reason: Option<String>,
    /// When a waiver ends; a promotion needs it, at most 30 days ahead.
    #[schema(value_type = Option<Time>)]
    ends_at: Option<String>,
    /// From when on; left out for at once, which only what relieves may be.
    #[schema(value_type = Option<Time>)]
    effective_at: Option<String>,
}

impl ScheduleForm {
    /// The command's content.
    pub(crate) fn schedule(&self) -> Result<FeeSchedule, ApiError> {
        if self.tiers.len() > FEE_TIER_COUNT_MAX {
            return Err(ApiError::schema(format!("tiers has over {FEE_TIER_COUNT_MAX} rows")));
        }
        Ok(FeeSchedule {
            tiers: self.tiers.iter().map(TierForm::tier).collect::<Result<_, _>>()?,
            effective_at: time("effective_at", self.effective_at.as_deref())?,
        })
    }
}

impl RatesForm {
    /// The command's content.
    pub(crate) fn change(&self, account: Id) -> Result<RatesChange, ApiError> {
        let effective_at = time("effective_at", self.effective_at.as_deref())?;
        Ok(RatesChange { account, rates: self.rates()?, effective_at })
    }

    /// Each kind has its own fields, and those of another say that the caller means another.
    fn rates(&self) -> Result<AccountRates, ApiError> {
        let has_rates = self.maker.is_some() || self.taker.is_some();
        let has_waiver = self.reason.is_some() || self.ends_at.is_some();
        match parse_name("kind", &self.kind, FeeKind::ALL, FeeKind::name)? {
            FeeKind::Volume if !has_rates && !has_waiver => Ok(AccountRates::Volume),
            FeeKind::Vip if !has_waiver => {
                let (Some(maker), Some(taker)) = (&self.maker, &self.taker) else {
                    return Err(ApiError::schema("VIP needs maker and taker"));
                };
                let (maker, taker) = (parse_rate("maker", maker)?, parse_rate("taker", taker)?);
                Ok(AccountRates::Own { maker, taker })
            }
            FeeKind::Waiver if !has_rates => {
                let Some(reason) = &self.reason else {
                    return Err(ApiError::schema("WAIVER needs a reason"));
                };
                let all = WaiverReason::ALL;
                let reason = parse_name("reason", reason, all, WaiverReason::name)?;
                let ends_at = time("ends_at", self.ends_at.as_deref())?;
                Ok(AccountRates::Waiver { reason, ends_at })
            }
            kind => Err(ApiError::schema(format!("a field does not go with {}", kind.name()))),
        }
    }
}

/// Sets or announces the fee tiers of the shard: 200.
pub(crate) async fn set_schedule(
    State(door): State<Arc<Door>>,
    _: Operator,
    (KeyHeader(text), arrival): (KeyHeader, Arrival),
    payload: Payload,
) -> Result<Response, ApiError> {
    let schedule = payload.json::<ScheduleForm>()?.schedule()?;
    let effective_at = schedule.effective_at;
    let make = |approval| Command::SetFeeSchedule(schedule, approval);
    let done = door.perform_signed(arrival, text, make).await?;
    let body = Object::new().maybe_time("effective_at", effective_at);
    Ok(json(StatusCode::OK, body.count("sequence", done.sequence)))
}

/// Gives an account rates of its own or a waiver, or takes them back: 200.
pub(crate) async fn set_rates(
    State(door): State<Arc<Door>>,
    _: Operator,
    PathId(account): PathId,
    (KeyHeader(text), arrival): (KeyHeader, Arrival),
    payload: Payload,
) -> Result<Response, ApiError> {
    let form: RatesForm = payload.json()?;
    let change = form.change(account)?;
    let make = |approval| Command::SetAccountRates(change, approval);
    let done = door.perform_signed(arrival, text, make).await?;
    let body = Object::new()
        .shown("account_id", account)
        .text("kind", &form.kind)
        .maybe_time("effective_at", change.effective_at);
    Ok(json(StatusCode::OK, body.count("sequence", done.sequence)))
}

fn time(field: &str, text: Option<&str>) -> Result<Option<Timestamp>, ApiError> {
    text.map(|text| parse_time(field, text)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::parse_json;
    use units::Rate;

    fn rates(body: &str) -> Result<AccountRates, ApiError> {
        Ok(parse_json::<RatesForm>(body.as_bytes())?.change(Id([1; 16]))?.rates)
    }

    /// Each kind has its fields and takes no other's.
    #[test]
    fn kinds_have_their_own_fields() {
        assert_eq!(rates(r#"{"kind":"VOLUME"}"#), Ok(AccountRates::Volume));
        let own = AccountRates::Own { maker: Rate(-50_000), taker: Rate(10_000) };
        let vip = r#"{"kind":"VIP","maker":"-0.0005","taker":"0.0001"}"#;
        assert_eq!(rates(vip), Ok(own));
        let waiver = AccountRates::Waiver { reason: WaiverReason::BugBounty, ends_at: None };
        assert_eq!(rates(r#"{"kind":"WAIVER","reason":"BUG_BOUNTY"}"#), Ok(waiver));
        for bad in [
            r#"{"kind":"FREE"}"#,
            r#"{"kind":"VIP","maker":"0"}"#,
            r#"{"kind":"VOLUME","taker":"0"}"#,
            r#"{"kind":"WAIVER"}"#,
            r#"{"kind":"WAIVER","reason":"FRIEND"}"#,
            r#"{"kind":"WAIVER","reason":"PROMOTION","maker":"0"}"#,
            r#"{"kind":"VIP","maker":"0","taker":"0.0001","ends_at":"2030-01-01T00:00:00Z"}"#,
        ] {
            assert_eq!(rates(bad).expect_err(bad).code(), "INVALID_SCHEMA", "{bad}");
        }
        let precise = rates(r#"{"kind":"VIP","maker":"0.000000001","taker":"0"}"#);
        assert_eq!(precise.expect_err("nine decimals").code(), "INVALID_RATE");
    }
}
