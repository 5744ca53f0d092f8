//! The one list of codes.

use schema::{CanceledBy, Code};

use crate::tables::{names, table};
use crate::{EVENTS_TEXT, STATES_TEXT};

fn letters(code: Code) -> String {
    let uses = code.uses();
    let all = [(uses.rejects, "R"), (uses.cancels, "C"), (uses.refuses, "X"), (uses.answers, "Q")];
    let set: Vec<&str> = all.iter().filter(|(set, _)| *set).map(|(_, letter)| *letter).collect();
    set.join(" ")
}

/// The codes of a table's first column.
fn column(id: &str) -> Vec<Code> {
    let code = |name: &str| Code::from_name(name).unwrap_or_else(|| panic!("no {name}"));
    table(STATES_TEXT, id).iter().map(|cells| code(&cells[0])).collect()
}

fn sorted(mut codes: Vec<Code>) -> Vec<Code> {
    codes.sort();
    codes
}

fn marked(fits: impl Fn(&Code) -> bool) -> Vec<Code> {
    sorted(Code::ALL.iter().copied().filter(fits).collect())
}

/// Names, their order and their letters; R are the reasons of STATE-19, C those of STATE-14.
/// covers: EVT-77
#[test]
fn codes_are_those_of_the_document() {
    let mut listed = Code::ALL.iter();
    for cells in table(EVENTS_TEXT, "EVT-77") {
        for name in names(&cells[0]) {
            let code = *listed.next().unwrap_or_else(|| panic!("no {name}"));
            assert_eq!(code.name(), name);
            let expected = if cells[1] == "contract" { "" } else { &cells[1] };
            assert_eq!(letters(code), expected, "{name}");
        }
    }
    assert_eq!(listed.next(), None);
    assert_eq!(sorted(column("STATE-19")), marked(|code| code.uses().rejects));
    assert_eq!(sorted(column("STATE-14")), marked(|code| code.uses().cancels));
}

/// The owner cancels with the first reason of the table, the exchange with all others.
/// covers: EVT-20, STATE-14
#[test]
fn who_canceled_follows_from_the_reason() {
    let reasons = column("STATE-14");
    assert_eq!(reasons[0], Code::UserRequested);
    assert_eq!(CanceledBy::of(reasons[0]).name(), "USER");
    for &reason in &reasons[1..] {
        assert_eq!(CanceledBy::of(reason).name(), "SYSTEM");
    }
    assert_eq!(sorted(reasons), marked(|code| code.uses().cancels));
}
