//! Placing an order: the checks of LIFE-8 in their order, then what an accepted order does.
//!
//! `check_order` reads and answers with a plan or with the reason of the first check that fails;
//! `commit_order` cannot fail. A replacement is checked as if the old order were gone (LIFE-44).

use schema::limits::ORDER_COUNT_MAX;
use schema::{
    AccountStatus, AccountType, Code, Detail, EventBuffer, EventHead, EventKind, HoldReason,
    MarginMoved, MarketKind, OrderAccepted, OrderRejected, OrderRequest, OrderSubmitted,
    OrderTerms, OrderType, Outcome, PlainSubmitted, Refusal, ReplaceOrder, TimeInForce,
    TriggerSource, Why,
};
use units::{Amount, Id, Lots, Rate, Side, Ticks};

use crate::apply::Submission;
use crate::market::Market;
use crate::oco::beyond;
use crate::order::{Slot, Waiting};
use crate::walk::Trial;
use crate::{Kernel, Watch};

/// An order that passed every check.
struct OrderPlan {
    account: u32,
    market: u32,
    ticks: Ticks,
    lots: Lots,
    /// Taker rate that its reservation counts with.
    rate: Rate,
    /// Sequence of the order that it replaces.
    replaces: Option<u64>,
    reserve: Amount,
}

/// An order that is being checked.
#[derive(Clone, Copy)]
struct Checked<'a> {
    request: &'a OrderRequest,
    /// The order that it replaces.
    replaced: Option<Slot>,
    /// The other order of its pair.
    partner: Option<Slot>,
    account: u32,
    market: &'a Market,
    ticks: Ticks,
    lots: Lots,
}

impl<W: Watch> Kernel<W> {
    /// Places an order: accepted and matched, or rejected.
    #[inline]
    pub(crate) fn place_order(
        &mut self,
        request: &OrderRequest,
        out: &mut EventBuffer,
        outcome: &mut Outcome,
    ) {
        match self.check_order(request, None) {
            Ok(plan) => {
                let order = self.commit_order(request, &plan, out);
                *outcome = Outcome::Accepted { order };
            }
            Err(refusal) => *outcome = self.reject_order(request, refusal, out),
        }
    }

