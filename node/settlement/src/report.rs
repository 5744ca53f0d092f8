//! `Report`: what was settled in a day (SETL-51), from rows of the journal, and what was given back.

use std::collections::BTreeMap;

use port::SettlementView;
use schema::Label;
use units::Rounding;

use crate::refund::Refund;
use crate::sum::Sum;

/// What was settled in a day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    markets: BTreeMap<(Label, Label), Volume>,
    failed_count: u64,
    refunds: BTreeMap<Label, Refunded>,
}

/// What was given back in an asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refunded {
    /// Sum of it.
    pub amount: Sum,
    /// Refunds.
    pub count: u64,
}

/// What was settled in a market.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Volume {
    /// Sum of quantity × price, in the quote asset.
    pub value: Sum,
    /// Sum of quantities, in the base asset.
    pub quantity: Sum,
    /// Settlements.
    pub count: u64,
    /// Sum of `settled_at` − `executed_at` in nanoseconds of exchange time.
    pub time_nanos: i128,
}

impl Report {
    /// Adds a trade: its row, or that it has none, which must not happen (SETL-31).
    ///
    /// A value beyond the number format counts as failed too: no sound row has one.
    pub fn pass(&mut self, row: Option<&SettlementView>) {
        // Whole without rounding, since tick × lot is (ACCT-69).
        let value =
            row.and_then(|row| row.trade.price.checked_mul(row.trade.quantity, Rounding::Down));
        let (Some(row), Some(value)) = (row, value) else {
            self.failed_count += 1;
            return;
        };
        let trade = &row.trade;
        let volume = self.markets.entry((trade.symbol, trade.taker_fee_asset)).or_default();
        volume.value += value.into();
        volume.quantity += trade.quantity.into();
        volume.count += 1;
        volume.time_nanos += i128::from(trade.settled_at.0) - i128::from(trade.executed_at.0);
    }

    /// Adds a fee that was given back.
    pub fn pass_refund(&mut self, refund: &Refund) {
        let refunded = self.refunds.entry(refund.asset).or_default();
        refunded.amount += refund.amount.into();
        refunded.count += 1;
    }

    /// What was given back, by asset in their order.
    pub fn refunds(&self) -> impl Iterator<Item = (&Label, &Refunded)> {
        self.refunds.iter()
    }

    /// By symbol and quote asset, in their order.
    pub fn markets(&self) -> impl Iterator<Item = (&Label, &Label, &Volume)> {
        self.markets.iter().map(|((symbol, quote), volume)| (symbol, quote, volume))
    }

    /// All settlements.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.markets.values().map(|volume| volume.count).sum()
    }

    /// Average settlement time of all in nanoseconds, rounded down; `None` without any.
    #[must_use]
    pub fn mean_nanos(&self) -> Option<i128> {
        let time: i128 = self.markets.values().map(|volume| volume.time_nanos).sum();
        time.checked_div_euclid(i128::from(self.count()))
    }

    /// Trades that were executed and not settled; expected 0.
    #[must_use]
    pub const fn failed_count(&self) -> u64 {
        self.failed_count
    }
}

impl Volume {
    /// Average settlement time in nanoseconds, rounded down.
    #[must_use]
    pub fn mean_nanos(&self) -> Option<i128> {
        self.time_nanos.checked_div_euclid(i128::from(self.count))
    }
}
