//! The auditor: what clients saw, held against what was promised.
//!
//! It shares no code with the kernel. It knows every request that a client sent, what the command log
//! promised to keep (`tap.rs`), every answer, every published event, and what queries show. From the
//! promised commands the oracle (`testkit::oracle`, written from the specification) says which events and
//! which answer must come of each; `auditor/stream.rs` holds the events by themselves to what may never
//! break, `auditor/views.rs` the views to the log,
//! `auditor/http.rs` what the gateway says to what happened.

mod http;
mod stream;
mod views;

use std::collections::{BTreeMap, BTreeSet};

use journal::OwnedBlock;
use port::{PortFault, Published, Request};
use schema::{Code, Command, Event, EventHead, GroupIter, Key, KeyOrigin, Outcome, Reply, Stamped};
use testkit::oracle::{Answer, Oracle};
use units::Id;

use crate::coverage::SITUATIONS;
use crate::violation::{Violation, ensure};
use crate::world::body_hash;
use stream::Stream;

/// Holds a run to its promises.
#[derive(Debug, Default)]
pub(crate) struct Auditor {
    oracle: Oracle,
    stream: Stream,
    /// What the log promised to keep, in order.
    commands: Vec<Stamped>,
    /// What must be answered to each, and the last event behind it.
    answers: Vec<(Outcome, u64)>,
    events: Vec<(EventHead, Event)>,
    /// What was sent, by the name of the attempt, and how often it may have arrived.
    sent: BTreeMap<Id, Sent>,
    /// Checksums of the snapshots that are on record, by their event.
    snapshots: BTreeMap<u64, [u8; 32]>,
    /// Orders that were canceled.
    canceled: BTreeSet<u64>,
    /// How often a situation came up (`coverage::SITUATIONS`).
    pub(crate) situations: BTreeMap<&'static str, u64>,
}

#[derive(Debug)]
struct Sent {
    request: Request,
    delivered: usize,
    is_http: bool,
    /// Whether the gateway makes its key.
    lacks_key: bool,
    /// The commands that came of it.
    commands: Vec<u64>,
}

impl Auditor {
    /// What the promised commands lead to.
    pub(crate) const fn oracle(&self) -> &Oracle {
        &self.oracle
    }

    /// The last event that must come.
    pub(crate) fn last_event(&self) -> u64 {
        self.events.len() as u64
    }

    /// How many commands are promised.
    pub(crate) fn command_count(&self) -> u64 {
        self.commands.len() as u64
    }

    /// What the log says of a snapshot.
    pub(crate) fn snapshot_checksum(&self, event_sequence: u64) -> Option<[u8; 32]> {
        self.snapshots.get(&event_sequence).copied()
    }

    /// The event of the last snapshot on record; 0 for none.
    pub(crate) fn last_snapshot(&self) -> u64 {
        self.snapshots.last_key_value().map_or(0, |(&event, _)| event)
    }

    /// How many snapshots are on record.
    pub(crate) fn snapshot_count(&self) -> u64 {
        self.snapshots.len() as u64
    }

    /// How many of the last events a person should see.
    pub(crate) fn last_events(&self, count: usize) -> &[(EventHead, Event)] {
        &self.events[self.events.len().saturating_sub(count)..]
    }

    /// A message with a request arrived at the node; `is_http` at its gateway.
    pub(crate) fn on_delivered(&mut self, request: &Request, is_http: bool) {
        let sent = self.sent.entry(request.correlation).or_insert_with(|| Sent {
            request: request.clone(),
            delivered: 0,
            is_http,
            lacks_key: is_http && request.key.is_none(),
            commands: Vec::new(),
        });
        sent.delivered += 1;
    }

    /// Whether a command came of this attempt.
    pub(crate) fn is_sequenced(&self, attempt: Id) -> bool {
        self.sent.get(&attempt).is_some_and(|sent| !sent.commands.is_empty())
    }

    /// The log promised to keep these.
    pub(crate) fn on_promised(&mut self, commands: Vec<Stamped>) -> Result<(), Violation> {
        for stamped in commands {
            self.on_command(stamped)?;
        }
        Ok(())
    }

