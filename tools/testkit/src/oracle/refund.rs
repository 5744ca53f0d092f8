//! Fees that are given back from REVENUE (FEE-23, FEE-24, D-104).
//!
//! Owns what went back of which fee. It deliberately takes the charged fee from the command, as the
//! specification has it: which fees there were is remembered for the generator alone.

use schema::{
    AccountStatus, BalanceUpdated, Bucket, Code, Event, FeeRefund, FeeRefunded, Outcome, Posting,
    Reference, Refusal, UpdateReason, Why,
};
use units::Id;

use super::state::REVENUE;
use super::{DONE, Oracle};

/// A fee that a trade charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charged {
    /// Id of the trade.
    pub trade: Id,
    /// Number of the account.
    pub account: u32,
    /// Number of the asset.
    pub asset: u32,
    /// The fee; negative for a rebate.
    pub fee: i128,
}

/// What is known of a fee of which something went back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refunded {
    /// Id of the trade.
    pub trade: Id,
    /// Number of the asset.
    pub asset: u32,
    /// The fee as it was charged.
    pub fee: i128,
    /// What went back.
    pub refunded: i128,
}

impl Oracle {
    pub(super) fn refund(&mut self, refund: &FeeRefund) -> Result<Outcome, Refusal> {
        let account = self.find_customer(refund.account)?;
        // D-90: as of a deposit.
        if self.account(account).status == AccountStatus::Closed {
            return Err(Refusal::new(Code::AccountSuspended, Why::AccountNotActive));
        }
        let asset = self.find_asset(refund.asset)?;
        let kept = self.check_refund(refund, account, asset)?;
        self.check_available(REVENUE, asset, refund.amount)?;
        let FeeRefund { trade, fee, amount, reason, actor, .. } = *refund;
        let refunded = kept.refunded + amount.0;
        self.refunds.insert((account, trade.sequence()), Refunded { refunded, ..kept });
        let event = FeeRefunded { trade, account, asset, fee, amount, reason, actor };
        self.emit(Event::FeeRefunded(event), &[account]);
        let reference = Reference::Outside(trade);
        let mut event = BalanceUpdated::new(UpdateReason::FeeRefund, reference);
        let bucket = Bucket::Available;
        event.post(Posting { account: REVENUE, asset, bucket, delta: -amount });
        event.post(Posting { account, asset, bucket, delta: amount });
        self.post(event);
        Ok(DONE)
    }

    /// FEE-24, FEE-37, D-104: an event of this log, a fee and a part of it, one fee for all refunds of
    /// it, no more than is left, no finer than the asset unless it is the whole rest.
    fn check_refund(
        &self,
        refund: &FeeRefund,
        account: u32,
        asset: u32,
    ) -> Result<Refunded, Refusal> {
        let unsound = Refusal::new(Code::InvalidSchema, Why::FieldInvalid);
        let (trade, fee) = (refund.trade, refund.fee.0);
        let shard = self.genesis.as_ref().map_or(0, |genesis| genesis.shard);
        let known = 1..=self.last_sequence;
        if !trade.is_derived() || trade.shard() != shard || !known.contains(&trade.sequence()) {
            return Err(unsound);
        }
        let refusal = |why| Err(Refusal::new(Code::InvalidAmount, why));
        if fee <= 0 || refund.amount.0 <= 0 {
            return refusal(Why::AmountNotPositive);
        }
        // D-70, ACCT-13.
        if fee >= COMMAND_END || refund.amount.0 >= COMMAND_END {
            return refusal(Why::AmountTooLarge);
        }
        let new = Refunded { trade, asset, fee, refunded: 0 };
        let kept = self.refunds.get(&(account, trade.sequence())).copied().unwrap_or(new);
        if (kept.trade, kept.asset, kept.fee) != (trade, asset, fee) {
            return Err(unsound);
        }
        let left = kept.fee - kept.refunded;
        if refund.amount.0 > left {
            return refusal(Why::RefundTooLarge);
        }
        let decimals = self.assets[asset as usize - 1].terms.decimals;
        if refund.amount.0 != left && refund.amount.0 % 10_i128.pow(u32::from(18 - decimals)) != 0 {
            return refusal(Why::AmountTooPrecise);
        }
        Ok(kept)
    }

    /// Remembers what a trade charged, for whoever wants to have it back.
    pub(super) fn note_charged(&mut self, charged: Charged) {
        if charged.fee != 0 {
            self.charged.push_back(charged);
        }
        if self.charged.len() > CHARGED_COUNT {
            self.charged.pop_front();
        }
    }

    /// The fees of the last trades.
    #[must_use]
    pub fn charged(&self) -> &std::collections::VecDeque<Charged> {
        &self.charged
    }

    /// Fees of which something went back, by account and sequence of the trade.
    #[must_use]
    pub const fn refunds(&self) -> &std::collections::BTreeMap<(u32, u64), Refunded> {
        &self.refunds
    }
}

/// 10^18 units.
const COMMAND_END: i128 = 1_000_000_000_000_000_000_000_000_000_000_000_000;
/// Fees that are remembered.
const CHARGED_COUNT: usize = 200;
