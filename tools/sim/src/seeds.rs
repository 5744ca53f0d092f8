//! Which seeds a call without a seed runs.
//!
//! Owns the kept ones (`seeds.txt`: each once failed and says what it found) and where the fresh ones
//! begin. Fresh seeds follow from the commit, so that every change tries others and each call says which:
//! nothing here is drawn from the machine.

use testkit::rng::SplitMix64;

/// A seed that once failed, and what it found.
pub type Kept = (u64, &'static str);

/// Every seed that is kept.
///
/// # Panics
/// When `seeds.txt` has a line that is none.
#[must_use]
pub fn kept() -> Vec<Kept> {
    let lines = include_str!("../seeds.txt").lines();
    let seeds = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let read = |line: &'static str| {
        let (seed, why) = line.split_once(':')?;
        let why = why.trim();
        (!why.is_empty()).then_some((seed.parse().ok()?, why))
    };
    seeds.map(|line| read(line).unwrap_or_else(|| panic!("seeds.txt: `{line}`"))).collect()
}

/// The first of a thousand seeds that belong to a commit.
#[must_use]
pub fn first_of(commit: &str) -> u64 {
    let mix = |hash: u64, byte: u8| SplitMix64::new(hash ^ u64::from(byte)).next();
    commit.bytes().fold(0, mix) % COMMIT_COUNT * 1_000
}

/// Seeds of commits end below 10⁹, so that they are short to write.
const COMMIT_COUNT: u64 = 1_000_000;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_kept_seeds_are_read_and_each_is_there_once() {
        let seeds: Vec<u64> = kept().iter().map(|it| it.0).collect();
        let once: BTreeSet<u64> = seeds.iter().copied().collect();
        assert_eq!(once.len(), seeds.len());
    }

    #[test]
    fn a_commit_has_its_own_seeds() {
        assert_eq!(first_of("a1"), first_of("a1"));
        assert_ne!(first_of("a1"), first_of("a2"));
        assert_eq!(first_of("a1") % 1_000, 0);
    }
}
