//! `dex settlement` from the outside, over logs of two days in two markets, with fees and rebates.
//!
//! The logs are a kernel's events written as blocks, so that days can pass without waiting for them.

#[path = "../../node/archive/tests/index/venue.rs"]
mod venue;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use journal::disk::RealDisk;
use journal::limits::SEGMENT_SIZE_MIN;
use journal::{
    BlockBuilder, BlockNumbers, DataFolder, EventEnd, EventLog, Preparation, SegmentOptions,
};
use schema::GroupIter;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use units::Timestamp;

use venue::Venue;

const FIRST: &str = "2023-11-14";
const SECOND: &str = "2023-11-15";

/// The start of the second day.
fn midnight() -> Timestamp {
    format!("{SECOND}T00:00:00Z").parse().expect("a time")
}

/// Writes what a venue did into a data folder of its own.
fn folder_of(venue: &Venue) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let data = DataFolder::open(&folder.path().join("data")).expect("made");
    let options = SegmentOptions { size: SEGMENT_SIZE_MIN, preparation: Preparation::Inline };
    let (mut log, _) =
        EventLog::open(Arc::new(RealDisk), &data.events(), options).expect("an empty log");
    let mut end = EventEnd::EMPTY;
    for (groups, record) in &venue.records {
        let counts = GroupIter::new(groups).map(|group| group.expect("sound").count);
        let numbers = BlockNumbers {
            first_command: end.command_sequence + 1,
            last_command: record.command_sequence,
            first_event: end.event_sequence + 1,
            event_count: counts.sum(),
        };
        let mut block = BlockBuilder::begin(end.hash);
        block.payload().extend_from_slice(groups);
        let block = block.seal(numbers).expect("a block");
        log.append(&block).expect("it follows");
        end = EventEnd { hash: block.hash(), ..*record };
    }
    log.sync().expect("written");
    folder
}

/// One day, and the same venue a day later.
fn two_days() -> [tempfile::TempDir; 2] {
    let mut venue = Venue::new(31, 5);
    venue.trade(900);
    let first = folder_of(&venue);
    venue.wait_until(midnight());
    venue.trade(600);
    [first, folder_of(&venue)]
}

fn settlement(folder: &Path, day: &str, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dex"));
    command.current_dir(folder).args(["settlement", "data", "--day", day]).args(more);
    command.output().expect("it starts")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into()
}

fn rows(folder: &Path, day: &str) -> String {
    let output = settlement(folder, day, &["--journal"]);
    assert!(output.status.success(), "{}", text(&output));
    String::from_utf8(output.stdout).expect("text")
}

fn object(folder: &Path, day: &str, more: &[&str]) -> (Option<i32>, Value) {
    let output = settlement(folder, day, &[more, &["--json"]].concat());
    let object = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    (output.status.code(), object)
}

/// Fields of SETL-41, in sequence order, from a log that no exchange runs on; the same again at any later time.
/// covers: SETL-41, SETL-44, SETL-66
#[test]
fn the_journal_of_a_day_is_the_same_at_any_later_time() {
    let [early, late] = two_days();
    let first = rows(early.path(), FIRST);
    assert_eq!(first, rows(early.path(), FIRST), "made twice");
    let hashes = |rows: &str| -> Vec<[u8; 32]> {
        rows.lines().map(|line| Sha256::digest(line.as_bytes()).into()).collect()
    };
    assert_eq!(hashes(&first), hashes(&rows(late.path(), FIRST)));
    let second = rows(late.path(), SECOND);
    assert_eq!(rows(early.path(), SECOND), "");
    let (mut last, mut symbols) = (0, BTreeMap::new());
    for line in first.lines().chain(second.lines()) {
        let row: Value = serde_json::from_str(line).expect("JSON");
        let sequence = row["sequence"].as_u64().expect("a number");
        assert!(sequence > last, "in sequence order");
        last = sequence;
        *symbols.entry(row["symbol"].as_str().expect("text").to_owned()).or_insert(0) += 1;
        assert_eq!((&row["settlement_status"], &row["shard"]), (&"SETTLED".into(), &5.into()));
        let names = "trade_id maker_account taker_account quantity price maker_fee taker_fee \
                     maker_fee_asset taker_fee_asset maker_order taker_order";
        assert!(names.split_whitespace().all(|name| row[name].is_string()), "{row}");
        assert!(row["settled_at"].as_i64() > row["executed_at"].as_i64());
        for posting in row["postings"].as_array().expect("a list") {
            let [before, delta, after] = ["balance_before", "delta", "balance_after"]
                .map(|name| venue::amount(posting[name].as_str().expect("text")));
            assert_eq!(before + delta, after);
            assert!(posting["account"].is_string() && posting["asset"].is_string());
        }
    }
    assert!(symbols.len() == 2 && symbols.values().all(|count| *count > 20), "{symbols:?}");
    let midnight = midnight().0;
    let settled = |line: &str| {
        let row: Value = serde_json::from_str(line).expect("JSON");
        row["settled_at"].as_i64().expect("a time")
    };
    assert!(first.lines().all(|line| settled(line) < midnight));
    assert!(second.lines().all(|line| settled(line) >= midnight));
}

