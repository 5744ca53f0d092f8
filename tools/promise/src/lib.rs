//! What the exchange promises, each promise a row that shows it in figures.
//!
//! Owns the rows (`rows/`), the traders who write down what they were told (`trader.rs`, `crowd.rs`), and how a
//! running exchange is started, killed and looked at (`exchange.rs`). A row drives the real binary over its
//! HTTP door, or the crates that the binary is made of; nothing here stands in for a part of it. Invariant: a
//! row that could not run on this machine says so and never counts as passed. It installs nothing
//! (`tools/setup.sh` does). Read `row.rs`, then `rows/kill.rs`. The figures are in `docs/promises.md`.

#![forbid(unsafe_code)]

mod binary;
mod crowd;
mod exchange;
mod http;
mod image;
mod offer;
mod recover;
mod row;
mod rows;
mod told;
mod trader;

pub use row::{Figure, Outcome, Report, Row, Size, Verdict, run};
pub use rows::{NOT_TESTED, digest, find, table};
