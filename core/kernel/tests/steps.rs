//! What each step of an order leaves, and where its numbers, times and ids come from.

mod common;

use common::audit::Audit;
use common::random::Random;
use common::{Venue, amount, code_of, entry, genesis, label, limit, opening};
use ed25519_dalek::SigningKey;
use kernel::Kernel;
use schema::{
    CancelOrder, Code, Command, CountdownCancel, Event, EventBuffer, EventHead, Genesis, GroupIter,
    KeyOrigin, OrderRequest, OrderState, Outcome, ReduceOrder, Reference, ReplaceOrder, Stamped,
    TimeInForce, Trigger, TriggerKind, TriggerSource,
};
use units::Side::{Buy, Sell};
use units::{Id, Timestamp};

use OrderState::{Canceled, Expired, Filled, Partial, Pending, Rejected};

const STEPS: [&str; 10] = [
    "OrderSubmitted",
    "OrderAccepted",
    "OrderRejected",
    "TradeExecuted",
    "OrderPartiallyFilled",
    "OrderFilled",
    "OrderCanceled",
    "OrderExpired",
    "OrderReduced",
    "OrderTriggered",
];

/// The events of steps that the last command made.
fn steps(venue: &Venue) -> Vec<&'static str> {
    venue.names().into_iter().filter(|name| STEPS.contains(name)).collect()
}

fn reduce(account: Id, order: Id, quantity: &str) -> Command {
    let quantity = amount(quantity);
    Command::ReduceOrder(ReduceOrder { account, order, quantity, state_seq: None })
}

/// A buy with this limit that waits for a trade at 100 or above.
fn stop_buy(account: Id, price: &str) -> OrderRequest {
    let trigger =
        Trigger { kind: TriggerKind::Stop, price: amount("100"), source: TriggerSource::Last };
    OrderRequest { trigger: Some(trigger), ..limit(account, Buy, "0.5", price) }
}

/// The table, row by row, and no event of another row with it.
/// covers: LIFE-51
#[test]
fn each_step_has_its_event() {
    let mut venue = Venue::new();
    let alice = venue.account("alice", "0", "1000");
    let seller = venue.account("seller", "5", "1000");
    let first = venue.accept(limit(alice, Buy, "0.5", "90"));
    assert_eq!(steps(&venue), ["OrderSubmitted", "OrderAccepted"]);
    venue.reject(limit(alice, Buy, "0.5", "90.001"));
    assert_eq!(steps(&venue), ["OrderSubmitted", "OrderRejected"]);
    venue.run(reduce(alice, first, "0.4"));
    assert_eq!(steps(&venue), ["OrderReduced"]);
    venue.accept(limit(seller, Sell, "0.1", "90"));
    let fills = ["OrderPartiallyFilled", "OrderFilled"];
    let trade = ["OrderSubmitted", "OrderAccepted", "TradeExecuted"];
    assert_eq!(steps(&venue), [&trade[..], &fills].concat());
    venue.cancel(alice, first);
    assert_eq!(steps(&venue), ["OrderCanceled"]);
    let ioc = OrderRequest { time_in_force: TimeInForce::Ioc, ..limit(alice, Buy, "1", "90") };
    venue.accept(ioc);
    assert_eq!(steps(&venue), ["OrderSubmitted", "OrderAccepted", "OrderExpired"]);
    venue.accept(stop_buy(alice, "95"));
    venue.accept(limit(seller, Sell, "0.1", "100"));
    venue.accept(limit(alice, Buy, "0.1", "100"));
    assert_eq!(steps(&venue), [&trade[..], &["OrderFilled", "OrderFilled"]].concat());
    venue.run(Command::Tick);
    assert_eq!(steps(&venue), ["OrderTriggered"]);
    venue.check();
}

