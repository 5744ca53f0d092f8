//! What queries and feeds show.

use std::collections::BTreeMap;
use std::time::Duration;

use port::{OrderView, Port, PortFault, Query, Seen, View};
use schema::{CancelOrder, Code, Command, OrderState, SymbolRef, TimeInForce};
use units::{Amount, Id, Side};

use super::mix::Mix;
use crate::InProcess;
use crate::testing::{
    Disks, ask, block_on, clock, config, created, label, market, open_venue, opening, order, place,
    request, signed, submit,
};

fn order_of(port: &InProcess, id: Id, min_sequence: u64) -> OrderView {
    match ask(port, Query::Order(id), min_sequence).view {
        View::Order(Some(order)) => order,
        other => panic!("no order: {other:?}"),
    }
}

fn quantity(lots: i128) -> Amount {
    Amount(market().lot_size.0 * lots)
}

fn price(ticks: i128) -> Amount {
    Amount(market().tick_size.0 * ticks)
}

#[test]
fn an_order_is_shown_while_it_is_open_and_as_it_ended() {
    let disks = Disks::new(30);
    let engine = disks.start(&clock()).expect("sound");
    let port = engine.port();
    let accounts = open_venue(&port, 2);
    let mut maker = order(accounts[0], Side::Sell, 100, 10);
    maker.client_order_id = Some(label("mine"));
    let maker = submit(&port, request(Command::PlaceOrder(maker)));
    let open = order_of(&port, created(&maker), maker.last_event);
    assert_eq!((open.state, open.remaining_quantity), (OrderState::Pending, quantity(10)));
    assert_eq!((open.client_order_id, open.average_price), (Some(label("mine")), None));
    assert_eq!(open.reserved, quantity(10));
    let second = submit(&port, place(accounts[0], Side::Sell, 103, 10));
    let mut taker = order(accounts[1], Side::Buy, 103, 15);
    taker.time_in_force = TimeInForce::Ioc;
    let taker = submit(&port, request(Command::PlaceOrder(taker)));
    let filled = order_of(&port, created(&maker), taker.last_event);
    assert_eq!((filled.state, filled.prev_state), (OrderState::Filled, Some(OrderState::Pending)));
    assert_eq!((filled.filled_quantity, filled.remaining_quantity), (quantity(10), Amount::ZERO));
    assert_eq!((filled.average_price, filled.reserved), (Some(price(100)), Amount::ZERO));
    assert_eq!(filled.client_order_id, Some(label("mine")));
    assert!(filled.total_fee > Amount::ZERO && filled.state_seq > open.state_seq);
    let partial = order_of(&port, created(&second), 0);
    assert_eq!((partial.state, partial.filled_quantity), (OrderState::Partial, quantity(5)));
    let taken = order_of(&port, created(&taker), 0);
    assert_eq!((taken.state, taken.average_price), (OrderState::Filled, Some(price(101))));
    let cancel = CancelOrder { account: accounts[0], order: created(&second), state_seq: None };
    let canceled = submit(&port, request(Command::CancelOrder(cancel)));
    let ended = order_of(&port, created(&second), canceled.last_event);
    assert_eq!((ended.state, ended.prev_state), (OrderState::Canceled, Some(OrderState::Partial)));
    assert_eq!((ended.reason, ended.reserved), (Some(Code::UserRequested), Amount::ZERO));
    assert_eq!((ended.filled_quantity, ended.remaining_quantity), (quantity(5), quantity(5)));
    let view = ask(&port, Query::OpenOrders(accounts[0], Some(1), None), 0).view;
    assert_eq!(view, View::OpenOrders(Some(Vec::new())));
}

#[test]
fn rejected_and_expired_orders_can_be_queried() {
    let disks = Disks::new(31);
    let engine = disks.start(&clock()).expect("sound");
    let port = engine.port();
    let account = open_venue(&port, 1)[0];
    let mut unknown = order(account, Side::Sell, 100, 10);
    unknown.symbol = SymbolRef::Unknown(label("ETH/USDT"));
    let reply = submit(&port, request(Command::PlaceOrder(unknown)));
    let schema::Outcome::Rejected { order: id, refusal } = reply.outcome else {
        panic!("rejected: {reply:?}")
    };
    let rejected = order_of(&port, id, reply.last_event);
    assert_eq!((rejected.state, rejected.quantity), (OrderState::Rejected, Amount::ZERO));
    assert_eq!((rejected.symbol, rejected.reason), (label("ETH/USDT"), Some(refusal.code)));
    let mut taker = order(account, Side::Buy, 100, 10);
    taker.time_in_force = TimeInForce::Ioc;
    let reply = submit(&port, request(Command::PlaceOrder(taker)));
    let expired = order_of(&port, created(&reply), reply.last_event);
    assert_eq!((expired.state, expired.filled_quantity), (OrderState::Expired, Amount::ZERO));
    assert_eq!((expired.expiry, expired.average_price), (Some(schema::ExpiryReason::Ioc), None));
    assert_eq!(ask(&port, Query::Order(Id([8; 16])), 0).view, View::Order(None));
}

