//! The *events* door: the last batches, kept for readers who follow.
//!
//! Owns a ring of published batches, bounded by count. Writing never waits for a reader: one that falls
//! behind what is kept is told `TooSlow` and starts again from a query. Batches are whole commands; a
//! reader that starts in the middle of one gets it whole and drops what it has (SEQ-41). Only the
//! event log goes further back than the ring.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use port::{EventFeed, FeedFault, Pending, Published};
use tokio::sync::watch;

/// The newest batches.
#[derive(Debug)]
pub(crate) struct Feeds {
    ring: Arc<Ring>,
    last: watch::Sender<u64>,
}

#[derive(Debug)]
struct Ring {
    state: Mutex<State>,
    count_max: usize,
}

#[derive(Debug)]
struct State {
    batches: VecDeque<Arc<Published>>,
    /// Everything after this event is kept.
    after: u64,
    closed: bool,
}

/// A reader's place.
#[derive(Debug)]
struct Reader {
    ring: Arc<Ring>,
    /// The last event that was read.
    after: Arc<AtomicU64>,
    last: watch::Receiver<u64>,
}

impl Feeds {
    /// Feeds that begin behind event `after`.
    pub(crate) fn new(after: u64, count_max: usize) -> Self {
        let state = State { batches: VecDeque::new(), after, closed: false };
        let ring = Arc::new(Ring { state: Mutex::new(state), count_max: count_max.max(1) });
        Self { ring, last: watch::Sender::new(after) }
    }

    /// Hands out a batch.
    pub(crate) fn publish(&self, batch: Published) {
        let last = batch.last_sequence;
        let mut state = self.ring.state.lock();
        if state.batches.len() == self.ring.count_max
            && let Some(oldest) = state.batches.pop_front()
        {
            state.after = oldest.last_sequence;
        }
        state.batches.push_back(Arc::new(batch));
        drop(state);
        self.last.send_replace(last);
    }

    /// No more will come.
    pub(crate) fn close(&self) {
        self.ring.state.lock().closed = true;
        self.last.send_modify(|_| {});
    }

    /// A reader behind event `after`.
    pub(crate) fn read(&self, after: u64) -> Result<Box<dyn EventFeed>, FeedFault> {
        if after < self.ring.state.lock().after {
            return Err(FeedFault::TooOld);
        }
        Ok(Box::new(Reader {
            ring: self.ring.clone(),
            after: Arc::new(AtomicU64::new(after)),
            last: self.last.subscribe(),
        }))
    }
}

impl Ring {
    /// The first batch that ends behind `after`, if there is one.
    fn next(&self, after: u64) -> Result<Option<Arc<Published>>, FeedFault> {
        let state = self.state.lock();
        if after < state.after {
            return Err(FeedFault::TooSlow);
        }
        let at = state.batches.partition_point(|batch| batch.last_sequence <= after);
        match state.batches.get(at) {
            Some(batch) => Ok(Some(batch.clone())),
            None if state.closed => Err(FeedFault::Closed),
            None => Ok(None),
        }
    }
}

impl EventFeed for Reader {
    /// A future that is dropped before it ends loses nothing: the place moves with its end.
    fn next(&mut self) -> Pending<Result<Arc<Published>, FeedFault>> {
        let (ring, after, mut last) = (self.ring.clone(), self.after.clone(), self.last.clone());
        Box::pin(async move {
            loop {
                last.borrow_and_update();
                if let Some(batch) = ring.next(after.load(Ordering::Acquire))? {
                    after.store(batch.last_sequence, Ordering::Release);
                    return Ok(batch);
                }
                last.changed().await.map_err(|_| FeedFault::Closed)?;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::block_on;

    fn batch(first_sequence: u64, last_sequence: u64) -> Published {
        Published { first_sequence, last_sequence, groups: Arc::from([]), updates: Vec::new() }
    }

    #[test]
    fn readers_get_every_batch_from_their_place() {
        let feeds = Feeds::new(10, 3);
        assert_eq!(feeds.read(9).err(), Some(FeedFault::TooOld));
        let mut early = feeds.read(10).expect("kept");
        for first in [11, 21, 31] {
            feeds.publish(batch(first, first + 9));
        }
        let mut late = feeds.read(25).expect("kept");
        assert_eq!(
            block_on(late.next()).expect("kept").first_sequence,
            21,
            "whole, from its start"
        );
        for first in [11, 21, 31] {
            assert_eq!(block_on(early.next()).expect("kept").first_sequence, first);
        }
        drop(early.next());
        feeds.publish(batch(41, 41));
        assert_eq!(block_on(early.next()).expect("kept").last_sequence, 41);
    }

    #[test]
    fn a_slow_reader_is_told_and_the_end_too() {
        let feeds = Feeds::new(0, 2);
        let mut slow = feeds.read(0).expect("kept");
        for first in 1..=3 {
            feeds.publish(batch(first, first));
        }
        assert_eq!(block_on(slow.next()).err(), Some(FeedFault::TooSlow));
        let mut waiting = feeds.read(3).expect("kept");
        feeds.close();
        assert_eq!(block_on(waiting.next()).err(), Some(FeedFault::Closed));
    }
}