/// Over random orders, sound and wrong ones: an accepted order's id, or one code that its one event says.
/// covers: LIFE-5
#[test]
fn an_answer_is_an_order_or_one_reason() {
    let mut random = Random::new(91);
    let mut seen = [0; 3];
    for index in 0..3_000 {
        let reply = random.step();
        let venue = &random.venue;
        let last = venue.commands.last().expect("it ran");
        if !matches!(last.command, Command::PlaceOrder(_)) {
            continue;
        }
        let accepted = venue.events.iter().filter_map(|(_, event)| match event {
            Event::OrderAccepted(accepted) => Some(accepted.order),
            _ => None,
        });
        let accepted: Vec<u64> = accepted.collect();
        let refused = venue.events.iter().filter_map(|(_, event)| match event {
            Event::OrderRejected(rejected) => Some(rejected.reason),
            Event::CommandRejected(rejected) => Some(rejected.code),
            _ => None,
        });
        let refused: Vec<Code> = refused.collect();
        match reply.outcome {
            Outcome::Accepted { order } => {
                assert_eq!((accepted, refused), (vec![order.sequence()], vec![]), "{index}");
                seen[0] += 1;
            }
            Outcome::Rejected { refusal, .. } | Outcome::Refused(refusal) => {
                assert_eq!((accepted, refused), (vec![], vec![refusal.code]), "{index}");
                seen[1] += 1;
            }
            Outcome::Repeated { .. } => {
                assert!(venue.events.is_empty(), "{index}");
                seen[2] += 1;
            }
            other => panic!("no answer to an order: {other:?}"),
        }
    }
    assert!(seen[0] > 500 && seen[1] > 100, "{seen:?}");
}

/// The numbers, and a random log in which every order is led through them, one at a time.
/// covers: STATE-1
#[test]
fn an_order_is_in_exactly_one_state() {
    let all = [Pending, Partial, Filled, Canceled, Rejected, Expired];
    assert_eq!(OrderState::ALL, &all);
    assert_eq!(all.map(OrderState::number), [0, 1, 2, 3, 4, 5]);
    let mut random = Random::new(92);
    let mut audit = Audit::default();
    let mut venue = Venue::empty();
    for _ in 0..3_000 {
        random.step();
    }
    for stamped in &random.venue.commands {
        venue.now = stamped.stamp;
        venue.run_stamped(stamped.command.clone(), stamped.key);
        // Follows each event by the graph of STATE-22 and compares open orders with the kernel's.
        audit.follow(&venue);
        assert!(audit.orders.values().next_back().is_none_or(|told| told.state.is_some()));
    }
    for state in all {
        let count = audit.orders.values().filter(|told| told.state == Some(state)).count();
        assert!(count > 0 || state == Partial, "none is {state:?}");
    }
    assert!(audit.orders.values().all(|told| told.state.is_some()));
}

/// PENDING like any other, with a flag, out of the book, until it was triggered; then without it.
/// covers: STATE-4
#[test]
fn a_waiting_order_is_pending_with_a_flag() {
    let mut venue = Venue::new();
    let alice = venue.account("alice", "0", "1000");
    let seller = venue.account("seller", "1", "0");
    let id = venue.accept(stop_buy(alice, "95"));
    let waits = |venue: &Venue| {
        let order = venue.live.order(id).expect("open");
        assert_eq!((order.state, order.prev_state), (Some(Pending), None));
        order.conditions.as_ref().is_some_and(|conditions| conditions.trigger.is_some())
    };
    let best = |venue: &Venue| venue.live.market(1).expect("listed").book().best(Buy).is_some();
    assert!(waits(&venue) && !best(&venue));
    venue.accept(limit(seller, Sell, "0.1", "100"));
    venue.accept(limit(alice, Buy, "0.1", "100"));
    assert!(waits(&venue), "met and not yet triggered");
    venue.run(Command::Tick);
    assert!(!waits(&venue) && best(&venue));
    let names = OrderState::ALL.iter().map(|state| state.name());
    assert_eq!(
        names.collect::<Vec<_>>(),
        ["PENDING", "PARTIAL", "FILLED", "CANCELED", "REJECTED", "EXPIRED"]
    );
    venue.check();
}

/// Everything but what a refusal counts in: its number and time, and the version of the account it names.
fn state(venue: &Venue, counted: u32) -> Vec<Vec<u8>> {
    let skipped = [kernel::Entity::System, kernel::Entity::Account(counted)];
    let entities = venue.live.entities().filter(|entity| !skipped.contains(entity));
    let bytes = |entity| {
        let mut out = Vec::new();
        assert!(venue.live.encode_entity(entity, &mut out));
        out
    };
    entities.map(bytes).collect()
}

