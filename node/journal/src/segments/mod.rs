//! Segment files: what the command log and the event log share.
//!
//! A log is a folder of segments, each named by the first number in it. A segment is a sector with
//! its header, then *flushes*: what one sync made durable, framed and checksummed as a whole. Only
//! one flush is ever written ahead of a sync, so at most one can be unfinished after a crash: it is
//! the last one. That turns "torn or damaged?" from a guess into a rule (`frame`, `scan`).
//!
//! - `frame`: a flush as bytes. `header`: a segment's header and name.
//! - `scan`: reading one segment, and telling an unfinished flush from a damaged one.
//! - `recover`: opening a folder, `ends`: what is checked of segments that are not read. `writer`: appending. `reader`: reading from a number.
//! - `background`: preparing the next segment while appending goes on.
//! - `closed`: compressing segments that are full. `aside`: keeping what recovery cuts.
//! - `item`: what a log must say about its records or blocks.
//!
//! It does not know what an item holds, only its numbers and how it extends the chain.

mod aside;
mod background;
mod closed;
mod ends;
mod frame;
mod header;
mod item;
mod reader;
mod recover;
mod scan;
mod writer;

use std::io;
use std::path::{Path, PathBuf};

pub use closed::{Compressed, compress_closed};
pub(crate) use header::{SegmentName, list_segments};
pub(crate) use item::Item;
pub(crate) use reader::ItemReader;
pub(crate) use recover::{Reading, Recovered, recover};
pub(crate) use scan::{Flush as SegmentFlush, Found, OpenSegment, open_to_read};
pub(crate) use writer::SegmentWriter;

use crate::fault::{Damage, DamageReason, LogFault};
use crate::limits::SEGMENT_SIZE_DEFAULT;

/// How a log keeps its segment files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentOptions {
    /// Bytes of a segment; an item that does not fit gets a larger one.
    pub size: u64,
    /// Where the next segment is prepared.
    pub preparation: Preparation,
}

/// Where a new segment is filled with zeros before it is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preparation {
    /// In a thread of its own, so that appending never waits for it.
    Background,
    /// In the caller's thread at a fixed point, so that a simulation repeats exactly.
    Inline,
}

impl Default for SegmentOptions {
    fn default() -> SegmentOptions {
        SegmentOptions { size: SEGMENT_SIZE_DEFAULT, preparation: Preparation::Background }
    }
}

/// An unfinished last flush that recovery cut off: nothing in it was ever reported as durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The segment file.
    pub segment: PathBuf,
    /// Where the unfinished flush began.
    pub offset: u64,
    /// Bytes up to the last one that had been written.
    pub size: u64,
    /// The file that keeps those bytes; absent where a log was only looked at.
    pub aside: Option<PathBuf>,
}

/// Which log a segment belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogKind {
    Commands,
    Events,
}

/// The disk's unit of writing: after a crash a sector holds either its old bytes or its new ones.
pub(crate) const SECTOR_SIZE: u64 = 512;

/// Names the file in an error of the operating system.
pub(crate) fn storage<'a>(
    action: &'static str,
    path: &'a Path,
) -> impl FnOnce(io::Error) -> LogFault + 'a {
    move |source| LogFault::Storage { action, path: path.to_path_buf(), source }
}

/// The fault for a bad position.
pub(crate) fn damaged(segment: &Path, offset: u64, reason: impl Into<DamageReason>) -> LogFault {
    Damage { segment: segment.to_path_buf(), offset, reason: reason.into() }.into()
}
