//! What the medium does to what is durable, and what a person does about it.
//!
//! Harm comes behind everybody's back: a bit of a durable sector flips, or the sector is lost and reads
//! as zeros. Mending puts back what was there, as a copy of the file from a replica would, unless the
//! node has written there since.

use std::path::Path;

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
#[derive(Debug)]
pub(super) struct Harmed {
    file: usize,
    sector: usize,
    before: Vec<u8>,
    after: Vec<u8>,
}

impl SimDisk {
    /// Harms a durable sector that holds something, of a file whose path contains `part`, and says where;
    /// `None` when there is none. What the last sync wrote is not lost: one machine alone cannot tell that from a flush
    /// that power interrupted (D-110).
    pub(crate) fn harm(&self, harm: Harm, part: &str, random: &mut SplitMix64) -> Option<String> {
        let mut state = self.lock();
        let mut choices: Vec<(usize, usize)> = Vec::new();
        for (path, &file) in &state.durable_names {
            if !is_part(path, part) {
                continue;
            }
            let contents = &state.files[file];
            let holds = |&sector: &usize| {
                (harm == Harm::Flip || !contents.is_newest(sector))
                    && contents.is_clean(sector)
                    && contents.durable_sector(sector).iter().any(|&b| b != 0)
            };
            choices.extend((0..contents.sector_count()).filter(holds).map(|sector| (file, sector)));
        }
        let &(file, sector) = random.pick(&choices)?;
        let before = state.files[file].durable_sector(sector).to_vec();
        let mut after = before.clone();
        let name = state.durable_names.iter().find(|&(_, &it)| it == file);
        let name = name.map_or_else(String::new, |(path, _)| path.display().to_string());
        let mut place = format!("sector {sector} of {name}");
        match harm {
            Harm::Lose => after.fill(0),
            Harm::Flip => {
                let at = usize::try_from(random.below(before.len() as u64)).expect("small");
                let bit = random.below(8);
                after[at] ^= 1 << bit;
                place = format!("bit {bit} of byte {} of {name}", sector * SECTOR + at);
            }
        }
        state.files[file].replace(sector, &after);
        state.harms.push(Harmed { file, sector, before, after });
        Some(place)
    }

    /// Whether something was harmed and not put back.
    pub(crate) fn is_harmed(&self) -> bool {
        !self.lock().harms.is_empty()
    }

    /// Puts back what was harmed; `false` when nothing was.
    pub(crate) fn mend(&self) -> bool {
        let mut state = self.lock();
        let is_harmed = !state.harms.is_empty();
        // The newest first: a sector may have been harmed twice.
        while let Some(it) = state.harms.pop() {
            let contents = &mut state.files[it.file];
            if contents.is_clean(it.sector) && contents.durable_sector(it.sector) == it.after {
                contents.replace(it.sector, &it.before);
            }
        }
        is_harmed
    }
}

fn is_part(path: &Path, part: &str) -> bool {
    path.to_string_lossy().contains(part)
}
