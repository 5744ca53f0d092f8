//! Runs other programs and says clearly when one is missing or fails.
//!
//! Invariant: a program that cannot be started is an error that names it, so no check passes because
//! its tool is not there.

use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context, bail};

/// Runs a program in a folder and gives what it printed; an error if it fails.
pub(crate) fn output(folder: &Path, program: &str, args: &[&str]) -> anyhow::Result<String> {
    let output = run(folder, program, args)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`{program} {}` failed ({}): {}", args.join(" "), output.status, said.trim());
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("`{program} {}` printed no UTF-8", args.join(" ")))
}

fn run(folder: &Path, program: &str, args: &[&str]) -> anyhow::Result<Output> {
    Command::new(program)
        .args(args)
        .current_dir(folder)
        .output()
        .with_context(|| format!("{program} cannot be started; `sh tools/setup.sh` installs it"))
}

/// The cargo that started this program.
pub(crate) fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_and_a_failing_program_are_errors() {
        let here = Path::new(".");
        assert!(output(here, "no-such-program-here", &[]).is_err());
        assert!(output(here, "sh", &["-c", "echo why >&2; exit 3"]).is_err_and(|e| {
            let text = e.to_string();
            text.contains("why") && text.contains('3')
        }));
        assert_eq!(output(here, "sh", &["-c", "echo a"]).expect("printed"), "a\n");
    }
}
