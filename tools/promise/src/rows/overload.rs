//! Overload: ten times as many clients as on a quiet day, then as many as before.
//!
//! A client has one connection and one request in flight; at its own pace it places an order that rests, and
//! its next request cancels it. How many clients make twice what the exchange can take is measured first; a
//! tenth of them are the quiet day. All run on the machine that the exchange runs on.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::LocalSet;
use tokio::time::{Instant as Moment, sleep_until};

use crate::exchange::{Home, SYMBOL};
use crate::http::Request;
use crate::row::{Outcome, Size};

pub(super) fn run(size: Size) -> Outcome {
    let overload = Duration::from_secs(size.pick(5, 60));
    let mut outcome = Outcome::default();
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::new(folder.path());
    let exchange = home.start();
    let accounts = exchange.set_up(ACCOUNT_COUNT);
    let crowd = Crowd {
        address: exchange.address.clone(),
        tokens: accounts.iter().map(|account| home.token(&[account])).collect(),
        keys: Cell::new(0),
    };
    let crowd = Rc::new(crowd);
    // Without pauses, a few clients take all that there is.
    let most = crowd.run(CALIBRATION_COUNT, Duration::ZERO, CALIBRATION_TIME);
    let capacity = most.answered() as u64 / CALIBRATION_TIME.as_secs();
    let pace = Duration::from_millis(PACE_MILLIS);
    let clients = usize::try_from(2 * capacity * PACE_MILLIS / 1_000).expect("few");
    let calm = crowd.run((clients / 10).max(1), pace, CALM_TIME);
    let loaded = crowd.run(clients, pace, overload);
    let behind = crowd.run((clients / 10).max(1), pace, RECOVERY_TIME);
    outcome.done(format!(
        "the exchange takes {capacity} requests/s; {} clients for {CALM_TIME:?} had {} answers, {clients} clients \
         for {overload:?} had {}: {} orders and {} cancels taken, {} refused",
        clients / 10,
        calm.answered(),
        loaded.answered(),
        loaded.placed.len(),
        loaded.canceled.len(),
        loaded.refused.len()
    ));
    let nominal = p99(&calm.placed);
    outcome.exactly("answers that are neither taken nor 429 nor 503", loaded.others, 0);
    outcome.exactly("cancels refused", loaded.cancels_refused, 0);
    outcome.beside("orders taken under overload, p99", p99(&loaded.placed), (nominal, 300));
    outcome.within("orders refused, the slowest", slowest(&loaded.refused), REFUSAL_TIME);
    outcome.beside("cancels beside orders, p99", p99(&loaded.canceled), (p99(&loaded.placed), 100));
    outcome.within(
        "until orders take as long as before",
        behind.recovered(nominal),
        RECOVERY_BOUND,
    );
    outcome
}

struct Crowd {
    address: String,
    tokens: Vec<String>,
    keys: Cell<u64>,
}

/// When a request was answered, since the start of the phase, and how long it took.
type Timed = (Duration, Duration);

#[derive(Default)]
struct Phase {
    placed: Vec<Timed>,
    canceled: Vec<Timed>,
    refused: Vec<Timed>,
    cancels_refused: u64,
    others: u64,
}

impl Phase {
    const fn answered(&self) -> usize {
        self.placed.len() + self.canceled.len() + self.refused.len()
    }

    /// The first second from which on orders take as long as they did.
    fn recovered(&self, nominal: Duration) -> Duration {
        let second = |second: u64| {
            let is_in = |(at, _): &&Timed| at.as_secs() == second;
            self.placed.iter().filter(is_in).copied().collect::<Vec<_>>()
        };
        let seconds = RECOVERY_TIME.as_secs();
        let good = (0..seconds).find(|it| p99(&second(*it)) <= nominal * 3 / 2);
        Duration::from_secs(good.unwrap_or(seconds))
    }
}

impl Crowd {
    /// So many clients, each asking once in `pace`, or without pauses.
    fn run(self: &Rc<Self>, clients: usize, pace: Duration, time: Duration) -> Phase {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let tasks = LocalSet::new();
        let phase = Rc::new(RefCell::new(Phase::default()));
        for number in 0..clients {
            let client = Client { crowd: self.clone(), phase: phase.clone(), pace, time };
            tasks.spawn_local(client.run(number, clients));
        }
        runtime.block_on(tasks);
        Rc::into_inner(phase).expect("all have ended").into_inner()
    }
}

