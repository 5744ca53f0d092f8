//! Clients and the network: requests on their way, answers on theirs.
//!
//! Owns every attempt. A client that has not been answered tries again under another correlation with
//! the same key; one without a key gives up. Each message that arrives is one submission to the node.

use std::future::Future;
use std::pin::Pin;

use port::{Port, PortFault, Request};
use schema::{Key, Reply};
use testkit::rng::SplitMix64;
use units::Id;

use super::gateway::HttpAnswer;
use super::http::{Http, Message};
use super::{World, poll};
use crate::violation::{Violation, ensure};

/// An answer that will come.
type Answer = Pin<Box<dyn Future<Output = Told> + Send>>;

/// A request that arrived.
struct Inside {
    request: Request,
    answer: Answer,
    is_http: bool,
}

/// What a client is told.
enum Told {
    /// By the port.
    Reply(Result<Reply, PortFault>),
    /// By the gateway.
    Http(HttpAnswer),
}

/// Requests and where they are.
#[derive(Default)]
pub(crate) struct Clients {
    /// On their way to the node, the oldest first.
    sent: Vec<Message>,
    /// Arrived, and not answered.
    inside: Vec<Inside>,
    /// Keyed requests that were not answered as far as their client knows.
    unanswered: Vec<Message>,
    is_losing_answer: bool,
    /// The last answer over HTTP: to whom, and its status.
    last_status: Option<(Id, u16)>,
}

impl Clients {
    pub(crate) const fn lose_next_answer(&mut self) {
        self.is_losing_answer = true;
    }

    /// Commands on their way through the node.
    pub(crate) fn kinds_inside(&self) -> Vec<&'static str> {
        self.inside.iter().map(|it| it.request.command.kind().name()).collect()
    }

    /// Whoever waited for a node that is gone waits no more.
    pub(crate) fn forget_inside(&mut self) {
        self.inside.clear();
    }

    /// How many wait for an answer of the node.
    pub(crate) fn inside_count(&self) -> usize {
        self.inside.len()
    }

    /// What the gateway answered to this attempt, if that was its last answer.
    pub(crate) fn status_of(&self, attempt: Id) -> Option<u16> {
        self.last_status.filter(|it| it.0 == attempt).map(|it| it.1)
    }

    fn is_known(&mut self, request: &Request) {
        if let Some(key) = request.key {
            let is_other = |other: Option<Key>| other.is_none_or(|it| it.key_hash != key.key_hash);
            self.unanswered.retain(|it| is_other(it.request.key));
        }
    }
}

impl World {
    /// A client makes a request.
    pub(crate) fn make(&mut self, seed: u64) -> Request {
        let now = self.door().map_or(self.clock.true_time(), |door| door.clock().now().0);
        self.generator.go_on(seed, now);
        let stamped = self.generator.next(self.auditor.oracle());
        self.advance(stamped.stamp.0 - now);
        self.figures.requests += 1;
        Request {
            correlation: attempt(seed),
            key: stamped.key,
            account_version: stamped.account_version,
            command: stamped.command,
        }
    }

    pub(super) fn send(&mut self, seed: u64) {
        let message = self.write(seed);
        if message.request.key.is_some() {
            self.clients.unanswered.push(message.clone());
            if self.clients.unanswered.len() > UNANSWERED_MAX {
                self.clients.unanswered.remove(0);
            }
        }
        self.clients.sent.push(message);
    }

    /// A client's request: about half go over HTTP.
    fn write(&mut self, seed: u64) -> Message {
        let request = self.make(seed);
        if request.correlation.0[0].is_multiple_of(2) {
            return Message::over_http(request, self.auditor.oracle(), self.genesis.venue_id);
        }
        Message::plain(request)
    }

    /// A message arrives: mostly the oldest, sometimes another one.
    pub(super) fn deliver(&mut self, random: &mut SplitMix64) {
        if self.clients.sent.is_empty() {
            return;
        }
        let at = if random.below(4) == 0 { index(random, self.clients.sent.len()) } else { 0 };
        let message = self.clients.sent.remove(at);
        if at > 0 {
            self.coverage.hit("message overtaken", message.request.command.kind().name());
        }
        self.arrive(message);
    }

    /// A request reaches the node's door; one that is down answers nothing.
    pub(crate) fn arrive(&mut self, message: Message) {
        let Some(door) = self.door() else { return };
        let Message { request, http } = message;
        self.auditor.on_delivered(&request, http.is_some());
        let is_http = http.is_some();
        let mut answer: Answer = match http {
            Some(Http { call, accounts }) => {
                let answer = self.gateway.call(request.correlation, call, accounts);
                let Some(answer) = answer else { return };
                Box::pin(async move { Told::Http(answer.await) })
            }
            None => {
                let answer = door.submit(request.clone());
                Box::pin(async move { Told::Reply(answer.await) })
            }
        };
        // The gateway begins with a request when it arrives.
        let time = self.gateway.handle();
        let _inside = time.enter();
        let told = poll(&mut answer);
        if !is_http {
            let fault = match &told {
                Some(Told::Reply(answer)) => answer.as_ref().err(),
                _ => None,
            };
            self.broken = self.broken.take().or(self.check_room(&request, fault).err());
        }
        if let Some(told) = told {
            answer = Box::pin(std::future::ready(told));
        }
        let key_hash = |request: &Request| request.key.map(|key| key.key_hash);
        let key = key_hash(&request);
        let mut others = self.clients.inside.iter().map(|it| key_hash(&it.request));
        if key.is_some() && others.any(|other| other == key) {
            self.coverage.met("one key twice in flight", 1);
        }
        self.clients.inside.push(Inside { request, answer, is_http });
    }

