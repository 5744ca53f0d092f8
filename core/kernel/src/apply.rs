//! What each event of orders, trades and balances does to state: the one mutation path (D-2).
//!
//! Live, the kernel calls these right after it emitted the event, with the slots it already holds; in
//! replay `replay.rs` looks the slots up and calls the same functions. Every change tells the watcher.
//! Which entities an event counts for is SEQ-27's: an order event counts for its order and account,
//! and for the symbol when the displayed depth changes; TradeExecuted for both accounts and the
//! symbol; postings and holds for the accounts in them. The due queue, the triggers and the pairs
//! follow the orders here.

use alloc::boxed::Box;

use book::{Entry, NodeId};
use schema::{
    BalanceUpdated, EventHead, Fill, HoldReason, MarginMoved, OrderReduced, OrderState,
    OrderSubmitted, OrderTerms, OrderType, Party, ReleaseReason, SelfTrade, TimeInForce,
    TradeSettled, Trigger,
};
use units::{Amount, Id, Lots, Rate, Side, Ticks, Timestamp};

use crate::due::DueKind;
use crate::order::{Conditions, NewOrder, Slot, Waiting};
use crate::rates::OpenTrade;
use crate::{Entity, Kernel, Watch};

/// What OrderSubmitted says that enters state: live of the request, in replay of the event.
pub(crate) struct Submission<'a> {
    pub(crate) account: u32,
    pub(crate) market: u32,
    pub(crate) ticks: Ticks,
    pub(crate) lots: Lots,
    /// The account's taker rate in the market.
    pub(crate) rate: Rate,
    pub(crate) side: Side,
    pub(crate) order_type: OrderType,
    pub(crate) time_in_force: TimeInForce,
    pub(crate) self_trade: SelfTrade,
    pub(crate) post_only: bool,
    pub(crate) expire_at: Option<Timestamp>,
    pub(crate) trigger: Option<&'a Trigger>,
    pub(crate) oco_with: Option<Id>,
}

