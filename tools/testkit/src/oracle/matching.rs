//! Matching: an order meets the other side, level by level.
//!
//! Owns price-time and pro-rata matching (TRADE-7, LIFE-22, LIFE-23), self-trade prevention (D-14,
//! D-97), what ends an incoming order (LIFE-28 to LIFE-32), triggered orders as they enter (LIFE-37)
//! and the bound on fills (LIFE-74). It deliberately decides nothing about money.

use schema::{
    Code, Event, ExpiryReason, OrderTriggered, OrderType, ReduceReason, SelfTrade, TimeInForce,
    limits,
};
use units::{Side, Ticks};

use super::Oracle;
use super::trade::Match;

impl Oracle {
    /// Matches an accepted or triggered order; what is left of it ends or rests.
    pub(super) fn run_incoming(&mut self, order: u64) {
        let Some(limit) = self.match_limit(order) else {
            return self.expire(order, ExpiryReason::Ioc);
        };
        while let Some(ticks) = self.next_level(order, limit) {
            if self.orders[&order].post_only {
                // LIFE-28: it would take, an own order or another's.
                return self.cancel_order(order, Code::PostOnlyReject);
            }
            let is_pro_rata = self.market(self.orders[&order].market).is_pro_rata();
            let goes_on = if is_pro_rata && !self.empties(order, ticks) {
                self.share_level(order, ticks)
            } else {
                self.meet_first(order, ticks)
            };
            if !goes_on {
                return;
            }
        }
        if !self.orders.contains_key(&order) {
            return;
        }
        let it = &self.orders[&order];
        let rests = matches!(it.time_in_force, TimeInForce::Gtc | TimeInForce::Gtd);
        if it.order_type == OrderType::Market || !rests {
            // LIFE-31, LIFE-32.
            return self.expire(order, ExpiryReason::Ioc);
        }
        let (market, side, ticks) = (it.market, it.side, it.ticks);
        let levels = self.market_mut(market).levels_mut(side);
        levels.entry(ticks).or_default().push(order);
    }

    /// The worst price at which an order trades now; none for a market order that finds nobody.
    fn match_limit(&self, order: u64) -> Option<u64> {
        let it = &self.orders[&order];
        if it.order_type == OrderType::Limit {
            return Some(it.ticks);
        }
        // D-97: at a trigger the bound is taken from the best price of then, and a buy never trades
        // above what it reserved against.
        let best = self.market(it.market).best(it.side.opposite())?;
        let bound = self.bound(it.market, it.side, best);
        Some(if it.side == Side::Buy { bound.min(it.ticks) } else { bound })
    }

    /// The best price opposite, if the order is open and meets it.
    fn next_level(&self, order: u64, limit: u64) -> Option<u64> {
        let it = self.orders.get(&order)?;
        let best = self.market(it.market).best(it.side.opposite())?;
        meets(it.side, limit, best).then_some(best)
    }

    /// The orders of the level that an order meets, first in time first.
    fn opposite_level(&self, order: u64, ticks: u64) -> Vec<u64> {
        let it = &self.orders[&order];
        self.market(it.market).levels(it.side.opposite()).get(&ticks).cloned().unwrap_or_default()
    }

    fn empties(&self, order: u64, ticks: u64) -> bool {
        let level = self.opposite_level(order, ticks);
        let total: u128 = level.iter().map(|n| u128::from(self.orders[n].remaining())).sum();
        u128::from(self.orders[&order].remaining()) >= total
    }

    /// Price-time, and a pro-rata level that the order empties: the first in time. Whether the order
    /// goes on.
    fn meet_first(&mut self, order: u64, ticks: u64) -> bool {
        if self.bound_reached(order) {
            return false;
        }
        let maker = self.opposite_level(order, ticks)[0];
        if self.orders[&maker].account == self.orders[&order].account {
            return self.prevent_self_trade(order, maker);
        }
        let lots = self.orders[&order].remaining().min(self.orders[&maker].remaining());
        self.meet(Match { maker, taker: order, ticks, lots });
        self.orders.contains_key(&order)
    }

    /// D-97: a pro-rata level that the order cannot empty: own orders first, the others share.
    fn share_level(&mut self, order: u64, ticks: u64) -> bool {
        let own = self.orders[&order].account;
        for maker in self.opposite_level(order, ticks) {
            let is_own = self.orders.get(&maker).is_some_and(|it| it.account == own);
            if is_own && (self.bound_reached(order) || !self.prevent_self_trade(order, maker)) {
                return false;
            }
        }
        let level = self.opposite_level(order, ticks);
        let sizes: Vec<u64> = level.iter().map(|n| self.orders[n].remaining()).collect();
        let shares = shares(self.orders[&order].remaining(), &sizes);
        for (maker, lots) in level.into_iter().zip(shares) {
            // Another of its own pair may have taken it off.
            if lots == 0 || !self.orders.contains_key(&maker) {
                continue;
            }
            if self.bound_reached(order) {
                return false;
            }
            self.meet(Match { maker, taker: order, ticks, lots });
        }
        self.orders.contains_key(&order)
    }

    /// LIFE-74: at 10,000 fills the order that would go on is canceled.
    fn bound_reached(&mut self, order: u64) -> bool {
        if self.fill_count < limits::FILL_COUNT_MAX {
            return false;
        }
        self.cancel_order(order, Code::RiskLimitBreach);
        true
    }

