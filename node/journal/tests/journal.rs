//! The journal on a disk that fails: what recovery keeps, cuts and refuses.
//!
//! Damage at random positions and crashes at random moments are in `crash.rs`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::conformance::{chain, conformance, record_behind};
use journal::disk::RealDisk;
use journal::fake_disk::FakeDisk;
use journal::{
    CommandLog, DamageReason, End, Journal, LogFault, Opened, Preparation, RecordBuilder, Sealed,
    SegmentOptions, verify,
};

const OPTIONS: SegmentOptions = SegmentOptions { size: 4096, preparation: Preparation::Inline };
/// Bytes in front of the first flush of a segment.
const HEADER_SIZE: usize = 512;

fn folder() -> &'static Path {
    Path::new("/log")
}

fn open(disk: &FakeDisk) -> Result<(Journal, Opened), LogFault> {
    Journal::open(Arc::new(disk.clone()), folder(), OPTIONS)
}

fn read(log: &Journal) -> Vec<Sealed> {
    log.read(1).expect("readable").map(|record| record.expect("sound")).collect()
}

/// A journal of these records, each with a sync of its own; answers the disk it lies on.
fn written(records: &[Sealed]) -> FakeDisk {
    let disk = FakeDisk::new(1);
    let (mut log, _) = open(&disk).expect("an empty disk");
    for record in records {
        log.append(record).expect("extends");
        log.sync().expect("sound disk");
    }
    disk
}

fn segments(disk: &FakeDisk) -> Vec<PathBuf> {
    let is_segment = |path: &PathBuf| path.extension().is_some_and(|name| name == "segment");
    disk.paths().into_iter().filter(is_segment).collect()
}

fn damage(disk: &FakeDisk) -> (PathBuf, u64, DamageReason) {
    match open(disk) {
        Err(LogFault::Damaged(damage)) => (damage.segment, damage.offset, damage.reason),
        Ok(opened) => panic!("opened: {opened:?}"),
        Err(fault) => panic!("another fault: {fault}"),
    }
}

/// covers: SEQ-36, SEQ-40
#[test]
fn conforms() {
    conformance(|| open(&FakeDisk::new(1)).expect("an empty disk").0);
}

/// covers: SEQ-36, SEQ-40
#[test]
fn conforms_when_every_call_of_the_disk_is_short() {
    conformance(|| {
        let disk = FakeDisk::new(1);
        disk.do_short_calls();
        open(&disk).expect("an empty disk").0
    });
}

#[test]
fn conforms_on_the_real_disk() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let count = std::cell::Cell::new(0);
    conformance(|| {
        count.set(count.get() + 1);
        let options = SegmentOptions { size: 8192, preparation: Preparation::Background };
        let folder = folder.path().join(count.get().to_string());
        Journal::open(Arc::new(RealDisk), &folder, options).expect("an empty folder").0
    });
}

/// covers: SEQ-14
#[test]
fn many_records_share_one_sync() {
    let disk = FakeDisk::new(1);
    let (mut log, _) = open(&disk).expect("an empty disk");
    let records = chain(End::EMPTY, 12);
    log.append(&records[0]).expect("extends");
    log.sync().expect("sound disk");
    let before = disk.sync_count();
    for record in &records[1..] {
        log.append(record).expect("extends");
    }
    assert_eq!(disk.sync_count(), before, "appending syncs nothing");
    log.sync().expect("sound disk");
    assert_eq!(disk.sync_count(), before + 1);
    assert_eq!(read(&log), records);
}

#[test]
fn segments_follow_each_other_and_reopen() {
    let records = chain(End::EMPTY, 200);
    let disk = written(&records);
    assert!(segments(&disk).len() > 3, "{:?}", segments(&disk));
    let (mut log, opened) = open(&disk).expect("sound");
    assert_eq!(opened.end, records[199].end());
    assert_eq!(opened.record_count, 200);
    assert_eq!(opened.segment_count, segments(&disk).len());
    assert_eq!(opened.cut, None);
    assert_eq!(read(&log), records);
    let next = record_behind(opened.end, 1, 1);
    log.append(&next).expect("extends");
    assert_eq!(log.sync().expect("sound disk"), next.end());
}

