//! `dex verify`: is everything in a data folder as it must be?
//!
//! Two replays that share nothing but the kernel. The commands are executed again: every event that they
//! make is compared byte for byte with the stored one, and every recorded state hash with the state
//! (`engine::verify`). Then the stored events alone are applied to a kernel that never sees a command.
//! Both must end in the same state (D-3). Nothing is written, and nothing is repaired.

mod events;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use engine::{ReplayFault, VerifyFault, VerifyReport};
use journal::LogFault;
use serde_json::{Value, json};

use crate::flow::bar;
use crate::log::{Source, check_folder};
use events::{FromEvents, replay_events};

/// Replay both logs of a data folder and compare them.
///
/// Executes the command log again and compares each event that comes of it, byte for byte, with the
/// event log, and each recorded state hash with the state; then rebuilds the state from the event log
/// alone. Both states must have the same hash. Nothing in the folder is changed. The exchange must be
/// stopped; of a running one, check a copy.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  dex verify ./dex-data            the folder of a stopped exchange
  dex verify ./dex-data --json     the same as one JSON object

Status: 0 all is equal; 1 the folder cannot be checked: there is none, it is in use, of another format
or cannot be read; 2 the command line is wrong; 3 a log is damaged or something differs, and the
message says what and where.")]
pub(crate) struct Args {
    /// The data folder.
    data: PathBuf,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

/// Checks and prints.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    check_folder(&args.data)?;
    let report = match check_commands(&args.data) {
        Ok(report) => report,
        Err(VerifyFault::Replay(fault)) if is_damage(&fault) => {
            return Ok(tell_wrong(args, &fault.to_string()));
        }
        Err(fault) => return Err(fault.into()),
    };
    let source = Source::open(&args.data)?;
    let progress = bar("applying events", report.event_sequence);
    let from_events = replay_events(&source, &progress);
    progress.finish_and_clear();
    let from_events = match from_events {
        Ok(from_events) => from_events,
        Err(fault) => return Ok(tell_wrong(args, &format!("the event log: {fault:#}"))),
    };
    if args.json {
        println!("{:#}", summary(&report, &from_events));
    } else {
        print!("{}", table(&report, &from_events));
    }
    Ok(if is_equal(&report, &from_events) { ExitCode::SUCCESS } else { ExitCode::from(WRONG) })
}

fn check_commands(path: &Path) -> Result<VerifyReport, VerifyFault> {
    let progress = bar("executing commands", 0);
    let report = engine::verify(path, &mut |at| {
        progress.set_length(at.commands_end);
        progress.set_position(at.commands);
    });
    progress.finish_and_clear();
    report
}

/// Whether the folder is wrong, and not only out of reach.
const fn is_damage(fault: &ReplayFault) -> bool {
    !matches!(fault, ReplayFault::Log(LogFault::Storage { .. }))
}

/// Both replays end in the same state; a missing tail of the event log is no fault (EVT-85), but leaves
/// nothing to compare at the end.
fn is_equal(report: &VerifyReport, from_events: &FromEvents) -> bool {
    if report.missing_block_count > 0 {
        return from_events.event_sequence < report.event_sequence;
    }
    from_events.event_sequence == report.event_sequence
        && from_events.state_hash == report.state_hash
}

fn tell_wrong(args: &Args, wrong: &str) -> ExitCode {
    if args.json {
        println!("{:#}", json!({"equal": false, "wrong": wrong}));
    } else {
        println!("NOT EQUAL: {wrong}");
        println!("Nothing was changed; restore the folder from a backup or a replica.");
    }
    ExitCode::from(WRONG)
}

fn table(report: &VerifyReport, from_events: &FromEvents) -> String {
    let mut out = String::new();
    let mut row = |name: &str, commands: String, events: String| {
        let _ = writeln!(out, "{name:<14}{commands:>20}{events:>20}");
    };
    let per_second = |count: u64, took| format!("{:.0}/s", rate(count, took));
    row("", "command log".into(), "event log".into());
    row("last number", report.command_sequence.to_string(), from_events.event_sequence.to_string());
    row("stored in", count(report.record_count, "record"), count(report.block_count, "block"));
    row("trades", "-".into(), from_events.trade_count.to_string());
    row(
        "replayed at",
        per_second(report.command_sequence, report.took),
        per_second(from_events.event_sequence, from_events.took),
    );
    let _ = writeln!(out, "\nstate hash from commands  {}", hex(&report.state_hash));
    let _ = writeln!(out, "state hash from events    {}", hex(&from_events.state_hash));
    if report.unfinished {
        let _ = writeln!(out, "A log ends in an unfinished flush, which the next start cuts off.");
    }
    if report.missing_block_count > 0 {
        let missing = count(report.missing_block_count, "block");
        let _ = writeln!(out, "The event log lacks {missing}, which the next start makes again.");
    }
    let _ = writeln!(out, "\n{}", closing_line(report, from_events));
    out
}

fn closing_line(report: &VerifyReport, from_events: &FromEvents) -> String {
    if !is_equal(report, from_events) {
        return format!("NOT EQUAL at event {}", report.event_sequence);
    }
    format!(
        "EQUAL: {} and {} give one state; recorded hashes compared: {}",
        count(report.command_sequence, "command"),
        count(from_events.event_sequence, "event"),
        report.hash_count,
    )
}

fn summary(report: &VerifyReport, from_events: &FromEvents) -> Value {
    json!({
        "equal": is_equal(report, from_events),
        "commands": report.command_sequence,
        "records": report.record_count,
        "events": report.event_sequence,
        "stored_events": from_events.event_sequence,
        "blocks_compared": report.block_count,
        "blocks_missing": report.missing_block_count,
        "trades": from_events.trade_count,
        "recorded_hashes_compared": report.hash_count,
        "state_hash_from_commands": hex(&report.state_hash),
        "state_hash_from_events": hex(&from_events.state_hash),
        "unfinished": report.unfinished,
        "commands_per_second": rate(report.command_sequence, report.took).round(),
        "events_per_second": rate(from_events.event_sequence, from_events.took).round(),
    })
}

/// A number with its noun, which has the usual plural.
fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("{number} {noun}") } else { format!("{number} {noun}s") }
}

fn rate(count: u64, took: std::time::Duration) -> f64 {
    count as f64 / took.as_secs_f64().max(f64::EPSILON)
}

fn hex(hash: &[u8; 32]) -> String {
    hash.iter().fold(String::with_capacity(64), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Status when something is wrong with the logs.
const WRONG: u8 = 3;
