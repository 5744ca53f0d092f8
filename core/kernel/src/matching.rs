//! Matching an incoming order: best price first, then earliest, trade by trade, settled at once.
//!
//! The loop asks the book for its front, the self-trade rule for leave, ends the other orders of the
//! pairs that are about to trade, and makes one trade after the other until the order is filled, rests,
//! or ends. A trade is TradeExecuted, the maker's fill, the taker's fill, BalanceUpdated,
//! MarginReleased for what a buyer's reservation did not need, and TradeSettled (LIFE-52); nothing of
//! another trade lies between (EVT-26).

use alloc::vec::Vec;

use book::Maker;
use fees::{FeeCaps, TradeFees, TradeRates, split, trade_fees};
use ledger::SystemAccount;
use schema::limits::FILL_COUNT_MAX;
use schema::{
    BalanceUpdated, Bucket, Code, EventBuffer, EventHead, EventKind, ExpiryReason, Fill,
    MarginMoved, OrderEnded, OrderReduced, OrderState, Posting, ReduceReason, Reference,
    ReleaseReason, SelfTrade, TimeInForce, TradeExecuted, TradeSettled, UpdateReason,
};
use units::{Amount, Lots, Side, Ticks};

use crate::order::Slot;
use crate::pro_rata::share;
use crate::walk::{Trial, meets};
use crate::{Kernel, Watch};

/// What one trade will do, computed before the first of its events.
struct TradePlan {
    maker: Slot,
    taker: Slot,
    ticks: Ticks,
    lots: Lots,
    fees: TradeFees,
    value: Amount,
    quantity: Amount,
    /// What the buyer's reservation holds beyond its cost and its remaining need.
    released: Amount,
}

impl<W: Watch> Kernel<W> {
    /// What becomes of an order that was accepted, or triggered, and is not yet in the book.
    #[inline]
    pub(crate) fn match_or_end(&mut self, slot: Slot, out: &mut EventBuffer) {
        if self.incoming == Some(slot) {
            self.match_incoming(slot, out);
        } else if !self.orders.at(slot).may_rest() {
            self.expire_open(slot, ExpiryReason::Ioc, out);
        }
    }

    /// Matches the order in `slot`, which crosses the book, until it is done.
    fn match_incoming(&mut self, slot: Slot, out: &mut EventBuffer) {
        let order = self.orders.at(slot);
        let is_fok = order.time_in_force == TimeInForce::Fok;
        if (is_fok || order.conditions.is_some()) && !self.may_take(slot, out) {
            return;
        }
        while self.incoming == Some(slot) {
            let taker = self.orders.at(slot);
            let market = self.markets.at(taker.market());
            let front = market.book.front(taker.side.opposite());
            let maker = front.filter(|maker| meets(taker.side, taker.ticks, maker.ticks));
            let Some(maker) = maker else { break };
            if market.is_shared
                && let Some(level) = market.book.level(taker.side.opposite(), maker.ticks)
                && u128::from(taker.remaining().0) < level.lots
            {
                self.share_level(slot, maker.ticks, out);
                continue;
            }
            if maker.account == taker.account {
                self.prevent_self_trade(slot, maker.order, out);
                continue;
            }
            if self.fills == FILL_COUNT_MAX {
                return self.cancel_open(slot, Code::RiskLimitBreach, out);
            }
            // What a pair ends may have been anywhere: look again.
            if self.cancel_partner(slot, out) || self.cancel_partner(maker.order, out) {
                continue;
            }
            let lots = maker.lots.min(self.orders.at(slot).remaining());
            self.trade(slot, &maker, lots, out);
        }
        if self.incoming == Some(slot) {
            self.expire_open(slot, ExpiryReason::Ioc, out);
        }
    }

