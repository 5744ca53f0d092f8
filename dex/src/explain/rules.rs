//! Which requirement stands behind which event.
//!
//! Owns the map from what happened to the ids of `docs/spec` that say so; a test holds the ids to the
//! specification. It decides nothing: the kernel did.

use schema::{
    Code, Detail, Event, ExpiryReason, Matching, OrderEnded, OrderRejected, ReduceReason,
    ReleaseReason, Why,
};

/// A requirement or decision, and what it says here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    /// Its id in `docs/spec`.
    pub(super) id: &'static str,
    /// In one line.
    pub(super) says: &'static str,
}

const fn rule(id: &'static str, says: &'static str) -> Rule {
    Rule { id, says }
}

/// The rules behind an event, the nearest first.
pub(super) fn rules_of(event: &Event, matching: Matching) -> Vec<Rule> {
    match event {
        Event::OrderSubmitted(event) if event.replaces.is_some() => {
            vec![SUBMITTED, rule("LIFE-43", "a replacement ends the old order in the same command")]
        }
        Event::OrderSubmitted(_) => vec![SUBMITTED, ID],
        Event::MarginReserved(_) => vec![rule(
            "LIFE-18",
            "a buy reserves its value and the taker fee on it, a sell its quantity",
        )],
        Event::OrderAccepted(_) => {
            vec![rule(
                "LIFE-15",
                "what passes the checks is PENDING, with its reservation, at once",
            )]
        }
        Event::OrderRejected(rejected) => rejection(rejected),
        Event::CommandRejected(refused) => {
            vec![refusal(refused.code), detail_rule(&refused.detail)]
        }
        Event::TradeExecuted(_) => vec![MEETS, priority(matching), MAKER_PRICE],
        Event::OrderPartiallyFilled(_) | Event::OrderFilled(_) => vec![FILLED],
        Event::BalanceUpdated(_) => {
            vec![rule("TRADE-19", "what each side gets and gives, its own fee included")]
        }
        Event::TradeSettled(_) => vec![SETTLED, FEES],
        Event::MarginReleased(event) => vec![release(event.reason)],
        Event::OrderCanceled(ended) => cancel(ended),
        Event::OrderExpired(ended) => vec![expiry(ended.reason)],
        Event::OrderReduced(event) => vec![match event.reason {
            ReduceReason::UserRequested => {
                rule("LIFE-42", "a reduction keeps the place in time and frees its reservation")
            }
            ReduceReason::SelfTrade => DECREMENT,
        }],
        Event::OrderTriggered(_) => vec![
            rule("LIFE-35", "the last price reached the trigger"),
            rule("LIFE-37", "it enters matching with a new place in time"),
        ],
        _ => Vec::new(),
    }
}

/// Step of the table of LIFE-8 at which an order gets this reason.
pub(super) const fn step_of(reason: Code) -> Option<(u8, &'static str)> {
    Some(match reason {
        Code::InvalidSchema => (1, "schema"),
        Code::IdempotencyConflict => (2, "key"),
        Code::AccountNotFound | Code::AccountSuspended => (3, "account"),
        Code::SymbolNotFound | Code::MarketPaused => (4, "market"),
        Code::InvalidPrice => (5, "price"),
        Code::InvalidQuantity => (6, "quantity"),
        Code::InvalidExpiry => (7, "expiry"),
        Code::ReduceOnlyReject => (8, "reduce"),
        Code::InsufficientBalance => (9, "balance"),
        Code::InsufficientMargin | Code::RiskLimitBreach => (10, "risk"),
        Code::FokNotFillable => (11, "fill"),
        Code::InvalidAmount => (12, "size"),
        _ => return None,
    })
}

fn rejection(rejected: &OrderRejected) -> Vec<Rule> {
    vec![
        rule("LIFE-8", "the reason is that of the first check that failed"),
        detail_rule(&rejected.detail),
        rule("LIFE-10", "a rejection leaves every balance, book and limit as it was"),
    ]
}

const fn refusal(code: Code) -> Rule {
    match code {
        Code::VersionConflict => rule("STATE-39", "the version given is not the present one"),
        _ => rule("LIFE-46", "a bad command on an order is refused and changes nothing"),
    }
}

const fn priority(matching: Matching) -> Rule {
    match matching {
        Matching::PriceTime => rule("LIFE-22", "the better price first, at one price the earlier"),
        Matching::ProRata => rule("LIFE-23", "a level is shared in proportion to what rests there"),
    }
}

const fn release(reason: ReleaseReason) -> Rule {
    match reason {
        ReleaseReason::OrderFilled => {
            rule("TRADE-17", "what a fill did not need of its reservation is free again")
        }
        ReleaseReason::OrderReduced => rule("LIFE-42", "what was taken off frees its reservation"),
        ReleaseReason::OrderExpired => rule("LIFE-31", "an order that expires holds nothing more"),
        _ => rule("LIFE-39", "an order that is canceled holds nothing more"),
    }
}

fn cancel(ended: &OrderEnded<Code>) -> Vec<Rule> {
    let because = match ended.reason {
        Code::SelfTrade => rule("LIFE-25", "it met an order of its own account (D-14)"),
        Code::PostOnlyReject => rule("LIFE-28", "it would have taken, and is post-only"),
        Code::AdminCancel => rule("D-66", "its account or market was closed by the operator"),
        Code::OcoCanceled => rule("LIFE-38", "the other order of its pair triggered or traded"),
        Code::RiskLimitBreach => rule("LIFE-74", "a command makes at most 10,000 fills"),
        Code::InsufficientMargin => rule("LIFE-30", "its margin no longer covers its risk"),
        _ => rule("LIFE-39", "its owner asked for it"),
    };
    vec![because, rule("LIFE-41", "what was filled before stays")]
}

