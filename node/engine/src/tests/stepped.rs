//! The stepped form: the stages of the threaded one, in whatever order a caller says.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use port::{Port, PortFault, Query, View};
use schema::Reply;
use testkit::rng::SplitMix64;
use units::Side;

use crate::testing::{Disks, clock, config, deposit, opening, place, request, submit};
use crate::{StageKind, Step, Stepped, StopReason};

fn start(disks: &Disks) -> Stepped {
    Stepped::start_with(config(), disks.storage(), clock()).expect("sound")
}

fn poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

fn answered(stepped: &mut Stepped, request: port::Request) -> Result<Reply, PortFault> {
    let mut answer = stepped.port().submit(request);
    stepped.settle();
    poll(&mut answer).expect("settled")
}

/// D-3: no order of steps tells anybody anything before the log has synced, or after it failed to.
/// covers: REC-60
#[test]
fn nothing_is_told_before_the_log_has_stepped() {
    let disks = Disks::without_archive(1);
    let mut stepped = start(&disks);
    let port = stepped.port();
    let mut answer = port.submit(request(schema::Command::CreateAccount(opening("one"))));
    let mut feed = port.events(stepped.metrics().released_event.value()).expect("kept");
    let mut batch = feed.next();
    let others = [StageKind::Core, StageKind::Releaser, StageKind::Follower, StageKind::Archive];
    for _ in 0..10 {
        let steps = others.map(|stage| stepped.step(stage));
        assert_eq!(steps[3], Step::Ended, "there is no archive");
        assert!(poll(&mut answer).is_none() && poll(&mut batch).is_none());
    }
    disks.commands.fail_sync_after(0);
    assert_eq!(stepped.step(StageKind::Log), Step::Ended);
    stepped.settle();
    assert_eq!(poll(&mut answer), Some(Err(PortFault::Stopped)));
    assert!(poll(&mut batch).is_none());
    assert!(matches!(stepped.stop().reason, StopReason::CommandLog(_)));
}

/// A stage that is not stepped holds up those before it, and nothing is lost.
#[test]
fn a_stage_that_lags_holds_up_those_before_it() {
    let disks = Disks::without_archive(2);
    let mut stepped = start(&disks);
    let answers: Vec<_> = (0..600)
        .map(|number| {
            let opening = opening(&format!("trader-{number}"));
            let answer = stepped.port().submit(request(schema::Command::CreateAccount(opening)));
            let _full = stepped.step(StageKind::Core);
            answer
        })
        .collect();
    assert_eq!(stepped.step(StageKind::Core), Step::Idle, "512 records are on their way");
    stepped.settle();
    for mut answer in answers {
        assert!(matches!(poll(&mut answer), Some(Ok(_))));
    }
    assert_eq!(stepped.metrics().shadow_lag(), 0);
}

/// The same requests, one by one, lead to the same logs in both forms, whatever the schedule: the
/// pipeline of threads against one thread.
/// covers: DET-45
#[test]
fn both_forms_write_the_same_logs() {
    let requests: Vec<port::Request> = (0..200)
        .map(|number| match number {
            0 | 1 => request(schema::Command::CreateAccount(opening(&format!("trader-{number}")))),
            _ if number % 2 == 0 => request(deposit(units::Id([4; 16]), 1, 1)),
            _ => place(units::Id([4; 16]), Side::Buy, 5, 6),
        })
        .collect();
    let threaded = Disks::without_archive(3);
    let engine = threaded.start(&clock()).expect("sound");
    let told: Vec<_> = requests.iter().map(|it| submit(&engine.port(), it.clone())).collect();
    let stopped = engine.stop();
    for seed in 0..5 {
        let disks = Disks::without_archive(seed);
        let mut stepped = start(&disks);
        let mut random = SplitMix64::new(seed);
        for (request, told) in requests.iter().zip(&told) {
            let mut answer = stepped.port().submit(request.clone());
            let reply = loop {
                let stage = *random.pick(&StageKind::ALL).expect("some");
                let _step = stepped.step(stage);
                if let Some(reply) = poll(&mut answer) {
                    break reply;
                }
            };
            assert_eq!(reply.as_ref(), Ok(told));
        }
        assert_eq!(stepped.stop(), stopped);
        assert_eq!(disks.stored_commands(), threaded.stored_commands());
        assert_eq!(disks.stored_blocks(), threaded.stored_blocks());
    }
}

/// A query waits in the shard's own time, and the archive of the stepped form answers as ever.
#[test]
fn queries_wait_for_steps_and_for_the_shards_time() {
    let (disks, clock) = (Disks::new(4), clock());
    let mut stepped = Stepped::start_with(config(), disks.storage(), clock.clone()).expect("sound");
    let port = stepped.port();
    let second = std::time::Duration::from_secs(1);
    let mut late = port.query(Query::Markets, 1_000, second);
    stepped.settle();
    assert!(poll(&mut late).is_none());
    clock.advance(1_000_000_000);
    stepped.settle();
    assert_eq!(poll(&mut late).map(|seen| seen.err()), Some(Some(PortFault::TimedOut)));
    let reply = answered(&mut stepped, request(schema::Command::CreateAccount(opening("one"))));
    let reply = reply.expect("the shard runs");
    let account = crate::testing::created(&reply);
    let page = port::Page { after: None, limit: 10 };
    let rows = Query::LedgerEntries(account, port::Period::default(), page);
    let mut rows = port.query(rows, reply.last_event, second);
    stepped.settle();
    let seen = poll(&mut rows).expect("indexed").expect("answered");
    assert!(seen.sequence >= reply.last_event && !matches!(seen.view, View::Health(_)));
    drop(stepped);
    assert!(matches!(poll(&mut port.query(Query::Markets, 0, second)), Some(Ok(_))));
}
