//! Runs named steps one after the other and shows what each took.
//!
//! Invariant: all steps run, also after one that failed, so that one run tells everything; the run
//! fails if any step did. A step's own output goes straight to the terminal.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::command;

/// One program call with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    name: String,
    program: String,
    args: Vec<String>,
}

impl Step {
    /// A call of cargo.
    pub(crate) fn cargo(name: &str, args: &[&str]) -> Self {
        Self::program(name, &command::cargo(), args)
    }

    /// A call of any program.
    pub(crate) fn program(name: &str, program: &str, args: &[&str]) -> Self {
        let args = args.iter().map(|a| (*a).to_owned()).collect();
        Self { name: name.to_owned(), program: program.to_owned(), args }
    }

    /// The same step with one more argument.
    pub(crate) fn with(mut self, arg: &str) -> Self {
        self.args.push(arg.to_owned());
        self
    }

    fn run(&self, root: &Path) -> anyhow::Result<bool> {
        let status = Command::new(&self.program).args(&self.args).current_dir(root).status();
        let status = status.with_context(|| format!("{} cannot be started", self.program))?;
        Ok(status.success())
    }
}

/// Runs all steps in the folder; an error names those that failed.
pub(crate) fn run(root: &Path, steps: &[Step]) -> anyhow::Result<()> {
    let start = Instant::now();
    let mut results = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        eprintln!("== {} of {}: {}", index + 1, steps.len(), step.name);
        let begun = Instant::now();
        let passed = step.run(root)?;
        results.push((step.name.as_str(), passed, begun.elapsed()));
    }
    for (name, passed, time) in &results {
        eprintln!("{:>8}  {}  {name}", seconds(*time), if *passed { "passed" } else { "FAILED" });
    }
    eprintln!("{:>8}  in all", seconds(start.elapsed()));
    let failed: Vec<&str> = results.iter().filter(|r| !r.1).map(|r| r.0).collect();
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

fn seconds(time: Duration) -> String {
    format!("{}.{} s", time.as_secs(), time.subsec_millis() / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_runs_and_a_failure_is_named() {
        let scratch = crate::scratch::Scratch::folder();
        let steps = [
            Step::program("bad", "sh", &["-c", "exit 1"]),
            Step::program("good", "sh", &["-c"]).with("echo a > ran"),
        ];
        let error = run(scratch.path(), &steps).expect_err("a failed step passed");
        assert_eq!(error.to_string(), "failed: bad");
        assert!(scratch.path().join("ran").is_file());
        assert!(run(scratch.path(), &steps[1..]).is_ok());
    }

    #[test]
    fn a_missing_program_fails() {
        let step = Step::program("absent", "no-such-program-here", &[]);
        assert!(run(Path::new("."), &[step]).is_err());
    }
}
