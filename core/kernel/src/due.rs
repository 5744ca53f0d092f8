//! The due queue: what a time in the log brings about (D-52, D-76, D-92).
//!
//! Every command first takes what is due at its time, in the order of due time, kind and entity, and
//! goes on with its own work after 1,000 items. The queue is derived: each entry follows from the
//! order, account, market or schedule that it is about, so events and snapshots rebuild it. Fee tiers
//! have no entries: at a new day the accounts are looked through (`rates.rs`).

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use schema::limits::{DAY, DUE_EVENT_COUNT_MAX, DUE_ITEM_COUNT_MAX, FILL_COUNT_MAX};
use schema::{Code, CountdownCancelChanged, EventBuffer, EventKind, ExpiryReason, OrderTriggered};
use units::Timestamp;

use crate::order::Slot;
use crate::{Kernel, Watch};

/// Kinds of due work, in their order at one time. Triggered orders lie apart, so that they can wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum DueKind {
    /// A GTD order ends; id: its sequence.
    Expiry = 1,
    /// An account's orders are canceled; id: its number.
    Countdown = 2,
    /// A waiver ends; id: the account's number.
    WaiverEnd = 3,
    /// Announced rates come into force; id: the account's number.
    Rates = 4,
    /// An announced fee schedule comes into force; id: 0.
    Schedule = 5,
    /// Accounts change their tier; never in the queue.
    Tiers = 6,
    /// A triggered order enters matching; id: its sequence.
    Trigger = 7,
    /// Orders beyond a lowered limit are canceled; id: account and market.
    Limit = 8,
}

/// Due time, kind, entity.
pub(crate) type DueItem = (Timestamp, DueKind, u64);

/// What is due at some time.
#[derive(Clone, Debug)]
pub(crate) struct DueQueue {
    timed: BTreeSet<DueItem>,
    /// Orders whose trigger was met, but for those of paused markets.
    triggered: BTreeSet<(Timestamp, u64)>,
    /// Nothing is due before.
    next: Timestamp,
    /// Whether the last command left something that was due at its time.
    pub(crate) backlog: bool,
    /// Day through which all accounts have their tier. Not state: looking twice finds nothing.
    tiers_done: u32,
    /// The account to look at next, and for which day.
    pub(crate) tiers_next: u32,
    tiers_day: u32,
}

/// The UTC day of a time, counted from 1970.
#[inline]
pub(crate) fn day_of(time: Timestamp) -> u32 {
    u32::try_from(time.0.max(0) / DAY).unwrap_or(u32::MAX)
}

/// The first nanosecond of a day.
pub(crate) fn midnight(day: u32) -> Timestamp {
    Timestamp(i64::from(day).saturating_mul(DAY))
}

/// The id of a limit item.
pub(crate) fn limit_id(account: u32, market: u32) -> u64 {
    u64::from(account) << 32 | u64::from(market)
}

impl Default for DueQueue {
    fn default() -> Self {
        Self {
            timed: BTreeSet::new(),
            triggered: BTreeSet::new(),
            next: Timestamp(0),
            backlog: false,
            tiers_done: 0,
            tiers_next: 0,
            tiers_day: 0,
        }
    }
}

impl DueQueue {
    pub(crate) fn add(&mut self, item: DueItem) {
        self.timed.insert(item);
        self.look_ahead();
    }

    pub(crate) fn remove(&mut self, item: &DueItem) {
        self.timed.remove(item);
        self.look_ahead();
    }

    pub(crate) fn add_triggered(&mut self, met_at: Timestamp, order: u64) {
        self.triggered.insert((met_at, order));
        self.look_ahead();
    }

    pub(crate) fn remove_triggered(&mut self, met_at: Timestamp, order: u64) {
        self.triggered.remove(&(met_at, order));
        self.look_ahead();
    }

    /// Looks at the accounts for this day, from the first one on if it was another day's before.
    pub(crate) fn begin_tiers(&mut self, today: u32) {
        if self.tiers_day != today {
            (self.tiers_day, self.tiers_next) = (today, 0);
        }
    }

    /// Takes the limit items of a market out.
    pub(crate) fn remove_limits(&mut self, market: u32) {
        let market = u64::from(market);
        self.timed.retain(|(_, kind, id)| *kind != DueKind::Limit || id & 0xffff_ffff != market);
        self.look_ahead();
    }

    /// All accounts have the tier of this day.
    pub(crate) fn end_tiers(&mut self, today: u32) {
        self.tiers_next = 0;
        self.tiers_done = today;
        self.look_ahead();
    }

    /// A table that holds from `since` on rates nobody anew before the next midnight.
    pub(crate) fn end_tiers_until(&mut self, since: Timestamp) {
        let rated = day_of(Timestamp(since.0.saturating_sub(1)));
        if self.tiers_done < rated {
            self.end_tiers(rated);
        }
    }

