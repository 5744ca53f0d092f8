//! Known answers of the specification for placing, matching and settling, by requirement id.

mod common;

use common::{Venue, amount, limit};
use schema::{Code, Event, Outcome, TimeInForce};
use units::Side::{Buy, Sell};

/// covers: LIFE-58, LIFE-59, LIFE-18
#[test]
fn a_buy_reserves_its_value_and_the_taker_fee() {
    let mut venue = Venue::new();
    let alice = venue.account("alice", "0", "100000");
    venue.accept(limit(alice, Buy, "0.5", "50000.00"));
    assert_eq!(venue.balance(alice, 2).1, "25025");
    let bob = venue.account("bob", "0", "100");
    venue.accept(limit(bob, Buy, "0.00123", "43210.57"));
    assert_eq!(venue.balance(bob, 2).1, "53.2021511");
    let carol = venue.account("carol", "2", "0");
    venue.accept(limit(carol, Sell, "1.5", "60000"));
    assert_eq!(venue.balance(carol, 1), ("0.5".into(), "1.5".into()));
    venue.check();
}

/// covers: LIFE-61, ACCT-20, TRADE-5
#[test]
fn a_partial_fill_keeps_what_the_rest_needs() {
    let mut venue = Venue::new();
    let seller = venue.account("seller", "1", "0");
    let buyer = venue.account("buyer", "0", "100.1");
    venue.accept(limit(seller, Sell, "0.4", "99.5"));
    venue.accept(limit(buyer, Buy, "1", "100"));
    // 39.8 and 0.0398 are paid, 60.06 stays reserved, 0.2002 is free again.
    assert_eq!(venue.balance(buyer, 2), ("0.2002".into(), "60.06".into()));
    assert_eq!(venue.balance(buyer, 1), ("0.4".into(), "0".into()));
    venue.check();
}

/// One trade of the specification: rates, taker's side, size and price, and what each side gets.
fn trade(rates: (i64, i64), taker: units::Side, terms: (&str, &str), expected: [&str; 5]) {
    let mut venue = Venue::with_rates(rates.0, rates.1);
    let buyer = venue.account("buyer", "0", "1000000");
    let seller = venue.account("seller", "1", "0");
    let orders = [limit(buyer, Buy, terms.0, terms.1), limit(seller, Sell, terms.0, terms.1)];
    let (maker, taker) = if taker == Buy { (orders[1], orders[0]) } else { (orders[0], orders[1]) };
    venue.accept(maker);
    venue.accept(taker);
    let settled = venue.events.iter().find_map(|(_, event)| match event {
        Event::TradeSettled(settled) => Some(*settled),
        _ => None,
    });
    let settled = settled.expect("a trade");
    let paid = amount("1000000") - amount(&venue.balance(buyer, 2).0);
    let net = settled.maker_fee + settled.taker_fee;
    let got = amount(&venue.balance(seller, 2).0);
    let found = [settled.maker_fee, settled.taker_fee, net, paid, got];
    assert_eq!(found, expected.map(amount));
    assert_eq!(venue.balance(buyer, 1).0, terms.0);
    let shares: Vec<_> = (0..3).map(|number| amount(&venue.system(number, 2))).collect();
    assert_eq!(shares[0] + shares[1] + shares[2], net);
    venue.check();
}

/// covers: TRADE-51, TRADE-52, TRADE-53, TRADE-54, FEE-15
#[test]
fn known_trades_settle_exactly() {
    let big = ("0.5", "50000");
    trade((20_000, 100_000), Buy, big, ["5", "25", "30", "25025", "24995"]);
    trade((-10_000, 40_000), Buy, big, ["-2.5", "10", "7.5", "25010", "25002.5"]);
    let small = ("0.00123", "43210.57");
    let answers = ["0.010630", "0.053150", "0.063780", "53.1596311", "53.0958511"];
    trade((20_000, 100_000), Sell, small, answers);
    let answers = ["-0.010629", "0.010630", "0.000001", "53.1596311", "53.1596301"];
    trade((-20_000, 20_000), Buy, small, answers);
}

/// covers: SETL-18, SETL-19
#[test]
fn the_fees_are_split() {
    for (rates, buyer_takes, expected) in [
        ((20_000, 100_000), true, ["49950", "49990", "42", "12", "6"]),
        ((20_000, 100_000), false, ["49990", "49950", "42", "12", "6"]),
        ((-10_000, 40_000), true, ["49980", "50005", "10.5", "3", "1.5"]),
    ] {
        let mut venue = Venue::with_rates(rates.0, rates.1);
        let buyer = venue.account("buyer", "0", "100000");
        let seller = venue.account("seller", "1", "0");
        let orders = [limit(buyer, Buy, "1", "50000"), limit(seller, Sell, "1", "50000")];
        let order = if buyer_takes { [1, 0] } else { [0, 1] };
        venue.accept(orders[order[0]]);
        venue.accept(orders[order[1]]);
        let found = [
            venue.balance(buyer, 2).0,
            venue.balance(seller, 2).0,
            venue.system(0, 2),
            venue.system(1, 2),
            venue.system(2, 2),
        ];
        assert_eq!(found, expected.map(String::from));
        venue.check();
    }
}

