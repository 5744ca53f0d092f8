//! A run: a seed's plan, done in a new world, and what is told of a failure.
//!
//! Owns the shrinking of a plan that fails: acts are left out as long as it fails without them. A panic
//! anywhere, in the node, the oracle or the auditor, is a failure like a broken promise.

use std::cell::RefCell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use testkit::rng::SplitMix64;

use crate::coverage::Coverage;
use crate::plan::{Act, plan};
use crate::violation::Violation;
use crate::world::{Figures, World};

/// What a run has shown.
#[derive(Debug, Default)]
pub struct Report {
    /// Acts done.
    pub acts: u64,
    /// Commands in the log.
    pub commands: u64,
    /// Events.
    pub events: u64,
    /// Starts of the node, those that failed among them.
    pub starts: u64,
    /// Sectors that were harmed.
    pub harms: u64,
    /// Starts that found harm.
    pub detected: u64,
    /// Requests that clients made.
    pub requests: u64,
    /// Answers that were checked.
    pub answers: u64,
    /// Those of them that came over HTTP.
    pub http: u64,
    /// Views that were checked.
    pub queries: u64,
    /// Batches of events that a consumer read, and how often it was cut off.
    pub batches: (u64, u64),
    /// Recorded state hashes that a replay of events alone compared.
    pub compared_hashes: u64,
    /// Snapshots on record, starts from one, and starts on copies of the disk.
    pub snapshots: (u64, u64, u64),
    /// Sectors that a loss of power left old or in between.
    pub lost_sectors: u64,
    /// Faults × commands.
    pub coverage: Coverage,
    /// What was broken.
    pub failure: Option<Failure>,
}

/// A promise that was broken.
#[derive(Debug)]
pub struct Failure {
    seed: u64,
    what: String,
    /// Acts of the whole plan.
    count: usize,
    /// The shortest plan found that fails, and how.
    acts: Vec<Act>,
    shrunk: String,
    events: Vec<String>,
}

/// Runs a seed; `shrinks` is how many shorter plans are tried if it fails. With 0 the failure has none.
#[must_use]
pub fn check(seed: u64, shrinks: u32) -> Report {
    let acts = plan(seed);
    let (mut report, broken) = run(seed, &acts);
    if let Some((what, events)) = broken {
        if shrinks == 0 {
            let (count, shrunk) = (acts.len(), String::new());
            report.failure = Some(Failure { seed, what, count, acts: vec![], shrunk, events });
            return report;
        }
        let short = shrink(seed, acts.clone(), shrinks);
        let (_, again) = run(seed, &short);
        let (shrunk, events) = again.unwrap_or_else(|| ("it does not repeat".to_owned(), vec![]));
        report.failure =
            Some(Failure { seed, what, count: acts.len(), acts: short, shrunk, events });
    }
    report
}

/// What is broken, and the last events before it.
type Broken = Option<(String, Vec<String>)>;

fn run(seed: u64, acts: &[Act]) -> (Report, Broken) {
    let mut world = World::new(seed);
    let mut done = 0;
    let result = catch_unwind(AssertUnwindSafe(|| live(&mut world, seed, acts, &mut done)));
    let broken = match result {
        Ok(Ok(())) => None,
        Ok(Err(violation)) => Some(violation.to_string()),
        Err(panic) => {
            let place = PLACE.take().map_or_else(String::new, |it| format!(" at {it}"));
            Some(format!("panic{place}: {}", text_of(&*panic)))
        }
    };
    let broken = broken.map(|what| {
        let what = format!("act {done}: {what}");
        let event = |(head, event): &(schema::EventHead, schema::Event)| {
            let unused = ", Posting { account: 0, asset: 0, bucket: Available, delta: 0 }";
            format!("{} {} {event:?}", head.sequence, head.timestamp.0).replace(unused, "")
        };
        (what, world.auditor.last_events(EVENTS_SHOWN).iter().map(event).collect())
    });
    (report_of(&world, done), broken)
}

/// All of a run.
pub(crate) fn live(
    world: &mut World,
    seed: u64,
    acts: &[Act],
    done: &mut u64,
) -> Result<(), Violation> {
    world.begin(&mut SplitMix64::new(seed ^ 0xBE61))?;
    for act in acts {
        *done += 1;
        world.act(*act)?;
    }
    world.end()
}

