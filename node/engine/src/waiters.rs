//! Queries that wait until the view has reached an event, each with a deadline.
//!
//! The thread that moves the view serves them: it knows when an event was reached, and it wakes for
//! the next deadline. Time here is that of waits (`Shard::now`): it enters no state.

use std::time::Instant;

use parking_lot::Mutex;
use port::PortFault;
use tokio::sync::oneshot;

/// Everyone who waits for the view.
#[derive(Debug)]
pub(crate) struct Waiters {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<Waiter>,
    closed: bool,
}

#[derive(Debug)]
struct Waiter {
    sequence: u64,
    until: Instant,
    sender: oneshot::Sender<Result<(), PortFault>>,
}

impl Waiters {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::new(State::default()) }
    }

    /// Waits for an event. The caller then wakes the thread that serves.
    pub(crate) fn wait(
        &self,
        sequence: u64,
        until: Instant,
    ) -> oneshot::Receiver<Result<(), PortFault>> {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.state.lock();
        if !state.closed {
            state.waiting.push(Waiter { sequence, until, sender });
        }
        receiver
    }

    /// Ends the waits for what was reached and those that are over; answers the next deadline.
    pub(crate) fn serve(&self, reached: u64, now: Instant) -> Option<Instant> {
        let mut state = self.state.lock();
        if state.waiting.is_empty() {
            return None;
        }
        let over = |waiter: &mut Waiter| waiter.sequence <= reached || waiter.until <= now;
        for waiter in state.waiting.extract_if(.., over) {
            let result = if waiter.sequence <= reached { Ok(()) } else { Err(PortFault::TimedOut) };
            let _gone = waiter.sender.send(result);
        }
        state.waiting.iter().map(|waiter| waiter.until).min()
    }

    /// Ends all waits; later ones end at once.
    pub(crate) fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        state.waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_wait_ends_by_the_event_by_time_or_with_the_shard() {
        let waiters = Waiters::new();
        let later = Instant::now() + Duration::from_secs(3_600);
        let reached = waiters.wait(5, later);
        let now = Instant::now();
        let over = waiters.wait(7, now);
        let ended = waiters.wait(7, later);
        assert_eq!(waiters.serve(5, now), Some(later));
        assert_eq!(reached.blocking_recv(), Ok(Ok(())));
        assert_eq!(over.blocking_recv(), Ok(Err(PortFault::TimedOut)));
        waiters.close();
        assert!(ended.blocking_recv().is_err());
        assert!(waiters.wait(1, later).blocking_recv().is_err());
        assert_eq!(waiters.serve(9, now), None);
    }
}
