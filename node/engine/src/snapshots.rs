//! Snapshots: the shadow's state, stored now and then, and loaded by a start.
//!
//! Owns when one is due (RPL-32), what is in its body, and which one a start begins from. The shadow saves at
//! the end of a record, so the executor never waits for it; packing, writing and reading back are a thread's
//! of their own. A snapshot that is stored is put on record by a command (RPL-41). A start takes the latest
//! one that is whole and stands on a block of the event log; what it cannot use it says and leaves, damaged
//! ones under another name (REC-46). Nothing depends on a snapshot: without any, all is replayed.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use journal::EventEnd;
use kernel::{CORE_VERSION, Kernel, LoadError};
use schema::Command;
use schema::wire::{Reader, write_u64};
use snapshot::{Header, Kind, LogPlace, Snapshot, SnapshotFault, SnapshotStore, Written};
use units::{Id, Timestamp};

use crate::releaser::RecordPlace;
use crate::shadow::Shadow;
use crate::shard::Shard;
use crate::view::{RecordedHash, View};

/// When snapshots are taken and how many are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotPolicy {
    /// After so many events.
    pub events: u64,
    /// After so long, if there was an event.
    pub interval: Duration,
    /// After so long a checkpoint, if there was an event: the state alone, of which the last one is kept
    /// (REC-44).
    pub checkpoint: Duration,
    /// How many are kept.
    pub count: usize,
}

impl Default for SnapshotPolicy {
    /// As RPL-32 and REC-44 have it.
    fn default() -> Self {
        let (interval, checkpoint) = (Duration::from_secs(3_600), Duration::from_secs(60));
        Self { events: 1_000_000, interval, checkpoint, count: 4 }
    }
}

/// The snapshots of a running shard.
pub(crate) struct Snapshots {
    store: SnapshotStore,
    policy: SnapshotPolicy,
    /// The event of the last one that was taken or loaded, and when.
    last: (u64, Instant),
    /// The same of the last checkpoint or snapshot.
    last_saved: (u64, Instant),
    /// Whether one is being written.
    busy: Arc<AtomicBool>,
    writer: Option<JoinHandle<()>>,
    /// Without a thread, for a shard that has none.
    is_inline: bool,
}

impl Snapshots {
    /// Those of a shard that began from one, or from none. A crash may have come between a snapshot and its
    /// record, so that one is put on record now.
    pub(crate) fn new(
        store: SnapshotStore,
        policy: SnapshotPolicy,
        begun: Option<(Header, [u8; 32])>,
        shard: &Shard,
    ) -> Self {
        if let Some((header, checksum)) = begun {
            shard.metrics.snapshot_sequence.set(header.event_sequence);
            let recorded = shard.view.read().kernel().recorded_snapshot();
            let is_snapshot = store.kind_of(header.event_sequence) == Some(Kind::Snapshot);
            if is_snapshot && recorded.is_none_or(|sequence| sequence < header.event_sequence) {
                shard.intake.submit_own(record_of(&header, checksum));
            }
        }
        let last = (begun.map_or(0, |(header, _)| header.event_sequence), shard.now());
        Self {
            store,
            policy,
            last,
            last_saved: last,
            busy: Arc::default(),
            writer: None,
            is_inline: false,
        }
    }

    /// Writes in whoever's step takes a snapshot.
    pub(crate) fn write_inline(&mut self) {
        self.is_inline = true;
    }

    /// What must be taken behind this event.
    pub(crate) fn due(&self, event: u64, now: Instant) -> Option<Kind> {
        if self.busy.load(Ordering::Acquire) {
            return None;
        }
        let (last, at) = self.last;
        let is_late = event - last >= self.policy.events || now >= at + self.policy.interval;
        if event > last && is_late {
            return Some(Kind::Snapshot);
        }
        let (last, at) = self.last_saved;
        (event > last && now >= at + self.policy.checkpoint).then_some(Kind::Checkpoint)
    }

