//! Events as they are shown: against the catalogue, against known figures, against the state.

mod changes;
mod commands;
mod venue;

use std::collections::{BTreeSet, HashMap};

use schema::catalogue::{AccountCount, SymbolCount};
use schema::{
    AccountStatus, Command, Event, EventBuffer, EventHead, EventKind, Fill, GroupHead, GroupIter,
    StatusChange, SymbolRef, TimeInForce,
};
use serde_json::{Value, json};
use units::{Id, Lots, Side, Ticks, Timestamp};

use super::Renderer;
use venue::{Venue, amount, label, limit};

/// Random orders and cancels of three accounts, some of which meet themselves.
fn busy() -> Venue {
    let mut venue = Venue::new();
    let accounts = ["a", "b", "c"].map(|name| venue.account(name));
    let mut open: Vec<(Id, Id)> = Vec::new();
    let mut state = 7u64;
    let mut below = |bound: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    for _ in 0..2_000 {
        let account = accounts[usize::try_from(below(3)).expect("small")];
        if below(4) == 0 && !open.is_empty() {
            let at = usize::try_from(below(open.len() as u64)).expect("small");
            let (account, order) = open.swap_remove(at);
            venue.cancel(account, order);
            continue;
        }
        let side = if below(2) == 0 { Side::Buy } else { Side::Sell };
        let (quantity, price) =
            (format!("0.00{}", 10 + below(80)), format!("100.{}", 10 + below(40)));
        let mut request = limit(account, side, &quantity, &price);
        if below(5) == 0 {
            request.time_in_force = TimeInForce::Ioc;
        }
        open.extend(venue.place(request).map(|order| (account, order)));
    }
    venue
}

/// One event of every kind that spot trading makes.
fn every_kind() -> Venue {
    let mut venue = busy();
    let account = venue.account("d");
    venue.run(Command::LeaderChanged { term: 4, leader: label("node-1") });
    let mut unknown = limit(account, Side::Buy, "1", "100");
    unknown.symbol = SymbolRef::Unknown(label("DOGE/USDT"));
    venue.place(unknown);
    let change = StatusChange {
        account,
        to: AccountStatus::Suspended,
        reason: label("asked for"),
        actor: label("someone"),
    };
    venue.sign(|operator| Command::SetAccountStatus(change, operator));
    venue
}

/// Names of a payload's fields without the second form of times.
fn field_names(payload: &Value) -> Vec<&str> {
    let fields = payload.as_object().expect("an object");
    let names = fields.keys().map(String::as_str);
    names
        .filter(|name| !name.strip_suffix("_nanos").is_some_and(|it| fields.contains_key(it)))
        .collect()
}

/// The envelope has the fields of EVT-1, the payload those of the catalogue.
/// covers: EVT-1
#[test]
fn every_event_has_the_fields_of_its_row() {
    let venue = every_kind();
    let envelope = [
        "event_id",
        "event_type",
        "metadata",
        "payload",
        "sequence",
        "shard",
        "source",
        "timestamp",
        "timestamp_iso",
    ];
    let metadata = [
        "causation_id",
        "command_sequence",
        "correlation_id",
        "entities",
        "idempotency",
        "version",
    ];
    let mut kinds: Vec<EventKind> = Vec::new();
    for event in &venue.log {
        let names: Vec<&str> =
            event.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(names, envelope);
        assert_eq!(field_names(&event["metadata"]), metadata);
        let name = event["event_type"].as_str().expect("a name");
        let kind = EventKind::from_name(name).expect("a type");
        let mut wanted: Vec<&str> = kind.row().fields.iter().map(|field| field.name).collect();
        wanted.sort_unstable();
        assert_eq!(field_names(&event["payload"]), wanted, "{name}");
        assert_eq!((&event["shard"], &event["metadata"]["version"]), (&json!(3), &json!("1.0.0")));
        kinds.push(kind);
    }
    kinds.sort_unstable();
    kinds.dedup();
    assert!(kinds.len() >= 18, "{kinds:?}");
}

