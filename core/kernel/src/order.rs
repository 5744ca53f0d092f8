//! `Order`: an open order, and `Orders`: all of them.
//!
//! An order lies in an arena slot from its OrderSubmitted to the end of the command that ends it
//! (LIFE-75). It is found by the sequence of that event; the open orders of an account hang together
//! in a list in order of their ids, and are counted by market (LIFE-13).
//!
//! Length: an order as it is kept, as it is read, and the arena that turns one into the other belong together.

use alloc::boxed::Box;
use alloc::vec::Vec;

use book::NodeId;
use schema::{EventHead, OrderState, OrderType, SelfTrade, TimeInForce, TriggerKind};
use units::{Amount, Lots, Rate, SequenceIndex, Side, Ticks, Timestamp};

/// Place of an order in the arena.
pub(crate) type Slot = u32;

const NONE: Slot = Slot::MAX;

/// An order in core state, as it is read: what a later command can depend on, and nothing else (STATE-36,
/// D-73). Where it is kept its parts lie apart (`OpenOrder`, `Progress`).
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
    pub(crate) is_resting: bool,
}

/// An order as it is kept: what matching needs. Most orders rest untouched and are only this.
#[derive(Clone, Debug)]
pub(crate) struct OpenOrder {
    /// Sequence and time of its OrderSubmitted.
    pub(crate) sequence: u64,
    pub(crate) submitted_at: Timestamp,
    pub(crate) ticks: Ticks,
    pub(crate) total: Lots,
    pub(crate) filled: Lots,
    /// Halves of what is reserved for it: an `Amount` would round the size up.
    reserved: [u64; 2],
    pub(crate) conditions: Option<Box<Conditions>>,
    pub(crate) account: u32,
    /// The taker rate that its reservation counts with; a taker rate fits 32 bits.
    pub(crate) reserve_rate: i32,
    pub(crate) node: NodeId,
    /// Place of what has happened to it since it was accepted; `NONE` while nothing has.
    progress: u32,
    /// Listing number of its market; there are fewer than 2¹⁶ (`MARKET_COUNT_MAX`).
    market: u16,
    /// Events from its OrderSubmitted to its OrderAccepted, each 1 ns behind the one before; 0 until then.
    accepted_after: u8,
    pub(crate) state: Option<OrderState>,
    pub(crate) side: Side,
    pub(crate) order_type: OrderType,
    pub(crate) time_in_force: TimeInForce,
    pub(crate) self_trade: SelfTrade,
}

const _: () = assert!(size_of::<OpenOrder>() == 88);

/// An order as it is submitted.
pub(crate) struct NewOrder {
    pub(crate) sequence: u64,
    pub(crate) submitted_at: Timestamp,
    pub(crate) account: u32,
    pub(crate) market: u32,
    pub(crate) ticks: Ticks,
    pub(crate) total: Lots,
    pub(crate) reserve_rate: i32,
    pub(crate) side: Side,
    pub(crate) order_type: OrderType,
    pub(crate) time_in_force: TimeInForce,
    pub(crate) self_trade: SelfTrade,
    pub(crate) conditions: Option<Box<Conditions>>,
}

/// What has happened to an order since it was accepted; apart, since to most nothing has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Progress {
    units: u128,
    fees: Amount,
    version: u64,
    state_seq: u64,
    state_changed_at: Timestamp,
    priority: u64,
    prev_state: Option<OrderState>,
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
    pub fn reserve_rate(&self) -> Rate {
        Rate(i64::from(self.reserve_rate))
    }

    /// What is left of it.
    #[must_use]
    pub const fn remaining(&self) -> Lots {
        Lots(self.total.0 - self.filled.0)
    }

    /// Whether it may rest in the book.
    #[must_use]
    pub const fn may_rest(&self) -> bool {
        may_rest(self.order_type, self.time_in_force)
    }

    /// Whether it is PENDING or PARTIAL.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        is_open(self.state)
    }

    /// The trigger that it waits for.
    #[must_use]
    pub fn waiting(&self) -> Option<&Waiting> {
        self.conditions.as_ref()?.trigger.as_ref()
    }

    /// Sequence of the other order of its pair.
    #[must_use]
    pub fn pair(&self) -> Option<u64> {
        self.conditions.as_ref()?.pair
    }

    /// Whether it must not take.
    #[must_use]
    pub fn is_post_only(&self) -> bool {
        self.conditions.as_ref().is_some_and(|conditions| conditions.post_only)
    }

    /// Whether it rests in the book.
    #[must_use]
    pub const fn is_resting(&self) -> bool {
        self.is_resting
    }
}

