//! Fees that are given back (FEE-23, FEE-24, D-104).
//!
//! State forgets trades (D-73), so the command says what was charged; the node reads it from the
//! archive, and the operator's signature covers it. State keeps per trade and account what was charged
//! and what went back, so that no fee goes back twice and all commands of one fee say the same of it.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use ledger::SystemAccount;
use schema::limits::REFUND_COUNT_MAX;
use schema::wire::{Reader, write_amount, write_id, write_u64};
use schema::{
    AccountStatus, BalanceUpdated, Bucket, Code, EventBuffer, EventHead, EventKind, FeeRefund,
    FeeRefunded, Outcome, Posting, Reference, Refusal, UpdateReason, Why,
};
use units::{Amount, Id};

use crate::save::{LoadError, consistent};
use crate::{Entity, Kernel, Watch};

/// A fee of which something went back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefundedFee {
    /// The trade that charged it.
    pub trade: Id,
    /// Number of the asset.
    pub asset: u32,
    /// What was charged.
    pub fee: Amount,
    /// What went back so far; above 0, at most the fee.
    pub refunded: Amount,
}

/// Every such fee, by number of the account and sequence of the trade.
pub(crate) type Refunds = BTreeMap<(u32, u64), RefundedFee>;

impl<W: Watch> Kernel<W> {
    /// Gives a fee back from REVENUE, in whole or in part.
    pub(crate) fn refund_fee(
        &mut self,
        refund: &FeeRefund,
        out: &mut EventBuffer,
    ) -> Result<Outcome, Refusal> {
        let event = self.check_refund(refund)?;
        let at = self.emit(out, EventKind::FeeRefunded, &event);
        self.apply_refunded(at, &event);
        let mut moved =
            BalanceUpdated::new(UpdateReason::FeeRefund, Reference::Outside(event.trade));
        let revenue = SystemAccount::Revenue.number();
        for (account, delta) in [(revenue, -event.amount), (event.account, event.amount)] {
            let (asset, bucket) = (event.asset, Bucket::Available);
            moved.post(Posting { account, asset, bucket, delta });
        }
        let moved_at = self.emit(out, EventKind::BalanceUpdated, &moved);
        self.apply_balances(moved_at, &moved);
        Ok(Outcome::Done { created: None })
    }

    fn check_refund(&self, refund: &FeeRefund) -> Result<FeeRefunded, Refusal> {
        let schema = Refusal::new(Code::InvalidSchema, Why::FieldInvalid);
        let account = self.check_customer(refund.account)?;
        let status = self.ledger.account(account).map(|account| account.status);
        if status == Some(AccountStatus::Closed) {
            return Err(Refusal::new(Code::AccountSuspended, Why::AccountNotActive));
        }
        let missing = Refusal::new(Code::AssetNotFound, Why::NoSuchAsset);
        let (asset, terms) = self.assets.find(&refund.asset).ok_or(missing)?;
        if !self.is_of_this_log(refund.trade) {
            return Err(schema);
        }
        let FeeRefund { trade, fee, amount, reason, actor, .. } = *refund;
        let invalid = |why| Err(Refusal::new(Code::InvalidAmount, why));
        if fee <= Amount::ZERO || amount <= Amount::ZERO {
            return invalid(Why::AmountNotPositive);
        }
        if fee >= Amount::COMMAND_END || amount >= Amount::COMMAND_END {
            return invalid(Why::AmountTooLarge);
        }
        let kept = self.refunds.get(&(account, trade.sequence()));
        if kept.is_some_and(|kept| (kept.trade, kept.asset, kept.fee) != (trade, asset, fee)) {
            return Err(schema);
        }
        // What was refunded never passes the fee, so the difference is in range.
        let left = fee - kept.map_or(Amount::ZERO, |kept| kept.refunded);
        if amount > left {
            return invalid(Why::RefundTooLarge);
        }
        // A fee that was cut to the value of a tiny trade is finer than its asset (FEE-4).
        if amount != left && !amount.fits_decimals(terms.decimals) {
            return invalid(Why::AmountTooPrecise);
        }
        if kept.is_none() && self.refunds.len() >= REFUND_COUNT_MAX {
            return Err(Refusal::new(Code::RiskLimitBreach, Why::TooMany));
        }
        self.check_available(SystemAccount::Revenue.number(), asset, amount)?;
        Ok(FeeRefunded { trade, account, asset, fee, amount, reason, actor })
    }

