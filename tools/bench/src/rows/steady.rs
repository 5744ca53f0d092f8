//! Everything on, for a minute: 100,000 orders a second through the in-process port.
//!
//! Owns the rows of a whole shard at a steady rate: command log, event log, archive, shadow, state hashes and
//! snapshots on this disk, the client on the same cores. A batch of 100 commands is due every millisecond, whether
//! the one before was answered or not, and counts from when it was due (GOAL-5). The p99 is over all batches; the
//! lag rows say how far the shadow and the archive were behind when the last batch was answered, so that a queue
//! that grows is seen.

use std::time::{Duration, Instant};

use engine::InProcess;
use port::Request;
use schema::{CancelOrder, Command, Outcome, TimeInForce};
use testkit::rng::SplitMix64;
use units::{Id, Lots, Side, Ticks};

use crate::measure::{Figure, percentile};
use crate::row::{Row, Target};
use crate::shard::{Shard, account, list};
use crate::venue;

/// covers: GOAL-1, GOAL-5, LIFE-68, DET-66
pub(super) const P99_MS: Row = Row {
    name: "steady.p99_ms_at_100k_per_second",
    unit: "ms",
    target: Target::AtMost(10.0),
    measure: || one(|run| run.p99_ms),
};

/// covers: EVT-72
pub(super) const SHADOW_LAG: Row = Row {
    name: "steady.view_lag_events",
    unit: "events",
    target: Target::AtMost(1_000.0),
    measure: || one(|run| run.shadow_lag),
};

pub(super) const QUEUE: Row = Row {
    name: "steady.queued_commands",
    unit: "commands",
    target: Target::AtMost(1_000.0),
    measure: || one(|run| run.queued),
};

pub(super) const ARCHIVE_LAG: Row = Row {
    name: "steady.archive_lag_events",
    unit: "events",
    target: Target::None,
    measure: || one(|run| run.archive_lag),
};

/// What a minute came to.
#[derive(Clone, Copy, Debug)]
struct Run {
    p99_ms: f64,
    shadow_lag: f64,
    queued: f64,
    archive_lag: f64,
}

const SECONDS: u32 = 60;
const BATCH: usize = 100;
const MIDDLE: u64 = 100_000;
/// Orders at rest before cancels keep up with them.
const RESTING: usize = 10_000;

/// One run serves all rows of it: a minute each would show nothing more.
fn one(figure: impl Fn(&Run) -> f64) -> Figure {
    static RUN: std::sync::OnceLock<Run> = std::sync::OnceLock::new();
    let value = figure(RUN.get_or_init(run));
    Figure { median: value, min: value, max: value }
}

fn run() -> Run {
    let shard = Shard::start_archived();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime");
    let port = shard.engine.port();
    let local = tokio::task::LocalSet::new();
    let metrics = shard.engine.metrics();
    let run = local.block_on(&runtime, async {
        let mut client = Client::new(&port).await;
        let mut samples = client.trade(&port).await;
        Run {
            p99_ms: f64::from(percentile(&mut samples, 990)) / 1_000.0,
            shadow_lag: metrics.shadow_lag() as f64,
            queued: metrics.queue_count.value() as f64,
            archive_lag: metrics.archive_lag() as f64,
        }
    });
    let stopped = shard.engine.stop();
    assert!(stopped.command_sequence > 0, "commands are durable");
    run
}

/// A client on a schedule: it knows which of its orders were accepted.
struct Client {
    random: SplitMix64,
    accounts: Vec<Id>,
    live: Vec<(Id, Id)>,
}

impl Client {
    async fn new(port: &InProcess) -> Self {
        list(port).await;
        let mut accounts = Vec::new();
        for number in 0..1_000 {
            accounts.push(account(port, format!("trader{number}")).await);
        }
        Self { random: SplitMix64::new(1), accounts, live: Vec::new() }
    }

    /// Sends a batch each millisecond; answers what each took from when it was due, in microseconds.
    async fn trade(&mut self, port: &InProcess) -> Vec<u32> {
        let mut samples = Vec::new();
        let mut under_way = std::collections::VecDeque::new();
        let start = Instant::now();
        for turn in 0..SECONDS * 1_000 {
            let due = start + Duration::from_millis(1) * turn;
            tokio::time::sleep_until(due.into()).await;
            let (requests, owners) = self.batch();
            let answers = port.submit_all(requests);
            under_way.push_back(tokio::task::spawn_local(async move {
                // A batch that is turned away is one that was never answered.
                let Ok(replies) = answers.await else { return (u32::MAX, Vec::new(), owners) };
                let micros = u32::try_from(due.elapsed().as_micros()).unwrap_or(u32::MAX);
                (micros, replies, owners)
            }));
            while under_way.front().is_some_and(tokio::task::JoinHandle::is_finished) {
                let task = under_way.pop_front().expect("it is there");
                samples.push(self.keep(task.await.expect("a batch")));
            }
        }
        for task in under_way {
            samples.push(self.keep(task.await.expect("a batch")));
        }
        samples
    }

    fn keep(
        &mut self,
        (micros, replies, owners): (u32, Vec<schema::Reply>, Vec<Option<Id>>),
    ) -> u32 {
        for (reply, owner) in replies.iter().zip(owners) {
            if let (Outcome::Accepted { order }, Some(account)) = (reply.outcome, owner) {
                self.live.push((account, order));
            }
        }
        micros
    }

    fn batch(&mut self) -> (Vec<Request>, Vec<Option<Id>>) {
        (0..BATCH).map(|place| self.request(place)).unzip()
    }

    /// Of twenty commands one takes; of the others half are cancels, once enough orders rest.
    fn request(&mut self, place: usize) -> (Request, Option<Id>) {
        let (command, owner) = match place % 20 {
            19 => (self.order(true).0, None),
            odd if odd % 2 == 1 && self.live.len() > RESTING => (self.cancel(), None),
            _ => self.order(false),
        };
        (Request { correlation: Id([9; 16]), key: None, command, account_version: None }, owner)
    }

    fn cancel(&mut self) -> Command {
        let count = self.live.len() as u64;
        let place = usize::try_from(self.random.below(count)).expect("small");
        let (account, order) = self.live.swap_remove(place);
        Command::CancelOrder(CancelOrder { account, order, state_seq: None })
    }

    /// Buyers are the lower half of the accounts, so that nobody meets himself.
    fn order(&mut self, takes: bool) -> (Command, Option<Id>) {
        let buys = self.random.coin();
        let half = self.accounts.len() as u64 / 2;
        let number = self.random.below(half) + if buys { 0 } else { half };
        let account = self.accounts[usize::try_from(number).expect("small")];
        let lots = Lots(self.random.between(1, 100));
        let away = self.random.between(1, 500);
        let (side, ticks, time_in_force) = match (buys, takes) {
            (true, false) => (Side::Buy, MIDDLE - away, TimeInForce::Gtc),
            (false, false) => (Side::Sell, MIDDLE + away, TimeInForce::Gtc),
            (true, true) => (Side::Buy, MIDDLE + 500, TimeInForce::Ioc),
            (false, true) => (Side::Sell, MIDDLE - 500, TimeInForce::Ioc),
        };
        (venue::order(account, side, (Ticks(ticks), lots), time_in_force), Some(account))
    }
}
