//! A port that keeps what it was given and answers what the test says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use port::{
    AccountFeesView, AccountView, AnnouncedRates, AssetView, BalanceView, BookView, Cursor,
    EventFeed, FeeScheduleView, FeedFault, HaltView, HealthStatus, HealthView, LevelView, Listed,
    MarketView, OrderFilter, OrderPreview, OrderView, Page, Pending, Port, PortFault, Published,
    Query, RefundView, Request, Seen, TradeState, TradeView, View,
};
use schema::{
    AccountOpening, AccountStatus, AccountType, ApiClass, AssetTerms, ClockStatus, Code, FeeKind,
    FeeTier, Label, MarketKind, MarketTerms, Matching, OrderRequest, OrderState, OrderTier,
    OrderType, Outcome, Refusal, Reply, RiskTier, SelfTrade, TimeInForce, Trigger, TriggerKind,
    TriggerSource, WaiverReason, Why,
};
use tokio::sync::Notify;
use units::{Amount, Id, Lots, Rate, Side, Ticks, Timestamp};

use crate::archive;
use crate::client::{MINE, OTHERS};
use crate::samples::{ORDER, TRADE};

/// The market that is listed, under number 1.
pub(crate) const SYMBOL: &str = "BTC/USDT";

/// What a test's shard does with a command.
pub(crate) type Script = Box<dyn Fn(&Request) -> Result<Outcome, PortFault> + Send + Sync>;

/// The scripted port.
#[derive(Default)]
pub(crate) struct FakePort {
    /// Everything submitted.
    pub(crate) requests: Mutex<Vec<Request>>,
    /// Answers; `Done` when there is none.
    pub(crate) script: Mutex<Option<Script>>,
    /// Orders that can be asked for.
    pub(crate) orders: Mutex<HashMap<Id, OrderView>>,
    /// The last query.
    pub(crate) asked: Mutex<Option<Query>>,
    /// The book of market 1, and the event it reflects.
    pub(crate) book: Mutex<(u64, Option<BookView>)>,
    /// Batches of the feed.
    pub(crate) batches: Arc<Mutex<Vec<Arc<Published>>>>,
    /// Told of each new batch.
    pub(crate) published: Arc<Notify>,
    /// The halt that health tells of.
    pub(crate) halt: Mutex<Option<HaltView>>,
    /// Exchange time.
    pub(crate) time: Mutex<Timestamp>,
    /// Called when a book is asked for, before it is answered.
    pub(crate) on_book: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

struct FakeFeed {
    batches: Arc<Mutex<Vec<Arc<Published>>>>,
    published: Arc<Notify>,
    next: usize,
}

impl EventFeed for FakeFeed {
    fn next(&mut self) -> Pending<Result<Arc<Published>, FeedFault>> {
        let (batches, published, index) = (self.batches.clone(), self.published.clone(), self.next);
        self.next += 1;
        Box::pin(async move {
            loop {
                let told = published.notified();
                tokio::pin!(told);
                told.as_mut().enable();
                if let Some(batch) = batches.lock().expect("no panic").get(index) {
                    return Ok(batch.clone());
                }
                told.await;
            }
        })
    }
}

impl FakePort {
    /// Publishes a batch.
    pub(crate) fn publish(&self, batch: Published) {
        self.batches.lock().expect("no panic").push(Arc::new(batch));
        self.published.notify_waiters();
    }

    /// Answers every command so.
    pub(crate) fn answer(
        &self,
        script: impl Fn(&Request) -> Result<Outcome, PortFault> + Send + Sync + 'static,
    ) {
        *self.script.lock().expect("no panic") = Some(Box::new(script));
    }

    /// The last request.
    pub(crate) fn last(&self) -> Request {
        self.requests.lock().expect("no panic").last().expect("one was submitted").clone()
    }

    /// How many commands came through.
    pub(crate) fn count(&self) -> usize {
        self.requests.lock().expect("no panic").len()
    }

