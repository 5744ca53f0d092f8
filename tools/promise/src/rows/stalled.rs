//! A consumer that stops reading: it is cut off once so many bytes wait for it, and nobody else notices.
//!
//! Readers of the feeds of books and trades hear what a trader does. First all of them read, then there is one
//! more that subscribes and never reads again, until it is cut off. How late the others hear of an order is
//! compared. What waited for the one that stalled is what the others were sent by then, less what lay in the
//! sockets between, as the operating system counts it.

use std::collections::HashMap;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tungstenite::{Message, WebSocket, client};

use crate::exchange::{Exchange, Home, SYMBOL};
use crate::http::{Http, Request, text};
use crate::row::{Outcome, Size};

pub(super) fn run(size: Size) -> Outcome {
    let rounds = size.pick(1, 5);
    let mut outcome = Outcome::default();
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::new(folder.path());
    let exchange = home.start();
    let account = exchange.set_up(1).remove(0);
    let token = home.token(&[&account]);
    let mut bench = Bench { exchange: &exchange, token, number: 0 };
    let (mut calm, mut beside, mut cut, mut waiting) = (Vec::new(), Vec::new(), 0, 0);
    let mut orders = 0;
    for _ in 0..rounds {
        let first = bench.round(None);
        calm.extend(first.late);
        let stalled = subscribe(&exchange);
        let second = bench.round(Some((cut, port_of(&stalled))));
        orders += first.orders + second.orders;
        beside.extend(second.late);
        cut = second.cut;
        waiting = waiting.max(second.size.saturating_sub(second.in_sockets));
    }
    let heard = beside.len();
    let (calm, beside) = (p99(calm), p99(beside));
    outcome.done(format!(
        "{rounds} rounds, {orders} orders, {READER_COUNT} readers; {heard} times one heard of an order while \
         another did not read"
    ));
    outcome.exactly("consumers that stalled and were cut off", cut, rounds);
    outcome.at_most("bytes that waited for one that stalled", waiting, WAITING_SIZE_MAX);
    outcome.beside("the others hear of an order, p99", beside, (calm, 110));
    outcome
}

struct Bench<'a> {
    exchange: &'a Exchange,
    token: String,
    /// Orders placed, each at a price of its own.
    number: u64,
}

/// What came of a round.
#[derive(Default)]
struct Heard {
    late: Vec<Duration>,
    orders: u64,
    /// Bytes that one reader was sent.
    size: u64,
    /// Consumers cut off since the start.
    cut: u64,
    /// Bytes in the sockets of the one that stalls, at the last look before it was cut off.
    in_sockets: u64,
}

impl Bench<'_> {
    /// Trades while the readers read: for a number of orders, or until one more consumer than before, with this
    /// port, has been cut off.
    fn round(&mut self, stalled: Option<(u64, u16)>) -> Heard {
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let readers: Vec<_> = (0..READER_COUNT)
                .map(|_| {
                    let socket = subscribe(self.exchange);
                    scope.spawn(|| listen(socket, &over))
                })
                .collect();
            let (sent, cut, in_sockets) = self.trade(stalled);
            over.store(true, Ordering::Release);
            // A last message, so that each reader sees that it is over.
            self.order(&mut self.exchange.connect());
            let mut heard =
                Heard { orders: sent.len() as u64, cut, in_sockets, ..Heard::default() };
            for reader in readers {
                let (told, size) = reader.join().expect("it reads to the end");
                heard.size = size;
                let late = told
                    .iter()
                    .filter_map(|(price, at)| Some(at.duration_since(*sent.get(price)?)));
                heard.late.extend(late);
            }
            heard
        })
    }

    fn trade(&mut self, stalled: Option<(u64, u16)>) -> (HashMap<String, Instant>, u64, u64) {
        let mut http = self.exchange.connect();
        let (mut sent, mut in_sockets) = (HashMap::new(), 0);
        loop {
            for _ in 0..ORDER_COUNT {
                let began = Instant::now();
                sent.insert(self.order(&mut http), began);
            }
            let cut = slow_readers(self.exchange);
            match stalled {
                Some((before, port)) if cut == before && sent.len() < ORDER_COUNT_MAX => {
                    in_sockets = size_in_sockets(port);
                }
                None if sent.len() < CALM_COUNT => {}
                _ => return (sent, cut, in_sockets),
            }
        }
    }

    /// Places an order at a price that none had, and takes it away again. Answers the price.
    fn order(&mut self, http: &mut Http) -> String {
        self.number += 1;
        let price = format!("{}.{:02}", 100 + self.number / 100, self.number % 100);
        let body = json!({"client_order_id": format!("o-{}", self.number), "symbol": SYMBOL, "side": "BUY",
            "type": "LIMIT", "quantity": "0.01", "price": price, "time_in_force": "GTC"})
        .to_string();
        let token = self.token.as_str();
        let request = Request { method: "POST", path: "/v1/orders", token, key: "", body: &body };
        let order = text(&http.ask(request).json(201), "order_id").to_owned();
        let (path, key) = (format!("/v1/orders/{order}"), format!("c-{}", self.number));
        http.ask(Request { method: "DELETE", path: &path, token, key: &key, body: "" }).json(200);
        price
    }
}

