//! What the guide may not be: each fault of a page is found, with its line.

use crate::page::{Fault, Page};
use crate::play::play;

fn fault(text: &str) -> Fault {
    Page::read("a.md", text).expect_err(text)
}

/// Nothing that looks like code goes unread.
#[test]
fn a_block_that_nobody_runs_is_a_fault() {
    for (text, line) in [
        ("```sh\nls\n```\n", 1),
        ("```\nls\n```\n", 1),
        ("\n```request\na GET /v1/fees\n", 2),
        ("```request\n```request\n", 2),
        ("a\n\n    ls\n", 3),
        (" ```request\n", 1),
        ("~~~\nls\n~~~\n", 1),
        ("```events\n```\n", 1),
        ("## A\n\n```request\na GET /\n```\n\n## B\n\n```events\n```\n", 9),
        ("```balances\n```\n\n```answer\n{}\n```\n", 4),
    ] {
        assert_eq!(fault(text).line, line, "{text}");
    }
}

/// A page on an exchange without anything, with one line that is not as it says.
#[test]
fn what_is_not_so_is_found() {
    let page = |status: &str, event: &str, balance: &str, decimals: &str| {
        format!(
            "```request\noperator POST /v1/admin/assets\n{{\"symbol\": \"A\", \"name\": \"Aa\", \"decimals\": {decimals}}}\n\n\
             operator POST /v1/admin/accounts\n{{\"external_id\": \"ann\"}}\n```\n\n\
             ```request\noperator POST /v1/admin/deposits\n{{\"account_id\": \"{{ann}}\", \"asset\": \"A\", \"amount\": \"5\"}}\n{status}```\n\n\
             ```events\n{event}\n```\n\n```balances\naccount  asset  total  available  locked\n{balance}\n```\n"
        )
    };
    let faults = |text: &str| {
        let page = Page::read("a.md", text).expect("sound");
        let blocks: Vec<_> = page.blocks().cloned().collect();
        let played = play(&[], &blocks);
        played.faults.iter().map(|fault| (fault.line, fault.text.clone())).collect::<Vec<_>>()
    };
    let (event, balance) =
        ("BalanceUpdated update_reason=DEPOSIT", "ann      A          5          5       0");
    assert_eq!(faults(&page("", event, balance, "8")), []);
    let expect = |text: &str, line: usize, words: &str| {
        let found = faults(text);
        assert!(found.len() == 1 && found[0].0 == line && found[0].1.contains(words), "{found:?}");
    };
    expect(&page("", "BalanceUpdated", balance, "8"), 15, event);
    expect(&page("", event, "ann      A          5          4       1", "8"), 20, balance);
    expect(&page("", &format!("{event}\n{event}"), balance, "8"), 16, event);
    expect(&page("=> 422 INVALID_AMOUNT\n", event, balance, "8"), 10, "answered 201");
    expect(&page("", event, balance, "\"8\""), 2, "answered 400");
    let unknown = page("", event, balance, "8").replace("{ann}", "{bill}");
    expect(&unknown, 10, "nothing is called bill");
}
