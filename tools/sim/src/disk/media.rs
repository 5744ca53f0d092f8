//! What the medium does to what is durable, and what a person does about it.
//!
//! Harm comes behind everybody's back: a bit of a durable sector flips, or the sector is lost and reads
//! as zeros. Mending puts back what was there in the logs, as a copy of the file from a replica would,
//! unless the node has written there since. A snapshot is not mended: nothing depends on it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use testkit::rng::SplitMix64;

use super::SimDisk;
use super::file::SECTOR;

/// What happens to a sector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Harm {
    /// One bit is another one.
    Flip,
    /// All of it is zeros.
    Lose,
}

/// A sector that was harmed.
#[derive(Clone, Debug)]
pub(super) struct Harmed {
    is_log: bool,
    /// Nothing was written there or behind it: the node may clear it without a word.
    is_blank: bool,
    file: usize,
    sector: usize,
    before: Vec<u8>,
    after: Vec<u8>,
}

impl SimDisk {
    /// Harms a durable sector that holds something, of a file whose path contains `part`, and says where;
    /// `None` when there is none. A tail that was kept aside is left alone. What the last sync of a log wrote is not lost: one machine alone cannot tell that from a flush
    /// that power interrupted (D-113).
    pub(crate) fn harm(&self, harm: Harm, part: &str, random: &mut SplitMix64) -> Option<String> {
        let mut state = self.lock();
        let mut choices: Vec<(usize, usize)> = Vec::new();
        for (path, &file) in &state.durable_names {
            if !is_part(path, part) || is_aside(path) {
                continue;
            }
            let contents = &state.files[file];
            let holds = |&sector: &usize| {
                (harm == Harm::Flip || !is_log(path) || !contents.is_newest(sector))
                    && contents.is_clean(sector)
                    && contents.durable_sector(sector).iter().any(|&b| b != 0)
            };
            choices.extend((0..contents.sector_count()).filter(holds).map(|sector| (file, sector)));
        }
        let &(file, sector) = random.pick(&choices)?;
        let before = state.files[file].durable_sector(sector).to_vec();
        let mut after = before.clone();
        let name = state.durable_names.iter().find(|&(_, &it)| it == file);
        let is_log = name.is_some_and(|(path, _)| is_log(path));
        let name = name.map_or_else(String::new, |(path, _)| path.display().to_string());
        let mut place = format!("sector {sector} of {name}");
        let mut is_blank = false;
        match harm {
            Harm::Lose => after.fill(0),
            Harm::Flip => {
                let at = usize::try_from(random.below(before.len() as u64)).expect("small");
                let bit = random.below(8);
                after[at] ^= 1 << bit;
                is_blank = state.files[file].is_blank_from(sector * SECTOR + at);
                place = format!("bit {bit} of byte {} of {name}", sector * SECTOR + at);
            }
        }
        let is_gone = after.iter().all(|&byte| byte == 0);
        if is_log && is_gone && state.files[file].is_newest(sector) {
            return None;
        }
        state.files[file].replace(sector, &after);
        state.harms.push(Harmed { is_log, is_blank, file, sector, before, after });
        Some(place)
    }

    /// Whether something in the logs was harmed and not put back.
    pub(crate) fn is_log_harmed(&self) -> bool {
        self.lock().harms.iter().any(|it| it.is_log)
    }

    /// A start that succeeded has cleared what it found where nothing was written, or has not met it.
    pub(crate) fn forget_blank_harm(&self) {
        self.lock().harms.retain(|it| !it.is_blank);
    }

    /// The files in a folder, by name, each with whether it is not what was written.
    pub(crate) fn files(&self, folder: &str) -> Vec<(PathBuf, bool)> {
        let state = self.lock();
        let inside = state.names.iter().filter(|(path, _)| path.parent() == Some(folder.as_ref()));
        let is_harmed = |file: usize| {
            // What the first harm of a sector found is what was written; two flips of one bit are none.
            let mut before = BTreeMap::new();
            for it in state.harms.iter().filter(|it| it.file == file) {
                before.entry(it.sector).or_insert(&it.before);
            }
            before.into_iter().any(|(at, it)| state.files[file].durable_sector(at) != it)
        };
        inside.map(|(path, &file)| (path.clone(), is_harmed(file))).collect()
    }

    /// Puts back what was harmed in the logs; `false` when nothing was.
    pub(crate) fn mend(&self) -> bool {
        let mut state = self.lock();
        let all = std::mem::take(&mut state.harms);
        let (logs, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|it| it.is_log);
        state.harms = others;
        let is_harmed = !logs.is_empty();
        // The newest first: a sector may have been harmed twice.
        for it in logs.into_iter().rev() {
            let contents = &mut state.files[it.file];
            if contents.is_clean(it.sector) && contents.durable_sector(it.sector) == it.after {
                contents.replace(it.sector, &it.before);
            }
        }
        is_harmed
    }
}

/// Whether a file belongs to one of the logs.
pub(super) fn is_log(path: &Path) -> bool {
    is_part(path, "commands") || is_part(path, "events")
}

/// Whether a file is a cut tail that a start kept aside for people. It is torn already, has no checksum of
/// its own, and no start reads it, so none can find what became of it.
fn is_aside(path: &Path) -> bool {
    path.extension().is_some_and(|it| it == "cut")
}

fn is_part(path: &Path, part: &str) -> bool {
    path.to_string_lossy().contains(part)
}
