//! Throughput and latency of one engine in this process, durable, on this machine's disk.
//!
//! `cargo run --release -p engine --example throughput -- [COMMANDS] [BATCH] [WINDOW] [RATE] [keyed|plain]`
//!
//! Sends the seeded benchmark stream (`testkit::stream`): COMMANDS commands in batches of BATCH, at most
//! WINDOW batches unanswered. With RATE 0 the next batch is sent as soon as the window allows; otherwise
//! at RATE commands a second, and a batch's latency counts from the time at which it should have been
//! sent, so that a slow engine cannot hide behind a sender that waits for it. Every latency is from
//! sending to the released, durable answer. `keyed` gives each command a gateway's idempotency key, as
//! the gateway does.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ed25519_dalek::{Signer, SigningKey};
use engine::{Config, Engine, InProcess};
use journal::DataFolder;
use port::{Port, PortFault, Request};
use schema::{
    AccountOpening, AccountType, ApiClass, AssetRef, AssetTerms, CancelOrder, Command, FeeTier,
    Genesis, Key, KeyOrigin, Label, LedgerEntry, MarketKind, MarketTerms, Matching, Operator,
    OrderRequest, OrderTier, OrderType, Outcome, Reply, RiskTier, SelfTrade, SymbolRef,
    TimeInForce, signed_bytes,
};
use testkit::stream::{Op, Stream};
use units::{Amount, Id, Lots, Rate, Side, Ticks, Timestamp};

type Answers = Pin<Box<dyn Future<Output = Result<Vec<Reply>, PortFault>> + Send>>;

/// What was asked for on the command line.
struct Options {
    commands: usize,
    batch: usize,
    window: usize,
    rate: u64,
    keyed: bool,
}

/// A batch that is not answered yet.
struct Flight {
    answers: Answers,
    /// Numbers of the orders that its commands place.
    placed: Vec<Option<u32>>,
    sent: Instant,
}

/// Commands that are sent together.
#[derive(Default)]
struct Batch {
    requests: Vec<Request>,
    placed: Vec<Option<u32>>,
    /// When it should be sent.
    due: Option<Instant>,
}

/// The sender's side of a run.
struct Run {
    port: InProcess,
    options: Options,
    accounts: Vec<Id>,
    orders: Vec<Option<(Id, Id)>>,
    owners: Vec<u32>,
    flights: VecDeque<Flight>,
    latencies: Vec<Duration>,
    next_key: u64,
}

fn main() {
    let options = read_options();
    let folder = tempfile::tempdir().expect("a folder for the run");
    let data = DataFolder::open(folder.path()).expect("an empty folder");
    let config = Config { genesis: Some(genesis()), ..Config::default() };
    let engine = Engine::start(config, data).expect("starts");
    let accounts = open_venue(&engine.port(), 1_000);
    let script = Stream::new(1, options.commands).script();
    let ids = script.ids as usize;
    let mut run = Run {
        port: engine.port(),
        options,
        accounts,
        orders: vec![None; ids],
        owners: vec![0; ids],
        flights: VecDeque::new(),
        latencies: Vec::with_capacity(script.ops.len()),
        next_key: 0,
    };
    run.send_all(&script.ops[..script.prefill], 0);
    run.latencies.clear();
    let before = Counts::read(&engine);
    let began = Instant::now();
    let rate = run.options.rate;
    run.send_all(&script.ops[script.prefill..], rate);
    let took = began.elapsed();
    run.report(script.ops.len() - script.prefill, took);
    Counts::read(&engine).report(&before);
    let lag = engine.metrics().shadow_lag();
    let began = Instant::now();
    let stopped = engine.stop();
    println!(
        "view behind at the end: {lag} events; caught up and stopped in {:?}",
        began.elapsed()
    );
    let began = Instant::now();
    let data = DataFolder::open(folder.path()).expect("free again");
    let again = Engine::start(Config::default(), data).expect("recovers");
    let report = again.recovery();
    assert_eq!(report.event_sequence, stopped.event_sequence);
    println!(
        "recovery: {} commands, {} events in {:?} (start {:?})",
        report.command_sequence,
        report.event_sequence,
        report.took,
        began.elapsed()
    );
}

fn read_options() -> Options {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: u64| {
        args.get(at).map_or(default, |text| text.parse().expect("a number"))
    };
    let size = |at, default| usize::try_from(number(at, default)).expect("small");
    Options {
        commands: size(0, 1_000_000),
        batch: size(1, 50),
        window: size(2, 40),
        rate: number(3, 0),
        keyed: args.get(4).is_none_or(|word| word == "keyed"),
    }
}

impl Run {
    fn send_all(&mut self, ops: &[Op], rate: u64) {
        let began = Instant::now();
        let mut batch = Batch::default();
        for (index, op) in ops.iter().enumerate() {
            if batch.requests.is_empty() && rate > 0 {
                let due = began + Duration::from_nanos(index as u64 * 1_000_000_000 / rate);
                self.wait_for(due);
                batch.due = Some(due);
            }
            self.add(*op, &mut batch);
            if batch.requests.len() >= self.options.batch {
                self.send(&mut batch);
            }
        }
        self.send(&mut batch);
        while !self.flights.is_empty() {
            self.collect();
        }
    }

