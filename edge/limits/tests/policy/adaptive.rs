//! Listed addresses, behaviour, load, overrides.

use limits::tables::Category;
use limits::{
    DayCounts, DayJudgement, Demand, Factors, Limiter, LoadGate, OVERRIDE_TIME_MAX, Percent, SECOND,
};
use schema::ApiClass::Standard;
use schema::OrderTier::{Intermediate, MarketMaker, Professional, Retail};

use crate::scene::{Client, at};

/// covers: RATE-43
#[test]
fn the_effective_rate_has_known_answers() {
    let answers = [
        (20, false, 100, false, 20),
        (20, false, 100, true, 10),
        (5, false, 100, true, 2),
        (20, false, 150, false, 30),
        (20, false, 150, true, 15),
        (5, false, 50, false, 2),
        (20, true, 200, false, 400),
        (1, false, 50, true, 1),
    ];
    for (base, is_listed, percent, is_loaded, effective) in answers {
        let factors = Factors { is_listed, percent: Percent::new(percent), is_loaded };
        assert_eq!(factors.apply(base), effective, "{base} {factors:?}");
    }
}

/// A listed address has ten times the requests, and the orders of its tier.
/// covers: RATE-40
#[test]
fn a_listed_address_has_ten_times_the_requests() {
    let client = Client { is_listed: true, ..Client::new(Standard, Intermediate) };
    let limiter = Limiter::default();
    let requests = Demand::request(Category::AccountQuery);
    assert_eq!(client.tally(&limiter, 0, requests, 1_300).admitted, 1_200);
    assert_eq!(client.tally(&limiter, 0, Demand::place(1), 100).admitted, 40, "the tier stays");
    let rules = limits::AddressRules::parse("listed 192.0.2.0/24").expect("rules");
    limiter.set_rules(rules);
    let of = |text: &str| {
        let address = text.parse().expect("an address");
        (0..30_000)
            .take_while(|_| {
                let decision = limiter.decide_for_stranger(at(0), address, false);
                decision.verdict == limits::Verdict::Admitted
            })
            .count()
    };
    assert_eq!((of("192.0.2.7"), of("198.51.100.7")), (20_000, 2_000), "the rule of addresses");
}

/// Load halves orders and queries, and neither cancels nor withdrawals.
/// covers: RATE-46
#[test]
fn load_spares_the_ways_out() {
    let client = Client::new(Standard, Professional);
    let limiter = Limiter::default();
    limiter.on_load(0, 801);
    let tally = |demand| client.tally(&limiter, 0, demand, 300).admitted;
    assert_eq!(tally(Demand::place(1)), 20);
    assert_eq!(tally(Demand::request(Category::AccountQuery)), 60);
    assert_eq!(tally(Demand::cancel(1)), 100);
    assert_eq!(tally(Demand::request(Category::Withdrawal)), 20);
}

/// Above the bound at once; back after ten seconds at or below it, and not before.
#[test]
fn limits_return_after_ten_calm_seconds() {
    let mut gate = LoadGate::default();
    assert!(!gate.sample(0, 800));
    assert!(gate.sample(SECOND, 801));
    for second in 2..11 {
        assert!(gate.sample(second * SECOND, 0), "{second}");
    }
    assert!(!gate.sample(11 * SECOND, 800));
    assert!(gate.sample(12 * SECOND, 1_000));
    assert!(gate.sample(17 * SECOND, 801) && gate.sample(26 * SECOND, 0));
    assert!(!gate.sample(27 * SECOND, 0));
}

/// covers: RATE-48
#[test]
fn a_day_is_judged_by_cancels_self_trades_and_fills() {
    let day =
        |canceled, self_trades, filled| DayCounts { orders: 1_000, canceled, self_trades, filled };
    let answers = [
        (day(899, 49, 100), DayJudgement::Good),
        (day(900, 0, 100), DayJudgement::Bad),
        (day(0, 50, 100), DayJudgement::Plain),
        (day(0, 99, 100), DayJudgement::Plain),
        (day(0, 100, 1_000), DayJudgement::Bad),
        (day(0, 0, 99), DayJudgement::Plain),
    ];
    for (counts, judgement) in answers {
        assert_eq!(counts.judge(Retail), judgement, "{counts:?}");
    }
    // A market maker cancels nearly all; only trading with itself counts.
    assert_eq!(day(1_000, 49, 0).judge(MarketMaker), DayJudgement::Good);
    assert_eq!(day(0, 50, 1_000).judge(MarketMaker), DayJudgement::Plain);
    assert_eq!(day(0, 100, 1_000).judge(MarketMaker), DayJudgement::Bad);
    let few = DayCounts { orders: 99, canceled: 99, self_trades: 99, filled: 0 };
    assert_eq!(few.judge(Retail), DayJudgement::Plain);
}

/// Ten a day between 50 and 200, and the limits follow.
#[test]
fn the_percent_moves_by_ten_between_its_bounds() {
    let (limiter, client) = (Limiter::default(), Client::new(Standard, MarketMaker));
    let good = DayCounts { orders: 100, filled: 100, ..Default::default() };
    let bad = DayCounts { orders: 100, self_trades: 100, ..Default::default() };
    let mut percents = Vec::new();
    for _ in 0..12 {
        percents.push(limiter.on_day(at(0), client.id, client.profile, &good).value());
    }
    assert_eq!(percents, [110, 120, 130, 140, 150, 160, 170, 180, 190, 200, 200, 200]);
    assert_eq!(client.tally(&limiter, 0, Demand::place(1), 100).admitted, 80);
    let mut last = 0;
    for _ in 0..20 {
        last = limiter.on_day(at(SECOND), client.id, client.profile, &bad).value();
    }
    assert_eq!(last, 50);
    let few = DayCounts { orders: 99, ..bad };
    assert_eq!(limiter.on_day(at(SECOND), client.id, client.profile, &few).value(), 50);
}

/// Raised or lifted for one or for all, an hour at most, and it ends by itself.
#[test]
fn an_override_ends_by_itself() {
    let (limiter, client) = (Limiter::default(), Client::new(Standard, MarketMaker));
    assert!(!limiter.set_override(0, None, Some(3), OVERRIDE_TIME_MAX + 1));
    assert!(!limiter.set_override(0, None, Some(0), SECOND));
    assert!(limiter.set_override(0, Some(client.id), Some(3), OVERRIDE_TIME_MAX));
    let other = Client { id: units::Id([1; 16]), ..client };
    assert_eq!(client.tally(&limiter, 0, Demand::place(1), 300).admitted, 120);
    assert_eq!(other.tally(&limiter, 0, Demand::place(1), 300).admitted, 40);
    assert!(limiter.set_override(SECOND, None, None, SECOND));
    assert_eq!(other.tally(&limiter, SECOND, Demand::place(1), 300).admitted, 300);
    assert_eq!(other.tally(&limiter, 2 * SECOND, Demand::place(1), 300).refused, 260);
    let end = OVERRIDE_TIME_MAX + 10 * SECOND;
    let tally = client.tally(&limiter, end, Demand::place(1), 300);
    assert_eq!(tally.admitted, 40);
}