#[test]
fn a_record_larger_than_a_segment_gets_a_larger_one() {
    let disk = FakeDisk::new(1);
    let (mut log, _) = open(&disk).expect("an empty disk");
    let mut records = chain(End::EMPTY, 2);
    let mut builder = RecordBuilder::begin(1, log_end(&records).sequence + 1, records[1].hash());
    builder.push(|buffer| buffer.resize(buffer.len() + 60_000, 5)).expect("within bounds");
    records.push(builder.seal());
    records.extend(chain(log_end(&records), 3));
    for record in &records {
        log.append(record).expect("extends");
        log.sync().expect("sound disk");
    }
    drop(log);
    assert_eq!(read(&open(&disk).expect("sound").0), records);
}

fn log_end(records: &[Sealed]) -> End {
    records.last().expect("not empty").end()
}

/// covers: SEQ-15
#[test]
fn what_was_not_synced_is_gone_after_a_crash_and_its_numbers_are_given_again() {
    let records = chain(End::EMPTY, 3);
    let disk = written(&records[..2]);
    let (mut log, _) = open(&disk).expect("sound");
    log.append(&records[2]).expect("extends");
    assert_eq!(log.durable(), records[1].end(), "nobody outside may see it yet");
    assert_eq!(read(&log), records[..2]);
    disk.crash();
    let (mut log, opened) = open(&disk).expect("a crash is no damage");
    assert_eq!(opened.end, records[1].end());
    let other = record_behind(opened.end, 2, 1);
    assert_eq!(other.header().first_sequence, records[2].header().first_sequence);
    log.append(&other).expect("the number is free");
}

/// covers: SEQ-20
#[test]
fn the_next_number_needs_no_checkpoint() {
    let disk = FakeDisk::new(1);
    let options = SegmentOptions { size: 16 << 20, ..OPTIONS };
    let (mut log, _) = Journal::open(Arc::new(disk.clone()), folder(), options).expect("empty");
    while log.end().sequence < 10_543_234 {
        let count = (10_543_234 - log.end().sequence).min(100);
        let mut builder = RecordBuilder::begin(1, log.end().sequence + 1, log.end().hash);
        for _ in 0..count {
            builder.push(|buffer| buffer.push(7)).expect("within bounds");
        }
        log.append(&builder.seal()).expect("extends");
    }
    log.sync().expect("sound disk");
    disk.crash();
    let (_, opened) = Journal::open(Arc::new(disk), folder(), options).expect("sound");
    assert_eq!(opened.end.next_sequence(None).ok(), Some(10_543_235));
}

/// covers: REC-28
#[test]
fn a_torn_last_flush_is_cut_and_reported() {
    let records = chain(End::EMPTY, 3);
    let disk = written(&records[..2]);
    let (mut log, _) = open(&disk).expect("sound");
    log.append(&records[2]).expect("extends");
    disk.fail_write_after(0);
    let fault = log.sync().expect_err("the write fails half done");
    assert!(matches!(fault, LogFault::Storage { action: "write", .. }), "{fault}");
    drop(log);
    let before = disk.contents(&segments(&disk)[0]);
    let (mut log, opened) = open(&disk).expect("a torn tail is no damage");
    let cut = opened.cut.expect("half a flush was there");
    let small = |number| usize::try_from(number).expect("small");
    let (begin, size) = (small(cut.offset), small(cut.size));
    let aside = cut.aside.expect("what was cut is kept");
    assert_eq!(disk.contents(&aside), before[begin..begin + size], "as it stood there");
    assert!(before[begin + size..].iter().all(|byte| *byte == 0), "and all of it");
    assert_eq!(cut.segment, segments(&disk)[0]);
    let offset = usize::try_from(cut.offset).expect("small");
    assert!(disk.contents(&cut.segment)[offset..].iter().all(|byte| *byte == 0));
    assert_eq!(opened.end, records[1].end());
    log.append(&records[2]).expect("the number is free");
    log.sync().expect("sound disk");
    drop(log);
    let (log, opened) = open(&disk).expect("sound");
    assert_eq!((opened.cut, opened.end), (None, records[2].end()));
    assert_eq!(read(&log), records);
}

