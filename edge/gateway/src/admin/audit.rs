//! What an operator sees and the public does not: which orders a trade joined, how many orders make a
//! level (TRADE-43 keeps both from the public).
//!
//! For whoever compares the venue with a record, such as `dex flow --url`. Orders are named by the
//! number of their OrderSubmitted, which is the low 62 bits of an order's id (D-51): whoever placed an
//! order knows it by that, and nobody else learns an id. Only what feeds still keep can be asked for.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use port::{FeedFault, LevelView, PortFault, Published, Query, TradePrint, View};
use schema::{Code, Event, GroupIter, TradeExecuted};
use tokio::time::timeout;

use crate::answer::{Object, json};
use crate::caller::Operator;
use crate::door::Door;
use crate::error::ApiError;
use crate::limits::{DEPTH_DEFAULT, DEPTH_MAX, QUERY_TIME};
use crate::params::Params;
use crate::text::parse_symbol;

/// A trade with what the public does not see.
struct Audited {
    sequence: u64,
    market: u32,
    orders: TradeExecuted,
    print: TradePrint,
}

/// GET /v1/admin/trades?after=&until=: the trades behind event `after` up to event `until`, which is
/// waited for. At most what feeds keep; an `after` before that is 410.
pub(crate) async fn trades(
    State(door): State<Arc<Door>>,
    _: Operator,
    params: Params,
) -> Result<Response, ApiError> {
    let params = params.only(&["after", "until"])?;
    let needed = |name: &str| {
        params.needed(name)?;
        params.count(name).map(Option::unwrap_or_default)
    };
    let (after, until) = (needed("after")?, needed("until")?);
    let found = timeout(QUERY_TIME, read_trades(&door, after, until)).await;
    let found = found.map_err(|_| ApiError::from(PortFault::TimedOut))??;
    let body = Object::new()
        .list("trades", &found, |out, trade| out.push_str(&object(trade).end()))
        .count("until", until);
    Ok(json(StatusCode::OK, body))
}

/// GET /v1/admin/book?symbol=&depth=: levels with the number of their orders.
pub(crate) async fn book(
    State(door): State<Arc<Door>>,
    _: Operator,
    params: Params,
) -> Result<Response, ApiError> {
    let params = params.only(&["symbol", "depth", "min_sequence"])?;
    let symbol = parse_symbol("symbol", params.needed("symbol")?)?;
    let depth = params.count("depth")?.map_or(Ok(DEPTH_DEFAULT), usize::try_from);
    let depth = depth.ok().filter(|depth| (1..=DEPTH_MAX).contains(depth));
    let depth = depth.ok_or_else(|| ApiError::schema(format!("depth is 1 to {DEPTH_MAX}")))?;
    let listing = door.listing(symbol).await?.ok_or_else(ApiError::no_market)?;
    let seen = door.query(Query::Book(listing.number, depth), &params).await?;
    let View::Book(Some(book)) = seen.view else { return Err(ApiError::no_market()) };
    let body = Object::new()
        .text("symbol", book.symbol.as_str())
        .list("bids", &book.bids, push_level)
        .list("asks", &book.asks, push_level)
        .count("sequence", seen.sequence);
    Ok(json(StatusCode::OK, body))
}

async fn read_trades(door: &Door, after: u64, until: u64) -> Result<Vec<Audited>, ApiError> {
    let mut found = Vec::new();
    if until <= after {
        return Ok(found);
    }
    let mut feed = door.port.events(after).map_err(feed_fault)?;
    loop {
        let batch = feed.next().await.map_err(feed_fault)?;
        found.extend(audit(&batch));
        if batch.last_sequence >= until {
            found.retain(|trade| (after + 1..=until).contains(&trade.sequence));
            return Ok(found);
        }
    }
}

/// Joins the prints of a batch with the orders that its events name.
fn audit(batch: &Published) -> Vec<Audited> {
    let mut orders = BTreeMap::new();
    for group in GroupIter::new(&batch.groups).flatten() {
        for (head, event) in group.events().flatten() {
            if let Event::TradeExecuted(trade) = event {
                orders.insert(head.sequence, trade);
            }
        }
    }
    let prints = batch.updates.iter().flat_map(|update| {
        update.trades.iter().map(|print| (print.trade_id.sequence(), update.market, *print))
    });
    let joined = prints.filter_map(|(sequence, market, print)| {
        let orders = orders.get(&sequence).copied()?;
        Some(Audited { sequence, market, orders, print })
    });
    let mut joined: Vec<Audited> = joined.collect();
    joined.sort_by_key(|trade| trade.sequence);
    joined
}

fn object(trade: &Audited) -> Object {
    Object::new()
        .shown("trade_id", trade.print.trade_id)
        .count("sequence", trade.sequence)
        .count("market", trade.market)
        .count("maker_order", trade.orders.maker)
        .count("taker_order", trade.orders.taker)
        .shown("price", trade.print.price)
        .shown("quantity", trade.print.quantity)
        .shown("side", trade.print.side.name())
        .time("executed_at", trade.print.executed_at)
}

fn push_level(out: &mut String, level: &LevelView) {
    let level = Object::new()
        .shown("price", level.price)
        .shown("quantity", level.quantity)
        .count("orders", level.orders);
    out.push_str(&level.end());
}

fn feed_fault(fault: FeedFault) -> ApiError {
    match fault {
        FeedFault::TooOld | FeedFault::TooSlow => {
            ApiError::new(StatusCode::GONE, Code::TradeNotFound, fault.to_string())
        }
        FeedFault::Closed => PortFault::Stopped.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use port::MarketUpdate;
    use schema::{EventBuffer, EventHead, EventKind, GroupHead};
    use units::{Amount, Id, Lots, Side, Ticks, Timestamp};

    /// A trade print is joined with the orders of the event that it came from, in order, and a print
    /// without an event is left out.
    #[test]
    fn prints_are_joined_with_their_orders() {
        let mut buffer = EventBuffer::new();
        let time = Timestamp(1_700_000_000_000_000_000);
        buffer.begin(&GroupHead {
            command_sequence: 5,
            first_sequence: 40,
            first_timestamp: time,
            correlation: None,
            idempotency: None,
        });
        for (step, sequence) in (0..).zip([40u64, 41]) {
            let trade = TradeExecuted {
                maker: 30 + sequence - 40,
                taker: 39,
                ticks: Ticks(7),
                lots: Lots(1),
            };
            let head = EventHead { sequence, timestamp: Timestamp(time.0 + step) };
            buffer.push(EventKind::TradeExecuted, head, &trade);
        }
        buffer.end();
        let print = |sequence| TradePrint {
            trade_id: Id::derive(time, 0, sequence).expect("in range"),
            price: Amount::from_units(7),
            quantity: Amount::from_units(1),
            side: Side::Buy,
            executed_at: time,
        };
        let update = MarketUpdate {
            market: 3,
            sequence: 2,
            prev_sequence: 1,
            timestamp: time,
            levels: Vec::new(),
            trades: vec![print(41), print(40), print(99)],
        };
        let batch = Published {
            first_sequence: 40,
            last_sequence: 41,
            groups: buffer.take().into(),
            updates: vec![update],
        };
        let joined = audit(&batch);
        let seen: Vec<_> =
            joined.iter().map(|it| (it.sequence, it.market, it.orders.maker)).collect();
        assert_eq!(seen, [(40, 3, 30), (41, 3, 31)]);
        let text = object(&joined[0]).end();
        assert!(text.contains(r#""maker_order":30,"taker_order":39,"price":"7""#), "{text}");
    }
}
