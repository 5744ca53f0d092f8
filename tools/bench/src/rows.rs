//! The table of rows.
//!
//! Owns their order, part by part from the inside of the system to its edge. Invariant: names are
//! unique, and need no escaping. It deliberately measures nothing itself.

mod book;
mod http;
mod journal;
mod kernel;
pub(crate) mod memory;
mod peer;
mod port;
mod restart;
mod scale;
mod stamp;
mod steady;
mod sweep;

use crate::row::Row;

/// Every benchmark there is.
pub const ROWS: &[Row] = &[
    book::COMMANDS_PER_SECOND,
    book::WIDE_COMMANDS_PER_SECOND,
    book::P99_NS,
    book::P999_NS,
    sweep::BOOK,
    peer::MATCHCORE,
    peer::MATCHCORE_P99_NS,
    peer::MATCHCORE_RATIO,
    peer::MATCHCORE_PAST_LIMIT,
    peer::RUST_OB,
    peer::RUST_OB_P99_NS,
    peer::RUST_OB_RATIO,
    kernel::COMMANDS_PER_SECOND,
    kernel::P50_NS,
    kernel::P99_NS,
    kernel::P999_NS,
    sweep::KERNEL,
    scale::MARKETS_100,
    scale::RESTING,
    scale::ACCOUNTS,
    scale::MARKETS,
    kernel::EVENT_BYTES,
    memory::ORDER_BYTES,
    memory::ACCOUNT_BYTES,
    memory::PROCESS_ORDER_BYTES,
    memory::PROCESS_ACCOUNT_BYTES,
    stamp::STAMP_P99_NS,
    stamp::NUMBER_NS,
    journal::COMMANDS_PER_SECOND,
    journal::P99_MS,
    journal::P99_RATIO,
    journal::GROWTH,
    port::COMMANDS_PER_SECOND,
    port::P99_MS,
    port::ALONE_PER_SECOND,
    port::ALONE_P99_MS,
    port::ARCHIVED_PER_SECOND,
    port::ARCHIVED_P99_MS,
    steady::P99_MS,
    steady::SHADOW_LAG,
    steady::QUEUE,
    steady::ARCHIVE_LAG,
    http::ORDERS_PER_SECOND,
    http::P99_MS,
    kernel::REPLAY_COMMANDS,
    kernel::REPLAY_EVENTS,
    restart::REPLAY_PER_PORT,
    restart::VERIFY_SINGLE,
    restart::MILLION,
    restart::HISTORY_TIME,
    restart::HISTORY_MEMORY,
];

/// What a reader of a figure must know beside it: the name of a row, and a sentence.
pub(crate) const NOTES: &[(&str, &str)] = &[peer::MATCHCORE_NOTE, peer::RUST_OB_NOTE];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_plain() {
        let names: BTreeSet<&str> = ROWS.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), ROWS.len());
        let plain =
            |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "._/% ".contains(c));
        assert!(ROWS.iter().all(|row| plain(row.name) && plain(row.unit)));
        assert!(NOTES.iter().all(|(name, _)| names.contains(name)));
    }
}
