//! What one thread of the pipeline hands to the next: a bounded queue that is emptied at one blow.
//!
//! Owns the bound: `push` waits while the queue is full, so a stage that is behind holds up the one
//! before it. Items keep their order. The reader takes everything there is under one lock, so the
//! cost of the lock is shared by a batch. After `close` nothing more is taken in, what is there is
//! still handed out, and then the reader is told.

use std::collections::VecDeque;
use std::time::Instant;

use crate::sync::{Condvar, Mutex, MutexGuard};

/// A bounded queue between two threads.
#[derive(Debug)]
pub(crate) struct Mailbox<T> {
    state: Mutex<State<T>>,
    filled: Condvar,
    emptied: Condvar,
    weight_max: u64,
}

#[derive(Debug)]
struct State<T> {
    items: VecDeque<T>,
    weight: u64,
    woken: bool,
    closed: bool,
}

/// What came of waiting for items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// There were some.
    Items,
    /// There were none until the deadline, or somebody called `wake`.
    Nothing,
    /// There are none and will be none.
    Closed,
}

impl<T> Mailbox<T> {
    /// A queue that takes items until their weights reach `weight_max`.
    pub(crate) fn new(weight_max: u64) -> Self {
        let state = State { items: VecDeque::new(), weight: 0, woken: false, closed: false };
        Self {
            state: Mutex::new(state),
            filled: Condvar::new(),
            emptied: Condvar::new(),
            weight_max,
        }
    }

    /// Adds an item once there is room; gives it back when the queue is closed.
    pub(crate) fn push(&self, item: T, weight: u64) -> Result<(), T> {
        let mut state = self.state.lock();
        while state.weight >= self.weight_max && !state.closed {
            self.emptied.wait(&mut state);
        }
        if state.closed {
            return Err(item);
        }
        state.items.push_back(item);
        state.weight += weight;
        let first = state.items.len() == 1;
        drop(state);
        if first {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// Adds an item if there is room now; gives it back otherwise.
    pub(crate) fn try_push(&self, item: T, weight: u64) -> Result<(), T> {
        let mut state = self.state.lock();
        if state.weight >= self.weight_max || state.closed {
            return Err(item);
        }
        state.items.push_back(item);
        state.weight += weight;
        drop(state);
        self.filled.notify_one();
        Ok(())
    }

    /// Whether a `push` now would not wait. What one writer sees stays so until that writer pushes.
    pub(crate) fn has_room(&self) -> bool {
        let state = self.state.lock();
        state.weight < self.weight_max || state.closed
    }

    /// Whether nothing waits in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.state.lock().items.is_empty()
    }

    /// Whether it takes in no more.
    pub(crate) fn is_closed(&self) -> bool {
        self.state.lock().closed
    }

    /// Moves everything there is into `into`, which is empty, waiting until there is something.
    pub(crate) fn take(&self, into: &mut VecDeque<T>, until: Option<Instant>) -> Taken {
        let mut state = self.state.lock();
        loop {
            if let Some(taken) = self.take_from(&mut state, into) {
                return taken;
            }
            if std::mem::take(&mut state.woken) {
                return Taken::Nothing;
            }
            match until {
                None => self.filled.wait(&mut state),
                Some(until) => {
                    if self.filled.wait_until(&mut state, until).timed_out()
                        && state.items.is_empty()
                    {
                        return if state.closed { Taken::Closed } else { Taken::Nothing };
                    }
                }
            }
        }
    }

    /// As `take`, without waiting.
    pub(crate) fn try_take(&self, into: &mut VecDeque<T>) -> Taken {
        let mut state = self.state.lock();
        state.woken = false;
        self.take_from(&mut state, into).unwrap_or(Taken::Nothing)
    }

    /// `None` when there is nothing yet.
    fn take_from(
        &self,
        state: &mut MutexGuard<'_, State<T>>,
        into: &mut VecDeque<T>,
    ) -> Option<Taken> {
        debug_assert!(into.is_empty(), "the reader works its batch off first");
        if state.items.is_empty() {
            return state.closed.then_some(Taken::Closed);
        }
        std::mem::swap(&mut state.items, into);
        state.weight = 0;
        self.emptied.notify_all();
        Some(Taken::Items)
    }

    /// Ends the reader's present or next wait.
    pub(crate) fn wake(&self) {
        self.state.lock().woken = true;
        self.filled.notify_one();
    }

    /// Takes in no more.
    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
        self.filled.notify_all();
        self.emptied.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::thread;
    use std::time::Duration;

    #[test]
    fn items_keep_their_order_over_a_full_queue() {
        let mailbox = Arc::new(Mailbox::new(4));
        let writer = {
            let mailbox = mailbox.clone();
            thread::spawn(move || {
                for number in 0..10_000 {
                    mailbox.push(number, 1).expect("open");
                }
                mailbox.close();
                mailbox.push(10_000, 1)
            })
        };
        let (mut seen, mut batch) = (VecDeque::new(), VecDeque::new());
        while mailbox.take(&mut batch, None) != Taken::Closed {
            assert!(batch.len() <= 4);
            seen.append(&mut batch);
        }
        assert!(seen.into_iter().eq(0..10_000));
        assert_eq!(writer.join().expect("no panic"), Err(10_000));
    }

    #[test]
    fn a_full_queue_gives_an_item_back_to_who_does_not_wait() {
        let mailbox = Mailbox::new(5);
        assert_eq!(mailbox.try_push(1, 4), Ok(()));
        assert_eq!(mailbox.try_push(2, 4), Ok(()), "there was room");
        assert_eq!(mailbox.try_push(3, 1), Err(3));
        assert!(!mailbox.has_room());
        let mut batch = VecDeque::new();
        assert_eq!(mailbox.take(&mut batch, None), Taken::Items);
        assert!(batch == [1, 2] && mailbox.is_empty());
        assert!(mailbox.has_room());
        mailbox.close();
        assert!(mailbox.is_closed());
        assert_eq!(mailbox.try_push(4, 1), Err(4));
    }

    #[test]
    fn a_wait_ends_by_its_deadline_or_by_a_call() {
        let mailbox = Mailbox::<u8>::new(1);
        let mut batch = VecDeque::new();
        let soon = Instant::now() + Duration::from_millis(1);
        assert_eq!(mailbox.take(&mut batch, Some(soon)), Taken::Nothing);
        mailbox.wake();
        assert_eq!(mailbox.take(&mut batch, None), Taken::Nothing);
        mailbox.push(1, 1).expect("open");
        assert_eq!(mailbox.take(&mut batch, Some(soon)), Taken::Items);
    }
}