/// An ended order is not open; one that is open is checked against the state the caller acts on, and the
/// target against its invariants. Whatever is refused leaves everything as it was.
/// covers: STATE-27
#[test]
fn a_change_is_checked_before_anything_changes() {
    let mut venue = Venue::new();
    let alice = venue.account("alice", "0", "1000");
    let seller = venue.account("seller", "5", "0");
    let number = venue.live.account_number(alice).expect("she is there");
    let filled = venue.accept(limit(alice, Buy, "0.1", "100"));
    venue.accept(limit(seller, Sell, "0.1", "100"));
    let canceled = venue.accept(limit(alice, Buy, "0.1", "100"));
    venue.cancel(alice, canceled);
    let ioc = OrderRequest { time_in_force: TimeInForce::Ioc, ..limit(alice, Buy, "1", "90") };
    let expired = venue.accept(ioc);
    let Outcome::Rejected { order: rejected, .. } = venue.place(limit(alice, Buy, "99", "99"))
    else {
        panic!("it costs too much")
    };
    let open = venue.accept(limit(alice, Buy, "0.5", "100"));
    venue.accept(limit(seller, Sell, "0.2", "100"));
    let now = venue.live.order(open).expect("open").state_seq;
    let cancel =
        |order, state_seq| Command::CancelOrder(CancelOrder { account: alice, order, state_seq });
    let replace = |order, state_seq| {
        let request = limit(alice, Buy, "0.5", "99");
        Command::ReplaceOrder(ReplaceOrder { order, state_seq, request })
    };
    let mut cases = Vec::new();
    for order in [filled, canceled, expired, rejected] {
        for command in [cancel(order, None), reduce(alice, order, "0.01"), replace(order, None)] {
            cases.push((command, Code::OrderNotFound));
        }
    }
    let late = |quantity: &str| {
        let (quantity, state_seq) = (amount(quantity), Some(now + 1));
        Command::ReduceOrder(ReduceOrder { account: alice, order: open, quantity, state_seq })
    };
    for command in [cancel(open, Some(now - 1)), late("0.4"), replace(open, Some(now + 1))] {
        cases.push((command, Code::VersionConflict));
    }
    // To less than was filled, to just that, to as much as before and to more.
    for quantity in ["0.1", "0.2", "0.5", "0.6"] {
        cases.push((reduce(alice, open, quantity), Code::InvalidQuantity));
    }
    for (command, code) in cases {
        let before = state(&venue, number);
        assert_eq!(code_of(venue.run(command.clone()).outcome), code, "{command:?}");
        assert!(state(&venue, number) == before, "{command:?}");
        assert!(venue.names() == ["CommandRejected"] || steps(&venue).len() == 2);
        venue.check();
    }
    assert_eq!(venue.run(cancel(open, Some(now))).outcome, Outcome::Done { created: None });
    venue.check();
}

/// Event by event what a script of orders leaves, when so many nanoseconds pass before each command.
fn script(passing: i64) -> Vec<(EventHead, Event)> {
    let mut venue = Venue::new();
    let alice = venue.account("alice", "0", "1000");
    let seller = venue.account("seller", "5", "0");
    let mut log = Vec::new();
    let mut run = |command: Command| {
        venue.now.0 += passing;
        let reply = venue.run(command);
        log.append(&mut venue.events);
        reply.outcome
    };
    for index in 0..20 {
        let outcome = run(Command::PlaceOrder(limit(alice, Buy, "0.5", "100")));
        let Outcome::Accepted { order } = outcome else { panic!("{outcome:?}") };
        run(Command::PlaceOrder(limit(seller, Sell, "0.1", "100")));
        run(reduce(alice, order, "0.4"));
        if index % 2 == 0 {
            let state_seq = None;
            run(Command::CancelOrder(CancelOrder { account: alice, order, state_seq }));
        }
    }
    log
}

