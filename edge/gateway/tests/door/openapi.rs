//! The OpenAPI document against the table of routes, and a sample of each route against the document.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use gateway::{Access, ROUTES};
use schema::{Command, OrderState, Outcome};
use serde_json::{Value, json};
use units::Id;

use crate::client::{MINE, OTHERS, Served, bearer, claims};
use crate::document::{Document, Exchange, route_of};
use crate::fake::{label, level, order};
use crate::samples::{ORDER, body_of, path_of, query_of};

async fn document(served: &Served) -> Document {
    let answer = served.anonymous("get", "/openapi.json", "").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers["content-type"], "application/json");
    Document(answer.json())
}

/// The document holds the routes of the table and no others, each with its parameters, its body if it
/// reads one, its answers and the codes of its faults.
#[tokio::test]
async fn the_document_holds_the_table() {
    let served = Served::start().await;
    let Document(document) = document(&served).await;
    assert_eq!(document["openapi"], "3.1.0");
    let mut told = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys() {
            told.insert((path.as_str(), method.as_str()));
        }
    }
    assert_eq!(told, ROUTES.iter().map(|route| (route.path, route.method)).collect());
    for route in ROUTES {
        let operation = &document["paths"][route.path][route.method];
        let reads = ["post", "put", "patch"].contains(&route.method);
        assert_eq!(operation["requestBody"].is_object(), reads, "{route:?}");
        assert_eq!(operation["security"].is_array(), route.access != Access::Public, "{route:?}");
        let parameters = operation["parameters"].as_array().expect("a list");
        let in_path = parameters.iter().filter(|it| it["in"] == "path").count();
        assert_eq!(in_path, route.path.matches('{').count(), "{route:?}");
        let responses = operation["responses"].as_object().expect("responses");
        let good = responses.keys().filter(|status| !status.starts_with(['4', '5'])).count();
        assert_eq!(good, 1, "{route:?}");
        for (status, response) in responses.iter().filter(|(status, _)| status.starts_with('4')) {
            let schema = &response["content"]["application/json"]["schema"];
            let codes = &schema["properties"]["error"]["properties"]["code"]["enum"];
            assert!(!codes.as_array().expect("codes").is_empty(), "{route:?} {status}");
        }
        let needs_token = responses.contains_key("401") && responses.contains_key("403");
        assert_eq!(needs_token, route.access != Access::Public, "{route:?}");
    }
}

/// A good request of every route is answered well, and request and answer are what the document says;
/// `Served` holds every answer to it.
#[tokio::test]
async fn a_sample_of_every_route_is_as_the_document_says() {
    let served = Served::start().await;
    let view = order(ORDER, MINE, OrderState::Pending);
    served.port.orders.lock().expect("no panic").insert(ORDER, view);
    let book = port::BookView {
        symbol: label("BTC/USDT"),
        sequence: 3,
        bids: vec![level("1", "2")],
        asks: vec![],
    };
    *served.port.book.lock().expect("no panic") = (1_000_000, Some(book));
    served.port.answer(|request| {
        Ok(match request.command {
            Command::PlaceOrder(_) | Command::ReplaceOrder(_) => Outcome::Accepted { order: ORDER },
            _ => Outcome::Done { created: Some(Id([0x88; 16])) },
        })
    });
    let trader = bearer(&claims(gateway::Role::Trader, vec![MINE, OTHERS]));
    for route in ROUTES.iter().filter(|route| route.path != "/v1/ws") {
        let path = path_of(route) + query_of(route);
        let body = body_of(route);
        let answer = match route.access {
            Access::Trader => {
                let headers = [("authorization", trader.as_str())];
                served.send(route.method, &path, &headers, &body).await
            }
            Access::Operator => served.operator(route.method, &path, &body).await,
            Access::Public | Access::Monitor => served.anonymous(route.method, &path, &body).await,
        };
        assert!(answer.status.is_success(), "{route:?} {} {}", answer.status, answer.text);
        assert_eq!(route_of(route.method, &path), Some(route));
    }
}

/// The check itself: what the document does not say is refused.
#[tokio::test]
async fn the_check_refuses_what_the_document_does_not_say() {
    let served = Served::start().await;
    let document = document(&served).await;
    let path = format!("/v1/orders/{ORDER}");
    let good = Exchange {
        asked: ("patch", &path),
        body: r#"{"quantity":"1"}"#,
        status: 200,
        answer: &json!({"order_id": ORDER.to_string(), "quantity": "1", "sequence": 3}).to_string(),
    };
    assert_eq!(document.check(good), Ok(()));
    let fault = r#"{"error":{"code":"VERSION_CONFLICT","message":"a"}}"#;
    assert_eq!(document.check(Exchange { status: 409, answer: fault, ..good }), Ok(()));
    let wrong = [
        Exchange { status: 202, ..good },
        Exchange { status: 404, answer: fault, ..good },
        Exchange { answer: "{}", ..good },
        Exchange { answer: &good.answer.replace("sequence", "number"), ..good },
        Exchange { answer: &good.answer.replace("{", r#"{"more":1,"#), ..good },
        Exchange { answer: &good.answer.replace("\"1\"", "1"), ..good },
        Exchange { answer: &good.answer.replace("\"1\"", "\"one\""), ..good },
        Exchange { answer: &good.answer.replace(":3", ":-3"), ..good },
        Exchange { body: r#"{"quantity":1}"#, ..good },
        Exchange { body: r#"{"quantity":"1","price":"2"}"#, ..good },
    ];
    for exchange in wrong {
        assert!(document.check(exchange).is_err(), "{exchange:?}");
    }
    let odd = json!({"type": "string", "pattern": "a"});
    assert!(document.fits(&odd, &Value::from("a"), "it").is_err(), "an unknown word");
}
