//! The messages of a stream as text, each written once for all who read it.

use axum::extract::ws::Utf8Bytes;
use port::{BookView, LevelChange, MarketUpdate, TradePrint};
use units::{Side, Timestamp};

use super::frame::ChannelKind;
use crate::answer::{Object, push_level};
use crate::error::ApiError;
use crate::market::push_view_level;

/// Changes of a book, ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct BookUpdate {
    /// Sequence of the symbol after it.
    pub(crate) sequence: u64,
    /// Sequence of the symbol before it.
    pub(crate) prev_sequence: u64,
    text: Utf8Bytes,
    /// Where the digits of `prev_sequence` stand in the text.
    prev_at: (usize, usize),
}

impl BookUpdate {
    /// The update as message.
    pub(crate) fn new(symbol: &str, update: &MarketUpdate) -> Self {
        let side = |side| update.levels.iter().filter(move |level| level.side == side);
        let head = Object::new()
            .text("type", "update")
            .text("channel", ChannelKind::Book.name())
            .text("symbol", symbol)
            .count("sequence", update.sequence);
        let from = head.size() + ",\"prev_sequence\":".len();
        let head = head.count("prev_sequence", update.prev_sequence);
        let prev_at = (from, head.size());
        let text = head
            .list("bids", side(Side::Buy), push_change)
            .list("asks", side(Side::Sell), push_change)
            .time("timestamp", update.timestamp)
            .end();
        Self {
            sequence: update.sequence,
            prev_sequence: update.prev_sequence,
            text: text.into(),
            prev_at,
        }
    }

    /// Bytes of the message.
    pub(crate) fn size(&self) -> usize {
        self.text.as_str().len()
    }

    /// The message after one of sequence `prev`. A snapshot may lie inside a batch: levels are whole
    /// quantities, so the batch applies all the same, and only the number before it is another.
    pub(crate) fn after(&self, prev: u64) -> Utf8Bytes {
        if prev == self.prev_sequence {
            return self.text.clone();
        }
        let (from, to) = self.prev_at;
        let text = self.text.as_str();
        format!("{}{prev}{}", &text[..from], &text[to..]).into()
    }
}

/// A whole book.
pub(crate) fn snapshot(book: &BookView, timestamp: Timestamp) -> Utf8Bytes {
    Object::new()
        .text("type", "snapshot")
        .text("channel", ChannelKind::Book.name())
        .text("symbol", book.symbol.as_str())
        .count("sequence", book.sequence)
        .list("bids", &book.bids, push_view_level)
        .list("asks", &book.asks, push_view_level)
        .time("timestamp", timestamp)
        .end()
        .into()
}

/// A trade (SVC-62).
pub(crate) fn trade(symbol: &str, trade: &TradePrint) -> Utf8Bytes {
    Object::new()
        .text("type", "trade")
        .text("channel", ChannelKind::Trades.name())
        .text("symbol", symbol)
        .shown("trade_id", trade.trade_id)
        .shown("price", trade.price)
        .shown("quantity", trade.quantity)
        .shown("side", trade.side.name())
        .time("timestamp", trade.executed_at)
        .end()
        .into()
}

/// What a frame was answered: `kind` is subscribed or unsubscribed.
pub(crate) fn acknowledged(kind: &str, channel: ChannelKind, symbol: &str) -> Utf8Bytes {
    Object::new()
        .text("type", kind)
        .text("channel", channel.name())
        .text("symbol", symbol)
        .end()
        .into()
}

/// The answer to a ping in a frame.
pub(crate) fn pong() -> Utf8Bytes {
    Object::new().text("type", "pong").end().into()
}

/// What is wrong with a frame.
pub(crate) fn error(fault: &ApiError) -> Utf8Bytes {
    Object::new().text("type", "error").object("error", fault.object()).end().into()
}

fn push_change(out: &mut String, level: &LevelChange) {
    push_level(out, level.price, level.quantity);
}

#[cfg(test)]
mod tests {
    use super::*;
    use units::{Amount, Id};

    fn update() -> MarketUpdate {
        MarketUpdate {
            market: 1,
            sequence: 12,
            prev_sequence: 9,
            timestamp: Timestamp(1_708_123_456_789_012_345),
            levels: vec![
                LevelChange {
                    side: Side::Buy,
                    price: Amount::from_units(5),
                    quantity: Amount::ZERO,
                },
                LevelChange {
                    side: Side::Sell,
                    price: Amount::from_units(6),
                    quantity: Amount::from_units(2),
                },
            ],
            trades: vec![],
        }
    }

    /// The number before is the last message's, and nothing else changes with it.
    #[test]
    fn an_update_names_the_message_before_it() {
        let update = BookUpdate::new("BTC/USDT", &update());
        let text = |prev: u64| update.after(prev).as_str().to_owned();
        assert!(text(9).contains(r#""sequence":12,"prev_sequence":9,"bids":[["5","0"]]"#));
        assert_eq!(text(10), text(9).replace("\"prev_sequence\":9", "\"prev_sequence\":10"));
        assert_eq!(text(1_000).len(), text(9).len() + 3);
    }

    /// covers: SVC-62
    #[test]
    fn a_trade_has_the_fields_of_the_table() {
        let print = TradePrint {
            trade_id: Id([3; 16]),
            price: Amount::from_units(5),
            quantity: Amount::from_units(1),
            side: Side::Sell,
            executed_at: Timestamp(1_708_123_456_789_012_345),
        };
        let text = trade("BTC/USDT", &print);
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(value["type"], "trade");
        assert_eq!(value["symbol"], "BTC/USDT");
        assert_eq!(value["trade_id"], "03030303-0303-0303-0303-030303030303");
        assert_eq!((&value["price"], &value["quantity"]), (&"5".into(), &"1".into()));
        assert_eq!(value["side"], "SELL");
        assert_eq!(value["timestamp"], "2024-02-16T22:44:16.789012Z");
        assert_eq!(value["timestamp_nanos"], 1_708_123_456_789_012_345u64);
    }
}
