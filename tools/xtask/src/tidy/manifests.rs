//! Manifests: every folder with one is a member, takes the workspace's lints, and a core package
//! takes the versions of what it uses from the workspace's table.

use crate::finding::Finding;
use crate::project::Project;
use crate::tree;
use crate::workspace::{self, Package};

/// Checks every `Cargo.toml` of the repository but the root's.
pub(crate) fn check(project: &Project) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in project.tree.texts() {
        if tree::file_name(path) != "Cargo.toml" || path == "Cargo.toml" {
            continue;
        }
        let members = &project.workspace.packages;
        if !members.iter().any(|p| p.folder == tree::folder(path)) {
            findings.push(Finding::new(path, 0, "the package is no member of the workspace"));
        }
        match workspace::manifest(text, path) {
            Ok(manifest) => findings.extend(lints_fault(path, &manifest)),
            Err(error) => findings.push(Finding::new(path, 0, format!("{error:#}"))),
        }
    }
    let core = project.workspace.in_layer(workspace::Layer::Core);
    findings.extend(core.flat_map(own_versions));
    findings
}

fn lints_fault(path: &str, manifest: &toml::Table) -> Option<Finding> {
    let inherits = manifest.get("lints").and_then(|l| l.get("workspace")?.as_bool());
    let text = "the manifest lacks `[lints]` with `workspace = true`";
    (inherits != Some(true)).then(|| Finding::new(path, 0, text))
}

/// The dependencies of a core package that do not say `workspace = true`.
fn own_versions(package: &Package) -> Vec<Finding> {
    let mut findings = Vec::new();
    for table in ["dependencies", "build-dependencies", "dev-dependencies"] {
        let lines = package.manifest.get(table).and_then(toml::Value::as_table);
        for (name, value) in lines.into_iter().flatten() {
            if value.get("workspace").and_then(toml::Value::as_bool) != Some(true) {
                let text = format!("{name}: a core package says `workspace = true` in [{table}]");
                findings.push(Finding::new(&package.manifest_path(), 0, text));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project;

    const SOUND: &str = "[package]\nname = \"a\"\n[lints]\nworkspace = true\n";

    fn faults(manifest: &str, is_member: bool) -> usize {
        let mut project = project::of_files(&[("core/a/Cargo.toml", manifest)]);
        if is_member {
            let manifest = workspace::manifest(manifest, "core/a/Cargo.toml").unwrap_or_default();
            let (name, folder) = ("a".to_owned(), "core/a".to_owned());
            let package = Package { name, folder, manifest, ..Package::default() };
            project.workspace.packages.push(package);
        }
        check(&project).len()
    }

    #[test]
    fn a_sound_manifest_passes() {
        assert_eq!(faults(SOUND, true), 0);
        assert_eq!(faults(&format!("{SOUND}[dependencies]\nunits.workspace = true\n"), true), 0);
    }

    #[test]
    fn a_package_outside_the_workspace_is_found() {
        assert_eq!(faults(SOUND, false), 1);
    }

    #[test]
    fn missing_lints_and_a_broken_manifest_are_found() {
        assert_eq!(faults("[package]\nname = \"a\"\n", true), 1);
        assert_eq!(faults("[lints]\nworkspace = false\n", true), 1);
        assert_eq!(faults("[lints\n", true), 1);
    }

    #[test]
    fn a_version_of_its_own_is_found_in_the_core() {
        assert_eq!(faults(&format!("{SOUND}[dependencies]\nsha2 = \"0.1\"\n"), true), 1);
    }
}
