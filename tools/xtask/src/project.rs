//! Everything the checks look at, read once: files, Rust sources, packages, requirements.
//!
//! Invariant: what cannot be read stops here with an error; a check never sees half a project.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context;

use crate::requirements::{self, Requirements};
use crate::rust::Source;
use crate::tree::{self, Tree};
use crate::workspace::Workspace;

/// The whole project as the checks see it.
#[derive(Debug, Default)]
pub(crate) struct Project {
    /// Where it lies.
    pub(crate) root: PathBuf,
    /// All its files.
    pub(crate) tree: Tree,
    /// Its `.rs` files by path.
    pub(crate) sources: BTreeMap<String, Source>,
    /// Its packages.
    pub(crate) workspace: Workspace,
    /// The ids of the specification.
    pub(crate) requirements: Requirements,
}

impl Project {
    /// Reads the project that this program was built from.
    pub(crate) fn load() -> anyhow::Result<Self> {
        let root = tree::root()?;
        let workspace = Workspace::load(&root)?;
        let tree = Tree::load(&root)?;
        let list = tree.text(requirements::PATH);
        let list = list.with_context(|| format!("{} is missing", requirements::PATH))?;
        let requirements = Requirements::read(list)?;
        Ok(Self { sources: sources(&tree)?, root, tree, workspace, requirements })
    }
}

fn sources(tree: &Tree) -> anyhow::Result<BTreeMap<String, Source>> {
    let files = tree.texts().filter(|(path, _)| tree::ending(path) == "rs");
    files.map(|(path, text)| Ok((path.to_owned(), Source::read(path, text)?))).collect()
}

/// A project made of file texts, without packages, for the tests of the checks.
#[cfg(test)]
pub(crate) fn of_files(files: &[(&str, &str)]) -> Project {
    let entry = |(path, text): &(&str, &str)| ((*path).to_owned(), Some((*text).to_owned()));
    let tree = Tree { files: files.iter().map(entry).collect() };
    let list = "LIQ-1\ttest\t06\tA\nLIQ-2\tbench\t06\tB\nDET-1\tops\t12\tC\nDET-2\tpaper\t12\tD\n";
    Project {
        sources: sources(&tree).expect("sound sources"),
        tree,
        requirements: Requirements::read(list).expect("a sound list"),
        ..Project::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_that_cannot_be_cut_stops_the_load() {
        let mut tree = Tree::default();
        tree.files.insert("a.rs".to_owned(), Some("fn a() { \"open }".to_owned()));
        assert!(sources(&tree).is_err());
    }
}
