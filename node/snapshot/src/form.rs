//! The form of a snapshot file: head, compressed body, SHA-256 over both.

use std::io::{self, Read as _};

use sha2::{Digest as _, Sha256};

/// The form that this program writes; it reads the one before, too.
pub const SNAPSHOT_FILE_FORMAT: u32 = 2;
/// The form that did not name the command log's record.
const FORMAT_WITHOUT_LOG: u32 = 1;

/// What a snapshot is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Id of the venue.
    pub venue_id: [u8; 16],
    /// Shard of the log.
    pub shard: u16,
    /// Epoch of the leader then.
    pub epoch: u64,
    /// Last command of the record whose end it reflects.
    pub command_sequence: u64,
    /// Last event that it reflects.
    pub event_sequence: u64,
    /// Time of that event, in nanoseconds since 1970.
    pub timestamp: i64,
    /// Hash of the block of the event log that ends there.
    pub event_hash: [u8; 32],
    /// Hash of the state (D-50).
    pub state_hash: [u8; 32],
    /// Where it stands in the command log; absent in a file of form 1.
    pub log: Option<LogPlace>,
    /// Version of the rules that made the state; 1 in a file of form 1.
    pub core_version: u32,
}

/// A record of the command log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogPlace {
    /// Its hash.
    pub command_hash: [u8; 32],
    /// Stamp of its last command, in nanoseconds since 1970.
    pub last_stamp: i64,
}

/// A snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// What it is of.
    pub header: Header,
    /// The state.
    pub body: Vec<u8>,
}

/// What is wrong with bytes that should be a snapshot's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// They are not what was written.
    Damaged(&'static str),
    /// A form of another version.
    Format(u32),
}

const MAGIC: &[u8; 8] = b"dexsnap\0";
/// Magic, form, header of form 1, length of the body.
const HEAD_SIZE: usize = 8 + 4 + 16 + 2 + 8 + 8 + 8 + 8 + 32 + 32 + 8;
/// What form 2 has more: the record's hash, the last stamp, the version of the rules.
const PLACE_SIZE: usize = 32 + 8 + 4;
const SUM_SIZE: usize = 32;
/// Fast, and about a third of the size: a snapshot is written beside trading.
const LEVEL: i32 = 1;

impl Snapshot {
    /// The bytes of the file, and its SHA-256, which are its last 32 bytes.
    pub(crate) fn write(&self) -> io::Result<(Vec<u8>, [u8; 32])> {
        let Header { venue_id, shard, epoch, .. } = self.header;
        let Header { command_sequence, event_sequence, timestamp, .. } = self.header;
        let mut out = Vec::with_capacity(HEAD_SIZE + self.body.len() / 2);
        out.extend_from_slice(MAGIC);
        let format = self.header.log.map_or(FORMAT_WITHOUT_LOG, |_| SNAPSHOT_FILE_FORMAT);
        out.extend_from_slice(&format.to_le_bytes());
        out.extend_from_slice(&venue_id);
        out.extend_from_slice(&shard.to_le_bytes());
        for number in [epoch, command_sequence, event_sequence] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&timestamp.to_le_bytes());
        out.extend_from_slice(&self.header.event_hash);
        out.extend_from_slice(&self.header.state_hash);
        if let Some(place) = &self.header.log {
            out.extend_from_slice(&place.command_hash);
            out.extend_from_slice(&place.last_stamp.to_le_bytes());
            out.extend_from_slice(&self.header.core_version.to_le_bytes());
        }
        out.extend_from_slice(&(self.body.len() as u64).to_le_bytes());
        let packed = zstd::bulk::compress(&self.body, LEVEL)?;
        out.extend_from_slice(&packed);
        let sum: [u8; 32] = Sha256::digest(&out).into();
        out.extend_from_slice(&sum);
        Ok((out, sum))
    }

    /// The snapshot that a file holds, and its SHA-256. The sum is checked before anything is unpacked.
    pub(crate) fn read(bytes: &[u8]) -> Result<(Self, [u8; 32]), Wrong> {
        let Some((head, _)) = bytes.split_at_checked(HEAD_SIZE + SUM_SIZE) else {
            return Err(Wrong::Damaged("it is too short"));
        };
        if head[..8] != *MAGIC {
            return Err(Wrong::Damaged("it does not begin as a snapshot does"));
        }
        let (content, sum) = bytes.split_at(bytes.len() - SUM_SIZE);
        let format = u32::from_le_bytes(array(&head[8..]));
        let computed: [u8; 32] = Sha256::digest(content).into();
        if computed != *sum {
            return Err(Wrong::Damaged("its SHA-256 is not the one that it was written with"));
        }
        let more = match format {
            SNAPSHOT_FILE_FORMAT => PLACE_SIZE,
            FORMAT_WITHOUT_LOG => 0,
            other => return Err(Wrong::Format(other)),
        };
        let Some((head, packed)) = content.split_at_checked(HEAD_SIZE + more) else {
            return Err(Wrong::Damaged("it is too short"));
        };
        let mut fields = Fields(&head[12..]);
        let mut header = Header {
            venue_id: fields.take(),
            shard: u16::from_le_bytes(fields.take()),
            epoch: u64::from_le_bytes(fields.take()),
            command_sequence: u64::from_le_bytes(fields.take()),
            event_sequence: u64::from_le_bytes(fields.take()),
            timestamp: i64::from_le_bytes(fields.take()),
            event_hash: fields.take(),
            state_hash: fields.take(),
            log: None,
            core_version: 1,
        };
        if format == SNAPSHOT_FILE_FORMAT {
            let command_hash = fields.take();
            let last_stamp = i64::from_le_bytes(fields.take());
            header.log = Some(LogPlace { command_hash, last_stamp });
            header.core_version = u32::from_le_bytes(fields.take());
        }
        let size = u64::from_le_bytes(fields.take());
        let body = unpack(packed, size)
            .map_err(|_| Wrong::Damaged("its body cannot be unpacked"))?
            .ok_or(Wrong::Damaged("its body is not as long as it says"))?;
        Ok((Self { header, body }, computed))
    }
}

