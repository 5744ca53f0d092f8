//! The OpenAPI document of the served door, and whether requests and answers are what it says.
//!
//! Every request of every test passes here: an answer with a status, a field or a code that the document
//! does not name fails the test that got it, and so does a taken body that the document would refuse.
//! The check knows the words of JSON Schema that the document uses, and fails at any other.

use gateway::{ROUTES, Route};
use serde_json::Value;
use units::{Amount, Id, Rate, Timestamp};

/// A document.
#[derive(Debug)]
pub(crate) struct Document(pub(crate) Value);

/// What was asked and what was answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exchange<'a> {
    /// Method in lower case, and path with parameters.
    pub(crate) asked: (&'a str, &'a str),
    /// Body of the request.
    pub(crate) body: &'a str,
    /// Status of the answer.
    pub(crate) status: u16,
    /// Body of the answer.
    pub(crate) answer: &'a str,
}

impl Document {
    /// What is wrong with a request that was taken, or with its answer. Nothing for what is no route.
    pub(crate) fn check(&self, exchange: Exchange<'_>) -> Result<(), String> {
        let (method, path) = exchange.asked;
        let Some(route) = route_of(method, path) else { return Ok(()) };
        let operation = &self.0["paths"][route.path][route.method];
        let response = &operation["responses"][exchange.status.to_string()];
        if response.is_null() {
            return Err(format!("status {} is not in the document", exchange.status));
        }
        if let Some(content) = response["content"].get("application/json") {
            let answer = serde_json::from_str(exchange.answer).map_err(|it| it.to_string())?;
            self.fits(&content["schema"], &answer, "answer")?;
        }
        let body = &operation["requestBody"]["content"]["application/json"]["schema"];
        if exchange.status < 300 && !body.is_null() && !has_faults(exchange.answer) {
            let sent = serde_json::from_str(exchange.body).map_err(|it| it.to_string())?;
            self.fits(body, &sent, "body")?;
        }
        Ok(())
    }

    /// Whether a value fits a schema.
    pub(crate) fn fits(&self, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
        let words = schema.as_object().ok_or_else(|| format!("{at}: the schema is no object"))?;
        for (word, rule) in words {
            let fault = || format!("{at}: {value} is not as {word} says: {rule}");
            let fits = match word.as_str() {
                "$ref" => {
                    let name = rule.as_str().and_then(|text| text.rsplit('/').next());
                    let schema = &self.0["components"]["schemas"][name.unwrap_or_default()];
                    self.fits(schema, value, at)?;
                    true
                }
                "oneOf" => {
                    let of = rule.as_array().ok_or_else(fault)?;
                    of.iter().filter(|schema| self.fits(schema, value, at).is_ok()).count() == 1
                }
                "type" => is_type(rule, value),
                "enum" => rule.as_array().is_some_and(|all| all.contains(value)),
                "format" => value.as_str().is_none_or(|text| is_format(rule, text)),
                "minimum" => value.as_i64().is_none_or(|it| Some(it) >= rule.as_i64()),
                "minItems" => list(value).is_none_or(|count| Some(count) >= rule.as_u64()),
                "maxItems" => list(value).is_none_or(|count| Some(count) <= rule.as_u64()),
                "required" => rule.as_array().is_some_and(|names| {
                    names.iter().all(|name| value.get(name.as_str().unwrap_or("?")).is_some())
                }),
                "items" => {
                    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.fits(rule, item, &format!("{at}[{index}]"))?;
                    }
                    true
                }
                "properties" => {
                    for (name, schema) in rule.as_object().into_iter().flatten() {
                        if let Some(value) = value.get(name) {
                            self.fits(schema, value, &format!("{at}.{name}"))?;
                        }
                    }
                    true
                }
                "additionalProperties" => {
                    let known = schema.get("properties").and_then(Value::as_object);
                    let known = |name: &str| known.is_some_and(|all| all.contains_key(name));
                    let mut more = value.as_object().into_iter().flatten();
                    let mut more = more.by_ref().filter(|(name, _)| !known(name));
                    match rule {
                        Value::Bool(false) => more.next().is_none(),
                        schema => more.all(|(_, value)| self.fits(schema, value, at).is_ok()),
                    }
                }
                "propertyNames" => true,
                "description" | "title" | "examples" | "default" => true,
                word => return Err(format!("{at}: the check knows no {word}")),
            };
            if !fits {
                return Err(fault());
            }
        }
        Ok(())
    }
}

/// The route of a request: one without parts to fill before one with.
pub(crate) fn route_of(method: &str, path: &str) -> Option<&'static Route> {
    let path = path.split('?').next().unwrap_or_default();
    let fits = |route: &&Route| {
        let mut parts = path.split('/');
        let mut told = route.path.split('/');
        let same = told
            .by_ref()
            .all(|told| parts.next().is_some_and(|part| told.starts_with('{') || told == part));
        route.method == method && same && parts.next().is_none()
    };
    let mut found = ROUTES.iter().filter(fits);
    let first = found.next();
    first.filter(|route| !route.path.contains('{')).or(found.next()).or(first)
}

/// Whether one of several answers of a batch is a fault: what is wrong with an item is its own answer.
fn has_faults(answer: &str) -> bool {
    let answer: Value = serde_json::from_str(answer).unwrap_or_default();
    let mut items = answer["answers"].as_array().into_iter().flatten();
    items.any(|item| item["status"].as_u64() >= Some(400))
}

fn list(value: &Value) -> Option<u64> {
    value.as_array().map(|items| items.len() as u64)
}

fn is_type(rule: &Value, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str() {
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("boolean") => value.is_boolean(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        Some("null") => value.is_null(),
        _ => false,
    };
    rule.as_array().map_or_else(|| is(rule), |names| names.iter().any(is))
}

/// A text of a format is what the exchange's own parser reads.
fn is_format(rule: &Value, text: &str) -> bool {
    match rule.as_str() {
        Some("uuid") => text.parse::<Id>().is_ok(),
        Some("decimal") => text.parse::<Amount>().is_ok(),
        Some("ratio") => text.parse().is_ok_and(|ratio| Rate::from_ratio(ratio).is_ok()),
        Some("date-time") => text.parse::<Timestamp>().is_ok(),
        Some("key" | "symbol") => !text.is_empty() && text.len() <= 64,
        Some("int32" | "int64") => true,
        _ => false,
    }
}
