//! What the archive of a running shard answers: at once, late, after a restart, after damage.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use archive::Archive;
use journal::EventEnd;
use port::{
    Cursor, Listed, OrderFilter, OrderStates, OrderView, Page, Period, Port, PortFault, Query, View,
};
use schema::{CancelOrder, Code, Command, OrderState, Outcome};
use units::{Id, Side};

use super::mix::Mix;
use crate::answer::answer_of;
use crate::testing::{
    Disks, ask, block_on, clock, config, created, keyed, open_venue, order, place, submit,
    wait_until,
};
use crate::{Config, Engine, InProcess, ManualClock};

fn order_of(port: &InProcess, id: Id, min_sequence: u64) -> Option<OrderView> {
    match ask(port, Query::Order(id), min_sequence).view {
        View::Order(order) => order,
        other => panic!("no order: {other:?}"),
    }
}

fn kept_order(port: &InProcess, id: Id, min_sequence: u64) -> Option<OrderView> {
    match ask(port, Query::OrderRecord(id), min_sequence).view {
        View::OrderRecord(record) => record.map(|record| record.order),
        other => panic!("no record: {other:?}"),
    }
}

/// Every row of the archive once it has reached the view.
fn rows(port: &InProcess) -> Vec<(Vec<u8>, Vec<u8>)> {
    let shard = port.shard();
    let history = shard.history.as_ref().expect("there is one");
    wait_until(|| history.reached() == shard.metrics.view_sequence.value());
    let reader = history.archive.reader().expect("open");
    reader.rows().collect::<Result<_, _>>().expect("sound")
}

/// Every row of the archive that an engine left behind.
fn rows_on_disk(disks: &Disks) -> Vec<(Vec<u8>, Vec<u8>)> {
    let folder = disks.archive.as_ref().expect("kept").path();
    let opened = Archive::open(folder, answer_of).expect("opened");
    assert!(opened.fault.is_none());
    opened.archive.reader().expect("open").rows().collect::<Result<_, _>>().expect("sound")
}

/// Every row of an archive made at one go from the blocks of the event log.
fn rows_from_log(disks: &Disks) -> Vec<(Vec<u8>, Vec<u8>)> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut opened = Archive::open(folder.path(), answer_of).expect("opened");
    for block in disks.stored_blocks() {
        let end = EventEnd {
            command_sequence: block.header().last_command,
            event_sequence: block.header().last_event(),
            hash: block.hash(),
        };
        opened.indexer.add(block.payload(), end).expect("sound");
    }
    opened.indexer.commit().expect("committed");
    opened.archive.reader().expect("open").rows().collect::<Result<_, _>>().expect("sound")
}

/// Sends a mix and answers the ids of its orders, accepted and rejected, and the last event told.
fn run_mix(port: &InProcess, mix: &mut Mix, commands: usize) -> (Vec<Id>, BTreeSet<Id>, u64) {
    let (mut accepted, mut rejected, mut last_event) = (BTreeSet::new(), BTreeSet::new(), 0);
    for _ in 0..commands {
        let request = mix.next();
        let reply = submit(port, request.clone());
        mix.learn(&request, &reply);
        last_event = last_event.max(reply.last_event);
        match reply.outcome {
            Outcome::Accepted { order } => accepted.insert(order),
            Outcome::Rejected { order, .. } => rejected.insert(order),
            _ => false,
        };
    }
    (accepted.into_iter().collect(), rejected, last_event)
}

fn start(disks: &Disks, config: Config, clock: &Arc<ManualClock>) -> Engine {
    Engine::start_with(config, disks.storage(), clock.clone()).expect("sound")
}