impl<W: Watch> Kernel<W> {
    /// What the event of an order that passed its checks says.
    pub(crate) fn submission_of<'a>(&self, event: &'a OrderSubmitted) -> Submission<'a> {
        let OrderTerms::Checked { account, market, ticks, lots } = event.terms else {
            unreachable!("only checked orders enter state")
        };
        Submission {
            account,
            market,
            ticks,
            lots,
            rate: self.rates_of(account, self.markets.at(market)).taker,
            side: event.side,
            order_type: event.order_type,
            time_in_force: event.time_in_force,
            self_trade: event.self_trade,
            post_only: event.post_only,
            expire_at: event.expire_at,
            trigger: event.trigger.as_ref(),
            oco_with: event.oco_with,
        }
    }

    /// OrderSubmitted of an order that passed its checks: a record without a state.
    #[inline]
    pub(crate) fn apply_submitted(&mut self, at: EventHead, event: &Submission<'_>) -> Slot {
        let &Submission { account, market, ticks, lots, rate, .. } = event;
        let reserve_rate = i32::try_from(rate.0).expect("a taker rate is at most 2 % (FEE-12)");
        let slot = self.orders.submit(NewOrder {
            sequence: at.sequence,
            submitted_at: at.timestamp,
            account,
            market,
            ticks,
            total: lots,
            reserve_rate,
            side: event.side,
            order_type: event.order_type,
            time_in_force: event.time_in_force,
            self_trade: event.self_trade,
            conditions: self.conditions_of(event, market),
        });
        if let Some(partner) = self.orders.at(slot).pair() {
            self.set_pair(partner, Some(at.sequence));
        }
        self.touch_order(at, slot);
        slot
    }

    #[inline]
    fn conditions_of(&self, event: &Submission<'_>, market: u32) -> Option<Box<Conditions>> {
        let is_plain = event.expire_at.is_none() && event.trigger.is_none();
        if is_plain && event.oco_with.is_none() && !event.post_only {
            return None;
        }
        Some(self.make_conditions(event, market))
    }

    #[inline(never)]
    fn make_conditions(&self, event: &Submission<'_>, market: u32) -> Box<Conditions> {
        let trigger = event.trigger.map(|trigger| {
            let ticks = self.markets.at(market).tick.count(trigger.price);
            let ticks = Ticks(ticks.expect("a trigger was checked to be whole ticks"));
            Waiting { kind: trigger.kind, ticks, met: None }
        });
        Box::new(Conditions {
            expire_at: event.expire_at,
            trigger,
            pair: event.oco_with.map(|id| id.sequence()),
            post_only: event.post_only,
        })
    }

    /// Ties an order to a pair, or unties it.
    fn set_pair(&mut self, order: u64, pair: Option<u64>) {
        let slot = self.orders.slot(order).expect("a pair is two open orders");
        let order = self.orders.at_mut(slot);
        order.conditions.get_or_insert_default().pair = pair;
        if order.conditions.as_deref() == Some(&Conditions::default()) {
            order.conditions = None;
        }
        let sequence = order.sequence;
        self.watch.touched(Entity::Order(sequence));
    }

    /// OrderSubmitted and OrderRejected of an order that never enters state: its account counts them.
    pub(crate) fn apply_requested(&mut self, at: EventHead, account: Id) {
        if let Some(number) = self.ledger.number(account) {
            self.count_account(at, number);
        }
    }

    /// CommandRejected and CommandCompleted count for the account that they name.
    pub(crate) fn apply_party(&mut self, at: EventHead, party: &Party) {
        if let Some(account) = party.account {
            self.apply_requested(at, account);
        }
    }

    #[inline]
    pub(crate) fn apply_reserved(
        &mut self,
        at: EventHead,
        event: &MarginMoved<HoldReason>,
        slot: Slot,
    ) {
        let order = self.orders.at_mut(slot);
        order.set_reserved(order.reserved() + event.amount);
        let (account, side, market) = (order.account, order.side, order.market());
        let asset = self.markets.at(market).reserved_asset(side);
        self.ledger.hold(account, asset, event.amount, (at.sequence, at.timestamp));
        self.touched_balance(account, asset);
        self.watch.touched(Entity::Order(self.orders.at(slot).sequence));
    }

    #[inline]
    pub(crate) fn apply_released(
        &mut self,
        at: EventHead,
        event: &MarginMoved<ReleaseReason>,
        slot: Slot,
    ) {
        let order = self.orders.at_mut(slot);
        let reserved = order.reserved() - event.amount;
        assert!(reserved >= Amount::ZERO, "an order releases what it holds (ACCT-18)");
        order.set_reserved(reserved);
        let (account, side, market) = (order.account, order.side, order.market());
        let asset = self.markets.at(market).reserved_asset(side);
        self.ledger.release(account, asset, event.amount, (at.sequence, at.timestamp));
        self.touched_balance(account, asset);
        self.watch.touched(Entity::Order(self.orders.at(slot).sequence));
    }

    /// none → PENDING. One with a trigger waits outside the book (D-67).
    #[inline]
    pub(crate) fn apply_accepted(&mut self, at: EventHead, slot: Slot) {
        let order = self.orders.at(slot);
        assert!(
            order.state.is_none() && order.filled.0 == 0,
            "an order is accepted once (STATE-22)"
        );
        self.orders.accept(slot, at);
        self.touch_order(at, slot);
        if self.orders.at(slot).conditions.is_some() && self.enter_queues(slot) {
            return;
        }
        self.come_in(slot);
    }

    /// Enters the end of an order, and its trigger; whether it waits for one.
    fn enter_queues(&mut self, slot: Slot) -> bool {
        let order = self.orders.at(slot);
        let (side, sequence, market) = (order.side, order.sequence, order.market());
        let Some(conditions) = &order.conditions else { return false };
        if let Some(end) = conditions.expire_at {
            self.due.add((just_after(end), DueKind::Expiry, sequence));
        }
        let Some(waiting) = conditions.trigger else { return false };
        match waiting.met {
            None => {
                let triggers = &mut self.markets.at_mut(market).triggers;
                triggers.add(waiting.is_upward(side), waiting.ticks, sequence);
            }
            Some((met_at, _)) if self.markets.at(market).open => {
                self.due.add_triggered(met_at, sequence);
            }
            Some((met_at, _)) => {
                self.markets.at_mut(market).parked.insert((met_at, sequence));
            }
        }
        true
    }

    /// Enters what an order of a saved state is in.
    pub(crate) fn restore_queues(&mut self, slot: Slot) {
        if self.orders.at(slot).conditions.is_some() {
            self.enter_queues(slot);
        }
    }

    /// Takes an order that ended out of the queues, and unties its pair.
    fn leave_queues(&mut self, slot: Slot) {
        let order = self.orders.at(slot);
        let (side, sequence, market) = (order.side, order.sequence, order.market());
        let Some(conditions) = order.conditions.as_deref().cloned() else { return };
        if let Some(end) = conditions.expire_at {
            self.due.remove(&(just_after(end), DueKind::Expiry, sequence));
        }
        if let Some(waiting) = conditions.trigger {
            self.stop_waiting(&waiting, side, (sequence, market));
        }
        if let Some(partner) = conditions.pair {
            self.set_pair(partner, None);
            self.set_pair(sequence, None);
        }
    }

    fn stop_waiting(&mut self, waiting: &Waiting, side: Side, (order, market): (u64, u32)) {
        let triggers = &mut self.markets.at_mut(market).triggers;
        match waiting.met {
            None => triggers.remove(waiting.is_upward(side), waiting.ticks, order),
            Some((met_at, _)) => {
                self.due.remove_triggered(met_at, order);
                self.markets.at_mut(market).parked.remove(&(met_at, order));
            }
        }
    }

    /// OrderTriggered: it comes in with a new place in time; a market order gets its bound now.
    pub(crate) fn apply_triggered(&mut self, at: EventHead, slot: Slot) {
        let order = self.orders.at_mut(slot);
        let (side, sequence, market) = (order.side, order.sequence, order.market());
        let conditions = order.conditions.as_mut().expect("it has a trigger");
        let waiting = conditions.trigger.take().expect("an order is triggered once");
        assert!(order.state == Some(OrderState::Pending), "a waiting order is PENDING (D-67)");
        self.orders.trigger(slot, at);
        self.stop_waiting(&waiting, side, (sequence, market));
        self.touch_order(at, slot);
        if self.orders.at(slot).order_type == OrderType::Market {
            let market = self.markets.at(market);
            let best = market.book.best(side.opposite());
            let bound = best.map(|best| market.protected(side, best));
            let order = self.orders.at_mut(slot);
            order.ticks = match (bound, side) {
                (Some(bound), Side::Buy) => bound.min(order.ticks),
                (Some(bound), Side::Sell) => bound,
                (None, _) => order.ticks,
            };
        }
        self.come_in(slot);
    }

    /// An order comes in: it crosses the book, or rests and is displayed, or can do neither.
    #[inline]
    fn come_in(&mut self, slot: Slot) {
        self.rest_incoming();
        if self.crosses(slot) {
            self.incoming = Some(slot);
        } else if self.orders.at(slot).may_rest() {
            self.incoming = Some(slot);
            self.rest_incoming();
            self.count_symbol(slot);
        }
    }

    #[inline]
    fn crosses(&self, slot: Slot) -> bool {
        let order = self.orders.at(slot);
        self.markets.at(order.market()).book.crosses(order.side, order.ticks)
    }

    /// The incoming order is displayed as soon as it may rest and meets nothing more (D-89).
    #[inline]
    fn settle_incoming(&mut self) {
        if let Some(slot) = self.incoming
            && self.orders.at(slot).may_rest()
            && !self.crosses(slot)
        {
            self.rest_incoming();
            self.count_symbol(slot);
        }
    }

    /// Quantity taken off: the state stays, and so does the place in time.
    pub(crate) fn apply_reduced(&mut self, at: EventHead, event: &OrderReduced, slot: Slot) {
        let order = self.orders.at_mut(slot);
        assert!(order.is_open(), "only an open order is reduced (LIFE-42)");
        assert!(event.total < order.total && event.total > order.filled, "a part stays");
        let lots = Lots(order.total.0 - event.total.0);
        order.total = event.total;
        let (node, market) = (order.node, order.market());
        self.move_state(at, slot);
        if node != NodeId::NONE {
            self.markets.at_mut(market).book.reduce(node, lots);
            self.count_symbol(slot);
        }
    }

    /// The match itself: the last price, and both accounts count it (SEQ-56).
    #[inline]
    pub(crate) fn apply_executed(
        &mut self,
        at: EventHead,
        (ticks, lots): (Ticks, Lots),
        orders: (Slot, Slot),
    ) {
        let (maker, taker) = (self.orders.at(orders.0), self.orders.at(orders.1));
        let (maker_account, taker_account, number) = (maker.account, taker.account, maker.market());
        assert_ne!(maker_account, taker_account, "nobody trades with itself (TRADE-64)");
        assert_eq!(number, taker.market(), "both orders are of one market (TRADE-3)");
        let market = self.markets.at_mut(number);
        market.last_price = Some(ticks);
        market.sequence += 1;
        let volume = market.counts_volume.then(|| {
            let units = u128::from(ticks.0) * u128::from(lots.0);
            market.value(units).expect("a value in range")
        });
        let accounts = [maker_account, taker_account];
        self.open_trade = Some(OpenTrade { sequence: at.sequence, accounts, volume });
        self.watch.touched(Entity::Market(number));
        self.count_account(at, maker_account);
        self.count_account(at, taker_account);
        while let Some(order) = self.markets.at_mut(number).triggers.meet(ticks) {
            self.meet_trigger(at, order, ticks);
        }
    }

    /// A trade met a trigger: the order is due, and enters matching with a later command (D-92).
    #[cold]
    fn meet_trigger(&mut self, at: EventHead, order: u64, last: Ticks) {
        let slot = self.orders.slot(order).expect("a trigger belongs to an open order");
        let conditions = self.orders.at_mut(slot).conditions.as_mut();
        let waiting = conditions.and_then(|conditions| conditions.trigger.as_mut());
        waiting.expect("it waits").met = Some((at.timestamp, last));
        self.due.add_triggered(at.timestamp, order);
        self.watch.touched(Entity::Order(order));
    }

    /// PENDING or PARTIAL → PARTIAL or FILLED; quantities, fees and reservation of one side.
    #[inline]
    pub(crate) fn apply_fill(&mut self, at: EventHead, fill: &Fill, slot: Slot) {
        let market = self.markets.at(self.orders.at(slot).market());
        let units = u128::from(fill.ticks.0) * u128::from(fill.lots.0);
        let cost = match self.orders.at(slot).side {
            Side::Buy => market.value(units).expect("a value in range") + fill.fee,
            Side::Sell => market.quantity(fill.lots),
        };
        let order = self.orders.at_mut(slot);
        assert!(order.is_open(), "only an open order is filled (STATE-22)");
        assert!(fill.lots.0 > 0 && fill.lots <= order.remaining(), "filled ≤ total (LIFE-71)");
        order.filled.0 += fill.lots.0;
        let reserved = order.reserved() - cost;
        assert!(reserved >= Amount::ZERO, "a fill is covered (SETL-57)");
        order.set_reserved(reserved);
        let full = order.filled == order.total;
        let state = if full { OrderState::Filled } else { OrderState::Partial };
        let node = order.node;
        self.orders.set_state(slot, state);
        self.orders.add_fill(slot, units, fill.fee);
        self.move_state(at, slot);
        if node == NodeId::NONE {
            self.fill_incoming(slot, full);
        } else {
            self.fill_resting(slot, node, fill.lots);
        }
        if full {
            self.close(slot);
        }
    }

    /// An order has ended: it leaves everything but the arena, and that at the command's end.
    #[inline]
    fn close(&mut self, slot: Slot) {
        if self.orders.at(slot).conditions.is_some() {
            self.leave_queues(slot);
        }
        self.orders.close(slot);
        let order = self.orders.at(slot);
        self.note_limit(order.account, order.market());
        self.ended.push(slot);
    }

    #[inline]
    fn fill_resting(&mut self, slot: Slot, node: NodeId, lots: Lots) {
        let market = self.orders.at(slot).market();
        let left = self.markets.at_mut(market).book.fill(node, lots);
        assert_eq!(left, self.orders.at(slot).remaining(), "book and order agree (STATE-10)");
        if left == Lots(0) {
            self.orders.at_mut(slot).node = NodeId::NONE;
        }
        self.count_symbol(slot);
    }

    /// The incoming order ends when it is filled, and is displayed as soon as it meets nothing more.
    #[inline]
    fn fill_incoming(&mut self, slot: Slot, full: bool) {
        assert_eq!(self.incoming, Some(slot), "an order out of the book is the incoming one");
        if full {
            self.incoming = None;
            return;
        }
        self.settle_incoming();
    }

    /// PENDING or PARTIAL → CANCELED or EXPIRED; off the book.
    #[inline]
    pub(crate) fn apply_ended(&mut self, at: EventHead, slot: Slot, state: OrderState) {
        let order = self.orders.at_mut(slot);
        assert!(order.is_open(), "only an open order ends (STATE-22)");
        let (node, market) = (order.node, order.market());
        order.node = NodeId::NONE;
        self.orders.set_state(slot, state);
        self.move_state(at, slot);
        if self.incoming == Some(slot) {
            self.incoming = None;
        }
        if node != NodeId::NONE {
            self.markets.at_mut(market).book.remove(node);
            self.count_symbol(slot);
            self.settle_incoming();
        }
        self.close(slot);
    }

    #[inline]
    pub(crate) fn apply_balances(&mut self, at: EventHead, event: &BalanceUpdated) {
        self.ledger.post(event, at.sequence, at.timestamp);
        for posting in event.postings() {
            self.touched_balance(posting.account, posting.asset);
        }
    }

    /// TradeSettled: both accounts' volume. `false` when it is not of the trade just executed.
    #[inline]
    pub(crate) fn apply_settled(&mut self, at: EventHead, event: &TradeSettled) -> bool {
        let trade = self.open_trade.take().filter(|trade| trade.sequence == event.trade);
        if let Some(trade) = &trade {
            self.count_volume(at, trade);
        }
        trade.is_some()
    }

    /// A paused market's triggered orders wait; a resumed one's are due again.
    pub(crate) fn park_triggered(&mut self, number: u32, open: bool) {
        if open {
            for (met_at, order) in core::mem::take(&mut self.markets.at_mut(number).parked) {
                self.due.add_triggered(met_at, order);
            }
            return;
        }
        for (met_at, order) in self.due.triggered_orders() {
            let slot = self.orders.slot(order).expect("a trigger belongs to an open order");
            if self.orders.at(slot).market() == number {
                self.due.remove_triggered(met_at, order);
                self.markets.at_mut(number).parked.insert((met_at, order));
            }
        }
    }

    /// Puts the incoming order into the book if it is still open and may rest: at the back of its
    /// level, which is its place in time, since every order before it came to rest before (D-77).
    #[inline]
    pub(crate) fn rest_incoming(&mut self) {
        let Some(slot) = self.incoming.take() else { return };
        let order = self.orders.at(slot);
        assert!(order.is_open() && order.may_rest(), "what cannot rest has ended (STATE-33)");
        let entry = Entry {
            side: order.side,
            ticks: order.ticks,
            lots: order.remaining(),
            account: order.account,
            order: slot,
        };
        let node = self.markets.at_mut(order.market()).book.insert(entry);
        self.orders.at_mut(slot).node = node;
    }

    /// `state_seq`, `state_changed_at` and the counts of order and account.
    #[inline]
    fn move_state(&mut self, at: EventHead, slot: Slot) {
        self.orders.change(slot, at);
        self.touch_order(at, slot);
    }

    /// An event that counts for an order, which knows it already, counts for its account, too.
    #[inline]
    fn touch_order(&mut self, at: EventHead, slot: Slot) {
        let order = self.orders.at(slot);
        let (sequence, account) = (order.sequence, order.account);
        self.watch.touched(Entity::Order(sequence));
        self.count_account(at, account);
    }

    #[inline]
    pub(crate) fn count_account(&mut self, at: EventHead, account: u32) {
        self.ledger.count_event(account, at.timestamp);
        self.watch.touched(Entity::Account(account));
    }

    /// The displayed depth changed.
    #[inline]
    fn count_symbol(&mut self, slot: Slot) {
        let number = self.orders.at(slot).market();
        self.markets.at_mut(number).sequence += 1;
        self.watch.touched(Entity::Market(number));
    }

    #[inline]
    fn touched_balance(&mut self, account: u32, asset: u32) {
        self.watch.touched(Entity::Balance { account, asset });
        self.watch.touched(Entity::Account(account));
    }
}

/// The time from which on a GTD order is due (D-52).
fn just_after(end: Timestamp) -> Timestamp {
    Timestamp(end.0.saturating_add(1))
}
