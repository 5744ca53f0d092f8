//! What the shard's threads and its queries share of the archive.
//!
//! Owns how far the archive reaches, who waits for it, and what it still has to index. An answer of the
//! archive is never of an earlier moment than the view was at when the question came, and never below
//! the event that the caller names: a query waits for the archive up to its deadline and is then told
//! `TimedOut`, which is also what it is told while the archive is made anew. So a lagging archive is late
//! and not wrong.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use archive::{Archive, ArchiveFault, Reader};
use journal::{Blocks, EventEnd};
use port::{PortFault, Query, Seen};
use schema::Reply;

use crate::mailbox::Mailbox;
use crate::waiters::Waiters;

/// The archive of a running shard.
pub(crate) struct History {
    pub(crate) archive: Archive,
    /// What the follower hands on. It never waits here: what does not fit is read from the log later.
    pub(crate) inbox: Mailbox<Work>,
    pub(crate) waiters: Waiters,
    /// The last event that readers can see.
    reached: AtomicU64,
    /// The event from which the archive wants to read the log, or `NOTHING`.
    wanted: AtomicU64,
    /// A reader found damage.
    damaged: AtomicBool,
}

/// Events on their way into the archive.
pub(crate) enum Work {
    /// A record as the follower has it.
    Record { groups: Arc<[u8]>, end: EventEnd },
    /// Blocks from the log, the first of which holds event `from`.
    Stored { from: u64, blocks: Blocks },
}

impl History {
    /// An archive that reaches an event, with an inbox of so many bytes.
    pub(crate) fn new(archive: Archive, reached: u64, inbox_size_max: u64) -> Self {
        Self {
            archive,
            inbox: Mailbox::new(inbox_size_max),
            waiters: Waiters::new(),
            reached: AtomicU64::new(reached),
            wanted: AtomicU64::new(NOTHING),
            damaged: AtomicBool::new(false),
        }
    }

    /// The last event that readers can see.
    pub(crate) fn reached(&self) -> u64 {
        self.reached.load(Ordering::Acquire)
    }

    pub(crate) fn set_reached(&self, event: u64) {
        self.reached.store(event, Ordering::Release);
    }

    /// The archive needs the log from this event on.
    pub(crate) fn want(&self, from: u64) {
        self.wanted.store(from, Ordering::Release);
    }

    /// What the archive needs of the log, once.
    pub(crate) fn take_wanted(&self) -> Option<u64> {
        let wanted = self.wanted.swap(NOTHING, Ordering::AcqRel);
        (wanted != NOTHING).then_some(wanted)
    }

    /// Whether a reader found damage since this was asked last.
    pub(crate) fn take_damaged(&self) -> bool {
        self.damaged.swap(false, Ordering::AcqRel)
    }

    /// Answers a query of the archive at or behind event `least`, or `TimedOut` after `until`.
    pub(crate) async fn ask(
        &self,
        query: Query,
        least: u64,
        until: Instant,
    ) -> Result<Seen, PortFault> {
        loop {
            if self.reached() < least {
                let reached = self.waiters.wait(least, until);
                self.inbox.wake();
                reached.await.unwrap_or(Err(PortFault::Stopped))?;
            }
            match self.try_ask(query, least) {
                Ok(Some(seen)) => return Ok(seen),
                // It began anew just now, and reaches nothing yet: the wait above does not end at once.
                Ok(None) if Instant::now() < until => std::thread::yield_now(),
                Ok(None) => return Err(PortFault::TimedOut),
                Err(fault) => {
                    self.report(&fault);
                    return Err(PortFault::TimedOut);
                }
            }
        }
    }

    /// `None` when the archive began anew between a look at how far it is and this.
    fn try_ask(&self, query: Query, least: u64) -> Result<Option<Seen>, ArchiveFault> {
        let Some(reader) = self.reader()? else { return Ok(None) };
        let position = *reader.position();
        if position.end.event_sequence < least {
            return Ok(None);
        }
        let view = reader.answer(query)?;
        Ok(view.map(|view| Seen {
            sequence: position.end.event_sequence,
            timestamp: position.timestamp,
            view,
        }))
    }

    /// The first answer of a command, if the archive reaches it.
    pub(crate) fn reply(&self, command: u64) -> Option<Reply> {
        let reply = self.reader().and_then(|reader| match reader {
            Some(reader) => reader.reply(command),
            None => Ok(None),
        });
        reply.unwrap_or_else(|fault| {
            self.report(&fault);
            None
        })
    }

    fn reader(&self) -> Result<Option<Reader>, ArchiveFault> {
        match self.archive.reader() {
            Ok(reader) => Ok(Some(reader)),
            Err(ArchiveFault::Closed) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// A reader found the archive damaged: the thread that owns it begins anew.
    fn report(&self, fault: &ArchiveFault) {
        tracing::error!(%fault, "CRITICAL: the archive cannot be read and is made anew (STATE-31)");
        self.report_damage();
    }

    /// The archive begins anew soon.
    pub(crate) fn report_damage(&self) {
        self.damaged.store(true, Ordering::Release);
        self.inbox.wake();
    }
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("History").field("reached", &self.reached()).finish_non_exhaustive()
    }
}

/// No event.
const NOTHING: u64 = u64::MAX;
