//! The engine: recovers a shard, starts its threads, and ends them.
//!
//! Five threads that block and do not spin: the core's (sequencer and executor), the log's, the
//! releaser's, the follower's, and the archive's, for which none of the others ever waits. Between them lie bounded mailboxes, so that the core runs ahead of the
//! disk by `IN_FLIGHT_RECORD_MAX` records and no more. Ending goes downstream: the intake closes, the
//! core works off what waits, and each stage ends when the one before has.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use archive::{Archive, Indexer, Opened};
use journal::{CommandLog, DataFolder, Sealed, SegmentOptions};
use schema::ClockStatus;
use schema::limits::{HASH_WINDOW, SHADOW_LAG_WINDOW_MAX};

use crate::answer::answer_of;
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, Storage};
use crate::exchange_clock::ExchangeClock;
use crate::executor::{Executor, message};
use crate::fault::{StartFault, StopReason};
use crate::feed::Feeds;
use crate::feeding::Feeding;
use crate::follower::Follower;
use crate::history::History;
use crate::indexing::Indexing;
use crate::intake::Intake;
use crate::lead::begin_term;
use crate::log_thread;
use crate::mailbox::Mailbox;
use crate::metrics::Metrics;
use crate::port::InProcess;
use crate::recovery::{Replayed, replay};
use crate::releaser::{self, Executed, Released};
use crate::sequencer::{Chain, Pace, Sequencer};
use crate::shard::{Parts, Shard};
use crate::stored::{Missing, StoredEvents};
use crate::view::Changes;

/// A running shard. Dropping it ends it too, but without working off what waits.
pub struct Engine {
    shard: Arc<Shard>,
    port: InProcess,
    recovery: RecoveryReport,
    pipeline: Pipeline,
    /// Kept locked until the threads have ended.
    _folder: Option<DataFolder>,
}

/// The threads, in the order in which they end.
struct Pipeline {
    upstream: Vec<JoinHandle<()>>,
    released: Arc<Mailbox<Released>>,
    follower: Option<JoinHandle<()>>,
    indexing: Option<JoinHandle<()>>,
}

/// What the start found in the logs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecoveryReport {
    /// Records replayed.
    pub record_count: u64,
    /// Last command replayed.
    pub command_sequence: u64,
    /// Last event after them.
    pub event_sequence: u64,
    /// Blocks of events that were stored already and compared.
    pub compared_block_count: u64,
    /// Blocks of events that were missing and made again.
    pub made_block_count: u64,
    /// Recorded state hashes that were compared.
    pub hash_count: u64,
    /// Hash of the state.
    pub state_hash: [u8; 32],
    /// How long it took.
    pub took: Duration,
}

/// How a shard ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// Why.
    pub reason: StopReason,
    /// Last durable command.
    pub command_sequence: u64,
    /// Last event of the view.
    pub event_sequence: u64,
}

impl Engine {
    /// Starts the shard of a data folder on this machine's disk and clocks.
    ///
    /// # Errors
    /// Why it cannot start; the logs are as they were, but for a missing tail of events.
    pub fn start(config: Config, folder: DataFolder) -> Result<Self, StartFault> {
        let storage = Storage::open(folder, SegmentOptions::default())?;
        Self::start_with(config, storage, Arc::new(SystemClock::new()))
    }

