//! What the node itself puts on record, and whose clock it goes by.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use journal::disk::RealDisk;
use journal::{CommandLog, RecordBuilder};
use port::Port;
use schema::{
    ClockStatus, Code, Command, CommandKind, Event, EventBuffer, EventHead, EventKind, FeeSchedule,
    FeeTier, GroupHead, GroupIter, Key, KeyOrigin, Outcome, Stamped, StateHashRecorded,
    TimeInForce, encode_command,
};
use snapshot::SnapshotStore;
use units::{Amount, Id, Rate, Side, Timestamp};

use super::mix::Mix;
use crate::fault::ReplayFault;
use crate::recovery::replay;
use crate::stored::{Missing, StoredEvents};
use crate::testing::{
    Disks, NOON, block_on, clock, config, deposit, keyed, label, open_venue, order, request,
    signed, submit,
};
use crate::view::{Changes, View};
use crate::{Clock, Config, Engine, SnapshotPolicy, StartFault};

/// Events that tell of the log itself, and the command that each comes from.
const OWN: [(EventKind, CommandKind); 4] = [
    (EventKind::LeaderChanged, CommandKind::LeaderChanged),
    (EventKind::StateHashRecorded, CommandKind::RecordStateHash),
    (EventKind::SnapshotTaken, CommandKind::RecordSnapshot),
    (EventKind::ClockStatusChanged, CommandKind::RecordClockStatus),
];

/// Hashes, snapshots, leaders and changes of the clock are on record through commands that the sequencer made:
/// nobody else can hand one in, each such event comes from the command of its type, and both logs replay.
/// covers: EVT-88
#[test]
fn what_the_node_records_comes_from_commands_of_the_sequencer() {
    let (disks, clock) = (Disks::without_archive(90), clock());
    let folder = tempfile::tempdir().expect("a folder");
    let start = || {
        let mut storage = disks.storage();
        storage.snapshots =
            Some(SnapshotStore::open(Arc::new(RealDisk), folder.path()).expect("opened"));
        let snapshots =
            SnapshotPolicy { events: 300, interval: Duration::from_secs(3_600), count: 2 };
        Engine::start_with(Config { snapshots, ..config() }, storage, clock.clone())
    };
    let engine = start().expect("sound");
    let port = engine.port();
    let mut mix = Mix::new(90, open_venue(&port, 4));
    let mut count = 0;
    while count < 900 || engine.metrics().snapshot_sequence.value() == 0 {
        let request = mix.next();
        let reply = submit(&port, request.clone());
        mix.learn(&request, &reply);
        count += 1;
        if count == 500 {
            clock.step(5_000_000_000);
        }
        assert!(count < 50_000, "no snapshot was taken");
    }
    let (from, to) = (ClockStatus::Primary, ClockStatus::Backup);
    for command in [
        Command::LeaderChanged { term: 99, leader: label("stranger") },
        Command::RecordStateHash { at_sequence: 1, state_hash: [1; 32] },
        Command::RecordSnapshot {
            snapshot_sequence: 1,
            snapshot_timestamp: Timestamp(1),
            checksum: [1; 32],
        },
        Command::RecordClockStatus { from, to, skew: Amount::ZERO },
    ] {
        let reply = submit(&port, request(command));
        let Outcome::Refused(refusal) = reply.outcome else { panic!("{:?}", reply.outcome) };
        assert_eq!((reply.command, refusal.code), (0, Code::PermissionDenied));
    }
    let _ = engine.stop();
    drop(start().expect("recovers"));
    let commands = disks.stored_commands();
    let mut seen = [0; OWN.len()];
    for block in disks.stored_blocks() {
        for group in GroupIter::new(block.payload()) {
            let group = group.expect("sound");
            let place = usize::try_from(group.head.command_sequence - 1).expect("few");
            let stamped = &commands[place].1;
            for read in group.events() {
                let kind = read.expect("sound").1.kind();
                let Some(own) = OWN.iter().position(|(event, _)| *event == kind) else { continue };
                assert_eq!(stamped.command.kind(), OWN[own].1, "{kind:?}");
                assert!(stamped.correlation.is_none() && stamped.key.is_none(), "nobody asked");
                seen[own] += 1;
            }
        }
    }
    let made =
        OWN.map(|(_, kind)| commands.iter().filter(|(_, it)| it.command.kind() == kind).count());
    assert!(seen == made && seen.iter().all(|&count| count > 0), "{seen:?} of {made:?}");
    let events = StoredEvents::new(disks.event_log(), Missing::Count);
    let replayed = replay(&disks.journal(), events, (None, 8), &mut |_, _| {});
    let report = replayed.expect("both logs replay to the same").report;
    assert!(report.hash_count > 0 && report.made_block_count == 0);
}

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

/// All source files of a folder that are shipped, with their names.
fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("readable").path();
        let name = path.file_name().and_then(|it| it.to_str()).expect("text").to_owned();
        let is_test =
            name.starts_with("test") || name == "fake_disk.rs" || name == "conformance.rs";
        if path.is_dir() && !is_test {
            sources(&path, found);
        } else if !is_test && path.is_file() {
            let text = fs::read_to_string(&path).expect("text");
            let shipped = text.split("#[cfg(test)]\nmod tests {").next().expect("a part");
            found.push((name, shipped.to_owned()));
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
    assert!(commands.iter().all(|(_, it)| it.stamp.0 <= clock.wall() + 1_000));
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

/// However long a shard runs, starts again, takes snapshots and drops old ones: every event that was ever stored
/// is there, byte for byte, from the first on. Nothing in the node's logs takes a file away.
/// covers: EVT-55
#[test]
fn no_event_is_ever_deleted() {
    let (disks, clock) = (Disks::new(95), clock());
    let folder = tempfile::tempdir().expect("a folder");
    let mut before: Vec<Vec<u8>> = Vec::new();
    let mut mix: Option<Mix> = None;
    for _ in 0..5 {
        let mut storage = disks.storage();
        storage.snapshots =
            Some(SnapshotStore::open(Arc::new(RealDisk), folder.path()).expect("opened"));
        let snapshots =
            SnapshotPolicy { events: 200, interval: Duration::from_secs(3_600), count: 1 };
        let config = Config { snapshots, ended_order_count: 1, ..config() };
        let engine = Engine::start_with(config, storage, clock.clone()).expect("recovers");
        let port = engine.port();
        let mix = mix.get_or_insert_with(|| Mix::new(95, open_venue(&port, 3)));
        for _ in 0..400 {
            let request = mix.next();
            let reply = submit(&port, request.clone());
            mix.learn(&request, &reply);
        }
        let _ = engine.stop();
        let blocks: Vec<Vec<u8>> =
            disks.stored_blocks().iter().map(|block| block.bytes().to_vec()).collect();
        assert!(blocks.starts_with(&before) && blocks.len() > before.len() + 100);
        assert_eq!(disks.stored_blocks()[0].header().first_event, 1);
        before = blocks;
    }
    let journal = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("journal").join("src");
    let mut files = Vec::new();
    sources(&journal, &mut files);
    let of_logs = files.iter().filter(|(name, _)| name != "disk.rs" && name != "folder.rs");
    for (name, text) in of_logs {
        for call in [".remove(", "remove_file", "remove_dir", "set_len", "truncate(true)"] {
            assert!(!text.contains(call), "{name} has {call}");
        }
    }
}
