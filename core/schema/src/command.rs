//! Commands: what may be asked of a shard.
//!
//! A command is stamped by the sequencer with its number and its time (D-2) and is data only. Decimals
//! are 128-bit integers of 10⁻¹⁸, ids sixteen bytes, a symbol its listing number or, when nobody
//! knows it, its text (EVT-83). Whether a command is allowed is the kernel's to say, never this file's.

use alloc::vec::Vec;

use units::{Amount, Id, Rate, Side, Timestamp};

use crate::{
    AccountStatus, AccountType, ApiClass, AssetTerms, ClockStatus, CommandKind, FeeRefund, FeeTier,
    HaltReason, Label, MarketParameters, MarketTerms, OrderTier, OrderType, PositionSide, RiskTier,
    SelfTrade, TimeInForce, TriggerKind, TriggerSource, WaiverReason,
};

/// A command with what the sequencer and the gateway put on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamped {
    /// Number in the shard's command log, from 1.
    pub sequence: u64,
    /// Exchange time; never below that of the command before.
    pub stamp: Timestamp,
    /// Whether the stamp was taken from the machine's clock alone (TIME-38).
    pub fallback_clock: bool,
    /// The request that led to the command; absent for the sequencer's own.
    pub correlation: Option<Id>,
    /// Idempotency key, for commands that have one (D-74).
    pub key: Option<Key>,
    /// The version of its account that the command is based on, if it matters (ACCT-8, SEQ-33).
    pub account_version: Option<u64>,
    /// What is asked.
    pub command: Command,
}

/// An idempotency key, hashed where the command was made (DET-11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// First half of the SHA-256 of account and key.
    pub key_hash: [u8; 16],
    /// First half of the SHA-256 of the encoded command, without stamp and key.
    pub body_hash: [u8; 16],
    /// Who made the key, and so how long it is kept.
    pub origin: KeyOrigin,
    /// The key as the client wrote it, for the record; an order has it as `client_order_id`.
    pub text: Option<Label>,
}

/// Who made an idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyOrigin {
    /// The client: kept 24 hours.
    Client,
    /// The gateway: kept 60 s, and the command is refused after `valid_until` (LIFE-76).
    Gateway {
        /// Last stamp at which the command may run.
        valid_until: Timestamp,
    },
}

/// The operator's approval of an administrative command, until governance is activated (D-75).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operator {
    /// Last stamp at which the command may run; at most the life of a client's key ahead, so that the
    /// same signature can never run twice.
    pub valid_until: Timestamp,
    /// Ed25519 over `signed_bytes`.
    pub signature: [u8; 64],
}

impl Operator {
    /// No approval: what stands behind a halt by the sequencer itself (D-119).
    pub const NONE: Self = Self { valid_until: Timestamp(0), signature: [0; 64] };
}

/// A market by its listing number, or by a text that named none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SymbolRef {
    /// Counted from 1 in order of listing.
    Listed(u32),
    /// What the request said.
    Unknown(Label),
}

/// An asset by its listing number, or by a text that named none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssetRef {
    /// Counted from 1 in order of listing.
    Listed(u32),
    /// What the request said.
    Unknown(Label),
}

