//! `Timestamp`: signed nanoseconds since 1970-01-01T00:00:00 UTC (TIME-1).
//!
//! Text is ISO 8601 in UTC with microseconds, cut off and never rounded, so that text order agrees
//! with time order (TIME-6). Reading takes up to nine decimals exactly (TIME-10). There is no time
//! zone and no leap second here: the clock in front of the core smears those (TIME-28).

use core::fmt;
use core::str::FromStr;

/// Nanoseconds since 1970 in UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// Why a text is no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseTimeError {
    /// Not `YYYY-MM-DDThh:mm:ss[.fffffffff]Z`.
    Malformed,
    /// A date that does not exist, or outside 1677 to 2262.
    OutOfRange,
}

impl fmt::Display for ParseTimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not an ISO 8601 time in UTC, such as 2026-01-31T12:00:00Z",
            Self::OutOfRange => "no such time, or outside 1677 to 2262",
        })
    }
}

impl core::error::Error for ParseTimeError {}

const SECOND: i64 = 1_000_000_000;
const DAY_SECONDS: i64 = 86_400;

impl Timestamp {
    /// 2020-01-01, the first time that is taken in from outside (TIME-50).
    pub const TAKEN_FIRST: Self = Self(1_577_836_800_000_000_000);
    /// 2100-01-01, the last one (TIME-50).
    pub const TAKEN_LAST: Self = Self(4_102_444_800_000_000_000);

    /// Whether a time from outside may be taken in (TIME-50).
    #[must_use]
    pub fn is_taken(self) -> bool {
        (Self::TAKEN_FIRST..=Self::TAKEN_LAST).contains(&self)
    }

    /// Later by `nanos`, or `None` on overflow (TIME-51).
    #[must_use]
    pub fn checked_add(self, nanos: i64) -> Option<Self> {
        self.0.checked_add(nanos).map(Self)
    }
}

/// Days since 1970-01-01 of a date of the Gregorian calendar, and back; both by counting 400-year
/// eras of 146,097 days that begin in March, so that the leap day is the last of its year.
fn days_from_date(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn date_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, nanos) = (self.0.div_euclid(SECOND), self.0.rem_euclid(SECOND));
        let (year, month, day) = date_from_days(seconds.div_euclid(DAY_SECONDS));
        let clock = seconds.rem_euclid(DAY_SECONDS);
        let (hour, minute, second) = (clock / 3_600, clock / 60 % 60, clock % 60);
        let micros = nanos / 1_000;
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
    }
}

impl FromStr for Timestamp {
    type Err = ParseTimeError;

    fn from_str(text: &str) -> Result<Self, ParseTimeError> {
        use ParseTimeError::{Malformed, OutOfRange};
        let body = text.strip_suffix('Z').ok_or(Malformed)?;
        let (whole, part) = body.split_once('.').map_or((body, None), |(w, p)| (w, Some(p)));
        let bytes = whole.as_bytes();
        let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
        if bytes.len() != 19 || marks.iter().any(|&(at, mark)| bytes[at] != mark) {
            return Err(Malformed);
        }
        let field = |from: usize, to: usize| digits(&bytes[from..to]).ok_or(Malformed);
        let (year, month, day) = (field(0, 4)?, field(5, 7)?, field(8, 10)?);
        let (hour, minute, second) = (field(11, 13)?, field(14, 16)?, field(17, 19)?);
        let nanos = part.map_or(Some(0), fraction).ok_or(Malformed)?;
        if !(1..=12).contains(&month) || hour > 23 || minute > 59 || second > 59 {
            return Err(OutOfRange);
        }
        let days = days_from_date(year, month, day);
        if date_from_days(days) != (year, month, day) {
            return Err(OutOfRange);
        }
        let seconds = days * DAY_SECONDS + hour * 3_600 + minute * 60 + second;
        let total = i128::from(seconds) * i128::from(SECOND) + i128::from(nanos);
        i64::try_from(total).map(Self).map_err(|_| OutOfRange)
    }
}

/// A run of ASCII digits as a number.
fn digits(bytes: &[u8]) -> Option<i64> {
    bytes.iter().try_fold(0i64, |sum, byte| {
        byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0'))
    })
}

/// One to nine digits behind the point, in nanoseconds.
fn fraction(text: &str) -> Option<i64> {
    if text.is_empty() || text.len() > 9 {
        return None;
    }
    let scale = 10i64.pow(9 - u32::try_from(text.len()).ok()?);
    digits(text.as_bytes()).map(|value| value * scale)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::ToString;

    /// covers: TIME-3, TIME-6
    #[test]
    fn text_is_cut_at_microseconds() {
        let time = Timestamp(1_708_123_456_789_012_345);
        assert_eq!(time.to_string(), "2024-02-16T22:44:16.789012Z");
        assert_eq!(Timestamp(1_999).to_string(), "1970-01-01T00:00:00.000001Z");
        assert_eq!(Timestamp(-1).to_string(), "1969-12-31T23:59:59.999999Z");
    }

    /// covers: TIME-10
    #[test]
    fn nine_decimals_are_read_exactly() {
        let parse = |text: &str| text.parse::<Timestamp>();
        assert_eq!(
            parse("2024-02-16T22:44:16.789012345Z"),
            Ok(Timestamp(1_708_123_456_789_012_345))
        );
        assert_eq!(parse("2020-01-01T00:00:00Z"), Ok(Timestamp::TAKEN_FIRST));
        assert_eq!(parse("2100-01-01T00:00:00.0Z"), Ok(Timestamp::TAKEN_LAST));
        assert_eq!(parse("2023-02-29T00:00:00Z"), Err(ParseTimeError::OutOfRange));
        assert_eq!(parse("9999-01-01T00:00:00Z"), Err(ParseTimeError::OutOfRange));
        for bad in [
            "",
            "2024-02-16",
            "2024-02-16T22:44:16",
            "2024-02-16T22:44:16.Z",
            "2024-02-16T22:44:16.1234567890Z",
            "2024-02-16 22:44:16Z",
            "+024-02-16T22:44:16Z",
        ] {
            assert_eq!(parse(bad), Err(ParseTimeError::Malformed), "{bad}");
        }
    }

    /// The type reaches from 1677 to 2262, at one nanosecond.
    /// covers: TIME-1, TIME-2
    #[test]
    fn the_range_is_292_years_each_side() {
        assert_eq!(Timestamp(i64::MIN).to_string(), "1677-09-21T00:12:43.145224Z");
        assert_eq!(Timestamp(i64::MAX).to_string(), "2262-04-11T23:47:16.854775Z");
        for days in -100_000..100_000 {
            let (year, month, day) = date_from_days(days);
            assert_eq!(days_from_date(year, month, day), days);
        }
    }

    /// covers: TIME-50, TIME-51
    #[test]
    fn times_from_outside_are_bounded() {
        assert!(Timestamp::TAKEN_FIRST.is_taken() && Timestamp::TAKEN_LAST.is_taken());
        assert!(!Timestamp(Timestamp::TAKEN_FIRST.0 - 1).is_taken());
        assert!(!Timestamp(Timestamp::TAKEN_LAST.0 + 1).is_taken());
        assert_eq!(Timestamp(i64::MAX).checked_add(1), None);
    }
}
