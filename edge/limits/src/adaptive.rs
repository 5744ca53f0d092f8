//! What moves a limit: listed addresses, behaviour, load (section 7 of document 18).

use schema::OrderTier;

use crate::bucket::{Rate, SECOND};
use crate::tables::LISTED_FACTOR;

/// What a base rate is multiplied by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Factors {
    /// The address is on the list (RATE-40).
    pub is_listed: bool,
    /// The behaviour percent, 50 to 200.
    pub percent: Percent,
    /// The system is above its load (RATE-45).
    pub is_loaded: bool,
}

/// Behaviour percent of an account (RATE-47).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(u16);

/// What an account did on one UTC day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayCounts {
    /// Orders placed.
    pub orders: u64,
    /// Of them, cancelled by the account.
    pub canceled: u64,
    /// Of them, stopped from trading with the account itself.
    pub self_trades: u64,
    /// Of them, with a fill.
    pub filled: u64,
}

/// What a day was (RATE-48).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayJudgement {
    /// The percent rises.
    Good,
    /// It stays.
    Plain,
    /// It falls.
    Bad,
}

/// Whether the system is loaded, from one sample a second (RATE-45).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoadGate {
    /// When the load was last above the bound, if limits are halved for it.
    above: Option<u64>,
}

/// Above it limits halve, in per mille of the busiest part.
pub const LOAD_PER_MILLE_MAX: u32 = 800;
/// How long the load stays low before limits return.
const LOAD_CALM: u64 = 10 * SECOND;
/// A day with fewer orders says nothing.
const DAY_ORDER_COUNT_MIN: u64 = 100;

impl Factors {
    /// Nothing moves.
    pub const NONE: Self = Self { is_listed: false, percent: Percent::START, is_loaded: false };

    /// The effective tokens of a window (RATE-43): each division down, against the client, and never 0.
    #[must_use]
    pub fn apply(self, base: u32) -> u32 {
        let listed = if self.is_listed { LISTED_FACTOR } else { 1 };
        let behaved = u64::from(base) * u64::from(listed) * u64::from(self.percent.0) / 100;
        let tokens = if self.is_loaded { behaved / 2 } else { behaved };
        u32::try_from(tokens.max(1)).unwrap_or(u32::MAX)
    }

    /// The effective rate; the base itself where a bucket could not hold it.
    #[must_use]
    pub fn rate(self, base: Rate) -> Rate {
        Rate::new(self.apply(base.tokens()), base.window()).unwrap_or(base)
    }
}

impl Percent {
    /// Where everyone begins.
    pub const START: Self = Self(100);
    const MIN: u16 = 50;
    const MAX: u16 = 200;
    const STEP: u16 = 10;

    /// A percent between its bounds.
    #[must_use]
    pub fn new(percent: u16) -> Self {
        Self(percent.clamp(Self::MIN, Self::MAX))
    }

    /// The number.
    #[must_use]
    pub const fn value(self) -> u16 {
        self.0
    }

    /// After a day (RATE-47).
    #[must_use]
    pub fn after(self, day: DayJudgement) -> Self {
        match day {
            DayJudgement::Good => Self::new(self.0 + Self::STEP),
            DayJudgement::Plain => self,
            DayJudgement::Bad => Self::new(self.0.saturating_sub(Self::STEP)),
        }
    }
}

impl DayCounts {
    /// What the day was for an account of the tier (RATE-48). Ratios are compared by products: nothing
    /// is rounded.
    #[must_use]
    pub fn judge(&self, tier: OrderTier) -> DayJudgement {
        if self.orders < DAY_ORDER_COUNT_MIN {
            return DayJudgement::Plain;
        }
        let by_self_trades_only = tier == OrderTier::MarketMaker;
        let is_at_least = |part: u64, percent: u64| {
            u128::from(part) * 100 >= u128::from(self.orders) * u128::from(percent)
        };
        let cancels_bad = !by_self_trades_only && is_at_least(self.canceled, 90);
        if cancels_bad || is_at_least(self.self_trades, 10) {
            return DayJudgement::Bad;
        }
        let fills_good = by_self_trades_only || is_at_least(self.filled, 10);
        if fills_good && !is_at_least(self.self_trades, 5) {
            return DayJudgement::Good;
        }
        DayJudgement::Plain
    }
}

impl LoadGate {
    /// Takes the sample of a second and says whether limits are halved now.
    pub fn sample(&mut self, now: u64, per_mille: u32) -> bool {
        if per_mille > LOAD_PER_MILLE_MAX {
            self.above = Some(now);
        } else if self.above.is_some_and(|above| now.saturating_sub(above) >= LOAD_CALM) {
            self.above = None;
        }
        self.above.is_some()
    }
}
