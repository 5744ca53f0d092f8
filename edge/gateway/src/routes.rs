//! The table of routes: what there is, who may ask, which handler answers.
//!
//! Table and router are made from one list, so that a test which walks the table walks the router
//! (INV-11). Whether a route really refuses strangers is its handler's first argument; the test asks.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{delete, get, post};
use schema::Code;

use crate::door::Door;
use crate::error::ApiError;
use crate::{account, admin, market, orders, status, ws};

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
    /// Path; `{id}` stands for an id.
    pub path: &'static str,
    /// Who may ask.
    pub access: Access,
}

macro_rules! routes {
    ($($method:ident $path:literal $access:ident $handler:path;)+) => {
        /// Every route of the door.
        pub const ROUTES: &[Route] =
            &[$(Route { method: stringify!($method), path: $path, access: Access::$access }),+];

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
    get "/health" Public status::health;
    get "/metrics" Monitor status::metrics;
    get "/v1/market/assets" Public market::assets;
    get "/v1/market/markets" Public market::markets;
    get "/v1/market/book" Public market::book;
    get "/v1/ws" Public ws::connect;
    post "/v1/orders" Trader orders::create;
    get "/v1/orders/{id}" Trader orders::read;
    delete "/v1/orders/{id}" Trader orders::cancel;
    get "/v1/accounts/{id}" Trader account::read;
    get "/v1/accounts/{id}/balances" Trader account::balances;
    get "/v1/accounts/{id}/orders" Trader account::orders;
    post "/v1/admin/assets" Operator admin::list_asset;
    post "/v1/admin/markets" Operator admin::list_market;
    get "/v1/admin/accounts" Operator admin::find_account;
    post "/v1/admin/accounts" Operator admin::create_account;
    post "/v1/admin/accounts/{id}/status" Operator admin::set_status;
    post "/v1/admin/deposits" Operator admin::deposit;
    post "/v1/admin/withdrawals" Operator admin::withdraw;
    get "/v1/admin/trades" Operator admin::trades;
    get "/v1/admin/book" Operator admin::book;
}

async fn no_route() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, Code::InvalidSchema, "no such route")
}

async fn no_method() -> ApiError {
    let message = "the route does not take this method";
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, Code::InvalidSchema, message)
}