    pub(super) fn retry(&mut self, random: &mut SplitMix64) {
        if self.clients.unanswered.is_empty() {
            return;
        }
        let at = index(random, self.clients.unanswered.len());
        let mut message = self.clients.unanswered[at].clone();
        let kind = message.request.command.kind().name();
        // Now and then a client is impatient: the same key arrives several times at once.
        if random.below(8) == 0 {
            for _ in 0..random.between(2, 6) {
                message.request.correlation = attempt(random.next());
                self.arrive(message.clone());
            }
        }
        message.request.correlation = attempt(random.next());
        self.coverage.hit("retried with its key", kind);
        self.clients.sent.push(message);
    }

    pub(super) fn lose_message(&mut self, random: &mut SplitMix64) {
        if self.clients.sent.is_empty() {
            return;
        }
        let at = index(random, self.clients.sent.len());
        let Message { request, .. } = self.clients.sent.remove(at);
        self.coverage.hit("message lost", request.command.kind().name());
    }

    pub(super) fn double_message(&mut self, random: &mut SplitMix64) {
        if self.clients.sent.is_empty() {
            return;
        }
        let at = index(random, self.clients.sent.len());
        let message = self.clients.sent[at].clone();
        self.coverage.hit("message doubled", message.request.command.kind().name());
        self.arrive(message);
    }

    /// More than the node takes at once.
    pub(super) fn overload(&mut self, random: &mut SplitMix64) {
        for _ in 0..random.between(20, 60) {
            let message = self.write(random.next());
            self.arrive(message);
        }
    }

    /// What the node answered.
    pub(super) fn take_answers(&mut self) -> Result<(), Violation> {
        let time = self.gateway.handle();
        let _inside = time.enter();
        let mut at = 0;
        while at < self.clients.inside.len() {
            let Some(answer) = poll(&mut self.clients.inside[at].answer) else {
                at += 1;
                continue;
            };
            let Inside { request, .. } = self.clients.inside.remove(at);
            self.on_answer(&request, &answer)?;
        }
        Ok(())
    }

    fn on_answer(&mut self, request: &Request, told: &Told) -> Result<(), Violation> {
        let kind = request.command.kind().name();
        self.figures.answers += 1;
        let is_answered = match told {
            Told::Reply(answer) => {
                self.check_fault(request, answer.as_ref().err())?;
                self.auditor.on_answer(request, answer)?;
                if *answer == Err(PortFault::Busy) {
                    self.coverage.hit("turned away as busy", kind);
                }
                answer.is_ok()
            }
            Told::Http((status, body)) => {
                self.figures.http += 1;
                self.coverage.answered(*status);
                self.clients.last_status = Some((request.correlation, *status));
                self.auditor.on_http(request, (*status, body))?;
                *status != 503
            }
        };
        if std::mem::take(&mut self.clients.is_losing_answer) {
            self.coverage.hit("answer lost", kind);
        } else if is_answered {
            self.clients.is_known(request);
        }
        Ok(())
    }

    /// Nobody is told of a fault that is none: a node that runs has not stopped, and answers a command
    /// however long that takes.
    fn check_fault(&self, request: &Request, fault: Option<&PortFault>) -> Result<(), Violation> {
        let runs = self.node.as_ref().is_some_and(|it| it.stop_reason().is_none());
        let may_be = match fault {
            Some(PortFault::Stopped) => !runs,
            Some(PortFault::TimedOut) => false,
            Some(PortFault::Busy | PortFault::NoRoom) | None => true,
        };
        ensure(may_be, || format!("{request:?} was answered with {fault:?}"))
    }

    /// The node has stopped and everyone who waited for it must have been told so; a gateway may still wait
    /// for a view.
    pub(super) fn check_port_told(&mut self) -> Result<(), Violation> {
        self.take_answers()?;
        let waiting = self.clients.inside.iter().filter(|it| !it.is_http).count();
        ensure(waiting == 0, || format!("{waiting} requests wait for a node that has stopped"))
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
pub(super) fn attempt(seed: u64) -> Id {
    let mut random = SplitMix64::new(seed ^ 0xA77E_3B71);
    Id((u128::from(random.next()) << 64 | u128::from(random.next())).to_be_bytes())
}

/// Unanswered requests that clients still remember.
const UNANSWERED_MAX: usize = 200;
