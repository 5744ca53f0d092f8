//! The catalogue of events: who emits which event, what it shows, and for which entities it counts.
//!
//! Owns what a renderer must know of an event besides its stored form: the fields of every interface,
//! the emitting module, and the entity table from which `metadata.entities` is derived (SEQ-28, D-78).
//! Invariant: the rows are those of docs/spec/08-events.md, held to it by a test (EVT-70). It
//! deliberately renders nothing and holds no state. The rows are in `rows.rs`.

mod rows;

pub use rows::EVENTS;

use crate::{Code, CommandKind, Event, EventKind, ExpiryReason, ReduceReason, UpdateReason};

enumeration! {
    /// The module that emits an event: the envelope's `source` (EVT-1).
    Source {
        /// Orders and their checks.
        Order = 0, "order";
        /// The books.
        MatchingEngine = 1, "matching-engine";
        /// Trades after the match.
        Settlement = 2, "settlement";
        /// Accounts, balances, reservations.
        Account = 3, "account";
        /// Margin, marks, limits.
        Risk = 4, "risk";
        /// Forced closes.
        Liquidation = 5, "liquidation";
        /// Deposits and withdrawals; also an outer stream.
        Wallet = 6, "wallet";
        /// Listings, parameters, roles.
        Governance = 7, "governance";
        /// What is not a user's command.
        Sequencer = 8, "sequencer";
        /// The state machine itself.
        Core = 9, "core";
        /// Outer stream of market data.
        MarketData = 10, "market-data";
        /// Outer stream of identity.
        Identity = 11, "identity";
        /// Outer stream of the gateway.
        Gateway = 12, "gateway";
    }
}

/// One event of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventRow {
    /// Its name in every interface, at most `NAME_SIZE_MAX` bytes.
    pub name: &'static str,
    /// Its type in the stored form; none while no version stores it.
    pub kind: Option<EventKind>,
    /// The modules that may emit it.
    pub emitters: &'static [Source],
    /// The fields of its payload, in the order of the document.
    pub fields: &'static [Field],
}

/// One field of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name in JSON.
    pub name: &'static str,
    /// Its type in the words of the document: `dec? [price]`, `uuid`, `BUY|SELL`, `list of {…}`.
    pub form: &'static str,
}

/// The events of one outer stream (EVT-48).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OuterStream {
    /// Whose stream it is.
    pub source: Source,
    /// Names of its events.
    pub events: &'static [&'static str],
}

/// The account, order, symbol and position sequences that rise by an event (SEQ-27, D-78).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Accounts that it counts for; one that does not exist has no sequence.
    pub account: AccountCount,
    /// Whether it counts for the order that it names.
    pub order: bool,
    /// Whether it counts for the symbol of its market.
    pub symbol: SymbolCount,
    /// Whether it counts for the position that it names.
    pub position: bool,
}

/// The accounts that an event counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountCount {
    /// None.
    Nobody,
    /// The one that it names, or whose order it names.
    Named,
    /// The two that it names: of maker and taker, of sender and receiver.
    Both,
    /// Each account of its postings, once.
    Postings,
}

/// Whether an event counts for a symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SymbolCount {
    /// It does not.
    Never,
    /// It does.
    Always,
    /// If it changes what the book displays; D-89 says which event does for an order that rests.
    IfDepthChanges,
}

/// Bytes of an event's name at the most (EVT-1).
pub const NAME_SIZE_MAX: usize = 50;

/// Schema version of every event so far (`metadata.version`).
pub const VERSION: &str = "1.0.0";

/// The outer streams and the names of their events (08, section 10).
pub const OUTER_STREAMS: &[OuterStream] = &[
    OuterStream {
        source: Source::MarketData,
        events: &[
            "MarketDataUpdated",
            "OrderBookSnapshot",
            "OrderBookUpdated",
            "TradePublished",
            "CandleUpdated",
        ],
    },
    OuterStream {
        source: Source::Identity,
        events: &[
            "UserRegistered",
            "CredentialsChanged",
            "KycStatusChanged",
            "SessionOpened",
            "SessionRevoked",
            "LoginFailed",
            "ApiKeyCreated",
            "ApiKeyRevoked",
            "TwoFactorChanged",
            "RecoveryRequested",
            "RecoveryCompleted",
        ],
    },
    OuterStream {
        source: Source::Wallet,
        events: &[
            "HotWalletSwept",
            "ColdTransferPrepared",
            "KeyRotated",
            "ReconciliationDone",
            "ProofOfReservesPublished",
        ],
    },
];

