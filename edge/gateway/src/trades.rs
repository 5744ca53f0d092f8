//! GET of trades: an order's, an account's, a market's, and the page of one (TRADE-40, SETL-52).
//!
//! A trader sees the own side of a trade and nothing of the other one (SETL-53); the public sees
//! neither account nor order (TRADE-43); an operator sees both sides.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use port::{OrderRecord, PostingView, Query, SettlementView, TradePrint, TradeView, View};
use schema::{Code, Label};
use units::{Amount, Id, Side};

use crate::answer::{Object, json};
use crate::caller::{Operator, Trader};
use crate::door::Door;
use crate::error::ApiError;
use crate::pages::{fault_of, part, unanswered};
use crate::params::{Params, PathId};
use crate::text::parse_symbol;

/// GET /v1/accounts/{id}/trades: the account's trades, oldest first.
pub(crate) async fn of_account(
    State(door): State<Arc<Door>>,
    trader: Trader,
    PathId(id): PathId,
    params: Params,
) -> Result<Response, ApiError> {
    let params = params.only_paged(&[])?;
    let account = trader.check_owns(id)?;
    let query = Query::TradesByAccount(account, params.period()?, params.page()?);
    let seen = door.query(query, &params).await?;
    let View::Trades(list) = seen.view else { return Err(unanswered()) };
    let trades = list.map_err(fault_of)?;
    let body = Object::new().shown("account_id", account);
    let body = part(body, "trades", &trades, |trade| own_object(trade, account));
    Ok(json(StatusCode::OK, body.count("sequence", seen.sequence)))
}

/// GET /v1/orders/{id}/trades: the trades of an order of the caller's, oldest first.
pub(crate) async fn of_order(
    State(door): State<Arc<Door>>,
    trader: Trader,
    PathId(id): PathId,
    params: Params,
) -> Result<Response, ApiError> {
    let params = params.only(&["cursor", "limit", "min_sequence"])?;
    let page = params.page()?;
    let seen = door.query(Query::Order(id), &params).await?;
    let View::Order(order) = seen.view else { return Err(unanswered()) };
    let account = order.filter(|order| trader.owns(order.account_id)).map(|it| it.account_id);
    let account = account.ok_or_else(ApiError::no_order)?;
    let seen = door.query(Query::TradesByOrder(id, page), &params).await?;
    let View::Trades(list) = seen.view else { return Err(unanswered()) };
    let trades = list.map_err(fault_of)?;
    let body = Object::new().shown("order_id", id);
    let body = part(body, "trades", &trades, |trade| own_object(trade, account));
    Ok(json(StatusCode::OK, body.count("sequence", seen.sequence)))
}

/// GET /v1/market/trades?symbol=: the last trades, newest first; with a time or a cursor those from
/// there on, oldest first.
pub(crate) async fn of_market(
    State(door): State<Arc<Door>>,
    params: Params,
) -> Result<Response, ApiError> {
    let params = params.only_paged(&["symbol"])?;
    let symbol = parse_symbol("symbol", params.needed("symbol")?)?;
    let (period, page) = (params.period()?, params.page()?);
    let listing = door.listing(symbol).await?.ok_or_else(ApiError::no_market)?;
    let is_recent =
        ["start_time", "end_time", "cursor"].iter().all(|it| params.value(it).is_none());
    let query = if is_recent {
        Query::RecentTrades(listing.number, page.limit)
    } else {
        Query::TradesByMarket(listing.number, period, page)
    };
    let seen = door.query(query, &params).await?;
    let View::PublicTrades(list) = seen.view else { return Err(unanswered()) };
    let body = Object::new().text("symbol", listing.symbol.as_str());
    let body = part(body, "trades", &list.map_err(fault_of)?, print_object);
    Ok(json(StatusCode::OK, body.count("sequence", seen.sequence)))
}

/// GET /v1/trades/{id}: the page of a trade of the caller's, the other side left out (SETL-53).
pub(crate) async fn read(
    State(door): State<Arc<Door>>,
    trader: Trader,
    PathId(id): PathId,
    params: Params,
) -> Result<Response, ApiError> {
    let params = params.only(&["min_sequence"])?;
    let (page, sequence) = settlement(&door, id, &params).await?;
    let trade = &page.trade;
    if ![trade.maker_account_id, trade.taker_account_id].iter().any(|&it| trader.owns(it)) {
        trader.0.log_refused("another's trade");
        return Err(fault_of(Code::TradeNotFound));
    }
    let body = page_object(&door, &page, |account| trader.owns(account)).await?;
    Ok(json(StatusCode::OK, body.count("sequence", sequence)))
}

/// GET /v1/admin/trades/{id}: the page of any trade, with both sides and every posting (SETL-53).
pub(crate) async fn audit(
    State(door): State<Arc<Door>>,
    _: Operator,
    PathId(id): PathId,
    params: Params,
) -> Result<Response, ApiError> {
    let params = params.only(&["min_sequence"])?;
    let (page, sequence) = settlement(&door, id, &params).await?;
    let body = page_object(&door, &page, |_| true).await?;
    Ok(json(StatusCode::OK, body.count("sequence", sequence)))
}

