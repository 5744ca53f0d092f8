//! `Amount`: 18 decimals in a signed 128-bit integer (D-6, DET-19).
//!
//! Canonical text has no plus sign, no exponent, no leading zeros and no trailing zeros behind the
//! point, so one value has one text (DET-27). Addition and subtraction with `+` and `-` assert that
//! nothing overflows: a command is checked before it is committed (D-81), so an overflow there is a
//! bug and must stop the shard. What comes from outside uses the `checked_` forms.

use core::fmt;
use core::ops::{Add, AddAssign, Neg, Sub, SubAssign};
use core::str::FromStr;

use crate::{Rounding, mul_div};

/// A quantity of some asset, or a price, in units of 10⁻¹⁸.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(pub i128);

/// Why a text is no amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseAmountError {
    /// Not `-?digits[.digits]`.
    Malformed,
    /// More than 18 digits behind the point; never rounded away (D-6).
    TooPrecise,
    /// At or beyond 10¹⁸ units (D-70).
    TooLarge,
}

impl fmt::Display for ParseAmountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not a decimal number",
            Self::TooPrecise => "more than 18 decimals",
            Self::TooLarge => "10^18 or more",
        })
    }
}

impl core::error::Error for ParseAmountError {}

impl Amount {
    /// Digits behind the point.
    pub const DECIMALS: u8 = 18;
    /// One unit.
    pub const ONE: Self = Self(1_000_000_000_000_000_000);
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// No balance leaves ±this (D-81, ACCT-68).
    pub const BALANCE_MAX: Self = Self(1 << 126);
    /// Amounts in commands are below this: 10¹⁸ units (D-70, ACCT-13).
    pub const COMMAND_END: Self = Self(1_000_000_000_000_000_000_000_000_000_000_000_000);

    /// `units` whole units.
    #[must_use]
    pub const fn from_units(units: i64) -> Self {
        Self(units as i128 * Self::ONE.0)
    }

    /// Sum, or `None` on overflow of the integer.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// Difference, or `None` on overflow of the integer.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// Product of two decimals, rounded once at 18 decimals. `None` on overflow.
    #[must_use]
    pub fn checked_mul(self, other: Self, rounding: Rounding) -> Option<Self> {
        let magnitude = mul_div(
            self.0.unsigned_abs(),
            other.0.unsigned_abs(),
            Self::ONE.0.unsigned_abs(),
            rounding,
        )?;
        signed(magnitude, (self.0 < 0) != (other.0 < 0))
    }

    /// Quotient of two decimals, rounded once at 18 decimals. `None` on overflow or division by zero.
    #[must_use]
    pub fn checked_div(self, other: Self, rounding: Rounding) -> Option<Self> {
        let magnitude = mul_div(
            self.0.unsigned_abs(),
            Self::ONE.0.unsigned_abs(),
            other.0.unsigned_abs(),
            rounding,
        )?;
        signed(magnitude, (self.0 < 0) != (other.0 < 0))
    }

    /// Rounded to `decimals` digits behind the point; `None` when rounding up overflows.
    #[must_use]
    pub fn round(self, decimals: u8, rounding: Rounding) -> Option<Self> {
        let quantum = Self::quantum(decimals).0.unsigned_abs();
        let whole = mul_div(self.0.unsigned_abs(), 1, quantum, rounding)?;
        signed(whole.checked_mul(quantum)?, self.0 < 0)
    }

    /// The smallest amount with `decimals` digits: 10⁻ᵈ. `decimals` above 18 counts as 18.
    #[must_use]
    pub const fn quantum(decimals: u8) -> Self {
        Self(10i128.pow(Self::DECIMALS.saturating_sub(decimals) as u32))
    }

    /// Whether the amount has no more than `decimals` digits behind the point.
    #[must_use]
    pub fn fits_decimals(self, decimals: u8) -> bool {
        self.0 % Self::quantum(decimals).0 == 0
    }

    /// Whether the amount lies in the range of every balance (ACCT-68).
    #[must_use]
    pub fn is_balance(self) -> bool {
        self.0.unsigned_abs() <= Self::BALANCE_MAX.0.unsigned_abs()
    }
}

/// A magnitude with its sign, if it fits.
fn signed(magnitude: u128, negative: bool) -> Option<Amount> {
    let value = i128::try_from(magnitude).ok()?;
    Some(Amount(if negative { -value } else { value }))
}

