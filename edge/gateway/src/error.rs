//! What a refused request is answered: `{"error":{"code":…,"message":…}}` with a status.
//!
//! Codes are those of the one list (EVT-77, D-63). The list has no word for a door that cannot answer
//! now; those two are here. Invariant: a message tells a caller nothing about what is not theirs.

use std::borrow::Cow;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use port::PortFault;
use schema::{Code, Refusal, Why};
use units::Id;

use crate::answer::{Object, json};

/// A refused request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: Cow<'static, str>,
    order: Option<Id>,
}

/// The shard takes no work now.
pub(crate) const UNAVAILABLE: &str = "UNAVAILABLE";
/// No answer in time; the command may have run.
pub(crate) const TIMED_OUT: &str = "TIMED_OUT";

impl ApiError {
    /// An answer with a status of the caller's choice.
    pub(crate) fn new(
        status: StatusCode,
        code: Code,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { status, code: code.name(), message: message.into(), order: None }
    }

    /// 400: the request cannot be parsed (LIFE-9).
    pub(crate) fn schema(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Code::InvalidSchema, message)
    }

    /// 422: the request is understood and refused here.
    pub(crate) fn refused(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, message)
    }

    /// 401: no valid credentials.
    pub(crate) fn unauthenticated(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, Code::PermissionDenied, message)
    }

    /// 403: valid credentials for something else.
    pub(crate) fn forbidden(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, Code::PermissionDenied, message)
    }

    /// 404: no such order, or not the caller's (D-72).
    pub(crate) fn no_order() -> Self {
        Self::new(StatusCode::NOT_FOUND, Code::OrderNotFound, "no order with this id")
    }

    /// 404: no such market.
    pub(crate) fn no_market() -> Self {
        Self::new(StatusCode::NOT_FOUND, Code::SymbolNotFound, "no market with this symbol")
    }

    /// What the core refused without making an order.
    pub(crate) fn of_refusal(refusal: &Refusal) -> Self {
        let status = status_of(refusal.code);
        Self { status, code: refusal.code.name(), message: message_of(refusal), order: None }
    }

    /// What the core refused of a request that is an order, such as a replacement: a reason that an
    /// order may be rejected for is 422 as there (SVC-23).
    pub(crate) fn of_refused_order(refusal: &Refusal) -> Self {
        if refusal.code.uses().rejects {
            return Self::refused(refusal.code, message_of(refusal));
        }
        Self::of_refusal(refusal)
    }

    /// An order that was made and rejected: 422 with the reason, whatever it is (SVC-23).
    pub(crate) fn of_rejection(order: Id, refusal: &Refusal) -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            code: refusal.code.name(),
            message: message_of(refusal),
            order: Some(order),
        }
    }

    /// The code.
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    /// The error as one answer of several: status and body.
    pub(crate) fn item(&self) -> Object {
        Object::new().count("status", self.status.as_u16()).object("body", self.body())
    }

    fn body(&self) -> Object {
        let body = Object::new().object("error", self.object());
        match self.order {
            Some(order) => body.shown("order_id", order),
            None => body,
        }
    }

    /// The error as the value of `error`.
    pub(crate) fn object(&self) -> Object {
        Object::new().text("code", self.code).text("message", &self.message)
    }
}

impl From<PortFault> for ApiError {
    fn from(fault: PortFault) -> Self {
        let code = match fault {
            PortFault::Busy | PortFault::NoRoom | PortFault::Stopped => UNAVAILABLE,
            PortFault::TimedOut => TIMED_OUT,
        };
        let message = Cow::Owned(fault.to_string());
        Self { status: StatusCode::SERVICE_UNAVAILABLE, code, message, order: None }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = json(self.status, self.body());
        let headers = response.headers_mut();
        match self.status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT => {
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
        response
    }
}

/// The status of a command that was refused (SVC-23).
pub(crate) fn status_of(code: Code) -> StatusCode {
    match code {
        Code::InvalidSchema => StatusCode::BAD_REQUEST,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::OrderNotFound
        | Code::PositionNotFound
        | Code::AssetNotFound
        | Code::TradeNotFound
        | Code::AccountNotFound
        | Code::SymbolNotFound => StatusCode::NOT_FOUND,
        Code::IdempotencyConflict
        | Code::InvalidStateTransition
        | Code::VersionConflict
        | Code::AccountExists
        | Code::AccountNotEmpty => StatusCode::CONFLICT,
        Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

fn message_of(refusal: &Refusal) -> Cow<'static, str> {
    match refusal.detail {
        schema::Detail::Why(Why::Nothing) => Cow::Borrowed("refused"),
        schema::Detail::Why(why) => Cow::Borrowed(why.name()),
        detail @ schema::Detail::Balance { .. } => Cow::Owned(detail.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every code of the one list has a status of the 4xx family.
    #[test]
    fn every_code_has_a_client_status() {
        for &code in Code::ALL {
            assert!(status_of(code).is_client_error(), "{}", code.name());
        }
        assert_eq!(status_of(Code::IdempotencyConflict), StatusCode::CONFLICT);
        assert_eq!(status_of(Code::InsufficientBalance), StatusCode::UNPROCESSABLE_ENTITY);
    }

    #[test]
    fn a_rejection_names_its_order() {
        let refusal = Refusal::new(Code::InvalidSchema, Why::LimitWithoutPrice);
        let rejection = ApiError::of_rejection(Id([1; 16]), &refusal);
        assert_eq!(rejection.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(rejection.order, Some(Id([1; 16])));
    }
}
