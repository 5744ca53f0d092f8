//! What a replay asks of an exchange, whether it is a kernel in this process or a door over HTTP.

use super::plan::Place;
use super::rows::{Depth, OrderRow, TradeRow};

/// An exchange with a market, and accounts with money, ready for the recorded orders.
pub(super) trait Venue {
    /// Places a limit order, good till canceled, for an account.
    ///
    /// # Errors
    /// The exchange refused it.
    fn place(&mut self, order: &OrderRow, account: Place) -> anyhow::Result<()>;

    /// Cancels what is left of an order.
    ///
    /// # Errors
    /// The exchange did not answer, or refused for another reason than that the order has ended.
    fn cancel(&mut self, order: &OrderRow) -> anyhow::Result<Canceled>;

    /// The best levels of both sides.
    ///
    /// # Errors
    /// The exchange did not answer.
    fn depth(&mut self) -> anyhow::Result<Depth>;

    /// All trades so far, oldest first.
    ///
    /// # Errors
    /// The exchange did not tell them.
    fn trades(&mut self) -> anyhow::Result<Vec<TradeRow>>;
}

/// What became of a cancel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Canceled {
    /// The order ended by it.
    Done,
    /// The order had ended before.
    TooLate,
}
