//! The bounded queue in front of the sequencer.
//!
//! Owns the bound on what waits: beyond it a command is turned away at once, never stalled
//! (`Busy`, SVC-29). The sequencer's own commands pass beside the bound, in front of the others. The
//! reader takes all that waits under one lock; what it has taken counts until it says `done`, so the
//! bound holds for the sum.

use std::collections::VecDeque;
use std::time::Instant;

use port::Request;
use schema::Command;

use crate::sync::{AtomicUsize, Condvar, Mutex, Ordering};
use crate::ticket::Ticket;

/// A request and who waits for its answer.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) request: Request,
    pub(crate) ticket: Ticket,
}

/// What the sequencer has to do.
#[derive(Debug, Default)]
pub(crate) struct Work {
    /// Commands of its own, from other threads.
    pub(crate) own: Vec<Command>,
    /// What was submitted, oldest first.
    pub(crate) entries: VecDeque<Entry>,
}

/// The queue.
#[derive(Debug)]
pub(crate) struct Intake {
    state: Mutex<State>,
    filled: Condvar,
    count: AtomicUsize,
    count_max: usize,
}

#[derive(Debug, Default)]
struct State {
    work: Work,
    waiting: bool,
    closed: bool,
}

/// Why nothing was taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// There is no room.
    Full,
    /// It is closed for ever.
    Closed,
}

impl Intake {
    /// A queue for so many commands.
    pub(crate) fn new(count_max: usize) -> Self {
        Self {
            state: Mutex::new(State::default()),
            filled: Condvar::new(),
            count: AtomicUsize::new(0),
            count_max,
        }
    }

    /// Commands that wait or are being numbered.
    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Takes in all entries or none.
    pub(crate) fn submit(
        &self,
        entries: impl ExactSizeIterator<Item = Entry>,
    ) -> Result<(), Refused> {
        let count = entries.len();
        let mut state = self.state.lock();
        if state.closed {
            return Err(Refused::Closed);
        }
        if self.count.load(Ordering::Relaxed) + count > self.count_max {
            return Err(Refused::Full);
        }
        self.count.fetch_add(count, Ordering::Relaxed);
        state.work.entries.extend(entries);
        self.wake(state.waiting);
        Ok(())
    }

    /// Takes in a command of the sequencer; nothing happens when the queue is closed.
    pub(crate) fn submit_own(&self, command: Command) {
        let mut state = self.state.lock();
        if !state.closed {
            state.work.own.push(command);
            self.wake(state.waiting);
        }
    }

    /// Moves all there is into `work`, which is empty, waiting for something until the deadline. `false`
    /// when nothing is left and nothing will come.
    pub(crate) fn take(&self, work: &mut Work, until: Instant) -> bool {
        debug_assert!(work.entries.is_empty() && work.own.is_empty(), "worked off first");
        let mut state = self.state.lock();
        while state.work.entries.is_empty() && state.work.own.is_empty() {
            if state.closed {
                return false;
            }
            state.waiting = true;
            let timed_out = self.filled.wait_until(&mut state, until).timed_out();
            state.waiting = false;
            if timed_out {
                break;
            }
        }
        std::mem::swap(&mut state.work, work);
        true
    }

    /// As `take`, without waiting.
    pub(crate) fn try_take(&self, work: &mut Work) -> bool {
        debug_assert!(work.entries.is_empty() && work.own.is_empty(), "worked off first");
        let mut state = self.state.lock();
        let is_empty = state.work.entries.is_empty() && state.work.own.is_empty();
        std::mem::swap(&mut state.work, work);
        !(is_empty && state.closed)
    }

    /// So many of the entries taken are numbered or answered.
    pub(crate) fn done(&self, count: usize) {
        self.count.fetch_sub(count, Ordering::Relaxed);
    }

    /// Takes in no more.
    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
        self.filled.notify_one();
    }

    /// Drops what nobody will work off; whoever waits for it is told by the drop of its ticket.
    pub(crate) fn clear(&self) {
        let work = std::mem::take(&mut self.state.lock().work);
        self.done(work.entries.len());
    }

    fn wake(&self, waiting: bool) {
        if waiting {
            self.filled.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use units::Id;

    fn entries(count: usize) -> Vec<Entry> {
        let request = || Request {
            correlation: Id::default(),
            key: None,
            command: Command::Tick,
            account_version: None,
        };
        (0..count).map(|_| Entry { request: request(), ticket: Ticket::Own }).collect()
    }

    #[test]
    fn the_bound_counts_what_was_taken_and_not_done() {
        let intake = Intake::new(3);
        let mut work = Work::default();
        assert_eq!(intake.submit(entries(2).into_iter()), Ok(()));
        assert_eq!(intake.submit(entries(2).into_iter()), Err(Refused::Full));
        assert!(intake.try_take(&mut work));
        assert_eq!(work.entries.len(), 2);
        assert_eq!(intake.submit(entries(2).into_iter()), Err(Refused::Full));
        intake.done(2);
        assert_eq!(intake.submit(entries(3).into_iter()), Ok(()));
        intake.submit_own(Command::Tick);
        intake.close();
        assert_eq!(intake.submit(entries(0).into_iter()), Err(Refused::Closed));
        work.entries.clear();
        assert!(intake.take(&mut work, Instant::now()), "what is there is handed out");
        assert_eq!((work.entries.len(), work.own.len()), (3, 1));
        work = Work::default();
        assert!(!intake.take(&mut work, Instant::now()));
        assert!(!intake.try_take(&mut work));
    }
}
