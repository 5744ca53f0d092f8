//! The requirement ids of the specification, read from `docs/spec/requirements.tsv`.
//!
//! Owns the order of documents and ids: that of the file, which `docs/spec/make-index.sh` keeps.
//! Invariant: a line that is not `id, kind, document, sentence` is an error with its number.

use std::collections::HashMap;

use anyhow::{Context, bail};

/// Where the list lies.
pub(crate) const PATH: &str = "docs/spec/requirements.tsv";

/// The kinds of verification, in the order of the specification's own list.
pub(crate) const KINDS: [&str; 6] = ["test", "bench", "fault", "ui", "ops", "paper"];

/// One requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Requirement {
    /// Such as `LIQ-7`.
    pub(crate) id: String,
    /// One of [`KINDS`].
    pub(crate) kind: String,
    /// The document's number, `01` to `19`, or `goals`.
    pub(crate) document: String,
}

impl Requirement {
    /// The part of the id before its number: `LIQ`.
    pub(crate) fn prefix(&self) -> &str {
        self.id.rsplit_once('-').map_or(&self.id, |(prefix, _)| prefix)
    }
}

/// All requirements, in the order of the file.
#[derive(Debug, Default)]
pub(crate) struct Requirements {
    list: Vec<Requirement>,
    index_of: HashMap<String, usize>,
}

impl Requirements {
    /// Reads the text of the list.
    pub(crate) fn read(text: &str) -> anyhow::Result<Self> {
        let mut all = Self::default();
        for (index, line) in text.lines().enumerate() {
            let place = || format!("{PATH}:{}", index + 1);
            let requirement = requirement(line).with_context(place)?;
            let known = all.index_of.insert(requirement.id.clone(), all.list.len());
            if known.is_some() {
                bail!("{}: {} is there twice", place(), requirement.id);
            }
            all.list.push(requirement);
        }
        if all.list.is_empty() {
            bail!("{PATH} holds no requirement");
        }
        Ok(all)
    }

    /// All of them.
    pub(crate) fn all(&self) -> &[Requirement] {
        &self.list
    }

    /// Whether this id exists.
    pub(crate) fn holds(&self, id: &str) -> bool {
        self.index_of.contains_key(id)
    }

    /// The prefixes, each once, in the order of the documents.
    pub(crate) fn prefixes(&self) -> Vec<&str> {
        let mut found: Vec<&str> = Vec::new();
        for requirement in &self.list {
            if !found.contains(&requirement.prefix()) {
                found.push(requirement.prefix());
            }
        }
        found
    }
}

fn requirement(line: &str) -> anyhow::Result<Requirement> {
    let columns: Vec<&str> = line.split('\t').collect();
    let [id, kind, document, _sentence] = columns[..] else {
        bail!("four columns expected, {} found", columns.len());
    };
    if !KINDS.contains(&kind) {
        bail!("`{kind}` is no kind of verification");
    }
    if !is_id(id) {
        bail!("`{id}` is no requirement id");
    }
    Ok(Requirement { id: id.to_owned(), kind: kind.to_owned(), document: document.to_owned() })
}

/// Whether a word has the form of an id: capitals, a hyphen, a number.
pub(crate) fn is_id(word: &str) -> bool {
    let Some((prefix, number)) = word.split_once('-') else { return false };
    let capitals = !prefix.is_empty() && prefix.chars().all(|c| c.is_ascii_uppercase());
    capitals && !number.is_empty() && number.chars().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_in_order() {
        let text = "LIQ-1\ttest\t06\tA\nLIQ-2\tbench\t06\tB\nDET-1\tops\t12\tC\n";
        let all = Requirements::read(text).expect("a sound list");
        assert_eq!(all.prefixes(), ["LIQ", "DET"]);
        assert!(all.holds("LIQ-2") && !all.holds("LIQ-3"));
    }

    #[test]
    fn bad_lines_are_errors() {
        for text in ["", "LIQ-1\ttest\t06", "LIQ-1\tmaybe\t06\tA", "liq1\ttest\t06\tA"] {
            assert!(Requirements::read(text).is_err(), "{text:?} passed");
        }
        assert!(Requirements::read("A-1\ttest\t1\tx\nA-1\ttest\t1\tx\n").is_err());
    }
}
