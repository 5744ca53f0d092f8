//! What each event of orders, trades and balances does to state: the one mutation path (D-2).
//!
//! Live, the kernel calls these right after it emitted the event, with the slots it already holds; in
//! replay `replay.rs` looks the slots up and calls the same functions. Every change tells the watcher.
//! Which entities an event counts for is SEQ-27's: an order event counts for its order and account,
//! and for the symbol when the displayed depth changes; TradeExecuted for both accounts and the
//! symbol; postings and holds for the accounts in them.

use book::{Entry, NodeId};
use schema::{
    BalanceUpdated, EventHead, Fill, HoldReason, MarginMoved, OrderState, OrderSubmitted,
    OrderTerms, Party, ReleaseReason,
};
use units::{Amount, Id, Lots, Side, Ticks};

use crate::order::{Order, Slot};
use crate::{Entity, Kernel, Watch};

impl<W: Watch> Kernel<W> {
    /// OrderSubmitted of an order that passed its checks: a record without a state.
    #[inline]
    pub(crate) fn apply_submitted(&mut self, at: EventHead, event: &OrderSubmitted) -> Slot {
        let OrderTerms::Checked { account, market, ticks, lots } = event.terms else {
            unreachable!("only checked orders enter state")
        };
        let reserve_rate = self.rates_of(account, self.markets.at(market)).taker;
        let slot = self.orders.add(Order {
            sequence: at.sequence,
            submitted_at: at.timestamp,
            account,
            market,
            ticks,
            total: lots,
            filled: Lots(0),
            units: 0,
            fees: Amount::ZERO,
            reserved: Amount::ZERO,
            reserve_rate,
            version: 0,
            state_seq: at.sequence,
            state_changed_at: at.timestamp,
            priority: 0,
            state: None,
            prev_state: None,
            side: event.side,
            order_type: event.order_type,
            time_in_force: event.time_in_force,
            self_trade: event.self_trade,
            node: NodeId::NONE,
            next: 0,
            previous: 0,
        });
        self.count_order_event(at, slot);
        slot
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
        order.reserved += event.amount;
        let (account, side, market) = (order.account, order.side, order.market);
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
        order.reserved -= event.amount;
        assert!(order.reserved >= Amount::ZERO, "an order releases what it holds (ACCT-18)");
        let (account, side, market) = (order.account, order.side, order.market);
        let asset = self.markets.at(market).reserved_asset(side);
        self.ledger.release(account, asset, event.amount, (at.sequence, at.timestamp));
        self.touched_balance(account, asset);
        self.watch.touched(Entity::Order(self.orders.at(slot).sequence));
    }

    /// none → PENDING. An order that may rest and meets nothing is displayed from here on.
    #[inline]
    pub(crate) fn apply_accepted(&mut self, at: EventHead, slot: Slot) {
        let order = self.orders.at_mut(slot);
        assert!(
            order.state.is_none() && order.filled.0 == 0,
            "an order is accepted once (STATE-22)"
        );
        order.state = Some(OrderState::Pending);
        order.priority = at.sequence;
        self.move_state(at, slot);
        self.rest_incoming();
        self.incoming = Some(slot);
        let order = self.orders.at(slot);
        let crosses = self.markets.at(order.market).book.crosses(order.side, order.ticks);
        if crosses {
            return;
        }
        if order.may_rest() {
            self.rest_incoming();
            self.count_symbol(slot);
        } else {
            self.incoming = None;
        }
    }

    /// The match itself: the last price, and both accounts count it (SEQ-56).
    #[inline]
    pub(crate) fn apply_executed(&mut self, at: EventHead, ticks: Ticks, orders: (Slot, Slot)) {
        let (maker, taker) = (self.orders.at(orders.0), self.orders.at(orders.1));
        let (maker_account, taker_account, number) = (maker.account, taker.account, maker.market);
        assert_ne!(maker_account, taker_account, "nobody trades with itself (TRADE-64)");
        assert_eq!(number, taker.market, "both orders are of one market (TRADE-3)");
        let market = self.markets.at_mut(number);
        market.last_price = Some(ticks);
        market.sequence += 1;
        self.watch.touched(Entity::Market(number));
        self.count_account(at, maker_account);
        self.count_account(at, taker_account);
    }

