//! A clock that nobody trusts halts trading, until an operator has confirmed it and resumed (D-53, D-119).

use port::{HealthStatus, HealthView, Query, View};
use schema::{
    CancelOrder, ClockStatus, Code, Command, HaltReason, Operator, Outcome, Refusal, Reply,
    Stamped, TradingHalt, Why,
};
use units::{Id, Side, Timestamp};

use crate::config::TICK_INTERVAL_DEFAULT;
use crate::testing::{
    Disks, NOON, ask, clock, config, confirm_clock, created, deposit, label, open_venue, operate,
    place, request, resume_trading, submit, wait_until,
};
use crate::{Config, Engine, InProcess, ManualClock};

const DONE: Outcome = Outcome::Done { created: None };
const SECOND: i64 = 1_000_000_000;

fn buy(port: &InProcess, account: Id) -> Reply {
    submit(port, place(account, Side::Buy, 100, 1))
}

fn assert_refused(reply: &Reply) {
    let Outcome::Rejected { refusal, .. } = reply.outcome else { panic!("{reply:?}") };
    assert_eq!(refusal, Refusal::new(Code::MarketPaused, Why::MarketClosed));
}

/// How the shard is, in a view of all that happened.
fn health(port: &InProcess) -> HealthView {
    let last = port.shard().metrics.event_sequence.value();
    match ask(port, Query::Health, last).view {
        View::Health(health) => health,
        other => panic!("no health: {other:?}"),
    }
}

/// The shard says that it is halted for its clock.
fn assert_halted(port: &InProcess) {
    let health = health(port);
    let halt = health.halt.expect("a halt");
    assert_eq!((halt.reason, halt.actor), (HaltReason::Clock, label("sequencer")));
    assert_eq!((health.status, health.clock), (HealthStatus::Degraded, ClockStatus::Fallback));
}

/// The operator may not resume yet, confirms, and resumes.
fn confirm_and_resume(port: &InProcess, number: u64) {
    let early = operate(port, number, |by| Command::ResumeTrading(label("ops-1"), by));
    let why = Refusal::new(Code::InvalidStateTransition, Why::ClockUnconfirmed);
    assert_eq!(early.outcome, Outcome::Refused(why));
    confirm_clock(port, number + 1);
    assert!(health(port).halt.is_some(), "trading waits for the operator's second word");
    resume_trading(port, number + 2);
}

fn commands(disks: &Disks) -> Vec<Stamped> {
    disks.stored_commands().into_iter().map(|(_, stamped)| stamped).collect()
}

fn advance(clock: &ManualClock, seconds: u32) {
    (0..seconds).for_each(|_| clock.advance(1_000_000_000));
}

/// Of the commands in the log, those of the sequencer that tell of its clock.
fn changes(commands: &[Stamped]) -> Vec<(ClockStatus, ClockStatus)> {
    let change = |stamped: &Stamped| match stamped.command {
        Command::RecordClockStatus { from, to, .. } => Some((from, to)),
        _ => None,
    };
    commands.iter().filter_map(change).collect()
}

/// A step of just over a second, or of a day, ahead or back: that the clock is not followed any more and the halt
/// stand in the log in front of the command that would have had the first stamp behind it. No order is taken,
/// cancels and money out go on, no stamp has the new time, and only a confirmed clock and ResumeTrading end it.
/// covers: TIME-34, TIME-35
#[test]
fn a_step_halts_trading_before_anything_is_stamped() {
    for step in [SECOND + 1, -SECOND - 1, 86_400 * SECOND, -3_600 * SECOND] {
        let (disks, clock) = (Disks::without_archive(120), clock());
        let engine = disks.start(&clock).expect("sound");
        let port = engine.port();
        let account = open_venue(&port, 1)[0];
        let order = created(&buy(&port, account));
        clock.advance(1_000);
        clock.step(step);
        let first = buy(&port, account);
        assert_refused(&first);
        assert_halted(&port);
        let canceled = CancelOrder { account, order, state_seq: None };
        assert_eq!(submit(&port, request(Command::CancelOrder(canceled))).outcome, DONE);
        let Command::Deposit(entry) = deposit(account, 1, 1) else { unreachable!("it is one") };
        assert_eq!(submit(&port, request(Command::Withdraw(entry))).outcome, DONE);
        let last = buy(&port, account);
        assert_refused(&last);
        confirm_and_resume(&port, 1);
        created(&buy(&port, account));
        assert_eq!((health(&port).status, health(&port).halt), (HealthStatus::Healthy, None));
        let _ = engine.stop();

        let log = commands(&disks);
        let place = |number: u64| usize::try_from(number - 1).expect("few");
        let [status, halt] = [&log[place(first.command) - 2], &log[place(first.command) - 1]];
        let (primary, fallback) = (ClockStatus::Primary, ClockStatus::Fallback);
        assert!(matches!(status.command, Command::RecordClockStatus { to, .. } if to == fallback));
        let by_itself = TradingHalt { reason: HaltReason::Clock, actor: label("sequencer") };
        assert_eq!(halt.command, Command::HaltTrading(by_itself, Operator::NONE));
        assert!(halt.key.is_none() && halt.correlation.is_none(), "nobody asked");
        for stamped in &log[place(first.command) - 2..=place(last.command)] {
            assert!(stamped.fallback_clock);
            assert!((NOON + 1_000..NOON + 2_000).contains(&stamped.stamp.0), "{stamped:?}");
        }
        assert!(log.windows(2).all(|pair| pair[0].stamp < pair[1].stamp));
        assert_eq!(changes(&log), [(primary, fallback), (fallback, primary)]);
        let end = log.last().expect("some");
        assert!(!end.fallback_clock && end.stamp.0 >= NOON + step.max(0));
    }
}

