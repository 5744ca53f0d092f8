//! What a replay asks of an exchange, whether it is a kernel in this process or a door over HTTP.

use anyhow::bail;
use units::Amount;

use super::plan::Place;
use super::rows::{Depth, OrderRow, TradeRow};

/// An exchange with a market, and accounts with money, ready for the recorded orders.
pub(super) trait Venue {
    /// Places a limit order, good till canceled, for an account.
    ///
    /// # Errors
    /// The exchange did not answer.
    fn place(&mut self, order: &OrderRow, account: Place) -> anyhow::Result<Placed>;

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

    /// The best price of both sides, buyers first, as somebody outside sees them now.
    ///
    /// # Errors
    /// The exchange did not answer.
    fn best(&mut self) -> anyhow::Result<Best>;

    /// All trades so far, oldest first.
    ///
    /// # Errors
    /// The exchange did not tell them.
    fn trades(&mut self) -> anyhow::Result<Vec<TradeRow>>;
}

/// The best price of each side that has one: buyers, then sellers.
pub(super) type Best = [Option<Amount>; 2];

/// What became of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Placed {
    /// It was accepted.
    Accepted,
    /// It was refused.
    Refused {
        /// The name of the code.
        code: String,
        /// What was said with it.
        detail: String,
    },
}

impl Placed {
    /// Takes nothing but an accepted order.
    ///
    /// # Errors
    /// The order was refused.
    pub(super) fn accepted(self) -> anyhow::Result<()> {
        match self {
            Self::Accepted => Ok(()),
            Self::Refused { code, detail } => bail!("{code}: {detail}"),
        }
    }
}

/// What became of a cancel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Canceled {
    /// The order ended by it.
    Done,
    /// The order had ended before.
    TooLate,
}
