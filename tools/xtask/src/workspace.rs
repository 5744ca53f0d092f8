//! The Cargo workspace: its packages, their targets and what they depend on.
//!
//! Reads `cargo metadata --no-deps`, which needs no network, and the text of each manifest, because
//! the metadata does not say what is inherited. Invariant: a manifest that cannot be parsed and a
//! field that is not there are errors, never an empty list.

use std::path::Path;

use anyhow::{Context, bail};
use serde_json::Value;

use crate::{command, tree};

/// The packages of the workspace.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    /// Members, in the order of cargo.
    pub(crate) packages: Vec<Package>,
}

/// One package of the workspace.
#[derive(Clone, Debug, Default)]
pub(crate) struct Package {
    /// Its name.
    pub(crate) name: String,
    /// Its folder from the root of the repository.
    pub(crate) folder: String,
    /// The source files that cargo builds it from, from the root of the repository.
    pub(crate) targets: Vec<Target>,
    /// What its manifest names under the three dependency tables.
    pub(crate) dependencies: Vec<Dependency>,
    /// Its manifest.
    pub(crate) manifest: toml::Table,
}

/// What cargo builds: a library, a program, a test.
#[derive(Clone, Debug, Default)]
pub(crate) struct Target {
    /// `lib`, `bin`, `test`, `bench`, `example`, `custom-build`.
    pub(crate) kind: String,
    /// Its first source file.
    pub(crate) path: String,
}

/// One line of a dependency table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dependency {
    /// The package it names.
    pub(crate) name: String,
    /// Whether only tests, examples and benches see it.
    pub(crate) is_dev: bool,
    /// Whether it comes from a package registry.
    pub(crate) is_registry: bool,
    /// Whether it has a path, as packages of this workspace have.
    pub(crate) is_path: bool,
    /// Whether its default features are on.
    pub(crate) default_features: bool,
    /// Its further features.
    pub(crate) features: Vec<String>,
}

/// The four layers, and the binary that composes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layer {
    /// The pure core.
    Core,
    /// Durability, order, replication.
    Node,
    /// The services around it.
    Edge,
    /// The composition root.
    Dex,
    /// What is never shipped.
    Tools,
}

impl Layer {
    /// The layer of a folder; `None` if it lies in none.
    pub(crate) fn of(folder: &str) -> Option<Self> {
        match folder.split('/').next().unwrap_or("") {
            "core" => Some(Self::Core),
            "node" => Some(Self::Node),
            "edge" => Some(Self::Edge),
            "dex" => Some(Self::Dex),
            "tools" | "fuzz" => Some(Self::Tools),
            _ => None,
        }
    }
}

impl Workspace {
    /// Asks cargo, and reads every member's manifest.
    pub(crate) fn load(root: &Path) -> anyhow::Result<Self> {
        let args = ["metadata", "--no-deps", "--format-version", "1"];
        let text = command::output(root, &command::cargo(), &args)?;
        let metadata: Value = serde_json::from_str(&text).context("cargo metadata is no JSON")?;
        let root_of_cargo = string(&metadata, "workspace_root")?;
        let mut packages = Vec::new();
        for entry in list(&metadata, "packages")? {
            packages.push(package(root, &root_of_cargo, entry)?);
        }
        if packages.is_empty() {
            bail!("cargo metadata lists no package");
        }
        Ok(Self { packages })
    }

    /// The package of this name.
    pub(crate) fn package(&self, name: &str) -> Option<&Package> {
        self.packages.iter().find(|p| p.name == name)
    }

    /// The packages of one layer.
    pub(crate) fn in_layer(&self, layer: Layer) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(move |p| Layer::of(&p.folder) == Some(layer))
    }
}

impl Package {
    /// Where its manifest is.
    pub(crate) fn manifest_path(&self) -> String {
        format!("{}/Cargo.toml", self.folder)
    }
}

/// Reads a manifest.
pub(crate) fn manifest(text: &str, path: &str) -> anyhow::Result<toml::Table> {
    text.parse().with_context(|| format!("{path} cannot be parsed"))
}

fn package(root: &Path, root_of_cargo: &str, entry: &Value) -> anyhow::Result<Package> {
    let inside = |path: String| -> anyhow::Result<String> {
        let rest = path.strip_prefix(root_of_cargo).map(|p| p.trim_start_matches('/').to_owned());
        rest.with_context(|| format!("{path} lies outside the workspace"))
    };
    let manifest_path = inside(string(entry, "manifest_path")?)?;
    let text = std::fs::read_to_string(root.join(&manifest_path))
        .with_context(|| format!("{manifest_path} is unreadable"))?;
    let mut targets = Vec::new();
    for target in list(entry, "targets")? {
        let kind = list(target, "kind")?.first().and_then(Value::as_str).unwrap_or("").to_owned();
        targets.push(Target { kind, path: inside(string(target, "src_path")?)? });
    }
    let dependencies = list(entry, "dependencies")?.iter().map(dependency);
    Ok(Package {
        name: string(entry, "name")?,
        folder: tree::folder(&manifest_path).to_owned(),
        targets,
        dependencies: dependencies.collect::<anyhow::Result<_>>()?,
        manifest: manifest(&text, &manifest_path)?,
    })
}

fn dependency(entry: &Value) -> anyhow::Result<Dependency> {
    let features = list(entry, "features")?.iter().filter_map(Value::as_str);
    let default_features = entry["uses_default_features"].as_bool();
    Ok(Dependency {
        name: string(entry, "name")?,
        is_dev: entry["kind"].as_str() == Some("dev"),
        is_registry: entry["source"].as_str().is_some_and(|s| s.starts_with("registry+")),
        is_path: entry["path"].is_string(),
        default_features: default_features.context("a dependency without uses_default_features")?,
        features: features.map(str::to_owned).collect(),
    })
}

fn string(value: &Value, field: &str) -> anyhow::Result<String> {
    let text = value[field].as_str();
    text.map(str::to_owned).with_context(|| format!("cargo metadata lacks `{field}`"))
}

fn list<'a>(value: &'a Value, field: &str) -> anyhow::Result<&'a Vec<Value>> {
    value[field].as_array().with_context(|| format!("cargo metadata lacks `{field}`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn this_workspace_is_read() {
        let root = tree::root().expect("a root");
        let workspace = Workspace::load(&root).expect("a sound workspace");
        let xtask = workspace.package("xtask").expect("this package");
        assert_eq!(xtask.folder, "tools/xtask");
        assert!(xtask.dependencies.iter().any(|d| d.name == "serde_json" && d.is_registry));
        assert!(xtask.targets.iter().any(|t| t.kind == "bin"));
        assert!(workspace.in_layer(Layer::Core).any(|p| p.name == "units"));
    }

    #[test]
    fn a_broken_manifest_and_a_missing_workspace_fail() {
        let scratch = Scratch::folder();
        assert!(Workspace::load(scratch.path()).is_err(), "no manifest passed");
        scratch.write("Cargo.toml", "[workspace\nmembers = [");
        assert!(Workspace::load(scratch.path()).is_err(), "a broken manifest passed");
        assert!(manifest("[a", "x").is_err());
    }

    #[test]
    fn metadata_without_a_field_fails() {
        let entry = serde_json::json!({"name": "a", "kind": null, "features": []});
        assert!(dependency(&entry).is_err(), "a dependency without its defaults passed");
        assert!(string(&entry, "absent").is_err() && list(&entry, "absent").is_err());
    }
}
