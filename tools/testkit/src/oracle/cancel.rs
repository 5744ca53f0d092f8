//! Ending and shrinking orders: cancel, cancel-all, countdown, expiry, reduction, pairs.
//!
//! Owns what leaves with an order (LIFE-39, STATE-12 to STATE-21) and what is left of a pair (D-67,
//! D-97). Invariant: after each of these functions an order that ended is nowhere.

use schema::{
    CancelAllOrders, CancelOrder, Code, CountdownCancel, CountdownCancelChanged, Event,
    ExpiryReason, OrderEnded, OrderReduced, OrderType, Outcome, ReduceOrder, ReduceReason, Refusal,
    ReleaseReason, Stamped, Why, limits,
};
use units::{Amount, Id, Lots, Timestamp};

use super::due::{DueKey, Kind};
use super::{DONE, Oracle};

impl Oracle {
    pub(super) fn cancel(&mut self, cancel: &CancelOrder) -> Result<Outcome, Refusal> {
        let order = self.find_order(cancel.account, cancel.order, cancel.state_seq)?;
        self.cancel_order(order, Code::UserRequested);
        Ok(DONE)
    }

    /// LIFE-46: the account, its order, the state that the caller acts on.
    pub(super) fn find_order(
        &self,
        account: Id,
        order: Id,
        state_seq: Option<u64>,
    ) -> Result<u64, Refusal> {
        let account = self.find_account(account)?;
        let found = self.orders.get(&order.sequence());
        let found = found.filter(|it| it.id == order && it.account == account);
        let missing = Refusal::new(Code::OrderNotFound, Why::NoSuchOrder);
        let it = found.ok_or(missing)?;
        // STATE-39: another value is refused.
        if state_seq.is_some_and(|expected| expected != it.state_seq) {
            return Err(Refusal::new(Code::VersionConflict, Why::StateSeqDiffers));
        }
        Ok(it.number)
    }

    pub(super) fn cancel_all(
        &mut self,
        stamped: &Stamped,
        cancel: &CancelAllOrders,
    ) -> Result<Outcome, Refusal> {
        let account = self.find_customer(cancel.account)?;
        let market = cancel.symbol.map(|symbol| self.find_market(symbol)).transpose()?;
        let before = self.account(account).orders.len();
        self.cancel_each(account, market, Code::UserRequested);
        // LIFE-45: with none open it succeeds with zero and says so.
        if self.account(account).orders.len() == before {
            return Ok(self.complete(stamped));
        }
        Ok(DONE)
    }

    /// LIFE-45: in order of order id.
    pub(super) fn cancel_each(&mut self, account: u32, market: Option<u32>, reason: Code) {
        let orders: Vec<u64> = self.account(account).orders.iter().copied().collect();
        for order in orders {
            if market.is_none_or(|market| self.orders[&order].market == market) {
                self.cancel_order(order, reason);
            }
        }
    }

    /// D-96: 0 disarms; otherwise 1 s to 24 h from the command's time.
    pub(super) fn set_countdown(
        &mut self,
        stamped: &Stamped,
        countdown: &CountdownCancel,
    ) -> Result<Outcome, Refusal> {
        let timeout = countdown.timeout;
        if timeout != 0 && !(limits::COUNTDOWN_MIN..=limits::COUNTDOWN_MAX).contains(&timeout) {
            return Err(Refusal::new(Code::InvalidSchema, Why::CountdownOutOfRange));
        }
        let account = self.find_customer(countdown.account)?;
        let before = self.account(account).deadline;
        if timeout == 0 && before.is_none() {
            return Ok(self.complete(stamped));
        }
        if let Some(time) = before {
            self.due.remove(&DueKey::new(time, Kind::Countdown, account.into()));
        }
        let timeout = i64::try_from(timeout).expect("at most a day");
        let deadline = (timeout > 0).then_some(self.now + timeout);
        if let Some(time) = deadline {
            self.due.insert(DueKey::new(time, Kind::Countdown, account.into()));
        }
        self.tell_countdown(account, deadline);
        Ok(DONE)
    }

    fn tell_countdown(&mut self, account: u32, deadline: Option<i64>) {
        self.account_mut(account).deadline = deadline;
        let deadline = deadline.map(Timestamp);
        let event = CountdownCancelChanged { account, deadline };
        self.emit(Event::CountdownCancelChanged(event), &[account]);
    }

    /// D-96: the countdown ran out: it is no longer armed, and all orders are canceled by order id.
    pub(super) fn run_out(&mut self, account: u32) {
        self.tell_countdown(account, None);
        self.cancel_each(account, None, Code::UserRequested);
    }

    /// Cancels an open order with all that hangs on it.
    pub(super) fn cancel_order(&mut self, order: u64, reason: Code) {
        let account = self.orders[&order].account;
        self.emit(Event::OrderCanceled(OrderEnded { order, reason }), &[account]);
        self.end(order, ReleaseReason::OrderCanceled);
    }

