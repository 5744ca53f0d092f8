//! Scenes: a few threads around one hand-over, and what must hold whatever their order.
//!
//! A thread that waits for ever is found by the scheduler: nobody can go on, and the schedule fails.

use std::collections::VecDeque;
use std::time::Instant;

use port::{PortFault, Request};
use schema::{Command, Outcome, Reply};
use shuttle::sync::Arc;
use shuttle::thread;
use tokio::sync::oneshot::Receiver;
use units::Id;

use crate::durability::{Durability, NeverDurable};
use crate::intake::{Entry, Intake, Refused, Work};
use crate::mailbox::{Mailbox, Taken};
use crate::ticket::{Answer, Many, Ticket};

/// A mailbox keeps order and bound, loses nothing, and tells both ends of its end.
pub fn mailbox_keeps_everything_in_order() {
    let mailbox = Arc::new(Mailbox::new(2));
    let writer = {
        let mailbox = mailbox.clone();
        thread::spawn(move || {
            for number in 0..ITEM_COUNT {
                mailbox.push(number, 1).expect("open");
            }
            mailbox.close();
            mailbox.push(ITEM_COUNT, 1)
        })
    };
    let waker = {
        let mailbox = mailbox.clone();
        thread::spawn(move || mailbox.wake())
    };
    let (mut seen, mut batch) = (Vec::new(), VecDeque::new());
    loop {
        // By turns with and without a deadline.
        let until = seen.len().is_multiple_of(2).then(Instant::now);
        match mailbox.take(&mut batch, until) {
            Taken::Closed => break,
            Taken::Nothing => assert!(batch.is_empty()),
            Taken::Items => {
                assert!((1..=2).contains(&batch.len()), "the bound holds");
                seen.extend(batch.drain(..));
            }
        }
    }
    assert!(seen.into_iter().eq(0..ITEM_COUNT));
    assert_eq!(writer.join().expect("no panic"), Err(ITEM_COUNT));
    waker.join().expect("no panic");
}

/// A reader that ends while the writer waits for room lets it go on.
pub fn a_closed_mailbox_holds_nobody() {
    let mailbox = Arc::new(Mailbox::new(1));
    let writer = {
        let mailbox = mailbox.clone();
        thread::spawn(move || (0..3).map(|number| mailbox.push(number, 1)).collect::<Vec<_>>())
    };
    let mut batch = VecDeque::new();
    let taken = mailbox.take(&mut batch, None);
    mailbox.close();
    assert_eq!((taken, batch.front()), (Taken::Items, Some(&0)));
    let told = writer.join().expect("no panic");
    assert_eq!(told[0], Ok(()));
    assert!(told.iter().enumerate().all(|(at, it)| it.is_ok() || *it == Err(at)));
    let mut rest = VecDeque::new();
    let _ = mailbox.try_take(&mut rest);
    let kept = batch.len() + rest.len();
    assert_eq!(kept, told.iter().filter(|it| it.is_ok()).count(), "what was taken in is there");
}

/// The intake: what it takes in is handed out once, in each caller's order, within its bound; who was not
/// taken in is told at once, and who was is told by the end of the sequencer.
pub fn intake_takes_in_or_refuses() {
    let intake = Arc::new(Intake::new(3));
    let submitters: Vec<_> = (0..2).map(|caller| submitter(&intake, caller)).collect();
    let own = {
        let intake = intake.clone();
        thread::spawn(move || intake.submit_own(Command::Tick))
    };
    let closer = {
        let intake = intake.clone();
        thread::spawn(move || intake.close())
    };
    let (mut work, mut taken) = (Work::default(), Vec::new());
    while intake.take(&mut work, Instant::now()) {
        work.own.clear();
        assert!(intake.count() <= 3, "what was taken counts until it is done");
        let count = work.entries.len();
        for entry in work.entries.drain(..) {
            taken.push(entry.request.correlation);
            entry.ticket.answer(Ok(reply(taken.len() as u64)));
        }
        intake.done(count);
    }
    own.join().expect("no panic");
    closer.join().expect("no panic");
    let mut accepted = Vec::new();
    for submitter in submitters {
        for (correlation, mut receiver) in submitter.join().expect("no panic") {
            assert!(receiver.try_recv().expect("answered").is_ok());
            accepted.push(correlation);
        }
    }
    assert_eq!(accepted.len(), taken.len());
    for caller in 0..2 {
        let of = |all: &[Id]| -> Vec<Id> {
            all.iter().copied().filter(|it| it.0[0] == caller).collect()
        };
        assert_eq!(of(&taken), of(&accepted), "each caller's order is kept");
    }
    assert_eq!(intake.count(), 0);
}

/// Requests that were taken in.
type Submitted = Vec<(Id, Receiver<Answer>)>;

