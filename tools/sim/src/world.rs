//! The world of a run: one node, its machine, the clients and the network between them.
//!
//! Owns what each act does (`plan.rs`). Starting and ending the node is in `world/node.rs`, requests and
//! their answers in `world/clients.rs`, the gateway between them in `world/gateway.rs` and `world/http.rs`, what must hold when the faults are over in `world/ending.rs`,
//! of snapshots in `world/snapshots.rs`, and what a plan comes to too seldom in `world/crowd.rs`.

mod clients;
mod crowd;
mod ending;
mod gateway;
mod halt;
mod http;
mod node;
mod replay;
mod room;
mod snapshots;
mod storm;
#[cfg(test)]
mod tests;
mod time;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use engine::{InProcess, SnapshotPolicy, StageKind, Step, Stepped};
use port::{Port, PortFault, Query, Seen};
use schema::Genesis;
use testkit::oracle::Oracle;
use testkit::oracle::generate::Generator;
use testkit::rng::SplitMix64;

use self::gateway::Gateway;
use crate::auditor::Auditor;
use crate::clock::SimClock;
use crate::consumer::Consumer;
use crate::coverage::Coverage;
use crate::disk::{DiskCounts, Harm, SimDisk};
use crate::plan::{Act, ActKind};
use crate::tap::Promised;
use crate::violation::{Violation, ensure};
use clients::Clients;
pub(crate) use http::body_hash;
pub(crate) use node::ENDED_COUNT_MAX;

/// What a run has counted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) starts: u64,
    pub(crate) failed_starts: u64,
    pub(crate) stops: u64,
    pub(crate) harms: u64,
    pub(crate) detected: u64,
    pub(crate) requests: u64,
    pub(crate) answers: u64,
    pub(crate) queries: u64,
    /// Answers that came over HTTP.
    pub(crate) http: u64,
    /// Starts that began from a snapshot.
    pub(crate) snapshot_starts: u64,
    /// Recorded hashes that a replay of events alone compared.
    pub(crate) compared_hashes: u64,
    /// Starts on copies of the disk.
    pub(crate) replays: u64,
}

/// Everything of a run.
pub(crate) struct World {
    pub(crate) disk: SimDisk,
    pub(crate) clock: Arc<SimClock>,
    pub(crate) node: Option<Stepped>,
    pub(crate) promised: Promised,
    pub(crate) auditor: Auditor,
    pub(crate) generator: Generator,
    pub(crate) genesis: Genesis,
    pub(crate) clients: Clients,
    gateway: Gateway,
    pub(crate) consumer: Consumer,
    pub(crate) asked: Vec<Asked>,
    pub(crate) coverage: Coverage,
    pub(crate) figures: Figures,
    policy: SnapshotPolicy,
    /// Acts that the log's stage and the consumer still sleep.
    slow: u64,
    stalled: u64,
    /// Requests of `world/crowd.rs`.
    asked_count: u64,
    /// What a message was told at once and must not be.
    broken: Option<Violation>,
    space: room::SimSpace,
    /// What the disk said before, each with when it ceased to, in monotonic time.
    used_before: Vec<(u64, u32)>,
    /// By how much exchange time may be ahead of the world's (`world/time.rs`).
    ahead: i64,
    /// The most by which the wall clock was ahead of it.
    wall_ahead: i64,
    /// The last event that the event log had at the last start.
    stored_event: u64,
    seen_counts: DiskCounts,
}

/// A question that waits for its answer.
pub(crate) struct Asked {
    query: Query,
    least: u64,
    answer: Pin<Box<dyn Future<Output = Result<Seen, PortFault>> + Send>>,
}

impl World {
    /// A world before its first start.
    pub(crate) fn new(seed: u64) -> Self {
        let mut generator = Generator::new(seed);
        let first = generator.next(&Oracle::new());
        let schema::Command::Genesis(genesis) = first.command else {
            unreachable!("a generator begins with the genesis");
        };
        let clock = Arc::new(SimClock::new(first.stamp.0));
        let gateway = Gateway::new(seed, clock.clone(), genesis.venue_id);
        Self {
            disk: SimDisk::new(seed),
            clock,
            gateway,
            node: None,
            promised: Promised::default(),
            auditor: Auditor::default(),
            generator,
            genesis,
            clients: Clients::default(),
            consumer: Consumer::default(),
            asked: Vec::new(),
            coverage: Coverage::default(),
            figures: Figures::default(),
            policy: snapshots::policy_of(&mut SplitMix64::new(seed ^ 0x5A4B)),
            slow: 0,
            stalled: 0,
            asked_count: 0,
            broken: None,
            space: room::SimSpace::default(),
            used_before: Vec::new(),
            ahead: 0,
            wall_ahead: 0,
            stored_event: 0,
            seen_counts: DiskCounts::default(),
        }
    }

