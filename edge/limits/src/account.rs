//! The buckets and the record of one account or one address, and taking from all of them or none.

use crate::adaptive::Percent;
use crate::bucket::Bucket;
use crate::charges::Charges;
use crate::escalation::Record;
use crate::quota::{Day, DayQuota};
use crate::tables::{DAY, Slot};

/// When something is asked: the monotonic time of the gateway, and the UTC time that belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Nanoseconds of a clock that never goes back (RATE-20).
    pub now: u64,
    /// The UTC time of it in nanoseconds since 1970; only days and headers follow from it.
    pub utc: i64,
}

/// How a layer stands behind a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Tokens per window.
    pub limit: u32,
    /// Nanoseconds of the window.
    pub window: u64,
    /// Whole tokens left.
    pub remaining: u64,
    /// Nanoseconds until it is full.
    pub reset: u64,
}

/// A layer had too little.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lack {
    /// Tokens per window of the layer that makes the client wait longest.
    pub limit: u32,
    /// Nanoseconds of its window.
    pub window: u64,
    /// Nanoseconds until the request would be admitted, or, if it never would, until the bucket is full.
    pub wait: u64,
    /// Whether it asks for more than a bucket holds.
    pub is_too_large: bool,
    /// Whether only soft layers lacked (RATE-34).
    pub is_soft: bool,
}

/// What came of taking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The layer with the fewest tokens left (RATE-26).
    pub standing: Standing,
    /// Why nothing was taken, if so.
    pub lack: Option<Lack>,
}

/// The state of one account or one address.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    buckets: Vec<(Slot, Bucket)>,
    quota: DayQuota,
    pub(crate) percent: Percent,
    pub(crate) record: Option<Box<Record>>,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            buckets: Vec::new(),
            quota: DayQuota::default(),
            percent: Percent::START,
            record: None,
        }
    }
}

impl Account {
    /// Takes all charges, or nothing (RATE-2).
    pub(crate) fn take(&mut self, at: Moment, charges: &Charges) -> Taken {
        let lack = self.lack(at, charges);
        if lack.is_none() {
            for charge in charges.buckets() {
                // All of them were checked to be there.
                let _ = self.bucket(charge.slot, charge.rate, at.now).take(
                    charge.rate,
                    at.now,
                    charge.count,
                );
            }
            if let Some((count, limit)) = charges.quota {
                self.quota.take(limit, Day::of(at.utc), count);
            }
        }
        Taken { standing: self.standing(at, charges), lack }
    }

    /// The layer with the fewest tokens left, as it is.
    pub(crate) fn standing(&mut self, at: Moment, charges: &Charges) -> Standing {
        let mut least = Standing { limit: 0, window: 0, remaining: u64::MAX, reset: 0 };
        for charge in charges.buckets() {
            let bucket = self.bucket(charge.slot, charge.rate, at.now);
            let remaining = bucket.remaining();
            if remaining < least.remaining {
                let (limit, window) = (charge.rate.tokens(), charge.rate.window());
                least = Standing { limit, window, remaining, reset: bucket.time_to_full() };
            }
        }
        if let Some((_, limit)) = charges.quota {
            let remaining = u64::from(self.quota.left(limit, Day::of(at.utc)));
            if remaining < least.remaining {
                least = Standing { limit, window: DAY, remaining, reset: Day::left(at.utc) };
            }
        }
        least
    }

    /// What is left of the day's orders.
    pub(crate) fn quota_left(&mut self, at: Moment, limit: u32) -> u32 {
        self.quota.left(limit, Day::of(at.utc))
    }

    /// Whether forgetting it changes no decision.
    pub(crate) fn is_idle(&self, at: Moment) -> bool {
        self.percent == Percent::START
            && self.quota.is_fresh_on(Day::of(at.utc))
            && self.record.as_ref().is_none_or(|record| record.is_spent(at.now))
            && self.buckets.iter().all(|(_, bucket)| bucket.is_full_at(at.now))
    }

    /// The record of what it did against its limits, made when it is first needed.
    pub(crate) fn record_mut(&mut self) -> &mut Record {
        self.record.get_or_insert_default()
    }

    fn lack(&mut self, at: Moment, charges: &Charges) -> Option<Lack> {
        let mut worst: Option<Lack> = None;
        let mut is_soft = true;
        let mut note = |lack: Lack| {
            is_soft &= lack.is_soft;
            if worst.is_none_or(|worst| lack.wait > worst.wait) {
                worst = Some(lack);
            }
        };
        for charge in charges.buckets() {
            let rate = charge.rate;
            let bucket = self.bucket(charge.slot, rate, at.now);
            if let Err(short) = bucket.check(rate, at.now, charge.count) {
                let is_too_large = charge.count > rate.burst();
                note(Lack {
                    limit: rate.tokens(),
                    window: rate.window(),
                    wait: short.wait,
                    is_too_large,
                    is_soft: charge.is_soft && !is_too_large,
                });
            }
        }
        if let Some((count, limit)) = charges.quota
            && count > self.quota.left(limit, Day::of(at.utc))
        {
            note(Lack {
                limit,
                window: DAY,
                wait: Day::left(at.utc),
                is_too_large: count > limit,
                is_soft: false,
            });
        }
        worst.map(|lack| Lack { is_soft, ..lack })
    }

    fn bucket(&mut self, slot: Slot, rate: crate::Rate, now: u64) -> &mut Bucket {
        let index = self.buckets.iter().position(|(it, _)| *it == slot).unwrap_or_else(|| {
            self.buckets.push((slot, Bucket::full(rate, now)));
            self.buckets.len() - 1
        });
        let bucket = &mut self.buckets[index].1;
        bucket.settle(rate, now);
        bucket
    }
}
