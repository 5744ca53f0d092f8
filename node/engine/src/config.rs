//! What a shard is started with: its configuration and its two logs.
//!
//! Owns the names and defaults of every tuning value of a running node. They change how fast and how
//! much, never what: the rules of the shard are in its genesis and in the core's version.
//!
//! Bounds that belong to the core's version are in `schema::limits`, those of the stored formats in
//! `journal::limits`.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use journal::disk::{Disk, RealDisk};
use journal::{CommandLog, DataFolder, EventLog, Journal, SegmentOptions};
use schema::{Genesis, Label};
use snapshot::SnapshotStore;

use crate::fault::StartFault;
use crate::room::DiskSpace;
use crate::snapshots::SnapshotPolicy;

/// How a shard is run.
#[derive(Clone, Debug)]
pub struct Config {
    /// Configuration of the venue. An empty log needs it (D-75); for one that is not empty, venue,
    /// shard and operator key must be those on record, and the rest is the log's.
    pub genesis: Option<Genesis>,
    /// Name of this node in LeaderChanged.
    pub leader: Label,
    /// Commands that may wait for the sequencer; beyond it the answer is `Busy`.
    pub queue_count_max: usize,
    /// Time between two Ticks. TIME-26 asks for one at least every 100 ms; the default leaves 20 ms
    /// for a late thread.
    pub tick_interval: Duration,
    /// Batches that feeds keep for readers.
    pub feed_batch_count: usize,
    /// Ended orders that the view remembers: the young ones, which the archive may not show yet.
    pub ended_order_count: usize,
    /// Bytes of events that may wait in memory for the archive; beyond it the archive reads the log.
    pub archive_queue_size_max: u64,
    /// When snapshots are taken and how many are kept.
    pub snapshots: SnapshotPolicy,
    /// What is done with events once their results are out.
    pub following: Following,
    /// Where the room on the disk is read; for a data folder the machine's disk where there is no other.
    pub space: Option<Arc<dyn DiskSpace>>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            genesis: None,
            leader: Label::new("local").expect("short"),
            queue_count_max: QUEUE_COUNT_DEFAULT,
            tick_interval: TICK_INTERVAL_DEFAULT,
            feed_batch_count: FEED_BATCH_COUNT_DEFAULT,
            ended_order_count: ENDED_ORDER_COUNT_DEFAULT,
            archive_queue_size_max: ARCHIVE_QUEUE_SIZE_DEFAULT,
            snapshots: SnapshotPolicy::default(),
            following: Following::default(),
            space: None,
        }
    }
}

/// What is done with events once their results are out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Following {
    /// They are stored, applied to the view, hashed and handed on.
    #[default]
    Everything,
    /// They are dropped: how fast the executor alone is, for a benchmark. Queries see the state of the start, nothing
    /// is hashed or saved, and the next start makes the events again from the command log.
    Nothing,
}

/// The two logs of a shard, open for writing, and where its archive lies.
pub struct Storage {
    /// The truth.
    pub commands: Box<dyn CommandLog + Send>,
    /// What the commands produced.
    pub events: EventLog,
    /// Keeps other processes out as long as the shard runs; `None` for logs in memory.
    pub folder: Option<DataFolder>,
    /// Where the archive lies; `None` for a shard that keeps none, as in a simulation.
    pub archive: Option<PathBuf>,
    /// Where snapshots lie; `None` for a shard that takes none and replays everything.
    pub snapshots: Option<SnapshotStore>,
}

impl Storage {
    /// Opens both logs of a data folder on this machine's disk.
    ///
    /// # Errors
    /// What is wrong with a log, such as damage.
    pub fn open(folder: DataFolder, options: SegmentOptions) -> Result<Self, StartFault> {
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        let (commands, opened) = Journal::open_end(disk.clone(), &folder.commands(), options)?;
        if let Some(cut) = &opened.cut {
            tracing::warn!(?cut, "an unfinished flush was cut off the command log and kept aside");
        }
        let (events, opened) = EventLog::open_end(disk.clone(), &folder.events(), options)?;
        if let Some(cut) = &opened.cut {
            tracing::warn!(?cut, "an unfinished flush was cut off the event log and kept aside");
        }
        let snapshots = Some(SnapshotStore::open(disk, &folder.snapshots())?);
        let archive = Some(folder.archive());
        Ok(Self { commands: Box::new(commands), events, folder: Some(folder), archive, snapshots })
    }
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Storage")
            .field("commands", &self.commands.end())
            .field("events", &self.events.end())
            .field("folder", &self.folder)
            .finish()
    }
}

/// Default of `Config::queue_count_max`.
pub const QUEUE_COUNT_DEFAULT: usize = 65_536;
/// Default of `Config::tick_interval`.
pub const TICK_INTERVAL_DEFAULT: Duration = Duration::from_millis(80);
/// Default of `Config::feed_batch_count`.
pub const FEED_BATCH_COUNT_DEFAULT: usize = 4_096;
/// Default of `Config::ended_order_count`.
pub const ENDED_ORDER_COUNT_DEFAULT: usize = 65_536;
/// Default of `Config::archive_queue_size_max`.
pub const ARCHIVE_QUEUE_SIZE_DEFAULT: u64 = 64 << 20;
