//! The folder of snapshots.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::disk::{Disk, SegmentFile};

use crate::fault::SnapshotFault;
use crate::form::{Snapshot, Wrong};

/// A folder with snapshots, named by the event that each reflects.
#[derive(Clone, Debug)]
pub struct SnapshotStore {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
}

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// On record, and some are kept.
    Snapshot,
    /// The state of a minute, of which only the last one is kept.
    Checkpoint,
}

/// A snapshot that is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// The SHA-256 that it ends with.
    pub checksum: [u8; 32],
    /// Bytes of the file.
    pub size: u64,
}

impl SnapshotStore {
    /// The snapshots in a folder, which is made if there is none.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn open(disk: Arc<dyn Disk>, folder: &Path) -> Result<Self, SnapshotFault> {
        disk.create_folder(folder).map_err(storage("create", folder))?;
        Ok(Self { disk, folder: folder.to_path_buf() })
    }

    /// The events that there are snapshots or checkpoints of, the latest first; one that has both stands twice,
    /// so that the checkpoint is tried where the snapshot had to be put aside.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn list(&self) -> Result<Vec<u64>, SnapshotFault> {
        let names = self.disk.list(&self.folder).map_err(storage("list", &self.folder))?;
        let events = names.iter().filter_map(|name| Some(event_of(name)?.0));
        let mut all: Vec<u64> = events.collect();
        all.sort_unstable_by(|one, other| other.cmp(one));
        Ok(all)
    }

    /// What there is of an event: the snapshot, where there is a checkpoint, too.
    #[must_use]
    pub fn kind_of(&self, sequence: u64) -> Option<Kind> {
        let names = self.disk.list(&self.folder).ok()?;
        let kinds = names.iter().filter_map(|name| event_of(name));
        let mut kinds = kinds.filter(|(event, _)| *event == sequence).map(|(_, kind)| kind);
        let first = kinds.next()?;
        Some(if kinds.any(|kind| kind == Kind::Snapshot) { Kind::Snapshot } else { first })
    }

    /// Stores a snapshot: under another name, synced, read back, and only then under its own (RPL-41).
    ///
    /// # Errors
    /// The file system refuses, or gives back something else than was written.
    pub fn write(&self, snapshot: &Snapshot) -> Result<Written, SnapshotFault> {
        self.write_as(snapshot, Kind::Snapshot)
    }

    /// As `write`, of either kind.
    ///
    /// # Errors
    /// As `write`.
    pub fn write_as(&self, snapshot: &Snapshot, kind: Kind) -> Result<Written, SnapshotFault> {
        let sequence = snapshot.header.event_sequence;
        let (draft, path) = (self.path(sequence, DRAFT), self.path(sequence, end_of(kind)));
        let (bytes, checksum) = snapshot.write().map_err(storage("pack", &draft))?;
        let file = self.disk.create(&draft).map_err(storage("create", &draft))?;
        write_all(&*file, &bytes).map_err(storage("write", &draft))?;
        file.sync().map_err(storage("sync", &draft))?;
        drop(file);
        if self.bytes(&draft)? != bytes {
            return Err(SnapshotFault::Damaged { path: draft, what: "it reads back otherwise" });
        }
        self.disk.rename(&draft, &path).map_err(storage("rename", &draft))?;
        self.disk.sync_folder(&self.folder).map_err(storage("sync", &self.folder))?;
        Ok(Written { checksum, size: bytes.len() as u64 })
    }

    /// The snapshot of an event, and its SHA-256.
    ///
    /// # Errors
    /// It cannot be read, or is not what was written.
    pub fn read(&self, sequence: u64) -> Result<(Snapshot, [u8; 32]), SnapshotFault> {
        let path = self.path(sequence, end_of(self.kind_of(sequence).unwrap_or(Kind::Snapshot)));
        let bytes = self.bytes(&path)?;
        let (snapshot, sum) = Snapshot::read(&bytes).map_err(|wrong| match wrong {
            Wrong::Damaged(what) => SnapshotFault::Damaged { path: path.clone(), what },
            Wrong::Format(found) => SnapshotFault::OtherFormat { path: path.clone(), found },
        })?;
        if snapshot.header.event_sequence != sequence {
            let what = "it is of another event than its name says";
            return Err(SnapshotFault::Damaged { path, what });
        }
        Ok((snapshot, sum))
    }

    /// Gives a snapshot that cannot be used a name under which it is never looked for, and answers that name.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn set_aside(&self, sequence: u64) -> Result<PathBuf, SnapshotFault> {
        let kind = self.kind_of(sequence).unwrap_or(Kind::Snapshot);
        let (path, aside) = (self.path(sequence, end_of(kind)), self.path(sequence, ASIDE));
        self.disk.rename(&path, &aside).map_err(storage("rename", &path))?;
        self.disk.sync_folder(&self.folder).map_err(storage("sync", &self.folder))?;
        Ok(aside)
    }

    /// Removes all but the latest so many snapshots, checkpoints before the latest file of either kind, and drafts
    /// that were not finished.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn keep(&self, count: usize) -> Result<(), SnapshotFault> {
        let names = self.disk.list(&self.folder).map_err(storage("list", &self.folder))?;
        let latest = self.list()?.first().copied();
        let mut all: Vec<(u64, Kind)> = names.iter().filter_map(|name| event_of(name)).collect();
        all.sort_unstable_by_key(|(sequence, _)| std::cmp::Reverse(*sequence));
        let (snapshots, checkpoints): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|(_, kind)| *kind == Kind::Snapshot);
        let old = snapshots.into_iter().skip(count);
        let passed = checkpoints.into_iter().filter(|(sequence, _)| Some(*sequence) < latest);
        let old = old.chain(passed).map(|(sequence, kind)| self.path(sequence, end_of(kind)));
        let drafts = names.iter().filter(|name| name.ends_with(DRAFT));
        for path in old.chain(drafts.map(|name| self.folder.join(name))) {
            self.disk.remove(&path).map_err(storage("remove", &path))?;
        }
        Ok(())
    }

    fn bytes(&self, path: &Path) -> Result<Vec<u8>, SnapshotFault> {
        let file = self.disk.open_read(path).map_err(storage("open", path))?;
        read_all(&*file).map_err(storage("read", path))
    }

    fn path(&self, sequence: u64, end: &str) -> PathBuf {
        self.folder.join(format!("{sequence:020}{end}"))
    }
}

