//! The tools that replay a data folder, on folders that an engine in this process left.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Output};
use std::sync::Arc;
use std::time::Duration;

use ed25519_dalek::{Signer as _, SigningKey};
use engine::{Config, Engine, InProcess, SnapshotPolicy, Storage, SystemClock};
use journal::{DataFolder, Preparation, SegmentOptions};
use port::{Port as _, Query, Request, View};
use schema::{
    AccountOpening, AccountType, ApiClass, AssetRef, AssetTerms, CancelOrder, Command, Genesis,
    Key, KeyOrigin, Label, LedgerEntry, MarketKind, MarketTerms, Matching, Operator, OrderRequest,
    OrderTier, OrderType, Outcome, Reply, RiskTier, SelfTrade, SymbolRef, TimeInForce,
    signed_bytes,
};
use serde_json::Value;
use tempfile::TempDir;
use units::{Amount, Id, Lots, Rate, Side, Ticks, Timestamp};

const VENUE: Id = Id([9; 16]);

/// An exchange on a folder, stopped by its drop.
struct Exchange {
    engine: Engine,
    keys: u64,
    runtime: tokio::runtime::Runtime,
}

fn label(text: &str) -> Label {
    Label::new(text).expect("short")
}

fn operator() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

impl Exchange {
    /// Snapshots are taken every so many events.
    fn start(folder: &Path, snapshot_events: u64) -> Self {
        let options = SegmentOptions { size: 1 << 20, preparation: Preparation::Inline };
        let storage = Storage::open(DataFolder::open(folder).expect("usable"), options);
        let genesis = Genesis {
            venue_id: VENUE,
            shard: 0,
            operator_key: operator().verifying_key().to_bytes(),
            key_count_max: 1_000,
            fee_tiers: fees::default_tiers(),
        };
        let hour = Duration::from_secs(3_600);
        let snapshots = SnapshotPolicy {
            events: snapshot_events,
            interval: hour,
            checkpoint: hour,
            count: 100,
        };
        let config = Config {
            genesis: Some(genesis),
            snapshots,
            tick_interval: Duration::MAX,
            ..Config::default()
        };
        let clock = Arc::new(SystemClock::new());
        let engine = Engine::start_with(config, storage.expect("sound"), clock).expect("starts");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Self { engine, keys: 0, runtime: runtime.expect("a runtime") }
    }

    fn port(&self) -> InProcess {
        self.engine.port()
    }

    fn submit(&self, command: Command) -> Reply {
        let correlation = Id([1; 16]);
        let request = Request { correlation, key: None, account_version: None, command };
        self.runtime.block_on(self.port().submit(request)).expect("the shard runs")
    }

    fn signed(&mut self, command: impl Fn(Operator) -> Command) -> Reply {
        self.keys += 1;
        let mut key_hash = [0; 16];
        key_hash[..8].copy_from_slice(&self.keys.to_le_bytes());
        let key = Key { key_hash, body_hash: [1; 16], origin: KeyOrigin::Client, text: None };
        let now = self.port().clock().now();
        let valid_until = Timestamp(now.0 + 3_600_000_000_000);
        let body = command(Operator { valid_until, signature: [0; 64] });
        let bytes = signed_bytes(VENUE, &key, valid_until, &body);
        let signature = operator().sign(&bytes).to_bytes();
        let command = command(Operator { valid_until, signature });
        let correlation = Id([2; 16]);
        let request = Request { correlation, key: Some(key), account_version: None, command };
        self.runtime.block_on(self.port().submit(request)).expect("the shard runs")
    }

    /// Lists BTC/USDT and opens two accounts with money.
    fn open_venue(&mut self) -> [Id; 2] {
        for symbol in ["BTC", "USDT"] {
            let terms = AssetTerms {
                symbol: label(symbol),
                name: label(symbol),
                decimals: 8,
                is_collateral: false,
                collateral_weight: Rate(0),
                networks: Vec::new(),
            };
            created(&self.signed(|by| Command::ListAsset(terms.clone(), by)));
        }
        let terms = MarketTerms {
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
            open_orders_max: 200,
            fee_tiers: Vec::new(),
            post_only_until: None,
        };
        created(&self.signed(|by| Command::ListMarket(terms.clone(), by)));
        ["alice", "bob"].map(|name| {
            let opening = AccountOpening {
                account_type: AccountType::Spot,
                external_id: label(name),
                owner_id: None,
                jurisdiction: label("CH"),
                kyc_tier: 1,
                risk_tier: RiskTier::Standard,
                order_tier: OrderTier::Retail,
                api_class: ApiClass::Standard,
                metadata: Vec::new(),
            };
            let account = created(&self.submit(Command::CreateAccount(opening)));
            for asset in [1, 2] {
                self.deposit(account, asset, 10_000);
            }
            account
        })
    }

