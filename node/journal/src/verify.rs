//! Checking a log while nothing runs: for auditors and for the daily gap check.
//!
//! Owns a reading of the whole log that opens nothing for writing. It checks what recovery checks
//! (checksums, numbers, chain), but goes on after a fault with the next segment, so one report
//! shows every damaged segment by its first bad position (RPL-62).
//!
//! It repairs nothing, and takes no lock.

use std::path::Path;

use crate::block::OwnedBlock;
use crate::disk::Disk;
use crate::event_log::EventEnd;
use crate::fault::{Damage, DamageReason, LogFault};
use crate::fence::End;
use crate::record_builder::Sealed;
use crate::segments::{
    Cut, Found, Item, OpenSegment, SegmentFlush, SegmentName, list_segments, open_to_read,
};

/// What a check of a whole log found. `E` is the end's type, which differs between the logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report<E> {
    /// Records or blocks that are sound.
    pub item_count: u64,
    /// Commands or events in them.
    pub number_count: u64,
    /// Bytes of the items.
    pub byte_count: u64,
    /// The end after the last sound item; `None` for an empty log.
    pub end: Option<E>,
    /// The first bad position of every damaged segment; empty on a sound log.
    pub faults: Vec<Damage>,
    /// An unfinished last flush, which the next start cuts off: the trace of a crash, no damage.
    pub unfinished: Option<Cut>,
}

/// Checks the command log in `folder`.
pub fn commands(disk: &dyn Disk, folder: &Path) -> Result<Report<End>, LogFault> {
    verify::<Sealed>(disk, folder)
}

/// Checks the event log in `folder`.
pub fn events(disk: &dyn Disk, folder: &Path) -> Result<Report<EventEnd>, LogFault> {
    verify::<OwnedBlock>(disk, folder)
}

/// A report being written, and what the next item must extend.
struct Audit<T: Item> {
    report: Report<T::End>,
    /// `None` after a fault: the next item is taken as it is.
    end: Option<T::End>,
}

fn verify<T: Item>(disk: &dyn Disk, folder: &Path) -> Result<Report<T::End>, LogFault> {
    let report = Report {
        item_count: 0,
        number_count: 0,
        byte_count: 0,
        end: None,
        faults: Vec::new(),
        unfinished: None,
    };
    let mut audit = Audit::<T> { report, end: Some(T::EMPTY) };
    let names = list_segments(disk, folder)?;
    for (index, name) in names.iter().enumerate() {
        let is_last = index + 1 == names.len();
        match audit.read_segment(disk, name, is_last) {
            Ok(()) => {}
            Err(LogFault::Damaged(damage)) => {
                audit.report.faults.push(damage);
                audit.end = None;
            }
            Err(fault) => return Err(fault),
        }
    }
    Ok(audit.report)
}

impl<T: Item> Audit<T> {
    fn read_segment(
        &mut self,
        disk: &dyn Disk,
        name: &SegmentName,
        is_last: bool,
    ) -> Result<(), LogFault> {
        let (mut segment, mut offset) = open_to_read::<T>(disk, name)?;
        self.check_next(&segment.path, offset, name.first_number)?;
        loop {
            match segment.find(offset)? {
                Found::Flush(flush) => {
                    self.read_flush(&segment, &flush)?;
                    offset = flush.end();
                }
                Found::End => return Ok(()),
                Found::Unfinished(cut) if is_last => {
                    self.report.unfinished = Some(cut);
                    return Ok(());
                }
                Found::Unfinished(cut) => {
                    let (segment, offset) = (cut.segment, cut.offset);
                    let reason = DamageReason::NotLastSegment;
                    return Err(Damage { segment, offset, reason }.into());
                }
            }
        }
    }

    fn read_flush(&mut self, segment: &OpenSegment, flush: &SegmentFlush) -> Result<(), LogFault> {
        let path = &segment.path;
        self.check_next(path, flush.offset, flush.head.first_number)?;
        for item in flush.items::<T>(path) {
            let (offset, item) = item?;
            self.take(&item).map_err(|reason| Damage { segment: path.clone(), offset, reason })?;
        }
        self.check_next(path, flush.end(), flush.head.last_number() + 1)
    }

    fn take(&mut self, item: &T) -> Result<(), DamageReason> {
        if let Some(end) = &self.end {
            item.check_extends(end)?;
        }
        let (first, last) = item.numbers();
        self.report.item_count += 1;
        self.report.number_count += last - first + 1;
        self.report.byte_count += item.bytes().len() as u64;
        self.end = Some(item.end());
        self.report.end = self.end;
        Ok(())
    }

    /// A segment or flush begins with the next number, where one is known.
    fn check_next(&self, segment: &Path, offset: u64, found: u64) -> Result<(), LogFault> {
        let Some(end) = &self.end else { return Ok(()) };
        let expected = T::last_number(end) + 1;
        if found == expected {
            return Ok(());
        }
        let reason = DamageReason::Gap { expected, found };
        Err(Damage { segment: segment.to_path_buf(), offset, reason }.into())
    }
}
