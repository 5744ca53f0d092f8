//! Work on a large state that is shared among the machine's cores.
//!
//! Owns when that is done: only above a size, so that a small shard, and a simulated one, does everything in one
//! thread and in one order. What is shared are pure functions of a state that nobody changes meanwhile, so the result
//! is the same either way.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread;

/// Both results; `right` in a thread of its own if that is `worth` it.
pub(crate) fn both<A, B: Send>(
    worth: bool,
    left: impl FnOnce() -> A,
    right: impl FnOnce() -> B + Send,
) -> (A, B) {
    if !worth {
        let left = left();
        return (left, right());
    }
    thread::scope(|scope| {
        let right = scope.spawn(right);
        let left = left();
        (left, right.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })
}

/// Into how many shares work on so many things is cut.
pub(crate) fn shares(count: usize) -> usize {
    if count < SHARED_COUNT_MIN {
        return 1;
    }
    thread::available_parallelism().map_or(1, NonZero::get).min(SHARES_MAX)
}

/// Fewer things are done where they are; in tests nearly everything is shared.
pub(crate) const SHARED_COUNT_MIN: usize = if cfg!(test) { 16 } else { 100_000 };
/// More threads than that wait for memory.
const SHARES_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_are_answered_and_a_panic_is_passed_on() {
        assert_eq!(both(true, || 1, || 2), both(false, || 1, || 2));
        let panics = std::panic::catch_unwind(|| both(true, || 1, || panic!("right")));
        assert!(panics.is_err());
        assert_eq!(shares(SHARED_COUNT_MIN - 1), 1);
        assert!((1..=SHARES_MAX).contains(&shares(usize::MAX)));
    }
}
