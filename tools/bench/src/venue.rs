//! The benchmark stream as commands of a whole exchange.
//!
//! Owns the mapping from `testkit::stream` to `schema` commands: one market (tick 0.01, lot 0.001), the
//! stream's accounts, funded so that no order lacks money, and every `Op` as PlaceOrder (GTC, or IOC
//! for a taker) or CancelOrder (a reduction too, until there is one). Order ids come from a first run
//! through a kernel, which also counts the trades against the stream's own tally; what is measured
//! later is those very commands on a fresh kernel. Commands carry a correlation id and no idempotency
//! key unless asked for.

use ed25519_dalek::{Signer, SigningKey};
use kernel::Kernel;
use schema::{
    AccountOpening, AccountType, ApiClass, AssetRef, AssetTerms, CancelOrder, Command, Event,
    EventBuffer, Genesis, GroupIter, Key, KeyOrigin, Label, LedgerEntry, MarketKind, MarketTerms,
    Matching, Operator, OrderRequest, OrderTier, OrderType, Outcome, RiskTier, SelfTrade, Stamped,
    SymbolRef, TimeInForce, signed_bytes,
};
use testkit::stream::{Op, Script, Stream};
use units::{Amount, Id, Lots, Rate, Side, Ticks, Timestamp};

/// A prepared exchange and the commands to measure.
pub(crate) struct Prepared {
    /// Genesis, listings, accounts and deposits.
    pub(crate) setup: Vec<Stamped>,
    /// The stream.
    pub(crate) stream: Vec<Stamped>,
    /// Trades that the stream makes.
    pub(crate) trades: u64,
    accounts: Vec<Id>,
}

impl Prepared {
    /// The funded accounts.
    pub(crate) fn accounts(&self) -> &[Id] {
        &self.accounts
    }
}

pub(crate) const START: i64 = 1_700_000_000_000_000_000;
/// Commands of the stream lie 10 µs apart: 100,000 a second.
pub(crate) const STEP: i64 = 10_000;
const VENUE_ID: Id = Id([7; 16]);

/// One of an asset.
pub(crate) const ONE: i128 = 1_000_000_000_000_000_000;

pub(crate) fn label(text: &str) -> Label {
    Label::new(text).expect("a short text")
}

fn amount(text: &str) -> Amount {
    text.parse().expect("a decimal")
}

/// The operator's key of every benchmark.
pub fn operator() -> SigningKey {
    SigningKey::from_bytes(&[42; 32])
}

/// The genesis of every benchmark.
pub fn genesis() -> Genesis {
    Genesis {
        venue_id: VENUE_ID,
        shard: 0,
        operator_key: operator().verifying_key().to_bytes(),
        key_count_max: 10_000_000,
        fee_tiers: fees::default_tiers(),
    }
}

/// Signs an administrative command.
pub fn signed(now: Timestamp, number: u8, make: impl Fn(Operator) -> Command) -> (Command, Key) {
    signed_as(now, u64::from(number), make)
}

/// As `signed`, with one of many keys.
pub(crate) fn signed_as(
    now: Timestamp,
    number: u64,
    make: impl Fn(Operator) -> Command,
) -> (Command, Key) {
    let hash = u128::from(number).to_be_bytes();
    let key = Key { key_hash: hash, body_hash: hash, origin: KeyOrigin::Client, text: None };
    let valid_until = Timestamp(now.0 + 3_600_000_000_000);
    let unsigned = make(Operator { valid_until, signature: [0; 64] });
    let bytes = signed_bytes(VENUE_ID, &key, valid_until, &unsigned);
    let signature = operator().sign(&bytes).to_bytes();
    (make(Operator { valid_until, signature }), key)
}

/// An asset of the benchmark.
pub fn asset(symbol: &str, decimals: u8) -> AssetTerms {
    AssetTerms {
        symbol: label(symbol),
        name: label(symbol),
        decimals,
        is_collateral: false,
        collateral_weight: Rate(0),
        networks: Vec::new(),
    }
}

