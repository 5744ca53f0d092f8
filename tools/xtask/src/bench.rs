//! `cargo xtask bench [--json] [NAME]`: hands its arguments to the benchmark package, built with
//! optimisation. The rows, their targets and their output are the business of `tools/bench`.

use std::process::Command;

use anyhow::{Context, bail};

use crate::{command, tree};

/// Runs the command; standard output is the benchmark's alone.
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    let mut call = Command::new(command::cargo());
    call.args(["run", "--release", "--quiet", "--package", "bench", "--"]).args(args);
    let status = call.current_dir(tree::root()?).status().context("cargo cannot be started")?;
    if !status.success() {
        bail!("the benchmark failed ({status})");
    }
    Ok(())
}
