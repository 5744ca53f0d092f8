//! The policy of document 18 over the buckets: two layers, escalation, adaptive limits, addresses.
#![expect(clippy::tests_outside_test_module, reason = "every module here is tests")]

mod adaptive;
mod addresses;
mod escalation;
mod layers;
mod scene;
