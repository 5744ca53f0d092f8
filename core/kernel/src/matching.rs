//! Matching an incoming order: best price first, then earliest, trade by trade, settled at once.
//!
//! The loop asks the book for its front, the self-trade rule for leave, and makes one trade after the
//! other until the order is filled, rests, or ends. A trade is TradeExecuted, the maker's fill, the
//! taker's fill, BalanceUpdated, MarginReleased for what a buyer's reservation did not need, and
//! TradeSettled (LIFE-52); nothing of another trade lies between (EVT-26).

use book::Maker;
use fees::{FeeCaps, TradeFees, TradeRates, split, trade_fees};
use ledger::SystemAccount;
use schema::limits::FILL_COUNT_MAX;
use schema::{
    BalanceUpdated, Bucket, Code, EventBuffer, EventHead, EventKind, ExpiryReason, FeeTier, Fill,
    MarginMoved, OrderEnded, OrderState, Posting, Reference, ReleaseReason, TradeExecuted,
    TradeSettled, UpdateReason,
};
use units::{Amount, Lots, Side, Ticks};

use crate::market::Market;
use crate::order::Slot;
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
    /// Matches the order in `slot`, which crosses the book, until it is done.
    pub(crate) fn match_incoming(&mut self, slot: Slot, out: &mut EventBuffer) {
        let mut fills = 0;
        while self.incoming == Some(slot) {
            let taker = self.orders.at(slot);
            let market = self.markets.at(taker.market);
            let front = market.book.front(taker.side.opposite());
            let maker = front.filter(|maker| meets(taker.side, taker.ticks, maker.ticks));
            let Some(maker) = maker else { break };
            if maker.account == taker.account {
                return self.cancel_open(slot, Code::SelfTrade, out);
            }
            if fills == FILL_COUNT_MAX {
                return self.cancel_open(slot, Code::RiskLimitBreach, out);
            }
            let plan = self.plan_trade(slot, &maker);
            self.commit_trade(&plan, out);
            fills += 1;
        }
        if self.incoming == Some(slot) {
            self.expire_remainder(slot, out);
        }
    }

    /// Computes a trade between the incoming order and the front of the book.
    #[inline]
    fn plan_trade(&self, taker: Slot, front: &Maker) -> TradePlan {
        let (taker_order, maker_order) = (self.orders.at(taker), self.orders.at(front.order));
        let market = self.markets.at(taker_order.market);
        assert!(taker_order.is_open() && maker_order.is_open(), "both orders are open (SETL-9)");
        assert_eq!(maker_order.remaining(), front.lots, "book and order agree (SETL-9)");
        let (ticks, lots) = (front.ticks, front.lots.min(taker_order.remaining()));
        let units = u128::from(ticks.0) * u128::from(lots.0);
        let value = market.value(units).expect("a part of a value that was checked");
        let quantity = market.quantity(lots);
        let taker_buys = taker_order.side == Side::Buy;
        let buyer = if taker_buys { taker_order } else { maker_order };
        let rest = (buyer.ticks, Lots(buyer.remaining().0 - lots.0));
        let need = market.requirement(Side::Buy, rest, buyer.reserve_rate);
        // What the buyer can pay as its fee and still hold what the rest of the order needs (D-85).
        let spare = buyer.reserved - value - need.expect("less than what was reserved");
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
        let executed_at = self.emit(out, EventKind::TradeExecuted, &executed);
        self.apply_executed(executed_at, ticks, (plan.maker, plan.taker));
        self.fill(plan.maker, Fill { order: maker, ticks, lots, fee: plan.fees.maker }, out);
        self.fill(plan.taker, Fill { order: taker, ticks, lots, fee: plan.fees.taker }, out);
        let trade = executed_at.sequence;
        let postings = self.postings(plan, trade);
        let posted_at = self.emit(out, EventKind::BalanceUpdated, &postings);
        self.apply_balances(posted_at, &postings);
        let buyer = self.buyer(plan);
        if plan.released != Amount::ZERO {
            self.release(buyer, plan.released, (ReleaseReason::OrderFilled, out));
        }
        self.assert_reserved(buyer);
        let settled =
            TradeSettled { trade, maker_fee: plan.fees.maker, taker_fee: plan.fees.taker };
        let settled_at = self.emit(out, EventKind::TradeSettled, &settled);
        self.apply_settled(settled_at);
    }

    fn buyer(&self, plan: &TradePlan) -> Slot {
        if self.orders.at(plan.taker).side == Side::Buy { plan.taker } else { plan.maker }
    }

    #[inline]
    fn fill(&mut self, slot: Slot, fill: Fill, out: &mut EventBuffer) {
        let whole = self.orders.at(slot).remaining() == fill.lots;
        let kind = if whole { EventKind::OrderFilled } else { EventKind::OrderPartiallyFilled };
        let at = self.emit(out, kind, &fill);
        self.apply_fill(at, &fill, slot);
    }

    /// Both sides, both fees and the split in one balanced event (SETL-16, SETL-17).
    #[inline]
    fn postings(&self, plan: &TradePlan, trade: u64) -> BalanceUpdated {
        let taker = self.orders.at(plan.taker);
        let maker = self.orders.at(plan.maker);
        let market = self.markets.at(taker.market);
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
        let at = self.emit(out, EventKind::MarginReleased, &event);
        self.apply_released(at, &event, slot);
    }

    /// EXPIRED with reason IOC, and its reservation back (D-13).
    pub(crate) fn expire_remainder(&mut self, slot: Slot, out: &mut EventBuffer) {
        let order = self.orders.at(slot).sequence;
        let event = OrderEnded { order, reason: ExpiryReason::Ioc };
        let at = self.emit(out, EventKind::OrderExpired, &event);
        self.apply_ended(at, slot, OrderState::Expired);
        self.release_all(slot, ReleaseReason::OrderExpired, out);
    }

    /// CANCELED for `reason`, and its reservation back.
    pub(crate) fn cancel_open(&mut self, slot: Slot, reason: Code, out: &mut EventBuffer) {
        let event = OrderEnded { order: self.orders.at(slot).sequence, reason };
        let at: EventHead = self.emit(out, EventKind::OrderCanceled, &event);
        self.apply_ended(at, slot, OrderState::Canceled);
        self.release_all(slot, ReleaseReason::OrderCanceled, out);
    }

    #[inline]
    fn release_all(&mut self, slot: Slot, reason: ReleaseReason, out: &mut EventBuffer) {
        let reserved = self.orders.at(slot).reserved;
        if reserved != Amount::ZERO {
            self.release(slot, reserved, (reason, out));
        }
    }

    /// After a trade the reservation is what the rest of the order alone would need (ACCT-20).
    #[inline]
    fn assert_reserved(&self, slot: Slot) {
        let order = self.orders.at(slot);
        let market = self.markets.at(order.market);
        let rest = (order.ticks, order.remaining());
        let need = market.requirement(order.side, rest, order.reserve_rate);
        assert_eq!(need, Some(order.reserved), "a reservation is exact (ACCT-20)");
    }

    /// The rates of an account in a market. Volume tiers and rates of its own join later; until then
    /// every account has the first row.
    #[inline]
    pub(crate) fn rates_of(&self, _account: u32, market: &Market) -> FeeTier {
        market.base_tier
    }
}

/// Whether a taker's limit meets a maker's price (TRADE-3).
#[inline]
fn meets(taker: Side, limit: Ticks, price: Ticks) -> bool {
    match taker {
        Side::Buy => limit >= price,
        Side::Sell => limit <= price,
    }
}
