//! Placing an order: the checks of LIFE-8 in their order, then what an accepted order does.
//!
//! `check_order` reads and answers with a plan or with the reason of the first check that fails;
//! `commit_order` cannot fail. Rooms for what later versions accept are marked `NotOffered`: market
//! orders, FOK, GTD, post-only, triggers, pairs and the other self-trade modes are parsed, stored and
//! checked for contradictions, and refused as a whole.

use schema::limits::ORDER_COUNT_MAX;
use schema::{
    AccountStatus, AccountType, Code, Detail, EventBuffer, EventKind, HoldReason, MarginMoved,
    MarketKind, OrderAccepted, OrderRejected, OrderRequest, OrderSubmitted, OrderTerms, OrderType,
    Outcome, Refusal, SelfTrade, TimeInForce, Why,
};
use units::{Amount, Lots, Ticks};

use crate::market::Market;
use crate::{Kernel, Watch};

/// An order that passed every check.
struct OrderPlan {
    submitted: OrderSubmitted,
    reserve: Amount,
}

impl<W: Watch> Kernel<W> {
    /// Places an order: accepted and matched, or rejected.
    #[inline]
    pub(crate) fn place_order(&mut self, request: &OrderRequest, out: &mut EventBuffer) -> Outcome {
        match self.check_order(request) {
            Ok(plan) => self.commit_order(&plan, out),
            Err(refusal) => self.reject_order(request, refusal, out),
        }
    }

    fn check_order(&self, request: &OrderRequest) -> Result<OrderPlan, Refusal> {
        Self::check_order_schema(request)?;
        let account = self.check_trader(request)?;
        let market = self.check_market(request, account)?;
        let ticks = check_price(market, request)?;
        let lots = check_quantity(market, request)?;
        let reserve = self.check_reserve(request, market, (account, ticks, lots))?;
        let open = self.orders.count_in(account, market.number);
        if open >= market.terms.open_orders_max || self.orders.count() >= ORDER_COUNT_MAX as usize {
            return Err(Refusal::new(Code::RiskLimitBreach, Why::TooManyOrders));
        }
        let terms = OrderTerms::Checked { account, market: market.number, ticks, lots };
        Ok(OrderPlan { submitted: submitted(request, terms), reserve })
    }

