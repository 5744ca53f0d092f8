//! How a run begins and ends: the venue set up, and what must hold once the faults are over.
//!
//! Owns progress: on a machine that is well again a node starts, answers whoever asks, shows all that was
//! promised, and shows the same after its process died and after power was lost.

use std::time::Duration;

use engine::Stepped;
use port::{Port, Request};
use schema::{AssetRef, Command, LedgerEntry};
use testkit::rng::SplitMix64;
use units::{Amount, Id, Timestamp};

use super::http::Message;
use super::{Asked, World};
use crate::violation::{Violation, ensure};

impl World {
    /// Lists assets and markets, opens accounts and funds them; whatever is lost is asked for again.
    pub(crate) fn begin(&mut self, random: &mut SplitMix64) -> Result<(), Violation> {
        if random.below(4) == 0 {
            self.disk.crash_after(random.below(300));
        }
        self.set_up(random)?;
        if random.below(4) == 0 {
            self.generator.favour(self.auditor.oracle());
            self.ask_prepared(random)?;
        }
        Ok(())
    }

    /// As `begin`, without a fault of its own.
    pub(crate) fn set_up(&mut self, random: &mut SplitMix64) -> Result<(), Violation> {
        self.start()?;
        self.ask_prepared(random)
    }

    /// Asks for all that the generator has prepared.
    fn ask_prepared(&mut self, random: &mut SplitMix64) -> Result<(), Violation> {
        while self.generator.is_beginning(self.auditor.oracle()) {
            let request = self.make(random.next());
            for _ in 0..ATTEMPT_MAX {
                if self.auditor.is_sequenced(request.correlation) {
                    break;
                }
                if self.node.is_none() {
                    self.start()?;
                }
                self.arrive(Message::plain(request.clone()));
                self.settle()?;
            }
            let is_there = self.auditor.is_sequenced(request.correlation);
            ensure(is_there, || format!("{ATTEMPT_MAX} attempts came to nothing: {request:?}"))?;
        }
        Ok(())
    }

    /// The faults are over.
    pub(crate) fn end(&mut self) -> Result<(), Violation> {
        let random = &mut SplitMix64::new(self.auditor.command_count() ^ 0x0E4D_0FA1);
        self.disk.calm();
        self.make_room();
        self.slow = 0;
        self.right_clock(random)?;
        self.observe()?;
        self.check_trading(random)?;
        self.check_progress()?;
        self.check_views()?;
        self.check_snapshots()?;
        self.kill()?;
        self.start()?;
        self.check_trading(random)?;
        self.sweep()?;
        self.check_progress()?;
        self.check_views()?;
        self.lose_power()?;
        self.start()?;
        self.check_views()?;
        self.check_snapshots()?;
        self.check_clean_stop()
    }

    /// Lets the stages do all that there is to do.
    pub(super) fn settle(&mut self) -> Result<(), Violation> {
        if let Some(node) = &mut self.node {
            node.settle();
        }
        self.observe()
    }

    /// Whoever waits is answered, and so is someone new.
    fn check_progress(&mut self) -> Result<(), Violation> {
        self.settle()?;
        self.place_short_lived()?;
        self.advance(Duration::from_secs(3).as_nanos().try_into().expect("small"));
        self.check_due()?;
        let account = self.auditor.oracle().accounts()[8].id;
        let name = Id((u128::MAX - u128::from(self.auditor.command_count())).to_be_bytes());
        let request = deposit(account, name);
        // A fault of before may show only now: a segment that could not be prepared, a sector that is read.
        for _ in 0..ATTEMPT_MAX {
            if self.node.is_none() {
                self.start()?;
            }
            self.arrive(Message::plain(request.clone()));
            self.settle()?;
            if self.node.is_some() {
                break;
            }
        }
        ensure(self.auditor.is_sequenced(name), || "a request came to nothing".to_owned())?;
        self.check_gateway(deposit(account, Id(name.0.map(|byte| byte ^ 0x0F))))?;
        let end = Timestamp(self.clock.true_time() + DAY);
        let order = self.short_lived(&mut SplitMix64::new(self.auditor.command_count()), end);
        self.check_gateway(order)?;
        let (inside, asked) = (self.clients.inside_count(), self.asked.len());
        ensure(inside + asked == 0, || {
            format!("{inside} requests and {asked} questions are never answered")
        })
    }

