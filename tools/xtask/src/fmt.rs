//! `cargo xtask fmt`: formats every package, or with `--check` only says what is not formatted.

use crate::steps::{self, Step};
use crate::tree;

/// Runs the command.
pub(crate) fn run(check_only: bool) -> anyhow::Result<()> {
    let step = if check_only { check_step() } else { Step::cargo("format", &["fmt", "--all"]) };
    steps::run(&tree::root()?, &[step])
}

/// The step that fails if a file is not formatted.
pub(crate) fn check_step() -> Step {
    Step::cargo("formatting", &["fmt", "--all", "--check"])
}
