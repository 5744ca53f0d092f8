//! Full segments, compressed (EVT-57).
//!
//! Owns the file `N.segment.zst`, which stands in the place of `N.segment`: the same bytes, packed with zstd,
//! with their length and SHA-256 in front. It is written under another name, synced, read back, unpacked and
//! compared with the original byte for byte; only then does it get its name, and only then does the
//! original go. After a crash in between both are there, and the original is read. Every reader opens whichever
//! there is, so a segment may be compressed while it is read.
//!
//! A log's last segments are never compressed: they are still written to, or being checked.

use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::disk::{Disk, SegmentFile, read_full, write_full};
use crate::fault::{DamageReason, LogFault};
use crate::segments::header::{SegmentName, list_segments};
use crate::segments::{damaged, storage};

/// A segment that was compressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compressed {
    /// The file that is there now.
    pub path: PathBuf,
    /// Bytes before.
    pub size_before: u64,
    /// Bytes now.
    pub size: u64,
}

/// Compresses the segments of a log in `folder` that are full and not compressed yet, the oldest first, all but
/// the last `kept`, and answers those that it did.
///
/// # Errors
/// The disk cannot, or what was written reads back otherwise; the originals are then as they were.
pub fn compress_closed(
    disk: &dyn Disk,
    folder: &Path,
    kept: usize,
) -> Result<Vec<Compressed>, LogFault> {
    let names = list_segments(disk, folder)?;
    let stored = disk.list(folder).map_err(storage("list", folder))?;
    let is_plain = |name: &&SegmentName| {
        name.path.file_name().is_some_and(|name| stored.iter().any(|it| name == it.as_str()))
    };
    let full = &names[..names.len().saturating_sub(kept.max(1))];
    full.iter().filter(is_plain).map(|name| compress(disk, folder, &name.path)).collect()
}

fn compress(disk: &dyn Disk, folder: &Path, path: &Path) -> Result<Compressed, LogFault> {
    let file = disk.open_read(path).map_err(storage("open", path))?;
    let bytes = all(&*file).map_err(storage("read", path))?;
    let packed = pack(&bytes).map_err(storage("compress", path))?;
    let (to, draft) = (packed_path(path), path.with_extension("draft"));
    let file = disk.create(&draft).map_err(storage("create", &draft))?;
    write_full(&*file, &packed, 0).map_err(storage("write", &draft))?;
    file.sync().map_err(storage("sync", &draft))?;
    drop(file);
    let file = disk.open_read(&draft).map_err(storage("open", &draft))?;
    let read = all(&*file).map_err(storage("read", &draft))?;
    if unpack(&read).ok().flatten().as_deref() != Some(&*bytes) {
        return Err(damaged(&draft, 0, DamageReason::Compressed));
    }
    disk.rename(&draft, &to).map_err(storage("name", &to))?;
    disk.sync_folder(folder).map_err(storage("sync", folder))?;
    disk.remove(path).map_err(storage("remove", path))?;
    disk.sync_folder(folder).map_err(storage("sync", folder))?;
    Ok(Compressed { path: to, size_before: bytes.len() as u64, size: packed.len() as u64 })
}

/// Opens a segment for reading, compressed or not.
pub(crate) fn open_read(disk: &dyn Disk, path: &Path) -> Result<Box<dyn SegmentFile>, LogFault> {
    match disk.open_read(path) {
        Err(fault) if fault.kind() == ErrorKind::NotFound => {}
        opened => return opened.map_err(storage("open", path)),
    }
    let packed = packed_path(path);
    let file = disk.open_read(&packed).map_err(storage("open", path))?;
    let bytes = all(&*file).map_err(storage("read", &packed))?;
    match unpack(&bytes) {
        Ok(Some(bytes)) => Ok(Box::new(Unpacked(bytes))),
        Ok(None) | Err(_) => Err(damaged(&packed, 0, DamageReason::Compressed)),
    }
}

/// Whether a compressed segment is there and begins as one.
pub(crate) fn check_head(disk: &dyn Disk, path: &Path) -> Result<(), LogFault> {
    let packed = packed_path(path);
    let file = disk.open_read(&packed).map_err(storage("open", path))?;
    let size = file.size().map_err(storage("measure", &packed))?;
    let mut magic = [0; MAGIC.len()];
    if size <= HEAD_SIZE as u64 {
        return Err(damaged(&packed, 0, DamageReason::Compressed));
    }
    read_full(&*file, &mut magic, 0).map_err(storage("read", &packed))?;
    if magic == MAGIC { Ok(()) } else { Err(damaged(&packed, 0, DamageReason::Compressed)) }
}

/// The name of a compressed segment.
fn packed_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".zst");
    PathBuf::from(name)
}

fn pack(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut out = MAGIC.to_vec();
    out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    out.extend_from_slice(&Sha256::digest(bytes));
    out.extend_from_slice(&zstd::bulk::compress(bytes, LEVEL)?);
    Ok(out)
}

/// What was packed; absent when it is not what was packed.
fn unpack(packed: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let Some((head, frame)) = packed.split_at_checked(HEAD_SIZE) else { return Ok(None) };
    let (size, sum) = (&head[8..16], &head[16..]);
    if head[..8] != MAGIC {
        return Ok(None);
    }
    let size = u64::from_le_bytes(size.try_into().expect("eight bytes"));
    let mut bytes = Vec::new();
    let frame = zstd::stream::read::Decoder::with_buffer(frame)?;
    // Memory grows with what comes out and not with what is claimed.
    frame.take(size.saturating_add(1)).read_to_end(&mut bytes)?;
    let is_whole = bytes.len() as u64 == size && Sha256::digest(&bytes)[..] == *sum;
    Ok(is_whole.then_some(bytes))
}

fn all(file: &dyn SegmentFile) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(file.size()?).map_err(io::Error::other)?];
    read_full(file, &mut bytes, 0)?;
    Ok(bytes)
}

/// A segment that was unpacked into memory.
struct Unpacked(Vec<u8>);

impl std::fmt::Debug for Unpacked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Unpacked").field(&self.0.len()).finish()
    }
}

impl SegmentFile for Unpacked {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let begin = usize::try_from(offset).unwrap_or(usize::MAX).min(self.0.len());
        let size = buffer.len().min(self.0.len() - begin);
        buffer[..size].copy_from_slice(&self.0[begin..begin + size]);
        Ok(size)
    }

    fn write_at(&self, _: &[u8], _: u64) -> io::Result<usize> {
        Err(ErrorKind::Unsupported.into())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.0.len() as u64)
    }
}

const MAGIC: [u8; 8] = *b"DEXSEGZ\x01";
/// Magic, length and SHA-256 of what is packed.
const HEAD_SIZE: usize = 8 + 8 + 32;
/// The time is a thread's of its own, and the file is kept for ever.
const LEVEL: i32 = 9;