    /// The log as it was found at a start: everything promised is there, and what was written and not
    /// promised may be.
    pub(crate) fn on_log(&mut self, found: Vec<Stamped>) -> Result<(), Violation> {
        ensure(found.len() >= self.commands.len(), || {
            let (found, promised) = (found.len(), self.commands.len());
            format!("the log promised to keep {promised} commands and has {found}")
        })?;
        let mut found = found.into_iter();
        for promised in &self.commands {
            let found = found.next();
            ensure(found.as_ref() == Some(promised), || {
                format!("the log promised to keep {promised:?} and has {found:?}")
            })?;
        }
        self.on_promised(found.collect())
    }

    fn on_command(&mut self, stamped: Stamped) -> Result<(), Violation> {
        let next = self.command_count() + 1;
        ensure(stamped.sequence == next, || {
            format!("command {} where {next} must be", stamped.sequence)
        })?;
        if let Some(last) = self.commands.last() {
            ensure(stamped.stamp > last.stamp, || {
                format!("the stamp of command {next} is not above the one before")
            })?;
        }
        self.check_origin(&stamped)?;
        if let Command::RecordSnapshot { snapshot_sequence, checksum, .. } = stamped.command {
            let before = self.snapshots.insert(snapshot_sequence, checksum);
            ensure(before.is_none_or(|before| before == checksum), || {
                format!("snapshot {snapshot_sequence} is on record twice and differs")
            })?;
        }
        let answer = self.oracle.execute(&stamped);
        if next.is_multiple_of(ORACLE_CHECK_DISTANCE) {
            self.oracle.check();
        }
        for (head, event) in &answer.events {
            self.stream.on_event(*head, event)?;
            if let Event::OrderCanceled(it) = event {
                self.canceled.insert(it.order);
            }
        }
        self.stream.on_command_end()?;
        self.count(&answer);
        self.events.extend(answer.events);
        self.answers.push((answer.outcome, self.oracle.last_event()));
        self.commands.push(stamped);
        Ok(())
    }

    /// Notes which situations a command was.
    fn count(&mut self, answer: &Answer) {
        let kinds = |is: fn(&Event) -> bool| answer.events.iter().filter(|it| is(&it.1)).count();
        let mut prices = BTreeSet::new();
        for (_, event) in &answer.events {
            if let Event::TradeExecuted(it) = event {
                prices.insert(it.ticks);
            }
        }
        let canceled = kinds(
            |event| matches!(event, Event::OrderCanceled(it) if it.reason == Code::SelfTrade),
        );
        let ended = kinds(|event| matches!(event, Event::OrderExpired(_)));
        let triggered = kinds(|event| matches!(event, Event::OrderTriggered(_)));
        let is_conflict = matches!(answer.outcome,
            Outcome::Refused(refusal) if refusal.code == Code::IdempotencyConflict);
        let is_met = [
            !prices.is_empty(),
            prices.len() >= 3,
            canceled > 0,
            triggered > 0,
            ended >= 20,
            matches!(answer.outcome, Outcome::Repeated { .. }),
            is_conflict,
        ];
        for (situation, is_met) in SITUATIONS.iter().zip(is_met) {
            *self.situations.entry(situation).or_default() += u64::from(is_met);
        }
    }

    /// No outcome without a request, and none of a request that was not sent so.
    fn check_origin(&mut self, stamped: &Stamped) -> Result<(), Violation> {
        let sequence = stamped.sequence;
        let Some(correlation) = stamped.correlation else {
            return ensure(is_sequencers(&stamped.command) && stamped.key.is_none(), || {
                format!("command {sequence} came from nobody: {:?}", stamped.command)
            });
        };
        let Some(sent) = self.sent.get_mut(&correlation) else {
            return Err(Violation(format!("command {sequence} was asked by nobody: {stamped:?}")));
        };
        sent.commands.push(sequence);
        ensure(sent.commands.len() <= sent.delivered, || {
            format!("command {sequence}: the request arrived {} times", sent.delivered)
        })?;
        let is_made = |key: &Key| {
            matches!(key.origin, KeyOrigin::Gateway { .. })
                && key.body_hash == body_hash(&stamped.command)
                && key.text.is_none()
        };
        let asked = http::as_read(&sent.request, &stamped.command, &self.oracle);
        let asked = asked.filter(|_| sent.is_http).unwrap_or_else(|| sent.request.clone());
        let is_key = match stamped.key {
            Some(key) if sent.lacks_key => is_made(&key),
            key => key == asked.key,
        };
        let is_same = is_key && asked.command == stamped.command;
        ensure(is_same, || format!("command {sequence} is not what was asked: {stamped:?}"))
    }

