//! Halts as state: what events alone, a snapshot and a hash know of one (D-119). What a halt does to orders and
//! commands is in `scenes/halts.scene`; random halts are the oracle's.

mod common;

use common::{Venue, amount, asset, btc_usdt, label};
use kernel::{ApplyError, Entity, HALTED_FORMAT, Kernel, LoadError, SNAPSHOT_FORMAT};
use schema::{
    Code, Command, Event, EventBuffer, EventHead, GroupHead, GroupIter, HaltReason, HaltScope,
    MarketChange, MarketStateChanged, MarketTerms, Outcome, Refusal, SymbolRef, TradingHalt,
    TradingHalted, TradingResumed, Why,
};

fn venue() -> Venue {
    let mut venue = Venue::new();
    for symbol in ["ETH", "XRP"] {
        venue.list(|by| Command::ListAsset(asset(symbol, 8), by));
    }
    list(&mut venue, "ETH");
    venue
}

fn list(venue: &mut Venue, base: &str) -> Outcome {
    let terms =
        MarketTerms { symbol: label(&format!("{base}/USDT")), base: label(base), ..btc_usdt() };
    venue.list(|by| Command::ListMarket(terms.clone(), by)).outcome
}

fn halt(venue: &mut Venue) -> Outcome {
    let halt = TradingHalt { reason: HaltReason::Technical, actor: label("ops-1") };
    venue.list(|by| Command::HaltTrading(halt, by)).outcome
}

fn resume(venue: &mut Venue) -> Outcome {
    venue.list(|by| Command::ResumeTrading(label("ops-2"), by)).outcome
}

fn saved(kernel: &Kernel) -> Vec<u8> {
    let mut bytes = Vec::new();
    kernel.save(&mut bytes);
    bytes
}

fn system(kernel: &Kernel) -> Vec<u8> {
    let mut bytes = Vec::new();
    assert!(kernel.encode_entity(Entity::System, &mut bytes));
    bytes
}

const DONE: Outcome = Outcome::Done { created: None };

/// Why, who, since when, and which markets; the same by events, and behind a snapshot.
#[test]
fn a_halt_is_state() {
    let mut venue = venue();
    let pause = MarketChange {
        symbol: SymbolRef::Listed(1),
        reason: label("incident"),
        actor: label("ops-1"),
    };
    venue.list(|by| Command::PauseMarket(pause, by));
    let before = system(&venue.live).len();
    assert_eq!((venue.live.halt(), saved(&venue.live)[0]), (None, SNAPSHOT_FORMAT));
    assert_eq!(halt(&mut venue), DONE);
    assert_eq!(venue.names(), ["TradingHalted", "MarketPaused"]);
    let since = venue.events[0].0.timestamp;
    for kernel in [&venue.live, &venue.replayed] {
        let halt = kernel.halt().expect("it lasts");
        assert_eq!((halt.reason, halt.actor.as_str()), (HaltReason::Technical, "ops-1"));
        assert_eq!((halt.since, halt.markets.as_slice()), (since, &[2][..]));
    }
    assert!(system(&venue.live).len() > before, "it is hashed");
    let bytes = saved(&venue.live);
    assert_eq!(bytes[0], HALTED_FORMAT);
    let loaded = Kernel::load(&bytes).expect("a halted shard");
    assert_eq!((loaded.halt(), saved(&loaded)), (venue.live.halt(), bytes));
    assert_eq!(resume(&mut venue), DONE);
    assert_eq!(venue.names(), ["TradingResumed", "MarketResumed"]);
    assert_eq!((venue.live.halt(), saved(&venue.live)[0]), (None, SNAPSHOT_FORMAT));
    assert_eq!(system(&venue.live).len(), before, "as if there had been none");
    let is_open = |market| venue.live.market(market).expect("listed").open;
    assert_eq!([is_open(1), is_open(2)], [false, true]);
}

/// A market that is listed while trading is halted is closed until trading resumes.
#[test]
fn a_market_listed_meanwhile_opens_with_the_others() {
    let mut venue = venue();
    halt(&mut venue);
    assert!(matches!(list(&mut venue, "XRP"), Outcome::Done { created: Some(_) }));
    assert_eq!(venue.names(), ["MarketListed"]);
    assert!(!venue.live.market(3).expect("listed").open);
    assert_eq!(venue.live.halt().expect("it lasts").markets, [1, 2, 3]);
    let loaded = Kernel::load(&saved(&venue.replayed)).expect("a halted shard");
    assert_eq!(loaded.halt(), venue.live.halt());
    resume(&mut venue);
    let resumed: Vec<u32> = venue
        .events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::MarketResumed(it) => Some(it.market),
            _ => None,
        })
        .collect();
    assert_eq!(resumed, [1, 2, 3]);
}

