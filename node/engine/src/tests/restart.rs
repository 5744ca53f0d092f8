//! Recovery: what a start finds and what it refuses.

use journal::{EventLog, LogFault, OwnedBlock};
use port::{Port, Query};
use schema::{Command, Outcome, Reply};

use super::mix::Mix;
use crate::testing::{
    Disks, block_on, clock, config, genesis, health, open_venue, submit, wait_until,
};
use crate::view::{Changes, StateHash, View, hash_from_nothing};
use crate::{Engine, ReplayFault, StartFault, Storage};

/// Runs a mix and answers the replies.
fn run_mix(engine: &Engine, seed: u64, count: usize) -> Vec<Reply> {
    let port = engine.port();
    let mut mix = Mix::new(seed, open_venue(&port, 5));
    let mut step = |_| {
        let request = mix.next();
        let reply = submit(&port, request.clone());
        mix.learn(&request, &reply);
        reply
    };
    (0..count).map(&mut step).collect()
}

/// covers: SEQ-18, EVT-43
/// covers: RPL-2
#[test]
fn every_window_is_hashed_and_recorded_and_a_restart_agrees() {
    let (disks, clock) = (Disks::new(40), clock());
    let engine = disks.start(&clock).expect("sound");
    run_mix(&engine, 40, 4_000);
    let stopped = engine.stop();
    let mut recorded = Vec::new();
    let mut ends = Vec::new();
    for block in disks.stored_blocks() {
        for group in schema::GroupIter::new(block.payload()) {
            let group = group.expect("sound");
            ends.push(group.head.first_sequence + u64::from(group.count) - 1);
            for event in group.events() {
                if let schema::Event::StateHashRecorded(hash) = event.expect("sound").1 {
                    recorded.push(hash.at_sequence);
                }
            }
        }
    }
    let holds = |multiple: u64| *ends.iter().find(|&&end| end >= multiple).expect("reached");
    let windows = stopped.event_sequence / 1_000;
    let mut wanted: Vec<u64> = (1..=windows).map(|window| holds(window * 1_000)).collect();
    wanted.dedup();
    assert!(wanted.starts_with(&recorded), "in order, none left out, at command ends");
    assert!(recorded.len() + 1 >= wanted.len() && recorded.len() > 5, "all but the newest");
    let engine = disks.start(&clock).expect("sound");
    let report = *engine.recovery();
    assert_eq!(report.command_sequence, stopped.command_sequence);
    assert_eq!(report.event_sequence, stopped.event_sequence);
    assert_eq!(report.hash_count, recorded.len() as u64);
    assert_eq!(report.made_block_count, 0, "all was synced at the end");
    drop(engine);
    let again = disks.start(&clock).expect("sound");
    assert!(again.recovery().hash_count >= report.hash_count);
}

/// The hash that is kept up is the one from nothing, after every command of a random run.
/// covers: DET-45, DET-47
#[test]
fn the_hash_that_is_kept_up_is_the_one_from_nothing() {
    let disks = Disks::new(41);
    let engine = disks.start(&clock()).expect("sound");
    run_mix(&engine, 41, 2_000);
    let _ = engine.stop();
    let mut view = View::new(10);
    let (mut kept, mut changes, mut seen) = (StateHash::default(), Changes::default(), Vec::new());
    for block in disks.stored_blocks() {
        for group in schema::GroupIter::new(block.payload()) {
            view.apply(&group.expect("sound"), &mut changes).expect("applies");
            view.hash_into(&mut kept);
            assert_eq!(kept.value(), hash_from_nothing(view.kernel()));
            seen.push(kept.value());
        }
    }
    seen.sort_unstable();
    let count = seen.len();
    seen.dedup();
    assert_eq!(seen.len(), count, "every command leaves another state");
}

/// covers: REC-86, EVT-85
/// covers: REC-32
#[test]
fn a_lost_tail_of_events_is_made_again_and_a_difference_refused() {
    let (disks, clock) = (Disks::new(42), clock());
    let engine = disks.start(&clock).expect("sound");
    run_mix(&engine, 42, 500);
    let _ = engine.stop();
    let blocks = disks.stored_blocks();
    for kept in [0, 1, blocks.len() / 2, blocks.len()] {
        let lossy = Disks { events: Disks::new(1).events, ..disks.clone() };
        fill(&mut lossy.event_log(), &blocks[..kept]);
        let engine = lossy.start(&clock).expect("the tail is made again");
        let report = engine.recovery();
        assert_eq!(report.compared_block_count, kept as u64);
        drop(engine);
        assert_eq!(lossy.stored_blocks()[..blocks.len()], blocks, "the very same bytes");
    }
    let other = Disks::new(43);
    clock.advance(1_000);
    let engine = other.start(&clock).expect("sound");
    run_mix(&engine, 42, 500);
    let _ = engine.stop();
    let mixed = Disks { events: other.events.clone(), ..disks };
    assert!(matches!(
        mixed.start(&clock).expect_err("the events are of another run"),
        StartFault::Replay(ReplayFault::Log(LogFault::Differs { event_sequence: 1, .. }))
    ));
    assert_eq!(mixed.stored_blocks(), other.stored_blocks(), "nothing was changed");
}

fn fill(log: &mut EventLog, blocks: &[OwnedBlock]) {
    for block in blocks {
        log.append(block).expect("extends");
    }
    log.sync().expect("durable");
}