    /// What an order that crosses must not do: a post-only one take (LIFE-28), a triggered FOK one
    /// fill in part (D-97). Ends it then.
    #[inline(never)]
    fn may_take(&mut self, slot: Slot, out: &mut EventBuffer) -> bool {
        let order = self.orders.at(slot);
        if order.is_post_only() {
            self.cancel_open(slot, Code::PostOnlyReject, out);
            return false;
        }
        if order.time_in_force == TimeInForce::Fok {
            let market = self.markets.at(order.market());
            let trial = Trial {
                account: order.account,
                side: order.side,
                ticks: order.ticks,
                lots: order.remaining(),
                self_trade: order.self_trade,
                partner: self.partner_of(slot),
                without: None,
            };
            if !self.would_fill(market, &trial) {
                self.expire_open(slot, ExpiryReason::Ioc, out);
                return false;
            }
        }
        true
    }

    /// Shares a level that the incoming order cannot empty (LIFE-23): own orders are settled first,
    /// in time order, then the others get their parts (D-97).
    #[inline(never)]
    fn share_level(&mut self, slot: Slot, ticks: Ticks, out: &mut EventBuffer) {
        let taker = self.orders.at(slot);
        let book = &self.markets.at(taker.market()).book;
        let makers: Vec<Maker> = book.orders_at(taker.side.opposite(), ticks).collect();
        if let Some(own) = makers.iter().find(|maker| maker.account == taker.account) {
            return self.prevent_self_trade(slot, own.order, out);
        }
        if self.fills < FILL_COUNT_MAX && self.cancel_partner(slot, out) {
            return;
        }
        let level: Vec<Lots> = makers.iter().map(|maker| maker.lots).collect();
        let shares = share(self.orders.at(slot).remaining(), &level);
        for (maker, lots) in makers.iter().zip(shares) {
            // A pair's other order may have been canceled since.
            if lots == Lots(0) || !self.orders.at(maker.order).is_open() {
                continue;
            }
            if self.fills == FILL_COUNT_MAX {
                return self.cancel_open(slot, Code::RiskLimitBreach, out);
            }
            self.cancel_partner(maker.order, out);
            self.trade(slot, maker, lots, out);
        }
    }

    /// What the incoming order chose for the case that it meets one of its own account (D-14).
    #[inline(never)]
    fn prevent_self_trade(&mut self, taker: Slot, maker: Slot, out: &mut EventBuffer) {
        match self.orders.at(taker).self_trade {
            SelfTrade::CancelIncoming => self.cancel_open(taker, Code::SelfTrade, out),
            SelfTrade::CancelResting => self.cancel_open(maker, Code::SelfTrade, out),
            SelfTrade::CancelBoth => {
                self.cancel_open(taker, Code::SelfTrade, out);
                self.cancel_open(maker, Code::SelfTrade, out);
            }
            SelfTrade::DecrementBoth => {
                let smaller =
                    self.orders.at(taker).remaining().min(self.orders.at(maker).remaining());
                self.decrement(taker, smaller, out);
                self.decrement(maker, smaller, out);
            }
        }
    }

    /// Takes `lots` off an order; one that has no more is canceled (LIFE-26).
    fn decrement(&mut self, slot: Slot, lots: Lots, out: &mut EventBuffer) {
        let order = self.orders.at(slot);
        if order.remaining() == lots {
            return self.cancel_open(slot, Code::SelfTrade, out);
        }
        let total = Lots(order.total.0 - lots.0);
        self.reduce_open(slot, (total, ReduceReason::SelfTrade), out);
    }

    /// Lowers the total of an open order and gives back what it needs no more.
    pub(crate) fn reduce_open(
        &mut self,
        slot: Slot,
        (total, reason): (Lots, ReduceReason),
        out: &mut EventBuffer,
    ) {
        let event = OrderReduced { order: self.orders.at(slot).sequence, total, reason };
        let at = self.emit(out, EventKind::OrderReduced, &event);
        self.apply_reduced(at, &event, slot);
        let excess = self.orders.at(slot).reserved() - self.hold_of(slot);
        if excess != Amount::ZERO {
            self.release(slot, excess, (ReleaseReason::OrderReduced, out));
        }
        if let Some(partner) = self.partner_of(slot) {
            self.take_up(partner, out);
        }
    }