/// The words behind the code of each refusal.
#[test]
fn each_refusal_says_why() {
    let mut venue = venue();
    let refused = |why| Outcome::Refused(Refusal::new(Code::InvalidStateTransition, why));
    assert_eq!(resume(&mut venue), refused(Why::NotHalted));
    let confirm =
        |venue: &mut Venue| venue.list(|by| Command::ConfirmClock(label("ops-1"), by)).outcome;
    assert_eq!(confirm(&mut venue), refused(Why::ClockTrusted));
    halt(&mut venue);
    assert_eq!(halt(&mut venue), refused(Why::TradingHalted));
    let change =
        MarketChange { symbol: SymbolRef::Listed(1), reason: label("a"), actor: label("b") };
    let open = venue.list(|by| Command::ResumeMarket(change, by)).outcome;
    assert_eq!(open, refused(Why::HaltedAsWhole));
    let (from, to) = (schema::ClockStatus::Primary, schema::ClockStatus::Fallback);
    venue.run(Command::RecordClockStatus { from, to, skew: amount("2") });
    assert_eq!(resume(&mut venue), refused(Why::ClockUnconfirmed));
    assert_eq!(confirm(&mut venue), DONE);
}

/// Bytes of a halted shard that contradict themselves.
#[test]
fn a_halt_that_cannot_be_is_not_loaded() {
    let mut venue = venue();
    let open = saved(&venue.live);
    halt(&mut venue);
    let good = saved(&venue.live);
    for place in 0..good.len() {
        for wrong in [good[place] ^ 1, good[place] ^ 0x80, 0, 0xff] {
            let mut bytes = good.clone();
            bytes[place] = wrong;
            if let Ok(loaded) = Kernel::load(&bytes) {
                assert_eq!(saved(&loaded), bytes, "byte {place}");
            }
        }
    }
    // A halt behind which a market is open, and a closed shard without its halt's format.
    let (mut claims, mut hides) = (open, good);
    claims[0] = HALTED_FORMAT;
    hides[0] = SNAPSHOT_FORMAT;
    for bytes in [claims, hides] {
        let fault = Kernel::load(&bytes).err();
        assert!(matches!(fault, Some(LoadError::Decode(_) | LoadError::Inconsistent)));
    }
}

/// Events of halts that nothing could have written stop replay.
#[test]
fn halts_that_nobody_wrote_stop_replay() {
    let mut halted = venue();
    let open = venue();
    halt(&mut halted);
    let event = |scope, reason| {
        let actor = label("ops-1");
        Event::TradingHalted(TradingHalted { scope, reason, actor, expires_at: None })
    };
    let state = |market| MarketStateChanged { market, reason: label("a"), actor: label("b") };
    let resumed =
        Event::TradingResumed(TradingResumed { scope: HaltScope::Shard, actor: label("b") });
    for (venue, wrong) in [
        (&halted, event(HaltScope::Shard, HaltReason::Clock)),
        (&open, event(HaltScope::Venue, HaltReason::Clock)),
        (&open, resumed.clone()),
        (&halted, Event::MarketResumed(state(1))),
        (&halted, Event::MarketPaused(state(1))),
    ] {
        let at = venue.live.position().event_sequence + 1;
        assert_eq!(apply(venue, &wrong), Err(ApplyError::Impossible { at }), "{wrong:?}");
    }
    assert_eq!(apply(&halted, &resumed), Ok(()));
    // A quarantine's is a record that may come at any time (D-109).
    assert_eq!(apply(&halted, &event(HaltScope::Shard, HaltReason::Invariant)), Ok(()));
}

fn apply(venue: &Venue, event: &Event) -> Result<(), ApplyError> {
    let mut kernel = venue.live.clone();
    let position = kernel.position();
    let head = EventHead {
        sequence: position.event_sequence + 1,
        timestamp: units::Timestamp(position.last_timestamp.0 + 1),
    };
    let mut out = EventBuffer::new();
    out.begin(&GroupHead {
        command_sequence: position.command_sequence + 1,
        first_sequence: head.sequence,
        first_timestamp: head.timestamp,
        correlation: None,
        idempotency: None,
    });
    out.push(event.kind(), head, event);
    out.end();
    let group = GroupIter::new(out.bytes()).next().expect("one").expect("sound");
    kernel.apply_group(&group)
}
