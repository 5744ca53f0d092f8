//! GET of accounts, their balances and their open orders. Another's account is 403 (D-72).

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use port::{AccountView, BalanceView, Listed, OrderFilter, OrderStates, Query, View};
use schema::{Code, Label, OrderState};
use units::{Amount, Id};

use crate::answer::{Object, json, push_text};
use crate::caller::Trader;
use crate::door::Door;
use crate::error::ApiError;
use crate::orders::order_object;
use crate::pages::{fault_of, part, unanswered};
use crate::params::{Params, PathId};
use crate::text::{parse_amount, parse_name, parse_symbol};

/// GET /v1/accounts/{id}.
pub(crate) async fn read(
    State(door): State<Arc<Door>>,
    trader: Trader,
    PathId(id): PathId,
    params: Params,
) -> Result<Response, ApiError> {
    let (account, sequence) = view_of(&door, &trader, id, params).await?;
    Ok(json(StatusCode::OK, account_object(&account).count("sequence", sequence)))
}

/// GET /v1/accounts/{id}/balances.
pub(crate) async fn balances(
    State(door): State<Arc<Door>>,
    trader: Trader,
    PathId(id): PathId,
    params: Params,
) -> Result<Response, ApiError> {
    let (account, sequence) = view_of(&door, &trader, id, params).await?;
    let body = Object::new().shown("account_id", account.account_id);
    let body = body.list("balances", &account.balances, push_balance);
    Ok(json(StatusCode::OK, body.count("sequence", sequence)))
}

/// GET /v1/accounts/{id}/orders?status=&symbol=&price=: by id. Without a status, or `PENDING`, every
/// active order, as SVC-21 says; `PARTIAL` those with a fill; with an ended state, `ALL`, a time or a cursor
/// a part of all orders ever, from the archive (STATE-34). A price goes with a symbol (STATE-38).
pub(crate) async fn orders(
    State(door): State<Arc<Door>>,
    trader: Trader,
    PathId(id): PathId,
    params: Params,
) -> Result<Response, ApiError> {
    let params = params.only_paged(&["status", "symbol", "price"])?;
    let account = trader.check_owns(id)?;
    let states = states_of(params.value("status"))?;
    let (period, page) = (params.period()?, params.page()?);
    let market = match params.value("symbol") {
        None => None,
        Some(text) => {
            let listing = door.listing(parse_symbol("symbol", text)?).await?;
            Some(listing.ok_or_else(ApiError::no_market)?.number)
        }
    };
    let price = price_of(&params)?;
    let is_open = states == OrderStates::OPEN || states == OrderStates::only(OrderState::Partial);
    let (listed, sequence) = if is_open && !params.is_paged() {
        let seen = door.query(Query::OpenOrders(account, market, price), &params).await?;
        let View::OpenOrders(Some(mut items)) = seen.view else { return Err(no_account()) };
        items.retain(|order| states.has(order.state));
        (Listed { items, next: None }, seen.sequence)
    } else {
        let filter = OrderFilter { account: Some(account), market, states, price, period };
        let seen = door.query(Query::Orders(filter, page), &params).await?;
        let View::Orders(list) = seen.view else { return Err(unanswered()) };
        (list.map_err(fault_of)?, seen.sequence)
    };
    let body = part(Object::new().shown("account_id", account), "orders", &listed, order_object);
    Ok(json(StatusCode::OK, body.count("sequence", sequence)))
}

/// The limit price of a market that a list is asked for. Without a symbol it says nothing.
fn price_of(params: &Params) -> Result<Option<Amount>, ApiError> {
    let Some(text) = params.value("price") else { return Ok(None) };
    params.needed("symbol")?;
    let price = parse_amount("price", text, Code::InvalidPrice)?;
    if price <= Amount::ZERO {
        return Err(ApiError::refused(Code::InvalidPrice, "price is not above zero"));
    }
    Ok(Some(price))
}

/// The states that a `status` means.
fn states_of(status: Option<&str>) -> Result<OrderStates, ApiError> {
    let text = match status {
        None => return Ok(OrderStates::OPEN),
        Some("ALL") => return Ok(OrderStates::LISTED),
        Some(text) => text,
    };
    match parse_name("status", text, OrderState::ALL, OrderState::name)? {
        OrderState::Pending => Ok(OrderStates::OPEN),
        OrderState::Rejected => {
            Err(ApiError::schema("no list shows rejected orders; ask for one by its id"))
        }
        state => Ok(OrderStates::only(state)),
    }
}

async fn view_of(
    door: &Door,
    trader: &Trader,
    id: Id,
    params: Params,
) -> Result<(AccountView, u64), ApiError> {
    let params = params.only(&["min_sequence"])?;
    let account = trader.check_owns(id)?;
    let seen = door.query(Query::Account(account), &params).await?;
    match seen.view {
        View::Account(Some(view)) => Ok((view, seen.sequence)),
        _ => Err(no_account()),
    }
}

/// 404: no such account.
pub(crate) fn no_account() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, Code::AccountNotFound, "the account is not open here")
}

/// An account as its owner sees it (ACCT-1).
fn account_object(account: &AccountView) -> Object {
    let opening = &account.opening;
    Object::new()
        .shown("account_id", account.account_id)
        .text("external_id", opening.external_id.as_str())
        .shown("account_type", opening.account_type.name())
        .shown("status", account.status.name())
        .maybe("owner_id", opening.owner_id)
        .text("jurisdiction", opening.jurisdiction.as_str())
        .count("kyc_tier", opening.kyc_tier)
        .shown("risk_tier", opening.risk_tier.name())
        .shown("order_tier", opening.order_tier.name())
        .shown("api_class", opening.api_class.name())
        .raw("metadata", &metadata(&opening.metadata))
        .count("version", account.version)
        .shown("maker_rate", account.maker_rate)
        .shown("taker_rate", account.taker_rate)
        .flag("fee_in_token", account.fee_in_token)
        .maybe_time("countdown_at", account.countdown_at)
        .list("balances", &account.balances, push_balance)
        .raw("positions", "[]")
        .time("created_at", account.created_at)
        .time("updated_at", account.updated_at)
}

fn push_balance(out: &mut String, balance: &BalanceView) {
    let object = Object::new()
        .text("asset", balance.asset.as_str())
        .shown("total", balance.total)
        .shown("available", balance.available)
        .shown("locked", balance.locked)
        .count("update_seq", balance.update_seq)
        .time("updated_at", balance.updated_at);
    out.push_str(&object.end());
}

fn metadata(pairs: &[(Label, Label)]) -> String {
    let mut out = String::from("{");
    for (index, (name, value)) in pairs.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        push_text(&mut out, name.as_str());
        out.push(':');
        push_text(&mut out, value.as_str());
    }
    out.push('}');
    out
}
