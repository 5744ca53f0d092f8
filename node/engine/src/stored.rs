//! The event log as the node uses it: blocks go in, the answer to an old command comes out.
//!
//! Owns the event log, the running end of its chain, and a thin index in memory: for every 64th block
//! its first command and first event, so that a command is found by reading 64 blocks at the most.
//! Replay offers every block from the first one on; those that are stored are compared byte for byte.
//!
//! The first answer of a repeated command is found here only while the archive does not reach it: it reads
//! from the disk, and syncs first when its events are young.
//!
//! The event log needs no sync before a reply: it can be made again from the command log (D-3). It is
//! synced when it is read, every second while there is something to sync, and at the end.

use std::time::{Duration, Instant};

use journal::{Blocks, EventEnd, EventLog, LogFault, OwnedBlock, Placed};
use schema::{GroupIter, Reply};

use crate::answer::answer_of;
use crate::blocks::{RecordEvents, make_blocks};
use crate::fault::ReplayFault;

/// The event log and what is known about it.
#[derive(Debug)]
pub(crate) struct StoredEvents {
    events: EventLog,
    /// The end of the chain as far as blocks were offered.
    end: EventEnd,
    index: Vec<Mark>,
    counts: BlockCounts,
    missing: Missing,
    synced_at: Instant,
}

/// What becomes of a block that is not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// It is appended.
    Append,
    /// It is counted: the log is only read.
    Count,
}

/// Blocks that were offered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BlockCounts {
    /// Stored already, byte for byte.
    pub(crate) compared: u64,
    /// Not stored before.
    pub(crate) made: u64,
}

/// Where a block begins.
#[derive(Clone, Copy, Debug)]
struct Mark {
    first_command: u64,
    first_event: u64,
}

impl StoredEvents {
    /// A log to which nothing was offered yet.
    pub(crate) fn new(events: EventLog, missing: Missing) -> Self {
        Self {
            events,
            end: EventEnd::EMPTY,
            index: Vec::new(),
            counts: BlockCounts::default(),
            missing,
            synced_at: Instant::now(),
        }
    }

    /// Begins behind a block that is stored, as if all before it had been offered.
    pub(crate) fn begin_behind(&mut self, end: EventEnd) {
        self.end = end;
        // Who asks for the answer to a command from before that has the whole log searched.
        self.index.push(Mark { first_command: 0, first_event: 1 });
    }

    /// Stores the events of a record, or compares them with what is stored.
    pub(crate) fn add(&mut self, record: &RecordEvents<'_>) -> Result<(), ReplayFault> {
        let after = self.end.event_sequence;
        let blocks = make_blocks(self.end, record)
            .map_err(|source| ReplayFault::Events { after, source })?;
        for block in &blocks {
            let stored = block.header().first_event <= self.events.end().event_sequence;
            if stored || self.missing == Missing::Append {
                let placed = self.events.append(block)?;
                assert_eq!(placed == Placed::Same, stored, "a stored block is compared");
            }
            self.note(block, stored);
        }
        Ok(())
    }

    fn note(&mut self, block: &OwnedBlock, stored: bool) {
        let header = block.header();
        if (self.counts.compared + self.counts.made).is_multiple_of(INDEX_STEP) {
            let (first_command, first_event) = (header.first_command, header.first_event);
            self.index.push(Mark { first_command, first_event });
        }
        if stored {
            self.counts.compared += 1;
        } else {
            self.counts.made += 1;
        }
        self.end = EventEnd {
            command_sequence: header.last_command,
            event_sequence: header.last_event(),
            hash: block.hash(),
        };
    }

    /// The end of what is stored, which replay may not have reached yet.
    pub(crate) fn stored_end(&self) -> EventEnd {
        self.events.end()
    }

    /// The end of the chain as far as blocks were offered.
    pub(crate) const fn end(&self) -> EventEnd {
        self.end
    }

    /// Whether a block of the log ends there, with that hash.
    pub(crate) fn has_end(&self, end: &EventEnd) -> Result<bool, LogFault> {
        if end.event_sequence > self.events.durable().event_sequence {
            return Ok(false);
        }
        Ok(self.events.end_at(end.event_sequence)?.as_ref() == Some(end))
    }

    /// All blocks from the one that holds an event on; makes them durable first.
    pub(crate) fn read(&mut self, from: u64, now: Instant) -> Result<Blocks, LogFault> {
        if self.events.durable().event_sequence < self.events.end().event_sequence {
            self.sync(now)?;
        }
        self.events.read(from)
    }

    /// Segment files of the log.
    pub(crate) fn segment_count(&self) -> usize {
        self.events.segment_count()
    }

    /// Blocks that were offered so far.
    pub(crate) const fn counts(&self) -> BlockCounts {
        self.counts
    }

    /// Makes everything durable, as of `now`.
    pub(crate) fn sync(&mut self, now: Instant) -> Result<(), LogFault> {
        self.synced_at = now;
        self.events.sync().map(|_| ())
    }

    /// Waits until the next sync count from now on.
    pub(crate) const fn count_from(&mut self, now: Instant) {
        self.synced_at = now;
    }

    /// When it should be synced; `None` when all is durable.
    pub(crate) fn sync_due(&self) -> Option<Instant> {
        let pending = self.events.durable().event_sequence < self.events.end().event_sequence;
        pending.then(|| self.synced_at + SYNC_INTERVAL)
    }

    /// The answer that a command got, rebuilt from its events; `None` when it made none.
    pub(crate) fn answer(
        &mut self,
        command: u64,
        shard: u16,
        now: Instant,
    ) -> Result<Option<Reply>, ReplayFault> {
        if self.events.durable().command_sequence < command {
            self.sync(now)?;
        }
        let behind = self.index.partition_point(|mark| mark.first_command <= command);
        let Some(mark) = behind.checked_sub(1).map(|at| self.index[at]) else { return Ok(None) };
        for block in self.events.read(mark.first_event)? {
            let block = block?;
            if block.header().last_command >= command {
                return find(&block, command, shard);
            }
        }
        Ok(None)
    }
}

fn find(block: &OwnedBlock, command: u64, shard: u16) -> Result<Option<Reply>, ReplayFault> {
    let after = block.header().first_event - 1;
    let unreadable = |source| ReplayFault::Events { after, source };
    for group in GroupIter::new(block.payload()) {
        let group = group.map_err(unreadable)?;
        if group.head.command_sequence == command {
            return answer_of(&group, shard).map(Some).map_err(unreadable);
        }
    }
    Ok(None)
}

/// Blocks to one mark of the index.
const INDEX_STEP: u64 = 64;
/// How long events may wait for a sync.
const SYNC_INTERVAL: Duration = Duration::from_secs(1);
