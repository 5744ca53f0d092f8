//! The in-process port: a whole shard with its journal on this disk and group commit.
//!
//! Owns the rows of durable throughput and latency. Lanes of their own accounts submit batches of 100
//! commands, each after the answer to its last one: 50 orders that rest, 45 cancels of orders that the
//! lane knows, 5 takers. A batch is answered when its last command is durable, executed, and its events
//! are handed out; the shadow, the event log and the state hashes run beside it on the same cores, and in
//! the rows of that name the archive, which may fall behind and catches up when the load is over.
//! Latency is from submitting a batch to its answer, at full load; in the paced row it is from when the batch was due,
//! at 100,000 commands a second. The rows of the executor alone have the journal and nothing beside it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use engine::{InProcess, Metrics};
use port::Request;
use schema::{CancelOrder, Command, Outcome, Reply, TimeInForce};
use testkit::rng::SplitMix64;
use units::{Id, Lots, Side, Ticks};

use crate::measure::{median_of, percentile};
use crate::row::{Row, Target};
use crate::shard::{Shard, account, list};
use crate::venue;

pub(super) const COMMANDS_PER_SECOND: Row = Row {
    name: "port.commands_per_second",
    unit: "commands/s",
    target: Target::AtLeast(200_000.0),
    measure: || median_of(RUNS, || run(Shard::start()).0),
};

pub(super) const ALONE_PER_SECOND: Row = Row {
    name: "port.alone_commands_per_second",
    unit: "commands/s",
    target: Target::AtLeast(1_000_000.0),
    measure: || median_of(RUNS, || run(Shard::start_alone()).0),
};

/// The p99 of a batch at a tenth of the rate that `port.alone_commands_per_second` asks for.
pub(super) const ALONE_P99_MS: Row = Row {
    name: "port.alone_p99_ms_at_100k_per_second",
    unit: "ms",
    target: Target::AtMost(10.0),
    measure: || median_of(RUNS, || paced(Shard::start_alone())),
};

pub(super) const ARCHIVED_PER_SECOND: Row = Row {
    name: "port.archived_commands_per_second",
    unit: "commands/s",
    target: Target::AtLeast(100_000.0),
    measure: || median_of(RUNS, || run(Shard::start_archived()).0),
};

pub(super) const ARCHIVED_P99_MS: Row = Row {
    name: "port.archived_p99_ms",
    unit: "ms",
    target: Target::None,
    measure: || median_of(RUNS, || run(Shard::start_archived()).1),
};

/// covers: SETL-60
pub(super) const P99_MS: Row = Row {
    name: "port.p99_ms",
    unit: "ms",
    target: Target::AtMost(10.0),
    measure: || median_of(RUNS, || run(Shard::start()).1),
};

const RUNS: usize = 3;
pub(super) const LANES: u64 = 16;
const BATCHES: usize = 300;
/// A batch is due every millisecond.
const PACED_TICK: std::time::Duration = std::time::Duration::from_millis(1);
pub(super) const BATCH: usize = 100;
/// Events that the view may be behind where lanes wait for it.
pub(super) const LAG_MAX: u64 = 300_000;
const MIDDLE: u64 = 100_000;

/// Commands a second and the p99 of a batch in milliseconds.
fn run(shard: Shard) -> (f64, f64) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let port = shard.engine.port();
    runtime.block_on(list(&port));
    let lanes = runtime.block_on(open_lanes(&port, "", usize::MAX));
    let (mut samples, elapsed) = trade(&runtime, &port, (lanes, BATCHES));
    let commands = samples.len() * BATCH;
    let p99 = f64::from(percentile(&mut samples, 990)) / 1_000.0;
    let stopped = shard.engine.stop();
    assert!(stopped.command_sequence >= commands as u64, "every command is durable");
    (commands as f64 / elapsed, p99)
}

/// The p99 of a batch, from when it was due to its answer, in milliseconds: every lane has one due in turn, so that
/// 100,000 commands a second are.
fn paced(shard: Shard) -> f64 {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let port = shard.engine.port();
    runtime.block_on(list(&port));
    let lanes = runtime.block_on(open_lanes(&port, "", usize::MAX));
    let local = tokio::task::LocalSet::new();
    let begin = Instant::now() + PACED_TICK;
    let mut samples = local.block_on(&runtime, async {
        let pace = |(number, lane): (u32, Lane)| {
            let first = begin + PACED_TICK * number;
            tokio::task::spawn_local(lane.keep_pace(port.clone(), first))
        };
        let tasks: Vec<_> = (0..).zip(lanes).map(pace).collect();
        let mut samples = Vec::new();
        for task in tasks {
            samples.extend(task.await.expect("a lane"));
        }
        samples
    });
    let p99 = f64::from(percentile(&mut samples, 990)) / 1_000.0;
    drop(shard.engine.stop());
    p99
}

