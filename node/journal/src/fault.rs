//! What can go wrong with a log, by who must act.
//!
//! Owns [`LogFault`] and its parts. Three kinds: the *caller* offered something that does not
//! extend the chain ([`LogFault::Refused`]: nothing was written, offer the right thing); the
//! *process* must open the log again ([`LogFault::Poisoned`], [`LogFault::Storage`]); a *person*
//! must look, since data is lost, changed or contradicts itself (everything for which
//! [`LogFault::is_critical`] is true).

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::block::BlockFault;
use crate::record::RecordFault;

/// A failed call on a log.
#[derive(Debug, Error)]
pub enum LogFault {
    /// The caller must act: the record or block does not extend the chain. Nothing was written.
    #[error("not appended: {0}")]
    Refused(#[from] Refusal),
    /// A person must act: other content is already stored under this number (SEQ-40).
    #[error("CRITICAL: other content is already stored under command sequence {sequence}")]
    Conflict {
        /// The first sequence of the record offered.
        sequence: u64,
    },
    /// A person must act: events made again differ from the stored ones (EVT-85).
    #[error(
        "CRITICAL: the block of event {event_sequence} differs from the stored one at byte {offset}"
    )]
    Differs {
        /// The first event of the block offered.
        event_sequence: u64,
        /// The first byte that differs, from the start of the block.
        offset: u64,
    },
    /// A person must act: somebody knows numbers that the log does not have, so it lost them.
    #[error("CRITICAL: sequence {from} is ahead of the log, which ends at {end}")]
    AheadOfLog {
        /// What was asked for or checkpointed.
        from: u64,
        /// The log's last sequence.
        end: u64,
    },
    /// A person must act: stored bytes are damaged, and not by a crash in the middle of a write.
    /// Restore the file from a replica or a backup; nothing was repaired.
    #[error("CRITICAL: {0}")]
    Damaged(#[from] Damage),
    /// The process must act: the file system failed. If it happened while writing, the log is
    /// poisoned and must be opened again.
    #[error("{action} {path}: {source}", path = path.display())]
    Storage {
        /// What was being done.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The process must act: an earlier write or sync failed, so what is stored is unknown until
    /// the log is opened again.
    #[error("the log failed earlier and must be opened again")]
    Poisoned,
}

/// Why a record or block does not extend the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The first number is not the last plus 1 (SEQ-36).
    #[error("expected sequence {expected}, found {found}")]
    NotNext {
        /// The log's last number plus 1.
        expected: u64,
        /// The number offered.
        found: u64,
    },
    /// It names another hash than that of the last record or block.
    #[error("the previous hash at sequence {sequence} is not that of the log's end")]
    WrongPrevious {
        /// The first number offered.
        sequence: u64,
    },
    /// The writer was deposed: a later leader has already written.
    #[error("epoch {found} is over; the log is in epoch {last}")]
    StaleEpoch {
        /// The log's epoch.
        last: u64,
        /// The epoch offered.
        found: u64,
    },
    /// The block's commands do not follow those of the last block.
    #[error("a block of commands from {found} cannot follow one that ends with {last}")]
    CommandsBackwards {
        /// The last command of the log's last block.
        last: u64,
        /// The first command offered.
        found: u64,
    },
}

/// A bad position in a stored log.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{segment} is damaged at byte {offset}: {reason}", segment = segment.display())]
pub struct Damage {
    /// The segment file.
    pub segment: PathBuf,
    /// The first byte of the flush, record or block that is bad.
    pub offset: u64,
    /// What is wrong there.
    pub reason: DamageReason,
}

/// What is wrong at a bad position.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DamageReason {
    /// The segment's first bytes are not those of a segment of this log.
    #[error("it does not begin like a segment of this log")]
    SegmentHeader,
    /// The file is not as long as it was made.
    #[error("the segment was made with {expected} bytes and has {found}")]
    SegmentSize {
        /// Bytes by its own header.
        expected: u64,
        /// Bytes of the file.
        found: u64,
    },
    /// A flush whose checksum is wrong, and no interrupted write explains it.
    #[error("a checksum is wrong, and no interrupted write explains it")]
    Checksum,
    /// A bad flush in front of a good one.
    #[error("a bad flush lies before a good one at byte {0}")]
    BeforeGood(u64),
    /// An unfinished flush in a segment that is not the last.
    #[error("an unfinished flush lies in a segment that is not the last")]
    NotLastSegment,
    /// A compressed segment that does not unpack to what was packed.
    #[error("it does not unpack to what was compressed")]
    Compressed,
    /// A number is missing.
    #[error("sequence {expected} is missing; {found} follows")]
    Gap {
        /// The number that should be here.
        expected: u64,
        /// The number that is.
        found: u64,
    },
    /// A record that does not decode.
    #[error("no record: {0}")]
    Record(#[from] RecordFault),
    /// A block that does not decode.
    #[error("no block: {0}")]
    Block(#[from] BlockFault),
    /// A record or block that does not extend the chain: the one before it was changed.
    #[error("the chain is broken: {0}")]
    Chain(#[from] Refusal),
}

impl LogFault {
    /// Whether a person must look before the shard goes on.
    #[must_use]
    pub fn is_critical(&self) -> bool {
        match self {
            LogFault::Refused(_) | LogFault::Storage { .. } | LogFault::Poisoned => false,
            LogFault::Conflict { .. }
            | LogFault::Differs { .. }
            | LogFault::AheadOfLog { .. }
            | LogFault::Damaged(_) => true,
        }
    }
}
