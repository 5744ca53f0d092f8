//! `Id`: a UUID version 7 whose bits carry time, shard and sequence (D-11, D-51).
//!
//! 48 bits of milliseconds, 4 bits version, 12 bits shard, 2 bits variant, 62 bits event sequence.
//! No bit is random: the same time, shard and sequence give the same id, and shard and sequence can
//! be read back. Ids that come from outside are data: they are parsed, never made here (DET-38).

use core::fmt;
use core::str::FromStr;

use crate::Timestamp;

/// Sequences that fit an id: 62 bits (SEQ-4).
pub const SEQUENCE_MAX: u64 = (1 << 62) - 1;
/// Shards are below this, outer streams from here to 4,095 (DET-37).
pub const OUTER_STREAM_FIRST: u16 = 4_000;

const SHARD_END: u16 = 4_096;
const VERSION: u128 = 7;
const VARIANT: u128 = 0b10;

/// Sixteen bytes of identity, in network order.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub [u8; 16]);

/// Why there is no id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdError {
    /// Time before 1970, a shard above 4,095 or a sequence above 2^62 − 1.
    OutOfRange,
    /// Not 36 characters of the form 8-4-4-4-12 in lower-case hexadecimal digits.
    Malformed,
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OutOfRange => "time, shard or sequence out of the range of an id",
            Self::Malformed => "not a UUID",
        })
    }
}

impl core::error::Error for IdError {}

impl Id {
    /// The id of the event `sequence` of `shard` at `time`.
    ///
    /// # Errors
    /// `OutOfRange` when a part does not fit its bits.
    pub fn derive(time: Timestamp, shard: u16, sequence: u64) -> Result<Self, IdError> {
        let milliseconds = u64::try_from(time.0).map_err(|_| IdError::OutOfRange)? / 1_000_000;
        if milliseconds >= 1 << 48 || shard >= SHARD_END || sequence > SEQUENCE_MAX {
            return Err(IdError::OutOfRange);
        }
        let bits = (u128::from(milliseconds) << 80)
            | (VERSION << 76)
            | (u128::from(shard) << 64)
            | (VARIANT << 62)
            | u128::from(sequence);
        Ok(Self(bits.to_be_bytes()))
    }

    /// The shard or outer stream in the id.
    #[must_use]
    pub const fn shard(self) -> u16 {
        u16::from_be_bytes([self.0[6], self.0[7]]) & 0xfff
    }

    /// The event sequence in the id.
    #[must_use]
    pub const fn sequence(self) -> u64 {
        let [.., a, b, c, d, e, f, g, h] = self.0;
        u64::from_be_bytes([a, b, c, d, e, f, g, h]) & SEQUENCE_MAX
    }

    /// Whether version and variant are those of a derived id.
    #[must_use]
    pub const fn is_derived(self) -> bool {
        let bits = u128::from_be_bytes(self.0);
        (bits >> 76) & 0xf == VERSION && (bits >> 62) & 0b11 == VARIANT
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Id {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let bytes = text.as_bytes();
        if bytes.len() != 36 {
            return Err(IdError::Malformed);
        }
        let mut out = [0u8; 16];
        let mut digit_count = 0usize;
        for (position, &byte) in bytes.iter().enumerate() {
            if matches!(position, 8 | 13 | 18 | 23) {
                if byte != b'-' {
                    return Err(IdError::Malformed);
                }
                continue;
            }
            let digit = match byte {
                b'0'..=b'9' => byte - b'0',
                b'a'..=b'f' => byte - b'a' + 10,
                _ => return Err(IdError::Malformed),
            };
            out[digit_count / 2] = (out[digit_count / 2] << 4) | digit;
            digit_count += 1;
        }
        Ok(Self(out))
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::ToString;

    const NOON: Timestamp = Timestamp(1_708_123_456_789_012_345);

    /// covers: DET-33, DET-34, DET-35
    #[test]
    fn bits_lie_where_the_layout_says() {
        let id = Id::derive(NOON, 5, 1_234_567).expect("in range");
        let bits = u128::from_be_bytes(id.0);
        assert_eq!(bits >> 80, 1_708_123_456_789);
        assert_eq!((bits >> 76) & 0xf, 7);
        assert_eq!((bits >> 62) & 3, 2);
        assert_eq!((id.shard(), id.sequence()), (5, 1_234_567));
        assert!(id.is_derived());
        assert_eq!(Id::derive(NOON, 5, 1_234_567), Ok(id));
        assert_ne!(Id::derive(NOON, 5, 1_234_568), Ok(id));
        assert_ne!(Id::derive(NOON, 6, 1_234_567), Ok(id));
        assert_ne!(Id::derive(Timestamp(NOON.0 + 1_000_000), 5, 1_234_567), Ok(id));
    }

    /// covers: DET-36
    #[test]
    fn ids_of_a_shard_sort_by_sequence() {
        let mut last = Id::default();
        for step in 1..1_000u64 {
            let time = Timestamp(NOON.0 + i64::try_from(step).expect("small") * 333_333);
            let id = Id::derive(time, 0, step).expect("in range");
            assert!(id > last);
            last = id;
        }
    }

    /// covers: DET-37
    #[test]
    fn parts_that_do_not_fit_are_refused() {
        assert!(Id::derive(NOON, 3_999, SEQUENCE_MAX).is_ok());
        assert!(Id::derive(NOON, 4_095, 0).is_ok());
        assert_eq!(Id::derive(NOON, 4_096, 0), Err(IdError::OutOfRange));
        assert_eq!(Id::derive(NOON, 0, SEQUENCE_MAX + 1), Err(IdError::OutOfRange));
        assert_eq!(Id::derive(Timestamp(-1), 0, 1), Err(IdError::OutOfRange));
    }

    #[test]
    fn text_and_id_are_inverse() {
        let id = Id::derive(NOON, 1, 42).expect("in range");
        assert_eq!(id.to_string().parse(), Ok(id));
        let known = "018db49c-f095-7001-8000-00000000002a";
        assert_eq!(id.to_string().len(), known.len());
        for bad in [
            "",
            "018db49cf0957001800000000000002a",
            "018DB49C-f095-7001-8000-00000000002a",
            "018db49c-f095-7001-8000-00000000002g",
        ] {
            assert_eq!(bad.parse::<Id>(), Err(IdError::Malformed));
        }
    }
}
