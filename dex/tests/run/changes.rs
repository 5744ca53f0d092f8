//! The commands of spot through the whole exchange: what each does, and what each is refused for.

use serde_json::{Value, json};

use crate::process::{Dex, dex, order, output, token};

/// An exchange with two accounts of one owner, a third one's, and their tokens.
struct Venue {
    folder: tempfile::TempDir,
    dex: Dex,
    accounts: [String; 3],
    /// Of the owner of the first two, and of the third.
    tokens: [String; 2],
}

impl Venue {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let dex = Dex::start(folder.path(), &[]);
        dex.list();
        let owner = "0190c2a0-0000-7000-8000-000000000001";
        let accounts = ["a", "b", "c"].map(|name| open(&dex, name, (name != "c").then_some(owner)));
        let both = ["--account", &accounts[0], "--account", &accounts[1]];
        let tokens =
            [token(folder.path(), &both), token(folder.path(), &["--account", &accounts[2]])];
        Self { folder, dex, accounts, tokens }
    }

    /// Asks as the owner of an account.
    fn ask(&self, account: usize, request: (&str, &str), body: &Value) -> (u16, Value) {
        self.dex.call(request, &self.tokens[account / 2], body)
    }

    /// Places an order of an account and answers its id.
    fn place(&self, account: usize, body: Value) -> String {
        let (status, answer) = self.try_place(account, body);
        assert_eq!(status, 201, "{answer}");
        answer["order_id"].as_str().expect("an id").to_owned()
    }

    fn try_place(&self, account: usize, mut body: Value) -> (u16, Value) {
        body["account_id"] = json!(self.accounts[account]);
        self.ask(account, ("POST", "/v1/orders"), &body)
    }

    fn shown(&self, account: usize, order: &str) -> Value {
        let (status, shown) =
            self.ask(account, ("GET", &format!("/v1/orders/{order}")), &Value::Null);
        assert_eq!(status, 200, "{shown}");
        shown
    }

    fn open_orders(&self, account: usize) -> usize {
        let path = format!("/v1/accounts/{}/orders", self.accounts[account]);
        let (_, orders) = self.ask(account, ("GET", &path), &Value::Null);
        orders["orders"].as_array().map_or(0, Vec::len)
    }
}

fn open(dex: &Dex, name: &str, owner: Option<&str>) -> String {
    let body = json!({"external_id": name, "kyc_tier": 1, "owner_id": owner});
    let (status, answer) = dex.operator("POST", "/v1/admin/accounts", &body);
    assert_eq!(status, 201, "{answer}");
    let account = answer["account_id"].as_str().expect("an id").to_owned();
    for (asset, amount) in [("BTC", "10"), ("USDT", "1000000")] {
        let body = json!({"account_id": account, "asset": asset, "amount": amount});
        let (status, answer) = dex.operator("POST", "/v1/admin/deposits", &body);
        assert_eq!(status, 201, "{answer}");
    }
    account
}

fn code(answer: &Value) -> &str {
    answer["error"]["code"].as_str().unwrap_or("none")
}

