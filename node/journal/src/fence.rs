//! The reader's fence: which record extends the chain and which is skipped.
//!
//! Owns the one rule that makes every log safe (D-5, SEQ-57): a record extends the chain if its
//! first sequence is the last plus 1, it names the last record's hash, and its epoch is not below
//! the last one's. Every reader applies it in the order of the log, so all readers skip the same
//! records, and what a deposed leader still writes changes nothing.
//!
//! Pure: no bytes are read here, and a skipped record leaves the fence as it was.

use crate::checksum::{CHAIN_START, Hash};
use crate::fault::{LogFault, Refusal};
use crate::record::{Record, RecordHeader};
use crate::record_builder::Sealed;

/// The end of a chain of records: what the next one must extend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// The last record's epoch; 0 before the first.
    pub epoch: u64,
    /// The last command's sequence; 0 before the first.
    pub sequence: u64,
    /// The last record's hash; zeros before the first.
    pub hash: Hash,
}

/// A position in the chain that moves only over records that extend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fence {
    end: End,
}

impl End {
    /// The end of an empty log.
    pub const EMPTY: End = End { epoch: 0, sequence: 0, hash: CHAIN_START };

    /// The number that the next command gets: the log's last plus 1, whatever the checkpoint says
    /// (SEQ-19, SEQ-20). A checkpoint ahead of the log means that the log lost commands, and the
    /// start must stop (SEQ-22).
    pub fn next_sequence(&self, checkpoint: Option<u64>) -> Result<u64, LogFault> {
        match checkpoint {
            Some(from) if from > self.sequence => {
                Err(LogFault::AheadOfLog { from, end: self.sequence })
            }
            _ => Ok(self.sequence + 1),
        }
    }
}

impl Fence {
    /// A fence behind the record that `end` describes; [`End::EMPTY`] for the whole log.
    #[must_use]
    pub fn new(end: End) -> Fence {
        Fence { end }
    }

    /// Where the chain ends so far.
    #[must_use]
    pub fn end(&self) -> End {
        self.end
    }

    /// Whether a record with this header extends the chain; if not, why it is skipped.
    pub fn check(&self, header: &RecordHeader) -> Result<(), Refusal> {
        if header.epoch < self.end.epoch {
            return Err(Refusal::StaleEpoch { last: self.end.epoch, found: header.epoch });
        }
        let expected = self.end.sequence + 1;
        if header.first_sequence != expected {
            return Err(Refusal::NotNext { expected, found: header.first_sequence });
        }
        if header.previous != self.end.hash {
            return Err(Refusal::WrongPrevious { sequence: expected });
        }
        Ok(())
    }

    /// Moves over `record` if it extends the chain; otherwise says why it must be skipped.
    pub fn pass(&mut self, record: &Record<'_>) -> Result<(), Refusal> {
        self.check(record.header())?;
        self.move_to(record.header(), record.hash());
        Ok(())
    }

    /// As [`pass`](Self::pass), for a record whose hash is already known.
    pub fn pass_sealed(&mut self, sealed: &Sealed) -> Result<(), Refusal> {
        self.check(sealed.header())?;
        self.move_to(sealed.header(), sealed.hash());
        Ok(())
    }

    fn move_to(&mut self, header: &RecordHeader, hash: Hash) {
        self.end = End { epoch: header.epoch, sequence: header.last_sequence(), hash };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{chain, record_behind};

    /// The records that a reader of `log` passes on.
    fn read(log: &[Sealed]) -> Vec<Sealed> {
        let mut fence = Fence::new(End::EMPTY);
        log.iter().filter(|sealed| fence.pass(&sealed.record()).is_ok()).cloned().collect()
    }

    /// covers: SEQ-57
    #[test]
    fn what_a_deposed_leader_still_writes_is_skipped() {
        let old = chain(End::EMPTY, 3);
        let new = record_behind(old[0].end(), 2, 1);
        let after = record_behind(new.end(), 2, 2);
        let log = [&old[0], &new, &old[1], &old[2], &after].map(Clone::clone);
        assert_eq!(read(&log), [old[0].clone(), new, after]);
    }

    /// covers: SEQ-57
    #[test]
    fn each_header_field_is_checked_and_a_skip_changes_nothing() {
        let records = chain(End { epoch: 4, ..End::EMPTY }, 2);
        let end = records[0].end();
        let fence = Fence::new(end);
        let header = *records[1].header();
        assert_eq!(fence.check(&header), Ok(()));
        assert_eq!(fence.check(&RecordHeader { epoch: 9, ..header }), Ok(()));
        let stale = RecordHeader { epoch: 3, ..header };
        assert_eq!(fence.check(&stale), Err(Refusal::StaleEpoch { last: 4, found: 3 }));
        let expected = header.first_sequence;
        for found in [expected - 1, expected + 1, 1, u64::MAX] {
            let other = RecordHeader { first_sequence: found, ..header };
            assert_eq!(fence.check(&other), Err(Refusal::NotNext { expected, found }));
        }
        let other = RecordHeader { previous: [1; 32], ..header };
        assert_eq!(fence.check(&other), Err(Refusal::WrongPrevious { sequence: expected }));
        assert_eq!(fence.end(), end);
    }

    /// covers: SEQ-57
    #[test]
    fn all_readers_skip_alike_wherever_they_begin() {
        let records = chain(End::EMPTY, 12);
        let mut log = Vec::new();
        for (index, record) in records.iter().enumerate() {
            log.push(record.clone());
            log.push(records[index / 2].clone()); // a repeat, or the same once more
        }
        assert_eq!(read(&log), records);
        for from in 0..records.len() {
            let mut fence = Fence::new(records[from].end());
            let rest: Vec<_> =
                log.iter().filter(|sealed| fence.pass_sealed(sealed).is_ok()).cloned().collect();
            assert_eq!(rest, records[from + 1..]);
        }
    }

    /// covers: SEQ-19
    #[test]
    fn the_next_number_is_the_logs_last_plus_one() {
        let end = End { sequence: 1_234_567, ..End::EMPTY };
        assert_eq!(end.next_sequence(Some(1_234_000)).ok(), Some(1_234_568));
        assert_eq!(end.next_sequence(Some(1_234_567)).ok(), Some(1_234_568));
        let ahead = end.next_sequence(Some(1_234_568)).expect_err("the log lost a command");
        assert!(matches!(ahead, LogFault::AheadOfLog { from: 1_234_568, end: 1_234_567 }));
        assert!(ahead.is_critical());
    }
}
