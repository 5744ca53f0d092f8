//! Notice before trading fees rise (FEE-38, D-61, D-98, D-106).
//!
//! Owns the one question whether a change burdens: asked of a command before it is taken, of what was
//! announced whenever other rates come into force, and of what falls due. What was told a full notice
//! ahead may burden; what was told later and burdens is forgotten, never put in force.

use fees::tier_of;
use schema::limits::{DAY, FEE_NOTICE_DAY_COUNT, TIER_NOTICE_DAY_COUNT};
use schema::{Code, FeeKind, FeeTier, FeeTierChanged, Refusal, Why};
use units::{Amount, Timestamp};

use crate::due::{DueKind, day_of};
use crate::rates::{AccountFees, row};
use crate::{Kernel, Watch};

impl<W: Watch> Kernel<W> {
    /// When a change comes into force: what relieves users may at once, what burdens them is
    /// announced so many days ahead. A time that is given lies ahead.
    pub(crate) fn check_notice(
        &self,
        effective_at: Option<Timestamp>,
        relieves: bool,
        days: i64,
    ) -> Result<Timestamp, Refusal> {
        let now = self.command_time;
        if effective_at.is_some_and(|time| time <= now) {
            return Err(Refusal::new(Code::InvalidExpiry, Why::EndNotAhead));
        }
        let effective_at = effective_at.unwrap_or(now);
        if !relieves && effective_at.0 - now.0 < days * DAY {
            return Err(Refusal::new(Code::NoticeTooShort, Why::NoticeTooShort));
        }
        Ok(effective_at)
    }

    /// Whether rates told at `told_at` would charge an account more than those in force, in any market,
    /// or end its waiver sooner than they may.
    pub(crate) fn burdens(&self, offer: &FeeTierChanged, told_at: Timestamp) -> bool {
        let fees = &self.fees[offer.account as usize];
        let volume = fees.volume(day_of(self.command_time));
        let tables = self.markets.iter().map(|market| &market.terms.fee_tiers);
        let of_markets = tables.filter(|tiers| !tiers.is_empty());
        let of_markets = of_markets.map(|tiers| tiers[tier_of(tiers, volume)]);
        let mut rows = of_markets.chain([row(&self.schedule.tiers, fees.tier)]);
        rows.any(|by_volume| rises(fees, offer, by_volume)) || shortens(fees, offer, told_at)
    }

    /// Whether what was announced for an account burdens it and was told too late for that.
    pub(crate) fn is_late_burden(&self, account: u32) -> bool {
        let special = self.fees[account as usize].special.as_ref();
        let Some((announced, told_at)) = special
            .and_then(|special| special.announced.as_ref().map(|it| (it, special.announced_at)))
        else {
            return false;
        };
        announced.effective_at.0 - told_at.0 < FEE_NOTICE_DAY_COUNT * DAY
            && self.burdens(announced, told_at)
    }

    /// An announced table that would burden whom the one in force relieves needs a notice of its own.
    pub(crate) fn forget_late_schedule(&mut self) {
        let Some((time, announced)) = &self.schedule.announced else { return };
        let days = notice_days(&self.schedule.tiers, announced);
        let notice = time.0 - self.schedule.announced_at.0;
        if notice < days * DAY && !relieves(&self.schedule.tiers, announced) {
            self.due.remove(&(*time, DueKind::Schedule, 0));
            (self.schedule.announced, self.schedule.announced_at) = (None, Timestamp(0));
        }
    }
}

/// Days of notice before one table may take the place of another and burden.
pub(crate) fn notice_days(old: &[FeeTier], new: &[FeeTier]) -> i64 {
    let moved = boundaries(new).ne(boundaries(old));
    if moved { TIER_NOTICE_DAY_COUNT } else { FEE_NOTICE_DAY_COUNT }
}

/// Whether nobody pays more with the new table: by no volume, and in no row, because accounts keep the
/// number of their row until midnight.
pub(crate) fn relieves(old: &[FeeTier], new: &[FeeTier]) -> bool {
    let falls = |old: FeeTier, new: FeeTier| new.maker <= old.maker && new.taker <= old.taker;
    // Rates change only just above a boundary, so those of both tables tell everything.
    let by_volume = boundaries(old).chain(boundaries(new)).all(|above| {
        let just_above = Amount(above.0 + 1);
        falls(old[tier_of(old, just_above)], new[tier_of(new, just_above)])
    });
    by_volume && old.iter().zip(0..).all(|(old, number)| falls(*old, row(new, number)))
}

fn boundaries(tiers: &[FeeTier]) -> impl Iterator<Item = Amount> {
    tiers.iter().map(|tier| tier.above)
}

/// Whether an offer is above what is in force where the account's volume gives this row.
fn rises(fees: &AccountFees, offer: &FeeTierChanged, by_volume: FeeTier) -> bool {
    let by_volume = (by_volume.maker, by_volume.taker);
    let present = fees.special().map_or(by_volume, |(_, maker, taker)| (maker, taker));
    let offered = match offer.kind {
        FeeKind::Volume => by_volume,
        FeeKind::Vip | FeeKind::Waiver => (offer.maker, offer.taker),
    };
    offered.0 > present.0 || offered.1 > present.1
}

/// Whether a waiver would end before the one in force, nearer to its telling than a rise may come.
fn shortens(fees: &AccountFees, offer: &FeeTierChanged, told_at: Timestamp) -> bool {
    let present = fees.special.as_ref().and_then(|special| special.waiver);
    let (Some((_, present)), FeeKind::Waiver) = (present, offer.kind) else { return false };
    let end = |end: Option<Timestamp>| end.map_or(i64::MAX, |end| end.0);
    let noticed = told_at.0.saturating_add(FEE_NOTICE_DAY_COUNT * DAY);
    end(offer.ends_at) < end(present) && end(offer.ends_at) < noticed
}
