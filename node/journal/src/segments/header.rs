//! A segment's header and name.
//!
//! Owns the first sector of a segment file. The header is durable before the file gets its name, so
//! a named segment without a sound header is damage, never an interrupted write.

use std::path::{Path, PathBuf};

use crate::checksum::{crc, u32_at, u64_at};
use crate::disk::Disk;
use crate::fault::LogFault;
use crate::segments::{LogKind, SECTOR_SIZE, storage};

/// Bytes in front of the first flush: one sector.
pub(crate) const SEGMENT_HEADER_SIZE: u64 = SECTOR_SIZE;

/// The file in which the next segment is prepared.
pub(crate) const PREPARED_NAME: &str = "next";

/// What a segment says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) kind: LogKind,
    /// Goes into the checksum of every flush, so that no command can contain a flush.
    pub(crate) salt: u32,
    pub(crate) first_number: u64,
    /// Bytes of the file.
    pub(crate) size: u64,
}

/// A segment by its name: its path and first number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SegmentName {
    pub(crate) path: PathBuf,
    pub(crate) first_number: u64,
}

impl SegmentHeader {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(SECTOR_BYTES);
        bytes.extend_from_slice(&SEGMENT_MAGIC);
        bytes.extend_from_slice(&kind_code(self.kind).to_le_bytes());
        bytes.extend_from_slice(&self.salt.to_le_bytes());
        bytes.extend_from_slice(&self.first_number.to_le_bytes());
        bytes.extend_from_slice(&self.size.to_le_bytes());
        bytes.extend_from_slice(&crc(&[&bytes]).to_le_bytes());
        bytes.resize(SECTOR_BYTES, 0);
        bytes
    }

    /// The header in the first sector, if it is one of a log of this kind.
    pub(crate) fn decode(bytes: &[u8; SECTOR_BYTES], kind: LogKind) -> Option<SegmentHeader> {
        let sound = bytes[..8] == SEGMENT_MAGIC
            && u32_at(bytes, 8) == kind_code(kind)
            && u32_at(bytes, CRC_OFFSET) == crc(&[&bytes[..CRC_OFFSET]])
            && bytes[CRC_OFFSET + 4..].iter().all(|byte| *byte == 0);
        sound.then(|| SegmentHeader {
            kind,
            salt: u32_at(bytes, 12),
            first_number: u64_at(bytes, 16),
            size: u64_at(bytes, 24),
        })
    }
}

/// The path of the segment that begins with `first_number`.
pub(crate) fn segment_path(folder: &Path, first_number: u64) -> PathBuf {
    folder.join(format!("{first_number:0DIGITS$}.{EXTENSION}"))
}

/// The segments in a folder, in order, compressed ones under the name that they had. Files with other names are
/// none of the log's.
pub(crate) fn list_segments(disk: &dyn Disk, folder: &Path) -> Result<Vec<SegmentName>, LogFault> {
    let names = disk.list(folder).map_err(storage("list", folder))?;
    let mut segments: Vec<SegmentName> = names
        .iter()
        .filter_map(|name| {
            let (digits, extension) =
                name.strip_suffix(COMPRESSED).unwrap_or(name).split_once('.')?;
            let is_segment = extension == EXTENSION
                && digits.len() == DIGITS
                && digits.bytes().all(|byte| byte.is_ascii_digit());
            let first_number = if is_segment { digits.parse().ok()? } else { return None };
            Some(SegmentName { path: segment_path(folder, first_number), first_number })
        })
        .collect();
    segments.sort_by_key(|segment| segment.first_number);
    // A crash may have left a segment beside its compressed form.
    segments.dedup_by_key(|segment| segment.first_number);
    Ok(segments)
}

fn kind_code(kind: LogKind) -> u32 {
    match kind {
        LogKind::Commands => 1,
        LogKind::Events => 2,
    }
}

pub(crate) const SECTOR_BYTES: usize = 512;
const _: () = assert!(SECTOR_BYTES as u64 == SECTOR_SIZE);
const SEGMENT_MAGIC: [u8; 8] = *b"DEXSEG\0\x01";
const CRC_OFFSET: usize = 32;
const EXTENSION: &str = "segment";
const COMPRESSED: &str = ".zst";
/// Enough for every 64-bit number.
const DIGITS: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_reads_back_and_no_changed_one_does() {
        let header =
            SegmentHeader { kind: LogKind::Events, salt: 7, first_number: 90, size: 1 << 26 };
        let bytes: [u8; SECTOR_BYTES] = header.encode().try_into().expect("one sector");
        assert_eq!(SegmentHeader::decode(&bytes, LogKind::Events), Some(header));
        assert_eq!(SegmentHeader::decode(&bytes, LogKind::Commands), None);
        for bit in 0..SECTOR_BYTES * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(SegmentHeader::decode(&flipped, LogKind::Events), None, "bit {bit}");
        }
    }
}