/// A shard without traffic notices by its Tick.
#[test]
fn a_quiet_shard_halts_by_itself() {
    let (disks, clock) = (Disks::without_archive(121), clock());
    let ticking = Config { tick_interval: TICK_INTERVAL_DEFAULT, ..config() };
    let engine = Engine::start_with(ticking, disks.storage(), clock.clone()).expect("sound");
    let port = engine.port();
    let _ = open_venue(&port, 1);
    clock.step(-2 * SECOND);
    wait_until(|| {
        clock.advance(100_000_000);
        health(&port).halt.is_some()
    });
    assert_halted(&port);
}

/// A start whose clock lies more than a second behind the log is a step back; one that lies ahead cannot be told
/// from a rest.
/// covers: TIME-24, TIME-34
#[test]
fn a_start_behind_the_log_is_halted() {
    for (step, is_halted) in [
        (-SECOND - 1_000_000, true),
        (-3_600 * SECOND, true),
        (-SECOND / 2, false),
        (86_400 * SECOND, false),
    ] {
        let (disks, clock) = (Disks::without_archive(122), clock());
        let engine = disks.start(&clock).expect("sound");
        let account = open_venue(&engine.port(), 1)[0];
        let _ = engine.stop();
        clock.step(step);
        let engine = disks.start(&clock).expect("recovers");
        let port = engine.port();
        let reply = buy(&port, account);
        if is_halted {
            assert_refused(&reply);
            assert_halted(&port);
            confirm_and_resume(&port, 1);
            created(&buy(&port, account));
        } else {
            created(&reply);
            assert_eq!(health(&port).halt, None);
        }
        let _ = engine.stop();
        let log = commands(&disks);
        assert!(log.windows(2).all(|pair| pair[0].stamp < pair[1].stamp), "the log goes on");
        let halts = log.iter().filter(|it| matches!(it.command, Command::HaltTrading(..)));
        assert_eq!(halts.count(), usize::from(is_halted));
    }
}

/// Neither a restart nor a clock that has been set right meanwhile is an operator's word; exchange time goes on from
/// the log until there is one.
#[test]
fn a_restart_confirms_nothing() {
    for is_right_again in [true, false] {
        let (disks, clock) = (Disks::without_archive(123), clock());
        let engine = disks.start(&clock).expect("sound");
        let account = open_venue(&engine.port(), 1)[0];
        clock.step(86_400 * SECOND);
        assert_refused(&buy(&engine.port(), account));
        let _ = engine.stop();
        if is_right_again {
            clock.step(-86_400 * SECOND);
        }
        let engine = disks.start(&clock).expect("recovers");
        let port = engine.port();
        assert_halted(&port);
        assert_refused(&buy(&port, account));
        assert!(port.clock().now().0 < NOON + SECOND);
        confirm_and_resume(&port, 1);
        created(&buy(&port, account));
        let now = port.clock().now().0;
        assert_eq!(now >= NOON + 86_400 * SECOND, !is_right_again);
        let _ = engine.stop();
        let halts = commands(&disks);
        let halts = halts.iter().filter(|it| matches!(it.command, Command::HaltTrading(..)));
        assert_eq!(halts.count(), 1, "the one from before lasts");
    }
}

