//! The locks of the hand-overs between threads, under one name.
//!
//! Owns nothing: `intake.rs`, `mailbox.rs`, `durability.rs` and `ticket.rs` take their locks from here, so
//! that `tools/handover` can compile the same files with locks whose order a scheduler decides.

pub(crate) use std::sync::atomic::{AtomicUsize, Ordering};

pub(crate) use parking_lot::{Condvar, Mutex, MutexGuard};
