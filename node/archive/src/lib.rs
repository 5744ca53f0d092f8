//! The archive: an embedded index over the event log (D-73).
//!
//! Owns what core state forgets: ended orders, trades, settlement journal rows, ledger entries, and the
//! first answers of keyed commands. Everything in it is made from the events alone, in their order, by
//! one writer ([`Indexer`]); readers ([`Reader`]) see whole commits. Invariants: a commit holds the rows of
//! whole blocks and, in the same batch, up to which block they reach; the same events give the same rows,
//! however they were cut into commits; a group that was indexed already changes nothing (TRADE-27).
//!
//! It is never trusted above the event log: whoever opens it compares the hash of the last block indexed
//! with the log's, and makes it anew from the log when they differ or when it cannot be read (STATE-31).
//! It deliberately has no thread, no clock and no rule of trading, and no call that removes a trade or
//! a journal row (SETL-33). The stored form is in `docs/formats/archive.md`.
//!
//! Read `indexer.rs` first, then `trading.rs`, `row.rs`, `reader.rs`.

mod archive;
mod fault;
mod indexer;
mod key;
mod lists;
mod reader;
mod registry;
mod row;
mod row_codec;
mod store;
mod trading;
mod working;

pub use archive::{Archive, Opened};
pub use fault::ArchiveFault;
pub use indexer::{AnswerOf, Indexer};
pub use reader::Reader;
pub use row::Position;
