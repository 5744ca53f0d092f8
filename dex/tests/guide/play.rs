//! Plays the blocks of a page on an exchange of their own and tells what they say wrong.
//!
//! Each event goes to the request that made it, by the request's id; what time made on its own goes to
//! the request before it. A page that shows such events asks with a GET until they have happened.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::events;
use crate::exchange::{Answer, Caller, Exchange, Log};
use crate::page::{Block, Fault, Kind};
use crate::request::{Names, Request};
use crate::tool;

/// What a played page found: what is wrong, and the blocks as they would be right.
#[derive(Clone, Debug, Default)]
pub(crate) struct Played {
    pub(crate) faults: Vec<Fault>,
    /// The right lines of each block that shows what happened, by the line of its fence.
    pub(crate) shown: Vec<(usize, Vec<String>)>,
    /// How many blocks were run.
    pub(crate) run: usize,
}

/// One play.
struct Player {
    exchange: Exchange,
    names: Names,
    /// The last event that an answer named.
    sequence: u64,
    /// The last one that an answer named before that.
    before: u64,
    /// The number of the block that sent a request, by the request's id.
    senders: HashMap<String, usize>,
    /// The last request, for an answer block behind it.
    last: Option<(Request, Answer)>,
    played: Played,
}

/// Plays blocks behind those that come before every page.
pub(crate) fn play(before: &[Block], blocks: &[Block]) -> Played {
    let mut player = Player {
        exchange: Exchange::start(),
        names: Names::new(),
        sequence: 0,
        before: 0,
        senders: HashMap::new(),
        last: None,
        played: Played::default(),
    };
    let mut done = Ok(());
    for block in before.iter().filter(|block| block.kind == Kind::Request) {
        let before = |fault: Fault| {
            Fault::new(1, format!("on the first page, line {}: {}", fault.line, fault.text))
        };
        done = done.and_then(|()| player.send_all(block, None).map_err(before));
    }
    for (number, block) in blocks.iter().enumerate() {
        done = done.and_then(|()| player.run(number, block));
    }
    let Player { exchange, senders, mut played, names, sequence, before, .. } = player;
    let (log, folder) = exchange.stop();
    match done {
        // What follows a request that failed is wrong for no reason of its own.
        Err(fault) => played.faults.push(fault),
        Ok(()) => {
            compare_events(&log, &senders, blocks, &mut played);
            let mut typed = names.clone();
            typed.insert("sequence".to_owned(), sequence.to_string());
            typed.insert("before".to_owned(), before.to_string());
            run_tools(&folder, (&names, &typed), blocks, &mut played);
        }
    }
    played
}

impl Player {
    fn run(&mut self, number: usize, block: &Block) -> Result<(), Fault> {
        match block.kind {
            Kind::Request => self.send_all(block, Some(number))?,
            Kind::Answer => self.check_answer(block)?,
            Kind::Balances => {
                let shown = self.balances(block)?;
                self.played.compare(block, shown);
            }
            // Events are read, and tools run, when the exchange has stopped.
            Kind::Events { .. } | Kind::Tool => return Ok(()),
        }
        self.played.run += 1;
        Ok(())
    }

    fn send_all(&mut self, block: &Block, number: Option<usize>) -> Result<(), Fault> {
        for request in Request::all(block)? {
            let answer = self.send(&request, "")?;
            if let Some(number) = number {
                self.senders.insert(answer.request_id.clone(), number);
            }
            check_status(&request, &answer)?;
            self.last = Some((request, answer));
        }
        Ok(())
    }

    /// Asks, with more behind the path, and learns what the answer names.
    fn send(&mut self, request: &Request, more: &str) -> Result<Answer, Fault> {
        let caller = request.caller(&self.names)?;
        let mut names = self.names.clone();
        names.insert("sequence".to_owned(), self.sequence.to_string());
        names.insert("before".to_owned(), self.before.to_string());
        let (path, body) = request.resolved(&names)?;
        let path = path + more;
        let answer = self.exchange.ask(&caller, (&request.method, &path), &body);
        let body = serde_json::from_str(&body).unwrap_or(Value::Null);
        self.learn(&body, &answer.body);
        Ok(answer)
    }

