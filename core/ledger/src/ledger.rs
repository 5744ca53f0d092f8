//! `Ledger`: all accounts and balances of a shard.
//!
//! An account's number is its place in order of opening and never changes; balances lie in one arena
//! and are found through the account. Ids and external ids are looked up at the edge of a command
//! only. Nothing here is ever removed: a closed account stays.

use alloc::vec::Vec;
use core::fmt;

use schema::{BalanceUpdated, Label, Posting};
use sha2::{Digest as _, Sha256};
use units::{Amount, Id, SequenceIndex, Timestamp};

use crate::{Account, Balance, SystemAccount};

/// Accounts by number and id, balances by account and asset.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    accounts: Vec<Account>,
    balances: Vec<Balance>,
    /// Account number by sequence of its AccountCreated.
    by_sequence: SequenceIndex,
    /// Account number by the hash of its external id.
    by_external_id: SequenceIndex,
}

/// What an event log asks of a ledger that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LedgerError {
    /// No account with this number.
    NoAccount(u32),
    /// The postings of an event do not sum to zero in this asset.
    NotBalanced(u32),
}

impl fmt::Display for LedgerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAccount(number) => write!(f, "there is no account number {number}"),
            Self::NotBalanced(asset) => {
                write!(f, "postings do not sum to zero in asset number {asset}")
            }
        }
    }
}

impl core::error::Error for LedgerError {}

/// The first 8 bytes of the SHA-256 of an external id: whoever chooses names cannot choose where they fall.
fn hash_of(external_id: &Label) -> u64 {
    let hash: [u8; 32] = Sha256::digest(external_id.as_str()).into();
    u64::from_le_bytes(*hash.first_chunk().expect("32 bytes have 8"))
}

/// When an event happened: its number and its time.
#[derive(Clone, Copy)]
struct At {
    sequence: u64,
    time: Timestamp,
}

impl Ledger {
    /// A ledger without accounts.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many accounts there are.
    #[must_use]
    pub fn account_count(&self) -> u32 {
        u32::try_from(self.accounts.len()).unwrap_or(u32::MAX)
    }

    /// Adds an account and returns its number.
    ///
    /// # Panics
    /// When its id or external id is in use, which the caller has checked.
    pub fn open(&mut self, account: Account) -> u32 {
        let number = self.account_count();
        let external_id = account.external_id();
        let by_external_id = self.number_of_external_id(&external_id);
        let by_id = self.number(account.id);
        assert!(by_external_id.is_none() && by_id.is_none(), "an account is opened once");
        self.by_external_id.insert(hash_of(&external_id), number);
        self.by_sequence.insert(account.id.sequence(), number);
        self.accounts.push(account);
        number
    }

    /// Number of the account with this id.
    #[must_use]
    #[inline]
    pub fn number(&self, id: Id) -> Option<u32> {
        self.by_sequence.find(id.sequence(), |number| self.accounts[number as usize].id == id)
    }

    /// Number of the account that users see under this id.
    #[must_use]
    pub fn number_of_external_id(&self, external_id: &Label) -> Option<u32> {
        let is_it = |number: u32| self.accounts[number as usize].external_id() == *external_id;
        self.by_external_id.find(hash_of(external_id), is_it)
    }

    /// The account with this number.
    #[must_use]
    #[inline]
    pub fn account(&self, number: u32) -> Option<&Account> {
        self.accounts.get(number as usize)
    }

    /// The account with this number, to change status or version.
    #[must_use]
    #[inline]
    pub fn account_mut(&mut self, number: u32) -> Option<&mut Account> {
        self.accounts.get_mut(number as usize)
    }

    /// Counts an event for an account (SEQ-27).
    ///
    /// # Panics
    /// When there is no such account.
    #[inline]
    pub fn count_event(&mut self, number: u32, time: Timestamp) {
        let account = &mut self.accounts[number as usize];
        account.version += 1;
        account.updated_at = time;
    }

    /// What an account has of an asset; nothing when it never had any.
    #[must_use]
    #[inline]
    pub fn balance(&self, account: u32, asset: u32) -> Balance {
        self.slot(account, asset).map_or_else(Balance::default, |slot| self.balances[slot])
    }

    /// Reads an account and one of its balances, so that who needs them soon does not wait; the number
    /// means nothing.
    #[must_use]
    #[inline]
    pub fn look_at(&self, account: u32, asset: u32) -> u64 {
        let Some(found) = self.accounts.get(account as usize) else { return 0 };
        let seen = found.version ^ u64::from(found.fee_row);
        self.slot(account, asset).map_or(seen, |slot| {
            let balance = &self.balances[slot];
            seen ^ balance.update_seq ^ u64::from(balance.available.0 == balance.locked.0)
        })
    }

    /// The assets that an account has or had, by number.
    pub fn assets_of(&self, account: u32) -> impl Iterator<Item = u32> {
        let account = self.accounts.get(account as usize);
        account.into_iter().flat_map(|account| account.slots.assets())
    }

