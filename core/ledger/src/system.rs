//! The exchange's own accounts (D-30, D-41).

/// System accounts that exist before any market, by account number. A CLEARING account joins with
/// each perpetual and future.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum SystemAccount {
    /// Fees that are the exchange's own.
    Revenue = 0,
    /// Pays what liquidated accounts cannot.
    InsuranceFund = 1,
    /// Referrals and marketing.
    Referral = 2,
    /// Running costs.
    Operations = 3,
    /// The world outside: deposits come from it, withdrawals go to it.
    External = 4,
    /// The other side of every loan.
    Lending = 5,
    /// Money between two shards.
    Transit = 6,
    /// Withdrawals on their way.
    PendingWithdrawal = 7,
}

impl SystemAccount {
    /// All of them, in order of account number.
    pub const ALL: [Self; 8] = [
        Self::Revenue,
        Self::InsuranceFund,
        Self::Referral,
        Self::Operations,
        Self::External,
        Self::Lending,
        Self::Transit,
        Self::PendingWithdrawal,
    ];

    /// Its account number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// Its name, which is its external id.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Revenue => "REVENUE",
            Self::InsuranceFund => "INSURANCE_FUND",
            Self::Referral => "REFERRAL",
            Self::Operations => "OPERATIONS",
            Self::External => "EXTERNAL",
            Self::Lending => "LENDING",
            Self::Transit => "TRANSIT",
            Self::PendingWithdrawal => "PENDING_WITHDRAWAL",
        }
    }

    /// Whether the balances of an account may go below zero (D-41).
    #[must_use]
    #[inline]
    pub const fn may_be_negative(number: u32) -> bool {
        number == Self::External.number() || number == Self::Transit.number()
    }
}
