//! Someone who follows the events and keeps books from what changed.
//!
//! Owns a reader's place and its own picture of the books. It begins at what is promised, with the books
//! as they are then; it is cut off when it is slow and begins again. It sees every batch once, whole and
//! without a gap, and at the end of each the books are those of the log.

use std::collections::BTreeMap;

use engine::InProcess;
use port::{EventFeed, FeedFault, MarketUpdate, Port, Published};
use schema::{Event, GroupIter};
use units::Side;

use crate::auditor::Auditor;
use crate::violation::{Violation, ensure};
use crate::world::poll;

/// Quantities by market, side and price.
type Books = BTreeMap<(u32, Side, i128), i128>;

/// A consumer of events.
#[derive(Default)]
pub(crate) struct Consumer {
    feed: Option<Box<dyn EventFeed>>,
    /// The last event that it has.
    after: u64,
    books: Books,
    pub(crate) batch_count: u64,
    pub(crate) cut_count: u64,
}

impl Consumer {
    /// The node is gone.
    pub(crate) fn disconnect(&mut self) {
        self.feed = None;
    }

    /// Reads all that there is.
    pub(crate) fn read(&mut self, door: &InProcess, auditor: &Auditor) -> Result<(), Violation> {
        if self.feed.is_none() {
            self.after = auditor.last_event();
            self.books = books_of(auditor);
            self.feed = door.events(self.after).ok();
        }
        let Some(feed) = &mut self.feed else { return Ok(()) };
        loop {
            let mut next = feed.next();
            match poll(&mut next) {
                None => return Ok(()),
                Some(Ok(batch)) => {
                    self.batch_count += 1;
                    take(&mut self.books, self.after, &batch, auditor)?;
                    self.after = batch.last_sequence;
                }
                Some(Err(fault)) => {
                    self.cut_count += u64::from(fault == FeedFault::TooSlow);
                    self.feed = None;
                    return Ok(());
                }
            }
        }
    }
}

fn take(
    books: &mut Books,
    after: u64,
    batch: &Published,
    auditor: &Auditor,
) -> Result<(), Violation> {
    ensure(batch.first_sequence <= after + 1 && batch.last_sequence > after, || {
        let Published { first_sequence, last_sequence, .. } = batch;
        format!("events {first_sequence} to {last_sequence} were shown behind event {after}")
    })?;
    auditor.on_batch(batch)?;
    let mut prints = 0;
    for update in &batch.updates {
        prints += update.trades.len();
        change(books, update);
    }
    let trades = trade_count(batch);
    ensure(prints == trades, || {
        format!("the batch up to event {} shows {prints} of {trades} trades", batch.last_sequence)
    })?;
    ensure(batch.last_sequence < auditor.last_event() || *books == books_of(auditor), || {
        let (kept, expected) = (&*books, books_of(auditor));
        let wrong: Vec<_> = kept.iter().filter(|(at, it)| expected.get(at) != Some(it)).collect();
        format!("the books kept from changes differ at event {}: {wrong:?}", batch.last_sequence)
    })
}

fn change(books: &mut Books, update: &MarketUpdate) {
    for level in &update.levels {
        let at = (update.market, level.side, level.price.0);
        if level.quantity.0 == 0 {
            books.remove(&at);
        } else {
            books.insert(at, level.quantity.0);
        }
    }
}

fn trade_count(batch: &Published) -> usize {
    let groups = GroupIter::new(&batch.groups).filter_map(Result::ok);
    let is_trade = |group: &schema::EventGroup<'_>| {
        let events = group.events().filter_map(Result::ok);
        events.filter(|(_, event)| matches!(event, Event::TradeExecuted(_))).count()
    };
    groups.map(|group| is_trade(&group)).sum()
}

fn books_of(auditor: &Auditor) -> Books {
    let oracle = auditor.oracle();
    let mut books = Books::new();
    for market in oracle.markets() {
        for side in [Side::Buy, Side::Sell] {
            for (ticks, orders) in oracle.book(market.number, side) {
                let lots: u64 = orders.iter().map(|it| oracle.orders()[it].remaining()).sum();
                let price = i128::from(ticks) * market.terms.tick_size.0;
                let quantity = i128::from(lots) * market.terms.lot_size.0;
                books.insert((market.number, side, price), quantity);
            }
        }
    }
    books
}
