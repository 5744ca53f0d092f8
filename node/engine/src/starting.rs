//! A start: from logs, clock and configuration to a shard and the stages of its pipeline.
//!
//! Owns recovery's order (logs replayed, the term begun, the archive opened) and the queues between the
//! stages. Which thread runs a stage, or whose step, is `engine.rs` and `stepped.rs`.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use archive::{Archive, Indexer, Opened};
use journal::{CommandLog, DataFolder};
use kernel::Kernel;
use schema::ClockStatus;
use schema::limits::{HASH_WINDOW, SHADOW_LAG_WINDOW_MAX};
use snapshot::SnapshotStore;

use crate::answer::answer_of;
use crate::clock::Clock;
use crate::compressing::Compressing;
use crate::config::{Config, Storage};
use crate::engine::RecoveryReport;
use crate::exchange_clock::ExchangeClock;
use crate::executor::Executor;
use crate::fault::StartFault;
use crate::feed::Feeds;
use crate::feeding::Feeding;
use crate::follower::Follower;
use crate::history::History;
use crate::indexing::Indexing;
use crate::intake::{Intake, Work};
use crate::lead::begin_term;
use crate::logging::Logging;
use crate::mailbox::Mailbox;
use crate::metrics::Metrics;
use crate::port::InProcess;
use crate::recovery::{Replayed, replay};
use crate::releaser::{RecordPlace, Releaser};
use crate::room::{MachineSpace, Room};
use crate::sequencer::{Chain, Pace, Sequencer};
use crate::shard::{Parts, Shard, WaitClock};
use crate::snapshots::Snapshots;
use crate::stored::{Missing, StoredEvents};
use crate::view::Changes;

/// A shard that is ready to run.
pub(crate) struct Started {
    pub(crate) shard: Arc<Shard>,
    pub(crate) port: InProcess,
    pub(crate) recovery: RecoveryReport,
    pub(crate) stages: Stages,
    /// Kept locked as long as the stages run.
    pub(crate) folder: Option<DataFolder>,
}

/// The stages of the pipeline, the first one first.
pub(crate) struct Stages {
    pub(crate) core: Sequencer,
    pub(crate) log: Logging,
    pub(crate) releaser: Releaser,
    pub(crate) follower: Follower,
    pub(crate) archive: Option<Indexing>,
}

/// Recovers a shard and makes its stages; `prepare` may change the executor before it runs.
pub(crate) fn start(
    config: Config,
    storage: Storage,
    (clock, waits): (Arc<dyn Clock>, WaitClock),
    prepare: impl FnOnce(&mut Executor),
) -> Result<Started, StartFault> {
    let Storage { mut commands, events, folder, archive, snapshots } = storage;
    let events = StoredEvents::new(events, Missing::Append);
    let from = (snapshots.as_ref(), config.ended_order_count);
    let mut replayed = replay(&*commands, events, from, &mut |_, _| {})?;
    let recovery = replayed.report;
    if recovery.made_block_count > 0 {
        tracing::warn!(
            block_count = recovery.made_block_count,
            event_sequence = recovery.event_sequence,
            "events were missing behind the command log and were made again from it"
        );
    }
    let position = replayed.executor.kernel().position();
    let end = replayed.last_stamp.max(position.last_timestamp);
    let clock = if is_unconfirmed(replayed.executor.kernel()) {
        ExchangeClock::unconfirmed(clock, end)
    } else {
        ExchangeClock::above(clock, end)
    };
    prepare(&mut replayed.executor);
    let epoch = begin_term(&mut *commands, &mut replayed, &clock, &config)?;
    let archive = archive.map(|folder| open_archive(&folder, &replayed.events)).transpose()?;
    let events_folder = folder.as_ref().map(DataFolder::events);
    let mut config = config;
    if config.space.is_none()
        && let Some(folder) = &folder
    {
        config.space = Some(Arc::new(MachineSpace(folder.path().to_path_buf())));
    }
    let (shard, stages) =
        Starting { config, commands, replayed, archive, snapshots, events_folder, clock, epoch }
            .make(waits);
    let port = InProcess::new(shard.clone(), stages.follower.released.clone());
    Ok(Started { shard, port, recovery, stages, folder })
}

/// Everything that the stages are made of.
struct Starting {
    config: Config,
    commands: Box<dyn CommandLog + Send>,
    replayed: Replayed,
    archive: Option<Indexed>,
    snapshots: Option<SnapshotStore>,
    events_folder: Option<PathBuf>,
    clock: ExchangeClock,
    epoch: u64,
}

