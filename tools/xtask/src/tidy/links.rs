//! Documents: every link leads somewhere, every document is linked from somewhere, and decision
//! records are named by date and title.
//!
//! A document counts as linked if another file links to it or to its folder, or writes its path, or
//! lies in the same folder and writes its name. Links to other sites are not followed.

use crate::finding::Finding;
use crate::project::Project;
use crate::tree;

/// Checks all documents.
pub(crate) fn check(project: &Project) -> Vec<Finding> {
    let mut findings = broken_links(project);
    findings.extend(lost_documents(project));
    findings.extend(badly_named_decisions(project));
    findings
}

fn broken_links(project: &Project) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in documents(project) {
        for (line, target) in links(text) {
            let place = tree::resolve(tree::folder(path), &target);
            if !place.is_some_and(|place| project.tree.holds(&place)) {
                let text = format!("the link to {target} leads nowhere");
                findings.push(Finding::new(path, line, text));
            }
        }
    }
    findings
}

fn lost_documents(project: &Project) -> Vec<Finding> {
    let is_document = |path: &&String| {
        path.starts_with("docs/") || tree::folder(path).is_empty() && path.ends_with(".md")
    };
    let entries = ["README.md", "docs/README.md"];
    let all = project.tree.files.keys().filter(is_document);
    let lost = all.filter(|path| !entries.contains(&path.as_str()) && !is_linked(project, path));
    let text = "no other file links to this one; link it or delete it";
    lost.map(|path| Finding::new(path, 0, text)).collect()
}

fn is_linked(project: &Project, path: &str) -> bool {
    let (folder, name) = (tree::folder(path), tree::file_name(path));
    project.tree.texts().filter(|(other, _)| *other != path).any(|(other, text)| {
        let beside = tree::folder(other) == folder && !folder.is_empty();
        let leads_here = |(_, target): (usize, String)| {
            let place = tree::resolve(tree::folder(other), &target);
            place.is_some_and(|place| place == path || !folder.is_empty() && place == folder)
        };
        !folder.is_empty() && text.contains(path)
            || beside && text.contains(name)
            || tree::ending(other) == "md" && links(text).into_iter().any(leads_here)
    })
}

fn badly_named_decisions(project: &Project) -> Vec<Finding> {
    let records = project.tree.files.keys().filter(|p| tree::folder(p) == "docs/adr");
    let bad = records.filter(|p| !is_dated_title(tree::file_name(p)));
    bad.map(|path| Finding::new(path, 0, "a decision is named YYYY-MM-DD-title.md")).collect()
}

fn is_dated_title(name: &str) -> bool {
    let shape = "0000-00-00-";
    let Some((date, title)) = name.split_at_checked(shape.len()) else { return false };
    let fits = |(c, s): (char, char)| if s == '0' { c.is_ascii_digit() } else { c == s };
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let title = title.strip_suffix(".md").unwrap_or("");
    date.chars().zip(shape.chars()).all(fits) && !title.is_empty() && title.chars().all(is_word)
}

fn documents(project: &Project) -> impl Iterator<Item = (&str, &str)> {
    project.tree.texts().filter(|(path, _)| tree::ending(path) == "md")
}

/// The targets of the links of a document with their lines, without anchors; code blocks and other
/// sites are left out.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut in_code = false;
    for (index, line) in text.lines().enumerate() {
        in_code ^= line.trim_start().starts_with("```");
        if in_code {
            continue;
        }
        for part in line.split("](").skip(1) {
            let target = part.split([')', '#', ' ']).next().unwrap_or("");
            if !target.is_empty() && !target.contains(':') {
                found.push((index + 1, target.to_owned()));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project;

    fn faults(files: &[(&str, &str)]) -> Vec<String> {
        check(&project::of_files(files)).into_iter().map(|f| f.to_string()).collect()
    }

    #[test]
    fn a_link_that_leads_nowhere_is_found() {
        let found = faults(&[("README.md", "a [b](b.md#c), [d](https://e), [f](#g)\n")]);
        assert_eq!(found, ["README.md:1: the link to b.md leads nowhere"]);
        assert_eq!(faults(&[("README.md", "[a](../b.md)\n")]).len(), 1);
        assert!(faults(&[("README.md", "```\n[b](b.md)\n```\n")]).is_empty());
    }

    #[test]
    fn a_document_that_nobody_links_to_is_found() {
        let lost = ("docs/lost.md", "# Lost, see docs/lost.md\n");
        assert_eq!(faults(&[("README.md", "# A\n"), lost]).len(), 1);
        assert!(faults(&[("README.md", "[a](docs/lost.md)\n"), lost]).is_empty());
        assert!(faults(&[("core/a.rs", "//! See docs/lost.md.\n"), lost]).is_empty());
        assert!(faults(&[("README.md", "[a](docs/)\n"), lost]).is_empty());
        assert_eq!(faults(&[("README.md", "# A\n"), ("LOST.md", "# B\n")]).len(), 1);
    }

    #[test]
    fn a_badly_named_decision_is_found() {
        for name in
            ["why.md", "2026-11-24.md", "2026-1-24-a.md", "2026-11-24-A b.md", "2026-11-24-"]
        {
            let path = format!("docs/adr/{name}");
            assert_eq!(faults(&[("README.md", "[a](docs/adr/)\n"), (&path, "# A\n")]).len(), 1);
        }
        assert!(is_dated_title("2026-11-24-one-core.md"));
    }
}
