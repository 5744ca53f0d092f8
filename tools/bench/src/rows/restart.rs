//! A restart: from two logs and a checkpoint to a shard that takes commands.
//!
//! Owns the row of a restart with a million resting orders of as many accounts and a million commands behind the
//! checkpoint, and the rows of history: how many times the memory and the restart of a shard are when ten times the
//! commands went before it, over the same live orders and accounts and with the same commands behind the checkpoint.
//! A restart is opening both logs, loading, replaying, comparing and beginning the term; the files lie in the
//! machine's cache, as after a crash of the process. The shard keeps no archive. And the rows of replaying whole logs,
//! as a start without a snapshot and as `dex verify` do it. Of history, a process of its own
//! runs each size (`memory.rs` says how), and its memory is what is resident before it stops.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::{Engine, StopReason};
use journal::disk::RealDisk;
use journal::{CommandLog as _, DataFolder, Journal, RecordBuilder, SegmentOptions};
use port::Request;
use schema::{Command, Outcome, Reply, TimeInForce};
use units::{Id, Lots, Side, Ticks};

use super::memory::{ask_probe, resident};
use super::port::{BATCH, LAG_MAX, LANES, Lane, open_lanes, trade};
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

/// How many times as fast a start replays both logs from the first command, checks, hashes and comparison with the
/// stored events included, as the shard made them; both in this run.
pub(super) const REPLAY_PER_PORT: Row = Row {
    name: "replay.recovery_per_port_rate",
    unit: "times",
    target: Target::AtLeast(2.0),
    measure: || median_of(RUNS, replay_per_port),
};

/// `engine::verify` of records of one command, which is what clients make who wait for each answer.
pub(super) const VERIFY_SINGLE: Row = Row {
    name: "verify.single_commands_per_second",
    unit: "commands/s",
    target: Target::None,
    measure: verify_single,
};

const RUNS: usize = 3;
/// Accounts, and orders at rest.
const MILLION_COUNT: u64 = 1_000_000;
/// Commands behind the checkpoint.
const MILLION_TAIL: usize = 1_000_000;
const HISTORY_COMMANDS: usize = 600_000;
const HISTORY_TAIL: usize = 200_000;
/// Commands that are replayed from nothing.
const REPLAYED: usize = 480_000;
/// Commands in records of their own, and how many share a sync.
const SINGLES: usize = 200_000;
const SINGLES_PER_SYNC: usize = 16;
/// Orders that a lane of the history keeps open at the most.
const LIVE_MAX: usize = 600;
/// Small segments, so that the shorter history, too, has several of them.
const HISTORY_SEGMENT: u64 = 8 << 20;
/// Time between two checkpoints while the orders and the history are made.
const CHECKPOINT: Duration = Duration::from_secs(8);

fn million() -> Figure {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, options) = (folder.path(), SegmentOptions::default());
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let engine = start_in(path, options, CHECKPOINT);
    runtime.block_on(async {
        list(&engine.port()).await;
        let accounts = open_accounts(&engine, 0..MILLION_COUNT).await;
        place(&engine, &accounts, MILLION_COUNT).await;
    });
    wait_for_checkpoint(&engine);
    stop(engine);
    run_tail(&runtime, (path, options), MILLION_TAIL);
    median_of(RUNS, || restart((path, options), MILLION_TAIL))
}

/// Opens accounts, each with two balances.
async fn open_accounts(engine: &Engine, numbers: Range<u64>) -> Vec<Id> {
    let mut accounts = Vec::new();
    let numbers: Vec<u64> = numbers.collect();
    for numbers in numbers.chunks(CROWD_BATCH) {
        let opening = |number: &u64| Command::CreateAccount(venue::opening(&number.to_string()));
        let opened = created(&submit(engine, numbers.iter().map(opening)).await);
        let funding = opened.iter().flat_map(|&id| [1, 2].map(|it| venue::funding(id, it)));
        submit(engine, funding.map(Command::Deposit)).await;
        accounts.extend(opened);
    }
    accounts
}

/// Places so many orders that rest, the accounts in turns.
async fn place(engine: &Engine, accounts: &[Id], count: u64) {
    let numbers: Vec<u64> = (0..count).collect();
    for numbers in numbers.chunks(CROWD_BATCH) {
        let orders = numbers.iter().map(|number| {
            let place = usize::try_from(*number).expect("few") % accounts.len();
            let (side, ticks) = match number % 2 {
                0 => (Side::Buy, 99_000 - number % 997),
                _ => (Side::Sell, 101_000 + number % 997),
            };
            let terms = (Ticks(ticks), Lots(1 + number % 100));
            venue::order(accounts[place], side, terms, TimeInForce::Gtc)
        });
        for reply in submit(engine, orders).await {
            assert!(matches!(reply.outcome, Outcome::Accepted { .. }), "{reply:?}");
        }
    }
}

