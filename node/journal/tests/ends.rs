//! Opening a log from its end: what it tells, what it refuses, and what is left to whoever reads (D-118).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::conformance::{chain, conformance, record_behind};
use journal::fake_disk::FakeDisk;
use journal::{
    CommandLog, DamageReason, End, Journal, LogFault, Opened, Preparation, Sealed, SegmentOptions,
    verify,
};

const OPTIONS: SegmentOptions = SegmentOptions { size: 4096, preparation: Preparation::Inline };
/// Bytes in front of the first flush of a segment.
const HEADER_SIZE: usize = 512;
const ROUNDS: u64 = 1500;

fn folder() -> &'static Path {
    Path::new("/log")
}

fn open(disk: &FakeDisk) -> Result<(Journal, Opened), LogFault> {
    Journal::open_end(Arc::new(disk.clone()), folder(), OPTIONS)
}

fn open_whole(disk: &FakeDisk) -> Result<(Journal, Opened), LogFault> {
    Journal::open(Arc::new(disk.clone()), folder(), OPTIONS)
}

/// All records, or the fault that reading ends with.
fn read(log: &Journal) -> Result<Vec<Sealed>, LogFault> {
    log.read(1)?.collect()
}

/// A journal of these records, a sync for every `batch` of them.
fn written(records: &[Sealed], batch: usize) -> FakeDisk {
    let disk = FakeDisk::new(1);
    let (mut log, _) = open(&disk).expect("an empty disk");
    for records in records.chunks(batch) {
        for record in records {
            log.append(record).expect("extends");
        }
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

fn written_size(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte != 0).expect("not empty") + 1
}

#[test]
fn conforms() {
    conformance(|| open(&FakeDisk::new(1)).expect("an empty disk").0);
}

/// With any number of segments, the last one empty or not, it finds the end that reading everything finds, and
/// goes on from there.
/// covers: SEQ-21
#[test]
fn the_end_is_the_one_that_reading_everything_finds() {
    let records = chain(End::EMPTY, 150);
    for count in 0..records.len() {
        let disk = written(&records[..count], 1 + count % 3);
        let (_, whole) = open_whole(&disk).expect("sound");
        let (mut log, opened) = open(&disk).expect("sound");
        assert_eq!((opened.end, opened.segment_count), (whole.end, whole.segment_count));
        assert_eq!(opened.cut, None);
        assert!(opened.segment_count < 3 || opened.record_count < whole.record_count / 2);
        let next = record_behind(opened.end, 1, 1);
        log.append(&next).expect("extends");
        assert_eq!(log.sync().expect("sound disk"), next.end());
        drop(log);
        assert_eq!(open_whole(&disk).expect("sound").1.end, next.end());
    }
}

/// A new segment that a crash left without a flush begins with the number behind the one before.
/// covers: SEQ-21
#[test]
fn an_empty_last_segment_goes_on_from_the_one_before() {
    let records = chain(End::EMPTY, 100);
    let disk = FakeDisk::new(1);
    let (mut log, _) = open(&disk).expect("an empty disk");
    let mut before = End::EMPTY;
    for record in &records {
        log.append(record).expect("extends");
        let durable = log.sync().expect("sound disk");
        if segments(&disk).len() == 4 {
            break;
        }
        before = durable;
    }
    drop(log);
    disk.tamper(&segments(&disk)[3], |bytes| bytes[HEADER_SIZE..].fill(0));
    let (mut log, opened) = open(&disk).expect("a crash is no damage");
    assert_eq!((opened.end, opened.record_count), (before, 0));
    let next = record_behind(before, 1, 1);
    log.append(&next).expect("extends");
    log.sync().expect("sound disk");
    assert_eq!(read(&log).expect("sound").last(), Some(&next));
    assert!(open_whole(&disk).is_ok());
}

/// covers: SEQ-38
#[test]
fn a_missing_a_shortened_and_a_foreign_segment_are_refused() {
    let records = chain(End::EMPTY, 200);
    let count = segments(&written(&records, 1)).len();
    assert!(count > 5);
    for lost in 0..count - 1 {
        let disk = written(&records, 1);
        disk.lose_file(&segments(&disk)[lost]);
        let (path, offset, reason) = damage(&disk);
        assert_eq!((path, offset), (segments(&disk)[lost].clone(), 0));
        assert!(matches!(reason, DamageReason::Gap { expected, found } if expected < found));
    }
    for short in 0..count {
        let disk = written(&records, 1);
        disk.tamper(&segments(&disk)[short], |bytes| bytes.truncate(1500));
        assert_eq!(damage(&disk).2, DamageReason::SegmentSize { expected: 4096, found: 1500 });
    }
    // One of another history: its numbers fit, and its salt does not.
    let other = written(&chain(End { epoch: 2, ..End::EMPTY }, 200), 1);
    let disk = written(&records, 1);
    let path = segments(&disk)[2].clone();
    disk.tamper(&path, |bytes| bytes.clone_from(&other.contents(&path)));
    assert_eq!(damage(&disk), (path, 0, DamageReason::SegmentHeader));
}

/// The last flush of a segment in front, and what lies behind it, are looked at.
/// covers: REC-28
#[test]
fn damage_at_the_end_of_an_earlier_segment_is_refused() {
    let records = chain(End::EMPTY, 200);
    let sound = written(&records, 1);
    for path in &segments(&sound)[..4] {
        let written_size = written_size(&sound.contents(path));
        for at in (written_size - 40..4096).step_by(11) {
            let disk = written(&records, 1);
            disk.tamper(path, |bytes| bytes[at] ^= 4);
            assert_eq!(&damage(&disk).0, path, "byte {at}");
        }
    }
}

/// What was passed over is not known to be sound: it is told of by whoever reads it.
/// covers: REC-28, REC-55
#[test]
fn damage_in_front_is_found_by_reading() {
    let records = chain(End::EMPTY, 200);
    let disk = written(&records, 1);
    let path = segments(&disk)[2].clone();
    disk.tamper(&path, |bytes| bytes[HEADER_SIZE + 32 + 70] ^= 4);
    let (log, opened) = open(&disk).expect("nobody has read it");
    assert_eq!(opened.end, records[199].end());
    let Err(LogFault::Damaged(found)) = read(&log) else { panic!("it is damaged") };
    assert_eq!(found.segment, path);
    drop(log);
    let report = verify::commands(&disk, folder()).expect("readable");
    assert_eq!(report.faults.len(), 1);
    let Err(LogFault::Damaged(found)) = open_whole(&disk) else { panic!("it is damaged") };
    assert_eq!(found.segment, path);
}

/// A generator of its own, so that a failing seed is the whole story.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).expect("64 bits") % bound
    }
}

