//! Lines for people and for programs.

use std::fmt::Write as _;
use std::io::{BufWriter, Write};

use units::Timestamp;

use crate::render::{Fields, Value};

/// One line of a table.
pub(super) struct Row<'a> {
    /// Number in the log.
    pub(super) sequence: u64,
    /// When.
    pub(super) time: Timestamp,
    /// Name of the type.
    pub(super) kind: &'a str,
    /// What is shown behind it; each object's fields in their order.
    pub(super) main: &'a [&'a Fields],
}

/// Writes lines.
pub(super) struct Printer<W: Write> {
    out: BufWriter<W>,
    json: bool,
    count: u64,
}

impl<W: Write> Printer<W> {
    /// A printer of JSON objects, or of a table.
    pub(super) fn new(out: W, json: bool) -> Self {
        Self { out: BufWriter::new(out), json, count: 0 }
    }

    /// Whether nothing was printed yet.
    pub(super) const fn is_fresh(&self) -> bool {
        self.count == 0
    }

    /// Prints one object as JSON, or as a row.
    ///
    /// # Errors
    /// The output does not take it.
    pub(super) fn print(&mut self, object: &Fields, row: &Row<'_>) -> anyhow::Result<()> {
        self.count += 1;
        if self.json {
            let line = serde_json::to_string(object)?;
            writeln!(self.out, "{line}")?;
            return Ok(());
        }
        if self.count == 1 {
            writeln!(self.out, "{:>10}  {:27}  {:20}  what", "number", "time", "type")?;
        }
        let mut text = String::new();
        for fields in row.main {
            push_fields(&mut text, fields);
        }
        let (sequence, time, kind) = (row.sequence, row.time.to_string(), row.kind);
        writeln!(self.out, "{sequence:>10}  {time:27}  {kind:20} {text}")?;
        Ok(())
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// The output does not take it.
    pub(super) fn end(&mut self) -> anyhow::Result<()> {
        Ok(self.out.flush()?)
    }
}

/// ` name=value` for each field that says something.
pub(crate) fn shown(fields: &Fields) -> String {
    let mut out = String::new();
    push_fields(&mut out, fields);
    out
}

/// Appends ` name=value` for each field that says something: not what is absent, false or empty, nor the
/// second form of a time.
fn push_fields(out: &mut String, fields: &Fields) {
    for (name, value) in fields.iter() {
        let says_nothing = match value {
            Value::Null | Value::Nanos(_) | Value::Flag(false) => true,
            Value::List(items) => items.is_empty(),
            Value::Object(fields) => fields.iter().next().is_none(),
            Value::Text(text) => text.is_empty(),
            Value::Count(_) | Value::Flag(true) => false,
        };
        if !says_nothing {
            let _ = write!(out, " {name}=");
            push_value(out, value);
        }
    }
}

/// In double quotes, in which a single one needs no escape.
fn push_quoted(out: &mut String, text: &str) {
    out.push('"');
    for sign in text.chars() {
        match sign {
            '\'' => out.push(sign),
            sign => out.extend(sign.escape_debug()),
        }
    }
    out.push('"');
}

fn push_value(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push('-'),
        // Texts of users may hold anything: a line of the table stays one line.
        Value::Text(text) if text.contains(|sign: char| sign.is_control() || sign == ' ') => {
            push_quoted(out, text);
        }
        Value::Text(text) => out.push_str(text),
        Value::Count(count) => {
            let _ = write!(out, "{count}");
        }
        Value::Nanos(nanos) => {
            let _ = write!(out, "{nanos}");
        }
        Value::Flag(flag) => {
            let _ = write!(out, "{flag}");
        }
        Value::Object(fields) => {
            out.push('{');
            push_fields(out, fields);
            out.push_str(" }");
        }
        Value::List(items) => {
            out.push('[');
            for item in items {
                out.push(' ');
                push_value(out, item);
            }
            out.push_str(" ]");
        }
    }
}
