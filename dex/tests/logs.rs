//! A data folder from the outside: a recording goes through a running exchange over HTTP, then
//! `dex verify` and `dex log` read what it left. Neither may change a byte.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// A `dex run`, killed if the test ends without stopping it.
struct Exchange {
    child: Child,
    url: String,
}

impl Exchange {
    fn start(folder: &Path) -> Self {
        let mut child = dex(folder)
            .args(["run", "--data", "data", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let url = lines.by_ref().map_while(Result::ok).find_map(|line| {
            line.trim().strip_prefix("address").map(|rest| rest.trim().to_owned())
        });
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url: url.expect("it says where it listens") }
    }

    fn stop(mut self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill").success());
        assert!(self.child.wait().expect("it ends").success());
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        // After `stop` there is nothing to kill any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command line, without the settings of whoever runs the tests.
fn dex(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dex"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("DEX_")) {
        command.env_remove(name);
    }
    command.current_dir(folder);
    command
}

fn run(folder: &Path, args: &[&str]) -> Output {
    dex(folder).args(args).output().expect("it starts")
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

fn by_hand(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/by_hand").join(name);
    path.to_str().expect("text").to_owned()
}

/// Replays the recording by hand on a running exchange.
fn flow(folder: &Path, url: &str, more: &[&str]) -> Output {
    let (orders, trades, books) =
        (by_hand("orders.csv"), by_hand("trades.csv"), by_hand("books.csv"));
    let args =
        ["flow", &orders, "--expect", &trades, "--books", &books, "--url", url, "--data", "data"];
    run(folder, &[&args[..], more].concat())
}

/// Every file with its content.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            found.insert(path.clone(), fs::read(&path).expect("readable"));
        }
    }
    found
}

/// The objects of a `dex log --json`.
fn objects(folder: &Path, more: &[&str]) -> Vec<Value> {
    let output = run(folder, &[&["log", "data", "--json"], more].concat());
    assert!(output.status.success(), "{}", err(&output));
    let text = out(&output);
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// A folder with a recording in it, of an exchange that was stopped.
fn recorded() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let exchange = Exchange::start(folder.path());
    let output = flow(folder.path(), &exchange.url, &["--symbol", "SSE/CNY"]);
    let line = out(&output).lines().last().unwrap_or_default().to_owned();
    assert_eq!(line, "trades 5 of 5, books 4 of 4", "{}", err(&output));
    assert!(output.status.success());
    exchange.stop();
    folder
}

/// By number, by time, by type, by account and by symbol, alone and together: each leaves what all events tell of
/// themselves, in order of sequence. A second event with a number that is taken, and so with an id that is
/// taken, is refused by the store.
/// covers: EVT-54
#[test]
fn events_are_read_by_number_time_type_account_and_symbol() {
    let folder = recorded();
    let all = objects(folder.path(), &[]);
    let entity = |event: &Value, kind: &str| -> Vec<String> {
        let entities = event["metadata"]["entities"].as_array().expect("a list").iter();
        let ids = entities.filter(|it| it["kind"] == kind).map(|it| it["id"].as_str());
        ids.map(|id| id.expect("a text").to_owned()).collect()
    };
    let trade = all.iter().find(|it| it["event_type"] == "TradeExecuted").expect("a trade");
    let account = entity(trade, "account")[0].clone();
    let (first, last) = (&all[all.len() / 4], &all[all.len() / 2]);
    let nanos = |event: &Value| event["timestamp"].as_i64().expect("an integer");
    let iso = |event: &Value| {
        let time = units::Timestamp(nanos(event));
        let text = time.to_string();
        // The form of people cuts off below a microsecond; an argument takes all nine decimals.
        format!("{}{:03}Z", text.trim_end_matches('Z'), time.0.rem_euclid(1_000))
    };
    let (since, until) = (iso(first), iso(last));
    let (from, to) = (first["sequence"].to_string(), last["sequence"].to_string());
    let read = |args: &[&str], wanted: &dyn Fn(&Value) -> bool| {
        let expected: Vec<&Value> = all.iter().filter(|event| wanted(event)).collect();
        let found = objects(folder.path(), args);
        assert!(found.iter().eq(expected.iter().copied()), "{args:?}");
        assert!(!found.is_empty() && found.len() < all.len(), "{args:?}: {}", found.len());
        assert!(found.is_sorted_by_key(|event| event["sequence"].as_u64()));
    };
    let by_number = |event: &Value| {
        (first["sequence"].as_u64()..=last["sequence"].as_u64())
            .contains(&event["sequence"].as_u64())
    };
    let by_time = |event: &Value| (nanos(first)..nanos(last)).contains(&nanos(event));
    let by_type = |event: &Value| event["event_type"] == "OrderAccepted";
    let by_account = |event: &Value| entity(event, "account").contains(&account);
    let by_symbol = |event: &Value| entity(event, "symbol") == ["SSE/CNY"];
    read(&["--from", &from, "--to", &to], &by_number);
    read(&["--since", &since, "--until", &until], &by_time);
    read(&["--type", "OrderAccepted"], &by_type);
    read(&["--account", &account], &by_account);
    read(&["--symbol", "SSE/CNY"], &by_symbol);
    let args = ["--account", &account, "--symbol", "SSE/CNY", "--since", &since];
    read(&args, &|it| by_account(it) && by_symbol(it) && nanos(it) >= nanos(first));
    assert!(objects(folder.path(), &["--symbol", "NO/NO"]).is_empty());
    let backwards = run(folder.path(), &["log", "data", "--since", &until, "--until", &since]);
    assert!(err(&backwards).contains("nothing is between them"), "{}", err(&backwards));
    assert!(!run(folder.path(), &["log", "data", "--since", "yesterday"]).status.success());
    assert_taken_numbers(&folder.path().join("data/events"));
}

