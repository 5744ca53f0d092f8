//! `dex flow`: a recorded market through the exchange, compared with what really happened.
//!
//! Reads a stream of orders, gives each an account, places them one after the other and compares every
//! trade and the recorded books, row by row. Read `rows.rs` for the tables, `plan.rs` for the accounts,
//! `replay.rs` for the run and `compare.rs` for what counts as equal. A tape, which shows what was
//! captured of a market and not what was sent to it, is another matter: `tape/`. The exchange is a kernel
//! in this process (`local.rs`) or one that runs, over HTTP (`remote.rs`).

mod compare;
mod compressed;
mod input;
mod local;
mod plan;
mod progress;
mod remote;
mod replay;
mod rows;
mod shown;
mod tape;
mod venue;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
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
///
/// With --bitstamp the recording is a tape: what somebody captured of a market. Its created orders are
/// placed and its canceled ones canceled, orders that predate it open the book, and behind every command
/// the best prices are asked for. No valid order may be refused and the book may never be crossed; how
/// near trades and best prices come to the tape is told, and is no criterion, since rows were captured
/// late and out of order.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  dex flow orders.csv.gz --expect trades.csv.gz --books books.csv.gz
  dex flow orders.csv --expect trades.csv --books books.csv --tick 0.5 --lot 0.001
  dex flow orders.csv --expect trades.csv --books books.csv --json
  dex flow orders.csv --expect trades.csv --books books.csv --url http://127.0.0.1:8080 --data ./dex-data
  dex flow --bitstamp btcusd.log.zst

Tables, each with this first line:
  ORDERS  seq,time,op,order_id,side,price,quantity
          time is HHMMSScc, op is NEW or CANCEL; a CANCEL has no price and no quantity
  TRADES  taker_seq,taker_order_id,maker_order_id,price,quantity
  BOOKS   after_seq,side,level,price,quantity,orders
          level 1 to 10 is the best to the tenth of its side

A TAPE has no first line; each of its lines is MILLISECONDS KIND OBJECT. KIND is order_created,
order_changed, order_deleted, trade or order_book.

The last line is `trades N of N, books N of N`, and of a tape
`orders N of N, book crossed after 0 of N commands`.
Status: 0 all are equal, 1 a file is wrong or the exchange refused an order, 2 the command line is
wrong, 3 something differs; of a tape 3 if a valid order was refused or the book was crossed.")]
pub(crate) struct Args {
    #[command(flatten)]
    recorded: Recorded,
    /// Smallest step of the price.
    #[arg(long, value_name = "DECIMAL", default_value = "0.01", value_parser = step)]
    tick: Amount,
    /// Smallest step of the quantity [default: 1; of a tape 0.00000001]
    #[arg(long, value_name = "DECIMAL", value_parser = step)]
    lot: Option<Amount>,
    /// Symbol of the market, BASE/QUOTE [default: SSE/CNY, of a tape BTC/USD; with --url a new one, such
    /// as SSE1F00C0DE/CNY]
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

/// What was recorded: three tables, or a tape.
#[derive(Debug, clap::Args)]
struct Recorded {
    /// The recorded orders.
    #[arg(required_unless_present = "bitstamp", requires_all = ["expect", "books"])]
    orders: Option<PathBuf>,
    /// The recorded trades.
    #[arg(long, value_name = "TRADES")]
    expect: Option<PathBuf>,
    /// The recorded books.
    #[arg(long)]
    books: Option<PathBuf>,
    /// A tape of Bitstamp instead of the three tables.
    #[arg(long, value_name = "TAPE", conflicts_with_all = ["orders", "expect", "books"])]
    bitstamp: Option<PathBuf>,
}

/// The paths of the three tables.
#[derive(Clone, Copy, Debug)]
struct Tables<'a> {
    orders: &'a Path,
    trades: &'a Path,
    books: &'a Path,
}

impl Recorded {
    fn tables(&self) -> Option<Tables<'_>> {
        let Self { orders, expect, books, .. } = self;
        Some(Tables { orders: orders.as_ref()?, trades: expect.as_ref()?, books: books.as_ref()? })
    }
}

/// Replays, compares and prints.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if let Some(path) = &args.recorded.bitstamp {
        return tape::run(args, path);
    }
    let tables = args.recorded.tables().context("a recording is orders, trades and books")?;
    let recording = Recording::load(tables.orders, tables.trades, tables.books)?;
    let lot = args.lot.unwrap_or(Amount::ONE);
    let plan = Plan::new(recording.orders.iter(), (args.tick, lot))?;
    let replayed = in_venue(args, &plan, &DEFAULT_MARKET, |venue| {
        let bar = bar("replaying", recording.orders.len() as u64);
        let replayed = replay(venue, &recording, &plan, (tables.orders, &bar));
        bar.finish_and_clear();
        replayed
    })?;
    let names = Names { trades: tables.trades, books: tables.books };
    let comparison = Comparison::new(&recording, &replayed, names);
    if args.json {
        println!("{:#}", summary(&recording, &plan, &replayed, &comparison));
    } else {
        print(&recording, &plan, &replayed, &comparison);
    }
    Ok(if comparison.is_equal() { ExitCode::SUCCESS } else { ExitCode::from(DIFFERS) })
}

/// What a market is called that no --symbol names: base and quote.
struct MarketName {
    base: &'static str,
    quote: &'static str,
}

/// Does something in the exchange that the arguments name, ready for the plan's orders. A kernel of our
/// own must have conserved every asset at the end.
fn in_venue<T>(
    args: &Args,
    plan: &Plan,
    name: &MarketName,
    work: impl FnOnce(&mut dyn Venue) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let Some(url) = &args.url else {
        let symbol = format!("{}/{}", name.base, name.quote);
        let mut venue = LocalVenue::new(plan, args.symbol.as_ref().unwrap_or(&symbol))?;
        let done = work(&mut venue)?;
        venue.check_conserved()?;
        return Ok(done);
    };
    let settings = Settings::load(&args.source, &Flags::default())?;
    let (symbol, data_dir) = (args.symbol.as_deref(), settings.data_dir.as_path());
    let mut venue = RemoteVenue::new(plan, Target { url, data_dir, symbol, name })?;
    if !args.json {
        println!("{} on {url}", venue.symbol());
    }
    work(&mut venue)
}

fn print(recording: &Recording, plan: &Plan, replayed: &Replayed, comparison: &Comparison) {
    println!(
        "{} commands by {} accounts in {:.2} s, {:.0} a second",
        recording.orders.len(),
        plan.account_count(),
        replayed.took.as_secs_f64(),
        rate(recording.orders.len(), replayed.took),
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
        "commands_per_second": rate(recording.orders.len(), replayed.took).round(),
        "differences": comparison.differences,
    })
}

/// Commands a second.
fn rate(count: usize, took: Duration) -> f64 {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    f64::from(count) / took.as_secs_f64().max(f64::EPSILON)
}

/// A tick or a lot.
fn step(text: &str) -> Result<Amount, String> {
    let step: Amount = text.parse().map_err(|fault| format!("{fault}"))?;
    if step <= Amount::ZERO {
        return Err("a step is above zero".to_owned());
    }
    Ok(step)
}

/// The market of three tables.
const DEFAULT_MARKET: MarketName = MarketName { base: "SSE", quote: "CNY" };
/// Status when something differs.
const DIFFERS: u8 = 3;
