//! Fees before they are paid: the public table, an account's own, a preview.

use schema::{Label, OrderState};
use serde_json::json;

use crate::client::{MINE, OTHERS, Served};
use crate::fake::order;
use crate::samples::{ORDER, TRADE, limit_order};

#[tokio::test]
async fn the_tiers_are_public() {
    let served = Served::start().await;
    let json = served.anonymous("get", "/v1/fees", "").await.json();
    assert_eq!(json["tiers"][0], json!({"above": "0", "maker": "-0.0001", "taker": "0.001"}));
    assert_eq!(json["tiers"][1]["above"], "100000");
    assert_eq!(json["announced"]["tiers"].as_array().expect("a table").len(), 2);
    assert_eq!(json["announced"]["effective_at"], "2024-02-16T22:44:16.789012Z");
}

/// Tier, volume, rates, waiver, the next tier and what is announced, of one's own account alone.
#[tokio::test]
async fn an_account_sees_its_own_fees() {
    let served = Served::start().await;
    let json = served.trader("get", &format!("/v1/accounts/{MINE}/fees"), "").await.json();
    assert_eq!((&json["account_id"], &json["kind"]), (&json!(MINE.to_string()), &json!("WAIVER")));
    assert_eq!((&json["maker_rate"], &json["taker_rate"]), (&json!("0"), &json!("0")));
    assert_eq!((&json["volume_30d"], &json["tier"]), (&json!("99.5"), &json!(0)));
    assert_eq!(json["waiver_reason"], "PROMOTION");
    assert_eq!(json["waiver_ends_at_nanos"], 1_708_123_456_789_012_345u64);
    assert_eq!(json["next_tier"]["above"], "100000");
    assert_eq!(json["announced"]["maker_rate"], "-0.0005");
    let refund = json!({"trade_id": TRADE.to_string(), "asset": "USDT", "fee": "5",
        "refunded": "1.5"});
    assert_eq!(json["refunds"], json!([refund]));
    let others = served.trader("get", &format!("/v1/accounts/{OTHERS}/fees"), "").await;
    assert_eq!(others.fault(), (403, "PERMISSION_DENIED".into()));
}

/// A preview takes the body of an order, submits nothing, and refuses as placing would.
#[tokio::test]
async fn an_order_is_previewed_and_not_placed() {
    let served = Served::start().await;
    let mut body = limit_order();
    let preview = async |body: &serde_json::Value| {
        served.trader("post", "/v1/orders/preview", &body.to_string()).await
    };
    let json = preview(&body).await.json();
    assert_eq!((&json["price"], &json["quantity"]), (&json!("50000.5"), &json!("0.25")));
    assert_eq!((&json["reserved"], &json["reserved_asset"]), (&json!("12512.5"), &json!("USDT")));
    assert_eq!((&json["maker_fee"], &json["worst_fee"]), (&json!("-1.25"), &json!("12.5")));
    body["quantity"] = json!("1001");
    assert_eq!(preview(&body).await.fault(), (422, "INVALID_QUANTITY".into()));
    body["quantity"] = json!(1);
    assert_eq!(preview(&body).await.fault(), (400, "INVALID_SCHEMA".into()));
    body["quantity"] = json!("1");
    body["account_id"] = json!(OTHERS.to_string());
    assert_eq!(preview(&body).await.fault(), (403, "PERMISSION_DENIED".into()));
    assert_eq!(served.port.count(), 0);
}

/// What an order waits for is shown, and null where it waits for nothing.
#[tokio::test]
async fn an_order_shows_its_conditions() {
    let served = Served::start().await;
    let mut view = order(ORDER, MINE, OrderState::Pending);
    let path = format!("/v1/orders/{ORDER}");
    served.port.orders.lock().expect("no panic").insert(ORDER, view);
    let json = served.trader("get", &path, "").await.json();
    let trigger = json!({"kind": "STOP", "price": "49000", "source": "LAST"});
    assert_eq!((&json["trigger"], &json["post_only"]), (&trigger, &json!(true)));
    assert_eq!(json["oco_with"], "78787878-7878-7878-7878-787878787878");
    assert_eq!(json["expire_at"], "2024-02-16T22:44:16.789012Z");
    (view.trigger, view.expire_at, view.oco_with) = (None, None, None);
    view.client_order_id = Label::new("other").ok();
    served.port.orders.lock().expect("no panic").insert(ORDER, view);
    let json = served.trader("get", &path, "").await.json();
    for field in ["trigger", "expire_at", "expire_at_nanos", "oco_with"] {
        assert!(json[field].is_null(), "{field}");
    }
    let account = served.trader("get", &format!("/v1/accounts/{MINE}"), "").await.json();
    assert_eq!(account["countdown_at_nanos"], 1_708_123_456_789_012_345u64);
    assert_eq!(account["fee_in_token"], false);
}
