//! The events of commands as bytes: written as they are made, read one group after the other.
//!
//! A group is all the events of one command (EVT-10): a head with sizes, command sequence, first
//! event sequence, stamp, correlation id and idempotency key, then each event as its type, what its
//! timestamp is beyond the one before, and its payload. Sequences are counted on, timestamps rise by
//! 1 ns unless the event says more, so neither is stored twice (D-9, D-79). A command without events
//! leaves no group.

use alloc::vec::Vec;

use units::{Id, Timestamp};

use crate::event_codec::{Payload, read_event};
use crate::small::{Cursor, SMALL_SIZE, Small};
use crate::wire::{DecodeError, Reader, write_u64};
use crate::{Event, EventKind, Idempotency};

/// What a group says of its command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupHead {
    /// Sequence of the command.
    pub command_sequence: u64,
    /// Sequence of the first event.
    pub first_sequence: u64,
    /// Timestamp of the first event.
    pub first_timestamp: Timestamp,
    /// The request that led to it.
    pub correlation: Option<Id>,
    /// The key that its first event enters into state.
    pub idempotency: Option<Idempotency>,
}

/// Number and time of one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventHead {
    /// Number in the shard's event log, from 1.
    pub sequence: u64,
    /// Exchange time.
    pub timestamp: Timestamp,
}

const CORRELATED: u8 = 1;
const KEYED: u8 = 1 << 1;
/// Bytes of size and count at the front of a group.
const FRONT_SIZE: usize = 8;
/// Bytes of a group up to its flags, these included.
const HEAD_SIZE: usize = 33;
/// By how much the buffer grows at least.
const GROWTH_SIZE: usize = 4 * SMALL_SIZE;
/// Set in a type byte when the timestamp rises by more than 1 ns.
const LATER: u8 = 0x80;

/// Collects the events of commands in their stored form.
#[derive(Debug, Default)]
pub struct EventBuffer {
    /// The groups, and behind them room that means nothing.
    bytes: Vec<u8>,
    end: usize,
    group_at: usize,
    /// Sequence of the group's first event, and of its next one.
    first: u64,
    next: u64,
    last: Timestamp,
}

impl EventBuffer {
    /// An empty buffer.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: Vec::new(), end: 0, group_at: 0, first: 0, next: 0, last: Timestamp(0) }
    }

    /// The groups so far.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.end]
    }

    /// Takes the groups out and leaves the buffer empty.
    #[must_use]
    pub fn take(&mut self) -> Vec<u8> {
        let mut bytes = core::mem::take(&mut self.bytes);
        bytes.truncate(self.end);
        self.end = 0;
        bytes
    }

    /// Forgets the groups and keeps the memory.
    pub fn clear(&mut self) {
        self.end = 0;
    }

    /// Room for the longest small payload.
    #[inline]
    fn room(&mut self) -> &mut [u8; SMALL_SIZE] {
        if self.bytes.len() < self.end + SMALL_SIZE {
            self.grow();
        }
        self.bytes[self.end..].first_chunk_mut().expect("it was made")
    }

    #[cold]
    fn grow(&mut self) {
        self.bytes.resize(self.end + GROWTH_SIZE, 0);
    }

    /// Begins the group of a command.
    #[inline]
    pub fn begin(&mut self, head: &GroupHead) {
        self.group_at = self.end;
        self.first = head.first_sequence;
        self.next = head.first_sequence;
        self.last = Timestamp(head.first_timestamp.0 - 1);
        let flags = if head.correlation.is_some() { CORRELATED } else { 0 }
            | if head.idempotency.is_some() { KEYED } else { 0 };
        let room = self.room();
        room[8..16].copy_from_slice(&head.command_sequence.to_le_bytes());
        room[16..24].copy_from_slice(&head.first_sequence.to_le_bytes());
        room[24..32].copy_from_slice(&head.first_timestamp.0.to_le_bytes());
        room[32] = flags;
        let mut size = HEAD_SIZE;
        if let Some(correlation) = head.correlation {
            room[size..size + 16].copy_from_slice(&correlation.0);
            size += 16;
        }
        if let Some(idempotency) = &head.idempotency {
            room[size..size + 16].copy_from_slice(&idempotency.key_hash);
            room[size + 16..size + 32].copy_from_slice(&idempotency.body_hash);
            room[size + 32..size + 40].copy_from_slice(&idempotency.expires_at.0.to_le_bytes());
            size += 40;
        }
        self.end += size;
    }

    /// Adds an event to the group that was begun.
    ///
    /// # Panics
    /// When its sequence is not the next one, its time not later than the last one's, or, of the first
    /// event, not that of the head: none of these could be read back.
    pub fn push<P: Payload>(&mut self, kind: EventKind, head: EventHead, payload: &P) {
        let later = self.later(head);
        self.bytes.truncate(self.end);
        if later == 0 {
            self.bytes.push(kind.number());
        } else {
            self.bytes.push(kind.number() | LATER);
            write_u64(&mut self.bytes, later);
        }
        payload.write(&mut self.bytes, head.sequence);
        self.end = self.bytes.len();
        self.next += 1;
        self.last = head.timestamp;
    }

    /// Adds an event with a small payload: as `push`, and faster.
    ///
    /// # Panics
    /// As `push`.
    #[inline]
    pub fn push_small<P: Small>(&mut self, kind: EventKind, head: EventHead, payload: &P) {
        // Inside a command each event follows the one before at once.
        let at_once = head.sequence == self.next && head.timestamp.0 == self.last.0 + 1;
        let later = if at_once { 0 } else { self.later(head) };
        self.next += 1;
        self.last = head.timestamp;
        let mut cursor = Cursor::new(self.room());
        if later == 0 {
            cursor.byte(kind.number());
        } else {
            cursor.byte(kind.number() | LATER);
            cursor.u64(later);
        }
        payload.put(&mut cursor, head.sequence);
        let size = cursor.size();
        self.end += size;
    }

    /// What an event's time is beyond the earliest that it could be.
    #[cold]
    fn later(&self, head: EventHead) -> u64 {
        let later = head.timestamp.0 - self.last.0 - 1;
        assert!(head.sequence == self.next, "event numbers have no gap (EVT-3)");
        assert!(later >= 0, "event times rise (D-9)");
        assert!(later == 0 || self.next > self.first, "a group begins with its first event's time");
        later.unsigned_abs()
    }

    /// Ends the group; one without events is taken back. Returns the number of its events.
    ///
    /// # Panics
    /// When the group has 4 GiB, which the bound on fills rules out.
    #[inline]
    pub fn end(&mut self) -> u32 {
        let count = self.next - self.first;
        if count == 0 {
            self.end = self.group_at;
            return 0;
        }
        let count = u32::try_from(count).expect("fills of one command are bounded");
        let size = self.end - self.group_at - FRONT_SIZE;
        let size = u32::try_from(size).expect("fills of one command are bounded");
        let front = &mut self.bytes[self.group_at..self.group_at + FRONT_SIZE];
        front[..4].copy_from_slice(&size.to_le_bytes());
        front[4..].copy_from_slice(&count.to_le_bytes());
        count
    }
}

