//! From the events of a command record to blocks of the event log.
//!
//! Owns the one rule by which events are cut into blocks, used live and in recovery, so that a block
//! made again has the same bytes (EVT-85): a record's events are one block; a block whose payload
//! reached `BLOCK_PAYLOAD_SIZE_SPLIT` ends with the command that reached it, and the rest of the record
//! makes another. A record without events makes none.

use journal::{BlockBuilder, BlockNumbers, EventEnd, OwnedBlock};
use schema::GroupIter;
use schema::wire::DecodeError;

/// The events of one command record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RecordEvents<'a> {
    /// First command of the record.
    pub(crate) first_command: u64,
    /// Last command of the record.
    pub(crate) last_command: u64,
    /// The last event after the record.
    pub(crate) last_event: u64,
    /// Event groups in their stored form.
    pub(crate) groups: &'a [u8],
}

/// Makes the blocks of a record behind `end`.
pub(crate) fn make_blocks(
    end: EventEnd,
    record: &RecordEvents<'_>,
) -> Result<Vec<OwnedBlock>, DecodeError> {
    let mut blocks = Vec::with_capacity(1);
    if record.groups.is_empty() {
        return Ok(blocks);
    }
    if record.groups.len() <= BLOCK_PAYLOAD_SIZE_SPLIT {
        let numbers = numbers(record.first_command, record.last_command, end, record.last_event);
        blocks.push(seal(end, numbers, record.groups));
        return Ok(blocks);
    }
    split(end, record, &mut blocks)?;
    Ok(blocks)
}

/// The long way, for a record whose commands made very many events.
fn split(
    mut end: EventEnd,
    record: &RecordEvents<'_>,
    blocks: &mut Vec<OwnedBlock>,
) -> Result<(), DecodeError> {
    let mut rest = record.groups;
    let mut first_command = record.first_command;
    while !rest.is_empty() {
        let (size, last_command, last_event) = cut(rest)?;
        let last_command = if size == rest.len() { record.last_command } else { last_command };
        let numbers = numbers(first_command, last_command, end, last_event);
        let block = seal(end, numbers, &rest[..size]);
        end = EventEnd {
            command_sequence: last_command,
            event_sequence: last_event,
            hash: block.hash(),
        };
        blocks.push(block);
        first_command = last_command + 1;
        rest = &rest[size..];
    }
    Ok(())
}

/// Where a block of these groups ends: bytes, last command and last event.
fn cut(groups: &[u8]) -> Result<(usize, u64, u64), DecodeError> {
    let mut size = 0;
    for group in GroupIter::new(groups) {
        let group = group?;
        size += group_size(&groups[size..])?;
        let last_event = group.head.first_sequence + u64::from(group.count) - 1;
        if size >= BLOCK_PAYLOAD_SIZE_SPLIT || size == groups.len() {
            return Ok((size, group.head.command_sequence, last_event));
        }
    }
    Err(DecodeError::Truncated)
}

/// Bytes of the group at the front, its own size field and count included.
fn group_size(groups: &[u8]) -> Result<usize, DecodeError> {
    let front = groups.first_chunk::<4>().ok_or(DecodeError::Truncated)?;
    let body = usize::try_from(u32::from_le_bytes(*front)).map_err(|_| DecodeError::BadNumber)?;
    Ok(GROUP_FRONT_SIZE + body)
}

fn numbers(first_command: u64, last_command: u64, end: EventEnd, last_event: u64) -> BlockNumbers {
    let event_count = u32::try_from(last_event - end.event_sequence);
    let event_count = event_count.expect("a record of bounded commands has bounded events");
    BlockNumbers { first_command, last_command, first_event: end.event_sequence + 1, event_count }
}

fn seal(end: EventEnd, numbers: BlockNumbers, payload: &[u8]) -> OwnedBlock {
    let mut builder = BlockBuilder::begin(end.hash);
    builder.payload().extend_from_slice(payload);
    builder.seal(numbers).expect("payload and numbers are within their bounds")
}

/// A block's payload is closed at this size; the stored format's bound is twice that, which leaves
/// room for the events of the command that reaches it (D-76).
const BLOCK_PAYLOAD_SIZE_SPLIT: usize = journal::limits::BLOCK_PAYLOAD_SIZE_MAX / 2;
/// Bytes of size and count at the front of a group (`docs/formats/event.md`).
const GROUP_FRONT_SIZE: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use schema::{Event, EventBuffer, EventHead, EventKind, GroupHead, Label, LeaderChanged};
    use units::Timestamp;

    /// A group of `count` events for command `command`, the first event with number `first`.
    fn group(out: &mut EventBuffer, command: u64, first: u64, count: u64) {
        let time = Timestamp(i64::try_from(first).expect("small") * 10);
        out.begin(&GroupHead {
            command_sequence: command,
            first_sequence: first,
            first_timestamp: time,
            correlation: None,
            idempotency: None,
        });
        let text = "0123456789012345678901234567890123456789012345678901234567890123";
        let leader = Label::new(text).expect("64 bytes");
        for step in 0..count {
            let timestamp = Timestamp(time.0 + i64::try_from(step).expect("small"));
            let head = EventHead { sequence: first + step, timestamp };
            out.push(EventKind::LeaderChanged, head, &LeaderChanged { term: 1, leader });
        }
        out.end();
    }

    #[test]
    fn a_record_makes_one_block_or_none() {
        let mut out = EventBuffer::new();
        let mut record =
            RecordEvents { first_command: 1, last_command: 3, last_event: 0, groups: &[] };
        assert_eq!(make_blocks(EventEnd::EMPTY, &record), Ok(Vec::new()));
        group(&mut out, 2, 1, 5);
        record.last_event = 5;
        record.groups = out.bytes();
        let blocks = make_blocks(EventEnd::EMPTY, &record).expect("sound");
        let header = blocks[0].header();
        assert_eq!((blocks.len(), header.first_command, header.last_command), (1, 1, 3));
        assert_eq!((header.first_event, header.event_count), (1, 5));
    }

    #[test]
    fn a_huge_record_is_cut_at_command_ends() {
        let mut out = EventBuffer::new();
        let (mut next, per_command) = (1, 100_000);
        for command in 1..=8 {
            group(&mut out, command, next, per_command);
            next += per_command;
        }
        let record = RecordEvents {
            first_command: 1,
            last_command: 9,
            last_event: next - 1,
            groups: out.bytes(),
        };
        let blocks = make_blocks(EventEnd::EMPTY, &record).expect("sound");
        assert_eq!(blocks.len(), 2);
        let (one, two) = (blocks[0].header(), blocks[1].header());
        assert_eq!((one.first_command, two.last_command), (1, 9));
        assert_eq!(two.first_command, one.last_command + 1);
        assert_eq!((one.last_event() + 1, two.last_event()), (two.first_event, next - 1));
        assert_eq!(two.previous, blocks[0].hash());
        let payload = [blocks[0].payload(), blocks[1].payload()].concat();
        assert_eq!(payload, out.bytes());
        let mut events = GroupIter::new(&payload)
            .flat_map(|group| group.expect("sound").events().collect::<Vec<_>>());
        assert!(matches!(events.next(), Some(Ok((_, Event::LeaderChanged(_))))));
    }
}
