//! A record of the command log as bytes: its header, and reading it.
//!
//! Owns the layout in `docs/formats/record.md`: a header of 60 bytes, then each command behind its
//! length. Everything read here is untrusted: a [`Record`] exists only if every bound holds, the
//! lengths add up and the CRC32C is right, so the iterator over its commands cannot fail.
//!
//! It does not check the chain; that takes the record before it: see [`crate::Fence`]. Records are
//! written by [`crate::RecordBuilder`].

use thiserror::Error;

use crate::checksum::{Hash, array_at, crc, hash, u16_at, u32_at, u64_at};
use crate::limits::{
    COMMAND_PREFIX_SIZE, COMMAND_SIZE_MAX, COMMANDS_PER_RECORD_MAX, RECORD_PAYLOAD_SIZE_MAX,
};

/// Marks a record and its format's version: `0xDC` for a record of commands, then version 1.
pub const RECORD_FORMAT: u16 = 0xDC01;

/// Bytes of a record before its payload.
pub const RECORD_HEADER_SIZE: usize = 60;

/// The header of a record, without what only frames the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordHeader {
    /// The term of the leader that wrote it.
    pub epoch: u64,
    /// The sequence of its first command; from 1.
    pub first_sequence: u64,
    /// Commands in it, 1 to 100.
    pub count: u16,
    /// The hash of the record before it.
    pub previous: Hash,
}

/// A checked record, borrowed from the bytes it was read from.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    header: RecordHeader,
    bytes: &'a [u8],
}

/// Why bytes are no record. Who must act is the caller's to know: a writer that gets one has a
/// bug, a reader that gets one has found damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RecordFault {
    /// The bytes end before the record does.
    #[error("a record of {needed} bytes has only {present}")]
    Short {
        /// Bytes that the header or the payload asks for.
        needed: usize,
        /// Bytes there are.
        present: usize,
    },
    /// There are bytes after the record's end.
    #[error("{0} bytes follow the record")]
    Trailing(usize),
    /// The format field names no format this version reads.
    #[error("unknown record format {0:#06x}")]
    UnknownFormat(u16),
    /// The command count is 0 or above the bound.
    #[error("a record holds 1 to {COMMANDS_PER_RECORD_MAX} commands, not {0}")]
    Count(u16),
    /// The payload length is above the bound.
    #[error("a payload of {0} bytes is above the bound of {RECORD_PAYLOAD_SIZE_MAX}")]
    PayloadSize(usize),
    /// A command is empty or above the bound.
    #[error("a command has 1 to {COMMAND_SIZE_MAX} bytes, not {0}")]
    CommandSize(usize),
    /// The lengths of the commands do not add up to the payload's.
    #[error("the commands do not fill the payload")]
    Ragged,
    /// Sequence 0, or a sequence above 64 bits.
    #[error("commands cannot start at sequence {0}")]
    Sequence(u64),
    /// The CRC32C is not that of the bytes.
    #[error("the checksum is wrong")]
    Checksum,
}

impl RecordHeader {
    /// The sequence of the record's last command.
    #[must_use]
    pub fn last_sequence(&self) -> u64 {
        self.first_sequence + u64::from(self.count) - 1
    }
}

