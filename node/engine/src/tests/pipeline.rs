//! Numbers, stamps, records and the bounds of the pipeline.

use std::sync::Arc;
use std::thread;

use journal::{CommandLog, End, LogFault, Records, Sealed};
use parking_lot::{Condvar, Mutex};
use port::{FeedFault, HealthStatus, Port, PortFault, Query};
use schema::{
    ClockStatus, Code, Command, EventKind, OrderRequest, Outcome, Reply, Trigger, TriggerKind,
    TriggerSource,
};
use units::{Amount, Side};

use crate::testing::{
    Disks, ask, block_on, clock, config, confirm_clock, deposit, health, market, open_venue, order,
    place, request, resume_trading, submit, try_submit, wait_until,
};
use crate::{Config, Engine, Storage, TICK_INTERVAL_DEFAULT};

/// covers: SEQ-12, SEQ-55, SEQ-54
#[test]
fn a_log_begins_with_the_genesis_and_each_term_with_its_epoch() {
    let (disks, clock) = (Disks::new(1), clock());
    for _ in 0..3 {
        let engine = disks.start(&clock).expect("sound");
        assert_eq!(health(&engine.port()).status, HealthStatus::Healthy);
        drop(engine);
    }
    let commands = disks.stored_commands();
    assert_eq!(commands.len(), 4);
    assert!(matches!(commands[0], (1, ref first) if first.sequence == 1
        && matches!(first.command, Command::Genesis(_))));
    for (index, (epoch, stamped)) in commands.iter().enumerate().skip(1) {
        assert_eq!(stamped.sequence, index as u64 + 1);
        assert!(matches!(stamped.command, Command::LeaderChanged { term, .. }
            if term == *epoch && term == index as u64));
    }
    let block = &disks.stored_blocks()[0];
    let first = schema::GroupIter::new(block.payload()).next().expect("one").expect("sound");
    let (head, event) = first.events().next().expect("one").expect("sound");
    assert!(head.sequence == 1 && matches!(event, schema::Event::GenesisRecorded(_)));
}

/// Numbers of commands submitted by so many threads, and of all commands in the log.
fn race(threads: usize, each: usize) -> (Vec<u64>, Vec<(u64, bool)>) {
    let disks = Disks::new(2);
    let engine = disks.start(&clock()).expect("sound");
    let account = open_venue(&engine.port(), 1)[0];
    let before = engine.metrics().command_sequence.value();
    let work = |port: crate::InProcess| {
        thread::spawn(move || {
            let submit = |_| submit(&port, request(deposit(account, 1, 1))).command;
            (0..each).map(submit).collect::<Vec<_>>()
        })
    };
    let threads: Vec<_> = (0..threads).map(|_| work(engine.port())).collect();
    let mut numbers = Vec::new();
    for thread in threads {
        numbers.extend(thread.join().expect("no panic"));
    }
    assert_eq!(engine.stop().reason, crate::StopReason::Asked);
    let is_own = |command: &Command| matches!(command, Command::RecordStateHash { .. });
    let stored = disks.stored_commands();
    let stored = stored.iter().filter(|(_, stamped)| stamped.sequence > before);
    (numbers, stored.map(|(_, stamped)| (stamped.sequence, is_own(&stamped.command))).collect())
}

/// covers: SEQ-13, INV-66
/// covers: SEQ-11
#[test]
fn every_number_is_given_once_and_none_is_left_out() {
    for (threads, each) in [(16, 500), (10, 1_000)] {
        let (mut numbers, stored) = race(threads, each);
        numbers.sort_unstable();
        assert_eq!(numbers.len(), threads * each);
        let submitted = stored.iter().filter(|(_, own)| !own).map(|&(number, _)| number);
        assert!(numbers.iter().copied().eq(submitted), "replies name what the log holds");
        assert!(stored.windows(2).all(|pair| pair[0].0 + 1 == pair[1].0), "no gap in the log");
    }
}

#[test]
fn a_batch_stays_together_and_is_answered_in_its_order() {
    let disks = Disks::new(3);
    let engine = disks.start(&clock()).expect("sound");
    let port = engine.port();
    let account = open_venue(&port, 1)[0];
    let requests = (0..1_000).map(|_| request(deposit(account, 1, 1))).collect();
    let replies = block_on(port.submit_all(requests)).expect("taken");
    assert!(replies.windows(2).all(|pair| pair[0].command < pair[1].command));
    assert_eq!(replies.len(), 1_000);
    assert_eq!(block_on(port.submit_all(Vec::new())), Ok(Vec::new()));
    let tick = request(Command::Tick);
    let refused = block_on(port.submit_all(vec![tick])).expect("answered");
    assert!(matches!(refused[0], Reply { command: 0, outcome: Outcome::Refused(refusal), .. }
        if refusal.code == Code::PermissionDenied));
}

/// A log whose syncs wait for the test.
struct GatedLog {
    inner: Box<dyn CommandLog + Send>,
    gate: Arc<Gate>,
}

#[derive(Default)]
struct Gate {
    open: Mutex<bool>,
    changed: Condvar,
}

