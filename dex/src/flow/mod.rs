//! `dex flow`: a recorded market through the exchange, compared with what really happened.
//!
//! Reads a stream of orders, gives each an account, places them one after the other and compares every
//! trade and the recorded books, row by row. Read `rows.rs` for the tables, `plan.rs` for the accounts,
//! `replay.rs` for the run and `compare.rs` for what counts as equal. The exchange is a kernel in this
//! process (`local.rs`) or one that runs, over HTTP (`remote.rs`).

mod compare;
mod compressed;
mod input;
mod local;
mod plan;
mod progress;
mod remote;
mod replay;
mod rows;
mod venue;

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Value, json};
use units::Amount;

use compare::{Comparison, Names};
use local::LocalVenue;
use plan::Plan;
pub(crate) use progress::bar;
use remote::{RemoteVenue, Target};
use replay::{Replayed, replay};
use rows::Recording;
use venue::Venue;

use crate::settings::{Flags, Settings, Source};

/// Replay a recorded market and compare its trades and books.
///
/// Every recorded order is placed or canceled, one after the other, by accounts of its own: buyers and
/// sellers never share one, so no order can meet its own account. Then the trades must be the recorded
/// ones, in order, in every column, and so must the ten best levels of both sides at every recorded
/// point. Files may be plain or compressed with gzip or Zstandard.
///
/// The exchange is a core in this process. With --url it is one that runs: a new market is listed there,
/// accounts are opened and funded, and one command is in flight at a time. That takes operator's and
/// traders' tokens, so --data must name its data folder.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  dex flow orders.csv.gz --expect trades.csv.gz --books books.csv.gz
  dex flow orders.csv --expect trades.csv --books books.csv --tick 0.5 --lot 0.001
  dex flow orders.csv --expect trades.csv --books books.csv --json
  dex flow orders.csv --expect trades.csv --books books.csv --url http://127.0.0.1:8080 --data ./dex-data

Tables, each with this first line:
  ORDERS  seq,time,op,order_id,side,price,quantity
          time is HHMMSScc, op is NEW or CANCEL; a CANCEL has no price and no quantity
  TRADES  taker_seq,taker_order_id,maker_order_id,price,quantity
  BOOKS   after_seq,side,level,price,quantity,orders
          level 1 to 10 is the best to the tenth of its side

The last line is `trades N of N, books N of N`.
Status: 0 all are equal, 1 a file is wrong or the exchange refused an order, 2 the command line is
wrong, 3 something differs.")]
pub(crate) struct Args {
    /// The recorded orders.
    orders: PathBuf,
    /// The recorded trades.
    #[arg(long, value_name = "TRADES")]
    expect: PathBuf,
    /// The recorded books.
    #[arg(long)]
    books: PathBuf,
    /// Smallest step of the price.
    #[arg(long, value_name = "DECIMAL", default_value = "0.01", value_parser = step)]
    tick: Amount,
    /// Smallest step of the quantity.
    #[arg(long, value_name = "DECIMAL", default_value = "1", value_parser = step)]
    lot: Amount,
    /// Symbol of the market, BASE/QUOTE [default: SSE/CNY; with --url a new one, such as SSE1F00C0DE/CNY]
    #[arg(long, value_name = "SYMBOL")]
    symbol: Option<String>,
    /// A running exchange, http://HOST:PORT
    #[arg(long)]
    url: Option<String>,
    #[command(flatten)]
    source: Source,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// Replays, compares and prints.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let recording = Recording::load(&args.orders, &args.expect, &args.books)?;
    let plan = Plan::new(&recording.orders, (args.tick, args.lot))?;
    let replayed = match &args.url {
        None => in_process(args, &recording, &plan)?,
        Some(url) => over_http(args, url, &recording, &plan)?,
    };
    let names = Names { trades: &args.expect, books: &args.books };
    let comparison = Comparison::new(&recording, &replayed, names);
    if args.json {
        println!("{:#}", summary(&recording, &plan, &replayed, &comparison));
    } else {
        print(&recording, &plan, &replayed, &comparison);
    }
    Ok(if comparison.is_equal() { ExitCode::SUCCESS } else { ExitCode::from(DIFFERS) })
}

/// A kernel of our own.
fn in_process(args: &Args, recording: &Recording, plan: &Plan) -> anyhow::Result<Replayed> {
    let mut venue = LocalVenue::new(plan, args.symbol.as_deref().unwrap_or(DEFAULT_SYMBOL))?;
    let replayed = replay_in(&mut venue, args, recording, plan)?;
    venue.check_conserved()?;
    Ok(replayed)
}

/// An exchange that runs.
fn over_http(
    args: &Args,
    url: &str,
    recording: &Recording,
    plan: &Plan,
) -> anyhow::Result<Replayed> {
    let settings = Settings::load(&args.source, &Flags::default())?;
    let target = Target { url, data_dir: &settings.data_dir, symbol: args.symbol.as_deref() };
    let mut venue = RemoteVenue::new(plan, target)?;
    if !args.json {
        println!("{} on {url}", venue.symbol());
    }
    replay_in(&mut venue, args, recording, plan)
}

fn replay_in(
    venue: &mut dyn Venue,
    args: &Args,
    recording: &Recording,
    plan: &Plan,
) -> anyhow::Result<Replayed> {
    let bar = bar("replaying", recording.orders.len() as u64);
    let replayed = replay(venue, recording, plan, (&args.orders, &bar));
    bar.finish_and_clear();
    replayed
}

fn print(recording: &Recording, plan: &Plan, replayed: &Replayed, comparison: &Comparison) {
    println!(
        "{} commands by {} accounts in {:.2} s, {:.0} a second",
        recording.orders.len(),
        plan.account_count(),
        replayed.took.as_secs_f64(),
        rate(recording, replayed),
    );
    if replayed.late_cancel_count > 0 {
        println!("{} cancels came after the end of their order", replayed.late_cancel_count);
    }
    for difference in &comparison.differences {
        println!("\n{difference}");
    }
    if !comparison.is_equal() {
        println!();
    }
    println!("{}", comparison.line());
}

fn summary(
    recording: &Recording,
    plan: &Plan,
    replayed: &Replayed,
    comparison: &Comparison,
) -> Value {
    let tally = |tally: compare::Tally| json!({"equal": tally.equal, "of": tally.of});
    json!({
        "equal": comparison.is_equal(),
        "trades": tally(comparison.trades),
        "books": tally(comparison.books),
        "commands": recording.orders.len(),
        "accounts": plan.account_count(),
        "late_cancels": replayed.late_cancel_count,
        "seconds": replayed.took.as_secs_f64(),
        "commands_per_second": rate(recording, replayed).round(),
        "differences": comparison.differences,
    })
}

/// Commands a second.
fn rate(recording: &Recording, replayed: &Replayed) -> f64 {
    let count = u32::try_from(recording.orders.len()).unwrap_or(u32::MAX);
    f64::from(count) / replayed.took.as_secs_f64().max(f64::EPSILON)
}

/// A tick or a lot.
fn step(text: &str) -> Result<Amount, String> {
    let step: Amount = text.parse().map_err(|fault| format!("{fault}"))?;
    if step <= Amount::ZERO {
        return Err("a step is above zero".to_owned());
    }
    Ok(step)
}

/// Symbol of the market in a kernel of our own.
const DEFAULT_SYMBOL: &str = "SSE/CNY";
/// Status when something differs.
const DIFFERS: u8 = 3;
