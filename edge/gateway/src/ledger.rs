//! GET of what moved an account's balances, and of all fees it ever paid as CSV (FEE-44).
//!
//! The CSV is drawn up part by part while it is sent: as long as it may be, it costs no more memory than
//! two parts of a list. A fault on the way ends the connection in the middle, which no client can take
//! for the end of the file.

use std::fmt::Write as _;
use std::io;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http_body_util::channel::{Channel, Sender};
use port::{Cursor, LedgerEntryView, Listed, PAGE_LIMIT_MAX, Page, Period, Query, TradeView, View};
use schema::{Label, UpdateReason};
use units::{Amount, Id, Rate, Rounding, Timestamp, mul_div};

use crate::answer::{Object, json};
use crate::caller::Trader;
use crate::door::Door;
use crate::error::ApiError;
use crate::pages::{fault_of, part, unanswered};
use crate::params::{Params, PathId};
use crate::trades::push_posting;

/// GET /v1/accounts/{id}/ledger: what moved the account's balances, oldest first.
pub(crate) async fn entries(
    State(door): State<Arc<Door>>,
    trader: Trader,
    PathId(id): PathId,
    params: Params,
) -> Result<Response, ApiError> {
    let params = params.only_paged(&[])?;
    let account = trader.check_owns(id)?;
    let query = Query::LedgerEntries(account, params.period()?, params.page()?);
    let seen = door.query(query, &params).await?;
    let View::LedgerEntries(list) = seen.view else { return Err(unanswered()) };
    let body = Object::new().shown("account_id", account);
    let body = part(body, "entries", &list.map_err(fault_of)?, entry_object);
    Ok(json(StatusCode::OK, body.count("sequence", seen.sequence)))
}

fn entry_object(entry: &LedgerEntryView) -> Object {
    Object::new()
        .count("entry_sequence", entry.sequence)
        .time("timestamp", entry.timestamp)
        .shown("reason", entry.reason.name())
        .shown("reference_id", entry.reference_id)
        .list("postings", &entry.postings, push_posting)
}

/// Nanoseconds between a trade and its entry at the most: both are events of one command, whose times
/// rise by 1 ns each (D-9).
const BEFORE_ENTRY: i64 = 1_000_000_000;

/// The first line of the CSV.
const HEADING: &str = "time,kind,reference,asset,rate,amount\n";

/// GET /v1/accounts/{id}/fees.csv: a row for each fee that was paid, rebated or given back.
pub(crate) async fn fees_csv(
    State(door): State<Arc<Door>>,
    trader: Trader,
    PathId(id): PathId,
    params: Params,
) -> Result<Response, ApiError> {
    let params = params.only(&["start_time", "end_time"])?;
    let account = trader.check_owns(id)?;
    let mut walk = Walk::new(door, account, params.period()?);
    let first = walk.next_rows().await?;
    let (mut sender, body) = Channel::<Bytes, io::Error>::new(2);
    tokio::spawn(async move {
        if let Err(fault) = send_rows(&mut sender, walk, first).await {
            tracing::warn!(%account, %fault, "the fees of an account were not sent to the end");
            sender.abort(fault);
        }
    });
    let file = format!("attachment; filename=\"fees-{account}.csv\"");
    let headers: [(HeaderName, &str); 2] =
        [(header::CONTENT_TYPE, "text/csv; charset=utf-8"), (header::CONTENT_DISPOSITION, &file)];
    Ok((StatusCode::OK, headers, Body::new(body)).into_response())
}

async fn send_rows(
    sender: &mut Sender<Bytes, io::Error>,
    mut walk: Walk,
    first: Option<String>,
) -> io::Result<()> {
    let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
    sender.send_data(HEADING.into()).await.map_err(gone)?;
    let mut rows = first;
    while let Some(text) = rows {
        sender.send_data(text.into()).await.map_err(gone)?;
        rows = walk.next_rows().await.map_err(|fault| io::Error::other(fault.code()))?;
    }
    Ok(())
}

/// The entries of an account and beside them its trades, which come in the same order.
struct Walk {
    door: Arc<Door>,
    account: Id,
    period: Period,
    /// Behind which entry the next part begins; absent when there is none.
    entries: Option<Page>,
    trades: Page,
    /// Trades that were read and not met yet, the earliest last.
    waiting: Vec<TradeView>,
}

impl Walk {
    const FIRST: Page = Page { after: None, limit: PAGE_LIMIT_MAX };