    /// The gateway of a node that is well does not say that it cannot answer.
    fn check_gateway(&mut self, request: Request) -> Result<(), Violation> {
        let name = request.correlation;
        let message = Message::over_http(request, self.auditor.oracle(), self.genesis.venue_id);
        self.arrive(message);
        // It is patient for longer than a second (SVC-11).
        self.advance(1_000_000_000);
        self.observe()?;
        self.settle()?;
        let status = self.clients.status_of(name);
        let is_answered = status.is_some_and(|it| it != 503) || self.node.is_none();
        ensure(is_answered, || format!("the gateway answered {status:?} to {name}"))?;
        // As above: a fault of before may show only now.
        if self.node.is_none() { self.start() } else { Ok(()) }
    }

    /// Some orders that end before long.
    fn place_short_lived(&mut self) -> Result<(), Violation> {
        let Some(door) = self.door() else { return Ok(()) };
        let end = Timestamp(door.clock().now().0 + DUE_TIME);
        let mut random = SplitMix64::new(self.auditor.command_count());
        for _ in 0..SHORT_LIVED_COUNT {
            let request = self.short_lived(&mut random, end);
            self.arrive(Message::plain(request));
        }
        self.settle()?;
        self.crowd(end)
    }

    /// Nobody asks for anything, and yet what time brings has come (D-52).
    fn check_due(&mut self) -> Result<(), Violation> {
        self.settle()?;
        let Some(door) = self.door() else { return Ok(()) };
        let now = door.clock().now().0;
        for _ in 0..2 {
            // A node looks for room with a Tick, and not sooner than a moment after it has looked (D-110).
            self.advance(DUE_TIME / 2);
            self.settle()?;
        }
        let overdue = self.auditor.overdue(now - DUE_TIME);
        overdue.map_or(Ok(()), |what| Err(Violation(what)))
    }

    /// Every view, and the consumer, are at the last event.
    fn check_views(&mut self) -> Result<(), Violation> {
        // The follower of a node that has just started asks for what is due without any work of its own.
        self.settle()?;
        self.settle()?;
        self.auditor.check_hashes()?;
        self.read()?;
        let Some(door) = self.door() else {
            return Err(Violation("the node is gone".to_owned()));
        };
        let last = self.auditor.last_event();
        for query in self.auditor.queries() {
            let answer = door.query(query, last, Duration::from_secs(1));
            self.asked.push(Asked { query, least: last, answer });
        }
        self.observe()?;
        let left = self.asked.len();
        ensure(left == 0, || format!("{left} questions about event {last} are not answered"))
    }

    /// A node that is asked to stop leaves both logs whole.
    fn check_clean_stop(&mut self) -> Result<(), Violation> {
        if let Some(node) = self.node.take() {
            let stopped = Stepped::stop(node);
            self.observe()?;
            let told = (stopped.command_sequence, stopped.event_sequence);
            let must = (self.auditor.command_count(), self.auditor.last_event());
            ensure(told == must, || format!("the node stopped at {told:?} and not at {must:?}"))?;
        }
        let last = self.auditor.last_event();
        self.start()?;
        let stored = self.stored_event;
        ensure(stored == last, || format!("{stored} of {last} events are stored after a stop"))
    }
}

fn deposit(account: Id, name: Id) -> Request {
    let (asset, amount) = (AssetRef::Listed(1), Amount::ONE);
    let command = Command::Deposit(LedgerEntry { account, asset, amount, reference: name });
    Request { correlation: name, key: None, account_version: None, command }
}

const SHORT_LIVED_COUNT: usize = 5;
const DAY: i64 = 86_400_000_000_000;
pub(super) const ATTEMPT_MAX: usize = 20;
/// Nanoseconds that what is due may take: some Ticks.
const DUE_TIME: i64 = 1_000_000_000;
