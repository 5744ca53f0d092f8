//! Published order books beside ours: the same stream, timed in the same way, in the same run.
//!
//! Owns the rows `book.peer.*` for two crates of the Rust registry, `matchcore` and `rust_ob`: the rate
//! and the p99 of each, taken as those of `book.*` are, and `.ratio`, how many times as many commands
//! per second ours carries out; each run of a ratio times ours and then the peer, so that what else the
//! machine does weighs on both. Invariant: no figure without the check that the peer made our trades:
//! taker, maker, price and quantity, in their order, and after the stream those of two sweeps that
//! take everything off the book, which shows every order that rests and its place in time. The check
//! and the digest of the peer's trades are not timed. One difference was found, in `matchcore`; its
//! file says what, and `book.peer.matchcore.past_limit` counts it. The peers are built with the
//! profile of this workspace, overflow checks included, as ours is. They find an order by a number,
//! as a caller of theirs must; ours is handed the place that it answered when the order came.

mod matchcore;
mod rust_ob;

use testkit::stream::{Op, Script, Stream, Tally};
use units::{Lots, Side, Ticks};

use self::matchcore::Matchcore;
use self::rust_ob::RustOb;
use crate::measure::{Figure, median_of};
use crate::row::{Row, Target};
use crate::rows::book::{COMMANDS, Market, Matcher, RUNS, SEED, latency, rate, throughput};

pub(super) const MATCHCORE: Row =
    informing("book.peer.matchcore", "commands/s", || throughput::<Matchcore<true>>(1));

pub(super) const MATCHCORE_P99_NS: Row =
    informing("book.peer.matchcore.p99_ns", "ns", || latency::<Matchcore<true>>(990));

pub(super) const MATCHCORE_RATIO: Row =
    informing("book.peer.matchcore.ratio", "ours/peer", ratio::<Matchcore<true>>);

/// How many trades `matchcore` makes at a price worse than the taker's limit when its caller does not
/// keep it from that.
pub(super) const MATCHCORE_PAST_LIMIT: Row =
    informing("book.peer.matchcore.past_limit", "trades", trades_past_limit);

pub(super) const MATCHCORE_NOTE: (&str, &str) = (
    MATCHCORE.name,
    "by itself it trades past a taker's limit; its caller caps takers here, and every trade is ours",
);

pub(super) const RUST_OB: Row =
    informing("book.peer.rust_ob", "commands/s", || throughput::<RustOb>(1));

pub(super) const RUST_OB_P99_NS: Row =
    informing("book.peer.rust_ob.p99_ns", "ns", || latency::<RustOb>(990));

pub(super) const RUST_OB_RATIO: Row =
    informing("book.peer.rust_ob.ratio", "ours/peer", ratio::<RustOb>);

pub(super) const RUST_OB_NOTE: (&str, &str) = (RUST_OB.name, "every trade is ours");

/// A book of someone else's.
trait Peer {
    /// The name of its crate.
    const NAME: &str;
    /// Empty, and ready for this stream.
    fn open(script: &Script) -> Self;
    /// Carries out one command and keeps the trades as the peer answers them.
    fn carry_out(&mut self, op: &Op);
    /// The trades since this was last asked.
    fn drain(&mut self) -> Vec<Trade>;
}

/// A trade in the numbers of the stream.
#[derive(Clone, Copy, Debug)]
struct Trade {
    taker: u32,
    maker: u32,
    ticks: Ticks,
    lots: Lots,
}

impl<P: Peer> Matcher for P {
    fn start(script: &Script) -> Self {
        P::open(script)
    }

    #[inline]
    fn apply(&mut self, op: &Op) {
        self.carry_out(op);
    }

    fn check(self, script: &Script) {
        if let Some(difference) = difference(self, script) {
            panic!("{difference}");
        }
    }
}

const fn informing(name: &'static str, unit: &'static str, measure: fn() -> Figure) -> Row {
    Row { name, unit, target: Target::None, measure }
}

/// How many times as many commands per second ours carries out.
fn ratio<P: Peer>() -> Figure {
    let script = Stream::new(SEED, COMMANDS).script();
    median_of(RUNS, || rate::<Market>(&script) / rate::<P>(&script))
}

/// The trades of the peer as it is, without the cap of its caller, whose price its taker refused.
fn trades_past_limit() -> Figure {
    let script = Stream::new(SEED, COMMANDS).script();
    median_of(1, || {
        let mut peer = Matchcore::<false>::open(&script);
        script.ops.iter().map(|op| past_limit(&mut peer, op)).sum::<u32>().into()
    })
}

fn past_limit(peer: &mut impl Peer, op: &Op) -> u32 {
    peer.carry_out(op);
    let Op::Take { side, ticks, .. } = *op else { return 0 };
    let is_past = |trade: &Trade| match side {
        Side::Buy => trade.ticks > ticks,
        Side::Sell => trade.ticks < ticks,
    };
    u32::try_from(peer.drain().iter().filter(|trade| is_past(trade)).count()).expect("few trades")
}

/// What a peer that has run the stream did otherwise than ours; `None` if nothing.
fn difference<P: Peer>(mut peer: P, script: &Script) -> Option<String> {
    let mut ours = Market::start(script);
    script.ops.iter().for_each(|op| ours.apply(op));
    assert_eq!(ours.trades, script.trades, "ours makes the trades of the naive book");
    let mut trades = Tally::default();
    add_all(&mut trades, &peer.drain());
    if trades == ours.trades {
        for op in sweeps(script) {
            ours.apply(&op);
            peer.carry_out(&op);
        }
        let every_order = script.trades.count + script.resting as u64;
        assert_eq!(ours.trades.count, every_order, "the sweeps trade with every order");
        add_all(&mut trades, &peer.drain());
    }
    (trades != ours.trades).then(|| {
        let first = first_difference::<P>(script);
        first.unwrap_or_else(|| format!("{} differs in this run and not in another", P::NAME))
    })
}

/// The first command at which a fresh peer trades otherwise than ours.
fn first_difference<P: Peer>(script: &Script) -> Option<String> {
    let (mut ours, mut peer) = (Market::start(script), P::open(script));
    let mut tally = Tally::default();
    let ops = script.ops.iter().copied().chain(sweeps(script));
    ops.enumerate().find_map(|(index, op)| {
        ours.apply(&op);
        peer.carry_out(&op);
        let trades = peer.drain();
        add_all(&mut tally, &trades);
        (tally != ours.trades)
            .then(|| format!("{} differs at command {index}, {op:?}: {trades:?}", P::NAME))
    })
}

fn add_all(tally: &mut Tally, trades: &[Trade]) {
    for trade in trades {
        tally.add(trade.taker, trade.maker, (trade.ticks, trade.lots));
    }
}

/// A buyer and a seller who take all that rests after the stream.
fn sweeps(script: &Script) -> [Op; 2] {
    let (account, lots) = (0, Lots(u64::from(u32::MAX)));
    let buy = Ticks(u64::from(u32::MAX));
    [
        Op::Take { id: script.ids, account, side: Side::Buy, ticks: buy, lots },
        Op::Take { id: script.ids + 1, account, side: Side::Sell, ticks: Ticks(1), lots },
    ]
}

#[cfg(test)]
mod tests;
