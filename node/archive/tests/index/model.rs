//! What orders, trades and postings must be, from the events by the plainest way: everything in maps,
//! nothing forgotten, every field spelled out.

use std::collections::BTreeMap;

use port::{PostingView, SettlementView, TradeState, TradeView};
use schema::{
    BalanceUpdated, Bucket, Event, EventHead, GroupIter, Label, MarketTerms, OrderState,
    OrderSubmitted, OrderTerms, OrderType, Reference,
};
use units::{Amount, Id, Side, Timestamp};

use crate::venue::Record;

const SHARD: u16 = 5;

/// An order as far as the tests compare it.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) id: Id,
    pub(crate) account: Option<u32>,
    pub(crate) market: Option<u32>,
    pub(crate) side: Side,
    /// Limit price of an order that passed its checks; none of a market order.
    pub(crate) price: Option<Amount>,
    pub(crate) created_at: Timestamp,
    pub(crate) client_id: Option<Label>,
    pub(crate) state: Option<OrderState>,
    pub(crate) prev_state: Option<OrderState>,
    pub(crate) state_seq: u64,
    pub(crate) state_changed_at: Timestamp,
    pub(crate) reason: Option<&'static str>,
    pub(crate) filled: Amount,
    pub(crate) fees: Amount,
    pub(crate) trades: Vec<Id>,
}

/// An entry: event, account, reference, postings.
pub(crate) type Entry = (EventHead, u32, Id, Vec<PostingView>);

/// Everything that happened.
#[derive(Default)]
pub(crate) struct Model {
    pub(crate) accounts: Vec<Id>,
    pub(crate) orders: BTreeMap<u64, Order>,
    pub(crate) trades: BTreeMap<u64, SettlementView>,
    pub(crate) entries: Vec<Entry>,
    assets: Vec<Label>,
    markets: Vec<MarketTerms>,
    balances: BTreeMap<(u32, u32), [Amount; 2]>,
}

impl Model {
    pub(crate) fn of(records: &[Record]) -> Self {
        let mut model = Self::default();
        for (groups, _) in records {
            for group in GroupIter::new(groups) {
                for event in group.expect("a group").events() {
                    let (head, event) = event.expect("an event");
                    model.pass(head, &event);
                }
            }
        }
        model
    }

    pub(crate) fn number(&self, account: Id) -> u32 {
        let place = self.accounts.iter().position(|id| *id == account).expect("known");
        u32::try_from(place).expect("few")
    }

    fn pass(&mut self, at: EventHead, event: &Event) {
        match event {
            Event::AccountCreated(_) => self.accounts.push(id(at)),
            Event::AssetListed(listed) => self.assets.push(listed.terms.symbol),
            Event::MarketListed(listed) => self.markets.push(listed.terms.clone()),
            Event::OrderSubmitted(submitted) => {
                let (account, market) = match submitted.terms {
                    OrderTerms::Checked { account, market, .. } => (Some(account), Some(market)),
                    OrderTerms::Requested { .. } => (None, None),
                };
                let order = Order {
                    id: id(at),
                    account,
                    market,
                    side: submitted.side,
                    price: self.limit(submitted),
                    created_at: at.timestamp,
                    client_id: submitted.client_order_id,
                    state: None,
                    prev_state: None,
                    state_seq: at.sequence,
                    state_changed_at: at.timestamp,
                    reason: None,
                    filled: Amount::ZERO,
                    fees: Amount::ZERO,
                    trades: Vec::new(),
                };
                self.orders.insert(at.sequence, order);
            }
            Event::OrderAccepted(event) => self.enter(at, event.order, OrderState::Pending),
            Event::OrderRejected(event) => {
                self.enter(at, event.order, OrderState::Rejected);
                self.order(event.order).reason = Some(event.reason.name());
            }
            Event::OrderCanceled(event) => {
                self.enter(at, event.order, OrderState::Canceled);
                self.order(event.order).reason = Some(event.reason.name());
            }
            Event::OrderExpired(event) => {
                self.enter(at, event.order, OrderState::Expired);
                self.order(event.order).reason = Some(event.reason.name());
            }
            Event::OrderPartiallyFilled(fill) => self.fill(at, fill, OrderState::Partial),
            Event::OrderFilled(fill) => self.fill(at, fill, OrderState::Filled),
            Event::MarginReserved(event) => self.hold(event.order, event.amount),
            Event::MarginReleased(event) => self.hold(event.order, Amount(-event.amount.0)),
            Event::TradeExecuted(event) => self.trade(at, event),
            Event::TradeSettled(event) => {
                let row = self.trades.get_mut(&event.trade).expect("executed");
                row.sequence = at.sequence;
                row.trade.settled_at = at.timestamp;
                row.trade.maker_fee = event.maker_fee;
                row.trade.taker_fee = event.taker_fee;
            }
            Event::BalanceUpdated(event) => self.post(at, event),
            _ => {}
        }
    }

