//! Who gets what a trade's two fees leave (D-28, FEE-34).

use units::Amount;

/// The three shares; they sum to what was split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split {
    /// 70 %, and any last digit.
    pub revenue: Amount,
    /// 20 %.
    pub insurance: Amount,
    /// 10 %.
    pub referral: Amount,
}

const INSURANCE_PERCENT: i128 = 20;
const REFERRAL_PERCENT: i128 = 10;

/// Splits `net`, which is 0 or more. Shares round down at 18 decimals; revenue takes what is left.
///
/// # Panics
/// When `net` is negative, which rebates are cut to exclude (D-43).
#[must_use]
#[inline]
pub fn split(net: Amount) -> Split {
    assert!(net >= Amount::ZERO, "no trade costs the exchange money (D-43)");
    // Fees have 8 decimals, so the division by ten is exact there; the remainder goes to revenue.
    let tenth = match u64::try_from(net.0) {
        Ok(small) => i128::from(small / 10),
        Err(_) => net.0 / 10,
    };
    let (insurance, referral) = if net.0 == tenth * 10 {
        (Amount(tenth * (INSURANCE_PERCENT / 10)), Amount(tenth * (REFERRAL_PERCENT / 10)))
    } else {
        (Amount(net.0 * INSURANCE_PERCENT / 100), Amount(net.0 * REFERRAL_PERCENT / 100))
    };
    Split { revenue: net - insurance - referral, insurance, referral }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;

    /// 70, 20 and 10 parts of a hundred, to the last unit, the odd one to revenue.
    /// covers: FEE-34
    #[test]
    fn shares_are_exact_and_sum_up() {
        let share = split(Amount::from_units(60));
        assert_eq!(share.revenue, Amount::from_units(42));
        assert_eq!(share.insurance, Amount::from_units(12));
        assert_eq!(share.referral, Amount::from_units(6));
        for net in (0..2_000).chain([1 << 90, (1 << 90) + 7]) {
            let share = split(Amount(net));
            assert_eq!(share.revenue + share.insurance + share.referral, Amount(net));
            assert_eq!(share.insurance, Amount(net * 20 / 100));
            assert_eq!(share.referral, Amount(net * 10 / 100));
        }
        assert!(std::panic::catch_unwind(|| split(Amount(-1))).is_err());
    }
}
