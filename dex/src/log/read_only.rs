//! A disk on which nothing is ever written.
//!
//! Opening a log writes a little: it clears an unfinished flush and makes the last good one durable once
//! more. A reader needs neither, since it stops at the last good flush, so over this disk such writes
//! are taken and dropped. Files are opened for reading only: not even a bug here can change a log.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use journal::disk::{Disk, RealDisk, SegmentFile};

/// The machine's disk without its writes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ReadOnlyDisk;

/// A file of the machine, read only.
#[derive(Debug)]
struct ReadFile(Box<dyn SegmentFile>);

/// A file that would have been made; only its length is remembered.
#[derive(Debug, Default)]
struct Dropped {
    size: AtomicU64,
}

impl Disk for ReadOnlyDisk {
    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        if folder.is_dir() { Ok(()) } else { Err(ErrorKind::NotFound.into()) }
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        RealDisk.list(folder)
    }

    fn create(&self, _: &Path) -> io::Result<Box<dyn SegmentFile>> {
        Ok(Box::new(Dropped::default()))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        self.open_read(path)
    }

    fn open_read(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        Ok(Box::new(ReadFile(RealDisk.open_read(path)?)))
    }

    fn rename(&self, _: &Path, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
}

impl SegmentFile for ReadFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], _: u64) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn size(&self) -> io::Result<u64> {
        self.0.size()
    }
}

impl SegmentFile for Dropped {
    fn read_at(&self, _: &mut [u8], _: u64) -> io::Result<usize> {
        Ok(0)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.size.fetch_max(offset + bytes.len() as u64, Ordering::Relaxed);
        Ok(bytes.len())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.size.load(Ordering::Relaxed))
    }
}
