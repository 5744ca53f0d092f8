//! Verified tokens, remembered until they end, so that a hot client costs one signature per token and
//! not one per request.
//!
//! Invariant: what is remembered was verified, and its end is checked at every use. Bounded: when full,
//! what has ended goes first, then everything.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use ed25519_dalek::VerifyingKey;

use crate::limits::TOKEN_CACHE_COUNT_MAX;
use crate::token::{Claims, TokenFault, check_now, verify};

/// Verifies tokens of one key.
pub(crate) struct TokenVerifier {
    key: VerifyingKey,
    verified: RwLock<HashMap<Box<str>, Arc<Claims>>>,
}

impl TokenVerifier {
    /// A verifier for the public key, or `None` if those bytes are no key.
    pub(crate) fn new(public_key: &[u8; 32]) -> Option<Self> {
        let key = VerifyingKey::from_bytes(public_key).ok()?;
        Some(Self { key, verified: RwLock::default() })
    }

    /// What a token says, if it is worth anything at `now`, in Unix seconds.
    pub(crate) fn verify(&self, token: &str, now: i64) -> Result<Arc<Claims>, TokenFault> {
        let known =
            self.verified.read().unwrap_or_else(PoisonError::into_inner).get(token).cloned();
        if let Some(claims) = known {
            return check_now(&claims, now).map(|()| claims);
        }
        let claims = Arc::new(verify(&self.key, token, now)?);
        let mut verified = self.verified.write().unwrap_or_else(PoisonError::into_inner);
        if verified.len() >= TOKEN_CACHE_COUNT_MAX {
            verified.retain(|_, claims| claims.expires_at > now);
        }
        if verified.len() >= TOKEN_CACHE_COUNT_MAX {
            verified.clear();
        }
        verified.insert(token.into(), claims.clone());
        Ok(claims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::{Role, TokenSigner};
    use units::Id;

    /// A remembered token still ends, and a forged one is never remembered.
    #[test]
    fn memory_neither_prolongs_nor_forgives() {
        let signer = TokenSigner::new(&[1; 32]);
        let verifier = TokenVerifier::new(&signer.public_key()).expect("a key");
        let claims = Claims {
            user: Id([1; 16]),
            accounts: vec![],
            role: Role::Trader,
            issued_at: 1_000,
            expires_at: 1_100,
        };
        let token = signer.mint(&claims).expect("short");
        assert!(verifier.verify(&token, 1_000).is_ok());
        assert!(verifier.verify(&token, 1_099).is_ok());
        assert_eq!(verifier.verify(&token, 1_100), Err(TokenFault::Expired));
        let foreign = TokenSigner::new(&[2; 32]).mint(&claims).expect("short");
        for _ in 0..2 {
            assert_eq!(verifier.verify(&foreign, 1_000), Err(TokenFault::Signature));
        }
        assert_eq!(verifier.verified.read().expect("not poisoned").len(), 1);
    }

    #[test]
    fn the_memory_is_bounded() {
        let signer = TokenSigner::new(&[1; 32]);
        let verifier = TokenVerifier::new(&signer.public_key()).expect("a key");
        let claims = Arc::new(Claims {
            user: Id([1; 16]),
            accounts: vec![],
            role: Role::Trader,
            issued_at: 1_000,
            expires_at: 1_100,
        });
        for index in 0..TOKEN_CACHE_COUNT_MAX {
            let mut verified = verifier.verified.write().expect("not poisoned");
            verified.insert(index.to_string().into(), claims.clone());
        }
        let token = signer.mint(&claims).expect("short");
        assert!(verifier.verify(&token, 1_050).is_ok());
        assert_eq!(verifier.verified.read().expect("not poisoned").len(), 1);
    }
}
