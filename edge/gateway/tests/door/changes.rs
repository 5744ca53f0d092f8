//! Reducing, replacing and canceling many, the countdown, transfers: what is submitted, what is answered.

use gateway::Role;
use schema::{
    AssetRef, CancelAllOrders, Code, Command, CountdownCancel, KeyOrigin, OrderState, Outcome,
    ReduceOrder, Refusal, SymbolRef, Transfer, Why,
};
use serde_json::json;
use units::Id;

use crate::client::{MINE, OTHERS, Served, bearer, claims, trader};
use crate::fake::{amount, label, order};
use crate::samples::{ORDER, limit_order};

const NEW: Id = Id([0x99; 16]);

fn refused(code: Code, why: Why) -> Outcome {
    Outcome::Refused(Refusal::new(code, why))
}

fn path() -> String {
    format!("/v1/orders/{ORDER}")
}

/// A reduction carries the new total and the expected state; what the core says has its status.
#[tokio::test]
async fn an_order_is_reduced() {
    let served = Served::start().await;
    let body = r#"{"quantity":"1.5"}"#;
    let answer = served.trader("patch", &path(), body).await;
    assert_eq!((answer.status.as_u16(), answer.json()["quantity"].clone()), (200, "1.5".into()));
    let reduce =
        ReduceOrder { account: MINE, order: ORDER, quantity: amount("1.5"), state_seq: None };
    assert_eq!(served.port.last().command, Command::ReduceOrder(reduce));
    served.trader("patch", &format!("{}?state_seq=41", path()), body).await;
    let expecting = ReduceOrder { state_seq: Some(41), ..reduce };
    assert_eq!(served.port.last().command, Command::ReduceOrder(expecting));
    for (code, why, status) in [
        (Code::InvalidQuantity, Why::NotAReduction, 422),
        (Code::InvalidQuantity, Why::RestTooSmall, 422),
        (Code::VersionConflict, Why::StateSeqDiffers, 409),
        (Code::IdempotencyConflict, Why::KeyReused, 409),
    ] {
        served.port.answer(move |_| Ok(refused(code, why)));
        let answer = served.trader("patch", &path(), body).await;
        assert_eq!(answer.fault(), (status, code.name().to_owned()));
    }
    let before = served.port.count();
    for bad in ["", "{}", r#"{"quantity":1}"#, r#"{"quantity":"x"}"#, r#"{"quantity":"1","a":1}"#] {
        let answer = served.trader("patch", &path(), bad).await;
        assert_eq!(answer.fault(), (400, "INVALID_SCHEMA".into()), "{bad}");
    }
    let precise = r#"{"quantity":"0.0000000000000000001"}"#;
    let answer = served.trader("patch", &path(), precise).await;
    assert_eq!(answer.fault(), (422, "INVALID_QUANTITY".into()));
    assert_eq!(served.port.count(), before);
}

