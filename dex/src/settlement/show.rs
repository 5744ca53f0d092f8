//! Reports and reconciliations, for people and for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};
use settlement::{Check, Compared, Refunded, Volume};

use super::check::Checked;

/// The day's report as one JSON object.
pub(super) fn report_json(checked: &Checked) -> Value {
    let report = &checked.report;
    let volume = |(symbol, quote, volume): (&_, &_, &Volume)| {
        json!({
            "symbol": format!("{symbol}"),
            "quote_asset": format!("{quote}"),
            "settled_volume": volume.value.to_string(),
            "settled_quantity": volume.quantity.to_string(),
            "settlements": volume.count,
            "average_settlement_nanos": volume.mean_nanos().map(nanos),
        })
    };
    let mut object = status(checked);
    object["markets"] = report.markets().map(volume).collect();
    object["settlements"] = report.count().into();
    object["average_settlement_nanos"] = report.mean_nanos().map(nanos).into();
    object["failed_settlements"] = report.failed_count().into();
    let refund = |(asset, refunded): (&_, &Refunded)| {
        json!({
            "asset": format!("{asset}"),
            "refunded": refunded.amount.to_string(),
            "refunds": refunded.count,
        })
    };
    object["fees_refunded"] = report.refunds().map(refund).collect();
    object
}

/// The day's report as a table.
pub(super) fn report_table(checked: &Checked) -> String {
    let report = &checked.report;
    let mut out = format!("Settled on {} (UTC)\n\n", checked.day);
    let _ = writeln!(
        out,
        "{:<16}{:<8}{:>28}{:>14}{:>14}",
        "market", "asset", "volume", "settlements", "average ns"
    );
    for (symbol, quote, volume) in report.markets() {
        let (value, count) = (volume.value.to_string(), volume.count);
        let mean = volume.mean_nanos().unwrap_or_default();
        let (symbol, quote) = (symbol.as_str(), quote.as_str());
        let _ = writeln!(out, "{symbol:<16}{quote:<8}{value:>28}{count:>14}{mean:>14}");
    }
    let mean = report.mean_nanos().map_or("-".to_owned(), |mean| mean.to_string());
    let _ = writeln!(out, "\nsettlements {}, on average {mean} ns", report.count());
    let _ = writeln!(out, "failed settlements {} (expected 0)", report.failed_count());
    for (asset, refunded) in report.refunds() {
        let (amount, count) = (refunded.amount.to_string(), refunded.count);
        let _ = writeln!(out, "fees refunded {amount} {asset}, in {count}");
    }
    out + &closing_lines(checked)
}

/// The reconciliation as one JSON object.
pub(super) fn reconciliation_json(checked: &Checked) -> Value {
    let checks = |compared: &[Compared; Check::COUNT]| -> Value {
        let checks = Check::ALL.into_iter().zip(compared).map(|(check, it)| {
            json!({
                "check": check.name(),
                "trades": it.left.to_string(),
                "rows": it.right.to_string(),
                "equal": it.first_difference.is_none(),
                "first_difference": it.first_difference,
            })
        });
        checks.collect()
    };
    let market = |(symbol, quote, compared): (&_, &_, &_)| {
        json!({
            "symbol": format!("{symbol}"),
            "quote_asset": format!("{quote}"),
            "checks": checks(compared),
        })
    };
    let mut object = status(checked);
    object["markets"] = checked.reconciliation.markets().map(market).collect();
    object["first_other_row"] = checked.first_other_row.into();
    object["pnl"] = PNL.into();
    object
}

/// The reconciliation as a table.
pub(super) fn reconciliation_table(checked: &Checked) -> String {
    let mut out = format!("Reconciliation of {} (UTC), without tolerance\n\n", checked.day);
    let _ = writeln!(
        out,
        "{:<16}{:<8}{:<20}{:>28}{:>28}  first difference",
        "market", "asset", "check", "from trades", "from rows"
    );
    for (symbol, quote, compared) in checked.reconciliation.markets() {
        for (check, it) in Check::ALL.into_iter().zip(compared) {
            let (left, right) = (it.left.to_string(), it.right.to_string());
            let first = it.first_difference.map_or("-".to_owned(), |first| first.to_string());
            let (symbol, quote, check) = (symbol.as_str(), quote.as_str(), check.name());
            let _ =
                writeln!(out, "{symbol:<16}{quote:<8}{check:<20}{left:>28}{right:>28}  {first}");
        }
    }
    if let Some(sequence) = checked.first_other_row {
        let _ = writeln!(out, "\nThe kept rows are not the log's from trade {sequence} on.");
    }
    let _ = writeln!(out, "\npnl: {PNL}");
    out + &closing_lines(checked)
}

/// The alert of a discrepancy, on one line.
pub(super) fn alert(day: &str, sequence: u64) -> String {
    format!(
        "P0 SETTLEMENT_DISCREPANCY: trades and journal of {day} differ first at sequence {sequence}; \
         the day is not complete"
    )
}

fn status(checked: &Checked) -> Value {
    json!({
        "day": checked.day.to_string(),
        "closed": checked.is_closed,
        "complete": checked.is_complete(),
        "first_difference": checked.first_difference(),
    })
}

fn closing_lines(checked: &Checked) -> String {
    if let Some(sequence) = checked.first_difference() {
        return format!("\nNOT COMPLETE: the two sides differ first at sequence {sequence}\n");
    }
    if !checked.is_closed {
        return "\nNOT COMPLETE: the log does not reach beyond the day yet\n".to_owned();
    }
    "\nCOMPLETE: the day is closed and reconciled\n".to_owned()
}

/// JSON has no integer of 128 bits; a mean lies between times of 64.
fn nanos(mean: i128) -> i64 {
    i64::try_from(mean).unwrap_or(i64::MAX)
}

/// What is said of the check that spot does not have.
const PNL: &str = "no derivative market is listed, so there is no realized PnL to compare";
