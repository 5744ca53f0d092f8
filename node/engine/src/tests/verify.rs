//! Checking a data folder on a real disk.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use journal::{DataFolder, LogFault, SegmentOptions};

use super::mix::Mix;
use crate::testing::{clock, config, open_venue, submit};
use crate::{Engine, ReplayFault, Storage, VerifyFault, verify};

fn start(path: &Path) -> Engine {
    let folder = DataFolder::open(path).expect("usable");
    let storage = Storage::open(folder, SegmentOptions::default()).expect("sound");
    Engine::start_with(config(), storage, clock()).expect("starts")
}

fn contents(path: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(path).expect("a folder") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            found.insert(path.clone(), fs::read(&path).expect("readable"));
        }
    }
    found
}

/// covers: RPL-20, RPL-21, RPL-27, RPL-63
#[test]
fn a_folder_is_checked_without_a_write() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    let mut progress = |_| {};
    assert!(matches!(verify(path, &mut progress), Err(VerifyFault::NoFolder(_))));
    let engine = start(path);
    let port = engine.port();
    let mut mix = Mix::new(60, open_venue(&port, 4));
    for _ in 0..1_000 {
        let request = mix.next();
        let reply = submit(&port, request.clone());
        mix.learn(&request, &reply);
    }
    assert!(matches!(verify(path, &mut progress), Err(VerifyFault::InUse(_))));
    let stopped = engine.stop();
    let before = contents(path);
    let mut steps = 0;
    let report = verify(path, &mut |at| {
        steps += 1;
        assert!(at.commands <= at.commands_end);
    });
    let report = report.expect("all is well");
    assert_eq!(contents(path), before, "nothing was written");
    assert_eq!(report.command_sequence, stopped.command_sequence);
    assert_eq!(report.event_sequence, stopped.event_sequence);
    assert_eq!((report.missing_block_count, report.unfinished), (0, false));
    assert_eq!(report.record_count, steps);
    let again = start(path);
    assert_eq!(again.recovery().state_hash, report.state_hash);
    drop(again);
    lose_events(path, &report.state_hash);
    damage_commands(path);
}

fn lose_events(path: &Path, _before: &[u8; 32]) {
    let full = verify(path, &mut |_| {}).expect("all is well");
    for entry in fs::read_dir(path.join("events")).expect("a folder") {
        fs::remove_file(entry.expect("readable").path()).expect("removed");
    }
    let without = verify(path, &mut |_| {}).expect("the next start makes them");
    assert_eq!(without.missing_block_count, full.block_count);
    assert_eq!(without.state_hash, full.state_hash);
    assert_eq!(fs::read_dir(path.join("events")).expect("a folder").count(), 0);
}

fn damage_commands(path: &Path) {
    let mut segments: Vec<PathBuf> = fs::read_dir(path.join("commands"))
        .expect("a folder")
        .map(|entry| entry.expect("readable").path())
        .collect();
    segments.sort();
    let mut bytes = fs::read(&segments[0]).expect("readable");
    bytes[1_100] ^= 1;
    fs::write(&segments[0], bytes).expect("written");
    let fault = verify(path, &mut |_| {}).expect_err("a byte is wrong");
    assert!(matches!(fault, VerifyFault::Replay(ReplayFault::Log(LogFault::Damaged(_)))));
}
