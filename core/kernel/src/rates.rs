//! Trading-fee rates: tiers by 30-day volume, rates of one account, waivers, announcements (D-98).
//!
//! A trade counts for the day of its TradeSettled. An account keeps the volume of the last 31 days;
//! its row in the shard's table changes at 00:00 UTC by FeeTierChanged alone. FeeTierChanged tells all
//! that is in force after it, so that rates follow from events.

use alloc::boxed::Box;
use alloc::vec::Vec;

use fees::tier_of;
use schema::limits::VOLUME_DAY_COUNT;
use schema::{
    EventBuffer, EventHead, EventKind, FeeKind, FeeScheduleChanged, FeeTier, FeeTierChanged,
    WaiverReason,
};
use units::{Amount, Rate, Timestamp};

use crate::due::{DueKind, day_of, midnight};
use crate::market::Market;
use crate::order::{halves, whole};
use crate::{Entity, Kernel, Watch};

/// What decides the trading fees of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AccountFees {
    /// Row of the shard's table, from 0.
    pub(crate) tier: u8,
    /// Day of its last trade.
    last_day: u32,
    /// Halves of the volume of that day: an `Amount` would round the size up.
    last_volume: [u64; 2],
    /// Volume by day before that, days rising. A box, since most accounts have none and all pay for its size.
    #[expect(clippy::box_collection, reason = "see above")]
    older: Option<Box<Vec<(u32, Amount)>>>,
    /// What few accounts have.
    pub(crate) special: Option<Box<SpecialRates>>,
}

/// Rates that do not follow from volume.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SpecialRates {
    /// Maker and taker rate of its own (FEE-10).
    pub(crate) own: Option<(Rate, Rate)>,
    /// No fee, why, and until when (FEE-21).
    pub(crate) waiver: Option<(WaiverReason, Option<Timestamp>)>,
    /// What comes into force later (FEE-40).
    pub(crate) announced: Option<FeeTierChanged>,
    /// When that was announced; 0 when nothing is.
    pub(crate) announced_at: Timestamp,
}

/// The shard's table, and the one that was announced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Schedule {
    pub(crate) tiers: Vec<FeeTier>,
    /// From when on it holds.
    pub(crate) since: Timestamp,
    pub(crate) announced: Option<(Timestamp, Vec<FeeTier>)>,
    /// When that was announced; 0 when nothing is.
    pub(crate) announced_at: Timestamp,
}

/// A trade between its TradeExecuted and its TradeSettled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OpenTrade {
    pub(crate) sequence: u64,
    pub(crate) accounts: [u32; 2],
    /// Its value, where that counts as volume.
    pub(crate) volume: Option<Amount>,
}

impl AccountFees {
    /// Volume of the 30 whole days before `today` (FEE-7).
    pub(crate) fn volume(&self, today: u32) -> Amount {
        let window = today.saturating_sub(VOLUME_DAY_COUNT)..today;
        let days = self.days().filter(|(day, _)| window.contains(day));
        days.fold(Amount::ZERO, |sum, (_, volume)| Amount(sum.0.saturating_add(volume.0)))
    }

    /// Counts a trade; what can count no more is forgotten (DET-42).
    #[inline]
    fn count(&mut self, today: u32, volume: Amount) {
        let (day, sum) = self.last();
        if day == today {
            self.set_last(day, Amount(sum.0.saturating_add(volume.0)));
            return;
        }
        self.begin_day(today, volume);
        if let Some(older) = &mut self.older {
            older.retain(|&(day, _)| day.saturating_add(VOLUME_DAY_COUNT) >= today);
        }
    }

    /// Day of its last trade, 0 for none, and the volume of that day.
    #[inline]
    pub(crate) fn last(&self) -> (u32, Amount) {
        (self.last_day, whole(self.last_volume))
    }

    /// The volume of a later day than the last.
    pub(crate) fn begin_day(&mut self, day: u32, volume: Amount) {
        if self.last_day > 0 {
            let last = self.last();
            self.older.get_or_insert_default().push(last);
        }
        self.set_last(day, volume);
    }

