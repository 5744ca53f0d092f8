//! The rank of a price: a number that is lower the better the price is, on both sides.
//!
//! Owns the mapping between a price and its rank, and the split of a rank into leaf and slot. A sell
//! ranks by its price, a buy by the complement of its price, so "best" is "lowest" everywhere behind
//! this file and no other code branches on the side. It deliberately orders prices only; time is the
//! queue's concern.

use units::{Side, Ticks};

/// A price as its side orders it: lower is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank(u64);

impl Rank {
    pub(crate) const WORST: Self = Self(u64::MAX);

    #[inline]
    pub(crate) const fn of(side: Side, ticks: Ticks) -> Self {
        Self(ticks.0 ^ mask(side))
    }

    /// The rank at `slot` of the leaf with this key.
    #[inline]
    pub(crate) const fn at(leaf_key: u64, slot: u32) -> Self {
        Self(leaf_key << SLOT_BITS | slot as u64)
    }

    #[inline]
    pub(crate) const fn ticks(self, side: Side) -> Ticks {
        Ticks(self.0 ^ mask(side))
    }

    /// Which leaf holds this rank; leaves with lower keys hold better prices.
    #[inline]
    pub(crate) const fn leaf_key(self) -> u64 {
        self.0 >> SLOT_BITS
    }

    /// The place inside the leaf, 0 to 63.
    #[inline]
    pub(crate) const fn slot(self) -> u32 {
        (self.0 & SLOT_MASK) as u32
    }
}

const fn mask(side: Side) -> u64 {
    match side {
        Side::Buy => u64::MAX,
        Side::Sell => 0,
    }
}

/// A leaf has 64 slots, so that one word says which of them are occupied.
pub(crate) const SLOT_BITS: u32 = 6;
const SLOT_MASK: u64 = (1 << SLOT_BITS) - 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_better_price_has_the_lower_rank() {
        let of = |side, ticks| Rank::of(side, Ticks(ticks));
        assert!(of(Side::Buy, 11) < of(Side::Buy, 10));
        assert!(of(Side::Sell, 10) < of(Side::Sell, 11));
        assert!(of(Side::Buy, u64::MAX) < of(Side::Buy, 1));
        assert!(of(Side::Sell, 1) < of(Side::Sell, u64::MAX));
    }

    #[test]
    fn a_rank_comes_back_from_leaf_and_slot() {
        for side in [Side::Buy, Side::Sell] {
            for ticks in [1, 63, 64, 65, 1 << 40, u64::MAX - 64, u64::MAX - 1, u64::MAX] {
                let rank = Rank::of(side, Ticks(ticks));
                assert_eq!(rank.ticks(side), Ticks(ticks));
                assert_eq!(Rank::at(rank.leaf_key(), rank.slot()), rank);
            }
        }
    }
}
