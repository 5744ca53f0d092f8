//! Events of every kind: what is pushed is what is read, in one form only.

use schema::wire::DecodeError;
use schema::{
    Code, CommandKind, CommandRejected, Detail, Event, EventBuffer, EventHead, EventKind,
    GroupHead, GroupIter, OrderEnded, OrderRejected, Party, Why,
};
use units::Timestamp;

use crate::random::Random;
use crate::{DAMAGE_COUNT, ROUND_COUNT, cut_everywhere, damage_everywhere, generate};

pub(crate) type Group = (GroupHead, Vec<(EventHead, Event)>);

/// The stored form of groups.
pub(crate) fn encoded(groups: &[Group]) -> Vec<u8> {
    let mut buffer = EventBuffer::new();
    for (head, events) in groups {
        buffer.begin(head);
        for (event_head, event) in events {
            buffer.push(event.kind(), *event_head, event);
        }
        buffer.end();
    }
    buffer.take()
}

/// The groups of a stored form.
pub(crate) fn decoded(bytes: &[u8]) -> Result<Vec<Group>, DecodeError> {
    let read = |group: Result<schema::EventGroup<'_>, DecodeError>| {
        let group = group?;
        let events: Result<Vec<_>, _> = group.events().collect();
        Ok((group.head, events?))
    };
    GroupIter::new(bytes).map(read).collect()
}

pub(crate) fn head(sequence: u64) -> GroupHead {
    GroupHead {
        command_sequence: 9,
        first_sequence: sequence,
        first_timestamp: Timestamp(1_700_000_000_000_000_000),
        correlation: None,
        idempotency: None,
    }
}

/// A group of one event with number `sequence`.
fn alone(event: Event, sequence: u64) -> Group {
    let head = head(sequence);
    (head, vec![(EventHead { sequence, timestamp: head.first_timestamp }, event)])
}

/// Every kind of this version, with random values and numbers.
/// covers: DET-30
#[test]
fn every_event_comes_back() {
    let mut kinds = 0;
    for (seed, &kind) in (1..).zip(EventKind::ALL) {
        let mut random = Random::new(seed);
        if generate::event(&mut random, kind, 2).is_none() {
            continue;
        }
        kinds += 1;
        for _ in 0..ROUND_COUNT {
            let sequence = random.u64().clamp(2, u64::MAX - 1);
            let event = generate::event(&mut random, kind, sequence).expect("this version has it");
            assert_eq!(event.kind(), kind);
            let groups = [alone(event, sequence)];
            let bytes = encoded(&groups);
            let back = decoded(&bytes).expect("its own bytes");
            assert_eq!(back, groups);
            assert_eq!(encoded(&back), bytes);
        }
    }
    assert_eq!(kinds, 37);
}

/// An event cut short is refused; with a changed byte it is refused, or is another event whose only
/// form it is.
/// covers: DET-30
#[test]
fn damaged_events_have_no_second_form() {
    for (seed, &kind) in (300..).zip(EventKind::ALL) {
        let mut random = Random::new(seed);
        for _ in 0..DAMAGE_COUNT {
            let sequence = (random.u64() >> 1).max(2);
            let Some(event) = generate::event(&mut random, kind, sequence) else { break };
            let bytes = encoded(&[alone(event, sequence)]);
            // No bytes at all are no groups, which is not an error.
            cut_everywhere(&bytes, |part| part.is_empty() || decoded(part).is_err());
            let again = |damaged: &[u8]| decoded(damaged).ok().map(|groups| encoded(&groups));
            damage_everywhere(&bytes, &mut random, again);
        }
    }
}

/// Every number that is no type, or one of a later version, is refused.
#[test]
fn later_events_are_not_guessed() {
    let tail = [0u8; 200];
    let mut opened = 0;
    for number in 0..0x80 {
        let kind = EventKind::from_number(number);
        let is_opened = kind.is_some_and(|k| generate::event(&mut Random::new(1), k, 2).is_some());
        let bytes = frame(&[&[number], &tail[..]].concat());
        let is_unknown = decoded(&bytes) == Err(DecodeError::Unknown);
        assert_eq!(is_unknown, !is_opened, "type {number}");
        opened += u32::from(is_opened);
    }
    assert_eq!(opened, 37);
}

