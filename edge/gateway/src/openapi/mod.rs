//! The OpenAPI document of the door, made from the code.
//!
//! Paths come from the table of routes, bodies from the forms that read them, answers from the shapes,
//! codes from the one list (EVT-77) with the status that the door gives them. A route without a
//! description does not compile, and the tests hold every answer they get to the document. Read
//! `operations.rs` for what each route says of itself.

pub(crate) mod operations;
mod shape;
mod shapes;
pub(crate) mod words;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use schema::Code;
use serde_json::{Map, Value, json};

use crate::error::{TIMED_OUT, UNAVAILABLE, status_of};
use crate::routes::{Access, OPERATIONS, ROUTES, Route};
use operations::{Answer, Operation, Parameter};

/// The text of the document, which never changes while the process lives.
static DOCUMENT: LazyLock<String> = LazyLock::new(|| document().to_string());

/// GET /openapi.json: this document. It tells nothing of the venue or of anybody.
pub(crate) async fn read() -> Response {
    let mut response = Body::from(DOCUMENT.as_str()).into_response();
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// The whole document.
fn document() -> Value {
    let (mut components, mut paths) = (Map::new(), Map::new());
    for (route, operation) in ROUTES.iter().zip(OPERATIONS) {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method] = describe(route, operation, &mut components);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "dex",
            "description": "The native API of the exchange: docs/api.md in words.",
            "version": env!("CARGO_PKG_VERSION"),
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            },
        },
    })
}

fn describe(route: &Route, operation: &Operation, components: &mut Map<String, Value>) -> Value {
    let mut out = json!({
        "operationId": operation.name,
        "summary": operation.about,
        "tags": [tag(route)],
        "parameters": parameters(route, operation),
        "responses": responses(route, operation, components),
    });
    if let Some(body) = operation.body {
        let content = json!({"application/json": {"schema": body(components)}});
        out["requestBody"] = json!({"required": true, "content": content});
    }
    if route.access != Access::Public {
        out["security"] = json!([{"token": []}]);
    }
    out
}

/// The part of the API that a route belongs to.
fn tag(route: &Route) -> &'static str {
    match route.access {
        Access::Operator => "operator",
        Access::Trader => "trader",
        Access::Public | Access::Monitor => "public",
    }
}

fn parameters(route: &Route, operation: &Operation) -> Vec<Value> {
    let mut all = Vec::new();
    for part in route.path.split('/') {
        let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) else {
            continue;
        };
        let format = if name == "id" { "uuid" } else { "symbol" };
        let schema = json!({"type": "string", "format": format});
        all.push(json!({"name": name, "in": "path", "required": true, "schema": schema}));
    }
    for Parameter(name, needed, kind) in operation.parameters {
        let schema = kind.schema(&mut Map::new());
        all.push(json!({"name": name, "in": "query", "required": needed, "schema": schema}));
    }
    if operation.has_key {
        let schema = json!({"type": "string", "format": "key"});
        all.push(json!({"name": "Idempotency-Key", "in": "header", "schema": schema}));
    }
    if operation.is_command() {
        let schema = shape::Kind::Count.schema(&mut Map::new());
        all.push(json!({"name": "Account-Version", "in": "header", "schema": schema}));
    }
    all
}

fn responses(
    route: &Route,
    operation: &Operation,
    components: &mut Map<String, Value>,
) -> Map<String, Value> {
    let mut all = Map::new();
    for (status, answer) in operation.answers {
        let response = match answer {
            Answer::Shape(shape) => {
                let content = json!({"application/json": {"schema": shape.place(components)}});
                json!({"description": shape.about, "content": content})
            }
            Answer::Text(about) => {
                let content = json!({"text/plain": {"schema": {"type": "string"}}});
                json!({"description": about, "content": content})
            }
            Answer::Any(about) => {
                let content = json!({"application/json": {"schema": {"type": "object"}}});
                json!({"description": about, "content": content})
            }
            Answer::Stream(about) => json!({"description": about}),
        };
        all.insert(status.to_string(), response);
    }
    for (status, codes) in faults(route, operation) {
        let text = status.to_string();
        if !all.contains_key(&text) {
            all.insert(text, fault(&codes));
        }
    }
    all
}

/// The codes of a route's faults by status, in the order in which they are named.
fn faults(route: &Route, operation: &Operation) -> BTreeMap<u16, Vec<&'static str>> {
    let mut all: BTreeMap<u16, Vec<&'static str>> = BTreeMap::new();
    let mut add = |status: u16, code: &'static str| {
        let codes = all.entry(status).or_default();
        if !codes.contains(&code) {
            codes.push(code);
        }
    };
    if operation.can_be_malformed(route) {
        add(400, Code::InvalidSchema.name());
    }
    if route.access != Access::Public {
        add(401, Code::PermissionDenied.name());
        add(403, Code::PermissionDenied.name());
    }
    if operation.is_command() {
        add(status_of(Code::VersionConflict).as_u16(), Code::VersionConflict.name());
    }
    if operation.body.is_some() {
        add(408, Code::InvalidSchema.name());
        add(413, Code::InvalidSchema.name());
    }
    for code in operation.codes.iter().copied().flatten() {
        add(status_of(*code).as_u16(), code.name());
    }
    for code in Code::ALL.iter().filter(|code| operation.rejects && code.uses().rejects) {
        add(422, code.name());
    }
    for (status, code) in operation.more {
        add(*status, code.name());
    }
    if operation.asks_shard {
        add(503, UNAVAILABLE);
        add(503, TIMED_OUT);
    }
    all
}

/// A refusal with one of these codes.
fn fault(codes: &[&str]) -> Value {
    let code = json!({"type": "string", "enum": codes});
    let error = json!({
        "type": "object",
        "properties": {"code": code, "message": {"type": "string"}},
        "required": ["code", "message"],
        "additionalProperties": false,
    });
    let schema = json!({
        "type": "object",
        "properties": {"error": error, "order_id": {"type": "string", "format": "uuid"}},
        "required": ["error"],
        "additionalProperties": false,
    });
    json!({
        "description": codes.join(", "),
        "content": {"application/json": {"schema": schema}},
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Every route is in it once, under a name of its own, and every reference leads somewhere.
    #[test]
    fn every_route_has_its_own_operation() {
        let document = document();
        let mut names = BTreeSet::new();
        for route in ROUTES {
            let operation = &document["paths"][route.path][route.method];
            let name = operation["operationId"].as_str().expect("a name");
            assert!(names.insert(name.to_owned()), "{name} names two routes");
            assert!(operation["summary"].as_str().is_some_and(|text| text.ends_with('.')));
        }
        let text = document.to_string();
        for part in text.split("#/components/schemas/").skip(1) {
            let name = part.split('"').next().expect("a name");
            assert!(document["components"]["schemas"][name].is_object(), "{name}");
        }
    }

    /// Codes stand under the status that the door gives them: those of a rejected order under 422.
    #[test]
    fn codes_stand_under_their_status() {
        let document = document();
        let responses = &document["paths"]["/v1/orders"]["post"]["responses"];
        let codes = |status: &str| {
            let content = &responses[status]["content"]["application/json"]["schema"];
            content["properties"]["error"]["properties"]["code"]["enum"].clone()
        };
        assert_eq!(codes("409"), json!(["IDEMPOTENCY_CONFLICT"]));
        assert_eq!(codes("503"), json!([UNAVAILABLE, TIMED_OUT]));
        let rejects = codes("422");
        for code in Code::ALL.iter().filter(|code| code.uses().rejects) {
            assert!(rejects.as_array().is_some_and(|all| all.contains(&code.name().into())));
        }
    }
}
