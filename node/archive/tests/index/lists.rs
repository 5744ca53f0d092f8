//! Lists: their order, their filters, their bounds, their cursors while they grow.

use port::{
    Cursor, LedgerEntryView, List, Listed, OrderFilter, OrderStates, OrderView, Page, Period,
    Query, TradePrint, TradeView, View,
};
use schema::{Code, OrderState};
use units::{Amount, Id, Timestamp};

use crate::model::{Model, Order};
use crate::venue::START;
use crate::{Kept, traded};

fn orders(kept: &Kept, filter: OrderFilter, page: Page) -> List<OrderView> {
    let View::Orders(list) = kept.ask(Query::Orders(filter, page)) else { panic!("a list") };
    list
}

fn trades(kept: &Kept, query: Query) -> List<TradeView> {
    let View::Trades(list) = kept.ask(query) else { panic!("a list") };
    list
}

fn prints(kept: &Kept, query: Query) -> List<TradePrint> {
    let View::PublicTrades(list) = kept.ask(query) else { panic!("a list") };
    list
}

fn entries(kept: &Kept, query: Query) -> List<LedgerEntryView> {
    let View::LedgerEntries(list) = kept.ask(query) else { panic!("a list") };
    list
}

/// Every item of a list, part by part.
fn all<T>(limit: u32, mut ask: impl FnMut(Page) -> List<T>) -> Vec<T> {
    let (mut items, mut page) = (Vec::new(), Page { after: None, limit });
    loop {
        let Listed { items: part, next } = ask(page).expect("a list");
        assert!(part.len() <= limit as usize);
        items.extend(part);
        match next {
            Some(next) => page.after = Some(next),
            None => return items,
        }
    }
}

fn ids(orders: &[OrderView]) -> Vec<Id> {
    orders.iter().map(|order| order.order_id).collect()
}

fn period(start: i64, end: i64) -> Period {
    Period { start: Some(Timestamp(start)), end: Some(Timestamp(end)) }
}

/// covers: DET-18
/// covers: TIME-46
#[test]
fn orders_are_listed_by_account_market_state_and_time() {
    let venue = traded(10, 4_000);
    let (kept, model) = (Kept::of(&venue.records, 9), Model::of(&venue.records));
    let middle = START + (venue.now().0 - START) / 2;
    let states = [
        OrderStates::LISTED,
        OrderStates::OPEN,
        OrderStates::only(OrderState::Canceled),
        OrderStates::only(OrderState::Filled).or(OrderStates::only(OrderState::Partial)),
        OrderStates::only(OrderState::Rejected),
    ];
    let periods = [Period::ALL, period(middle, middle + 200_000_000), period(START, START)];
    for account in [None, Some(venue.accounts[0]), Some(model.accounts[0])] {
        for market in [None, Some(1), Some(2)] {
            for (states, period) in
                states.iter().flat_map(|s| periods.iter().map(move |p| (*s, *p)))
            {
                let asked = |order: &&Order| {
                    order.state.is_some_and(|state| states.has(state))
                        && account.is_none_or(|id| order.account == Some(model.number(id)))
                        && market.is_none_or(|market| order.market == Some(market))
                        && period.start.is_none_or(|start| order.created_at >= start)
                        && period.end.is_none_or(|end| order.created_at < end)
                };
                let expected: Vec<Id> =
                    model.orders.values().filter(asked).map(|order| order.id).collect();
                let filter = OrderFilter { account, market, states, price: None, period };
                let found = all(100, |page| orders(&kept, filter, page));
                assert_eq!(ids(&found), expected);
                for order in found.iter().step_by(97) {
                    let View::Order(Some(by_id)) = kept.ask(Query::Order(order.order_id)) else {
                        panic!("listed")
                    };
                    assert_eq!(by_id, *order);
                }
            }
        }
    }
    let of_account = OrderFilter::of_account(venue.accounts[1]);
    let open = OrderFilter { states: OrderStates::OPEN, ..of_account };
    let number = venue.kernel.account_number(venue.accounts[1]).expect("known");
    let in_kernel: Vec<Id> =
        venue.kernel.orders_of(number).map(|order| venue.kernel.order_id(&order)).collect();
    assert_eq!(ids(&all(7, |page| orders(&kept, open, page))), in_kernel);
    assert!(!in_kernel.is_empty());
}

