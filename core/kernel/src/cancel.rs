//! Canceling and reducing orders, one or all of an account (LIFE-39, LIFE-42, LIFE-45, LIFE-46).

use schema::limits::{COUNTDOWN_MAX, COUNTDOWN_MIN};
use schema::{
    AccountType, CancelAllOrders, CancelOrder, Code, CountdownCancel, CountdownCancelChanged,
    EventBuffer, EventKind, Outcome, ReduceOrder, ReduceReason, Refusal, Why,
};
use units::{Amount, Id, Lots, Timestamp};

use crate::order::Slot;
use crate::{Kernel, Watch};

const DONE: Outcome = Outcome::Done { created: None };

impl<W: Watch> Kernel<W> {
    #[inline]
    pub(crate) fn cancel_order(
        &mut self,
        cancel: &CancelOrder,
        out: &mut EventBuffer,
    ) -> Result<(), Refusal> {
        let slot = self.find_own_order(cancel.account, cancel.order, cancel.state_seq)?;
        self.cancel_open(slot, Code::UserRequested, out);
        Ok(())
    }

    /// The core knows open orders only; another's order is as if it did not exist (D-72). A suspended
    /// account may still cancel (LIFE-47).
    pub(crate) fn check_own_order(
        &self,
        account: Id,
        id: Id,
        state_seq: Option<u64>,
    ) -> Result<Slot, Refusal> {
        self.find_own_order(account, id, state_seq)
    }

    /// The same, for the one caller that is hot: a cancel is half of all commands.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "measured: a call costs 3 % of the kernel's commands")]
    fn find_own_order(&self, account: Id, id: Id, state_seq: Option<u64>) -> Result<Slot, Refusal> {
        let missing = Refusal::new(Code::AccountNotFound, Why::NoSuchAccount);
        let account = self.ledger.number(account).ok_or(missing)?;
        let missing = Refusal::new(Code::OrderNotFound, Why::NoSuchOrder);
        let slot = self.orders.slot(id.sequence()).ok_or(missing)?;
        let order = self.orders.at(slot);
        let is_it = self.id_of(order.sequence, order.submitted_at) == id;
        if !is_it || order.account != account || !order.is_open() {
            return Err(missing);
        }
        if state_seq.is_some_and(|expected| expected != self.orders.state_seq(slot)) {
            return Err(Refusal::new(Code::VersionConflict, Why::StateSeqDiffers));
        }
        Ok(slot)
    }

    /// Takes quantity off an order, which keeps its place in time (D-16).
    pub(crate) fn reduce_order(
        &mut self,
        reduce: &ReduceOrder,
        out: &mut EventBuffer,
    ) -> Result<Outcome, Refusal> {
        let slot = self.check_own_order(reduce.account, reduce.order, reduce.state_seq)?;
        let total = self.check_reduction(slot, reduce.quantity)?;
        self.reduce_open(slot, (total, ReduceReason::UserRequested), out);
        Ok(DONE)
    }

    fn check_reduction(&self, slot: Slot, quantity: Amount) -> Result<Lots, Refusal> {
        let refuse = |why| Err(Refusal::new(Code::InvalidQuantity, why));
        let order = self.orders.at(slot);
        let market = self.markets.at(order.market());
        if quantity <= Amount::ZERO {
            return refuse(Why::QuantityNotPositive);
        }
        let Some(total) = market.lot.bounded_count(quantity) else {
            return refuse(Why::QuantityOffLot);
        };
        if total >= order.total.0 || total <= order.filled.0 {
            return refuse(Why::NotAReduction);
        }
        if total - order.filled.0 < market.terms.min_quantity.0 {
            return refuse(Why::RestTooSmall);
        }
        Ok(Lots(total))
    }

    /// Cancels every open order of an account, or of an account in a market (LIFE-45).
    pub(crate) fn cancel_all(
        &mut self,
        cancel: &CancelAllOrders,
        out: &mut EventBuffer,
    ) -> Result<Outcome, Refusal> {
        let account = self.check_customer(cancel.account)?;
        let missing = Refusal::new(Code::SymbolNotFound, Why::NoSuchSymbol);
        let market = match &cancel.symbol {
            Some(symbol) => Some(self.markets.find(symbol).ok_or(missing)?.number),
            None => None,
        };
        self.cancel_orders_of(account, market, Code::UserRequested, out);
        Ok(DONE)
    }

    /// Number of an account that is not one of the exchange's own.
    pub(crate) fn check_customer(&self, account: Id) -> Result<u32, Refusal> {
        let refuse = |why| Refusal::new(Code::AccountNotFound, why);
        let number = self.ledger.number(account).ok_or(refuse(Why::NoSuchAccount))?;
        let account_type = self.ledger.account(number).map(|account| account.account_type);
        if account_type == Some(AccountType::System) {
            return Err(refuse(Why::SystemAccount));
        }
        Ok(number)
    }

    /// Cancels the open orders of an account, in order of their ids.
    pub(crate) fn cancel_orders_of(
        &mut self,
        account: u32,
        market: Option<u32>,
        reason: Code,
        out: &mut EventBuffer,
    ) {
        let mut next = self.orders.first_of(account);
        while let Some(slot) = next {
            next = self.orders.next_of(slot);
            let order = self.orders.at(slot);
            if order.is_open() && market.is_none_or(|market| market == order.market()) {
                self.cancel_open(slot, reason, out);
            }
        }
    }

    /// Arms or disarms the countdown cancel of an account (D-96).
    pub(crate) fn set_countdown(
        &mut self,
        countdown: &CountdownCancel,
        out: &mut EventBuffer,
    ) -> Result<Outcome, Refusal> {
        let range = COUNTDOWN_MIN..=COUNTDOWN_MAX;
        if countdown.timeout != 0 && !range.contains(&countdown.timeout) {
            return Err(Refusal::new(Code::InvalidSchema, Why::CountdownOutOfRange));
        }
        let account = self.check_customer(countdown.account)?;
        let deadline = match i64::try_from(countdown.timeout) {
            Ok(timeout) if timeout > 0 => Some(Timestamp(self.command_time.0 + timeout)),
            _ => None,
        };
        if deadline != self.countdowns.get(&account).copied() {
            let event = CountdownCancelChanged { account, deadline };
            let at = self.emit(out, EventKind::CountdownCancelChanged, &event);
            self.apply_countdown(at, &event);
        }
        Ok(DONE)
    }
}
