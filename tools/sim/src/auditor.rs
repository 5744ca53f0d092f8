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
use schema::limits::HASH_WINDOW;
use schema::{
    Code, Command, Event, EventHead, GroupHead, GroupIter, HaltReason, Idempotency, Key, KeyOrigin,
    Outcome, Reply, Stamped, TradingHalt,
};
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
    /// The key that each enters into state with its first event.
    keys: Vec<Option<Idempotency>>,
    events: Vec<(EventHead, Event)>,
    /// What was sent, by the name of the attempt, and how often it may have arrived.
    sent: BTreeMap<Id, Sent>,
    /// Checksums of the snapshots that are on record, by their event.
    snapshots: BTreeMap<u64, [u8; 32]>,
    /// No stamp may be above this, but the one before it (D-53).
    latest_time: i64,
    /// The latest that the wall clock has shown.
    latest_wall: i64,
    has_confirmed: bool,
    /// The event of the last state hash on record.
    last_hash: u64,
    /// Orders that ended, each with its place among them and whether it was canceled.
    ended: BTreeMap<u64, (usize, bool)>,
    /// How many had ended when the node started: it may have forgotten those.
    ended_before: usize,
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

    /// The time of the last command or event.
    pub(crate) fn last_time(&self) -> i64 {
        let stamp = self.commands.last().map_or(0, |it| it.stamp.0);
        self.events.last().map_or(stamp, |(head, _)| stamp.max(head.timestamp.0))
    }

    /// A node starts, and need not know of orders that ended before.
    pub(crate) fn on_start(&mut self) {
        self.ended_before = self.ended.len();
    }

    /// Exchange time may be so late by now, and the wall clock shows this, right or wrong.
    pub(crate) fn allow_time(&mut self, time: i64, wall: i64) {
        self.latest_time = self.latest_time.max(time);
        self.latest_wall = self.latest_wall.max(wall);
        if self.has_confirmed {
            self.latest_time = self.latest_time.max(self.latest_wall);
        }
    }

    /// Whether somebody has confirmed a clock, right or wrong as it was then.
    pub(crate) const fn has_confirmed(&self) -> bool {
        self.has_confirmed
    }

    /// When the next order or countdown ends, behind `now`.
    pub(crate) fn next_end(&self, now: i64) -> Option<i64> {
        let orders = self.oracle.orders().values().filter_map(|it| it.expire_at);
        let countdowns = self.oracle.accounts().iter().filter_map(|it| it.deadline);
        orders.chain(countdowns).filter(|&end| end > now).min()
    }

    /// An order or a countdown that should have ended before `now` (D-52, D-96).
    pub(crate) fn overdue(&self, now: i64) -> Option<String> {
        let mut orders = self.oracle.orders().values();
        let order = orders.find(|it| it.expire_at.is_some_and(|end| end < now));
        let mut accounts = self.oracle.accounts().iter();
        let account = accounts.find(|it| it.deadline.is_some_and(|end| end < now));
        let order = order.map(|it| format!("order {} is open behind its end", it.number));
        order
            .or_else(|| account.map(|it| format!("the countdown of account {} ran out", it.number)))
    }

    /// EVT-43: every window but the one at work has its hash on record.
    pub(crate) fn check_hashes(&self) -> Result<(), Violation> {
        let (last, hash) = (self.last_event(), self.last_hash);
        ensure(hash / HASH_WINDOW == last / HASH_WINDOW, || {
            format!("at event {last} the last state hash on record is that of event {hash}")
        })
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
        let latest = self.latest_time.max(self.last_time()) + UNUSED_STAMPS;
        ensure(stamped.stamp.0 <= latest, || {
            format!(
                "the stamp of command {next} is {}, and no clock says more than {latest}",
                stamped.stamp
            )
        })?;
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
            if let Some((order, is_canceled)) = end_of(event) {
                self.ended.insert(order, (self.ended.len(), is_canceled));
            }
            if let Event::StateHashRecorded(it) = event {
                self.last_hash = it.at_sequence;
            }
        }
        // SEQ-54: a start begins a later term than the one before.
        let is_term = matches!(stamped.command, Command::LeaderChanged { .. });
        ensure(!is_term || matches!(answer.outcome, Outcome::Done { .. }), || {
            format!("{:?} came to {:?}", stamped.command, answer.outcome)
        })?;
        if matches!(
            (&stamped.command, &answer.outcome),
            (Command::ConfirmClock(..), Outcome::Done { .. })
        ) {
            self.latest_time = self.latest_time.max(self.latest_wall);
            self.has_confirmed = true;
        }
        self.stream.on_command_end()?;
        // No clock fails here without a step, so whoever goes by the machine's own has halted (TIME-34, TIME-35).
        ensure(
            !(stamped.fallback_clock && matches!(answer.outcome, Outcome::Accepted { .. })),
            || {
                format!(
                    "command {next} is an order that was taken by a clock that nobody had confirmed"
                )
            },
        )?;
        self.count(&answer);
        self.events.extend(answer.events);
        self.keys.push(answer.idempotency);
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
        let halted = |wanted: bool| {
            let is = |event: &Event| {
                matches!(event,
                Event::TradingHalted(it) if (it.reason == HaltReason::Clock) == wanted)
            };
            answer.events.iter().any(|(_, event)| is(event))
        };
        let resumed = kinds(|event| matches!(event, Event::TradingResumed(_)));
        let is_met = [
            !prices.is_empty(),
            prices.len() >= 3,
            canceled > 0,
            triggered > 0,
            ended >= 20,
            matches!(answer.outcome, Outcome::Repeated { .. }),
            is_conflict,
            halted(false),
            halted(true),
            resumed > 0,
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
            self.check_head(&group.head)?;
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
                self.check_head(&group.head)?;
                for event in group.events() {
                    let found = event.map_err(|fault| Violation(format!("an event: {fault}")))?;
                    self.check_event(next, &found)?;
                    next += 1;
                }
            }
        }
        Ok(next - 1)
    }

    /// The events of a command are told under its own name, with the key that it enters (EVT-80).
    fn check_head(&self, head: &GroupHead) -> Result<(), Violation> {
        let command = head.command_sequence;
        let at = usize::try_from(command.wrapping_sub(1)).ok();
        let stamped = at.and_then(|at| self.commands.get(at));
        let is_named = stamped.is_some_and(|it| it.correlation == head.correlation);
        ensure(is_named, || format!("events of command {command} that nobody promised"))?;
        let key = at.and_then(|at| self.keys[at]);
        ensure(head.idempotency == key, || {
            format!("command {command} enters the key {:?} and must {key:?}", head.idempotency)
        })
    }

    fn check_event(&self, sequence: u64, found: &(EventHead, Event)) -> Result<(), Violation> {
        let expected = usize::try_from(sequence - 1).ok().and_then(|at| self.events.get(at));
        ensure(expected == Some(found), || {
            format!("event {sequence} is {found:?}\n  and must be {expected:?}")
        })
    }
}

/// The order that an event ends, and whether it is canceled.
const fn end_of(event: &Event) -> Option<(u64, bool)> {
    match event {
        Event::OrderCanceled(it) => Some((it.order, true)),
        Event::OrderExpired(it) => Some((it.order, false)),
        Event::OrderFilled(it) => Some((it.order, false)),
        Event::OrderRejected(it) => Some((it.order, false)),
        _ => None,
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
            | Command::HaltTrading(TradingHalt { reason: HaltReason::Clock, .. }, _)
    )
}

/// Nanoseconds: a stamp is 1 ns above the one before, and some are given to what gets no number.
const UNUSED_STAMPS: i64 = 1_000_000;
/// Commands between two walks over the whole state of the oracle.
const ORACLE_CHECK_DISTANCE: u64 = 100;
