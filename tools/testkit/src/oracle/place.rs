//! Placing an order: the twelve steps of LIFE-8, then acceptance.
//!
//! Owns every check of a create request and its order, for new orders and for replacements alike.
//! Invariant: a check changes nothing but what `tier_items` and `beyond_limits` look up. It
//! deliberately leaves the key to its caller: it stands between steps 1 and 3.

use schema::{
    AccountStatus, AccountType, Code, Event, OrderAccepted, OrderRejected, OrderRequest,
    OrderSubmitted, OrderTerms, OrderType, Outcome, Refusal, Stamped, TimeInForce, Trigger,
    TriggerSource, Why,
};
use units::{Amount, Id, Lots, Side, Ticks};

use super::Oracle;
use super::cancel::whole;
use super::due::{DueKey, Kind};
use super::state::{Order, Waiting};
use super::trade::is_met;

/// An order that passed every check, with what it will reserve.
pub(super) struct Plan {
    order: Order,
    reserve: i128,
}

impl Oracle {
    pub(super) fn place(&mut self, stamped: &Stamped, request: &OrderRequest) -> Outcome {
        // LIFE-8: schema, key, and then the rest. Where the key fails no order is made; a key that is
        // not free, or too late, is not entered with a rejection either.
        let schema = self.check_schema(request);
        let key = self.check_key(stamped);
        if key.is_ok() {
            self.enter_key(stamped);
        } else if let (Ok(()), Err(refusal)) = (schema, key) {
            return self.refuse(stamped, refusal);
        }
        // D-105: behind the schema, before everything else that is the order's.
        if let (Ok(()), Err(refusal)) = (schema, self.check_version(stamped)) {
            return self.refuse(stamped, refusal);
        }
        match schema.and_then(|()| self.check_order(request, None)) {
            Ok(plan) => Outcome::Accepted { order: self.accept(request, plan, None) },
            Err(refusal) => self.reject(request, refusal),
        }
    }

    fn reject(&mut self, request: &OrderRequest, refusal: Refusal) -> Outcome {
        let counted: Vec<u32> =
            self.account_numbers.get(&request.account).copied().into_iter().collect();
        let terms = OrderTerms::Requested {
            account: request.account,
            symbol: request.symbol,
            price: request.price,
            quantity: request.quantity,
            by_quote: request.by_quote,
        };
        let order = self.emit(Event::OrderSubmitted(submitted(request, terms, None)), &counted);
        let id = self.last_id();
        let Refusal { code: reason, detail } = refusal;
        let event = OrderRejected { order, reason, detail };
        self.emit(Event::OrderRejected(event), &counted);
        Outcome::Rejected { order: id, refusal }
    }

    /// Step 1: the fields, and the other order of a pair.
    pub(super) fn check_schema(&self, request: &OrderRequest) -> Result<(), Refusal> {
        check_fields(request)?;
        self.check_pair(request, None)
    }

    /// LIFE-7, D-97: `oco_with` names an open order of this account and market that has no pair, or has
    /// one with the order that is replaced.
    pub(super) fn check_pair(
        &self,
        request: &OrderRequest,
        replaced: Option<u64>,
    ) -> Result<(), Refusal> {
        let Some(other) = request.oco_with else { return Ok(()) };
        let account = self.account_numbers.get(&request.account);
        let market = self.find_market(request.symbol).ok();
        let found = self.orders.get(&other.sequence()).filter(|it| {
            it.id == other && Some(&it.account) == account && Some(it.market) == market
        });
        match found {
            None => Err(Refusal::new(Code::InvalidSchema, Why::OcoNotOpen)),
            Some(it) if it.pair.is_some() && it.pair != replaced => {
                Err(Refusal::new(Code::InvalidSchema, Why::OcoTaken))
            }
            Some(_) => Ok(()),
        }
    }

