//! The disk of a simulated node.
//!
//! Owns what a real disk promises and no more. A write is durable after a sync of its file, a name after
//! a sync of its folder. When power is lost, each sector written since then is one of the contents it had
//! in between, chosen sector by sector, so writes are torn and reordered; of the changes of names a first
//! part survives. A sync that failed forgets: some of what it should have kept is lost for ever, though
//! it can be read until the next loss of power, and a later sync answers well without it. The medium may
//! flip bits and lose sectors of what is durable (`media.rs`).
//!
//! It assumes that one sector is never torn within, as the logs do. Everything follows from the seed and
//! the order of the calls.

mod file;
mod media;

use std::collections::BTreeMap;
use std::io::{self, Error, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use journal::disk::{Disk, SegmentFile};
use testkit::rng::SplitMix64;

use file::Contents;
pub(crate) use media::Harm;

/// A disk in memory. Clones are the same disk.
#[derive(Clone, Debug)]
pub(crate) struct SimDisk {
    state: Arc<Mutex<State>>,
}

/// What happened on a disk, counted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DiskCounts {
    pub(crate) crashes_at_write: u64,
    pub(crate) crashes_at_sync: u64,
    pub(crate) failed_syncs: u64,
    pub(crate) failed_writes: u64,
    pub(crate) full_writes: u64,
    /// Failures of files of the logs, which nothing may go on behind.
    pub(crate) log_failures: u64,
    /// Sectors that a loss of power left old or in between.
    pub(crate) lost_sectors: u64,
    pub(crate) lost_names: u64,
}

#[derive(Clone, Debug)]
struct State {
    random: SplitMix64,
    files: Vec<Contents>,
    /// Names as running programs see them.
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    /// Changes of names that are not durable, oldest first.
    name_changes: Vec<NameChange>,
    /// Counts losses of power: what was opened before the last one is dead.
    life: u64,
    is_dead: bool,
    crash_after: Option<u64>,
    is_next_sync_failing: bool,
    is_next_write_failing: bool,
    is_full: bool,
    harms: Vec<media::Harmed>,
    counts: DiskCounts,
}

#[derive(Clone, Debug)]
enum NameChange {
    Made(PathBuf, usize),
    Renamed(PathBuf, PathBuf),
    Removed(PathBuf),
}

#[derive(Debug)]
struct OpenFile {
    disk: SimDisk,
    index: usize,
    life: u64,
    is_log: bool,
}

impl SimDisk {
    /// An empty disk; `seed` decides what a loss of power leaves.
    pub(crate) fn new(seed: u64) -> Self {
        let state = State {
            random: SplitMix64::new(seed),
            files: Vec::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            name_changes: Vec::new(),
            life: 0,
            is_dead: false,
            crash_after: None,
            is_next_sync_failing: false,
            is_next_write_failing: false,
            is_full: false,
            harms: Vec::new(),
            counts: DiskCounts::default(),
        };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Another disk with the same content, as a copy of the machine would have it.
    pub(crate) fn copy(&self) -> Self {
        Self { state: Arc::new(Mutex::new(self.lock().clone())) }
    }

    /// The bytes of a file as programs see it.
    pub(crate) fn bytes(&self, path: &Path) -> Option<Vec<u8>> {
        let state = self.lock();
        let &index = state.names.get(path)?;
        let mut bytes = vec![0; state.files[index].size()];
        state.files[index].read(&mut bytes, 0);
        Some(bytes)
    }

    /// Loses power at the call after `count` more writes and syncs.
    pub(crate) fn crash_after(&self, count: u64) {
        self.lock().crash_after = Some(count);
    }

    /// Loses power now.
    pub(crate) fn crash(&self) {
        self.lock().is_dead = true;
    }

    /// Whether power was lost since the last `restart`.
    pub(crate) fn is_dead(&self) -> bool {
        self.lock().is_dead
    }

    /// Power is back: what survived is what there is.
    pub(crate) fn restart(&self) {
        self.lock().restart();
    }

    /// The next sync of a file fails.
    pub(crate) fn fail_next_sync(&self) {
        self.lock().is_next_sync_failing = true;
    }

    /// The next write of a file fails, half done.
    pub(crate) fn fail_next_write(&self) {
        self.lock().is_next_write_failing = true;
    }

    /// From now on no file can grow, or they can again.
    pub(crate) fn set_full(&self, is_full: bool) {
        self.lock().is_full = is_full;
    }

    /// Forgets every failure that was asked for and has not come.
    pub(crate) fn calm(&self) {
        let mut state = self.lock();
        state.crash_after = None;
        state.is_next_sync_failing = false;
        state.is_next_write_failing = false;
        state.is_full = false;
    }

    /// What happened so far.
    pub(crate) fn counts(&self) -> DiskCounts {
        self.lock().counts
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves the model whole: every change is one statement.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn handle(&self, state: &State, path: &Path, index: usize) -> Box<dyn SegmentFile> {
        let is_log = media::is_log(path);
        Box::new(OpenFile { disk: self.clone(), index, life: state.life, is_log })
    }

    fn open_file(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        let state = self.lock();
        state.check_power()?;
        let index = *state.names.get(path).ok_or(ErrorKind::NotFound)?;
        Ok(self.handle(&state, path, index))
    }
}

impl State {
    fn check_power(&self) -> io::Result<()> {
        if self.is_dead { Err(Error::other("power is lost")) } else { Ok(()) }
    }

    /// Whether power is lost at this call.
    fn is_crash_here(&mut self) -> bool {
        let is_now = self.crash_after == Some(0);
        self.crash_after = self.crash_after.and_then(|count| count.checked_sub(1));
        self.is_dead |= is_now;
        is_now
    }

    fn restart(&mut self) {
        self.life += 1;
        self.is_dead = false;
        self.crash_after = None;
        for file in &mut self.files {
            self.counts.lost_sectors += file.lose_power(&mut self.random);
        }
        let kept = self.random.below(self.name_changes.len() as u64 + 1);
        let kept = usize::try_from(kept).expect("a count");
        self.counts.lost_names += (self.name_changes.len() - kept) as u64;
        for change in self.name_changes.drain(..).take(kept) {
            change.apply(&mut self.durable_names);
        }
        self.name_changes.clear();
        self.names = self.durable_names.clone();
        self.free();
    }

    /// What has no name and never gets one again holds no bytes.
    fn free(&mut self) {
        let mut named = vec![false; self.files.len()];
        let made = self.name_changes.iter().filter_map(|change| match change {
            NameChange::Made(_, index) => Some(index),
            NameChange::Renamed(..) | NameChange::Removed(_) => None,
        });
        for &index in self.names.values().chain(self.durable_names.values()).chain(made) {
            named[index] = true;
        }
        for (file, _) in self.files.iter_mut().zip(named).filter(|(_, is_named)| !is_named) {
            *file = Contents::default();
        }
    }

    fn change_name(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.name_changes.push(change);
    }
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            Self::Made(path, index) => {
                names.insert(path.clone(), *index);
            }
            Self::Renamed(from, to) => {
                if let Some(index) = names.remove(from) {
                    names.insert(to.clone(), index);
                }
            }
            Self::Removed(path) => {
                names.remove(path);
            }
        }
    }

