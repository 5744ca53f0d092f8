//! The operator's commands on markets, fees and accounts: pause, parameters, rates, profiles.
//!
//! Each carries the operator's signature, which the frame has checked. What burdens users is announced
//! first (`notice.rs`, FEE-38, D-61, D-98).

use fees::{MAKER_RATE_MIN, RATE_MAX, check_tiers};
use schema::limits::{ACCOUNT_ORDER_COUNT_MAX, DAY, FEE_NOTICE_DAY_COUNT, PROMOTION_DAY_COUNT_MAX};
use schema::{
    AccountProfileChanged, AccountRates, Code, EventBuffer, EventKind, FeeKind, FeeSchedule,
    FeeScheduleChanged, FeeTierChanged, MarketChange, MarketParametersChanged, MarketStateChanged,
    Outcome, ParameterChange, ProfileChange, RatesChange, Refusal, WaiverReason, Why,
};
use units::{Rate, Timestamp};

use crate::admin::{KYC_TIER_MAX, check_steps};
use crate::due::day_of;
use crate::notice::{notice_days, relieves};
use crate::rates::row;
use crate::{Kernel, Watch};

const DONE: Outcome = Outcome::Done { created: None };
/// Lowest taker rate of an account's own: 0.01 % (FEE-10).
const OWN_TAKER_RATE_MIN: Rate = Rate(10_000);

impl<W: Watch> Kernel<W> {
    /// Pauses or resumes a market (D-95).
    pub(crate) fn set_market_state(
        &mut self,
        change: &MarketChange,
        open: bool,
        out: &mut EventBuffer,
    ) -> Result<Outcome, Refusal> {
        let missing = Refusal::new(Code::SymbolNotFound, Why::NoSuchSymbol);
        let market = self.markets.find(&change.symbol).ok_or(missing)?;
        if market.open == open {
            return Err(Refusal::new(Code::InvalidStateTransition, Why::MarketStateUnchanged));
        }
        let number = market.number;
        let event =
            MarketStateChanged { market: number, reason: change.reason, actor: change.actor };
        let kind = if open { EventKind::MarketResumed } else { EventKind::MarketPaused };
        let at = self.emit(out, kind, &event);
        self.apply_market_state(at, number, open);
        Ok(DONE)
    }

    /// Changes parameters of a market; they must be sound together like those of a listing.
    pub(crate) fn set_parameters(
        &mut self,
        change: &ParameterChange,
        out: &mut EventBuffer,
    ) -> Result<Outcome, Refusal> {
        let missing = Refusal::new(Code::SymbolNotFound, Why::NoSuchSymbol);
        let market = self.markets.find(&change.symbol).ok_or(missing)?;
        let number = market.number;
        let terms = change.parameters.applied(market.terms.clone());
        if change.parameters.is_empty() {
            return Err(Refusal::new(Code::InvalidSchema, Why::FieldInvalid));
        }
        let base = self.assets.terms(market.base).map_or(0, |terms| terms.decimals);
        check_steps(&terms, base)?;
        let others = self.markets.iter().filter(|market| market.number != number);
        let listed: u64 = others.map(|market| u64::from(market.terms.open_orders_max)).sum();
        if listed + u64::from(terms.open_orders_max) > ACCOUNT_ORDER_COUNT_MAX {
            return Err(Refusal::new(Code::RiskLimitBreach, Why::TooMany));
        }
        if terms != market.terms {
            let event = MarketParametersChanged { market: number, parameters: change.parameters };
            let at = self.emit(out, EventKind::MarketParametersChanged, &event);
            self.apply_parameters(at, &event);
        }
        Ok(DONE)
    }

    /// Changes the fee tiers of the shard, or announces the change.
    pub(crate) fn set_schedule(
        &mut self,
        schedule: &FeeSchedule,
        out: &mut EventBuffer,
    ) -> Result<Outcome, Refusal> {
        check_tiers(&schedule.tiers).map_err(|why| Refusal::new(Code::InvalidRate, why))?;
        if self.due.backlog {
            // Accounts may still be rated by the table in force.
            return Err(Refusal::new(Code::InvalidStateTransition, Why::WorkIsDue));
        }
        let days = notice_days(&self.schedule.tiers, &schedule.tiers);
        let relieves = relieves(&self.schedule.tiers, &schedule.tiers);
        let effective_at = self.check_notice(schedule.effective_at, relieves, days)?;
        let event = FeeScheduleChanged { tiers: schedule.tiers.clone(), effective_at };
        let at = self.emit(out, EventKind::FeeScheduleChanged, &event);
        self.apply_schedule(at, &event);
        Ok(DONE)
    }

