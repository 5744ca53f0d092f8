//! One trade: fees, events, postings, what is released, and the triggers that its price meets.
//!
//! Owns TRADE-3 to TRADE-28 for spot markets, D-43, D-85, and the order of events of LIFE-52.

use schema::{
    BalanceUpdated, Bucket, Event, Fill, Posting, Reference, ReleaseReason, TradeExecuted,
    TradeSettled, TriggerKind, UpdateReason,
};
use units::{Amount, Lots, Rate, Side, Ticks};

use super::Oracle;
use super::due::{DueKey, Kind};
use super::fees::{charge, rebate, split};
use super::refund::Charged;
use super::state::{INSURANCE_FUND, REFERRAL, REVENUE};

/// Two orders that meet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Match {
    /// The order that rested.
    pub(super) maker: u64,
    /// The order that came in.
    pub(super) taker: u64,
    /// The maker's price (TRADE-5).
    pub(super) ticks: u64,
    /// What changes hands.
    pub(super) lots: u64,
}

/// A match with what each side pays.
struct Priced {
    it: Match,
    value: i128,
    maker_fee: i128,
    taker_fee: i128,
    buyer: u64,
    seller: u64,
}

impl Oracle {
    /// What an order must reserve: a buy its value and the taker fee on it, rounded up and cut to the
    /// value (D-15, D-85, FEE-4), a sell its quantity (LIFE-18).
    pub(super) fn need(&self, market: u32, terms: (Side, u64, u64), taker_rate: Rate) -> i128 {
        let (side, ticks, lots) = terms;
        let market = self.market(market);
        match side {
            Side::Sell => i128::from(lots) * market.terms.lot_size.0,
            Side::Buy => {
                let value = i128::from(ticks) * i128::from(lots) * market.step;
                value + charge(value, taker_rate, market.fee_quantum)
            }
        }
    }

    /// The asset that an order reserves.
    pub(super) fn hold_asset(&self, order: u64) -> u32 {
        let it = &self.orders[&order];
        let market = self.market(it.market);
        match it.side {
            Side::Buy => market.quote,
            Side::Sell => market.base,
        }
    }

    /// LIFE-52: TradeExecuted, the maker's order event, the taker's, balances, TradeSettled.
    pub(super) fn trade(&mut self, it: Match) {
        self.fill_count += 1;
        let maker = self.orders[&it.maker].account;
        let taker = self.orders[&it.taker].account;
        assert!(maker != taker, "nobody trades with himself (TRADE-64)");
        let event = TradeExecuted {
            maker: it.maker,
            taker: it.taker,
            ticks: Ticks(it.ticks),
            lots: Lots(it.lots),
        };
        let trade = self.emit(Event::TradeExecuted(event), &[maker, taker]);
        let trade_id = self.last_id();
        let market = self.orders[&it.maker].market;
        self.market_mut(market).last = Some(it.ticks);
        self.meet_triggers(market, it.ticks);
        let priced = self.price(it);
        self.fill(it.maker, it, priced.maker_fee);
        self.fill(it.taker, it, priced.taker_fee);
        self.settle(market, trade, &priced);
        let event = TradeSettled {
            trade,
            maker_fee: Amount(priced.maker_fee),
            taker_fee: Amount(priced.taker_fee),
        };
        self.emit(Event::TradeSettled(event), &[]);
        let (trade, asset) = (trade_id, self.market(market).quote);
        for (account, fee) in [(maker, priced.maker_fee), (taker, priced.taker_fee)] {
            self.note_charged(Charged { trade, account, asset, fee });
        }
        if self.assets[self.market(market).quote as usize - 1].terms.symbol.as_str() == "USDT" {
            self.count_volume(maker, priced.value);
            self.count_volume(taker, priced.value);
        }
        for order in [it.maker, it.taker] {
            if self.orders[&order].remaining() == 0 {
                self.end(order, ReleaseReason::OrderFilled);
            }
        }
    }

    /// The fees by the rates in force now (FEE-9).
    fn price(&self, it: Match) -> Priced {
        let (maker, taker) = (&self.orders[&it.maker], &self.orders[&it.taker]);
        let market = self.market(maker.market);
        let value = i128::from(it.ticks) * i128::from(it.lots) * market.step;
        let quantum = market.fee_quantum;
        let (_, taker_rate) = self.rates(taker.account, market.number);
        let (maker_rate, _) = self.rates(maker.account, market.number);
        let taker_fee = self.cut(it.taker, charge(value, taker_rate, quantum), (value, it.lots));
        // D-43: a rebate is cut to the taker fee of its trade.
        let maker_fee = if maker_rate.0 < 0 {
            -rebate(value, maker_rate, quantum, taker_fee)
        } else {
            self.cut(it.maker, charge(value, maker_rate, quantum), (value, it.lots))
        };
        let (buyer, seller) = match taker.side {
            Side::Buy => (it.taker, it.maker),
            Side::Sell => (it.maker, it.taker),
        };
        Priced { it, value, maker_fee, taker_fee, buyer, seller }
    }

