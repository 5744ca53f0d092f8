//! The table of routes: what there is, who may ask, which handler answers, what the document says.
//!
//! Table and router are made from one list, so that a test which walks the table walks the router
//! (INV-11). Whether a route really refuses strangers is its handler's first argument; the test asks.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{delete, get, patch, post, put};
use schema::Code;

use crate::door::Door;
use crate::error::ApiError;
use crate::openapi::operations::{self, Operation};
use crate::{
    account, admin, batch, fees, ledger, market, openapi, order_changes, orders, status, trades,
    transfers, ws,
};

/// Who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everyone: market data and health (INV-11).
    Public,
    /// A process on this machine, or an operator.
    Monitor,
    /// A trader, about their own accounts.
    Trader,
    /// An operator.
    Operator,
}

/// A route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// Method.
    pub method: &'static str,
    /// Path; `{id}` stands for an id, `{symbol}` for a symbol.
    pub path: &'static str,
    /// Who may ask.
    pub access: Access,
}

macro_rules! routes {
    ($($method:ident $path:literal $access:ident $handler:path, $operation:ident;)+) => {
        /// Every route of the door.
        pub const ROUTES: &[Route] =
            &[$(Route { method: stringify!($method), path: $path, access: Access::$access }),+];

        /// What each of them says of itself, in the same order.
        pub(crate) const OPERATIONS: &[Operation] = &[$(operations::$operation),+];

        /// The router over all of them.
        pub(crate) fn router(door: Arc<Door>) -> Router {
            Router::new()
                $(.route($path, $method($handler)))+
                .fallback(no_route)
                .method_not_allowed_fallback(no_method)
                .with_state(door)
        }
    };
}

routes! {
    get "/health" Public status::health, HEALTH;
    get "/metrics" Monitor status::metrics, METRICS;
    get "/openapi.json" Public openapi::read, OPENAPI;
    get "/v1/market/assets" Public market::assets, ASSETS;
    get "/v1/market/markets" Public market::markets, MARKETS;
    get "/v1/market/book" Public market::book, BOOK;
    get "/v1/market/trades" Public trades::of_market, MARKET_TRADES;
    get "/v1/fees" Public fees::schedule, FEES;
    get "/v1/ws" Public ws::connect, STREAM;
    post "/v1/orders" Trader orders::create, CREATE_ORDER;
    get "/v1/orders" Trader orders::find, FIND_ORDER;
    delete "/v1/orders" Trader orders::cancel_by_key, CANCEL_BY_KEY;
    post "/v1/orders/preview" Trader fees::preview, PREVIEW;
    post "/v1/orders/batch" Trader batch::create, CREATE_ORDERS;
    post "/v1/orders/batch/cancel" Trader batch::cancel, CANCEL_ORDERS;
    get "/v1/orders/{id}" Trader orders::read, GET_ORDER;
    delete "/v1/orders/{id}" Trader orders::cancel, CANCEL_ORDER;
    patch "/v1/orders/{id}" Trader order_changes::reduce, REDUCE_ORDER;
    put "/v1/orders/{id}" Trader order_changes::replace, REPLACE_ORDER;
    get "/v1/orders/{id}/trades" Trader trades::of_order, ORDER_TRADES;
    get "/v1/trades/{id}" Trader trades::read, GET_TRADE;
    get "/v1/accounts/{id}" Trader account::read, GET_ACCOUNT;
    get "/v1/accounts/{id}/balances" Trader account::balances, GET_BALANCES;
    get "/v1/accounts/{id}/orders" Trader account::orders, LIST_ORDERS;
    delete "/v1/accounts/{id}/orders" Trader order_changes::cancel_all, CANCEL_ALL;
    get "/v1/accounts/{id}/fees" Trader fees::of_account, GET_FEES;
    get "/v1/accounts/{id}/fees.csv" Trader ledger::fees_csv, FEES_CSV;
    get "/v1/accounts/{id}/trades" Trader trades::of_account, ACCOUNT_TRADES;
    get "/v1/accounts/{id}/ledger" Trader ledger::entries, LEDGER;
    put "/v1/accounts/{id}/countdown" Trader order_changes::set_countdown, SET_COUNTDOWN;
    post "/v1/transfers" Trader transfers::create, TRANSFER;
    post "/v1/admin/assets" Operator admin::list_asset, LIST_ASSET;
    post "/v1/admin/markets" Operator admin::list_market, LIST_MARKET;
    post "/v1/admin/markets/{symbol}/pause" Operator admin::pause_market, PAUSE_MARKET;
    post "/v1/admin/markets/{symbol}/resume" Operator admin::resume_market, RESUME_MARKET;
    post "/v1/admin/markets/{symbol}/parameters" Operator admin::set_parameters, SET_PARAMETERS;
    post "/v1/admin/trading/halt" Operator admin::halt_trading, HALT_TRADING;
    post "/v1/admin/trading/resume" Operator admin::resume_trading, RESUME_TRADING;
    post "/v1/admin/clock/confirm" Operator admin::confirm_clock, CONFIRM_CLOCK;
    post "/v1/admin/fees" Operator admin::set_schedule, SET_SCHEDULE;
    get "/v1/admin/accounts" Operator admin::find_account, FIND_ACCOUNT;
    post "/v1/admin/accounts" Operator admin::create_account, CREATE_ACCOUNT;
    post "/v1/admin/accounts/{id}/status" Operator admin::set_status, SET_STATUS;
    post "/v1/admin/accounts/{id}/rates" Operator admin::set_rates, SET_RATES;
    post "/v1/admin/accounts/{id}/refunds" Operator admin::refund_fee, REFUND_FEE;
    post "/v1/admin/accounts/{id}/profile" Operator admin::set_profile, SET_PROFILE;
    post "/v1/admin/deposits" Operator admin::deposit, DEPOSIT;
    post "/v1/admin/withdrawals" Operator admin::withdraw, WITHDRAW;
    get "/v1/admin/trades" Operator admin::trades, AUDIT_TRADES;
    get "/v1/admin/trades/{id}" Operator trades::audit, AUDIT_TRADE;
    get "/v1/admin/book" Operator admin::book, AUDIT_BOOK;
}

async fn no_route() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, Code::InvalidSchema, "no such route")
}

async fn no_method() -> ApiError {
    let message = "the route does not take this method";
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, Code::InvalidSchema, message)
}
