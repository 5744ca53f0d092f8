//! Walking the book before anything is committed: what a FOK order could fill, what an amount of
//! quote would trade, and what the best price would be without an order that is to be replaced.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use book::Maker;
use schema::SelfTrade;
use schema::limits::FILL_COUNT_MAX;
use units::{Amount, Lots, Side, Ticks};

use crate::market::Market;
use crate::order::Slot;
use crate::pro_rata::share;
use crate::{Kernel, Watch};

/// A taker that is only tried.
#[derive(Clone, Copy)]
pub(crate) struct Trial {
    pub(crate) account: u32,
    pub(crate) side: Side,
    pub(crate) ticks: Ticks,
    pub(crate) lots: Lots,
    pub(crate) self_trade: SelfTrade,
    /// The other order of its pair, which ends with its first fill.
    pub(crate) partner: Option<Slot>,
    /// An order that will be gone.
    pub(crate) without: Option<Slot>,
}

/// What a walk counted so far.
struct Counted {
    left: Lots,
    fills: u32,
    /// Orders that end when the other of their pair, which was met before, is filled.
    gone: BTreeSet<u64>,
    done: bool,
}

impl<W: Watch> Kernel<W> {
    /// The best price of a side once `without` is gone.
    pub(crate) fn best_without(
        &self,
        market: &Market,
        side: Side,
        without: Option<Slot>,
    ) -> Option<Ticks> {
        let front = market.book.front(side)?;
        if Some(front.order) != without {
            return Some(front.ticks);
        }
        market.book.iter(side).nth(1).map(|maker| maker.ticks)
    }

    /// The most lots whose value over the opposite side, inside the bound, is at most `value`.
    pub(crate) fn lots_for(
        &self,
        market: &Market,
        (side, bound): (Side, Ticks),
        value: Amount,
        without: Option<Slot>,
    ) -> u128 {
        let unit = market.value(1).expect("tick × lot is a balance").0;
        let mut units = value.0.max(0).unsigned_abs() / unit.unsigned_abs();
        let mut lots = 0u128;
        let without = without.map(|slot| self.orders.at(slot)).filter(|order| order.is_resting());
        for level in market.book.depth(side.opposite(), usize::MAX) {
            if !meets(side, bound, level.ticks) {
                break;
            }
            let gone = without
                .filter(|order| order.side != side && order.ticks == level.ticks)
                .map_or(0, |order| u128::from(order.remaining().0));
            let (price, there) = (u128::from(level.ticks.0), level.lots - gone);
            let here = (units / price).min(there);
            lots += here;
            units -= here * price;
            if here < there {
                break;
            }
        }
        lots
    }

    /// Whether a FOK order would fill whole at once (LIFE-27).
    pub(crate) fn would_fill(&self, market: &Market, trial: &Trial) -> bool {
        let gone = BTreeSet::new();
        let mut counted = Counted { left: trial.lots, fills: self.fills, gone, done: false };
        let levels = market.book.depth(trial.side.opposite(), usize::MAX);
        for level in levels.take_while(|level| meets(trial.side, trial.ticks, level.ticks)) {
            if market.is_shared && u128::from(counted.left.0) < level.lots {
                self.count_shared(market, trial, level.ticks, &mut counted);
            } else {
                self.count_in_time(market, trial, level.ticks, &mut counted);
            }
            if counted.done || counted.left == Lots(0) {
                break;
            }
        }
        counted.left == Lots(0)
    }

    /// A level in time order, until the order is filled or stopped.
    fn count_in_time(&self, market: &Market, trial: &Trial, ticks: Ticks, counted: &mut Counted) {
        for maker in market.book.orders_at(trial.side.opposite(), ticks) {
            if counted.left == Lots(0) {
                return;
            }
            if self.is_passed(trial, &maker, counted) {
                continue;
            }
            if maker.account == trial.account || counted.fills == FILL_COUNT_MAX {
                counted.done = true;
                return;
            }
            counted.left.0 -= counted.left.min(maker.lots).0;
            counted.fills += 1;
            counted.gone.extend(self.orders.at(maker.order).pair());
        }
    }

    /// A pro-rata level that the order cannot empty: an own order stops it, or is passed first.
    fn count_shared(&self, market: &Market, trial: &Trial, ticks: Ticks, counted: &mut Counted) {
        let makers = || market.book.orders_at(trial.side.opposite(), ticks);
        let is_own = |maker: &Maker| maker.account == trial.account;
        if makers().any(|maker| is_own(&maker) && !self.is_passed(trial, &maker, counted)) {
            counted.done = true;
            return;
        }
        let mut level = Vec::new();
        for maker in makers() {
            if !is_own(&maker) && !self.is_passed(trial, &maker, counted) {
                level.push(maker.lots);
                counted.gone.extend(self.orders.at(maker.order).pair());
            }
        }
        let total: u128 = level.iter().map(|lots| u128::from(lots.0)).sum();
        let taken = total.min(u128::from(counted.left.0));
        let lots = Lots(u64::try_from(taken).expect("at most what is left"));
        let fills = share(lots, &level).iter().filter(|lots| lots.0 > 0).count();
        let fills = u32::try_from(fills).unwrap_or(u32::MAX);
        counted.fills = counted.fills.saturating_add(fills);
        if counted.fills > FILL_COUNT_MAX {
            counted.done = true;
            return;
        }
        counted.left.0 -= lots.0;
    }

    /// Whether a taker would pass a resting order without a trade and go on.
    fn is_passed(&self, trial: &Trial, maker: &Maker, counted: &Counted) -> bool {
        if Some(maker.order) == trial.without
            || counted.gone.contains(&self.orders.at(maker.order).sequence)
        {
            return true;
        }
        let has_traded = counted.left != trial.lots;
        maker.account == trial.account
            && (trial.self_trade == SelfTrade::CancelResting
                || (has_traded && Some(maker.order) == trial.partner))
    }
}

/// Whether a taker's limit meets a maker's price (TRADE-3).
#[inline]
pub(crate) fn meets(taker: Side, limit: Ticks, price: Ticks) -> bool {
    match taker {
        Side::Buy => limit >= price,
        Side::Sell => limit <= price,
    }
}
