//! The core's thread: numbers, stamps and records on one side, execution on the other.
//!
//! Owns the command sequence of the running leader. A number is given as its command is written into
//! a record, never ahead (SEQ-14), so none is left out. A sealed record goes to the log at once and is
//! executed while the disk works; both ways are bounded, so that the core runs ahead of the disk by so
//! many records and no more. The sequencer's own commands (Ticks, state hashes, the clock's changes)
//! come first in a record.
//!
//! It deliberately hashes no state and answers nobody: that is the follower's and the releaser's.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use journal::{Hash, RecordBuilder, Sealed};
use port::PortFault;
use schema::{
    ClockStatus, Code, Command, HaltReason, Label, Operator, Outcome, Refusal, Reply, Stamped,
    TradingHalt, Why, encode_command,
};
use units::Timestamp;

use crate::exchange_clock::Stamp;
use crate::executor::Executor;
use crate::fault::StopReason;
use crate::intake::{Entry, Work};
use crate::mailbox::Mailbox;
use crate::releaser::{Executed, RecordPlace};
use crate::room::Level;
use crate::shard::Shard;
use crate::stage::{Stage, Step};
use crate::ticket::Ticket;

/// The sequencer and the executor behind it.
pub(crate) struct Sequencer {
    pub(crate) shard: Arc<Shard>,
    pub(crate) records: Arc<Mailbox<Sealed>>,
    pub(crate) executed: Arc<Mailbox<Executed>>,
    pub(crate) executor: Executor,
    pub(crate) chain: Chain,
    pub(crate) pace: Pace,
    pub(crate) own: VecDeque<Command>,
    /// Taken from the intake and not numbered yet.
    pub(crate) work: Work,
    pub(crate) commands: Vec<Stamped>,
}

/// What the next record extends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chain {
    pub(crate) epoch: u64,
    pub(crate) next_sequence: u64,
    pub(crate) previous: Hash,
}

/// When the next Tick is due, in monotonic time, and what the log has been told of the clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) interval: u64,
    pub(crate) ticked_at: u64,
    /// The clock's source on record.
    pub(crate) source: ClockStatus,
    /// A halt for the clock is on record or on its way there.
    pub(crate) is_halting: bool,
}

/// The shard has stopped.
struct Ended;

impl Stage for Sequencer {
    const NAME: &'static str = "core";

    /// Numbers and executes until the intake has closed and is empty, or the shard stops.
    fn run(&mut self) {
        loop {
            let deadline = self.next_tick();
            let is_open = self.shard.intake.take(&mut self.work, deadline);
            if !is_open || self.work_off().is_err() {
                break;
            }
        }
        self.refuse();
    }

    fn step(&mut self) -> Step {
        if !self.records.has_room() || !self.executed.has_room() {
            return Step::Idle;
        }
        if self.work.entries.is_empty() {
            if !self.shard.intake.try_take(&mut self.work) {
                return Step::Ended;
            }
            self.own.extend(self.work.own.drain(..));
        }
        match self.next_record() {
            Ok(true) => Step::Worked,
            Ok(false) => Step::Idle,
            Err(Ended) => {
                self.refuse();
                Step::Ended
            }
        }
    }

    fn end(&mut self) {
        self.shard.intake.clear();
        self.records.close();
        self.executed.close();
    }
}

impl Sequencer {
    fn work_off(&mut self) -> Result<(), Ended> {
        self.own.extend(self.work.own.drain(..));
        while self.next_record()? {}
        Ok(())
    }

    /// Makes one record of what waits; `false` when there is nothing.
    fn next_record(&mut self) -> Result<bool, Ended> {
        if self.shard.is_stopped() {
            return Err(Ended);
        }
        self.add_own();
        if self.work.entries.is_empty() && self.own.is_empty() {
            if !self.executor.kernel().has_due_work() {
                return Ok(false);
            }
            // A trigger was met, and nobody's command comes to take it: a Tick does, at once.
            self.tick();
        }
        self.record()?;
        Ok(true)
    }

