//! The real binary: start, trade through its door, stop, start again, and what it refuses.
#![expect(clippy::tests_outside_test_module, reason = "every module here is tests")]

mod changes;
mod history;
mod process;
mod restart;
mod stream;
mod times;
mod trading;
