//! The worked examples of the format documents: what they write in bytes is what the code writes.
//!
//! A line `Example: name` stands before a block of hexadecimal bytes; behind a bar stands a remark.
//! The values are written down here once more, so that bytes and remarks cannot drift from the code.

use schema::{
    AccountRates, AccountStatus, AccountTransferred, AccountType, ApiClass, AssetRef,
    BalanceUpdated, Bucket, CancelOrder, ClockStatus, Code, Command, CommandKind, Detail, Event,
    EventHead, EventKind, ExpiryReason, FeeKind, FeeRefund, FeeRefunded, FeeTierChanged, Fill,
    GroupHead, HoldReason, Idempotency, Key, KeyOrigin, Label, MarginMoved, MarketKind,
    MarketParameters, MarketParametersChanged, Matching, Operator, OrderAccepted, OrderReduced,
    OrderRejected, OrderRequest, OrderSubmitted, OrderTerms, OrderTier, OrderType, ParameterChange,
    PositionSide, Posting, RatesChange, ReduceReason, Reference, RefundReason, ReleaseReason,
    ReplaceOrder, RiskTier, SelfTrade, Stamped, StatusChange, SymbolRef, TimeInForce,
    TradeExecuted, TradeSettled, TriggerKind, TriggerSource, UpdateReason, WaiverReason, Why,
    decode_command, encode_command,
};
use units::{Amount, Id, Lots, Rate, Side, Ticks, Timestamp};

use crate::events::{Group, decoded, encoded};
use crate::generate::{event as event_of, stamped as stamped_of};
use crate::random::Random;

const COMMAND_TEXT: &str = include_str!("../../../../docs/formats/command.md");
const EVENT_TEXT: &str = include_str!("../../../../docs/formats/event.md");

/// The rows of all tables of a document.
fn table_rows(text: &str) -> Vec<Vec<&str>> {
    let rows = text.lines().filter(|line| line.starts_with("| "));
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

/// The rows of number, name and form in the table behind the heading `## name`.
fn kinds<'a>(text: &'a str, name: &str) -> Vec<(u8, &'a str, bool)> {
    let (_, rest) = text.split_once(&format!("\n## {name}\n")).expect("the heading");
    let (part, _) = rest.split_once("\n## ").expect("another heading");
    let rows = table_rows(part).into_iter().skip(1);
    rows.map(|row| {
        (row[0].parse().expect("a number"), row[1], !matches!(row[2], "later" | "never"))
    })
    .collect()
}

/// Every kind with its number, and whether this version opens it.
#[test]
fn kinds_are_those_of_the_code() {
    let mut random = Random::new(1);
    let commands: Vec<_> = CommandKind::ALL
        .iter()
        .map(|&kind| (kind.number(), kind.name(), stamped_of(&mut random, kind).is_some()))
        .collect();
    assert_eq!(kinds(COMMAND_TEXT, "Kinds"), commands);
    let events: Vec<_> = EventKind::ALL
        .iter()
        .map(|&kind| (kind.number(), kind.name(), event_of(&mut random, kind, 2).is_some()))
        .collect();
    assert_eq!(kinds(EVENT_TEXT, "Types"), events);
}

/// Every list of values with its numbers.
#[test]
fn values_are_those_of_the_code() {
    macro_rules! check {
        ($text:expr, $($kind:ident),+) => {
            let rows = table_rows($text);
            $(
                let values: Vec<String> = $kind::ALL
                    .iter()
                    .map(|value| format!("{} {}", value.number(), value.name()))
                    .collect();
                let expected = [stringify!($kind), &values.join(", ")];
                assert!(rows.iter().any(|row| *row == expected), "{expected:?}");
            )+
        };
    }
    check!(COMMAND_TEXT, OrderType, TimeInForce, SelfTrade, TriggerKind, TriggerSource);
    check!(COMMAND_TEXT, PositionSide, AccountType, AccountStatus, RiskTier, OrderTier);
    check!(COMMAND_TEXT, ApiClass, MarketKind, Matching, ClockStatus, FeeKind, WaiverReason);
    check!(COMMAND_TEXT, RefundReason);
    check!(EVENT_TEXT, Bucket, UpdateReason, HoldReason, ReleaseReason, ExpiryReason);
    check!(EVENT_TEXT, ReduceReason);
    let rows = table_rows(EVENT_TEXT);
    let codes = Code::ALL.iter().map(|code| (code.number(), code.name()));
    for (number, name) in codes.chain(Why::ALL.iter().map(|why| (why.number(), why.name()))) {
        let number = number.to_string();
        assert!(rows.iter().any(|row| *row == [number.as_str(), name]), "{number} {name}");
    }
}

