//! The orders that ended last, as they ended.
//!
//! A ring: the oldest is forgotten for the newest. Only what the node has seen since it started or
//! replayed is here; the archive has them all.

use port::OrderView;
use units::Id;

use super::fast::FastMap;

/// Ended orders, found by the sequence in their id.
#[derive(Debug)]
pub(crate) struct EndedOrders {
    places: FastMap<u64, usize>,
    ring: Vec<OrderView>,
    /// Where the next one goes once the ring is full.
    next: usize,
    count_max: usize,
}

impl EndedOrders {
    /// A memory for so many orders.
    pub(crate) fn new(count_max: usize) -> Self {
        Self { places: FastMap::default(), ring: Vec::new(), next: 0, count_max: count_max.max(1) }
    }

    /// Remembers an order.
    pub(crate) fn add(&mut self, order: OrderView) {
        let place = self.next;
        self.next = (self.next + 1) % self.count_max;
        let before = self.places.insert(order.order_id.sequence(), place);
        debug_assert!(before.is_none(), "an order ends once");
        match self.ring.get_mut(place) {
            Some(oldest) => {
                self.places.remove(&oldest.order_id.sequence());
                *oldest = order;
            }
            None => self.ring.push(order),
        }
    }

    /// The order, if it is remembered.
    pub(crate) fn order(&self, id: Id) -> Option<&OrderView> {
        let order = self.ring.get(*self.places.get(&id.sequence())?)?;
        (order.order_id == id).then_some(order)
    }
}