/// covers: LIFE-52, EVT-26, SETL-1, SEQ-7, SETL-13, SEQ-17
#[test]
fn a_trade_emits_its_events_in_order() {
    let mut venue = Venue::new();
    let seller = venue.account("seller", "1", "0");
    let buyer = venue.account("buyer", "0", "1000");
    venue.accept(limit(seller, Sell, "0.5", "100"));
    assert_eq!(venue.names(), ["OrderSubmitted", "MarginReserved", "OrderAccepted"]);
    venue.accept(limit(seller, Sell, "0.5", "101"));
    let mut order = limit(buyer, Buy, "0.8", "101");
    order.time_in_force = TimeInForce::Ioc;
    venue.accept(order);
    let trade = |maker: &'static str, taker: &'static str| {
        ["TradeExecuted", maker, taker, "BalanceUpdated", "MarginReleased", "TradeSettled"]
    };
    let mut expected = vec!["OrderSubmitted", "MarginReserved", "OrderAccepted"];
    expected.extend(trade("OrderFilled", "OrderPartiallyFilled"));
    let last = trade("OrderPartiallyFilled", "OrderFilled");
    // At its own limit the last fill needs all that was left, so nothing is released.
    expected.extend(last.iter().filter(|name| **name != "MarginReleased"));
    assert_eq!(venue.names(), expected);
    let sequences: Vec<u64> = venue.events.iter().map(|(head, _)| head.sequence).collect();
    assert!(sequences.windows(2).all(|pair| pair[1] == pair[0] + 1));
    venue.check();
}

/// covers: LIFE-22, TRADE-7
#[test]
fn better_prices_first_then_the_earlier_order() {
    let mut venue = Venue::new();
    let sellers: Vec<_> =
        (0..4).map(|index| venue.account(&format!("seller{index}"), "1", "0")).collect();
    let buyer = venue.account("buyer", "0", "10000");
    venue.accept(limit(sellers[0], Sell, "1", "102"));
    venue.accept(limit(sellers[1], Sell, "1", "101"));
    venue.accept(limit(sellers[2], Sell, "1", "101"));
    venue.accept(limit(sellers[3], Sell, "1", "100"));
    venue.accept(limit(buyer, Buy, "3.5", "102"));
    let earned: Vec<_> = sellers.iter().map(|&seller| venue.balance(seller, 2).0).collect();
    assert_eq!(earned, ["50.9898", "100.9798", "100.9798", "99.98"]);
    venue.check();
}

/// covers: STATE-21
#[test]
fn an_ioc_remainder_expires_and_a_gtc_remainder_rests() {
    let mut venue = Venue::new();
    let seller = venue.account("seller", "1", "0");
    let buyer = venue.account("buyer", "0", "1000");
    venue.accept(limit(seller, Sell, "0.5", "100"));
    let mut ioc = limit(buyer, Buy, "0.8", "100");
    ioc.time_in_force = TimeInForce::Ioc;
    let order = venue.accept(ioc);
    assert!(venue.names().ends_with(&["TradeSettled", "OrderExpired", "MarginReleased"]));
    assert!(venue.live.order(order).is_none());
    assert_eq!(venue.balance(buyer, 2), ("949.95".into(), "0".into()));
    let nothing = venue.accept(ioc);
    assert_eq!(
        venue.names(),
        ["OrderSubmitted", "MarginReserved", "OrderAccepted", "OrderExpired", "MarginReleased"]
    );
    assert!(venue.live.order(nothing).is_none());
    let resting = venue.accept(limit(buyer, Buy, "0.8", "100"));
    assert!(venue.live.order(resting).is_some_and(|order| order.is_resting()));
    venue.check();
}

#[test]
fn an_order_never_meets_its_own_account() {
    let mut venue = Venue::new();
    let other = venue.account("other", "1", "0");
    let alice = venue.account("alice", "1", "1000");
    venue.accept(limit(other, Sell, "0.1", "99"));
    let own = venue.accept(limit(alice, Sell, "1", "100"));
    venue.accept(limit(alice, Buy, "1", "100"));
    // The trade made before the own order was met stands; the remainder is canceled.
    assert_eq!(venue.names().iter().filter(|name| **name == "TradeExecuted").count(), 1);
    let canceled = venue.events.iter().find_map(|(_, event)| match event {
        Event::OrderCanceled(ended) => Some(ended.reason),
        _ => None,
    });
    assert_eq!(canceled, Some(Code::SelfTrade));
    assert!(venue.live.order(own).is_some_and(|order| order.is_open()));
    assert_eq!(venue.balance(alice, 2).1, "0");
    venue.check();
}

/// covers: LIFE-39, LIFE-41, ACCT-18
#[test]
fn a_cancel_gives_back_what_is_reserved() {
    let mut venue = Venue::new();
    let seller = venue.account("seller", "1", "0");
    let buyer = venue.account("buyer", "0", "1000");
    let order = venue.accept(limit(buyer, Buy, "1", "100"));
    venue.accept(limit(seller, Sell, "0.4", "100"));
    assert_eq!(venue.cancel(buyer, order), Outcome::Done { created: None });
    assert_eq!(venue.names(), ["OrderCanceled", "MarginReleased"]);
    assert_eq!(venue.balance(buyer, 2), ("959.992".into(), "0".into()));
    assert_eq!(venue.balance(buyer, 1).0, "0.4");
    let Outcome::Refused(refusal) = venue.cancel(buyer, order) else { panic!("it has ended") };
    assert_eq!(refusal.code, Code::OrderNotFound);
    venue.check();
}
