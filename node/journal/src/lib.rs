//! Durable logs of a shard: the command log's trait and journal, and the event log.
//!
//! - [`CommandLog`] is the seam: any engine that orders and keeps [`Record`]s may stand behind it.
//!   [`Journal`] keeps them in segment files, [`MemoryLog`] in memory for tests and simulation, and
//!   [`conformance`] is the suite that every implementation passes.
//! - [`EventLog`] keeps [`Block`]s, what the commands produced.
//! - [`DataFolder`] is the folder that a node owns; [`verify`] checks a log while nothing runs.
//!
//! What holds everywhere: numbers are gapless, every record and block carries the hash of the one
//! before it, nothing that was synced is changed, and damage is reported instead of repaired. There
//! is no call that removes a record or a block. The byte layouts are in `docs/formats/record.md`.
//!
//! The crate knows nothing of what a command or an event means.

mod block;
mod checksum;
mod command_log;
pub mod conformance;
pub mod disk;
mod event_log;
pub mod fake_disk;
mod fault;
mod fence;
mod folder;
mod gaps;
mod journal;
pub mod limits;
mod memory;
mod record;
mod record_builder;
mod segments;
pub mod verify;

pub use block::{
    BLOCK_FORMAT, BLOCK_HEADER_SIZE, Block, BlockBuilder, BlockFault, BlockHeader, BlockNumbers,
    OwnedBlock,
};
pub use checksum::{CHAIN_START, Hash};
pub use command_log::{CommandLog, OwnedRecord, Records};
pub use event_log::{Blocks, EventEnd, EventLog, EventsOpened, Placed};
pub use fault::{Damage, DamageReason, LogFault, Refusal};
pub use fence::{End, Fence};
pub use folder::{DataFolder, FOLDER_VERSION, FolderFault};
pub use gaps::gaps;
pub use journal::{Journal, Opened};
pub use memory::MemoryLog;
pub use record::{Commands, RECORD_FORMAT, RECORD_HEADER_SIZE, Record, RecordFault, RecordHeader};
pub use record_builder::{RecordBuilder, Sealed};
pub use segments::{Compressed, Cut, Preparation, SegmentOptions, compress_closed};
