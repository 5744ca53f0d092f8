//! Deposits, withdrawals and transfers (ACCT-23, ACCT-24, ACCT-27, D-100).
//!
//! Owns the postings that come from outside or go between two accounts, and the two moves between
//! available and locked. Invariant: what is posted sums to zero per asset (D-30), and no balance but
//! EXTERNAL's is below zero.

use schema::{
    AccountStatus, AccountTransferred, AccountType, BalanceUpdated, Bucket, Code, Detail, Event,
    HoldReason, LedgerEntry, MarginMoved, Outcome, Posting, Reference, Refusal, ReleaseReason,
    Transfer, UpdateReason, Why,
};
use units::{Amount, Id};

use super::state::EXTERNAL;
use super::{DONE, Oracle};

impl Oracle {
    pub(super) fn deposit(&mut self, entry: &LedgerEntry) -> Result<Outcome, Refusal> {
        let account = self.find_customer(entry.account)?;
        let asset = self.find_asset(entry.asset)?;
        self.check_amount(entry.amount, asset)?;
        // D-90: until the wallet's quarantine is there.
        if self.account(account).status == AccountStatus::Closed {
            return Err(Refusal::new(Code::AccountSuspended, Why::AccountNotActive));
        }
        self.check_range(account, asset, entry.amount)?;
        self.move_outside(account, asset, entry.amount, (UpdateReason::Deposit, entry.reference));
        Ok(DONE)
    }

    pub(super) fn withdraw(&mut self, entry: &LedgerEntry) -> Result<Outcome, Refusal> {
        let account = self.find_customer(entry.account)?;
        let asset = self.find_asset(entry.asset)?;
        self.check_amount(entry.amount, asset)?;
        self.check_active(account)?;
        // CUST-39: tier 0 withdraws nothing.
        if self.account(account).opening.kyc_tier == 0 {
            return Err(Refusal::new(Code::KycRequired, Why::KycTierTooLow));
        }
        self.check_available(account, asset, entry.amount)?;
        let why = (UpdateReason::Withdrawal, entry.reference);
        self.move_outside(account, asset, -entry.amount, why);
        Ok(DONE)
    }

    fn move_outside(&mut self, account: u32, asset: u32, delta: Amount, why: (UpdateReason, Id)) {
        let mut event = BalanceUpdated::new(why.0, Reference::Outside(why.1));
        let bucket = Bucket::Available;
        event.post(Posting { account: EXTERNAL, asset, bucket, delta: -delta });
        event.post(Posting { account, asset, bucket, delta });
        self.post(event);
    }

    /// D-100: the checks stand in this order.
    pub(super) fn transfer(&mut self, transfer: &Transfer) -> Result<Outcome, Refusal> {
        if transfer.from == transfer.to {
            return Err(Refusal::new(Code::InvalidSchema, Why::SameAccount));
        }
        let from = self.find_customer(transfer.from)?;
        let to = self.find_customer(transfer.to)?;
        let owner = self.account(from).opening.owner_id;
        if owner.is_none() || owner != self.account(to).opening.owner_id {
            return Err(Refusal::new(Code::InvalidSchema, Why::TwoOwners));
        }
        let asset = self.find_asset(transfer.asset)?;
        self.check_amount(transfer.amount, asset)?;
        self.check_active(from)?;
        self.check_active(to)?;
        self.check_available(from, asset, transfer.amount)?;
        let amount = transfer.amount;
        let event = AccountTransferred { from, to, asset, amount };
        let sequence = self.emit(Event::AccountTransferred(event), &[from, to]);
        let created = Some(self.last_id());
        let mut event = BalanceUpdated::new(UpdateReason::Transfer, Reference::Event(sequence));
        let bucket = Bucket::Available;
        event.post(Posting { account: from, asset, bucket, delta: -amount });
        event.post(Posting { account: to, asset, bucket, delta: amount });
        self.post(event);
        Ok(Outcome::Done { created })
    }

    /// ACCOUNT_NOT_FOUND: no such account, or one of the exchange's own, which takes postings only
    /// (ACCT-2).
    pub(super) fn find_customer(&self, id: Id) -> Result<u32, Refusal> {
        let number = self.find_account(id)?;
        if self.account(number).opening.account_type == AccountType::System {
            return Err(Refusal::new(Code::AccountNotFound, Why::SystemAccount));
        }
        Ok(number)
    }

    /// ACCOUNT_NOT_FOUND: no such account.
    pub(super) fn find_account(&self, id: Id) -> Result<u32, Refusal> {
        let missing = Refusal::new(Code::AccountNotFound, Why::NoSuchAccount);
        self.account_numbers.get(&id).copied().ok_or(missing)
    }

