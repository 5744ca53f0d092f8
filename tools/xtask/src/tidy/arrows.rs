//! The arrows of the layers: which package may depend on which.
//!
//! Owns the table of the design: core below node and edge, edge blind to node and to the kernel's
//! insides, `dex` the only shipped package that sees both, tools never below anything but tests.
//! Inside the core only the kernel sees the leaves. What the core takes from outside is a short list.
//! It sees direct dependencies only: what a listed outside package itself pulls in is a matter of
//! choosing it, with its default features off.

use crate::finding::Finding;
use crate::workspace::{Dependency, Layer, Package, Workspace};

/// Checks every line of every dependency table.
pub(crate) fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in &workspace.packages {
        let Some(layer) = Layer::of(&package.folder) else {
            let text =
                format!("{} lies in no layer (core, node, edge, tools, dex)", package.folder);
            findings.push(Finding::new(&package.manifest_path(), 0, text));
            continue;
        };
        for dependency in &package.dependencies {
            let fault = match workspace.package(&dependency.name) {
                Some(to) => inner_fault(package, to, dependency.is_dev),
                None => outer_fault(layer, dependency),
            };
            let text = |fault| format!("{} → {}: {fault}", package.name, dependency.name);
            findings.extend(fault.map(|f| Finding::new(&package.manifest_path(), 0, text(f))));
        }
    }
    findings
}

/// What is wrong with an arrow between two packages of the workspace.
fn inner_fault(from: &Package, to: &Package, is_dev: bool) -> Option<String> {
    let to_layer = Layer::of(&to.folder)?;
    if is_dev && to_layer == Layer::Tools {
        return None;
    }
    match (Layer::of(&from.folder)?, to_layer) {
        (Layer::Core, Layer::Core) => core_fault(&from.name, &to.name),
        (Layer::Edge, Layer::Core) => edge_fault(&from.name, &to.name),
        (Layer::Node, Layer::Core | Layer::Node)
        | (Layer::Edge, Layer::Edge)
        | (Layer::Dex, Layer::Core | Layer::Node | Layer::Edge)
        | (Layer::Tools, _) => None,
        (Layer::Edge, Layer::Node) => Some("edge never sees node; it has the port".to_owned()),
        (_, Layer::Tools) => Some("tools are seen by tools and by tests only".to_owned()),
        (_, Layer::Dex) => Some("nothing depends on the composition root".to_owned()),
        (Layer::Core, _) => Some("core depends on core only".to_owned()),
        (Layer::Node, Layer::Edge) => Some("node never sees edge".to_owned()),
    }
}

/// Inside the core only `kernel` sees the leaves; it does not see `port`, which is for callers.
fn core_fault(from: &str, to: &str) -> Option<String> {
    let sees: &[&str] = match from {
        "kernel" if to != "port" => return None,
        "units" => &[],
        "schema" => &["units"],
        "liquidation" => &["units", "schema", "margin"],
        _ => &["units", "schema"],
    };
    (!sees.contains(&to)).then(|| match sees {
        [] => format!("{from} stands at the bottom and depends on nothing"),
        _ => format!("inside the core {from} sees only {}", sees.join(", ")),
    })
}

/// The edge sees the vocabulary and the port; the client also the functions it runs for a preview.
fn edge_fault(from: &str, to: &str) -> Option<String> {
    let vocabulary = ["units", "schema", "port"].contains(&to);
    let preview = from == "client" && ["book", "fees", "margin", "proof"].contains(&to);
    let text = "edge sees of the core only units, schema and port";
    (!vocabulary && !preview).then(|| text.to_owned())
}

fn outer_fault(layer: Layer, dependency: &Dependency) -> Option<String> {
    if dependency.is_path {
        return Some("its path leads to no package of the workspace".to_owned());
    }
    if !dependency.is_registry {
        return Some("it comes from no package registry".to_owned());
    }
    if layer != Layer::Core || dependency.is_dev {
        return None;
    }
    if !CORE_ALLOWS.contains(&dependency.name.as_str()) {
        return Some(format!("the core takes from outside only {}", CORE_ALLOWS.join(", ")));
    }
    let impure = |f: &&String| IMPURE_FEATURES.iter().any(|word| f.contains(word));
    match dependency.features.iter().find(impure) {
        _ if dependency.default_features => Some("the core turns default features off".to_owned()),
        Some(feature) => Some(format!("the core takes no feature `{feature}`")),
        None => None,
    }
}

