//! `Order`: an open order, and `Orders`: all of them.
//!
//! An order lies in an arena slot from its OrderSubmitted to the end of the command that ends it
//! (LIFE-75). It is found by the sequence of that event; the open orders of an account hang together
//! in a list in order of their ids, and are counted by market (LIFE-13).

use alloc::boxed::Box;
use alloc::vec::Vec;

use book::NodeId;
use schema::{OrderState, OrderType, SelfTrade, TimeInForce, TriggerKind};
use units::{Amount, Lots, Rate, SequenceIndex, Side, Ticks, Timestamp};

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
    /// The taker rate that its reservation counts with; a taker rate fits 32 bits.
    pub(crate) reserve_rate: i32,
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
    /// What few orders have: an end, a trigger, a pair.
    pub conditions: Option<Box<Conditions>>,
    pub(crate) node: NodeId,
}

/// Neighbours of an order in its account's list; apart, since an order's end touches both of them.
#[derive(Clone, Copy, Debug)]
struct Links {
    previous: Slot,
    next: Slot,
}

/// What few orders have, kept apart so that the others stay small.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// GTD only: the last time at which it trades.
    pub expire_at: Option<Timestamp>,
    /// What it waits for; absent once it was triggered.
    pub trigger: Option<Waiting>,
    /// Sequence of the other order of its pair.
    pub pair: Option<u64>,
    /// Whether it must not take.
    pub post_only: bool,
}

/// A trigger that an order waits for, outside the book (D-67).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Direction.
    pub kind: TriggerKind,
    /// Price at which it is met.
    pub ticks: Ticks,
    /// When a trade met it, and at which price; it is in the due queue then.
    pub met: Option<(Timestamp, Ticks)>,
}

impl Waiting {
    /// Whether it waits for the price to rise: stop buys and take-profit sells (LIFE-35).
    #[must_use]
    pub fn is_upward(&self, side: Side) -> bool {
        (self.kind == TriggerKind::Stop) == (side == Side::Buy)
    }

    /// Whether a trade at `last` meets it.
    #[must_use]
    pub fn is_met_by(&self, side: Side, last: Ticks) -> bool {
        if self.is_upward(side) { last >= self.ticks } else { last <= self.ticks }
    }
}

impl Order {
    /// The taker rate that its reservation counts with.
    #[must_use]
    #[inline]
    pub fn reserve_rate(&self) -> Rate {
        Rate(i64::from(self.reserve_rate))
    }

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

    /// The trigger that it waits for.
    #[must_use]
    #[inline]
    pub fn waiting(&self) -> Option<&Waiting> {
        self.conditions.as_ref()?.trigger.as_ref()
    }

    /// Sequence of the other order of its pair.
    #[must_use]
    #[inline]
    pub fn pair(&self) -> Option<u64> {
        self.conditions.as_ref()?.pair
    }

    /// Whether it must not take.
    #[must_use]
    #[inline]
    pub fn is_post_only(&self) -> bool {
        self.conditions.as_ref().is_some_and(|conditions| conditions.post_only)
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
    counts: Counts,
}

/// How many open orders an account has, by market. Most accounts trade in one at a time, which needs
/// no memory of its own.
#[derive(Clone, Debug, Default)]
struct Counts {
    /// Market and number; 0 and 0 while free.
    one: (u32, u32),
    more: Vec<(u32, u32)>,
}

impl Counts {
    #[inline]
    fn of(&self, market: u32) -> u32 {
        if self.one.0 == market {
            return self.one.1;
        }
        self.more.iter().find(|(number, _)| *number == market).map_or(0, |&(_, count)| count)
    }

    #[inline]
    fn add(&mut self, market: u32) {
        if self.one.0 == market {
            self.one.1 += 1;
        } else {
            self.add_more(market);
        }
    }

    fn add_more(&mut self, market: u32) {
        match self.more.iter_mut().find(|(number, _)| *number == market) {
            Some((_, count)) => *count += 1,
            None if self.one.1 == 0 => self.one = (market, 1),
            None => self.more.push((market, 1)),
        }
    }

    #[inline]
    fn remove(&mut self, market: u32) {
        if self.one.0 == market && self.one.1 > 0 {
            self.one.1 -= 1;
        } else {
            self.remove_more(market);
        }
    }

    fn remove_more(&mut self, market: u32) {
        let place = self.more.iter().position(|(number, _)| *number == market);
        let place = place.expect("an open order is counted");
        self.more[place].1 -= 1;
        if self.more[place].1 == 0 {
            self.more.swap_remove(place);
        }
    }

    /// Markets with open orders, in no order that means anything.
    fn markets(&self) -> impl Iterator<Item = u32> {
        let one = Some(self.one).filter(|one| one.1 > 0);
        one.into_iter().chain(self.more.iter().copied()).map(|(market, _)| market)
    }
}

/// All open orders of a shard.
#[derive(Clone, Debug, Default)]
pub(crate) struct Orders {
    slots: Vec<Order>,
    links: Vec<Links>,
    free: Vec<Slot>,
    by_sequence: SequenceIndex,
    owned: Vec<Owned>,
    /// Orders that have not ended.
    open: usize,
}

impl Orders {
    /// Makes room for an account's list; accounts come in order of their numbers.
    pub(crate) fn open_account(&mut self) {
        self.owned.push(Owned { first: NONE, last: NONE, counts: Counts::default() });
    }

