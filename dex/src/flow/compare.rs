//! What was recorded beside what the exchange did, row by row and column by column.
//!
//! Owns the closing figures and the words for a difference. A row counts as equal only at its own place:
//! the order of trades and of levels is part of what must be right.

use std::fmt::Write as _;
use std::path::Path;

use units::Side;

use super::replay::Replayed;
use super::rows::{BookPoint, Depth, Level, Recording, TradeRow, index};

/// How many of how many rows are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tally {
    /// Equal in every column.
    pub(super) equal: usize,
    /// Rows of the longer side.
    pub(super) of: usize,
}

/// The result of a comparison.
#[derive(Clone, Debug)]
pub(super) struct Comparison {
    /// Trades.
    pub(super) trades: Tally,
    /// Points at which both sides of the book are equal.
    pub(super) books: Tally,
    /// The first few differences, each several lines of text.
    pub(super) differences: Vec<String>,
}

/// The files that are named in differences.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names<'a> {
    /// Of the trades.
    pub(super) trades: &'a Path,
    /// Of the books.
    pub(super) books: &'a Path,
}

impl Comparison {
    /// Compares a recording with what came of it.
    pub(super) fn new(recording: &Recording, replayed: &Replayed, names: Names<'_>) -> Self {
        let mut differences = Vec::new();
        let trades = compare_trades(&recording.trades, &replayed.trades, |at| {
            if differences.len() < DIFFERENCE_COUNT_MAX {
                differences.push(trade_difference(recording, replayed, at, names.trades));
            }
        });
        let limit = differences.len() + DIFFERENCE_COUNT_MAX;
        let points = recording.books.iter().zip(&replayed.books);
        let mut equal = 0;
        for (point, found) in points {
            if point.depth == *found {
                equal += 1;
            } else if differences.len() < limit {
                differences.extend(book_differences(point, found, names.books));
            }
        }
        let books = Tally { equal, of: recording.books.len() };
        Self { trades, books, differences }
    }

    /// Whether everything is equal.
    pub(super) const fn is_equal(&self) -> bool {
        self.trades.equal == self.trades.of && self.books.equal == self.books.of
    }

    /// The closing line.
    pub(super) fn line(&self) -> String {
        let Self { trades, books, .. } = self;
        format!("trades {} of {}, books {} of {}", trades.equal, trades.of, books.equal, books.of)
    }
}

/// Compares place by place and tells each place that differs.
fn compare_trades(
    expected: &[TradeRow],
    found: &[TradeRow],
    mut differs: impl FnMut(usize),
) -> Tally {
    let of = expected.len().max(found.len());
    let mut equal = 0;
    for at in 0..of {
        if expected.get(at) == found.get(at) {
            equal += 1;
        } else {
            differs(at);
        }
    }
    Tally { equal, of }
}

fn trade_difference(recording: &Recording, replayed: &Replayed, at: usize, path: &Path) -> String {
    let cells = |row: &TradeRow| {
        vec![
            row.taker_seq.to_string(),
            row.taker_order_id.to_string(),
            row.maker_order_id.to_string(),
            row.price.to_string(),
            row.quantity.to_string(),
        ]
    };
    let expected = recording.trades.get(at).map(cells);
    let found = replayed.trades.get(at).map(cells);
    // The header is line 1 and the first trade line 2.
    let title = format!("trade {} differs ({} line {})", at + 1, path.display(), at + 2);
    let columns = ["taker_seq", "taker_order_id", "maker_order_id", "price", "quantity"];
    two_rows(&title, &columns, &[expected, found])
}

/// The first level on each side that differs.
fn book_differences(point: &BookPoint, found: &Depth, path: &Path) -> Vec<String> {
    let mut out = Vec::new();
    let mut line = point.line;
    for side in [Side::Buy, Side::Sell] {
        let (expected, found) = (&point.depth[index(side)], &found[index(side)]);
        let levels = expected.len().max(found.len());
        if let Some(at) = (0..levels).find(|&at| expected.get(at) != found.get(at)) {
            let title = format!(
                "the book after command {} differs at {} level {} ({} from line {line})",
                point.after_seq,
                side.name(),
                at + 1,
                path.display(),
            );
            let rows = [expected.get(at).map(level_cells), found.get(at).map(level_cells)];
            out.push(two_rows(&title, &["price", "quantity", "orders"], &rows));
        }
        line += expected.len() as u64;
    }
    out
}

