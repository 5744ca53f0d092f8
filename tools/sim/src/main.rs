//! `cargo xtask sim [--seed N] [--runs N]`: runs the simulator and prints what it has shown.
//!
//! With a seed, that one and those behind it; without, the kept seeds and as many as asked for that
//! belong to the commit (`seeds.rs`). Each run has one thread; several run beside each other. Status 0:
//! every run kept its promises; 1: one did not, and everything needed to repeat it is printed; 2: the
//! command line was not understood.

use std::collections::BTreeMap;
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use sim::{Report, check, first_of, kept, note_panics};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some(asked) = Asked::read(&args) else {
        eprintln!("sim: `{}` is not understood; use [--seed N] [--runs N]", args.join(" "));
        return ExitCode::from(2);
    };
    note_panics();
    let began = Instant::now();
    let commit = commit();
    let seeds = asked.seeds(&commit);
    let (all, failed) = run_all(&seeds, &commit);
    let seconds = began.elapsed().as_secs();
    println!("commit {commit}: {} seeds, {} failed, {seconds} s", seeds.len(), failed.len());
    println!("{all}");
    let missing: Vec<String> =
        all.coverage.missing().map(|(fault, command)| format!("{fault} × {command}")).collect();
    println!("{} pairs never came up", missing.len());
    if missing.len() <= PAIRS_SHOWN {
        println!("{}", missing.join(", "));
    }
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    for seed in failed {
        println!("seed {seed} failed; `cargo xtask sim --seed {seed}` repeats it");
    }
    ExitCode::FAILURE
}

/// What the command line asks for.
struct Asked {
    seed: Option<u64>,
    runs: Option<u64>,
}

impl Asked {
    fn read(args: &[String]) -> Option<Self> {
        let mut asked = Self { seed: None, runs: None };
        let mut rest = args.iter();
        while let Some(name) = rest.next() {
            let value = rest.next()?.parse().ok()?;
            match name.as_str() {
                "--seed" => asked.seed = Some(value),
                "--runs" => asked.runs = Some(value),
                _ => return None,
            }
        }
        (asked.runs != Some(0)).then_some(asked)
    }

    /// The seeds to run, after saying which they are.
    fn seeds(&self, commit: &str) -> Vec<u64> {
        let kept: Vec<u64> = match self.seed {
            Some(_) => Vec::new(),
            None => kept().into_iter().map(|it| it.0).collect(),
        };
        let count = self.runs.unwrap_or(if self.seed.is_some() { 1 } else { FRESH_COUNT });
        let first = self.seed.unwrap_or_else(|| first_of(commit));
        let end = first.saturating_add(count);
        if self.seed.is_none() {
            println!("{} kept seeds, and {first} to {} of commit {commit}", kept.len(), end - 1);
        }
        kept.into_iter().chain(first..end).collect()
    }
}

/// Runs each seed in a thread of its own, as many at a time as the machine has cores. What failed is
/// printed in the order of the seeds, as soon as all before it are over.
fn run_all(seeds: &[u64], commit: &str) -> (Report, Vec<u64>) {
    let next = AtomicUsize::new(0);
    let done: Mutex<(BTreeMap<usize, Report>, Totals)> = Mutex::default();
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(&seed) = seeds.get(at) else { return };
            let report = check(seed, SHRINK_COUNT);
            let (waiting, totals) = &mut *done.lock().expect("no panic");
            waiting.insert(at, report);
            while let Some(report) = waiting.remove(&totals.count) {
                totals.take(seeds[totals.count], report, commit);
            }
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores.min(seeds.len()) {
            scope.spawn(work);
        }
    });
    let (_, totals) = done.into_inner().expect("no panic");
    (totals.all, totals.failed)
}

#[derive(Default)]
struct Totals {
    count: usize,
    all: Report,
    failed: Vec<u64>,
}

impl Totals {
    fn take(&mut self, seed: u64, report: Report, commit: &str) {
        self.count += 1;
        self.all.add(&report);
        if let Some(failure) = report.failure {
            self.failed.push(seed);
            println!("commit {commit}\n{failure}");
        }
    }
}

fn commit() -> String {
    let output = Command::new("git").args(["rev-parse", "HEAD"]).output();
    let hash = output.ok().and_then(|it| String::from_utf8(it.stdout).ok()).unwrap_or_default();
    if hash.trim().is_empty() { "unknown".to_owned() } else { hash.trim().to_owned() }
}

/// Pairs of the table that are named when they did not come up.
const PAIRS_SHOWN: usize = 60;
/// Seeds of the commit that a call runs.
const FRESH_COUNT: u64 = 100;
/// Shorter plans that are tried of one that fails.
const SHRINK_COUNT: u32 = 300;
