//! Accounts, assets and markets: opening, status, listing (D-75, ACCT-5 to ACCT-7, ACCT-69).
//!
//! Until governance is activated an administrative command carries the operator's signature over the
//! venue, its key, its end and its body. The key makes it run once while it is kept, the end makes it
//! useless afterwards, so a signature can never run twice.

use alloc::vec::Vec;

use ed25519_dalek::{Signature, VerifyingKey};
use fees::check_tiers;
use schema::limits::{
    ACCOUNT_COUNT_MAX, ACCOUNT_ORDER_COUNT_MAX, ASSET_COUNT_MAX, ASSET_DECIMALS_MAX,
    CLIENT_KEY_LIFE, FEE_TIER_COUNT_MAX, MARKET_COUNT_MAX, METADATA_COUNT_MAX, NETWORK_COUNT_MAX,
    OPEN_ORDER_COUNT_MAX, SYMBOL_SIZE_MAX,
};
use schema::{
    AccountCreated, AccountOpening, AccountStatus, AccountStatusChanged, AccountType, AssetListed,
    AssetTerms, Code, Command, EventBuffer, EventKind, KeyOrigin, Label, MarketKind, MarketListed,
    MarketStateChanged, MarketTerms, Operator, Outcome, Refusal, Stamped, StatusChange, Why,
    signed_bytes,
};
use units::{Amount, Lots, Rate, Ticks, Timestamp};

use crate::market::tick_times_lot;
use crate::{Kernel, Watch};

/// Highest KYC tier (D-37).
pub(crate) const KYC_TIER_MAX: u8 = 3;

const fn schema_fault(why: Why) -> Refusal {
    Refusal::new(Code::InvalidSchema, why)
}

impl<W: Watch> Kernel<W> {
    /// The operator's signature over this very command, not past its end (FEE-37, D-75).
    pub(crate) fn check_operator(
        &self,
        stamped: &Stamped,
        operator: &Operator,
    ) -> Result<(), Refusal> {
        check_lists(&stamped.command)?;
        self.check_signature(stamped, operator, self.command_time)
    }

    /// As `check_operator`, of a command that may be another than the present one.
    pub(crate) fn check_signature(
        &self,
        stamped: &Stamped,
        operator: &Operator,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let missing = Refusal::new(Code::ApprovalMissing, Why::SignatureMissing);
        let key = stamped.key.filter(|key| key.origin == KeyOrigin::Client).ok_or(missing)?;
        let genesis = self.genesis().ok_or(missing)?;
        if operator.valid_until < now {
            return Err(Refusal::new(Code::InvalidExpiry, Why::KeyTooLate));
        }
        if operator.valid_until.0 - stamped.stamp.0 >= CLIENT_KEY_LIFE {
            return Err(Refusal::new(Code::InvalidExpiry, Why::EndTooFar));
        }
        let verifying = VerifyingKey::from_bytes(&genesis.operator_key).map_err(|_| missing)?;
        let bytes = signed_bytes(genesis.venue_id, &key, operator.valid_until, &stamped.command);
        let signature = Signature::from_bytes(&operator.signature);
        verifying.verify_strict(&bytes, &signature).map_err(|_| missing)
    }

    pub(crate) fn create_account(
        &mut self,
        opening: &AccountOpening,
        out: &mut EventBuffer,
    ) -> Result<Outcome, Refusal> {
        if opening.account_type == AccountType::System {
            return Err(schema_fault(Why::SystemAccount));
        }
        let sorted = opening.metadata.windows(2).all(|pair| pair[0].0 < pair[1].0)
            && opening.metadata.len() <= METADATA_COUNT_MAX;
        if opening.external_id.is_empty() || opening.kyc_tier > KYC_TIER_MAX || !sorted {
            return Err(schema_fault(Why::FieldInvalid));
        }
        if self.ledger.number_of_external_id(&opening.external_id).is_some() {
            return Err(Refusal::new(Code::AccountExists, Why::ExternalIdUsed));
        }
        if self.ledger.account_count() >= ACCOUNT_COUNT_MAX {
            return Err(Refusal::new(Code::RiskLimitBreach, Why::TooMany));
        }
        let event = AccountCreated { opening: opening.clone() };
        let at = self.emit(out, EventKind::AccountCreated, &event);
        let id = self.apply_account_created(at, &event);
        Ok(Outcome::Done { created: Some(id) })
    }

