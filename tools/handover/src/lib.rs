//! What the threads of the pipeline hand to each other, under every order that a scheduler finds.
//!
//! Owns scenes of threads (`scenes.rs`) over the engine's own `intake.rs`, `mailbox.rs`, `durability.rs` and
//! `ticket.rs`: the files themselves, compiled with locks that `shuttle` schedules (`sync.rs`). The
//! simulator runs a node in one thread; what only threads add is tried here. Invariant: every schedule
//! follows from a seed, and a failing one is printed by `shuttle` and can be replayed.

#[allow(dead_code, reason = "the scenes use the waiting half of it")]
#[path = "../../../node/engine/src/durability.rs"]
mod durability;
#[allow(dead_code, reason = "the scenes use the waiting half of it")]
#[path = "../../../node/engine/src/intake.rs"]
mod intake;
#[allow(dead_code, reason = "the scenes use the waiting half of it")]
#[path = "../../../node/engine/src/mailbox.rs"]
mod mailbox;
pub mod scenes;
mod sync;
#[allow(dead_code, reason = "the scenes use the waiting half of it")]
#[path = "../../../node/engine/src/ticket.rs"]
mod ticket;
