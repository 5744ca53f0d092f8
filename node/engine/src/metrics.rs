//! What a running shard counts, for whoever shows it.
//!
//! Plain counters, written by the thread that knows, read by anyone at any time. A value is exact for
//! itself; two values read one after the other may be of different moments.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// One number that only its owner writes.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// The number now.
    #[must_use]
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }
}

/// The counters of a shard.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Last command that was numbered (SEQ-44).
    pub command_sequence: Counter,
    /// Last event that was made (SEQ-44).
    pub event_sequence: Counter,
    /// Last command that is durable.
    pub durable_sequence: Counter,
    /// Last event that was released.
    pub released_event: Counter,
    /// Last event of the view.
    pub view_sequence: Counter,
    /// Last event of the newest state hash on record: the checkpoint (SEQ-18, SEQ-44).
    pub checkpoint_sequence: Counter,
    /// Commands submitted through the port that were numbered.
    pub command_count: Counter,
    /// Ticks given.
    pub tick_count: Counter,
    /// Records written.
    pub record_count: Counter,
    /// Bytes of records written.
    pub command_bytes: Counter,
    /// Bytes of events made.
    pub event_bytes: Counter,
    /// Commands that wait for the sequencer.
    pub queue_count: Counter,
    /// Commands turned away because the queue was full.
    pub refused_full: Counter,
    /// Commands turned away because the view lags (REC-85).
    pub refused_lag: Counter,
    /// Commands turned away because the disk is nearly full (REC-70).
    pub refused_room: Counter,
    /// What of the disk is in use, in hundredths of a percent; 0 before it was measured.
    pub disk_used: Counter,
    /// Segments of the event log that were compressed since the start.
    pub compressed_count: Counter,
    /// Event of the newest checkpoint that was stored since the start (REC-44).
    pub state_checkpoint: Counter,
    /// Syncs of the command log.
    pub sync_count: Counter,
    /// Time spent in them, in nanoseconds.
    pub sync_nanos: Counter,
    /// The longest of them, in nanoseconds.
    pub sync_nanos_max: Counter,
    /// Steps of the clock of more than 1 s (D-53).
    pub clock_step_count: Counter,
    /// Readings of the clock that were not above the last stamp (TIME-33).
    pub clock_behind_count: Counter,
    /// Answers given again for a kept key (D-74).
    pub repeated_count: Counter,
    /// Those of them that were read from the event log, since the archive did not have them.
    pub repeated_scan_count: Counter,
    /// Event of the newest snapshot that was stored since the start, or that it began from.
    pub snapshot_sequence: Counter,
    /// Bytes of it.
    pub snapshot_bytes: Counter,
    /// Snapshots that could not be stored.
    pub snapshot_fault_count: Counter,
    /// Last event that the archive shows.
    pub archive_sequence: Counter,
    /// Bytes of the archive on the disk.
    pub archive_bytes: Counter,
    /// How often the archive was made anew since the start: each an alert (STATE-31).
    pub archive_rebuild_count: Counter,
    /// How often the archive fell so far behind that it read the log again.
    pub archive_overflow_count: Counter,
}

impl Metrics {
    /// Events that the view is behind the live core.
    #[must_use]
    pub fn shadow_lag(&self) -> u64 {
        self.event_sequence.value().saturating_sub(self.view_sequence.value())
    }

    /// Events that the archive is behind the view.
    #[must_use]
    pub fn archive_lag(&self) -> u64 {
        self.view_sequence.value().saturating_sub(self.archive_sequence.value())
    }

    pub(crate) fn count_sync(&self, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.sync_count.add(1);
        self.sync_nanos.add(nanos);
        if nanos > self.sync_nanos_max.value() {
            self.sync_nanos_max.set(nanos);
        }
    }
}
