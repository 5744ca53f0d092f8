//! The `covers:` lines of the project: which requirement is asserted where.
//!
//! Owns the places where such a line counts: the documentation of a test function, of anything in
//! the benchmark package (a bench row), a `#` line of a scene, which its title names, of a Python or
//! shell test and of a configuration file, and an HTML comment in a document. A line that ends with a
//! comma goes on in the next. Invariant: a line that names no known id, or stands where it counts for nothing, is a
//! finding. It cannot know whether a test asserts what its line says; that is for the reader.

use crate::finding::Finding;
use crate::project::Project;
use crate::requirements::{Requirements, is_id};
use crate::rust::Source;
use crate::rust::lexer::TokenKind;
use crate::tree;

/// One id, and one place that covers it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cover {
    /// The requirement.
    pub(crate) id: String,
    /// The file.
    pub(crate) path: String,
    /// The test or bench row in that file; empty when the file as a whole covers it.
    pub(crate) name: String,
}

/// All covers, and what is wrong with covers lines.
#[derive(Debug, Default)]
pub(crate) struct Covers {
    /// Sorted by id text, file and name, each once.
    pub(crate) list: Vec<Cover>,
    /// Lines that count for nothing.
    pub(crate) findings: Vec<Finding>,
}

/// Reads every file of the project that may hold such lines.
pub(crate) fn collect(project: &Project) -> Covers {
    let mut covers = Covers::default();
    for (path, text) in project.tree.texts() {
        let marks = match project.sources.get(path) {
            Some(source) => marks_of_rust(source),
            None => marks_of_text(path, text),
        };
        for mark in marks {
            covers.add(path, &mark, &project.requirements);
        }
    }
    covers.list.sort();
    covers.list.dedup();
    covers
}

impl Covers {
    fn add(&mut self, path: &str, mark: &Mark, requirements: &Requirements) {
        let Some(name) = &mark.name else {
            let text = "a covers line counts only in the documentation of a test or a bench row";
            self.findings.push(Finding::new(path, mark.line, text));
            return;
        };
        for id in mark.ids.split(',').map(str::trim) {
            if !is_id(id) {
                let text = format!("`{id}` is no requirement id; write `covers: LIQ-7, LIQ-9`");
                self.findings.push(Finding::new(path, mark.line, text));
            } else if !requirements.holds(id) {
                let text = format!("{id} is not in docs/spec/requirements.tsv");
                self.findings.push(Finding::new(path, mark.line, text));
            } else {
                let (id, path) = (id.to_owned(), path.to_owned());
                self.list.push(Cover { id, path, name: name.clone() });
            }
        }
    }
}

/// One covers line as written; no name means that it stands in the wrong place.
#[derive(Debug)]
struct Mark {
    line: usize,
    ids: String,
    name: Option<String>,
}

fn marks_of_rust(source: &Source) -> Vec<Mark> {
    let in_bench = source.path.starts_with(BENCH_FOLDER);
    let mut marks = Vec::new();
    for item in &source.items {
        let name = (item.is_test() || in_bench).then(|| item.name.clone());
        for (line, ids) in covers_lines(&item.docs) {
            marks.push(Mark { line, ids, name: name.clone() });
        }
    }
    let known: Vec<usize> = marks.iter().map(|m| m.line).collect();
    for (line, ids) in covers_lines(&comment_lines(source)) {
        if !known.contains(&line) {
            marks.push(Mark { line, ids, name: in_bench.then(String::new) });
        }
    }
    marks
}

/// Each line of each comment; the second and later lines of a block comment lose their star.
fn comment_lines(source: &Source) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    for token in source.tokens.iter().filter(|t| t.is_comment()) {
        let is_plain = token.kind == TokenKind::Comment;
        for (offset, text) in token.comment_text().lines().enumerate() {
            let text = text.trim_start().trim_start_matches("* ");
            let text =
                if is_plain { text.trim_start_matches(['/', '!']).trim_start() } else { text };
            lines.push((token.line + offset, text.to_owned()));
        }
    }
    lines
}

fn marks_of_text(path: &str, text: &str) -> Vec<Mark> {
    let lines: Vec<(usize, String)> = match tree::ending(path) {
        _ if path.starts_with("docs/spec/") || path == crate::compliance::PATH => {
            return Vec::new();
        }
        "md" => commented(text, |l| l.strip_prefix("<!--")?.strip_suffix("-->")),
        _ => commented(text, |l| l.strip_prefix('#')),
    };
    let counts = match tree::ending(path) {
        "py" | "sh" => is_script_that_counts(path),
        _ => true,
    };
    let name = |line| match tree::ending(path) {
        "py" => test_name(text, line),
        "scene" => scene_title(text, line),
        _ => String::new(),
    };
    let mark = |(line, ids)| Mark { line, ids, name: counts.then(|| name(line)) };
    covers_lines(&lines).into_iter().map(mark).collect()
}

fn is_script_that_counts(path: &str) -> bool {
    let name = tree::file_name(path);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let in_folder = path.split('/').any(|part| part == "tests" || part == "ops");
    in_folder || stem.starts_with("test_") || stem.ends_with("_test")
}

/// The Python test that a line belongs to: the next `def` if only comments and decorators stand
/// between, otherwise the one before.
fn test_name(text: &str, line: usize) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
    let passed = |l: &&&str| l.starts_with('#') || l.starts_with('@') || l.is_empty();
    let next = lines[line..].iter().find(|l| !passed(l)).and_then(|l| def_name(l));
    let before = || lines[..line].iter().rev().find_map(|l| def_name(l));
    next.or_else(before).unwrap_or_default()
}

