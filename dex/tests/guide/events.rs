//! The short form of the lines of `dex log`.
//!
//! A line is the type of the event and its fields as `dex log` prints them. Left out are number and time,
//! ids that the guide has no name for, and what says nothing new: the event's own time in a field, a client
//! order id (it is the order's name) and the usual self-trade mode. Other times stand as `TIME`. Postings
//! stand on lines of their own, or not at all.

use std::collections::BTreeMap;

use crate::exchange::Log;

/// An event of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    /// The request that made it; none if time did.
    pub(crate) request_id: Option<String>,
    /// The event on one line.
    line: String,
    postings: Vec<String>,
}

impl Shown {
    /// The event on its lines.
    pub(crate) fn lines(&self, with_postings: bool) -> impl Iterator<Item = String> {
        let postings = self.postings.iter().filter(move |_| with_postings);
        std::iter::once(&self.line).chain(postings).cloned()
    }
}

/// Every event of a log.
pub(crate) fn shown(log: &Log) -> Vec<Shown> {
    assert_eq!(log.lines.len(), log.objects.len(), "two forms of one log");
    let mut names = BTreeMap::new();
    let mut all = Vec::with_capacity(log.lines.len());
    for (line, object) in log.lines.iter().zip(&log.objects) {
        let mut words = words(line).into_iter();
        let number = words.next();
        assert_eq!(number, Some(object["sequence"].to_string().as_str()), "{line}");
        let kind = words.nth(1).expect("a type");
        let fields: Vec<(&str, &str)> = words.filter_map(|word| word.split_once('=')).collect();
        learn(kind, &fields, &mut names);
        let request_id = object["metadata"]["correlation_id"].as_str().map(str::to_owned);
        all.push(Shower { names: &names }.show(kind, &fields, request_id));
    }
    all
}

/// Accounts and orders are called as those who made them call them.
fn learn(kind: &str, fields: &[(&str, &str)], names: &mut BTreeMap<String, String>) {
    let (id, name) = match kind {
        "AccountCreated" => ("account_id", "external_id"),
        "OrderSubmitted" => ("order_id", "client_order_id"),
        _ => return,
    };
    let value = |wanted| fields.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
    if let (Some(id), Some(name)) = (value(id), value(name)) {
        names.insert(id.to_owned(), name.to_owned());
    }
}

/// What fields are shown with.
struct Shower<'a> {
    /// Names by id.
    names: &'a BTreeMap<String, String>,
}

impl Shower<'_> {
    fn show(&self, kind: &str, fields: &[(&str, &str)], request_id: Option<String>) -> Shown {
        let (mut line, mut postings) = (kind.to_owned(), Vec::new());
        for (name, value) in fields {
            if *name == "postings" {
                postings = words(inside(value)).into_iter().map(|leg| self.posting(leg)).collect();
            } else if let Some(field) = self.field(name, value) {
                line.push(' ');
                line.push_str(&field);
            }
        }
        Shown { request_id, line, postings }
    }

    fn posting(&self, leg: &str) -> String {
        let fields = words(inside(leg)).into_iter().filter_map(|word| word.split_once('='));
        let shown = fields.filter_map(|(name, value)| self.field(name, value));
        format!("    {}", shown.collect::<Vec<_>>().join(" "))
    }

    /// A field that says something new.
    fn field(&self, name: &str, value: &str) -> Option<String> {
        if SAYS_NOTHING.contains(&name) || (name, value) == ("self_trade", "CANCEL_INCOMING") {
            return None;
        }
        let value = match value {
            id if is_id(id) => self.names.get(id)?,
            time if is_time(time) => "TIME",
            value => value,
        };
        Some(format!("{name}={value}"))
    }
}

fn is_id(value: &str) -> bool {
    let bytes = value.as_bytes();
    bytes.len() == 36 && [8, 13, 18, 23].iter().all(|at| bytes[*at] == b'-')
}

fn is_time(value: &str) -> bool {
    value.len() > 19 && value.as_bytes()[10] == b'T' && value.ends_with('Z')
}

/// What stands between the brackets of a list or an object.
fn inside(value: &str) -> &str {
    value.get(1..value.len().saturating_sub(1)).unwrap_or_default()
}

/// The words of a line: what spaces outside of quotes and brackets part.
fn words(text: &str) -> Vec<&str> {
    let (mut words, mut begin) = (Vec::new(), 0);
    let (mut depth, mut quoted, mut escaped) = (0_u32, false, false);
    for (at, sign) in text.char_indices() {
        match sign {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            ' ' if depth == 0 => {
                words.push(&text[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    words.push(&text[begin..]);
    words.retain(|word| !word.is_empty());
    words
}

/// The event's own time under other names, and the order's name once more.
const SAYS_NOTHING: [&str; 4] = ["executed_at", "settled_at", "expiry_time", "client_order_id"];
