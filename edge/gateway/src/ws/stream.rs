//! One WebSocket connection: frames in, messages out.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use port::{Query, View};
use schema::Code;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::frame::{ChannelKind, ChannelName, Frame, parse_frame};
use super::hub::{Ending, Item, Listener, Seat};
use super::render;
use crate::catalog::Listing;
use crate::door::Door;
use crate::error::ApiError;
use crate::limits::SUBSCRIPTION_COUNT_MAX;

/// A connection's task. The seat is given back at its end.
pub(super) async fn run(door: Arc<Door>, mut socket: WebSocket, seat: Seat) {
    let _open = door.metrics.streams.count();
    let listener = door.hub.listen();
    let mut ending = listener.ending.clone();
    let mut stream = Stream { door: &door, listener, subscriptions: BTreeMap::new() };
    let idle = door.config.request_time;
    let why = tokio::select! {
        biased;
        Ok(why) = ending.wait_for(Option::is_some) => *why,
        () = stream.converse(&mut socket, idle) => None,
    };
    let (code, reason) = match why {
        Some(Ending::Slow) => (close_code::POLICY, "the reader fell behind; connect again"),
        Some(Ending::Resync) => (close_code::AGAIN, "the feed begins anew; connect again"),
        Some(Ending::Stop) => (close_code::AWAY, "the exchange stops"),
        None => (close_code::NORMAL, "silence, or the end was asked for"),
    };
    let frame = CloseFrame { code, reason: reason.into() };
    let _ = timeout(CLOSE_TIME, socket.send(Message::Close(Some(frame)))).await;
    drop(seat);
}

/// How long a close frame may take.
const CLOSE_TIME: Duration = Duration::from_secs(1);

struct Stream<'a> {
    door: &'a Door,
    listener: Listener,
    /// The sequence of the last message, for books.
    subscriptions: BTreeMap<(u32, ChannelKind), u64>,
}

impl Stream<'_> {
    /// Reads and writes until the client goes away or has been silent for `idle` in spite of a ping.
    async fn converse(&mut self, socket: &mut WebSocket, idle: Duration) {
        let mut heard = Instant::now();
        let mut pings = interval(idle / 2);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let alive = tokio::select! {
                message = socket.recv() => {
                    heard = Instant::now();
                    match message {
                        Some(Ok(message)) => self.on_message(socket, message).await,
                        _ => false,
                    }
                }
                Some(item) = self.listener.next() => match self.text_of(item) {
                    Some(text) => send(socket, text).await,
                    None => true,
                },
                _ = pings.tick() => {
                    heard.elapsed() < idle
                        && socket.send(Message::Ping(bytes::Bytes::new())).await.is_ok()
                }
            };
            if !alive {
                return;
            }
        }
    }

    /// What an item says to this connection, if anything.
    fn text_of(&mut self, item: Item) -> Option<Utf8Bytes> {
        match item {
            Item::Book(market, update) => {
                let sent = self.subscriptions.get_mut(&(market, ChannelKind::Book))?;
                if update.sequence <= *sent {
                    return None; // the snapshot has it
                }
                let text = update.after(*sent);
                *sent = update.sequence;
                Some(text)
            }
            Item::Trade(market, text) => {
                self.subscriptions.contains_key(&(market, ChannelKind::Trades)).then_some(text)
            }
        }
    }

    async fn on_message(&mut self, socket: &mut WebSocket, message: Message) -> bool {
        let frame = match message {
            Message::Text(text) => parse_frame(text.as_str()),
            Message::Binary(_) => Err(ApiError::schema("frames are text")),
            Message::Ping(_) | Message::Pong(_) => return true, // answered by the library
            Message::Close(_) => return false,
        };
        match frame {
            Ok(Frame::Ping) => send(socket, render::pong()).await,
            Ok(Frame::Subscribe(names)) => self.each(socket, names, true).await,
            Ok(Frame::Unsubscribe(names)) => self.each(socket, names, false).await,
            Err(fault) => send(socket, render::error(&fault)).await,
        }
    }

    /// Subscribes or unsubscribes each; a fault of one is told and the others go on.
    async fn each(&mut self, socket: &mut WebSocket, names: Vec<ChannelName>, begin: bool) -> bool {
        for name in names {
            let done = match self.listing(name).await {
                Ok(listing) if begin => self.subscribe(name.kind, listing).await,
                Ok(listing) => Ok(self.unsubscribe(name.kind, listing)),
                Err(fault) => Err(fault),
            };
            let messages = done.unwrap_or_else(|fault| vec![render::error(&fault)]);
            for text in messages {
                if !send(socket, text).await {
                    return false;
                }
            }
        }
        true
    }

    async fn listing(&self, name: ChannelName) -> Result<Listing, ApiError> {
        self.door.listing(name.symbol).await?.ok_or_else(ApiError::no_market)
    }

    async fn subscribe(
        &mut self,
        kind: ChannelKind,
        listing: Listing,
    ) -> Result<Vec<Utf8Bytes>, ApiError> {
        let channel = (listing.number, kind);
        if self.subscriptions.contains_key(&channel) {
            return Err(ApiError::schema(format!(
                "{}.{} is subscribed already",
                kind.name(),
                listing.symbol
            )));
        }
        if self.subscriptions.len() >= SUBSCRIPTION_COUNT_MAX {
            return Err(ApiError::refused(
                Code::RateLimited,
                format!("a connection has at most {SUBSCRIPTION_COUNT_MAX} subscriptions"),
            ));
        }
        let after = self.listener.subscribe(kind, listing.number, listing.symbol);
        let after = after.ok_or(port::PortFault::Busy)?;
        let mut messages = vec![render::acknowledged("subscribed", kind, listing.symbol.as_str())];
        let mut sequence = 0;
        if kind == ChannelKind::Book {
            match self.snapshot(listing, after).await {
                Ok((text, at)) => {
                    messages.push(text);
                    sequence = at;
                }
                Err(fault) => {
                    self.listener.unsubscribe(kind, listing.number);
                    return Err(fault);
                }
            }
        }
        self.subscriptions.insert(channel, sequence);
        Ok(messages)
    }

    /// The whole book at or after event `after`, and the symbol's sequence there.
    async fn snapshot(&self, listing: Listing, after: u64) -> Result<(Utf8Bytes, u64), ApiError> {
        let seen = self.door.query_at(Query::Book(listing.number, usize::MAX), after).await?;
        let View::Book(Some(book)) = seen.view else { return Err(ApiError::no_market()) };
        Ok((render::snapshot(&book, seen.timestamp), book.sequence))
    }

    fn unsubscribe(&mut self, kind: ChannelKind, listing: Listing) -> Vec<Utf8Bytes> {
        self.subscriptions.remove(&(listing.number, kind));
        self.listener.unsubscribe(kind, listing.number);
        vec![render::acknowledged("unsubscribed", kind, listing.symbol.as_str())]
    }
}

async fn send(socket: &mut WebSocket, text: Utf8Bytes) -> bool {
    socket.send(Message::Text(text)).await.is_ok()
}
