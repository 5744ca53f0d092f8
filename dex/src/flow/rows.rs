//! The three tables of a recorded market: what each line means, and whether it can.
//!
//! Owns the columns of `orders`, `trades` and `books`. Invariants of what is read: order numbers rise,
//! time never goes back, an order id is placed once, a cancel names an order placed before on the same
//! side, and the levels of a book are counted from 1 without a gap. It deliberately decides nothing about
//! prices and quantities beyond their form: the exchange does.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;

use anyhow::bail;
use units::{Amount, Side};

use super::input::{Fields, at, read_rows};

/// Levels of a side that a recorded book shows.
pub(super) const LEVEL_COUNT: usize = 10;

/// A line of `orders`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OrderRow {
    /// Line in the file.
    pub(super) line: u64,
    /// Number of the command, rising.
    pub(super) seq: u64,
    /// Nanoseconds since midnight.
    pub(super) time: i64,
    /// The recorded order.
    pub(super) order_id: u64,
    /// BUY or SELL.
    pub(super) side: Side,
    /// What is done.
    pub(super) action: Action,
}

/// What a line of `orders` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// NEW: a limit order, good till canceled.
    Place {
        /// Limit price.
        price: Amount,
        /// Quantity.
        quantity: Amount,
    },
    /// CANCEL of an earlier order.
    Cancel,
}

/// A line of `trades`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TradeRow {
    /// Number of the command that traded.
    pub(super) taker_seq: u64,
    /// Its order.
    pub(super) taker_order_id: u64,
    /// The order that rested.
    pub(super) maker_order_id: u64,
    /// Price.
    pub(super) price: Amount,
    /// Quantity.
    pub(super) quantity: Amount,
}

/// A price level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Level {
    /// Price.
    pub(super) price: Amount,
    /// Quantity at it.
    pub(super) quantity: Amount,
    /// Orders at it.
    pub(super) orders: u64,
}

/// The best levels of a book: buyers, then sellers, best first.
pub(super) type Depth = [Vec<Level>; 2];

/// A recorded book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BookPoint {
    /// The command after which it was taken.
    pub(super) after_seq: u64,
    /// Its first line in the file.
    pub(super) line: u64,
    /// What it showed.
    pub(super) depth: Depth,
}

/// A whole recording.
#[derive(Clone, Debug)]
pub(super) struct Recording {
    /// The stream of orders.
    pub(super) orders: Vec<OrderRow>,
    /// The trades that came of it.
    pub(super) trades: Vec<TradeRow>,
    /// Books on the way.
    pub(super) books: Vec<BookPoint>,
}

/// Where a side stands in a pair.
pub(super) const fn index(side: Side) -> usize {
    match side {
        Side::Buy => 0,
        Side::Sell => 1,
    }
}

impl Recording {
    /// Reads and checks the three tables.
    ///
    /// # Errors
    /// The first line that is wrong, and what is wrong with it.
    pub(super) fn load(orders: &Path, trades: &Path, books: &Path) -> anyhow::Result<Self> {
        let mut stream = Stream::default();
        let rows = read_rows(orders, ORDER_COLUMNS, |fields| stream.order(fields))?;
        let Some(last) = rows.last() else {
            bail!("{} has no order: there is nothing to replay", orders.display());
        };
        let expected = read_rows(trades, TRADE_COLUMNS, trade)?;
        let points = read_books(books, last.seq)?;
        Ok(Self { orders: rows, trades: expected, books: points })
    }
}

/// What was read of the stream so far.
#[derive(Default)]
struct Stream {
    seq: u64,
    time: i64,
    placed: HashMap<u64, (Side, u64)>,
}

impl Stream {
    fn order(&mut self, fields: &Fields<'_>) -> Result<OrderRow, String> {
        let seq = fields.number(0)?;
        if seq <= self.seq {
            return Err(fields.wrong(0, &format!("is not above the one before, {}", self.seq)));
        }
        let time = clock(fields.text(1)).ok_or_else(|| {
            fields.wrong(1, "is no time HHMMSScc: hours, minutes, seconds, hundredths")
        })?;
        if time < self.time {
            return Err(fields.wrong(1, "is before the time of the line before"));
        }
        let (order_id, side) = (fields.number(3)?, fields.side(4)?);
        let action = match fields.text(2) {
            "NEW" => self.place(fields, order_id, side)?,
            "CANCEL" => self.cancel(fields, order_id, side)?,
            _ => return Err(fields.wrong(2, "is neither NEW nor CANCEL")),
        };
        (self.seq, self.time) = (seq, time);
        Ok(OrderRow { line: fields.line(), seq, time, order_id, side, action })
    }

