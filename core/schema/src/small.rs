//! Small payloads: those of trading, written millions of times a second.
//!
//! A payload whose stored form has an end that is known before is written by a `Cursor` straight into
//! the event buffer, which made room for the longest of them first: no check of capacity for each
//! number, no copy by way of the stack. The bytes are those of `docs/formats/event.md`, the same as
//! the writers of `wire.rs` make, which a test holds them to.

use alloc::vec::Vec;

use units::{Amount, Id};

use crate::wire::spread_groups;

/// The longest small payload, with its type byte and its time, has fewer bytes.
pub(crate) const SMALL_SIZE: usize = 288;

/// A payload of fewer than `SMALL_SIZE` bytes. `sequence` is the event's own.
pub trait Small {
    /// Writes the stored form.
    fn put(&self, at: &mut Cursor<'_>, sequence: u64);
}

/// Where the next byte of a small payload goes.
#[derive(Debug)]
pub struct Cursor<'a> {
    bytes: &'a mut [u8; SMALL_SIZE],
    size: usize,
}

impl<'a> Cursor<'a> {
    #[inline]
    pub(crate) fn new(bytes: &'a mut [u8; SMALL_SIZE]) -> Self {
        Self { bytes, size: 0 }
    }

    /// Bytes written so far.
    #[inline]
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    #[inline]
    pub(crate) fn byte(&mut self, byte: u8) {
        self.bytes[self.size] = byte;
        self.size += 1;
    }

    /// Writes a whole block of which the first `size` bytes count.
    #[inline]
    fn front<const N: usize>(&mut self, block: &[u8; N], size: usize) {
        self.bytes[self.size..self.size + N].copy_from_slice(block);
        self.size += size;
    }

    /// A varint.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "measured: its one-byte case is one store")]
    pub(crate) fn u64(&mut self, value: u64) {
        if value < 0x80 {
            return self.byte((value & 0x7f) as u8);
        }
        if value >> 56 != 0 {
            return self.long(value);
        }
        let (word, count) = spread_groups(value);
        self.front(&word.to_le_bytes(), count);
    }

    #[cold]
    fn long(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.byte((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.byte((value & 0x7f) as u8);
    }

    /// How far back `target` lies: an event refers to itself or to an earlier one, from 1.
    #[inline]
    pub(crate) fn back(&mut self, sequence: u64, target: u64) {
        let distance = sequence.wrapping_sub(target);
        assert!(distance < sequence, "a reference goes back to an event");
        self.u64(distance);
    }

    /// Size byte, then zigzag bytes.
    #[inline]
    pub(crate) fn amount(&mut self, amount: Amount) {
        let zigzag = ((amount.0 << 1) ^ (amount.0 >> 127)).cast_unsigned();
        let size = (128 - zigzag.leading_zeros()).div_ceil(8);
        self.byte((size & 0x1f) as u8);
        self.front(&zigzag.to_le_bytes(), size as usize);
    }

    #[inline]
    pub(crate) fn id(&mut self, id: Id) {
        self.front(&id.0, id.0.len());
    }
}

/// Appends a small payload to bytes that are no event buffer.
pub(crate) fn write_small(out: &mut Vec<u8>, payload: &impl Small, sequence: u64) {
    let mut block = [0; SMALL_SIZE];
    let mut cursor = Cursor::new(&mut block);
    payload.put(&mut cursor, sequence);
    let size = cursor.size();
    out.extend_from_slice(&block[..size]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{write_amount, write_u64};

    /// A cursor writes what the writers of `wire` write.
    #[test]
    fn both_writers_write_the_same() {
        let mut seed = 17u64;
        for round in 0..20_000u32 {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let value = seed >> (round % 64);
            let amount = Amount((i128::from(seed) * i128::from(seed >> 1)) >> (round % 127));
            let amount = if round % 2 == 0 { amount } else { -amount };
            let mut expected = Vec::new();
            write_u64(&mut expected, value);
            write_amount(&mut expected, amount);
            let mut block = [0xee; SMALL_SIZE];
            let mut cursor = Cursor::new(&mut block);
            cursor.u64(value);
            cursor.amount(amount);
            let size = cursor.size();
            assert_eq!(block[..size], expected[..], "{value} {amount}");
        }
    }
}
