//! A good request of every route.

use gateway::Route;
use serde_json::{Value, json};
use units::Id;

use crate::client::{MINE, OTHERS};

/// The order of the samples.
pub(crate) const ORDER: Id = Id([0x77; 16]);

/// The trade of the samples: MINE made, OTHERS took.
pub(crate) const TRADE: Id = Id([0x79; 16]);

/// The path of a route, filled with what is the caller's.
pub(crate) fn path_of(route: &Route) -> String {
    let id = match route.path {
        path if path.starts_with("/v1/orders/") => ORDER,
        "/v1/trades/{id}" | "/v1/admin/trades/{id}" => TRADE,
        _ => MINE,
    };
    route.path.replace("{id}", &id.to_string()).replace("{symbol}", "BTC-USDT")
}

/// The parameters that a route needs.
pub(crate) fn query_of(route: &Route) -> &'static str {
    match (route.method, route.path) {
        ("get", "/v1/market/book" | "/v1/admin/book") => "?symbol=BTC-USDT&depth=1",
        ("get" | "delete", "/v1/orders") => {
            "?client_order_id=mine&account_id=11111111-1111-1111-1111-111111111111"
        }
        ("get", "/v1/market/trades") => "?symbol=BTC-USDT&limit=1",
        ("get", "/v1/admin/accounts") => "?external_id=A-1",
        ("get", "/v1/admin/trades") => "?after=7&until=7",
        _ => "",
    }
}

/// A limit order.
pub(crate) fn limit_order() -> Value {
    json!({"account_id": MINE.to_string(), "symbol": "BTC/USDT", "side": "SELL", "type": "LIMIT",
        "quantity": "0.25", "price": "50000.50", "time_in_force": "GTC"})
}

/// A body that the route takes; empty where it reads none.
pub(crate) fn body_of(route: &Route) -> String {
    let tier = json!({"above": "0", "maker": "-0.0001", "taker": "0.001"});
    let entry = json!({"account_id": MINE.to_string(), "asset": "USDT", "amount": "12.5"});
    let body = match (route.method, route.path) {
        ("get" | "delete", _) => return String::new(),
        (_, "/v1/orders" | "/v1/orders/preview") | ("put", "/v1/orders/{id}") => limit_order(),
        (_, "/v1/orders/batch") => json!({"orders": [limit_order(), limit_order()]}),
        (_, "/v1/orders/batch/cancel") => {
            let cancel = json!({"order_id": ORDER.to_string(), "state_seq": 41,
                "idempotency_key": "c-1"});
            json!({"cancels": [cancel]})
        }
        ("patch", "/v1/orders/{id}") => json!({"quantity": "1.5"}),
        (_, "/v1/accounts/{id}/countdown") => json!({"timeout_ms": 60_000}),
        (_, "/v1/transfers") => {
            json!({"from_account_id": MINE.to_string(), "to_account_id": OTHERS.to_string(),
                "asset": "USDT", "amount": "2.5"})
        }
        (_, "/v1/admin/assets") => {
            let network = json!({"network": "Tron", "min_withdrawal": "10",
                "withdrawal_fee": "1", "confirmations": 19, "deposits_open": true});
            json!({"symbol": "USDT", "name": "Tether USD", "decimals": 6,
                "collateral_weight": "0.95", "networks": [network]})
        }
        (_, "/v1/admin/markets") => {
            json!({"symbol": "ETH/USDT", "tick_size": "0.01", "lot_size": "0.001",
                "max_price": "100000", "max_quantity": "1000", "price_band": "0.1",
                "fee_tiers": [tier]})
        }
        (_, "/v1/admin/markets/{symbol}/pause" | "/v1/admin/markets/{symbol}/resume") => {
            json!({"reason": "asked by its issuer"})
        }
        (_, "/v1/admin/markets/{symbol}/parameters") => {
            json!({"max_price": "200000", "min_quantity": "0.001", "price_band": null,
                "open_orders_max": 300})
        }
        (_, "/v1/admin/trading/halt") => json!({"reason": "TECHNICAL"}),
        (_, "/v1/admin/trading/resume" | "/v1/admin/clock/confirm") => json!({}),
        (_, "/v1/admin/fees") => {
            json!({"tiers": [tier], "effective_at": "2030-01-01T00:00:00Z"})
        }
        (_, "/v1/admin/accounts") => json!({"external_id": "maker-1", "metadata": {"a": "b"}}),
        (_, "/v1/admin/accounts/{id}/status") => json!({"status": "ACTIVE", "reason": "asked"}),
        (_, "/v1/admin/accounts/{id}/rates") => {
            json!({"kind": "VIP", "maker": "-0.0001", "taker": "0.0002",
                "effective_at": "2030-01-01T00:00:00Z"})
        }
        (_, "/v1/admin/accounts/{id}/refunds") => {
            json!({"trade_id": TRADE.to_string(), "amount": "2.5", "reason": "MALFUNCTION"})
        }
        (_, "/v1/admin/accounts/{id}/profile") => {
            json!({"kyc_tier": 2, "jurisdiction": "CH", "risk_tier": "STANDARD",
                "order_tier": "PROFESSIONAL", "api_class": "VIP", "fee_in_token": false})
        }
        (_, "/v1/admin/deposits" | "/v1/admin/withdrawals") => entry,
        _ => panic!("{route:?} has no sample"),
    };
    body.to_string()
}