    /// LIFE-38, D-97: before the first fill the taker's other order goes, then the maker's.
    fn meet(&mut self, it: Match) {
        for order in [it.taker, it.maker] {
            self.cancel_other(order);
        }
        self.trade(it);
    }

    fn cancel_other(&mut self, order: u64) {
        if let Some(other) = self.orders[&order].pair {
            self.cancel_order(other, Code::OcoCanceled);
        }
    }

    /// D-14: what happens instead of a trade with oneself. Whether the incoming order goes on.
    fn prevent_self_trade(&mut self, incoming: u64, resting: u64) -> bool {
        match self.orders[&incoming].self_trade {
            SelfTrade::CancelIncoming => self.cancel_order(incoming, Code::SelfTrade),
            SelfTrade::CancelResting => self.cancel_order(resting, Code::SelfTrade),
            SelfTrade::CancelBoth => {
                self.cancel_order(incoming, Code::SelfTrade);
                self.cancel_order(resting, Code::SelfTrade);
            }
            SelfTrade::DecrementBoth => {
                let rest = |number: u64| self.orders[&number].remaining();
                let lots = rest(incoming).min(rest(resting));
                self.decrement(incoming, lots);
                self.decrement(resting, lots);
            }
        }
        self.orders.contains_key(&incoming)
    }

    /// LIFE-26: an order reduced to nothing is canceled, another loses that much of its total.
    fn decrement(&mut self, order: u64, lots: u64) {
        let it = &self.orders[&order];
        if it.remaining() == lots {
            self.cancel_order(order, Code::SelfTrade);
        } else {
            let total = it.lots - lots;
            self.lower_total(order, total, ReduceReason::SelfTrade);
        }
    }

    /// LIFE-37: a triggered order enters matching with a new place in time.
    pub(super) fn enter_triggered(&mut self, order: u64) {
        let it = self.order_mut(order);
        let account = it.account;
        let market = it.market;
        let waiting = it.waiting.take().expect("a waiting order");
        let (_, observed) = waiting.met.expect("a trigger that was met");
        self.market_mut(market).waiting.remove(&order);
        let event = OrderTriggered { order, observed: Ticks(observed) };
        self.emit(Event::OrderTriggered(event), &[account]);
        // D-97: the bound is taken anew, and what is left needs no more than that (ACCT-20).
        if let Some(limit) = self.match_limit(order) {
            self.order_mut(order).ticks = limit;
        }
        self.cancel_other(order);
        // D-97: a FOK order that cannot trade was accepted, so it expires.
        if self.orders[&order].time_in_force == TimeInForce::Fok && !self.fills_at_once(order) {
            return self.expire(order, ExpiryReason::Ioc);
        }
        self.run_incoming(order);
    }

    /// Whether the whole of an order would trade now (LIFE-27).
    fn fills_at_once(&self, order: u64) -> bool {
        self.match_limit(order).is_some_and(|limit| self.would_fill(&self.orders[&order], limit))
    }

    /// D-15, D-94: how far a market order may go from a price, inside the market's lowest and highest.
    pub(super) fn bound(&self, market: u32, side: Side, from: u64) -> u64 {
        let terms = &self.market(market).terms;
        let one = 100_000_000_u128;
        let rate = u128::from(terms.protection_bound.0.unsigned_abs());
        let from = u128::from(from);
        let ticks = |wide: u128| u64::try_from(wide).unwrap_or(u64::MAX);
        match side {
            // LIFE-19: a buy rounds down, a sell up.
            Side::Buy => ticks(from * (one + rate) / one).min(terms.max_price.0),
            Side::Sell => ticks((from * (one - rate)).div_ceil(one)).max(terms.min_price.0),
        }
    }
}

/// TRADE-3: whether prices meet.
pub(super) const fn meets(side: Side, limit: u64, opposite: u64) -> bool {
    match side {
        Side::Buy => limit >= opposite,
        Side::Sell => limit <= opposite,
    }
}

/// LIFE-23: in proportion to sizes, rounded down to whole lots; the rest goes in time priority, each
/// order up to what it has left.
pub(super) fn shares(incoming: u64, sizes: &[u64]) -> Vec<u64> {
    let total: u128 = sizes.iter().map(|&size| u128::from(size)).sum();
    let quantity = u128::from(incoming).min(total);
    let part = |size: u64| u64::try_from(quantity * u128::from(size) / total).expect("a part");
    let mut shares: Vec<u64> = sizes.iter().map(|&size| part(size)).collect();
    let given: u64 = shares.iter().sum();
    let mut rest = u64::try_from(quantity).expect("at most what came in") - given;
    for (share, &size) in shares.iter_mut().zip(sizes) {
        let more = rest.min(size - *share);
        *share += more;
        rest -= more;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::shares;

    /// covers: LIFE-62, LIFE-63
    #[test]
    fn a_level_is_shared_as_the_document_says() {
        assert_eq!(shares(4, &[5, 3, 2]), [3, 1, 0]);
        assert_eq!(shares(7, &[2, 50, 48]), [1, 3, 3]);
        assert_eq!(shares(3, &[1, 1, 98]), [1, 0, 2]);
    }
}
