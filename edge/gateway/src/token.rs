//! Access tokens: JWT in the compact form, EdDSA over Ed25519 and nothing else (INV-34, INV-15).
//!
//! A token says who asks (`sub`), for which accounts, in which role, from when and until when. It is
//! written by hand because the kept libraries bring RSA, NIST curves or a C build for one signature.
//! Invariant: the algorithm is compared and never chosen by the token; the signature is verified
//! before a claim is read. Deliberately no sessions and no revocation: those are the identity
//! service's.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use units::Id;

use crate::limits::{
    TOKEN_ACCOUNT_COUNT_MAX, TOKEN_LIFE_MAX_SECONDS, TOKEN_SIZE_MAX, TOKEN_SKEW_MAX_SECONDS,
};

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The user.
    pub user: Id,
    /// The accounts that belong to the user.
    pub accounts: Vec<Id>,
    /// What the user may do.
    pub role: Role,
    /// Unix seconds of its making.
    pub issued_at: i64,
    /// Unix seconds from which it is worth nothing; at most 900 s later.
    pub expires_at: i64,
}

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Trades with their own accounts, and reaches nobody else's (INV-12).
    Trader,
    /// Lists, opens and funds, and reaches no account by the user's routes (INV-13).
    Operator,
}

/// Why a token is not worth anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenFault {
    /// Not three parts of base64url with the JSON of a token.
    Malformed,
    /// Another algorithm than EdDSA.
    Algorithm,
    /// Not signed by the exchange's key.
    Signature,
    /// Lives longer than 900 s, or not at all.
    Life,
    /// Not yet issued by this machine's clock.
    TooEarly,
    /// Past its end.
    Expired,
}

impl fmt::Display for TokenFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the token is malformed",
            Self::Algorithm => "the token's algorithm is not EdDSA",
            Self::Signature => "the token is not signed by this exchange",
            Self::Life => "the token lives longer than 900 s",
            Self::TooEarly => "the token was issued in the future",
            Self::Expired => "the token has expired",
        })
    }
}

impl std::error::Error for TokenFault {}

/// Makes tokens. Holds the secret key; it is neither shown nor logged.
pub struct TokenSigner {
    key: SigningKey,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    #[serde(default, rename = "typ")]
    _typ: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    sub: String,
    accounts: Vec<String>,
    role: Role,
    iat: i64,
    exp: i64,
}

impl TokenSigner {
    /// A signer with the secret key of 32 bytes.
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Self {
        Self { key: SigningKey::from_bytes(secret) }
    }

    /// The public key, for those who verify.
    #[must_use]
    pub fn public_key(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }

    /// A token that says `claims`.
    ///
    /// # Errors
    /// `Life` when it would not be accepted.
    pub fn mint(&self, claims: &Claims) -> Result<String, TokenFault> {
        check_life(claims)?;
        let payload = Payload {
            sub: claims.user.to_string(),
            accounts: claims.accounts.iter().map(Id::to_string).collect(),
            role: claims.role,
            iat: claims.issued_at,
            exp: claims.expires_at,
        };
        let payload = serde_json::to_vec(&payload).map_err(|_| TokenFault::Malformed)?;
        let mut token = URL_SAFE_NO_PAD.encode(br#"{"alg":"EdDSA","typ":"JWT"}"#);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(payload, &mut token);
        let signature = self.key.sign(token.as_bytes()).to_bytes();
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }
}

impl fmt::Debug for TokenSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSigner(secret)")
    }
}

/// What a token says, if `key` signed it and it lives at `now`, in Unix seconds.
pub(crate) fn verify(key: &VerifyingKey, token: &str, now: i64) -> Result<Claims, TokenFault> {
    use TokenFault::{Algorithm, Malformed, Signature as BadSignature};
    if token.len() > TOKEN_SIZE_MAX {
        return Err(Malformed);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(Malformed)?;
    let (header, payload) = signed.split_once('.').ok_or(Malformed)?;
    let header: Header = decode(header)?;
    if header.alg != "EdDSA" {
        return Err(Algorithm);
    }
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| BadSignature)?;
    let signature = Signature::from_slice(&signature).map_err(|_| BadSignature)?;
    key.verify_strict(signed.as_bytes(), &signature).map_err(|_| BadSignature)?;
    let payload: Payload = decode(payload)?;
    let id = |text: &String| text.parse::<Id>().map_err(|_| Malformed);
    let claims = Claims {
        user: id(&payload.sub)?,
        accounts: payload.accounts.iter().map(id).collect::<Result<_, _>>()?,
        role: payload.role,
        issued_at: payload.iat,
        expires_at: payload.exp,
    };
    check_life(&claims)?;
    check_now(&claims, now)?;
    Ok(claims)
}

