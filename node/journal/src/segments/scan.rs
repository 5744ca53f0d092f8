//! Reading one segment flush by flush, and telling an unfinished flush from a damaged one.
//!
//! Owns the rule of recovery (REC-28). Bytes that are no sound flush are
//! - the *end*, if they and all that follow are zero;
//! - *unfinished*, if written sectors are missing and no flush follows: the next flush is only
//!   written once the one before it is durable, so an unfinished one is always the last;
//! - *damaged* otherwise.
//!
//! Nothing is written here.

use std::path::{Path, PathBuf};

use crate::disk::{Disk, SegmentFile, read_full};
use crate::fault::{DamageReason, LogFault};
use crate::limits::FLUSH_BODY_SIZE_MAX;
use crate::segments::frame::{Condition, FLUSH_HEAD_SIZE, FlushHead, Place, judge_no_head};
use crate::segments::header::{SECTOR_BYTES, SEGMENT_HEADER_SIZE, SegmentHeader, SegmentName};
use crate::segments::item::Item;
use crate::segments::{Cut, LogKind, closed, damaged, storage};

/// An open segment whose header was checked.
#[derive(Debug)]
pub(crate) struct OpenSegment {
    pub(crate) path: PathBuf,
    pub(crate) file: Box<dyn SegmentFile>,
    pub(crate) header: SegmentHeader,
    ahead: Ahead,
}

/// Bytes of a segment that were read ahead: flushes may be as small as a command, and each read is a call of the
/// system. Who scans a segment that is still written to wants only what was durable when he began, so what is
/// held here never misses anything of it.
#[derive(Debug, Default)]
struct Ahead {
    offset: u64,
    bytes: Vec<u8>,
}

/// A sound flush.
#[derive(Debug)]
pub(crate) struct Flush {
    pub(crate) head: FlushHead,
    pub(crate) offset: u64,
    /// From the head to the end mark.
    framed: Vec<u8>,
}

/// What lies at an offset.
#[derive(Debug)]
pub(crate) enum Found {
    Flush(Flush),
    /// Nothing was written from here on.
    End,
    /// The last flush, interrupted.
    Unfinished(Cut),
}

impl Flush {
    /// The items.
    pub(crate) fn body(&self) -> &[u8] {
        &self.framed[FLUSH_HEAD_SIZE..FLUSH_HEAD_SIZE + self.head.body_size as usize]
    }

    /// Where the body begins in the segment.
    pub(crate) fn body_offset(&self) -> u64 {
        self.offset + FLUSH_HEAD_SIZE as u64
    }

    /// The items in order with their offsets in the segment, up to the first bad one.
    pub(crate) fn items<'a, T: Item>(
        &'a self,
        segment: &'a Path,
    ) -> impl Iterator<Item = Result<(u64, T), LogFault>> + 'a {
        let mut rest = self.body();
        std::iter::from_fn(move || {
            let offset = self.body_offset() + (self.body().len() - rest.len()) as u64;
            if rest.is_empty() {
                return None;
            }
            match T::take(rest) {
                Ok((item, size)) => {
                    rest = &rest[size..];
                    Some(Ok((offset, item)))
                }
                Err(why) => {
                    rest = &[];
                    Some(Err(damaged(segment, offset, why)))
                }
            }
        })
    }

    /// Where the next flush begins.
    pub(crate) fn end(&self) -> u64 {
        self.offset + self.head.stored_size()
    }
}

impl OpenSegment {
    /// A segment with this header.
    pub(crate) fn new(
        path: PathBuf,
        file: Box<dyn SegmentFile>,
        header: SegmentHeader,
    ) -> OpenSegment {
        OpenSegment { path, file, header, ahead: Ahead::default() }
    }

    /// Opens a segment for reading and, if asked, for writing, and checks its header and length.
    pub(crate) fn open(
        disk: &dyn Disk,
        name: &SegmentName,
        kind: LogKind,
        access: Access,
    ) -> Result<OpenSegment, LogFault> {
        let path = name.path.clone();
        let file = match access {
            Access::Read => closed::open_read(disk, &path)?,
            Access::Write => disk.open(&path).map_err(storage("open", &path))?,
        };
        let size = file.size().map_err(storage("measure", &path))?;
        if size < SEGMENT_HEADER_SIZE {
            let expected = SEGMENT_HEADER_SIZE;
            return Err(damaged(&path, 0, DamageReason::SegmentSize { expected, found: size }));
        }
        let mut sector = [0; SECTOR_BYTES];
        read_full(&*file, &mut sector, 0).map_err(storage("read", &path))?;
        match SegmentHeader::decode(&sector, kind) {
            Some(header) if header.first_number != name.first_number => {
                Err(damaged(&path, 0, DamageReason::SegmentHeader))
            }
            Some(header) if header.size != size => {
                let expected = header.size;
                Err(damaged(&path, size, DamageReason::SegmentSize { expected, found: size }))
            }
            Some(header) => Ok(OpenSegment::new(path, file, header)),
            None => Err(damaged(&path, 0, DamageReason::SegmentHeader)),
        }
    }

