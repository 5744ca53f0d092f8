//! `Refund`: a fee that was given back, and whether its postings are what it says (FEE-23).

use schema::{BalanceUpdated, Bucket, FeeRefunded, Label, UpdateReason};
use units::{Amount, Id, Timestamp};

/// A fee that was given back, in whole or in part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refund {
    /// Sequence of its FeeRefunded.
    pub sequence: u64,
    /// Time of that event. Says which day it belongs to.
    pub refunded_at: Timestamp,
    /// The trade that charged the fee.
    pub trade_id: Id,
    /// Who got it back.
    pub account_id: Id,
    /// In which asset.
    pub asset: Label,
    /// How much.
    pub amount: Amount,
}

/// Whether an event posts a refund, and nothing else: out of REVENUE, into the account.
pub(crate) fn posts(event: &BalanceUpdated, refunded: &FeeRefunded) -> bool {
    let legs = event.postings().iter().map(|leg| (leg.account, leg.asset, leg.bucket, leg.delta));
    let leg = |account, delta| (account, refunded.asset, Bucket::Available, delta);
    event.reason == UpdateReason::FeeRefund
        && legs.eq([leg(REVENUE, -refunded.amount), leg(refunded.account, refunded.amount)])
}

/// Number of the account REVENUE.
const REVENUE: u32 = 0;
