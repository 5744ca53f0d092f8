//! One market's resting orders in price-time priority; knows no balance.
//!
//! Owns the place of every resting order of one market: which price, which rank in time, how much is
//! left (TRADE-7, LIFE-22). Invariant: the book is a function of the calls made to it, and every
//! answer about its best price or a level's total is exact. It deliberately knows no account rule, no
//! order id, no order type and no event: `account` and `order` are the caller's opaque numbers, and
//! the loop that matches a taker is the caller's. Read `book.rs` first, then `ladder.rs`.

#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic, clippy::disallowed_types, clippy::disallowed_methods)]

extern crate alloc;

mod arena;
mod book;
mod check;
mod ladder;
mod leaf;
mod node;
mod queue;
mod rank;
mod read;
mod recent;

pub use book::{Book, Entry};
pub use node::NodeId;
pub use read::{Level, Maker};

#[cfg(test)]
mod tests;
