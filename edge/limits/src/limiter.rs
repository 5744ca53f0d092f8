//! `Limiter`: all limits of one gateway, in process.
//!
//! It decides with the time that is handed in, so equal histories get equal answers (RATE-63). A request
//! is planned (`charges.rs`), taken from all its buckets or none (`account.rs`), and if it lacked tokens
//! the record of its account says whether it is warned or refused (`escalation.rs`). With several
//! gateways the middle step is a shared store's; `plan` and `conclude` are the other two.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use units::Id;

use crate::account::{Account, Lack, Moment, Standing, Taken};
use crate::adaptive::{DayCounts, Factors, LoadGate, Percent};
use crate::address::{AddressRules, Host};
use crate::charges::{Charge, Charges, Demand};
use crate::escalation::Step;
use crate::figures::Figures;
use crate::suspicion::Suspicion;
use crate::table_of::TableOf;
use crate::tables::{Category, Profile, STRANGER, Slot, requests};

/// All limits of one gateway.
pub struct Limiter {
    accounts: TableOf<Id, Account>,
    hosts: TableOf<Host, Stranger>,
    rules: RwLock<Arc<AddressRules>>,
    load: Mutex<LoadGate>,
    is_loaded: AtomicBool,
    has_overrides: AtomicBool,
    overrides: RwLock<BTreeMap<Option<Id>, Override>>,
    reviews: Mutex<Vec<Review>>,
    dropped_reviews: AtomicU64,
    /// What is counted for monitoring.
    pub figures: Figures,
}

/// A limit that an administrator raised or lifted, which ends by itself (RATE-42).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Override {
    /// Times the rate; `None` lifts it.
    factor: Option<u32>,
    until: u64,
}

/// How a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on.
    Admitted,
    /// It goes on, and is told that it was too much (RATE-33).
    Warned,
    /// 429.
    Refused(Refused),
    /// 429 until the ban ends, in nanoseconds.
    Banned(u64),
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its category; `None` for the limit of its address.
    pub category: Option<Category>,
    /// The layer that lacked tokens.
    pub lack: Lack,
}

/// What is answered to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether it goes on.
    pub verdict: Verdict,
    /// The layer with the fewest tokens left, for the headers (RATE-26).
    pub standing: Standing,
}

/// A request of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asking {
    /// The account.
    pub account: Id,
    /// Its class and tier.
    pub profile: Profile,
    /// What it asks for.
    pub demand: Demand,
    /// Whether its address is on the list (RATE-40).
    pub is_listed: bool,
}

/// An account that people must look at (RATE-62).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Review {
    /// The account.
    pub account: Id,
    /// UTC nanoseconds of the hit that led to it.
    pub utc: i64,
}

/// What an account is shown of itself (RATE-32).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overview {
    /// Behaviour percent.
    pub percent: u16,
    /// Whether load halves limits now.
    pub is_loaded: bool,
    /// How each layer stands, by what it counts.
    pub layers: Vec<(Slot, Standing)>,
    /// Orders left today and of how many; `None` where unlimited.
    pub day: Option<(u32, u32)>,
    /// Violations within the last hour.
    pub violations: usize,
    /// Nanoseconds that a ban still lasts.
    pub ban: Option<u64>,
}

/// A request planned: what it would take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// It goes on without taking anything (a lifted limit).
    Free,
    /// It is refused without looking at a bucket.
    Banned(u64),
    /// It takes these, or nothing.
    Take(Charges),
}

#[derive(Debug, Default)]
struct Stranger {
    account: Account,
    suspicion: Suspicion,
}

/// Accounts, and hosts, that are remembered.
const COUNT_MAX: usize = 4_000_000;
/// Reviews that wait to be taken.
const REVIEW_COUNT_MAX: usize = 10_000;
/// The longest override, in nanoseconds (RATE-42).
pub const OVERRIDE_TIME_MAX: u64 = crate::tables::HOUR;

