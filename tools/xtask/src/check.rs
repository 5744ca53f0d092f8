//! `cargo xtask check`: the everyday check, short enough to run before each commit.
//!
//! Formatting, clippy, tidy, and the unit tests of the core. It deliberately leaves out everything
//! that starts a process or reads recorded markets; `cargo xtask test` has that.

use crate::steps::{self, Step};
use crate::workspace::{Layer, Workspace};
use crate::{clippy, fmt, tidy, tree};

/// Runs the command.
pub(crate) fn run() -> anyhow::Result<()> {
    let root = tree::root()?;
    let workspace = Workspace::load(&root)?;
    let steps = [fmt::check_step(), clippy::step(), tidy::step(), core_tests(&workspace)];
    steps::run(&root, &steps)
}

fn core_tests(workspace: &Workspace) -> Step {
    let mut step = Step::cargo("unit tests of the core", &["test", "--lib"]);
    for package in workspace.in_layer(Layer::Core) {
        step = step.with("--package").with(&package.name);
    }
    step
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Package;

    #[test]
    fn only_packages_of_the_core_are_tested() {
        let package = |name: &str, folder: &str| Package {
            name: name.to_owned(),
            folder: folder.to_owned(),
            ..Package::default()
        };
        let packages = vec![package("book", "core/book"), package("journal", "node/journal")];
        let step = core_tests(&Workspace { packages });
        let wanted = Step::cargo("unit tests of the core", &["test", "--lib", "--package", "book"]);
        assert_eq!(step, wanted);
    }
}