impl OpenOrder {
    /// Listing number of its market.
    #[inline]
    pub(crate) fn market(&self) -> u32 {
        u32::from(self.market)
    }

    /// What is reserved for it.
    #[inline]
    pub(crate) fn reserved(&self) -> Amount {
        whole(self.reserved)
    }

    #[inline]
    pub(crate) fn set_reserved(&mut self, amount: Amount) {
        self.reserved = halves(amount);
    }

    /// The taker rate that its reservation counts with.
    #[inline]
    pub(crate) fn reserve_rate(&self) -> Rate {
        Rate(i64::from(self.reserve_rate))
    }

    /// What is left of it.
    #[inline]
    pub(crate) const fn remaining(&self) -> Lots {
        Lots(self.total.0 - self.filled.0)
    }

    /// Whether it may rest in the book.
    #[inline]
    pub(crate) const fn may_rest(&self) -> bool {
        may_rest(self.order_type, self.time_in_force)
    }

    /// Whether it is PENDING or PARTIAL.
    #[inline]
    pub(crate) const fn is_open(&self) -> bool {
        is_open(self.state)
    }

    /// The trigger that it waits for.
    #[inline]
    pub(crate) fn waiting(&self) -> Option<&Waiting> {
        self.conditions.as_ref()?.trigger.as_ref()
    }

    /// Sequence of the other order of its pair.
    #[inline]
    pub(crate) fn pair(&self) -> Option<u64> {
        self.conditions.as_ref()?.pair
    }

    /// Whether it must not take.
    #[inline]
    pub(crate) fn is_post_only(&self) -> bool {
        self.conditions.as_ref().is_some_and(|conditions| conditions.post_only)
    }

    /// Whether it rests in the book.
    #[inline]
    pub(crate) fn is_resting(&self) -> bool {
        self.node != NodeId::NONE
    }

    /// What an order has that nothing has happened to since it was accepted, or submitted.
    #[inline]
    fn untouched(&self) -> Progress {
        let after = self.accepted_after;
        let state_seq = self.sequence + u64::from(after);
        Progress {
            units: 0,
            fees: Amount::ZERO,
            version: if after == 0 { 1 } else { 2 },
            state_seq,
            state_changed_at: Timestamp(self.submitted_at.0.saturating_add(i64::from(after))),
            priority: if after == 0 { 0 } else { state_seq },
            prev_state: None,
        }
    }
}

#[inline]
const fn may_rest(order_type: OrderType, time_in_force: TimeInForce) -> bool {
    matches!(order_type, OrderType::Limit)
        && matches!(time_in_force, TimeInForce::Gtc | TimeInForce::Gtd)
}

#[inline]
const fn is_open(state: Option<OrderState>) -> bool {
    matches!(state, Some(OrderState::Pending | OrderState::Partial))
}

#[inline]
fn narrow(market: u32) -> u16 {
    u16::try_from(market).expect("markets are fewer than 2^16")
}

/// The halves of an amount, which take no more room than they need where an `Amount` would be aligned to 16 bytes.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "each half is 64 bits")]
pub(crate) const fn halves(amount: Amount) -> [u64; 2] {
    let bits = amount.0.cast_unsigned();
    [(bits >> 64) as u64, bits as u64]
}

