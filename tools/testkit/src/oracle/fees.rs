//! Fees: the arithmetic of charge, rebate and split, and whose rates are in force.
//!
//! Owns FEE-2 to FEE-11 and FEE-34 in integers of 10⁻¹⁸. Each division says how it rounds and for
//! whom. It deliberately knows no order: what a buyer has reserved comes in as a number (D-85).

use schema::{Code, FeeTier, Refusal, Why, limits};
use units::Rate;

use super::Oracle;
use super::state::tier_of;

/// Value × size of a rate, rounded down to whole quanta, and whether something was left over. In two
/// steps, so that no product leaves 128 bits.
fn quanta(value: i128, rate: i64, quantum: i128) -> (i128, bool) {
    let divisor = quantum * i128::from(Rate::ONE);
    let size = i128::from(rate.abs());
    let (whole, rest) = (value / divisor, value % divisor);
    (whole * size + rest * size / divisor, rest * size % divisor != 0)
}

/// What a side is charged: rounded up (D-7), at most the trade's value (FEE-4).
#[must_use]
pub(super) fn charge(value: i128, rate: Rate, quantum: i128) -> i128 {
    let (count, more) = quanta(value, rate.0, quantum);
    ((count + i128::from(more)) * quantum).min(value)
}

/// What a maker is paid: rounded towards zero (D-7), at most the trade's taker fee (D-43).
#[must_use]
pub(super) fn rebate(value: i128, rate: Rate, quantum: i128, taker_fee: i128) -> i128 {
    (quanta(value, rate.0, quantum).0 * quantum).min(taker_fee)
}

/// Revenue, insurance fund and referral of what both fees leave (FEE-34): revenue takes any last digit.
#[must_use]
pub(super) const fn split(net: i128) -> (i128, i128, i128) {
    let (insurance, referral) = (net * 20 / 100, net * 10 / 100);
    (net - insurance - referral, insurance, referral)
}

/// FEE-37: a table whose first row begins at 0, whose volumes rise and whose rates lie in range.
pub(super) fn check_table(tiers: &[FeeTier]) -> Result<(), Refusal> {
    let starts = tiers.first().is_some_and(|tier| tier.above.0 == 0);
    let rises = tiers.windows(2).all(|pair| pair[0].above < pair[1].above);
    let in_range = tiers.iter().all(|tier| {
        (-50_000..=2_000_000).contains(&tier.maker.0) && (0..=2_000_000).contains(&tier.taker.0)
    });
    if starts && rises && in_range && tiers.len() <= limits::FEE_TIER_COUNT_MAX {
        Ok(())
    } else {
        Err(Refusal::new(Code::InvalidRate, Why::RateOutOfRange))
    }
}

impl Oracle {
    /// Value of an account's trades in the 30 whole UTC days before the day of `time` (FEE-7).
    pub(super) fn volume(&self, account: u32, time: i64) -> i128 {
        let day = time.div_euclid(limits::DAY);
        let first = day - i64::from(limits::VOLUME_DAY_COUNT);
        self.account(account).volumes.range(first..day).map(|(_, value)| value).sum()
    }

    /// FEE-7, D-98: the value of a trade counts for both accounts by the day of its TradeSettled, in
    /// markets that are quoted in USDT.
    pub(super) fn count_volume(&mut self, account: u32, value: i128) {
        let day = self.last_time.div_euclid(limits::DAY);
        let volumes = &mut self.account_mut(account).volumes;
        *volumes.entry(day).or_default() += value;
        let first = day - i64::from(limits::VOLUME_DAY_COUNT) - 1;
        if volumes.first_key_value().is_some_and(|(&oldest, _)| oldest < first) {
            *volumes = volumes.split_off(&first);
        }
    }

    /// The rates of an account that are not a market's own: a waiver goes before own rates, own rates
    /// before the tier (D-98).
    #[must_use]
    pub(super) fn account_rates(&self, account: u32) -> (Rate, Rate) {
        let it = self.account(account);
        if it.waiver.is_some() {
            return (Rate(0), Rate(0));
        }
        it.own_rates.unwrap_or_else(|| self.tier_rates(it.tier))
    }

    /// Maker and taker rate of a row of the shard's table; behind its end, of the last row.
    pub(super) fn tier_rates(&self, tier: usize) -> (Rate, Rate) {
        let row = &self.fee_tiers[tier.min(self.fee_tiers.len() - 1)];
        (row.maker, row.taker)
    }

    /// The rates of an account in a market, maker and taker (FEE-9, D-98).
    #[must_use]
    pub fn rates(&self, account: u32, market: u32) -> (Rate, Rate) {
        let it = self.account(account);
        let table = &self.market(market).terms.fee_tiers;
        if it.waiver.is_some() || it.own_rates.is_some() || table.is_empty() {
            return self.account_rates(account);
        }
        // A market with a table of its own uses the same volume: that of 00:00 UTC of this day.
        let row = table[tier_of(table, self.volume(account, self.now))];
        (row.maker, row.taker)
    }
}
