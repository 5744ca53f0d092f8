//! Events of what changes, made by hand over the state of a venue: orders that shrink, wait and are
//! replaced, parameters, rates, profiles, transfers, countdowns.

use schema::{
    AccountProfileChanged, AccountTransferred, ApiClass, BalanceUpdated, Bucket, Code,
    CountdownCancelChanged, Event, FeeKind, FeeRefunded, FeeScheduleChanged, FeeTier,
    FeeTierChanged, HoldReason, MarginMoved, MarketParameters, MarketParametersChanged,
    OrderAccepted, OrderEnded, OrderReduced, OrderSubmitted, OrderTerms, OrderTier, OrderTriggered,
    OrderType, Posting, ReduceReason, Reference, RefundReason, ReleaseReason, RiskTier, SelfTrade,
    TimeInForce, Trigger, TriggerKind, TriggerSource, UpdateReason, WaiverReason,
};
use serde_json::{Value, json};
use units::{Id, Lots, Rate, Side, Ticks, Timestamp};

use super::venue::{Drafted, Venue, amount, label, limit};

/// A limit order of 0.1 to buy at 110 in market 1.
fn submitted(account: u32) -> OrderSubmitted {
    let terms = OrderTerms::Checked { account, market: 1, ticks: Ticks(11_000), lots: Lots(1_000) };
    OrderSubmitted {
        terms,
        side: Side::Buy,
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

fn number(venue: &Venue, account: Id) -> u32 {
    venue.kernel().account_number(account).expect("it is there")
}

fn canceled(order: Id) -> Event {
    Event::OrderCanceled(OrderEnded { order: order.sequence(), reason: Code::UserRequested })
}

fn reserved(order: u64, units: &str) -> Event {
    let reason = HoldReason::OrderPlacement;
    Event::MarginReserved(MarginMoved { order, amount: amount(units), reason })
}

fn released(order: u64, units: &str, reason: ReleaseReason) -> Event {
    Event::MarginReleased(MarginMoved { order, amount: amount(units), reason })
}

fn payloads(drafted: &[Drafted]) -> Vec<&Value> {
    drafted.iter().map(|draft| &draft.payload).collect()
}

/// Of 0.3 that are sold 0.1 is filled; it shrinks to 0.2 and to 0.15, and is canceled.
#[test]
fn a_reduction_shows_what_was_and_what_is_left() {
    let mut venue = Venue::new();
    let (maker, taker) = (venue.account("maker"), venue.account("taker"));
    let id = venue.place(limit(maker, Side::Sell, "0.3", "100")).expect("accepted");
    venue.place(limit(taker, Side::Buy, "0.1", "100"));
    let order = id.sequence();
    let reduced =
        |lots, reason| Event::OrderReduced(OrderReduced { order, total: Lots(lots), reason });
    let events = [
        reduced(2_000, ReduceReason::UserRequested),
        released(order, "0.1", ReleaseReason::OrderReduced),
        reduced(1_500, ReduceReason::SelfTrade),
        released(order, "0.05", ReleaseReason::OrderReduced),
        canceled(id),
    ];
    let drafted = venue.drafts(&events).expect("sound");
    let shown = payloads(&drafted);
    let wanted = |old: &str, new: &str, remaining: &str, reason: &str| {
        json!({
            "order_id": id.to_string(), "old_quantity": old, "new_quantity": new,
            "remaining_quantity": remaining, "reason": reason,
        })
    };
    assert_eq!(*shown[0], wanted("0.3", "0.2", "0.1", "USER_REQUESTED"));
    assert_eq!(*shown[2], wanted("0.2", "0.15", "0.05", "SELF_TRADE"));
    assert_eq!(shown[1]["reason"], "ORDER_REDUCED");
    assert_eq!(
        (&shown[4]["filled_quantity"], &shown[4]["unfilled_quantity"]),
        (&json!("0.1"), &json!("0.05"))
    );
    assert_eq!((drafted[0].source, drafted[2].source), ("order", "matching-engine"));
    // Submitted, accepted and filled were 1 to 3.
    let counted: Vec<_> = drafted.iter().map(|draft| draft.order).collect();
    assert_eq!(counted, [Some((id, 4)), None, Some((id, 5)), None, Some((id, 6))]);
    for lots in [3_000, 4_000, 999] {
        let impossible = [reduced(lots, ReduceReason::UserRequested)];
        assert!(venue.drafts(&impossible).is_err(), "{lots} lots");
    }
}

/// What an order waits for is known from its OrderSubmitted until it is met or the order ends.
#[test]
fn a_trigger_is_shown_with_the_price_that_met_it() {
    let mut venue = Venue::new();
    let account = venue.account("a");
    let plain = venue.place(limit(account, Side::Buy, "0.1", "90")).expect("accepted");
    let order = venue.next_event();
    let trigger =
        Trigger { kind: TriggerKind::Stop, price: amount("109.5"), source: TriggerSource::Last };
    venue.follow(&[
        Event::OrderSubmitted(OrderSubmitted {
            trigger: Some(trigger),
            ..submitted(number(&venue, account))
        }),
        reserved(order, "11.011"),
        Event::OrderAccepted(OrderAccepted { order }),
    ]);
    let shown = venue.last("OrderSubmitted");
    let wanted = json!({ "kind": "STOP", "price": "109.5", "source": "LAST" });
    assert_eq!(shown["payload"]["trigger"], wanted);
    let id: Id = shown["event_id"].as_str().expect("an id").parse().expect("an id");
    assert_eq!(venue.waiting_count(), 1);

    let met = |order| Event::OrderTriggered(OrderTriggered { order, observed: Ticks(10_975) });
    let drafted = venue.drafts(&[met(order)]).expect("it waits");
    let wanted = json!({
        "order_id": id.to_string(), "trigger_source": "LAST", "trigger_price": "109.5",
        "observed_price": "109.75",
    });
    assert_eq!(drafted[0].payload, wanted);
    assert_eq!(drafted[0].order, Some((id, 3)));
    assert!(venue.drafts(&[met(plain.sequence())]).is_err(), "it waits for nothing");
    venue.cancel(account, id);
    assert_eq!(venue.waiting_count(), 0);
}

/// The price of a market order is its bound, and none where nobody stood opposite.
#[test]
fn a_market_order_shows_its_bound() {
    let mut venue = Venue::new();
    let account = venue.account("a");
    let account = number(&venue, account);
    for (ticks, bound) in [(10_500, json!("105")), (0, Value::Null)] {
        let terms =
            OrderTerms::Checked { account, market: 1, ticks: Ticks(ticks), lots: Lots(1_000) };
        let event = OrderSubmitted {
            terms,
            order_type: OrderType::Market,
            time_in_force: TimeInForce::Ioc,
            ..submitted(account)
        };
        let drafted = venue.drafts(&[Event::OrderSubmitted(event)]).expect("sound");
        let shown = &drafted[0].payload;
        assert_eq!((&shown["price"], &shown["protection_price"]), (&Value::Null, &bound));
    }
}

/// Behind due work that ended another order: the new order names the old one, whose end caused it.
#[test]
fn a_replacement_names_the_order_that_went() {
    let mut venue = Venue::new();
    let account = venue.account("a");
    let other = venue.place(limit(account, Side::Buy, "0.1", "80")).expect("accepted");
    let old = venue.place(limit(account, Side::Buy, "0.1", "90")).expect("accepted");
    let new = venue.next_event() + 3;
    let events = [
        canceled(other),
        canceled(old),
        released(old.sequence(), "9.009", ReleaseReason::OrderCanceled),
        Event::OrderSubmitted(OrderSubmitted {
            replaces: Some(old.sequence()),
            ..submitted(number(&venue, account))
        }),
        reserved(new, "11.011"),
        Event::OrderAccepted(OrderAccepted { order: new }),
    ];
    let drafted = venue.drafts(&events).expect("sound");
    assert_eq!(drafted[3].payload["replaces_order_id"], old.to_string());
    assert_eq!(drafted[3].payload["order_id"], drafted[3].id.to_string());
    assert_eq!(drafted[3].order, Some((drafted[3].id, 1)));
    let causes: Vec<_> = drafted.iter().map(|draft| draft.cause).collect();
    assert_eq!(causes, [None, Some(0), Some(1), Some(1), Some(3), Some(3)]);
}

/// Behind due work that ended an order: the postings refer to the transfer, whose id is its event's.
#[test]
fn a_transfer_is_what_its_postings_refer_to() {
    let mut venue = Venue::new();
    let (from, to) = (venue.account("a"), venue.account("b"));
    let other = venue.place(limit(from, Side::Sell, "0.1", "180")).expect("accepted");
    let numbers = [number(&venue, from), number(&venue, to)];
    let transfer = venue.next_event() + 1;
    let moved = |reference| {
        let mut event = BalanceUpdated::new(UpdateReason::Transfer, Reference::Event(reference));
        for (account, delta) in numbers.into_iter().zip(["-250", "250"]) {
            let bucket = Bucket::Available;
            event.post(Posting { account, asset: 2, bucket, delta: amount(delta) });
        }
        Event::BalanceUpdated(event)
    };
    let event =
        AccountTransferred { from: numbers[0], to: numbers[1], asset: 2, amount: amount("250") };
    let events = [canceled(other), Event::AccountTransferred(event), moved(transfer)];
    let drafted = venue.drafts(&events).expect("sound");
    let id = drafted[1].id.to_string();
    let wanted = json!({
        "transfer_id": id, "from_account_id": from.to_string(), "to_account_id": to.to_string(),
        "asset": "USDT", "amount": "250",
    });
    assert_eq!(drafted[1].payload, wanted);
    let posted = &drafted[2].payload;
    assert_eq!(
        (&posted["reference_id"], &posted["update_reason"]),
        (&json!(id), &json!("TRANSFER"))
    );
    assert_eq!(
        (&posted["postings"][0]["balance_after"], &posted["postings"][1]["balance_after"]),
        (&json!("999750"), &json!("1000250"))
    );
    let causes: Vec<_> = drafted.iter().map(|draft| draft.cause).collect();
    assert_eq!(causes, [None, Some(0), Some(1)]);
    for nothing in [transfer - 1, transfer + 1, 1] {
        let wrong = [canceled(other), Event::AccountTransferred(event), moved(nothing)];
        assert!(venue.drafts(&wrong).is_err(), "event {nothing} moves no money");
    }
}

/// A refund says what was charged and what goes back; its postings refer to the trade.
#[test]
fn a_refund_names_its_trade() {
    let mut venue = Venue::new();
    let id = venue.account("a");
    let account = number(&venue, id);
    let trade = Id::derive(Timestamp(1_708_123_456_000_000_000), 0, 3).expect("in range");
    let event = FeeRefunded {
        trade,
        account,
        asset: 2,
        fee: amount("25"),
        amount: amount("10"),
        reason: RefundReason::ExchangeError,
        actor: label("ops-1"),
    };
    let mut moved = BalanceUpdated::new(UpdateReason::FeeRefund, Reference::Outside(trade));
    for (account, delta) in [(4, "-10"), (account, "10")] {
        let bucket = Bucket::Available;
        moved.post(Posting { account, asset: 2, bucket, delta: amount(delta) });
    }
    let events = [Event::FeeRefunded(event), Event::BalanceUpdated(moved)];
    let drafted = venue.drafts(&events).expect("sound");
    let wanted = json!({
        "trade_id": trade.to_string(), "account_id": id.to_string(), "asset": "USDT",
        "fee": "25", "amount": "10", "reason": "EXCHANGE_ERROR", "actor": "ops-1",
    });
    assert_eq!(drafted[0].payload, wanted);
    let posted = &drafted[1].payload;
    assert_eq!(posted["reference_id"], trade.to_string());
    assert_eq!(posted["update_reason"], "FEE_REFUND");
    let causes: Vec<_> = drafted.iter().map(|draft| draft.cause).collect();
    assert_eq!(causes, [None, Some(0)]);
}

/// Only what is set is shown, with the value that the market has at that moment.
#[test]
fn changed_parameters_show_old_and_new() {
    let venue = Venue::new();
    let changed = |parameters| {
        Event::MarketParametersChanged(MarketParametersChanged { market: 1, parameters })
    };
    let drafted = venue
        .drafts(&[
            changed(MarketParameters {
                min_price: Some(Ticks(50)),
                max_quantity: Some(Lots(20_000)),
                price_band: Some(Some(Rate(10_000_000))),
                ..MarketParameters::default()
            }),
            changed(MarketParameters {
                max_price: Some(Ticks(2_000_000)),
                min_quantity: Some(Lots(10)),
                protection_bound: Some(Rate(2_500_000)),
                price_band: Some(None),
                open_orders_max: Some(500),
                ..MarketParameters::default()
            }),
        ])
        .expect("sound");
    let shown = payloads(&drafted);
    let wanted = json!({
        "min_price": { "old": "0.01", "new": "0.5" },
        "max_quantity": { "old": "100000", "new": "2" },
        "price_band": { "old": null, "new": "0.1" },
    });
    assert_eq!((&shown[0]["symbol"], &shown[0]["changed"]), (&json!("BTC/USDT"), &wanted));
    let wanted = json!({
        "max_price": { "old": "1000000", "new": "20000" },
        "min_quantity": { "old": "0.0001", "new": "0.001" },
        "protection_bound": { "old": "0.05", "new": "0.025" },
        "price_band": { "old": "0.1", "new": null },
        "open_orders_max": { "old": 200, "new": 500 },
    });
    assert_eq!(shown[1]["changed"], wanted);
    assert_eq!(shown[1]["effective_at"], drafted[1].time.to_string());
    let parameters = MarketParameters::default();
    let unknown = MarketParametersChanged { market: 9, parameters };
    assert!(venue.drafts(&[Event::MarketParametersChanged(unknown)]).is_err());
}

/// Rates, tables, profiles and countdowns are shown as they are stored.
#[test]
fn what_accounts_get_is_shown() {
    let mut venue = Venue::new();
    let id = venue.account("a");
    let account = number(&venue, id);
    let (begin, end) = (Timestamp(1_708_123_456_000_000_000), Timestamp(1_708_200_000_000_000_000));
    let tier = FeeTierChanged {
        account,
        volume_30d: amount("1500000"),
        old_tier: 1,
        new_tier: 2,
        maker: Rate(-10_000),
        taker: Rate(80_000),
        kind: FeeKind::Waiver,
        effective_at: begin,
        ends_at: Some(end),
        reason: Some(WaiverReason::BugBounty),
    };
    let plain = FeeTierChanged { kind: FeeKind::Volume, ends_at: None, reason: None, ..tier };
    let row = FeeTier { above: amount("100"), maker: Rate(100_000), taker: Rate(200_000) };
    let profile = AccountProfileChanged {
        account,
        kyc_tier: 3,
        jurisdiction: label("DE"),
        risk_tier: RiskTier::Raised,
        order_tier: OrderTier::Professional,
        api_class: ApiClass::Vip,
        fee_in_token: true,
    };
    let countdown =
        |deadline| Event::CountdownCancelChanged(CountdownCancelChanged { account, deadline });
    let drafted = venue
        .drafts(&[
            Event::FeeTierChanged(tier),
            Event::FeeTierChanged(plain),
            Event::FeeScheduleChanged(FeeScheduleChanged { tiers: vec![row], effective_at: begin }),
            Event::AccountProfileChanged(profile),
            countdown(Some(end)),
            countdown(None),
        ])
        .expect("sound");
    let shown = payloads(&drafted);
    let (begin, end) = ((begin.to_string(), begin.0), (end.to_string(), end.0));
    let wanted = json!({
        "account_id": id.to_string(), "volume_30d": "1500000", "old_tier": 1, "new_tier": 2,
        "maker_rate": "-0.0001", "taker_rate": "0.0008", "kind": "WAIVER",
        "effective_at": begin.0, "effective_at_nanos": begin.1,
        "ends_at": end.0, "ends_at_nanos": end.1, "waiver_reason": "BUG_BOUNTY",
    });
    assert_eq!(*shown[0], wanted);
    assert_eq!((&shown[1]["kind"], &shown[1]["ends_at"]), (&json!("VOLUME"), &Value::Null));
    assert_eq!(shown[1]["waiver_reason"], Value::Null);
    let wanted = json!({
        "tiers": [{ "volume": "100", "maker": "0.001", "taker": "0.002" }],
        "withdrawal_fees": null, "effective_at": begin.0, "effective_at_nanos": begin.1,
    });
    assert_eq!(*shown[2], wanted);
    let wanted = json!({
        "account_id": id.to_string(), "kyc_tier": 3, "jurisdiction": "DE", "risk_tier": "RAISED",
        "order_tier": "PROFESSIONAL", "api_class": "VIP", "fee_in_token": true,
    });
    assert_eq!(*shown[3], wanted);
    let wanted =
        json!({ "account_id": id.to_string(), "deadline": end.0, "deadline_nanos": end.1 });
    assert_eq!(*shown[4], wanted);
    assert_eq!(shown[5]["deadline"], Value::Null);
}
