//! Names, emitters and fields of every event.

use std::collections::BTreeSet;

use schema::EventKind;
use schema::catalogue::{EVENTS, NAME_SIZE_MAX, OUTER_STREAMS, Source};

use crate::tables::{fields, names, sentence, split, table};
use crate::{EVENTS_TEXT, tables};

/// One row of the documents: names, payload cell, emitter cell.
struct Row {
    names: Vec<String>,
    payload: String,
    emitters: String,
}

fn rows() -> Vec<Row> {
    let ids = ["EVT-17", "EVT-24", "EVT-27", "EVT-35", "EVT-39", "EVT-41", "EVT-44", "EVT-47"];
    let cells = ids.iter().flat_map(|id| table(EVENTS_TEXT, id));
    let row = |cells: Vec<String>| Row {
        names: names(&cells[0]),
        payload: cells[1].clone(),
        emitters: cells[2].clone(),
    };
    cells.map(row).collect()
}

/// Every event of 08, in its order, with its fields and their types, and no other; and the names of
/// the outer streams.
/// covers: EVT-70
#[test]
fn the_catalogue_is_the_document() {
    let mut listed = EVENTS.iter();
    for row in rows() {
        let expected = fields(&row.payload);
        for name in &row.names {
            let event = listed.next().unwrap_or_else(|| panic!("no {name}"));
            assert_eq!(event.name, name);
            let found: Vec<(String, String)> = event
                .fields
                .iter()
                .map(|field| (field.name.to_owned(), field.form.to_owned()))
                .collect();
            assert_eq!(found, expected, "{name}");
        }
    }
    assert_eq!(listed.next(), None);

    let mut streams = OUTER_STREAMS.iter();
    for cells in table(EVENTS_TEXT, "EVT-48") {
        let stream = streams.next().expect("a stream");
        assert_eq!(stream.source.name(), cells[0].replace(' ', "-"));
        let parts = split(&cells[1].replace("*added:*", ""), ';');
        let names = parts.iter().flat_map(|part| names(part));
        let names: Vec<String> =
            names.map(|name| name.split(' ').next().expect("a name").to_owned()).collect();
        assert_eq!(stream.events, names);
    }
    assert!(streams.next().is_none());
}

/// The modules that emit an event, and their names in the envelope.
#[test]
fn emitters_are_those_of_the_document() {
    let mut listed = EVENTS.iter();
    for row in rows() {
        let parts = split(&row.emitters, ',');
        let expected: Vec<Source> =
            parts.iter().filter_map(|part| Source::from_name(part)).collect();
        for name in &row.names {
            let event = listed.next().expect("compared elsewhere");
            assert_eq!(event.emitters, expected, "{name}");
        }
    }
    let envelope = table(EVENTS_TEXT, "EVT-1");
    let row = envelope.iter().find(|cells| cells[0] == "source").expect("the source");
    let mut named: Vec<&str> = row[3].split('`').skip(1).step_by(2).collect();
    // The wallet has a place in both lists.
    let mut seen = BTreeSet::new();
    named.retain(|name| seen.insert(*name));
    let known: Vec<&str> = Source::ALL.iter().map(|source| source.name()).collect();
    assert_eq!(known, named);
}

/// A name is short, stands once, and its number leads back to it.
#[test]
fn names_are_short_and_unique() {
    let outer = OUTER_STREAMS.iter().flat_map(|stream| stream.events.iter().copied());
    let all: Vec<&str> = EVENTS.iter().map(|event| event.name).chain(outer).collect();
    let unique: BTreeSet<&&str> = all.iter().collect();
    assert_eq!(unique.len(), all.len());
    assert!(all.iter().all(|name| name.len() <= NAME_SIZE_MAX), "{all:?}");
    assert!(tables::sentence(EVENTS_TEXT, "EVT-1").contains("envelope"));
    for &kind in EventKind::ALL {
        assert_eq!(kind.row().name, kind.name());
        assert_eq!(kind.row().kind, Some(kind));
    }
    for event in EVENTS {
        assert_eq!(event.kind, EventKind::from_name(event.name));
        assert!(!event.emitters.is_empty() && !event.fields.is_empty(), "{}", event.name);
    }
}

/// The names that others take the place of.
/// covers: EVT-50, LIFE-49
#[test]
fn names_that_must_not_occur_do_not() {
    let text = sentence(EVENTS_TEXT, "EVT-50");
    let (forbidden, others) = text.split_once("must not occur").expect("both halves");
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric());
        let is_name = |word: &&str| word.chars().filter(char::is_ascii_uppercase).count() > 1;
        words.filter(is_name).map(str::to_owned).filter(|word| word != "EVT").collect()
    };
    let outer = || OUTER_STREAMS.iter().flat_map(|stream| stream.events.iter().copied());
    let is_listed = |name: &String| {
        EVENTS.iter().map(|event| event.name).chain(outer()).any(|listed| listed == name)
    };
    let (forbidden, others) = (words(forbidden), words(others));
    assert_eq!((forbidden.len(), others.len()), (5, 5));
    assert!(!forbidden.iter().any(is_listed), "{forbidden:?}");
    assert!(others.iter().all(is_listed), "{others:?}");
}
