//! Orders through the whole exchange, and what each request is answered.

use serde_json::{Value, json};

use crate::process::{Dex, log, order, token};

/// POST answers 201 with the order, GET shows it, DELETE cancels it, a second DELETE too, and a filled
/// order is not canceled (SVC-23, D-64).
#[test]
fn an_order_is_placed_read_filled_and_canceled() {
    let folder = tempfile::tempdir().expect("a folder");
    let dex = Dex::start(folder.path(), &[]);
    dex.list();
    let (maker, taker) = (dex.open("maker"), dex.open("taker"));
    let maker_token = token(folder.path(), &["--account", &maker]);
    let taker_token = token(folder.path(), &["--account", &taker]);
    let place = |token: &str, body: &Value| dex.call(("POST", "/v1/orders"), token, body);

    let (status, placed) = place(&maker_token, &order("SELL", "0.5", "50000"));
    assert_eq!((status, placed["status"].as_str()), (201, Some("ACCEPTED")));
    let path = format!("/v1/orders/{}", placed["order_id"].as_str().expect("an id"));
    let (status, shown) = dex.call(("GET", &path), &maker_token, &Value::Null);
    assert_eq!((status, shown["status"].as_str()), (200, Some("PENDING")), "{shown}");
    assert_eq!(dex.call(("GET", &path), &taker_token, &Value::Null).0, 404, "another's order");
    assert_eq!(dex.call(("DELETE", &path), &taker_token, &Value::Null).0, 404, "another's order");
    assert_eq!(dex.call(("GET", &path), "", &Value::Null).0, 401);
    let other = format!("/v1/accounts/{taker}/balances");
    assert_eq!(dex.call(("GET", &other), &maker_token, &Value::Null).0, 403);

    let (status, hit) = place(&taker_token, &order("BUY", "0.2", "50000"));
    assert_eq!(status, 201, "{hit}");
    let hit = format!("/v1/orders/{}", hit["order_id"].as_str().expect("an id"));
    let (status, filled) = dex.call(("DELETE", &hit), &taker_token, &Value::Null);
    assert_eq!((status, &filled["error"]["code"]), (409, &json!("INVALID_STATE_TRANSITION")));
    for _ in 0..2 {
        let (status, canceled) = dex.call(("DELETE", &path), &maker_token, &Value::Null);
        assert_eq!((status, canceled["status"].as_str()), (200, Some("CANCELED")));
    }
    let (_, ended) = dex.call(("GET", &path), &maker_token, &Value::Null);
    assert_eq!((&ended["filled_quantity"], &ended["status"]), (&json!("0.2"), &json!("CANCELED")));
    assert_eq!(ended["state_reason"], "USER_REQUESTED");

    let balances = format!("/v1/accounts/{taker}/balances");
    let (_, balances) = dex.call(("GET", &balances), &taker_token, &Value::Null);
    let of = |asset: &str| {
        let all = balances["balances"].as_array().expect("a list");
        all.iter().find(|it| it["asset"] == asset).expect("there").clone()
    };
    assert_eq!(of("BTC")["available"], "10.2");
    // 0.2 × 50,000 and the taker fee of 0.10 % on it.
    assert_eq!((&of("USDT")["available"], &of("USDT")["locked"]), (&json!("989990"), &json!("0")));
}

