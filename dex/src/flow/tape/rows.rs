//! The lines of a Bitstamp tape: what was captured, when.
//!
//! A line is milliseconds since 1970, the kind of the row and a JSON object. Invariant: time never goes
//! back. What is no such line is refused with its number; whether an order could be placed on an
//! exchange is not asked here but in `script.rs`, where it is counted.

use std::path::Path;

use anyhow::bail;
use serde::Deserialize;
use units::{Amount, Side};

use super::super::input::{Lines, at};
use super::super::venue::Best;

/// A row of the tape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Line in the file.
    pub(super) line: u64,
    /// Nanoseconds since the midnight before the first row.
    pub(super) time: i64,
    /// What happened.
    pub(super) what: What,
}

/// What a row tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// An order came in; the quantity is the whole.
    Created(Captured),
    /// A part of it traded, or its price moved; the quantity is what is left.
    Changed(Captured),
    /// It ended: of a quantity of zero by a trade, else canceled.
    Deleted(Captured),
    /// A trade of this quantity.
    Trade(Amount),
    /// The best prices of a captured book.
    Book(Best),
}

/// An order as a row shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Captured {
    /// Bitstamp's number of the order.
    pub(super) id: u64,
    /// BUY or SELL.
    pub(super) side: Side,
    /// Price.
    pub(super) price: Amount,
    /// What is left of it.
    pub(super) quantity: Amount,
}

/// Reads a tape.
///
/// # Errors
/// The first line that is wrong, and what is wrong with it.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<Row>> {
    let mut lines = Lines::open(path, LINE_SIZE_MAX)?;
    let mut rows: Vec<Row> = Vec::new();
    let (mut midnight, mut last) = (None, 0);
    while let Some((line, text)) = lines.next()? {
        let (time, what) = parse(text).map_err(|wrong| at(path, line, &wrong))?;
        if time < last {
            return Err(at(path, line, "is before the time of the line before"));
        }
        last = time;
        let midnight = *midnight.get_or_insert(time - time % DAY);
        rows.push(Row { line, time: (time - midnight) * NANOSECONDS, what });
    }
    if rows.is_empty() {
        bail!("{} is empty: there is nothing to replay", path.display());
    }
    Ok(rows)
}

fn parse(text: &str) -> Result<(i64, What), String> {
    let mut parts = text.splitn(3, ' ');
    let mut part = || parts.next().ok_or("the line is not TIME KIND OBJECT");
    let (time, kind, object) = (part()?, part()?, part()?);
    let time = time.parse().ok().filter(|time| (0..TIME_END).contains(time));
    let time = time.ok_or("the line does not begin with milliseconds since 1970")?;
    let what = match kind {
        "order_created" => What::Created(order(object)?),
        "order_changed" => What::Changed(order(object)?),
        "order_deleted" => What::Deleted(order(object)?),
        "trade" => What::Trade(trade(object)?),
        "order_book" => What::Book(book(object)?),
        _ => return Err(format!("\"{}\" is no kind of row", kind.escape_debug())),
    };
    Ok((time, what))
}

fn order(text: &str) -> Result<Captured, String> {
    let row: OrderObject<'_> = object(text)?;
    let side = match row.order_type {
        0 => Side::Buy,
        1 => Side::Sell,
        other => return Err(format!("order_type {other} is neither 0, a buy, nor 1, a sell")),
    };
    let (price, quantity) = (amount("price", row.price)?, amount("amount", row.amount)?);
    Ok(Captured { id: row.id, side, price, quantity })
}

/// The quantity of a trade is a JSON number, which came out of a float: 1.7885566900000001 is
/// 1.78855669, so it is rounded to what Bitstamp trades in.
fn trade(text: &str) -> Result<Amount, String> {
    let row: TradeObject = object(text)?;
    amount("amount", &format!("{:.8}", row.amount))
}