/// Open and ended orders of a market by state and price, of one account or of all. A price that no order can
/// have finds none, and one without a market is no question.
/// covers: STATE-38
#[test]
fn orders_are_found_by_market_state_and_price() {
    let venue = traded(16, 4_000);
    let (kept, model) = (Kept::of(&venue.records, 9), Model::of(&venue.records));
    let states = [
        OrderStates::LISTED,
        OrderStates::OPEN,
        OrderStates::only(OrderState::Canceled),
        OrderStates::only(OrderState::Filled),
    ];
    let (mut found_count, mut several) = ([0; 4], 0);
    for market in [1, 2] {
        let of_market = model.orders.values().filter(|order| order.market == Some(market));
        let prices: std::collections::BTreeSet<i128> =
            of_market.filter_map(|order| order.price).map(|price| price.0).collect();
        for price in prices.into_iter().map(Amount) {
            for (place, &states) in states.iter().enumerate() {
                for account in [None, Some(venue.accounts[0])] {
                    let asked = |order: &&Order| {
                        order.state.is_some_and(|state| states.has(state))
                            && account.is_none_or(|id| order.account == Some(model.number(id)))
                            && (order.market, order.price) == (Some(market), Some(price))
                    };
                    let expected: Vec<Id> =
                        model.orders.values().filter(asked).map(|order| order.id).collect();
                    let (market, price, period) = (Some(market), Some(price), Period::ALL);
                    let filter = OrderFilter { account, market, states, price, period };
                    let found = all(3, |page| orders(&kept, filter, page));
                    assert_eq!(ids(&found), expected);
                    assert!(found.iter().all(|order| order.price == price));
                    found_count[place] += found.len();
                    several += usize::from(found.len() > 3);
                }
            }
        }
    }
    assert!(found_count.iter().all(|&count| count > 20) && several > 20, "{found_count:?}");
    let by_price = |market, price: &str| {
        let price = Some(price.parse().expect("a decimal"));
        let states = OrderStates::LISTED;
        let filter = OrderFilter { account: None, market, states, price, period: Period::ALL };
        orders(&kept, filter, Page::FIRST).map(|listed| listed.items.len())
    };
    for none in ["0", "-1", "0.000000000000000001", "999999999999999999"] {
        assert_eq!(by_price(Some(1), none), Ok(0), "{none}");
    }
    assert_eq!(by_price(None, "100"), Err(Code::InvalidSchema));
}

/// covers: TRADE-38, TRADE-40, TRADE-41, DET-18
/// covers: TIME-46
#[test]
fn trades_are_listed_by_order_account_market_and_time() {
    let venue = traded(11, 4_000);
    let (kept, model) = (Kept::of(&venue.records, 50), Model::of(&venue.records));
    let expected: Vec<TradeView> = model.trades.values().map(|row| row.trade).collect();
    assert!(expected.is_sorted_by_key(|trade| trade.sequence) && expected.len() > 400);
    let (first, last) = (expected[100].executed_at, expected[300].executed_at);
    let some = Period { start: Some(first), end: Some(last) };
    let within = |trade: &&TradeView| first <= trade.executed_at && trade.executed_at < last;
    for &account in &venue.accounts {
        let own = |trade: &&TradeView| {
            trade.maker_account_id == account || trade.taker_account_id == account
        };
        let found =
            all(33, |page| trades(&kept, Query::TradesByAccount(account, Period::ALL, page)));
        assert!(found.iter().eq(expected.iter().filter(own)));
        let found = all(33, |page| trades(&kept, Query::TradesByAccount(account, some, page)));
        assert!(found.iter().eq(expected.iter().filter(own).filter(within)));
    }
    for order in model.orders.values() {
        let found = all(2, |page| trades(&kept, Query::TradesByOrder(order.id, page)));
        let found: Vec<Id> = found.iter().map(|trade| trade.trade_id).collect();
        assert_eq!(found, order.trades);
    }
    let ends = prints(&kept, Query::TradesByMarket(1, some, Page { after: None, limit: 1_000 }));
    let ends = ends.expect("listed").items;
    assert_eq!(ends.first().map(|trade| trade.executed_at), {
        let of = expected.iter().filter(|it| it.symbol == crate::venue::label("BTC/USDT"));
        of.filter(within).map(|trade| trade.executed_at).next()
    });
    assert!(ends.iter().all(|trade| trade.executed_at < last), "the end is not included");
    let recent = prints(&kept, Query::RecentTrades(2, 1_000)).expect("listed").items;
    let of = expected.iter().rev().filter(|it| it.symbol == crate::venue::label("ETH/USDT"));
    assert!(recent.iter().map(|it| it.trade_id).eq(of.map(|it| it.trade_id)), "newest first");
    for trade in expected.iter().step_by(10) {
        assert_eq!(kept.ask(Query::Trade(trade.trade_id)), View::Trade(Ok(*trade)));
    }
}