    #[inline]
    fn set_last(&mut self, day: u32, volume: Amount) {
        (self.last_day, self.last_volume) = (day, halves(volume));
    }

    /// Volume by day, days rising.
    pub(crate) fn days(&self) -> impl Iterator<Item = (u32, Amount)> {
        let older = self.older.iter().flat_map(|older| older.iter().copied());
        older.chain(Some(self.last()).filter(|last| last.0 > 0))
    }

    /// Own rates or a waiver, if it has one.
    #[inline]
    pub(crate) fn special(&self) -> Option<(FeeKind, Rate, Rate)> {
        let special = self.special.as_ref()?;
        if special.waiver.is_some() {
            return Some((FeeKind::Waiver, Rate(0), Rate(0)));
        }
        special.own.map(|(maker, taker)| (FeeKind::Vip, maker, taker))
    }
}

impl<W: Watch> Kernel<W> {
    /// The rates of an account in a market: a waiver, its own, or those of its volume.
    #[inline]
    pub(crate) fn rates_of(&self, account: u32, market: &Market) -> FeeTier {
        let rated = self.ledger.account(account).expect("whoever trades has an account");
        if !rated.has_own_rates && !market.has_own_tiers {
            return row(&self.schedule.tiers, rated.fee_row);
        }
        let fees = &self.fees[account as usize];
        if let Some((_, maker, taker)) = fees.special() {
            return FeeTier { above: Amount::ZERO, maker, taker };
        }
        let own = &market.terms.fee_tiers;
        own[tier_of(own, fees.volume(day_of(self.command_time)))]
    }

    /// TradeSettled: the volume of both accounts.
    #[inline]
    pub(crate) fn count_volume(&mut self, at: EventHead, trade: &OpenTrade) {
        let Some(volume) = trade.volume else { return };
        if at.timestamp >= self.tomorrow {
            self.today = day_of(at.timestamp);
            self.tomorrow = midnight(self.today.saturating_add(1));
        }
        let today = self.today;
        for account in trade.accounts {
            self.fees[account as usize].count(today, volume);
            self.watch.touched(Entity::Fees(account));
        }
    }

    /// Gives every account its row by the volumes of 00:00 UTC, in order of account id (FEE-8).
    pub(crate) fn change_tiers(&mut self, today: u32, left: &mut u32, out: &mut EventBuffer) {
        self.due.begin_tiers(today);
        while self.due.tiers_next < self.ledger.account_count() {
            let account = self.due.tiers_next;
            if let Some(tier) = self.tier_change_of(account, today) {
                if *left == 0 {
                    return;
                }
                *left -= 1;
                self.tell_rates(account, tier, midnight(today), out);
            }
            self.due.tiers_next += 1;
        }
        self.due.end_tiers(today);
    }

    /// The row that an account is to have today, if it has another one.
    #[inline]
    pub(crate) fn tier_change_of(&self, account: u32, today: u32) -> Option<u8> {
        if self.due.has_tiers_of(today) {
            return None;
        }
        let fees = &self.fees[account as usize];
        if fees.last().0 == 0 && fees.tier == 0 {
            return None;
        }
        let tier = tier_number(&self.schedule.tiers, fees.volume(today));
        (tier != fees.tier).then_some(tier)
    }

    /// FeeTierChanged with what is in force once the account has this row.
    fn tell_rates(
        &mut self,
        account: u32,
        tier: u8,
        effective_at: Timestamp,
        out: &mut EventBuffer,
    ) {
        let fees = &self.fees[account as usize];
        let by_volume = row(&self.schedule.tiers, tier);
        let volume = (FeeKind::Volume, by_volume.maker, by_volume.taker);
        let (kind, maker, taker) = fees.special().unwrap_or(volume);
        let waiver = fees.special.as_ref().and_then(|special| special.waiver);
        let event = FeeTierChanged {
            account,
            volume_30d: fees.volume(day_of(self.command_time)),
            old_tier: fees.tier,
            new_tier: tier,
            maker,
            taker,
            kind,
            effective_at,
            ends_at: waiver.and_then(|(_, ends_at)| ends_at),
            reason: waiver.map(|(reason, _)| reason),
        };
        self.emit_rates(&event, out);
    }