impl Default for Limiter {
    fn default() -> Self {
        Self {
            accounts: TableOf::new(COUNT_MAX),
            hosts: TableOf::new(COUNT_MAX),
            rules: RwLock::default(),
            load: Mutex::default(),
            is_loaded: AtomicBool::new(false),
            has_overrides: AtomicBool::new(false),
            overrides: RwLock::default(),
            reviews: Mutex::default(),
            dropped_reviews: AtomicU64::new(0),
            figures: Figures::default(),
        }
    }
}

impl Limiter {
    /// Decides on a request of an account.
    pub fn decide(&self, at: Moment, asking: &Asking) -> Decision {
        let decision = self.with_account(at, asking.account, |account| {
            match self.plan_of(at, account, asking) {
                Plan::Free => {
                    let charges =
                        asking.demand.charges(asking.profile, self.factors(account, asking));
                    let standing = account.standing(at, &charges);
                    Decision { verdict: Verdict::Admitted, standing }
                }
                Plan::Banned(left) => self.banned(at, account, asking, left),
                Plan::Take(charges) => {
                    let taken = account.take(at, &charges);
                    match self.step_of(at, account, asking, &taken) {
                        None => Decision { verdict: Verdict::Admitted, standing: taken.standing },
                        Some((Step::Warn, _)) => {
                            let hard = account.take(at, &charges.hard());
                            assert!(hard.lack.is_none(), "only soft layers lacked");
                            Decision { verdict: Verdict::Warned, standing: taken.standing }
                        }
                        Some((Step::Refuse, lack)) => refused(asking, lack, taken.standing),
                    }
                }
            }
        });
        self.figures.on_decision(asking, &decision);
        decision
    }

    /// What a request would take; for a store that several gateways share.
    pub fn plan(&self, at: Moment, asking: &Asking) -> Plan {
        self.with_account(at, asking.account, |account| self.plan_of(at, account, asking))
    }

    /// The decision after a shared store took, or took not, what `plan` said. `true` asks the caller to
    /// take the `hard` charges of a warned request.
    pub fn conclude(&self, at: Moment, asking: &Asking, taken: &Taken) -> (Decision, bool) {
        let decision = self.with_account(at, asking.account, |account| {
            match self.step_of(at, account, asking, taken) {
                None => Decision { verdict: Verdict::Admitted, standing: taken.standing },
                Some((Step::Warn, _)) => {
                    Decision { verdict: Verdict::Warned, standing: taken.standing }
                }
                Some((Step::Refuse, lack)) => refused(asking, lack, taken.standing),
            }
        });
        self.figures.on_decision(asking, &decision);
        (decision, decision.verdict == Verdict::Warned)
    }

    /// Decides on a request for market data of an address where nobody is logged in (RATE-3).
    pub fn decide_for_host(&self, at: Moment, address: IpAddr, category: Category) -> Decision {
        let factors = self.host_factors(address);
        let rate = factors.rate(requests(category, schema::ApiClass::Standard));
        let charge = Charge { slot: Slot::Requests(category), rate, count: 1, is_soft: false };
        let taken =
            self.with_host(at, address, |host| host.account.take(at, &Charges::one(charge)));
        let decision = of_host(Some(category), taken);
        self.figures.on_host(category, &decision);
        decision
    }

    /// Counts a request without valid credentials against its address (RATE-49).
    pub fn decide_for_stranger(&self, at: Moment, address: IpAddr, is_failure: bool) -> Decision {
        let rate = self.host_factors(address).rate(STRANGER);
        let charge = Charge { slot: Slot::Stranger, rate, count: 1, is_soft: false };
        let taken = self.with_host(at, address, |host| {
            let taken = host.account.take(at, &Charges::one(charge));
            host.suspicion.on_request(at.now, is_failure, taken.lack.is_some());
            taken
        });
        let decision = of_host(None, taken);
        self.figures.on_stranger(&decision);
        decision
    }

    /// Whether the address must answer a challenge before anything without valid credentials.
    pub fn must_answer(&self, address: IpAddr) -> bool {
        let look = |host: &mut Stranger| host.suspicion.must_answer();
        self.hosts.with_existing(Host::of(address), look).unwrap_or(false)
    }

