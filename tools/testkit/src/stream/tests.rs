//! What the header of the stream promises, checked on streams of several seeds.

use std::collections::BTreeSet;

use super::*;

const COMMANDS: usize = 200_000;

fn scripts() -> impl Iterator<Item = Script> {
    (1..=3).map(|seed| Stream::new(seed, COMMANDS).with_spacing(seed).script())
}

#[test]
fn a_seed_fixes_the_stream() {
    let stream = Stream::new(7, 20_000);
    assert_eq!(stream.script(), stream.script());
    assert_eq!(stream.generate(), stream.script().ops);
    assert_ne!(stream.generate(), Stream::new(8, 20_000).generate());
}

#[test]
fn the_mix_is_the_promised_one() {
    for script in scripts() {
        let mut counts = [0_usize; 4];
        for op in &script.ops[script.prefill..] {
            counts[match op {
                Op::Add { .. } => 0,
                Op::Cancel { .. } => 1,
                Op::Take { .. } => 2,
                Op::Reduce { .. } => 3,
            }] += 1;
        }
        let total = COMMANDS - script.prefill;
        for (count, percent) in counts.into_iter().zip([50, 40, 5, 5]) {
            let wanted = total * percent / 100;
            assert!(count.abs_diff(wanted) < total * 3 / 100, "{counts:?} of {total}");
        }
        assert!(script.resting.abs_diff(RESTING) < RESTING * 15 / 100, "{}", script.resting);
    }
}

#[test]
fn adds_rest_takers_trade_and_what_leaves_was_there() {
    for script in scripts() {
        let mut book = NaiveBook::new();
        let mut trades = Tally::default();
        let mut resting_max = 0;
        for op in script.ops {
            match op {
                Op::Add { id, account, side, ticks, lots } => {
                    let rest = book.take(Taker { side, limit: ticks, lots }, |_, _, _| ());
                    assert_eq!(rest, lots, "an order that is to rest crosses nothing");
                    book.add(side, ticks, Resting { id, account, lots });
                }
                Op::Take { id, account, side, ticks, lots } => {
                    let rest =
                        book.take(Taker { side, limit: ticks, lots }, |at, maker, filled| {
                            assert_ne!(maker.account, account, "nobody trades with himself");
                            trades.add(id, maker.id, (at, filled));
                        });
                    assert!(rest < lots, "a taker trades");
                }
                Op::Cancel { id } | Op::Reduce { id } => assert!(book.cancel(id).is_some()),
            }
            resting_max = resting_max.max(book.len());
        }
        assert_eq!((trades, book.len()), (script.trades, script.resting));
        assert!(trades.count > 5_000 && resting_max <= RESTING * 12 / 10);
    }
}

#[test]
fn ids_are_dense_and_accounts_and_lots_spread() {
    let stream = Stream::new(1, COMMANDS).with_accounts(10);
    let (mut next_id, mut accounts, mut sizes) = (0, BTreeSet::new(), BTreeSet::new());
    for op in stream.generate() {
        if let Op::Add { id, account, side, lots, .. } | Op::Take { id, account, side, lots, .. } =
            op
        {
            assert_eq!(id, next_id);
            next_id += 1;
            assert_eq!(account < 5, side == Side::Buy, "buyers are the lower half");
            accounts.insert(account);
            sizes.insert(lots.0);
        }
    }
    assert!(accounts.into_iter().eq(0..10));
    assert!(sizes.into_iter().eq(1..=100));
    assert_eq!(stream.script().ids, next_id);
}

#[test]
fn the_tally_tells_order_and_numbers() {
    let tally = |trades: [(u32, u32, u64, u64); 2]| {
        let mut tally = Tally::default();
        for (taker, maker, ticks, lots) in trades {
            tally.add(taker, maker, (Ticks(ticks), Lots(lots)));
        }
        tally.checksum
    };
    let sums = [
        tally([(1, 2, 3, 4), (5, 6, 7, 8)]),
        tally([(5, 6, 7, 8), (1, 2, 3, 4)]),
        tally([(2, 1, 3, 4), (5, 6, 7, 8)]),
        tally([(1, 2, 4, 3), (5, 6, 7, 8)]),
        tally([(1, 2, 3, 4), (5, 6, 7, 9)]),
    ];
    assert_eq!(BTreeSet::from(sums).len(), sums.len());
}
