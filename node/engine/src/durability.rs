//! How far the command log is durable, for those who wait for it.
//!
//! Invariant: the number only rises, and nothing rises it but a sync that succeeded. After a failure
//! it stands for ever, and whoever waits for more is told so.

use crate::sync::{Condvar, Mutex};

/// The durable end of the command log.
#[derive(Debug)]
pub(crate) struct Durability {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    sequence: u64,
    ended: bool,
}

/// The log has ended before the number that was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NeverDurable;

impl Durability {
    /// A log whose durable end is `sequence`.
    pub(crate) fn new(sequence: u64) -> Self {
        Self { state: Mutex::new(State { sequence, ended: false }), changed: Condvar::new() }
    }

    /// A sync succeeded.
    pub(crate) fn publish(&self, sequence: u64) {
        let mut state = self.state.lock();
        assert!(sequence >= state.sequence, "what is durable stays durable");
        state.sequence = sequence;
        self.changed.notify_all();
    }

    /// No more syncs will come.
    pub(crate) fn end(&self) {
        self.state.lock().ended = true;
        self.changed.notify_all();
    }

    /// The durable end now.
    pub(crate) fn sequence(&self) -> u64 {
        self.state.lock().sequence
    }

    /// Whether `sequence` is durable; `None` while that is open.
    pub(crate) fn poll(&self, sequence: u64) -> Option<Result<(), NeverDurable>> {
        let state = self.state.lock();
        if state.sequence >= sequence {
            return Some(Ok(()));
        }
        state.ended.then_some(Err(NeverDurable))
    }

    /// Waits until `sequence` is durable.
    pub(crate) fn wait(&self, sequence: u64) -> Result<(), NeverDurable> {
        let mut state = self.state.lock();
        while state.sequence < sequence {
            if state.ended {
                return Err(NeverDurable);
            }
            self.changed.wait(&mut state);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::thread;

    #[test]
    fn waiting_ends_with_a_sync_or_with_the_log() {
        let durability = Arc::new(Durability::new(3));
        assert_eq!(durability.wait(3), Ok(()));
        assert_eq!((durability.poll(3), durability.poll(4)), (Some(Ok(())), None));
        let waiting = |sequence| {
            let durability = durability.clone();
            thread::spawn(move || durability.wait(sequence))
        };
        let (five, seven) = (waiting(5), waiting(7));
        durability.publish(5);
        assert_eq!(five.join().expect("no panic"), Ok(()));
        durability.end();
        assert_eq!(seven.join().expect("no panic"), Err(NeverDurable));
        assert_eq!(durability.poll(7), Some(Err(NeverDurable)));
        assert_eq!(durability.sequence(), 5);
    }
}
