//! GET of accounts, their balances and their open orders. Another's account is 403 (D-72).

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use port::{AccountView, BalanceView, Query, View};
use schema::{Code, Label, OrderState};
use units::Id;

use crate::answer::{Object, json, push_text};
use crate::caller::Trader;
use crate::door::Door;
use crate::error::ApiError;
use crate::orders::order_object;
use crate::params::{Params, PathId};
use crate::text::{parse_name, parse_symbol};

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

/// GET /v1/accounts/{id}/orders?status=&symbol=: the open ones, by id. `PENDING` means every active
/// order, as SVC-21 says; `PARTIAL` those with a fill.
pub(crate) async fn orders(
    State(door): State<Arc<Door>>,
    trader: Trader,
    PathId(id): PathId,
    params: Params,
) -> Result<Response, ApiError> {
    let params = params.only(&["status", "symbol", "min_sequence"])?;
    let account = trader.check_owns(id)?;
    let partial_only = match params.value("status") {
        None => false,
        Some(text) => match parse_name("status", text, OrderState::ALL, OrderState::name)? {
            OrderState::Pending => false,
            OrderState::Partial => true,
            _ => {
                return Err(ApiError::refused(
                    Code::InvalidSchema,
                    "this version lists active orders; ask for ended ones by their id",
                ));
            }
        },
    };
    let market = match params.value("symbol") {
        None => None,
        Some(text) => {
            let listing = door.listing(parse_symbol("symbol", text)?).await?;
            Some(listing.ok_or_else(ApiError::no_market)?.number)
        }
    };
    let seen = door.query(Query::OpenOrders(account, market), &params).await?;
    let View::OpenOrders(Some(orders)) = seen.view else { return Err(no_account()) };
    let shown = orders.iter().filter(|order| !partial_only || order.state == OrderState::Partial);
    let body = Object::new().shown("account_id", account);
    let body = body.list("orders", shown, |out, order| out.push_str(&order_object(order).end()));
    Ok(json(StatusCode::OK, body.count("sequence", seen.sequence)))
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
