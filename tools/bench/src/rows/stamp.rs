//! Stamps and numbers: what the sequencer gives each command.
//!
//! Owns the rows of the exchange clock's stamp (machine clocks read, held above the one before) and of numbering a
//! command as it is written into a record, encoding left out: the record's own count and prefix. One sample is the
//! mean of a hundred, since reading the clock around one alone would be most of it.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use engine::{ExchangeClock, SystemClock};
use journal::{CHAIN_START, RecordBuilder};
use units::Timestamp;

use crate::measure::{Figure, median_of, percentile};
use crate::row::{Row, Target};

/// covers: TIME-60
pub(super) const STAMP_P99_NS: Row =
    Row { name: "clock.stamp_p99_ns", unit: "ns", target: Target::AtMost(1_000.0), measure: stamp };

/// covers: SEQ-48
pub(super) const NUMBER_NS: Row = Row {
    name: "sequencer.number_ns",
    unit: "ns",
    target: Target::AtMost(1_000.0),
    measure: number,
};

const RUNS: usize = 5;
const SAMPLES: usize = 10_000;
const BATCH: u32 = 100;

fn stamp() -> Figure {
    let clock = ExchangeClock::above(Arc::new(SystemClock::new()), Timestamp(0));
    median_of(RUNS, || {
        let mut last = clock.stamp().time;
        let mut samples: Vec<u32> = (0..SAMPLES)
            .map(|_| {
                let begin = Instant::now();
                for _ in 0..BATCH {
                    let stamp = clock.stamp().time;
                    assert!(stamp > last, "stamps rise (TIME-22)");
                    last = stamp;
                }
                u32::try_from(begin.elapsed().as_nanos()).unwrap_or(u32::MAX) / BATCH
            })
            .collect();
        f64::from(percentile(&mut samples, 990))
    })
}

fn number() -> Figure {
    median_of(RUNS, || {
        let mut buffer = Vec::new();
        let mut sequence = 1;
        let mut samples: Vec<u32> = (0..SAMPLES)
            .map(|_| {
                let mut builder =
                    RecordBuilder::begin_in(buffer_of(&mut buffer), 1, sequence, CHAIN_START);
                let begin = Instant::now();
                for _ in 0..BATCH {
                    let given = builder.push(|bytes| bytes.push(0)).expect("room for 100");
                    assert_eq!(black_box(given), sequence, "numbers have no gap (SEQ-1)");
                    sequence += 1;
                }
                let elapsed = begin.elapsed();
                buffer = builder.seal().into_bytes();
                u32::try_from(elapsed.as_nanos()).unwrap_or(u32::MAX) / BATCH
            })
            .collect();
        f64::from(percentile(&mut samples, 990))
    })
}

fn buffer_of(buffer: &mut Vec<u8>) -> Vec<u8> {
    std::mem::take(buffer)
}
