//! Several orders or cancels in one request: as many commands, each with its own key and answer (D-93).

use port::PortFault;
use schema::{Code, Command, KeyOrigin, OrderState, Outcome, Refusal, Why};
use serde_json::{Value, json};
use units::Id;

use crate::client::{MINE, OTHERS, Served, bearer, trader};
use crate::fake::{amount, order};
use crate::samples::{ORDER, limit_order};

const PLACE: &str = "/v1/orders/batch";
const CANCEL: &str = "/v1/orders/batch/cancel";

fn orders(changes: &[Value]) -> String {
    let orders = changes.iter().map(|change| {
        let mut order = limit_order();
        for (name, value) in change.as_object().expect("an object") {
            order[name] = value.clone();
        }
        order
    });
    json!({"orders": orders.collect::<Vec<_>>()}).to_string()
}

fn statuses(answer: &Value) -> Vec<u64> {
    let items = answer["answers"].as_array().expect("a list");
    items.iter().map(|item| item["status"].as_u64().expect("a status")).collect()
}

/// What is wrong with one order is that order's answer; the others go on, in their order.
#[tokio::test]
async fn each_order_of_a_batch_has_its_own_answer() {
    let served = Served::start().await;
    served.port.answer(|request| {
        let Command::PlaceOrder(placed) = request.command else { panic!("an order") };
        let refusal = Refusal::new(Code::InvalidPrice, Why::PriceOffTick);
        match placed.quantity {
            it if it == amount("3") => Ok(Outcome::Rejected { order: Id([3; 16]), refusal }),
            it if it == amount("4") => Err(PortFault::Busy),
            _ => Ok(Outcome::Accepted { order: ORDER }),
        }
    });
    let body = orders(&[
        json!({"quantity": "1", "client_order_id": "a"}),
        json!({"quantity": "garbage"}),
        json!({"account_id": OTHERS.to_string()}),
        json!({"quantity": "3"}),
        json!({"quantity": "4"}),
        json!({"quantity": "5"}),
    ]);
    let answer = served.trader("post", PLACE, &body).await.json();
    assert_eq!(statuses(&answer), [201, 400, 403, 422, 503, 201]);
    let body = |index: usize| &answer["answers"][index]["body"];
    assert_eq!(body(0)["order_id"], ORDER.to_string());
    assert_eq!(body(0)["client_order_id"], "a");
    assert_eq!(body(1)["error"]["code"], "INVALID_SCHEMA");
    assert_eq!(body(2)["error"]["code"], "PERMISSION_DENIED");
    assert_eq!(body(3)["error"]["code"], "INVALID_PRICE");
    assert_eq!(body(3)["order_id"], Id([3; 16]).to_string());
    assert_eq!(body(4)["error"]["code"], "UNAVAILABLE");
    assert!(body(5)["sequence"].as_u64() > body(0)["sequence"].as_u64());
    let requests = served.port.requests.lock().expect("no panic");
    let quantities: Vec<String> = requests
        .iter()
        .map(|request| match request.command {
            Command::PlaceOrder(placed) => placed.quantity.to_string(),
            _ => panic!("an order"),
        })
        .collect();
    assert_eq!(quantities, ["1", "3", "4", "5"]);
    let keys: Vec<_> = requests.iter().map(|request| request.key.expect("a key")).collect();
    assert_eq!(keys[0].origin, KeyOrigin::Client);
    assert!(keys[1..].iter().all(|key| matches!(key.origin, KeyOrigin::Gateway { .. })));
    assert_ne!(keys[1].key_hash, keys[2].key_hash);
}

/// A canceled order is canceled again, a filled one is 409, another's 404; a malformed id is that item's.
#[tokio::test]
async fn each_cancel_of_a_batch_has_its_own_answer() {
    let served = Served::start().await;
    let ids: Vec<Id> = (1..=4u8).map(|number| Id([number; 16])).collect();
    for (id, account, state) in [
        (ids[1], MINE, OrderState::Canceled),
        (ids[2], MINE, OrderState::Filled),
        (ids[3], OTHERS, OrderState::Pending),
    ] {
        served.port.orders.lock().expect("no panic").insert(id, order(id, account, state));
    }
    let open = ids[0];
    served.port.answer(move |request| {
        let Command::CancelOrder(cancel) = request.command else { panic!("a cancel") };
        let refusal = Refusal::new(Code::OrderNotFound, Why::NoSuchOrder);
        let done = Outcome::Done { created: None };
        Ok(if cancel.order == open { done } else { Outcome::Refused(refusal) })
    });
    let mut cancels: Vec<Value> =
        ids.iter().map(|id| json!({"order_id": id.to_string()})).collect();
    cancels[0]["idempotency_key"] = json!("c-1");
    cancels[0]["state_seq"] = json!(7);
    cancels.push(json!({"order_id": "nonsense"}));
    cancels.push(json!({"order_id": ids[0].to_string(), "account_id": OTHERS.to_string()}));
    let body = json!({ "cancels": cancels }).to_string();
    let answer = served.trader("post", CANCEL, &body).await.json();
    assert_eq!(statuses(&answer), [200, 200, 409, 404, 400, 403]);
    assert_eq!(answer["answers"][1]["body"]["status"], "CANCELED");
    assert_eq!(answer["answers"][2]["body"]["error"]["code"], "INVALID_STATE_TRANSITION");
    let requests = served.port.requests.lock().expect("no panic");
    let Command::CancelOrder(first) = requests[0].command else { panic!("a cancel") };
    assert_eq!((first.order, first.state_seq), (ids[0], Some(7)));
    assert_eq!(requests[0].key.expect("a key").origin, KeyOrigin::Client);
    assert_eq!(requests.len(), 4);
}

/// One to twenty; a body that cannot be read is one answer, and nothing of it is submitted.
#[tokio::test]
async fn a_batch_is_bounded_and_read_whole() {
    let served = Served::start().await;
    served.port.answer(|_| Ok(Outcome::Accepted { order: ORDER }));
    let most = gateway::limits::BATCH_COUNT_MAX;
    let full = served.trader("post", PLACE, &orders(&vec![json!({}); most])).await;
    assert_eq!(statuses(&full.json()), vec![201; most]);
    let before = served.port.count();
    let cancel = json!({"order_id": ORDER.to_string()});
    let cancels = |count: usize| json!({"cancels": vec![cancel.clone(); count]}).to_string();
    for (path, bad) in [
        (PLACE, orders(&[])),
        (PLACE, orders(&vec![json!({}); most + 1])),
        (PLACE, orders(&[json!({}), json!({"leverage": "2"})])),
        (PLACE, orders(&[json!({}), json!({"quantity": 1})])),
        (CANCEL, cancels(0)),
        (CANCEL, cancels(most + 1)),
        (CANCEL, json!({"cancels": [{}]}).to_string()),
        (CANCEL, "[]".to_owned()),
    ] {
        let answer = served.trader("post", path, &bad).await;
        assert_eq!(answer.fault(), (400, "INVALID_SCHEMA".into()), "{bad:.120}");
    }
    let token = bearer(&trader());
    let headers = [("authorization", token.as_str()), ("idempotency-key", "k")];
    for (path, body) in [(PLACE, orders(&[json!({})])), (CANCEL, cancels(1))] {
        let answer = served.send("post", path, &headers, &body).await;
        assert_eq!(answer.fault(), (400, "INVALID_SCHEMA".into()));
    }
    assert_eq!(served.port.count(), before);
}