/// Every change between the clock, its backup and none is on record by a command of the sequencer. Without any, time
/// goes on with the flag, and people trade, until it is off by a second at 100 parts per million: then they do not
/// until an operator says so, though the clock is back.
/// covers: TIME-37, TIME-38, TIME-39, TIME-40
#[test]
fn without_any_clock_trading_goes_on_for_ten_thousand_seconds() {
    let (disks, clock) = (Disks::without_archive(124), clock());
    let slow = Config { tick_interval: std::time::Duration::from_secs(1 << 30), ..config() };
    let engine = Engine::start_with(slow, disks.storage(), clock.clone()).expect("sound");
    let port = engine.port();
    let account = open_venue(&port, 1)[0];
    clock.set_working(false, true);
    created(&buy(&port, account));
    assert_eq!(
        (health(&port).clock, health(&port).status),
        (ClockStatus::Backup, HealthStatus::Healthy)
    );
    clock.set_working(false, false);
    let first = buy(&port, account);
    created(&first);
    advance(&clock, 10_000);
    created(&buy(&port, account));
    assert_eq!(health(&port).halt, None);
    clock.advance(20_000);
    assert_refused(&buy(&port, account));
    assert_halted(&port);
    clock.set_working(true, false);
    let last = buy(&port, account);
    assert_refused(&last);
    confirm_and_resume(&port, 1);
    created(&buy(&port, account));
    let _ = engine.stop();
    let log = commands(&disks);
    let (primary, backup, fallback) =
        (ClockStatus::Primary, ClockStatus::Backup, ClockStatus::Fallback);
    assert_eq!(changes(&log), [(primary, backup), (backup, fallback), (fallback, primary)]);
    for stamped in &log {
        let is_without = (first.command..=last.command).contains(&stamped.sequence);
        if is_without {
            assert!(stamped.fallback_clock, "{stamped:?}");
        }
        if stamped.sequence < first.command - 1 {
            assert!(!stamped.fallback_clock, "{stamped:?}");
        }
    }
    let without = |stamped: &&Stamped| stamped.sequence == last.command;
    let stamp = log.iter().find(without).expect("there").stamp.0;
    assert!((NOON + 10_000 * SECOND..NOON + 10_001 * SECOND).contains(&stamp), "time went on");
}

/// A clock that comes back in time is followed without anybody's word: nobody was halted.
#[test]
fn a_clock_that_comes_back_needs_no_word() {
    let (disks, clock) = (Disks::without_archive(125), clock());
    let engine = disks.start(&clock).expect("sound");
    let port = engine.port();
    let account = open_venue(&port, 1)[0];
    clock.set_working(false, false);
    created(&buy(&port, account));
    let _ = engine.stop();
    // Nor does a start need one, with the clock or without.
    let engine = disks.start(&clock).expect("recovers");
    created(&buy(&engine.port(), account));
    clock.set_working(true, false);
    created(&buy(&engine.port(), account));
    assert_eq!(health(&engine.port()).status, HealthStatus::Healthy);
    let _ = engine.stop();
    let log = commands(&disks);
    let (primary, fallback) = (ClockStatus::Primary, ClockStatus::Fallback);
    assert_eq!(changes(&log), [(primary, fallback), (fallback, primary)]);
}

/// An operator's halt lasts over a restart. A step meanwhile is on record, halts nothing twice, and must be confirmed
/// before that halt ends.
#[test]
fn a_halt_of_the_operator_outlasts_a_restart_and_a_step() {
    let (disks, clock) = (Disks::without_archive(126), clock());
    let engine = disks.start(&clock).expect("sound");
    let account = open_venue(&engine.port(), 1)[0];
    let halt = TradingHalt { reason: HaltReason::Regulatory, actor: label("ops-1") };
    let reply = operate(&engine.port(), 1, |by| Command::HaltTrading(halt, by));
    assert_eq!(reply.outcome, DONE);
    let _ = engine.stop();
    let engine = disks.start(&clock).expect("recovers");
    let port = engine.port();
    let seen = health(&port);
    let lasts = seen.halt.expect("it lasts");
    assert_eq!((lasts.reason, lasts.actor), (HaltReason::Regulatory, label("ops-1")));
    assert_eq!((seen.status, seen.clock), (HealthStatus::Degraded, ClockStatus::Primary));
    assert_refused(&buy(&port, account));
    clock.step(5 * SECOND);
    assert_refused(&buy(&port, account));
    assert_eq!(health(&port).halt, Some(lasts), "the first halt stays");
    confirm_and_resume(&port, 2);
    created(&buy(&port, account));
    assert_eq!(health(&port).halt, None);
}

/// What only the sequencer may say does not come in from outside.
#[test]
fn nobody_outside_halts_for_the_clock() {
    let disks = Disks::without_archive(127);
    let engine = disks.start(&clock()).expect("sound");
    let port = engine.port();
    let account = open_venue(&port, 1)[0];
    let halt = TradingHalt { reason: HaltReason::Clock, actor: label("sequencer") };
    for reply in [
        submit(&port, request(Command::HaltTrading(halt, Operator::NONE))),
        operate(&port, 1, |by| Command::HaltTrading(halt, by)),
    ] {
        let Outcome::Refused(refusal) = reply.outcome else { panic!("{reply:?}") };
        assert_eq!((reply.command, refusal.code), (0, Code::PermissionDenied));
    }
    created(&buy(&port, account));
    assert_eq!(health(&port).halt, None);
    let early = operate(&port, 2, |by| Command::ConfirmClock(label("ops-1"), by));
    let why = Refusal::new(Code::InvalidStateTransition, Why::ClockTrusted);
    assert_eq!(early.outcome, Outcome::Refused(why));
    assert!(port.clock().now() < Timestamp(NOON + SECOND));
}
