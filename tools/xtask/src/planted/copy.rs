//! The copy of the sources that defects are planted in.
//!
//! Owns a folder that has the tracked files and nothing else. A file that is already there as it must be is left
//! alone, so that cargo builds only what changed. Lints are off in the copy: what a defect leaves unused or
//! unreachable is no fault of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use crate::tree::Tree;

/// The folder of the copy inside `folder`.
pub(super) fn place(folder: &Path) -> PathBuf {
    folder.join("tree")
}

/// Writes the copy, with other texts for some files; how many files were written.
pub(super) fn write(
    tree: &Tree,
    texts: &BTreeMap<String, String>,
    folder: &Path,
) -> anyhow::Result<usize> {
    let to = place(folder);
    let mut count = 0;
    let mut wanted = BTreeSet::new();
    for (path, text) in tree.texts().filter(|(path, _)| is_source(path)) {
        let text = texts.get(path).map_or(text, String::as_str);
        let text = if path == MANIFEST { without_lints(text)? } else { text.to_owned() };
        let file = to.join(path);
        wanted.insert(file.clone());
        if fs::read_to_string(&file).is_ok_and(|before| before == text) {
            continue;
        }
        let folder = file.parent().context("a file is in a folder")?;
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        fs::write(&file, text).with_context(|| file.display().to_string())?;
        count += 1;
    }
    ensure!(!wanted.is_empty(), "there is nothing to copy");
    clear(&to, &wanted)?;
    Ok(count)
}

/// Documents are not built.
fn is_source(path: &str) -> bool {
    !path.starts_with("docs/")
}

/// Removes what is no source any more.
fn clear(folder: &Path, wanted: &BTreeSet<PathBuf>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            clear(&path, wanted)?;
        } else if !wanted.contains(&path) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// The workspace's manifest with every lint allowed.
fn without_lints(manifest: &str) -> anyhow::Result<String> {
    let mut out = String::new();
    let (mut is_lints, mut count) = (false, 0);
    for line in manifest.lines() {
        if line.starts_with('[') {
            is_lints = line.starts_with("[workspace.lints");
            count += usize::from(is_lints);
        }
        if !is_lints {
            out.push_str(line);
            out.push('\n');
        }
    }
    ensure!(count > 0, "the workspace has no table of lints");
    out.push_str("\n[workspace.lints.rust]\nwarnings = \"allow\"\n");
    Ok(out)
}

const MANIFEST: &str = "Cargo.toml";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    fn tree(files: &[(&str, &str)]) -> Tree {
        let file = |(path, text): &(&str, &str)| ((*path).to_owned(), Some((*text).to_owned()));
        Tree { files: files.iter().map(file).collect() }
    }

    const LINTS: &str = "[workspace]\nmembers = []\n\n[workspace.lints.rust]\nx = \"deny\"\n\n\
                         [workspace.lints.clippy]\ny = \"deny\"\n\n[profile.dev]\nopt-level = 1\n";

    #[test]
    fn a_copy_has_the_sources_and_only_what_changed_is_written() {
        let scratch = Scratch::folder();
        let one = tree(&[(MANIFEST, LINTS), ("core/a.rs", "a"), ("docs/a.md", "no")]);
        assert_eq!(write(&one, &BTreeMap::new(), scratch.path()).expect("written"), 2);
        assert_eq!(write(&one, &BTreeMap::new(), scratch.path()).expect("written"), 0);
        let other = tree(&[(MANIFEST, LINTS), ("core/b.rs", "b")]);
        let texts = BTreeMap::from([("core/b.rs".to_owned(), "c".to_owned())]);
        assert_eq!(write(&other, &texts, scratch.path()).expect("written"), 1);
        let place = place(scratch.path());
        assert!(!place.join("core/a.rs").exists() && !place.join("docs").exists());
        assert_eq!(fs::read_to_string(place.join("core/b.rs")).expect("there"), "c");
    }

    #[test]
    fn the_copy_has_no_lints_but_all_else_of_the_manifest() {
        let text = without_lints(LINTS).expect("a manifest");
        assert!(!text.contains("deny") && text.contains("[profile.dev]\nopt-level = 1"));
        assert_eq!(text.matches("[workspace.lints").count(), 1);
        assert!(without_lints("[workspace]\n").is_err());
    }
}
