//! What a scripted port answers out of its archive, and what the door makes of it.

use axum::http::StatusCode;
use gateway::Role;
use port::{
    Cursor, LedgerEntryView, Listed, OrderFilter, OrderRecord, OrderStates, Page, Period,
    PostingView, Query, SettlementView, TradePrint,
};
use schema::{Bucket, OrderState, UpdateReason};
use serde_json::Value;
use units::{Id, Side, Timestamp};

use crate::client::{MINE, OTHERS, Served, bearer, claims};
use crate::fake::{amount, label, noon, order, trade};
use crate::samples::{ORDER, TRADE};

/// The record of an order: MINE sold at 50000 at least, OTHERS bought at 49999 at most.
pub(crate) fn record(id: Id) -> OrderRecord {
    let (account, side, limit) =
        if id == ORDER { (MINE, Side::Sell, "50000") } else { (OTHERS, Side::Buy, "49999") };
    OrderRecord {
        order: port::OrderView { side, ..order(id, account, OrderState::Filled) },
        post_only: false,
        reduce_only: false,
        expire_at: None,
        trigger: None,
        oco_with: None,
        position_side: None,
        requested_price: Some(amount(limit)),
        requested_quantity: amount("2"),
        steps: Vec::new(),
        trades: vec![TRADE],
    }
}

/// The trade as everybody sees it.
pub(crate) fn print() -> TradePrint {
    TradePrint {
        trade_id: TRADE,
        price: amount("50000"),
        quantity: amount("1"),
        side: Side::Buy,
        executed_at: noon(),
    }
}

/// The row of the settlement journal.
pub(crate) fn settlement() -> SettlementView {
    let postings = vec![
        posting(MINE, "BTC", "-1", "3"),
        posting(OTHERS, "BTC", "1", "0"),
        posting(OTHERS, "USDT", "-50025", "888888"),
        posting(MINE, "USDT", "49995", "0"),
    ];
    SettlementView { trade: trade(), shard: 2, sequence: 35, postings }
}

/// A deposit, the trade, and some of its fee given back; in two parts.
pub(crate) fn entries(page: &Page) -> Listed<LedgerEntryView> {
    let entry = |sequence, reason, reference_id, delta| LedgerEntryView {
        sequence,
        timestamp: noon(),
        reason,
        reference_id,
        postings: vec![posting(MINE, "USDT", delta, "10")],
    };
    let deposit = entry(9, UpdateReason::Deposit, Id([8; 16]), "10");
    let traded = entry(34, UpdateReason::TradeSettlement, TRADE, "49995");
    let refund = entry(50, UpdateReason::FeeRefund, TRADE, "1.5");
    match page.after {
        None => Listed { items: vec![deposit, traded], next: Some(Cursor::behind(34)) },
        Some(_) => Listed { items: vec![refund], next: None },
    }
}

fn posting(account_id: Id, asset: &str, delta: &str, before: &str) -> PostingView {
    let (delta, before) = (amount(delta), amount(before));
    let after = before.checked_add(delta).expect("small");
    let asset = label(asset);
    PostingView { account_id, asset, bucket: Bucket::Available, delta, before, after }
}

/// Open orders come from the view; ended ones, all, and parts of a list from the archive.
/// covers: LIFE-3, STATE-34
#[tokio::test]
async fn orders_are_listed_by_state_and_time() {
    let served = Served::start().await;
    let states = [OrderState::Pending, OrderState::Filled, OrderState::Canceled];
    for (number, state) in (1..).zip(states) {
        let id = Id([number; 16]);
        served.port.orders.lock().expect("no panic").insert(id, order(id, MINE, state));
    }
    let list = async |query: &str| {
        served.trader("get", &format!("/v1/accounts/{MINE}/orders{query}"), "").await
    };
    let statuses = |answer: &Value| -> Vec<String> {
        let orders = answer["orders"].as_array().expect("a list").iter();
        orders.map(|it| it["status"].as_str().expect("a text").to_owned()).collect()
    };
    assert_eq!(statuses(&list("").await.json()), ["PENDING"]);
    assert_eq!(served.port.last_query(), Query::OpenOrders(MINE, None, None));
    assert_eq!(statuses(&list("?status=FILLED").await.json()), ["FILLED"]);
    let all = list("?status=ALL&limit=3").await.json();
    assert_eq!(statuses(&all), ["PENDING", "FILLED", "CANCELED"]);
    assert!(all["next_cursor"].is_null());
    let part = list("?status=ALL&limit=2&symbol=BTC-USDT&start_time=2024-01-01T00:00:00Z").await;
    assert_eq!(statuses(&part.json()), ["PENDING", "FILLED"]);
    let next = part.json()["next_cursor"].as_str().expect("more follows").to_owned();
    let start = Some(Timestamp(1_704_067_200_000_000_000));
    let filter = OrderFilter {
        account: Some(MINE),
        market: Some(1),
        states: OrderStates::LISTED,
        price: None,
        period: Period { start, end: None },
    };
    assert_eq!(served.port.last_query(), Query::Orders(filter, Page { after: None, limit: 2 }));
    list(&format!("?cursor={next}")).await;
    let after = Some(next.parse().expect("a cursor"));
    let filter = OrderFilter { states: OrderStates::OPEN, ..OrderFilter::of_account(MINE) };
    assert_eq!(served.port.last_query(), Query::Orders(filter, Page { after, limit: 100 }));
    for bad in ["status=REJECTED", "status=filled", "limit=0", "cursor=1", "end_time=now", "page=2"]
    {
        assert_eq!(list(&format!("?{bad}")).await.fault(), (400, "INVALID_SCHEMA".into()), "{bad}");
    }
}