/// Every command of this version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// The first command of a log.
    Genesis(Genesis),
    /// Time passes.
    Tick,
    /// An epoch begins.
    LeaderChanged {
        /// The epoch, above every one before.
        term: u64,
        /// Name of the leader.
        leader: Label,
    },
    /// The shadow hashed the state at a command end.
    RecordStateHash {
        /// Last event of that command.
        at_sequence: u64,
        /// SHA-256 of D-50.
        state_hash: [u8; 32],
    },
    /// A snapshot was stored and read back.
    RecordSnapshot {
        /// Last event that it holds.
        snapshot_sequence: u64,
        /// Time of that event.
        snapshot_timestamp: Timestamp,
        /// SHA-256 of the snapshot.
        checksum: [u8; 32],
    },
    /// The clock changed its source.
    RecordClockStatus {
        /// Before.
        from: ClockStatus,
        /// After.
        to: ClockStatus,
        /// Estimated error in seconds.
        skew: Amount,
    },
    /// Leaves a command out, since it breaks an invariant (D-49).
    Quarantine(Quarantine, Operator),
    /// Stops trading on the whole shard; cancels and money out go on (GOV-33). The sequencer's own, for CLOCK, has
    /// no key and no approval (TIME-34, TIME-35, TIME-39).
    HaltTrading(TradingHalt, Operator),
    /// Ends the halt, by whom; the markets that it paused take orders again (GOV-35).
    ResumeTrading(Label, Operator),
    /// The wall clock is right as it is now, says who; stamps follow it again (TIME-34).
    ConfirmClock(Label, Operator),
    /// Adds an asset.
    ListAsset(AssetTerms, Operator),
    /// Adds a market.
    ListMarket(MarketTerms, Operator),
    /// Opens an account.
    CreateAccount(AccountOpening),
    /// Changes an account's status.
    SetAccountStatus(StatusChange, Operator),
    /// Credits an account from EXTERNAL.
    Deposit(LedgerEntry),
    /// Debits an account to EXTERNAL.
    Withdraw(LedgerEntry),
    /// Moves money between two accounts of one owner.
    Transfer(Transfer),
    /// A market takes no new orders until it is resumed; cancels go on.
    PauseMarket(MarketChange, Operator),
    /// A paused market takes orders again.
    ResumeMarket(MarketChange, Operator),
    /// Changes parameters of a market.
    SetMarketParameters(ParameterChange, Operator),
    /// Changes the fee tiers of the shard.
    SetFeeSchedule(FeeSchedule, Operator),
    /// Gives an account rates of its own or a waiver, or takes them back.
    SetAccountRates(RatesChange, Operator),
    /// Gives a fee back, in whole or in part.
    RefundFee(FeeRefund, Operator),
    /// Changes what is known of an account.
    SetAccountProfile(ProfileChange, Operator),
    /// Places an order.
    PlaceOrder(OrderRequest),
    /// Cancels an order.
    CancelOrder(CancelOrder),
    /// Takes quantity off an order.
    ReduceOrder(ReduceOrder),
    /// Cancels an order and places another one, both or neither.
    ReplaceOrder(ReplaceOrder),
    /// Cancels every open order of an account.
    CancelAllOrders(CancelAllOrders),
    /// Arms or disarms the countdown cancel of an account.
    SetCountdownCancel(CountdownCancel),
}

/// The configuration of a shard (EVT-86).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Genesis {
    /// Id of the venue; part of what the operator signs.
    pub venue_id: Id,
    /// Shard of this log, 0 to 3,999.
    pub shard: u16,
    /// Ed25519 public key of the operator.
    pub operator_key: [u8; 32],
    /// Idempotency keys that the shard keeps at the most.
    pub key_count_max: u64,
    /// Fee tiers of the shard.
    pub fee_tiers: Vec<FeeTier>,
}

/// An account to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountOpening {
    /// Spot, margin or futures.
    pub account_type: AccountType,
    /// The number that a user sees, unique in the shard.
    pub external_id: Label,
    /// Owner, a user of the identity service.
    pub owner_id: Option<Id>,
    /// Country code of the owner.
    pub jurisdiction: Label,
    /// KYC tier, 0 to 3.
    pub kyc_tier: u8,
    /// Tier of margin limits.
    pub risk_tier: RiskTier,
    /// Tier of order limits.
    pub order_tier: OrderTier,
    /// Class of request limits.
    pub api_class: ApiClass,
    /// Free pairs of text, sorted by key, keys unique.
    pub metadata: Vec<(Label, Label)>,
}

/// A command that is left out, and what was found of it (D-49, D-109).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quarantine {
    /// Number of the command.
    pub command: u64,
    /// The invariant that it broke.
    pub invariant: Label,
    /// What one side of it was; empty when it has no sides.
    pub left: Label,
    /// What the other side was.
    pub right: Label,
    /// Who decided it.
    pub actor: Label,
}

/// A halt of the shard (GOV-33).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradingHalt {
    /// Why.
    pub reason: HaltReason,
    /// Who, for the record.
    pub actor: Label,
}

