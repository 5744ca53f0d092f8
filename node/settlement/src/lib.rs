//! The settlement journal's daily work: rows from the event log, the day's report, its reconciliation.
//!
//! Pure functions over events and rows, which whoever calls them brings; no file, no thread, no clock.
//! [`Reading`] follows an event log from its first event on and makes of each trade its figures and its
//! row of the journal (SETL-41), from the events alone: neither kernel nor archive has a part in it.
//! [`Reconciliation`] holds rows to figures without any tolerance (SETL-46, SETL-47), [`Report`] adds the
//! day up (SETL-51). Nothing here can change or remove a row (SETL-33).
//!
//! Derivatives are not settled yet: a log that lists one is refused, since the check of their PnL, the
//! last row of SETL-46, is not here and a day without it must not be called complete.
//!
//! Read `reading.rs` first, then `reconciliation.rs`. What an operator does with it: docs/settlement.md.

mod day;
mod fault;
mod reading;
mod reconciliation;
mod refund;
mod report;
mod sum;

pub use day::{Day, DayError};
pub use fault::ReadingFault;
pub use reading::{Market, Reading, Settled, Trade};
pub use reconciliation::{Check, Compared, Pair, Reconciliation};
pub use refund::Refund;
pub use report::{Refunded, Report, Volume};
pub use sum::Sum;
