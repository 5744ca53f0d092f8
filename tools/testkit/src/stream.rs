//! The benchmark stream: seeded commands on one symbol, with the trades they must make.
//!
//! Owns what every throughput figure of the project is measured on. The mix: 50 % orders that rest,
//! 40 % cancels of a random resting order, 5 % takers, 5 % reductions of a random resting order. The
//! first commands, `resting` of them (10,000 of a long stream), only add: they are the prefill, and
//! count as commands. After it the count of resting orders stays within a tenth of `resting`: outside,
//! the next add is a cancel or the other way round. The middle walks by one tick in 32 commands, between
//! 500 ticks below and above 100,000; orders rest up to 500 ticks from it, nearer ones likelier; a
//! taker's side is the one that moves the touch to the middle. Quantities are 1 to 100 lots.
//!
//! Invariants: the commands follow from the seed; ids are dense from 0; no order that is to rest would
//! cross; every cancel and reduction names an order that rests; buyers are the lower half of the
//! accounts and sellers the upper half, so nobody ever trades with himself. It deliberately knows no
//! command format: a caller maps an `Op` to what it measures.

use units::{Lots, Side, Ticks};

use crate::naive::{NaiveBook, Resting, Taker};
use crate::rng::SplitMix64;

/// One command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// An order that rests; it meets no order opposite.
    Add {
        /// Its number, one more than the last order's.
        id: u32,
        /// Its account.
        account: u32,
        /// Its side.
        side: Side,
        /// Its price.
        ticks: Ticks,
        /// Its quantity.
        lots: Lots,
    },
    /// An order that trades with at least one other; what remains of it does not rest (IOC).
    Take {
        /// Its number, one more than the last order's.
        id: u32,
        /// Its account.
        account: u32,
        /// Its side.
        side: Side,
        /// The worst price it accepts.
        ticks: Ticks,
        /// Its quantity.
        lots: Lots,
    },
    /// Takes a resting order off.
    Cancel {
        /// The order, which rests.
        id: u32,
    },
    /// Reduces a resting order to nothing: a caller maps it to a reduction by all that is left or to
    /// a cancel, and the trades to expect are the same.
    Reduce {
        /// The order, which rests.
        id: u32,
    },
}

/// What a stream is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    seed: u64,
    commands: usize,
    accounts: u32,
    spacing: u64,
    resting: Option<usize>,
}

/// A stream and what it must lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The commands, prefill first.
    pub ops: Vec<Op>,
    /// How many of them are the prefill.
    pub prefill: usize,
    /// How many ids the commands use: ids are 0 to this minus 1.
    pub ids: u32,
    /// The trades that the commands make.
    pub trades: Tally,
    /// How many orders rest after the last command.
    pub resting: usize,
}

/// A count and a checksum of trades, in their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many trades.
    pub count: u64,
    /// The lots they moved.
    pub lots: u64,
    /// Depends on every number of every trade and on their order.
    pub checksum: u64,
}

impl Stream {
    /// `commands` commands from `seed`, over 1,000 accounts.
    #[must_use]
    pub const fn new(seed: u64, commands: usize) -> Self {
        Self { seed, commands, accounts: 1_000, spacing: 1, resting: None }
    }

    /// Over `accounts` accounts, numbered from 0; at least two, as buyers and sellers differ.
    #[must_use]
    pub const fn with_accounts(self, accounts: u32) -> Self {
        assert!(accounts >= 2, "buyers and sellers are distinct");
        Self { accounts, ..self }
    }

    /// With every price multiplied by `spacing`: the same matches over a ladder with gaps, as in a
    /// market whose tick is very small.
    #[must_use]
    pub const fn with_spacing(self, spacing: u64) -> Self {
        assert!(spacing > 0, "a price is one tick or more");
        Self { spacing, ..self }
    }

    /// With so many orders at rest, about.
    #[must_use]
    pub const fn with_resting(self, count: usize) -> Self {
        Self { resting: Some(count), ..self }
    }

    /// How many orders rest, about: as asked for, or 10,000, or a quarter of a stream that is too
    /// short for that.
    #[must_use]
    pub const fn resting(&self) -> usize {
        if let Some(count) = self.resting {
            return count;
        }
        if self.commands / 4 < RESTING { self.commands / 4 } else { RESTING }
    }

    /// The commands.
    #[must_use]
    pub fn generate(&self) -> Vec<Op> {
        self.script().ops
    }

    /// The commands with what they must lead to.
    #[must_use]
    pub fn script(&self) -> Script {
        let mut market = Market::new(*self);
        let ops =
            (0..self.commands).map(|index| market.next_op(index).spaced(self.spacing)).collect();
        let (ids, trades, resting) = (market.next_id, market.trades, market.live.len());
        Script { ops, prefill: self.resting(), ids, trades, resting }
    }
}

impl Op {
    const fn spaced(mut self, spacing: u64) -> Self {
        if let Self::Add { ticks, .. } | Self::Take { ticks, .. } = &mut self {
            ticks.0 *= spacing;
        }
        self
    }
}

impl Tally {
    /// Counts a trade; `taker` and `maker` are ids of the stream.
    #[inline]
    pub const fn add(&mut self, taker: u32, maker: u32, at: (Ticks, Lots)) {
        self.count += 1;
        self.lots += at.1.0;
        let pair = (taker as u64) << 32 | maker as u64;
        let mixed = (self.checksum ^ pair).wrapping_mul(MIX).rotate_left(29) ^ at.0.0;
        self.checksum = mixed.wrapping_mul(MIX).rotate_left(31) ^ at.1.0;
    }
}

/// The generator at work: the middle, and a naive book that knows which orders rest.
struct Market {
    stream: Stream,
    rng: SplitMix64,
    middle: u64,
    book: NaiveBook,
    live: Live,
    next_id: u32,
    trades: Tally,
}