/// The market of the benchmark.
pub fn market() -> MarketTerms {
    MarketTerms {
        symbol: label("BTC/USDT"),
        kind: MarketKind::Spot,
        base: label("BTC"),
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

/// An account of the benchmark.
pub fn opening(name: &str) -> AccountOpening {
    AccountOpening {
        account_type: AccountType::Spot,
        external_id: label(name),
        owner_id: None,
        jurisdiction: label(""),
        kyc_tier: 1,
        risk_tier: RiskTier::Standard,
        order_tier: OrderTier::MarketMaker,
        api_class: ApiClass::Institutional,
        metadata: Vec::new(),
    }
}

/// A deposit of the benchmark.
pub fn funding(account: Id, asset: u32) -> LedgerEntry {
    LedgerEntry {
        account,
        asset: AssetRef::Listed(asset),
        amount: amount("1000000000000"),
        reference: Id([1; 16]),
    }
}

/// The order of an `Add` or a `Take`.
pub fn order(account: Id, side: Side, terms: (Ticks, Lots), time_in_force: TimeInForce) -> Command {
    Command::PlaceOrder(OrderRequest {
        account,
        client_order_id: None,
        symbol: SymbolRef::Listed(1),
        side,
        order_type: OrderType::Limit,
        quantity: Amount(i128::from(terms.1.0) * amount("0.001").0),
        price: Some(Amount(i128::from(terms.0.0) * amount("0.01").0)),
        time_in_force,
        expire_at: None,
        post_only: false,
        reduce_only: false,
        self_trade: SelfTrade::CancelIncoming,
        trigger: None,
        oco_with: None,
        position_side: None,
        by_quote: false,
    })
}

/// Runs commands through a kernel as they are made, and keeps them.
struct Maker {
    kernel: Kernel,
    buffer: EventBuffer,
    made: Vec<Stamped>,
    now: i64,
    trades: u64,
}

impl Maker {
    fn run(&mut self, command: Command, key: Option<Key>) -> Outcome {
        self.now += STEP;
        let sequence = self.kernel.position().command_sequence + 1;
        let stamped = Stamped {
            sequence,
            stamp: Timestamp(self.now),
            fallback_clock: false,
            correlation: Some(Id([9; 16])),
            key,
            command,
            account_version: None,
        };
        self.buffer.clear();
        let reply = self.kernel.execute(&stamped, &mut self.buffer);
        self.trades += trades_in(self.buffer.bytes());
        self.made.push(stamped);
        reply.outcome
    }

    fn list(&mut self, number: u8, make: impl Fn(Operator) -> Command) {
        let (command, key) = signed(Timestamp(self.now), number, make);
        let outcome = self.run(command, Some(key));
        assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
    }

    fn account(&mut self, name: &str) -> Id {
        let outcome = self.run(Command::CreateAccount(opening(name)), None);
        let Outcome::Done { created: Some(id) } = outcome else { panic!("{outcome:?}") };
        for asset in [1, 2] {
            self.run(Command::Deposit(funding(id, asset)), None);
        }
        id
    }

    /// Runs the operation; an order's id is kept under its number.
    fn apply(&mut self, op: &Op, accounts: &[Id], orders: &mut [(Id, Id)]) {
        let (id, account, command) = match *op {
            Op::Add { id, account, side, ticks, lots } => {
                let account = accounts[account as usize];
                (id, account, order(account, side, (ticks, lots), TimeInForce::Gtc))
            }
            Op::Take { id, account, side, ticks, lots } => {
                let account = accounts[account as usize];
                (id, account, order(account, side, (ticks, lots), TimeInForce::Ioc))
            }
            Op::Cancel { id } | Op::Reduce { id } => {
                let (account, order) = orders[id as usize];
                let cancel = CancelOrder { account, order, state_seq: None };
                let outcome = self.run(Command::CancelOrder(cancel), None);
                assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
                return;
            }
        };
        let outcome = self.run(command, None);
        let Outcome::Accepted { order } = outcome else { panic!("{outcome:?}") };
        orders[id as usize] = (account, order);
    }
}

/// TradeExecuted events among the groups.
pub(crate) fn trades_in(groups: &[u8]) -> u64 {
    let is_trade = |event: &Event| matches!(event, Event::TradeExecuted(_));
    let trades = GroupIter::new(groups).map(|group| {
        let events = group.expect("a group").events();
        events.filter(|event| is_trade(&event.as_ref().expect("an event").1)).count() as u64
    });
    trades.sum()
}

/// The stream of `commands` commands over `accounts` accounts, ready to measure.
pub(crate) fn prepare(commands: usize, accounts: u32) -> Prepared {
    let script: Script = Stream::new(1, commands).with_accounts(accounts).script();
    let mut maker = Maker {
        kernel: Kernel::new(),
        buffer: EventBuffer::new(),
        made: Vec::new(),
        now: START,
        trades: 0,
    };
    maker.run(Command::Genesis(genesis()), None);
    maker.list(1, |operator| Command::ListAsset(asset("BTC", 8), operator));
    maker.list(2, |operator| Command::ListAsset(asset("USDT", 6), operator));
    maker.list(3, |operator| Command::ListMarket(market(), operator));
    let ids: Vec<Id> = (0..accounts).map(|number| maker.account(&number.to_string())).collect();
    let setup = std::mem::take(&mut maker.made);
    let mut orders = vec![(Id::default(), Id::default()); script.ids as usize];
    for op in &script.ops {
        maker.apply(op, &ids, &mut orders);
    }
    assert_eq!(maker.trades, script.trades.count, "the stream makes the trades it must make");
    assert_eq!(maker.kernel.order_count(), script.resting);
    Prepared { setup, stream: maker.made, trades: maker.trades, accounts: ids }
}

/// A kernel after the setup.
pub(crate) fn start(prepared: &Prepared) -> Kernel {
    let mut kernel = Kernel::new();
    let mut buffer = EventBuffer::new();
    for stamped in &prepared.setup {
        buffer.clear();
        kernel.execute(stamped, &mut buffer);
    }
    kernel
}
