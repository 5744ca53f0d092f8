//! A shard whose stages the caller steps: for simulators.
//!
//! The same start, the same stages and the same queues as in `engine.rs`, and no thread: the caller owns
//! the stages and decides which does the next unit of work, in which order and how often. So with a
//! simulated disk and a simulated clock every run follows from its inputs. No other time is read where
//! it decides anything: what bounds a wait is counted in the shard's own monotonic time (`Shard::now`).
//!
//! A shard dropped here ends as in a crash: nothing is worked off, nothing synced, and callers who wait
//! are told `Stopped` by the drop of their tickets.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use journal::DataFolder;

use crate::clock::Clock;
use crate::config::{Config, Storage};
use crate::engine::{RecoveryReport, Stopped};
use crate::fault::{StartFault, StopReason};
use crate::follower::Follower;
use crate::indexing::Indexing;
use crate::logging::Logging;
use crate::metrics::Metrics;
use crate::port::InProcess;
use crate::releaser::Releaser;
use crate::sequencer::Sequencer;
use crate::shard::{Shard, WaitClock};
use crate::stage::{Step, step};
use crate::starting::{self, Stages, Started};
use crate::view::hash_from_nothing;

/// A shard in one thread, the caller's.
pub struct Stepped {
    shard: Arc<Shard>,
    port: InProcess,
    recovery: RecoveryReport,
    core: Option<Sequencer>,
    log: Option<Logging>,
    releaser: Option<Releaser>,
    follower: Option<Follower>,
    archive: Option<Indexing>,
    is_closing: bool,
    _folder: Option<DataFolder>,
}

/// A stage of the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StageKind {
    /// Numbers and executes: a step is one record.
    Core,
    /// Appends the records that wait and syncs: a step is one sync.
    Log,
    /// Answers what is durable: a step is one record.
    Releaser,
    /// Event log, view and feeds: a step is one record.
    Follower,
    /// The archive, where there is one: a step is what waits.
    Archive,
}

impl StageKind {
    /// All of them, the first one first.
    pub const ALL: [Self; 5] =
        [Self::Core, Self::Log, Self::Releaser, Self::Follower, Self::Archive];
}

impl Stepped {
    /// Starts a shard on logs and clocks of the caller's choice.
    ///
    /// # Errors
    /// As `Engine::start_with`.
    pub fn start_with(
        config: Config,
        storage: Storage,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StartFault> {
        let clocks = (clock, WaitClock::Shard(Instant::now()));
        let Started { shard, port, recovery, stages, folder } =
            starting::start(config, storage, clocks, |_| {})?;
        let Stages { core, log, releaser, mut follower, archive } = stages;
        if let Some(snapshots) = &mut follower.snapshots {
            snapshots.write_inline();
        }
        Ok(Self {
            shard,
            port,
            recovery,
            core: Some(core),
            log: Some(log),
            releaser: Some(releaser),
            follower: Some(follower),
            archive,
            is_closing: false,
            _folder: folder,
        })
    }

    /// Lets a stage do one unit of work.
    pub fn step(&mut self, stage: StageKind) -> Step {
        let shard = &*self.shard;
        let came_to = match stage {
            StageKind::Core => step(&mut self.core, shard),
            StageKind::Log => step(&mut self.log, shard),
            StageKind::Releaser => step(&mut self.releaser, shard),
            StageKind::Follower => step(&mut self.follower, shard),
            StageKind::Archive => step(&mut self.archive, shard),
        };
        if self.is_closing && came_to == Step::Ended {
            self.end_downstream();
        }
        came_to
    }

    /// Steps all stages in turn until none has anything to do.
    pub fn settle(&mut self) {
        while StageKind::ALL.map(|stage| self.step(stage)).contains(&Step::Worked) {}
    }

    /// The three doors. A future of theirs ends only when the stages were stepped.
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

    /// Hash of the state that the view has now, from nothing.
    #[must_use]
    pub fn state_hash(&self) -> [u8; 32] {
        hash_from_nothing(self.shard.view.read().kernel())
    }

    /// Why the shard stopped; `None` while it runs.
    #[must_use]
    pub fn stop_reason(&self) -> Option<StopReason> {
        self.shard.reason()
    }

    /// Takes no more commands, answers those it has, makes all durable and ends its stages.
    #[must_use]
    pub fn stop(mut self) -> Stopped {
        self.is_closing = true;
        self.shard.intake.close();
        self.end_downstream();
        while StageKind::ALL.map(|stage| self.step(stage)) != [Step::Ended; 5] {}
        self.shard.stop(StopReason::Asked);
        self.shard.stopped()
    }

    /// What ends a stage once those before it have ended, as the threaded form does in joining them.
    fn end_downstream(&self) {
        let upstream = (&self.core, &self.log, &self.releaser);
        if let ((None, None, None), Some(follower)) = (upstream, &self.follower) {
            follower.released.close();
        }
        if let (None, Some(history)) = (&self.follower, &self.shard.history) {
            history.inbox.close();
        }
    }
}

impl Drop for Stepped {
    /// Doors that are kept longer lead nowhere: who waits behind one is told.
    fn drop(&mut self) {
        self.shard.stop(StopReason::Asked);
        self.shard.intake.clear();
        self.shard.waiters.close();
        self.shard.feeds.close();
        if let Some(follower) = &self.follower {
            follower.released.close();
            let _ = follower.released.try_take(&mut VecDeque::new());
        }
    }
}

impl fmt::Debug for Stepped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stepped")
            .field("shard", &self.shard)
            .field("recovery", &self.recovery)
            .finish_non_exhaustive()
    }
}
