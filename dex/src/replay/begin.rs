//! Where a replay begins: at the first event, or at a snapshot.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use journal::disk::RealDisk;
use kernel::{Kernel, Watch};
use schema::wire::Reader;
use snapshot::{Snapshot, SnapshotStore};
use units::Timestamp;

use crate::log::Source;
use crate::state::{Moment, state_hash};

/// The state that a replay begins with.
pub(crate) struct Begin<W: Watch> {
    pub(crate) kernel: Kernel<W>,
    /// Event of the snapshot; 0 for none.
    pub(crate) snapshot: u64,
}

/// The latest snapshot of a data folder at or before a moment that is whole and stands on the event log, or nothing
/// (RPL-28, RPL-29). One that cannot be used is named on standard error and left as it is.
///
/// # Errors
/// The folder cannot be read.
pub(crate) fn begin_at<W: Watch + Default>(
    source: &Source,
    data: &Path,
    from: Option<Moment>,
) -> anyhow::Result<Begin<W>> {
    let folder = data.join("snapshots");
    let nothing = Begin { kernel: Kernel::watched(W::default()), snapshot: 0 };
    let Some(from) = from.filter(|_| folder.is_dir()) else { return Ok(nothing) };
    let store = SnapshotStore::open(Arc::new(RealDisk), &folder)?;
    for sequence in store.list()? {
        if matches!(from, Moment::Sequence(first) if sequence > first) {
            continue;
        }
        match usable(source, &store, sequence) {
            Ok((time, kernel)) if from.includes(sequence, time) => {
                return Ok(Begin { kernel, snapshot: sequence });
            }
            Ok(_) => {}
            Err(fault) => eprintln!("the snapshot of event {sequence} is not used: {fault:#}"),
        }
    }
    Ok(nothing)
}

fn usable<W: Watch + Default>(
    source: &Source,
    store: &SnapshotStore,
    sequence: u64,
) -> anyhow::Result<(Timestamp, Kernel<W>)> {
    let (snapshot, _) = store.read(sequence)?;
    let header = snapshot.header;
    if !source.has_end(sequence, header.event_hash)? {
        bail!("it stands on no block of the event log");
    }
    let kernel = load(&snapshot)?;
    if state_hash(&kernel) != header.state_hash {
        bail!("its state has another hash than it says");
    }
    Ok((Timestamp(header.timestamp), kernel))
}

/// The snapshot in a file, its SHA-256 checked first.
///
/// # Errors
/// There is none, or it is damaged.
pub(super) fn file(path: &Path) -> anyhow::Result<Snapshot> {
    let shown = path.display();
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let digits = name.strip_suffix(".snapshot").or_else(|| name.strip_suffix(".checkpoint"));
    let sequence = digits.and_then(|digits| digits.parse().ok());
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
pub(super) fn load<W: Watch + Default>(snapshot: &Snapshot) -> anyhow::Result<Kernel<W>> {
    let mut reader = Reader::new(&snapshot.body);
    let wrong = || format!("the snapshot of event {}", snapshot.header.event_sequence);
    let size = usize::try_from(reader.u64().with_context(wrong)?)?;
    let bytes = reader.take(size).with_context(wrong)?;
    Kernel::load_watched(bytes, W::default()).with_context(wrong)
}
