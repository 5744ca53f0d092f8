//! A folder that a test fills and that is gone after it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A folder of its own for one test.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// An empty folder.
    pub(crate) fn folder() -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("xtask-test-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a scratch folder");
        Self(path)
    }

    /// An empty git repository.
    pub(crate) fn repository() -> Self {
        let scratch = Self::folder();
        crate::command::output(scratch.path(), "git", &["init", "-q"]).expect("git init");
        scratch
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes one file, and the folders above it.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let place = self.0.join(path);
        std::fs::create_dir_all(place.parent().expect("a folder")).expect("a folder is made");
        std::fs::write(place, text).expect("a file is written");
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

static NEXT: AtomicUsize = AtomicUsize::new(0);
