//! The files of the repository: what is tracked, and what is new and not ignored.
//!
//! Owns the one list that every check works on, so that no check has its own idea of what belongs to
//! the project. Asks `git`, because only git knows what is ignored; without it, loading fails.
//! Invariant: a text file (by its ending) that cannot be read as UTF-8 is an error, not a gap.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::command;

/// All files of the repository.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// Path from the root, with `/` between its parts; the text, or `None` for a binary file.
    pub(crate) files: BTreeMap<String, Option<String>>,
}

impl Tree {
    /// Reads every file that git tracks or would add.
    pub(crate) fn load(root: &Path) -> anyhow::Result<Self> {
        let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        let listed = command::output(root, "git", &list)?;
        let mut files = BTreeMap::new();
        for path in listed.split('\0').filter(|p| !p.is_empty()) {
            let place = root.join(path);
            if !place.is_file() {
                continue; // deleted and not yet committed, or a submodule
            }
            files.insert(path.to_owned(), read(&place)?);
        }
        anyhow::ensure!(!files.is_empty(), "git lists no file below {}", root.display());
        Ok(Self { files })
    }

    /// The text files, with their paths.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().filter_map(|(path, text)| Some((path.as_str(), text.as_deref()?)))
    }

    /// The text of one file, if it is there.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path)?.as_deref()
    }

    /// Whether a file, or a folder with a file in it, has this path.
    pub(crate) fn holds(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        let in_folder = |p: &String| p.strip_prefix(path).is_some_and(|r| r.starts_with('/'));
        path.is_empty() || self.files.contains_key(path) || self.files.keys().any(in_folder)
    }
}

/// The root of the repository: two folders above this package.
pub(crate) fn root() -> anyhow::Result<PathBuf> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = package.ancestors().nth(2).context("xtask lies in tools/xtask")?;
    anyhow::ensure!(root.join("Cargo.toml").is_file(), "no workspace at {}", root.display());
    Ok(root.to_path_buf())
}

/// The last part of a path.
pub(crate) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The part of a file name behind its last point; empty without one.
pub(crate) fn ending(path: &str) -> &str {
    file_name(path).rsplit_once('.').map_or("", |(_, e)| e)
}

/// The folder of a path; empty at the root.
pub(crate) fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The path that `relative` means when written in a file of `folder`; `None` outside the repository.
pub(crate) fn resolve(folder: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|p| !p.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            other => parts.push(other),
        }
    }
    Some(parts.join("/"))
}

fn read(place: &Path) -> anyhow::Result<Option<String>> {
    let bytes =
        std::fs::read(place).with_context(|| format!("{} is unreadable", place.display()))?;
    let text = String::from_utf8(bytes);
    let must_be_text = TEXT_ENDINGS.contains(&ending(&place.to_string_lossy()));
    match text {
        Ok(text) => Ok(Some(text)),
        Err(_) if !must_be_text => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{} is not UTF-8", place.display())),
    }
}

const TEXT_ENDINGS: [&str; 13] =
    ["rs", "md", "toml", "tsv", "csv", "sh", "py", "scene", "json", "yaml", "yml", "proto", "txt"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn new_files_count_and_ignored_ones_do_not() {
        let scratch = Scratch::repository();
        scratch.write(".gitignore", "/target\n");
        scratch.write("target/a.rs", "no");
        scratch.write("core/b.rs", "yes");
        scratch.write("c.bin", "text all the same");
        let tree = Tree::load(scratch.path()).expect("a sound tree");
        let paths: Vec<_> = tree.files.keys().map(String::as_str).collect();
        assert_eq!(paths, [".gitignore", "c.bin", "core/b.rs"]);
        assert!(tree.holds("core/") && tree.holds("core") && !tree.holds("cor"));
    }

    #[test]
    fn an_unreadable_source_or_a_missing_repository_fails() {
        let scratch = Scratch::repository();
        assert!(Tree::load(scratch.path()).is_err(), "an empty repository passed");
        std::fs::write(scratch.path().join("a.rs"), [0xff, 0xfe]).expect("written");
        assert!(Tree::load(scratch.path()).is_err(), "a source of no UTF-8 passed");
        assert!(Tree::load(&scratch.path().join("nowhere")).is_err(), "no folder passed");
    }

    #[test]
    fn relative_paths_are_resolved() {
        assert_eq!(resolve("docs/spec", "../adr/a.md").as_deref(), Some("docs/adr/a.md"));
        assert_eq!(resolve("", "./a.md").as_deref(), Some("a.md"));
        assert_eq!(resolve("docs", "../../a.md"), None);
        assert_eq!((ending("a/b.c.rs"), ending(".ci/run"), folder("a/b")), ("rs", "", "a"));
    }
}
