//! What the tests of this crate share: a venue on a disk in memory, its commands, and waiting.
//!
//! Two disks in memory, one for each log, so that a test can fail or crash one of them. The clock stands
//! still unless a test moves it.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use ed25519_dalek::{Signer, SigningKey};
use journal::fake_disk::FakeDisk;
use journal::{CommandLog, EventLog, Journal, OwnedBlock, Preparation, SegmentOptions};
use port::{Port, PortFault, Query, Request, Seen, View};
use schema::{
    AccountOpening, AccountType, ApiClass, AssetRef, AssetTerms, Command, FeeTier, Genesis, Key,
    KeyOrigin, Label, LedgerEntry, MarketKind, MarketTerms, Matching, Operator, OrderRequest,
    OrderTier, OrderType, Outcome, Reply, RiskTier, SelfTrade, Stamped, SymbolRef, TimeInForce,
    decode_command, signed_bytes,
};
use tempfile::TempDir;
use units::{Amount, Id, Lots, Rate, Side, Ticks, Timestamp};

use crate::{Config, Engine, InProcess, ManualClock, StartFault, Storage};

/// Wall time at which the tests begin.
pub(crate) const NOON: i64 = 1_708_123_456_789_012_345;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future to its end in this thread.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

/// Waits for a condition.
pub(crate) fn wait_until(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "the condition never came true");
        thread::yield_now();
    }
}

pub(crate) fn label(text: &str) -> Label {
    Label::new(text).expect("short")
}

/// The two disks of a node, and a folder of this machine for its archive.
#[derive(Clone)]
pub(crate) struct Disks {
    pub(crate) commands: FakeDisk,
    pub(crate) events: FakeDisk,
    pub(crate) archive: Option<Arc<TempDir>>,
}

impl Disks {
    pub(crate) fn new(seed: u64) -> Self {
        let archive = Some(Arc::new(tempfile::tempdir().expect("a folder")));
        Self { commands: FakeDisk::new(seed), events: FakeDisk::new(seed + 1), archive }
    }

    /// Of a node that keeps no archive.
    pub(crate) fn without_archive(seed: u64) -> Self {
        Self { archive: None, ..Self::new(seed) }
    }

    fn archive(&self) -> Option<PathBuf> {
        self.archive.as_ref().map(|folder| folder.path().to_owned())
    }

    pub(crate) fn journal(&self) -> Journal {
        let disk = Arc::new(self.commands.clone());
        Journal::open_end(disk, Path::new("commands"), OPTIONS).expect("sound").0
    }

    pub(crate) fn event_log(&self) -> EventLog {
        let disk = Arc::new(self.events.clone());
        EventLog::open_end(disk, Path::new("events"), OPTIONS).expect("sound").0
    }

    pub(crate) fn storage(&self) -> Storage {
        let (commands, events) = (Box::new(self.journal()), self.event_log());
        Storage { commands, events, folder: None, archive: self.archive(), snapshots: None }
    }

    pub(crate) fn start(&self, clock: &Arc<ManualClock>) -> Result<Engine, StartFault> {
        Engine::start_with(config(), self.storage(), clock.clone())
    }

    /// Every command of the log, with its record's epoch.
    pub(crate) fn stored_commands(&self) -> Vec<(u64, Stamped)> {
        let journal = self.journal();
        let records = journal.read(1).expect("not empty");
        let decode = |record: journal::OwnedRecord| {
            let epoch = record.header().epoch;
            let commands = record.record().commands();
            commands
                .map(|(sequence, bytes)| (epoch, decode_command(bytes, sequence).expect("sound")))
                .collect::<Vec<_>>()
        };
        records.flat_map(|record| decode(record.expect("sound"))).collect()
    }

    /// Every block of the event log.
    pub(crate) fn stored_blocks(&self) -> Vec<OwnedBlock> {
        let log = self.event_log();
        log.read(1).expect("sound").map(|block| block.expect("sound")).collect()
    }
}

const OPTIONS: SegmentOptions = SegmentOptions { size: 1 << 20, preparation: Preparation::Inline };

/// A configuration whose sequencer issues no Tick.
pub(crate) fn config() -> Config {
    Config { genesis: Some(genesis()), tick_interval: Duration::MAX, ..Config::default() }
}

pub(crate) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(NOON))
}

fn operator() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

pub(crate) fn genesis() -> Genesis {
    Genesis {
        venue_id: Id([9; 16]),
        shard: 3,
        operator_key: operator().verifying_key().to_bytes(),
        key_count_max: 1_000_000,
        fee_tiers: vec![FeeTier {
            above: Amount::ZERO,
            maker: Rate(100_000),
            taker: Rate(200_000),
        }],
    }
}

pub(crate) fn request(command: Command) -> Request {
    Request { correlation: Id([1; 16]), key: None, command, account_version: None }
}

/// A request under a client's key.
pub(crate) fn keyed(number: u64, command: Command) -> Request {
    let mut key_hash = [0; 16];
    key_hash[..8].copy_from_slice(&number.to_le_bytes());
    let mut body_hash = [0_u8; 16];
    for (index, byte) in command.body().into_iter().enumerate() {
        body_hash[index % 16] = body_hash[index % 16].wrapping_mul(31).wrapping_add(byte);
    }
    let key = Key { key_hash, body_hash, origin: KeyOrigin::Client, text: None };
    Request { correlation: Id([2; 16]), key: Some(key), command, account_version: None }
}

/// A request that the operator signs.
pub(crate) fn signed(number: u64, command: impl Fn(Operator) -> Command) -> Request {
    signed_until(Timestamp(NOON + 3_600_000_000_000), number, command)
}

