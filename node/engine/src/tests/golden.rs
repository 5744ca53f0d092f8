//! Data folders that must be read for ever: both logs and the snapshots of each version, as they lay on disk.
//!
//! Owns `node/engine/golden/NUMBER`, one folder a version of the forms: a small data folder and `hashes`, what a
//! replay of it came to. A folder is never changed. `GOLDEN_WRITE=NUMBER cargo test -p engine golden` writes
//! one when a version is added. The forms of commands, events and states alone are the core's,
//! `core/kernel/tests/golden`, where both builds are held to them.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use journal::{DataFolder, EventLog, Preparation, SegmentOptions, disk::RealDisk};
use port::{Listed, Page, Period, Query, Request, View};
use schema::{Event, GroupIter};
use tempfile::TempDir;

use super::mix::Mix;
use crate::testing::{ask, block_on, clock, config, open_venue};
use crate::{Config, Engine, RecoveryReport, SnapshotPolicy, Storage, VerifyReport, verify};

const OPTIONS: SegmentOptions =
    SegmentOptions { size: 8 * 1_024, preparation: Preparation::Inline };
/// Events of a log that is written now: enough for a state hash on record.
const EVENT_COUNT: u64 = 1_060;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// Every version's folder, in order; none is missing.
fn versions() -> Vec<PathBuf> {
    let entries = fs::read_dir(root()).expect("the folder of versions");
    let count = entries.filter(|it| it.as_ref().is_ok_and(|it| it.path().is_dir())).count();
    assert!(count > 0);
    let folders: Vec<PathBuf> = (1..=count).map(|it| root().join(it.to_string())).collect();
    assert!(folders.iter().all(|folder| folder.is_dir()), "{folders:?}");
    folders
}

/// A copy to work on. What a folder has besides the logs and the snapshots is made when it is opened.
fn copy(folder: &Path) -> TempDir {
    let temporary = tempfile::tempdir().expect("a folder");
    copy_into(folder, temporary.path());
    fs::write(temporary.path().join("LOCK"), b"").expect("written");
    temporary
}

fn copy_into(from: &Path, to: &Path) {
    for name in ["", "commands", "events", "snapshots"] {
        fs::create_dir_all(to.join(name)).expect("a folder");
        for entry in fs::read_dir(from.join(name)).expect("readable") {
            let path = entry.expect("readable").path();
            let file = path.file_name().and_then(|it| it.to_str()).expect("text");
            let is_kept = file.ends_with(".segment") || file.ends_with(".snapshot");
            if path.is_file() && (is_kept || file == "FORMAT" || file == "hashes") {
                fs::copy(&path, to.join(name).join(file)).expect("copied");
            }
        }
    }
}

fn start(path: &Path, with_snapshots: bool) -> Engine {
    let folder = DataFolder::open(path).expect("usable");
    let mut storage = Storage::open(folder, OPTIONS).expect("sound");
    if !with_snapshots {
        storage.snapshots = None;
    }
    let snapshots = SnapshotPolicy {
        events: 400,
        interval: Duration::from_secs(3_600),
        checkpoint: Duration::from_secs(3_600),
        count: 2,
    };
    let config = Config { snapshots, ..config() };
    Engine::start_with(config, storage, clock()).expect("starts")
}

/// What a replay came to, as it is recorded.
fn recorded((commands, events): (u64, u64), state_hash: &[u8; 32]) -> String {
    let mut text = format!("commands {commands}\nevents {events}\nstate ");
    for byte in state_hash {
        let _ = write!(text, "{byte:02x}");
    }
    text.push('\n');
    text
}

fn of_check(report: &VerifyReport) -> String {
    recorded((report.command_sequence, report.event_sequence), &report.state_hash)
}

fn of_start(report: &RecoveryReport) -> String {
    recorded((report.command_sequence, report.event_sequence), &report.state_hash)
}

