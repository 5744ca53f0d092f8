//! `Market`: the parameters, the book and the running figures of one market.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use book::Book;
use fees::FeeScale;
use schema::{Label, MarketTerms, Matching, SymbolRef};
use units::{Amount, Lots, Rate, Rounding, Side, Ticks, Timestamp};

use crate::step::Step;

/// One market.
#[derive(Clone, Debug)]
pub struct Market {
    /// All its parameters.
    pub terms: MarketTerms,
    /// Listing number, from 1.
    pub number: u32,
    /// Whether it takes orders.
    pub open: bool,
    /// The symbol's own sequence (SEQ-27).
    pub sequence: u64,
    /// Price of the last trade.
    pub last_price: Option<Ticks>,
    /// Number of the base asset.
    pub base: u32,
    /// Number of the quote asset.
    pub quote: u32,
    pub(crate) book: Book,
    pub(crate) scale: FeeScale,
    pub(crate) tick: Step,
    pub(crate) lot: Step,
    /// Whether its trades count as volume: it is quoted in USDT (D-98).
    pub(crate) counts_volume: bool,
    /// Whether it has fee tiers of its own.
    pub(crate) has_own_tiers: bool,
    /// Whether a level is shared by size.
    pub(crate) is_shared: bool,
    /// When its number of open orders was changed: what that makes due, is due from then on.
    pub(crate) limited_at: Timestamp,
    pub(crate) triggers: Triggers,
    /// Triggered orders of a paused market: they wait with their place.
    pub(crate) parked: BTreeSet<(Timestamp, u64)>,
}

/// Orders that wait for a price, by price and sequence.
#[derive(Clone, Debug, Default)]
pub(crate) struct Triggers {
    upward: BTreeSet<(Ticks, u64)>,
    downward: BTreeSet<(Ticks, u64)>,
}

impl Triggers {
    pub(crate) fn add(&mut self, is_upward: bool, ticks: Ticks, order: u64) {
        if is_upward {
            self.upward.insert((ticks, order));
        } else {
            self.downward.insert((ticks, order));
        }
    }

    pub(crate) fn remove(&mut self, is_upward: bool, ticks: Ticks, order: u64) {
        if is_upward {
            self.upward.remove(&(ticks, order));
        } else {
            self.downward.remove(&(ticks, order));
        }
    }

    /// Takes one order that a trade at `last` meets.
    #[inline]
    pub(crate) fn meet(&mut self, last: Ticks) -> Option<u64> {
        if self.upward.first().is_some_and(|&(ticks, _)| ticks <= last) {
            return self.upward.pop_first().map(|(_, order)| order);
        }
        if self.downward.last().is_some_and(|&(ticks, _)| ticks >= last) {
            return self.downward.pop_last().map(|(_, order)| order);
        }
        None
    }
}

/// The assets of a market.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    pub(crate) base: u32,
    pub(crate) quote: u32,
    pub(crate) quote_decimals: u8,
}

/// `ticks` × `rate`, rounded up or down; at the end of the range where it does not fit.
fn scaled(ticks: Ticks, rate: i64, up: bool) -> u64 {
    let (one, rate) =
        (u128::from(Rate::ONE.unsigned_abs()), u128::from(rate.max(0).unsigned_abs()));
    let product = u128::from(ticks.0) * rate;
    let whole = if up { product.div_ceil(one) } else { product / one };
    u64::try_from(whole).unwrap_or(u64::MAX)
}

/// tick × lot in 10⁻¹⁸, or `None` when that is not whole (ACCT-69).
pub(crate) fn tick_times_lot(tick: Amount, lot: Amount) -> Option<Amount> {
    // Rounded both ways (DET-24): equal when there was nothing to round.
    let product = tick.checked_mul(lot, Rounding::Down)?;
    (tick.checked_mul(lot, Rounding::Up) == Some(product)).then_some(product)
}

impl Market {
    pub(crate) fn new(number: u32, terms: MarketTerms, pair: Pair) -> Self {
        let unit = tick_times_lot(terms.tick_size, terms.lot_size);
        let unit = unit.expect("a market is listed only if tick × lot is whole (ACCT-69)");
        Self {
            number,
            open: false,
            sequence: 0,
            last_price: None,
            base: pair.base,
            quote: pair.quote,
            book: Book::new(),
            scale: FeeScale::new(unit, pair.quote_decimals),
            tick: Step::new(terms.tick_size),
            lot: Step::new(terms.lot_size),
            counts_volume: terms.quote.as_str() == "USDT",
            has_own_tiers: !terms.fee_tiers.is_empty(),
            is_shared: terms.matching == Matching::ProRata,
            limited_at: Timestamp(0),
            triggers: Triggers::default(),
            parked: BTreeSet::new(),
            terms,
        }
    }

