//! Recovery: the state again, from the first command on.
//!
//! Owns replay (its loop is `replaying.rs`). Every record of the command log runs through a kernel; the events it makes are compared
//! byte for byte with the stored ones, a missing tail is appended (EVT-85, REC-86), and the same bytes
//! are applied to the view, whose hashes are compared with those on record. At the end the two kernels
//! must agree (D-3, REC-41). Nothing is repaired: what contradicts itself stops the start with the
//! place. Checking a folder (`verify.rs`) is the same, with an event log that only compares.
//!
//! It starts from the latest snapshot that is whole and stands on a block of the event log (REC-45,
//! `snapshots.rs`), or from nothing.

use std::time::Instant;

use journal::{CommandLog, EventEnd};
use kernel::Kernel;
use schema::Stamped;
use snapshot::{Header, SnapshotStore};
use units::Timestamp;

use crate::engine::RecoveryReport;
use crate::executor::Executor;
use crate::fault::ReplayFault;
use crate::quarantine::Quarantines;
use crate::replaying::{self, Executing, Keeping, decode};
use crate::shadow::Shadow;
use crate::snapshots::{Loaded, Unusable, load};
use crate::stored::StoredEvents;
use crate::view::{View, hash_of_both};

/// A shard as its logs tell it.
pub(crate) struct Replayed {
    pub(crate) executor: Executor,
    pub(crate) events: StoredEvents,
    pub(crate) view: View,
    pub(crate) shadow: Shadow,
    pub(crate) report: RecoveryReport,
    /// The last stamp of the log.
    pub(crate) last_stamp: Timestamp,
    /// The snapshot that it began from, and its checksum.
    pub(crate) begun: Option<(Header, [u8; 32])>,
}

/// How far replay is: commands and events.
pub(crate) type OnProgress<'a> = &'a mut dyn FnMut(u64, u64);

/// Replays a command log against an event log.
pub(crate) fn replay(
    log: &dyn CommandLog,
    events: StoredEvents,
    (snapshots, ended_order_count): (Option<&SnapshotStore>, usize),
    on_progress: OnProgress<'_>,
) -> Result<Replayed, ReplayFault> {
    let began = Instant::now();
    let mut replayed = Replayed {
        executor: Executor::new(Kernel::new()),
        events,
        view: View::new(ended_order_count),
        shadow: Shadow::default(),
        report: RecoveryReport::default(),
        last_stamp: Timestamp(0),
        begun: None,
    };
    let end = log.end();
    replayed.check_events_behind(end.sequence)?;
    if let Some(store) = snapshots {
        replayed.begin_from(store, log, ended_order_count)?;
    }
    let first = replayed.report.command_sequence + 1;
    replayed.executor.keep_out(Quarantines::of_log(log, first)?);
    if end.sequence >= first {
        let count = end.sequence - first + 1;
        replaying::run(log.read(first)?, count, replayed.halves(), on_progress)?;
    }
    replayed.finish()?;
    replayed.report.took = began.elapsed();
    Ok(replayed)
}

impl Replayed {
    /// Begins from the latest snapshot that can be used, if there is one.
    fn begin_from(
        &mut self,
        store: &SnapshotStore,
        log: &dyn CommandLog,
        ended_order_count: usize,
    ) -> Result<(), ReplayFault> {
        let sequences = store.list().unwrap_or_else(|fault| {
            tracing::error!(%fault, "the snapshots cannot be listed; all is replayed");
            Vec::new()
        });
        for event_sequence in sequences {
            let loaded = match load(store, event_sequence, ended_order_count) {
                Ok(loaded) => loaded,
                Err(fault) => {
                    tracing::error!(%fault, event_sequence, "CRITICAL: a snapshot is not usable");
                    put_aside(store, event_sequence, &fault);
                    continue;
                }
            };
            let header = loaded.header;
            let end = EventEnd {
                command_sequence: header.command_sequence,
                event_sequence: header.event_sequence,
                hash: header.event_hash,
            };
            if header.command_sequence > log.end().sequence {
                let (snapshot, commands) = (header.command_sequence, log.end().sequence);
                return Err(ReplayFault::SnapshotAhead { snapshot, commands });
            }
            if !stands_on(log, &header)? {
                let fault = Unusable::Record;
                tracing::error!(%fault, event_sequence, "CRITICAL: a snapshot is not usable");
                put_aside(store, event_sequence, &fault);
                continue;
            }
            if self.events.has_end(&end)? {
                self.begin_behind(loaded, end, log)?;
                return Ok(());
            }
            tracing::warn!(event_sequence, "a snapshot is ahead of the event log and is left out");
        }
        Ok(())
    }

