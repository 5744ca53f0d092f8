//! Loop images: a file with a file system in it, mounted, copied as a power cut would leave it.
//!
//! Owns its mount point and takes it down when dropped. What lies in the page cache above the mounted file
//! system is not in the file below it, so a copy of the file holds what was synced, and of the rest what
//! happened to be written. Needs root and loop devices; `why_not` says what is missing.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::binary::has_program;

/// A mounted image.
pub(crate) struct Image {
    file: PathBuf,
    mount: PathBuf,
    is_mounted: bool,
}

impl Image {
    /// Why no image can be mounted here; `None` if one can.
    pub(crate) fn why_not() -> Option<String> {
        for name in ["mkfs.ext4", "mount", "umount"] {
            if !has_program(name) && !Path::new("/usr/sbin").join(name).is_file() {
                return Some(format!("{name} is not installed (sh tools/setup.sh)"));
            }
        }
        let folder = tempfile::tempdir().expect("a folder");
        match Self::make(folder.path(), "probe", 8) {
            Ok(_) => None,
            Err(fault) => Some(format!("no loop image can be mounted (it takes root): {fault}")),
        }
    }

    /// Makes and mounts an image of so many MiB.
    pub(crate) fn make(folder: &Path, name: &str, mebibytes: u64) -> Result<Self, String> {
        let file = folder.join(name);
        let made = File::create(&file).and_then(|it| it.set_len(mebibytes << 20));
        made.map_err(|fault| fault.to_string())?;
        // Without reserved blocks, and without the remedies for programs that sync too little.
        let path = file.to_string_lossy().into_owned();
        call("mkfs.ext4", &["-q", "-F", "-m", "0", &path])?;
        Self::mount(folder, file)
    }

    /// Mounts what lies in an image file.
    pub(crate) fn mount(folder: &Path, file: PathBuf) -> Result<Self, String> {
        let mount = folder.join("mounted");
        fs::create_dir_all(&mount).map_err(|fault| fault.to_string())?;
        let [from, to] = [&file, &mount].map(|path| path.to_string_lossy().into_owned());
        call("mount", &["-o", "loop,noauto_da_alloc,commit=600", &from, &to])?;
        Ok(Self { file, mount, is_mounted: true })
    }

    /// Where it is mounted.
    pub(crate) fn path(&self) -> &Path {
        &self.mount
    }

    /// Copies the file below the mounted file system, and says how many bytes.
    pub(crate) fn copy(&self, to: &Path) -> u64 {
        fs::copy(&self.file, to).expect("there is room for a copy")
    }

    /// Takes it down and removes its file.
    pub(crate) fn discard(mut self) {
        self.unmount().expect("nobody uses it");
        fs::remove_file(&self.file).expect("it is there");
    }

    fn unmount(&mut self) -> Result<(), String> {
        if std::mem::take(&mut self.is_mounted) {
            call("umount", &[&self.mount.to_string_lossy()])?;
        }
        Ok(())
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        if let Err(fault) = self.unmount() {
            eprintln!("{} stays mounted: {fault}", self.mount.display());
        }
    }
}

fn call(program: &str, args: &[&str]) -> Result<(), String> {
    let system = ["/usr/sbin", "/sbin"].map(|folder| Path::new(folder).join(program));
    let found = system.into_iter().find(|path| path.is_file());
    let output = Command::new(found.unwrap_or_else(|| program.into())).args(args).output();
    let output = output.map_err(|fault| format!("{program}: {fault}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim()))
}
