//! Accounts: status, closing, deposits, withdrawals, and the range of amounts and balances.

mod common;

use common::{Venue, amount, code_of, entry, label, limit, message_of, opening};
use ledger::SystemAccount;
use schema::{
    AccountStatus, AccountType, AssetRef, Code, Command, Event, LedgerEntry, Outcome, StatusChange,
};
use units::Side::{Buy, Sell};
use units::{Amount, Id};

use AccountStatus::{Active, Closed, Suspended};

const DONE: Outcome = Outcome::Done { created: None };

/// covers: ACCT-4
#[test]
fn what_is_allowed_follows_the_status() {
    for (status, trade, withdraw, deposit) in
        [(Active, true, true, true), (Suspended, false, false, true), (Closed, false, false, false)]
    {
        let mut venue = Venue::new();
        let alice = venue.account("alice", "0", if status == Closed { "0" } else { "100" });
        if status != Active {
            assert_eq!(venue.set_status(alice, status), DONE);
        }
        let refused = |outcome: Outcome| match outcome {
            Outcome::Refused(refusal) | Outcome::Rejected { refusal, .. } => Some(refusal.code),
            _ => None,
        };
        let code = |allowed: bool| (!allowed).then_some(Code::AccountSuspended);
        let order = limit(alice, Buy, "0.1", "100");
        assert_eq!(refused(venue.place(order)), code(trade), "{status:?}");
        assert_eq!(refused(venue.withdraw(alice, 2, "1").outcome), code(withdraw), "{status:?}");
        assert_eq!(refused(venue.deposit(alice, 2, "1").outcome), code(deposit), "{status:?}");
        venue.check();
    }
}

/// Every pair of statuses is tried; a refused one changes nothing.
/// covers: ACCT-5
#[test]
fn only_the_listed_changes_of_status_succeed() {
    for from in [Active, Suspended, Closed] {
        for to in [Active, Suspended, Closed] {
            let mut venue = Venue::new();
            let alice = venue.account("alice", "0", "0");
            if from != Active {
                assert_eq!(venue.set_status(alice, from), DONE);
            }
            let listed = matches!(
                (from, to),
                (Active, Suspended) | (Suspended, Active) | (Active | Suspended, Closed)
            );
            let outcome = venue.set_status(alice, to);
            let number = venue.live.account_number(alice).expect("she is there");
            let status = venue.live.account(number).expect("she is there").status;
            if listed {
                assert_eq!((outcome, status), (DONE, to));
            } else {
                assert_eq!(code_of(outcome), Code::InvalidStateTransition, "{from:?} → {to:?}");
                assert_eq!((status, venue.names()), (from, vec!["CommandRejected"]));
            }
            venue.check();
        }
    }
    let mut venue = Venue::new();
    assert_eq!(code_of(venue.set_status(Id([9; 16]), Suspended)), Code::AccountNotFound);
    let system = venue.live.account(0).expect("REVENUE").id;
    assert_eq!(code_of(venue.set_status(system, Suspended)), Code::InvalidStateTransition);
}

/// Suspending cancels every open order in the same command, in order of their ids, in all markets, and
/// touches nobody else's and no balance's total.
/// covers: ACCT-6, SETL-11
#[test]
fn suspending_cancels_the_open_orders() {
    let mut venue = Venue::new();
    let alice = venue.account("alice", "2", "1000");
    let bob = venue.account("bob", "0", "1000");
    let first = venue.accept(limit(alice, Buy, "1", "99"));
    let second = venue.accept(limit(alice, Sell, "1", "101"));
    let third = venue.accept(limit(alice, Buy, "1", "98"));
    let others = venue.accept(limit(bob, Buy, "1", "99"));
    assert_eq!(venue.set_status(alice, Suspended), DONE);
    let mut expected = vec!["AccountStatusChanged"];
    expected.extend(["OrderCanceled", "MarginReleased"].repeat(3));
    assert_eq!(venue.names(), expected);
    let canceled: Vec<_> = venue
        .events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::OrderCanceled(ended) => Some((ended.order, ended.reason)),
            _ => None,
        })
        .collect();
    let expected = [first, second, third].map(|order| (order.sequence(), Code::AdminCancel));
    assert_eq!(canceled, expected);
    assert_eq!(venue.balance(alice, 1), ("2".into(), "0".into()));
    assert_eq!(venue.balance(alice, 2), ("1000".into(), "0".into()));
    assert!(venue.live.order(others).is_some());
    // It may still cancel: what it is told is that the order is not open.
    assert_eq!(code_of(venue.cancel(alice, first)), Code::OrderNotFound);
    venue.set_status(alice, Active);
    venue.accept(limit(alice, Buy, "1", "99"));
    venue.check();
}

