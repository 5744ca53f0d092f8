//! The price levels of one side, best first.
//!
//! Owns the search from a price to its queue, and the best level. Three steps, each for what the one
//! before cannot answer: a direct-mapped cache of leaves, the occupancy word of a leaf, and an ordered
//! map of leaf keys for the far tail. Invariants: `best` names the occupied level of lowest rank
//! whenever one exists; a leaf is in the map exactly while it is occupied; a cache entry names a leaf
//! of the map. It deliberately does not look inside a queue.

use alloc::collections::BTreeMap;

use crate::arena::{Arena, NONE};
use crate::leaf::Leaf;
use crate::queue::{Place, Queue};
use crate::rank::Rank;
use crate::recent::Recent;

#[derive(Clone, Debug)]
pub(crate) struct Ladder {
    pub(crate) queues: Arena<Queue>,
    pub(crate) leaves: Arena<Leaf>,
    pub(crate) keys: BTreeMap<u64, u32>,
    best: Best,
    pub(crate) recent: Recent,
}

/// The best level; `queue` is `NONE` while the side is empty.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Best {
    pub(crate) rank: Rank,
    pub(crate) queue: u32,
}

impl Ladder {
    pub(crate) const fn new() -> Self {
        Self {
            queues: Arena::new(),
            leaves: Arena::new(),
            keys: BTreeMap::new(),
            best: EMPTY,
            recent: Recent::new(),
        }
    }

    #[inline]
    pub(crate) fn best(&self) -> Option<Best> {
        (self.best.queue != NONE).then_some(self.best)
    }

    /// The queue at this rank, opened if no order rests there yet.
    #[inline]
    pub(crate) fn open(&mut self, rank: Rank) -> u32 {
        let leaf = self.open_leaf(rank.leaf_key());
        let queue = self.leaves[leaf].queue(rank.slot());
        if queue != NONE { queue } else { self.open_queue(leaf, rank) }
    }

    /// The queue at this rank, if an order rests there.
    pub(crate) fn find(&self, rank: Rank) -> Option<u32> {
        let key = rank.leaf_key();
        let leaf = self.recent.find(key).or_else(|| self.keys.get(&key).copied())?;
        let queue = self.leaves[leaf].queue(rank.slot());
        (queue != NONE).then_some(queue)
    }

    /// Takes an emptied queue out, and moves the best price on if it was the best.
    pub(crate) fn close(&mut self, queue: u32) {
        let place = self.queues[queue].place;
        let leaf = &mut self.leaves[place.leaf()];
        leaf.vacate(place.slot());
        let leaf_emptied = leaf.occupied == 0;
        if leaf_emptied {
            self.close_leaf(place.leaf());
        }
        self.queues.release(queue);
        if queue == self.best.queue {
            self.best = if leaf_emptied { self.first() } else { self.best_of(place.leaf()) };
        }
    }

    /// The rank of a queue, from where it hangs.
    pub(crate) fn rank(&self, queue: u32) -> Rank {
        let place = self.queues[queue].place;
        Rank::at(self.leaves[place.leaf()].key, place.slot())
    }

    /// The best level found by search, which `best` must equal at all times.
    pub(crate) fn first(&self) -> Best {
        match self.keys.first_key_value() {
            Some((_, &leaf)) => self.best_of(leaf),
            None => EMPTY,
        }
    }

    fn best_of(&self, leaf: u32) -> Best {
        let leaf = &self.leaves[leaf];
        let slot = leaf.best_slot();
        Best { rank: Rank::at(leaf.key, slot), queue: leaf.queue(slot) }
    }

    #[inline]
    fn open_leaf(&mut self, key: u64) -> u32 {
        match self.recent.find(key) {
            Some(leaf) => leaf,
            None => self.open_leaf_slow(key),
        }
    }

    fn open_leaf_slow(&mut self, key: u64) -> u32 {
        let leaves = &mut self.leaves;
        let leaf = *self.keys.entry(key).or_insert_with(|| leaves.insert(Leaf::new(key)));
        self.recent.remember(key, leaf, leaves.len());
        leaf
    }

    fn open_queue(&mut self, leaf: u32, rank: Rank) -> u32 {
        let queue = self.queues.insert(Queue::new(Place::new(leaf, rank.slot())));
        self.leaves[leaf].occupy(rank.slot(), queue);
        if self.best.queue == NONE || rank < self.best.rank {
            self.best = Best { rank, queue };
        }
        queue
    }

    fn close_leaf(&mut self, leaf: u32) {
        let key = self.leaves[leaf].key;
        let removed = self.keys.remove(&key);
        assert!(removed == Some(leaf), "an occupied leaf is in the map");
        self.recent.forget(key);
        self.leaves.release(leaf);
    }
}

/// What `best` is while the side has no order.
const EMPTY: Best = Best { rank: Rank::WORST, queue: NONE };
