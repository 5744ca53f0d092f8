//! The HTTP and WebSocket door of the exchange (SVC-19 to SVC-24, SVC-57 to SVC-65).
//!
//! Owns the routes under `/v1`, what a request may look like, who may ask, and how an answer or a
//! refusal is written. It sees a shard through the `port` alone and keeps nothing that a restart would
//! miss: caches and counters. Invariants: no command is submitted before its credentials are verified
//! (SVC-20), a number of money is a text in both directions (D-8), a malformed request is answered
//! before anything is sequenced (LIFE-9). Deliberately no rule of trading and no key of the operator.
//!
//! Read `routes.rs` for what there is, `door.rs` for what it runs on, `orders.rs` for one order's way.

#![forbid(unsafe_code)]

mod account;
mod admin;
mod admission;
mod answer;
mod arrival;
mod batch;
mod body;
mod caller;
mod catalog;
mod connection;
mod door;
mod error;
mod fees;
mod forms;
mod idempotency;
mod in_place;
mod ledger;
pub mod limits;
mod market;
mod metrics;
mod openapi;
mod order_changes;
mod orders;
mod pages;
mod params;
mod parsers;
mod routes;
mod serve;
mod status;
mod submit;
mod text;
mod token;
mod token_cache;
mod trades;
mod transfers;
mod ws;

pub use arrival::{Machine, random_id};
pub use door::{Config, Door, MoreMetrics, OperatorSigner};
pub use in_place::{Call, InPlace};
pub use parsers::parse_anything;
pub use routes::{Access, ROUTES, Route};
pub use serve::serve;
pub use token::{Claims, Role, TokenFault, TokenSigner};