/// Whatever bit flips, in whatever segment: opening or reading tells of it, or all is there.
/// covers: REC-55
#[test]
fn a_flipped_bit_anywhere_loses_nothing_in_silence() {
    let records = chain(End::EMPTY, 200);
    let sound = written(&records, 2);
    let paths = segments(&sound);
    let (mut refused, mut told, mut kept) = (0, 0, 0);
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for round in 0..ROUNDS {
        let disk = written(&records, 2);
        let path = &paths[random.below(paths.len())];
        let bytes = disk.contents(path);
        let at = random.below(written_size(&bytes));
        disk.tamper(path, |bytes| bytes[at] ^= 1 << random.below(8));
        match open(&disk) {
            Err(LogFault::Damaged(_)) => refused += 1,
            Err(fault) => panic!("round {round}: {fault}"),
            Ok((log, opened)) => match read(&log) {
                Err(LogFault::Damaged(_)) => told += 1,
                Err(fault) => panic!("round {round}: {fault}"),
                Ok(found) => {
                    let is_last = path == &paths[paths.len() - 1];
                    assert!(found == records || is_last && opened.cut.is_some(), "round {round}");
                    kept += 1;
                }
            },
        }
    }
    assert!(
        refused > 100 && told > 500 && kept < 50,
        "{refused} refused, {told} told, {kept} kept"
    );
}

/// A crash at any moment keeps every synced record.
/// covers: REC-28, SEQ-15
#[test]
fn a_crash_at_any_moment_keeps_every_synced_record() {
    for seed in 0..ROUNDS / 3 {
        let mut random = Random(seed * 2 + 1);
        let disk = FakeDisk::new(seed);
        let mut synced: Vec<Sealed> = Vec::new();
        for _ in 0..4 {
            let (mut log, opened) = open(&disk).unwrap_or_else(|it| panic!("seed {seed}: {it}"));
            let stored = read(&log).expect("sound");
            assert!(stored.starts_with(&synced), "seed {seed}: a synced record is gone");
            assert_eq!(stored.last().map_or(End::EMPTY, Sealed::end), opened.end, "seed {seed}");
            synced = stored;
            match random.below(3) {
                0 => disk.fail_write_after(random.below(20) as u64),
                1 => disk.fail_sync_after(random.below(20) as u64),
                _ => {}
            }
            let mut appended = synced.clone();
            for record in chain(opened.end, random.below(60)) {
                if log.append(&record).is_err() {
                    break;
                }
                appended.push(record);
                match (random.below(2) == 0).then(|| log.sync()) {
                    Some(Ok(_)) => synced.clone_from(&appended),
                    Some(Err(_)) => break,
                    None => {}
                }
            }
            drop(log);
            disk.crash();
        }
    }
}
