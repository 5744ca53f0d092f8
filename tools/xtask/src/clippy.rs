//! `cargo xtask clippy`: every lint of the workspace, in all targets, as an error.

use crate::steps::{self, Step};
use crate::tree;

/// Runs the command.
pub(crate) fn run() -> anyhow::Result<()> {
    steps::run(&tree::root()?, &[step()])
}

/// The step.
pub(crate) fn step() -> Step {
    Step::cargo("clippy", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])
}