/// The bits of a submitted order: those of a request stand only with the bit that says so, those
/// beyond the last one nowhere, and the varint that holds them is the shortest.
/// covers: DET-30
#[test]
fn bits_of_a_submitted_order_announce_something() {
    let with_bits = |bits: u64| {
        let mut event = vec![EventKind::OrderSubmitted.number(), 0];
        schema::wire::write_u64(&mut event, bits);
        event.extend([0; 60]);
        frame(&event)
    };
    // Nothing announced: four numbers of one byte, and the rest is left over.
    assert_eq!(decoded(&with_bits(0)), Err(DecodeError::Trailing));
    for of_request in [1 << 7, 1 << 8, 1 << 9] {
        assert_eq!(decoded(&with_bits(of_request)), Err(DecodeError::BadTag), "{of_request:#x}");
        assert_eq!(decoded(&with_bits(of_request | 1)), Err(DecodeError::Trailing));
    }
    for beyond in [1 << 10, 1 << 14, 1 << 32, u64::MAX] {
        assert_eq!(decoded(&with_bits(beyond)), Err(DecodeError::BadTag), "{beyond:#x}");
        assert_eq!(decoded(&with_bits(beyond | 1)), Err(DecodeError::BadTag), "{beyond:#x}");
    }
    let long = frame(&[EventKind::OrderSubmitted.number(), 0, 0x80, 0, 0, 0, 0, 0]);
    assert_eq!(decoded(&long), Err(DecodeError::BadNumber));
}

/// A group of one event with number 2 of these bytes.
fn frame(event: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 33];
    bytes[0] = u8::try_from(25 + event.len()).expect("short");
    bytes[4] = 1;
    bytes[16] = 2;
    bytes.extend(event);
    bytes
}

/// A reason of the wrong list is neither written nor read: R rejects, C cancels, X refuses.
/// covers: EVT-19
#[test]
fn codes_stand_where_their_letters_say() {
    let detail = Detail::Why(Why::Nothing);
    for &code in Code::ALL {
        let rejected = OrderRejected { order: 1, reason: code, detail };
        check(&Event::OrderRejected(rejected), code.uses().rejects, 1);
        check(&Event::OrderCanceled(OrderEnded { order: 1, reason: code }), code.uses().cancels, 1);
        for &command in CommandKind::ALL {
            let party = Party::default();
            let fits = code.uses().refuses
                || (command == CommandKind::ReplaceOrder && code.uses().rejects);
            let event = CommandRejected { command, party, code, detail };
            check(&Event::CommandRejected(event), fits, 1);
        }
    }

    fn check(event: &Event, fits: bool, code_place: usize) {
        let groups = [alone(event.clone(), 2)];
        let written = std::panic::catch_unwind(|| encoded(&groups));
        assert_eq!(written.is_ok(), fits, "{event:?}");
        let code = match event {
            Event::OrderRejected(event) => event.reason,
            Event::OrderCanceled(event) => event.reason,
            Event::CommandRejected(event) => event.code,
            _ => unreachable!(),
        };
        let mut bytes = encoded(&[alone(sound(event), 2)]);
        bytes[34 + code_place] = code.number();
        assert_eq!(decoded(&bytes).is_ok(), fits, "{event:?}");
    }

    /// The event with a code that fits.
    fn sound(event: &Event) -> Event {
        match *event {
            Event::OrderRejected(event) => {
                Event::OrderRejected(OrderRejected { reason: Code::InvalidSchema, ..event })
            }
            Event::OrderCanceled(event) => {
                Event::OrderCanceled(OrderEnded { reason: Code::SelfTrade, ..event })
            }
            Event::CommandRejected(event) => {
                Event::CommandRejected(CommandRejected { code: Code::InvalidSchema, ..event })
            }
            _ => unreachable!(),
        }
    }
}