async fn settlement(
    door: &Door,
    trade: Id,
    params: &Params,
) -> Result<(SettlementView, u64), ApiError> {
    let seen = door.query(Query::Settlement(trade), params).await?;
    let View::Settlement(page) = seen.view else { return Err(unanswered()) };
    Ok((*page.map_err(fault_of)?, seen.sequence))
}

/// One side of a trade.
struct TradeSide {
    account: Id,
    order: Id,
    side: Side,
    role: &'static str,
    fee: Amount,
    fee_asset: Label,
}

fn maker_of(trade: &TradeView) -> TradeSide {
    TradeSide {
        account: trade.maker_account_id,
        order: trade.maker_order_id,
        side: trade.side.opposite(),
        role: "MAKER",
        fee: trade.maker_fee,
        fee_asset: trade.maker_fee_asset,
    }
}

fn taker_of(trade: &TradeView) -> TradeSide {
    TradeSide {
        account: trade.taker_account_id,
        order: trade.taker_order_id,
        side: trade.side,
        role: "TAKER",
        fee: trade.taker_fee,
        fee_asset: trade.taker_fee_asset,
    }
}

/// A trade as one of its accounts sees it.
fn own_object(trade: &TradeView, account: Id) -> Object {
    let maker = maker_of(trade);
    let own = if maker.account == account { maker } else { taker_of(trade) };
    Object::new()
        .shown("trade_id", trade.trade_id)
        .count("trade_sequence", trade.sequence)
        .text("symbol", trade.symbol.as_str())
        .shown("order_id", own.order)
        .shown("side", own.side.name())
        .shown("role", own.role)
        .shown("price", trade.price)
        .shown("quantity", trade.quantity)
        .shown("fee", own.fee)
        .text("fee_asset", own.fee_asset.as_str())
        .shown("status", trade.state.name())
        .time("executed_at", trade.executed_at)
        .time("settled_at", trade.settled_at)
}

/// A trade as everybody sees it.
fn print_object(trade: &TradePrint) -> Object {
    Object::new()
        .shown("trade_id", trade.trade_id)
        .shown("price", trade.price)
        .shown("quantity", trade.quantity)
        .shown("side", trade.side.name())
        .time("executed_at", trade.executed_at)
}

/// The page of a trade with the sides and postings of the accounts that may be shown.
async fn page_object(
    door: &Door,
    page: &SettlementView,
    is_shown: impl Fn(Id) -> bool,
) -> Result<Object, ApiError> {
    let trade = &page.trade;
    let mut body = Object::new()
        .shown("trade_id", trade.trade_id)
        .count("trade_sequence", trade.sequence)
        .text("symbol", trade.symbol.as_str())
        .shown("side", trade.side.name())
        .shown("price", trade.price)
        .shown("quantity", trade.quantity)
        .shown("status", trade.state.name())
        .time("executed_at", trade.executed_at)
        .time("settled_at", trade.settled_at)
        .count("shard", page.shard)
        .count("settled_sequence", page.sequence);
    for (name, side) in [("maker", maker_of(trade)), ("taker", taker_of(trade))] {
        body = match is_shown(side.account) {
            true => body.object(name, side_object(door, trade, &side).await?),
            false => body.raw(name, "null"),
        };
    }
    let postings = page.postings.iter().filter(|posting| is_shown(posting.account_id));
    Ok(body.list("postings", postings, push_posting))
}

async fn side_object(door: &Door, trade: &TradeView, side: &TradeSide) -> Result<Object, ApiError> {
    let seen = door.query_now(Query::OrderRecord(side.order)).await?;
    let View::OrderRecord(Some(record)) = seen.view else { return Err(unanswered()) };
    Ok(Object::new()
        .shown("account_id", side.account)
        .shown("order_id", side.order)
        .shown("side", side.side.name())
        .shown("order_type", record.order.order_type.name())
        .maybe("limit_price", record.requested_price)
        .flag("within_limit", is_within_limit(trade.price, side.side, &record))
        .shown("fee", side.fee)
        .text("fee_asset", side.fee_asset.as_str()))
}

/// Whether an order may trade at a price: no dearer than its limit, no cheaper.
fn is_within_limit(price: Amount, side: Side, record: &OrderRecord) -> bool {
    record.requested_price.is_none_or(|limit| match side {
        Side::Buy => price <= limit,
        Side::Sell => price >= limit,
    })
}

/// Appends a posting: what moved, and that part of the balance before and after.
pub(crate) fn push_posting(out: &mut String, posting: &PostingView) {
    let object = Object::new()
        .shown("account_id", posting.account_id)
        .text("asset", posting.asset.as_str())
        .shown("part", posting.bucket.name())
        .shown("delta", posting.delta)
        .shown("before", posting.before)
        .shown("after", posting.after);
    out.push_str(&object.end());
}
