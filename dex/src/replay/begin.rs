//! Where a replay begins: at the first event, or at a snapshot.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use journal::disk::RealDisk;
use kernel::Kernel;
use schema::wire::Reader;
use snapshot::{Snapshot, SnapshotStore};
use units::Timestamp;

use super::digest::Changed;
use crate::state::Moment;

/// The state that a replay begins with.
pub(super) struct Begin {
    pub(super) kernel: Kernel<Changed>,
    /// Event of the snapshot; 0 for none.
    pub(super) snapshot: u64,
}

/// The latest snapshot of a data folder at or before a moment, or nothing (RPL-28).
///
/// # Errors
/// A snapshot that is there is damaged: it is named, and left as it is.
pub(super) fn at(data: &Path, from: Option<Moment>) -> anyhow::Result<Begin> {
    let folder = data.join("snapshots");
    let nothing = Begin { kernel: Kernel::watched(Changed::default()), snapshot: 0 };
    let Some(from) = from.filter(|_| folder.is_dir()) else { return Ok(nothing) };
    let store = SnapshotStore::open(Arc::new(RealDisk), &folder)?;
    for sequence in store.list()? {
        if matches!(from, Moment::Sequence(first) if sequence > first) {
            continue;
        }
        let (snapshot, _) = store.read(sequence)?;
        if from.includes(sequence, Timestamp(snapshot.header.timestamp)) {
            let kernel = load(&snapshot)?;
            return Ok(Begin { kernel, snapshot: sequence });
        }
    }
    Ok(nothing)
}

/// The snapshot in a file, its SHA-256 checked first.
///
/// # Errors
/// There is none, or it is damaged.
pub(super) fn file(path: &Path) -> anyhow::Result<Snapshot> {
    let shown = path.display();
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let sequence = name.strip_suffix(".snapshot").and_then(|digits| digits.parse().ok());
    let (Some(sequence), Some(folder)) = (sequence, path.parent()) else {
        bail!("{shown} is no data folder, and no snapshot by its name (EVENT.snapshot)");
    };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    if !path.is_file() {
        bail!("there is no file {shown}");
    }
    let store = SnapshotStore::open(Arc::new(RealDisk), folder)?;
    Ok(store.read(sequence)?.0)
}

/// The state that a snapshot holds, watched from now on.
///
/// # Errors
/// It holds none.
pub(super) fn load(snapshot: &Snapshot) -> anyhow::Result<Kernel<Changed>> {
    let mut reader = Reader::new(&snapshot.body);
    let wrong = || format!("the snapshot of event {}", snapshot.header.event_sequence);
    let size = usize::try_from(reader.u64().with_context(wrong)?)?;
    let bytes = reader.take(size).with_context(wrong)?;
    Kernel::load_watched(bytes, Changed::default()).with_context(wrong)
}
