//! Tests of the ledger's own promises; what commands do with it is tested in the kernel.

extern crate std;

use alloc::vec::Vec;
use std::panic::{AssertUnwindSafe, catch_unwind};

use schema::{
    AccountOpening, AccountType, ApiClass, BalanceUpdated, Bucket, Label, OrderTier, Posting,
    Reference, RiskTier, UpdateReason,
};
use units::{Amount, Id, Timestamp};

use crate::{Account, Ledger, LedgerError, SystemAccount};

const NOW: Timestamp = Timestamp(1_700_000_000_000_000_000);

fn account(sequence: u64, name: &str, account_type: AccountType) -> Account {
    let label = |text| Label::new(text).expect("short");
    let opening = AccountOpening {
        account_type,
        external_id: label(name),
        owner_id: None,
        jurisdiction: label(""),
        kyc_tier: 0,
        risk_tier: RiskTier::Standard,
        order_tier: OrderTier::Retail,
        api_class: ApiClass::Standard,
        metadata: Vec::new(),
    };
    Account::new(Id::derive(NOW, 0, sequence).expect("in range"), &opening, NOW)
}

/// A ledger with the system accounts and two customers, 8 and 9.
fn ledger() -> Ledger {
    let mut ledger = Ledger::new();
    for (sequence, system) in (1..).zip(SystemAccount::ALL) {
        assert_eq!(
            ledger.open(account(sequence, system.name(), AccountType::System)),
            system.number()
        );
    }
    assert_eq!(ledger.open(account(20, "alice", AccountType::Spot)), 8);
    assert_eq!(ledger.open(account(30, "bob", AccountType::Spot)), 9);
    ledger
}

fn moved(postings: &[(u32, u32, Bucket, i64)]) -> BalanceUpdated {
    let reference = Reference::Outside(Id::default());
    let mut event = BalanceUpdated::new(UpdateReason::Adjustment, reference);
    for &(account, asset, bucket, units) in postings {
        event.post(Posting { account, asset, bucket, delta: Amount::from_units(units) });
    }
    event
}

const EXTERNAL: u32 = SystemAccount::External.number();
use Bucket::{Available, Locked};

/// covers: ACCT-10, ACCT-18
#[test]
fn a_hold_and_its_release_leave_the_balance_as_before() {
    let mut ledger = ledger();
    ledger.post(&moved(&[(EXTERNAL, 1, Available, -10), (8, 1, Available, 10)]), 40, NOW);
    let before = ledger.balance(8, 1);
    ledger.hold(8, 1, Amount::from_units(4), (41, NOW));
    let held = ledger.balance(8, 1);
    assert_eq!((held.available, held.locked), (Amount::from_units(6), Amount::from_units(4)));
    assert_eq!(held.total(), before.total());
    ledger.release(8, 1, Amount::from_units(4), (42, NOW));
    let after = ledger.balance(8, 1);
    assert_eq!((after.available, after.locked), (before.available, before.locked));
    assert_eq!(after.update_seq, 42);
}

/// An event whose postings do not sum to zero in every asset is not applied.
/// covers: EVT-28, ACCT-15
#[test]
fn postings_must_balance_per_asset() {
    let mut ledger = ledger();
    for bad in [
        moved(&[(8, 1, Available, 1)]),
        moved(&[(8, 1, Available, 1), (EXTERNAL, 2, Available, -1)]),
        moved(&[(8, 1, Available, 1), (EXTERNAL, 1, Available, -1), (9, 2, Available, 1)]),
    ] {
        assert!(matches!(ledger.check(&bad), Err(LedgerError::NotBalanced(_))));
        assert!(catch_unwind(AssertUnwindSafe(|| ledger.post(&bad, 50, NOW))).is_err());
    }
    let unknown = moved(&[(99, 1, Available, 1), (EXTERNAL, 1, Available, -1)]);
    assert_eq!(ledger.check(&unknown), Err(LedgerError::NoAccount(99)));
    assert_eq!(ledger.sum(1), Amount::ZERO);
}

/// Only EXTERNAL and TRANSIT (and CLEARING, with its markets) may be below zero.
/// covers: ACCT-66, INV-4, EVT-32
#[test]
fn nothing_else_goes_below_zero() {
    for (number, system) in (0u32..).zip(SystemAccount::ALL) {
        let mut ledger = ledger();
        let event = moved(&[(number, 1, Available, -1), (8, 1, Available, 1)]);
        let posted = catch_unwind(AssertUnwindSafe(|| ledger.post(&event, 40, NOW))).is_ok();
        let allowed = matches!(system, SystemAccount::External | SystemAccount::Transit);
        assert_eq!(posted, allowed, "{}", system.name());
    }
    let mut ledger = ledger();
    let overdrawn = moved(&[(8, 1, Locked, -1), (9, 1, Available, 1)]);
    assert!(catch_unwind(AssertUnwindSafe(|| ledger.post(&overdrawn, 40, NOW))).is_err());
    let hold = AssertUnwindSafe(|| ledger.hold(8, 1, Amount::from_units(1), (41, NOW)));
    assert!(catch_unwind(hold).is_err());
}

/// covers: ACCT-68, INV-87
#[test]
fn no_balance_leaves_its_range() {
    let mut ledger = ledger();
    let mut event = BalanceUpdated::new(UpdateReason::Deposit, Reference::Outside(Id::default()));
    let half = Amount(Amount::BALANCE_MAX.0);
    event.post(Posting { account: EXTERNAL, asset: 1, bucket: Available, delta: -half });
    event.post(Posting { account: 8, asset: 1, bucket: Available, delta: half });
    ledger.post(&event, 40, NOW);
    let one_more = moved(&[(EXTERNAL, 1, Available, -1), (9, 1, Available, 1)]);
    assert!(catch_unwind(AssertUnwindSafe(|| ledger.post(&one_more, 41, NOW))).is_err());
}

/// An event with several postings of one account counts once for it.
#[test]
fn an_event_counts_once_for_each_account() {
    let mut ledger = ledger();
    let event = moved(&[
        (EXTERNAL, 1, Available, -3),
        (EXTERNAL, 2, Available, -3),
        (8, 1, Available, 3),
        (8, 2, Available, 3),
    ]);
    ledger.post(&event, 40, NOW);
    assert_eq!(ledger.account(8).map(|account| account.version), Some(1));
    assert_eq!(ledger.account(EXTERNAL).map(|account| account.version), Some(1));
    assert_eq!(ledger.assets_of(8).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn ids_find_their_accounts() {
    let ledger = ledger();
    let id = Id::derive(NOW, 0, 20).expect("in range");
    assert_eq!(ledger.number(id), Some(8));
    assert_eq!(ledger.number(Id::derive(NOW, 1, 20).expect("in range")), None);
    assert_eq!(ledger.number(Id::derive(NOW, 0, 21).expect("in range")), None);
    assert_eq!(ledger.number_of_external_id(&Label::new("bob").expect("short")), Some(9));
}
