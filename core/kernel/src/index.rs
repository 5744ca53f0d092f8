//! `NamedMap`: a hash map with a named hash that is never iterated (DET-9, DET-13), so its order can
//! reach nobody.

use core::hash::{BuildHasherDefault, Hasher};

use hashbrown::HashMap;
use units::{mix, mix_bytes};

/// The hash of `units::mix`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mix(u64);

impl Hasher for Mix {
    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        self.0 = mix_bytes(self.0, bytes);
    }

    #[inline]
    fn write_u64(&mut self, value: u64) {
        self.0 = mix(self.0, value);
    }

    #[inline]
    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }
}

/// A map with the named hash.
pub(crate) type NamedMap<K, V> = HashMap<K, V, BuildHasherDefault<Mix>>;
