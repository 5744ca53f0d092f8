//! `dex replay`: the state again from the event log, checked, compared and reported.
//!
//! One tool for disaster recovery, audits, tests on old data and the search for faults (RPL-5). It replays in
//! memory and writes nothing, but for a report and a target folder where those are asked for. Read `full.rs`
//! for the whole state, `partial.rs` for one entity from its own events, `check.rs` for what is wrong with a
//! log, `target.rs` for the folder that is made.

mod begin;
mod check;
mod compare;
mod digest;
mod full;
mod partial;
mod report;
mod target;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;

pub(crate) use begin::begin_at;

use crate::log::{Source, check_folder};
use crate::state::Moment;

/// Replay the event log from a moment to a moment, check it and compare what comes of it.
///
/// Applies the events, each recorded state hash compared on the way, and says at which rate. --from begins at
/// the latest snapshot at or before it, --to stops behind the last command that was whole then. --compare
/// holds the state against that of another data folder or of a snapshot, field by field. --target makes a new
/// data folder with both logs up to there. With --account, --order or --symbol only the events that list that
/// one are replayed, and what they rebuild is told with the events behind each figure.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  dex replay ./dex-data                                       everything, recorded hashes compared
  dex replay ./dex-data --from 2026-11-24T00:00:00Z           the log since then, from the snapshot before
  dex replay ./dex-data --to 5000 --target ./then             a folder as it was behind event 5000
  dex replay ./dex-data --compare ./replica                   every field in which two folders differ
  dex replay ./dex-data --compare ./dex-data/snapshots/00000000000000005000.snapshot
  dex replay ./dex-data --account alice --from 100 --to 900   balances and fees of an account in between
  dex replay ./dex-data --report report.json                  for a job that runs every night

Status: 0 all is equal; 1 the folder cannot be read; 2 the command line is wrong; 3 the log is damaged or
something differs, and the report says what, where and the likely cause.")]
pub(crate) struct Args {
    /// The data folder.
    data: PathBuf,
    /// Where to begin: the number of an event, or a time in ISO 8601.
    #[arg(long, value_name = "SEQUENCE|TIME", value_parser = Moment::parse)]
    from: Option<Moment>,
    /// Where to stop.
    #[arg(long, value_name = "SEQUENCE|TIME", value_parser = Moment::parse)]
    to: Option<Moment>,
    /// A folder to make, with both logs up to the end.
    #[arg(long, value_name = "FOLDER", conflicts_with = "one")]
    target: Option<PathBuf>,
    /// A data folder or a snapshot to compare the state with.
    #[arg(long, value_name = "FOLDER|FILE", conflicts_with = "one")]
    compare: Option<PathBuf>,
    /// A file to write the report to, as JSON.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    #[command(flatten)]
    one: One,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

/// The one entity of a partial replay.
#[derive(Debug, clap::Args)]
#[group(id = "one", multiple = false)]
pub(crate) struct One {
    /// Only this account: its external id, or its id.
    #[arg(long, value_name = "NAME|ID")]
    account: Option<String>,
    /// Only this order.
    #[arg(long, value_name = "ID")]
    order: Option<units::Id>,
    /// Only this market.
    #[arg(long, value_name = "SYMBOL")]
    symbol: Option<String>,
}

/// Replays, prints and writes what was asked for.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    check_folder(&args.data)?;
    if let (Some(Moment::Sequence(from)), Some(Moment::Sequence(to))) = (args.from, args.to)
        && from > to
    {
        bail!("--from {from} lies behind --to {to}: nothing is between them");
    }
    let report = match Source::open(&args.data) {
        Ok(source) if args.one.is_some() => partial::replay(&source, args)?,
        Ok(source) => full::replay(&source, args)?,
        Err(fault) => match report::damage(&args.data, &fault)? {
            Some(report) => report,
            None => return Err(fault),
        },
    };
    if let Some(path) = &args.report {
        report.write(path)?;
    }
    report.print(args.json)?;
    Ok(if report.is_equal() { ExitCode::SUCCESS } else { ExitCode::from(DIFFERS) })
}

impl One {
    const fn is_some(&self) -> bool {
        self.account.is_some() || self.order.is_some() || self.symbol.is_some()
    }
}

/// Status of a difference.
const DIFFERS: u8 = 3;
