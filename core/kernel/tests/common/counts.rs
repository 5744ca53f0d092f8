//! The entity sequences of SEQ-27, counted from the log alone.
//!
//! Owns the table of that requirement in its plainest form, with D-89 for what is displayed. A fill or
//! acceptance displays an order when nothing of the same command trades or ends it afterwards.

use std::collections::BTreeMap;

use schema::{Event, EventHead, OrderTerms, TimeInForce};
use units::{Id, Timestamp};

use super::Venue;

#[derive(Clone, Copy)]
struct Order {
    account: u32,
    market: u32,
    rests: bool,
    displayed: bool,
    count: u64,
}

/// All counts of a log.
#[derive(Default)]
pub struct Counts {
    accounts: BTreeMap<u32, (u64, Timestamp)>,
    ids: BTreeMap<Id, u32>,
    orders: BTreeMap<u64, Order>,
    symbols: BTreeMap<u32, u64>,
    rejecting: Option<Id>,
}

impl Counts {
    /// Counts the last command of a venue and compares with its kernel.
    pub fn follow(&mut self, venue: &Venue) {
        for (index, (head, event)) in venue.events.iter().enumerate() {
            self.event(*head, event, &venue.events[index + 1..], venue);
        }
        self.compare(venue);
    }

    fn account(&mut self, account: u32, at: EventHead) {
        let count = self.accounts.entry(account).or_insert((0, at.timestamp));
        *count = (count.0 + 1, at.timestamp);
    }

    fn named(&mut self, id: Option<Id>, at: EventHead) {
        if let Some(&account) = id.and_then(|id| self.ids.get(&id)) {
            self.account(account, at);
        }
    }

    fn symbol(&mut self, market: u32) {
        *self.symbols.entry(market).or_default() += 1;
    }

    fn event(&mut self, at: EventHead, event: &Event, later: &[(EventHead, Event)], venue: &Venue) {
        match event {
            Event::AccountCreated(_) => {
                let number = u32::try_from(self.ids.len()).expect("few");
                self.ids.insert(venue.live.account(number).expect("it").id, number);
                self.account(number, at);
            }
            Event::AccountStatusChanged(changed) => self.account(changed.account, at),
            Event::MarketListed(_) => {
                let number = u32::try_from(self.symbols.len()).expect("few") + 1;
                self.symbol(number);
            }
            Event::MarketPaused(state) | Event::MarketResumed(state) => self.symbol(state.market),
            Event::BalanceUpdated(updated) => {
                let mut all: Vec<u32> = updated.postings().iter().map(|leg| leg.account).collect();
                all.sort_unstable();
                all.dedup();
                all.into_iter().for_each(|account| self.account(account, at));
            }
            Event::MarginReserved(moved) => self.account(self.orders[&moved.order].account, at),
            Event::MarginReleased(moved) => self.account(self.orders[&moved.order].account, at),
            Event::CommandRejected(rejected) => self.named(rejected.party.account, at),
            Event::CommandCompleted(completed) => self.named(completed.party.account, at),
            Event::TradeExecuted(trade) => {
                let (maker, taker) = (self.orders[&trade.maker], self.orders[&trade.taker]);
                self.account(maker.account, at);
                self.account(taker.account, at);
                self.symbol(maker.market);
            }
            Event::OrderSubmitted(submitted) => match submitted.terms {
                OrderTerms::Checked { account, market, .. } => {
                    let rests = submitted.time_in_force == TimeInForce::Gtc;
                    let order = Order { account, market, rests, displayed: false, count: 1 };
                    self.orders.insert(at.sequence, order);
                    self.account(account, at);
                }
                OrderTerms::Requested { account, .. } => {
                    self.rejecting = Some(account);
                    self.named(Some(account), at);
                }
            },
            Event::OrderRejected(_) => {
                let account = self.rejecting.take();
                self.named(account, at);
            }
            Event::OrderAccepted(accepted) => self.order(accepted.order, at, Some(later)),
            Event::OrderPartiallyFilled(fill) => self.order(fill.order, at, Some(later)),
            Event::OrderFilled(fill) => self.order(fill.order, at, None),
            Event::OrderCanceled(ended) => self.order(ended.order, at, None),
            Event::OrderExpired(ended) => self.order(ended.order, at, None),
            _ => {}
        }
    }

    /// An order event; `later` are the rest of its command's, unless it ends the order.
    fn order(&mut self, sequence: u64, at: EventHead, later: Option<&[(EventHead, Event)]>) {
        let order = self.orders.get_mut(&sequence).expect("submitted");
        order.count += 1;
        let was = order.displayed;
        if let Some(later) = later
            && !was
            && order.rests
        {
            order.displayed = !later.iter().any(|(_, event)| match event {
                Event::TradeExecuted(trade) => trade.taker == sequence,
                Event::OrderFilled(fill) => fill.order == sequence,
                Event::OrderCanceled(ended) => ended.order == sequence,
                Event::OrderExpired(ended) => ended.order == sequence,
                _ => false,
            });
        }
        let Order { account, market, displayed, .. } = *order;
        self.account(account, at);
        if was || displayed {
            self.symbol(market);
        }
    }

    fn compare(&self, venue: &Venue) {
        for (number, (count, time)) in &self.accounts {
            let account = venue.live.account(*number).expect("an account");
            assert_eq!((account.version, account.updated_at), (*count, *time), "account {number}");
        }
        for market in venue.live.markets() {
            let counted = self.symbols.get(&market.number).copied();
            assert_eq!(Some(market.sequence), counted, "symbol {}", market.number);
        }
        for account in 0..venue.live.account_count() {
            for order in venue.live.orders_of(account) {
                assert_eq!(order.version, self.orders[&order.sequence].count);
            }
        }
    }
}
