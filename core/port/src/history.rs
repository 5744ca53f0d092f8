//! What ended and what was traded: queries that the archive answers, and their answers.
//!
//! An answer is of one moment of the archive, which `Seen::sequence` names; it is never older than what the
//! shard's view had reached when it was asked. Lists are in order of sequence, oldest first, the start of
//! a period included and its end not (TRADE-41); only recent trades come newest first. A query that
//! cannot be answered says so with the code of TRADE-42, LIFE-46 or SETL-55.

use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use schema::{Bucket, Code, EventKind, Label, OrderState, PositionSide, Trigger, UpdateReason};
use units::{Amount, Id, Side, Timestamp};

use crate::OrderView;

/// A place in a list: behind the item that it was given with. It stays valid while the list grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor(u64);

/// The text is not that of a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadCursor;

/// How much of a list is asked for, and from where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Behind which item; from the start if absent.
    pub after: Option<Cursor>,
    /// Items at the most, 1 to `PAGE_LIMIT_MAX`.
    pub limit: u32,
}

/// A span of exchange time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Period {
    /// Its first moment; from the beginning if absent.
    pub start: Option<Timestamp>,
    /// The moment behind its last; without an end if absent.
    pub end: Option<Timestamp>,
}

/// A set of order states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderStates(u8);

/// Which orders a list holds. Rejected orders are in none (STATE-34).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderFilter {
    /// Of this account; of all if absent.
    pub account: Option<Id>,
    /// In the market of this listing number; in all if absent.
    pub market: Option<u32>,
    /// In one of these states.
    pub states: OrderStates,
    /// With this limit price, in quote per base, which goes with a market (STATE-38); with any if absent.
    pub price: Option<Amount>,
    /// Submitted in this period.
    pub period: Period,
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next part begins; absent when nothing follows now. A part may be shorter than its
    /// limit, or empty, and still be followed by more: only this tells.
    pub next: Option<Cursor>,
}

/// A list, or why there is none.
pub type List<T> = Result<Listed<T>, Code>;

/// An order with everything that is kept of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRecord {
    /// The order as `GetOrder` shows it.
    pub order: OrderView,
    /// Never takes.
    pub post_only: bool,
    /// Never enlarges a position.
    pub reduce_only: bool,
    /// GTD only.
    pub expire_at: Option<Timestamp>,
    /// Waits until met.
    pub trigger: Option<Trigger>,
    /// The other order of its pair.
    pub oco_with: Option<Id>,
    /// Isolated mode only.
    pub position_side: Option<PositionSide>,
    /// Limit price of the request; for a market order its protection bound, unless it was rejected.
    pub requested_price: Option<Amount>,
    /// Quantity of the request.
    pub requested_quantity: Amount,
    /// Its events but the fills, in order of sequence.
    pub steps: Vec<OrderStep>,
    /// Its trades, in order of sequence (TRADE-18); the first `PAGE_LIMIT_MAX` of them.
    pub trades: Vec<Id>,
}

/// An event of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderStep {
    /// Its type.
    pub kind: EventKind,
    /// Its number.
    pub sequence: u64,
    /// Its time.
    pub timestamp: Timestamp,
}

/// The states of a trade (TRADE-2). What is told is settled: matching and settling are one command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TradeState {
    /// Executed and not settled yet.
    Matched,
    /// Executed and settled.
    Settled,
    /// Never written (D-69).
    Failed,
}

/// A trade (TRADE-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradeView {
    /// Its id.
    pub trade_id: Id,
    /// Sequence of its TradeExecuted.
    pub sequence: u64,
    /// Symbol of its market.
    pub symbol: Label,
    /// The order that rested.
    pub maker_order_id: Id,
    /// The order that came in.
    pub taker_order_id: Id,
    /// The account whose order rested.
    pub maker_account_id: Id,
    /// The account whose order came in.
    pub taker_account_id: Id,
    /// Side of the taker.
    pub side: Side,
    /// Price in quote per base.
    pub price: Amount,
    /// Quantity in base.
    pub quantity: Amount,
    /// Negative for a rebate.
    pub maker_fee: Amount,
    /// Negative for a rebate.
    pub taker_fee: Amount,
    /// Asset of the maker's fee.
    pub maker_fee_asset: Label,
    /// Asset of the taker's fee.
    pub taker_fee_asset: Label,
    /// Time of its TradeExecuted.
    pub executed_at: Timestamp,
    /// Time of its TradeSettled; of its TradeExecuted before that.
    pub settled_at: Timestamp,
    /// Matched or settled.
    pub state: TradeState,
}

/// A row of the settlement journal (SETL-41) with what a dispute asks for (SETL-52).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettlementView {
    /// The trade that was settled, its orders, accounts, price and fees among it.
    pub trade: TradeView,
    /// Shard of the log.
    pub shard: u16,
    /// Sequence of its TradeSettled.
    pub sequence: u64,
    /// What moved, in the order of the postings.
    pub postings: Vec<PostingView>,
}