    /// Does one act, then looks at what has come of it.
    pub(crate) fn act(&mut self, act: Act) -> Result<(), Violation> {
        let mut random = SplitMix64::new(act.seed);
        match act.kind {
            ActKind::Send => self.send(act.seed),
            ActKind::Deliver => self.deliver(&mut random),
            ActKind::Work => self.work(&mut random)?,
            ActKind::Pass => self.pass(&mut random),
            ActKind::Retry => self.retry(&mut random),
            ActKind::Ask => self.ask(&mut random),
            ActKind::Read if self.stalled > 0 => self.stalled -= 1,
            ActKind::Read => self.read()?,
            ActKind::LoseMessage => self.lose_message(&mut random),
            ActKind::DoubleMessage => self.double_message(&mut random),
            ActKind::LoseAnswer => self.clients.lose_next_answer(),
            ActKind::Overload => self.overload(&mut random),
            ActKind::Storm => self.storm(&mut random)?,
            ActKind::Kill => self.kill()?,
            ActKind::LosePower => self.lose_power()?,
            ActKind::LosePowerSoon => self.disk.crash_after(random.below(6)),
            ActKind::FailSync => self.disk.fail_next_sync(),
            ActKind::FailWrite => self.disk.fail_next_write(),
            ActKind::FillDisk => self.fill_disk(&mut random),
            ActKind::MakeRoom => self.make_room(),
            ActKind::SlowDisk => {
                self.slow = random.between(5, 40);
                self.hit("disk slow");
            }
            ActKind::StallConsumer => self.stalled = random.between(1, 20),
            ActKind::JumpClock => self.jump_clock(&mut random),
            ActKind::RightClock => self.right_clock(&mut random)?,
            ActKind::FlipBit => self.harm(Harm::Flip, &mut random)?,
            ActKind::LoseSector => self.harm(Harm::Lose, &mut random)?,
        }
        self.observe()
    }

    /// The door of the node, if it is up.
    pub(crate) fn door(&self) -> Option<InProcess> {
        self.node.as_ref().map(Stepped::port)
    }

    /// A fault hits every command that is on its way through the node.
    fn hit(&mut self, fault: &'static str) {
        for kind in self.clients.kinds_inside() {
            self.coverage.hit(fault, kind);
        }
    }

    fn work(&mut self, random: &mut SplitMix64) -> Result<(), Violation> {
        if self.node.is_none() {
            return self.start();
        }
        self.slow = self.slow.saturating_sub(1);
        for _ in 0..random.between(1, 10) {
            let stage = *random.pick(&StageKind::ALL).expect("some");
            if self.slow > 0 && stage == StageKind::Log {
                continue;
            }
            let Some(node) = &mut self.node else { break };
            if node.step(stage) == Step::Worked {
                self.advance(i64::try_from(random.below(200_000)).expect("small"));
            }
            self.observe()?;
        }
        Ok(())
    }

    fn pass(&mut self, random: &mut SplitMix64) {
        let nanos = match random.below(24) {
            0..10 => random.below(1_000_000),
            10..17 => random.below(100_000_000),
            17..19 => random.below(3_000_000_000),
            19 => random.below(70_000_000_000),
            _ => return self.pass_to_an_end(random),
        };
        self.advance(i64::try_from(nanos).expect("small"));
    }

    fn ask(&mut self, random: &mut SplitMix64) {
        let Some(door) = self.door() else { return };
        if self.auditor.last_event() == 0 {
            return;
        }
        let query = self.auditor.query_at(random.next());
        let last = self.auditor.last_event();
        let least = if random.coin() { last } else { random.below(last + 1) };
        let wait = std::time::Duration::from_millis(random.below(2_000));
        self.asked.push(Asked { query, least, answer: door.query(query, least, wait) });
    }

    pub(crate) fn read(&mut self) -> Result<(), Violation> {
        let Some(door) = self.door() else { return Ok(()) };
        self.consumer.read(&door, &self.auditor)
    }

    /// Harm is looked for by a start: in the logs all of it, in snapshots those that it would begin from.
    fn harm(&mut self, harm: Harm, random: &mut SplitMix64) -> Result<(), Violation> {
        self.kill()?;
        let part = *random.pick(&["commands", "events", ".snapshot", ""]).expect("some");
        let Some(place) = self.disk.harm(harm, part, random) else { return self.start() };
        self.figures.harms += 1;
        self.start()?;
        self.disk.forget_blank_harm();
        ensure(!self.disk.is_log_harmed(), || format!("{harm:?} of {place} was not detected"))
    }

    /// Looks at everything that left the node.
    pub(crate) fn observe(&mut self) -> Result<(), Violation> {
        if let Some(violation) = self.broken.take() {
            return Err(violation);
        }
        self.allow_time();
        self.auditor.on_promised(self.promised.take())?;
        self.count_faults();
        if self.disk.is_dead() {
            return self.lose_power();
        }
        self.take_answers()?;
        self.take_seen()?;
        self.check_stop()
    }

    fn take_seen(&mut self) -> Result<(), Violation> {
        let mut at = 0;
        while at < self.asked.len() {
            let Some(answer) = poll(&mut self.asked[at].answer) else {
                at += 1;
                continue;
            };
            let Asked { query, least, .. } = self.asked.swap_remove(at);
            if let Ok(seen) = answer {
                self.figures.queries += 1;
                self.auditor.on_seen(query, least, &seen)?;
            }
        }
        Ok(())
    }

    fn count_faults(&mut self) {
        let (before, now) = (self.seen_counts, self.disk.counts());
        let faults = [
            ("power lost at a write", before.crashes_at_write, now.crashes_at_write),
            ("power lost at a sync", before.crashes_at_sync, now.crashes_at_sync),
            ("sync failed", before.failed_syncs, now.failed_syncs),
            ("write failed", before.failed_writes, now.failed_writes),
            ("disk full", before.full_writes, now.full_writes),
        ];
        for (fault, before, now) in faults {
            if now > before {
                self.hit(fault);
            }
        }
        self.seen_counts = now;
    }
}

/// The value of a future, if it is there.
pub(crate) fn poll<T>(future: &mut Pin<Box<dyn Future<Output = T> + Send>>) -> Option<T> {
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}
