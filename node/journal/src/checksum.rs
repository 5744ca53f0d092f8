//! The two checksums of the stored formats: CRC32C finds accidents, SHA-256 forms the chain.
//!
//! Owns the choice of implementation: both use the processor's instructions where there are any,
//! found at run time, with a portable fallback of equal result (REC-56).

use sha2::{Digest, Sha256};

/// A SHA-256 over all bytes of a record or a block.
pub type Hash = [u8; 32];

/// What the first record of a log names as the hash before it.
pub const CHAIN_START: Hash = [0; 32];

/// The hash of one record or block, given all its bytes.
pub(crate) fn hash(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

/// The CRC32C of `parts`, one after another.
pub(crate) fn crc(parts: &[&[u8]]) -> u32 {
    parts.iter().fold(0, |sum, part| crc32c::crc32c_append(sum, part))
}

/// The little-endian `u16` at `offset`, which the caller knows to lie inside `bytes`.
pub(crate) fn u16_at(bytes: &[u8], offset: usize) -> u16 {
    u16::from_le_bytes(array_at(bytes, offset))
}

/// The little-endian `u32` at `offset`, which the caller knows to lie inside `bytes`.
pub(crate) fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes(array_at(bytes, offset))
}

/// The little-endian `u64` at `offset`, which the caller knows to lie inside `bytes`.
pub(crate) fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    u64::from_le_bytes(array_at(bytes, offset))
}

/// The `N` bytes at `offset`, which the caller knows to lie inside `bytes`.
pub(crate) fn array_at<const N: usize>(bytes: &[u8], offset: usize) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[offset..offset + N]);
    array
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published check values of both algorithms, and a bit-by-bit CRC32C as the reference.
    #[test]
    fn published_values() {
        assert_eq!(crc(&[b"123456789"]), 0xE306_9283);
        assert_eq!(crc(&[b"1234", b"56789"]), 0xE306_9283);
        assert_eq!(hash(b"abc")[..4], [0xBA, 0x78, 0x16, 0xBF]);
        let bytes: Vec<u8> = (0..5000_u32).flat_map(|i| (i * 31).to_le_bytes()).collect();
        for size in [0, 1, 7, 8, 9, 255, 1024, 4999] {
            assert_eq!(crc(&[&bytes[..size]]), crc_slow(&bytes[..size]), "size {size}");
        }
    }

    fn crc_slow(bytes: &[u8]) -> u32 {
        let mut sum = !0_u32;
        for byte in bytes {
            sum ^= u32::from(*byte);
            for _ in 0..8 {
                sum = if sum & 1 == 1 { (sum >> 1) ^ 0x82F6_3B78 } else { sum >> 1 };
            }
        }
        !sum
    }
}
