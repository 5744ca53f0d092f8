//! `SequenceIndex`: from the sequence of an entity's first event to the number of its place.
//!
//! An open-addressing table of 64-bit entries, a tag of 32 bits of the sequence beside the number, at
//! most half full. Sequences are dense and rise, so one multiplication spreads them; a removal moves
//! the entries behind it up instead of leaving a mark, so the table never needs cleaning. It holds
//! no sequence whole: the caller says whether a candidate is the one that is meant. It is never
//! iterated (DET-9, DET-13), so what order its entries lie in can reach nobody.

use alloc::vec;
use alloc::vec::Vec;

/// Numbers by sequence.
#[derive(Clone, Debug, Default)]
pub struct SequenceIndex {
    /// Tag and number + 1; 0 where nothing is.
    entries: Vec<u64>,
    count: usize,
}

/// 2⁶⁴ divided by the golden ratio.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
const ENTRY_COUNT_MIN: usize = 16;

impl SequenceIndex {
    /// An index of nothing; it allocates nothing until the first entry.
    #[must_use]
    pub const fn new() -> Self {
        Self { entries: Vec::new(), count: 0 }
    }

    /// How many entries there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there is no entry.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The number that was entered for a sequence and for which `is_it` holds: it is asked for every
    /// candidate, which in nearly all cases is one.
    #[must_use]
    #[inline]
    pub fn find(&self, sequence: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        if self.entries.is_empty() {
            return None;
        }
        let tag = tag_of(sequence);
        let mut at = self.home(tag);
        loop {
            let entry = self.entries[at];
            if entry == 0 {
                return None;
            }
            let number = number_of(entry);
            if entry >> 32 == u64::from(tag) && is_it(number) {
                return Some(number);
            }
            at = self.after(at);
        }
    }

    /// Enters the number of a sequence that has none.
    ///
    /// # Panics
    /// When `number` is `u32::MAX`, which stands for no place everywhere.
    #[inline]
    pub fn insert(&mut self, sequence: u64, number: u32) {
        assert!(number != u32::MAX, "a number is that of a place");
        if self.count >= self.entries.len() / 2 {
            self.grow();
        }
        let tag = tag_of(sequence);
        self.place(u64::from(tag) << 32 | u64::from(number + 1));
        self.count += 1;
    }

    /// Removes the entry of a sequence.
    ///
    /// # Panics
    /// When there is none.
    #[inline]
    pub fn remove(&mut self, sequence: u64, number: u32) {
        let tag = tag_of(sequence);
        let entry = u64::from(tag) << 32 | u64::from(number + 1);
        let mut hole = self.home(tag);
        while self.entries[hole] != entry {
            assert!(self.entries[hole] != 0, "what is removed was entered");
            hole = self.after(hole);
        }
        self.count -= 1;
        let mut at = hole;
        loop {
            at = self.after(at);
            let entry = self.entries[at];
            if entry == 0 {
                break;
            }
            // It may move up if its home does not lie between the hole and it.
            let home = self.home((entry >> 32) as u32);
            if self.distance(home, at) >= self.distance(hole, at) {
                self.entries[hole] = entry;
                hole = at;
            }
        }
        self.entries[hole] = 0;
    }

    /// Bytes that it holds.
    #[must_use]
    pub const fn memory_size(&self) -> usize {
        self.entries.capacity() * size_of::<u64>()
    }

    #[inline]
    fn place(&mut self, entry: u64) {
        let mut at = self.home((entry >> 32) as u32);
        while self.entries[at] != 0 {
            at = self.after(at);
        }
        self.entries[at] = entry;
    }

    #[cold]
    fn grow(&mut self) {
        let count = (self.entries.len() * 2).max(ENTRY_COUNT_MIN);
        let before = core::mem::replace(&mut self.entries, vec![0; count]);
        for entry in before.into_iter().filter(|&entry| entry != 0) {
            self.place(entry);
        }
    }

    /// Where an entry with this tag lies if nothing is in its way.
    #[inline]
    fn home(&self, tag: u32) -> usize {
        let spread = u64::from(tag).wrapping_mul(SPREAD);
        (spread >> 32) as usize & (self.entries.len() - 1)
    }

    #[inline]
    fn after(&self, at: usize) -> usize {
        (at + 1) & (self.entries.len() - 1)
    }

    /// Steps from one place on to another.
    #[inline]
    fn distance(&self, from: usize, to: usize) -> usize {
        to.wrapping_sub(from) & (self.entries.len() - 1)
    }
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "a tag is the low half")]
const fn tag_of(sequence: u64) -> u32 {
    sequence as u32
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the number is the low half")]
const fn number_of(entry: u64) -> u32 {
    (entry as u32).wrapping_sub(1)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::collections::BTreeMap;

    /// It answers what a map answers, through growth and removals, tags that clash included.
    /// covers: DET-45
    #[test]
    fn it_is_a_map() {
        let mut index = SequenceIndex::new();
        let mut sequences = std::vec![];
        let mut map = BTreeMap::new();
        let mut seed = 3u64;
        let mut next = || {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            seed >> 33
        };
        assert_eq!(index.find(7, |_| true), None);
        for round in 0..40_000u64 {
            // A third of the sequences lies 2³² further and so has the tag of another.
            let sequence = round * 3 % 10_007 + (next() % 3 / 2) * (1 << 32);
            let known = map.get(&sequence).copied();
            assert_eq!(index.find(sequence, |at| sequences[at as usize] == sequence), known);
            match known {
                Some(number) => {
                    index.remove(sequence, number);
                    map.remove(&sequence);
                }
                None => {
                    let number = u32::try_from(sequences.len()).expect("small");
                    sequences.push(sequence);
                    index.insert(sequence, number);
                    map.insert(sequence, number);
                }
            }
            assert_eq!((index.len(), index.is_empty()), (map.len(), map.is_empty()));
        }
        for (&sequence, &number) in &map {
            let is_it = |at: u32| sequences[at as usize] == sequence;
            assert_eq!(index.find(sequence, is_it), Some(number));
        }
    }

    /// What was never entered is not removed in silence.
    #[test]
    #[should_panic(expected = "was entered")]
    fn a_stranger_cannot_be_removed() {
        let mut index = SequenceIndex::new();
        index.insert(1, 0);
        index.remove(2, 1);
    }
}
