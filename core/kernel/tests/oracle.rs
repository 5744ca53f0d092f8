//! The kernel against the oracle, command by command, over random commands.
//!
//! Owns the comparison of what `testkit::oracle` says with what the kernel does: events with numbers,
//! times and payloads, keys, outcomes, and at intervals the whole state. Both run the commands of
//! `testkit::oracle::generate`. The fixed part runs always; `ORACLE_COMMANDS` and `ORACLE_SEED` ask for
//! another run, best in release: `ORACLE_COMMANDS=5000000 cargo test --release -p kernel --test oracle`.

use std::fmt::Write;

use kernel::Kernel;
use schema::{EventBuffer, GroupHead, GroupIter, OrderState, Reply, Stamped};
use testkit::oracle::coverage::{Coverage, asked};
use testkit::oracle::generate::Generator;
use testkit::oracle::{Answer, Oracle};
use units::{Amount, Side, Timestamp};

/// Events and state of the kernel are those of the specification, as an independent reading has them.
/// covers: LIFE-5, LIFE-8, LIFE-21, LIFE-22, LIFE-23, LIFE-25, LIFE-26, LIFE-27, LIFE-28, LIFE-31
/// covers: LIFE-33, LIFE-34, LIFE-37, LIFE-38, LIFE-42, LIFE-44, LIFE-45, LIFE-51, LIFE-52, LIFE-70
/// covers: LIFE-74, STATE-15, STATE-37, TRADE-19, FEE-8, FEE-9, FEE-11, FEE-24, FEE-34, DET-43, DET-55
#[test]
fn the_kernel_does_what_the_oracle_says() {
    let count = asked("ORACLE_COMMANDS").unwrap_or(FIXED_COUNT);
    let seed = asked("ORACLE_SEED").unwrap_or(FIXED_SEED);
    let mut run = Run::new(seed);
    for _ in 0..count {
        run.step();
    }
    run.compare_state();
    let missing = run.coverage.missing();
    println!("seed {seed}, {count} commands, {} events\n{}", run.oracle.last_event(), run.coverage);
    assert!(missing.is_empty(), "never came up in {count} commands of seed {seed}: {missing:#?}");
}

/// Two runs of one seed make the same commands.
#[test]
fn commands_follow_from_the_seed() {
    let commands = |seed| {
        let (mut generator, mut oracle) = (Generator::new(seed), Oracle::new());
        let mut commands = Vec::new();
        for _ in 0..2_000 {
            let stamped = generator.next(&oracle);
            oracle.execute(&stamped);
            commands.push(stamped);
        }
        commands
    };
    assert_eq!(commands(3), commands(3));
    assert_ne!(commands(3), commands(4));
}

struct Run {
    seed: u64,
    generator: Generator,
    oracle: Oracle,
    kernel: Kernel,
    buffer: EventBuffer,
    coverage: Coverage,
    command: u64,
}

impl Run {
    fn new(seed: u64) -> Self {
        Self {
            seed,
            generator: Generator::new(seed),
            oracle: Oracle::new(),
            kernel: Kernel::new(),
            buffer: EventBuffer::new(),
            coverage: Coverage::default(),
            command: 0,
        }
    }

    fn step(&mut self) {
        let stamped = self.generator.next(&self.oracle);
        self.command = stamped.sequence;
        let expected = self.oracle.execute(&stamped);
        self.coverage.count(&stamped, &expected);
        self.buffer.clear();
        let reply = self.kernel.execute(&stamped, &mut self.buffer);
        let made = self.made(&stamped, &reply);
        if made != expected || reply.last_event != self.oracle.last_event() {
            panic!("{}", self.difference(&stamped, &expected, &made));
        }
        if self.command.is_multiple_of(STATE_DISTANCE) {
            self.oracle.check();
            self.compare_state();
        }
    }

    /// What the kernel made, in the oracle's words.
    fn made(&self, stamped: &Stamped, reply: &Reply) -> Answer {
        assert_eq!(reply.command, stamped.sequence, "a reply names its command");
        let mut made = Answer { events: Vec::new(), idempotency: None, outcome: reply.outcome };
        for group in GroupIter::new(self.buffer.bytes()) {
            let group = group.expect("a group of events");
            let GroupHead { command_sequence, correlation, idempotency, .. } = group.head;
            assert_eq!(command_sequence, stamped.sequence, "a group names its command");
            assert_eq!(correlation, stamped.correlation, "a group names its request");
            made.idempotency = idempotency;
            made.events.extend(group.events().map(|event| event.expect("an event")));
        }
        made
    }

    /// Both answers and where they part.
    fn difference(&self, stamped: &Stamped, expected: &Answer, made: &Answer) -> String {
        let mut text = format!("seed {}, command {}: {stamped:?}\n", self.seed, self.command);
        for (name, answer) in [("specification", expected), ("kernel", made)] {
            let _ = writeln!(text, "{name}: {:?}, key {:?}", answer.outcome, answer.idempotency);
            for (head, event) in answer.events.iter().take(EVENTS_SHOWN) {
                let _ = writeln!(text, "  {} {} {event:?}", head.sequence, head.timestamp.0);
            }
        }
        let first = expected.events.iter().zip(&made.events).position(|(one, two)| one != two);
        let _ = match first {
            Some(at) => writeln!(
                text,
                "event {at} of the command differs:\n  {:?}\n  {:?}",
                expected.events[at], made.events[at]
            ),
            None => writeln!(
                text,
                "{} events expected, {} made",
                expected.events.len(),
                made.events.len()
            ),
        };
        text
    }

