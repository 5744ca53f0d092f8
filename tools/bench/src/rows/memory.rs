//! What the executor's kernel takes in memory.
//!
//! Owns the rows of bytes for a resting order and for an account with three balances, measured on a million of
//! each in a process of their own: what the kernel keeps resident with them, less what it had without. No key is
//! kept for any of the commands. Beside them, what the whole process of a shard takes for each (`restart.rs`). The process is this program again, told by a variable to be the probe.

use std::process::Command as Process;

use kernel::Kernel;
use schema::{Command, EventBuffer, Outcome, Stamped, TimeInForce};
use units::{Id, Lots, Side, Ticks, Timestamp};

use super::restart::{answer_history, process_account_bytes, process_order_bytes};
use crate::measure::{Figure, median_of};
use crate::row::{Row, Target};
use crate::venue;

pub(super) const ORDER_BYTES: Row = Row {
    name: "memory.bytes_per_resting_order",
    unit: "bytes",
    target: Target::AtMost(150.0),
    measure: || probe("order"),
};

pub(super) const ACCOUNT_BYTES: Row = Row {
    name: "memory.bytes_per_account_with_3_balances",
    unit: "bytes",
    target: Target::AtMost(400.0),
    measure: || probe("account"),
};

pub(super) const PROCESS_ORDER_BYTES: Row = Row {
    name: "memory.process_bytes_per_resting_order",
    unit: "bytes",
    target: Target::None,
    measure: || median_of(1, || ask_probe("process_order")[0]),
};

pub(super) const PROCESS_ACCOUNT_BYTES: Row = Row {
    name: "memory.process_bytes_per_account_with_2_balances",
    unit: "bytes",
    target: Target::None,
    measure: || median_of(1, || ask_probe("process_account")[0]),
};

const RUNS: usize = 3;
const COUNT: u32 = 1_000_000;
const ACCOUNTS: u32 = 1_000;
/// Says which probe this process is.
const PROBE: &str = "DEX_BENCH_PROBE";

/// Answers the probe that this process was started as, if it was.
pub fn answer_probe() -> Option<Vec<f64>> {
    Some(match std::env::var(PROBE).ok()?.as_str() {
        "order" => vec![order_bytes()],
        "account" => vec![account_bytes()],
        "process_order" => vec![process_order_bytes()],
        "process_account" => vec![process_account_bytes()],
        "history_short" => answer_history(1),
        "history_long" => answer_history(10),
        name => panic!("there is no probe {name}"),
    })
}

fn probe(name: &str) -> Figure {
    median_of(RUNS, || ask_probe(name)[0])
}

/// The figures that a process of its own measures.
pub(super) fn ask_probe(name: &str) -> Vec<f64> {
    let program = std::env::current_exe().expect("this program");
    let output = Process::new(program).env(PROBE, name).output().expect("it starts");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the probe ran: {told}");
    let text = String::from_utf8(output.stdout).expect("numbers");
    text.split_whitespace().map(|it| it.parse().expect("a number")).collect()
}

fn order_bytes() -> f64 {
    let mut run = Run::new();
    let accounts: Vec<Id> = (0..ACCOUNTS).map(|number| run.account(number)).collect();
    let before = resident();
    for number in 0..COUNT {
        let account = accounts[(number % ACCOUNTS) as usize];
        // Half of them buy, over a thousand prices each side.
        let (side, ticks) = match number / ACCOUNTS % 2 {
            0 => (Side::Buy, 99_999 - u64::from(number % 997)),
            _ => (Side::Sell, 100_001 + u64::from(number % 997)),
        };
        let terms = (Ticks(ticks), Lots(1 + u64::from(number % 100)));
        let outcome = run.run(venue::order(account, side, terms, TimeInForce::Gtc));
        assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    }
    assert_eq!(run.kernel.order_count(), COUNT as usize);
    (resident() - before) / f64::from(COUNT)
}

fn account_bytes() -> f64 {
    let mut run = Run::new();
    let before = resident();
    for number in 0..COUNT {
        run.account(number);
    }
    (resident() - before) / f64::from(COUNT)
}

/// Bytes of this process that are in memory.
pub(crate) fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a system that tells");
    let line =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a resident size");
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse().expect("a number");
    kib * 1_024.0
}

/// A kernel with three assets and a market, and its commands.
struct Run {
    kernel: Kernel,
    buffer: EventBuffer,
    now: i64,
}

impl Run {
    fn new() -> Self {
        let mut run = Self { kernel: Kernel::new(), buffer: EventBuffer::new(), now: venue::START };
        run.run(Command::Genesis(venue::genesis()));
        for (number, symbol) in (1..).zip(["BTC", "USDT", "ETH"]) {
            run.list(number, |operator| Command::ListAsset(venue::asset(symbol, 8), operator));
        }
        run.list(4, |operator| Command::ListMarket(venue::market(), operator));
        run
    }

    fn list(&mut self, number: u8, make: impl Fn(schema::Operator) -> Command) {
        let (command, key) = venue::signed(Timestamp(self.now), number, make);
        self.execute(command, Some(key));
    }

    /// An account with three balances.
    fn account(&mut self, number: u32) -> Id {
        let outcome = self.run(Command::CreateAccount(venue::opening(&number.to_string())));
        let Outcome::Done { created: Some(id) } = outcome else { panic!("{outcome:?}") };
        for asset in 1..=3 {
            self.run(Command::Deposit(venue::funding(id, asset)));
        }
        id
    }

    fn run(&mut self, command: Command) -> Outcome {
        self.execute(command, None)
    }

    fn execute(&mut self, command: Command, key: Option<schema::Key>) -> Outcome {
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
        self.kernel.execute(&stamped, &mut self.buffer).outcome
    }
}
