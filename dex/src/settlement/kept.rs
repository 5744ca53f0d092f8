//! Rows that somebody kept: a file of lines as `--journal` printed them, read one by one.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Lines};
use std::path::Path;

use anyhow::Context as _;
use port::SettlementView;

use super::line;

/// The rows of a file, from the first on.
pub(super) struct KeptRows {
    lines: Lines<BufReader<File>>,
    name: String,
    number: u64,
    next: Option<SettlementView>,
}

impl KeptRows {
    /// Opens the file.
    ///
    /// # Errors
    /// It cannot be read, or its first line is no row.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let name = path.display().to_string();
        let file = File::open(path).with_context(|| format!("cannot read {name}"))?;
        let mut kept = Self { lines: BufReader::new(file).lines(), name, number: 0, next: None };
        kept.step()?;
        Ok(kept)
    }

    /// The next row, if its trade has at most this sequence.
    ///
    /// # Errors
    /// The line behind it is no row.
    pub(super) fn next_up_to(&mut self, trade: u64) -> anyhow::Result<Option<SettlementView>> {
        let row = self.next.take_if(|row| row.trade.sequence <= trade);
        if row.is_some() {
            self.step()?;
        }
        Ok(row)
    }

    fn step(&mut self) -> anyhow::Result<()> {
        let Some(text) = self.lines.next() else { return Ok(()) };
        self.number += 1;
        let place = || format!("line {} of {} is no row of a journal", self.number, self.name);
        self.next = Some(line::read(&text.with_context(place)?).with_context(place)?);
        Ok(())
    }
}
