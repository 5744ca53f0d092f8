//! The tests themselves: defects that are planted in the sources, each of which the simulator must find.
//!
//! `cargo xtask sim --planted` does it, in a copy of the sources; here its lines are read. The short form has a few of
//! the defects, one of each part of the exchange. Either begins with a build of the copy with optimisation, which
//! takes minutes the first time: no test runs this row.

use std::process::Command;

use crate::row::{Outcome, Size};

pub(super) fn run(size: Size) -> Outcome {
    let names: &[&str] = match size {
        Size::Short => &A_FEW,
        Size::Full => &[],
    };
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(cargo);
    command.args(["xtask", "sim", "--planted"]).args(names);
    let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("cargo starts");
    let said = String::from_utf8_lossy(&output.stdout);
    let Some((killed, all)) = said.lines().find_map(counts_of) else {
        panic!("{said}{}", String::from_utf8_lossy(&output.stderr));
    };
    let mut outcome = Outcome::default();
    outcome.done(format!("{all} defects planted, each run with up to 200 seeds of this commit"));
    for line in said.lines().filter(|line| !line.contains("  killed by seed ")) {
        outcome.done(line);
    }
    outcome.at_least(
        "defects planted",
        all,
        if names.is_empty() { 40 } else { A_FEW.len() as u64 },
    );
    outcome.exactly("defects found", killed, all);
    outcome
}

/// The numbers of the line `K of N killed`.
fn counts_of(line: &str) -> Option<(u64, u64)> {
    let (killed, all) = line.strip_suffix(" killed")?.split_once(" of ")?;
    Some((killed.parse().ok()?, all.parse().ok()?))
}

/// Defects of the short form.
const A_FEW: [&str; 6] = [
    "limit-is-strict",
    "expiry-keeps-the-hold",
    "fee-doubled",
    "retry-runs-again",
    "sync-skipped",
    "view-does-not-wait",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_line_has_the_counts() {
        assert_eq!(counts_of("3 of 40 killed"), Some((3, 40)));
        for line in ["control, without a defect: every seed passed", "a  killed by seed 3: 1 of 2"]
        {
            assert_eq!(counts_of(line), None);
        }
    }
}