/// covers: EVT-13, EVT-14
#[test]
fn decimals_are_texts_and_times_stand_twice() {
    for event in &every_kind().log {
        let kind =
            EventKind::from_name(event["event_type"].as_str().expect("a name")).expect("a type");
        for field in kind.row().fields {
            let value = &event["payload"][field.name];
            if field.form.starts_with("dec") {
                assert!(value.is_string() || value.is_null(), "{}: {value}", field.name);
            }
            if field.form.starts_with("ns") && !value.is_null() {
                let nanos = event["payload"][format!("{}_nanos", field.name)].as_i64();
                let nanos = Timestamp(nanos.expect("an integer"));
                assert_eq!(*value, nanos.to_string());
            }
        }
        let time = Timestamp(event["timestamp"].as_i64().expect("an integer"));
        assert_eq!(event["timestamp_iso"], time.to_string());
    }
}

/// Counting the log gives the numbers that it shows, and the last ones are those of the state.
/// A spot venue has orders, accounts and symbols, and no position.
/// covers: SEQ-27, SEQ-28, SEQ-30, SEQ-35, EVT-53
#[test]
fn entities_are_numbered_without_a_gap() {
    let venue = every_kind();
    let mut counts: HashMap<(String, String), u64> = HashMap::new();
    for event in &venue.log {
        for entity in event["metadata"]["entities"].as_array().expect("a list") {
            let text = |name: &str| entity[name].as_str().expect("a text").to_owned();
            let count = counts.entry((text("kind"), text("id"))).or_default();
            *count += 1;
            assert_eq!(entity["sequence"], *count, "{event}");
        }
    }
    let kinds: BTreeSet<&str> = counts.keys().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, BTreeSet::from(["account", "order", "symbol"]));
    assert!((1..).zip(&venue.log).all(|(number, event)| event["sequence"] == number));
    let count = |kind: &str, id: String| counts.get(&(kind.to_owned(), id)).copied();
    let kernel = venue.kernel();
    for number in 0..kernel.account_count() {
        let account = kernel.account(number).expect("there");
        assert_eq!(count("account", account.id.to_string()), Some(account.version));
        for order in kernel.orders_of(number) {
            assert_eq!(count("order", kernel.order_id(&order).to_string()), Some(order.version));
        }
    }
    let market = kernel.market(1).expect("listed");
    assert_eq!(count("symbol", "BTC/USDT".to_owned()), Some(market.sequence));
}

/// Every update of an account is on record with the account, its own number without a gap, its type, what moved, what
/// was there afterwards and when: the records of an account sum to what it has.
/// covers: ACCT-48
#[test]
fn every_update_of_an_account_is_recorded() {
    let venue = every_kind();
    let kernel = venue.kernel();
    let mut updates = 0;
    for number in 0..kernel.account_count() {
        let account = kernel.account(number).expect("there");
        let id = account.id.to_string();
        let (mut expected, mut time) = (0, 0);
        let mut sums: HashMap<(String, String), i128> = HashMap::new();
        let names_it = |event: &&Value| {
            let entities = event["metadata"]["entities"].as_array().expect("a list");
            entities.iter().any(|entity| entity["id"] == id.as_str())
        };
        for event in venue.log.iter().filter(names_it) {
            let entities = event["metadata"]["entities"].as_array().expect("a list");
            let own = entities.iter().find(|entity| entity["id"] == id.as_str()).expect("listed");
            expected += 1;
            assert_eq!(own["sequence"], expected, "no gap");
            assert!(event["event_type"].is_string() && event["timestamp"].as_i64() > Some(time));
            time = event["timestamp"].as_i64().expect("an integer");
            let payload = &event["payload"];
            let text = |of: &Value, name: &str| of[name].as_str().expect("a text").to_owned();
            let held = match event["event_type"].as_str() {
                Some("MarginReserved") => 1,
                Some("MarginReleased") => -1,
                _ => 0,
            };
            if held != 0 {
                let moved = held * amount(&text(payload, "amount")).0;
                for (bucket, moved) in [("LOCKED", moved), ("AVAILABLE", -moved)] {
                    *sums.entry((text(payload, "asset"), bucket.into())).or_default() += moved;
                }
            }
            let Some(postings) = payload["postings"].as_array() else { continue };
            assert!(payload["update_reason"].is_string());
            for posting in postings.iter().filter(|it| it["account_id"] == id.as_str()) {
                let sum =
                    sums.entry((text(posting, "asset"), text(posting, "bucket"))).or_default();
                *sum += amount(&text(posting, "delta")).0;
                assert_eq!(*sum, amount(&text(posting, "balance_after")).0, "{event}");
                updates += 1;
            }
        }
        assert_eq!(expected, account.version);
        assert!(account.version == 0 || account.updated_at.0 == time);
    }
    assert!(updates > 2_000, "{updates}");
}

