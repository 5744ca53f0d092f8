//! The oracle: a venue of spot markets, written from the specification and not from the kernel.
//!
//! Owns what the kernel must answer to every command: events with their numbers, times and payloads,
//! the outcome, and the state behind them. Slow and obvious: maps and vectors, integers of 10⁻¹⁸, and
//! beside each rule the requirement that it comes from (docs/spec). Invariant: it shares only the
//! vocabulary (`schema`) and the number types (`units`) with what it judges. It deliberately keeps no
//! hash of state, and takes the value of one on record as it comes, and no log. Read `oracle/state.rs`, then `oracle/place.rs` and `oracle/matching.rs`;
//! `oracle/generate.rs` makes the commands.

mod accounts;
mod cancel;
mod check;
pub mod coverage;
mod due;
mod fees;
mod fok;
pub mod generate;
pub mod halt;
mod keys;
mod listing;
mod matching;
mod money;
mod place;
mod rates;
pub mod refund;
mod replace;
pub mod state;
mod trade;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use schema::{
    ClockStatus, Command, CommandCompleted, CommandRejected, Event, EventHead, FeeTier, Genesis,
    Idempotency, Outcome, Party, Refusal, Stamped,
};
use units::{Id, Side, Timestamp};

use due::DueKey;
use halt::Halt;
use refund::{Charged, Refunded};
use state::{Account, Asset, Balance, Kept, Market, Order};

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The events, in order.
    pub events: Vec<(EventHead, Event)>,
    /// The key that the first of them enters into state (EVT-80).
    pub idempotency: Option<Idempotency>,
    /// What the caller is told.
    pub outcome: Outcome,
}

/// A venue that is right because it is obvious.
#[derive(Clone, Debug, Default)]
pub struct Oracle {
    genesis: Option<Genesis>,
    fee_tiers: Vec<FeeTier>,
    announced_tiers: Option<(i64, Vec<FeeTier>)>,
    /// When they were announced.
    tiers_announced_at: i64,
    assets: Vec<Asset>,
    markets: Vec<Market>,
    accounts: Vec<Account>,
    account_numbers: BTreeMap<Id, u32>,
    orders: BTreeMap<u64, Order>,
    refunds: BTreeMap<(u32, u64), Refunded>,
    /// Fees of the last trades.
    charged: VecDeque<Charged>,
    keys: BTreeMap<[u8; 16], Kept>,
    key_ends: BTreeSet<(i64, [u8; 16])>,
    due: BTreeSet<DueKey>,
    next_midnight: i64,
    term: u64,
    /// The halt that lasts, and the clock's source on record.
    halt: Option<Halt>,
    clock: Option<ClockStatus>,
    last_snapshot: u64,
    /// `at_sequence` of the newest hash on record.
    last_hash: u64,
    last_sequence: u64,
    last_time: i64,
    /// The command at work.
    now: i64,
    fill_count: u32,
    out: Vec<(EventHead, Event)>,
    idempotency: Option<Idempotency>,
}

impl Oracle {
    /// A venue before its genesis.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Executes a command: what is due first, then its own work (D-52, D-92).
    pub fn execute(&mut self, stamped: &Stamped) -> Answer {
        self.out.clear();
        self.idempotency = None;
        self.fill_count = 0;
        // D-92: the time of a command is the later of its stamp and the last event's plus 1 ns.
        self.now = stamped.stamp.0.max(self.last_time + 1);
        let outcome = if self.genesis.is_none() {
            self.first_command(stamped)
        } else {
            self.forget_keys();
            self.take_due();
            self.own_work(stamped)
        };
        let events = std::mem::take(&mut self.out);
        Answer { events, idempotency: self.idempotency, outcome }
    }

    fn own_work(&mut self, stamped: &Stamped) -> Outcome {
        // D-87: a repeat with the same body is answered before any other check.
        if let Some(first) = self.repeats(stamped) {
            return Outcome::Repeated { first };
        }
        // LIFE-8: of an order the schema is looked at before the key.
        if let Command::PlaceOrder(request) = &stamped.command {
            return self.place(stamped, request);
        }
        if let Err(refusal) = self.check_key(stamped) {
            return self.refuse(stamped, refusal);
        }
        self.enter_key(stamped);
        if let Err(refusal) = self.check_version(stamped) {
            return self.refuse(stamped, refusal);
        }
        match self.obey(stamped) {
            Ok(outcome) => outcome,
            Err(refusal) => self.refuse(stamped, refusal),
        }
    }

