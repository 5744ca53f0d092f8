//! `cargo xtask compliance`: which requirement is covered by what.
//!
//! Owns `docs/compliance.md`, which is made from the ids of the specification and the `covers:`
//! lines of the project and from nothing else, so that it can be compared byte by byte. Invariant:
//! every id is in it once, in the order of the documents, covered or not. It deliberately shows no
//! date and no percentage: the page changes only when a cover changes. See `covers.rs` for what
//! counts.

use std::collections::HashMap;
use std::fmt::Write as _;

use anyhow::{Context, bail};

use crate::covers::{self, Cover, Covers};
use crate::project::Project;
use crate::requirements::{KINDS, Requirement};
use crate::tree;

/// The page that this command writes.
pub(crate) const PATH: &str = "docs/compliance.md";

/// What the command does with its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// Writes the page.
    Write,
    /// Fails if the page is not what would be written.
    Check,
    /// Prints the counts as JSON.
    Json,
}

/// Runs the command.
pub(crate) fn run(output: Output) -> anyhow::Result<()> {
    let project = Project::load()?;
    let covers = covers::collect(&project);
    if let Some(first) = covers.findings.first() {
        bail!("{first} ({} such lines; `cargo xtask tidy` lists them)", covers.findings.len());
    }
    let report = Report::new(&project, &covers);
    match output {
        Output::Json => println!("{}", report.json()),
        Output::Check => check(&project, &report)?,
        Output::Write => {
            let place = project.root.join(PATH);
            std::fs::write(&place, report.page())
                .with_context(|| format!("{PATH} is unwritable"))?;
            println!("{PATH}: {} of {} requirements covered", report.covered(), report.total());
        }
    }
    Ok(())
}

/// The page as it should be, for the check of stale files.
pub(crate) fn page(project: &Project, covers: &Covers) -> String {
    Report::new(project, covers).page()
}

fn check(project: &Project, report: &Report) -> anyhow::Result<()> {
    if project.tree.text(PATH) != Some(report.page().as_str()) {
        bail!("{PATH} is stale; run `cargo xtask compliance`");
    }
    println!("{PATH} is up to date");
    Ok(())
}

/// Requirements and their covers, joined.
struct Report<'a> {
    project: &'a Project,
    covers_of: HashMap<&'a str, Vec<&'a Cover>>,
}

impl<'a> Report<'a> {
    fn new(project: &'a Project, covers: &'a Covers) -> Self {
        let mut covers_of: HashMap<&str, Vec<&Cover>> = HashMap::new();
        for cover in &covers.list {
            covers_of.entry(cover.id.as_str()).or_default().push(cover);
        }
        Self { project, covers_of }
    }

    fn all(&self) -> &'a [Requirement] {
        self.project.requirements.all()
    }

    fn total(&self) -> usize {
        self.all().len()
    }

    fn covered(&self) -> usize {
        self.all().iter().filter(|r| self.is_covered(r)).count()
    }

    fn is_covered(&self, requirement: &Requirement) -> bool {
        self.covers_of.contains_key(requirement.id.as_str())
    }

    /// Covered and total of one document and kind; an empty prefix or kind means all of them.
    fn count(&self, prefix: &str, kind: &str) -> (usize, usize) {
        let counts = |r: &&Requirement| {
            (prefix.is_empty() || r.prefix() == prefix) && (kind.is_empty() || r.kind == kind)
        };
        let chosen: Vec<_> = self.all().iter().filter(counts).collect();
        (chosen.iter().filter(|r| self.is_covered(r)).count(), chosen.len())
    }

    fn json(&self) -> String {
        let kind = |prefix: &str, kind: &str| {
            let (covered, total) = self.count(prefix, kind);
            format!("\"{kind}\": {{\"covered\": {covered}, \"total\": {total}}}")
        };
        let document = |prefix: &str| {
            let kinds: Vec<String> = KINDS.iter().map(|k| kind(prefix, k)).collect();
            format!("  \"{prefix}\": {{{}}}", kinds.join(", "))
        };
        let prefixes = self.project.requirements.prefixes();
        let documents: Vec<String> = prefixes.into_iter().map(document).collect();
        format!("{{\n{}\n}}", documents.join(",\n"))
    }

    fn page(&self) -> String {
        let mut page = String::from(HEAD);
        for prefix in self.project.requirements.prefixes() {
            let name = format!("[{}]({})", self.document(prefix), self.link(prefix));
            page.push_str(&self.row(&name, prefix));
        }
        page.push_str(&self.row("all", ""));
        for prefix in self.project.requirements.prefixes() {
            self.write_document(&mut page, prefix);
        }
        page
    }

    fn row(&self, name: &str, prefix: &str) -> String {
        let cell = |kind: &str| match self.count(prefix, kind) {
            (_, 0) => "–".to_owned(),
            (covered, total) => format!("{covered} / {total}"),
        };
        let kinds: Vec<String> = KINDS.iter().map(|k| cell(k)).collect();
        format!("| {name} | {} | {} |\n", kinds.join(" | "), cell(""))
    }

    fn write_document(&self, page: &mut String, prefix: &str) {
        writeln!(page, "\n## {}\n", self.document(prefix)).expect("a string takes all");
        for requirement in self.all().iter().filter(|r| r.prefix() == prefix) {
            let by = match self.covers_of.get(requirement.id.as_str()) {
                Some(covers) => covers.iter().map(|c| shown(c)).collect::<Vec<_>>().join("; "),
                None => "not covered".to_owned(),
            };
            writeln!(page, "- {} ({}): {by}", requirement.id, requirement.kind)
                .expect("a string takes all");
        }
    }

    /// `06 LIQ`, or `goals GOAL`.
    fn document(&self, prefix: &str) -> String {
        format!("{} {prefix}", self.number(prefix))
    }

    fn number(&self, prefix: &str) -> &'a str {
        let found = self.all().iter().find(|r| r.prefix() == prefix);
        found.map_or("", |r| r.document.as_str())
    }

    /// The file of a document, as a link from the page.
    fn link(&self, prefix: &str) -> String {
        let number = self.number(prefix);
        let is_it = |name: &str| name.split(['-', '.']).next() == Some(number);
        let mut files = self.project.tree.files.keys().filter(|p| tree::folder(p) == "docs/spec");
        let file = files.find(|p| is_it(tree::file_name(p)));
        format!("spec/{}", file.map_or("README.md", |p| tree::file_name(p)))
    }
}

