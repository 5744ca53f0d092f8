//! A command is whole or nothing, and state changes by applying its events and in no other way.
//!
//! A watcher is told of each change as it is made, so a watcher that breaks stops the kernel in the middle
//! of a trade, and two watchers see whether the live kernel and the one that applies do the same under
//! each event.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use common::{Venue, amount, entry, label, limit, opening};
use kernel::{Entity, Kernel, Watch};
use schema::{
    AccountOpening, AssetRef, Command, Event, EventBuffer, EventHead, EventKind, FeeRefund,
    GroupHead, GroupIter, Outcome, RefundReason, Transfer,
};
use testkit::oracle::Oracle;
use testkit::oracle::generate::Generator;
use units::Side::{Buy, Sell};
use units::{Amount, Id};

/// A watcher with a fault at one of its notices.
#[derive(Clone, Debug, Default)]
struct Breaking {
    seen: u32,
    breaks_at: Option<u32>,
}

impl Watch for Breaking {
    fn touched(&mut self, _: Entity) {
        self.seen += 1;
        assert_ne!(Some(self.seen), self.breaks_at, "a fault that a test has");
    }
}

/// A taker that fills two makers and rests. Whichever of the changes breaks, of the orders, of the balances or
/// of the trade itself, there is no answer and no group of events, so a log never tells a part of the trade;
/// the log up to there and the command give it whole.
/// covers: TRADE-6, TRADE-22, TRADE-15
#[test]
fn a_trade_that_breaks_anywhere_leaves_nothing() {
    let mut venue = Venue::new();
    let sellers = ["one", "two"].map(|name| venue.account(name, "1", "0"));
    let buyer = venue.account("buyer", "0", "1000");
    for seller in sellers {
        venue.accept(limit(seller, Sell, "1", "100"));
    }
    let (mut kernel, mut out) = (Kernel::watched(Breaking::default()), EventBuffer::new());
    for stamped in &venue.commands {
        kernel.execute(stamped, &mut out);
    }
    assert!(out.bytes() == venue.log);
    let before: BTreeMap<Entity, Vec<u8>> = entities(&venue.live);
    venue.accept(limit(buyer, Buy, "2.5", "100"));
    let taken = venue.commands.last().expect("it ran").clone();
    kernel.watch_mut().seen = 0;
    let mut whole = kernel.clone();
    out.clear();
    whole.execute(&taken, &mut out);
    assert!(out.bytes() == venue.buffer.bytes());
    let (mut balances, mut broken) = (0, 0);
    for breaks_at in 1..=whole.watch().seen {
        let mut kernel = kernel.clone();
        kernel.watch_mut().breaks_at = Some(breaks_at);
        let mut out = EventBuffer::new();
        let answer = catch_unwind(AssertUnwindSafe(|| kernel.execute(&taken, &mut out)));
        assert!(answer.is_err(), "notice {breaks_at}");
        let mut groups = GroupIter::new(out.bytes());
        assert!(!groups.any(|group| group.is_ok()), "notice {breaks_at}: nothing can be read");
        balances += u32::from(differs(&before, &kernel, is_balance));
        broken += 1;
    }
    assert!(broken > 40 && balances > 20, "{balances} of {broken} broke behind a balance");
    assert_trades(&venue, [sellers[0], sellers[1]]);
    venue.check();
}

/// Two trades, each with a number and an id of its own, the maker's price, the smaller quantity, and all that
/// settles it behind it.
fn assert_trades(venue: &Venue, sellers: [Id; 2]) {
    let trades: Vec<_> = venue
        .events
        .iter()
        .filter_map(|(head, event)| match event {
            Event::TradeExecuted(trade) => Some((*head, *trade)),
            _ => None,
        })
        .collect();
    assert_eq!(trades.len(), 2);
    let market = venue.live.market(1).expect("listed");
    for ((head, trade), seller) in trades.iter().zip(sellers) {
        assert_eq!(market.price(trade.ticks), amount("100"));
        assert_eq!(market.quantity(trade.lots), amount("1"));
        let id = Id::derive(head.timestamp, 0, head.sequence).expect("in range");
        assert_eq!(id.sequence(), head.sequence);
        let settled = venue.events.iter().find_map(|(at, event)| match event {
            Event::TradeSettled(settled) if settled.trade == head.sequence => Some(at.sequence),
            _ => None,
        });
        assert!(settled.is_some_and(|settled| settled > head.sequence));
        assert_eq!(venue.balance(seller, 1), ("0".into(), "0".into()));
    }
    assert_ne!(trades[0].0, trades[1].0);
}

