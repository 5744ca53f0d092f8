//! Idempotency keys that are kept (D-17, D-74).
//!
//! State keeps hashes, an end and the first command's sequence. A key is forgotten as part of a later
//! event, by that event's time (DET-42): each event takes at most a few from the front of two queues,
//! one for the clients' 24 hours and one for the gateways' 60 s, both in order of their ends. A key
//! past its end counts as free even before it is taken away.

use alloc::collections::VecDeque;

use schema::Idempotency;
use schema::limits::{GATEWAY_KEY_LIFE, KEYS_FORGOTTEN_PER_EVENT};
use units::Timestamp;

use crate::index::NamedMap;

/// What is kept of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptKey {
    /// Hash of the body that it came with.
    pub body_hash: [u8; 16],
    /// From then on it is free.
    pub expires_at: Timestamp,
    /// Sequence of its first command.
    pub first_command: u64,
    /// Whether a gateway made it.
    pub gateway: bool,
}

/// All kept keys of a shard.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    kept: NamedMap<[u8; 16], KeptKey>,
    client_ends: VecDeque<(Timestamp, [u8; 16])>,
    gateway_ends: VecDeque<(Timestamp, [u8; 16])>,
    /// The earlier end of the two fronts: before it nothing is forgotten.
    first_end: Timestamp,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            kept: NamedMap::default(),
            client_ends: VecDeque::new(),
            gateway_ends: VecDeque::new(),
            first_end: NEVER,
        }
    }
}

/// No key ends then.
const NEVER: Timestamp = Timestamp(i64::MAX);

impl Keys {
    /// How many are kept, those past their end and not yet taken away included.
    pub(crate) fn count(&self) -> u64 {
        self.kept.len() as u64
    }

    /// The key, if it is kept and not past its end at `now`.
    #[inline]
    pub(crate) fn kept_at(&self, key_hash: &[u8; 16], now: Timestamp) -> Option<&KeptKey> {
        self.kept.get(key_hash).filter(|kept| kept.expires_at > now)
    }

    /// Whether as many keys are kept as `bound` allows, those past their end not counted. A place that
    /// a key kept anew left behind does not count: a kernel that was loaded has none (RPL-35).
    pub(crate) fn is_full(&self, bound: u64, now: Timestamp) -> bool {
        let Some(beyond) = self.count().checked_sub(bound) else { return false };
        let ends = [&self.client_ends, &self.gateway_ends].into_iter();
        let passed = ends.flat_map(|ends| ends.iter().take_while(|&&(end, _)| end <= now));
        let ended = passed.filter(|(end, key_hash)| {
            self.kept.get(key_hash).is_some_and(|kept| kept.expires_at == *end)
        });
        ended.take(usize::try_from(beyond).unwrap_or(usize::MAX).saturating_add(1)).count() as u64
            <= beyond
    }

    /// The key, past its end or not.
    pub(crate) fn any(&self, key_hash: &[u8; 16]) -> Option<&KeptKey> {
        self.kept.get(key_hash)
    }

    /// Keeps a key from the event at `time` on.
    #[inline]
    pub(crate) fn keep(&mut self, key: &Idempotency, time: Timestamp, first_command: u64) {
        let gateway = key.expires_at.0 - time.0 == GATEWAY_KEY_LIFE;
        let kept = KeptKey {
            body_hash: key.body_hash,
            expires_at: key.expires_at,
            first_command,
            gateway,
        };
        self.restore(key.key_hash, kept);
    }

    /// Keeps a key as a snapshot tells it; keys come in order of their ends.
    pub(crate) fn restore(&mut self, key_hash: [u8; 16], kept: KeptKey) {
        self.kept.insert(key_hash, kept);
        let ends = if kept.gateway { &mut self.gateway_ends } else { &mut self.client_ends };
        ends.push_back((kept.expires_at, key_hash));
        self.first_end = self.first_end.min(kept.expires_at);
    }

    /// Forgets what ended at or before `now`, so many of each queue at the most. A key that was kept
    /// anew leaves its old place in the queue behind, which is passed over and not counted.
    #[inline]
    pub(crate) fn forget(&mut self, now: Timestamp, forgotten: impl FnMut([u8; 16])) {
        if now >= self.first_end {
            self.forget_ended(now, forgotten);
        }
    }

    #[cold]
    fn forget_ended(&mut self, now: Timestamp, mut forgotten: impl FnMut([u8; 16])) {
        for ends in [&mut self.client_ends, &mut self.gateway_ends] {
            let mut count = 0;
            while count < KEYS_FORGOTTEN_PER_EVENT
                && let Some(&(end, key_hash)) = ends.front()
                && end <= now
            {
                ends.pop_front();
                if self.kept.get(&key_hash).is_some_and(|kept| kept.expires_at == end) {
                    self.kept.remove(&key_hash);
                    forgotten(key_hash);
                    count += 1;
                }
            }
        }
        let fronts = [self.client_ends.front(), self.gateway_ends.front()];
        let ends = fronts.into_iter().flatten().map(|&(end, _)| end);
        self.first_end = ends.min().unwrap_or(NEVER);
    }

    /// All kept keys: the clients' in order of their ends, then the gateways'.
    pub(crate) fn iter(&self) -> impl Iterator<Item = ([u8; 16], &KeptKey)> {
        self.client_ends.iter().chain(&self.gateway_ends).filter_map(|&(end, key_hash)| {
            let kept = self.kept.get(&key_hash)?;
            (kept.expires_at == end).then_some((key_hash, kept))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: u8, expires_at: i64) -> Idempotency {
        Idempotency { key_hash: [name; 16], body_hash: [0; 16], expires_at: Timestamp(expires_at) }
    }

    /// A key counts until its end and not a nanosecond longer, taken away or not.
    #[test]
    fn a_key_is_free_from_its_end_on() {
        let mut keys = Keys::default();
        keys.keep(&key(1, 100), Timestamp(0), 7);
        assert_eq!(keys.kept_at(&[1; 16], Timestamp(99)).map(|kept| kept.first_command), Some(7));
        assert_eq!(keys.kept_at(&[1; 16], Timestamp(100)), None);
        keys.forget(Timestamp(99), |_| panic!("not yet"));
        assert_eq!(keys.count(), 1);
        let mut gone = 0;
        keys.forget(Timestamp(100), |_| gone += 1);
        assert_eq!((gone, keys.count()), (1, 0));
    }

    /// Kept anew after its end but before it was taken away, a key lives its second life in full.
    #[test]
    fn a_key_kept_anew_is_not_taken_by_its_first_end() {
        let mut keys = Keys::default();
        keys.keep(&key(1, 100), Timestamp(0), 7);
        keys.keep(&key(1, 250), Timestamp(150), 9);
        assert!(keys.is_full(1, Timestamp(200)), "the place it left is not a key");
        keys.forget(Timestamp(200), |_| panic!("it lives"));
        assert_eq!(keys.kept_at(&[1; 16], Timestamp(200)).map(|kept| kept.first_command), Some(9));
        assert_eq!(keys.iter().count(), 1);
    }

    /// One event forgets a few, however many have ended.
    #[test]
    fn forgetting_is_bounded() {
        let mut keys = Keys::default();
        for name in 0..100 {
            keys.keep(&key(name, i64::from(name) + 1), Timestamp(0), 1);
        }
        keys.forget(Timestamp(1_000), |_| {});
        assert_eq!(keys.count(), 100 - KEYS_FORGOTTEN_PER_EVENT as u64);
    }
}
