//! The core's source: nothing that waits or is shared, no address, no walk over a hash map, no digest of
//! state.
//!
//! What `#![no_std]` leaves open and clippy does not see: `core` has futures, atomics and pointers, a `for`
//! loop takes a hash map as it is, and a digest is a function like any other. Words are looked for, not types: a
//! map is known by the type that its field is declared with, and `hashbrown` is named in one file alone, so that
//! no other alias of it comes into being. Tests may do all of this, and so may `port`, which is no part of a
//! result: it is how those outside ask.

use crate::finding::Finding;
use crate::project::Project;
use crate::rust::Source;
use crate::rust::lexer::{Token, TokenKind};
use crate::tidy::reach::Reached;

/// Checks every Rust file below `core/` but the port's that is built without tests.
pub(crate) fn check(project: &Project, reached: &Reached) -> Vec<Finding> {
    let is_core = |path: &str| path.starts_with("core/") && !path.starts_with("core/port/");
    let core = project.sources.values().filter(|source| is_core(&source.path));
    core.filter(|source| !reached.is_test_only(&source.path)).flat_map(faults).collect()
}

fn faults(source: &Source) -> Vec<Finding> {
    let code = source.code().filter(|(index, _)| !source.is_test_code(*index));
    let code: Vec<&Token> = code.map(|(_, token)| token).collect();
    let maps = hash_maps(&code);
    let mut findings = Vec::new();
    for at in 0..code.len() {
        let token = code[at];
        let mut find = |text: String| findings.push(Finding::new(&source.path, token.line, text));
        if let Some((_, why)) = CLOSED.iter().find(|(word, _)| token.is(word)) {
            find(format!("`{}`: {why}", token.text));
        }
        if token.kind == TokenKind::Quoted && token.text.contains(":p}") {
            find("an address in a text (DET-17)".to_owned());
        }
        if DIGESTS.iter().any(|word| token.is(word)) && source.path != GENESIS {
            find(format!("`{}`: the live kernel keeps no digest (DET-67)", token.text));
        }
        if token.is("hashbrown") && source.path != INDEX {
            find(format!("hash maps are declared in {INDEX} alone (DET-9, DET-13)"));
        }
        if let Some(map) = walked(&code[at..], &maps) {
            find(format!("`{map}`: a hash map is never walked in the core (DET-13)"));
        }
    }
    findings
}

/// Names of fields and variables that are declared as hash maps.
fn hash_maps<'a>(code: &[&'a Token]) -> Vec<&'a str> {
    let is_declared = |four: &&[&'a Token]| {
        let named = four[0].kind == TokenKind::Word && four[1].is(":");
        let is_map = |token: &Token| HASH_MAPS.iter().any(|name| token.is(name));
        named && (is_map(four[2]) || four[2].is("&") && is_map(four[3]))
    };
    code.windows(4).filter(is_declared).map(|four| four[0].text.as_str()).collect()
}

/// The hash map that a `for` loop or a method at the head of these tokens walks over.
fn walked<'a>(code: &[&'a Token], maps: &[&str]) -> Option<&'a str> {
    let is_map = |token: &&&'a Token| maps.contains(&token.text.as_str());
    if code[0].is("in") {
        let skipped = |token: &&&'a Token| ["&", "mut", "self", "."].iter().any(|w| token.is(w));
        let mut rest = code[1..].iter().skip_while(skipped);
        let map = rest.next().filter(is_map)?;
        return rest.next().filter(|token| token.is("{")).map(|_| map.text.as_str());
    }
    let [map, dot, method, ..] = code else { return None };
    let walks = dot.is(".") && WALKS.iter().any(|name| method.is(name));
    (walks && is_map(&map)).then_some(map.text.as_str())
}

