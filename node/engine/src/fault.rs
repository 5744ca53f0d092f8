//! Why a shard does not start, or stopped.
//!
//! Three who must act: the operator who started it (`Configuration`), the process that opens the logs
//! again (`Log` of storage), a person who must look, since logs and core contradict each other. None
//! of these is repaired here; a log is never changed to fit.

use journal::{FolderFault, LogFault};
use kernel::Unsound;
use schema::wire::DecodeError;
use snapshot::SnapshotFault;
use thiserror::Error;
use units::Id;

/// Why a shard does not start.
#[derive(Debug, Error)]
pub enum StartFault {
    /// The operator must act: an empty log needs a configuration.
    #[error("the log is empty and no genesis is configured: name one")]
    GenesisMissing,
    /// The operator must act: the configuration is that of another venue.
    #[error(
        "the log is of venue {found}, shard {found_shard}, and the configuration of another venue, shard or operator key"
    )]
    OtherVenue {
        /// Venue on record.
        found: Id,
        /// Shard on record.
        found_shard: u16,
    },
    /// The operator must act: the core refuses the genesis.
    #[error("the core refuses the genesis: {0}")]
    GenesisRefused(String),
    /// The folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderFault),
    /// A log cannot be read or written.
    #[error(transparent)]
    Log(#[from] LogFault),
    /// Replay found that the logs do not say what the core says.
    #[error(transparent)]
    Replay(#[from] ReplayFault),
    /// The operator must act: the folder of snapshots cannot be read.
    #[error(transparent)]
    Snapshots(#[from] SnapshotFault),
    /// The operator must act: not even an empty archive can be made.
    #[error("no archive can be opened: {0}")]
    Archive(String),
    /// The process must act: no thread can be had.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// What replay found. A person must look at each.
#[derive(Debug, Error)]
pub enum ReplayFault {
    /// A log cannot be read or is damaged, or events made again are not the stored ones
    /// (`LogFault::Differs`, EVT-85).
    #[error(transparent)]
    Log(#[from] LogFault),
    /// A stored command is not one of this version.
    #[error("CRITICAL: command {sequence} cannot be read: {source}")]
    Command {
        /// Its number.
        sequence: u64,
        /// What is wrong.
        source: DecodeError,
    },
    /// Stored events are not those of this version.
    #[error("CRITICAL: events behind {after} cannot be read: {source}")]
    Events {
        /// The last event before them.
        after: u64,
        /// What is wrong.
        source: DecodeError,
    },
    /// A stamp at or below the one before it (TIME-36).
    #[error("CRITICAL: the stamp of command {sequence} is below the one before it")]
    StampBackwards {
        /// The command.
        sequence: u64,
    },
    /// The core stopped at a command: a broken invariant (D-49).
    #[error("CRITICAL: the core stopped at command {sequence}: {message}")]
    Invariant {
        /// The command.
        sequence: u64,
        /// What the assertion says.
        message: String,
    },
    /// The view cannot apply events that the core made.
    #[error("CRITICAL: the events of command {command} cannot be applied: {message}")]
    Apply {
        /// The command.
        command: u64,
        /// Why.
        message: String,
    },
    /// The event log holds commands that the command log does not: those were lost (SEQ-22).
    #[error("CRITICAL: the event log reaches command {events}, the command log ends at {commands}")]
    EventsAhead {
        /// Last command of the event log.
        events: u64,
        /// Last command of the command log.
        commands: u64,
    },
    /// A snapshot holds commands that the command log does not: those were lost (SEQ-22).
    #[error("CRITICAL: a snapshot reaches command {snapshot}, the command log ends at {commands}")]
    SnapshotAhead {
        /// Last command of the snapshot.
        snapshot: u64,
        /// Last command of the command log.
        commands: u64,
    },
    /// A recorded state hash is not the one computed (DET-49).
    #[error("CRITICAL: the state at event {at_sequence} has another hash than the recorded one")]
    HashDiffers {
        /// Last event of that state.
        at_sequence: u64,
    },
    /// The state is not as it must be (REC-58).
    #[error("CRITICAL: the state at event {at} is wrong: {unsound}")]
    Unsound {
        /// Last event of that state.
        at: u64,
        /// What is wrong.
        unsound: Unsound,
    },
    /// Executing commands and applying events lead to different states (D-3).
    #[error("CRITICAL: the state from commands and the state from events differ at event {0}")]
    StatesDiffer(u64),
}

/// Why a running shard stopped (D-49). Reads go on.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StopReason {
    /// It was asked to.
    #[error("it was asked to stop")]
    Asked,
    /// A broken invariant: the executor panicked at one of these commands.
    #[error("the core stopped within commands {first} to {last}: {message}")]
    Invariant {
        /// First command of the record.
        first: u64,
        /// Last command of the record.
        last: u64,
        /// What the assertion says.
        message: String,
    },
    /// A bug of the node: one of its threads panicked.
    #[error("the {thread} thread panicked: {message}")]
    Bug {
        /// Which thread.
        thread: &'static str,
        /// What the panic says.
        message: String,
    },
    /// The command log cannot be written any more.
    #[error("the command log failed: {0}")]
    CommandLog(String),
    /// The event log cannot be written any more.
    #[error("the event log failed: {0}")]
    EventLog(String),
    /// The view differs from the core.
    #[error("the view failed: {0}")]
    View(String),
}
