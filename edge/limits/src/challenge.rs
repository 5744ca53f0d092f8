//! The challenge to a suspicious address: a proof of work (RATE-54).
//!
//! `SHA-256(challenge || nonce)` must begin with 20 zero bits. A challenge is 16 bytes that the caller
//! draws, lives 60 s, and is good for one answer. Another kind of challenge (a CAPTCHA) is another
//! implementation of `Challenge`.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::bucket::SECOND;

/// A kind of challenge.
pub trait Challenge: Send {
    /// Sets a new one, made of random bytes. `None` when too many wait for an answer.
    fn set(&mut self, now: u64, random: [u8; 16]) -> Option<[u8; 16]>;
    /// Whether the answer solves a challenge that was set and is neither old nor used.
    fn solve(&mut self, now: u64, challenge: &[u8; 16], answer: &[u8]) -> bool;
}

/// Challenges that wait for a proof of work.
#[derive(Clone, Debug, Default)]
pub struct ProofOfWork {
    /// When each ends.
    ends: BTreeMap<[u8; 16], u64>,
}

/// Zero bits that a proof begins with.
pub const PROOF_BITS: u32 = 20;
/// How long a challenge lives.
pub const CHALLENGE_LIFE: u64 = 60 * SECOND;
/// Bytes of an answer.
const ANSWER_SIZE_MAX: usize = 64;
/// Challenges that wait at one time.
const CHALLENGE_COUNT_MAX: usize = 100_000;

impl Challenge for ProofOfWork {
    fn set(&mut self, now: u64, random: [u8; 16]) -> Option<[u8; 16]> {
        if self.ends.len() >= CHALLENGE_COUNT_MAX {
            self.ends.retain(|_, &mut end| now < end);
            if self.ends.len() >= CHALLENGE_COUNT_MAX {
                return None;
            }
        }
        self.ends.insert(random, now.saturating_add(CHALLENGE_LIFE));
        Some(random)
    }

    fn solve(&mut self, now: u64, challenge: &[u8; 16], answer: &[u8]) -> bool {
        if answer.len() > ANSWER_SIZE_MAX || zero_bits(challenge, answer) < PROOF_BITS {
            return false;
        }
        // Taken out whether in time or not: it is good once.
        self.ends.remove(challenge).is_some_and(|end| now < end)
    }
}

/// Zero bits that the digest of both begins with.
#[must_use]
pub fn zero_bits(challenge: &[u8; 16], answer: &[u8]) -> u32 {
    let digest = Sha256::new().chain_update(challenge).chain_update(answer).finalize();
    let mut count = 0;
    for byte in digest {
        count += byte.leading_zeros();
        if byte != 0 {
            break;
        }
    }
    count
}