/// The events of one command.
#[derive(Clone, Copy, Debug)]
pub struct EventGroup<'a> {
    /// What the group says of its command.
    pub head: GroupHead,
    /// Number of its events.
    pub count: u32,
    body: &'a [u8],
}

impl<'a> EventGroup<'a> {
    /// Walks the events.
    #[must_use]
    pub const fn events(&self) -> EventIter<'a> {
        EventIter {
            reader: Reader::new(self.body),
            next: self.head.first_sequence,
            last: Timestamp(self.head.first_timestamp.0.wrapping_sub(1)),
            left: self.count,
            at_first: true,
        }
    }
}

/// Walks groups that lie one behind the other.
#[derive(Clone, Copy, Debug)]
pub struct GroupIter<'a> {
    reader: Reader<'a>,
}

impl<'a> GroupIter<'a> {
    /// Walks the groups in `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { reader: Reader::new(bytes) }
    }

    /// Bytes behind the groups walked so far.
    #[must_use]
    pub const fn size_left(&self) -> usize {
        self.reader.rest().len()
    }

    fn group(&mut self) -> Result<EventGroup<'a>, DecodeError> {
        let size = u32::from_le_bytes(self.reader.array()?);
        let count = u32::from_le_bytes(self.reader.array()?);
        let size = usize::try_from(size).map_err(|_| DecodeError::BadNumber)?;
        let mut reader = Reader::new(self.reader.take(size)?);
        let command_sequence = u64::from_le_bytes(reader.array()?);
        let first_sequence = u64::from_le_bytes(reader.array()?);
        let first_timestamp = reader.time()?;
        let flags = reader.u8()?;
        let last_sequence = first_sequence.checked_add(u64::from(count));
        if flags > (CORRELATED | KEYED) || count == 0 || last_sequence.is_none() {
            return Err(DecodeError::BadTag);
        }
        let correlation = if flags & CORRELATED != 0 { Some(reader.id()?) } else { None };
        let idempotency = if flags & KEYED != 0 {
            let (key_hash, body_hash) = (reader.array()?, reader.array()?);
            Some(Idempotency { key_hash, body_hash, expires_at: reader.time()? })
        } else {
            None
        };
        let head = GroupHead {
            command_sequence,
            first_sequence,
            first_timestamp,
            correlation,
            idempotency,
        };
        Ok(EventGroup { head, count, body: reader.rest() })
    }
}

impl<'a> Iterator for GroupIter<'a> {
    type Item = Result<EventGroup<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.rest().is_empty() {
            return None;
        }
        let group = self.group();
        if group.is_err() {
            self.reader = Reader::new(&[]);
        }
        Some(group)
    }
}

/// Walks the events of a group.
#[derive(Clone, Copy, Debug)]
pub struct EventIter<'a> {
    reader: Reader<'a>,
    next: u64,
    last: Timestamp,
    left: u32,
    at_first: bool,
}

impl EventIter<'_> {
    fn event(&mut self) -> Result<(EventHead, Event), DecodeError> {
        let type_byte = self.reader.u8()?;
        let kind = EventKind::from_number(type_byte & !LATER).ok_or(DecodeError::Unknown)?;
        let later = if type_byte & LATER == 0 { 0 } else { self.reader.u64()? };
        if type_byte & LATER != 0 && (later == 0 || self.at_first) {
            return Err(DecodeError::BadNumber);
        }
        self.at_first = false;
        let step = i64::try_from(later).ok().and_then(|later| later.checked_add(1));
        let time = step.and_then(|step| self.last.checked_add(step));
        let timestamp = time.ok_or(DecodeError::BadNumber)?;
        let head = EventHead { sequence: self.next, timestamp };
        let event = read_event(&mut self.reader, kind, head.sequence)?;
        self.next += 1;
        self.last = timestamp;
        Ok((head, event))
    }
}

impl Iterator for EventIter<'_> {
    type Item = Result<(EventHead, Event), DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            let trailing = !self.reader.rest().is_empty();
            self.reader = Reader::new(&[]);
            return trailing.then_some(Err(DecodeError::Trailing));
        }
        self.left -= 1;
        let event = self.event();
        if event.is_err() {
            self.left = 0;
            self.reader = Reader::new(&[]);
        }
        Some(event)
    }
}
