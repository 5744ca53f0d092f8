//! The archive's thread: indexes what the follower hands on, and begins anew when it must.
//!
//! Nobody waits for it but queries of the archive. It commits when nothing more waits or when enough was
//! added, then tells who waits. What it cannot index, whether events that do not follow or a disk that
//! fails, is an alert; it then drops all rows, asks the follower for the log from the first event, and passes over
//! everything else until that comes (STATE-31). It never stops the shard: the archive is made of the
//! event log and holds nothing of its own.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use archive::{ArchiveFault, Indexer};
use journal::{Blocks, EventEnd};

use crate::history::{History, Work};
use crate::mailbox::{Mailbox, Taken};
use crate::releaser::Released;
use crate::shard::Shard;
use crate::stage::{Stage, Step};

/// The archive's one writer and what it needs to know.
pub(crate) struct Indexing {
    shard: Arc<Shard>,
    indexer: Indexer,
    /// The follower's, to wake it when the log is wanted.
    follower: Arc<Mailbox<Released>>,
    /// The log was asked for and has not come.
    is_awaiting: bool,
    /// When to begin anew, after a fault.
    retry_at: Option<Instant>,
    fault_count: u32,
    /// The event at which the last fault came; beyond it, a fault is a new one.
    fault_event: u64,
    sized_at: Instant,
    batch: VecDeque<Work>,
}

impl Stage for Indexing {
    const NAME: &'static str = "archive";

    /// Indexes until the engine ends it.
    fn run(&mut self) {
        let shard = self.shard.clone();
        let Some(history) = shard.history.as_ref() else { return };
        self.measure(history);
        loop {
            let deadline = history.waiters.serve(history.reached(), shard.now());
            let deadline = deadline.into_iter().chain(self.retry_at).min();
            if history.inbox.take(&mut self.batch, deadline) == Taken::Closed {
                break;
            }
            self.index(history);
        }
        self.finish(history);
    }

    fn step(&mut self) -> Step {
        let shard = self.shard.clone();
        let Some(history) = shard.history.as_ref() else { return Step::Ended };
        history.waiters.serve(history.reached(), shard.now());
        let taken = history.inbox.try_take(&mut self.batch);
        if taken == Taken::Closed {
            self.finish(history);
            return Step::Ended;
        }
        self.index(history);
        if taken == Taken::Items { Step::Worked } else { Step::Idle }
    }

    fn end(&mut self) {
        if let Some(history) = &self.shard.history {
            history.waiters.close();
        }
    }
}

impl Indexing {
    pub(crate) fn new(
        shard: Arc<Shard>,
        indexer: Indexer,
        follower: Arc<Mailbox<Released>>,
    ) -> Self {
        shard.metrics.archive_sequence.set(indexer.end().event_sequence);
        Self {
            shard,
            indexer,
            follower,
            is_awaiting: true,
            retry_at: None,
            fault_count: 0,
            fault_event: 0,
            sized_at: Instant::now(),
            batch: VecDeque::new(),
        }
    }

    /// Indexes what was taken, and what becomes of a fault.
    fn index(&mut self, history: &History) {
        let work = AssertUnwindSafe(|| self.work_off(history));
        let worked = catch_unwind(work).unwrap_or_else(|_| {
            Err(ArchiveFault::Store("the archive's thread panicked".to_owned()))
        });
        self.batch.clear();
        if let Err(fault) = worked {
            self.fail(history, &fault);
        }
        self.retry(history);
    }

    fn finish(&mut self, history: &History) {
        self.measure(history);
        history.set_reached(0);
        history.archive.close();
    }

    fn work_off(&mut self, history: &History) -> Result<(), ArchiveFault> {
        if history.take_damaged() {
            return Err(ArchiveFault::Store("a reader found damage".to_owned()));
        }
        while let Some(work) = self.batch.pop_front() {
            match work {
                Work::Record { groups, end } if !self.is_awaiting => {
                    self.indexer.add(&groups, end)?;
                    self.commit_if(history, COMMIT_EVENT_COUNT)?;
                }
                Work::Stored { from, blocks } if self.is_wanted(from) => {
                    self.is_awaiting = false;
                    self.add_stored(history, blocks)?;
                }
                // Rows were dropped since these were handed on.
                Work::Record { .. } | Work::Stored { .. } => {}
            }
        }
        self.commit_if(history, 1)
    }

    /// Whether blocks from that event on go on where the archive ends.
    fn is_wanted(&self, from: u64) -> bool {
        self.retry_at.is_none() && from == self.indexer.end().event_sequence + 1
    }

    /// Indexes the log up to where it was durable. An end of the shard ends it in between.
    fn add_stored(&mut self, history: &History, blocks: Blocks) -> Result<(), ArchiveFault> {
        for block in blocks {
            let block = block.map_err(|fault| ArchiveFault::Store(fault.to_string()))?;
            let end = EventEnd {
                command_sequence: block.header().last_command,
                event_sequence: block.header().last_event(),
                hash: block.hash(),
            };
            self.indexer.add(block.payload(), end)?;
            self.commit_if(history, COMMIT_EVENT_COUNT)?;
            if history.inbox.is_closed() {
                break;
            }
        }
        Ok(())
    }

    /// Makes what was added visible, once it is so many events.
    fn commit_if(&mut self, history: &History, event_count: u64) -> Result<(), ArchiveFault> {
        if self.indexer.pending_count() < event_count {
            return Ok(());
        }
        self.indexer.commit()?;
        let reached = self.indexer.end().event_sequence;
        if reached > self.fault_event {
            self.fault_count = 0;
        }
        history.set_reached(reached);
        self.shard.metrics.archive_sequence.set(reached);
        history.waiters.serve(reached, self.shard.now());
        if self.sized_at.elapsed() >= SIZE_INTERVAL {
            self.measure(history);
        }
        Ok(())
    }

    fn measure(&mut self, history: &History) {
        self.sized_at = Instant::now();
        self.shard.metrics.archive_bytes.set(history.archive.size());
    }

    /// An alert; soon everything begins anew, later each time it fails at the same place.
    fn fail(&mut self, history: &History, fault: &ArchiveFault) {
        let event = self.indexer.end().event_sequence;
        tracing::error!(
            %fault, event,
            "CRITICAL: the archive cannot go on and is made anew from the event log (STATE-31)"
        );
        self.fault_event = self.fault_event.max(event);
        self.is_awaiting = true;
        history.set_reached(0);
        let wait = match self.fault_count {
            0 => Duration::ZERO,
            count => RETRY_MIN.saturating_mul(1 << count.min(6)).min(RETRY_MAX),
        };
        self.fault_count += 1;
        self.retry_at = Some(self.shard.now() + wait);
    }

    fn retry(&mut self, history: &History) {
        if self.retry_at.is_none_or(|at| at > self.shard.now()) {
            return;
        }
        self.retry_at = None;
        self.shard.metrics.archive_rebuild_count.add(1);
        self.shard.metrics.archive_sequence.set(0);
        if let Err(fault) = self.indexer.start_again() {
            return self.fail(history, &fault);
        }
        history.want(1);
        self.follower.wake();
    }
}

/// Events of one commit at the most, while more wait.
const COMMIT_EVENT_COUNT: u64 = 10_000;
/// Between two looks at the archive's size.
const SIZE_INTERVAL: Duration = Duration::from_secs(1);
const RETRY_MIN: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(60);
