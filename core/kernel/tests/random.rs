//! Random commands by the ten thousand, against everything that must hold whatever is asked.
//!
//! Every stream follows from its seed, which each failure names. Live and replayed kernel, the naive
//! venue and the auditors of `common` look at the same stream and share no code.

mod common;

use common::audit::Audit;
use common::counts::Counts;
use common::money::Money;
use common::naive::{Naive, Told, Trade};
use common::random::Random;
use kernel::Kernel;
use schema::{Command, Event, EventBuffer, Outcome};

/// Ten thousand commands of every kind, twelve times: the replayed kernel and the live one are the same
/// state, every asset is conserved, reservations are exact, books are equal, order by order, and
/// uncrossed, and after a save a loaded kernel does the same, byte for byte.
/// covers: DET-55, RPL-35, RPL-78, SETL-57, SETL-63, TRADE-59, LIFE-70, INV-8
#[test]
fn live_and_replayed_are_one_state_under_random_commands() {
    for seed in 1..13 {
        let mut random = Random::new(seed);
        let mut loaded: Option<Kernel> = None;
        for index in 0..10_000 {
            random.step();
            if let Some(kernel) = &mut loaded {
                let mut out = EventBuffer::new();
                let stamped = random.venue.commands.last().expect("it ran");
                kernel.execute(stamped, &mut out);
                assert_eq!(out.bytes(), random.venue.buffer.bytes(), "seed {seed}, {index}");
            }
            if index % 25 == 0 {
                random.venue.check();
            }
            if index % 2_500 == 1_250 {
                loaded = Some(save_and_load(&random.venue.live));
            }
        }
        random.venue.check();
        assert!(saved(&random.venue.live) == saved(&loaded.expect("it was saved")));
    }
}

/// A kernel that looks ahead does what one does that never did.
/// covers: DET-45
#[test]
fn looking_ahead_changes_nothing() {
    let mut random = Random::new(77);
    for _ in 0..10_000 {
        random.step();
    }
    let mut kernel = Kernel::new();
    let mut out = EventBuffer::new();
    for batch in random.venue.commands.chunks(100) {
        let before = saved(&kernel);
        kernel.look_ahead(batch);
        assert!(saved(&kernel) == before);
        for stamped in batch {
            kernel.execute(stamped, &mut out);
        }
    }
    assert!(saved(&random.venue.live) == saved(&kernel));
}

fn saved(kernel: &Kernel) -> Vec<u8> {
    let mut bytes = Vec::new();
    kernel.save(&mut bytes);
    bytes
}

fn save_and_load(kernel: &Kernel) -> Kernel {
    let bytes = saved(kernel);
    let loaded = Kernel::load(&bytes).expect("what was saved can be loaded");
    assert!(saved(&loaded) == bytes, "one state has one encoding (RPL-42)");
    loaded
}

/// Books, reservations and sums hold after every single command, not only now and then.
/// covers: ACCT-66, INV-4
/// covers: RPL-4
#[test]
fn every_command_end_is_sound() {
    for seed in 11..15 {
        let mut random = Random::new(seed);
        for _ in 0..1_000 {
            random.step();
            random.venue.check();
        }
    }
}

/// Orders and trades as the events tell them: the graph of states, quantities, one settlement a trade.
/// covers: STATE-24, STATE-25, STATE-33, STATE-48, STATE-51, EVT-23, LIFE-48, LIFE-50
/// covers: LIFE-71, LIFE-72, LIFE-73, TRADE-9, TRADE-16, TRADE-23, TRADE-24, TRADE-25, TRADE-60
/// covers: TRADE-61, TRADE-62, TRADE-63, TRADE-64, TRADE-65, SETL-27, SETL-64, SETL-65, INV-18, INV-19
/// covers: TRADE-1, SETL-31, SETL-56, EVT-31, INV-10
/// covers: RPL-13, RPL-76
#[test]
fn events_tell_sound_orders_and_trades() {
    let mut fills = 0;
    for seed in 21..24 {
        let mut random = Random::new(seed);
        let mut audit = Audit::default();
        for_the_whole_log(&random, |venue| audit.follow(venue));
        for _ in 0..3_000 {
            random.step();
            audit.follow(&random.venue);
        }
        assert_eq!(audit.trades, audit.settled);
        fills += audit.trades.len();
    }
    assert!(fills > 1_000, "the streams trade: {fills}");
}

