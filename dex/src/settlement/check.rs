//! A day, read from the log: its report, its reconciliation, and whether it may be called complete.

use anyhow::Context as _;
use port::SettlementView;
use schema::GroupIter;
use settlement::{Day, Pair, Reading, Reconciliation, Refund, Report, Settled, Trade};

use super::kept::KeptRows;
use crate::flow::bar;
use crate::log::Source;

/// What a day came to.
pub(super) struct Checked {
    pub(super) day: Day,
    /// The log reaches beyond the day, so no trade of it can follow.
    pub(super) is_closed: bool,
    pub(super) report: Report,
    pub(super) reconciliation: Reconciliation,
    /// The first trade whose kept row is missing, too many, or another than the log's (SETL-42).
    pub(super) first_other_row: Option<u64>,
}

impl Checked {
    /// The first trade at which anything differs.
    pub(super) fn first_difference(&self) -> Option<u64> {
        let found = [self.reconciliation.first_difference(), self.first_other_row];
        found.into_iter().flatten().min()
    }

    /// Whether the day's report may be marked complete (SETL-48).
    pub(super) fn is_complete(&self) -> bool {
        self.is_closed && self.first_difference().is_none()
    }
}

/// What a day's report is made of.
pub(super) enum Entry {
    /// A trade with its row.
    Trade(Box<Settled>),
    /// A fee that was given back.
    Refund(Refund),
}

/// Follows the log up to the end of a day and hands out the day's trades and refunds; answers whether the log
/// reaches beyond it.
///
/// # Errors
/// The log cannot be read, or `each` fails.
pub(super) fn follow(
    source: &Source,
    day: Day,
    mut each: impl FnMut(&Reading, Entry) -> anyhow::Result<()>,
) -> anyhow::Result<bool> {
    let bar = bar("reading events", source.event_end());
    let mut reading = Reading::default();
    for block in source.blocks()? {
        let block = block?;
        for group in GroupIter::new(block.payload()) {
            let group = group?;
            if group.head.first_timestamp >= day.end() {
                bar.finish_and_clear();
                return Ok(true);
            }
            let trades = reading.pass(&group).context("`dex verify` tells more")?;
            for trade in trades {
                if day.contains(trade.trade.settled_at) {
                    each(&reading, Entry::Trade(Box::new(trade)))?;
                }
            }
            for refund in reading.refunds() {
                if day.contains(refund.refunded_at) {
                    each(&reading, Entry::Refund(*refund))?;
                }
            }
        }
        bar.set_position(reading.last().sequence);
    }
    bar.finish_and_clear();
    Ok(reading.last().timestamp >= day.end())
}

/// Reports and reconciles a day: the log's own rows, or kept ones.
///
/// # Errors
/// The log or the kept rows cannot be read.
pub(super) fn check(
    source: &Source,
    day: Day,
    mut kept: Option<KeptRows>,
) -> anyhow::Result<Checked> {
    let mut report = Report::default();
    let mut reconciliation: Option<Reconciliation> = None;
    let mut first_other_row = None;
    let is_closed = follow(source, day, |reading, entry| {
        let Settled { trade, row } = match entry {
            Entry::Trade(settled) => *settled,
            Entry::Refund(refund) => {
                report.pass_refund(&refund);
                return Ok(());
            }
        };
        report.pass(row.as_ref());
        let reconciliation =
            reconciliation.get_or_insert_with(|| Reconciliation::new(reading.fee_accounts()));
        let Some(kept) = &mut kept else {
            reconciliation.pass(pair(&trade, row.as_ref()));
            return Ok(());
        };
        let mut found = None;
        while found.is_none()
            && let Some(it) = kept.next_up_to(trade.sequence)?
        {
            if it.trade.sequence == trade.sequence {
                found = Some(it);
            } else {
                reconciliation.pass(Pair::Row(&it));
                first_other_row.get_or_insert(it.trade.sequence);
            }
        }
        if found != row {
            first_other_row.get_or_insert(trade.sequence);
        }
        reconciliation.pass(pair(&trade, found.as_ref()));
        Ok(())
    })?;
    let mut reconciliation = reconciliation.unwrap_or_else(|| Reconciliation::new(&[]));
    // Rows behind the last trade of the day.
    while let Some(kept) = &mut kept
        && let Some(it) = kept.next_up_to(u64::MAX)?
    {
        reconciliation.pass(Pair::Row(&it));
        first_other_row.get_or_insert(it.trade.sequence);
    }
    Ok(Checked { day, is_closed, report, reconciliation, first_other_row })
}

const fn pair<'a>(trade: &'a Trade, row: Option<&'a SettlementView>) -> Pair<'a> {
    match row {
        Some(row) => Pair::Both(trade, row),
        None => Pair::Trade(trade),
    }
}