fn submitter(intake: &Arc<Intake>, caller: u8) -> thread::JoinHandle<Submitted> {
    let intake = intake.clone();
    thread::spawn(move || {
        let mut submitted = Vec::new();
        for number in 0..3 {
            let mut correlation = Id::default();
            (correlation.0[0], correlation.0[1]) = (caller, number);
            let request =
                Request { correlation, key: None, command: Command::Tick, account_version: None };
            let (ticket, receiver) = Ticket::one();
            match intake.submit(std::iter::once(Entry { request, ticket })) {
                Ok(()) => submitted.push((correlation, receiver)),
                Err(Refused::Full | Refused::Closed) => drop(receiver),
            }
        }
        submitted
    })
}

/// Whoever waits for durability goes on when it is there and not before, or is told that it never will be.
pub fn durability_lets_nobody_pass_early() {
    let durability = Arc::new(Durability::new(0));
    let waiters: Vec<_> = [1, 2, 4]
        .map(|sequence| {
            let durability = durability.clone();
            thread::spawn(move || (sequence, durability.wait(sequence), durability.sequence()))
        })
        .into();
    let log = {
        let durability = durability.clone();
        thread::spawn(move || {
            durability.publish(1);
            durability.publish(3);
            durability.end();
        })
    };
    for waiter in waiters {
        let (sequence, told, durable) = waiter.join().expect("no panic");
        let must = if sequence <= 3 { Ok(()) } else { Err(NeverDurable) };
        assert_eq!(told, must);
        assert!(told.is_err() || durable >= sequence);
    }
    log.join().expect("no panic");
}

/// The way of results from the core by the releaser to callers, beside the log: an answer comes once its
/// record is durable, in order, and if the log ends before, everybody is told that it never will be.
///
/// The releaser here makes the calls of `releaser.rs`: take, wait, answer.
pub fn no_answer_before_durability() {
    let (executed, records) = (Arc::new(Mailbox::new(2)), Arc::new(Mailbox::new(2)));
    let durability = Arc::new(Durability::new(0));
    let core = {
        let (executed, records) = (executed.clone(), records.clone());
        thread::spawn(move || {
            let mut receivers = Vec::new();
            for number in 1..=RECORD_COUNT {
                let (ticket, receiver) = Ticket::one();
                receivers.push(receiver);
                // A log that has ended takes no record; its result is refused all the same.
                let _ = records.push(number, 1);
                executed.push((number, ticket), 1).expect("the releaser ends last");
            }
            records.close();
            executed.close();
            receivers
        })
    };
    let log = {
        let (records, durability) = (records, durability.clone());
        thread::spawn(move || {
            let mut batch = VecDeque::new();
            while records.take(&mut batch, None) != Taken::Closed {
                let last = batch.pop_back().expect("items were taken");
                batch.clear();
                if last > RECORD_DURABLE {
                    break; // the sync failed
                }
                durability.publish(last);
            }
            records.close();
            durability.end();
        })
    };
    let mut batch = VecDeque::new();
    while executed.take(&mut batch, None) != Taken::Closed {
        for (number, ticket) in batch.drain(..) {
            let answer = match durability.wait(number) {
                Ok(()) => Ok(reply(number)),
                Err(NeverDurable) => Err(PortFault::Stopped),
            };
            assert!(answer.is_err() || durability.sequence() >= number);
            ticket.answer(answer);
        }
    }
    log.join().expect("no panic");
    let receivers = core.join().expect("no panic");
    assert_eq!(receivers.len() as u64, RECORD_COUNT);
    let mut is_ended = false;
    for (mut receiver, number) in receivers.into_iter().zip(1..) {
        match receiver.try_recv().expect("everybody is told") {
            Ok(reply) => assert!(!is_ended && reply.command == number && number <= RECORD_DURABLE),
            Err(fault) => {
                is_ended = true;
                assert_eq!(fault, PortFault::Stopped);
            }
        }
    }
}

/// The answers to a batch come as one, in its order, from whatever threads; a fault or a drop ends the wait.
pub fn a_batch_is_answered_once() {
    let (many, mut receiver) = Many::new(3);
    let answerers: Vec<_> = (0..3)
        .map(|place: usize| {
            let ticket = Ticket::Many(many.clone(), place);
            thread::spawn(move || ticket.answer(Ok(reply(place as u64))))
        })
        .collect();
    drop(many);
    for answerer in answerers {
        answerer.join().expect("no panic");
    }
    let replies = receiver.try_recv().expect("told").expect("no fault");
    assert!(replies.into_iter().map(|it| it.command).eq(0..3));
    let (many, mut receiver) = Many::new(2);
    let (one, other) = (Ticket::Many(many.clone(), 0), Ticket::Many(many, 1));
    let failing = thread::spawn(move || one.answer(Err(PortFault::Stopped)));
    other.answer(Ok(reply(1)));
    failing.join().expect("no panic");
    assert_eq!(receiver.try_recv().expect("told"), Err(PortFault::Stopped));
}

const fn reply(command: u64) -> Reply {
    Reply { command, last_event: 0, outcome: Outcome::Done { created: None } }
}

/// Items that go through a mailbox.
const ITEM_COUNT: usize = 6;
/// Records of a run, and how many of them become durable at the most.
const RECORD_COUNT: u64 = 5;
const RECORD_DURABLE: u64 = 3;
