//! Sixty-four neighbouring prices of one side.
//!
//! Owns which of them have orders, as one word, and where their queues are. Invariant: a bit is set
//! exactly while its queue has orders; a leaf without bits is not kept. It deliberately holds the
//! queues by index, not by value: a lone order far from the market then costs 272 bytes here and not
//! two thousand.

use crate::arena::NONE;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Leaf {
    pub(crate) key: u64,
    pub(crate) occupied: u64,
    queues: [u32; 64],
}

impl Leaf {
    pub(crate) const fn new(key: u64) -> Self {
        Self { key, occupied: 0, queues: [NONE; 64] }
    }

    /// The queue at this slot, `NONE` if no order rests there.
    #[inline]
    pub(crate) const fn queue(&self, slot: u32) -> u32 {
        self.queues[(slot & 63) as usize]
    }

    #[inline]
    pub(crate) const fn occupy(&mut self, slot: u32, queue: u32) {
        self.occupied |= 1 << slot;
        self.queues[(slot & 63) as usize] = queue;
    }

    #[inline]
    pub(crate) const fn vacate(&mut self, slot: u32) {
        self.occupied &= !(1 << slot);
        self.queues[(slot & 63) as usize] = NONE;
    }

    /// The best occupied slot.
    #[inline]
    pub(crate) fn best_slot(&self) -> u32 {
        assert!(self.occupied != 0, "a leaf is freed when its last level empties");
        self.occupied.trailing_zeros()
    }
}
