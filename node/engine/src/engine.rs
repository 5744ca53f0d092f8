//! The engine: starts a recovered shard (`starting.rs`) in threads, and ends them.
//!
//! Five threads that block and do not spin: the core's (sequencer and executor), the log's, the
//! releaser's, the follower's, and the archive's, for which none of the others ever waits. Between them lie bounded mailboxes, so that the core runs ahead of the
//! disk by `IN_FLIGHT_RECORD_MAX` records and no more. Ending goes downstream: the intake closes, the
//! core works off what waits, and each stage ends when the one before has.

use std::fmt;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use journal::{DataFolder, SegmentOptions};

use crate::clock::{Clock, SystemClock};
use crate::config::{Config, Storage};
use crate::executor::Executor;
use crate::fault::{StartFault, StopReason};
use crate::mailbox::Mailbox;
use crate::metrics::Metrics;
use crate::port::InProcess;
use crate::releaser::Released;
use crate::shard::{Shard, WaitClock};
use crate::stage::{Stage, run_to_end};
use crate::starting::{self, Stages, Started};

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
    /// Event of the snapshot that it began from; 0 when all was replayed.
    pub snapshot_sequence: u64,
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
        let clocks = (clock, WaitClock::Machine);
        let Started { shard, port, recovery, stages, folder } =
            starting::start(config, storage, clocks, prepare)?;
        let pipeline = spawn(stages, &shard)?;
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

    /// Takes no more commands, answers those it has, makes all durable and ends its threads.
    #[must_use]
    pub fn stop(mut self) -> Stopped {
        self.shard.intake.close();
        self.pipeline.join(&self.shard);
        self.shard.stop(StopReason::Asked);
        self.shard.stopped()
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

/// Starts the threads, the last stage first; one that cannot be had ends those before it.
fn spawn(stages: Stages, shard: &Arc<Shard>) -> Result<Pipeline, StartFault> {
    let Stages { core, log, releaser, follower, archive } = stages;
    let (records, executed) = (core.records.clone(), core.executed.clone());
    let released = follower.released.clone();
    let mut pipeline = Pipeline { upstream: Vec::new(), released, follower: None, indexing: None };
    let start = || {
        pipeline.indexing = archive.map(|it| spawn_stage(it, shard)).transpose()?;
        pipeline.follower = Some(spawn_stage(follower, shard)?);
        pipeline.upstream.push(spawn_stage(releaser, shard)?);
        pipeline.upstream.push(spawn_stage(log, shard)?);
        pipeline.upstream.push(spawn_stage(core, shard)?);
        Ok(())
    };
    if let Err(fault) = start() {
        records.close();
        executed.close();
        pipeline.join(shard);
        return Err(fault);
    }
    Ok(pipeline)
}

fn spawn_stage<S>(stage: S, shard: &Arc<Shard>) -> Result<JoinHandle<()>, StartFault>
where
    S: Stage + Send + 'static,
{
    let shard = shard.clone();
    let thread = thread::Builder::new().name(format!("dex-{}", S::NAME));
    Ok(thread.spawn(move || run_to_end(stage, &shard))?)
}
