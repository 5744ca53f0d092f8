//! What the oracle remembers: accounts, balances, orders, markets, kept keys.
//!
//! Owns the plain records and their readers. Invariants: amounts are integers of 10⁻¹⁸; an order is
//! here exactly while it is open (STATE-51); a book lists an order exactly while it may be met
//! (STATE-7). It deliberately has no rule of trading: those are in the files beside it.

use std::collections::{BTreeMap, BTreeSet};

use schema::{
    AccountOpening, AccountRates, AccountStatus, AssetTerms, FeeTier, MarketTerms, Matching,
    OrderType, SelfTrade, TimeInForce, TriggerKind, WaiverReason,
};
use units::{Id, Rate, Side};

/// A balance of one account in one asset (ACCT-9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Free for orders and withdrawals.
    pub available: i128,
    /// Reserved for open orders.
    pub locked: i128,
}

/// A waiver in force (FEE-21).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiver {
    /// Why.
    pub reason: WaiverReason,
    /// When it ends by itself.
    pub ends_at: Option<i64>,
}

/// An account.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its listing number, from 0.
    pub number: u32,
    /// Id of its AccountCreated.
    pub id: Id,
    /// What it was opened with; tiers and jurisdiction as they are now.
    pub opening: AccountOpening,
    /// Whether fees are paid in the platform token.
    pub fee_in_token: bool,
    /// Its status.
    pub status: AccountStatus,
    /// How many events have counted for it (SEQ-27).
    pub version: u64,
    /// Balances by asset number; one of zero may be absent.
    pub balances: BTreeMap<u32, Balance>,
    /// Its open orders.
    pub orders: BTreeSet<u64>,
    /// How many of them are in which market.
    pub open_counts: BTreeMap<u32, usize>,
    /// Row of the shard's fee table (D-98).
    pub tier: usize,
    /// Rates of its own, maker and taker.
    pub own_rates: Option<(Rate, Rate)>,
    /// A waiver in force.
    pub waiver: Option<Waiver>,
    /// Rates that are announced, and when they begin.
    pub announced: Option<(i64, AccountRates)>,
    /// When they were announced.
    pub announced_at: i64,
    /// When all its orders are canceled by themselves (D-96).
    pub deadline: Option<i64>,
    /// Value of its trades by UTC day since 1970.
    pub volumes: BTreeMap<i64, i128>,
}

impl Account {
    /// How many open orders it has in a market, waiting ones included (LIFE-13).
    #[must_use]
    pub fn open_count(&self, market: u32) -> usize {
        self.open_counts.get(&market).copied().unwrap_or(0)
    }
}

/// What an order waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Direction.
    pub kind: TriggerKind,
    /// Price that meets it.
    pub ticks: u64,
    /// When and by which price it was met, if it was.
    pub met: Option<(i64, u64)>,
}

/// An open order.
#[derive(Clone, Debug)]
pub struct Order {
    /// Sequence of its OrderSubmitted.
    pub number: u64,
    /// Its id.
    pub id: Id,
    /// Its account.
    pub account: u32,
    /// Its market.
    pub market: u32,
    /// BUY or SELL.
    pub side: Side,
    /// LIMIT or MARKET.
    pub order_type: OrderType,
    /// How long it lives.
    pub time_in_force: TimeInForce,
    /// GTD only.
    pub expire_at: Option<i64>,
    /// Never takes.
    pub post_only: bool,
    /// What happens at an own order.
    pub self_trade: SelfTrade,
    /// Waits outside the book, until it is triggered.
    pub waiting: Option<Waiting>,
    /// Limit, or protection bound of a MARKET order.
    pub ticks: u64,
    /// Total quantity.
    pub lots: u64,
    /// What of it was filled.
    pub filled: u64,
    /// What it keeps reserved, in quote for a buy, in base for a sell.
    pub hold: i128,
    /// Taker rate that it reserved with (D-15).
    pub taker_rate: Rate,
    /// Sequence of the last event that changed it (STATE-36).
    pub state_seq: u64,
    /// The other order of its pair (D-67).
    pub pair: Option<u64>,
}

