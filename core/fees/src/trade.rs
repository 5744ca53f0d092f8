//! The two fees of one trade.

use units::{Amount, Rate};

use crate::FeeScale;

/// The rates in force when a trade is matched (FEE-9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradeRates {
    /// Of the side that rested.
    pub maker: Rate,
    /// Of the side that came in.
    pub taker: Rate,
}

/// Both fees in the quote asset; negative for a rebate. Their sum is never below zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradeFees {
    /// Of the side that rested.
    pub maker: Amount,
    /// Of the side that came in.
    pub taker: Amount,
}

/// The most that each side can be charged: what a buyer's reservation leaves, a seller's proceeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeeCaps {
    /// Of the side that rested.
    pub maker: Amount,
    /// Of the side that came in.
    pub taker: Amount,
}

/// Fees on a trade of `units` tick × lots. A charge is cut to its cap and to the trade's value
/// (FEE-4, D-85), a rebate to the other side's charge (D-43), so a trade costs neither a side nor the
/// exchange what it lacks.
///
/// `None` when the value leaves the range of a balance.
#[must_use]
#[inline]
pub fn trade_fees(
    scale: &FeeScale,
    units: u128,
    rates: TradeRates,
    caps: FeeCaps,
) -> Option<TradeFees> {
    let value = scale.value(units)?;
    let taker = scale.fee(units, rates.taker)?.min(value).min(caps.taker).max(Amount::ZERO);
    let maker = scale.fee(units, rates.maker)?.min(value).min(caps.maker).max(-taker);
    Some(TradeFees { maker, taker })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(text: &str) -> Amount {
        text.parse().expect("a decimal")
    }

    /// BTC/USDT: tick 0.01, lot 0.00001, fees at 6 decimals.
    fn fees_of(units: u128, maker: i64, taker: i64) -> (Amount, Amount) {
        let scale = FeeScale::new(amount("0.0000001"), 6);
        let rates = TradeRates { maker: Rate(maker), taker: Rate(taker) };
        let caps = FeeCaps { maker: Amount::BALANCE_MAX, taker: Amount::BALANCE_MAX };
        let fees = trade_fees(&scale, units, rates, caps).expect("in range");
        (fees.maker, fees.taker)
    }

    const HALF_BTC_AT_50_000: u128 = 50_000 * 5_000_000;
    const SMALL: u128 = 123 * 4_321_057;

    /// The fees of the specification's four trades.
    /// covers: TRADE-10, TRADE-11
    #[test]
    fn known_answers() {
        assert_eq!(fees_of(HALF_BTC_AT_50_000, 20_000, 100_000), (amount("5"), amount("25")));
        assert_eq!(fees_of(HALF_BTC_AT_50_000, -10_000, 40_000), (amount("-2.5"), amount("10")));
        assert_eq!(fees_of(SMALL, 20_000, 100_000), (amount("0.01063"), amount("0.05315")));
        assert_eq!(fees_of(SMALL, -20_000, 20_000), (amount("-0.010629"), amount("0.01063")));
    }

    /// covers: FEE-11, TRADE-14
    #[test]
    fn a_rebate_is_cut_to_the_taker_fee() {
        assert_eq!(fees_of(HALF_BTC_AT_50_000, -50_000, 10_000), (amount("-2.5"), amount("2.5")));
        assert_eq!(fees_of(HALF_BTC_AT_50_000, -50_000, 0), (Amount::ZERO, Amount::ZERO));
    }

    /// Rounding up a tiny trade takes at most the trade.
    /// covers: FEE-4
    #[test]
    fn a_charge_is_at_most_the_value() {
        assert_eq!(fees_of(1, 20_000, 100_000), (amount("0.0000001"), amount("0.0000001")));
    }
}
