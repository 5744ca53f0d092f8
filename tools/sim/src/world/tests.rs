//! Faults at every place in turn, where a plan draws some.
//!
//! Each test is a world with chosen acts; what holds of every run (`auditor.rs`, `ending.rs`) is checked in
//! all of them.

use std::path::PathBuf;

use port::{EventFeed, Port, PortFault, Request};
use schema::{AssetRef, Command, Key, KeyOrigin, LedgerEntry};
use testkit::rng::SplitMix64;
use units::{Amount, Id};

use super::clients::attempt;
use super::http::Message;
use super::node::{COMMANDS, EVENTS};
use super::replay::Replayed;
use super::{World, poll};
use crate::disk::Harm;
use crate::plan::{Act, ActKind, plan};
use crate::violation::Violation;

/// A world that trades, without faults so far.
fn world(seed: u64) -> World {
    let mut world = World::new(seed);
    world.set_up(&mut SplitMix64::new(seed)).expect("begun");
    world
}

/// Some trading: requests arrive, all stages work, the consumer reads.
fn trade(world: &mut World, count: u64) -> Result<(), Violation> {
    // No act of one call is one of another.
    let first = world.figures.requests << 32;
    for number in 0..count {
        for kind in [ActKind::Send, ActKind::Deliver, ActKind::Work, ActKind::Work, ActKind::Read] {
            world.act(Act { kind, seed: first + number * 100 + kind as u64 })?;
        }
    }
    Ok(())
}

/// Power is lost at every write and every sync in turn, whatever it is of: a record, events, a segment, a
/// snapshot. Each time a node starts again, has all that was promised, shows nothing else than before, and
/// all that there is leads to the state of the node that lived.
/// covers: REC-5, REC-26, REC-27, REC-81, REC-82, SEQ-15, SEQ-16
#[test]
fn a_crash_at_every_write_and_sync_is_recovered() {
    let mut crashes = (0, 0);
    for place in 0.. {
        let mut world = world(3);
        world.policy.events = 40;
        world.disk.crash_after(place);
        trade(&mut world, 60).unwrap_or_else(|it| panic!("crash at {place}: {it}"));
        let counts = world.disk.counts();
        let (promised, shown) = (world.auditor.command_count(), world.auditor.last_event());
        world.end().unwrap_or_else(|it| panic!("crash at {place}: {it}"));
        assert!(world.auditor.command_count() >= promised && world.auditor.last_event() >= shown);
        crashes.0 += counts.crashes_at_write;
        crashes.1 += counts.crashes_at_sync;
        if counts.crashes_at_write + counts.crashes_at_sync == 0 {
            assert!(place > 30, "a run has more than {place} writes and syncs");
            break;
        }
    }
    assert!(crashes.0 > 10 && crashes.1 > 10, "{crashes:?}");
}

/// A start that is killed at each of its writes and syncs, with a lost tail of events to make again, starts
/// again and comes to the same state.
/// covers: RPL-57, REC-86
#[test]
fn a_recovery_killed_at_every_write_comes_to_the_same_state() {
    let mut killed = 0;
    for place in 0.. {
        let mut world = world(4);
        trade(&mut world, 30).expect("no fault");
        world.settle().expect("no fault");
        let node = world.node.as_ref().expect("up");
        let live = (world.auditor.last_event(), node.state_hash());
        // What the follower has not synced is gone, and the node with it.
        world.lose_power().expect("told");
        world.disk.crash_after(place);
        let is_killed = world.start_fault().expect("nothing broken").is_some();
        if is_killed {
            killed += 1;
            world.start().expect("starts again");
        }
        assert!(world.stored_event < live.0 || is_killed, "a tail was lost");
        world.disk.calm();
        // A start that was killed late has put its term on record already: that comes behind.
        let report = *world.node.as_ref().expect("up").recovery();
        let has_term = report.event_sequence > live.0;
        assert!(has_term || (report.event_sequence, report.state_hash) == live, "at {place}");
        let replayed = Replayed::of(&world.disk, live.0).expect("sound");
        assert_eq!(replayed.state(), live, "killed at {place}");
        world.end().expect("as any other");
        if !is_killed {
            break;
        }
    }
    assert!(killed > 4, "{killed} places");
}

