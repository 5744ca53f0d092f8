//! Failed syncs and broken invariants: the shard stops, nothing wrong gets out, reads go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use port::{HealthStatus, Port, PortFault, Query};
use schema::Outcome;
use units::Side;

use crate::testing::{
    Disks, ask, block_on, clock, config, created, deposit, health, open_venue, place, request,
    submit, try_submit, wait_until,
};
use crate::{Clock, Engine, StopReason};

/// Nothing of the batch whose sync failed is released, and its callers get an error.
#[test]
fn a_failed_sync_releases_nothing_and_stops_the_shard() {
    let (disks, clock) = (Disks::new(50), clock());
    let engine = disks.start(&clock).expect("sound");
    let port = engine.port();
    let account = open_venue(&port, 1)[0];
    let last = submit(&port, request(deposit(account, 1, 1)));
    let before = ask(&port, Query::Account(account), last.last_event);
    let mut feed = port.events(last.last_event).expect("kept");
    disks.commands.fail_sync_after(0);
    let lost = (0..250).map(|_| request(deposit(account, 1, 1))).collect();
    assert_eq!(block_on(port.submit_all(lost)), Err(PortFault::Stopped));
    assert_eq!(try_submit(&port, request(deposit(account, 1, 1))), Err(PortFault::Stopped));
    assert!(matches!(engine.stop_reason(), Some(StopReason::CommandLog(_))));
    let now = health(&port);
    assert_eq!((now.status, now.command_sequence), (HealthStatus::Unhealthy, last.command));
    assert_eq!(now.event_sequence, last.last_event);
    assert_eq!(ask(&port, Query::Account(account), 0), before, "reads go on");
    drop(engine);
    assert!(block_on(feed.next()).is_err(), "no feed tells of it");
    disks.commands.crash();
    disks.events.crash();
    let engine = disks.start(&clock).expect("recovers");
    assert!(engine.recovery().command_sequence >= last.command);
    assert!(submit(&engine.port(), request(deposit(account, 1, 1))).command > last.command);
}

/// covers: STATE-40
/// covers: REC-1, REC-83, SETL-29
#[test]
fn a_panic_in_the_executor_stops_the_shard_and_not_the_process() {
    let (disks, clock) = (Disks::new(51), clock());
    let other = Disks::new(52);
    let other = other.start(&clock).expect("sound");
    let broken_at = 30;
    let engine = Engine::start_prepared(config(), disks.storage(), clock.clone(), |executor| {
        executor.panic_at = Some(broken_at);
    });
    let engine = engine.expect("sound");
    let port = engine.port();
    let account = open_venue(&port, 1)[0];
    let (mut last, mut order) = (None, None);
    let fault = loop {
        match try_submit(&port, place(account, Side::Buy, 100, 1)) {
            Ok(reply) => (last, order) = (Some(reply), Some(created(&reply))),
            Err(fault) => break fault,
        }
    };
    assert_eq!(fault, PortFault::Stopped);
    let last = last.expect("some went well");
    assert_eq!(last.command, broken_at - 1);
    assert!(matches!(engine.stop_reason(), Some(StopReason::Invariant { first, last, .. })
        if first == broken_at && last == broken_at));
    assert_eq!(try_submit(&port, place(account, Side::Buy, 100, 1)), Err(PortFault::Stopped));
    let now = health(&port);
    assert_eq!((now.status, now.event_sequence), (HealthStatus::Unhealthy, last.last_event));
    let seen = ask(&port, Query::Order(order.expect("placed")), last.last_event);
    assert_eq!(seen.sequence, last.last_event, "nothing of the broken command is visible");
    let account = open_venue(&other.port(), 1)[0];
    assert!(try_submit(&other.port(), request(deposit(account, 1, 1))).is_ok());
    assert_eq!(health(&other.port()).status, HealthStatus::Healthy, "other shards go on");
    drop(engine);
    // The log has the command; a corrected version executes it.
    let engine = disks.start(&clock).expect("recovers");
    assert_eq!(engine.recovery().command_sequence, broken_at);
}

/// In a batch, everything up to the record before the broken one is answered, and no more.
/// covers: SETL-29
#[test]
fn a_panic_keeps_back_its_whole_record() {
    let (disks, clock) = (Disks::new(53), clock());
    let engine = Engine::start_prepared(config(), disks.storage(), clock.clone(), |executor| {
        executor.panic_at = Some(1_000);
    });
    let engine = engine.expect("sound");
    let port = engine.port();
    let account = open_venue(&port, 1)[0];
    let answers: Vec<_> =
        (0..2_000).map(|_| port.submit(request(deposit(account, 1, 1)))).collect();
    let replies: Vec<_> = answers.into_iter().map_while(|answer| block_on(answer).ok()).collect();
    let Some(StopReason::Invariant { first, last, .. }) = engine.stop_reason() else {
        panic!("stopped by the invariant")
    };
    assert!(first <= 1_000 && last >= 1_000);
    assert_eq!(replies.last().map(|reply| reply.command), Some(first - 1));
    assert!(replies.iter().all(|reply| matches!(reply.outcome, Outcome::Done { .. })));
}

/// A view that differs from the core stops the shard: here the event log cannot be written.
#[test]
fn a_failed_event_log_stops_the_shard_and_loses_nothing() {
    let (disks, clock) = (Disks::new(54), clock());
    let engine = Arc::new(disks.start(&clock).expect("sound"));
    let port = engine.port();
    let account = open_venue(&port, 1)[0];
    disks.events.fail_sync_after(0);
    let mut last = 0;
    while engine.stop_reason().is_none() {
        match try_submit(&port, request(deposit(account, 1, 1))) {
            Ok(reply) => last = reply.command,
            Err(fault) => assert_eq!(fault, PortFault::Stopped),
        }
    }
    wait_until(|| matches!(engine.stop_reason(), Some(StopReason::EventLog(_))));
    drop(engine);
    disks.commands.crash();
    disks.events.crash();
    let engine = disks.start(&clock).expect("recovers");
    assert!(engine.recovery().command_sequence >= last && last > 0);
}

/// A clock with a bug.
#[derive(Debug)]
struct BrokenClock(AtomicBool);

impl Clock for BrokenClock {
    fn wall(&self) -> i64 {
        assert!(!self.0.load(Ordering::SeqCst), "a bug that a test has");
        crate::testing::NOON
    }

    fn monotonic(&self) -> u64 {
        0
    }
}

/// A thread of the node that panics leaves nobody waiting.
#[test]
fn a_bug_in_the_node_stops_the_shard_and_answers_everyone() {
    let (disks, clock) = (Disks::new(55), Arc::new(BrokenClock(AtomicBool::new(false))));
    let engine = Engine::start_with(config(), disks.storage(), clock.clone()).expect("sound");
    let port = engine.port();
    let account = open_venue(&port, 1)[0];
    clock.0.store(true, Ordering::SeqCst);
    let answers: Vec<_> = (0..500).map(|_| port.submit(request(deposit(account, 1, 1)))).collect();
    for answer in answers {
        assert_eq!(block_on(answer), Err(PortFault::Stopped));
    }
    wait_until(|| matches!(engine.stop_reason(), Some(StopReason::Bug { thread: "core", .. })));
    assert_eq!(health(&port).status, HealthStatus::Unhealthy);
    let seen = ask(&port, Query::Account(account), engine.metrics().released_event.value());
    assert!(matches!(seen.view, port::View::Account(Some(_))), "reads go on");
}