    /// Whether an id can be that of an event of this log.
    fn is_of_this_log(&self, id: Id) -> bool {
        let known = 1..=self.position.event_sequence;
        id.is_derived() && id.shard() == self.shard() && known.contains(&id.sequence())
    }

    /// Whether the event can follow from the state, in replay.
    pub(crate) fn is_refundable(&self, event: &FeeRefunded) -> bool {
        let named = self.ledger.account(event.account).is_some()
            && self.assets.terms(event.asset).is_some();
        let kept = self.refunds.get(&(event.account, event.trade.sequence()));
        let before = kept.map_or(Amount::ZERO, |kept| kept.refunded);
        let is_same = kept.is_none_or(|kept| {
            (kept.trade, kept.asset, kept.fee) == (event.trade, event.asset, event.fee)
        });
        let sum = before.checked_add(event.amount);
        named && is_same && event.amount > Amount::ZERO && sum.is_some_and(|sum| sum <= event.fee)
    }

    /// FeeRefunded: so much less of the fee can go back.
    pub(crate) fn apply_refunded(&mut self, at: EventHead, event: &FeeRefunded) {
        let &FeeRefunded { trade, account, asset, fee, amount, .. } = event;
        let none = RefundedFee { trade, asset, fee, refunded: Amount::ZERO };
        let kept = self.refunds.entry((account, trade.sequence())).or_insert(none);
        kept.refunded += amount;
        assert!(kept.refunded <= kept.fee, "no more goes back than was charged (FEE-24)");
        self.watch.touched(Entity::Refund { account, trade: trade.sequence() });
        self.count_account(at, account);
    }

    /// What went back of the fee that a trade charged an account, if anything did (FEE-24).
    #[must_use]
    pub fn refunded(&self, account: u32, trade: Id) -> Option<&RefundedFee> {
        self.refunds.get(&(account, trade.sequence())).filter(|kept| kept.trade == trade)
    }

    /// The fees of an account of which something went back, the latest trade first.
    pub fn refunds_of(&self, account: u32) -> impl Iterator<Item = &RefundedFee> {
        self.refunds.range((account, 0)..=(account, u64::MAX)).rev().map(|(_, kept)| kept)
    }

    /// Appends all of them, behind everything else of a saved state.
    pub(crate) fn save_refunds(&self, out: &mut Vec<u8>) {
        write_u64(out, self.refunds.len() as u64);
        for (&(account, _), kept) in &self.refunds {
            write_u64(out, u64::from(account));
            write_refunded(kept, out);
        }
    }

    /// They come in order of account and trade, each once.
    pub(crate) fn load_refunds(&mut self, reader: &mut Reader<'_>) -> Result<(), LoadError> {
        let mut last = None;
        for _ in 0..reader.u64()? {
            let account = reader.u32()?;
            let (trade, asset) = (reader.id()?, reader.u32()?);
            let (fee, refunded) = (reader.amount()?, reader.amount()?);
            let place = Some((account, trade.sequence()));
            let named =
                self.ledger.account(account).is_some() && self.assets.terms(asset).is_some();
            consistent(named && last < place && self.is_of_this_log(trade))?;
            consistent(Amount::ZERO < refunded && refunded <= fee)?;
            last = place;
            let kept = RefundedFee { trade, asset, fee, refunded };
            self.refunds.insert((account, trade.sequence()), kept);
        }
        Ok(())
    }
}

/// The canonical encoding of what is kept of a fee.
pub(crate) fn write_refunded(kept: &RefundedFee, out: &mut Vec<u8>) {
    write_id(out, kept.trade);
    write_u64(out, u64::from(kept.asset));
    write_amount(out, kept.fee);
    write_amount(out, kept.refunded);
}