impl<'a> Record<'a> {
    /// Reads a record that fills `bytes` exactly.
    pub fn decode(bytes: &'a [u8]) -> Result<Record<'a>, RecordFault> {
        let (record, rest) = Record::decode_first(bytes)?;
        if rest.is_empty() { Ok(record) } else { Err(RecordFault::Trailing(rest.len())) }
    }

    /// Reads the record at the front of `bytes`; also answers what follows it.
    pub fn decode_first(bytes: &'a [u8]) -> Result<(Record<'a>, &'a [u8]), RecordFault> {
        let (header, size) = decode_header(bytes)?;
        if bytes.len() < size {
            return Err(RecordFault::Short { needed: size, present: bytes.len() });
        }
        let (bytes, rest) = bytes.split_at(size);
        let payload = &bytes[RECORD_HEADER_SIZE..];
        if crc(&[&bytes[..CRC_OFFSET], payload]) != u32_at(bytes, CRC_OFFSET) {
            return Err(RecordFault::Checksum);
        }
        check_commands(payload, header.count)?;
        Ok((Record { header, bytes }, rest))
    }

    /// A record whose bytes were checked or built before.
    pub(crate) fn of_checked(header: RecordHeader, bytes: &'a [u8]) -> Record<'a> {
        Record { header, bytes }
    }

    /// The record's header.
    #[must_use]
    pub fn header(&self) -> &RecordHeader {
        &self.header
    }

    /// All its bytes.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The SHA-256 over all its bytes, which the next record must name. Computed at each call.
    #[must_use]
    pub fn hash(&self) -> Hash {
        hash(self.bytes)
    }

    /// Its commands, each with its sequence.
    #[must_use]
    pub fn commands(&self) -> Commands<'a> {
        Commands { sequence: self.header.first_sequence, rest: &self.bytes[RECORD_HEADER_SIZE..] }
    }
}

/// The commands of a checked record in order: `(sequence, bytes)`.
#[derive(Clone, Debug)]
pub struct Commands<'a> {
    sequence: u64,
    rest: &'a [u8],
}

impl<'a> Iterator for Commands<'a> {
    type Item = (u64, &'a [u8]);

    fn next(&mut self) -> Option<(u64, &'a [u8])> {
        if self.rest.is_empty() {
            return None;
        }
        let size = u32_at(self.rest, 0) as usize;
        let (command, rest) = self.rest[COMMAND_PREFIX_SIZE..].split_at(size);
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1); // past the last one it is never read
        self.rest = rest;
        Some((sequence, command))
    }
}

/// Writes the header's bytes in front of the payload, which is already in place behind them.
pub(crate) fn write_header(bytes: &mut [u8], header: &RecordHeader) {
    let payload_size = bytes.len() - RECORD_HEADER_SIZE;
    assert!(payload_size <= RECORD_PAYLOAD_SIZE_MAX, "the builder bounds every command");
    let payload_size = u32::try_from(payload_size).expect("bounded above");
    bytes[0..2].copy_from_slice(&RECORD_FORMAT.to_le_bytes());
    bytes[2..4].copy_from_slice(&header.count.to_le_bytes());
    bytes[4..8].copy_from_slice(&payload_size.to_le_bytes());
    bytes[8..16].copy_from_slice(&header.epoch.to_le_bytes());
    bytes[16..24].copy_from_slice(&header.first_sequence.to_le_bytes());
    bytes[24..56].copy_from_slice(&header.previous);
    let sum = crc(&[&bytes[..CRC_OFFSET], &bytes[RECORD_HEADER_SIZE..]]);
    bytes[CRC_OFFSET..RECORD_HEADER_SIZE].copy_from_slice(&sum.to_le_bytes());
}

/// The header, each field within its bound, and the size of the whole record.
fn decode_header(bytes: &[u8]) -> Result<(RecordHeader, usize), RecordFault> {
    if bytes.len() < RECORD_HEADER_SIZE {
        return Err(RecordFault::Short { needed: RECORD_HEADER_SIZE, present: bytes.len() });
    }
    let format = u16_at(bytes, 0);
    if format != RECORD_FORMAT {
        return Err(RecordFault::UnknownFormat(format));
    }
    let header = RecordHeader {
        epoch: u64_at(bytes, 8),
        first_sequence: u64_at(bytes, 16),
        count: u16_at(bytes, 2),
        previous: array_at(bytes, 24),
    };
    if header.count == 0 || header.count > COMMANDS_PER_RECORD_MAX {
        return Err(RecordFault::Count(header.count));
    }
    let payload_size = u32_at(bytes, 4) as usize;
    if payload_size > RECORD_PAYLOAD_SIZE_MAX {
        return Err(RecordFault::PayloadSize(payload_size));
    }
    check_sequence(header.first_sequence, header.count)?;
    Ok((header, RECORD_HEADER_SIZE + payload_size))
}

/// Sequences start at 1 and stay within 64 bits.
pub(crate) fn check_sequence(first_sequence: u64, count: u16) -> Result<(), RecordFault> {
    if first_sequence == 0 || first_sequence.checked_add(u64::from(count)).is_none() {
        return Err(RecordFault::Sequence(first_sequence));
    }
    Ok(())
}

