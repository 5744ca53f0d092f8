//! An open-loop client: requests that are due at fixed times, however slowly they are answered.
//!
//! Owns kept-alive connections, one request in flight on each, in one thread without blocking. A request is
//! due at its place of the schedule and sent on whichever connection has been free longest; its time counts
//! from when it was due, so neither a late client nor an exchange that keeps every connection busy hides a
//! wait. What could not be sent by `LATE_TIME` behind that is left out and counted: it was not offered. A
//! connection places an order that rests, and its next request cancels it; an order that was refused
//! is not repeated. Bounds: the thread looks for work every `LOOK_TIME`, which is the precision of all times.
//! Read `rows/overload.rs` for what is asked of it.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read as _, Write as _};
use std::thread;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::exchange::SYMBOL;

/// A client with its connections, between phases.
pub(crate) struct Client {
    poll: Poll,
    events: Events,
    lines: Vec<Line>,
    /// Connections without a request in flight, the one that has been free longest first.
    free: VecDeque<usize>,
    /// Requests made, for keys that are never used twice.
    count: u64,
}

/// When a request was due, since the start of the phase, and how long after that it was answered.
pub(crate) type Timed = (Duration, Duration);

/// What came of a phase.
#[derive(Debug, Default)]
pub(crate) struct Phase {
    pub(crate) placed: Vec<Timed>,
    pub(crate) canceled: Vec<Timed>,
    pub(crate) refused: Vec<Timed>,
    pub(crate) cancels_refused: u64,
    pub(crate) others: u64,
    /// Requests that were due.
    pub(crate) due: u64,
    /// Of them, left out, since no connection was free within `LATE_TIME` or the client itself was late.
    pub(crate) left_out: u64,
}

/// A connection.
struct Line {
    stream: TcpStream,
    /// A placement, with the place of its key.
    place: (Vec<u8>, usize),
    /// A cancel, with the places of the order's id and of its key.
    cancel: (Vec<u8>, usize, usize),
    /// The order that is open.
    open: Option<Vec<u8>>,
    /// When the request in flight was due.
    due: Option<Duration>,
    answer: Vec<u8>,
    /// Bytes of the request that did not fit into the socket.
    unsent: Vec<u8>,
}

impl Client {
    /// So many connections, which take turns with these tokens, each of one account.
    pub(crate) fn connect(address: &str, tokens: &[String], line_count: usize) -> Self {
        let poll = Poll::new().expect("the system tells what is ready");
        let address: std::net::SocketAddr = address.parse().expect("an address");
        let line = |number: usize| {
            let stream = std::net::TcpStream::connect(address).expect("it listens");
            stream.set_nodelay(true).expect("set");
            stream.set_nonblocking(true).expect("set");
            let mut stream = TcpStream::from_std(stream);
            let ready = Interest::READABLE | Interest::WRITABLE;
            poll.registry().register(&mut stream, Token(number), ready).expect("registered");
            let token = &tokens[number % tokens.len()];
            let (place, cancel) = (placement(token), cancel(token));
            let (answer, unsent) = (Vec::with_capacity(1_024), Vec::new());
            Line { stream, place, cancel, open: None, due: None, answer, unsent }
        };
        let lines = (0..line_count).map(line).collect();
        let events = Events::with_capacity(1_024);
        Self { poll, events, lines, free: (0..line_count).collect(), count: 0 }
    }

    /// Orders that are open by what the client was told.
    pub(crate) fn open_count(&self) -> u64 {
        self.lines.iter().filter(|line| line.open.is_some()).count() as u64
    }

    /// Offers so many requests a second for so long, and waits for the last answer.
    pub(crate) fn offer(&mut self, rate: u64, time: Duration) -> Phase {
        let began = Instant::now();
        let mut phase = Phase { due: rate * time.as_secs(), ..Phase::default() };
        let mut next = 0;
        loop {
            let now = began.elapsed();
            while next < phase.due && !self.free.is_empty() {
                let due = Duration::from_nanos(next * 1_000_000_000 / rate);
                if due > now {
                    break;
                }
                next += 1;
                if now - due > LATE_TIME {
                    phase.left_out += 1;
                    continue;
                }
                let line = self.free.pop_front().expect("it was looked at");
                self.count += 1;
                self.lines[line].send(due, self.count);
            }
            self.hear(began, &mut phase);
            if next == phase.due && self.free.len() == self.lines.len() {
                return phase;
            }
            let silent = now.saturating_sub(time);
            assert!(silent < ANSWER_TIME, "answers are missing {silent:?} behind the end");
            thread::sleep(LOOK_TIME);
        }
    }

    /// Takes in what has come.
    fn hear(&mut self, began: Instant, phase: &mut Phase) {
        self.poll.poll(&mut self.events, Some(Duration::ZERO)).expect("it polls");
        for event in &self.events {
            let line = &mut self.lines[event.token().0];
            if event.is_writable() && !line.unsent.is_empty() {
                let bytes = std::mem::take(&mut line.unsent);
                line.write(&bytes);
            }
            if event.is_readable() && line.hear(began, phase) {
                self.free.push_back(event.token().0);
            }
        }
    }
}

