//! Trading-fee tiers, rounding, rebates and the split of fees.
