//! Numbers and times: of commands, of events, and of each entity.

mod common;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use common::random::Random;
use common::{Venue, genesis, limit};
use ed25519_dalek::SigningKey;
use kernel::Kernel;
use schema::{Command, EventBuffer, Genesis, GroupIter, Stamped};
use units::Side::{Buy, Sell};
use units::{Id, Timestamp};

/// Commands and events are counted from 1 without a gap, an event names its command, and times rise by
/// the rule of D-9, also while stamps stand still.
/// covers: SEQ-1, SEQ-3, SEQ-5, SEQ-7, SEQ-9, EVT-3, EVT-4, TIME-19, TIME-20, TIME-21, TIME-61, INV-20
/// covers: INV-21, RPL-74, EVT-73, EVT-74, SEQ-49, SEQ-50, SEQ-51, TIME-12
#[test]
fn numbers_and_times_rise_without_a_gap() {
    let mut random = Random::new(61);
    for _ in 0..3_000 {
        random.step();
    }
    let venue = &random.venue;
    let (mut command, mut event, mut last) = (0, 0, Timestamp(0));
    let mut equal_stamps = 0;
    for pair in venue.commands.windows(2) {
        equal_stamps += u32::from(pair[0].stamp == pair[1].stamp);
    }
    assert!(equal_stamps > 300, "stamps stand still often: {equal_stamps}");
    for (index, stamped) in venue.commands.iter().enumerate() {
        assert_eq!(stamped.sequence, index as u64 + 1);
    }
    for group in GroupIter::new(&venue.log) {
        let group = group.expect("a group");
        assert!(group.head.command_sequence > command, "one group a command");
        command = group.head.command_sequence;
        let stamp = venue.commands[usize::try_from(command).expect("few") - 1].stamp;
        for (index, read) in group.events().enumerate() {
            let (head, _) = read.expect("an event");
            event += 1;
            assert_eq!(head.sequence, event);
            assert_eq!(head.timestamp, stamp.max(Timestamp(last.0 + 1)), "event {index}");
            last = head.timestamp;
        }
    }
    assert_eq!(event, venue.live.position().event_sequence);
    assert_eq!(venue.live.position().command_sequence, venue.commands.len() as u64);
}

/// The kernel takes no command out of its order and no stamp that goes back.
/// covers: TIME-22
#[test]
fn commands_and_stamps_never_go_back() {
    let venue = Venue::new();
    let next = venue.live.position().command_sequence + 1;
    let run = |sequence, stamp| {
        let mut kernel = venue.live.clone();
        let command = Command::Tick;
        let stamped = Stamped {
            sequence,
            stamp,
            fallback_clock: false,
            correlation: None,
            key: None,
            command,
            account_version: None,
        };
        let mut out = EventBuffer::new();
        catch_unwind(AssertUnwindSafe(|| kernel.execute(&stamped, &mut out))).is_ok()
    };
    assert!(run(next, venue.now), "the same stamp again is fine");
    assert!(!run(next, Timestamp(venue.now.0 - 1)));
    assert!(!run(next + 1, venue.now) && !run(next - 1, venue.now));
}

/// 1 OrderSubmitted, 2 OrderAccepted, 3 and 4 OrderPartiallyFilled, 5 OrderFilled.
/// covers: SEQ-29
#[test]
fn an_order_counts_its_own_events() {
    let mut venue = Venue::new();
    let alice = venue.account("alice", "0", "1000");
    let seller = venue.account("seller", "1", "0");
    let order = venue.accept(limit(alice, Buy, "0.5", "100"));
    let version = |venue: &Venue| venue.live.order(order).map(|order| order.version);
    assert_eq!(version(&venue), Some(2));
    for expected in [Some(3), Some(4), None] {
        let quantity = if expected.is_some() { "0.2" } else { "0.1" };
        venue.accept(limit(seller, Sell, quantity, "100"));
        assert_eq!(version(&venue), expected);
    }
    // The fifth is the one that filled it, and nothing after it names it.
    let of_it = venue.events.iter().filter(|(_, event)| match event {
        schema::Event::OrderFilled(fill) => fill.order == order.sequence(),
        schema::Event::OrderPartiallyFilled(fill) => fill.order == order.sequence(),
        _ => false,
    });
    assert_eq!(of_it.count(), 1);
}

