//! A venue of one kernel: commands go in, the records' events come out as the event log would have them.
//!
//! Shared by the tests and by the example that measures. Seeded, with a clock of its own.

#![allow(dead_code, reason = "the tests and the example each use a part")]

use ed25519_dalek::{Signer, SigningKey};
use journal::EventEnd;
use kernel::Kernel;
use schema::wire::DecodeError;
use schema::{
    AccountOpening, AccountType, ApiClass, AssetRef, AssetTerms, CancelOrder, Command, EventBuffer,
    EventGroup, FeeTier, Genesis, Key, KeyOrigin, Label, LedgerEntry, MarketKind, MarketTerms,
    Matching, Operator, OrderRequest, OrderTier, OrderType, Outcome, Reply, RiskTier, SelfTrade,
    Stamped, SymbolRef, TimeInForce, signed_bytes,
};
use testkit::rng::SplitMix64;
use units::{Amount, Id, Lots, Rate, Side, Ticks, Timestamp};

/// The events of one record, and where they end.
pub(crate) type Record = (Vec<u8>, EventEnd);

/// A kernel and what it made.
pub(crate) struct Venue {
    pub(crate) kernel: Kernel,
    pub(crate) accounts: Vec<Id>,
    pub(crate) records: Vec<Record>,
    /// Orders that were accepted, with their accounts.
    pub(crate) orders: Vec<(Id, Id)>,
    /// Orders that were rejected.
    pub(crate) rejected: Vec<Id>,
    buffer: EventBuffer,
    random: SplitMix64,
    now: i64,
}

/// Time of the first command.
pub(crate) const START: i64 = 1_700_000_000_000_000_000;
/// Between two commands.
pub(crate) const STEP: i64 = 1_000_000;

const VENUE_ID: Id = Id([7; 16]);

pub(crate) fn label(text: &str) -> Label {
    Label::new(text).expect("short")
}

pub(crate) fn amount(text: &str) -> Amount {
    text.parse().expect("a decimal")
}

/// Stands for the node's own function: what it says is kept as it is.
pub(crate) fn answer_of(group: &EventGroup<'_>, _: u16) -> Result<Reply, DecodeError> {
    let last_event = group.head.first_sequence + u64::from(group.count) - 1;
    let outcome = Outcome::Done { created: Some(Id([group.count.to_le_bytes()[0]; 16])) };
    Ok(Reply { command: group.head.command_sequence, last_event, outcome })
}

impl Venue {
    /// Two markets, BTC/USDT and ETH/USDT, and so many accounts with money.
    pub(crate) fn new(seed: u64, accounts: usize) -> Self {
        let mut venue = Self {
            kernel: Kernel::new(),
            accounts: Vec::new(),
            records: Vec::new(),
            orders: Vec::new(),
            rejected: Vec::new(),
            buffer: EventBuffer::new(),
            random: SplitMix64::new(seed),
            now: START,
        };
        venue.run(Command::Genesis(genesis()));
        for (number, symbol) in (1..).zip(["BTC", "USDT", "ETH"]) {
            venue.signed(number, |by| Command::ListAsset(asset(symbol), by));
        }
        for (number, base) in (11..).zip(["BTC", "ETH"]) {
            venue.signed(number, |by| Command::ListMarket(market(base), by));
        }
        for number in 0..accounts {
            venue.open(&format!("trader-{number}"));
        }
        venue
    }

    /// Opens an account with money in every asset.
    pub(crate) fn open(&mut self, name: &str) -> Id {
        let Outcome::Done { created: Some(id) } = self.run(Command::CreateAccount(opening(name)))
        else {
            panic!("opened")
        };
        for asset in 1..=3 {
            self.run(deposit(id, asset));
        }
        self.accounts.push(id);
        id
    }

    /// Runs a command as a record of its own.
    pub(crate) fn run(&mut self, command: Command) -> Outcome {
        self.run_with(command, None)
    }

    pub(crate) fn run_with(&mut self, command: Command, key: Option<Key>) -> Outcome {
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
        let reply = self.kernel.execute(&stamped, &mut self.buffer);
        let groups = self.buffer.take();
        if !groups.is_empty() {
            self.records.push((groups, end(stamped.sequence, reply.last_event)));
        }
        reply.outcome
    }

    /// The last event.
    pub(crate) fn last_event(&self) -> u64 {
        self.kernel.position().event_sequence
    }

    /// The time of the last command.
    pub(crate) const fn now(&self) -> Timestamp {
        Timestamp(self.now)
    }

    /// Lets time pass up to this moment.
    pub(crate) fn wait_until(&mut self, time: Timestamp) {
        self.now = self.now.max(time.0);
    }

    /// Runs a command of the operator's under a key of its own.
    pub(crate) fn signed(&mut self, number: u8, make: impl Fn(Operator) -> Command) {
        let key = key(u64::from(number) | 1 << 60);
        let valid_until = Timestamp(self.now + 3_600_000_000_000);
        let bare = make(Operator { valid_until, signature: [0; 64] });
        let bytes = signed_bytes(VENUE_ID, &key, valid_until, &bare);
        let signature = operator().sign(&bytes).to_bytes();
        let outcome = self.run_with(make(Operator { valid_until, signature }), Some(key));
        assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
    }

