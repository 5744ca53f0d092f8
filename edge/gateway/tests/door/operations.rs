//! What an operator changes: markets, fee tiers, rates, profiles. All of it is signed.

use schema::{
    AccountRates, AssetRef, Code, Command, HaltReason, KeyOrigin, MarketParameters, Operator,
    Outcome, RefundReason, Refusal, SymbolRef, WaiverReason, Why,
};
use serde_json::json;
use units::{Amount, Id, Lots, Rate, Ticks, Timestamp};

use crate::client::{MINE, OTHERS, Served, bearer, operator};
use crate::samples::{ORDER, TRADE};

const MARKET: &str = "/v1/admin/markets/BTC-USDT";

/// Signed with the key that runs it once.
fn assert_signed(served: &Served, approval: Operator) {
    let key = served.port.last().key.expect("signed commands have one");
    assert_eq!(approval.signature[..16], key.key_hash);
    assert_eq!(approval.signature[16..], [7; 48]);
}

#[tokio::test]
async fn a_market_is_paused_and_resumed() {
    let served = Served::start().await;
    let body = r#"{"reason":"asked by its issuer"}"#;
    for (path, open) in [("pause", false), ("resume", true)] {
        let answer = served.operator("post", &format!("{MARKET}/{path}"), body).await;
        assert_eq!((answer.status.as_u16(), answer.json()["open"].clone()), (200, open.into()));
        assert_eq!(answer.json()["symbol"], "BTC/USDT");
        let command = served.port.last().command;
        assert_eq!(matches!(command, Command::ResumeMarket(..)), open);
        let (Command::PauseMarket(change, approval) | Command::ResumeMarket(change, approval)) =
            command
        else {
            panic!("a change")
        };
        assert_eq!(change.symbol, SymbolRef::Listed(1));
        assert_eq!(change.reason.as_str(), "asked by its issuer");
        assert_eq!(change.actor.as_str(), operator().user.to_string());
        assert_signed(&served, approval);
    }
    let refusal = Refusal::new(Code::InvalidStateTransition, Why::MarketStateUnchanged);
    served.port.answer(move |_| Ok(Outcome::Refused(refusal)));
    let again = served.operator("post", &format!("{MARKET}/pause"), body).await;
    assert_eq!(again.fault(), (409, "INVALID_STATE_TRANSITION".into()));
    let before = served.port.count();
    let unknown = served.operator("post", "/v1/admin/markets/XRP-USDT/pause", body).await;
    assert_eq!(unknown.fault(), (404, "SYMBOL_NOT_FOUND".into()));
    for bad in ["", "{}", r#"{"reason":""}"#, r#"{"reason":"a","symbol":"b"}"#] {
        let answer = served.operator("post", &format!("{MARKET}/pause"), bad).await;
        assert_eq!(answer.fault(), (400, "INVALID_SCHEMA".into()), "{bad}");
    }
    assert_eq!(served.port.count(), before);
}

