//! Appending to segments: collecting what waits for a sync, and writing it as one flush.
//!
//! Owns the write side of a log's folder. Order of a flush: write it, sync it, only then may the
//! next one be written. Order of a new segment: zeros, sync, header, sync, name, sync of the
//! folder, only then a flush in it. After the first failure nothing is written any more (poison):
//! a second sync may answer well about bytes that the first one lost.
//!
//! It trusts its caller for the numbers; the chain is checked above.

use std::path::PathBuf;
use std::sync::Arc;

use crate::disk::{Disk, write_full};
use crate::fault::LogFault;
use crate::limits::{PENDING_SIZE_MAX, SEGMENT_SIZE_MIN};
use crate::segments::background::{Prepared, Task, check_closed, prepare};
use crate::segments::frame::{FLUSH_HEAD_SIZE, Place, frame, stored_size};
use crate::segments::header::{SEGMENT_HEADER_SIZE, SegmentHeader, SegmentName, segment_path};
use crate::segments::scan::OpenSegment;
use crate::segments::{LogKind, SegmentOptions, storage};

/// The write side of a folder of segments.
#[derive(Debug)]
pub(crate) struct SegmentWriter {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) folder: PathBuf,
    pub(crate) kind: LogKind,
    options: SegmentOptions,
    /// All segments in order; the last is the current one.
    pub(crate) names: Vec<SegmentName>,
    current: Option<Current>,
    pending: Pending,
    preparing: Option<Task<Prepared>>,
    checking: Option<Task<()>>,
    poisoned: bool,
}

/// Where the next flush goes.
#[derive(Debug)]
pub(crate) struct Current {
    pub(crate) segment: OpenSegment,
    pub(crate) offset: u64,
    /// The checksum of the last flush's body; the next segment's salt.
    pub(crate) body_crc: u32,
}

/// What waits for the next sync: room for a head, then the items.
#[derive(Debug)]
struct Pending {
    buffer: Vec<u8>,
    first_number: u64,
    number_count: u32,
}

impl SegmentWriter {
    /// A writer behind what recovery found. It writes nothing yet.
    pub(crate) fn new(
        disk: Arc<dyn Disk>,
        folder: PathBuf,
        kind: LogKind,
        options: SegmentOptions,
    ) -> SegmentWriter {
        let options =
            SegmentOptions { size: rounded(options.size.max(SEGMENT_SIZE_MIN)), ..options };
        SegmentWriter {
            disk,
            folder,
            kind,
            options,
            names: Vec::new(),
            current: None,
            pending: Pending::new(),
            preparing: None,
            checking: None,
            poisoned: false,
        }
    }

    /// Goes on in the segments that recovery found.
    pub(crate) fn resume(&mut self, names: Vec<SegmentName>, current: Option<Current>) {
        self.names = names;
        self.current = current;
        if self.current.is_none() {
            self.start_preparing();
        }
    }