    #[inline]
    fn trade(&mut self, taker: Slot, maker: &Maker, lots: Lots, out: &mut EventBuffer) {
        let plan = self.plan_trade(taker, maker, lots);
        self.commit_trade(&plan, out);
        self.fills += 1;
    }

    /// Computes a trade of `lots` between the incoming order and one of the book.
    #[inline]
    fn plan_trade(&self, taker: Slot, front: &Maker, lots: Lots) -> TradePlan {
        let (taker_order, maker_order) = (self.orders.at(taker), self.orders.at(front.order));
        let market = self.markets.at(taker_order.market());
        assert!(taker_order.is_open() && maker_order.is_open(), "both orders are open (SETL-9)");
        assert_eq!(maker_order.remaining(), front.lots, "book and order agree (SETL-9)");
        let ticks = front.ticks;
        let units = u128::from(ticks.0) * u128::from(lots.0);
        let value = market.value(units).expect("a part of a value that was checked");
        let quantity = market.quantity(lots);
        let taker_buys = taker_order.side == Side::Buy;
        let buyer = if taker_buys { taker_order } else { maker_order };
        let rest = (buyer.ticks, Lots(buyer.remaining().0 - lots.0));
        let need = market.requirement(Side::Buy, rest, buyer.reserve_rate());
        // What the buyer can pay as its fee and still hold what the rest of the order needs (D-85).
        let spare = buyer.reserved() - value - need.expect("less than what was reserved");
        let rates = TradeRates {
            maker: self.rates_of(maker_order.account, market).maker,
            taker: self.rates_of(taker_order.account, market).taker,
        };
        let caps = if taker_buys {
            FeeCaps { maker: value, taker: spare }
        } else {
            FeeCaps { maker: spare, taker: value }
        };
        let fees = trade_fees(&market.scale, units, rates, caps);
        let fees = fees.expect("a fee of a value that was checked");
        let charge = if taker_buys { fees.taker } else { fees.maker };
        let released = spare - charge;
        assert!(released >= Amount::ZERO, "a reservation covers its worst case (SETL-57)");
        TradePlan { maker: front.order, taker, ticks, lots, fees, value, quantity, released }
    }

    #[inline]
    fn commit_trade(&mut self, plan: &TradePlan, out: &mut EventBuffer) {
        let (maker, taker) =
            (self.orders.at(plan.maker).sequence, self.orders.at(plan.taker).sequence);
        let (ticks, lots) = (plan.ticks, plan.lots);
        let executed = TradeExecuted { maker, taker, ticks, lots };
        let executed_at = self.emit_small(out, EventKind::TradeExecuted, &executed);
        self.apply_executed(executed_at, (ticks, lots), (plan.maker, plan.taker));
        self.fill(plan.maker, Fill { order: maker, ticks, lots, fee: plan.fees.maker }, out);
        self.fill(plan.taker, Fill { order: taker, ticks, lots, fee: plan.fees.taker }, out);
        let trade = executed_at.sequence;
        let postings = self.postings(plan, trade);
        let posted_at = self.emit_small(out, EventKind::BalanceUpdated, &postings);
        self.apply_balances(posted_at, &postings);
        let buyer = self.buyer(plan);
        if plan.released != Amount::ZERO {
            self.release(buyer, plan.released, (ReleaseReason::OrderFilled, out));
        }
        self.assert_reserved(buyer);
        let settled =
            TradeSettled { trade, maker_fee: plan.fees.maker, taker_fee: plan.fees.taker };
        let settled_at = self.emit_small(out, EventKind::TradeSettled, &settled);
        self.apply_settled(settled_at, &settled);
    }

    fn buyer(&self, plan: &TradePlan) -> Slot {
        if self.orders.at(plan.taker).side == Side::Buy { plan.taker } else { plan.maker }
    }

    #[inline]
    fn fill(&mut self, slot: Slot, fill: Fill, out: &mut EventBuffer) {
        let whole = self.orders.at(slot).remaining() == fill.lots;
        let kind = if whole { EventKind::OrderFilled } else { EventKind::OrderPartiallyFilled };
        let at = self.emit_small(out, kind, &fill);
        self.apply_fill(at, &fill, slot);
    }

