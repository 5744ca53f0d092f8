//! Accounts that ask, and what they are told.

use limits::{Asking, Decision, Demand, Limiter, Moment, Profile, SECOND, Verdict};
use schema::{ApiClass, OrderTier};
use units::Id;

/// 2024-02-16T22:44:59.97Z, the time of the known answer of RATE-27.
pub(crate) const START: i64 = 1_708_123_499_970_000_000;

/// The moment `now` nanoseconds after the start.
pub(crate) fn at(now: u64) -> Moment {
    Moment { now, utc: START + i64::try_from(now).expect("a time of this century") }
}

/// One account of a class and a tier.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client {
    pub(crate) id: Id,
    pub(crate) profile: Profile,
    pub(crate) is_listed: bool,
}

impl Client {
    pub(crate) fn new(class: ApiClass, tier: OrderTier) -> Self {
        Self { id: Id([7; 16]), profile: Profile { class, tier }, is_listed: false }
    }

    pub(crate) fn ask(&self, limiter: &Limiter, now: u64, demand: Demand) -> Decision {
        limiter.decide(at(now), &self.asking(demand))
    }

    pub(crate) fn asking(&self, demand: Demand) -> Asking {
        let Self { id: account, profile, is_listed } = *self;
        Asking { account, profile, demand, is_listed }
    }

    /// Admitted, warned, refused or banned of `count` requests at one instant.
    pub(crate) fn tally(&self, limiter: &Limiter, now: u64, demand: Demand, count: u32) -> Tally {
        let mut tally = Tally::default();
        for _ in 0..count {
            match self.ask(limiter, now, demand).verdict {
                Verdict::Admitted => tally.admitted += 1,
                Verdict::Warned => tally.warned += 1,
                Verdict::Refused(_) => tally.refused += 1,
                Verdict::Banned(_) => tally.banned += 1,
            }
        }
        tally
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) admitted: u32,
    pub(crate) warned: u32,
    pub(crate) refused: u32,
    pub(crate) banned: u32,
}

/// Requests that are admitted without a warning over ten seconds at full pressure, a second.
pub(crate) fn lasting_rate(client: Client, demand: Demand) -> u32 {
    let limiter = Limiter::default();
    client.tally(&limiter, 0, demand, 1_200); // the burst, and the one warning
    let mut admitted = 0;
    for tick in 1..=2_000u64 {
        let now = tick * SECOND / 1_000; // two seconds, before violations lead to a ban
        admitted += client.tally(&limiter, now, demand, 3).admitted;
    }
    admitted / 2
}
