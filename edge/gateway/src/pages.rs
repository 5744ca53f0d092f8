//! Lists in parts: where a part begins, how long it is, and from when to when (TRADE-41, TRADE-42).

use port::{Cursor, Listed, PAGE_LIMIT_MAX, Page, Period, PortFault, is_limit};
use schema::Code;
use units::Timestamp;

use crate::answer::Object;
use crate::error::{ApiError, status_of};
use crate::params::Params;
use crate::text::parse_time;

/// The parameters of a list in parts, with which `Params::only` is asked.
pub(crate) const PAGED: [&str; 5] = ["start_time", "end_time", "cursor", "limit", "min_sequence"];

impl Params {
    /// Refuses what is neither of a list in parts nor among `more`.
    pub(crate) fn only_paged(self, more: &[&str]) -> Result<Self, ApiError> {
        self.only(&[more, &PAGED].concat())
    }

    /// Whether a part of a list is asked for, and not a list as it is now.
    pub(crate) fn is_paged(&self) -> bool {
        PAGED[..4].iter().any(|name| self.value(name).is_some())
    }

    /// `cursor` and `limit`: at most so many items, 1 to 1,000 and 100 unless said, behind the cursor.
    pub(crate) fn page(&self) -> Result<Page, ApiError> {
        let cursor = |text: &str| {
            text.parse::<Cursor>().map_err(|fault| ApiError::schema(format!("cursor: {fault}")))
        };
        let after = self.value("cursor").map(cursor).transpose()?;
        Ok(Page { after, limit: self.limit()? })
    }

    /// `limit`.
    pub(crate) fn limit(&self) -> Result<u32, ApiError> {
        let Some(limit) = self.count("limit")? else { return Ok(Page::FIRST.limit) };
        let limit = u32::try_from(limit).ok().filter(|&limit| is_limit(limit));
        limit.ok_or_else(|| ApiError::schema(format!("limit is 1 to {PAGE_LIMIT_MAX}")))
    }

    /// `start_time`, which is included, and `end_time`, which is not.
    pub(crate) fn period(&self) -> Result<Period, ApiError> {
        let time = |name: &str| self.value(name).map(|text| time_of(name, text)).transpose();
        let period = Period { start: time("start_time")?, end: time("end_time")? };
        if !period.is_sound() {
            return Err(ApiError::schema("start_time is later than end_time"));
        }
        Ok(period)
    }
}

/// ISO 8601, or nanoseconds since 1970: both forms in which times are answered (TIME-8).
fn time_of(name: &str, text: &str) -> Result<Timestamp, ApiError> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return parse_time(name, text);
    }
    let time = text.parse().map(Timestamp).ok().filter(|time: &Timestamp| time.is_taken());
    time.ok_or_else(|| ApiError::schema(format!("{name} is not between 2020-01-01 and 2100-01-01")))
}

/// Why there is no list, and no item of one.
pub(crate) fn fault_of(code: Code) -> ApiError {
    let message = match code {
        Code::TradeNotFound => "no such trade",
        Code::OrderNotFound => return ApiError::no_order(),
        Code::SymbolNotFound => return ApiError::no_market(),
        Code::AccountNotFound => return crate::account::no_account(),
        _ => "the query cannot be answered",
    };
    ApiError::new(status_of(code), code, message)
}

/// A view that answers another question than was asked is no view.
pub(crate) fn unanswered() -> ApiError {
    PortFault::Stopped.into()
}

/// A part of a list, and the cursor of the next one or null.
pub(crate) fn part<T>(
    body: Object,
    name: &str,
    listed: &Listed<T>,
    object: impl Fn(&T) -> Object,
) -> Object {
    body.list(name, &listed.items, |out, item| out.push_str(&object(item).end()))
        .maybe("next_cursor", listed.next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(query: &str) -> Params {
        Params::parse(query).expect("parameters")
    }

    /// covers: TRADE-42
    #[test]
    fn bounds_of_a_part_are_kept() {
        assert_eq!(params("").page(), Ok(Page::FIRST));
        let after = Some(Cursor::behind(255));
        let page = params("cursor=00000000000000ff&limit=1000").page();
        assert_eq!(page, Ok(Page { after, limit: 1_000 }));
        for wrong in ["limit=0", "limit=1001", "limit=-1", "limit=x", "cursor=ff", "cursor="] {
            assert_eq!(params(wrong).page().expect_err("refused").code(), "INVALID_SCHEMA");
        }
    }

    /// covers: TRADE-42
    #[test]
    fn a_period_has_a_start_and_an_end_in_either_form() {
        let day = "start_time=2024-02-16T00:00:00Z&end_time=1708128000000000000";
        let expected = Period {
            start: Some(Timestamp(1_708_041_600_000_000_000)),
            end: Some(Timestamp(1_708_128_000_000_000_000)),
        };
        assert_eq!(params(day).period(), Ok(expected));
        assert_eq!(params("").period(), Ok(Period::ALL));
        for wrong in [
            "start_time=yesterday",
            "start_time=",
            "end_time=1",
            "end_time=-1",
            "end_time=99999999999999999999",
            "start_time=2024-02-16T00:00:01Z&end_time=2024-02-16T00:00:00Z",
        ] {
            let fault = params(wrong).period().expect_err("refused");
            assert_eq!(fault.code(), "INVALID_SCHEMA", "{wrong}");
        }
    }
}