impl Market {
    fn new(stream: Stream) -> Self {
        Self {
            stream,
            rng: SplitMix64::new(stream.seed),
            middle: MIDDLE,
            book: NaiveBook::new(),
            live: Live::default(),
            next_id: 0,
            trades: Tally::default(),
        }
    }

    fn next_op(&mut self, index: usize) -> Op {
        let resting = self.stream.resting();
        if index < resting || self.live.len() == 0 {
            return self.add();
        }
        self.step_middle();
        let draw = self.rng.below(100);
        let (few, many) = (resting - resting / 10, resting + resting / 10);
        match draw {
            0..50 if self.live.len() > many => self.cancel(),
            0..50 => self.add(),
            50..90 if self.live.len() < few => self.add(),
            50..90 => self.cancel(),
            90..95 => Op::Reduce { id: self.leave_random() },
            _ => self.take(),
        }
    }

    fn step_middle(&mut self) {
        if self.rng.below(32) == 0 {
            let next = if self.rng.coin() { self.middle + 1 } else { self.middle - 1 };
            self.middle = next.clamp(MIDDLE - REACH, MIDDLE + REACH);
        }
    }

    fn add(&mut self) -> Op {
        let side = if self.rng.coin() { Side::Buy } else { Side::Sell };
        // The smaller of two draws: near prices are likelier, and the farthest still happen.
        let distance = 1 + self.rng.below(REACH).min(self.rng.below(REACH));
        let opposite = self.book.best(side.opposite());
        let ticks = match side {
            Side::Buy => opposite.map_or(u64::MAX, |best| best.0 - 1).min(self.middle - distance),
            Side::Sell => opposite.map_or(0, |best| best.0 + 1).max(self.middle + distance),
        };
        let (id, account, lots) = self.order(side);
        let ticks = Ticks(ticks);
        self.book.add(side, ticks, Resting { id, account, lots });
        self.live.enter(id);
        Op::Add { id, account, side, ticks, lots }
    }

    fn cancel(&mut self) -> Op {
        Op::Cancel { id: self.leave_random() }
    }

    fn leave_random(&mut self) -> u32 {
        let id = self.live.pick(&mut self.rng);
        self.live.leave(id);
        self.book.cancel(id).expect("a live order rests");
        id
    }

    fn take(&mut self) -> Op {
        let Some((side, best)) = self.touch_to_move() else { return self.add() };
        let slack = self.rng.below(TAKER_SLACK);
        let ticks = match side {
            Side::Buy => Ticks(best.0 + slack),
            Side::Sell => Ticks(best.0 - slack),
        };
        let (id, account, lots) = self.order(side);
        let (live, trades, spacing) = (&mut self.live, &mut self.trades, self.stream.spacing);
        self.book.take(Taker { side, limit: ticks, lots }, |price, maker, filled| {
            trades.add(id, maker.id, (Ticks(price.0 * spacing), filled));
            if filled == maker.lots {
                live.leave(maker.id);
            }
        });
        Op::Take { id, account, side, ticks, lots }
    }

    /// The taker's side that brings the touch nearer to the middle, and the best price it meets;
    /// `None` if there is nothing to take.
    fn touch_to_move(&mut self) -> Option<(Side, Ticks)> {
        let asks_are_low = self.book.best(Side::Sell).is_some_and(|best| best.0 <= self.middle);
        let bids_are_high = self.book.best(Side::Buy).is_some_and(|best| best.0 >= self.middle);
        let side = match (asks_are_low, bids_are_high) {
            (true, false) => Side::Buy,
            (false, true) => Side::Sell,
            _ if self.rng.coin() => Side::Buy,
            _ => Side::Sell,
        };
        self.book.best(side.opposite()).map(|best| (side, best))
    }

    /// Id, account and quantity of the next order.
    fn order(&mut self, side: Side) -> (u32, u32, Lots) {
        let id = self.next_id;
        self.next_id += 1;
        let buyers = self.stream.accounts / 2;
        let account = match side {
            Side::Buy => self.rng.below_u32(buyers),
            Side::Sell => buyers + self.rng.below_u32(self.stream.accounts - buyers),
        };
        (id, account, Lots(self.rng.between(1, 100)))
    }
}

/// The ids that rest, with a random one at hand.
#[derive(Default)]
struct Live {
    ids: Vec<u32>,
    /// Where an id stands in `ids`; what it says of an id that has left means nothing.
    positions: Vec<usize>,
}

impl Live {
    fn len(&self) -> usize {
        self.ids.len()
    }

    fn enter(&mut self, id: u32) {
        let id_count = id as usize + 1;
        self.positions.resize(id_count.max(self.positions.len()), 0);
        self.positions[id as usize] = self.ids.len();
        self.ids.push(id);
    }

    fn pick(&self, rng: &mut SplitMix64) -> u32 {
        *rng.pick(&self.ids).expect("an order rests")
    }

    fn leave(&mut self, id: u32) {
        let position = self.positions[id as usize];
        assert!(self.ids[position] == id, "an order leaves once");
        self.ids.swap_remove(position);
        if let Some(&moved) = self.ids.get(position) {
            self.positions[moved as usize] = position;
        }
    }
}

const RESTING: usize = 10_000;
const MIDDLE: u64 = 100_000;
/// How far the middle walks either way, and how far from it an order rests.
const REACH: u64 = 500;
/// A taker's limit is up to this many ticks, less one, beyond the best price.
const TAKER_SLACK: u64 = 5;
/// An odd number with well spread bits, that of SplitMix64's sequence.
const MIX: u64 = 0x9E37_79B9_7F4A_7C15;

#[cfg(test)]
mod tests;
