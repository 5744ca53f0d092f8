//! The daily quota: a counter per UTC day, without burst (RATE-8).

/// A UTC day, counted from 1970-01-01.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(pub i64);

/// What was taken on one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayQuota {
    day: Day,
    taken: u32,
}

/// Nanoseconds of a day.
const DAY: i64 = 86_400_000_000_000;

impl Day {
    /// The day of a UTC time in nanoseconds since 1970.
    #[must_use]
    pub const fn of(utc: i64) -> Self {
        Self(utc.div_euclid(DAY))
    }

    /// Nanoseconds from `utc` to the next midnight.
    #[must_use]
    pub const fn left(utc: i64) -> u64 {
        (DAY - utc.rem_euclid(DAY)).unsigned_abs()
    }
}

impl DayQuota {
    /// What is left of `limit` on `day`. A day before the one that is counted stays with that one.
    pub fn left(&mut self, limit: u32, day: Day) -> u32 {
        if day > self.day {
            *self = Self { day, taken: 0 };
        }
        limit.saturating_sub(self.taken)
    }

    /// Takes `count` of `limit`, or nothing; whether it did.
    pub fn take(&mut self, limit: u32, day: Day, count: u32) -> bool {
        let fits = count <= self.left(limit, day);
        if fits {
            self.taken += count; // at most `limit`
        }
        fits
    }

    /// Whether nothing is taken on `day`: then a new counter is the same.
    #[must_use]
    pub fn is_fresh_on(&self, day: Day) -> bool {
        day > self.day || self.taken == 0
    }
}
