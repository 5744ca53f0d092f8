//! Warnings, violations, bans and reviews.

use limits::tables::Category;
use limits::{Demand, Limiter, SECOND, Verdict};
use schema::ApiClass::Standard;
use schema::OrderTier::{MarketMaker, Retail};

use crate::scene::{Client, Tally, at};

const HOUR: u64 = 3_600 * SECOND;

/// covers: RATE-39
#[test]
fn fifty_orders_in_one_instant() {
    let (limiter, client) = (Limiter::default(), Client::new(Standard, MarketMaker));
    let tally = client.tally(&limiter, 0, Demand::place(1), 50);
    assert_eq!(tally, Tally { admitted: 40, warned: 1, refused: 9, banned: 0 });
    let overview = limiter.overview(at(0), client.id, client.profile, false);
    assert_eq!(overview.violations, 1);
}

/// One warning an hour and category, each category for itself.
/// covers: RATE-33
#[test]
fn the_first_violation_of_an_hour_is_let_through() {
    let (limiter, client) = (Limiter::default(), Client::new(Standard, MarketMaker));
    let orders = Demand::place(1);
    assert_eq!(client.tally(&limiter, 0, orders, 45).warned, 1);
    let queries = Demand::request(Category::AccountQuery);
    assert_eq!(client.tally(&limiter, 0, queries, 130).warned, 1, "another category");
    assert_eq!(client.tally(&limiter, 10 * SECOND, orders, 45).warned, 0);
    let quiet = 10 * SECOND + HOUR;
    assert_eq!(client.tally(&limiter, quiet - SECOND, orders, 45).warned, 0, "not yet an hour");
    let later = quiet - SECOND + HOUR;
    assert_eq!(client.tally(&limiter, later, orders, 45).warned, 1);
}

/// No warning, but a refusal at once.
/// covers: RATE-34
#[test]
fn withdrawals_and_quotas_have_no_soft_limit() {
    let (limiter, client) = (Limiter::default(), Client::new(Standard, Retail));
    let tally = client.tally(&limiter, 0, Demand::request(Category::Withdrawal), 21);
    assert_eq!((tally.admitted, tally.warned, tally.refused), (20, 0, 1));
    for step in 0..1_000 {
        client.tally(&limiter, step * 2 * SECOND, Demand::place(10), 1);
    }
    let tally = client.tally(&limiter, 2_000 * SECOND, Demand::place(1), 3);
    assert_eq!((tally.warned, tally.refused), (0, 3), "the day's orders");
}

/// Violations at seconds 0 to 9 ban from 9 to 3609; ten refusals of one second are one violation;
/// what comes during the ban does not prolong it, and after it the count is 0.
/// covers: RATE-35, RATE-36, RATE-38
#[test]
fn the_tenth_violation_bans_for_an_hour() {
    let (limiter, client) = (Limiter::default(), Client::new(Standard, Retail));
    let overview = |now: u64| limiter.overview(at(now), client.id, client.profile, false);
    for second in 0..10u64 {
        assert_eq!(overview(second * SECOND).ban, None, "second {second}");
        let tally = client.tally(&limiter, second * SECOND, Demand::place(1), 30);
        let ban_begins = (tally.refused, tally.banned) == (1, 24);
        assert!(if second < 9 { tally.refused >= 10 } else { ban_begins }, "{second}: {tally:?}");
        if second < 9 {
            assert_eq!(overview(second * SECOND).violations as u64, second + 1);
        }
    }
    assert_eq!(overview(9 * SECOND).ban, Some(HOUR));
    for second in (10..3_609).step_by(100) {
        let tally = client.tally(&limiter, second * SECOND, Demand::place(1), 20);
        assert_eq!(tally, Tally { banned: 20, ..Tally::default() });
    }
    let end = 3_609 * SECOND;
    assert_eq!(client.ask(&limiter, end - 1, Demand::place(1)).verdict, Verdict::Banned(1));
    assert_eq!(client.ask(&limiter, end, Demand::place(1)).verdict, Verdict::Admitted);
    assert_eq!((overview(end).ban, overview(end).violations), (None, 0));
    for second in 0..9 {
        client.tally(&limiter, end + second * SECOND, Demand::place(1), 30);
    }
    assert_eq!(overview(end + 9 * SECOND).ban, None, "nine of a new count");
}

