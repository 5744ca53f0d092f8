//! Queries and what they answer.
//!
//! A view is plain data in decimals and ids, ready to be shown. Every answer carries the event
//! sequence and time it reflects (SVC-85), so that a caller can ask to read its own write.

use alloc::boxed::Box;
use alloc::vec::Vec;

use schema::{
    AccountOpening, AccountStatus, AssetTerms, ClockStatus, Code, ExpiryReason, FeeKind, FeeTier,
    HaltReason, Label, MarketTerms, OrderRequest, OrderState, OrderType, Refusal, SelfTrade,
    TimeInForce, Trigger, WaiverReason,
};
use units::{Amount, Id, Rate, Side, Timestamp};

use crate::TradePrint;
use crate::history::{
    LedgerEntryView, List, OrderFilter, OrderRecord, Page, Period, SettlementView, TradeView,
};

/// What may be asked of a shard's view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "a query is made once and handed on, never kept")]
pub enum Query {
    /// One account with its balances.
    Account(Id),
    /// One account, by the number that its user sees.
    AccountByExternalId(Label),
    /// One order, open or ended, however long ago (STATE-35, LIFE-75).
    Order(Id),
    /// The open orders of an account, by id, in one market or in all, at one limit price or at all.
    OpenOrders(Id, Option<u32>, Option<Amount>),
    /// A book by listing number, so many levels a side.
    Book(u32, usize),
    /// Every market, in order of listing.
    Markets,
    /// Every asset, in order of listing.
    Assets,
    /// How the shard is.
    Health,
    /// The newest order of an account with this client order id. From the archive, like all below.
    OrderByClientId(Id, Label),
    /// Orders by account, market, state, price and time (STATE-38): ListOrders and, with the filter of an
    /// account alone, ListAllOrders and GetOrdersByAccount (LIFE-3).
    Orders(OrderFilter, Page),
    /// One order with its request, its history and its trades (STATE-36, TRADE-18).
    OrderRecord(Id),
    /// One trade (GetTrade).
    Trade(Id),
    /// The trades of an order (GetTradesByOrder).
    TradesByOrder(Id, Page),
    /// The trades of an account (GetTradesByAccount).
    TradesByAccount(Id, Period, Page),
    /// The trades of a market by listing number, as the public sees them (GetTradesBySymbol, TRADE-43).
    TradesByMarket(u32, Period, Page),
    /// The last trades of a market by listing number, newest first, so many (GetRecentTrades, TRADE-43).
    RecentTrades(u32, u32),
    /// The row of the settlement journal of a trade (GetSettlementStatus, SETL-52, SETL-55).
    Settlement(Id),
    /// What BalanceUpdated did to an account.
    LedgerEntries(Id, Period, Page),
    /// The fee tiers of the shard (FEE-41).
    FeeSchedule,
    /// The fees of an account (FEE-42).
    AccountFees(Id),
    /// What an order would be and cost, were it placed now.
    Preview(OrderRequest),
}

/// An answer and the state that it reflects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Last event of that state.
    pub sequence: u64,
    /// Its time.
    pub timestamp: Timestamp,
    /// The answer.
    pub view: View,
}

/// What a query answers. An entity that is not there is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant answers the query of its name")]
pub enum View {
    Account(Option<AccountView>),
    Order(Option<OrderView>),
    OpenOrders(Option<Vec<OrderView>>),
    Book(Option<BookView>),
    Markets(Vec<MarketView>),
    Assets(Vec<AssetView>),
    Health(HealthView),
    Orders(List<OrderView>),
    OrderRecord(Option<Box<OrderRecord>>),
    Trade(Result<TradeView, Code>),
    Trades(List<TradeView>),
    PublicTrades(List<TradePrint>),
    Settlement(Result<Box<SettlementView>, Code>),
    LedgerEntries(List<LedgerEntryView>),
    FeeSchedule(FeeScheduleView),
    AccountFees(Option<AccountFeesView>),
    Preview(Result<OrderPreview, Refusal>),
}

