//! `Reconciliation`: rows of the journal held to the figures of trades, without any tolerance.
//!
//! The checks of SETL-46 that spot has, per market and quote asset. The left side comes from TradeExecuted
//! and TradeSettled, the right side from the postings of the rows. They are compared trade by trade and
//! not only in sum, so two differences that cancel out within the day are found too; what is added up is
//! for the reader. It stops at nothing: every check of every market tells its own first difference.
//! One check is added to the specification's: what a row moves beside the legs of SETL-17 is nothing.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use port::{PostingView, SettlementView};
use schema::Label;
use units::{Amount, Id, Side};

use crate::reading::Trade;
use crate::sum::Sum;

/// What is compared (SETL-46).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// Quantity × price, and the buyer's quote debit less the fee.
    PrincipalPaid,
    /// Quantity × price, and the seller's quote credit plus the fee.
    PrincipalReceived,
    /// Quantity, and base credited to the buyer.
    BaseCredited,
    /// Quantity, and base debited from the seller.
    BaseDebited,
    /// Both fees, and credits to REVENUE, INSURANCE_FUND and REFERRAL.
    Fees,
    /// Trades, and rows.
    Count,
    /// Nothing, and what moves in another asset or on another account, as a sum of sizes.
    Elsewhere,
}

/// Both sides of a check in a market.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// What the trades say, of the whole day.
    pub left: Sum,
    /// What the rows say, of the whole day.
    pub right: Sum,
    /// Sequence of the first trade (its TradeExecuted) at which the two sides differ (SETL-48).
    pub first_difference: Option<u64>,
}

/// A trade and its row; one side is absent where the other has no counterpart.
#[derive(Clone, Copy, Debug)]
pub enum Pair<'a> {
    /// Both are there, of one trade.
    Both(&'a Trade, &'a SettlementView),
    /// A trade without a row.
    Trade(&'a Trade),
    /// A row without a trade, or a second one of a trade.
    Row(&'a SettlementView),
}

/// The reconciliation of a day.
#[derive(Clone, Debug)]
pub struct Reconciliation {
    fee_accounts: Vec<Id>,
    markets: BTreeMap<(Label, Label), [Compared; Check::COUNT]>,
}

/// One side of one trade, a figure for each check.
type Figures = [Sum; Check::COUNT];

impl Check {
    /// How many there are.
    pub const COUNT: usize = 7;
    /// All of them, in the order of their figures.
    pub const ALL: [Self; Self::COUNT] = [
        Self::PrincipalPaid,
        Self::PrincipalReceived,
        Self::BaseCredited,
        Self::BaseDebited,
        Self::Fees,
        Self::Count,
        Self::Elsewhere,
    ];

    /// Its name, as it is shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PrincipalPaid => "principal_paid",
            Self::PrincipalReceived => "principal_received",
            Self::BaseCredited => "base_credited",
            Self::BaseDebited => "base_debited",
            Self::Fees => "fees",
            Self::Count => "count",
            Self::Elsewhere => "elsewhere",
        }
    }
}

impl Reconciliation {
    /// Nothing is compared yet; fees go to these accounts and to no other.
    #[must_use]
    pub fn new(fee_accounts: &[Id]) -> Self {
        Self { fee_accounts: fee_accounts.to_vec(), markets: BTreeMap::new() }
    }

    /// Compares a trade with its row. Trades come in order of sequence.
    pub fn pass(&mut self, pair: Pair<'_>) {
        match pair {
            Pair::Both(trade, row) if row_market(row) == trade_market(trade) => {
                let right = self.right(row, Some(trade.market.base), trade.market.quote);
                self.compare(trade_market(trade), trade.sequence, (left(trade), right));
            }
            // The row was booked in another market: each side lacks its counterpart.
            Pair::Both(trade, row) => {
                self.pass(Pair::Trade(trade));
                self.pass(Pair::Row(row));
            }
            Pair::Trade(trade) => {
                let none = [Sum::ZERO; Check::COUNT];
                self.compare(trade_market(trade), trade.sequence, (left(trade), none));
            }
            Pair::Row(row) => {
                let none = [Sum::ZERO; Check::COUNT];
                let right = self.right(row, None, row.trade.taker_fee_asset);
                self.compare(row_market(row), row.trade.sequence, (none, right));
            }
        }
    }

    /// By symbol and quote asset, in their order; the comparisons in the order of `Check::ALL`.
    pub fn markets(&self) -> impl Iterator<Item = (&Label, &Label, &[Compared; Check::COUNT])> {
        self.markets.iter().map(|((symbol, quote), compared)| (symbol, quote, compared))
    }

    /// The first trade at which any two sides differ; `None` when the day is reconciled.
    #[must_use]
    pub fn first_difference(&self) -> Option<u64> {
        self.markets.values().flatten().filter_map(|it| it.first_difference).min()
    }

    fn compare(
        &mut self,
        market: (Label, Label),
        sequence: u64,
        (left, right): (Figures, Figures),
    ) {
        let compared = self.markets.entry(market).or_default();
        for (it, (left, right)) in compared.iter_mut().zip(left.into_iter().zip(right)) {
            it.left += left;
            it.right += right;
            if left != right {
                let first = it.first_difference.unwrap_or(sequence);
                it.first_difference = Some(first.min(sequence));
            }
        }
    }

    /// What the postings of a row say. Without a known base every asset but the quote counts as base.
    fn right(&self, row: &SettlementView, base: Option<Label>, quote: Label) -> Figures {
        let trade = &row.trade;
        let (maker, taker) =
            ((trade.maker_account_id, trade.maker_fee), (trade.taker_account_id, trade.taker_fee));
        let (buyer, seller) = match trade.side {
            Side::Buy => (taker, maker),
            Side::Sell => (maker, taker),
        };
        let [mut paid, mut received, mut credited, mut debited, mut fees, mut elsewhere] =
            [Sum::ZERO; 6];
        for posting in &row.postings {
            let delta = Sum::from(posting.delta);
            let of = |account: Id| posting.account_id == account;
            let is_base = base.map_or(posting.asset != quote, |base| posting.asset == base);
            match (posting.asset == quote, is_base) {
                (true, _) if of(buyer.0) => paid -= delta,
                (true, _) if of(seller.0) => received += delta,
                (true, _) if self.fee_accounts.contains(&posting.account_id) => fees += delta,
                (false, true) if of(buyer.0) => credited += delta,
                (false, true) if of(seller.0) => debited -= delta,
                _ => elsewhere += size(posting),
            }
        }
        paid -= buyer.1.into();
        received += seller.1.into();
        [paid, received, credited, debited, fees, Sum::count(1), elsewhere]
    }
}

/// What the figures of a trade say.
fn left(trade: &Trade) -> Figures {
    let (value, quantity) = (Sum::from(trade.value), Sum::from(trade.quantity));
    let mut fees = Sum::from(trade.fees[0]);
    fees += trade.fees[1].into();
    [value, value, quantity, quantity, fees, Sum::count(1), Sum::ZERO]
}

fn size(posting: &PostingView) -> Sum {
    let mut size = Sum::ZERO;
    if posting.delta < Amount::ZERO {
        size -= posting.delta.into();
    } else {
        size += posting.delta.into();
    }
    size
}

fn trade_market(trade: &Trade) -> (Label, Label) {
    (trade.market.symbol, trade.market.quote)
}

fn row_market(row: &SettlementView) -> (Label, Label) {
    (row.trade.symbol, row.trade.taker_fee_asset)
}