struct Client {
    crowd: Rc<Crowd>,
    phase: Rc<RefCell<Phase>>,
    pace: Duration,
    time: Duration,
}

impl Client {
    async fn run(self, number: usize, clients: usize) {
        let stream = TcpStream::connect(&self.crowd.address).await.expect("it listens");
        stream.set_nodelay(true).expect("set");
        let mut stream = BufReader::new(stream);
        let token = self.crowd.tokens[number % self.crowd.tokens.len()].clone();
        let began = Moment::now();
        // Spread over the pace, so that they do not all ask at once.
        let mut next = began
            + self.pace * u32::try_from(number).expect("few")
                / u32::try_from(clients).expect("few");
        let mut open = None;
        while next < began + self.time && began.elapsed() < self.time {
            sleep_until(next).await;
            open = self.ask(&mut stream, &token, (began, open)).await;
            next = (next + self.pace).max(Moment::now());
        }
    }

    /// Places an order, or cancels the one that is open; answers what is open then.
    async fn ask(
        &self,
        stream: &mut BufReader<TcpStream>,
        token: &str,
        (began, open): (Moment, Option<String>),
    ) -> Option<String> {
        let key = self.crowd.keys.get() + 1;
        self.crowd.keys.set(key);
        let key = format!("k-{key}");
        let body = json!({"client_order_id": key, "symbol": SYMBOL, "side": "BUY", "type": "LIMIT",
            "quantity": "0.0001", "price": "1", "time_in_force": "GTC"})
        .to_string();
        let path = open.as_ref().map(|order| format!("/v1/orders/{order}"));
        let request = match &path {
            Some(path) => Request { method: "DELETE", path, token, key: &key, body: "" },
            None => Request { method: "POST", path: "/v1/orders", token, key: "", body: &body },
        };
        let sent = Instant::now();
        let (status, answer) = exchange(stream, &request.bytes()).await;
        let timed = (began.elapsed(), sent.elapsed());
        let mut phase = self.phase.borrow_mut();
        match (status, &open) {
            (201, None) => {
                phase.placed.push(timed);
                let id = answer.split_once("\"order_id\":\"").expect("an id").1;
                Some(id.split_once('"').expect("an id").0.to_owned())
            }
            (200, Some(_)) => {
                phase.canceled.push(timed);
                None
            }
            (429 | 503, None) => {
                phase.refused.push(timed);
                None
            }
            (429 | 503, Some(_)) => {
                phase.cancels_refused += 1;
                open
            }
            _ => {
                phase.others += 1;
                None
            }
        }
    }
}

/// One request and its whole answer.
async fn exchange(stream: &mut BufReader<TcpStream>, request: &str) -> (u16, String) {
    stream.get_mut().write_all(request.as_bytes()).await.expect("it is connected");
    let (mut status, mut size, mut line) = (0, 0, String::new());
    loop {
        line.clear();
        assert!(
            stream.read_line(&mut line).await.expect("an answer") > 0,
            "the connection was cut"
        );
        let text = line.trim_end().to_ascii_lowercase();
        if text.is_empty() {
            break;
        } else if let Some(rest) = text.strip_prefix("http/1.1 ") {
            status = rest[..3].parse().expect("a status");
        } else if let Some(value) = text.strip_prefix("content-length:") {
            size = value.trim().parse().expect("a size");
        }
    }
    let mut body = vec![0; size];
    stream.read_exact(&mut body).await.expect("a body");
    (status, String::from_utf8(body).expect("UTF-8"))
}

fn p99(all: &[Timed]) -> Duration {
    let mut times: Vec<Duration> = all.iter().map(|(_, took)| *took).collect();
    times.sort_unstable();
    times.get(times.len() * 99 / 100).copied().unwrap_or_default()
}

fn slowest(all: &[Timed]) -> Duration {
    all.iter().map(|(_, took)| *took).max().unwrap_or_default()
}

const ACCOUNT_COUNT: usize = 4;
const CALIBRATION_COUNT: usize = 64;
const CALIBRATION_TIME: Duration = Duration::from_secs(3);
/// A client asks ten times a second.
const PACE_MILLIS: u64 = 100;
const CALM_TIME: Duration = Duration::from_secs(4);
const RECOVERY_TIME: Duration = Duration::from_secs(8);
const RECOVERY_BOUND: Duration = Duration::from_secs(5);
const REFUSAL_TIME: Duration = Duration::from_millis(100);
