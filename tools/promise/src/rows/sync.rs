//! A failed sync: the operating system answers EIO to the n-th sync of a thread, for each n.
//!
//! `strace` injects the fault into the real binary and writes down every sync. Behind the fault nothing is
//! acknowledged, that file is never synced again, reads go on, and the next start has everything that was
//! acknowledged. A fault during the start ends the start. Some runs aim at the event log, whose syncs are few.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::json;

use crate::binary::has_program;
use crate::exchange::{Exchange, Home, SYMBOL};
use crate::http::{Http, Request, text};
use crate::row::{Outcome, Size};

pub(super) fn run(size: Size) -> Outcome {
    if !has_program("strace") {
        return Outcome::not_run("strace is not installed (sh tools/setup.sh)");
    }
    let mut outcome = Outcome::default();
    let folder = tempfile::tempdir().expect("a folder");
    let mut bench = Bench::new(folder.path());
    let all: Vec<u64> = match size {
        Size::Short => vec![1, 4, 8, 12, 13, 14, 20, 60],
        Size::Full => (1..=200).collect(),
    };
    for &call in &all {
        bench.one(call, None);
    }
    let events = size.pick(1, 10);
    for run in 0..events {
        // The first sync of that file is the start's.
        bench.one(2 + run % 2, Some("events"));
    }
    let Tally { at_start, commands, events_log, others, acknowledged, refused, .. } = bench.tally;
    outcome.done(format!(
        "EIO at sync calls {} to {} of each thread, and at {events} of the event log: {at_start} faults during the \
         start, {commands} in the command log, {events_log} in the event log, {others} in another file",
        all[0],
        all[all.len() - 1]
    ));
    outcome.done(format!(
        "{acknowledged} orders acknowledged, {refused} requests refused behind a fault"
    ));
    let runs = all.len() as u64 + events;
    outcome.exactly("faults that came", at_start + commands + events_log + others, runs);
    outcome.exactly("syncs of a file behind its failed one", bench.tally.retried, 0);
    outcome.exactly("acknowledged behind a failed sync of a log", bench.tally.late, 0);
    outcome.exactly("reads refused behind a failed sync", bench.tally.unread, 0);
    outcome.exactly("acknowledged and not there after the next start", bench.tally.lost, 0);
    outcome
}

#[derive(Debug, Default)]
struct Tally {
    at_start: u64,
    commands: u64,
    events_log: u64,
    others: u64,
    acknowledged: u64,
    refused: u64,
    retried: u64,
    late: u64,
    unread: u64,
    lost: u64,
}

struct Bench {
    home: Home,
    trace: String,
    account: String,
    key_count: u64,
    tally: Tally,
}

/// An order that was asked for.
struct Asked {
    sent: f64,
    status: u16,
    told: f64,
    order: String,
}

/// The first fault of a run: when it was, and in which file.
struct Fault {
    at: f64,
    path: String,
}

impl Bench {
    fn new(folder: &Path) -> Self {
        let home = Home::new(folder);
        let exchange = home.start();
        let account = exchange.set_up(1).remove(0);
        assert!(exchange.terminate().success(), "{}", home.log());
        let trace = folder.join("trace").to_string_lossy().into_owned();
        Self { home, trace, account, key_count: 0, tally: Tally::default() }
    }

    /// A run with a fault at the n-th sync, of one log or of whatever a thread syncs.
    fn one(&mut self, call: u64, log: Option<&str>) {
        let _ = fs::remove_file(&self.trace);
        self.home.before = self.strace(call, log);
        let started = self.home.try_start();
        self.home.before = Vec::new();
        let Ok(mut exchange) = started else {
            let fault = self.fault().expect("nothing else keeps it from starting");
            self.count(&fault, true);
            return self.check_start(&[]);
        };
        let asked = self.trade(&exchange);
        exchange.kill();
        let Some(fault) = self.fault() else { return self.check_start(&asked) };
        let is_log = self.count(&fault, false);
        let is_late = |it: &&Asked| {
            it.status == 201 && (it.sent > fault.at || it.told > fault.at + IN_FLIGHT_SECONDS)
        };
        if is_log {
            self.tally.late += asked.iter().filter(is_late).count() as u64;
        }
        self.check_start(&asked);
    }

    fn strace(&self, call: u64, log: Option<&str>) -> Vec<String> {
        let inject = format!("inject=fsync,fdatasync:error=EIO:when={call}");
        let mut words: Vec<String> =
            ["strace", "-D", "-f", "-qq", "-y", "-ttt", "-e", "signal=none", "-e"]
                .map(str::to_owned)
                .to_vec();
        words.extend(["trace=fsync,fdatasync".to_owned(), "-e".to_owned(), inject]);
        words.extend(["-o".to_owned(), self.trace.clone()]);
        if let Some(log) = log {
            let path = self.home.data().join(log).join(FIRST_SEGMENT);
            words.extend(["-P".to_owned(), path.to_string_lossy().into_owned()]);
        }
        words
    }

