//! Opening a folder of segments: reading it, checking it, cutting an unfinished tail.
//!
//! Owns recovery. The end of every segment is read before a number can be given (SEQ-21). A log is opened
//! *whole*, and every number, checksum and link of the chain is checked; or from its *end* (D-118): the last
//! segment whole, and of each before it header, length and last flush (`ends.rs`), so that the time hardly grows
//! with the log. What was passed over is checked by whoever reads it. Only
//! an unfinished last flush is cut, and that is reported and kept in a file beside the log. What was found whole is
//! made durable once more before it is reported, and so is the blank behind it: a process may have died between
//! its write and its sync, or a sync may have failed.
//!
//! Nothing else is ever written here: damage is refused with segment and offset.

use std::path::Path;
use std::sync::Arc;

use crate::disk::{Disk, read_full, write_full};
use crate::fault::{DamageReason, LogFault};
use crate::limits::FLUSH_BODY_SIZE_MAX;
use crate::segments::aside::keep_aside;
use crate::segments::ends::read_ends;
use crate::segments::frame::stored_size;
use crate::segments::header::{SEGMENT_HEADER_SIZE, list_segments};
use crate::segments::item::Item;
use crate::segments::scan::{Access, Flush, Found, OpenSegment};
use crate::segments::writer::{Current, SegmentWriter};
use crate::segments::{Cut, SegmentOptions, damaged, storage};

/// How much of a log is read when it is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Everything.
    Whole,
    /// The last segment, and the end of each before it.
    End,
}

/// A folder of segments, read to its end.
#[derive(Debug)]
pub(crate) struct Recovered<T: Item> {
    pub(crate) writer: SegmentWriter,
    pub(crate) end: T::End,
    /// Items read.
    pub(crate) count: u64,
    pub(crate) cut: Option<Cut>,
}

/// What is known while reading on.
#[derive(Debug)]
struct Progress<T: Item> {
    end: T::End,
    count: u64,
}

/// Opens the log in `folder`, which is made if there is none.
pub(crate) fn recover<T: Item>(
    disk: Arc<dyn Disk>,
    folder: &Path,
    options: SegmentOptions,
    reading: Reading,
) -> Result<Recovered<T>, LogFault> {
    disk.create_folder(folder).map_err(storage("create", folder))?;
    let names = list_segments(&*disk, folder)?;
    let passed = match reading {
        Reading::Whole => 0,
        Reading::End => names.len().saturating_sub(1),
    };
    let until = names.len().min(passed + 1);
    let mut progress = Progress::<T> { end: read_ends::<T>(&*disk, &names[..until])?, count: 0 };
    let mut last = None;
    let mut cut = None;
    for (index, name) in names.iter().enumerate().skip(passed) {
        let access = if index + 1 == names.len() { Access::Write } else { Access::Read };
        let segment = OpenSegment::open(&*disk, name, T::KIND, access)?;
        progress.check_next(&segment.path, 0, name.first_number)?;
        let (current, unfinished) = read_segment(segment, &mut progress)?;
        match unfinished {
            Some(found) if access == Access::Read => {
                return Err(damaged(&name.path, found.offset, DamageReason::NotLastSegment));
            }
            found => cut = found,
        }
        last = Some(current);
    }
    if let (Some(cut), Some(last)) = (&mut cut, &last) {
        cut.aside = Some(keep_aside(&*disk, folder, cut, &*last.current.segment.file)?);
    }
    let current = last.map(settle).transpose()?;
    disk.sync_folder(folder).map_err(storage("sync", folder))?;
    let mut writer = SegmentWriter::new(disk, folder.to_path_buf(), T::KIND, options);
    writer.resume(names, current);
    Ok(Recovered { writer, end: progress.end, count: progress.count, cut })
}

/// A segment that was read, and its last flush's place.
struct ReadSegment {
    current: Current,
    last_flush: u64,
}

fn read_segment<T: Item>(
    segment: OpenSegment,
    progress: &mut Progress<T>,
) -> Result<(ReadSegment, Option<Cut>), LogFault> {
    let body_crc = segment.header.salt;
    let current = Current { segment, offset: SEGMENT_HEADER_SIZE, body_crc };
    let mut read = ReadSegment { current, last_flush: SEGMENT_HEADER_SIZE };
    loop {
        let current = &mut read.current;
        match current.segment.find(current.offset)? {
            Found::Flush(flush) => {
                progress.read_flush(&current.segment.path, &flush)?;
                current.body_crc = flush.head.body_crc;
                read.last_flush = current.offset;
                current.offset = flush.end();
            }
            Found::End => return Ok((read, None)),
            Found::Unfinished(cut) => return Ok((read, Some(cut))),
        }
    }
}

impl<T: Item> Progress<T> {
    /// A segment or flush begins with the next number.
    fn check_next(&self, segment: &Path, offset: u64, found: u64) -> Result<(), LogFault> {
        let expected = T::last_number(&self.end) + 1;
        if found == expected {
            Ok(())
        } else {
            Err(damaged(segment, offset, DamageReason::Gap { expected, found }))
        }
    }

    /// Checks every item of a flush and moves behind it.
    fn read_flush(&mut self, segment: &Path, flush: &Flush) -> Result<(), LogFault> {
        self.check_next(segment, flush.offset, flush.head.first_number)?;
        for item in flush.items::<T>(segment) {
            let (offset, item) = item?;
            item.check_extends(&self.end).map_err(|why| damaged(segment, offset, why))?;
            self.end = item.end();
            self.count += 1;
        }
        self.check_next(segment, flush.end(), flush.head.last_number() + 1)
    }
}

/// Makes what was read durable as it was read: the last flush, and that nothing lies behind it.
///
/// A sync that failed may have left anything on the medium while the machine still shows what was written:
/// a flush that was cut, or one that an earlier start had cleared. What shows as zeros is therefore written
/// again as far as one flush can reach.
fn settle(read: ReadSegment) -> Result<Current, LogFault> {
    let ReadSegment { current, last_flush } = read;
    let OpenSegment { file, path, .. } = &current.segment;
    let size = usize::try_from(current.offset - last_flush).expect("a flush fits into memory");
    let mut flush = vec![0; size];
    read_full(&**file, &mut flush, last_flush).map_err(storage("read", path))?;
    write_full(&**file, &flush, last_flush).map_err(storage("write", path))?;
    let behind = current.offset + stored_size(FLUSH_BODY_SIZE_MAX);
    let end = current.segment.header.size.min(behind);
    let blank = vec![0; BLANK_CHUNK_SIZE];
    for at in (current.offset..end).step_by(BLANK_CHUNK_SIZE) {
        let size =
            usize::try_from(end - at).map_or(BLANK_CHUNK_SIZE, |it| it.min(BLANK_CHUNK_SIZE));
        write_full(&**file, &blank[..size], at).map_err(storage("clear", path))?;
    }
    file.sync().map_err(storage("sync", path))?;
    Ok(current)
}

/// Bytes that are cleared at a time.
const BLANK_CHUNK_SIZE: usize = 1024 * 1024;
