//! The primitives of the stored forms.
//!
//! Unsigned numbers are base-128 varints, least group first. Amounts are one byte of size and that
//! many bytes of the zigzag value, least byte first. Every form has one encoding: a reader refuses a
//! varint or an amount that is longer than needed (DET-30). Writers append to a `Vec<u8>`; a reader
//! walks a slice and never panics on what it finds.

use alloc::vec::Vec;
use core::fmt;

use units::{Amount, Id, Lots, Rate, Ticks, Timestamp};

use crate::Label;

/// Why bytes are not a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The bytes end inside a value.
    Truncated,
    /// Bytes are left behind the value.
    Trailing,
    /// A number outside its type or longer than needed.
    BadNumber,
    /// A flag, enumeration or option that does not exist.
    BadTag,
    /// Text that is not UTF-8 or too long.
    BadText,
    /// A list longer than its bound.
    TooMany,
    /// A list that is not in its order, or has something twice.
    BadOrder,
    /// A format or type of a later version.
    Unknown,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "the bytes end inside a value",
            Self::Trailing => "bytes are left behind the value",
            Self::BadNumber => "a number is out of range or not in its shortest form",
            Self::BadTag => "a tag is not one of its list",
            Self::BadText => "a text is not UTF-8 or too long",
            Self::TooMany => "a list is longer than its bound",
            Self::BadOrder => "a list is not in its order",
            Self::Unknown => "a format or type that this version does not know",
        })
    }
}

impl core::error::Error for DecodeError {}

/// Appends a varint.
#[inline]
pub fn write_u64(out: &mut Vec<u8>, value: u64) {
    if value < 0x80 {
        out.push((value & 0x7f) as u8);
    } else {
        write_groups(out, value);
    }
}

/// Two groups or more. Up to eight groups are spread over the bytes of one word, in three steps that
/// part halves, quarters and eighths, instead of one after the other.
#[inline]
fn write_groups(out: &mut Vec<u8>, value: u64) {
    if value >> 56 != 0 {
        return write_long(out, value);
    }
    let (word, count) = spread_groups(value);
    write_front(out, &word.to_le_bytes(), count);
}

/// The groups of a value below 2⁵⁶ and above 0, the first in the lowest byte, and how many they are.
#[inline(never)]
pub(crate) fn spread_groups(value: u64) -> (u64, usize) {
    let mut word = (value & 0x0fff_ffff) | (value & 0x00ff_ffff_f000_0000) << 4;
    word = (word & 0x0000_3fff_0000_3fff) | (word & 0x0fff_c000_0fff_c000) << 2;
    word = (word & 0x007f_007f_007f_007f) | (word & 0x3f80_3f80_3f80_3f80) << 1;
    let count = (64 - value.leading_zeros()).div_ceil(7);
    let not_last = (1 << (8 * (count - 1))) - 1;
    (word | 0x8080_8080_8080_8080 & not_last, count as usize)
}

/// Nine or ten groups.
#[cold]
fn write_long(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push((value & 0x7f) as u8);
}

/// Appends the first `size` bytes of a block: the whole block, cut off again. A copy of a size known
/// to the compiler is a few instructions, one of another size a call.
#[inline]
fn write_front<const N: usize>(out: &mut Vec<u8>, block: &[u8; N], size: usize) {
    let end = out.len() + size;
    out.extend_from_slice(block);
    out.truncate(end);
}

/// Appends an amount: size byte, then zigzag bytes.
#[inline]
pub fn write_amount(out: &mut Vec<u8>, amount: Amount) {
    let zigzag = ((amount.0 << 1) ^ (amount.0 >> 127)).cast_unsigned();
    let size = (128 - zigzag.leading_zeros()).div_ceil(8);
    let mut block = [0u8; 17];
    block[0] = (size & 0x1f) as u8;
    block[1..].copy_from_slice(&zigzag.to_le_bytes());
    write_front(out, &block, size as usize + 1);
}

/// Appends a signed number as a zigzag varint.
pub fn write_i64(out: &mut Vec<u8>, value: i64) {
    write_u64(out, ((value << 1) ^ (value >> 63)).cast_unsigned());
}