/// The same commands with stamps that stand still, that rise, and that are minutes apart: the same events
/// in the same order, but for their times.
/// covers: STATE-43
#[test]
fn states_follow_numbers_and_not_times() {
    let [still, rising, slow] = [-1_000, 0, 60_000_000_000].map(script);
    let plain = |log: &[(EventHead, Event)]| {
        log.iter().map(|(head, event)| (head.sequence, event.clone())).collect::<Vec<_>>()
    };
    assert!(plain(&still) == plain(&rising) && plain(&still) == plain(&slow));
    assert_ne!(still.last().map(|last| last.0), slow.last().map(|last| last.0));
}

/// Numbers and times are the sequencer's and the log's, also of what is rejected; a time of the client is an
/// end to be checked and kept, and nothing else.
/// covers: LIFE-12, DET-6
#[test]
fn numbers_and_times_are_never_the_clients() {
    let heads = |ends_in: Option<i64>| {
        let mut venue = Venue::new();
        let alice = venue.account("alice", "0", "1000");
        let mut order = limit(alice, Buy, "0.5", "90");
        if let Some(nanoseconds) = ends_in {
            order.time_in_force = TimeInForce::Gtd;
            order.expire_at = Some(Timestamp(venue.now.0 + nanoseconds));
        }
        let before = venue.live.position();
        let outcome = venue.place(order);
        let (stamped, group) =
            (venue.commands.last().expect("it ran"), venue.group.expect("it left"));
        assert_eq!((group.command_sequence, stamped.stamp), (stamped.sequence, venue.now));
        for (index, (head, _)) in venue.events.iter().enumerate() {
            let index = i64::try_from(index).expect("few");
            assert_eq!(head.sequence, before.event_sequence + 1 + index.unsigned_abs());
            let first = venue.now.0.max(before.last_timestamp.0 + 1);
            assert_eq!(head.timestamp, Timestamp(first + index));
        }
        let heads: Vec<EventHead> = venue.events.iter().map(|(head, _)| *head).collect();
        let kept = match outcome {
            Outcome::Accepted { order: id } => {
                let open = venue.live.order(id).expect("open");
                assert_eq!(Ok(id), Id::derive(heads[0].timestamp, 0, heads[0].sequence));
                assert_eq!(open.conditions.as_ref().and_then(|it| it.expire_at), order.expire_at);
                None
            }
            other => Some(code_of(other)),
        };
        (heads, kept)
    };
    let (plain, none) = heads(None);
    assert_eq!(none, None);
    for nanoseconds in [1_000_000_000, 86_400_000_000_000 * 365] {
        assert_eq!(heads(Some(nanoseconds)), (plain.clone(), None));
    }
    // In the past: rejected, at the same number and time as any.
    let (rejected, code) = heads(Some(-1_000_000_000));
    assert_eq!((code, &rejected[..]), (Some(Code::InvalidExpiry), &plain[..2]));
}

/// What a caller names comes back as it came, and what it does not name is not made up.
/// covers: DET-38
#[test]
fn ids_from_outside_are_data() {
    let mut venue = Venue::new();
    let alice = venue.account("alice", "0", "1000");
    venue.run(Command::Deposit(schema::LedgerEntry {
        reference: Id([0xab; 16]),
        ..entry(alice, 2, "1")
    }));
    let (_, Event::BalanceUpdated(posted)) = &venue.events[0] else { panic!("a posting") };
    assert_eq!(posted.reference, Reference::Outside(Id([0xab; 16])));
    for client_order_id in [None, Some(label("my order ü"))] {
        venue.accept(OrderRequest { client_order_id, ..limit(alice, Buy, "0.5", "90") });
        let (_, Event::OrderSubmitted(submitted)) = &venue.events[0] else { panic!("first") };
        assert_eq!(submitted.client_order_id, client_order_id);
    }
    for correlation in [None, Some(Id([0xcd; 16]))] {
        let mut kernel: Kernel = venue.live.clone();
        let (mut out, key) = (EventBuffer::new(), None);
        let (sequence, stamp) = (kernel.position().command_sequence + 1, venue.now);
        let command = Command::PlaceOrder(limit(alice, Buy, "0.5", "90"));
        let fallback_clock = false;
        kernel.execute(
            &Stamped {
                sequence,
                stamp,
                fallback_clock,
                correlation,
                key,
                command,
                account_version: None,
            },
            &mut out,
        );
        let group = GroupIter::new(out.bytes()).next().expect("one").expect("sound");
        assert_eq!((group.head.correlation, group.head.idempotency), (correlation, None));
    }
    let mut key = venue.key();
    (key.key_hash, key.origin) = ([0x5a; 16], KeyOrigin::Client);
    venue.run_keyed(Command::PlaceOrder(limit(alice, Buy, "0.5", "90")), Some(key));
    let kept = venue.group.and_then(|group| group.idempotency).expect("kept");
    assert_eq!((kept.key_hash, kept.body_hash), (key.key_hash, key.body_hash));
    venue.check();
}

