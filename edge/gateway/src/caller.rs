//! Who asks, and what they may (SVC-20, INV-12, INV-13).
//!
//! A handler that takes a `Trader` or an `Operator` cannot run without one, and axum makes both before
//! it reads the body. Traders reach their own accounts only, operators no account's own routes.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Method, Uri, header};
use units::Id;

use crate::arrival::{Machine as _, ThisMachine};
use crate::door::Door;
use crate::error::ApiError;
use crate::text::parse_id;
use crate::token::{Claims, Role};

/// A verified caller and what they asked for.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) claims: Arc<Claims>,
    method: Method,
    uri: Uri,
}

/// A caller who trades.
#[derive(Clone, Debug)]
pub(crate) struct Trader(pub(crate) Caller);

/// A caller who operates the venue.
#[derive(Clone, Debug)]
pub(crate) struct Operator(pub(crate) Caller);

impl Caller {
    /// The caller of a request with a valid token.
    pub(crate) fn of(parts: &Parts, door: &Door) -> Result<Self, ApiError> {
        let header = parts.headers.get(header::AUTHORIZATION).ok_or_else(|| {
            ApiError::unauthenticated("the header `Authorization: Bearer TOKEN` is missing")
        })?;
        let token = header.to_str().ok().and_then(|text| text.strip_prefix("Bearer "));
        let token =
            token.ok_or_else(|| ApiError::unauthenticated("credentials are `Bearer TOKEN`"))?;
        let now = door.wall_clock().0.div_euclid(1_000_000_000);
        match door.tokens.verify(token, now) {
            Ok(claims) => Ok(Self { claims, method: parts.method.clone(), uri: parts.uri.clone() }),
            Err(fault) => {
                tracing::info!(route = %parts.uri.path(), %fault, "refused a token");
                Err(ApiError::unauthenticated(fault.to_string()))
            }
        }
    }

    fn in_role(self, role: Role) -> Result<Self, ApiError> {
        if self.claims.role == role {
            return Ok(self);
        }
        self.log_refused("a route of another role");
        Err(ApiError::forbidden(match role {
            Role::Trader => "operators do not act for accounts",
            Role::Operator => "this needs an operator",
        }))
    }

    /// Puts on record that the caller tried to reach what is not theirs (INV-17).
    pub(crate) fn log_refused(&self, what: &str) {
        let now = ThisMachine.wall_clock();
        tracing::warn!(
            user = %self.claims.user,
            route = %format_args!("{} {}", self.method, self.uri.path()),
            at = %format_args!("{} ({now})", now.0),
            "refused access to {what}"
        );
    }
}

impl Trader {
    /// Whether an account belongs to the caller.
    pub(crate) fn owns(&self, account: Id) -> bool {
        self.0.claims.accounts.contains(&account)
    }

    /// Refuses another's account with 403 (D-72), whether it exists or not.
    pub(crate) fn check_owns(&self, account: Id) -> Result<Id, ApiError> {
        if self.owns(account) {
            return Ok(account);
        }
        self.0.log_refused("another's account");
        Err(ApiError::forbidden("the account is not the caller's"))
    }

    /// The account that a request names, or the only one that the caller has (SVC-22).
    pub(crate) fn account(&self, given: Option<&str>) -> Result<Id, ApiError> {
        match (given, self.0.claims.accounts.as_slice()) {
            (Some(text), _) => self.check_owns(parse_id("account_id", text)?),
            (None, [only]) => Ok(*only),
            (None, _) => {
                Err(ApiError::schema("account_id is missing, and the token names not one"))
            }
        }
    }
}

impl FromRequestParts<Arc<Door>> for Trader {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, door: &Arc<Door>) -> Result<Self, ApiError> {
        Caller::of(parts, door)?.in_role(Role::Trader).map(Self)
    }
}

impl FromRequestParts<Arc<Door>> for Operator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, door: &Arc<Door>) -> Result<Self, ApiError> {
        Caller::of(parts, door)?.in_role(Role::Operator).map(Self)
    }
}
