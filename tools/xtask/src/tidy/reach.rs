//! Dead source files: an `.rs` file that no target of cargo reaches through `mod` or `include!`.
//!
//! Also tells which files are compiled for tests only. It follows declarations whatever their `cfg`
//! says, so a module of another platform counts as reached.

use std::collections::BTreeMap;

use crate::finding::Finding;
use crate::project::Project;
use crate::rust::Source;
use crate::rust::items::Item;
use crate::rust::lexer::TokenKind;
use crate::tree;

/// The files that cargo compiles, and whether only tests see them.
#[derive(Debug, Default)]
pub(crate) struct Reached {
    is_test_only: BTreeMap<String, bool>,
}

impl Reached {
    /// Whether a file is compiled for tests only; a file that is not reached counts as shipped.
    pub(crate) fn is_test_only(&self, path: &str) -> bool {
        self.is_test_only.get(path).copied().unwrap_or(false)
    }
}

/// Starts from every target of every package.
pub(crate) fn walk(project: &Project) -> Reached {
    let mut reached = Reached::default();
    for target in project.workspace.packages.iter().flat_map(|p| &p.targets) {
        let is_test = ["test", "bench", "example"].contains(&target.kind.as_str());
        let folder = tree::folder(&target.path).to_owned();
        visit(project, &mut reached, &Module { path: target.path.clone(), folder, is_test });
    }
    reached
}

/// Finds what was not reached.
pub(crate) fn check(project: &Project, reached: &Reached) -> Vec<Finding> {
    let dead = project.sources.keys().filter(|path| !reached.is_test_only.contains_key(*path));
    let text = "the file is not reached from any target; declare it with `mod` or delete it";
    dead.map(|path| Finding::new(path, 0, text)).collect()
}

/// A file, and the folder in which its modules lie.
struct Module {
    path: String,
    folder: String,
    is_test: bool,
}

fn visit(project: &Project, reached: &mut Reached, module: &Module) {
    let Some(source) = project.sources.get(&module.path) else { return };
    let known = reached.is_test_only.get(&module.path).copied();
    if known.is_some_and(|known_test| !known_test || module.is_test) {
        return;
    }
    let is_test = module.is_test || source.inner_attributes().iter().any(|a| a == "cfg(test)");
    reached.is_test_only.insert(module.path.clone(), is_test);
    for item in source.items.iter().filter(|i| i.keyword == "mod" && i.has_no_body()) {
        if let Some(mut next) = declared(project, source, module, item) {
            next.is_test |= is_test;
            visit(project, reached, &next);
        }
    }
    for path in included(source) {
        let folder = module.folder.clone();
        visit(project, reached, &Module { path, folder, is_test });
    }
}

/// The file of `mod name;`, where it is found.
fn declared(project: &Project, source: &Source, module: &Module, item: &Item) -> Option<Module> {
    let around: Vec<&Item> = source
        .items
        .iter()
        .filter(|i| i.keyword == "mod" && i.body.contains(&item.span.start))
        .collect();
    let is_test = item.is_test_only() || around.iter().any(|i| i.is_test_only());
    if let Some(path) = item.attribute_value("path") {
        let path = tree::resolve(tree::folder(&source.path), path)?;
        let folder = tree::folder(&path).to_owned();
        return Some(Module { path, folder, is_test });
    }
    let mut parts = vec![module.folder.as_str()];
    parts.extend(around.iter().map(|i| i.name.as_str()));
    parts.push(&item.name);
    let folder = parts.join("/");
    let files = [format!("{folder}.rs"), format!("{folder}/mod.rs")];
    let path = files.into_iter().find(|path| project.sources.contains_key(path))?;
    Some(Module { path, folder, is_test })
}

/// The Rust files that `include!` and `include_str!` name.
fn included(source: &Source) -> Vec<String> {
    let code: Vec<_> = source.code().map(|(_, token)| token).collect();
    let calls = code
        .windows(4)
        .filter(|w| (w[0].is("include") || w[0].is("include_str")) && w[1].is("!") && w[2].is("("));
    let names =
        calls.filter(|w| w[3].kind == TokenKind::Quoted).map(|w| w[3].text.trim_matches('"'));
    names.filter_map(|name| tree::resolve(tree::folder(&source.path), name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project;
    use crate::workspace::{Package, Target};

    fn reached(files: &[(&str, &str)]) -> (Reached, Vec<String>) {
        let mut project = project::of_files(files);
        let target =
            |kind: &str, path: &str| Target { kind: kind.to_owned(), path: path.to_owned() };
        let targets = vec![target("lib", "core/a/src/lib.rs"), target("test", "core/a/tests/t.rs")];
        let package = Package { folder: "core/a".to_owned(), targets, ..Package::default() };
        project.workspace.packages.push(package);
        let reached = walk(&project);
        let dead = check(&project, &reached).into_iter().map(|f| f.path).collect();
        (reached, dead)
    }

    #[test]
    fn modules_are_followed_in_every_form() {
        let (reached, dead) = reached(&[
            ("core/a/src/lib.rs", "mod b;\nmod c { mod d; }\n#[path = \"odd.rs\"] mod e;\n"),
            ("core/a/src/b.rs", "#[cfg(test)]\nmod tests;\ninclude!(\"table.rs\");\n"),
            ("core/a/src/b/tests.rs", "mod deep;\n"),
            ("core/a/src/b/tests/deep.rs", ""),
            ("core/a/src/table.rs", ""),
            ("core/a/src/c/d/mod.rs", ""),
            ("core/a/src/odd.rs", ""),
            ("core/a/tests/t.rs", "mod common;\n"),
            ("core/a/tests/common/mod.rs", ""),
        ]);
        assert!(dead.is_empty(), "{dead:?}");
        assert!(reached.is_test_only("core/a/src/b/tests/deep.rs"));
        assert!(reached.is_test_only("core/a/tests/common/mod.rs"));
        assert!(!reached.is_test_only("core/a/src/b.rs"));
    }

    #[test]
    fn a_file_that_nothing_declares_is_found() {
        let (_, dead) = reached(&[
            ("core/a/src/lib.rs", "// mod b;\nconst A: &str = \"mod b;\";\n"),
            ("core/a/src/b.rs", ""),
            ("core/stray.rs", ""),
        ]);
        assert_eq!(dead, ["core/a/src/b.rs", "core/stray.rs"]);
    }
}