/// An account (ACCT-1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountView {
    /// Its id.
    pub account_id: Id,
    /// What it was opened with.
    pub opening: AccountOpening,
    /// Active, suspended or closed.
    pub status: AccountStatus,
    /// Its sequence (SEQ-30).
    pub version: u64,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Rate of its next trade as a maker, where a market has no tiers of its own.
    pub maker_rate: Rate,
    /// Rate of its next trade as a taker, likewise.
    pub taker_rate: Rate,
    /// Its balances, by asset number.
    pub balances: Vec<BalanceView>,
    /// Whether fees are paid in the platform token where that is possible.
    pub fee_in_token: bool,
    /// When its countdown cancel runs out, if it is armed (D-96).
    pub countdown_at: Option<Timestamp>,
}

/// A balance (ACCT-9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BalanceView {
    /// The asset.
    pub asset: Label,
    /// Available and locked.
    pub total: Amount,
    /// Free for orders and withdrawals.
    pub available: Amount,
    /// Reserved for open orders.
    pub locked: Amount,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Event that changed it last.
    pub update_seq: u64,
}

/// An order (LIFE-6, STATE-36).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderView {
    /// Its id.
    pub order_id: Id,
    /// Its account.
    pub account_id: Id,
    /// Symbol of its market, or what the request said.
    pub symbol: Label,
    /// The client's own key.
    pub client_order_id: Option<Label>,
    /// BUY or SELL.
    pub side: Side,
    /// LIMIT or MARKET.
    pub order_type: OrderType,
    /// How long it lives.
    pub time_in_force: TimeInForce,
    /// What happens at an own order.
    pub self_trade: SelfTrade,
    /// Limit price.
    pub price: Option<Amount>,
    /// Total quantity; zero when rejected (STATE-18).
    pub quantity: Amount,
    /// Filled quantity.
    pub filled_quantity: Amount,
    /// Remaining quantity.
    pub remaining_quantity: Amount,
    /// Mean price of its trades, half away from zero at 18 decimals; absent before the first.
    pub average_price: Option<Amount>,
    /// Fees paid so far in the quote asset; negative for a net rebate.
    pub total_fee: Amount,
    /// What is still reserved for it.
    pub reserved: Amount,
    /// State.
    pub state: OrderState,
    /// State before; absent for none.
    pub prev_state: Option<OrderState>,
    /// Reject or cancel reason.
    pub reason: Option<Code>,
    /// Expiry reason.
    pub expiry: Option<ExpiryReason>,
    /// Event that changed it last.
    pub state_seq: u64,
    /// Time of that event.
    pub state_changed_at: Timestamp,
    /// Time of its OrderSubmitted.
    pub created_at: Timestamp,
    /// Whether it must not take.
    pub post_only: bool,
    /// GTD only: the last time at which it trades.
    pub expire_at: Option<Timestamp>,
    /// What it was sent to wait for, outside the book.
    pub trigger: Option<Trigger>,
    /// Whether that came, and it entered matching.
    pub is_triggered: bool,
    /// The earlier order of its pair, as it was sent.
    pub oco_with: Option<Id>,
}

/// A price level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelView {
    /// Price in quote per base.
    pub price: Amount,
    /// Quantity in base.
    pub quantity: Amount,
    /// Orders at the level.
    pub orders: u32,
}

/// A book, best levels first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookView {
    /// Symbol of the market.
    pub symbol: Label,
    /// Sequence of the symbol (SEQ-31).
    pub sequence: u64,
    /// Buyers.
    pub bids: Vec<LevelView>,
    /// Sellers.
    pub asks: Vec<LevelView>,
}

/// A market.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketView {
    /// Listing number.
    pub number: u32,
    /// All its parameters.
    pub terms: MarketTerms,
    /// Whether it takes orders.
    pub open: bool,
    /// Sequence of the symbol.
    pub sequence: u64,
    /// Price of the last trade.
    pub last_price: Option<Amount>,
}

/// An asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssetView {
    /// Listing number.
    pub number: u32,
    /// All its parameters.
    pub terms: AssetTerms,
}

/// The colors of REC-68.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealthStatus {
    /// All is well.
    Healthy,
    /// Some work is refused for now.
    Degraded,
    /// The shard is stopped; reads go on.
    Unhealthy,
}

