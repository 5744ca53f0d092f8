//! The vocabulary of a shard: commands, events, refusals and replies, and their stored byte forms.
//!
//! Plain data. Owns the numbers and names of every enumeration and the canonical encoding of D-79
//! (`docs/formats/command.md`, `docs/formats/event.md`). Invariant: equal values have equal bytes, and
//! bytes that are not the encoding of a value are refused (DET-30, EVT-78). It deliberately holds no
//! rule of trading and no state. Read `command.rs` and `event.rs`, then `wire.rs`.

#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic, clippy::disallowed_types, clippy::disallowed_methods)]

extern crate alloc;

#[macro_use]
mod enumeration;

pub mod catalogue;
mod change_codec;
mod code;
mod command;
mod command_codec;
mod event;
mod event_buffer;
mod event_codec;
mod halt;
mod kinds;
mod label;
pub mod limits;
mod order_codec;
mod refund;
mod reply;
mod small;
mod terms;
mod terms_codec;
mod trading_codec;
pub mod wire;

pub use code::{Code, CodeUse, Detail, Refusal, Why};
pub use command::{
    AccountOpening, AccountRates, AssetRef, CancelAllOrders, CancelOrder, Command, CountdownCancel,
    FeeSchedule, Genesis, Key, KeyOrigin, LedgerEntry, MarketChange, Operator, OrderRequest,
    ParameterChange, ProfileChange, Quarantine, RatesChange, ReduceOrder, ReplaceOrder, Stamped,
    StatusChange, SymbolRef, Transfer, Trigger, signed_bytes,
};
pub use command_codec::{COMMAND_FORMAT, decode_command, encode_command};
pub use event::{
    AccountCreated, AccountProfileChanged, AccountStatusChanged, AccountTransferred, AssetListed,
    BalanceUpdated, ClockStatusChanged, CommandCompleted, CommandRejected, CountdownCancelChanged,
    Event, FeeScheduleChanged, FeeTierChanged, Fill, GenesisRecorded, Idempotency, LeaderChanged,
    MarginMoved, MarketListed, MarketParametersChanged, MarketStateChanged, OrderAccepted,
    OrderEnded, OrderReduced, OrderRejected, OrderSubmitted, OrderTerms, OrderTriggered, Party,
    Posting, Reference, SnapshotTaken, StateHashRecorded, TradeExecuted, TradeSettled,
};
pub use event_buffer::{EventBuffer, EventGroup, EventHead, EventIter, GroupHead, GroupIter};
pub use event_codec::{Payload, decode_payload};
pub use halt::{InvariantViolated, TradingHalted};
pub use kinds::{
    AccountStatus, AccountType, ApiClass, Bucket, CanceledBy, ClockStatus, CommandKind, EventKind,
    ExpiryReason, FeeKind, HaltReason, HaltScope, HoldReason, MarketKind, Matching, OrderState,
    OrderTier, OrderType, PositionSide, ReduceReason, RefundReason, ReleaseReason, RiskTier,
    SelfTrade, TimeInForce, TriggerKind, TriggerSource, UpdateReason, WaiverReason,
};
pub use label::{Label, LabelTooLong};
pub use refund::{FeeRefund, FeeRefunded};
pub use reply::{Outcome, Reply};
pub use small::{Cursor, Small};
pub use terms::{AssetTerms, FeeTier, MarketParameters, MarketTerms, NetworkTerms};
pub use terms_codec::{decode_opening, encode_opening};
pub use trading_codec::PlainSubmitted;
