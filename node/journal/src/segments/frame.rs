//! A flush as bytes: what one sync makes durable, framed so that a crash can be told from damage.
//!
//! Owns the layout: a head of 32 bytes, the body, an end mark of 4 bytes, zeros up to a multiple of
//! 32. A flush is written into zeros. A crash leaves each sector either written or still zero, so
//! an unfinished flush always shows missing sectors, and three facts make them visible:
//! - the head lies in one sector and its last byte is not zero;
//! - the end mark's last byte is not zero;
//! - the head counts the sectors of the flush that are zero by content.
//!
//! A flush whose checksum is wrong although nothing is missing was not torn, but changed.

use crate::checksum::{crc, u32_at, u64_at};
use crate::segments::header::SECTOR_BYTES;

/// Bytes of a flush before its body, and the multiple at which every flush begins.
pub(crate) const FLUSH_HEAD_SIZE: usize = 32;

/// The head of a flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FlushHead {
    pub(crate) first_number: u64,
    /// Numbers in it: commands or events.
    pub(crate) number_count: u32,
    pub(crate) body_size: u32,
    /// Sectors wholly inside the flush that are zero by content.
    pub(crate) blank_count: u32,
    pub(crate) body_crc: u32,
}

/// Where a flush lies: part of its head's checksum, so that a copy elsewhere is none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) offset: u64,
    /// The segment's salt.
    pub(crate) salt: u32,
}

/// What the bytes from a flush's head to its end mark are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    Sound,
    /// Sectors are missing: the write was interrupted.
    Unfinished,
    /// Nothing is missing, yet the checksum is wrong.
    Changed,
}

impl FlushHead {
    pub(crate) fn last_number(&self) -> u64 {
        self.first_number + u64::from(self.number_count) - 1
    }

    /// Bytes from the head to the end mark.
    pub(crate) fn framed_size(&self) -> u64 {
        FLUSH_HEAD_SIZE as u64 + u64::from(self.body_size) + END_MARK.len() as u64
    }

    /// Bytes to the next flush.
    pub(crate) fn stored_size(&self) -> u64 {
        stored_size(self.body_size as usize)
    }

    /// The head in these bytes, if its own checksum is right for this place.
    pub(crate) fn decode(bytes: &[u8], place: Place) -> Option<FlushHead> {
        if bytes[28..FLUSH_HEAD_SIZE] != HEAD_MAGIC {
            return None;
        }
        if u32_at(bytes, 24) != head_crc(&bytes[..24], place) {
            return None;
        }
        let head = FlushHead {
            first_number: u64_at(bytes, 0),
            number_count: u32_at(bytes, 8),
            body_size: u32_at(bytes, 12),
            blank_count: u32_at(bytes, 16),
            body_crc: u32_at(bytes, 20),
        };
        let end = head.first_number.checked_add(u64::from(head.number_count));
        (head.number_count > 0 && end.is_some()).then_some(head)
    }

    /// Judges the bytes that follow this head: body and end mark.
    pub(crate) fn judge(&self, place: Place, framed: &[u8]) -> Condition {
        let (rest, mark) = framed.split_at(framed.len() - END_MARK.len());
        let body = &rest[FLUSH_HEAD_SIZE..];
        if mark == END_MARK && crc(&[body]) == self.body_crc {
            Condition::Sound
        } else if mark[END_MARK.len() - 1] == 0
            || blank_sectors(framed, place.offset) > self.blank_count
        {
            Condition::Unfinished
        } else {
            Condition::Changed
        }
    }
}

/// Judges 32 bytes that are no head, in a place where only zeros can have been before.
pub(crate) fn judge_no_head(bytes: &[u8]) -> Condition {
    if bytes[FLUSH_HEAD_SIZE - 1] == 0 { Condition::Unfinished } else { Condition::Changed }
}

/// Bytes that a flush with a body of this size takes in its segment.
pub(crate) fn stored_size(body_size: usize) -> u64 {
    (FLUSH_HEAD_SIZE + body_size + END_MARK.len()).next_multiple_of(FLUSH_HEAD_SIZE) as u64
}

/// Frames a body that lies in `buffer` behind room for the head. Answers the body's checksum.
pub(crate) fn frame(buffer: &mut Vec<u8>, numbers: (u64, u32), place: Place) -> u32 {
    let body_size = buffer.len() - FLUSH_HEAD_SIZE;
    let body_crc = crc(&[&buffer[FLUSH_HEAD_SIZE..]]);
    buffer.extend_from_slice(&END_MARK);
    buffer[..8].copy_from_slice(&numbers.0.to_le_bytes());
    buffer[8..12].copy_from_slice(&numbers.1.to_le_bytes());
    let body_size = u32::try_from(body_size).expect("bounded by FLUSH_BODY_SIZE_MAX");
    buffer[12..16].copy_from_slice(&body_size.to_le_bytes());
    buffer[28..FLUSH_HEAD_SIZE].copy_from_slice(&HEAD_MAGIC);
    // Counted with the magic and the mark in place: no sector that holds one is blank.
    let blank_count = blank_sectors(buffer, place.offset);
    buffer[16..20].copy_from_slice(&blank_count.to_le_bytes());
    buffer[20..24].copy_from_slice(&body_crc.to_le_bytes());
    let sum = head_crc(&buffer[..24], place);
    buffer[24..28].copy_from_slice(&sum.to_le_bytes());
    buffer.resize(buffer.len().next_multiple_of(FLUSH_HEAD_SIZE), 0);
    body_crc
}

