//! A block of the event log as bytes: all events of one command record.
//!
//! Owns the layout in `docs/formats/record.md`: a header of 72 bytes, then a payload that the
//! kernel made and that is opaque here. As with records, a [`Block`] exists only if its bounds and
//! its CRC32C hold, and the chain is checked by the log that holds it.

use thiserror::Error;

use crate::checksum::{Hash, array_at, crc, hash, u16_at, u32_at, u64_at};
use crate::limits::BLOCK_PAYLOAD_SIZE_MAX;

/// Marks a block and its format's version: `0xDE` for a block of events, then version 1.
pub const BLOCK_FORMAT: u16 = 0xDE01;

/// Bytes of a block before its payload.
pub const BLOCK_HEADER_SIZE: usize = 72;

/// The header of a block, without what only frames the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockHeader {
    /// The first command of the record that produced these events; from 1.
    pub first_command: u64,
    /// The last command of that record.
    pub last_command: u64,
    /// The sequence of the first event; from 1.
    pub first_event: u64,
    /// Events in it, at least 1.
    pub event_count: u32,
    /// The hash of the block before it.
    pub previous: Hash,
}

/// A checked block, borrowed from the bytes it was read from.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    header: BlockHeader,
    bytes: &'a [u8],
}

/// A block being filled: the kernel writes its events straight into the buffer.
#[derive(Debug)]
pub struct BlockBuilder {
    previous: Hash,
    bytes: Vec<u8>,
}

/// A finished block: its bytes, its header and its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedBlock {
    header: BlockHeader,
    hash: Hash,
    bytes: Vec<u8>,
}

/// Which numbers a block covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockNumbers {
    /// The first command of the record.
    pub first_command: u64,
    /// The last command of the record.
    pub last_command: u64,
    /// The first event.
    pub first_event: u64,
    /// Events in the block.
    pub event_count: u32,
}

/// Why bytes are no block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BlockFault {
    /// The bytes end before the block does.
    #[error("a block of {needed} bytes has only {present}")]
    Short {
        /// Bytes that the header or the payload asks for.
        needed: usize,
        /// Bytes there are.
        present: usize,
    },
    /// There are bytes after the block's end.
    #[error("{0} bytes follow the block")]
    Trailing(usize),
    /// The format field names no format this version reads.
    #[error("unknown block format {0:#06x}")]
    UnknownFormat(u16),
    /// The bytes kept for later versions are not zero.
    #[error("reserved bytes are not zero")]
    Reserved,
    /// The payload is empty or above the bound.
    #[error("a payload has 1 to {BLOCK_PAYLOAD_SIZE_MAX} bytes, not {0}")]
    PayloadSize(usize),
    /// Numbers that count from 0, run backwards, or leave 64 bits.
    #[error("the block's command or event numbers are impossible")]
    Numbers,
    /// The CRC32C is not that of the bytes.
    #[error("the checksum is wrong")]
    Checksum,
}

impl BlockHeader {
    /// The sequence of the block's last event.
    #[must_use]
    pub fn last_event(&self) -> u64 {
        self.first_event + u64::from(self.event_count) - 1
    }

    fn check_numbers(&self) -> Result<(), BlockFault> {
        let sound = self.first_command > 0
            && self.first_command <= self.last_command
            && self.first_event > 0
            && self.event_count > 0
            && self.first_event.checked_add(u64::from(self.event_count)).is_some();
        if sound { Ok(()) } else { Err(BlockFault::Numbers) }
    }
}

impl BlockBuilder {
    /// Starts a block behind the one whose hash is `previous`.
    #[must_use]
    pub fn begin(previous: Hash) -> BlockBuilder {
        BlockBuilder::begin_in(Vec::new(), previous)
    }

    /// As [`begin`](Self::begin), in a buffer that is used again (see [`OwnedBlock::into_bytes`]).
    #[must_use]
    pub fn begin_in(mut buffer: Vec<u8>, previous: Hash) -> BlockBuilder {
        buffer.clear();
        buffer.resize(BLOCK_HEADER_SIZE, 0);
        BlockBuilder { previous, bytes: buffer }
    }

