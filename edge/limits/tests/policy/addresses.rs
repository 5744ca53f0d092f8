//! Networks, whom an address counts as, proxies, challenges.

use std::net::IpAddr;

use limits::tables::Category;
use limits::{
    AddressRules, Challenge as _, Host, Limiter, Network, PROOF_BITS, ProofOfWork, SECOND,
    Suspicion, Verdict, zero_bits,
};

use crate::scene::at;

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// A fixture of addresses, just inside and just outside of each network.
#[test]
fn a_network_holds_its_addresses() {
    let rows = [
        ("203.0.113.0/24", "203.0.113.0", true),
        ("203.0.113.0/24", "203.0.113.255", true),
        ("203.0.113.0/24", "203.0.114.0", false),
        ("203.0.113.0/24", "::ffff:203.0.113.9", true),
        ("203.0.113.8/29", "203.0.113.15", true),
        ("203.0.113.8/29", "203.0.113.16", false),
        ("0.0.0.0/0", "255.255.255.255", true),
        ("0.0.0.0/0", "2001:db8::1", false),
        ("::/0", "2001:db8::1", true),
        ("::/0", "10.0.0.1", false),
        ("10.1.2.3", "10.1.2.3", true),
        ("10.1.2.3", "10.1.2.4", false),
        ("2001:db8::/33", "2001:db8:7fff::1", true),
        ("2001:db8::/33", "2001:db8:8000::1", false),
    ];
    for (network, address, holds) in rows {
        let network: Network = network.parse().expect("a network");
        assert_eq!(network.holds(ip(address)), holds, "{network:?} {address}");
    }
    for bad in ["", "10.0.0.0/33", "10.0.0.1/24", "10.0.0.0/+8", "10.0.0.0/", "::/129", "x/8"] {
        assert!(bad.parse::<Network>().is_err(), "{bad}");
    }
    assert_eq!(AddressRules::parse("listed 10.0.0.0/8\n\nblocked x # y"), Err(3));
    assert_eq!(AddressRules::parse("proxy"), Err(1));
}

/// One /64 is one client, and only a configured proxy may say who its client is.
/// covers: RATE-50
#[test]
fn an_address_counts_by_its_prefix_and_proxies_must_be_known() {
    assert_eq!(Host::of(ip("2001:db8:1:2::1")), Host::of(ip("2001:db8:1:2:ffff::9")));
    assert_ne!(Host::of(ip("2001:db8:1:2::1")), Host::of(ip("2001:db8:1:3::1")));
    assert_ne!(Host::of(ip("10.0.0.1")), Host::of(ip("10.0.0.2")));
    assert_eq!(Host::of(ip("10.0.0.1")), Host::of(ip("::ffff:10.0.0.1")));
    let rules = AddressRules::parse("proxy 10.0.0.0/8\nproxy 2001:db8:f::/48").expect("rules");
    let client = |peer: &str, forwarded: Option<&str>| rules.client(ip(peer), forwarded);
    assert_eq!(client("198.51.100.1", Some("203.0.113.5")), ip("198.51.100.1"), "no proxy of ours");
    assert_eq!(client("10.0.0.1", Some("203.0.113.5")), ip("203.0.113.5"));
    assert_eq!(client("10.0.0.1", Some("1.1.1.1, 203.0.113.5")), ip("203.0.113.5"), "the nearest");
    assert_eq!(client("10.0.0.1", Some("203.0.113.5, 10.0.0.2")), ip("203.0.113.5"), "two proxies");
    assert_eq!(client("10.0.0.1", Some("203.0.113.5, nonsense")), ip("10.0.0.1"));
    assert_eq!(client("10.0.0.1", None), ip("10.0.0.1"));
    assert_eq!(client("::ffff:10.0.0.1", Some("2001:db8::1")), ip("2001:db8::1"));
}

