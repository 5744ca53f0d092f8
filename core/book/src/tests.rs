//! The rules of the book one by one, and the faults that published books are known for.

use alloc::vec;
use alloc::vec::Vec;

use units::Side::{Buy, Sell};
use units::{Lots, Side, Ticks};

use crate::{Book, Entry, Level, Maker, NodeId};

mod random;

/// A book whose orders are named by their `order` numbers, from 0 in the order they came.
#[derive(Default)]
struct Scene {
    book: Book,
    nodes: Vec<NodeId>,
}

impl Scene {
    fn new(orders: &[(Side, u64, u64)]) -> Self {
        let mut scene = Self::default();
        for &(side, ticks, lots) in orders {
            scene.rest(side, ticks, lots);
        }
        scene
    }

    fn rest(&mut self, side: Side, ticks: u64, lots: u64) -> NodeId {
        let order = u32::try_from(self.nodes.len()).unwrap();
        let entry =
            Entry { side, ticks: Ticks(ticks), lots: Lots(lots), account: order + 100, order };
        let node = self.book.insert(entry);
        self.nodes.push(node);
        self.book.check();
        node
    }

    fn remove(&mut self, order: usize) -> u64 {
        let left = self.book.remove(self.nodes[order]);
        self.book.check();
        left.0
    }

    fn fill(&mut self, order: usize, lots: u64) -> u64 {
        let left = self.book.fill(self.nodes[order], Lots(lots));
        self.book.check();
        left.0
    }

    /// Trades as a kernel does; answers the fills as price, order, lots.
    fn take(&mut self, side: Side, limit: u64, lots: u64) -> Vec<(u64, u32, u64)> {
        let mut fills = Vec::new();
        let mut rest = Lots(lots);
        while rest.0 > 0 && self.book.crosses(side, Ticks(limit)) {
            let maker = self.book.front(side.opposite()).unwrap();
            let lots = rest.min(maker.lots);
            self.book.fill(maker.node, lots);
            self.book.check();
            fills.push((maker.ticks.0, maker.order, lots.0));
            rest = Lots(rest.0 - lots.0);
        }
        fills
    }

    fn orders(&self, side: Side) -> Vec<u32> {
        self.book.iter(side).map(|maker| maker.order).collect()
    }

    fn depth(&self, side: Side) -> Vec<(u64, u128, u32)> {
        let plain = |level: Level| (level.ticks.0, level.lots, level.orders);
        self.book.depth(side, usize::MAX).map(plain).collect()
    }

    fn best(&self, side: Side) -> Option<u64> {
        self.book.best(side).map(|ticks| ticks.0)
    }
}

/// covers: TRADE-7, LIFE-22
#[test]
fn the_better_price_trades_first_then_the_earlier_order() {
    let mut sells = Scene::new(&[(Sell, 12, 5), (Sell, 11, 5), (Sell, 10, 5), (Sell, 10, 5)]);
    assert_eq!(sells.take(Buy, 11, 18), [(10, 2, 5), (10, 3, 5), (11, 1, 5)]);
    assert_eq!(sells.depth(Sell), [(12, 5, 1)]);
    let mut buys = Scene::new(&[(Buy, 8, 5), (Buy, 9, 5), (Buy, 10, 5), (Buy, 10, 5)]);
    assert_eq!(buys.take(Sell, 9, 12), [(10, 2, 5), (10, 3, 5), (9, 1, 2)]);
    assert_eq!(buys.depth(Buy), [(9, 3, 1), (8, 5, 1)]);
}

#[test]
fn prices_meet_at_equality_and_never_on_an_empty_side() {
    let scene = Scene::new(&[(Sell, 10, 1), (Buy, 5, 1)]);
    let crosses = |side, ticks| scene.book.crosses(side, Ticks(ticks));
    assert_eq!([9, 10, 11].map(|ticks| crosses(Buy, ticks)), [false, true, true]);
    assert_eq!([4, 5, 6].map(|ticks| crosses(Sell, ticks)), [true, true, false]);
    let empty = Book::new();
    assert!(!empty.crosses(Buy, Ticks(u64::MAX)) && !empty.crosses(Sell, Ticks(1)));
    assert!(!empty.crosses(Sell, Ticks(0)));
}

#[test]
fn a_partial_fill_keeps_its_place_in_time() {
    let mut scene = Scene::new(&[(Sell, 10, 5), (Sell, 10, 5)]);
    assert_eq!(scene.take(Buy, 10, 3), [(10, 0, 3)]);
    assert_eq!(scene.take(Buy, 10, 3), [(10, 0, 2), (10, 1, 1)]);
    assert_eq!(scene.depth(Sell), [(10, 4, 1)]);
}