/// A shard knows its own accounts alone, so the two sides of a trade are always of one log.
/// covers: SETL-6
#[test]
fn an_account_of_another_shard_is_unknown() {
    let venue_of = |shard| {
        let mut venue = Venue::empty();
        let operator = SigningKey::from_bytes(&[42; 32]);
        let genesis = Genesis { shard, ..genesis(&operator, fees::default_tiers()) };
        venue.run(Command::Genesis(genesis));
        venue.list(|operator| Command::ListAsset(common::asset("BTC", 8), operator));
        venue.list(|operator| Command::ListAsset(common::asset("USDT", 6), operator));
        venue.list(|operator| Command::ListMarket(common::btc_usdt(), operator));
        venue
    };
    let (mut here, mut there) = (venue_of(3), venue_of(4));
    let mut stranger = there.account("stranger", "1", "1000");
    assert_eq!(stranger.shard(), 4);
    assert_eq!(here.reject(limit(stranger, Sell, "1", "100")), Code::AccountNotFound);
    stranger = Venue::created(here.run(Command::CreateAccount(opening("own"))));
    assert_eq!(stranger.shard(), 3);
    let mut random = Random::new(93);
    for _ in 0..1_000 {
        random.step();
    }
    let kernel = &random.venue.live;
    let ids = (0..kernel.account_count()).filter_map(|number| kernel.account(number));
    assert!(
        ids.filter(|account| account.created_at > common::START)
            .all(|account| { account.id.shard() == kernel.shard() })
    );
    here.check();
}

/// Three kinds of work due in one command, two at one time: by time, then by kind, not by account; and a
/// kernel that was saved before does the same.
/// covers: DET-43
#[test]
fn due_work_is_done_by_time_then_kind() {
    let mut venue = Venue::new();
    let alice = venue.account("alice", "0", "1000");
    let bob = venue.account("bob", "0", "1000");
    let hers = venue.accept(limit(alice, Buy, "0.5", "90"));
    let until = |ends_at| OrderRequest {
        time_in_force: TimeInForce::Gtd,
        expire_at: Some(Timestamp(ends_at)),
        ..limit(bob, Buy, "0.5", "91")
    };
    venue.run(Command::SetCountdownCancel(CountdownCancel {
        account: alice,
        timeout: 10_000_000_000,
    }));
    let number = venue.live.account_number(alice).expect("she is there");
    let deadline = venue.live.countdown(number).expect("armed");
    let same = venue.accept(until(deadline.0 - 1));
    let later = venue.accept(until(deadline.0));
    let earlier = venue.accept(until(deadline.0 - 2));
    let mut saved = Vec::new();
    venue.live.save(&mut saved);
    let mut loaded = Kernel::load(&saved).expect("it was saved");
    venue.now.0 += 60_000_000_000;
    venue.run(Command::Tick);
    let ended: Vec<u64> = venue
        .events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::OrderExpired(ended) => Some(ended.order),
            Event::OrderCanceled(ended) => Some(ended.order),
            _ => None,
        })
        .collect();
    assert_eq!(ended, [earlier, same, hers, later].map(|order| order.sequence()));
    let mut out = EventBuffer::new();
    loaded.execute(venue.commands.last().expect("it ran"), &mut out);
    assert!(out.bytes() == venue.buffer.bytes(), "the due queue is a part of the state");
    venue.check();
}