/// Entity sequences counted from the log are those of the state, after every command.
/// covers: SEQ-27, SEQ-30, SEQ-35, SEQ-56, ACCT-67
#[test]
fn entity_sequences_are_counted_from_the_log() {
    for seed in 31..33 {
        let mut random = Random::new(seed);
        let mut counts = Counts::default();
        for_the_whole_log(&random, |venue| counts.follow(venue));
        for _ in 0..3_000 {
            random.step();
            counts.follow(&random.venue);
        }
    }
}

/// Balances follow from postings and holds alone; what users have and what was charged is what came in.
/// covers: EVT-28, EVT-29, ACCT-10, ACCT-15, TRADE-21, SETL-16, FEE-36, INV-1, INV-5, ACCT-63
#[test]
fn balances_follow_from_postings_and_holds() {
    for seed in 41..43 {
        let mut random = Random::new(seed);
        let mut money = Money::default();
        for_the_whole_log(&random, |venue| money.follow(venue));
        for _ in 0..3_000 {
            random.step();
            money.follow(&random.venue);
        }
    }
}

/// Runs the commands so far once more in a fresh venue and shows it after each.
fn for_the_whole_log(random: &Random, mut look: impl FnMut(&common::Venue)) {
    let mut venue = common::Venue::empty();
    for stamped in &random.venue.commands {
        venue.now = stamped.stamp;
        venue.run_stamped(stamped.command.clone(), stamped.key);
        look(&venue);
    }
    assert!(venue.log == random.venue.log);
}

/// The naive venue predicts every outcome, trade, fee, balance and book of sound commands.
/// covers: LIFE-18, LIFE-22, TRADE-3, TRADE-4, TRADE-5, TRADE-7, TRADE-10, TRADE-15, TRADE-17, TRADE-19
/// covers: FEE-1, FEE-4, FEE-6, FEE-11, FEE-14, FEE-15, FEE-34, SETL-12, SETL-17, SETL-19
/// covers: SETL-20, ACCT-17, ACCT-18, ACCT-19, INV-9
#[test]
fn the_naive_venue_predicts_every_trade() {
    for seed in 51..61 {
        let mut random = Random::sound(seed);
        let mut naive = Naive::of(&random.venue);
        let mut traded = 0;
        for index in 0..4_000 {
            let sequence = random.venue.live.position().event_sequence + 1;
            let reply = random.step();
            let told = predict(&mut naive, &random, sequence);
            let found = match reply.outcome {
                Outcome::Refused(refusal) | Outcome::Rejected { refusal, .. } => {
                    Told::Refused(refusal.code)
                }
                _ => Told::Accepted(trades(&random.venue.events)),
            };
            assert_eq!(found, told, "seed {seed}, command {index}");
            traded += trades(&random.venue.events).len();
            if index % 10 == 0 {
                naive.compare(&random.venue);
            }
        }
        naive.compare(&random.venue);
        assert!(traded > 500, "seed {seed} trades: {traded}");
    }
}

fn predict(naive: &mut Naive, random: &Random, sequence: u64) -> Told {
    let venue = &random.venue;
    let number = |id| venue.live.account_number(id).expect("an account");
    match &venue.commands.last().expect("it ran").command {
        Command::PlaceOrder(request) => naive.place(number(request.account), request, sequence),
        Command::CancelOrder(cancel) => {
            if venue.live.account_number(cancel.account).is_none() {
                return Told::Refused(schema::Code::AccountNotFound);
            }
            naive.cancel(number(cancel.account), cancel.order.sequence())
        }
        Command::Deposit(entry) | Command::Withdraw(entry) => {
            let schema::AssetRef::Listed(asset) = entry.asset else { panic!("a listed asset") };
            let last = venue.commands.last().expect("it ran");
            let sign = if matches!(last.command, Command::Deposit(_)) { 1 } else { -1 };
            naive.entry(number(entry.account), asset, entry, sign)
        }
        other => panic!("not of a sound stream: {other:?}"),
    }
}

/// The trades of one command, as its events tell them.
fn trades(events: &[(schema::EventHead, Event)]) -> Vec<Trade> {
    let mut all = Vec::new();
    for (_, event) in events {
        match event {
            Event::TradeExecuted(trade) => all.push(Trade {
                maker: trade.maker,
                ticks: trade.ticks.0,
                lots: trade.lots.0,
                maker_fee: 0,
                taker_fee: 0,
            }),
            Event::TradeSettled(settled) => {
                let trade = all.last_mut().expect("it was executed");
                (trade.maker_fee, trade.taker_fee) = (settled.maker_fee.0, settled.taker_fee.0);
            }
            _ => {}
        }
    }
    all
}