    /// Both sides, both fees and the split in one balanced event (SETL-16, SETL-17).
    #[inline]
    fn postings(&self, plan: &TradePlan, trade: u64) -> BalanceUpdated {
        let taker = self.orders.at(plan.taker);
        let maker = self.orders.at(plan.maker);
        let market = self.markets.at(taker.market());
        let (buyer, seller, buyer_fee, seller_fee) = match taker.side {
            Side::Buy => (taker.account, maker.account, plan.fees.taker, plan.fees.maker),
            Side::Sell => (maker.account, taker.account, plan.fees.maker, plan.fees.taker),
        };
        let shares = split(plan.fees.maker + plan.fees.taker);
        let mut event = BalanceUpdated::new(UpdateReason::TradeSettlement, Reference::Event(trade));
        let mut post = |account, asset, bucket, delta| {
            event.post(Posting { account, asset, bucket, delta });
        };
        let (free, locked) = (Bucket::Available, Bucket::Locked);
        post(buyer, market.base, free, plan.quantity);
        post(buyer, market.quote, locked, -(plan.value + buyer_fee));
        post(seller, market.base, locked, -plan.quantity);
        post(seller, market.quote, free, plan.value - seller_fee);
        post(SystemAccount::Revenue.number(), market.quote, free, shares.revenue);
        post(SystemAccount::InsuranceFund.number(), market.quote, free, shares.insurance);
        post(SystemAccount::Referral.number(), market.quote, free, shares.referral);
        event
    }

    /// Gives back a part of what an order has reserved.
    #[inline]
    pub(crate) fn release(
        &mut self,
        slot: Slot,
        amount: Amount,
        (reason, out): (ReleaseReason, &mut EventBuffer),
    ) {
        let event = MarginMoved { order: self.orders.at(slot).sequence, amount, reason };
        let at = self.emit_small(out, EventKind::MarginReleased, &event);
        self.apply_released(at, &event, slot);
    }

    /// EXPIRED, and its reservation back (D-13).
    pub(crate) fn expire_open(&mut self, slot: Slot, reason: ExpiryReason, out: &mut EventBuffer) {
        let partner = self.partner_of(slot);
        let event = OrderEnded { order: self.orders.at(slot).sequence, reason };
        let at = self.emit_small(out, EventKind::OrderExpired, &event);
        self.apply_ended(at, slot, OrderState::Expired);
        self.release_all(slot, (ReleaseReason::OrderExpired, partner), out);
    }

    /// CANCELED for `reason`, and its reservation back.
    pub(crate) fn cancel_open(&mut self, slot: Slot, reason: Code, out: &mut EventBuffer) {
        let partner = self.partner_of(slot);
        let event = OrderEnded { order: self.orders.at(slot).sequence, reason };
        let at: EventHead = self.emit_small(out, EventKind::OrderCanceled, &event);
        self.apply_ended(at, slot, OrderState::Canceled);
        self.release_all(slot, (ReleaseReason::OrderCanceled, partner), out);
    }

    /// Gives back what an ended order held; the order that was its pair takes up what it now lacks.
    #[inline]
    fn release_all(
        &mut self,
        slot: Slot,
        (reason, partner): (ReleaseReason, Option<Slot>),
        out: &mut EventBuffer,
    ) {
        let reserved = self.orders.at(slot).reserved();
        if reserved != Amount::ZERO {
            self.release(slot, reserved, (reason, out));
        }
        if let Some(partner) = partner {
            self.take_up(partner, out);
        }
    }

    /// After a trade the reservation is what the rest of the order alone would need (ACCT-20).
    #[inline]
    fn assert_reserved(&self, slot: Slot) {
        let order = self.orders.at(slot);
        let market = self.markets.at(order.market());
        let rest = (order.ticks, order.remaining());
        let need = market.requirement(order.side, rest, order.reserve_rate());
        assert_eq!(need, Some(order.reserved()), "a reservation is exact (ACCT-20)");
    }
}