/// Ends of names: a snapshot, a checkpoint, one that is being written, one that cannot be used.
const WHOLE: &str = ".snapshot";
const CHECKPOINT: &str = ".checkpoint";
const DRAFT: &str = ".draft";
const ASIDE: &str = ".damaged";

const fn end_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Snapshot => WHOLE,
        Kind::Checkpoint => CHECKPOINT,
    }
}

fn event_of(name: &str) -> Option<(u64, Kind)> {
    let named = |kind| Some((name.strip_suffix(end_of(kind))?, kind));
    let (digits, kind) = named(Kind::Snapshot).or_else(|| named(Kind::Checkpoint))?;
    let is_name = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_name { Some((digits.parse().ok()?, kind)) } else { None }
}

fn write_all(file: &dyn SegmentFile, mut bytes: &[u8]) -> io::Result<()> {
    let mut offset = 0;
    while !bytes.is_empty() {
        match file.write_at(bytes, offset) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(count) => {
                bytes = &bytes[count..];
                offset += count as u64;
            }
            Err(fault) if fault.kind() == ErrorKind::Interrupted => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(())
}

fn read_all(file: &dyn SegmentFile) -> io::Result<Vec<u8>> {
    let size = usize::try_from(file.size()?).map_err(io::Error::other)?;
    let mut bytes = vec![0; size];
    let mut done = 0;
    while done < size {
        match file.read_at(&mut bytes[done..], done as u64) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => done += count,
            Err(fault) if fault.kind() == ErrorKind::Interrupted => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(bytes)
}

fn storage(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SnapshotFault {
    let path = path.to_path_buf();
    move |source| SnapshotFault::Storage { action, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::Header;
    use journal::disk::RealDisk;

    fn snapshot(event_sequence: u64) -> Snapshot {
        let header = Header {
            venue_id: [1; 16],
            shard: 0,
            epoch: 1,
            command_sequence: event_sequence / 2,
            event_sequence,
            timestamp: 5,
            event_hash: [2; 32],
            state_hash: [3; 32],
            log: None,
            core_version: 1,
        };
        Snapshot { header, body: event_sequence.to_le_bytes().repeat(50) }
    }

    fn store() -> (tempfile::TempDir, SnapshotStore) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = SnapshotStore::open(Arc::new(RealDisk), &folder.path().join("snapshots"));
        (folder, store.expect("opened"))
    }

    /// covers: RPL-33
    #[test]
    fn snapshots_are_listed_latest_first_and_read_back() {
        let (_folder, store) = store();
        assert_eq!(store.list().expect("listed"), [0u64; 0]);
        for sequence in [7, 90, 8] {
            let written = store.write(&snapshot(sequence)).expect("written");
            let (read, sum) = store.read(sequence).expect("read");
            assert_eq!((read, sum), (snapshot(sequence), written.checksum));
        }
        assert_eq!(store.list().expect("listed"), [90, 8, 7]);
        store.keep(2).expect("removed");
        assert_eq!(store.list().expect("listed"), [90, 8]);
        store.keep(5).expect("nothing to remove");
        assert_eq!(store.list().expect("listed"), [90, 8]);
    }

    /// Of checkpoints only the last one is kept, and none behind which there is a snapshot; both are found by a
    /// start.
    /// covers: REC-44
    #[test]
    fn a_checkpoint_takes_the_place_of_the_one_before() {
        let (_folder, store) = store();
        store.write(&snapshot(7)).expect("written");
        for sequence in [8, 9, 20] {
            store.write_as(&snapshot(sequence), Kind::Checkpoint).expect("written");
            store.keep(3).expect("removed");
            assert_eq!(store.list().expect("listed"), [sequence, 7]);
            assert_eq!(store.read(sequence).expect("read").0, snapshot(sequence));
        }
        assert_eq!(
            [7, 20, 21].map(|it| store.kind_of(it)),
            [Some(Kind::Snapshot), Some(Kind::Checkpoint), None]
        );
        store.write(&snapshot(20)).expect("written");
        assert_eq!(store.kind_of(20), Some(Kind::Snapshot), "the snapshot goes first");
        store.write(&snapshot(30)).expect("written");
        store.keep(3).expect("removed");
        assert_eq!(store.list().expect("listed"), [30, 20, 7]);
    }

    /// A damaged one is refused and put aside whole, and one under another name is none.
    #[test]
    fn what_cannot_be_used_is_put_aside() {
        let (folder, store) = store();
        store.write(&snapshot(7)).expect("written");
        store.write(&snapshot(8)).expect("written");
        let path = folder.path().join("snapshots").join(format!("{:020}.snapshot", 8));
        let mut bytes = std::fs::read(&path).expect("there");
        bytes[40] ^= 1;
        std::fs::write(&path, &bytes).expect("written");
        let fault = store.read(8).expect_err("damaged");
        assert!(matches!(fault, SnapshotFault::Damaged { .. }), "{fault}");
        let aside = store.set_aside(8).expect("renamed");
        assert_eq!(std::fs::read(aside).expect("there"), bytes, "nothing of it is lost");
        assert_eq!(store.list().expect("listed"), [7]);
        let other = folder.path().join("snapshots").join(format!("{:020}.snapshot", 9));
        let seven = folder.path().join("snapshots").join(format!("{:020}.snapshot", 7));
        std::fs::copy(seven, other).expect("copied");
        assert!(matches!(store.read(9), Err(SnapshotFault::Damaged { .. })));
        assert!(matches!(store.read(1), Err(SnapshotFault::Storage { .. })));
    }

    /// A draft that a crash left is no snapshot, and goes with the next clearing.
    #[test]
    fn a_draft_is_no_snapshot() {
        let (folder, store) = store();
        let draft = folder.path().join("snapshots").join(format!("{:020}.draft", 5));
        std::fs::write(&draft, b"half").expect("written");
        assert_eq!(store.list().expect("listed"), [0u64; 0]);
        store.keep(3).expect("removed");
        assert!(!draft.exists());
    }
}
