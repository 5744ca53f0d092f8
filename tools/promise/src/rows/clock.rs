//! The wall clock steps by −1 h or +1 day while the exchange runs, and between two runs.
//!
//! `faketime` moves the wall clock of the real binary; the monotonic clock stays. Orders that live until a time
//! are there before the step, end in their own time and not before, and stamps go on rising. After a step back
//! the next start finds the clock still wrong, after a step ahead it finds it right again. From the step on every
//! order is refused, cancels are not, and neither a start nor a clock that is right again changes that, until the operator
//! has confirmed the clock and resumed trading.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use units::Timestamp;

use crate::exchange::{Exchange, Home, SYMBOL};
use crate::http::{Answer, Http, Request, count, text};
use crate::row::{Outcome, Size};
use crate::told;

use schema::{Event, ExpiryReason};

pub(super) fn run(size: Size) -> Outcome {
    let Some(library) = library() else {
        return Outcome::not_run("faketime is not installed (sh tools/setup.sh)");
    };
    let runs = size.pick(2, 50);
    let mut outcome = Outcome::default();
    let folder = tempfile::tempdir().expect("a folder");
    let clock = folder.path().join("clock");
    fs::write(&clock, RIGHT).expect("written");
    let mut home = Home::new(folder.path());
    home.settings = vec![
        ("LD_PRELOAD", library.to_string_lossy().into_owned()),
        ("FAKETIME_TIMESTAMP_FILE", clock.to_string_lossy().into_owned()),
        ("FAKETIME_NO_CACHE", "1".to_owned()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ("DONT_FAKE_MONOTONIC", "1".to_owned()),
    ];
    let exchange = home.start();
    let account = exchange.set_up(1).remove(0);
    assert!(exchange.terminate().success(), "{}", home.log());
    let mut bench = Bench { home, clock, account, key_count: 0, last: 0, tally: Tally::default() };
    for run in 0..runs {
        bench.one(if run % 2 == 0 { BACK } else { AHEAD });
    }
    let Tally { placed, expired, unordered, early, gone, steps, refused, canceled, resumed } =
        bench.tally;
    let log = Log::read(&bench.home);
    outcome.done(format!(
        "{runs} runs, {BACK} s and {AHEAD} s in turn: {placed} orders placed before steps and behind the operator's \
         word, {expired} ended in their time, {} events",
        log.event_count
    ));
    outcome.exactly("runs in which the step halted trading", steps, runs);
    outcome.exactly(
        "orders refused from a step to the operator's word",
        refused,
        runs * (BEHIND_STEP + BEHIND_START),
    );
    outcome.exactly("cancels done meanwhile", canceled, runs * 2);
    outcome.exactly("runs in which trading went on when the operator had said so", resumed, runs);
    outcome.exactly("answers out of order", unordered, 0);
    outcome.exactly(
        "orders that were no longer open though their time had not come",
        gone + early,
        0,
    );
    outcome.exactly("events whose time does not rise", log.not_rising, 0);
    outcome.exactly("expiries on record before their time", log.early, 0);
    outcome.exactly("expiries on record", log.expired, expired);
    outcome
}

#[derive(Debug, Default)]
struct Tally {
    placed: u64,
    expired: u64,
    unordered: u64,
    early: u64,
    gone: u64,
    steps: u64,
    refused: u64,
    canceled: u64,
    resumed: u64,
}

struct Bench {
    home: Home,
    clock: PathBuf,
    account: String,
    key_count: u64,
    /// The last sequence that was answered.
    last: u64,
    tally: Tally,
}

impl Bench {
    fn one(&mut self, step: &str) {
        self.set(RIGHT);
        let exchange = self.start();
        let mut http = exchange.connect();
        let long: Vec<String> = (0..5).map(|_| self.place(&mut http, Some(HALF_HOUR))).collect();
        let short = self.place(&mut http, Some(SHORT_LIFE));
        let due = Instant::now() + SHORT_LIFE;
        let plain: Vec<String> = (0..5).map(|_| self.place(&mut http, None)).collect();
        self.set(step);
        (0..BEHIND_STEP).for_each(|_| self.try_in_vain(&mut http));
        self.cancel(&mut http, &plain[0]);
        self.tally.steps += u64::from(is_halted(&exchange.health()));
        self.wait_for_expiry(&mut http, &short, due);
        self.check_open(&mut http, &long);
        assert!(exchange.terminate().success(), "{}", self.home.log());
        if step == AHEAD {
            self.set(RIGHT);
        }
        let exchange = self.start();
        let mut http = exchange.connect();
        assert!(is_halted(&exchange.health()), "a start is nobody's word: {}", self.home.log());
        (0..BEHIND_START).for_each(|_| self.try_in_vain(&mut http));
        self.cancel(&mut http, &plain[1]);
        self.check_open(&mut http, &long);
        // Somebody sets the clock right, and says so.
        self.set(RIGHT);
        self.operate(&mut http, "/v1/admin/clock/confirm");
        self.operate(&mut http, "/v1/admin/trading/resume");
        (0..5).for_each(|_| drop(self.place(&mut http, None)));
        self.tally.resumed += u64::from(text(&exchange.health(), "status") == "healthy");
        self.check_open(&mut http, &long);
        assert!(exchange.terminate().success(), "{}", self.home.log());
    }

    /// The operator's word; its token is as old as the clock says.
    fn operate(&self, http: &mut Http, path: &str) {
        let token = self.home.make_token(&["--role", "operator"]);
        let request = Request { method: "POST", path, token: &token, key: "", body: "{}" };
        http.ask(request).json(200);
    }

    /// Places an order that must be refused, since trading is halted.
    fn try_in_vain(&mut self, http: &mut Http) {
        let answer = self.send(http, None);
        let is_refused = answer.status == 422 && answer.text.contains("MARKET_PAUSED");
        self.tally.refused += u64::from(is_refused);
    }

    /// Takes an order back, without a key, so that the gateway makes one.
    fn cancel(&mut self, http: &mut Http, order: &str) {
        let (token, path) = (self.home.token(&[&self.account]), format!("/v1/orders/{order}"));
        let request = Request { method: "DELETE", path: &path, token: &token, key: "", body: "" };
        self.tally.canceled += u64::from(http.ask(request).status == 200);
    }

    fn start(&self) -> Exchange {
        let started = self.home.try_start();
        started.unwrap_or_else(|ended| panic!("{}: {}", ended.status, self.home.log()))
    }

    /// Moves the clock of everything that runs here.
    fn set(&self, offset: &str) {
        let draft = self.clock.with_extension("draft");
        fs::write(&draft, offset).expect("written");
        fs::rename(draft, &self.clock).expect("renamed");
    }

    /// Places an order that rests, until a time if there is one.
    fn place(&mut self, http: &mut Http, life: Option<Duration>) -> String {
        let answer = self.send(http, life).json(201);
        let sequence = count(&answer, "sequence");
        self.tally.unordered += u64::from(sequence <= self.last);
        self.tally.placed += 1;
        self.last = sequence;
        text(&answer, "order_id").to_owned()
    }

    /// Sends such an order. The token is as old as the clock says.
    fn send(&mut self, http: &mut Http, life: Option<Duration>) -> Answer {
        self.key_count += 1;
        let mut body = json!({"client_order_id": format!("o-{}", self.key_count), "symbol": SYMBOL,
            "side": "BUY", "type": "LIMIT", "quantity": "0.01", "price": "10", "time_in_force": "GTC"});
        if let Some(life) = life {
            body["time_in_force"] = "GTD".into();
            body["expire_at"] = ahead(life).to_string().into();
        }
        let (token, body) = (self.home.token(&[&self.account]), body.to_string());
        let request =
            Request { method: "POST", path: "/v1/orders", token: &token, key: "", body: &body };
        http.ask(request)
    }

    fn shown(&self, http: &mut Http, order: &str) -> Value {
        let token = self.home.token(&[&self.account]);
        http.ask(Request::get(&format!("/v1/orders/{order}"), &token)).json(200)
    }

    fn wait_for_expiry(&mut self, http: &mut Http, order: &str, due: Instant) {
        loop {
            let now = Instant::now();
            if text(&self.shown(http, order), "status") == "EXPIRED" {
                // Asked before it fell due, and told that it has ended.
                self.tally.early += u64::from(now < due - LEEWAY);
                self.tally.expired += 1;
                return;
            }
            assert!(now < due + EXPIRY_TIME, "order {order} does not end");
        }
    }

    fn check_open(&mut self, http: &mut Http, orders: &[String]) {
        for order in orders {
            self.tally.gone += u64::from(text(&self.shown(http, order), "status") != "PENDING");
        }
    }
}

/// What is on record.
#[derive(Debug, Default)]
struct Log {
    event_count: u64,
    not_rising: u64,
    early: u64,
    expired: u64,
}

impl Log {
    fn read(home: &Home) -> Self {
        let (mut log, mut last, mut ends) = (Self::default(), Timestamp(i64::MIN), HashMap::new());
        told::each(home.data(), |head, event| {
            log.event_count += 1;
            log.not_rising += u64::from(head.timestamp <= last || head.sequence != log.event_count);
            last = head.timestamp;
            match event {
                Event::OrderSubmitted(order) => drop(ends.insert(head.sequence, order.expire_at)),
                Event::OrderExpired(ended) if ended.reason == ExpiryReason::Gtd => {
                    let end = ends[&ended.order].expect("an order with an end");
                    log.early += u64::from(head.timestamp <= end);
                    log.expired += 1;
                }
                _ => {}
            }
        });
        log
    }
}

/// Degraded, halted, and for the clock.
fn is_halted(health: &Value) -> bool {
    text(health, "status") == "degraded"
        && text(health, "trading") == "halted"
        && health["halt"]["reason"] == "CLOCK"
}

/// So far ahead of the right time.
fn ahead(life: Duration) -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    Timestamp(i64::try_from((now + life).as_nanos()).expect("before 2262"))
}

/// The library that `faketime` puts in front of a program.
fn library() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").ok()?.filter_map(Result::ok);
    let paths = folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"));
    paths.into_iter().find(|path| path.is_file())
}

const RIGHT: &str = "+0";
const BACK: &str = "-3600";
const AHEAD: &str = "+86400";
/// Orders that are tried behind the step, and behind the start that follows.
const BEHIND_STEP: u64 = 10;
const BEHIND_START: u64 = 5;
const HALF_HOUR: Duration = Duration::from_secs(1_800);
const SHORT_LIFE: Duration = Duration::from_secs(2);
/// An order that has not ended so long behind its time never does.
const EXPIRY_TIME: Duration = Duration::from_secs(10);
/// From making the time to noting it.
const LEEWAY: Duration = Duration::from_millis(100);