    /// Commands that time calls for.
    fn add_own(&mut self) {
        let now = self.shard.clock.monotonic();
        if now.saturating_sub(self.pace.ticked_at) >= self.pace.interval {
            self.pace.ticked_at = now;
            // Not even a Tick is written to a disk that is full (REC-70). It is looked at here, too, or a shard to which
            // nobody comes would never learn that there is room again.
            if self.shard.room.level() < Level::Out || self.shard.look_for_room() < Level::Out {
                self.tick();
            }
        }
    }

    fn tick(&mut self) {
        self.own.push_back(Command::Tick);
        self.shard.metrics.tick_count.add(1);
    }

    /// What the clock calls for, in front of everything that waits: the halt comes before any command that did not
    /// have its stamp yet (TIME-34, TIME-35, TIME-39), and before it that the clock changed its source (TIME-40).
    #[cold]
    fn follow_clock(&mut self, source: ClockStatus) {
        let step = self.shard.clock.take_step();
        if self.shard.clock.is_unconfirmed() && !self.pace.is_halting {
            self.pace.is_halting = true;
            tracing::error!(
                step_nanos = step.map(|step| step.nanos),
                "CRITICAL: the clock is not to be trusted, and trading is halted until somebody confirms it (D-53)"
            );
            let halt = TradingHalt {
                reason: HaltReason::Clock,
                actor: Label::new(ACTOR).expect("a short constant"),
            };
            self.own.push_front(Command::HaltTrading(halt, Operator::NONE));
        }
        if source != self.pace.source {
            if source == ClockStatus::Fallback && step.is_none() {
                tracing::error!(
                    "CRITICAL: no clock can be read; time goes on by the machine's own (TIME-38)"
                );
            }
            let skew = step.map_or_else(|| self.shard.clock.error(), |step| step.skew());
            let from = std::mem::replace(&mut self.pace.source, source);
            self.own.push_front(Command::RecordClockStatus { from, to: source, skew });
        }
    }

    /// A person has confirmed the clock (TIME-34): stamps follow it from the next record on.
    #[cold]
    fn confirm_clock(&mut self) {
        if self.shard.clock.confirm() {
            self.pace.is_halting = false;
            tracing::warn!("the clock was confirmed, and stamps follow it");
        } else {
            tracing::error!("the clock was confirmed and cannot be read; nothing changes");
        }
    }

    /// One record: numbered, sealed, handed to the log, executed, handed to the releaser.
    fn record(&mut self) -> Result<(), Ended> {
        let Chain { epoch, next_sequence, previous } = self.chain;
        let mut builder = RecordBuilder::begin(epoch, next_sequence, previous);
        let mut tickets = Vec::with_capacity(self.work.entries.len().min(RECORD_COUNT_MAX));
        self.commands.clear();
        while !builder.is_full() {
            let Some(ticket) = self.next_command() else { break };
            let stamped = self.commands.last().expect("it was just added");
            if builder.push(|out| encode_command(out, stamped)).is_err() {
                self.commands.pop();
                ticket.answer(Ok(self.never_numbered()));
                continue;
            }
            self.chain.next_sequence += 1;
            tickets.push(ticket);
        }
        if tickets.is_empty() {
            return Ok(());
        }
        let sealed = builder.seal();
        self.chain.previous = sealed.hash();
        self.count(&sealed);
        if self.records.push(sealed, 1).is_err() {
            return Err(Ended);
        }
        self.execute(next_sequence, tickets)
    }

    /// Adds the next command with its number and its stamp to those of the record. A command is large
    /// and is moved once only, from the queue to its place.
    fn next_command(&mut self) -> Option<Ticket> {
        if self.own.is_empty() && self.work.entries.is_empty() {
            return None;
        }
        let sequence = self.chain.next_sequence;
        let Stamp { time: stamp, source } = self.shard.clock.stamp();
        let fallback_clock = source == ClockStatus::Fallback;
        if fallback_clock || source != self.pace.source {
            self.follow_clock(source);
        }
        if let Some(command) = self.own.pop_front() {
            let (correlation, key) = (None, None);
            let own = Stamped {
                sequence,
                stamp,
                fallback_clock,
                correlation,
                key,
                command,
                account_version: None,
            };
            self.commands.push(own);
            return Some(Ticket::Own);
        }
        let Entry { request, ticket } = self.work.entries.pop_front()?;
        self.commands.push(Stamped {
            sequence,
            stamp,
            fallback_clock,
            correlation: Some(request.correlation),
            key: request.key,
            command: request.command,
            account_version: request.account_version,
        });
        self.shard.intake.done(1);
        self.shard.metrics.command_count.add(1);
        Some(ticket)
    }

