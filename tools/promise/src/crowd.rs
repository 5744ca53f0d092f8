//! Traders under whose load an exchange is ended in some bad way, and what they check after each restart.
//!
//! Four traders place, take, cancel, look and are paid in, each writing down what it asked and what it
//! was told (`trader.rs`). After every restart they ask again what stayed unanswered and compare
//! everything (`recover.rs`). At the end both logs are replayed and the event log is read as a whole.

use std::collections::HashMap;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use testkit::rng::SplitMix64;
use units::Amount;

use crate::exchange::{Exchange, FUNDS, Home, balances};
use crate::http::{amount, count, text};
use crate::recover::{Repeats, Totals};
use crate::row::Outcome;
use crate::told;
use crate::trader::{Cancel, DEPOSIT, Session, Trader};

/// The traders of one exchange, and what they have seen of it.
pub(crate) struct Crowd {
    traders: Vec<Trader>,
    /// The exchange's own accounts.
    system: Vec<String>,
    /// Answers under load.
    answer_count: usize,
    repeats: Repeats,
}

impl Crowd {
    /// Opens the venue on an exchange that has none yet.
    pub(crate) fn new(exchange: &Exchange, rng: &mut SplitMix64) -> Self {
        let named = exchange.set_up(TRADER_COUNT).into_iter().enumerate();
        let traders = named.map(|(name, account)| Trader::new(name, account, rng.next())).collect();
        let system = exchange.system_accounts();
        Self { traders, system, answer_count: 0, repeats: Repeats::default() }
    }

    /// Trades until `end` has ended the exchange, so long after every trader has had an answer. The next
    /// `check` looks at what was placed from here on.
    pub(crate) fn trade_until(
        &mut self,
        exchange: &mut Exchange,
        home: &Home,
        moment: Duration,
        end: impl FnOnce(&mut Exchange),
    ) -> Vec<usize> {
        let since = self.traders.iter().map(|trader| trader.placements.len()).collect();
        self.answer_count += load_and_end(home, exchange, (&mut self.traders, moment), end);
        since
    }

    /// Sends again what stayed unanswered; then every order since these places, every open order, every
    /// balance and the sum of all money are as they were told.
    pub(crate) fn check(&mut self, home: &Home, exchange: &Exchange, since: &[usize]) {
        let repeats = check(home, exchange, &mut self.traders, since);
        self.repeats = [self.repeats, repeats].into_iter().sum();
        check_money(home, exchange, &mut self.traders, &self.system);
    }

    /// Checks everything from the beginning, ends the exchange, replays both logs, and says what there was.
    pub(crate) fn conclude(mut self, home: &Home, exchange: Exchange, outcome: &mut Outcome) {
        check(home, &exchange, &mut self.traders, &[0; TRADER_COUNT]);
        check_end(home, exchange, &self.traders);
        outcome.done(format!(
            "{} answers under load: {}",
            self.answer_count,
            summary(&self.traders)
        ));
        let Repeats { unknown, done_before, repeated } = self.repeats;
        outcome.done(format!(
            "{unknown} requests without an answer ({done_before} of them had been done), sent again: {repeated}"
        ));
        // Each check above is an assertion that names what was lost or doubled; none broke.
        outcome.exactly("acknowledged requests lost, doubled or changed", 0, 0);
        outcome.at_least("answers under load", self.answer_count as u64, 1);
    }
}

/// Every trader trades until the exchange is gone; it is ended so long after all of them have had an
/// answer. Answers how many answers there were.
fn load_and_end(
    home: &Home,
    exchange: &mut Exchange,
    (traders, moment): (&mut [Trader], Duration),
    end: impl FnOnce(&mut Exchange),
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
        // Whatever is wrong, first of all it is ended: the traders end with it.
        end(exchange);
        drop(answered);
        assert!(!broken, "a connection broke before the end:\n{}", home.log());
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

    let told = told::read(home.data());
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

const TRADER_COUNT: usize = 4;
/// A trader who has no answer by then hangs.
const FIRST_ANSWER_TIME: Duration = Duration::from_secs(30);