    fn learn(&mut self, asked: &Value, told: &Value) {
        if let Some(sequence) = told["sequence"].as_u64().filter(|it| *it > self.sequence) {
            (self.before, self.sequence) = (self.sequence, sequence);
        }
        for (name, id) in [("external_id", "account_id"), ("client_order_id", "order_id")] {
            if let (Some(name), Some(id)) = (asked[name].as_str(), told[id].as_str()) {
                self.names.insert(name.to_owned(), id.to_owned());
            }
        }
        // Trades that an operator asked for.
        for (trade, number) in told["trades"].as_array().into_iter().flatten().zip(1..) {
            let id = trade["trade_id"].as_str().unwrap_or_default();
            self.names.insert(format!("trade-{number}"), id.to_owned());
        }
        // A batch of orders, or of cancels.
        for (item, answer) in told["answers"].as_array().into_iter().flatten().enumerate() {
            self.learn(&asked["orders"][item], &answer["body"]);
        }
    }

    /// The answer has what the block shows of it. A GET is asked again until it has.
    fn check_answer(&mut self, block: &Block) -> Result<(), Fault> {
        let wanted: Value = serde_json::from_str(&block.lines.join("\n"))
            .map_err(|fault| Fault::new(block.line, format!("no JSON: {fault}")))?;
        let Some((request, mut answer)) = self.last.take() else {
            return Err(Fault::new(block.line, "nothing was asked"));
        };
        let began = Instant::now();
        let mut last = Value::Null;
        loop {
            let told = self.named(&answer.body);
            if has(&told, &wanted) {
                return Ok(());
            }
            // What nothing more comes behind ends with a fault of the wait, which says little.
            let told = if answer.status < 300 { told } else { last };
            if !request.is_query() || began.elapsed() > PATIENCE {
                return Err(Fault::new(block.line, format!("the answer is {told}")));
            }
            // Not before something more has happened.
            let sign = if request.has_parameters() { '&' } else { '?' };
            let more = format!("{sign}min_sequence={}", self.sequence + 1);
            answer = self.send(&request, &more)?;
            last = told;
        }
    }

    /// With names in the place of ids.
    fn named(&self, value: &Value) -> Value {
        let mut text = value.to_string();
        for (name, id) in &self.names {
            text = text.replace(id, name);
        }
        serde_json::from_str(&text).expect("names are plain text")
    }

    /// Everything that the accounts of the block hold.
    fn balances(&mut self, block: &Block) -> Result<Vec<String>, Fault> {
        let mut accounts: Vec<&str> = Vec::new();
        for line in block.lines.iter().skip(1) {
            accounts.extend(line.split_whitespace().next());
        }
        accounts.dedup();
        let mut rows = vec![COLUMNS.map(str::to_owned)];
        for name in accounts {
            let Some(id) = self.names.get(name).cloned() else {
                return Err(Fault::new(block.line, format!("nobody is called {name}")));
            };
            let path = format!("/v1/accounts/{id}/balances?min_sequence={}", self.sequence);
            let answer = self.exchange.ask(&Caller::Trader(vec![id]), ("GET", &path), "");
            let balances = answer.body["balances"].as_array();
            let Some(balances) = balances else {
                return Err(Fault::new(block.line, format!("{path}: {}", answer.body)));
            };
            for balance in balances {
                let text = |field: &str| balance[field].as_str().unwrap_or("?").to_owned();
                let [_, asset, total, available, locked] = COLUMNS.map(text);
                rows.push([name.to_owned(), asset, total, available, locked]);
            }
        }
        Ok(aligned(&rows))
    }
}