    /// Steps 3 to 11. `replaced` is the order that goes: it counts as gone (LIFE-44).
    pub(super) fn check_order(
        &mut self,
        request: &OrderRequest,
        replaced: Option<u64>,
    ) -> Result<Plan, Refusal> {
        let account = self.check_account(request)?;
        let market = self.check_market(request, account)?;
        let mut order = self.draft(request, account, market);
        self.check_price(request, &mut order)?;
        self.check_quantity(request, &mut order)?;
        // Step 7.
        if order.expire_at.is_some_and(|time| time <= self.now) {
            return Err(Refusal::new(Code::InvalidExpiry, Why::ExpiryPassed));
        }
        let reserve = self.check_balance(&order, replaced)?;
        // Step 10: LIFE-13, waiting orders included.
        let open = self.account(account).open_count(market) - usize::from(replaced.is_some());
        if open >= self.market(market).terms.open_orders_max as usize {
            return Err(Refusal::new(Code::RiskLimitBreach, Why::TooManyOrders));
        }
        // Step 11: one that waits for a trigger trades later (D-97).
        let is_fok = order.time_in_force == TimeInForce::Fok && order.waiting.is_none();
        if is_fok && !self.would_fill(&order, order.ticks) {
            return Err(Refusal::new(Code::FokNotFillable, Why::CannotFillAtOnce));
        }
        Ok(Plan { order, reserve })
    }

    /// Step 3.
    fn check_account(&mut self, request: &OrderRequest) -> Result<u32, Refusal> {
        let number = self.find_account(request.account)?;
        let account = self.account(number);
        let refusal = |why| Err(Refusal::new(Code::AccountSuspended, why));
        if account.status != AccountStatus::Active {
            return refusal(Why::AccountNotActive);
        }
        // CUST-39: tier 0 trades nothing.
        if account.opening.kyc_tier == 0 {
            return refusal(Why::KycTierTooLow);
        }
        // D-92: what is due for the account comes before new intake of it.
        if self.has_due_account(number) {
            return refusal(Why::WorkIsDue);
        }
        Ok(number)
    }

    /// Step 4.
    fn check_market(&mut self, request: &OrderRequest, account: u32) -> Result<u32, Refusal> {
        let number = self.find_market(request.symbol)?;
        // D-18; margin accounts need rooms that are not open yet (D-90).
        if self.account(account).opening.account_type != AccountType::Spot {
            return Err(Refusal::new(Code::SymbolNotFound, Why::WrongAccountType));
        }
        let refusal = |why| Err(Refusal::new(Code::MarketPaused, why));
        let market = self.market(number);
        if market.paused {
            return refusal(Why::MarketClosed);
        }
        // D-95: before it, what is not post-only is refused.
        let phase = market.terms.post_only_until;
        if !request.post_only && phase.is_some_and(|time| self.now < time.0) {
            return refusal(Why::PostOnlyPhase);
        }
        if self.has_due_market(number) {
            return refusal(Why::WorkIsDue);
        }
        Ok(number)
    }

    fn draft(&self, request: &OrderRequest, account: u32, market: u32) -> Order {
        Order {
            number: 0,
            id: Id::default(),
            account,
            market,
            side: request.side,
            order_type: request.order_type,
            time_in_force: request.time_in_force,
            expire_at: request.expire_at.map(|time| time.0),
            post_only: request.post_only,
            self_trade: request.self_trade,
            waiting: None,
            ticks: 0,
            lots: 0,
            filled: 0,
            hold: 0,
            taker_rate: self.rates(account, market).1,
            state_seq: 0,
            pair: request.oco_with.map(Id::sequence),
        }
    }

    /// Step 5: the limit, or for a market order its protection bound; the trigger; the band.
    fn check_price(&self, request: &OrderRequest, order: &mut Order) -> Result<(), Refusal> {
        let market = self.market(order.market);
        let limit = request.price.map(|price| self.check_ticks(order.market, price)).transpose()?;
        if let Some(Trigger { kind, price, .. }) = request.trigger {
            let ticks = self.check_ticks(order.market, price)?;
            if market.last.is_some_and(|last| is_met((kind, order.side), ticks, last)) {
                return Err(Refusal::new(Code::InvalidPrice, Why::TriggerMet));
            }
            order.waiting = Some(Waiting { kind, ticks, met: None });
        }
        // D-97: a waiting market order is bound from its trigger; D-15: another one from the best
        // price opposite; with nobody there it has none (LIFE-20).
        let best = market.best(order.side.opposite());
        let from = order.waiting.map(|waiting| waiting.ticks).or(best);
        let bound = from.map_or(0, |from| self.bound(order.market, order.side, from));
        order.ticks = limit.unwrap_or(bound);
        if let (Some(limit), None) = (limit, order.waiting) {
            self.check_band(order.market, limit)?;
        }
        Ok(())
    }