    /// Its resting orders.
    #[must_use]
    pub const fn book(&self) -> &Book {
        &self.book
    }

    /// A price in decimals.
    #[must_use]
    pub fn price(&self, ticks: Ticks) -> Amount {
        self.tick.amount(ticks.0).expect("a price in the market's bounds (D-70)")
    }

    /// A quantity in decimals.
    #[must_use]
    pub fn quantity(&self, lots: Lots) -> Amount {
        self.lot.amount(lots.0).expect("a quantity in the market's bounds (D-70)")
    }

    /// Value of `units` tick × lots in the quote asset.
    #[must_use]
    pub fn value(&self, units: u128) -> Option<Amount> {
        self.scale.value(units)
    }

    /// What an order of `lots` at `ticks` must have reserved: a buy its value and the taker fee on it,
    /// rounded up (D-15), a sell its quantity. `None` when that does not fit the number format.
    #[inline]
    pub(crate) fn requirement(
        &self,
        side: Side,
        order: (Ticks, Lots),
        rate: Rate,
    ) -> Option<Amount> {
        let (ticks, lots) = order;
        match side {
            Side::Sell => self.lot.amount(lots.0),
            Side::Buy => {
                let units = u128::from(ticks.0) * u128::from(lots.0);
                let value = self.scale.value(units)?;
                let fee = self.scale.fee(units, rate)?.min(value);
                let sum = value.checked_add(fee)?;
                sum.is_balance().then_some(sum)
            }
        }
    }

    /// The furthest price of a market order from the best opposite one, kept inside the market's
    /// bounds: a buy rounds down, a sell up (LIFE-19, D-94).
    pub(crate) fn protected(&self, side: Side, best: Ticks) -> Ticks {
        let bound = self.terms.protection_bound.0;
        match side {
            Side::Buy => Ticks(scaled(best, Rate::ONE + bound, false)).min(self.terms.max_price),
            Side::Sell => Ticks(scaled(best, Rate::ONE - bound, true)).max(self.terms.min_price),
        }
    }

    /// Whether a limit price lies inside the market's band around the last trade (D-95).
    pub(crate) fn is_in_band(&self, price: Ticks) -> bool {
        let Some((band, last)) = self.terms.price_band.zip(self.last_price) else { return true };
        let lowest = scaled(last, Rate::ONE - band.0, true);
        let highest = scaled(last, Rate::ONE + band.0, false);
        (lowest..=highest).contains(&price.0)
    }

    /// The asset that an order of this side reserves.
    #[inline]
    pub(crate) const fn reserved_asset(&self, side: Side) -> u32 {
        match side {
            Side::Buy => self.quote,
            Side::Sell => self.base,
        }
    }
}

/// All markets of a shard.
#[derive(Clone, Debug, Default)]
pub(crate) struct Markets {
    all: Vec<Market>,
    numbers: BTreeMap<Label, u32>,
}

impl Markets {
    pub(crate) fn list(&mut self, market: Market) {
        assert_eq!(market.number, self.count() + 1, "listing numbers are counted");
        let before = self.numbers.insert(market.terms.symbol, market.number);
        assert!(before.is_none(), "a market is listed once");
        self.all.push(market);
    }

    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.all.len()).expect("markets are bounded")
    }

    pub(crate) fn number(&self, symbol: &Label) -> Option<u32> {
        self.numbers.get(symbol).copied()
    }

    /// The market that a command names. A text may have become a symbol since the command was made.
    #[inline]
    pub(crate) fn find(&self, symbol: &SymbolRef) -> Option<&Market> {
        match symbol {
            SymbolRef::Listed(number) => self.market(*number),
            SymbolRef::Unknown(text) => self.market(self.number(text)?),
        }
    }

    #[inline]
    pub(crate) fn market(&self, number: u32) -> Option<&Market> {
        self.all.get((number as usize).checked_sub(1)?)
    }

    /// A market that is known to exist.
    #[inline]
    pub(crate) fn at(&self, number: u32) -> &Market {
        &self.all[number as usize - 1]
    }

    /// A market that is known to exist, to change.
    #[inline]
    pub(crate) fn at_mut(&mut self, number: u32) -> &mut Market {
        &mut self.all[number as usize - 1]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Market> {
        self.all.iter()
    }
}
