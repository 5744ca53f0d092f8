//! The snapshots on the simulated disk.
//!
//! Owns what must hold of them: a start begins from the latest one that nobody harmed, and puts those
//! aside that it found harmed; what is on record is what is stored; each one and the commands behind it,
//! and all commands from nothing, give the state of the node that lived.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use engine::{RecoveryReport, SnapshotPolicy, Stepped, Storage};
use journal::disk::Disk;
use journal::{EventLog, Journal};
use snapshot::SnapshotStore;
use testkit::rng::SplitMix64;

use super::World;
use super::node::{COMMANDS, EVENTS, OPTIONS, SNAPSHOTS};
use super::replay::Replayed;
use crate::disk::{Harm, SimDisk};
use crate::violation::{Violation, ensure};

/// When a run takes snapshots: often, so that most runs begin again from some.
pub(super) fn policy_of(random: &mut SplitMix64) -> SnapshotPolicy {
    SnapshotPolicy {
        events: *random.pick(&[100, 300, 1_000, 3_000]).expect("some"),
        interval: Duration::from_secs(*random.pick(&[10, 600, 3_600]).expect("some")),
        checkpoint: Duration::from_secs(60),
        count: usize::try_from(random.between(1, 4)).expect("few"),
    }
}

/// The file of a snapshot or of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    event_sequence: u64,
    path: PathBuf,
    is_harmed: bool,
}

impl Stored {
    /// A checkpoint is not on record (D-111).
    fn is_on_record(&self) -> bool {
        self.path.extension().is_some_and(|end| end == "snapshot")
    }
}

impl World {
    /// The latest snapshot that nobody harmed; 0 for none.
    pub(super) fn latest_snapshot(&self) -> u64 {
        latest_of(&self.disk)
    }

    /// A start began from the latest that could be used, and harmed ones above it are out of the way.
    pub(super) fn check_begun(&mut self, latest: u64, begun: u64) -> Result<(), Violation> {
        ensure(begun == latest, || format!("began from snapshot {begun} and not from {latest}"))?;
        self.figures.snapshot_starts += u64::from(begun > 0);
        let left = stored(&self.disk).into_iter().find(|it| it.event_sequence > begun);
        ensure(left.is_none() || self.disk.is_dead(), || format!("{left:?} was not put aside"))
    }

    /// Every snapshot there is, and none at all, lead to the state that the living node has; a harmed one
    /// is refused and the one before it used. The node has nothing left to do.
    pub(super) fn check_snapshots(&mut self) -> Result<(), Violation> {
        let Some(node) = &self.node else { return Err(Violation("the node is gone".to_owned())) };
        let live = (self.auditor.command_count(), self.auditor.last_event(), node.state_hash());
        self.check_recorded()?;
        let mut all: Vec<u64> = sound(&self.disk).map(|it| it.event_sequence).collect();
        all.dedup();
        for from in all.iter().copied().chain([0]) {
            let (report, disk) = self.begin_copy(|it| it.event_sequence == from, false)?;
            self.check_copy(&report, from, live)?;
            if from == 0 {
                self.check_events(&disk, live)?;
            }
        }
        let (latest, before) = (all.last(), all.iter().nth_back(1).copied().unwrap_or(0));
        if latest.is_some() {
            let (report, _) = self.begin_copy(|_| true, true)?;
            self.check_copy(&report, before, live)?;
        }
        Ok(())
    }

    /// The events alone lead to the same state, by every hash on record.
    fn check_events(
        &mut self,
        disk: &SimDisk,
        (_, last_event, state_hash): (u64, u64, [u8; 32]),
    ) -> Result<(), Violation> {
        let replayed = Replayed::of(disk, last_event)?;
        self.figures.compared_hashes += replayed.compared;
        ensure(replayed.state() == (last_event, state_hash), || {
            let found = replayed.state();
            format!(
                "the events alone come to {found:?}, the node to {:?}",
                (last_event, state_hash)
            )
        })
    }

