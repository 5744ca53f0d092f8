//! The command line: which rows run, and in which form their figures are written.
//!
//! Owns the arguments: `--json` for the form, one name for a single row. Invariant: with `--json`
//! nothing but the list is written. It deliberately refuses a name that is not in the table rather
//! than run nothing.

use std::io::Write;

use crate::measure::Figure;
use crate::row::Row;
use crate::rows::NOTES;
use crate::{ROWS, machine, report};

/// Runs what the arguments ask for and writes the figures to `out`; the error is for a person.
///
/// # Errors
///
/// When an argument is unknown, or `out` cannot be written.
pub fn run(args: &[String], out: &mut dyn Write) -> Result<(), String> {
    let request = parse(args)?;
    let written = if request.json { run_json(&request, out) } else { run_table(&request, out) };
    written.map_err(|fault| format!("cannot write the figures: {fault}"))
}

#[derive(Debug)]
struct Request {
    json: bool,
    rows: Vec<Row>,
}

fn parse(args: &[String]) -> Result<Request, String> {
    let (flags, names): (Vec<&String>, Vec<&String>) =
        args.iter().partition(|a| a.starts_with('-'));
    if let Some(flag) = flags.iter().find(|flag| *flag != &"--json") {
        return Err(format!("unknown option {flag}; there is --json"));
    }
    let rows = match names[..] {
        [] => ROWS.to_vec(),
        [name] => vec![find(name)?],
        _ => return Err("one name at most".to_owned()),
    };
    Ok(Request { json: !flags.is_empty(), rows })
}

fn find(name: &str) -> Result<Row, String> {
    let row = ROWS.iter().find(|row| row.name == name).copied();
    row.ok_or_else(|| {
        let names: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
        format!("no row is named {name}; there are: {}", names.join(", "))
    })
}

fn run_json(request: &Request, out: &mut dyn Write) -> std::io::Result<()> {
    let results: Vec<(Row, Figure)> =
        request.rows.iter().map(|row| (*row, (row.measure)())).collect();
    writeln!(out, "{}", report::json(&results))
}

/// Writes each line as soon as its row has run, since a whole table takes minutes.
fn run_table(request: &Request, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{}", report::header(&machine::describe()))?;
    for row in &request.rows {
        writeln!(out, "{}", report::line(row, (row.measure)()))?;
        for (_, note) in NOTES.iter().filter(|(name, _)| *name == row.name) {
            writeln!(out, "  {}: {note}", row.name)?;
        }
        out.flush()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIGURE: Figure = Figure { median: 1.0, min: 1.0, max: 1.0 };

    fn parse_words(words: &[&str]) -> Result<Request, String> {
        parse(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn all_rows_run_unless_one_is_named() {
        assert_eq!(parse_words(&[]).unwrap().rows.len(), ROWS.len());
        let request = parse_words(&["book.p99_ns", "--json"]).unwrap();
        assert!(request.json && request.rows.len() == 1 && request.rows[0].name == "book.p99_ns");
    }

    /// What a peer does otherwise stands in the output, not only in a comment.
    #[test]
    fn a_row_that_needs_a_note_prints_it() {
        let row = Row { measure: || FIGURE, ..find("book.peer.matchcore").unwrap() };
        let mut out = Vec::new();
        run_table(&Request { json: false, rows: vec![row] }, &mut out).unwrap();
        assert!(String::from_utf8(out).unwrap().contains("trades past a taker's limit"));
    }

    #[test]
    fn an_unknown_name_lists_the_names() {
        let fault = parse_words(&["nothing"]).unwrap_err();
        assert!(ROWS.iter().all(|row| fault.contains(row.name)), "{fault}");
        assert!(parse_words(&["--yaml"]).unwrap_err().contains("--json"));
        assert!(parse_words(&["book.p99_ns", "book.p99_ns"]).is_err());
    }
}
