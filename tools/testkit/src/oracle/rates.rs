//! Changes of rates: the shard's table, rates of one account, waivers, tiers at 00:00 UTC.
//!
//! Owns FEE-8, FEE-21, FEE-22, FEE-37, FEE-38 and D-98. A rate that rises waits for its announcement
//! to fall due (D-61).

use schema::{
    AccountRates, Code, Event, FeeKind, FeeSchedule, FeeScheduleChanged, FeeTier, FeeTierChanged,
    Outcome, RatesChange, Refusal, WaiverReason, Why, limits,
};
use units::{Rate, Timestamp};

use super::due::{DueKey, Kind};
use super::fees::check_table;
use super::state::{Waiver, tier_of};
use super::{DONE, Oracle};

/// What FeeTierChanged says is in force after it, or will be (D-98).
struct InForce {
    rates: (Rate, Rate),
    kind: FeeKind,
    waiver: Option<Waiver>,
}

impl Oracle {
    pub(super) fn set_schedule(&mut self, schedule: &FeeSchedule) -> Result<Outcome, Refusal> {
        check_table(&schedule.tiers)?;
        // D-98: a new table is refused while due work is left.
        if self.has_due() {
            return Err(Refusal::new(Code::InvalidStateTransition, Why::WorkIsDue));
        }
        let begins = self.check_begin(schedule.effective_at)?;
        if burdens(&self.fee_tiers, &schedule.tiers) || row_rises(&self.fee_tiers, &schedule.tiers)
        {
            self.check_notice(begins, self.table_notice(&schedule.tiers))?;
        }
        if schedule.effective_at.is_none() {
            self.change_schedule(schedule.tiers.clone(), begins);
            self.forget_burdening_table();
            return Ok(DONE);
        }
        // D-98: a later announcement takes the place of an earlier one.
        if let Some((time, _)) = self.announced_tiers.take() {
            self.due.remove(&DueKey::new(time, Kind::Schedule, 0));
        }
        self.announced_tiers = Some((begins, schedule.tiers.clone()));
        self.tiers_announced_at = self.now;
        self.due.insert(DueKey::new(begins, Kind::Schedule, 0));
        self.tell_schedule(schedule.tiers.clone(), begins);
        Ok(DONE)
    }

    /// D-61, D-98: a table that burdens waits 30 days, 60 where tier boundaries move.
    fn table_notice(&self, tiers: &[FeeTier]) -> i64 {
        let bounds = |tiers: &[FeeTier]| tiers.iter().map(|row| row.above).collect::<Vec<_>>();
        if bounds(&self.fee_tiers) == bounds(tiers) {
            limits::FEE_NOTICE_DAY_COUNT
        } else {
            limits::TIER_NOTICE_DAY_COUNT
        }
    }

    /// D-98, D-106: a table announced with less notice is forgotten when it is a burden by now.
    fn forget_burdening_table(&mut self) {
        let Some((time, tiers)) = self.announced_tiers.clone() else { return };
        let is_near = time < self.tiers_announced_at + self.table_notice(&tiers) * limits::DAY;
        if is_near && (burdens(&self.fee_tiers, &tiers) || row_rises(&self.fee_tiers, &tiers)) {
            self.announced_tiers = None;
            self.due.remove(&DueKey::new(time, Kind::Schedule, 0));
        }
    }

    /// D-106: the same for announced rates of an account, whenever its rates in force are told.
    fn forget_burdening_rates(&mut self, number: u32) {
        let Some((time, rates)) = self.account(number).announced else { return };
        if self.comes_too_soon(number, time, rates) {
            self.account_mut(number).announced = None;
            self.due.remove(&DueKey::new(time, Kind::Rates, number.into()));
        }
    }

    /// Whether rates that were announced for a time burden, and with too little notice for that.
    fn comes_too_soon(&self, number: u32, time: i64, rates: AccountRates) -> bool {
        let announced_at = self.account(number).announced_at;
        time < announced_at + limits::FEE_NOTICE_DAY_COUNT * limits::DAY
            && self.burdens_account(number, rates, announced_at)
    }

    /// FEE-38, D-106: a rate rises, by the shard's table or in a market with its own, or a waiver ends
    /// sooner.
    fn burdens_account(&self, number: u32, rates: AccountRates, told_at: i64) -> bool {
        let rises = |from: (Rate, Rate), to: (Rate, Rate)| to.0 > from.0 || to.1 > from.1;
        let mut own_tables =
            self.markets.iter().filter(|market| !market.terms.fee_tiers.is_empty());
        let own_rises = own_tables.any(|market| {
            let table = &market.terms.fee_tiers;
            let row = table[tier_of(table, self.volume(number, self.now))];
            let new = match rates {
                AccountRates::Volume => (row.maker, row.taker),
                _ => self.would_be(number, rates).rates,
            };
            rises(self.rates(number, market.number), new)
        });
        let new = self.would_be(number, rates).rates;
        own_rises || rises(self.account_rates(number), new) || self.shortens(number, rates, told_at)
    }

