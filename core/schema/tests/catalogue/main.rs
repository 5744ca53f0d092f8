//! The catalogue and the closed lists of the code, compared with the tables of the specification.
//!
//! `tables` reads the documents; nothing of them is written down here a second time.

mod codes;
mod counts;
mod enumerations;
mod rows;
mod tables;

/// Events (08).
const EVENTS_TEXT: &str = include_str!("../../../../docs/spec/08-events.md");
/// Order states (02).
const STATES_TEXT: &str = include_str!("../../../../docs/spec/02-order-states.md");
/// Accounts (04).
const ACCOUNTS_TEXT: &str = include_str!("../../../../docs/spec/04-account-model.md");
