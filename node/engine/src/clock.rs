//! The machine's clocks, as a trait, the real ones and one that tests move by hand.
//!
//! Owns two readings: *wall*, nanoseconds since 1970 in UTC as the machine believes, which may step;
//! and *monotonic*, nanoseconds since some start, which never goes back. What becomes of them is
//! `exchange_clock.rs`. Deliberately no NTP here: the operating system's daemon keeps the wall clock
//! near UTC and smears leap seconds.

use std::fmt::Debug;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Where time comes from.
pub trait Clock: Send + Sync + Debug {
    /// Nanoseconds since 1970 in UTC.
    fn wall(&self) -> i64;
    /// Nanoseconds since a fixed moment of this process.
    fn monotonic(&self) -> u64;
}

/// The clocks of this machine.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// The machine's clocks; monotonic time begins now.
    #[must_use]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn wall(&self) -> i64 {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
            Err(before) => -i64::try_from(before.duration().as_nanos()).unwrap_or(i64::MAX),
        }
    }

    fn monotonic(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// Clocks that stand still until they are moved.
#[derive(Debug)]
pub struct ManualClock {
    wall: AtomicI64,
    monotonic: AtomicU64,
}

impl ManualClock {
    /// Clocks with this wall time.
    #[must_use]
    pub fn new(wall: i64) -> Self {
        Self { wall: AtomicI64::new(wall), monotonic: AtomicU64::new(0) }
    }

    /// Lets time pass.
    pub fn advance(&self, nanos: u32) {
        self.monotonic.fetch_add(u64::from(nanos), Ordering::SeqCst);
        self.wall.fetch_add(i64::from(nanos), Ordering::SeqCst);
    }

    /// Moves the wall clock alone, as a person or a wrong time server does.
    pub fn step(&self, nanos: i64) {
        self.wall.fetch_add(nanos, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn wall(&self) -> i64 {
        self.wall.load(Ordering::SeqCst)
    }

    fn monotonic(&self) -> u64 {
        self.monotonic.load(Ordering::SeqCst)
    }
}
