//! What ended and what was traded, asked of the whole exchange, after a restart too.

use serde_json::{Value, json};
use units::Amount;

use crate::process::{Dex, dex, order, output, token};

/// An exchange on which ann has bought thrice from bob and canceled one order.
struct Venue {
    folder: tempfile::TempDir,
    dex: Dex,
    ann: String,
    bob: String,
    /// Of ann.
    token: String,
    /// Ann's orders: three filled ones, a canceled one, an open one.
    orders: Vec<String>,
}

/// What ann's trades are worth, and what she bought.
const VALUE: &str = "605";
const BOUGHT: &str = "6";

impl Venue {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let dex = Dex::start(folder.path(), &[]);
        dex.list();
        let (ann, bob) = (dex.open("ann"), dex.open("bob"));
        let own = |account: &str| token(folder.path(), &["--account", account]);
        let (token, other) = (own(&ann), own(&bob));
        let place = |token: &str, body: Value| {
            let (status, answer) = dex.call(("POST", "/v1/orders"), token, &body);
            assert_eq!(status, 201, "{answer}");
            answer["order_id"].as_str().expect("an id").to_owned()
        };
        let mut orders = Vec::new();
        for (quantity, price) in [("1", "100"), ("2", "101"), ("3", "101")] {
            // Ann rests once and takes twice.
            if price == "100" {
                orders.push(place(&token, order("BUY", quantity, price)));
                place(&other, order("SELL", quantity, price));
            } else {
                place(&other, order("SELL", quantity, price));
                orders.push(place(&token, order("BUY", quantity, price)));
            }
        }
        orders.push(place(&token, order("BUY", "4", "90")));
        let path = format!("/v1/orders/{}", orders[3]);
        assert_eq!(dex.call(("DELETE", &path), &token, &Value::Null).0, 200);
        orders.push(place(&token, order("BUY", "5", "91")));
        Self { folder, dex, ann, bob, token, orders }
    }

    fn get(&self, path: &str) -> Value {
        let (status, answer) = self.dex.call(("GET", path), &self.token, &Value::Null);
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    /// Every item of a list, two by two.
    fn walk(&self, path: &str, name: &str) -> Vec<Value> {
        let (mut items, mut cursor) = (Vec::new(), String::new());
        loop {
            let sign = if path.contains('?') { '&' } else { '?' };
            let answer = self.get(&format!("{path}{sign}limit=2{cursor}"));
            let part = answer[name].as_array().expect("a list");
            assert!(part.len() <= 2);
            items.extend(part.iter().cloned());
            match answer["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
    }

    fn restarted(self) -> Self {
        self.dex.kill();
        let dex = Dex::start(self.folder.path(), &[]);
        Self { dex, ..self }
    }
}

fn amount(text: &str) -> Amount {
    text.parse().expect("a decimal")
}

fn sum(amounts: impl Iterator<Item = Amount>) -> Amount {
    amounts.fold(Amount::ZERO, |sum, it| sum.checked_add(it).expect("small"))
}

fn ids<'a>(items: &'a [Value], name: &str) -> Vec<&'a str> {
    items.iter().map(|it| it[name].as_str().expect("a text")).collect()
}

/// The four calls of the order interface, each with its error.
/// covers: LIFE-1, LIFE-4
#[test]
fn orders_are_created_canceled_read_and_listed() {
    let venue = Venue::start();
    let ask = |method: &str, path: &str, body: &Value| {
        let (status, answer) = venue.dex.call((method, path), &venue.token, body);
        (status, answer["error"]["code"].as_str().unwrap_or("").to_owned(), answer)
    };
    let fault = |(status, code, _): (u16, String, Value)| (status, code);
    let (status, _, placed) = ask("POST", "/v1/orders", &order("BUY", "1", "50"));
    assert_eq!(status, 201, "{placed}");
    let id = placed["order_id"].as_str().expect("an id");
    let refused = ask("POST", "/v1/orders", &order("BUY", "1000", "5000"));
    assert_eq!(fault(refused), (422, "INSUFFICIENT_BALANCE".into()));
    let path = format!("/v1/orders/{id}");
    assert_eq!(ask("GET", &path, &Value::Null).2["status"], "PENDING");
    let all = format!("/v1/accounts/{}/orders?status=ALL", venue.ann);
    let (_, _, listed) = ask("GET", &all, &Value::Null);
    let listed = listed["orders"].as_array().expect("a list");
    assert_eq!(ids(listed, "order_id"), [&venue.orders[..], &[id.to_owned()]].concat());
    let (status, _, canceled) = ask("DELETE", &path, &Value::Null);
    assert_eq!((status, &canceled["status"]), (200, &json!("CANCELED")));
    assert_eq!(ask("GET", &path, &Value::Null).2["status"], "CANCELED");
    // An id that was never given, in the core and in the archive.
    let mut nobody = id.to_owned();
    nobody.replace_range(24.., "00000000ffff");
    let path = format!("/v1/orders/{nobody}");
    for method in ["GET", "DELETE"] {
        let none = fault(ask(method, &path, &Value::Null));
        assert_eq!(none, (404, "ORDER_NOT_FOUND".into()), "{method}");
    }
    let others = format!("/v1/accounts/{}/orders", venue.bob);
    assert_eq!(fault(ask("GET", &others, &Value::Null)), (403, "PERMISSION_DENIED".into()));
}

