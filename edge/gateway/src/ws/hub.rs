//! `Hub`: who listens to which channel, and the task that feeds them.
//!
//! Invariant: under its lock, a subscription names the last event that was handed out before it, so a
//! snapshot that reflects that event and the changes handed out after it leave no gap. The lock is held
//! for handing out and never across a wait.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use port::{EventFeed, FeedFault, MarketUpdate, Published, Query, View};
use schema::Label;
use tokio::sync::{mpsc, watch};

use super::frame::ChannelKind;
use super::render::{self, BookUpdate};
use crate::door::Door;
use crate::limits::{STREAM_COUNT_MAX, STREAM_MESSAGE_COST, STREAM_QUEUE_SIZE_MAX};

/// What a connection gets from the hub.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    /// Changes of the book of a market.
    Book(u32, Arc<BookUpdate>),
    /// A trade of a market.
    Trade(u32, Utf8Bytes),
}

impl Item {
    /// Bytes that it counts for while it waits.
    fn size(&self) -> usize {
        let text = match self {
            Self::Book(_, update) => update.size(),
            Self::Trade(_, text) => text.as_str().len(),
        };
        text + STREAM_MESSAGE_COST
    }
}

/// Why the hub ends a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The reader fell behind.
    Slow,
    /// The feed has a gap; a new connection begins with new snapshots.
    Resync,
    /// The exchange stops.
    Stop,
}

/// A place among the connections of an address; given back when dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    hub: Arc<Hub>,
    peer: IpAddr,
}

/// A connection's end of the hub.
#[derive(Debug)]
pub(crate) struct Listener {
    hub: Arc<Hub>,
    id: u64,
    /// Changes, in order. The bound is in bytes and the sender's.
    items: mpsc::UnboundedReceiver<Item>,
    waiting_size: Arc<AtomicUsize>,
    /// Set once, when the hub ends the connection.
    pub(crate) ending: watch::Receiver<Option<Ending>>,
}

/// Channels and those who listen.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    state: Mutex<State>,
    next_id: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    /// Last event handed out; `None` while there is no feed.
    handed_out: Option<u64>,
    listeners: HashMap<u64, Member>,
    channels: BTreeMap<(u32, ChannelKind), Channel>,
    seats: HashMap<IpAddr, u32>,
}

#[derive(Debug)]
struct Member {
    items: mpsc::UnboundedSender<Item>,
    /// Bytes handed out and not taken yet.
    waiting_size: Arc<AtomicUsize>,
    ending: watch::Sender<Option<Ending>>,
}

#[derive(Debug)]
struct Channel {
    symbol: Label,
    listeners: Vec<u64>,
}

impl Hub {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for one more connection of an address, if it has one (SVC-64).
    pub(crate) fn take_seat(self: &Arc<Self>, peer: IpAddr) -> Option<Seat> {
        let mut state = self.state();
        let taken = state.seats.entry(peer).or_default();
        if *taken >= STREAM_COUNT_MAX {
            return None;
        }
        *taken += 1;
        Some(Seat { hub: self.clone(), peer })
    }

    /// A new connection.
    pub(crate) fn listen(self: &Arc<Self>) -> Listener {
        let (items, queue) = mpsc::unbounded_channel();
        let waiting_size = Arc::new(AtomicUsize::new(0));
        let (ending, ended) = watch::channel(None);
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let member = Member { items, waiting_size: waiting_size.clone(), ending };
        self.state().listeners.insert(id, member);
        Listener { hub: self.clone(), id, items: queue, waiting_size, ending: ended }
    }

    /// Ends every connection.
    pub(crate) fn end_all(&self, ending: Ending) {
        let mut state = self.state();
        state.handed_out = None;
        state.channels.clear();
        for (_, member) in state.listeners.drain() {
            member.ending.send_replace(Some(ending));
        }
    }

    /// From here on changes after event `sequence` are handed out.
    fn begin(&self, sequence: u64) {
        self.state().handed_out = Some(sequence);
    }

    /// Hands out a batch. Returns how many readers were dropped because they fell behind.
    fn hand_out(&self, batch: &Published) -> u64 {
        let mut state = self.state();
        let mut slow = Vec::new();
        for update in &batch.updates {
            state.hand_out_update(update, &mut slow);
        }
        state.handed_out = Some(batch.last_sequence);
        slow.sort_unstable();
        slow.dedup();
        for id in &slow {
            state.end(*id, Ending::Slow);
        }
        slow.len() as u64
    }
}

impl Member {
    /// Lets an item wait for the connection, if it is not too far behind.
    fn take(&self, item: &Item) -> bool {
        let size = item.size();
        let waiting = self.waiting_size.fetch_add(size, Ordering::Relaxed) + size;
        if waiting > STREAM_QUEUE_SIZE_MAX {
            return false;
        }
        // A connection that has just ended takes nothing more, and is not behind.
        drop(self.items.send(item.clone()));
        true
    }
}

impl State {
    fn hand_out_update(&self, update: &MarketUpdate, slow: &mut Vec<u64>) {
        if let Some(channel) = self.channels.get(&(update.market, ChannelKind::Book))
            && update.sequence != update.prev_sequence
        {
            let text = Arc::new(BookUpdate::new(channel.symbol.as_str(), update));
            self.send(channel, &Item::Book(update.market, text), slow);
        }
        if let Some(channel) = self.channels.get(&(update.market, ChannelKind::Trades)) {
            for trade in &update.trades {
                let text = render::trade(channel.symbol.as_str(), trade);
                self.send(channel, &Item::Trade(update.market, text), slow);
            }
        }
    }