    pub(crate) fn set_account_status(
        &mut self,
        change: &StatusChange,
        out: &mut EventBuffer,
    ) -> Result<Outcome, Refusal> {
        let (account, from) = self.check_status(change)?;
        if change.to == AccountStatus::Closed {
            self.sweep_dust(account, out);
        }
        let event = AccountStatusChanged {
            account,
            from,
            to: change.to,
            reason: change.reason,
            actor: change.actor,
        };
        let at = self.emit(out, EventKind::AccountStatusChanged, &event);
        self.apply_status(at, &event);
        // A resting order never belongs to an account that may not trade (SETL-11).
        if change.to == AccountStatus::Suspended {
            self.cancel_orders_of(account, None, Code::AdminCancel, out);
        }
        Ok(Outcome::Done { created: None })
    }

    /// ACTIVE and SUSPENDED turn into each other, both may end; an account with anything in it may
    /// not (ACCT-5, ACCT-7).
    fn check_status(&self, change: &StatusChange) -> Result<(u32, AccountStatus), Refusal> {
        use AccountStatus::{Active, Closed, Suspended};
        let missing = Refusal::new(Code::AccountNotFound, Why::NoSuchAccount);
        let number = self.ledger.number(change.account).ok_or(missing)?;
        let account = self.ledger.account(number).ok_or(missing)?;
        let step = (account.status, change.to);
        let reachable = matches!(step, (Active, Suspended | Closed) | (Suspended, Active | Closed));
        if !reachable || account.account_type == AccountType::System {
            return Err(Refusal::new(Code::InvalidStateTransition, Why::StatusNotReachable));
        }
        let is_dust = |asset| self.ledger.balance(number, asset).total() < self.last_decimal(asset);
        let empty = !self.orders.any_of(number) && self.ledger.assets_of(number).all(is_dust);
        if change.to == Closed && !empty {
            return Err(Refusal::new(Code::AccountNotEmpty, Why::AccountHoldsSomething));
        }
        Ok((number, account.status))
    }

    pub(crate) fn list_asset(
        &mut self,
        terms: &AssetTerms,
        out: &mut EventBuffer,
    ) -> Result<Outcome, Refusal> {
        self.check_asset(terms)?;
        let event = AssetListed { terms: terms.clone() };
        let at = self.emit(out, EventKind::AssetListed, &event);
        self.apply_asset_listed(at, &event);
        Ok(Outcome::Done { created: Some(self.id_of(at.sequence, at.timestamp)) })
    }

    fn check_asset(&self, terms: &AssetTerms) -> Result<(), Refusal> {
        let symbol = terms.symbol.as_str();
        let plain = symbol.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        let weight = (Rate(0)..=Rate(Rate::ONE)).contains(&terms.collateral_weight);
        let amounts = terms.networks.iter().all(|network| {
            let range = Amount::ZERO..Amount::COMMAND_END;
            range.contains(&network.min_withdrawal) && range.contains(&network.withdrawal_fee)
        });
        if symbol.is_empty() || symbol.len() > 16 || !plain || !weight || !amounts {
            return Err(schema_fault(Why::FieldInvalid));
        }
        if terms.decimals > ASSET_DECIMALS_MAX {
            return Err(schema_fault(Why::FieldInvalid));
        }
        if self.assets.number(&terms.symbol).is_some() {
            return Err(schema_fault(Why::SymbolUsed));
        }
        if self.assets.count() >= ASSET_COUNT_MAX {
            return Err(Refusal::new(Code::RiskLimitBreach, Why::TooMany));
        }
        Ok(())
    }

    pub(crate) fn list_market(
        &mut self,
        terms: &MarketTerms,
        out: &mut EventBuffer,
    ) -> Result<Outcome, Refusal> {
        self.check_market_terms(terms)?;
        let event = MarketListed { terms: terms.clone() };
        let at = self.emit(out, EventKind::MarketListed, &event);
        self.apply_market_listed(at, &event);
        let created = Outcome::Done { created: Some(self.id_of(at.sequence, at.timestamp)) };
        if self.halt.is_some() {
            // It opens with the others.
            return Ok(created);
        }
        let number = self.markets.count();
        let label = |text| Label::new(text).expect("a short constant");
        let opened = MarketStateChanged {
            market: number,
            reason: label("listed"),
            actor: label("operator"),
        };
        let opened_at = self.emit(out, EventKind::MarketResumed, &opened);
        self.apply_market_state(opened_at, number, true);
        Ok(created)
    }

