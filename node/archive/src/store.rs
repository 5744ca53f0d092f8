//! The key-value store underneath: one keyspace, whole batches, snapshots.
//!
//! Owns the choice of library and its options. A commit is one batch: all of it is there after a crash or
//! nothing is, so rows never contradict the position that stands among them. Nothing is synced: what the
//! machine loses is indexed again from the event log.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use fjall::{Database, Keyspace, KeyspaceCreateOptions, Readable, Snapshot};
use schema::wire::{DecodeError, Reader as Bytes};

use crate::fault::ArchiveFault;
use crate::key::{self, Key};
use crate::row::Position;

/// An open store.
pub(crate) struct Store {
    database: Database,
    rows: Keyspace,
}

/// The store at one moment between two commits.
pub(crate) struct View {
    snapshot: Snapshot,
    rows: Keyspace,
}

/// What a commit changes.
#[derive(Default)]
pub(crate) struct Changes {
    /// Rows to write; `None` removes one.
    rows: Vec<(Key, Option<Vec<u8>>)>,
}

impl Store {
    /// Opens the store in `folder`, which is made if there is none. Damaged files may make the library
    /// panic; that is a fault like any other here.
    pub(crate) fn open(folder: &Path) -> Result<Self, ArchiveFault> {
        guarded(|| {
            let builder = Database::builder(folder).cache_size(CACHE_SIZE_MAX).worker_threads(1);
            let database = builder.max_journaling_size(JOURNAL_SIZE_MAX).open()?;
            let options = || KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_SIZE_MAX);
            let rows = database.keyspace("rows", options)?;
            Ok(Self { database, rows })
        })
    }

    /// The store as it is now.
    pub(crate) fn view(&self) -> View {
        View { snapshot: self.database.snapshot(), rows: self.rows.clone() }
    }

    /// Makes all changes at once.
    pub(crate) fn commit(&self, changes: Changes) -> Result<(), ArchiveFault> {
        guarded(|| {
            let mut batch = self.database.batch();
            // Neighbours one after the other are found faster in memory.
            let mut rows = changes.rows;
            rows.sort_by(|one, other| one.0.cmp(&other.0));
            for (key, value) in rows {
                match value {
                    Some(value) => batch.insert(&self.rows, key, value),
                    None => batch.remove(&self.rows, key),
                }
            }
            Ok(batch.commit()?)
        })
    }

    /// Bytes on the disk.
    pub(crate) fn size(&self) -> u64 {
        self.database.disk_space().unwrap_or(0)
    }

    /// A row as it is now.
    pub(crate) fn row<T>(
        &self,
        key: &Key,
        read: impl FnOnce(&mut Bytes<'_>) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, ArchiveFault> {
        guarded(|| match self.rows.get(key)? {
            Some(bytes) => decode(key, &bytes, read).map(Some),
            None => Ok(None),
        })
    }
}

impl View {
    /// A row.
    pub(crate) fn row<T>(
        &self,
        key: &Key,
        read: impl FnOnce(&mut Bytes<'_>) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, ArchiveFault> {
        guarded(|| match self.snapshot.get(&self.rows, key)? {
            Some(bytes) => decode(key, &bytes, read).map(Some),
            None => Ok(None),
        })
    }

    /// How far the rows reach.
    pub(crate) fn position(&self) -> Result<Position, ArchiveFault> {
        Ok(self.row(&key::position(), Position::read)?.unwrap_or(Position::EMPTY))
    }

    /// Sequences of the items of a list from one on, in order.
    pub(crate) fn items(
        &self,
        list: &Key,
        from: u64,
    ) -> impl DoubleEndedIterator<Item = Result<u64, ArchiveFault>> + use<> {
        let first = key::item(list.clone(), from);
        let last = key::item(list.clone(), u64::MAX);
        let found = self.snapshot.range(&self.rows, first..=last);
        found.map(|item| Ok(key::sequence_of(&item.key()?)))
    }

    /// The last row of a space at or before a key: its value as a number.
    pub(crate) fn last_at(&self, key: &Key) -> Result<Option<u64>, ArchiveFault> {
        let space = vec![key[0]];
        let found = guarded(|| {
            let item = self.snapshot.range::<Key, _>(&self.rows, space..=key.clone()).next_back();
            item.map(fjall::Guard::into_inner).transpose().map_err(ArchiveFault::from)
        })?;
        found.map(|(key, value)| decode(&key, &value, |it| it.u64())).transpose()
    }

    /// Every row, in order of key.
    pub(crate) fn all(&self) -> impl Iterator<Item = Result<(Vec<u8>, Vec<u8>), ArchiveFault>> {
        self.snapshot.iter(&self.rows).map(|item| {
            let (key, value) = item.into_inner()?;
            Ok((key.to_vec(), value.to_vec()))
        })
    }
}

impl Changes {
    /// Writes a row.
    pub(crate) fn put(&mut self, key: Key, value: Vec<u8>) {
        self.rows.push((key, Some(value)));
    }

    /// Writes an item of a list, which has nothing but its key.
    pub(crate) fn list(&mut self, list: Key, sequence: u64) {
        self.put(key::item(list, sequence), Vec::new());
    }

    /// Takes an item off a list.
    pub(crate) fn unlist(&mut self, list: Key, sequence: u64) {
        self.rows.push((key::item(list, sequence), None));
    }
}

fn decode<T>(
    key: &[u8],
    bytes: &[u8],
    read: impl FnOnce(&mut Bytes<'_>) -> Result<T, DecodeError>,
) -> Result<T, ArchiveFault> {
    let mut reader = Bytes::new(bytes);
    let row = read(&mut reader).and_then(|row| reader.end().map(|()| row));
    row.map_err(|source| ArchiveFault::Row { space: char::from(key[0]), source })
}

/// A panic of the library over damaged files ends nobody's thread.
fn guarded<T>(work: impl FnOnce() -> Result<T, ArchiveFault>) -> Result<T, ArchiveFault> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(ArchiveFault::Store("the store's library panicked".to_owned())))
}

/// Blocks of rows kept in memory.
const CACHE_SIZE_MAX: u64 = 64 << 20;
/// Rows collected in memory before they become a table.
const MEMTABLE_SIZE_MAX: u64 = 16 << 20;
/// Size of the store's own journal, which is what a start reads again.
const JOURNAL_SIZE_MAX: u64 = 256 << 20;