/// A flush that was interrupted is cut by a start whose sync fails, so that the medium may keep it while the
/// machine shows zeros. It does not come back behind later segments when power is lost.
#[test]
fn a_cut_that_a_failed_sync_forgot_stays_cut() {
    let mut cuts = 0;
    // The log grows by one small flush each time, so that one of them comes close to the end of its segment.
    for count in 0..100 {
        let mut world = world(3);
        trade(&mut world, 60 + count).expect("no fault");
        world.settle().expect("no fault");
        world.disk.fail_next_write();
        deposit_many(&mut world, 1);
        assert!(world.node.is_none(), "its log failed");
        world.disk.fail_next_sync();
        cuts += u64::from(world.start_fault().expect("nothing broken").is_some());
        world.disk.calm();
        world.start().expect("starts");
        for number in 2..12 {
            deposit_many(&mut world, number);
        }
        world.lose_power().expect("told");
        let fault = world.start_fault().expect("nothing broken");
        assert_eq!(fault, None, "after {count}");
    }
    assert!(cuts > 50, "{cuts} of 100 starts failed");
}

/// Every snapshot with the commands behind it, all commands from nothing, and all events alone lead to the
/// state of the node that lives, its open orders in their places; recorded hashes are compared on the way.
/// covers: REC-31, REC-40, REC-45, REC-81
#[test]
fn snapshots_commands_and_events_lead_to_one_state() {
    let mut world = world(5);
    world.policy = engine::SnapshotPolicy { events: 300, count: 4, ..world.policy };
    for round in 0..8 {
        trade(&mut world, 150).expect("no fault");
        // A halt by the operator ends, so that orders come to rest again.
        world.check_trading(&mut SplitMix64::new(round)).expect("trading goes on");
    }
    world.settle().expect("no fault");
    let open: usize = world.auditor.oracle().accounts().iter().map(|it| it.orders.len()).sum();
    let partial = world.auditor.oracle().orders().values().filter(|it| it.filled > 0).count();
    assert!(open > 20 && partial > 0, "{open} open orders, {partial} of them partial");
    world.check_snapshots().expect("one state");
    assert!(world.figures.replays >= 5, "{} starts on copies", world.figures.replays);
    assert!(world.figures.compared_hashes >= 1, "{} hashes", world.figures.compared_hashes);
}

fn deposit(world: &World, seed: u64) -> Request {
    let account = world.auditor.oracle().accounts()[9].id;
    let key = Key { key_hash: [7; 16], body_hash: [8; 16], origin: KeyOrigin::Client, text: None };
    let (asset, amount) = (AssetRef::Listed(1), Amount::ONE);
    let command = Command::Deposit(LedgerEntry { account, asset, amount, reference: Id([6; 16]) });
    Request { correlation: attempt(seed), key: Some(key), account_version: None, command }
}

/// Many deposits in one flush.
fn deposit_many(world: &mut World, number: u64) {
    for at in 0..20 {
        let request = deposit(world, (number << 20) + at);
        world.arrive(Message::plain(Request { key: None, ..request }));
    }
    world.settle().expect("told");
}

/// Requests with one key in flight at once, and again after the process died and after power was lost, have
/// one effect and one answer.
/// covers: REC-27, REC-67
#[test]
fn one_key_in_flight_twice_has_one_effect() {
    let mut world = world(6);
    world.settle().expect("no fault");
    let account = world.auditor.oracle().accounts()[9].id;
    let number = world.auditor.oracle().account_number(account).expect("there");
    let before = world.auditor.oracle().balance(number, 1).available;
    let mut seed = 100;
    for _ in 0..3 {
        for _ in 0..3 {
            seed += 1;
            let request = deposit(&world, seed);
            world.arrive(Message::plain(request));
        }
        world.settle().expect("one answer for all");
        if seed == 103 {
            world.kill().expect("told");
        } else {
            world.lose_power().expect("told");
        }
        world.start().expect("starts");
    }
    let after = world.auditor.oracle().balance(number, 1).available;
    assert_eq!(after - before, Amount::ONE.0);
    assert_eq!(world.auditor.situations["repeats of a key"], 8);
    world.end().expect("views show the same");
}

/// A disk that fails a write or a sync, or is full, stops the node: it takes no command any more, nothing
/// that it was not sure of was told, and what it was sure of is there at the next start.
/// covers: REC-2
#[test]
fn a_node_that_is_not_sure_of_its_log_takes_nothing_more() {
    type Fault = fn(&World);
    let faults: [Fault; 3] = [
        |it| it.disk.fail_next_sync(),
        |it| it.disk.fail_next_write(),
        |it| it.disk.set_full(true),
    ];
    for (number, fault) in faults.into_iter().enumerate() {
        let mut world = world(7);
        trade(&mut world, 20).expect("no fault");
        world.settle().expect("no fault");
        let promised = world.auditor.command_count();
        fault(&world);
        let mut is_stopped = false;
        for seed in 0..2_000 {
            let mut request = deposit(&world, seed << 20);
            request.key = None;
            let Some(node) = &mut world.node else { break };
            let port = node.port();
            world.auditor.on_delivered(&request, false);
            let mut answer = port.submit(request.clone());
            node.settle();
            let told = poll(&mut answer).expect("told");
            world.auditor.on_promised(world.promised.take()).expect("in order");
            world.auditor.on_answer(&request, &told).expect("true");
            if told == Err(PortFault::Stopped) {
                let mut next = port.submit(request);
                assert_eq!(poll(&mut next), Some(Err(PortFault::Stopped)));
                is_stopped = true;
                break;
            }
        }
        assert!(is_stopped, "fault {number}");
        world.observe().expect("it had a reason");
        assert!(world.node.is_none());
        world.end().expect("nothing is lost");
        assert!(world.auditor.command_count() > promised);
    }
}