/// Open, ended lately and ended long ago: the archive and the view say the same of every order, and
/// lists agree with both.
/// covers: LIFE-3, LIFE-75, STATE-34, STATE-35, STATE-38
#[test]
fn orders_are_shown_alike_from_the_view_and_from_the_archive() {
    let (disks, clock) = (Disks::new(70), clock());
    let engine = start(&disks, config(), &clock);
    let port = engine.port();
    let accounts = open_venue(&port, 5);
    let mut mix = Mix::new(70, accounts.clone());
    let (accepted, rejected, last_event) = run_mix(&port, &mut mix, 3_000);
    let mut states = BTreeSet::new();
    for &id in accepted.iter().chain(&rejected) {
        let shown = order_of(&port, id, last_event).expect("kept");
        assert_eq!(kept_order(&port, id, last_event), Some(shown));
        states.insert(shown.state);
    }
    assert_eq!(states.len(), OrderState::ALL.len(), "every state was met");
    for &account in &accounts {
        let list = |states| {
            let filter = OrderFilter { states, ..OrderFilter::of_account(account) };
            let mut page = Page { after: None, limit: 50 };
            let mut found = Vec::new();
            loop {
                let View::Orders(Ok(Listed { items, next })) =
                    ask(&port, Query::Orders(filter, page), last_event).view
                else {
                    panic!("a list")
                };
                found.extend(items);
                page.after = next;
                if next.is_none() {
                    return found;
                }
            }
        };
        let own = |id: &&Id| order_of(&port, **id, 0).is_some_and(|it| it.account_id == account);
        let all: Vec<Id> = list(OrderStates::LISTED).iter().map(|it| it.order_id).collect();
        assert!(all.iter().eq(accepted.iter().filter(own)), "all of them, rejected ones left out");
        let View::OpenOrders(Some(open)) =
            ask(&port, Query::OpenOrders(account, None, None), last_event).view
        else {
            panic!("open orders")
        };
        assert_eq!(list(OrderStates::OPEN), open);
        for order in &open {
            let price = order.price;
            let query = Query::OpenOrders(account, Some(1), price);
            let View::OpenOrders(Some(found)) = ask(&port, query, last_event).view else {
                panic!("open orders")
            };
            let at_price = open.iter().filter(|it| it.price == price && price.is_some());
            let at_price: Vec<OrderView> = at_price.copied().collect();
            assert_eq!(found, if price.is_some() { at_price } else { open.clone() });
            let of_account = OrderFilter::of_account(account);
            let states = OrderStates::OPEN;
            let filter = OrderFilter { market: Some(1), states, price, ..of_account };
            let query = Query::Orders(filter, Page { after: None, limit: 1_000 });
            let View::Orders(Ok(kept)) = ask(&port, query, last_event).view else {
                panic!("a list")
            };
            assert_eq!(kept.items, found, "from the archive as from the view");
        }
    }
    let young: Vec<_> = accepted.iter().map(|&id| order_of(&port, id, last_event)).collect();
    drop((engine, port));
    let forgetful = Config { ended_order_count: 1, ..config() };
    let engine = start(&disks, forgetful, &clock);
    let old: Vec<_> = accepted.iter().map(|&id| order_of(&engine.port(), id, 0)).collect();
    assert_eq!(old, young, "from the archive alone, after a restart");
    assert_eq!(engine.metrics().archive_rebuild_count.value(), 0);
}

/// Whoever has an answer finds what it tells, though the archive is a thread behind.
#[test]
fn a_command_that_was_answered_is_in_the_archive_that_answers_next() {
    let disks = Disks::new(71);
    let engine = start(&disks, Config { ended_order_count: 1, ..config() }, &clock());
    let port = engine.port();
    let [maker, taker] = open_venue(&port, 2)[..] else { panic!("two") };
    for round in 0..300 {
        let resting = created(&submit(&port, place(maker, Side::Sell, 100, 1)));
        let reply = submit(&port, place(taker, Side::Buy, 100, 1));
        let query = Query::TradesByOrder(resting, Page::FIRST);
        let seen = ask(&port, query, reply.last_event);
        let View::Trades(Ok(trades)) = seen.view else { panic!("trades: {:?}", seen.view) };
        assert_eq!((trades.items.len(), trades.items[0].taker_order_id), (1, created(&reply)));
        // Without an event to wait for, too: an answer is never behind the view.
        let View::PublicTrades(Ok(recent)) = ask(&port, Query::RecentTrades(1, 1_000), 0).view
        else {
            panic!("trades")
        };
        assert_eq!(recent.items.len(), round + 1);
        assert_eq!(recent.items[0].trade_id, trades.items[0].trade_id);
        let query = Query::LedgerEntries(maker, Period::ALL, Page { after: None, limit: 1_000 });
        let View::LedgerEntries(Ok(entries)) = ask(&port, query, 0).view else { panic!("entries") };
        assert_eq!(entries.items.len(), 2 + round + 1, "two deposits and the trades");
        let ended = order_of(&port, resting, reply.last_event).expect("kept");
        assert_eq!(ended.state, OrderState::Filled);
    }
    let query = Query::TradesByAccount(Id([8; 16]), Period::ALL, Page::FIRST);
    assert_eq!(ask(&port, query, 0).view, View::Trades(Err(Code::AccountNotFound)));
    let cursor = Page { after: Some(Cursor::behind(u64::MAX)), limit: 1 };
    let query = Query::TradesByAccount(maker, Period::ALL, cursor);
    let nothing = Listed { items: Vec::new(), next: None };
    assert_eq!(ask(&port, query, 0).view, View::Trades(Ok(nothing)));
}