/// The entity sequences are in the state that is compared and saved; those of an ended order are gone.
/// covers: SEQ-34
#[test]
fn entity_sequences_are_saved() {
    let mut random = Random::new(62);
    for _ in 0..1_500 {
        random.step();
    }
    let live = &random.venue.live;
    let mut saved = Vec::new();
    live.save(&mut saved);
    let loaded = Kernel::load(&saved).expect("it was saved");
    let mut seen = 0;
    for number in 0..live.account_count() {
        let versions = |kernel: &Kernel| kernel.account(number).map(|account| account.version);
        assert_eq!(versions(live), versions(&loaded));
        for order in live.orders_of(number) {
            let other = loaded.order_of(order.sequence).expect("open there too");
            assert_eq!((order.version, order.state_seq), (other.version, other.state_seq));
            seen += 1;
        }
    }
    assert_eq!((seen, loaded.order_count()), (live.order_count(), live.order_count()));
    for market in live.markets() {
        let other = loaded.market(market.number).expect("listed there too");
        assert_eq!(market.sequence, other.sequence);
    }
    // A version is a part of the state's bytes: with nothing else changed they differ.
    let alice = random.accounts[0];
    let number = live.account_number(alice).expect("she is there");
    let mut venue = random.venue;
    let bytes = |venue: &Venue| {
        let mut out = Vec::new();
        assert!(venue.live.encode_entity(kernel::Entity::Account(number), &mut out));
        out
    };
    let before = bytes(&venue);
    venue.cancel(alice, Id([7; 16]));
    assert_ne!(bytes(&venue), before);
}

/// Two shards with the very same commands at the very same times: no id occurs twice.
/// covers: EVT-2, SEQ-8
#[test]
fn ids_of_two_shards_differ() {
    let mut ids = BTreeSet::new();
    let mut count = 0;
    for shard in [0, 3_999] {
        let mut venue = Venue::empty();
        let operator = SigningKey::from_bytes(&[42; 32]);
        let genesis = Genesis { shard, ..genesis(&operator, fees::default_tiers()) };
        venue.run(Command::Genesis(genesis));
        for name in ["alice", "bob"] {
            let id = Venue::created(venue.run(Command::CreateAccount(common::opening(name))));
            assert_eq!(id.shard(), shard);
        }
        for group in GroupIter::new(&venue.log) {
            for read in group.expect("a group").events() {
                let (head, _) = read.expect("an event");
                let id = Id::derive(head.timestamp, shard, head.sequence).expect("in range");
                assert_eq!((id.shard(), id.sequence()), (shard, head.sequence));
                ids.insert(id);
                count += 1;
            }
        }
    }
    assert_eq!(ids.len(), count);
}

/// Times that state shows are those of the events that set them, in both kernels.
/// covers: RPL-15, TIME-52
#[test]
fn times_in_state_are_those_of_events() {
    let mut venue = Venue::new();
    let alice = Venue::created(venue.run(Command::CreateAccount(common::opening("alice"))));
    let created = venue.events[0].0.timestamp;
    venue.now.0 += 5_000_000;
    venue.deposit(alice, 2, "1000");
    let funded = venue.events[0].0.timestamp;
    let order = venue.accept(limit(alice, Buy, "1", "100"));
    let [submitted, reserved, accepted] = [0, 1, 2].map(|index| venue.events[index].0.timestamp);
    assert!(created < funded && funded < submitted && submitted < reserved);
    for kernel in [&venue.live, &venue.replayed] {
        let number = kernel.account_number(alice).expect("she is there");
        let account = kernel.account(number).expect("she is there");
        assert_eq!((account.created_at, account.updated_at), (created, accepted));
        assert_eq!(kernel.balance(number, 2).updated_at, reserved);
        let order = kernel.order(order).expect("open");
        assert_eq!((order.submitted_at, order.state_changed_at), (submitted, accepted));
    }
}