impl Starting {
    fn make(self, waits: WaitClock) -> (Arc<Shard>, Stages) {
        let Self { config, commands, replayed, archive, snapshots, events_folder, clock, epoch } =
            self;
        let Replayed { executor, mut events, view, shadow, begun, last_stamp, .. } = replayed;
        // The term that has begun made an event, so its record is the last one that did.
        let place = RecordPlace { hash: commands.end().hash, last_stamp };
        let (end, event_sequence) = (commands.end(), view.kernel().position().event_sequence);
        let metrics = Arc::new(first_metrics(end.sequence, event_sequence));
        let (source, is_halting) = (view.clock(), is_unconfirmed(executor.kernel()));
        let (shard_number, ticked_at) = (view.kernel().shard(), clock.monotonic());
        let indexed = archive.as_ref().map_or(0, |it| it.indexer.end().event_sequence);
        metrics.archive_rebuild_count.add(archive.iter().filter(|it| it.is_anew).count() as u64);
        let (archive, indexer) = archive.map(|it| (it.archive, it.indexer)).unzip();
        let history =
            archive.map(|archive| History::new(archive, indexed, config.archive_queue_size_max));
        let shard = Arc::new(Shard::new(Parts {
            intake: Intake::new(config.queue_count_max),
            durable_sequence: end.sequence,
            clock,
            metrics,
            view,
            feeds: Feeds::new(event_sequence, config.feed_batch_count),
            history,
            room: Room::new(config.space),
            waits,
        }));
        events.count_from(shard.now());
        let queues = Queues::new();
        let interval = u64::try_from(config.tick_interval.as_nanos()).unwrap_or(u64::MAX);
        let core = Sequencer {
            shard: shard.clone(),
            records: queues.records.clone(),
            executed: queues.executed.clone(),
            executor,
            chain: Chain { epoch, next_sequence: end.sequence + 1, previous: end.hash },
            pace: Pace { interval, ticked_at, source, is_halting },
            own: VecDeque::new(),
            work: Work::default(),
            commands: Vec::new(),
        };
        let snapshots = snapshots.map(|it| Snapshots::new(it, config.snapshots, begun, &shard));
        let follower = Follower {
            shard: shard.clone(),
            released: queues.released.clone(),
            batch: VecDeque::new(),
            events,
            feeding: Feeding::from(indexed + 1),
            shadow,
            shard_number,
            changes: Changes::default(),
            last_event: event_sequence,
            snapshots,
            compressing: events_folder.map(Compressing::new),
            place,
            following: config.following,
            failed: false,
        };
        let archive = indexer.map(|it| Indexing::new(shard.clone(), it, queues.released.clone()));
        let log = Logging {
            shard: shard.clone(),
            log: commands,
            records: queues.records,
            batch: VecDeque::new(),
        };
        let releaser = Releaser {
            shard: shard.clone(),
            executed: queues.executed,
            released: queues.released,
            batch: VecDeque::new(),
            last_event: event_sequence,
        };
        (shard, Stages { core, log, releaser, follower, archive })
    }
}

/// Whether nobody had confirmed the clock when the log ended: its last word is that no source is followed, and
/// trading is halted. A start is no confirmation (TIME-34).
fn is_unconfirmed(kernel: &Kernel) -> bool {
    kernel.halt().is_some() && kernel.clock_status() == ClockStatus::Fallback
}

/// What lies between the stages.
struct Queues {
    records: Arc<Mailbox<journal::Sealed>>,
    executed: Arc<Mailbox<crate::releaser::Executed>>,
    released: Arc<Mailbox<crate::releaser::Released>>,
}

impl Queues {
    fn new() -> Self {
        Self {
            records: Arc::new(Mailbox::new(IN_FLIGHT_RECORD_MAX)),
            executed: Arc::new(Mailbox::new(IN_FLIGHT_RECORD_MAX)),
            released: Arc::new(Mailbox::new(FOLLOWER_LAG_EVENT_MAX)),
        }
    }
}

/// The archive as a start finds it.
struct Indexed {
    archive: Archive,
    indexer: Indexer,
    /// What was there could not be used.
    is_anew: bool,
}

/// Opens the archive. One that does not stand on a block of the event log, or cannot be read, begins anew:
/// it is never trusted above the log (STATE-31).
fn open_archive(folder: &Path, events: &StoredEvents) -> Result<Indexed, StartFault> {
    let Opened { archive, mut indexer, fault } =
        Archive::open(folder, answer_of).map_err(|fault| StartFault::Archive(fault.to_string()))?;
    if let Some(fault) = &fault {
        tracing::error!(%fault, "CRITICAL: the archive cannot be read and is made anew (STATE-31)");
    }
    let mut is_anew = fault.is_some();
    let end = indexer.end();
    if end.event_sequence > 0 && !events.has_end(&end)? {
        tracing::error!(
            event_sequence = end.event_sequence,
            "CRITICAL: the archive differs from the event log and is made anew (STATE-31)"
        );
        indexer.start_again().map_err(|fault| StartFault::Archive(fault.to_string()))?;
        is_anew = true;
    }
    Ok(Indexed { archive, indexer, is_anew })
}

fn first_metrics(command_sequence: u64, event_sequence: u64) -> Metrics {
    let metrics = Metrics::default();
    metrics.command_sequence.set(command_sequence);
    metrics.durable_sequence.set(command_sequence);
    metrics.event_sequence.set(event_sequence);
    metrics.released_event.set(event_sequence);
    metrics.view_sequence.set(event_sequence);
    metrics
}

/// Records that the core may be ahead of the disk, and of the releaser.
const IN_FLIGHT_RECORD_MAX: u64 = 512;
/// Events that the follower may be behind before the releaser waits for it: twice what closes the intake,
/// since cancels and withdrawals pass (D-83).
const FOLLOWER_LAG_EVENT_MAX: u64 = 2 * SHADOW_LAG_WINDOW_MAX * HASH_WINDOW;
