//! A restart: from two logs and a checkpoint to a shard that takes commands.
//!
//! Owns the row of a restart with a million resting orders of as many accounts and a million commands behind the
//! checkpoint, and the rows of history: how many times the memory and the restart of a shard are when ten times the
//! commands went before it, over the same live orders and accounts and with the same commands behind the checkpoint.
//! A restart is opening both logs, loading, replaying, comparing and beginning the term; the files lie in the
//! machine's cache, as after a crash of the process. The shard keeps no archive. Of history, a process of its own
//! runs each size (`memory.rs` says how), and its memory is what is resident before it stops.

use std::path::Path;
use std::time::{Duration, Instant};

use engine::{Engine, InProcess};
use journal::SegmentOptions;
use port::Request;
use schema::{Command, Outcome, Reply, TimeInForce};
use units::{Id, Lots, Side, Ticks};

use super::memory::{ask_probe, resident};
use super::port::{BATCH, LANES, open_lanes, trade};
use crate::measure::{Figure, median_of};
use crate::row::{Row, Target};
use crate::shard::{NEVER, list, start_in};
use crate::venue;

/// covers: REC-33, REC-45
pub(super) const MILLION: Row = Row {
    name: "restart.million_orders_seconds",
    unit: "s",
    target: Target::AtMost(5.0),
    measure: million,
};

pub(super) const HISTORY_MEMORY: Row = Row {
    name: "restart.history_x10.memory",
    unit: "times",
    target: Target::AtMost(1.1),
    measure: || history(0),
};

pub(super) const HISTORY_TIME: Row = Row {
    name: "restart.history_x10.time",
    unit: "times",
    target: Target::AtMost(1.1),
    measure: || history(1),
};

const RUNS: usize = 3;
/// Accounts, and orders at rest.
const MILLION_COUNT: u64 = 1_000_000;
/// Commands behind the checkpoint.
const MILLION_TAIL: usize = 1_000_000;
const HISTORY_COMMANDS: usize = 600_000;
const HISTORY_TAIL: usize = 200_000;
/// Orders that a lane of the history keeps open at the most.
const LIVE_MAX: usize = 600;
/// Small segments, so that the shorter history, too, has several of them.
const HISTORY_SEGMENT: u64 = 8 << 20;
/// Time between two checkpoints while the orders and the history are made.
const CHECKPOINT: Duration = Duration::from_secs(6);

fn million() -> Figure {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, options) = (folder.path(), SegmentOptions::default());
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let engine = start_in(path, options, CHECKPOINT);
    runtime.block_on(crowd(&engine.port()));
    wait_for_checkpoint(&engine);
    stop(engine);
    run_tail(&runtime, (path, options), MILLION_TAIL);
    median_of(RUNS, || restart((path, options), MILLION_TAIL))
}

/// Opens a million accounts, each with two balances and an order that rests.
async fn crowd(port: &InProcess) {
    list(port).await;
    let numbers: Vec<u64> = (0..MILLION_COUNT).collect();
    for numbers in numbers.chunks(CROWD_BATCH) {
        let opening = |number: &u64| Command::CreateAccount(venue::opening(&number.to_string()));
        let accounts = created(&submit(port, numbers.iter().map(opening)).await);
        let funding = accounts.iter().flat_map(|&id| [1, 2].map(|it| venue::funding(id, it)));
        submit(port, funding.map(Command::Deposit)).await;
        let orders = accounts.iter().zip(numbers).map(|(&account, number)| {
            let (side, ticks) = match number % 2 {
                0 => (Side::Buy, 99_999 - number % 997),
                _ => (Side::Sell, 100_001 + number % 997),
            };
            let terms = (Ticks(ticks), Lots(1 + number % 100));
            venue::order(account, side, terms, TimeInForce::Gtc)
        });
        for reply in submit(port, orders).await {
            assert!(matches!(reply.outcome, Outcome::Accepted { .. }), "{reply:?}");
        }
    }
}

async fn submit(port: &InProcess, commands: impl Iterator<Item = Command>) -> Vec<Reply> {
    let request =
        |command| Request { correlation: Id([9; 16]), key: None, command, account_version: None };
    port.submit_all(commands.map(request).collect()).await.expect("answers")
}

fn created(replies: &[Reply]) -> Vec<Id> {
    let id = |reply: &Reply| match reply.outcome {
        Outcome::Done { created: Some(id) } => id,
        _ => panic!("{reply:?}"),
    };
    replies.iter().map(id).collect()
}

/// Ends a shard that nothing stopped.
fn stop(engine: Engine) {
    let stopped = engine.stop();
    assert!(stopped.reason == StopReason::Closed, "{stopped:?}");
}

/// Waits until the last event is in a checkpoint.
fn wait_for_checkpoint(engine: &Engine) {
    let metrics = engine.metrics();
    while metrics.state_checkpoint.value() < metrics.view_sequence.value() {
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Runs commands of lanes behind the checkpoint.
fn run_tail(
    runtime: &tokio::runtime::Runtime,
    (path, options): (&Path, SegmentOptions),
    commands: usize,
) {
    let engine = start_in(path, options, NEVER);
    let port = engine.port();
    let lanes = runtime.block_on(open_lanes(&port, "tail", LIVE_MAX));
    trade(runtime, &port, (lanes, batches(commands)));
    stop(engine);
}

fn batches(commands: usize) -> usize {
    commands / BATCH / usize::try_from(LANES).expect("few")
}

/// Seconds that a restart takes.
fn restart((path, options): (&Path, SegmentOptions), tail: usize) -> f64 {
    let begin = Instant::now();
    let engine = start_in(path, options, NEVER);
    let elapsed = begin.elapsed().as_secs_f64();
    let report = *engine.recovery();
    assert!(report.snapshot_sequence > 0, "it began from the checkpoint");
    assert!(report.compared_block_count as usize * BATCH >= tail / 2, "{report:?}");
    stop(engine);
    elapsed
}

/// How many times the memory (0) or the restart (1) of ten times the history is.
fn history(figure: usize) -> Figure {
    let [short, long] = ["history_short", "history_long"].map(ask_probe);
    median_of(1, || long[figure] / short[figure])
}

/// Bytes in memory behind so many times the history, and the seconds of a restart: what the probe answers.
pub(super) fn answer_history(times: usize) -> Vec<f64> {
    let folder = tempfile::tempdir().expect("a folder");
    let options = SegmentOptions { size: HISTORY_SEGMENT, ..SegmentOptions::default() };
    let path = folder.path();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let engine = start_in(path, options, CHECKPOINT);
    let port = engine.port();
    runtime.block_on(list(&port));
    let lanes = runtime.block_on(open_lanes(&port, "", LIVE_MAX));
    trade(&runtime, &port, (lanes, batches(times * HISTORY_COMMANDS)));
    wait_for_checkpoint(&engine);
    let memory = resident();
    stop(engine);
    run_tail(&runtime, (path, options), HISTORY_TAIL);
    let time = median_of(RUNS, || restart((path, options), HISTORY_TAIL)).median;
    vec![memory, time]
}

/// Accounts that are made at a time.
const CROWD_BATCH: usize = 10_000;