    /// Where the payload goes: whoever gets the buffer only appends to it.
    pub fn payload(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Finishes the block.
    pub fn seal(mut self, numbers: BlockNumbers) -> Result<OwnedBlock, BlockFault> {
        let header = BlockHeader {
            first_command: numbers.first_command,
            last_command: numbers.last_command,
            first_event: numbers.first_event,
            event_count: numbers.event_count,
            previous: self.previous,
        };
        header.check_numbers()?;
        assert!(self.bytes.len() >= BLOCK_HEADER_SIZE, "an encoder only appends");
        write_header(&mut self.bytes, &header)?;
        Ok(OwnedBlock { header, hash: hash(&self.bytes), bytes: self.bytes })
    }
}

impl OwnedBlock {
    /// Checks a block made elsewhere, such as one that another node sent.
    pub fn decode(bytes: Vec<u8>) -> Result<OwnedBlock, BlockFault> {
        let block = Block::decode(&bytes)?;
        Ok(OwnedBlock { header: block.header, hash: block.hash(), bytes })
    }

    /// A copy of a checked block.
    pub(crate) fn of(block: &Block<'_>) -> OwnedBlock {
        OwnedBlock { header: block.header, hash: block.hash(), bytes: block.bytes.to_vec() }
    }

    /// The block's header.
    #[must_use]
    pub fn header(&self) -> &BlockHeader {
        &self.header
    }

    /// All its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What the kernel wrote.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.bytes[BLOCK_HEADER_SIZE..]
    }

    /// The SHA-256 over all its bytes: what the next block names as previous.
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// Gives the buffer back, to build the next block in.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

impl<'a> Block<'a> {
    /// Reads a block that fills `bytes` exactly.
    pub fn decode(bytes: &'a [u8]) -> Result<Block<'a>, BlockFault> {
        let (block, rest) = Block::decode_first(bytes)?;
        if rest.is_empty() { Ok(block) } else { Err(BlockFault::Trailing(rest.len())) }
    }

    /// Reads the block at the front of `bytes`; also answers what follows it.
    pub fn decode_first(bytes: &'a [u8]) -> Result<(Block<'a>, &'a [u8]), BlockFault> {
        let (header, size) = decode_header(bytes)?;
        if bytes.len() < size {
            return Err(BlockFault::Short { needed: size, present: bytes.len() });
        }
        let (bytes, rest) = bytes.split_at(size);
        let sum = crc(&[&bytes[..CRC_OFFSET], &bytes[BLOCK_HEADER_SIZE..]]);
        if sum != u32_at(bytes, CRC_OFFSET) {
            return Err(BlockFault::Checksum);
        }
        Ok((Block { header, bytes }, rest))
    }

    /// The block's header.
    #[must_use]
    pub fn header(&self) -> &BlockHeader {
        &self.header
    }

    /// All its bytes.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// What the kernel wrote.
    #[must_use]
    pub fn payload(&self) -> &'a [u8] {
        &self.bytes[BLOCK_HEADER_SIZE..]
    }

