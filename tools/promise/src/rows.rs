//! The table.

mod clock;
mod disk;
mod flips;
mod kill;
mod malformed;
mod overload;
mod planted;
mod power;
mod replay;
mod stalled;
mod sync;
mod torn;

use crate::row::Row;

pub use replay::digest;

/// Every row, in the order of `docs/promises.md`.
#[must_use]
pub const fn table() -> &'static [Row] {
    &TABLE
}

/// The row of a name.
#[must_use]
pub fn find(name: &str) -> Option<Row> {
    TABLE.into_iter().find(|row| row.name == name)
}

/// The row that no test runs: a build with optimisation comes before it, which takes minutes.
pub const NOT_TESTED: &str = "tests";

const TABLE: [Row; 12] = [
    Row {
        name: "kill",
        promise: "kill -9 loses and doubles nothing that was acknowledged",
        run: kill::run,
    },
    Row {
        name: "power",
        promise: "a power cut loses and doubles nothing that was acknowledged",
        run: power::run,
    },
    Row { name: "torn", promise: "a torn tail is always detected", run: torn::run },
    Row { name: "flips", promise: "bit rot is always detected", run: flips::run },
    Row {
        name: "sync",
        promise: "a failed sync stops acknowledging, and is never retried",
        run: sync::run,
    },
    Row {
        name: "disk",
        promise: "disk full: reads and cancels go on, writing resumes when there is room",
        run: disk::run,
    },
    Row {
        name: "clock",
        promise: "a clock that steps −1 h or +1 day halts trading, reorders nothing and ends nothing early",
        run: clock::run,
    },
    Row { name: "replay", promise: "replay is identical", run: replay::run },
    Row {
        name: "overload",
        promise: "ten times the load: what is taken is fast, the rest is refused at once",
        run: overload::run,
    },
    Row {
        name: "stalled",
        promise: "a stalled consumer is cut off and disturbs nobody",
        run: stalled::run,
    },
    Row {
        name: "malformed",
        promise: "malformed input never panics, and the reference agrees",
        run: malformed::run,
    },
    Row {
        name: NOT_TESTED,
        promise: "the tests themselves work: the planted defects, all caught",
        run: planted::run,
    },
];
