//! Reads a group before it is applied, for what the kernel does not keep.
//!
//! The kernel forgets an order when the command that ends it ends, keeps no client id and no trade. So
//! each group is walked once before: an order that ends in it is drawn up as it was, the group's fills
//! are added, and what it became is remembered.

use std::collections::HashMap;

use port::{OrderView, TradePrint};
use schema::wire::DecodeError;
use schema::{
    Code, Event, EventGroup, EventHead, ExpiryReason, Fill, Label, OrderReduced, OrderRejected,
    OrderState, OrderSubmitted, OrderTerms, SymbolRef, TradeExecuted,
};
use units::{Amount, Id, Lots};

use super::changes::Changes;
use super::query::average_price;
use super::{Asked, RecordedHash, View};

/// The orders that a group fills or ends, as they are so far.
#[derive(Default)]
struct Drafts {
    /// The order that the group submits.
    submitted: Option<(EventHead, OrderSubmitted)>,
    orders: HashMap<u64, Draft>,
}

/// An order and the exact sum of price × quantity of its trades.
struct Draft {
    view: OrderView,
    market: u32,
    filled: Lots,
    units: u128,
}

/// How an order ended.
#[derive(Clone, Copy)]
struct Ending {
    state: OrderState,
    reason: Option<Code>,
    expiry: Option<ExpiryReason>,
}

impl View {
    /// Walks a group that is about to be applied.
    pub(super) fn scan(
        &mut self,
        group: &EventGroup<'_>,
        changes: &mut Changes,
    ) -> Result<Option<RecordedHash>, DecodeError> {
        let (mut drafts, mut recorded) = (Drafts::default(), None);
        for event in group.events() {
            let (head, event) = event?;
            match &event {
                Event::OrderSubmitted(submitted) => {
                    self.on_submitted(head, submitted);
                    drafts.submitted = Some((head, *submitted));
                }
                Event::OrderAccepted(accepted) => {
                    let market = drafts.submitted.as_ref().and_then(market_of);
                    changes.accepted(&self.kernel, accepted.order, market);
                }
                Event::OrderTriggered(triggered) => {
                    let order = self.kernel.order_of(triggered.order);
                    changes.accepted(&self.kernel, triggered.order, order.map(|it| it.market));
                    if let Some(draft) = self.draft(triggered.order, &mut drafts) {
                        draft.view.is_triggered = true;
                    }
                }
                Event::OrderReduced(reduced) => {
                    self.note_level(reduced.order, changes);
                    self.on_reduced(reduced, &mut drafts);
                }
                Event::OrderRejected(rejected) => self.on_rejected(head, rejected, &drafts),
                Event::TradeExecuted(trade) => self.on_trade(head, trade, changes),
                Event::OrderPartiallyFilled(fill) => {
                    if let Some(draft) = self.on_fill(fill, &mut drafts) {
                        draft.enter(OrderState::Partial, head);
                    }
                }
                Event::OrderFilled(fill) => {
                    self.on_fill(fill, &mut drafts);
                    let ending = Ending { state: OrderState::Filled, reason: None, expiry: None };
                    self.on_ended(head, fill.order, ending, &mut drafts);
                }
                Event::OrderCanceled(ended) => {
                    self.note_level(ended.order, changes);
                    let reason = Some(ended.reason);
                    let ending = Ending { state: OrderState::Canceled, reason, expiry: None };
                    self.on_ended(head, ended.order, ending, &mut drafts);
                }
                Event::OrderExpired(ended) => {
                    self.note_level(ended.order, changes);
                    let expiry = Some(ended.reason);
                    let ending = Ending { state: OrderState::Expired, reason: None, expiry };
                    self.on_ended(head, ended.order, ending, &mut drafts);
                }
                Event::MarketPaused(state) | Event::MarketResumed(state) => {
                    changes.market(&self.kernel, state.market);
                }
                Event::MarketParametersChanged(changed) => {
                    changes.market(&self.kernel, changed.market);
                }
                Event::ClockStatusChanged(changed) => self.clock = changed.to,
                Event::StateHashRecorded(hash) => {
                    recorded = Some((hash.at_sequence, hash.state_hash));
                }
                _ => {}
            }
        }
        Ok(recorded)
    }

    fn on_submitted(&mut self, head: EventHead, submitted: &OrderSubmitted) {
        let asked = Asked {
            client_order_id: submitted.client_order_id,
            trigger: submitted.trigger,
            oco_with: submitted.oco_with,
        };
        if asked != Asked::default() && matches!(submitted.terms, OrderTerms::Checked { .. }) {
            self.asked.insert(head.sequence, asked);
        }
    }

    /// The maker's level changes; a taker's own level is noted when it rests.
    fn on_trade(&self, head: EventHead, trade: &TradeExecuted, changes: &mut Changes) {
        let Some(maker) = self.kernel.order_of(trade.maker) else { return };
        let Some(market) = self.kernel.market(maker.market) else { return };
        changes.level(&self.kernel, market.number, (maker.side, trade.ticks));
        let print = TradePrint {
            trade_id: self.id_of(head),
            price: market.price(trade.ticks),
            quantity: market.quantity(trade.lots),
            side: maker.side.opposite(),
            executed_at: head.timestamp,
        };
        changes.trade(&self.kernel, market.number, print);
    }

    /// An order that ends now leaves its level, if it rests.
    fn note_level(&self, order: u64, changes: &mut Changes) {
        if let Some(order) = self.kernel.order_of(order).filter(|order| order.is_resting()) {
            changes.level(&self.kernel, order.market, (order.side, order.ticks));
        }
    }