    /// The last query.
    pub(crate) fn last_query(&self) -> Query {
        self.asked.lock().expect("no panic").expect("one was asked")
    }

    fn listed(&self, filter: &OrderFilter, page: &Page) -> Listed<OrderView> {
        let orders = self.orders.lock().expect("no panic");
        let fits = |it: &&OrderView| {
            Some(it.account_id) == filter.account
                && filter.states.has(it.state)
                && (filter.price.is_none() || filter.price == it.price)
        };
        let mut items: Vec<OrderView> = orders.values().filter(fits).copied().collect();
        items.sort_by_key(|it| it.order_id);
        let more = items.len() > page.limit as usize;
        items.truncate(page.limit as usize);
        Listed { items, next: more.then_some(Cursor::behind(7)) }
    }

    fn view(&self, query: Query) -> View {
        *self.asked.lock().expect("no panic") = Some(query);
        match query {
            Query::Account(id) => View::Account(Some(account(id))),
            Query::AccountByExternalId(name) => {
                View::Account((name == label("A-1")).then(|| account(Id([0x11; 16]))))
            }
            Query::Order(id) => {
                View::Order(self.orders.lock().expect("no panic").get(&id).copied())
            }
            Query::OrderByClientId(account, key) => {
                let orders = self.orders.lock().expect("no panic");
                let named =
                    |it: &&OrderView| it.account_id == account && it.client_order_id == Some(key);
                View::Order(orders.values().find(named).copied())
            }
            Query::OpenOrders(account, market, price) => {
                assert!(market.is_none_or(|number| number == 1));
                let orders = self.orders.lock().expect("no panic");
                let fits = |it: &&OrderView| {
                    it.account_id == account && (price.is_none() || it.price == price)
                };
                View::OpenOrders(Some(orders.values().filter(fits).copied().collect()))
            }
            Query::Book(1, depth) => {
                View::Book(self.book.lock().expect("no panic").1.clone().map(|mut book| {
                    book.bids.truncate(depth);
                    book.asks.truncate(depth);
                    book
                }))
            }
            Query::Book(..) => View::Book(None),
            Query::Markets => View::Markets(vec![market()]),
            Query::Assets => View::Assets(vec![asset()]),
            Query::Health => {
                let halt = *self.halt.lock().expect("no panic");
                View::Health(HealthView { halt, ..health() })
            }
            Query::Trade(TRADE) => View::Trade(Ok(trade())),
            Query::Trade(_) => View::Trade(Err(Code::TradeNotFound)),
            Query::Orders(filter, page) => View::Orders(Ok(self.listed(&filter, &page))),
            Query::OrderRecord(id) => View::OrderRecord(Some(Box::new(archive::record(id)))),
            Query::TradesByAccount(_, _, page) if page.after.is_some() => {
                View::Trades(Ok(Listed { items: vec![], next: None }))
            }
            Query::TradesByOrder(..) | Query::TradesByAccount(..) => {
                View::Trades(Ok(Listed { items: vec![trade()], next: Some(Cursor::behind(33)) }))
            }
            Query::TradesByMarket(..) | Query::RecentTrades(..) => {
                View::PublicTrades(Ok(Listed { items: vec![archive::print()], next: None }))
            }
            Query::Settlement(TRADE) => View::Settlement(Ok(Box::new(archive::settlement()))),
            Query::Settlement(_) => View::Settlement(Err(Code::TradeNotFound)),
            Query::LedgerEntries(_, _, page) => View::LedgerEntries(Ok(archive::entries(&page))),
            Query::FeeSchedule => View::FeeSchedule(schedule()),
            Query::AccountFees(id) => View::AccountFees(Some(fees(id))),
            Query::Preview(request) => View::Preview(preview(&request)),
        }
    }
}

impl Port for FakePort {
    fn exchange_time(&self) -> Timestamp {
        *self.time.lock().expect("no panic")
    }

