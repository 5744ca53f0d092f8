//! The recorded hours of a market through the exchange: a soak, and what it must hold to.
//!
//! A tape is what somebody captured of Bitstamp: orders as they came, changed and went, trades, and
//! books now and then. Read `rows.rs` for its lines, `script.rs` for what is sent of it and what a valid
//! order is, `run.rs` for the run and the look at the book behind every command. The run passes if no
//! valid order was refused and the book was never crossed; a kernel in this process must have conserved
//! every asset, too. The recorded trades and best prices are compared and deliberately no criterion: a
//! capture does not tell in which order the market had its orders.

mod rows;
mod run;
mod script;

use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};
use units::Amount;

use super::plan::Plan;
use super::{Args, DIFFERS, MarketName, bar, in_venue, rate};
use run::{Cancels, Outcome};
use script::{Script, Tally};

/// Replays a tape and prints what came of it.
pub(super) fn run(args: &Args, path: &Path) -> anyhow::Result<ExitCode> {
    let lot = args.lot.unwrap_or(LOT);
    let script = Script::new(&rows::read(path)?, (args.tick, lot));
    let plan = Plan::new(script.orders(), (args.tick, lot))?;
    let outcome = in_venue(args, &plan, &DEFAULT_MARKET, |venue| {
        let bar = bar("replaying", script.steps.len() as u64);
        let outcome = run::run(venue, &script, &plan, (path, &bar));
        bar.finish_and_clear();
        outcome
    })?;
    if args.json {
        println!("{:#}", summary(&script.tally, &plan, &outcome));
    } else {
        print(&script.tally, &plan, &outcome);
    }
    Ok(if outcome.is_passed() { ExitCode::SUCCESS } else { ExitCode::from(DIFFERS) })
}

fn print(tally: &Tally, plan: &Plan, outcome: &Outcome) {
    let Outcome { canceled, filled, moved, look_count, took, .. } = outcome;
    let commands = usize::try_from(*look_count).unwrap_or(usize::MAX);
    println!(
        "{look_count} commands by {} accounts in {:.2} s, {:.0} a second with a look behind each",
        plan.account_count(),
        took.as_secs_f64(),
        rate(commands, *took),
    );
    let [created, changed, deleted, trades, books] = tally.rows;
    println!(
        "tape      {created} created, {changed} changed, {deleted} deleted, {trades} trades, {books} books"
    );
    println!(
        "orders    {} sent, {} accepted, {} refused{}",
        outcome.sent_count,
        outcome.accepted_count,
        outcome.refused_count(),
        listed(&outcome.refused),
    );
    println!(
        "          {} opened the book, {} were moved, {} were canceled before they were created",
        tally.opening_count, moved.done, tally.reordered_count,
    );
    println!(
        "not sent  {} not valid{}, {} that predate the tape with unknown quantity",
        tally.invalid.values().sum::<u64>(),
        listed(&tally.invalid),
        tally.unknown_count,
    );
    println!(
        "cancels   {} took what was left, {} of orders that had traded",
        canceled.done, canceled.late
    );
    println!(
        "filled    {} orders that the tape filled had traded whole, {} in part or not",
        filled.late, filled.done,
    );
    println!(
        "trades    {} of {trades}, volume {} of {}: {}",
        outcome.trade_count,
        outcome.volume,
        tally.volume,
        percent(outcome.volume.0, tally.volume.0)
    );
    for (name, equal) in ["buyer", "seller"].iter().zip(outcome.equal) {
        let share = percent(equal.into(), books.into());
        println!("books     the best {name} is equal at {equal} of {books}: {share}");
    }
    for line in outcome.refusals.iter().chain(&outcome.crossings) {
        println!("{line}");
    }
    println!(
        "orders {} of {}, book crossed after {} of {look_count} commands",
        outcome.accepted_count, outcome.sent_count, outcome.crossed_count,
    );
}

fn summary(tally: &Tally, plan: &Plan, outcome: &Outcome) -> Value {
    let cancels = |cancels: Cancels| json!({"done": cancels.done, "late": cancels.late, "of_refused": cancels.refused});
    let [created, changed, deleted, trades, books] = tally.rows;
    json!({
        "passed": outcome.is_passed(),
        "tape": {
            "created": created, "changed": changed, "deleted": deleted, "trades": trades,
            "books": books, "volume": tally.volume.to_string(), "unused_rows": tally.unused_row_count,
        },
        "orders": {
            "sent": outcome.sent_count, "accepted": outcome.accepted_count,
            "refused": outcome.refused_count(), "refused_by_code": outcome.refused,
            "refusals": outcome.refusals, "opening": tally.opening_count,
            "reordered": tally.reordered_count,
        },
        "not_sent": {
            "invalid": tally.invalid, "first_invalid_line": tally.invalid_line,
            "unknown_quantity": tally.unknown_count,
        },
        "canceled": cancels(outcome.canceled),
        "filled": cancels(outcome.filled),
        "moved": cancels(outcome.moved),
        "trades": outcome.trade_count,
        "volume": outcome.volume.to_string(),
        "best_equal": {"buyer": outcome.equal[0], "seller": outcome.equal[1]},
        "looks": outcome.look_count,
        "crossed": outcome.crossed_count,
        "crossings": outcome.crossings,
        "accounts": plan.account_count(),
        "seconds": outcome.took.as_secs_f64(),
    })
}

/// Counts by name, in brackets.
fn listed<K: std::fmt::Display>(counts: &std::collections::BTreeMap<K, u64>) -> String {
    let all: Vec<String> = counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
    if all.is_empty() { String::new() } else { format!(" ({})", all.join(", ")) }
}

/// A part of a whole in tenths of a percent, rounded down: what is nearly all is not shown as all.
fn percent(part: i128, whole: i128) -> String {
    if whole == 0 {
        return "of nothing".to_owned();
    }
    let tenths = part.saturating_mul(1_000) / whole;
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// Bitstamp trades hundred-millionths.
const LOT: Amount = Amount(10_000_000_000);
/// The market of a tape.
const DEFAULT_MARKET: MarketName = MarketName { base: "BTC", quote: "USD" };