    /// When one falls due by time, if there was an event since the last.
    pub(crate) fn due_at(&self, event: u64) -> Option<Instant> {
        if self.busy.load(Ordering::Acquire) {
            return None;
        }
        let snapshot = (event > self.last.0).then(|| self.last.1 + self.policy.interval);
        let is_unsaved = event > self.last_saved.0;
        let checkpoint = is_unsaved.then(|| self.last_saved.1 + self.policy.checkpoint);
        snapshot.into_iter().chain(checkpoint).min()
    }

    /// Stores a snapshot and has it put on record, or a checkpoint in the place of the one before.
    pub(crate) fn take(&mut self, snapshot: Snapshot, kind: Kind, shard: &Arc<Shard>) {
        self.last_saved = (snapshot.header.event_sequence, shard.now());
        if kind == Kind::Snapshot {
            self.last = self.last_saved;
        }
        self.busy.store(true, Ordering::Release);
        let (store, shard, busy) = (self.store.clone(), shard.clone(), self.busy.clone());
        let count = self.policy.count;
        let write = move || {
            let written = store.write_as(&snapshot, kind);
            let cleared = store.keep(count);
            tell(&shard, (kind, &snapshot.header), written);
            if let Err(fault) = cleared {
                tracing::warn!(%fault, "old snapshots were not removed");
            }
            busy.store(false, Ordering::Release);
        };
        if self.is_inline {
            return write();
        }
        let thread = std::thread::Builder::new().name("snapshot".to_owned());
        match thread.spawn(write) {
            Ok(writer) => self.writer = Some(writer),
            Err(fault) => {
                tracing::error!(%fault, "no thread for a snapshot");
                self.busy.store(false, Ordering::Release);
            }
        }
    }

