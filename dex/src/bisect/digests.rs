//! Lists of digests: the hash of the state by event.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use kernel::Kernel;

use super::last_of;
use crate::flow::bar;
use crate::log::{Source, is_closed_pipe};
use crate::state::{Groups, apply, hex, one_group, state_hash};

/// State hashes at command ends, events rising.
pub(super) struct Digests(Vec<(u64, [u8; 32])>);

impl Digests {
    /// Reads what `list` writes: an event and a hash a line.
    ///
    /// # Errors
    /// The file cannot be read, or is no such list.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
        let mut list: Vec<(u64, [u8; 32])> = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let digest = digest(line);
            let last = list.last().map_or(0, |(sequence, _)| *sequence);
            let Some(digest) = digest.filter(|(sequence, _)| *sequence > last) else {
                bail!("{shown}, line {number}: not a later event and a hash of 64 hex digits");
            };
            list.push(digest);
        }
        if list.is_empty() {
            bail!("{shown} holds no digest");
        }
        Ok(Self(list))
    }

    /// Those up to an event.
    pub(super) fn up_to(&self, end: u64) -> &[(u64, [u8; 32])] {
        &self.0[..self.0.partition_point(|(sequence, _)| *sequence <= end)]
    }
}

fn digest(line: &str) -> Option<(u64, [u8; 32])> {
    let (sequence, text) = line.split_once(' ')?;
    if text.len() != 64 || !text.bytes().all(|it| it.is_ascii_hexdigit()) {
        return None;
    }
    let mut hash = [0; 32];
    for (byte, at) in hash.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
    }
    Some((sequence.parse().ok()?, hash))
}

/// Prints the hash of the state at command ends that are so many events apart, and at the last one.
///
/// # Errors
/// The log cannot be read or applied.
pub(super) fn list(source: &Source, every: u64) -> anyhow::Result<()> {
    let bar = bar("applying events", source.event_end());
    let mut out = std::io::stdout().lock();
    let mut kernel = Kernel::new();
    let (mut next, mut listed) = (every.max(1), 0);
    let mut groups = Groups::behind(source, 0)?;
    while let Some(bytes) = groups.next_bytes()? {
        let group = one_group(bytes)?;
        let last = last_of(&group);
        apply(&mut kernel, &group)?;
        bar.set_position(last);
        if last >= next || last == source.event_end() {
            let line = writeln!(out, "{last} {}", hex(&state_hash(&kernel)));
            match line.map_err(anyhow::Error::from) {
                Err(fault) if is_closed_pipe(&fault) => return Ok(()),
                line => line?,
            }
            (next, listed) = (last + every.max(1), listed + 1);
        }
    }
    bar.finish_and_clear();
    if listed == 0 {
        bail!("the folder holds no events");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("list");
        let read = |text: &str| {
            std::fs::write(&path, text).expect("written");
            Digests::read(&path).map(|it| it.0).map_err(|fault| fault.to_string())
        };
        let (one, other) = ([0xab; 32], [0x01; 32]);
        let text = format!("7 {}\n19 {}\n", hex(&one), hex(&other));
        assert_eq!(read(&text), Ok(vec![(7, one), (19, other)]));
        for wrong in
            ["", "7\n", "7 abc\n", "x 00\n", &text.replace("19", "7"), &text.replace('a', "g")]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