    fn obey(&mut self, stamped: &Stamped) -> Result<Outcome, Refusal> {
        match &stamped.command {
            Command::Genesis(_) => Err(listing::genesis_first()),
            Command::Tick => Ok(DONE),
            Command::LeaderChanged { term, leader } => self.change_leader(*term, *leader),
            Command::RecordStateHash { .. } => self.record_hash(&stamped.command),
            Command::RecordSnapshot { .. } => self.record_snapshot(&stamped.command),
            Command::RecordClockStatus { .. } => self.record_clock(&stamped.command),
            Command::HaltTrading(halt, _) => self.halt_trading(stamped, halt),
            Command::CreateAccount(opening) => self.create_account(opening),
            Command::Deposit(entry) => self.deposit(entry),
            Command::Withdraw(entry) => self.withdraw(entry),
            Command::Transfer(transfer) => self.transfer(transfer),
            Command::PlaceOrder(_) => unreachable!("an order has its own way"),
            Command::CancelOrder(cancel) => self.cancel(cancel),
            Command::ReduceOrder(reduce) => self.reduce(reduce),
            Command::ReplaceOrder(replace) => self.replace(replace),
            Command::CancelAllOrders(cancel) => self.cancel_all(stamped, cancel),
            Command::SetCountdownCancel(countdown) => self.set_countdown(stamped, countdown),
            _ => self.administer(stamped),
        }
    }

    /// The operator's commands: the signature first (D-86).
    fn administer(&mut self, stamped: &Stamped) -> Result<Outcome, Refusal> {
        self.check_operator(stamped)?;
        match &stamped.command {
            Command::Quarantine(..) => Ok(DONE),
            Command::ResumeTrading(actor, _) => self.resume_trading(*actor),
            Command::ConfirmClock(..) => self.confirm_clock(stamped),
            Command::ListAsset(terms, _) => self.list_asset(terms),
            Command::ListMarket(terms, _) => self.list_market(terms),
            Command::SetAccountStatus(change, _) => self.set_status(change),
            Command::PauseMarket(change, _) => self.set_paused(change, true),
            Command::ResumeMarket(change, _) => self.set_paused(change, false),
            Command::SetMarketParameters(change, _) => self.set_parameters(stamped, change),
            Command::SetFeeSchedule(schedule, _) => self.set_schedule(schedule),
            Command::SetAccountRates(change, _) => self.set_rates(change),
            Command::RefundFee(refund, _) => self.refund(refund),
            Command::SetAccountProfile(change, _) => self.set_profile(stamped, change),
            _ => unreachable!("every other command has its way above"),
        }
    }

    /// A refusal that makes no order (EVT-11).
    fn refuse(&mut self, stamped: &Stamped, refusal: Refusal) -> Outcome {
        let party = party_of(stamped);
        let Refusal { code, detail } = refusal;
        let command = stamped.command.kind();
        let counted = self.counted(&party);
        self.emit(
            Event::CommandRejected(CommandRejected { command, party, code, detail }),
            &counted,
        );
        Outcome::Refused(refusal)
    }

    /// Success without a change: a keyed command says so (D-74, EVT-11).
    fn complete(&mut self, stamped: &Stamped) -> Outcome {
        if stamped.key.is_none() {
            return DONE;
        }
        let party = party_of(stamped);
        let counted = self.counted(&party);
        let command = stamped.command.kind();
        self.emit(Event::CommandCompleted(CommandCompleted { command, party }), &counted);
        DONE
    }

    fn counted(&self, party: &Party) -> Vec<u32> {
        party.account.and_then(|id| self.account_numbers.get(&id)).copied().into_iter().collect()
    }

    /// Gives an event its number and its time (EVT-3, D-9); it counts for `accounts` (SEQ-27).
    fn emit(&mut self, event: Event, accounts: &[u32]) -> u64 {
        self.last_sequence += 1;
        self.last_time = self.now.max(self.last_time + 1);
        let head = EventHead { sequence: self.last_sequence, timestamp: Timestamp(self.last_time) };
        self.out.push((head, event));
        for &account in accounts {
            self.account_mut(account).version += 1;
        }
        self.last_sequence
    }