    fn on_fill<'a>(&self, fill: &Fill, drafts: &'a mut Drafts) -> Option<&'a mut Draft> {
        let draft = self.draft(fill.order, drafts)?;
        draft.filled.0 += fill.lots.0;
        draft.units += u128::from(fill.ticks.0) * u128::from(fill.lots.0);
        draft.view.total_fee += fill.fee;
        Some(draft)
    }

    /// An order that is reduced and ends in one group ends with its new total.
    fn on_reduced(&self, reduced: &OrderReduced, drafts: &mut Drafts) {
        let Some(draft) = self.draft(reduced.order, drafts) else { return };
        if let Some(market) = self.kernel.market(draft.market) {
            draft.view.quantity = market.quantity(reduced.total);
        }
    }

    fn on_ended(&mut self, head: EventHead, order: u64, ending: Ending, drafts: &mut Drafts) {
        if self.draft(order, drafts).is_none() {
            return;
        }
        let Some(mut draft) = drafts.orders.remove(&order) else { return };
        self.asked.remove(&order);
        draft.enter(ending.state, head);
        draft.view.reason = ending.reason;
        draft.view.expiry = ending.expiry;
        draft.view.reserved = Amount::ZERO;
        if let Some(market) = self.kernel.market(draft.market) {
            let filled = market.quantity(draft.filled);
            draft.view.filled_quantity = filled;
            draft.view.remaining_quantity = draft.view.quantity - filled;
            draft.view.average_price = average_price(market, draft.units, draft.filled);
        }
        self.ended.add(draft.view);
    }

    /// The order as it was before this group, or as this group submitted it.
    fn draft<'a>(&self, order: u64, drafts: &'a mut Drafts) -> Option<&'a mut Draft> {
        if !drafts.orders.contains_key(&order) {
            let made = match self.kernel.order_of(order) {
                Some(order) => Draft {
                    view: self.order_view(&order)?,
                    market: order.market,
                    filled: order.filled,
                    units: order.units,
                },
                None => {
                    let (head, submitted) = drafts.submitted.as_ref()?;
                    if head.sequence != order {
                        return None;
                    }
                    self.draft_submitted(*head, submitted)?
                }
            };
            drafts.orders.insert(order, made);
        }
        drafts.orders.get_mut(&order)
    }

    fn draft_submitted(&self, head: EventHead, submitted: &OrderSubmitted) -> Option<Draft> {
        let OrderTerms::Checked { account, market, ticks, lots } = submitted.terms else {
            return None;
        };
        let terms = self.kernel.market(market)?;
        let quantity = terms.quantity(lots);
        let limited = submitted.order_type == schema::OrderType::Limit;
        let view = OrderView {
            account_id: self.kernel.account(account)?.id,
            symbol: terms.terms.symbol,
            price: limited.then(|| terms.price(ticks)),
            quantity,
            remaining_quantity: quantity,
            state: OrderState::Pending,
            prev_state: None,
            ..self.blank_view(head, submitted)
        };
        Some(Draft { view, market, filled: Lots(0), units: 0 })
    }

    /// An order that was made and rejected never enters the kernel's state; its quantity is zero
    /// (STATE-18).
    fn on_rejected(&mut self, head: EventHead, rejected: &OrderRejected, drafts: &Drafts) {
        let Some((submitted_at, submitted)) = &drafts.submitted else { return };
        let OrderTerms::Requested { account, symbol, price, .. } = submitted.terms else { return };
        let symbol = match symbol {
            SymbolRef::Unknown(text) => text,
            SymbolRef::Listed(number) => {
                let market = self.kernel.market(number);
                market.map_or_else(empty_label, |market| market.terms.symbol)
            }
        };
        let view = OrderView {
            account_id: account,
            symbol,
            price,
            reason: Some(rejected.reason),
            state_seq: head.sequence,
            state_changed_at: head.timestamp,
            ..self.blank_view(*submitted_at, submitted)
        };
        self.ended.add(view);
    }

    /// What an order's OrderSubmitted says whether it was checked or not; the rest is that of a
    /// rejected order.
    fn blank_view(&self, head: EventHead, submitted: &OrderSubmitted) -> OrderView {
        OrderView {
            order_id: self.id_of(head),
            account_id: Id::default(),
            symbol: empty_label(),
            client_order_id: submitted.client_order_id,
            side: submitted.side,
            order_type: submitted.order_type,
            time_in_force: submitted.time_in_force,
            self_trade: submitted.self_trade,
            price: None,
            quantity: Amount::ZERO,
            filled_quantity: Amount::ZERO,
            remaining_quantity: Amount::ZERO,
            average_price: None,
            total_fee: Amount::ZERO,
            reserved: Amount::ZERO,
            state: OrderState::Rejected,
            prev_state: None,
            reason: None,
            expiry: None,
            state_seq: head.sequence,
            state_changed_at: head.timestamp,
            created_at: head.timestamp,
            post_only: submitted.post_only,
            expire_at: submitted.expire_at,
            trigger: submitted.trigger,
            is_triggered: false,
            oco_with: submitted.oco_with,
        }
    }

    fn id_of(&self, head: EventHead) -> Id {
        Id::derive(head.timestamp, self.kernel.shard(), head.sequence).unwrap_or_default()
    }
}

impl Draft {
    fn enter(&mut self, state: OrderState, head: EventHead) {
        if self.view.state != state {
            self.view.prev_state = Some(self.view.state);
            self.view.state = state;
        }
        self.view.state_seq = head.sequence;
        self.view.state_changed_at = head.timestamp;
    }
}

/// Market of the order that a group submits.
fn market_of((_, submitted): &(EventHead, OrderSubmitted)) -> Option<u32> {
    match submitted.terms {
        OrderTerms::Checked { market, .. } => Some(market),
        OrderTerms::Requested { .. } => None,
    }
}

fn empty_label() -> Label {
    Label::new("").expect("an empty text is short")
}
