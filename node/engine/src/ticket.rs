//! Who waits for the answer to a command, and how it gets there.
//!
//! Invariant: a ticket is answered at most once, and one that is dropped unanswered ends its caller's
//! wait too. Many commands of one caller share one wait.

use std::sync::Arc;

use port::PortFault;
use schema::Reply;
use tokio::sync::oneshot;

use crate::sync::Mutex;

/// The answer to one command.
pub(crate) type Answer = Result<Reply, PortFault>;
/// The answers to a batch, in its order.
pub(crate) type Answers = Result<Vec<Reply>, PortFault>;

/// Where an answer goes.
#[derive(Debug)]
pub(crate) enum Ticket {
    /// Nobody waits: a command of the sequencer.
    Own,
    /// One caller waits for it.
    One(oneshot::Sender<Answer>),
    /// It is one of a batch, at this place.
    Many(Arc<Many>, usize),
}

/// The answers to a batch as they come in.
#[derive(Debug)]
pub(crate) struct Many {
    state: Mutex<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    replies: Vec<Option<Reply>>,
    missing: usize,
    sender: Option<oneshot::Sender<Answers>>,
}

impl Ticket {
    /// A ticket for one command.
    pub(crate) fn one() -> (Self, oneshot::Receiver<Answer>) {
        let (sender, receiver) = oneshot::channel();
        (Self::One(sender), receiver)
    }

    /// Tells the caller, who may have gone.
    pub(crate) fn answer(self, answer: Answer) {
        match self {
            Self::Own => {}
            Self::One(sender) => drop(sender.send(answer)),
            Self::Many(many, place) => many.answer(place, answer),
        }
    }
}

impl Many {
    /// A wait for `count` answers.
    pub(crate) fn new(count: usize) -> (Arc<Self>, oneshot::Receiver<Answers>) {
        let (sender, receiver) = oneshot::channel();
        let state = Waiting { replies: vec![None; count], missing: count, sender: Some(sender) };
        (Arc::new(Self { state: Mutex::new(state) }), receiver)
    }

    fn answer(&self, place: usize, answer: Answer) {
        let mut state = self.state.lock();
        match answer {
            Ok(reply) => {
                state.missing -= usize::from(state.replies[place].is_none());
                state.replies[place] = Some(reply);
            }
            Err(fault) => {
                if let Some(sender) = state.sender.take() {
                    drop(sender.send(Err(fault)));
                }
            }
        }
        if state.missing == 0
            && let Some(sender) = state.sender.take()
        {
            let replies = std::mem::take(&mut state.replies);
            drop(sender.send(Ok(replies.into_iter().flatten().collect())));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::Outcome;

    fn reply(command: u64) -> Reply {
        Reply { command, last_event: 1, outcome: Outcome::Done { created: None } }
    }

    #[test]
    fn a_batch_is_answered_in_its_order() {
        let (many, receiver) = Many::new(3);
        for place in [2, 0, 1] {
            Ticket::Many(many.clone(), place).answer(Ok(reply(place as u64 + 10)));
        }
        let replies = receiver.blocking_recv().expect("sent").expect("answered");
        assert_eq!(replies, [reply(10), reply(11), reply(12)]);
    }

    #[test]
    fn one_fault_ends_the_wait_and_so_does_a_drop() {
        let (many, receiver) = Many::new(2);
        Ticket::Many(many.clone(), 0).answer(Err(PortFault::Stopped));
        Ticket::Many(many, 1).answer(Ok(reply(2)));
        assert_eq!(receiver.blocking_recv().expect("sent"), Err(PortFault::Stopped));
        let (many, receiver) = Many::new(1);
        drop(Ticket::Many(many, 0));
        assert!(receiver.blocking_recv().is_err());
    }
}
