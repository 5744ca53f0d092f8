//! What recovery cuts off a log is kept beside it: nothing of a log is thrown away without a trace.
//!
//! Owns the file `SEGMENT.OFFSET.cut`, which holds the bytes as they stood there. It is durable before the
//! segment is touched. A second cut at one place gets a file of its own, and none is ever read or removed.

use std::path::{Path, PathBuf};

use crate::disk::{Disk, SegmentFile, read_full, write_full};
use crate::fault::LogFault;
use crate::segments::{Cut, storage};

/// Keeps what will be cut off a segment, and answers the file.
pub(crate) fn keep_aside(
    disk: &dyn Disk,
    folder: &Path,
    cut: &Cut,
    segment: &dyn SegmentFile,
) -> Result<PathBuf, LogFault> {
    let mut bytes = vec![0; usize::try_from(cut.size).expect("a flush fits into memory")];
    read_full(segment, &mut bytes, cut.offset).map_err(storage("read", &cut.segment))?;
    let path = free_name(disk, folder, cut)?;
    let file = disk.create(&path).map_err(storage("create", &path))?;
    write_full(&*file, &bytes, 0).map_err(storage("write", &path))?;
    file.sync().map_err(storage("sync", &path))?;
    disk.sync_folder(folder).map_err(storage("sync", folder))?;
    Ok(path)
}

fn free_name(disk: &dyn Disk, folder: &Path, cut: &Cut) -> Result<PathBuf, LogFault> {
    let taken = disk.list(folder).map_err(storage("list", folder))?;
    let stem = cut.segment.file_stem().unwrap_or_default().to_string_lossy();
    let first = format!("{stem}.{}.cut", cut.offset);
    let next = (2u64..).map(|count| format!("{stem}.{}.{count}.cut", cut.offset));
    let free = std::iter::once(first).chain(next).find(|name| !taken.contains(name));
    Ok(folder.join(free.expect("a folder holds finitely many files")))
}
