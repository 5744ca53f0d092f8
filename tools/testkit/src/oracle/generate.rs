//! Random commands that use every type, flag and limit, wrong ones included.
//!
//! Owns the mix: what comes how often, how time passes, which keys are used again. A command is made
//! with the oracle in sight, so that it names orders that are open and prices that cross. Invariant:
//! the commands follow from the seed. Setting up is in `generate/setup.rs`, orders in
//! `generate/orders.rs`, keys in `generate/keys.rs`, the operator in `generate/admin.rs`, floods in
//! `generate/floods.rs`.

mod admin;
mod floods;
mod keys;
mod orders;
mod setup;

use std::collections::{BTreeSet, VecDeque};

use ed25519_dalek::SigningKey;
use schema::{
    AssetRef, CancelAllOrders, CancelOrder, ClockStatus, Command, CountdownCancel, Key, Label,
    LedgerEntry, ReduceOrder, ReplaceOrder, Stamped, SymbolRef, Transfer, limits,
};
use units::{Amount, Id, Timestamp};

use super::Oracle;
use super::state::{Account, Order};
use crate::rng::SplitMix64;

/// Makes commands for ever.
#[derive(Debug)]
pub struct Generator {
    rng: SplitMix64,
    now: i64,
    sequence: u64,
    serial: u64,
    operator: SigningKey,
    /// Commands that come next, each with what time passes before it.
    prepared: VecDeque<(i64, Command)>,
    /// Keyed commands that may come again.
    used: VecDeque<(Key, Command)>,
    /// Prices around which each market trades, by market number less 1.
    middles: Vec<u64>,
    /// Commands at which floods begin.
    floods: VecDeque<u64>,
    flood_count: u64,
    /// Accounts that have got their first money.
    funded: usize,
}