/// Writes a version's folder with the program as it is.
fn write(to: &Path) {
    assert!(!to.exists(), "{} is there and stays as it is", to.display());
    let temporary = tempfile::tempdir().expect("a folder");
    let engine = start(temporary.path(), true);
    let port = engine.port();
    let mut mix = Mix::new(77, open_venue(&port, 4));
    let until = Instant::now() + Duration::from_secs(60);
    let is_enough = |engine: &Engine| {
        let metrics = engine.metrics();
        metrics.snapshot_sequence.value() > 0 && metrics.event_sequence.value() > EVENT_COUNT
    };
    while !is_enough(&engine) {
        assert!(Instant::now() < until, "no snapshot was taken");
        // Several to a record, for its size.
        let requests: Vec<Request> = (0..10).map(|_| mix.next()).collect();
        let replies = block_on(port.submit_all(requests.clone())).expect("answered");
        requests.iter().zip(&replies).for_each(|(request, reply)| mix.learn(request, reply));
    }
    let _ = engine.stop();
    copy_into(temporary.path(), to);
    let report = verify(temporary.path(), &mut |_| {}).expect("all is well");
    fs::write(to.join("hashes"), of_check(&report)).expect("written");
}

/// Both logs of each version replay to the recorded hash: commands and events compared byte for byte, from the
/// snapshot and from nothing. The events keep the numbers that they were given, in the log and in the archive
/// that is made of it.
/// covers: RPL-23, SEQ-53
#[test]
fn stored_folders_of_every_version_replay_to_their_hashes() {
    if let Ok(number) = std::env::var("GOLDEN_WRITE") {
        write(&root().join(number.parse::<u32>().expect("a version's number").to_string()));
    }
    for version in versions() {
        let expected = fs::read_to_string(version.join("hashes")).expect("text");
        let folder = copy(&version);
        let report = verify(folder.path(), &mut |_| {}).expect("all is well");
        assert_eq!(of_check(&report), expected, "{}", version.display());
        assert!((report.missing_block_count, report.unfinished) == (0, false));
        assert!(report.hash_count > 0 && report.block_count > 15);
        let engine = start(folder.path(), true);
        let begun = *engine.recovery();
        assert!(begun.snapshot_sequence > 0 && begun.record_count < report.record_count);
        assert_eq!(of_start(&begun), expected, "from the snapshot");
        assert_eq!(in_archive(&engine), in_log(folder.path(), begun.event_sequence));
        drop(engine);
        let folder = copy(&version);
        let engine = start(folder.path(), false);
        assert_eq!(engine.recovery().snapshot_sequence, 0);
        assert_eq!(of_start(engine.recovery()), expected, "from nothing");
    }
}

/// Numbers of the trades of the one market, as the archive has them.
fn in_archive(engine: &Engine) -> Vec<u64> {
    let (port, mut page) = (engine.port(), Page { after: None, limit: 1_000 });
    let mut numbers = Vec::new();
    loop {
        let view = ask(&port, Query::TradesByMarket(1, Period::ALL, page), 0).view;
        let View::PublicTrades(Ok(Listed { items, next })) = view else { panic!("a list") };
        numbers.extend(items.iter().map(|trade| trade.trade_id.sequence()));
        page.after = next;
        if next.is_none() {
            return numbers;
        }
    }
}

/// The same as the events have them, whose own numbers have no gap.
fn in_log(path: &Path, last: u64) -> Vec<u64> {
    let disk = std::sync::Arc::new(RealDisk);
    let (log, _) = EventLog::open(disk, &path.join("events"), OPTIONS).expect("sound");
    let (mut numbers, mut expected) = (Vec::new(), 1);
    for block in log.read(1).expect("sound") {
        let block = block.expect("sound");
        for group in GroupIter::new(block.payload()) {
            for read in group.expect("sound").events() {
                let (head, event) = read.expect("sound");
                assert_eq!(head.sequence, expected);
                expected += 1;
                if matches!(event, Event::TradeExecuted(_)) && head.sequence <= last {
                    numbers.push(head.sequence);
                }
            }
        }
    }
    assert!(numbers.len() > 8);
    numbers
}
