//! Cancels: what is found, what is refused, and the race with a match.

mod common;

use common::{Venue, amount, code_of, limit};
use schema::{CancelOrder, Code, Command, Outcome};
use units::Id;
use units::Side::{Buy, Sell};

/// The rows of LIFE-46 that a cancel can meet, and STATE-39 for it: one refusal, and no change.
#[test]
fn a_cancel_that_finds_nothing_changes_nothing() {
    let mut venue = Venue::new();
    let alice = venue.account("alice", "0", "1000");
    let bob = venue.account("bob", "0", "1000");
    let order = venue.accept(limit(alice, Buy, "1", "100"));
    let seq = venue.live.order(order).expect("open").state_seq;
    let mut other_time = order;
    other_time.0[5] ^= 1;
    let event = Id::derive(venue.events[1].0.timestamp, 0, venue.events[1].0.sequence);
    let cases = [
        (Id([9; 16]), order, None, Code::AccountNotFound),
        (bob, order, None, Code::OrderNotFound),
        (bob, order, Some(seq + 1), Code::OrderNotFound),
        (alice, Id([0; 16]), None, Code::OrderNotFound),
        (alice, Id([0xff; 16]), None, Code::OrderNotFound),
        (alice, other_time, None, Code::OrderNotFound),
        (alice, event.expect("an id"), None, Code::OrderNotFound),
        (alice, alice, None, Code::OrderNotFound),
        (alice, order, Some(seq + 1), Code::VersionConflict),
        (alice, order, Some(0), Code::VersionConflict),
    ];
    for (account, order, state_seq, code) in cases {
        let cancel = Command::CancelOrder(CancelOrder { account, order, state_seq });
        assert_eq!(code_of(venue.run(cancel).outcome), code, "{account} {order} {state_seq:?}");
        assert_eq!(venue.names(), ["CommandRejected"]);
        venue.check();
    }
    assert_eq!(venue.balance(alice, 2).1, "100.1");
    let cancel = CancelOrder { account: alice, order, state_seq: Some(seq) };
    let outcome = venue.run(Command::CancelOrder(cancel)).outcome;
    assert_eq!(outcome, Outcome::Done { created: None });
    // A second cancel is one of an order that is not open.
    assert_eq!(code_of(venue.cancel(alice, order)), Code::OrderNotFound);
    venue.check();
}

/// A fill moves `state_seq`, so a cancel that has not seen it is refused (STATE-37, STATE-39).
#[test]
fn a_cancel_that_has_not_seen_a_fill_is_refused() {
    let mut venue = Venue::new();
    let alice = venue.account("alice", "0", "1000");
    let seller = venue.account("seller", "1", "0");
    let order = venue.accept(limit(alice, Buy, "1", "100"));
    let before = venue.live.order(order).expect("open").clone();
    venue.accept(limit(seller, Sell, "0.1", "100"));
    let first = venue.live.order(order).expect("open").clone();
    assert!(first.state_seq > before.state_seq);
    assert!(first.state_changed_at > before.state_changed_at);
    venue.accept(limit(seller, Sell, "0.1", "100"));
    let second = venue.live.order(order).expect("open").clone();
    assert!(second.state_seq > first.state_seq, "a further fill moves it too");
    assert_eq!((first.prev_state, first.state), (second.prev_state, second.state));
    for (seen, code) in [(before, Some(Code::VersionConflict)), (second, None)] {
        let cancel = CancelOrder { account: alice, order, state_seq: Some(seen.state_seq) };
        let outcome = venue.run(Command::CancelOrder(cancel)).outcome;
        match code {
            Some(code) => assert_eq!(code_of(outcome), code),
            None => assert_eq!(outcome, Outcome::Done { created: None }),
        }
    }
    venue.check();
}

/// Whichever comes second acts on what the first left.
/// covers: LIFE-40
#[test]
fn a_cancel_and_a_match_act_in_order_of_sequence() {
    for cancel_first in [true, false] {
        let mut venue = Venue::new();
        let maker = venue.account("maker", "1", "0");
        let taker = venue.account("taker", "0", "1000");
        let order = venue.accept(limit(maker, Sell, "1", "100"));
        if cancel_first {
            assert_eq!(venue.cancel(maker, order), Outcome::Done { created: None });
            venue.accept(limit(taker, Buy, "1", "100"));
            assert!(!venue.names().contains(&"TradeExecuted"));
            assert_eq!(venue.balance(maker, 1), ("1".into(), "0".into()));
        } else {
            venue.accept(limit(taker, Buy, "1", "100"));
            assert!(venue.names().contains(&"TradeExecuted"));
            assert_eq!(code_of(venue.cancel(maker, order)), Code::OrderNotFound);
            assert_eq!(venue.balance(maker, 1), ("0".into(), "0".into()));
        }
        venue.check();
    }
}

/// Place and cancel leave the balance as it was, whatever the rounding of the fee.
#[test]
fn place_and_cancel_leave_the_balance_as_it_was() {
    let mut venue = Venue::new();
    let alice = venue.account("alice", "1", "1000");
    for (side, quantity, price) in
        [(Buy, "0.00123", "43210.57"), (Buy, "0.00001", "0.01"), (Sell, "0.99999", "0.01")]
    {
        let before = (venue.balance(alice, 1), venue.balance(alice, 2));
        let order = venue.accept(limit(alice, side, quantity, price));
        let (asset, held) = if side == Buy { (2, None) } else { (1, Some(amount(quantity))) };
        let locked = amount(&venue.balance(alice, asset).1);
        assert!(locked.0 > 0 && held.is_none_or(|held| held == locked));
        venue.cancel(alice, order);
        assert_eq!((venue.balance(alice, 1), venue.balance(alice, 2)), before);
    }
    venue.check();
}