/// The examples of a document by name.
fn examples(text: &str) -> Vec<(&str, Vec<u8>)> {
    let blocks = text.split("\nExample: ").skip(1);
    blocks
        .map(|block| {
            let (name, rest) = block.split_once('\n').expect("a name of its own line");
            let (_, rest) = rest.split_once("```text\n").expect("a block");
            let (lines, _) = rest.split_once("```").expect("an end of the block");
            let hex = lines.lines().map(|line| line.split('|').next().expect("before the bar"));
            let bytes = hex.flat_map(str::split_whitespace);
            let byte = |digits| u8::from_str_radix(digits, 16).expect("two hexadecimal digits");
            (name.trim(), bytes.map(byte).collect())
        })
        .collect()
}

/// The examples of `docs/formats/command.md`.
#[test]
fn examples_of_commands_are_what_is_written() {
    let expected = [
        ("a tick", tick()),
        ("an order with a key", order()),
        ("a cancel", cancel()),
        ("a suspension with its approval", suspension()),
        ("a replacement", replacement()),
        ("new parameters with their approval", new_parameters()),
        ("a waiver with its approval", waiver()),
        ("a refund with its approval", refund()),
    ];
    let written = examples(COMMAND_TEXT);
    assert_eq!(written.len(), expected.len());
    for ((name, bytes), (expected_name, stamped)) in written.iter().zip(expected) {
        assert_eq!(*name, expected_name);
        let mut out = Vec::new();
        encode_command(&mut out, &stamped);
        assert_eq!(hex(bytes), hex(&out), "{name}");
        assert_eq!(decode_command(bytes, stamped.sequence), Ok(stamped), "{name}");
    }
}

/// The examples of `docs/formats/event.md`.
#[test]
fn examples_of_events_are_what_is_written() {
    let expected = [
        ("an accepted order", accepted()),
        ("a rejected order", rejected()),
        ("a trade", trade()),
        ("a reduction", reduction()),
        ("a transfer", transfer()),
        ("new parameters", parameters_changed()),
        ("a waiver", tier_changed()),
        ("a refund", refunded()),
    ];
    let written = examples(EVENT_TEXT);
    assert_eq!(written.len(), expected.len());
    for ((name, bytes), (expected_name, group)) in written.iter().zip(expected) {
        assert_eq!(*name, expected_name);
        let groups = vec![group];
        assert_eq!(hex(bytes), hex(&encoded(&groups)), "{name}");
        assert_eq!(decoded(bytes), Ok(groups), "{name}");
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x} ")).collect()
}

const NOON: Timestamp = Timestamp(1_708_123_456_789_012_345);
const DAY: i64 = 86_400_000_000_000;
const MINUTE: i64 = 60_000_000_000;

fn label(text: &str) -> Label {
    Label::new(text).expect("at most 64 bytes")
}

fn amount(text: &str) -> Amount {
    text.parse().expect("a decimal")
}

fn id(text: &str) -> Id {
    text.parse().expect("an id")
}

fn account() -> Id {
    id("018db3e9-0e57-7000-8000-000000000014")
}

fn correlation() -> Id {
    id("018db3f2-a1d5-7fa1-8000-0000000004d2")
}

