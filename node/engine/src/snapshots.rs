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
use kernel::{Kernel, LoadError};
use schema::Command;
use schema::wire::{Reader, write_u64};
use snapshot::{Header, Snapshot, SnapshotFault, SnapshotStore, Written};
use units::{Id, Timestamp};

use crate::shadow::Shadow;
use crate::shard::Shard;
use crate::view::{RecordedHash, View, hash_from_nothing};

/// When snapshots are taken and how many are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotPolicy {
    /// After so many events.
    pub events: u64,
    /// After so long, if there was an event.
    pub interval: Duration,
    /// How many are kept.
    pub count: usize,
}

impl Default for SnapshotPolicy {
    /// As RPL-32 has it.
    fn default() -> Self {
        Self { events: 1_000_000, interval: Duration::from_secs(3_600), count: 4 }
    }
}

/// The snapshots of a running shard.
pub(crate) struct Snapshots {
    store: SnapshotStore,
    policy: SnapshotPolicy,
    /// The event of the last one that was taken or loaded, and when.
    last: (u64, Instant),
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
            if recorded.is_none_or(|sequence| sequence < header.event_sequence) {
                shard.intake.submit_own(record_of(&header, checksum));
            }
        }
        let last = (begun.map_or(0, |(header, _)| header.event_sequence), shard.now());
        Self { store, policy, last, busy: Arc::default(), writer: None, is_inline: false }
    }

    /// Writes in whoever's step takes a snapshot.
    pub(crate) fn write_inline(&mut self) {
        self.is_inline = true;
    }

    /// Whether one must be taken behind this event.
    pub(crate) fn is_due(&self, event: u64, now: Instant) -> bool {
        let (last, at) = self.last;
        let is_late = event - last >= self.policy.events || now >= at + self.policy.interval;
        event > last && is_late && !self.busy.load(Ordering::Acquire)
    }

    /// When one falls due by time, if there was an event since the last.
    pub(crate) fn due_at(&self, event: u64) -> Option<Instant> {
        let is_waiting = event > self.last.0 && !self.busy.load(Ordering::Acquire);
        is_waiting.then(|| self.last.1 + self.policy.interval)
    }

    /// Stores a snapshot and has it put on record.
    pub(crate) fn take(&mut self, snapshot: Snapshot, shard: &Arc<Shard>) {
        self.last = (snapshot.header.event_sequence, shard.now());
        self.busy.store(true, Ordering::Release);
        let (store, shard, busy) = (self.store.clone(), shard.clone(), self.busy.clone());
        let count = self.policy.count;
        let write = move || {
            let written = store.write(&snapshot);
            let cleared = store.keep(count);
            tell(&shard, &snapshot.header, written);
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

fn tell(shard: &Shard, header: &Header, written: Result<Written, SnapshotFault>) {
    match written {
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
    (command_sequence, end): (u64, EventEnd),
    state_hash: [u8; 32],
) -> Snapshot {
    let kernel = view.kernel();
    let position = kernel.position();
    let header = Header {
        venue_id: kernel.genesis().map_or([0; 16], |genesis| genesis.venue_id.0),
        shard: kernel.shard(),
        epoch: position.epoch,
        command_sequence,
        event_sequence: position.event_sequence,
        timestamp: position.last_timestamp.0,
        event_hash: end.hash,
        state_hash,
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
        || hash_from_nothing(&kernel) != header.state_hash
    {
        return Err(Unusable::Hash);
    }
    let shadow = Shadow::of(&view, due);
    Ok(Loaded { header, checksum, kernel, view, shadow })
}

fn read_due(reader: &mut Reader<'_>) -> Result<VecDeque<RecordedHash>, schema::wire::DecodeError> {
    let mut due = VecDeque::new();
    for _ in 0..reader.u64()? {
        due.push_back((reader.u64()?, reader.array()?));
    }
    Ok(due)
}
