//! `cargo xtask coverage`: which share of the code's lines the tests run, crate by crate.
//!
//! Owns the two bounds: of the core's lines and of the whole workspace's. The counting is `cargo llvm-cov`'s,
//! which is no part of the toolchain; without it the command says how it is installed. Tests of their own
//! folders are not counted, unit tests beside the code are.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};
use serde_json::Value;

use crate::{command, tree};

/// The least share of `core/` in percent.
const CORE_PERCENT: f64 = 95.0;
/// The least share of the workspace in percent.
const WORKSPACE_PERCENT: f64 = 85.0;

/// Runs every test of the workspace, counted, and prints the shares.
pub(crate) fn run() -> anyhow::Result<()> {
    let root = tree::root()?;
    command::output(&root, &command::cargo(), &["llvm-cov", "--version"])
        .context("`rustup component add llvm-tools && cargo install cargo-llvm-cov` installs it")?;
    let report = root.join("target/coverage.json");
    let mut call = Command::new(command::cargo());
    call.args(["llvm-cov", "--workspace", "--json", "--summary-only", "--output-path"]);
    let status =
        call.arg(&report).current_dir(&root).status().context("cargo cannot be started")?;
    if !status.success() {
        bail!("the tests or their counting failed ({status})");
    }
    let text = std::fs::read_to_string(&report)
        .with_context(|| format!("{} cannot be read", report.display()))?;
    let shares =
        read(&serde_json::from_str(&text)?, &root).context("the report is not understood")?;
    print!("{}", table(&shares));
    let faults = faults(&shares);
    if !faults.is_empty() {
        bail!("{}", faults.join("; "));
    }
    Ok(())
}

/// Lines of a crate: how many count, and how many of them were run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Lines {
    count: u64,
    covered: u64,
}

impl Lines {
    fn add(&mut self, more: Self) {
        self.count += more.count;
        self.covered += more.covered;
    }

    #[expect(clippy::cast_precision_loss, reason = "lines of code are far fewer than 2^52")]
    fn percent(self) -> f64 {
        if self.count == 0 { 0.0 } else { 100.0 * self.covered as f64 / self.count as f64 }
    }
}

/// The lines of each crate by its folder, as `core/book`. None if the report has another shape.
fn read(report: &Value, root: &Path) -> Option<BTreeMap<String, Lines>> {
    let mut crates: BTreeMap<String, Lines> = BTreeMap::new();
    for file in report["data"][0]["files"].as_array()? {
        let path = Path::new(file["filename"].as_str()?).strip_prefix(root).ok()?;
        let folder = path.to_str()?.split_once("/src/")?.0;
        let lines = &file["summary"]["lines"];
        let lines = Lines { count: lines["count"].as_u64()?, covered: lines["covered"].as_u64()? };
        crates.entry(folder.to_owned()).or_default().add(lines);
    }
    Some(crates)
}

/// The lines of the crates whose folder begins so.
fn sum(crates: &BTreeMap<String, Lines>, prefix: &str) -> Lines {
    let mut all = Lines::default();
    for (_, lines) in crates.iter().filter(|(folder, _)| folder.starts_with(prefix)) {
        all.add(*lines);
    }
    all
}

fn table(crates: &BTreeMap<String, Lines>) -> String {
    let row = |name: &str, lines: Lines, end: &str| {
        format!(
            "{name:20} {:>7} of {:>7} {:>6.2} %{end}\n",
            lines.covered,
            lines.count,
            lines.percent()
        )
    };
    let mut text: String = crates.iter().map(|(folder, lines)| row(folder, *lines, "")).collect();
    let least = |percent: f64| format!(" (at least {percent} %)");
    text.push_str(&row("core", sum(crates, "core/"), &least(CORE_PERCENT)));
    text.push_str(&row("workspace", sum(crates, ""), &least(WORKSPACE_PERCENT)));
    text
}

fn faults(crates: &BTreeMap<String, Lines>) -> Vec<String> {
    let bounds = [("core/", "the core", CORE_PERCENT), ("", "the workspace", WORKSPACE_PERCENT)];
    let is_short = |(prefix, _, least): &(&str, &str, f64)| sum(crates, prefix).percent() < *least;
    let say = |(prefix, name, least): (&str, &str, f64)| {
        format!("{name} has {:.2} %, not {least} %", sum(crates, prefix).percent())
    };
    bounds.into_iter().filter(is_short).map(say).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, covered: u64) -> Value {
        let summary = serde_json::json!({"lines": {"count": 100, "covered": covered}});
        serde_json::json!({"filename": format!("/x/{name}"), "summary": summary})
    }

    fn crates(files: &[Value]) -> BTreeMap<String, Lines> {
        let report = serde_json::json!({"data": [{"files": files}]});
        read(&report, Path::new("/x")).expect("understood")
    }

    #[test]
    fn lines_are_summed_by_crate_and_held_to_the_bounds() {
        let core = [file("core/a/src/lib.rs", 100), file("core/a/src/b.rs", 90)];
        let good = crates(&core);
        assert_eq!(good["core/a"], Lines { count: 200, covered: 190 });
        assert!(faults(&good).is_empty());
        let low = crates(&[file("core/a/src/lib.rs", 94), file("node/b/src/lib.rs", 80)]);
        assert_eq!(faults(&low).len(), 1, "87 % of all are enough, 94 % of the core are not");
        let lower = crates(&[file("core/a/src/lib.rs", 95), file("node/b/src/lib.rs", 70)]);
        assert!(faults(&lower)[0].contains("82.50 %"));
        assert!(table(&lower).contains("workspace                165 of     200  82.50 %"));
        assert_eq!(faults(&BTreeMap::new()).len(), 2, "nothing counted is not enough");
    }

    #[test]
    fn another_shape_is_refused() {
        let root = Path::new("/x");
        assert_eq!(read(&serde_json::json!({}), root), None);
        let elsewhere = serde_json::json!({"data": [{"files": [{"filename": "/y/a/src/b.rs"}]}]});
        assert_eq!(read(&elsewhere, root), None);
    }
}
