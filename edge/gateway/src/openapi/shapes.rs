//! The shapes of all answers.

mod history;

use schema::{
    AccountStatus, AccountType, ApiClass, FeeKind, MarketKind, Matching, OrderState, OrderTier,
    OrderType, RefundReason, RiskTier, SelfTrade, TimeInForce, TriggerKind, TriggerSource,
    WaiverReason,
};

use super::shape::Kind::{
    Count, Decimal, Either, Flag, Id, Level, List, MaybeTime, Name, Object, OneOf, OrAbsent,
    OrNull, Ratio, Text, Texts, Time,
};
use super::shape::{Field, Kind, Shape};
use super::words::all;
pub(super) use history::{ACCOUNT_TRADES, LEDGER, MARKET_TRADES, ORDER_TRADES, TRADE_PAGE};

/// A shape of this name.
const fn shape(name: &'static str, about: &'static str, fields: &'static [Field]) -> Shape {
    Shape { name, about, fields }
}

const SIDE: Kind = OneOf(&["BUY", "SELL"]);
const TIERS: Kind = List(&Object(&FEE_TIER));
const BALANCES: Kind = List(&Object(&BALANCE));
const LEVELS: Kind = List(&Level);
const AUDITED_LEVELS: Kind = List(&Object(&AUDITED_LEVEL));

/// A refused request among the answers of a batch.
pub(super) const REFUSED: Shape = shape(
    "Refused",
    "A refused request.",
    &[("error", Object(&FAULT)), ("order_id", OrAbsent(&Id))],
);
const FAULT: Shape = shape(
    "Fault",
    "Why: a code for programs, words for people.",
    &[("code", Text), ("message", Text)],
);

pub(super) const PLACED: Shape = shape(
    "OrderPlaced",
    "An order was accepted.",
    &[
        ("order_id", OrAbsent(&Id)),
        ("status", OneOf(&["ACCEPTED", "REPEATED"])),
        ("first_command", OrAbsent(&Count)),
        ("client_order_id", OrNull(&Text)),
        ("sequence", Count),
    ],
);
pub(super) const REPLACED: Shape = shape(
    "OrderReplaced",
    "An order was canceled and another one accepted in its stead.",
    &[
        ("order_id", OrAbsent(&Id)),
        ("status", OneOf(&["ACCEPTED", "REPEATED"])),
        ("first_command", OrAbsent(&Count)),
        ("client_order_id", OrNull(&Text)),
        ("sequence", Count),
        ("replaced_order_id", Id),
    ],
);
pub(super) const CANCELED: Shape = shape(
    "OrderCanceled",
    "An order is canceled.",
    &[("order_id", Id), ("status", OneOf(&["CANCELED"])), ("sequence", Count)],
);
pub(super) const REDUCED: Shape = shape(
    "OrderReduced",
    "An order has a new total quantity.",
    &[("order_id", Id), ("quantity", Decimal), ("sequence", Count)],
);
pub(super) const ALL_CANCELED: Shape = shape(
    "OrdersCanceled",
    "No order of the account, or of the symbol, is open.",
    &[
        ("account_id", Id),
        ("symbol", OrNull(&Text)),
        ("status", OneOf(&["CANCELED"])),
        ("sequence", Count),
    ],
);
pub(super) const COUNTDOWN: Shape = shape(
    "CountdownSet",
    "The countdown cancel of an account; 0 is none.",
    &[("account_id", Id), ("timeout_ms", Count), ("sequence", Count)],
);
pub(super) const BATCH_PLACED: Shape = shape(
    "BatchPlaced",
    "One answer for each order, in their order.",
    &[("answers", List(&Object(&PLACED_ITEM)))],
);
const PLACED_ITEM: Shape = shape(
    "BatchPlacedItem",
    "What a request for this order alone would have been answered.",
    &[("status", Count), ("body", Either(&PLACED, &REFUSED))],
);
pub(super) const BATCH_CANCELED: Shape = shape(
    "BatchCanceled",
    "One answer for each cancel, in their order.",
    &[("answers", List(&Object(&CANCELED_ITEM)))],
);
const CANCELED_ITEM: Shape = shape(
    "BatchCanceledItem",
    "What a request for this cancel alone would have been answered.",
    &[("status", Count), ("body", Either(&CANCELED, &REFUSED))],
);

const TRIGGER: Shape = shape(
    "Trigger",
    "What an order waits for.",
    &[
        ("kind", Name(|| all(TriggerKind::ALL, TriggerKind::name))),
        ("price", Decimal),
        ("source", Name(|| all(TriggerSource::ALL, TriggerSource::name))),
    ],
);

