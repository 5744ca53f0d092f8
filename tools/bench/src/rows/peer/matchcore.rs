//! The peer `matchcore`: a single-threaded engine of commands and outcomes, prices in trees, orders in a
//! hash map. It was the fastest of the published books tried.
//!
//! Owns how the stream is said to it: an order's number there is the place of its command, so the
//! numbers of the stream are laid out before the run. A taker is an order of `TimeInForce::Ioc`.
//!
//! It differs from ours, in version 0.4.0 and those before: an order that crosses is matched without
//! its limit (`submit_crossable_order` calls `match_order` with no price), so that a taker larger than
//! what rests within its limit trades on at prices that it refused. Its caller can keep it from that
//! with what it shows of its levels, and `Matchcore<true>` does, timed, as anyone who used it would have
//! to: a taker comes for no more than rests within its limit. Then every trade is the same.
//! `Matchcore<false>` is the crate as it is.

use matchcore::{
    CancelCmd, Command, CommandKind, CommandMeta, CommandOutcome, CommandReport, LimitOrder,
    NewOrder, OrderBook, OrderFlags, OrderId, OrderKind, Price, Quantity, QuantityPolicy,
    SequenceNumber, Side as PeerSide, SubmitCmd, TimeInForce, Timestamp, Trade as PeerTrade,
};
use testkit::stream::{Op, Script};
use units::{Lots, Side, Ticks};

use super::{Peer, Trade};

/// The book, its caller's numbers and the trades; `CAPPED` says whether takers are kept to their limit.
pub(super) struct Matchcore<const CAPPED: bool> {
    book: OrderBook,
    next: u64,
    /// The place of the command that brought an order of the stream.
    places: Vec<u64>,
    /// The other way round.
    ids: Vec<u32>,
    trades: Vec<(u32, PeerTrade)>,
}

impl<const CAPPED: bool> Peer for Matchcore<CAPPED> {
    const NAME: &str = "matchcore";

    fn open(script: &Script) -> Self {
        let (mut places, mut ids) = (vec![0; script.ids as usize], vec![0; script.ops.len()]);
        for (place, op) in script.ops.iter().enumerate() {
            if let Op::Add { id, .. } = *op {
                places[id as usize] = place as u64;
                ids[place] = id;
            }
        }
        let trades = Vec::with_capacity(script.ids as usize);
        Self { book: OrderBook::new("BENCH"), next: 0, places, ids, trades }
    }

    #[inline]
    fn carry_out(&mut self, op: &Op) {
        let kind = match *op {
            Op::Add { side, ticks, lots, .. } => {
                order(side, ticks, Quantity(lots.0), TimeInForce::Gtc)
            }
            Op::Take { side, ticks, lots, .. } => {
                order(side, ticks, self.quantity(side, ticks, lots), TimeInForce::Ioc)
            }
            Op::Cancel { id } | Op::Reduce { id } => CommandKind::Cancel(CancelCmd {
                order_id: OrderId(self.places[id as usize]),
                order_kind: OrderKind::Limit,
            }),
        };
        let meta =
            CommandMeta { sequence_number: SequenceNumber(self.next), timestamp: Timestamp(0) };
        self.next += 1;
        let report = match self.book.execute(&Command { meta, kind }) {
            CommandOutcome::Applied(report) => report,
            // As it is, it has traded orders that the stream still cancels.
            CommandOutcome::Rejected(_) if !CAPPED => return,
            CommandOutcome::Rejected(failure) => panic!("{failure:?}"),
        };
        if let (Op::Take { id, .. }, CommandReport::Submit(effects)) = (op, report)
            && let Some(result) = effects.target_order().match_result()
        {
            self.trades.extend(result.trades().iter().map(|trade| (*id, *trade)));
        }
    }

    fn drain(&mut self) -> Vec<Trade> {
        let ids = &self.ids;
        let trade = |(taker, trade): (u32, PeerTrade)| {
            let place = usize::try_from(trade.maker_order_id().0).expect("a place in the stream");
            let (ticks, lots) = (Ticks(trade.price().0), Lots(trade.quantity().0));
            Trade { taker, maker: ids[place], ticks, lots }
        };
        self.trades.drain(..).map(trade).collect()
    }
}

impl<const CAPPED: bool> Matchcore<CAPPED> {
    /// For how much a taker comes.
    #[inline]
    fn quantity(&self, side: Side, limit: Ticks, lots: Lots) -> Quantity {
        if !CAPPED {
            return Quantity(lots.0);
        }
        let (book, limit) = (self.book.limit(), Price(limit.0));
        let resting = |level: usize| book.levels()[level].total_quantity().0;
        let mut within = 0;
        match side {
            Side::Buy => {
                let levels = book.asks().iter().take_while(|(price, _)| **price <= limit);
                add_until(&mut within, lots.0, levels.map(|(_, level)| resting(*level)));
            }
            Side::Sell => {
                let levels = book.bids().iter().rev().take_while(|(price, _)| **price >= limit);
                add_until(&mut within, lots.0, levels.map(|(_, level)| resting(*level)));
            }
        }
        Quantity(within.min(lots.0))
    }
}

/// Adds quantities to `sum` until it reaches `enough`.
#[inline]
fn add_until(sum: &mut u64, enough: u64, quantities: impl Iterator<Item = u64>) {
    for quantity in quantities {
        *sum += quantity;
        if *sum >= enough {
            return;
        }
    }
}

#[inline]
fn order(side: Side, ticks: Ticks, quantity: Quantity, lifetime: TimeInForce) -> CommandKind {
    let side = match side {
        Side::Buy => PeerSide::Buy,
        Side::Sell => PeerSide::Sell,
    };
    let policy = QuantityPolicy::Standard { quantity };
    let order = LimitOrder::new(Price(ticks.0), policy, OrderFlags::new(side, false, lifetime));
    CommandKind::Submit(SubmitCmd { order: NewOrder::Limit(order) })
}