/// Nobody is named: a print has no field for an account or an order.
/// covers: TRADE-43
#[test]
fn the_public_sees_trades_of_a_market_oldest_or_newest_first() {
    let venue = traded(12, 3_000);
    let (kept, model) = (Kept::of(&venue.records, 50), Model::of(&venue.records));
    for (number, symbol) in [(1, "BTC/USDT"), (2, "ETH/USDT")] {
        let of =
            model.trades.values().filter(|row| row.trade.symbol == crate::venue::label(symbol));
        let expected: Vec<TradePrint> = of
            .map(|row| TradePrint {
                trade_id: row.trade.trade_id,
                price: row.trade.price,
                quantity: row.trade.quantity,
                side: row.trade.side,
                executed_at: row.trade.executed_at,
            })
            .collect();
        let found =
            all(100, |page| prints(&kept, Query::TradesByMarket(number, Period::ALL, page)));
        assert_eq!(found, expected);
        for print in &found {
            // All that there is of it.
            let TradePrint { trade_id, price, quantity, side, executed_at } = *print;
            let trade = &model.trades[&trade_id.sequence()].trade;
            assert_eq!((price, quantity, side), (trade.price, trade.quantity, trade.side));
            assert_eq!(executed_at, trade.executed_at);
        }
        for limit in [1, 100, 1_000] {
            let recent = prints(&kept, Query::RecentTrades(number, limit)).expect("listed");
            let newest = expected.iter().rev().take(limit as usize);
            assert!(recent.items.iter().eq(newest) && recent.next.is_none());
        }
    }
}

/// covers: DET-18
/// covers: TIME-46
#[test]
fn ledger_entries_are_listed_by_account_and_time() {
    let venue = traded(13, 2_000);
    let (kept, model) = (Kept::of(&venue.records, 50), Model::of(&venue.records));
    let middle = Timestamp(START + (venue.now().0 - START) / 2);
    let late = Period { start: Some(middle), end: None };
    for (number, &account) in (0..).zip(&model.accounts) {
        for (period, from) in [(Period::ALL, Timestamp(0)), (late, middle)] {
            let of = |entry: &&crate::model::Entry| entry.1 == number && entry.0.timestamp >= from;
            let found = all(40, |page| entries(&kept, Query::LedgerEntries(account, period, page)));
            let expected: Vec<_> = model.entries.iter().filter(of).collect();
            assert_eq!(found.len(), expected.len());
            for (entry, (at, _, reference, postings)) in found.iter().zip(expected) {
                assert_eq!((entry.sequence, entry.timestamp), (at.sequence, at.timestamp));
                assert_eq!((entry.reference_id, &entry.postings), (*reference, postings));
            }
        }
    }
}