impl Generator {
    /// A generator whose commands follow from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut it = Self {
            rng: SplitMix64::new(seed),
            now: START,
            sequence: 0,
            serial: 0,
            operator: SigningKey::from_bytes(&[7; 32]),
            prepared: VecDeque::new(),
            used: VecDeque::new(),
            middles: Vec::new(),
            floods: VecDeque::from([8_000, 20_000, 32_000, 44_000]),
            flood_count: 0,
            funded: 8,
        };
        it.prepare_setup();
        it
    }

    /// Goes on from another seed and at a time of the caller's: what comes then follows from both, from
    /// the state of the venue and from the keys that were used before.
    pub const fn go_on(&mut self, seed: u64, now: i64) {
        self.rng = SplitMix64::new(seed);
        self.now = now;
    }

    /// Whether commands of the beginning are still to come.
    #[must_use]
    pub fn is_beginning(&self, oracle: &Oracle) -> bool {
        !self.prepared.is_empty() || self.funded < oracle.accounts().len()
    }

    /// The next command, for a venue in this state.
    pub fn next(&mut self, oracle: &Oracle) -> Stamped {
        self.sequence += 1;
        if self.floods.front().is_some_and(|&at| at <= self.sequence) && self.prepared.is_empty() {
            let at = self.floods.pop_front().expect("one is there");
            self.floods.push_back(at + FLOOD_DISTANCE);
            self.prepare_flood(oracle);
        }
        if self.prepared.is_empty() && self.funded < oracle.accounts().len() {
            let account = oracle.accounts()[self.funded].id;
            let poor = self.funded % 6 == 5;
            self.funded += 1;
            self.prepare_funding(account, poor);
        }
        let (step, command, is_prepared) = match self.prepared.pop_front() {
            Some((step, command)) => (step, command, true),
            None => (self.step(), self.command(oracle), false),
        };
        self.now += step;
        let (key, command) = self.keyed(oracle, command, is_prepared);
        let account_version = self.expected_version(oracle, &command, is_prepared);
        let correlation = self.rng.coin().then(|| self.random_id());
        let fallback_clock = self.chance(100);
        let stamp = Timestamp(self.now);
        Stamped {
            sequence: self.sequence,
            stamp,
            fallback_clock,
            correlation,
            key,
            command,
            account_version,
        }
    }

    /// Now and then the version that the account has, or had, or none has.
    fn expected_version(
        &mut self,
        oracle: &Oracle,
        command: &Command,
        is_prepared: bool,
    ) -> Option<u64> {
        if is_prepared || !self.chance(12) {
            return None;
        }
        let account = account_of(command).and_then(|id| oracle.account_number(id));
        let version = account.map_or(1, |number| oracle.accounts()[number as usize].version);
        match self.rng.below(8) {
            0 => Some(version + 1),
            1 => Some(version.saturating_sub(1)),
            2 => Some(self.rng.below(1_000)),
            _ => Some(version),
        }
    }

    /// How time passes: mostly hardly, now and then a day, sometimes to the edge of one.
    fn step(&mut self) -> i64 {
        let up_to =
            |rng: &mut SplitMix64, bound: u64| i64::try_from(rng.below(bound)).expect("fits");
        match self.rng.below(2_000) {
            0..600 => 0,
            600..1_000 => up_to(&mut self.rng, 20),
            1_000..1_500 => up_to(&mut self.rng, 1_000_000),
            1_500..1_850 => up_to(&mut self.rng, 2_000_000_000),
            1_850..1_970 => up_to(&mut self.rng, 60_000_000_000),
            1_970..1_990 => up_to(&mut self.rng, 3_600_000_000_000),
            1_990..1_996 => {
                // To just before, at, or just after the next midnight.
                let midnight = (self.now / limits::DAY + 1) * limits::DAY;
                (midnight - self.now - 2 + up_to(&mut self.rng, 5)).max(0)
            }
            1_996..1_999 => up_to(&mut self.rng, 90_000_000_000_000),
            _ => limits::DAY * (1 + up_to(&mut self.rng, 3)),
        }
    }

    fn command(&mut self, oracle: &Oracle) -> Command {
        let crowded = oracle.orders().len() > ORDER_COUNT_WANTED;
        match self.rng.below(1_000) {
            0..420 if crowded => self.cancel(oracle),
            0..500 => self.place(oracle),
            500..590 => self.cancel(oracle),
            590..650 => self.reduce(oracle),
            650..740 => self.replace(oracle),
            740..745 => self.cancel_all(oracle),
            745..757 => self.countdown(oracle),
            757..775 => self.place(oracle),
            775..830 => self.deposit(oracle),
            830..860 => self.withdraw(oracle),
            860..890 => self.transfer(oracle),
            890..930 => Command::Tick,
            930..940 => self.create_account(oracle),
            940..990 => self.administer(oracle),
            _ => self.record(oracle),
        }
    }

    fn cancel(&mut self, oracle: &Oracle) -> Command {
        let (account, order, state_seq) = self.aim(oracle);
        Command::CancelOrder(CancelOrder { account, order, state_seq })
    }

    /// An account, an order of it, and the state it is in; now and then something of it is wrong.
    fn aim(&mut self, oracle: &Oracle) -> (Id, Id, Option<u64>) {
        let Some(order) = self.open_order(oracle) else {
            return (self.account(oracle), self.random_id(), None);
        };
        let owner = oracle.accounts()[order.account as usize].id;
        let seen = self.chance(4).then_some(order.state_seq);
        match self.rng.below(40) {
            0 => (self.account(oracle), order.id, seen),
            1 => (owner, self.random_id(), seen),
            2 => (owner, order.id, Some(self.rng.below(1_000))),
            3 => (self.random_id(), order.id, seen),
            _ => (owner, order.id, seen),
        }
    }

    fn reduce(&mut self, oracle: &Oracle) -> Command {
        let (account, id, state_seq) = self.aim(oracle);
        let lot = |order: &Order| oracle.markets()[order.market as usize - 1].terms.lot_size.0;
        let order = oracle.orders().get(&id.sequence());
        let quantity = match (order, self.rng.below(12)) {
            (None, _) => 1,
            (Some(_), 0) => 0,
            (Some(order), 1) => -lot(order),
            (Some(order), 2) => lot(order) * i128::from(order.lots) - 1,
            (Some(order), 3) => lot(order) * i128::from(order.lots),
            (Some(order), 4) => lot(order) * i128::from(order.filled),
            (Some(order), 5) => lot(order) * i128::from(order.filled + 1),
            (Some(order), _) => {
                let lots = self.rng.between(order.filled + 1, order.lots);
                lot(order) * i128::from(lots)
            }
        };
        Command::ReduceOrder(ReduceOrder {
            account,
            order: id,
            quantity: Amount(quantity),
            state_seq,
        })
    }

    fn replace(&mut self, oracle: &Oracle) -> Command {
        let (account, order, state_seq) = self.aim(oracle);
        let mut request = self.request(oracle);
        request.account = account;
        if let Some(old) = oracle.orders().get(&order.sequence()).filter(|_| !self.chance(30)) {
            request = self.request_in(oracle, old.market);
            request.account = account;
            if self.chance(6) {
                request.oco_with = self.own_order(oracle, account, old.market);
            }
        }
        Command::ReplaceOrder(ReplaceOrder { order, state_seq, request })
    }

    fn cancel_all(&mut self, oracle: &Oracle) -> Command {
        let account = self.account(oracle);
        let symbol = self.rng.coin().then(|| self.symbol(oracle));
        Command::CancelAllOrders(CancelAllOrders { account, symbol })
    }

    fn countdown(&mut self, oracle: &Oracle) -> Command {
        let account = self.account(oracle);
        let timeout = match self.rng.below(12) {
            0..3 => 0,
            3 => limits::COUNTDOWN_MIN - 1,
            4 => limits::COUNTDOWN_MAX + 1,
            5 => limits::COUNTDOWN_MAX,
            _ => limits::COUNTDOWN_MIN + self.rng.below(20_000_000_000),
        };
        Command::SetCountdownCancel(CountdownCancel { account, timeout })
    }

    fn deposit(&mut self, oracle: &Oracle) -> Command {
        let huge = u32::try_from(oracle.assets().len()).expect("few").min(setup::HUGE);
        if huge == setup::HUGE && self.chance(8) {
            // Until EXTERNAL comes to the end of its range.
            let amount = Amount(Amount::COMMAND_END.0 - Amount::ONE.0);
            let asset = AssetRef::Listed(huge);
            let (account, reference) = (self.account(oracle), self.random_id());
            return Command::Deposit(LedgerEntry { account, asset, amount, reference });
        }
        Command::Deposit(self.entry(oracle, 40_000))
    }

    fn withdraw(&mut self, oracle: &Oracle) -> Command {
        let size = if self.chance(4) { 10_000_000 } else { 300 };
        let mut entry = self.entry(oracle, size);
        if let (true, Some(account), AssetRef::Listed(asset)) =
            (self.chance(4), oracle.account_number(entry.account), entry.asset)
        {
            // All that is free, cut to the decimals of the asset: what is left is dust.
            if let Some(terms) = oracle.assets().get((asset as usize).wrapping_sub(1)) {
                let unit = 10_i128.pow(u32::from(18 - terms.terms.decimals));
                entry.amount = Amount(oracle.balance(account, asset).available / unit * unit);
            }
        }
        Command::Withdraw(entry)
    }

    fn entry(&mut self, oracle: &Oracle, size: u64) -> LedgerEntry {
        let (asset, amount) = self.money(oracle, size);
        LedgerEntry { account: self.account(oracle), asset, amount, reference: self.random_id() }
    }

    /// An asset and an amount of it, up to `size` units.
    fn money(&mut self, oracle: &Oracle, size: u64) -> (AssetRef, Amount) {
        let number = 1 + self.rng.below(oracle.assets().len() as u64);
        let number = u32::try_from(number).expect("few assets");
        let decimals = oracle.assets()[number as usize - 1].terms.decimals;
        let unit = 10_i128.pow(u32::from(18 - decimals));
        let amount = i128::from(self.rng.below(size * 100)) * Amount::ONE.0 / 100 / unit * unit;
        let asset = match self.rng.below(60) {
            0 => AssetRef::Listed(0),
            1 => AssetRef::Listed(99),
            2 => AssetRef::Unknown(label("NONE")),
            3 => AssetRef::Unknown(oracle.assets()[number as usize - 1].terms.symbol),
            _ => AssetRef::Listed(number),
        };
        let amount = match self.rng.below(60) {
            0 => 0,
            1 => -amount - unit,
            2 if unit > 1 => amount + unit / 2,
            3 => Amount::COMMAND_END.0,
            _ => amount + unit,
        };
        (asset, Amount(amount))
    }

    fn transfer(&mut self, oracle: &Oracle) -> Command {
        let (asset, amount) = self.money(oracle, 200);
        let from = self.account(oracle);
        let owner = oracle
            .account_number(from)
            .and_then(|number| oracle.accounts()[number as usize].opening.owner_id);
        let of_owner: Vec<Id> = oracle
            .accounts()
            .iter()
            .filter(|it| it.opening.owner_id == owner && owner.is_some())
            .map(|it| it.id)
            .collect();
        let to = match self.rng.below(10) {
            0 => self.account(oracle),
            1 => from,
            _ => self.rng.pick(&of_owner).copied().unwrap_or(from),
        };
        Command::Transfer(Transfer { from, to, asset, amount })
    }

    /// The sequencer's own commands.
    fn record(&mut self, oracle: &Oracle) -> Command {
        match self.rng.below(5) {
            0 => {
                self.serial += 1;
                let term = if self.rng.coin() { self.serial } else { self.rng.below(5) };
                Command::LeaderChanged { term, leader: label("node-1") }
            }
            1 => Command::RecordSnapshot {
                snapshot_sequence: (oracle.last_event() + 20).saturating_sub(self.rng.below(400)),
                snapshot_timestamp: Timestamp(self.now),
                checksum: [3; 32],
            },
            2 => {
                let to = *self.rng.pick(ClockStatus::ALL).expect("some");
                Command::RecordClockStatus { from: ClockStatus::Primary, to, skew: Amount(7) }
            }
            3 => Command::Genesis(self.genesis()),
            _ => Command::Tick,
        }
    }

    /// A customer, mostly; now and then nobody, or one of the exchange's own accounts.
    fn account(&mut self, oracle: &Oracle) -> Id {
        match self.rng.below(80) {
            0 => self.random_id(),
            1 => oracle.accounts()[usize::try_from(self.rng.below(8)).expect("small")].id,
            _ => {
                let customers = &oracle.accounts()[8..];
                self.rng.pick(customers).map_or_else(Id::default, |account| account.id)
            }
        }
    }

    /// A market, mostly one that there is.
    fn symbol(&mut self, oracle: &Oracle) -> SymbolRef {
        match self.rng.below(80) {
            0 => SymbolRef::Listed(0),
            1 => SymbolRef::Listed(77),
            2 => SymbolRef::Unknown(label("XXX/YYY")),
            draw => {
                let count = oracle.markets().len().clamp(1, HOT_MARKET_COUNT) as u64;
                let cold = self.chance(20) && oracle.markets().len() > HOT_MARKET_COUNT;
                let count = if cold { oracle.markets().len() as u64 } else { count };
                let at = self.rng.below_u32(u32::try_from(count).expect("few"));
                let by_name = oracle.markets().get(at as usize).filter(|_| draw == 3);
                by_name.map_or(SymbolRef::Listed(at + 1), |it| SymbolRef::Unknown(it.terms.symbol))
            }
        }
    }

    fn open_order<'a>(&mut self, oracle: &'a Oracle) -> Option<&'a Order> {
        let owners: Vec<&Account> =
            oracle.accounts().iter().filter(|it| !it.orders.is_empty()).collect();
        let owner = self.rng.pick(&owners)?;
        self.order_of(oracle, &owner.orders)
    }

    fn own_order(&mut self, oracle: &Oracle, account: Id, market: u32) -> Option<Id> {
        let number = oracle.account_number(account)?;
        let orders = &oracle.accounts()[number as usize].orders;
        let few = orders.iter().rev().take(60);
        let in_market = few.filter(|&order| oracle.orders()[order].market == market);
        let orders: BTreeSet<u64> = in_market.copied().collect();
        self.order_of(oracle, &orders).map(|order| order.id)
    }

    fn order_of<'a>(&mut self, oracle: &'a Oracle, of: &BTreeSet<u64>) -> Option<&'a Order> {
        if of.is_empty() {
            return None;
        }
        let place = usize::try_from(self.rng.below(of.len() as u64)).expect("small");
        of.iter().nth(place).map(|number| &oracle.orders()[number])
    }

    /// Once in `often` times.
    fn chance(&mut self, often: u64) -> bool {
        self.rng.below(often) == 0
    }

    fn random_id(&mut self) -> Id {
        let (high, low) = (u128::from(self.rng.next()), u128::from(self.rng.next()));
        Id((high << 64 | low).to_be_bytes())
    }
}

/// The account that a command is about.
fn account_of(command: &Command) -> Option<Id> {
    match command {
        Command::PlaceOrder(request) => Some(request.account),
        Command::CancelOrder(cancel) => Some(cancel.account),
        Command::ReduceOrder(reduce) => Some(reduce.account),
        Command::ReplaceOrder(replace) => Some(replace.request.account),
        Command::CancelAllOrders(cancel) => Some(cancel.account),
        Command::SetCountdownCancel(countdown) => Some(countdown.account),
        Command::Deposit(entry) | Command::Withdraw(entry) => Some(entry.account),
        Command::Transfer(transfer) => Some(transfer.from),
        Command::SetAccountRates(change, _) => Some(change.account),
        _ => None,
    }
}

fn label(text: &str) -> Label {
    Label::new(text).expect("a short text")
}

/// 2026-01-01, not at midnight.
const START: i64 = 1_767_225_600_123_456_789;
/// About so many orders are open.
const ORDER_COUNT_WANTED: usize = 500;
/// Markets that most orders go to.
const HOT_MARKET_COUNT: usize = 7;
/// Commands from one flood to the same one again, four kinds in turn.
const FLOOD_DISTANCE: u64 = 120_000;
