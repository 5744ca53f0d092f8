//! `Archive`: the handle that the writer and the readers share.
//!
//! Owns the folder. The store lies in a subfolder named by a number, its *generation*; making the archive
//! anew begins the next one, so that readers of the old one end in peace, and removes the old. On
//! opening, the highest generation that can be opened is used and the others are removed.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::RwLock;

use crate::fault::ArchiveFault;
use crate::indexer::{AnswerOf, Indexer};
use crate::lists::Lists;
use crate::reader::Reader;
use crate::row::Position;
use crate::store::Store;

/// The archive, for whoever reads it. Cheap to clone.
#[derive(Clone)]
pub struct Archive {
    shared: Arc<Shared>,
}

/// An archive that was opened.
pub struct Opened {
    /// For readers.
    pub archive: Archive,
    /// For the one writer.
    pub indexer: Indexer,
    /// Why what was there could not be used: an alert (STATE-31). The archive is empty then.
    pub fault: Option<ArchiveFault>,
}

/// A generation: a store and what is in memory beside it.
pub(crate) struct Generation {
    pub(crate) store: Store,
    /// Shared with the readers that see them; a listing makes a new one.
    pub(crate) lists: RwLock<Arc<Lists>>,
}

pub(crate) struct Shared {
    folder: PathBuf,
    current: RwLock<Option<(u64, Arc<Generation>)>>,
}

impl Archive {
    /// Opens the archive in `folder`, which is made if there is none. Damaged files are put away and an
    /// empty archive is opened in their place.
    ///
    /// # Errors
    /// The disk refuses an empty one too.
    pub fn open(folder: &Path, answer_of: AnswerOf) -> Result<Opened, ArchiveFault> {
        fs::create_dir_all(folder)?;
        let last = generations(folder)?.into_iter().max().unwrap_or(0);
        let shared = Arc::new(Shared { folder: folder.to_owned(), current: RwLock::new(None) });
        let (fault, position) = match shared.open(last) {
            Ok(position) => (None, position),
            Err(fault) => (Some(fault), shared.open(last + 1)?),
        };
        shared.remove_others();
        let indexer = Indexer::new(shared.clone(), position, answer_of);
        Ok(Opened { archive: Self { shared }, indexer, fault })
    }

    /// What the archive holds at this moment.
    ///
    /// # Errors
    /// It is being made anew, or its store fails.
    pub fn reader(&self) -> Result<Reader, ArchiveFault> {
        let generation = self.shared.generation()?;
        let lists = generation.lists.read().clone();
        Reader::new(generation.store.view(), lists)
    }

    /// Lets go of the files; readers that are out still read.
    pub fn close(&self) {
        *self.shared.current.write() = None;
    }

    /// Bytes on the disk.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.shared.generation().map_or(0, |generation| generation.store.size())
    }
}

impl Shared {
    /// Opens a generation and reads what is kept in memory of it.
    fn open(&self, number: u64) -> Result<Position, ArchiveFault> {
        let store = Store::open(&self.folder.join(number.to_string()))?;
        let view = store.view();
        let (position, lists) = (view.position()?, RwLock::new(Arc::new(Lists::read(&view)?)));
        drop(view);
        *self.current.write() = Some((number, Arc::new(Generation { store, lists })));
        Ok(position)
    }

    pub(crate) fn generation(&self) -> Result<Arc<Generation>, ArchiveFault> {
        let current = self.current.read();
        current.as_ref().map(|(_, generation)| generation.clone()).ok_or(ArchiveFault::Closed)
    }

    /// Begins an empty generation; the one before is removed.
    pub(crate) fn start_again(&self) -> Result<Position, ArchiveFault> {
        let before = self.current.write().take();
        let last = generations(&self.folder)?.into_iter().max().unwrap_or(0);
        drop(before);
        let position = self.open(last + 1)?;
        self.remove_others();
        Ok(position)
    }

    /// Removes the generations that are not the current one, as far as the disk lets them go.
    fn remove_others(&self) {
        let current = self.current.read().as_ref().map(|(number, _)| *number);
        for number in generations(&self.folder).unwrap_or_default() {
            if Some(number) != current {
                drop(fs::remove_dir_all(self.folder.join(number.to_string())));
            }
        }
    }
}

/// The numbers that lie in the folder.
fn generations(folder: &Path) -> Result<Vec<u64>, ArchiveFault> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder)? {
        numbers.extend(entry?.file_name().to_str().and_then(|name| name.parse::<u64>().ok()));
    }
    Ok(numbers)
}