/// The payload is exactly `count` commands, each within its bound.
fn check_commands(payload: &[u8], count: u16) -> Result<(), RecordFault> {
    let mut rest = payload;
    for _ in 0..count {
        if rest.len() < COMMAND_PREFIX_SIZE {
            return Err(RecordFault::Ragged);
        }
        let size = u32_at(rest, 0) as usize;
        check_command_size(size)?;
        rest = rest.get(COMMAND_PREFIX_SIZE + size..).ok_or(RecordFault::Ragged)?;
    }
    if rest.is_empty() { Ok(()) } else { Err(RecordFault::Ragged) }
}

/// A command is neither empty nor above its bound.
pub(crate) fn check_command_size(size: usize) -> Result<(), RecordFault> {
    if size == 0 || size > COMMAND_SIZE_MAX {
        return Err(RecordFault::CommandSize(size));
    }
    Ok(())
}

const CRC_OFFSET: usize = 56;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::CHAIN_START;
    use crate::record_builder::RecordBuilder;

    fn bytes() -> Vec<u8> {
        let mut builder = RecordBuilder::begin(7, 40, CHAIN_START);
        for command in [&b"one"[..], b"second", b"3"] {
            builder.push(|buffer| buffer.extend_from_slice(command)).expect("small");
        }
        builder.seal().into_bytes()
    }

    /// A record with one field overwritten and the checksum made right again.
    fn forged(offset: usize, field: &[u8]) -> Vec<u8> {
        let mut bytes = bytes();
        bytes[offset..offset + field.len()].copy_from_slice(field);
        let sum = crc(&[&bytes[..CRC_OFFSET], &bytes[RECORD_HEADER_SIZE..]]);
        bytes[CRC_OFFSET..RECORD_HEADER_SIZE].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    fn fault(bytes: &[u8]) -> RecordFault {
        Record::decode(bytes).expect_err("the bytes are no record")
    }

    /// covers: SEQ-14
    #[test]
    fn the_header_and_the_numbered_commands_read_back() {
        let bytes = bytes();
        let record = Record::decode(&bytes).expect("just built");
        let header = RecordHeader { epoch: 7, first_sequence: 40, count: 3, previous: CHAIN_START };
        assert_eq!(*record.header(), header);
        let commands: Vec<_> = record.commands().collect();
        assert_eq!(commands, [(40, &b"one"[..]), (41, b"second"), (42, b"3")]);
    }

    /// covers: REC-55
    #[test]
    fn every_flipped_bit_and_every_missing_byte_is_found() {
        let bytes = bytes();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(Record::decode(&flipped).is_err(), "bit {bit}");
        }
        for size in 0..bytes.len() {
            let found = fault(&bytes[..size]);
            assert!(matches!(found, RecordFault::Short { .. }), "{size} bytes: {found}");
        }
    }

    /// covers: SEQ-14
    #[test]
    fn bounds_hold_even_under_a_right_checksum() {
        assert_eq!(fault(&forged(0, &[1, 0])), RecordFault::UnknownFormat(1));
        assert_eq!(fault(&forged(2, &[0, 0])), RecordFault::Count(0));
        assert_eq!(fault(&forged(2, &[101, 0])), RecordFault::Count(101));
        assert_eq!(fault(&forged(2, &[2, 0])), RecordFault::Ragged);
        assert_eq!(fault(&forged(2, &[4, 0])), RecordFault::Ragged);
        assert_eq!(fault(&forged(4, &[255; 4])), RecordFault::PayloadSize(u32::MAX as usize));
        assert_eq!(fault(&forged(16, &[0; 8])), RecordFault::Sequence(0));
        assert_eq!(fault(&forged(16, &[255; 8])), RecordFault::Sequence(u64::MAX));
        assert_eq!(fault(&forged(60, &[0; 4])), RecordFault::CommandSize(0));
        assert_eq!(fault(&forged(60, &[200, 0, 0, 0])), RecordFault::Ragged);
        let mut trailing = bytes();
        trailing.push(0);
        assert_eq!(fault(&trailing), RecordFault::Trailing(1));
    }
}
