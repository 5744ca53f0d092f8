//! What an exchange is asked to do so that the hours of a tape happen again on it.
//!
//! A tape shows results as well as wishes; only wishes are sent. A created order is placed, a canceled
//! one canceled; a part that traded is not sent, for the exchange trades by itself. What else is done:
//!
//! - Orders of which the tape tells without their creation were there before. They make the opening book
//!   in the order of their ids, each with what was left of it in its first row. One whose first row says
//!   that nothing is left cannot be known and is counted.
//! - A changed price is how a tape shows a market order on its way through the book: what is left is
//!   canceled and placed at the new price, if there still is something left here.
//! - An order that the tape filled is gone there. Whatever is left of it here is canceled, since nobody
//!   would ever take it away again.
//! - Rows were captured out of order within some milliseconds: an order may be deleted before it is
//!   created. It is placed and canceled at once.
//!
//! An order is *valid* if its price and quantity are above zero and whole steps of the market, and if its
//! id was not placed before. What is not valid is counted with the reason and never sent, and neither
//! are later rows about it.

use std::collections::{BTreeMap, HashMap, HashSet};

use units::Amount;

use super::super::rows::{Action, OrderRow};
use super::super::venue::Best;
use super::rows::{Captured, Row, What};

/// One thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Place an order.
    Place(OrderRow),
    /// Cancel an order that the tape canceled.
    Cancel(OrderRow),
    /// Cancel what is left of an order that the tape filled.
    CancelFilled(OrderRow),
    /// Cancel what is left of an order and place it anew, if there was something left.
    Move(OrderRow, OrderRow),
    /// Compare the best prices.
    Compare(Best),
}

/// What the tape has that nobody is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Rows: created, changed, deleted, trades, books.
    pub(super) rows: [u64; 5],
    /// What changed hands on the tape.
    pub(super) volume: Amount,
    /// Orders of the opening book.
    pub(super) opening_count: u64,
    /// Orders that predate the tape, of which nothing was left in their first row.
    pub(super) unknown_count: u64,
    /// Orders whose deletion was captured before their creation.
    pub(super) reordered_count: u64,
    /// Orders that are not valid, by reason.
    pub(super) invalid: BTreeMap<&'static str, u64>,
    /// The line of the first of them.
    pub(super) invalid_line: Option<u64>,
    /// Rows about orders that were not sent or had ended on the tape.
    pub(super) unused_row_count: u64,
}

/// A whole tape as steps.
#[derive(Clone, Debug, Default)]
pub(super) struct Script {
    /// What is done, in order.
    pub(super) steps: Vec<Step>,
    /// What was counted on the way.
    pub(super) tally: Tally,
}

impl Script {
    /// The script of a tape for a market with this tick and lot.
    pub(super) fn new(rows: &[Row], (tick, lot): (Amount, Amount)) -> Self {
        let mut writer = Writer { tick, lot, ..Writer::default() };
        writer.open(rows);
        for row in rows {
            writer.row(row);
        }
        writer.script
    }

    /// The orders that are placed, moved ones too.
    pub(super) fn orders(&self) -> impl Iterator<Item = &OrderRow> + Clone {
        self.steps.iter().filter_map(|step| match step {
            Step::Place(order) | Step::Move(_, order) => Some(order),
            _ => None,
        })
    }
}

/// What the tape said last of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Live(Amount),
    Ended,
}

#[derive(Default)]
struct Writer {
    tick: Amount,
    lot: Amount,
    seq: u64,
    script: Script,
    placed: HashMap<u64, State>,
    /// Deleted, and not created yet.
    early: HashSet<u64>,
}

impl Writer {
    /// Places the orders that predate the tape, and notes the ones whose deletion comes too early.
    fn open(&mut self, rows: &[Row]) {
        let created: HashSet<u64> = rows.iter().filter_map(Row::created).collect();
        let mut first: BTreeMap<u64, (u64, Captured)> = BTreeMap::new();
        for row in rows {
            if let What::Changed(order) | What::Deleted(order) = row.what
                && !created.contains(&order.id)
            {
                first.entry(order.id).or_insert((row.line, order));
            }
        }
        let time = rows.first().map_or(0, |row| row.time);
        for (line, order) in first.into_values() {
            if order.quantity == Amount::ZERO {
                self.script.tally.unknown_count += 1;
            } else if self.place((line, time), order) {
                self.script.tally.opening_count += 1;
            }
        }
    }