    fn new(door: Arc<Door>, account: Id, period: Period) -> Self {
        let entries = Some(Self::FIRST);
        Self { door, account, period, entries, trades: Self::FIRST, waiting: Vec::new() }
    }

    /// The rows of the next part; absent behind the last one.
    async fn next_rows(&mut self) -> Result<Option<String>, ApiError> {
        let Some(page) = self.entries else { return Ok(None) };
        let query = Query::LedgerEntries(self.account, self.period, page);
        let seen = self.door.query_now(query).await?;
        let View::LedgerEntries(list) = seen.view else { return Err(unanswered()) };
        let Listed { items, next } = list.map_err(fault_of)?;
        self.entries = next.map(|cursor| Page { after: Some(cursor), ..Self::FIRST });
        let mut rows = String::new();
        for entry in &items {
            match entry.reason {
                UpdateReason::TradeSettlement => self.push_trade(&mut rows, entry).await?,
                UpdateReason::FeeRefund => push_refund(&mut rows, entry),
                _ => {}
            }
        }
        Ok(Some(rows))
    }

    async fn push_trade(
        &mut self,
        rows: &mut String,
        entry: &LedgerEntryView,
    ) -> Result<(), ApiError> {
        let trade = loop {
            match self.waiting.pop() {
                Some(trade) if trade.trade_id == entry.reference_id => break trade,
                Some(_) => {}
                None => self.read_trades().await?,
            }
        };
        let is_maker = trade.maker_account_id == self.account;
        let (fee, asset) = if is_maker {
            (trade.maker_fee, trade.maker_fee_asset)
        } else {
            (trade.taker_fee, trade.taker_fee_asset)
        };
        if fee != Amount::ZERO {
            let kind = if is_maker { "TRADE_MAKER" } else { "TRADE_TAKER" };
            let row = FeeRow { kind, asset, rate: rate_of(fee, &trade), amount: fee };
            push_row(rows, entry, row);
        }
        Ok(())
    }

    async fn read_trades(&mut self) -> Result<(), ApiError> {
        // An entry of the period may be of a trade that was executed some events before it.
        let start = self.period.start.map(|start| Timestamp(start.0 - BEFORE_ENTRY));
        let period = Period { start, end: None };
        let query = Query::TradesByAccount(self.account, period, self.trades);
        let seen = self.door.query_now(query).await?;
        let View::Trades(list) = seen.view else { return Err(unanswered()) };
        let Listed { mut items, next } = list.map_err(fault_of)?;
        let Some(last) = items.last().map(|trade| Cursor::behind(trade.sequence)).or(next) else {
            // An entry names a trade that is in no list.
            return Err(unanswered());
        };
        self.trades.after = Some(last);
        items.reverse();
        self.waiting = items;
        Ok(())
    }
}

/// What a row says beside the time and the reference of its entry.
#[derive(Clone, Copy)]
struct FeeRow<'a> {
    kind: &'a str,
    asset: Label,
    /// Absent where there is none, and where it fits no rate.
    rate: Option<Rate>,
    /// Positive for what the account paid.
    amount: Amount,
}

/// What a fee is of the trade's value, to the eight decimals of a rate: the rate that was in force, but for
/// rebates that were cut and values too small to tell.
fn rate_of(fee: Amount, trade: &TradeView) -> Option<Rate> {
    let value = trade.price.checked_mul(trade.quantity, Rounding::HalfAway)?;
    let rate = mul_div(
        fee.0.unsigned_abs(),
        Rate::ONE.unsigned_abs().into(),
        value.0.unsigned_abs(),
        Rounding::HalfAway,
    )?;
    let rate = i64::try_from(rate).ok()?;
    Some(Rate(if fee < Amount::ZERO { -rate } else { rate }))
}

/// A fee given back counts against those paid.
fn push_refund(rows: &mut String, entry: &LedgerEntryView) {
    for posting in &entry.postings {
        let amount = Amount(-posting.delta.0);
        push_row(rows, entry, FeeRow { kind: "REFUND", asset: posting.asset, rate: None, amount });
    }
}

fn push_row(rows: &mut String, entry: &LedgerEntryView, row: FeeRow<'_>) {
    let FeeRow { kind, asset, rate, amount } = row;
    let (time, reference) = (entry.timestamp, entry.reference_id);
    let _ = match rate {
        Some(rate) => writeln!(rows, "{time},{kind},{reference},{asset},{rate},{amount}"),
        None => writeln!(rows, "{time},{kind},{reference},{asset},,{amount}"),
    };
}