    /// D-85: a buyer's charge is at most what its reservation holds beyond the trade's value and what
    /// the rest of the order needs.
    fn cut(&self, order: u64, fee: i128, (value, lots): (i128, u64)) -> i128 {
        let it = &self.orders[&order];
        if it.side == Side::Sell {
            return fee;
        }
        let rest = (it.side, it.ticks, it.remaining() - lots);
        let spare = it.hold - value - self.need(it.market, rest, it.taker_rate);
        assert!(spare >= 0, "a reservation covers what is traded");
        fee.min(spare)
    }

    /// TRADE-15: OrderFilled or OrderPartiallyFilled.
    fn fill(&mut self, order: u64, it: Match, fee: i128) {
        let account = self.orders[&order].account;
        let fill = Fill { order, ticks: Ticks(it.ticks), lots: Lots(it.lots), fee: Amount(fee) };
        self.order_mut(order).filled += it.lots;
        let event = match self.orders[&order].remaining() {
            0 => Event::OrderFilled(fill),
            _ => Event::OrderPartiallyFilled(fill),
        };
        let sequence = self.emit(event, &[account]);
        self.order_mut(order).state_seq = sequence;
    }

    /// SETL-17: buyer, seller, then the split of both fees; then what the buyer needs no more.
    fn settle(&mut self, market: u32, trade: u64, priced: &Priced) {
        let Priced { value, maker_fee, taker_fee, buyer, seller, it } = *priced;
        let (buyer_fee, seller_fee) =
            if buyer == it.taker { (taker_fee, maker_fee) } else { (maker_fee, taker_fee) };
        let market = self.market(market);
        let (base, quote) = (market.base, market.quote);
        let quantity = i128::from(it.lots) * market.terms.lot_size.0;
        let (revenue, insurance, referral) = split(maker_fee + taker_fee);
        let (buying, selling) = (self.orders[&buyer].account, self.orders[&seller].account);
        let (free, held) = (Bucket::Available, Bucket::Locked);
        let legs = [
            (buying, base, free, quantity),
            (buying, quote, held, -(value + buyer_fee)),
            (selling, base, held, -quantity),
            (selling, quote, free, value - seller_fee),
            (REVENUE, quote, free, revenue),
            (INSURANCE_FUND, quote, free, insurance),
            (REFERRAL, quote, free, referral),
        ];
        let mut event = BalanceUpdated::new(UpdateReason::TradeSettlement, Reference::Event(trade));
        for (account, asset, bucket, delta) in legs {
            event.post(Posting { account, asset, bucket, delta: Amount(delta) });
        }
        self.post(event);
        self.order_mut(buyer).hold -= value + buyer_fee;
        self.order_mut(seller).hold -= quantity;
        // ACCT-20: what is left is what the rest alone would need.
        let spare = self.orders[&buyer].hold - self.need_of(buyer);
        self.release(buyer, spare, ReleaseReason::OrderFilled);
        assert!(
            self.orders[&seller].hold == self.need_of(seller),
            "a sell holds what is left of it"
        );
    }

    /// LIFE-35, D-92: the waiting orders that a price meets are due at the time of its TradeExecuted,
    /// and so enter matching with the next command.
    fn meet_triggers(&mut self, market: u32, last: u64) {
        let time = self.last_time;
        let waiting: Vec<u64> = self.market(market).waiting.iter().copied().collect();
        for number in waiting {
            let order = self.order_mut(number);
            let side = order.side;
            let it = order.waiting.as_mut().expect("a waiting order");
            if it.met.is_none() && is_met((it.kind, side), it.ticks, last) {
                it.met = Some((time, last));
                self.due.insert(DueKey::new(time, Kind::Trigger, number));
            }
        }
    }
}

/// LIFE-35: a stop buy at or above, a stop sell at or below; a take-profit the other way round.
pub(super) const fn is_met(way: (TriggerKind, Side), trigger: u64, last: u64) -> bool {
    match way {
        (TriggerKind::Stop, Side::Buy) | (TriggerKind::TakeProfit, Side::Sell) => last >= trigger,
        (TriggerKind::Stop, Side::Sell) | (TriggerKind::TakeProfit, Side::Buy) => last <= trigger,
    }
}