    fn check_market_terms(&self, terms: &MarketTerms) -> Result<(), Refusal> {
        if terms.kind != MarketKind::Spot {
            return Err(schema_fault(Why::NotOffered));
        }
        let missing = Refusal::new(Code::AssetNotFound, Why::NoSuchAsset);
        let base = self.assets.number(&terms.base).ok_or(missing)?;
        let quote = self.assets.number(&terms.quote).ok_or(missing)?;
        if base == quote || !is_spot_symbol(terms) {
            return Err(schema_fault(Why::FieldInvalid));
        }
        if self.markets.number(&terms.symbol).is_some() {
            return Err(schema_fault(Why::SymbolUsed));
        }
        let base_decimals = self.assets.terms(base).map_or(0, |terms| terms.decimals);
        check_steps(terms, base_decimals)?;
        if !terms.fee_tiers.is_empty() {
            check_tiers(&terms.fee_tiers).map_err(|why| Refusal::new(Code::InvalidRate, why))?;
        }
        let orders = |terms: &MarketTerms| u64::from(terms.open_orders_max);
        let listed: u64 = self.markets.iter().map(|market| orders(&market.terms)).sum();
        let bounded = listed + orders(terms) <= ACCOUNT_ORDER_COUNT_MAX;
        if self.markets.count() >= MARKET_COUNT_MAX || !bounded {
            return Err(Refusal::new(Code::RiskLimitBreach, Why::TooMany));
        }
        Ok(())
    }
}

/// Lists that no stored form holds: what has one can be neither signed nor written to a log.
fn check_lists(command: &Command) -> Result<(), Refusal> {
    let bounded = match command {
        Command::ListAsset(terms, _) => terms.networks.len() <= NETWORK_COUNT_MAX,
        Command::ListMarket(terms, _) => terms.fee_tiers.len() <= FEE_TIER_COUNT_MAX,
        Command::SetFeeSchedule(schedule, _) => schedule.tiers.len() <= FEE_TIER_COUNT_MAX,
        _ => true,
    };
    if bounded { Ok(()) } else { Err(schema_fault(Why::FieldInvalid)) }
}

/// `BASE/QUOTE` (D-18).
fn is_spot_symbol(terms: &MarketTerms) -> bool {
    let parts: Vec<&str> = terms.symbol.as_str().split('/').collect();
    parts == [terms.base.as_str(), terms.quote.as_str()]
        && terms.symbol.as_str().len() <= SYMBOL_SIZE_MAX
}

/// Steps, bounds and their order.
pub(crate) fn check_steps(terms: &MarketTerms, base_decimals: u8) -> Result<(), Refusal> {
    let range = Amount(1)..Amount::COMMAND_END;
    if !range.contains(&terms.tick_size) || !range.contains(&terms.lot_size) {
        return Err(schema_fault(Why::FieldInvalid));
    }
    if tick_times_lot(terms.tick_size, terms.lot_size).is_none_or(|unit| unit <= Amount::ZERO) {
        return Err(schema_fault(Why::TickTimesLot));
    }
    let bounds = terms.min_price >= Ticks(1)
        && terms.min_price <= terms.max_price
        && terms.min_quantity >= Lots(1)
        && terms.min_quantity <= terms.max_quantity;
    let ratios = Rate(0)..=Rate(Rate::ONE);
    let protected = ratios.contains(&terms.protection_bound)
        && terms.price_band.is_none_or(|band| ratios.contains(&band));
    let orders = (1..=OPEN_ORDER_COUNT_MAX).contains(&terms.open_orders_max);
    // A price or quantity in bounds can always be written as a decimal (D-70).
    let writable = |step: Amount, count: u64| {
        i128::from(count).checked_mul(step.0).is_some_and(|sum| sum < Amount::COMMAND_END.0)
    };
    let bounds = bounds
        && writable(terms.tick_size, terms.max_price.0)
        && writable(terms.lot_size, terms.max_quantity.0);
    if bounds && protected && orders && terms.lot_size.fits_decimals(base_decimals) {
        Ok(())
    } else {
        Err(schema_fault(Why::FieldInvalid))
    }
}