/// A change of an account's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusChange {
    /// The account.
    pub account: Id,
    /// The status it gets.
    pub to: AccountStatus,
    /// Why, for the record.
    pub reason: Label,
    /// Who, for the record.
    pub actor: Label,
}

/// A deposit or a withdrawal in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerEntry {
    /// The account.
    pub account: Id,
    /// What is moved.
    pub asset: AssetRef,
    /// How much, above 0.
    pub amount: Amount,
    /// The transaction outside that this mirrors.
    pub reference: Id,
}

/// A request for an order (LIFE-6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderRequest {
    /// Trading account.
    pub account: Id,
    /// The client's own key, shown in events.
    pub client_order_id: Option<Label>,
    /// Market.
    pub symbol: SymbolRef,
    /// BUY or SELL.
    pub side: Side,
    /// LIMIT or MARKET.
    pub order_type: OrderType,
    /// Quantity in base units; in quote units when `by_quote` is set.
    pub quantity: Amount,
    /// Whether the quantity is the value to trade, fees apart; MARKET without trigger only (D-94).
    pub by_quote: bool,
    /// Price in quote per base; LIMIT only.
    pub price: Option<Amount>,
    /// How long it lives.
    pub time_in_force: TimeInForce,
    /// GTD only.
    pub expire_at: Option<Timestamp>,
    /// Never takes.
    pub post_only: bool,
    /// Never enlarges a position.
    pub reduce_only: bool,
    /// What happens at an own order.
    pub self_trade: SelfTrade,
    /// Waits outside the book until met.
    pub trigger: Option<Trigger>,
    /// The other order of a one-cancels-other pair.
    pub oco_with: Option<Id>,
    /// Isolated mode only.
    pub position_side: Option<PositionSide>,
}

/// What an order waits for (D-12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// Direction.
    pub kind: TriggerKind,
    /// Price at which it is met.
    pub price: Amount,
    /// Price that is watched.
    pub source: TriggerSource,
}

/// A request to cancel one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CancelOrder {
    /// The caller's account.
    pub account: Id,
    /// The order.
    pub order: Id,
    /// The `state_seq` the caller acts on, if it matters (STATE-39).
    pub state_seq: Option<u64>,
}

/// A request to take quantity off an order (LIFE-42).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReduceOrder {
    /// The caller's account.
    pub account: Id,
    /// The order.
    pub order: Id,
    /// The new total quantity in base units.
    pub quantity: Amount,
    /// The `state_seq` the caller acts on, if it matters (STATE-39).
    pub state_seq: Option<u64>,
}

/// A request to cancel an order and place another one in its stead (LIFE-43).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplaceOrder {
    /// The order that goes; its account is the request's.
    pub order: Id,
    /// The `state_seq` the caller acts on, if it matters (STATE-39).
    pub state_seq: Option<u64>,
    /// The order that comes, of the same account and market.
    pub request: OrderRequest,
}

/// A request to cancel every open order (LIFE-45).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CancelAllOrders {
    /// The caller's account.
    pub account: Id,
    /// Only the orders of this market.
    pub symbol: Option<SymbolRef>,
}

/// A dead-man's switch: all orders of an account are canceled when the time runs out in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountdownCancel {
    /// The caller's account.
    pub account: Id,
    /// Nanoseconds from this command on; 0 disarms.
    pub timeout: u64,
}

/// Money between two accounts of one owner (ACCT-24).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Where it comes from.
    pub from: Id,
    /// Where it goes.
    pub to: Id,
    /// What is moved.
    pub asset: AssetRef,
    /// How much, above 0.
    pub amount: Amount,
}

/// A market is paused or resumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarketChange {
    /// The market.
    pub symbol: SymbolRef,
    /// Why, for the record.
    pub reason: Label,
    /// Who, for the record.
    pub actor: Label,
}

/// New parameters of a market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParameterChange {
    /// The market.
    pub symbol: SymbolRef,
    /// What changes.
    pub parameters: MarketParameters,
}

