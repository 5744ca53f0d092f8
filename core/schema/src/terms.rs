//! The parameters of assets and markets, as their listing sets them (D-75, EVT-87).
//!
//! A listing command carries all of them, its event repeats all of them, and no parameter comes from
//! anywhere else. Parameters that only derivatives need join with those markets.

use alloc::vec::Vec;

use units::{Amount, Lots, Rate, Ticks, Timestamp};

use crate::{Label, MarketKind, Matching};

/// One row of a fee tier table: for 30-day volumes above `above`, the first from 0 on (D-42).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeeTier {
    /// Volume in USDT that the row begins above.
    pub above: Amount,
    /// Rate of the side that rested; negative for a rebate.
    pub maker: Rate,
    /// Rate of the side that came in.
    pub taker: Rate,
}

/// What an asset is on one chain (D-59).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkTerms {
    /// Name of the network.
    pub network: Label,
    /// Smallest withdrawal, in the asset.
    pub min_withdrawal: Amount,
    /// Fee of a withdrawal, in the asset.
    pub withdrawal_fee: Amount,
    /// Blocks before a deposit counts (D-33).
    pub confirmations: u32,
    /// Whether deposits are taken.
    pub deposits_open: bool,
    /// Whether withdrawals are made.
    pub withdrawals_open: bool,
}

/// An asset with all its parameters (ACCT-39).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssetTerms {
    /// Short name, such as BTC.
    pub symbol: Label,
    /// Long name, such as Bitcoin.
    pub name: Label,
    /// Digits behind the point of amounts that come in and go out.
    pub decimals: u8,
    /// Whether margin accounts may use it as collateral.
    pub is_collateral: bool,
    /// Share of its value that counts as collateral, 0 to 1.
    pub collateral_weight: Rate,
    /// The chains it lives on.
    pub networks: Vec<NetworkTerms>,
}

/// A market with all the parameters that spot trading needs (ACCT-70).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketTerms {
    /// Symbol (D-18).
    pub symbol: Label,
    /// Spot, perpetual or future.
    pub kind: MarketKind,
    /// Asset that is bought and sold.
    pub base: Label,
    /// Asset of the price.
    pub quote: Label,
    /// Smallest step of the price, in quote per base.
    pub tick_size: Amount,
    /// Smallest step of the quantity, in base.
    pub lot_size: Amount,
    /// Lowest price, whole ticks.
    pub min_price: Ticks,
    /// Highest price, whole ticks.
    pub max_price: Ticks,
    /// Smallest quantity, whole lots.
    pub min_quantity: Lots,
    /// Largest quantity, whole lots.
    pub max_quantity: Lots,
    /// Rule inside a price level.
    pub matching: Matching,
    /// How far a market order may go from the best price (D-15).
    pub protection_bound: Rate,
    /// How far the price of a limit order may lie from the last trade's, both ways; absent for
    /// anywhere (D-95).
    pub price_band: Option<Rate>,
    /// Open orders of one account (LIFE-13).
    pub open_orders_max: u32,
    /// Fee tiers of this market alone; empty for the shard's.
    pub fee_tiers: Vec<FeeTier>,
    /// Until then only post-only orders are taken.
    pub post_only_until: Option<Timestamp>,
}

/// New values for parameters of a market that may change while it trades; what is absent stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MarketParameters {
    /// Lowest price, whole ticks.
    pub min_price: Option<Ticks>,
    /// Highest price, whole ticks.
    pub max_price: Option<Ticks>,
    /// Smallest quantity, whole lots.
    pub min_quantity: Option<Lots>,
    /// Largest quantity, whole lots.
    pub max_quantity: Option<Lots>,
    /// How far a market order may go from the best price.
    pub protection_bound: Option<Rate>,
    /// How far a limit price may lie from the last trade's; `Some(None)` takes the band away.
    pub price_band: Option<Option<Rate>>,
    /// Open orders of one account.
    pub open_orders_max: Option<u32>,
}

impl MarketParameters {
    /// The terms with these values in place.
    #[must_use]
    pub fn applied(&self, mut terms: MarketTerms) -> MarketTerms {
        terms.min_price = self.min_price.unwrap_or(terms.min_price);
        terms.max_price = self.max_price.unwrap_or(terms.max_price);
        terms.min_quantity = self.min_quantity.unwrap_or(terms.min_quantity);
        terms.max_quantity = self.max_quantity.unwrap_or(terms.max_quantity);
        terms.protection_bound = self.protection_bound.unwrap_or(terms.protection_bound);
        terms.price_band = self.price_band.unwrap_or(terms.price_band);
        terms.open_orders_max = self.open_orders_max.unwrap_or(terms.open_orders_max);
        terms
    }

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
