//! A hash map whose hash is a few instructions.
//!
//! Its keys are numbers that the shard counts itself and halves of SHA-256 sums; no caller chooses them so
//! that they collide under a mix of 64 bits with a factor, except the hash of an idempotency key, and
//! that is made where the command was made, from a SHA-256.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A map with the fast hash; it is never iterated.
pub(crate) type FastMap<K, V> = HashMap<K, V, BuildHasherDefault<Mix>>;

/// Folds each word in by a multiplication with a full 128-bit product.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mix(u64);

impl Hasher for Mix {
    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    #[inline]
    fn write_u64(&mut self, value: u64) {
        let product = u128::from(self.0 ^ value ^ 0x9E37_79B9_7F4A_7C15)
            .wrapping_mul(0xD1B5_4A32_D192_ED03_8CB9_2BA7_2F3D_8DD7);
        let bytes = product.to_le_bytes();
        let (low, high) = bytes.split_at(8);
        let word = |half: &[u8]| u64::from_le_bytes(half.try_into().expect("eight bytes"));
        self.0 = word(low) ^ word(high);
    }

    #[inline]
    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    #[inline]
    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }

    #[inline]
    fn write_isize(&mut self, value: isize) {
        self.write_u64(value.cast_unsigned() as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::hash::Hash;

    #[test]
    fn counted_numbers_spread() {
        let (mut low, mut high) = (BTreeSet::new(), BTreeSet::new());
        for number in 0..65_536u64 {
            let mut mix = Mix::default();
            number.hash(&mut mix);
            low.insert(mix.finish() & 0xffff);
            high.insert(mix.finish() >> 48);
        }
        assert!(low.len() > 40_000 && high.len() > 40_000, "{} {}", low.len(), high.len());
    }
}
