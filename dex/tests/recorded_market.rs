//! `dex flow` as its user runs it: a recorded morning, twelve recorded hours, a small recording and a
//! small tape written by hand, and what it says when an expectation or a file is wrong.
//!
//! What was recorded lies outside the repository: in the folder `DEX_DATA`, or beside the repository in
//! `shared/data`. Where it is absent the test says so and passes, unless `DEX_DATA_REQUIRED=1`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder with the three tables of a recording.
struct Tables(tempfile::TempDir);

impl Tables {
    /// The recording by hand.
    fn new() -> Self {
        let tables = Self(tempfile::tempdir().expect("a folder"));
        tables.write("orders.csv", ORDERS);
        tables.write("trades.csv", TRADES);
        tables.write("books.csv", BOOKS);
        tables
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("written");
    }

    /// Replaces a part of a table.
    fn replace(&self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(name)).expect("there");
        assert!(text.contains(from), "{name} has no {from}");
        self.write(name, &text.replace(from, to));
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn flow(&self, more: &[&str]) -> Output {
        flow(&self.path("orders.csv"), &self.path("trades.csv"), &self.path("books.csv"), more)
    }
}

fn flow(orders: &Path, trades: &Path, books: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dex"));
    command.arg("flow").arg(orders).arg("--expect").arg(trades).arg("--books").arg(books);
    command.args(more).output().expect("the binary runs")
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

fn last_line(output: &Output) -> String {
    out(output).lines().last().unwrap_or_default().to_owned()
}

/// A folder of recorded data, or nothing where it is absent and need not be there.
fn recorded(name: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folder = env::var_os("DEX_DATA").map_or(beside, PathBuf::from).join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    let required = env::var_os("DEX_DATA_REQUIRED").is_some_and(|value| value == "1");
    assert!(!required, "DEX_DATA_REQUIRED=1, and there is no {}", folder.display());
    eprintln!("SKIPPED: no recorded market in {}; DEX_DATA names its folder", folder.display());
    None
}

fn tape(path: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dex"));
    command.arg("flow").arg("--bitstamp").arg(path).args(more).output().expect("the binary runs")
}

/// Price-time priority in five trades, a cancel, and one that comes too late: two sells at 10.02 behind
/// one at 10.01, a buy that takes from both levels in order, and one that rests with what is left.
const ORDERS: &str = include_str!("by_hand/orders.csv");

const TRADES: &str = include_str!("by_hand/trades.csv");

/// The point 6 lies between two commands, and 10 is the end.
const BOOKS: &str = include_str!("by_hand/books.csv");

/// covers: TRADE-5, TRADE-7
#[test]
fn a_recording_by_hand_comes_out_equal() {
    let output = Tables::new().flow(&[]);
    assert_eq!(last_line(&output), "trades 5 of 5, books 4 of 4", "{}", err(&output));
    assert!(output.status.success());
    assert!(out(&output).contains("1 cancels came after the end of their order"));
    assert_eq!(err(&output), "", "no bar where nobody looks");
}

#[test]
fn json_is_one_object() {
    let output = Tables::new().flow(&["--json"]);
    let object: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(object["equal"], true);
    assert_eq!((&object["trades"]["equal"], &object["trades"]["of"]), (&5.into(), &5.into()));
    assert_eq!((&object["books"]["equal"], &object["books"]["of"]), (&4.into(), &4.into()));
    assert!(output.status.success());
}

/// Whatever column is expected otherwise, the status tells.
#[test]
fn a_wrong_expectation_is_shown_and_fails() {
    for (table, from, to, line, shown) in [
        (
            "trades.csv",
            "5,22,11,10.02,5",
            "5,22,12,10.02,5",
            "trades 4 of 5, books 4 of 4",
            "line 3",
        ),
        ("trades.csv", "10,14,23,10.02,1\n", "", "trades 4 of 5, books 4 of 4", "nothing"),
        (
            "trades.csv",
            "8,23,12,10.02,5",
            "8,23,12,10.02,4",
            "trades 4 of 5, books 4 of 4",
            "line 5",
        ),
        (
            "books.csv",
            "4,SELL,2,10.02,12,2",
            "4,SELL,2,10.02,12,3",
            "trades 5 of 5, books 3 of 4",
            "SELL level 2",
        ),
        (
            "books.csv",
            "10,BUY,1,10.02,2,1\n",
            "10,BUY,1,10.02,2,1\n10,BUY,2,9,1,1\n",
            "trades 5 of 5, books 3 of 4",
            "BUY level 2",
        ),
    ] {
        let tables = Tables::new();
        tables.replace(table, from, to);
        let output = tables.flow(&[]);
        assert_eq!(last_line(&output), line);
        assert_eq!(output.status.code(), Some(3));
        assert!(out(&output).contains(shown), "{}", out(&output));
    }
}

/// A wrong line stops with file and line; so does an order that the exchange does not take.
#[test]
fn a_wrong_file_is_refused_with_its_line() {
    for (table, from, to, shown) in [
        (
            "orders.csv",
            "4,9300002,NEW,21",
            "4,9300002,NEW",
            "orders.csv line 5: the line has 6 fields",
        ),
        (
            "orders.csv",
            "10.01,3",
            "10.015,3",
            "orders.csv line 4: the exchange did not take command 3: INVALID_PRICE",
        ),
        ("orders.csv", "10.01,3", "10.01,0.5", "INVALID_QUANTITY"),
        ("trades.csv", "maker_order_id", "maker", "trades.csv line 1: the first line must be"),
        ("books.csv", "8,BUY", "8,BID", "books.csv line 7: side \"BID\""),
    ] {
        let tables = Tables::new();
        tables.replace(table, from, to);
        let output = tables.flow(&[]);
        assert_eq!(output.status.code(), Some(1), "{}", out(&output));
        assert!(err(&output).contains(shown), "{}", err(&output));
    }
    let tables = Tables::new();
    fs::remove_file(tables.path("books.csv")).expect("there");
    assert!(err(&tables.flow(&[])).contains("cannot open"));
    assert_eq!(Tables::new().flow(&["--tick", "0"]).status.code(), Some(2));
}

/// Shanghai 600519 on the morning of 2023-02-07: every trade of the exchange, and 36 books.
/// covers: TRADE-7
#[test]
fn the_shanghai_morning_comes_out_exactly() {
    let Some(folder) = recorded("l3_sse_am") else { return };
    let file = |name: &str| folder.join(name);
    let output = flow(&file("orders.csv.gz"), &file("trades.csv.gz"), &file("books.csv.gz"), &[]);
    let line = "trades 11203 of 11203, books 36 of 36";
    assert_eq!(last_line(&output), line, "{}{}", out(&output), err(&output));
    assert!(output.status.success());
}

/// A tape by hand: an order that predates it, one that trades on its way through two levels, one that is
/// canceled, and a price that no market with this tick has.
const TAPE: &str = r#"86400000 order_created {"price": "10.01", "amount": "2.0", "id": 2, "order_type": 1}
86400001 order_created {"price": "10.02", "amount": "3.0", "id": 3, "order_type": 0}
86400002 order_changed {"price": "10.02", "amount": "1.0", "id": 3, "order_type": 0}
86400002 order_deleted {"price": "10.01", "amount": "0.0", "id": 2, "order_type": 1}
86400003 trade {"price": 10.01, "amount": 2.0, "id": 1}
86400004 order_book {"bids": [["10.02", "1.0"]], "asks": [["10.03", "4.0"]]}
86400005 order_changed {"price": "10.03", "amount": "1.0", "id": 3, "order_type": 0}
86400006 order_changed {"price": "10.03", "amount": "3.0", "id": 1, "order_type": 1}
86400006 order_deleted {"price": "10.03", "amount": "0.0", "id": 3, "order_type": 0}
86400007 trade {"price": 10.03, "amount": 1.0, "id": 2}
86400008 order_created {"price": "10.025", "amount": "1.0", "id": 4, "order_type": 0}
86400009 order_book {"bids": [["10.00", "1.0"]], "asks": [["10.03", "3.0"]]}
86400010 order_deleted {"price": "10.03", "amount": "3.0", "id": 1, "order_type": 1}
"#;

#[test]
fn a_tape_by_hand_happens_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tape.log");
    fs::write(&path, TAPE).expect("written");
    let output = tape(&path, &[]);
    let line = "orders 4 of 4, book crossed after 0 of 8 commands";
    assert_eq!(last_line(&output), line, "{}{}", out(&output), err(&output));
    assert!(output.status.success());
    let text = out(&output);
    for shown in [
        "not sent  1 not valid (1 price between two ticks), 0 that predate",
        "filled    2 orders that the tape filled had traded whole, 0 in part or not",
        "trades    2 of 2, volume 3 of 3: 100.0 %",
        "books     the best buyer is equal at 1 of 2: 50.0 %",
        "books     the best seller is equal at 2 of 2: 100.0 %",
    ] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    fs::write(&path, TAPE.replacen("order_book", "quote", 1)).expect("written");
    let wrong = tape(&path, &[]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(
        err(&wrong).contains("tape.log line 6: \"quote\" is no kind of row"),
        "{}",
        err(&wrong)
    );
    assert_eq!(tape(&path, &["--books", "books.csv"]).status.code(), Some(2));
}

/// Bitstamp BTC/USD from 2015-05-01 00:00 to 12:00. All that was sent is valid and none of it is refused,
/// the book that the events tell of is looked at behind every command, and every asset is conserved: the
/// command fails if one is not. The rest is no criterion of the exchange. It shows that the tape was
/// followed, for a replay that lost its thread would be no market to soak in.
#[test]
fn twelve_hours_of_bitstamp_are_taken_and_never_cross() {
    let Some(folder) = recorded("l3_bitstamp_btcusd") else { return };
    let output = tape(&folder.join("bitstamp_btcusd_20150501_00h-12h.log.zst"), &["--json"]);
    assert!(output.status.success(), "{}{}", out(&output), err(&output));
    let object: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let count = |path: &str| {
        object.pointer(path).and_then(serde_json::Value::as_u64).unwrap_or_else(|| panic!("{path}"))
    };
    // 61,923 that the tape created, 254 that were there before, 151 that moved.
    assert_eq!((count("/orders/sent"), count("/orders/accepted")), (62_328, 62_328), "{object}");
    assert_eq!((count("/orders/refused"), count("/crossed")), (0, 0), "{object}");
    assert_eq!(object["not_sent"]["invalid"], serde_json::json!({}));
    let cancels = ["canceled", "filled", "moved"]
        .map(|name| count(&format!("/{name}/done")) + count(&format!("/{name}/late")));
    assert_eq!(
        count("/looks"),
        62_328 + cancels.iter().sum::<u64>(),
        "one look behind each command"
    );
    assert!(count("/trades") > 1_900, "{object}");
    let books = count("/tape/books");
    for side in ["buyer", "seller"] {
        let equal = count(&format!("/best_equal/{side}"));
        assert!(equal * 100 > books * 95, "the best {side} is equal at {equal} of {books}");
    }
}
