//! Seeded random values with the sizes that codecs care about: small and large, and the edges.

use schema::Label;
use units::{Amount, Id, Rate, Timestamp};

/// SplitMix64; the same seed gives the same values.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// Below `end`; the bias of the remainder does not matter here.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.bits() % u64::try_from(end).expect("64 bits")).expect("below end")
    }

    pub(crate) fn coin(&mut self) -> bool {
        self.bits() & 1 == 1
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.bits().to_le_bytes()[0]
    }

    /// Any size of number is as likely as any other.
    pub(crate) fn u64(&mut self) -> u64 {
        match self.below(16) {
            0 => 0,
            1 => u64::MAX,
            _ => self.bits() >> self.below(64),
        }
    }

    pub(crate) fn u32(&mut self) -> u32 {
        u32::try_from(self.u64() & u64::from(u32::MAX)).expect("masked")
    }

    pub(crate) fn u16(&mut self) -> u16 {
        u16::try_from(self.u64() & u64::from(u16::MAX)).expect("masked")
    }

    pub(crate) fn i64(&mut self) -> i64 {
        self.bits().cast_signed() >> self.below(64)
    }

    pub(crate) fn amount(&mut self) -> Amount {
        match self.below(16) {
            0 => Amount(i128::MIN),
            1 => Amount(i128::MAX),
            _ => {
                let wide = (i128::from(self.bits()) << 64) | i128::from(self.bits());
                Amount(wide >> self.below(128))
            }
        }
    }

    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        core::array::from_fn(|_| self.byte())
    }

    pub(crate) fn id(&mut self) -> Id {
        Id(self.array())
    }

    pub(crate) fn time(&mut self) -> Timestamp {
        Timestamp(self.i64())
    }

    pub(crate) fn rate(&mut self) -> Rate {
        Rate(self.i64())
    }

    /// 0 to 64 bytes, ASCII and wider characters.
    pub(crate) fn label(&mut self) -> Label {
        let size = self.below(65);
        let mut text = String::new();
        loop {
            let next = *self.pick(&['a', 'Z', '0', '/', '-', ' ', '\0', 'é', '€', '😀']);
            if text.len() + next.len_utf8() > size {
                return Label::new(&text).expect("at most 64 bytes");
            }
            text.push(next);
        }
    }

    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    pub(crate) fn option<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.coin() { Some(make(self)) } else { None }
    }

    pub(crate) fn list<T>(
        &mut self,
        count_max: usize,
        mut make: impl FnMut(&mut Self) -> T,
    ) -> Vec<T> {
        let count = self.below(count_max + 1);
        (0..count).map(|_| make(self)).collect()
    }
}
