//! What an event looks like in JSON: objects whose fields keep their order.
//!
//! Every decimal is a text (EVT-13), a time stands in two forms (EVT-14), and an optional field that is
//! absent is null, so that every event of a type has the same fields.

use std::fmt::{Display, Write as _};

use serde::ser::{Serialize, SerializeMap as _, SerializeSeq as _, Serializer};
use units::Timestamp;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// Absent.
    Null,
    /// A text, a decimal, an id.
    Text(String),
    /// A count.
    Count(u64),
    /// Nanoseconds.
    Nanos(i64),
    /// true or false.
    Flag(bool),
    /// An object.
    Object(Fields),
    /// A list.
    List(Vec<Value>),
}

/// An object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields(Vec<(String, Value)>);

impl Fields {
    /// An object without fields.
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// The fields in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The field with a name.
    pub(crate) fn field(&self, name: &str) -> Option<&Value> {
        self.iter().find(|(other, _)| *other == name).map(|(_, value)| value)
    }

    /// The text of the field with a name; empty when it is none.
    pub(crate) fn text_of(&self, name: &str) -> &str {
        match self.field(name) {
            Some(Value::Text(text)) => text,
            _ => "",
        }
    }

    /// The objects of the list with a name.
    pub(crate) fn objects_of(&self, name: &str) -> impl Iterator<Item = &Self> {
        let items = match self.field(name) {
            Some(Value::List(items)) => items.as_slice(),
            _ => &[],
        };
        items.iter().filter_map(|item| match item {
            Value::Object(fields) => Some(fields),
            _ => None,
        })
    }

    /// Adds a field.
    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        self.0.push((name.to_owned(), value));
        self
    }

    /// Adds what shows itself as text: a text, a decimal, an id, a name.
    pub(crate) fn text(self, name: &str, value: impl Display) -> Self {
        self.with(name, Value::Text(value.to_string()))
    }

    /// As `text`, or null.
    pub(crate) fn maybe(self, name: &str, value: Option<impl Display>) -> Self {
        self.with(name, value.map_or(Value::Null, |value| Value::Text(value.to_string())))
    }

    /// Adds an absent field.
    pub(crate) fn null(self, name: &str) -> Self {
        self.with(name, Value::Null)
    }

    /// Adds a count.
    pub(crate) fn count(self, name: &str, value: impl Into<u64>) -> Self {
        self.with(name, Value::Count(value.into()))
    }

    /// Adds true or false.
    pub(crate) fn flag(self, name: &str, value: bool) -> Self {
        self.with(name, Value::Flag(value))
    }

    /// Adds a time in both forms: ISO 8601 under `name`, nanoseconds under `name_nanos` (EVT-14).
    pub(crate) fn time(self, name: &str, value: Timestamp) -> Self {
        self.text(name, value).with(&format!("{name}_nanos"), Value::Nanos(value.0))
    }

    /// As `time`, or both null.
    pub(crate) fn maybe_time(self, name: &str, value: Option<Timestamp>) -> Self {
        match value {
            Some(value) => self.time(name, value),
            None => self.null(name).null(&format!("{name}_nanos")),
        }
    }

    /// Adds bytes as hexadecimal digits.
    pub(crate) fn hex(self, name: &str, bytes: &[u8]) -> Self {
        let digits = bytes.iter().fold(String::new(), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        });
        self.text(name, digits)
    }

    /// Adds a list of objects.
    pub(crate) fn list(self, name: &str, items: impl IntoIterator<Item = Self>) -> Self {
        self.with(name, Value::List(items.into_iter().map(Value::Object).collect()))
    }

    /// Adds an object.
    pub(crate) fn object(self, name: &str, value: Self) -> Self {
        self.with(name, Value::Object(value))
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Count(count) => serializer.serialize_u64(*count),
            Self::Nanos(nanos) => serializer.serialize_i64(*nanos),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Object(fields) => fields.serialize(serializer),
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(item)?;
                }
                list.end()
            }
        }
    }
}