/// New fee tiers of the shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeeSchedule {
    /// The table.
    pub tiers: Vec<FeeTier>,
    /// From when on; absent for at once, which only what relieves may be (FEE-38).
    pub effective_at: Option<Timestamp>,
}

/// New rates of one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RatesChange {
    /// The account.
    pub account: Id,
    /// What it gets.
    pub rates: AccountRates,
    /// From when on; absent for at once, which only what relieves may be (FEE-38).
    pub effective_at: Option<Timestamp>,
}

/// Where the rates of an account come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountRates {
    /// Its 30-day volume, as for everyone.
    Volume,
    /// Rates of its own (FEE-10).
    Own {
        /// Of the side that rested.
        maker: Rate,
        /// Of the side that came in.
        taker: Rate,
    },
    /// No trading fee (FEE-21).
    Waiver {
        /// Why.
        reason: WaiverReason,
        /// From then on it has ended; a promotion needs one (FEE-22).
        ends_at: Option<Timestamp>,
    },
}

/// What is known of an account, as it is to be from now on (D-37).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProfileChange {
    /// The account.
    pub account: Id,
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
    /// Whether fees are paid in the platform token where that is possible (FEE-17).
    pub fee_in_token: bool,
}

impl Command {
    /// Its type.
    #[must_use]
    pub const fn kind(&self) -> CommandKind {
        match self {
            Self::Genesis(_) => CommandKind::Genesis,
            Self::Tick => CommandKind::Tick,
            Self::LeaderChanged { .. } => CommandKind::LeaderChanged,
            Self::RecordStateHash { .. } => CommandKind::RecordStateHash,
            Self::RecordSnapshot { .. } => CommandKind::RecordSnapshot,
            Self::RecordClockStatus { .. } => CommandKind::RecordClockStatus,
            Self::Quarantine(..) => CommandKind::Quarantine,
            Self::HaltTrading(..) => CommandKind::HaltTrading,
            Self::ResumeTrading(..) => CommandKind::ResumeTrading,
            Self::ConfirmClock(..) => CommandKind::ConfirmClock,
            Self::ListAsset(..) => CommandKind::ListAsset,
            Self::ListMarket(..) => CommandKind::ListMarket,
            Self::CreateAccount(_) => CommandKind::CreateAccount,
            Self::SetAccountStatus(..) => CommandKind::SetAccountStatus,
            Self::Deposit(_) => CommandKind::Deposit,
            Self::Withdraw(_) => CommandKind::Withdraw,
            Self::Transfer(_) => CommandKind::Transfer,
            Self::PauseMarket(..) => CommandKind::PauseMarket,
            Self::ResumeMarket(..) => CommandKind::ResumeMarket,
            Self::SetMarketParameters(..) => CommandKind::SetMarketParameters,
            Self::SetFeeSchedule(..) => CommandKind::SetFeeSchedule,
            Self::SetAccountRates(..) => CommandKind::SetAccountRates,
            Self::RefundFee(..) => CommandKind::RefundFee,
            Self::SetAccountProfile(..) => CommandKind::SetAccountProfile,
            Self::PlaceOrder(_) => CommandKind::PlaceOrder,
            Self::CancelOrder(_) => CommandKind::CancelOrder,
            Self::ReduceOrder(_) => CommandKind::ReduceOrder,
            Self::ReplaceOrder(_) => CommandKind::ReplaceOrder,
            Self::CancelAllOrders(_) => CommandKind::CancelAllOrders,
            Self::SetCountdownCancel(_) => CommandKind::SetCountdownCancel,
        }
    }
}

/// What the operator signs of an administrative command: the venue, the key that makes it run once,
/// its end, and the command's own body. A signature so made fits one venue and one request only.
#[must_use]
pub fn signed_bytes(venue_id: Id, key: &Key, valid_until: Timestamp, command: &Command) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    out.extend_from_slice(b"dex-operator-1\0");
    out.extend_from_slice(&venue_id.0);
    out.extend_from_slice(&key.key_hash);
    out.extend_from_slice(&valid_until.0.to_le_bytes());
    crate::command_codec::write_body(&mut out, command);
    out
}