/// What has ended is not changed: the state is told with 409, a warning is logged, nothing else happens;
/// a second cancel is neither an error nor logged.
/// covers: STATE-30
#[test]
fn what_has_ended_is_not_changed() {
    let venue = Venue::start();
    let [filled, canceled] = [0, 3].map(|at| format!("/v1/orders/{}", venue.orders[at]));
    let before = venue.get(&filled);
    let warnings = || {
        let log = crate::process::log(venue.folder.path());
        log.lines().filter(|line| line.contains("WARN") && line.contains("ended order")).count()
    };
    let reduce = json!({"quantity": "0.5"});
    let replace = order("BUY", "1", "99");
    for (count, (method, body)) in
        (1..).zip([("DELETE", &Value::Null), ("PATCH", &reduce), ("PUT", &replace)])
    {
        let (status, answer) = venue.dex.call((method, &filled), &venue.token, body);
        assert_eq!((status, &answer["error"]["code"]), (409, &json!("INVALID_STATE_TRANSITION")));
        assert!(answer["error"]["message"].as_str().expect("text").contains("FILLED"));
        assert_eq!(warnings(), count, "{method}");
    }
    let (status, _) = venue.dex.call(("DELETE", &canceled), &venue.token, &Value::Null);
    assert_eq!((status, warnings()), (200, 3));
    let mut after = venue.get(&filled);
    after["sequence"] = before["sequence"].clone();
    assert_eq!(after, before);
}

/// Lists of ended orders and of trades, by account, order and market, hold before and after a restart.
/// covers: LIFE-3, TRADE-40, TRADE-41
#[test]
fn orders_and_trades_are_found_later() {
    let mut venue = Venue::start();
    for _ in 0..2 {
        let all = format!("/v1/accounts/{}/orders?status=ALL", venue.ann);
        let orders = venue.walk(&all, "orders");
        assert_eq!(ids(&orders, "order_id"), venue.orders);
        assert_eq!(
            ids(&orders, "status"),
            ["FILLED", "FILLED", "FILLED", "CANCELED", "PENDING"],
            "all of them, oldest first"
        );
        let filled = format!("/v1/accounts/{}/orders?status=FILLED&symbol=BTC-USDT", venue.ann);
        assert_eq!(ids(&venue.walk(&filled, "orders"), "order_id"), venue.orders[..3]);
        let of_account = venue.walk(&format!("/v1/accounts/{}/trades", venue.ann), "trades");
        assert_eq!(ids(&of_account, "quantity"), ["1", "2", "3"]);
        assert_eq!(ids(&of_account, "role"), ["MAKER", "TAKER", "TAKER"]);
        assert_eq!(ids(&of_account, "order_id"), venue.orders[..3]);
        let of_order = venue.walk(&format!("/v1/orders/{}/trades", venue.orders[1]), "trades");
        assert_eq!(of_order, of_account[1..2]);
        let market = "/v1/market/trades?symbol=BTC-USDT";
        let newest = venue.get(&format!("{market}&limit=2"))["trades"].clone();
        assert_eq!(ids(newest.as_array().expect("a list"), "quantity"), ["3", "2"]);
        let from = of_account[1]["executed_at_nanos"].as_i64().expect("a time");
        let later = venue.walk(&format!("{market}&start_time={from}"), "trades");
        assert_eq!(ids(&later, "quantity"), ["2", "3"], "the start is included");
        let earlier = venue.walk(&format!("{market}&end_time={from}"), "trades");
        assert_eq!(ids(&earlier, "quantity"), ["1"], "the end is not");
        venue = venue.restarted();
    }
}

