//! The entity table: whose sequence rises by which event.

use schema::catalogue::{AccountCount, Counts, Source, SymbolCount};
use schema::{
    Code, CommandCompleted, CommandKind, CommandRejected, Detail, Event, EventKind, ExpiryReason,
    OrderEnded, OrderReduced, Party, ReduceReason, UpdateReason, Why,
};
use units::Lots;

use crate::EVENTS_TEXT;
use crate::tables::{names, table};

/// A trade counts for both accounts and the symbol and for no order; a fill for its order, that
/// order's account and, if the book displays it, the symbol.
/// covers: SEQ-56
#[test]
fn trades_and_fills_count_as_the_document_says() {
    let trade = EventKind::TradeExecuted.counts();
    let (account, symbol) = (AccountCount::Both, SymbolCount::Always);
    assert_eq!(trade, Counts { account, order: false, symbol, position: false });
    for fill in [EventKind::OrderPartiallyFilled, EventKind::OrderFilled] {
        let (account, symbol) = (AccountCount::Named, SymbolCount::IfDepthChanges);
        assert_eq!(fill.counts(), Counts { account, order: true, symbol, position: false });
    }
}

/// Order events are those of section 3 that are about an order; only they count for one, and an
/// order that never was in a book changes no depth.
#[test]
fn only_order_events_count_for_an_order() {
    let section: Vec<String> =
        table(EVENTS_TEXT, "EVT-17").iter().flat_map(|cells| names(&cells[0])).collect();
    for &kind in EventKind::ALL {
        let counts = kind.counts();
        let is_order_event = section.iter().any(|name| name == kind.name())
            && kind.row().fields[0].name == "order_id";
        assert_eq!(counts.order, is_order_event, "{kind:?}");
        if is_order_event {
            let is_before = matches!(kind, EventKind::OrderSubmitted | EventKind::OrderRejected);
            let symbol = if is_before { SymbolCount::Never } else { SymbolCount::IfDepthChanges };
            assert_eq!((counts.account, counts.symbol), (AccountCount::Named, symbol), "{kind:?}");
        }
        assert!(!counts.position, "no event of this version names a position");
    }
}

/// Every event that names an account counts for it, and no other does, except through its order.
#[test]
fn an_event_that_names_an_account_counts_for_it() {
    for &kind in EventKind::ALL {
        let counts = kind.counts();
        let names_of = |name: &str| {
            let fields = kind.row().fields.iter();
            fields.filter(|field| field.name.ends_with(name) || field.form.contains(name)).count()
        };
        let expected = match names_of("account_id") {
            _ if counts.order => AccountCount::Named,
            0 => AccountCount::Nobody,
            1 if kind == EventKind::BalanceUpdated => AccountCount::Postings,
            1 => AccountCount::Named,
            _ => AccountCount::Both,
        };
        assert_eq!(counts.account, expected, "{kind:?}");
    }
}

/// The module that an event is said to come from is one of its row.
#[test]
fn sources_are_emitters_of_their_row() {
    let party = Party::default();
    let mut events: Vec<Event> = Vec::new();
    for &reason in Code::ALL.iter().filter(|code| code.uses().cancels) {
        events.push(Event::OrderCanceled(OrderEnded { order: 1, reason }));
    }
    for &reason in ExpiryReason::ALL {
        events.push(Event::OrderExpired(OrderEnded { order: 1, reason }));
    }
    for &reason in ReduceReason::ALL {
        events.push(Event::OrderReduced(OrderReduced { order: 1, total: Lots(1), reason }));
    }
    for &reason in UpdateReason::ALL {
        let reference = schema::Reference::Event(1);
        events.push(Event::BalanceUpdated(schema::BalanceUpdated::new(reason, reference)));
    }
    for &command in CommandKind::ALL {
        let (code, detail) = (Code::InvalidSchema, Detail::Why(Why::Nothing));
        events.push(Event::CommandRejected(CommandRejected { command, party, code, detail }));
        events.push(Event::CommandCompleted(CommandCompleted { command, party }));
    }
    for event in events {
        let row = event.kind().row();
        assert!(row.emitters.contains(&event.source()), "{event:?}");
    }
    let reduced = |reason| Event::OrderReduced(OrderReduced { order: 1, total: Lots(1), reason });
    assert_eq!(reduced(ReduceReason::UserRequested).source(), Source::Order);
    assert_eq!(reduced(ReduceReason::SelfTrade).source(), Source::MatchingEngine);
}