/// A thousand a minute of one address, each address for itself; market data has its own hundred.
/// covers: RATE-3, RATE-49
#[test]
fn an_address_without_credentials_has_a_thousand_a_minute() {
    let limiter = Limiter::default();
    let of = |address: &str, now: u64, count: usize| {
        (0..count)
            .filter(|index| {
                let decision = limiter.decide_for_stranger(at(now), ip(address), index % 3 == 0);
                decision.verdict == Verdict::Admitted
            })
            .count()
    };
    assert_eq!(of("192.0.2.1", 0, 3_000), 2_000, "twice the rate at first");
    assert_eq!(of("192.0.2.1", 60 * SECOND, 3_000), 1_000, "then a thousand a minute");
    assert_eq!(of("192.0.2.2", 0, 10), 10);
    let data = |address: &str| {
        let decide = || limiter.decide_for_host(at(0), ip(address), Category::MarketData);
        (0..500).filter(|_| decide().verdict == Verdict::Admitted).count()
    };
    assert_eq!((data("192.0.2.1"), data("2001:db8::1"), data("2001:db8::2")), (200, 200, 0));
}

/// Three minutes over the limit in a row, or half of a hundred failed, and not one less.
/// covers: RATE-53
#[test]
fn an_address_is_challenged_for_insistence_or_guessing() {
    let minute = 60 * SECOND;
    let over = |minutes: &[u64]| {
        let mut suspicion = Suspicion::default();
        for index in minutes {
            suspicion.on_request(index * minute, false, true);
        }
        suspicion.must_answer()
    };
    assert!(over(&[5, 6, 7]));
    assert!(!over(&[5, 6]) && !over(&[5, 6, 8, 9]) && !over(&[5, 7, 9]));
    let failing = |failures: u32, requests: u32| {
        let mut suspicion = Suspicion::default();
        for index in 0..requests {
            suspicion.on_request(minute, index >= requests - failures, false);
        }
        suspicion.must_answer()
    };
    assert!(failing(50, 100) && failing(100, 100));
    assert!(!failing(49, 100) && !failing(99, 99));
    // The limiter sees both in what it is told.
    let limiter = Limiter::default();
    for _ in 0..100 {
        limiter.decide_for_stranger(at(0), ip("192.0.2.1"), true);
    }
    assert!(limiter.must_answer(ip("192.0.2.1")) && !limiter.must_answer(ip("192.0.2.2")));
}

/// An hour without challenges, and no token more.
/// covers: RATE-55
#[test]
fn an_answer_spares_challenges_for_an_hour_and_nothing_else() {
    let (limiter, address) = (Limiter::default(), ip("192.0.2.1"));
    let guess = |now: u64| limiter.decide_for_stranger(at(now), address, true);
    for _ in 0..2_001 {
        guess(0);
    }
    assert!(limiter.must_answer(address));
    limiter.on_solved(at(0), address);
    assert!(!limiter.must_answer(address));
    assert!(matches!(guess(0).verdict, Verdict::Refused(_)), "its bucket is as empty as before");
    let hour = 3_600 * SECOND;
    for now in [SECOND, hour - SECOND] {
        for _ in 0..200 {
            guess(now);
        }
        assert!(!limiter.must_answer(address));
    }
    for _ in 0..200 {
        guess(hour);
    }
    assert!(limiter.must_answer(address));
}

/// Twenty zero bits, within a minute, once, and only of a challenge that was set.
/// covers: RATE-54
#[test]
fn a_proof_of_work_is_good_once_for_a_minute() {
    let challenge = [9; 16];
    let answer = (0u64..)
        .map(u64::to_le_bytes)
        .find(|answer| zero_bits(&challenge, answer) >= PROOF_BITS)
        .expect("a proof");
    assert_eq!(PROOF_BITS, 20);
    let mut work = ProofOfWork::default();
    assert!(!work.solve(0, &challenge, &answer), "never set");
    assert_eq!(work.set(0, challenge), Some(challenge));
    assert!(!work.solve(1, &challenge, b"no work"));
    assert!(work.solve(60 * SECOND - 1, &challenge, &answer));
    assert!(!work.solve(60 * SECOND - 1, &challenge, &answer), "once");
    work.set(0, challenge);
    assert!(!work.solve(60 * SECOND, &challenge, &answer), "too late");
}
