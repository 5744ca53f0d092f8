//! The releaser's thread: nobody sees a result before its command is durable (D-3, REC-60).
//!
//! Takes executed records in order, waits until each is durable, hands out its replies, and passes its
//! events on to the follower. If the log ends before a record is durable, its callers are told that the
//! shard is stopped, and its events reach nobody.

use std::collections::VecDeque;
use std::sync::Arc;

use journal::Hash;
use schema::{Outcome, Reply};
use units::Timestamp;

use crate::durability::NeverDurable;
use crate::mailbox::{Mailbox, Taken};
use crate::shard::Shard;
use crate::stage::{Stage, Step};
use crate::ticket::Ticket;
use port::PortFault;

/// Where a record stands in the command log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordPlace {
    /// Its hash.
    pub(crate) hash: Hash,
    /// The stamp of its last command.
    pub(crate) last_stamp: Timestamp,
}

/// A record as the executor leaves it.
#[derive(Debug)]
pub(crate) struct Executed {
    pub(crate) place: RecordPlace,
    pub(crate) first_command: u64,
    pub(crate) last_command: u64,
    /// The last event after it.
    pub(crate) last_event: u64,
    /// Its events in their stored form.
    pub(crate) groups: Vec<u8>,
    pub(crate) answers: Vec<(Ticket, Reply)>,
}

/// A record whose events may be seen.
#[derive(Debug)]
pub(crate) struct Released {
    pub(crate) place: RecordPlace,
    pub(crate) first_command: u64,
    pub(crate) last_command: u64,
    pub(crate) last_event: u64,
    pub(crate) groups: Vec<u8>,
    /// Who gets the answer of an earlier command, and of which (D-74).
    pub(crate) repeats: Vec<(Ticket, u64)>,
}

/// The releaser and what lies on both sides of it.
pub(crate) struct Releaser {
    pub(crate) shard: Arc<Shard>,
    pub(crate) executed: Arc<Mailbox<Executed>>,
    pub(crate) released: Arc<Mailbox<Released>>,
    /// Taken and not released yet.
    pub(crate) batch: VecDeque<Executed>,
    /// The last event released.
    pub(crate) last_event: u64,
}

impl Stage for Releaser {
    const NAME: &'static str = "releaser";

    /// Releases records until the executor has ended.
    fn run(&mut self) {
        while self.executed.take(&mut self.batch, None) != Taken::Closed {
            while let Some(record) = self.batch.pop_front() {
                let durable = self.shard.durability.wait(record.last_command);
                self.pass_on(record, durable);
            }
        }
    }

    fn step(&mut self) -> Step {
        if self.batch.is_empty() && self.executed.try_take(&mut self.batch) == Taken::Closed {
            return Step::Ended;
        }
        let Some(waiting) = self.batch.front() else { return Step::Idle };
        let Some(durable) = self.shard.durability.poll(waiting.last_command) else {
            return Step::Idle;
        };
        if !self.released.has_room() {
            return Step::Idle;
        }
        if let Some(record) = self.batch.pop_front() {
            self.pass_on(record, durable);
        }
        Step::Worked
    }

    fn end(&mut self) {
        self.executed.close();
    }
}

impl Releaser {
    /// Answers for a record and hands its events on, or tells its callers that it never will be durable.
    fn pass_on(&mut self, record: Executed, durable: Result<(), NeverDurable>) {
        if durable.is_err() {
            return refuse(record.answers);
        }
        // Before the answers, so that whoever has one finds it counted.
        self.shard.metrics.released_event.set(record.last_event);
        let released = release(record);
        let weight = released.last_event - self.last_event + released.repeats.len() as u64 + 1;
        self.last_event = released.last_event;
        // A follower that failed takes nothing more; what it would store can be made again.
        drop(self.released.push(released, weight));
    }
}

fn release(record: Executed) -> Released {
    let mut repeats = Vec::new();
    for (ticket, reply) in record.answers {
        match reply.outcome {
            Outcome::Repeated { first } => repeats.push((ticket, first)),
            _ => ticket.answer(Ok(reply)),
        }
    }
    let Executed { place, first_command, last_command, last_event, groups, .. } =
        Executed { answers: Vec::new(), ..record };
    Released { place, first_command, last_command, last_event, groups, repeats }
}

fn refuse(answers: Vec<(Ticket, Reply)>) {
    for (ticket, _) in answers {
        ticket.answer(Err(PortFault::Stopped));
    }
}