    fn execute(&mut self, first_command: u64, tickets: Vec<Ticket>) -> Result<(), Ended> {
        let last_command = self.chain.next_sequence - 1;
        let results = match self.executor.execute(&self.commands) {
            Ok(results) => results,
            Err(message) => {
                let (first, last) = (first_command, last_command);
                self.shard.stop(StopReason::Invariant { first, last, message });
                return Err(Ended);
            }
        };
        let is_confirmation = |(stamped, reply): (&Stamped, &Reply)| {
            matches!(stamped.command, Command::ConfirmClock(..))
                && matches!(reply.outcome, Outcome::Done { .. })
        };
        if self.commands.iter().zip(&results.replies).any(is_confirmation) {
            self.confirm_clock();
        }
        self.shard.metrics.event_sequence.set(results.last_event);
        self.shard.metrics.event_bytes.add(results.groups.len() as u64);
        let last_stamp = self.commands.last().map_or(Timestamp(0), |command| command.stamp);
        let place = RecordPlace { hash: self.chain.previous, last_stamp };
        let executed = Executed {
            place,
            first_command,
            last_command,
            last_event: results.last_event,
            groups: results.groups,
            answers: tickets.into_iter().zip(results.replies).collect(),
        };
        self.executed.push(executed, 1).map_err(|_| Ended)
    }

    fn count(&self, sealed: &Sealed) {
        let metrics = &self.shard.metrics;
        metrics.command_sequence.set(sealed.last_sequence());
        metrics.record_count.add(1);
        metrics.command_bytes.add(sealed.bytes().len() as u64);
        metrics.queue_count.set(self.shard.intake.count() as u64);
        let (behind, steps) = self.shard.clock.counts();
        metrics.clock_behind_count.set(behind);
        metrics.clock_step_count.set(steps);
    }

    /// The answer to a command that no record can hold.
    fn never_numbered(&self) -> Reply {
        refused_unsequenced(self.shard.metrics.event_sequence.value())
    }

    fn next_tick(&self) -> Instant {
        let since = self.shard.clock.monotonic().saturating_sub(self.pace.ticked_at);
        let left = Duration::from_nanos(self.pace.interval.saturating_sub(since));
        Instant::now() + left.clamp(WAIT_MIN, WAIT_MAX)
    }

    /// The shard takes no more: whoever waits is told.
    fn refuse(&mut self) {
        loop {
            self.work.own.clear();
            for entry in self.work.entries.drain(..) {
                self.shard.intake.done(1);
                entry.ticket.answer(Err(PortFault::Stopped));
            }
            if !self.shard.intake.take(&mut self.work, Instant::now()) {
                return;
            }
        }
    }
}

/// The answer to a command that cannot be stored and so never gets a number: command 0.
pub(crate) fn refused_unsequenced(last_event: u64) -> Reply {
    let refusal = Refusal::new(Code::InvalidSchema, Why::FieldInvalid);
    Reply { command: 0, last_event, outcome: Outcome::Refused(refusal) }
}

/// Who halts because of the clock, on record.
const ACTOR: &str = "sequencer";
/// A wait is never so short that a clock which stands still, as in a test, makes it a spin.
const WAIT_MIN: Duration = Duration::from_millis(1);
/// Nor so long that it leaves the range of the machine's clock.
const WAIT_MAX: Duration = Duration::from_secs(1);
const RECORD_COUNT_MAX: usize = journal::limits::COMMANDS_PER_RECORD_MAX as usize;