/// Nothing may be left: not a balance in any asset, not an open order.
/// covers: ACCT-7
#[test]
fn an_account_with_anything_in_it_does_not_close() {
    let mut venue = Venue::new();
    let alice = venue.account("alice", "0", "0.000001");
    assert_eq!(code_of(venue.set_status(alice, Closed)), Code::AccountNotEmpty);
    venue.set_status(alice, Suspended);
    assert_eq!(code_of(venue.set_status(alice, Closed)), Code::AccountNotEmpty);
    venue.set_status(alice, Active);
    venue.deposit(alice, 2, "100");
    let order = venue.accept(limit(alice, Buy, "0.1", "100"));
    assert_eq!(code_of(venue.set_status(alice, Closed)), Code::AccountNotEmpty);
    assert!(venue.live.order(order).is_some(), "a refused close cancels nothing");
    venue.cancel(alice, order);
    assert_eq!(venue.withdraw(alice, 2, "100.000001").outcome, DONE);
    assert_eq!(venue.set_status(alice, Closed), DONE);
    venue.check();
}

/// Without a KYC tier money comes in, and neither trades nor leaves (CUST-39).
#[test]
fn an_account_without_a_kyc_tier_only_takes_deposits() {
    let mut venue = Venue::new();
    let nobody = schema::AccountOpening { kyc_tier: 0, ..opening("nobody") };
    let nobody = Venue::created(venue.run(Command::CreateAccount(nobody)));
    assert_eq!(venue.deposit(nobody, 2, "100").outcome, DONE);
    assert_eq!(venue.reject(limit(nobody, Buy, "0.1", "100")), Code::AccountSuspended);
    assert_eq!(code_of(venue.withdraw(nobody, 2, "1").outcome), Code::KycRequired);
    venue.check();
}

/// covers: ACCT-23
#[test]
fn deposits_raise_and_withdrawals_lower_at_once() {
    let mut venue = Venue::new();
    let alice = venue.account("alice", "0", "10");
    assert_eq!(venue.balance(alice, 2), ("10".into(), "0".into()));
    assert_eq!(venue.withdraw(alice, 2, "3").outcome, DONE);
    assert_eq!(venue.balance(alice, 2), ("7".into(), "0".into()));
    assert_eq!(venue.system(SystemAccount::External.number(), 2), "-7");
    venue.accept(limit(alice, Buy, "0.05", "100"));
    // What is locked cannot be withdrawn.
    assert_eq!(code_of(venue.withdraw(alice, 2, "2").outcome), Code::InsufficientBalance);
    assert_eq!(venue.withdraw(alice, 2, "1.995").outcome, DONE);
    assert_eq!(venue.balance(alice, 2), ("0".into(), "5.005".into()));
    venue.check();
}