/// The event log takes no second event under a number of its own, nor one with a gap.
fn assert_taken_numbers(folder: &Path) {
    use journal::{BlockBuilder, BlockNumbers, EventLog, LogFault, SegmentOptions, disk::RealDisk};
    let disk = std::sync::Arc::new(RealDisk);
    let (mut log, opened) = EventLog::open(disk, folder, SegmentOptions::default()).expect("sound");
    let stored: Vec<_> = log.read(1).expect("sound").map(|it| it.expect("sound")).collect();
    for block in stored.iter().step_by(3) {
        let header = *block.header();
        let mut builder = BlockBuilder::begin(header.previous);
        builder.payload().extend_from_slice(block.payload());
        *builder.payload().last_mut().expect("events") ^= 1;
        let second = builder.seal(BlockNumbers {
            first_command: header.first_command,
            last_command: header.last_command,
            first_event: header.first_event,
            event_count: header.event_count,
        });
        let fault = log.append(&second.expect("sound numbers")).expect_err("the number is taken");
        assert!(matches!(fault, LogFault::Differs { .. }), "{fault}");
    }
    assert_eq!(log.end(), opened.end);
}

/// The same trades and books come out over HTTP, in a new market each time.
#[test]
fn a_recording_comes_out_equal_over_http() {
    let folder = tempfile::tempdir().expect("a folder");
    let exchange = Exchange::start(folder.path());
    for _ in 0..2 {
        let output = flow(folder.path(), &exchange.url, &["--json"]);
        let object: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(object["equal"], true, "{object}");
        assert_eq!((&object["trades"]["of"], &object["late_cancels"]), (&5.into(), &1.into()));
    }
    let named = flow(folder.path(), &exchange.url, &["--symbol", "AAA/CNY"]);
    assert!(named.status.success(), "{}", err(&named));
    let again = flow(folder.path(), &exchange.url, &["--symbol", "AAA/CNY"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(err(&again).contains("leave out --symbol"), "{}", err(&again));
    let elsewhere = flow(folder.path(), "http://127.0.0.1:1", &[]);
    assert!(err(&elsewhere).contains("cannot connect"), "{}", err(&elsewhere));
    exchange.stop();
}

/// Both replays give one state, and nothing is written; a folder in use is refused with what to do.
#[test]
fn a_stopped_folder_is_verified_and_left_alone() {
    let folder = recorded();
    let exchange = Exchange::start(folder.path());
    for command in ["verify", "log"] {
        let busy = run(folder.path(), &[command, "data"]);
        assert_eq!(busy.status.code(), Some(1), "{}", out(&busy));
        assert!(
            err(&busy).contains("in use by a running process: stop it first"),
            "{}",
            err(&busy)
        );
    }
    exchange.stop();
    let before = contents(folder.path());
    let output = run(folder.path(), &["verify", "data"]);
    assert!(output.status.success(), "{}{}", out(&output), err(&output));
    let text = out(&output);
    assert!(text.lines().last().expect("a line").starts_with("EQUAL: "), "{text}");
    let hashes: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("state hash")?.split(' ').next_back())
        .collect();
    assert!(hashes.len() == 2 && hashes[0] == hashes[1] && hashes[0].len() == 64, "{text}");
    let object = run(folder.path(), &["verify", "data", "--json"]);
    let object: Value = serde_json::from_slice(&object.stdout).expect("JSON");
    assert_eq!(object["equal"], true);
    assert_eq!((&object["trades"], &object["blocks_missing"]), (&5.into(), &0.into()));
    assert_eq!(object["state_hash_from_events"], hashes[0]);
    assert!(!objects(folder.path(), &["--commands"]).is_empty());
    assert!(contents(folder.path()) == before, "nothing was written");
}

/// Damage and strange folders are told apart by status.
#[test]
fn what_is_wrong_with_a_folder_is_told() {
    let folder = recorded();
    let data = folder.path().join("data");
    let status = |path: &str| run(folder.path(), &["verify", path]);
    for path in ["nowhere", "."] {
        assert_eq!(status(path).status.code(), Some(1));
        assert!(err(&status(path)).contains("data folder"), "{}", err(&status(path)));
    }
    let format = fs::read(data.join("FORMAT")).expect("there");
    fs::write(data.join("FORMAT"), "dex 999\n").expect("written");
    for command in ["verify", "log"] {
        let other = run(folder.path(), &[command, "data"]);
        assert_eq!(other.status.code(), Some(1));
        assert!(err(&other).contains("use the version of the program"), "{}", err(&other));
    }
    fs::write(data.join("FORMAT"), format).expect("written");
    let events = fs::read_dir(data.join("events")).expect("a folder");
    let mut files: Vec<PathBuf> = events.map(|entry| entry.expect("readable").path()).collect();
    files.sort();
    let mut bytes = fs::read(&files[0]).expect("a segment");
    // A byte in the first flush, behind the header's sector.
    bytes[600] ^= 1;
    fs::write(&files[0], bytes).expect("written");
    let damaged = status("data");
    assert_eq!(damaged.status.code(), Some(3), "{}{}", out(&damaged), err(&damaged));
    assert!(out(&damaged).contains("NOT EQUAL: CRITICAL"), "{}", out(&damaged));
    let log = run(folder.path(), &["log", "data"]);
    assert_eq!(log.status.code(), Some(1));
    assert!(err(&log).contains("dex verify"), "{}", err(&log));
}

/// Every event is shown whole, numbers of all entities rise by one, and no event names a later cause.
/// covers: SEQ-35, EVT-3, EVT-75
#[test]
fn every_event_is_shown() {
    let folder = recorded();
    let mut entities: HashMap<(String, String), u64> = HashMap::new();
    let mut ids: Vec<String> = Vec::new();
    for (number, event) in (1u64..).zip(objects(folder.path(), &[])) {
        assert_eq!(event["sequence"], number);
        let metadata = &event["metadata"];
        for entity in metadata["entities"].as_array().expect("a list") {
            let text = |name: &str| entity[name].as_str().expect("a text").to_owned();
            let last = entities.entry((text("kind"), text("id"))).or_default();
            assert_eq!(entity["sequence"], *last + 1, "{event}");
            *last += 1;
        }
        if let Some(cause) = metadata["causation_id"].as_str() {
            assert!(ids.iter().any(|id| id == cause), "{event}");
        }
        ids.push(event["event_id"].as_str().expect("an id").to_owned());
    }
    assert!(entities.keys().any(|(kind, id)| kind == "symbol" && id == "SSE/CNY"));
    let trades = objects(folder.path(), &["--type", "TradeExecuted"]);
    let shown: Vec<(&str, &str)> = trades
        .iter()
        .map(|trade| &trade["payload"])
        .map(|trade| {
            (trade["price"].as_str().expect("text"), trade["quantity"].as_str().expect("text"))
        })
        .collect();
    let recorded = [("10.01", "3"), ("10.02", "5"), ("10.02", "2"), ("10.02", "5"), ("10.02", "1")];
    assert_eq!(shown, recorded);
}

/// A trade is told by two events with these fields, decimals as texts, the second one later.
/// covers: TRADE-34, TRADE-35, TRADE-36
#[test]
fn a_trade_is_told_whole() {
    let folder = recorded();
    let executed = objects(folder.path(), &["--type", "TradeExecuted"]);
    let settled = objects(folder.path(), &["--type", "TradeSettled"]);
    assert_eq!((executed.len(), settled.len()), (5, 5));
    for (executed, settled) in executed.iter().zip(&settled) {
        let (trade, settlement) = (&executed["payload"], &settled["payload"]);
        let names = |payload: &Value| -> Vec<String> {
            payload.as_object().expect("an object").keys().cloned().collect()
        };
        let fields = "executed_at executed_at_nanos maker_account_id maker_order_id price quantity \
             side symbol taker_account_id taker_order_id trade_id";
        assert_eq!(names(trade), fields.split_whitespace().collect::<Vec<_>>());
        let fields = "maker_fee maker_fee_asset settled_at settled_at_nanos taker_fee \
             taker_fee_asset trade_id";
        assert_eq!(names(settlement), fields.split_whitespace().collect::<Vec<_>>());
        let decimals = ["price", "quantity"].map(|name| &trade[name]);
        let fees = ["maker_fee", "taker_fee"].map(|name| &settlement[name]);
        for decimal in decimals.into_iter().chain(fees) {
            let text = decimal.as_str().expect("a text");
            assert!(text.parse::<units::Amount>().is_ok(), "{text}");
        }
        assert_eq!(trade["trade_id"], settlement["trade_id"]);
        let sequence = |event: &Value| event["sequence"].as_u64().expect("every event has one");
        assert!(sequence(settled) > sequence(executed));
    }
}

/// The filters leave what they say.
#[test]
fn filters_leave_what_was_asked_for() {
    let folder = recorded();
    let all = objects(folder.path(), &[]);
    let range = objects(folder.path(), &["--from", "20", "--to", "25"]);
    assert!(range == all[19..25], "a range is a part of the whole");
    let sweeping = &objects(folder.path(), &["--type", "TradeExecuted"])[0]["payload"];
    let id = |name: &str| sweeping[name].as_str().expect("an id").to_owned();
    let names = |events: &[Value]| -> Vec<String> {
        events
            .iter()
            .map(|event| event["event_type"].as_str().expect("a name").to_owned())
            .collect()
    };
    let order = names(&objects(folder.path(), &["--order", &id("maker_order_id")]));
    let life = [
        "OrderSubmitted",
        "MarginReserved",
        "OrderAccepted",
        "TradeExecuted",
        "OrderFilled",
        "OrderPartiallyFilled",
        "BalanceUpdated",
        "TradeSettled",
    ];
    // The fill of the taker is about the taker's order alone.
    let life: Vec<&str> = life.into_iter().filter(|name| *name != "OrderPartiallyFilled").collect();
    assert_eq!(order, life);
    let account = objects(folder.path(), &["--account", &id("taker_account_id")]);
    assert_eq!(names(&account)[..2], ["AccountCreated", "BalanceUpdated"]);
    let placed = objects(
        folder.path(),
        &["--commands", "--type", "PlaceOrder", "--order", &id("taker_order_id")],
    );
    assert_eq!(placed.len(), 1);
    assert_eq!(placed[0]["body"]["symbol"], "SSE/CNY");
    assert_eq!(placed[0]["outcome"]["result"], "ACCEPTED");
    let late = objects(folder.path(), &["--commands", "--type", "CancelOrder"]);
    assert_eq!(late.iter().filter(|it| it["outcome"]["result"] == "REFUSED").count(), 1);
    for wrong in [&["--type", "Nothing"][..], &["--from", "5", "--to", "4"]] {
        let output = run(folder.path(), &[&["log", "data"], wrong].concat());
        assert_eq!(output.status.code(), Some(1), "{}", out(&output));
    }
    let table = out(&run(folder.path(), &["log", "data", "--type", "tradeexecuted"]));
    assert_eq!(table.lines().count(), 6, "a head and five trades: {table}");
}

/// Copies a data folder, as of a stopped exchange.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("readable").path();
        let place = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &place);
        } else {
            fs::copy(&path, &place).expect("copied");
        }
    }
}

