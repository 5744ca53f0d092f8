//! Why a snapshot cannot be used or made.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a snapshot cannot be used or made.
#[derive(Debug, Error)]
pub enum SnapshotFault {
    /// The file is not what was written: its SHA-256, its form or its length says so.
    #[error("{path} is damaged: {what}", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
    /// A program of another version wrote it.
    #[error("{path} is a snapshot of form {found}, which this program does not read", path = path.display())]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// The form that it names.
        found: u32,
    },
    /// The file system refused.
    #[error("cannot {action} {path}: {source}", path = path.display())]
    Storage {
        /// What was being done.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
}
