//! One order that sweeps 10,000 resting orders.
//!
//! Owns what a fill of such an order costs, in the book and in the kernel: 100 levels of 100 orders, taken by one
//! order that wants them all, which is as many fills as a command may make (D-76). Each run has a fresh book. They
//! deliberately leave out what makes the book: only the sweep is timed.

use std::time::Instant;

use book::{Book, Entry};
use kernel::Kernel;
use schema::{Command, EventBuffer, Outcome, Stamped, TimeInForce};
use units::{Id, Lots, Side, Ticks, Timestamp};

use crate::measure::{Figure, median_of};
use crate::row::{Row, Target};
use crate::venue::{self, Prepared};

pub(super) const BOOK: Row = Row {
    name: "book.sweep_ns_per_fill",
    unit: "ns",
    target: Target::AtMost(50.0),
    measure: || median_of(RUNS, sweep_book),
};

pub(super) const KERNEL: Row = Row {
    name: "kernel.sweep_ns_per_fill",
    unit: "ns",
    target: Target::AtMost(300.0),
    measure: kernel,
};

const RUNS: usize = 25;
const LEVELS: u64 = 100;
const ORDERS: u64 = 10_000;
const LOWEST: u64 = 100_000;

/// Nanoseconds a fill in a book alone.
fn sweep_book() -> f64 {
    let mut book = Book::new();
    for order in 0..ORDERS {
        let number = u32::try_from(order).expect("small");
        let ticks = Ticks(LOWEST + order % LEVELS);
        let entry = Entry { side: Side::Sell, ticks, lots: Lots(1), account: 1, order: number };
        book.insert(entry);
    }
    let limit = Ticks(LOWEST + LEVELS);
    let mut fills = 0;
    let begin = Instant::now();
    while book.crosses(Side::Buy, limit) {
        let maker = book.front(Side::Sell).expect("what crosses has a front");
        book.fill(maker.node, maker.lots);
        fills += 1;
    }
    let elapsed = begin.elapsed();
    assert_eq!((fills, book.len()), (ORDERS, 0), "the sweep takes all");
    elapsed.as_nanos() as f64 / ORDERS as f64
}

/// Nanoseconds a fill in the kernel complete.
fn kernel() -> Figure {
    let prepared = venue::prepare(4, ACCOUNTS);
    median_of(RUNS, || sweep_kernel(&prepared))
}

fn sweep_kernel(prepared: &Prepared) -> f64 {
    let mut kernel = venue::start(prepared);
    let mut buffer = EventBuffer::new();
    let accounts = prepared.accounts();
    let (taker, makers) = accounts.split_first().expect("there are accounts");
    for order in 0..ORDERS {
        let maker = makers[usize::try_from(order).expect("small") % makers.len()];
        let terms = (Ticks(LOWEST + order % LEVELS), Lots(1));
        let command = venue::order(maker, Side::Sell, terms, TimeInForce::Gtc);
        buffer.clear();
        run(&mut kernel, command, &mut buffer);
    }
    let terms = (Ticks(LOWEST + LEVELS), Lots(ORDERS));
    let sweep = venue::order(*taker, Side::Buy, terms, TimeInForce::Ioc);
    buffer.clear();
    let begin = Instant::now();
    run(&mut kernel, sweep, &mut buffer);
    let elapsed = begin.elapsed();
    assert_eq!(venue::trades_in(buffer.bytes()), ORDERS, "the sweep takes all");
    assert_eq!(kernel.order_count(), 0);
    elapsed.as_nanos() as f64 / ORDERS as f64
}

fn run(kernel: &mut Kernel, command: Command, buffer: &mut EventBuffer) {
    let position = kernel.position();
    let stamped = Stamped {
        sequence: position.command_sequence + 1,
        stamp: Timestamp(position.last_timestamp.0 + venue::STEP),
        fallback_clock: false,
        correlation: Some(Id([9; 16])),
        key: None,
        command,
        account_version: None,
    };
    let reply = kernel.execute(&stamped, buffer);
    assert!(matches!(reply.outcome, Outcome::Accepted { .. }), "{:?}", reply.outcome);
}

const ACCOUNTS: u32 = 1_000;
