//! Replay: of events and of commands, twice, from a snapshot, and of logs that nobody wrote.

mod common;

use common::random::Random;
use common::{Venue, limit};
use kernel::{ApplyError, Kernel, LoadError};
use schema::wire::DecodeError;
use schema::{
    BalanceUpdated, Bucket, Event, EventBuffer, EventHead, EventKind, GroupHead, GroupIter,
    Posting, Reference, Stamped, UpdateReason, decode_command, encode_command,
};
use units::Side::{Buy, Sell};
use units::{Amount, Id, Timestamp};

fn run(seed: u64, commands: usize) -> Venue {
    let mut random = Random::new(seed);
    for _ in 0..commands {
        random.step();
    }
    random.venue
}

fn apply_all(kernel: &mut Kernel, log: &[u8]) {
    for group in GroupIter::new(log) {
        kernel.apply_group(&group.expect("a group")).expect("it applies");
    }
}

fn saved(kernel: &Kernel) -> Vec<u8> {
    let mut bytes = Vec::new();
    kernel.save(&mut bytes);
    bytes
}

/// Events alone rebuild the state from nothing; giving the same events again changes nothing.
/// covers: RPL-1, RPL-14, RPL-18, RPL-75, RPL-77, EVT-6, STATE-42, DET-53, DET-63, EVT-60
/// covers: RPL-59, RPL-70, REC-64
#[test]
fn events_alone_rebuild_the_state() {
    let venue = run(71, 4_000);
    let mut kernel = Kernel::new();
    assert_eq!(kernel.account_count(), 0);
    apply_all(&mut kernel, &venue.log);
    assert!(Venue::state(&kernel) == Venue::state(&venue.live));
    apply_all(&mut kernel, &venue.log);
    assert!(Venue::state(&kernel) == Venue::state(&venue.live), "what is behind is ignored");
    let mut second = Kernel::new();
    apply_all(&mut second, &venue.log);
    assert!(saved(&kernel) == saved(&second));
    // A group beyond the next is an error and changes nothing.
    let groups: Vec<_> = GroupIter::new(&venue.log).map(|group| group.expect("a group")).collect();
    let mut third = Kernel::new();
    third.apply_group(&groups[0]).expect("the first");
    let (before, expected) = (saved(&third), third.position().event_sequence + 1);
    let at = groups[2].head.first_sequence;
    assert_eq!(third.apply_group(&groups[2]), Err(ApplyError::Gap { at, expected }));
    assert!(saved(&third) == before);
    third.apply_group(&groups[1]).expect("the second");
    third.apply_group(&groups[2]).expect("the third");
}

/// The command log, read back from its bytes, gives the same events, byte for byte, and the same
/// answers.
/// covers: RPL-3, DET-1, DET-40, EVT-12, LIFE-56, TRADE-46, DET-11, TIME-54, TIME-64
/// covers: SEQ-6
#[test]
fn executing_the_commands_again_gives_the_same_bytes() {
    let mut random = Random::new(72);
    let mut replies = Vec::new();
    for _ in 0..4_000 {
        replies.push(random.step());
    }
    let venue = random.venue;
    let set_up = venue.commands.len() - replies.len();
    let mut kernel = Kernel::new();
    let mut out = EventBuffer::new();
    for (index, stamped) in venue.commands.iter().enumerate() {
        let read = through_bytes(stamped);
        let reply = kernel.execute(&read, &mut out);
        if index >= set_up {
            assert_eq!(reply, replies[index - set_up]);
        }
    }
    assert!(out.bytes() == venue.log);
    assert!(saved(&kernel) == saved(&venue.live));
}

fn through_bytes(stamped: &Stamped) -> Stamped {
    let mut bytes = Vec::new();
    encode_command(&mut bytes, stamped);
    let read = decode_command(&bytes, stamped.sequence).expect("it was encoded");
    assert_eq!(&read, stamped);
    read
}

/// A snapshot, and what came after it as events or as commands, is the whole; the encoding is canonical.
/// covers: RPL-34, RPL-36, RPL-42
#[test]
fn a_snapshot_and_its_tail_are_the_whole() {
    let mut random = Random::new(73);
    for round in 0..6 {
        for _ in 0..400 {
            random.step();
        }
        let bytes = saved(&random.venue.live);
        let at = random.venue.log.len();
        let mut by_events = Kernel::load(&bytes).expect("saved");
        let mut by_commands = Kernel::load(&bytes).expect("saved");
        assert!(saved(&by_events) == bytes, "round {round}");
        assert!(Venue::state(&by_events) == Venue::state(&random.venue.live));
        let from = random.venue.commands.len();
        for _ in 0..400 {
            random.step();
        }
        apply_all(&mut by_events, &random.venue.log[at..]);
        assert!(Venue::state(&by_events) == Venue::state(&random.venue.live));
        let mut out = EventBuffer::new();
        for stamped in &random.venue.commands[from..] {
            by_commands.execute(stamped, &mut out);
        }
        assert!(out.bytes() == &random.venue.log[at..]);
        assert!(saved(&by_commands) == saved(&random.venue.live));
    }
}

