//! A subscriber who replays the stream has the exchange's book.

use std::collections::BTreeMap;
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;
use tungstenite::{Message, WebSocket, client};

use crate::process::{Dex, order, token};

/// Quantity by side and price, as texts.
type Levels = BTreeMap<(String, String), String>;

fn hear(socket: &mut WebSocket<TcpStream>) -> Value {
    loop {
        if let Message::Text(text) = socket.read().expect("a message") {
            return serde_json::from_str(&text).expect("JSON");
        }
    }
}

fn apply(book: &mut Levels, message: &Value) {
    for side in ["bids", "asks"] {
        for level in message[side].as_array().expect("levels") {
            let [price, quantity] = [0, 1].map(|at| level[at].as_str().expect("text").to_owned());
            if quantity == "0" {
                book.remove(&(side.to_owned(), price));
            } else {
                book.insert((side.to_owned(), price), quantity);
            }
        }
    }
}

/// Orders rest, fill and go while a subscriber listens from the middle on; at the end both have the same
/// book, and no update was missing between two.
/// covers: SVC-60, SVC-61
#[test]
fn the_stream_gives_the_book() {
    let folder = tempfile::tempdir().expect("a folder");
    let dex = Dex::start(folder.path(), &[]);
    dex.list();
    let account = dex.open("a");
    let other = dex.open("b");
    let tokens = [account, other].map(|id| token(folder.path(), &["--account", &id]));
    let place = |who: usize, side: &str, quantity: &str, price: &str| {
        let body = order(side, quantity, price);
        let (status, placed) = dex.call(("POST", "/v1/orders"), &tokens[who], &body);
        assert_eq!(status, 201, "{placed}");
        placed["order_id"].as_str().expect("an id").to_owned()
    };
    place(0, "BUY", "1", "99.5");
    place(0, "SELL", "1", "101");

    let stream = TcpStream::connect(&dex.address).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("set");
    let (mut socket, _) = client("ws://dex/v1/ws", stream).expect("it upgrades");
    let frame = r#"{"method":"SUBSCRIBE","channels":["book.BTC-USDT"]}"#;
    socket.send(Message::text(frame)).expect("sent");
    assert_eq!(hear(&mut socket)["type"], "subscribed");
    let mut book = Levels::new();
    let snapshot = hear(&mut socket);
    assert_eq!(snapshot["type"], "snapshot");
    apply(&mut book, &snapshot);

    for step in 0..40 {
        let price = format!("{}", 95 + step % 5);
        let gone = place(0, "BUY", "0.5", &price);
        if step % 3 == 0 {
            dex.call(("DELETE", &format!("/v1/orders/{gone}")), &tokens[0], &Value::Null);
        }
        if step % 4 == 0 {
            place(1, "SELL", "0.7", "95");
        }
    }
    let path = "/v1/market/book?symbol=BTC-USDT&depth=5000";
    let (_, shown) = dex.call(("GET", path), "", &Value::Null);
    let mut last = snapshot["sequence"].as_u64().expect("a count");
    let end = shown["sequence"].as_u64().expect("a count");
    while last < end {
        let update = hear(&mut socket);
        assert_eq!((&update["type"], &update["symbol"]), (&"update".into(), &"BTC/USDT".into()));
        assert_eq!(update["prev_sequence"], last);
        last = update["sequence"].as_u64().expect("a count");
        apply(&mut book, &update);
    }
    let mut expected = Levels::new();
    apply(&mut expected, &shown);
    assert_eq!(book, expected);
    assert!(book.len() > 3, "{book:?}");
}
