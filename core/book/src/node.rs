//! A resting order as the book keeps it: 32 bytes, linked into its price level.
//!
//! Owns the layout of an order and the handle to it. Invariant: a live node has lots left; a node
//! with none is free, so the use of a stale handle is caught until the place is taken again. It
//! deliberately holds no price: the level knows it.

use units::{Lots, Side};

use crate::arena::NONE;

/// The handle of a resting order, valid until the order is removed or filled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NodeId(pub(crate) u32);

impl NodeId {
    /// No order: what a caller keeps for an order that does not rest.
    pub const NONE: Self = Self(NONE);
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    pub(crate) lots: Lots,
    pub(crate) account: u32,
    pub(crate) order: u32,
    /// The order before this one in time at the same price, or `NONE`.
    pub(crate) prev: u32,
    /// The order after this one in time at the same price, or `NONE`.
    pub(crate) next: u32,
    /// The level's queue, in the ladder of `side`.
    pub(crate) queue: u32,
    pub(crate) side: Side,
}

/// Two nodes fill one cache line, and none lies across two.
const _: () = assert!(size_of::<Node>() == 32);
