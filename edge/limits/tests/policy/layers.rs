//! Two layers, their tables, and the daily quota.

use limits::tables::{self, Category, HOUR, MINUTE};
use limits::{Demand, Limiter, SECOND, Verdict};
use schema::ApiClass::{Institutional, Standard, Vip};
use schema::OrderTier::{Intermediate, MarketMaker, Professional, Retail};

use crate::scene::{Client, START, lasting_rate};

/// Tokens and window of every cell of the tables.
/// covers: RATE-3, RATE-4
#[test]
fn the_tables_are_those_of_the_document() {
    let cell = |rate: limits::Rate| (rate.tokens(), rate.window());
    for class in [Standard, Vip, Institutional] {
        let requests = |category| cell(tables::requests(category, class));
        assert_eq!(requests(Category::MarketData), (100, MINUTE));
        assert_eq!(requests(Category::AccountQuery), (60, MINUTE));
        assert_eq!(requests(Category::OrderCancellation), (50, SECOND));
        assert_eq!(requests(Category::Withdrawal), (10, HOUR));
    }
    let placement = |class| cell(tables::requests(Category::OrderPlacement, class));
    assert_eq!([Standard, Vip, Institutional].map(placement), [20, 100, 500].map(|n| (n, SECOND)));
    let tiers = [Retail, Intermediate, Professional, MarketMaker];
    assert_eq!(
        tiers.map(|tier| cell(tables::orders(tier))),
        [5, 20, 100, 500].map(|n| (n, SECOND))
    );
    assert_eq!(
        tiers.map(|tier| cell(tables::cancels(tier))),
        [10, 40, 200, 1_000].map(|n| (n, SECOND))
    );
    let day = [Some(10_000), Some(100_000), Some(1_000_000), None];
    assert_eq!(tiers.map(tables::orders_a_day), day);
    // And they are enforced: each category for itself, burst first and nothing after it.
    let client = Client::new(Standard, MarketMaker);
    for category in Category::ALL {
        let limiter = Limiter::default();
        let burst = 2 * tables::requests(category, Standard).tokens();
        let tally = client.tally(&limiter, 0, Demand::request(category), burst + 5);
        let soft = u32::from(category != Category::Withdrawal);
        assert_eq!((tally.admitted, tally.warned), (burst, soft), "{category:?}");
        let other = Category::ALL[(category.index() + 1) % Category::ALL.len()];
        assert_eq!(client.tally(&limiter, 0, Demand::request(other), 1).admitted, 1);
    }
}

/// The six pairs of the document, each at full pressure.
/// covers: RATE-5
#[test]
fn the_stricter_layer_wins() {
    let pairs = [
        (Standard, Retail, 5),
        (Standard, Professional, 20),
        (Vip, Intermediate, 20),
        (Vip, MarketMaker, 100),
        (Institutional, Professional, 100),
        (Institutional, MarketMaker, 500),
    ];
    for (class, tier, rate) in pairs {
        assert_eq!(
            lasting_rate(Client::new(class, tier), Demand::place(1)),
            rate,
            "{class:?} {tier:?}"
        );
    }
}

/// A batch is one request and its orders, and both layers must admit it.
/// covers: RATE-1
#[test]
fn a_batch_is_one_request_and_n_orders() {
    let limiter = Limiter::default();
    let client = Client::new(Standard, Professional); // 40 requests, 200 orders
    assert_eq!(client.tally(&limiter, 0, Demand::place(20), 10).admitted, 10);
    assert!(matches!(client.ask(&limiter, 0, Demand::place(20)).verdict, Verdict::Warned));
    let refused = client.ask(&limiter, 0, Demand::place(1)).verdict;
    let Verdict::Refused(refused) = refused else { panic!("{refused:?}") };
    assert_eq!((refused.lack.limit, refused.lack.window), (100, SECOND), "the order layer lacks");
    // Thirty of the forty requests are left: 200 ms later 20 orders are there, as 20 requests.
    assert_eq!(client.tally(&limiter, 200_000_000, Demand::place(1), 20).admitted, 20);
    let limiter = Limiter::default();
    let client = Client::new(Standard, MarketMaker); // 40 requests, 1,000 orders
    client.tally(&limiter, 0, Demand::place(1), 41);
    let refused = client.ask(&limiter, 0, Demand::place(1)).verdict;
    let Verdict::Refused(refused) = refused else { panic!("{refused:?}") };
    assert_eq!(refused.lack.limit, 20, "the request layer lacks");
}

/// What one layer refuses costs nothing in the other.
/// covers: RATE-2
#[test]
fn a_refused_request_takes_from_no_layer() {
    let limiter = Limiter::default();
    let client = Client::new(Standard, Retail); // 40 requests, 10 orders
    assert_eq!(client.tally(&limiter, 0, Demand::place(1), 10).admitted, 10);
    let tally = client.tally(&limiter, 0, Demand::place(1), 100);
    assert_eq!((tally.admitted, tally.warned, tally.refused), (0, 1, 99));
    // Of the 40 requests 10 are gone and 30 left: the 99 took none.
    let reads = client.tally(&limiter, 0, Demand::request(Category::OrderPlacement), 31);
    assert_eq!((reads.admitted, reads.refused), (30, 1));
    // The other way: the request layer is empty, the orders come back untouched.
    let limiter = Limiter::default();
    let client = Client::new(Standard, Professional);
    client.tally(&limiter, 0, Demand::request(Category::OrderPlacement), 40);
    assert_eq!(client.tally(&limiter, 0, Demand::place(20), 5).admitted, 0);
    let left = limiter.overview(crate::scene::at(0), client.id, client.profile, false);
    let orders = left.layers.iter().find(|(slot, _)| *slot == limits::tables::Slot::Orders);
    assert_eq!(orders.expect("the layer").1.remaining, 200);
}

