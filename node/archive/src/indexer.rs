//! The writer: event groups go in, in their order, and become rows.
//!
//! Owns the position and the rule of commits. `add` takes the events of a record, `commit` makes all rows
//! since the last one visible at once, together with the position. A group at or below the position is
//! passed over, so the same events twice change nothing (TRADE-27, SETL-30); one that is not the next is
//! a fault. After any fault the rows in memory mean nothing: `start_again` is the only way on.
//!
//! Which event becomes which row is in `trading.rs` and `registry.rs`; an event that neither names is no
//! part of the index.

use std::sync::Arc;

use journal::EventEnd;
use schema::wire::DecodeError;
use schema::{Event, EventGroup, EventHead, GroupIter, Reply};

use crate::archive::{Generation, Shared};
use crate::fault::ArchiveFault;
use crate::key;
use crate::row::Position;
use crate::row_codec::write_answer;
use crate::working::Working;

/// How the answer to a command follows from its events (D-74); the shard is that of the log.
pub type AnswerOf = fn(&EventGroup<'_>, u16) -> Result<Reply, DecodeError>;

/// The one writer of an archive.
pub struct Indexer {
    shared: Arc<Shared>,
    generation: Option<Arc<Generation>>,
    position: Position,
    working: Working,
    answer_of: AnswerOf,
    /// Events since the last commit.
    pending_count: u64,
}

/// A group on its way into rows.
pub(crate) struct Step<'a> {
    pub(crate) generation: &'a Generation,
    pub(crate) working: &'a mut Working,
    pub(crate) position: &'a mut Position,
}

impl Indexer {
    pub(crate) fn new(shared: Arc<Shared>, position: Position, answer_of: AnswerOf) -> Self {
        let generation = shared.generation().ok();
        let working = Working::default();
        Self { shared, generation, position, working, answer_of, pending_count: 0 }
    }

    /// The last block that was added.
    #[must_use]
    pub const fn end(&self) -> EventEnd {
        self.position.end
    }

    /// Events that were added and not committed.
    #[must_use]
    pub const fn pending_count(&self) -> u64 {
        self.pending_count
    }

    /// Adds the event groups of a record, which end at `end`.
    ///
    /// # Errors
    /// They do not follow, or the store fails. Nothing may be added then before `start_again`.
    pub fn add(&mut self, groups: &[u8], end: EventEnd) -> Result<(), ArchiveFault> {
        let generation = self.generation.clone().ok_or(ArchiveFault::Closed)?;
        for group in GroupIter::new(groups) {
            let after = self.position.end.event_sequence;
            let group = group.map_err(|source| ArchiveFault::Events { after, source })?;
            self.add_group(&generation, &group)?;
        }
        if end.event_sequence == self.position.end.event_sequence {
            self.position.end = end;
        }
        Ok(())
    }

    /// Makes what was added visible to readers.
    ///
    /// # Errors
    /// The store fails.
    pub fn commit(&mut self) -> Result<(), ArchiveFault> {
        let generation = self.generation.as_ref().ok_or(ArchiveFault::Closed)?;
        let mut changes = self.working.take();
        changes.put(key::position(), self.position.write());
        generation.store.commit(changes)?;
        self.pending_count = 0;
        Ok(())
    }

    /// Drops all rows and begins anew before the first event.
    ///
    /// # Errors
    /// The disk refuses a new store.
    pub fn start_again(&mut self) -> Result<(), ArchiveFault> {
        self.generation = None;
        self.working = Working::default();
        self.pending_count = 0;
        self.position = self.shared.start_again()?;
        self.generation = Some(self.shared.generation()?);
        Ok(())
    }

    fn add_group(
        &mut self,
        generation: &Generation,
        group: &EventGroup<'_>,
    ) -> Result<(), ArchiveFault> {
        let (first, count) = (group.head.first_sequence, u64::from(group.count));
        let expected = self.position.end.event_sequence + 1;
        if first.saturating_add(count) <= expected {
            return Ok(());
        }
        if first != expected {
            return Err(ArchiveFault::Gap { expected, found: first });
        }
        let mut step =
            Step { generation, working: &mut self.working, position: &mut self.position };
        step.mark(group);
        for event in group.events() {
            let after = step.position.end.event_sequence;
            let (head, event) = event.map_err(|source| ArchiveFault::Events { after, source })?;
            step.event(head, &event)?;
            step.position.end.event_sequence = head.sequence;
            step.position.timestamp = head.timestamp;
        }
        self.working.end_trade();
        self.position.end.command_sequence = group.head.command_sequence;
        self.pending_count += count;
        self.add_answer(group, first)
    }

    /// Only a command with a key can be repeated (D-74).
    fn add_answer(&mut self, group: &EventGroup<'_>, first: u64) -> Result<(), ArchiveFault> {
        if group.head.idempotency.is_none() {
            return Ok(());
        }
        let reply = (self.answer_of)(group, self.position.shard)
            .map_err(|source| ArchiveFault::Events { after: first - 1, source })?;
        if let Some(answer) = write_answer(&reply) {
            self.working.changes().put(key::answer(reply.command), answer);
        }
        Ok(())
    }
}

impl Step<'_> {
    /// From a time to a sequence: a mark at the first group that ends in a new stretch of events.
    fn mark(&mut self, group: &EventGroup<'_>) {
        let first = group.head.first_sequence;
        let last = first + u64::from(group.count) - 1;
        if first == 1 || (first - 1) / MARK_EVENT_COUNT != last / MARK_EVENT_COUNT {
            let mut value = Vec::with_capacity(9);
            schema::wire::write_u64(&mut value, first);
            self.working.changes().put(key::time(group.head.first_timestamp), value);
        }
    }

    fn event(&mut self, at: EventHead, event: &Event) -> Result<(), ArchiveFault> {
        match event {
            Event::GenesisRecorded(genesis) => self.position.shard = genesis.genesis.shard,
            Event::AssetListed(listed) => self.asset_listed(listed.terms.symbol),
            Event::MarketListed(listed) => self.market_listed(at, &listed.terms)?,
            Event::AccountCreated(_) => self.account_created(at),
            Event::OrderSubmitted(submitted) => self.submitted(at, submitted)?,
            Event::OrderAccepted(accepted) => self.accepted(at, accepted.order)?,
            Event::OrderRejected(rejected) => self.rejected(at, rejected)?,
            Event::OrderPartiallyFilled(fill) => self.filled(at, fill, false)?,
            Event::OrderFilled(fill) => self.filled(at, fill, true)?,
            Event::OrderCanceled(ended) => self.canceled(at, ended)?,
            Event::OrderExpired(ended) => self.expired(at, ended)?,
            Event::OrderReduced(reduced) => self.reduced(at, reduced)?,
            Event::OrderTriggered(triggered) => self.triggered(at, triggered.order)?,
            Event::MarginReserved(moved) => self.reserved(at, moved.order, moved.amount)?,
            Event::MarginReleased(moved) => {
                self.reserved(at, moved.order, units::Amount(-moved.amount.0))?;
            }
            Event::TradeExecuted(trade) => self.executed(at, trade)?,
            Event::BalanceUpdated(update) => self.posted(at, update)?,
            Event::TradeSettled(settled) => self.settled(at, settled)?,
            _ => {}
        }
        Ok(())
    }
}

/// Events between two marks of time at the most, but for the last command before a mark.
const MARK_EVENT_COUNT: u64 = 1_024;
