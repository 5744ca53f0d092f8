//! Administrative requests, market data, health and figures.

use axum::http::StatusCode;
use port::BookView;
use schema::{AccountStatus, AssetRef, Code, Command, KeyOrigin, Outcome, Refusal, SymbolRef, Why};
use serde_json::{Value, json};
use units::{Id, Lots, Rate, Ticks};

use crate::client::{MINE, Served, bearer, operator};
use crate::fake::{amount, label, level};
use crate::samples::TRADE;

const MADE: Id = Id([0x88; 16]);

async fn admin(served: &Served, path: &str, body: &str) -> (u16, serde_json::Value, Command) {
    let answer = served.operator("post", path, body).await;
    (answer.status.as_u16(), answer.json(), served.port.last().command)
}

/// A listing carries every parameter, bounds in whole steps, and a signature over its key.
#[tokio::test]
async fn listings_are_signed() {
    let served = Served::start().await;
    served.port.answer(|_| Ok(Outcome::Done { created: Some(MADE) }));
    let body = r#"{"symbol":"USDT","name":"Tether USD","decimals":6,"is_collateral":true,
        "collateral_weight":"0.95","networks":[{"network":"Tron","min_withdrawal":"10",
        "withdrawal_fee":"1","confirmations":19,"deposits_open":true}]}"#;
    let (status, json, command) = admin(&served, "/v1/admin/assets", body).await;
    assert_eq!((status, json["asset_id"].clone()), (201, MADE.to_string().into()));
    let Command::ListAsset(terms, approval) = command else { panic!("a listing") };
    assert_eq!((terms.decimals, terms.collateral_weight), (6, Rate(95_000_000)));
    assert_eq!((terms.networks[0].confirmations, terms.networks[0].withdrawals_open), (19, false));
    let key = served.port.last().key.expect("signed commands have one");
    assert_eq!(key.origin, KeyOrigin::Client);
    assert_eq!(approval.signature[..16], key.key_hash);
    assert_eq!(approval.signature[16..], [7; 48]);

    let body = r#"{"symbol":"ETH/USDT","tick_size":"0.01","lot_size":"0.001","max_price":"100000",
        "min_quantity":"0.01","max_quantity":"1000",
        "fee_tiers":[{"above":"0","maker":"-0.0001","taker":"0.001"}]}"#;
    let (status, _, command) = admin(&served, "/v1/admin/markets", body).await;
    assert_eq!(status, 201);
    let Command::ListMarket(terms, _) = command else { panic!("a listing") };
    assert_eq!((terms.base, terms.quote), (label("ETH"), label("USDT")));
    assert_eq!((terms.min_price, terms.max_price), (Ticks(1), Ticks(10_000_000)));
    assert_eq!((terms.min_quantity, terms.max_quantity), (Lots(10), Lots(1_000_000)));
    assert_eq!(terms.fee_tiers[0].maker, Rate(-10_000));

    let off = body.replace("\"0.01\",\"lot", "\"0.03\",\"lot");
    let answer = served.operator("post", "/v1/admin/markets", &off).await;
    assert_eq!(answer.fault(), (422, "INVALID_PRICE".into()));
}