fn stamped(command: Command) -> Stamped {
    Stamped {
        sequence: 41,
        stamp: NOON,
        fallback_clock: false,
        correlation: None,
        key: None,
        command,
        account_version: None,
    }
}

fn tick() -> Stamped {
    stamped(Command::Tick)
}

fn order() -> Stamped {
    let request = OrderRequest {
        account: account(),
        client_order_id: Some(label("my-order-1")),
        symbol: SymbolRef::Listed(1),
        side: Side::Buy,
        order_type: OrderType::Limit,
        quantity: amount("0.015"),
        price: Some(amount("65000")),
        time_in_force: TimeInForce::Gtc,
        expire_at: None,
        post_only: false,
        reduce_only: false,
        self_trade: SelfTrade::CancelIncoming,
        trigger: None,
        oco_with: None,
        position_side: None,
        by_quote: false,
    };
    let key =
        Key { key_hash: KEY_HASH, body_hash: BODY_HASH, origin: KeyOrigin::Client, text: None };
    Stamped {
        correlation: Some(correlation()),
        key: Some(key),
        ..stamped(Command::PlaceOrder(request))
    }
}

fn cancel() -> Stamped {
    let order = Id::derive(NOON, 0, 100).expect("in range");
    let cancel = CancelOrder { account: account(), order, state_seq: Some(102) };
    let command = stamped(Command::CancelOrder(cancel));
    Stamped { correlation: Some(correlation()), account_version: Some(300), ..command }
}

fn suspension() -> Stamped {
    let change = StatusChange {
        account: account(),
        to: AccountStatus::Suspended,
        reason: label("review"),
        actor: label("ops-1"),
    };
    let key = Key {
        key_hash: [0x11; 16],
        body_hash: [0x22; 16],
        origin: KeyOrigin::Gateway { valid_until: Timestamp(NOON.0 + MINUTE) },
        text: Some(label("case-7")),
    };
    let command = Command::SetAccountStatus(change, approval());
    Stamped { key: Some(key), fallback_clock: true, ..stamped(command) }
}

fn approval() -> Operator {
    Operator {
        valid_until: Timestamp(NOON.0 + MINUTE),
        signature: core::array::from_fn(|index| u8::try_from(index).expect("64 of them")),
    }
}

fn replacement() -> Stamped {
    let Command::PlaceOrder(placed) = order().command else { unreachable!() };
    let request = OrderRequest {
        client_order_id: None,
        quantity: amount("0.01"),
        price: Some(amount("64000")),
        ..placed
    };
    let order = Id::derive(NOON, 0, 100).expect("in range");
    let replace = ReplaceOrder { order, state_seq: None, request };
    Stamped { correlation: Some(correlation()), ..stamped(Command::ReplaceOrder(replace)) }
}

/// What both the command and its event say.
fn parameters() -> MarketParameters {
    MarketParameters {
        min_quantity: Some(Lots(10)),
        price_band: Some(Some(Rate(10_000_000))),
        open_orders_max: Some(500),
        ..MarketParameters::default()
    }
}

fn new_parameters() -> Stamped {
    let change = ParameterChange { symbol: SymbolRef::Listed(1), parameters: parameters() };
    stamped(Command::SetMarketParameters(change, approval()))
}

fn waiver() -> Stamped {
    let rates = AccountRates::Waiver {
        reason: WaiverReason::Promotion,
        ends_at: Some(Timestamp(NOON.0 + DAY)),
    };
    let change = RatesChange { account: account(), rates, effective_at: None };
    stamped(Command::SetAccountRates(change, approval()))
}

/// What both the command and its event say: half of 0.975 USDT.
fn fee_refund() -> FeeRefund {
    FeeRefund {
        trade: Id::derive(Timestamp(NOON.0 + DAY), 0, 133).expect("in range"),
        account: account(),
        asset: AssetRef::Listed(2),
        fee: amount("0.975"),
        amount: amount("0.4875"),
        reason: RefundReason::Malfunction,
        actor: label("ops-1"),
    }
}