/// A shadow that was fed events becomes the leader: it saves what the live kernel saves but for where
/// it stood in the command log, and executes the same from there.
#[test]
fn a_replayed_kernel_goes_on_like_the_live_one() {
    let mut random = Random::new(74);
    for _ in 0..1_000 {
        random.step();
    }
    // Up to a command that left events, so that both stand at the same one.
    while random.venue.group.is_none() {
        random.step();
    }
    let mut kernel = random.venue.replayed.clone();
    for _ in 0..500 {
        random.step();
        let mut out = EventBuffer::new();
        kernel.execute(random.venue.commands.last().expect("it ran"), &mut out);
        assert!(out.bytes() == random.venue.buffer.bytes());
    }
}

/// One made-up event behind a venue's log.
fn made_up(venue: &Venue, change: impl Fn(&mut GroupHead), event: &Event) -> Vec<u8> {
    let position = venue.live.position();
    let mut head = GroupHead {
        command_sequence: position.command_sequence + 1,
        first_sequence: position.event_sequence + 1,
        first_timestamp: Timestamp(position.last_timestamp.0 + 1),
        correlation: None,
        idempotency: None,
    };
    change(&mut head);
    let mut buffer = EventBuffer::new();
    buffer.begin(&head);
    let at = EventHead { sequence: head.first_sequence, timestamp: head.first_timestamp };
    buffer.push(event.kind(), at, event);
    buffer.end();
    buffer.take()
}

fn apply_one(venue: &Venue, bytes: &[u8]) -> Result<(), ApplyError> {
    let mut kernel = venue.replayed.clone();
    let group = GroupIter::new(bytes).next().expect("a group").expect("a sound head");
    kernel.apply_group(&group)
}

fn posting(legs: &[(u32, u32, i128)]) -> Event {
    let mut event = BalanceUpdated::new(UpdateReason::Deposit, Reference::Outside(Id([1; 16])));
    for &(account, asset, delta) in legs {
        let delta = Amount(delta);
        event.post(Posting { account, asset, bucket: Bucket::Available, delta });
    }
    Event::BalanceUpdated(event)
}

/// Logs that could not have been written are told, with the event that is wrong.
/// covers: SETL-45
#[test]
fn what_nobody_wrote_is_not_applied() {
    let mut venue = Venue::new();
    let alice = venue.account("alice", "0", "1000");
    let number = venue.live.account_number(alice).expect("she is there");
    let at = venue.live.position().event_sequence + 1;
    let sound = posting(&[(4, 2, -5), (number, 2, 5)]);
    assert_eq!(apply_one(&venue, &made_up(&venue, |_| {}, &sound)), Ok(()));
    let later = |head: &mut GroupHead| head.first_timestamp.0 -= 1;
    let error = apply_one(&venue, &made_up(&venue, later, &sound));
    assert_eq!(error, Err(ApplyError::NotLater { at }));
    let beyond = |head: &mut GroupHead| head.first_sequence += 1;
    let error = apply_one(&venue, &made_up(&venue, beyond, &sound));
    assert_eq!(error, Err(ApplyError::Gap { at: at + 1, expected: at }));
    // The number of a command that was applied before.
    let again = |head: &mut GroupHead| head.command_sequence -= 1;
    let error = apply_one(&venue, &made_up(&venue, again, &sound));
    assert_eq!(error, Err(ApplyError::Impossible { at }));
    for (legs, possible) in [
        (vec![(4, 2, -5), (number, 2, 4)], false),
        (vec![(4, 2, -5), (number, 1, 5)], false),
        (vec![(4, 2, -5), (number + 1, 2, 5)], false),
        (vec![(number, 2, i128::MAX), (number, 2, i128::MAX), (4, 2, 2)], false),
        // Assets that are not listed: no balance may come into being, and no memory for one.
        (vec![(4, 3, -5), (number, 3, 5)], true),
        (vec![(4, 0, -5), (number, 0, 5)], true),
        (vec![(4, 60_000, -5), (number, 60_000, 5)], true),
    ] {
        let error = apply_one(&venue, &made_up(&venue, |_| {}, &posting(&legs)));
        match error {
            Err(ApplyError::Impossible { at: found }) if possible => assert_eq!(found, at),
            Err(ApplyError::Unbalanced { at: found, .. }) if !possible => assert_eq!(found, at),
            other => panic!("{legs:?}: {other:?}"),
        }
    }
    let order = limit(alice, Buy, "1", "100");
    venue.accept(order);
    let gone = Event::OrderAccepted(schema::OrderAccepted { order: at + 2 });
    let at = venue.live.position().event_sequence + 1;
    let error = apply_one(&venue, &made_up(&venue, |_| {}, &gone));
    assert_eq!(error, Err(ApplyError::Impossible { at }));
}