    /// Whether all accounts have the tier of this day.
    pub(crate) fn has_tiers_of(&self, today: u32) -> bool {
        self.tiers_done >= today
    }

    fn look_ahead(&mut self) {
        let heads =
            [self.timed.first().map(|item| item.0), self.triggered.first().map(|item| item.0)];
        let tiers = midnight(self.tiers_done.saturating_add(1));
        self.next = heads.into_iter().flatten().fold(tiers, Timestamp::min);
    }

    /// Every order whose trigger was met.
    pub(crate) fn triggered_orders(&self) -> Vec<(Timestamp, u64)> {
        self.triggered.iter().copied().collect()
    }

    /// Whether anything but fee tiers is due at `now`.
    #[inline]
    fn any(&self, now: Timestamp) -> bool {
        self.timed.first().is_some_and(|item| item.0 <= now)
            || self.triggered.first().is_some_and(|item| item.0 <= now)
    }

    /// The first item due at `now`, of those that may be taken.
    fn first(&self, now: Timestamp, with_triggers: bool) -> Option<DueItem> {
        let timed = self.timed.first().copied();
        let triggered = self.triggered.first().filter(|_| with_triggers);
        let triggered = triggered.map(|&(time, order)| (time, DueKind::Trigger, order));
        let first = match (timed, triggered) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        first.filter(|item| item.0 <= now)
    }

    /// Everything due at `now`.
    fn all(&self, now: Timestamp) -> impl Iterator<Item = DueItem> {
        let timed = self.timed.iter().copied();
        let triggered = self.triggered.iter();
        let triggered = triggered.map(|&(time, order)| (time, DueKind::Trigger, order));
        timed
            .take_while(move |item| item.0 <= now)
            .chain(triggered.take_while(move |item| item.0 <= now))
    }
}

impl<W: Watch> Kernel<W> {
    /// Whether the next command, whenever it comes, has due work to take: a trigger was met, or
    /// something was left. A Tick should then come at once (D-92).
    #[must_use]
    pub fn has_due_work(&self) -> bool {
        self.due.next <= Timestamp(self.position.last_timestamp.0 + 1)
    }

    /// Takes what is due at the command's time, before its own work.
    #[inline]
    pub(crate) fn take_due(&mut self, out: &mut EventBuffer) {
        self.due.backlog = false;
        let now = self.command_time;
        if self.due.next <= now {
            self.take_due_items(now, out);
        }
    }

    #[cold]
    fn take_due_items(&mut self, now: Timestamp, out: &mut EventBuffer) {
        let mut left = DUE_ITEM_COUNT_MAX;
        let today = day_of(now);
        let first = self.position.event_sequence;
        // An account's countdown is one item, however much it cancels: events bound it, too.
        while left > 0 && self.position.event_sequence - first < DUE_EVENT_COUNT_MAX {
            let item = self.due.first(now, self.fills < FILL_COUNT_MAX);
            let tiers = (midnight(today), DueKind::Tiers, 0);
            if self.due.tiers_done < today && item.is_none_or(|item| tiers < item) {
                self.change_tiers(today, &mut left, out);
                continue;
            }
            let Some(item) = item else { break };
            self.take_item(item, &mut left, out);
        }
        // A kernel that was loaded looks through the accounts again: only a change counts.
        let is_rating = self.due.tiers_done < today
            && (0..self.ledger.account_count())
                .any(|account| self.tier_change_of(account, today).is_some());
        self.due.backlog = self.due.any(now) || is_rating;
    }

    fn take_item(&mut self, item: DueItem, left: &mut u32, out: &mut EventBuffer) {
        let (time, kind, id) = item;
        match kind {
            DueKind::Expiry => {
                let slot = self.orders.slot(id).expect("an end belongs to an open order");
                self.expire_open(slot, ExpiryReason::Gtd, out);
            }
            DueKind::Countdown => self.run_out(account_of(id), out),
            DueKind::WaiverEnd => self.end_waiver(account_of(id), time, out),
            DueKind::Rates => self.put_rates_in_force(account_of(id), out),
            DueKind::Schedule => self.put_schedule_in_force(out),
            DueKind::Tiers => unreachable!("fee tiers have no entries"),
            DueKind::Trigger => {
                let slot = self.orders.slot(id).expect("a trigger belongs to an open order");
                self.trigger(slot, out);
            }
            DueKind::Limit => return self.cancel_beyond_limit(item, left, out),
        }
        *left -= 1;
    }

    /// A countdown ran out: the switch is off, and every open order of the account goes (D-96).
    fn run_out(&mut self, account: u32, out: &mut EventBuffer) {
        let event = CountdownCancelChanged { account, deadline: None };
        let at = self.emit(out, EventKind::CountdownCancelChanged, &event);
        self.apply_countdown(at, &event);
        self.cancel_orders_of(account, None, Code::UserRequested, out);
    }

