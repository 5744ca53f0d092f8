//! What the *events* door hands out.
//!
//! Each `Published` is one batch of whole commands, in order, durable, with the stored event groups
//! and what they changed in the displayed markets, so that a reader of books and trades need not
//! rebuild state. A reader that falls too far behind is told so and starts again from a query.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use units::{Amount, Id, Side, Timestamp};

use crate::Pending;

/// A batch of commands whose events are durable and applied.
#[derive(Clone, Debug)]
pub struct Published {
    /// First event of the batch.
    pub first_sequence: u64,
    /// Last event of the batch.
    pub last_sequence: u64,
    /// The event groups in their stored form (`schema::GroupIter`).
    pub groups: Arc<[u8]>,
    /// What changed in each market, one entry a market.
    pub updates: Vec<MarketUpdate>,
}

/// What a batch changed in one displayed market.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketUpdate {
    /// Listing number.
    pub market: u32,
    /// Sequence of the symbol after the batch (SEQ-31).
    pub sequence: u64,
    /// Sequence of the symbol before the batch.
    pub prev_sequence: u64,
    /// Time of the batch's last event.
    pub timestamp: Timestamp,
    /// Levels that changed, with what they hold now.
    pub levels: Vec<LevelChange>,
    /// Trades, oldest first.
    pub trades: Vec<TradePrint>,
}

/// A price level after a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelChange {
    /// Side of the book.
    pub side: Side,
    /// Price in quote per base.
    pub price: Amount,
    /// Quantity in base; zero when the level is gone.
    pub quantity: Amount,
}

/// A trade as the public sees it: no account and no order (TRADE-43).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradePrint {
    /// Id of the trade.
    pub trade_id: Id,
    /// Price in quote per base.
    pub price: Amount,
    /// Quantity in base.
    pub quantity: Amount,
    /// Side of the taker.
    pub side: Side,
    /// When it was made.
    pub executed_at: Timestamp,
}

/// Why a feed ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedFault {
    /// The sequence asked for lies before what is kept; take a new snapshot.
    TooOld,
    /// The reader fell behind what is kept; take a new snapshot.
    TooSlow,
    /// The shard has ended.
    Closed,
}

impl fmt::Display for FeedFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooOld => "that sequence is no longer kept for feeds; take a new snapshot",
            Self::TooSlow => "the reader fell behind; take a new snapshot",
            Self::Closed => "the shard has ended",
        })
    }
}

impl core::error::Error for FeedFault {}

/// A reader's place in the stream of batches.
pub trait EventFeed: Send {
    /// The next batch, when it comes.
    fn next(&mut self) -> Pending<Result<Arc<Published>, FeedFault>>;
}
