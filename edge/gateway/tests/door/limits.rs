//! The bounds of a connection: sizes, times, unknown routes, the end.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::{Served, bearer, trader};

const SHORT: Duration = Duration::from_millis(300);

async fn short() -> Served {
    Served::start_with(|config| config.request_time = SHORT).await
}

/// Reads until the door closes; fails if that takes longer than the test waits.
async fn read_to_close(stream: &mut TcpStream) -> (String, Duration) {
    let began = Instant::now();
    let mut bytes = Vec::new();
    let closed = timeout(Duration::from_secs(20), stream.read_to_end(&mut bytes)).await;
    let _ = closed.expect("the door closes");
    (String::from_utf8_lossy(&bytes).into_owned(), began.elapsed())
}

/// Announced or not, a large body is 413 long before its end.
/// covers: INV-69
#[tokio::test]
async fn a_large_body_is_413_before_its_end() {
    let served = Served::start().await;
    let head =
        format!("POST /v1/orders HTTP/1.1\r\nhost: t\r\nauthorization: {}\r\n", bearer(&trader()));
    let mut stream = TcpStream::connect(served.address).await.expect("it listens");
    let announced = format!("{head}content-length: 1048577\r\n\r\n");
    stream.write_all(announced.as_bytes()).await.expect("sent");
    let (answer, _) = read_to_close(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("INVALID_SCHEMA"));

    // In chunks, without an end: the answer comes after the first MiB.
    let stream = TcpStream::connect(served.address).await.expect("it listens");
    let (mut reader, mut writer) = stream.into_split();
    let chunked = format!("{head}transfer-encoding: chunked\r\n\r\n");
    writer.write_all(chunked.as_bytes()).await.expect("sent");
    let sending = tokio::spawn(async move {
        let chunk = format!("10000\r\n{}\r\n", " ".repeat(65_536));
        while writer.write_all(chunk.as_bytes()).await.is_ok() {}
    });
    let mut answer = [0; 12];
    timeout(Duration::from_secs(20), reader.read_exact(&mut answer))
        .await
        .expect("in time")
        .expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 413");
    drop(reader);
    sending.abort();
    assert_eq!(served.port.count(), 0);
}

/// Exactly one MiB is read.
#[tokio::test]
async fn a_body_of_one_mib_is_read() {
    let served = Served::start().await;
    let answer = served.trader("post", "/v1/orders", &" ".repeat(1 << 20)).await;
    assert_eq!(answer.fault(), (400, "INVALID_SCHEMA".into()));
}

/// Silence, a header that never ends and a body that drips are all cut at the request time, which is
/// 30 s outside this test.
/// covers: INV-68
#[tokio::test]
async fn slow_clients_are_cut() {
    assert_eq!(gateway::limits::REQUEST_TIME, Duration::from_secs(30));
    let served = short().await;
    let mut silent = TcpStream::connect(served.address).await.expect("it listens");
    let (_, waited) = read_to_close(&mut silent).await;
    assert!(waited >= SHORT, "{waited:?}");

    let mut idle = TcpStream::connect(served.address).await.expect("it listens");
    idle.write_all(b"GET /health HTTP/1.1\r\nhost: t\r\n\r\n").await.expect("sent");
    let (answer, waited) = read_to_close(&mut idle).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && waited >= SHORT, "{waited:?}");

    let head = format!(
        "POST /v1/orders HTTP/1.1\r\nhost: t\r\nauthorization: {}\r\ncontent-length: 1000\r\n\r\n",
        bearer(&trader())
    );
    for (begin, may_answer) in [("GET /health HTTP/1.1\r\nx: ", ""), (&head, "408")] {
        let stream = TcpStream::connect(served.address).await.expect("it listens");
        let (mut reader, mut writer) = stream.into_split();
        writer.write_all(begin.as_bytes()).await.expect("sent");
        let dripping = tokio::spawn(async move {
            let mut drops = tokio::time::interval(SHORT / 6);
            loop {
                drops.tick().await;
                if writer.write_all(b"a").await.is_err() {
                    return;
                }
            }
        });
        let mut bytes = Vec::new();
        let read = timeout(Duration::from_secs(20), reader.read_to_end(&mut bytes)).await;
        let _ = read.expect("the door closes in spite of the drops");
        assert!(String::from_utf8_lossy(&bytes).contains(may_answer));
        dripping.abort();
    }
    assert_eq!(served.port.count(), 0);
}

#[tokio::test]
async fn what_is_not_there_says_so() {
    let served = Served::start().await;
    for path in ["/", "/v1", "/v2/orders", "/v1/orders/a/b", "/../etc/passwd", "/v1/admin"] {
        let answer = served.anonymous("get", path, "").await;
        assert_eq!(answer.fault(), (404, "INVALID_SCHEMA".into()), "{path}");
    }
    assert_eq!(
        served.anonymous("put", "/v1/orders", "").await.fault(),
        (405, "INVALID_SCHEMA".into())
    );
    let ws = served.anonymous("get", "/v1/ws", "").await;
    assert_eq!(ws.fault(), (426, "INVALID_SCHEMA".into()));
}

/// A stop answers what is in flight, closes idle connections and ends.
#[tokio::test]
async fn a_stop_ends_idle_connections() {
    let served = Served::start().await;
    let mut idle = TcpStream::connect(served.address).await.expect("it listens");
    idle.write_all(b"GET /health HTTP/1.1\r\nhost: t\r\n\r\n").await.expect("sent");
    let mut first = [0; 15];
    idle.read_exact(&mut first).await.expect("an answer");
    assert_eq!(&first, b"HTTP/1.1 200 OK");
    let address = served.address;
    timeout(Duration::from_secs(4), served.stop()).await.expect("it drains");
    assert!(TcpStream::connect(address).await.is_err());
}