/// A price goes with a symbol: to the view for open orders, to the archive for all.
/// covers: STATE-38
#[tokio::test]
async fn orders_are_listed_by_price() {
    let served = Served::start().await;
    for (number, price) in [(1u8, "50000.5"), (2, "49000")] {
        let id = Id([number; 16]);
        let view = order(id, MINE, OrderState::Pending);
        let view = port::OrderView { price: Some(amount(price)), ..view };
        served.port.orders.lock().expect("no panic").insert(id, view);
    }
    let list = async |query: &str| {
        served.trader("get", &format!("/v1/accounts/{MINE}/orders?{query}"), "").await
    };
    let ids = |answer: &Value| -> Vec<String> {
        let orders = answer["orders"].as_array().expect("a list").iter();
        orders.map(|it| it["order_id"].as_str().expect("a text").to_owned()).collect()
    };
    let price = Some(amount("49000"));
    let open = list("symbol=BTC-USDT&price=49000.0").await.json();
    assert_eq!(ids(&open), [Id([2; 16]).to_string()]);
    assert_eq!(served.port.last_query(), Query::OpenOrders(MINE, Some(1), price));
    let all = list("symbol=BTC-USDT&price=49000&status=ALL").await.json();
    assert_eq!(ids(&all), [Id([2; 16]).to_string()]);
    let filter = OrderFilter { market: Some(1), price, ..OrderFilter::of_account(MINE) };
    assert_eq!(served.port.last_query(), Query::Orders(filter, Page::FIRST));
    assert_eq!(list("price=49000").await.fault(), (400, "INVALID_SCHEMA".into()));
    assert_eq!(list("symbol=BTC-USDT&price=x").await.fault(), (400, "INVALID_SCHEMA".into()));
    for bad in ["0", "-1", "0.0000000000000000001"] {
        let answer = list(&format!("symbol=BTC-USDT&price={bad}")).await;
        assert_eq!(answer.fault(), (422, "INVALID_PRICE".into()), "{bad}");
    }
}

/// The owner sees the own side; the other account, its order and its balances are not in the answer.
/// covers: SETL-53
#[tokio::test]
async fn the_page_of_a_trade_shows_the_own_side() {
    let served = Served::start().await;
    let path = format!("/v1/trades/{TRADE}");
    let mine = served.trader("get", &path, "").await;
    let page = mine.json();
    assert_eq!(page["maker"]["limit_price"], "50000");
    assert_eq!(page["maker"]["within_limit"], true);
    assert_eq!((&page["maker"]["side"], &page["maker"]["fee"]), (&"SELL".into(), &"5".into()));
    assert!(page["taker"].is_null());
    assert_eq!(page["postings"].as_array().expect("a list").len(), 2);
    for secret in [OTHERS.to_string(), Id([0x7a; 16]).to_string(), "888888".into()] {
        assert!(!mine.text.contains(&secret), "{}", mine.text);
    }
    let audited = served.operator("get", &format!("/v1/admin/trades/{TRADE}"), "").await.json();
    assert_eq!(audited["taker"]["account_id"], OTHERS.to_string());
    assert_eq!(audited["taker"]["within_limit"], false, "49999 was the limit");
    assert_eq!(audited["postings"].as_array().expect("a list").len(), 4);
    assert_eq!(audited["postings"][2]["before"], "888888");
    // A trade of others reads as one that is not there.
    let stranger = bearer(&claims(Role::Trader, vec![Id([0x12; 16])]));
    let headers = [("authorization", stranger.as_str())];
    let others = served.send("get", &path, &headers, "").await;
    let none = served.trader("get", &format!("/v1/trades/{}", Id([3; 16])), "").await;
    assert_eq!(none.fault(), (404, "TRADE_NOT_FOUND".into()));
    assert_eq!((others.status, others.text), (none.status, none.text));
}