/// The fields of an order, with what more stands behind them.
macro_rules! order_fields {
    ($($more:expr),*) => {&[
        ("order_id", Id),
        ("account_id", Id),
        ("client_order_id", OrNull(&Text)),
        ("symbol", Text),
        ("side", SIDE),
        ("type", Name(|| all(OrderType::ALL, OrderType::name))),
        ("time_in_force", Name(|| all(TimeInForce::ALL, TimeInForce::name))),
        ("self_trade", Name(|| all(SelfTrade::ALL, SelfTrade::name))),
        ("price", OrNull(&Decimal)),
        ("quantity", Decimal),
        ("filled_quantity", Decimal),
        ("remaining_quantity", Decimal),
        ("average_price", OrNull(&Decimal)),
        ("total_fee", Decimal),
        ("reserved", Decimal),
        ("status", Name(|| all(OrderState::ALL, OrderState::name))),
        ("prev_status", OrNull(&Name(|| all(OrderState::ALL, OrderState::name)))),
        ("state_reason", OrNull(&Text)),
        ("state_seq", Count),
        ("state_changed_at", Time),
        ("created_at", Time),
        ("post_only", Flag),
        ("expire_at", MaybeTime),
        ("oco_with", OrNull(&Id)),
        ("triggered", Flag),
        ("trigger", OrNull(&Object(&TRIGGER)))
        $(, $more)*
    ]};
}

const LISTED_ORDER: Shape = shape("ListedOrder", "An order in a list.", order_fields!());
pub(super) const ORDER: Shape = shape("Order", "An order.", order_fields!(("sequence", Count)));
pub(super) const ORDERS: Shape = shape(
    "Orders",
    "Orders of an account, by id.",
    &[
        ("account_id", Id),
        ("orders", List(&Object(&LISTED_ORDER))),
        ("next_cursor", OrNull(&Text)),
        ("sequence", Count),
    ],
);

const BALANCE: Shape = shape(
    "Balance",
    "What an account has of an asset.",
    &[
        ("asset", Text),
        ("total", Decimal),
        ("available", Decimal),
        ("locked", Decimal),
        ("update_seq", Count),
        ("updated_at", Time),
    ],
);
pub(super) const BALANCES_OF: Shape = shape(
    "Balances",
    "The balances of an account.",
    &[("account_id", Id), ("balances", BALANCES), ("sequence", Count)],
);
pub(super) const ACCOUNT: Shape = shape(
    "Account",
    "An account.",
    &[
        ("account_id", Id),
        ("external_id", Text),
        ("account_type", Name(|| all(AccountType::ALL, AccountType::name))),
        ("status", Name(|| all(AccountStatus::ALL, AccountStatus::name))),
        ("owner_id", OrNull(&Id)),
        ("jurisdiction", Text),
        ("kyc_tier", Count),
        ("risk_tier", Name(|| all(RiskTier::ALL, RiskTier::name))),
        ("order_tier", Name(|| all(OrderTier::ALL, OrderTier::name))),
        ("api_class", Name(|| all(ApiClass::ALL, ApiClass::name))),
        ("metadata", Texts),
        ("version", Count),
        ("maker_rate", Ratio),
        ("taker_rate", Ratio),
        ("fee_in_token", Flag),
        ("countdown_at", MaybeTime),
        ("balances", BALANCES),
        ("positions", List(&Text)),
        ("created_at", Time),
        ("updated_at", Time),
        ("sequence", Count),
    ],
);
pub(super) const TRANSFERRED: Shape = shape(
    "Transferred",
    "Money moved between two accounts.",
    &[
        ("transfer_id", OrNull(&Id)),
        ("from_account_id", Id),
        ("to_account_id", Id),
        ("asset", Text),
        ("amount", Decimal),
        ("sequence", Count),
    ],
);

const FEE_TIER: Shape = shape(
    "FeeTier",
    "Rates of volumes above a bound.",
    &[("above", Decimal), ("maker", Ratio), ("taker", Ratio)],
);

