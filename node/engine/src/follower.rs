//! The follower's thread: the event log, the view, the feeds, the answers to repeats.
//!
//! Takes released records in order and for each: stores its events as a block, applies them to the view
//! and hashes each window, tells the waiting queries and the feeds, hands the events on to the archive
//! (`feeding.rs`), and finds the first answer for those who repeated a command (D-74). It also serves the deadlines of queries and syncs the event log.
//!
//! It may lag behind the live kernel; beyond the bound of D-80 the intake closes. When it fails, the
//! shard stops: it takes no more records, but goes on serving deadlines, so that reads go on.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use port::{PortFault, Published};

use crate::blocks::RecordEvents;
use crate::compressing::Compressing;
use crate::config::Following;
use crate::fault::{ReplayFault, StopReason};
use crate::feeding::Feeding;
use crate::mailbox::{Mailbox, Taken};
use crate::releaser::{RecordPlace, Released};
use crate::room::Level;
use crate::shadow::Shadow;
use crate::shard::Shard;
use crate::snapshots::{Snapshots, snapshot_of};
use crate::stage::{Stage, Step};
use crate::stored::StoredEvents;
use crate::ticket::Ticket;
use crate::view::Changes;

/// The follower and what it owns.
pub(crate) struct Follower {
    pub(crate) shard: Arc<Shard>,
    pub(crate) released: Arc<Mailbox<Released>>,
    /// Taken and not followed yet.
    pub(crate) batch: VecDeque<Released>,
    pub(crate) events: StoredEvents,
    pub(crate) feeding: Feeding,
    pub(crate) shadow: Shadow,
    pub(crate) shard_number: u16,
    pub(crate) changes: Changes,
    /// The last event followed.
    pub(crate) last_event: u64,
    /// `None` for a shard that takes none.
    pub(crate) snapshots: Option<Snapshots>,
    /// `None` for a log that lies in no folder of this machine.
    pub(crate) compressing: Option<Compressing>,
    /// Of the last record that made events.
    pub(crate) place: RecordPlace,
    pub(crate) following: Following,
    pub(crate) failed: bool,
}

impl Stage for Follower {
    const NAME: &'static str = "follower";

    /// Follows until the engine ends it.
    fn run(&mut self) {
        self.submit_due();
        self.catch_up();
        loop {
            let deadline = self.next_deadline();
            if self.released.take(&mut self.batch, deadline) == Taken::Closed {
                break;
            }
            while let Some(record) = self.batch.pop_front() {
                self.follow_or_fail(record);
            }
            self.sync_if_due();
            self.snapshot_if_due();
            self.catch_up();
        }
        self.sync();
        self.end_snapshots();
    }

    fn step(&mut self) -> Step {
        self.submit_due();
        if self.batch.is_empty() && self.released.try_take(&mut self.batch) == Taken::Closed {
            self.sync();
            self.end_snapshots();
            return Step::Ended;
        }
        let record = self.batch.pop_front();
        let has_followed = record.is_some();
        if let Some(record) = record {
            self.follow_or_fail(record);
        }
        self.shard.waiters.serve(self.last_event, self.shard.now());
        self.sync_if_due();
        let has_saved = self.snapshot_if_due();
        self.catch_up();
        if has_followed || has_saved { Step::Worked } else { Step::Idle }
    }

    fn end(&mut self) {
        self.released.close();
        self.shard.feeds.close();
        self.shard.waiters.close();
    }
}

impl Follower {
    fn sync_if_due(&mut self) {
        if self.events.sync_due().is_some_and(|due| due <= self.shard.now()) {
            self.sync();
        }
    }

    /// Takes a snapshot if one is due, and says whether it did. What it stands on is made durable first.
    fn snapshot_if_due(&mut self) -> bool {
        let Some(snapshots) = &self.snapshots else { return false };
        let due = snapshots.due(self.last_event, self.shard.now());
        let Some(kind) = due.filter(|_| !self.failed && self.shard.room.level() < Level::Out)
        else {
            return false;
        };
        self.sync();
        if self.failed {
            return false;
        }
        let snapshot = {
            let mut view = self.shard.view.write();
            // Nothing that is wrong is put aside to begin from (REC-58).
            view.kernel().sweep().map(|()| {
                let state_hash = self.shadow.settle(&mut view);
                let end = self.events.end();
                snapshot_of(&view, &self.shadow, (self.place, end), state_hash)
            })
        };
        let snapshot = match snapshot {
            Ok(snapshot) => snapshot,
            Err(unsound) => {
                self.fail(&ReplayFault::Unsound { at: self.last_event, unsound });
                return false;
            }
        };
        if let Some(snapshots) = &mut self.snapshots {
            snapshots.take(snapshot, kind, &self.shard);
        }
        true
    }

