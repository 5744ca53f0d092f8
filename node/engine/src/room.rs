//! Room on the disk: what is refused before a write can fail (REC-70).
//!
//! Owns the two marks. From the first on no new order is taken, from the second on no command at all, the
//! sequencer's Ticks and snapshots included; both end by themselves when there is room again. The disk is looked at
//! when a command comes, at most every so often and more often behind the first mark, and by the sequencer only
//! behind the second, where nothing else would see that there is room again. What cannot be measured is taken as it was: a disk that fails stops the shard by its own way.

use std::fmt::Debug;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

use schema::Command;

/// How full a disk is.
pub trait DiskSpace: Send + Sync + Debug {
    /// What is in use, in hundredths of a percent of what may be.
    ///
    /// # Errors
    /// The operating system does not say.
    fn used(&self) -> io::Result<u32>;
}

/// The disk of this machine that a folder lies on.
#[derive(Clone, Debug)]
pub struct MachineSpace(pub PathBuf);

impl DiskSpace for MachineSpace {
    fn used(&self) -> io::Result<u32> {
        let found = rustix::fs::statvfs(&self.0)?;
        let all = u128::from(found.f_blocks).max(1);
        // What is kept for the system's administrator is no room for us.
        let free = u128::from(found.f_bavail).min(all);
        Ok(u32::try_from((all - free) * u128::from(WHOLE) / all).unwrap_or(WHOLE))
    }
}

/// How much room there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Enough.
    Free,
    /// No new orders.
    Low,
    /// Nothing.
    Out,
}

/// What is known of the disk's room.
#[derive(Debug)]
pub(crate) struct Room {
    /// `None` for a shard without a disk of its own.
    space: Option<Arc<dyn DiskSpace>>,
    level: AtomicU8,
    used: AtomicU64,
    /// Monotonic time of the next look.
    next: AtomicU64,
    is_blind: AtomicBool,
}

impl Room {
    pub(crate) fn new(space: Option<Arc<dyn DiskSpace>>) -> Self {
        let zero = || AtomicU64::new(0);
        let level = AtomicU8::new(Level::Free as u8);
        Self { space, level, used: zero(), next: zero(), is_blind: AtomicBool::new(false) }
    }

    /// The level now, in monotonic time.
    pub(crate) fn look(&self, now: u64) -> Level {
        let Some(space) = &self.space else { return Level::Free };
        let next = self.next.load(Ordering::Relaxed);
        let is_tight = self.level() > Level::Free;
        let later = now.saturating_add(if is_tight { TIGHT_INTERVAL } else { LOOK_INTERVAL });
        let is_mine = now >= next
            && self
                .next
                .compare_exchange(next, later, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if is_mine {
            self.measure(&**space);
        }
        self.level()
    }

    fn measure(&self, space: &dyn DiskSpace) {
        let used = match space.used() {
            Ok(used) => used,
            Err(fault) => {
                if !self.is_blind.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%fault, "the room on the disk cannot be measured");
                }
                return;
            }
        };
        self.is_blind.store(false, Ordering::Relaxed);
        self.used.store(u64::from(used), Ordering::Relaxed);
        let level = match used {
            OUT.. => Level::Out,
            LOW.. => Level::Low,
            _ => Level::Free,
        };
        let before = self.level.swap(level as u8, Ordering::Relaxed);
        if before != level as u8 {
            let percent = used / 100;
            match level {
                Level::Out => {
                    tracing::error!(percent, "CRITICAL: the disk is full: no command is taken");
                }
                Level::Low => tracing::error!(percent, "the disk fills: no new order is taken"),
                Level::Free => tracing::info!(percent, "the disk has room again"),
            }
        }
    }

    /// As it was at the last look.
    pub(crate) fn level(&self) -> Level {
        match self.level.load(Ordering::Relaxed) {
            0 => Level::Free,
            1 => Level::Low,
            _ => Level::Out,
        }
    }

    /// What was in use at the last look, in hundredths of a percent.
    pub(crate) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }
}

/// Whether a command is taken at a level: from the first mark on what makes orders is not.
pub(crate) const fn is_taken(level: Level, command: &Command) -> bool {
    match level {
        Level::Free => true,
        Level::Low => !matches!(command, Command::PlaceOrder(_) | Command::ReplaceOrder(_)),
        Level::Out => false,
    }
}

/// All of a disk.
const WHOLE: u32 = 10_000;
/// From here on no new orders are taken.
const LOW: u32 = 9_000;
/// From here on nothing is.
const OUT: u32 = 9_500;
/// Nanoseconds between two looks at the least.
const LOOK_INTERVAL: u64 = 250_000_000;
/// The same behind the first mark: a small disk fills in less than the time between two looks.
const TIGHT_INTERVAL: u64 = 10_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// The machine's own figure, wherever the tests run.
    #[test]
    fn the_disk_of_this_machine_is_measured() {
        let used = MachineSpace(std::env::temp_dir()).used().expect("a disk");
        assert!(used > 0 && used <= WHOLE, "{used}");
        assert!(MachineSpace("/no/such/folder".into()).used().is_err());
    }
}