/// Whether a token lives at `now`.
pub(crate) fn check_now(claims: &Claims, now: i64) -> Result<(), TokenFault> {
    if now >= claims.expires_at {
        return Err(TokenFault::Expired);
    }
    if claims.issued_at > now.saturating_add(TOKEN_SKEW_MAX_SECONDS) {
        return Err(TokenFault::TooEarly);
    }
    Ok(())
}

fn check_life(claims: &Claims) -> Result<(), TokenFault> {
    let life = claims.expires_at.checked_sub(claims.issued_at).ok_or(TokenFault::Life)?;
    if !(1..=TOKEN_LIFE_MAX_SECONDS).contains(&life) {
        return Err(TokenFault::Life);
    }
    if claims.accounts.len() > TOKEN_ACCOUNT_COUNT_MAX {
        return Err(TokenFault::Malformed);
    }
    Ok(())
}

fn decode<T: for<'a> Deserialize<'a>>(part: &str) -> Result<T, TokenFault> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenFault::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| TokenFault::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn claims() -> Claims {
        Claims {
            user: Id([7; 16]),
            accounts: vec![Id([8; 16])],
            role: Role::Trader,
            issued_at: NOW,
            expires_at: NOW + 900,
        }
    }

    fn signer() -> TokenSigner {
        TokenSigner::new(&[3; 32])
    }

    fn check(token: &str, now: i64) -> Result<Claims, TokenFault> {
        verify(&signer().key.verifying_key(), token, now)
    }

    /// A token with a header and a payload of the test's choice, rightly signed.
    fn forged(header: &str, payload: &str) -> String {
        let signed =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let signature = signer().key.sign(signed.as_bytes()).to_bytes();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    #[test]
    fn a_token_says_what_was_minted() {
        let token = signer().mint(&claims()).expect("a life of 900 s");
        assert_eq!(check(&token, NOW + 899), Ok(claims()));
    }

    /// Algorithm `none`, HMAC, a foreign key, a changed payload and a passed end are all refused.
    /// covers: INV-34
    #[test]
    fn only_an_unchanged_living_eddsa_token_counts() {
        let token = signer().mint(&claims()).expect("a life of 900 s");
        assert_eq!(check(&token, NOW + 900), Err(TokenFault::Expired));
        assert_eq!(check(&token, NOW - 61), Err(TokenFault::TooEarly));
        let (signed, signature) = token.rsplit_once('.').expect("three parts");
        let (_, payload) = signed.split_once('.').expect("three parts");
        let text =
            String::from_utf8(URL_SAFE_NO_PAD.decode(payload).expect("base64")).expect("text");
        for alg in ["none", "None", "HS256", "HS512", "RS256", "ES256", "eddsa"] {
            let header = format!(r#"{{"alg":"{alg}","typ":"JWT"}}"#);
            assert_eq!(check(&forged(&header, &text), NOW), Err(TokenFault::Algorithm), "{alg}");
            let unsigned = format!("{}.{payload}.", URL_SAFE_NO_PAD.encode(&header));
            assert_eq!(check(&unsigned, NOW), Err(TokenFault::Algorithm), "{alg}");
        }
        let foreign = TokenSigner::new(&[4; 32]).mint(&claims()).expect("a life of 900 s");
        assert_eq!(check(&foreign, NOW), Err(TokenFault::Signature));
        let changed = URL_SAFE_NO_PAD.encode(text.replace("trader", "operator"));
        let header = signed.split_once('.').expect("three parts").0;
        let changed = format!("{header}.{changed}.{signature}");
        assert_eq!(check(&changed, NOW), Err(TokenFault::Signature));
    }

    /// covers: INV-15
    #[test]
    fn no_token_lives_longer_than_900_s() {
        let long = Claims { expires_at: NOW + 901, ..claims() };
        assert_eq!(signer().mint(&long), Err(TokenFault::Life));
        let id = Id([7; 16]);
        let payload = format!(
            r#"{{"sub":"{id}","accounts":[],"role":"trader","iat":{NOW},"exp":{}}}"#,
            NOW + 901
        );
        let token = forged(r#"{"alg":"EdDSA"}"#, &payload);
        assert_eq!(check(&token, NOW), Err(TokenFault::Life));
    }

    #[test]
    fn garbage_is_malformed() {
        for token in ["", ".", "..", "a.b.c", "a.b", "é.é.é", "eyJhbGciOiJFZERTQSJ9..", "...."] {
            assert!(check(token, NOW).is_err(), "{token}");
        }
        let unknown = forged(r#"{"alg":"EdDSA","crit":["x"]}"#, "{}");
        assert_eq!(check(&unknown, NOW), Err(TokenFault::Malformed));
    }
}
