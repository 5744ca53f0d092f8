//! `mix`: the named hash of lookup tables (DET-13).
//!
//! It spreads; it does not resist whoever makes keys on purpose, so tables of it hold what the venue itself has
//! named or numbered. It is never iterated by and decides no order.

/// Mixes a word into a hash: the finaliser of SplitMix64, by which every bit of the word reaches every bit of the hash.
#[must_use]
#[inline]
pub const fn mix(hash: u64, word: u64) -> u64 {
    let mut mixed = word ^ hash;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Mixes bytes into a hash, eight at a time, the last ones filled up with zeros.
#[must_use]
#[inline]
pub fn mix_bytes(hash: u64, bytes: &[u8]) -> u64 {
    bytes.chunks(8).fold(hash, |hash, chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        mix(hash, u64::from_le_bytes(word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SplitMix64 of the seed 0 gives e220a8397b1dcdaf first: the finaliser of its constant.
    #[test]
    fn it_is_the_finaliser_of_split_mix() {
        assert_eq!(mix(0, 0x9e37_79b9_7f4a_7c15), 0xe220_a839_7b1d_cdaf);
        assert_eq!(mix_bytes(0, b"abcdefgh"), mix(0, u64::from_le_bytes(*b"abcdefgh")));
        assert_ne!(mix_bytes(0, b"abcdefghi"), mix_bytes(0, b"abcdefgh"));
    }
}