fn book(text: &str) -> Result<Best, String> {
    let row: BookObject<'_> = object(text)?;
    let best = |levels: &[[&str; 2]]| {
        levels.first().map(|[price, _]| amount("a price of the book", price)).transpose()
    };
    Ok([best(&row.bids)?, best(&row.asks)?])
}

fn object<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|fault| format!("the object of the line is wrong: {fault}"))
}

fn amount(name: &str, text: &str) -> Result<Amount, String> {
    text.parse().map_err(|fault| format!("{name} \"{}\" is {fault}", text.escape_debug()))
}

#[derive(Deserialize)]
struct OrderObject<'a> {
    id: u64,
    order_type: u64,
    price: &'a str,
    amount: &'a str,
}

#[derive(Deserialize)]
struct TradeObject {
    amount: f64,
}

#[derive(Deserialize)]
struct BookObject<'a> {
    #[serde(borrow)]
    bids: Vec<[&'a str; 2]>,
    #[serde(borrow)]
    asks: Vec<[&'a str; 2]>,
}

/// Bytes of a line with its end: a captured book has forty levels, about 1,100 bytes.
const LINE_SIZE_MAX: u64 = 65_536;
/// Milliseconds of a day.
const DAY: i64 = 86_400_000;
/// Nanoseconds of a millisecond.
const NANOSECONDS: i64 = 1_000_000;
/// The year 2100 in milliseconds since 1970.
const TIME_END: i64 = 4_102_444_800_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> anyhow::Result<Vec<Row>> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("tape.log");
        std::fs::write(&path, text).expect("written");
        read(&path)
    }

    fn units(text: &str) -> Amount {
        text.parse().expect("a decimal")
    }

    #[test]
    fn every_kind_of_row_is_read() {
        let order = r#"{"price": "10.05", "amount": "2.50000000", "id": 7, "order_type": 1}"#;
        let text = format!(
            "86400001 order_created {order}\n86400001 order_changed {order}\n\
             86400002 trade {{\"price\": 10.05, \"amount\": 1.7885566900000001, \"id\": 1}}\n\
             172800000 order_deleted {order}\n\
             172800001 order_book {{\"bids\": [[\"10.04\", \"1\"]], \"asks\": []}}"
        );
        let captured =
            Captured { id: 7, side: Side::Sell, price: units("10.05"), quantity: units("2.5") };
        let whats = [
            What::Created(captured),
            What::Changed(captured),
            What::Trade(units("1.78855669")),
            What::Deleted(captured),
            What::Book([Some(units("10.04")), None]),
        ];
        let rows = read_text(&text).expect("sound");
        assert_eq!(rows.iter().map(|row| row.what.clone()).collect::<Vec<_>>(), whats);
        let times: Vec<i64> = rows.iter().map(|row| row.time / NANOSECONDS).collect();
        assert_eq!(times, [1, 1, 2, DAY, DAY + 1]);
        assert_eq!(rows[4].line, 5);
    }

    #[test]
    fn what_is_no_row_is_told_with_its_line() {
        let sound = r#"5 order_created {"price": "1", "amount": "1", "id": 7, "order_type": 0}"#;
        for (line, wanted) in [
            ("", "line 2: the line is not TIME KIND OBJECT"),
            ("x trade {}", "milliseconds since 1970"),
            ("9 quote {}", "line 2: \"quote\" is no kind of row"),
            ("9 trade {}", "missing field `amount`"),
            (&sound.replace("\"1\"", "\"1e3\""), "line 2: price \"1e3\" is"),
            (&sound.replace(": 0", ": 2"), "order_type 2 is neither"),
            (&sound.replace('5', "4"), "line 2: is before the time"),
        ] {
            let fault = read_text(&format!("{sound}\n{line}\n")).expect_err(wanted);
            assert!(fault.to_string().contains(wanted), "{fault} / {wanted}");
        }
        assert!(read_text("").expect_err("empty").to_string().contains("is empty"));
    }
}
