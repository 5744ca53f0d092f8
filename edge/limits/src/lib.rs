//! Rate limits: how many requests, orders and connections each client may send (document 18).
//!
//! Pure state: every decision follows from the time that is handed in and what was asked before, so that
//! two clients with one history get one answer (RATE-63). Integers only (RATE-13), and no clock. None of
//! it is part of core state: a replay never depends on it.
//!
//! Read `bucket.rs` for the arithmetic.

#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic)]

mod bucket;
mod quota;

pub use bucket::{Bucket, Rate, SECOND, Short};
pub use quota::{Day, DayQuota};
