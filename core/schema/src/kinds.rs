//! The closed enumerations of orders, accounts, markets, commands and events.
//!
//! Names are those of the specification (LIFE-6, STATE-1, ACCT-2, EVT-17 to EVT-47); numbers are ours
//! and stored, so a number is never changed or reused (STATE-2).

use crate::Code;

enumeration! {
    /// States of an order (STATE-1).
    OrderState {
        /// Accepted, nothing filled.
        Pending = 0, "PENDING";
        /// Filled in part.
        Partial = 1, "PARTIAL";
        /// Filled in full.
        Filled = 2, "FILLED";
        /// Canceled; what was filled stays.
        Canceled = 3, "CANCELED";
        /// Refused by a check; never was in a book.
        Rejected = 4, "REJECTED";
        /// Ended by its time in force.
        Expired = 5, "EXPIRED";
    }
}

enumeration! {
    /// LIMIT or MARKET (D-12).
    OrderType {
        /// Trades at its price or better.
        Limit = 0, "LIMIT";
        /// Trades inside the protection bound.
        Market = 1, "MARKET";
    }
}

enumeration! {
    /// How long an order lives (LIFE-31).
    TimeInForce {
        /// Until filled or canceled.
        Gtc = 0, "GTC";
        /// At once; the remainder expires.
        Ioc = 1, "IOC";
        /// Whole at once, or rejected.
        Fok = 2, "FOK";
        /// Until its `expire_at`.
        Gtd = 3, "GTD";
    }
}

enumeration! {
    /// What happens where an order would meet one of its own account (D-14).
    SelfTrade {
        /// Ends the incoming remainder; the default.
        CancelIncoming = 0, "CANCEL_INCOMING";
        /// Ends the resting order.
        CancelResting = 1, "CANCEL_RESTING";
        /// Ends both.
        CancelBoth = 2, "CANCEL_BOTH";
        /// Takes the smaller remainder off both.
        DecrementBoth = 3, "DECREMENT_BOTH";
    }
}

enumeration! {
    /// Direction of a trigger (LIFE-35).
    TriggerKind {
        /// Buys at or above, sells at or below.
        Stop = 0, "STOP";
        /// Buys at or below, sells at or above.
        TakeProfit = 1, "TAKE_PROFIT";
    }
}

enumeration! {
    /// The price that a trigger watches.
    TriggerSource {
        /// The market's last trade.
        Last = 0, "LAST";
        /// The mark price.
        Mark = 1, "MARK";
    }
}

enumeration! {
    /// Side of a position in isolated mode.
    PositionSide {
        /// Gains when the price rises.
        Long = 0, "LONG";
        /// Gains when the price falls.
        Short = 1, "SHORT";
    }
}

enumeration! {
    /// Types of account (ACCT-2).
    AccountType {
        /// Trades spot markets with what it has.
        Spot = 0, "SPOT";
        /// Trades spot markets with borrowed money.
        Margin = 1, "MARGIN";
        /// Trades perpetuals and futures.
        Futures = 2, "FUTURES";
        /// One of the exchange's own accounts; takes postings only (D-41).
        System = 3, "SYSTEM";
    }
}

enumeration! {
    /// Status of an account (ACCT-4).
    AccountStatus {
        /// May do what its type allows.
        Active = 0, "ACTIVE";
        /// May cancel and take deposits.
        Suspended = 1, "SUSPENDED";
        /// Ended for ever.
        Closed = 2, "CLOSED";
    }
}

enumeration! {
    /// Tier of margin limits of an account.
    RiskTier {
        /// Everyone.
        Standard = 0, "STANDARD";
        /// Raised limits.
        Raised = 1, "RAISED";
        /// Institutions.
        Institutional = 2, "INSTITUTIONAL";
    }
}

enumeration! {
    /// Tier of the order limits of an account (D-31).
    OrderTier {
        /// 5 orders a second.
        Retail = 0, "RETAIL";
        /// 20 orders a second.
        Intermediate = 1, "INTERMEDIATE";
        /// 100 orders a second.
        Professional = 2, "PROFESSIONAL";
        /// 500 orders a second.
        MarketMaker = 3, "MARKET_MAKER";
    }
}

enumeration! {
    /// Class of the request limits of an account (D-31).
    ApiClass {
        /// 20 requests a second.
        Standard = 0, "STANDARD";
        /// 100 requests a second.
        Vip = 1, "VIP";
        /// 500 requests a second.
        Institutional = 2, "INSTITUTIONAL";
    }
}

enumeration! {
    /// Kinds of market (D-18).
    MarketKind {
        /// Two assets change hands.
        Spot = 0, "SPOT";
        /// A future without an end.
        Perpetual = 1, "PERPETUAL";
        /// A future with a date.
        Future = 2, "FUTURE";
    }
}