fn refund() -> Stamped {
    stamped(Command::RefundFee(fee_refund(), approval()))
}

fn refunded() -> Group {
    let FeeRefund { trade, fee, amount: back, reason, actor, .. } = fee_refund();
    let event = FeeRefunded { trade, account: 9, asset: 2, fee, amount: back, reason, actor };
    let mut moved = BalanceUpdated::new(UpdateReason::FeeRefund, Reference::Outside(trade));
    for (account, delta) in [(0, -back), (9, back)] {
        moved.post(Posting { account, asset: 2, bucket: Bucket::Available, delta });
    }
    let events = vec![Event::FeeRefunded(event), Event::BalanceUpdated(moved)];
    group(58, (140, Timestamp(NOON.0 + DAY + MINUTE)), events)
}

/// Events `first`, `first + 1`, and so on, one nanosecond after the other.
fn group(command: u64, first: (u64, Timestamp), events: Vec<Event>) -> Group {
    let head = GroupHead {
        command_sequence: command,
        first_sequence: first.0,
        first_timestamp: first.1,
        correlation: Some(correlation()),
        idempotency: None,
    };
    let heads = (first.0..).zip(first.1.0..);
    let heads = heads.map(|(sequence, time)| EventHead { sequence, timestamp: Timestamp(time) });
    (head, heads.zip(events).collect())
}

fn submitted(terms: OrderTerms, side: Side) -> OrderSubmitted {
    OrderSubmitted {
        terms,
        side,
        order_type: OrderType::Limit,
        time_in_force: TimeInForce::Gtc,
        post_only: false,
        reduce_only: false,
        self_trade: SelfTrade::CancelIncoming,
        client_order_id: None,
        expire_at: None,
        trigger: None,
        oco_with: None,
        position_side: None,
        replaces: None,
    }
}

fn accepted() -> Group {
    let terms =
        OrderTerms::Checked { account: 9, market: 1, ticks: Ticks(6_500_000), lots: Lots(1_500) };
    let client_order_id = Some(label("my-order-1"));
    let reason = HoldReason::OrderPlacement;
    let (mut head, events) = group(
        41,
        (100, NOON),
        vec![
            Event::OrderSubmitted(OrderSubmitted {
                client_order_id,
                ..submitted(terms, Side::Buy)
            }),
            Event::MarginReserved(MarginMoved { order: 100, amount: amount("975.975"), reason }),
            Event::OrderAccepted(OrderAccepted { order: 100 }),
        ],
    );
    let expires_at = Timestamp(NOON.0 + DAY);
    head.idempotency = Some(Idempotency { key_hash: KEY_HASH, body_hash: BODY_HASH, expires_at });
    (head, events)
}

fn rejected() -> Group {
    let terms = OrderTerms::Requested {
        account: account(),
        symbol: SymbolRef::Unknown(label("BTC/USD")),
        price: Some(amount("65000")),
        quantity: amount("0.015"),
        by_quote: false,
    };
    let detail = Detail::Why(Why::NoSuchSymbol);
    let reason = Code::SymbolNotFound;
    let first = (103, Timestamp(NOON.0 + 1_000));
    let events = vec![
        Event::OrderSubmitted(submitted(terms, Side::Buy)),
        Event::OrderRejected(OrderRejected { order: 103, reason, detail }),
    ];
    group(42, first, events)
}

