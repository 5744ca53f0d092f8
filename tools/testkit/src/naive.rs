//! References that are slow and obvious: what the fast structures must agree with.
//!
//! Owns one module per structure. Invariant: each does the plainest thing that the specification's
//! sentence allows, so that reading it is proof enough. They deliberately share no code with what they
//! judge.

mod book;

pub use book::{NaiveBook, Resting, Taker};