    fn place(&mut self, fields: &Fields<'_>, id: u64, side: Side) -> Result<Action, String> {
        let (price, quantity) = (fields.amount(5)?, fields.amount(6)?);
        match self.placed.entry(id) {
            Entry::Vacant(vacant) => vacant.insert((side, fields.line())),
            Entry::Occupied(before) => {
                let line = before.get().1;
                return Err(fields.wrong(3, &format!("was already placed in line {line}")));
            }
        };
        Ok(Action::Place { price, quantity })
    }

    fn cancel(&self, fields: &Fields<'_>, id: u64, side: Side) -> Result<Action, String> {
        for column in [5, 6] {
            if !fields.text(column).is_empty() {
                return Err(fields.wrong(column, "must be empty: a CANCEL takes all that is left"));
            }
        }
        match self.placed.get(&id) {
            None => Err(fields.wrong(3, "is canceled, and no line before places it")),
            Some((placed, line)) if *placed != side => {
                let placed = placed.name();
                Err(fields.wrong(4, &format!("is not the side of line {line}, {placed}")))
            }
            Some(_) => Ok(Action::Cancel),
        }
    }
}

fn trade(fields: &Fields<'_>) -> Result<TradeRow, String> {
    Ok(TradeRow {
        taker_seq: fields.number(0)?,
        taker_order_id: fields.number(1)?,
        maker_order_id: fields.number(2)?,
        price: fields.amount(3)?,
        quantity: fields.amount(4)?,
    })
}

fn read_books(path: &Path, last_seq: u64) -> anyhow::Result<Vec<BookPoint>> {
    let mut points: Vec<BookPoint> = Vec::new();
    read_rows(path, BOOK_COLUMNS, |fields| add_level(&mut points, fields))?;
    match points.last() {
        Some(point) if point.after_seq > last_seq => {
            let wrong =
                format!("after_seq {} is behind the last order, {last_seq}", point.after_seq);
            Err(at(path, point.line, &wrong))
        }
        _ => Ok(points),
    }
}

fn add_level(points: &mut Vec<BookPoint>, fields: &Fields<'_>) -> Result<(), String> {
    let (after_seq, side, level) = (fields.number(0)?, fields.side(1)?, fields.number(2)?);
    let (price, quantity, orders) = (fields.amount(3)?, fields.amount(4)?, fields.number(5)?);
    if orders == 0 {
        return Err(fields.wrong(5, "is not above zero"));
    }
    let last = points.last().map_or(0, |point| point.after_seq);
    if after_seq < last {
        return Err(fields.wrong(0, &format!("is below the one before, {last}")));
    }
    if points.is_empty() || after_seq > last {
        points.push(BookPoint { after_seq, line: fields.line(), depth: Depth::default() });
    }
    let Some(point) = points.last_mut() else { return Ok(()) };
    let levels = &mut point.depth[index(side)];
    let next = levels.len() + 1;
    if next > LEVEL_COUNT || level != next as u64 {
        let wanted = next.min(LEVEL_COUNT);
        return Err(fields.wrong(2, &format!("is not the next of 1 to {LEVEL_COUNT}, {wanted}")));
    }
    levels.push(Level { price, quantity, orders });
    Ok(())
}

/// HHMMSScc in nanoseconds since midnight; a leading zero may be missing.
fn clock(text: &str) -> Option<i64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number: i64 = text.parse().ok().filter(|_| digits && (7..=8).contains(&text.len()))?;
    let (hour, minute) = (number / 1_000_000, number / 10_000 % 100);
    let (second, hundredth) = (number / 100 % 100, number % 100);
    let sound = hour < 24 && minute < 60 && second < 60;
    let hundredths = ((hour * 60 + minute) * 60 + second) * 100 + hundredth;
    sound.then_some(hundredths * 10_000_000)
}

const ORDER_COLUMNS: &[&str] = &["seq", "time", "op", "order_id", "side", "price", "quantity"];
const TRADE_COLUMNS: &[&str] =
    &["taker_seq", "taker_order_id", "maker_order_id", "price", "quantity"];
const BOOK_COLUMNS: &[&str] = &["after_seq", "side", "level", "price", "quantity", "orders"];

#[cfg(test)]
mod tests;
