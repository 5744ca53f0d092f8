//! Lines of a recording, and tables of comma-separated values made of them.
//!
//! Owns what is wrong with a line in the words of whoever has to mend it: file, line number, column,
//! value. A line is bounded, so that a file which is no recording is refused before it fills the memory.
//! It deliberately knows no column: `rows.rs` does. No quoting, since the tables have only numbers and
//! words. What a file is compressed with is the matter of `compressed.rs`.

use std::io::{BufRead, ErrorKind, Read as _};
use std::path::Path;

use anyhow::bail;
use units::{Amount, Side};

use super::compressed::open;

/// The lines of a file, counted from 1.
pub(super) struct Lines<'a> {
    path: &'a Path,
    reader: Box<dyn BufRead>,
    bytes: Vec<u8>,
    line: u64,
    size_max: u64,
}

impl<'a> Lines<'a> {
    /// The lines of a recording, each of fewer than `size_max` bytes with its end.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub(super) fn open(path: &'a Path, size_max: u64) -> anyhow::Result<Self> {
        Ok(Self { path, reader: open(path)?, bytes: Vec::new(), line: 0, size_max })
    }

    /// The next line with its number and without its end, or nothing behind the last one.
    ///
    /// # Errors
    /// It cannot be read or is no text.
    pub(super) fn next(&mut self) -> anyhow::Result<Option<(u64, &str)>> {
        self.line += 1;
        let (path, line, size_max) = (self.path, self.line, self.size_max);
        let text = read_line(&mut *self.reader, &mut self.bytes, size_max).and_then(|text| {
            text.map(|text| std::str::from_utf8(text).map_err(no_text)).transpose()
        });
        let text = text.map_err(|fault| at(path, line, &explain(&fault, size_max)))?;
        Ok(text.map(|text| (line, text)))
    }
}

/// One line, cut at its commas.
pub(super) struct Fields<'a> {
    columns: &'a [&'static str],
    values: Vec<&'a str>,
    line: u64,
}

/// Reads every row of a table with these columns; the first line must name them. `parse` answers with
/// what is wrong with a row.
///
/// # Errors
/// The first thing that is wrong, with file and line.
pub(super) fn read_rows<T>(
    path: &Path,
    columns: &[&'static str],
    mut parse: impl FnMut(&Fields<'_>) -> Result<T, String>,
) -> anyhow::Result<Vec<T>> {
    let mut lines = Lines::open(path, LINE_SIZE_MAX)?;
    let mut rows = Vec::new();
    while let Some((line, text)) = lines.next()? {
        let fields = Fields { columns, values: text.split(',').collect(), line };
        if line == 1 {
            fields.check_header().map_err(|wrong| at(path, line, &wrong))?;
        } else {
            let row = fields.check_count().and_then(|()| parse(&fields));
            rows.push(row.map_err(|wrong| at(path, line, &wrong))?);
        }
    }
    if lines.line == 1 {
        bail!("{} is empty: it begins with the line {}", path.display(), columns.join(","));
    }
    Ok(rows)
}

impl<'a> Fields<'a> {
    /// Number of the line, from 1.
    pub(super) const fn line(&self) -> u64 {
        self.line
    }

    /// The text of a column.
    pub(super) fn text(&self, column: usize) -> &'a str {
        self.values[column]
    }

    /// A whole number.
    pub(super) fn number(&self, column: usize) -> Result<u64, String> {
        let text = self.text(column);
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|_| digits);
        number.ok_or_else(|| self.wrong(column, "is no whole number"))
    }

    /// A decimal above zero.
    pub(super) fn amount(&self, column: usize) -> Result<Amount, String> {
        let amount = self.text(column).parse::<Amount>();
        let amount = amount.map_err(|fault| self.wrong(column, &format!("is {fault}")))?;
        if amount <= Amount::ZERO {
            return Err(self.wrong(column, "is not above zero"));
        }
        Ok(amount)
    }

    /// BUY or SELL.
    pub(super) fn side(&self, column: usize) -> Result<Side, String> {
        match self.text(column) {
            "BUY" => Ok(Side::Buy),
            "SELL" => Ok(Side::Sell),
            _ => Err(self.wrong(column, "is neither BUY nor SELL")),
        }
    }

    /// What is wrong with the value of a column.
    pub(super) fn wrong(&self, column: usize, what: &str) -> String {
        let shown: String = self.text(column).chars().take(VALUE_SHOWN_MAX).collect();
        format!("{} \"{}\" {what}", self.columns[column], shown.escape_debug())
    }

    fn check_header(&self) -> Result<(), String> {
        if self.values == self.columns {
            return Ok(());
        }
        Err(format!("the first line must be {}", self.columns.join(",")))
    }

    fn check_count(&self) -> Result<(), String> {
        let (found, wanted) = (self.values.len(), self.columns.len());
        if found == wanted {
            return Ok(());
        }
        let names = self.columns.join(",");
        Err(format!("the line has {found} fields and needs {wanted}: {names}"))
    }
}