/// Reduce, replace, cancel by key, cancel all, and a batch of orders and cancels.
/// covers: LIFE-2, REC-65
#[test]
fn open_orders_are_changed() {
    let venue = Venue::start();
    let first = venue.place(0, order("SELL", "2", "50000"));
    let path = format!("/v1/orders/{first}");
    let (status, reduced) = venue.ask(0, ("PATCH", &path), &json!({"quantity": "1.5"}));
    assert_eq!((status, &reduced["quantity"]), (200, &json!("1.5")));
    assert_eq!(venue.shown(0, &first)["quantity"], "1.5");
    let (status, answer) = venue.ask(0, ("PATCH", &path), &json!({"quantity": "1.5"}));
    assert_eq!((status, code(&answer)), (422, "INVALID_QUANTITY"));
    let stale = format!("{path}?state_seq=1");
    let (status, answer) = venue.ask(0, ("PATCH", &stale), &json!({"quantity": "1"}));
    assert_eq!((status, code(&answer)), (409, "VERSION_CONFLICT"));
    let (status, answer) = venue.ask(2, ("PATCH", &path), &json!({"quantity": "1"}));
    assert_eq!((status, code(&answer)), (404, "ORDER_NOT_FOUND"), "another's order");

    let mut next = order("SELL", "1", "51000");
    next["client_order_id"] = json!("next");
    let (status, replaced) = venue.ask(0, ("PUT", &path), &next);
    assert_eq!((status, &replaced["replaced_order_id"]), (200, &json!(first)), "{replaced}");
    let (_, again) = venue.ask(0, ("PUT", &path), &next);
    assert_eq!(again["order_id"], replaced["order_id"], "a repeat is answered as the first time");
    assert_eq!(venue.shown(0, &first)["status"], "CANCELED");
    let (status, answer) = venue.ask(0, ("PUT", &path), &order("SELL", "1", "52000"));
    assert_eq!((status, code(&answer)), (409, "INVALID_STATE_TRANSITION"));
    let by_key = format!("/v1/orders?client_order_id=next&account_id={}", venue.accounts[0]);
    let (_, found) = venue.ask(0, ("GET", &by_key), &Value::Null);
    assert_eq!((&found["order_id"], &found["price"]), (&replaced["order_id"], &json!("51000")));
    let mut canceled_once = None;
    for _ in 0..2 {
        let (status, canceled) = venue.ask(0, ("DELETE", &by_key), &Value::Null);
        assert_eq!((status, &canceled["status"]), (200, &json!("CANCELED")), "{canceled}");
        let mut shown = venue.shown(0, canceled["order_id"].as_str().expect("an id"));
        shown["sequence"] = Value::Null; // how far the answer looked: the refusal is on record
        let once = canceled_once.get_or_insert_with(|| shown.clone());
        assert_eq!(shown, *once, "canceling it again changes nothing");
    }

    let mut far = order("SELL", "1", "60000");
    far["account_id"] = json!(venue.accounts[0]);
    let mut wrong = far.clone();
    wrong["price"] = json!("60000.001");
    let batch = json!({"orders": [far, wrong, far]});
    let (status, placed) = venue.ask(0, ("POST", "/v1/orders/batch"), &batch);
    let answers: Vec<_> = (0..3).map(|at| placed["answers"][at]["status"].clone()).collect();
    assert_eq!((status, answers), (200, vec![json!(201), json!(422), json!(201)]), "{placed}");
    let id = placed["answers"][0]["body"]["order_id"].clone();
    let cancels = json!({"cancels": [{"order_id": id}, {"order_id": first}]});
    let (_, canceled) = venue.ask(0, ("POST", "/v1/orders/batch/cancel"), &cancels);
    assert_eq!(canceled["answers"][1]["status"], 200, "{canceled}");
    assert_eq!(venue.open_orders(0), 1);
    let all = format!("/v1/accounts/{}/orders", venue.accounts[0]);
    for path in [format!("{all}?symbol=BTC-USDT"), all.clone(), all] {
        let (status, answer) = venue.ask(0, ("DELETE", &path), &Value::Null);
        assert_eq!((status, venue.open_orders(0)), (200, 0), "{answer}");
        if !path.contains('?') {
            venue.place(0, order("SELL", "1", "60000"));
        }
    }
    assert_eq!(venue.open_orders(0), 1);
}

/// Armed for a second, it cancels when the second is over, without any other request.
#[test]
fn a_countdown_cancels_what_is_open() {
    let venue = Venue::start();
    let id = venue.place(0, order("SELL", "1", "50000"));
    let path = format!("/v1/accounts/{}/countdown", venue.accounts[0]);
    let (status, answer) = venue.ask(0, ("PUT", &path), &json!({"timeout_ms": 999}));
    assert_eq!((status, code(&answer)), (400, "INVALID_SCHEMA"));
    let (status, answer) = venue.ask(0, ("PUT", &path), &json!({"timeout_ms": 1_000}));
    assert_eq!(status, 200, "{answer}");
    let account = format!("/v1/accounts/{}", venue.accounts[0]);
    let (_, armed) = venue.ask(0, ("GET", &account), &Value::Null);
    assert!(armed["countdown_at"].is_string() || venue.shown(0, &id)["status"] == "CANCELED");
    let begun = std::time::Instant::now();
    while venue.shown(0, &id)["status"] != "CANCELED" {
        assert!(begun.elapsed().as_secs() < 60, "it never came");
        std::thread::yield_now();
    }
    let (_, gone_off) = venue.ask(0, ("GET", &account), &Value::Null);
    assert!(gone_off["countdown_at"].is_null(), "{gone_off}");
}

