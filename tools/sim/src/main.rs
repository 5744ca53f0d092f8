//! `cargo xtask sim [--seed N] [--runs N]`: runs the simulator and prints what it has shown.
//!
//! With a seed, that one and those behind it; without, the kept seeds and as many as asked for that
//! belong to the commit (`seeds.rs`). Each run has one thread; several run beside each other. Status 0:
//! every run kept its promises; 1: one did not, and everything needed to repeat it is printed; 2: the
//! command line was not understood. Four words more are for programs that call it, such as the one that
//! plants defects (`cargo xtask sim --planted`): `--fresh` leaves the kept seeds out, `--until-failure` ends with
//! the first run that fails, `--no-shrink` looks for no shorter plan of it, `--threads N` says how many run at once.

use std::collections::BTreeMap;
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use sim::{Report, check, first_of, kept, note_panics};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some(asked) = Asked::read(&args) else {
        eprintln!("sim: `{}` is not understood; use {USE}", args.join(" "));
        return ExitCode::from(2);
    };
    note_panics();
    let began = Instant::now();
    let commit = commit();
    let seeds = asked.seeds(&commit);
    let Totals { count, all, failed } = run_all(&seeds, &commit, &asked);
    let seconds = began.elapsed().as_secs();
    println!("commit {commit}: {count} seeds, {} failed, {seconds} s", failed.len());
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
#[derive(Default)]
struct Asked {
    seed: Option<u64>,
    runs: Option<u64>,
    threads: Option<u64>,
    is_fresh: bool,
    ends_with_failure: bool,
    is_unshrunk: bool,
}

impl Asked {
    fn read(args: &[String]) -> Option<Self> {
        let mut asked = Self::default();
        let mut rest = args.iter();
        while let Some(name) = rest.next() {
            let number = |it: Option<&String>| it.and_then(|it| it.parse::<u64>().ok());
            match name.as_str() {
                "--seed" => asked.seed = Some(number(rest.next())?),
                "--runs" => asked.runs = Some(number(rest.next()).filter(|&it| it > 0)?),
                "--threads" => asked.threads = Some(number(rest.next()).filter(|&it| it > 0)?),
                "--fresh" => asked.is_fresh = true,
                "--until-failure" => asked.ends_with_failure = true,
                "--no-shrink" => asked.is_unshrunk = true,
                _ => return None,
            }
        }
        Some(asked)
    }

    /// How many run beside each other: as many as the machine has cores, unless it was said.
    fn thread_count(&self) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.and_then(|it| usize::try_from(it).ok()).unwrap_or(cores)
    }

    /// The seeds to run, after saying which they are.
    fn seeds(&self, commit: &str) -> Vec<u64> {
        let kept: Vec<u64> = match self.seed {
            None if !self.is_fresh => kept().into_iter().map(|it| it.0).collect(),
            _ => Vec::new(),
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

/// Runs each seed in a thread of its own, so many at a time. What failed is printed in the order of the
/// seeds, as soon as all before it are over.
fn run_all(seeds: &[u64], commit: &str, asked: &Asked) -> Totals {
    let next = AtomicUsize::new(0);
    let shrinks = if asked.is_unshrunk { 0 } else { SHRINK_COUNT };
    let done: Mutex<(BTreeMap<usize, Report>, Totals)> = Mutex::default();
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(&seed) = seeds.get(at) else { return };
            let report = check(seed, shrinks);
            if asked.ends_with_failure && report.failure.is_some() {
                next.store(seeds.len(), Ordering::Relaxed);
            }
            let (waiting, totals) = &mut *done.lock().expect("no panic");
            waiting.insert(at, report);
            while let Some(report) = waiting.remove(&totals.count) {
                totals.take(seeds[totals.count], report, commit);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..asked.thread_count().min(seeds.len()) {
            scope.spawn(work);
        }
    });
    done.into_inner().expect("no panic").1
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

const USE: &str = "[--seed N] [--runs N] [--fresh] [--until-failure] [--no-shrink] [--threads N]";
/// Pairs of the table that are named when they did not come up.
const PAIRS_SHOWN: usize = 60;
/// Seeds of the commit that a call runs.
const FRESH_COUNT: u64 = 100;
/// Shorter plans that are tried of one that fails.
const SHRINK_COUNT: u32 = 300;