impl Played {
    fn compare(&mut self, block: &Block, shown: Vec<String>) {
        if block.lines != shown {
            let text = format!("what happened is\n{}", shown.join("\n"));
            let same = block.lines.iter().zip(&shown).take_while(|(one, other)| one == other);
            self.faults.push(Fault::new(block.line + 1 + same.count(), text));
        }
        self.shown.push((block.line, shown));
    }
}

fn check_status(request: &Request, answer: &Answer) -> Result<(), Fault> {
    let code = answer.body["error"]["code"].as_str();
    let is_wanted = match &request.refusal {
        None => (200..300).contains(&answer.status),
        Some((status, wanted)) => (answer.status, code) == (*status, Some(wanted)),
    };
    if is_wanted {
        return Ok(());
    }
    Err(Fault::new(request.line, format!("answered {} {}", answer.status, answer.body)))
}

/// Whether a value has all that is wanted: objects may have more fields, lists have as many items.
fn has(value: &Value, wanted: &Value) -> bool {
    match (value, wanted) {
        (Value::Object(value), Value::Object(wanted)) => wanted
            .iter()
            .all(|(name, wanted)| value.get(name).is_some_and(|value| has(value, wanted))),
        (Value::Array(value), Value::Array(wanted)) => {
            value.len() == wanted.len()
                && value.iter().zip(wanted).all(|(value, wanted)| has(value, wanted))
        }
        (value, wanted) => value == wanted,
    }
}

/// Each tool block against what the tool prints now.
fn run_tools(folder: &TempDir, names: (&Names, &Names), blocks: &[Block], played: &mut Played) {
    for block in blocks.iter().filter(|block| block.kind == Kind::Tool) {
        match tool::run(folder.path(), block, names) {
            Ok(shown) => played.compare(block, shown),
            Err(fault) => played.faults.push(fault),
        }
        played.run += 1;
    }
}

/// Each events block against the events of the last requests before it that were more than questions.
fn compare_events(
    log: &Log,
    senders: &HashMap<String, usize>,
    blocks: &[Block],
    played: &mut Played,
) {
    let mut made: HashMap<usize, Vec<events::Shown>> = HashMap::new();
    let mut sender = None;
    for event in events::shown(log) {
        if let Some(id) = &event.request_id {
            sender = senders.get(id).copied();
        }
        if let Some(sender) = sender {
            made.entry(sender).or_default().push(event);
        }
    }
    let mut last = None;
    for (number, block) in blocks.iter().enumerate() {
        match block.kind {
            Kind::Request if !is_question(block) => last = Some(number),
            Kind::Events { postings } => {
                let events = last.and_then(|last| made.get(&last)).into_iter().flatten();
                let shown = events.flat_map(|event| event.lines(postings)).collect();
                played.compare(block, shown);
                played.run += 1;
            }
            _ => {}
        }
    }
}

/// Whether all requests of a block only ask.
fn is_question(block: &Block) -> bool {
    Request::all(block).is_ok_and(|requests| requests.iter().all(Request::is_query))
}

/// Rows with their columns below each other.
fn aligned(rows: &[[String; 5]]) -> Vec<String> {
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or_default();
    let widths: [usize; 5] = std::array::from_fn(width);
    let line = |row: &[String; 5]| {
        let [account, asset, amounts @ ..] = row;
        let mut line = format!("{account:<0$}  {asset:<1$}", widths[0], widths[1]);
        for (amount, width) in amounts.iter().zip(&widths[2..]) {
            line.push_str(&format!("  {amount:>width$}"));
        }
        line
    };
    rows.iter().map(line).collect()
}

/// The head of a table of balances; but for the first these are the names of the API.
const COLUMNS: [&str; 5] = ["account", "asset", "total", "available", "locked"];
/// How long a GET is repeated.
const PATIENCE: Duration = Duration::from_secs(30);