    /// Cancels an order and places another one in its stead, or refuses both (LIFE-43, LIFE-44).
    #[inline(never)]
    pub(crate) fn replace_order(
        &mut self,
        replace: &ReplaceOrder,
        out: &mut EventBuffer,
    ) -> Result<Outcome, Refusal> {
        let request = &replace.request;
        Self::check_order_schema(request)?;
        let old = self.check_own_order(request.account, replace.order, replace.state_seq)?;
        let missing = Refusal::new(Code::SymbolNotFound, Why::NoSuchSymbol);
        let market = self.markets.find(&request.symbol).ok_or(missing)?;
        if market.number != self.orders.at(old).market() {
            return Err(Refusal::new(Code::InvalidSchema, Why::ReplacesElsewhere));
        }
        let plan = self.check_order(request, Some(old))?;
        self.cancel_open(old, Code::UserRequested, out);
        Ok(Outcome::Accepted { order: self.commit_order(request, &plan, out) })
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the one hot caller of two builds its plan in place")]
    fn check_order(
        &self,
        request: &OrderRequest,
        replaced: Option<Slot>,
    ) -> Result<OrderPlan, Refusal> {
        let partner = self.check_schema(request, replaced)?;
        let account = self.check_trader(request)?;
        let market = self.check_market(request, account)?;
        let ticks = self.check_price(market, request, replaced)?;
        let lots = self.check_quantity(market, request, (ticks, replaced))?;
        let rate = self.rates_of(account, market).taker;
        let need = self.check_value(market, request.side, (ticks, lots, rate))?;
        let checked = Checked { request, replaced, partner, account, market, ticks, lots };
        if request.expire_at.is_some_and(|end| end <= self.command_time) {
            return Err(Refusal::new(Code::InvalidExpiry, Why::ExpiryPassed));
        }
        let reserve = self.check_reserve(&checked, need)?;
        self.check_limits(&checked)?;
        self.check_fok(&checked)?;
        let replaces = replaced.map(|slot| self.orders.at(slot).sequence);
        let market = market.number;
        Ok(OrderPlan { account, market, ticks, lots, rate, replaces, reserve })
    }

    /// Step 1, all of it. Answers the other order of the pair.
    pub(crate) fn check_schema(
        &self,
        request: &OrderRequest,
        replaced: Option<Slot>,
    ) -> Result<Option<Slot>, Refusal> {
        Self::check_order_schema(request)?;
        self.check_pair(request, replaced)
    }

    /// Step 1: what contradicts itself (LIFE-7).
    #[inline]
    fn check_order_schema(request: &OrderRequest) -> Result<(), Refusal> {
        // Nothing contradicts itself in an order without extras, as nearly all are.
        let extras = request.expire_at.is_some()
            || request.trigger.is_some()
            || request.position_side.is_some()
            || request.client_order_id.is_some()
            || request.post_only
            || request.reduce_only
            || request.by_quote;
        if !extras && request.order_type == OrderType::Limit && request.price.is_some() {
            return match request.time_in_force {
                TimeInForce::Gtd => Err(Refusal::new(Code::InvalidSchema, Why::ExpiryMissing)),
                _ => Ok(()),
            };
        }
        Self::check_extras(request)
    }

    #[inline(never)]
    fn check_extras(request: &OrderRequest) -> Result<(), Refusal> {
        let market_order = request.order_type == OrderType::Market;
        let rests = matches!(request.time_in_force, TimeInForce::Gtc | TimeInForce::Gtd);
        let gtd = request.time_in_force == TimeInForce::Gtd;
        let by_mark = request.trigger.is_some_and(|it| it.source == TriggerSource::Mark);
        let faults = [
            (!market_order && request.price.is_none(), Why::LimitWithoutPrice),
            (market_order && request.price.is_some(), Why::MarketWithPrice),
            (market_order && rests, Why::MarketRests),
            (gtd && request.expire_at.is_none(), Why::ExpiryMissing),
            (!gtd && request.expire_at.is_some(), Why::ExpiryWithoutGtd),
            (request.post_only && (market_order || !rests), Why::PostOnlyTakes),
            (request.reduce_only, Why::ReduceOnlySpot),
            (request.position_side.is_some(), Why::PositionSideSpot),
            (request.client_order_id.is_some_and(|id| id.is_empty()), Why::FieldInvalid),
            (
                request.by_quote && (!market_order || request.trigger.is_some()),
                Why::ByQuoteNotMarket,
            ),
            (by_mark, Why::MarkTrigger),
        ];
        match faults.iter().find(|(fault, _)| *fault) {
            Some(&(_, why)) => Err(Refusal::new(Code::InvalidSchema, why)),
            None => Ok(()),
        }
    }

    /// Step 1, the row of `oco_with`: an open order of this account and market without a pair.
    fn check_pair(
        &self,
        request: &OrderRequest,
        replaced: Option<Slot>,
    ) -> Result<Option<Slot>, Refusal> {
        let Some(id) = request.oco_with else { return Ok(None) };
        let refuse = |why| Refusal::new(Code::InvalidSchema, why);
        let slot = self.check_own_order(request.account, id, None);
        let slot = slot.map_err(|_| refuse(Why::OcoNotOpen))?;
        let market = self.markets.find(&request.symbol).map(|market| market.number);
        if Some(self.orders.at(slot).market()) != market || Some(slot) == replaced {
            return Err(refuse(Why::OcoNotOpen));
        }
        let pair = self.partner_of(slot);
        if pair.is_some() && pair != replaced {
            return Err(refuse(Why::OcoTaken));
        }
        Ok(Some(slot))
    }

    /// Step 3: the account.
    #[inline]
    pub(crate) fn check_trader(&self, request: &OrderRequest) -> Result<u32, Refusal> {
        let missing = Refusal::new(Code::AccountNotFound, Why::NoSuchAccount);
        let number = self.ledger.number(request.account).ok_or(missing)?;
        let account = self.ledger.account(number).ok_or(missing)?;
        let suspended = |why| Err(Refusal::new(Code::AccountSuspended, why));
        if account.status != AccountStatus::Active {
            return suspended(Why::AccountNotActive);
        }
        if !account.may_trade {
            return suspended(Why::KycTierTooLow);
        }
        if self.due.backlog && self.is_account_due(number) {
            return suspended(Why::WorkIsDue);
        }
        Ok(number)
    }

    /// Step 4: the market.
    #[inline]
    pub(crate) fn check_market(
        &self,
        request: &OrderRequest,
        account: u32,
    ) -> Result<&Market, Refusal> {
        let missing = Refusal::new(Code::SymbolNotFound, Why::NoSuchSymbol);
        let market = self.markets.find(&request.symbol).ok_or(missing)?;
        let account_type = self.ledger.account(account).map(|account| account.account_type);
        if market.terms.kind != MarketKind::Spot || account_type != Some(AccountType::Spot) {
            return Err(Refusal::new(Code::SymbolNotFound, Why::WrongAccountType));
        }
        let paused = |why| Err(Refusal::new(Code::MarketPaused, why));
        if !market.open {
            return paused(Why::MarketClosed);
        }
        let opening = market.terms.post_only_until;
        if !request.post_only && opening.is_some_and(|end| self.command_time < end) {
            return paused(Why::PostOnlyPhase);
        }
        if self.due.backlog && self.is_market_due(market.number) {
            return paused(Why::WorkIsDue);
        }
        Ok(market)
    }

    /// Step 5: zero, negative, not whole ticks, or outside the market's bounds; a trigger likewise, or
    /// met already. A market order gets its protection bound; 0 when nobody stands opposite (LIFE-20).
    #[inline]
    pub(crate) fn check_price(
        &self,
        market: &Market,
        request: &OrderRequest,
        replaced: Option<Slot>,
    ) -> Result<Ticks, Refusal> {
        let refuse = |why| Err(Refusal::new(Code::InvalidPrice, why));
        let limit = request.price.map(|price| whole_ticks(market, price)).transpose()?;
        let Some(trigger) = &request.trigger else {
            return match limit {
                Some(ticks) if market.is_in_band(ticks) => Ok(ticks),
                Some(_) => refuse(Why::PriceOutOfBand),
                None => {
                    let best = self.best_without(market, request.side.opposite(), replaced);
                    Ok(best.map_or(Ticks(0), |best| market.protected(request.side, best)))
                }
            };
        };
        let ticks = whole_ticks(market, trigger.price)?;
        let waiting = Waiting { kind: trigger.kind, ticks, met: None };
        if market.last_price.is_some_and(|last| waiting.is_met_by(request.side, last)) {
            return refuse(Why::TriggerMet);
        }
        Ok(limit.unwrap_or_else(|| market.protected(request.side, ticks)))
    }

    /// Step 6: zero, negative, not whole lots, outside the market's bounds, or a value that does not
    /// fit the number format.
    #[inline]
    pub(crate) fn check_quantity(
        &self,
        market: &Market,
        request: &OrderRequest,
        (ticks, replaced): (Ticks, Option<Slot>),
    ) -> Result<Lots, Refusal> {
        let refuse = |why| Refusal::new(Code::InvalidQuantity, why);
        if request.quantity <= Amount::ZERO {
            return Err(refuse(Why::QuantityNotPositive));
        }
        let bounds = market.terms.min_quantity..=market.terms.max_quantity;
        let lots = if request.by_quote {
            if ticks == Ticks(0) {
                return Ok(market.terms.min_quantity);
            }
            let bound = (request.side, ticks);
            let lots = self.lots_for(market, bound, request.quantity, replaced);
            let lots = Lots(u64::try_from(lots).unwrap_or(u64::MAX));
            if lots < *bounds.start() {
                return Err(refuse(Why::ValueTooSmall));
            }
            lots
        } else {
            Lots(market.lot.bounded_count(request.quantity).ok_or(refuse(Why::QuantityOffLot))?)
        };
        if !bounds.contains(&lots) {
            return Err(refuse(Why::QuantityOutOfBounds));
        }
        Ok(lots)
    }

    /// Step 6, the number format: what the order needs by itself, its worst fee included.
    #[inline]
    pub(crate) fn check_value(
        &self,
        market: &Market,
        side: Side,
        (ticks, lots, rate): (Ticks, Lots, Rate),
    ) -> Result<Amount, Refusal> {
        if ticks == Ticks(0) {
            return Ok(Amount::ZERO);
        }
        let too_large = Refusal::new(Code::InvalidQuantity, Why::ValueTooLarge);
        let units = u128::from(ticks.0) * u128::from(lots.0);
        market.value(units).ok_or(too_large)?;
        market.requirement(side, (ticks, lots), rate).ok_or(too_large)
    }

    /// Step 9: what the order must reserve is there. Of a pair only what the new order needs beyond the
    /// other one; of a replaced order what it frees.
    #[inline]
    fn check_reserve(&self, order: &Checked<'_>, need: Amount) -> Result<Amount, Refusal> {
        let (market, side) = (order.market, order.request.side);
        if order.ticks == Ticks(0) {
            return Ok(Amount::ZERO);
        }
        let of_side = |slot: &Slot| self.orders.at(*slot).side == side;
        let held = order.partner.filter(of_side).map(|partner| self.need_of(partner));
        let required = held.map_or(need, |held| beyond(need, held));
        let asset = market.reserved_asset(side);
        let freed = order.replaced.filter(of_side).map(|replaced| self.freed_by(replaced));
        let available = self.ledger.balance(order.account, asset).available;
        let available = available + freed.unwrap_or_default();
        if available < required {
            let asset = if asset == market.base { market.terms.base } else { market.terms.quote };
            let detail = Detail::Balance { available, required, asset };
            return Err(Refusal { code: Code::InsufficientBalance, detail });
        }
        Ok(required)
    }

    /// Step 10: the number of open orders, of the account in this market and of the shard.
    #[inline]
    fn check_limits(&self, order: &Checked<'_>) -> Result<(), Refusal> {
        let gone = u32::from(order.replaced.is_some());
        let refuse = |why| Err(Refusal::new(Code::RiskLimitBreach, why));
        let market = order.market;
        let open = self.orders.count_in(order.account, market.number) - gone;
        if open >= market.terms.open_orders_max {
            return refuse(Why::TooManyOrders);
        }
        if self.orders.count() - gone as usize >= ORDER_COUNT_MAX as usize {
            return refuse(Why::TooManyOrdersOfShard);
        }
        Ok(())
    }

    /// Step 11: a FOK order trades whole at once, or not at all (D-13). One that waits is asked when
    /// it triggers.
    #[inline]
    fn check_fok(&self, order: &Checked<'_>) -> Result<(), Refusal> {
        let request = order.request;
        if request.time_in_force != TimeInForce::Fok || request.trigger.is_some() {
            return Ok(());
        }
        let trial = Trial {
            account: order.account,
            side: request.side,
            ticks: order.ticks,
            lots: order.lots,
            self_trade: request.self_trade,
            partner: order.partner,
            without: order.replaced,
        };
        if self.would_fill(order.market, &trial) {
            Ok(())
        } else {
            Err(Refusal::new(Code::FokNotFillable, Why::CannotFillAtOnce))
        }
    }

    #[inline]
    fn commit_order(
        &mut self,
        request: &OrderRequest,
        plan: &OrderPlan,
        out: &mut EventBuffer,
    ) -> Id {
        let &OrderPlan { account, market, ticks, lots, rate, .. } = plan;
        let plain = PlainSubmitted::of(request, (account, market, ticks, lots));
        let at = match plain.filter(|_| plan.replaces.is_none()) {
            Some(plain) => self.emit_small(out, EventKind::OrderSubmitted, &plain),
            None => self.emit_submitted(request, plan, out),
        };
        let submission = Submission {
            account,
            market,
            ticks,
            lots,
            rate,
            side: request.side,
            order_type: request.order_type,
            time_in_force: request.time_in_force,
            self_trade: request.self_trade,
            post_only: request.post_only,
            expire_at: request.expire_at,
            trigger: request.trigger.as_ref(),
            oco_with: request.oco_with,
        };
        let slot = self.apply_submitted(at, &submission);
        let order = at.sequence;
        if plan.reserve != Amount::ZERO {
            let reason = HoldReason::OrderPlacement;
            let held = MarginMoved { order, amount: plan.reserve, reason };
            let held_at = self.emit_small(out, EventKind::MarginReserved, &held);
            self.apply_reserved(held_at, &held, slot);
        }
        let accepted_at = self.emit_small(out, EventKind::OrderAccepted, &OrderAccepted { order });
        self.apply_accepted(accepted_at, slot);
        if self.orders.at(slot).waiting().is_none() {
            self.match_or_end(slot, out);
        }
        self.id_of(at.sequence, at.timestamp)
    }

    /// OrderSubmitted with all that a request may say.
    #[inline(never)]
    fn emit_submitted(
        &mut self,
        request: &OrderRequest,
        plan: &OrderPlan,
        out: &mut EventBuffer,
    ) -> EventHead {
        let &OrderPlan { account, market, ticks, lots, .. } = plan;
        let terms = OrderTerms::Checked { account, market, ticks, lots };
        let event = submitted(request, terms, plan.replaces);
        self.emit(out, EventKind::OrderSubmitted, &event)
    }

    /// OrderSubmitted and OrderRejected: an order that never was in a book (STATE-16).
    #[inline(never)]
    pub(crate) fn reject_order(
        &mut self,
        request: &OrderRequest,
        refusal: Refusal,
        out: &mut EventBuffer,
    ) -> Outcome {
        let terms = OrderTerms::Requested {
            account: request.account,
            symbol: request.symbol,
            price: request.price,
            quantity: request.quantity,
            by_quote: request.by_quote,
        };
        let submitted = submitted(request, terms, None);
        let at = self.emit(out, EventKind::OrderSubmitted, &submitted);
        self.apply_requested(at, request.account);
        let event =
            OrderRejected { order: at.sequence, reason: refusal.code, detail: refusal.detail };
        let rejected_at = self.emit(out, EventKind::OrderRejected, &event);
        self.apply_requested(rejected_at, request.account);
        Outcome::Rejected { order: self.id_of(at.sequence, at.timestamp), refusal }
    }
}

/// A price in whole ticks, inside the market's bounds.
#[inline]
fn whole_ticks(market: &Market, price: Amount) -> Result<Ticks, Refusal> {
    let refuse = |why| Refusal::new(Code::InvalidPrice, why);
    if price <= Amount::ZERO {
        return Err(refuse(Why::PriceNotPositive));
    }
    let ticks = Ticks(market.tick.bounded_count(price).ok_or(refuse(Why::PriceOffTick))?);
    if ticks < market.terms.min_price || ticks > market.terms.max_price {
        return Err(refuse(Why::PriceOutOfBounds));
    }
    Ok(ticks)
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
