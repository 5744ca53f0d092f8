//! The book as it is read: makers, levels, depth.
//!
//! Owns the order in which orders and levels are listed: best price first, at one price first in time
//! first, the order in which they would trade (LIFE-22). It deliberately changes nothing, and copies
//! what it shows.

use units::{Lots, Side, Ticks};

use crate::arena::NONE;
use crate::book::Book;
use crate::node::NodeId;
use crate::rank::Rank;

/// A resting order, as a taker meets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Maker {
    /// Its handle.
    pub node: NodeId,
    /// Its price, which is the price of a trade with it (TRADE-5).
    pub ticks: Ticks,
    /// What is left of it, above zero.
    pub lots: Lots,
    /// The caller's number of its account.
    pub account: u32,
    /// The caller's number of the order.
    pub order: u32,
}

/// A price level: all orders of one side at one price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// The price.
    pub ticks: Ticks,
    /// The sum of what its orders have left; wider than `Lots`, so that no set of orders overflows it.
    pub lots: u128,
    /// How many orders rest here, above zero.
    pub orders: u32,
}

impl Book {
    /// Reads where an order at this price would join, so that who needs it soon does not wait; the
    /// number means nothing.
    #[must_use]
    #[inline]
    pub fn look_at_price(&self, side: Side, ticks: Ticks) -> u64 {
        let (ladder, rank) = (self.ladder(side), Rank::of(side, ticks));
        let Some(leaf) = ladder.recent.find(rank.leaf_key()) else { return 0 };
        let queue = ladder.leaves[leaf].queue(rank.slot());
        let tail = if queue == NONE { NONE } else { ladder.queues[queue].tail };
        if tail == NONE { 0 } else { self.nodes[tail].lots.0 }
    }

    /// Reads a resting order, its neighbours and its level; the number means nothing.
    #[must_use]
    #[inline]
    pub fn look_at_order(&self, node: NodeId) -> u64 {
        if node == NodeId::NONE {
            return 0;
        }
        let node = self.nodes[node.0];
        let queue = &self.ladder(node.side).queues[node.queue];
        let mut seen = u64::from(queue.orders);
        for neighbour in [node.prev, node.next] {
            if neighbour != NONE {
                seen ^= self.nodes[neighbour].lots.0;
            }
        }
        seen
    }

    /// The best `levels` levels of a side, best first.
    pub fn depth(&self, side: Side, levels: usize) -> impl Iterator<Item = Level> {
        self.queues(side).take(levels).map(move |(ticks, queue)| self.level_of(side, ticks, queue))
    }

    /// The level at a price, if an order rests there.
    #[must_use]
    pub fn level(&self, side: Side, ticks: Ticks) -> Option<Level> {
        let queue = self.ladder(side).find(Rank::of(side, ticks))?;
        Some(self.level_of(side, ticks, queue))
    }

    /// The orders at a price, first in time first; nothing if no order rests there.
    pub fn orders_at(&self, side: Side, ticks: Ticks) -> impl Iterator<Item = Maker> {
        let queue = self.ladder(side).find(Rank::of(side, ticks));
        queue.into_iter().flat_map(move |queue| self.makers(side, ticks, queue))
    }

    /// Every order of a side in the order in which they would trade.
    pub fn iter(&self, side: Side) -> impl Iterator<Item = Maker> {
        self.queues(side).flat_map(move |(ticks, queue)| self.makers(side, ticks, queue))
    }

    /// A resting order by its handle.
    #[must_use]
    pub fn maker(&self, node: NodeId) -> Maker {
        let links = self.live(node);
        self.maker_of(node.0, self.ladder(links.side).rank(links.queue).ticks(links.side))
    }

    /// The side on which an order rests.
    #[must_use]
    pub fn side(&self, node: NodeId) -> Side {
        self.live(node).side
    }

    /// Price and queue of every level, best first.
    pub(crate) fn queues(&self, side: Side) -> impl Iterator<Item = (Ticks, u32)> {
        let ladder = self.ladder(side);
        ladder.keys.values().flat_map(move |&leaf| {
            let leaf = &ladder.leaves[leaf];
            bits(leaf.occupied)
                .map(move |slot| (Rank::at(leaf.key, slot).ticks(side), leaf.queue(slot)))
        })
    }

    fn makers(&self, side: Side, ticks: Ticks, queue: u32) -> impl Iterator<Item = Maker> {
        let head = self.ladder(side).queues[queue].head;
        let follow = |&node: &u32| Some(self.nodes[node].next).filter(|&next| next != NONE);
        core::iter::successors(Some(head), follow).map(move |node| self.maker_of(node, ticks))
    }

    fn level_of(&self, side: Side, ticks: Ticks, queue: u32) -> Level {
        let queue = &self.ladder(side).queues[queue];
        Level { ticks, lots: queue.lots, orders: queue.orders }
    }
}

/// The positions of the set bits, lowest first.
fn bits(word: u64) -> impl Iterator<Item = u32> {
    let without_lowest = |&rest: &u64| Some(rest & (rest - 1)).filter(|&rest| rest != 0);
    core::iter::successors(Some(word).filter(|&word| word != 0), without_lowest)
        .map(u64::trailing_zeros)
}