    /// PENDING or PARTIAL → PARTIAL or FILLED; quantities, fees and reservation of one side.
    #[inline]
    pub(crate) fn apply_fill(&mut self, at: EventHead, fill: &Fill, slot: Slot) {
        let market = self.markets.at(self.orders.at(slot).market);
        let units = u128::from(fill.ticks.0) * u128::from(fill.lots.0);
        let cost = match self.orders.at(slot).side {
            Side::Buy => market.value(units).expect("a value in range") + fill.fee,
            Side::Sell => market.quantity(fill.lots),
        };
        let order = self.orders.at_mut(slot);
        assert!(order.is_open(), "only an open order is filled (STATE-22)");
        assert!(fill.lots.0 > 0 && fill.lots <= order.remaining(), "filled ≤ total (LIFE-71)");
        order.filled.0 += fill.lots.0;
        order.units += units;
        order.fees += fill.fee;
        order.reserved -= cost;
        assert!(order.reserved >= Amount::ZERO, "a fill is covered (SETL-57)");
        let full = order.filled == order.total;
        let state = if full { OrderState::Filled } else { OrderState::Partial };
        if order.state != Some(state) {
            order.prev_state = order.state;
            order.state = Some(state);
        }
        let node = order.node;
        self.move_state(at, slot);
        if node == NodeId::NONE {
            self.fill_incoming(slot, full);
        } else {
            self.fill_resting(slot, node, fill.lots);
        }
        if full {
            self.ended.push(slot);
        }
    }

    #[inline]
    fn fill_resting(&mut self, slot: Slot, node: NodeId, lots: Lots) {
        let market = self.orders.at(slot).market;
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
        let order = self.orders.at(slot);
        let crosses = self.markets.at(order.market).book.crosses(order.side, order.ticks);
        if !crosses && order.may_rest() {
            self.rest_incoming();
            self.count_symbol(slot);
        }
    }

    /// PENDING or PARTIAL → CANCELED or EXPIRED; off the book.
    #[inline]
    pub(crate) fn apply_ended(&mut self, at: EventHead, slot: Slot, state: OrderState) {
        let order = self.orders.at_mut(slot);
        assert!(order.is_open(), "only an open order ends (STATE-22)");
        order.prev_state = order.state;
        order.state = Some(state);
        let (node, market) = (order.node, order.market);
        order.node = NodeId::NONE;
        self.move_state(at, slot);
        if self.incoming == Some(slot) {
            self.incoming = None;
        }
        if node != NodeId::NONE {
            self.markets.at_mut(market).book.remove(node);
            self.count_symbol(slot);
        }
        self.ended.push(slot);
    }

    #[inline]
    pub(crate) fn apply_balances(&mut self, at: EventHead, event: &BalanceUpdated) {
        self.ledger.post(event, at.sequence, at.timestamp);
        for posting in event.postings() {
            self.touched_balance(posting.account, posting.asset);
        }
    }

    /// TradeSettled changes volumes, which the fee tiers of a later version keep.
    #[inline]
    pub(crate) fn apply_settled(&mut self, _at: EventHead) {}

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
        let node = self.markets.at_mut(order.market).book.insert(entry);
        self.orders.at_mut(slot).node = node;
    }

    /// `state_seq`, `state_changed_at` and the counts of order and account.
    #[inline]
    fn move_state(&mut self, at: EventHead, slot: Slot) {
        let order = self.orders.at_mut(slot);
        order.state_seq = at.sequence;
        order.state_changed_at = at.timestamp;
        self.count_order_event(at, slot);
    }

    #[inline]
    fn count_order_event(&mut self, at: EventHead, slot: Slot) {
        let order = self.orders.at_mut(slot);
        order.version += 1;
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
        let number = self.orders.at(slot).market;
        self.markets.at_mut(number).sequence += 1;
        self.watch.touched(Entity::Market(number));
    }

    #[inline]
    fn touched_balance(&mut self, account: u32, asset: u32) {
        self.watch.touched(Entity::Balance { account, asset });
        self.watch.touched(Entity::Account(account));
    }
}