    /// What lies at `offset`: a flush, the end, or an unfinished flush; damage is a fault.
    pub(crate) fn find(&mut self, offset: u64) -> Result<Found, LogFault> {
        let Some(bytes) = self.read_head(offset)? else { return Ok(Found::End) };
        let place = self.place(offset);
        let Some(head) = FlushHead::decode(&bytes, place) else {
            return self.find_no_head(offset, &bytes);
        };
        let framed = self.read_framed(&head, offset)?;
        match head.judge(place, &framed) {
            Condition::Sound => {
                self.check_padding(&head, offset)?;
                Ok(Found::Flush(Flush { head, offset, framed }))
            }
            condition => {
                self.check_nothing_follows(offset, offset + head.stored_size())?;
                self.unfinished(offset, condition)
            }
        }
    }

    /// The head at `offset`, without reading the body; `None` where there is no sound head.
    pub(crate) fn find_head(&mut self, offset: u64) -> Result<Option<FlushHead>, LogFault> {
        let bytes = self.read_head(offset)?;
        Ok(bytes.and_then(|bytes| FlushHead::decode(&bytes, self.place(offset))))
    }

    /// The last flush of a segment that is full, found from its end; `None` if there is none. Behind it may be
    /// nothing.
    pub(crate) fn find_last(&mut self) -> Result<Option<Flush>, LogFault> {
        let Some(offset) = self.last_head()? else { return Ok(None) };
        let Found::Flush(flush) = self.find(offset)? else {
            return Err(damaged(&self.path, offset, DamageReason::NotLastSegment));
        };
        if self.written_size(flush.end())? > 0 {
            return Err(damaged(&self.path, flush.end(), DamageReason::Checksum));
        }
        Ok(Some(flush))
    }

    /// Where the last sound head of a flush lies.
    fn last_head(&self) -> Result<Option<u64>, LogFault> {
        let mut buffer = vec![0; WALK_CHUNK_SIZE];
        let mut end = self.header.size - self.header.size % FLUSH_HEAD_SIZE as u64;
        while end > SEGMENT_HEADER_SIZE {
            let begin = end.saturating_sub(WALK_CHUNK_SIZE as u64).max(SEGMENT_HEADER_SIZE);
            let size = usize::try_from(end - begin).expect("at most a chunk");
            let chunk = &mut buffer[..size];
            read_full(&*self.file, chunk, begin).map_err(storage("read", &self.path))?;
            let heads = chunk.chunks_exact(FLUSH_HEAD_SIZE).enumerate().rev();
            let places =
                heads.map(|(index, bytes)| (begin + (index * FLUSH_HEAD_SIZE) as u64, bytes));
            let is_head =
                |(at, bytes): &(u64, &[u8])| FlushHead::decode(bytes, self.place(*at)).is_some();
            if let Some((at, _)) = places.into_iter().find(is_head) {
                return Ok(Some(at));
            }
            end = begin;
        }
        Ok(None)
    }

    fn place(&self, offset: u64) -> Place {
        Place { offset, salt: self.header.salt }
    }

    fn read_head(&mut self, offset: u64) -> Result<Option<[u8; FLUSH_HEAD_SIZE]>, LogFault> {
        if offset + FLUSH_HEAD_SIZE as u64 > self.header.size {
            return Ok(None);
        }
        let mut bytes = [0; FLUSH_HEAD_SIZE];
        self.read(&mut bytes, offset)?;
        Ok(Some(bytes))
    }

    /// Fills `buffer` from a place inside the segment, from what was read ahead where it is small.
    fn read(&mut self, buffer: &mut [u8], offset: u64) -> Result<(), LogFault> {
        if buffer.len() > AHEAD_SIZE / 4 {
            return read_full(&*self.file, buffer, offset).map_err(storage("read", &self.path));
        }
        if let Some(bytes) = self.ahead.get(offset, buffer.len()) {
            buffer.copy_from_slice(bytes);
            return Ok(());
        }
        let left = self.header.size.saturating_sub(offset);
        let size = usize::try_from(left).map_or(AHEAD_SIZE, |left| left.min(AHEAD_SIZE));
        self.ahead.bytes.resize(size.max(buffer.len()), 0);
        self.ahead.offset = offset;
        let read = read_full(&*self.file, &mut self.ahead.bytes, offset);
        if let Err(fault) = read {
            self.ahead = Ahead::default();
            return Err(storage("read", &self.path)(fault));
        }
        buffer.copy_from_slice(&self.ahead.bytes[..buffer.len()]);
        Ok(())
    }

    /// The bytes from a sound head to its end mark.
    fn read_framed(&mut self, head: &FlushHead, offset: u64) -> Result<Vec<u8>, LogFault> {
        let fits = head.body_size as usize <= FLUSH_BODY_SIZE_MAX
            && offset + head.stored_size() <= self.header.size;
        if !fits {
            return Err(damaged(&self.path, offset, DamageReason::Checksum));
        }
        let size = usize::try_from(head.framed_size()).expect("bounded by FLUSH_BODY_SIZE_MAX");
        let mut framed = vec![0; size];
        self.read(&mut framed, offset)?;
        Ok(framed)
    }

