//! The journal alone, on this disk: records made, appended and synced.
//!
//! Owns the rows of durable throughput (100 commands a record, 64 records a sync, making and hashing the record
//! included) and of latency at 100,000 commands a second: a record of 100 is due every millisecond and counts
//! from then until it is durable. Beside it, turn by turn in the same run, the disk's own answer: the same bytes
//! written into a file filled before, and synced. The figure is the ratio of the two p99. They deliberately
//! execute nothing: that is the port's row.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use journal::disk::RealDisk;
use journal::{CommandLog, Journal, RecordBuilder, SegmentOptions};

use crate::measure::{Figure, median_of, percentile};
use crate::row::{Row, Target};

/// covers: SEQ-47
pub(super) const COMMANDS_PER_SECOND: Row = Row {
    name: "journal.commands_per_second",
    unit: "commands/s",
    target: Target::AtLeast(2_000_000.0),
    measure: || median_of(RUNS, throughput),
};

pub(super) const P99_RATIO: Row = Row {
    name: "journal.p99_to_disk_at_100k_per_second",
    unit: "times",
    target: Target::AtMost(2.5),
    measure: || median_of(RUNS, || latency().0),
};

pub(super) const P99_MS: Row = Row {
    name: "journal.p99_ms_at_100k_per_second",
    unit: "ms",
    target: Target::None,
    measure: || median_of(RUNS, || latency().1),
};

/// The time of a sync must not grow with the log: the last hundred of many against the first hundred.
/// covers: STATE-47
pub(super) const GROWTH: Row = Row {
    name: "journal.growth.log_x100",
    unit: "times",
    target: Target::AtMost(2.0),
    measure: growth,
};

const RUNS: usize = 3;
/// Bytes of a command, about those of the benchmark stream.
const COMMAND_SIZE: usize = 100;
const COMMANDS: u64 = 100;
const GROUP: u64 = 64;
const GROUPS: u64 = 300;
const PACED: u32 = 3_000;

/// A journal on this disk that has its first segment.
struct Log {
    journal: Journal,
    buffer: Vec<u8>,
    _folder: tempfile::TempDir,
}

impl Log {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let opened = Journal::open(Arc::new(RealDisk), folder.path(), SegmentOptions::default());
        let (journal, _) = opened.expect("a journal");
        let mut log = Self { journal, buffer: Vec::new(), _folder: folder };
        log.append();
        log.sync();
        log
    }

    /// Makes a record and appends it.
    fn append(&mut self) {
        let end = self.journal.end();
        let buffer = std::mem::take(&mut self.buffer);
        let mut builder = RecordBuilder::begin_in(buffer, 1, end.sequence + 1, end.hash);
        for _ in 0..COMMANDS {
            let pushed = builder.push(|bytes| bytes.extend_from_slice(&[0x5A; COMMAND_SIZE]));
            pushed.expect("a record takes 100 commands");
        }
        let sealed = builder.seal();
        self.journal.append(&sealed).expect("it extends the chain");
        self.buffer = sealed.into_bytes();
    }

    fn sync(&mut self) {
        let end = self.journal.sync().expect("a disk that syncs");
        assert_eq!(end.sequence, self.journal.end().sequence, "all of it is durable");
    }
}

fn throughput() -> f64 {
    let mut log = Log::new();
    let begin = Instant::now();
    for _ in 0..GROUPS {
        for _ in 0..GROUP {
            log.append();
        }
        log.sync();
    }
    let elapsed = begin.elapsed().as_secs_f64();
    (GROUPS * GROUP * COMMANDS) as f64 / elapsed
}

/// The p99 of the journal to that of the disk, and the journal's in milliseconds.
fn latency() -> (f64, f64) {
    let mut log = Log::new();
    let (file, _folder) = filled_file();
    let bytes = vec![0x5A; log.buffer.len()];
    let (mut ours, mut disks) = (Vec::new(), Vec::new());
    let start = Instant::now();
    for turn in 0..2 * PACED {
        let due = start + Duration::from_millis(1) * turn;
        wait_until(due);
        if turn % 2 == 0 {
            log.append();
            log.sync();
            ours.push(micros_since(due));
        } else {
            let offset = u64::from(turn / 2) * bytes.len() as u64;
            file.write_all_at(&bytes, offset).expect("a disk that writes");
            file.sync_data().expect("a disk that syncs");
            disks.push(micros_since(due));
        }
    }
    let ours = f64::from(percentile(&mut ours, 990));
    (ours / f64::from(percentile(&mut disks, 990)), ours / 1_000.0)
}

/// A file that has its room and its blocks already, as a segment has.
fn filled_file() -> (File, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let options = OpenOptions::new().write(true).create_new(true).open(folder.path().join("raw"));
    let file = options.expect("a file");
    let block = vec![0; 1 << 20];
    for index in 0..64 {
        file.write_all_at(&block, index << 20).expect("room for 64 MiB");
    }
    file.sync_all().expect("a disk that syncs");
    (file, folder)
}

fn growth() -> Figure {
    median_of(RUNS, || {
        let mut log = Log::new();
        let mut times: Vec<u32> = Vec::new();
        for _ in 0..10_000 {
            let begin = Instant::now();
            log.append();
            times.push(u32::try_from(begin.elapsed().as_nanos()).unwrap_or(u32::MAX));
            log.sync();
        }
        let (first, last) = (times[..100].to_vec(), times[9_900..].to_vec());
        let median = |mut times: Vec<u32>| f64::from(percentile(&mut times, 500));
        median(last) / median(first)
    })
}

fn wait_until(due: Instant) {
    if let Some(left) = due.checked_duration_since(Instant::now()) {
        std::thread::sleep(left);
    }
}

fn micros_since(due: Instant) -> u32 {
    u32::try_from(due.elapsed().as_micros()).unwrap_or(u32::MAX)
}