/// Each refusal has its status and its code, and changes nothing.
#[test]
fn refusals_say_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let dex = Dex::start(folder.path(), &[]);
    dex.list();
    let account = dex.open("a");
    let token = token(folder.path(), &["--account", &account]);
    let with = |field: &str, value: Value| {
        let mut body = order("BUY", "1", "100");
        body[field] = value;
        body
    };
    for (body, status, code) in [
        (with("price", json!("100.001")), 422, "INVALID_PRICE"),
        (with("price", json!("0")), 422, "INVALID_PRICE"),
        (with("price", Value::Null), 422, "INVALID_SCHEMA"),
        (with("price", json!(100)), 400, "INVALID_SCHEMA"),
        (with("quantity", json!("0.00001")), 422, "INVALID_QUANTITY"),
        (with("quantity", json!("1000.0001")), 422, "INVALID_QUANTITY"),
        (with("symbol", json!("XRP/USDT")), 422, "SYMBOL_NOT_FOUND"),
        (with("expire_at", json!("2099-01-01T00:00:00Z")), 422, "INVALID_SCHEMA"),
        (with("side", json!("HOLD")), 400, "INVALID_SCHEMA"),
        (with("leverage", json!("10")), 400, "INVALID_SCHEMA"),
        (order("BUY", "1000", "10000"), 422, "INSUFFICIENT_BALANCE"),
    ] {
        let (got, answer) = dex.call(("POST", "/v1/orders"), &token, &body);
        assert_eq!(
            (got, answer["error"]["code"].as_str()),
            (status, Some(code)),
            "{body} {answer}"
        );
    }
    let path = format!("/v1/accounts/{account}/orders");
    let (_, orders) = dex.call(("GET", &path), &token, &Value::Null);
    assert_eq!(orders["orders"], json!([]));
    let (status, again) = dex.operator("POST", "/v1/admin/accounts", &json!({"external_id": "a"}));
    assert_eq!((status, &again["error"]["code"]), (409, &json!("ACCOUNT_EXISTS")));
    let (status, found) = dex.operator("GET", "/v1/admin/accounts?external_id=a", &Value::Null);
    assert_eq!((status, &found["account_id"]), (200, &json!(account)));
}

/// The same key with the same body gives the first answer and makes nothing; with another body it is a
/// conflict. That holds for rejections and cancels too.
#[test]
fn a_key_gives_its_first_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let dex = Dex::start(folder.path(), &[]);
    dex.list();
    let account = dex.open("a");
    let token = token(folder.path(), &["--account", &account]);
    let keyed = |key: &str, quantity: &str| {
        let mut body = order("BUY", quantity, "100");
        body["client_order_id"] = json!(key);
        dex.call(("POST", "/v1/orders"), &token, &body)
    };
    let first = keyed("k1", "1");
    let again = keyed("k1", "1");
    assert_eq!((first.0, again.0), (201, 201), "{}", again.1);
    assert_eq!(
        (&first.1["order_id"], &again.1["status"]),
        (&again.1["order_id"], &json!("ACCEPTED"))
    );
    let (status, other) = keyed("k1", "2");
    assert_eq!((status, &other["error"]["code"]), (409, &json!("IDEMPOTENCY_CONFLICT")));
    let (rejected, rejected_again) = (keyed("k2", "0.00001"), keyed("k2", "0.00001"));
    assert_eq!((rejected.0, &rejected.1), (422, &rejected_again.1));
    let path = format!("/v1/accounts/{account}/orders");
    let (_, orders) = dex.call(("GET", &path), &token, &Value::Null);
    assert_eq!(orders["orders"].as_array().map(Vec::len), Some(1));
}

/// Who tried to reach another's is on record with the route and both forms of the time, and no token is.
/// covers: INV-17
#[test]
fn a_refused_attempt_is_logged_without_the_token() {
    let folder = tempfile::tempdir().expect("a folder");
    let dex = Dex::start(folder.path(), &["--log", "json"]);
    dex.list();
    let (mine, theirs) = (dex.open("a"), dex.open("b"));
    let token = token(folder.path(), &["--account", &mine]);
    let path = format!("/v1/accounts/{theirs}");
    assert_eq!(dex.call(("GET", &path), &token, &Value::Null).0, 403);
    assert_eq!(dex.call(("GET", &path), "planted-token-value", &Value::Null).0, 401);
    assert!(dex.terminate().success());
    let log = log(folder.path());
    let lines: Vec<Value> =
        log.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let attempt = lines
        .iter()
        .find(|line| line["fields"]["route"] == format!("GET {path}"))
        .expect("the attempt is on record");
    assert_eq!((&attempt["level"], &attempt["fields"]["user"]), (&json!("WARN"), &json!(mine)));
    let at = attempt["fields"]["at"].as_str().expect("a time");
    assert!(at.contains(" (20") && at.ends_with("Z)"), "{at}");
    assert!(!log.contains(&token) && !log.contains("planted-token-value"));
}
