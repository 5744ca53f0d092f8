//! What the operator does: accounts, markets, fees.

use schema::{
    AccountOpening, AccountRates, AccountStatus, AccountType, ApiClass, AssetRef, AssetTerms,
    ClockStatus, Command, FeeRefund, FeeSchedule, HaltReason, MarketChange, MarketKind,
    MarketParameters, MarketTerms, OrderTier, ParameterChange, ProfileChange, RatesChange,
    RefundReason, RiskTier, StatusChange, SymbolRef, TradingHalt, WaiverReason, limits,
};
use units::{Amount, Lots, Rate, Ticks, Timestamp};

use super::setup::{FLOOD_MARKET, HUGE_MARKET, UNSIGNED, asset, market, tiers};
use super::{Generator, keys, label};
use crate::oracle::Oracle;
use crate::oracle::refund::Charged;

impl Generator {
    pub(super) fn create_account(&mut self, oracle: &Oracle) -> Command {
        let count = u32::try_from(oracle.accounts().len()).expect("few");
        let mut opening = self.opening(count - 8);
        match self.rng.below(8) {
            _ if u64::from(count) > ACCOUNT_COUNT_WANTED + self.sequence / 50_000 => {
                opening.external_id = label("customer-1")
            }
            0 => opening.external_id = label("customer-1"),
            1 => opening.account_type = AccountType::System,
            2 => opening.kyc_tier = 4,
            3 => opening.external_id = label(""),
            4 => opening.external_id = label("REVENUE"),
            _ => {
                opening.external_id = label(&format!("customer-{}-{}", count, self.sequence));
            }
        }
        Command::CreateAccount(AccountOpening { ..opening })
    }

    pub(super) fn administer(&mut self, oracle: &Oracle) -> Command {
        match self.rng.below(100) {
            0..12 => self.refund(oracle),
            12..26 => self.set_status(oracle),
            26..30 => self.halt(oracle),
            30..38 => self.pause(oracle),
            38..55 => self.set_parameters(oracle),
            55..63 => self.set_schedule(oracle),
            63..82 => self.set_rates(oracle),
            82..94 => self.set_profile(oracle),
            94..97 => self.list_asset(oracle),
            _ => self.list_market(oracle),
        }
    }

    fn set_status(&mut self, oracle: &Oracle) -> Command {
        let account = self.account(oracle);
        // Whoever is suspended is made active again soon; those who trade most are not closed.
        let suspended = oracle.accounts().iter().find(|it| it.status == AccountStatus::Suspended);
        let is_trader = oracle.account_number(account).is_some_and(|number| number < 20);
        let (account, to) = match (suspended, self.rng.below(10)) {
            (Some(it), 0..5) => (it.id, AccountStatus::Active),
            (Some(it), 5) if it.number >= 20 => (it.id, AccountStatus::Closed),
            (_, 0..3) => (account, AccountStatus::Active),
            (_, 3..5) if !is_trader => (account, AccountStatus::Closed),
            _ => (account, AccountStatus::Suspended),
        };
        let (reason, actor) = (label("why"), label("who"));
        Command::SetAccountStatus(StatusChange { account, to, reason, actor }, UNSIGNED)
    }

    /// Trading is halted, for a reason that people may have or not, by people or the sequencer.
    fn halt(&mut self, oracle: &Oracle) -> Command {
        if self.chance(4) {
            return self.end_halt(oracle);
        }
        let actor = label(if self.chance(4) { keys::SEQUENCER } else { "who" });
        let reason = *self.rng.pick(HaltReason::ALL).expect("some");
        let reason = if actor == label("who") { reason } else { HaltReason::Clock };
        Command::HaltTrading(TradingHalt { reason, actor }, UNSIGNED)
    }

    /// What it takes to trade again, in its order or not, whether it was halted or not.
    pub(super) fn end_halt(&mut self, oracle: &Oracle) -> Command {
        let actor = label("who");
        match self.rng.below(8) {
            0 => Command::ConfirmClock(actor, UNSIGNED),
            1..5 if oracle.is_clock_unconfirmed() => clock_is_back(),
            _ => Command::ResumeTrading(actor, UNSIGNED),
        }
    }

    fn pause(&mut self, oracle: &Oracle) -> Command {
        let paused = oracle.markets().iter().find(|market| market.paused);
        let (reason, actor) = (label("why"), label("who"));
        let symbol = match paused {
            Some(market) if !self.chance(4) => {
                let symbol = SymbolRef::Listed(market.number);
                let change = MarketChange { symbol, reason, actor };
                return Command::ResumeMarket(change, UNSIGNED);
            }
            _ => self.symbol(oracle),
        };
        let change = MarketChange { symbol, reason, actor };
        if self.chance(5) {
            return Command::ResumeMarket(change, UNSIGNED);
        }
        Command::PauseMarket(change, UNSIGNED)
    }

