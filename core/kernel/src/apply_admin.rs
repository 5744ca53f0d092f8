//! What each event of the registry, of accounts and of the log itself does to state.

use alloc::boxed::Box;

use ledger::Account;
use schema::{
    AccountCreated, AccountProfileChanged, AccountStatusChanged, AccountTransferred, AssetListed,
    ClockStatusChanged, CountdownCancelChanged, EventHead, GenesisRecorded, LeaderChanged,
    MarketListed, MarketParametersChanged, SnapshotTaken, StateHashRecorded,
};
use units::Id;

use crate::due::DueKind;
use crate::market::{Market, Pair};
use crate::rates::AccountFees;
use crate::{Entity, Kernel, Watch};

impl<W: Watch> Kernel<W> {
    pub(crate) fn apply_genesis(&mut self, at: EventHead, event: &GenesisRecorded) {
        assert!(self.recorded.genesis.is_none(), "the genesis occurs once (SEQ-55)");
        let genesis = Box::new(event.genesis.clone());
        self.schedule.tiers.clone_from(&genesis.fee_tiers);
        self.schedule.since = at.timestamp;
        self.due.end_tiers_until(at.timestamp);
        self.recorded.genesis = Some((genesis, event.configuration_hash));
    }

    pub(crate) fn apply_leader(&mut self, _at: EventHead, event: &LeaderChanged) {
        self.position.epoch = event.term;
        self.recorded.leader = Some(event.leader);
    }

    pub(crate) fn apply_state_hash(&mut self, _at: EventHead, event: &StateHashRecorded) {
        self.recorded.state_hash = Some((event.at_sequence, event.state_hash));
    }

    pub(crate) fn apply_snapshot(&mut self, _at: EventHead, event: &SnapshotTaken) {
        self.recorded.snapshot =
            Some((event.snapshot_sequence, event.snapshot_timestamp, event.checksum));
    }

    pub(crate) fn apply_clock(&mut self, _at: EventHead, event: &ClockStatusChanged) {
        self.recorded.clock = Some(event.to);
    }

    pub(crate) fn apply_asset_listed(&mut self, _at: EventHead, event: &AssetListed) {
        let number = self.assets.list(event.terms.clone());
        self.watch.touched(Entity::Asset(number));
    }

    pub(crate) fn apply_market_listed(&mut self, _at: EventHead, event: &MarketListed) {
        let pair = self.pair_of(event).expect("both assets are listed (D-75)");
        let number = self.markets.count() + 1;
        let market = Market::new(number, event.terms.clone(), pair);
        self.markets.list(market);
        self.count_market(number);
    }

    /// The assets that a market names, if both are listed.
    pub(crate) fn pair_of(&self, event: &MarketListed) -> Option<Pair> {
        let base = self.assets.number(&event.terms.base)?;
        let quote = self.assets.number(&event.terms.quote)?;
        let quote_decimals = self.assets.terms(quote)?.decimals;
        Some(Pair { base, quote, quote_decimals })
    }

    pub(crate) fn apply_market_state(&mut self, _at: EventHead, number: u32, open: bool) {
        self.markets.at_mut(number).open = open;
        self.park_triggered(number, open);
        self.count_market(number);
    }

    pub(crate) fn apply_parameters(&mut self, at: EventHead, event: &MarketParametersChanged) {
        // What is left of an earlier lowering keeps its place.
        let is_lowered = event.parameters.open_orders_max.is_some();
        let is_pending = is_lowered && self.any_beyond_limit(event.market);
        let market = self.markets.at_mut(event.market);
        market.terms = event.parameters.applied(market.terms.clone());
        if is_lowered && !is_pending {
            market.limited_at = at.timestamp;
        }
        self.count_market(event.market);
        if is_lowered {
            self.due.remove_limits(event.market);
            self.enter_limits(event.market);
        }
    }

    /// Market state counts for the symbol (SEQ-27).
    fn count_market(&mut self, number: u32) {
        self.markets.at_mut(number).sequence += 1;
        self.watch.touched(Entity::Market(number));
    }

    pub(crate) fn apply_account_created(&mut self, at: EventHead, event: &AccountCreated) -> Id {
        let id = self.id_of(at.sequence, at.timestamp);
        let account = Account::new(id, &event.opening, at.timestamp);
        let number = self.ledger.open(account);
        self.orders.open_account();
        self.fees.push(AccountFees::default());
        self.count_account(at, number);
        id
    }

    pub(crate) fn apply_profile(&mut self, at: EventHead, event: &AccountProfileChanged) {
        let account = self.ledger.account_mut(event.account).expect("the account was checked");
        account.set_profile(|opening| {
            opening.kyc_tier = event.kyc_tier;
            opening.jurisdiction = event.jurisdiction;
            opening.risk_tier = event.risk_tier;
            opening.order_tier = event.order_tier;
            opening.api_class = event.api_class;
        });
        account.fee_in_token = event.fee_in_token;
        self.count_account(at, event.account);
    }

    pub(crate) fn apply_transferred(&mut self, at: EventHead, event: &AccountTransferred) {
        self.count_account(at, event.from);
        self.count_account(at, event.to);
    }

    pub(crate) fn apply_countdown(&mut self, at: EventHead, event: &CountdownCancelChanged) {
        let account = u64::from(event.account);
        let before = match event.deadline {
            Some(deadline) => self.countdowns.insert(event.account, deadline),
            None => self.countdowns.remove(&event.account),
        };
        if let Some(before) = before {
            self.due.remove(&(before, DueKind::Countdown, account));
        }
        if let Some(deadline) = event.deadline {
            self.due.add((deadline, DueKind::Countdown, account));
        }
        self.watch.touched(Entity::Fees(event.account));
        self.count_account(at, event.account);
    }

    pub(crate) fn apply_status(&mut self, at: EventHead, event: &AccountStatusChanged) {
        let account = self.ledger.account_mut(event.account).expect("the account was checked");
        assert_eq!(account.status, event.from, "a status changes from what it is (ACCT-5)");
        account.status = event.to;
        self.count_account(at, event.account);
    }
}