    fn deposit(&self, account: Id, asset: u32, units: i64) {
        let entry = LedgerEntry {
            account,
            asset: AssetRef::Listed(asset),
            amount: Amount::from_units(units),
            reference: Id([5; 16]),
        };
        let _ = self.submit(Command::Deposit(entry));
    }

    fn order(&self, account: Id, side: Side, (ticks, lots): (i128, i128), name: &str) -> Reply {
        self.submit(Command::PlaceOrder(OrderRequest {
            account,
            client_order_id: Some(label(name)),
            symbol: SymbolRef::Listed(1),
            side,
            order_type: OrderType::Limit,
            quantity: Amount(1_000_000_000_000_000 * lots),
            by_quote: false,
            price: Some(Amount(10_000_000_000_000_000 * ticks)),
            time_in_force: TimeInForce::Gtc,
            expire_at: None,
            post_only: false,
            reduce_only: false,
            self_trade: SelfTrade::CancelIncoming,
            trigger: None,
            oco_with: None,
            position_side: None,
        }))
    }

    /// Rounds of trading that leave something open, part filled and canceled.
    fn trade(&self, [alice, bob]: [Id; 2], rounds: i128) {
        for round in 0..rounds {
            let bid = created(&self.order(alice, Side::Buy, (1_000 + round % 7, 5), "bid"));
            let _ = self.order(bob, Side::Sell, (1_000, 1 + round % 6), "ask");
            if round % 3 == 0 {
                let cancel = CancelOrder { account: alice, order: bid, state_seq: None };
                let _ = self.submit(Command::CancelOrder(cancel));
            }
        }
    }

    /// Status and filled quantity of an order as the node tells, from the view or the archive.
    fn told(&self, order: Id) -> (String, String) {
        let asked = self.port().query(Query::Order(order), 0, Duration::from_secs(60));
        match self.runtime.block_on(asked).expect("answered").view {
            View::Order(Some(it)) => (it.state.name().to_owned(), it.filled_quantity.to_string()),
            other => panic!("no order: {other:?}"),
        }
    }

    /// The last event.
    fn stop(self) -> u64 {
        self.engine.stop().event_sequence
    }
}

fn created(reply: &Reply) -> Id {
    match reply.outcome {
        Outcome::Done { created: Some(id) }
        | Outcome::Accepted { order: id }
        | Outcome::Rejected { order: id, .. } => id,
        other => panic!("nothing was created: {other:?}"),
    }
}

/// A folder in which something was traded, and its last event.
fn traded(rounds: i128, snapshot_events: u64) -> (TempDir, u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut exchange = Exchange::start(&folder.path().join("data"), snapshot_events);
    let accounts = exchange.open_venue();
    exchange.trade(accounts, rounds);
    let last = exchange.stop();
    (folder, last)
}

fn dex(folder: &Path, args: &[&str]) -> Output {
    let mut command = Process::new(env!("CARGO_BIN_EXE_dex"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("DEX_")) {
        command.env_remove(name);
    }
    command.current_dir(folder).args(args).output().expect("it starts")
}

/// What a tool prints as JSON, and its status.
fn json(folder: &Path, args: &[&str]) -> (Value, i32) {
    let output = dex(folder, &[args, &["--json"]].concat());
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let value = serde_json::from_slice(&output.stdout);
    (value.unwrap_or_else(|_| panic!("{args:?}: {told}")), output.status.code().expect("an end"))
}

/// As `json`, of a tool that finds everything equal.
fn equal(folder: &Path, args: &[&str]) -> Value {
    let (value, status) = json(folder, args);
    assert_eq!(status, 0, "{args:?}: {value:#}");
    value
}

/// Every file with its content.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            found.push((path.clone(), fs::read(&path).expect("readable")));
        }
    }
    found.sort();
    found
}

