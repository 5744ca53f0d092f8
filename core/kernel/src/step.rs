//! `Step`: from decimals to whole ticks or lots and back, prepared for one market.
//!
//! A command carries decimals of 10⁻¹⁸; the kernel divides by tick and lot once, in its check
//! (EVT-83). Steps are mostly powers of ten, whose factors of two are shifted out first, so that the
//! division is one of 64 bits for every price and quantity that people use.

use units::Amount;

/// The size of a tick or a lot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    size: u128,
    shift: u32,
    /// Size with its factors of two taken out; 0 when that needs more than 64 bits.
    odd: u64,
}

impl Step {
    /// A step of `size`, which is above 0.
    pub(crate) fn new(size: Amount) -> Self {
        assert!(size > Amount::ZERO, "a step is above zero");
        let size = size.0.unsigned_abs();
        let shift = size.trailing_zeros();
        Self { size, shift, odd: u64::try_from(size >> shift).unwrap_or(0) }
    }

    /// How many steps `amount` is; `None` when it is negative, not whole, or beyond 64 bits.
    #[inline]
    pub(crate) fn count(&self, amount: Amount) -> Option<u64> {
        let amount = u128::try_from(amount.0).ok()?;
        if amount.trailing_zeros() < self.shift && amount != 0 {
            return None;
        }
        match u64::try_from(amount >> self.shift) {
            Ok(small) if self.odd != 0 => (small % self.odd == 0).then_some(small / self.odd),
            _ if amount % self.size == 0 => u64::try_from(amount / self.size).ok(),
            _ => None,
        }
    }

    /// The same, but the greatest count for what is whole and beyond 64 bits: it is above every bound of a market, and
    /// what is wrong with it is that, and not that it is not whole.
    #[inline]
    pub(crate) fn bounded_count(&self, amount: Amount) -> Option<u64> {
        let is_whole = || amount.0 > 0 && amount.0.unsigned_abs().is_multiple_of(self.size);
        self.count(amount).or_else(|| is_whole().then_some(u64::MAX))
    }

    /// What `count` steps are; `None` beyond the range of a balance.
    #[inline]
    pub(crate) fn amount(&self, count: u64) -> Option<Amount> {
        let amount = self.size.checked_mul(u128::from(count))?;
        let amount = Amount(i128::try_from(amount).ok()?);
        amount.is_balance().then_some(amount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The short way and plain division agree for every kind of step.
    #[test]
    fn counting_is_exact() {
        let mut seed = 11u64;
        for round in 0..30_000u32 {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let size = i128::from(seed % 97 + 1) * 10i128.pow(round % 21);
            let step = Step::new(Amount(size));
            let count = seed >> (round % 64);
            let Some(amount) = step.amount(count) else { continue };
            assert_eq!(step.count(amount), Some(count));
            assert_eq!(step.count(Amount(amount.0 + 1)), (size == 1).then(|| count + 1));
            assert_eq!(step.count(Amount(-amount.0)), (count == 0).then_some(0));
        }
        let (one, two) = (Step::new(Amount(1)), Step::new(Amount(2)));
        assert_eq!(one.count(Amount(i128::MAX)), None);
        assert_eq!(one.bounded_count(Amount(i128::MAX)), Some(u64::MAX));
        assert_eq!(two.bounded_count(Amount(i128::MAX)), None, "it is odd");
        assert_eq!(two.bounded_count(Amount(-2)), None);
        assert_eq!(two.bounded_count(Amount(8)), Some(4));
    }
}
