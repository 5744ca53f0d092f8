//! A data folder that holds both logs up to a moment: a store of its own (RPL-27).
//!
//! Records and blocks are copied whole and in order, so both chains are those of the original, and an exchange
//! can be started on the folder once its keys are there. The original is only read.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::bail;
use journal::disk::{Disk, RealDisk};
use journal::{CommandLog as _, DataFolder, EventLog, Journal, SegmentOptions};

use crate::log::Source;

/// Makes the folder, and answers it with its last event: that of the last record which was whole by then.
///
/// # Errors
/// The folder is not empty, or cannot be written.
pub(super) fn make(source: &Source, folder: &Path, to: u64) -> anyhow::Result<(PathBuf, u64)> {
    let shown = folder.display();
    if folder.exists() && folder.read_dir().map_or(true, |mut all| all.next().is_some()) {
        bail!("{shown} is not an empty folder: name a new one");
    }
    let made = DataFolder::open(folder)?;
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let options = SegmentOptions::default();
    let (mut events, _) = EventLog::open(disk.clone(), &made.events(), options)?;
    let mut last = (0, 0);
    for block in source.blocks()? {
        let block = block?;
        let header = block.header();
        if header.last_event() > to {
            break;
        }
        last = (header.last_event(), header.last_command);
        events.append(&block)?;
    }
    events.sync()?;
    let (mut commands, _) = Journal::open(disk, &made.commands(), options)?;
    let end = if to >= source.event_end() { u64::MAX } else { last.1 };
    for record in source.records()? {
        let record = record?;
        if record.last_sequence() > end {
            break;
        }
        commands.append(&record)?;
    }
    commands.sync()?;
    Ok((folder.to_path_buf(), last.0))
}