/// Trades of an account and of an order show the own side alone, those of a market neither.
/// covers: TRADE-42, TRADE-43
#[tokio::test]
async fn trades_are_listed() {
    let served = Served::start().await;
    let view = order(ORDER, MINE, OrderState::Filled);
    served.port.orders.lock().expect("no panic").insert(ORDER, view);
    let account = format!("/v1/accounts/{MINE}/trades");
    for path in [account.clone(), format!("/v1/orders/{ORDER}/trades")] {
        let answer = served.trader("get", &path, "").await;
        let trade = &answer.json()["trades"][0];
        let own = ["role", "side", "order_id", "fee"].map(|name| trade[name].clone());
        assert_eq!(own, ["MAKER", "SELL", &ORDER.to_string(), "5"].map(Value::from));
        assert_eq!(answer.json()["next_cursor"], "0000000000000021");
        assert!(!answer.text.contains(&OTHERS.to_string()));
    }
    let public = "/v1/market/trades?symbol=BTC-USDT";
    let answer = served.anonymous("get", public, "").await;
    assert_eq!(answer.json()["trades"][0]["price"], "50000");
    for secret in [MINE, OTHERS, ORDER] {
        assert!(!answer.text.contains(&secret.to_string()));
    }
    assert_eq!(served.port.last_query(), Query::RecentTrades(1, 100));
    served.anonymous("get", &format!("{public}&limit=5&cursor=0000000000000021"), "").await;
    let page = Page { after: Some(Cursor::behind(33)), limit: 5 };
    assert_eq!(served.port.last_query(), Query::TradesByMarket(1, Period::ALL, page));
    for bad in ["limit=0", "limit=1001", "start_time=x", "cursor=x", "account_id=1"] {
        let answer = served.anonymous("get", &format!("{public}&{bad}"), "").await;
        assert_eq!(answer.fault(), (400, "INVALID_SCHEMA".into()), "{bad}");
        let answer = served.trader("get", &format!("{account}?{bad}"), "").await;
        assert_eq!(answer.fault(), (400, "INVALID_SCHEMA".into()), "{bad}");
    }
    let unknown = served.anonymous("get", "/v1/market/trades?symbol=NO-NO", "").await;
    assert_eq!(unknown.fault(), (404, "SYMBOL_NOT_FOUND".into()));
    let unknown = served.trader("get", &format!("/v1/orders/{}/trades", Id([2; 16])), "").await;
    assert_eq!(unknown.fault(), (404, "ORDER_NOT_FOUND".into()));
}

/// What is on record of trades and settlements is read and nothing else: no route of any role writes it.
/// covers: SETL-33
#[test]
fn the_journal_is_only_read() {
    let of_journal =
        |path: &str| path.split('/').any(|part| ["trades", "ledger", "fees.csv"].contains(&part));
    let routes: Vec<_> = gateway::ROUTES.iter().filter(|it| of_journal(it.path)).collect();
    assert!(routes.len() >= 7, "{routes:?}");
    for route in routes {
        assert_eq!(route.method, "get", "{}", route.path);
    }
}

/// Each entry of the account's ledger with what it moved.
#[tokio::test]
async fn the_ledger_of_an_account_is_listed() {
    let served = Served::start().await;
    let ledger = served.trader("get", &format!("/v1/accounts/{MINE}/ledger"), "").await.json();
    let entries = ledger["entries"].as_array().expect("a list");
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0]["reason"], "DEPOSIT");
    assert_eq!(entries[1]["postings"][0]["delta"], "49995");
    assert_eq!(ledger["next_cursor"], "0000000000000022");
}

/// Every part is in it, fees of trades with their rates and what came back of them, and nothing else.
#[tokio::test]
async fn fees_are_a_table() {
    let served = Served::start().await;
    let answer = served.trader("get", &format!("/v1/accounts/{MINE}/fees.csv"), "").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers["content-type"], "text/csv; charset=utf-8");
    let time = noon();
    assert_eq!(
        answer.text,
        format!(
            "time,kind,reference,asset,rate,amount\n\
             {time},TRADE_MAKER,{TRADE},USDT,0.0001,5\n\
             {time},REFUND,{TRADE},USDT,,-1.5\n"
        )
    );
}