    fn set_parameters(&mut self, oracle: &Oracle) -> Command {
        let symbol = self.symbol(oracle);
        let mut it = MarketParameters::default();
        match self.rng.below(14) {
            0 => {}
            1 => it.min_price = Some(Ticks(1 + self.rng.below(30))),
            2 => it.max_price = Some(Ticks(500_000 + self.rng.below(1_000_000))),
            3 => it.min_quantity = Some(Lots(1 + self.rng.below(4))),
            4 => it.max_quantity = Some(Lots(500 + self.rng.below(2_000))),
            5 => it.protection_bound = Some(Rate(100_000 + self.rng_i64(9_000_000))),
            6 => it.price_band = Some(Some(Rate(500_000 + self.rng_i64(6_000_000)))),
            7 => it.price_band = Some(None),
            8 | 9 => it.open_orders_max = Some(1 + self.rng.below_u32(12)),
            10 | 11 => it.open_orders_max = Some(30 + self.rng.below_u32(60)),
            12 => {
                it.min_price = Some(Ticks(5));
                it.max_price = Some(Ticks(4));
            }
            _ => it.open_orders_max = Some([0, 10_001][usize::from(self.rng.coin())]),
        }
        if symbol == SymbolRef::Listed(HUGE_MARKET) {
            // It stays the market whose values may not fit the number format.
            it.max_price = it.max_price.map(|ticks| Ticks(ticks.0 << 20));
            it.max_quantity = it.max_quantity.map(|lots| Lots(lots.0 << 30));
        }
        Command::SetMarketParameters(ParameterChange { symbol, parameters: it }, UNSIGNED)
    }

    fn rng_i64(&mut self, bound: u64) -> i64 {
        i64::try_from(self.rng.below(bound)).expect("fits")
    }

    /// At once, or so many days ahead, at the edges of the notices too.
    fn beginning(&mut self) -> Option<Timestamp> {
        let day = limits::DAY;
        match self.rng.below(9) {
            0..3 => None,
            3 => Some(Timestamp(self.now - 1)),
            4 => Some(Timestamp(self.now + 30 * day + 1_000_000)),
            5 => Some(Timestamp(self.now + 60 * day + 1_000_000)),
            6 => Some(Timestamp(self.now + 30 * day - 1)),
            7 => Some(Timestamp(self.now + self.rng_i64(5_000_000_000))),
            _ => Some(Timestamp(self.now + self.rng_i64(20_000_000_000_000))),
        }
    }

    fn set_schedule(&mut self, _: &Oracle) -> Command {
        let more = self.rng_i64(4) * 1_000;
        let tiers = match self.rng.below(9) {
            0 => tiers(&[]),
            1 => tiers(&[(5, 0, 0)]),
            2 => tiers(&[(0, 0, 0), (9, 0, 0), (9, 0, 0)]),
            3 => tiers(&[(0, -50_001, 0)]),
            4 => tiers(&[(0, 0, 2_000_001)]),
            5 => tiers(&[(0, 15_000, 90_000), (30_000, -10_000, 50_000 - more)]),
            6 => tiers(&[(0, 20_000 - more, 100_000), (20_000, -50_000, 30_000)]),
            _ => tiers(&[
                (0, 20_000, 100_000 + more),
                (20_000, 10_000, 80_000),
                (300_000, -5_000, 60_000),
                (2_000_000, -10_000, 40_000),
                (9_000_000, -20_000, 20_000),
            ]),
        };
        let effective_at = self.beginning();
        Command::SetFeeSchedule(FeeSchedule { tiers, effective_at }, UNSIGNED)
    }

    fn set_rates(&mut self, oracle: &Oracle) -> Command {
        let account = self.account(oracle);
        let effective_at = self.beginning();
        let rates = match self.rng.below(10) {
            0..2 => AccountRates::Volume,
            2..6 => {
                let makers = [-50_000, -30_000, 0, 10_000, 25_000, -50_001, 2_000_001];
                let takers = [10_000, 20_000, 40_000, 110_000, 2_000_000, 9_999, 2_000_001];
                let maker = Rate(*self.rng.pick(&makers).expect("some"));
                AccountRates::Own { maker, taker: Rate(*self.rng.pick(&takers).expect("some")) }
            }
            _ => {
                let begins = effective_at.map_or(self.now, |time| time.0);
                let ends_at = match self.rng.below(6) {
                    0 => None,
                    1 => Some(Timestamp(begins - 1)),
                    2 => Some(Timestamp(begins + 30 * limits::DAY + 1)),
                    3 => Some(Timestamp(begins + 30 * limits::DAY)),
                    _ => Some(Timestamp(begins + self.rng_i64(100_000_000_000))),
                };
                let reason = *self.rng.pick(WaiverReason::ALL).expect("some");
                AccountRates::Waiver { reason, ends_at }
            }
        };
        Command::SetAccountRates(RatesChange { account, rates, effective_at }, UNSIGNED)
    }

    /// Next come rates that trades of those who trade most meet at once: a rebate above the other side's fee, and no
    /// fee at all (FEE-11).
    pub fn favour(&mut self, oracle: &Oracle) {
        let own = AccountRates::Own { maker: Rate(-50_000), taker: Rate(10_000) };
        let waiver = AccountRates::Waiver { reason: WaiverReason::MarketMaker, ends_at: None };
        for (place, account) in oracle.accounts().iter().skip(8).take(9).enumerate() {
            let rates = if place % 2 == 0 { own } else { waiver };
            let change = RatesChange { account: account.id, rates, effective_at: None };
            self.prepare(Command::SetAccountRates(change, UNSIGNED));
        }
    }

