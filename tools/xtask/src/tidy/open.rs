//! The list of open requirements against what is covered.
//!
//! Owns one rule: in each document that `docs/open-requirements.md` has a section of, every requirement of the kinds
//! that its heading names, of kind `test` if it names none, is either covered or listed there once, with a reason. It
//! cannot see whether a reason is true.

use std::collections::{BTreeMap, BTreeSet};

use crate::covers::Covers;
use crate::finding::Finding;
use crate::project::Project;
use crate::requirements::Requirement;

/// The list, which people write.
pub(crate) const PATH: &str = "docs/open-requirements.md";

/// Compares the list with the covers.
pub(crate) fn check(project: &Project, covers: &Covers) -> Vec<Finding> {
    let Some(text) = project.tree.text(PATH) else {
        return vec![Finding::new(PATH, 0, "it is missing")];
    };
    let covered: BTreeSet<&str> = covers.list.iter().map(|cover| cover.id.as_str()).collect();
    let list = read(text);
    let is_open = |r: &&Requirement| {
        list.kinds_of(r.prefix()).contains(&r.kind.as_str()) && !covered.contains(r.id.as_str())
    };
    let open: Vec<&Requirement> = project.requirements.all().iter().filter(is_open).collect();
    let mut findings: Vec<Finding> =
        list.faults.iter().map(|(line, fault)| Finding::new(PATH, *line, fault)).collect();
    for (id, line) in &list.ids {
        if !open.iter().any(|r| r.id == *id) {
            let fault = format!("{id} is covered, or no requirement of a listed kind; take it out");
            findings.push(Finding::new(PATH, *line, fault));
        }
    }
    for requirement in open {
        if !list.ids.contains_key(&requirement.id) {
            let fault = format!("{} is not covered and not listed", requirement.id);
            findings.push(Finding::new(PATH, 0, fault));
        }
    }
    findings
}

/// What the file says.
#[derive(Default)]
struct OpenList {
    /// Documents that have a section, each with the kinds that its heading names.
    kinds: BTreeMap<String, Vec<String>>,
    /// Each id and its line.
    ids: BTreeMap<String, usize>,
    faults: Vec<(usize, String)>,
}

impl OpenList {
    /// The kinds of requirements that are listed of a document.
    fn kinds_of(&self, prefix: &str) -> Vec<&str> {
        self.kinds.get(prefix).into_iter().flatten().map(String::as_str).collect()
    }
}

/// The document of a heading and the kinds in its brackets.
fn heading(name: &str) -> Option<(String, Vec<String>)> {
    let (name, kinds) = name.split_once(" (").unwrap_or((name, "test)"));
    let prefix = name.split(' ').nth(1).filter(|it| !it.is_empty())?;
    let kinds = kinds.strip_suffix(')')?.split(", ").map(str::to_owned).collect();
    Some((prefix.to_owned(), kinds))
}

/// Sections are `## 01 LIFE` or `## 10 REC (test, bench)`, items `- LIFE-1, LIFE-2: reason`, which may go on in indented lines.
fn read(text: &str) -> OpenList {
    let mut list = OpenList::default();
    let mut items: Vec<(usize, String)> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if let Some(name) = line.strip_prefix("## ") {
            let is_new = heading(name)
                .is_some_and(|(prefix, kinds)| list.kinds.insert(prefix, kinds).is_none());
            if !is_new {
                list.faults.push((number, format!("{name:?} is no section of its own")));
            }
        } else if let Some(item) = line.strip_prefix("- ") {
            items.push((number, item.to_owned()));
        } else if let (true, Some((_, item))) = (line.starts_with("  "), items.last_mut()) {
            item.push_str(&line[1..]);
        }
    }
    for (number, item) in items {
        let Some((ids, reason)) = item.split_once(": ") else {
            list.faults.push((number, "an item is ids, a colon and a reason".to_owned()));
            continue;
        };
        if reason.trim().len() < 10 {
            list.faults.push((number, "an item has a reason".to_owned()));
        }
        for id in ids.split(", ") {
            let is_known = id.split_once('-').is_some_and(|(it, _)| list.kinds.contains_key(it));
            if !is_known || list.ids.insert(id.to_owned(), number).is_some() {
                list.faults.push((number, format!("{id} stands here twice or without a section")));
            }
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{covers, project};

    /// What is found of a project with one requirement of kind test, LIQ-1.
    fn faults(list: &str, is_covered: bool) -> Vec<String> {
        let test = if is_covered { "/// covers: LIQ-1\n#[test]\nfn heals() {}\n" } else { "" };
        let project = project::of_files(&[("core/a/src/b.rs", test), (PATH, list)]);
        let covers = covers::collect(&project);
        check(&project, &covers).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_neither_covered_nor_listed_is_found() {
        let none: Vec<String> = Vec::new();
        let listed = "# Open\n\n## 06 LIQ\n\n- LIQ-1: it is not\n  built yet\n";
        assert_eq!(faults(listed, false), none);
        assert!(faults(listed, true)[0].contains("LIQ-1 is covered"));
        assert!(faults("## 06 LIQ\n", false)[0].contains("not covered and not listed"));
        assert_eq!(faults("## 06 LIQ\n", true), none);
        assert_eq!(faults("# Open\n", false), none, "only documents with a section count");
        let bench = "## 06 LIQ\n- LIQ-2: it is not built yet\n";
        assert!(faults(bench, true)[0].contains("no requirement of a listed kind"));
        let of_bench = faults("## 06 LIQ (bench)\n", false);
        assert!(of_bench.len() == 1 && of_bench[0].contains("LIQ-2"), "a heading names its kinds");
        assert_eq!(faults("## 06 LIQ (bench, test)\n", false).len(), 2);
    }

    #[test]
    fn a_list_that_cannot_be_read_is_found() {
        let fault = |list: &str, wanted: &str| {
            assert!(faults(list, true).iter().any(|it| it.contains(wanted)), "{list}");
        };
        fault("## 06 LIQ\n- LIQ-2\n", "a colon and a reason");
        fault("## 06 LIQ\n- LIQ-2: no\n", "has a reason");
        fault("- LIQ-2: it is not built yet\n", "without a section");
        fault("## 06 LIQ\n- LIQ-2, LIQ-2: it is not built yet\n", "twice");
        fault("## 06 LIQ\n## 06 LIQ\n", "no section of its own");
        let project = project::of_files(&[]);
        let covers = covers::collect(&project);
        assert_eq!(check(&project, &covers).len(), 1, "a missing list passed");
    }
}