    fn limit(&self, submitted: &OrderSubmitted) -> Option<Amount> {
        let OrderTerms::Checked { market, ticks, .. } = submitted.terms else { return None };
        let is_limited = submitted.order_type == OrderType::Limit;
        is_limited.then(|| Amount(i128::from(ticks.0) * self.terms(market).tick_size.0))
    }

    fn order(&mut self, sequence: u64) -> &mut Order {
        self.orders.get_mut(&sequence).expect("submitted")
    }

    fn enter(&mut self, at: EventHead, order: u64, state: OrderState) {
        let order = self.order(order);
        if order.state != Some(state) {
            order.prev_state = order.state;
        }
        (order.state, order.state_seq) = (Some(state), at.sequence);
        order.state_changed_at = at.timestamp;
    }

    fn fill(&mut self, at: EventHead, fill: &schema::Fill, state: OrderState) {
        self.enter(at, fill.order, state);
        let market = self.order(fill.order).market.expect("checked");
        let quantity = Amount(i128::from(fill.lots.0) * self.terms(market).lot_size.0);
        let order = self.order(fill.order);
        order.fees += fill.fee;
        order.filled += quantity;
    }

    fn asset_number(&self, symbol: &Label) -> u32 {
        let place = self.assets.iter().position(|asset| asset == symbol).expect("listed");
        u32::try_from(place + 1).expect("few")
    }

    fn terms(&self, market: u32) -> &MarketTerms {
        &self.markets[market as usize - 1]
    }

    fn hold(&mut self, order: u64, amount: Amount) {
        let order = self.order(order);
        let (account, market, side) = (order.account, order.market, order.side);
        let terms = self.terms(market.expect("checked"));
        let asset = match side {
            Side::Buy => self.asset_number(&terms.quote),
            Side::Sell => self.asset_number(&terms.base),
        };
        let balance = self.balances.entry((account.expect("checked"), asset)).or_default();
        balance[0] -= amount;
        balance[1] += amount;
    }

    fn trade(&mut self, at: EventHead, event: &schema::TradeExecuted) {
        let (maker, taker) = (self.order(event.maker).clone(), self.order(event.taker).clone());
        for order in [event.maker, event.taker] {
            self.order(order).trades.push(id(at));
        }
        let terms = self.terms(taker.market.expect("checked"));
        let trade = TradeView {
            trade_id: id(at),
            sequence: at.sequence,
            symbol: terms.symbol,
            maker_order_id: maker.id,
            taker_order_id: taker.id,
            maker_account_id: self.accounts[maker.account.expect("checked") as usize],
            taker_account_id: self.accounts[taker.account.expect("checked") as usize],
            side: taker.side,
            price: Amount(i128::from(event.ticks.0) * terms.tick_size.0),
            quantity: Amount(i128::from(event.lots.0) * terms.lot_size.0),
            maker_fee: Amount::ZERO,
            taker_fee: Amount::ZERO,
            maker_fee_asset: terms.quote,
            taker_fee_asset: terms.quote,
            executed_at: at.timestamp,
            settled_at: at.timestamp,
            state: TradeState::Settled,
        };
        let row = SettlementView { trade, shard: SHARD, sequence: 0, postings: Vec::new() };
        self.trades.insert(at.sequence, row);
    }

    fn post(&mut self, at: EventHead, event: &BalanceUpdated) {
        let mut own: BTreeMap<u32, Vec<PostingView>> = BTreeMap::new();
        let mut all = Vec::new();
        for posting in event.postings() {
            let balance = self.balances.entry((posting.account, posting.asset)).or_default();
            let part = &mut balance[usize::from(posting.bucket == Bucket::Locked)];
            let before = *part;
            *part += posting.delta;
            let view = PostingView {
                account_id: self.accounts[posting.account as usize],
                asset: self.assets[posting.asset as usize - 1],
                bucket: posting.bucket,
                delta: posting.delta,
                before,
                after: *part,
            };
            all.push(view);
            own.entry(posting.account).or_default().push(view);
        }
        let reference = match event.reference {
            Reference::Outside(id) => id,
            Reference::Event(trade) => {
                let row = self.trades.get_mut(&trade).expect("executed");
                row.postings.extend(all);
                row.trade.trade_id
            }
        };
        self.entries.extend(own.into_iter().map(|(account, own)| (at, account, reference, own)));
    }

    /// What the model says an account has, to compare with the kernel.
    pub(crate) fn balances(&self) -> impl Iterator<Item = ((u32, u32), [Amount; 2])> {
        self.balances.iter().map(|(place, parts)| (*place, *parts))
    }
}

fn id(at: EventHead) -> Id {
    Id::derive(at.timestamp, SHARD, at.sequence).expect("in range")
}
