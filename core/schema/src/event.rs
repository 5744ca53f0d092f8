//! Events: what happened, as plain data.
//!
//! In memory and in the log an event names entities by small numbers: an account, asset or market by
//! its listing number, an order by the sequence of its OrderSubmitted. Ids, symbols and whatever
//! follows from the state before the event are derived when it is rendered (D-79, D-84). Each payload
//! knows how it is written (`event_codec.rs`); what it changes is in the kernel's `apply` alone.

use alloc::vec::Vec;

use units::{Amount, Id, Lots, Rate, Side, Ticks, Timestamp};

use crate::{
    AccountOpening, AccountStatus, ApiClass, AssetTerms, Bucket, ClockStatus, Code, CommandKind,
    Detail, EventKind, ExpiryReason, FeeKind, FeeRefunded, FeeTier, Genesis, HoldReason,
    InvariantViolated, Label, MarketParameters, MarketTerms, OrderTier, OrderType, PositionSide,
    ReduceReason, ReleaseReason, RiskTier, SelfTrade, SymbolRef, TimeInForce, TradingHalted,
    TradingResumed, Trigger, UpdateReason, WaiverReason,
};

/// Configuration and operator key of the venue (EVT-86).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenesisRecorded {
    /// Everything that was configured.
    pub genesis: Genesis,
    /// SHA-256 of `Genesis::configuration`.
    pub configuration_hash: [u8; 32],
}

/// A term of the shard began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaderChanged {
    /// The epoch.
    pub term: u64,
    /// Name of the leader.
    pub leader: Label,
}

/// The hash of the state at a command end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateHashRecorded {
    /// Last event of that command.
    pub at_sequence: u64,
    /// SHA-256 of D-50.
    pub state_hash: [u8; 32],
}

/// A snapshot was stored and read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotTaken {
    /// Last event that it holds.
    pub snapshot_sequence: u64,
    /// Time of that event.
    pub snapshot_timestamp: Timestamp,
    /// SHA-256 of the snapshot.
    pub checksum: [u8; 32],
}

/// The clock changed its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockStatusChanged {
    /// Before.
    pub from: ClockStatus,
    /// After.
    pub to: ClockStatus,
    /// Estimated error in seconds.
    pub skew: Amount,
}

/// A new asset; its number is the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssetListed {
    /// All its parameters.
    pub terms: AssetTerms,
}

/// A new market; its listing number is the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketListed {
    /// All its parameters.
    pub terms: MarketTerms,
}

/// MarketPaused or MarketResumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarketStateChanged {
    /// Listing number.
    pub market: u32,
    /// Why, for the record.
    pub reason: Label,
    /// Who, for the record.
    pub actor: Label,
}

/// A new account; its number is the next, its id that of the event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountCreated {
    /// All that is known of it.
    pub opening: AccountOpening,
}

/// The status of an account changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountStatusChanged {
    /// Number of the account.
    pub account: u32,
    /// Before.
    pub from: AccountStatus,
    /// After.
    pub to: AccountStatus,
    /// Why, for the record.
    pub reason: Label,
    /// Who, for the record.
    pub actor: Label,
}

/// Parameters of a market changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarketParametersChanged {
    /// Listing number.
    pub market: u32,
    /// The new values.
    pub parameters: MarketParameters,
}

/// New fee tiers of the shard: announced when `effective_at` lies behind the event's own time, in
/// force otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeeScheduleChanged {
    /// The table.
    pub tiers: Vec<FeeTier>,
    /// From when on it holds.
    pub effective_at: Timestamp,
}

/// The rates of an account: announced when `effective_at` lies behind the event's own time, in force
/// otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeeTierChanged {
    /// Number of the account.
    pub account: u32,
    /// Its volume of the 30 whole days before the event's.
    pub volume_30d: Amount,
    /// Row of the shard's table before, from 0.
    pub old_tier: u8,
    /// Row of the shard's table after.
    pub new_tier: u8,
    /// Rate of the side that rested.
    pub maker: Rate,
    /// Rate of the side that came in.
    pub taker: Rate,
    /// Where the rates come from.
    pub kind: FeeKind,
    /// From when on they hold.
    pub effective_at: Timestamp,
    /// When a waiver ends by itself.
    pub ends_at: Option<Timestamp>,
    /// Why there is a waiver.
    pub reason: Option<WaiverReason>,
}

