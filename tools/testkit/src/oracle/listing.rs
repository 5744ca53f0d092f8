//! Genesis, assets, markets and their parameters, and the sequencer's own records.
//!
//! Owns what the operator sets up (D-75, EVT-86, EVT-87) and changes of a market (D-95, STATE-15).
//! It deliberately checks of a listing only what docs/spec names a code for and the plain sense of
//! its fields.

use schema::{
    AccountOpening, AccountType, ApiClass, AssetListed, AssetRef, AssetTerms, ClockStatusChanged,
    Code, Command, Event, Genesis, GenesisRecorded, Label, LeaderChanged, MarketChange, MarketKind,
    MarketListed, MarketParametersChanged, MarketStateChanged, MarketTerms, OrderTier, Outcome,
    ParameterChange, Refusal, RiskTier, SnapshotTaken, Stamped, StateHashRecorded, SymbolRef, Why,
    limits,
};
use sha2::{Digest, Sha256};
use units::Amount;

use super::fees::check_table;
use super::state::{Asset, Market};
use super::{DONE, Oracle};

/// SEQ-55: the first command, and only it, is Genesis.
pub(super) fn genesis_first() -> Refusal {
    Refusal::new(Code::InvalidSchema, Why::GenesisFirst)
}

fn invalid_field() -> Refusal {
    Refusal::new(Code::InvalidSchema, Why::FieldInvalid)
}

pub(super) fn label(text: &str) -> Label {
    Label::new(text).expect("a short text")
}

impl Oracle {
    /// Command 1 is Genesis, event 1 GenesisRecorded, then the system accounts of D-41 (D-75).
    /// Another first command makes no event: none may come before GenesisRecorded (SEQ-55).
    pub(super) fn first_command(&mut self, stamped: &Stamped) -> Outcome {
        let Command::Genesis(genesis) = &stamped.command else {
            return Outcome::Refused(genesis_first());
        };
        self.record_genesis(genesis);
        Outcome::Done { created: Some(genesis.venue_id) }
    }

    fn record_genesis(&mut self, genesis: &Genesis) {
        self.genesis = Some(genesis.clone());
        self.fee_tiers.clone_from(&genesis.fee_tiers);
        // FEE-8: tiers are set anew at each 00:00 UTC from here on.
        self.next_midnight = (self.now.div_euclid(limits::DAY) + 1) * limits::DAY;
        let configuration_hash = Sha256::digest(genesis.configuration()).into();
        let event = GenesisRecorded { genesis: genesis.clone(), configuration_hash };
        self.emit(Event::GenesisRecorded(event), &[]);
        for name in SYSTEM_ACCOUNTS {
            self.open_account(&AccountOpening {
                account_type: AccountType::System,
                external_id: label(name),
                owner_id: None,
                jurisdiction: label(""),
                kyc_tier: 0,
                risk_tier: RiskTier::Standard,
                order_tier: OrderTier::Retail,
                api_class: ApiClass::Standard,
                metadata: Vec::new(),
            });
        }
    }

    /// SEQ-54: an epoch is above every one before.
    pub(super) fn change_leader(&mut self, term: u64, leader: Label) -> Result<Outcome, Refusal> {
        if term <= self.term {
            return Err(Refusal::new(Code::InvalidSchema, Why::EpochNotNewer));
        }
        self.term = term;
        self.emit(Event::LeaderChanged(LeaderChanged { term, leader }), &[]);
        Ok(DONE)
    }

    /// EVT-43: each hash on record covers a multiple of 1000 beyond the one before; its value is the
    /// shadow's.
    pub(super) fn record_hash(&mut self, command: &Command) -> Result<Outcome, Refusal> {
        let &Command::RecordStateHash { at_sequence, state_hash } = command else {
            unreachable!("a state hash's command");
        };
        let window = |sequence: u64| sequence / limits::HASH_WINDOW;
        if at_sequence > self.last_sequence || window(at_sequence) <= window(self.last_hash) {
            return Err(Refusal::new(Code::InvalidSchema, Why::HashNotNext));
        }
        self.last_hash = at_sequence;
        self.emit(Event::StateHashRecorded(StateHashRecorded { at_sequence, state_hash }), &[]);
        Ok(DONE)
    }