    fn send(&self, channel: &Channel, item: &Item, slow: &mut Vec<u64>) {
        for id in &channel.listeners {
            let Some(member) = self.listeners.get(id) else { continue };
            if !member.take(item) {
                slow.push(*id);
            }
        }
    }

    fn end(&mut self, id: u64, ending: Ending) {
        if let Some(member) = self.listeners.remove(&id) {
            member.ending.send_replace(Some(ending));
        }
        self.forget(id);
    }

    fn forget(&mut self, id: u64) {
        self.channels.retain(|_, channel| {
            channel.listeners.retain(|&listener| listener != id);
            !channel.listeners.is_empty()
        });
    }
}

impl Listener {
    /// The next change.
    pub(crate) async fn next(&mut self) -> Option<Item> {
        let item = self.items.recv().await?;
        self.waiting_size.fetch_sub(item.size(), Ordering::Relaxed);
        Some(item)
    }

    /// Listens to a channel. Answers the last event handed out before, or `None` while there is no
    /// feed.
    pub(crate) fn subscribe(&self, kind: ChannelKind, market: u32, symbol: Label) -> Option<u64> {
        let mut state = self.hub.state();
        let handed_out = state.handed_out?;
        let empty = || Channel { symbol, listeners: Vec::new() };
        state.channels.entry((market, kind)).or_insert_with(empty).listeners.push(self.id);
        Some(handed_out)
    }

    /// Listens no more.
    pub(crate) fn unsubscribe(&self, kind: ChannelKind, market: u32) {
        let mut state = self.hub.state();
        if let Some(channel) = state.channels.get_mut(&(market, kind)) {
            channel.listeners.retain(|&listener| listener != self.id);
            if channel.listeners.is_empty() {
                state.channels.remove(&(market, kind));
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut state = self.hub.state();
        state.listeners.remove(&self.id);
        state.forget(self.id);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut state = self.hub.state();
        if let Some(taken) = state.seats.get_mut(&self.peer) {
            *taken -= 1;
            if *taken == 0 {
                state.seats.remove(&self.peer);
            }
        }
    }
}

/// Reads the shard's feed as long as there is one and hands out what it brings. `open` is told when the
/// first feed stands.
pub(crate) async fn pump(door: Arc<Door>, open: watch::Sender<bool>) {
    while let Ok(mut feed) = open_feed(&door).await {
        open.send_replace(true);
        let fault = loop {
            match feed.next().await {
                Ok(batch) => {
                    let slow = door.hub.hand_out(&batch);
                    door.metrics.slow_readers.fetch_add(slow, Ordering::Relaxed);
                }
                Err(fault) => break fault,
            }
        };
        if fault == FeedFault::Closed {
            break;
        }
        tracing::warn!(%fault, "the door's own reader of the feed begins anew");
        door.hub.end_all(Ending::Resync);
    }
    open.send_replace(true);
    door.hub.end_all(Ending::Stop);
}

/// A feed from the present end of events on.
async fn open_feed(door: &Door) -> Result<Box<dyn EventFeed>, FeedFault> {
    loop {
        let sequence = match door.query_now(Query::Health).await.map(|seen| seen.view) {
            Ok(View::Health(health)) => health.event_sequence,
            _ => 0,
        };
        match door.port.events(sequence) {
            Ok(feed) => {
                door.hub.begin(sequence);
                return Ok(feed);
            }
            Err(FeedFault::Closed) => return Err(FeedFault::Closed),
            // The shard went on between the question and the feed; ask again.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use port::TradePrint;
    use units::{Amount, Id, Side, Timestamp};

    fn batch(sequence: u64) -> Published {
        let trade = TradePrint {
            trade_id: Id([1; 16]),
            price: Amount::ONE,
            quantity: Amount::ONE,
            side: Side::Buy,
            executed_at: Timestamp(0),
        };
        let update = MarketUpdate {
            market: 1,
            sequence,
            prev_sequence: sequence,
            timestamp: Timestamp(0),
            levels: Vec::new(),
            trades: vec![trade],
        };
        let groups = Arc::from([].as_slice());
        Published {
            first_sequence: sequence,
            last_sequence: sequence,
            groups,
            updates: vec![update],
        }
    }

    /// One who takes nothing is ended by the message that would pass the bound, and one who takes is not (D-115).
    #[tokio::test]
    async fn a_reader_is_ended_when_too_many_bytes_wait() {
        let hub = Arc::new(Hub::default());
        hub.begin(0);
        let (mut stalled, mut reading) = (hub.listen(), hub.listen());
        for listener in [&stalled, &reading] {
            let symbol = Label::new("BTC/USDT").expect("short");
            assert_eq!(listener.subscribe(ChannelKind::Trades, 1, symbol), Some(0));
        }
        let mut sequence = 0;
        while stalled.ending.borrow().is_none() {
            sequence += 1;
            hub.hand_out(&batch(sequence));
            assert!(reading.next().await.is_some());
        }
        assert_eq!(*stalled.ending.borrow(), Some(Ending::Slow));
        assert_eq!(*reading.ending.borrow(), None);
        let mut waiting = 0;
        let mut size = 0;
        while let Some(item) = stalled.next().await {
            size = item.size();
            waiting += size;
        }
        assert!(waiting <= STREAM_QUEUE_SIZE_MAX && waiting + size > STREAM_QUEUE_SIZE_MAX);
    }
}
