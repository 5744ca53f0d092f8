//! Snapshots: a shard's state in a file that is whole or refused (RPL-33, RPL-37, REC-46).
//!
//! Owns the form of a snapshot file (`docs/formats/snapshot.md`) and the folder that they lie in: each is
//! written under another name, synced, read back and only then given its own; one that cannot be read is put
//! aside under a name that says so and never deleted or repaired. It deliberately knows nothing of what a
//! state is: a body is bytes. Read `form.rs`, then `store.rs`.

#![forbid(unsafe_code)]

mod fault;
mod form;
mod store;

pub use fault::SnapshotFault;
pub use form::{Header, LogPlace, SNAPSHOT_FILE_FORMAT, Snapshot};
pub use store::{Kind, SnapshotStore, Written};
