//! What the threads of a shard and its doors share.
//!
//! Owns the shard's status. A shard that was stopped takes no command and is never resumed here: people
//! decide, and a new start reads the truth from the logs (D-49). Reads go on from the view. The first
//! reason to stop stands.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, RwLock};
use port::HealthStatus;
use schema::ClockStatus;
use schema::limits::{HASH_WINDOW, SHADOW_LAG_WINDOW_MAX};

use crate::durability::Durability;
use crate::engine::Stopped;
use crate::exchange_clock::ExchangeClock;
use crate::fault::StopReason;
use crate::feed::Feeds;
use crate::history::History;
use crate::intake::Intake;
use crate::metrics::Metrics;
use crate::room::{Level, Room};
use crate::view::View;
use crate::waiters::Waiters;

/// One shard, as its threads see it.
pub(crate) struct Shard {
    pub(crate) intake: Intake,
    pub(crate) durability: Durability,
    pub(crate) clock: ExchangeClock,
    pub(crate) metrics: Arc<Metrics>,
    /// The shadow: what queries are answered from.
    pub(crate) view: RwLock<View>,
    pub(crate) waiters: Waiters,
    pub(crate) feeds: Feeds,
    /// The archive; `None` for logs without a folder.
    pub(crate) history: Option<History>,
    pub(crate) room: Room,
    waits: WaitClock,
    stopped: AtomicBool,
    reason: Mutex<Option<StopReason>>,
}

/// What a shard is made of.
pub(crate) struct Parts {
    pub(crate) intake: Intake,
    pub(crate) durable_sequence: u64,
    pub(crate) clock: ExchangeClock,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) view: View,
    pub(crate) feeds: Feeds,
    pub(crate) history: Option<History>,
    pub(crate) room: Room,
    pub(crate) waits: WaitClock,
}

/// What bounds a wait. It enters no state.
#[derive(Clone, Copy, Debug)]
pub(crate) enum WaitClock {
    /// The machine's own time.
    Machine,
    /// The shard's monotonic time, counted from this moment: its stages are stepped by a caller, who
    /// may let no other time count.
    Shard(Instant),
}

impl Shard {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            intake: parts.intake,
            durability: Durability::new(parts.durable_sequence),
            clock: parts.clock,
            metrics: parts.metrics,
            view: RwLock::new(parts.view),
            waiters: Waiters::new(),
            feeds: parts.feeds,
            history: parts.history,
            room: parts.room,
            waits: parts.waits,
            stopped: AtomicBool::new(false),
            reason: Mutex::new(None),
        }
    }

    /// Now, for whoever bounds a wait.
    pub(crate) fn now(&self) -> Instant {
        match self.waits {
            WaitClock::Machine => Instant::now(),
            WaitClock::Shard(start) => start + Duration::from_nanos(self.clock.monotonic()),
        }
    }

    /// Takes no command any more. Nothing that is not released by now will be, except what is durable.
    pub(crate) fn stop(&self, reason: StopReason) {
        let mut first = self.reason.lock();
        if first.is_none() {
            if reason == StopReason::Asked {
                tracing::info!("the shard stops");
            } else {
                tracing::error!(%reason, "the shard stopped; reads go on, and people decide (D-49)");
            }
            *first = Some(reason);
        }
        drop(first);
        self.stopped.store(true, Ordering::SeqCst);
        self.intake.close();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    /// Why it stopped.
    pub(crate) fn reason(&self) -> Option<StopReason> {
        self.reason.lock().clone()
    }

    /// How it ended.
    pub(crate) fn stopped(&self) -> Stopped {
        Stopped {
            reason: self.reason().unwrap_or(StopReason::Asked),
            command_sequence: self.durability.sequence(),
            event_sequence: self.view.read().kernel().position().event_sequence,
        }
    }

    /// How much room the disk has; looked at anew where that is due.
    pub(crate) fn look_for_room(&self) -> Level {
        let level = self.room.look(self.clock.monotonic());
        self.metrics.disk_used.set(self.room.used());
        level
    }

    /// Whether the view lags by more windows than it may (D-80).
    pub(crate) fn is_lagging(&self) -> bool {
        self.metrics.shadow_lag() / HASH_WINDOW > SHADOW_LAG_WINDOW_MAX
    }

    /// Whether the archive lags by as much, or is being made anew.
    pub(crate) fn is_history_lagging(&self) -> bool {
        self.history.is_some() && self.metrics.archive_lag() / HASH_WINDOW > SHADOW_LAG_WINDOW_MAX
    }

    /// The color of REC-68 as far as the shard knows it.
    pub(crate) fn health(&self) -> HealthStatus {
        if self.is_stopped() {
            HealthStatus::Unhealthy
        } else if self.is_lagging()
            || self.is_history_lagging()
            || self.clock.source() == ClockStatus::Fallback
            || self.look_for_room() > Level::Free
        {
            HealthStatus::Degraded
        } else {
            HealthStatus::Healthy
        }
    }
}

impl fmt::Debug for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shard")
            .field("reason", &self.reason())
            .field("durable", &self.durability.sequence())
            .finish_non_exhaustive()
    }
}