/// Reads until it is over; answers when each price was first seen, and how many bytes came.
fn listen(mut socket: Socket, over: &AtomicBool) -> (HashMap<String, Instant>, u64) {
    let (mut told, mut size) = (HashMap::new(), 0);
    loop {
        let message = socket.read().expect("nobody cuts off one that reads");
        let now = Instant::now();
        let Message::Text(message) = message else { continue };
        size += message.as_str().len() as u64 + FRAME_SIZE;
        if let Some(price) = price_in(message.as_str()) {
            told.entry(price.to_owned()).or_insert(now);
        }
        if over.load(Ordering::Acquire) {
            return (told, size);
        }
    }
}

/// The price of the first bid in an update.
fn price_in(message: &str) -> Option<&str> {
    let (_, bids) = message.split_once("\"bids\":[[\"")?;
    let price = bids.split_once('"')?.0;
    Some(price)
}

type Socket = WebSocket<TcpStream>;

/// A consumer of the book, from its snapshot on.
fn subscribe(exchange: &Exchange) -> Socket {
    let stream = TcpStream::connect(&exchange.address).expect("it listens");
    stream.set_read_timeout(Some(HEAR_TIME)).expect("set");
    let (mut socket, _) =
        client(format!("ws://{}/v1/ws", exchange.address), stream).expect("taken");
    let channel = format!("book.{}", SYMBOL.replace('/', "-"));
    let frame: Value = json!({"method": "SUBSCRIBE", "channels": [channel]});
    socket.send(Message::text(frame.to_string())).expect("sent");
    loop {
        let message = socket.read().expect("an answer");
        if message.to_text().is_ok_and(|text| text.contains("\"snapshot\"")) {
            return socket;
        }
    }
}

/// The port of the client.
fn port_of(socket: &Socket) -> u16 {
    socket.get_ref().local_addr().expect("it is connected").port()
}

/// Bytes that a client's sockets hold, on both sides, sent and not read.
fn size_in_sockets(port: u16) -> u64 {
    let table = std::fs::read_to_string("/proc/net/tcp").expect("it is there");
    let port = format!(":{port:04X}");
    let sizes = table.lines().filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_its = words.len() > 4 && (words[1].ends_with(&port) || words[2].ends_with(&port));
        let (sent, unread) = words.get(4)?.split_once(':')?;
        let size = |text| u64::from_str_radix(text, 16).ok();
        is_its.then(|| Some(size(sent)? + size(unread)?)).flatten()
    });
    sizes.sum()
}

/// The counter of consumers that were cut off.
fn slow_readers(exchange: &Exchange) -> u64 {
    let answer = exchange.connect().ask(Request::get("/metrics", ""));
    let mut lines = answer.text.lines();
    let line = lines.find(|line| line.starts_with("dex_ws_slow_readers_total"));
    let value = line.and_then(|line| line.split_whitespace().last());
    value.and_then(|value| value.parse().ok()).expect("a counter")
}

fn p99(mut all: Vec<Duration>) -> Duration {
    all.sort_unstable();
    all.get(all.len() * 99 / 100).copied().unwrap_or_default()
}

const READER_COUNT: usize = 4;
/// Orders between two looks at the counter.
const ORDER_COUNT: usize = 250;
/// About as many as it takes until one that stalls is cut off.
const CALM_COUNT: usize = 15_000;
/// Far more than fit into what may wait and the sockets.
const ORDER_COUNT_MAX: usize = 400_000;
/// What may wait (D-115), and what is sent between the cut and the next look.
const WAITING_SIZE_MAX: u64 = (4 << 20) + (256 << 10);
/// Bytes of a frame in front of its text.
const FRAME_SIZE: u64 = 4;
const HEAR_TIME: Duration = Duration::from_secs(10);
