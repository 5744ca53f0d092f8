//! `cargo xtask tidy`: the project's own rules, as checks that fail closed.
//!
//! Each check is a module that owns one rule, says in its header what it cannot see, and has a test
//! that feeds it a bad input. Invariant: what a check needs and cannot read is a failure, never
//! silence. STYLE.md lists the rules for people.

mod arrows;
mod closed;
mod forbidden;
mod generated;
mod header;
mod length;
mod links;
mod lints;
mod manifests;
mod open;
mod purity;
mod reach;

use anyhow::bail;

use crate::covers;
use crate::finding::Finding;
use crate::project::Project;
use crate::steps::Step;

/// Runs all checks on the project and prints what they find.
pub(crate) fn run() -> anyhow::Result<()> {
    let project = Project::load()?;
    let findings = findings(&project);
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("tidy: {} finding(s)", findings.len());
    }
    println!("tidy: {} files, nothing found", project.tree.files.len());
    Ok(())
}

/// The step of the larger commands.
pub(crate) fn step() -> Step {
    Step::cargo("tidy", &["run", "--quiet", "--package", "xtask", "--", "tidy"])
}

/// Everything that is wrong, sorted by place.
fn findings(project: &Project) -> Vec<Finding> {
    let reached = reach::walk(project);
    let covers = covers::collect(project);
    let mut all = arrows::check(&project.workspace);
    all.extend(manifests::check(project));
    all.extend(lints::check(project));
    all.extend(length::check(project));
    all.extend(header::check(project));
    all.extend(reach::check(project, &reached));
    all.extend(purity::check(project, &reached));
    all.extend(closed::check(project, &reached));
    all.extend(forbidden::check(project));
    all.extend(links::check(project));
    all.extend(generated::check(project, &covers));
    all.extend(open::check(project, &covers));
    all.extend(covers.findings);
    all.sort();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project;

    /// The project as it stands keeps its own rules: its core has no dependency outside the short
    /// list, names nothing of the standard library and no floating-point type.
    /// covers: DET-3, GOAL-10
    #[test]
    fn the_project_is_tidy() {
        let project = Project::load().expect("a project that can be read");
        let found: Vec<String> = findings(&project).iter().map(ToString::to_string).collect();
        assert!(found.is_empty(), "{} finding(s):\n{}", found.len(), found.join("\n"));
    }

    /// Every check is called: a project with one fault of each kind shows each of them.
    #[test]
    fn no_check_is_left_out() {
        let long = format!("//! A.\n{}", "\n".repeat(1_001));
        let files = [
            ("core/a/Cargo.toml", "[package]\nname = \"a\"\n"),
            ("core/a/src/lib.rs", "//! A.\nuse std::io;\nfn a() { todo!() }\n"),
            ("core/a/src/dead.rs", "//! Dead.\n/// covers: LIQ-99\n#[test]\nfn b() {}\n"),
            ("core/a/src/long.rs", &long),
            ("core/a/src/headless.rs", "fn c() {}\n"),
            ("docs/lost.md", "# Lost\n\n[nowhere](nowhere.md)\n"),
        ];
        let mut project = project::of_files(&files);
        let package = |name: &str, folder: &str| crate::workspace::Package {
            name: name.to_owned(),
            folder: folder.to_owned(),
            ..Default::default()
        };
        project.workspace.packages.push(package("a", "core/a"));
        project.workspace.packages.push(package("stray", "elsewhere/stray"));
        let found = findings(&project);
        for (path, words) in [
            ("elsewhere/stray/Cargo.toml", "no layer"),
            ("core/a/Cargo.toml", "[lints]"),
            ("core/a/src/lib.rs", "#![no_std]"),
            ("core/a/src/long.rs", "1,000"),
            ("core/a/src/headless.rs", "//!"),
            ("core/a/src/dead.rs", "not reached"),
            ("core/a/src/lib.rs", "std::"),
            ("core/a/src/lib.rs", "todo!"),
            ("docs/lost.md", "leads nowhere"),
            ("docs/lost.md", "no other file"),
            ("docs/compliance.md", "stale"),
            ("docs/open-requirements.md", "missing"),
            ("docs/spec/make-index.sh", "make-index"),
            ("core/a/src/dead.rs", "LIQ-99"),
        ] {
            let hit = |f: &&Finding| f.path == path && f.text.contains(words);
            assert!(found.iter().any(|f| hit(&f)), "no {words:?} for {path} in {found:#?}");
        }
    }
}