/// Every kind of order: by quote, FOK, GTD, post-only, a stop that a trade meets, a pair.
#[test]
fn every_kind_of_order_is_taken() {
    let venue = Venue::start();
    let resting = venue.place(2, order("SELL", "1", "50000"));
    let by_quote = json!({"symbol": "BTC/USDT", "side": "BUY", "type": "MARKET",
        "quote_quantity": "5000", "time_in_force": "IOC"});
    let preview = {
        let mut body = by_quote.clone();
        body["account_id"] = json!(venue.accounts[0]);
        venue.ask(0, ("POST", "/v1/orders/preview"), &body)
    };
    assert_eq!((preview.0, &preview.1["quantity"]), (200, &json!("0.1")), "{}", preview.1);
    let bought = venue.shown(0, &venue.place(0, by_quote));
    assert_eq!((&bought["filled_quantity"], &bought["status"]), (&json!("0.1"), &json!("FILLED")));

    let mut fok = order("BUY", "5", "50000");
    fok["time_in_force"] = json!("FOK");
    let (status, answer) = venue.try_place(0, fok);
    assert_eq!((status, code(&answer)), (422, "FOK_NOT_FILLABLE"));
    let mut post_only = order("BUY", "1", "50000");
    post_only["post_only"] = json!(true);
    let crossed = venue.shown(0, &venue.place(0, post_only));
    assert_eq!(crossed["state_reason"], "POST_ONLY_REJECT");
    let mut gtd = order("BUY", "1", "40000");
    (gtd["time_in_force"], gtd["expire_at"]) = (json!("GTD"), json!("2099-01-01T00:00:00Z"));
    let gtd = venue.shown(0, &venue.place(0, gtd));
    assert_eq!(gtd["expire_at"], "2099-01-01T00:00:00.000000Z");

    // A stop that buys at 50,100 and its pair; a trade there triggers it and cancels the other.
    let mut stop = order("BUY", "0.1", "50200");
    stop["trigger"] = json!({"kind": "STOP", "price": "50100", "source": "LAST"});
    let stop = venue.place(0, stop);
    let waiting = venue.shown(0, &stop);
    assert_eq!((&waiting["triggered"], &waiting["status"]), (&json!(false), &json!("PENDING")));
    let mut pair = order("BUY", "0.1", "45000");
    pair["oco_with"] = json!(stop);
    let pair = venue.place(0, pair);
    let (status, answer) = venue.ask(2, ("DELETE", &format!("/v1/orders/{resting}")), &Value::Null);
    assert_eq!(status, 200, "{answer}");
    venue.place(2, order("SELL", "0.2", "50100"));
    venue.place(1, order("BUY", "0.1", "50100"));
    let begun = std::time::Instant::now();
    while venue.shown(0, &stop)["status"] != "FILLED" {
        assert!(begun.elapsed().as_secs() < 60, "{}", venue.shown(0, &stop));
        std::thread::yield_now();
    }
    assert_eq!(venue.shown(0, &stop)["triggered"], true);
    assert_eq!(venue.shown(0, &pair)["state_reason"], "OCO_CANCELED");
}

/// Money moves between accounts of one owner, once for a key.
#[test]
fn money_moves_between_accounts_of_one_owner() {
    let venue = Venue::start();
    let body = |from: usize, to: usize, amount: &str| {
        json!({"from_account_id": venue.accounts[from], "to_account_id": venue.accounts[to],
            "asset": "USDT", "amount": amount})
    };
    let transfer = |body: &Value| venue.ask(0, ("POST", "/v1/transfers"), body);
    let (status, moved) = transfer(&body(0, 1, "250.5"));
    assert_eq!(status, 201, "{moved}");
    assert!(moved["transfer_id"].is_string());
    let path = format!("/v1/accounts/{}/balances", venue.accounts[1]);
    let (_, balances) = venue.ask(0, ("GET", &path), &Value::Null);
    let balances = balances["balances"].as_array().expect("a list").clone();
    assert!(balances.iter().any(|it| it["available"] == "1000250.5"), "{balances:?}");
    for (wrong, status, name) in [
        (body(0, 0, "1"), 400, "INVALID_SCHEMA"),
        (body(0, 2, "1"), 403, "PERMISSION_DENIED"),
        (body(0, 1, "0"), 422, "INVALID_AMOUNT"),
        (body(0, 1, "9999999"), 422, "INSUFFICIENT_BALANCE"),
    ] {
        let (got, answer) = transfer(&wrong);
        assert_eq!((got, code(&answer)), (status, name), "{answer}");
    }
}