fn is_balance(entity: &Entity) -> bool {
    matches!(entity, Entity::Balance { .. })
}

fn entities<W: Watch>(kernel: &Kernel<W>) -> BTreeMap<Entity, Vec<u8>> {
    let bytes = |entity| {
        let mut out = Vec::new();
        assert!(kernel.encode_entity(entity, &mut out));
        (entity, out)
    };
    kernel.entities().map(bytes).collect()
}

/// Whether a kernel that broke has changed something of a kind.
fn differs<W: Watch>(
    before: &BTreeMap<Entity, Vec<u8>>,
    kernel: &Kernel<W>,
    of: impl Fn(&Entity) -> bool,
) -> bool {
    before.iter().filter(|(entity, _)| of(entity)).any(|(entity, bytes)| {
        let mut out = Vec::new();
        !kernel.encode_entity(*entity, &mut out) || out != *bytes
    })
}

/// Everything that was told, in its order.
#[derive(Clone, Debug, Default)]
struct Told(Vec<Entity>);

impl Watch for Told {
    fn touched(&mut self, entity: Entity) {
        self.0.push(entity);
    }
}

/// Random commands of every type: the kernel that executes changes, event by event, the very entities that one
/// changes which does nothing but apply these events, and a command without an event changes nothing. Both
/// have the same state then, so there is no change that an event does not carry, nor one that two carry.
/// covers: EVT-7, REC-4
#[test]
fn every_change_is_carried_by_its_event() {
    let (mut generator, mut oracle) = (Generator::new(2_029), Oracle::new());
    let mut live = Kernel::watched(Told::default());
    let mut applied = Kernel::watched(Told::default());
    let mut out = EventBuffer::new();
    let (mut events, mut silent) = (0, 0);
    for number in 1..=25_000 {
        let stamped = generator.next(&oracle);
        oracle.execute(&stamped);
        out.clear();
        live.execute(&stamped, &mut out);
        let mut count = 0;
        for group in GroupIter::new(out.bytes()) {
            let group = group.expect("a group");
            count += group.count as usize;
            applied.apply_group(&group).expect("it applies");
        }
        let (told, again) = (&live.watch().0, &applied.watch().0);
        assert_eq!(told, again, "command {number}: {stamped:?}");
        let begun = told.iter().filter(|entity| **entity == Entity::System).count();
        assert!(begun >= count && (count > 0 || told.is_empty()), "command {number}: {told:?}");
        assert!(told.first().is_none_or(|entity| *entity == Entity::System));
        let changed: BTreeSet<Entity> = told.iter().copied().collect();
        for entity in changed {
            let (mut one, mut other) = (Vec::new(), Vec::new());
            let is_there = live.encode_entity(entity, &mut one);
            assert_eq!(applied.encode_entity(entity, &mut other), is_there, "{entity:?}");
            assert!(one == other, "command {number}: {entity:?}");
        }
        events += count;
        silent += usize::from(count == 0);
        live.watch_mut().0.clear();
        applied.watch_mut().0.clear();
        if number % 2_500 == 0 {
            assert!(entities(&live) == entities(&applied), "after command {number}");
        }
    }
    assert!(events > 40_000 && silent > 500, "{events} events, {silent} commands without any");
}

/// The events of a venue's last command, and the kernel before it.
struct Parts {
    before: Kernel,
    head: GroupHead,
    events: Vec<(EventHead, Event)>,
}

impl Parts {
    /// Runs a command and keeps what was before it.
    fn of(venue: &mut Venue, run: impl FnOnce(&mut Venue)) -> Self {
        let before = venue.replayed.clone();
        run(venue);
        let (head, events) = (venue.group.expect("it made events"), venue.events.clone());
        Self { before, head, events }
    }

    /// The entities that differ when a field of the events is another one.
    fn changed_by(&self, kind: EventKind, change: impl Fn(&mut Event)) -> BTreeSet<u8> {
        let mut events = self.events.clone();
        let of = events.iter_mut().filter(|(_, event)| event.kind() == kind);
        assert!(of.map(|(_, event)| change(event)).count() > 0, "{kind:?} is there");
        let (sound, other) = (entities(&self.apply(&self.events)), entities(&self.apply(&events)));
        let all: BTreeSet<&Entity> = sound.keys().chain(other.keys()).collect();
        let differing = all.into_iter().filter(|entity| sound.get(*entity) != other.get(*entity));
        differing.map(Entity::kind).collect()
    }

