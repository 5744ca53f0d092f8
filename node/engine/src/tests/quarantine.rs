//! A command that breaks an invariant, at every start again until people leave it out.

use ed25519_dalek::{Signer as _, SigningKey};
use journal::fake_disk::FakeDisk;
use port::{HealthStatus, Query, View};
use schema::{
    CancelOrder, Code, Command, Event, EventKind, GroupIter, Key, MarketChange, Operator, Outcome,
    Quarantine, SymbolRef, signed_bytes,
};
use units::{Id, Side, Timestamp};

use crate::quarantine::break_at;
use crate::testing::{
    Disks, NOON, ask, clock, created, deposit, genesis, label, open_venue, place, request, signed,
    submit, try_submit,
};
use crate::{Engine, ReplayFault, StartFault};

/// The command that breaks.
const BROKEN: u64 = 20;

/// Puts a quarantine of the broken command behind the log, signed with a key.
fn leave_out(disks: &Disks, number: u8, operator: &SigningKey) -> u64 {
    let what = Quarantine {
        command: BROKEN,
        invariant: label("postings sum to zero"),
        left: label("5"),
        right: label("0"),
        actor: label("carol"),
    };
    let sign = |key: &Key, valid_until: Timestamp, command: &Command| {
        let bytes = signed_bytes(genesis().venue_id, key, valid_until, command);
        Operator { valid_until, signature: operator.sign(&bytes).to_bytes() }
    };
    let hashes = [[number; 16], [1; 16]];
    let written = crate::quarantine(&mut disks.journal(), what, (hashes, Timestamp(NOON)), &sign);
    written.expect("a sound log")
}

fn start(disks: &Disks) -> Result<Engine, StartFault> {
    disks.start(&clock())
}

fn assert_stops(disks: &Disks) {
    let fault = start(disks).expect_err("it meets the command again");
    let StartFault::Replay(ReplayFault::Invariant { sequence, .. }) = fault else {
        panic!("{fault}")
    };
    assert_eq!(sequence, BROKEN);
}

/// Events of a command.
fn events_of(disks: &Disks, command: u64) -> Vec<Event> {
    let mut found = Vec::new();
    for block in disks.stored_blocks() {
        for group in GroupIter::new(block.payload()) {
            let group = group.expect("sound");
            if group.head.command_sequence == command {
                found.extend(group.events().map(|event| event.expect("sound").1));
            }
        }
    }
    found
}

/// A shard that ran into the broken command: its account, an order of it that is open, and the last event.
fn broken(disks: &Disks) -> (Id, Id, u64) {
    break_at(Some(BROKEN));
    let engine = start(disks).expect("an empty log");
    let port = engine.port();
    let account = open_venue(&port, 1)[0];
    let mut last = submit(&port, place(account, Side::Buy, 100, 1));
    let order = created(&last);
    while let Ok(reply) = try_submit(&port, request(deposit(account, 1, 1))) {
        last = reply;
    }
    assert_eq!(last.command, BROKEN - 1);
    (account, order, last.last_event)
}

/// A restart meets the fault again, and so does one behind a quarantine that the operator did not sign. Behind
/// one that is signed everything but the command has happened, the violation and the halt stand in its place,
/// and no order is taken, while cancels and withdrawals are; a person resumes the market.
/// covers: STATE-41, INV-22
#[test]
fn a_quarantine_leaves_one_command_out_and_halts_trading() {
    let disks = Disks::new(61);
    let (account, order, visible) = broken(&disks);
    assert_stops(&disks);
    let forged = leave_out(&disks, 1, &SigningKey::from_bytes(&[8; 32]));
    assert_stops(&disks);
    let number = leave_out(&disks, 2, &SigningKey::from_bytes(&[7; 32]));
    assert_eq!((forged, number), (BROKEN + 1, BROKEN + 2));
    let engine = start(&disks).expect("everything but the command is executed");
    let port = engine.port();
    assert_eq!(engine.recovery().command_sequence, number);
    let refused = submit(&port, place(account, Side::Buy, 100, 1));
    let Outcome::Rejected { refusal, .. } = refused.outcome else { panic!("{refused:?}") };
    assert_eq!(refusal.code, Code::MarketPaused);
    let cancel = CancelOrder { account, order, state_seq: None };
    let canceled = submit(&port, request(Command::CancelOrder(cancel)));
    assert_eq!(canceled.outcome, Outcome::Done { created: None });
    let Command::Deposit(entry) = deposit(account, 1, 1) else { unreachable!("it is one") };
    let withdrawn = submit(&port, request(Command::Withdraw(entry)));
    assert_eq!(withdrawn.outcome, Outcome::Done { created: None });
    assert_eq!(crate::testing::health(&port).status, HealthStatus::Healthy);
    let resume = signed(77, |by| {
        let (symbol, text) = (SymbolRef::Listed(1), label("looked at"));
        Command::ResumeMarket(MarketChange { symbol, reason: text, actor: text }, by)
    });
    assert_eq!(submit(&port, resume).outcome, Outcome::Done { created: None });
    created(&submit(&port, place(account, Side::Buy, 100, 1)));
    drop(engine);
    let events = events_of(&disks, BROKEN);
    let kinds: Vec<EventKind> = events.iter().map(Event::kind).collect();
    let wanted = [EventKind::InvariantViolated, EventKind::TradingHalted, EventKind::MarketPaused];
    assert_eq!(kinds, wanted);
    let Event::InvariantViolated(violated) = &events[0] else { unreachable!("compared") };
    assert_eq!((violated.command, violated.quarantined_by), (BROKEN, label("carol")));
    let Event::CommandRejected(rejected) = &events_of(&disks, forged)[0] else { panic!("refused") };
    assert_eq!(rejected.code, Code::ApprovalMissing);
    assert_eq!(events_of(&disks, number)[0].kind(), EventKind::CommandCompleted);
    let first = disks.stored_blocks().iter().find(|it| it.header().last_event() > visible).cloned();
    assert_eq!(first.map(|block| block.header().first_command), Some(BROKEN), "nothing between");
    break_at(None);
}

/// Every later start finds the same, with the events there, lost, or made by a version in which nothing breaks.
/// covers: REC-81
#[test]
fn every_start_passes_what_is_in_quarantine() {
    let mut disks = Disks::new(62);
    let (account, ..) = broken(&disks);
    leave_out(&disks, 2, &SigningKey::from_bytes(&[7; 32]));
    let found = |disks: &Disks| {
        let engine = start(disks).expect("sound");
        let seen = ask(&engine.port(), Query::Account(account), 0);
        let View::Account(Some(view)) = seen.view else { panic!("an account") };
        (*engine.recovery(), view)
    };
    let (first, view) = found(&disks);
    let blocks = disks.stored_blocks();
    break_at(None);
    let (second, again) = found(&disks);
    assert_eq!((first.event_sequence, first.made_block_count), (second.event_sequence - 1, 2));
    assert_eq!((second.made_block_count, &again), (0, &view));
    disks.events = FakeDisk::new(99);
    disks.archive = None;
    let (_, made_again) = found(&disks);
    assert_eq!(made_again, view);
    assert_eq!(disks.stored_blocks()[..blocks.len()], blocks, "byte for byte");
}
