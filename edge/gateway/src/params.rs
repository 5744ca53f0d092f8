//! Parts of the address: ids and symbols in the path, parameters behind the question mark.
//!
//! Parameters are as strict as bodies: a name that the route does not know, or one given twice, is a
//! fault of the caller and not silently dropped.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use percent_encoding::percent_decode_str;
use schema::Label;
use units::Id;

use crate::door::Door;
use crate::error::ApiError;
use crate::text::{parse_id, parse_symbol};

/// The id in a path with one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PathId(pub(crate) Id);

impl FromRequestParts<Arc<Door>> for PathId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, door: &Arc<Door>) -> Result<Self, ApiError> {
        let Path(text) = Path::<String>::from_request_parts(parts, door)
            .await
            .map_err(|_| ApiError::schema("the id in the path cannot be read"))?;
        parse_id("the id in the path", &text).map(Self)
    }
}

/// The symbol in a path with one, where `-` may stand for `/` (SVC-59).
#[derive(Clone, Copy, Debug)]
pub(crate) struct PathSymbol(pub(crate) Label);

impl FromRequestParts<Arc<Door>> for PathSymbol {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, door: &Arc<Door>) -> Result<Self, ApiError> {
        let Path(text) = Path::<String>::from_request_parts(parts, door)
            .await
            .map_err(|_| ApiError::schema("the symbol in the path cannot be read"))?;
        parse_symbol("the symbol in the path", &text).map(Self)
    }
}

/// The parameters of a query, each at most once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Params(BTreeMap<String, String>);

impl FromRequestParts<Arc<Door>> for Params {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Door>) -> Result<Self, ApiError> {
        Self::parse(parts.uri.query().unwrap_or_default())
    }
}

impl Params {
    /// Reads `name=value&…`.
    pub(crate) fn parse(query: &str) -> Result<Self, ApiError> {
        let mut all = BTreeMap::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name)?;
            if all.insert(name.clone(), decode(value)?).is_some() {
                return Err(ApiError::schema(format!("the parameter {name:?} is given twice")));
            }
        }
        Ok(Self(all))
    }

    /// Refuses what is not among the names that the route knows.
    pub(crate) fn only(self, known: &[&str]) -> Result<Self, ApiError> {
        match self.0.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(ApiError::schema(format!(
                "unknown parameter {name:?}; known here: {}",
                if known.is_empty() { "none".to_owned() } else { known.join(", ") }
            ))),
            None => Ok(self),
        }
    }

    /// The value of a parameter.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The value of a parameter that must be there.
    pub(crate) fn needed(&self, name: &str) -> Result<&str, ApiError> {
        self.value(name).ok_or_else(|| ApiError::schema(format!("the parameter {name} is missing")))
    }

    /// A count.
    pub(crate) fn count(&self, name: &str) -> Result<Option<u64>, ApiError> {
        self.value(name)
            .map(|text| text.parse().map_err(|_| ApiError::schema(format!("{name} is no count"))))
            .transpose()
    }
}

fn decode(text: &str) -> Result<String, ApiError> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded.map(Into::into).map_err(|_| ApiError::schema("the query is no UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_once_and_known() {
        let params = Params::parse("symbol=BTC%2FUSDT&depth=5").expect("two parameters");
        assert_eq!(params.value("symbol"), Some("BTC/USDT"));
        assert_eq!(params.count("depth"), Ok(Some(5)));
        assert!(params.clone().only(&["symbol", "depth"]).is_ok());
        assert!(params.only(&["symbol"]).is_err());
        assert!(Params::parse("a=1&a=1").is_err());
        assert!(Params::parse("a=%ff").is_err());
        assert!(Params::parse("depth=-1").expect("one").count("depth").is_err());
        assert_eq!(Params::parse(""), Ok(Params::default()));
    }
}
