//! Chores of the project: tidy, compliance, bench, test.
fn main() {}
