//! The port: the three doors through which everything outside reaches a shard.
//!
//! *submit* a command, read *events* from a sequence number, *query* a view at or after a sequence
//! number. The trait and its plain data are all that `edge` knows of a shard; one implementation runs
//! in the same process (`node/engine`), another will speak gRPC. Invariant: no answer tells of
//! anything that is not durable (D-3). Deliberately no clock, no socket and no executor here: a
//! deadline is data, a future is boxed. Read `view.rs` for what a query answers, `history.rs` for
//! what the archive adds.

#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic, clippy::disallowed_types, clippy::disallowed_methods)]

extern crate alloc;

mod feed;
mod history;
mod view;

use alloc::boxed::Box;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::time::Duration;

use schema::{Command, Key, Reply};
use units::{Id, Timestamp};

pub use feed::{EventFeed, FeedFault, LevelChange, MarketUpdate, Published, TradePrint};
pub use history::{
    BadCursor, Cursor, LedgerEntryView, List, Listed, OrderFilter, OrderRecord, OrderStates,
    OrderStep, PAGE_LIMIT_MAX, Page, Period, PostingView, SettlementView, TradeState, TradeView,
    is_limit,
};
pub use view::{
    AccountFeesView, AccountView, AnnouncedRates, AssetView, BalanceView, BookView,
    FeeScheduleView, HaltView, HealthStatus, HealthView, LevelView, MarketView, OrderPreview,
    OrderView, Query, REFUND_COUNT_SHOWN, RefundView, Seen, View,
};

/// A future that any executor can run.
pub type Pending<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What a caller submits; the sequencer adds number and stamp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The request that led to it.
    pub correlation: Id,
    /// Idempotency key.
    pub key: Option<Key>,
    /// The version of its account that the command is based on, if it matters (SEQ-33).
    pub account_version: Option<u64>,
    /// What is asked.
    pub command: Command,
}

/// Why a shard did not answer. The caller's own faults are refusals in the `Reply`, never here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortFault {
    /// The intake is full or closed for now; nothing was sequenced, the caller may repeat.
    Busy,
    /// The disk is nearly full; nothing was sequenced (REC-70).
    NoRoom,
    /// The shard was stopped (D-49); only people resume it.
    Stopped,
    /// The answer did not come in time; the command may have run, repeat it with its key.
    TimedOut,
}

impl fmt::Display for PortFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Busy => "the shard takes no more work now; repeat the request",
            Self::NoRoom => "the disk of the shard is nearly full; repeat the request later",
            Self::Stopped => "the shard is stopped and waits for people",
            Self::TimedOut => "no answer in time; repeat the request with its key",
        })
    }
}

impl core::error::Error for PortFault {}

/// The three doors.
pub trait Port: Send + Sync + 'static {
    /// Submits a command. The future ends when its result may be told: after it is durable.
    fn submit(&self, request: Request) -> Pending<Result<Reply, PortFault>>;

    /// Exchange time now (TIME-14): what the ends of keys and approvals are held against. It is no stamp.
    fn exchange_time(&self) -> Timestamp;

    /// What was published after event `after`, then what comes.
    ///
    /// # Errors
    /// `FeedFault::TooOld` when that lies before what is kept for feeds.
    fn events(&self, after: u64) -> Result<Box<dyn EventFeed>, FeedFault>;

    /// Answers from a view that reflects at least event `min_sequence`, or `TimedOut` after `wait`.
    fn query(
        &self,
        query: Query,
        min_sequence: u64,
        wait: Duration,
    ) -> Pending<Result<Seen, PortFault>>;
}