impl Gate {
    fn set(&self, open: bool) {
        *self.open.lock() = open;
        self.changed.notify_all();
    }
}

impl CommandLog for GatedLog {
    fn append(&mut self, sealed: &Sealed) -> Result<(), LogFault> {
        self.inner.append(sealed)
    }

    fn sync(&mut self) -> Result<End, LogFault> {
        let mut open = self.gate.open.lock();
        while !*open {
            self.gate.changed.wait(&mut open);
        }
        drop(open);
        self.inner.sync()
    }

    fn end(&self) -> End {
        self.inner.end()
    }

    fn read(&self, from_sequence: u64) -> Result<Records, LogFault> {
        self.inner.read(from_sequence)
    }
}

fn start_gated(disks: &Disks, config: Config) -> (Engine, Arc<Gate>) {
    let gate = Arc::new(Gate { open: Mutex::new(true), changed: Condvar::new() });
    let Storage { commands, events, folder, archive, snapshots } = disks.storage();
    let commands = Box::new(GatedLog { inner: commands, gate: gate.clone() });
    let storage = Storage { commands, events, folder, archive, snapshots };
    (Engine::start_with(config, storage, clock()).expect("sound"), gate)
}

/// While the sync has not answered, the command was executed and nobody sees anything of it.
/// covers: REC-60, DET-39
#[test]
fn nothing_is_seen_before_it_is_durable() {
    let (engine, gate) = start_gated(&Disks::new(4), config());
    let (port, metrics) = (engine.port(), engine.metrics());
    let account = open_venue(&port, 1)[0];
    let seen = ask(&port, Query::Account(account), metrics.event_sequence.value());
    let mut feed = port.events(seen.sequence).expect("kept");
    gate.set(false);
    let mut answer = port.submit(place(account, Side::Buy, 100, 1));
    wait_until(|| metrics.event_sequence.value() > seen.sequence);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(answer.as_mut().poll(&mut context).is_pending(), "executed, and not answered");
    assert!(feed.next().as_mut().poll(&mut context).is_pending());
    assert_eq!(ask(&port, Query::Account(account), 0), seen);
    assert_eq!(metrics.released_event.value(), seen.sequence);
    gate.set(true);
    let reply = block_on(answer).expect("durable now");
    assert!(ask(&port, Query::Account(account), reply.last_event).sequence > seen.sequence);
    assert_eq!(block_on(feed.next()).expect("published").last_sequence, reply.last_event);
}

#[test]
fn a_full_queue_answers_busy_at_once() {
    let small = Config { queue_count_max: 10, ..config() };
    let (engine, gate) = start_gated(&Disks::new(5), small);
    let port = engine.port();
    let account = open_venue(&port, 1)[0];
    gate.set(false);
    let mut waiting = Vec::new();
    let busy = loop {
        let mut answer = port.submit(request(deposit(account, 1, 1)));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match answer.as_mut().poll(&mut context) {
            std::task::Poll::Ready(answer) => break answer,
            std::task::Poll::Pending => waiting.push(answer),
        }
        assert!(waiting.len() < 100_000, "what runs ahead of the disk is bounded");
    };
    assert_eq!(busy, Err(PortFault::Busy));
    let too_many = (0..11).map(|_| request(deposit(account, 1, 1))).collect();
    assert_eq!(block_on(port.submit_all(too_many)), Err(PortFault::Busy));
    assert_eq!(engine.metrics().refused_full.value(), 2);
    gate.set(true);
    for answer in waiting {
        assert!(block_on(answer).is_ok(), "what was taken in is answered");
    }
}

/// A view that is more windows behind than it may be closes the intake, but not for all.
/// covers: REC-85
#[test]
fn a_lagging_view_closes_the_intake_for_new_orders_only() {
    let disks = Disks::new(6);
    let engine = disks.start(&clock()).expect("sound");
    let (port, metrics) = (engine.port(), engine.metrics());
    let account = open_venue(&port, 1)[0];
    let order = crate::testing::created(&submit(&port, place(account, Side::Buy, 100, 1)));
    let event_sequence = metrics.event_sequence.value();
    wait_until(|| metrics.view_sequence.value() == event_sequence);
    let lag = (schema::limits::SHADOW_LAG_WINDOW_MAX + 1) * schema::limits::HASH_WINDOW;
    metrics.event_sequence.set(event_sequence + lag);
    assert_eq!(health(&port).status, HealthStatus::Degraded);
    assert_eq!(try_submit(&port, place(account, Side::Buy, 100, 1)), Err(PortFault::Busy));
    assert_eq!(metrics.refused_lag.value(), 1);
    let cancel = schema::CancelOrder { account, order, state_seq: None };
    let reply = submit(&port, request(Command::CancelOrder(cancel)));
    assert_eq!(reply.outcome, Outcome::Done { created: None });
    assert_eq!(health(&port).status, HealthStatus::Healthy, "the view has caught up");
    assert!(try_submit(&port, place(account, Side::Buy, 100, 1)).is_ok());
}

