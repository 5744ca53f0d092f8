//! Recovery: the state again, from the first command on.
//!
//! Owns replay. Every record of the command log runs through a kernel; the events it makes are compared
//! byte for byte with the stored ones, a missing tail is appended (EVT-85, REC-86), and the same bytes
//! are applied to the view, whose hashes are compared with those on record. At the end the two kernels
//! must agree (D-3, REC-41). Nothing is repaired: what contradicts itself stops the start with the
//! place. Checking a folder (`verify.rs`) is the same, with an event log that only compares.
//!
//! It starts from nothing. Snapshots, and so a start that does not replay the whole log (REC-45), come
//! later and change only where this begins.

use std::time::Instant;

use journal::{CommandLog, OwnedRecord};
use kernel::Kernel;
use schema::{Stamped, decode_command};
use units::Timestamp;

use crate::blocks::RecordEvents;
use crate::engine::RecoveryReport;
use crate::executor::Executor;
use crate::fault::ReplayFault;
use crate::shadow::Shadow;
use crate::stored::StoredEvents;
use crate::view::{Changes, View, hash_from_nothing};

/// A shard as its logs tell it.
pub(crate) struct Replayed {
    pub(crate) executor: Executor,
    pub(crate) events: StoredEvents,
    pub(crate) view: View,
    pub(crate) shadow: Shadow,
    pub(crate) report: RecoveryReport,
    /// The last stamp of the log.
    pub(crate) last_stamp: Timestamp,
}

/// How far replay is: commands and events.
pub(crate) type OnProgress<'a> = &'a mut dyn FnMut(u64, u64);

/// Replays a command log against an event log.
pub(crate) fn replay(
    log: &dyn CommandLog,
    events: StoredEvents,
    ended_order_count: usize,
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
    };
    let end = log.end();
    replayed.check_events_behind(end.sequence)?;
    if end.sequence > 0 {
        for record in log.read(1)? {
            replayed.add_record(&record?)?;
            on_progress(replayed.report.command_sequence, replayed.report.event_sequence);
        }
    }
    replayed.finish()?;
    replayed.report.took = began.elapsed();
    Ok(replayed)
}

impl Replayed {
    fn check_events_behind(&self, commands: u64) -> Result<(), ReplayFault> {
        let events = self.events.stored_end().command_sequence;
        if events > commands {
            return Err(ReplayFault::EventsAhead { events, commands });
        }
        Ok(())
    }

    fn add_record(&mut self, record: &OwnedRecord) -> Result<(), ReplayFault> {
        let commands = decode(record)?;
        for command in &commands {
            if command.stamp < self.last_stamp {
                return Err(ReplayFault::StampBackwards { sequence: command.sequence });
            }
            self.last_stamp = command.stamp;
        }
        self.add_commands(&commands)
    }

    /// Executes the commands of one record and stores and applies what they make.
    pub(crate) fn add_commands(&mut self, commands: &[Stamped]) -> Result<(), ReplayFault> {
        let (first, last) = match commands {
            [first, .., last] => (first.sequence, last.sequence),
            [only] => (only.sequence, only.sequence),
            [] => return Ok(()),
        };
        let results = self.executor.execute(commands).map_err(|message| {
            let sequence = self.executor.kernel().position().command_sequence;
            ReplayFault::Invariant { sequence, message }
        })?;
        self.events.add(&RecordEvents {
            first_command: first,
            last_command: last,
            last_event: results.last_event,
            groups: &results.groups,
        })?;
        let mut changes = Changes::default();
        self.shadow.apply(&mut self.view, &results.groups, &mut changes)?;
        self.report.record_count += 1;
        self.report.command_sequence = last;
        self.report.event_sequence = results.last_event;
        Ok(())
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
        if kept != hash_from_nothing(self.executor.kernel())
            || kept != hash_from_nothing(self.view.kernel())
        {
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

fn decode(record: &OwnedRecord) -> Result<Vec<Stamped>, ReplayFault> {
    let command = |(sequence, bytes)| {
        decode_command(bytes, sequence).map_err(|source| ReplayFault::Command { sequence, source })
    };
    record.record().commands().map(command).collect()
}
