//! Running a scene: on the live kernel, on one fed by the events alone, and on two that are saved and
//! loaded before every command, one executing and one applying. All four must show the same.

use std::collections::BTreeMap;

use kernel::{Entity, Kernel};
use schema::{
    AssetRef, Command as Order, Event, EventBuffer, GroupIter, OrderTerms, Outcome, SymbolRef,
};
use units::{Amount, Id, Lots, Ticks, Timestamp};

use super::acts::{AccountAct, Act, VersionWords};
use super::commands::{deposit, key_of};
use super::lines::{Line, plain, shown};
use super::parse::{Command, Fault, Row, Scene, What};
use super::setup::{BEGIN, SetUp};
use super::tables::{compare, side_by_side};
use super::watch::check_told;
use crate::common::{Venue, asset, btc_usdt, genesis, label, opening};

/// What a scene runs on, and the names it uses.
pub(crate) struct Stage {
    pub(crate) venue: Venue,
    /// Executes; saved and loaded before every command.
    restored: Kernel,
    /// Applies; saved and loaded before every command.
    reapplied: Kernel,
    accounts: Vec<(String, Id)>,
    orders: Vec<Named>,
    /// The last trade of an order, by the order's sequence.
    trades: BTreeMap<u64, Id>,
    /// Places in `orders`, by sequence.
    places: BTreeMap<u64, usize>,
    /// What came of the last command.
    pub(crate) outcome: Option<Outcome>,
    before: Vec<u8>,
}

/// An order that the scene has a name for.
struct Named {
    name: String,
    id: Id,
    market: u32,
    /// Its `state_seq` at the end of the command that placed it.
    first_seq: u64,
}

/// Runs a scene; what differs is told as text.
pub(crate) fn run(scene: &Scene) -> Result<(), String> {
    let mut stage = Stage::new(&scene.set_up);
    for step in &scene.steps {
        let result = match &step.what {
            What::At(time) => {
                stage.venue.now = Timestamp(BEGIN.0 + time);
                Ok(())
            }
            What::Command(command) => match stage.run_command(step.line, command) {
                Ok(()) => compare_events(&stage, command),
                Err(fault) => Err(fault.text),
            },
            What::Unchanged if stage.before == figures(&stage.venue.live) => Ok(()),
            What::Unchanged => Err("the command changed the state".to_owned()),
            What::Shows(table, rows) => compare(&stage, table, &plain_rows(rows)),
        };
        result.map_err(|text| format!("line {}: {text}", step.line))?;
    }
    Ok(())
}

fn plain_rows(rows: &[Row]) -> Vec<String> {
    rows.iter().map(|row| plain(&row.text)).collect()
}

/// The events of the last command are those that the scene lists, in the form in which it does.
fn compare_events(stage: &Stage, command: &Command) -> Result<(), String> {
    let expected = plain_rows(&command.events);
    let lines = shown(stage);
    let kept = lines.iter().filter(|line| line.main || command.in_full);
    let form = |(index, line): (usize, &Line)| {
        let with_figures = expected.get(index).is_some_and(|row| row.contains(','));
        plain(if with_figures || command.in_full { &line.long } else { &line.short })
    };
    let found: Vec<String> = kept.enumerate().map(form).collect();
    if expected == found {
        return Ok(());
    }
    Err(format!("events\n{}", side_by_side(&expected, &found)))
}

/// All balances, orders and markets as bytes.
fn figures(kernel: &Kernel) -> Vec<u8> {
    let mut out = Vec::new();
    let counts = |entity: &Entity| {
        matches!(entity, Entity::Balance { .. } | Entity::Order(_) | Entity::Market(_))
    };
    for entity in kernel.entities().filter(counts) {
        assert!(kernel.encode_entity(entity, &mut out), "a listed entity is there");
    }
    out
}

/// A kernel through its bytes.
pub(crate) fn reloaded(kernel: &Kernel) -> Kernel {
    Kernel::load(&saved(kernel)).expect("what was saved can be loaded")
}

fn saved(kernel: &Kernel) -> Vec<u8> {
    let mut bytes = Vec::new();
    kernel.save(&mut bytes);
    bytes
}