/// The rows of ACCT-27 for what the core has: each fault its code, and no change.
#[test]
fn bad_balance_commands_are_refused() {
    let mut venue = Venue::new();
    let alice = venue.account("alice", "1", "10");
    let system = venue.live.account(5).expect("LENDING").id;
    let unknown = AssetRef::Unknown(label("DOGE"));
    let good = entry(alice, 2, "1");
    let cases = [
        (LedgerEntry { account: Id([9; 16]), ..good }, Code::AccountNotFound),
        (LedgerEntry { account: system, ..good }, Code::AccountNotFound),
        (LedgerEntry { asset: unknown, ..good }, Code::AssetNotFound),
        (LedgerEntry { asset: AssetRef::Listed(0), ..good }, Code::AssetNotFound),
        (LedgerEntry { asset: AssetRef::Listed(3), ..good }, Code::AssetNotFound),
        (LedgerEntry { amount: Amount::ZERO, ..good }, Code::InvalidAmount),
        (LedgerEntry { amount: Amount(-1), ..good }, Code::InvalidAmount),
        (LedgerEntry { amount: Amount(i128::MIN), ..good }, Code::InvalidAmount),
        (LedgerEntry { amount: Amount(i128::MAX), ..good }, Code::InvalidAmount),
        (LedgerEntry { amount: amount("0.0000001"), ..good }, Code::InvalidAmount),
        (LedgerEntry { amount: Amount::COMMAND_END, ..good }, Code::InvalidAmount),
    ];
    for (entry, code) in cases {
        assert_eq!(venue.refuse(Command::Deposit(entry)), code, "{entry:?}");
        assert_eq!(venue.refuse(Command::Withdraw(entry)), code, "{entry:?}");
        assert_eq!(venue.names(), ["CommandRejected"]);
        assert_eq!(venue.balance(alice, 2).0, "10");
    }
    let by_text = LedgerEntry { asset: AssetRef::Unknown(label("USDT")), ..good };
    assert_eq!(venue.run(Command::Deposit(by_text)).outcome, DONE);
    assert_eq!(venue.refuse(Command::CreateAccount(opening("alice"))), Code::AccountExists);
    let system = schema::AccountOpening { account_type: AccountType::System, ..opening("s") };
    assert_eq!(venue.refuse(Command::CreateAccount(system)), Code::InvalidSchema);
    venue.check();
}

/// An amount of 10^18 units is refused, one last decimal less is not.
#[test]
fn amounts_of_commands_end_below_ten_to_the_18() {
    let mut venue = Venue::new();
    let alice = venue.account("alice", "0", "0");
    let end = LedgerEntry { amount: Amount::COMMAND_END, ..entry(alice, 2, "1") };
    assert_eq!(venue.refuse(Command::Deposit(end)), Code::InvalidAmount);
    assert_eq!(venue.refuse(Command::Withdraw(end)), Code::InvalidAmount);
    let most = LedgerEntry {
        amount: Amount(Amount::COMMAND_END.0 - Amount::quantum(6).0),
        ..entry(alice, 2, "1")
    };
    assert_eq!(venue.run(Command::Deposit(most)).outcome, DONE);
    assert_eq!(venue.balance(alice, 2).0, "999999999999999999.999999");
    venue.check();
}

/// Deposits fill the range of EXTERNAL, which is the range of all users together, and not one more; so
/// no trade between users can leave it either.
/// covers: ACCT-68
#[test]
fn no_balance_leaves_its_range() {
    let mut venue = Venue::new();
    let accounts = [venue.account("alice", "0", "0"), venue.account("bob", "0", "0")];
    let most = LedgerEntry {
        amount: Amount(Amount::COMMAND_END.0 - Amount::quantum(6).0),
        ..entry(accounts[0], 2, "1")
    };
    let mut done = 0;
    let outcome = loop {
        let entry = LedgerEntry { account: accounts[done % 2], ..most };
        match venue.run(Command::Deposit(entry)).outcome {
            DONE => done += 1,
            refused => break refused,
        }
        venue.check();
    };
    assert_eq!(code_of(outcome), Code::InvalidAmount);
    assert_eq!(message_of(outcome), "a balance would leave its range");
    let external = venue.live.balance(SystemAccount::External.number(), 2).total();
    assert!(external >= Amount(-Amount::BALANCE_MAX.0));
    assert!(external - most.amount < Amount(-Amount::BALANCE_MAX.0));
    let seller = venue.account("seller", "1", "0");
    venue.accept(limit(seller, Sell, "1", "1000000"));
    venue.accept(limit(accounts[1], Buy, "1", "1000000"));
    venue.check();
}

