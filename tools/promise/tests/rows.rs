//! The short form of each row.
//!
//! One at a time, since each takes what the machine has. A figure that depends on how fast the machine is does
//! not fail a test; `cargo xtask promise` judges it. A row whose tool is missing fails here: the tools are those
//! of `tools/setup.sh`.
#![expect(clippy::tests_outside_test_module, reason = "every module here is of tests")]

use std::sync::{Mutex, PoisonError};

use promise::{NOT_TESTED, Outcome, Size, Verdict, find, run, table};

/// Runs a row; what it counted must be as it must be.
fn holds(name: &str) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let report = run(&find(name).expect("a row"), Size::Short);
    println!("{report}");
    assert!(!matches!(report.verdict, Verdict::NotRun(_)), "{report}");
    assert!(has_counts(&report.outcome), "a row that broke off: {report}");
    let broken = report.outcome.figures().iter().find(|it| !it.holds && !it.is_timed);
    assert!(broken.is_none(), "{report}");
}

fn has_counts(outcome: &Outcome) -> bool {
    outcome.figures().iter().any(|figure| !figure.is_timed)
}

/// After each kill every acknowledged order, cancel and deposit is there, what a trader saw filled stays
/// filled, each unanswered request gives one effect however often it is repeated, and money is
/// conserved; after all of them the event log has each key once, both replays agree, and the hash that the
/// living exchange showed is the one on record.
/// covers: REC-26, REC-27, REC-30, LIFE-16, SETL-4
#[test]
fn kills_under_load_lose_and_double_nothing() {
    holds("kill");
}

/// The same behind power cuts: the exchange goes on from a copy of what was synced.
/// covers: REC-26, REC-27, REC-30, REC-60
#[test]
fn power_cuts_under_load_lose_and_double_nothing() {
    holds("power");
}

/// A tail that was not written is cut off and reported and all before it kept; a shorter file is refused.
/// covers: REC-28
#[test]
fn a_torn_tail_is_detected() {
    holds("torn");
}

/// No flipped bit of a log or a snapshot is accepted in silence.
/// covers: REC-28, REC-55, RPL-37
#[test]
fn bit_rot_is_detected() {
    holds("flips");
}

/// Behind a sync that failed nothing is acknowledged and the file is never synced again, reads go on, and the
/// next start has what was acknowledged.
/// covers: REC-2, REC-26, REC-60
#[test]
fn a_failed_sync_stops_acknowledging() {
    holds("sync");
}

/// Behind a write that found no room nothing is acknowledged, reads go on, and with room again all is there.
/// covers: REC-2, REC-6
#[test]
fn a_full_disk_loses_nothing() {
    holds("disk");
}

/// The wall clock steps back by an hour and ahead by a day: event times rise, no order ends early, and trading is halted
/// until the operator has confirmed the clock and resumed.
/// covers: GOAL-8, TIME-24, TIME-34, TIME-35
#[test]
fn a_clock_that_steps_reorders_nothing() {
    holds("clock");
}

/// Commands run again from genesis and from snapshots make the same bytes, and events the same states.
/// covers: RPL-3, RPL-35
#[test]
fn replay_is_identical() {
    holds("replay");
}

/// Under ten times the load, or as much of it as the machine can offer, everything is taken or refused as
/// overload, no cancel is refused, and no order that was refused is open.
#[test]
fn overload_is_refused_in_order() {
    holds("overload");
}

/// A consumer that does not read is cut off, and those who read are not.
#[test]
fn a_stalled_consumer_is_cut_off() {
    holds("stalled");
}

/// Changed bytes are refused or have the form that they came in.
#[test]
fn malformed_input_is_refused() {
    holds("malformed");
}

/// Every row of the table has its test above, but the one that builds the exchange anew: its defects are looked
/// at by `tools/sim/tests/planted.rs`, and planted by `cargo xtask promise tests`.
#[test]
fn every_row_has_a_test() {
    let source = include_str!("rows.rs");
    for row in table().iter().filter(|row| row.name != NOT_TESTED) {
        assert!(source.contains(&format!("holds(\"{}\")", row.name)), "{} has no test", row.name);
    }
}