    /// Nothing is stored between the end mark and the next flush, and so nothing may be there.
    fn check_padding(&mut self, head: &FlushHead, offset: u64) -> Result<(), LogFault> {
        let mut padding = [0; FLUSH_HEAD_SIZE];
        let size = usize::try_from(head.stored_size() - head.framed_size()).expect("below a head");
        self.read(&mut padding[..size], offset + head.framed_size())?;
        if padding == [0; FLUSH_HEAD_SIZE] {
            Ok(())
        } else {
            Err(damaged(&self.path, offset, DamageReason::Checksum))
        }
    }

    fn find_no_head(&self, offset: u64, bytes: &[u8]) -> Result<Found, LogFault> {
        self.check_nothing_follows(offset, offset + FLUSH_HEAD_SIZE as u64)?;
        if self.written_size(offset)? == 0 {
            return Ok(Found::End);
        }
        self.unfinished(offset, judge_no_head(bytes))
    }

    fn unfinished(&self, offset: u64, condition: Condition) -> Result<Found, LogFault> {
        if condition == Condition::Changed {
            return Err(damaged(&self.path, offset, DamageReason::Checksum));
        }
        let size = self.written_size(offset)?;
        Ok(Found::Unfinished(Cut { segment: self.path.clone(), offset, size, aside: None }))
    }

    /// Refuses if a flush begins at or after `from`: then the one at `offset` was once durable.
    fn check_nothing_follows(&self, offset: u64, from: u64) -> Result<(), LogFault> {
        let mut good = None;
        self.walk(from, |at, chunk| {
            let heads = (at..).step_by(FLUSH_HEAD_SIZE).zip(chunk.chunks_exact(FLUSH_HEAD_SIZE));
            let mut sound =
                heads.filter(|(at, bytes)| FlushHead::decode(bytes, self.place(*at)).is_some());
            good = good.or_else(|| sound.next().map(|(at, _)| at));
        })?;
        match good {
            Some(at) => Err(damaged(&self.path, offset, DamageReason::BeforeGood(at))),
            None => Ok(()),
        }
    }

    /// Bytes from `offset` up to the last one that is not zero.
    fn written_size(&self, offset: u64) -> Result<u64, LogFault> {
        let mut size = 0;
        self.walk(offset, |at, chunk| {
            if let Some(last) = chunk.iter().rposition(|byte| *byte != 0) {
                size = at + last as u64 + 1 - offset;
            }
        })?;
        Ok(size)
    }

    /// Shows the rest of the segment from `from` in chunks with their offsets.
    fn walk(&self, from: u64, mut visit: impl FnMut(u64, &[u8])) -> Result<(), LogFault> {
        let mut buffer = vec![0; WALK_CHUNK_SIZE];
        let mut at = from;
        while at < self.header.size {
            let rest = self.header.size - at;
            let size = usize::try_from(rest).map_or(WALK_CHUNK_SIZE, |n| n.min(WALK_CHUNK_SIZE));
            let chunk = &mut buffer[..size];
            read_full(&*self.file, chunk, at).map_err(storage("read", &self.path))?;
            visit(at, chunk);
            at += size as u64;
        }
        Ok(())
    }
}

impl Ahead {
    fn get(&self, offset: u64, size: usize) -> Option<&[u8]> {
        let begin = usize::try_from(offset.checked_sub(self.offset)?).ok()?;
        self.bytes.get(begin..begin.checked_add(size)?)
    }
}

/// What a segment is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// A segment opened for reading, and where its first flush begins.
pub(crate) fn open_to_read<T: Item>(
    disk: &dyn Disk,
    name: &SegmentName,
) -> Result<(OpenSegment, u64), LogFault> {
    Ok((OpenSegment::open(disk, name, T::KIND, Access::Read)?, SEGMENT_HEADER_SIZE))
}

/// The numbers of every flush of a segment in order, by their heads alone.
pub(crate) fn flush_numbers(
    disk: &dyn Disk,
    name: &SegmentName,
    kind: LogKind,
) -> Result<Vec<std::ops::RangeInclusive<u64>>, LogFault> {
    let mut segment = OpenSegment::open(disk, name, kind, Access::Read)?;
    let mut offset = SEGMENT_HEADER_SIZE;
    let mut numbers = Vec::new();
    while let Some(head) = segment.find_head(offset)? {
        numbers.push(head.first_number..=head.last_number());
        offset += head.stored_size();
    }
    Ok(numbers)
}

/// Bytes that are read ahead.
const AHEAD_SIZE: usize = 64 * 1024;
/// A multiple of the head's size, so that no head lies across two chunks.
const WALK_CHUNK_SIZE: usize = 256 * 1024;
const _: () = assert!(WALK_CHUNK_SIZE.is_multiple_of(FLUSH_HEAD_SIZE));