/// A buy that met a sell.
fn traded() -> EventGroupParts {
    let mut venue = Venue::new();
    let (seller, buyer) = (venue.account("ann", "5", "0"), venue.account("bob", "0", "1000"));
    venue.accept(limit(seller, Sell, "1", "100"));
    let before = venue.replayed.clone();
    venue.accept(limit(buyer, Buy, "1", "100"));
    let group = GroupIter::new(venue.buffer.bytes()).next().expect("a group").expect("sound");
    let events = group.events().map(|event| event.expect("sound")).collect();
    EventGroupParts { before, head: group.head, events }
}

/// What a command's group is made of, and the kernel before it.
struct EventGroupParts {
    before: Kernel,
    head: GroupHead,
    events: Vec<(EventHead, Event)>,
}

impl EventGroupParts {
    /// Applies these events as one command's.
    fn apply(&self, events: &[Event]) -> Result<(), ApplyError> {
        let mut buffer = EventBuffer::new();
        buffer.begin(&self.head);
        for (number, event) in (0u64..).zip(events) {
            let sequence = self.head.first_sequence + number;
            let time = self.head.first_timestamp.0 + i64::try_from(number).expect("few");
            buffer.push(event.kind(), EventHead { sequence, timestamp: Timestamp(time) }, event);
        }
        buffer.end();
        let mut kernel = self.before.clone();
        let bytes = buffer.take();
        let group = GroupIter::new(&bytes).next().expect("a group").expect("sound");
        kernel.apply_group(&group)
    }
}

/// A trade is made, then settled, once each: no log can tell it in another order, twice, or half.
/// covers: TRADE-32
#[test]
fn a_trade_goes_from_none_to_matched_to_settled() {
    let parts = traded();
    let events: Vec<Event> = parts.events.iter().map(|(_, event)| event.clone()).collect();
    let place = |wanted: EventKind| {
        events.iter().position(|event| event.kind() == wanted).expect("it is there")
    };
    let (made, settled) = (place(EventKind::TradeExecuted), place(EventKind::TradeSettled));
    assert_eq!(parts.apply(&events), Ok(()), "none, MATCHED, SETTLED");
    let without = |left_out: usize| {
        let kept = events.iter().enumerate().filter(|(place, _)| *place != left_out);
        kept.map(|(_, event)| event.clone()).collect::<Vec<_>>()
    };
    let again = |place: usize| [&events[..], &events[place..=place]].concat();
    for (what, wrong) in [
        ("none to SETTLED", without(made)),
        ("MATCHED and no more", without(settled)),
        ("MATCHED twice", [&events[..=made], &events[made..]].concat()),
        ("SETTLED to MATCHED", again(made)),
        ("SETTLED twice", again(settled)),
    ] {
        assert!(parts.apply(&wrong).is_err(), "{what}");
    }
}

/// Types of a later version, and numbers of no type at all, stop replay.
/// covers: RPL-19
#[test]
fn an_unknown_type_stops_replay() {
    let mut venue = Venue::new();
    let alice = venue.account("alice", "0", "1000");
    let number = venue.live.account_number(alice).expect("she is there");
    let sound = made_up(&venue, |_| {}, &posting(&[(4, 2, -5), (number, 2, 5)]));
    // Behind sizes, three numbers and the flags lies the type.
    let place = 33;
    assert_eq!(sound[place], EventKind::BalanceUpdated.number());
    let known: Vec<u8> = EventKind::ALL.iter().map(|kind| kind.number()).collect();
    let later =
        [EventKind::CoreVersionActivated, EventKind::MarketDelisted, EventKind::TradingResumed];
    let unknown = (0..0x80).filter(|number| !known.contains(number));
    for kind in later.map(EventKind::number).into_iter().chain(unknown) {
        let mut bytes = sound.clone();
        bytes[place] = kind;
        let at = venue.live.position().event_sequence + 1;
        let cause = DecodeError::Unknown;
        assert_eq!(apply_one(&venue, &bytes), Err(ApplyError::Undecodable { at, cause }));
    }
}

/// What no kernel saved is told, whatever byte is wrong; what is loaded is saved as it was.
#[test]
fn what_nobody_saved_is_not_loaded() {
    assert_eq!(Kernel::load(&[]).err(), Some(LoadError::Decode(DecodeError::Truncated)));
    let venue = run(75, 150);
    let good = saved(&venue.live);
    for size in (0..good.len()).step_by(7) {
        assert!(Kernel::load(&good[..size]).is_err(), "{size} bytes of {}", good.len());
    }
    let mut longer = good.clone();
    longer.push(0);
    assert!(Kernel::load(&longer).is_err());
    for place in 0..good.len() {
        for wrong in [good[place] ^ 1, good[place] ^ 0x80, 0, 0xff] {
            let mut bytes = good.clone();
            bytes[place] = wrong;
            if let Ok(kernel) = Kernel::load(&bytes) {
                assert!(saved(&kernel) == bytes, "byte {place}: one state has one encoding");
            }
        }
    }
}