fn trade() -> Group {
    let terms =
        OrderTerms::Checked { account: 10, market: 1, ticks: Ticks(6_499_000), lots: Lots(1_500) };
    let (ticks, lots) = (Ticks(6_500_000), Lots(1_500));
    let fill = |order, fee| Event::OrderFilled(Fill { order, ticks, lots, fee: amount(fee) });
    let mut moved = BalanceUpdated::new(UpdateReason::TradeSettlement, Reference::Event(133));
    for (account, asset, bucket, delta) in [
        (9, 1, Bucket::Available, "0.015"),
        (9, 2, Bucket::Locked, "-975.195"),
        (10, 1, Bucket::Locked, "-0.015"),
        (10, 2, Bucket::Available, "974.025"),
        (1, 2, Bucket::Available, "1.17"),
    ] {
        moved.post(Posting { account, asset, bucket, delta: amount(delta) });
    }
    let hold =
        MarginMoved { order: 130, amount: amount("0.015"), reason: HoldReason::OrderPlacement };
    let rest =
        MarginMoved { order: 100, amount: amount("0.78"), reason: ReleaseReason::OrderFilled };
    let (maker_fee, taker_fee) = (amount("0.195"), amount("0.975"));
    let events = vec![
        Event::OrderSubmitted(submitted(terms, Side::Sell)),
        Event::MarginReserved(hold),
        Event::OrderAccepted(OrderAccepted { order: 130 }),
        Event::TradeExecuted(TradeExecuted { maker: 100, taker: 130, ticks, lots }),
        fill(100, "0.195"),
        fill(130, "0.975"),
        Event::BalanceUpdated(moved),
        Event::MarginReleased(rest),
        Event::TradeSettled(TradeSettled { trade: 133, maker_fee, taker_fee }),
    ];
    assert_eq!(events.last().map(Event::kind), Some(EventKind::TradeSettled));
    group(57, (130, Timestamp(NOON.0 + DAY)), events)
}

fn reduction() -> Group {
    let reason = ReduceReason::UserRequested;
    let rest =
        MarginMoved { order: 105, amount: amount("325.325"), reason: ReleaseReason::OrderReduced };
    let events = vec![
        Event::OrderReduced(OrderReduced { order: 105, total: Lots(1_000), reason }),
        Event::MarginReleased(rest),
    ];
    group(44, (110, Timestamp(NOON.0 + 2_000)), events)
}

fn transfer() -> Group {
    let mut moved = BalanceUpdated::new(UpdateReason::Transfer, Reference::Event(112));
    for (account, delta) in [(9, "-250"), (12, "250")] {
        let bucket = Bucket::Available;
        moved.post(Posting { account, asset: 2, bucket, delta: amount(delta) });
    }
    let events = vec![
        Event::AccountTransferred(AccountTransferred {
            from: 9,
            to: 12,
            asset: 2,
            amount: amount("250"),
        }),
        Event::BalanceUpdated(moved),
    ];
    group(45, (112, Timestamp(NOON.0 + 3_000)), events)
}

fn parameters_changed() -> Group {
    let event = MarketParametersChanged { market: 1, parameters: parameters() };
    group(46, (114, Timestamp(NOON.0 + 4_000)), vec![Event::MarketParametersChanged(event)])
}

fn tier_changed() -> Group {
    let first = (115, Timestamp(NOON.0 + 5_000));
    let event = FeeTierChanged {
        account: 9,
        volume_30d: amount("1500000"),
        old_tier: 1,
        new_tier: 1,
        maker: Rate(0),
        taker: Rate(0),
        kind: FeeKind::Waiver,
        effective_at: first.1,
        ends_at: Some(Timestamp(NOON.0 + DAY)),
        reason: Some(WaiverReason::Promotion),
    };
    group(47, first, vec![Event::FeeTierChanged(event)])
}

/// SHA-256 of account and key, first half.
const KEY_HASH: [u8; 16] = [
    0x53, 0x3f, 0xd3, 0x07, 0x40, 0x62, 0x36, 0xdb, 0xb5, 0xaf, 0x8c, 0x29, 0x7e, 0x53, 0x1e, 0x6a,
];
/// SHA-256 of the body, first half.
const BODY_HASH: [u8; 16] = [
    0x3d, 0x3e, 0xac, 0x1d, 0x6f, 0x94, 0x1c, 0xc3, 0x1f, 0xb8, 0x48, 0x3a, 0xc4, 0x20, 0x63, 0xc1,
];
