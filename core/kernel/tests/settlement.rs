//! Known answers of fees and splits through the kernel, netting that does not happen, and the bound of
//! one command.

mod common;

use common::{Venue, amount, btc_usdt, label, limit};
use schema::{
    Code, Command, Event, FeeTier, MarketTerms, OrderRequest, Outcome, SymbolRef, TimeInForce,
};
use units::Side::{Buy, Sell};
use units::{Amount, Id, Lots, Rate, Ticks};

/// A trade at the given rates; fees of maker and taker, then what REVENUE, INSURANCE_FUND and REFERRAL
/// got. The buyer takes.
fn split(rates: (i64, i64), quantity: &str, price: &str) -> [String; 5] {
    let mut venue = Venue::with_rates(rates.0, rates.1);
    let buyer = venue.account("buyer", "0", "1000000");
    let seller = venue.account("seller", "1", "0");
    venue.accept(limit(seller, Sell, quantity, price));
    venue.accept(limit(buyer, Buy, quantity, price));
    venue.check();
    let settled = settlements(&venue);
    let [(maker, taker)] = settled[..] else { panic!("one trade: {settled:?}") };
    let shares = [0, 1, 2].map(|number| venue.system(number, 2));
    let [revenue, insurance, referral] = shares;
    [maker.to_string(), taker.to_string(), revenue, insurance, referral]
}

/// Fees of maker and taker of every trade of the last command.
fn settlements(venue: &Venue) -> Vec<(Amount, Amount)> {
    let settled = venue.events.iter().filter_map(|(_, event)| match event {
        Event::TradeSettled(settled) => Some((settled.maker_fee, settled.taker_fee)),
        _ => None,
    });
    settled.collect()
}

/// covers: FEE-50, FEE-51, FEE-52, FEE-53, FEE-54, FEE-3, FEE-34, FEE-61, SETL-19
#[test]
fn known_fees_and_splits() {
    let half = ("0.5", "50000");
    let small = ("0.00123", "43210.57");
    for (rates, (quantity, price), expected) in [
        ((20_000, 100_000), half, ["5", "25", "21", "6", "3"]),
        ((-10_000, 40_000), half, ["-2.5", "10", "5.25", "1.5", "0.75"]),
        ((-50_000, 10_000), half, ["-2.5", "2.5", "0", "0", "0"]),
        ((-20_000, 20_000), small, ["-0.010629", "0.01063", "0.0000007", "0.0000002", "0.0000001"]),
        (
            (20_000, 100_000),
            ("0.00001", "0.01"),
            ["0.0000001", "0.0000001", "0.00000014", "0.00000004", "0.00000002"],
        ),
    ] {
        assert_eq!(split(rates, quantity, price), expected);
    }
}

/// A rate of 2 % is the highest that any table may have.
/// covers: FEE-12
#[test]
fn a_rate_is_at_most_two_percent() {
    let fees = split((2_000_000, 2_000_000), "0.5", "50000");
    assert_eq!(fees[..2], ["500", "500"]);
    for (maker, taker) in [(2_000_001, 0), (0, 2_000_001)] {
        let mut venue = Venue::new();
        let tier = FeeTier { above: Amount::ZERO, maker: Rate(maker), taker: Rate(taker) };
        let terms = MarketTerms {
            symbol: label("USDT/BTC"),
            base: label("USDT"),
            quote: label("BTC"),
            fee_tiers: vec![tier],
            lot_size: amount("0.01"),
            ..btc_usdt()
        };
        let make = |operator| Command::ListMarket(terms.clone(), operator);
        let Outcome::Refused(refusal) = venue.list(make).outcome else { panic!("above 2 %") };
        assert_eq!(refusal.code, Code::InvalidRate);
    }
}

/// A sells 1 to B and B sells 0.5 back: two settlements, each with both its fees, and no net one.
/// covers: SETL-2
#[test]
fn opposing_trades_are_not_netted() {
    let mut venue = Venue::new();
    let a = venue.account("a", "1", "100000");
    let b = venue.account("b", "0", "100000");
    venue.accept(limit(a, Sell, "1", "50000"));
    venue.accept(limit(b, Buy, "1", "50000"));
    assert_eq!(settlements(&venue), [(amount("10"), amount("50"))]);
    venue.accept(limit(a, Buy, "0.5", "50000"));
    venue.accept(limit(b, Sell, "0.5", "50000"));
    assert_eq!(settlements(&venue), [(amount("5"), amount("25"))]);
    // A: + 50,000 − 10 − 25,000 − 5. B: − 50,000 − 50 + 25,000 − 25.
    assert_eq!(venue.balance(a, 2).0, "124985");
    assert_eq!(venue.balance(b, 2).0, "74925");
    assert_eq!((venue.balance(a, 1).0, venue.balance(b, 1).0), ("0.5".into(), "0.5".into()));
    venue.check();
}

/// Orders at one price trade in the order of their acceptance, also when they were partly filled, and
/// an order that rests after trading comes last.
/// covers: TIME-25
#[test]
fn orders_of_equal_price_trade_by_acceptance() {
    let mut venue = Venue::new();
    let accounts: Vec<Id> =
        (0..4).map(|index| venue.account(&format!("s{index}"), "1", "0")).collect();
    let buyer = venue.account("buyer", "0", "10000");
    let first = venue.accept(limit(accounts[0], Sell, "0.5", "100"));
    let second = venue.accept(limit(accounts[1], Sell, "0.5", "100"));
    venue.accept(limit(buyer, Buy, "0.2", "100"));
    let third = venue.accept(limit(accounts[2], Sell, "0.5", "100"));
    venue.accept(limit(buyer, Buy, "0.1", "99"));
    // It takes the bid at 99 and rests at 99, before a better price is there.
    let fourth = venue.accept(limit(accounts[3], Sell, "0.2", "99"));
    venue.accept(limit(buyer, Buy, "1.4", "100"));
    let makers: Vec<u64> = venue
        .events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::TradeExecuted(trade) => Some(trade.maker),
            _ => None,
        })
        .collect();
    assert_eq!(makers, [fourth, first, second, third].map(|order| order.sequence()));
    venue.check();
}

