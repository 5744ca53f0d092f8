//! Clients and the network: requests on their way, answers on theirs.
//!
//! Owns every attempt. A client that has not been answered tries again under another correlation with
//! the same key; one without a key gives up. Each message that arrives is one submission to the node.

use std::future::Future;
use std::pin::Pin;

use port::{Port, PortFault, Request};
use schema::Reply;
use testkit::rng::SplitMix64;
use units::Id;

use super::{World, poll};
use crate::violation::{Violation, ensure};

/// An answer that will come.
type Answer = Pin<Box<dyn Future<Output = Result<Reply, PortFault>> + Send>>;

/// Requests and where they are.
#[derive(Default)]
pub(crate) struct Clients {
    /// On their way to the node, the oldest first.
    sent: Vec<Request>,
    /// Arrived, and not answered.
    inside: Vec<(Request, Answer)>,
    /// Keyed requests that were not answered as far as their client knows.
    unanswered: Vec<Request>,
    is_losing_answer: bool,
}

impl Clients {
    pub(crate) const fn lose_next_answer(&mut self) {
        self.is_losing_answer = true;
    }

    /// Commands on their way through the node.
    pub(crate) fn kinds_inside(&self) -> Vec<&'static str> {
        self.inside.iter().map(|(request, _)| request.command.kind().name()).collect()
    }

    /// Whoever waited for a node that is gone waits no more.
    pub(crate) fn forget_inside(&mut self) {
        self.inside.clear();
    }

    /// How many wait for an answer of the node.
    pub(crate) fn inside_count(&self) -> usize {
        self.inside.len()
    }

    fn is_known(&mut self, request: &Request) {
        if let Some(key) = request.key {
            self.unanswered.retain(|it| it.key.is_none_or(|other| other.key_hash != key.key_hash));
        }
    }
}

impl World {
    /// A client makes a request.
    pub(crate) fn make(&mut self, seed: u64) -> Request {
        let now = self.door().map_or(self.clock.true_time(), |door| door.clock().now().0);
        self.generator.go_on(seed, now);
        let stamped = self.generator.next(self.auditor.oracle());
        self.clock.advance(stamped.stamp.0 - now);
        self.figures.requests += 1;
        Request {
            correlation: attempt(seed),
            key: stamped.key,
            account_version: stamped.account_version,
            command: stamped.command,
        }
    }

    pub(super) fn send(&mut self, seed: u64) {
        let request = self.make(seed);
        if request.key.is_some() {
            self.clients.unanswered.push(request.clone());
            if self.clients.unanswered.len() > UNANSWERED_MAX {
                self.clients.unanswered.remove(0);
            }
        }
        self.clients.sent.push(request);
    }

    /// A message arrives: mostly the oldest, sometimes another one.
    pub(super) fn deliver(&mut self, random: &mut SplitMix64) {
        if self.clients.sent.is_empty() {
            return;
        }
        let at = if random.below(4) == 0 { index(random, self.clients.sent.len()) } else { 0 };
        let request = self.clients.sent.remove(at);
        if at > 0 {
            self.coverage.hit("message overtaken", request.command.kind().name());
        }
        self.arrive(request);
    }

    /// A request reaches the node's door; one that is down answers nothing.
    pub(crate) fn arrive(&mut self, request: Request) {
        let Some(door) = self.door() else { return };
        self.auditor.on_delivered(&request);
        let answer = door.submit(request.clone());
        self.clients.inside.push((request, answer));
    }

    pub(super) fn retry(&mut self, random: &mut SplitMix64) {
        if self.clients.unanswered.is_empty() {
            return;
        }
        let at = index(random, self.clients.unanswered.len());
        let request =
            Request { correlation: attempt(random.next()), ..self.clients.unanswered[at].clone() };
        self.coverage.hit("retried with its key", request.command.kind().name());
        self.clients.sent.push(request);
    }

    pub(super) fn lose_message(&mut self, random: &mut SplitMix64) {
        if self.clients.sent.is_empty() {
            return;
        }
        let at = index(random, self.clients.sent.len());
        let request = self.clients.sent.remove(at);
        self.coverage.hit("message lost", request.command.kind().name());
    }

    pub(super) fn double_message(&mut self, random: &mut SplitMix64) {
        if self.clients.sent.is_empty() {
            return;
        }
        let at = index(random, self.clients.sent.len());
        let request = self.clients.sent[at].clone();
        self.coverage.hit("message doubled", request.command.kind().name());
        self.arrive(request);
    }

    /// More than the node takes at once.
    pub(super) fn overload(&mut self, random: &mut SplitMix64) {
        for _ in 0..random.between(20, 60) {
            let request = self.make(random.next());
            self.arrive(request);
        }
    }

    /// What the node answered.
    pub(super) fn take_answers(&mut self) -> Result<(), Violation> {
        let mut at = 0;
        while at < self.clients.inside.len() {
            let Some(answer) = poll(&mut self.clients.inside[at].1) else {
                at += 1;
                continue;
            };
            let (request, _) = self.clients.inside.remove(at);
            self.on_answer(&request, &answer)?;
        }
        Ok(())
    }

    fn on_answer(
        &mut self,
        request: &Request,
        answer: &Result<Reply, PortFault>,
    ) -> Result<(), Violation> {
        let kind = request.command.kind().name();
        self.figures.answers += 1;
        self.auditor.on_answer(request, answer)?;
        if *answer == Err(PortFault::Busy) {
            self.coverage.hit("turned away as busy", kind);
        }
        if std::mem::take(&mut self.clients.is_losing_answer) {
            self.coverage.hit("answer lost", kind);
        } else if answer.is_ok() {
            self.clients.is_known(request);
        }
        Ok(())
    }

    /// The node is gone and everyone who waited must have been told so.
    pub(super) fn check_all_told(&mut self) -> Result<(), Violation> {
        self.take_answers()?;
        let waiting = self.clients.inside_count();
        ensure(waiting == 0, || format!("{waiting} requests wait for a node that has ended"))
    }
}

fn index(random: &mut SplitMix64, count: usize) -> usize {
    usize::try_from(random.below(count as u64)).expect("small")
}

/// The name of an attempt.
fn attempt(seed: u64) -> Id {
    let mut random = SplitMix64::new(seed ^ 0xA77E_3B71);
    Id((u128::from(random.next()) << 64 | u128::from(random.next())).to_be_bytes())
}

/// Unanswered requests that clients still remember.
const UNANSWERED_MAX: usize = 200;
