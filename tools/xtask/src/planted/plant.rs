//! Planting: a text with a choice where a defect is.
//!
//! Owns how the choice is written. `find` becomes `if ON { put } else { find }`, where ON is a static of its own
//! that asks the process's variable `PLANTED` for the defect's name, once: it needs no dependency, and a build holds
//! all defects. Defects of one place become one choice among all of them. A crate without `std` is given it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;

use anyhow::{Context, bail, ensure};

use super::list::Defect;
use crate::tree::Tree;

/// Sources with defects in them.
#[derive(Debug, Default)]
pub(super) struct Planted {
    /// The text of each file that is another one than in the tree.
    pub(super) texts: BTreeMap<String, String>,
    /// Where each defect lies in them.
    pub(super) places: Vec<Place>,
}

/// Lines of a file that a defect wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) name: String,
    pub(super) file: String,
    /// From 1.
    pub(super) lines: Range<usize>,
}

/// Plants all defects in the sources of a tree.
pub(super) fn plant(tree: &Tree, all: &[Defect]) -> anyhow::Result<Planted> {
    let mut planted = Planted::default();
    let mut files: BTreeMap<&str, Vec<&Defect>> = BTreeMap::new();
    for defect in all {
        files.entry(&defect.file).or_default().push(defect);
    }
    for (file, defects) in files {
        let text = tree.text(file);
        let text = text.with_context(|| format!("{}: there is no file {file}", defects[0].name))?;
        let (text, places) = plant_in(text, &defects)?;
        planted.texts.insert(file.to_owned(), text);
        planted.places.extend(places);
        give_std(tree, file, &mut planted.texts);
    }
    Ok(planted)
}

/// Where the text that a defect replaces stands.
fn find(text: &str, defect: &Defect) -> anyhow::Result<Range<usize>> {
    let Defect { name, file, find, within, .. } = defect;
    let once = |text: &str, part: &str, what: &str| {
        let mut found = text.match_indices(part).map(|(at, _)| at);
        let first = found.next().with_context(|| format!("{name}: `{what}` is not in {file}"))?;
        let more = found.count();
        ensure!(more == 0, "{name}: `{what}` stands {} times in {file}", more + 1);
        Ok(first)
    };
    let (start, part) = match within {
        None => (0, text),
        Some(within) => (once(text, within, "within")?, within.as_str()),
    };
    let at = start + once(part, find, "find")?;
    Ok(at..at + find.len())
}

/// A file with its defects.
fn plant_in(text: &str, defects: &[&Defect]) -> anyhow::Result<(String, Vec<Place>)> {
    let mut found: BTreeMap<(usize, usize), Vec<&Defect>> = BTreeMap::new();
    for defect in defects {
        let range = find(text, defect)?;
        found.entry((range.start, range.end)).or_default().push(defect);
    }
    let (mut out, mut places, mut done) = (String::new(), Vec::new(), 0);
    for ((start, end), here) in found {
        if start < done {
            bail!("{}: it overlaps with another defect of {}", here[0].name, here[0].file);
        }
        out.push_str(&text[done..start]);
        let first = line_count(&out);
        write_choice(&mut out, &text[start..end], &here);
        let lines = first..line_count(&out) + 1;
        let place = |defect: &&Defect| {
            let (name, file) = (defect.name.clone(), defect.file.clone());
            Place { name, file, lines: lines.clone() }
        };
        places.extend(here.iter().map(place));
        done = end;
    }
    out.push_str(&text[done..]);
    Ok((out, places))
}

fn line_count(text: &str) -> usize {
    text.matches('\n').count() + 1
}

fn write_choice(out: &mut String, text: &str, here: &[&Defect]) {
    let is_expression = !here[0].is_statements;
    out.push_str(if is_expression { "(" } else { "" });
    for Defect { name, put, .. } in here {
        // A string takes what is written into it.
        let _ = write!(out, "if {{ {} }} {{ {put} }} else ", switch(name));
    }
    out.push_str(&format!("{{ {text} }}"));
    out.push_str(if is_expression { ")" } else { "" });
}