impl Stage {
    fn new(set_up: &SetUp) -> Self {
        let mut venue = Venue::empty();
        venue.now = Timestamp(BEGIN.0 - 3_600_000_000_000);
        let mut configuration = genesis(&venue.operator, set_up.fee_tiers());
        configuration.key_count_max = set_up.key_count_max.unwrap_or(configuration.key_count_max);
        venue.run(Order::Genesis(configuration));
        for (symbol, decimals) in set_up.assets() {
            venue.list(|operator| Order::ListAsset(asset(&symbol, decimals), operator));
        }
        let markets =
            if set_up.markets.is_empty() { vec![btc_usdt()] } else { set_up.markets.clone() };
        for terms in markets {
            let reply = venue.list(|operator| Order::ListMarket(terms.clone(), operator));
            assert!(matches!(reply.outcome, Outcome::Done { .. }), "not listed: {reply:?}");
        }
        let mut accounts = Vec::new();
        for account in &set_up.accounts {
            let mut terms = opening(&account.name);
            terms.account_type = account.account_type;
            terms.kyc_tier = account.kyc_tier;
            terms.owner_id = account.owner.as_deref().map(id_of_text);
            let id = Venue::created(venue.run(Order::CreateAccount(terms)));
            for (amount, symbol) in &account.has {
                let number = venue.live.asset_number(&label(symbol)).expect("a listed asset");
                let reply =
                    venue.run(Order::Deposit(deposit(id, AssetRef::Listed(number), *amount)));
                assert!(matches!(reply.outcome, Outcome::Done { .. }), "not deposited: {reply:?}");
            }
            accounts.push((account.name.clone(), id));
        }
        venue.now = BEGIN;
        let (restored, reapplied) = (reloaded(&venue.live), reloaded(&venue.replayed));
        Self {
            venue,
            restored,
            reapplied,
            accounts,
            orders: Vec::new(),
            trades: BTreeMap::new(),
            places: BTreeMap::new(),
            outcome: None,
            before: Vec::new(),
        }
    }

