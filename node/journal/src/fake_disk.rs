//! A disk in memory that fails and crashes on demand, for tests and the simulator.
//!
//! Owns a model of what a real disk promises and no more: a write is durable after a sync of its
//! file, a name after a sync of its folder. At a crash every sector written since then is either
//! its old or its new self, sector by sector, chosen from the seed; a name is old or new as a
//! whole. A sync that failed forgets what it should have made durable, as Linux does: a later sync
//! answers well without it.
//!
//! It assumes that a sector is never torn within, as the logs do.

use std::collections::BTreeMap;
use std::io::{self, Error, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::disk::{Disk, SegmentFile};

/// A disk in memory. Clones are the same disk.
#[derive(Clone, Debug)]
pub struct FakeDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    random: u64,
    files: Vec<FileState>,
    /// Names as running programs see them.
    names: BTreeMap<PathBuf, usize>,
    /// Names as a crash may leave them.
    durable_names: BTreeMap<PathBuf, usize>,
    /// Counts crashes: what was opened before the last one is dead.
    life: u64,
    writes_until_failure: Option<u64>,
    syncs_until_failure: Option<u64>,
    is_short: bool,
    sync_count: u64,
}

#[derive(Debug, Default)]
struct FileState {
    seen: Vec<u8>,
    durable: Vec<u8>,
    /// Sectors written since the last good sync, by index.
    unsynced: Vec<usize>,
}

#[derive(Debug)]
struct FakeFile {
    disk: FakeDisk,
    index: usize,
    life: u64,
    is_writable: bool,
}

impl FakeDisk {
    /// An empty disk; `seed` decides what crashes leave.
    #[must_use]
    pub fn new(seed: u64) -> FakeDisk {
        let state = State { random: seed | 1, ..State::default() };
        FakeDisk { state: Arc::new(Mutex::new(state)) }
    }

    /// Loses power: see the module's text. Failures that were asked for are forgotten.
    pub fn crash(&self) {
        self.lock().crash();
    }

    /// Makes the write after `count` more writes fail, half done.
    pub fn fail_write_after(&self, count: u64) {
        self.lock().writes_until_failure = Some(count);
    }

    /// Makes the sync after `count` more syncs fail, those of folders included.
    pub fn fail_sync_after(&self, count: u64) {
        self.lock().syncs_until_failure = Some(count);
    }

    /// From now on every read and write does a part of what was asked.
    pub fn do_short_calls(&self) {
        self.lock().is_short = true;
    }

    /// Syncs of files so far.
    #[must_use]
    pub fn sync_count(&self) -> u64 {
        self.lock().sync_count
    }

    /// The paths of all files, in order.
    #[must_use]
    pub fn paths(&self) -> Vec<PathBuf> {
        self.lock().names.keys().cloned().collect()
    }

    /// The bytes of a file; empty if there is none.
    #[must_use]
    pub fn contents(&self, path: &Path) -> Vec<u8> {
        let state = self.lock();
        state.names.get(path).map(|index| state.files[*index].seen.clone()).unwrap_or_default()
    }

    /// Changes a file behind the log's back: damage, or tampering. Durable at once.
    pub fn tamper(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.lock();
        if let Some(index) = state.names.get(path).copied() {
            let file = &mut state.files[index];
            change(&mut file.seen);
            file.durable.clone_from(&file.seen);
            file.unsynced.clear();
        }
    }

    /// Takes a file away behind the log's back.
    pub fn lose_file(&self, path: &Path) {
        let mut state = self.lock();
        state.names.remove(path);
        state.durable_names.remove(path);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere in a test leaves the model whole: every change is one statement.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn handle(&self, state: &State, index: usize, is_writable: bool) -> Box<dyn SegmentFile> {
        Box::new(FakeFile { disk: self.clone(), index, life: state.life, is_writable })
    }

    fn open_as(&self, path: &Path, is_writable: bool) -> io::Result<Box<dyn SegmentFile>> {
        let state = self.lock();
        let index = *state.names.get(path).ok_or(ErrorKind::NotFound)?;
        Ok(self.handle(&state, index, is_writable))
    }
}

impl State {
    fn crash(&mut self) {
        self.life += 1;
        self.writes_until_failure = None;
        self.syncs_until_failure = None;
        for index in 0..self.files.len() {
            let mut unsynced = std::mem::take(&mut self.files[index].unsynced);
            unsynced.sort_unstable();
            unsynced.dedup();
            for sector in unsynced {
                let is_kept = self.next_random().is_multiple_of(2);
                self.files[index].settle(sector, is_kept);
            }
            let file = &mut self.files[index];
            file.seen.clone_from(&file.durable);
        }
        if self.next_random().is_multiple_of(2) {
            self.names = self.durable_names.clone();
        } else {
            self.durable_names = self.names.clone();
        }
    }