/// Whether a defect is on, as Rust.
fn switch(name: &str) -> String {
    format!(
        "static ON: ::std::sync::LazyLock<bool> = ::std::sync::LazyLock::new(|| \
         ::std::env::var_os(\"PLANTED\").is_some_and(|it| it == \"{name}\")); *ON"
    )
}

/// Names `std` in the crate of a file that has none.
fn give_std(tree: &Tree, file: &str, texts: &mut BTreeMap<String, String>) {
    let Some((package, _)) = file.split_once("/src/") else { return };
    let path = format!("{package}/src/lib.rs");
    let Some(text) = texts.get(&path).map(String::as_str).or_else(|| tree.text(&path)) else {
        return;
    };
    if text.contains("#![no_std]") && !text.contains(STD) {
        texts.insert(path, format!("{text}{STD}"));
    }
}

const STD: &str = "\nextern crate std;\n";

#[cfg(test)]
mod tests {
    use super::*;

    fn defect(name: &str, find: &str, put: &str) -> Defect {
        let is_statements = find.ends_with(';');
        let [name, find, put] = [name, find, put].map(str::to_owned);
        let file = "core/a/src/b.rs".to_owned();
        Defect { name, file, find, put, is_statements, ..Defect::default() }
    }

    fn tree(text: &str) -> Tree {
        let file = |path: &str, text: &str| (path.to_owned(), Some(text.to_owned()));
        let lib = file("core/a/src/lib.rs", "#![no_std]\nmod b;\n");
        Tree { files: [file("core/a/src/b.rs", text), lib].into() }
    }

    #[test]
    fn a_choice_stands_where_the_text_was() {
        let all = [defect("one", "a < b", "a <= b"), defect("two", "c();", "")];
        let planted = plant(&tree("fn f() {\n    c();\n    a < b\n}\n"), &all).expect("planted");
        let text = &planted.texts["core/a/src/b.rs"];
        let line = |at: usize| text.lines().nth(at - 1).expect("a line").to_owned();
        assert!(
            line(2).starts_with("    if { static ON") && line(2).ends_with("{  } else { c(); }")
        );
        assert!(
            line(3).starts_with("    (if { ") && line(3).ends_with("{ a <= b } else { a < b })")
        );
        assert!(line(3).contains("it == \"one\""));
        let lines: Vec<_> = planted.places.iter().map(|it| (&*it.name, it.lines.clone())).collect();
        assert_eq!(lines, [("two", 2..3), ("one", 3..4)]);
        assert!(planted.texts["core/a/src/lib.rs"].ends_with("extern crate std;\n"));
    }

    #[test]
    fn two_defects_of_one_text_are_one_choice() {
        let all = [defect("one", "x", "y"), defect("two", "x", "z")];
        let planted = plant(&tree("x"), &all).expect("planted");
        let text = &planted.texts["core/a/src/b.rs"];
        assert!(text.contains("\"one\")); *ON } { y } else if {") && text.ends_with("{ x })"));
    }

    #[test]
    fn a_text_that_is_not_there_exactly_once_is_refused() {
        let refused = |text: &str, defect: Defect| {
            let fault = plant(&tree(text), &[defect]).expect_err("refused");
            fault.to_string()
        };
        assert!(refused("b", defect("one", "a", "c")).contains("one: `find` is not in core/a"));
        assert!(refused("a a a", defect("one", "a", "c")).contains("stands 3 times"));
        let within = Defect { within: Some("f(a)".to_owned()), ..defect("one", "a", "c") };
        assert!(plant(&tree("a f(a)"), std::slice::from_ref(&within)).is_ok());
        assert!(refused("f(a) f(a)", within).contains("`within` stands 2 times"));
        let elsewhere = Defect { file: "nowhere.rs".to_owned(), ..defect("one", "a", "c") };
        assert!(refused("a", elsewhere).contains("no file"));
    }

    #[test]
    fn defects_that_overlap_are_refused() {
        let all = [defect("one", "a + b", "a"), defect("two", "b + c", "c")];
        assert!(plant(&tree("a + b + c"), &all).is_err());
    }
}
