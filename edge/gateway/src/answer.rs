//! JSON that is answered, written straight into one text.
//!
//! Decimals and ids are strings without anything to escape, times stand in their two forms (D-8,
//! TIME-8), so a writer of forty lines serves the hot path better than a tree of values would.

use std::fmt::{Display, Write as _};

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use units::Timestamp;

/// A JSON object that is being written.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    out: String,
}

impl Object {
    pub(crate) fn new() -> Self {
        let mut out = String::with_capacity(256);
        out.push('{');
        Self { out }
    }

    /// A text of any content.
    pub(crate) fn text(mut self, name: &str, value: &str) -> Self {
        self.name(name);
        push_text(&mut self.out, value);
        self
    }

    /// What shows itself as a text that needs no escape: a decimal, an id, a name of an enumeration.
    pub(crate) fn shown(mut self, name: &str, value: impl Display) -> Self {
        self.name(name);
        let _ = write!(self.out, "\"{value}\"");
        self
    }

    /// As `shown`, or null.
    pub(crate) fn maybe(self, name: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.shown(name, value),
            None => self.raw(name, "null"),
        }
    }

    /// A text of any content, or null.
    pub(crate) fn maybe_text(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self.raw(name, "null"),
        }
    }

    /// A number that counts something; never money.
    pub(crate) fn count(mut self, name: &str, value: impl Into<u64>) -> Self {
        self.name(name);
        let _ = write!(self.out, "{}", value.into());
        self
    }

    /// true or false.
    pub(crate) fn flag(self, name: &str, value: bool) -> Self {
        self.raw(name, if value { "true" } else { "false" })
    }

    /// A time in both forms: `name` in ISO 8601 and `name_nanos` as an integer (TIME-8).
    pub(crate) fn time(mut self, name: &str, value: Timestamp) -> Self {
        self.name(name);
        let _ = write!(self.out, "\"{value}\",\"{name}_nanos\":{}", value.0);
        self
    }

    /// As `time`, or null in both forms.
    pub(crate) fn maybe_time(self, name: &str, value: Option<Timestamp>) -> Self {
        match value {
            Some(value) => self.time(name, value),
            None => self.raw(name, "null").raw(&format!("{name}_nanos"), "null"),
        }
    }

    /// An object.
    pub(crate) fn object(self, name: &str, value: Object) -> Self {
        let text = value.end();
        self.raw(name, &text)
    }

    /// A list, each of whose items `write` appends.
    pub(crate) fn list<T>(
        mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut String, T),
    ) -> Self {
        self.name(name);
        self.out.push('[');
        let mut first = true;
        for item in items {
            if !first {
                self.out.push(',');
            }
            first = false;
            write(&mut self.out, item);
        }
        self.out.push(']');
        self
    }

    /// JSON that is written already.
    pub(crate) fn raw(mut self, name: &str, value: &str) -> Self {
        self.name(name);
        self.out.push_str(value);
        self
    }

    /// Bytes written so far.
    pub(crate) fn size(&self) -> usize {
        self.out.len()
    }

    /// The whole text.
    pub(crate) fn end(mut self) -> String {
        self.out.push('}');
        self.out
    }

    fn name(&mut self, name: &str) {
        if self.out.len() > 1 {
            self.out.push(',');
        }
        self.out.push('"');
        self.out.push_str(name);
        self.out.push_str("\":");
    }
}

/// A response with a JSON object.
pub(crate) fn json(status: StatusCode, body: Object) -> Response {
    let mut response = Body::from(body.end()).into_response();
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// Appends a text in quotes.
pub(crate) fn push_text(out: &mut String, text: &str) {
    out.push('"');
    for sign in text.chars() {
        match sign {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            sign if u32::from(sign) < 0x20 || sign == '\u{7f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(sign));
            }
            sign => out.push(sign),
        }
    }
    out.push('"');
}

/// Appends `[price, quantity]`, both as texts (SVC-60).
pub(crate) fn push_level(out: &mut String, price: impl Display, quantity: impl Display) {
    let _ = write!(out, "[\"{price}\",\"{quantity}\"]");
}

#[cfg(test)]
mod tests {
    use super::*;
    use units::Amount;

    /// covers: TIME-8
    #[test]
    fn a_time_is_written_in_both_forms() {
        let text = Object::new().time("created_at", Timestamp(1_708_123_456_789_012_345)).end();
        assert_eq!(
            text,
            r#"{"created_at":"2024-02-16T22:44:16.789012Z","created_at_nanos":1708123456789012345}"#
        );
    }

    #[test]
    fn whatever_is_written_reads_back() {
        let odd = "a\"b\\c\nd\u{1}é\u{7f}";
        let text = Object::new()
            .text("odd", odd)
            .shown("amount", Amount::from_units(3))
            .maybe("none", None::<Amount>)
            .count("count", 7u32)
            .flag("flag", true)
            .list("list", [1, 2], |out, item| push_level(out, item, item))
            .end();
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(value["odd"], odd);
        assert_eq!(value["amount"], "3");
        assert!(value["none"].is_null());
        assert_eq!(value["list"][1][0], "2");
    }
}
