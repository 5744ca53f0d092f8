//! The two ways from a request into the shard: submit a command, ask a view.
//!
//! Owns the time limits of both (SVC-11) and reading one's own writes: the door remembers the last
//! event that it told anybody of, and a query waits a moment for the view to have it. A view that lags
//! longer still answers, with the sequence it reflects (SVC-85).

use std::sync::atomic::Ordering;

use port::{Pending, PortFault, Query, Request, Seen};
use schema::{Command, Key, Outcome, Reply};
use tokio::task::yield_now;
use tokio::time::{Instant, timeout, timeout_at};
use units::Id;

use crate::admission::Place;
use crate::arrival::Arrival;
use crate::door::Door;
use crate::error::ApiError;
use crate::limits::{QUERY_TIME, SUBMIT_TIME, VIEW_WAIT};
use crate::params::Params;

/// A command that was done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Done {
    /// Id of what it created.
    pub(crate) created: Option<Id>,
    /// Last event after it.
    pub(crate) sequence: u64,
}

impl Door {
    /// Submits a command and waits until its result may be told.
    pub(crate) async fn submit(
        &self,
        arrival: Arrival,
        key: Key,
        command: Command,
    ) -> Result<Reply, ApiError> {
        let place = self.place_for(&command)?;
        if place.is_some() && self.admission.is_busy() {
            // Cancels that have come by now go first (D-117).
            yield_now().await;
        }
        let request = Request {
            correlation: arrival.correlation,
            key: Some(key),
            command,
            account_version: arrival.account_version,
        };
        let reply = match timeout(SUBMIT_TIME, self.port.submit(request)).await {
            Ok(reply) => reply?,
            Err(_) => return Err(PortFault::TimedOut.into()),
        };
        place.iter().for_each(Place::on_result);
        self.told.fetch_max(reply.last_event, Ordering::AcqRel);
        Ok(reply)
    }

    /// Submits commands one behind the other, each with its own key and answer (D-93). The first is
    /// taken before the second, and none waits for another's answer.
    pub(crate) async fn submit_each(
        &self,
        arrival: Arrival,
        commands: Vec<(Key, Command)>,
    ) -> Vec<Result<Reply, ApiError>> {
        let until = Instant::now() + SUBMIT_TIME;
        let submit = |(key, command)| {
            let place = self.place_for(&command)?;
            let pending: Pending<_> = self.port.submit(Request {
                correlation: arrival.correlation,
                key: Some(key),
                command,
                account_version: arrival.account_version,
            });
            Ok((place, pending))
        };
        let pending: Vec<Result<_, PortFault>> = commands.into_iter().map(submit).collect();
        let mut replies = Vec::with_capacity(pending.len());
        for reply in pending {
            let reply = match reply {
                Ok((place, reply)) => {
                    let reply = timeout_at(until, reply).await.unwrap_or(Err(PortFault::TimedOut));
                    place.iter().filter(|_| reply.is_ok()).for_each(Place::on_result);
                    reply
                }
                Err(refused) => Err(refused),
            };
            if let Ok(reply) = &reply {
                self.told.fetch_max(reply.last_event, Ordering::AcqRel);
            }
            replies.push(reply.map_err(ApiError::from));
        }
        replies
    }

    /// A place among the orders that wait for their result; what makes no order needs none (D-116).
    fn place_for(&self, command: &Command) -> Result<Option<Place<'_>>, PortFault> {
        if !matches!(command, Command::PlaceOrder(_)) {
            return Ok(None);
        }
        self.admission.place().map(Some).ok_or(PortFault::Busy)
    }

    /// Submits a command that makes no order.
    pub(crate) async fn perform(
        &self,
        arrival: Arrival,
        key: Key,
        command: Command,
    ) -> Result<Done, ApiError> {
        let reply = self.submit(arrival, key, command).await?;
        let sequence = reply.last_event;
        match reply.outcome {
            Outcome::Done { created } => Ok(Done { created, sequence }),
            Outcome::Accepted { order } => Ok(Done { created: Some(order), sequence }),
            // A node that keeps answers gives the first one instead of this (LIFE-14).
            Outcome::Repeated { .. } => Ok(Done { created: None, sequence }),
            Outcome::Refused(refusal) => Err(ApiError::of_refusal(&refusal)),
            Outcome::Rejected { order, refusal } => Err(ApiError::of_rejection(order, &refusal)),
        }
    }

    /// Asks a view that reflects what this door has told, or, if the caller names an event, that one.
    pub(crate) async fn query(&self, query: Query, params: &Params) -> Result<Seen, ApiError> {
        if let Some(min_sequence) = params.count("min_sequence")? {
            return Ok(self.port.query(query, min_sequence, QUERY_TIME).await?);
        }
        let told = self.told.load(Ordering::Acquire);
        match self.port.query(query, told, VIEW_WAIT).await {
            Err(PortFault::TimedOut) => Ok(self.port.query(query, 0, VIEW_WAIT).await?),
            seen => Ok(seen?),
        }
    }

    /// Asks a view that reflects the event.
    pub(crate) async fn query_at(&self, query: Query, min_sequence: u64) -> Result<Seen, ApiError> {
        Ok(self.port.query(query, min_sequence, QUERY_TIME).await?)
    }

    /// Asks whatever view there is.
    pub(crate) async fn query_now(&self, query: Query) -> Result<Seen, ApiError> {
        Ok(self.port.query(query, 0, QUERY_TIME).await?)
    }
}