fn head_crc(fields: &[u8], place: Place) -> u32 {
    crc(&[&place.salt.to_le_bytes(), &place.offset.to_le_bytes(), fields])
}

/// The sectors wholly inside a flush at `offset` that are zero.
fn blank_sectors(framed: &[u8], offset: u64) -> u32 {
    let into_sector = usize::try_from(offset % SECTOR_BYTES as u64).expect("below a sector");
    let skipped = (SECTOR_BYTES - into_sector) % SECTOR_BYTES;
    let whole = framed.get(skipped..).unwrap_or_default().chunks_exact(SECTOR_BYTES);
    let blank = whole.filter(|sector| sector.iter().all(|byte| *byte == 0)).count();
    u32::try_from(blank).expect("bounded by FLUSH_BODY_SIZE_MAX")
}

/// The last four bytes of a head. None is zero, and no single bit makes one zero.
const HEAD_MAGIC: [u8; 4] = *b"DxFl";
/// What follows the body.
const END_MARK: [u8; 4] = *b"DxEn";

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(body: &[u8], place: Place) -> (FlushHead, Vec<u8>) {
        let mut buffer = vec![0; FLUSH_HEAD_SIZE];
        buffer.extend_from_slice(body);
        frame(&mut buffer, (5, 2), place);
        let head = FlushHead::decode(&buffer, place).expect("just made");
        assert_eq!(buffer.len() as u64, head.stored_size());
        buffer.truncate(usize::try_from(head.framed_size()).expect("small"));
        (head, buffer)
    }

    /// Bodies with zero sectors of their own, at every place within a sector.
    fn bodies() -> Vec<Vec<u8>> {
        let mut holed = vec![3; 3000];
        holed[600..2200].fill(0);
        vec![vec![1], vec![0; 2500], holed, vec![9; 484], vec![0; 30]]
    }

    #[test]
    fn a_missing_sector_is_unfinished_and_a_flipped_bit_is_changed() {
        for body in bodies() {
            for start in 0..16 {
                let place = Place { offset: 512 + start * 32, salt: 11 };
                let (head, bytes) = framed(&body, place);
                assert_eq!(head.judge(place, &bytes), Condition::Sound);
                check_missing_sectors(&head, &bytes, place);
                check_flips(&head, &bytes, place);
            }
        }
    }

    fn check_missing_sectors(head: &FlushHead, bytes: &[u8], place: Place) {
        let first = usize::try_from(place.offset % 512).expect("small");
        let mut from = 512 - first; // the first sector holds the head
        while from < bytes.len() {
            let to = (from + 512).min(bytes.len());
            let mut torn = bytes.to_vec();
            torn[from..to].fill(0);
            let expected = if torn == bytes { Condition::Sound } else { Condition::Unfinished };
            assert_eq!(head.judge(place, &torn), expected);
            from = to;
        }
    }

    fn check_flips(head: &FlushHead, bytes: &[u8], place: Place) {
        for bit in (FLUSH_HEAD_SIZE * 8..bytes.len() * 8).step_by(5) {
            let mut flipped = bytes.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let mut blank_by_flip = false;
            // A flip may clear the only bit of a sector; then it cannot be told from a lost one.
            if flipped[bit / 8] == 0 {
                blank_by_flip = blank_sectors(&flipped, place.offset) > head.blank_count;
            }
            let expected = if blank_by_flip { Condition::Unfinished } else { Condition::Changed };
            assert_eq!(head.judge(place, &flipped), expected, "bit {bit}");
        }
    }

    #[test]
    fn a_prefix_of_any_size_is_unfinished() {
        for body in bodies() {
            let place = Place { offset: 1024, salt: 0 };
            let (head, bytes) = framed(&body, place);
            for size in 0..bytes.len() {
                let mut torn = bytes.clone();
                torn[size..].fill(0);
                let condition = match FlushHead::decode(&torn, place) {
                    Some(_) => head.judge(place, &torn),
                    None => judge_no_head(&torn[..FLUSH_HEAD_SIZE]),
                };
                assert_eq!(condition, Condition::Unfinished, "prefix of {size}");
            }
        }
    }

    #[test]
    fn a_head_holds_only_in_its_own_place() {
        let place = Place { offset: 1024, salt: 4 };
        let (head, bytes) = framed(b"body", place);
        assert_eq!(FlushHead::decode(&bytes, place), Some(head));
        assert_eq!(FlushHead::decode(&bytes, Place { offset: 1056, ..place }), None);
        assert_eq!(FlushHead::decode(&bytes, Place { salt: 5, ..place }), None);
        for bit in 0..FLUSH_HEAD_SIZE * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(FlushHead::decode(&flipped, place), None, "bit {bit}");
            assert_eq!(judge_no_head(&flipped[..32]), Condition::Changed, "bit {bit}");
        }
    }
}