/// A rejection is told with its reason and message, the check that failed, the balance and the limits at that
/// moment, and the ids of the events that they come from.
/// covers: RPL-64
#[test]
fn a_rejection_is_explained_with_its_evidence() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut exchange = Exchange::start(&folder.path().join("data"), u64::MAX);
    let [alice, bob] = exchange.open_venue();
    exchange.trade([alice, bob], 3);
    let rejected = created(&exchange.order(alice, Side::Buy, (99_000, 900_000), "too-large"));
    exchange.trade([alice, bob], 3);
    exchange.deposit(alice, 2, 5);
    let _ = exchange.stop();
    let folder = folder.path();
    let id = rejected.to_string();
    let told = equal(folder, &["explain", &id, "data"]);
    let named = equal(folder, &["explain", "too-large", "data", "--account", "alice"]);
    assert_eq!(told, named);
    assert_eq!(
        (&told["account"], told["steps"].as_array().map(Vec::len)),
        (&"alice".into(), Some(2))
    );
    let step = &told["steps"][1];
    assert_eq!(step["event"]["event_type"], "OrderRejected");
    assert_eq!(step["event"]["payload"]["reason"], "INSUFFICIENT_BALANCE");
    assert_eq!(step["failed_check"]["step"], 9);
    let rules: Vec<&str> = step["rules"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|it| it["id"].as_str())
        .collect();
    assert_eq!(rules, ["LIFE-8", "LIFE-11", "LIFE-10"]);
    let figures = step["moment"]["figures"].as_array().expect("a list");
    let figure = |name: &str| {
        figures.iter().find(|it| it["name"] == name).unwrap_or_else(|| panic!("{name}"))
    };
    // The balance is the one of the message, and that of the whole state then, not a later one.
    let behind = step["moment"]["behind_event"].to_string();
    let state = equal(folder, &["state", "data", "--at", &behind, "--account", "alice"]);
    let balances = state["accounts"][0]["balances"].as_array().expect("a list");
    let usdt = balances.iter().find(|it| it["asset"] == "USDT").expect("she has some");
    assert_eq!(figure("USDT available")["value"], usdt["available"]);
    assert_eq!(figure("USDT locked")["value"], usdt["locked"]);
    let message = step["event"]["payload"]["message"].as_str().expect("a text");
    let available = usdt["available"].as_str().expect("a text");
    assert!(message.starts_with(&format!("available {available} USDT")), "{message}");
    assert_eq!(figure("open orders in the market")["value"], "2 of 200");
    assert_eq!(figure("price")["value"], "0.01 to 1000000 in steps of 0.01");
    // Each event is there, and is the last before the rejection that set the figure.
    let log = dex(folder, &["log", "data", "--json", "--to", &behind]);
    let text = String::from_utf8(log.stdout).expect("text");
    let events: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let of = |id: &Value| events.iter().find(|event| event["event_id"] == *id).expect("there");
    let balance = of(&figure("USDT available")["event_id"]);
    let moves = ["BalanceUpdated", "MarginReserved", "MarginReleased"];
    let is_usdt_of_alice = |event: &&Value| {
        let kind = event["event_type"].as_str().unwrap_or_default();
        let text = event["payload"].to_string();
        moves.contains(&kind) && text.contains(&alice.to_string()) && text.contains("USDT")
    };
    assert_eq!(events.iter().rfind(is_usdt_of_alice), Some(balance));
    assert_eq!(of(&figure("price")["event_id"])["event_type"], "MarketListed");
    assert_eq!(of(&figure("account status")["event_id"])["event_type"], "AccountCreated");
    let strange = dex(folder, &["explain", &alice.to_string(), "data"]);
    assert_eq!(strange.status.code(), Some(1), "an account is no order");
}

