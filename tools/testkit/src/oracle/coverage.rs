//! What a run has shown: events, codes and sentences, counted.
//!
//! Owns the table that a run prints, so that a situation that never came up is seen.

use std::collections::BTreeMap;
use std::fmt;

use schema::{CodeUse, Detail, Event, EventKind, Outcome, Stamped, Why};

use super::Answer;

/// Counts by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    counts: BTreeMap<String, u64>,
}

impl Coverage {
    /// Counts a command and its answer.
    pub fn count(&mut self, stamped: &Stamped, answer: &Answer) {
        self.add(format!("command {}", stamped.command.kind().name()));
        let outcome = match answer.outcome {
            Outcome::Done { .. } => "done",
            Outcome::Accepted { .. } => "accepted",
            Outcome::Rejected { .. } => "rejected",
            Outcome::Refused(_) => "refused",
            Outcome::Repeated { .. } => "repeated",
        };
        self.add(format!("outcome {outcome}"));
        for (_, event) in &answer.events {
            self.add(format!("event {}", event.kind().name()));
            match event {
                Event::OrderRejected(it) => {
                    self.add(format!("code R {}", it.reason.name()));
                    self.add_detail(it.detail);
                }
                Event::OrderCanceled(it) => self.add(format!("code C {}", it.reason.name())),
                Event::OrderExpired(it) => self.add(format!("expired {}", it.reason.name())),
                Event::CommandRejected(it) => {
                    self.add(format!("code X {}", it.code.name()));
                    self.add_detail(it.detail);
                }
                Event::FeeTierChanged(it) => self.add(format!("rates {}", it.kind.name())),
                _ => {}
            }
        }
    }

    fn add(&mut self, name: String) {
        *self.counts.entry(name).or_default() += 1;
    }

    fn add_detail(&mut self, detail: Detail) {
        let why = match detail {
            Detail::Why(why) => why.name().to_owned(),
            Detail::Balance { .. } => "available …, required …".to_owned(),
        };
        self.add(format!("why {why}"));
    }

    /// What has not been seen: the events and codes that spot trading can show, and the sentences.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        let mut wanted: Vec<String> = Vec::new();
        let events = EventKind::ALL.iter().filter(|kind| !LATER.contains(&kind.name()));
        wanted.extend(events.map(|kind| format!("event {}", kind.name())));
        for code in schema::Code::ALL {
            let CodeUse { rejects, cancels, refuses, .. } = code.uses();
            for (letter, is_used, never) in
                [("R", rejects, NO_R), ("C", cancels, NO_C), ("X", refuses, NO_X)]
            {
                if is_used && !never.contains(&code.name()) {
                    wanted.push(format!("code {letter} {}", code.name()));
                }
            }
        }
        let whys = Why::ALL.iter().filter(|why| !NO_WHY.contains(why));
        wanted.extend(whys.map(|why| format!("why {}", why.name())));
        wanted.retain(|name| !self.counts.contains_key(name));
        wanted
    }
}

/// A number that whoever runs a test asks for by an environment variable.
///
/// # Panics
/// When it is no number.
#[must_use]
pub fn asked(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, count) in &self.counts {
            writeln!(f, "{count:>10} {name}")?;
        }
        Ok(())
    }
}

/// Events of rooms that are not open, and the hash, which the oracle does not make.
const LATER: &[&str] = &[
    "StateHashRecorded",
    "CoreVersionActivated",
    "AssetParametersChanged",
    "AssetDelisted",
    "MarketDelisted",
    "InvariantViolated",
    "DepositConfirmed",
];
/// Codes that a spot order cannot be rejected with: margin and positions.
const NO_R: &[&str] = &["INSUFFICIENT_MARGIN", "REDUCE_ONLY_REJECT"];
/// Codes that a spot order cannot be canceled with.
const NO_C: &[&str] = &["INSUFFICIENT_MARGIN", "REDUCE_ONLY_REJECT"];
/// Codes of margin, positions, the wallet and of governance.
const NO_X: &[&str] = &[
    "INSUFFICIENT_MARGIN",
    "POSITION_NOT_FOUND",
    "INVALID_LEVERAGE",
    "NOT_ELIGIBLE",
    "BELOW_MINIMUM",
    "WITHDRAWAL_LIMIT",
    "ADDRESS_NOT_LISTED",
    "INVALID_ADDRESS",
    "ADDRESS_SANCTIONED",
    "WITHDRAWAL_CLOSED",
    "NONCE_REUSED",
    "NONCE_TOO_LOW",
    "ALREADY_CANCELED",
    "ALREADY_COMPLETED",
];
/// Sentences of bounds too large for a test, of hashes, and of no refusal.
const NO_WHY: &[Why] = &[Why::Nothing, Why::TooMany, Why::HashNotNext, Why::TooManyOrdersOfShard];