/// The state of a moment is what the events up to it say; between two commands it is that of the first.
#[test]
fn the_state_of_any_moment_is_told() {
    let folder = recorded();
    let before = contents(folder.path());
    let state = |more: &[&str]| -> Value {
        let output = run(folder.path(), &[&["state", "data", "--json"], more].concat());
        assert!(output.status.success(), "{}", err(&output));
        serde_json::from_str(&out(&output)).expect("JSON")
    };
    let events = objects(folder.path(), &[]);
    let trades = objects(folder.path(), &["--type", "TradeExecuted"]);
    let settled = objects(folder.path(), &["--type", "TradeSettled"]);
    // Inside the command of the first trade there is no state: that before it is told.
    let first = trades[0]["sequence"].as_u64().expect("a number");
    let inside = state(&["--at", &first.to_string()]);
    assert!(inside["event_sequence"].as_u64().expect("a number") < first);
    let maker = trades[0]["payload"]["maker_order_id"].as_str().expect("an id");
    let open = |state: &Value| {
        state["orders"].as_array().expect("a list").iter().any(|order| order["order_id"] == maker)
    };
    assert!(open(&inside), "the order that is met is still there");
    let end = state(&[]);
    assert_eq!(end["event_sequence"], events.len());
    assert!(!open(&end));
    // By the time of an event it is the same as by its number.
    let last = settled.last().expect("a trade");
    let by_number = state(&["--at", &last["sequence"].to_string()]);
    let by_time = state(&["--at", by_number["timestamp"].as_str().expect("text")]);
    assert!(by_time["event_sequence"].as_u64() <= by_number["event_sequence"].as_u64());
    // Every asset sums to nothing, and one account or market leaves the others out.
    let mut sums: BTreeMap<String, i128> = BTreeMap::new();
    for account in end["accounts"].as_array().expect("a list") {
        for balance in account["balances"].as_array().expect("a list") {
            let total: units::Amount =
                balance["total"].as_str().expect("text").parse().expect("a decimal");
            *sums.entry(balance["asset"].to_string()).or_default() += total.0;
        }
    }
    assert!(sums.len() == 2 && sums.values().all(|sum| *sum == 0), "{sums:?}");
    let taker = trades[0]["payload"]["taker_account_id"].as_str().expect("an id");
    let one = state(&["--account", taker, "--symbol", "SSE-CNY"]);
    assert_eq!(one["accounts"].as_array().expect("a list").len(), 1);
    assert_eq!(one["accounts"][0]["account_id"], taker);
    let book = &state(&["--depth", "1"])["books"][0];
    assert!(book["bids"].as_array().expect("a list").len() <= 1);
    let table = run(folder.path(), &["state", "data", "--at", "20"]);
    assert!(out(&table).starts_with("behind event "), "{}", out(&table));
    for wrong in [&["--at", "0"][..], &["--account", "nobody"], &["--symbol", "NO/NO"]] {
        let refused = run(folder.path(), &[&["state", "data"], wrong].concat());
        assert_eq!(refused.status.code(), Some(1), "{wrong:?}");
    }
    assert_eq!(run(folder.path(), &["state", "data", "--at", "noon"]).status.code(), Some(2));
    assert!(contents(folder.path()) == before, "nothing was written");
}

