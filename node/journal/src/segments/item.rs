//! What a log says about its items, records or blocks, so that the segment code can number, chain
//! and read them without knowing what they hold.
//!
//! Owns the seam between the two logs and their shared files. Pure.

use crate::block::{Block, OwnedBlock};
use crate::checksum::Hash;
use crate::event_log::EventEnd;
use crate::fault::{DamageReason, Refusal};
use crate::fence::{End, Fence};
use crate::record::Record;
use crate::record_builder::Sealed;
use crate::segments::LogKind;

/// A numbered, chained item of a log.
pub(crate) trait Item: Sized + Send + 'static {
    /// The log that holds such items.
    const KIND: LogKind;
    /// The end of a log of such items.
    type End: Copy + PartialEq + Send + std::fmt::Debug;

    /// The end of an empty log.
    const EMPTY: Self::End;

    /// Takes the item at the front of `bytes` and says how long it is.
    fn take(bytes: &[u8]) -> Result<(Self, usize), DamageReason>;

    /// All its bytes.
    fn bytes(&self) -> &[u8];

    /// Its first and last number.
    fn numbers(&self) -> (u64, u64);

    /// The end of a log whose last item is this one.
    fn end(&self) -> Self::End;

    /// Whether it extends a log that ends with `end`.
    fn check_extends(&self, end: &Self::End) -> Result<(), Refusal>;

    /// The last number at an end.
    fn last_number(end: &Self::End) -> u64;
}

impl Item for Sealed {
    const KIND: LogKind = LogKind::Commands;
    type End = End;
    const EMPTY: End = End::EMPTY;

    fn take(bytes: &[u8]) -> Result<(Sealed, usize), DamageReason> {
        let (record, _) = Record::decode_first(bytes)?;
        Ok((Sealed::of(&record), record.bytes().len()))
    }

    fn bytes(&self) -> &[u8] {
        Sealed::bytes(self)
    }

    fn numbers(&self) -> (u64, u64) {
        (self.header().first_sequence, self.last_sequence())
    }

    fn end(&self) -> End {
        Sealed::end(self)
    }

    fn check_extends(&self, end: &End) -> Result<(), Refusal> {
        Fence::new(*end).check(self.header())
    }

    fn last_number(end: &End) -> u64 {
        end.sequence
    }
}

impl Item for OwnedBlock {
    const KIND: LogKind = LogKind::Events;
    type End = EventEnd;
    const EMPTY: EventEnd = EventEnd::EMPTY;

    fn take(bytes: &[u8]) -> Result<(OwnedBlock, usize), DamageReason> {
        let (block, _) = Block::decode_first(bytes)?;
        Ok((OwnedBlock::of(&block), block.bytes().len()))
    }

    fn bytes(&self) -> &[u8] {
        OwnedBlock::bytes(self)
    }

    fn numbers(&self) -> (u64, u64) {
        (self.header().first_event, self.header().last_event())
    }

    fn end(&self) -> EventEnd {
        let hash: Hash = self.hash();
        let header = self.header();
        EventEnd {
            command_sequence: header.last_command,
            event_sequence: header.last_event(),
            hash,
        }
    }

    fn check_extends(&self, end: &EventEnd) -> Result<(), Refusal> {
        let header = self.header();
        let expected = end.event_sequence + 1;
        if header.first_event != expected {
            return Err(Refusal::NotNext { expected, found: header.first_event });
        }
        if header.previous != end.hash {
            return Err(Refusal::WrongPrevious { sequence: expected });
        }
        if header.first_command <= end.command_sequence {
            let (last, found) = (end.command_sequence, header.first_command);
            return Err(Refusal::CommandsBackwards { last, found });
        }
        Ok(())
    }

    fn last_number(end: &EventEnd) -> u64 {
        end.event_sequence
    }
}
