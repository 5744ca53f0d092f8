//! What a run counts, on an exchange that refuses and crosses as it is told.

use std::collections::HashMap;

use super::super::super::rows::{Action, Depth, TradeRow};
use super::*;
use units::Side;

/// Accepts and fills as it is told; knows no matching.
#[derive(Default)]
struct Told {
    /// Orders that it refuses, by recorded id.
    refused: Vec<u64>,
    /// Orders that have ended when their cancel comes.
    ended: Vec<u64>,
    /// The best prices behind a command.
    best: HashMap<u64, Best>,
    done: Vec<(u64, u64)>,
}

impl Venue for Told {
    fn place(&mut self, order: &OrderRow, _: Place) -> anyhow::Result<Placed> {
        self.done.push((order.seq, order.order_id));
        if self.refused.contains(&order.order_id) {
            let (code, detail) = ("INVALID_PRICE".to_owned(), "too high".to_owned());
            return Ok(Placed::Refused { code, detail });
        }
        Ok(Placed::Accepted)
    }

    fn cancel(&mut self, order: &OrderRow) -> anyhow::Result<Canceled> {
        self.done.push((order.seq, order.order_id));
        let ended = self.ended.contains(&order.order_id);
        Ok(if ended { Canceled::TooLate } else { Canceled::Done })
    }

    fn depth(&mut self) -> anyhow::Result<Depth> {
        Ok(Depth::default())
    }

    fn best(&mut self) -> anyhow::Result<Best> {
        let last = self.done.last().expect("a command came before").0;
        Ok(self.best.get(&last).copied().unwrap_or_default())
    }

    fn trades(&mut self) -> anyhow::Result<Vec<TradeRow>> {
        Ok(Vec::new())
    }
}

fn row(seq: u64, order_id: u64, places: Option<i64>) -> OrderRow {
    let action = places.map_or(Action::Cancel, |price| Action::Place {
        price: Amount::from_units(price),
        quantity: Amount::ONE,
    });
    OrderRow { line: seq, seq, time: 0, order_id, side: Side::Buy, action }
}

fn run_told(venue: &mut Told, steps: Vec<Step>) -> Outcome {
    let script = Script { steps, ..Script::default() };
    let plan = Plan::new(script.orders(), (Amount::ONE, Amount::ONE)).expect("a plan");
    let path = Path::new("tape.log");
    run(venue, &script, &plan, (path, &ProgressBar::hidden())).expect("a run")
}

/// The run goes on behind a refused order, and asks nothing about it any more.
#[test]
fn refusals_are_counted_by_code() {
    let mut venue = Told { refused: vec![2], ..Told::default() };
    let steps = vec![
        Step::Place(row(1, 1, Some(5))),
        Step::Place(row(2, 2, Some(5))),
        Step::Cancel(row(3, 2, None)),
        Step::Cancel(row(4, 1, None)),
    ];
    let outcome = run_told(&mut venue, steps);
    assert_eq!((outcome.sent_count, outcome.accepted_count, outcome.refused_count()), (2, 1, 1));
    assert_eq!(outcome.refused["INVALID_PRICE"], 1);
    assert_eq!(outcome.refusals, ["line 2: INVALID_PRICE: too high"]);
    assert_eq!(outcome.canceled, Cancels { done: 1, late: 0, refused: 1 });
    assert_eq!((outcome.look_count, venue.done.len(), outcome.is_passed()), (3, 3, false));
}

/// Equal prices cross as well; an empty side does not.
#[test]
fn a_crossed_book_is_seen_behind_every_command() {
    let prices = |bid, ask| [Some(Amount::from_units(bid)), Some(Amount::from_units(ask))];
    let best = [
        (1, prices(5, 6)),
        (2, prices(6, 6)),
        (3, prices(7, 6)),
        (4, [Some(Amount::from_units(9)), None]),
    ];
    let mut venue = Told { best: HashMap::from(best), ..Told::default() };
    let steps = vec![
        Step::Place(row(1, 1, Some(5))),
        Step::Compare(prices(5, 7)),
        Step::Place(row(2, 2, Some(6))),
        Step::Cancel(row(3, 1, None)),
        Step::Place(row(4, 4, Some(9))),
    ];
    let outcome = run_told(&mut venue, steps);
    assert_eq!((outcome.crossed_count, outcome.look_count, outcome.equal), (2, 4, [1, 0]));
    assert_eq!(outcome.crossings[0], "line 2: buyers at 6, sellers at 6");
    assert!(!outcome.is_passed());
}

/// An order that has ended here is not placed anew.
#[test]
fn what_is_gone_is_not_moved() {
    let mut venue = Told { ended: vec![1], ..Told::default() };
    let steps = vec![
        Step::Place(row(1, 1, Some(5))),
        Step::Place(row(2, 2, Some(5))),
        Step::Move(row(3, 1, None), row(4, 1, Some(6))),
        Step::Move(row(5, 2, None), row(6, 2, Some(6))),
        Step::CancelFilled(row(7, 1, None)),
    ];
    let outcome = run_told(&mut venue, steps);
    assert_eq!(outcome.moved, Cancels { done: 1, late: 1, refused: 0 });
    assert_eq!(outcome.filled, Cancels { done: 0, late: 1, refused: 0 });
    assert!(outcome.is_passed());
    assert_eq!(venue.done, [(1, 1), (2, 2), (3, 1), (5, 2), (6, 2), (7, 1)]);
}