const fn expiry(reason: ExpiryReason) -> Rule {
    match reason {
        ExpiryReason::Gtd => rule("LIFE-33", "its time had come before anything else happened"),
        ExpiryReason::Ioc => rule("LIFE-32", "what cannot trade at once ends"),
    }
}

const fn detail_rule(detail: &Detail) -> Rule {
    match detail {
        Detail::Balance { .. } => {
            rule("LIFE-11", "the message names what is free and what would be needed")
        }
        Detail::Why(why) => rule(id_of(*why), why.name()),
    }
}

/// The requirement that a fixed sentence comes from.
const fn id_of(why: Why) -> &'static str {
    match why {
        Why::LimitWithoutPrice
        | Why::MarketWithPrice
        | Why::MarketRests
        | Why::ExpiryMissing
        | Why::ExpiryWithoutGtd
        | Why::PostOnlyTakes
        | Why::ReduceOnlySpot
        | Why::PositionSideSpot
        | Why::OcoNotOpen
        | Why::OcoTaken => "LIFE-7",
        Why::NotOffered => "D-90",
        Why::WrongAccountType => "D-18",
        Why::TooManyOrders => "LIFE-13",
        Why::TooManyKeys | Why::KeyTooLate => "D-74",
        Why::KeyReused => "D-17",
        Why::NoSuchOrder | Why::NotAReduction | Why::RestTooSmall => "LIFE-46",
        Why::StateSeqDiffers => "STATE-39",
        Why::StatusNotReachable => "ACCT-5",
        Why::AccountHoldsSomething => "ACCT-7",
        Why::ExternalIdUsed
        | Why::NoSuchAsset
        | Why::AmountTooPrecise
        | Why::SymbolUsed
        | Why::SameAccount
        | Why::TwoOwners => "ACCT-27",
        Why::AmountNotPositive | Why::AmountTooLarge => "ACCT-13",
        Why::BalanceOutOfRange => "ACCT-68",
        Why::TickTimesLot => "ACCT-69",
        Why::SignatureMissing => "D-75",
        Why::GenesisFirst => "SEQ-55",
        Why::RateOutOfRange | Why::EndNotAhead => "FEE-37",
        Why::EpochNotNewer => "SEQ-54",
        Why::HashNotNext => "EVT-43",
        Why::EndTooFar => "LIFE-76",
        Why::KycTierTooLow => "CUST-39",
        Why::SystemAccount => "ACCT-2",
        Why::ByQuoteNotMarket | Why::ValueTooSmall => "D-94",
        Why::MarkTrigger => "D-67",
        Why::PriceOutOfBand => "D-95",
        Why::WorkIsDue => "D-83",
        Why::ReplacesElsewhere => "LIFE-43",
        Why::NoticeTooShort => "D-61",
        Why::PromotionTooLong => "FEE-22",
        Why::CountdownOutOfRange => "D-96",
        Why::AccountVersionDiffers => "ACCT-8",
        Why::RefundTooLarge => "FEE-24",
        _ => "LIFE-8",
    }
}

const SUBMITTED: Rule = rule("LIFE-51", "the request reached the core");
const ID: Rule = rule("LIFE-17", "its id is that of this event");
const MEETS: Rule = rule("TRADE-3", "two orders of two accounts whose prices meet");
const MAKER_PRICE: Rule = rule("TRADE-5", "the price is that of the order that rested");
const FILLED: Rule = rule("TRADE-15", "both orders of a trade move together");
const SETTLED: Rule = rule("LIFE-48", "a fill is settled in the command that made it");
const FEES: Rule = rule("TRADE-10", "each side's fee is value times its rate, rounded up");
const DECREMENT: Rule = rule("LIFE-26", "both own orders lose the smaller remainder");

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// Every id that is told is one of the specification, and every step of LIFE-8 has its reason.
    #[test]
    fn every_rule_is_in_the_specification() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/spec");
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("there");
        let (requirements, decisions) = (read("requirements.tsv"), read("decisions.md"));
        let mut ids: Vec<&str> = Why::ALL.iter().map(|why| id_of(*why)).collect();
        let fixed = [SUBMITTED, ID, MEETS, MAKER_PRICE, FILLED, SETTLED, FEES, DECREMENT];
        ids.extend(fixed.map(|rule| rule.id));
        for code in Code::ALL {
            ids.extend(cancel(&OrderEnded { order: 1, reason: *code }).iter().map(|it| it.id));
            ids.push(refusal(*code).id);
            assert!(!code.uses().rejects || step_of(*code).is_some(), "{}", code.name());
        }
        ids.extend(ReleaseReason::ALL.iter().map(|reason| release(*reason).id));
        ids.extend(ExpiryReason::ALL.iter().map(|reason| expiry(*reason).id));
        ids.extend(Matching::ALL.iter().map(|matching| priority(*matching).id));
        for id in ids {
            let is_there = if id.starts_with("D-") {
                decisions.contains(&format!("**{id} "))
            } else {
                requirements.lines().any(|line| line.split('\t').next() == Some(id))
            };
            assert!(is_there, "{id} is not in the specification");
        }
    }
}