/// A second cut at the same place does not take the place of the first one's bytes.
#[test]
fn each_cut_is_kept_in_a_file_of_its_own() {
    let records = chain(End::EMPTY, 2);
    let disk = written(&records[..1]);
    let mut kept = Vec::new();
    for round in 0..3 {
        let (mut log, _) = open(&disk).expect("sound");
        log.append(&records[1]).expect("extends");
        disk.fail_write_after(0);
        log.sync().expect_err("the write fails half done");
        drop(log);
        let (_, opened) = open(&disk).expect("a torn tail is no damage");
        kept.push(opened.cut.and_then(|cut| cut.aside).expect("kept"));
        assert!(!disk.contents(&kept[round]).is_empty());
    }
    kept.dedup();
    assert_eq!(kept.len(), 3, "{kept:?}");
}

/// covers: REC-28, REC-55
#[test]
fn a_bad_record_before_a_good_one_is_refused_with_its_position() {
    let records = chain(End::EMPTY, 3);
    let disk = written(&records);
    let segment = segments(&disk)[0].clone();
    disk.tamper(&segment, |bytes| bytes[HEADER_SIZE + 32 + 70] ^= 4);
    let (path, offset, reason) = damage(&disk);
    assert_eq!((path, offset), (segment.clone(), HEADER_SIZE as u64));
    assert!(matches!(reason, DamageReason::BeforeGood(at) if at > offset));
    // A whole sector lost makes the same: a good record follows, so it was durable once.
    let disk = written(&chain(End::EMPTY, 20));
    disk.tamper(&segment, |bytes| bytes[1024..1536].fill(0));
    assert!(matches!(damage(&disk).2, DamageReason::BeforeGood(_)));
}

/// covers: REC-28
#[test]
fn a_last_record_that_was_changed_and_not_torn_is_refused() {
    let disk = written(&chain(End::EMPTY, 3));
    let segment = segments(&disk)[0].clone();
    let bytes = disk.contents(&segment);
    let last = bytes.iter().rposition(|byte| *byte != 0).expect("not empty");
    disk.tamper(&segment, |bytes| bytes[last - 10] ^= 1);
    assert_eq!(damage(&disk).2, DamageReason::Checksum);
}

/// covers: REC-28
#[test]
fn a_bad_record_in_a_segment_that_is_not_the_last_is_refused() {
    let records = chain(End::EMPTY, 100);
    let disk = written(&records);
    let segment = segments(&disk)[1].clone();
    let bytes = disk.contents(&segment);
    let last = bytes.iter().rposition(|byte| *byte != 0).expect("not empty");
    disk.tamper(&segment, |bytes| bytes[last - 40..].fill(0));
    let (path, _, reason) = damage(&disk);
    assert_eq!((path, reason), (segment, DamageReason::NotLastSegment));
}

/// covers: SEQ-38
#[test]
fn a_missing_or_shortened_segment_is_refused() {
    let records = chain(End::EMPTY, 100);
    let disk = written(&records);
    let lost = segments(&disk)[1].clone();
    disk.lose_file(&lost);
    let (path, offset, reason) = damage(&disk);
    assert_eq!((path, offset), (segments(&disk)[1].clone(), 0));
    assert!(matches!(reason, DamageReason::Gap { expected, found } if expected < found));

    let disk = written(&records);
    disk.lose_file(&segments(&disk)[0]);
    assert!(matches!(damage(&disk).2, DamageReason::Gap { expected: 1, .. }));

    let disk = written(&records);
    let last = segments(&disk).pop().expect("some");
    disk.tamper(&last, |bytes| bytes.truncate(1500));
    assert_eq!(damage(&disk).2, DamageReason::SegmentSize { expected: 4096, found: 1500 });

    disk.tamper(&last, |bytes| bytes.truncate(100));
    assert_eq!(damage(&disk).2, DamageReason::SegmentSize { expected: 512, found: 100 });
}

