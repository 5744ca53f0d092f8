//! Benchmarks: each row prints a figure beside its target, with the machine it ran on (GOAL-28).
//!
//! Owns the table of rows, how a figure is taken (median of several runs, with the spread) and how it
//! is shown. Invariant: a row proves that its run did the work, or it panics; a figure without that
//! proof is never printed. It deliberately compares nothing over time and fails no build: it says met
//! or missed. To add a row, write a file in `rows/` and a line in `rows.rs`.

pub mod cli;
mod crowd;
mod machine;
mod measure;
mod report;
mod row;
mod rows;
mod shard;
mod stored;
pub mod venue;

pub use measure::{Figure, median_of, percentile};
pub use row::{Row, Target};
pub use rows::ROWS;
pub use rows::memory::answer_probe;