fn report_of(world: &World, acts: u64) -> Report {
    let mut coverage = world.coverage.clone();
    for (situation, count) in &world.auditor.situations {
        coverage.met(situation, *count);
    }
    let Figures { starts, harms, detected, requests, answers, queries, .. } = world.figures;
    let Figures { snapshot_starts, replays, http, compared_hashes, .. } = world.figures;
    Report {
        acts,
        commands: world.auditor.command_count(),
        events: world.auditor.last_event(),
        starts,
        harms,
        detected,
        requests,
        answers,
        http,
        queries,
        batches: (world.consumer.batch_count, world.consumer.cut_count),
        compared_hashes,
        snapshots: (world.auditor.snapshot_count(), snapshot_starts, replays),
        lost_sectors: world.disk.counts().lost_sectors,
        coverage,
        failure: None,
    }
}

/// Leaves out halves, quarters and so on as long as the rest fails.
fn shrink(seed: u64, mut acts: Vec<Act>, tries: u32) -> Vec<Act> {
    let mut left = tries;
    let mut size = acts.len().div_ceil(2);
    while size > 0 && left > 0 {
        let mut start = 0;
        let mut is_shorter = false;
        while start < acts.len() && left > 0 {
            let mut shorter = acts.clone();
            shorter.drain(start..(start + size).min(acts.len()));
            left -= 1;
            if run(seed, &shorter).1.is_some() {
                acts = shorter;
                is_shorter = true;
            } else {
                start += size;
            }
        }
        if !is_shorter || size > 1 {
            size /= 2;
        }
    }
    acts
}

thread_local! {
    /// Where the last panic of this thread began.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// From now on a panic is not printed where it happens, which shrinking would do a hundred times; its
/// place is told with the failure.
pub fn note_panics() {
    std::panic::set_hook(Box::new(|panic| {
        PLACE.set(panic.location().map(ToString::to_string));
    }));
}

fn text_of(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a text")
}

impl Report {
    /// Takes over what another run has shown.
    pub fn add(&mut self, other: &Self) {
        self.acts += other.acts;
        self.commands += other.commands;
        self.events += other.events;
        self.starts += other.starts;
        self.harms += other.harms;
        self.detected += other.detected;
        self.requests += other.requests;
        self.answers += other.answers;
        self.http += other.http;
        self.queries += other.queries;
        self.batches.0 += other.batches.0;
        self.batches.1 += other.batches.1;
        self.compared_hashes += other.compared_hashes;
        self.snapshots.0 += other.snapshots.0;
        self.snapshots.1 += other.snapshots.1;
        self.snapshots.2 += other.snapshots.2;
        self.lost_sectors += other.lost_sectors;
        self.coverage.add(&other.coverage);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { acts, commands, events, starts, harms, detected, .. } = self;
        let Self { requests, answers, queries, batches, lost_sectors, .. } = self;
        writeln!(f, "{acts} acts, {requests} requests, {commands} commands, {events} events")?;
        let http = self.http;
        writeln!(
            f,
            "{answers} answers ({http} over HTTP), {queries} views and {} batches checked",
            batches.0
        )?;
        let (recorded, begun, copies) = self.snapshots;
        writeln!(f, "{starts} starts, {lost_sectors} sectors lost with power")?;
        writeln!(
            f,
            "{recorded} snapshots on record, {begun} starts from one; {copies} starts on copies"
        )?;
        writeln!(f, "{harms} sectors harmed, {detected} starts found it")?;
        writeln!(f, "consumers were cut off {} times", batches.1)?;
        writeln!(f, "{}", self.coverage)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {} fails: {}", self.seed, self.what)?;
        if !self.acts.is_empty() {
            writeln!(f, "{} of {} acts are enough: {}", self.acts.len(), self.count, self.shrunk)?;
        }
        for (at, Act { kind, seed }) in self.acts.iter().enumerate() {
            writeln!(f, "  {:>4} {kind:?} {seed:016x}", at + 1)?;
        }
        writeln!(f, "the last events:")?;
        for event in &self.events {
            writeln!(f, "  {event}")?;
        }
        Ok(())
    }
}

/// Events that a failure shows.
const EVENTS_SHOWN: usize = 12;