/// A whole replay compares the recorded hashes and comes to the state of the other replay; one from a moment begins
/// at the latest snapshot at or before it, and one to a moment ends behind the last event that was whole by then.
/// covers: RPL-5, RPL-28, RPL-29, RPL-30
#[test]
fn a_replay_begins_at_a_snapshot_and_ends_where_it_is_told() {
    let (folder, last) = traded(300, 700);
    let folder = folder.path();
    let whole = equal(folder, &["replay", "data"]);
    assert_eq!((&whole["event_sequence"], &whole["snapshot"]), (&last.into(), &0.into()));
    assert!(whole["recorded_hashes_compared"].as_u64().is_some_and(|count| count > 1), "{whole}");
    let verified = equal(folder, &["verify", "data"]);
    assert_eq!(whole["state_hash"], verified["state_hash_from_commands"]);
    let mut snapshots: Vec<u64> = contents(&folder.join("data/snapshots"))
        .iter()
        .filter_map(|(path, _)| path.file_stem()?.to_str()?.parse().ok())
        .collect();
    snapshots.sort_unstable();
    assert!(snapshots.len() >= 2, "{snapshots:?}");
    let (first, second) = (snapshots[0], snapshots[1]);
    for (from, begun) in [(first - 1, 0), (first, first), (second - 1, first), (second, second)] {
        let part = equal(folder, &["replay", "data", "--from", &from.to_string()]);
        assert_eq!((&part["snapshot"], &part["behind_event"]), (&begun.into(), &begun.into()));
        assert_eq!(part["state_hash"], whole["state_hash"], "from {from}");
    }
    // To an event, and to its very time, from the start and from a snapshot; the state tool says the same.
    let log = dex(folder, &["log", "data", "--json", "--type", "OrderAccepted"]);
    let text = String::from_utf8(log.stdout).expect("text");
    let events = text.lines().skip(400).take(3);
    for event in events.map(|line| serde_json::from_str::<Value>(line).expect("JSON")) {
        let sequence = event["sequence"].to_string();
        let to = equal(folder, &["replay", "data", "--to", &sequence]);
        let reached = to["event_sequence"].as_u64().expect("a number");
        assert!(reached <= event["sequence"].as_u64().expect("a number"));
        let at = reached.to_string();
        let nanos = to["timestamp_nanos"].as_i64().expect("a time");
        let seconds = &to["timestamp"].as_str().expect("a time")[..19];
        let moment = &format!("{seconds}.{:09}Z", nanos % 1_000_000_000);
        for (tool, flag) in [("replay", "--to"), ("state", "--at")] {
            let by_number = equal(folder, &[tool, "data", flag, &at]);
            let by_time = equal(folder, &[tool, "data", flag, moment]);
            assert_eq!(by_number["state_hash"], to["state_hash"], "{tool} {at}");
            assert_eq!(by_time["event_sequence"], to["event_sequence"], "{tool} {moment}");
            assert_eq!(by_time["state_hash"], to["state_hash"], "{tool} {moment}");
            // A nanosecond earlier the command was not whole.
            let before = format!("{seconds}.{:09}Z", nanos % 1_000_000_000 - 1);
            let by_time = equal(folder, &[tool, "data", flag, &before]);
            assert!(by_time["event_sequence"].as_u64() < Some(reached), "{tool} {before}");
        }
    }
    let report = folder.join("report.json");
    let path = report.to_str().expect("text");
    let _ = equal(folder, &["replay", "data", "--report", path]);
    let written: Value = serde_json::from_slice(&fs::read(report).expect("written")).expect("JSON");
    assert_eq!(written["state_hash"], whole["state_hash"]);
    let empty = dex(folder, &["replay", "data", "--from", "9", "--to", "8"]);
    assert_eq!(empty.status.code(), Some(1));
}

