//! Why a log cannot be read into a journal.

use schema::wire::DecodeError;
use thiserror::Error;

/// What is wrong with the events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ReadingFault {
    /// Bytes that are no event.
    #[error("the events of command {command} cannot be read: {source}")]
    Events {
        /// The command.
        command: u64,
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
    /// An event names what is not there, settles a trade twice, or leaves the range of numbers.
    #[error("event {at} cannot follow the events before it")]
    Impossible {
        /// The event.
        at: u64,
    },
    /// A market whose settlement has checks that are not here.
    #[error("event {at} lists a derivative market, whose settlement this version cannot reconcile")]
    Derivative {
        /// The event.
        at: u64,
    },
}
