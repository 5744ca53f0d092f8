//! Every field of what is kept: orders, trades, journal rows, entries, answers.

use port::{OrderView, Query, View};
use schema::{EventKind, OrderState, Outcome, SymbolRef, TimeInForce};
use units::{Amount, Id, Side};

use crate::model::Model;
use crate::venue::{Venue, amount, label, order};
use crate::{Kept, traded};

fn order_of(kept: &Kept, id: Id) -> OrderView {
    let View::Order(Some(order)) = kept.ask(Query::Order(id)) else { panic!("no order {id}") };
    order
}

/// From the event log alone, by a plain reading of it, down to the balances before and after.
/// covers: TRADE-2, TRADE-44, SETL-41, SETL-52, SETL-55, SETL-8, EVT-25
#[test]
fn a_trade_is_rebuilt_field_by_field_from_the_events() {
    let venue = traded(1, 3_000);
    let (kept, model) = (Kept::of(&venue.records, 7), Model::of(&venue.records));
    assert!(model.trades.len() > 300);
    for ((account, asset), [available, locked]) in model.balances() {
        let balance = venue.kernel.balance(account, asset);
        assert_eq!((available, locked), (balance.available, balance.locked), "the model is right");
    }
    for expected in model.trades.values() {
        let id = expected.trade.trade_id;
        assert_eq!(kept.ask(Query::Trade(id)), View::Trade(Ok(expected.trade)));
        let View::Settlement(Ok(row)) = kept.ask(Query::Settlement(id)) else { panic!("settled") };
        assert_eq!(*row, *expected);
        assert_eq!(row.trade.state.name(), "SETTLED");
        assert!(row.trade.settled_at > row.trade.executed_at);
        let sums = |asset| -> i128 {
            let of = row.postings.iter().filter(|posting| posting.asset == asset);
            of.map(|posting| posting.delta.0).sum()
        };
        assert!(row.postings.iter().all(|posting| sums(posting.asset) == 0));
        assert!(row.postings.iter().all(|it| it.before + it.delta == it.after));
    }
    for nobody in [Id([8; 16]), venue.orders[0].1] {
        let not_found = Err(schema::Code::TradeNotFound);
        assert_eq!(kept.ask(Query::Settlement(nobody)), View::Settlement(not_found));
    }
}

/// While they are open the kernel knows them too, and says the same.
/// covers: STATE-36, STATE-49
#[test]
fn an_order_is_kept_with_every_field() {
    let venue = traded(2, 3_000);
    let (kept, model) = (Kept::of(&venue.records, 100).again(), Model::of(&venue.records));
    let mut open_count = 0;
    for expected in model.orders.values() {
        let shown = order_of(&kept, expected.id);
        assert_eq!((Some(shown.state), shown.prev_state), (expected.state, expected.prev_state));
        assert_eq!((shown.state_seq, shown.created_at), (expected.state_seq, expected.created_at));
        assert_eq!(shown.client_order_id, expected.client_id);
        assert_eq!(shown.total_fee, expected.fees);
        let reason = shown.reason.map(schema::Code::name);
        let reason = reason.or(shown.expiry.map(schema::ExpiryReason::name));
        assert_eq!((shown.state_changed_at, reason), (expected.state_changed_at, expected.reason));
        assert_eq!(shown.filled_quantity, expected.filled);
        assert_eq!(shown.remaining_quantity, shown.quantity - expected.filled);
        let Some(open) = venue.kernel.order(expected.id) else {
            assert!(!matches!(shown.state, OrderState::Pending | OrderState::Partial));
            assert_eq!(shown.reserved, Amount::ZERO, "an ended order reserves nothing");
            continue;
        };
        open_count += 1;
        let market = venue.kernel.market(open.market).expect("listed");
        assert_eq!((shown.symbol, shown.side), (market.terms.symbol, open.side));
        assert_eq!(shown.price, Some(market.price(open.ticks)));
        assert_eq!(shown.quantity, market.quantity(open.total));
        assert_eq!(shown.filled_quantity, market.quantity(open.filled));
        assert_eq!(shown.remaining_quantity, market.quantity(open.remaining()));
        assert_eq!((shown.total_fee, shown.reserved), (open.fees, open.reserved));
        assert_eq!(shown.state_changed_at, open.state_changed_at);
        assert_eq!(shown.average_price.is_some(), open.filled.0 > 0);
    }
    assert!(open_count > 20 && model.orders.len() > 1_000);
}

/// covers: TRADE-18
#[test]
fn an_order_has_its_history_and_its_trades_in_order() {
    let mut venue = Venue::new(3, 2);
    let [maker, taker] = venue.accounts[..] else { panic!("two") };
    venue.place(order(maker, Side::Sell, 100, 10));
    venue.place(order(maker, Side::Sell, 102, 10));
    let mut buy = order(taker, Side::Buy, 102, 25);
    (buy.time_in_force, buy.client_order_id) = (TimeInForce::Ioc, Some(label("sweep")));
    venue.place(buy);
    let (kept, model) = (Kept::of(&venue.records, 1), Model::of(&venue.records));
    let id = venue.orders[2].1;
    let View::OrderRecord(Some(record)) = kept.ask(Query::OrderRecord(id)) else { panic!("kept") };
    let kinds: Vec<EventKind> = record.steps.iter().map(|step| step.kind).collect();
    assert_eq!(kinds, [EventKind::OrderAccepted, EventKind::OrderExpired]);
    assert_eq!(record.trades, model.orders[&id.sequence()].trades);
    assert_eq!(record.trades.len(), 2);
    assert!(record.trades.is_sorted_by_key(|trade| trade.sequence()));
    assert_eq!(record.order.average_price, Some(amount("1.01")));
    assert_eq!((record.order.state, record.order.reserved), (OrderState::Expired, Amount::ZERO));
    assert_eq!(record.requested_quantity, amount("0.025"));
    assert_eq!(record.requested_price, Some(amount("1.02")));
    assert!(!record.post_only && record.expire_at.is_none() && record.trigger.is_none());
    let by_client = kept.ask(Query::OrderByClientId(taker, label("sweep")));
    assert_eq!(by_client, View::Order(Some(record.order)));
    for (account, text) in [(taker, "swee"), (maker, "sweep"), (Id([1; 16]), "sweep")] {
        let view = kept.ask(Query::OrderByClientId(account, label(text)));
        assert_eq!(view, View::Order(None), "{text}");
    }
}

