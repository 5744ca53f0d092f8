//! Work that must not hold up appending: filling the next segment, checking the closed one.
//!
//! Owns one thread per task at most, which ends with its owner: dropping a task waits for it, so no
//! file changes after its log is closed. With [`Preparation::Inline`] the work is done at once in
//! the caller's thread, so a simulation repeats exactly.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crate::disk::{Disk, SegmentFile, write_full};
use crate::fault::{DamageReason, LogFault};
use crate::gaps::gaps;
use crate::segments::header::{PREPARED_NAME, SegmentName};
use crate::segments::scan::flush_numbers;
use crate::segments::{LogKind, Preparation, damaged, storage};

/// A task that runs or has run.
#[derive(Debug)]
pub(crate) struct Task<T> {
    state: Option<State<T>>,
}

#[derive(Debug)]
enum State<T> {
    Running(JoinHandle<Result<T, LogFault>>),
    Done(Result<T, LogFault>),
}

/// A file of zeros that becomes the next segment.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) file: Box<dyn SegmentFile>,
    pub(crate) path: PathBuf,
    pub(crate) size: u64,
}

impl<T: Send + 'static> Task<T> {
    /// Starts `work`. Where no thread can be had, it is done at once.
    pub(crate) fn start(
        preparation: Preparation,
        work: impl FnOnce() -> Result<T, LogFault> + Send + Clone + 'static,
    ) -> Task<T> {
        let state = match preparation {
            Preparation::Inline => State::Done(work()),
            Preparation::Background => {
                let name = "journal-prepare".to_owned();
                match thread::Builder::new().name(name).spawn(work.clone()) {
                    Ok(handle) => State::Running(handle),
                    Err(_) => State::Done(work()),
                }
            }
        };
        Task { state: Some(state) }
    }

    /// Whether [`finish`](Self::finish) would answer at once.
    pub(crate) fn is_finished(&self) -> bool {
        match &self.state {
            Some(State::Running(handle)) => handle.is_finished(),
            Some(State::Done(_)) | None => true,
        }
    }

    /// Waits for the work and answers what came of it.
    pub(crate) fn finish(mut self) -> Result<T, LogFault> {
        match self.state.take() {
            Some(State::Running(handle)) => match handle.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            },
            Some(State::Done(result)) => result,
            None => unreachable!("the state is only taken here and on drop"),
        }
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        if let Some(State::Running(handle)) = self.state.take() {
            // Nobody asks for the result any more: the log is closed or already failed.
            drop(handle.join());
        }
    }
}

/// Makes a file of `size` zeros, durable, in slices small enough that the syncs of a log on the
/// same disk do not wait for long. Written zeros beat reserved space: syncing into reserved space
/// also has to make the file system's own notes durable each time.
pub(crate) fn prepare(disk: &dyn Disk, folder: &Path, size: u64) -> Result<Prepared, LogFault> {
    let path = folder.join(PREPARED_NAME);
    let file = disk.create(&path).map_err(storage("create", &path))?;
    let zeros = vec![0; SLICE_SIZE];
    let mut at = 0;
    while at < size {
        let slice = usize::try_from(size - at).map_or(SLICE_SIZE, |rest| rest.min(SLICE_SIZE));
        write_full(&*file, &zeros[..slice], at).map_err(storage("fill", &path))?;
        file.sync().map_err(storage("sync", &path))?;
        at += slice as u64;
    }
    Ok(Prepared { file, path, size })
}

/// Runs the gap check over a segment that was closed, from what is stored (SEQ-38).
pub(crate) fn check_closed(
    disk: &Arc<dyn Disk>,
    name: &SegmentName,
    next: &SegmentName,
    kind: LogKind,
) -> Result<(), LogFault> {
    let numbers = flush_numbers(&**disk, name, kind)?;
    let with_next = numbers.into_iter().chain([next.first_number..=next.first_number]);
    match gaps(name.first_number, with_next).first() {
        None => Ok(()),
        Some(found) => {
            let reason = DamageReason::Gap { expected: name.first_number, found: *found };
            Err(damaged(&name.path, 0, reason))
        }
    }
}

const SLICE_SIZE: usize = 1024 * 1024;
