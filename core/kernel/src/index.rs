//! `NamedMap`: a hash map with a named hash that is never iterated (DET-9, DET-13), so its order can
//! reach nobody.

use core::hash::{BuildHasherDefault, Hasher};

use hashbrown::HashMap;

/// The finaliser of SplitMix64: every bit of a sequence reaches every bit of the hash.
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
        let mut mixed = value ^ self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        self.0 = mixed ^ (mixed >> 31);
    }

    #[inline]
    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }
}

/// A map with the named hash.
pub(crate) type NamedMap<K, V> = HashMap<K, V, BuildHasherDefault<Mix>>;
