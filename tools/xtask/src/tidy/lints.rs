//! The lint block of the core: what makes a clock, a file or a float in it fail to compile.
//!
//! Each library of the core opens with the three attributes, and `core/clippy.toml` goes on naming
//! what may not be used. That clippy reads that file and fails on what it names is clippy's part.

use crate::finding::Finding;
use crate::project::Project;
use crate::workspace::{Layer, Package};

/// Checks every library of the core, and the lint configuration of the core.
pub(crate) fn check(project: &Project) -> Vec<Finding> {
    let packages = project.workspace.in_layer(Layer::Core);
    let mut findings: Vec<Finding> = packages.flat_map(|p| library_faults(project, p)).collect();
    findings.extend(configuration_faults(project.tree.text(CONFIGURATION)));
    findings
}

fn library_faults(project: &Project, package: &Package) -> Vec<Finding> {
    let path = format!("{}/src/lib.rs", package.folder);
    let Some(source) = project.sources.get(&path) else {
        return vec![Finding::new(&path, 0, "a core package has its library here")];
    };
    let found = source.inner_attributes();
    let denied: Vec<&str> = found.iter().filter_map(|a| list_of(a, &["deny", "forbid"])).collect();
    let denies = |lint: &str| denied.iter().any(|list| list.split(',').any(|l| l == lint));
    let mut missing = Vec::new();
    if !found.iter().any(|a| a == "no_std") {
        missing.push("#![no_std]".to_owned());
    }
    if !found.iter().any(|a| list_of(a, &["forbid"]) == Some("unsafe_code")) {
        missing.push("#![forbid(unsafe_code)]".to_owned());
    }
    let lints = DENIED.iter().filter(|lint| !denies(lint));
    missing.extend(lints.map(|lint| format!("#![deny({lint})]")));
    missing
        .into_iter()
        .map(|m| Finding::new(&path, 0, format!("the lint block lacks {m}")))
        .collect()
}

/// What stands in the brackets of an attribute of one of these names.
fn list_of<'a>(attribute: &'a str, names: &[&str]) -> Option<&'a str> {
    let (name, rest) = attribute.split_once('(')?;
    names.contains(&name).then(|| rest.trim_end_matches(')').trim_end_matches(','))
}

fn configuration_faults(text: Option<&str>) -> Vec<Finding> {
    let fault = |text: String| Finding::new(CONFIGURATION, 0, text);
    let Some(table) = text.and_then(|t| t.parse::<toml::Table>().ok()) else {
        return vec![fault("it is missing or cannot be parsed".to_owned())];
    };
    let entries = ["disallowed-types", "disallowed-methods"].into_iter();
    let entries = entries.filter_map(|key| table.get(key)?.as_array()).flatten();
    let paths: Vec<&str> = entries.filter_map(|e| e.get("path").unwrap_or(e).as_str()).collect();
    let absent = BANNED.iter().filter(|path| !paths.contains(path));
    absent.map(|path| fault(format!("it no longer bans {path}"))).collect()
}

const CONFIGURATION: &str = "core/clippy.toml";
const DENIED: [&str; 3] =
    ["clippy::float_arithmetic", "clippy::disallowed_types", "clippy::disallowed_methods"];
const BANNED: [&str; 12] = [
    "f32",
    "f64",
    "std::collections::HashMap",
    "std::collections::HashSet",
    "std::time::Instant",
    "std::time::SystemTime",
    "std::fs::File",
    "std::env::var",
    "hashbrown::HashMap::iter",
    "hashbrown::HashMap::keys",
    "hashbrown::HashMap::values",
    "hashbrown::HashMap::drain",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project;

    const SOUND: &str = "//! A.\n#![no_std]\n#![forbid(unsafe_code)]\n\
        #![deny(clippy::float_arithmetic, clippy::disallowed_types, clippy::disallowed_methods)]\n";

    fn faults(library: &str) -> Vec<String> {
        let mut project = project::of_files(&[("core/a/src/lib.rs", library)]);
        let package = Package { folder: "core/a".to_owned(), ..Package::default() };
        project.workspace.packages.push(package.clone());
        library_faults(&project, &package).into_iter().map(|f| f.text).collect()
    }

    #[test]
    fn the_whole_block_passes_and_each_part_is_missed() {
        assert!(faults(SOUND).is_empty());
        for part in ["#![no_std]\n", "#![forbid(unsafe_code)]\n", "clippy::disallowed_types, "] {
            assert_eq!(faults(&SOUND.replace(part, "")).len(), 1, "{part} was not missed");
        }
        assert_eq!(faults("//! A.\n// #![no_std]\n").len(), 5);
    }

    #[test]
    fn a_core_package_without_a_library_is_found() {
        let project = project::of_files(&[]);
        let package = Package { folder: "core/a".to_owned(), ..Package::default() };
        assert_eq!(library_faults(&project, &package).len(), 1);
    }

    #[test]
    fn a_ban_that_was_taken_out_is_missed() {
        assert_eq!(configuration_faults(None).len(), 1);
        assert_eq!(configuration_faults(Some("[a")).len(), 1);
        let all: Vec<String> = BANNED.iter().map(|b| format!("{{ path = \"{b}\" }}")).collect();
        let text = format!("disallowed-types = [{}]", all.join(", "));
        assert!(configuration_faults(Some(&text)).is_empty());
        assert_eq!(configuration_faults(Some(&text.replace("\"f64\"", "\"u64\""))).len(), 1);
    }
}