/// A target is a folder of its own in which both logs are sound up to the moment; the original is as it was, and
/// a folder that holds something is refused.
/// covers: RPL-27
#[test]
fn a_target_is_a_store_of_its_own() {
    let (folder, last) = traded(40, u64::MAX);
    let folder = folder.path();
    let before = contents(&folder.join("data"));
    let middle = (last / 2).to_string();
    let made = equal(folder, &["replay", "data", "--to", &middle, "--target", "then"]);
    let verified = equal(folder, &["verify", "then"]);
    assert_eq!(verified["events"], made["target"]["event_sequence"]);
    let end = verified["events"].to_string();
    let there = equal(folder, &["state", "data", "--at", &end]);
    assert_eq!(there["state_hash"], verified["state_hash_from_events"]);
    let all = equal(folder, &["replay", "data", "--target", "all"]);
    assert_eq!(equal(folder, &["verify", "all"])["state_hash_from_commands"], all["state_hash"]);
    let again = dex(folder, &["replay", "data", "--target", "all"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(contents(&folder.join("data")) == before, "the original is as it was");
}

/// A job ends with 0 where all is equal, with a snapshot and with another folder, and with another status and every
/// field that differs where it is not; the likely cause is told apart.
/// covers: RPL-45, RPL-48, RPL-49
#[test]
fn what_differs_is_told_by_entity_and_field() {
    let (folder, last) = traded(120, 300);
    let folder = folder.path();
    let snapshots = contents(&folder.join("data/snapshots"));
    let snapshot = snapshots[0].0.to_str().expect("text");
    let compared = equal(folder, &["replay", "data", "--compare", snapshot]);
    assert_eq!(
        (&compared["compared"], &compared["differences"]),
        (&true.into(), &Value::Array(vec![]))
    );
    // Another exchange with the same commands but one deposit.
    let mut other = Exchange::start(&folder.join("other"), u64::MAX);
    let accounts = other.open_venue();
    other.deposit(accounts[0], 2, 7);
    other.trade(accounts, 125);
    assert!(other.stop() > last);
    let (differs, status) = json(folder, &["replay", "data", "--compare", "other"]);
    assert_eq!((status, &differs["equal"]), (3, &false.into()));
    let fields = differs["differences"].as_array().expect("a list");
    let wanted = |it: &&Value| it["entity"] == "balance alice USDT" && it["field"] == "available";
    let balance = fields.iter().find(wanted).expect("it is there");
    let [here, there] = [0, 1].map(|side| {
        balance["values"][side].as_str().expect("an amount").parse::<Amount>().expect("one")
    });
    assert_ne!(here, there);
    assert!(differs["likely_cause"].as_str().is_some_and(|it| it.starts_with("a fault of logic")));
    let (shorter, longer) = (json(folder, &["replay", "data", "--compare", "data"]).1, last);
    assert_eq!((shorter, longer), (0, last));
    // One byte of the log.
    let path = folder.join("data/events/00000000000000000001.segment");
    let mut bytes = fs::read(&path).expect("there");
    bytes[5_000] ^= 1;
    fs::write(&path, &bytes).expect("written");
    let (damaged, status) = json(folder, &["replay", "data"]);
    assert_eq!(status, 3);
    assert!(
        damaged["likely_cause"].as_str().is_some_and(|it| it.starts_with("missing or damaged"))
    );
    let findings = damaged["log_findings"].as_array().expect("a list");
    assert!(findings[0].as_str().is_some_and(|it| it.contains("00000000000000000001.segment")));
    assert_eq!(fs::read(&path).expect("there"), bytes, "and left as it is");
}

/// Accounts, orders and the market, rebuilt from the events that list them, are those of the whole state at each
/// event that is asked for; orders that have ended are those of the archive.
/// covers: RPL-6, RPL-7, RPL-8, EVT-59
#[test]
fn one_entity_is_rebuilt_from_its_own_events() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut exchange = Exchange::start(&folder.path().join("data"), u64::MAX);
    let accounts = exchange.open_venue();
    let mut orders = Vec::new();
    for round in 0..12 {
        let [alice, bob] = accounts;
        let bid = exchange.order(alice, Side::Buy, (1_000 + round, 5), "bid");
        let ask = exchange.order(bob, Side::Sell, (1_004, 1 + round % 7), "ask");
        orders.extend([created(&bid), created(&ask)]);
        if round % 4 == 1 {
            let order = created(&bid);
            let cancel = CancelOrder { account: alice, order, state_seq: None };
            let _ = exchange.submit(Command::CancelOrder(cancel));
        }
    }
    orders.push(created(&exchange.order(accounts[0], Side::Buy, (99_000, 900_000), "refused")));
    let told: Vec<_> = orders[..24].iter().map(|order| exchange.told(*order)).collect();
    let last = exchange.stop();
    let folder = folder.path();
    for (order, (status, filled)) in orders.iter().zip(&told) {
        let rebuilt = equal(folder, &["replay", "data", "--order", &order.to_string()]);
        let of = &rebuilt["rebuilt"];
        assert_eq!(of["status"]["value"], **status, "{order}");
        assert_eq!(of["filled_quantity"]["value"], **filled, "{order}");
    }
    let states: Vec<&String> = told.iter().map(|(status, _)| status).collect();
    for state in ["FILLED", "CANCELED", "PENDING"] {
        assert!(states.iter().any(|it| *it == state), "{state} is not among {states:?}");
    }
    let refused = equal(folder, &["replay", "data", "--order", &orders[24].to_string()]);
    assert_eq!(refused["rebuilt"]["status"]["value"], "REJECTED");
    for to in (last / 3..=last).step_by(23).chain([last]) {
        let to = to.to_string();
        for name in ["alice", "bob"] {
            let one = equal(folder, &["replay", "data", "--account", name, "--to", &to]);
            assert!(one["rebuilt"]["balances"].as_array().is_some_and(|it| it.len() == 2));
        }
        let market = equal(folder, &["replay", "data", "--symbol", "BTC/USDT", "--to", &to]);
        assert_eq!(market["rebuilt"]["open"]["value"], "true");
    }
    a_period_is_told_with_its_events(folder, last);
    let nobody = dex(folder, &["replay", "data", "--account", "nobody"]);
    assert_eq!(nobody.status.code(), Some(1));
}

/// Balances at both ends of a period are those of the state then, and fees the sum of those in its events.
fn a_period_is_told_with_its_events(folder: &Path, last: u64) {
    let from = last / 2;
    let period = ["replay", "data", "--account", "bob", "--from", &from.to_string()];
    let told = equal(folder, &period);
    let begun = told["behind_event"].to_string();
    let available = |at: &str| {
        let state = equal(folder, &["state", "data", "--at", at, "--account", "bob"]);
        let balances = state["accounts"][0]["balances"].as_array().expect("a list").clone();
        balances.into_iter().map(|it| it["available"].clone()).collect::<Vec<_>>()
    };
    let balances = told["rebuilt"]["balances"].as_array().expect("a list");
    let side = |name: &str| -> Vec<Value> {
        balances.iter().map(|it| it["available"][name].clone()).collect()
    };
    assert_eq!(side("opening"), available(&begun));
    assert_eq!(side("closing"), available(&last.to_string()));
    let log = dex(folder, &["log", "data", "--json", "--from", &begun]);
    let text = String::from_utf8(log.stdout).expect("text");
    let events: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let fees = &told["rebuilt"]["fees"][0];
    let mut paid = Amount::ZERO;
    for id in fees["event_ids"].as_array().expect("a list") {
        let event = events.iter().find(|event| event["event_id"] == *id).expect("of the period");
        assert_eq!(event["event_type"], "TradeSettled");
        let trade = &event["payload"]["trade_id"];
        let is_made = |it: &&Value| {
            it["event_type"] == "TradeExecuted" && it["payload"]["trade_id"] == *trade
        };
        let made = events.iter().find(is_made).expect("of the period");
        let bob = &told["rebuilt"]["id"];
        let is_maker = made["payload"]["maker_account_id"] == *bob;
        assert!(is_maker || made["payload"]["taker_account_id"] == *bob);
        let side = if is_maker { "maker_fee" } else { "taker_fee" };
        let fee = event["payload"][side].as_str().expect("an amount");
        paid += fee.parse().expect("one");
    }
    assert!(paid > Amount::ZERO);
    assert_eq!(fees["paid"], paid.to_string());
}

/// What a log is read without is said, and nothing of it is lost: the next start keeps it aside.
#[test]
fn an_unfinished_tail_is_told_and_kept() {
    let (folder, _) = traded(5, u64::MAX);
    let folder = folder.path();
    let path = folder.join("data/commands/00000000000000000001.segment");
    let mut bytes = fs::read(&path).expect("there");
    let end = bytes.iter().rposition(|byte| *byte != 0).expect("something");
    bytes[end] = 0;
    fs::write(&path, &bytes).expect("written");
    // The last sync is gone: the event log is now ahead, which only a person may settle.
    let told = dex(folder, &["log", "data", "--commands"]);
    assert!(told.status.success());
    let text = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(text.contains("the command log ends in an unfinished flush"), "{text}");
    assert_eq!(fs::read(&path).expect("there"), bytes, "a reader cuts nothing");
    let options = SegmentOptions { size: 1 << 20, preparation: Preparation::Inline };
    let opened = Storage::open(DataFolder::open(&folder.join("data")).expect("usable"), options);
    drop(opened.expect("a torn tail is no damage"));
    let all = contents(&folder.join("data/commands"));
    let aside = all.iter().find(|(path, _)| path.extension().is_some_and(|it| it == "cut"));
    let kept = &aside.expect("it is kept").1;
    assert!(bytes.windows(kept.len()).any(|window| window == kept), "as it stood there");
}

/// A log that replays whole has no command to leave out, and is left as it is.
#[test]
fn quarantine_needs_a_command_that_stops_the_log() {
    let (folder, _) = traded(3, u64::MAX);
    let folder = folder.path();
    let before = contents(folder);
    let refused = dex(folder, &["quarantine", "data", "--command", "5"]);
    assert_eq!(refused.status.code(), Some(1));
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(text.contains("the log replays whole"), "{text}");
    assert!(contents(folder) == before);
}
