//! The command log as a trait: what the sequencer writes to and every replica reads from.
//!
//! Owns the contract; [`crate::conformance`] asserts it for any implementation. Two words for two
//! stages: a record is *appended* once `append` answered, and *durable* once a later `sync` did.
//! Only durable records can be read back, and only their effects may be seen outside (REC-60).
//!
//! It does not say where records are kept: [`crate::Journal`] and [`crate::MemoryLog`] do, and a
//! distributed log would.

use crate::fault::LogFault;
use crate::fence::End;
use crate::record_builder::Sealed;

/// Records in the order of the log.
pub type Records = Box<dyn Iterator<Item = Result<OwnedRecord, LogFault>> + Send>;

/// An append-only log of records, each of which extends the chain.
pub trait CommandLog {
    /// Appends a record. It must extend the chain, otherwise it is refused with nothing written. A
    /// record that is already stored, byte for byte, answers `Ok` as already done; other content
    /// under a stored number is [`LogFault::Conflict`] (SEQ-40).
    fn append(&mut self, sealed: &Sealed) -> Result<(), LogFault>;

    /// Makes everything appended durable, many records at once, and answers the durable end.
    fn sync(&mut self) -> Result<End, LogFault>;

    /// The end of what is appended: what the next record must extend.
    fn end(&self) -> End;

    /// The durable records from the one that holds `from_sequence` (0 as 1) up to the durable end
    /// at this moment. Nothing follows the end itself; a sequence further ahead is
    /// [`LogFault::AheadOfLog`].
    fn read(&self, from_sequence: u64) -> Result<Records, LogFault>;
}

/// A record read back: whoever reads a record may append it elsewhere.
pub type OwnedRecord = Sealed;
