//! The journal: a command log in segment files of this machine.
//!
//! Owns one folder of segments and the rule that a record enters it only if it extends the chain.
//! Group commit: `append` collects in memory, `sync` writes everything collected as one flush and
//! waits for the disk once. A failed write or sync poisons the journal until it is opened again,
//! and opening reads the truth from the disk.
//!
//! The caller must hold the folder's lock ([`crate::DataFolder`]): two journals in one folder are
//! not noticed here.

use std::path::Path;
use std::sync::Arc;

use crate::command_log::{CommandLog, OwnedRecord, Records};
use crate::disk::Disk;
use crate::fault::{LogFault, Refusal};
use crate::fence::{End, Fence};
use crate::record_builder::Sealed;
use crate::segments::{
    Cut, ItemReader, Reading, Recovered, SegmentOptions, SegmentWriter, recover,
};

/// A command log in segment files.
#[derive(Debug)]
pub struct Journal {
    writer: SegmentWriter,
    fence: Fence,
    durable: End,
}

/// What opening a journal found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The durable end: the next command gets `end.sequence + 1`.
    pub end: End,
    /// Records that were read and checked: all of them, or those of the last segment.
    pub record_count: u64,
    /// Segment files.
    pub segment_count: usize,
    /// An unfinished tail that was cut off: records that were never reported as durable.
    pub cut: Option<Cut>,
}

impl Journal {
    /// Opens the journal in `folder`, which is made if there is none, and reads all of it.
    pub fn open(
        disk: Arc<dyn Disk>,
        folder: &Path,
        options: SegmentOptions,
    ) -> Result<(Journal, Opened), LogFault> {
        Self::open_reading(Reading::Whole, disk, folder, options)
    }

    /// As [`open`](Self::open), in a time that hardly grows with the log: the last segment is read whole, and of
    /// each before it header, length and last flush. What was passed over is checked when it is read (D-118).
    pub fn open_end(
        disk: Arc<dyn Disk>,
        folder: &Path,
        options: SegmentOptions,
    ) -> Result<(Journal, Opened), LogFault> {
        Self::open_reading(Reading::End, disk, folder, options)
    }

    fn open_reading(
        reading: Reading,
        disk: Arc<dyn Disk>,
        folder: &Path,
        options: SegmentOptions,
    ) -> Result<(Journal, Opened), LogFault> {
        let recovered = recover::<Sealed>(disk, folder, options, reading)?;
        let Recovered { writer, end, count, cut } = recovered;
        let segment_count = writer.names.len();
        let opened = Opened { end, record_count: count, segment_count, cut };
        Ok((Journal { writer, fence: Fence::new(end), durable: end }, opened))
    }

    /// The end of what is durable.
    #[must_use]
    pub fn durable(&self) -> End {
        self.durable
    }

    /// Answers a record that is no extension but may be a repeat of a stored one.
    fn check_repeat(&mut self, sealed: &Sealed, refusal: Refusal) -> Result<(), LogFault> {
        let first = sealed.header().first_sequence;
        let end = self.end();
        if first > end.sequence {
            return Err(refusal.into());
        }
        let is_repeat = if sealed.last_sequence() == end.sequence {
            sealed.hash() == end.hash
        } else {
            self.stored(first)?.is_some_and(|stored| stored.hash() == sealed.hash())
        };
        match refusal {
            _ if is_repeat => Ok(()),
            // Its numbers were given again by a later leader: it lost, and nothing is wrong.
            Refusal::StaleEpoch { .. } => Err(refusal.into()),
            _ => Err(LogFault::Conflict { sequence: first }),
        }
    }

    /// The stored record that holds `sequence`, made durable first if it was not.
    fn stored(&mut self, sequence: u64) -> Result<Option<Sealed>, LogFault> {
        if sequence > self.durable.sequence {
            self.sync()?;
        }
        self.reader(sequence).next().transpose()
    }

    fn reader(&self, from: u64) -> ItemReader<OwnedRecord> {
        let SegmentWriter { disk, names, .. } = &self.writer;
        ItemReader::new(disk.clone(), names, from, self.durable.sequence)
    }
}

impl CommandLog for Journal {
    fn append(&mut self, sealed: &Sealed) -> Result<(), LogFault> {
        self.writer.check_usable()?;
        if let Err(refusal) = self.fence.check(sealed.header()) {
            return self.check_repeat(sealed, refusal);
        }
        let first = sealed.header().first_sequence;
        self.writer.push(first, u32::from(sealed.header().count), sealed.bytes())?;
        self.fence = Fence::new(sealed.end());
        Ok(())
    }

    fn sync(&mut self) -> Result<End, LogFault> {
        self.writer.flush()?;
        self.durable = self.fence.end();
        Ok(self.durable)
    }

    fn end(&self) -> End {
        self.fence.end()
    }

    fn read(&self, from_sequence: u64) -> Result<Records, LogFault> {
        self.writer.check_usable()?;
        check_ahead(from_sequence, self.durable.sequence)?;
        Ok(Box::new(self.reader(from_sequence)))
    }
}

/// Nothing follows the end; asking further ahead means that the log lost something.
pub(crate) fn check_ahead(from: u64, end: u64) -> Result<(), LogFault> {
    if from > end.saturating_add(1) { Err(LogFault::AheadOfLog { from, end }) } else { Ok(()) }
}
