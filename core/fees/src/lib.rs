//! Trading fees: tiers, rounding, rebates and the split.
//!
//! Owns how a trade's two fees follow from its value and two rates (TRADE-10 to TRADE-14), the default
//! tier table (FEE-5) and who gets what is left (FEE-34). Invariants: a charge is never above the
//! value, both fees together are never below zero, and the three shares sum to what is split, to the
//! last unit. It deliberately knows no account, no volume and no order. Read `trade.rs` first.

#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic, clippy::disallowed_types, clippy::disallowed_methods)]

extern crate alloc;

mod scale;
mod split;
mod tiers;
mod trade;

pub use scale::FeeScale;
pub use split::{Split, split};
pub use tiers::{MAKER_RATE_MIN, RATE_MAX, check_tiers, default_tiers, tier_of};
pub use trade::{FeeCaps, TradeFees, TradeRates, trade_fees};
