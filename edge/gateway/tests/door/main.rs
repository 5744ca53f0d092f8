//! The door over real sockets in front of a port that the test scripts.
//!
//! What a shard really does is tested end to end elsewhere; here it is what the door makes of requests
//! and of answers: credentials, bodies, keys, statuses, limits, streams.
#![expect(clippy::tests_outside_test_module, reason = "every module here is tests")]

mod access;
mod archive;
mod batch;
mod changes;
mod client;
mod document;
mod fake;
mod fees;
mod limits;
mod openapi;
mod operations;
mod orders;
mod samples;
mod stream;
mod venue;
