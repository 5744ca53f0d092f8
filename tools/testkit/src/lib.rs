//! Seeded streams, builders and the naive references of the tests and benchmarks.
//!
//! Owns what more than one crate tests with. Invariant: everything here follows from a seed that the
//! caller names; two runs on two machines get the same. It deliberately depends on no fast structure:
//! what judges `book` must not be built from it. Read `stream.rs` for the benchmark's commands,
//! `naive/book.rs` for the oracle of the book.

pub mod naive;
pub mod oracle;
pub mod rng;
pub mod stream;
