//! `FeeScale`: `value × rate` rounded to the fee's last decimal, prepared for one market.
//!
//! A trade's value is a whole number of tick × lot, so the division of every fee of a market has the
//! same divisor, and most of that divisor cancels against tick × lot once for all. What is left is one
//! 64-bit division for nearly every trade, and the exact long way for the rest; both give the same
//! fee, which a test holds them to.

use units::{Amount, Rate, Rounding, mul_div};

use schema::limits::FEE_DECIMALS_MAX;

/// How fees of one market are computed.
#[derive(Clone, Copy, Debug)]
pub struct FeeScale {
    /// Value of one tick × lot, in 10⁻¹⁸ quote.
    unit: u128,
    /// Last decimal of a fee, in 10⁻¹⁸ quote.
    quantum: u128,
    /// tick × lot with the common factor of `divisor` taken out.
    factor: u64,
    /// quantum × 10⁸ with that factor taken out; 0 when it does not fit and the long way is taken.
    divisor: u64,
}

impl FeeScale {
    /// The scale of a market whose tick × lot is worth `unit` and whose quote asset has `decimals`.
    ///
    /// # Panics
    /// When `unit` is not above 0, which a listing is checked for.
    #[must_use]
    pub fn new(unit: Amount, decimals: u8) -> Self {
        assert!(unit > Amount::ZERO, "tick × lot is above zero (ACCT-69)");
        let unit = unit.0.unsigned_abs();
        let quantum = Amount::quantum(decimals.min(FEE_DECIMALS_MAX)).0.unsigned_abs();
        let whole = quantum * u128::from(Rate::ONE.unsigned_abs());
        let common = greatest_common_divisor(unit, whole);
        let (factor, divisor) = match (u64::try_from(unit / common), u64::try_from(whole / common))
        {
            (Ok(factor), Ok(divisor)) => (factor, divisor),
            _ => (0, 0),
        };
        Self { unit, quantum, factor, divisor }
    }

    /// Value of `units` tick × lots, or `None` beyond the range of a balance (D-81).
    #[must_use]
    #[inline]
    pub fn value(&self, units: u128) -> Option<Amount> {
        let value = Amount(i128::try_from(units.checked_mul(self.unit)?).ok()?);
        value.is_balance().then_some(value)
    }

    /// Fee on `units` tick × lots: a charge rounds up, a rebate towards zero (D-7); the sign is the
    /// rate's. `None` beyond the range of a balance.
    #[must_use]
    #[inline]
    pub fn fee(&self, units: u128, rate: Rate) -> Option<Amount> {
        let size = rate.0.unsigned_abs();
        // Up is towards the exchange for a charge, and so is towards zero for a rebate (D-7).
        let rounding = if rate.0 < 0 { Rounding::Down } else { Rounding::Up };
        let whole = match self.short(units, size) {
            Some((quotient, remainder)) => {
                u128::from(quotient + u64::from(remainder != 0 && rounding == Rounding::Up))
            }
            None => self.long(units, size, rounding)?,
        };
        let fee = Amount(i128::try_from(whole.checked_mul(self.quantum)?).ok()?);
        fee.is_balance().then_some(if rate.0 < 0 { -fee } else { fee })
    }

    /// Quotient and remainder where the numerator fits 64 bits.
    #[inline]
    fn short(&self, units: u128, size: u64) -> Option<(u64, u64)> {
        if self.divisor == 0 {
            return None;
        }
        let numerator = u64::try_from(units).ok()?.checked_mul(size)?.checked_mul(self.factor)?;
        Some((numerator / self.divisor, numerator % self.divisor))
    }

    fn long(&self, units: u128, size: u64, rounding: Rounding) -> Option<u128> {
        let value = units.checked_mul(self.unit)?;
        mul_div(value, size.into(), self.quantum * u128::from(Rate::ONE.unsigned_abs()), rounding)
    }
}

fn greatest_common_divisor(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The short way, the long way and the plain formula give the same fee.
    /// covers: FEE-2, FEE-3, TRADE-11, TRADE-13
    #[test]
    fn every_way_gives_the_same_fee() {
        let mut seed = 5u64;
        let mut next = || {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            seed >> 11
        };
        for round in 0..20_000 {
            let unit = Amount(i128::from(next() % 1_000 + 1) * 10i128.pow((next() % 19) as u32));
            let decimals = (next() % 19) as u8;
            let scale = FeeScale::new(unit, decimals);
            let units = u128::from(next() >> (round % 50));
            let rate = Rate((next() % 2_000_000).cast_signed() - 5_000);
            let value = scale.value(units).expect("in range");
            let rounding = if rate.0 < 0 { Rounding::Down } else { Rounding::Up };
            let plain = rate.of(value, Amount::quantum(decimals.min(8)), rounding);
            assert_eq!(scale.fee(units, rate), plain, "{units} × {unit} at {rate}");
            // Never less than the rate says, and less than one last decimal more (FEE-3).
            let size = u128::from(rate.0.unsigned_abs());
            let exact = mul_div(value.0.unsigned_abs(), size, 100_000_000, Rounding::Down);
            let (fee, exact) = (plain.expect("in range").0, exact.expect("in range").cast_signed());
            assert!(rate.0 < 0 || (fee >= exact && fee - exact <= scale.quantum.cast_signed()));
        }
    }

    /// What does not fit is told and never wraps.
    #[test]
    fn beyond_the_range_is_none() {
        let scale = FeeScale::new(Amount::ONE, 8);
        assert_eq!(scale.value(u128::MAX), None);
        assert_eq!(scale.fee(u128::MAX, Rate(100_000)), None);
        assert_eq!(scale.value(1 << 70), None);
    }
}
