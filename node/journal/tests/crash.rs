//! Crashes at random moments and damage at random positions, from seeds: recovery keeps every
//! synced record, or refuses and says where.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::fake_disk::FakeDisk;
use journal::{
    CommandLog, End, Journal, LogFault, Preparation, RecordBuilder, Sealed, SegmentOptions,
};

const OPTIONS: SegmentOptions = SegmentOptions { size: 8192, preparation: Preparation::Inline };
const ROUNDS: u64 = 1500;

/// A generator of its own, so that a failing seed is the whole story.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }

    fn index(&mut self, bound: usize) -> usize {
        usize::try_from(self.below(bound as u64)).expect("small")
    }

    /// A record of random size behind `end`; some commands are long runs of zeros.
    fn record(&mut self, end: End) -> Sealed {
        let mut builder = RecordBuilder::begin(1, end.sequence + 1, end.hash);
        let count_max = if self.below(10) == 0 { 100 } else { 4 };
        for _ in 0..=self.below(count_max) {
            let size_max = if self.below(8) == 0 { 3000 } else { 90 };
            let size = 1 + self.index(size_max);
            let byte = u8::try_from(self.below(4) * 60).expect("small");
            builder.push(|buffer| buffer.resize(buffer.len() + size, byte)).expect("bounded");
        }
        builder.seal()
    }
}

fn open(disk: &FakeDisk) -> Result<(Journal, End), LogFault> {
    let opened = Journal::open(Arc::new(disk.clone()), Path::new("/log"), OPTIONS)?;
    Ok((opened.0, opened.1.end))
}

fn read(log: &Journal) -> Vec<Sealed> {
    log.read(1).expect("readable").map(|record| record.expect("sound")).collect()
}

/// covers: REC-28, SEQ-15
#[test]
fn a_crash_at_any_moment_keeps_every_synced_record() {
    for seed in 0..ROUNDS {
        let mut random = Random::new(seed);
        let disk = FakeDisk::new(seed);
        let mut synced = Vec::new();
        for _ in 0..3 {
            live_and_crash(&disk, &mut random, &mut synced, seed);
        }
    }
}

/// One life: opens, checks what is there, appends and syncs until a crash.
fn live_and_crash(disk: &FakeDisk, random: &mut Random, synced: &mut Vec<Sealed>, seed: u64) {
    let (mut log, end) = open(disk).unwrap_or_else(|fault| panic!("seed {seed}: {fault}"));
    let stored = read(&log);
    assert!(stored.starts_with(synced), "seed {seed}: a synced record is gone");
    assert_eq!(stored.last().map_or(End::EMPTY, Sealed::end), end, "seed {seed}");
    // What survived beyond the last sync is durable from now on.
    *synced = stored;
    match random.below(3) {
        0 => disk.fail_write_after(random.below(12)),
        1 => disk.fail_sync_after(random.below(12)),
        _ => {}
    }
    let mut appended = synced.clone();
    for _ in 0..random.below(40) {
        let record = random.record(log.end());
        if log.append(&record).is_err() {
            break;
        }
        appended.push(record);
        if random.below(3) == 0 {
            match log.sync() {
                Ok(_) => synced.clone_from(&appended),
                Err(_) => break,
            }
        }
    }
    disk.crash();
}

/// covers: REC-28, REC-55
#[test]
fn a_flipped_bit_anywhere_loses_nothing_in_silence() {
    damage_and_open(|random, bytes| {
        let position = random.index(bytes.len());
        bytes[position] ^= 1 << random.below(8);
    });
}

/// covers: REC-28
#[test]
fn a_file_cut_anywhere_loses_nothing_in_silence() {
    damage_and_open(|random, bytes| bytes.truncate(random.index(bytes.len())));
}

fn damage_and_open(damage: impl Fn(&mut Random, &mut Vec<u8>)) {
    let (mut refused_count, mut kept_count) = (0, 0);
    for seed in 0..ROUNDS {
        let mut random = Random::new(seed);
        let disk = FakeDisk::new(seed);
        let synced = write_some(&disk, &mut random);
        let paths: Vec<PathBuf> =
            disk.paths().into_iter().filter(|path| !path.ends_with("next")).collect();
        let path = &paths[random.index(paths.len())];
        disk.tamper(path, |bytes| damage(&mut random, bytes));
        match open(&disk) {
            Ok((log, _)) => {
                assert_eq!(read(&log), synced, "seed {seed}: a synced record is gone");
                kept_count += 1;
            }
            Err(LogFault::Damaged(found)) => {
                assert_eq!(found.segment.parent(), path.parent(), "seed {seed}");
                refused_count += 1;
            }
            Err(fault) => panic!("seed {seed}: {fault}"),
        }
    }
    assert!(refused_count > ROUNDS / 4, "kept {kept_count}, refused {refused_count}");
}

fn write_some(disk: &FakeDisk, random: &mut Random) -> Vec<Sealed> {
    let (mut log, _) = open(disk).expect("an empty disk");
    let mut records = Vec::new();
    for _ in 0..3 + random.below(25) {
        let record = random.record(log.end());
        log.append(&record).expect("extends");
        records.push(record);
        if random.below(2) == 0 {
            log.sync().expect("sound disk");
        }
    }
    log.sync().expect("sound disk");
    records
}