/// The field `sequence` of the envelope is the number of the event, counted over the shard's log; the command's
/// stands in the metadata under its whole name, and a field that names another event by its sequence means that
/// number, too.
/// covers: SEQ-2
#[test]
fn sequence_alone_is_that_of_the_event() {
    let mut venue = every_kind();
    let at_sequence = venue.log.len() as u64;
    venue.run(Command::RecordSnapshot {
        snapshot_sequence: at_sequence,
        snapshot_timestamp: Timestamp(5),
        checksum: [7; 32],
    });
    let mut groups = GroupIter::new(&venue.stored).map(|group| group.expect("a group"));
    let mut shown = venue.log.iter();
    let mut differing = 0;
    assert!(groups.by_ref().all(|group| {
        group.events().all(|read| {
            let (head, _) = read.expect("an event");
            let event = shown.next().expect("each is shown");
            let command = &event["metadata"]["command_sequence"];
            assert_eq!(*command, group.head.command_sequence);
            differing += usize::from(*command != head.sequence);
            event["sequence"] == head.sequence
        })
    }));
    assert!(shown.next().is_none() && differing > 1_000);
    let taken = venue.last("SnapshotTaken");
    assert_eq!(taken["payload"]["snapshot_sequence"], at_sequence);
    assert_eq!(venue.log[venue.log.len() - 2]["sequence"], at_sequence);
}

/// A group names its command once, and in its events entities by small numbers: no id and no symbol of what
/// is traded stands in it. Rendered twice, by one who showed everything and by one who begins in the middle,
/// it is the same to the last sign, and the entities of each event are those of the one table of the schema.
/// covers: EVT-84
#[test]
fn stored_events_are_compact_and_always_shown_alike() {
    let (venue, mut quiet) = (every_kind(), Venue::new());
    let (seller, buyer) = (quiet.account("seller"), quiet.account("buyer"));
    let order = quiet.place(limit(seller, Side::Sell, "0.1", "90")).expect("accepted");
    let before = quiet.stored.len();
    let mut buy = limit(buyer, Side::Buy, "0.1", "90");
    buy.client_order_id = None;
    quiet.place(buy);
    let trade = &quiet.stored[before..];
    let group = GroupIter::new(trade).next().expect("one").expect("a group");
    assert_eq!(group.count, 8, "{:?}", quiet.shown.len());
    // A head of 49 bytes with the correlation id, and a few bytes an event.
    assert!(trade.len() < 49 + 8 * 20, "{} bytes", trade.len());
    let holds = |bytes: &[u8]| trade.windows(bytes.len()).any(|window| window == bytes);
    for id in [seller, buyer, order] {
        assert!(!holds(&id.0), "no id of an entity is stored");
    }
    assert!(!holds(b"BTC") && !holds(b"USDT"), "no symbol is stored");
    let count = |bytes: &[u8]| trade.windows(bytes.len()).filter(|it| *it == bytes).count();
    let GroupHead { command_sequence, first_timestamp, correlation, .. } = group.head;
    assert_eq!(count(&command_sequence.to_le_bytes()), 1);
    assert_eq!(count(&first_timestamp.0.to_le_bytes()), 1);
    assert_eq!(count(&correlation.expect("one").0), 1);
    let texts = |from: usize| -> Vec<String> {
        let (mut renderer, mut texts) = (Renderer::new(), Vec::new());
        for (number, group) in GroupIter::new(&venue.stored).enumerate() {
            let group = group.expect("a group");
            if number < from {
                renderer.pass(&group).expect("sound");
            } else {
                let shown = renderer.render(&group).expect("sound");
                texts.extend(shown.iter().map(|it| venue::json(it).to_string()));
            }
        }
        texts
    };
    let all = texts(0);
    assert_eq!(all, texts(0));
    assert!(venue.log.iter().map(Value::to_string).eq(all.iter().cloned()));
    let late = texts(1_000);
    assert!(late.len() > 1_000 && all.ends_with(&late));
    venue.log.iter().for_each(assert_entities);
}

