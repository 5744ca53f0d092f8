//! Many markets, accounts and resting orders: the benchmark stream at another size.
//!
//! Owns the mapping of one stream for each market to one stream of commands, the markets taking turns. A
//! market has an asset of its own against USDT and a share of the accounts, so that an account trades in a
//! few markets and not in all. Order ids come from a first run through a kernel, which also counts the trades
//! against the streams' own tallies; what is measured later is those very commands on a fresh kernel.

use kernel::Kernel;
use schema::{AssetRef, CancelOrder, SymbolRef};
use schema::{
    Command, EventBuffer, Key, LedgerEntry, MarketTerms, Operator, Outcome, Stamped, TimeInForce,
};
use testkit::stream::{Op, Script, Stream};
use units::{Amount, Id, Timestamp};

use crate::stored::Stored;
use crate::venue;

/// How much of everything there is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) markets: u32,
    pub(crate) accounts: u32,
    /// Orders at rest, all markets together.
    pub(crate) resting: usize,
    /// Commands behind the prefill, all markets together.
    pub(crate) commands: usize,
}

/// A prepared exchange of that size.
pub(crate) struct Crowd {
    /// Genesis, listings, accounts and deposits.
    setup: Stored,
    /// The orders that rest first, then what is measured.
    stream: Stored,
    prefill: usize,
    /// Bytes of the events of what is measured.
    event_size: usize,
}

impl Crowd {
    pub(crate) fn new(shape: Shape) -> Self {
        let mut maker = Maker::new(shape);
        maker.set_up();
        let setup = std::mem::take(&mut maker.made);
        let scripts: Vec<Script> = (0..shape.markets).map(|market| shape.script(market)).collect();
        let prefill = scripts.iter().map(|script| script.prefill).sum();
        let mut orders: Vec<Vec<(Id, Id)>> =
            scripts.iter().map(|it| vec![Default::default(); it.ids as usize]).collect();
        let rounds = scripts.iter().map(|it| it.ops.len()).max().unwrap_or(0);
        let mut crowd = Self { setup, stream: Stored::default(), prefill, event_size: 0 };
        for round in 0..rounds {
            for (market, script) in scripts.iter().enumerate() {
                let Some(op) = script.ops.get(round) else { continue };
                maker.apply(market, op, &mut orders[market]);
                if round >= script.prefill {
                    crowd.event_size += maker.buffer.bytes().len();
                }
            }
        }
        let trades: u64 = scripts.iter().map(|script| script.trades.count).sum();
        assert_eq!(maker.trades, trades, "the streams make the trades they must make");
        crowd.stream = maker.made;
        crowd
    }

    /// A kernel in which everything that is to rest first rests.
    pub(crate) fn kernel(&self) -> Kernel {
        let mut kernel = Kernel::new();
        self.setup.execute(&mut kernel, 0..self.setup.len());
        self.stream.execute(&mut kernel, 0..self.prefill);
        kernel
    }

    /// Nanoseconds that a command takes behind the prefill.
    pub(crate) fn nanos_per_command(&self) -> f64 {
        let mut kernel = self.kernel();
        let timed = self.stream.execute(&mut kernel, self.prefill..self.stream.len());
        assert_eq!(timed.event_size, self.event_size, "every run makes the same events");
        timed.elapsed.as_nanos() as f64 / (self.stream.len() - self.prefill) as f64
    }
}

impl Shape {
    /// Accounts that trade in each market.
    fn members(self) -> u32 {
        (4 * self.accounts / self.markets).max(40).min(self.accounts)
    }

    /// The account behind a market's own number of it.
    fn account(self, market: u32, member: u32) -> usize {
        ((market * (self.accounts / self.markets).max(1) + member) % self.accounts) as usize
    }

    fn script(self, market: u32) -> Script {
        let markets = self.markets as usize;
        let resting = self.resting / markets;
        let commands = resting + self.commands / markets;
        let stream = Stream::new(u64::from(market) + 1, commands).with_resting(resting);
        stream.with_accounts(self.members()).script()
    }
}

