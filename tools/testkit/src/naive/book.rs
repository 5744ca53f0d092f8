//! The naive book: an ordered map of prices, each with a queue of orders.
//!
//! Owns price-time priority in its plainest form (TRADE-7, LIFE-22): the oracle of the book's property
//! test and the memory of the stream generator. Invariants: a price is in the map exactly while an
//! order rests there; ids are unique among resting orders. It deliberately searches a level from its
//! front for every order, and knows no account rule.

use std::collections::{BTreeMap, VecDeque};

use units::{Lots, Side, Ticks};

/// A resting order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resting {
    /// The caller's number of the order, unique among resting orders.
    pub id: u32,
    /// The caller's number of its account.
    pub account: u32,
    /// What is left of it, above zero.
    pub lots: Lots,
}

/// An order that trades on arrival and does not rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taker {
    /// The side it trades on.
    pub side: Side,
    /// The worst price it accepts.
    pub limit: Ticks,
    /// How much it wants.
    pub lots: Lots,
}

/// A book that is right because it is obvious.
#[derive(Clone, Debug, Default)]
pub struct NaiveBook {
    buys: BTreeMap<Ticks, VecDeque<Resting>>,
    sells: BTreeMap<Ticks, VecDeque<Resting>>,
    places: BTreeMap<u32, (Side, Ticks)>,
}

impl NaiveBook {
    /// An empty book.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets an order rest behind all others at its price.
    pub fn add(&mut self, side: Side, ticks: Ticks, order: Resting) {
        let known = self.places.insert(order.id, (side, ticks));
        assert!(known.is_none(), "an id rests once");
        self.levels_mut(side).entry(ticks).or_default().push_back(order);
    }

    /// Takes an order off; answers what was left of it, `None` if it does not rest.
    pub fn cancel(&mut self, id: u32) -> Option<Lots> {
        let left = self.lots(id)?;
        self.lower(id, left);
        Some(left)
    }

    /// Lowers what an order has left, in its place in time; an order with nothing left is off the
    /// book. Answers what remains.
    pub fn lower(&mut self, id: u32, lots: Lots) -> Lots {
        let (side, ticks) = self.places[&id];
        let level = self.levels_mut(side).get_mut(&ticks).expect("a resting order has a level");
        let position = level.iter().position(|order| order.id == id).expect("it is in its level");
        let rest = Lots(level[position].lots.0 - lots.0);
        level[position].lots = rest;
        if rest == Lots(0) {
            level.remove(position);
            if level.is_empty() {
                self.levels_mut(side).remove(&ticks);
            }
            self.places.remove(&id);
        }
        rest
    }

    /// Trades a taker against the best orders opposite, telling each fill as price, maker before the
    /// fill and lots. Answers what the taker has left.
    pub fn take(&mut self, taker: Taker, mut on_fill: impl FnMut(Ticks, Resting, Lots)) -> Lots {
        let mut rest = taker.lots;
        while rest > Lots(0) {
            let Some((ticks, maker)) = self.front(taker.side.opposite()) else { break };
            let meets = match taker.side {
                Side::Buy => taker.limit >= ticks,
                Side::Sell => taker.limit <= ticks,
            };
            if !meets {
                break;
            }
            let lots = rest.min(maker.lots);
            on_fill(ticks, maker, lots);
            self.lower(maker.id, lots);
            rest = Lots(rest.0 - lots.0);
        }
        rest
    }

    /// The best price of a side.
    #[must_use]
    pub fn best(&self, side: Side) -> Option<Ticks> {
        self.front(side).map(|(ticks, _)| ticks)
    }

    /// The order that trades next, and its price.
    #[must_use]
    pub fn front(&self, side: Side) -> Option<(Ticks, Resting)> {
        let (&ticks, level) = match side {
            Side::Buy => self.buys.last_key_value(),
            Side::Sell => self.sells.first_key_value(),
        }?;
        level.front().map(|&order| (ticks, order))
    }

    /// What an order has left, `None` if it does not rest.
    #[must_use]
    pub fn lots(&self, id: u32) -> Option<Lots> {
        let (side, ticks) = self.places.get(&id)?;
        self.levels(*side)[ticks].iter().find(|order| order.id == id).map(|order| order.lots)
    }

    /// Whether the order rests.
    #[must_use]
    pub fn rests(&self, id: u32) -> bool {
        self.places.contains_key(&id)
    }

    /// The levels of a side, best first, each with its orders, first in time first.
    #[must_use]
    pub fn ladder(&self, side: Side) -> Vec<(Ticks, Vec<Resting>)> {
        let orders = |(&ticks, level): (&Ticks, &VecDeque<Resting>)| {
            (ticks, level.iter().copied().collect::<Vec<_>>())
        };
        match side {
            Side::Buy => self.buys.iter().rev().map(orders).collect(),
            Side::Sell => self.sells.iter().map(orders).collect(),
        }
    }

    /// The orders at a price, first in time first.
    #[must_use]
    pub fn orders_at(&self, side: Side, ticks: Ticks) -> Vec<Resting> {
        self.levels(side).get(&ticks).into_iter().flatten().copied().collect()
    }

    /// How many orders rest.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether no order rests.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    fn levels(&self, side: Side) -> &BTreeMap<Ticks, VecDeque<Resting>> {
        match side {
            Side::Buy => &self.buys,
            Side::Sell => &self.sells,
        }
    }

    fn levels_mut(&mut self, side: Side) -> &mut BTreeMap<Ticks, VecDeque<Resting>> {
        match side {
            Side::Buy => &mut self.buys,
            Side::Sell => &mut self.sells,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resting(id: u32, lots: u64) -> Resting {
        Resting { id, account: id, lots: Lots(lots) }
    }

    #[test]
    fn a_taker_meets_the_better_price_then_the_earlier_order() {
        let mut book = NaiveBook::new();
        book.add(Side::Sell, Ticks(11), resting(1, 5));
        book.add(Side::Sell, Ticks(10), resting(2, 5));
        book.add(Side::Sell, Ticks(10), resting(3, 5));
        book.add(Side::Sell, Ticks(12), resting(4, 5));
        let mut fills = Vec::new();
        let taker = Taker { side: Side::Buy, limit: Ticks(11), lots: Lots(20) };
        let rest = book.take(taker, |ticks, maker, lots| fills.push((ticks.0, maker.id, lots.0)));
        assert_eq!(fills, [(10, 2, 5), (10, 3, 5), (11, 1, 5)]);
        assert_eq!((rest, book.best(Side::Sell)), (Lots(5), Some(Ticks(12))));
    }

    #[test]
    fn a_partial_fill_keeps_the_place_and_a_cancel_frees_the_level() {
        let mut book = NaiveBook::new();
        book.add(Side::Buy, Ticks(10), resting(1, 5));
        book.add(Side::Buy, Ticks(10), resting(2, 5));
        assert_eq!(book.lower(1, Lots(4)), Lots(1));
        assert_eq!(book.front(Side::Buy), Some((Ticks(10), resting(1, 1))));
        assert_eq!(book.cancel(1), Some(Lots(1)));
        assert_eq!(book.cancel(2), Some(Lots(5)));
        assert_eq!((book.cancel(2), book.best(Side::Buy), book.len()), (None, None, 0));
    }
}
