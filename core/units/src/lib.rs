//! Units of the exchange: amounts, prices, quantities, rates, ids and times.
//!
//! Owns the number formats and their arithmetic (D-6, D-7), the layout of ids (D-51) and the two
//! text forms of a time (TIME-6, TIME-10). Invariant: every operation is exact, or it rounds once in
//! a direction that its name says, or it answers `None`; nothing wraps and nothing is a float.
//! It deliberately knows no order, account or market. Read `amount.rs` first.

#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic, clippy::disallowed_types, clippy::disallowed_methods)]

extern crate alloc;

mod amount;
mod id;
mod market;
mod mix;
mod rate;
mod sequence_index;
mod time;
mod wide;

pub use amount::{Amount, ParseAmountError};
pub use id::{Id, IdError, OUTER_STREAM_FIRST, SEQUENCE_MAX};
pub use market::{Lots, Side, Ticks};
pub use mix::{mix, mix_bytes};
pub use rate::Rate;
pub use sequence_index::SequenceIndex;
pub use time::{ParseTimeError, Timestamp};
pub use wide::{Rounding, mul_div};
