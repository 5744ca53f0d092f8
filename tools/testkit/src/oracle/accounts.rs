//! Opening, suspending, closing accounts, and what is known of them.
//!
//! Owns ACCT-1 to ACCT-7, D-66, D-90 and D-99.

use schema::{
    AccountCreated, AccountOpening, AccountProfileChanged, AccountStatus, AccountStatusChanged,
    AccountType, BalanceUpdated, Bucket, Code, Event, Outcome, Posting, ProfileChange, Reference,
    Refusal, Stamped, StatusChange, UpdateReason, Why, limits,
};
use units::Amount;

use super::state::{Account, REVENUE};
use super::{DONE, Oracle, party_of};

impl Oracle {
    pub(super) fn create_account(&mut self, opening: &AccountOpening) -> Result<Outcome, Refusal> {
        // D-75: the system accounts come with the genesis alone.
        if opening.account_type == AccountType::System {
            return Err(Refusal::new(Code::InvalidSchema, Why::SystemAccount));
        }
        let sorted = opening.metadata.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let few = opening.metadata.len() <= limits::METADATA_COUNT_MAX;
        if opening.external_id.is_empty() || opening.kyc_tier > 3 || !sorted || !few {
            return Err(Refusal::new(Code::InvalidSchema, Why::FieldInvalid));
        }
        let used = |account: &Account| account.opening.external_id == opening.external_id;
        if self.accounts.iter().any(used) {
            return Err(Refusal::new(Code::AccountExists, Why::ExternalIdUsed));
        }
        self.open_account(opening);
        Ok(Outcome::Done { created: Some(self.last_id()) })
    }

    /// EVT-9: the id of an account is that of its AccountCreated, which is the first event to count
    /// for it.
    pub(super) fn open_account(&mut self, opening: &AccountOpening) {
        self.emit(Event::AccountCreated(AccountCreated { opening: opening.clone() }), &[]);
        let number = u32::try_from(self.accounts.len()).expect("few accounts");
        let id = self.last_id();
        self.account_numbers.insert(id, number);
        self.accounts.push(Account {
            number,
            id,
            opening: opening.clone(),
            fee_in_token: false,
            status: AccountStatus::Active,
            version: 1,
            balances: Default::default(),
            orders: Default::default(),
            open_counts: Default::default(),
            tier: 0,
            own_rates: None,
            waiver: None,
            announced: None,
            announced_at: 0,
            deadline: None,
            volumes: Default::default(),
        });
    }

    /// ACCT-8, SEQ-33, D-105: the version that the command is based on is that of now, due work included.
    pub(super) fn check_version(&self, stamped: &Stamped) -> Result<(), Refusal> {
        let Some(version) = stamped.account_version else { return Ok(()) };
        let Some(id) = party_of(stamped).account else {
            return Err(Refusal::new(Code::InvalidSchema, Why::FieldInvalid));
        };
        match self.account_numbers.get(&id) {
            Some(&number) if self.account(number).version != version => {
                Err(Refusal::new(Code::VersionConflict, Why::AccountVersionDiffers))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn set_status(&mut self, change: &StatusChange) -> Result<Outcome, Refusal> {
        use AccountStatus::{Active, Closed, Suspended};
        let number = self.find_account(change.account)?;
        let account = self.account(number);
        let (from, to) = (account.status, change.to);
        // ACCT-5: these changes and no other; an account of the exchange has none.
        let reachable = matches!(
            (from, to),
            (Active, Suspended) | (Suspended, Active) | (Active | Suspended, Closed)
        );
        if !reachable || account.opening.account_type == AccountType::System {
            return Err(Refusal::new(Code::InvalidStateTransition, Why::StatusNotReachable));
        }
        if to == Closed {
            self.check_empty(number)?;
            self.sweep_dust(number);
        }
        let &StatusChange { reason, actor, .. } = change;
        self.account_mut(number).status = to;
        let event = AccountStatusChanged { account: number, from, to, reason, actor };
        self.emit(Event::AccountStatusChanged(event), &[number]);
        if to == Suspended {
            // ACCT-6, D-66: its open orders are canceled in the same command.
            self.cancel_each(number, None, Code::AdminCancel);
        }
        Ok(DONE)
    }

    /// ACCT-7: nothing is left, but for dust (D-99).
    fn check_empty(&self, number: u32) -> Result<(), Refusal> {
        let account = self.account(number);
        let dust_only = account.balances.iter().all(|(&asset, balance)| {
            balance.locked == 0 && balance.available < self.smallest(asset)
        });
        if account.orders.is_empty() && dust_only {
            return Ok(());
        }
        Err(Refusal::new(Code::AccountNotEmpty, Why::AccountHoldsSomething))
    }

    /// One unit of an asset's last decimal.
    fn smallest(&self, asset: u32) -> i128 {
        10_i128.pow(u32::from(18 - self.assets[asset as usize - 1].terms.decimals))
    }

    /// D-99: each balance goes to REVENUE, referring to the account's id.
    fn sweep_dust(&mut self, number: u32) {
        let account = self.account(number);
        let id = account.id;
        let dust: Vec<(u32, i128)> =
            account.balances.iter().map(|(&asset, balance)| (asset, balance.available)).collect();
        for (asset, amount) in dust.into_iter().filter(|&(_, amount)| amount > 0) {
            let (bucket, delta) = (Bucket::Available, Amount(amount));
            let reference = Reference::Outside(id);
            let mut event = BalanceUpdated::new(UpdateReason::Adjustment, reference);
            event.post(Posting { account: number, asset, bucket, delta: -delta });
            event.post(Posting { account: REVENUE, asset, bucket, delta });
            self.post(event);
        }
    }

    pub(super) fn set_profile(
        &mut self,
        stamped: &Stamped,
        change: &ProfileChange,
    ) -> Result<Outcome, Refusal> {
        let number = self.find_customer(change.account)?;
        if change.kyc_tier > 3 {
            return Err(Refusal::new(Code::InvalidSchema, Why::FieldInvalid));
        }
        // FEE-17, FEE-20: the wish is kept; without an index price of the token nothing follows from it.
        let account = self.account_mut(number);
        let before = (account.opening.clone(), account.fee_in_token);
        account.fee_in_token = change.fee_in_token;
        let opening = &mut account.opening;
        opening.kyc_tier = change.kyc_tier;
        opening.jurisdiction = change.jurisdiction;
        opening.risk_tier = change.risk_tier;
        opening.order_tier = change.order_tier;
        opening.api_class = change.api_class;
        if (&*opening, change.fee_in_token) == (&before.0, before.1) {
            return Ok(self.complete(stamped));
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
        self.emit(Event::AccountProfileChanged(event), &[number]);
        Ok(DONE)
    }
}
