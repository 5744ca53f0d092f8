//! `Sum`: amounts of a whole day, added without a bound and without rounding.
//!
//! An amount fills an integer of 128 bits, so a day of them does not. Whole units and units of 10⁻¹⁸
//! are kept apart: whole units of as many amounts as a log can number do not leave their integer.

use std::fmt;
use std::ops::{AddAssign, SubAssign};

use units::Amount;

/// A sum of amounts. Invariant: `part` is in `0..10^18`, so one value has one form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sum {
    whole: i128,
    part: i128,
}

impl Sum {
    /// Nothing.
    pub const ZERO: Self = Self { whole: 0, part: 0 };

    /// A number of things.
    #[must_use]
    pub const fn count(number: u64) -> Self {
        // u64 into i128 is exact; `From` is not const.
        Self { whole: number as i128, part: 0 }
    }

    fn of(whole: i128, part: i128) -> Self {
        let one = Amount::ONE.0;
        Self { whole: whole + part.div_euclid(one), part: part.rem_euclid(one) }
    }
}

impl From<Amount> for Sum {
    fn from(amount: Amount) -> Self {
        Self::of(0, amount.0)
    }
}

impl AddAssign for Sum {
    fn add_assign(&mut self, other: Self) {
        *self = Self::of(self.whole + other.whole, self.part + other.part);
    }
}

impl SubAssign for Sum {
    fn sub_assign(&mut self, other: Self) {
        *self = Self::of(self.whole - other.whole, self.part - other.part);
    }
}

impl fmt::Display for Sum {
    /// Canonical, as an amount is written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_negative = self.whole < 0;
        let (whole, part) = if is_negative && self.part > 0 {
            (-(self.whole + 1), Amount::ONE.0 - self.part)
        } else {
            (self.whole.abs(), self.part)
        };
        let sign = if is_negative { "-" } else { "" };
        if part == 0 {
            return write!(f, "{sign}{whole}");
        }
        let digits = format!("{part:018}");
        write!(f, "{sign}{whole}.{}", digits.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_written_as_an_amount_is() {
        let one = Amount::ONE.0;
        for units in [0, 1, -1, one, -one, one - 1, 1 - one, one + 1, -one - 1, 25 * one / 10] {
            assert_eq!(Sum::from(Amount(units)).to_string(), Amount(units).to_string());
        }
    }

    #[test]
    fn a_sum_goes_beyond_an_amount_and_comes_back() {
        let largest = Amount(i128::MAX);
        let mut sum = Sum::ZERO;
        for _ in 0..1_000 {
            sum += largest.into();
        }
        sum += Amount(1).into();
        for _ in 0..1_000 {
            sum -= largest.into();
        }
        assert_eq!(sum, Sum::from(Amount(1)));
        sum -= Amount(2).into();
        assert_eq!(sum.to_string(), "-0.000000000000000001");
        assert_eq!(Sum::count(7).to_string(), "7");
    }
}