/// The fee of a trade goes back in parts by the command line, never more than was charged, is seen by
/// its account, and comes from what the archive says: of a trade that the account had no part in, nothing.
/// covers: FEE-23, FEE-24
#[test]
fn a_fee_goes_back_in_parts() {
    let venue = Venue::start();
    let url = format!("http://{}", venue.dex.address);
    let refund = |account: &str, trade: &str, more: &[&str]| {
        let mut command = dex(venue.folder.path());
        let command = command.args(["admin", "--data", "data", "--url", &url, "refund"]);
        output(command.args([account, trade, "--reason", "MALFUNCTION"]).args(more))
    };
    venue.place(2, order("SELL", "1", "50000"));
    let bought = venue.shown(0, &venue.place(0, order("BUY", "1", "50000")));
    assert_eq!((&bought["status"], &bought["total_fee"]), (&json!("FILLED"), &json!("50")));
    let until = bought["state_seq"].as_u64().expect("a number");
    let path = format!("/v1/admin/trades?after={}&until={until}", until - 20);
    let (status, trades) = venue.dex.operator("GET", &path, &Value::Null);
    assert_eq!(status, 200, "{trades}");
    let trade = trades["trades"][0]["trade_id"].as_str().expect("an id").to_owned();

    let (done, text) = refund("a", &trade, &["--amount", "20"]);
    assert!(done.status.success(), "{text}");
    assert!(
        text.contains(r#""amount":"20","asset":"USDT","fee":"50","reason":"MALFUNCTION""#),
        "{text}"
    );
    let (done, text) = refund("a", &trade, &[]);
    assert!(!done.status.success() && text.contains("INVALID_AMOUNT"), "{text}");
    let path = format!("/v1/accounts/{}/fees", venue.accounts[0]);
    let (_, fees) = venue.ask(0, ("GET", &path), &Value::Null);
    let wanted = json!([{"trade_id": trade, "asset": "USDT", "fee": "50", "refunded": "20"}]);
    assert_eq!(fees["refunds"], wanted);
    let path = format!("/v1/accounts/{}/balances", venue.accounts[0]);
    let (_, balances) = venue.ask(0, ("GET", &path), &Value::Null);
    let balances = balances["balances"].as_array().expect("a list").clone();
    assert!(balances.iter().any(|it| it["available"] == "949970"), "{balances:?}");

    let (done, text) = refund("b", &trade, &[]);
    assert!(!done.status.success() && text.contains("TRADE_NOT_FOUND"), "{text}");
    let (done, text) = refund("a", &venue.accounts[0], &[]);
    assert!(!done.status.success() && text.contains("TRADE_NOT_FOUND"), "{text}");
}

/// What an operator changes by the command line acts at once and is seen by everyone.
#[test]
fn an_operator_changes_the_venue() {
    let venue = Venue::start();
    let url = format!("http://{}", venue.dex.address);
    let admin = |words: &[&str]| {
        let mut command = dex(venue.folder.path());
        output(command.args(["admin", "--data", "data", "--url", &url]).args(words))
    };
    let (done, text) = admin(&["pause", "BTC/USDT", "--reason", "incident 12"]);
    assert!(done.status.success(), "{text}");
    let (status, answer) = venue.try_place(0, order("SELL", "1", "50000"));
    assert_eq!((status, code(&answer)), (422, "MARKET_PAUSED"));
    let (done, text) = admin(&["pause", "BTC/USDT", "--reason", "again"]);
    assert!(!done.status.success() && text.contains("INVALID_STATE_TRANSITION"), "{text}");
    let (done, text) = admin(&["resume", "BTC/USDT", "--reason", "over"]);
    assert!(done.status.success(), "{text}");
    let (done, text) = admin(&["parameters", "BTC/USDT", "--max-quantity", "2"]);
    assert!(done.status.success(), "{text}");
    let (status, answer) = venue.try_place(0, order("SELL", "3", "50000"));
    assert_eq!((status, code(&answer)), (422, "INVALID_QUANTITY"));

    let (done, text) = admin(&["rates", "a", "--waiver", "BUG_BOUNTY"]);
    assert!(done.status.success(), "{text}");
    let path = format!("/v1/accounts/{}/fees", venue.accounts[0]);
    let (_, fees) = venue.ask(0, ("GET", &path), &Value::Null);
    assert_eq!((&fees["kind"], &fees["taker_rate"]), (&json!("WAIVER"), &json!("0")), "{fees}");
    venue.place(2, order("SELL", "1", "50000"));
    let bought = venue.shown(0, &venue.place(0, order("BUY", "1", "50000")));
    assert_eq!((&bought["status"], &bought["total_fee"]), (&json!("FILLED"), &json!("0")));
    let (done, text) = admin(&["rates", &venue.accounts[2], "--maker", "0.01", "--taker", "0.02"]);
    assert!(!done.status.success() && text.contains("NOTICE_TOO_SHORT"), "{text}");
    // Every rate falls or stays, so it acts at once; fewer rows burden whoever had a better one.
    let (done, text) = admin(&[
        "fees",
        "0:0.0001:0.0005",
        "100000:0.0001:0.0005",
        "1000000:0:0.0005",
        "10000000:-0.0001:0.0004",
        "100000000:-0.0002:0.0002",
    ]);
    assert!(done.status.success(), "{text}");
    let (_, table) = venue.dex.call(("GET", "/v1/fees"), "", &Value::Null);
    assert_eq!(
        (&table["tiers"][0]["taker"], &table["announced"]),
        (&json!("0.0005"), &Value::Null)
    );
    let (done, text) = admin(&["fees", "0:0.0001:0.0005"]);
    assert!(!done.status.success() && text.contains("NOTICE_TOO_SHORT"), "{text}");
}
