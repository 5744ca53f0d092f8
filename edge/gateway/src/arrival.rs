//! What the door notes when a request arrives: its id, its peer, until when its body may come.

use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use tokio::time::Instant;
use units::{Id, Timestamp};

use crate::error::ApiError;
use crate::limits::REQUEST_TIME;

/// What a door takes from the machine that it runs on: time, and randomness. A simulator brings its own.
pub trait Machine: Send + Sync + 'static {
    /// Good for the ends of tokens, never for an event.
    fn wall_clock(&self) -> Timestamp;
    /// A random UUID of version 4.
    fn random_id(&self) -> Id;
}

/// The machine itself.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ThisMachine;

impl Machine for ThisMachine {
    fn wall_clock(&self) -> Timestamp {
        wall_clock()
    }

    fn random_id(&self) -> Id {
        random_id()
    }
}

/// A request's arrival.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    /// Names the request in answers, commands and events.
    pub(crate) correlation: Id,
    /// Who sent it.
    pub(crate) peer: IpAddr,
    /// Until when all of it must be here (INV-68).
    pub(crate) deadline: Instant,
    /// The version of its account that a command is based on: the header `Account-Version` (SEQ-33).
    pub(crate) account_version: Option<u64>,
}

impl Arrival {
    /// The arrival of a request with this name.
    pub(crate) const fn new(correlation: Id, peer: IpAddr, deadline: Instant) -> Self {
        Self { correlation, peer, deadline, account_version: None }
    }
}

impl<S: Sync> FromRequestParts<S> for Arrival {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let noted = parts.extensions.get::<Self>().copied();
        let noted = noted.unwrap_or_else(|| {
            Self::new(random_id(), IpAddr::from([0, 0, 0, 0]), Instant::now() + REQUEST_TIME)
        });
        Ok(Self { account_version: account_version(&parts.headers)?, ..noted })
    }
}

/// The header `Account-Version`: a number as the account shows it, given once.
fn account_version(headers: &HeaderMap) -> Result<Option<u64>, ApiError> {
    let mut values = headers.get_all("account-version").iter();
    let value = values.next();
    if values.next().is_some() {
        return Err(ApiError::schema("Account-Version is given twice"));
    }
    let parse = |value: &HeaderValue| {
        let digits = value.to_str().ok().filter(|text| text.bytes().all(|it| it.is_ascii_digit()));
        let number = digits.and_then(|digits| digits.parse().ok());
        number.ok_or_else(|| ApiError::schema("Account-Version is no number"))
    };
    value.map(parse).transpose()
}

/// A random UUID of version 4: correlation ids, and keys for callers who gave none. Made only here,
/// at the edge; the core's ids are derived (D-11).
///
/// # Panics
/// When the operating system has no randomness, where nothing can be kept secret.
#[must_use]
pub fn random_id() -> Id {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the operating system gives randomness");
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    Id(bytes)
}

fn wall_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Digits, once, and nothing else.
    #[test]
    fn a_version_is_a_number_given_once() {
        let read = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("account-version", HeaderValue::from_str(value).expect("a value"));
            }
            account_version(&headers)
        };
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&["0"]), Ok(Some(0)));
        assert_eq!(read(&["18446744073709551615"]), Ok(Some(u64::MAX)));
        for wrong in [&["", ""][..], &["1", "1"], &[""], &["+1"], &["x"], &["18446744073709551616"]]
        {
            assert_eq!(read(wrong).expect_err("refused").code(), "INVALID_SCHEMA", "{wrong:?}");
        }
    }

    #[test]
    fn random_ids_differ_and_are_version_4() {
        let (one, other) = (random_id(), random_id());
        assert_ne!(one, other);
        assert_eq!(one.to_string().as_bytes()[14], b'4');
        assert!(!one.is_derived());
    }
}