/// Balances before and after of one trade; the other side is only the operator's to see.
/// covers: SETL-52, SETL-53
#[test]
fn a_trade_has_a_page() {
    let venue = Venue::start();
    let trades = venue.walk(&format!("/v1/accounts/{}/trades", venue.ann), "trades");
    let trade = trades[0]["trade_id"].as_str().expect("an id");
    let page = venue.get(&format!("/v1/trades/{trade}"));
    assert_eq!((&page["status"], &page["price"]), (&json!("SETTLED"), &json!("100")));
    assert_eq!(page["maker"]["order_id"], venue.orders[0]);
    assert_eq!((&page["maker"]["fee"], &page["taker"]), (&json!("0.02"), &Value::Null));
    let moved = page["postings"].as_array().expect("a list");
    assert!(moved.iter().all(|posting| posting["account_id"] == venue.ann));
    for posting in moved {
        let [before, delta, after] =
            ["before", "delta", "after"].map(|name| amount(posting[name].as_str().expect("text")));
        assert_eq!(before.checked_add(delta), Some(after));
    }
    let bought = moved.iter().find(|posting| posting["asset"] == "BTC").expect("a posting");
    assert_eq!((&bought["before"], &bought["after"]), (&json!("10"), &json!("11")));
    let (status, whole) =
        venue.dex.operator("GET", &format!("/v1/admin/trades/{trade}"), &Value::Null);
    assert_eq!(status, 200, "{whole}");
    assert_eq!(whole["taker"]["account_id"], venue.bob);
    let none = format!("/v1/trades/{}", venue.orders[0]);
    let (status, answer) = venue.dex.call(("GET", &none), &venue.token, &Value::Null);
    assert_eq!((status, &answer["error"]["code"]), (404, &json!("TRADE_NOT_FOUND")));
}

/// The rows sum to what the account's balances lack of what it was given and traded.
/// covers: FEE-44
#[test]
fn all_fees_are_downloaded() {
    let venue = Venue::start();
    let trades = venue.walk(&format!("/v1/accounts/{}/trades", venue.ann), "trades");
    let trade = trades[2]["trade_id"].as_str().expect("an id");
    refund(&venue, trade);
    let path = format!("/v1/accounts/{}/fees.csv", venue.ann);
    // The archive may be a moment behind the answer to the refund.
    let whole = |csv: &String| csv.lines().count() == 5;
    let mut tries = (0..200).map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        venue.dex.text(("GET", &path), &venue.token)
    });
    let csv = tries.find(whole).expect("four fees and the names of the columns");
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("time,kind,reference,asset,rate,amount"));
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    let column = |index: usize| -> Vec<&str> { rows.iter().map(|row| row[index]).collect() };
    assert_eq!(column(1), ["TRADE_MAKER", "TRADE_TAKER", "TRADE_TAKER", "REFUND"]);
    assert_eq!(column(2), [ids(&trades, "trade_id"), vec![trade]].concat());
    assert_eq!(column(3), ["USDT"; 4]);
    assert_eq!(column(4), ["0.0002", "0.001", "0.001", ""]);
    assert_eq!(column(5), ["0.02", "0.202", "0.303", "-0.1"]);
    let account = venue.get(&format!("/v1/accounts/{}/balances", venue.ann));
    let total = |asset: &str| {
        let balances = account["balances"].as_array().expect("a list");
        let balance = balances.iter().find(|it| it["asset"] == asset).expect("a balance");
        amount(balance["total"].as_str().expect("text"))
    };
    let paid = sum(rows.iter().map(|row| amount(row[5])));
    let left = sum([total("USDT"), amount(VALUE), paid].into_iter());
    assert_eq!(
        (left, total("BTC")),
        (amount("1000000"), sum([amount("10"), amount(BOUGHT)].into_iter()))
    );
    let ledger = venue.walk(&format!("/v1/accounts/{}/ledger", venue.ann), "entries");
    let of_ledger = ledger.iter().flat_map(|entry| entry["postings"].as_array().expect("a list"));
    let of_ledger = of_ledger.filter(|it| it["asset"] == "USDT");
    let moved = sum(of_ledger.map(|it| amount(it["delta"].as_str().expect("text"))));
    assert_eq!(moved, total("USDT"), "the ledger says how the balance came about");
}

fn refund(venue: &Venue, trade: &str) {
    let url = format!("http://{}", venue.dex.address);
    let mut command = dex(venue.folder.path());
    let command = command.args(["admin", "--data", "data", "--url", &url, "refund"]);
    let command = command.args(["ann", trade, "--amount", "0.1", "--reason", "MALFUNCTION"]);
    let (done, text) = output(command);
    assert!(done.status.success(), "{text}");
}
