//! `Day`: a day in UTC, from midnight to midnight.

use std::fmt;
use std::str::FromStr;

use units::Timestamp;

/// A day in UTC, inside the time that is taken in (TIME-50).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day {
    start: Timestamp,
}

/// The text is no day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayError;

impl fmt::Display for DayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a day is YYYY-MM-DD in UTC, such as 2026-01-31, from 2020 to 2099")
    }
}

impl std::error::Error for DayError {}

impl FromStr for Day {
    type Err = DayError;

    fn from_str(text: &str) -> Result<Self, DayError> {
        let start: Timestamp = format!("{text}T00:00:00Z").parse().map_err(|_| DayError)?;
        // The next midnight must be there too.
        if Timestamp::TAKEN_FIRST <= start && start < Timestamp::TAKEN_LAST {
            Ok(Self { start })
        } else {
            Err(DayError)
        }
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.start.to_string();
        f.write_str(text.split('T').next().unwrap_or_default())
    }
}

impl Day {
    /// The day that a time lies in; `None` outside the days that are taken in.
    #[must_use]
    pub fn of(time: Timestamp) -> Option<Self> {
        time.to_string().split('T').next()?.parse().ok()
    }

    /// Its first nanosecond.
    #[must_use]
    pub const fn start(self) -> Timestamp {
        self.start
    }

    /// The first nanosecond of the next day.
    #[must_use]
    pub const fn end(self) -> Timestamp {
        Timestamp(self.start.0 + DAY_NANOS)
    }

    /// Whether a time lies in it.
    #[must_use]
    pub fn contains(self, time: Timestamp) -> bool {
        self.start <= time && time < self.end()
    }
}

const DAY_NANOS: i64 = 86_400_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_reaches_from_midnight_to_the_nanosecond_before_the_next() {
        let day: Day = "2024-02-29".parse().expect("a leap day");
        assert_eq!(day.to_string(), "2024-02-29");
        let (start, end) = (day.start(), day.end());
        assert!(day.contains(start) && day.contains(Timestamp(end.0 - 1)));
        assert!(!day.contains(end) && !day.contains(Timestamp(start.0 - 1)));
        assert_eq!(Day::of(Timestamp(end.0 - 1)), Some(day));
        assert_eq!(Day::of(end).expect("a day").to_string(), "2024-03-01");
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in ["2023-02-29", "2024-2-9", "20240229", "", "2019-12-31", "2100-01-01", "today"]
        {
            assert_eq!(text.parse::<Day>(), Err(DayError), "{text}");
        }
    }
}
