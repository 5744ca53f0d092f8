//! One time from the stamp to the client, to the nanosecond.

use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;
use tungstenite::{Message, client};

use crate::process::{Dex, dex, order, output, token};

/// The objects of a `dex log --json` of a folder that nobody has open.
fn objects(folder: &std::path::Path, more: &[&str]) -> Vec<Value> {
    let mut command = dex(folder);
    let (done, text) = output(command.args(["log", "data", "--json"]).args(more));
    assert!(done.status.success(), "{text}");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn nanos(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("nanoseconds: {value}"))
}

/// Each trade has the very same nanosecond in the answer about it, on the stream and in the stored events, which
/// lie as many nanoseconds behind the stored stamp of their command as they have events of it in front. None of
/// the steps rounds: their last digits are of every kind.
/// covers: TIME-4, TIME-63
#[test]
fn no_step_rounds_a_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let dex = Dex::start(folder.path(), &[]);
    dex.list();
    let accounts = ["ann", "bob"].map(|name| dex.open(name));
    let tokens = accounts.each_ref().map(|id| token(folder.path(), &["--account", id]));
    let stream = TcpStream::connect(&dex.address).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("set");
    let (mut socket, _) = client("ws://dex/v1/ws", stream).expect("it upgrades");
    let frame = r#"{"method":"SUBSCRIBE","channels":["trades.BTC-USDT"]}"#;
    socket.send(Message::text(frame)).expect("sent");
    let mut hear = || -> Value {
        loop {
            if let Message::Text(text) = socket.read().expect("a message") {
                return serde_json::from_str(&text).expect("JSON");
            }
        }
    };
    assert_eq!(hear()["type"], "subscribed");
    let mut orders = Vec::new();
    for _ in 0..20 {
        for (token, side) in tokens.iter().zip(["BUY", "SELL"]) {
            let (status, placed) =
                dex.call(("POST", "/v1/orders"), token, &order(side, "0.5", "100"));
            assert_eq!(status, 201, "{placed}");
            orders.push((placed["order_id"].as_str().expect("an id").to_owned(), token));
        }
    }
    let told: Vec<Value> = (0..20).map(|_| hear()).collect();
    let get = |path: String, token: &str| {
        let (status, answer) = dex.call(("GET", &path), token, &Value::Null);
        assert_eq!(status, 200, "{answer}");
        answer
    };
    let path = format!("/v1/accounts/{}/trades?limit=100", accounts[0]);
    let trades = get(path, &tokens[0])["trades"].as_array().expect("a list").clone();
    let shown: Vec<Value> =
        orders.iter().map(|(id, token)| get(format!("/v1/orders/{id}"), token)).collect();
    assert!(dex.terminate().success());
    let events = objects(folder.path(), &[]);
    let commands = objects(folder.path(), &["--commands"]);
    let find = |id: &Value| events.iter().find(|event| event["event_id"] == *id).expect("stored");
    assert_eq!((trades.len(), told.len()), (20, 20));
    let mut digits = std::collections::BTreeSet::new();
    for (trade, message) in trades.iter().zip(&told) {
        let stored = find(&trade["trade_id"]);
        let time = nanos(&stored["timestamp"]);
        assert_eq!(message["trade_id"], trade["trade_id"]);
        assert_eq!(nanos(&trade["executed_at_nanos"]), time);
        assert_eq!(nanos(&message["timestamp_nanos"]), time);
        assert_eq!(nanos(&stored["payload"]["executed_at_nanos"]), time);
        let number = &stored["metadata"]["command_sequence"];
        let command = commands.iter().find(|it| it["sequence"] == *number).expect("stored");
        let of_command = |event: &&Value| event["metadata"]["command_sequence"] == *number;
        let first = events.iter().find(of_command).expect("its first event");
        let before = nanos(&stored["sequence"]) - nanos(&first["sequence"]);
        assert_eq!(time, nanos(&command["stamp"]) + before, "{command}");
        digits.insert(time % 1_000);
    }
    for order in &shown {
        let stored = find(&order["order_id"]);
        assert_eq!(nanos(&order["created_at_nanos"]), nanos(&stored["timestamp"]));
        digits.insert(nanos(&stored["timestamp"]) % 1_000);
    }
    assert!(digits.len() > 10, "below a microsecond they differ: {digits:?}");
}