#[test]
fn a_reduction_keeps_its_place_in_time() {
    let mut scene = Scene::new(&[(Buy, 10, 5), (Buy, 10, 5)]);
    assert_eq!(scene.book.reduce(scene.nodes[0], Lots(4)), Lots(1));
    scene.book.check();
    assert_eq!((scene.orders(Buy), scene.depth(Buy)), (vec![0, 1], vec![(10, 6, 2)]));
}

/// The fault: a level without orders stays in the index, and every later taker stops at it.
#[test]
fn an_emptied_level_blocks_nothing() {
    for leave in
        [Scene::remove as fn(&mut Scene, usize) -> u64, |scene, order| scene.fill(order, 5)]
    {
        let mut scene = Scene::new(&[(Sell, 10, 5), (Sell, 11, 5), (Sell, 500, 5)]);
        leave(&mut scene, 0);
        assert_eq!(scene.take(Buy, 500, 6), [(11, 1, 5), (500, 2, 1)]);
        scene.rest(Sell, 10, 7);
        assert_eq!(scene.depth(Sell), [(10, 7, 1), (500, 4, 1)]);
    }
}

/// The fault: the best price is remembered and outlives the last order at it.
#[test]
fn the_best_price_follows_a_cancel() {
    let mut scene = Scene::new(&[(Buy, 10, 1), (Buy, 9, 1), (Buy, 700, 1), (Sell, 800, 1)]);
    assert_eq!(scene.best(Buy), Some(700));
    scene.remove(2);
    assert!(!scene.book.crosses(Sell, Ticks(11)) && scene.book.crosses(Sell, Ticks(10)));
    scene.remove(1);
    assert_eq!(scene.best(Buy), Some(10));
    scene.remove(0);
    assert_eq!((scene.best(Buy), scene.book.front(Buy)), (None, None));
    assert_eq!(scene.best(Sell), Some(800));
    scene.remove(3);
    assert!(scene.book.is_empty());
}

/// The fault: an order of one side is found, or counted, on the other.
#[test]
fn the_sides_share_no_level_even_at_one_price() {
    let mut scene = Scene::new(&[(Buy, 10, 1), (Sell, 10, 2)]);
    assert_eq!((scene.depth(Buy), scene.depth(Sell)), (vec![(10, 1, 1)], vec![(10, 2, 1)]));
    scene.remove(0);
    assert_eq!((scene.best(Buy), scene.best(Sell)), (None, Some(10)));
    assert_eq!(scene.book.side(scene.nodes[1]), Sell);
}

#[test]
fn an_order_leaves_from_front_middle_and_back() {
    let mut scene = Scene::new(&[(Buy, 10, 1); 5]);
    assert_eq!([2, 0, 4].map(|order| scene.remove(order)), [1, 1, 1]);
    assert_eq!((scene.orders(Buy), scene.depth(Buy)), (vec![1, 3], vec![(10, 2, 2)]));
    scene.rest(Buy, 10, 9);
    assert_eq!(scene.orders(Buy), [1, 3, 5]);
}

#[test]
fn the_extremes_of_price_are_prices_like_others() {
    let far = [1, u64::MAX, 1 << 63, 2, u64::MAX - 1, 63, 64];
    for side in [Buy, Sell] {
        let mut scene = Scene::new(&far.map(|ticks| (side, ticks, 1)));
        let mut sorted = far;
        sorted.sort_unstable_by_key(|&ticks| if side == Buy { u64::MAX - ticks } else { ticks });
        let listed: Vec<u64> = scene.depth(side).into_iter().map(|level| level.0).collect();
        assert_eq!(listed, sorted);
        assert!(sorted.iter().all(|&ticks| scene.book.level(side, Ticks(ticks)).is_some()));
        let limit = if side == Buy { 1 } else { u64::MAX };
        let fills = scene.take(side.opposite(), limit, 100);
        assert!(fills.into_iter().map(|fill| fill.0).eq(sorted) && scene.book.is_empty());
    }
}

#[test]
fn a_level_may_hold_more_than_one_order_could() {
    let mut scene = Scene::new(&[(Sell, 10, u64::MAX); 3]);
    assert_eq!(scene.depth(Sell), [(10, 3 * u128::from(u64::MAX), 3)]);
    scene.fill(1, u64::MAX - 1);
    assert_eq!(scene.depth(Sell), [(10, 2 * u128::from(u64::MAX) + 1, 3)]);
}