/// Two runs that part are told to part at the very event at which they do, with what differs behind it,
/// by their logs and by a list of digests.
/// covers: DET-59, DET-61
#[test]
fn the_first_event_that_differs_is_found() {
    let folder = recorded();
    let end = objects(folder.path(), &[]).len() as u64;
    copy(&folder.path().join("data"), &folder.path().join("other/data"));
    let bisect = |more: &[&str]| {
        let output = run(folder.path(), &[&["bisect", "data"], more].concat());
        (output.status.code(), out(&output) + &err(&output))
    };
    let (status, text) = bisect(&["other/data"]);
    assert_eq!(status, Some(0), "{text}");
    assert!(text.starts_with(&format!("nothing differs up to event {end}; 1 states")), "{text}");
    let (_, digests) = bisect(&["--list", "--every", "10"]);
    assert!(digests.lines().count() > 3, "{digests}");
    fs::write(folder.path().join("digests"), &digests).expect("written");
    // Both go on by themselves: the first thing that each says is who leads it, at a time of its own.
    Exchange::start(folder.path()).stop();
    let (status, text) = bisect(&["other/data"]);
    assert_eq!(status, Some(3), "{text}");
    assert!(text.contains("> the log ends"), "{text}");
    Exchange::start(&folder.path().join("other")).stop();
    let (status, text) = bisect(&["other/data", "--json"]);
    assert_eq!(status, Some(3), "{text}");
    let told: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((&told["equal_until"], &told["first_event"]), (&end.into(), &(end + 1).into()));
    assert!(told["states_compared"].as_u64().expect("a number") <= 24);
    for side in 0..2 {
        assert_eq!(told["events"][side]["event_type"], "LeaderChanged");
    }
    let fields = told["state"].as_array().expect("a list");
    let time = fields.iter().find(|field| field["field"] == "last_timestamp").expect("it differs");
    assert_eq!(time["entity"], "shard");
    let times = [0, 1].map(|side| told["events"][side]["timestamp"].clone());
    assert_eq!(time["values"], Value::from(times.to_vec()));
    // The list of digests is still that of both; of a later list the other folder knows nothing.
    let (status, text) = bisect(&["--digests", "digests"]);
    assert_eq!(status, Some(0), "{text}");
    let (_, longer) = bisect(&["--list", "--every", "1"]);
    fs::write(folder.path().join("digests"), longer).expect("written");
    let other = run(folder.path(), &["bisect", "other/data", "--digests", "digests"]);
    assert_eq!(other.status.code(), Some(3), "{}", err(&other));
    assert!(out(&other).contains(&format!("equal until event {end}, different at")));
    fs::write(folder.path().join("digests"), "7 abc\n").expect("written");
    assert_eq!(bisect(&["--digests", "digests"]).0, Some(1));
}

