//! The port in the same process: the three doors over the shard's shared state.
//!
//! `submit` puts a command into the bounded intake and waits for the releaser; `query` reads the view
//! under its lock in the caller's thread, or the archive, which it waits for (`history.rs`); `events` reads the ring of batches. None of them blocks a
//! thread for long, and none answers before the result is durable. What the log could not give back is
//! turned away here, before it gets a number.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use port::{
    EventFeed, FeedFault, HaltView, HealthStatus, HealthView, Pending, Port, PortFault, Query,
    Request, Seen, View as ViewAnswer,
};
use schema::{Code, Command, HaltReason, Outcome, Refusal, Reply, TradingHalt, Why};
use units::{Id, Timestamp};

use crate::bounds::is_storable;
use crate::exchange_clock::ExchangeClock;
use crate::intake::{Entry, Refused};
use crate::mailbox::Mailbox;
use crate::releaser::Released;
use crate::room::is_taken;
use crate::sequencer::refused_unsequenced;
use crate::shard::Shard;
use crate::ticket::{Answer, Many, Ticket};

/// The three doors of an engine in this process. Cheap to clone.
#[derive(Clone)]
pub struct InProcess {
    shard: Arc<Shard>,
    /// The follower's, to wake it for a query's deadline.
    follower: Arc<Mailbox<Released>>,
}

impl InProcess {
    /// What a test looks at.
    #[cfg(test)]
    pub(crate) fn shard(&self) -> &Arc<Shard> {
        &self.shard
    }

    pub(crate) fn new(shard: Arc<Shard>, follower: Arc<Mailbox<Released>>) -> Self {
        Self { shard, follower }
    }

    /// Submits commands that follow one another in the log, in their order, with nothing but the
    /// sequencer's own commands between them, under one lock and with one answer. The replies are in
    /// the order of the requests. Taken as a whole or not at all: `Busy` when there is no room for all,
    /// and where one may not be submitted its refusal stands for each.
    #[must_use]
    pub fn submit_all(&self, requests: Vec<Request>) -> Pending<Result<Vec<Reply>, PortFault>> {
        if requests.is_empty() {
            return ready(Ok(Vec::new()));
        }
        if let Some(refused) = requests.iter().find_map(|request| self.answer_at_once(request)) {
            return ready(refused.map(|reply| vec![reply; requests.len()]));
        }
        let (many, receiver) = Many::new(requests.len());
        let entries = requests
            .into_iter()
            .enumerate()
            .map(|(place, request)| Entry { request, ticket: Ticket::Many(many.clone(), place) });
        if let Err(refused) = self.shard.intake.submit(entries) {
            return ready(Err(self.refused(refused)));
        }
        Box::pin(async move { receiver.await.unwrap_or(Err(PortFault::Stopped)) })
    }

    /// Exchange time.
    #[must_use]
    pub fn clock(&self) -> &ExchangeClock {
        &self.shard.clock
    }

    /// What can be told without a number: a fault of the shard, or the answer to a command that must
    /// not come from outside or that the log could not give back.
    fn answer_at_once(&self, request: &Request) -> Option<Answer> {
        if self.shard.is_stopped() {
            return Some(Err(PortFault::Stopped));
        }
        if self.shard.is_lagging() && !passes_closed_intake(&request.command) {
            self.shard.metrics.refused_lag.add(1);
            return Some(Err(PortFault::Busy));
        }
        if !is_taken(self.shard.look_for_room(), &request.command) {
            self.shard.metrics.refused_room.add(1);
            return Some(Err(PortFault::NoRoom));
        }
        let last_event = self.shard.metrics.released_event.value();
        match request.command {
            Command::Genesis(_)
            | Command::Tick
            | Command::LeaderChanged { .. }
            | Command::RecordStateHash { .. }
            | Command::RecordSnapshot { .. }
            | Command::RecordClockStatus { .. }
            | Command::Quarantine(..)
            | Command::HaltTrading(TradingHalt { reason: HaltReason::Clock, .. }, _) => {
                let refusal = Refusal::new(Code::PermissionDenied, Why::NotOffered);
                Some(Ok(Reply { command: 0, last_event, outcome: Outcome::Refused(refusal) }))
            }
            ref command if !is_storable(command) => Some(Ok(refused_unsequenced(last_event))),
            _ => None,
        }
    }

    fn refused(&self, refused: Refused) -> PortFault {
        match refused {
            Refused::Closed => PortFault::Stopped,
            Refused::Full => {
                self.shard.metrics.refused_full.add(1);
                PortFault::Busy
            }
        }
    }
}

