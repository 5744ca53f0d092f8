//! Texts of requests: keys, names, symbols, decimals, ids and times.
//!
//! A text is data: it is compared and stored and never becomes code. The alphabets are narrow all the
//! same, so that no quote, bracket, path step or control character gets behind the door (INV-70).

use schema::{Code, Label};
use units::{Amount, Id, ParseAmountError, Rate, Side, Timestamp};

use crate::error::ApiError;

/// A key of a client: letters, digits and `. _ : + = @ # - /`, at most 64 (LIFE-6).
pub(crate) fn parse_key(field: &str, text: &str) -> Result<Label, ApiError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._:+=@#-/".contains(&byte);
    if text.is_empty() || !text.bytes().all(plain) || text.contains("..") {
        return Err(ApiError::schema(format!(
            "{field} is 1 to 64 letters, digits and the signs . _ : + = @ # - /, without two dots in a row"
        )));
    }
    label(field, text)
}

/// A symbol of a market or an asset as a client writes it. It may name nothing.
pub(crate) fn parse_symbol(field: &str, text: &str) -> Result<Label, ApiError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/:-".contains(&byte);
    if text.is_empty() || !text.bytes().all(plain) {
        return Err(ApiError::schema(format!("{field} is no symbol, such as BTC/USDT")));
    }
    label(field, text)
}

/// A name or a reason for people: letters of any script, digits, spaces and a few signs.
pub(crate) fn parse_words(field: &str, text: &str) -> Result<Label, ApiError> {
    let plain = |sign: char| sign.is_alphanumeric() || " .,_:+-/@#()&".contains(sign);
    if text.is_empty() || !text.chars().all(plain) || text.contains("..") {
        return Err(ApiError::schema(format!(
            "{field} is letters, digits, spaces and the signs . , _ : + - / @ # ( ) &"
        )));
    }
    label(field, text)
}

fn label(field: &str, text: &str) -> Result<Label, ApiError> {
    Label::new(text).map_err(|_| ApiError::schema(format!("{field} is longer than 64 bytes")))
}

/// A decimal. What is no number is malformed; too many digits are refused with `code` (LIFE-8).
pub(crate) fn parse_amount(field: &str, text: &str, code: Code) -> Result<Amount, ApiError> {
    text.parse().map_err(|fault| match fault {
        ParseAmountError::Malformed => {
            ApiError::schema(format!("{field} is no decimal number, such as \"12.5\""))
        }
        fault => ApiError::refused(code, format!("{field}: {fault}")),
    })
}

/// A ratio with at most eight decimals.
pub(crate) fn parse_rate(field: &str, text: &str) -> Result<Rate, ApiError> {
    Rate::from_ratio(parse_amount(field, text, Code::InvalidRate)?)
        .map_err(|fault| ApiError::refused(Code::InvalidRate, format!("{field}: {fault}")))
}

/// An id.
pub(crate) fn parse_id(field: &str, text: &str) -> Result<Id, ApiError> {
    text.parse()
        .map_err(|_| ApiError::schema(format!("{field} is no UUID of 36 characters in lower case")))
}

/// A time between 2020 and 2100 (TIME-50).
pub(crate) fn parse_time(field: &str, text: &str) -> Result<Timestamp, ApiError> {
    let time: Timestamp =
        text.parse().map_err(|fault| ApiError::schema(format!("{field}: {fault}")))?;
    if !time.is_taken() {
        return Err(ApiError::schema(format!("{field} is not between 2020-01-01 and 2100-01-01")));
    }
    Ok(time)
}

/// BUY or SELL.
pub(crate) fn parse_side(field: &str, text: &str) -> Result<Side, ApiError> {
    match text {
        "BUY" => Ok(Side::Buy),
        "SELL" => Ok(Side::Sell),
        _ => Err(ApiError::schema(format!("{field} is BUY or SELL"))),
    }
}

/// A value of a closed enumeration.
pub(crate) fn parse_name<T: Copy>(
    field: &str,
    text: &str,
    values: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<T, ApiError> {
    values.iter().copied().find(|&value| name(value) == text).ok_or_else(|| {
        let names: Vec<&str> = values.iter().map(|&value| name(value)).collect();
        ApiError::schema(format!("{field} is one of {}", names.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_words_take_no_code() {
        for bad in ["", "1' OR '1'='1", "../../etc/passwd", "a\u{0}b", "a b", "ü", "<b>", "a;b"] {
            assert!(parse_key("key", bad).is_err(), "{bad}");
        }
        for bad in ["", "1' OR '1'='1", "../x", "a\nb", "\"", "$(x)", "`x`", "a\\b"] {
            assert!(parse_words("reason", bad).is_err(), "{bad}");
        }
        assert!(parse_key("key", &"k".repeat(64)).is_ok());
        assert!(parse_key("key", &"k".repeat(65)).is_err());
        assert!(parse_words("name", "Tether USD (ERC-20), größer").is_ok());
    }

    #[test]
    fn too_many_digits_are_a_refusal_and_garbage_is_malformed() {
        let precise = parse_amount("price", "0.0000000000000000001", Code::InvalidPrice);
        assert_eq!(precise.expect_err("too precise").code(), "INVALID_PRICE");
        let garbage = parse_amount("price", "ten", Code::InvalidPrice);
        assert_eq!(garbage.expect_err("no number").code(), "INVALID_SCHEMA");
    }

    /// covers: TIME-50
    #[test]
    fn times_lie_between_2020_and_2100() {
        assert!(parse_time("expire_at", "2020-01-01T00:00:00Z").is_ok());
        assert!(parse_time("expire_at", "2100-01-01T00:00:00Z").is_ok());
        assert!(parse_time("expire_at", "2019-12-31T23:59:59.999999999Z").is_err());
        assert!(parse_time("expire_at", "2100-01-01T00:00:00.000000001Z").is_err());
    }
}
