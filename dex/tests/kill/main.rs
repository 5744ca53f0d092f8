//! `kill -9` of the running exchange under load, again and again, at seeded moments.
//!
//! Four traders place, take, cancel, look and are paid in, each writing down what it asked and what it
//! was told (`trader.rs`). After every restart they ask again what stayed unanswered and compare
//! everything (`recover.rs`); now and then the start itself is killed first, or both logs are replayed
//! as the kill left them. At the end they are replayed again and the event log is read as a whole.
//! `KILL_ROUNDS` sets the number of kills and `KILL_SEED` the seed, which is printed.
//!
//! A killed process leaves its written pages to the operating system, so this finds answers before
//! writes and states that do not replay, not writes that a sync left out: power cuts are the fault
//! tests' of `journal` and `engine`, whose disk forgets.
#![expect(clippy::tests_outside_test_module, reason = "every module here is of tests")]

mod archive;
mod exchange;
mod http;
mod recover;
mod trader;

use std::collections::HashMap;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use testkit::rng::SplitMix64;
use units::Amount;

use exchange::{Exchange, FUNDS, Home, balances};
use http::{amount, count, text};
use recover::{Repeats, Totals};
use trader::{Cancel, DEPOSIT, Session, Trader};

/// After each kill every acknowledged order, cancel and deposit is there, what a trader saw filled stays
/// filled, each unanswered request gives one effect however often it is repeated, and money is
/// conserved; after all of them the event log has each key once, both replays agree, and the hash that the
/// living exchange showed is the one on record.
/// covers: REC-26, REC-27, REC-30, LIFE-16, SETL-4
#[test]
fn kills_under_load_lose_and_double_nothing() {
    let (rounds, seed) = (setting("KILL_ROUNDS", 20), setting("KILL_SEED", SEED));
    println!("KILL_SEED={seed} KILL_ROUNDS={rounds}");
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home(folder.path().to_path_buf());
    let mut rng = SplitMix64::new(seed);
    let mut exchange = home.start();
    let accounts = exchange.set_up(TRADER_COUNT);
    let system = exchange.system_accounts();
    let named = accounts.into_iter().enumerate();
    let mut traders: Vec<Trader> =
        named.map(|(name, account)| Trader::new(name, account, rng.next())).collect();
    let mut all = Vec::new();
    for round in 1..=rounds {
        let moment = Duration::from_millis(rng.between(50, 600));
        let since: Vec<usize> = traders.iter().map(|trader| trader.placements.len()).collect();
        let load = load_and_kill(&home, &mut exchange, &mut traders, moment);
        if round % 5 == 0 {
            assert_eq!(home.verify()["equal"], true, "as the kill left it");
        }
        if round % 3 == 0 {
            home.start_and_kill(Duration::from_millis(rng.between(0, 400)));
        }
        let began = Instant::now();
        exchange = home.start();
        let started = began.elapsed();
        let repeats = check(&home, &exchange, &mut traders, &since);
        check_money(&home, &exchange, &mut traders, &system);
        println!(
            "round {round}: killed after {moment:?} of load, {load} answers; {repeats:?}; \
             started in {started:?}, checked in {:?}",
            began.elapsed() - started
        );
        all.push(repeats);
    }
    check(&home, &exchange, &mut traders, &[0; TRADER_COUNT]);
    check_end(&home, exchange, &traders);
    println!("{}; {:?}", summary(&traders), all.into_iter().sum::<Repeats>());
}

/// Every trader trades until the exchange is gone; it is killed so long after all of them have had an
/// answer. Answers how many answers there were.
fn load_and_kill(
    home: &Home,
    exchange: &mut Exchange,
    traders: &mut [Trader],
    moment: Duration,
) -> usize {
    let tokens: Vec<String> = traders.iter().map(|it| home.token(&[&it.account])).collect();
    let operator = exchange.operator.clone();
    let (answered, answers) = mpsc::channel();
    thread::scope(|scope| {
        let trade = |(index, (trader, token)): (usize, (_, _))| {
            let (trader, token): (&mut Trader, &String) = (trader, token);
            let (answered, operator) = (answered.clone(), operator.as_str());
            let mut session = Session { http: exchange.connect(), token, operator };
            scope.spawn(move || {
                trader.trade(&mut session, || answered.send(index).expect("it listens"));
            })
        };
        let trading: Vec<_> = traders.iter_mut().zip(&tokens).enumerate().map(trade).collect();
        let load = wait(&answers, moment);
        let broken = trading.iter().any(thread::ScopedJoinHandle::is_finished);
        // Whatever is wrong, first of all it is killed: the traders end with it.
        exchange.kill();
        drop(answered);
        assert!(!broken, "a connection broke before the kill:\n{}", home.log());
        load.expect("every trader has a first answer in time") + answers.iter().count()
    })
}

/// Waits until every trader has had an answer, then so long; answers how many answers there were.
fn wait(answers: &Receiver<usize>, moment: Duration) -> Option<usize> {
    let (mut waiting, mut load) = ([true; TRADER_COUNT], 0);
    let mut until = Instant::now() + FIRST_ANSWER_TIME;
    while let Some(left) = until.checked_duration_since(Instant::now()) {
        let Ok(trader) = answers.recv_timeout(left) else { break };
        load += 1;
        waiting[trader] = false;
        if waiting == [false; TRADER_COUNT] {
            until = Instant::now() + moment;
            break;
        }
    }
    while let Some(left) = until.checked_duration_since(Instant::now()) {
        load += usize::from(answers.recv_timeout(left).is_ok());
    }
    (waiting == [false; TRADER_COUNT]).then_some(load)
}

