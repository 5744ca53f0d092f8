//! Placing orders over HTTP, with the client on the same cores.
//!
//! Owns the rows of throughput and latency of the whole way: request, token, command, journal, kernel,
//! answer. Connections are kept alive, each with one request in flight. Throughput is closed loop; the
//! latency row sends 5,000 orders a second on a schedule and counts from when each was due, so that a
//! late answer is not hidden by a client that waits for it. Every answer must be 201.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gateway::{Claims, Config, Door, OperatorSigner, Role, TokenSigner, serve};
use schema::{Command, Key};
use testkit::rng::SplitMix64;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::time::sleep_until;
use units::{Id, Timestamp};

use crate::measure::{median_of, percentile};
use crate::row::{Row, Target};
use crate::shard::{Shard, account, list};
use crate::venue;

pub(super) const ORDERS_PER_SECOND: Row = Row {
    name: "http.orders_per_second",
    unit: "orders/s",
    target: Target::AtLeast(10_000.0),
    measure: || median_of(RUNS, || run(None).0),
};

pub(super) const P99_MS: Row = Row {
    name: "http.p99_ms_at_5000_per_second",
    unit: "ms",
    target: Target::AtMost(10.0),
    measure: || median_of(RUNS, || run(Some(5_000)).1),
};

const RUNS: usize = 3;
const CONNECTIONS: u32 = 32;
const ORDERS: u32 = 1_500;

/// No administrative request is made here.
struct Unsigned;

impl OperatorSigner for Unsigned {
    fn sign(&self, _: &Key, _: Timestamp, _: &Command) -> [u8; 64] {
        [0; 64]
    }
}

/// Orders a second and the p99 in milliseconds, at `rate` orders a second or as fast as it goes.
fn run(rate: Option<u32>) -> (f64, f64) {
    let shard = Shard::start_archived();
    let port = shard.engine.port();
    let server = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let server = server.expect("a runtime");
    let clients = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let signer = TokenSigner::new(&[5; 32]);
    let config = Config::new(signer.public_key(), venue::genesis().venue_id);
    let door = Door::new(Arc::new(port.clone()), Arc::new(Unsigned), config).expect("a key");
    let (address, stop) = listen(&server, door);
    let (elapsed, mut samples) = clients.block_on(async {
        list(&port).await;
        let mut tasks = Vec::new();
        let mut lines = Vec::new();
        for number in 0..CONNECTIONS {
            let id = account(&port, format!("client{number}")).await;
            let token = token(&signer, id, port.clock().now());
            let stream = TcpStream::connect(address).await.expect("a connection");
            stream.set_nodelay(true).expect("a socket");
            lines.push((Client { stream, head: head(&token), answer: Vec::new() }, number));
        }
        let begin = Instant::now();
        for (client, number) in lines {
            tasks.push(tokio::spawn(client.place(number, begin, rate)));
        }
        let mut samples = Vec::new();
        for task in tasks {
            samples.extend(task.await.expect("a client"));
        }
        (begin.elapsed().as_secs_f64(), samples)
    });
    let orders = samples.len() as f64;
    assert_eq!(samples.len(), (CONNECTIONS * ORDERS) as usize, "every order was accepted");
    let p99 = f64::from(percentile(&mut samples, 990)) / 1_000.0;
    let _ = stop.send(());
    drop(server);
    let _ = shard.engine.stop();
    (orders / elapsed, p99)
}

fn listen(server: &Runtime, door: Arc<Door>) -> (std::net::SocketAddr, oneshot::Sender<()>) {
    let (stop, stopped) = oneshot::channel();
    let listener = server.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
    let address = listener.local_addr().expect("an address");
    server.spawn(serve(door, listener, async {
        let _ = stopped.await;
    }));
    (address, stop)
}

fn token(signer: &TokenSigner, account: Id, now: Timestamp) -> String {
    let issued_at = now.0 / 1_000_000_000;
    let claims = Claims {
        user: Id([1; 16]),
        accounts: vec![account],
        role: Role::Trader,
        issued_at,
        expires_at: issued_at + 900,
    };
    signer.mint(&claims).expect("a token")
}

fn head(token: &str) -> String {
    format!(
        "POST /v1/orders HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: "
    )
}

/// One kept-alive connection.
struct Client {
    stream: TcpStream,
    head: String,
    answer: Vec<u8>,
}

impl Client {
    /// Places its orders; returns what each took, in microseconds.
    async fn place(mut self, number: u32, begin: Instant, rate: Option<u32>) -> Vec<u32> {
        let mut random = SplitMix64::new(u64::from(number));
        let mut samples = Vec::with_capacity(ORDERS as usize);
        for turn in 0..ORDERS {
            let due = match rate {
                // The connections take turns, so that orders lie evenly.
                Some(rate) => {
                    let place = f64::from(turn * CONNECTIONS + number) / f64::from(rate);
                    let due = begin + Duration::from_secs_f64(place);
                    sleep_until(due.into()).await;
                    due
                }
                None => Instant::now(),
            };
            self.order(&body(&mut random)).await;
            samples.push(u32::try_from(due.elapsed().as_micros()).unwrap_or(u32::MAX));
        }
        samples
    }

    async fn order(&mut self, body: &str) {
        let request = format!("{}{}\r\n\r\n{body}", self.head, body.len());
        self.stream.write_all(request.as_bytes()).await.expect("a request");
        self.answer.clear();
        loop {
            let size = self.stream.read_buf(&mut self.answer).await.expect("an answer");
            assert!(size > 0, "the connection lives");
            if is_whole(&self.answer) {
                break;
            }
        }
        let status = String::from_utf8_lossy(&self.answer);
        assert!(status.starts_with("HTTP/1.1 201"), "{status}");
    }
}

/// Whether the bytes are a head and the body that it announces.
fn is_whole(answer: &[u8]) -> bool {
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    let size = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let size: usize = size.and_then(|size| size.trim().parse().ok()).expect("a length");
    answer.len() >= end + 4 + size
}

/// Two thirds rest, one third crosses somebody's.
fn body(random: &mut SplitMix64) -> String {
    let (side, away) = if random.below(2) == 0 { ("BUY", -1) } else { ("SELL", 1) };
    let away = away * (random.between(0, 60).cast_signed() - 20);
    let (cents, lots) = (10_000_000 + away, random.between(1, 100));
    format!(
        r#"{{"symbol":"BTC/USDT","side":"{side}","type":"LIMIT","quantity":"0.{lots:03}","price":"{}.{:02}","time_in_force":"GTC"}}"#,
        cents / 100,
        cents % 100
    )
}
