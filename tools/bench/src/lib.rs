//! Benchmarks that print figure and target.