    #[inline]
    fn slot(&self, account: u32, asset: u32) -> Option<usize> {
        let slot = self.accounts.get(account as usize)?.slots.get(asset);
        (slot as usize).checked_sub(1)
    }

    /// The balance to change, made when it is the first of its asset.
    #[inline]
    fn balance_mut(&mut self, account: u32, asset: u32, at: At) -> &mut Balance {
        let slot = match self.slot(account, asset) {
            Some(slot) => slot,
            None => self.make_balance(account, asset),
        };
        let balance = &mut self.balances[slot];
        balance.update_seq = at.sequence;
        balance.updated_at = at.time;
        balance
    }

    fn make_balance(&mut self, account: u32, asset: u32) -> usize {
        self.balances.push(Balance::default());
        let place = self.balances.len();
        let slot = u32::try_from(place).expect("balances are bounded by accounts");
        self.accounts[account as usize].slots.set(asset, slot);
        place - 1
    }

    /// Sets a balance as a snapshot tells it.
    pub fn restore(&mut self, account: u32, asset: u32, balance: Balance) {
        let at = At { sequence: balance.update_seq, time: balance.updated_at };
        *self.balance_mut(account, asset, at) = balance;
    }

    /// Checks the postings of an event against what is there; changes nothing.
    ///
    /// # Errors
    /// An account that does not exist, or an asset that does not sum to zero (EVT-28).
    #[inline]
    pub fn check(&self, event: &BalanceUpdated) -> Result<(), LedgerError> {
        let postings = event.postings();
        for (index, posting) in postings.iter().enumerate() {
            if posting.account as usize >= self.accounts.len() {
                return Err(LedgerError::NoAccount(posting.account));
            }
            // Each asset is summed once, at the first posting that names it.
            if postings[..index].iter().any(|earlier| earlier.asset == posting.asset) {
                continue;
            }
            let mut of_asset =
                postings[index..].iter().filter(|other| other.asset == posting.asset);
            let sum = of_asset.try_fold(0i128, |sum, other| sum.checked_add(other.delta.0));
            if sum != Some(0) {
                return Err(LedgerError::NotBalanced(posting.asset));
            }
        }
        Ok(())
    }

    /// Applies the postings of an event and counts it once for each account in them.
    ///
    /// # Panics
    /// When the postings do not balance or a balance would leave its bounds: a broken invariant, which
    /// must stop the shard (ACCT-14).
    #[inline]
    pub fn post(&mut self, event: &BalanceUpdated, sequence: u64, time: Timestamp) {
        assert_eq!(self.check(event), Ok(()), "postings are whole (D-30)");
        let mut last = None;
        for posting in event.postings() {
            self.post_one(posting, At { sequence, time });
            if last != Some(posting.account) {
                self.count_event(posting.account, time);
                last = Some(posting.account);
            }
        }
    }

    #[inline]
    fn post_one(&mut self, posting: &Posting, at: At) {
        let balance = self.balance_mut(posting.account, posting.asset, at);
        let part = balance.part_mut(posting.bucket);
        *part += posting.delta;
        let negative = part.0 < 0;
        assert!(
            !negative || SystemAccount::may_be_negative(posting.account),
            "only EXTERNAL, CLEARING and TRANSIT go below zero (D-41)"
        );
        assert!(balance.total().is_balance(), "no balance leaves its range (D-81)");
    }

    /// Moves `amount` from available to locked and counts the event for the account.
    ///
    /// # Panics
    /// When that much is not available: the kernel checks first.
    #[inline]
    pub fn hold(&mut self, account: u32, asset: u32, amount: Amount, at: (u64, Timestamp)) {
        assert!(amount >= Amount::ZERO, "a hold has no sign");
        let balance = self.balance_mut(account, asset, At { sequence: at.0, time: at.1 });
        balance.available -= amount;
        balance.locked += amount;
        assert!(balance.available.0 >= 0, "a hold is covered (INV-9)");
        self.count_event(account, at.1);
    }

    /// Moves `amount` from locked to available and counts the event for the account.
    ///
    /// # Panics
    /// When that much is not locked: an order releases at most what it holds.
    #[inline]
    pub fn release(&mut self, account: u32, asset: u32, amount: Amount, at: (u64, Timestamp)) {
        assert!(amount >= Amount::ZERO, "a release has no sign");
        let balance = self.balance_mut(account, asset, At { sequence: at.0, time: at.1 });
        balance.locked -= amount;
        balance.available += amount;
        assert!(balance.locked.0 >= 0, "a release is covered (INV-8)");
        self.count_event(account, at.1);
    }

    /// Sum of all balances of an asset: zero at every command end (INV-1).
    #[must_use]
    pub fn sum(&self, asset: u32) -> Amount {
        (0..self.account_count())
            .map(|account| self.balance(account, asset).total())
            .fold(Amount::ZERO, |sum, total| sum + total)
    }
}
