//! `Account`: one account without its balances.

use alloc::boxed::Box;

use schema::{AccountOpening, AccountStatus, AccountType, Label, decode_opening, encode_opening};
use units::{Id, Timestamp};

use crate::slots::Slots;

/// An account (ACCT-1). What an order needs lies as it is; what only people read is kept in its stored form, which
/// takes a quarter of the room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its id, that of its AccountCreated.
    pub id: Id,
    /// Spot, margin, futures or system.
    pub account_type: AccountType,
    /// Active, suspended or closed.
    pub status: AccountStatus,
    /// Its own sequence: one for each event that counts for it (SEQ-27).
    pub version: u64,
    /// Time of the event that raised it last.
    pub updated_at: Timestamp,
    /// Time of its AccountCreated.
    pub created_at: Timestamp,
    /// Slot + 1 of its balance by asset number; 0 for none.
    pub(crate) slots: Slots,
    /// Whether fees are paid in the platform token where that is possible (FEE-17).
    pub fee_in_token: bool,
    /// Whether its KYC tier may trade at all (CUST-39); a copy of what `opening` says.
    pub may_trade: bool,
    /// Row of the shard's fee table and whether it has rates of its own; copies for who rates orders.
    pub fee_row: u8,
    /// See `fee_row`.
    pub has_own_rates: bool,
    /// What it was opened with, profile changes included.
    opening: Box<[u8]>,
}

impl Account {
    /// A new, active account.
    #[must_use]
    pub fn new(id: Id, opening: &AccountOpening, created_at: Timestamp) -> Self {
        Self {
            id,
            account_type: opening.account_type,
            status: AccountStatus::Active,
            version: 0,
            updated_at: created_at,
            created_at,
            slots: Slots::default(),
            fee_in_token: false,
            may_trade: opening.kyc_tier > 0,
            fee_row: 0,
            has_own_rates: false,
            opening: encode_opening(opening),
        }
    }

    /// What it was opened with, profile changes included.
    ///
    /// # Panics
    /// Never: it holds what it was given.
    #[must_use]
    pub fn opening(&self) -> AccountOpening {
        decode_opening(&self.opening).expect("it was encoded here")
    }

    /// The number that a user sees.
    #[must_use]
    pub fn external_id(&self) -> Label {
        self.opening().external_id
    }

    /// Changes the profile: what is not its type, its id, its owner or its metadata.
    pub fn set_profile(&mut self, change: impl FnOnce(&mut AccountOpening)) {
        let mut opening = self.opening();
        change(&mut opening);
        self.may_trade = opening.kyc_tier > 0;
        self.opening = encode_opening(&opening);
    }
}