/// covers: SEQ-38
#[test]
fn a_closed_segment_is_checked_for_gaps() {
    let records = chain(End::EMPTY, 100);
    let disk = FakeDisk::new(1);
    let (mut log, _) = open(&disk).expect("an empty disk");
    let mut appended = 0;
    while segments(&disk).len() < 2 {
        log.append(&records[appended]).expect("extends");
        // The first segment loses its tail while it is the current one.
        if let Some(path) = segments(&disk).first().filter(|_| appended == 5) {
            disk.tamper(path, |bytes| bytes[1024..].fill(0));
        }
        log.sync().expect("the damage is not seen yet");
        appended += 1;
    }
    let fault = log.sync().expect_err("the check of the closed segment failed");
    assert!(fault.is_critical());
    assert!(matches!(fault, LogFault::Damaged(damage)
        if matches!(damage.reason, DamageReason::Gap { .. })));
    assert!(matches!(log.sync(), Err(LogFault::Poisoned)));
}

#[test]
fn a_failed_write_or_sync_poisons_until_reopened() {
    for fail in [FakeDisk::fail_write_after, FakeDisk::fail_sync_after] {
        let records = chain(End::EMPTY, 4);
        let disk = written(&records[..2]);
        let (mut log, _) = open(&disk).expect("sound");
        log.append(&records[2]).expect("extends");
        fail(&disk, 0);
        let fault = log.sync().expect_err("the disk fails");
        assert!(matches!(fault, LogFault::Storage { .. }), "{fault}");
        assert!(matches!(log.sync(), Err(LogFault::Poisoned)));
        assert!(matches!(log.append(&records[3]), Err(LogFault::Poisoned)));
        assert!(matches!(log.append(&records[1]), Err(LogFault::Poisoned)));
        assert!(matches!(log.read(1).map(|_| ()), Err(LogFault::Poisoned)));
        drop(log);
        let (log, _) = open(&disk).expect("the disk is well again");
        assert_eq!(read(&log)[..2], records[..2]);
    }
}

/// After a failed sync the file looks whole and is not: what opening reports must survive a crash.
#[test]
fn what_opening_reports_is_durable() {
    let records = chain(End::EMPTY, 3);
    let disk = written(&records[..2]);
    let (mut log, _) = open(&disk).expect("sound");
    log.append(&records[2]).expect("extends");
    disk.fail_sync_after(0);
    log.sync().expect_err("the disk fails");
    drop(log);
    let (_, opened) = open(&disk).expect("the disk is well again");
    assert_eq!(opened.end, records[2].end(), "the write had reached the file");
    disk.crash();
    assert_eq!(open(&disk).expect("sound").1.end, records[2].end());
}

/// A new segment's name is durable once opening has reported what is in it.
#[test]
fn names_are_durable_after_opening() {
    let records = chain(End::EMPTY, 2);
    let seeds = 0..8; // some crashes lose names that are not durable
    for disk in seeds.map(FakeDisk::new) {
        let (mut log, _) = open(&disk).expect("an empty disk");
        log.append(&records[0]).expect("extends");
        disk.fail_sync_after(1); // the header's sync is well, the folder's is not
        log.sync().expect_err("the disk fails");
        assert_eq!(segments(&disk).len(), 1, "the segment has its name");
        let (mut log, _) = open(&disk).expect("the disk is well again");
        log.append(&records[0]).expect("nothing was written yet");
        log.sync().expect("sound disk");
        disk.crash();
        assert_eq!(open(&disk).expect("sound").1.end, records[0].end());
    }
}

