//! What the node itself puts on record, what its operator does, and that none of it is ever deleted.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use journal::disk::RealDisk;
use port::{PortFault, Query, View as ViewAnswer};
use schema::{
    AccountRates, AccountStatus, ClockStatus, Code, Command, CommandKind, EventKind, GroupIter,
    MarketChange, Outcome, RatesChange, StatusChange, SymbolRef,
};
use snapshot::SnapshotStore;
use units::{Amount, Timestamp};

use super::mix::Mix;
use crate::recovery::replay;
use crate::stored::{Missing, StoredEvents};
use crate::testing::{
    Disks, ask, clock, config, label, open_venue, request, signed, submit, try_submit,
};
use crate::{Config, Engine, InProcess, SnapshotPolicy};

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
        let snapshots = SnapshotPolicy {
            events: 300,
            interval: Duration::from_secs(3_600),
            checkpoint: Duration::from_secs(3_600),
            count: 2,
        };
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

/// All source files of a folder that are shipped, with their names.
pub(super) fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
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

/// However long a shard runs, starts again, takes snapshots and drops old ones: every event that was ever stored
/// is there, byte for byte, from the first on. Nothing in the node's logs takes a file away, but one line: that of a
/// segment whose compressed form was read back and found equal (D-112), which the journal's own tests hold it to.
/// covers: EVT-55, RPL-61
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
        let snapshots = SnapshotPolicy {
            events: 200,
            interval: Duration::from_secs(3_600),
            checkpoint: Duration::from_secs(3_600),
            count: 1,
        };
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
        let packing = "disk.remove(path).map_err(storage(\"remove\", path))?;";
        let text = if name == "closed.rs" { text.replacen(packing, "", 1) } else { text.clone() };
        for call in [".remove(", "remove_file", "remove_dir", "set_len", "truncate(true)"] {
            assert!(!text.contains(call), "{name} has {call}");
        }
    }
}

/// Whatever the operator does, taken or refused, is in the command log with what came of it in the event log. When
/// the log cannot take it, the operator is told so and nothing is done: after the crash it is done exactly if it
/// is in the log after all.
/// covers: INV-16
#[test]
fn what_an_operator_does_is_in_the_log_or_is_not_done() {
    let (disks, clock) = (Disks::without_archive(97), clock());
    let engine = disks.start(&clock).expect("sound");
    let port = engine.port();
    let account = open_venue(&port, 1)[0];
    let (reason, actor, symbol) = (label("asked"), label("ops-1"), SymbolRef::Listed(1));
    let market = MarketChange { symbol, reason, actor };
    let status = |to| StatusChange { account, to, reason, actor };
    let rates = RatesChange { account, rates: AccountRates::Volume, effective_at: None };
    let mut forged = signed(7, move |by| Command::PauseMarket(market, by));
    if let Command::PauseMarket(_, operator) = &mut forged.command {
        operator.signature[5] ^= 1;
    }
    let suspended = status(AccountStatus::Suspended);
    let requests = [
        signed(1, move |by| Command::PauseMarket(market, by)),
        signed(2, move |by| Command::PauseMarket(market, by)),
        signed(3, move |by| Command::ResumeMarket(market, by)),
        signed(4, move |by| Command::SetAccountStatus(suspended, by)),
        signed(5, move |by| Command::SetAccountStatus(status(AccountStatus::Active), by)),
        signed(6, move |by| Command::SetAccountRates(rates, by)),
        forged,
    ];
    let replies: Vec<_> = requests.iter().map(|it| submit(&port, it.clone())).collect();
    let is_refused = |reply: &schema::Reply| matches!(reply.outcome, Outcome::Refused(_));
    assert_eq!(replies.iter().filter(|it| is_refused(it)).count(), 2, "{replies:?}");
    disks.commands.fail_sync_after(0);
    let last = signed(8, move |by| Command::SetAccountStatus(suspended, by));
    assert_eq!(try_submit(&port, last.clone()), Err(PortFault::Stopped));
    let status_of = |port: &InProcess| match ask(port, Query::Account(account), 0).view {
        ViewAnswer::Account(Some(account)) => account.status,
        other => panic!("no account: {other:?}"),
    };
    assert_eq!(status_of(&port), AccountStatus::Active, "nothing of it is seen");
    drop((port, engine));
    disks.commands.crash();
    disks.events.crash();
    let engine = disks.start(&clock).expect("recovers");
    let is_suspended = status_of(&engine.port()) == AccountStatus::Suspended;
    let _ = engine.stop();
    let commands = disks.stored_commands();
    let holds =
        |wanted: &port::Request| commands.iter().any(|(_, it)| it.command == wanted.command);
    assert_eq!(holds(&last), is_suspended);
    let mut told: Vec<u64> = Vec::new();
    for block in disks.stored_blocks() {
        let groups = GroupIter::new(block.payload());
        told.extend(groups.map(|group| group.expect("sound").head.command_sequence));
    }
    for (request, reply) in requests.iter().zip(&replies) {
        let place = usize::try_from(reply.command - 1).expect("few");
        assert_eq!(commands[place].1.command, request.command);
        assert!(told.contains(&reply.command), "what came of it");
    }
}