    fn send(&mut self, batch: &mut Batch) {
        if batch.requests.is_empty() {
            return;
        }
        while self.flights.len() >= self.options.window {
            self.collect();
        }
        let Batch { requests, placed, due } = std::mem::take(batch);
        let sent = due.unwrap_or_else(Instant::now);
        let answers = self.port.submit_all(requests);
        self.flights.push_back(Flight { answers, placed, sent });
    }

    /// Takes answers until it is time to send.
    fn wait_for(&mut self, time: Instant) {
        loop {
            let left = time.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let Some(flight) = self.flights.front_mut() else {
                thread::park_timeout(left);
                continue;
            };
            let waker = Waker::from(Arc::new(Unpark(thread::current())));
            match flight.answers.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(answers) => self.take(answers),
                Poll::Pending => thread::park_timeout(left),
            }
        }
    }

    /// Waits for the oldest batch.
    fn collect(&mut self) {
        let flight = self.flights.front_mut().expect("one is out");
        let answers = block_on(flight.answers.as_mut());
        self.take(answers);
    }

    fn take(&mut self, answers: Result<Vec<Reply>, PortFault>) {
        let flight = self.flights.pop_front().expect("one is out");
        let latency = flight.sent.elapsed();
        for (reply, placed) in answers.expect("the shard keeps up").iter().zip(flight.placed) {
            self.latencies.push(latency);
            match (reply.outcome, placed) {
                (Outcome::Accepted { order }, Some(number)) => {
                    let account = self.accounts[self.owners[number as usize] as usize];
                    self.orders[number as usize] = Some((account, order));
                }
                (Outcome::Done { .. }, None) => {}
                other => panic!("the stream is sound: {other:?}"),
            }
        }
    }

    fn add(&mut self, op: Op, batch: &mut Batch) {
        let (command, number) = match op {
            Op::Add { id, account, side, ticks, lots } => {
                (self.place(id, account, (side, ticks, lots), TimeInForce::Gtc), Some(id))
            }
            Op::Take { id, account, side, ticks, lots } => {
                (self.place(id, account, (side, ticks, lots), TimeInForce::Ioc), Some(id))
            }
            Op::Cancel { id } | Op::Reduce { id } => {
                let (account, order) = self.known(id, batch);
                (Command::CancelOrder(CancelOrder { account, order, state_seq: None }), None)
            }
        };
        let request = self.request(command);
        batch.requests.push(request);
        batch.placed.push(number);
    }

    /// Account and id of an order, once its answer has come; sends the batch early if it is in there.
    fn known(&mut self, number: u32, batch: &mut Batch) -> (Id, Id) {
        loop {
            if let Some(known) = self.orders[number as usize] {
                return known;
            }
            if self.flights.is_empty() {
                self.send(batch);
            }
            self.collect();
        }
    }

    fn place(
        &mut self,
        id: u32,
        account: u32,
        (side, ticks, lots): (Side, Ticks, Lots),
        time_in_force: TimeInForce,
    ) -> Command {
        self.owners[id as usize] = account;
        Command::PlaceOrder(OrderRequest {
            account: self.accounts[account as usize],
            client_order_id: None,
            symbol: SymbolRef::Listed(1),
            side,
            order_type: OrderType::Limit,
            quantity: Amount(LOT.0 * i128::from(lots.0)),
            price: Some(Amount(TICK.0 * i128::from(ticks.0))),
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

    fn request(&mut self, command: Command) -> Request {
        if !self.options.keyed {
            return Request { correlation: Id([1; 16]), key: None, command, account_version: None };
        }
        self.next_key += 1;
        let origin = KeyOrigin::Gateway { valid_until: from_now(50) };
        key_request(self.next_key, origin, command)
    }

    fn report(&mut self, commands: usize, took: Duration) {
        self.latencies.sort_unstable();
        let at = |share: usize| self.latencies[(self.latencies.len() - 1) * share / 10_000];
        println!(
            "{commands} commands in {took:?}: {} a second",
            commands as u128 * 1_000_000 / took.as_micros().max(1)
        );
        println!(
            "latency p50 {:?}, p90 {:?}, p99 {:?}, p99.9 {:?}, max {:?}",
            at(5_000),
            at(9_000),
            at(9_900),
            at(9_990),
            at(10_000)
        );
    }
}

/// What the engine counts.
struct Counts {
    records: u64,
    commands: u64,
    events: u64,
    command_bytes: u64,
    event_bytes: u64,
    syncs: u64,
    sync_nanos: u64,
    sync_nanos_max: u64,
}

impl Counts {
    fn read(engine: &Engine) -> Self {
        let metrics = engine.metrics();
        Self {
            records: metrics.record_count.value(),
            commands: metrics.command_sequence.value(),
            events: metrics.event_sequence.value(),
            command_bytes: metrics.command_bytes.value(),
            event_bytes: metrics.event_bytes.value(),
            syncs: metrics.sync_count.value(),
            sync_nanos: metrics.sync_nanos.value(),
            sync_nanos_max: metrics.sync_nanos_max.value(),
        }
    }

    fn report(&self, before: &Self) {
        let commands = self.commands - before.commands;
        let records = (self.records - before.records).max(1);
        let syncs = (self.syncs - before.syncs).max(1);
        println!(
            "{} commands a record, {} a sync of {:?} (longest {:?}); {} bytes of command, {} bytes of events, {} \
             events for 100 commands",
            commands / records,
            commands / syncs,
            Duration::from_nanos((self.sync_nanos - before.sync_nanos) / syncs),
            Duration::from_nanos(self.sync_nanos_max),
            (self.command_bytes - before.command_bytes) / commands,
            (self.event_bytes - before.event_bytes) / commands,
            (self.events - before.events) * 100 / commands,
        );
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
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

fn from_now(seconds: i64) -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_nanos();
    Timestamp(i64::try_from(now).expect("before 2262") + seconds * 1_000_000_000)
}

fn label(text: &str) -> Label {
    Label::new(text).expect("short")
}

fn operator() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn genesis() -> Genesis {
    let (above, maker, taker) = (Amount::ZERO, Rate(100_000), Rate(200_000));
    Genesis {
        venue_id: Id([9; 16]),
        shard: 0,
        operator_key: operator().verifying_key().to_bytes(),
        key_count_max: 20_000_000,
        fee_tiers: vec![FeeTier { above, maker, taker }],
    }
}

fn key_request(number: u64, origin: KeyOrigin, command: Command) -> Request {
    let mut key_hash = [0; 16];
    // As a hash would be: every bit depends on the number.
    key_hash[..8].copy_from_slice(&number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes());
    key_hash[8..].copy_from_slice(&number.wrapping_mul(0xD1B5_4A32_D192_ED03).to_be_bytes());
    let key = Key { key_hash, body_hash: key_hash, origin, text: None };
    Request { correlation: Id([1; 16]), key: Some(key), command, account_version: None }
}

fn signed(number: u64, command: impl Fn(Operator) -> Command) -> Request {
    let valid_until = from_now(3_600);
    let unsigned = command(Operator { valid_until, signature: [0; 64] });
    let mut request = key_request(number, KeyOrigin::Client, unsigned);
    let key = request.key.expect("keyed");
    let bytes = signed_bytes(genesis().venue_id, &key, valid_until, &request.command);
    let signature = operator().sign(&bytes).to_bytes();
    request.command = command(Operator { valid_until, signature });
    request
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

fn market() -> MarketTerms {
    MarketTerms {
        symbol: label("BTC/USDT"),
        kind: MarketKind::Spot,
        base: label("BTC"),
        quote: label("USDT"),
        tick_size: TICK,
        lot_size: LOT,
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

fn opening(number: usize) -> AccountOpening {
    AccountOpening {
        account_type: AccountType::Spot,
        external_id: label(&format!("trader-{number}")),
        owner_id: None,
        jurisdiction: label("CH"),
        kyc_tier: 1,
        risk_tier: RiskTier::Standard,
        order_tier: OrderTier::Retail,
        api_class: ApiClass::Standard,
        metadata: Vec::new(),
    }
}

/// Lists BTC/USDT and opens so many accounts with money; answers their ids.
fn open_venue(port: &InProcess, accounts: usize) -> Vec<Id> {
    let submit = |request| block_on(port.submit(request)).expect("the shard runs");
    let created = |request| match submit(request).outcome {
        Outcome::Done { created: Some(id) } => id,
        other => panic!("nothing was created: {other:?}"),
    };
    let plain =
        |command| Request { correlation: Id([1; 16]), key: None, command, account_version: None };
    created(signed(u64::MAX, |by| Command::ListAsset(asset("BTC"), by)));
    created(signed(u64::MAX - 1, |by| Command::ListAsset(asset("USDT"), by)));
    created(signed(u64::MAX - 2, |by| Command::ListMarket(market(), by)));
    let open = |number: usize| {
        let account = created(plain(Command::CreateAccount(opening(number))));
        for asset in [1, 2] {
            let (asset, amount) = (AssetRef::Listed(asset), Amount::from_units(1_000_000_000_000));
            let entry = LedgerEntry { account, asset, amount, reference: Id([5; 16]) };
            let reply = submit(plain(Command::Deposit(entry)));
            assert_eq!(reply.outcome, Outcome::Done { created: None });
        }
        account
    };
    (0..accounts).map(open).collect()
}

const TICK: Amount = Amount(10_000_000_000_000_000);
const LOT: Amount = Amount(1_000_000_000_000_000);