    fn row(&mut self, row: &Row) {
        let at = (row.line, row.time);
        let tally = &mut self.script.tally;
        match row.what {
            What::Created(order) => {
                tally.rows[0] += 1;
                let early = self.early.remove(&order.id);
                if self.place(at, order) && early {
                    self.script.tally.reordered_count += 1;
                    self.end(at, order, Step::Cancel);
                }
            }
            What::Changed(order) => {
                tally.rows[1] += 1;
                self.change(at, order);
            }
            What::Deleted(order) => {
                tally.rows[2] += 1;
                self.delete(at, order);
            }
            What::Trade(quantity) => {
                tally.rows[3] += 1;
                tally.volume.0 += quantity.0;
            }
            What::Book(best) => {
                tally.rows[4] += 1;
                self.script.steps.push(Step::Compare(best));
            }
        }
    }

    /// Places an order if it is valid, and tells whether it is.
    fn place(&mut self, at: (u64, i64), order: Captured) -> bool {
        let placed = self.placed.contains_key(&order.id);
        let invalid = if placed { Some(PLACED_TWICE) } else { self.wrong(order) };
        if let Some(reason) = invalid {
            self.refuse(at.0, reason);
            return false;
        }
        self.placed.insert(order.id, State::Live(order.price));
        let row = self.order_row(at, order, place_action(order));
        self.script.steps.push(Step::Place(row));
        true
    }

    fn change(&mut self, at: (u64, i64), order: Captured) {
        match self.placed.get(&order.id) {
            // A part traded, or nothing changed that a book shows.
            Some(State::Live(price)) if *price == order.price => {}
            Some(State::Live(_)) => {
                if let Some(reason) = self.wrong(order) {
                    return self.refuse(at.0, reason);
                }
                self.placed.insert(order.id, State::Live(order.price));
                let old = self.order_row(at, order, Action::Cancel);
                let new = self.order_row(at, order, place_action(order));
                self.script.steps.push(Step::Move(old, new));
            }
            Some(State::Ended) | None => self.script.tally.unused_row_count += 1,
        }
    }

    fn delete(&mut self, at: (u64, i64), order: Captured) {
        match self.placed.get(&order.id) {
            Some(State::Live(_)) if order.quantity == Amount::ZERO => {
                self.end(at, order, Step::CancelFilled);
            }
            Some(State::Live(_)) => self.end(at, order, Step::Cancel),
            Some(State::Ended) => self.script.tally.unused_row_count += 1,
            None => {
                self.script.tally.unused_row_count += 1;
                self.early.insert(order.id);
            }
        }
    }

    fn end(&mut self, at: (u64, i64), order: Captured, step: fn(OrderRow) -> Step) {
        self.placed.insert(order.id, State::Ended);
        let row = self.order_row(at, order, Action::Cancel);
        self.script.steps.push(step(row));
    }

    fn order_row(&mut self, (line, time): (u64, i64), order: Captured, action: Action) -> OrderRow {
        self.seq += 1;
        let Captured { id, side, .. } = order;
        OrderRow { line, seq: self.seq, time, order_id: id, side, action }
    }

    fn refuse(&mut self, line: u64, reason: &'static str) {
        *self.script.tally.invalid.entry(reason).or_default() += 1;
        self.script.tally.invalid_line.get_or_insert(line);
    }

    /// Why no exchange with these steps could take an order.
    fn wrong(&self, order: Captured) -> Option<&'static str> {
        let Captured { price, quantity, .. } = order;
        if price <= Amount::ZERO {
            return Some("price not above zero");
        }
        if quantity <= Amount::ZERO {
            return Some("quantity not above zero");
        }
        if price.0 % self.tick.0 != 0 {
            return Some("price between two ticks");
        }
        (quantity.0 % self.lot.0 != 0).then_some("quantity between two lots")
    }
}

impl Row {
    /// The order that it creates.
    const fn created(&self) -> Option<u64> {
        match &self.what {
            What::Created(order) => Some(order.id),
            _ => None,
        }
    }
}

const fn place_action(order: Captured) -> Action {
    Action::Place { price: order.price, quantity: order.quantity }
}

