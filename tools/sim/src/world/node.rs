//! The node's lives: how one begins from what the disk has, and how it ends.
//!
//! It begins from the latest snapshot that nobody harmed (`world/snapshots.rs`).
//!
//! Owns what may keep a node from starting: a disk that fails while it does, or harm. Harm that does not
//! keep it from starting must have changed nothing. Whatever a person would do about a start that failed
//! is done here: mend, make room, try again.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use engine::{Config, Following, StartFault, Stepped, StopReason, Storage};
use journal::{CommandLog, EventLog, Journal, LogFault, Preparation, SegmentOptions};
use schema::Label;
use snapshot::SnapshotStore;

use super::World;
use crate::tap::{WatchedLog, commands_of};
use crate::violation::{Violation, ensure};

/// Why a node is not up.
enum NotUp {
    Fault(String),
    Broken(Violation),
}

impl From<Violation> for NotUp {
    fn from(it: Violation) -> Self {
        Self::Broken(it)
    }
}

impl From<LogFault> for NotUp {
    fn from(it: LogFault) -> Self {
        Self::Fault(it.to_string())
    }
}

impl From<StartFault> for NotUp {
    fn from(it: StartFault) -> Self {
        Self::Fault(it.to_string())
    }
}

impl World {
    /// Starts the node, mending what keeps it from that.
    pub(crate) fn start(&mut self) -> Result<(), Violation> {
        for _ in 0..ATTEMPT_MAX {
            if self.disk.is_dead() {
                self.disk.restart();
            }
            let failures = self.failures();
            let up = self.try_start();
            let last = match up {
                Ok(()) => return Ok(()),
                Err(NotUp::Broken(violation)) => return Err(violation),
                Err(NotUp::Fault(fault)) => fault,
            };
            self.figures.failed_starts += 1;
            self.count_faults();
            if self.disk.is_dead() {
                continue;
            }
            let is_mended = self.disk.mend();
            self.figures.detected += u64::from(is_mended);
            let has_failed = self.failures() > failures;
            self.make_room();
            ensure(is_mended || has_failed, || format!("the node does not start: {last}"))?;
        }
        Err(Violation(format!("the node does not start in {ATTEMPT_MAX} attempts")))
    }

    /// What failed and may keep a node from starting, or end one: a snapshot may not.
    fn failures(&self) -> u64 {
        self.disk.counts().log_failures
    }

    /// Why one start fails; `None` when it does not.
    #[cfg(test)]
    pub(super) fn start_fault(&mut self) -> Result<Option<String>, Violation> {
        match self.try_start() {
            Ok(()) => Ok(None),
            Err(NotUp::Fault(fault)) => Ok(Some(fault)),
            Err(NotUp::Broken(violation)) => Err(violation),
        }
    }

    fn try_start(&mut self) -> Result<(), NotUp> {
        self.figures.starts += 1;
        let disk = Arc::new(self.disk.clone());
        let (commands, opened) = Journal::open_end(disk.clone(), Path::new(COMMANDS), OPTIONS)?;
        let mut found = Vec::new();
        if opened.end.sequence > 0 {
            for record in commands.read(1)? {
                found.extend(commands_of(&record?));
            }
        }
        let found_count = found.len() as u64;
        self.auditor.on_log(found)?;
        let (events, _) = EventLog::open_end(disk.clone(), Path::new(EVENTS), OPTIONS)?;
        self.stored_event = 0;
        if events.end().event_sequence > 0 {
            let blocks = events.read(1)?.collect::<Result<Vec<_>, _>>()?;
            self.stored_event = self.auditor.on_blocks(blocks.into_iter())?;
        }
        let last_event = self.auditor.last_event();
        let commands = Box::new(WatchedLog::new(commands, self.promised.clone()));
        let snapshots =
            Some(SnapshotStore::open(disk, Path::new(SNAPSHOTS)).map_err(StartFault::from)?);
        let storage = Storage { commands, events, folder: None, archive: None, snapshots };
        let latest = self.latest_snapshot();
        self.begin_time();
        self.auditor.on_start();
        let started = Stepped::start_with(self.config(), storage, self.clock.clone());
        self.auditor.on_promised(self.promised.take())?;
        let node = started?;
        let report = node.recovery();
        let told = (report.command_sequence, report.event_sequence);
        ensure(told == (found_count, last_event), || {
            format!("recovery tells of {told:?} and must of {:?}", (found_count, last_event))
        })?;
        self.check_begun(latest, report.snapshot_sequence)?;
        self.gateway.open(node.port());
        self.node = Some(node);
        Ok(())
    }

    pub(super) fn config(&self) -> Config {
        Config {
            genesis: Some(self.genesis.clone()),
            leader: Label::new("simulated").expect("short"),
            queue_count_max: 24,
            tick_interval: Duration::from_millis(80),
            feed_batch_count: 24,
            ended_order_count: ENDED_COUNT_MAX,
            archive_queue_size_max: 0,
            snapshots: self.policy,
            following: Following::Everything,
            space: Some(Arc::new(self.space.clone())),
        }
    }

    /// The process dies with everything in its memory; the files stay as they are seen.
    pub(crate) fn kill(&mut self) -> Result<(), Violation> {
        if self.node.is_some() {
            self.hit("process killed");
        }
        self.drop_node()
    }

    /// Power is lost: what was not synced may be gone.
    pub(crate) fn lose_power(&mut self) -> Result<(), Violation> {
        if !self.disk.is_dead() {
            self.hit("power lost at rest");
            self.disk.crash();
        }
        // Nobody hears anything any more.
        self.clients.forget_inside();
        self.drop_node()?;
        self.disk.restart();
        Ok(())
    }

    /// A node that stopped had a reason, told everybody, and is ended.
    pub(crate) fn check_stop(&mut self) -> Result<(), Violation> {
        let Some(reason) = self.node.as_ref().and_then(Stepped::stop_reason) else {
            return Ok(());
        };
        self.figures.stops += 1;
        let is_disks = matches!(reason, StopReason::CommandLog(_) | StopReason::EventLog(_));
        let has_cause = self.failures() > 0 || self.disk.is_log_harmed();
        ensure(is_disks && has_cause, || format!("the node stopped: {reason}"))?;
        if let Some(node) = &mut self.node {
            node.settle();
        }
        self.allow_time();
        self.auditor.on_promised(self.promised.take())?;
        self.check_port_told()?;
        self.drop_node()
    }

    fn drop_node(&mut self) -> Result<(), Violation> {
        self.node = None;
        self.gateway.close();
        self.consumer.disconnect();
        self.asked.clear();
        self.allow_time();
        self.auditor.on_promised(self.promised.take())?;
        self.check_all_told()
    }
}

/// Starts that are tried in a row: more than faults can be asked for.
const ATTEMPT_MAX: usize = 12;
/// Ended orders that a node remembers.
pub(crate) const ENDED_COUNT_MAX: usize = 64;
pub(super) const COMMANDS: &str = "/data/commands";
pub(super) const EVENTS: &str = "/data/events";
pub(super) const SNAPSHOTS: &str = "/data/snapshots";
/// Small segments, so that a run has many.
pub(super) const OPTIONS: SegmentOptions =
    SegmentOptions { size: 16 * 1024, preparation: Preparation::Inline };
