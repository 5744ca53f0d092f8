//! Overload: ten times the rate of a quiet day, then that rate again.
//!
//! The rate of the quiet day is the one of the benchmark's row `http.p99_ms_at_5000_per_second`. Ten times as
//! much is more than the exchange can take on two cores beside its client. The client (`offer.rs`) is one
//! thread of this process, on the machine that the exchange runs on; times count from when a request was due.
//! Where it cannot offer the rate that is to be offered, nothing was shown of it, and the row says so.

use std::time::Duration;

use crate::exchange::{Exchange, Home};
use crate::http::{Request, list};
use crate::offer::{Client, Phase, Timed};
use crate::row::{Outcome, Size};

pub(super) fn run(size: Size) -> Outcome {
    let overload = Duration::from_secs(size.pick(5, 60));
    let mut outcome = Outcome::default();
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::new(folder.path());
    let exchange = home.start();
    let accounts = exchange.set_up(ACCOUNT_COUNT);
    let tokens: Vec<String> = accounts.iter().map(|account| home.token(&[account])).collect();
    let mut client = Client::connect(&exchange.address, &tokens, LINE_COUNT);
    client.offer(RATE, WARM_TIME);
    let calm = client.offer(RATE, CALM_TIME);
    let loaded = client.offer(RATE * TIMES, overload);
    let behind = client.offer(RATE, RECOVERY_TIME);
    for (phase, time) in [(&calm, CALM_TIME), (&loaded, overload), (&behind, RECOVERY_TIME)] {
        outcome.done(told(phase, time));
    }
    check_offered(&mut outcome, &calm, &loaded);
    let nominal = p99(&calm.placed);
    let others = calm.others + loaded.others + behind.others;
    outcome.exactly("answers that are neither taken nor 429 nor 503", others, 0);
    outcome.exactly("cancels refused", loaded.cancels_refused, 0);
    let open: u64 = accounts.iter().zip(&tokens).map(|it| open_orders(&exchange, it)).sum();
    outcome.exactly("orders open that nobody was told of", open - client.open_count().min(open), 0);
    outcome.beside("orders taken under overload, p99", p99(&loaded.placed), (nominal, 300));
    outcome.within("orders refused, the slowest", slowest(&loaded.refused), REFUSAL_TIME);
    outcome.beside("cancels beside orders, p99", p99(&loaded.canceled), (p99(&loaded.placed), 100));
    outcome.within(
        "until orders take as long as before",
        recovered(&behind, nominal),
        RECOVERY_BOUND,
    );
    outcome
}

/// What was offered and what came of it.
fn told(phase: &Phase, time: Duration) -> String {
    let share = |all: &[Timed]| {
        let [half, most] = [50, 99].map(|percent| percentile(all, percent));
        format!("{} (median {half:.1?}, p99 {most:.1?})", all.len())
    };
    format!(
        "{} requests/s due for {time:?}, {LINE_COUNT} connections, {} offered, {} left out: orders taken {}, \
         refused {}, canceled {}",
        phase.due / time.as_secs(),
        phase.due - phase.left_out,
        phase.left_out,
        share(&phase.placed),
        share(&phase.refused),
        share(&phase.canceled)
    )
}

/// Where more than one request in a hundred was left out, less was offered than the promise speaks of.
fn check_offered(outcome: &mut Outcome, calm: &Phase, loaded: &Phase) {
    if calm.left_out * 100 > calm.due {
        outcome
            .partly("the nominal rate itself was not offered, so nothing can be held against it");
    } else if loaded.left_out * 100 > loaded.due {
        let offered = loaded.due - loaded.left_out;
        outcome.partly(format!(
            "{} times the nominal rate was to be offered, {:.1} times was",
            TIMES,
            offered as f64 * TIMES as f64 / loaded.due as f64
        ));
    }
}

/// How many orders an account has open.
fn open_orders(exchange: &Exchange, (account, token): (&String, &String)) -> u64 {
    let path = format!("/v1/accounts/{account}/orders");
    let answer = exchange.connect().ask(Request::get(&path, token)).json(200);
    list(&answer, "orders").len() as u64
}

/// The first second from which on orders take as long as they did.
fn recovered(behind: &Phase, nominal: Duration) -> Duration {
    let second = |second: u64| {
        let is_in = |(at, _): &&Timed| at.as_secs() == second;
        behind.placed.iter().filter(is_in).copied().collect::<Vec<_>>()
    };
    let seconds = RECOVERY_TIME.as_secs();
    let good = (0..seconds).find(|it| p99(&second(*it)) <= nominal * 3 / 2);
    Duration::from_secs(good.unwrap_or(seconds))
}

fn p99(all: &[Timed]) -> Duration {
    percentile(all, 99)
}

fn percentile(all: &[Timed], percent: usize) -> Duration {
    let mut times: Vec<Duration> = all.iter().map(|(_, took)| *took).collect();
    times.sort_unstable();
    times.get(times.len() * percent / 100).copied().unwrap_or_default()
}

fn slowest(all: &[Timed]) -> Duration {
    all.iter().map(|(_, took)| *took).max().unwrap_or_default()
}

const ACCOUNT_COUNT: usize = 4;
const LINE_COUNT: usize = 256;
/// Requests a second of a quiet day.
const RATE: u64 = 5_000;
/// How many times as much overload is.
const TIMES: u64 = 10;
const WARM_TIME: Duration = Duration::from_secs(1);
const CALM_TIME: Duration = Duration::from_secs(4);
const RECOVERY_TIME: Duration = Duration::from_secs(8);
const RECOVERY_BOUND: Duration = Duration::from_secs(5);
const REFUSAL_TIME: Duration = Duration::from_millis(100);