/// covers: TIME-26
#[test]
fn a_tick_comes_with_every_interval_and_needs_no_traffic() {
    assert!(TICK_INTERVAL_DEFAULT.as_millis() < 100);
    let (disks, clock) = (Disks::new(7), clock());
    let ticking = Config { tick_interval: TICK_INTERVAL_DEFAULT, ..config() };
    let engine = Engine::start_with(ticking, disks.storage(), clock.clone()).expect("sound");
    let metrics = engine.metrics();
    let first = metrics.durable_sequence.value();
    for ticks in 1..=5 {
        clock.advance(u32::try_from(TICK_INTERVAL_DEFAULT.as_nanos()).expect("short"));
        wait_until(|| metrics.durable_sequence.value() == first + ticks);
    }
    assert_eq!(metrics.tick_count.value(), 5);
    drop(engine);
    let commands = disks.stored_commands();
    let ticks = commands.iter().filter(|(_, stamped)| stamped.command == Command::Tick);
    let stamps: Vec<i64> = ticks.map(|(_, stamped)| stamped.stamp.0).collect();
    assert!(stamps.windows(2).all(|pair| pair[1] - pair[0] <= 100_000_000));
    assert_eq!(stamps.len(), 5);
}

/// A step makes the shard degraded and goes on record; a person's words end it.
#[test]
fn a_step_of_the_clock_is_on_record() {
    let (disks, clock) = (Disks::new(8), clock());
    let engine = disks.start(&clock).expect("sound");
    let (port, metrics) = (engine.port(), engine.metrics());
    let account = open_venue(&port, 1)[0];
    clock.step(5_000_000_000);
    submit(&port, request(deposit(account, 1, 1)));
    submit(&port, request(deposit(account, 1, 1)));
    assert_eq!(health(&port).status, HealthStatus::Degraded);
    wait_until(|| metrics.clock_step_count.value() == 1);
    confirm_clock(&port, 1);
    submit(&port, request(deposit(account, 1, 1)));
    assert_eq!(health(&port).status, HealthStatus::Degraded, "trading is halted");
    resume_trading(&port, 2);
    submit(&port, request(deposit(account, 1, 1)));
    assert_eq!(health(&port).status, HealthStatus::Healthy);
    let _ = engine.stop();
    let changes: Vec<(ClockStatus, ClockStatus)> = disks
        .stored_commands()
        .iter()
        .filter_map(|(_, stamped)| match stamped.command {
            Command::RecordClockStatus { from, to, .. } => Some((from, to)),
            _ => None,
        })
        .collect();
    let (primary, fallback) = (ClockStatus::Primary, ClockStatus::Fallback);
    assert_eq!(changes, [(primary, fallback), (fallback, primary)]);
}

#[test]
fn the_doors_close_with_the_engine() {
    let disks = Disks::new(9);
    let engine = disks.start(&clock()).expect("sound");
    let port = engine.port();
    let account = open_venue(&port, 1)[0];
    let mut feed = port.events(engine.metrics().event_sequence.value()).expect("kept");
    let stopped = engine.stop();
    assert_eq!(try_submit(&port, request(deposit(account, 1, 1))), Err(PortFault::Stopped));
    assert_eq!(block_on(feed.next()).err(), Some(FeedFault::Closed));
    let seen = ask(&port, Query::Account(account), stopped.event_sequence);
    assert_eq!(seen.sequence, stopped.event_sequence, "reads go on");
    assert_eq!(health(&port).status, HealthStatus::Unhealthy);
}

/// A trigger that a trade met does not wait for somebody's next command (D-92).
#[test]
fn a_met_trigger_is_taken_at_once() {
    let disks = Disks::new(9);
    let engine = disks.start(&clock()).expect("sound");
    let accounts = open_venue(&engine.port(), 2);
    submit(&engine.port(), place(accounts[0], Side::Sell, 1_000, 5));
    let stop = OrderRequest {
        trigger: Some(Trigger {
            kind: TriggerKind::Stop,
            price: Amount(market().tick_size.0 * 1_000),
            source: TriggerSource::Last,
        }),
        ..order(accounts[1], Side::Buy, 1_000, 3)
    };
    submit(&engine.port(), request(Command::PlaceOrder(stop)));
    let reply = submit(&engine.port(), place(accounts[1], Side::Buy, 1_000, 1));
    wait_until(|| engine.metrics().command_sequence.value() > reply.command);
    assert_eq!(engine.stop().reason, crate::StopReason::Asked);
    let commands = disks.stored_commands();
    let (_, last) = commands.last().expect("not empty");
    assert!(matches!(last.command, Command::Tick), "nobody else came: {last:?}");
    let blocks = disks.stored_blocks();
    let groups = |block: &journal::OwnedBlock| {
        let groups = schema::GroupIter::new(block.payload()).map(|group| group.expect("sound"));
        let last = groups.filter(|group| group.head.command_sequence == last.sequence);
        last.flat_map(|group| group.events().map(|event| event.expect("sound").1.kind()))
            .collect::<Vec<_>>()
    };
    let kinds: Vec<EventKind> = blocks.iter().flat_map(groups).collect();
    assert_eq!(kinds[..2], [EventKind::OrderTriggered, EventKind::TradeExecuted]);
}
