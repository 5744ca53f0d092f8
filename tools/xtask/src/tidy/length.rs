//! Lengths: a file over 600 lines gives its reason, none is over 1,000; a function has at most 70
//! lines of code or an expectation of clippy's lint with a reason.
//!
//! Lines of code are counted as clippy counts them: without blank lines and comments, between the
//! braces. So the expectation that tidy asks for is one that clippy finds fulfilled.

use std::collections::BTreeSet;

use crate::finding::Finding;
use crate::project::Project;
use crate::rust::Source;
use crate::rust::items::Item;

/// Checks every Rust file.
pub(crate) fn check(project: &Project) -> Vec<Finding> {
    project.sources.values().flat_map(faults).collect()
}

fn faults(source: &Source) -> Vec<Finding> {
    let mut findings: Vec<Finding> = file_fault(source).into_iter().collect();
    for item in source.items.iter().filter(|i| i.keyword == "fn") {
        let count = code_line_count(source, item);
        if count > FUNCTION_LINES_MAX && !has_reason(item) {
            let text = format!(
                "fn {} has {count} lines of code, over {FUNCTION_LINES_MAX}; split it, or say \
                 #[expect(clippy::too_many_lines, reason = \"…\")]",
                item.name
            );
            findings.push(Finding::new(&source.path, item.line, text));
        }
    }
    findings
}

fn file_fault(source: &Source) -> Option<Finding> {
    let count = source.line_count;
    let has_reason = || {
        let reasons = source.header().into_iter().filter_map(|(_, t)| t.strip_prefix("Length:"));
        reasons.into_iter().any(|reason| !reason.trim().is_empty())
    };
    let text = if count > FILE_LINES_MAX {
        format!("{count} lines, over 1,000; split the file")
    } else if count > FILE_LINES_FREE && !has_reason() {
        format!("{count} lines, over {FILE_LINES_FREE}; split it, or say `//! Length: reason`")
    } else {
        return None;
    };
    Some(Finding::new(&source.path, 0, text))
}

fn code_line_count(source: &Source, item: &Item) -> usize {
    let body = &source.tokens[item.body.clone()];
    let lines = body.iter().filter(|t| !t.is_comment()).flat_map(|t| t.line..=t.line_last());
    lines.collect::<BTreeSet<usize>>().len()
}

fn has_reason(item: &Item) -> bool {
    let says = |a: &String| {
        a.starts_with("expect(") && a.contains("clippy::too_many_lines") && a.contains("reason=\"")
    };
    item.attributes.iter().any(says)
}

const FILE_LINES_FREE: usize = 600;
const FILE_LINES_MAX: usize = 1_000;
const FUNCTION_LINES_MAX: usize = 70;

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> usize {
        faults(&Source::read("a.rs", text).expect("a sound source")).len()
    }

    fn file(header: &str, line_count: usize) -> String {
        format!("{header}\n{}", "// x\n".repeat(line_count - header.lines().count()))
    }

    fn function(attribute: &str, code_line_count: usize) -> String {
        let body = "    x();\n\n    // why\n".repeat(code_line_count);
        format!("{attribute}\nfn long() {{\n{body}}}\n")
    }

    #[test]
    fn a_long_file_needs_a_reason_and_a_very_long_one_has_none() {
        assert_eq!(count(&file("//! A.", 600)), 0);
        assert_eq!(count(&file("//! A.", 601)), 1);
        assert_eq!(count(&file("//! A.\n//! Length: one table.", 1_000)), 0);
        assert_eq!(count(&file("//! A.\n//! Length:", 700)), 1);
        assert_eq!(count(&file("//! A.\n//! Length: one table.", 1_001)), 1);
    }

    #[test]
    fn a_long_function_needs_an_expectation_with_a_reason() {
        assert_eq!(count(&function("", 70)), 0);
        assert_eq!(count(&function("", 71)), 1);
        let expect = "#[expect(clippy::too_many_lines, reason = \"one flat match\")]";
        assert_eq!(count(&function(expect, 71)), 0);
        assert_eq!(count(&function("#[expect(clippy::too_many_lines)]", 71)), 1);
        assert_eq!(count(&function("#[allow(clippy::too_many_lines, reason = \"a\")]", 71)), 1);
    }
}
