//! `dex settlement`: the settlement journal's daily work, for operators and auditors.
//!
//! Reads the event log of a stopped exchange, or of a copy, and nothing else: neither the archive nor a
//! kernel. Nothing is written. What is computed is in the crate `settlement`; here are the log, the
//! lines, the tables and the status. What an operator does with it: docs/settlement.md.

mod check;
mod kept;
mod line;
mod show;

use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use settlement::Day;

use crate::log::{Source, is_closed_pipe};
use check::{Checked, Entry, check, follow};
use kept::KeptRows;

/// A day of the settlement journal: its rows, its report, its reconciliation.
///
/// Everything is made from the event log alone. The exchange must be stopped; of a running one, read a
/// copy of its folder. A day is in UTC, and closed once the log reaches beyond it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  dex settlement ./dex-data --day 2026-01-31                          the day's report
  dex settlement ./dex-data --day 2026-01-31 --journal > rows.jsonl   its rows, one JSON object a line
  dex settlement ./dex-data --day 2026-01-31 --reconcile              trades against postings, to 10^-18
  dex settlement ./dex-data --day 2026-01-31 --reconcile --rows rows.jsonl
                                                                      the same with rows kept from before

Status: 0 the rows are printed, or the day is complete; 1 the folder or the file cannot be read; 2 the
command line is wrong; 3 a discrepancy: the message names the first sequence number at which the two
sides differ; 4 the log does not reach beyond the day, so it is not complete.")]
pub(crate) struct Args {
    /// The data folder.
    data: PathBuf,
    /// The day in UTC, as YYYY-MM-DD.
    #[arg(long, value_name = "DAY")]
    day: Day,
    /// Print the rows of the journal, one JSON object a line.
    #[arg(long, group = "what", conflicts_with = "json")]
    journal: bool,
    /// Print volume, settlements, average time and failures; this is the default.
    #[arg(long, group = "what")]
    report: bool,
    /// Compare the trades with the rows, per market and quote asset.
    #[arg(long, group = "what")]
    reconcile: bool,
    /// Reconcile these rows, which --journal printed before, instead of the log's own.
    #[arg(long, value_name = "FILE", requires = "reconcile")]
    rows: Option<PathBuf>,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

/// Reads and prints.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let source = Source::open(&args.data)?;
    if args.journal {
        return match print_journal(&source, args.day) {
            // Whoever reads has seen enough, as `head` does.
            Err(fault) if is_closed_pipe(&fault) => Ok(ExitCode::SUCCESS),
            done => done.map(|()| ExitCode::SUCCESS),
        };
    }
    let kept = args.rows.as_deref().map(KeptRows::open).transpose()?;
    let checked = check(&source, args.day, kept)?;
    match (args.reconcile, args.json) {
        (true, true) => println!("{:#}", show::reconciliation_json(&checked)),
        (true, false) => print!("{}", show::reconciliation_table(&checked)),
        (false, true) => println!("{:#}", show::report_json(&checked)),
        (false, false) => print!("{}", show::report_table(&checked)),
    }
    Ok(status(&checked))
}

fn print_journal(source: &Source, day: Day) -> anyhow::Result<()> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let is_closed = follow(source, day, |_, entry| {
        if let Entry::Trade(settled) = entry
            && let Some(row) = &settled.row
        {
            writeln!(out, "{}", line::write(row)?)?;
        }
        Ok(())
    })?;
    out.flush()?;
    if !is_closed {
        eprintln!("note: the log does not reach beyond {day}, so rows may follow");
    }
    Ok(())
}

/// The status of a day; a discrepancy is told on standard error too, where alerts are watched.
fn status(checked: &Checked) -> ExitCode {
    if let Some(sequence) = checked.first_difference() {
        eprintln!("{}", show::alert(&checked.day.to_string(), sequence));
        return ExitCode::from(DISCREPANCY);
    }
    if checked.is_closed { ExitCode::SUCCESS } else { ExitCode::from(OPEN) }
}

/// Status when the two sides differ.
const DISCREPANCY: u8 = 3;
/// Status when the log does not reach beyond the day.
const OPEN: u8 = 4;
