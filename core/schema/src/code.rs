//! The one list of refusal, rejection and cancel codes (EVT-77, D-63), and what is said with them.
//!
//! A `Code` is what programs act on, a `Detail` what people read. Details are stored as a number and
//! their figures, and become text when rendered, so a message follows from the log alone (EVT-12).

use core::fmt;

use units::Amount;

use crate::Label;

enumeration! {
    /// Every code of EVT-77.
    Code {
        /// Malformed, unknown or contradictory fields.
        InvalidSchema = 1, "INVALID_SCHEMA";
        /// Off the tick or out of bounds.
        InvalidPrice = 2, "INVALID_PRICE";
        /// Off the lot or out of bounds.
        InvalidQuantity = 3, "INVALID_QUANTITY";
        /// An end that is not in the future, or a `valid_until` that has passed.
        InvalidExpiry = 4, "INVALID_EXPIRY";
        /// Not enough available.
        InsufficientBalance = 5, "INSUFFICIENT_BALANCE";
        /// Margin call, ratio too low, or liquidation began.
        InsufficientMargin = 6, "INSUFFICIENT_MARGIN";
        /// A limit would be passed.
        RiskLimitBreach = 7, "RISK_LIMIT_BREACH";
        /// Nothing, or nothing more, to reduce.
        ReduceOnlyReject = 8, "REDUCE_ONLY_REJECT";
        /// Cannot fill at once.
        FokNotFillable = 9, "FOK_NOT_FILLABLE";
        /// No such market for this account.
        SymbolNotFound = 10, "SYMBOL_NOT_FOUND";
        /// The market takes no such order now.
        MarketPaused = 11, "MARKET_PAUSED";
        /// No such account.
        AccountNotFound = 12, "ACCOUNT_NOT_FOUND";
        /// The account may not do this.
        AccountSuspended = 13, "ACCOUNT_SUSPENDED";
        /// The owner canceled or replaced it.
        UserRequested = 14, "USER_REQUESTED";
        /// It would have met an order of the same account.
        SelfTrade = 15, "SELF_TRADE";
        /// Post-only, and it would have taken.
        PostOnlyReject = 16, "POST_ONLY_REJECT";
        /// Administrator, suspension, delisting, expiry of a future.
        AdminCancel = 17, "ADMIN_CANCEL";
        /// The other order of its pair triggered or filled.
        OcoCanceled = 18, "OCO_CANCELED";
        /// The kept key was used with another body.
        IdempotencyConflict = 19, "IDEMPOTENCY_CONFLICT";
        /// Over a request limit.
        RateLimited = 20, "RATE_LIMITED";
        /// The caller's role may not call this.
        PermissionDenied = 21, "PERMISSION_DENIED";
        /// No such order, or not the caller's.
        OrderNotFound = 22, "ORDER_NOT_FOUND";
        /// No such position, or not the caller's.
        PositionNotFound = 23, "POSITION_NOT_FOUND";
        /// No such asset.
        AssetNotFound = 24, "ASSET_NOT_FOUND";
        /// No such trade.
        TradeNotFound = 25, "TRADE_NOT_FOUND";
        /// Not from this state.
        InvalidStateTransition = 26, "INVALID_STATE_TRANSITION";
        /// The expected version is not the current one.
        VersionConflict = 27, "VERSION_CONFLICT";
        /// Zero, negative, too precise or too large, or a balance would leave its range.
        InvalidAmount = 28, "INVALID_AMOUNT";
        /// Leverage outside the limits.
        InvalidLeverage = 29, "INVALID_LEVERAGE";
        /// A rate outside the limits.
        InvalidRate = 30, "INVALID_RATE";
        /// The external id is in use.
        AccountExists = 31, "ACCOUNT_EXISTS";
        /// Something is left in the account.
        AccountNotEmpty = 32, "ACCOUNT_NOT_EMPTY";
        /// The account's tier may not.
        NotEligible = 33, "NOT_ELIGIBLE";
        /// No approved action, or no operator's signature.
        ApprovalMissing = 34, "APPROVAL_MISSING";
        /// The notice period is not kept.
        NoticeTooShort = 35, "NOTICE_TOO_SHORT";
        /// Withdrawal below the minimum or eaten by its fee.
        BelowMinimum = 36, "BELOW_MINIMUM";
        /// KYC tier too low for the withdrawal.
        KycRequired = 37, "KYC_REQUIRED";
        /// Over a withdrawal limit.
        WithdrawalLimit = 38, "WITHDRAWAL_LIMIT";
        /// Destination not on the address list.
        AddressNotListed = 39, "ADDRESS_NOT_LISTED";
        /// Not an address of the network.
        InvalidAddress = 40, "INVALID_ADDRESS";
        /// A sanctioned address.
        AddressSanctioned = 41, "ADDRESS_SANCTIONED";
        /// Asset or network not open for withdrawal.
        WithdrawalClosed = 42, "WITHDRAWAL_CLOSED";
        /// Withdrawal nonce used before.
        NonceReused = 43, "NONCE_REUSED";
        /// Withdrawal nonce below the last.
        NonceTooLow = 44, "NONCE_TOO_LOW";
        /// The withdrawal has been canceled.
        AlreadyCanceled = 45, "ALREADY_CANCELED";
        /// The withdrawal has been completed.
        AlreadyCompleted = 46, "ALREADY_COMPLETED";
        /// Registry contract: the window is over.
        FraudWindowExpired = 47, "FRAUD_WINDOW_EXPIRED";
        /// Registry contract: disputed before.
        DuplicateDispute = 48, "DUPLICATE_DISPUTE";
    }
}

