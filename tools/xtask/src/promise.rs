//! `cargo xtask promise [ROW..] [--full]`: hands its arguments to the package of promises, built with
//! optimisation, and hands its status back. The rows, their bounds and their output are the business of
//! `tools/promise`, which builds the binary that they drive.

use std::process::{Command, ExitCode};

use anyhow::{Context, bail};

use crate::{command, tree};

/// Runs the command; standard output is the rows' alone.
pub(crate) fn run(args: &[String]) -> anyhow::Result<ExitCode> {
    let mut call = Command::new(command::cargo());
    call.args(["run", "--release", "--quiet", "--package", "promise", "--"]).args(args);
    let status = call.current_dir(tree::root()?).status().context("cargo cannot be started")?;
    let Some(code) = status.code().and_then(|code| u8::try_from(code).ok()) else {
        bail!("the rows were ended ({status})");
    };
    Ok(ExitCode::from(code))
}