/// Runs commands through a kernel as they are made, and keeps them.
struct Maker {
    shape: Shape,
    kernel: Kernel,
    buffer: EventBuffer,
    made: Stored,
    accounts: Vec<Id>,
    now: i64,
    trades: u64,
}

impl Maker {
    fn new(shape: Shape) -> Self {
        Self {
            shape,
            kernel: Kernel::new(),
            buffer: EventBuffer::new(),
            made: Stored::default(),
            accounts: Vec::new(),
            now: venue::START,
            trades: 0,
        }
    }

    fn set_up(&mut self) {
        self.run(Command::Genesis(venue::genesis()), None);
        self.list(|operator| Command::ListAsset(venue::asset("USDT", 6), operator));
        for number in 1..=self.shape.markets {
            let asset = format!("A{number}");
            self.list(|operator| Command::ListAsset(venue::asset(&asset, 8), operator));
            let terms = MarketTerms {
                symbol: venue::label(&format!("{asset}/USDT")),
                base: venue::label(&asset),
                open_orders_max: (1_000_000 / self.shape.markets).min(10_000),
                ..venue::market()
            };
            self.list(|operator| Command::ListMarket(terms.clone(), operator));
        }
        for number in 0..self.shape.accounts {
            let opening = venue::opening(&number.to_string());
            let outcome = self.run(Command::CreateAccount(opening), None);
            let Outcome::Done { created: Some(id) } = outcome else { panic!("{outcome:?}") };
            self.accounts.push(id);
            self.fund(id, 1);
        }
        for market in 0..self.shape.markets {
            for member in 0..self.shape.members() {
                let account = self.accounts[self.shape.account(market, member)];
                self.fund(account, market + 2);
            }
        }
    }

    fn fund(&mut self, account: Id, asset: u32) {
        let entry = LedgerEntry {
            account,
            asset: AssetRef::Listed(asset),
            amount: Amount(1_000_000_000 * venue::ONE),
            reference: Id([1; 16]),
        };
        self.run(Command::Deposit(entry), None);
    }

    fn list(&mut self, make: impl Fn(Operator) -> Command) {
        let number = self.kernel.position().command_sequence;
        let (command, key) = venue::signed_as(Timestamp(self.now), number, make);
        let outcome = self.run(command, Some(key));
        assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
    }

    /// Runs the operation in a market; an order's id is kept under its number.
    fn apply(&mut self, market: usize, op: &Op, orders: &mut [(Id, Id)]) {
        let number = u32::try_from(market).expect("few markets");
        let (id, account, side, terms, time_in_force) = match *op {
            Op::Add { id, account, side, ticks, lots } => {
                (id, account, side, (ticks, lots), TimeInForce::Gtc)
            }
            Op::Take { id, account, side, ticks, lots } => {
                (id, account, side, (ticks, lots), TimeInForce::Ioc)
            }
            Op::Cancel { id } | Op::Reduce { id } => {
                let (account, order) = orders[id as usize];
                let cancel = CancelOrder { account, order, state_seq: None };
                let outcome = self.run(Command::CancelOrder(cancel), None);
                assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
                return;
            }
        };
        let account = self.accounts[self.shape.account(number, account)];
        let mut command = venue::order(account, side, terms, time_in_force);
        if let Command::PlaceOrder(request) = &mut command {
            request.symbol = SymbolRef::Listed(number + 1);
        }
        let outcome = self.run(command, None);
        let Outcome::Accepted { order } = outcome else { panic!("{outcome:?}") };
        orders[id as usize] = (account, order);
    }

    fn run(&mut self, command: Command, key: Option<Key>) -> Outcome {
        self.now += venue::STEP;
        let stamped = Stamped {
            sequence: self.kernel.position().command_sequence + 1,
            stamp: Timestamp(self.now),
            fallback_clock: false,
            correlation: Some(Id([9; 16])),
            key,
            command,
            account_version: None,
        };
        self.buffer.clear();
        let reply = self.kernel.execute(&stamped, &mut self.buffer);
        self.trades += venue::trades_in(self.buffer.bytes());
        self.made.push(&stamped);
        reply.outcome
    }
}
