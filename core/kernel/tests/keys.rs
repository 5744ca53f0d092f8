//! Idempotency keys: what a repeat gets, when a key is free again, the bound, and what is kept.

mod common;

use std::collections::BTreeSet;

use common::{Venue, code_of, entry, genesis, label, limit, opening};
use ed25519_dalek::SigningKey;
use kernel::Kernel;
use schema::{
    CancelOrder, Code, Command, EventBuffer, Genesis, Key, KeyOrigin, Outcome, Reply, Stamped,
};
use testkit::oracle::Oracle;
use testkit::oracle::generate::Generator;
use units::Side::{Buy, Sell};
use units::{Id, Timestamp};

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;

fn gateway(venue: &mut Venue, life: i64) -> Key {
    let valid_until = Timestamp(venue.now.0 + life);
    Key { origin: KeyOrigin::Gateway { valid_until }, ..venue.key() }
}

/// A repeat of every keyed command, accepted, rejected or refused, points to the first and creates
/// nothing: 24 h for a client's key, 60 s for a gateway's, to the nanosecond.
/// covers: EVT-82, REC-63, REC-66
#[test]
fn a_repeat_gets_the_first_answer_and_creates_nothing() {
    let mut venue = Venue::new();
    let alice = venue.account("alice", "0", "1000000");
    let open = venue.accept(limit(alice, Buy, "1", "1"));
    let commands = [
        Command::PlaceOrder(limit(alice, Buy, "1", "100")),
        Command::PlaceOrder(limit(alice, Sell, "1", "100")),
        Command::CancelOrder(CancelOrder { account: alice, order: open, state_seq: None }),
        Command::CancelOrder(CancelOrder { account: alice, order: alice, state_seq: None }),
        Command::Deposit(entry(alice, 2, "1")),
        Command::Withdraw(entry(alice, 2, "1")),
        Command::CreateAccount(opening("bob")),
        Command::Tick,
    ];
    for command in commands {
        for life in [DAY, 60 * SECOND] {
            let is_client = life == DAY;
            let mut key = if is_client { venue.key() } else { gateway(&mut venue, 59 * SECOND) };
            let first = venue.run_keyed(command.clone(), Some(key)).command;
            let kept_at = venue.events[0].0.timestamp;
            for after in [1, life / 2, life - 1] {
                venue.now = Timestamp(kept_at.0 + after);
                let before = venue.live.position();
                let reply = venue.run_stamped(command.clone(), Some(key));
                let last_event = before.event_sequence;
                let outcome = Outcome::Repeated { first };
                assert_eq!(reply, Reply { command: reply.command, last_event, outcome });
                assert!(venue.events.is_empty(), "a repeat emits nothing");
            }
            venue.now = Timestamp(kept_at.0 + life);
            if !is_client {
                // Its own end has passed with the key's, so a late repeat cannot run.
                let late = venue.run_stamped(command.clone(), Some(key));
                assert_eq!(code_of(late.outcome), Code::InvalidExpiry);
                let valid_until = Timestamp(venue.now.0 + SECOND);
                key.origin = KeyOrigin::Gateway { valid_until };
            }
            let again = venue.run_stamped(command.clone(), Some(key));
            let kept = venue.live.key(&key.key_hash).expect("kept anew");
            assert_eq!(kept.first_command, again.command, "the key is free again");
            venue.check();
        }
    }
}

/// Commands of every kind, each sent again at once with its key: the second run of each points to the first,
/// makes no event, and leaves every entity as it was.
/// covers: REC-3
#[test]
fn every_command_is_safe_to_send_again() {
    let (mut generator, mut oracle) = (Generator::new(3_003), Oracle::new());
    let (mut kernel, mut out) = (Kernel::new(), EventBuffer::new());
    let mut kinds = BTreeSet::new();
    for number in 1..=4_000_u64 {
        let mut stamped = generator.next(&oracle);
        oracle.execute(&stamped);
        if let Command::Genesis(genesis) = &mut stamped.command {
            genesis.key_count_max = 1_000_000;
        }
        // Keys of this test's own, which none but the repeat below uses.
        let mut hash = [3; 16];
        hash[..8].copy_from_slice(&number.to_le_bytes());
        let (key_hash, body_hash, origin) = (hash, hash, KeyOrigin::Client);
        stamped.key = Some(Key { key_hash, body_hash, origin, text: None });
        // The oracle's numbers leave the repeats out.
        let position = kernel.position();
        stamped.sequence = position.command_sequence + 1;
        out.clear();
        let first = kernel.execute(&stamped, &mut out);
        if number == 1 {
            continue; // the genesis has no key: it is what a log begins with
        }
        let before = Venue::state(&kernel);
        stamped.sequence += 1;
        out.clear();
        let second = kernel.execute(&stamped, &mut out);
        assert_eq!(second.outcome, Outcome::Repeated { first: first.command }, "{stamped:?}");
        assert!(out.bytes().is_empty(), "{stamped:?}");
        assert!(Venue::state(&kernel) == before, "{stamped:?}");
        kinds.insert(stamped.command.kind());
    }
    assert!(kinds.len() >= 15, "{kinds:?}");
}

