//! The two logs of a data folder, opened to be read.
//!
//! Owns what a folder must be before anything looks into it: a data folder, of this program's format,
//! that no running process uses. Nothing is written; while it is open, no exchange can start on it.

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use journal::disk::Disk;
use journal::limits::SEGMENT_SIZE_MIN;
use journal::{
    Blocks, CommandLog as _, Cut, EventLog, FOLDER_VERSION, Journal, Preparation, Records,
    SegmentOptions,
};

use super::read_only::ReadOnlyDisk;

/// Both logs of a folder that nobody writes to.
#[derive(Debug)]
pub(crate) struct Source {
    commands: Journal,
    events: EventLog,
    /// Held for its lock.
    _lock: File,
}

impl Source {
    /// Opens the logs in the data folder at `path`.
    ///
    /// # Errors
    /// What is wrong with the folder or a log, and what to do.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        check_folder(path)?;
        let lock = lock(path)?;
        let disk: Arc<dyn Disk> = Arc::new(ReadOnlyDisk);
        let options = SegmentOptions { size: SEGMENT_SIZE_MIN, preparation: Preparation::Inline };
        let advice = "`dex verify` tells more; the logs were left as they are";
        let (commands, opened) =
            Journal::open(disk.clone(), &path.join("commands"), options).context(advice)?;
        tell_cut("command", opened.cut.as_ref());
        let (events, opened) =
            EventLog::open(disk, &path.join("events"), options).context(advice)?;
        tell_cut("event", opened.cut.as_ref());
        Ok(Self { commands, events, _lock: lock })
    }

    /// Last command.
    pub(crate) fn command_end(&self) -> u64 {
        self.commands.end().sequence
    }

    /// Last event.
    pub(crate) fn event_end(&self) -> u64 {
        self.events.end().event_sequence
    }

    /// The records of the command log, from the first one on.
    pub(crate) fn records(&self) -> anyhow::Result<Records> {
        Ok(self.commands.read(1)?)
    }

    /// The blocks of the event log from the one that holds an event on; absent behind the last event.
    pub(crate) fn blocks_from(&self, event: u64) -> anyhow::Result<Option<Blocks>> {
        Ok(if event > self.event_end() { None } else { Some(self.events.read(event)?) })
    }

    /// Whether a block of the event log ends at an event with this hash.
    pub(crate) fn has_end(&self, event: u64, hash: [u8; 32]) -> anyhow::Result<bool> {
        if event > self.event_end() {
            return Ok(false);
        }
        Ok(self.events.end_at(event)?.is_some_and(|end| end.hash == hash))
    }

    /// The blocks of the event log, from the first one on.
    pub(crate) fn blocks(&self) -> anyhow::Result<Blocks> {
        Ok(self.events.read(1)?)
    }
}

/// Refuses what is no data folder of this program's format.
///
/// # Errors
/// What to do.
pub(crate) fn check_folder(path: &Path) -> anyhow::Result<()> {
    let shown = path.display();
    if !path.is_dir() {
        bail!("there is no folder {shown}: name the data folder of an exchange (`dex run --data`)");
    }
    let Ok(format) = fs::read_to_string(path.join("FORMAT")) else {
        bail!("{shown} is no data folder, it has no FORMAT file: name that of an exchange");
    };
    let found = format.trim_end();
    if found != format!("dex {FOLDER_VERSION}") {
        let shown_format: String = found.chars().take(40).collect();
        bail!(
            "{shown} has the format \"{}\", and this program reads \"dex {FOLDER_VERSION}\": use the \
             version of the program that made it",
            shown_format.escape_debug()
        );
    }
    Ok(())
}

/// What a log is read without is said: the next start cuts it off and keeps it beside the log.
fn tell_cut(log: &str, cut: Option<&Cut>) {
    if let Some(Cut { segment, offset, size, .. }) = cut {
        eprintln!(
            "the {log} log ends in an unfinished flush, {size} bytes from byte {offset} of {} on, which are left \
             out here; the next start cuts them off and keeps them in a file beside it",
            segment.display()
        );
    }
}

fn lock(path: &Path) -> anyhow::Result<File> {
    let name = path.join("LOCK");
    let lock = File::open(&name).with_context(|| format!("cannot open {}", name.display()))?;
    match lock.try_lock_shared() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => {
            bail!(
                "{} is in use by a running process: stop it first, or read a copy",
                path.display()
            )
        }
        Err(TryLockError::Error(fault)) => {
            Err(fault).with_context(|| format!("cannot lock {}", name.display()))
        }
    }
}
