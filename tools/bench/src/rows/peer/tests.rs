//! Every peer makes our trades on a short stream, and a peer that does not is noticed.
//!
//! Owns both halves of the check that stands before every figure of `book.peer.*`.

use super::*;

/// One number of one trade of a peer is wrong, or a trade is missing or out of its order.
struct Slip<const WHAT: usize> {
    peer: RustOb,
    has_slipped: bool,
}

const SLIPS: usize = 6;

impl<const WHAT: usize> Peer for Slip<WHAT> {
    const NAME: &str = "slip";

    fn open(script: &Script) -> Self {
        Self { peer: RustOb::open(script), has_slipped: false }
    }

    fn carry_out(&mut self, op: &Op) {
        self.peer.carry_out(op);
    }

    fn drain(&mut self) -> Vec<Trade> {
        let mut trades = self.peer.drain();
        if trades.len() >= 2 && !self.has_slipped {
            self.has_slipped = true;
            match WHAT {
                0 => trades[1].taker += 1,
                1 => trades[1].maker += 1,
                2 => trades[1].ticks.0 += 1,
                3 => trades[1].lots.0 += 1,
                4 => drop(trades.pop()),
                _ => trades.swap(0, 1),
            }
        }
        trades
    }
}

/// A peer that forgets one cancel, of an order that nobody takes before the stream ends.
struct Forgetful {
    peer: RustOb,
    forgotten: u32,
}

impl Peer for Forgetful {
    const NAME: &str = "forgetful";

    fn open(script: &Script) -> Self {
        let last = script.ops.iter().rev().find_map(|op| match op {
            Op::Cancel { id } => Some(*id),
            _ => None,
        });
        Self { peer: RustOb::open(script), forgotten: last.expect("a cancel") }
    }

    fn carry_out(&mut self, op: &Op) {
        if *op != (Op::Cancel { id: self.forgotten }) {
            self.peer.carry_out(op);
        }
    }

    fn drain(&mut self) -> Vec<Trade> {
        self.peer.drain()
    }
}

fn script(spacing: u64) -> Script {
    Stream::new(3, 20_000).with_spacing(spacing).script()
}

/// What the check says after a whole run.
fn said_of<P: Peer>(script: &Script) -> Option<String> {
    let mut peer = P::open(script);
    script.ops.iter().for_each(|op| peer.carry_out(op));
    difference(peer, script)
}

#[test]
fn every_peer_makes_our_trades_command_by_command() {
    for spacing in [1, 97] {
        let script = script(spacing);
        assert!(script.trades.count > 1_000);
        assert_eq!(first_difference::<Matchcore<true>>(&script), None);
        assert_eq!(first_difference::<RustOb>(&script), None);
        assert_eq!(said_of::<Matchcore<true>>(&script), None);
        assert_eq!(said_of::<RustOb>(&script), None);
    }
}

#[test]
fn a_changed_trade_is_noticed() {
    let script = script(1);
    let said = [
        said_of::<Slip<0>>(&script),
        said_of::<Slip<1>>(&script),
        said_of::<Slip<2>>(&script),
        said_of::<Slip<3>>(&script),
        said_of::<Slip<4>>(&script),
        said_of::<Slip<5>>(&script),
    ];
    assert_eq!(said.len(), SLIPS);
    for (what, said) in said.iter().enumerate() {
        assert!(said.as_ref().is_some_and(|said| said.starts_with("slip differs")), "slip {what}");
    }
}

#[test]
fn an_order_that_should_have_left_is_noticed() {
    let said = said_of::<Forgetful>(&script(1)).expect("an order too many rests");
    assert!(said.starts_with("forgetful differs at command"), "{said}");
}

#[test]
#[should_panic(expected = "slip differs")]
fn no_figure_comes_of_a_peer_that_differs() {
    let script = script(1);
    let _ = rate::<Slip<3>>(&script);
}

/// The one difference found. When this fails, `matchcore` keeps to a taker's limit by itself: the cap of
/// `matchcore.rs` and the row that counts go.
#[test]
fn matchcore_by_itself_trades_past_a_takers_limit() {
    let script = script(1);
    assert!(said_of::<Matchcore<false>>(&script).is_some());
    let mut as_it_is = Matchcore::<false>::open(&script);
    let mut capped = Matchcore::<true>::open(&script);
    assert!(script.ops.iter().map(|op| past_limit(&mut as_it_is, op)).sum::<u32>() > 0);
    assert_eq!(script.ops.iter().map(|op| past_limit(&mut capped, op)).sum::<u32>(), 0);
}