/// Another body is a conflict, whether the first was accepted or rejected, and keeps the first's key.
#[test]
fn another_body_is_a_conflict() {
    let mut venue = Venue::new();
    let alice = venue.account("alice", "0", "1000");
    for request in [limit(alice, Buy, "1", "100"), limit(alice, Sell, "1", "100")] {
        let key = venue.key();
        let first = venue.run_keyed(Command::PlaceOrder(request), Some(key)).command;
        let other = Key { body_hash: [2; 16], ..key };
        let outcome = venue.run_keyed(Command::PlaceOrder(request), Some(other)).outcome;
        assert_eq!(code_of(outcome), Code::IdempotencyConflict);
        assert_eq!(venue.names(), ["CommandRejected"]);
        assert_eq!(venue.group.expect("a group").idempotency, None);
        let repeat = venue.run_keyed(Command::PlaceOrder(request), Some(key)).outcome;
        assert_eq!(repeat, Outcome::Repeated { first });
    }
    venue.check();
}

/// The first event of a keyed command carries the key, and nothing else does; the refusals by the key
/// itself carry none.
/// covers: EVT-80
#[test]
fn the_first_event_carries_the_key() {
    let mut venue = Venue::new();
    let alice = venue.account("alice", "0", "1000");
    let key = venue.key();
    let keyed = [
        Command::PlaceOrder(limit(alice, Buy, "1", "100")),
        Command::PlaceOrder(limit(alice, Buy, "0", "100")),
        Command::Deposit(entry(alice, 9, "1")),
        Command::Tick,
    ];
    for command in keyed {
        let key = venue.key();
        venue.run_keyed(command.clone(), Some(key));
        let carried = venue.group.expect("a group").idempotency.expect("it carries the key");
        assert_eq!((carried.key_hash, carried.body_hash), (key.key_hash, key.body_hash));
        assert_eq!(carried.expires_at.0, venue.events[0].0.timestamp.0 + DAY);
        // Applying the event enters the key into state.
        for kernel in [&venue.live, &venue.replayed] {
            let kept = kernel.key(&key.key_hash).expect("it is kept");
            assert_eq!((kept.body_hash, kept.expires_at), (key.body_hash, carried.expires_at));
        }
        venue.run(command);
        assert_eq!(venue.group.and_then(|group| group.idempotency), None);
    }
    let late = gateway(&mut venue, -1);
    venue.run_keyed(Command::Deposit(entry(alice, 2, "1")), Some(late));
    assert_eq!(venue.names(), ["CommandRejected"]);
    assert_eq!(venue.group.expect("a group").idempotency, None);
    assert!(venue.live.key(&late.key_hash).is_none());
    venue.run_keyed(Command::Tick, Some(key));
    venue.run_keyed(Command::Tick, Some(key));
    assert!(venue.events.is_empty());
    venue.check();
}