    /// Starts a shard on logs and clocks of the caller's choice.
    ///
    /// # Errors
    /// As `start`.
    pub fn start_with(
        config: Config,
        storage: Storage,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StartFault> {
        Self::start_prepared(config, storage, clock, |_| {})
    }

    /// As `start_with`; a test may break the executor before it runs.
    pub(crate) fn start_prepared(
        config: Config,
        storage: Storage,
        clock: Arc<dyn Clock>,
        prepare: impl FnOnce(&mut Executor),
    ) -> Result<Self, StartFault> {
        let Storage { mut commands, events, folder, archive } = storage;
        let events = StoredEvents::new(events, Missing::Append);
        let mut replayed = replay(&*commands, events, config.ended_order_count, &mut |_, _| {})?;
        let recovery = replayed.report;
        if recovery.made_block_count > 0 {
            tracing::warn!(
                block_count = recovery.made_block_count,
                event_sequence = recovery.event_sequence,
                "events were missing behind the command log and were made again from it"
            );
        }
        let position = replayed.executor.kernel().position();
        let clock = ExchangeClock::above(clock, replayed.last_stamp.max(position.last_timestamp));
        prepare(&mut replayed.executor);
        let epoch = begin_term(&mut *commands, &mut replayed, &clock, &config)?;
        let archive = archive.map(|folder| open_archive(&folder, &replayed.events)).transpose()?;
        let starting = Starting { config, commands, replayed, archive, clock, epoch };
        let (shard, pipeline) = starting.spawn()?;
        let port = InProcess::new(shard.clone(), pipeline.released.clone());
        Ok(Self { shard, port, recovery, pipeline, _folder: folder })
    }

    /// The three doors.
    #[must_use]
    pub fn port(&self) -> InProcess {
        self.port.clone()
    }

    /// What the shard counts.
    #[must_use]
    pub fn metrics(&self) -> Arc<Metrics> {
        self.shard.metrics.clone()
    }

    /// What the start found.
    #[must_use]
    pub const fn recovery(&self) -> &RecoveryReport {
        &self.recovery
    }

    /// Why the shard stopped; `None` while it runs.
    #[must_use]
    pub fn stop_reason(&self) -> Option<StopReason> {
        self.shard.reason()
    }

    /// A person says that the wall clock is right after a step (D-53): stamps follow it again.
    pub fn confirm_clock(&self) {
        self.shard.clock.confirm();
    }

    /// Takes no more commands, answers those it has, makes all durable and ends its threads.
    #[must_use]
    pub fn stop(mut self) -> Stopped {
        self.shard.intake.close();
        self.pipeline.join(&self.shard);
        self.shard.stop(StopReason::Asked);
        let view_sequence = self.shard.view.read().kernel().position().event_sequence;
        Stopped {
            reason: self.shard.reason().unwrap_or(StopReason::Asked),
            command_sequence: self.shard.durability.sequence(),
            event_sequence: view_sequence,
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.shard.stop(StopReason::Asked);
        self.pipeline.join(&self.shard);
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("shard", &self.shard)
            .field("recovery", &self.recovery)
            .finish_non_exhaustive()
    }
}

impl Pipeline {
    /// Waits for the threads; the intake must be closed.
    fn join(&mut self, shard: &Shard) {
        for thread in self.upstream.drain(..) {
            join(thread);
        }
        self.released.close();
        if let Some(follower) = self.follower.take() {
            join(follower);
        }
        if let Some(history) = &shard.history {
            history.inbox.close();
        }
        if let Some(indexing) = self.indexing.take() {
            join(indexing);
        }
    }
}

fn join(thread: JoinHandle<()>) {
    if thread.join().is_err() {
        tracing::error!("a thread of the shard panicked");
    }
}

/// Everything that a shard starts from.
struct Starting {
    config: Config,
    commands: Box<dyn CommandLog + Send>,
    replayed: Replayed,
    archive: Option<Indexed>,
    clock: ExchangeClock,
    epoch: u64,
}

impl Starting {
    fn spawn(self) -> Result<(Arc<Shard>, Pipeline), StartFault> {
        let Self { config, commands, replayed, archive, clock, epoch } = self;
        let Replayed { executor, events, view, shadow, .. } = replayed;
        let (end, event_sequence) = (commands.end(), view.kernel().position().event_sequence);
        let metrics = Arc::new(first_metrics(end.sequence, event_sequence));
        let fallback = view.clock() == ClockStatus::Fallback;
        let (shard_number, ticked_at) = (view.kernel().shard(), clock.monotonic());
        let indexed = archive.as_ref().map_or(0, |it| it.indexer.end().event_sequence);
        metrics.archive_rebuild_count.add(archive.iter().filter(|it| it.is_anew).count() as u64);
        let (archive, indexer) = archive.map(|it| (it.archive, it.indexer)).unzip();
        let shard = Arc::new(Shard::new(Parts {
            intake: Intake::new(config.queue_count_max),
            durable_sequence: end.sequence,
            clock,
            metrics,
            view,
            feeds: Feeds::new(event_sequence, config.feed_batch_count),
            history: archive
                .map(|archive| History::new(archive, indexed, config.archive_queue_size_max)),
        }));
        let records = Arc::new(Mailbox::new(IN_FLIGHT_RECORD_MAX));
        let executed = Arc::new(Mailbox::new(IN_FLIGHT_RECORD_MAX));
        let released = Arc::new(Mailbox::new(FOLLOWER_LAG_EVENT_MAX));
        let interval = u64::try_from(config.tick_interval.as_nanos()).unwrap_or(u64::MAX);
        let sequencer = Sequencer {
            shard: shard.clone(),
            records: records.clone(),
            executed: executed.clone(),
            executor,
            chain: Chain { epoch, next_sequence: end.sequence + 1, previous: end.hash },
            pace: Pace { interval, ticked_at, fallback },
            own: std::collections::VecDeque::new(),
            commands: Vec::new(),
        };
        let follower = Follower {
            shard: shard.clone(),
            released: released.clone(),
            events,
            feeding: Feeding::from(indexed + 1),
            shadow,
            shard_number,
            changes: Changes::default(),
            last_event: event_sequence,
            failed: false,
        };
        let stages = Stages { records, executed, released };
        let indexing = indexer.map(|it| Indexing::new(shard.clone(), it, stages.released.clone()));
        let pipeline = stages.spawn(&shard, (commands, sequencer, follower, indexing))?;
        Ok((shard, pipeline))
    }
}

/// The archive as a start finds it.
struct Indexed {
    archive: Archive,
    indexer: Indexer,
    /// What was there could not be used.
    is_anew: bool,
}

/// What the threads run on: log, core, follower, archive.
type Work = (Box<dyn CommandLog + Send>, Sequencer, Follower, Option<Indexing>);

/// What lies between the threads.
struct Stages {
    records: Arc<Mailbox<Sealed>>,
    executed: Arc<Mailbox<Executed>>,
    released: Arc<Mailbox<Released>>,
}

impl Stages {
    /// Starts the threads, the last stage first; one that cannot be had ends those before it.
    fn spawn(
        self,
        shard: &Arc<Shard>,
        (commands, sequencer, follower, indexing): Work,
    ) -> Result<Pipeline, StartFault> {
        let Self { records, executed, released } = self;
        let mut pipeline =
            Pipeline { upstream: Vec::new(), released, follower: None, indexing: None };
        let started = (|| {
            let owner = shard.clone();
            let index = move || indexing.into_iter().for_each(Indexing::run);
            let after = move || owner.history.iter().for_each(|it| it.waiters.close());
            pipeline.indexing = Some(spawn(ARCHIVE, shard, index, after)?);
            let (inbox, owner) = (pipeline.released.clone(), shard.clone());
            let after = move || {
                inbox.close();
                owner.feeds.close();
                owner.waiters.close();
            };
            pipeline.follower = Some(spawn(FOLLOWER, shard, move || follower.run(), after)?);
            let (owner, inbox, next) = (shard.clone(), executed.clone(), pipeline.released.clone());
            let release = move || releaser::run(&owner, &inbox, &next);
            let inbox = executed.clone();
            pipeline.upstream.push(spawn(RELEASER, shard, release, move || inbox.close())?);
            let (owner, inbox) = (shard.clone(), records.clone());
            let log = move || log_thread::run(&owner, commands, &inbox);
            let (owner, inbox) = (shard.clone(), records.clone());
            let after = move || {
                inbox.close();
                owner.durability.end();
            };
            pipeline.upstream.push(spawn(LOG, shard, log, after)?);
            let (owner, inbox, next) = (shard.clone(), records.clone(), executed.clone());
            let after = move || {
                owner.intake.clear();
                inbox.close();
                next.close();
            };
            pipeline.upstream.push(spawn(CORE, shard, move || sequencer.run(), after)?);
            Ok(())
        })();
        if let Err(fault) = started {
            records.close();
            executed.close();
            pipeline.join(shard);
            return Err(fault);
        }
        Ok(pipeline)
    }
}

/// Starts a thread. If its work panics, which is a bug, the shard stops; either way the stages around it
/// are told that it has ended, so that nobody waits for it for ever.
fn spawn(
    name: &'static str,
    shard: &Arc<Shard>,
    work: impl FnOnce() + Send + 'static,
    after: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, StartFault> {
    let shard = shard.clone();
    let guarded = move || {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(work)) {
            shard.stop(StopReason::Bug { thread: name, message: message(&*panic) });
        }
        after();
    };
    Ok(thread::Builder::new().name(format!("dex-{name}")).spawn(guarded)?)
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

/// Names of the threads.
const CORE: &str = "core";
const LOG: &str = "log";
const RELEASER: &str = "releaser";
const FOLLOWER: &str = "follower";
const ARCHIVE: &str = "archive";
/// Records that the core may be ahead of the disk, and of the releaser.
const IN_FLIGHT_RECORD_MAX: u64 = 512;
/// Events that the follower may be behind before the releaser waits for it: twice what closes the intake,
/// since cancels and withdrawals pass (D-83).
const FOLLOWER_LAG_EVENT_MAX: u64 = 2 * SHADOW_LAG_WINDOW_MAX * HASH_WINDOW;