    /// The kernels that must show the same, with their names.
    pub(crate) fn kernels(&self) -> [(&'static str, &Kernel); 4] {
        [
            ("live", &self.venue.live),
            ("by events", &self.venue.replayed),
            ("loaded and executing", &self.restored),
            ("loaded and applying", &self.reapplied),
        ]
    }

    fn run_command(&mut self, line: usize, command: &Command) -> Result<(), Fault> {
        for index in 1..=command.count {
            let counted = |name: &str| name.replace('#', &index.to_string());
            let last = index == command.count;
            if last {
                self.before = figures(&self.venue.live);
            }
            let promoted = (command.count == 1).then(|| self.venue.replayed.clone());
            self.run_once(line, &command.act, &counted)?;
            if let Some(kernel) = promoted {
                self.promote(kernel);
            }
            if command.count > 1 && !last {
                let lines = shown(self);
                if let Some(line_shown) = lines.iter().find(|line| line.main) {
                    let text = format!("command {index} of the repeat made: {}", line_shown.long);
                    return Err(Fault { line, text });
                }
            }
            self.follow(index, command);
        }
        self.venue.check();
        Ok(())
    }

    fn run_once(
        &mut self,
        line: usize,
        act: &Act,
        counted: &dyn Fn(&str) -> String,
    ) -> Result<(), Fault> {
        let mut name = None;
        let reply = match act {
            Act::Tick => self.venue.run_stamped(Order::Tick, None),
            Act::Operator { act, signed } => self.run_operator(line, act, *signed)?,
            Act::Account { account, act, key, version } => {
                let account = &counted(account);
                let id = self.account_id(line, account)?;
                let order = self.command_of(line, id, (act, key.as_ref()), counted)?;
                name = match act {
                    AccountAct::Place { name, .. } | AccountAct::Replace { name, .. } => {
                        Some(counted(name))
                    }
                    _ => None,
                };
                let key = key.as_ref().map(|key| key_of(account, key, &order));
                let number = self.venue.live.account_number(id);
                let current = number.and_then(|number| self.venue.live.account(number));
                let current = current.map_or(0, |account| account.version);
                self.venue.account_version = version.map(|version| match version {
                    VersionWords::Current => current,
                    VersionWords::Stale => current - 1,
                });
                self.venue.run_stamped(order, key)
            }
        };
        self.outcome = Some(reply.outcome);
        if let Some(name) = name {
            self.name_order(&name);
        }
        self.note_trades();
        Ok(())
    }

    /// Gives the order that the last command submitted its name.
    fn name_order(&mut self, name: &str) {
        let submitted = self.venue.events.iter().find_map(|(head, event)| match event {
            Event::OrderSubmitted(submitted) => Some((*head, submitted.terms)),
            _ => None,
        });
        let Some((head, terms)) = submitted else { return };
        let market = match terms {
            OrderTerms::Checked { market, .. } => market,
            OrderTerms::Requested { symbol: SymbolRef::Listed(number), .. } => number,
            OrderTerms::Requested { .. } => 1,
        };
        let id = Id::derive(head.timestamp, self.venue.live.shard(), head.sequence);
        let id = id.expect("times and sequences fit an id");
        self.places.insert(head.sequence, self.orders.len());
        let first_seq = self.venue.live.order(id).map_or(0, |order| order.state_seq);
        self.orders.push(Named { name: name.to_owned(), id, market, first_seq });
    }

    fn note_trades(&mut self) {
        for (head, event) in &self.venue.events {
            let Event::TradeExecuted(trade) = event else { continue };
            let id = Id::derive(head.timestamp, self.venue.live.shard(), head.sequence);
            let id = id.expect("times and sequences fit an id");
            self.trades.extend([(trade.maker, id), (trade.taker, id)]);
        }
    }

    /// The last trade of an order; the order itself, which is no trade, while it has none.
    pub(crate) fn trade_id(&self, line: usize, order: &str) -> Result<Id, Fault> {
        let order = self.order_id(line, order)?;
        Ok(self.trades.get(&order.sequence()).copied().unwrap_or(order))
    }

    /// A kernel that knew the events alone executes the last command, as after a fail-over. Where
    /// the command before made none, it does not know how far the log is (D-88) and is left out.
    fn promote(&self, mut kernel: Kernel) {
        let stamped = self.venue.commands.last().expect("a command ran");
        if kernel.position().command_sequence + 1 != stamped.sequence {
            return;
        }
        let mut out = EventBuffer::new();
        let reply = kernel.execute(stamped, &mut out);
        assert_eq!(Some(reply.outcome), self.outcome, "a promoted kernel answers the same");
        assert!(
            out.bytes() == self.venue.buffer.bytes(),
            "a promoted kernel makes the same events"
        );
    }

    /// The other kernels take the last command or its events.
    fn follow(&mut self, index: u32, command: &Command) {
        if index == 1 {
            self.restored = reloaded(&self.restored);
            self.reapplied = reloaded(&self.reapplied);
        }
        if command.count == 1 {
            check_told(&saved(&self.reapplied), self.venue.buffer.bytes());
        }
        let mut out = EventBuffer::new();
        let stamped = self.venue.commands.last().expect("a command ran");
        let reply = self.restored.execute(stamped, &mut out);
        assert_eq!(Some(reply.outcome), self.outcome, "a loaded kernel answers the same");
        assert!(out.bytes() == self.venue.buffer.bytes(), "a loaded kernel makes the same events");
        for group in GroupIter::new(out.bytes()) {
            let group = group.expect("a group");
            self.reapplied.apply_group(&group).expect("its events apply");
        }
    }

    pub(crate) fn symbol_ref(&self, symbol: &str) -> SymbolRef {
        let number = self.venue.live.market_number(&label(symbol));
        number.map_or(SymbolRef::Unknown(label(symbol)), SymbolRef::Listed)
    }

    pub(crate) fn account_id(&self, line: usize, name: &str) -> Result<Id, Fault> {
        if name == "nobody" {
            return Ok(Id([0xee; 16]));
        }
        match self.accounts.iter().find(|(other, _)| other == name) {
            Some((_, id)) => Ok(*id),
            None => Err(Fault { line, text: format!("unknown account `{name}`") }),
        }
    }

    pub(crate) fn order_id(&self, line: usize, name: &str) -> Result<Id, Fault> {
        if name == "unknown" {
            return Ok(Id([0xdd; 16]));
        }
        match self.orders.iter().rev().find(|order| order.name == name) {
            Some(order) => Ok(order.id),
            None => Err(Fault { line, text: format!("unknown order `{name}`") }),
        }
    }

    fn named(&self, order: u64) -> Option<&Named> {
        self.places.get(&order).map(|&place| &self.orders[place])
    }

    pub(crate) fn first_seq(&self, id: Id) -> u64 {
        self.named(id.sequence()).map_or(0, |order| order.first_seq)
    }

    pub(crate) fn order_name(&self, sequence: u64) -> &str {
        self.named(sequence).map_or("?", |order| &order.name)
    }

    pub(crate) fn market_of(&self, order: u64) -> u32 {
        self.named(order).map_or(1, |order| order.market)
    }

    pub(crate) fn account_name(&self, number: u32) -> String {
        let account = self.venue.live.account(number).expect("an account");
        account.external_id().as_str().to_owned()
    }

    pub(crate) fn symbol(&self, market: u32) -> &str {
        self.venue.live.market(market).expect("a market").terms.symbol.as_str()
    }

    pub(crate) fn asset(&self, number: u32) -> String {
        self.venue.live.asset(number).expect("an asset").symbol.as_str().to_owned()
    }

    pub(crate) fn price(&self, market: u32, ticks: Ticks) -> Amount {
        self.venue.live.market(market).expect("a market").price(ticks)
    }

    pub(crate) fn quantity(&self, market: u32, lots: Lots) -> Amount {
        self.venue.live.market(market).expect("a market").quantity(lots)
    }
}

/// An id, of an owner, that follows from a name.
fn id_of_text(text: &str) -> Id {
    Id(hash_of(text))
}

/// Sixteen bytes that follow from a text; whole texts differ, so do they in scenes.
pub(crate) fn hash_of(text: &str) -> [u8; 16] {
    let mut hash = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128;
    for byte in text.bytes() {
        hash ^= u128::from(byte);
        hash = hash.wrapping_mul(0x0100_0000_0000_0000_0000_013b);
    }
    hash.to_le_bytes()
}