impl Line {
    /// Sends a cancel of what is open, or a placement.
    fn send(&mut self, due: Duration, number: u64) {
        self.due = Some(due);
        let key = format!("{number:0KEY_SIZE$}");
        let bytes = if let Some(order) = &self.open {
            let (bytes, id_at, key_at) = &mut self.cancel;
            bytes[*id_at..][..ID_SIZE].copy_from_slice(order);
            bytes[*key_at..][..KEY_SIZE].copy_from_slice(key.as_bytes());
            std::mem::take(bytes)
        } else {
            let (bytes, key_at) = &mut self.place;
            bytes[*key_at..][..KEY_SIZE].copy_from_slice(key.as_bytes());
            std::mem::take(bytes)
        };
        self.write(&bytes);
        // Its memory serves the next one.
        if self.open.is_some() {
            self.cancel.0 = bytes;
        } else {
            self.place.0 = bytes;
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        let sent = match self.stream.write(bytes) {
            Ok(sent) => sent,
            Err(fault) if fault.kind() == ErrorKind::WouldBlock => 0,
            Err(fault) => panic!("the connection broke: {fault}"),
        };
        self.unsent.extend_from_slice(&bytes[sent..]);
    }

    /// Reads what has come; whether the answer is whole.
    fn hear(&mut self, began: Instant, phase: &mut Phase) -> bool {
        let mut bytes = [0; 2_048];
        loop {
            match self.stream.read(&mut bytes) {
                Ok(0) => panic!("the connection was cut"),
                Ok(size) => {
                    self.answer.extend_from_slice(&bytes[..size]);
                    // Less than there was room for is all there is; of more the system tells again.
                    if size < bytes.len() {
                        break;
                    }
                }
                Err(fault) if fault.kind() == ErrorKind::WouldBlock => break,
                Err(fault) => panic!("the connection broke: {fault}"),
            }
        }
        let Some((status, body)) = whole(&self.answer) else { return false };
        let due = self.due.take().expect("an answer belongs to a request");
        let timed = (due, began.elapsed().saturating_sub(due));
        match (status, self.open.is_some()) {
            (201, false) => {
                phase.placed.push(timed);
                let id = at(body, b"\"order_id\":\"").expect("an id");
                self.open = Some(body[id..][..ID_SIZE].to_vec());
            }
            (200, true) => {
                phase.canceled.push(timed);
                self.open = None;
            }
            (429 | 503, false) => phase.refused.push(timed),
            (429 | 503, true) => phase.cancels_refused += 1,
            _ => {
                phase.others += 1;
                self.open = None;
            }
        }
        self.answer.clear();
        true
    }
}

/// An order that rests, for the account of the token, and where its key stands.
fn placement(token: &str) -> (Vec<u8>, usize) {
    let key = "0".repeat(KEY_SIZE);
    let body = format!(
        r#"{{"client_order_id":"{key}","symbol":"{SYMBOL}","side":"BUY","type":"LIMIT","quantity":"0.0001","price":"1","time_in_force":"GTC"}}"#
    );
    let head = format!("POST /v1/orders HTTP/1.1\r\nhost: t\r\nauthorization: Bearer {token}\r\n");
    let text = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    let key_at = text.rfind(&key).expect("it is there");
    (text.into_bytes(), key_at)
}

/// A cancel, and where the order's id and its key stand.
fn cancel(token: &str) -> (Vec<u8>, usize, usize) {
    let (id, key) = ("i".repeat(ID_SIZE), "0".repeat(KEY_SIZE));
    let text = format!(
        "DELETE /v1/orders/{id} HTTP/1.1\r\nhost: t\r\nauthorization: Bearer {token}\r\n\
         idempotency-key: {key}\r\n\r\n"
    );
    let (id_at, key_at) = (text.find(&id).expect("there"), text.rfind(&key).expect("there"));
    (text.into_bytes(), id_at, key_at)
}

/// The status and the body of an answer, if all of it is there.
fn whole(answer: &[u8]) -> Option<(u16, &[u8])> {
    let head = answer.windows(4).position(|it| it == b"\r\n\r\n")?;
    let size = at(&answer[..head], b"content-length: ").expect("a size");
    let digits = answer[size..head].iter().take_while(|it| it.is_ascii_digit());
    let size = digits.fold(0, |size, it| size * 10 + usize::from(it - b'0'));
    let status = std::str::from_utf8(answer.get(9..12)?).ok()?.parse().expect("a status");
    Some((status, answer.get(head + 4..head + 4 + size)?))
}

/// Where these bytes end.
fn at(bytes: &[u8], what: &[u8]) -> Option<usize> {
    Some(bytes.windows(what.len()).position(|it| it == what)? + what.len())
}

/// How often the client looks what is due and what has come.
const LOOK_TIME: Duration = Duration::from_micros(50);
/// What cannot be sent sooner than this after it was due is left out.
const LATE_TIME: Duration = Duration::from_millis(2);
/// Beyond it an exchange that lives hangs.
const ANSWER_TIME: Duration = Duration::from_secs(30);
/// Bytes of an order's id.
const ID_SIZE: usize = 36;
/// Digits of a key.
const KEY_SIZE: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_with_its_last_byte() {
        let answer = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 12\r\n\r\nhello, world";
        for size in 0..answer.len() {
            assert_eq!(whole(&answer[..size]), None, "{size}");
        }
        assert_eq!(whole(answer), Some((503, &b"hello, world"[..])));
    }

    #[test]
    fn requests_announce_their_size_and_have_room_for_key_and_id() {
        let (bytes, key_at) = placement("token");
        let text = String::from_utf8(bytes).expect("text");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        assert!(head.ends_with(&format!("content-length: {}", body.len())), "{head}");
        assert_eq!(&text[key_at - 1..][..KEY_SIZE + 2], "\"000000000000\"");
        let (bytes, id_at, key_at) = cancel("token");
        let text = String::from_utf8(bytes).expect("text");
        assert!(text[id_at..].starts_with("iii") && text[key_at..].starts_with("000"), "{text}");
        assert!(text.ends_with("\r\n\r\n"));
    }
}
