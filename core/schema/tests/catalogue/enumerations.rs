//! The closed lists of values.

use schema::catalogue::EVENTS;
use schema::{
    AccountStatus, AccountType, Bucket, CanceledBy, ClockStatus, ExpiryReason, FeeKind, HaltReason,
    HaltScope, HoldReason, MarketKind, Matching, OrderState, OrderType, ReduceReason, RefundReason,
    ReleaseReason, TimeInForce, TriggerSource, UpdateReason, WaiverReason,
};

use crate::tables::{capitals, sentence, table};
use crate::{ACCOUNTS_TEXT, EVENTS_TEXT, STATES_TEXT};

/// The numbers of the states, as constants that never change.
/// covers: STATE-2, LIFE-49
#[test]
fn order_states_have_the_numbers_of_the_document() {
    let constants = [
        (0, "PENDING"),
        (1, "PARTIAL"),
        (2, "FILLED"),
        (3, "CANCELED"),
        (4, "REJECTED"),
        (5, "EXPIRED"),
    ];
    let states: Vec<(u8, &str)> =
        OrderState::ALL.iter().map(|state| (state.number(), state.name())).collect();
    assert_eq!(states, constants);
    let rows = table(STATES_TEXT, "STATE-1");
    let written: Vec<(u8, &str)> =
        rows.iter().map(|cells| (cells[0].parse().expect("a number"), cells[1].as_str())).collect();
    assert_eq!(written, constants);
}

/// Why a balance changed. That fees are postings of their trade's settlement is the ledger's to show.
/// covers: EVT-31
#[test]
fn update_reasons_are_those_of_the_document() {
    let text = sentence(EVENTS_TEXT, "EVT-31");
    let (list, _) = text.split_once("; fees").expect("the list, then the remark on fees");
    let names: Vec<&str> = UpdateReason::ALL.iter().map(|reason| reason.name()).collect();
    assert_eq!(names, capitals(list));
}

/// Why an amount was locked, and why it became free: the types have these values and no other.
/// covers: EVT-33
#[test]
fn reasons_of_margin_are_those_of_the_document() {
    let text = sentence(EVENTS_TEXT, "EVT-33");
    let (holds, releases) = text.split_once("`MarginReleased").expect("both lists");
    let names: Vec<&str> = HoldReason::ALL.iter().map(|reason| reason.name()).collect();
    assert_eq!(names, capitals(holds));
    let names: Vec<&str> = ReleaseReason::ALL.iter().map(|reason| reason.name()).collect();
    assert_eq!(names, capitals(releases));
}

/// Types and statuses of an account.
#[test]
fn accounts_have_the_types_and_statuses_of_the_document() {
    let first = |id| -> Vec<String> {
        let rows = table(ACCOUNTS_TEXT, id);
        let word = |cells: &Vec<String>| cells[0].split(' ').next().expect("a word").to_owned();
        rows.iter().map(word).collect()
    };
    let types: Vec<&str> = AccountType::ALL.iter().map(|kind| kind.name()).collect();
    assert_eq!(types, first("ACCT-2"));
    let statuses: Vec<&str> = AccountStatus::ALL.iter().map(|status| status.name()).collect();
    assert_eq!(statuses, first("ACCT-4"));
}

/// Where a row writes the values of a field out, they are those of the type that holds it.
#[test]
fn values_in_rows_are_those_of_the_types() {
    fn names<T: Copy>(all: &[T], name: impl Fn(T) -> &'static str) -> String {
        all.iter().map(|value| name(*value)).collect::<Vec<_>>().join("|")
    }
    let checks = [
        ("OrderSubmitted", "type", names(OrderType::ALL, OrderType::name)),
        ("OrderSubmitted", "time_in_force", names(TimeInForce::ALL, TimeInForce::name)),
        ("OrderCanceled", "canceled_by", names(CanceledBy::ALL, CanceledBy::name)),
        ("OrderExpired", "reason", names(ExpiryReason::ALL, ExpiryReason::name)),
        ("OrderReduced", "reason", names(ReduceReason::ALL, ReduceReason::name)),
        ("OrderTriggered", "trigger_source", names(TriggerSource::ALL, TriggerSource::name)),
        ("FeeTierChanged", "kind", names(FeeKind::ALL, FeeKind::name)),
        ("FeeTierChanged", "waiver_reason", names(WaiverReason::ALL, WaiverReason::name) + "?"),
        ("FeeRefunded", "reason", names(RefundReason::ALL, RefundReason::name)),
        ("AccountCreated", "account_type", names(AccountType::ALL, AccountType::name)),
        ("AccountStatusChanged", "from", names(AccountStatus::ALL, AccountStatus::name)),
        ("AccountStatusChanged", "to", names(AccountStatus::ALL, AccountStatus::name)),
        ("MarketListed", "kind", names(MarketKind::ALL, MarketKind::name)),
        ("MarketListed", "matching", names(Matching::ALL, Matching::name)),
        ("TradingHalted", "scope", names(HaltScope::ALL, HaltScope::name)),
        ("TradingHalted", "reason", names(HaltReason::ALL, HaltReason::name)),
        ("ClockStatusChanged", "from", names(ClockStatus::ALL, ClockStatus::name)),
    ];
    for (event, field, values) in checks {
        let row = EVENTS.iter().find(|row| row.name == event).expect("listed");
        let field = row.fields.iter().find(|row| row.name == field).expect("a field");
        assert_eq!(field.form, values, "{event}");
    }
    let row = EVENTS.iter().find(|row| row.name == "BalanceUpdated").expect("listed");
    let buckets = format!("bucket {}}}", names(Bucket::ALL, Bucket::name));
    assert!(row.fields[2].form.ends_with(&buckets), "{}", row.fields[2].form);
}