    /// An announced schedule is due.
    pub(super) fn begin_schedule(&mut self) {
        let (time, tiers) = self.announced_tiers.take().expect("an announced schedule");
        self.change_schedule(tiers, time);
    }

    fn change_schedule(&mut self, tiers: Vec<FeeTier>, effective_at: i64) {
        self.fee_tiers.clone_from(&tiers);
        self.tell_schedule(tiers, effective_at);
    }

    fn tell_schedule(&mut self, tiers: Vec<FeeTier>, effective_at: i64) {
        let effective_at = Timestamp(effective_at);
        self.emit(Event::FeeScheduleChanged(FeeScheduleChanged { tiers, effective_at }), &[]);
    }

    /// FEE-37: a beginning lies in the future; none means now.
    fn check_begin(&self, effective_at: Option<Timestamp>) -> Result<i64, Refusal> {
        match effective_at {
            Some(time) if time.0 <= self.now => {
                Err(Refusal::new(Code::InvalidExpiry, Why::EndNotAhead))
            }
            Some(time) => Ok(time.0),
            None => Ok(self.now),
        }
    }

    fn check_notice(&self, begins: i64, days: i64) -> Result<(), Refusal> {
        if begins >= self.now + days * limits::DAY {
            return Ok(());
        }
        Err(Refusal::new(Code::NoticeTooShort, Why::NoticeTooShort))
    }

    pub(super) fn set_rates(&mut self, change: &RatesChange) -> Result<Outcome, Refusal> {
        let number = self.find_customer(change.account)?;
        check_own(change.rates)?;
        let begins = self.check_begin(change.effective_at)?;
        let new = self.would_be(number, change.rates);
        if self.burdens_account(number, change.rates, self.now) {
            self.check_notice(begins, limits::FEE_NOTICE_DAY_COUNT)?;
        }
        check_waiver(change.rates, begins)?;
        if change.effective_at.is_none() {
            self.take_rates(number, change.rates);
            self.tell_rates(number, &new, (self.account(number).tier, begins));
            self.forget_burdening_rates(number);
            return Ok(DONE);
        }
        // D-98: an account has at most one announcement; a later one takes its place.
        if let Some((time, _)) = self.account_mut(number).announced.take() {
            self.due.remove(&DueKey::new(time, Kind::Rates, number.into()));
        }
        let now = self.now;
        let account = self.account_mut(number);
        account.announced = Some((begins, change.rates));
        account.announced_at = now;
        self.due.insert(DueKey::new(begins, Kind::Rates, number.into()));
        self.tell_rates(number, &new, (self.account(number).tier, begins));
        Ok(DONE)
    }

    /// FEE-38, D-98: a waiver that ends before the present one burdens, unless it goes on for 30 days.
    fn shortens(&self, number: u32, rates: AccountRates, told_at: i64) -> bool {
        let (Some(present), AccountRates::Waiver { ends_at, .. }) =
            (self.account(number).waiver, rates)
        else {
            return false;
        };
        let end = ends_at.map_or(i64::MAX, |end| end.0);
        end < present.ends_at.unwrap_or(i64::MAX)
            && end < told_at + limits::FEE_NOTICE_DAY_COUNT * limits::DAY
    }

    /// What would be in force with these rates.
    fn would_be(&self, number: u32, rates: AccountRates) -> InForce {
        let tier = self.account(number).tier;
        match rates {
            AccountRates::Volume => {
                InForce { rates: self.tier_rates(tier), kind: FeeKind::Volume, waiver: None }
            }
            AccountRates::Own { maker, taker } => {
                InForce { rates: (maker, taker), kind: FeeKind::Vip, waiver: None }
            }
            AccountRates::Waiver { reason, ends_at } => {
                let waiver = Some(Waiver { reason, ends_at: ends_at.map(|time| time.0) });
                InForce { rates: (Rate(0), Rate(0)), kind: FeeKind::Waiver, waiver }
            }
        }
    }

    /// What is in force.
    fn in_force(&self, number: u32) -> InForce {
        let account = self.account(number);
        let kind = match (account.waiver, account.own_rates) {
            (Some(_), _) => FeeKind::Waiver,
            (None, Some(_)) => FeeKind::Vip,
            (None, None) => FeeKind::Volume,
        };
        InForce { rates: self.account_rates(number), kind, waiver: account.waiver }
    }

    /// Puts rates in force. Rates of its own end a waiver, because FeeTierChanged says what is in
    /// force after it; a waiver leaves them, and they are in force again when it ends (D-98).
    fn take_rates(&mut self, number: u32, rates: AccountRates) {
        if let Some(end) = self.account(number).waiver.and_then(|waiver| waiver.ends_at) {
            self.due.remove(&DueKey::new(end, Kind::WaiverEnd, number.into()));
        }
        let account = self.account_mut(number);
        account.waiver = None;
        match rates {
            AccountRates::Volume => account.own_rates = None,
            AccountRates::Own { maker, taker } => account.own_rates = Some((maker, taker)),
            AccountRates::Waiver { reason, ends_at } => {
                let ends_at = ends_at.map(|time| time.0);
                account.waiver = Some(Waiver { reason, ends_at });
                if let Some(end) = ends_at {
                    self.due.insert(DueKey::new(end, Kind::WaiverEnd, number.into()));
                }
            }
        }
    }

