//! The tables of document 18: what is limited, per whom, and how much.
//!
//! The limiter and the public document are both made from these (RATE-64), so neither can say what the
//! other does not do.

use schema::{ApiClass, OrderTier};

use crate::bucket::{Rate, SECOND};

/// What a request is, for the request layer (RATE-3). Every endpoint has exactly one (RATE-9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// Books, trades, tickers, listings.
    MarketData,
    /// Balances, orders, histories of an account, and what only an account may ask.
    AccountQuery,
    /// Whatever puts an order into a book.
    OrderPlacement,
    /// Whatever takes one out.
    OrderCancellation,
    /// Money that leaves.
    Withdrawal,
}

/// A bucket of an account or of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// Requests of a category.
    Requests(Category),
    /// Orders a second.
    Orders,
    /// Cancelled orders a second.
    Cancels,
    /// Cancel-all (RATE-7).
    CancelAll,
    /// Requests of an address without valid credentials (RATE-49).
    Stranger,
}

/// What the limits of an account follow from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Class of the request layer.
    pub class: ApiClass,
    /// Tier of the order layer.
    pub tier: OrderTier,
}

impl Category {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::MarketData,
        Self::AccountQuery,
        Self::OrderPlacement,
        Self::OrderCancellation,
        Self::Withdrawal,
    ];

    /// As messages and documents name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MarketData => "Market data",
            Self::AccountQuery => "Account query",
            Self::OrderPlacement => "Order placement",
            Self::OrderCancellation => "Order cancellation",
            Self::Withdrawal => "Withdrawal",
        }
    }

    /// As keys and figures name it.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::MarketData => "market_data",
            Self::AccountQuery => "account_query",
            Self::OrderPlacement => "order_placement",
            Self::OrderCancellation => "order_cancellation",
            Self::Withdrawal => "withdrawal",
        }
    }

    /// Its place in `ALL`.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Whether load and bans spare it: nobody's exit is closed (RATE-37, RATE-46, RATE-73).
    #[must_use]
    pub const fn is_exit(self) -> bool {
        matches!(self, Self::OrderCancellation | Self::Withdrawal)
    }
}

impl Slot {
    /// As keys of a shared store name it.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Requests(category) => category.key(),
            Self::Orders => "orders",
            Self::Cancels => "cancels",
            Self::CancelAll => "cancel_all",
            Self::Stranger => "stranger",
        }
    }
}

/// Requests of a category (RATE-3).
#[must_use]
pub const fn requests(category: Category, class: ApiClass) -> Rate {
    match (category, class) {
        (Category::MarketData, _) => per(100, MINUTE),
        (Category::AccountQuery, _) => per(60, MINUTE),
        (Category::OrderPlacement, ApiClass::Standard) => per(20, SECOND),
        (Category::OrderPlacement, ApiClass::Vip) => per(100, SECOND),
        (Category::OrderPlacement, ApiClass::Institutional) => per(500, SECOND),
        (Category::OrderCancellation, _) => per(50, SECOND),
        (Category::Withdrawal, _) => per(10, HOUR),
    }
}

/// Orders a second (RATE-4).
#[must_use]
pub const fn orders(tier: OrderTier) -> Rate {
    match tier {
        OrderTier::Retail => per(5, SECOND),
        OrderTier::Intermediate => per(20, SECOND),
        OrderTier::Professional => per(100, SECOND),
        OrderTier::MarketMaker => per(500, SECOND),
    }
}

/// Cancelled orders a second: twice the placements (RATE-4).
#[must_use]
pub const fn cancels(tier: OrderTier) -> Rate {
    per(2 * orders(tier).tokens(), SECOND)
}

/// Orders of a UTC day, unless they are unlimited (RATE-4).
#[must_use]
pub const fn orders_a_day(tier: OrderTier) -> Option<u32> {
    match tier {
        OrderTier::Retail => Some(10_000),
        OrderTier::Intermediate => Some(100_000),
        OrderTier::Professional => Some(1_000_000),
        OrderTier::MarketMaker => None,
    }
}

/// A window in words (RATE-28).
#[must_use]
pub const fn window_name(window: u64) -> &'static str {
    match window {
        SECOND => "1 second",
        MINUTE => "1 minute",
        HOUR => "1 hour",
        DAY => "1 day",
        HALF_SECOND => "500 milliseconds",
        _ => "window",
    }
}

const fn per(tokens: u32, window: u64) -> Rate {
    match Rate::new(tokens, window) {
        Some(rate) => rate,
        None => panic!("a rate of the tables is out of range"), // seen when it is compiled
    }
}

/// Nanoseconds of a minute.
pub const MINUTE: u64 = 60 * SECOND;
/// Nanoseconds of an hour.
pub const HOUR: u64 = 60 * MINUTE;
/// Nanoseconds of a day.
pub const DAY: u64 = 24 * HOUR;
const HALF_SECOND: u64 = SECOND / 2;

/// Cancel-all: once per 500 ms, no burst (RATE-7).
pub const CANCEL_ALL: Rate = match Rate::with_burst(1, HALF_SECOND, 1) {
    Some(rate) => rate,
    None => panic!("a rate of the tables is out of range"),
};
/// An address without valid credentials (RATE-49).
pub const STRANGER: Rate = per(1_000, MINUTE);
/// Connections for market data, of one address and of one account (RATE-11).
pub const STREAM_COUNT_MAX: u32 = 10;
/// Symbols of one of them (RATE-11).
pub const STREAM_SYMBOL_COUNT_MAX: u32 = 50;
/// Private streams of one account (RATE-11).
pub const PRIVATE_STREAM_COUNT_MAX: u32 = 5;
/// Channels of one of them (RATE-11).
pub const PRIVATE_CHANNEL_COUNT_MAX: u32 = 20;
/// What a listed address may do more (RATE-40).
pub const LISTED_FACTOR: u32 = 10;
/// Violations within an hour that lead to a ban (RATE-36).
pub const BAN_VIOLATION_COUNT: usize = 10;
/// How long a ban lasts, and the hour of violations, warnings and hits, in seconds (RATE-33, RATE-36).
pub const HOUR_SECONDS: u64 = 3_600;
/// Hits within an hour that lead to a review (RATE-62).
pub const REVIEW_HIT_COUNT: usize = 100;