    fn apply(&self, events: &[(EventHead, Event)]) -> Kernel {
        let mut buffer = EventBuffer::new();
        buffer.begin(&self.head);
        for (at, event) in events {
            buffer.push(event.kind(), *at, event);
        }
        buffer.end();
        let mut kernel = self.before.clone();
        let bytes = buffer.take();
        let group = GroupIter::new(&bytes).next().expect("a group").expect("sound");
        kernel.apply_group(&group).expect("it applies");
        kernel
    }
}

const ONE: Amount = Amount(1);
const ORDER: u8 = 5;
const REFUND: u8 = 8;

/// The fee of a trade stands in the fills, in TradeSettled and in the postings: the fill sets the order's fees,
/// the postings the balances, and in TradeSettled it is a copy. So with
/// the amounts of a transfer and of a refund. A copy that could contradict its owner is not stored at all (D-84).
/// covers: EVT-8
#[test]
fn a_field_is_set_by_the_event_that_owns_it() {
    let mut venue = Venue::new();
    let seller = venue.account("seller", "5", "0");
    let buyer = venue.account("buyer", "0", "1000");
    let maker = venue.accept(limit(seller, Sell, "2", "100"));
    let parts = Parts::of(&mut venue, |venue| {
        venue.accept(limit(buyer, Buy, "1", "100"));
    });
    let nothing = BTreeSet::new();
    let settled = parts.changed_by(EventKind::TradeSettled, |event| {
        let Event::TradeSettled(it) = event else { unreachable!("of this kind") };
        (it.maker_fee, it.taker_fee) = (it.maker_fee + ONE, it.taker_fee + ONE);
    });
    assert_eq!(settled, nothing, "the fees of TradeSettled are copies");
    let filled = parts.changed_by(EventKind::OrderPartiallyFilled, |event| {
        let Event::OrderPartiallyFilled(it) = event else { unreachable!("of this kind") };
        it.fee += ONE;
    });
    assert_eq!(filled, BTreeSet::from([ORDER]), "a fill sets the fees of its order, no balance");
    assert!(venue.live.order(maker).is_some(), "the maker is still open");
    assert_moved(&mut venue);
    assert_refunded(&mut venue, buyer);
}

/// What moves in a transfer is what its postings say.
fn assert_moved(venue: &mut Venue) {
    let owned = |name| AccountOpening { owner_id: Some(Id([6; 16])), ..opening(name) };
    let accounts =
        ["from", "to"].map(|name| Venue::created(venue.run(Command::CreateAccount(owned(name)))));
    venue.run(Command::Deposit(entry(accounts[0], 2, "10")));
    let transfer = Transfer {
        from: accounts[0],
        to: accounts[1],
        asset: AssetRef::Listed(2),
        amount: amount("4"),
    };
    let parts = Parts::of(venue, |venue| {
        venue.run(Command::Transfer(transfer));
    });
    let copied = parts.changed_by(EventKind::AccountTransferred, |event| {
        let Event::AccountTransferred(it) = event else { unreachable!("of this kind") };
        it.amount += ONE;
    });
    assert_eq!(copied, BTreeSet::new(), "the amount of AccountTransferred is a copy");
}

/// The id of the one trade of a log.
fn only_trade(venue: &Venue) -> Id {
    for group in GroupIter::new(&venue.log) {
        for read in group.expect("a group").events() {
            if let (head, Event::TradeExecuted(_)) = read.expect("an event") {
                return Id::derive(head.timestamp, 0, head.sequence).expect("in range");
            }
        }
    }
    panic!("there was a trade")
}

/// FeeRefunded counts what was given back of a fee, and moves nothing.
fn assert_refunded(venue: &mut Venue, account: Id) {
    let trade = only_trade(venue);
    let refund = FeeRefund {
        trade,
        account,
        asset: AssetRef::Listed(2),
        fee: amount("0.1"),
        amount: amount("0.02"),
        reason: RefundReason::Malfunction,
        actor: label("test"),
    };
    let parts = Parts::of(venue, |venue| {
        let outcome = venue.list(move |operator| Command::RefundFee(refund, operator)).outcome;
        assert_eq!(outcome, Outcome::Done { created: None });
    });
    let refunded = parts.changed_by(EventKind::FeeRefunded, |event| {
        let Event::FeeRefunded(it) = event else { unreachable!("of this kind") };
        it.amount += ONE;
    });
    assert_eq!(refunded, BTreeSet::from([REFUND]), "it sets the refund, and no balance");
}
