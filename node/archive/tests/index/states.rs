//! The states of a trade: what a log that ends in the middle of one shows, and what every whole log shows.

use journal::EventEnd;
use port::{Query, TradeState, TradeView, View};
use schema::{Event, EventBuffer, EventHead, GroupIter};
use units::Id;

use crate::venue::Record;
use crate::{Kept, traded};

const TRADES_TEXT: &str = include_str!("../../../../docs/spec/03-trade-lifecycle.md");

/// The words of the table of TRADE-31, and whether each is final.
fn states() -> Vec<(&'static str, bool)> {
    let (_, rest) = TRADES_TEXT.split_once("**TRADE-31**").expect("the requirement");
    let (table, _) = rest.split_once("- **TRADE-32**").expect("the next one");
    let rows = table.lines().filter(|line| line.starts_with("| ")).skip(1);
    let cells = rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>());
    cells.map(|cells| (cells[0], cells[2] == "yes")).collect()
}

fn trade(kept: &Kept, id: Id) -> TradeView {
    match kept.ask(Query::Trade(id)) {
        View::Trade(Ok(trade)) => trade,
        other => panic!("no trade: {other:?}"),
    }
}

/// The place of the last record with a trade.
fn last_trade(records: &[Record]) -> usize {
    let has_trade = |(groups, _): &Record| {
        GroupIter::new(groups).flatten().any(|group| {
            group.events().flatten().any(|(_, event)| matches!(event, Event::TradeExecuted(_)))
        })
    };
    records.iter().rposition(has_trade).expect("it trades")
}

/// The events of a record up to its first TradeExecuted, that one's head, and the id of the trade.
fn cut(record: &Record) -> (Record, EventHead, Id) {
    let group = GroupIter::new(&record.0).next().expect("one").expect("a group");
    let (mut buffer, mut last) = (EventBuffer::new(), None);
    buffer.begin(&group.head);
    for read in group.events() {
        let (head, event) = read.expect("an event");
        buffer.push(event.kind(), head, &event);
        if matches!(event, Event::TradeExecuted(_)) {
            last = Some(head);
            break;
        }
    }
    buffer.end();
    let head = last.expect("a trade");
    let end = EventEnd { event_sequence: head.sequence, ..record.1 };
    let id = Id::derive(head.timestamp, 5, head.sequence).expect("in range");
    ((buffer.take(), end), head, id)
}

/// TradeExecuted alone makes the trade, with id, number, price and quantity fixed, and sets it MATCHED; with the
/// rest of its command it is the same trade, SETTLED. Every trade of a log is in one of the states of the
/// document, and of whole commands all are SETTLED.
/// covers: TRADE-6, TRADE-31
#[test]
fn a_trade_is_matched_then_settled() {
    let all = [TradeState::Matched, TradeState::Settled, TradeState::Failed];
    let finals = [false, true, true];
    let named: Vec<(&str, bool)> = all.iter().map(|state| state.name()).zip(finals).collect();
    assert_eq!(named, states());
    let venue = traded(17, 2_000);
    let place = last_trade(&venue.records);
    let (part, head, id) = cut(&venue.records[place]);
    let mut matched = Kept::of(&venue.records[..place], 20);
    matched.add(&[part], 1);
    let whole = Kept::of(&venue.records[..=place], 20);
    let (before, after) = (trade(&matched, id), trade(&whole, id));
    assert_eq!((before.state, after.state), (TradeState::Matched, TradeState::Settled));
    assert_eq!((before.sequence, before.trade_id), (head.sequence, id));
    assert_eq!((before.price, before.quantity), (after.price, after.quantity));
    assert!(before.price.0 > 0 && before.quantity.0 > 0);
    let orders = |view: &TradeView| (view.maker_order_id, view.taker_order_id, view.side);
    assert_eq!((orders(&before), before.executed_at), (orders(&after), head.timestamp));
    assert!(after.settled_at > after.executed_at);
    let mut count = 0;
    for (groups, _) in &venue.records {
        for group in GroupIter::new(groups) {
            for read in group.expect("a group").events() {
                if let (head, Event::TradeExecuted(_)) = read.expect("an event") {
                    let id = Id::derive(head.timestamp, 5, head.sequence).expect("in range");
                    let kept = if head.sequence <= after.sequence { &whole } else { continue };
                    assert_eq!(trade(kept, id).state, TradeState::Settled);
                    count += 1;
                }
            }
        }
    }
    assert!(count > 200, "{count} trades");
}