    /// Step 1: what contradicts itself, and what no version or not this one takes (LIFE-7).
    pub(crate) fn check_order_schema(request: &OrderRequest) -> Result<(), Refusal> {
        let market_order = request.order_type == OrderType::Market;
        let rests = matches!(request.time_in_force, TimeInForce::Gtc | TimeInForce::Gtd);
        let gtd = request.time_in_force == TimeInForce::Gtd;
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
            (not_offered(request), Why::NotOffered),
        ];
        match faults.iter().find(|(fault, _)| *fault) {
            Some(&(_, why)) => Err(Refusal::new(Code::InvalidSchema, why)),
            None => Ok(()),
        }
    }

    /// Step 3: the account.
    #[inline]
    fn check_trader(&self, request: &OrderRequest) -> Result<u32, Refusal> {
        let missing = Refusal::new(Code::AccountNotFound, Why::NoSuchAccount);
        let number = self.ledger.number(request.account).ok_or(missing)?;
        let account = self.ledger.account(number).ok_or(missing)?;
        if account.status != AccountStatus::Active {
            return Err(Refusal::new(Code::AccountSuspended, Why::AccountNotActive));
        }
        if account.opening.kyc_tier == 0 {
            return Err(Refusal::new(Code::AccountSuspended, Why::KycTierTooLow));
        }
        Ok(number)
    }

    /// Step 4: the market.
    #[inline]
    fn check_market(&self, request: &OrderRequest, account: u32) -> Result<&Market, Refusal> {
        let missing = Refusal::new(Code::SymbolNotFound, Why::NoSuchSymbol);
        let market = self.markets.find(&request.symbol).ok_or(missing)?;
        let account_type = self.ledger.account(account).map(|account| account.account_type);
        if market.terms.kind != MarketKind::Spot || account_type != Some(AccountType::Spot) {
            return Err(Refusal::new(Code::SymbolNotFound, Why::WrongAccountType));
        }
        if !market.open {
            return Err(Refusal::new(Code::MarketPaused, Why::MarketClosed));
        }
        Ok(market)
    }

    /// Step 9, and the number format of step 6: what the order must reserve is there.
    #[inline]
    fn check_reserve(
        &self,
        request: &OrderRequest,
        market: &Market,
        (account, ticks, lots): (u32, Ticks, Lots),
    ) -> Result<Amount, Refusal> {
        let too_large = Refusal::new(Code::InvalidQuantity, Why::ValueTooLarge);
        let rate = self.rates_of(account, market).taker;
        let units = u128::from(ticks.0) * u128::from(lots.0);
        market.value(units).ok_or(too_large)?;
        let required = market.requirement(request.side, (ticks, lots), rate).ok_or(too_large)?;
        let asset = market.reserved_asset(request.side);
        let available = self.ledger.balance(account, asset).available;
        if available < required {
            let asset = if asset == market.base { market.terms.base } else { market.terms.quote };
            let detail = Detail::Balance { available, required, asset };
            return Err(Refusal { code: Code::InsufficientBalance, detail });
        }
        Ok(required)
    }

    #[inline]
    fn commit_order(&mut self, plan: &OrderPlan, out: &mut EventBuffer) -> Outcome {
        let at = self.emit(out, EventKind::OrderSubmitted, &plan.submitted);
        let slot = self.apply_submitted(at, &plan.submitted);
        let order = at.sequence;
        let held = MarginMoved { order, amount: plan.reserve, reason: HoldReason::OrderPlacement };
        let held_at = self.emit(out, EventKind::MarginReserved, &held);
        self.apply_reserved(held_at, &held, slot);
        let accepted_at = self.emit(out, EventKind::OrderAccepted, &OrderAccepted { order });
        self.apply_accepted(accepted_at, slot);
        if self.incoming.is_some() {
            self.match_incoming(slot, out);
        } else if !self.orders.at(slot).may_rest() {
            self.expire_remainder(slot, out);
        }
        Outcome::Accepted { order: self.id_of(at.sequence, at.timestamp) }
    }

    /// OrderSubmitted and OrderRejected: an order that never was in a book (STATE-16).
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
        let submitted = submitted(request, terms);
        let at = self.emit(out, EventKind::OrderSubmitted, &submitted);
        self.apply_requested(at, request.account);
        let event =
            OrderRejected { order: at.sequence, reason: refusal.code, detail: refusal.detail };
        let rejected_at = self.emit(out, EventKind::OrderRejected, &event);
        self.apply_requested(rejected_at, request.account);
        Outcome::Rejected { order: self.id_of(at.sequence, at.timestamp), refusal }
    }
}

/// Whether the request needs a room that this version has not opened.
fn not_offered(request: &OrderRequest) -> bool {
    request.order_type == OrderType::Market
        || !matches!(request.time_in_force, TimeInForce::Gtc | TimeInForce::Ioc)
        || request.post_only
        || request.self_trade != SelfTrade::CancelIncoming
        || request.trigger.is_some()
        || request.oco_with.is_some()
        || request.by_quote
}

/// Step 5: zero, negative, not whole ticks, or outside the market's bounds.
#[inline]
fn check_price(market: &Market, request: &OrderRequest) -> Result<Ticks, Refusal> {
    let refuse = |why| Refusal::new(Code::InvalidPrice, why);
    let price = request.price.ok_or(refuse(Why::LimitWithoutPrice))?;
    if price <= Amount::ZERO {
        return Err(refuse(Why::PriceNotPositive));
    }
    let ticks = Ticks(market.tick.count(price).ok_or(refuse(Why::PriceOffTick))?);
    if ticks < market.terms.min_price || ticks > market.terms.max_price {
        return Err(refuse(Why::PriceOutOfBounds));
    }
    Ok(ticks)
}

/// Step 6: zero, negative, not whole lots, or outside the market's bounds.
#[inline]
fn check_quantity(market: &Market, request: &OrderRequest) -> Result<Lots, Refusal> {
    let refuse = |why| Refusal::new(Code::InvalidQuantity, why);
    if request.quantity <= Amount::ZERO {
        return Err(refuse(Why::QuantityNotPositive));
    }
    let lots = Lots(market.lot.count(request.quantity).ok_or(refuse(Why::QuantityOffLot))?);
    if lots < market.terms.min_quantity || lots > market.terms.max_quantity {
        return Err(refuse(Why::QuantityOutOfBounds));
    }
    Ok(lots)
}

#[inline]
fn submitted(request: &OrderRequest, terms: OrderTerms) -> OrderSubmitted {
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
        replaces: None,
    }
}