/// Nine violations, and a tenth after the first is an hour old: no ban.
/// covers: RATE-36
#[test]
fn violations_older_than_an_hour_do_not_count() {
    let (limiter, client) = (Limiter::default(), Client::new(Standard, Retail));
    for second in (0..9).chain([3_600]) {
        client.tally(&limiter, second * SECOND, Demand::place(1), 30);
    }
    let overview = limiter.overview(at(3_600 * SECOND), client.id, client.profile, false);
    assert_eq!((overview.violations, overview.ban), (9, None));
}

/// A ban leaves both ways out open, within their own limits, whatever the load and the behaviour.
/// covers: RATE-37, RATE-73
#[test]
fn a_banned_account_cancels_and_withdraws() {
    let (limiter, client) = (Limiter::default(), Client::new(Standard, Retail));
    for second in 0..10u64 {
        client.tally(&limiter, second * SECOND, Demand::place(1), 30);
    }
    let now = 20 * SECOND;
    limiter.on_load(now, 1_000);
    let counts = limits::DayCounts { orders: 100, canceled: 100, ..Default::default() };
    for _ in 0..10 {
        limiter.on_day(at(now), client.id, client.profile, &counts);
    }
    let verdict = client.ask(&limiter, now, Demand::place(1)).verdict;
    assert_eq!(verdict, Verdict::Banned(3_609 * SECOND - now));
    assert_eq!(client.ask(&limiter, now, Demand::cancel(1)).verdict, Verdict::Admitted);
    assert_eq!(client.ask(&limiter, now, Demand::cancel_all()).verdict, Verdict::Admitted);
    let withdrawal = Demand::request(Category::Withdrawal);
    assert_eq!(client.ask(&limiter, now, withdrawal).verdict, Verdict::Admitted);
    let tally = client.tally(&limiter, now, withdrawal, 50);
    assert!(tally.admitted > 0 && tally.refused > 0, "within its own limit: {tally:?}");
    assert_eq!(client.tally(&limiter, now + 3_600 * SECOND, withdrawal, 1).admitted, 1);
}

/// The hundredth hit within an hour makes one review, hits during a ban included.
/// covers: RATE-62
#[test]
fn the_hundredth_hit_is_one_review() {
    let (limiter, client) = (Limiter::default(), Client::new(Standard, Retail));
    let mut hits = 0;
    let mut second = 0;
    while hits < 99 {
        let tally = client.tally(&limiter, second * SECOND, Demand::place(1), 1);
        hits += tally.refused + tally.banned;
        if tally.refused + tally.banned == 0 {
            continue;
        }
        second += u64::from(hits % 10 == 0 && second < 9);
    }
    assert!(limiter.take_reviews().is_empty());
    assert_eq!(limiter.top_limited(at(second * SECOND), 5), [(client.id, 99)]);
    client.tally(&limiter, second * SECOND, Demand::place(1), 50);
    let reviews = limiter.take_reviews();
    assert_eq!(reviews.len(), 1);
    assert_eq!(reviews[0].account, client.id);
    // Ninety-nine in every hour are none.
    let (limiter, client) = (Limiter::default(), Client::new(Standard, MarketMaker));
    for hour in 0..3u64 {
        client.tally(&limiter, hour * HOUR, Demand::place(1), 40);
        client.tally(&limiter, hour * HOUR, Demand::place(1), 99);
    }
    assert!(limiter.take_reviews().is_empty());
}

/// The warned ones are no loophole: over an hour of pressure, 2R + RT/W and one.
/// covers: RATE-72
#[test]
fn an_hour_admits_no_more_than_its_rate() {
    let (limiter, client) = (Limiter::default(), Client::new(Standard, Retail));
    let cancel = Demand::cancel(1); // no ban ends the pressure
    let (mut total, mut warned) = (0u64, 0u64);
    for tick in 0..=3_599u64 {
        let tally = client.tally(&limiter, tick * SECOND, cancel, 30);
        total += u64::from(tally.admitted + tally.warned);
        warned += u64::from(tally.warned);
    }
    assert_eq!(warned, 1);
    assert_eq!(total, 20 + 10 * 3_599 + 1);
}