enumeration! {
    /// Rules that order one price level (LIFE-22 to LIFE-24).
    Matching {
        /// Earlier first; the default.
        PriceTime = 0, "PRICE_TIME";
        /// Shared by size.
        ProRata = 1, "PRO_RATA";
    }
}

enumeration! {
    /// The part of a balance that a posting moves.
    Bucket {
        /// Free for orders and withdrawals.
        Available = 0, "AVAILABLE";
        /// Reserved.
        Locked = 1, "LOCKED";
    }
}

enumeration! {
    /// Why a balance changed (EVT-31).
    UpdateReason {
        /// Both sides and fees of a trade.
        TradeSettlement = 0, "TRADE_SETTLEMENT";
        /// Money came in.
        Deposit = 1, "DEPOSIT";
        /// Money goes out.
        Withdrawal = 2, "WITHDRAWAL";
        /// A withdrawal that did not happen.
        WithdrawalRefund = 3, "WITHDRAWAL_REFUND";
        /// Between two accounts of one owner.
        Transfer = 4, "TRANSFER";
        /// Between two shards.
        ShardTransfer = 5, "SHARD_TRANSFER";
        /// A forced close.
        Liquidation = 6, "LIQUIDATION";
        /// Auto-deleveraging.
        Adl = 7, "ADL";
        /// Funding of a perpetual.
        Funding = 8, "FUNDING";
        /// Interest on a loan.
        Interest = 9, "INTEREST";
        /// A loan given or paid back.
        Loan = 10, "LOAN";
        /// The insurance fund pays.
        Insurance = 11, "INSURANCE";
        /// A fee given back.
        FeeRefund = 12, "FEE_REFUND";
        /// A correction.
        Adjustment = 13, "ADJUSTMENT";
        /// Collateral sold for another asset.
        Conversion = 14, "CONVERSION";
        /// A chain's own fee.
        NetworkFee = 15, "NETWORK_FEE";
        /// A deposit that vanished.
        Clawback = 16, "CLAWBACK";
        /// A dated future ends.
        ContractSettlement = 17, "CONTRACT_SETTLEMENT";
        /// Paid for a wrong.
        Compensation = 18, "COMPENSATION";
        /// By order of law.
        LegalTransfer = 19, "LEGAL_TRANSFER";
    }
}

enumeration! {
    /// Why an amount was locked (EVT-33).
    HoldReason {
        /// An order was accepted.
        OrderPlacement = 0, "ORDER_PLACEMENT";
        /// A position opened or grew.
        PositionMargin = 1, "POSITION_MARGIN";
        /// Leverage fell.
        LeverageChange = 2, "LEVERAGE_CHANGE";
        /// Margin was added.
        MarginTopUp = 3, "MARGIN_TOP_UP";
    }
}

enumeration! {
    /// Why a locked amount became free (EVT-33).
    ReleaseReason {
        /// Its order was canceled.
        OrderCanceled = 0, "ORDER_CANCELED";
        /// Its order expired.
        OrderExpired = 1, "ORDER_EXPIRED";
        /// A fill needed less than was reserved.
        OrderFilled = 2, "ORDER_FILLED";
        /// Its order was reduced.
        OrderReduced = 3, "ORDER_REDUCED";
        /// Its position closed.
        PositionClosed = 4, "POSITION_CLOSED";
        /// Leverage rose.
        LeverageChange = 5, "LEVERAGE_CHANGE";
        /// Margin was taken out.
        MarginWithdrawn = 6, "MARGIN_WITHDRAWN";
    }
}

enumeration! {
    /// Why an order lost a part of its quantity (EVT-17).
    ReduceReason {
        /// Its owner asked.
        UserRequested = 0, "USER_REQUESTED";
        /// It met an order of the same account (LIFE-26).
        SelfTrade = 1, "SELF_TRADE";
    }
}

enumeration! {
    /// Where the rates of an account come from (EVT-27).
    FeeKind {
        /// Its 30-day volume.
        Volume = 0, "VOLUME";
        /// Rates of its own (FEE-10).
        Vip = 1, "VIP";
        /// Both rates are 0 (FEE-21).
        Waiver = 2, "WAIVER";
    }
}

enumeration! {
    /// Why an account pays no trading fee (FEE-21).
    WaiverReason {
        /// VIP level 5 and above.
        VipLevel = 0, "VIP_LEVEL";
        /// An agreement with a market maker.
        MarketMaker = 1, "MARKET_MAKER";
        /// A promotion; at most 30 days (FEE-22).
        Promotion = 2, "PROMOTION";
        /// Thanks for a bug found.
        BugBounty = 3, "BUG_BOUNTY";
    }
}

