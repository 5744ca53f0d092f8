//! Whose clock a shard goes by: one, whatever time anybody else names.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use journal::{CommandLog, RecordBuilder};
use port::Port;
use schema::{
    Command, Event, EventBuffer, EventHead, EventKind, FeeSchedule, FeeTier, GroupHead, GroupIter,
    Key, KeyOrigin, Stamped, StateHashRecorded, TimeInForce, encode_command,
};
use units::{Amount, Id, Rate, Side, Timestamp};

use super::own::sources;
use crate::fault::ReplayFault;
use crate::recovery::replay;
use crate::stored::{Missing, StoredEvents};
use crate::testing::{
    Disks, NOON, block_on, clock, confirm_clock, deposit, keyed, open_venue, order, request,
    signed, submit,
};
use crate::view::{Changes, View};
use crate::{Clock, StartFault};

/// Times in requests, of keys, ends and references, early and late, and the clock of another node that led
/// before: no stamp and no event time is made of them. The shard's own clock stands still here, so stamps rise
/// from its one time by 1 ns.
/// covers: TIME-13
#[test]
fn no_time_but_the_clocks_becomes_a_stamp() {
    let (disks, clock) = (Disks::without_archive(91), clock());
    let engine = disks.start(&clock).expect("sound");
    let port = engine.port();
    let account = open_venue(&port, 1)[0];
    let (year, far) = (365 * 86_400_000_000_000, Timestamp(i64::MAX));
    for offset in [-40 * year, -1, 0, 1, 30 * year] {
        let time = Timestamp(NOON + offset);
        let mut late = order(account, Side::Buy, 100, 1);
        (late.time_in_force, late.expire_at) = (TimeInForce::Gtd, Some(time));
        let _ = submit(&port, request(Command::PlaceOrder(late)));
        let mut by_gateway = keyed(7, deposit(account, 1, 1));
        let origin = KeyOrigin::Gateway { valid_until: time };
        by_gateway.key = by_gateway.key.map(|key| Key { origin, ..key });
        let _ = submit(&port, by_gateway);
        let tier = FeeTier { above: Amount::ZERO, maker: Rate(90_000), taker: Rate(200_000) };
        let schedule = FeeSchedule { tiers: vec![tier], effective_at: Some(time) };
        let number = u64::MAX - 50 + offset.signum().unsigned_abs();
        let announced = signed(number, move |by| Command::SetFeeSchedule(schedule.clone(), by));
        let _ = submit(&port, announced);
        let Command::Deposit(mut entry) = deposit(account, 1, 1) else { unreachable!("it is one") };
        entry.reference = Id::derive(time, 7, 9).unwrap_or(Id([0xff; 16]));
        let mut named = request(Command::Deposit(entry));
        named.correlation = Id::derive(time, 7, 10).unwrap_or(Id([0xfe; 16]));
        let _ = submit(&port, named);
    }
    let _ = engine.stop();
    // Another node, an hour behind, leads now.
    let slow = Arc::new(crate::ManualClock::new(NOON - 500_000_000));
    let engine = disks.start(&slow).expect("recovers");
    let _ = submit(&engine.port(), request(deposit(account, 1, 1)));
    let _ = engine.stop();
    let commands = disks.stored_commands();
    assert!(commands.len() > 25);
    let first = commands[0].1.stamp;
    assert!((NOON..NOON + 10).contains(&first.0));
    assert!(commands.iter().all(|(_, it)| it.stamp != far));
    for pair in commands.windows(2) {
        let (before, after) = (&pair[0].1, &pair[1].1);
        // A term begins above the last event, which lies a few nanoseconds behind its command.
        let is_term = matches!(after.command, Command::LeaderChanged { .. });
        let rise = after.stamp.0 - before.stamp.0;
        assert!(rise == 1 || is_term && (1..100).contains(&rise), "{rise}: {after:?}");
    }
    let mut last = Timestamp(0);
    for block in disks.stored_blocks() {
        for group in GroupIter::new(block.payload()) {
            let group = group.expect("sound");
            let place = usize::try_from(group.head.command_sequence - 1).expect("few");
            for read in group.events() {
                let (head, _) = read.expect("sound");
                let stamp = commands[place].1.stamp;
                assert_eq!(head.timestamp, stamp.max(Timestamp(last.0 + 1)));
                last = head.timestamp;
            }
        }
    }
}

