//! `cargo xtask sim [--seed N] [--runs N]`: hands its arguments to the simulator, built with
//! optimisation. Which seeds it runs and what it prints is the business of `tools/sim`. With `--planted` it is
//! the simulator that is tried (`planted.rs`).

use std::process::Command;

use anyhow::{Context, bail};

use crate::steps::Step;
use crate::{command, planted, tree};

/// Runs the command; standard output is the simulator's alone.
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    if let Some(at) = args.iter().position(|arg| arg == "--planted") {
        return planted::run(&[&args[..at], &args[at + 1..]].concat());
    }
    let mut call = Command::new(command::cargo());
    call.args(CALL).arg("--").args(args);
    let status = call.current_dir(tree::root()?).status().context("cargo cannot be started")?;
    if !status.success() {
        bail!("the simulator failed ({status})");
    }
    Ok(())
}

/// The kept seeds and those of the commit.
pub(crate) fn step() -> Step {
    Step::cargo("simulator", &CALL)
}

const CALL: [&str; 5] = ["run", "--release", "--quiet", "--package", "sim"];
