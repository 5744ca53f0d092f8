//! `Slots`: where the balances of one account lie, by asset.
//!
//! Most accounts have few assets and those that were listed first, so these need no memory of their own. A slot is the
//! place of a balance + 1, and 0 stands for none.

use alloc::boxed::Box;
use alloc::vec::Vec;

/// Assets that need no memory of their own: numbers 1 to 4.
const INLINE_COUNT: usize = 4;

/// Slot + 1 of a balance by asset number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slots {
    first: [u32; INLINE_COUNT],
    /// From the number behind the inline ones on. A box of a list is 8 bytes in every account, a list is 24.
    #[expect(clippy::box_collection, reason = "few accounts have it and all pay for its size")]
    more: Option<Box<Vec<u32>>>,
}

impl Slots {
    /// Slot + 1 of an asset's balance; 0 for none.
    #[inline]
    pub(crate) fn get(&self, asset: u32) -> u32 {
        let Some(at) = (asset as usize).checked_sub(1) else { return 0 };
        if let Some(slot) = self.first.get(at) {
            return *slot;
        }
        let more = self.more.as_ref().and_then(|more| more.get(at - INLINE_COUNT));
        more.copied().unwrap_or(0)
    }

    /// Sets the slot + 1 of an asset, whose number is above 0.
    pub(crate) fn set(&mut self, asset: u32, slot: u32) {
        let at = (asset as usize).checked_sub(1).expect("assets are numbered from 1");
        if let Some(place) = self.first.get_mut(at) {
            *place = slot;
            return;
        }
        let more = self.more.get_or_insert_default();
        if more.len() <= at - INLINE_COUNT {
            more.resize(at - INLINE_COUNT + 1, 0);
        }
        more[at - INLINE_COUNT] = slot;
    }

    /// The assets that have a slot, numbers rising.
    pub(crate) fn assets(&self) -> impl Iterator<Item = u32> {
        let more = self.more.as_ref().map_or(&[][..], |more| more.as_slice());
        let all = self.first.iter().chain(more);
        (1u32..).zip(all).filter(|&(_, &slot)| slot != 0).map(|(asset, _)| asset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_found_by_their_asset() {
        let mut slots = Slots::default();
        assert_eq!(slots.assets().count(), 0);
        for (asset, slot) in [(9, 1), (1, 2), (4, 3), (5, 4)] {
            assert_eq!(slots.get(asset), 0);
            slots.set(asset, slot);
            assert_eq!(slots.get(asset), slot);
        }
        assert_eq!(slots.assets().collect::<Vec<_>>(), [1, 4, 5, 9]);
        assert_eq!([0, 2, 3, 6, 8, 10, u32::MAX].map(|asset| slots.get(asset)), [0; 7]);
    }
}