/// The scene that a line belongs to: the one whose title stands before it in the file.
fn scene_title(text: &str, line: usize) -> String {
    let before: Vec<&str> = text.lines().take(line).collect();
    let title = before.iter().rev().find_map(|l| l.strip_prefix("scene "));
    title.unwrap_or_default().trim().to_owned()
}

fn def_name(line: &str) -> Option<String> {
    let rest = line.trim_start_matches("async ").strip_prefix("def ")?;
    rest.split('(').next().map(|name| name.trim().to_owned())
}

fn commented<'a>(
    text: &'a str,
    inside: impl Fn(&'a str) -> Option<&'a str>,
) -> Vec<(usize, String)> {
    let lines = text.lines().enumerate();
    let comment = |(index, line): (usize, &'a str)| {
        inside(line.trim()).map(|c| (index + 1, c.trim().to_owned()))
    };
    lines.filter_map(comment).collect()
}

/// The covers lines among comment lines, each joined with those that it goes on in.
fn covers_lines(lines: &[(usize, String)]) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut open_until: Option<usize> = None;
    for (line, text) in lines {
        let text = text.trim();
        if let Some(ids) = text.strip_prefix("covers:") {
            found.push((*line, ids.trim().to_owned()));
        } else if open_until == Some(*line) {
            let last = found.last_mut().expect("a line that goes on was found before");
            last.1 = format!("{} {text}", last.1);
        } else {
            continue;
        }
        open_until = text.ends_with(',').then_some(line + 1);
    }
    found
}

const BENCH_FOLDER: &str = "tools/bench/";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project;

    fn covers(path: &str, text: &str) -> Covers {
        collect(&project::of_files(&[(path, text)]))
    }

    fn names(covers: &Covers) -> Vec<(&str, &str)> {
        covers.list.iter().map(|c| (c.id.as_str(), c.name.as_str())).collect()
    }

    #[test]
    fn a_test_covers_what_its_documentation_says() {
        let text = "/// A rule.\n/// covers: LIQ-1,\n/// DET-2\n#[test]\nfn rule() {}\n";
        let found = covers("core/a/src/b.rs", text);
        assert_eq!(names(&found), [("DET-2", "rule"), ("LIQ-1", "rule")]);
        assert!(found.findings.is_empty());
    }

    #[test]
    fn a_line_beside_no_test_is_a_finding() {
        for text in [
            "/// covers: LIQ-1\nfn no_test() {}\n",
            "//! covers: LIQ-1\nfn a() {}\n",
            "// covers: LIQ-1\n#[test]\nfn plain_comment() {}\n",
            "struct A {\n /// covers: LIQ-1\n a: u8 }\n",
            "/*\n * covers: LIQ-1\n */\nfn a() {}\n",
        ] {
            let found = covers("core/a/src/b.rs", text);
            assert_eq!((found.list.len(), found.findings.len()), (0, 1), "{text}");
        }
    }

    #[test]
    fn unknown_and_malformed_ids_are_findings() {
        for ids in ["LIQ-99", "liq-1", "LIQ-1 and DET-2", "LIQ-1,", ""] {
            let text = format!("/// covers: {ids}\n#[test]\nfn a() {{}}\n");
            assert_eq!(covers("core/a/src/b.rs", &text).findings.len(), 1, "{ids:?} passed");
        }
    }

    #[test]
    fn a_bench_row_counts_in_the_bench_package_only() {
        let text = "/// covers: LIQ-2\nconst ROW: u8 = 1;\n";
        assert_eq!(names(&covers("tools/bench/src/rows.rs", text)), [("LIQ-2", "ROW")]);
        assert_eq!(covers("tools/sim/src/rows.rs", text).findings.len(), 1);
    }

    #[test]
    fn scenes_configuration_and_documents_count() {
        assert_eq!(names(&covers("core/a/tests/b.scene", "# covers: LIQ-1\n")), [("LIQ-1", "")]);
        assert_eq!(names(&covers("ops/alerts.yaml", "  # covers: DET-1\n")), [("DET-1", "")]);
        assert_eq!(names(&covers(".ci/run", "# covers: DET-1\n")), [("DET-1", "")]);
        assert_eq!(names(&covers("docs/a.md", "<!-- covers: DET-2 -->\n")), [("DET-2", "")]);
        assert!(covers("docs/spec/12-a.md", "<!-- covers: DET-9 -->\n").findings.is_empty());
        assert_eq!(covers("docs/a.md", "<!-- covers: DET-9 -->\n").findings.len(), 1);
    }

    /// A scene's line counts for that scene, by its title; one before the first counts for the file.
    #[test]
    fn a_scene_is_named_by_its_title() {
        let text = "# covers: DET-1\n\nscene A gap\n# covers: LIQ-1,\n# DET-2\nwhy So.\n\n\
                    scene No gap\n# covers: LIQ-2\n";
        let found = covers("core/a/tests/b.scene", text);
        let expected = [("DET-1", ""), ("DET-2", "A gap"), ("LIQ-1", "A gap"), ("LIQ-2", "No gap")];
        assert_eq!(names(&found), expected);
        assert!(found.findings.is_empty());
        assert_eq!(covers("core/a/tests/b.scene", "scene A\n# covers: LIQ-99\n").findings.len(), 1);
    }

    #[test]
    fn python_tests_are_named_and_other_scripts_do_not_count() {
        let text = "# covers: LIQ-1\n@slow\ndef test_a():\n    # covers: DET-2\n    pass\n";
        let found = covers("tests/test_a.py", text);
        assert_eq!(names(&found), [("DET-2", "test_a"), ("LIQ-1", "test_a")]);
        assert_eq!(covers("tools/setup.sh", "# covers: LIQ-1\n").findings.len(), 1);
    }
}
