//! The releaser's thread: nobody sees a result before its command is durable (D-3, REC-60).
//!
//! Takes executed records in order, waits until each is durable, hands out its replies, and passes its
//! events on to the follower. If the log ends before a record is durable, its callers are told that the
//! shard is stopped, and its events reach nobody.

use std::sync::Arc;

use schema::{Outcome, Reply};

use crate::mailbox::{Mailbox, Taken};
use crate::shard::Shard;
use crate::ticket::Ticket;
use port::PortFault;

/// A record as the executor leaves it.
#[derive(Debug)]
pub(crate) struct Executed {
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
    pub(crate) first_command: u64,
    pub(crate) last_command: u64,
    pub(crate) last_event: u64,
    pub(crate) groups: Vec<u8>,
    /// Who gets the answer of an earlier command, and of which (D-74).
    pub(crate) repeats: Vec<(Ticket, u64)>,
}

/// Releases records until the executor has ended.
pub(crate) fn run(shard: &Arc<Shard>, executed: &Mailbox<Executed>, next: &Mailbox<Released>) {
    let (mut batch, mut before) = (Vec::new(), shard.metrics.released_event.value());
    while executed.take(&mut batch, None) != Taken::Closed {
        for record in batch.drain(..) {
            if shard.durability.wait(record.last_command).is_err() {
                refuse(record.answers);
                continue;
            }
            // Before the answers, so that whoever has one finds it counted.
            shard.metrics.released_event.set(record.last_event);
            let released = release(record);
            let weight = released.last_event - before + released.repeats.len() as u64 + 1;
            before = released.last_event;
            // A follower that failed takes nothing more; what it would store can be made again.
            drop(next.push(released, weight));
        }
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
    let Executed { first_command, last_command, last_event, groups, .. } =
        Executed { answers: Vec::new(), ..record };
    Released { first_command, last_command, last_event, groups, repeats }
}

fn refuse(answers: Vec<(Ticket, Reply)>) {
    for (ticket, _) in answers {
        ticket.answer(Err(PortFault::Stopped));
    }
}
