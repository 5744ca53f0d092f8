//! The guide is whole: every page is in the index, and whatever can be ordered and asked is shown.

use std::collections::BTreeSet;
use std::fs;

use gateway::{Access, ROUTES};
use schema::{FeeKind, Matching, OrderType, SelfTrade, TimeInForce, TriggerKind};

use crate::page::{Kind, Page};
use crate::request::Request;
use crate::{INDEX, folder, pages};

/// Every request of the guide.
fn requests(pages: &[Page]) -> Vec<Request> {
    let blocks = pages.iter().flat_map(Page::blocks).filter(|block| block.kind == Kind::Request);
    blocks.flat_map(|block| Request::all(block).expect("it was played")).collect()
}

/// Whether a path with names in the place of ids goes over a route.
fn goes_over(path: &str, route: &str) -> bool {
    let (mut path, mut route) = (path.split('/'), route.split('/'));
    loop {
        match (path.next(), route.next()) {
            (None, None) => return true,
            (Some(part), Some(place)) if part == place || place.starts_with('{') => {}
            _ => return false,
        }
    }
}

#[test]
fn the_index_names_every_page() {
    let index = fs::read_to_string(folder().join(INDEX)).expect("readable");
    let page = Page::read(INDEX, &index).unwrap_or_else(|fault| panic!("{INDEX}: {fault:?}"));
    assert_eq!(page.blocks().count(), 0, "the index is not played");
    for page in pages() {
        assert!(index.contains(&format!("]({})", page.name)), "{} is not in it", page.name);
        for section in page.sections.iter().filter(|section| !section.title.is_empty()) {
            let (title, blocks) = (&section.title, &section.blocks);
            let anchor = format!("]({}#{})", page.name, anchor(title));
            assert!(blocks.is_empty() || index.contains(&anchor), "{anchor} is not in it");
        }
    }
}

/// As a heading is linked to: small letters, spaces as hyphens, no other signs.
fn anchor(title: &str) -> String {
    let kept = title.chars().filter(|sign| sign.is_alphanumeric() || " -_".contains(*sign));
    kept.map(|sign| if sign == ' ' { '-' } else { sign.to_ascii_lowercase() }).collect()
}

/// Each section that sends more than questions shows what comes of them and what is held then.
#[test]
fn every_section_shows_events_and_balances() {
    for page in pages() {
        for section in page.sections.iter().filter(|section| !section.blocks.is_empty()) {
            let has = |wanted: fn(Kind) -> bool| section.blocks.iter().any(|it| wanted(it.kind));
            let place = format!("{}: {}", page.name, section.title);
            assert!(has(|kind| kind == Kind::Request), "{place}: no request");
            let shows_result = has(|kind| matches!(kind, Kind::Events { .. } | Kind::Answer));
            assert!(shows_result, "{place}: no events");
            let is_listing = page.name == crate::START;
            assert!(is_listing || has(|kind| kind == Kind::Balances), "{place}: no balances");
        }
    }
}

/// Every route for trading, and every word that an order or a rate can have, is in a request.
#[test]
fn nothing_that_can_be_asked_is_left_out() {
    let pages = pages();
    let requests = requests(&pages);
    for route in ROUTES.iter().filter(|route| route.path.starts_with("/v1/")) {
        // Market data and what an operator reads of it are no part of trading.
        let is_read = route.method == "get" && route.access != Access::Trader;
        let is_shown = requests.iter().any(|request| {
            request.method.eq_ignore_ascii_case(route.method)
                && goes_over(request.route(), route.path)
        });
        assert!(is_read || is_shown, "{} {} is not shown", route.method, route.path);
    }
    let bodies: String = requests.iter().map(|request| request.body.as_str()).collect();
    let mut words: BTreeSet<&str> = BTreeSet::new();
    words.extend(["BUY", "SELL"]);
    words.extend(OrderType::ALL.iter().map(|it| it.name()));
    words.extend(TimeInForce::ALL.iter().map(|it| it.name()));
    words.extend(SelfTrade::ALL.iter().map(|it| it.name()));
    words.extend(TriggerKind::ALL.iter().map(|it| it.name()));
    words.extend(FeeKind::ALL.iter().map(|it| it.name()));
    words.extend(["PRO_RATA", "SUSPENDED", "CLOSED"]);
    assert!(Matching::ALL.iter().any(|it| it.name() == "PRO_RATA"));
    for word in words {
        assert!(bodies.contains(&format!("\"{word}\"")), "{word} is not shown");
    }
    for field in ["quote_quantity", "post_only", "oco_with", "price_band", "post_only_until"] {
        assert!(bodies.contains(&format!("\"{field}\"")), "{field} is not shown");
    }
}
