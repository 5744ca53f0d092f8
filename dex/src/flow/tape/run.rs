//! A script through an exchange, one command after the other, with a look at the book behind each.
//!
//! A refused order is counted and the run goes on: how many there are is the result. The look asks the
//! exchange as somebody outside would and believes nothing: a best buyer who pays what the best seller
//! asks is a crossed book.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use indicatif::ProgressBar;
use units::Amount;

use super::super::input::at;
use super::super::plan::{Place, Plan, RoundRobin};
use super::super::rows::OrderRow;
use super::super::venue::{Best, Canceled, Placed, Venue};
use super::script::{Script, Step};

/// What the exchange made of a script.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Orders that were sent.
    pub(super) sent_count: u64,
    /// Orders that were accepted.
    pub(super) accepted_count: u64,
    /// Refused orders by code.
    pub(super) refused: BTreeMap<String, u64>,
    /// The first few refusals, with their lines.
    pub(super) refusals: Vec<String>,
    /// Cancels that the tape asked for.
    pub(super) canceled: Cancels,
    /// Orders that the tape filled.
    pub(super) filled: Cancels,
    /// Orders whose price moved.
    pub(super) moved: Cancels,
    /// Looks at the book: one behind each command.
    pub(super) look_count: u64,
    /// How often it was crossed.
    pub(super) crossed_count: u64,
    /// The first few times, with their lines.
    pub(super) crossings: Vec<String>,
    /// Captured books with the same best buyer, and with the same best seller.
    pub(super) equal: [u64; 2],
    /// Trades.
    pub(super) trade_count: usize,
    /// What changed hands.
    pub(super) volume: Amount,
    /// From the first order to the last answer.
    pub(super) took: Duration,
}

/// How cancels ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cancels {
    /// Something was left and was canceled.
    pub(super) done: u64,
    /// The order had ended.
    pub(super) late: u64,
    /// The order had been refused.
    pub(super) refused: u64,
}

impl Outcome {
    /// Refused orders.
    pub(super) fn refused_count(&self) -> u64 {
        self.refused.values().sum()
    }

    /// Whether no valid order was refused and the book was never crossed.
    pub(super) fn is_passed(&self) -> bool {
        self.refused_count() == 0 && self.crossed_count == 0
    }
}

/// Runs a script; `path` is named in errors.
///
/// # Errors
/// The exchange does not answer, or refuses a cancel of a live order.
pub(super) fn run(
    venue: &mut dyn Venue,
    script: &Script,
    plan: &Plan,
    (path, bar): (&Path, &ProgressBar),
) -> anyhow::Result<Outcome> {
    let began = Instant::now();
    let accounts = plan.round_robin();
    let (outcome, refused) = (Outcome::default(), HashSet::new());
    let mut run = Run { venue, accounts, path, outcome, refused, best: [None, None] };
    for (done, step) in (1u64..).zip(&script.steps) {
        run.step(step)?;
        if done.is_multiple_of(PROGRESS_STEP) {
            bar.set_position(done);
        }
    }
    let Run { mut outcome, venue, .. } = run;
    let trades = venue.trades()?;
    outcome.trade_count = trades.len();
    outcome.volume = Amount(trades.iter().map(|trade| trade.quantity.0).sum());
    outcome.took = began.elapsed();
    Ok(outcome)
}

struct Run<'a> {
    venue: &'a mut dyn Venue,
    accounts: RoundRobin,
    path: &'a Path,
    outcome: Outcome,
    /// Orders that were refused, by recorded id.
    refused: HashSet<u64>,
    /// What the last look saw.
    best: Best,
}

impl Run<'_> {
    fn step(&mut self, step: &Step) -> anyhow::Result<()> {
        match step {
            Step::Place(order) => {
                let account = self.accounts.next(order.side);
                self.place(order, account)
            }
            Step::Cancel(order) => {
                let ended = self.cancel(order)?;
                self.outcome.canceled.note(ended);
                Ok(())
            }
            Step::CancelFilled(order) => {
                let ended = self.cancel(order)?;
                self.outcome.filled.note(ended);
                Ok(())
            }
            Step::Move(old, new) => {
                // The plan funds every account for the order, whether it is placed or not.
                let account = self.accounts.next(new.side);
                let ended = self.cancel(old)?;
                self.outcome.moved.note(ended);
                if ended == Some(Canceled::Done) { self.place(new, account) } else { Ok(()) }
            }
            Step::Compare(recorded) => {
                let sides = recorded.iter().zip(&self.best);
                for (equal, (recorded, found)) in self.outcome.equal.iter_mut().zip(sides) {
                    *equal += u64::from(recorded == found);
                }
                Ok(())
            }
        }
    }

    fn place(&mut self, order: &OrderRow, account: Place) -> anyhow::Result<()> {
        let placed = self.venue.place(order, account).with_context(|| self.failed(order))?;
        self.outcome.sent_count += 1;
        match placed {
            Placed::Accepted => self.outcome.accepted_count += 1,
            Placed::Refused { code, detail } => {
                let shown = format!("line {}: {code}: {detail}", order.line);
                note(&mut self.outcome.refusals, shown);
                *self.outcome.refused.entry(code).or_default() += 1;
                self.refused.insert(order.order_id);
            }
        }
        self.look(order)
    }

    /// Cancels an order, unless the exchange had refused it.
    fn cancel(&mut self, order: &OrderRow) -> anyhow::Result<Option<Canceled>> {
        if self.refused.contains(&order.order_id) {
            return Ok(None);
        }
        let ended = self.venue.cancel(order).with_context(|| self.failed(order))?;
        self.look(order)?;
        Ok(Some(ended))
    }

    fn look(&mut self, order: &OrderRow) -> anyhow::Result<()> {
        let best = self.venue.best().with_context(|| self.failed(order))?;
        self.outcome.look_count += 1;
        self.best = best;
        if let [Some(bid), Some(ask)] = best
            && bid >= ask
        {
            self.outcome.crossed_count += 1;
            let shown = format!("line {}: buyers at {bid}, sellers at {ask}", order.line);
            note(&mut self.outcome.crossings, shown);
        }
        Ok(())
    }

    fn failed(&self, order: &OrderRow) -> anyhow::Error {
        at(self.path, order.line, &format!("the exchange failed at command {}", order.seq))
    }
}

impl Cancels {
    const fn note(&mut self, ended: Option<Canceled>) {
        match ended {
            Some(Canceled::Done) => self.done += 1,
            Some(Canceled::TooLate) => self.late += 1,
            None => self.refused += 1,
        }
    }
}

fn note(list: &mut Vec<String>, line: String) {
    if list.len() < SHOWN_COUNT_MAX {
        list.push(line);
    }
}

/// Steps between two moves of the bar.
const PROGRESS_STEP: u64 = 64;
/// Refusals, and crossings, that are shown.
const SHOWN_COUNT_MAX: usize = 3;

#[cfg(test)]
mod tests;