/// The kinds of answers: accepted, rejected, refused; before and after a restart, with and without an archive.
#[test]
fn a_repeat_gets_its_first_answer_from_the_archive() {
    let (disks, clock) = (Disks::new(72), clock());
    let engine = start(&disks, config(), &clock);
    let port = engine.port();
    let account = open_venue(&port, 1)[0];
    let buy = keyed(1, place(account, Side::Buy, 100, 5).command);
    let mut bad = order(account, Side::Buy, 100, 5);
    bad.price = Some(units::Amount(1));
    let bad = keyed(2, Command::PlaceOrder(bad));
    let nobody = CancelOrder { account, order: Id([3; 16]), state_seq: None };
    let nobody = keyed(3, Command::CancelOrder(nobody));
    let requests = [buy, bad, nobody];
    let first: Vec<_> = requests.iter().map(|it| submit(&port, it.clone())).collect();
    assert!(matches!(first[0].outcome, Outcome::Accepted { .. }));
    assert!(matches!(first[1].outcome, Outcome::Rejected { .. }));
    assert!(matches!(first[2].outcome, Outcome::Refused(_)));
    let again = |port: &InProcess| {
        let reached = || port.shard().history.as_ref().expect("kept").reached();
        wait_until(|| reached() >= first[2].last_event);
        requests.iter().map(|it| submit(port, it.clone())).collect::<Vec<_>>()
    };
    assert_eq!(again(&port), first);
    let (metrics, count) = (engine.metrics(), first.len() as u64);
    assert_eq!((metrics.repeated_count.value(), metrics.repeated_scan_count.value()), (count, 0));
    drop((engine, port));
    let engine = start(&disks, config(), &clock);
    assert_eq!(again(&engine.port()), first);
    assert_eq!(engine.metrics().repeated_scan_count.value(), 0);
    drop(engine);
    let bare = Disks { archive: None, ..disks };
    let engine = start(&bare, config(), &clock);
    let scanned: Vec<_> = requests.iter().map(|it| submit(&engine.port(), it.clone())).collect();
    assert_eq!(scanned, first, "the scan of the log says the same");
    assert_eq!(engine.metrics().repeated_scan_count.value(), count);
}

/// An archive that is behind makes a query wait, then says that it is late; it never answers from before.
#[test]
fn a_query_of_a_lagging_archive_waits_and_is_told_so() {
    let disks = Disks::new(73);
    let engine = start(&disks, Config { ended_order_count: 1, ..config() }, &clock());
    let port = engine.port();
    let account = open_venue(&port, 1)[0];
    let reply = submit(&port, place(account, Side::Buy, 100, 1));
    let order = created(&reply);
    let query = Query::OrderRecord(order);
    let seen = ask(&port, query, reply.last_event);
    assert!(matches!(seen.view, View::OrderRecord(Some(_))));
    let history = port.shard().history.as_ref().expect("kept");
    history.set_reached(reply.last_event - 1);
    let soon = Duration::from_millis(20);
    assert_eq!(block_on(port.query(query, 0, soon)), Err(PortFault::TimedOut));
    let nobody = Query::Order(Id([3; 16]));
    assert_eq!(block_on(port.query(nobody, 0, soon)), Err(PortFault::TimedOut), "not: unknown");
    assert!(order_of(&port, order, 0).is_some(), "the view knows an open order by itself");
    let waiting = port.query(query, 0, Duration::from_secs(60));
    submit(&port, place(account, Side::Buy, 99, 1));
    assert!(block_on(waiting).is_ok(), "it has caught up");
    let beyond = port.query(query, u64::MAX, soon);
    assert_eq!(block_on(beyond), Err(PortFault::TimedOut));
    let late = port.query(query, reply.last_event + 1_000_000, Duration::from_secs(3_600));
    drop(engine);
    assert_eq!(block_on(late), Err(PortFault::Stopped));
}