/// Of an ended order of the caller's the state is told with 409; of another's, and of none, nothing.
#[tokio::test]
async fn what_has_ended_is_not_changed() {
    let served = Served::start().await;
    served.port.answer(|_| Ok(refused(Code::OrderNotFound, Why::NoSuchOrder)));
    let bodies = [("patch", r#"{"quantity":"1"}"#.to_owned()), ("put", limit_order().to_string())];
    for (method, body) in bodies {
        let none = served.trader(method, &path(), &body).await;
        assert_eq!(none.fault(), (404, "ORDER_NOT_FOUND".into()));
        for (state, account, status) in [
            (OrderState::Canceled, MINE, 409),
            (OrderState::Filled, MINE, 409),
            (OrderState::Expired, MINE, 409),
            (OrderState::Filled, OTHERS, 404),
            (OrderState::Pending, OTHERS, 404),
        ] {
            let view = order(ORDER, account, state);
            served.port.orders.lock().expect("no panic").insert(ORDER, view);
            let answer = served.trader(method, &path(), &body).await;
            assert_eq!(answer.status.as_u16(), status, "{method} {state:?}");
            if status == 409 {
                assert_eq!(answer.fault().1, "INVALID_STATE_TRANSITION");
                assert!(answer.text.contains(state.name()), "{}", answer.text);
            } else {
                assert_eq!(answer.text, none.text);
            }
        }
        served.port.orders.lock().expect("no panic").clear();
    }
}

/// A replacement is a whole order with its own key; what it is refused for has the status of a rejected
/// order, and the old one is named.
#[tokio::test]
async fn an_order_is_replaced() {
    let served = Served::start().await;
    served.port.answer(|_| Ok(Outcome::Accepted { order: NEW }));
    let mut body = limit_order();
    body["client_order_id"] = json!("r-1");
    let put = format!("{}?state_seq=7", path());
    let answer = served.trader("put", &put, &body.to_string()).await;
    let json = answer.json();
    assert_eq!((answer.status.as_u16(), json["order_id"].clone()), (200, NEW.to_string().into()));
    assert_eq!(json["replaced_order_id"], ORDER.to_string());
    assert_eq!(json["client_order_id"], "r-1");
    let request = served.port.last();
    let Command::ReplaceOrder(replace) = request.command else { panic!("a replacement") };
    assert_eq!((replace.order, replace.state_seq), (ORDER, Some(7)));
    assert_eq!((replace.request.account, replace.request.quantity), (MINE, amount("0.25")));
    assert_eq!(request.key.expect("a key").origin, KeyOrigin::Client);
    // The same body again is the same key and the same hash, so that the core runs it once (D-17).
    served.trader("put", &put, &body.to_string()).await;
    assert_eq!(served.port.last().key, request.key);

    for (code, why, status) in [
        (Code::InvalidSchema, Why::ReplacesElsewhere, 422),
        (Code::SymbolNotFound, Why::NoSuchSymbol, 422),
        (Code::InvalidPrice, Why::PriceOffTick, 422),
        (Code::MarketPaused, Why::MarketClosed, 422),
        (Code::VersionConflict, Why::StateSeqDiffers, 409),
        (Code::IdempotencyConflict, Why::KeyReused, 409),
    ] {
        served.port.answer(move |_| Ok(refused(code, why)));
        let answer = served.trader("put", &path(), &body.to_string()).await;
        assert_eq!(answer.fault(), (status, code.name().to_owned()));
    }
    let before = served.port.count();
    let token = bearer(&trader());
    let headers = [("authorization", token.as_str()), ("idempotency-key", "k")];
    let keyed = served.send("put", &path(), &headers, &body.to_string()).await;
    assert_eq!(keyed.fault(), (400, "INVALID_SCHEMA".into()));
    body["account_id"] = json!(OTHERS.to_string());
    let foreign = served.trader("put", &path(), &body.to_string()).await;
    assert_eq!(foreign.fault(), (403, "PERMISSION_DENIED".into()));
    assert_eq!(served.port.count(), before);
}

/// A caller with several accounts changes an order for the account that it is of, without naming it.
#[tokio::test]
async fn the_account_of_a_change_is_the_orders() {
    let served = Served::start().await;
    let view = order(ORDER, OTHERS, OrderState::Pending);
    served.port.orders.lock().expect("no panic").insert(ORDER, view);
    served.port.answer(|request| {
        Ok(match request.command {
            Command::ReplaceOrder(_) => Outcome::Accepted { order: NEW },
            _ => Outcome::Done { created: None },
        })
    });
    let token = bearer(&claims(Role::Trader, vec![MINE, OTHERS]));
    let headers = [("authorization", token.as_str())];
    let reduced = served.send("patch", &path(), &headers, r#"{"quantity":"1"}"#).await;
    assert_eq!(reduced.status.as_u16(), 200, "{}", reduced.text);
    let Command::ReduceOrder(reduce) = served.port.last().command else { panic!("a reduction") };
    assert_eq!(reduce.account, OTHERS);
    let mut body = limit_order();
    body.as_object_mut().expect("an object").remove("account_id");
    let replaced = served.send("put", &path(), &headers, &body.to_string()).await;
    assert_eq!(replaced.status.as_u16(), 200, "{}", replaced.text);
    let Command::ReplaceOrder(replace) = served.port.last().command else { panic!("another") };
    assert_eq!(replace.request.account, OTHERS);
}

/// All orders, or those of one market; a symbol that nobody knows is the core's to refuse.
#[tokio::test]
async fn all_orders_are_canceled() {
    let served = Served::start().await;
    let path = format!("/v1/accounts/{MINE}/orders");
    let answer = served.trader("delete", &path, "").await;
    assert_eq!((answer.status.as_u16(), answer.json()["symbol"].is_null()), (200, true));
    let all = CancelAllOrders { account: MINE, symbol: None };
    assert_eq!(served.port.last().command, Command::CancelAllOrders(all));
    let one = served.trader("delete", &format!("{path}?symbol=BTC-USDT"), "").await;
    assert_eq!(one.json()["symbol"], "BTC/USDT");
    let of_market = CancelAllOrders { symbol: Some(SymbolRef::Listed(1)), ..all };
    assert_eq!(served.port.last().command, Command::CancelAllOrders(of_market));

    served.port.answer(|_| Ok(refused(Code::SymbolNotFound, Why::NoSuchSymbol)));
    let unknown = served.trader("delete", &format!("{path}?symbol=XRP/USDT"), "").await;
    assert_eq!(unknown.fault(), (404, "SYMBOL_NOT_FOUND".into()));
    let of_none = CancelAllOrders { symbol: Some(SymbolRef::Unknown(label("XRP/USDT"))), ..all };
    assert_eq!(served.port.last().command, Command::CancelAllOrders(of_none));
    served.port.answer(|_| Ok(refused(Code::AccountNotFound, Why::NoSuchAccount)));
    let gone = served.trader("delete", &path, "").await;
    assert_eq!(gone.fault(), (404, "ACCOUNT_NOT_FOUND".into()));
    let before = served.port.count();
    let foreign = served.trader("delete", &format!("/v1/accounts/{OTHERS}/orders"), "").await;
    assert_eq!(foreign.fault(), (403, "PERMISSION_DENIED".into()));
    let misspelt = served.trader("delete", &format!("{path}?simbol=BTC-USDT"), "").await;
    assert_eq!(misspelt.fault(), (400, "INVALID_SCHEMA".into()));
    assert_eq!(served.port.count(), before);
}

/// Milliseconds become nanoseconds; the range is the core's to check.
#[tokio::test]
async fn a_countdown_is_armed_and_taken_back() {
    let served = Served::start().await;
    let path = format!("/v1/accounts/{MINE}/countdown");
    for (timeout_ms, timeout) in [(60_000u64, 60_000_000_000), (0, 0), (u64::MAX, u64::MAX)] {
        let body = json!({ "timeout_ms": timeout_ms }).to_string();
        let answer = served.trader("put", &path, &body).await;
        assert_eq!(answer.json()["timeout_ms"], timeout_ms);
        let set = CountdownCancel { account: MINE, timeout };
        assert_eq!(served.port.last().command, Command::SetCountdownCancel(set));
    }
    served.port.answer(|_| Ok(refused(Code::InvalidSchema, Why::CountdownOutOfRange)));
    let answer = served.trader("put", &path, r#"{"timeout_ms":999}"#).await;
    assert_eq!(answer.fault(), (400, "INVALID_SCHEMA".into()));
    let before = served.port.count();
    for bad in ["", "{}", r#"{"timeout_ms":"1000"}"#, r#"{"timeout_ms":-1}"#] {
        let answer = served.trader("put", &path, bad).await;
        assert_eq!(answer.fault(), (400, "INVALID_SCHEMA".into()), "{bad}");
    }
    let foreign = format!("/v1/accounts/{OTHERS}/countdown");
    let foreign = served.trader("put", &foreign, r#"{"timeout_ms":1000}"#).await;
    assert_eq!(foreign.fault(), (403, "PERMISSION_DENIED".into()));
    assert_eq!(served.port.count(), before);
}

/// Both accounts are the caller's, whichever is not: 403, and nothing is submitted.
#[tokio::test]
async fn money_moves_between_own_accounts_only() {
    let served = Served::start().await;
    served.port.answer(|_| Ok(Outcome::Done { created: Some(NEW) }));
    let body = |from: Id, to: Id, amount: &str| {
        json!({"from_account_id": from.to_string(), "to_account_id": to.to_string(),
            "asset": "USDT", "amount": amount})
        .to_string()
    };
    let token = bearer(&claims(Role::Trader, vec![MINE, OTHERS]));
    let headers = [("authorization", token.as_str()), ("idempotency-key", "t-1")];
    let mut keys = Vec::new();
    for _ in 0..2 {
        let sent = body(MINE, OTHERS, "2.5");
        let answer = served.send("post", "/v1/transfers", &headers, &sent).await;
        assert_eq!(answer.status.as_u16(), 201, "{}", answer.text);
        assert_eq!(answer.json()["transfer_id"], NEW.to_string());
        let request = served.port.last();
        let asset = AssetRef::Listed(2);
        let transfer = Transfer { from: MINE, to: OTHERS, asset, amount: amount("2.5") };
        assert_eq!(request.command, Command::Transfer(transfer));
        keys.push(request.key.expect("a key"));
    }
    assert_eq!(keys[0], keys[1]);
    assert_eq!((keys[0].origin, keys[0].text), (KeyOrigin::Client, Some(label("t-1"))));
    for (code, why, status) in [
        (Code::InvalidSchema, Why::SameAccount, 400),
        (Code::InvalidSchema, Why::TwoOwners, 400),
        (Code::AccountNotFound, Why::NoSuchAccount, 404),
        (Code::AssetNotFound, Why::NoSuchAsset, 404),
        (Code::InvalidAmount, Why::AmountNotPositive, 422),
        (Code::AccountSuspended, Why::AccountNotActive, 422),
        (Code::InsufficientBalance, Why::Nothing, 422),
        (Code::IdempotencyConflict, Why::KeyReused, 409),
    ] {
        served.port.answer(move |_| Ok(refused(code, why)));
        let answer = served.send("post", "/v1/transfers", &headers, &body(MINE, OTHERS, "1")).await;
        assert_eq!(answer.fault(), (status, code.name().to_owned()));
    }
    let before = served.port.count();
    for (from, to) in [(MINE, OTHERS), (OTHERS, MINE), (OTHERS, OTHERS)] {
        let answer = served.trader("post", "/v1/transfers", &body(from, to, "1")).await;
        assert_eq!(answer.fault(), (403, "PERMISSION_DENIED".into()));
    }
    for bad in ["x", "", "1e3"] {
        let answer = served.trader("post", "/v1/transfers", &body(MINE, MINE, bad)).await;
        assert_eq!(answer.fault(), (400, "INVALID_SCHEMA".into()), "{bad}");
    }
    let more = body(MINE, MINE, "1").replace('}', r#","memo":"x"}"#);
    let answer = served.trader("post", "/v1/transfers", &more).await;
    assert_eq!(answer.fault(), (400, "INVALID_SCHEMA".into()));
    assert_eq!(served.port.count(), before);
}

/// The header goes with the command; one that is no number, or two of them, submit nothing.
///
/// covers: SEQ-33
#[tokio::test]
async fn a_command_is_based_on_a_version_of_its_account() {
    let served = Served::start().await;
    let token = bearer(&trader());
    let body = limit_order().to_string();
    let send = async |versions: &[&str]| {
        let mut headers = vec![("authorization", token.as_str())];
        headers.extend(versions.iter().map(|version| ("account-version", *version)));
        served.send("post", "/v1/orders", &headers, &body).await
    };
    assert_eq!(send(&["300"]).await.status.as_u16(), 201);
    assert_eq!(served.port.last().account_version, Some(300));
    assert_eq!(send(&[]).await.status.as_u16(), 201);
    assert_eq!(served.port.last().account_version, None);
    let refusal = refused(Code::VersionConflict, Why::AccountVersionDiffers);
    served.port.answer(move |_| Ok(refusal));
    assert_eq!(send(&["299"]).await.fault(), (409, "VERSION_CONFLICT".into()));
    let before = served.port.count();
    for wrong in [&["x"][..], &[""], &["-1"], &["1", "2"], &["18446744073709551616"]] {
        assert_eq!(send(wrong).await.fault(), (400, "INVALID_SCHEMA".into()), "{wrong:?}");
    }
    assert_eq!(served.port.count(), before);
}
