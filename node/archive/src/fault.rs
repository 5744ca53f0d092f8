//! What can be wrong with the archive. Whoever runs it raises the alert and makes it anew (STATE-31).

use schema::wire::DecodeError;
use thiserror::Error;

/// Why the archive cannot go on, or cannot answer.
#[derive(Debug, Error)]
pub enum ArchiveFault {
    /// The store underneath failed: the disk, or files that are damaged.
    #[error("the archive's store failed: {0}")]
    Store(String),
    /// A row is not in its form.
    #[error("a row of the archive cannot be read ({space}): {source}")]
    Row {
        /// Which rows it stands among.
        space: char,
        /// What is wrong.
        source: DecodeError,
    },
    /// Rows contradict each other: one is named and not there.
    #[error("a row of the archive is missing ({0})")]
    Missing(char),
    /// Events that cannot be read.
    #[error("events behind {after} cannot be read: {source}")]
    Events {
        /// The last event before them.
        after: u64,
        /// What is wrong.
        source: DecodeError,
    },
    /// Not the next events.
    #[error("event {found} stands where event {expected} must come next")]
    Gap {
        /// What must come.
        expected: u64,
        /// What came.
        found: u64,
    },
    /// An event names what is not there, or would change an order that has ended.
    #[error("event {at} cannot follow what the archive holds")]
    Impossible {
        /// The event.
        at: u64,
    },
    /// It is being made anew and cannot be asked at this moment.
    #[error("the archive is being made anew")]
    Closed,
}

impl From<fjall::Error> for ArchiveFault {
    fn from(fault: fjall::Error) -> Self {
        Self::Store(fault.to_string())
    }
}

impl From<std::io::Error> for ArchiveFault {
    fn from(fault: std::io::Error) -> Self {
        Self::Store(fault.to_string())
    }
}
