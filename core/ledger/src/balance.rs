//! `Balance`: what one account has of one asset.

use schema::Bucket;
use units::{Amount, Timestamp};

/// Available and locked; the total is their sum and is stored nowhere (ACCT-10).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Free for orders and withdrawals.
    pub available: Amount,
    /// Reserved for open orders.
    pub locked: Amount,
    /// Event that changed it last.
    pub update_seq: u64,
    /// Time of that event.
    pub updated_at: Timestamp,
}

impl Balance {
    /// Available and locked together.
    #[must_use]
    #[inline]
    pub fn total(&self) -> Amount {
        self.available + self.locked
    }

    /// One part of it.
    #[must_use]
    #[inline]
    pub const fn part(&self, bucket: Bucket) -> Amount {
        match bucket {
            Bucket::Available => self.available,
            Bucket::Locked => self.locked,
        }
    }

    #[inline]
    pub(crate) const fn part_mut(&mut self, bucket: Bucket) -> &mut Amount {
        match bucket {
            Bucket::Available => &mut self.available,
            Bucket::Locked => &mut self.locked,
        }
    }
}