/// The entities of an event are those of its row in the schema's table.
fn assert_entities(event: &Value) {
    let name = event["event_type"].as_str().expect("a name");
    let counts = EventKind::from_name(name).expect("a type").counts();
    let entities = event["metadata"]["entities"].as_array().expect("a list");
    let of = |kind: &str| entities.iter().filter(|entity| entity["kind"] == kind).count();
    assert_eq!(of("order"), usize::from(counts.order), "{event}");
    let accounts = match counts.account {
        AccountCount::Nobody => 0..=0,
        AccountCount::Named => 0..=1,
        AccountCount::Both => 2..=2,
        AccountCount::Postings => 1..=8,
    };
    assert!(accounts.contains(&of("account")), "{event}");
    let symbols = match counts.symbol {
        SymbolCount::Never => 0..=0,
        SymbolCount::Always => 1..=1,
        SymbolCount::IfDepthChanges => 0..=1,
    };
    assert!(symbols.contains(&of("symbol")) && of("position") == 0, "{event}");
}

/// covers: SEQ-29
#[test]
fn the_life_of_an_order_is_numbered_from_1() {
    let mut venue = Venue::new();
    let (maker, taker) = (venue.account("maker"), venue.account("taker"));
    let order = venue.place(limit(maker, Side::Sell, "0.3", "100")).expect("accepted").to_string();
    for _ in 0..3 {
        venue.place(limit(taker, Side::Buy, "0.1", "100"));
    }
    let mut life = Vec::new();
    for event in &venue.log {
        for entity in event["metadata"]["entities"].as_array().expect("a list") {
            if entity["id"] == order.as_str() {
                life.push((
                    entity["sequence"].as_u64(),
                    event["event_type"].as_str().expect("a name"),
                ));
            }
        }
    }
    let names = [
        "OrderSubmitted",
        "OrderAccepted",
        "OrderPartiallyFilled",
        "OrderPartiallyFilled",
        "OrderFilled",
    ];
    let wanted: Vec<_> = (1..).map(Some).zip(names).collect();
    assert_eq!(life, wanted);
}

/// A buy of 0.3 meets 0.1 at 100 and 0.2 at 101: every figure of every event is of its own moment.
#[test]
fn figures_are_those_of_the_moment() {
    let mut venue = Venue::new();
    let (maker, taker) = (venue.account("maker"), venue.account("taker"));
    venue.place(limit(maker, Side::Sell, "0.1", "100"));
    venue.place(limit(maker, Side::Sell, "0.2", "101"));
    venue.place(limit(taker, Side::Buy, "0.3", "101"));
    let accepted = &venue.last("OrderAccepted")["payload"];
    // 0.3 × 101 and 0.1 % of it.
    assert_eq!(
        (&accepted["margin_reserved"], &accepted["margin_asset"]),
        (&json!("30.3303"), &json!("USDT"))
    );
    let partial = &venue.last("OrderPartiallyFilled")["payload"];
    assert_eq!(
        (&partial["filled_quantity"], &partial["remaining_quantity"]),
        (&json!("0.1"), &json!("0.2"))
    );
    // 30.3303 less 10 and its fee of 0.01.
    assert_eq!(
        (&partial["average_price"], &partial["margin_remaining"]),
        (&json!("100"), &json!("20.3203"))
    );
    let filled = &venue.last("OrderFilled")["payload"];
    assert_eq!(
        (&filled["filled_quantity"], &filled["total_value"]),
        (&json!("0.3"), &json!("30.2"))
    );
    assert_eq!(filled["average_price"], "100.666666666666666667");
    assert_eq!(filled["total_fee"], "0.0302");
    let trade = venue.last("TradeExecuted");
    assert_eq!(
        (&trade["payload"]["side"], &trade["payload"]["price"]),
        (&json!("BUY"), &json!("101"))
    );
    assert_eq!(trade["payload"]["trade_id"], trade["event_id"]);
    assert_eq!(filled["trade_id"], trade["event_id"]);
    let posted = &venue.last("BalanceUpdated")["payload"];
    assert_eq!(posted["reference_id"], trade["event_id"]);
    let base = &posted["postings"][0];
    assert_eq!((&base["account_id"], &base["delta"]), (&json!(taker.to_string()), &json!("0.2")));
    assert_eq!((&base["balance_after"], &base["bucket"]), (&json!("100.3"), &json!("AVAILABLE")));
    let settled = &venue.last("TradeSettled")["payload"];
    assert_eq!(
        (&settled["taker_fee"], &settled["taker_fee_asset"]),
        (&json!("0.0202"), &json!("USDT"))
    );
}