    /// A snapshot holds events that are there, and more than the one before.
    pub(super) fn record_snapshot(&mut self, command: &Command) -> Result<Outcome, Refusal> {
        let &Command::RecordSnapshot { snapshot_sequence, snapshot_timestamp, checksum } = command
        else {
            unreachable!("a snapshot's command");
        };
        if snapshot_sequence > self.last_sequence || snapshot_sequence <= self.last_snapshot {
            return Err(invalid_field());
        }
        self.last_snapshot = snapshot_sequence;
        let event = SnapshotTaken { snapshot_sequence, snapshot_timestamp, checksum };
        self.emit(Event::SnapshotTaken(event), &[]);
        Ok(DONE)
    }

    /// TIME-40: at every change of the source.
    pub(super) fn record_clock(&mut self, command: &Command) -> Result<Outcome, Refusal> {
        let &Command::RecordClockStatus { from, to, skew } = command else {
            unreachable!("a clock's command");
        };
        if from == to {
            return Err(invalid_field());
        }
        self.emit(Event::ClockStatusChanged(ClockStatusChanged { from, to, skew }), &[]);
        Ok(DONE)
    }

    pub(super) fn list_asset(&mut self, terms: &AssetTerms) -> Result<Outcome, Refusal> {
        let weights = 0..=100_000_000;
        if terms.symbol.is_empty()
            || terms.decimals > limits::ASSET_DECIMALS_MAX
            || !weights.contains(&terms.collateral_weight.0)
        {
            return Err(invalid_field());
        }
        if self.asset_named(&terms.symbol).is_some() {
            return Err(Refusal::new(Code::InvalidSchema, Why::SymbolUsed));
        }
        let number = u32::try_from(self.assets.len() + 1).expect("few assets");
        self.assets.push(Asset { number, terms: terms.clone() });
        self.emit(Event::AssetListed(AssetListed { terms: terms.clone() }), &[]);
        Ok(Outcome::Done { created: Some(self.last_id()) })
    }

    pub(super) fn list_market(&mut self, terms: &MarketTerms) -> Result<Outcome, Refusal> {
        // D-90: only spot markets are open yet.
        if terms.kind != MarketKind::Spot {
            return Err(Refusal::new(Code::InvalidSchema, Why::NotOffered));
        }
        // D-18: the symbol of a spot market is base/quote.
        let symbol = format!("{}/{}", terms.base, terms.quote);
        if symbol != terms.symbol.as_str() || terms.base == terms.quote {
            return Err(invalid_field());
        }
        if self.markets.iter().any(|market| market.terms.symbol == terms.symbol) {
            return Err(Refusal::new(Code::InvalidSchema, Why::SymbolUsed));
        }
        let missing = Refusal::new(Code::AssetNotFound, Why::NoSuchAsset);
        let base = self.asset_named(&terms.base).ok_or(missing)?;
        let quote = self.asset_named(&terms.quote).ok_or(missing)?;
        check_terms(terms)?;
        // ACCT-69: price × quantity is always exact.
        let product = terms.tick_size.0 * terms.lot_size.0;
        if product % Amount::ONE.0 != 0 {
            return Err(Refusal::new(Code::InvalidSchema, Why::TickTimesLot));
        }
        // A lot is a quantity that an account can hold and withdraw.
        let unit = 10_i128.pow(u32::from(18 - self.assets[base as usize - 1].terms.decimals));
        if terms.lot_size.0 % unit != 0 {
            return Err(invalid_field());
        }
        if !terms.fee_tiers.is_empty() {
            check_table(&terms.fee_tiers)?;
        }
        // D-7: fees have 8 decimals, or the asset's own if fewer.
        let decimals = self.assets[quote as usize - 1].terms.decimals.min(limits::FEE_DECIMALS_MAX);
        let number = u32::try_from(self.markets.len() + 1).expect("few markets");
        self.markets.push(Market {
            number,
            terms: terms.clone(),
            base,
            quote,
            step: product / Amount::ONE.0,
            fee_quantum: 10_i128.pow(u32::from(18 - decimals)),
            paused: false,
            last: None,
            buys: Default::default(),
            sells: Default::default(),
            waiting: Default::default(),
            limit_lowered_at: None,
        });
        self.emit(Event::MarketListed(MarketListed { terms: terms.clone() }), &[]);
        let created = Some(self.last_id());
        let (reason, actor) = (label("listed"), label("operator"));
        self.emit(Event::MarketResumed(MarketStateChanged { market: number, reason, actor }), &[]);
        Ok(Outcome::Done { created })
    }

