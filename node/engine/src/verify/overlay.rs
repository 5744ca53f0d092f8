//! A disk that reads from this machine's and keeps every write in memory.
//!
//! Opening a log writes: it clears an unfinished flush and makes the last good one durable once more.
//! Over this disk it does so in memory, one open file at a time, and the folder stays as it is. Files
//! are opened for reading only, so not even a bug here can write. Meant for the little that opening
//! writes: all of it is held until the file is closed.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::disk::{Disk, RealDisk, SegmentFile};
use parking_lot::Mutex;

/// The machine's disk under a layer of writes.
#[derive(Debug, Default)]
pub(crate) struct OverlayDisk {
    /// Files that exist in memory only.
    created: Mutex<BTreeMap<PathBuf, Arc<Layer>>>,
}

/// A file: what lies below, and what was written over it.
#[derive(Debug)]
struct Layer {
    below: Option<Box<dyn SegmentFile>>,
    /// Writes in the order in which they were made.
    writes: Mutex<Vec<(u64, Vec<u8>)>>,
}

#[derive(Debug)]
struct OverlayFile(Arc<Layer>);

impl OverlayDisk {
    fn open_layer(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        if let Some(layer) = self.created.lock().get(path) {
            return Ok(Box::new(OverlayFile(layer.clone())));
        }
        let below = RealDisk.open_read(path)?;
        let layer = Layer { below: Some(below), writes: Mutex::default() };
        Ok(Box::new(OverlayFile(Arc::new(layer))))
    }
}

impl Disk for OverlayDisk {
    fn create_folder(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        RealDisk.list(folder)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        let layer = Arc::new(Layer { below: None, writes: Mutex::default() });
        self.created.lock().insert(path.to_path_buf(), layer.clone());
        Ok(Box::new(OverlayFile(layer)))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        self.open_layer(path)
    }

    fn open_read(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        self.open_layer(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut created = self.created.lock();
        let layer = created.remove(from).ok_or(ErrorKind::NotFound)?;
        created.insert(to.to_path_buf(), layer);
        Ok(())
    }

    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
}

impl SegmentFile for OverlayFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = self.size()?.saturating_sub(offset);
        let wanted = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let buffer = &mut buffer[..wanted];
        buffer.fill(0);
        let mut done = 0;
        while let Some(below) = &self.0.below
            && done < buffer.len()
        {
            match below.read_at(&mut buffer[done..], offset + done as u64)? {
                0 => break,
                count => done += count,
            }
        }
        for (at, bytes) in self.0.writes.lock().iter() {
            let from = offset.max(*at);
            let until = (offset + buffer.len() as u64).min(at + bytes.len() as u64);
            if from < until {
                let range = |start: u64| index(from - start)..index(until - start);
                buffer[range(offset)].copy_from_slice(&bytes[range(*at)]);
            }
        }
        Ok(buffer.len())
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.0.writes.lock().push((offset, bytes.to_vec()));
        Ok(bytes.len())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn size(&self) -> io::Result<u64> {
        let below = self.0.below.as_ref().map_or(Ok(0), |below| below.size())?;
        let writes = self.0.writes.lock();
        let written = writes.iter().map(|(at, bytes)| at + bytes.len() as u64).max();
        Ok(below.max(written.unwrap_or(0)))
    }
}

fn index(offset: u64) -> usize {
    usize::try_from(offset).expect("within a buffer")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_are_seen_and_never_made() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        std::fs::write(&path, b"0123456789").expect("written");
        let disk = OverlayDisk::default();
        let file = disk.open(&path).expect("there");
        file.write_at(b"abc", 8).expect("in memory");
        file.write_at(b"X", 2).expect("in memory");
        let mut buffer = [0; 32];
        let count = file.read_at(&mut buffer, 1).expect("read");
        assert_eq!(&buffer[..count], b"1X34567abc");
        let other = disk.create(&folder.path().join("new")).expect("in memory");
        other.write_at(b"new", 0).expect("in memory");
        disk.rename(&folder.path().join("new"), &folder.path().join("other")).expect("in memory");
        let other = disk.open_read(&folder.path().join("other")).expect("in memory");
        assert_eq!(
            (other.size().expect("known"), other.read_at(&mut buffer, 1).ok()),
            (3, Some(2))
        );
        assert_eq!(std::fs::read(&path).expect("there"), b"0123456789");
        assert_eq!(std::fs::read_dir(folder.path()).expect("there").count(), 1);
    }
}