const CLOSED: [(&str, &str); 15] = [
    ("RandomState", "a hash is a named function (DET-9)"),
    ("DefaultHasher", "a hash is a named function (DET-9)"),
    ("DefaultHashBuilder", "a hash is a named function (DET-9)"),
    ("SipHasher", "a hash is a named function (DET-9)"),
    ("arch", "vector code needs a test against the plain version (DET-45)"),
    ("simd", "vector code needs a test against the plain version (DET-45)"),
    ("async", "nothing in the core waits (DET-15)"),
    ("await", "nothing in the core waits (DET-15)"),
    ("future", "nothing in the core waits (DET-15)"),
    ("atomic", "nothing in the core is shared (DET-16)"),
    ("thread_local", "nothing depends on a thread (DET-17)"),
    ("ptr", "no result depends on an address (DET-17)"),
    ("as_ptr", "no result depends on an address (DET-17)"),
    ("as_mut_ptr", "no result depends on an address (DET-17)"),
    ("option_env", "no result depends on the environment (DET-17)"),
];
const DIGESTS: [&str; 4] = ["sha2", "Sha256", "Sha512", "Digest"];
/// Hashes the configuration of the genesis, once.
const GENESIS: &str = "core/kernel/src/system.rs";
const INDEX: &str = "core/kernel/src/index.rs";
const HASH_MAPS: [&str; 5] = ["HashMap", "HashSet", "HashTable", "NamedMap", "SequenceIndex"];
const WALKS: [&str; 11] = [
    "iter",
    "iter_mut",
    "into_iter",
    "keys",
    "into_keys",
    "values",
    "values_mut",
    "into_values",
    "drain",
    "retain",
    "extract_if",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> usize {
        faults(&Source::read("core/a/src/b.rs", text).expect("a sound source")).len()
    }

    /// Futures, shared memory and whatever differs from one process to the next.
    /// covers: DET-15, DET-16
    #[test]
    fn what_waits_or_is_shared_is_found() {
        for text in [
            "async fn a() {}",
            "fn a() { b.await; }",
            "use core::future::Future;",
            "use core::sync::atomic::AtomicU64;",
        ] {
            assert!(count(text) > 0, "{text} passed");
        }
        assert_eq!(count("#[cfg(test)] mod tests { use core::sync::atomic::AtomicU64; }"), 0);
        assert_eq!(count("/// `async`\nfn a() { b(\"await\"); }"), 0);
    }

    /// Maps are declared in one file, over a hash that is written there; the library's own is closed.
    /// covers: DET-9
    #[test]
    fn hashes_without_a_name_are_found() {
        for text in [
            "use std::hash::RandomState;",
            "fn a() { DefaultHasher::new() }",
            "use core::hash::SipHasher;",
            "struct A { b: hashbrown::HashSet<C> }",
            "type A = B<hashbrown::DefaultHashBuilder>;",
        ] {
            assert!(count(text) > 0, "{text} passed");
        }
        let named =
            "use hashbrown::HashMap; type A<K, V> = HashMap<K, V, BuildHasherDefault<Mix>>;";
        assert!(faults(&Source::read(INDEX, named).expect("sound")).is_empty());
        let unnamed = "use hashbrown::{DefaultHashBuilder, HashMap};";
        assert_eq!(faults(&Source::read(INDEX, unnamed).expect("sound")).len(), 1);
    }

    /// Vector code has no place in the core, so no version of it can differ from the plain one.
    /// covers: DET-45
    #[test]
    fn vector_code_is_found() {
        for text in ["use core::arch::x86_64::_mm_add_epi64;", "use core::simd::u64x4;"] {
            assert!(count(text) > 0, "{text} passed");
        }
    }

    /// covers: DET-17
    #[test]
    fn addresses_and_the_environment_are_found() {
        for text in [
            "fn a() { core::ptr::from_ref(b); }",
            "fn a() { b.as_ptr() as usize; }",
            "fn a() { write(b, \"{:p}\", c); }",
            "fn a() { option_env!(\"B\"); }",
            "thread_local! { static A: B = c; }",
        ] {
            assert!(count(text) > 0, "{text} passed");
        }
    }

    /// Also by a plain `for`, which clippy does not see; finding and counting in it are fine.
    /// covers: DET-13
    #[test]
    fn a_walk_over_a_hash_map_is_found() {
        let with = |code: &str| count(&format!("struct A {{ b: NamedMap<C, D> }} {code}"));
        for text in [
            "fn a() { for x in &self.b {} }",
            "fn a() { for x in &mut self.b { c() } }",
            "fn a() { for (x, y) in b {} }",
            "fn a() { self.b.iter().map(c) }",
            "fn a() { self.b.into_iter() }",
            "fn a() { self.b.retain(c) }",
        ] {
            assert_eq!(with(text), 1, "{text} passed");
        }
        assert_eq!(with("fn a() { self.b.get(c); b.len(); for x in self.d {} self.e.iter() }"), 0);
        assert_eq!(count("use hashbrown::HashMap as Other;"), 1);
    }

    /// covers: DET-67
    #[test]
    fn a_digest_in_the_core_is_found() {
        for text in ["use sha2::Sha256;", "fn a() { b(Digest::new()) }"] {
            assert!(count(text) > 0, "{text} passed");
        }
        let genesis = Source::read(GENESIS, "use sha2::{Digest, Sha256};").expect("sound");
        assert!(faults(&genesis).is_empty());
    }
}
