//! Full segments of the event log on a real disk: compressed beside trading, and read by everything.

use std::fs;
use std::path::Path;

use journal::limits::SEGMENT_SIZE_MIN;
use journal::{DataFolder, Preparation, SegmentOptions};

use super::mix::Mix;
use crate::testing::{clock, config, open_venue, submit};
use crate::{Engine, Storage, verify};

fn start(path: &Path) -> Engine {
    let options = SegmentOptions { size: SEGMENT_SIZE_MIN, preparation: Preparation::Background };
    let folder = DataFolder::open(path).expect("usable");
    let storage = Storage::open(folder, options).expect("sound");
    Engine::start_with(config(), storage, clock()).expect("starts")
}

fn count(folder: &Path, end: &str) -> usize {
    let entries = fs::read_dir(folder).expect("a folder");
    let names = entries.map(|entry| entry.expect("readable").file_name());
    names.filter(|name| name.to_string_lossy().ends_with(end)).count()
}

/// The originals go, the last two segments stay, the check of the folder reads what is there, and a start and the
/// archive go on from it.
/// covers: EVT-57
#[test]
fn full_segments_are_compressed_beside_trading() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    let engine = start(path);
    let mut mix = Mix::new(9, open_venue(&engine.port(), 5));
    let metrics = engine.metrics();
    while metrics.compressed_count.value() < 3 {
        let request = mix.next();
        let reply = submit(&engine.port(), request.clone());
        mix.learn(&request, &reply);
    }
    let stopped = engine.stop();
    let events = path.join("events");
    assert!(count(&events, ".segment.zst") >= 3);
    assert!(count(&events, ".segment") >= 2);
    assert_eq!(count(&path.join("commands"), ".zst"), 0, "the truth stays as it is");
    let report = verify(path, &mut |_| {}).expect("sound");
    assert_eq!(report.event_sequence, stopped.event_sequence);
    fs::remove_dir_all(path.join("archive")).expect("removed");
    let engine = start(path);
    assert_eq!(engine.recovery().state_hash, report.state_hash);
    assert_eq!(engine.recovery().made_block_count, 0);
    let request = mix.next();
    let _ = submit(&engine.port(), request);
}
