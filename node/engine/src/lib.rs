//! One shard, running: commands come in, and what is durable goes out.
//!
//! Owns the way of a command through a node: intake, sequencer, command log, executor, releaser, and the
//! follower with the event log, the view (the shadow of D-80) and the feeds. The promises, in one place:
//!
//! - nobody outside sees a result before its command is durable (D-3);
//! - numbers are given once and none is left out, stamps never go back (SEQ-13, TIME-22);
//! - a start replays the command log, compares every stored event and makes the missing ones (EVT-85);
//! - a broken invariant or a failed sync stops the shard and not the process; reads go on (D-49).
//!
//! It deliberately holds no rule of trading (the kernel's) and no format (schema's and journal's), and
//! knows nothing of HTTP. Not here yet: quorum logs, halts of trading
//! (a clock step makes the shard degraded and no more, see `exchange_clock.rs`), and the queue
//! of a shard that accepts while its core does not execute (D-48).
//!
//! Read `starting.rs` first, then `engine.rs`, `sequencer.rs`, `releaser.rs`, `follower.rs`, `recovery.rs`;
//! `stepped.rs` is the same shard without threads, for simulators.

mod answer;

mod blocks;
mod bounds;
mod clock;
mod compressing;
mod config;
mod durability;
mod engine;
mod exchange_clock;
mod executor;
mod fault;
mod feed;
mod feeding;
mod follower;
mod history;
mod indexing;
mod intake;
mod joined;
mod lead;
mod logging;
mod mailbox;
mod metrics;
mod port;
mod quarantine;
mod recovery;
mod releaser;
mod replaying;
mod room;
mod sequencer;
mod shadow;
mod shard;
mod snapshots;
mod stage;
mod starting;
mod stepped;
mod stored;
mod sync;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod ticket;
mod verify;
mod view;
mod waiters;

pub use clock::{Clock, ManualClock, SystemClock};
pub use config::{
    ARCHIVE_QUEUE_SIZE_DEFAULT, Config, ENDED_ORDER_COUNT_DEFAULT, FEED_BATCH_COUNT_DEFAULT,
    Following, QUEUE_COUNT_DEFAULT, Storage, TICK_INTERVAL_DEFAULT,
};
pub use engine::{Engine, RecoveryReport, Stopped};
pub use exchange_clock::{ClockStep, ExchangeClock, Stamp};
pub use fault::{ReplayFault, StartFault, StopReason};
pub use metrics::{Counter, Metrics};
pub use port::InProcess;
pub use quarantine::{Sign, quarantine};
pub use room::{DiskSpace, MachineSpace};
pub use snapshots::SnapshotPolicy;
pub use stage::Step;
pub use stepped::{StageKind, Stepped};
pub use verify::{Progress, VerifyFault, VerifyReport, verify};
pub use view::hash_from_nothing as state_hash;
