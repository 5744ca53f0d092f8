//! Commands as they are shown: every field of what was asked, and whom it was about.

use schema::{
    AccountRates, ApiClass, AssetRef, CancelAllOrders, Command, CountdownCancel, FeeRefund,
    FeeSchedule, FeeTier, HaltReason, MarketChange, MarketParameters, Operator, OrderTier,
    OrderType, Outcome, ParameterChange, ProfileChange, RatesChange, ReduceOrder, RefundReason,
    ReplaceOrder, Reply, RiskTier, Stamped, SymbolRef, TimeInForce, TradingHalt, Transfer,
    WaiverReason,
};
use serde_json::{Value, json};
use units::{Id, Lots, Rate, Side, Ticks, Timestamp};

use super::venue::{Venue, amount, label, limit};
use crate::render::command::Named;
use crate::render::render_command;

const ALICE: Id = Id([1; 16]);
const BOB: Id = Id([2; 16]);
const OLD: Id = Id([3; 16]);
const NEW: Id = Id([4; 16]);
const OPERATOR: Operator = Operator { valid_until: Timestamp(9), signature: [0; 64] };
const BEGIN: Timestamp = Timestamp(1_708_123_456_000_000_000);

fn named(command: Command, outcome: Outcome) -> Named {
    let stamped = Stamped {
        sequence: 7,
        stamp: BEGIN,
        fallback_clock: false,
        correlation: None,
        key: None,
        command,
        account_version: None,
    };
    let reply = Reply { command: 7, last_event: 5, outcome };
    render_command(Venue::new().kernel(), &stamped, &reply)
}

fn body(command: Command) -> Value {
    let named = named(command, Outcome::Done { created: None });
    serde_json::to_value(&named.body).expect("JSON")
}

/// What is asked of orders.
#[test]
fn changes_of_orders_are_shown() {
    let reduce =
        ReduceOrder { account: ALICE, order: OLD, quantity: amount("0.2"), state_seq: Some(12) };
    let wanted = json!({
        "account_id": ALICE.to_string(), "order_id": OLD.to_string(), "quantity": "0.2",
        "state_seq": 12,
    });
    assert_eq!(body(Command::ReduceOrder(reduce)), wanted);

    let request = limit(ALICE, Side::Buy, "0.3", "99");
    let replace = ReplaceOrder { order: OLD, state_seq: None, request };
    let shown = body(Command::ReplaceOrder(replace));
    assert_eq!((&shown["order_id"], &shown["state_seq"]), (&json!(OLD.to_string()), &Value::Null));
    assert_eq!(shown["request"], body(Command::PlaceOrder(request)));
    assert_eq!(shown["request"]["price"], "99");

    let cancel = |symbol| body(Command::CancelAllOrders(CancelAllOrders { account: BOB, symbol }));
    let of = |symbol: Value| json!({ "account_id": BOB.to_string(), "symbol": symbol });
    assert_eq!(cancel(None), of(Value::Null));
    assert_eq!(cancel(Some(SymbolRef::Listed(1))), of(json!("BTC/USDT")));
    assert_eq!(cancel(Some(SymbolRef::Listed(9))), of(json!("#9")));

    let countdown = CountdownCancel { account: BOB, timeout: 60_000_000_000 };
    let wanted = json!({ "account_id": BOB.to_string(), "timeout_nanos": 60_000_000_000_u64 });
    assert_eq!(body(Command::SetCountdownCancel(countdown)), wanted);
}

/// A quantity of the quote asset does not stand where others have one of the base asset.
#[test]
fn a_value_to_trade_is_no_quantity() {
    let mut request = limit(ALICE, Side::Buy, "250", "99");
    let shown = body(Command::PlaceOrder(request));
    assert_eq!((&shown["quantity"], &shown["quote_quantity"]), (&json!("250"), &Value::Null));
    (request.order_type, request.time_in_force) = (OrderType::Market, TimeInForce::Ioc);
    (request.price, request.by_quote) = (None, true);
    let shown = body(Command::PlaceOrder(request));
    assert_eq!((&shown["quantity"], &shown["quote_quantity"]), (&Value::Null, &json!("250")));
}

/// Parameters in decimals of their market; without a market in ticks and lots.
#[test]
fn changes_of_markets_are_shown() {
    let change =
        MarketChange { symbol: SymbolRef::Listed(1), reason: label("news"), actor: label("ops") };
    let wanted = json!({ "symbol": "BTC/USDT", "reason": "news", "actor": "ops" });
    assert_eq!(body(Command::PauseMarket(change, OPERATOR)), wanted);
    assert_eq!(body(Command::ResumeMarket(change, OPERATOR)), wanted);

    let halt = TradingHalt { reason: HaltReason::Regulatory, actor: label("ops") };
    let wanted = json!({ "reason": "REGULATORY", "actor": "ops" });
    assert_eq!(body(Command::HaltTrading(halt, OPERATOR)), wanted);
    let wanted = json!({ "actor": "ops" });
    assert_eq!(body(Command::ResumeTrading(label("ops"), OPERATOR)), wanted);
    assert_eq!(body(Command::ConfirmClock(label("ops"), OPERATOR)), wanted);

    let parameters = MarketParameters {
        min_price: Some(Ticks(50)),
        max_quantity: Some(Lots(20_000)),
        protection_bound: Some(Rate(2_500_000)),
        price_band: Some(None),
        open_orders_max: Some(500),
        ..MarketParameters::default()
    };
    let asked = |symbol| {
        body(Command::SetMarketParameters(ParameterChange { symbol, parameters }, OPERATOR))
    };
    let wanted = json!({
        "min_price": "0.5", "max_quantity": "2", "protection_bound": "0.025", "price_band": null,
        "open_orders_max": 500,
    });
    let shown = asked(SymbolRef::Listed(1));
    assert_eq!((&shown["symbol"], &shown["parameters"]), (&json!("BTC/USDT"), &wanted));
    let wanted = json!({
        "min_price_ticks": 50, "max_quantity_lots": 20_000, "protection_bound": "0.025",
        "price_band": null, "open_orders_max": 500,
    });
    for (symbol, name) in
        [(SymbolRef::Listed(9), "#9"), (SymbolRef::Unknown(label("DOGE/USDT")), "DOGE/USDT")]
    {
        let shown = asked(symbol);
        assert_eq!((&shown["symbol"], &shown["parameters"]), (&json!(name), &wanted));
    }
}

