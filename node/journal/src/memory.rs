//! A command log in memory, for tests and the simulator.
//!
//! Owns records only; it keeps the contract of [`CommandLog`] and can lose what was not synced, as
//! a crash does. It outlives no process and is not for production.

use std::sync::Arc;

use crate::command_log::{CommandLog, Records};
use crate::fault::{LogFault, Refusal};
use crate::fence::{End, Fence};
use crate::journal::check_ahead;
use crate::record_builder::Sealed;

/// A command log that lives in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryLog {
    records: Vec<Arc<Sealed>>,
    /// Records that are durable.
    durable_count: usize,
}

impl MemoryLog {
    /// An empty log.
    #[must_use]
    pub fn new() -> MemoryLog {
        MemoryLog::default()
    }

    /// Loses every record that was not synced.
    pub fn crash(&mut self) {
        self.records.truncate(self.durable_count);
    }

    /// Records appended.
    #[must_use]
    pub fn record_count(&self) -> usize {
        self.records.len()
    }

    fn durable(&self) -> End {
        end_of(&self.records[..self.durable_count])
    }

    /// The index of the record that holds `sequence`, or of the one that would.
    fn index_of(&self, sequence: u64) -> usize {
        self.records.partition_point(|record| record.last_sequence() < sequence)
    }
}

impl CommandLog for MemoryLog {
    fn append(&mut self, sealed: &Sealed) -> Result<(), LogFault> {
        let Err(refusal) = Fence::new(self.end()).check(sealed.header()) else {
            self.records.push(Arc::new(sealed.clone()));
            return Ok(());
        };
        let sequence = sealed.header().first_sequence;
        match (self.records.get(self.index_of(sequence)), refusal) {
            (Some(stored), _) if stored.hash() == sealed.hash() => Ok(()),
            (None, _) | (_, Refusal::StaleEpoch { .. }) => Err(refusal.into()),
            (Some(_), _) => Err(LogFault::Conflict { sequence }),
        }
    }

    fn sync(&mut self) -> Result<End, LogFault> {
        self.durable_count = self.records.len();
        Ok(self.durable())
    }

    fn end(&self) -> End {
        end_of(&self.records)
    }

    fn read(&self, from_sequence: u64) -> Result<Records, LogFault> {
        check_ahead(from_sequence, self.durable().sequence)?;
        let from = self.index_of(from_sequence).min(self.durable_count);
        let records = self.records[from..self.durable_count].to_vec();
        Ok(Box::new(records.into_iter().map(|record| Ok(Sealed::clone(&record)))))
    }
}

fn end_of(records: &[Arc<Sealed>]) -> End {
    records.last().map_or(End::EMPTY, |record| record.end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{chain, conformance};

    /// covers: SEQ-36, SEQ-40
    #[test]
    fn conforms() {
        conformance(MemoryLog::new);
    }

    /// covers: SEQ-15
    #[test]
    fn a_crash_loses_what_was_not_synced_and_its_numbers_are_given_again() {
        let records = chain(End::EMPTY, 3);
        let mut log = MemoryLog::new();
        log.append(&records[0]).expect("extends");
        log.sync().expect("memory");
        log.append(&records[1]).expect("extends");
        log.crash();
        assert_eq!(log.end(), records[0].end());
        assert_eq!(log.record_count(), 1);
        let other = crate::conformance::record_behind(log.end(), 2, 1);
        assert_eq!(other.header().first_sequence, records[1].header().first_sequence);
        log.append(&other).expect("the numbers are free");
    }
}