/// One clock a shard: its wall is read in one file of the node, stamps are given by one function, and called for
/// in one stage. Sixteen threads that hand in at once get stamps that rise with the numbers.
/// covers: TIME-11
#[test]
fn all_stamps_come_from_one_function() {
    let node = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the layer");
    let mut files = Vec::new();
    for entry in fs::read_dir(node).expect("a folder") {
        sources(&entry.expect("readable").path().join("src"), &mut files);
    }
    assert!(files.len() > 60, "{} files", files.len());
    let holding = |text: &str| -> Vec<&str> {
        let files = files.iter().filter(|(_, shipped)| shipped.contains(text));
        let mut names: Vec<&str> = files.map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(holding("SystemTime::now()"), ["clock.rs"]);
    assert_eq!(holding(".wall()"), ["exchange_clock.rs"]);
    assert_eq!(holding("fn stamp("), ["exchange_clock.rs"]);
    // The sequencer's records, and the first one of its term.
    assert_eq!(holding("clock.stamp()"), ["lead.rs", "sequencer.rs"]);
    let (disks, clock) = (Disks::without_archive(92), clock());
    let engine = disks.start(&clock).expect("sound");
    let account = open_venue(&engine.port(), 1)[0];
    thread::scope(|scope| {
        for _ in 0..16 {
            let port = engine.port();
            let clock = clock.clone();
            scope.spawn(move || {
                for _ in 0..50 {
                    clock.advance(7);
                    let _ = block_on(port.submit(request(deposit(account, 1, 1))));
                }
            });
        }
    });
    let _ = engine.stop();
    let commands = disks.stored_commands();
    assert!(commands.len() > 800);
    let rise = |pair: &[(u64, Stamped)]| pair[0].1.stamp < pair[1].1.stamp;
    assert!(commands.windows(2).all(rise), "one after the other");
    assert!(commands.iter().all(|(_, it)| it.stamp.0 <= clock.wall().expect("it works") + 1_000));
}

/// A stamp below the one before it stops a start as CRITICAL; so does an event time at or below the one before
/// it stop the view, which applies nothing of it.
/// covers: TIME-36
#[test]
fn a_time_that_does_not_rise_stops_replay() {
    let (disks, clock) = (Disks::without_archive(93), clock());
    let engine = disks.start(&clock).expect("sound");
    let account = open_venue(&engine.port(), 1)[0];
    for _ in 0..10 {
        let _ = submit(&engine.port(), request(deposit(account, 1, 1)));
    }
    let _ = engine.stop();
    let mut commands = disks.stored_commands();
    let place = commands.len() - 3;
    commands[place].1.stamp.0 = commands[place - 1].1.stamp.0 - 1;
    let other = Disks::without_archive(94);
    let mut journal = other.journal();
    let end = journal.end();
    let mut previous = end.hash;
    for (epoch, stamped) in &commands {
        let mut record = RecordBuilder::begin(*epoch, stamped.sequence, previous);
        record.push(|out| encode_command(out, stamped)).expect("it is small");
        let sealed = record.seal();
        previous = sealed.hash();
        journal.append(&sealed).expect("it extends the log");
    }
    let _ = journal.sync().expect("durable");
    drop(journal);
    let fault = other.start(&clock).expect_err("no clock gave this stamp");
    let StartFault::Replay(ReplayFault::StampBackwards { sequence }) = &fault else {
        panic!("{fault}")
    };
    assert_eq!(*sequence, commands[place].1.sequence);
    assert!(fault.to_string().contains("CRITICAL"), "{fault}");
    assert_event_times(&disks);
}

/// The view of the stored events, and one event more at another time.
fn assert_event_times(disks: &Disks) {
    for (early, refused) in [(0, true), (-1, true), (-1_000_000, true), (1, false)] {
        let (mut view, mut changes) = (View::new(8), Changes::default());
        for block in disks.stored_blocks() {
            for group in GroupIter::new(block.payload()) {
                view.apply(&group.expect("sound"), &mut changes).expect("applies");
            }
        }
        let position = view.kernel().position();
        let first_timestamp = Timestamp(position.last_timestamp.0 + early);
        let sequence = position.event_sequence + 1;
        let mut buffer = EventBuffer::new();
        buffer.begin(&GroupHead {
            command_sequence: position.command_sequence + 1,
            first_sequence: sequence,
            first_timestamp,
            correlation: None,
            idempotency: None,
        });
        let event =
            Event::StateHashRecorded(StateHashRecorded { at_sequence: 1, state_hash: [2; 32] });
        let at = EventHead { sequence, timestamp: first_timestamp };
        buffer.push(EventKind::StateHashRecorded, at, &event);
        buffer.end();
        let group = GroupIter::new(buffer.bytes()).next().expect("one").expect("sound");
        let applied = view.apply(&group, &mut changes);
        assert_eq!(applied.is_err(), refused, "{early}: {applied:?}");
        if let Err(message) = applied {
            let command = position.command_sequence + 1;
            let fault = ReplayFault::Apply { command, message }.to_string();
            assert!(fault.contains("CRITICAL") && fault.contains("not later"), "{fault}");
            assert_eq!(view.kernel().position().event_sequence, position.event_sequence);
        }
    }
}

/// The wall clock jumps, stamps go on with the monotonic clock under the fallback flag, a person confirms the
/// clock: the check of the log afterwards finds no time that does not rise, in that range or anywhere.
/// covers: TIME-41
#[test]
fn a_log_with_a_fallback_in_it_passes_its_check() {
    for jump in [3_600_000_000_000_i64, -3_600_000_000_000] {
        let (disks, clock) = (Disks::without_archive(96), clock());
        let engine = disks.start(&clock).expect("sound");
        let port = engine.port();
        let account = open_venue(&port, 1)[0];
        let pay = |count: usize| {
            for _ in 0..count {
                clock.advance(1_500);
                let _ = submit(&port, request(deposit(account, 1, 1)));
            }
        };
        pay(20);
        clock.step(jump);
        pay(30);
        clock.step(-jump);
        confirm_clock(&port, 1);
        pay(20);
        let _ = engine.stop();
        let commands = disks.stored_commands();
        let flagged = commands.iter().filter(|(_, it)| it.fallback_clock).count();
        assert!(flagged >= 30 && commands.len() - flagged >= 40, "{flagged}");
        assert!(commands.windows(2).all(|pair| pair[0].1.stamp < pair[1].1.stamp));
        let events = StoredEvents::new(disks.event_log(), Missing::Count);
        let replayed = replay(&disks.journal(), events, (None, 8), &mut |_, _| {});
        assert!(replayed.is_ok(), "{:?}", replayed.err());
        let mut last = Timestamp(0);
        for block in disks.stored_blocks() {
            for group in GroupIter::new(block.payload()) {
                for read in group.expect("sound").events() {
                    let (head, _) = read.expect("sound");
                    assert!(head.timestamp > last);
                    last = head.timestamp;
                }
            }
        }
    }
}