/// The same header gives the same key; without one a signed command still has a client's key.
#[tokio::test]
async fn a_key_in_the_header_is_kept() {
    let served = Served::start().await;
    let body = format!(r#"{{"account_id":"{MINE}","asset":"USDT","amount":"12.5"}}"#);
    let token = bearer(&operator());
    let mut keys = Vec::new();
    for _ in 0..2 {
        let headers = [("authorization", token.as_str()), ("idempotency-key", "deposit-1")];
        let answer = served.send("post", "/v1/admin/deposits", &headers, &body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        let request = served.port.last();
        let Command::Deposit(entry) = request.command else { panic!("a deposit") };
        assert_eq!((entry.asset, entry.amount), (AssetRef::Listed(2), amount("12.5")));
        keys.push(request.key.expect("a key"));
    }
    assert_eq!(keys[0], keys[1]);
    assert_eq!((keys[0].origin, keys[0].text), (KeyOrigin::Client, Some(label("deposit-1"))));
    served.operator("post", "/v1/admin/withdrawals", &body).await;
    let request = served.port.last();
    assert!(matches!(request.command, Command::Withdraw(_)));
    assert!(matches!(request.key.expect("a key").origin, KeyOrigin::Gateway { .. }));
    for bad in ["", "1' OR '1'='1", "a b"] {
        let headers = [("authorization", token.as_str()), ("idempotency-key", bad)];
        let answer = served.send("post", "/v1/admin/deposits", &headers, &body).await;
        assert_eq!(answer.fault(), (400, "INVALID_SCHEMA".into()), "{bad}");
    }
}

#[tokio::test]
async fn accounts_are_opened_and_suspended() {
    let served = Served::start().await;
    served.port.answer(|_| Ok(Outcome::Done { created: Some(MADE) }));
    let body = r#"{"external_id":"maker-1","order_tier":"MARKET_MAKER",
        "metadata":{"desk":"one","b":"two"}}"#;
    let (status, json, command) = admin(&served, "/v1/admin/accounts", body).await;
    assert_eq!((status, json["account_id"].clone()), (201, MADE.to_string().into()));
    let Command::CreateAccount(opening) = command else { panic!("an account") };
    assert_eq!(opening.external_id, label("maker-1"));
    assert_eq!(opening.order_tier.name(), "MARKET_MAKER");
    assert_eq!(opening.metadata[0], (label("b"), label("two")));

    let path = format!("/v1/admin/accounts/{MADE}/status");
    let body = r#"{"status":"SUSPENDED","reason":"asked by its owner"}"#;
    let (status, json, command) = admin(&served, &path, body).await;
    assert_eq!((status, json["status"].clone()), (200, "SUSPENDED".into()));
    let Command::SetAccountStatus(change, approval) = command else { panic!("a change") };
    assert_eq!((change.account, change.to), (MADE, AccountStatus::Suspended));
    assert_eq!(change.actor.as_str(), operator().user.to_string());
    assert_ne!(approval.signature, [0; 64]);

    // An operator learns who has a number, and nothing of what is in the account.
    let found = served.operator("get", "/v1/admin/accounts?external_id=A-1", "").await;
    assert_eq!(found.json()["account_id"], MINE.to_string());
    assert!(!found.text.contains("7.5") && !found.text.contains("balances"));
    let nobody = served.operator("get", "/v1/admin/accounts?external_id=B-1", "").await;
    assert_eq!(nobody.fault(), (404, "ACCOUNT_NOT_FOUND".into()));

    let refusal = Refusal::new(Code::AccountExists, Why::ExternalIdUsed);
    served.port.answer(move |_| Ok(Outcome::Refused(refusal)));
    let answer = served.operator("post", "/v1/admin/accounts", r#"{"external_id":"a"}"#).await;
    assert_eq!(answer.fault(), (409, "ACCOUNT_EXISTS".into()));
    for bad in [
        r#"{"external_id":"a","account_type":"SYSTEM"}"#,
        r#"{"external_id":"../a"}"#,
        r#"{"external_id":""}"#,
        r#"{"external_id":"a","metadata":{"x":"1' OR '1'='1"}}"#,
        r#"{"external_id":"a","kyc_tier":-1}"#,
    ] {
        let answer = served.operator("post", "/v1/admin/accounts", bad).await;
        assert_eq!(answer.fault(), (400, "INVALID_SCHEMA".into()), "{bad}");
    }
}

/// A symbol may be written with `-` in a query and comes back as it is.
/// covers: SVC-59
#[tokio::test]
async fn books_and_listings_are_public() {
    let served = Served::start().await;
    let book = BookView {
        symbol: label("BTC/USDT"),
        sequence: 12,
        bids: vec![level("50000", "1.5"), level("49999", "2")],
        asks: vec![level("50001", "0.25")],
    };
    *served.port.book.lock().expect("no panic") = (99, Some(book));
    for symbol in ["BTC-USDT", "BTC/USDT", "BTC%2FUSDT"] {
        let path = format!("/v1/market/book?symbol={symbol}&depth=1");
        let json = served.anonymous("get", &path, "").await.json();
        assert_eq!(json["symbol"], "BTC/USDT");
        assert_eq!(json["sequence"], 12);
        assert_eq!(json["bids"], serde_json::json!([["50000", "1.5"]]));
        assert_eq!(json["asks"], serde_json::json!([["50001", "0.25"]]));
    }
    let unknown = served.anonymous("get", "/v1/market/book?symbol=XRP-USDT", "").await;
    assert_eq!(unknown.fault(), (404, "SYMBOL_NOT_FOUND".into()));
    for bad in ["", "?symbol=BTC-USDT&depth=0", "?symbol=BTC-USDT&depth=5001", "?symbol=a&a=b"] {
        let answer = served.anonymous("get", &format!("/v1/market/book{bad}"), "").await;
        assert_eq!(answer.fault(), (400, "INVALID_SCHEMA".into()), "{bad}");
    }
    let markets = served.anonymous("get", "/v1/market/markets", "").await.json();
    assert_eq!(markets["markets"][0]["tick_size"], "0.01");
    assert_eq!(markets["markets"][0]["max_price"], "1000000");
    let assets = served.anonymous("get", "/v1/market/assets", "").await.json();
    assert_eq!(assets["assets"][0]["symbol"], "USDT");
}

/// An order for a market that nobody knows carries its name, and the core refuses it.
#[tokio::test]
async fn an_unknown_symbol_is_the_cores_to_refuse() {
    let served = Served::start().await;
    let refusal = Refusal::new(Code::SymbolNotFound, Why::NoSuchSymbol);
    served.port.answer(move |_| Ok(Outcome::Rejected { order: MADE, refusal }));
    let body = r#"{"symbol":"XRP/USDT","side":"BUY","type":"LIMIT","quantity":"1","price":"1",
        "time_in_force":"GTC"}"#;
    let answer = served.trader("post", "/v1/orders", body).await;
    assert_eq!(answer.fault(), (422, "SYMBOL_NOT_FOUND".into()));
    let Command::PlaceOrder(order) = served.port.last().command else { panic!("an order") };
    assert_eq!(order.symbol, SymbolRef::Unknown(label("XRP/USDT")));
}

/// covers: REC-23
#[tokio::test]
async fn health_and_figures_are_told() {
    let served = Served::start().await;
    let health = served.anonymous("get", "/health", "").await;
    assert_eq!(
        (health.status, health.json()["status"].clone()),
        (StatusCode::OK, "healthy".into())
    );
    assert_eq!(health.json()["state_hash"]["sequence"], 60);
    let mode = [&health.json()["durability"], &health.json()["survives"]].map(Value::clone);
    assert_eq!(mode, ["local", "PROCESS_CRASH"]);
    let figures = served.anonymous("get", "/metrics", "").await;
    assert!(figures.headers["content-type"].to_str().expect("text").starts_with("text/plain"));
    assert!(figures.text.contains("dex_http_responses_total{role=\"gateway\",status=\"200\"}"));
    assert!(figures.text.contains("dex_view_lag_events{role=\"core\"} 1"), "{}", figures.text);
}

/// Hostile text in every text of every administrative request is 400, 404 or 422, and goes nowhere.
/// covers: INV-70
#[tokio::test]
async fn hostile_text_of_an_operator_gets_nowhere() {
    let served = Served::start().await;
    let bodies = bodies_of_an_operator();
    for (path, body) in &bodies {
        let good = served.operator("post", path, &body.to_string()).await;
        assert!(good.status.is_success(), "{path} {}", good.text);
    }
    let before = served.port.count();
    for hostile in ["1' OR '1'='1", "../../etc/passwd", "a\u{0}b\u{7}", "\r\nX-Injected: 1"] {
        for (path, body) in &bodies {
            for at in 0..leaves(&mut body.clone(), None) {
                let mut body = body.clone();
                leaves(&mut body, Some((at, hostile)));
                let answer = served.operator("post", path, &body.to_string()).await;
                let status = answer.status.as_u16();
                assert!([400, 404, 422].contains(&status), "{status} {path} {body}");
            }
        }
        let coded: String = hostile.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let path = format!("/v1/admin/accounts?external_id={coded}");
        assert_eq!(served.operator("get", &path, "").await.fault(), (400, "INVALID_SCHEMA".into()));
        let path = format!("/v1/admin/markets/{coded}/pause");
        let paused = served.operator("post", &path, r#"{"reason":"asked"}"#).await;
        assert!([400, 404].contains(&paused.status.as_u16()), "{}", paused.text);
    }
    assert_eq!(served.port.count(), before);
}

/// A body with every text of every request that has one, and where it goes.
fn bodies_of_an_operator() -> Vec<(String, Value)> {
    let of_account = |last: &str| format!("/v1/admin/accounts/{MADE}/{last}");
    let (status, rates, profile) =
        (of_account("status"), of_account("rates"), of_account("profile"));
    let refunds = format!("/v1/admin/accounts/{MINE}/refunds");
    let tier = json!({"above": "0", "maker": "0", "taker": "0"});
    let network = json!({"network": "Tron", "min_withdrawal": "1", "withdrawal_fee": "1",
        "confirmations": 1});
    [
        (
            "/v1/admin/assets",
            json!({"symbol": "A", "name": "A", "decimals": 1,
            "collateral_weight": "0", "networks": [network]}),
        ),
        (
            "/v1/admin/markets",
            json!({"symbol": "A/B", "kind": "SPOT", "base": "A", "quote": "B",
            "tick_size": "1", "lot_size": "1", "min_price": "1", "max_price": "1",
            "min_quantity": "1", "max_quantity": "1", "matching": "PRICE_TIME",
            "protection_bound": "0", "fee_tiers": [tier],
            "post_only_until": "2030-01-01T00:00:00Z"}),
        ),
        (
            "/v1/admin/accounts",
            json!({"external_id": "a", "account_type": "SPOT",
            "owner_id": MADE.to_string(), "jurisdiction": "ZZ", "risk_tier": "STANDARD",
            "order_tier": "RETAIL", "api_class": "STANDARD", "metadata": {"a": "b"}}),
        ),
        (status.as_str(), json!({"status": "ACTIVE", "reason": "asked"})),
        (
            "/v1/admin/deposits",
            json!({"account_id": MADE.to_string(), "asset": "USDT",
            "amount": "1", "reference": MADE.to_string()}),
        ),
        ("/v1/admin/markets/BTC-USDT/pause", json!({"reason": "asked"})),
        ("/v1/admin/markets/BTC-USDT/resume", json!({"reason": "asked"})),
        (
            "/v1/admin/markets/BTC-USDT/parameters",
            json!({"min_price": "1", "max_price": "2", "min_quantity": "1", "max_quantity": "2",
            "protection_bound": "0.1", "price_band": "0.1"}),
        ),
        ("/v1/admin/fees", json!({"tiers": [tier], "effective_at": "2030-01-01T00:00:00Z"})),
        (
            rates.as_str(),
            json!({"kind": "VIP", "maker": "0", "taker": "0",
            "effective_at": "2030-01-01T00:00:00Z"}),
        ),
        (
            rates.as_str(),
            json!({"kind": "WAIVER", "reason": "PROMOTION", "ends_at": "2030-01-01T00:00:00Z"}),
        ),
        (
            refunds.as_str(),
            json!({"trade_id": TRADE.to_string(), "amount": "1", "reason": "MALFUNCTION"}),
        ),
        (
            profile.as_str(),
            json!({"kyc_tier": 1, "jurisdiction": "ZZ", "risk_tier": "STANDARD",
            "order_tier": "RETAIL", "api_class": "STANDARD", "fee_in_token": false}),
        ),
    ]
    .map(|(path, body)| (path.to_owned(), body))
    .into()
}

/// How many texts a value holds; the one with the given number is replaced.
fn leaves(value: &mut Value, replace: Option<(usize, &str)>) -> usize {
    let mut stack = vec![value];
    let mut count = 0;
    while let Some(value) = stack.pop() {
        match value {
            Value::String(text) => {
                if let Some((at, hostile)) = replace
                    && at == count
                {
                    hostile.clone_into(text);
                }
                count += 1;
            }
            Value::Array(items) => stack.extend(items),
            Value::Object(fields) => stack.extend(fields.values_mut()),
            _ => {}
        }
    }
    count
}