/// What was packed, if it is that long; memory grows with what comes out and not with what is claimed, beyond a few
/// times what is there.
fn unpack(packed: &[u8], size: u64) -> io::Result<Option<Vec<u8>>> {
    let likely = packed.len().saturating_mul(LIKELY_RATIO);
    let mut body = Vec::with_capacity(usize::try_from(size).map_or(likely, |it| it.min(likely)));
    let unpacked = zstd::stream::read::Decoder::with_buffer(packed)?;
    unpacked.take(size.saturating_add(1)).read_to_end(&mut body)?;
    Ok((body.len() as u64 == size).then_some(body))
}

/// A state is hardly ever packed smaller than to one part in so many.
const LIKELY_RATIO: usize = 6;

/// The fields of a head, one behind the other.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (field, rest) = self.0.split_at(N);
        self.0 = rest;
        array(field)
    }
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[..N]);
    array
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn sample() -> Snapshot {
        let header = Header {
            venue_id: [7; 16],
            shard: 3,
            epoch: 2,
            command_sequence: 90,
            event_sequence: 120,
            timestamp: 1_700_000_000_000_000_000,
            event_hash: [8; 32],
            state_hash: [9; 32],
            log: Some(LogPlace { command_hash: [6; 32], last_stamp: 1_700_000_000_000_000_005 }),
            core_version: 4,
        };
        Snapshot { header, body: (0..200u8).chain([1; 100]).collect() }
    }

    #[test]
    fn what_was_written_is_read() {
        for body in [sample().body, Vec::new()] {
            let snapshot = Snapshot { body, ..sample() };
            let (bytes, sum) = snapshot.write().expect("packed");
            assert_eq!(Snapshot::read(&bytes), Ok((snapshot, sum)));
        }
    }

    /// A file of form 1 reads as before, and written again it is the same.
    #[test]
    fn a_file_of_the_first_form_is_read() {
        let mut old = sample();
        (old.header.log, old.header.core_version) = (None, 1);
        let (bytes, sum) = old.write().expect("packed");
        assert_eq!(bytes[8..12], 1u32.to_le_bytes());
        assert_eq!(Snapshot::read(&bytes), Ok((old, sum)));
    }

    /// Every bit and every length but the one that was written.
    /// covers: RPL-37
    #[test]
    fn no_flipped_bit_and_no_cut_passes() {
        let (bytes, _) = sample().write().expect("packed");
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut wrong = bytes.clone();
                wrong[at] ^= 1 << bit;
                assert!(matches!(Snapshot::read(&wrong), Err(Wrong::Damaged(_))), "{at}.{bit}");
            }
            assert!(matches!(Snapshot::read(&bytes[..at]), Err(Wrong::Damaged(_))), "{at}");
        }
        assert!(Snapshot::read(&[&bytes[..], &[0]].concat()).is_err());
    }

    /// Another form, soundly written, is told apart from damage; a length that nothing has is refused.
    #[test]
    fn other_forms_and_wild_lengths_are_refused() {
        let (bytes, _) = sample().write().expect("packed");
        let changed = |at: usize, field: &[u8]| {
            let mut content = bytes[..bytes.len() - SUM_SIZE].to_vec();
            content[at..at + field.len()].copy_from_slice(field);
            let sum = Sha256::digest(&content);
            content.extend_from_slice(&sum);
            Snapshot::read(&content)
        };
        assert_eq!(changed(8, &3u32.to_le_bytes()), Err(Wrong::Format(3)));
        for size in [u64::MAX, 1 << 41, 301, 299, 0] {
            let wrong = changed(HEAD_SIZE + PLACE_SIZE - 8, &size.to_le_bytes());
            assert!(matches!(wrong, Err(Wrong::Damaged(_))), "{size}");
        }
    }
}