/// Sends again what stayed unanswered; then every order since these places, every open order and every
/// balance of each trader is as it was told.
fn check(home: &Home, exchange: &Exchange, traders: &mut [Trader], since: &[usize]) -> Repeats {
    let recovered = count(&exchange.health(), "event_sequence");
    let tokens: Vec<String> = traders.iter().map(|it| home.token(&[&it.account])).collect();
    let done = thread::scope(|scope| {
        let run = |((trader, token), &since): ((_, _), &usize)| {
            let (trader, token): (&mut Trader, &String) = (trader, token);
            scope.spawn(move || {
                let operator = exchange.operator.as_str();
                let mut session = Session { http: exchange.connect(), token, operator };
                let repeats = trader.repeat(&mut session, recovered);
                trader.check_orders(&mut session, since);
                repeats
            })
        };
        let all: Vec<_> = traders.iter_mut().zip(&tokens).zip(since).map(run).collect();
        all.into_iter().map(|it| it.join().expect("its checks hold")).collect::<Vec<_>>()
    });
    done.into_iter().sum()
}

/// What traders and exchange have is what came from outside, to the last unit.
fn check_money(home: &Home, exchange: &Exchange, traders: &mut [Trader], system: &[String]) {
    let mut http = exchange.connect();
    let mut sum = Totals::new();
    let system_token = home.token(&system.iter().map(String::as_str).collect::<Vec<_>>());
    let mut outside = Totals::new();
    for account in system {
        outside.clear();
        for balance in balances(&mut http, account, &system_token) {
            let total = amount(&balance, "total");
            outside.insert(text(&balance, "asset").to_owned(), total);
            *sum.entry(text(&balance, "asset").to_owned()).or_default() += total;
        }
    }
    for trader in traders.iter_mut() {
        let token = home.token(&[&trader.account]);
        let operator = exchange.operator.as_str();
        let mut session = Session { http: exchange.connect(), token: &token, operator };
        for (asset, total) in trader.check_account(&mut session) {
            *sum.entry(asset).or_default() += total;
        }
    }
    let expected = deposited(traders);
    for (asset, total) in &expected {
        assert_eq!(outside[asset], -*total, "{asset} that came from outside");
        assert_eq!(sum[asset], Amount::ZERO, "{asset} of all accounts");
    }
}

/// What was paid in, by asset. Every deposit was answered by now.
fn deposited(traders: &[Trader]) -> Totals {
    let mut all = Totals::new();
    let mut add = |asset: &str, sum: &str| {
        *all.entry(asset.to_owned()).or_default() += sum.parse::<Amount>().expect("a decimal");
    };
    for trader in traders {
        FUNDS.iter().for_each(|(asset, sum)| add(asset, sum));
        trader.deposits.iter().for_each(|_| add(DEPOSIT.0, DEPOSIT.1));
    }
    all
}

/// Ends the exchange, replays both logs, and compares the event log with what the traders were told.
fn check_end(home: &Home, exchange: Exchange, traders: &[Trader]) {
    let health = exchange.health();
    assert!(exchange.terminate().success(), "{}", home.log());
    assert!(!home.log().contains("ERROR"), "{}", home.log());

    let verified = home.verify();
    let [commands, events] = ["state_hash_from_commands", "state_hash_from_events"];
    assert_eq!(text(&verified, commands), text(&verified, events));
    assert_eq!(count(&verified, "stored_events"), count(&verified, "events"), "a graceful end");
    assert!(count(&verified, "events") >= count(&health, "event_sequence"));
    assert!(count(&verified, "recorded_hashes_compared") > 0, "{verified}");

    let told = archive::read(&home.data());
    let live = &health["state_hash"];
    assert_eq!(told.hashes[&count(live, "sequence")], text(live, "sha256"));
    let placements = traders.iter().flat_map(|trader| &trader.placements);
    let expected: HashMap<String, Vec<String>> =
        placements.map(|it| (it.key.clone(), it.order.iter().cloned().collect())).collect();
    assert_eq!(told.orders.len(), expected.len(), "orders that nobody asked for");
    for (key, orders) in &expected {
        assert_eq!(told.orders.get(key), Some(orders), "orders of {key}");
    }
}

fn summary(traders: &[Trader]) -> String {
    let placements = || traders.iter().flat_map(|trader| &trader.placements);
    let accepted = placements().filter(|it| it.is_accepted()).count();
    let canceled = placements().filter(|it| it.cancel == Cancel::Canceled).count();
    let filled = placements().filter(|it| it.seen.0 == it.quantity).count();
    let rejected = placements().count() - accepted;
    let deposits: usize = traders.iter().map(|trader| trader.deposits.len()).sum();
    format!(
        "{accepted} orders accepted ({canceled} canceled, {filled} filled), {rejected} rejected, \
         {deposits} deposits"
    )
}

/// A number in the environment.
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

const TRADER_COUNT: usize = 4;
/// A trader who has no answer by then hangs.
const FIRST_ANSWER_TIME: Duration = Duration::from_secs(30);
const SEED: u64 = 20_260;
