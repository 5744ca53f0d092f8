//! The list of planted defects fits the sources.
//!
//! `cargo xtask sim --planted` plants them and lets the simulator find them, which takes minutes; this is what can
//! go stale with any change, and is looked at with every test.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use toml::{Table, Value};

/// Every table of every file, with the name of its file.
fn defects() -> Vec<Table> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("planted");
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let text = fs::read_to_string(&path).expect("a text");
        let table: Table = text.parse().unwrap_or_else(|it| panic!("{}: {it}", path.display()));
        let defects = table.get("defect").and_then(Value::as_array).expect("defects");
        all.extend(defects.iter().map(|it| it.as_table().expect("a table").clone()));
    }
    all
}

fn text<'a>(defect: &'a Table, key: &str) -> Option<&'a str> {
    defect.get(key).map(|it| it.as_str().expect("a text"))
}

#[test]
fn there_are_forty_defects_or_more_and_each_has_a_name_of_its_own() {
    let all = defects();
    let names: BTreeSet<&str> = all.iter().filter_map(|it| text(it, "name")).collect();
    assert!(names.len() >= 40, "{}", names.len());
    assert_eq!(names.len(), all.len(), "a name is missing or stands twice");
}

#[test]
fn what_each_replaces_stands_in_its_file_exactly_once() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the root");
    for defect in defects() {
        let of = |key: &str| text(&defect, key).unwrap_or_else(|| panic!("{defect:?}: {key}"));
        let (name, file, find) = (of("name"), of("file"), of("find"));
        let source = fs::read_to_string(root.join(file));
        let source = source.unwrap_or_else(|it| panic!("{name}: {file}: {it}"));
        let within = text(&defect, "within").unwrap_or(find);
        assert_eq!(source.matches(within).count(), 1, "{name}: `{within}` in {file}");
        assert_eq!(within.matches(find).count(), 1, "{name}: `{find}`");
        assert_ne!(find.trim(), of("put").trim(), "{name} changes nothing");
        assert!(!of("breaks").is_empty(), "{name}");
    }
}