impl Order {
    /// What has not been filled.
    #[must_use]
    pub const fn remaining(&self) -> u64 {
        self.lots - self.filled
    }
}

/// An asset.
#[derive(Clone, Debug)]
pub struct Asset {
    /// Its listing number, from 1.
    pub number: u32,
    /// Its parameters.
    pub terms: AssetTerms,
}

/// A market.
#[derive(Clone, Debug)]
pub struct Market {
    /// Its listing number, from 1.
    pub number: u32,
    /// Its parameters as they are now.
    pub terms: MarketTerms,
    /// Number of the base asset.
    pub base: u32,
    /// Number of the quote asset.
    pub quote: u32,
    /// Value of one lot at one tick, in 10⁻¹⁸ of the quote asset.
    pub step: i128,
    /// Decimals that a fee is rounded at, as the smallest fee in 10⁻¹⁸ (D-7).
    pub fee_quantum: i128,
    /// Whether it takes no orders.
    pub paused: bool,
    /// Price of the last trade.
    pub last: Option<u64>,
    /// Buy orders by price, in each level first in time first.
    pub buys: BTreeMap<u64, Vec<u64>>,
    /// Sell orders by price, in each level first in time first.
    pub sells: BTreeMap<u64, Vec<u64>>,
    /// Orders that wait for their trigger, met or not.
    pub waiting: BTreeSet<u64>,
    /// When the limit of open orders was lowered last, while an account may have more.
    pub limit_lowered_at: Option<i64>,
}

impl Market {
    /// The levels of a side.
    #[must_use]
    pub const fn levels(&self, side: Side) -> &BTreeMap<u64, Vec<u64>> {
        match side {
            Side::Buy => &self.buys,
            Side::Sell => &self.sells,
        }
    }

    /// The levels of a side, to change.
    pub const fn levels_mut(&mut self, side: Side) -> &mut BTreeMap<u64, Vec<u64>> {
        match side {
            Side::Buy => &mut self.buys,
            Side::Sell => &mut self.sells,
        }
    }

    /// The best price of a side.
    #[must_use]
    pub fn best(&self, side: Side) -> Option<u64> {
        match side {
            Side::Buy => self.buys.last_key_value().map(|(&ticks, _)| ticks),
            Side::Sell => self.sells.first_key_value().map(|(&ticks, _)| ticks),
        }
    }

    /// The prices of a side, best first.
    #[must_use]
    pub fn prices(&self, side: Side) -> Vec<u64> {
        match side {
            Side::Buy => self.buys.keys().rev().copied().collect(),
            Side::Sell => self.sells.keys().copied().collect(),
        }
    }

    /// Whether it shares a level by size.
    #[must_use]
    pub fn is_pro_rata(&self) -> bool {
        self.terms.matching == Matching::ProRata
    }
}

/// A kept idempotency key (D-74).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Hash of the body.
    pub body_hash: [u8; 16],
    /// From then on it is free.
    pub expires_at: i64,
    /// Sequence of the first command.
    pub first: u64,
}

/// Number of the system account REVENUE (D-41).
pub const REVENUE: u32 = 0;
/// Number of INSURANCE_FUND.
pub const INSURANCE_FUND: u32 = 1;
/// Number of REFERRAL.
pub const REFERRAL: u32 = 2;
/// Number of EXTERNAL.
pub const EXTERNAL: u32 = 4;

/// The row of a table that a volume reaches: above the row's own volume, the first from 0 on (D-42).
#[must_use]
pub fn tier_of(table: &[FeeTier], volume: i128) -> usize {
    (1..table.len()).rev().find(|&row| volume > table[row].above.0).unwrap_or(0)
}
