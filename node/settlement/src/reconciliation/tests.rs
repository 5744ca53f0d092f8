//! A sound day, and the same day with one unit planted in each column.

use port::{TradeState, TradeView};
use schema::Bucket;
use units::Timestamp;

use super::*;
use crate::reading::Market;

const BUYER: Id = Id([1; 16]);
const SELLER: Id = Id([2; 16]);
const FEE_ACCOUNTS: [Id; 3] = [Id([10; 16]), Id([11; 16]), Id([12; 16])];
const UNIT: Amount = Amount(1);
/// Sequences of the trades of the day; the second one is where things are planted.
const SEQUENCES: [u64; 3] = [100, 200, 300];
const PLANTED: u64 = 200;

fn label(text: &str) -> Label {
    Label::new(text).expect("short")
}

fn amount(text: &str) -> Amount {
    text.parse().expect("a decimal")
}

fn posting(account_id: Id, asset: &str, delta: &str) -> PostingView {
    let delta = amount(delta);
    let (bucket, before) = (Bucket::Available, amount("1000000"));
    PostingView { account_id, asset: label(asset), bucket, delta, before, after: before + delta }
}

/// The third case of SETL-18: a maker's rebate. The buyer takes.
fn row(sequence: u64) -> SettlementView {
    let trade = TradeView {
        trade_id: Id::derive(Timestamp(0), 0, sequence).expect("in range"),
        sequence,
        symbol: label("BTC/USDT"),
        maker_order_id: Id([3; 16]),
        taker_order_id: Id([4; 16]),
        maker_account_id: SELLER,
        taker_account_id: BUYER,
        side: Side::Buy,
        price: amount("50000"),
        quantity: amount("1"),
        maker_fee: amount("-5"),
        taker_fee: amount("20"),
        maker_fee_asset: label("USDT"),
        taker_fee_asset: label("USDT"),
        executed_at: Timestamp(0),
        settled_at: Timestamp(5),
        state: TradeState::Settled,
    };
    let postings = vec![
        posting(SELLER, "BTC", "-1"),
        posting(SELLER, "USDT", "50005"),
        posting(BUYER, "USDT", "-50020"),
        posting(BUYER, "BTC", "1"),
        posting(FEE_ACCOUNTS[0], "USDT", "10.5"),
        posting(FEE_ACCOUNTS[1], "USDT", "3"),
        posting(FEE_ACCOUNTS[2], "USDT", "1.5"),
    ];
    SettlementView { trade, shard: 0, sequence: sequence + 5, postings }
}

fn trade(sequence: u64) -> Trade {
    let [symbol, base, quote] = ["BTC/USDT", "BTC", "USDT"].map(label);
    Trade {
        sequence,
        market: Market { symbol, base, quote, tick: amount("0.01"), lot: amount("0.001") },
        value: amount("50000"),
        quantity: amount("1"),
        fees: [amount("-5"), amount("20")],
        settled_at: Timestamp(5),
    }
}

/// The day with the second trade and its row as they are given.
fn day(planted: Pair<'_>) -> Reconciliation {
    let mut day = Reconciliation::new(&FEE_ACCOUNTS);
    for sequence in SEQUENCES {
        match sequence {
            PLANTED => day.pass(planted),
            _ => day.pass(Pair::Both(&trade(sequence), &row(sequence))),
        }
    }
    day
}

/// Checks that differ, with their sequences.
fn differing(day: &Reconciliation) -> Vec<(Check, u64)> {
    let mut found = Vec::new();
    for (_, _, compared) in day.markets() {
        for (check, it) in Check::ALL.into_iter().zip(compared) {
            found.extend(it.first_difference.map(|sequence| (check, sequence)));
        }
    }
    found
}

/// One unit more in a leg of the row.
fn with_leg(place: usize) -> Vec<(Check, u64)> {
    let mut row = row(PLANTED);
    row.postings[place].delta += UNIT;
    differing(&day(Pair::Both(&trade(PLANTED), &row)))
}

#[test]
fn a_sound_day_is_reconciled() {
    let day = day(Pair::Both(&trade(PLANTED), &row(PLANTED)));
    assert_eq!((differing(&day), day.first_difference()), (vec![], None));
    let markets: Vec<_> = day.markets().collect();
    let [(symbol, quote, compared)] = markets[..] else { panic!("one market") };
    assert_eq!((symbol.as_str(), quote.as_str()), ("BTC/USDT", "USDT"));
    let sums = compared.map(|it| [it.left.to_string(), it.right.to_string()]);
    let expected = ["150000", "150000", "3", "3", "45", "3", "0"];
    assert_eq!(sums, expected.map(|sum| [sum.to_owned(), sum.to_owned()]));
}