/// covers: LIFE-76
#[test]
fn a_gateway_command_after_its_end_is_refused() {
    let mut venue = Venue::new();
    let alice = venue.account("alice", "0", "1000");
    let command = Command::PlaceOrder(limit(alice, Buy, "1", "100"));
    for (late, refused) in [(0, false), (1, true)] {
        let key = gateway(&mut venue, 50);
        venue.now = Timestamp(venue.now.0 + 50 + late);
        let outcome = venue.run_stamped(command.clone(), Some(key)).outcome;
        if refused {
            assert_eq!(code_of(outcome), Code::InvalidExpiry);
            assert_eq!(venue.names(), ["CommandRejected"]);
        } else {
            assert!(matches!(outcome, Outcome::Accepted { .. }));
        }
    }
    // An end that would outlive the key is refused at once.
    let key = gateway(&mut venue, 61 * SECOND);
    let outcome = venue.run_keyed(command.clone(), Some(key)).outcome;
    assert_eq!(code_of(outcome), Code::InvalidExpiry);
    // Forgotten after 60 s, it is still refused, since its end lies before.
    let key = gateway(&mut venue, 59 * SECOND);
    let outcome = venue.run_keyed(command.clone(), Some(key)).outcome;
    assert!(matches!(outcome, Outcome::Accepted { .. }));
    venue.now = Timestamp(venue.now.0 + 61 * SECOND);
    assert_eq!(code_of(venue.run_stamped(command, Some(key)).outcome), Code::InvalidExpiry);
    venue.check();
}

/// Beyond the bound new keyed commands are refused, kept ones answered, and none forgotten early.
/// covers: REC-84
#[test]
fn the_bound_refuses_and_never_forgets_early() {
    let mut venue = Venue::empty();
    let operator = SigningKey::from_bytes(&[42; 32]);
    let small = Genesis { key_count_max: 3, ..genesis(&operator, fees::default_tiers()) };
    venue.run(Command::Genesis(small));
    let opening = |index: usize| Command::CreateAccount(opening(&format!("user{index}")));
    let keys: Vec<Key> = (0..3).map(|_| venue.key()).collect();
    for (index, key) in keys.iter().enumerate() {
        Venue::created(venue.run_keyed(opening(index), Some(*key)));
    }
    let new = venue.key();
    assert_eq!(code_of(venue.run_keyed(opening(3), Some(new)).outcome), Code::RiskLimitBreach);
    assert_eq!(venue.group.expect("a group").idempotency, None);
    let first = venue.run_keyed(opening(0), Some(keys[0])).outcome;
    assert!(matches!(first, Outcome::Repeated { .. }));
    assert_eq!(venue.live.key_count(), 3);
    // Without a key it runs, and a cancel is taken beyond the bound.
    Venue::created(venue.run(opening(3)));
    let (account, order) = (Id([1; 16]), Id([2; 16]));
    let cancel = Command::CancelOrder(CancelOrder { account, order, state_seq: None });
    let key = venue.key();
    assert_eq!(code_of(venue.run_keyed(cancel, Some(key)).outcome), Code::AccountNotFound);
    assert_eq!(venue.live.key_count(), 4);
    // Ended keys make room, though nothing has taken them away yet.
    venue.now.0 += DAY;
    Venue::created(venue.run_keyed(opening(4), Some(new)));
    assert_eq!(venue.live.key_count(), 1);
    venue.check();
}

/// Beyond the bound cancels, withdrawals and the operator's commands still pass (D-83).
/// covers: REC-84
#[test]
fn a_full_bound_stops_no_cancel_and_no_withdrawal() {
    let mut venue = Venue::new();
    let alice = venue.account("alice", "0", "1000");
    let open = venue.accept(limit(alice, Buy, "1", "1"));
    while venue.live.key_count() < 1_000 {
        let key = venue.key();
        venue.run_keyed(Command::PlaceOrder(limit(alice, Buy, "1", "999999")), Some(key));
    }
    let order = Command::PlaceOrder(limit(alice, Buy, "1", "1"));
    let key = venue.key();
    assert_eq!(code_of(venue.run_keyed(order, Some(key)).outcome), Code::RiskLimitBreach);
    let done = Outcome::Done { created: None };
    let cancel = CancelOrder { account: alice, order: open, state_seq: None };
    let key = venue.key();
    assert_eq!(venue.run_keyed(Command::CancelOrder(cancel), Some(key)).outcome, done);
    let key = venue.key();
    assert_eq!(venue.run_keyed(Command::Withdraw(entry(alice, 2, "1")), Some(key)).outcome, done);
    assert_eq!(venue.set_status(alice, schema::AccountStatus::Suspended), done);
    venue.check();
}