enumeration! {
    /// Why a fee is given back (FEE-23).
    RefundReason {
        /// The exchange made a mistake.
        ExchangeError = 0, "EXCHANGE_ERROR";
        /// Something did not work.
        Malfunction = 1, "MALFUNCTION";
        /// It was agreed on.
        Compensation = 2, "COMPENSATION";
    }
}

enumeration! {
    /// Who canceled an order (EVT-20).
    CanceledBy {
        /// Its owner.
        User = 0, "USER";
        /// The exchange.
        System = 1, "SYSTEM";
    }
}

impl CanceledBy {
    /// Who canceled an order that ended for `reason` (EVT-20).
    #[must_use]
    pub const fn of(reason: Code) -> Self {
        if matches!(reason, Code::UserRequested) { Self::User } else { Self::System }
    }
}

enumeration! {
    /// Why an order expired (EVT-17).
    ExpiryReason {
        /// Its time came.
        Gtd = 0, "GTD";
        /// It could not trade at once.
        Ioc = 1, "IOC";
    }
}

enumeration! {
    /// Source of exchange time (TIME-40).
    ClockStatus {
        /// The first clock server.
        Primary = 0, "PRIMARY";
        /// The second one.
        Backup = 1, "BACKUP";
        /// The machine's own monotonic clock.
        Fallback = 2, "FALLBACK";
    }
}

enumeration! {
    /// How far a halt reaches (D-62).
    HaltScope {
        /// This shard.
        Shard = 0, "SHARD";
        /// Every shard of the venue.
        Venue = 1, "VENUE";
    }
}

enumeration! {
    /// Why trading was halted (D-35, D-49).
    HaltReason {
        /// The market is being manipulated.
        Manipulation = 0, "MANIPULATION";
        /// Something does not work.
        Technical = 1, "TECHNICAL";
        /// An authority asked for it.
        Regulatory = 2, "REGULATORY";
        /// Too many accounts are being liquidated.
        Liquidations = 3, "LIQUIDATIONS";
        /// The clock cannot be trusted.
        Clock = 4, "CLOCK";
        /// A command broke an invariant.
        Invariant = 5, "INVARIANT";
        /// Two states that must be equal are not.
        StateHash = 6, "STATE_HASH";
        /// A balance does not cover what it must.
        Shortfall = 7, "SHORTFALL";
    }
}

enumeration! {
    /// Types of command, by stored number. Those marked *later* have their number and refuse to decode.
    CommandKind {
        /// The first command of every log (D-75).
        Genesis = 1, "Genesis";
        /// Time passes (D-10).
        Tick = 2, "Tick";
        /// An epoch begins (SEQ-54).
        LeaderChanged = 3, "LeaderChanged";
        /// A window's state hash (EVT-43).
        RecordStateHash = 4, "RecordStateHash";
        /// A snapshot was stored (RPL-41).
        RecordSnapshot = 5, "RecordSnapshot";
        /// The clock changed its source (TIME-40).
        RecordClockStatus = 6, "RecordClockStatus";
        /// Names a command that is left out, since it breaks an invariant (D-49).
        Quarantine = 7, "Quarantine";
        /// Stops trading on the whole shard (D-119).
        HaltTrading = 8, "HaltTrading";
        /// Ends a halt (GOV-35).
        ResumeTrading = 9, "ResumeTrading";
        /// Says that the wall clock is right as it is (TIME-34).
        ConfirmClock = 10, "ConfirmClock";
        /// Adds an asset.
        ListAsset = 16, "ListAsset";
        /// Adds a market.
        ListMarket = 17, "ListMarket";
        /// Opens an account.
        CreateAccount = 18, "CreateAccount";
        /// Suspends, activates or closes an account.
        SetAccountStatus = 19, "SetAccountStatus";
        /// Credits an account from EXTERNAL.
        Deposit = 20, "Deposit";
        /// Debits an account to EXTERNAL.
        Withdraw = 21, "Withdraw";
        /// Moves money between two accounts of one owner.
        Transfer = 22, "Transfer";
        /// Pauses a market.
        PauseMarket = 23, "PauseMarket";
        /// Resumes a market.
        ResumeMarket = 24, "ResumeMarket";
        /// Ends a market; later.
        DelistMarket = 25, "DelistMarket";
        /// Changes a market's parameters.
        SetMarketParameters = 26, "SetMarketParameters";
        /// Changes an asset's parameters; later.
        SetAssetParameters = 27, "SetAssetParameters";
        /// Changes the shard's fee tiers.
        SetFeeSchedule = 28, "SetFeeSchedule";
        /// Gives an account its own rates or a waiver, or takes them back.
        SetAccountRates = 29, "SetAccountRates";
        /// Gives a fee back (FEE-23).
        RefundFee = 30, "RefundFee";
        /// Changes tiers and jurisdiction of an account.
        SetAccountProfile = 31, "SetAccountProfile";
        /// Places an order (LIFE-6).
        PlaceOrder = 32, "PlaceOrder";
        /// Cancels an order (LIFE-39).
        CancelOrder = 33, "CancelOrder";
        /// Takes quantity off an order (LIFE-42).
        ReduceOrder = 34, "ReduceOrder";
        /// Cancel and replace in one step (LIFE-43).
        ReplaceOrder = 35, "ReplaceOrder";
        /// Cancels every order of an account (LIFE-45).
        CancelAllOrders = 36, "CancelAllOrders";
        /// Never used: several orders are as many commands (D-93).
        PlaceOrders = 37, "PlaceOrders";
        /// Arms or disarms the countdown cancel (D-96).
        SetCountdownCancel = 38, "SetCountdownCancel";
    }
}