    /// Gives an account rates of its own or a waiver, or takes them back, now or later.
    pub(crate) fn set_rates(
        &mut self,
        change: &RatesChange,
        out: &mut EventBuffer,
    ) -> Result<Outcome, Refusal> {
        let account = self.check_customer(change.account)?;
        let fees = &self.fees[account as usize];
        let by_volume = row(&self.schedule.tiers, fees.tier);
        let (old_tier, volume_30d) = (fees.tier, fees.volume(day_of(self.command_time)));
        let (kind, maker, taker) = match change.rates {
            AccountRates::Volume => (FeeKind::Volume, by_volume.maker, by_volume.taker),
            AccountRates::Own { maker, taker } => (FeeKind::Vip, maker, taker),
            AccountRates::Waiver { .. } => (FeeKind::Waiver, Rate(0), Rate(0)),
        };
        let makers = MAKER_RATE_MIN..=RATE_MAX;
        let takers = OWN_TAKER_RATE_MIN..=RATE_MAX;
        if kind == FeeKind::Vip && !(makers.contains(&maker) && takers.contains(&taker)) {
            return Err(Refusal::new(Code::InvalidRate, Why::RateOutOfRange));
        }
        let (reason, ends_at) = match change.rates {
            AccountRates::Waiver { reason, ends_at } => (Some(reason), ends_at),
            AccountRates::Volume | AccountRates::Own { .. } => (None, None),
        };
        let now = self.command_time;
        let mut event = FeeTierChanged {
            account,
            volume_30d,
            old_tier,
            new_tier: old_tier,
            maker,
            taker,
            kind,
            effective_at: now,
            ends_at,
            reason,
        };
        let relieves = !self.burdens(&event, now);
        event.effective_at =
            self.check_notice(change.effective_at, relieves, FEE_NOTICE_DAY_COUNT)?;
        check_waiver(&change.rates, event.effective_at)?;
        self.emit_rates(&event, out);
        Ok(DONE)
    }

    /// Changes what is known of an account (D-37).
    pub(crate) fn set_profile(
        &mut self,
        change: &ProfileChange,
        out: &mut EventBuffer,
    ) -> Result<Outcome, Refusal> {
        let number = self.check_customer(change.account)?;
        if change.kyc_tier > KYC_TIER_MAX {
            return Err(Refusal::new(Code::InvalidSchema, Why::FieldInvalid));
        }
        let event = AccountProfileChanged {
            account: number,
            kyc_tier: change.kyc_tier,
            jurisdiction: change.jurisdiction,
            risk_tier: change.risk_tier,
            order_tier: change.order_tier,
            api_class: change.api_class,
            fee_in_token: change.fee_in_token,
        };
        let account = self.ledger.account(number).expect("the account was checked");
        let opening = account.opening();
        let present = AccountProfileChanged {
            account: number,
            kyc_tier: opening.kyc_tier,
            jurisdiction: opening.jurisdiction,
            risk_tier: opening.risk_tier,
            order_tier: opening.order_tier,
            api_class: opening.api_class,
            fee_in_token: account.fee_in_token,
        };
        if event != present {
            let at = self.emit(out, EventKind::AccountProfileChanged, &event);
            self.apply_profile(at, &event);
        }
        Ok(DONE)
    }
}

/// The end of a waiver lies behind its beginning, and a promotion has one, within 30 days (FEE-22).
fn check_waiver(rates: &AccountRates, effective_at: Timestamp) -> Result<(), Refusal> {
    let AccountRates::Waiver { reason, ends_at } = *rates else { return Ok(()) };
    let refuse = |why| Err(Refusal::new(Code::InvalidExpiry, why));
    if ends_at.is_some_and(|end| end <= effective_at) {
        return refuse(Why::EndNotAhead);
    }
    let longest = effective_at.0.saturating_add(PROMOTION_DAY_COUNT_MAX * DAY);
    if reason == WaiverReason::Promotion && ends_at.is_none_or(|end| end.0 > longest) {
        return refuse(Why::PromotionTooLong);
    }
    Ok(())
}