/// A gateway's end that would outlive its key is refused, so that nothing runs twice (LIFE-76).
#[test]
fn a_gateways_end_lies_within_the_keys_life() {
    let mut venue = Venue::new();
    let alice = venue.account("alice", "0", "1000");
    let deposit = Command::Deposit(entry(alice, 2, "1"));
    for (life, taken) in [(60 * SECOND, true), (60 * SECOND + 1_000, false), (DAY, false)] {
        let key = gateway(&mut venue, life);
        let outcome = venue.run_keyed(deposit.clone(), Some(key)).outcome;
        if taken {
            assert_eq!(outcome, Outcome::Done { created: None });
        } else {
            assert_eq!(code_of(outcome), Code::InvalidExpiry);
        }
    }
    venue.check();
}

/// What has ended is forgotten by the next event, by that event's time, and by no command without one.
/// covers: DET-42
#[test]
fn keys_are_forgotten_by_the_next_event() {
    let mut venue = Venue::new();
    let alice = venue.account("alice", "0", "1000");
    let key = venue.key();
    venue.run_keyed(Command::Tick, Some(key));
    let end = venue.events[0].0.timestamp.0 + DAY;
    let deposit = Command::Deposit(entry(alice, 2, "1"));
    venue.now = Timestamp(end - 1);
    venue.run_stamped(deposit.clone(), None);
    assert!(venue.live.key(&key.key_hash).is_some(), "not a nanosecond early");
    venue.now = Timestamp(end + DAY);
    assert_eq!(venue.run(Command::Tick).outcome, Outcome::Done { created: None });
    assert_eq!(venue.live.key_count(), 1, "a command without an event forgets nothing");
    venue.run_stamped(deposit, None);
    for kernel in [&venue.live, &venue.replayed] {
        assert_eq!(kernel.key_count(), 0);
    }
    venue.check();
}

/// Of a key the state has two hashes, its end and the first command, and in particular not its text (EVT-81).
#[test]
fn of_a_key_only_hashes_are_kept() {
    let saved = |text: &str| {
        let mut venue = Venue::new();
        let key = Key { text: Some(label(text)), ..venue.key() };
        venue.run_keyed(Command::Tick, Some(key));
        let mut bytes = Vec::new();
        venue.live.save(&mut bytes);
        let kept = *venue.live.key(&key.key_hash).expect("it is kept");
        assert_eq!(kept.first_command, venue.commands.len() as u64);
        (bytes, venue.log)
    };
    let (one, other) = (saved("first text"), saved("other text"));
    assert!(one.0 == other.0, "state does not know the text");
    assert!(one.1 != other.1, "the log does");
}

/// covers: EVT-11
#[test]
fn every_command_that_does_nothing_says_so() {
    let mut venue = Venue::new();
    let alice = venue.account("alice", "0", "1");
    venue.run(Command::Tick);
    assert!(venue.events.is_empty(), "a Tick with nothing due emits nothing");
    let key = venue.key();
    venue.run_keyed(Command::Tick, Some(key));
    assert_eq!(venue.names(), ["CommandCompleted"]);
    venue.withdraw(alice, 2, "5");
    assert_eq!(venue.names(), ["CommandRejected"]);
    venue.cancel(alice, alice);
    assert_eq!(venue.names(), ["CommandRejected"]);
    venue.place(limit(alice, Buy, "5", "5"));
    assert_eq!(venue.names(), ["OrderSubmitted", "OrderRejected"]);
}

/// A kernel that was saved full of keys forgets and answers like the one that was not.
/// covers: REC-63
#[test]
fn a_loaded_kernel_knows_the_same_keys() {
    let mut venue = Venue::new();
    for index in 0..60 {
        let key = if index % 2 == 0 { venue.key() } else { gateway(&mut venue, SECOND) };
        venue.run_keyed(Command::Tick, Some(key));
        venue.now.0 += 7 * SECOND;
    }
    let mut bytes = Vec::new();
    venue.live.save(&mut bytes);
    let mut loaded = Kernel::load(&bytes).expect("it was saved");
    for _ in 0..40 {
        venue.now.0 += DAY / 30;
        let key = venue.key();
        venue.run_keyed(Command::Tick, Some(key));
        let stamped: &Stamped = venue.commands.last().expect("it ran");
        let mut out = EventBuffer::new();
        loaded.execute(stamped, &mut out);
        assert_eq!(out.bytes(), venue.buffer.bytes());
        assert_eq!(loaded.key_count(), venue.live.key_count());
    }
    venue.check();
}
