//! `Order`: an open order, and `Orders`: all of them.
//!
//! An order lies in an arena slot from its OrderSubmitted to the end of the command that ends it
//! (LIFE-75). It is found by the sequence of that event; the open orders of an account hang together
//! in a list in order of their ids, and are counted by market (LIFE-13).

use alloc::vec::Vec;

use book::NodeId;
use schema::{OrderState, OrderType, SelfTrade, TimeInForce};
use units::{Amount, Lots, Rate, Side, Ticks, Timestamp};

use crate::index::SequenceIndex;

/// Place of an order in the arena.
pub(crate) type Slot = u32;

const NONE: Slot = Slot::MAX;

/// An order in core state: what a later command can depend on, and nothing else (STATE-36, D-73).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Sequence of its OrderSubmitted; with `submitted_at` it makes the id.
    pub sequence: u64,
    /// Time of its OrderSubmitted.
    pub submitted_at: Timestamp,
    /// Number of its account.
    pub account: u32,
    /// Listing number of its market.
    pub market: u32,
    /// Limit price.
    pub ticks: Ticks,
    /// Total quantity.
    pub total: Lots,
    /// Filled quantity.
    pub filled: Lots,
    /// Sum of price × quantity of its trades, in tick × lots: exact.
    pub units: u128,
    /// Fees so far, in the quote asset; negative for a net rebate.
    pub fees: Amount,
    /// What is still reserved for it.
    pub reserved: Amount,
    /// The taker rate that its reservation counts with.
    pub reserve_rate: Rate,
    /// Its own sequence (SEQ-27).
    pub version: u64,
    /// Event that changed it last.
    pub state_seq: u64,
    /// Time of that event.
    pub state_changed_at: Timestamp,
    /// Sequence of its OrderAccepted: its place in time (D-77).
    pub priority: u64,
    /// State; absent between OrderSubmitted and OrderAccepted.
    pub state: Option<OrderState>,
    /// State before.
    pub prev_state: Option<OrderState>,
    /// BUY or SELL.
    pub side: Side,
    /// LIMIT or MARKET.
    pub order_type: OrderType,
    /// How long it lives.
    pub time_in_force: TimeInForce,
    /// What happens at an own order.
    pub self_trade: SelfTrade,
    pub(crate) node: NodeId,
    pub(crate) next: Slot,
    pub(crate) previous: Slot,
}

impl Order {
    /// What is left of it.
    #[must_use]
    #[inline]
    pub const fn remaining(&self) -> Lots {
        Lots(self.total.0 - self.filled.0)
    }

    /// Whether it may rest in the book.
    #[must_use]
    #[inline]
    pub const fn may_rest(&self) -> bool {
        matches!(self.order_type, OrderType::Limit)
            && matches!(self.time_in_force, TimeInForce::Gtc | TimeInForce::Gtd)
    }

    /// Whether it is PENDING or PARTIAL.
    #[must_use]
    #[inline]
    pub const fn is_open(&self) -> bool {
        matches!(self.state, Some(OrderState::Pending | OrderState::Partial))
    }

    /// Whether it rests in the book.
    #[must_use]
    pub fn is_resting(&self) -> bool {
        self.node != NodeId::NONE
    }
}

/// The open orders of one account.
#[derive(Clone, Debug)]
struct Owned {
    first: Slot,
    last: Slot,
    /// Open orders by market.
    counts: Vec<(u32, u32)>,
}

/// All open orders of a shard.
#[derive(Clone, Debug, Default)]
pub(crate) struct Orders {
    slots: Vec<Order>,
    free: Vec<Slot>,
    by_sequence: SequenceIndex,
    owned: Vec<Owned>,
}

impl Orders {
    /// Makes room for an account's list; accounts come in order of their numbers.
    pub(crate) fn open_account(&mut self) {
        self.owned.push(Owned { first: NONE, last: NONE, counts: Vec::new() });
    }

    pub(crate) fn count(&self) -> usize {
        self.by_sequence.len()
    }

    /// Adds an order at the end of its account's list.
    #[inline]
    pub(crate) fn add(&mut self, mut order: Order) -> Slot {
        let owned = &mut self.owned[order.account as usize];
        order.previous = owned.last;
        order.next = NONE;
        let sequence = order.sequence;
        let previous = order.previous;
        let market = order.market;
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = order;
                slot
            }
            None => {
                self.slots.push(order);
                Slot::try_from(self.slots.len() - 1).expect("orders are bounded")
            }
        };
        owned.last = slot;
        if previous == NONE {
            owned.first = slot;
        } else {
            self.slots[previous as usize].next = slot;
        }
        match owned.counts.iter_mut().find(|(number, _)| *number == market) {
            Some((_, count)) => *count += 1,
            None => owned.counts.push((market, 1)),
        }
        let before = self.by_sequence.insert(sequence, slot);
        assert!(before.is_none(), "an order is submitted once");
        slot
    }

    /// Removes an order that has ended.
    #[inline]
    pub(crate) fn remove(&mut self, slot: Slot) {
        let order = &self.slots[slot as usize];
        let (previous, next, market) = (order.previous, order.next, order.market);
        self.by_sequence.remove(&order.sequence);
        let owned = &mut self.owned[order.account as usize];
        let place = owned.counts.iter().position(|(number, _)| *number == market);
        let place = place.expect("an open order is counted");
        owned.counts[place].1 -= 1;
        if owned.counts[place].1 == 0 {
            owned.counts.swap_remove(place);
        }
        if previous == NONE {
            owned.first = next;
        } else {
            self.slots[previous as usize].next = next;
        }
        if next == NONE {
            owned.last = previous;
        } else {
            self.slots[next as usize].previous = previous;
        }
        self.free.push(slot);
    }

    /// Slot of the order with this sequence.
    #[inline]
    pub(crate) fn slot(&self, sequence: u64) -> Option<Slot> {
        self.by_sequence.get(&sequence).copied()
    }

    #[inline]
    pub(crate) fn at(&self, slot: Slot) -> &Order {
        &self.slots[slot as usize]
    }

    #[inline]
    pub(crate) fn at_mut(&mut self, slot: Slot) -> &mut Order {
        &mut self.slots[slot as usize]
    }

    /// How many open orders an account has in a market.
    #[inline]
    pub(crate) fn count_in(&self, account: u32, market: u32) -> u32 {
        let counts = &self.owned[account as usize].counts;
        counts.iter().find(|(number, _)| *number == market).map_or(0, |&(_, count)| count)
    }

    /// The first slot of an account's list.
    pub(crate) fn first_of(&self, account: u32) -> Option<Slot> {
        let first = self.owned.get(account as usize)?.first;
        (first != NONE).then_some(first)
    }

    /// The slot behind another in its account's list.
    pub(crate) fn next_of(&self, slot: Slot) -> Option<Slot> {
        let next = self.slots[slot as usize].next;
        (next != NONE).then_some(next)
    }

    /// The open orders of an account, by id.
    pub(crate) fn of_account(&self, account: u32) -> impl Iterator<Item = &Order> {
        let mut slot = self.first_of(account);
        core::iter::from_fn(move || {
            let current = slot?;
            slot = self.next_of(current);
            Some(self.at(current))
        })
    }
}
