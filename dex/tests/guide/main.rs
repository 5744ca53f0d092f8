//! The user guide, run: every request of every page, and what the page says came of it.
//!
//! `docs/guide/start.md` makes the exchange on which each section of the other pages begins. With
//! `GUIDE_WRITE=1` the blocks of events and balances are written anew; whether they are then right is
//! for the reader of the change to say.
#![expect(clippy::tests_outside_test_module, reason = "every module here is tests")]

mod events;
mod exchange;
mod page;
mod play;
mod request;
mod tool;
mod whole;
mod wrong;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use page::{Block, Page};
use play::{Played, play};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide")
}

/// Every page but the index, by name.
fn pages() -> Vec<Page> {
    let entries = fs::read_dir(folder()).expect("the guide is there");
    let names = entries.map(|entry| entry.expect("readable").file_name());
    let names: BTreeSet<String> = names.map(|name| name.into_string().expect("text")).collect();
    assert!(names.contains(INDEX) && names.contains(START), "{names:?}");
    let read = |name: &String| {
        let text = fs::read_to_string(folder().join(name)).expect("readable");
        Page::read(name, &text).unwrap_or_else(|fault| panic!("{}", at(name, &fault)))
    };
    names.iter().filter(|name| *name != INDEX).map(read).collect()
}

fn at(name: &str, fault: &page::Fault) -> String {
    format!("docs/guide/{name}:{}: {}", fault.line, fault.text)
}

/// What is played in one go: the whole first page, each section of the others.
fn plays(pages: &[Page]) -> Vec<(usize, Vec<Block>)> {
    let mut plays = Vec::new();
    for (number, page) in pages.iter().enumerate() {
        if page.name == START {
            plays.push((number, page.blocks().cloned().collect()));
            continue;
        }
        let blocks = page.sections.iter().map(|section| section.blocks.clone());
        plays.extend(blocks.filter(|blocks| !blocks.is_empty()).map(|blocks| (number, blocks)));
    }
    plays
}

/// Every request of the guide is answered as it says, makes the events that it shows and leaves the
/// balances that it shows; no block is left out.
#[test]
fn every_block_says_what_happens() {
    let pages = pages();
    let plays = plays(&pages);
    let start: Vec<Block> = pages
        .iter()
        .filter(|page| page.name == START)
        .flat_map(|page| page.blocks().cloned())
        .collect();
    let left = Mutex::new(plays.iter().rev().collect::<Vec<_>>());
    let played: Mutex<Vec<(usize, Played)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..PLAYERS {
            scope.spawn(|| {
                loop {
                    let next = left.lock().expect("nobody fails with it").pop();
                    let Some((number, blocks)) = next else { return };
                    let is_start = pages[*number].name == START;
                    let done = play(if is_start { &[] } else { &start }, blocks);
                    played.lock().expect("nobody fails with it").push((*number, done));
                }
            });
        }
    });
    let played = played.into_inner().expect("nobody failed with it");
    if std::env::var_os("GUIDE_WRITE").is_some() {
        write(&pages, &played);
    }
    let faults = played.iter().flat_map(|(number, played)| {
        played.faults.iter().map(|fault| at(&pages[*number].name, fault))
    });
    let mut faults: Vec<String> = faults.collect();
    faults.sort();
    assert!(faults.is_empty(), "{} fault(s)\n\n{}", faults.len(), faults.join("\n\n"));
    let run: usize = played.iter().map(|(_, played)| played.run).sum();
    assert_eq!(run, pages.iter().flat_map(Page::blocks).count(), "a block was not run");
}

/// Puts what happened in the place of what the pages say.
fn write(pages: &[Page], played: &[(usize, Played)]) {
    for (number, page) in pages.iter().enumerate() {
        let of_page = played.iter().filter(|(other, _)| *other == number);
        let shown: Vec<_> = of_page.flat_map(|(_, played)| &played.shown).collect();
        let (mut text, mut in_place_of) = (String::new(), None);
        for (line, content) in (1..).zip(page.text.lines()) {
            if in_place_of.is_some() && content == "```" {
                in_place_of = None;
            }
            if in_place_of.is_some() {
                continue;
            }
            text.push_str(content);
            text.push('\n');
            in_place_of = shown.iter().find(|(fence, _)| *fence == line);
            for content in in_place_of.iter().flat_map(|(_, lines)| lines) {
                text.push_str(content);
                text.push('\n');
            }
        }
        fs::write(folder().join(&page.name), text).expect("written");
    }
}

const INDEX: &str = "README.md";
const START: &str = "start.md";
/// Exchanges that run at one time.
const PLAYERS: usize = 2;
