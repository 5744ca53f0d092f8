//! The due queue: what time brings, before every command's own work (D-52, D-76, D-83, D-92).
//!
//! Owns the order (due time, kind, entity), the bound of 1,000 items a command, and who is closed to
//! new orders while work is left. Tiers and orders beyond a lowered limit are no entries of the queue:
//! they are looked up when asked for, because they follow from the state (D-98, STATE-15).

use schema::{Code, ExpiryReason, limits};

use super::Oracle;

/// Kinds of due work, in their order at one time (D-92).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A GTD order, at its end + 1 ns.
    Expiry = 1,
    /// A countdown cancel.
    Countdown = 2,
    /// The end of a waiver.
    WaiverEnd = 3,
    /// Announced rates of an account.
    Rates = 4,
    /// An announced fee schedule.
    Schedule = 5,
    /// An account whose tier changes at 00:00 UTC.
    Tier = 6,
    /// An order whose trigger was met.
    Trigger = 7,
    /// An order beyond a lowered limit.
    BeyondLimit = 8,
}

/// One item: its due time, its kind and its entity, by which items are taken (DET-43).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct DueKey {
    time: i64,
    kind: Kind,
    entity: u64,
}

impl DueKey {
    pub(super) const fn new(time: i64, kind: Kind, entity: u64) -> Self {
        Self { time, kind, entity }
    }
}

impl Oracle {
    /// Takes what is due, at most 1,000 items.
    pub(super) fn take_due(&mut self) {
        for _ in 0..limits::DUE_ITEM_COUNT_MAX {
            let Some(item) = self.next_due() else { return };
            self.take(item);
        }
    }

    fn take(&mut self, item: DueKey) {
        self.due.remove(&item);
        let account = || u32::try_from(item.entity).expect("an account's number");
        match item.kind {
            // LIFE-33: a GTD order is due at its end + 1 ns.
            Kind::Expiry => self.expire(item.entity, ExpiryReason::Gtd),
            Kind::Countdown => self.run_out(account()),
            Kind::WaiverEnd => self.end_waiver(account(), item.time),
            Kind::Rates => self.begin_rates(account()),
            Kind::Schedule => self.begin_schedule(),
            Kind::Tier => self.change_tier(account(), item.time),
            Kind::Trigger => self.enter_triggered(item.entity),
            Kind::BeyondLimit => {
                let (account, market) = of_pair(item.entity);
                self.cancel_newest(account, market);
            }
        }
    }

    /// The first item that is due and may be taken.
    fn next_due(&mut self) -> Option<DueKey> {
        let queued = self.queued().next();
        let beyond = self.beyond_limits().into_iter().min();
        let tier = self.tier_items().into_iter().next();
        [queued, beyond, tier].into_iter().flatten().min()
    }

    /// The items of the queue that are due and may be taken, in order.
    fn queued(&self) -> impl Iterator<Item = DueKey> {
        let due = self.due.iter().take_while(|item| item.time <= self.now);
        due.filter(|item| item.kind != Kind::Trigger || self.may_enter(item.entity)).copied()
    }

    /// D-92: no triggered order is taken when the command has made its fills, none of a paused market
    /// until it is resumed.
    fn may_enter(&self, order: u64) -> bool {
        self.fill_count < limits::FILL_COUNT_MAX && !self.market(self.orders[&order].market).paused
    }

    /// The accounts whose tier changes at the last midnight (FEE-8). Of several midnights without a
    /// command between them only the last one is looked at: no trade came between, and the volumes of
    /// the last one decide.
    fn tier_items(&mut self) -> Vec<DueKey> {
        if self.next_midnight > self.now {
            return Vec::new();
        }
        let midnight = self.now.div_euclid(limits::DAY) * limits::DAY;
        let changed = self.accounts.iter().filter(|account| {
            !account.volumes.is_empty() && account.tier != self.tier_at(account.number, midnight)
        });
        let items: Vec<DueKey> = changed
            .map(|account| DueKey::new(midnight, Kind::Tier, account.number.into()))
            .collect();
        if items.is_empty() {
            self.next_midnight = midnight + limits::DAY;
        }
        items
    }

    /// STATE-15, D-92: the accounts with more open orders in a market than they may have now. An item
    /// is the newest order, and comes again while there are too many.
    fn beyond_limits(&mut self) -> Vec<DueKey> {
        let mut items = Vec::new();
        for market in 1..=u32::try_from(self.markets.len()).expect("few markets") {
            let Some(time) = self.market(market).limit_lowered_at else { continue };
            let limit = self.market(market).terms.open_orders_max as usize;
            let before = items.len();
            let accounts = self.accounts.iter().filter(|it| it.open_count(market) > limit);
            items.extend(
                accounts.map(|it| DueKey::new(time, Kind::BeyondLimit, pair_of(it.number, market))),
            );
            if items.len() == before {
                self.market_mut(market).limit_lowered_at = None;
            }
        }
        items
    }

    /// A lowered limit that everybody keeps is worked off.
    pub(super) fn forget_kept_limits(&mut self) {
        self.beyond_limits();
    }

    /// Whether anything that is due is left (D-98).
    pub(super) fn has_due(&mut self) -> bool {
        let looked_up = !self.tier_items().is_empty() || !self.beyond_limits().is_empty();
        looked_up || self.left().next().is_some()
    }

    fn cancel_newest(&mut self, account: u32, market: u32) {
        let mut newest_first = self.account(account).orders.iter().rev();
        let newest = newest_first.find(|&number| self.orders[number].market == market);
        self.cancel_order(*newest.expect("it has too many"), Code::RiskLimitBreach);
    }

    /// Whether work that is due is left for an account (D-83, D-92).
    pub(super) fn has_due_account(&mut self, account: u32) -> bool {
        let of_order = |oracle: &Self, number: u64| oracle.orders[&number].account == account;
        let tiers = self.tier_items();
        let beyond = self.beyond_limits();
        tiers.iter().any(|item| item.entity == u64::from(account))
            || beyond.iter().any(|item| of_pair(item.entity).0 == account)
            || self.left().any(|item| match item.kind {
                Kind::Expiry | Kind::Trigger => of_order(self, item.entity),
                Kind::Schedule => false,
                _ => item.entity == u64::from(account),
            })
    }

    /// Whether work that is due is left for a market (D-83, D-92).
    pub(super) fn has_due_market(&mut self, market: u32) -> bool {
        let beyond = self.beyond_limits();
        beyond.iter().any(|item| of_pair(item.entity).1 == market)
            || self.left().any(|item| {
                matches!(item.kind, Kind::Expiry | Kind::Trigger)
                    && self.orders[&item.entity].market == market
            })
    }

    /// The items of the queue that are due and left. A triggered order of a paused market waits for
    /// the market and closes nothing.
    fn left(&self) -> impl Iterator<Item = &DueKey> {
        let due = self.due.iter().take_while(|item| item.time <= self.now);
        due.filter(|item| {
            item.kind != Kind::Trigger || !self.market(self.orders[&item.entity].market).paused
        })
    }
}

/// An account and a market as one entity, accounts first.
fn pair_of(account: u32, market: u32) -> u64 {
    u64::from(account) << 32 | u64::from(market)
}

fn of_pair(entity: u64) -> (u32, u32) {
    let part = |bits: u64| u32::try_from(bits & 0xffff_ffff).expect("32 bits");
    (part(entity >> 32), part(entity))
}
