//! The orders at one price, first in time first.
//!
//! Owns the links between the orders of a level and the level's total. Invariants: `lots` is the sum
//! of what its orders have left, and cannot overflow (fewer than 2^32 orders of fewer than 2^64 lots);
//! orders join at the back and keep their place until they leave (LIFE-22, LIFE-42). It deliberately
//! does not remove itself when it empties: the ladder does.

use crate::arena::{Arena, NONE};
use crate::node::Node;
use units::Lots;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Queue {
    pub(crate) lots: u128,
    pub(crate) head: u32,
    pub(crate) tail: u32,
    pub(crate) orders: u32,
    /// Leaf and slot, so that an emptied queue finds its bit without a search.
    pub(crate) place: Place,
}

/// Two queues fill one cache line.
const _: () = assert!(size_of::<Queue>() == 32);

/// A slot of a leaf, packed: the leaf's index above, the slot in the low six bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place(u32);

impl Place {
    pub(crate) fn new(leaf: u32, slot: u32) -> Self {
        assert!(leaf < LEAF_COUNT_MAX, "a side holds fewer than 2^26 leaves");
        Self(leaf << 6 | slot)
    }

    #[inline]
    pub(crate) const fn leaf(self) -> u32 {
        self.0 >> 6
    }

    #[inline]
    pub(crate) const fn slot(self) -> u32 {
        self.0 & 63
    }
}

impl Queue {
    pub(crate) const fn new(place: Place) -> Self {
        Self { lots: 0, head: NONE, tail: NONE, orders: 0, place }
    }

    /// Links the node, which is in the arena already, behind all others.
    #[inline]
    pub(crate) fn join(&mut self, nodes: &mut Arena<Node>, node: u32, lots: Lots) {
        if self.tail == NONE {
            self.head = node;
        } else {
            nodes[self.tail].next = node;
        }
        self.tail = node;
        self.lots += u128::from(lots.0);
        self.orders += 1;
    }

    /// Unlinks the node; `links` is a copy of it as it stood.
    #[inline]
    pub(crate) fn leave(&mut self, nodes: &mut Arena<Node>, links: Node) {
        if links.prev == NONE {
            self.head = links.next;
        } else {
            nodes[links.prev].next = links.next;
        }
        if links.next == NONE {
            self.tail = links.prev;
        } else {
            nodes[links.next].prev = links.prev;
        }
        self.lots -= u128::from(links.lots.0);
        self.orders -= 1;
    }
}

const LEAF_COUNT_MAX: u32 = 1 << 26;
