//! Restart, rebuild, damage: the archive is what the events say, however it came to be.

use std::fs;
use std::path::Path;

use archive::{Archive, ArchiveFault};
use schema::{EventBuffer, EventHead, EventKind, GroupHead, OrderAccepted};
use units::Timestamp;

use crate::venue::{Venue, answer_of};
use crate::{Kept, traded};

/// Row for row, whether it was made at once, record by record, or with restarts in between.
/// covers: SETL-42
/// covers: RPL-26, TIME-53
#[test]
fn a_rebuild_equals_what_grew_step_by_step() {
    let venue = traded(20, 2_500);
    let at_once = Kept::of(&venue.records, usize::MAX).rows();
    assert!(at_once.len() > 5_000);
    for per_commit in [1, 13, 500] {
        let mut kept = Kept::empty();
        for part in venue.records.chunks(venue.records.len() / 4) {
            kept.add(part, per_commit);
            kept = kept.again();
            assert!(kept.opened.fault.is_none());
        }
        assert!(kept.rows() == at_once, "{per_commit} records a commit");
    }
}

/// covers: TRADE-27, SETL-30
#[test]
fn the_same_events_a_second_time_change_nothing() {
    let venue = traded(21, 1_000);
    let mut kept = Kept::of(&venue.records, 10);
    let before = kept.rows();
    for (groups, end) in venue.records.iter().step_by(3) {
        kept.opened.indexer.add(groups, *end).expect("success");
        kept.opened.indexer.commit().expect("success");
    }
    assert!(kept.rows() == before);
    assert_eq!(kept.opened.indexer.end(), venue.records.last().expect("some").1);
}

/// What was not committed is not there after a restart, and what was is.
#[test]
fn a_restart_goes_on_behind_the_last_commit() {
    let venue = traded(22, 800);
    let half = venue.records.len() / 2;
    let mut kept = Kept::of(&venue.records[..half], 20);
    for (groups, end) in &venue.records[half..] {
        kept.opened.indexer.add(groups, *end).expect("they follow");
    }
    let mut kept = kept.again();
    assert_eq!(kept.opened.indexer.end(), venue.records[half - 1].1);
    let reader = kept.opened.archive.reader().expect("open");
    assert_eq!(reader.position().end, venue.records[half - 1].1);
    drop(reader);
    kept.add(&venue.records[half..], 20);
    assert!(kept.rows() == Kept::of(&venue.records, 100).rows());
}

#[test]
fn events_that_do_not_follow_are_a_fault() {
    let venue = traded(23, 50);
    let mut kept = Kept::of(&venue.records[..20], 5);
    let (groups, end) = &venue.records[25];
    let fault = kept.opened.indexer.add(groups, *end).expect_err("a gap");
    assert!(matches!(fault, ArchiveFault::Gap { .. }), "{fault}");
    let fault = kept.opened.indexer.add(&groups[..groups.len() - 1], *end).expect_err("cut");
    assert!(matches!(fault, ArchiveFault::Events { .. }), "{fault}");
}

/// An event that accepts an order which ended.
#[test]
fn an_event_that_changes_an_ended_order_is_a_fault_and_the_archive_is_made_anew() {
    let mut venue = Venue::new(24, 2);
    venue.trade(200);
    let mut kept = Kept::of(&venue.records, 5);
    let good = kept.rows();
    let last = venue.last_event();
    let ended = venue.rejected[0].sequence();
    let mut out = EventBuffer::new();
    let timestamp = Timestamp(venue.now().0 + 1_000_000);
    out.begin(&GroupHead {
        command_sequence: 1 << 40,
        first_sequence: last + 1,
        first_timestamp: timestamp,
        correlation: None,
        idempotency: None,
    });
    let head = EventHead { sequence: last + 1, timestamp };
    out.push(EventKind::OrderAccepted, head, &OrderAccepted { order: ended });
    out.end();
    let end = kept.opened.indexer.end();
    let fault = kept.opened.indexer.add(out.bytes(), end).expect_err("impossible");
    assert!(matches!(fault, ArchiveFault::Impossible { at } if at == last + 1), "{fault}");
    kept.opened.indexer.start_again().expect("emptied");
    assert_eq!(kept.opened.indexer.end().event_sequence, 0);
    kept.add(&venue.records, 50);
    assert!(kept.rows() == good);
    assert!(kept.again().rows() == good, "the new one is what a restart finds");
}

/// Whatever file is damaged, what opens is either whole or empty, and says so.
#[test]
fn damaged_files_are_put_away() {
    let venue = traded(25, 1_500);
    let good = Kept::of(&venue.records, 100).rows();
    let mut put_away = 0;
    for seed in 0..6 {
        let Kept { folder, opened } = Kept::of(&venue.records, 100);
        drop(opened);
        damage(folder.path(), seed);
        let opened = Archive::open(folder.path(), answer_of).expect("a new one at least");
        let mut kept = Kept { folder, opened };
        if kept.opened.fault.is_some() {
            put_away += 1;
            assert_eq!(kept.opened.indexer.end().event_sequence, 0);
        }
        let from = kept.opened.indexer.end().event_sequence;
        let behind = |record: &&crate::venue::Record| record.1.event_sequence > from;
        let missing: Vec<_> = venue.records.iter().filter(behind).cloned().collect();
        kept.add(&missing, 100);
        assert!(kept.rows() == good, "made whole from the events, seed {seed}");
    }
    assert!(put_away > 0, "some damage is seen on opening");
}

/// Overwrites the middle of a file, a different one for each seed.
fn damage(folder: &Path, seed: usize) {
    let mut files = Vec::new();
    collect(folder, &mut files);
    files.sort();
    let path = &files[seed % files.len()];
    let mut bytes = fs::read(path).expect("read");
    let half = bytes.len() / 2;
    bytes[half..].fill(0xa5);
    fs::write(path, bytes).expect("written");
}

fn collect(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).expect("listed") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if fs::metadata(&path).expect("there").len() > 0 {
            files.push(path);
        }
    }
}
