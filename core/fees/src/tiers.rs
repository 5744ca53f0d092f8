//! The tier table: rates by 30-day volume (FEE-5, D-29, D-42).

use alloc::vec::Vec;

use schema::{FeeTier, Why, limits::FEE_TIER_COUNT_MAX};
use units::{Amount, Rate};

/// Highest rate of a table: 2 % (FEE-12).
pub const RATE_MAX: Rate = Rate(2_000_000);
/// Lowest maker rate of a table: −0.05 % (FEE-37).
pub const MAKER_RATE_MIN: Rate = Rate(-50_000);

/// The table of FEE-5.
#[must_use]
pub fn default_tiers() -> Vec<FeeTier> {
    [
        (0, 20_000, 100_000),
        (100_000, 10_000, 80_000),
        (1_000_000, 0, 60_000),
        (10_000_000, -10_000, 40_000),
        (100_000_000, -20_000, 20_000),
    ]
    .map(|(above, maker, taker)| FeeTier {
        above: Amount::from_units(above),
        maker: Rate(maker),
        taker: Rate(taker),
    })
    .to_vec()
}

/// Checks a table: 1 to 32 rows, the first from 0, volumes rising and below 10¹⁸ (D-70), rates in their
/// limits (FEE-37).
///
/// # Errors
/// What the refusal says.
pub fn check_tiers(tiers: &[FeeTier]) -> Result<(), Why> {
    let in_range = tiers.iter().all(|tier| tier.above < Amount::COMMAND_END);
    let first_is_zero = tiers.first().is_some_and(|tier| tier.above == Amount::ZERO);
    let rising = tiers.windows(2).all(|pair| pair[0].above < pair[1].above);
    let rates = tiers.iter().all(|tier| {
        (MAKER_RATE_MIN..=RATE_MAX).contains(&tier.maker)
            && (Rate(0)..=RATE_MAX).contains(&tier.taker)
    });
    if first_is_zero && rising && in_range && rates && tiers.len() <= FEE_TIER_COUNT_MAX {
        Ok(())
    } else {
        Err(Why::RateOutOfRange)
    }
}

/// Number of the row for a volume: an upper bound belongs to its row (D-42).
#[must_use]
pub fn tier_of(tiers: &[FeeTier], volume: Amount) -> usize {
    tiers.iter().rposition(|tier| tier.above < volume).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::ToString;
    use std::vec;

    /// The rows of the table, bounds included.
    #[test]
    fn the_default_table_is_that_of_the_specification() {
        let tiers = default_tiers();
        assert_eq!(check_tiers(&tiers), Ok(()));
        let rates = |volume: &str| {
            let row = &tiers[tier_of(&tiers, volume.parse().expect("a decimal"))];
            (row.maker.to_string(), row.taker.to_string())
        };
        let row = |maker: &str, taker: &str| (maker.to_string(), taker.to_string());
        assert_eq!(rates("0"), row("0.0002", "0.001"));
        assert_eq!(rates("100000"), row("0.0002", "0.001"));
        assert_eq!(rates("100000.000000000000000001"), row("0.0001", "0.0008"));
        assert_eq!(rates("1000000"), row("0.0001", "0.0008"));
        assert_eq!(rates("1000001"), row("0", "0.0006"));
        assert_eq!(rates("10000001"), row("-0.0001", "0.0004"));
        assert_eq!(rates("100000001"), row("-0.0002", "0.0002"));
    }

    #[test]
    fn bad_tables_are_refused() {
        let tier = |above, maker, taker| FeeTier {
            above: Amount::from_units(above),
            maker: Rate(maker),
            taker: Rate(taker),
        };
        for bad in [
            vec![],
            vec![tier(1, 0, 0)],
            vec![tier(0, 0, 0), tier(0, 0, 0)],
            vec![tier(0, -50_001, 0)],
            vec![tier(0, 2_000_001, 0)],
            vec![tier(0, 0, -1)],
            vec![tier(0, 0, 2_000_001)],
        ] {
            assert_eq!(check_tiers(&bad), Err(Why::RateOutOfRange));
        }
        assert_eq!(check_tiers(&[tier(0, -50_000, 2_000_000)]), Ok(()));
    }
}
