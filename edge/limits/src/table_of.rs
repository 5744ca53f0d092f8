//! A bounded table in parts, each behind a lock of its own.
//!
//! Invariant: it never holds more than its bound. When a part is full, what is idle is forgotten; when
//! nothing is, all newcomers of that part share one entry, so that a crowd of strangers is limited
//! together instead of not at all, and those who were there keep their own.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::{Mutex, PoisonError};

pub(crate) struct TableOf<K, V> {
    hasher: RandomState,
    parts: Vec<Mutex<Part<K, V>>>,
    part_count_max: usize,
}

struct Part<K, V> {
    entries: HashMap<K, V>,
    crowd: V,
    /// Looks that may pass before the part is searched for idle entries again.
    until_search: usize,
}

const PART_COUNT: usize = 64;

impl<K: Copy + Eq + Hash, V: Default> TableOf<K, V> {
    pub(crate) fn new(count_max: usize) -> Self {
        let part = || {
            let (entries, crowd) = (HashMap::new(), V::default());
            Mutex::new(Part { entries, crowd, until_search: 0 })
        };
        Self {
            hasher: RandomState::new(),
            parts: (0..PART_COUNT).map(|_| part()).collect(),
            part_count_max: (count_max / PART_COUNT).max(1),
        }
    }

    /// Does something with the entry of `key`, made when it is first asked for.
    pub(crate) fn with<R>(
        &self,
        key: K,
        is_idle: impl Fn(&V) -> bool,
        act: impl FnOnce(&mut V) -> R,
    ) -> R {
        let mut part = self.part(&key).lock().unwrap_or_else(PoisonError::into_inner);
        let part = &mut *part;
        if let Some(value) = part.entries.get_mut(&key) {
            return act(value);
        }
        if part.entries.len() >= self.part_count_max {
            // A search costs the whole part: once for as many newcomers as it has entries.
            if part.until_search > 0 {
                part.until_search -= 1;
                return act(&mut part.crowd);
            }
            part.entries.retain(|_, value| !is_idle(value));
            if part.entries.len() >= self.part_count_max {
                part.until_search = self.part_count_max;
                return act(&mut part.crowd);
            }
        }
        act(part.entries.entry(key).or_default())
    }

    /// Does something with the entry of `key` if there is one.
    pub(crate) fn with_existing<R>(&self, key: K, act: impl FnOnce(&mut V) -> R) -> Option<R> {
        let mut part = self.part(&key).lock().unwrap_or_else(PoisonError::into_inner);
        part.entries.get_mut(&key).map(act)
    }

    /// Looks at every entry, in no order.
    pub(crate) fn each(&self, mut look: impl FnMut(K, &mut V)) {
        for part in &self.parts {
            let mut part = part.lock().unwrap_or_else(PoisonError::into_inner);
            for (key, value) in &mut part.entries {
                look(*key, value);
            }
        }
    }

    /// Entries.
    pub(crate) fn count(&self) -> usize {
        let count = |part: &Mutex<Part<K, V>>| {
            part.lock().unwrap_or_else(PoisonError::into_inner).entries.len()
        };
        self.parts.iter().map(count).sum()
    }

    fn part(&self, key: &K) -> &Mutex<Part<K, V>> {
        let hash = self.hasher.hash_one(key);
        // The upper bits: the map inside uses a hash of its own.
        let index = usize::try_from(hash >> 58).unwrap_or(0);
        &self.parts[index % PART_COUNT]
    }
}
