//! Prices in ticks, quantities in lots, and the two sides of a market.
//!
//! A market fixes its tick and its lot; inside the core a price is a whole number of ticks and a
//! quantity a whole number of lots (D-6), so comparing and subtracting them is exact and cheap. What
//! a tick or a lot is worth is known to the market alone (`schema::MarketTerms`).

/// A price: a whole number of ticks, 1 or more for a real price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticks(pub u64);

/// A quantity: a whole number of lots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lots(pub u64);

/// The side of an order or of a trade's taker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Gives the quote asset, gets the base asset.
    Buy,
    /// Gives the base asset, gets the quote asset.
    Sell,
}

impl Side {
    /// The side that this one trades against.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    /// The word of the interface: `BUY` or `SELL` (LIFE-6).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Buy => "BUY",
            Self::Sell => "SELL",
        }
    }
}
