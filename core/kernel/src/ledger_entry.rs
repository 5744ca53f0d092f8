//! Deposits, withdrawals and transfers in the ledger: money between EXTERNAL and an account, between
//! two accounts of one owner, and the dust of an account that is closed.
//!
//! They mirror what happened outside, under the reference of the transaction there, which is their
//! idempotency key's business (SVC-43). Addresses, confirmations, approvals and fees belong to the
//! wallet and come before these commands.

use alloc::vec::Vec;

use ledger::SystemAccount;
use schema::{
    AccountStatus, AccountTransferred, AccountType, AssetRef, BalanceUpdated, Bucket, Code, Detail,
    EventBuffer, EventKind, LedgerEntry, Outcome, Posting, Reference, Refusal, Transfer,
    UpdateReason, Why,
};
use units::Amount;

use crate::{Kernel, Watch};

/// An entry whose account, asset and amount are sound.
#[derive(Clone, Copy)]
struct EntryPlan {
    account: u32,
    asset: u32,
    amount: Amount,
}

impl<W: Watch> Kernel<W> {
    pub(crate) fn deposit(
        &mut self,
        entry: &LedgerEntry,
        out: &mut EventBuffer,
    ) -> Result<Outcome, Refusal> {
        let plan = self.check_entry(entry)?;
        let status = self.ledger.account(plan.account).map(|account| account.status);
        if status == Some(AccountStatus::Closed) {
            return Err(Refusal::new(Code::AccountSuspended, Why::AccountNotActive));
        }
        let external = self.ledger.balance(SystemAccount::External.number(), plan.asset).total();
        let account = self.ledger.balance(plan.account, plan.asset).total();
        let fits = |sum: Option<Amount>| sum.is_some_and(Amount::is_balance);
        if !fits(external.checked_sub(plan.amount)) || !fits(account.checked_add(plan.amount)) {
            return Err(Refusal::new(Code::InvalidAmount, Why::BalanceOutOfRange));
        }
        Ok(self.commit_entry((UpdateReason::Deposit, plan.amount), entry, plan, out))
    }

    pub(crate) fn withdraw(
        &mut self,
        entry: &LedgerEntry,
        out: &mut EventBuffer,
    ) -> Result<Outcome, Refusal> {
        let plan = self.check_entry(entry)?;
        let status = self.ledger.account(plan.account).map(|account| account.status);
        if status != Some(AccountStatus::Active) {
            return Err(Refusal::new(Code::AccountSuspended, Why::AccountNotActive));
        }
        let kyc_tier = self.ledger.account(plan.account).map(|account| account.opening().kyc_tier);
        if kyc_tier == Some(0) {
            return Err(Refusal::new(Code::KycRequired, Why::KycTierTooLow));
        }
        self.check_available(plan.account, plan.asset, plan.amount)?;
        Ok(self.commit_entry((UpdateReason::Withdrawal, -plan.amount), entry, plan, out))
    }

    /// The faults of ACCT-27 that every balance command shares.
    fn check_entry(&self, entry: &LedgerEntry) -> Result<EntryPlan, Refusal> {
        let missing = Refusal::new(Code::AccountNotFound, Why::NoSuchAccount);
        let account = self.ledger.number(entry.account).ok_or(missing)?;
        let is_system = self.ledger.account(account).map(|account| account.account_type)
            == Some(AccountType::System);
        if is_system {
            return Err(Refusal::new(Code::AccountNotFound, Why::SystemAccount));
        }
        let asset = self.check_amount(&entry.asset, entry.amount)?;
        Ok(EntryPlan { account, asset, amount: entry.amount })
    }

    /// Number of the asset, if it is listed and the amount is one of it.
    fn check_amount(&self, asset: &AssetRef, amount: Amount) -> Result<u32, Refusal> {
        let missing = Refusal::new(Code::AssetNotFound, Why::NoSuchAsset);
        let (asset, terms) = self.assets.find(asset).ok_or(missing)?;
        let refuse = |why| Err(Refusal::new(Code::InvalidAmount, why));
        if amount <= Amount::ZERO {
            return refuse(Why::AmountNotPositive);
        }
        if amount >= Amount::COMMAND_END {
            return refuse(Why::AmountTooLarge);
        }
        if !amount.fits_decimals(terms.decimals) {
            return refuse(Why::AmountTooPrecise);
        }
        Ok(asset)
    }