    /// An answer left the node.
    pub(crate) fn on_answer(
        &self,
        request: &Request,
        answer: &Result<Reply, PortFault>,
    ) -> Result<(), Violation> {
        let Ok(reply) = answer else { return Ok(()) };
        let says = |what: &str| Violation(format!("{what}: {request:?} got {reply:?}"));
        if reply.command == 0 {
            let is_refused = matches!(reply.outcome, Outcome::Refused(_));
            let is_told = reply.last_event <= self.last_event();
            let may_be = is_sequencers(&request.command) && is_refused && is_told;
            return ensure(may_be, || says("an answer without a command").0);
        }
        let index = usize::try_from(reply.command - 1).expect("small");
        let Some(stamped) = self.commands.get(index) else {
            return Err(says("an answer before its command was durable"));
        };
        if stamped.correlation != Some(request.correlation) {
            // A repeat gets the first answer of its key (D-74).
            let key = request.key.map(|key| (key.key_hash, key.body_hash));
            let first = stamped.key.map(|key| (key.key_hash, key.body_hash));
            ensure(key.is_some() && key == first, || says("the answer of another request").0)?;
            let sent = &self.sent[&request.correlation];
            ensure(!sent.commands.is_empty(), || {
                says("an answer before the repeat was durable").0
            })?;
        }
        ensure(self.answers[index] == (reply.outcome, reply.last_event), || {
            says(&format!("{:?} must be the answer", self.answers[index])).0
        })
    }

    /// A batch was published.
    pub(crate) fn on_batch(&self, batch: &Published) -> Result<(), Violation> {
        let mut next = batch.first_sequence;
        for group in GroupIter::new(&batch.groups) {
            let group = group.map_err(|fault| Violation(format!("published events: {fault}")))?;
            let command = group.head.command_sequence;
            let stamped = usize::try_from(command - 1).ok().and_then(|at| self.commands.get(at));
            let is_named = stamped.is_some_and(|it| it.correlation == group.head.correlation);
            ensure(is_named, || format!("events of command {command} that nobody promised"))?;
            for event in group.events() {
                let found = event.map_err(|fault| Violation(format!("an event: {fault}")))?;
                self.check_event(next, &found)?;
                next += 1;
            }
        }
        ensure(next == batch.last_sequence + 1, || {
            format!(
                "a batch from {} to {} ends at {}",
                batch.first_sequence,
                batch.last_sequence,
                next - 1
            )
        })?;
        Ok(())
    }

    /// The blocks of the event log as they were found.
    pub(crate) fn on_blocks(
        &self,
        blocks: impl Iterator<Item = OwnedBlock>,
    ) -> Result<u64, Violation> {
        let mut next = 1;
        for block in blocks {
            for group in GroupIter::new(block.payload()) {
                let group = group.map_err(|fault| Violation(format!("stored events: {fault}")))?;
                for event in group.events() {
                    let found = event.map_err(|fault| Violation(format!("an event: {fault}")))?;
                    self.check_event(next, &found)?;
                    next += 1;
                }
            }
        }
        Ok(next - 1)
    }

    fn check_event(&self, sequence: u64, found: &(EventHead, Event)) -> Result<(), Violation> {
        let expected = usize::try_from(sequence - 1).ok().and_then(|at| self.events.get(at));
        ensure(expected == Some(found), || {
            format!("event {sequence} is {found:?}\n  and must be {expected:?}")
        })
    }
}

/// What the sequencer gives itself and nobody may send.
pub(crate) const fn is_sequencers(command: &Command) -> bool {
    matches!(
        command,
        Command::Genesis(_)
            | Command::Tick
            | Command::LeaderChanged { .. }
            | Command::RecordStateHash { .. }
            | Command::RecordSnapshot { .. }
            | Command::RecordClockStatus { .. }
            | Command::Quarantine(..)
    )
}

/// Commands between two walks over the whole state of the oracle.
const ORACLE_CHECK_DISTANCE: u64 = 100;
