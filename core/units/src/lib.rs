//! Fixed-point amounts, prices in ticks, quantities in lots, rates, ids and timestamps.
