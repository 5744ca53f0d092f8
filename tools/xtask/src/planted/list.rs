//! The list of planted defects: the TOML files in `tools/sim/planted`.
//!
//! Owns their form, one table `[[defect]]` each:
//! - `name`: unique, letters, digits and hyphens; what it is asked for by;
//! - `breaks`: a sentence that says what no longer holds, with the requirement that it offends;
//! - `file`: the source that it changes;
//! - `find`: text that stands there exactly once, an expression or whole statements;
//! - `put`: what stands there instead;
//! - `within`, where `find` alone stands there more than once: text that stands there once and has it once.
//!
//! A `find` that ends with a semicolon is statements; so is one with `statements = true`.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use toml::{Table, Value};

use crate::tree::Tree;

/// A defect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Defect {
    pub(super) name: String,
    /// What it breaks, in a sentence.
    pub(super) breaks: String,
    pub(super) file: String,
    pub(super) find: String,
    pub(super) put: String,
    pub(super) within: Option<String>,
    /// Whether what is replaced is statements and no expression.
    pub(super) is_statements: bool,
}

/// Every defect of the project, in the order of the files.
pub(super) fn read(tree: &Tree) -> anyhow::Result<Vec<Defect>> {
    let mut all = Vec::new();
    for (path, text) in tree.texts() {
        if path.starts_with(FOLDER) && path.ends_with(".toml") {
            all.extend(parse(text).with_context(|| path.to_owned())?);
        }
    }
    ensure!(!all.is_empty(), "there is no defect in {FOLDER}");
    let names: BTreeSet<&str> = all.iter().map(|defect| defect.name.as_str()).collect();
    ensure!(names.len() == all.len(), "a name stands twice in {FOLDER}");
    Ok(all)
}

fn parse(text: &str) -> anyhow::Result<Vec<Defect>> {
    let table: Table = text.parse()?;
    let defects = table.get("defect").and_then(Value::as_array).context("no [[defect]]")?;
    defects.iter().map(defect_of).collect()
}

fn defect_of(value: &Value) -> anyhow::Result<Defect> {
    let table = value.as_table().context("a defect is a table")?;
    let text = |key: &str| table.get(key).and_then(Value::as_str).map(str::to_owned);
    let name = text("name").context("a defect has no name")?;
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    ensure!(!name.is_empty() && name.chars().all(is_plain), "`{name}` is no name");
    for key in table.keys() {
        ensure!(KEYS.contains(&key.as_str()), "{name}: `{key}` is not understood");
    }
    let needed = |key: &str| text(key).with_context(|| format!("{name} has no `{key}`"));
    let find = needed("find")?;
    let is_statements = match table.get("statements") {
        Some(value) => value.as_bool().with_context(|| format!("{name}: statements"))?,
        None => find.trim_end().ends_with(';'),
    };
    let (breaks, file, put) = (needed("breaks")?, needed("file")?, needed("put")?);
    ensure!(!find.trim().is_empty() && !breaks.is_empty(), "{name} says nothing");
    ensure!(find.trim() != put.trim(), "{name} changes nothing");
    let within = text("within");
    Ok(Defect { name, breaks, file, find, put, within, is_statements })
}

const FOLDER: &str = "tools/sim/planted/";
const KEYS: [&str; 7] = ["name", "breaks", "file", "find", "put", "within", "statements"];

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str =
        "[[defect]]\nname = 'a-1'\nbreaks = 'it'\nfile = 'f'\nfind = 'x'\nput = 'y'";

    #[test]
    fn a_defect_is_read() {
        let read = parse(SOUND).expect("sound");
        assert_eq!((read[0].name.as_str(), read[0].is_statements), ("a-1", false));
        let statements = SOUND.replace("'x'", "'x();'");
        assert!(parse(&statements).expect("sound")[0].is_statements);
    }

    #[test]
    fn what_is_no_defect_is_refused() {
        for (from, to) in [
            ("'a-1'", "'a 1'"),
            ("'a-1'", "''"),
            ("'y'", "'x'"),
            ("put =", "pot ="),
            ("put =", "statements = 1\nput ="),
            ("breaks = 'it'", ""),
            ("[[defect]]", "[[defects]]"),
        ] {
            assert!(parse(&SOUND.replace(from, to)).is_err(), "{to}");
        }
        let twice = format!("{SOUND}\n{SOUND}");
        let files = [(format!("{FOLDER}a.toml"), Some(twice))].into();
        assert!(read(&Tree { files }).is_err_and(|it| it.to_string().contains("twice")));
        assert!(read(&Tree::default()).is_err(), "no list passed");
    }
}