/// Appends a text with its size.
pub fn write_text(out: &mut Vec<u8>, text: &str) {
    write_u64(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Appends a label as a text.
#[inline]
pub fn write_label(out: &mut Vec<u8>, label: &Label) {
    write_u64(out, label.as_bytes().len() as u64);
    out.extend_from_slice(label.as_bytes());
}

/// Appends a list with its count.
///
/// # Panics
/// Above `count_max` items: a reader would refuse the list, and a log that cannot be read is worse
/// than a stop. Whoever takes a list in checks its bound first.
pub fn write_list<T>(
    out: &mut Vec<u8>,
    items: &[T],
    count_max: usize,
    write: impl Fn(&mut Vec<u8>, &T),
) {
    assert!(items.len() <= count_max, "a list keeps its bound");
    write_u64(out, items.len() as u64);
    for item in items {
        write(out, item);
    }
}

/// Appends a flag byte, then the value if there is one.
pub fn write_option<T>(out: &mut Vec<u8>, value: Option<T>, write: impl FnOnce(&mut Vec<u8>, T)) {
    out.push(u8::from(value.is_some()));
    if let Some(value) = value {
        write(out, value);
    }
}

/// Walks bytes and takes values off their front.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What is left.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// # Errors
    /// `Trailing` when bytes are left.
    pub const fn end(self) -> Result<(), DecodeError> {
        if self.rest.is_empty() { Ok(()) } else { Err(DecodeError::Trailing) }
    }

    /// Takes `size` bytes.
    ///
    /// # Errors
    /// `Truncated`.
    #[inline]
    pub fn take(&mut self, size: usize) -> Result<&'a [u8], DecodeError> {
        let (head, tail) = self.rest.split_at_checked(size).ok_or(DecodeError::Truncated)?;
        self.rest = tail;
        Ok(head)
    }

    /// Takes `N` bytes as an array.
    ///
    /// # Errors
    /// `Truncated`.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (head, tail) = self.rest.split_first_chunk::<N>().ok_or(DecodeError::Truncated)?;
        self.rest = tail;
        Ok(*head)
    }

    /// Takes one byte.
    ///
    /// # Errors
    /// `Truncated`.
    #[inline]
    pub fn u8(&mut self) -> Result<u8, DecodeError> {
        let (&first, tail) = self.rest.split_first().ok_or(DecodeError::Truncated)?;
        self.rest = tail;
        Ok(first)
    }

    /// Takes a varint.
    ///
    /// # Errors
    /// `Truncated`, or `BadNumber` over 64 bits or with a needless group.
    #[inline]
    pub fn u64(&mut self) -> Result<u64, DecodeError> {
        match self.rest {
            [first, tail @ ..] if *first < 0x80 => {
                self.rest = tail;
                Ok(u64::from(*first))
            }
            _ => self.groups(),
        }
    }

    /// Two groups or more, one after the other.
    fn groups(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0u64;
        for shift in (0..70).step_by(7) {
            let byte = self.u8()?;
            let group = u64::from(byte & 0x7f);
            if shift == 63 && group > 1 {
                return Err(DecodeError::BadNumber);
            }
            value |= group << shift;
            if byte & 0x80 == 0 {
                let shortest = shift == 0 || byte != 0;
                return if shortest { Ok(value) } else { Err(DecodeError::BadNumber) };
            }
        }
        Err(DecodeError::BadNumber)
    }

    /// Takes a varint that fits 32 bits.
    ///
    /// # Errors
    /// As `u64`.
    #[inline]
    pub fn u32(&mut self) -> Result<u32, DecodeError> {
        u32::try_from(self.u64()?).map_err(|_| DecodeError::BadNumber)
    }

    /// Takes a zigzag varint.
    ///
    /// # Errors
    /// As `u64`.
    pub fn i64(&mut self) -> Result<i64, DecodeError> {
        let zigzag = self.u64()?;
        Ok((zigzag >> 1).cast_signed() ^ -((zigzag & 1).cast_signed()))
    }

    /// Takes an amount.
    ///
    /// # Errors
    /// `Truncated`, or `BadNumber` with a needless byte.
    #[inline]
    pub fn amount(&mut self) -> Result<Amount, DecodeError> {
        let size = self.u8()?;
        if size > 16 {
            return Err(DecodeError::BadNumber);
        }
        let ahead = self.rest.first_chunk().map(|block| u128::from_le_bytes(*block));
        let bytes = self.take(usize::from(size))?;
        if bytes.last() == Some(&0) {
            return Err(DecodeError::BadNumber);
        }
        // A load of sixteen bytes that is masked; only near the end of the bytes one of `size`.
        let zigzag = match (ahead, size) {
            (_, 0) => 0,
            (Some(word), _) => word & (u128::MAX >> (128 - 8 * u32::from(size))),
            (None, _) => {
                let mut wide = [0u8; 16];
                wide[..bytes.len()].copy_from_slice(bytes);
                u128::from_le_bytes(wide)
            }
        };
        Ok(Amount((zigzag >> 1).cast_signed() ^ -((zigzag & 1).cast_signed())))
    }

    /// Takes a text of at most `size_max` bytes.
    ///
    /// # Errors
    /// `Truncated` or `BadText`.
    #[inline]
    pub fn text(&mut self, size_max: usize) -> Result<&'a str, DecodeError> {
        let size = usize::try_from(self.u64()?).map_err(|_| DecodeError::BadText)?;
        if size > size_max {
            return Err(DecodeError::BadText);
        }
        core::str::from_utf8(self.take(size)?).map_err(|_| DecodeError::BadText)
    }

    /// Takes a label.
    ///
    /// # Errors
    /// `Truncated` or `BadText`.
    #[inline]
    pub fn label(&mut self) -> Result<Label, DecodeError> {
        Label::new(self.text(crate::limits::LABEL_SIZE_MAX)?).map_err(|_| DecodeError::BadText)
    }

    /// Takes a flag byte and, if it is 1, the value behind it.
    ///
    /// # Errors
    /// `BadTag` for another flag, or what `read` answers.
    #[inline]
    pub fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        if self.flag()? { read(self).map(Some) } else { Ok(None) }
    }

    /// Takes a byte that is 0 or 1.
    ///
    /// # Errors
    /// `Truncated` or `BadTag`.
    #[inline]
    pub fn flag(&mut self) -> Result<bool, DecodeError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(DecodeError::BadTag),
        }
    }

    /// Takes a value whose presence a bit announced before.
    ///
    /// # Errors
    /// What `read` answers.
    #[inline]
    pub fn present<T>(
        &mut self,
        bit: u8,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        if bit == 0 { Ok(None) } else { read(self).map(Some) }
    }

    /// Takes one byte as a value of an enumeration.
    ///
    /// # Errors
    /// `Truncated`, or `BadTag` for a number that it does not have.
    #[inline]
    pub fn tag<T>(&mut self, from_number: impl FnOnce(u8) -> Option<T>) -> Result<T, DecodeError> {
        from_number(self.u8()?).ok_or(DecodeError::BadTag)
    }

    /// Takes a list with its count, at most `count_max`.
    ///
    /// # Errors
    /// `TooMany`, or what `read` answers.
    pub fn list<T>(
        &mut self,
        count_max: usize,
        mut read: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let count = usize::try_from(self.u64()?).map_err(|_| DecodeError::TooMany)?;
        if count > count_max {
            return Err(DecodeError::TooMany);
        }
        let mut items = Vec::with_capacity(count.min(64));
        for _ in 0..count {
            items.push(read(self)?);
        }
        Ok(items)
    }

    /// Takes sixteen bytes of id.
    ///
    /// # Errors
    /// `Truncated`.
    #[inline]
    pub fn id(&mut self) -> Result<Id, DecodeError> {
        self.array().map(Id)
    }

    /// Takes eight bytes of time.
    ///
    /// # Errors
    /// `Truncated`.
    #[inline]
    pub fn time(&mut self) -> Result<Timestamp, DecodeError> {
        self.array().map(|bytes| Timestamp(i64::from_le_bytes(bytes)))
    }

    /// Takes a rate.
    ///
    /// # Errors
    /// As `i64`.
    pub fn rate(&mut self) -> Result<Rate, DecodeError> {
        self.i64().map(Rate)
    }

    /// Takes a price in ticks.
    ///
    /// # Errors
    /// As `u64`.
    #[inline]
    pub fn ticks(&mut self) -> Result<Ticks, DecodeError> {
        self.u64().map(Ticks)
    }

    /// Takes a quantity in lots.
    ///
    /// # Errors
    /// As `u64`.
    #[inline]
    pub fn lots(&mut self) -> Result<Lots, DecodeError> {
        self.u64().map(Lots)
    }
}