enumeration! {
    /// Types of event that spot trading needs, by stored number (EVT-17 to EVT-41). Those marked
    /// *later* have their number and refuse to decode.
    EventKind {
        /// Configuration and operator key of the venue.
        GenesisRecorded = 1, "GenesisRecorded";
        /// A term of the shard began.
        LeaderChanged = 2, "LeaderChanged";
        /// Hash of the state at a command end.
        StateHashRecorded = 3, "StateHashRecorded";
        /// A snapshot was stored and read back.
        SnapshotTaken = 4, "SnapshotTaken";
        /// The clock changed its source.
        ClockStatusChanged = 5, "ClockStatusChanged";
        /// New rules act from here; later.
        CoreVersionActivated = 6, "CoreVersionActivated";
        /// An asset with all its parameters.
        AssetListed = 16, "AssetListed";
        /// Parameters of an asset; later.
        AssetParametersChanged = 17, "AssetParametersChanged";
        /// The asset ends; later.
        AssetDelisted = 18, "AssetDelisted";
        /// A market with all its parameters.
        MarketListed = 19, "MarketListed";
        /// Parameters of a market.
        MarketParametersChanged = 20, "MarketParametersChanged";
        /// The market takes no orders.
        MarketPaused = 21, "MarketPaused";
        /// The market takes orders.
        MarketResumed = 22, "MarketResumed";
        /// The market ends; later.
        MarketDelisted = 23, "MarketDelisted";
        /// Fee tiers of the shard.
        FeeScheduleChanged = 24, "FeeScheduleChanged";
        /// A halt began.
        TradingHalted = 25, "TradingHalted";
        /// A halt ended.
        TradingResumed = 26, "TradingResumed";
        /// A broken invariant on record.
        InvariantViolated = 27, "InvariantViolated";
        /// A new account.
        AccountCreated = 32, "AccountCreated";
        /// Status of an account.
        AccountStatusChanged = 33, "AccountStatusChanged";
        /// Tiers and jurisdiction of an account.
        AccountProfileChanged = 34, "AccountProfileChanged";
        /// Fee rates of an account.
        FeeTierChanged = 35, "FeeTierChanged";
        /// Postings that sum to zero per asset.
        BalanceUpdated = 36, "BalanceUpdated";
        /// Available to locked.
        MarginReserved = 37, "MarginReserved";
        /// Locked to available.
        MarginReleased = 38, "MarginReleased";
        /// Money moved between two accounts.
        AccountTransferred = 39, "AccountTransferred";
        /// A dead-man's switch was armed, disarmed, or went off.
        CountdownCancelChanged = 40, "CountdownCancelChanged";
        /// A fee was given back.
        FeeRefunded = 41, "FeeRefunded";
        /// An order reached the core.
        OrderSubmitted = 48, "OrderSubmitted";
        /// It passed the checks.
        OrderAccepted = 49, "OrderAccepted";
        /// It did not.
        OrderRejected = 50, "OrderRejected";
        /// A fill left something over.
        OrderPartiallyFilled = 51, "OrderPartiallyFilled";
        /// A fill left nothing.
        OrderFilled = 52, "OrderFilled";
        /// Ended by cancel.
        OrderCanceled = 53, "OrderCanceled";
        /// Ended by its time in force.
        OrderExpired = 54, "OrderExpired";
        /// Quantity taken off.
        OrderReduced = 55, "OrderReduced";
        /// A trigger was met.
        OrderTriggered = 56, "OrderTriggered";
        /// A match.
        TradeExecuted = 57, "TradeExecuted";
        /// Its settlement.
        TradeSettled = 58, "TradeSettled";
        /// A command was refused.
        CommandRejected = 59, "CommandRejected";
        /// A keyed command had nothing to do.
        CommandCompleted = 60, "CommandCompleted";
        /// Deposits and withdrawals with a life of their own; later.
        DepositConfirmed = 64, "DepositConfirmed";
    }
}
