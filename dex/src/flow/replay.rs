//! The recorded stream through an exchange, one command after the other.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use indicatif::ProgressBar;

use super::input::at;
use super::plan::Plan;
use super::rows::{Action, Depth, OrderRow, Recording, TradeRow};
use super::venue::{Canceled, Placed, Venue};

/// What the exchange made of a stream.
#[derive(Clone, Debug)]
pub(super) struct Replayed {
    /// Its trades.
    pub(super) trades: Vec<TradeRow>,
    /// Its books at the recorded points.
    pub(super) books: Vec<Depth>,
    /// Cancels of orders that had ended.
    pub(super) late_cancel_count: u64,
    /// From the first order to the last answer.
    pub(super) took: Duration,
}

/// Replays a recording; `orders_path` is named in errors.
///
/// # Errors
/// The exchange refuses an order or does not answer, with the line.
pub(super) fn replay(
    venue: &mut dyn Venue,
    recording: &Recording,
    plan: &Plan,
    (orders_path, bar): (&Path, &ProgressBar),
) -> anyhow::Result<Replayed> {
    let began = Instant::now();
    let mut accounts = plan.round_robin();
    let mut points = recording.books.iter().peekable();
    let mut books = Vec::with_capacity(recording.books.len());
    let mut late_cancel_count = 0;
    for (done, order) in (1u64..).zip(&recording.orders) {
        // A point between two commands shows the book after the first of them.
        while points.next_if(|point| point.after_seq < order.seq).is_some() {
            books.push(venue.depth()?);
        }
        let answered = match order.action {
            Action::Place { .. } => venue
                .place(order, accounts.next(order.side))
                .and_then(Placed::accepted)
                .map(|()| Canceled::Done),
            Action::Cancel => venue.cancel(order),
        };
        let answered = answered.with_context(|| refused(orders_path, order))?;
        late_cancel_count += u64::from(answered == Canceled::TooLate);
        if done.is_multiple_of(PROGRESS_STEP) {
            bar.set_position(done);
        }
    }
    for _ in points {
        books.push(venue.depth()?);
    }
    let trades = venue.trades()?;
    Ok(Replayed { trades, books, late_cancel_count, took: began.elapsed() })
}

fn refused(path: &Path, order: &OrderRow) -> anyhow::Error {
    at(path, order.line, &format!("the exchange did not take command {}", order.seq))
}

/// Commands between two moves of the bar.
const PROGRESS_STEP: u64 = 64;