const ANNOUNCED_TIERS: Shape = shape(
    "AnnouncedTiers",
    "The tiers that take the place of those in force.",
    &[("tiers", TIERS), ("effective_at", Time)],
);
pub(super) const FEES: Shape = shape(
    "Fees",
    "The fee tiers of everyone.",
    &[("tiers", TIERS), ("announced", OrNull(&Object(&ANNOUNCED_TIERS))), ("sequence", Count)],
);
const ANNOUNCED_RATES: Shape = shape(
    "AnnouncedRates",
    "Rates of an account that come into force later.",
    &[
        ("kind", Name(|| all(FeeKind::ALL, FeeKind::name))),
        ("maker_rate", Ratio),
        ("taker_rate", Ratio),
        ("effective_at", Time),
    ],
);
const REFUND: Shape = shape(
    "Refund",
    "A fee of which something was given back.",
    &[("trade_id", Id), ("asset", Text), ("fee", Decimal), ("refunded", Decimal)],
);
pub(super) const ACCOUNT_FEES: Shape = shape(
    "AccountFees",
    "What the next trade of an account is charged, and what the next tier needs.",
    &[
        ("account_id", Id),
        ("kind", Name(|| all(FeeKind::ALL, FeeKind::name))),
        ("maker_rate", Ratio),
        ("taker_rate", Ratio),
        ("volume_30d", Decimal),
        ("tier", Count),
        ("waiver_reason", OrNull(&Name(|| all(WaiverReason::ALL, WaiverReason::name)))),
        ("waiver_ends_at", MaybeTime),
        ("next_tier", OrNull(&Object(&FEE_TIER))),
        ("announced", OrNull(&Object(&ANNOUNCED_RATES))),
        ("refunds", List(&Object(&REFUND))),
        ("sequence", Count),
    ],
);
pub(super) const PREVIEW: Shape = shape(
    "OrderPreview",
    "What an order would be and cost at the worst, were it placed now.",
    &[
        ("account_id", Id),
        ("symbol", Text),
        ("maker_rate", Ratio),
        ("taker_rate", Ratio),
        ("price", OrNull(&Decimal)),
        ("quantity", Decimal),
        ("value", Decimal),
        ("maker_fee", Decimal),
        ("taker_fee", Decimal),
        ("worst_fee", Decimal),
        ("reserved", Decimal),
        ("reserved_asset", Text),
        ("available", Decimal),
        ("sequence", Count),
    ],
);

const MARKET: Shape = shape(
    "Market",
    "A market with every parameter.",
    &[
        ("symbol", Text),
        ("number", Count),
        ("kind", Name(|| all(MarketKind::ALL, MarketKind::name))),
        ("base", Text),
        ("quote", Text),
        ("open", Flag),
        ("tick_size", Decimal),
        ("lot_size", Decimal),
        ("min_price", Decimal),
        ("max_price", Decimal),
        ("min_quantity", Decimal),
        ("max_quantity", Decimal),
        ("matching", Name(|| all(Matching::ALL, Matching::name))),
        ("protection_bound", Ratio),
        ("price_band", OrNull(&Ratio)),
        ("open_orders_max", Count),
        ("fee_tiers", TIERS),
        ("post_only_until", MaybeTime),
        ("last_price", OrNull(&Decimal)),
        ("market_sequence", Count),
    ],
);
pub(super) const MARKETS: Shape =
    shape("Markets", "Every market.", &[("markets", List(&Object(&MARKET))), ("sequence", Count)]);
const NETWORK: Shape = shape(
    "Network",
    "An asset on one chain.",
    &[
        ("network", Text),
        ("min_withdrawal", Decimal),
        ("withdrawal_fee", Decimal),
        ("confirmations", Count),
        ("deposits_open", Flag),
        ("withdrawals_open", Flag),
    ],
);
const ASSET: Shape = shape(
    "Asset",
    "An asset with every parameter.",
    &[
        ("symbol", Text),
        ("number", Count),
        ("name", Text),
        ("decimals", Count),
        ("is_collateral", Flag),
        ("collateral_weight", Ratio),
        ("networks", List(&Object(&NETWORK))),
    ],
);
pub(super) const ASSETS: Shape =
    shape("Assets", "Every asset.", &[("assets", List(&Object(&ASSET))), ("sequence", Count)]);
pub(super) const BOOK: Shape = shape(
    "Book",
    "A book, best levels first; `sequence` is the symbol's.",
    &[
        ("symbol", Text),
        ("sequence", Count),
        ("bids", LEVELS),
        ("asks", LEVELS),
        ("event_sequence", Count),
        ("timestamp", Time),
    ],
);
const STATE_HASH: Shape = shape(
    "StateHash",
    "The last recorded hash of the state.",
    &[("sequence", Count), ("sha256", Text)],
);
pub(super) const HEALTH: Shape = shape(
    "Health",
    "How the shard is.",
    &[
        ("status", OneOf(&["healthy", "degraded", "unhealthy"])),
        ("venue_id", OrAbsent(&Id)),
        ("shard", OrAbsent(&Count)),
        ("durability", OrAbsent(&Text)),
        ("survives", OrAbsent(&OneOf(&["NONE", "PROCESS_CRASH", "ZONE", "REGION"]))),
        ("command_sequence", OrAbsent(&Count)),
        ("event_sequence", OrAbsent(&Count)),
        ("view_sequence", OrAbsent(&Count)),
        ("state_hash", OrAbsent(&Object(&STATE_HASH))),
    ],
);