    /// FeeTierChanged: with the row of the shard's table before and after, and since when it holds.
    fn tell_rates(&mut self, number: u32, it: &InForce, (old_tier, since): (usize, i64)) {
        let row = |tier: usize| u8::try_from(tier).expect("few rows");
        let new_tier = row(self.account(number).tier);
        // D-92: whatever depends on time uses the time of the command.
        let event = FeeTierChanged {
            account: number,
            volume_30d: units::Amount(self.volume(number, self.now)),
            old_tier: row(old_tier),
            new_tier,
            maker: it.rates.0,
            taker: it.rates.1,
            kind: it.kind,
            effective_at: Timestamp(since),
            ends_at: it.waiver.and_then(|waiver| waiver.ends_at).map(Timestamp),
            reason: it.waiver.map(|waiver| waiver.reason),
        };
        self.emit(Event::FeeTierChanged(event), &[number]);
    }

    /// FEE-22: a waiver has ended by itself.
    pub(super) fn end_waiver(&mut self, number: u32, time: i64) {
        self.account_mut(number).waiver = None;
        let it = self.in_force(number);
        self.tell_rates(number, &it, (self.account(number).tier, time));
        self.forget_burdening_rates(number);
    }

    /// Announced rates are due.
    pub(super) fn begin_rates(&mut self, number: u32) {
        let (time, rates) = self.account_mut(number).announced.take().expect("announced rates");
        if self.comes_too_soon(number, time, rates) {
            // D-106: what stays in force is told again.
            let it = self.in_force(number);
            return self.tell_rates(number, &it, (self.account(number).tier, time));
        }
        let new = self.would_be(number, rates);
        self.take_rates(number, rates);
        self.tell_rates(number, &new, (self.account(number).tier, time));
    }

    /// The row that an account has reached at a midnight, by the 30 whole days before it (FEE-8).
    pub(super) fn tier_at(&self, number: u32, midnight: i64) -> usize {
        tier_of(&self.fee_tiers, self.volume(number, midnight))
    }

    /// The tier of an account changes at a midnight.
    pub(super) fn change_tier(&mut self, number: u32, midnight: i64) {
        let old = self.account(number).tier;
        self.account_mut(number).tier = self.tier_at(number, midnight);
        let it = self.in_force(number);
        self.tell_rates(number, &it, (old, midnight));
        self.forget_burdening_rates(number);
    }
}

/// FEE-10, FEE-37: −0.05 % to 2 % for makers, 0.01 % to 2 % for takers.
fn check_own(rates: AccountRates) -> Result<(), Refusal> {
    let AccountRates::Own { maker, taker } = rates else { return Ok(()) };
    if (-50_000..=2_000_000).contains(&maker.0) && (10_000..=2_000_000).contains(&taker.0) {
        return Ok(());
    }
    Err(Refusal::new(Code::InvalidRate, Why::RateOutOfRange))
}

/// FEE-22, FEE-37: an end lies ahead of the beginning; a promotion has one, at most 30 days ahead.
fn check_waiver(rates: AccountRates, begins: i64) -> Result<(), Refusal> {
    let AccountRates::Waiver { reason, ends_at } = rates else { return Ok(()) };
    if ends_at.is_some_and(|end| end.0 <= begins) {
        return Err(Refusal::new(Code::InvalidExpiry, Why::EndNotAhead));
    }
    let last = begins + limits::PROMOTION_DAY_COUNT_MAX * limits::DAY;
    if reason == WaiverReason::Promotion && ends_at.is_none_or(|end| end.0 > last) {
        return Err(Refusal::new(Code::InvalidExpiry, Why::PromotionTooLong));
    }
    Ok(())
}

/// FEE-8, D-98: an account keeps the number of its row until midnight, so a row that rises burdens.
fn row_rises(old: &[FeeTier], new: &[FeeTier]) -> bool {
    old.iter().enumerate().any(|(number, old)| {
        let new = new[number.min(new.len() - 1)];
        new.maker > old.maker || new.taker > old.taker
    })
}

/// Whether a rate rises for some volume (FEE-38): it is enough to look where a row begins, as rows
/// begin just above their volumes.
fn burdens(old: &[FeeTier], new: &[FeeTier]) -> bool {
    let starts = old.iter().chain(new).map(|row| row.above.0 + i128::from(row.above.0 > 0));
    starts.into_iter().any(|volume| {
        let (before, after) = (old[tier_of(old, volume)], new[tier_of(new, volume)]);
        after.maker > before.maker || after.taker > before.taker
    })
}
