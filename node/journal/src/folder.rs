//! The data folder of a node: its format, its lock and where things lie in it.
//!
//! Owns the rule that one running process uses a folder, and that a program only touches a folder
//! it understands. Layout: `FORMAT` (one line, name and version), `LOCK`, `commands/`, `events/`,
//! `keys/`, `archive/`, which is made by whoever fills it. The lock is the operating system's and ends with the process, however that ends.
//!
//! It does not look into the logs.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// The version of the folder's layout that this program reads and writes.
pub const FOLDER_VERSION: u32 = 1;

/// A data folder that belongs to this process until it is dropped.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    /// Held for its lock.
    _lock: File,
}

/// Why a folder cannot be used. A person acts, and the text says how.
#[derive(Debug, Error)]
pub enum FolderFault {
    /// It was made by a program of another version.
    #[error(
        "{path} has data format {found}, and this program reads format {FOLDER_VERSION}: run the \
         version of the program that made it, or start with another data folder",
        path = path.display()
    )]
    OtherVersion {
        /// The folder.
        path: PathBuf,
        /// The version that it names.
        found: u32,
    },
    /// Another running process has it.
    #[error(
        "{path} is in use by a running process: stop that process, or start with another data \
         folder",
        path = path.display()
    )]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// There is something in it, and it is no data folder.
    #[error(
        "{path} is not empty and not a data folder of this program (it has no FORMAT file that \
         says so): name an empty or new folder",
        path = path.display()
    )]
    NotOurs {
        /// The folder.
        path: PathBuf,
    },
    /// The file system refused.
    #[error("cannot {action} {path}: {source}; check that the path and its rights are as meant",
        path = path.display())]
    Storage {
        /// What was being done.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
}

impl DataFolder {
    /// Opens the data folder at `path`, or makes one where there is nothing yet.
    pub fn open(path: &Path) -> Result<DataFolder, FolderFault> {
        fs::create_dir_all(path).map_err(storage("create", path))?;
        check_contents(path)?; // before anything is written
        let lock = lock(path)?;
        if !check_contents(path)? {
            write_format(path)?;
        }
        for name in ["commands", "events", "keys"] {
            let folder = path.join(name);
            fs::create_dir_all(&folder).map_err(storage("create", &folder))?;
        }
        keep_private(&path.join("keys"))?;
        sync_folder(path)?;
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            sync_folder(parent)?;
        }
        Ok(DataFolder { path: path.to_path_buf(), _lock: lock })
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the command log's segments lie.
    #[must_use]
    pub fn commands(&self) -> PathBuf {
        self.path.join("commands")
    }

    /// Where the event log's segments lie.
    #[must_use]
    pub fn events(&self) -> PathBuf {
        self.path.join("events")
    }

    /// Where the archive lies: an index that can always be made again from the events.
    #[must_use]
    pub fn archive(&self) -> PathBuf {
        self.path.join("archive")
    }

    /// Where snapshots lie: a start may begin from one, and never needs one.
    #[must_use]
    pub fn snapshots(&self) -> PathBuf {
        self.path.join("snapshots")
    }

    /// Where the keys lie, readable for their owner only.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.path.join("keys")
    }
}

/// Whether the folder is one of ours; `false` means that it is still empty.
fn check_contents(path: &Path) -> Result<bool, FolderFault> {
    let format = path.join(FORMAT_NAME);
    match fs::read(&format) {
        Ok(bytes) => {
            let found = parse_format(&bytes);
            let found = found.ok_or_else(|| FolderFault::NotOurs { path: path.to_path_buf() })?;
            if found == FOLDER_VERSION {
                Ok(true)
            } else {
                Err(FolderFault::OtherVersion { path: path.to_path_buf(), found })
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => check_empty(path).map(|()| false),
        Err(error) => Err(storage("read", &format)(error)),
    }
}

/// Nothing lies in the folder, except what an interrupted first start leaves.
fn check_empty(path: &Path) -> Result<(), FolderFault> {
    for entry in fs::read_dir(path).map_err(storage("list", path))? {
        let name = entry.map_err(storage("list", path))?.file_name();
        if name != LOCK_NAME && name != FORMAT_NEW_NAME {
            return Err(FolderFault::NotOurs { path: path.to_path_buf() });
        }
    }
    Ok(())
}

/// The version in a `FORMAT` file: one line, the name and a number.
fn parse_format(bytes: &[u8]) -> Option<u32> {
    let line = std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?;
    line.strip_prefix(FORMAT_PREFIX)?.parse().ok()
}

fn lock(path: &Path) -> Result<File, FolderFault> {
    let file = path.join(LOCK_NAME);
    let opened = File::options().create(true).truncate(false).write(true).open(&file);
    let lock = opened.map_err(storage("open", &file))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(FolderFault::InUse { path: path.to_path_buf() }),
        Err(TryLockError::Error(error)) => Err(storage("lock", &file)(error)),
    }
}

/// Written under another name first, so that a `FORMAT` file is always whole.
fn write_format(path: &Path) -> Result<(), FolderFault> {
    let new = path.join(FORMAT_NEW_NAME);
    let mut file = File::create(&new).map_err(storage("create", &new))?;
    let line = format!("{FORMAT_PREFIX}{FOLDER_VERSION}\n");
    file.write_all(line.as_bytes()).map_err(storage("write", &new))?;
    file.sync_all().map_err(storage("sync", &new))?;
    fs::rename(&new, path.join(FORMAT_NAME)).map_err(storage("name", &new))
}

#[cfg(unix)]
fn keep_private(folder: &Path) -> Result<(), FolderFault> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
        .map_err(storage("restrict", folder))
}

#[cfg(not(unix))]
fn keep_private(_folder: &Path) -> Result<(), FolderFault> {
    Ok(())
}

fn sync_folder(path: &Path) -> Result<(), FolderFault> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(storage("sync", path))
}

fn storage<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> FolderFault + 'a {
    move |source| FolderFault::Storage { action, path: path.to_path_buf(), source }
}

const FORMAT_NAME: &str = "FORMAT";
const FORMAT_NEW_NAME: &str = "FORMAT.new";
const LOCK_NAME: &str = "LOCK";
const FORMAT_PREFIX: &str = "dex ";
