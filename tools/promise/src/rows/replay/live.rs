//! The live kernel of the replay row and the commands that it is given.
//!
//! Seeded, without end, and with a bounded number of open orders: half of the commands rest near a middle that
//! walks, two fifths cancel, the rest take; a Tick comes with every hundredth. Some cancels come too late and
//! are refused, which is an event like any other.

use bench::venue;
use kernel::Kernel;
use schema::{
    CancelOrder, Command, EventBuffer, Key, Operator, Outcome, Stamped, TimeInForce, encode_command,
};
use testkit::rng::SplitMix64;
use units::{Id, Lots, Side, Ticks, Timestamp};

/// A kernel and what it is fed from.
pub(super) struct Live {
    kernel: Kernel,
    buffer: EventBuffer,
    now: i64,
    rng: SplitMix64,
    accounts: Vec<Id>,
    /// Orders that may rest, with their accounts.
    orders: Vec<(Id, Id)>,
    middle: u64,
    stage: Stage,
}

/// What some commands were and made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stage {
    pub(super) command_count: u64,
    /// Stored commands, each behind its size in four bytes.
    pub(super) commands: Vec<u8>,
    /// Their events in stored form.
    pub(super) events: Vec<u8>,
    /// The saved state before them; none at genesis.
    pub(super) before: Option<Vec<u8>>,
    /// The saved state after them.
    pub(super) after: Vec<u8>,
}

impl Live {
    /// A venue with one market and accounts that lack nothing.
    pub(super) fn new() -> Self {
        let mut live = Self {
            kernel: Kernel::new(),
            buffer: EventBuffer::new(),
            now: START,
            rng: SplitMix64::new(SEED),
            accounts: Vec::new(),
            orders: Vec::new(),
            middle: 100_000,
            stage: Stage::default(),
        };
        live.execute(Command::Genesis(venue::genesis()), None);
        live.list(1, |operator| Command::ListAsset(venue::asset("BTC", 8), operator));
        live.list(2, |operator| Command::ListAsset(venue::asset("USDT", 6), operator));
        live.list(3, |operator| Command::ListMarket(venue::market(), operator));
        for number in 0..ACCOUNT_COUNT {
            let opening = venue::opening(&number.to_string());
            let outcome = live.execute(Command::CreateAccount(opening), None);
            let Outcome::Done { created: Some(id) } = outcome else { panic!("{outcome:?}") };
            for asset in [1, 2] {
                live.execute(Command::Deposit(venue::funding(id, asset)), None);
            }
            live.accounts.push(id);
        }
        live
    }

    /// Runs so many commands. The first stage has those of the beginning too.
    pub(super) fn run(&mut self, count: u64) -> Stage {
        for _ in 0..count {
            self.step();
        }
        let mut after = Vec::new();
        self.kernel.save(&mut after);
        self.stage.after.clone_from(&after);
        let next = Stage { before: Some(after), ..Stage::default() };
        std::mem::replace(&mut self.stage, next)
    }

    pub(super) const fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    pub(super) fn command_count(&self) -> u64 {
        self.kernel.position().command_sequence
    }

    pub(super) fn event_count(&self) -> u64 {
        self.kernel.position().event_sequence
    }

    fn step(&mut self) {
        self.middle = self.middle + self.rng.below(3) - 1;
        self.middle = self.middle.clamp(99_500, 100_500);
        let is_full = self.orders.len() >= ORDER_COUNT_MAX;
        match self.rng.below(100) {
            0..50 if !is_full => self.rest(),
            0..90 if !self.orders.is_empty() => self.cancel(),
            99 => drop(self.execute(Command::Tick, None)),
            _ => self.take(),
        }
    }

    fn rest(&mut self) {
        let away = 1 + self.rng.below(500).min(self.rng.below(500));
        let side = if self.rng.coin() { Side::Buy } else { Side::Sell };
        let ticks = if side == Side::Buy { self.middle - away } else { self.middle + away };
        let account = self.account(side);
        let lots = Lots(self.rng.between(1, 100));
        let order = venue::order(account, side, (Ticks(ticks), lots), TimeInForce::Gtc);
        if let Outcome::Accepted { order } = self.execute(order, None) {
            self.orders.push((account, order));
        }
    }

    fn take(&mut self) {
        let side = if self.rng.coin() { Side::Buy } else { Side::Sell };
        let ticks = if side == Side::Buy { self.middle + 50 } else { self.middle - 50 };
        let account = self.account(side);
        let lots = Lots(self.rng.between(1, 100));
        self.execute(venue::order(account, side, (Ticks(ticks), lots), TimeInForce::Ioc), None);
    }

    fn cancel(&mut self) {
        let at = self.rng.below(self.orders.len() as u64);
        let (account, order) = self.orders.swap_remove(usize::try_from(at).expect("an index"));
        self.execute(Command::CancelOrder(CancelOrder { account, order, state_seq: None }), None);
    }

    /// Buyers are the one half and sellers the other.
    fn account(&mut self, side: Side) -> Id {
        let half = ACCOUNT_COUNT / 2;
        let number = self.rng.below(half) + if side == Side::Buy { 0 } else { half };
        self.accounts[usize::try_from(number).expect("an index")]
    }

    fn list(&mut self, number: u8, make: impl Fn(Operator) -> Command) {
        let (command, key) = venue::signed(Timestamp(self.now), number, make);
        let outcome = self.execute(command, Some(key));
        assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
    }

    fn execute(&mut self, command: Command, key: Option<Key>) -> Outcome {
        self.now += STEP;
        let stamped = Stamped {
            sequence: self.kernel.position().command_sequence + 1,
            stamp: Timestamp(self.now),
            fallback_clock: false,
            correlation: Some(Id([9; 16])),
            key,
            command,
            account_version: None,
        };
        let place = self.stage.commands.len();
        self.stage.commands.extend_from_slice(&[0; 4]);
        encode_command(&mut self.stage.commands, &stamped);
        let size = u32::try_from(self.stage.commands.len() - place - 4).expect("small");
        self.stage.commands[place..place + 4].copy_from_slice(&size.to_le_bytes());
        self.buffer.clear();
        let reply = self.kernel.execute(&stamped, &mut self.buffer);
        self.stage.events.extend_from_slice(self.buffer.bytes());
        self.stage.command_count += 1;
        reply.outcome
    }
}

const SEED: u64 = 20_264;
const START: i64 = 1_700_000_000_000_000_000;
/// Commands lie 10 µs apart: 100,000 a second.
const STEP: i64 = 10_000;
const ACCOUNT_COUNT: u64 = 1_000;
/// Open orders, or nearly: some of those remembered were filled.
const ORDER_COUNT_MAX: usize = 10_000;