const PLACED_TWICE: &str = "placed before";

#[cfg(test)]
mod tests {
    use super::*;
    use units::Side;

    fn order(id: u64, price: &str, quantity: &str) -> Captured {
        let amount = |text: &str| text.parse().expect("a decimal");
        Captured { id, side: Side::Buy, price: amount(price), quantity: amount(quantity) }
    }

    fn script(whats: Vec<What>) -> Script {
        let rows: Vec<Row> =
            (1u64..).zip(whats).map(|(line, what)| Row { line, time: 5, what }).collect();
        Script::new(&rows, ("0.01".parse().expect("a tick"), "0.1".parse().expect("a lot")))
    }

    /// Kind, order and line of each step.
    fn told(script: &Script) -> Vec<(&'static str, u64, u64)> {
        let tell = |step: &Step| match step {
            Step::Place(row) => ("place", row.order_id, row.line),
            Step::Cancel(row) => ("cancel", row.order_id, row.line),
            Step::CancelFilled(row) => ("filled", row.order_id, row.line),
            Step::Move(row, _) => ("move", row.order_id, row.line),
            Step::Compare(_) => ("compare", 0, 0),
        };
        script.steps.iter().map(tell).collect()
    }

    #[test]
    fn wishes_are_sent_and_results_are_not() {
        use What::{Book, Changed, Created, Deleted, Trade};
        let script = script(vec![
            Created(order(1, "5", "2")),
            Changed(order(1, "5", "1")),
            Trade(Amount::ONE),
            Deleted(order(1, "5", "0")),
            Created(order(2, "5", "2")),
            Book([None, None]),
            Changed(order(2, "5.01", "2")),
            Deleted(order(2, "5.01", "2")),
            Deleted(order(2, "5.01", "2")),
        ]);
        let steps = [
            ("place", 1, 1),
            ("filled", 1, 4),
            ("place", 2, 5),
            ("compare", 0, 0),
            ("move", 2, 7),
            ("cancel", 2, 8),
        ];
        assert_eq!(told(&script), steps);
        assert_eq!(script.orders().count(), 3);
        let tally = &script.tally;
        assert_eq!((tally.rows, tally.volume), ([2, 2, 3, 1, 1], Amount::ONE));
        assert_eq!((tally.unused_row_count, tally.invalid.len()), (1, 0));
        let moved = order(2, "5.01", "2");
        let Step::Move(_, placed) = script.steps[4] else { panic!("a move") };
        assert_eq!(placed.action, place_action(moved));
    }

    /// Orders that predate the tape come first, by id; what was captured too early happens at once.
    #[test]
    fn the_edges_of_a_capture_are_mended() {
        use What::{Changed, Created, Deleted};
        let script = script(vec![
            Deleted(order(9, "7", "3")),
            Created(order(9, "7", "3")),
            Deleted(order(3, "6", "2")),
            Changed(order(2, "6", "2")),
            Deleted(order(1, "6", "0")),
        ]);
        let steps =
            [("place", 2, 4), ("place", 3, 3), ("place", 9, 2), ("cancel", 9, 2), ("cancel", 3, 3)];
        assert_eq!(told(&script), steps);
        let tally = &script.tally;
        assert_eq!((tally.opening_count, tally.unknown_count, tally.reordered_count), (2, 1, 1));
    }

    #[test]
    fn what_is_not_valid_is_counted_with_its_reason() {
        use What::{Created, Deleted};
        let script = script(vec![
            Created(order(1, "0", "1")),
            Created(order(2, "5", "-1")),
            Created(order(3, "5.005", "1")),
            Created(order(4, "5", "0.15")),
            Created(order(5, "5", "1")),
            Created(order(5, "5", "1")),
            Deleted(order(3, "5.005", "1")),
        ]);
        assert_eq!(told(&script), [("place", 5, 5)]);
        let reasons: Vec<_> =
            script.tally.invalid.iter().map(|(why, count)| (*why, *count)).collect();
        let all = [
            ("placed before", 1),
            ("price between two ticks", 1),
            ("price not above zero", 1),
            ("quantity between two lots", 1),
            ("quantity not above zero", 1),
        ];
        assert_eq!(reasons, all);
        assert_eq!((script.tally.invalid_line, script.tally.unused_row_count), (Some(1), 1));
    }
}