/// A thousand orders a second for a market maker in fifty requests of twenty.
/// covers: RATE-6
#[test]
fn one_cancel_request_names_many_orders() {
    let limiter = Limiter::default();
    let client = Client::new(Standard, MarketMaker);
    let tally = client.tally(&limiter, 0, Demand::cancel(20), 101);
    assert_eq!((tally.admitted, tally.warned), (100, 1), "bursts of 100 requests and 2,000 orders");
    let mut admitted = 0;
    for tick in 1..=50u64 {
        admitted += client.tally(&limiter, tick * SECOND / 50, Demand::cancel(20), 2).admitted;
    }
    assert_eq!(admitted * 20, 1_000);
    // One token an order: retail may cancel 20 at once, then 10 a second.
    let (limiter, client) = (Limiter::default(), Client::new(Standard, Retail));
    assert_eq!(client.tally(&limiter, 0, Demand::cancel(20), 1).admitted, 1);
    assert_eq!(client.tally(&limiter, SECOND, Demand::cancel(10), 1).admitted, 1);
    assert_eq!(client.tally(&limiter, SECOND, Demand::cancel(1), 1).admitted, 0);
}

/// Once per half second, without burst or warning, one request token, no order tokens.
/// covers: RATE-7, RATE-34
#[test]
fn cancel_all_comes_once_per_half_second() {
    let (limiter, client) = (Limiter::default(), Client::new(Standard, Retail));
    let tally = client.tally(&limiter, 0, Demand::cancel_all(), 3);
    assert_eq!((tally.admitted, tally.warned, tally.refused), (1, 0, 2));
    let early = client.ask(&limiter, SECOND / 2 - 1, Demand::cancel_all()).verdict;
    let Verdict::Refused(refused) = early else { panic!("{early:?}") };
    let window = tables::window_name(refused.lack.window);
    assert_eq!((refused.lack.limit, window, refused.lack.wait), (1, "500 milliseconds", 1));
    assert_eq!(client.tally(&limiter, SECOND / 2, Demand::cancel_all(), 2).admitted, 1);
    assert_eq!(client.tally(&limiter, SECOND / 2, Demand::cancel(20), 1).admitted, 1);
    let (limiter, client) = (Limiter::default(), Client::new(Standard, Retail));
    client.tally(&limiter, 0, Demand::cancel_all(), 1);
    let requests = Demand::request(Category::OrderCancellation);
    assert_eq!(client.tally(&limiter, 0, requests, 100).admitted, 99, "it took one of the hundred");
}

/// 10,000 orders a UTC day; keys of other commands count; without a key the ways out are open.
/// covers: RATE-8
#[test]
fn the_day_has_ten_thousand_orders() {
    let limiter = Limiter::default();
    let client = Client::new(Standard, Retail);
    let midnight = u64::try_from(86_400_000_000_000 - START % 86_400_000_000_000).expect("ahead");
    let mut now = 0;
    for _ in 0..1_000 {
        assert_eq!(client.tally(&limiter, now, Demand::place(10), 1).admitted, 1);
        now += 2 * SECOND;
    }
    assert!(now < midnight, "all of it on one day");
    let verdict = client.ask(&limiter, now, Demand::place(1)).verdict;
    let Verdict::Refused(refused) = verdict else { panic!("{verdict:?}") };
    assert_eq!((refused.lack.limit, refused.lack.wait), (10_000, midnight - now));
    assert_eq!(tables::window_name(refused.lack.window), "1 day");
    let keyed = Demand::cancel(1).with_keys(1);
    assert!(matches!(client.ask(&limiter, now, keyed).verdict, Verdict::Refused(_)));
    assert_eq!(client.tally(&limiter, now, Demand::cancel(1), 1).admitted, 1);
    let withdrawal = Demand::request(Category::Withdrawal);
    assert_eq!(client.tally(&limiter, now, withdrawal, 1).admitted, 1);
    assert_eq!(client.tally(&limiter, midnight - 1, Demand::place(1), 1).admitted, 0);
    assert_eq!(client.tally(&limiter, midnight, Demand::place(1), 1).admitted, 1);
}

/// Two accounts alike, a third between them: the same answers to the same requests.
/// covers: RATE-63
#[test]
fn accounts_alike_are_answered_alike() {
    let limiter = Limiter::default();
    let one = Client::new(Vip, Intermediate);
    let other = Client { id: units::Id([8; 16]), ..one };
    let noise = Client { id: units::Id([9; 16]), ..one };
    let mut seed = 5u64;
    for step in 0..20_000u64 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let demand = match seed >> 61 {
            0..=2 => Demand::place(1 + u32::try_from(seed >> 40 & 7).expect("small")),
            3 | 4 => Demand::cancel(1),
            5 => Demand::cancel_all(),
            6 => Demand::request(Category::AccountQuery),
            _ => Demand::request(Category::Withdrawal),
        };
        let now = step * 7_000_000;
        let first = one.ask(&limiter, now, demand);
        noise.ask(&limiter, now, demand);
        assert_eq!(first, other.ask(&limiter, now, demand), "step {step}");
    }
}

/// Eleven orders at once are never there for retail: no warning, no token taken.
#[test]
fn more_orders_than_a_bucket_holds_are_refused_for_good() {
    let (limiter, client) = (Limiter::default(), Client::new(Standard, Retail));
    let verdict = client.ask(&limiter, 0, Demand::place(11)).verdict;
    let Verdict::Refused(refused) = verdict else { panic!("{verdict:?}") };
    assert!(refused.lack.is_too_large && !refused.lack.is_soft);
    assert_eq!(client.tally(&limiter, 0, Demand::place(10), 1).admitted, 1, "it took nothing");
}
