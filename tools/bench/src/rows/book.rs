//! The book alone: the benchmark stream applied to one `Book`.
//!
//! Owns four rows. `book.commands_per_second` is the whole stream from an empty book, prefill
//! included. `book.wide_commands_per_second` is the same stream with every price 97 times as far
//! apart, so that hardly two levels are neighbours: what a market with a very small tick looks like.
//! `book.p99_ns` and `book.p999_ns` time every command by itself, the clock's own cost included. Each run is compared
//! with the trades that the naive book made of the stream. They deliberately measure no ledger and no
//! event: that is the kernel's row. How a book is timed is here once, for ours and for the published
//! ones beside it (`peer.rs`).

use std::time::Instant;

use book::{Book, Entry, NodeId};
use testkit::stream::{Op, Script, Stream, Tally};
use units::{Lots, Side, Ticks};

use crate::measure::{Figure, median_of, percentile};
use crate::row::{Row, Target};

pub(super) const COMMANDS_PER_SECOND: Row = Row {
    name: "book.commands_per_second",
    unit: "commands/s",
    target: Target::AtLeast(25_000_000.0),
    measure: || throughput::<Market>(1),
};

pub(super) const WIDE_COMMANDS_PER_SECOND: Row = Row {
    name: "book.wide_commands_per_second",
    unit: "commands/s",
    target: Target::None,
    measure: || throughput::<Market>(97),
};

pub(super) const P99_NS: Row = Row {
    name: "book.p99_ns",
    unit: "ns",
    target: Target::AtMost(150.0),
    measure: || latency::<Market>(990),
};

pub(super) const P999_NS: Row = Row {
    name: "book.p999_ns",
    unit: "ns",
    target: Target::AtMost(400.0),
    measure: || latency::<Market>(999),
};

/// A book that the stream is applied to.
pub(super) trait Matcher {
    /// Empty, and ready for this stream; not timed.
    fn start(script: &Script) -> Self;
    /// Carries out one command; timed.
    fn apply(&mut self, op: &Op);
    /// Asserts that all commands of the stream were carried out as they must be; not timed.
    fn check(self, script: &Script);
}

/// Commands per second, the median of whole runs.
pub(super) fn throughput<M: Matcher>(spacing: u64) -> Figure {
    let script = Stream::new(SEED, COMMANDS).with_spacing(spacing).script();
    median_of(RUNS, || rate::<M>(&script))
}

/// Commands per second of one run.
pub(super) fn rate<M: Matcher>(script: &Script) -> f64 {
    let mut market = M::start(script);
    let start = Instant::now();
    for op in &script.ops {
        market.apply(op);
    }
    let elapsed = start.elapsed();
    market.check(script);
    script.ops.len() as f64 / elapsed.as_secs_f64()
}

/// A percentile of single commands in nanoseconds, the median of whole runs.
pub(super) fn latency<M: Matcher>(per_mille: usize) -> Figure {
    let script = Stream::new(SEED, COMMANDS).script();
    let mut samples = vec![0; script.ops.len()];
    median_of(RUNS, || {
        let mut market = M::start(&script);
        for (op, sample) in script.ops.iter().zip(&mut samples) {
            let start = Instant::now();
            market.apply(op);
            *sample = u32::try_from(start.elapsed().as_nanos()).unwrap_or(u32::MAX);
        }
        market.check(&script);
        f64::from(percentile(&mut samples, per_mille))
    })
}

/// Our book, and where each order of the stream rests in it.
pub(super) struct Market {
    book: Book,
    nodes: Vec<NodeId>,
    /// The trades so far.
    pub(super) trades: Tally,
}

impl Matcher for Market {
    fn start(script: &Script) -> Self {
        let nodes = vec![NodeId::NONE; script.ids as usize];
        Self { book: Book::new(), nodes, trades: Tally::default() }
    }

    #[inline]
    fn apply(&mut self, op: &Op) {
        match *op {
            Op::Add { id, account, side, ticks, lots } => {
                assert!(!self.book.crosses(side, ticks), "an order that rests crosses nothing");
                let entry = Entry { side, ticks, lots, account, order: id };
                self.nodes[id as usize] = self.book.insert(entry);
            }
            Op::Take { id, side, ticks, lots, .. } => self.take(id, side, (ticks, lots)),
            Op::Cancel { id } | Op::Reduce { id } => {
                self.book.remove(self.nodes[id as usize]);
            }
        }
    }

    /// Asserts that the book did what the naive book did.
    fn check(self, script: &Script) {
        assert_eq!(self.trades, script.trades, "the stream makes the trades it must make");
        assert_eq!(self.book.len(), script.resting);
        self.book.check();
    }
}

impl Market {
    fn take(&mut self, taker: u32, side: Side, (limit, mut rest): (Ticks, Lots)) {
        while rest > Lots(0) && self.book.crosses(side, limit) {
            let maker = self.book.front(side.opposite()).expect("what crosses has a front");
            let lots = rest.min(maker.lots);
            self.book.fill(maker.node, lots);
            self.trades.add(taker, maker.order, (maker.ticks, lots));
            rest = Lots(rest.0 - lots.0);
        }
    }
}

/// Seed and length of the stream of these rows.
pub(super) const SEED: u64 = 1;
pub(super) const COMMANDS: usize = 2_000_000;
pub(super) const RUNS: usize = 7;

#[cfg(test)]
mod tests {
    use super::*;

    /// Every order that rests at the end of a short stream, side by side with the naive book's count.
    #[test]
    fn the_book_makes_the_trades_of_the_stream() {
        for spacing in [1, 97] {
            let script = Stream::new(2, 50_000).with_spacing(spacing).script();
            let mut market = Market::start(&script);
            for op in &script.ops {
                market.apply(op);
            }
            assert!(market.trades.count > 1_000);
            market.check(&script);
        }
    }
}
