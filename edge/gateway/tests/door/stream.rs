//! The WebSocket: two forms of frames, a whole book and its changes, trades, bad frames, slow readers.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use port::{BookView, LevelChange, MarketUpdate, Published, TradePrint};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};
use units::{Amount, Id, Side};

use crate::client::Served;
use crate::fake::{amount, label, level, noon};

type Socket = WebSocketStream<TcpStream>;
/// Quantity by side and price, as texts.
type Levels = BTreeMap<(String, String), String>;

async fn connect(served: &Served) -> Result<Socket, Error> {
    let stream = TcpStream::connect(served.address).await.expect("it listens");
    client_async("ws://test/v1/ws", stream).await.map(|(socket, _)| socket)
}

async fn open(served: &Served) -> Socket {
    connect(served).await.expect("it upgrades")
}

async fn say(socket: &mut Socket, frame: &str) {
    socket.send(Message::text(frame)).await.expect("sent");
}

async fn hear(socket: &mut Socket) -> Value {
    loop {
        let message = timeout(Duration::from_secs(20), socket.next()).await.expect("in time");
        match message.expect("open").expect("a message") {
            Message::Text(text) => return serde_json::from_str(&text).expect("JSON"),
            Message::Ping(_) | Message::Pong(_) => {}
            other => panic!("unexpected {other:?}"),
        }
    }
}

fn update(sequences: (u64, u64), levels: &[(Side, &str, &str)]) -> MarketUpdate {
    let change = |&(side, price, quantity): &(Side, &str, &str)| LevelChange {
        side,
        price: amount(price),
        quantity: amount(quantity),
    };
    MarketUpdate {
        market: 1,
        prev_sequence: sequences.0,
        sequence: sequences.1,
        timestamp: noon(),
        levels: levels.iter().map(change).collect(),
        trades: vec![],
    }
}

fn batch(event: u64, update: MarketUpdate) -> Published {
    Published {
        first_sequence: event,
        last_sequence: event,
        groups: [].into(),
        updates: vec![update],
    }
}

fn set_book(served: &Served, event: u64, sequence: u64, sides: [&[(&str, &str)]; 2]) {
    let levels = |side: &[(&str, &str)]| side.iter().map(|(p, q)| level(p, q)).collect();
    let book = BookView {
        symbol: label("BTC/USDT"),
        sequence,
        bids: levels(sides[0]),
        asks: levels(sides[1]),
    };
    *served.port.book.lock().expect("no panic") = (event, Some(book));
}

/// What a client does with a snapshot or an update.
fn apply(book: &mut Levels, message: &Value) {
    if message["type"] == "snapshot" {
        book.clear();
    }
    for side in ["bids", "asks"] {
        for level in message[side].as_array().expect("levels") {
            let [price, quantity] = [&level[0], &level[1]].map(|it| it.as_str().expect("text"));
            let place = (side.to_owned(), price.to_owned());
            if quantity == "0" {
                book.remove(&place);
            } else {
                book.insert(place, quantity.to_owned());
            }
        }
    }
}

