//! Each scene under many schedules: some drawn at random, some that change threads at few, deep places.

use handover::scenes;
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{Config, Runner};

/// Schedules of each kind.
const COUNT: usize = 3_000;
/// Changes of thread that a deep schedule has.
const DEPTH: usize = 3;

fn under_schedules(scene: fn()) {
    Runner::new(RandomScheduler::new_from_seed(SEED, COUNT), Config::default()).run(scene);
    Runner::new(PctScheduler::new_from_seed(SEED, DEPTH, COUNT), Config::default()).run(scene);
}

const SEED: u64 = 20_260_101;

#[test]
fn a_mailbox_keeps_everything_in_order() {
    under_schedules(scenes::mailbox_keeps_everything_in_order);
}

#[test]
fn a_closed_mailbox_holds_nobody() {
    under_schedules(scenes::a_closed_mailbox_holds_nobody);
}

#[test]
fn the_intake_takes_in_or_refuses() {
    under_schedules(scenes::intake_takes_in_or_refuses);
}

#[test]
fn durability_lets_nobody_pass_early() {
    under_schedules(scenes::durability_lets_nobody_pass_early);
}

/// covers: REC-60
#[test]
fn no_answer_comes_before_its_record_is_durable() {
    under_schedules(scenes::no_answer_before_durability);
}

#[test]
fn a_batch_is_answered_once() {
    under_schedules(scenes::a_batch_is_answered_once);
}