    /// An order whose trigger was met enters matching (LIFE-37).
    fn trigger(&mut self, slot: Slot, out: &mut EventBuffer) {
        let order = self.orders.at(slot);
        let met = order.waiting().and_then(|waiting| waiting.met);
        let (_, observed) = met.expect("only a met trigger is due");
        let event = OrderTriggered { order: order.sequence, observed };
        let at = self.emit(out, EventKind::OrderTriggered, &event);
        self.apply_triggered(at, slot);
        self.cancel_partner(slot, out);
        self.match_or_end(slot, out);
    }

    /// Cancels the newest orders of an account in a market until its limit holds (STATE-15).
    fn cancel_beyond_limit(&mut self, item: DueItem, left: &mut u32, out: &mut EventBuffer) {
        let (account, market) = (account_of(item.2 >> 32), account_of(item.2 & 0xffff_ffff));
        let limit = self.markets.at(market).terms.open_orders_max;
        let excess = self.orders.count_in(account, market).saturating_sub(limit).min(*left);
        let newest = self.orders.newest_of(account).filter(|&slot| {
            let order = self.orders.at(slot);
            order.market() == market && order.is_open()
        });
        let newest: Vec<Slot> = newest.take(excess as usize).collect();
        for slot in newest {
            self.cancel_open(slot, Code::RiskLimitBreach, out);
            *left -= 1;
        }
        if !self.is_beyond_limit(account, market) {
            self.due.remove(&item);
        }
    }

    fn is_beyond_limit(&self, account: u32, market: u32) -> bool {
        let limit = self.markets.at(market).terms.open_orders_max;
        self.orders.count_in(account, market) > limit
    }

    fn is_limit_due(&self, id: u64) -> bool {
        self.is_beyond_limit(account_of(id >> 32), account_of(id & 0xffff_ffff))
    }

    /// Whether an account has more orders in a market than it may.
    pub(crate) fn any_beyond_limit(&self, market: u32) -> bool {
        (0..self.ledger.account_count()).any(|account| self.is_beyond_limit(account, market))
    }

    /// Enters what lowered limits make due, from the orders of a saved state.
    pub(crate) fn restore_limits(&mut self) {
        for account in 0..self.ledger.account_count() {
            let markets = self.orders.markets_of(account);
            let markets: Vec<u32> = markets.collect();
            for market in markets {
                if self.is_beyond_limit(account, market) {
                    let time = self.markets.at(market).limited_at;
                    self.due.add((time, DueKind::Limit, limit_id(account, market)));
                }
            }
        }
    }

    /// An account's limit holds again: nothing of it is due any more.
    #[inline]
    pub(crate) fn note_limit(&mut self, account: u32, market: u32) {
        let of = self.markets.at(market);
        if of.limited_at != Timestamp(0)
            && self.orders.count_in(account, market) == of.terms.open_orders_max
        {
            let item = (of.limited_at, DueKind::Limit, limit_id(account, market));
            self.due.remove(&item);
        }
    }

    /// Enters what a lowered limit makes due: each account that has more orders than it may.
    pub(crate) fn enter_limits(&mut self, market: u32) {
        let time = self.markets.at(market).limited_at;
        for account in 0..self.ledger.account_count() {
            if self.is_beyond_limit(account, market) {
                self.due.add((time, DueKind::Limit, limit_id(account, market)));
            }
        }
    }

    /// Whether something of this account is due and was left by the command's slice (D-83).
    #[cold]
    pub(crate) fn is_account_due(&self, account: u32) -> bool {
        let of_order = |id: u64| {
            self.orders.slot(id).is_some_and(|slot| self.orders.at(slot).account == account)
        };
        self.due.all(self.command_time).any(|(_, kind, id)| match kind {
            DueKind::Expiry | DueKind::Trigger => of_order(id),
            DueKind::Limit => id >> 32 == u64::from(account) && self.is_limit_due(id),
            _ => id == u64::from(account) && kind != DueKind::Schedule,
        }) || self.tier_change_of(account, day_of(self.command_time)).is_some()
    }

    /// Whether something of this market is due and was left by the command's slice (D-83).
    #[cold]
    pub(crate) fn is_market_due(&self, market: u32) -> bool {
        let of_order = |id: u64| {
            self.orders.slot(id).is_some_and(|slot| self.orders.at(slot).market() == market)
        };
        self.due.all(self.command_time).any(|(_, kind, id)| match kind {
            DueKind::Expiry | DueKind::Trigger => of_order(id),
            DueKind::Limit => id & 0xffff_ffff == u64::from(market) && self.is_limit_due(id),
            _ => false,
        })
    }
}

fn account_of(id: u64) -> u32 {
    u32::try_from(id).expect("numbers fit 32 bits")
}
