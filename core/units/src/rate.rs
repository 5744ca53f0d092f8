//! `Rate`: a ratio in units of 10⁻⁸, such as a fee rate.
//!
//! 0.10 % is `Rate(100_000)`. Eight decimals hold every rate of the specification exactly; a text
//! with more is refused, never rounded (D-6).

use core::fmt;

use crate::{Amount, ParseAmountError, Rounding, mul_div};

/// A ratio in units of 10⁻⁸; negative for a rebate.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(pub i64);

impl Rate {
    /// Units in the ratio 1.
    pub const ONE: i64 = 100_000_000;
    /// Digits behind the point.
    pub const DECIMALS: u8 = 8;

    /// `value × rate`, rounded once to a multiple of `quantum`; the sign is the rate's.
    ///
    /// `value` is 0 or more, `quantum` more than 0, both in 10⁻¹⁸. `None` when it does not fit.
    #[must_use]
    #[inline]
    pub fn of(self, value: Amount, quantum: Amount, rounding: Rounding) -> Option<Amount> {
        let value = u128::try_from(value.0).ok()?;
        let quantum = u128::try_from(quantum.0).ok()?;
        let divisor = quantum.checked_mul(Self::ONE.unsigned_abs().into())?;
        let units = mul_div(value, self.0.unsigned_abs().into(), divisor, rounding)?;
        let size = i128::try_from(units.checked_mul(quantum)?).ok()?;
        Some(Amount(if self.0 < 0 { -size } else { size }))
    }

    /// The rate as a decimal ratio.
    #[must_use]
    pub const fn ratio(self) -> Amount {
        Amount(self.0 as i128 * (Amount::ONE.0 / Self::ONE as i128))
    }

    /// The rate of a decimal ratio; `TooPrecise` behind the eighth decimal.
    ///
    /// # Errors
    /// `TooPrecise` or `TooLarge`.
    pub fn from_ratio(ratio: Amount) -> Result<Self, ParseAmountError> {
        let unit = Amount::ONE.0 / i128::from(Self::ONE);
        if ratio.0 % unit != 0 {
            return Err(ParseAmountError::TooPrecise);
        }
        i64::try_from(ratio.0 / unit).map(Self).map_err(|_| ParseAmountError::TooLarge)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.ratio(), f)
    }
}

impl fmt::Debug for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::ToString;

    #[test]
    fn a_rate_of_a_value_rounds_to_the_quantum() {
        let value: Amount = "53.1490011".parse().expect("a decimal");
        let quantum = Amount::quantum(6);
        let fee =
            |units, rounding| Rate(units).of(value, quantum, rounding).expect("fits").to_string();
        assert_eq!(fee(100_000, Rounding::Up), "0.05315");
        assert_eq!(fee(20_000, Rounding::Up), "0.01063");
        assert_eq!(fee(-20_000, Rounding::Down), "-0.010629");
        assert_eq!(Rate(i64::MAX).of(Amount(i128::MAX), Amount(1), Rounding::Up), None);
    }

    #[test]
    fn ratio_and_rate_are_inverse() {
        assert_eq!(Rate(100_000).to_string(), "0.001");
        assert_eq!(Rate::from_ratio("-0.0001".parse().expect("a decimal")), Ok(Rate(-10_000)));
        let fine: Amount = "0.000000001".parse().expect("a decimal");
        assert_eq!(Rate::from_ratio(fine), Err(ParseAmountError::TooPrecise));
    }
}
