//! The ends of segments that are passed over when a log is opened from its end (D-118).
//!
//! Owns what is checked of a segment without reading it: header and length, its last flush, zeros behind that, and that the next segment goes on from there, by its number and by its salt. So a missing,
//! shortened or foreign segment is found at every start (SEQ-21, SEQ-38), at a cost of one flush a segment. Of a
//! compressed segment only the head is looked at: what it holds was checked when it was compressed, and is again
//! whenever it is read.
//!
//! What lies in front of the last flush is not looked at here, and nothing is written.

use std::io::ErrorKind;

use crate::disk::Disk;
use crate::fault::{DamageReason, LogFault};
use crate::segments::header::SegmentName;
use crate::segments::item::Item;
use crate::segments::scan::{Access, Flush, OpenSegment};
use crate::segments::{closed, damaged, storage};

/// Checks the ends of all segments but the last, and answers where the last one goes on.
pub(crate) fn read_ends<T: Item>(
    disk: &dyn Disk,
    names: &[SegmentName],
) -> Result<T::End, LogFault> {
    let [first, _, ..] = names else { return Ok(T::EMPTY) };
    check_number(first, T::last_number(&T::EMPTY) + 1)?;
    let mut end = T::EMPTY;
    for (index, pair) in names.windows(2).enumerate() {
        let [name, next] = pair else { break };
        // The chain goes on from the last of them, so that one is read in any form.
        if index + 2 == names.len() {
            end = end_of::<T>(name, &check_end::<T>(disk, name, next)?)?;
        } else if is_plain(disk, name)? {
            check_end::<T>(disk, name, next)?;
        } else {
            closed::check_head(disk, &name.path)?;
        }
    }
    Ok(end)
}

/// The last flush of a segment, behind which the next segment goes on.
fn check_end<T: Item>(
    disk: &dyn Disk,
    name: &SegmentName,
    next: &SegmentName,
) -> Result<Flush, LogFault> {
    let mut segment = OpenSegment::open(disk, name, T::KIND, Access::Read)?;
    let Some(flush) = segment.find_last()? else {
        return Err(damaged(&name.path, 0, DamageReason::NotLastSegment));
    };
    check_number(next, flush.head.last_number() + 1)?;
    let follower = OpenSegment::open(disk, next, T::KIND, Access::Read)?;
    if follower.header.salt != flush.head.body_crc {
        return Err(damaged(&next.path, 0, DamageReason::SegmentHeader));
    }
    Ok(flush)
}

/// The end of a log whose last flush is this one.
fn end_of<T: Item>(name: &SegmentName, flush: &Flush) -> Result<T::End, LogFault> {
    let mut end: Option<T::End> = None;
    for item in flush.items::<T>(&name.path) {
        let (offset, item) = item?;
        match &end {
            Some(end) => item.check_extends(end).map_err(|why| damaged(&name.path, offset, why))?,
            None if item.numbers().0 != flush.head.first_number => {
                let (expected, found) = (flush.head.first_number, item.numbers().0);
                return Err(damaged(&name.path, offset, DamageReason::Gap { expected, found }));
            }
            None => {}
        }
        end = Some(item.end());
    }
    let sound = end.filter(|end| T::last_number(end) == flush.head.last_number());
    sound.ok_or_else(|| damaged(&name.path, flush.offset, DamageReason::Checksum))
}

fn check_number(name: &SegmentName, expected: u64) -> Result<(), LogFault> {
    let found = name.first_number;
    if expected == found {
        return Ok(());
    }
    Err(damaged(&name.path, 0, DamageReason::Gap { expected, found }))
}

/// Whether a segment is there as it was written.
fn is_plain(disk: &dyn Disk, name: &SegmentName) -> Result<bool, LogFault> {
    match disk.open_read(&name.path) {
        Ok(_) => Ok(true),
        Err(fault) if fault.kind() == ErrorKind::NotFound => Ok(false),
        Err(fault) => Err(storage("open", &name.path)(fault)),
    }
}
