//! What the door notes when a request arrives: its id, its peer, until when its body may come.

use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use tokio::time::Instant;
use units::{Id, Timestamp};

use crate::error::ApiError;
use crate::limits::REQUEST_TIME;

/// A request's arrival.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    /// Names the request in answers, commands and events.
    pub(crate) correlation: Id,
    /// Who sent it.
    pub(crate) peer: IpAddr,
    /// Until when all of it must be here (INV-68).
    pub(crate) deadline: Instant,
}

impl Arrival {
    /// An arrival now.
    pub(crate) fn new(peer: IpAddr, deadline: Instant) -> Self {
        Self { correlation: random_id(), peer, deadline }
    }
}

impl<S: Sync> FromRequestParts<S> for Arrival {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let noted = parts.extensions.get::<Self>().copied();
        Ok(noted.unwrap_or_else(|| {
            Self::new(IpAddr::from([0, 0, 0, 0]), Instant::now() + REQUEST_TIME)
        }))
    }
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

/// This machine's time. Good for the ends of tokens and of keys, never for an event.
pub(crate) fn wall_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// This machine's time in Unix seconds.
pub(crate) fn wall_seconds() -> i64 {
    wall_clock().0.div_euclid(1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_ids_differ_and_are_version_4() {
        let (one, other) = (random_id(), random_id());
        assert_ne!(one, other);
        assert_eq!(one.to_string().as_bytes()[14], b'4');
        assert!(!one.is_derived());
    }
}
