//! The event log: what the commands produced, in blocks, in segment files of this machine.
//!
//! Owns one folder of segments and the rule that a block enters it only if it extends the chain.
//! The command log is the truth: after a crash the blocks behind a snapshot are made again and
//! offered here once more, and those that are stored already are compared byte for byte (EVT-85).
//! Durability works as in [`crate::Journal`]: `append` collects, `sync` makes durable, a failure
//! poisons, and only durable blocks can be read.
//!
//! There is no call that removes or changes a block.

use std::path::Path;
use std::sync::Arc;

use crate::block::OwnedBlock;
use crate::checksum::{CHAIN_START, Hash};
use crate::disk::Disk;
use crate::fault::LogFault;
use crate::journal::check_ahead;
use crate::segments::{
    Cut, Item, ItemReader, Reading, Recovered, SegmentOptions, SegmentWriter, recover,
};

/// Blocks in the order of the log.
pub type Blocks = Box<dyn Iterator<Item = Result<OwnedBlock, LogFault>> + Send>;

/// An event log in segment files.
#[derive(Debug)]
pub struct EventLog {
    writer: SegmentWriter,
    end: EventEnd,
    durable: EventEnd,
    /// Where the last comparison with a stored block stopped.
    comparing: Option<ItemReader<OwnedBlock>>,
}

/// The end of a log of blocks: what the next one must extend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventEnd {
    /// The last command of the last block. Later commands may be durable without any event.
    pub command_sequence: u64,
    /// The last event; 0 before the first.
    pub event_sequence: u64,
    /// The last block's hash; zeros before the first.
    pub hash: Hash,
}

/// What became of a block that was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// It is the log's new last block.
    Appended,
    /// It was stored already, byte for byte.
    Same,
}

/// What opening an event log found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventsOpened {
    /// The durable end.
    pub end: EventEnd,
    /// Blocks that were read and checked: all of them, or those of the last segment.
    pub block_count: u64,
    /// Segment files.
    pub segment_count: usize,
    /// An unfinished tail that was cut off; it is made again from the command log.
    pub cut: Option<Cut>,
}

impl EventEnd {
    /// The end of an empty log.
    pub const EMPTY: EventEnd =
        EventEnd { command_sequence: 0, event_sequence: 0, hash: CHAIN_START };
}

impl EventLog {
    /// Opens the event log in `folder`, which is made if there is none, and reads all of it.
    pub fn open(
        disk: Arc<dyn Disk>,
        folder: &Path,
        options: SegmentOptions,
    ) -> Result<(EventLog, EventsOpened), LogFault> {
        Self::open_reading(Reading::Whole, disk, folder, options)
    }

    /// As [`open`](Self::open), in a time that hardly grows with the log: the last segment is read whole, and of
    /// each before it header, length and last flush, or the head of its compressed form. What was passed over is
    /// checked when it is read (D-118).
    pub fn open_end(
        disk: Arc<dyn Disk>,
        folder: &Path,
        options: SegmentOptions,
    ) -> Result<(EventLog, EventsOpened), LogFault> {
        Self::open_reading(Reading::End, disk, folder, options)
    }

    fn open_reading(
        reading: Reading,
        disk: Arc<dyn Disk>,
        folder: &Path,
        options: SegmentOptions,
    ) -> Result<(EventLog, EventsOpened), LogFault> {
        let recovered = recover::<OwnedBlock>(disk, folder, options, reading)?;
        let Recovered { writer, end, count, cut } = recovered;
        let segment_count = writer.names.len();
        let opened = EventsOpened { end, block_count: count, segment_count, cut };
        Ok((EventLog { writer, end, durable: end, comparing: None }, opened))
    }

    /// Appends a block that extends the chain. One whose events are stored already is compared:
    /// [`Placed::Same`], or [`LogFault::Differs`] with the first byte that does. Anything else is
    /// refused with nothing written.
    pub fn append(&mut self, block: &OwnedBlock) -> Result<Placed, LogFault> {
        self.writer.check_usable()?;
        let header = block.header();
        if header.first_event <= self.end.event_sequence {
            return self.compare(block);
        }
        block.check_extends(&self.end)?;
        self.writer.push(header.first_event, header.event_count, block.bytes())?;
        self.end = block.end();
        Ok(Placed::Appended)
    }

    /// Makes everything appended durable, many blocks at once, and answers the durable end.
    pub fn sync(&mut self) -> Result<EventEnd, LogFault> {
        self.writer.flush()?;
        self.durable = self.end;
        Ok(self.durable)
    }

    /// Segment files, compressed ones included.
    #[must_use]
    pub fn segment_count(&self) -> usize {
        self.writer.names.len()
    }

    /// The end of what is appended: what the next block must extend.
    #[must_use]
    pub fn end(&self) -> EventEnd {
        self.end
    }

    /// The end of what is durable.
    #[must_use]
    pub fn durable(&self) -> EventEnd {
        self.durable
    }

    /// The durable blocks from the one that holds `from_event` (0 as 1) up to the durable end at
    /// this moment. Nothing follows the end itself; further ahead is [`LogFault::AheadOfLog`].
    pub fn read(&self, from_event: u64) -> Result<Blocks, LogFault> {
        self.writer.check_usable()?;
        check_ahead(from_event, self.durable.event_sequence)?;
        Ok(Box::new(self.reader(from_event)))
    }

    /// The end of the log as it was when `event_sequence` was the last event of its block: where
    /// making blocks again begins. `None` if no block ends there.
    pub fn end_at(&self, event_sequence: u64) -> Result<Option<EventEnd>, LogFault> {
        self.writer.check_usable()?;
        check_ahead(event_sequence, self.durable.event_sequence)?;
        if event_sequence == 0 {
            return Ok(Some(EventEnd::EMPTY));
        }
        let block = self.reader(event_sequence).next().transpose()?;
        Ok(block.map(|block| block.end()).filter(|end| end.event_sequence == event_sequence))
    }

    /// Compares a block with the stored one that holds its first event. Blocks are offered in
    /// order after a restart, so the reader of the last comparison usually stands at the next.
    fn compare(&mut self, block: &OwnedBlock) -> Result<Placed, LogFault> {
        let first = block.header().first_event;
        if first > self.durable.event_sequence {
            self.sync()?;
        }
        let stands_there = self
            .comparing
            .as_ref()
            .is_some_and(|reader| reader.next_number() == first && reader.until() >= first);
        if !stands_there {
            self.comparing = Some(self.reader(first));
        }
        let next = self.comparing.as_mut().and_then(Iterator::next).transpose()?;
        let stored = next.expect("the first event is durable, so a block holds it");
        match first_difference(stored.bytes(), block.bytes()) {
            None => Ok(Placed::Same),
            Some(offset) => Err(LogFault::Differs { event_sequence: first, offset }),
        }
    }

    fn reader(&self, from: u64) -> ItemReader<OwnedBlock> {
        let SegmentWriter { disk, names, .. } = &self.writer;
        ItemReader::new(disk.clone(), names, from, self.durable.event_sequence)
    }
}

/// The first position at which two byte strings differ, their lengths included.
fn first_difference(left: &[u8], right: &[u8]) -> Option<u64> {
    if left == right {
        return None;
    }
    let same = left.iter().zip(right).take_while(|(one, other)| one == other).count();
    Some(same as u64)
}