    fn end_snapshots(&mut self) {
        if let Some(snapshots) = &mut self.snapshots {
            snapshots.end();
        }
        if let Some(compressing) = &mut self.compressing {
            compressing.end();
        }
    }

    /// Lets the archive read what it lacks.
    fn catch_up(&mut self) {
        if !self.failed
            && let Err(fault) = self.feeding.catch_up(&self.shard, &mut self.events)
        {
            self.fail(&fault.into());
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        let waiting = self.shard.waiters.serve(self.last_event, self.shard.now());
        if self.failed {
            return waiting;
        }
        let snapshot = self.snapshots.as_ref().and_then(|it| it.due_at(self.last_event));
        let due = [self.events.sync_due(), self.feeding.due(&self.shard), snapshot];
        waiting.into_iter().chain(due.into_iter().flatten()).min()
    }

    fn follow_or_fail(&mut self, record: Released) {
        if self.failed {
            return; // its repeats are told by the drop of their tickets
        }
        if let Err(fault) = self.follow(record) {
            self.fail(&fault);
        }
    }

    fn fail(&mut self, fault: &ReplayFault) {
        self.failed = true;
        let text = fault.to_string();
        self.shard.stop(match fault {
            ReplayFault::Log(_) => StopReason::EventLog(text),
            _ => StopReason::View(text),
        });
    }

    fn follow(&mut self, record: Released) -> Result<(), ReplayFault> {
        if self.following == Following::Nothing {
            self.shard.metrics.view_sequence.set(record.last_event);
            return Ok(());
        }
        if !record.groups.is_empty() {
            self.place = record.place;
            self.events.add(&RecordEvents {
                first_command: record.first_command,
                last_command: record.last_command,
                last_event: record.last_event,
                groups: &record.groups,
            })?;
            let first = self.last_event + 1;
            let groups = Arc::from(record.groups.as_slice());
            self.show(&record, Arc::clone(&groups))?;
            self.feeding.record(&self.shard, first, (groups, self.events.end()));
        }
        for (ticket, first) in record.repeats {
            self.repeat(ticket, first)?;
        }
        Ok(())
    }

    /// Applies the record to the view, then tells whoever waits for it.
    fn show(&mut self, record: &Released, groups: Arc<[u8]>) -> Result<(), ReplayFault> {
        let mut view = self.shard.view.write();
        self.shadow.apply(&mut view, &record.groups, &mut self.changes)?;
        let updates = self.changes.take(view.kernel());
        let recorded = view.kernel().recorded_hash();
        drop(view);
        let first_sequence = self.last_event + 1;
        self.last_event = record.last_event;
        self.shard.metrics.view_sequence.set(self.last_event);
        self.shard.metrics.checkpoint_sequence.set(recorded.map_or(0, |(sequence, _)| sequence));
        self.submit_due();
        self.shard.waiters.serve(self.last_event, self.shard.now());
        self.shard.feeds.publish(Published {
            first_sequence,
            last_sequence: self.last_event,
            groups,
            updates,
        });
        Ok(())
    }

    fn submit_due(&mut self) {
        for command in self.shadow.take_due() {
            self.shard.intake.submit_own(command);
        }
    }

    /// The first answer again, from the archive, or where it does not reach from the events of the first
    /// command.
    fn repeat(&mut self, ticket: Ticket, first: u64) -> Result<(), ReplayFault> {
        self.shard.metrics.repeated_count.add(1);
        if let Some(reply) = self.shard.history.as_ref().and_then(|history| history.reply(first)) {
            ticket.answer(Ok(reply));
            return Ok(());
        }
        self.shard.metrics.repeated_scan_count.add(1);
        let answer = self.events.answer(first, self.shard_number, self.shard.now())?;
        // A keyed command always makes an event (D-74).
        ticket.answer(answer.ok_or(PortFault::TimedOut));
        Ok(())
    }

    fn sync(&mut self) {
        if !self.failed
            && let Err(fault) = self.events.sync(self.shard.now())
        {
            self.fail(&fault.into());
        }
        if let Some(compressing) = &mut self.compressing {
            compressing.begin(self.events.segment_count(), &self.shard);
        }
    }
}
