//! Idempotency keys, hashed here so that the core sees no text of a client twice (D-17, D-74, DET-11).
//!
//! `key_hash` is the first half of SHA-256 over the scope (the account, for an operator the venue) and
//! the text; `body_hash` that of the command without stamp and key. A client's key lives 24 hours. A
//! caller who gives none gets a random one of 30 s, which makes the door's own repeats safe (D-65).

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use schema::{Command, Key, KeyOrigin, Label};
use sha2::{Digest as _, Sha256};
use units::{Id, Timestamp};

use crate::arrival::Machine;
use crate::door::Door;
use crate::error::ApiError;
use crate::limits::GATEWAY_KEY_LIFE;
use crate::text::parse_key;

/// The header `Idempotency-Key`, for requests whose body has no field for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyHeader(pub(crate) Option<Label>);

impl FromRequestParts<Arc<Door>> for KeyHeader {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Door>) -> Result<Self, ApiError> {
        let mut values = parts.headers.get_all("idempotency-key").iter();
        let value = values.next();
        if values.next().is_some() {
            return Err(ApiError::schema("Idempotency-Key is given twice"));
        }
        let parse = |text: Result<&str, _>| {
            let text = text.map_err(|_| ApiError::schema("Idempotency-Key is no plain text"))?;
            parse_key("Idempotency-Key", text)
        };
        value.map(|value| parse(value.to_str())).transpose().map(Self)
    }
}

/// A client's key.
pub(crate) fn client_key(scope: Id, text: &str, command: &Command) -> Key {
    Key {
        key_hash: half_hash(&[&scope.0, text.as_bytes()]),
        body_hash: half_hash(&[&command.body()]),
        origin: KeyOrigin::Client,
        text: None,
    }
}

/// A key for a caller who gave none.
pub(crate) fn gateway_key(machine: &dyn Machine, scope: Id, command: &Command) -> Key {
    let valid_until = Timestamp(machine.wall_clock().0.saturating_add(GATEWAY_KEY_LIFE));
    let origin = KeyOrigin::Gateway { valid_until };
    Key { origin, ..client_key(scope, &machine.random_id().to_string(), command) }
}

/// The key of an order: its text stands in the order itself.
pub(crate) fn order_key(
    machine: &dyn Machine,
    scope: Id,
    text: Option<&Label>,
    command: &Command,
) -> Key {
    match text {
        Some(text) => client_key(scope, text.as_str(), command),
        None => gateway_key(machine, scope, command),
    }
}

/// The key of any other command: its text goes on record with the key.
pub(crate) fn header_key(
    machine: &dyn Machine,
    scope: Id,
    text: Option<Label>,
    command: &Command,
) -> Key {
    match text {
        Some(label) => Key { text, ..client_key(scope, label.as_str(), command) },
        None => gateway_key(machine, scope, command),
    }
}

fn half_hash(parts: &[&[u8]]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    let whole: [u8; 32] = hash.finalize().into();
    let mut half = [0; 16];
    half.copy_from_slice(&whole[..16]);
    half
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrival::ThisMachine;
    use schema::CancelOrder;

    fn cancel(order: u8) -> Command {
        Command::CancelOrder(CancelOrder {
            account: Id([1; 16]),
            order: Id([order; 16]),
            state_seq: None,
        })
    }

    /// Same scope, key and body give the same hashes; another of any gives another of its own.
    #[test]
    fn a_key_is_its_scope_text_and_body() {
        let key = client_key(Id([1; 16]), "k", &cancel(2));
        assert_eq!(key, client_key(Id([1; 16]), "k", &cancel(2)));
        assert_eq!(key.key_hash, client_key(Id([1; 16]), "k", &cancel(3)).key_hash);
        assert_ne!(key.body_hash, client_key(Id([1; 16]), "k", &cancel(3)).body_hash);
        assert_ne!(key.key_hash, client_key(Id([9; 16]), "k", &cancel(2)).key_hash);
        assert_ne!(key.key_hash, client_key(Id([1; 16]), "l", &cancel(2)).key_hash);
    }

    /// SHA-256("abc") begins with ba7816bf 8f01cfea 414140de 5dae2223.
    #[test]
    fn a_half_is_the_first_half() {
        assert_eq!(half_hash(&[b"a", b"bc"])[..4], [0xba, 0x78, 0x16, 0xbf]);
        assert_eq!(half_hash(&[b"abc"])[12..], [0x5d, 0xae, 0x22, 0x23]);
    }

    #[test]
    fn a_made_key_is_new_each_time_and_ends_within_60_s() {
        let made = || gateway_key(&ThisMachine, Id([1; 16]), &cancel(2));
        let (one, other) = (made(), made());
        assert_ne!(one.key_hash, other.key_hash);
        assert_eq!(one.body_hash, other.body_hash);
        let KeyOrigin::Gateway { valid_until } = one.origin else { panic!("made here") };
        assert!(valid_until.0 - ThisMachine.wall_clock().0 <= schema::limits::GATEWAY_KEY_LIFE);
    }
}