fn level_cells(level: &Level) -> Vec<String> {
    vec![level.price.to_string(), level.quantity.to_string(), level.orders.to_string()]
}

/// A small table: what was recorded over what was found.
fn two_rows(title: &str, columns: &[&str], rows: &[Option<Vec<String>>; 2]) -> String {
    let mut out = format!("{title}\n  {:8}", "");
    for column in columns {
        let _ = write!(out, "  {column:>14}");
    }
    for (name, row) in ["recorded", "found"].iter().zip(rows) {
        let _ = write!(out, "\n  {name:8}");
        match row {
            None => out.push_str("  nothing"),
            Some(cells) => {
                for cell in cells {
                    let _ = write!(out, "  {cell:>14}");
                }
            }
        }
    }
    out
}

/// Differences of trades, and of books, that are shown.
const DIFFERENCE_COUNT_MAX: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use units::Amount;

    fn trade(seq: u64) -> TradeRow {
        TradeRow {
            taker_seq: seq,
            taker_order_id: 1,
            maker_order_id: 2,
            price: Amount::from_units(10),
            quantity: Amount::from_units(5),
        }
    }

    fn level(orders: u64) -> Level {
        Level { price: Amount::from_units(10), quantity: Amount::from_units(5), orders }
    }

    fn compare(found: Vec<TradeRow>, book: Depth) -> Comparison {
        let depth = [vec![level(1)], vec![level(2)]];
        let books = vec![BookPoint { after_seq: 4, line: 2, depth }];
        let recording = Recording { orders: vec![], trades: vec![trade(1), trade(2)], books };
        let took = Duration::ZERO;
        let replayed = Replayed { trades: found, books: vec![book], late_cancel_count: 0, took };
        let names = Names { trades: Path::new("t.csv"), books: Path::new("b.csv") };
        Comparison::new(&recording, &replayed, names)
    }

    #[test]
    fn equal_rows_are_counted() {
        let same = compare(vec![trade(1), trade(2)], [vec![level(1)], vec![level(2)]]);
        assert!(same.is_equal() && same.differences.is_empty());
        assert_eq!(same.line(), "trades 2 of 2, books 1 of 1");
    }

    /// A trade too many is as wrong as one too few, and every column counts.
    #[test]
    fn every_difference_is_found_and_shown() {
        let book = || [vec![level(1)], vec![level(2)]];
        let more = compare(vec![trade(1), trade(2), trade(3)], book());
        assert_eq!((more.line().as_str(), more.is_equal()), ("trades 2 of 3, books 1 of 1", false));
        assert!(more.differences[0].contains("recorded  nothing"), "{}", more.differences[0]);
        let fewer = compare(vec![trade(1)], book());
        assert_eq!(fewer.line(), "trades 1 of 2, books 1 of 1");
        assert!(fewer.differences[0].starts_with("trade 2 differs (t.csv line 3)"));
        for other in [
            TradeRow { taker_order_id: 9, ..trade(2) },
            TradeRow { maker_order_id: 9, ..trade(2) },
            TradeRow { price: Amount(1), ..trade(2) },
            TradeRow { quantity: Amount(1), ..trade(2) },
            trade(9),
        ] {
            assert_eq!(compare(vec![trade(1), other], book()).trades.equal, 1);
        }
        let deeper = compare(vec![trade(1), trade(2)], [vec![level(1), level(1)], vec![level(3)]]);
        assert_eq!(deeper.line(), "trades 2 of 2, books 0 of 1");
        assert!(deeper.differences[0].contains("at BUY level 2 (b.csv from line 2)"));
        assert!(deeper.differences[1].contains("at SELL level 1 (b.csv from line 3)"));
    }
}