/// Of the whole shard: why, and who asked; the body of the others is empty.
#[tokio::test]
async fn trading_is_halted_and_resumed_and_the_clock_confirmed() {
    let served = Served::start().await;
    let who = operator().user.to_string();
    let answer =
        served.operator("post", "/v1/admin/trading/halt", r#"{"reason":"REGULATORY"}"#).await;
    assert_eq!((answer.status.as_u16(), answer.json()["trading"].clone()), (200, "halted".into()));
    let Command::HaltTrading(halt, approval) = served.port.last().command else { panic!("a halt") };
    assert_eq!((halt.reason, halt.actor.as_str()), (HaltReason::Regulatory, who.as_str()));
    assert_signed(&served, approval);

    let answer = served.operator("post", "/v1/admin/trading/resume", "{}").await;
    assert_eq!((answer.status.as_u16(), answer.json()["trading"].clone()), (200, "open".into()));
    let Command::ResumeTrading(actor, approval) = served.port.last().command else {
        panic!("the end of a halt")
    };
    assert_eq!(actor.as_str(), who);
    assert_signed(&served, approval);

    let answer = served.operator("post", "/v1/admin/clock/confirm", "{}").await;
    assert!(answer.status.as_u16() == 200 && answer.json()["sequence"].is_u64());
    let Command::ConfirmClock(actor, approval) = served.port.last().command else {
        panic!("a word on the clock")
    };
    assert_eq!(actor.as_str(), who);
    assert_signed(&served, approval);

    let refusal = Refusal::new(Code::InvalidStateTransition, Why::ClockUnconfirmed);
    served.port.answer(move |_| Ok(Outcome::Refused(refusal)));
    let early = served.operator("post", "/v1/admin/trading/resume", "{}").await;
    assert_eq!(early.fault(), (409, "INVALID_STATE_TRANSITION".into()));
    let before = served.port.count();
    for (path, bad) in [
        ("trading/halt", "{}"),
        ("trading/halt", r#"{"reason":"CLOCK"}"#),
        ("trading/halt", r#"{"reason":"INVARIANT"}"#),
        ("trading/halt", r#"{"reason":"because"}"#),
        ("trading/resume", r#"{"reason":"TECHNICAL"}"#),
        ("clock/confirm", "[]"),
    ] {
        let answer = served.operator("post", &format!("/v1/admin/{path}"), bad).await;
        assert_eq!(answer.fault(), (400, "INVALID_SCHEMA".into()), "{path} {bad}");
    }
    assert_eq!(served.port.count(), before);
}

/// Approvals, and keys that the gateway makes, end by exchange time, which the core holds them against: the wall
/// clock of the machine may have stepped (TIME-34).
#[tokio::test]
async fn keys_and_approvals_end_by_exchange_time() {
    let served = Served::start().await;
    let noon = Timestamp(2_000_000_000_000_000_000);
    *served.port.time.lock().expect("no panic") = noon;
    served.operator("post", "/v1/admin/clock/confirm", "{}").await;
    let Command::ConfirmClock(_, approval) = served.port.last().command else { panic!("a word") };
    let minute = 60_000_000_000;
    assert!((noon.0..=noon.0 + minute).contains(&approval.valid_until.0));
    served.trader("delete", &format!("/v1/orders/{ORDER}"), "").await;
    let key = served.port.last().key.expect("a key");
    let KeyOrigin::Gateway { valid_until } = key.origin else { panic!("the gateway's") };
    assert!((noon.0..=noon.0 + minute).contains(&valid_until.0));
}

/// Decimals become steps of the market; null takes the band away, and what is absent stays.
#[tokio::test]
async fn parameters_of_a_market_are_changed() {
    let served = Served::start().await;
    let path = format!("{MARKET}/parameters");
    let changed = async |body: serde_json::Value| {
        let answer = served.operator("post", &path, &body.to_string()).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
        let Command::SetMarketParameters(change, approval) = served.port.last().command else {
            panic!("a change")
        };
        assert_signed(&served, approval);
        assert_eq!(change.symbol, SymbolRef::Listed(1));
        change.parameters
    };
    let band = changed(json!({"price_band": "0.1"})).await;
    let only = MarketParameters { price_band: Some(Some(Rate(10_000_000))), ..Default::default() };
    assert_eq!(band, only);
    let away = changed(json!({"price_band": null})).await;
    assert_eq!(away, MarketParameters { price_band: Some(None), ..Default::default() });
    let all = changed(json!({"min_price": "0.05", "max_price": "200000", "min_quantity": "0.001",
        "max_quantity": "2", "protection_bound": "0.02", "open_orders_max": 300}))
    .await;
    assert_eq!((all.min_price, all.max_price), (Some(Ticks(5)), Some(Ticks(20_000_000))));
    assert_eq!((all.min_quantity, all.max_quantity), (Some(Lots(10)), Some(Lots(20_000))));
    assert_eq!((all.protection_bound, all.open_orders_max), (Some(Rate(2_000_000)), Some(300)));
    assert_eq!(all.price_band, None);

    let before = served.port.count();
    for (bad, status, code) in [
        (json!({}), 400, "INVALID_SCHEMA"),
        (json!({"tick_size": "1"}), 400, "INVALID_SCHEMA"),
        (json!({"min_price": "0.015"}), 422, "INVALID_PRICE"),
        (json!({"max_quantity": "0.00001"}), 422, "INVALID_QUANTITY"),
        (json!({"protection_bound": "0.000000001"}), 422, "INVALID_RATE"),
    ] {
        let answer = served.operator("post", &path, &bad.to_string()).await;
        assert_eq!(answer.fault(), (status, code.to_owned()), "{bad}");
    }
    assert_eq!(served.port.count(), before);
}

#[tokio::test]
async fn fee_tiers_are_set_and_announced() {
    let served = Served::start().await;
    let tier = |above: &str| json!({"above": above, "maker": "-0.0001", "taker": "0.001"});
    let body =
        json!({"tiers": [tier("0"), tier("100000")], "effective_at": "2030-01-01T00:00:00Z"});
    let answer = served.operator("post", "/v1/admin/fees", &body.to_string()).await;
    assert_eq!(answer.json()["effective_at"], "2030-01-01T00:00:00.000000Z");
    let Command::SetFeeSchedule(schedule, approval) = served.port.last().command else {
        panic!("a schedule")
    };
    assert_signed(&served, approval);
    assert_eq!((schedule.tiers.len(), schedule.tiers[1].taker), (2, Rate(100_000)));
    assert_eq!(schedule.effective_at, Some(Timestamp(1_893_456_000_000_000_000)));
    let now = json!({"tiers": [tier("0")]});
    let answer = served.operator("post", "/v1/admin/fees", &now.to_string()).await;
    assert!(answer.json()["effective_at"].is_null());
    let long = json!({"tiers": vec![tier("0"); 33]});
    let answer = served.operator("post", "/v1/admin/fees", &long.to_string()).await;
    assert_eq!(answer.fault(), (400, "INVALID_SCHEMA".into()));
    for (code, why) in
        [(Code::InvalidRate, Why::RateOutOfRange), (Code::NoticeTooShort, Why::NoticeTooShort)]
    {
        let refusal = Refusal::new(code, why);
        served.port.answer(move |_| Ok(Outcome::Refused(refusal)));
        let answer = served.operator("post", "/v1/admin/fees", &now.to_string()).await;
        assert_eq!(answer.fault(), (422, code.name().to_owned()));
    }
}

#[tokio::test]
async fn an_account_gets_rates_and_a_waiver() {
    let served = Served::start().await;
    let path = format!("/v1/admin/accounts/{MINE}/rates");
    let cases = [
        (json!({"kind": "VOLUME"}), AccountRates::Volume),
        (
            json!({"kind": "VIP", "maker": "-0.0001", "taker": "0.0002"}),
            AccountRates::Own { maker: Rate(-10_000), taker: Rate(20_000) },
        ),
        (
            json!({"kind": "WAIVER", "reason": "PROMOTION", "ends_at": "2030-01-01T00:00:00Z"}),
            AccountRates::Waiver {
                reason: WaiverReason::Promotion,
                ends_at: Some(Timestamp(1_893_456_000_000_000_000)),
            },
        ),
    ];
    for (body, rates) in cases {
        let answer = served.operator("post", &path, &body.to_string()).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["kind"]), (200, &body["kind"]));
        let Command::SetAccountRates(change, approval) = served.port.last().command else {
            panic!("rates")
        };
        assert_signed(&served, approval);
        assert_eq!((change.account, change.rates), (MINE, rates));
    }
    for (code, why, status) in [
        (Code::AccountNotFound, Why::NoSuchAccount, 404),
        (Code::InvalidRate, Why::RateOutOfRange, 422),
        (Code::InvalidExpiry, Why::PromotionTooLong, 422),
        (Code::NoticeTooShort, Why::NoticeTooShort, 422),
        (Code::ApprovalMissing, Why::SignatureMissing, 422),
    ] {
        let refusal = Refusal::new(code, why);
        served.port.answer(move |_| Ok(Outcome::Refused(refusal)));
        let answer = served.operator("post", &path, r#"{"kind":"VOLUME"}"#).await;
        assert_eq!(answer.fault(), (status, code.name().to_owned()));
    }
}

/// What goes back is signed with what the archive says was charged; the caller names no fee.
/// covers: FEE-24
#[tokio::test]
async fn a_refund_carries_the_fee_that_was_charged() {
    let served = Served::start().await;
    let path = |account: Id| format!("/v1/admin/accounts/{account}/refunds");
    let body = |more: serde_json::Value| {
        let mut body = json!({"trade_id": TRADE.to_string(), "reason": "MALFUNCTION"});
        body.as_object_mut().expect("an object").extend(more.as_object().expect("one").clone());
        body.to_string()
    };
    for (account, more, fee, back) in
        [(MINE, json!({}), 5, "5"), (OTHERS, json!({"amount": "2.5"}), 25, "2.5")]
    {
        let answer = served.operator("post", &path(account), &body(more)).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["amount"]), (200, &json!(back)));
        assert_eq!(answer.json()["trade_id"], TRADE.to_string());
        let Command::RefundFee(refund, approval) = served.port.last().command else {
            panic!("a refund")
        };
        assert_signed(&served, approval);
        assert_eq!((refund.trade, refund.account), (TRADE, account));
        assert_eq!((refund.fee, refund.amount.to_string()), (Amount::from_units(fee), back.into()));
        assert_eq!((refund.asset, refund.reason), (AssetRef::Listed(2), RefundReason::Malfunction));
    }
    let before = served.port.count();
    for (account, more, status, code) in [
        (ORDER, json!({}), 404, "TRADE_NOT_FOUND"),
        (MINE, json!({"trade_id": ORDER.to_string()}), 404, "TRADE_NOT_FOUND"),
        (MINE, json!({"reason": "FRIEND"}), 400, "INVALID_SCHEMA"),
        (MINE, json!({"fee": "7"}), 400, "INVALID_SCHEMA"),
        (MINE, json!({"amount": "x"}), 400, "INVALID_SCHEMA"),
    ] {
        let answer = served.operator("post", &path(account), &body(more.clone())).await;
        assert_eq!(answer.fault(), (status, code.to_owned()), "{more}");
    }
    assert_eq!(served.port.count(), before);
    let refusal = Refusal::new(Code::InvalidAmount, Why::RefundTooLarge);
    served.port.answer(move |_| Ok(Outcome::Refused(refusal)));
    let answer = served.operator("post", &path(MINE), &body(json!({}))).await;
    assert_eq!(answer.fault(), (422, "INVALID_AMOUNT".to_owned()));
}

/// A profile is set whole, so that nothing changes that nobody named. The same header is the same key.
#[tokio::test]
async fn a_profile_is_set_whole() {
    let served = Served::start().await;
    let path = format!("/v1/admin/accounts/{MINE}/profile");
    let whole = json!({"kyc_tier": 2, "jurisdiction": "CH", "risk_tier": "STANDARD",
        "order_tier": "PROFESSIONAL", "api_class": "VIP", "fee_in_token": true});
    let token = bearer(&operator());
    let headers = [("authorization", token.as_str()), ("idempotency-key", "p-1")];
    let mut keys = Vec::new();
    for _ in 0..2 {
        let answer = served.send("post", &path, &headers, &whole.to_string()).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
        let request = served.port.last();
        let Command::SetAccountProfile(change, approval) = request.command else {
            panic!("a profile")
        };
        assert_signed(&served, approval);
        assert_eq!((change.account, change.kyc_tier, change.fee_in_token), (MINE, 2, true));
        assert_eq!((change.order_tier.name(), change.api_class.name()), ("PROFESSIONAL", "VIP"));
        keys.push(request.key.expect("a key"));
    }
    assert_eq!((keys[0].key_hash, keys[0].body_hash), (keys[1].key_hash, keys[1].body_hash));
    let before = served.port.count();
    for name in ["kyc_tier", "jurisdiction", "risk_tier", "order_tier", "api_class", "fee_in_token"]
    {
        let mut part = whole.clone();
        part.as_object_mut().expect("an object").remove(name);
        let answer = served.operator("post", &path, &part.to_string()).await;
        assert_eq!(answer.fault(), (400, "INVALID_SCHEMA".into()), "{name}");
    }
    assert_eq!(served.port.count(), before);
}