    /// Waits for the one that is being written.
    pub(crate) fn end(&mut self) {
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

/// The command that puts a snapshot on record.
const fn record_of(header: &Header, checksum: [u8; 32]) -> Command {
    Command::RecordSnapshot {
        snapshot_sequence: header.event_sequence,
        snapshot_timestamp: Timestamp(header.timestamp),
        checksum,
    }
}

fn tell(shard: &Shard, (kind, header): (Kind, &Header), written: Result<Written, SnapshotFault>) {
    match written {
        Ok(_) if kind == Kind::Checkpoint => {
            shard.metrics.state_checkpoint.set(header.event_sequence);
        }
        Ok(written) => {
            let event_sequence = header.event_sequence;
            tracing::info!(event_sequence, size = written.size, "a snapshot was stored");
            shard.metrics.snapshot_sequence.set(event_sequence);
            shard.metrics.snapshot_bytes.set(written.size);
            shard.intake.submit_own(record_of(header, written.checksum));
        }
        Err(fault) => {
            tracing::error!(%fault, "a snapshot was not stored");
            shard.metrics.snapshot_fault_count.add(1);
        }
    }
}

/// The snapshot of a view at the end of a record, whose events end there.
pub(crate) fn snapshot_of(
    view: &View,
    shadow: &Shadow,
    (place, end): (RecordPlace, EventEnd),
    state_hash: [u8; 32],
) -> Snapshot {
    let kernel = view.kernel();
    let position = kernel.position();
    let header = Header {
        venue_id: kernel.genesis().map_or([0; 16], |genesis| genesis.venue_id.0),
        shard: kernel.shard(),
        epoch: position.epoch,
        command_sequence: end.command_sequence,
        event_sequence: position.event_sequence,
        timestamp: position.last_timestamp.0,
        event_hash: end.hash,
        state_hash,
        log: Some(LogPlace { command_hash: place.hash, last_stamp: place.last_stamp.0 }),
        core_version: CORE_VERSION,
    };
    let mut body = Vec::new();
    view.save(&mut body);
    write_u64(&mut body, shadow.due().len() as u64);
    for (sequence, hash) in shadow.due() {
        write_u64(&mut body, *sequence);
        body.extend_from_slice(hash);
    }
    Snapshot { header, body }
}

/// A shard as a snapshot tells it.
pub(crate) struct Loaded {
    pub(crate) header: Header,
    pub(crate) checksum: [u8; 32],
    pub(crate) kernel: Kernel,
    pub(crate) view: View,
    pub(crate) shadow: Shadow,
}

/// Why a stored snapshot is not begun from.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unusable {
    #[error(transparent)]
    Stored(#[from] SnapshotFault),
    #[error("{0}")]
    State(#[from] LoadError),
    #[error("its state has another hash than it says")]
    Hash,
    #[error("it is of venue {0}, shard {1}")]
    Venue(Id, u16),
    #[error("the command log has another record where it stands")]
    Record,
}

impl Unusable {
    /// Whether the file is to be put aside: it can never be used.
    pub(crate) const fn is_damage(&self) -> bool {
        !matches!(
            self,
            Self::Stored(SnapshotFault::Storage { .. } | SnapshotFault::OtherFormat { .. })
        )
    }
}

/// Loads a stored snapshot and checks that its state is the one that was saved.
pub(crate) fn load(
    store: &SnapshotStore,
    sequence: u64,
    ended_count_max: usize,
) -> Result<Loaded, Unusable> {
    let (Snapshot { header, body }, checksum) = store.read(sequence)?;
    let mut reader = Reader::new(&body);
    let (view, kernel) = View::load(&mut reader, ended_count_max)?;
    let due = read_due(&mut reader).map_err(LoadError::from)?;
    reader.end().map_err(LoadError::from)?;
    let venue = kernel.genesis().map(|genesis| genesis.venue_id.0);
    if venue != Some(header.venue_id) || kernel.shard() != header.shard {
        return Err(Unusable::Venue(Id(header.venue_id), header.shard));
    }
    let position = kernel.position();
    if position.event_sequence != header.event_sequence
        || position.last_timestamp.0 != header.timestamp
    {
        return Err(Unusable::Hash);
    }
    // The view's hash tells for both: the other kernel was loaded from the same bytes, and the end of the replay
    // compares the two.
    let shadow = Shadow::of(&view, due);
    if shadow.hash() != header.state_hash {
        return Err(Unusable::Hash);
    }
    Ok(Loaded { header, checksum, kernel, view, shadow })
}

fn read_due(reader: &mut Reader<'_>) -> Result<VecDeque<RecordedHash>, schema::wire::DecodeError> {
    let mut due = VecDeque::new();
    for _ in 0..reader.u64()? {
        due.push_back((reader.u64()?, reader.array()?));
    }
    Ok(due)
}

#[cfg(test)]
mod tests {
    use super::*;
    use journal::disk::RealDisk;

    /// A snapshot behind a million events or an hour, whichever comes first, and a checkpoint behind a minute; none
    /// while one is being written or when nothing has happened.
    /// covers: RPL-32, REC-42, REC-44
    #[test]
    fn each_is_due_at_its_mark() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = SnapshotStore::open(Arc::new(RealDisk), folder.path()).expect("opened");
        let began = Instant::now();
        let mut all = Snapshots {
            store,
            policy: SnapshotPolicy::default(),
            last: (5, began),
            last_saved: (5, began),
            busy: Arc::default(),
            writer: None,
            is_inline: true,
        };
        let at = |seconds| began + Duration::from_secs(seconds);
        assert_eq!(all.due(5, at(9_999)), None, "nothing has happened");
        assert_eq!(all.due(6, at(59)), None);
        assert_eq!(all.due(6, at(60)), Some(Kind::Checkpoint));
        assert_eq!(all.due_at(6), Some(at(60)));
        assert_eq!(all.due(1_000_004, at(59)), None);
        assert_eq!(all.due(1_000_005, at(1)), Some(Kind::Snapshot));
        all.last_saved = (9, at(3_570));
        assert_eq!(all.due(9, at(3_599)), None, "the checkpoint holds it");
        assert_eq!(all.due(9, at(3_600)), Some(Kind::Snapshot), "the last snapshot does not");
        assert_eq!(all.due(10, at(3_599)), None);
        assert_eq!(all.due_at(10), Some(at(3_600)));
        all.busy.store(true, Ordering::Release);
        assert_eq!((all.due(10, at(9_999)), all.due_at(10)), (None, None));
    }
}