/// More trades than stand in the order's row.
/// covers: TRADE-18
#[test]
fn an_order_with_very_many_trades_has_them_all() {
    let mut venue = Venue::new(7, 2);
    let [maker, taker] = venue.accounts[..] else { panic!("two") };
    venue.place(order(maker, Side::Sell, 100, 200));
    for _ in 0..150 {
        venue.place(order(taker, Side::Buy, 100, 1));
    }
    let (kept, model) = (Kept::of(&venue.records, 40).again(), Model::of(&venue.records));
    let id = venue.orders[0].1;
    let View::OrderRecord(Some(record)) = kept.ask(Query::OrderRecord(id)) else { panic!("kept") };
    assert_eq!(record.trades, model.orders[&id.sequence()].trades);
    assert_eq!(record.trades.len(), 150);
    let (mut found, mut page) = (Vec::new(), port::Page { after: None, limit: 7 });
    loop {
        let View::Trades(Ok(part)) = kept.ask(Query::TradesByOrder(id, page)) else {
            panic!("them")
        };
        found.extend(part.items.iter().map(|trade| trade.trade_id));
        page.after = part.next;
        if page.after.is_none() {
            break;
        }
    }
    assert_eq!(found, record.trades);
}

/// covers: STATE-17, STATE-18
#[test]
fn rejected_orders_are_kept_and_found_by_id() {
    let mut venue = traded(4, 50);
    let account = venue.accounts[0];
    let mut unknown = order(account, Side::Buy, 100, 3);
    unknown.symbol = SymbolRef::Unknown(label("XRP/USDT"));
    unknown.client_order_id = Some(label("never"));
    let Outcome::Rejected { order: id, refusal } = venue.place(unknown) else { panic!("rejected") };
    venue.trade(500);
    let kept = Kept::of(&venue.records, 30);
    let shown = order_of(&kept, id);
    assert_eq!((shown.state, shown.reason), (OrderState::Rejected, Some(refusal.code)));
    assert_eq!((shown.account_id, shown.symbol), (account, label("XRP/USDT")));
    let zero = [shown.quantity, shown.filled_quantity, shown.remaining_quantity, shown.reserved];
    assert_eq!(zero, [Amount::ZERO; 4]);
    let View::OrderRecord(Some(record)) = kept.ask(Query::OrderRecord(id)) else { panic!("kept") };
    assert_eq!(record.requested_quantity, amount("0.003"));
    let by_client = kept.ask(Query::OrderByClientId(account, label("never")));
    assert_eq!(by_client, View::Order(Some(shown)));
    let mut other = id;
    other.0[0] ^= 1;
    for nobody in [other, Id([8; 16]), account] {
        assert_eq!(kept.ask(Query::Order(nobody)), View::Order(None));
    }
}

/// The newest wins where a client used an id again.
#[test]
fn a_client_order_id_leads_to_its_newest_order() {
    let venue = traded(5, 2_000);
    let (kept, model) = (Kept::of(&venue.records, 64), Model::of(&venue.records));
    let mut seen = 0;
    for (number, &account) in model.accounts.iter().enumerate() {
        for text in 0..50 {
            let label = label(&format!("mine-{text}"));
            let of = |order: &&crate::model::Order| {
                order.client_id == Some(label) && order.account == u32::try_from(number).ok()
            };
            let Some(newest) = model.orders.values().rev().find(of) else { continue };
            let View::Order(Some(shown)) = kept.ask(Query::OrderByClientId(account, label)) else {
                panic!("kept")
            };
            assert!(shown.order_id.sequence() >= newest.id.sequence());
            seen += u32::from(shown.order_id == newest.id);
        }
    }
    assert!(seen > 50);
}

#[test]
fn the_first_answer_of_a_keyed_command_is_kept_and_no_other() {
    let venue = traded(6, 200);
    let kept = Kept::of(&venue.records, 10);
    let reader = kept.opened.archive.reader().expect("open");
    let mut counts = [0, 0];
    for (groups, end) in &venue.records {
        let group = schema::GroupIter::new(groups).next().expect("one").expect("sound");
        let reply = reader.reply(end.command_sequence).expect("sound");
        let keyed = group.head.idempotency.is_some();
        counts[usize::from(keyed)] += 1;
        let expected = keyed.then(|| crate::venue::answer_of(&group, 5).expect("sound"));
        assert_eq!(reply, expected);
    }
    assert!(counts[0] > 5 && counts[1] > 100);
    assert_eq!(reader.reply(u64::MAX).expect("sound"), None);
}