    /// Moves money between two accounts of one owner (ACCT-24, D-100).
    pub(crate) fn transfer(
        &mut self,
        transfer: &Transfer,
        out: &mut EventBuffer,
    ) -> Result<Outcome, Refusal> {
        let event = self.check_transfer(transfer)?;
        let AccountTransferred { from, to, asset, amount } = event;
        let at = self.emit(out, EventKind::AccountTransferred, &event);
        self.apply_transferred(at, &event);
        let reference = Reference::Event(at.sequence);
        let mut moved = BalanceUpdated::new(UpdateReason::Transfer, reference);
        for (account, delta) in [(from, -amount), (to, amount)] {
            moved.post(Posting { account, asset, bucket: Bucket::Available, delta });
        }
        let moved_at = self.emit_small(out, EventKind::BalanceUpdated, &moved);
        self.apply_balances(moved_at, &moved);
        Ok(Outcome::Done { created: Some(self.id_of(at.sequence, at.timestamp)) })
    }

    fn check_transfer(&self, transfer: &Transfer) -> Result<AccountTransferred, Refusal> {
        let schema = |why| Err(Refusal::new(Code::InvalidSchema, why));
        if transfer.from == transfer.to {
            return schema(Why::SameAccount);
        }
        let from = self.check_customer(transfer.from)?;
        let to = self.check_customer(transfer.to)?;
        let account = |number| self.ledger.account(number).expect("the account was checked");
        let owner = account(from).opening().owner_id;
        if owner.is_none() || owner != account(to).opening().owner_id {
            return schema(Why::TwoOwners);
        }
        let asset = self.check_amount(&transfer.asset, transfer.amount)?;
        if [from, to].iter().any(|&number| account(number).status != AccountStatus::Active) {
            return Err(Refusal::new(Code::AccountSuspended, Why::AccountNotActive));
        }
        let amount = transfer.amount;
        self.check_available(from, asset, amount)?;
        Ok(AccountTransferred { from, to, asset, amount })
    }

    /// That much is available.
    pub(crate) fn check_available(
        &self,
        account: u32,
        asset: u32,
        required: Amount,
    ) -> Result<(), Refusal> {
        let available = self.ledger.balance(account, asset).available;
        if available >= required {
            return Ok(());
        }
        let symbol = self.assets.terms(asset).map(|terms| terms.symbol);
        let asset = symbol.expect("the asset was checked");
        let detail = Detail::Balance { available, required, asset };
        Err(Refusal { code: Code::InsufficientBalance, detail })
    }

    /// One unit of an asset's last decimal: what is less cannot leave an account (D-99).
    pub(crate) fn last_decimal(&self, asset: u32) -> Amount {
        let decimals = self.assets.terms(asset).map_or(0, |terms| terms.decimals);
        Amount(10i128.pow(18 - u32::from(decimals.min(18))))
    }

    /// What is finer than an asset's decimals goes to REVENUE when its account is closed (D-99).
    pub(crate) fn sweep_dust(&mut self, account: u32, out: &mut EventBuffer) {
        let assets: Vec<u32> = self.ledger.assets_of(account).collect();
        let id = self.ledger.account(account).expect("the account was checked").id;
        for asset in assets {
            let dust = self.ledger.balance(account, asset).available;
            if dust == Amount::ZERO {
                continue;
            }
            let reference = Reference::Outside(id);
            let mut event = BalanceUpdated::new(UpdateReason::Adjustment, reference);
            let revenue = SystemAccount::Revenue.number();
            for (account, delta) in [(account, -dust), (revenue, dust)] {
                event.post(Posting { account, asset, bucket: Bucket::Available, delta });
            }
            let at = self.emit_small(out, EventKind::BalanceUpdated, &event);
            self.apply_balances(at, &event);
        }
    }

    fn commit_entry(
        &mut self,
        (reason, delta): (UpdateReason, Amount),
        entry: &LedgerEntry,
        plan: EntryPlan,
        out: &mut EventBuffer,
    ) -> Outcome {
        let mut event = BalanceUpdated::new(reason, Reference::Outside(entry.reference));
        let mut post = |account, delta| {
            let (asset, bucket) = (plan.asset, Bucket::Available);
            event.post(Posting { account, asset, bucket, delta });
        };
        post(SystemAccount::External.number(), -delta);
        post(plan.account, delta);
        let at = self.emit_small(out, EventKind::BalanceUpdated, &event);
        self.apply_balances(at, &event);
        Outcome::Done { created: None }
    }
}
