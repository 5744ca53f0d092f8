//! What the command log promised, as an observer beside it sees it.
//!
//! Owns a `CommandLog` around the journal that notes what was appended and hands it on once a sync has
//! succeeded: from then on it must never be lost.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use journal::{CommandLog, End, Journal, LogFault, OwnedRecord, Records, Sealed};
use schema::{Stamped, decode_command};

/// Commands that a sync has made durable and nobody has taken yet. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Promised(Arc<Mutex<Vec<Stamped>>>);

/// The journal of a node, watched.
pub(crate) struct WatchedLog {
    journal: Journal,
    appended: Vec<Sealed>,
    promised: Promised,
}

impl Promised {
    /// What became durable since the last call.
    pub(crate) fn take(&self) -> Vec<Stamped> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Stamped>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WatchedLog {
    pub(crate) fn new(journal: Journal, promised: Promised) -> Self {
        Self { journal, appended: Vec::new(), promised }
    }
}

impl CommandLog for WatchedLog {
    fn append(&mut self, sealed: &Sealed) -> Result<(), LogFault> {
        self.journal.append(sealed)?;
        self.appended.push(sealed.clone());
        Ok(())
    }

    fn sync(&mut self) -> Result<End, LogFault> {
        let end = self.journal.sync()?;
        for sealed in self.appended.drain(..) {
            self.promised.lock().extend(commands_of(&sealed));
        }
        Ok(end)
    }

    fn end(&self) -> End {
        self.journal.end()
    }

    fn read(&self, from_sequence: u64) -> Result<Records, LogFault> {
        self.journal.read(from_sequence)
    }
}

impl fmt::Debug for WatchedLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchedLog").field("end", &self.journal.end()).finish_non_exhaustive()
    }
}

/// The commands of a record.
///
/// # Panics
/// When the node wrote what nobody can read.
pub(crate) fn commands_of(record: &OwnedRecord) -> Vec<Stamped> {
    let commands = record.record().commands();
    commands
        .map(|(sequence, bytes)| {
            decode_command(bytes, sequence).expect("a command of this version")
        })
        .collect()
}