fn shown(cover: &Cover) -> String {
    if cover.name.is_empty() {
        format!("`{}`", cover.path)
    } else {
        format!("`{}` {}", cover.path, cover.name)
    }
}

const HEAD: &str = "# Compliance

Made by `cargo xtask compliance` from the ids of the [specification](spec/README.md) and the `covers:`
lines of the project; do not edit. A number is covered / total; a requirement is covered when at least
one test, bench row, configuration file or document names it.

| document | test | bench | fault | ui | ops | paper | all |
|---|---|---|---|---|---|---|---|
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project;

    fn sample() -> Project {
        let test = "/// covers: LIQ-1\n#[test]\nfn heals() {}\n";
        project::of_files(&[("core/a/src/b.rs", test), ("docs/spec/06-liquidation.md", "# 06\n")])
    }

    /// The report lists every id with its kind and what covers it.
    #[test]
    fn the_page_lists_every_id_with_what_covers_it() {
        let project = sample();
        let page = page(&project, &covers::collect(&project));
        for line in [
            "| [06 LIQ](spec/06-liquidation.md) | 1 / 1 | 0 / 1 | – | – | – | – | 1 / 2 |",
            "| all | 1 / 1 | 0 / 1 | – | – | 0 / 1 | 0 / 1 | 1 / 4 |",
            "- LIQ-1 (test): `core/a/src/b.rs` heals",
            "- LIQ-2 (bench): not covered",
            "- DET-2 (paper): not covered",
        ] {
            assert!(page.lines().any(|l| l == line), "no line {line:?} in\n{page}");
        }
    }

    #[test]
    fn json_counts_every_document_and_kind() {
        let project = sample();
        let covers = covers::collect(&project);
        let json = Report::new(&project, &covers).json();
        let value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(value["LIQ"]["test"]["covered"], 1);
        assert_eq!(value["LIQ"]["bench"]["total"], 1);
        assert_eq!(value["DET"]["ui"]["total"], 0);
        assert_eq!(value["DET"].as_object().expect("kinds").len(), KINDS.len());
    }

    #[test]
    fn a_stale_page_fails_the_check() {
        let mut project = sample();
        let covers = covers::collect(&project);
        assert!(check(&project, &Report::new(&project, &covers)).is_err(), "a missing page passed");
        let mut page = page(&project, &covers);
        project.tree.files.insert(PATH.to_owned(), Some(page.clone()));
        assert!(check(&project, &Report::new(&project, &covers)).is_ok());
        page.push('x');
        project.tree.files.insert(PATH.to_owned(), Some(page));
        assert!(check(&project, &Report::new(&project, &covers)).is_err(), "a stale page passed");
    }
}