/// The numbers of one account alone tell whoever follows it that an event is missing, whichever it is.
/// covers: SEQ-32
#[test]
fn an_account_tells_what_is_missing() {
    let folder = recorded();
    let mut of_accounts: HashMap<String, Vec<u64>> = HashMap::new();
    for event in objects(folder.path(), &[]) {
        for entity in event["metadata"]["entities"].as_array().expect("a list") {
            if entity["kind"] == "account" {
                let id = entity["id"].as_str().expect("an id").to_owned();
                let number = entity["sequence"].as_u64().expect("a number");
                of_accounts.entry(id).or_default().push(number);
            }
        }
    }
    assert!(of_accounts.len() > 1);
    let is_whole = |numbers: &[u64]| (1..).zip(numbers).all(|(wanted, number)| wanted == *number);
    for (id, numbers) in of_accounts {
        assert!(is_whole(&numbers), "{id}");
        // All but one, and not the last, which nobody can miss yet.
        for missing in 0..numbers.len() - 1 {
            let rest = [&numbers[..missing], &numbers[missing + 1..]].concat();
            assert!(!is_whole(&rest), "{id} without {}", numbers[missing]);
        }
    }
}

/// The same folder far away, where people write numbers and dates in another way: the same hashes and the same
/// text, byte for byte, with every time in UTC.
/// covers: DET-58, TIME-44
#[test]
fn the_place_of_a_replay_is_no_matter() {
    let folder = recorded();
    let seen = |zone: &str, locale: &str| {
        let there = |args: &[&str]| {
            let mut command = dex(folder.path());
            command.args(args).env("TZ", zone).env("LC_ALL", locale).env("LANG", locale);
            let output = command.output().expect("it starts");
            assert!(output.status.success(), "{zone}: {}", err(&output));
            out(&output)
        };
        let report: Value =
            serde_json::from_str(&there(&["verify", "data", "--json"])).expect("JSON");
        assert_eq!(report["equal"], true);
        let hashes = ["state_hash_from_commands", "state_hash_from_events"];
        (hashes.map(|name| report[name].clone()), there(&["log", "data", "--json"]))
    };
    let first = seen("UTC", "C");
    for (zone, locale) in [("Pacific/Chatham", "de_DE.UTF-8"), ("America/St_Johns", "ar_EG.UTF-8")]
    {
        assert!(seen(zone, locale) == first, "{zone}");
    }
    for event in objects(folder.path(), &[]) {
        let time = event["timestamp_iso"].as_str().expect("a text");
        assert!(time.ends_with('Z'), "{time}");
    }
}
