//! The deterministic core: one function from a stamped command to events.
//!
//! Owns the order of things: which check comes first, what is emitted in which order, and the one
//! place where each event changes state. Contract: `execute` is total, reads nothing but its command
//! and its state, and changes state only by emitting an event and applying it; `apply_group` applies
//! the same events from a log with the same functions, so both give the same state (D-2, D-3). A
//! broken invariant panics, and whoever runs the kernel drops it (D-49). It deliberately keeps no
//! ended order, no trade and no digest (D-73, D-80). Read `kernel.rs`, then `place.rs` and `matching.rs`.

#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic, clippy::disallowed_types, clippy::disallowed_methods)]

extern crate alloc;

mod admin;
mod ahead;
mod apply;
mod apply_admin;
mod asset;
mod cancel;
mod due;
mod entity;
mod index;
mod kernel;
mod keys;
mod ledger_entry;
mod market;
mod market_admin;
mod matching;
mod notice;
mod oco;
mod order;
mod place;
mod preview;
mod pro_rata;
mod quarantine;
mod rates;
mod refund;
mod replay;
mod save;
mod step;
mod sweep;
mod system;
mod version;
mod view;
mod walk;
mod watch;

/// Version of the rules: bounds and behavior that decide what a command does (D-55, D-82).
pub const CORE_VERSION: u32 = 1;

pub use entity::Entity;
pub use kernel::{Kernel, Position};
pub use keys::KeptKey;
pub use market::Market;
pub use order::{Conditions, Order, Waiting};
pub use preview::{OrderPreview, RatesInForce};
pub use refund::RefundedFee;
pub use replay::ApplyError;
pub use save::{LoadError, SNAPSHOT_FORMAT};
pub use sweep::Unsound;
pub use watch::{Unwatched, Watch};