/// As `signed`, with an approval that holds so long.
pub(crate) fn signed_until(
    valid_until: Timestamp,
    number: u64,
    command: impl Fn(Operator) -> Command,
) -> Request {
    let mut request = keyed(number, command(Operator { valid_until, signature: [0; 64] }));
    let key = request.key.expect("keyed");
    let bytes = signed_bytes(genesis().venue_id, &key, valid_until, &request.command);
    let signature = operator().sign(&bytes).to_bytes();
    request.command = command(Operator { valid_until, signature });
    request
}

pub(crate) fn asset(symbol: &str) -> AssetTerms {
    AssetTerms {
        symbol: label(symbol),
        name: label(symbol),
        decimals: 8,
        is_collateral: false,
        collateral_weight: Rate(0),
        networks: Vec::new(),
    }
}

pub(crate) fn market() -> MarketTerms {
    MarketTerms {
        symbol: label("BTC/USDT"),
        kind: MarketKind::Spot,
        base: label("BTC"),
        quote: label("USDT"),
        tick_size: Amount(10_000_000_000_000_000),
        lot_size: Amount(1_000_000_000_000_000),
        min_price: Ticks(1),
        max_price: Ticks(100_000_000),
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

pub(crate) fn opening(name: &str) -> AccountOpening {
    AccountOpening {
        account_type: AccountType::Spot,
        external_id: label(name),
        owner_id: Some(Id([0x0e; 16])),
        jurisdiction: label("CH"),
        kyc_tier: 1,
        risk_tier: RiskTier::Standard,
        order_tier: OrderTier::Retail,
        api_class: ApiClass::Standard,
        metadata: vec![(label("desk"), label("one"))],
    }
}

/// A limit order of `lots` at `ticks`.
pub(crate) fn order(account: Id, side: Side, ticks: u32, lots: u32) -> OrderRequest {
    OrderRequest {
        account,
        client_order_id: None,
        symbol: SymbolRef::Listed(1),
        side,
        order_type: OrderType::Limit,
        quantity: Amount(market().lot_size.0 * i128::from(lots)),
        price: Some(Amount(market().tick_size.0 * i128::from(ticks))),
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

pub(crate) fn deposit(account: Id, asset: u32, units: i64) -> Command {
    Command::Deposit(LedgerEntry {
        account,
        asset: AssetRef::Listed(asset),
        amount: Amount::from_units(units),
        reference: Id([5; 16]),
    })
}

pub(crate) fn place(account: Id, side: Side, ticks: u32, lots: u32) -> Request {
    request(Command::PlaceOrder(order(account, side, ticks, lots)))
}

/// Submits and waits.
pub(crate) fn submit(port: &InProcess, request: Request) -> Reply {
    block_on(port.submit(request)).expect("the shard runs")
}

/// What was created.
pub(crate) fn created(reply: &Reply) -> Id {
    match reply.outcome {
        Outcome::Done { created: Some(id) } | Outcome::Accepted { order: id } => id,
        other => panic!("nothing was created: {other:?}"),
    }
}

/// Asks for a view that has reached an event.
pub(crate) fn ask(port: &InProcess, query: Query, min_sequence: u64) -> Seen {
    let seen = block_on(port.query(query, min_sequence, Duration::from_secs(60)));
    let seen = seen.expect("reached in time");
    assert!(seen.sequence >= min_sequence);
    seen
}

pub(crate) fn health(port: &InProcess) -> port::HealthView {
    match ask(port, Query::Health, 0).view {
        View::Health(health) => health,
        other => panic!("no health: {other:?}"),
    }
}

/// The operator confirms the clock, under a key of this number.
pub(crate) fn confirm_clock(port: &InProcess, number: u64) {
    let reply = operate(port, number, |by| Command::ConfirmClock(label("ops-1"), by));
    assert_eq!(reply.outcome, Outcome::Done { created: None });
}

/// What comes of an operator's command, signed for an hour of exchange time.
pub(crate) fn operate(
    port: &InProcess,
    number: u64,
    command: impl Fn(Operator) -> Command,
) -> Reply {
    let valid_until = Timestamp(port.clock().now().0 + 3_600_000_000_000);
    submit(port, signed_until(valid_until, number, command))
}

/// The operator lets trading go on, under a key of this number.
pub(crate) fn resume_trading(port: &InProcess, number: u64) {
    let reply = operate(port, number, |by| Command::ResumeTrading(label("ops-1"), by));
    assert_eq!(reply.outcome, Outcome::Done { created: None });
}

/// The answer of a shard that may be stopped.
pub(crate) fn try_submit(port: &InProcess, request: Request) -> Result<Reply, PortFault> {
    block_on(port.submit(request))
}

/// Lists BTC/USDT and opens so many accounts with money; answers their ids.
pub(crate) fn open_venue(port: &InProcess, accounts: usize) -> Vec<Id> {
    let list = |number, symbol| signed(number, move |by| Command::ListAsset(asset(symbol), by));
    created(&submit(port, list(u64::MAX, "BTC")));
    created(&submit(port, list(u64::MAX - 1, "USDT")));
    let listing = signed(u64::MAX - 2, |by| Command::ListMarket(market(), by));
    created(&submit(port, listing));
    let open = |number: usize| {
        let opening = opening(&format!("trader-{number}"));
        let account = created(&submit(port, request(Command::CreateAccount(opening))));
        for asset in [1, 2] {
            let reply = submit(port, request(deposit(account, asset, 1_000_000_000)));
            assert_eq!(reply.outcome, Outcome::Done { created: None });
        }
        account
    };
    (0..accounts).map(open).collect()
}