    fn submit(&self, request: Request) -> Pending<Result<Reply, PortFault>> {
        let script = self.script.lock().expect("no panic");
        let outcome =
            script.as_ref().map_or(Ok(Outcome::Done { created: None }), |it| it(&request));
        let mut requests = self.requests.lock().expect("no panic");
        requests.push(request);
        let command = requests.len() as u64;
        let reply = outcome.map(|outcome| Reply { command, last_event: command * 10, outcome });
        Box::pin(async move { reply })
    }

    fn events(&self, _: u64) -> Result<Box<dyn EventFeed>, FeedFault> {
        let next = self.batches.lock().expect("no panic").len();
        let (batches, published) = (self.batches.clone(), self.published.clone());
        Ok(Box::new(FakeFeed { batches, published, next }))
    }

    fn query(&self, query: Query, min: u64, _: Duration) -> Pending<Result<Seen, PortFault>> {
        if let Query::Book(..) = query
            && let Some(act) = self.on_book.lock().expect("no panic").take()
        {
            act();
        }
        let reflects = self.book.lock().expect("no panic").0;
        let view = self.view(query);
        Box::pin(async move {
            // Only the book of a test says how far it is; everything else is never late.
            if matches!(query, Query::Book(..)) && reflects < min {
                return Err(PortFault::TimedOut);
            }
            Ok(Seen { sequence: reflects.max(min), timestamp: noon(), view })
        })
    }
}

/// A label of a test.
pub(crate) fn label(text: &str) -> Label {
    Label::new(text).expect("short")
}

/// A decimal of a test.
pub(crate) fn amount(text: &str) -> Amount {
    text.parse().expect("a decimal")
}

/// The time of everything.
pub(crate) fn noon() -> Timestamp {
    Timestamp(1_708_123_456_789_012_345)
}

/// A level of a test.
pub(crate) fn level(price: &str, quantity: &str) -> LevelView {
    LevelView { price: amount(price), quantity: amount(quantity), orders: 1 }
}

/// An order of an account.
pub(crate) fn order(order_id: Id, account_id: Id, state: OrderState) -> OrderView {
    OrderView {
        order_id,
        account_id,
        symbol: label(SYMBOL),
        client_order_id: Some(label("mine")),
        side: Side::Buy,
        order_type: OrderType::Limit,
        time_in_force: TimeInForce::Gtc,
        self_trade: SelfTrade::CancelIncoming,
        price: Some(amount("50000.5")),
        quantity: amount("2"),
        filled_quantity: amount("0.5"),
        remaining_quantity: amount("1.5"),
        average_price: Some(amount("50000")),
        total_fee: amount("0.01"),
        reserved: amount("75000"),
        state,
        prev_state: Some(OrderState::Pending),
        reason: None,
        expiry: None,
        state_seq: 41,
        state_changed_at: noon(),
        created_at: noon(),
        post_only: true,
        expire_at: Some(noon()),
        trigger: Some(Trigger {
            kind: TriggerKind::Stop,
            price: amount("49000"),
            source: TriggerSource::Last,
        }),
        is_triggered: false,
        oco_with: Some(Id([0x78; 16])),
    }
}

/// MINE made it, OTHERS took it.
pub(crate) fn trade() -> TradeView {
    TradeView {
        trade_id: TRADE,
        sequence: 33,
        symbol: label(SYMBOL),
        maker_order_id: ORDER,
        taker_order_id: Id([0x7a; 16]),
        maker_account_id: MINE,
        taker_account_id: OTHERS,
        side: Side::Buy,
        price: amount("50000"),
        quantity: amount("1"),
        maker_fee: amount("5"),
        taker_fee: amount("25"),
        maker_fee_asset: label("USDT"),
        taker_fee_asset: label("USDT"),
        executed_at: noon(),
        settled_at: noon(),
        state: TradeState::Settled,
    }
}

fn tier(above: &str, taker: i64) -> FeeTier {
    FeeTier { above: amount(above), maker: Rate(-10_000), taker: Rate(taker) }
}

fn schedule() -> FeeScheduleView {
    let tiers = vec![tier("0", 100_000), tier("100000", 80_000)];
    FeeScheduleView { tiers: tiers.clone(), announced: Some((noon(), tiers)) }
}

fn fees(account_id: Id) -> AccountFeesView {
    AccountFeesView {
        account_id,
        kind: FeeKind::Waiver,
        maker_rate: Rate(0),
        taker_rate: Rate(0),
        volume_30d: amount("99.5"),
        tier: 0,
        next_tier: Some(tier("100000", 80_000)),
        waiver: Some(WaiverReason::Promotion),
        waiver_ends_at: Some(noon()),
        announced: Some(AnnouncedRates {
            kind: FeeKind::Vip,
            maker_rate: Rate(-50_000),
            taker_rate: Rate(10_000),
            effective_at: noon(),
        }),
        refunds: vec![RefundView {
            trade_id: TRADE,
            asset: label("USDT"),
            fee: amount("5"),
            refunded: amount("1.5"),
        }],
    }
}

/// Of an order of more than 1,000 what the core refuses.
fn preview(request: &OrderRequest) -> Result<OrderPreview, Refusal> {
    if request.quantity > amount("1000") {
        return Err(Refusal::new(Code::InvalidQuantity, Why::QuantityOutOfBounds));
    }
    Ok(OrderPreview {
        symbol: label(SYMBOL),
        maker_rate: Rate(-10_000),
        taker_rate: Rate(100_000),
        price: request.price,
        quantity: request.quantity,
        value: amount("12500"),
        maker_fee: amount("-1.25"),
        taker_fee: amount("12.5"),
        reserved: amount("12512.5"),
        reserved_asset: label("USDT"),
        available: amount("7.5"),
    })
}

fn account(account_id: Id) -> AccountView {
    AccountView {
        account_id,
        opening: AccountOpening {
            account_type: AccountType::Spot,
            external_id: label("A-1"),
            owner_id: None,
            jurisdiction: label("ZZ"),
            kyc_tier: 1,
            risk_tier: RiskTier::Standard,
            order_tier: OrderTier::Retail,
            api_class: ApiClass::Standard,
            metadata: vec![(label("desk"), label("one"))],
        },
        status: AccountStatus::Active,
        version: 3,
        created_at: noon(),
        updated_at: noon(),
        maker_rate: Rate(100_000),
        taker_rate: Rate(200_000),
        balances: vec![BalanceView {
            asset: label("USDT"),
            total: amount("10"),
            available: amount("7.5"),
            locked: amount("2.5"),
            updated_at: noon(),
            update_seq: 9,
        }],
        fee_in_token: false,
        countdown_at: Some(noon()),
    }
}

fn market() -> MarketView {
    MarketView {
        number: 1,
        terms: MarketTerms {
            symbol: label(SYMBOL),
            kind: MarketKind::Spot,
            base: label("BTC"),
            quote: label("USDT"),
            tick_size: amount("0.01"),
            lot_size: amount("0.0001"),
            min_price: Ticks(1),
            max_price: Ticks(100_000_000),
            min_quantity: Lots(1),
            max_quantity: Lots(10_000_000),
            matching: Matching::PriceTime,
            protection_bound: Rate(5_000_000),
            price_band: None,
            open_orders_max: 200,
            fee_tiers: vec![],
            post_only_until: None,
        },
        open: true,
        sequence: 5,
        last_price: Some(amount("50000")),
    }
}

fn asset() -> AssetView {
    AssetView {
        number: 2,
        terms: AssetTerms {
            symbol: label("USDT"),
            name: label("Tether"),
            decimals: 6,
            is_collateral: true,
            collateral_weight: Rate(Rate::ONE),
            networks: vec![],
        },
    }
}

fn health() -> HealthView {
    HealthView {
        status: HealthStatus::Healthy,
        halt: None,
        clock: ClockStatus::Primary,
        command_sequence: 7,
        event_sequence: 70,
        view_sequence: 69,
        state_hash: Some((60, [0xab; 32])),
        durability: "local",
        shard: 0,
        venue_id: Id([5; 16]),
    }
}
