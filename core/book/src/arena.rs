//! A growing array whose freed places are used again, last freed first.
//!
//! Owns the storage behind every index of this crate. Invariant: an index is either live or on the
//! free list, never both; memory is that of the largest number of values live at once. It
//! deliberately does not detect the use of a freed index: its users keep a mark for that in the value.

use alloc::vec::Vec;
use core::ops::{Index, IndexMut};

/// Stands for "no index" in links.
pub(crate) const NONE: u32 = u32::MAX;

#[derive(Clone, Debug)]
pub(crate) struct Arena<T> {
    places: Vec<T>,
    free: Vec<u32>,
}

impl<T: Copy> Arena<T> {
    pub(crate) const fn new() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }

    /// Takes a place and writes the value into it. Inlined with one write, so that the fields go
    /// straight to the place: a copy by way of the stack stalls, as it reads wider than was written.
    #[inline(always)]
    pub(crate) fn insert(&mut self, value: T) -> u32 {
        let index = match self.free.pop() {
            Some(index) => index,
            None => self.grow(value),
        };
        self[index] = value;
        index
    }

    /// Puts the place on the free list; the value in it stays readable and means nothing.
    #[inline]
    pub(crate) fn release(&mut self, index: u32) {
        self.free.push(index);
    }

    /// Places in use or free: the most that were live at once.
    pub(crate) fn capacity_count(&self) -> usize {
        self.places.len()
    }

    /// Values in use.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    pub(crate) fn free(&self) -> &[u32] {
        &self.free
    }

    #[cold]
    fn grow(&mut self, value: T) -> u32 {
        let index =
            u32::try_from(self.places.len()).expect("an arena holds fewer than 2^32 values");
        assert!(index != NONE, "an arena holds fewer than 2^32 - 1 values");
        self.places.push(value);
        index
    }
}

impl<T> Index<u32> for Arena<T> {
    type Output = T;

    #[inline]
    fn index(&self, index: u32) -> &T {
        &self.places[index as usize]
    }
}

impl<T> IndexMut<u32> for Arena<T> {
    #[inline]
    fn index_mut(&mut self, index: u32) -> &mut T {
        &mut self.places[index as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freed_places_are_used_again_before_the_arena_grows() {
        let mut arena = Arena::new();
        let indices: Vec<u32> = (0..4).map(|value| arena.insert(value)).collect();
        arena.release(indices[1]);
        arena.release(indices[2]);
        assert_eq!(arena.len(), 2);
        assert_eq!(arena.insert(10), indices[2]);
        assert_eq!(arena.insert(11), indices[1]);
        assert_eq!((arena.len(), arena.capacity_count()), (4, 4));
        assert_eq!((arena[0], arena[1], arena[2], arena[3]), (0, 11, 10, 3));
    }
}
