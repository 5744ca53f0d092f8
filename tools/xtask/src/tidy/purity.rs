//! The core's source: no standard library outside tests, no binary floating point anywhere.
//!
//! A second net under the compiler (`#![no_std]`) and clippy (`core/clippy.toml`): it also sees
//! code that a `cfg` leaves out of the build at hand.

use crate::finding::Finding;
use crate::project::Project;
use crate::rust::Source;
use crate::rust::lexer::{Token, TokenKind};
use crate::tidy::reach::Reached;

/// Checks every Rust file below `core/`.
pub(crate) fn check(project: &Project, reached: &Reached) -> Vec<Finding> {
    let core = project.sources.values().filter(|s| s.path.starts_with("core/"));
    core.flat_map(|source| faults(source, reached.is_test_only(&source.path))).collect()
}

fn faults(source: &Source, is_test_file: bool) -> Vec<Finding> {
    let code: Vec<(usize, &Token)> = source.code().collect();
    let mut findings = Vec::new();
    for (at, (index, token)) in code.iter().enumerate() {
        let before = at.checked_sub(1).map(|i| code[i].1);
        let after = code.get(at + 1).map(|(_, t)| *t);
        let mut find = |text: String| findings.push(Finding::new(&source.path, token.line, text));
        if is_float(token, before) {
            find(format!("`{}`: no binary floating point in the core (DET-14)", token.text));
        }
        let is_std = names_std(token, before, after);
        if is_std && !is_test_file && !source.is_test_code(*index) {
            find("`std::` in the core; it has `core` and `alloc` only (DET-3)".to_owned());
        }
    }
    findings
}

/// A float type, or a literal with such a suffix or a fraction; `x.0.1` is no fraction.
fn is_float(token: &Token, before: Option<&Token>) -> bool {
    let named = token.is("f32") || token.is("f64");
    let suffixed = token.text.ends_with("f32") || token.text.ends_with("f64");
    let has_suffix = suffixed && !token.text.starts_with("0x");
    let is_field = before.is_some_and(|t| t.is("."));
    let literal = token.kind == TokenKind::Number;
    named || literal && (has_suffix || token.text.contains('.') && !is_field)
}

fn names_std(token: &Token, before: Option<&Token>, after: Option<&Token>) -> bool {
    let is_path = after.is_some_and(|t| t.is(":"));
    let is_crate = before.is_some_and(|t| t.is("crate"));
    token.is("std") && (is_path || is_crate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str, is_test_file: bool) -> usize {
        faults(&Source::read("core/a/src/b.rs", text).expect("a sound source"), is_test_file).len()
    }

    /// The check over the core's source fails on every way to reach the standard library, and so on
    /// a clock, a file, a socket, a thread, the environment and a random source.
    /// covers: DET-2, DET-3, DET-5, DET-10, DET-12, GOAL-10, DET-17
    /// covers: RPL-17
    #[test]
    fn the_standard_library_is_found() {
        for text in [
            "use std::time::Instant;",
            "fn a() { std::time::SystemTime::now(); }",
            "use std::fs::File;",
            "fn a() { std::net::TcpStream::connect(b); std::process::Command::new(c); }",
            "fn a() { std::process::id(); std::thread::current().id(); }",
            "fn a() { ::std::fs::read(b); }",
            "extern crate std;",
            "#[cfg(feature = \"x\")] use std::net;",
            "fn a() { std::env::var(b); std::thread::spawn(c); }",
        ] {
            assert!(count(text, false) > 0, "{text} passed");
        }
        assert_eq!(count("#[cfg(test)] mod tests { extern crate std; use std::vec; }", false), 0);
        assert_eq!(count("use std::vec;", true), 0);
        assert_eq!(count("/// `std::vec`\nfn a() { b(\"std::vec\", c.std); }", false), 0);
    }

    /// Commands, events and snapshots are made of types of the core alone.
    /// covers: DET-14, FEE-45
    #[test]
    fn floats_are_found_in_tests_too() {
        for text in ["const A: f64 = B;", "fn a() -> f32 { b }", "let a = 1f32;", "let a = 1.5;"] {
            assert!(count(text, true) > 0, "{text} passed");
        }
        assert_eq!(count("// f64\nfn a() { b.0.1; 0..5; 0x1f32; \"f64 1.5\" }", false), 0);
    }
}
