//! The machine's clocks of a simulated node.
//!
//! Owns wall and monotonic time, which move when the world says so. Invariant: monotonic time never goes
//! back; the wall clock does what it likes.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use engine::Clock;

/// Clocks that the world moves.
#[derive(Debug)]
pub(crate) struct SimClock {
    wall: AtomicI64,
    monotonic: AtomicU64,
    start: i64,
}

impl SimClock {
    /// Clocks that begin at this wall time.
    pub(crate) fn new(wall: i64) -> Self {
        Self { wall: AtomicI64::new(wall), monotonic: AtomicU64::new(0), start: wall }
    }

    /// Lets time pass.
    pub(crate) fn advance(&self, nanos: i64) {
        let nanos = nanos.max(0);
        self.wall.fetch_add(nanos, Ordering::Relaxed);
        self.monotonic.fetch_add(nanos.unsigned_abs(), Ordering::Relaxed);
    }

    /// Moves the wall clock alone.
    pub(crate) fn step(&self, nanos: i64) {
        self.wall.fetch_add(nanos, Ordering::Relaxed);
    }

    /// Sets the wall clock to what it would be without steps.
    pub(crate) fn set_right(&self) {
        self.wall.store(self.true_time(), Ordering::Relaxed);
    }

    /// What the wall clock says.
    pub(crate) fn wall_time(&self) -> i64 {
        self.wall.load(Ordering::Relaxed)
    }

    /// The time of the world outside: what the wall clock would say without steps.
    pub(crate) fn true_time(&self) -> i64 {
        self.start.saturating_add_unsigned(self.monotonic.load(Ordering::Relaxed))
    }
}

impl Clock for SimClock {
    fn wall(&self) -> Option<i64> {
        Some(self.wall_time())
    }

    fn monotonic(&self) -> u64 {
        self.monotonic.load(Ordering::Relaxed)
    }
}
