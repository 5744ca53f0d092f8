//! The frame around the events of one command: numbers, times, correlation and key.

use std::panic::catch_unwind;

use schema::wire::DecodeError;
use schema::{
    Event, EventBuffer, EventHead, EventKind, GroupHead, GroupIter, Idempotency, OrderAccepted,
};
use units::{Id, Timestamp};

use crate::events::{Group, decoded, encoded, head};
use crate::random::Random;
use crate::{cut_everywhere, damage_everywhere, generate};

fn random_group(random: &mut Random, first_sequence: u64, first: i64) -> Group {
    let head = GroupHead {
        command_sequence: random.u64(),
        first_sequence,
        first_timestamp: Timestamp(first),
        correlation: random.option(Random::id),
        idempotency: random.option(|random| Idempotency {
            key_hash: random.array(),
            body_hash: random.array(),
            expires_at: random.time(),
        }),
    };
    let (mut sequence, mut time) = (first_sequence, first);
    let mut events = Vec::new();
    for _ in 0..=random.below(6) {
        let kind = *random.pick(EventKind::ALL);
        let Some(event) = generate::event(random, kind, sequence) else { continue };
        events.push((EventHead { sequence, timestamp: Timestamp(time) }, event));
        sequence += 1;
        time += if random.coin() { 1 } else { 1 + (random.i64() >> 8).abs() };
    }
    (head, events)
}

/// Groups that follow each other are told apart and keep numbers, times, correlation and key; of a
/// command without events nothing is left.
/// covers: SEQ-7
#[test]
fn groups_keep_numbers_and_times() {
    let mut random = Random::new(11);
    for _ in 0..3_000 {
        let mut groups = Vec::new();
        let mut sequence = 2 + (random.u64() >> 8);
        for _ in 0..random.below(4) {
            let time = random.i64() >> 2;
            let group = random_group(&mut random, sequence, time);
            sequence += u64::try_from(group.1.len()).expect("few");
            groups.push(group);
        }
        let bytes = encoded(&groups);
        groups.retain(|group| !group.1.is_empty());
        let back = decoded(&bytes).expect("its own bytes");
        assert_eq!(back, groups);
        for (group, _) in GroupIter::new(&bytes).zip(0..) {
            let group = group.expect("its own bytes");
            let numbers: Vec<u64> =
                group.events().map(|event| event.expect("sound").0.sequence).collect();
            let first = group.head.first_sequence;
            let expected: Vec<u64> = (first..first + u64::from(group.count)).collect();
            assert_eq!(numbers, expected);
        }
        assert_eq!(encoded(&back), bytes);
    }
}

/// The frame has no second form either.
/// covers: DET-30
#[test]
fn damaged_groups_have_no_second_form() {
    let mut random = Random::new(12);
    for _ in 0..150 {
        let groups =
            [random_group(&mut random, 5, 1_000), random_group(&mut random, 70, 2_000_000)];
        let bytes = encoded(&groups);
        let ends: Vec<usize> =
            (0..=groups.len()).map(|count| encoded(&groups[..count]).len()).collect();
        cut_everywhere(&bytes, |part| ends.contains(&part.len()) || decoded(part).is_err());
        let again = |damaged: &[u8]| decoded(damaged).ok().map(|groups| encoded(&groups));
        damage_everywhere(&bytes, &mut random, again);
    }
}

/// What a group says of its command.
#[test]
fn correlation_and_key_are_of_the_group() {
    let key = Idempotency { key_hash: [1; 16], body_hash: [2; 16], expires_at: Timestamp(3) };
    for correlation in [None, Some(Id([9; 16]))] {
        for idempotency in [None, Some(key)] {
            let head = GroupHead { correlation, idempotency, ..head(2) };
            let group = (head, vec![accepted(2, head.first_timestamp.0)]);
            let bytes = encoded(std::slice::from_ref(&group));
            let sizes = [correlation.map_or(0, |_| 16), idempotency.map_or(0, |_| 40)];
            assert_eq!(bytes.len(), 33 + sizes[0] + sizes[1] + 2);
            assert_eq!(decoded(&bytes), Ok(vec![group]));
        }
    }
}

