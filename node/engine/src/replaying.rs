//! The loop of a replay: records are read and executed, and what they make is compared, stored and shown.
//!
//! Owns how the two halves run. They need nothing of each other but the results, in their order, so behind a long log
//! the executor has a thread of its own and the view follows it, as in a running shard. The first thing that is wrong
//! is the same either way: results and faults come in the order of the log. A short log, and a simulated one, is
//! replayed in one thread, where one seed gives one order of reads.

use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use journal::{OwnedRecord, Records};
use schema::{Stamped, decode_command};
use units::Timestamp;

use crate::blocks::RecordEvents;
use crate::engine::RecoveryReport;
use crate::executor::{Executor, Results};
use crate::fault::ReplayFault;
use crate::recovery::OnProgress;
use crate::shadow::Shadow;
use crate::stored::StoredEvents;
use crate::view::{Changes, View};

/// The half that reads and executes.
pub(crate) struct Executing<'a> {
    pub(crate) executor: &'a mut Executor,
    /// The last stamp so far.
    pub(crate) last_stamp: &'a mut Timestamp,
}

/// The half that stores and shows.
pub(crate) struct Keeping<'a> {
    pub(crate) events: &'a mut StoredEvents,
    pub(crate) view: &'a mut View,
    pub(crate) shadow: &'a mut Shadow,
    pub(crate) report: &'a mut RecoveryReport,
}

/// What a record came to.
pub(crate) struct Done {
    first: u64,
    last: u64,
    results: Results,
}

/// Replays these records, which hold about so many commands.
pub(crate) fn run(
    records: Records,
    command_count: u64,
    (mut executing, mut keeping): (Executing<'_>, Keeping<'_>),
    on_progress: OnProgress<'_>,
) -> Result<(), ReplayFault> {
    let mut keep = |done: Done| -> Result<(), ReplayFault> {
        keeping.keep(&done)?;
        on_progress(keeping.report.command_sequence, keeping.report.event_sequence);
        Ok(())
    };
    if command_count < THREADED_COUNT_MIN {
        for record in records {
            keep(executing.execute_record(&record?)?)?;
        }
        return Ok(());
    }
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel(CHUNKS_WAITING_MAX);
        scope.spawn(move || executing.execute_all(records, &sender));
        for done in receiver.into_iter().flatten() {
            keep(done?)?;
        }
        Ok(())
    })
}

impl Executing<'_> {
    /// Executes records until one is wrong, or nobody takes the results any more.
    fn execute_all(
        &mut self,
        records: Records,
        sender: &SyncSender<Vec<Result<Done, ReplayFault>>>,
    ) {
        let (mut chunk, mut command_count) = (Vec::new(), 0);
        for record in records {
            let done = record.map_err(ReplayFault::from);
            let done = done.and_then(|record| self.execute_record(&record));
            let is_over = done.is_err();
            command_count += done.as_ref().map_or(0, |done| done.last - done.first + 1);
            chunk.push(done);
            if is_over || command_count >= CHUNK_COMMAND_COUNT {
                command_count = 0;
                if sender.send(std::mem::take(&mut chunk)).is_err() || is_over {
                    return;
                }
            }
        }
        drop(sender.send(chunk));
    }

    fn execute_record(&mut self, record: &OwnedRecord) -> Result<Done, ReplayFault> {
        let commands = decode(record)?;
        for command in &commands {
            if command.stamp < *self.last_stamp {
                return Err(ReplayFault::StampBackwards { sequence: command.sequence });
            }
            *self.last_stamp = command.stamp;
        }
        self.execute(&commands)
    }

    /// Executes the commands of a record.
    pub(crate) fn execute(&mut self, commands: &[Stamped]) -> Result<Done, ReplayFault> {
        let results = self.executor.execute(commands).map_err(|message| {
            let sequence = self.executor.kernel().position().command_sequence;
            ReplayFault::Invariant { sequence, message }
        })?;
        let number = |command: Option<&Stamped>| command.map_or(0, |command| command.sequence);
        Ok(Done { first: number(commands.first()), last: number(commands.last()), results })
    }
}

impl Keeping<'_> {
    /// Stores the events of a record, or compares them with what is stored, and shows them.
    pub(crate) fn keep(&mut self, done: &Done) -> Result<(), ReplayFault> {
        let Done { first, last, results } = done;
        self.events.add(&RecordEvents {
            first_command: *first,
            last_command: *last,
            last_event: results.last_event,
            groups: &results.groups,
        })?;
        let mut changes = Changes::default();
        self.shadow.apply(self.view, &results.groups, &mut changes)?;
        self.report.record_count += 1;
        self.report.command_sequence = *last;
        self.report.event_sequence = results.last_event;
        Ok(())
    }
}

/// The commands of a record.
pub(crate) fn decode(record: &OwnedRecord) -> Result<Vec<Stamped>, ReplayFault> {
    let command = |(sequence, bytes)| {
        decode_command(bytes, sequence).map_err(|source| ReplayFault::Command { sequence, source })
    };
    record.record().commands().map(command).collect()
}

/// Fewer commands are replayed in one thread; in tests most logs are long.
const THREADED_COUNT_MIN: u64 = if cfg!(test) { 30 } else { 50_000 };
/// Commands whose results are handed over at once, and how many such chunks may wait.
const CHUNK_COMMAND_COUNT: u64 = 1_000;
const CHUNKS_WAITING_MAX: usize = 16;