    /// So many random commands: orders that rest, trade, expire or are rejected, cancels, deposits.
    pub(crate) fn trade(&mut self, commands: usize) {
        for _ in 0..commands {
            let account = *self.random.pick(&self.accounts).expect("some");
            match self.random.below(20) {
                0..12 => {
                    let order = self.order(account);
                    self.place(order);
                }
                12..18 => {
                    let Some(&(account, order)) = self.random.pick(&self.orders) else { continue };
                    let cancel = CancelOrder { account, order, state_seq: None };
                    self.keyed(Command::CancelOrder(cancel));
                }
                18 => drop(self.run(deposit(account, 2))),
                _ => {
                    let mut order = self.order(account);
                    order.price = Some(Amount(1));
                    self.place(order);
                }
            }
        }
    }

    /// Places an order under a key.
    pub(crate) fn place(&mut self, order: OrderRequest) -> Outcome {
        let outcome = self.keyed(Command::PlaceOrder(order));
        match outcome {
            Outcome::Accepted { order: id } => self.orders.push((order.account, id)),
            Outcome::Rejected { order: id, .. } => self.rejected.push(id),
            _ => {}
        }
        outcome
    }

    fn keyed(&mut self, command: Command) -> Outcome {
        let number = self.kernel.position().command_sequence;
        self.run_with(command, Some(key(number)))
    }

    fn order(&mut self, account: Id) -> OrderRequest {
        let side = if self.random.coin() { Side::Buy } else { Side::Sell };
        let ticks = 10_000 + self.random.below_u32(40);
        let mut order = order(account, side, ticks, 1 + self.random.below_u32(50));
        order.symbol = SymbolRef::Listed(1 + self.random.below_u32(2));
        match self.random.below(8) {
            0 => order.time_in_force = TimeInForce::Ioc,
            1 => order.self_trade = SelfTrade::CancelResting,
            2 => order.post_only = true,
            3 => order.client_order_id = Some(label(&format!("mine-{}", self.random.below(50)))),
            4 => order.symbol = SymbolRef::Unknown(label("XRP/USDT")),
            _ => {}
        }
        order
    }
}

/// Where a record ends, with a hash that stands for a chain.
fn end(command_sequence: u64, event_sequence: u64) -> EventEnd {
    let mut hash = [0; 32];
    hash[..8].copy_from_slice(&event_sequence.to_le_bytes());
    EventEnd { command_sequence, event_sequence, hash }
}

pub(crate) fn key(number: u64) -> Key {
    let mut key_hash = [1; 16];
    key_hash[..8].copy_from_slice(&number.to_le_bytes());
    Key { key_hash, body_hash: [2; 16], origin: KeyOrigin::Client, text: None }
}

fn operator() -> SigningKey {
    SigningKey::from_bytes(&[42; 32])
}

fn genesis() -> Genesis {
    Genesis {
        venue_id: VENUE_ID,
        shard: 5,
        operator_key: operator().verifying_key().to_bytes(),
        key_count_max: 10_000_000,
        fee_tiers: vec![FeeTier {
            above: Amount::ZERO,
            maker: Rate(-10_000),
            taker: Rate(200_000),
        }],
    }
}

fn asset(symbol: &str) -> AssetTerms {
    AssetTerms {
        symbol: label(symbol),
        name: label(symbol),
        decimals: 8,
        is_collateral: false,
        collateral_weight: Rate(0),
        networks: Vec::new(),
    }
}

fn market(base: &str) -> MarketTerms {
    MarketTerms {
        symbol: label(&format!("{base}/USDT")),
        kind: MarketKind::Spot,
        base: label(base),
        quote: label("USDT"),
        tick_size: amount("0.01"),
        lot_size: amount("0.001"),
        min_price: Ticks(1),
        max_price: Ticks(1_000_000_000),
        min_quantity: Lots(1),
        max_quantity: Lots(1_000_000_000),
        matching: Matching::PriceTime,
        protection_bound: Rate(5_000_000),
        price_band: None,
        open_orders_max: 10_000,
        fee_tiers: Vec::new(),
        post_only_until: None,
    }
}

fn opening(name: &str) -> AccountOpening {
    AccountOpening {
        account_type: AccountType::Spot,
        external_id: label(name),
        owner_id: None,
        jurisdiction: label("CH"),
        kyc_tier: 1,
        risk_tier: RiskTier::Standard,
        order_tier: OrderTier::MarketMaker,
        api_class: ApiClass::Institutional,
        metadata: Vec::new(),
    }
}

/// A large deposit.
pub(crate) fn deposit(account: Id, asset: u32) -> Command {
    Command::Deposit(LedgerEntry {
        account,
        asset: AssetRef::Listed(asset),
        amount: amount("1000000000"),
        reference: Id([5; 16]),
    })
}

/// A limit order of `lots` at `ticks` in market 1.
pub(crate) fn order(account: Id, side: Side, ticks: u32, lots: u32) -> OrderRequest {
    OrderRequest {
        account,
        client_order_id: None,
        symbol: SymbolRef::Listed(1),
        side,
        order_type: OrderType::Limit,
        quantity: Amount(i128::from(lots) * amount("0.001").0),
        price: Some(Amount(i128::from(ticks) * amount("0.01").0)),
        time_in_force: TimeInForce::Gtc,
        expire_at: None,
        post_only: false,
        reduce_only: false,
        self_trade: SelfTrade::CancelIncoming,
        trigger: None,
        oco_with: None,
        position_side: None,
        by_quote: false,
    }
}