    /// D-95: a paused market takes no order and no replacement.
    pub(super) fn set_paused(
        &mut self,
        change: &MarketChange,
        paused: bool,
    ) -> Result<Outcome, Refusal> {
        let number = self.find_market(change.symbol)?;
        if self.market(number).paused == paused {
            return Err(Refusal::new(Code::InvalidStateTransition, Why::MarketStateUnchanged));
        }
        self.market_mut(number).paused = paused;
        let &MarketChange { reason, actor, .. } = change;
        let event = MarketStateChanged { market: number, reason, actor };
        let event = if paused { Event::MarketPaused(event) } else { Event::MarketResumed(event) };
        self.emit(event, &[]);
        Ok(DONE)
    }

    pub(super) fn set_parameters(
        &mut self,
        stamped: &Stamped,
        change: &ParameterChange,
    ) -> Result<Outcome, Refusal> {
        let number = self.find_market(change.symbol)?;
        let before = self.market(number).terms.clone();
        let terms = change.parameters.applied(before.clone());
        // A change of nothing is no change.
        if change.parameters.is_empty() {
            return Err(invalid_field());
        }
        check_terms(&terms)?;
        if terms == before {
            return Ok(self.complete(stamped));
        }
        self.forget_kept_limits();
        let event = MarketParametersChanged { market: number, parameters: change.parameters };
        self.emit(Event::MarketParametersChanged(event), &[]);
        // STATE-15, D-92: orders beyond a lowered limit are due at the time of the change, or of the one
        // before while that is not worked off.
        let (time, lowered) = (self.last_time, terms.open_orders_max < before.open_orders_max);
        let market = self.market_mut(number);
        market.terms = terms;
        if lowered {
            market.limit_lowered_at.get_or_insert(time);
        }
        Ok(DONE)
    }

    /// SYMBOL_NOT_FOUND: no such market. A name that was none when it was sent may be one by now.
    pub(super) fn find_market(&self, symbol: SymbolRef) -> Result<u32, Refusal> {
        match symbol {
            SymbolRef::Listed(number) if (1..=self.markets.len()).contains(&(number as usize)) => {
                Ok(number)
            }
            SymbolRef::Unknown(name) => {
                let named = self.markets.iter().find(|market| market.terms.symbol == name);
                let missing = Refusal::new(Code::SymbolNotFound, Why::NoSuchSymbol);
                named.map(|market| market.number).ok_or(missing)
            }
            SymbolRef::Listed(_) => Err(Refusal::new(Code::SymbolNotFound, Why::NoSuchSymbol)),
        }
    }

    /// ASSET_NOT_FOUND: no such asset. A name that was none when it was sent may be one by now.
    pub(super) fn find_asset(&self, asset: AssetRef) -> Result<u32, Refusal> {
        match asset {
            AssetRef::Listed(number) if (1..=self.assets.len()).contains(&(number as usize)) => {
                Ok(number)
            }
            AssetRef::Unknown(name) => {
                let missing = Refusal::new(Code::AssetNotFound, Why::NoSuchAsset);
                self.asset_named(&name).ok_or(missing)
            }
            AssetRef::Listed(_) => Err(Refusal::new(Code::AssetNotFound, Why::NoSuchAsset)),
        }
    }

    fn asset_named(&self, symbol: &Label) -> Option<u32> {
        self.assets.iter().find(|asset| asset.terms.symbol == *symbol).map(|asset| asset.number)
    }
}

/// What the fields of a market mean by themselves.
fn check_terms(terms: &MarketTerms) -> Result<(), Refusal> {
    let fits = terms.tick_size.0 > 0
        && terms.lot_size.0 > 0
        && terms.min_price.0 > 0
        && terms.min_price <= terms.max_price
        && terms.min_quantity.0 > 0
        && terms.min_quantity <= terms.max_quantity
        && (1..100_000_000).contains(&terms.protection_bound.0)
        && terms.price_band.is_none_or(|band| (1..100_000_000).contains(&band.0))
        && (1..=limits::OPEN_ORDER_COUNT_MAX).contains(&terms.open_orders_max);
    if fits { Ok(()) } else { Err(invalid_field()) }
}

/// The system accounts that exist before any market, in the order of D-41.
const SYSTEM_ACCOUNTS: [&str; 8] = [
    "REVENUE",
    "INSURANCE_FUND",
    "REFERRAL",
    "OPERATIONS",
    "EXTERNAL",
    "LENDING",
    "TRANSIT",
    "PENDING_WITHDRAWAL",
];