impl Port for InProcess {
    fn submit(&self, request: Request) -> Pending<Result<Reply, PortFault>> {
        if let Some(answer) = self.answer_at_once(&request) {
            return ready(answer);
        }
        let (ticket, receiver) = Ticket::one();
        let entry = Entry { request, ticket };
        if let Err(refused) = self.shard.intake.submit(std::iter::once(entry)) {
            return ready(Err(self.refused(refused)));
        }
        Box::pin(async move { receiver.await.unwrap_or(Err(PortFault::Stopped)) })
    }

    fn exchange_time(&self) -> Timestamp {
        self.shard.clock.now()
    }

    fn events(&self, after: u64) -> Result<Box<dyn EventFeed>, FeedFault> {
        self.shard.feeds.read(after)
    }

    fn query(
        &self,
        query: Query,
        min_sequence: u64,
        wait: Duration,
    ) -> Pending<Result<Seen, PortFault>> {
        let shard = self.shard.clone();
        let until = shard.now() + wait.min(WAIT_MAX);
        let reached = (shard.metrics.view_sequence.value() < min_sequence).then(|| {
            let reached = shard.waiters.wait(min_sequence, until);
            self.follower.wake();
            reached
        });
        Box::pin(async move {
            if let Some(reached) = reached {
                reached.await.unwrap_or(Err(PortFault::Stopped))?;
            }
            if is_of_view(query) {
                return answer(&shard, query);
            }
            let seen = answer_if_young(&shard, query)?;
            // What the view has reached by now, so that nothing is missing between the two.
            let least = shard.metrics.view_sequence.value().max(min_sequence);
            match (seen, &shard.history) {
                (Some(seen), _) => Ok(seen),
                (None, Some(history)) => history.ask(query, least, until).await,
                (None, None) => Err(PortFault::Stopped),
            }
        })
    }
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcess").field("shard", &self.shard).finish_non_exhaustive()
    }
}

/// Whether the view alone answers.
const fn is_of_view(query: Query) -> bool {
    matches!(
        query,
        Query::Account(_)
            | Query::AccountByExternalId(_)
            | Query::OpenOrders(..)
            | Query::Book(..)
            | Query::Markets
            | Query::Assets
            | Query::Health
            | Query::FeeSchedule
            | Query::AccountFees(_)
            | Query::Preview(_)
    )
}

/// An order that is open or ended lately is in the view; where there is no archive, that is all there is.
fn answer_if_young(shard: &Shard, query: Query) -> Result<Option<Seen>, PortFault> {
    if !matches!(query, Query::Order(_)) {
        return Ok(None);
    }
    let seen = answer(shard, query)?;
    let is_there = matches!(seen.view, ViewAnswer::Order(Some(_)));
    Ok((is_there || shard.history.is_none()).then_some(seen))
}

/// Reads the view now.
fn answer(shard: &Shard, query: Query) -> Result<Seen, PortFault> {
    let view = shard.view.read();
    if query != Query::Health {
        if view.is_broken() {
            return Err(PortFault::Stopped);
        }
        return view.answer(query).ok_or(PortFault::Stopped);
    }
    let kernel = view.kernel();
    let genesis = kernel.genesis();
    let halt = kernel.halt().map(|halt| HaltView {
        reason: halt.reason,
        actor: halt.actor,
        since: halt.since,
    });
    let status = match shard.health() {
        HealthStatus::Healthy if halt.is_some() => HealthStatus::Degraded,
        status => status,
    };
    let health = HealthView {
        status,
        halt,
        clock: shard.clock.source(),
        command_sequence: shard.durability.sequence(),
        event_sequence: shard.metrics.released_event.value(),
        view_sequence: kernel.position().event_sequence,
        state_hash: kernel.recorded_hash(),
        durability: DURABILITY,
        shard: kernel.shard(),
        venue_id: genesis.map_or_else(Id::default, |genesis| genesis.venue_id),
    };
    Ok(view.seen(ViewAnswer::Health(health)))
}

/// What goes on while the intake is closed by a lagging view (D-83), and the way to stop trading (D-119).
const fn passes_closed_intake(command: &Command) -> bool {
    matches!(
        command,
        Command::CancelOrder(_)
            | Command::ReduceOrder(_)
            | Command::CancelAllOrders(_)
            | Command::SetCountdownCancel(_)
            | Command::Withdraw(_)
            | Command::HaltTrading(..)
    )
}

fn ready<T: Send + 'static>(value: T) -> Pending<T> {
    Box::pin(std::future::ready(value))
}

/// Durability mode of the local journal (REC-22): a process crash loses nothing.
const DURABILITY: &str = "local";
/// The longest wait of a query.
const WAIT_MAX: Duration = Duration::from_secs(60);