    fn is_in(&self, folder: &Path) -> bool {
        let (Self::Made(path, _) | Self::Renamed(_, path) | Self::Removed(path)) = self;
        path.parent() == Some(folder)
    }
}

impl Disk for SimDisk {
    fn create_folder(&self, _: &Path) -> io::Result<()> {
        self.lock().check_power()
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let state = self.lock();
        state.check_power()?;
        let inside = state.names.keys().filter_map(|path| path.strip_prefix(folder).ok());
        Ok(inside.map(|name| name.to_string_lossy().into_owned()).collect())
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        let mut state = self.lock();
        state.check_power()?;
        let index = state.files.len();
        state.files.push(Contents::default());
        state.change_name(NameChange::Made(path.to_path_buf(), index));
        Ok(self.handle(&state, path, index))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        self.open_file(path)
    }

    fn open_read(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        self.open_file(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.check_power()?;
        if !state.names.contains_key(from) {
            return Err(ErrorKind::NotFound.into());
        }
        state.change_name(NameChange::Renamed(from.to_path_buf(), to.to_path_buf()));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.check_power()?;
        if !state.names.contains_key(path) {
            return Err(ErrorKind::NotFound.into());
        }
        state.change_name(NameChange::Removed(path.to_path_buf()));
        Ok(())
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.check_power()?;
        if state.is_crash_here() {
            state.counts.crashes_at_sync += 1;
            return Err(Error::other("power is lost at a sync of a folder"));
        }
        let changes = std::mem::take(&mut state.name_changes);
        let (inside, others) = changes.into_iter().partition(|change| change.is_in(folder));
        state.name_changes = others;
        let inside: Vec<NameChange> = inside;
        for change in inside {
            change.apply(&mut state.durable_names);
        }
        state.free();
        Ok(())
    }
}

impl OpenFile {
    fn state(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.disk.lock();
        state.check_power()?;
        if state.life == self.life {
            Ok(state)
        } else {
            Err(Error::other("the process that opened this file is dead"))
        }
    }
}

impl SegmentFile for OpenFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let start = usize::try_from(offset).map_err(Error::other)?;
        Ok(self.state()?.files[self.index].read(buffer, start))
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let mut state = self.state()?;
        let start = usize::try_from(offset).map_err(Error::other)?;
        let is_crash = state.is_crash_here();
        let is_failing = std::mem::take(&mut state.is_next_write_failing);
        let grows = start + bytes.len() > state.files[self.index].size();
        if grows && state.is_full {
            state.counts.full_writes += 1;
            state.counts.log_failures += u64::from(self.is_log);
            return Err(ErrorKind::StorageFull.into());
        }
        let done = if is_failing { &bytes[..bytes.len() / 2] } else { bytes };
        state.files[self.index].write(done, start);
        if is_crash {
            state.counts.crashes_at_write += 1;
            return Err(Error::other("power is lost at a write"));
        }
        if is_failing {
            state.counts.failed_writes += 1;
            state.counts.log_failures += u64::from(self.is_log);
            return Err(Error::other("the disk failed a write"));
        }
        Ok(bytes.len())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.state()?;
        let state = &mut *state;
        let file = &mut state.files[self.index];
        if state.crash_after == Some(0) {
            // The disk may have finished without anybody being told.
            if state.random.coin() {
                file.sync();
            }
            state.is_crash_here();
            state.counts.crashes_at_sync += 1;
            return Err(Error::other("power is lost at a sync"));
        }
        state.crash_after = state.crash_after.map(|count| count - 1);
        if std::mem::take(&mut state.is_next_sync_failing) {
            file.forget(&mut state.random);
            state.counts.failed_syncs += 1;
            state.counts.log_failures += u64::from(self.is_log);
            return Err(Error::other("the disk failed a sync"));
        }
        file.sync();
        Ok(())
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.state()?.files[self.index].size() as u64)
    }
}