/// One nanosecond is not stored, more is; and that costs nothing where it is not needed.
#[test]
fn only_later_times_are_stored() {
    let first = head(2).first_timestamp.0;
    let size = |times: [i64; 2]| {
        let events = vec![accepted(2, times[0]), accepted(3, times[1])];
        let group = (head(2), events);
        let bytes = encoded(std::slice::from_ref(&group));
        assert_eq!(decoded(&bytes), Ok(vec![group]));
        bytes.len()
    };
    let dense = size([first, first + 1]);
    assert_eq!(size([first, first + 2]), dense + 1);
    assert_eq!(size([first, first + 1_000_000]), dense + 3);
}

/// A delta that is announced but 0, or stands at the first event, would be a second form.
/// covers: DET-30
#[test]
fn needless_deltas_are_refused() {
    let first = head(2).first_timestamp.0;
    let bytes = encoded(&[(head(2), vec![accepted(2, first), accepted(3, first + 6)])]);
    let at = bytes.len() - 3;
    assert_eq!(&bytes[at..at + 2], &[EventKind::OrderAccepted.number() | 0x80, 5]);
    let mut needless = bytes;
    needless[at + 1] = 0;
    assert_eq!(decoded(&needless), Err(DecodeError::BadNumber));

    let mut early = encoded(&[(head(2), vec![accepted(2, first)])]);
    early[33] |= 0x80;
    early.insert(34, 5);
    early[0] += 1;
    assert_eq!(decoded(&early), Err(DecodeError::BadNumber));
}

/// A number left out, a time that does not rise, a first event that is not the head's: bugs, and
/// none of them is written.
#[test]
fn what_could_not_be_read_back_is_not_written() {
    let first = head(2).first_timestamp.0;
    for events in [
        vec![accepted(3, first)],
        vec![accepted(2, first), accepted(4, first + 1)],
        vec![accepted(2, first), accepted(2, first + 1)],
        vec![accepted(2, first), accepted(3, first)],
        vec![accepted(2, first + 1)],
        vec![accepted(2, first - 1)],
    ] {
        assert!(catch_unwind(|| encoded(&[(head(2), events.clone())])).is_err(), "{events:?}");
    }
}

/// The buffer is used again after what it held was taken or cleared.
#[test]
fn a_buffer_is_used_again() {
    let mut buffer = EventBuffer::new();
    let (event_head, event) = accepted(2, head(2).first_timestamp.0);
    let fill = |buffer: &mut EventBuffer| {
        buffer.begin(&head(2));
        assert_eq!(buffer.end(), 0);
        assert!(buffer.bytes().is_empty());
        buffer.begin(&head(2));
        buffer.push(event.kind(), event_head, &event);
        assert_eq!(buffer.end(), 1);
    };
    fill(&mut buffer);
    let bytes = buffer.take();
    fill(&mut buffer);
    assert_eq!(buffer.bytes(), bytes);
    buffer.clear();
    fill(&mut buffer);
    assert_eq!(buffer.bytes(), bytes);
}

/// After a group that is no group nothing more is read.
#[test]
fn a_damaged_group_ends_the_reading() {
    let first = head(2).first_timestamp.0;
    let mut bytes = encoded(&[(head(2), vec![accepted(2, first)])]);
    bytes.extend([0xff; 40]);
    let mut groups = GroupIter::new(&bytes);
    assert!(groups.next().is_some_and(|group| group.is_ok()));
    assert!(groups.next().is_some_and(|group| group.is_err()));
    assert!(groups.next().is_none());
}

fn accepted(sequence: u64, time: i64) -> (EventHead, Event) {
    let head = EventHead { sequence, timestamp: Timestamp(time) };
    (head, Event::OrderAccepted(OrderAccepted { order: 1 }))
}
