//! The kernel complete: checks, balances, fees and events in stored form, on the benchmark stream.
//!
//! Owns the rows of throughput, latency and event size, and both replays without a disk: commands
//! decoded from their stored bytes and executed, events decoded and applied. Each run must make the
//! trades of the stream. It deliberately measures no log and no thread: that is the port's row.

use std::time::Instant;

use kernel::Kernel;
use schema::{EventBuffer, GroupIter, Stamped};

use crate::measure::{Figure, median_of, percentile};
use crate::row::{Row, Target};
use crate::stored::Stored;
use crate::venue::{Prepared, prepare, start, trades_in};

pub(super) const COMMANDS_PER_SECOND: Row = Row {
    name: "kernel.commands_per_second",
    unit: "commands/s",
    target: Target::AtLeast(6_000_000.0),
    measure: throughput,
};

pub(super) const P50_NS: Row = Row {
    name: "kernel.p50_ns",
    unit: "ns",
    target: Target::AtMost(150.0),
    measure: || latency(500),
};

/// covers: GOAL-3, LIFE-66
pub(super) const P99_NS: Row = Row {
    name: "kernel.p99_ns",
    unit: "ns",
    target: Target::AtMost(500.0),
    measure: || latency(990),
};

pub(super) const P999_NS: Row = Row {
    name: "kernel.p999_ns",
    unit: "ns",
    target: Target::AtMost(2_000.0),
    measure: || latency(999),
};

pub(super) const EVENT_BYTES: Row = Row {
    name: "kernel.event_bytes_per_command",
    unit: "bytes",
    target: Target::AtMost(200.0),
    measure: event_bytes,
};

pub(super) const REPLAY_COMMANDS: Row = Row {
    name: "replay.commands_per_second",
    unit: "commands/s",
    target: Target::AtLeast(4_000_000.0),
    measure: replay_commands,
};

pub(super) const REPLAY_EVENTS: Row = Row {
    name: "replay.events_per_second",
    unit: "events/s",
    target: Target::AtLeast(8_000_000.0),
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

/// The clock runs while the kernel executes a batch, not while the batch is decoded: the executor, too,
/// is handed batches that another stage made just before.
fn throughput() -> Figure {
    let prepared = prepare(COMMANDS, ACCOUNTS);
    let stored = Stored::new(&prepared.stream);
    let (expected, _) = events_of(&prepared);
    median_of(RUNS, || {
        let mut kernel = start(&prepared);
        let timed = stored.execute(&mut kernel, 0..stored.len());
        assert_eq!(timed.event_size, expected.len(), "every run makes the same events");
        stored.len() as f64 / timed.elapsed.as_secs_f64()
    })
}

/// The nearest-rank percentile of single commands, the clock's own cost included.
fn latency(per_mille: usize) -> Figure {
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
        f64::from(percentile(&mut samples, per_mille))
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