/// An error with its place.
pub(super) fn at(path: &Path, line: u64, wrong: &str) -> anyhow::Error {
    anyhow::anyhow!("{} line {line}: {wrong}", path.display())
}

/// The next line without its end, or nothing behind the last one.
fn read_line<'a>(
    reader: &mut dyn BufRead,
    bytes: &'a mut Vec<u8>,
    size_max: u64,
) -> std::io::Result<Option<&'a [u8]>> {
    bytes.clear();
    reader.take(size_max).read_until(b'\n', bytes)?;
    if bytes.is_empty() {
        return Ok(None);
    }
    match bytes.strip_suffix(b"\n") {
        Some(line) => Ok(Some(line.strip_suffix(b"\r").unwrap_or(line))),
        None if bytes.len() as u64 == size_max => Err(ErrorKind::InvalidData.into()),
        None => Ok(Some(bytes)),
    }
}

fn no_text(_: std::str::Utf8Error) -> std::io::Error {
    ErrorKind::InvalidData.into()
}

fn explain(fault: &std::io::Error, size_max: u64) -> String {
    match fault.kind() {
        ErrorKind::InvalidData if fault.get_ref().is_none() => {
            format!("no line of text of at most {size_max} bytes: is this a recording?")
        }
        ErrorKind::UnexpectedEof => "the compressed file ends too early: copy it again".to_owned(),
        _ => format!("cannot read on: {fault}"),
    }
}

/// Bytes of a line of a table with its end; the recordings have 60.
const LINE_SIZE_MAX: u64 = 1_024;
/// Characters of a bad value that are shown.
const VALUE_SHOWN_MAX: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write as _;

    const COLUMNS: &[&str] = &["name", "count"];

    fn read(bytes: &[u8]) -> anyhow::Result<Vec<(String, u64)>> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("table.csv");
        std::fs::write(&path, bytes).expect("written");
        read_rows(&path, COLUMNS, |fields| Ok((fields.text(0).to_owned(), fields.number(1)?)))
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).expect("memory");
        encoder.finish().expect("memory")
    }

    #[test]
    fn plain_and_compressed_tables_read_alike() {
        let text = b"name,count\na,1\r\nb,22";
        let rows = vec![("a".to_owned(), 1), ("b".to_owned(), 22)];
        assert_eq!(read(text).expect("sound"), rows);
        assert_eq!(read(&gzip(text)).expect("sound"), rows);
        let parts = [gzip(b"name,count\na,1\n"), gzip(b"b,22\n")].concat();
        assert_eq!(read(&parts).expect("sound"), rows);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let half = gzip(&[&b"name,count\n"[..], &b"a,1\n".repeat(9)].concat());
        for (bytes, wanted) in [
            (&b""[..], "is empty"),
            (b"a,b\n", "line 1: the first line must be name,count"),
            (b"name,count\na,1\nb\n", "line 3: the line has 1 fields and needs 2: name,count"),
            (b"name,count\na,1,2\n", "line 2: the line has 3 fields"),
            (b"name,count\n\n", "line 2: the line has 1 fields"),
            (b"name,count\na,+1\n", "line 2: count \"+1\" is no whole number"),
            (b"name,count\na,99999999999999999999\n", "is no whole number"),
            (b"name,count\n\xff,1\n", "line 2: no line of text"),
            (&[b'x'; 5_000], "line 1: no line of text"),
            (&half[..half.len() - 6], "ends too early"),
            (&[0x1f, 0x8b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "line 1: cannot read on"),
        ] {
            let fault = format!("{:#}", read(bytes).expect_err(wanted));
            assert!(fault.contains(wanted), "{fault} / {wanted}");
        }
    }
}