pub(super) const ASSET_LISTED: Shape = shape(
    "AssetListed",
    "An asset was listed.",
    &[("asset_id", OrNull(&Id)), ("symbol", Text), ("sequence", Count)],
);
pub(super) const MARKET_LISTED: Shape = shape(
    "MarketListed",
    "A market was listed.",
    &[("market_id", OrNull(&Id)), ("symbol", Text), ("sequence", Count)],
);
pub(super) const MARKET_STATE: Shape = shape(
    "MarketState",
    "Whether a market takes orders.",
    &[("open", Flag), ("symbol", Text), ("sequence", Count)],
);
pub(super) const MARKET_CHANGED: Shape = shape(
    "MarketChanged",
    "Parameters of a market changed.",
    &[("symbol", Text), ("sequence", Count)],
);
pub(super) const SCHEDULE_SET: Shape = shape(
    "ScheduleSet",
    "The fee tiers were set or announced.",
    &[("effective_at", MaybeTime), ("sequence", Count)],
);
pub(super) const RATES_SET: Shape = shape(
    "RatesSet",
    "The rates of an account were set or announced.",
    &[
        ("account_id", Id),
        ("kind", Name(|| all(FeeKind::ALL, FeeKind::name))),
        ("effective_at", MaybeTime),
        ("sequence", Count),
    ],
);
pub(super) const FEE_REFUNDED: Shape = shape(
    "FeeRefunded",
    "A fee was given back, in whole or in part.",
    &[
        ("account_id", Id),
        ("trade_id", Id),
        ("asset", Text),
        ("fee", Decimal),
        ("amount", Decimal),
        ("reason", Name(|| all(RefundReason::ALL, RefundReason::name))),
        ("sequence", Count),
    ],
);
pub(super) const ACCOUNT_OPENED: Shape = shape(
    "AccountOpened",
    "An account was opened.",
    &[("account_id", OrNull(&Id)), ("external_id", Text), ("sequence", Count)],
);
pub(super) const ACCOUNT_FOUND: Shape = shape(
    "AccountFound",
    "The account with an external id.",
    &[
        ("account_id", Id),
        ("external_id", Text),
        ("status", Name(|| all(AccountStatus::ALL, AccountStatus::name))),
        ("sequence", Count),
    ],
);
pub(super) const STATUS_SET: Shape = shape(
    "StatusSet",
    "The status of an account.",
    &[
        ("account_id", Id),
        ("status", Name(|| all(AccountStatus::ALL, AccountStatus::name))),
        ("sequence", Count),
    ],
);
pub(super) const PROFILE_SET: Shape = shape(
    "ProfileSet",
    "What is known of an account changed.",
    &[("account_id", Id), ("sequence", Count)],
);
pub(super) const ENTRY: Shape = shape(
    "EntryMade",
    "Money came in or went out.",
    &[
        ("account_id", Id),
        ("asset", Text),
        ("amount", Decimal),
        ("reference", Id),
        ("sequence", Count),
    ],
);
const AUDITED_TRADE: Shape = shape(
    "AuditedTrade",
    "A trade with the numbers of its orders.",
    &[
        ("trade_id", Id),
        ("sequence", Count),
        ("market", Count),
        ("maker_order", Count),
        ("taker_order", Count),
        ("price", Decimal),
        ("quantity", Decimal),
        ("side", SIDE),
        ("executed_at", Time),
    ],
);
pub(super) const AUDITED_TRADES: Shape = shape(
    "AuditedTrades",
    "The trades of some events.",
    &[("trades", List(&Object(&AUDITED_TRADE))), ("until", Count)],
);
const AUDITED_LEVEL: Shape = shape(
    "AuditedLevel",
    "A price level with the number of its orders.",
    &[("price", Decimal), ("quantity", Decimal), ("orders", Count)],
);
pub(super) const AUDITED_BOOK: Shape = shape(
    "AuditedBook",
    "A book with the number of orders at each level.",
    &[("symbol", Text), ("bids", AUDITED_LEVELS), ("asks", AUDITED_LEVELS), ("sequence", Count)],
);
