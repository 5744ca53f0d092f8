//! Seeded streams, builders and the naive reference of the tests.