    /// How many orders have not ended.
    pub(crate) fn count(&self) -> usize {
        self.open
    }

    /// Adds an order at the end of its account's list.
    #[inline]
    pub(crate) fn add(&mut self, order: Order) -> Slot {
        let owned = &mut self.owned[order.account as usize];
        let (sequence, previous) = (order.sequence, owned.last);
        owned.counts.add(order.market);
        let links = Links { previous, next: NONE };
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = order;
                self.links[slot as usize] = links;
                slot
            }
            None => {
                self.slots.push(order);
                self.links.push(links);
                Slot::try_from(self.slots.len() - 1).expect("orders are bounded")
            }
        };
        owned.last = slot;
        if previous == NONE {
            owned.first = slot;
        } else {
            self.links[previous as usize].next = slot;
        }
        self.by_sequence.insert(sequence, slot);
        self.open += 1;
        slot
    }

    /// An order has ended: it counts no more, and is removed at the command's end.
    #[inline]
    pub(crate) fn close(&mut self, slot: Slot) {
        let order = &self.slots[slot as usize];
        let market = order.market;
        self.owned[order.account as usize].counts.remove(market);
        self.open -= 1;
    }

    /// Removes an order that was closed.
    #[inline]
    pub(crate) fn remove(&mut self, slot: Slot) {
        let order = &mut self.slots[slot as usize];
        order.conditions = None;
        let Links { previous, next } = self.links[slot as usize];
        let (sequence, account) = (order.sequence, order.account);
        self.by_sequence.remove(sequence, slot);
        let owned = &mut self.owned[account as usize];
        if previous == NONE {
            owned.first = next;
        } else {
            self.links[previous as usize].next = next;
        }
        if next == NONE {
            owned.last = previous;
        } else {
            self.links[next as usize].previous = previous;
        }
        self.free.push(slot);
    }

    /// Slot of the order with this sequence.
    #[inline]
    pub(crate) fn slot(&self, sequence: u64) -> Option<Slot> {
        self.by_sequence.find(sequence, |slot| self.slots[slot as usize].sequence == sequence)
    }

    #[inline]
    pub(crate) fn at(&self, slot: Slot) -> &Order {
        &self.slots[slot as usize]
    }

    #[inline]
    pub(crate) fn at_mut(&mut self, slot: Slot) -> &mut Order {
        &mut self.slots[slot as usize]
    }

    /// Reads all of an order and its neighbours; the number means nothing.
    #[inline]
    pub(crate) fn look_at(&self, slot: Slot) -> u64 {
        let order = self.at(slot);
        let Links { previous, next } = self.links[slot as usize];
        let mut seen = order.state_seq ^ order.priority ^ order.version ^ order.filled.0;
        for neighbour in [previous, next] {
            if let Some(links) = self.links.get(neighbour as usize) {
                seen ^= u64::from(links.next);
            }
        }
        seen ^ order.sequence
    }

    /// Reads the list of an account's orders and its end; the number means nothing.
    #[inline]
    pub(crate) fn look_at_owner(&self, account: u32) -> u64 {
        let Some(owned) = self.owned.get(account as usize) else { return 0 };
        let last = self.links.get(owned.last as usize).map_or(0, |links| links.previous);
        u64::from(last ^ owned.counts.one.1)
    }

    /// How many open orders an account has in a market.
    #[inline]
    pub(crate) fn count_in(&self, account: u32, market: u32) -> u32 {
        self.owned[account as usize].counts.of(market)
    }

    /// Whether an account has an open order.
    pub(crate) fn any_of(&self, account: u32) -> bool {
        self.owned
            .get(account as usize)
            .is_some_and(|owned| owned.counts.markets().next().is_some())
    }

    /// Markets in which an account has open orders, in no order that means anything.
    pub(crate) fn markets_of(&self, account: u32) -> impl Iterator<Item = u32> {
        self.owned.get(account as usize).into_iter().flat_map(|owned| owned.counts.markets())
    }

    /// The first slot of an account's list, ended orders of this command included.
    pub(crate) fn first_of(&self, account: u32) -> Option<Slot> {
        let first = self.owned.get(account as usize)?.first;
        (first != NONE).then_some(first)
    }

    /// The slot behind another in its account's list.
    pub(crate) fn next_of(&self, slot: Slot) -> Option<Slot> {
        let next = self.links[slot as usize].next;
        (next != NONE).then_some(next)
    }

    /// The last slot of an account's list, and the one before another.
    pub(crate) fn newest_of(&self, account: u32) -> impl Iterator<Item = Slot> {
        let last = self.owned.get(account as usize).map(|owned| owned.last);
        let follow = |&slot: &Slot| Some(self.links[slot as usize].previous);
        let is_slot = |slot: &Slot| *slot != NONE;
        core::iter::successors(last.filter(is_slot), move |slot| follow(slot).filter(is_slot))
    }

    /// The orders of an account, by id.
    pub(crate) fn of_account(&self, account: u32) -> impl Iterator<Item = &Order> {
        let mut slot = self.first_of(account);
        core::iter::from_fn(move || {
            let current = slot?;
            slot = self.next_of(current);
            Some(self.at(current))
        })
    }
}
