//! Headers: every Rust file opens with `//!` and says what it owns.

use crate::finding::Finding;
use crate::project::Project;
use crate::rust::Source;

/// Checks every Rust file.
pub(crate) fn check(project: &Project) -> Vec<Finding> {
    project.sources.values().filter_map(fault).collect()
}

fn fault(source: &Source) -> Option<Finding> {
    let says_something = source.header().iter().any(|(_, text)| !text.trim().is_empty());
    let text = "the file does not open with `//!` lines that say what it owns";
    (!says_something).then(|| Finding::new(&source.path, 1, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_header_is_found() {
        let fails = |text: &str| fault(&Source::read("a.rs", text).expect("sound")).is_some();
        assert!(!fails("//! Orders of one market.\n\nfn a() {}\n"));
        for text in
            ["", "//!\nfn a() {}\n", "fn a() {}\n//! late\n", "// plain\n", "/// outer\nfn a() {}"]
        {
            assert!(fails(text), "{text:?} passed");
        }
    }
}