/// The memory of ended orders is bounded, and is filled again by a restart; without an archive it is all.
#[test]
fn the_oldest_ended_orders_are_forgotten_without_an_archive() {
    let (disks, clock) = (Disks::without_archive(32), clock());
    let small = || crate::Config { ended_order_count: 3, ..config() };
    let start =
        || crate::Engine::start_with(small(), disks.storage(), clock.clone()).expect("sound");
    let engine = start();
    let account = open_venue(&engine.port(), 1)[0];
    let mut ids = Vec::new();
    let mut last_event = 0;
    for _ in 0..5 {
        let mut taker = order(account, Side::Buy, 100, 10);
        taker.time_in_force = TimeInForce::Ioc;
        let reply = submit(&engine.port(), request(Command::PlaceOrder(taker)));
        ids.push(created(&reply));
        last_event = reply.last_event;
    }
    let known = |port: &InProcess| {
        let is_known = |&id: &Id| ask(port, Query::Order(id), last_event).view != View::Order(None);
        ids.iter().map(is_known).collect::<Vec<_>>()
    };
    assert_eq!(known(&engine.port()), [false, false, true, true, true]);
    drop(engine);
    assert_eq!(known(&start().port()), [false, false, true, true, true]);
}

#[test]
fn accounts_markets_and_assets_are_shown() {
    let disks = Disks::new(33);
    let engine = disks.start(&clock()).expect("sound");
    let port = engine.port();
    let account = open_venue(&port, 1)[0];
    let at = submit(&port, place(account, Side::Buy, 100, 10)).last_event;
    let View::Account(Some(view)) = ask(&port, Query::Account(account), at).view else {
        panic!("an account")
    };
    assert_eq!((view.account_id, view.opening), (account, opening("trader-0")));
    let usdt = view.balances.iter().find(|balance| balance.asset == label("USDT"));
    let usdt = usdt.expect("deposited");
    assert_eq!(usdt.total, Amount::from_units(1_000_000_000));
    assert!(usdt.locked > Amount::ZERO && usdt.available + usdt.locked == usdt.total);
    let by_name = ask(&port, Query::AccountByExternalId(label("trader-0")), at).view;
    assert!(matches!(by_name, View::Account(Some(same)) if same.account_id == account));
    let View::Markets(markets) = ask(&port, Query::Markets, at).view else { panic!("markets") };
    assert_eq!((markets.len(), &markets[0].terms, markets[0].open), (1, &market(), true));
    let View::Assets(assets) = ask(&port, Query::Assets, at).view else { panic!("assets") };
    assert_eq!(assets.iter().map(|asset| asset.number).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(ask(&port, Query::Book(7, 5), at).view, View::Book(None));
    assert_eq!(
        ask(&port, Query::OpenOrders(Id([8; 16]), None, None), at).view,
        View::OpenOrders(None)
    );
}

#[test]
fn a_query_waits_for_its_event_and_no_longer() {
    let disks = Disks::new(34);
    let engine = disks.start(&clock()).expect("sound");
    let port = engine.port();
    let late = block_on(port.query(Query::Markets, 1_000_000, Duration::from_millis(1)));
    assert_eq!(late, Err(PortFault::TimedOut));
    let never = port.query(Query::Markets, 1_000_000, Duration::from_secs(3_600));
    drop(engine);
    assert_eq!(block_on(never), Err(PortFault::Stopped));
}

/// A book built from the updates is the book that a query shows, and their sequences chain.
/// covers: SEQ-31
#[test]
fn updates_rebuild_the_book() {
    let disks = Disks::new(35);
    let engine = disks.start(&clock()).expect("sound");
    let port = engine.port();
    let mut mix = Mix::new(35, open_venue(&port, 4));
    let start = engine.metrics().event_sequence.value();
    let mut last_event = 0;
    for _ in 0..3_000 {
        let request = mix.next();
        let reply = submit(&port, request.clone());
        mix.learn(&request, &reply);
        last_event = last_event.max(reply.last_event);
    }
    let mut feed = port.events(start).expect("kept");
    let (mut book, mut sequence, mut trades) = (BTreeMap::new(), None, 0);
    let mut seen = start;
    while seen < last_event {
        let batch = block_on(feed.next()).expect("kept");
        assert_eq!(batch.first_sequence, seen + 1);
        seen = batch.last_sequence;
        for update in &batch.updates {
            assert!(sequence.is_none_or(|last| last == update.prev_sequence), "sequences chain");
            assert!(update.sequence > update.prev_sequence);
            sequence = Some(update.sequence);
            trades += update.trades.len();
            for level in &update.levels {
                book.insert((level.side, level.price), level.quantity);
            }
        }
    }
    book.retain(|_, quantity| *quantity != Amount::ZERO);
    let View::Book(Some(shown)) = ask(&port, Query::Book(1, 1_000), last_event).view else {
        panic!("a book")
    };
    let sides = [(Side::Buy, &shown.bids), (Side::Sell, &shown.asks)];
    let levels = sides.into_iter().flat_map(|(side, levels)| {
        levels.iter().map(move |level| ((side, level.price), level.quantity))
    });
    assert_eq!(levels.collect::<BTreeMap<_, _>>(), book);
    assert_eq!(Some(shown.sequence), sequence);
    assert!(trades > 20, "{trades} trades");
}

/// The figures of an account are made of its events in their order, by 128-bit integers and with no float in the
/// core or the view; a mean price that lies in the middle of two last decimals goes away from zero, and each
/// balance names the last event that moved it.
/// covers: ACCT-51
#[test]
fn figures_follow_the_events_and_round_half_away_from_zero() {
    let disks = Disks::new(36);
    let engine = disks.start(&clock()).expect("sound");
    let port = engine.port();
    let accounts = open_venue(&port, 2);
    // A tick of the last decimal: means fall between two of them.
    let fine = schema::MarketTerms {
        symbol: label("USDT/BTC"),
        base: label("USDT"),
        quote: label("BTC"),
        tick_size: Amount(1),
        lot_size: Amount::ONE,
        ..market()
    };
    let listed = signed(77, move |by| Command::ListMarket(fine.clone(), by));
    let _ = created(&submit(&port, listed));
    let trade = |side: Side, ticks: i128, lots: i64| {
        let other = if side == Side::Buy { Side::Sell } else { Side::Buy };
        let place = |account, side, lots, ticks| {
            let mut order = order(account, side, 1, 1);
            order.symbol = SymbolRef::Listed(2);
            (order.quantity, order.price) = (Amount::from_units(lots), Some(Amount(ticks)));
            submit(&port, request(Command::PlaceOrder(order)))
        };
        (place(accounts[1], other, lots, ticks), place(accounts[0], side, lots, ticks))
    };
    // 1 and 2 ticks: 1.5; 5 lots at 3 and 1 at 4: 3.1666…; 1 at 4 and 2 at 5: 4.666….
    for (fills, mean) in [
        (&[(1, 1), (2, 1)][..], 2),
        (&[(3, 5), (4, 1)], 3),
        (&[(4, 1), (5, 2)], 5),
        (&[(6, 1), (7, 3), (8, 1), (9, 1)], 7),
        (&[(10, 1), (13, 1)], 12),
    ] {
        let lots = fills.iter().map(|(_, lots)| lots).sum();
        for &(ticks, lots) in fills {
            let mut maker = order(accounts[1], Side::Sell, 1, 1);
            maker.symbol = SymbolRef::Listed(2);
            (maker.quantity, maker.price) = (Amount::from_units(lots), Some(Amount(ticks)));
            let _ = created(&submit(&port, request(Command::PlaceOrder(maker))));
        }
        let mut taker = order(accounts[0], Side::Buy, 1, 1);
        taker.symbol = SymbolRef::Listed(2);
        (taker.quantity, taker.price) = (Amount::from_units(lots), Some(Amount(20)));
        let reply = submit(&port, request(Command::PlaceOrder(taker)));
        let shown = order_of(&port, created(&reply), reply.last_event);
        assert_eq!(shown.average_price, Some(Amount(mean)), "{fills:?}");
    }
    let (_, last) = trade(Side::Sell, 11, 1);
    let shown = accounts.iter().map(|&id| ask(&port, Query::Account(id), last.last_event));
    let shown: Vec<Seen> = shown.collect();
    let _ = engine.stop();
    assert_accounts(&disks, shown);
    for source in [include_str!("../view/query.rs"), include_str!("../view/fees.rs")] {
        assert!(!source.contains("f64") && !source.contains("f32"), "fixed point alone");
    }
}

/// Balances, versions and times of the view are those that the stored events give one after the other.
fn assert_accounts(disks: &Disks, shown: Vec<Seen>) {
    let mut kernel = kernel::Kernel::new();
    let mut moved: BTreeMap<(u32, u32), (u64, Amount)> = BTreeMap::new();
    for block in disks.stored_blocks() {
        for group in schema::GroupIter::new(block.payload()) {
            let group = group.expect("sound");
            kernel.apply_group(&group).expect("applies");
            for read in group.events() {
                let (head, event) = read.expect("sound");
                if let schema::Event::BalanceUpdated(update) = event {
                    for leg in update.postings() {
                        let of = moved.entry((leg.account, leg.asset)).or_default();
                        *of = (head.sequence, of.1 + leg.delta);
                    }
                }
            }
        }
    }
    for seen in shown {
        let View::Account(Some(account)) = seen.view else { panic!("an account") };
        let number = kernel.account_number(account.account_id).expect("opened");
        assert_eq!(account.version, kernel.account(number).expect("opened").version);
        for (asset, balance) in (1..).zip(&account.balances) {
            let (sequence, total) = moved[&(number, asset)];
            assert_eq!(balance.total, total, "the sum of its postings, in their order");
            assert_eq!(balance.total, balance.available + balance.locked);
            assert!(balance.update_seq >= sequence && balance.update_seq <= seen.sequence);
        }
    }
}