/// The causes of docs/formats/event.md, of a taker with two fills.
/// covers: EVT-51, EVT-75
#[test]
fn each_event_names_what_caused_it() {
    let mut venue = Venue::new();
    let (maker, taker) = (venue.account("maker"), venue.account("taker"));
    venue.place(limit(maker, Side::Sell, "0.1", "100"));
    venue.place(limit(maker, Side::Sell, "0.2", "101"));
    venue.place(limit(taker, Side::Buy, "0.3", "101"));
    let events: Vec<Value> = venue.shown.iter().map(venue::json).collect();
    let places: HashMap<&str, usize> = (0..)
        .zip(&events)
        .map(|(at, event)| (event["event_id"].as_str().expect("an id"), at))
        .collect();
    let causes: Vec<(&str, Option<usize>)> = events
        .iter()
        .map(|event| {
            let cause = event["metadata"]["causation_id"].as_str().map(|id| places[id]);
            (event["event_type"].as_str().expect("a name"), cause)
        })
        .collect();
    assert_eq!(
        causes,
        [
            ("OrderSubmitted", None),
            ("MarginReserved", Some(0)),
            ("OrderAccepted", Some(0)),
            ("TradeExecuted", Some(2)),
            ("OrderFilled", Some(3)),
            ("OrderPartiallyFilled", Some(3)),
            ("BalanceUpdated", Some(3)),
            ("MarginReleased", Some(5)),
            ("TradeSettled", Some(3)),
            ("TradeExecuted", Some(5)),
            ("OrderFilled", Some(9)),
            ("OrderFilled", Some(9)),
            ("BalanceUpdated", Some(9)),
            ("TradeSettled", Some(9)),
        ]
    );
}

/// Only the first event of a keyed command carries its key.
#[test]
fn a_key_stands_at_the_first_event() {
    let venue = Venue::new();
    let listed: Vec<&Value> =
        ["MarketListed", "MarketResumed"].map(|name| &venue.last(name)["metadata"]).to_vec();
    let key = &listed[0]["idempotency"];
    assert_eq!(key["body_hash"], "01".repeat(16));
    assert!(key["expires_at"].is_string() && key["expires_at_nanos"].is_i64());
    assert!(listed[1]["idempotency"].is_null());
}

/// A rejected order shows what the request said, a refused command whom it was about.
#[test]
fn refusals_show_what_was_asked() {
    let mut venue = Venue::new();
    let account = venue.account("a");
    let mut unknown = limit(account, Side::Buy, "1", "100");
    unknown.symbol = SymbolRef::Listed(9);
    assert_eq!(venue.place(unknown), None);
    let submitted = venue.last("OrderSubmitted");
    assert_eq!(
        (&submitted["payload"]["symbol"], &submitted["payload"]["quantity"]),
        (&json!("#9"), &json!("1"))
    );
    let rejected = &venue.last("OrderRejected")["payload"];
    assert_eq!(rejected["reason"], "SYMBOL_NOT_FOUND");
    assert_eq!(rejected["order_id"], submitted["event_id"]);
    let poor = limit(account, Side::Sell, "500", "100");
    assert_eq!(venue.place(poor), None);
    let message = &venue.last("OrderRejected")["payload"]["message"];
    assert_eq!(*message, "available 100 BTC, required 500 BTC");
    venue.cancel(account, Id([8; 16]));
    let refused = &venue.last("CommandRejected")["payload"];
    assert_eq!(
        (&refused["code"], &refused["command_type"]),
        (&json!("ORDER_NOT_FOUND"), &json!("CancelOrder"))
    );
    assert_eq!(refused["target_id"], Id([8; 16]).to_string());
}

/// Events that cannot be are an answer.
#[test]
fn impossible_events_are_refused() {
    let time = Timestamp(1_708_123_456_789_012_345);
    let mut buffer = EventBuffer::new();
    buffer.begin(&GroupHead {
        command_sequence: 1,
        first_sequence: 5,
        first_timestamp: time,
        correlation: None,
        idempotency: None,
    });
    let fill = Fill { order: 3, ticks: Ticks(1), lots: Lots(1), fee: amount("0") };
    buffer.push(EventKind::OrderFilled, EventHead { sequence: 5, timestamp: time }, &fill);
    buffer.end();
    let group = GroupIter::new(buffer.bytes()).next().expect("one").expect("a group");
    assert!(matches!(group.events().next(), Some(Ok((_, Event::OrderFilled(_))))));
    let fault = format!("{:#}", Renderer::new().render(&group).expect_err("no such order"));
    assert!(fault.contains("the events of command 1 cannot be"), "{fault}");
}