    /// Emits and applies.
    pub(crate) fn emit_rates(&mut self, event: &FeeTierChanged, out: &mut EventBuffer) {
        let at = self.emit(out, EventKind::FeeTierChanged, event);
        self.apply_rates(at, event);
    }

    /// A waiver ended by itself: what was behind it is in force (FEE-22).
    pub(crate) fn end_waiver(&mut self, account: u32, time: Timestamp, out: &mut EventBuffer) {
        let fees = &self.fees[account as usize];
        let own = fees.special.as_ref().and_then(|special| special.own);
        let by_volume = row(&self.schedule.tiers, fees.tier);
        let (kind, maker, taker) = match own {
            Some((maker, taker)) => (FeeKind::Vip, maker, taker),
            None => (FeeKind::Volume, by_volume.maker, by_volume.taker),
        };
        let event = FeeTierChanged {
            account,
            volume_30d: fees.volume(day_of(self.command_time)),
            old_tier: fees.tier,
            new_tier: fees.tier,
            maker,
            taker,
            kind,
            effective_at: time,
            ends_at: None,
            reason: None,
        };
        self.emit_rates(&event, out);
    }

    /// What was announced for an account comes into force (FEE-40), unless that burdens by now (FEE-38).
    pub(crate) fn put_rates_in_force(&mut self, account: u32, out: &mut EventBuffer) {
        let fees = &self.fees[account as usize];
        let announced = fees.special.as_ref().and_then(|special| special.announced);
        let announced = announced.expect("only an announcement is due");
        if self.is_late_burden(account) {
            // Told again is what stays in force; that takes the announcement back.
            return self.tell_rates(account, fees.tier, announced.effective_at, out);
        }
        let by_volume = row(&self.schedule.tiers, fees.tier);
        let mut event = FeeTierChanged {
            volume_30d: fees.volume(day_of(self.command_time)),
            old_tier: fees.tier,
            new_tier: fees.tier,
            ..announced
        };
        if event.kind == FeeKind::Volume {
            (event.maker, event.taker) = (by_volume.maker, by_volume.taker);
        }
        self.emit_rates(&event, out);
    }

    /// The announced schedule comes into force.
    pub(crate) fn put_schedule_in_force(&mut self, out: &mut EventBuffer) {
        let announced = self.schedule.announced.clone();
        let (effective_at, tiers) = announced.expect("only an announcement is due");
        let event = FeeScheduleChanged { tiers, effective_at };
        let at = self.emit(out, EventKind::FeeScheduleChanged, &event);
        self.apply_schedule(at, &event);
    }

    /// An announcement is kept until its time; anything else is in force.
    pub(crate) fn apply_rates(&mut self, at: EventHead, event: &FeeTierChanged) {
        let account = event.account;
        let fees = &mut self.fees[account as usize];
        let special = fees.special.get_or_insert_default();
        if let Some(announced) = &special.announced
            && (event.effective_at > at.timestamp || comes_true(announced, event))
        {
            let item = (announced.effective_at, DueKind::Rates, u64::from(account));
            self.due.remove(&item);
            (special.announced, special.announced_at) = (None, Timestamp(0));
        }
        if event.effective_at > at.timestamp {
            (special.announced, special.announced_at) = (Some(*event), self.command_time);
            self.due.add((event.effective_at, DueKind::Rates, u64::from(account)));
        } else {
            fees.tier = event.new_tier;
            if let Some((_, Some(end))) = special.waiver.take() {
                self.due.remove(&(end, DueKind::WaiverEnd, u64::from(account)));
            }
            match event.kind {
                FeeKind::Volume => special.own = None,
                FeeKind::Vip => special.own = Some((event.maker, event.taker)),
                FeeKind::Waiver => {
                    let reason = event.reason.unwrap_or(WaiverReason::Promotion);
                    special.waiver = Some((reason, event.ends_at));
                    if let Some(end) = event.ends_at {
                        self.due.add((end, DueKind::WaiverEnd, u64::from(account)));
                    }
                }
            }
        }
        // What was told too late to burden, and would by now, needs a notice of its own (FEE-38).
        if event.effective_at <= at.timestamp && self.is_late_burden(account) {
            self.forget_announced(account);
        }
        let fees = &mut self.fees[account as usize];
        fees.special.take_if(|special| **special == SpecialRates::default());
        self.copy_rates(account);
        self.watch.touched(Entity::Fees(account));
        self.count_account(at, account);
    }