const CORE_ALLOWS: [&str; 3] = ["hashbrown", "sha2", "ed25519-dalek"];
const IMPURE_FEATURES: [&str; 4] = ["std", "rand", "rng", "rayon"];

#[cfg(test)]
mod tests {
    use super::*;

    fn package(folder: &str) -> Package {
        let name = crate::tree::file_name(folder).to_owned();
        Package { name, folder: folder.to_owned(), ..Package::default() }
    }

    fn workspace(from: &str, dependency: Dependency) -> Workspace {
        let mut packages: Vec<Package> = FOLDERS.iter().map(|f| package(f)).collect();
        let index = packages.iter().position(|p| p.folder == from).expect("a sample folder");
        packages[index].dependencies.push(dependency);
        Workspace { packages }
    }

    /// Whether a package in this folder may name this package.
    fn passes(from: &str, to: &str, is_dev: bool) -> bool {
        let is_path = true;
        let dependency =
            Dependency { name: to.to_owned(), is_dev, is_path, ..Dependency::default() };
        check(&workspace(from, dependency)).is_empty()
    }

    fn outer(name: &str) -> Dependency {
        Dependency { name: name.to_owned(), is_registry: true, ..Dependency::default() }
    }

    const FOLDERS: [&str; 14] = [
        "core/units",
        "core/schema",
        "core/book",
        "core/fees",
        "core/margin",
        "core/liquidation",
        "core/kernel",
        "core/port",
        "node/journal",
        "node/engine",
        "edge/gateway",
        "edge/client",
        "dex",
        "tools/testkit",
    ];

    #[test]
    fn arrows_of_the_design_pass() {
        for (from, to) in [
            ("core/schema", "units"),
            ("core/book", "schema"),
            ("core/liquidation", "margin"),
            ("core/kernel", "book"),
            ("core/port", "schema"),
            ("node/engine", "kernel"),
            ("node/engine", "journal"),
            ("edge/gateway", "port"),
            ("edge/client", "fees"),
            ("dex", "engine"),
            ("dex", "gateway"),
            ("tools/testkit", "gateway"),
        ] {
            assert!(passes(from, to, false), "{from} → {to} was refused");
        }
    }

    #[test]
    fn every_other_arrow_is_refused() {
        for (from, to) in [
            ("core/units", "schema"),
            ("core/schema", "book"),
            ("core/book", "fees"),
            ("core/fees", "kernel"),
            ("core/fees", "margin"),
            ("core/kernel", "port"),
            ("core/kernel", "journal"),
            ("core/book", "gateway"),
            ("core/book", "dex"),
            ("core/book", "testkit"),
            ("node/engine", "gateway"),
            ("node/engine", "testkit"),
            ("node/journal", "dex"),
            ("edge/gateway", "engine"),
            ("edge/gateway", "kernel"),
            ("edge/gateway", "book"),
            ("edge/client", "kernel"),
            ("edge/gateway", "testkit"),
            ("dex", "testkit"),
        ] {
            assert!(!passes(from, to, false), "{from} → {to} passed");
        }
    }

    #[test]
    fn tests_see_tools_and_nothing_else_upwards() {
        assert!(passes("core/book", "testkit", true));
        assert!(!passes("core/book", "engine", true));
        assert!(!passes("edge/gateway", "engine", true));
    }

    /// The dependency list of the core is checked: an outside package that is not on the short list,
    /// default features and a feature that brings in randomness or the system are all refused.
    /// covers: DET-3, DET-7, GOAL-10
    /// covers: RPL-16
    #[test]
    fn the_core_takes_little_from_outside() {
        let fails = |d: Dependency| !check(&workspace("core/kernel", d)).is_empty();
        assert!(!fails(outer("sha2")));
        assert!(fails(outer("chrono")));
        assert!(fails(outer("rand")));
        assert!(!fails(Dependency { is_dev: true, ..outer("proptest") }));
        assert!(fails(Dependency { default_features: true, ..outer("sha2") }));
        assert!(fails(Dependency { features: vec!["rand_core".to_owned()], ..outer("sha2") }));
        assert!(fails(Dependency { is_registry: false, ..outer("sha2") }));
        assert!(fails(Dependency { is_path: true, ..outer("sha2") }));
        assert!(check(&workspace("node/engine", outer("chrono"))).is_empty());
    }

    #[test]
    fn a_package_outside_the_layers_is_refused() {
        let stray = Workspace { packages: vec![package("lib/stray")] };
        assert_eq!(check(&stray).len(), 1);
    }
}
