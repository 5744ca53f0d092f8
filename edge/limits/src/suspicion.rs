//! When an address is challenged (RATE-53, RATE-55).

use crate::tables::{HOUR, MINUTE};

/// What an address did without valid credentials, minute by minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Suspicion {
    minute: u64,
    requests: u32,
    failures: u32,
    is_over: bool,
    /// Whole minutes over the limit, one behind the other, before this one.
    over_minutes: u32,
    must_answer: bool,
    spared_until: u64,
}

/// Consecutive minutes over the limit.
const OVER_MINUTE_COUNT: u32 = 3;
/// Requests of a minute from which failed authentications count.
const REQUEST_COUNT_MIN: u32 = 100;

impl Suspicion {
    /// Notes a request: whether its credentials were wrong, and whether it was over the limit.
    pub fn on_request(&mut self, now: u64, is_failure: bool, is_over: bool) {
        self.move_to(now / MINUTE);
        self.requests = self.requests.saturating_add(1);
        self.failures = self.failures.saturating_add(u32::from(is_failure));
        self.is_over |= is_over;
        let failing = self.requests >= REQUEST_COUNT_MIN
            && u64::from(self.failures) * 2 >= u64::from(self.requests);
        let lasting = self.over_minutes + u32::from(self.is_over) >= OVER_MINUTE_COUNT;
        self.must_answer |= (failing || lasting) && now >= self.spared_until;
    }

    /// Whether it must answer a challenge first.
    #[must_use]
    pub const fn must_answer(&self) -> bool {
        self.must_answer
    }

    /// It answered: no challenge for an hour, and nothing else changes.
    pub fn on_solved(&mut self, now: u64) {
        *self = Self {
            minute: now / MINUTE,
            spared_until: now.saturating_add(HOUR),
            ..Self::default()
        };
    }

    /// Whether forgetting it changes nothing at `now`.
    #[must_use]
    pub const fn is_spent(&self, now: u64) -> bool {
        !self.must_answer && now >= self.spared_until && now / MINUTE > self.minute + 1
    }

    fn move_to(&mut self, minute: u64) {
        if minute <= self.minute {
            return;
        }
        let follows = minute == self.minute + 1;
        let over_minutes = if follows && self.is_over { self.over_minutes + 1 } else { 0 };
        *self = Self { minute, requests: 0, failures: 0, is_over: false, over_minutes, ..*self };
    }
}