/// One unit (10^-18) in each leg of a row is found in the column that the leg belongs to, and in no other.
/// covers: SETL-47
#[test]
fn one_unit_in_any_leg_is_found_in_its_column() {
    let legs = [
        Check::BaseDebited,
        Check::PrincipalReceived,
        Check::PrincipalPaid,
        Check::BaseCredited,
        Check::Fees,
        Check::Fees,
        Check::Fees,
    ];
    for (place, check) in legs.into_iter().enumerate() {
        assert_eq!(with_leg(place), [(check, PLANTED)], "leg {place}");
    }
}

/// covers: SETL-47
#[test]
fn one_unit_in_the_figures_is_found() {
    let plant = |change: fn(&mut Trade)| {
        let mut trade = trade(PLANTED);
        change(&mut trade);
        differing(&day(Pair::Both(&trade, &row(PLANTED))))
    };
    let both = |first, second| vec![(first, PLANTED), (second, PLANTED)];
    let value = plant(|trade| trade.value += UNIT);
    assert_eq!(value, both(Check::PrincipalPaid, Check::PrincipalReceived));
    let quantity = plant(|trade| trade.quantity += UNIT);
    assert_eq!(quantity, both(Check::BaseCredited, Check::BaseDebited));
    for maker_or_taker in [|it: &mut Trade| it.fees[0] += UNIT, |it: &mut Trade| it.fees[1] += UNIT]
    {
        assert_eq!(plant(maker_or_taker), [(Check::Fees, PLANTED)]);
    }
    let mut dear = row(PLANTED);
    dear.trade.taker_fee += UNIT;
    let found = differing(&day(Pair::Both(&trade(PLANTED), &dear)));
    assert_eq!(found, [(Check::PrincipalPaid, PLANTED)], "the buyer paid another fee");
}

/// A trade without a row, and a row without a trade, fail the count.
#[test]
fn a_row_too_few_or_too_many_is_found() {
    let missing = day(Pair::Trade(&trade(PLANTED)));
    assert!(differing(&missing).contains(&(Check::Count, PLANTED)));
    let mut extra = day(Pair::Both(&trade(PLANTED), &row(PLANTED)));
    extra.pass(Pair::Row(&row(SEQUENCES[2])));
    assert!(differing(&extra).contains(&(Check::Count, SEQUENCES[2])));
    assert_eq!(extra.first_difference(), Some(SEQUENCES[2]));
    let (_, _, compared) = extra.markets().next().expect("one market");
    assert_eq!(compared[5].right.to_string(), "4");
    // A row of one trade in the place of another's.
    let mut moved = row(PLANTED);
    moved.trade.symbol = label("ETH/USDT");
    let moved = day(Pair::Both(&trade(PLANTED), &moved));
    let counts = moved.markets().filter(|(_, _, it)| it[5].first_difference == Some(PLANTED));
    assert_eq!(counts.count(), 2, "one market lacks it, another has it");
}

/// What moves beside the legs is found, be it as little as it can be.
#[test]
fn what_moves_elsewhere_is_found() {
    for (account, asset) in [(Id([99; 16]), "USDT"), (BUYER, "ETH"), (FEE_ACCOUNTS[0], "BTC")] {
        for delta in ["0.000000000000000001", "-0.000000000000000001"] {
            let mut row = row(PLANTED);
            row.postings.push(posting(account, asset, delta));
            let found = differing(&day(Pair::Both(&trade(PLANTED), &row)));
            assert_eq!(found, [(Check::Elsewhere, PLANTED)], "{asset} {delta}");
        }
    }
}

/// Differences that cancel out in sum are still differences, and the first one is named.
/// covers: SETL-47
#[test]
fn differences_that_cancel_out_are_found() {
    let mut day = Reconciliation::new(&FEE_ACCOUNTS);
    for (sequence, planted) in SEQUENCES.into_iter().zip([0, 1, -1]) {
        let mut row = row(sequence);
        row.postings[2].delta += Amount(planted);
        day.pass(Pair::Both(&trade(sequence), &row));
    }
    let (_, _, compared) = day.markets().next().expect("one market");
    assert_eq!(compared[0].left, compared[0].right, "the sums of the day are equal");
    assert_eq!(differing(&day), [(Check::PrincipalPaid, PLANTED)]);
}