/// covers: REC-55, RPL-62
#[test]
fn a_reader_finds_what_was_damaged_after_opening() {
    let records = chain(End::EMPTY, 6);
    let disk = written(&records);
    let (log, _) = open(&disk).expect("sound");
    let path = segments(&disk)[0].clone();
    disk.tamper(&path, |bytes| bytes[900] ^= 2);
    let results: Vec<_> = log.read(1).expect("it begins well").collect();
    let (last, before) = results.split_last().expect("at least the fault");
    assert!(matches!(last, Err(LogFault::Damaged(damage)) if damage.segment == path));
    assert!(before.len() < records.len() && before.iter().all(Result::is_ok));
    // Sound bytes of another history: every checksum is right, and only the chain tells.
    let disk = written(&records);
    let (log, _) = open(&disk).expect("sound");
    let (other, end) = other_history(&records);
    disk.tamper(&path, |bytes| bytes[..=end].copy_from_slice(&other[..=end]));
    let last = log.read(1).expect("it begins well").last().expect("at least the fault");
    assert!(matches!(last, Err(LogFault::Damaged(damage))
        if matches!(damage.reason, DamageReason::Chain(_)) && damage.offset > end as u64));
}

/// covers: RPL-62
#[test]
fn verify_reports_every_damaged_segment_and_changes_nothing() {
    let records = chain(End::EMPTY, 200);
    let disk = written(&records);
    let sound = verify::commands(&disk, folder()).expect("readable");
    assert_eq!((sound.item_count, sound.faults.len()), (200, 0));
    assert_eq!(sound.number_count, records[199].last_sequence());
    assert_eq!(sound.end, Some(records[199].end()));
    let bytes: usize = records.iter().map(|record| record.bytes().len()).sum();
    assert_eq!(sound.byte_count, bytes as u64);
    let paths = segments(&disk);
    disk.tamper(&paths[0], |bytes| bytes[700] ^= 1);
    disk.tamper(&paths[2], |bytes| bytes[2000] ^= 128);
    let before: Vec<_> = paths.iter().map(|path| disk.contents(path)).collect();
    let report = verify::commands(&disk, folder()).expect("readable");
    let damaged: Vec<_> = report.faults.iter().map(|fault| fault.segment.clone()).collect();
    assert_eq!(damaged, [paths[0].clone(), paths[2].clone()]);
    assert_eq!(report.end, Some(records[199].end()));
    assert!(report.item_count < 200);
    let after: Vec<_> = paths.iter().map(|path| disk.contents(path)).collect();
    assert_eq!(before, after);
}

/// Somebody who rewrites a record with a right checksum still breaks the chain behind it.
///
/// covers: RPL-62
#[test]
fn a_forged_record_is_found_by_the_chain() {
    let records = chain(End::EMPTY, 6);
    let disk = written(&records);
    let path = segments(&disk)[0].clone();
    let (other, end) = other_history(&records);
    disk.tamper(&path, |bytes| bytes[..=end].copy_from_slice(&other[..=end]));
    let (found, offset, reason) = damage(&disk);
    assert_eq!(found, path);
    assert!(offset > end as u64, "the record behind the forged one tells");
    assert!(matches!(reason, DamageReason::Chain(_)), "{reason}");
    let report = verify::commands(&disk, folder()).expect("readable");
    assert_eq!((report.item_count, report.faults.len()), (3, 1));
}

/// The first segment of a log whose third record has other content of the same size, so that the
/// later records of `records` could follow in place; and its last byte.
fn other_history(records: &[Sealed]) -> (Vec<u8>, usize) {
    let third = &records[2];
    let mut builder = RecordBuilder::begin(1, third.header().first_sequence, records[1].hash());
    for (_, command) in third.record().commands() {
        let other: Vec<u8> = command.iter().rev().copied().collect();
        builder.push(|buffer| buffer.extend_from_slice(&other)).expect("small");
    }
    let disk = written(&[records[0].clone(), records[1].clone(), builder.seal()]);
    // Written by the journal itself, so that all framing is right.
    let bytes = disk.contents(&segments(&disk)[0]);
    let end = bytes.iter().rposition(|byte| *byte != 0).expect("not empty");
    (bytes, end)
}
