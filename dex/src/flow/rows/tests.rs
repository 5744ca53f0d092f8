//! Every way in which a line of a recording can be wrong.

use super::*;

/// Reads a recording whose tables have these lines behind their headers.
fn load(orders: &str, trades: &str, books: &str) -> anyhow::Result<Recording> {
    let folder = tempfile::tempdir().expect("a folder");
    let table = |name: &str, columns: &[&str], lines: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("{}\n{lines}", columns.join(","))).expect("written");
        path
    };
    Recording::load(
        &table("orders.csv", ORDER_COLUMNS, orders),
        &table("trades.csv", TRADE_COLUMNS, trades),
        &table("books.csv", BOOK_COLUMNS, books),
    )
}

const ORDERS: &str = "1,9300003,NEW,7,BUY,10.00,100\n5,15000000,CANCEL,7,BUY,,\n";

#[test]
fn a_sound_recording_is_read() {
    let books = "1,BUY,1,10,100,1\n5,SELL,1,11,1,1\n5,SELL,2,12.5,1,1\n";
    let recording = load(ORDERS, "5,7,8,10,50\n", books).expect("sound");
    let [placed, canceled] = recording.orders.as_slice() else { panic!("two orders") };
    assert_eq!((placed.seq, placed.line, placed.order_id), (1, 2, 7));
    assert_eq!(placed.time, ((9 * 60 + 30) * 60 * 100 + 3) * 10_000_000);
    assert_eq!((canceled.action, canceled.time), (Action::Cancel, 15 * 3_600 * 1_000_000_000));
    let points: Vec<_> =
        recording.books.iter().map(|point| (point.after_seq, point.line)).collect();
    assert_eq!(points, [(1, 2), (5, 3)]);
    assert_eq!(recording.books[1].depth[index(Side::Sell)].len(), 2);
    assert_eq!(recording.trades[0].maker_order_id, 8);
}

#[test]
fn a_wrong_order_is_told_with_line_and_column() {
    for (lines, wanted) in [
        ("", "has no order"),
        ("0,9300003,NEW,7,BUY,10,1\n", "line 2: seq \"0\" is not above the one before, 0"),
        ("x,9300003,NEW,7,BUY,10,1\n", "seq \"x\" is no whole number"),
        ("1,9600003,NEW,7,BUY,10,1\n", "time \"9600003\" is no time"),
        ("1,930000,NEW,7,BUY,10,1\n", "is no time"),
        ("1,24000000,NEW,7,BUY,10,1\n", "is no time"),
        ("1,-9300003,NEW,7,BUY,10,1\n", "is no time"),
        ("1,9300003,MOVE,7,BUY,10,1\n", "op \"MOVE\" is neither NEW nor CANCEL"),
        ("1,9300003,NEW,7,buy,10,1\n", "side \"buy\" is neither"),
        ("1,9300003,NEW,7,BUY,,1\n", "price \"\" is not a decimal"),
        ("1,9300003,NEW,7,BUY,1e3,1\n", "price \"1e3\" is not a decimal"),
        ("1,9300003,NEW,7,BUY,0.00,1\n", "price \"0.00\" is not above zero"),
        ("1,9300003,NEW,7,BUY,10,-1\n", "quantity \"-1\" is not above zero"),
        ("1,9300003,NEW,7,BUY,10,1000000000000000000\n", "10^18 or more"),
        ("1,9300003,CANCEL,7,BUY,,\n", "order_id \"7\" is canceled, and no line before"),
        (
            "1,9300003,NEW,7,BUY,10,1\n2,9300002,NEW,8,BUY,1,1\n",
            "line 3: time \"9300002\" is before",
        ),
        ("1,9300003,NEW,7,BUY,10,1\n2,9300003,NEW,7,BUY,1,1\n", "already placed in line 2"),
        ("1,9300003,NEW,7,BUY,10,1\n1,9300003,NEW,8,BUY,1,1\n", "not above the one before, 1"),
        ("1,9300003,NEW,7,BUY,10,1\n2,9300003,CANCEL,7,SELL,,\n", "not the side of line 2, BUY"),
        ("1,9300003,NEW,7,BUY,10,1\n2,9300003,CANCEL,7,BUY,,1\n", "quantity \"1\" must be empty"),
    ] {
        let fault = format!("{:#}", load(lines, "", "").expect_err(wanted));
        assert!(fault.contains("orders.csv") && fault.contains(wanted), "{fault} / {wanted}");
    }
}

#[test]
fn a_wrong_expectation_is_told_with_line_and_column() {
    for (trades, books, wanted) in [
        ("1,2,3,4\n", "", "trades.csv line 2: the line has 4 fields"),
        ("1,2,3,0,1\n", "", "trades.csv line 2: price \"0\" is not above zero"),
        ("", "1,BUY,2,10,1,1\n", "books.csv line 2: level \"2\" is not the next of 1 to 10, 1"),
        ("", "1,BUY,1,10,1,0\n", "orders \"0\" is not above zero"),
        ("", "5,BUY,1,10,1,1\n1,BUY,1,10,1,1\n", "line 3: after_seq \"1\" is below"),
        ("", "6,BUY,1,10,1,1\n", "line 2: after_seq 6 is behind the last order, 5"),
    ] {
        let fault = format!("{:#}", load(ORDERS, trades, books).expect_err(wanted));
        assert!(fault.contains(wanted), "{fault} / {wanted}");
    }
    let eleven: String = (1..=11).map(|level| format!("1,BUY,{level},10,1,1\n")).collect();
    let fault = format!("{:#}", load(ORDERS, "", &eleven).expect_err("eleven levels"));
    assert!(fault.contains("line 12: level \"11\""), "{fault}");
}
