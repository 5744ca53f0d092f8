//! The kernel complete: checks, balances, fees and events in stored form, on the benchmark stream.
//!
//! Owns the rows of throughput, latency and event size, and both replays without a disk: commands
//! decoded from their stored bytes and executed, events decoded and applied. Each run must make the
//! trades of the stream. It deliberately measures no log and no thread: that is the port's row.

use std::time::{Duration, Instant};

use kernel::Kernel;
use schema::{EventBuffer, GroupIter, Stamped, decode_command, encode_command};

use crate::measure::{Figure, median_of, percentile};
use crate::row::{Row, Target};
use crate::venue::{Prepared, prepare, start, trades_in};

pub(super) const COMMANDS_PER_SECOND: Row = Row {
    name: "kernel.commands_per_second",
    unit: "commands/s",
    target: Target::AtLeast(2_000_000.0),
    measure: throughput,
};

/// covers: GOAL-3, LIFE-66
pub(super) const P99_NS: Row =
    Row { name: "kernel.p99_ns", unit: "ns", target: Target::AtMost(3_000.0), measure: latency };

pub(super) const EVENT_BYTES: Row = Row {
    name: "kernel.event_bytes_per_command",
    unit: "bytes",
    target: Target::AtMost(200.0),
    measure: event_bytes,
};

pub(super) const REPLAY_COMMANDS: Row = Row {
    name: "replay.commands_per_second",
    unit: "commands/s",
    target: Target::AtLeast(1_000_000.0),
    measure: replay_commands,
};

pub(super) const REPLAY_EVENTS: Row = Row {
    name: "replay.events_per_second",
    unit: "events/s",
    target: Target::AtLeast(2_000_000.0),
    measure: replay_events,
};

const COMMANDS: usize = 2_000_000;
const ACCOUNTS: u32 = 1_000;
const RUNS: usize = 5;
/// Commands between two empties of the buffer, as a batch of the executor has.
const BATCH: usize = 100;

/// Executes the stream and hands every batch of events on.
fn execute(kernel: &mut Kernel, stream: &[Stamped], mut each: impl FnMut(&[u8])) {
    let mut buffer = EventBuffer::new();
    for batch in stream.chunks(BATCH) {
        for stamped in batch {
            kernel.execute(stamped, &mut buffer);
        }
        each(buffer.bytes());
        buffer.clear();
    }
}

/// The stream as the command log keeps it.
struct Stored {
    bytes: Vec<u8>,
    /// Sequence of the first command.
    first: u64,
    /// Where each command ends.
    ends: Vec<usize>,
}

impl Stored {
    fn new(stream: &[Stamped]) -> Self {
        let mut stored = Self { bytes: Vec::new(), first: stream[0].sequence, ends: Vec::new() };
        for stamped in stream {
            encode_command(&mut stored.bytes, stamped);
            stored.ends.push(stored.bytes.len());
        }
        stored
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    #[inline]
    fn decode(&self, index: usize) -> Stamped {
        let begin = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        let sequence = self.first + index as u64;
        decode_command(&self.bytes[begin..self.ends[index]], sequence).expect("a command")
    }
}

/// The clock runs while the kernel executes a batch, not while the batch is decoded: the executor, too,
/// is handed batches that another stage made just before.
fn throughput() -> Figure {
    let prepared = prepare(COMMANDS, ACCOUNTS);
    let stored = Stored::new(&prepared.stream);
    let (expected, _) = events_of(&prepared);
    median_of(RUNS, || {
        let mut kernel = start(&prepared);
        let mut buffer = EventBuffer::new();
        let mut batch = Vec::with_capacity(BATCH);
        let (mut elapsed, mut size) = (Duration::ZERO, 0);
        for begin in (0..stored.len()).step_by(BATCH) {
            batch.clear();
            batch
                .extend((begin..stored.len().min(begin + BATCH)).map(|index| stored.decode(index)));
            buffer.clear();
            let begin = Instant::now();
            for stamped in &batch {
                kernel.execute(stamped, &mut buffer);
            }
            elapsed += begin.elapsed();
            size += buffer.bytes().len();
        }
        assert_eq!(size, expected.len(), "every run makes the same events");
        stored.len() as f64 / elapsed.as_secs_f64()
    })
}

fn latency() -> Figure {
    let prepared = prepare(COMMANDS, ACCOUNTS);
    let mut samples = vec![0; prepared.stream.len()];
    median_of(RUNS, || {
        let mut kernel = start(&prepared);
        let mut buffer = EventBuffer::new();
        for (stamped, sample) in prepared.stream.iter().zip(&mut samples) {
            buffer.clear();
            let begin = Instant::now();
            kernel.execute(stamped, &mut buffer);
            *sample = u32::try_from(begin.elapsed().as_nanos()).unwrap_or(u32::MAX);
        }
        f64::from(percentile(&mut samples, 990))
    })
}

fn event_bytes() -> Figure {
    let prepared = prepare(COMMANDS, ACCOUNTS);
    let (groups, _) = events_of(&prepared);
    median_of(1, || groups.len() as f64 / prepared.stream.len() as f64)
}

/// The stream's events in one piece, and how many there are.
fn events_of(prepared: &Prepared) -> (Vec<u8>, u64) {
    let mut kernel = start(prepared);
    let before = kernel.position().event_sequence;
    let mut groups = Vec::new();
    execute(&mut kernel, &prepared.stream, |events| groups.extend_from_slice(events));
    assert_eq!(trades_in(&groups), prepared.trades);
    (groups, kernel.position().event_sequence - before)
}

fn replay_commands() -> Figure {
    let prepared = prepare(COMMANDS, ACCOUNTS);
    let stored = Stored::new(&prepared.stream);
    let (expected, _) = events_of(&prepared);
    median_of(RUNS, || {
        let mut kernel = start(&prepared);
        let mut buffer = EventBuffer::new();
        let mut size = 0;
        let begin = Instant::now();
        for index in 0..stored.len() {
            kernel.execute(&stored.decode(index), &mut buffer);
            size += buffer.bytes().len();
            buffer.clear();
        }
        let elapsed = begin.elapsed();
        assert_eq!(size, expected.len(), "a replay makes the same events");
        stored.len() as f64 / elapsed.as_secs_f64()
    })
}

fn replay_events() -> Figure {
    let prepared = prepare(COMMANDS, ACCOUNTS);
    let (groups, count) = events_of(&prepared);
    median_of(RUNS, || {
        let mut kernel = start(&prepared);
        let begin = Instant::now();
        for group in GroupIter::new(&groups) {
            kernel.apply_group(&group.expect("a group")).expect("it applies");
        }
        count as f64 / begin.elapsed().as_secs_f64()
    })
}
