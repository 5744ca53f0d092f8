//! Accounts, balances and holds.
//!
//! Owns who has what: the accounts by number and id, and one balance per account and asset with an
//! available and a locked part (ACCT-9, ACCT-10). Invariants, asserted where they could break: only
//! EXTERNAL, CLEARING and TRANSIT go below zero (D-41), no balance leaves ±2¹²⁶ (D-81), the postings of
//! an event sum to zero per asset (D-30), and a hold moves inside one balance. It deliberately knows no
//! order and decides nothing: the kernel checks first. Read `ledger.rs` first.

#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic, clippy::disallowed_types, clippy::disallowed_methods)]

extern crate alloc;

mod account;
mod balance;
mod ledger;
mod slots;
mod system;

pub use account::Account;
pub use balance::Balance;
pub use ledger::{Ledger, LedgerError};
pub use system::SystemAccount;

#[cfg(test)]
mod tests;
