//! Full segments of the event log, compressed beside trading (EVT-57).
//!
//! A thread of its own does it, one at a time, begun by the follower when the log has a new segment: none of the
//! pipeline's threads ever waits for it. What it does and does not touch is `journal::compress_closed`'s matter; a
//! fault is told, the originals stay, and the next new segment tries again.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use journal::compress_closed;
use journal::disk::RealDisk;

use crate::shard::Shard;

/// The compressing of a running shard.
pub(crate) struct Compressing {
    folder: PathBuf,
    /// Segments of the log when it was begun last.
    seen: usize,
    worker: Option<JoinHandle<()>>,
}

impl Compressing {
    /// Of the event log in a folder of this machine.
    pub(crate) const fn new(folder: PathBuf) -> Self {
        Self { folder, seen: 0, worker: None }
    }

    /// Begins if the log has new segments and the last work is done.
    pub(crate) fn begin(&mut self, segments: usize, shard: &Arc<Shard>) {
        let is_busy = self.worker.as_ref().is_some_and(|worker| !worker.is_finished());
        if is_busy || segments == self.seen || segments <= SEGMENTS_KEPT {
            return;
        }
        self.end();
        self.seen = segments;
        let (folder, shard) = (self.folder.clone(), shard.clone());
        let work = move || match compress_closed(&RealDisk, &folder, SEGMENTS_KEPT) {
            Ok(done) => {
                for segment in &done {
                    tracing::info!(?segment, "a full segment of the event log was compressed");
                }
                shard.metrics.compressed_count.add(done.len() as u64);
            }
            Err(fault) => tracing::error!(%fault, "a segment of the event log was not compressed"),
        };
        let thread = std::thread::Builder::new().name("compress".to_owned());
        match thread.spawn(work) {
            Ok(worker) => self.worker = Some(worker),
            Err(fault) => tracing::error!(%fault, "no thread to compress segments"),
        }
    }

    /// Waits for the work at hand.
    pub(crate) fn end(&mut self) {
        if let Some(worker) = self.worker.take()
            && worker.join().is_err()
        {
            tracing::error!("the compressing of segments panicked");
        }
    }
}

/// The segment that is written to, and the one before it, which is being checked.
const SEGMENTS_KEPT: usize = 2;
