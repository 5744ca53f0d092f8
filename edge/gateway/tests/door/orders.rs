//! Placing, reading and canceling orders: what is submitted and what is answered.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use port::PortFault;
use schema::{
    CancelOrder, Code, Command, Detail, KeyOrigin, OrderState, OrderType, Outcome, Refusal,
    SelfTrade, SymbolRef, TimeInForce, Trigger, TriggerKind, TriggerSource, Why,
};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use units::{Id, Side, Timestamp};

use crate::client::{MINE, OTHERS, Served, bearer, trader};
use crate::fake::{amount, label, order};
use crate::samples::limit_order;

const ORDER: Id = Id([0x77; 16]);

fn body(more: &str) -> String {
    format!(
        r#"{{{more}"symbol":"BTC/USDT","side":"SELL","type":"LIMIT","quantity":"0.25",
            "price":"50000.50","time_in_force":"IOC"}}"#
    )
}

/// The answer names the order, and the command holds what the body said.
#[tokio::test]
async fn an_accepted_order_is_201() {
    let served = Served::start().await;
    served.port.answer(|_| Ok(Outcome::Accepted { order: ORDER }));
    let answer = served.trader("post", "/v1/orders", &body(r#""client_order_id":"a-1","#)).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    let json = answer.json();
    assert_eq!(json["order_id"], ORDER.to_string());
    assert_eq!(json["status"], "ACCEPTED");
    assert_eq!(json["client_order_id"], "a-1");
    assert_eq!(json["sequence"], 10);
    let request = served.port.last();
    assert_eq!(answer.headers["x-request-id"], request.correlation.to_string());
    let Command::PlaceOrder(placed) = request.command else { panic!("an order") };
    assert_eq!(placed.account, MINE);
    assert_eq!(placed.symbol, SymbolRef::Listed(1));
    assert_eq!((placed.side, placed.order_type), (Side::Sell, OrderType::Limit));
    assert_eq!((placed.quantity, placed.price), (amount("0.25"), Some(amount("50000.5"))));
    assert_eq!(placed.time_in_force, TimeInForce::Ioc);
}

/// What the core says becomes a status and one code: 409 for a reused key, 422 with the reason, 503 when
/// the shard does not answer. 401, 403 and 404 are in `access.rs`, 429 in `stream.rs`.
#[tokio::test]
async fn refusals_have_their_status() {
    let served = Served::start().await;
    let refused = |code, why| Outcome::Refused(Refusal::new(code, why));
    let rejected = |code, why| Outcome::Rejected { order: ORDER, refusal: Refusal::new(code, why) };
    let cases = [
        (Ok(rejected(Code::InvalidPrice, Why::PriceOffTick)), 422, "INVALID_PRICE"),
        (Ok(rejected(Code::InvalidSchema, Why::LimitWithoutPrice)), 422, "INVALID_SCHEMA"),
        (Ok(rejected(Code::SymbolNotFound, Why::NoSuchSymbol)), 422, "SYMBOL_NOT_FOUND"),
        (Ok(refused(Code::IdempotencyConflict, Why::KeyReused)), 409, "IDEMPOTENCY_CONFLICT"),
        (Ok(refused(Code::InvalidExpiry, Why::KeyTooLate)), 422, "INVALID_EXPIRY"),
        (Ok(refused(Code::RiskLimitBreach, Why::TooManyKeys)), 422, "RISK_LIMIT_BREACH"),
        (Err(PortFault::Busy), 503, "UNAVAILABLE"),
        (Err(PortFault::NoRoom), 503, "UNAVAILABLE"),
        (Err(PortFault::Stopped), 503, "UNAVAILABLE"),
        (Err(PortFault::TimedOut), 503, "TIMED_OUT"),
    ];
    for (outcome, status, code) in cases {
        served.port.answer(move |_| outcome);
        let answer = served.trader("post", "/v1/orders", &body("")).await;
        assert_eq!(answer.fault(), (status, code.to_owned()));
        let names_order = matches!(outcome, Ok(Outcome::Rejected { .. }));
        assert_eq!(answer.json()["order_id"] == ORDER.to_string(), names_order);
    }
}

/// covers: LIFE-11
#[tokio::test]
async fn a_missing_balance_is_named() {
    let served = Served::start().await;
    let detail = Detail::Balance {
        available: amount("7.5"),
        required: amount("12.25"),
        asset: label("USDT"),
    };
    let refusal = Refusal { code: Code::InsufficientBalance, detail };
    served.port.answer(move |_| Ok(Outcome::Rejected { order: ORDER, refusal }));
    let answer = served.trader("post", "/v1/orders", &body("")).await;
    assert_eq!(answer.fault(), (422, "INSUFFICIENT_BALANCE".into()));
    let message = answer.json()["error"]["message"].as_str().expect("text").to_owned();
    assert_eq!(message, "available 7.5 USDT, required 12.25 USDT");
}

/// One key, one hash, whatever the body; one body, one hash, whatever the key; and the key of a caller
/// who gave none is new each time and short-lived.
#[tokio::test]
async fn keys_are_hashed_by_account_text_and_body() {
    let served = Served::start().await;
    served.port.answer(|_| Ok(Outcome::Accepted { order: ORDER }));
    let mut keys = Vec::new();
    for more in [
        r#""client_order_id":"k","#,
        r#""client_order_id":"k","#,
        r#""idempotency_key":"k","#,
        r#""client_order_id":"k","post_only":true,"#,
        "",
        "",
    ] {
        let answer = served.trader("post", "/v1/orders", &body(more)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        keys.push(served.port.last().key.expect("every order has a key"));
    }
    assert_eq!(keys[0], keys[1]);
    assert_eq!(keys[0], keys[2]);
    assert_eq!(keys[0].key_hash, keys[3].key_hash);
    assert_ne!(keys[0].body_hash, keys[3].body_hash);
    assert_eq!(keys[0].origin, KeyOrigin::Client);
    assert_ne!(keys[4].key_hash, keys[5].key_hash);
    assert_eq!(keys[4].body_hash, keys[5].body_hash);
    assert!(keys[4..].iter().all(|key| matches!(key.origin, KeyOrigin::Gateway { .. })));
}

/// What cannot be read is 400 and never sequenced (LIFE-9).
#[tokio::test]
async fn malformed_bodies_are_not_sequenced() {
    let served = Served::start().await;
    let long = format!(r#""client_order_id":"{}","#, "k".repeat(65));
    let bodies = [
        String::new(),
        "{".to_owned(),
        "[]".to_owned(),
        "null".to_owned(),
        "{}".to_owned(),
        body(r#""unknown":1,"#),
        body(r#""side":"BUY","#),
        body(r#""client_id":"a","client_order_id":"b","#),
        body(&long),
        body(r#""expire_at":"tomorrow","#),
        body(r#""expire_at":"1999-01-01T00:00:00Z","#),
        body("").replace("\"0.25\"", "0.25"),
        body("").replace("\"50000.50\"", "50000.50"),
        body("").replace("SELL", "sell"),
        body("").replace("0.25", "1e3"),
        body("").replace("0.25", "NaN"),
        body("").replace("BTC/USDT", ""),
        format!("{}x", body("")),
        "[".repeat(100_000),
    ];
    for bad in bodies {
        let answer = served.trader("post", "/v1/orders", &bad).await;
        assert_eq!(answer.fault(), (400, "INVALID_SCHEMA".into()), "{bad:.120}");
    }
    let precise = body("").replace("50000.50", "0.0000000000000000001");
    let answer = served.trader("post", "/v1/orders", &precise).await;
    assert_eq!(answer.fault(), (422, "INVALID_PRICE".into()));
    assert_eq!(served.port.count(), 0);
}

/// Hostile text in every text parameter of traders and of everyone gives 400, 404 or 422, and is submitted nowhere.
/// covers: INV-70
#[tokio::test]
async fn hostile_text_gets_nowhere() {
    let served = Served::start().await;
    served.port.answer(|_| Ok(Outcome::Accepted { order: ORDER }));
    let id = MINE.to_string();
    for hostile in ["1' OR '1'='1", "../../etc/passwd", "a\u{0}b\u{7}", "\r\nX-Injected: 1"] {
        let text = serde_json::to_string(hostile).expect("text");
        let coded: String = hostile.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let fields = [
            "account_id",
            "client_order_id",
            "client_id",
            "idempotency_key",
            "expire_at",
            "self_trade",
            "oco_with",
            "position_side",
        ];
        let mut tries: Vec<(&str, String, String)> = fields
            .iter()
            .map(|field| ("post", "/v1/orders".to_owned(), body(&format!("\"{field}\":{text},"))))
            .collect();
        for value in ["BTC/USDT", "SELL", "LIMIT", "0.25", "50000.50", "IOC"] {
            let body = body("").replace(&format!("\"{value}\""), &text);
            tries.push(("post", "/v1/orders".to_owned(), body));
        }
        let trigger = format!(r#""trigger":{{"kind":{text},"price":"1","source":"LAST"}},"#);
        tries.push(("post", "/v1/orders".to_owned(), body(&trigger)));
        tries.extend(hostile_reads(&coded, &id).map(|path| ("get", path, String::new())));
        for path in [
            format!("/v1/orders?client_order_id={coded}"),
            format!("/v1/orders?client_order_id=a&account_id={coded}"),
            format!("/v1/accounts/{id}/orders?symbol={coded}"),
            format!("/v1/accounts/{coded}/orders"),
        ] {
            tries.push(("delete", path, String::new()));
        }
        tries.push(("patch", format!("/v1/orders/{id}"), format!(r#"{{"quantity":{text}}}"#)));
        tries.push(("put", format!("/v1/orders/{id}"), body("").replace("\"BTC/USDT\"", &text)));
        let by_quote =
            body("").replace(r#""quantity":"0.25""#, &format!("\"quote_quantity\":{text}"));
        tries.push(("post", "/v1/orders/preview".to_owned(), by_quote));
        for field in ["from_account_id", "to_account_id", "asset", "amount"] {
            let mut transfer = json!({"from_account_id": id, "to_account_id": id, "asset": "USDT",
                "amount": "1"});
            transfer[field] = json!(hostile);
            tries.push(("post", "/v1/transfers".to_owned(), transfer.to_string()));
        }
        tries.push(("delete", format!("/v1/orders/{coded}"), String::new()));
        tries.push(("delete", format!("/v1/orders/{id}?state_seq={coded}"), String::new()));
        for (method, path, body) in tries {
            let answer = served.trader(method, &path, &body).await;
            let status = answer.status.as_u16();
            assert!([400, 404, 422].contains(&status), "{status} {method} {path} {body}");
            assert!(!answer.headers.contains_key("x-injected"));
        }
    }
    assert_eq!(served.port.count(), 0);
}

/// Reads with a text in each place of their addresses.
fn hostile_reads(coded: &str, id: &str) -> [String; 18] {
    [
        format!("/v1/orders/{coded}"),
        format!("/v1/accounts/{coded}"),
        format!("/v1/accounts/{coded}/balances"),
        format!("/v1/accounts/{id}/orders?status={coded}"),
        format!("/v1/accounts/{id}/orders?symbol={coded}"),
        format!("/v1/accounts/{id}/orders?symbol=BTC-USDT&price={coded}"),
        format!("/v1/accounts/{id}/orders?cursor={coded}"),
        format!("/v1/accounts/{id}/trades?start_time={coded}"),
        format!("/v1/accounts/{id}/ledger?end_time={coded}"),
        format!("/v1/accounts/{id}/fees.csv?start_time={coded}"),
        format!("/v1/orders/{coded}/trades"),
        format!("/v1/trades/{coded}"),
        format!("/v1/market/trades?symbol={coded}"),
        format!("/v1/market/trades?symbol=BTC-USDT&limit={coded}"),
        format!("/v1/market/book?symbol={coded}"),
        format!("/v1/market/book?symbol=BTC-USDT&depth={coded}"),
        format!("/v1/market/book?symbol=BTC-USDT&{coded}=1"),
        format!("/v1/market/markets?min_sequence={coded}"),
    ]
}

/// An order is shown with every field of STATE-36, decimals as texts, times in both forms.
#[tokio::test]
async fn an_order_is_shown_whole() {
    let served = Served::start().await;
    let view = order(ORDER, MINE, OrderState::Partial);
    served.port.orders.lock().expect("no panic").insert(ORDER, view);
    let json = served.trader("get", &format!("/v1/orders/{ORDER}"), "").await.json();
    for (field, value) in [
        ("order_id", ORDER.to_string()),
        ("account_id", MINE.to_string()),
        ("client_order_id", "mine".into()),
        ("symbol", "BTC/USDT".into()),
        ("side", "BUY".into()),
        ("type", "LIMIT".into()),
        ("time_in_force", "GTC".into()),
        ("price", "50000.5".into()),
        ("quantity", "2".into()),
        ("filled_quantity", "0.5".into()),
        ("remaining_quantity", "1.5".into()),
        ("average_price", "50000".into()),
        ("status", "PARTIAL".into()),
        ("prev_status", "PENDING".into()),
        ("created_at", "2024-02-16T22:44:16.789012Z".into()),
    ] {
        assert_eq!(json[field], value, "{field}");
    }
    assert_eq!(json["created_at_nanos"], 1_708_123_456_789_012_345u64);
    assert_eq!(json["state_changed_at_nanos"], 1_708_123_456_789_012_345u64);
    assert_eq!(json["state_seq"], 41);
    assert!(json["state_reason"].is_null());
    let list =
        served.trader("get", &format!("/v1/accounts/{MINE}/orders?status=PENDING"), "").await;
    assert_eq!(list.json()["orders"][0]["order_id"], ORDER.to_string());
}

/// A cancel is 200; of what has ended a second cancel is 200 and anything else 409 or 404.
#[tokio::test]
async fn canceling_twice_is_fine_and_canceling_a_filled_order_is_not() {
    let served = Served::start().await;
    let path = format!("/v1/orders/{ORDER}");
    let answer = served.trader("delete", &path, "").await;
    assert_eq!(
        (answer.status, answer.json()["status"].clone()),
        (StatusCode::OK, "CANCELED".into())
    );
    let cancel = CancelOrder { account: MINE, order: ORDER, state_seq: None };
    assert_eq!(served.port.last().command, Command::CancelOrder(cancel));
    served.trader("delete", &format!("{path}?state_seq=41"), "").await;
    let cancel = CancelOrder { state_seq: Some(41), ..cancel };
    assert_eq!(served.port.last().command, Command::CancelOrder(cancel));

    for code in [Code::OrderNotFound, Code::InvalidStateTransition] {
        let refusal = Refusal::new(code, Why::NoSuchOrder);
        served.port.answer(move |_| Ok(Outcome::Refused(refusal)));
        for (state, account, status) in [
            (OrderState::Canceled, MINE, 200),
            (OrderState::Filled, MINE, 409),
            (OrderState::Expired, MINE, 409),
            (OrderState::Rejected, MINE, 409),
            (OrderState::Canceled, OTHERS, 404),
        ] {
            let view = order(ORDER, account, state);
            served.port.orders.lock().expect("no panic").insert(ORDER, view);
            let answer = served.trader("delete", &path, "").await;
            assert_eq!(answer.status.as_u16(), status, "{state:?}");
            if status == 409 {
                assert_eq!(answer.fault().1, "INVALID_STATE_TRANSITION");
                let message = answer.json()["error"]["message"].as_str().expect("text").to_owned();
                assert_eq!(message, format!("the order is {}", state.name()));
            }
        }
        served.port.orders.lock().expect("no panic").clear();
        assert_eq!(
            served.trader("delete", &path, "").await.fault(),
            (404, "ORDER_NOT_FOUND".into())
        );
    }
    let refusal = Refusal::new(Code::VersionConflict, Why::StateSeqDiffers);
    served.port.answer(move |_| Ok(Outcome::Refused(refusal)));
    assert_eq!(served.trader("delete", &path, "").await.fault(), (409, "VERSION_CONFLICT".into()));
}

/// Every field of an order reaches the core as it was written: which go together is the core's to say.
#[tokio::test]
async fn every_kind_of_order_is_submitted() {
    let served = Served::start().await;
    served.port.answer(|_| Ok(Outcome::Accepted { order: ORDER }));
    let place = async |body: serde_json::Value| {
        let answer = served.trader("post", "/v1/orders", &body.to_string()).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        let Command::PlaceOrder(order) = served.port.last().command else { panic!("an order") };
        order
    };
    let by_quote = place(json!({"symbol": "BTC/USDT", "side": "BUY", "type": "MARKET",
        "quote_quantity": "250.5", "time_in_force": "FOK"}))
    .await;
    assert_eq!((by_quote.by_quote, by_quote.quantity), (true, amount("250.5")));
    assert_eq!((by_quote.order_type, by_quote.price), (OrderType::Market, None));
    assert_eq!(by_quote.time_in_force, TimeInForce::Fok);
    let gtd = place(json!({"symbol": "BTC/USDT", "side": "SELL", "type": "LIMIT",
        "quantity": "1", "price": "5", "time_in_force": "GTD",
        "expire_at": "2030-01-01T00:00:00Z", "post_only": true,
        "self_trade": "DECREMENT_BOTH", "oco_with": ORDER.to_string(),
        "trigger": {"kind": "TAKE_PROFIT", "price": "4", "source": "LAST"}}))
    .await;
    assert_eq!((gtd.by_quote, gtd.time_in_force), (false, TimeInForce::Gtd));
    assert_eq!(gtd.expire_at, Some(Timestamp(1_893_456_000_000_000_000)));
    assert_eq!((gtd.post_only, gtd.oco_with), (true, Some(ORDER)));
    assert_eq!(gtd.self_trade, SelfTrade::DecrementBoth);
    let trigger =
        Trigger { kind: TriggerKind::TakeProfit, price: amount("4"), source: TriggerSource::Last };
    assert_eq!(gtd.trigger, Some(trigger));

    let before = served.port.count();
    let both = body(r#""quote_quantity":"1","#);
    let neither = body("").replace(r#""quantity":"0.25","#, "");
    let number = neither.replace('{', r#"{"quote_quantity":1,"#);
    for bad in [both, neither.clone(), number] {
        let answer = served.trader("post", "/v1/orders", &bad).await;
        assert_eq!(answer.fault(), (400, "INVALID_SCHEMA".into()), "{bad}");
    }
    let precise = neither.replace('{', r#"{"quote_quantity":"0.0000000000000000001","#);
    let answer = served.trader("post", "/v1/orders", &precise).await;
    assert_eq!(answer.fault(), (422, "INVALID_QUANTITY".into()));
    assert_eq!(served.port.count(), before);
}

/// An order is found and canceled by the client's own key, and only by its owner.
#[tokio::test]
async fn an_order_is_found_by_its_key() {
    let served = Served::start().await;
    let path = "/v1/orders?client_order_id=mine";
    assert_eq!(served.trader("get", path, "").await.fault(), (404, "ORDER_NOT_FOUND".into()));
    let view = order(ORDER, MINE, OrderState::Pending);
    served.port.orders.lock().expect("no panic").insert(ORDER, view);
    let found = served.trader("get", path, "").await;
    assert_eq!(found.json()["order_id"], ORDER.to_string());
    let canceled = served.trader("delete", &format!("{path}&state_seq=41"), "").await;
    assert_eq!(canceled.json()["status"], "CANCELED");
    let cancel = CancelOrder { account: MINE, order: ORDER, state_seq: Some(41) };
    assert_eq!(served.port.last().command, Command::CancelOrder(cancel));
    let before = served.port.count();
    let foreign = format!("{path}&account_id={OTHERS}");
    for (path, status, code) in [
        ("/v1/orders?client_order_id=other", 404, "ORDER_NOT_FOUND"),
        (&foreign, 403, "PERMISSION_DENIED"),
        ("/v1/orders", 400, "INVALID_SCHEMA"),
        ("/v1/orders?client_order_id=a%20b", 400, "INVALID_SCHEMA"),
    ] {
        for method in ["get", "delete"] {
            let answer = served.trader(method, path, "").await;
            assert_eq!(answer.fault(), (status, code.to_owned()), "{method} {path}");
        }
    }
    assert_eq!(served.port.count(), before);
}

/// The fields that a new order takes are those of the table in LIFE-6, the other names of SVC-22, and the
/// value of a market order (D-94).
/// covers: LIFE-6
#[tokio::test]
async fn an_order_has_the_fields_of_the_specification() {
    let document = include_str!("../../../../docs/spec/01-order-lifecycle.md");
    let (_, rest) = document.split_once("**LIFE-6**").expect("it is there");
    let (table, _) = rest.split_once("**LIFE-7**").expect("it is behind");
    let mut fields: BTreeSet<&str> =
        BTreeSet::from(["client_id", "idempotency_key", "quote_quantity"]);
    for line in table.lines() {
        let Some(cell) = line.strip_prefix("| `") else { continue };
        let cell = cell.split('|').next().unwrap_or_default();
        fields.extend(cell.split('`').step_by(2).filter(|it| !it.trim().is_empty()));
    }
    let served = Served::start().await;
    let api = served.anonymous("get", "/openapi.json", "").await.json();
    let form = &api["components"]["schemas"]["OrderForm"];
    let taken = form["properties"].as_object().expect("fields").keys().map(String::as_str);
    assert_eq!(taken.collect::<BTreeSet<_>>(), fields);
    served.port.answer(|_| Ok(Outcome::Accepted { order: ORDER }));
    let mut order = limit_order();
    order["iceberg"] = json!("1");
    let answer = served.trader("post", "/v1/orders", &order.to_string()).await;
    assert_eq!(answer.fault(), (400, "INVALID_SCHEMA".into()));
    assert_eq!(served.port.count(), 0);
}

/// Bytes that are no UTF-8 are refused in a body, in a parameter and in a path, and nothing is sequenced.
/// covers: DET-28
#[tokio::test]
async fn text_is_utf_8() {
    let served = Served::start().await;
    let mut body = limit_order().to_string().into_bytes();
    let at = body.windows(3).position(|bytes| bytes == b"BTC").expect("the symbol");
    body[at] = 0xff;
    let length = body.len().to_string();
    let token = bearer(&trader());
    for (head, body) in [
        (format!("POST /v1/orders HTTP/1.1\r\ncontent-length: {length}"), body.as_slice()),
        (format!("GET /v1/accounts/{MINE}/orders?symbol=%ff%fe HTTP/1.1"), b""),
        (format!("GET /v1/orders?client_order_id=%c3%28&account_id={MINE} HTTP/1.1"), b""),
        ("GET /v1/orders/%ff HTTP/1.1".to_owned(), b""),
        ("POST /v1/orders HTTP/1.1\r\nidempotency-key: \u{ff}".to_owned(), b""),
    ] {
        let request =
            format!("{head}\r\nhost: t\r\nconnection: close\r\nauthorization: {token}\r\n\r\n");
        let mut bytes: Vec<u8> = request.chars().map(|sign| sign as u8).collect();
        bytes.extend_from_slice(body);
        let mut stream = tokio::net::TcpStream::connect(served.address).await.expect("it listens");
        stream.write_all(&bytes).await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("text");
        assert!(answer.starts_with("HTTP/1.1 400 "), "{head}: {answer}");
    }
    assert_eq!(served.port.count(), 0);
}

/// Beyond the bound of orders in flight an order is refused at once, with nothing submitted, and a cancel is not
/// (D-116).
#[tokio::test]
async fn orders_beyond_the_bound_are_503_and_cancels_are_not() {
    let served = Served::start_with(|config| config.orders_in_flight_max = 0).await;
    let answer = served.trader("post", "/v1/orders", &body(r#""client_order_id":"a-1","#)).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.text);
    assert_eq!(answer.json()["error"]["code"], "UNAVAILABLE");
    assert_eq!(answer.headers["retry-after"], "1");
    assert_eq!(served.port.count(), 0);
    let canceled = served.trader("delete", &format!("/v1/orders/{ORDER}"), "").await;
    assert_eq!(canceled.status, StatusCode::OK, "{}", canceled.text);
    let figures = served.anonymous("get", "/metrics", "").await.text;
    assert!(figures.contains("dex_orders_refused_busy_total{role=\"gateway\"} 1"), "{figures}");
    assert!(figures.contains("dex_orders_in_flight_bound{role=\"gateway\"} 0"), "{figures}");
}

/// An order that is refused for overload is refused by its head: without a token, and whatever its body says. Its
/// body is taken off the connection, however it is cut, and the connection goes on.
#[tokio::test]
async fn an_order_is_refused_by_its_head_and_its_connection_goes_on() {
    let served = Served::start_with(|config| config.orders_in_flight_max = 0).await;
    let mut stream = tokio::net::TcpStream::connect(served.address).await.expect("it listens");
    let head = "POST /v1/orders HTTP/1.1\r\nhost: t\r\ncontent-length: 9\r\n\r\n";
    let last = "GET /health HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n";
    for piece in [head, "no ", "order}", &format!("{head}DELETE / "), last] {
        stream.write_all(piece.as_bytes()).await.expect("sent");
        tokio::task::yield_now().await;
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("text");
    let statuses: Vec<&str> = answer.split("HTTP/1.1 ").skip(1).map(|it| &it[..3]).collect();
    assert_eq!(statuses, ["503", "503", "200"], "{answer}");
    assert_eq!(served.port.count(), 0);
}

/// A place among the orders in flight is free again once the order has its answer.
#[tokio::test]
async fn an_answered_order_gives_its_place_back() {
    let served = Served::start_with(|config| config.orders_in_flight_max = 1).await;
    served.port.answer(|_| Ok(Outcome::Accepted { order: ORDER }));
    for number in 0..3 {
        let key = format!(r#""client_order_id":"a-{number}","#);
        let answer = served.trader("post", "/v1/orders", &body(&key)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    }
    let figures = served.anonymous("get", "/metrics", "").await.text;
    assert!(figures.contains("dex_orders_in_flight{role=\"gateway\"} 0"), "{figures}");
}