#[test]
fn any_order_of_a_level_can_be_filled_as_pro_rata_does() {
    let mut scene = Scene::new(&[(Sell, 10, 60), (Sell, 10, 30), (Sell, 10, 10), (Sell, 11, 1)]);
    let level = scene.book.level(Sell, Ticks(10)).unwrap();
    let makers: Vec<Maker> = scene.book.orders_at(Sell, Ticks(10)).collect();
    for maker in &makers {
        let share = 50 * u128::from(maker.lots.0) / level.lots;
        scene.book.fill(maker.node, Lots(u64::try_from(share).unwrap()));
        scene.book.check();
    }
    let left: Vec<u64> = scene.book.orders_at(Sell, Ticks(10)).map(|maker| maker.lots.0).collect();
    assert_eq!((left, makers.len()), (vec![30, 15, 5], 3));
}

#[test]
fn readers_list_what_rests_and_no_more() {
    let scene = Scene::new(&[(Buy, 10, 1), (Buy, 90, 2), (Buy, 10, 4), (Buy, 50, 8)]);
    assert_eq!(scene.depth(Buy), [(90, 2, 1), (50, 8, 1), (10, 5, 2)]);
    assert_eq!(scene.book.depth(Buy, 2).count(), 2);
    assert_eq!((scene.book.depth(Buy, 0).count(), scene.book.depth(Sell, 9).count()), (0, 0));
    assert_eq!(scene.orders(Buy), [1, 3, 0, 2]);
    assert_eq!(scene.book.orders_at(Buy, Ticks(11)).count(), 0);
    assert_eq!(scene.book.level(Buy, Ticks(11)), None);
    assert_eq!(scene.book.level(Buy, Ticks(5_000)), None);
    let maker = scene.book.maker(scene.nodes[3]);
    assert_eq!((maker.ticks, maker.lots, maker.account), (Ticks(50), Lots(8), 103));
    assert_eq!(scene.book.len(), 4);
}

#[test]
fn an_order_can_be_given_another_number() {
    let mut scene = Scene::new(&[(Buy, 10, 1), (Buy, 10, 1)]);
    scene.book.set_order(scene.nodes[0], 77);
    assert_eq!(scene.orders(Buy), [77, 1]);
}

/// Two prices whose leaves share a cache entry take turns; a freed leaf must not be found again.
#[test]
fn a_cached_leaf_is_forgotten_when_it_is_freed() {
    let mut scene = Scene::default();
    let stride = 64 * 64;
    for round in 0..4 {
        let near = scene.rest(Sell, 100, 1);
        let far = scene.rest(Sell, 100 + stride, 2);
        assert_eq!(scene.depth(Sell), [(100, 1, 1), (100 + stride, 2, 1)]);
        for node in if round % 2 == 0 { [near, far] } else { [far, near] } {
            scene.book.remove(node);
            scene.book.check();
        }
    }
    assert!(scene.book.is_empty());
}

#[test]
fn memory_is_that_of_the_most_orders_at_once() {
    let mut scene = Scene::default();
    for round in 0..200_u64 {
        let nodes: Vec<NodeId> =
            (1..=8).map(|step| scene.rest(Sell, 1 + step * 1_000 * (round + 1), 1)).collect();
        for node in nodes {
            scene.book.remove(node);
        }
    }
    let ladder = scene.book.ladder(Sell);
    let counts = [ladder.leaves.capacity_count(), ladder.queues.capacity_count()];
    assert_eq!((scene.book.nodes.capacity_count(), counts), (8, [8, 8]));
}

#[test]
#[should_panic(expected = "a handle is used while its order rests")]
fn a_stale_handle_stops_the_book() {
    let mut scene = Scene::new(&[(Buy, 10, 1)]);
    scene.fill(0, 1);
    scene.remove(0);
}

#[test]
#[should_panic(expected = "at most what the order has left")]
fn a_fill_beyond_the_rest_stops_the_book() {
    Scene::new(&[(Buy, 10, 1)]).fill(0, 2);
}

#[test]
#[should_panic(expected = "a reduction leaves a part")]
fn a_reduction_to_nothing_stops_the_book() {
    let mut scene = Scene::new(&[(Buy, 10, 1)]);
    scene.book.reduce(scene.nodes[0], Lots(1));
}

#[test]
#[should_panic(expected = "has lots left")]
fn an_order_of_nothing_cannot_rest() {
    Scene::new(&[(Buy, 10, 0)]);
}

#[test]
#[should_panic(expected = "one tick or more")]
fn an_order_without_a_price_cannot_rest() {
    Scene::new(&[(Buy, 0, 1)]);
}
