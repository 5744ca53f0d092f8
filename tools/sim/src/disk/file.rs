//! One file: what programs see, what is durable, and every content in between.

use std::collections::{BTreeMap, BTreeSet};

use testkit::rng::SplitMix64;

/// The smallest unit that is old or new as a whole.
pub(super) const SECTOR: usize = 512;

/// The bytes of a file.
#[derive(Clone, Debug, Default)]
pub(super) struct Contents {
    seen: Vec<u8>,
    durable: Vec<u8>,
    /// What each sector held after each write since the last sync, oldest first.
    unsynced: BTreeMap<usize, Vec<Vec<u8>>>,
    /// The sectors that the last sync made durable, and what was written since.
    newest: BTreeSet<usize>,
}

impl Contents {
    pub(super) fn size(&self) -> usize {
        self.seen.len()
    }

    pub(super) fn read(&self, buffer: &mut [u8], start: usize) -> usize {
        let rest = self.seen.get(start..).unwrap_or_default();
        let size = buffer.len().min(rest.len());
        buffer[..size].copy_from_slice(&rest[..size]);
        size
    }

    pub(super) fn write(&mut self, bytes: &[u8], start: usize) {
        let end = start + bytes.len();
        if self.seen.len() < end {
            self.seen.resize(end, 0);
        }
        self.seen[start..end].copy_from_slice(bytes);
        for sector in start / SECTOR..end.div_ceil(SECTOR) {
            let content = self.seen_sector(sector).to_vec();
            self.unsynced.entry(sector).or_default().push(content);
        }
    }

    /// Everything seen is durable.
    pub(super) fn sync(&mut self) {
        if !self.unsynced.is_empty() {
            self.newest = self.unsynced.keys().copied().collect();
        }
        for (sector, mut contents) in std::mem::take(&mut self.unsynced) {
            if let Some(newest) = contents.pop() {
                self.keep(sector, &newest);
            }
        }
    }

    /// A sync failed: of each sector nobody knows, and nobody will try again.
    pub(super) fn forget(&mut self, random: &mut SplitMix64) {
        self.settle(random);
    }

    /// Only what is durable is left; how many sectors are not what was seen.
    pub(super) fn lose_power(&mut self, random: &mut SplitMix64) -> u64 {
        let lost = self.settle(random);
        self.seen.clone_from(&self.durable);
        lost
    }

    /// Whether a sector is durable as it is seen.
    pub(super) fn is_clean(&self, sector: usize) -> bool {
        !self.unsynced.contains_key(&sector)
            && self.durable_sector(sector) == self.seen_sector(sector)
    }

    /// Whether the last sync wrote there, or what came behind it.
    pub(super) fn is_newest(&self, sector: usize) -> bool {
        self.newest.contains(&sector)
    }

    /// Whether nothing durable but zeros lies from there on.
    pub(super) fn is_blank_from(&self, start: usize) -> bool {
        self.durable.iter().skip(start).all(|&byte| byte == 0)
    }

    /// How many sectors are durable.
    pub(super) fn sector_count(&self) -> usize {
        self.durable.len().div_ceil(SECTOR)
    }

    pub(super) fn durable_sector(&self, sector: usize) -> &[u8] {
        part(&self.durable, sector)
    }

    /// Changes a sector behind everybody's back.
    pub(super) fn replace(&mut self, sector: usize, content: &[u8]) {
        let start = sector * SECTOR;
        self.durable[start..start + content.len()].copy_from_slice(content);
        self.seen[start..start + content.len()].copy_from_slice(content);
    }

    fn seen_sector(&self, sector: usize) -> &[u8] {
        part(&self.seen, sector)
    }

    fn settle(&mut self, random: &mut SplitMix64) -> u64 {
        let mut lost = 0;
        // A flush that came through whole without its sync is the last one all the same.
        self.newest.extend(self.unsynced.keys());
        for (sector, contents) in std::mem::take(&mut self.unsynced) {
            // 0 keeps the old content, the highest the newest.
            let choice = usize::try_from(random.below(contents.len() as u64 + 1)).expect("few");
            lost += u64::from(choice < contents.len());
            if let Some(content) = choice.checked_sub(1).map(|at| &contents[at]) {
                self.keep(sector, content);
            }
        }
        lost
    }

    fn keep(&mut self, sector: usize, content: &[u8]) {
        let start = sector * SECTOR;
        let end = start + content.len();
        if self.durable.len() < end {
            self.durable.resize(end, 0);
        }
        self.durable[start..end].copy_from_slice(content);
    }
}

fn part(bytes: &[u8], sector: usize) -> &[u8] {
    let start = (sector * SECTOR).min(bytes.len());
    &bytes[start..(start + SECTOR).min(bytes.len())]
}
