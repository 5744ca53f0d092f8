//! Whether an event is about an order.
//!
//! By the numbers of the stored form, so that a command that is not about the order is passed unrendered.

use schema::{Event, EventHead};
use units::Id;

/// Whether an event is about the order with this id: its own, a trade's of it, a refusal that names it, or
/// the one that replaces it.
pub(super) fn names(at: EventHead, event: &Event, id: Id) -> bool {
    let order = id.sequence();
    match event {
        Event::OrderSubmitted(event) => at.sequence == order || event.replaces == Some(order),
        Event::OrderAccepted(event) => event.order == order,
        Event::OrderRejected(event) => event.order == order,
        Event::MarginReserved(event) => event.order == order,
        Event::MarginReleased(event) => event.order == order,
        Event::OrderPartiallyFilled(fill) | Event::OrderFilled(fill) => fill.order == order,
        Event::OrderCanceled(ended) => ended.order == order,
        Event::OrderExpired(ended) => ended.order == order,
        Event::OrderReduced(event) => event.order == order,
        Event::OrderTriggered(event) => event.order == order,
        Event::TradeExecuted(trade) => trade.maker == order || trade.taker == order,
        Event::CommandRejected(event) => event.party.target == Some(id),
        _ => false,
    }
}
