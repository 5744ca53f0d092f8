//! The book against the naive book, over random calls.
//!
//! Every call's answer, both best prices and both fronts are compared after every call; all levels
//! and all orders, and the structure itself, every few hundred calls and at the end. Prices come from
//! four worlds, so that leaves, cache clashes and the far ends of `u64` are all met.

use alloc::vec::Vec;

use testkit::naive::{NaiveBook, Resting, Taker};
use testkit::rng::SplitMix64;
use units::{Lots, Side, Ticks};

use crate::{Book, Entry, NodeId};

/// How a run draws its prices.
#[derive(Clone, Copy, Debug)]
enum Prices {
    /// Ten neighbours: long queues.
    Few,
    /// A thousand neighbours: many leaves.
    Near,
    /// Steps of 4,096 ticks and a few beside: every leaf clashes in the cache.
    Clashing,
    /// The ends of the range, powers of two and their neighbours, and anything.
    Far,
}

/// covers: TRADE-7, LIFE-22
/// covers: DET-45
#[test]
fn the_book_is_the_naive_book() {
    for prices in [Prices::Few, Prices::Near, Prices::Clashing, Prices::Far] {
        for seed in 1..=4 {
            let mut pair = Pair::new(seed, prices);
            for call in 0..CALLS {
                pair.step(call);
                pair.compare_tops();
                if call % 256 == 0 {
                    pair.compare_all();
                }
            }
            pair.compare_all();
            pair.drain();
        }
    }
}

#[test]
fn equal_calls_make_equal_books() {
    let run = || {
        let mut pair = Pair::new(9, Prices::Near);
        (0..CALLS).for_each(|call| pair.step(call));
        pair
    };
    let (one, two) = (run(), run());
    assert_eq!(one.nodes, two.nodes, "handles follow from the calls");
    for side in [Side::Buy, Side::Sell] {
        assert!(one.book.iter(side).eq(two.book.iter(side)));
    }
}

/// The two books, and the handle of every order by its id.
struct Pair {
    book: Book,
    naive: NaiveBook,
    nodes: Vec<NodeId>,
    live: Vec<u32>,
    rng: SplitMix64,
    prices: Prices,
}

impl Pair {
    fn new(seed: u64, prices: Prices) -> Self {
        let (book, naive) = (Book::new(), NaiveBook::new());
        Self {
            book,
            naive,
            nodes: Vec::new(),
            live: Vec::new(),
            rng: SplitMix64::new(seed),
            prices,
        }
    }

    /// Phases of growth and decline, so that the book empties and fills again within a run.
    fn step(&mut self, call: u32) {
        let adds = if (call / 2_000).is_multiple_of(2) { 55 } else { 25 };
        match self.rng.below(100) {
            draw if draw < adds => self.add(),
            95.. => self.take(),
            85..95 => self.reduce_or_fill(),
            84 => self.empty_a_level(),
            _ => self.remove(),
        }
    }

    fn add(&mut self) {
        let (side, ticks, lots) = (self.side(), self.ticks(), self.lots());
        let id = u32::try_from(self.nodes.len()).unwrap();
        let account = self.rng.below_u32(50);
        self.nodes.push(self.book.insert(Entry { side, ticks, lots, account, order: id }));
        self.naive.add(side, ticks, Resting { id, account, lots });
        self.live.push(id);
    }

    fn remove(&mut self) {
        let Some(id) = self.random_live() else { return };
        assert_eq!(Some(self.book.remove(self.nodes[id as usize])), self.naive.cancel(id));
        self.forget_the_gone();
    }

    fn reduce_or_fill(&mut self) {
        let Some(id) = self.random_live() else { return };
        let node = self.nodes[id as usize];
        let left = self.naive.lots(id).unwrap().0;
        let part = Lots(self.rng.between(1, left));
        let reduces = part.0 < left && self.rng.coin();
        let rest = if reduces { self.book.reduce(node, part) } else { self.book.fill(node, part) };
        assert_eq!(rest, self.naive.lower(id, part));
        self.forget_the_gone();
    }

