//! Deposits and withdrawals in the ledger: money between EXTERNAL and an account.
//!
//! They mirror what happened outside, under the reference of the transaction there, which is their
//! idempotency key's business (SVC-43). Addresses, confirmations, approvals and fees belong to the
//! wallet and come before these commands.

use ledger::SystemAccount;
use schema::{
    AccountStatus, AccountType, BalanceUpdated, Bucket, Code, Detail, EventBuffer, EventKind,
    LedgerEntry, Outcome, Posting, Reference, Refusal, UpdateReason, Why,
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
        let kyc_tier = self.ledger.account(plan.account).map(|account| account.opening.kyc_tier);
        if kyc_tier == Some(0) {
            return Err(Refusal::new(Code::KycRequired, Why::KycTierTooLow));
        }
        let available = self.ledger.balance(plan.account, plan.asset).available;
        if available < plan.amount {
            let symbol = self.assets.terms(plan.asset).map(|terms| terms.symbol);
            let asset = symbol.expect("the asset was checked");
            let detail = Detail::Balance { available, required: plan.amount, asset };
            return Err(Refusal { code: Code::InsufficientBalance, detail });
        }
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
        let missing = Refusal::new(Code::AssetNotFound, Why::NoSuchAsset);
        let (asset, terms) = self.assets.find(&entry.asset).ok_or(missing)?;
        let refuse = |why| Err(Refusal::new(Code::InvalidAmount, why));
        if entry.amount <= Amount::ZERO {
            return refuse(Why::AmountNotPositive);
        }
        if entry.amount >= Amount::COMMAND_END {
            return refuse(Why::AmountTooLarge);
        }
        if !entry.amount.fits_decimals(terms.decimals) {
            return refuse(Why::AmountTooPrecise);
        }
        Ok(EntryPlan { account, asset, amount: entry.amount })
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
        let at = self.emit(out, EventKind::BalanceUpdated, &event);
        self.apply_balances(at, &event);
        Outcome::Done { created: None }
    }
}
