//! What a batch of commands changed in the displayed markets, for feeds.
//!
//! Levels are noted while events are scanned and read from the book when the batch is done, so a level
//! that changed ten times is told once, with what it holds now. Sequences chain: each update begins
//! where the one before ended (SEQ-31).

use std::collections::{BTreeMap, BTreeSet};

use kernel::{Kernel, Market, Watch};
use port::{LevelChange, MarketUpdate, TradePrint};
use units::{Amount, Side, Ticks, Timestamp};

/// The changes of a batch so far.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    markets: BTreeMap<u32, MarketChange>,
    /// Orders that this group accepted or triggered, and market and sequence before it; they are
    /// displayed if they rest after it.
    accepted: Vec<(u64, u32, u64)>,
}

#[derive(Debug, Default)]
struct MarketChange {
    prev_sequence: u64,
    levels: BTreeSet<(Side, Ticks)>,
    trades: Vec<TradePrint>,
}

impl Changes {
    /// Something in a market changes with the group that is about to be applied.
    pub(crate) fn market<W: Watch>(&mut self, kernel: &Kernel<W>, number: u32) {
        self.change(kernel, number);
    }

    /// A level changes with the group that is about to be applied.
    pub(crate) fn level<W: Watch>(
        &mut self,
        kernel: &Kernel<W>,
        number: u32,
        level: (Side, Ticks),
    ) {
        self.change(kernel, number).levels.insert(level);
    }

    /// A trade is made.
    pub(crate) fn trade<W: Watch>(&mut self, kernel: &Kernel<W>, number: u32, trade: TradePrint) {
        self.change(kernel, number).trades.push(trade);
    }

    /// An order is accepted, or triggered, with the group that is about to be applied.
    pub(crate) fn accepted<W: Watch>(
        &mut self,
        kernel: &Kernel<W>,
        order: u64,
        market: Option<u32>,
    ) {
        if let Some(market) = market.and_then(|number| kernel.market(number)) {
            self.accepted.push((order, market.number, market.sequence));
        }
    }

    fn change<W: Watch>(&mut self, kernel: &Kernel<W>, number: u32) -> &mut MarketChange {
        self.markets.entry(number).or_insert_with(|| MarketChange {
            prev_sequence: kernel.market(number).map_or(0, |market| market.sequence),
            ..MarketChange::default()
        })
    }

    /// The group has been applied: orders that rest now are displayed. One that rested and left again
    /// inside the group has moved the symbol's sequence all the same.
    pub(crate) fn after_group<W: Watch>(&mut self, kernel: &Kernel<W>) {
        while let Some((order, number, prev_sequence)) = self.accepted.pop() {
            if kernel.market(number).is_none_or(|market| market.sequence == prev_sequence) {
                continue;
            }
            let change = self.markets.entry(number);
            let change =
                change.or_insert_with(|| MarketChange { prev_sequence, ..MarketChange::default() });
            if let Some(order) = kernel.order_of(order).filter(|order| order.is_resting()) {
                change.levels.insert((order.side, order.ticks));
            }
        }
    }

    /// The updates of the batch, by market; the next batch begins.
    pub(crate) fn take<W: Watch>(&mut self, kernel: &Kernel<W>) -> Vec<MarketUpdate> {
        let timestamp = kernel.position().last_timestamp;
        let markets = std::mem::take(&mut self.markets);
        let update = |(number, change)| {
            kernel.market(number).map(|market| update(market, change, timestamp))
        };
        markets.into_iter().filter_map(update).collect()
    }
}

fn update(market: &Market, change: MarketChange, timestamp: Timestamp) -> MarketUpdate {
    let level = |(side, ticks)| {
        let lots = market.book().level(side, ticks).map_or(0, |level| level.lots);
        LevelChange { side, price: market.price(ticks), quantity: quantity(market, lots) }
    };
    MarketUpdate {
        market: market.number,
        sequence: market.sequence,
        prev_sequence: change.prev_sequence,
        timestamp,
        levels: change.levels.into_iter().map(level).collect(),
        trades: change.trades,
    }
}

/// A level's quantity in decimals; the largest balance where the sum of many orders is beyond it.
pub(crate) fn quantity(market: &Market, lots: u128) -> Amount {
    let lots = i128::try_from(lots).ok();
    let amount = lots.and_then(|lots| lots.checked_mul(market.terms.lot_size.0)).map(Amount);
    amount.filter(|amount| amount.is_balance()).unwrap_or(Amount::BALANCE_MAX)
}
