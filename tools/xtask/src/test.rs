//! `cargo xtask test`: everything that must pass before a change is taken.
//!
//! Formatting, clippy, tidy, every test of the workspace, in the release build those that hold both builds to
//! the same stored logs (DET-56), and the simulator's kept seeds with a hundred that belong to the commit. It
//! installs nothing (`tools/setup.sh`
//! does) and sets no variable: `DEX_DATA` (a folder of recorded markets) and `DEX_DATA_REQUIRED`
//! (fail, instead of skip, where that folder is missing) reach the tests as the caller set them.

use crate::steps::{self, Step};
use crate::{clippy, fmt, sim, tidy, tree};

/// Runs the command.
pub(crate) fn run() -> anyhow::Result<()> {
    steps::run(&tree::root()?, &suite())
}

fn suite() -> Vec<Step> {
    vec![
        fmt::check_step(),
        clippy::step(),
        tidy::step(),
        Step::cargo("tests", &["test", "--workspace"]),
        Step::cargo(
            "stored logs in the release build",
            &["test", "--release", "-p", "kernel", "--test", "golden"],
        ),
        sim::step(),
    ]
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::tree::Tree;

    /// The command that the pipeline runs, as the project's page names it.
    const COMMAND: &str = "sh tools/setup.sh && cargo xtask test";

    /// The pipeline runs the very command that README.md names.
    #[test]
    fn the_pipeline_runs_the_command_of_the_readme() {
        let tree = Tree::load(&tree::root().expect("a root")).expect("a sound tree");
        let holds = |path: &str| tree.text(path).is_some_and(|t| t.lines().any(|l| l == COMMAND));
        assert!(holds("README.md"), "README.md does not name `{COMMAND}`");
        assert!(holds(".ci/run"), ".ci/run does not run `{COMMAND}`");
    }

    /// The stored logs, whose hashes are in the repository, run in the build of the tests and in the release
    /// build, so that a run passes only if both come to the same.
    /// covers: DET-56
    #[test]
    fn stored_logs_run_in_both_builds() {
        let suite = suite();
        let golden = ["test", "--release", "-p", "kernel", "--test", "golden"];
        let wanted = Step::cargo("stored logs in the release build", &golden);
        assert!(suite.contains(&wanted), "{suite:?}");
        assert!(suite.contains(&Step::cargo("tests", &["test", "--workspace"])));
        let tree = Tree::load(&tree::root().expect("a root")).expect("a sound tree");
        assert!(tree.holds("core/kernel/tests/golden.rs"));
        assert!(tree.holds("core/kernel/tests/golden/1/hashes"));
    }

    #[test]
    fn a_pipeline_script_with_a_syntax_error_would_be_seen() {
        let root = tree::root().expect("a root");
        for (shell, script) in [("bash", ".ci/run"), ("sh", "tools/setup.sh")] {
            syntax(&root, shell, script).expect("a sound script");
        }
        let scratch = crate::scratch::Scratch::folder();
        scratch.write("bad.sh", "if true; then\n");
        assert!(syntax(scratch.path(), "sh", "bad.sh").is_err());
    }

    fn syntax(folder: &Path, shell: &str, script: &str) -> anyhow::Result<String> {
        crate::command::output(folder, shell, &["-n", script])
    }
}
