//! The `dex` binary that the rows drive: built once from this source, in the profile of whoever asks.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The binary, up to date.
///
/// # Panics
/// When it cannot be built.
pub(crate) fn dex() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| build("dex", !cfg!(debug_assertions)))
}

/// Builds a package's binary, with optimisation or without, and answers where it lies.
pub(crate) fn build(package: &str, optimised: bool) -> PathBuf {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--package", package, "--bin", package]);
    if optimised {
        command.arg("--release");
    }
    let status = command.current_dir(env!("CARGO_MANIFEST_DIR")).status().expect("cargo starts");
    assert!(status.success(), "{package} cannot be built");
    let own = std::env::current_exe().expect("this program lies somewhere");
    let folder = own.parent().expect("in a folder");
    let profile = if folder.ends_with("deps") { folder.parent() } else { Some(folder) };
    let target = profile.and_then(Path::parent).expect("in a target folder");
    let path = target.join(if optimised { "release" } else { "debug" }).join(package);
    assert!(path.is_file(), "{} was built elsewhere", path.display());
    path
}

/// Whether a program can be called.
pub(crate) fn has_program(name: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|folder| folder.join(name).is_file())
}