    fn next_random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random >> 16
    }

    /// How much of `size` bytes a call does.
    fn portion(&mut self, size: usize) -> usize {
        if !self.is_short || size < 2 {
            return size;
        }
        let part = usize::try_from(self.next_random() % 4096).unwrap_or(0);
        (part + 1).min(size)
    }
}

impl FileState {
    /// Makes one sector durable, or not.
    fn settle(&mut self, sector: usize, is_kept: bool) {
        let start = sector * SECTOR;
        let end = (start + SECTOR).min(self.seen.len());
        if is_kept && start < end {
            if self.durable.len() < end {
                self.durable.resize(end, 0);
            }
            self.durable[start..end].copy_from_slice(&self.seen[start..end]);
        }
    }

    fn write(&mut self, bytes: &[u8], offset: usize) {
        let end = offset + bytes.len();
        if self.seen.len() < end {
            self.seen.resize(end, 0);
        }
        self.seen[offset..end].copy_from_slice(bytes);
        self.unsynced.extend(offset / SECTOR..end.div_ceil(SECTOR));
    }
}

impl Disk for FakeDisk {
    fn create_folder(&self, _folder: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let state = self.lock();
        let inside = state.names.keys().filter_map(|path| path.strip_prefix(folder).ok());
        Ok(inside.map(|name| name.to_string_lossy().into_owned()).collect())
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        let mut state = self.lock();
        let index = state.files.len();
        state.files.push(FileState::default());
        state.names.insert(path.to_path_buf(), index);
        Ok(self.handle(&state, index, true))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        self.open_as(path, true)
    }

    fn open_read(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        self.open_as(path, false)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let removed = self.lock().names.remove(path);
        removed.map(drop).ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.lock();
        let index = state.names.remove(from).ok_or(ErrorKind::NotFound)?;
        state.names.insert(to.to_path_buf(), index);
        Ok(())
    }

    fn sync_folder(&self, _folder: &Path) -> io::Result<()> {
        let mut state = self.lock();
        if count_down(&mut state.syncs_until_failure) {
            return Err(Error::other("the disk failed a sync of a folder"));
        }
        state.durable_names = state.names.clone();
        Ok(())
    }
}

impl FakeFile {
    fn state(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.disk.lock();
        if state.life == self.life {
            Ok(state)
        } else {
            Err(Error::other("the process that opened this file died in a crash"))
        }
    }
}

impl SegmentFile for FakeFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut state = self.state()?;
        let portion = state.portion(buffer.len());
        let start = usize::try_from(offset).map_err(Error::other)?;
        let rest = state.files[self.index].seen.get(start..).unwrap_or_default();
        let size = portion.min(rest.len());
        buffer[..size].copy_from_slice(&rest[..size]);
        Ok(size)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let mut state = self.state()?;
        if !self.is_writable {
            return Err(ErrorKind::PermissionDenied.into());
        }
        let start = usize::try_from(offset).map_err(Error::other)?;
        if count_down(&mut state.writes_until_failure) {
            let half = &bytes[..bytes.len() / 2];
            state.files[self.index].write(half, start);
            return Err(Error::other("the disk failed a write"));
        }
        let size = state.portion(bytes.len());
        state.files[self.index].write(&bytes[..size], start);
        Ok(size)
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.state()?;
        state.sync_count += 1;
        if count_down(&mut state.syncs_until_failure) {
            // The sectors are forgotten: they look written and never will be.
            state.files[self.index].unsynced.clear();
            return Err(Error::other("the disk failed a sync"));
        }
        let file = &mut state.files[self.index];
        for sector in std::mem::take(&mut file.unsynced) {
            file.settle(sector, true);
        }
        Ok(())
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.state()?.files[self.index].seen.len() as u64)
    }
}

/// Whether this is the call that was asked to fail.
fn count_down(remaining: &mut Option<u64>) -> bool {
    let is_now = *remaining == Some(0);
    *remaining = match *remaining {
        Some(0) | None => None,
        Some(count) => Some(count - 1),
    };
    is_now
}

const SECTOR: usize = 512;