/// A batch that is published while the snapshot is taken arrives after it, once, and names it; then
/// every change names the one before, and replaying all gives the engine's book.
/// covers: SVC-60, SVC-61
#[tokio::test]
async fn snapshot_and_updates_give_the_book() {
    let served = Served::start().await;
    set_book(&served, 100, 7, [&[("50000", "1")], &[("50001", "2"), ("50002", "3")]]);
    // While the snapshot is asked for, a batch is handed out of which the snapshot has a part.
    let port = served.port.clone();
    *served.port.on_book.lock().expect("no panic") = Some(Box::new(move || {
        let levels = [(Side::Buy, "50000", "4"), (Side::Sell, "50001", "0")];
        port.publish(batch(101, update((5, 9), &levels)));
    }));
    let mut socket = open(&served).await;
    say(&mut socket, r#"{"method":"SUBSCRIBE","channels":["book.BTC-USDT"]}"#).await;
    let ack = hear(&mut socket).await;
    assert_eq!(ack, json!({"type":"subscribed","channel":"book","symbol":"BTC/USDT"}));
    let mut book = Levels::new();
    let snapshot = hear(&mut socket).await;
    assert_eq!((&snapshot["type"], &snapshot["sequence"]), (&json!("snapshot"), &json!(7)));
    apply(&mut book, &snapshot);
    let mut last = 7;
    for (event, sequences, levels) in [
        (102, (9, 10), &[(Side::Buy, "49999.5", "1")][..]),
        (103, (10, 14), &[(Side::Sell, "50002", "0.5"), (Side::Buy, "50000", "0")][..]),
    ] {
        served.port.publish(batch(event, update(sequences, levels)));
    }
    for sequence in [9, 10, 14] {
        let message = hear(&mut socket).await;
        assert_eq!(message["type"], "update");
        assert_eq!(message["symbol"], "BTC/USDT");
        assert_eq!(message["prev_sequence"], last);
        assert_eq!(message["sequence"], sequence);
        apply(&mut book, &message);
        last = sequence;
    }
    let expected = [("asks", "50002", "0.5"), ("bids", "49999.5", "1")]
        .map(|(side, price, quantity)| ((side.into(), price.into()), quantity.into()));
    assert_eq!(book, Levels::from(expected));
}

/// What the snapshot has already is not sent again.
#[tokio::test]
async fn nothing_is_told_twice() {
    let served = Served::start().await;
    set_book(&served, 200, 20, [&[("1", "1")], &[]]);
    let port = served.port.clone();
    *served.port.on_book.lock().expect("no panic") = Some(Box::new(move || {
        port.publish(batch(150, update((18, 20), &[(Side::Buy, "1", "1")])));
    }));
    let mut socket = open(&served).await;
    say(&mut socket, r#"{"action":"subscribe","channel":"book","symbol":"BTC/USDT"}"#).await;
    assert_eq!(hear(&mut socket).await["type"], "subscribed");
    assert_eq!(hear(&mut socket).await["sequence"], 20);
    served.port.publish(batch(201, update((20, 21), &[(Side::Buy, "1", "0")])));
    assert_eq!(hear(&mut socket).await["sequence"], 21);
}

#[tokio::test]
async fn trades_are_told_until_unsubscribed() {
    let served = Served::start().await;
    let mut socket = open(&served).await;
    let print = |number| TradePrint {
        trade_id: Id([number; 16]),
        price: amount("50000.5"),
        quantity: amount("0.1"),
        side: Side::Sell,
        executed_at: noon(),
    };
    let traded = |event, numbers: &[u8]| {
        let trades = numbers.iter().map(|&number| print(number)).collect();
        batch(event, MarketUpdate { trades, ..update((event, event + 1), &[]) })
    };
    say(&mut socket, r#"{"action":"subscribe","channel":"trades","symbol":"BTC-USDT"}"#).await;
    assert_eq!(hear(&mut socket).await["type"], "subscribed");
    served.port.publish(traded(1, &[1, 2]));
    for number in [1, 2] {
        let trade = hear(&mut socket).await;
        assert_eq!((&trade["type"], &trade["side"]), (&json!("trade"), &json!("SELL")));
        assert_eq!(trade["trade_id"], Id([number; 16]).to_string());
    }
    say(&mut socket, r#"{"method":"UNSUBSCRIBE","channels":["trades.BTC-USDT"]}"#).await;
    assert_eq!(hear(&mut socket).await["type"], "unsubscribed");
    served.port.publish(traded(2, &[3]));
    say(&mut socket, r#"{"method":"PING"}"#).await;
    assert_eq!(hear(&mut socket).await["type"], "pong");
}

/// A bad frame is told and the connection lives on; the good part of a frame counts.
#[tokio::test]
async fn bad_frames_are_told() {
    let served = Served::start().await;
    set_book(&served, 70, 1, [&[], &[]]);
    let mut socket = open(&served).await;
    for bad in [
        "",
        "{",
        "7",
        r#"{"method":"SUBSCRIBE","channels":[]}"#,
        r#"{"method":"SUBSCRIBE","channels":["orders.BTC-USDT"]}"#,
        r#"{"action":"subscribe","channel":"book","symbol":"1' OR '1'='1"}"#,
    ] {
        say(&mut socket, bad).await;
        let error = hear(&mut socket).await;
        assert_eq!(
            (&error["type"], &error["error"]["code"]),
            (&json!("error"), &json!("INVALID_SCHEMA")),
            "{bad}"
        );
    }
    socket.send(Message::binary(vec![1, 2, 3])).await.expect("sent");
    assert_eq!(hear(&mut socket).await["type"], "error");
    say(&mut socket, r#"{"method":"SUBSCRIBE","channels":["book.XRP-USDT","book.BTC-USDT"]}"#)
        .await;
    assert_eq!(hear(&mut socket).await["error"]["code"], "SYMBOL_NOT_FOUND");
    assert_eq!(hear(&mut socket).await["type"], "subscribed");
    assert_eq!(hear(&mut socket).await["type"], "snapshot");
    say(&mut socket, r#"{"method":"SUBSCRIBE","channels":["book.BTC-USDT"]}"#).await;
    assert_eq!(hear(&mut socket).await["error"]["code"], "INVALID_SCHEMA", "subscribed already");
}

/// The eleventh connection of an address is refused, and its place is free again when one ends.
#[tokio::test]
async fn an_address_has_ten_connections() {
    let served = Served::start().await;
    let mut sockets = Vec::new();
    for _ in 0..10 {
        sockets.push(open(&served).await);
    }
    match connect(&served).await {
        Err(Error::Http(response)) => assert_eq!(response.status().as_u16(), 429),
        other => panic!("{other:?}"),
    }
    let mut last = sockets.pop().expect("ten");
    last.close(None).await.expect("closed");
    while !matches!(last.next().await, None | Some(Err(_))) {}
    let free = timeout(Duration::from_secs(20), async {
        while connect(&served).await.is_err() {
            tokio::task::yield_now().await;
        }
    });
    free.await.expect("the place is free again");
}

/// A reader who takes nothing is dropped with a reason, and the others hear everything.
#[tokio::test]
async fn a_slow_reader_is_dropped_alone() {
    let served = Served::start().await;
    set_book(&served, 70, 0, [&[], &[]]);
    let (mut slow, mut quick) = (open(&served).await, open(&served).await);
    for socket in [&mut slow, &mut quick] {
        say(socket, r#"{"method":"SUBSCRIBE","channels":["book.BTC-USDT"]}"#).await;
        assert_eq!(hear(socket).await["type"], "subscribed");
        assert_eq!(hear(socket).await["type"], "snapshot");
    }
    // Large enough that sockets fill, many enough that the queue does.
    let levels: Vec<LevelChange> = (1..2_000)
        .map(|price| LevelChange {
            side: Side::Buy,
            price: Amount::from_units(price),
            quantity: Amount::ONE,
        })
        .collect();
    let count = 5_000;
    for sequence in 0..count {
        let update =
            MarketUpdate { levels: levels.clone(), ..update((sequence, sequence + 1), &[]) };
        served.port.publish(batch(sequence + 1, update));
        assert_eq!(hear(&mut quick).await["sequence"], sequence + 1);
    }
    let mut reason = None;
    while let Some(Ok(message)) = slow.next().await {
        if let Message::Close(Some(frame)) = message {
            reason = Some((frame.code, frame.reason.to_string()));
        }
    }
    // The close frame itself may be lost behind what the socket could not take.
    if let Some((code, text)) = reason {
        assert_eq!((code, text.contains("fell behind")), (CloseCode::Policy, true));
    }
    let figures = served.anonymous("get", "/metrics", "").await.text;
    assert!(figures.contains("dex_ws_slow_readers_total{role=\"gateway\"} 1"), "{figures}");
}

/// Silence is pinged and then cut: this client reads and never answers a ping.
#[tokio::test]
async fn a_silent_stream_is_cut() {
    let idle = Duration::from_millis(400);
    let served = Served::start_with(|config| config.request_time = idle).await;
    let mut stream = TcpStream::connect(served.address).await.expect("it listens");
    let upgrade = "GET /v1/ws HTTP/1.1\r\nhost: t\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
        sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(upgrade.as_bytes()).await.expect("sent");
    let began = Instant::now();
    let mut bytes = Vec::new();
    let cut = timeout(Duration::from_secs(20), stream.read_to_end(&mut bytes)).await;
    cut.expect("it is cut").expect("with an end");
    assert!(began.elapsed() >= idle);
    assert!(bytes.starts_with(b"HTTP/1.1 101 "));
    assert!(bytes.windows(2).any(|frame| frame == [0x89, 0]), "a ping came first");
}

#[tokio::test]
async fn a_stop_says_so() {
    let served = Served::start().await;
    let mut socket = open(&served).await;
    say(&mut socket, r#"{"method":"PING"}"#).await;
    assert_eq!(hear(&mut socket).await["type"], "pong");
    let hearing = tokio::spawn(async move {
        while let Some(Ok(message)) = socket.next().await {
            if let Message::Close(Some(frame)) = message {
                return Some(frame.code);
            }
        }
        None
    });
    timeout(Duration::from_secs(4), served.stop()).await.expect("it drains");
    assert_eq!(hearing.await.expect("no panic"), Some(CloseCode::Away));
}
