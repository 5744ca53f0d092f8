//! Checking a data folder: both logs are replayed and compared, and nothing is written.
//!
//! The same replay as a start (`recovery.rs`), with logs that are opened over a disk which keeps
//! every write in memory (`verify/overlay.rs`) and an event log that only compares. So the check sees
//! exactly what the next start will see, the cut of an unfinished flush included, and leaves every byte
//! as it was. It takes no lock of its own but refuses a folder that a running process has locked.

mod overlay;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use journal::disk::Disk;
use journal::limits::SEGMENT_SIZE_MIN;
use journal::{EventLog, Journal, LogFault, Preparation, SegmentOptions};
use thiserror::Error;

use crate::fault::ReplayFault;
use crate::recovery::replay;
use crate::stored::{Missing, StoredEvents};
use overlay::OverlayDisk;

/// What a check found when all is well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyReport {
    /// Records of the command log.
    pub record_count: u64,
    /// Last command.
    pub command_sequence: u64,
    /// Last event.
    pub event_sequence: u64,
    /// Blocks of the event log, each compared byte for byte.
    pub block_count: u64,
    /// Blocks that the event log does not have yet: the next start makes them.
    pub missing_block_count: u64,
    /// Recorded state hashes that were compared.
    pub hash_count: u64,
    /// Hash of the state at the end, the same from commands and from events.
    pub state_hash: [u8; 32],
    /// Whether a log ends in an unfinished flush, which the next start cuts off.
    pub unfinished: bool,
    /// How long it took.
    pub took: Duration,
}

/// How far a check is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Commands replayed.
    pub commands: u64,
    /// Last command of the log.
    pub commands_end: u64,
    /// Events compared and applied.
    pub events: u64,
}

/// Why a folder cannot be checked, or what is wrong with it.
#[derive(Debug, Error)]
pub enum VerifyFault {
    /// There is no data folder.
    #[error("{} is no data folder", .0.display())]
    NoFolder(PathBuf),
    /// A running process writes to it.
    #[error("{} is in use by a running process: stop it first, or check a copy", .0.display())]
    InUse(PathBuf),
    /// What is wrong.
    #[error(transparent)]
    Replay(#[from] ReplayFault),
}

impl From<LogFault> for VerifyFault {
    fn from(fault: LogFault) -> Self {
        Self::Replay(fault.into())
    }
}

/// Replays the logs in the data folder at `path` and compares them: every event byte for byte, every
/// recorded state hash, and the states at the end. Never writes. `progress` is told after each record.
///
/// # Errors
/// The first thing that is wrong.
pub fn verify(
    path: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<VerifyReport, VerifyFault> {
    let _unused_by_others = check_unused(path)?;
    let disk: Arc<dyn Disk> = Arc::new(OverlayDisk::default());
    let options = SegmentOptions { size: SEGMENT_SIZE_MIN, preparation: Preparation::Inline };
    let (commands, opened) = Journal::open(disk.clone(), &path.join(COMMANDS), options)?;
    let (events, events_opened) = EventLog::open(disk, &path.join(EVENTS), options)?;
    let events = StoredEvents::new(events, Missing::Count);
    let commands_end = opened.end.sequence;
    let replayed = replay(&commands, events, (None, 1), &mut |commands, events| {
        progress(Progress { commands, commands_end, events });
    })?;
    let report = replayed.report;
    let kernel = replayed.executor.kernel();
    kernel
        .sweep()
        .map_err(|unsound| ReplayFault::Unsound { at: report.event_sequence, unsound })?;
    Ok(VerifyReport {
        record_count: report.record_count,
        command_sequence: report.command_sequence,
        event_sequence: report.event_sequence,
        block_count: report.compared_block_count,
        missing_block_count: report.made_block_count,
        hash_count: report.hash_count,
        state_hash: report.state_hash,
        unfinished: opened.cut.is_some() || events_opened.cut.is_some(),
        took: report.took,
    })
}

/// The folder is one, and no running process has it; nobody can take it until the answer is dropped.
fn check_unused(path: &Path) -> Result<File, VerifyFault> {
    let no_folder = || VerifyFault::NoFolder(path.to_path_buf());
    if !path.join(COMMANDS).is_dir() || !path.join(EVENTS).is_dir() {
        return Err(no_folder());
    }
    let lock = File::open(path.join(LOCK)).map_err(|_| no_folder())?;
    match lock.try_lock_shared() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(VerifyFault::InUse(path.to_path_buf())),
        Err(TryLockError::Error(_)) => Err(no_folder()),
    }
}

/// Names in a data folder (`journal::DataFolder`).
const COMMANDS: &str = "commands";
const EVENTS: &str = "events";
const LOCK: &str = "LOCK";