/// Two accounts of one owner have nothing in common.
/// covers: ACCT-3
#[test]
fn accounts_of_one_owner_are_isolated() {
    let mut venue = Venue::new();
    let owner = schema::AccountOpening { owner_id: Some(Id([5; 16])), ..opening("one") };
    let one = Venue::created(venue.run(Command::CreateAccount(owner.clone())));
    let other = schema::AccountOpening { external_id: label("two"), ..owner };
    let two = Venue::created(venue.run(Command::CreateAccount(other)));
    venue.deposit(one, 2, "1000");
    venue.deposit(two, 1, "1");
    // What one has, two cannot spend; what two owns, one does not lose; and the two may trade.
    assert_eq!(venue.reject(limit(two, Buy, "1", "100")), Code::InsufficientBalance);
    let order = venue.accept(limit(two, Sell, "1", "100"));
    venue.set_status(one, Suspended);
    assert!(venue.live.order(order).is_some());
    venue.set_status(one, Active);
    venue.accept(limit(one, Buy, "1", "100"));
    assert_eq!(venue.balance(one, 2).0, "899.9");
    assert_eq!(venue.balance(two, 2).0, "99.98");
    venue.check();
}

/// Signed by the operator, for this venue, this key, this end and this body, and by nothing else.
#[test]
fn a_change_of_status_needs_the_operators_signature() {
    let mut venue = Venue::new();
    let alice = venue.account("alice", "0", "0");
    let change =
        StatusChange { account: alice, to: Suspended, reason: label("r"), actor: label("a") };
    let key = venue.key();
    let until = units::Timestamp(venue.now.0 + 1_000_000);
    let make = move |operator| Command::SetAccountStatus(change, operator);
    let signed = venue.sign(&key, until, make);
    let Command::SetAccountStatus(_, operator) = signed else { panic!("it was made so") };
    let mut wrong_bit = operator;
    wrong_bit.signature[40] ^= 1;
    let mut longer = operator;
    longer.valid_until.0 += 1;
    let closed = StatusChange { to: Closed, ..change };
    let other_key = venue.key();
    let cases = [
        (Command::SetAccountStatus(change, wrong_bit), Some(key)),
        (Command::SetAccountStatus(change, longer), Some(key)),
        (Command::SetAccountStatus(closed, operator), Some(key)),
        (Command::SetAccountStatus(change, operator), None),
        (Command::SetAccountStatus(change, operator), Some(other_key)),
    ];
    for (command, used) in cases {
        // Each refusal keeps its key, so each case has a venue of its own.
        let mut copy = Venue::empty();
        for stamped in &venue.commands {
            copy.now = stamped.stamp;
            copy.run_stamped(stamped.command.clone(), stamped.key);
        }
        assert_eq!(code_of(copy.run_keyed(command, used).outcome), Code::ApprovalMissing);
        copy.check();
    }
    let mut gateway = key;
    gateway.origin = schema::KeyOrigin::Gateway { valid_until: until };
    let outcome = venue.run_keyed(signed.clone(), Some(gateway)).outcome;
    assert_eq!(code_of(outcome), Code::ApprovalMissing, "a key of 60 s is too short for it");
    let mut venue_two = Venue::new();
    let again = Venue::created(venue_two.run(Command::CreateAccount(opening("alice"))));
    assert_eq!(again, alice);
    assert_eq!(venue_two.run_keyed(signed.clone(), Some(key)).outcome, DONE);
    // It never runs twice: first the key is kept, then its end has passed.
    let outcome = venue_two.run_keyed(signed.clone(), Some(key)).outcome;
    assert!(matches!(outcome, Outcome::Repeated { .. }));
    venue_two.now.0 += 86_400_000_000_000;
    let outcome = venue_two.run_keyed(signed, Some(key)).outcome;
    assert_eq!(code_of(outcome), Code::InvalidExpiry);
    venue_two.check();
}
