//! Warnings, violations, bans and reviews of one account (sections 5 and 10 of document 18).
//!
//! A violation is a second in which a category refused or warned; ten of them within an hour ban for an
//! hour. Everything is bounded: nobody makes this grow by being refused.

use std::collections::VecDeque;

use crate::bucket::SECOND;
use crate::tables::{BAN_VIOLATION_COUNT, Category, HOUR_SECONDS, REVIEW_HIT_COUNT};

/// What an account did against its limits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Second of the latest violation of each category.
    latest: [Option<u64>; Category::ALL.len()],
    /// Seconds of the latest violations, oldest first, fewer than lead to a ban.
    violations: VecDeque<u64>,
    /// Nanoseconds until which it is banned.
    banned_until: u64,
    /// Seconds of the latest hits, oldest first, fewer than lead to a review.
    hits: VecDeque<u64>,
}

/// What a request that found no tokens gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is let through with a warning (RATE-33).
    Warn,
    /// It is refused.
    Refuse,
}

impl Record {
    /// Nanoseconds that a ban still lasts; `None` without one.
    #[must_use]
    pub fn ban_left(&self, now: u64) -> Option<u64> {
        self.banned_until.checked_sub(now).filter(|&left| left > 0)
    }

    /// Violations within the last hour.
    #[must_use]
    pub fn violation_count(&self, now: u64) -> usize {
        let second = now / SECOND;
        self.violations.iter().filter(|&&it| is_within_hour(it, second)).count()
    }

    /// Hits within the last hour since the latest review.
    #[must_use]
    pub fn hit_count(&self, now: u64) -> usize {
        let second = now / SECOND;
        self.hits.iter().filter(|&&it| is_within_hour(it, second)).count()
    }

    /// Whether nothing here matters any more at `now`.
    #[must_use]
    pub fn is_spent(&self, now: u64) -> bool {
        let second = now / SECOND;
        let quiet = self.latest.iter().flatten().all(|&it| !is_within_hour(it, second));
        let forgotten = self.hits.back().is_none_or(|&it| !is_within_hour(it, second));
        quiet && forgotten && self.ban_left(now).is_none()
    }

    /// Notes that a category had no tokens: a violation, unless the account is banned, when nothing
    /// counts (RATE-38). `is_soft` says whether the first of an hour may pass (RATE-34).
    pub fn on_short(&mut self, now: u64, category: Category, is_soft: bool) -> Step {
        if self.ban_left(now).is_some() {
            return Step::Refuse;
        }
        let second = now / SECOND;
        let latest = self.latest[category.index()];
        if latest != Some(second) {
            self.latest[category.index()] = Some(second);
            self.on_violation(second);
        }
        let is_first = latest.is_none_or(|it| !is_within_hour(it, second));
        if is_first && is_soft { Step::Warn } else { Step::Refuse }
    }

    /// Notes a refusal, one during a ban too; whether it is the one that a review begins with (RATE-62).
    pub fn on_hit(&mut self, now: u64) -> bool {
        let second = now / SECOND;
        forget(&mut self.hits, second);
        self.hits.push_back(second);
        let is_due = self.hits.len() >= REVIEW_HIT_COUNT;
        if is_due {
            self.hits.clear();
        }
        is_due
    }

    fn on_violation(&mut self, second: u64) {
        forget(&mut self.violations, second);
        self.violations.push_back(second);
        if self.violations.len() >= BAN_VIOLATION_COUNT {
            self.violations.clear(); // after the ban the count starts at 0
            self.banned_until = second.saturating_add(HOUR_SECONDS).saturating_mul(SECOND);
        }
    }
}

fn is_within_hour(then: u64, second: u64) -> bool {
    second.saturating_sub(then) < HOUR_SECONDS
}

fn forget(seconds: &mut VecDeque<u64>, second: u64) {
    while seconds.front().is_some_and(|&it| !is_within_hour(it, second)) {
        seconds.pop_front();
    }
}
