//! `cargo xtask sim [--seed N] [--runs N]`: runs the simulator and prints what it has shown.
//!
//! Status 0: every run kept its promises; 1: one did not, and everything needed to repeat it is printed;
//! 2: the command line was not understood.

use std::process::{Command, ExitCode};
use std::time::Instant;

use sim::{Report, check};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some((first, count)) = read(&args) else {
        eprintln!("sim: `{}` is not understood; use [--seed N] [--runs N]", args.join(" "));
        return ExitCode::from(2);
    };
    let began = Instant::now();
    let mut all = Report::default();
    let mut failed = 0;
    for seed in first..first.saturating_add(count) {
        let report = check(seed, SHRINK_COUNT);
        all.add(&report);
        if let Some(failure) = report.failure {
            failed += 1;
            println!("commit {}\n{failure}", commit());
        }
    }
    let seconds = began.elapsed().as_secs();
    println!("seeds {first} to {}: {failed} failed, {seconds} s", first + count - 1);
    print!("{all}");
    let missing = all.coverage.missing().count();
    println!("{missing} pairs of the table never came up");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// First seed and number of runs.
fn read(args: &[String]) -> Option<(u64, u64)> {
    let (mut seed, mut runs) = (1, 1);
    let mut rest = args.iter();
    while let Some(name) = rest.next() {
        let value = rest.next()?.parse().ok()?;
        match name.as_str() {
            "--seed" => seed = value,
            "--runs" => runs = value,
            _ => return None,
        }
    }
    (runs > 0).then_some((seed, runs))
}

fn commit() -> String {
    let output = Command::new("git").args(["rev-parse", "HEAD"]).output();
    let hash = output.ok().and_then(|it| String::from_utf8(it.stdout).ok()).unwrap_or_default();
    if hash.trim().is_empty() { "unknown".to_owned() } else { hash.trim().to_owned() }
}

/// Shorter plans that are tried of one that fails.
const SHRINK_COUNT: u32 = 300;
