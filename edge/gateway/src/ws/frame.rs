//! What a client may say: subscribe and unsubscribe, in either of two forms (SVC-58).

use schema::Label;
use serde::Deserialize;

use crate::body::parse_json;
use crate::error::ApiError;
use crate::limits::SUBSCRIPTION_COUNT_MAX;
use crate::text::{parse_name, parse_symbol};

/// A kind of channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum ChannelKind {
    /// A whole book and its changes.
    Book,
    /// Trades.
    Trades,
}

/// A channel as a client names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChannelName {
    /// Its kind.
    pub(crate) kind: ChannelKind,
    /// The symbol as written.
    pub(crate) symbol: Label,
}

/// A frame of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// Begin these.
    Subscribe(Vec<ChannelName>),
    /// End these.
    Unsubscribe(Vec<ChannelName>),
    /// Answer with a pong, for clients that cannot send WebSocket pings.
    Ping,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Form {
    List(ListForm),
    One(OneForm),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListForm {
    method: String,
    #[serde(default)]
    channels: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OneForm {
    action: String,
    channel: Option<String>,
    symbol: Option<String>,
}

impl ChannelKind {
    const ALL: &'static [Self] = &[Self::Book, Self::Trades];

    /// Its name in frames.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Book => "book",
            Self::Trades => "trades",
        }
    }
}

/// Reads a frame.
pub(crate) fn parse_frame(text: &str) -> Result<Frame, ApiError> {
    let form: Form = parse_json(text.as_bytes()).map_err(|_| {
        ApiError::schema(
            "a frame is {\"method\":\"SUBSCRIBE\",\"channels\":[\"book.BTC-USDT\"]} or \
             {\"action\":\"subscribe\",\"channel\":\"book\",\"symbol\":\"BTC/USDT\"}",
        )
    })?;
    let (word, channels) = match form {
        Form::List(form) => {
            if form.channels.len() > SUBSCRIPTION_COUNT_MAX {
                return Err(ApiError::schema(format!(
                    "a frame names at most {SUBSCRIPTION_COUNT_MAX} channels"
                )));
            }
            let names: Result<_, _> = form.channels.iter().map(|text| dotted(text)).collect();
            (form.method, names?)
        }
        Form::One(form) => {
            let names = match (form.channel, form.symbol) {
                (None, None) => Vec::new(),
                (Some(channel), Some(symbol)) => vec![named(&channel, &symbol)?],
                _ => return Err(ApiError::schema("channel and symbol go together")),
            };
            (form.action, names)
        }
    };
    match (word.as_str(), channels.is_empty()) {
        ("SUBSCRIBE" | "subscribe", false) => Ok(Frame::Subscribe(channels)),
        ("UNSUBSCRIBE" | "unsubscribe", false) => Ok(Frame::Unsubscribe(channels)),
        ("PING" | "ping", true) => Ok(Frame::Ping),
        (_, true) => Err(ApiError::schema("the frame names no channel")),
        _ => Err(ApiError::schema("frames are SUBSCRIBE, UNSUBSCRIBE and PING")),
    }
}

/// `book.BTC-USDT`.
fn dotted(text: &str) -> Result<ChannelName, ApiError> {
    let (channel, symbol) = text
        .split_once('.')
        .ok_or_else(|| ApiError::schema("a channel is written book.BTC-USDT"))?;
    named(channel, symbol)
}

fn named(channel: &str, symbol: &str) -> Result<ChannelName, ApiError> {
    let kind = parse_name("channel", channel, ChannelKind::ALL, ChannelKind::name)?;
    Ok(ChannelName { kind, symbol: parse_symbol("symbol", symbol)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        let symbol = |text| Label::new(text).expect("short");
        let book = ChannelName { kind: ChannelKind::Book, symbol: symbol("BTC-USDT") };
        let trades = ChannelName { kind: ChannelKind::Trades, symbol: symbol("BTC/USDT") };
        assert_eq!(
            parse_frame(r#"{"method":"SUBSCRIBE","channels":["book.BTC-USDT","trades.BTC/USDT"]}"#),
            Ok(Frame::Subscribe(vec![book, trades]))
        );
        assert_eq!(
            parse_frame(r#"{"action":"unsubscribe","channel":"trades","symbol":"BTC/USDT"}"#),
            Ok(Frame::Unsubscribe(vec![trades]))
        );
        assert_eq!(parse_frame(r#"{"method":"PING"}"#), Ok(Frame::Ping));
    }

    #[test]
    fn bad_frames_say_what_is_wrong() {
        for bad in [
            "",
            "null",
            "[]",
            "{}",
            r#"{"method":"SUBSCRIBE"}"#,
            r#"{"method":"SUBSCRIBE","channels":["book"]}"#,
            r#"{"method":"SUBSCRIBE","channels":["orders.BTC-USDT"]}"#,
            r#"{"method":"SUBSCRIBE","channels":["book.1' OR '1'='1"]}"#,
            r#"{"method":"SUBSCRIBE","channels":["book.BTC-USDT"],"more":1}"#,
            r#"{"method":"DROP","channels":["book.BTC-USDT"]}"#,
            r#"{"action":"subscribe","channel":"book"}"#,
        ] {
            assert_eq!(parse_frame(bad).expect_err(bad).code(), "INVALID_SCHEMA");
        }
    }
}
