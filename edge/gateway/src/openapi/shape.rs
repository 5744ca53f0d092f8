//! What an answer looks like: its fields and their kinds, as data.
//!
//! Answers are written straight into text (`answer.rs`), so no type of theirs could be derived from.
//! A shape says what such a text holds; every answer that a test of the door gets is held to its shape,
//! field by field, so that the two cannot part.

use serde_json::{Map, Value, json};

/// A JSON object that is answered. Fields that it does not name are not in it.
#[derive(Debug)]
pub(crate) struct Shape {
    /// Name in the document.
    pub(crate) name: &'static str,
    /// What it is.
    pub(crate) about: &'static str,
    /// Its fields.
    pub(crate) fields: &'static [Field],
}

/// A field: its name and what it holds.
pub(crate) type Field = (&'static str, Kind);

/// What a field holds.
#[derive(Debug)]
pub(crate) enum Kind {
    /// Any text.
    Text,
    /// An id.
    Id,
    /// A decimal text.
    Decimal,
    /// A decimal text of at most eight decimals.
    Ratio,
    /// A time in ISO 8601; a field of the same name with `_nanos` follows.
    Time,
    /// A time in both forms, or null in both.
    MaybeTime,
    /// A number that counts.
    Count,
    /// True or false.
    Flag,
    /// One of some texts.
    OneOf(&'static [&'static str]),
    /// One of the names of an enumeration.
    Name(fn() -> Vec<&'static str>),
    /// This or null.
    OrNull(&'static Kind),
    /// This, or the field is left out.
    OrAbsent(&'static Kind),
    /// A list of these.
    List(&'static Kind),
    /// A price and a quantity.
    Level,
    /// An object.
    Object(&'static Shape),
    /// One of two objects.
    Either(&'static Shape, &'static Shape),
    /// An object of texts by free names.
    Texts,
}

impl Shape {
    /// A reference to the shape, which is put among the components with all that it needs.
    pub(crate) fn place(&self, components: &mut Map<String, Value>) -> Value {
        if !components.contains_key(self.name) {
            components.insert(self.name.to_owned(), Value::Null);
            let schema = self.schema(components);
            components.insert(self.name.to_owned(), schema);
        }
        reference(self.name)
    }

    fn schema(&self, components: &mut Map<String, Value>) -> Value {
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for (name, kind) in self.fields {
            let mut put = |name: String, needed: bool, schema: Value| {
                if needed {
                    required.push(Value::from(name.as_str()));
                }
                properties.insert(name, schema);
            };
            let needed = !matches!(kind, Kind::OrAbsent(_));
            put((*name).to_owned(), needed, kind.schema(components));
            if let Some(nanos) = kind.nanos() {
                put(format!("{name}_nanos"), needed, nanos);
            }
        }
        json!({
            "type": "object",
            "description": self.about,
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        })
    }
}

impl Kind {
    /// The schema of a value of this kind.
    pub(crate) fn schema(&self, components: &mut Map<String, Value>) -> Value {
        match self {
            Self::Text => json!({"type": "string"}),
            Self::Id => text_of("uuid"),
            Self::Decimal => text_of("decimal"),
            Self::Ratio => text_of("ratio"),
            Self::Time => text_of("date-time"),
            Self::MaybeTime => json!({"type": ["string", "null"], "format": "date-time"}),
            Self::Count => json!({"type": "integer", "minimum": 0}),
            Self::Flag => json!({"type": "boolean"}),
            Self::OneOf(names) => json!({"type": "string", "enum": names}),
            Self::Name(names) => json!({"type": "string", "enum": names()}),
            Self::OrNull(kind) => {
                json!({"oneOf": [{"type": "null"}, kind.schema(components)]})
            }
            Self::OrAbsent(kind) => kind.schema(components),
            Self::List(kind) => json!({"type": "array", "items": kind.schema(components)}),
            Self::Level => json!({
                "type": "array",
                "items": text_of("decimal"),
                "minItems": 2,
                "maxItems": 2,
            }),
            Self::Object(shape) => shape.place(components),
            Self::Either(one, other) => {
                json!({"oneOf": [one.place(components), other.place(components)]})
            }
            Self::Texts => json!({"type": "object", "additionalProperties": {"type": "string"}}),
        }
    }

    /// The schema of the second form of a time.
    fn nanos(&self) -> Option<Value> {
        match self {
            Self::Time => Some(json!({"type": "integer"})),
            Self::MaybeTime => Some(json!({"type": ["integer", "null"]})),
            Self::OrAbsent(kind) => kind.nanos(),
            _ => None,
        }
    }
}

/// A reference to a component.
pub(crate) fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn text_of(format: &str) -> Value {
    json!({"type": "string", "format": format})
}