    fn check_ticks(&self, market: u32, price: Amount) -> Result<u64, Refusal> {
        let refusal = |why| Err(Refusal::new(Code::InvalidPrice, why));
        let terms = &self.market(market).terms;
        if price.0 <= 0 {
            return refusal(Why::PriceNotPositive);
        }
        let Some(ticks) = whole(price, terms.tick_size) else {
            return refusal(Why::PriceOffTick);
        };
        let bounds = i128::from(terms.min_price.0)..=i128::from(terms.max_price.0);
        if !bounds.contains(&ticks) {
            return refusal(Why::PriceOutOfBounds);
        }
        Ok(u64::try_from(ticks).expect("inside the market's bounds"))
    }

    /// D-95: from L × (1 − b), rounded up, to L × (1 + b), rounded down.
    fn check_band(&self, market: u32, ticks: u64) -> Result<(), Refusal> {
        let market = self.market(market);
        let (Some(band), Some(last)) = (market.terms.price_band, market.last) else {
            return Ok(());
        };
        let (one, last) = (100_000_000_i128, i128::from(last));
        let lowest = (last * (one - i128::from(band.0)) + one - 1) / one;
        let highest = last * (one + i128::from(band.0)) / one;
        if (lowest..=highest).contains(&i128::from(ticks)) {
            return Ok(());
        }
        Err(Refusal::new(Code::InvalidPrice, Why::PriceOutOfBand))
    }

    /// Step 6.
    fn check_quantity(&self, request: &OrderRequest, order: &mut Order) -> Result<(), Refusal> {
        let refusal = |why| Err(Refusal::new(Code::InvalidQuantity, why));
        let market = self.market(order.market);
        let terms = &market.terms;
        let (smallest, largest) = (terms.min_quantity.0, terms.max_quantity.0);
        if request.quantity.0 <= 0 {
            return refusal(Why::QuantityNotPositive);
        }
        let lots = if request.by_quote {
            // D-94: with nobody opposite it is the minimum quantity.
            if market.best(order.side.opposite()).is_none() {
                i128::from(smallest)
            } else {
                let lots = self.lots_for(market, order, request.quantity.0);
                if lots < i128::from(smallest) {
                    return refusal(Why::ValueTooSmall);
                }
                lots
            }
        } else {
            let Some(lots) = whole(request.quantity, terms.lot_size) else {
                return refusal(Why::QuantityOffLot);
            };
            lots
        };
        if !(i128::from(smallest)..=i128::from(largest)).contains(&lots) {
            return refusal(Why::QuantityOutOfBounds);
        }
        order.lots = u64::try_from(lots).expect("inside the market's bounds");
        // D-6, D-81: the value, and with it what is reserved, is a number of the format.
        let value = lots.checked_mul(i128::from(order.ticks));
        let value = value.and_then(|value| value.checked_mul(market.step));
        if value.is_none_or(|value| value > Amount::BALANCE_MAX.0) {
            return refusal(Why::ValueTooLarge);
        }
        Ok(())
    }

