//! The peer `rust_ob`: each side one tree of orders by price and time, orders in a hash map, every price
//! and quantity a `Decimal`.
//!
//! Owns how the stream is said to it. It has no order that never rests, so what a taker leaves is taken
//! off by a cancel, timed with the taker. It answers the cost of each match and the price follows by a
//! division without rest, which is not timed. Its trades are ours, each of them.

use rust_ob::{Decimal, OrderBook, OrderMatch, Side as PeerSide};
use testkit::stream::{Op, Script};
use units::{Lots, Side, Ticks};

use super::{Peer, Trade};

/// The book and what it answered to takers.
pub(super) struct RustOb {
    book: OrderBook<u32>,
    matches: Vec<Vec<OrderMatch<u32>>>,
}

impl Peer for RustOb {
    const NAME: &str = "rust_ob";

    fn open(script: &Script) -> Self {
        Self { book: OrderBook::new(), matches: Vec::with_capacity(script.ids as usize) }
    }

    #[inline]
    fn carry_out(&mut self, op: &Op) {
        match *op {
            Op::Add { id, side, ticks, lots, .. } => {
                let matches = self.submit(id, side, ticks, lots);
                assert!(matches.is_empty(), "an order that rests crosses nothing");
            }
            Op::Take { id, side, ticks, lots, .. } => {
                let matches = self.submit(id, side, ticks, lots);
                let taken = matches.last().map_or(Decimal::ZERO, |own| own.quantity);
                if taken != Decimal::from(lots.0) {
                    self.book.cancel_order(id).expect("what is left rests");
                }
                self.matches.push(matches);
            }
            Op::Cancel { id } | Op::Reduce { id } => {
                self.book.cancel_order(id).expect("the order rests");
            }
        }
    }

    fn drain(&mut self) -> Vec<Trade> {
        self.matches.drain(..).flat_map(|matches| trades(&matches)).collect()
    }
}

impl RustOb {
    #[inline]
    fn submit(&mut self, id: u32, side: Side, ticks: Ticks, lots: Lots) -> Vec<OrderMatch<u32>> {
        let side = match side {
            Side::Buy => PeerSide::Buy,
            Side::Sell => PeerSide::Sell,
        };
        let (price, quantity) = (Decimal::from(ticks.0), Decimal::from(lots.0));
        self.book.process_limit_order(id, side, price, quantity).expect("a new number")
    }
}

/// The trades of one taker, whose own match is the last.
fn trades(matches: &[OrderMatch<u32>]) -> Vec<Trade> {
    let Some((own, makers)) = matches.split_last() else { return Vec::new() };
    let trade = |maker: &OrderMatch<u32>| Trade {
        taker: own.order,
        maker: maker.order,
        ticks: Ticks(whole(maker.cost.abs() / maker.quantity)),
        lots: Lots(whole(maker.quantity)),
    };
    makers.iter().map(trade).collect()
}

fn whole(number: Decimal) -> u64 {
    number.try_into().expect("a whole number that fits")
}