/// Appends sixteen bytes of id.
pub fn write_id(out: &mut Vec<u8>, id: Id) {
    out.extend_from_slice(&id.0);
}

/// Appends eight bytes of time, least byte first.
pub fn write_time(out: &mut Vec<u8>, time: Timestamp) {
    out.extend_from_slice(&time.0.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers have one encoding, and longer ones are refused.
    /// covers: DET-30
    #[test]
    fn numbers_have_one_form() {
        let mut seed = 3u64;
        for bits in 0..64 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            for value in [seed >> bits, 1 << bits, (1u64 << bits) - 1, u64::MAX >> bits] {
                let mut out = Vec::new();
                write_u64(&mut out, value);
                assert_eq!(Reader::new(&out).u64(), Ok(value));
                *out.last_mut().expect("a byte") |= 0x80;
                out.push(0);
                assert_eq!(Reader::new(&out).u64(), Err(DecodeError::BadNumber));
            }
            for value in [1i128 << (bits * 2), -(1i128 << (bits * 2)), i128::MIN, i128::MAX, 0] {
                let mut out = Vec::new();
                write_amount(&mut out, Amount(value));
                assert_eq!(Reader::new(&out).amount(), Ok(Amount(value)));
                if out[0] < 16 {
                    out[0] += 1;
                    out.push(0);
                    assert_eq!(Reader::new(&out).amount(), Err(DecodeError::BadNumber));
                }
            }
            let mut out = Vec::new();
            write_i64(&mut out, seed.cast_signed() >> bits);
            assert_eq!(Reader::new(&out).i64(), Ok(seed.cast_signed() >> bits));
        }
    }

    /// No bytes make a reader panic.
    #[test]
    fn short_and_wild_bytes_are_errors() {
        for bytes in [&[][..], &[0x80], &[0xff; 11], &[17, 1], &[16, 0]] {
            assert!(Reader::new(bytes).u64().is_err() || bytes.len() == 2);
            assert!(Reader::new(bytes).amount().is_err());
            assert!(Reader::new(bytes).id().is_err());
        }
        assert_eq!(Reader::new(&[2, 0xff, 0xfe]).text(64), Err(DecodeError::BadText));
        assert_eq!(Reader::new(&[65]).text(64), Err(DecodeError::BadText));
        assert_eq!(Reader::new(&[2]).flag(), Err(DecodeError::BadTag));
        assert_eq!(Reader::new(&[9]).list(8, Reader::u8), Err(DecodeError::TooMany));
    }
}
