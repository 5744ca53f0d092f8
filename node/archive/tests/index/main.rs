//! The archive over the events of a kernel: what it answers, and that it is the same however it was made.

mod kept;
mod lists;
mod made_anew;
mod model;
mod settled;
mod states;
mod venue;

use archive::{Archive, Opened};
use port::{Query, View};
use tempfile::TempDir;

use venue::{Record, Venue, answer_of};

/// An archive in a folder of its own.
struct Kept {
    folder: TempDir,
    opened: Opened,
}

impl Kept {
    fn empty() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let opened = Archive::open(folder.path(), answer_of).expect("opened");
        assert!(opened.fault.is_none());
        Self { folder, opened }
    }

    /// With these records, committed after every so many.
    fn of(records: &[Record], per_commit: usize) -> Self {
        let mut kept = Self::empty();
        kept.add(records, per_commit);
        kept
    }

    fn add(&mut self, records: &[Record], per_commit: usize) {
        for chunk in records.chunks(per_commit) {
            for (groups, end) in chunk {
                self.opened.indexer.add(groups, *end).expect("they follow");
            }
            self.opened.indexer.commit().expect("committed");
        }
    }

    fn ask(&self, query: Query) -> View {
        let reader = self.opened.archive.reader().expect("open");
        reader.answer(query).expect("sound").expect("a query of the archive")
    }

    fn rows(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let reader = self.opened.archive.reader().expect("open");
        reader.rows().collect::<Result<_, _>>().expect("sound")
    }

    /// Closes and opens it again.
    fn again(self) -> Self {
        let Self { folder, opened } = self;
        drop(opened);
        let opened = Archive::open(folder.path(), answer_of).expect("opened");
        Self { folder, opened }
    }
}

/// A venue that traded.
fn traded(seed: u64, commands: usize) -> Venue {
    let mut venue = Venue::new(seed, 6);
    venue.trade(commands);
    venue
}
