//! A direct-mapped cache from leaf keys to leaves.
//!
//! Owns the short way from a price to its leaf: one probe, no search. Invariants: an entry names a
//! live leaf or none; there are at least two entries for every live leaf, so a run of neighbouring
//! prices has no clash. It deliberately may miss, for the ordered map is the truth: growing simply
//! forgets everything, and nothing that the book answers depends on what is in here.

use alloc::vec;
use alloc::vec::Vec;

use crate::arena::NONE;

#[derive(Clone, Debug)]
pub(crate) struct Recent {
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    key: u64,
    leaf: u32,
}

impl Recent {
    pub(crate) const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    #[inline]
    pub(crate) fn find(&self, key: u64) -> Option<u32> {
        let entry = self.entries.get(self.slot(key))?;
        (entry.key == key && entry.leaf != NONE).then_some(entry.leaf)
    }

    /// Remembers a leaf; `leaves` is the count of live ones, by which the cache grows.
    pub(crate) fn remember(&mut self, key: u64, leaf: u32, leaves: usize) {
        if self.entries.len() < leaves * 2 {
            let count = (leaves * 2).next_power_of_two().max(ENTRY_COUNT_MIN);
            self.entries = vec![Entry { key: 0, leaf: NONE }; count];
        }
        let slot = self.slot(key);
        self.entries[slot] = Entry { key, leaf };
    }

    /// Forgets a leaf that is freed.
    pub(crate) fn forget(&mut self, key: u64) {
        let slot = self.slot(key);
        if let Some(entry) = self.entries.get_mut(slot).filter(|entry| entry.key == key) {
            entry.leaf = NONE;
        }
    }

    /// What is remembered, as key and leaf.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, u32)> {
        self.entries.iter().filter(|entry| entry.leaf != NONE).map(|entry| (entry.key, entry.leaf))
    }

    /// The low bits of the key; a cache without entries answers what no entry has.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "only the low bits choose the slot")]
    fn slot(&self, key: u64) -> usize {
        key as usize & self.entries.len().wrapping_sub(1)
    }
}

/// 4,096 neighbouring prices.
const ENTRY_COUNT_MIN: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_remembered_is_found_until_it_is_forgotten_or_displaced() {
        let mut recent = Recent::new();
        recent.forget(3);
        assert_eq!(recent.find(3), None);
        assert_eq!(recent.find(u64::MAX >> 6), None);
        recent.remember(3, 30, 1);
        recent.remember(0, 0, 2);
        assert_eq!((recent.find(3), recent.find(0), recent.find(67)), (Some(30), Some(0), None));
        recent.forget(67);
        assert_eq!(recent.find(3), Some(30));
        recent.remember(67, 5, 3);
        assert_eq!((recent.find(3), recent.find(67)), (None, Some(5)));
        recent.forget(67);
        assert_eq!(recent.find(67), None);
    }

    #[test]
    fn it_grows_with_the_leaves() {
        let mut recent = Recent::new();
        for leaf in 0..1_000_u32 {
            recent.remember(u64::from(leaf), leaf, leaf as usize + 1);
        }
        assert_eq!(recent.entries.len(), 2_048);
        assert_eq!(recent.find(999), Some(999));
        assert!(recent.iter().all(|(key, leaf)| key == u64::from(leaf)));
    }
}