impl EventKind {
    /// Its row in the catalogue.
    #[must_use]
    pub const fn row(self) -> &'static EventRow {
        &EVENTS[ROW_INDEXES[self as usize]]
    }

    /// The entities whose own sequence rises by it.
    #[must_use]
    pub const fn counts(self) -> Counts {
        use EventKind as K;
        match self {
            K::OrderSubmitted | K::OrderRejected => OF_ORDER,
            K::OrderAccepted
            | K::OrderPartiallyFilled
            | K::OrderFilled
            | K::OrderCanceled
            | K::OrderExpired
            | K::OrderReduced
            | K::OrderTriggered => OF_BOOK,
            K::TradeExecuted => {
                let account = AccountCount::Both;
                Counts { account, symbol: SymbolCount::Always, ..OF_NOTHING }
            }
            K::AccountCreated
            | K::AccountStatusChanged
            | K::AccountProfileChanged
            | K::FeeTierChanged
            | K::CountdownCancelChanged
            | K::FeeRefunded
            | K::MarginReserved
            | K::MarginReleased
            | K::DepositConfirmed
            | K::CommandRejected
            | K::CommandCompleted => Counts { account: AccountCount::Named, ..OF_NOTHING },
            K::BalanceUpdated => Counts { account: AccountCount::Postings, ..OF_NOTHING },
            K::AccountTransferred => Counts { account: AccountCount::Both, ..OF_NOTHING },
            K::MarketListed
            | K::MarketParametersChanged
            | K::MarketPaused
            | K::MarketResumed
            | K::MarketDelisted => Counts { symbol: SymbolCount::Always, ..OF_NOTHING },
            K::GenesisRecorded
            | K::LeaderChanged
            | K::StateHashRecorded
            | K::SnapshotTaken
            | K::ClockStatusChanged
            | K::CoreVersionActivated
            | K::AssetListed
            | K::AssetParametersChanged
            | K::AssetDelisted
            | K::FeeScheduleChanged
            | K::TradingHalted
            | K::TradingResumed
            | K::InvariantViolated
            | K::TradeSettled => OF_NOTHING,
        }
    }
}

impl Event {
    /// The module that emits it: the only one of its row, or the one that its payload tells.
    #[must_use]
    pub fn source(&self) -> Source {
        match self {
            Self::OrderCanceled(ended) => canceling_module(ended.reason),
            Self::OrderExpired(ended) if ended.reason == ExpiryReason::Ioc => {
                Source::MatchingEngine
            }
            Self::OrderReduced(event) if event.reason == ReduceReason::SelfTrade => {
                Source::MatchingEngine
            }
            Self::BalanceUpdated(event) => posting_module(event.reason),
            Self::CommandRejected(event) => refusing_module(event.command),
            Self::CommandCompleted(event) => refusing_module(event.command),
            _ => self.kind().row().emitters[0],
        }
    }
}

/// What ends an order inside a match is the matching engine's, a forced end the liquidation's.
const fn canceling_module(reason: Code) -> Source {
    match reason {
        Code::SelfTrade | Code::PostOnlyReject | Code::RiskLimitBreach | Code::ReduceOnlyReject => {
            Source::MatchingEngine
        }
        Code::InsufficientMargin => Source::Liquidation,
        _ => Source::Order,
    }
}

const fn posting_module(reason: UpdateReason) -> Source {
    use UpdateReason as R;
    match reason {
        R::TradeSettlement | R::ContractSettlement => Source::Settlement,
        R::Liquidation | R::Adl | R::Insurance => Source::Liquidation,
        R::Funding => Source::Risk,
        R::WithdrawalRefund | R::NetworkFee | R::Clawback => Source::Wallet,
        _ => Source::Account,
    }
}

/// Of a command: the module that owns what it changes.
const fn refusing_module(command: CommandKind) -> Source {
    use CommandKind as C;
    match command {
        C::CreateAccount
        | C::SetAccountStatus
        | C::Deposit
        | C::Withdraw
        | C::Transfer
        | C::SetAccountRates
        | C::RefundFee
        | C::SetAccountProfile => Source::Account,
        C::PlaceOrder
        | C::CancelOrder
        | C::ReduceOrder
        | C::ReplaceOrder
        | C::CancelAllOrders
        | C::PlaceOrders
        | C::SetCountdownCancel => Source::Order,
        _ => Source::Governance,
    }
}

const OF_NOTHING: Counts = Counts {
    account: AccountCount::Nobody,
    order: false,
    symbol: SymbolCount::Never,
    position: false,
};
const OF_ORDER: Counts = Counts { account: AccountCount::Named, order: true, ..OF_NOTHING };
const OF_BOOK: Counts = Counts { symbol: SymbolCount::IfDepthChanges, ..OF_ORDER };

/// The index of each type's row, by stored number. A type without a row does not compile.
const ROW_INDEXES: [usize; 128] = {
    let mut indexes = [usize::MAX; 128];
    let mut at = 0;
    while at < EVENTS.len() {
        if let Some(kind) = EVENTS[at].kind {
            indexes[kind as usize] = at;
        }
        at += 1;
    }
    let mut at = 0;
    while at < EventKind::ALL.len() {
        assert!(indexes[EventKind::ALL[at] as usize] != usize::MAX, "a type without a row");
        at += 1;
    }
    indexes
};

/// The type of a name, while compiling.
const fn kind_of(name: &str) -> Option<EventKind> {
    let mut at = 0;
    while at < EventKind::ALL.len() {
        if is_same(EventKind::ALL[at].name().as_bytes(), name.as_bytes()) {
            return Some(EventKind::ALL[at]);
        }
        at += 1;
    }
    None
}

const fn is_same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}