/// With no room for what waits, everything comes from the log; nothing is lost or twice.
#[test]
fn an_archive_that_falls_behind_reads_the_log() {
    let disks = Disks::new(74);
    let tight = Config { archive_queue_size_max: 1, ..config() };
    let engine = start(&disks, tight, &clock());
    let port = engine.port();
    let mut mix = Mix::new(74, open_venue(&port, 4));
    let mut answers = Vec::new();
    for _ in 0..40 {
        let requests = (0..100).map(|_| mix.next()).collect();
        answers.extend(block_on(port.submit_all(requests)).expect("taken"));
    }
    assert!(engine.metrics().archive_overflow_count.value() > 0, "it fell behind");
    drop(rows(&port));
    drop(port);
    let _ = engine.stop();
    let engine = start(&disks, config(), &clock());
    drop(rows(&engine.port()));
    let _ = engine.stop();
    assert!(rows_on_disk(&disks) == rows_from_log(&disks));
}

/// Damage that a reader meets while the shard runs: an alert, and the archive is made anew.
/// covers: SETL-42
#[test]
fn a_damaged_archive_is_made_anew_while_the_shard_runs() {
    let disks = Disks::new(75);
    let engine = start(&disks, config(), &clock());
    let port = engine.port();
    let mut mix = Mix::new(75, open_venue(&port, 4));
    let (old, _, last_event) = run_mix(&port, &mut mix, 500);
    let shown = |ids: &[Id], at| -> Vec<_> {
        ids.iter().map(|&id| kept_order(&port, id, at).map(|it| it.created_at)).collect()
    };
    let before = shown(&old, last_event);
    port.shard().history.as_ref().expect("kept").report_damage();
    wait_until(|| engine.metrics().archive_rebuild_count.value() == 1);
    assert_eq!(shown(&old, last_event), before);
    let (accepted, _, last_event) = run_mix(&port, &mut mix, 500);
    assert!(shown(&accepted, last_event).iter().all(Option::is_some));
    assert_eq!(engine.stop_reason(), None, "the shard does not stop for it");
    drop(port);
    let _ = engine.stop();
    assert!(rows_on_disk(&disks) == rows_from_log(&disks));
}

/// One of another log, one from beyond the log's end, none at all, and one of damaged files.
#[test]
fn an_archive_that_differs_from_the_log_is_made_anew() {
    let clock = clock();
    let [short, long] = [(76, 300), (78, 900)].map(|(seed, commands)| {
        let disks = Disks::new(seed);
        let engine = start(&disks, config(), &clock);
        let port = engine.port();
        let mut mix = Mix::new(seed, open_venue(&port, 3));
        run_mix(&port, &mut mix, commands);
        let _ = engine.stop();
        disks
    });
    let start_again = |disks: &Disks| {
        let engine = start(disks, config(), &clock);
        drop(rows(&engine.port()));
        let count = engine.metrics().archive_rebuild_count.value();
        let _ = engine.stop();
        assert!(rows_on_disk(disks) == rows_from_log(disks));
        count
    };
    assert_eq!(start_again(&short), 0, "a sound one goes on");
    let swapped = |commands: &Disks, archive: &Disks| Disks {
        archive: archive.archive.clone(),
        ..commands.clone()
    };
    assert_eq!(start_again(&swapped(&long, &short)), 1, "another log's");
    assert_eq!(start_again(&swapped(&short, &long)), 1, "from beyond the end");
    let folder = short.archive.as_ref().expect("kept").path().to_owned();
    fs::remove_dir_all(&folder).expect("removed");
    assert_eq!(start_again(&short), 0, "one that is missing is no fault");
    damage(&folder);
    assert_eq!(start_again(&short), 1);
}

/// Overwrites every file below a folder.
fn damage(folder: &Path) {
    for entry in fs::read_dir(folder).expect("listed") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            damage(&path);
        } else {
            let size = fs::metadata(&path).expect("there").len();
            let size = usize::try_from(size).expect("small");
            fs::write(&path, vec![0xa5; size.min(1 << 20)]).expect("written");
        }
    }
}
