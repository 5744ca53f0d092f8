//! A book made of events alone: what somebody outside can know of a market.
//!
//! Owns nothing of the exchange's own book, so that one can be held against the other. Between the
//! events of one command it may be crossed, since a taker is counted before its trades are; behind the
//! last of them it may not. It deliberately knows one market: a replay lists no second one.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context as _, ensure};
use schema::{Event, OrderTerms};
use units::{Lots, Side, Ticks};

use super::rows::index;

/// Price and quantity of the best level of each side, in the market's units.
pub(super) type BestLevels = [Option<(Ticks, u128)>; 2];

/// What is left of every order, and of every level.
#[derive(Clone, Debug, Default)]
pub(super) struct ShownBook {
    /// Submitted and not yet accepted or rejected.
    submitted: HashMap<u64, Resting>,
    /// By number of OrderSubmitted.
    orders: HashMap<u64, Resting>,
    levels: [BTreeMap<Ticks, u128>; 2],
}

#[derive(Clone, Copy, Debug)]
struct Resting {
    side: Side,
    ticks: Ticks,
    lots: Lots,
}

impl ShownBook {
    /// Follows one event.
    ///
    /// # Errors
    /// It tells of an order that is not there, or takes more than is left of one.
    pub(super) fn on_event(&mut self, sequence: u64, event: &Event) -> anyhow::Result<()> {
        match event {
            Event::OrderSubmitted(order) => {
                if let OrderTerms::Checked { ticks, lots, .. } = order.terms {
                    let resting = Resting { side: order.side, ticks, lots };
                    self.submitted.insert(sequence, resting);
                }
            }
            Event::OrderAccepted(accepted) => {
                let order = self.submitted.remove(&accepted.order);
                let order = order.context("an order was accepted that was never submitted")?;
                *self.levels[index(order.side)].entry(order.ticks).or_default() +=
                    u128::from(order.lots.0);
                self.orders.insert(accepted.order, order);
            }
            Event::TradeExecuted(trade) => {
                self.take(trade.maker, Some(trade.lots))?;
                self.take(trade.taker, Some(trade.lots))?;
            }
            Event::OrderCanceled(ended) => self.take(ended.order, None)?,
            Event::OrderExpired(ended) => self.take(ended.order, None)?,
            _ => {}
        }
        Ok(())
    }

    /// The best level of each side: buyers, then sellers.
    pub(super) fn best(&self) -> BestLevels {
        let [bids, asks] = &self.levels;
        let level = |(ticks, lots): (&Ticks, &u128)| (*ticks, *lots);
        [bids.last_key_value().map(level), asks.first_key_value().map(level)]
    }

    /// Takes a part of an order, or all that is left.
    fn take(&mut self, number: u64, part: Option<Lots>) -> anyhow::Result<()> {
        let order = self.orders.get_mut(&number).context("an event tells of an unknown order")?;
        let lots = part.unwrap_or(order.lots);
        ensure!(lots <= order.lots, "order {number} gave more than it had");
        order.lots.0 -= lots.0;
        let Resting { side, ticks, lots: left } = *order;
        if left.0 == 0 {
            self.orders.remove(&number);
        }
        let levels = &mut self.levels[index(side)];
        let level = levels.get_mut(&ticks).context("a level that is not there")?;
        *level -= u128::from(lots.0);
        if *level == 0 {
            levels.remove(&ticks);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::{OrderAccepted, OrderSubmitted, OrderType, SelfTrade, TimeInForce, TradeExecuted};

    fn submitted(side: Side, ticks: u64, lots: u64) -> Event {
        let terms =
            OrderTerms::Checked { account: 1, market: 1, ticks: Ticks(ticks), lots: Lots(lots) };
        Event::OrderSubmitted(OrderSubmitted {
            terms,
            side,
            order_type: OrderType::Limit,
            time_in_force: TimeInForce::Gtc,
            post_only: false,
            reduce_only: false,
            self_trade: SelfTrade::CancelIncoming,
            client_order_id: None,
            expire_at: None,
            trigger: None,
            oco_with: None,
            position_side: None,
            replaces: None,
        })
    }

    fn accept(book: &mut ShownBook, number: u64, side: Side, ticks: u64, lots: u64) {
        book.on_event(number, &submitted(side, ticks, lots)).expect("submitted");
        let accepted = Event::OrderAccepted(OrderAccepted { order: number });
        book.on_event(number + 1, &accepted).expect("accepted");
    }

    fn trade(maker: u64, taker: u64, ticks: u64, lots: u64) -> Event {
        Event::TradeExecuted(TradeExecuted { maker, taker, ticks: Ticks(ticks), lots: Lots(lots) })
    }

    /// A book that crosses shows it: whoever asks after every command would see it.
    #[test]
    fn the_best_levels_follow_the_events() {
        let mut book = ShownBook::default();
        accept(&mut book, 1, Side::Sell, 11, 5);
        accept(&mut book, 3, Side::Buy, 10, 7);
        assert_eq!(book.best(), [Some((Ticks(10), 7)), Some((Ticks(11), 5))]);
        accept(&mut book, 5, Side::Buy, 11, 6);
        assert_eq!(book.best(), [Some((Ticks(11), 6)), Some((Ticks(11), 5))]);
        book.on_event(7, &trade(1, 5, 11, 5)).expect("a trade");
        assert_eq!(book.best(), [Some((Ticks(11), 1)), None]);
        assert!(book.on_event(8, &trade(1, 5, 11, 1)).is_err(), "the maker is gone");
        assert!(book.on_event(9, &trade(3, 5, 10, 2)).is_err(), "the taker has one left");
    }
}