    /// The address answered its challenge (RATE-55).
    pub fn on_solved(&self, at: Moment, address: IpAddr) {
        self.with_host(at, address, |host| host.suspicion.on_solved(at.now));
    }

    /// What an account is shown of its limits; takes nothing (RATE-32).
    pub fn overview(&self, at: Moment, account: Id, profile: Profile, is_listed: bool) -> Overview {
        self.with_account(at, account, |entry| {
            let mut layers: Vec<(Slot, Standing)> = Vec::new();
            for category in Category::ALL {
                let demands =
                    [Demand { orders: 1, ..Demand::request(category) }, Demand::cancel_all()];
                for demand in demands {
                    let orders =
                        matches!(category, Category::OrderPlacement | Category::OrderCancellation);
                    let demand = if orders { demand } else { Demand::request(category) };
                    let asking = Asking { account, profile, demand, is_listed };
                    let charges = demand.charges(profile, self.factors(entry, &asking));
                    for charge in charges.buckets() {
                        if layers.iter().all(|(slot, _)| *slot != charge.slot) {
                            let standing = entry.standing(at, &Charges::one(charge));
                            layers.push((charge.slot, standing));
                        }
                    }
                }
            }
            let limit = crate::tables::orders_a_day(profile.tier);
            let record = entry.record.as_deref();
            Overview {
                percent: entry.percent.value(),
                is_loaded: self.is_loaded.load(Ordering::Acquire),
                violations: record.map_or(0, |record| record.violation_count(at.now)),
                ban: record.and_then(|record| record.ban_left(at.now)),
                layers,
                day: limit.map(|limit| (entry.quota_left(at, limit), limit)),
            }
        })
    }