/// What is known of an account, from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountProfileChanged {
    /// Number of the account.
    pub account: u32,
    /// KYC tier, 0 to 3.
    pub kyc_tier: u8,
    /// Country code of the owner.
    pub jurisdiction: Label,
    /// Tier of margin limits.
    pub risk_tier: RiskTier,
    /// Tier of order limits.
    pub order_tier: OrderTier,
    /// Class of request limits.
    pub api_class: ApiClass,
    /// Whether fees are paid in the platform token where that is possible.
    pub fee_in_token: bool,
}

/// Money moved between two accounts of one owner; the postings follow. Its id is the event's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountTransferred {
    /// Number of the account it came from.
    pub from: u32,
    /// Number of the account it went to.
    pub to: u32,
    /// Number of the asset.
    pub asset: u32,
    /// How much.
    pub amount: Amount,
}

/// The countdown cancel of an account was set, taken back, or ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountdownCancelChanged {
    /// Number of the account.
    pub account: u32,
    /// When it runs out; absent when it is not armed.
    pub deadline: Option<Timestamp>,
}

/// Quantity was taken off an order, which keeps its place in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderReduced {
    /// Sequence of its OrderSubmitted.
    pub order: u64,
    /// The new total quantity.
    pub total: Lots,
    /// Why.
    pub reason: ReduceReason,
}

/// The trigger of an order was met and it enters matching.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderTriggered {
    /// Sequence of its OrderSubmitted.
    pub order: u64,
    /// The price that met it.
    pub observed: Ticks,
}

/// What a change of balances refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference {
    /// The event with this sequence: a trade's TradeExecuted, a transfer's AccountTransferred.
    Event(u64),
    /// Something outside this command: a transaction of the world, an account, a refunded trade.
    Outside(Id),
}

/// One leg of a change of balances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posting {
    /// Number of the account.
    pub account: u32,
    /// Number of the asset.
    pub asset: u32,
    /// Which part moves.
    pub bucket: Bucket,
    /// By how much.
    pub delta: Amount,
}

/// Postings that sum to zero per asset; those of one account stand together.
#[derive(Clone, Copy, Debug)]
pub struct BalanceUpdated {
    /// Why.
    pub reason: UpdateReason,
    /// What for.
    pub reference: Reference,
    count: u8,
    postings: [Posting; Self::POSTING_COUNT_MAX],
}

impl BalanceUpdated {
    /// Legs of one event at the most.
    pub const POSTING_COUNT_MAX: usize = 8;

    /// An event without legs yet.
    #[must_use]
    pub const fn new(reason: UpdateReason, reference: Reference) -> Self {
        const NONE: Posting =
            Posting { account: 0, asset: 0, bucket: Bucket::Available, delta: Amount::ZERO };
        Self { reason, reference, count: 0, postings: [NONE; Self::POSTING_COUNT_MAX] }
    }

    /// Adds a leg; one of zero is left out.
    ///
    /// # Panics
    /// Above `POSTING_COUNT_MAX` legs, which no rule makes.
    #[inline]
    pub fn post(&mut self, posting: Posting) {
        if posting.delta != Amount::ZERO {
            self.postings[usize::from(self.count)] = posting;
            self.count += 1;
        }
    }

    /// The legs.
    #[must_use]
    #[inline]
    pub fn postings(&self) -> &[Posting] {
        &self.postings[..usize::from(self.count)]
    }
}

impl PartialEq for BalanceUpdated {
    fn eq(&self, other: &Self) -> bool {
        (self.reason, self.reference, self.postings())
            == (other.reason, other.reference, other.postings())
    }
}

impl Eq for BalanceUpdated {}

/// MarginReserved or MarginReleased of an order; account and asset are the order's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarginMoved<R> {
    /// Sequence of the order's OrderSubmitted.
    pub order: u64,
    /// How much.
    pub amount: Amount,
    /// Why.
    pub reason: R,
}