/// Every file of the logs, in their order.
fn logs(world: &World) -> Vec<(PathBuf, Vec<u8>)> {
    let files = [COMMANDS, EVENTS].into_iter().flat_map(|folder| world.disk.files(folder));
    let bytes = |path: PathBuf| {
        let bytes = world.disk.bytes(&path).expect("there");
        (path, bytes)
    };
    files.map(|(path, _)| bytes(path)).collect()
}

/// A bit that flipped in an event, or a segment of events that is gone, is found by the next start, which
/// says where, serves nothing and changes nothing; mended, it comes to the state of before.
/// covers: RPL-58, RPL-59, RPL-60, REC-55
#[test]
fn a_start_over_a_damaged_or_missing_event_stops_and_changes_nothing() {
    let mut world = world(8);
    trade(&mut world, 400).expect("no fault");
    world.settle().expect("no fault");
    world.kill().expect("told");
    world.start().expect("starts");
    let mut found = 0;
    for seed in 0..60 {
        world.kill().expect("told");
        let mut random = SplitMix64::new(seed);
        let Some(place) = world.disk.harm(Harm::Flip, EVENTS, &mut random) else { continue };
        let before = logs(&world);
        if let Some(fault) = world.start_fault().expect("nothing broken") {
            found += 1;
            let segment = place.rsplit(' ').next().expect("a path");
            assert!(fault.contains(segment), "`{fault}` does not name {segment}");
            assert!(world.node.is_none());
            assert_eq!(logs(&world), before, "{place}");
        } else {
            // Where nothing was written, a flipped bit is cleared.
            world.disk.forget_blank_harm();
            assert!(!world.disk.is_log_harmed(), "{place}");
        }
        world.disk.mend();
        world.start().expect("starts");
    }
    assert!(found > 40, "{found} of 60");
    world.kill().expect("told");
    let segments: Vec<_> = world.disk.files(EVENTS).into_iter().map(|it| it.0).collect();
    assert!(segments.len() > 3);
    let whole = world.disk.copy();
    journal::disk::Disk::remove(&world.disk, &segments[1]).expect("removed");
    let before = logs(&world);
    let fault = world.start_fault().expect("nothing broken").expect("a gap");
    let next = segments[2].display().to_string();
    assert!(fault.contains(&next), "`{fault}` does not name {next}");
    assert_eq!(logs(&world), before);
    world.disk = whole;
    world.start().expect("starts");
    world.end().expect("nothing is lost");
}

/// A consumer that is cut off after an event goes on with the next one: none is missing and none comes
/// twice.
/// covers: SEQ-26
#[test]
fn a_consumer_that_crashed_goes_on_with_the_next_event() {
    let mut world = world(9);
    world.settle().expect("no fault");
    let mut after = world.auditor.last_event();
    for _ in 0..10 {
        trade(&mut world, 3).expect("no fault");
        world.settle().expect("no fault");
        let mut feed = world.door().expect("up").events(after).expect("kept");
        // It takes one batch and dies with what it has stored.
        let batch = next(&mut feed);
        assert_eq!(batch.0, after + 1);
        after = batch.1;
    }
    let mut feed = world.door().expect("up").events(after).expect("kept");
    while after < world.auditor.last_event() {
        let batch = next(&mut feed);
        assert_eq!(batch.0, after + 1);
        after = batch.1;
    }
    assert_eq!(after, world.auditor.last_event());
}

fn next(feed: &mut Box<dyn EventFeed>) -> (u64, u64) {
    let batch = poll(&mut feed.next()).expect("there is one").expect("kept");
    (batch.first_sequence, batch.last_sequence)
}

/// A seed is a run: twice the same, to the last event and count.
#[test]
fn a_seed_repeats_exactly() {
    for seed in [11, 12] {
        let run = || {
            let mut world = World::new(seed);
            crate::run::live(&mut world, seed, &plan(seed), &mut 0).expect("kept");
            let events = format!("{:?}", world.auditor.last_events(usize::MAX));
            (events, format!("{:?} {:?}", world.figures, world.coverage))
        };
        let (one, other) = (run(), run());
        assert!(one == other, "seed {seed}");
    }
}