    /// The address rules.
    pub fn rules(&self) -> Arc<AddressRules> {
        self.rules.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts other address rules into force at once (RATE-51).
    pub fn set_rules(&self, rules: AddressRules) {
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
    }

    /// Takes the load of a second, in per mille of the busiest part (RATE-45).
    pub fn on_load(&self, now: u64, per_mille: u32) {
        let mut gate = self.load.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_loaded.store(gate.sample(now, per_mille), Ordering::Release);
    }

    /// Moves the behaviour percent of an account after a UTC day (RATE-47).
    pub fn on_day(&self, at: Moment, account: Id, profile: Profile, counts: &DayCounts) -> Percent {
        self.with_account(at, account, |entry| {
            entry.percent = entry.percent.after(counts.judge(profile.tier));
            entry.percent
        })
    }

    /// Raises the limits of one account, or of all, to `factor` times, or lifts them, for `time`
    /// nanoseconds, at most an hour (RATE-42). Whether it was taken.
    pub fn set_override(&self, now: u64, of: Option<Id>, factor: Option<u32>, time: u64) -> bool {
        if time == 0 || time > OVERRIDE_TIME_MAX || factor == Some(0) {
            return false;
        }
        let mut overrides = self.overrides.write().unwrap_or_else(PoisonError::into_inner);
        overrides.retain(|_, it| now < it.until);
        overrides.insert(of, Override { factor, until: now.saturating_add(time) });
        self.has_overrides.store(true, Ordering::Release);
        true
    }

    /// Takes the reviews that wait.
    pub fn take_reviews(&self) -> Vec<Review> {
        std::mem::take(&mut *self.reviews.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Those with the most hits of the last hour, most first.
    pub fn top_limited(&self, at: Moment, count: usize) -> Vec<(Id, usize)> {
        let mut all = Vec::new();
        self.accounts.each(|id, account| {
            let hits = account.record.as_ref().map_or(0, |record| record.hit_count(at.now));
            if hits > 0 {
                all.push((id, hits));
            }
        });
        all.sort_by(|(id, hits), (other_id, other)| other.cmp(hits).then(id.cmp(other_id)));
        all.truncate(count);
        all
    }

    /// Accounts and addresses that are remembered.
    pub fn entry_count(&self) -> usize {
        self.accounts.count() + self.hosts.count()
    }

    fn plan_of(&self, at: Moment, account: &mut Account, asking: &Asking) -> Plan {
        let ban = account.record.as_ref().and_then(|record| record.ban_left(at.now));
        if let Some(left) = ban
            && !asking.demand.category.is_exit()
        {
            return Plan::Banned(left);
        }
        let charges = asking.demand.charges(asking.profile, self.factors(account, asking));
        match self.override_of(at.now, asking.account) {
            None => Plan::Take(charges),
            Some(Override { factor: None, .. }) => Plan::Free,
            Some(Override { factor: Some(factor), .. }) => Plan::Take(charges.raised(factor)),
        }
    }

    /// What is to be done about a request that lacked tokens; `None` if it did not.
    fn step_of(
        &self,
        at: Moment,
        account: &mut Account,
        asking: &Asking,
        taken: &Taken,
    ) -> Option<(Step, Lack)> {
        let lack = taken.lack?;
        let record = account.record_mut();
        let step = record.on_short(at.now, asking.demand.category, lack.is_soft);
        if step == Step::Refuse && record.on_hit(at.now) {
            self.note_review(asking.account, at);
        }
        Some((step, lack))
    }

    fn banned(&self, at: Moment, account: &mut Account, asking: &Asking, left: u64) -> Decision {
        if account.record_mut().on_hit(at.now) {
            self.note_review(asking.account, at);
        }
        let charges = asking.demand.charges(asking.profile, self.factors(account, asking));
        Decision { verdict: Verdict::Banned(left), standing: account.standing(at, &charges) }
    }

    /// The decision on a request of a banned account, which a shared store is not asked for.
    pub fn refuse_banned(&self, at: Moment, asking: &Asking, left: u64) -> Decision {
        let decision =
            self.with_account(at, asking.account, |account| self.banned(at, account, asking, left));
        self.figures.on_decision(asking, &decision);
        decision
    }

    fn note_review(&self, account: Id, at: Moment) {
        let mut reviews = self.reviews.lock().unwrap_or_else(PoisonError::into_inner);
        if reviews.len() < REVIEW_COUNT_MAX {
            reviews.push(Review { account, utc: at.utc });
        } else {
            self.dropped_reviews.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn factors(&self, account: &Account, asking: &Asking) -> Factors {
        let is_loaded = self.is_loaded.load(Ordering::Acquire);
        Factors { is_listed: asking.is_listed, percent: account.percent, is_loaded }
    }

    fn host_factors(&self, address: IpAddr) -> Factors {
        let is_listed = self.rules().is_listed(address);
        let is_loaded = self.is_loaded.load(Ordering::Acquire);
        Factors { is_listed, is_loaded, ..Factors::NONE }
    }

    fn override_of(&self, now: u64, account: Id) -> Option<Override> {
        if !self.has_overrides.load(Ordering::Acquire) {
            return None;
        }
        let overrides = self.overrides.read().unwrap_or_else(PoisonError::into_inner);
        let lives = |it: &&Override| now < it.until;
        let own = overrides.get(&Some(account)).filter(lives);
        own.or_else(|| overrides.get(&None).filter(lives)).copied()
    }

    fn with_account<R>(&self, at: Moment, id: Id, act: impl FnOnce(&mut Account) -> R) -> R {
        self.accounts.with(id, |account| account.is_idle(at), act)
    }

    fn with_host<R>(&self, at: Moment, address: IpAddr, act: impl FnOnce(&mut Stranger) -> R) -> R {
        let is_idle = |host: &Stranger| host.account.is_idle(at) && host.suspicion.is_spent(at.now);
        self.hosts.with(Host::of(address), is_idle, act)
    }
}

impl std::fmt::Debug for Limiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limiter").field("entries", &self.entry_count()).finish_non_exhaustive()
    }
}

fn refused(asking: &Asking, lack: Lack, standing: Standing) -> Decision {
    let category = Some(asking.demand.category);
    Decision { verdict: Verdict::Refused(Refused { category, lack }), standing }
}

fn of_host(category: Option<Category>, taken: Taken) -> Decision {
    let verdict = match taken.lack {
        None => Verdict::Admitted,
        Some(lack) => Verdict::Refused(Refused { category, lack }),
    };
    Decision { verdict, standing: taken.standing }
}