/// The amount of two halves.
#[inline]
pub(crate) fn whole([high, low]: [u64; 2]) -> Amount {
    Amount((u128::from(high) << 64 | u128::from(low)).cast_signed())
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
    slots: Vec<OpenOrder>,
    links: Vec<Links>,
    free: Vec<Slot>,
    progress: Vec<Progress>,
    free_progress: Vec<u32>,
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

    /// Adds an order that was submitted, at the end of its account's list.
    #[inline]
    pub(crate) fn submit(&mut self, new: NewOrder) -> Slot {
        self.add(OpenOrder {
            sequence: new.sequence,
            submitted_at: new.submitted_at,
            ticks: new.ticks,
            total: new.total,
            filled: Lots(0),
            reserved: [0; 2],
            conditions: new.conditions,
            account: new.account,
            reserve_rate: new.reserve_rate,
            node: NodeId::NONE,
            progress: NONE,
            market: narrow(new.market),
            accepted_after: 0,
            state: None,
            side: new.side,
            order_type: new.order_type,
            time_in_force: new.time_in_force,
            self_trade: new.self_trade,
        })
    }

    /// Adds an order as a snapshot tells it.
    pub(crate) fn restore(&mut self, order: Order) -> Slot {
        let after = order.priority.saturating_sub(order.sequence);
        let mut kept = OpenOrder {
            sequence: order.sequence,
            submitted_at: order.submitted_at,
            ticks: order.ticks,
            total: order.total,
            filled: order.filled,
            reserved: halves(order.reserved),
            conditions: order.conditions,
            account: order.account,
            reserve_rate: order.reserve_rate,
            node: NodeId::NONE,
            progress: NONE,
            market: narrow(order.market),
            accepted_after: u8::try_from(after).unwrap_or(u8::MAX),
            state: order.state,
            side: order.side,
            order_type: order.order_type,
            time_in_force: order.time_in_force,
            self_trade: order.self_trade,
        };
        let progress = Progress {
            units: order.units,
            fees: order.fees,
            version: order.version,
            state_seq: order.state_seq,
            state_changed_at: order.state_changed_at,
            priority: order.priority,
            prev_state: order.prev_state,
        };
        if kept.untouched() != progress {
            kept.progress = self.keep_progress(progress);
        }
        self.add(kept)
    }

    /// The order as it is read.
    pub(crate) fn whole(&self, slot: Slot) -> Order {
        let kept = self.at(slot);
        let progress = self.progress_of(kept);
        Order {
            sequence: kept.sequence,
            submitted_at: kept.submitted_at,
            account: kept.account,
            market: kept.market(),
            ticks: kept.ticks,
            total: kept.total,
            filled: kept.filled,
            units: progress.units,
            fees: progress.fees,
            reserved: kept.reserved(),
            reserve_rate: kept.reserve_rate,
            version: progress.version,
            state_seq: progress.state_seq,
            state_changed_at: progress.state_changed_at,
            priority: progress.priority,
            state: kept.state,
            prev_state: progress.prev_state,
            side: kept.side,
            order_type: kept.order_type,
            time_in_force: kept.time_in_force,
            self_trade: kept.self_trade,
            conditions: kept.conditions.clone(),
            is_resting: kept.is_resting(),
        }
    }

    /// The event that changed an order last.
    #[inline]
    pub(crate) fn state_seq(&self, slot: Slot) -> u64 {
        self.progress_of(self.at(slot)).state_seq
    }

    #[inline]
    fn progress_of(&self, kept: &OpenOrder) -> Progress {
        if kept.progress == NONE { kept.untouched() } else { self.progress[kept.progress as usize] }
    }

    fn keep_progress(&mut self, progress: Progress) -> u32 {
        if let Some(place) = self.free_progress.pop() {
            self.progress[place as usize] = progress;
            return place;
        }
        self.progress.push(progress);
        u32::try_from(self.progress.len() - 1).expect("orders are bounded")
    }

    /// What happens to an order, kept from now on.
    #[inline]
    fn progress_mut(&mut self, slot: Slot) -> &mut Progress {
        let kept = &self.slots[slot as usize];
        let mut place = kept.progress;
        if place == NONE {
            place = self.keep_progress(kept.untouched());
            self.slots[slot as usize].progress = place;
        }
        &mut self.progress[place as usize]
    }

    /// OrderAccepted: PENDING, with its place in time.
    #[inline]
    pub(crate) fn accept(&mut self, slot: Slot, at: EventHead) {
        let kept = &mut self.slots[slot as usize];
        kept.state = Some(OrderState::Pending);
        let after = at.sequence - kept.sequence;
        let is_at_once = at.timestamp.0 - kept.submitted_at.0 == after.cast_signed();
        match u8::try_from(after) {
            Ok(after) if is_at_once && kept.progress == NONE => kept.accepted_after = after,
            _ => {
                let progress = self.progress_mut(slot);
                progress.priority = at.sequence;
                progress.version += 1;
                progress.state_seq = at.sequence;
                progress.state_changed_at = at.timestamp;
            }
        }
    }

    /// An event changed an order: `state_seq`, `state_changed_at` and its own sequence.
    #[inline]
    pub(crate) fn change(&mut self, slot: Slot, at: EventHead) {
        let progress = self.progress_mut(slot);
        progress.version += 1;
        progress.state_seq = at.sequence;
        progress.state_changed_at = at.timestamp;
    }

    /// OrderTriggered: it has a new place in time and one event more.
    pub(crate) fn trigger(&mut self, slot: Slot, at: EventHead) {
        let progress = self.progress_mut(slot);
        progress.version += 1;
        progress.priority = at.sequence;
    }

    /// Moves an order into another state; the one that it has stays.
    #[inline]
    pub(crate) fn set_state(&mut self, slot: Slot, state: OrderState) {
        let before = self.slots[slot as usize].state;
        if before != Some(state) {
            self.slots[slot as usize].state = Some(state);
            self.progress_mut(slot).prev_state = before;
        }
    }

    /// What a fill adds to an order's sums.
    #[inline]
    pub(crate) fn add_fill(&mut self, slot: Slot, units: u128, fee: Amount) {
        let progress = self.progress_mut(slot);
        progress.units += units;
        progress.fees += fee;
    }

    #[inline]
    fn add(&mut self, order: OpenOrder) -> Slot {
        let owned = &mut self.owned[order.account as usize];
        let (sequence, previous) = (order.sequence, owned.last);
        owned.counts.add(order.market());
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
        let market = order.market();
        self.owned[order.account as usize].counts.remove(market);
        self.open -= 1;
    }

    /// Removes an order that was closed.
    #[inline]
    pub(crate) fn remove(&mut self, slot: Slot) {
        let order = &mut self.slots[slot as usize];
        order.conditions = None;
        if order.progress != NONE {
            self.free_progress.push(order.progress);
        }
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
    pub(crate) fn at(&self, slot: Slot) -> &OpenOrder {
        &self.slots[slot as usize]
    }

    #[inline]
    pub(crate) fn at_mut(&mut self, slot: Slot) -> &mut OpenOrder {
        &mut self.slots[slot as usize]
    }

    /// Reads all of an order and its neighbours; the number means nothing.
    #[inline]
    pub(crate) fn look_at(&self, slot: Slot) -> u64 {
        let order = self.at(slot);
        let Links { previous, next } = self.links[slot as usize];
        let mut seen = order.filled.0 ^ u64::from(order.reserve_rate.unsigned_abs());
        if let Some(progress) = self.progress.get(order.progress as usize) {
            seen ^= progress.state_seq ^ progress.version;
        }
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
    pub(crate) fn of_account(&self, account: u32) -> impl Iterator<Item = Slot> {
        core::iter::successors(self.first_of(account), |&slot| self.next_of(slot))
    }
}