#[test]
fn bad_queries_are_refused_with_their_codes() {
    let venue = traded(14, 300);
    let kept = Kept::of(&venue.records, 50);
    let (account, order) = venue.orders[0];
    let nobody = Id([0xee; 16]);
    let sound = Page::FIRST;
    let backwards = period(10, 9);
    let (too_few, too_many) = (Page { limit: 0, ..sound }, Page { limit: 1_001, ..sound });
    let invalid = Err(Code::InvalidSchema);
    assert_eq!(kept.ask(Query::Trade(nobody)), View::Trade(Err(Code::TradeNotFound)));
    assert_eq!(kept.ask(Query::Trade(order)), View::Trade(Err(Code::TradeNotFound)));
    assert_eq!(kept.ask(Query::Settlement(nobody)), View::Settlement(Err(Code::TradeNotFound)));
    let by_order = |id, page| trades(&kept, Query::TradesByOrder(id, page)).map(|_| ());
    assert_eq!(by_order(nobody, sound), Err(Code::OrderNotFound));
    assert_eq!(by_order(venue.rejected[0], sound), Ok(()), "an order without trades");
    let by_account = |id, period, page| {
        let of_trades = trades(&kept, Query::TradesByAccount(id, period, page)).map(|_| ());
        let entries = entries(&kept, Query::LedgerEntries(id, period, page)).map(|_| ());
        let filter = OrderFilter { period, ..OrderFilter::of_account(id) };
        let of_orders = orders(&kept, filter, page).map(|_| ());
        assert_eq!((of_trades, of_orders), (entries, entries));
        entries
    };
    let by_market = |number, period, page| {
        prints(&kept, Query::TradesByMarket(number, period, page)).map(|_| ())
    };
    let recent = |number, limit| prints(&kept, Query::RecentTrades(number, limit)).map(|_| ());
    assert_eq!(by_account(nobody, Period::ALL, sound), Err(Code::AccountNotFound));
    for number in [0, 3, u32::MAX] {
        assert_eq!(by_market(number, Period::ALL, sound), Err(Code::SymbolNotFound));
        assert_eq!(recent(number, 100), Err(Code::SymbolNotFound));
        let filter = OrderFilter { market: Some(number), ..OrderFilter::of_account(account) };
        assert_eq!(orders(&kept, filter, sound).map(|_| ()), Err(Code::SymbolNotFound));
    }
    for page in [too_few, too_many] {
        assert_eq!(by_order(order, page), invalid);
        assert_eq!(by_account(account, Period::ALL, page), invalid);
        assert_eq!(by_market(1, Period::ALL, page), invalid);
        assert_eq!(recent(1, page.limit), invalid);
    }
    assert_eq!(by_account(account, backwards, sound), invalid);
    assert_eq!(by_market(1, backwards, sound), invalid);
    assert_eq!(by_account(account, period(9, 9), sound), Ok(()), "an empty period is sound");
    assert_eq!((recent(1, 1), recent(1, 1_000)), (Ok(()), Ok(())));
}

/// A reader who turns pages while orders come, trade and end misses nothing and sees nothing twice.
#[test]
fn cursors_hold_while_the_lists_grow() {
    let mut venue = traded(15, 500);
    let mut kept = Kept::of(&venue.records, 50);
    let account = venue.accounts[2];
    let filter = OrderFilter::of_account(account);
    let (mut found, mut made) = ([Vec::new(), Vec::new()], Vec::new());
    let mut pages = [Page { after: None, limit: 5 }; 2];
    for round in 0..400 {
        let Listed { items, next } = orders(&kept, filter, pages[0]).expect("listed");
        let last = items.last().map(|order| Cursor::behind(order.order_id.sequence()));
        found[0].extend(ids(&items));
        pages[0].after = next.or(last).or(pages[0].after);
        let query = Query::TradesByAccount(account, Period::ALL, pages[1]);
        let Listed { items, next } = trades(&kept, query).expect("listed");
        let last = items.last().map(|trade| Cursor::behind(trade.sequence));
        found[1].extend(items.iter().map(|trade| trade.trade_id));
        pages[1].after = next.or(last).or(pages[1].after);
        if round < 300 {
            let before = venue.records.len();
            venue.trade(6);
            kept.add(&venue.records[before..], 3);
        }
    }
    let model = Model::of(&venue.records);
    let number = model.number(account);
    made.extend(model.orders.values().filter(|order| order.account == Some(number)).map(|o| o.id));
    assert_eq!(found[0], made);
    let own = model
        .trades
        .values()
        .map(|row| row.trade)
        .filter(|trade| trade.maker_account_id == account || trade.taker_account_id == account);
    assert!(found[1].iter().copied().eq(own.map(|trade| trade.trade_id)));
}