    fn begin_behind(
        &mut self,
        loaded: Loaded,
        end: EventEnd,
        log: &dyn CommandLog,
    ) -> Result<(), ReplayFault> {
        let Loaded { header, checksum, mut kernel, view, shadow } = loaded;
        if let Some(record) = log.read(header.command_sequence)?.next() {
            let last = decode(&record?)?.pop();
            self.last_stamp = last.map_or(self.last_stamp, |command| command.stamp);
        }
        kernel.continue_behind(header.command_sequence, self.last_stamp);
        self.executor = Executor::new(kernel);
        (self.view, self.shadow) = (view, shadow);
        self.events.begin_behind(end);
        self.report.command_sequence = header.command_sequence;
        self.report.event_sequence = header.event_sequence;
        self.report.snapshot_sequence = header.event_sequence;
        self.begun = Some((header, checksum));
        Ok(())
    }

    fn check_events_behind(&self, commands: u64) -> Result<(), ReplayFault> {
        let events = self.events.stored_end().command_sequence;
        if events > commands {
            return Err(ReplayFault::EventsAhead { events, commands });
        }
        Ok(())
    }

    /// Executes the commands of one record and stores and applies what they make.
    pub(crate) fn add_commands(&mut self, commands: &[Stamped]) -> Result<(), ReplayFault> {
        if commands.is_empty() {
            return Ok(());
        }
        let (mut executing, mut keeping) = self.halves();
        keeping.keep(&executing.execute(commands)?)
    }

    fn halves(&mut self) -> (Executing<'_>, Keeping<'_>) {
        let Self { executor, events, view, shadow, report, last_stamp, begun: _ } = self;
        (Executing { executor, last_stamp }, Keeping { events, view, shadow, report })
    }

    /// All is replayed: nothing may be stored beyond it, and both kernels and the hash that was kept up
    /// must agree.
    fn finish(&mut self) -> Result<(), ReplayFault> {
        let stored = self.events.stored_end();
        let event_sequence = self.report.event_sequence;
        if stored.event_sequence > event_sequence {
            let (events, commands) = (stored.command_sequence, self.report.command_sequence);
            return Err(ReplayFault::EventsAhead { events, commands });
        }
        self.events.sync(Instant::now())?;
        let kept = self.shadow.settle(&mut self.view);
        if hash_of_both(self.view.kernel(), self.executor.kernel()) != Some(kept) {
            return Err(ReplayFault::StatesDiffer(event_sequence));
        }
        let counts = self.events.counts();
        self.report.compared_block_count = counts.compared;
        self.report.made_block_count = counts.made;
        self.report.hash_count = self.shadow.compared_count();
        self.report.state_hash = kept;
        Ok(())
    }
}

/// Whether the command log has the record that a snapshot stands behind; one that does not name it is believed.
fn stands_on(log: &dyn CommandLog, header: &Header) -> Result<bool, ReplayFault> {
    let Some(place) = header.log else { return Ok(true) };
    let record = log.read(header.command_sequence)?.next().transpose()?;
    Ok(record.is_some_and(|record| record.hash() == place.command_hash))
}

/// A damaged snapshot is kept under another name; one that only cannot be read now stays as it is.
fn put_aside(store: &SnapshotStore, event_sequence: u64, fault: &Unusable) {
    if !fault.is_damage() {
        return;
    }
    match store.set_aside(event_sequence) {
        Ok(path) => tracing::error!(path = %path.display(), "the damaged snapshot was put aside"),
        Err(fault) => tracing::error!(%fault, "the damaged snapshot stays where it is"),
    }
}
