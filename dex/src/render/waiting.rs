//! Triggers of the orders that have not met them.
//!
//! OrderTriggered says which price met an order, not what the order waited for (D-84): that stands in its
//! OrderSubmitted, in an earlier command as a rule (D-92). It is kept from there until it is met or the
//! order ends, and nowhere longer.

use std::collections::BTreeMap;

use schema::{Event, EventHead, OrderTerms, Trigger};

/// Triggers by the sequence of the order's OrderSubmitted.
#[derive(Clone, Debug, Default)]
pub(super) struct Waiting(BTreeMap<u64, Trigger>);

impl Waiting {
    /// What an order of an earlier command waits for.
    pub(super) fn of(&self, order: u64) -> Option<Trigger> {
        self.0.get(&order).copied()
    }

    /// Goes past an event.
    pub(super) fn pass(&mut self, at: EventHead, event: &Event) {
        match event {
            Event::OrderSubmitted(event) => {
                if let (OrderTerms::Checked { .. }, Some(trigger)) = (&event.terms, event.trigger) {
                    self.0.insert(at.sequence, trigger);
                }
            }
            Event::OrderTriggered(event) => self.end(event.order),
            Event::OrderCanceled(event) => self.end(event.order),
            Event::OrderExpired(event) => self.end(event.order),
            _ => {}
        }
    }

    fn end(&mut self, order: u64) {
        self.0.remove(&order);
    }

    /// How many orders wait.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }
}