    /// The SHA-256 over all its bytes. Computed at each call.
    #[must_use]
    pub fn hash(&self) -> Hash {
        hash(self.bytes)
    }
}

/// Writes the header's bytes in front of the payload, which is already in place behind them.
fn write_header(bytes: &mut [u8], header: &BlockHeader) -> Result<(), BlockFault> {
    let payload_size = bytes.len() - BLOCK_HEADER_SIZE;
    check_payload_size(payload_size)?;
    let payload_size = u32::try_from(payload_size).expect("bounded above");
    bytes[0..2].copy_from_slice(&BLOCK_FORMAT.to_le_bytes());
    bytes[2..4].fill(0);
    bytes[4..8].copy_from_slice(&payload_size.to_le_bytes());
    bytes[8..16].copy_from_slice(&header.first_command.to_le_bytes());
    bytes[16..24].copy_from_slice(&header.last_command.to_le_bytes());
    bytes[24..32].copy_from_slice(&header.first_event.to_le_bytes());
    bytes[32..36].copy_from_slice(&header.event_count.to_le_bytes());
    bytes[36..68].copy_from_slice(&header.previous);
    let sum = crc(&[&bytes[..CRC_OFFSET], &bytes[BLOCK_HEADER_SIZE..]]);
    bytes[CRC_OFFSET..BLOCK_HEADER_SIZE].copy_from_slice(&sum.to_le_bytes());
    Ok(())
}

/// The header, each field within its bound, and the size of the whole block.
fn decode_header(bytes: &[u8]) -> Result<(BlockHeader, usize), BlockFault> {
    if bytes.len() < BLOCK_HEADER_SIZE {
        return Err(BlockFault::Short { needed: BLOCK_HEADER_SIZE, present: bytes.len() });
    }
    let format = u16_at(bytes, 0);
    if format != BLOCK_FORMAT {
        return Err(BlockFault::UnknownFormat(format));
    }
    if u16_at(bytes, 2) != 0 {
        return Err(BlockFault::Reserved);
    }
    let payload_size = u32_at(bytes, 4) as usize;
    check_payload_size(payload_size)?;
    let header = BlockHeader {
        first_command: u64_at(bytes, 8),
        last_command: u64_at(bytes, 16),
        first_event: u64_at(bytes, 24),
        event_count: u32_at(bytes, 32),
        previous: array_at(bytes, 36),
    };
    header.check_numbers()?;
    Ok((header, BLOCK_HEADER_SIZE + payload_size))
}

/// A payload is neither empty nor above its bound.
fn check_payload_size(size: usize) -> Result<(), BlockFault> {
    if size == 0 || size > BLOCK_PAYLOAD_SIZE_MAX {
        return Err(BlockFault::PayloadSize(size));
    }
    Ok(())
}

const CRC_OFFSET: usize = 68;

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBERS: BlockNumbers =
        BlockNumbers { first_command: 5, last_command: 6, first_event: 11, event_count: 3 };

    fn seal(numbers: BlockNumbers, payload: &[u8]) -> Result<OwnedBlock, BlockFault> {
        let mut builder = BlockBuilder::begin([8; 32]);
        builder.payload().extend_from_slice(payload);
        builder.seal(numbers)
    }

    #[test]
    fn a_block_reads_back() {
        let sealed = seal(NUMBERS, b"three events").expect("sound");
        let header = *sealed.header();
        assert_eq!((header.first_event, header.last_event()), (11, 13));
        assert_eq!(header.previous, [8; 32]);
        assert_eq!(sealed.payload(), b"three events");
        let block = Block::decode(sealed.bytes()).expect("just built");
        assert_eq!(*block.header(), header);
        assert_eq!(block.payload(), b"three events");
        assert_eq!(block.hash(), sealed.hash());
        assert_eq!(OwnedBlock::decode(sealed.bytes().to_vec()), Ok(sealed.clone()));
    }

    /// covers: REC-55
    #[test]
    fn every_flipped_bit_and_every_missing_byte_is_found() {
        let bytes = seal(NUMBERS, b"three events").expect("sound").into_bytes();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(Block::decode(&flipped).is_err(), "bit {bit}");
        }
        for size in 0..bytes.len() {
            assert!(matches!(Block::decode(&bytes[..size]), Err(BlockFault::Short { .. })));
        }
    }

    #[test]
    fn impossible_numbers_are_refused() {
        let impossible = [
            BlockNumbers { first_command: 0, ..NUMBERS },
            BlockNumbers { last_command: 4, ..NUMBERS },
            BlockNumbers { first_event: 0, ..NUMBERS },
            BlockNumbers { event_count: 0, ..NUMBERS },
            BlockNumbers { first_event: u64::MAX, ..NUMBERS },
        ];
        for numbers in impossible {
            assert_eq!(seal(numbers, b"x"), Err(BlockFault::Numbers), "{numbers:?}");
        }
        assert_eq!(seal(NUMBERS, b""), Err(BlockFault::PayloadSize(0)));
    }
}
