//! Rate limits: how many requests, orders and connections each client may send (document 18).
//!
//! Pure state: every decision follows from the time that is handed in and what was asked before, so that
//! two clients with one history get one answer (RATE-63). Integers only (RATE-13), and no clock. None of
//! it is part of core state: a replay never depends on it.
//!
//! Read `limiter.rs` for a decision, `tables.rs` for the numbers, `bucket.rs` for the arithmetic.

#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic)]

mod account;
mod adaptive;
mod address;
mod bucket;
mod challenge;
mod charges;
mod escalation;
mod figures;
mod limiter;
mod quota;
mod suspicion;
mod table_of;
pub mod tables;

pub use account::{Lack, Moment, Standing, Taken};
pub use adaptive::{DayCounts, DayJudgement, Factors, LOAD_PER_MILLE_MAX, LoadGate, Percent};
pub use address::{AddressRules, BadNetwork, Host, Network};
pub use bucket::{Bucket, Rate, SECOND, Short};
pub use challenge::{CHALLENGE_LIFE, Challenge, PROOF_BITS, ProofOfWork, zero_bits};
pub use charges::{Charge, Charges, Demand};
pub use escalation::{Record, Step};
pub use figures::Figures;
pub use limiter::{
    Asking, Decision, Limiter, OVERRIDE_TIME_MAX, Overview, Plan, Refused, Review, Verdict,
};
pub use quota::{Day, DayQuota};
pub use suspicion::Suspicion;
pub use tables::{Category, Profile, Slot};
