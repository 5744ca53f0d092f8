//! The rows: what is kept of an order, a trade, a market, a balance, and how far the archive reaches.
//!
//! Rows name accounts, assets and markets by listing number and orders and trades by sequence, as events
//! do. Amounts that events store in ticks and lots stay so; what follows from a row and the lists is
//! made when it is read.

use journal::EventEnd;
use schema::{
    Bucket, Code, EventHead, EventKind, ExpiryReason, Label, OrderState, OrderSubmitted,
    OrderTerms, OrderType, Reference, UpdateReason,
};
use units::{Amount, Id, Lots, Rounding, Side, Ticks, Timestamp, mul_div};

/// How far the archive reaches, and what it counts on from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The last block indexed.
    pub end: EventEnd,
    /// Time of the last event.
    pub timestamp: Timestamp,
    /// Shard of the log.
    pub shard: u16,
    /// How many accounts there are; the next one has this number.
    pub(crate) account_count: u32,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OrderRow {
    pub(crate) submitted: OrderSubmitted,
    pub(crate) created_at: Timestamp,
    /// Number of its account; absent where a rejected order named none.
    pub(crate) account: Option<u32>,
    pub(crate) total: Lots,
    pub(crate) filled: Lots,
    /// Sum of ticks × lots of its trades.
    pub(crate) units: u128,
    pub(crate) fees: Amount,
    pub(crate) reserved: Amount,
    /// Absent between OrderSubmitted and what follows it in its command.
    pub(crate) state: Option<OrderState>,
    pub(crate) prev_state: Option<OrderState>,
    pub(crate) reason: Option<Code>,
    pub(crate) expiry: Option<ExpiryReason>,
    pub(crate) state_seq: u64,
    pub(crate) state_changed_at: Timestamp,
    /// Its events but OrderSubmitted and the fills.
    pub(crate) steps: Vec<Step>,
    /// Its first trades; those beyond `TRADE_COUNT_INLINE` have a list of their own.
    pub(crate) trades: Vec<u64>,
}

/// An event of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) kind: EventKind,
    pub(crate) at: EventHead,
}

/// A trade and its row of the settlement journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TradeRow {
    pub(crate) executed_at: Timestamp,
    pub(crate) market: u32,
    pub(crate) maker: TradeSide,
    pub(crate) taker: TradeSide,
    /// Side of the taker.
    pub(crate) side: Side,
    pub(crate) ticks: Ticks,
    pub(crate) lots: Lots,
    pub(crate) settled: Option<EventHead>,
    /// Time and reason of its postings.
    pub(crate) posted_at: Timestamp,
    pub(crate) reason: UpdateReason,
    pub(crate) postings: Vec<PostingRow>,
}

/// One side of a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TradeSide {
    /// Sequence of the order, and its time, which both make its id.
    pub(crate) order: u64,
    pub(crate) created_at: Timestamp,
    pub(crate) account: u32,
    pub(crate) fee: Amount,
}

/// A posting with the part of the balance that it moved as it was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PostingRow {
    /// The BalanceUpdated that it stands in.
    pub(crate) event: u64,
    pub(crate) account: u32,
    pub(crate) asset: u32,
    pub(crate) bucket: Bucket,
    pub(crate) delta: Amount,
    pub(crate) before: Amount,
}

/// What one BalanceUpdated without a trade did to one account. Those of a trade stand in the trade's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EntryRow {
    pub(crate) at: Timestamp,
    pub(crate) reason: UpdateReason,
    pub(crate) reference: Reference,
    pub(crate) postings: Vec<PostingRow>,
}

/// What an account has of an asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BalanceRow {
    pub(crate) available: Amount,
    pub(crate) locked: Amount,
}

/// A market, as far as its rows need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MarketRow {
    pub(crate) symbol: Label,
    /// Number of the base asset.
    pub(crate) base: u32,
    /// Number of the quote asset.
    pub(crate) quote: u32,
    pub(crate) tick: Amount,
    pub(crate) lot: Amount,
}

impl Position {
    /// Before the first event.
    pub(crate) const EMPTY: Self =
        Self { end: EventEnd::EMPTY, timestamp: Timestamp(0), shard: 0, account_count: 0 };
}

