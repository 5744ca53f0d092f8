//! Reads the tables and the words of the specification.
//!
//! A table is found by the id of the requirement that it stands behind. A payload cell is a list of
//! fields: names that share a type stand before it with commas between, `*added:*` marks and remarks
//! behind a comma or in round brackets are no part of it.

/// The cells of the rows of the table behind requirement `id`, without its head.
pub(crate) fn table(text: &str, id: &str) -> Vec<Vec<String>> {
    let lines = behind(text, id).lines().skip_while(|line| !line.starts_with('|'));
    let rows: Vec<Vec<String>> =
        lines.take_while(|line| line.starts_with('|')).skip(2).map(cells).collect();
    assert!(!rows.is_empty(), "no table behind {id}");
    rows
}

/// The sentence of requirement `id`.
pub(crate) fn sentence<'a>(text: &'a str, id: &str) -> &'a str {
    behind(text, id).lines().next().expect("a line")
}

fn behind<'a>(text: &'a str, id: &str) -> &'a str {
    let mark = format!("- **{id}**");
    let (_, rest) = text.split_once(&mark).unwrap_or_else(|| panic!("no {id}"));
    rest
}

/// The cells of one line; `\|` is a bar inside a cell.
fn cells(line: &str) -> Vec<String> {
    let line = line.replace("\\|", "\u{1}");
    let inner = line.trim().trim_matches('|').to_owned();
    inner.split('|').map(|cell| cell.trim().replace('\u{1}', "|")).collect()
}

/// The names in a cell: `MarketPaused, MarketResumed *added*`.
pub(crate) fn names(cell: &str) -> Vec<String> {
    split(&cell.replace("*added*", ""), ',')
}

/// The words of capital letters, digits and `_` in a sentence, each once, in their order.
pub(crate) fn capitals(text: &str) -> Vec<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut words: Vec<String> = Vec::new();
    for word in text.split(|c| !is_part(c)) {
        let is_name = word.len() > 2
            && word.starts_with(|c: char| c.is_ascii_uppercase())
            && !word.contains(|c: char| c.is_ascii_lowercase());
        if is_name && !words.iter().any(|known| known == word) {
            words.push(word.to_owned());
        }
    }
    words
}

/// Names and types of a payload cell, in their order.
pub(crate) fn fields(cell: &str) -> Vec<(String, String)> {
    // A value that was added to a list belongs to it.
    let cell = cell.replace(", *added* ", "|").replace("*added:* ", "");
    split(&cell, ';').iter().flat_map(|part| fields_of_part(part)).collect()
}

fn fields_of_part(part: &str) -> Vec<(String, String)> {
    let (mut found, mut waiting) = (Vec::new(), Vec::new());
    for piece in split(part, ',') {
        let (name, rest) = piece.split_once(' ').unwrap_or((piece.as_str(), ""));
        let name = name.trim_end_matches(':').to_owned();
        if let Some(form) = form_of(rest) {
            waiting.push(name);
            found.extend(waiting.drain(..).map(|name| (name, form.clone())));
        } else if rest.is_empty() && found.is_empty() {
            waiting.push(name);
        } else if found.is_empty() && waiting.is_empty() {
            found.push((name, rest.to_owned()));
        }
    }
    if found.is_empty() {
        found.extend(waiting.into_iter().map(|name| (name, String::new())));
    }
    found
}

/// The type at the front of `text`, if there is one.
fn form_of(text: &str) -> Option<String> {
    let base = base_size(text)?;
    let optional = base + usize::from(text[base..].starts_with('?'));
    let unit = match text[optional..].strip_prefix(" [") {
        Some(rest) => optional + 2 + rest.find(']')? + 1,
        None => optional,
    };
    Some(text[..unit].replace('`', ""))
}

/// Bytes of the type's name or values.
fn base_size(text: &str) -> Option<usize> {
    if text.starts_with('{') || text.starts_with("list of {") {
        return text.find('}').map(|end| end + 1);
    }
    let words = ["map of str to str", "list of str"];
    if let Some(word) = words.iter().find(|word| text.starts_with(**word)) {
        return Some(word.len());
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '|' | '`');
    let word = &text[..text.find(|c| !is_part(c)).unwrap_or(text.len())];
    let is_values = word.contains(['|', '`']) && !word.contains(|c: char| c.is_ascii_lowercase());
    (is_values || SIMPLE.contains(&word)).then_some(word.len())
}

const SIMPLE: [&str; 12] =
    ["uuid", "str", "enum", "bool", "u8", "u16", "u32", "u64", "ns", "dec", "object", "list"];

/// Parts between separators that are in no brackets.
pub(crate) fn split(text: &str, separator: char) -> Vec<String> {
    let (mut parts, mut part, mut depth) = (Vec::new(), String::new(), 0);
    for c in text.chars() {
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth -= 1,
            _ => {}
        }
        if c == separator && depth == 0 {
            parts.push(std::mem::take(&mut part));
        } else {
            part.push(c);
        }
    }
    parts.push(part);
    let trimmed = parts.iter().map(|part| part.trim().to_owned());
    trimmed.filter(|part| !part.is_empty()).collect()
}

/// The reader itself: what it makes of each shape that the documents have.
#[test]
fn shapes_of_fields_are_read() {
    let check = |cell: &str, expected: &[(&str, &str)]| {
        let found = fields(cell);
        let found: Vec<(&str, &str)> =
            found.iter().map(|(name, form)| (name.as_str(), form.as_str())).collect();
        assert_eq!(found, expected, "{cell}");
    };
    check(
        "a uuid; *added:* b str?, c dec? [x]",
        &[("a", "uuid"), ("b", "str?"), ("c", "dec? [x]")],
    );
    check("a, b ns, for IOC the event's own time", &[("a", "ns"), ("b", "ns")]);
    check("a dec [base], cumulative; old, new", &[("a", "dec [base]"), ("old", ""), ("new", "")]);
    check(
        "side BUY|SELL of the taker; state `PENDING`",
        &[("side", "BUY|SELL"), ("state", "PENDING")],
    );
    check("t A|B|C, *added* D (D-75)", &[("t", "A|B|C|D")]);
    check("p: list of {a uuid; *added:* b A|B} (P08-1)", &[("p", "list of {a uuid; b A|B}")]);
    check("f list of {v, m}?, the shard's where absent", &[("f", "list of {v, m}?")]);
    check("changed fields with old and new value", &[("changed", "fields with old and new value")]);
}