/// What is asked of accounts and fees.
#[test]
fn changes_of_accounts_are_shown() {
    let transfer =
        Transfer { from: ALICE, to: BOB, asset: AssetRef::Listed(2), amount: amount("250") };
    let wanted = json!({
        "from_account_id": ALICE.to_string(), "to_account_id": BOB.to_string(), "asset": "USDT",
        "amount": "250",
    });
    assert_eq!(body(Command::Transfer(transfer)), wanted);

    let row = FeeTier { above: amount("100"), maker: Rate(100_000), taker: Rate(200_000) };
    let schedule = FeeSchedule { tiers: vec![row], effective_at: Some(BEGIN) };
    let wanted = json!({
        "tiers": [{ "volume": "100", "maker": "0.001", "taker": "0.002" }],
        "effective_at": BEGIN.to_string(), "effective_at_nanos": BEGIN.0,
    });
    assert_eq!(body(Command::SetFeeSchedule(schedule, OPERATOR)), wanted);

    let rates = |rates| {
        let change = RatesChange { account: ALICE, rates, effective_at: None };
        body(Command::SetAccountRates(change, OPERATOR))
    };
    let wanted = |kind: &str, own: [Value; 2], reason: Value, end: [Value; 2]| {
        json!({
            "account_id": ALICE.to_string(), "kind": kind, "maker_rate": own[0],
            "taker_rate": own[1], "waiver_reason": reason, "ends_at": end[0],
            "ends_at_nanos": end[1], "effective_at": null, "effective_at_nanos": null,
        })
    };
    let none = || [Value::Null, Value::Null];
    assert_eq!(rates(AccountRates::Volume), wanted("VOLUME", none(), Value::Null, none()));
    let own = AccountRates::Own { maker: Rate(-10_000), taker: Rate(50_000) };
    let shown = wanted("VIP", [json!("-0.0001"), json!("0.0005")], Value::Null, none());
    assert_eq!(rates(own), shown);
    let waiver = AccountRates::Waiver { reason: WaiverReason::Promotion, ends_at: Some(BEGIN) };
    let end = [json!(BEGIN.to_string()), json!(BEGIN.0)];
    assert_eq!(rates(waiver), wanted("WAIVER", none(), json!("PROMOTION"), end));

    let refund = FeeRefund {
        trade: OLD,
        account: ALICE,
        asset: AssetRef::Listed(2),
        fee: amount("25"),
        amount: amount("10"),
        reason: RefundReason::Malfunction,
        actor: label("ops-1"),
    };
    let wanted = json!({
        "trade_id": OLD.to_string(), "account_id": ALICE.to_string(), "asset": "USDT",
        "fee": "25", "amount": "10", "reason": "MALFUNCTION", "actor": "ops-1",
    });
    assert_eq!(body(Command::RefundFee(refund, OPERATOR)), wanted);

    let profile = ProfileChange {
        account: ALICE,
        kyc_tier: 3,
        jurisdiction: label("DE"),
        risk_tier: RiskTier::Raised,
        order_tier: OrderTier::Professional,
        api_class: ApiClass::Vip,
        fee_in_token: true,
    };
    let wanted = json!({
        "account_id": ALICE.to_string(), "kyc_tier": 3, "jurisdiction": "DE",
        "risk_tier": "RAISED", "order_tier": "PROFESSIONAL", "api_class": "VIP",
        "fee_in_token": true,
    });
    assert_eq!(body(Command::SetAccountProfile(profile, OPERATOR)), wanted);
}

/// A transfer is found by both accounts, a replacement by both orders.
#[test]
fn commands_are_found_by_whatever_they_name() {
    let transfer =
        Transfer { from: ALICE, to: BOB, asset: AssetRef::Listed(2), amount: amount("250") };
    let found = named(Command::Transfer(transfer), Outcome::Done { created: None });
    assert_eq!((found.accounts, found.orders), (vec![ALICE, BOB], vec![]));

    let request = limit(ALICE, Side::Buy, "0.3", "99");
    let replace = ReplaceOrder { order: OLD, state_seq: None, request };
    let found = named(Command::ReplaceOrder(replace), Outcome::Accepted { order: NEW });
    assert_eq!((found.accounts, found.orders), (vec![ALICE], vec![OLD, NEW]));
    let found = named(Command::PlaceOrder(request), Outcome::Accepted { order: NEW });
    assert_eq!((found.accounts, found.orders), (vec![ALICE], vec![NEW]));
}