    /// ACCT-13, ACCT-27: zero, negative, too large, or with too many decimals.
    fn check_amount(&self, amount: Amount, asset: u32) -> Result<(), Refusal> {
        let refusal = |why| Err(Refusal::new(Code::InvalidAmount, why));
        if amount.0 <= 0 {
            return refusal(Why::AmountNotPositive);
        }
        if amount >= Amount::COMMAND_END {
            return refusal(Why::AmountTooLarge);
        }
        let decimals = self.assets[asset as usize - 1].terms.decimals;
        if amount.0 % 10_i128.pow(u32::from(18 - decimals)) != 0 {
            return refusal(Why::AmountTooPrecise);
        }
        Ok(())
    }

    fn check_active(&self, account: u32) -> Result<(), Refusal> {
        if self.account(account).status == AccountStatus::Active {
            return Ok(());
        }
        Err(Refusal::new(Code::AccountSuspended, Why::AccountNotActive))
    }

    pub(super) fn check_available(
        &self,
        account: u32,
        asset: u32,
        amount: Amount,
    ) -> Result<(), Refusal> {
        let available = self.balance(account, asset).available;
        if amount.0 <= available { Ok(()) } else { Err(self.lacks(asset, available, amount.0)) }
    }

    /// LIFE-11: the message names the available and the required amount and their asset.
    pub(super) fn lacks(&self, asset: u32, available: i128, required: i128) -> Refusal {
        let asset = self.assets[asset as usize - 1].terms.symbol;
        let (available, required) = (Amount(available), Amount(required));
        let detail = Detail::Balance { available, required, asset };
        Refusal { code: Code::InsufficientBalance, detail }
    }

    /// ACCT-68: neither the account nor EXTERNAL leaves its range.
    fn check_range(&self, account: u32, asset: u32, amount: Amount) -> Result<(), Refusal> {
        let end = 1_i128 << 126;
        let balance = self.balance(account, asset);
        let external = self.balance(EXTERNAL, asset).available;
        if balance.available + balance.locked + amount.0 > end || external - amount.0 < -end {
            return Err(Refusal::new(Code::InvalidAmount, Why::BalanceOutOfRange));
        }
        Ok(())
    }

    /// Emits postings and changes the balances by them (EVT-29).
    pub(super) fn post(&mut self, event: BalanceUpdated) {
        let mut accounts: Vec<u32> = Vec::new();
        for posting in event.postings() {
            self.add(posting);
            if !accounts.contains(&posting.account) {
                accounts.push(posting.account);
            }
        }
        self.emit(Event::BalanceUpdated(event), &accounts);
    }

    fn add(&mut self, posting: &Posting) {
        let balances = &mut self.account_mut(posting.account).balances;
        let balance = balances.entry(posting.asset).or_default();
        match posting.bucket {
            Bucket::Available => balance.available += posting.delta.0,
            Bucket::Locked => balance.locked += posting.delta.0,
        }
        let sound = balance.available >= 0 && balance.locked >= 0;
        assert!(sound || posting.account == EXTERNAL, "no balance below zero (ACCT-66)");
    }

    /// Moves from available to locked for an order; nothing is said of nothing.
    pub(super) fn reserve(&mut self, order: u64, amount: i128) {
        if amount == 0 {
            return;
        }
        let account = self.orders[&order].account;
        self.shift(order, amount);
        let (reason, amount) = (HoldReason::OrderPlacement, Amount(amount));
        self.emit(Event::MarginReserved(MarginMoved { order, amount, reason }), &[account]);
    }

    /// Moves from locked to available for an order; nothing is said of nothing.
    pub(super) fn release(&mut self, order: u64, amount: i128, reason: ReleaseReason) {
        if amount == 0 {
            return;
        }
        let account = self.orders[&order].account;
        self.shift(order, -amount);
        let amount = Amount(amount);
        self.emit(Event::MarginReleased(MarginMoved { order, amount, reason }), &[account]);
    }

    fn shift(&mut self, order: u64, amount: i128) {
        let (account, asset) = (self.orders[&order].account, self.hold_asset(order));
        self.order_mut(order).hold += amount;
        let balance = self.account_mut(account).balances.entry(asset).or_default();
        balance.available -= amount;
        balance.locked += amount;
        assert!(balance.available >= 0 && balance.locked >= 0, "reserved is what was free (INV-9)");
        assert!(self.orders[&order].hold >= 0, "an order gives back what it holds");
    }
}