    /// Expires an open order.
    pub(super) fn expire(&mut self, order: u64, reason: ExpiryReason) {
        let account = self.orders[&order].account;
        self.emit(Event::OrderExpired(OrderEnded { order, reason }), &[account]);
        self.end(order, ReleaseReason::OrderExpired);
    }

    /// Gives back what an ended order holds, and takes it out of everything.
    pub(super) fn end(&mut self, order: u64, reason: ReleaseReason) {
        self.release(order, self.orders[&order].hold, reason);
        let it = self.orders.remove(&order).expect("an open order");
        let account = self.account_mut(it.account);
        account.orders.remove(&order);
        *account.open_counts.entry(it.market).or_default() -= 1;
        self.leave_book(it.market, (it.side, it.ticks), order);
        self.market_mut(it.market).waiting.remove(&order);
        if let Some(time) = it.expire_at {
            self.due.remove(&DueKey::new(time + 1, Kind::Expiry, order));
        }
        if let Some((time, _)) = it.waiting.and_then(|waiting| waiting.met) {
            self.due.remove(&DueKey::new(time, Kind::Trigger, order));
        }
        // D-97: a pair whose one order ends is dissolved; when the earlier ends first, the later
        // takes up its own need.
        if let Some(other) = it.pair {
            self.order_mut(other).pair = None;
            self.top_up(other);
        }
    }

    fn leave_book(&mut self, market: u32, (side, ticks): (units::Side, u64), order: u64) {
        let levels = self.market_mut(market).levels_mut(side);
        if let Some(level) = levels.get_mut(&ticks) {
            level.retain(|&number| number != order);
            if level.is_empty() {
                levels.remove(&ticks);
            }
        }
    }

    /// Lets an order reserve what it lacks now. A triggered one whose bound came nearer may hold more.
    fn top_up(&mut self, order: u64) {
        let lacking = self.hold_needed(order) - self.orders[&order].hold;
        self.reserve(order, lacking.max(0));
    }

    /// What an order must hold now: its own need, or of the later one of a pair that reserves the
    /// same asset what its need exceeds the earlier one's by (D-97).
    pub(super) fn hold_needed(&self, order: u64) -> i128 {
        let it = &self.orders[&order];
        let need = self.need_of(order);
        match it.pair {
            Some(other) if other < order && self.orders[&other].side == it.side => {
                (need - self.need_of(other)).max(0)
            }
            _ => need,
        }
    }

    /// What the rest of an order alone would need (ACCT-20).
    pub(super) fn need_of(&self, order: u64) -> i128 {
        let it = &self.orders[&order];
        if it.order_type == OrderType::Market && it.ticks == 0 {
            return 0;
        }
        let terms = (it.side, it.ticks, it.remaining());
        self.need(it.market, terms, it.taker_rate)
    }

    pub(super) fn reduce(&mut self, reduce: &ReduceOrder) -> Result<Outcome, Refusal> {
        let order = self.find_order(reduce.account, reduce.order, reduce.state_seq)?;
        let it = &self.orders[&order];
        let terms = &self.market(it.market).terms;
        let refusal = |why| Err(Refusal::new(Code::InvalidQuantity, why));
        // LIFE-46: not whole lots, not below the present total, not above what is filled, or leaving
        // less than the minimum.
        if reduce.quantity.0 <= 0 {
            return refusal(Why::QuantityNotPositive);
        }
        let Some(lots) = whole(reduce.quantity, terms.lot_size) else {
            return refusal(Why::QuantityOffLot);
        };
        if lots >= i128::from(it.lots) || lots <= i128::from(it.filled) {
            return refusal(Why::NotAReduction);
        }
        let lots = u64::try_from(lots).expect("below a total");
        if lots - it.filled < terms.min_quantity.0 {
            return refusal(Why::RestTooSmall);
        }
        self.lower_total(order, lots, ReduceReason::UserRequested);
        Ok(DONE)
    }

    /// LIFE-42: a reduction keeps the place in time and releases what is needed no more.
    pub(super) fn lower_total(&mut self, order: u64, lots: u64, reason: ReduceReason) {
        let account = self.orders[&order].account;
        let event = OrderReduced { order, total: Lots(lots), reason };
        let sequence = self.emit(Event::OrderReduced(event), &[account]);
        let it = self.order_mut(order);
        it.lots = lots;
        it.state_seq = sequence;
        let pair = it.pair;
        let spare = self.orders[&order].hold - self.hold_needed(order);
        self.release(order, spare, ReleaseReason::OrderReduced);
        // D-97: the later one of a pair takes up what the earlier holds no more.
        if let Some(other) = pair.filter(|&other| other > order) {
            self.top_up(other);
        }
    }
}

/// How many whole steps an amount is, if it is whole.
pub(super) const fn whole(amount: Amount, step: Amount) -> Option<i128> {
    if amount.0 % step.0 == 0 { Some(amount.0 / step.0) } else { None }
}