impl HealthStatus {
    /// The word of SVC-6.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// A halt of trading that lasts (GOV-33).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HaltView {
    /// Why.
    pub reason: HaltReason,
    /// Who, for the record.
    pub actor: Label,
    /// Since when.
    pub since: Timestamp,
}

/// How the shard is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthView {
    /// In one word.
    pub status: HealthStatus,
    /// The halt that lasts: no market takes orders, and everything else goes on.
    pub halt: Option<HaltView>,
    /// Where stamps come from (TIME-40).
    pub clock: ClockStatus,
    /// Last durable command.
    pub command_sequence: u64,
    /// Last event of the live kernel that may be told.
    pub event_sequence: u64,
    /// Last event of the view.
    pub view_sequence: u64,
    /// Last state hash on record, if any: the event it was taken at and the SHA-256.
    pub state_hash: Option<(u64, [u8; 32])>,
    /// Durability mode of REC-22.
    pub durability: &'static str,
    /// Shard of this log.
    pub shard: u16,
    /// Id of the venue.
    pub venue_id: Id,
}

/// The fee tiers of the shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeeScheduleView {
    /// The table in force.
    pub tiers: Vec<FeeTier>,
    /// The table that takes its place, and when.
    pub announced: Option<(Timestamp, Vec<FeeTier>)>,
}

/// The fees of an account, which are what its next trade is charged (FEE-42, FEE-43).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountFeesView {
    /// Its id.
    pub account_id: Id,
    /// Where its rates come from.
    pub kind: FeeKind,
    /// Rate of the side that rested, where a market has no tiers of its own.
    pub maker_rate: Rate,
    /// Rate of the side that came in, likewise.
    pub taker_rate: Rate,
    /// Its volume of the 30 whole days before.
    pub volume_30d: Amount,
    /// Its row of the shard's table, from 0.
    pub tier: u8,
    /// The next row, which begins above its `above`; absent in the last one.
    pub next_tier: Option<FeeTier>,
    /// Why there is a waiver.
    pub waiver: Option<WaiverReason>,
    /// When a waiver ends by itself.
    pub waiver_ends_at: Option<Timestamp>,
    /// What comes into force later.
    pub announced: Option<AnnouncedRates>,
    /// Fees of which something was given back, the latest trade first; `REFUND_COUNT_SHOWN` at the most.
    pub refunds: Vec<RefundView>,
}

/// A fee of which something was given back (FEE-24).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefundView {
    /// The trade that charged it.
    pub trade_id: Id,
    /// The asset of the fee.
    pub asset: Label,
    /// What was charged.
    pub fee: Amount,
    /// What was given back so far.
    pub refunded: Amount,
}

/// Refunds that the fees of an account show at the most.
pub const REFUND_COUNT_SHOWN: usize = 100;

/// Rates of an account that come into force later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnnouncedRates {
    /// Where they come from.
    pub kind: FeeKind,
    /// Rate of the side that rested.
    pub maker_rate: Rate,
    /// Rate of the side that came in.
    pub taker_rate: Rate,
    /// From when on.
    pub effective_at: Timestamp,
}

/// What an order would be and cost at the worst, were it placed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderPreview {
    /// Symbol of its market.
    pub symbol: Label,
    /// Rate of the side that rested, of its account in its market.
    pub maker_rate: Rate,
    /// Rate of the side that came in, likewise.
    pub taker_rate: Rate,
    /// Its limit, or the furthest price of a market order; absent with nobody opposite.
    pub price: Option<Amount>,
    /// Its quantity in base, also when it was given in quote.
    pub quantity: Amount,
    /// Price × quantity, in the quote asset.
    pub value: Amount,
    /// Fee on the whole value as a maker, in the quote asset; negative for a rebate.
    pub maker_fee: Amount,
    /// Fee on the whole value as a taker, in the quote asset.
    pub taker_fee: Amount,
    /// What it would reserve.
    pub reserved: Amount,
    /// The asset of that.
    pub reserved_asset: Label,
    /// What the account has free of it.
    pub available: Amount,
}
