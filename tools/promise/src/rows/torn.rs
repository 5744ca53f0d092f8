//! A torn tail: each log is ended at each of its last bytes, as a crash in the middle of a write would.
//!
//! A crash leaves what was not written zero, since a segment is filled with zeros first; a file that is
//! shorter than its header says is another thing that is looked at, and is damage. Both logs hold what
//! commands of every kind made, in flushes of many sizes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fuzz::{Tape, Venue};
use journal::fake_disk::FakeDisk;
use journal::{
    BlockBuilder, BlockNumbers, CommandLog as _, EventEnd, EventLog, Journal, LogFault,
    Preparation, RecordBuilder, SegmentOptions,
};
use schema::GroupIter;

use crate::row::{Outcome, Size};

pub(super) fn run(size: Size) -> Outcome {
    let cuts = size.pick(1_024, 65_536);
    let mut outcome = Outcome::default();
    for which in [Log::Commands, Log::Events] {
        let stored = Stored::make(which);
        let written =
            stored.bytes.iter().rposition(|byte| *byte != 0).expect("not empty") as u64 + 1;
        assert!(written > cuts + 512, "the log has {written} bytes");
        let (mut torn, mut short, mut silent) = (0, 0, 0);
        for at in written - cuts..written {
            let at = usize::try_from(at).expect("small");
            match stored.torn(at) {
                Found::Told => torn += 1,
                Found::Nothing => silent += 1,
            }
            match stored.shortened(at) {
                Found::Told => short += 1,
                Found::Nothing => silent += 1,
            }
        }
        outcome.done(format!(
            "{which:?}: {} flushes in {written} bytes, ended at each of the last {cuts}",
            stored.ends.len()
        ));
        outcome.exactly(&format!("{which:?}: torn tails found, all before kept"), torn, cuts);
        outcome.exactly(&format!("{which:?}: shortened files refused"), short, cuts);
        outcome.exactly(&format!("{which:?}: accepted in silence"), silent, 0);
    }
    outcome
}

/// One of the two logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Log {
    Commands,
    Events,
}

/// A log in one segment on a disk in memory.
pub(super) struct Stored {
    pub(super) which: Log,
    disk: FakeDisk,
    pub(super) path: PathBuf,
    /// The segment, whole.
    pub(super) bytes: Vec<u8>,
    /// Where each flush ends but for its padding, and the last number by then.
    ends: Vec<(usize, u64)>,
}

enum Found {
    /// It was told of, and what was whole is there.
    Told,
    /// It was not told of.
    Nothing,
}

impl Stored {
    /// A log of real commands, or of what they made.
    pub(super) fn make(which: Log) -> Self {
        let disk = FakeDisk::new(1);
        let mut stored =
            Self { which, disk, path: PathBuf::new(), bytes: Vec::new(), ends: Vec::new() };
        let venue = venue();
        match which {
            Log::Commands => stored.write_commands(&venue),
            Log::Events => stored.write_events(&venue),
        }
        stored.bytes = stored.disk.contents(&stored.path);
        stored
    }

    fn write_commands(&mut self, venue: &Venue) {
        let (mut log, _) =
            Journal::open(Arc::new(self.disk.clone()), folder(), OPTIONS).expect("empty");
        for (index, commands) in venue.commands.chunks(3).enumerate() {
            let end = log.end();
            let mut record = RecordBuilder::begin(1, end.sequence + 1, end.hash);
            for command in commands {
                record.push(|out| out.extend_from_slice(command)).expect("bounded");
            }
            log.append(&record.seal()).expect("it extends");
            if index % 4 != 1 {
                log.sync().expect("a sound disk");
                self.flushed(log.durable().sequence);
            }
        }
    }