/// Where a code may stand: the letters of EVT-77.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CodeUse {
    /// R: reason of OrderRejected.
    pub rejects: bool,
    /// C: reason of OrderCanceled.
    pub cancels: bool,
    /// X: code of CommandRejected.
    pub refuses: bool,
    /// Q: answer of a query or of the gateway.
    pub answers: bool,
}

impl Code {
    /// Where the code may stand (EVT-77).
    #[must_use]
    #[inline]
    pub const fn uses(self) -> CodeUse {
        use Code as C;
        match self {
            C::InvalidSchema | C::SymbolNotFound | C::AccountNotFound => {
                const { CodeUse::of("RXQ") }
            }
            C::InvalidPrice
            | C::InvalidQuantity
            | C::InvalidExpiry
            | C::InsufficientBalance
            | C::MarketPaused
            | C::AccountSuspended => const { CodeUse::of("RX") },
            C::InsufficientMargin | C::RiskLimitBreach => const { CodeUse::of("RCX") },
            C::ReduceOnlyReject => const { CodeUse::of("RC") },
            C::FokNotFillable => const { CodeUse::of("R") },
            C::UserRequested
            | C::SelfTrade
            | C::PostOnlyReject
            | C::AdminCancel
            | C::OcoCanceled => const { CodeUse::of("C") },
            C::RateLimited | C::PermissionDenied | C::TradeNotFound => const { CodeUse::of("Q") },
            C::OrderNotFound
            | C::PositionNotFound
            | C::AssetNotFound
            | C::InvalidStateTransition => const { CodeUse::of("XQ") },
            C::FraudWindowExpired | C::DuplicateDispute => const { CodeUse::of("") },
            _ => const { CodeUse::of("X") },
        }
    }
}

impl CodeUse {
    const fn of(letters: &str) -> Self {
        let mut uses = Self { rejects: false, cancels: false, refuses: false, answers: false };
        let bytes = letters.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            match bytes[at] {
                b'R' => uses.rejects = true,
                b'C' => uses.cancels = true,
                b'X' => uses.refuses = true,
                _ => uses.answers = true,
            }
            at += 1;
        }
        uses
    }
}

