//! The gap check: which numbers have no predecessor.
//!
//! Pure, over any ascending run of stored numbers; the logs run it at every open and on every
//! segment they close.

use std::ops::RangeInclusive;

/// Every number in `stored` whose predecessor is missing, except 1 (SEQ-37). `stored` are ranges of
/// numbers in the order in which they are stored; nothing is returned on a sound log. `from` is the
/// number at which the checked range begins: its own predecessor is outside and not asked for.
#[must_use]
pub fn gaps(from: u64, stored: impl IntoIterator<Item = RangeInclusive<u64>>) -> Vec<u64> {
    let mut found = Vec::new();
    let mut expected = from;
    for range in stored {
        if *range.start() > expected {
            found.push(*range.start());
        }
        expected = expected.max(range.end().saturating_add(1));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// covers: SEQ-37
    #[test]
    fn every_number_without_its_predecessor() {
        assert_eq!(gaps(1, [1..=3, 4..=4, 5..=104]), []);
        assert_eq!(gaps(1, []), []);
        assert_eq!(gaps(1, [1..=3, 5..=6, 7..=7, 10..=12]), [5, 10]);
        assert_eq!(gaps(1, [2..=3]), [2], "only 1 needs no predecessor");
        assert_eq!(gaps(50, [50..=60, 61..=61]), [], "a range in the middle");
        assert_eq!(gaps(50, [51..=60]), [51]);
        assert_eq!(gaps(1, [1..=5, 3..=4, 6..=6]), [], "a repeat is no gap");
        assert_eq!(gaps(u64::MAX, [u64::MAX..=u64::MAX]), []);
    }

    /// covers: SEQ-37
    #[test]
    fn single_numbers_as_the_reference() {
        let mut random = 0x9E37_79B9_7F4A_7C15_u64;
        for _ in 0..500 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let numbers: Vec<u64> = (1..=64).filter(|bit| random >> (bit - 1) & 1 == 1).collect();
            let expected: Vec<u64> = numbers
                .iter()
                .copied()
                .filter(|number| *number != 1 && !numbers.contains(&(number - 1)))
                .collect();
            assert_eq!(gaps(1, numbers.iter().map(|number| *number..=*number)), expected);
        }
    }
}