/// A posting with the part of the balance that it moved, before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PostingView {
    /// The account.
    pub account_id: Id,
    /// The asset.
    pub asset: Label,
    /// The part of the balance.
    pub bucket: Bucket,
    /// By how much it moved.
    pub delta: Amount,
    /// That part before.
    pub before: Amount,
    /// That part after.
    pub after: Amount,
}

/// What one BalanceUpdated did to one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerEntryView {
    /// Number of the event.
    pub sequence: u64,
    /// Its time.
    pub timestamp: Timestamp,
    /// Why.
    pub reason: UpdateReason,
    /// The trade, or what outside, that it refers to.
    pub reference_id: Id,
    /// The account's own postings in it.
    pub postings: Vec<PostingView>,
}

/// Items of one part of a list at the most, and trades of `RecentTrades` (TRADE-42).
pub const PAGE_LIMIT_MAX: u32 = 1_000;

impl Cursor {
    /// The place behind the item with this sequence.
    #[must_use]
    pub const fn behind(sequence: u64) -> Self {
        Self(sequence)
    }

    /// Sequence of the item that it stands behind.
    #[must_use]
    pub const fn sequence(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for Cursor {
    type Err = BadCursor;

    /// Reads what `Display` writes, and nothing else.
    fn from_str(text: &str) -> Result<Self, BadCursor> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() != 16 || !text.bytes().all(is_digit) {
            return Err(BadCursor);
        }
        u64::from_str_radix(text, 16).map(Self).map_err(|_| BadCursor)
    }
}

impl fmt::Display for BadCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a cursor that a list was given with")
    }
}

impl core::error::Error for BadCursor {}

impl Page {
    /// The first part of a list, as long as parts are unless the caller says.
    pub const FIRST: Self = Self { after: None, limit: 100 };

    /// Whether its limit is within the bounds.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        is_limit(self.limit)
    }
}

/// Whether so many items may be asked for at once.
#[must_use]
pub const fn is_limit(limit: u32) -> bool {
    1 <= limit && limit <= PAGE_LIMIT_MAX
}

impl Period {
    /// All time.
    pub const ALL: Self = Self { start: None, end: None };

    /// Whether it does not end before it starts.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        match (self.start, self.end) {
            (Some(start), Some(end)) => start <= end,
            _ => true,
        }
    }
}

impl OrderStates {
    /// Every state that a list shows: all but REJECTED (STATE-34).
    pub const LISTED: Self = Self(0b11_1111 & !(1 << OrderState::Rejected.number()));
    /// PENDING and PARTIAL: the open orders (LIFE-3).
    pub const OPEN: Self =
        Self(1 << OrderState::Pending.number() | 1 << OrderState::Partial.number());

    /// One state alone.
    #[must_use]
    pub const fn only(state: OrderState) -> Self {
        Self(1 << state.number())
    }

    /// These and those, as far as lists show them.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the state is one of them and lists show it.
    #[must_use]
    pub const fn has(self, state: OrderState) -> bool {
        self.0 & Self::LISTED.0 & (1 << state.number()) != 0
    }
}

impl OrderFilter {
    /// All orders of an account: ListAllOrders, GetOrdersByAccount (LIFE-3).
    #[must_use]
    pub const fn of_account(account: Id) -> Self {
        Self {
            account: Some(account),
            market: None,
            states: OrderStates::LISTED,
            price: None,
            period: Period::ALL,
        }
    }
}

impl TradeState {
    /// The name in every interface.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Matched => "MATCHED",
            Self::Settled => "SETTLED",
            Self::Failed => "FAILED",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_nothing_else_is_one() {
        for sequence in [0, 1, 0xdead_beef, u64::MAX] {
            let cursor = Cursor::behind(sequence);
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        for text in [
            "",
            "1",
            "00000000000000000",
            "000000000000000G",
            "000000000000000A",
            "+00000000000000f",
        ] {
            assert_eq!(text.parse::<Cursor>(), Err(BadCursor), "{text}");
        }
    }

    #[test]
    fn lists_never_show_rejected_orders() {
        for &state in OrderState::ALL {
            let is_rejected = state == OrderState::Rejected;
            assert_eq!(OrderStates::LISTED.has(state), !is_rejected);
            assert_eq!(OrderStates::only(state).has(state), !is_rejected);
        }
        assert!(OrderStates::OPEN.has(OrderState::Partial));
        assert!(!OrderStates::OPEN.has(OrderState::Filled));
    }

    #[test]
    fn bounds_are_included() {
        assert!(is_limit(1) && is_limit(1_000) && !is_limit(0) && !is_limit(1_001));
        let period =
            |start, end| Period { start: Some(Timestamp(start)), end: Some(Timestamp(end)) };
        assert!(period(5, 5).is_sound() && !period(6, 5).is_sound() && Period::ALL.is_sound());
    }
}