/// Events of commands that the command log does not have mean that it lost some.
/// covers: SEQ-22
#[test]
fn an_event_log_ahead_of_the_command_log_stops_the_start() {
    let (disks, clock) = (Disks::new(44), clock());
    let engine = disks.start(&clock).expect("sound");
    run_mix(&engine, 44, 50);
    let _ = engine.stop();
    let mut short = journal::MemoryLog::new();
    let journal = disks.journal();
    let records = journal::CommandLog::read(&journal, 1).expect("sound");
    for record in records.take(10) {
        journal::CommandLog::append(&mut short, &record.expect("sound")).expect("extends");
    }
    journal::CommandLog::sync(&mut short).expect("in memory");
    let storage = Storage {
        commands: Box::new(short),
        events: disks.event_log(),
        folder: None,
        archive: None,
        snapshots: None,
    };
    let fault = Engine::start_with(config(), storage, clock).expect_err("commands were lost");
    assert!(matches!(fault, StartFault::Replay(ReplayFault::EventsAhead { commands: 10, .. })));
}

/// The machine stops between any two writes: what was acknowledged is there, and the state is that of
/// the commands in the log.
/// covers: REC-26, SEQ-16
#[test]
fn a_crash_loses_nothing_that_was_acknowledged() {
    for seed in 0..20 {
        let (disks, clock) = (Disks::new(100 + seed), clock());
        let engine = disks.start(&clock).expect("sound");
        let port = engine.port();
        let mut mix = Mix::new(seed, open_venue(&port, 3));
        disks.commands.fail_write_after(20 + seed * 7);
        let mut acknowledged = Vec::new();
        loop {
            let requests: Vec<_> = (0..5).map(|_| mix.next()).collect();
            let Ok(replies) = block_on(port.submit_all(requests.clone())) else { break };
            for (request, reply) in requests.iter().zip(replies) {
                mix.learn(request, &reply);
                acknowledged.push(reply);
            }
        }
        disks.commands.crash();
        disks.events.crash();
        drop(engine);
        let engine = disks.start(&clock).expect("recovers");
        assert!(engine.recovery().command_sequence >= acknowledged.last().expect("some").command);
        check_acknowledged(&disks, engine, &acknowledged);
    }
}

/// Every acknowledged reply is what the events on disk say.
fn check_acknowledged(disks: &Disks, engine: Engine, acknowledged: &[Reply]) {
    let _ = engine.stop();
    let mut answers = std::collections::BTreeMap::new();
    for block in disks.stored_blocks() {
        for group in schema::GroupIter::new(block.payload()) {
            let reply = crate::answer::answer_of(&group.expect("sound"), 3).expect("sound");
            answers.insert(reply.command, reply);
        }
    }
    for reply in acknowledged {
        assert_eq!(answers.get(&reply.command), Some(reply));
    }
}

/// Dropped in the middle of its work, an engine leaves what a crash of the process would.
#[test]
fn an_engine_that_is_dropped_can_be_started_again() {
    let (disks, clock) = (Disks::new(45), clock());
    let engine = disks.start(&clock).expect("sound");
    let port = engine.port();
    let account = open_venue(&port, 1)[0];
    let deposits =
        (0..20_000).map(|_| crate::testing::request(crate::testing::deposit(account, 1, 1)));
    let answer = port.submit_all(deposits.collect());
    let metrics = engine.metrics();
    wait_until(|| metrics.durable_sequence.value() > 1_000);
    drop(engine);
    drop(block_on(answer));
    let engine = disks.start(&clock).expect("recovers");
    assert!(engine.recovery().command_sequence > 1_000);
    assert!(matches!(
        submit(&engine.port(), crate::testing::request(crate::testing::deposit(account, 1, 1))),
        Reply { outcome: Outcome::Done { .. }, .. }
    ));
}

#[test]
fn a_configuration_of_another_venue_is_refused() {
    let (disks, clock) = (Disks::new(46), clock());
    let none = crate::Config { genesis: None, ..config() };
    let start = |config| Engine::start_with(config, disks.storage(), clock.clone());
    assert!(matches!(start(none.clone()), Err(StartFault::GenesisMissing)));
    let mut bad = genesis();
    bad.fee_tiers.clear();
    let bad = crate::Config { genesis: Some(bad), ..config() };
    assert!(matches!(start(bad), Err(StartFault::GenesisRefused(_))));
    drop(start(config()).expect("sound"));
    let engine = start(none).expect("the log knows its genesis");
    assert_eq!(health(&engine.port()).venue_id, genesis().venue_id);
    assert_eq!(health(&engine.port()).shard, 3);
    drop(engine);
    let mut other = genesis();
    other.shard = 4;
    let other = crate::Config { genesis: Some(other), ..config() };
    assert!(matches!(start(other), Err(StartFault::OtherVenue { found_shard: 3, .. })));
    let commands = disks.stored_commands();
    assert!(
        matches!(commands.last(), Some((2, last)) if last.sequence == 3
        && matches!(last.command, Command::LeaderChanged { .. })),
        "a refused start writes nothing"
    );
    let port = start(config()).expect("sound").port();
    assert!(block_on(port.query(Query::Health, 0, std::time::Duration::ZERO)).is_ok());
}