/// Bytes that a process takes for a resting order, or an account, once its rings are full.
fn process_bytes(grow: impl AsyncFnOnce(&Engine, &[Id])) -> f64 {
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let engine = start_in(folder.path(), SegmentOptions::default(), NEVER);
    let port = engine.port();
    runtime.block_on(list(&port));
    let lanes = runtime.block_on(lanes(&engine, "lane"));
    trade(&runtime, &port, (lanes, batches(HISTORY_COMMANDS)));
    let accounts = runtime.block_on(open_accounts(&engine, 0..1_000));
    let settled = || {
        while engine.metrics().shadow_lag() > 0 {
            std::thread::sleep(Duration::from_millis(20));
        }
        resident()
    };
    let before = settled();
    runtime.block_on(grow(&engine, &accounts));
    let after = settled();
    stop(engine);
    (after - before) / PROCESS_COUNT as f64
}

pub(super) fn process_order_bytes() -> f64 {
    process_bytes(async |engine, accounts| place(engine, accounts, PROCESS_COUNT).await)
}

pub(super) fn process_account_bytes() -> f64 {
    process_bytes(async |engine, _| drop(open_accounts(engine, 1_000..PROCESS_COUNT + 1_000).await))
}

async fn submit(engine: &Engine, commands: impl Iterator<Item = Command>) -> Vec<Reply> {
    // While the view saves its state it falls behind, and too far behind the intake closes.
    while engine.metrics().shadow_lag() > LAG_MAX {
        std::thread::sleep(Duration::from_millis(5));
    }
    let request =
        |command| Request { correlation: Id([9; 16]), key: None, command, account_version: None };
    engine.port().submit_all(commands.map(request).collect()).await.expect("answers")
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
    assert!(stopped.reason == StopReason::Asked, "{stopped:?}");
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
    let lanes = runtime.block_on(lanes(&engine, "tail"));
    trade(runtime, &port, (lanes, batches(commands)));
    stop(engine);
}

/// Lanes of a few orders each that wait for the view.
async fn lanes(engine: &Engine, name: &str) -> Vec<Lane> {
    let lanes = open_lanes(&engine.port(), name, LIVE_MAX).await;
    lanes.into_iter().map(|lane| lane.waiting_for(&engine.metrics())).collect()
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
    assert!(report.compared_block_count >= (tail / BATCH / 2) as u64, "{report:?}");
    stop(engine);
    elapsed
}

fn replay_per_port() -> f64 {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, options) = (folder.path(), SegmentOptions::default());
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let engine = start_in(path, options, NEVER);
    let port = engine.port();
    runtime.block_on(list(&port));
    let lanes = runtime.block_on(open_lanes(&port, "", LIVE_MAX));
    let (samples, seconds) = trade(&runtime, &port, (lanes, batches(REPLAYED)));
    let port_rate = (samples.len() * BATCH) as f64 / seconds;
    stop(engine);
    let engine = start_in(path, options, NEVER);
    let report = *engine.recovery();
    stop(engine);
    assert!(report.snapshot_sequence == 0 && report.made_block_count == 0, "{report:?}");
    report.command_sequence as f64 / report.took.as_secs_f64() / port_rate
}

fn verify_single() -> Figure {
    let folder = tempfile::tempdir().expect("a folder");
    let prepared = venue::prepare(SINGLES, 1_000);
    let data = DataFolder::open(folder.path()).expect("a data folder");
    let disk = Arc::new(RealDisk);
    let opened = Journal::open(disk, &data.commands(), SegmentOptions::default());
    let mut log = opened.expect("an empty folder").0;
    for (index, stamped) in prepared.setup.iter().chain(&prepared.stream).enumerate() {
        let end = log.end();
        let mut record = RecordBuilder::begin(0, end.sequence + 1, end.hash);
        record.push(|out| schema::encode_command(out, stamped)).expect("short");
        log.append(&record.seal()).expect("it extends");
        if index % SINGLES_PER_SYNC == 0 {
            log.sync().expect("a sound disk");
        }
    }
    log.sync().expect("a sound disk");
    drop((log, data));
    // A start makes the events.
    stop(start_in(folder.path(), SegmentOptions::default(), NEVER));
    median_of(RUNS, || {
        let report = engine::verify(folder.path(), &mut |_| {}).expect("sound");
        assert!(report.missing_block_count == 0 && report.block_count >= SINGLES as u64);
        report.command_sequence as f64 / report.took.as_secs_f64()
    })
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
    let lanes = runtime.block_on(lanes(&engine, ""));
    trade(&runtime, &port, (lanes, batches(times * HISTORY_COMMANDS)));
    wait_for_checkpoint(&engine);
    let memory = resident();
    stop(engine);
    run_tail(&runtime, (path, options), HISTORY_TAIL);
    let time = median_of(RUNS, || restart((path, options), HISTORY_TAIL)).median;
    vec![memory, time]
}

/// Orders, or accounts, whose memory is measured.
const PROCESS_COUNT: u64 = 500_000;
/// Accounts that are made at a time.
const CROWD_BATCH: usize = 10_000;