    fn at(&self) -> String {
        format!("after command {} of seed {}", self.command, self.seed)
    }

    fn compare_state(&self) {
        let (oracle, kernel) = (&self.oracle, &self.kernel);
        assert_eq!(kernel.account_count() as usize, oracle.accounts().len(), "{}", self.at());
        assert_eq!(kernel.order_count(), oracle.orders().len(), "{}", self.at());
        assert_eq!(kernel.asset_count() as usize, oracle.assets().len(), "{}", self.at());
        self.compare_accounts();
        self.compare_orders();
        self.compare_markets();
        self.compare_refunds();
    }

    fn compare_accounts(&self) {
        for expected in self.oracle.accounts() {
            let number = expected.number;
            let at = || format!("account {number} {}", self.at());
            let account = self.kernel.account(number).expect("an account");
            assert_eq!((account.id, account.status), (expected.id, expected.status), "{}", at());
            assert_eq!(account.version, expected.version, "version of {}", at());
            assert_eq!(account.opening(), expected.opening, "{}", at());
            assert_eq!(account.fee_in_token, expected.fee_in_token, "{}", at());
            for asset in self.oracle.assets() {
                let balance = self.kernel.balance(number, asset.number);
                let made = (balance.available, balance.locked);
                let it = self.oracle.balance(number, asset.number);
                let expected = (Amount(it.available), Amount(it.locked));
                assert_eq!(made, expected, "asset {} of {}", asset.number, at());
            }
            let deadline = expected.deadline.map(Timestamp);
            assert_eq!(self.kernel.countdown(number), deadline, "countdown of {}", at());
            for market in self.oracle.markets() {
                let made = self.kernel.rates(number, market.number).expect("rates");
                let expected = self.oracle.rates(number, market.number);
                assert_eq!((made.maker, made.taker), expected, "{:?} of {}", market.number, at());
            }
        }
    }

    fn compare_refunds(&self) {
        for (&(account, _), expected) in self.oracle.refunds() {
            let kept = self.kernel.refunded(account, expected.trade).expect("a refund");
            let made = (kept.asset, kept.fee, kept.refunded);
            let expected = (expected.asset, Amount(expected.fee), Amount(expected.refunded));
            assert_eq!(made, expected, "refund of account {account} {}", self.at());
        }
    }

    fn compare_orders(&self) {
        for (&number, expected) in self.oracle.orders() {
            let at = || format!("order {number} {}", self.at());
            let order = self.kernel.order_of(number).unwrap_or_else(|| panic!("{}", at()));
            assert_eq!(self.kernel.order_id(&order), expected.id, "{}", at());
            let made = (order.account, order.market, order.side, order.order_type);
            let it = (expected.account, expected.market, expected.side, expected.order_type);
            assert_eq!(made, it, "{}", at());
            let made = (order.ticks.0, order.total.0, order.filled.0, order.remaining().0);
            let it = (expected.ticks, expected.lots, expected.filled, expected.remaining());
            assert_eq!(made, it, "{}", at());
            assert_eq!(order.reserved, Amount(expected.hold), "reserved by {}", at());
            assert_eq!(order.state_seq, expected.state_seq, "state_seq of {}", at());
            let state =
                if expected.filled == 0 { OrderState::Pending } else { OrderState::Partial };
            assert_eq!(order.state, Some(state), "{}", at());
            assert_eq!(order.pair(), expected.pair, "pair of {}", at());
        }
    }

    fn compare_markets(&self) {
        for expected in self.oracle.markets() {
            let number = expected.number;
            let at = || format!("market {number} {}", self.at());
            let market = self.kernel.market(number).expect("a market");
            assert_eq!(market.terms, expected.terms, "{}", at());
            assert_eq!(market.open, !expected.paused, "{}", at());
            assert_eq!(market.last_price.map(|it| it.0), expected.last, "last price of {}", at());
            for side in [Side::Buy, Side::Sell] {
                let makers = market.book().iter(side);
                let made: Vec<u64> =
                    makers.map(|maker| self.kernel.order_in_book(&maker).sequence).collect();
                let levels = self.oracle.book(number, side);
                let expected: Vec<u64> =
                    levels.into_iter().flat_map(|(_, level)| level.iter().copied()).collect();
                assert_eq!(made, expected, "{side:?} side of {}", at());
            }
        }
    }
}

/// Commands of the fixed part.
const FIXED_COUNT: u64 = 100_000;
const FIXED_SEED: u64 = 108;
/// Commands from one comparison of the whole state to the next.
const STATE_DISTANCE: u64 = 997;
/// Events of an answer that a difference shows.
const EVENTS_SHOWN: usize = 60;