    /// Step 9: what the order must reserve is available, what a replaced order gives back included.
    fn check_balance(&self, order: &Order, replaced: Option<u64>) -> Result<i128, Refusal> {
        let market = self.market(order.market);
        let asset = if order.side == Side::Buy { market.quote } else { market.base };
        let terms = (order.side, order.ticks, order.lots);
        let is_bound = order.ticks != 0;
        let mut reserve =
            if is_bound { self.need(order.market, terms, order.taker_rate) } else { 0 };
        // D-67, D-97: the later order of a pair holds what its need exceeds the earlier one's by.
        if let Some(other) = order.pair.filter(|other| self.orders[other].side == order.side) {
            reserve = (reserve - self.need_of(other)).max(0);
        }
        let mut available = self.balance(order.account, asset).available;
        if let Some(old) = replaced {
            available += self.freed_by(old, asset);
        }
        if reserve > available {
            return Err(self.lacks(asset, available, reserve));
        }
        Ok(reserve)
    }

    /// Makes the order (LIFE-15), and matches it unless it waits for its trigger (LIFE-36).
    pub(super) fn accept(
        &mut self,
        request: &OrderRequest,
        plan: Plan,
        replaces: Option<u64>,
    ) -> Id {
        let Plan { mut order, reserve } = plan;
        let terms = OrderTerms::Checked {
            account: order.account,
            market: order.market,
            ticks: Ticks(order.ticks),
            lots: Lots(order.lots),
        };
        let account = order.account;
        let event = Event::OrderSubmitted(submitted(request, terms, replaces));
        let number = self.emit(event, &[account]);
        (order.number, order.id) = (number, self.last_id());
        let id = order.id;
        if let Some(time) = order.expire_at {
            self.due.insert(DueKey::new(time + 1, Kind::Expiry, number));
        }
        if let Some(other) = order.pair {
            self.order_mut(other).pair = Some(number);
        }
        let waits = order.waiting.is_some();
        if waits {
            self.market_mut(order.market).waiting.insert(number);
        }
        let market = order.market;
        let owner = self.account_mut(account);
        owner.orders.insert(number);
        *owner.open_counts.entry(market).or_default() += 1;
        self.orders.insert(number, order);
        self.reserve(number, reserve);
        let accepted = Event::OrderAccepted(OrderAccepted { order: number });
        let sequence = self.emit(accepted, &[account]);
        self.order_mut(number).state_seq = sequence;
        if !waits {
            self.run_incoming(number);
        }
        id
    }
}

fn submitted(request: &OrderRequest, terms: OrderTerms, replaces: Option<u64>) -> OrderSubmitted {
    OrderSubmitted {
        terms,
        side: request.side,
        order_type: request.order_type,
        time_in_force: request.time_in_force,
        post_only: request.post_only,
        reduce_only: request.reduce_only,
        self_trade: request.self_trade,
        client_order_id: request.client_order_id,
        expire_at: request.expire_at,
        trigger: request.trigger,
        oco_with: request.oco_with,
        position_side: request.position_side,
        replaces,
    }
}

/// The combinations of LIFE-7, D-94, D-97 that the fields alone show.
pub(super) fn check_fields(request: &OrderRequest) -> Result<(), Refusal> {
    use TimeInForce::{Fok, Gtc, Gtd, Ioc};
    let is_limit = request.order_type == OrderType::Limit;
    let tif = request.time_in_force;
    let wrong = [
        (is_limit && request.price.is_none(), Why::LimitWithoutPrice),
        (!is_limit && request.price.is_some(), Why::MarketWithPrice),
        (!is_limit && matches!(tif, Gtc | Gtd), Why::MarketRests),
        (tif == Gtd && request.expire_at.is_none(), Why::ExpiryMissing),
        (tif != Gtd && request.expire_at.is_some(), Why::ExpiryWithoutGtd),
        (request.post_only && (!is_limit || matches!(tif, Ioc | Fok)), Why::PostOnlyTakes),
        (request.reduce_only, Why::ReduceOnlySpot),
        (request.position_side.is_some(), Why::PositionSideSpot),
        (request.by_quote && (is_limit || request.trigger.is_some()), Why::ByQuoteNotMarket),
        (request.trigger.is_some_and(|it| it.source == TriggerSource::Mark), Why::MarkTrigger),
    ];
    if let Some((_, why)) = wrong.into_iter().find(|&(is_wrong, _)| is_wrong) {
        return Err(Refusal::new(Code::InvalidSchema, why));
    }
    Ok(())
}