    /// The id of the event that was emitted last (D-11, D-51).
    fn last_id(&self) -> Id {
        let shard = self.genesis.as_ref().map_or(0, |genesis| genesis.shard);
        Id::derive(Timestamp(self.last_time), shard, self.last_sequence).expect("an id")
    }

    /// Number of the last event.
    #[must_use]
    pub const fn last_event(&self) -> u64 {
        self.last_sequence
    }

    /// The accounts, by number.
    #[must_use]
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// The number of the account with this id.
    #[must_use]
    pub fn account_number(&self, id: Id) -> Option<u32> {
        self.account_numbers.get(&id).copied()
    }

    /// What an account has of an asset.
    #[must_use]
    pub fn balance(&self, account: u32, asset: u32) -> Balance {
        self.account(account).balances.get(&asset).copied().unwrap_or_default()
    }

    /// The open orders, by number.
    #[must_use]
    pub const fn orders(&self) -> &BTreeMap<u64, Order> {
        &self.orders
    }

    /// The assets; number 1 is the first.
    #[must_use]
    pub fn assets(&self) -> &[Asset] {
        &self.assets
    }

    /// The markets; number 1 is the first.
    #[must_use]
    pub fn markets(&self) -> &[Market] {
        &self.markets
    }

    /// The levels of a book, best first, each with its orders, first in time first.
    #[must_use]
    pub fn book(&self, market: u32, side: Side) -> Vec<(u64, &[u64])> {
        let market = self.market(market);
        let levels = market.levels(side);
        market.prices(side).into_iter().map(|ticks| (ticks, levels[&ticks].as_slice())).collect()
    }

    /// The keys that are kept and had not ended at the last command, by hash.
    #[must_use]
    pub const fn keys(&self) -> &BTreeMap<[u8; 16], Kept> {
        &self.keys
    }

    fn account(&self, number: u32) -> &Account {
        &self.accounts[number as usize]
    }

    fn account_mut(&mut self, number: u32) -> &mut Account {
        &mut self.accounts[number as usize]
    }

    fn market(&self, number: u32) -> &Market {
        &self.markets[number as usize - 1]
    }

    fn market_mut(&mut self, number: u32) -> &mut Market {
        &mut self.markets[number as usize - 1]
    }

    fn order_mut(&mut self, number: u64) -> &mut Order {
        self.orders.get_mut(&number).expect("an open order")
    }
}

/// Done, and nothing was created.
const DONE: Outcome = Outcome::Done { created: None };

/// Whom a command is about (08, CommandRejected).
fn party_of(stamped: &Stamped) -> Party {
    let text = stamped.key.and_then(|key| key.text);
    let (account, target, own_text) = match &stamped.command {
        Command::PlaceOrder(request) => (Some(request.account), None, request.client_order_id),
        Command::CancelOrder(cancel) => (Some(cancel.account), Some(cancel.order), None),
        Command::ReduceOrder(reduce) => (Some(reduce.account), Some(reduce.order), None),
        Command::ReplaceOrder(replace) => {
            let request = &replace.request;
            (Some(request.account), Some(replace.order), request.client_order_id)
        }
        Command::CancelAllOrders(cancel) => (Some(cancel.account), None, None),
        Command::SetCountdownCancel(countdown) => (Some(countdown.account), None, None),
        Command::Deposit(entry) | Command::Withdraw(entry) => {
            (Some(entry.account), Some(entry.reference), None)
        }
        Command::Transfer(transfer) => (Some(transfer.from), Some(transfer.to), None),
        Command::RefundFee(refund, _) => (Some(refund.account), Some(refund.trade), None),
        Command::SetAccountStatus(change, _) => (Some(change.account), None, None),
        Command::SetAccountRates(change, _) => (Some(change.account), None, None),
        Command::SetAccountProfile(change, _) => (Some(change.account), None, None),
        _ => (None, None, None),
    };
    Party { account, target, idempotency_key: own_text.or(text) }
}