/// An order reached the core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderSubmitted {
    /// What it names: entities of the state, or, when it will be rejected, what the request said.
    pub terms: OrderTerms,
    /// BUY or SELL.
    pub side: Side,
    /// LIMIT or MARKET.
    pub order_type: OrderType,
    /// How long it lives.
    pub time_in_force: TimeInForce,
    /// Never takes.
    pub post_only: bool,
    /// Never enlarges a position.
    pub reduce_only: bool,
    /// What happens at an own order.
    pub self_trade: SelfTrade,
    /// The client's own key.
    pub client_order_id: Option<Label>,
    /// GTD only.
    pub expire_at: Option<Timestamp>,
    /// Waits until met.
    pub trigger: Option<Trigger>,
    /// The other order of its pair.
    pub oco_with: Option<Id>,
    /// Isolated mode only.
    pub position_side: Option<PositionSide>,
    /// Sequence of the order that it replaces.
    pub replaces: Option<u64>,
}

/// What an order names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderTerms {
    /// It passed every check: entities by number, price and quantity in the market's units.
    Checked {
        /// Number of the account.
        account: u32,
        /// Listing number of the market.
        market: u32,
        /// Limit price; for a market order its protection bound.
        ticks: Ticks,
        /// Total quantity.
        lots: Lots,
    },
    /// It will be rejected: what the request said.
    Requested {
        /// The account, known or not.
        account: Id,
        /// The market, known or not.
        symbol: SymbolRef,
        /// Price, if there is one.
        price: Option<Amount>,
        /// Quantity.
        quantity: Amount,
        /// Whether the quantity is one of the quote asset.
        by_quote: bool,
    },
}

/// An order was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderAccepted {
    /// Sequence of its OrderSubmitted.
    pub order: u64,
}

/// An order was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderRejected {
    /// Sequence of its OrderSubmitted.
    pub order: u64,
    /// A code marked R in EVT-77.
    pub reason: Code,
    /// What is said with it.
    pub detail: Detail,
}

/// OrderPartiallyFilled or OrderFilled: what one trade did to one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// Sequence of its OrderSubmitted.
    pub order: u64,
    /// Price of the trade.
    pub ticks: Ticks,
    /// Quantity of the trade.
    pub lots: Lots,
    /// Fee of this side in the quote asset; negative for a rebate.
    pub fee: Amount,
}

/// OrderCanceled or OrderExpired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderEnded<R> {
    /// Sequence of its OrderSubmitted.
    pub order: u64,
    /// Why.
    pub reason: R,
}

/// Two orders met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradeExecuted {
    /// The order that rested.
    pub maker: u64,
    /// The order that came in.
    pub taker: u64,
    /// The maker's price.
    pub ticks: Ticks,
    /// What changed hands.
    pub lots: Lots,
}

/// A trade was settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradeSettled {
    /// Sequence of its TradeExecuted.
    pub trade: u64,
    /// Negative for a rebate.
    pub maker_fee: Amount,
    /// Of the side that came in.
    pub taker_fee: Amount,
}

/// Whom a command was about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Party {
    /// The account that it named.
    pub account: Option<Id>,
    /// The entity that it named.
    pub target: Option<Id>,
    /// The client's key.
    pub idempotency_key: Option<Label>,
}

/// A command was refused and made nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandRejected {
    /// Its type.
    pub command: CommandKind,
    /// Whom it was about.
    pub party: Party,
    /// A code marked X in EVT-77.
    pub code: Code,
    /// What is said with it.
    pub detail: Detail,
}

/// A keyed command succeeded without changing anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandCompleted {
    /// Its type.
    pub command: CommandKind,
    /// Whom it was about.
    pub party: Party,
}

/// The key that a command entered into state (EVT-80).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// Hash of account and key.
    pub key_hash: [u8; 16],
    /// Hash of the body.
    pub body_hash: [u8; 16],
    /// From then on the key is free again.
    pub expires_at: Timestamp,
}