/// Has every lane submit so many batches; answers what each took in microseconds, and the seconds of them all.
pub(super) fn trade(
    runtime: &tokio::runtime::Runtime,
    port: &InProcess,
    (lanes, batches): (Vec<Lane>, usize),
) -> (Vec<u32>, f64) {
    let begin = Instant::now();
    let local = tokio::task::LocalSet::new();
    let samples = local.block_on(runtime, async {
        let tasks: Vec<_> = lanes
            .into_iter()
            .map(|lane| tokio::task::spawn_local(lane.trade(port.clone(), batches)))
            .collect::<Vec<_>>();
        let mut samples = Vec::new();
        for task in tasks {
            samples.extend(task.await.expect("a lane"));
        }
        samples
    });
    (samples, begin.elapsed().as_secs_f64())
}

/// Opens three accounts a lane; no lane has more than `live_max` orders that it knows.
pub(super) async fn open_lanes(port: &InProcess, name: &str, live_max: usize) -> Vec<Lane> {
    let mut lanes = Vec::new();
    for number in 0..LANES {
        lanes.push(Lane {
            random: SplitMix64::new(number),
            buyer: account(port, format!("{name}buyer{number}")).await,
            seller: account(port, format!("{name}seller{number}")).await,
            taker: account(port, format!("{name}taker{number}")).await,
            live: VecDeque::new(),
            live_max,
            metrics: None,
        });
    }
    lanes
}

/// One client: it knows its own orders and waits for each batch's answer.
pub(super) struct Lane {
    random: SplitMix64,
    buyer: Id,
    seller: Id,
    taker: Id,
    live: VecDeque<(Id, Id)>,
    live_max: usize,
    metrics: Option<Arc<Metrics>>,
}

impl Lane {
    /// Waits before a batch while the view is far behind.
    pub(super) fn waiting_for(self, metrics: &Arc<Metrics>) -> Self {
        Self { metrics: Some(metrics.clone()), ..self }
    }

    /// Submits every batch; returns what each took, in microseconds.
    async fn trade(mut self, port: InProcess, batches: usize) -> Vec<u32> {
        let mut samples = Vec::with_capacity(batches);
        for _ in 0..batches {
            // Whoever runs for long must let the view keep up, or the intake closes (D-80).
            while self.metrics.as_ref().is_some_and(|it| it.shadow_lag() > LAG_MAX) {
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
            let (requests, owners) = self.batch();
            let begin = Instant::now();
            let replies = port.submit_all(requests).await.expect("answers");
            samples.push(u32::try_from(begin.elapsed().as_micros()).unwrap_or(u32::MAX));
            self.keep(&replies, &owners);
        }
        samples
    }

    /// Submits a batch whenever one is due; returns what each took since then, in microseconds.
    async fn keep_pace(mut self, port: InProcess, first: Instant) -> Vec<u32> {
        let mut samples = Vec::with_capacity(BATCHES);
        let mut due = first;
        for _ in 0..BATCHES {
            tokio::time::sleep_until(due.into()).await;
            let (requests, owners) = self.batch();
            let replies = port.submit_all(requests).await.expect("answers");
            samples.push(u32::try_from(due.elapsed().as_micros()).unwrap_or(u32::MAX));
            self.keep(&replies, &owners);
            due += PACED_TICK * u32::try_from(LANES).expect("few");
        }
        samples
    }

    fn batch(&mut self) -> (Vec<Request>, Vec<Option<Id>>) {
        let mut requests = Vec::with_capacity(BATCH);
        let mut owners = Vec::with_capacity(BATCH);
        for place in 0..BATCH {
            let (command, owner) = match place % 20 {
                19 => (self.take(), None),
                odd if odd % 2 == 1 || self.live.len() >= self.live_max => {
                    match self.live.pop_front() {
                        Some((account, order)) => {
                            let cancel = CancelOrder { account, order, state_seq: None };
                            (Command::CancelOrder(cancel), None)
                        }
                        None => self.add(),
                    }
                }
                _ => self.add(),
            };
            requests.push(Request {
                correlation: Id([9; 16]),
                key: None,
                command,
                account_version: None,
            });
            owners.push(owner);
        }
        (requests, owners)
    }

    fn add(&mut self) -> (Command, Option<Id>) {
        let (away, lots) = (self.random.between(1, 500), Lots(self.random.between(1, 100)));
        let (account, side, ticks) = if self.random.below(2) == 0 {
            (self.buyer, Side::Buy, Ticks(MIDDLE - away))
        } else {
            (self.seller, Side::Sell, Ticks(MIDDLE + away))
        };
        (venue::order(account, side, (ticks, lots), TimeInForce::Gtc), Some(account))
    }

    fn take(&mut self) -> Command {
        let lots = Lots(self.random.between(1, 100));
        let (side, ticks) = if self.random.below(2) == 0 {
            (Side::Buy, Ticks(MIDDLE + 500))
        } else {
            (Side::Sell, Ticks(MIDDLE - 500))
        };
        venue::order(self.taker, side, (ticks, lots), TimeInForce::Ioc)
    }

    fn keep(&mut self, replies: &[Reply], owners: &[Option<Id>]) {
        for (reply, owner) in replies.iter().zip(owners) {
            if let (Outcome::Accepted { order }, Some(account)) = (reply.outcome, owner) {
                self.live.push_back((*account, order));
            }
        }
    }
}