/// Sellers with `count` orders of one lot each, and a buyer that can pay for them.
fn crowded(count: usize) -> (Venue, OrderRequest) {
    let mut venue = Venue::new();
    let terms = MarketTerms {
        symbol: label("USDT/BTC"),
        base: label("USDT"),
        quote: label("BTC"),
        lot_size: amount("0.01"),
        open_orders_max: 10_000,
        min_price: Ticks(1),
        max_price: Ticks(100),
        max_quantity: Lots(1_000_000),
        ..btc_usdt()
    };
    venue.list(move |operator| Command::ListMarket(terms.clone(), operator));
    let sellers = [venue.account("a", "0", "100"), venue.account("b", "0", "100")];
    let symbol = SymbolRef::Listed(2);
    for index in 0..count {
        let order = limit(sellers[index % 2], Sell, "0.01", "0.01");
        venue.accept(OrderRequest { symbol, ..order });
    }
    let buyer = venue.account("buyer", "100", "0");
    (venue, OrderRequest { symbol, ..limit(buyer, Buy, "100.05", "0.01") })
}

/// 10,000 fills and no more in one command; what then still meets something is canceled, what meets
/// nothing rests.
/// covers: LIFE-74
#[test]
fn one_command_makes_ten_thousand_fills() {
    for (count, time_in_force, rests) in [
        (10_003, TimeInForce::Gtc, false),
        (10_003, TimeInForce::Ioc, false),
        (10_000, TimeInForce::Gtc, true),
    ] {
        let (mut venue, order) = crowded(count);
        let id = venue.accept(OrderRequest { time_in_force, ..order });
        assert_eq!(settlements(&venue).len(), 10_000);
        let canceled = venue.events.iter().find_map(|(_, event)| match event {
            Event::OrderCanceled(ended) => Some((ended.order, ended.reason)),
            _ => None,
        });
        let bound = (id.sequence(), Code::RiskLimitBreach);
        assert_eq!(canceled, (!rests).then_some(bound));
        assert_eq!(venue.live.order(id).is_some(), rests);
        assert_eq!(venue.live.order_count(), if rests { 1 } else { count - 10_000 });
        venue.check();
    }
}

/// Limit buys at many prices and sizes: the buyer never pays more than was reserved, each charge is
/// the rate rounded up or cut as D-85 says, and a whole order that traded at its limit and one rate
/// paid at least the exact fee.
#[test]
fn many_small_fills_pay_at_least_the_exact_fee() {
    for lots in [1u32, 3, 7, 10, 99] {
        let mut venue = Venue::with_rates(100_000, 100_000);
        let buyer = venue.account("buyer", "0", "1000");
        let seller = venue.account("seller", "1", "0");
        let whole = "0.00099";
        let reserved = amount("1000");
        venue.accept(limit(buyer, Buy, whole, "43210.57"));
        let mut left = 99;
        let mut charged = Amount::ZERO;
        while left > 0 {
            let size = lots.min(left);
            left -= size;
            venue.accept(limit(seller, Sell, &format!("0.{size:05}"), "43210.57"));
            charged += settlements(&venue)[0].0;
            venue.check();
        }
        // 0.00099 × 43210.57 = 42.7784643, and 0.1 % of it 0.0427784643.
        assert!(charged >= amount("0.042779"), "{lots}: {charged}");
        let paid = reserved - amount(&venue.balance(buyer, 2).0);
        assert_eq!(paid, amount("42.7784643") + charged);
        assert!(charged <= amount("0.042779"), "not more than was reserved");
    }
}

/// What a trade is charged is the row of the table that both its accounts are in, the same on the live and the
/// replayed kernel, also beyond the ranges that are not used (maker −0.01 % to 0.10 %, taker 0.02 % to 0.30 %).
/// covers: TRADE-12
#[test]
fn rates_come_from_the_tier_table() {
    let row = |above: &str, maker, taker| FeeTier {
        above: amount(above),
        maker: Rate(maker),
        taker: Rate(taker),
    };
    let table = vec![row("0", 150_000, 400_000), row("1000", -5_000, 10_000)];
    let mut venue = Venue::with_tiers(table.clone());
    let buyer = venue.account("buyer", "0", "100000");
    let seller = venue.account("seller", "100", "0");
    for (tier, fees) in [(0, ("3", "8")), (1, ("-0.1", "0.2"))] {
        for kernel in [&venue.live, &venue.replayed] {
            for account in [buyer, seller].map(|id| kernel.account_number(id).expect("opened")) {
                assert_eq!(kernel.fee_tier(account).map(|(row, _)| usize::from(row)), Some(tier));
                assert_eq!(kernel.rates(account, 1), Some(table[tier]));
            }
        }
        venue.accept(limit(seller, Sell, "20", "100"));
        venue.accept(limit(buyer, Buy, "20", "100"));
        assert_eq!(settlements(&venue), [(amount(fees.0), amount(fees.1))]);
        venue.check();
        venue.now.0 += 86_400_000_000_000;
        venue.run(Command::Tick);
    }
    let plain = Venue::new();
    let table = fees::default_tiers();
    assert_eq!((table[0].maker, table[0].taker), (Rate(20_000), Rate(100_000)));
    assert_eq!(plain.live.fee_tiers(), table);
}