    /// A fee of a recent trade, whole or in part, again, or otherwise than it was.
    fn refund(&mut self, oracle: &Oracle) -> Command {
        let again = oracle.refunds().iter().next_back().filter(|_| self.chance(4));
        let again = again.map(|(&(account, _), it)| (it.trade, account, it.asset, it.fee));
        let of = |it: &Charged| (it.trade, it.account, it.asset, it.fee);
        let charged: Vec<_> = oracle.charged().iter().map(of).collect();
        let none = (self.random_id(), 9, 1, 1);
        let some = self.rng.pick(&charged).copied().unwrap_or(none);
        let (mut trade, number, mut asset, mut fee) = again.unwrap_or(some);
        let mut account = oracle.accounts().get(number as usize).map_or(trade, |it| it.id);
        let mut amount = match self.rng.below(6) {
            0..2 => fee,
            2 => fee / 2,
            3 => fee / 10_000_000_000 * 1_000_000_000,
            4 => 1_000_000_000_000,
            _ => fee + 1,
        };
        match self.rng.below(30) {
            0 => trade = self.random_id(),
            1 => trade.0[15] ^= 1,
            2 => trade.0[0] ^= 1,
            3 => account = self.account(oracle),
            4 => asset = 99,
            5 => asset = 1 + self.rng.below_u32(3),
            6 => fee += 1_000_000_000_000,
            7 => fee = 0,
            8 => amount = 0,
            9 => (fee, amount) = (Amount::from_units(1 << 40).0, Amount::from_units(1 << 40).0),
            _ => {}
        }
        let refund = FeeRefund {
            trade,
            account,
            asset: AssetRef::Listed(asset),
            fee: Amount(fee),
            amount: Amount(amount),
            reason: *self.rng.pick(RefundReason::ALL).expect("some"),
            actor: label("who"),
        };
        Command::RefundFee(refund, UNSIGNED)
    }

    fn set_profile(&mut self, oracle: &Oracle) -> Command {
        let mut account = self.account(oracle);
        let unknown = oracle.accounts()[8..].iter().find(|it| it.opening.kyc_tier == 0);
        if let Some(unknown) = unknown.filter(|_| self.rng.coin()) {
            account = unknown.id;
        }
        let change = ProfileChange {
            account,
            kyc_tier: u8::try_from(if self.chance(16) { 0 } else { 1 + self.rng.below(4) })
                .expect("small"),
            jurisdiction: label(if self.rng.coin() { "DE" } else { "FR" }),
            risk_tier: *self.rng.pick(RiskTier::ALL).expect("some"),
            order_tier: *self.rng.pick(OrderTier::ALL).expect("some"),
            api_class: *self.rng.pick(ApiClass::ALL).expect("some"),
            fee_in_token: self.chance(10),
        };
        Command::SetAccountProfile(change, UNSIGNED)
    }

    fn list_asset(&mut self, oracle: &Oracle) -> Command {
        let name = format!("NEW{}", oracle.assets().len());
        let full = oracle.assets().len() > 20;
        let terms = match self.rng.below(5) {
            0 => asset("BTC", 8),
            1 => asset("WIDE", 19),
            2 => asset("", 8),
            3 => AssetTerms { collateral_weight: Rate(100_000_001), ..asset("HEAVY", 8) },
            _ if full => asset("USDT", 6),
            _ => asset(&name, u8::try_from(self.rng.below(19)).expect("small")),
        };
        Command::ListAsset(terms, UNSIGNED)
    }

    fn list_market(&mut self, oracle: &Oracle) -> Command {
        let full = oracle.markets().len() > FLOOD_MARKET as usize + 6;
        let newest = oracle.assets()[oracle.assets().len() - 1].terms.symbol;
        let plain = market(newest.as_str(), "USDT", ("0.01", "0.01"));
        let terms = match self.rng.below(9) {
            0 => market("BTC", "USDT", ("0.5", "0.001")),
            1 => market("NONE", "USDT", ("0.5", "0.001")),
            2 => MarketTerms { kind: MarketKind::Perpetual, ..plain },
            3 => MarketTerms { min_price: Ticks(0), ..plain },
            4 => MarketTerms { tick_size: Amount(1), ..plain },
            5 => MarketTerms { symbol: label("A/USDT"), ..plain },
            6 => MarketTerms { fee_tiers: tiers(&[(1, 0, 0)]), ..plain },
            _ if full => market("BTC", "USDT", ("0.5", "0.001")),
            _ => plain,
        };
        Command::ListMarket(terms, UNSIGNED)
    }
}

/// The sequencer follows its clock again.
pub(super) const fn clock_is_back() -> Command {
    let (from, to) = (ClockStatus::Fallback, ClockStatus::Primary);
    Command::RecordClockStatus { from, to, skew: Amount(0) }
}

/// New accounts until there are so many, and later one for 50,000 commands.
const ACCOUNT_COUNT_WANTED: u64 = 60;
