//! The machine's clocks, as a trait, the real ones and one that tests move by hand.
//!
//! Owns three readings: *wall*, nanoseconds since 1970 in UTC as the machine believes, which may step or fail;
//! *backup*, the same of a second clock that is kept running, where there is one (TIME-37); and *monotonic*,
//! nanoseconds since some start, which never goes back. What becomes of them is
//! `exchange_clock.rs`. Deliberately no NTP here: the operating system's daemon keeps the wall clock
//! near UTC and smears leap seconds.

use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Where time comes from.
pub trait Clock: Send + Sync + Debug {
    /// Nanoseconds since 1970 in UTC; `None` when the clock cannot be read.
    fn wall(&self) -> Option<i64>;
    /// The same of the backup; `None` when there is none, or it cannot be read. The machine itself has none.
    fn backup(&self) -> Option<i64> {
        None
    }
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
    /// A clock before 1970, or beyond what a timestamp holds, is none.
    fn wall(&self) -> Option<i64> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        i64::try_from(since.as_nanos()).ok()
    }

    fn monotonic(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// Clocks that stand still until they are moved.
#[derive(Debug)]
pub struct ManualClock {
    wall: AtomicI64,
    backup: AtomicI64,
    monotonic: AtomicU64,
    /// Whether the wall clock, and the backup, can be read.
    works: [AtomicBool; 2],
}

impl ManualClock {
    /// Clocks with this wall time, and no backup.
    #[must_use]
    pub fn new(wall: i64) -> Self {
        Self {
            wall: AtomicI64::new(wall),
            backup: AtomicI64::new(wall),
            monotonic: AtomicU64::new(0),
            works: [AtomicBool::new(true), AtomicBool::new(false)],
        }
    }

    /// Lets time pass.
    pub fn advance(&self, nanos: u32) {
        self.monotonic.fetch_add(u64::from(nanos), Ordering::SeqCst);
        self.wall.fetch_add(i64::from(nanos), Ordering::SeqCst);
        self.backup.fetch_add(i64::from(nanos), Ordering::SeqCst);
    }

    /// Which of the two can be read from now on: the wall clock, the backup.
    pub fn set_working(&self, wall: bool, backup: bool) {
        self.works[0].store(wall, Ordering::SeqCst);
        self.works[1].store(backup, Ordering::SeqCst);
    }

    /// Moves the wall clock alone, as a person or a wrong time server does.
    pub fn step(&self, nanos: i64) {
        self.wall.fetch_add(nanos, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn wall(&self) -> Option<i64> {
        let works = self.works[0].load(Ordering::SeqCst);
        works.then(|| self.wall.load(Ordering::SeqCst))
    }

    fn backup(&self) -> Option<i64> {
        let works = self.works[1].load(Ordering::SeqCst);
        works.then(|| self.backup.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> u64 {
        self.monotonic.load(Ordering::SeqCst)
    }
}