    /// Adds an item with the numbers `first..first + count` to what waits for the next sync.
    pub(crate) fn push(&mut self, first: u64, count: u32, bytes: &[u8]) -> Result<(), LogFault> {
        self.check_usable()?;
        if self.pending.size() > 0 && self.pending.size() + bytes.len() > PENDING_SIZE_MAX {
            self.flush()?;
        }
        if self.pending.number_count == 0 {
            self.pending.first_number = first;
        }
        self.pending.number_count += count;
        self.pending.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// Makes everything pushed durable.
    pub(crate) fn flush(&mut self) -> Result<(), LogFault> {
        self.check_usable()?;
        let result = self.try_flush();
        self.poisoned = result.is_err();
        result
    }

    /// Whether anything waits for a sync.
    pub(crate) fn is_pending(&self) -> bool {
        self.pending.number_count > 0
    }

    /// Refuses once anything failed.
    pub(crate) fn check_usable(&self) -> Result<(), LogFault> {
        if self.poisoned { Err(LogFault::Poisoned) } else { Ok(()) }
    }

    fn try_flush(&mut self) -> Result<(), LogFault> {
        self.take_check()?;
        if !self.is_pending() {
            return Ok(());
        }
        let needed = stored_size(self.pending.size());
        let fits = self.current.as_ref().is_some_and(|current| current.room() >= needed);
        if !fits {
            self.roll(needed)?;
        }
        let current = self.current.as_mut().expect("rolled above if there was none");
        let place = Place { offset: current.offset, salt: current.segment.header.salt };
        let numbers = (self.pending.first_number, self.pending.number_count);
        let buffer = &mut self.pending.buffer;
        current.body_crc = frame(buffer, numbers, place);
        let OpenSegment { file, path, .. } = &current.segment;
        write_full(&**file, buffer, current.offset).map_err(storage("write", path))?;
        file.sync().map_err(storage("sync", path))?;
        current.offset += buffer.len() as u64;
        let half_full = current.offset > current.segment.header.size / 2;
        self.pending.clear();
        if half_full && self.preparing.is_none() {
            self.start_preparing();
        }
        Ok(())
    }

    /// Begins a new segment with room for a flush of `needed` bytes.
    fn roll(&mut self, needed: u64) -> Result<(), LogFault> {
        let prepared = self.take_prepared(needed)?;
        let first_number = self.pending.first_number;
        let salt = self.current.as_ref().map_or(0, |current| current.body_crc);
        let header = SegmentHeader { kind: self.kind, salt, first_number, size: prepared.size };
        let path = segment_path(&self.folder, first_number);
        let Prepared { file, path: from, .. } = prepared;
        write_full(&*file, &header.encode(), 0).map_err(storage("write", &from))?;
        file.sync().map_err(storage("sync", &from))?;
        self.disk.rename(&from, &path).map_err(storage("name", &path))?;
        self.disk.sync_folder(&self.folder).map_err(storage("sync", &self.folder))?;
        let name = SegmentName { path: path.clone(), first_number };
        if self.names.last().is_some_and(|last| last.first_number == first_number) {
            // The last segment was empty and too small; the new one has taken its name.
            self.names.pop();
        } else if let Some(closed) = self.names.last() {
            self.checking = Some(self.start_check(closed.clone(), name.clone()));
        }
        self.names.push(name);
        let segment = OpenSegment::new(path, file, header);
        self.current = Some(Current { segment, offset: SEGMENT_HEADER_SIZE, body_crc: salt });
        Ok(())
    }

    /// The prepared segment if it is large enough, otherwise one made now.
    fn take_prepared(&mut self, needed: u64) -> Result<Prepared, LogFault> {
        let ready = self.preparing.take().map(Task::finish).transpose()?;
        let size = self.options.size.max(rounded(SEGMENT_HEADER_SIZE + needed));
        match ready {
            Some(prepared) if prepared.size >= size => Ok(prepared),
            _ => prepare(&*self.disk, &self.folder, size),
        }
    }

    fn start_preparing(&mut self) {
        let (disk, folder, size) = (self.disk.clone(), self.folder.clone(), self.options.size);
        let work = move || prepare(&*disk, &folder, size);
        self.preparing = Some(Task::start(self.options.preparation, work));
    }

    fn start_check(&self, closed: SegmentName, next: SegmentName) -> Task<()> {
        let (disk, kind) = (self.disk.clone(), self.kind);
        let work = move || check_closed(&disk, &closed, &next, kind);
        Task::start(self.options.preparation, work)
    }

    /// The result of the check of the last closed segment, once there is one.
    fn take_check(&mut self) -> Result<(), LogFault> {
        if self.checking.as_ref().is_some_and(Task::is_finished) {
            return self.checking.take().map_or(Ok(()), Task::finish);
        }
        Ok(())
    }
}

impl Current {
    fn room(&self) -> u64 {
        self.segment.header.size - self.offset
    }
}

impl Pending {
    fn new() -> Pending {
        Pending { buffer: vec![0; FLUSH_HEAD_SIZE], first_number: 0, number_count: 0 }
    }

    /// Bytes of the items.
    fn size(&self) -> usize {
        self.buffer.len() - FLUSH_HEAD_SIZE
    }

    fn clear(&mut self) {
        self.buffer.truncate(FLUSH_HEAD_SIZE);
        self.number_count = 0;
    }
}

/// Segments are whole pages.
fn rounded(size: u64) -> u64 {
    size.next_multiple_of(4096)
}
