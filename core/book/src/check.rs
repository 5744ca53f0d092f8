//! The structural invariants of the book, asserted in one walk.
//!
//! Owns the statement of what a sound book is; tests and auditors call it. It deliberately costs time
//! in proportion to the book, so nothing on the way of a command calls it.

use alloc::vec;

use units::{Side, Ticks};

use crate::arena::{Arena, NONE};
use crate::book::Book;
use crate::ladder::Ladder;

impl Book {
    /// Asserts every structural invariant.
    ///
    /// # Panics
    ///
    /// When one is broken, which is a bug of this crate.
    pub fn check(&self) {
        check_free(&self.nodes);
        for &node in self.nodes.free() {
            assert_eq!(self.nodes[node].lots.0, 0, "a free node has no lots");
        }
        let orders = self.check_side(Side::Buy) + self.check_side(Side::Sell);
        assert_eq!(orders, self.len(), "every live node is in one level");
    }

    fn check_side(&self, side: Side) -> usize {
        let ladder = self.ladder(side);
        check_leaves(ladder);
        let mut levels = 0;
        let mut orders = 0;
        for (ticks, queue) in self.queues(side) {
            orders += self.check_queue(side, ticks, queue);
            levels += 1;
        }
        assert_eq!(levels, ladder.queues.len(), "every live queue is at one price");
        let first = self.queues(side).next();
        assert_eq!(self.best(side), first.map(|(ticks, _)| ticks), "the best price is the first");
        assert_eq!(ladder.best().map(|best| best.queue), first.map(|(_, queue)| queue));
        orders
    }

    fn check_queue(&self, side: Side, ticks: Ticks, index: u32) -> usize {
        let queue = &self.ladder(side).queues[index];
        assert!(queue.orders > 0, "a level exists while an order rests in it");
        assert_eq!(self.ladder(side).rank(index).ticks(side), ticks, "a queue knows its place");
        let (mut prev, mut node, mut orders, mut lots) = (NONE, queue.head, 0, 0);
        while node != NONE {
            let links = &self.nodes[node];
            assert!(links.lots.0 > 0, "a resting order has lots left");
            assert_eq!((links.queue, links.side, links.prev), (index, side, prev));
            orders += 1;
            lots += u128::from(links.lots.0);
            (prev, node) = (node, links.next);
        }
        assert_eq!((queue.tail, queue.orders, queue.lots), (prev, orders, lots));
        orders as usize
    }
}

fn check_leaves(ladder: &Ladder) {
    check_free(&ladder.leaves);
    check_free(&ladder.queues);
    assert_eq!(ladder.keys.len(), ladder.leaves.len(), "every live leaf is in the map");
    for (&key, &leaf) in &ladder.keys {
        let leaf = &ladder.leaves[leaf];
        assert_eq!(leaf.key, key, "the map names the leaf by its key");
        assert!(leaf.occupied != 0, "a leaf is kept while it is occupied");
        for slot in 0..64 {
            assert_eq!(leaf.occupied >> slot & 1 == 1, leaf.queue(slot) != NONE);
        }
    }
    for (key, leaf) in ladder.recent.iter() {
        assert_eq!(ladder.keys.get(&key), Some(&leaf), "a cached leaf is live");
    }
}

/// Asserts that no place is on the free list twice.
fn check_free<T: Copy>(arena: &Arena<T>) {
    let mut seen = vec![false; arena.capacity_count()];
    for &index in arena.free() {
        assert!(!seen[index as usize], "a place is freed once");
        seen[index as usize] = true;
    }
}