    fn take(&mut self) {
        let (side, limit, lots) = (self.side(), self.ticks(), self.lots());
        let (book, nodes) = (&mut self.book, &self.nodes);
        let mut left = lots;
        let rest = self.naive.take(Taker { side, limit, lots }, |ticks, resting, filled| {
            assert!(book.crosses(side, limit));
            let maker = book.front(side.opposite()).unwrap();
            assert_eq!((maker.node, maker.ticks), (nodes[resting.id as usize], ticks));
            assert_eq!((maker.order, maker.lots), (resting.id, resting.lots));
            let rest = book.fill(maker.node, filled);
            assert_eq!(rest.0, resting.lots.0 - filled.0);
            left = Lots(left.0 - filled.0);
        });
        assert_eq!(rest, left);
        assert!(rest == Lots(0) || !self.book.crosses(side, limit));
        self.forget_the_gone();
    }

    fn empty_a_level(&mut self) {
        let Some(id) = self.random_live() else { return };
        let node = self.nodes[id as usize];
        let (side, ticks) = (self.book.side(node), self.book.maker(node).ticks);
        for resting in self.naive.orders_at(side, ticks) {
            assert_eq!(self.book.remove(self.nodes[resting.id as usize]), resting.lots);
            self.naive.cancel(resting.id);
        }
        assert_eq!(self.book.level(side, ticks), None);
        self.forget_the_gone();
    }

    fn drain(&mut self) {
        while !self.live.is_empty() {
            self.remove();
            self.compare_tops();
        }
        self.book.check();
        assert!(self.book.is_empty() && self.naive.is_empty());
    }

    fn compare_tops(&self) {
        assert_eq!(self.book.len(), self.naive.len());
        for side in [Side::Buy, Side::Sell] {
            assert_eq!(self.book.best(side), self.naive.best(side));
            let front = self.book.front(side).map(|m| (m.ticks, m.order, m.account, m.lots));
            let naive = self.naive.front(side);
            assert_eq!(front, naive.map(|(ticks, r)| (ticks, r.id, r.account, r.lots)));
        }
    }

    fn compare_all(&self) {
        self.book.check();
        for side in [Side::Buy, Side::Sell] {
            let ladder = self.naive.ladder(side);
            let levels = self.book.depth(side, usize::MAX).map(|l| (l.ticks, l.lots, l.orders));
            assert!(levels.eq(ladder.iter().map(|(ticks, orders)| {
                let lots = orders.iter().map(|order| u128::from(order.lots.0)).sum();
                (*ticks, lots, u32::try_from(orders.len()).unwrap())
            })));
            let makers = self.book.iter(side).map(|m| (m.ticks, m.order, m.account, m.lots));
            assert!(makers.eq(ladder.iter().flat_map(|(ticks, orders)| {
                orders.iter().map(|order| (*ticks, order.id, order.account, order.lots))
            })));
        }
    }

    fn random_live(&mut self) -> Option<u32> {
        self.rng.pick(&self.live).copied()
    }

    /// The naive book decides what still rests; the list of live ids follows it.
    fn forget_the_gone(&mut self) {
        let naive = &self.naive;
        if self.live.len() != naive.len() {
            self.live.retain(|&id| naive.rests(id));
        }
    }

    fn side(&mut self) -> Side {
        if self.rng.coin() { Side::Buy } else { Side::Sell }
    }

    /// Small mostly; now and then so large that two of them pass 2^64.
    fn lots(&mut self) -> Lots {
        match self.rng.below(50) {
            0 => Lots(u64::MAX - self.rng.below(3)),
            _ => Lots(self.rng.between(1, 100)),
        }
    }

    fn ticks(&mut self) -> Ticks {
        let rng = &mut self.rng;
        Ticks(match self.prices {
            Prices::Few => rng.between(60, 69),
            Prices::Near => rng.between(1_000, 2_000),
            Prices::Clashing => 4_096 * rng.between(1, 6) + rng.below(3),
            Prices::Far => match rng.below(4) {
                0 => rng.between(1, 130),
                1 => u64::MAX - rng.below(130),
                2 => (1 << rng.between(1, 63)) - rng.below(2),
                _ => rng.between(1, u64::MAX - 1),
            },
        })
    }
}

const CALLS: u32 = 20_000;