    fn write_events(&mut self, venue: &Venue) {
        let (mut log, _) =
            EventLog::open(Arc::new(self.disk.clone()), folder(), OPTIONS).expect("empty");
        let mut place = 0;
        for (index, group) in GroupIter::new(&venue.log).enumerate() {
            let group = group.expect("sound");
            let count = group.events().count();
            let size = u32::from_le_bytes(venue.log[place..place + 4].try_into().expect("four"));
            let end = place + 8 + usize::try_from(size).expect("small");
            let EventEnd { event_sequence, hash, .. } = log.end();
            let mut block = BlockBuilder::begin(hash);
            block.payload().extend_from_slice(&venue.log[place..end]);
            let numbers = BlockNumbers {
                first_command: group.head.command_sequence,
                last_command: group.head.command_sequence,
                first_event: event_sequence + 1,
                event_count: u32::try_from(count).expect("small"),
            };
            log.append(&block.seal(numbers).expect("bounded")).expect("it extends");
            place = end;
            if index % 4 != 1 {
                log.sync().expect("a sound disk");
                self.flushed(log.durable().event_sequence);
            }
        }
    }

    /// Notes where a flush ended.
    fn flushed(&mut self, number: u64) {
        if self.path.as_os_str().is_empty() {
            let paths = self.disk.paths().into_iter();
            self.path = paths.last_segment();
        }
        let bytes = self.disk.contents(&self.path);
        let end = bytes.iter().rposition(|byte| *byte != 0).expect("not empty") + 1;
        self.ends.push((end, number));
    }

    /// Opens the log with other bytes in its segment. Answers the last number, whether a cut was told of,
    /// and whether all that is there reads as it was written.
    pub(super) fn open(&self, bytes: &[u8]) -> Result<(u64, bool), LogFault> {
        self.disk.tamper(&self.path, |file| {
            file.clear();
            file.extend_from_slice(bytes);
        });
        let disk = Arc::new(self.disk.clone());
        match self.which {
            Log::Commands => {
                let (log, opened) = Journal::open(disk, folder(), OPTIONS)?;
                log.read(1)?.try_for_each(|record| record.map(drop))?;
                Ok((opened.end.sequence, opened.cut.is_some()))
            }
            Log::Events => {
                let (log, opened) = EventLog::open(disk, folder(), OPTIONS)?;
                log.read(1)?.try_for_each(|block| block.map(drop))?;
                Ok((opened.end.event_sequence, opened.cut.is_some()))
            }
        }
    }

    /// The last number of a sound log.
    pub(super) fn last(&self) -> u64 {
        self.ends.last().expect("not empty").1
    }

    /// Nothing from `at` on was written.
    fn torn(&self, at: usize) -> Found {
        let mut bytes = self.bytes.clone();
        bytes[at..].fill(0);
        let (end, number) =
            *self.ends.iter().rev().find(|(end, _)| *end <= at).expect("one is whole");
        let is_part = bytes[end..].iter().any(|byte| *byte != 0);
        let (last, is_cut) = self.open(&bytes).expect("a torn tail is no damage");
        assert_eq!(last, number, "what was whole before byte {at} is there, and nothing else");
        // Ended between two flushes there is nothing to tell of: it was never begun.
        if is_cut == is_part { Found::Told } else { Found::Nothing }
    }

    /// The file ends at `at`.
    fn shortened(&self, at: usize) -> Found {
        match self.open(&self.bytes[..at]) {
            Err(LogFault::Damaged(_)) => Found::Told,
            _ => Found::Nothing,
        }
    }
}

/// The last segment among paths.
trait LastSegment {
    fn last_segment(self) -> PathBuf;
}

impl<I: Iterator<Item = PathBuf>> LastSegment for I {
    fn last_segment(self) -> PathBuf {
        let segments = self.filter(|path| path.extension().is_some_and(|it| it == "segment"));
        segments.max().expect("a segment")
    }
}

/// A venue with enough behind it that its logs are longer than what is torn off.
fn venue() -> Venue {
    let mut venues = Tape::corpus(1, BYTES_OF_TAPE);
    venues.pop().expect("one")
}

fn folder() -> &'static Path {
    Path::new("/log")
}

const OPTIONS: SegmentOptions =
    SegmentOptions { size: 192 << 10, preparation: Preparation::Inline };
/// What the tape of commands is as long as.
const BYTES_OF_TAPE: usize = 9_000;
