//! Fuzzing on the stable compiler: targets that take bytes, fed from a seed for a number of seconds.
//!
//! Owns the loop, the mutations, the tape that turns bytes into commands, and what must hold whatever
//! the bytes were. Invariant: an input follows from the seed and its number alone, so a failure is
//! named by two numbers and can be run again (`FUZZ_SEED`, `FUZZ_ONLY`); only how many inputs are tried
//! depends on the machine (`FUZZ_SECONDS`). It deliberately measures no coverage: the tape and a corpus
//! of sound bytes take its place. The targets are in `tests/`.

#![forbid(unsafe_code)]

mod mutate;
mod run;
mod tape;
mod venue;

pub use mutate::mutate;
pub use run::{panics, run};
pub use tape::Tape;
pub use venue::Venue;