impl Add for Amount {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Amount {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for Amount {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl SubAssign for Amount {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = Self::ONE.0.unsigned_abs();
        let (whole, part) = (self.0.unsigned_abs() / one, self.0.unsigned_abs() % one);
        if self.0 < 0 {
            f.write_str("-")?;
        }
        if part == 0 {
            return write!(f, "{whole}");
        }
        let mut digits = usize::from(Self::DECIMALS);
        let mut shown = part;
        while shown % 10 == 0 {
            shown /= 10;
            digits -= 1;
        }
        write!(f, "{whole}.{shown:0digits$}")
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Amount {
    type Err = ParseAmountError;

    fn from_str(text: &str) -> Result<Self, ParseAmountError> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, part) = match digits.split_once('.') {
            Some((_, "")) => return Err(ParseAmountError::Malformed),
            Some((whole, part)) => (whole, part),
            None => (digits, ""),
        };
        let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(part) {
            return Err(ParseAmountError::Malformed);
        }
        let part = part.trim_end_matches('0');
        if part.len() > usize::from(Self::DECIMALS) {
            return Err(ParseAmountError::TooPrecise);
        }
        let whole = whole.trim_start_matches('0');
        if whole.len() > usize::from(Self::DECIMALS) {
            return Err(ParseAmountError::TooLarge);
        }
        let number =
            |text: &str| text.bytes().fold(0i128, |sum, d| sum * 10 + i128::from(d - b'0'));
        let scale = 10i128.pow(u32::from(Self::DECIMALS) - u32::try_from(part.len()).unwrap_or(0));
        let value = number(whole) * Self::ONE.0 + number(part) * scale;
        Ok(Self(if negative { -value } else { value }))
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::ToString;

    fn amount(text: &str) -> Amount {
        text.parse().expect("a decimal")
    }

    /// covers: DET-20
    #[test]
    fn a_product_is_exact() {
        let product = amount("1.5").checked_mul(amount("50000.00"), Rounding::HalfAway);
        assert_eq!(product, Some(amount("75000")));
    }

    /// covers: DET-21
    #[test]
    fn halves_round_away_from_zero() {
        for (text, expected) in [("12.345", "12.35"), ("12.344", "12.34"), ("12.335", "12.34")] {
            for sign in ["", "-"] {
                let rounded = amount(&(sign.to_string() + text)).round(2, Rounding::HalfAway);
                assert_eq!(rounded, Some(amount(&(sign.to_string() + expected))));
            }
        }
    }

    /// One value has one text, and reading it gives the value back.
    /// covers: DET-27
    #[test]
    fn text_and_value_are_inverse() {
        for text in [
            "0",
            "1",
            "-1",
            "0.000000000000000001",
            "-0.1",
            "999999999999999999.999999999999999999",
        ] {
            assert_eq!(amount(text).to_string(), text);
        }
        assert_eq!(amount("007.5000").to_string(), "7.5");
        assert_eq!(amount("-0").to_string(), "0");
        let mut seed = 1i128;
        for _ in 0..10_000 {
            seed = seed.wrapping_mul(25_214_903_917).wrapping_add(11);
            let value = Amount(seed % Amount::COMMAND_END.0);
            assert_eq!(amount(&value.to_string()), value);
        }
    }

    /// Too much precision is an error and never a rounding; garbage is garbage.
    #[test]
    fn bad_texts_are_refused() {
        use ParseAmountError::{Malformed, TooLarge, TooPrecise};
        for text in
            ["", ".", "1.", ".5", "+1", "1e3", "1,0", " 1", "0x1", "--1", "1.2.3", "１", "NaN"]
        {
            assert_eq!(text.parse::<Amount>(), Err(Malformed), "{text}");
        }
        assert_eq!("0.0000000000000000001".parse::<Amount>(), Err(TooPrecise));
        assert_eq!("1000000000000000000".parse::<Amount>(), Err(TooLarge));
        assert_eq!("1.0000000000000000000000".parse::<Amount>(), Ok(Amount::ONE));
    }

    /// covers: DET-26
    #[test]
    fn adding_and_taking_the_same_changes_nothing() {
        let mut seed = 99i128;
        for _ in 0..10_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let (balance, change) = (Amount(seed % (1 << 126)), Amount((seed >> 3) % (1 << 120)));
            assert_eq!(balance + change - change, balance);
        }
    }

    /// Overflow is an error in every build, and comparing is a total order.
    /// covers: DET-25
    #[test]
    fn overflow_is_told_and_order_is_total() {
        assert_eq!(Amount(i128::MAX).checked_add(Amount(1)), None);
        assert_eq!(Amount(i128::MIN).checked_sub(Amount(1)), None);
        assert_eq!(Amount(i128::MAX).checked_mul(amount("2"), Rounding::Down), None);
        assert_eq!(amount("1").checked_div(Amount::ZERO, Rounding::Down), None);
        assert!(std::panic::catch_unwind(|| Amount(i128::MAX) + Amount(1)).is_err());
        let mut values = [amount("1"), amount("-1"), Amount::ZERO, amount("0.5")];
        values.sort();
        assert_eq!(values, [amount("-1"), Amount::ZERO, amount("0.5"), amount("1")]);
    }
}