    /// Places orders until some have been refused behind the fault, or it is clear that none comes.
    fn trade(&mut self, exchange: &Exchange) -> Vec<Asked> {
        let token = self.home.token(&[&self.account]);
        let mut http = exchange.connect();
        let (mut asked, mut behind) = (Vec::new(), 0);
        let began = Instant::now();
        while behind < BEHIND_COUNT && began.elapsed() < FAULT_TIME {
            let Some(order) = self.ask(&mut http, &token) else { break };
            let is_refused = order.status != 201;
            self.tally.acknowledged += u64::from(!is_refused);
            self.tally.refused += u64::from(is_refused);
            behind += u64::from(is_refused);
            // A fault in a file that is no log stops nothing: some more orders, and it is over.
            let is_over =
                asked.len() % 64 == 63 && self.fault().is_some_and(|it| !is_log(&it.path));
            asked.push(order);
            if is_over {
                break;
            }
        }
        let path = format!("/v1/accounts/{}/balances", self.account);
        let read = exchange.connect().exchange(Request::get(&path, &token));
        self.tally.unread += u64::from(read.is_ok_and(|it| it.status != 200));
        asked
    }

    fn ask(&mut self, http: &mut Http, token: &str) -> Option<Asked> {
        self.key_count += 1;
        let body = json!({"client_order_id": format!("o-{}", self.key_count), "symbol": SYMBOL, "side": "BUY",
            "type": "LIMIT", "quantity": "0.01", "price": "100", "time_in_force": "IOC"})
        .to_string();
        let request = Request { method: "POST", path: "/v1/orders", token, key: "", body: &body };
        let sent = wall();
        let answer = http.exchange(request).ok()?;
        let order = if answer.status == 201 {
            text(&answer.json(201), "order_id").to_owned()
        } else {
            String::new()
        };
        Some(Asked { sent, status: answer.status, told: wall(), order })
    }

    /// The first injected fault on record; whatever is synced behind it is counted once the run is over.
    fn fault(&self) -> Option<Fault> {
        let trace = fs::read_to_string(&self.trace).unwrap_or_default();
        let line = trace.lines().find(|line| line.contains("(INJECTED)"))?;
        let mut words = line.split_whitespace();
        let task = words.next()?;
        let at = words.next()?.parse().ok()?;
        // The path stands in the line itself, or where the call began.
        let path = path_in(line).or_else(|| {
            let begun = trace.lines().take_while(|it| *it != line);
            begun.filter(|it| it.starts_with(task)).filter_map(path_in).last()
        })?;
        Some(Fault { at, path })
    }

    /// Counts the fault by its file, and what was synced of that file behind it.
    fn count(&mut self, fault: &Fault, at_start: bool) -> bool {
        let trace = fs::read_to_string(&self.trace).unwrap_or_default();
        let behind = trace.lines().skip_while(|line| !line.contains("(INJECTED)")).skip(1);
        let again = behind.filter_map(path_in).filter(|path| *path == fault.path).count();
        if is_log(&fault.path) {
            self.tally.retried += again as u64;
        }
        let tally = &mut self.tally;
        let place = match &fault.path {
            _ if at_start => &mut tally.at_start,
            path if path.contains("/commands/") => &mut tally.commands,
            path if path.contains("/events/") => &mut tally.events_log,
            _ => &mut tally.others,
        };
        *place += 1;
        is_log(&fault.path)
    }

    /// The next start has every acknowledged order, and both replays agree.
    fn check_start(&mut self, asked: &[Asked]) {
        assert_eq!(self.home.verify()["equal"], true, "as the fault left it");
        let exchange = self.home.start();
        let token = self.home.token(&[&self.account]);
        let mut http = exchange.connect();
        for order in asked.iter().filter(|it| it.status == 201) {
            let answer = http.ask(Request::get(&format!("/v1/orders/{}", order.order), &token));
            self.tally.lost += u64::from(answer.status != 200);
        }
        assert!(exchange.terminate().success(), "{}", self.home.log());
    }
}

/// The file of a sync in a line of the trace.
fn path_in(line: &str) -> Option<String> {
    let (_, call) = line.split_once("sync(")?;
    let (_, path) = call.split_once('<')?;
    Some(path.split_once('>')?.0.to_owned())
}

fn is_log(path: &str) -> bool {
    path.contains("/commands") || path.contains("/events")
}

fn wall() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs_f64()
}

const FIRST_SEGMENT: &str = "00000000000000000001.segment";
/// Requests refused behind a fault before the run is over.
const BEHIND_COUNT: u64 = 20;
/// An answer that was on its way at the fault has come by then.
const IN_FLIGHT_SECONDS: f64 = 1.0;
/// A fault that has not come by then is none.
const FAULT_TIME: Duration = Duration::from_secs(60);