    fn check_copy(
        &mut self,
        report: &RecoveryReport,
        from: u64,
        live: (u64, u64, [u8; 32]),
    ) -> Result<(), Violation> {
        self.figures.replays += 1;
        let found = (report.command_sequence, report.event_sequence, report.state_hash);
        ensure(report.snapshot_sequence == from, || {
            format!("a copy began from snapshot {} and not from {from}", report.snapshot_sequence)
        })?;
        ensure(found == live, || {
            format!("from snapshot {from} a start comes to {found:?}, the node lives at {live:?}")
        })
    }

    /// A start on a copy of the disk with some of its snapshots, the latest of them harmed or not.
    fn begin_copy(
        &self,
        keeps: impl Fn(&Stored) -> bool,
        harms_latest: bool,
    ) -> Result<(RecoveryReport, SimDisk), Violation> {
        let disk = self.disk.copy();
        let failed = |what: String| Violation(format!("a copy of the disk does not start: {what}"));
        for it in stored(&disk).iter().filter(|it| it.is_harmed || !keeps(it)) {
            disk.remove(&it.path).map_err(|fault| failed(fault.to_string()))?;
        }
        // What was renamed and is not on the medium yet is harmed as well.
        disk.sync_folder(Path::new(SNAPSHOTS)).map_err(|fault| failed(fault.to_string()))?;
        let latest = latest_of(&disk);
        for it in sound(&disk).filter(|it| harms_latest && it.event_sequence == latest) {
            let name = it.path.display().to_string();
            let mut random = SplitMix64::new(latest);
            let harmed = disk.harm(Harm::Flip, &name, &mut random);
            ensure(harmed.is_some(), || format!("{name} could not be harmed"))?;
        }
        let copy = disk.clone();
        let disk: Arc<dyn Disk> = Arc::new(disk);
        let log = |fault: journal::LogFault| failed(fault.to_string());
        let (commands, _) =
            Journal::open_end(disk.clone(), Path::new(COMMANDS), OPTIONS).map_err(log)?;
        let (events, _) =
            EventLog::open_end(disk.clone(), Path::new(EVENTS), OPTIONS).map_err(log)?;
        let snapshots = SnapshotStore::open(disk, Path::new(SNAPSHOTS));
        let snapshots = Some(snapshots.map_err(|fault| failed(fault.to_string()))?);
        let commands = Box::new(commands);
        let storage = Storage { commands, events, folder: None, archive: None, snapshots };
        let node = Stepped::start_with(self.config(), storage, self.clock.clone());
        Ok((*node.map_err(|fault| failed(fault.to_string()))?.recovery(), copy))
    }

    /// What the log says of a snapshot is what its file ends with, and the latest one is on record, or a later one was.
    fn check_recorded(&self) -> Result<(), Violation> {
        for it in sound(&self.disk).filter(|it| it.is_on_record()) {
            let bytes = self.disk.bytes(&it.path).unwrap_or_default();
            let sum = bytes.last_chunk::<32>();
            let recorded = self.auditor.snapshot_checksum(it.event_sequence);
            // Records rise: one that a crash kept off the record stays off once a later one is on it.
            let last = self.auditor.last_snapshot();
            let may_lack = it.event_sequence < self.latest_snapshot().max(last);
            ensure(recorded == sum.copied() || (recorded.is_none() && may_lack), || {
                format!("snapshot {} is on record with {recorded:?}", it.event_sequence)
            })?;
        }
        Ok(())
    }
}

/// All of them, the oldest first.
fn stored(disk: &SimDisk) -> Vec<Stored> {
    let named = |(path, is_harmed): (PathBuf, bool)| {
        let name = path.file_name()?.to_str()?;
        let digits = name.strip_suffix(".snapshot").or_else(|| name.strip_suffix(".checkpoint"))?;
        let event_sequence = digits.parse().ok()?;
        Some(Stored { event_sequence, path, is_harmed })
    };
    disk.files(SNAPSHOTS).into_iter().filter_map(named).collect()
}

/// Those that nobody harmed.
fn sound(disk: &SimDisk) -> impl DoubleEndedIterator<Item = Stored> {
    stored(disk).into_iter().filter(|it| !it.is_harmed)
}

fn latest_of(disk: &SimDisk) -> u64 {
    sound(disk).next_back().map_or(0, |it| it.event_sequence)
}