/// One event of any kind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the payload of the event that it names")]
pub enum Event {
    GenesisRecorded(GenesisRecorded),
    LeaderChanged(LeaderChanged),
    StateHashRecorded(StateHashRecorded),
    SnapshotTaken(SnapshotTaken),
    ClockStatusChanged(ClockStatusChanged),
    InvariantViolated(InvariantViolated),
    TradingHalted(TradingHalted),
    TradingResumed(TradingResumed),
    AssetListed(AssetListed),
    MarketListed(MarketListed),
    MarketPaused(MarketStateChanged),
    MarketResumed(MarketStateChanged),
    AccountCreated(AccountCreated),
    AccountStatusChanged(AccountStatusChanged),
    BalanceUpdated(BalanceUpdated),
    MarginReserved(MarginMoved<HoldReason>),
    MarginReleased(MarginMoved<ReleaseReason>),
    OrderSubmitted(OrderSubmitted),
    OrderAccepted(OrderAccepted),
    OrderRejected(OrderRejected),
    OrderPartiallyFilled(Fill),
    OrderFilled(Fill),
    OrderCanceled(OrderEnded<Code>),
    OrderExpired(OrderEnded<ExpiryReason>),
    TradeExecuted(TradeExecuted),
    TradeSettled(TradeSettled),
    CommandRejected(CommandRejected),
    CommandCompleted(CommandCompleted),
    MarketParametersChanged(MarketParametersChanged),
    FeeScheduleChanged(FeeScheduleChanged),
    FeeTierChanged(FeeTierChanged),
    AccountProfileChanged(AccountProfileChanged),
    AccountTransferred(AccountTransferred),
    CountdownCancelChanged(CountdownCancelChanged),
    FeeRefunded(FeeRefunded),
    OrderReduced(OrderReduced),
    OrderTriggered(OrderTriggered),
}

impl Event {
    /// Its type.
    #[must_use]
    pub const fn kind(&self) -> EventKind {
        use EventKind as K;
        match self {
            Self::GenesisRecorded(_) => K::GenesisRecorded,
            Self::LeaderChanged(_) => K::LeaderChanged,
            Self::StateHashRecorded(_) => K::StateHashRecorded,
            Self::SnapshotTaken(_) => K::SnapshotTaken,
            Self::ClockStatusChanged(_) => K::ClockStatusChanged,
            Self::InvariantViolated(_) => K::InvariantViolated,
            Self::TradingHalted(_) => K::TradingHalted,
            Self::TradingResumed(_) => K::TradingResumed,
            Self::AssetListed(_) => K::AssetListed,
            Self::MarketListed(_) => K::MarketListed,
            Self::MarketPaused(_) => K::MarketPaused,
            Self::MarketResumed(_) => K::MarketResumed,
            Self::AccountCreated(_) => K::AccountCreated,
            Self::AccountStatusChanged(_) => K::AccountStatusChanged,
            Self::BalanceUpdated(_) => K::BalanceUpdated,
            Self::MarginReserved(_) => K::MarginReserved,
            Self::MarginReleased(_) => K::MarginReleased,
            Self::OrderSubmitted(_) => K::OrderSubmitted,
            Self::OrderAccepted(_) => K::OrderAccepted,
            Self::OrderRejected(_) => K::OrderRejected,
            Self::OrderPartiallyFilled(_) => K::OrderPartiallyFilled,
            Self::OrderFilled(_) => K::OrderFilled,
            Self::OrderCanceled(_) => K::OrderCanceled,
            Self::OrderExpired(_) => K::OrderExpired,
            Self::TradeExecuted(_) => K::TradeExecuted,
            Self::TradeSettled(_) => K::TradeSettled,
            Self::CommandRejected(_) => K::CommandRejected,
            Self::CommandCompleted(_) => K::CommandCompleted,
            Self::MarketParametersChanged(_) => K::MarketParametersChanged,
            Self::FeeScheduleChanged(_) => K::FeeScheduleChanged,
            Self::FeeTierChanged(_) => K::FeeTierChanged,
            Self::AccountProfileChanged(_) => K::AccountProfileChanged,
            Self::AccountTransferred(_) => K::AccountTransferred,
            Self::CountdownCancelChanged(_) => K::CountdownCancelChanged,
            Self::FeeRefunded(_) => K::FeeRefunded,
            Self::OrderReduced(_) => K::OrderReduced,
            Self::OrderTriggered(_) => K::OrderTriggered,
        }
    }
}