impl OrderRow {
    /// An order as its OrderSubmitted leaves it.
    pub(crate) fn submitted(at: EventHead, event: &OrderSubmitted, account: Option<u32>) -> Self {
        let total = match event.terms {
            OrderTerms::Checked { lots, .. } => lots,
            OrderTerms::Requested { .. } => Lots(0),
        };
        Self {
            submitted: *event,
            created_at: at.timestamp,
            account,
            total,
            filled: Lots(0),
            units: 0,
            fees: Amount::ZERO,
            reserved: Amount::ZERO,
            state: None,
            prev_state: None,
            reason: None,
            expiry: None,
            state_seq: at.sequence,
            state_changed_at: at.timestamp,
            steps: Vec::new(),
            trades: Vec::new(),
        }
    }

    /// Account and market of an order that passed its checks; lists show no other (STATE-34).
    pub(crate) const fn place(&self) -> Option<(u32, u32)> {
        match self.submitted.terms {
            OrderTerms::Checked { account, market, .. } => Some((account, market)),
            OrderTerms::Requested { .. } => None,
        }
    }

    /// Market and limit price of an order that passed its checks; the bound of a market order is no price.
    pub(crate) fn limit(&self) -> Option<(u32, Ticks)> {
        match self.submitted.terms {
            OrderTerms::Checked { market, ticks, .. } => {
                (self.submitted.order_type == OrderType::Limit).then_some((market, ticks))
            }
            OrderTerms::Requested { .. } => None,
        }
    }

    /// Whether it is open, or on its way to be.
    pub(crate) const fn is_open(&self) -> bool {
        matches!(self.state, None | Some(OrderState::Pending | OrderState::Partial))
    }

    /// Another state, or the same once more (STATE-37).
    pub(crate) fn enter(&mut self, state: OrderState, at: EventHead) {
        if self.state != Some(state) {
            self.prev_state = self.state;
            self.state = Some(state);
        }
        self.state_seq = at.sequence;
        self.state_changed_at = at.timestamp;
    }

    /// Mean price of its trades, half away from zero at 18 decimals; absent before the first.
    pub(crate) fn average_price(&self, market: &MarketRow) -> Option<Amount> {
        if self.filled.0 == 0 {
            return None;
        }
        let tick = market.tick.0.unsigned_abs();
        let mean = mul_div(self.units, tick, u128::from(self.filled.0), Rounding::HalfAway)?;
        i128::try_from(mean).ok().map(Amount)
    }
}

impl BalanceRow {
    /// A part of it.
    pub(crate) const fn part_mut(&mut self, bucket: Bucket) -> &mut Amount {
        match bucket {
            Bucket::Available => &mut self.available,
            Bucket::Locked => &mut self.locked,
        }
    }
}

impl MarketRow {
    /// A price in decimals; `None` beyond the number format, which no sound event is.
    pub(crate) fn price(&self, ticks: Ticks) -> Option<Amount> {
        self.tick.0.checked_mul(i128::from(ticks.0)).map(Amount)
    }

    /// A price in ticks; `None` where no order can have that price.
    pub(crate) fn ticks(&self, price: Amount) -> Option<Ticks> {
        let is_whole = price.0.checked_rem(self.tick.0) == Some(0);
        let count = is_whole.then(|| price.0.checked_div(self.tick.0)).flatten()?;
        u64::try_from(count).ok().map(Ticks)
    }

    /// A quantity in decimals.
    pub(crate) fn quantity(&self, lots: Lots) -> Option<Amount> {
        self.lot.0.checked_mul(i128::from(lots.0)).map(Amount)
    }

    /// Value of ticks × lots in the quote asset. Whole, since tick × lot is (ACCT-69).
    pub(crate) fn value(&self, units: u128) -> Option<Amount> {
        let unit = self.tick.checked_mul(self.lot, Rounding::Down)?;
        i128::try_from(units).ok()?.checked_mul(unit.0).map(Amount)
    }

    /// The asset that an order of this side reserves.
    pub(crate) const fn reserved_asset(&self, side: Side) -> u32 {
        match side {
            Side::Buy => self.quote,
            Side::Sell => self.base,
        }
    }
}

/// The id of the entity that an event of this time and sequence made.
pub(crate) fn id_of(shard: u16, time: Timestamp, sequence: u64) -> Id {
    Id::derive(time, shard, sequence).unwrap_or_default()
}

/// Trades that stand in the row of their order: nearly every order has fewer.
pub(crate) const TRADE_COUNT_INLINE: usize = 32;