/// covers: SETL-51
#[test]
fn the_report_of_a_day_counts_what_the_journal_holds() {
    let [early, late] = two_days();
    let (status, report) = object(late.path(), FIRST, &["--report"]);
    assert_eq!(status, Some(0), "{report}");
    let rows = rows(late.path(), FIRST);
    assert_eq!(report["settlements"], rows.lines().count());
    assert_eq!((&report["failed_settlements"], &report["complete"]), (&0.into(), &true.into()));
    assert!(report["average_settlement_nanos"].as_i64().expect("a number") > 0);
    let volumes: Vec<_> = report["markets"].as_array().expect("a list").iter().collect();
    assert_eq!(volumes.len(), 2);
    for market in volumes {
        assert_eq!(market["quote_asset"], "USDT");
        let volume = venue::amount(market["settled_volume"].as_str().expect("text"));
        assert!(volume > venue::amount("1"), "{market}");
    }
    let table = settlement(late.path(), FIRST, &[]);
    assert!(text(&table).ends_with("\nCOMPLETE: the day is closed and reconciled\n"));
    // A log that ends within the day.
    for (folder, day) in [(&early, FIRST), (&late, SECOND)] {
        let (status, open) = object(folder.path(), day, &["--report"]);
        let seen = (&open["closed"], &open["complete"]);
        assert_eq!((status, seen), (Some(4), (&false.into(), &false.into())));
    }
}

/// A kept journal in which one unit of one figure was changed, or a row is missing or doubled: told with
/// its sequence, with a status of its own, and the day is not complete.
/// covers: SETL-47, SETL-48
/// covers: SETL-45
#[test]
fn a_discrepancy_is_told_and_the_day_is_not_complete() {
    let [_, late] = two_days();
    let kept = late.path().join("rows.jsonl");
    let sound = rows(late.path(), FIRST);
    let lines: Vec<&str> = sound.lines().collect();
    let with_rows = ["--reconcile", "--rows", "rows.jsonl"];
    let reconcile = |lines: &[String]| {
        fs::write(&kept, lines.join("\n")).expect("written");
        object(late.path(), FIRST, &with_rows)
    };
    let owned: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    for (status, sound) in [reconcile(&owned), object(late.path(), FIRST, &["--reconcile"])] {
        assert_eq!((status, &sound["complete"]), (Some(0), &true.into()), "{sound}");
        assert!(sound["pnl"].as_str().expect("text").starts_with("no derivative market"));
        assert_eq!(sound["markets"].as_array().map(Vec::len), Some(2));
    }
    let place = lines.len() / 2;
    let row: Value = serde_json::from_str(lines[place]).expect("JSON");
    let trade = row["trade_id"].as_str().expect("an id").parse::<units::Id>().expect("an id");
    let sequence = trade.sequence();
    for posting in 0..row["postings"].as_array().expect("a list").len() {
        let mut wrong = row.clone();
        let delta = &mut wrong["postings"][posting]["delta"];
        let amount = venue::amount(delta.as_str().expect("text"));
        *delta = (amount + units::Amount(1)).to_string().into();
        let mut changed = owned.clone();
        changed[place] = wrong.to_string();
        let (status, found) = reconcile(&changed);
        assert_eq!((status, &found["complete"]), (Some(3), &false.into()), "{found}");
        assert_eq!(found["first_difference"], sequence);
        let differing = |market: &&Value| {
            let checks = market["checks"].as_array().expect("a list");
            checks.iter().any(|check| check["first_difference"] == sequence)
        };
        let markets = found["markets"].as_array().expect("a list");
        assert_eq!(markets.iter().filter(differing).count(), 1, "{found}");
    }
    let (mut missing, mut doubled) = (owned.clone(), owned.clone());
    missing.remove(place);
    doubled.insert(place, doubled[place].clone());
    for wrong in [missing, doubled] {
        let (status, found) = reconcile(&wrong);
        assert_eq!((status, &found["first_difference"]), (Some(3), &sequence.into()));
    }
    let told = settlement(late.path(), FIRST, &with_rows);
    let alert = format!("differ first at sequence {sequence}; the day is not complete");
    let alerts = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(alerts.starts_with("P0 SETTLEMENT_DISCREPANCY") && alerts.contains(&alert), "{alerts}");
}

/// What cannot be read is no discrepancy.
#[test]
fn wrong_arguments_and_files_have_their_own_status() {
    let [early, _] = two_days();
    fs::write(early.path().join("rows.jsonl"), "{}\n").expect("written");
    let rows = settlement(early.path(), FIRST, &["--reconcile", "--rows", "rows.jsonl"]);
    assert_eq!(rows.status.code(), Some(1));
    assert!(text(&rows).contains("line 1 of rows.jsonl is no row of a journal"), "{}", text(&rows));
    let day = settlement(early.path(), "2023-02-29", &[]);
    assert_eq!(day.status.code(), Some(2), "{}", text(&day));
    for more in [&["--journal", "--report"][..], &["--rows", "rows.jsonl"]] {
        assert_eq!(settlement(early.path(), FIRST, more).status.code(), Some(2));
    }
}
