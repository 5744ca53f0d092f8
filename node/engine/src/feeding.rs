//! What the follower hands on to the archive, without ever waiting for it.
//!
//! Records go into the archive's inbox as they are. When that is full, or when the archive begins anew,
//! the records are left out, and once the inbox is empty the archive gets the log itself to read, from
//! the first event that it lacks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use journal::{EventEnd, LogFault};

use crate::history::Work;
use crate::shard::Shard;
use crate::stored::StoredEvents;

/// What the archive lacks.
#[derive(Debug)]
pub(crate) struct Feeding {
    /// The first event that was not handed on; `None` while everything was.
    missing: Option<u64>,
}

impl Feeding {
    /// The archive lacks everything from this event on.
    pub(crate) const fn from(event: u64) -> Self {
        Self { missing: Some(event) }
    }

    /// Hands a record on that begins with event `first`, or leaves it to the log.
    pub(crate) fn record(&mut self, shard: &Shard, first: u64, record: (Arc<[u8]>, EventEnd)) {
        let Some(history) = &shard.history else { return };
        if self.missing.is_some() {
            return;
        }
        let (groups, end) = record;
        let weight = groups.len() as u64;
        if history.inbox.try_push(Work::Record { groups, end }, weight).is_err() {
            self.missing = Some(first);
            shard.metrics.archive_overflow_count.add(1);
        }
    }

    /// Gives the archive the log to read, if it lacks anything and has worked off the rest.
    pub(crate) fn catch_up(
        &mut self,
        shard: &Shard,
        events: &mut StoredEvents,
    ) -> Result<(), LogFault> {
        let Some(history) = &shard.history else { return Ok(()) };
        if let Some(from) = history.take_wanted() {
            self.missing = Some(from);
        }
        let Some(from) = self.missing.filter(|_| history.inbox.is_empty()) else { return Ok(()) };
        // It may lack nothing: then there is nothing in them, and what follows goes on from there.
        let blocks = events.read(from, shard.now())?;
        if history.inbox.try_push(Work::Stored { from, blocks }, 1).is_ok() {
            self.missing = None;
        }
        Ok(())
    }

    /// When to look again whether the archive has worked off what waits.
    pub(crate) fn due(&self, shard: &Shard) -> Option<Instant> {
        let waits = self.missing.is_some() && shard.history.is_some();
        waits.then(|| shard.now() + LOOK_INTERVAL)
    }
}

const LOOK_INTERVAL: Duration = Duration::from_millis(20);