    /// Writes what rates an account's orders beside the account.
    pub(crate) fn copy_rates(&mut self, account: u32) {
        let fees = &self.fees[account as usize];
        let (fee_row, has_own_rates) = (fees.tier, fees.special().is_some());
        let rated = self.ledger.account_mut(account).expect("the account was checked");
        (rated.fee_row, rated.has_own_rates) = (fee_row, has_own_rates);
    }

    /// What was announced for an account comes no more.
    fn forget_announced(&mut self, account: u32) {
        let Some(special) = &mut self.fees[account as usize].special else { return };
        if let Some(announced) = special.announced.take() {
            self.due.remove(&(announced.effective_at, DueKind::Rates, u64::from(account)));
        }
        special.announced_at = Timestamp(0);
    }

    /// An announcement is kept until its time; anything else is in force.
    pub(crate) fn apply_schedule(&mut self, at: EventHead, event: &FeeScheduleChanged) {
        let announced = self.schedule.announced.as_ref();
        let comes_true = announced.is_some_and(|(time, _)| event.effective_at == *time);
        if let Some((time, _)) = &self.schedule.announced
            && (event.effective_at > at.timestamp || comes_true)
        {
            self.due.remove(&(*time, DueKind::Schedule, 0));
            (self.schedule.announced, self.schedule.announced_at) = (None, Timestamp(0));
        }
        if event.effective_at > at.timestamp {
            self.schedule.announced = Some((event.effective_at, event.tiers.clone()));
            self.schedule.announced_at = self.command_time;
            self.due.add((event.effective_at, DueKind::Schedule, 0));
        } else {
            self.schedule.tiers.clone_from(&event.tiers);
            // Who was rated for this day stays so until midnight (FEE-8), in every kernel. What was
            // announced for a midnight comes before its tiers, what is set at one behind them.
            let behind = i64::from(!comes_true);
            self.schedule.since = Timestamp(event.effective_at.0.saturating_add(behind));
            self.due.end_tiers_until(self.schedule.since);
            self.forget_late_schedule();
        }
        self.watch.touched(Entity::System);
    }
}

/// Whether an event puts in force what was announced.
fn comes_true(announced: &FeeTierChanged, event: &FeeTierChanged) -> bool {
    let rates = |rates: &FeeTierChanged| (rates.maker, rates.taker);
    event.effective_at == announced.effective_at
        && event.kind == announced.kind
        && (event.ends_at, event.reason) == (announced.ends_at, announced.reason)
        && (event.kind == FeeKind::Volume || rates(event) == rates(announced))
}

/// The number of the row for a volume.
fn tier_number(tiers: &[FeeTier], volume: Amount) -> u8 {
    u8::try_from(tier_of(tiers, volume)).expect("a table has at most 32 rows")
}

/// A row; the last one, when a new table has fewer rows than an account's number says until midnight.
#[inline]
pub(crate) fn row(tiers: &[FeeTier], tier: u8) -> FeeTier {
    tiers[usize::from(tier).min(tiers.len() - 1)]
}
