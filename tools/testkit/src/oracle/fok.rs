//! Whether an order would trade whole, and how much a value buys: walks that change nothing.
//!
//! Owns the check of FOK (LIFE-27, D-97) and the quantity of an order by quote (D-94). The walk of FOK
//! goes over a copy of the levels, so that what it takes away is gone for it alone.

use schema::{SelfTrade, limits};

use super::Oracle;
use super::matching::{meets, shares};
use super::state::{Market, Order};

/// A resting order as the walk sees it.
#[derive(Clone, Copy, Debug)]
struct Seen {
    number: u64,
    is_own: bool,
    pair: Option<u64>,
    lots: u64,
}

/// The walk of one order over the other side.
struct Walk {
    /// What is to be filled still.
    rest: u64,
    /// Fills that the command may still make (D-76).
    fills_left: u32,
    /// The order's own other one, which goes before the first fill.
    pair: Option<u64>,
    self_trade: SelfTrade,
    levels: Vec<Vec<Seen>>,
}

impl Oracle {
    /// LIFE-27: counts only what would really trade: within the price, within the fills of the command,
    /// not past an own order that would stop it; and of a pair one order only (LIFE-38).
    pub(super) fn would_fill(&self, order: &Order, limit: u64) -> bool {
        let market = self.market(order.market);
        let opposite = order.side.opposite();
        let see = |&number: &u64| {
            let it = &self.orders[&number];
            let is_own = it.account == order.account;
            Seen { number, is_own, pair: it.pair, lots: it.remaining() }
        };
        let prices = market.prices(opposite);
        let met = prices.iter().take_while(|&&ticks| meets(order.side, limit, ticks));
        let levels = met.map(|ticks| market.levels(opposite)[ticks].iter().map(see).collect());
        let mut walk = Walk {
            rest: order.remaining(),
            fills_left: limits::FILL_COUNT_MAX - self.fill_count,
            pair: order.pair,
            self_trade: order.self_trade,
            levels: levels.collect(),
        };
        walk.fills(market)
    }

    /// D-94: the most lots whose value, walked from the best price to the limit, is at most `value`.
    pub(super) fn lots_for(&self, market: &Market, order: &Order, value: i128) -> i128 {
        let opposite = order.side.opposite();
        let (mut left, mut lots) = (value, 0);
        for ticks in market.prices(opposite) {
            if !meets(order.side, order.ticks, ticks) {
                break;
            }
            let level = &market.levels(opposite)[&ticks];
            let size: i128 =
                level.iter().map(|number| i128::from(self.orders[number].remaining())).sum();
            let lot_value = i128::from(ticks) * market.step;
            let whole = (left / lot_value).min(size);
            lots += whole;
            left -= whole * lot_value;
            if whole < size {
                break;
            }
        }
        lots
    }
}

impl Walk {
    fn fills(&mut self, market: &Market) -> bool {
        while self.rest > 0 {
            let Some(at) = self.levels.iter().position(|level| !level.is_empty()) else {
                return false;
            };
            let total: u128 = self.levels[at].iter().map(|seen| u128::from(seen.lots)).sum();
            let goes_on = if market.is_pro_rata() && u128::from(self.rest) < total {
                self.share(at)
            } else {
                self.meet_first(at)
            };
            if !goes_on {
                return false;
            }
        }
        true
    }

    /// Whether the walk passes an own order: only where that one would be canceled.
    fn passes(&mut self, number: u64) -> bool {
        self.take_off(number);
        self.self_trade == SelfTrade::CancelResting
    }

    fn meet_first(&mut self, at: usize) -> bool {
        let seen = self.levels[at][0];
        if seen.is_own {
            return self.passes(seen.number);
        }
        self.fill(seen, self.rest.min(seen.lots))
    }

    fn share(&mut self, at: usize) -> bool {
        let own: Vec<Seen> = self.levels[at].iter().filter(|seen| seen.is_own).copied().collect();
        if !own.into_iter().all(|seen| self.passes(seen.number)) {
            return false;
        }
        let level = self.levels[at].clone();
        let sizes: Vec<u64> = level.iter().map(|seen| seen.lots).collect();
        let given = if sizes.is_empty() { Vec::new() } else { shares(self.rest, &sizes) };
        for (seen, lots) in level.into_iter().zip(given) {
            let is_there = self.levels[at].iter().any(|it| it.number == seen.number);
            if lots > 0 && is_there && !self.fill(seen, lots) {
                return false;
            }
        }
        true
    }

    fn fill(&mut self, seen: Seen, lots: u64) -> bool {
        if self.fills_left == 0 {
            return false;
        }
        self.fills_left -= 1;
        self.rest -= lots;
        // LIFE-38: what fills in any part ends the other order of its pair.
        for other in [self.pair.take(), seen.pair].into_iter().flatten() {
            self.take_off(other);
        }
        let of_maker = |it: &&mut Seen| it.number == seen.number;
        let maker = self.levels.iter_mut().flatten().find(of_maker).expect("it is there");
        maker.lots -= lots;
        maker.pair = None;
        if maker.lots == 0 {
            self.take_off(seen.number);
        }
        true
    }

    fn take_off(&mut self, number: u64) {
        for level in &mut self.levels {
            level.retain(|seen| seen.number != number);
        }
    }
}