enumeration! {
    /// What is said with a code where no figures are needed. The name is the message.
    Why {
        /// Nothing to add.
        Nothing = 0, "";
        /// LIFE-7.
        LimitWithoutPrice = 1, "a LIMIT order needs a price";
        /// LIFE-7.
        MarketWithPrice = 2, "a MARKET order has no price";
        /// LIFE-7.
        MarketRests = 3, "a MARKET order is IOC or FOK";
        /// LIFE-7.
        ExpiryMissing = 4, "GTD needs expire_at";
        /// LIFE-7.
        ExpiryWithoutGtd = 5, "expire_at needs time_in_force GTD";
        /// LIFE-7.
        PostOnlyTakes = 6, "post_only goes with LIMIT and GTC or GTD";
        /// LIFE-7.
        ReduceOnlySpot = 7, "reduce_only needs a derivatives market";
        /// LIFE-7.
        PositionSideSpot = 8, "position_side needs isolated mode";
        /// LIFE-7.
        OcoNotOpen = 9, "oco_with names no open order of this account and market";
        /// A room that a later version opens.
        NotOffered = 10, "this version does not offer it";
        /// LIFE-8.
        NoSuchAccount = 11, "no such account";
        /// LIFE-8.
        AccountNotActive = 12, "the account is not active";
        /// LIFE-8.
        NoSuchSymbol = 13, "no such market";
        /// D-18.
        WrongAccountType = 14, "this type of account does not trade this market";
        /// LIFE-8.
        MarketClosed = 15, "the market takes no orders now";
        /// LIFE-8.
        PriceNotPositive = 16, "the price must be above zero";
        /// LIFE-8.
        PriceOffTick = 17, "the price is not a whole number of ticks";
        /// LIFE-8.
        PriceOutOfBounds = 18, "the price is outside the market's minimum and maximum";
        /// LIFE-8.
        QuantityNotPositive = 19, "the quantity must be above zero";
        /// LIFE-8.
        QuantityOffLot = 20, "the quantity is not a whole number of lots";
        /// LIFE-8.
        QuantityOutOfBounds = 21, "the quantity is outside the market's minimum and maximum";
        /// LIFE-8.
        ValueTooLarge = 22, "the order's value does not fit the number format";
        /// LIFE-13.
        TooManyOrders = 23, "the account has as many open orders in this market as it may have";
        /// D-74.
        TooManyKeys = 24, "the shard keeps as many idempotency keys as it may";
        /// D-17.
        KeyReused = 25, "the key was used with another body";
        /// D-74.
        KeyTooLate = 26, "valid_until has passed";
        /// LIFE-46.
        NoSuchOrder = 27, "no open order with this id";
        /// STATE-39.
        StateSeqDiffers = 28, "state_seq is not the current one";
        /// ACCT-27.
        ExternalIdUsed = 29, "external_id is in use";
        /// ACCT-5.
        StatusNotReachable = 30, "the account cannot go from its status to that one";
        /// ACCT-7.
        AccountHoldsSomething = 31, "a balance or an open order is left in the account";
        /// ACCT-27.
        NoSuchAsset = 32, "no such asset";
        /// ACCT-13.
        AmountNotPositive = 33, "the amount must be above zero";
        /// ACCT-27.
        AmountTooPrecise = 34, "the amount has more decimals than the asset";
        /// ACCT-13.
        AmountTooLarge = 35, "the amount is 10^18 units or more";
        /// ACCT-68.
        BalanceOutOfRange = 36, "a balance would leave its range";
        /// ACCT-69.
        TickTimesLot = 37, "tick × lot is not a whole number of 10^-18";
        /// ACCT-27.
        SymbolUsed = 38, "the symbol is in use";
        /// D-75.
        SignatureMissing = 39, "the operator's signature is missing or wrong";
        /// SEQ-55.
        GenesisFirst = 40, "the first command, and only it, is Genesis";
        /// FEE-37.
        RateOutOfRange = 41, "a fee rate or tier is outside its limits";
        /// A bound of `limits`.
        TooMany = 42, "the shard holds as many of these as it may";
        /// A field's value.
        FieldInvalid = 43, "a field has a value that it may not have";
        /// SEQ-54.
        EpochNotNewer = 44, "the epoch is not later than the present one";
        /// EVT-43.
        HashNotNext = 45, "the hash is not of the next window's command end";
        /// LIFE-76.
        EndTooFar = 47, "valid_until is too far ahead";
        /// CUST-39.
        KycTierTooLow = 48, "the account's KYC tier may not do this";
        /// ACCT-2.
        SystemAccount = 46, "a system account takes postings only";
        /// D-94.
        ByQuoteNotMarket = 49, "quote_quantity goes with MARKET without trigger";
        /// LIFE-7.
        OcoTaken = 50, "the order that oco_with names has its pair";
        /// LIFE-8.
        TriggerMet = 51, "the trigger is met already";
        /// D-67.
        MarkTrigger = 52, "spot markets have no mark price to trigger by";
        /// LIFE-8.
        ExpiryPassed = 53, "expire_at is not in the future";
        /// LIFE-8.
        CannotFillAtOnce = 54, "the whole quantity cannot trade at once";
        /// LIFE-8.
        PostOnlyPhase = 55, "the market takes post-only orders only, for now";
        /// D-95.
        PriceOutOfBand = 56, "the price is too far from the last trade's";
        /// D-94.
        ValueTooSmall = 57, "the value does not reach the smallest quantity at these prices";
        /// D-83.
        WorkIsDue = 58, "due work of this account or market comes first; send it again";
        /// LIFE-46.
        NotAReduction = 59, "the new quantity must be below the present total and above what is filled";
        /// LIFE-46.
        RestTooSmall = 60, "what is left would be below the market's minimum quantity";
        /// LIFE-43.
        ReplacesElsewhere = 61, "a replacement is of the same account and market";
        /// ACCT-27.
        SameAccount = 62, "both accounts are the same";
        /// ACCT-27.
        TwoOwners = 63, "the accounts have two owners";
        /// D-61.
        NoticeTooShort = 64, "what burdens users must be announced earlier";
        /// FEE-22.
        PromotionTooLong = 65, "a promotion ends, and lasts at most 30 days";
        /// FEE-37.
        EndNotAhead = 66, "the end or beginning must be in the future";
        /// D-96.
        CountdownOutOfRange = 67, "a countdown is 0, or 1 second to 1 day";
        /// LIFE-8.
        MarketStateUnchanged = 68, "the market is in that state already";
        /// ACCT-8.
        AccountVersionDiffers = 69, "account_version is not the current one";
        /// LIFE-8.
        TooManyOrdersOfShard = 70, "the shard holds as many open orders as it may";
        /// FEE-24.
        RefundTooLarge = 71, "no more goes back than is left of the fee";
        /// GOV-33.
        TradingHalted = 72, "trading is halted already";
        /// GOV-35.
        NotHalted = 73, "trading is not halted";
        /// GOV-35.
        HaltedAsWhole = 74, "trading is halted, and resumes as a whole";
        /// TIME-34.
        ClockUnconfirmed = 75, "nobody has confirmed the clock";
        /// TIME-34.
        ClockTrusted = 76, "the clock needs no confirming";
    }
}

/// What a refusal says besides its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// A fixed sentence.
    Why(Why),
    /// Available and required amount and their asset (LIFE-11, EVT-21).
    Balance {
        /// What is free.
        available: Amount,
        /// What the command needs.
        required: Amount,
        /// The asset of both.
        asset: Label,
    },
}

/// A refusal: the user's own fault, or the venue's state. Expected, never logged as an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What programs act on.
    pub code: Code,
    /// What people read.
    pub detail: Detail,
}

impl Refusal {
    /// A refusal with a fixed sentence.
    #[must_use]
    pub const fn new(code: Code, why: Why) -> Self {
        Self { code, detail: Detail::Why(why) }
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Why(why) => f.write_str(why.name()),
            Self::Balance { available, required, asset } => {
                write!(f, "available {available} {asset}, required {required} {asset}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers are stored: they never change.
    #[test]
    fn stored_numbers_stand() {
        assert_eq!(Code::InvalidSchema.number(), 1);
        assert_eq!(Code::OrderNotFound.number(), 22);
        assert_eq!(Code::from_number(0), None);
        for code in Code::ALL {
            assert_eq!(Code::from_number(code.number()), Some(*code));
            assert_eq!(Code::from_name(code.name()), Some(*code));
        }
    }
}
