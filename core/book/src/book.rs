//! The book of one market: what changes it, and the questions asked on the way of a taker.
//!
//! Owns the orders and the two ladders. Invariants: an order is in exactly one level, at the side and
//! price it came with; a level exists exactly while an order rests in it; what an order has left is
//! above zero. It deliberately lets the two sides cross: whether an order may rest is the caller's
//! decision, who asks `crosses` first. A wrong handle or quantity is a bug of the caller and asserts.
//! Reading for depth, views and comparisons is in `read.rs`.

use units::{Lots, Side, Ticks};

use crate::arena::{Arena, NONE};
use crate::ladder::Ladder;
use crate::node::{Node, NodeId};
use crate::rank::Rank;
use crate::read::Maker;

/// The resting orders of one market in price-time priority.
#[derive(Clone, Debug)]
pub struct Book {
    pub(crate) nodes: Arena<Node>,
    sides: [Ladder; 2],
}

/// An order that is to rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The side it rests on.
    pub side: Side,
    /// Its price, 1 or more.
    pub ticks: Ticks,
    /// What is left of it, 1 or more.
    pub lots: Lots,
    /// The caller's number of its account.
    pub account: u32,
    /// The caller's number of the order.
    pub order: u32,
}

impl Book {
    /// An empty book; it allocates nothing until the first order.
    #[must_use]
    pub const fn new() -> Self {
        Self { nodes: Arena::new(), sides: [Ladder::new(), Ladder::new()] }
    }

    /// Lets an order rest behind all others at its price (LIFE-22).
    #[inline]
    pub fn insert(&mut self, entry: Entry) -> NodeId {
        assert!(entry.ticks.0 > 0, "a price is one tick or more");
        assert!(entry.lots.0 > 0, "an order that rests has lots left");
        let Entry { side, ticks, lots, account, order } = entry;
        let ladder = &mut self.sides[side as usize];
        let index = ladder.open(Rank::of(side, ticks));
        let queue = &mut ladder.queues[index];
        let prev = queue.tail;
        let node = Node { lots, account, order, prev, next: NONE, queue: index, side };
        let node = self.nodes.insert(node);
        queue.join(&mut self.nodes, node, lots);
        NodeId(node)
    }

    /// Takes an order off the book; answers what was left of it.
    #[inline]
    pub fn remove(&mut self, node: NodeId) -> Lots {
        let links = self.live(node);
        self.unlink(node, links);
        links.lots
    }

    /// Fills an order by `lots`; answers what remains. At nothing the order is off the book.
    #[inline]
    pub fn fill(&mut self, node: NodeId, lots: Lots) -> Lots {
        let links = self.live(node);
        assert!(lots <= links.lots, "a fill is at most what the order has left");
        if lots == links.lots {
            self.unlink(node, links);
            return Lots(0);
        }
        self.lower(node, links, lots)
    }

    /// Lowers what an order has left by `lots`, less than all of it; it keeps its place in time
    /// (LIFE-42). Answers what remains.
    #[inline]
    pub fn reduce(&mut self, node: NodeId, lots: Lots) -> Lots {
        let links = self.live(node);
        assert!(lots < links.lots, "a reduction leaves a part; what takes all is a removal");
        self.lower(node, links, lots)
    }

    /// The best price of a side.
    #[inline]
    #[must_use]
    pub fn best(&self, side: Side) -> Option<Ticks> {
        self.ladder(side).best().map(|best| best.rank.ticks(side))
    }

    /// Whether a taker on `taker` with this limit meets the best price opposite (TRADE-3).
    #[inline]
    #[must_use]
    pub fn crosses(&self, taker: Side, limit: Ticks) -> bool {
        let makers = taker.opposite();
        self.ladder(makers).best().is_some_and(|best| best.rank <= Rank::of(makers, limit))
    }

    /// The order of this side that trades next: the first in time at the best price (TRADE-7).
    #[inline]
    #[must_use]
    pub fn front(&self, side: Side) -> Option<Maker> {
        let ladder = self.ladder(side);
        let best = ladder.best()?;
        Some(self.maker_of(ladder.queues[best.queue].head, best.rank.ticks(side)))
    }

    /// Gives a resting order another caller's number.
    pub fn set_order(&mut self, node: NodeId, order: u32) {
        self.live(node);
        self.nodes[node.0].order = order;
    }

    /// How many orders rest, on both sides.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether no order rests.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[inline]
    pub(crate) fn ladder(&self, side: Side) -> &Ladder {
        &self.sides[side as usize]
    }

    /// A copy of the node, which must be live.
    #[inline]
    pub(crate) fn live(&self, node: NodeId) -> Node {
        let links = self.nodes[node.0];
        assert!(links.lots.0 > 0, "a handle is used while its order rests");
        links
    }

    #[inline]
    pub(crate) fn maker_of(&self, node: u32, ticks: Ticks) -> Maker {
        let Node { lots, account, order, .. } = self.nodes[node];
        Maker { node: NodeId(node), ticks, lots, account, order }
    }

    #[inline]
    fn lower(&mut self, node: NodeId, links: Node, lots: Lots) -> Lots {
        let rest = Lots(links.lots.0 - lots.0);
        self.nodes[node.0].lots = rest;
        self.sides[links.side as usize].queues[links.queue].lots -= u128::from(lots.0);
        rest
    }

    #[inline]
    fn unlink(&mut self, node: NodeId, links: Node) {
        let ladder = &mut self.sides[links.side as usize];
        let queue = &mut ladder.queues[links.queue];
        queue.leave(&mut self.nodes, links);
        if queue.orders == 0 {
            ladder.close(links.queue);
        }
        // No lots is the mark of a freed node.
        self.nodes[node.0].lots = Lots(0);
        self.nodes.release(node.0);
    }
}

impl Default for Book {
    fn default() -> Self {
        Self::new()
    }
}
