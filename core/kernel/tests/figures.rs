//! Amounts, their bounds and the days that figures are counted by.

mod common;

use common::random::Random;
use common::{Venue, amount, asset, entry, label, limit, opening};
use schema::{
    AccountOpening, AssetRef, Code, Command, Event, EventHead, FeeRefund, FeeTier, LedgerEntry,
    Outcome, RefundReason, Transfer,
};
use units::Side::{Buy, Sell};
use units::{Amount, Id, Rate, Timestamp};

/// 10^18 units, from which on no amount is taken (D-70).
const END: i128 = 10i128.pow(36);
/// The end of what a balance may be (ACCT-68).
const BALANCE_MAX: i128 = 1 << 126;
const DONE: Outcome = Outcome::Done { created: None };

fn deposit(account: Id, asset: u32, raw: i128) -> Command {
    Command::Deposit(LedgerEntry { amount: Amount(raw), ..entry(account, asset, "1") })
}

/// A venue with WEI, an asset of 18 decimals, as its third asset.
fn venue_of_wei() -> Venue {
    let mut venue = Venue::new();
    venue.list(|operator| Command::ListAsset(asset("WEI", 18), operator));
    venue
}

/// The last of 18 decimals is kept; 10^18 units are refused wherever an amount is named, and so is what would
/// take a balance beyond its range, on the account's side and on EXTERNAL's.
/// covers: ACCT-13
#[test]
fn amounts_have_18_decimals_and_a_bound() {
    let mut venue = venue_of_wei();
    let owned = |name| AccountOpening { owner_id: Some(Id([6; 16])), ..opening(name) };
    let [alice, other] = ["alice", "other"]
        .map(|name| Venue::created(venue.run(Command::CreateAccount(owned(name)))));
    assert_eq!(venue.run(deposit(alice, 3, 1)).outcome, DONE);
    assert_eq!(venue.balance(alice, 3).0, "0.000000000000000001");
    let trade = traded(&mut venue);
    for raw in [END, END + 1, i128::MAX] {
        let money = LedgerEntry { amount: Amount(raw), ..entry(alice, 3, "1") };
        let (asset, amount) = (AssetRef::Listed(3), Amount(raw));
        let transfer = Transfer { from: alice, to: other, asset, amount };
        for command in
            [Command::Deposit(money), Command::Withdraw(money), Command::Transfer(transfer)]
        {
            let before = Venue::state(&venue.live);
            assert_eq!(venue.refuse(command.clone()), Code::InvalidAmount, "{command:?}");
            assert_eq!(venue.names(), ["CommandRejected"]);
            let kept = entities_but_system(&venue, &before);
            assert!(kept, "{command:?} changes nothing but the account's count");
        }
        let refund = FeeRefund {
            trade,
            account: alice,
            asset,
            fee: amount,
            amount,
            reason: RefundReason::Malfunction,
            actor: label("test"),
        };
        let outcome = venue.list(move |operator| Command::RefundFee(refund, operator)).outcome;
        assert_eq!(common::code_of(outcome), Code::InvalidAmount);
    }
    let mut count = 0;
    while venue.run(deposit(alice, 3, END - 1)).outcome == DONE {
        count += 1;
    }
    assert_eq!(count, BALANCE_MAX / (END - 1));
    for (account, raw) in [(alice, END - 1), (other, END - 1)] {
        assert_eq!(venue.refuse(deposit(account, 3, raw)), Code::InvalidAmount);
    }
    let left = BALANCE_MAX - 1 - count * (END - 1);
    assert_eq!(venue.run(deposit(other, 3, left)).outcome, DONE);
    assert_eq!(venue.refuse(deposit(other, 3, 1)), Code::InvalidAmount, "EXTERNAL is at its end");
    assert_eq!(venue.withdraw(other, 3, "0.000000000000000001").outcome, DONE);
    assert_eq!(venue.run(deposit(alice, 3, 1)).outcome, DONE);
    venue.check();
}

/// Whether no balance of the venue differs from a state.
fn entities_but_system(venue: &Venue, before: &[u8]) -> bool {
    let mut balances = Vec::new();
    for entity in venue.live.entities() {
        if matches!(entity, kernel::Entity::Balance { .. }) {
            assert!(venue.live.encode_entity(entity, &mut balances));
        }
    }
    before.windows(balances.len()).any(|window| window == balances)
}

/// The id of a trade of BTC/USDT.
fn traded(venue: &mut Venue) -> Id {
    let seller = venue.account("seller", "1", "0");
    let buyer = venue.account("buyer", "0", "1000");
    venue.accept(limit(seller, Sell, "1", "100"));
    venue.accept(limit(buyer, Buy, "1", "100"));
    let made = venue.events.iter().find(|(_, event)| matches!(event, Event::TradeExecuted(_)));
    let (head, _) = made.expect("it trades");
    Id::derive(head.timestamp, 0, head.sequence).expect("in range")
}

/// With all the money there can be in the venue, not a fill, a fee, a rebate or a refund takes a balance out of
/// its range, wherever the money gathers; a command that would add to it is refused before anything of it is
/// committed, in the middle of trading too. A spot venue has no other source of a balance: what fills and fees
/// give to one, they take from another, and none but EXTERNAL is below zero.
/// covers: SETL-67
#[test]
fn no_command_takes_a_balance_out_of_its_range() {
    for rates in [(20_000, 100_000), (-50_000, 100_000)] {
        let mut venue = Venue::with_rates(rates.0, rates.1);
        let (rich, other) = (venue.account("rich", "10", "0"), venue.account("other", "0", "5000"));
        let quantum = 10i128.pow(12);
        let largest = END - quantum;
        while venue.run(deposit(rich, 2, largest)).outcome == DONE {}
        let held = |venue: &Venue, account| {
            let number = venue.live.account_number(account).expect("opened");
            venue.live.balance(number, 2).total().0
        };
        let external = |venue: &Venue| venue.live.balance(4, 2).total().0;
        let left = (BALANCE_MAX - 1 + external(&venue)) / quantum * quantum;
        assert_eq!(venue.run(deposit(rich, 2, left)).outcome, DONE);
        let most = external(&venue);
        assert!(most <= -(BALANCE_MAX - 1 - quantum) && most >= -BALANCE_MAX);
        // Nearly all of it is one account's, which earns more with each trade.
        for step in 0..20 {
            let (maker, taker) = if step % 2 == 0 { (rich, other) } else { (other, rich) };
            let (sell, buy) = (limit(rich, Sell, "0.4", "100"), limit(other, Buy, "0.4", "100"));
            let (first, second) = if maker == rich { (sell, buy) } else { (buy, sell) };
            venue.accept(first);
            for account in [rich, other] {
                let trades = |venue: &Venue| venue.live.market(1).expect("listed").sequence;
                let before = (trades(&venue), held(&venue, rich), held(&venue, other));
                assert_eq!(venue.refuse(deposit(account, 2, quantum)), Code::InvalidAmount);
                assert_eq!(venue.names(), ["CommandRejected"]);
                assert_eq!(before, (trades(&venue), held(&venue, rich), held(&venue, other)));
            }
            assert_eq!(second.account, taker);
            venue.accept(second);
            assert!(venue.names().contains(&"TradeSettled"));
            for number in 0..venue.live.account_count() {
                let total = venue.live.balance(number, 2).total();
                assert!(total.is_balance(), "account {number}: {total}");
            }
            assert_eq!(external(&venue), most, "the sum of all others stays");
            venue.check();
        }
        assert!(held(&venue, rich) > BALANCE_MAX - 6_000 * 10i128.pow(18));
    }
}

/// A charge is never below zero, whoever takes; a maker's is where its rate is a rebate, and nowhere else.
/// covers: FEE-60
#[test]
fn a_fee_is_below_zero_for_a_maker_alone() {
    let (mut rebates, mut charges, mut free) = (0, 0, 0);
    for seed in 91..95 {
        let mut random = Random::new(seed);
        for _ in 0..4_000 {
            random.step();
            let venue = &random.venue;
            let mut trade = None;
            for (head, event) in &venue.events {
                match event {
                    Event::TradeExecuted(it) => trade = Some((*head, *it)),
                    Event::OrderPartiallyFilled(fill) | Event::OrderFilled(fill) => {
                        let (_, trade) = trade.expect("a fill is of a trade");
                        assert!(fill.fee >= Amount::ZERO || fill.order == trade.maker);
                    }
                    Event::TradeSettled(it) => {
                        assert!(it.taker_fee >= Amount::ZERO);
                        let is_rebate = it.maker_fee < Amount::ZERO;
                        assert!(!is_rebate || maker_rate(venue, trade.expect("its trade")) < 0);
                        rebates += u32::from(is_rebate);
                        charges += u32::from(it.maker_fee > Amount::ZERO);
                        free += u32::from(it.maker_fee == Amount::ZERO);
                    }
                    Event::FeeRefunded(it) => assert!(it.fee > Amount::ZERO),
                    _ => {}
                }
            }
        }
    }
    assert!(rebates > 100 && charges > 100, "{rebates} rebates, {charges} charges, {free} free");
}

/// The maker's rate of the market that a trade was made in.
fn maker_rate(venue: &Venue, (head, trade): (EventHead, schema::TradeExecuted)) -> i64 {
    let market = market_of(venue, trade.taker).or_else(|| market_of(venue, trade.maker));
    let number = market.unwrap_or_else(|| panic!("trade {} has a market", head.sequence));
    let terms = &venue.live.market(number).expect("listed").terms;
    terms.fee_tiers.first().map_or(20_000, |tier| tier.maker.0)
}

/// The market of an order, from its OrderSubmitted in the log.
fn market_of(venue: &Venue, order: u64) -> Option<u32> {
    if let Some(order) = venue.live.order_of(order) {
        return Some(order.market);
    }
    venue.events.iter().find_map(|(head, event)| match event {
        Event::OrderSubmitted(submitted) if head.sequence == order => match submitted.terms {
            schema::OrderTerms::Checked { market, .. } => Some(market),
            schema::OrderTerms::Requested { .. } => None,
        },
        _ => None,
    })
}

/// A trade counts for the UTC day in which it settles, which ends at the last nanosecond before 00:00:00; ends
/// of orders and of keys come to the nanosecond too.
/// covers: TIME-43
#[test]
fn a_day_begins_at_midnight_utc() {
    let day = 86_400_000_000_000;
    let row =
        |above: &str, taker| FeeTier { above: amount(above), maker: Rate(0), taker: Rate(taker) };
    let mut venue = Venue::with_tiers(vec![row("0", 200_000), row("1000", 100_000)]);
    let buyer = venue.account("buyer", "0", "100000");
    let seller = venue.account("seller", "100", "0");
    let number = venue.live.account_number(buyer).expect("opened");
    let midnight = (venue.now.0 / day + 1) * day;
    assert_eq!(Timestamp(midnight).to_string(), "2023-11-15T00:00:00.000000Z");
    let trade = |venue: &mut Venue| {
        venue.accept(limit(seller, Sell, "5", "100"));
        venue.accept(limit(buyer, Buy, "5", "100"));
        venue.events.last().expect("it settles").0.timestamp.0
    };
    venue.now = Timestamp(midnight - 3_000);
    let settled = trade(&mut venue);
    assert!(settled < midnight && settled >= midnight - 1_000, "in the last microsecond");
    let volume = |venue: &mut Venue, at: i64| {
        venue.now = Timestamp(at);
        venue.run_stamped(Command::Tick, None);
        venue.live.fee_tier(number).expect("opened")
    };
    assert_eq!(volume(&mut venue, midnight - 1), (0, Amount::ZERO), "the day is not over");
    assert_eq!(volume(&mut venue, midnight), (0, amount("500")));
    venue.now = Timestamp(midnight);
    let settled = trade(&mut venue);
    assert!(settled > midnight && settled < midnight + day);
    assert_eq!(volume(&mut venue, midnight + day - 1), (0, amount("500")), "of the day before");
    assert_eq!(volume(&mut venue, midnight + day), (0, amount("1000")));
    // 00:00:00.000000000 itself belongs to the day that begins.
    venue.now = Timestamp(midnight + 2 * day - 3_000);
    let first = trade_at(&mut venue, (seller, buyer), midnight + 2 * day);
    assert_eq!(first, midnight + 2 * day);
    assert_eq!(volume(&mut venue, midnight + 3 * day - 1).1, amount("1000"));
    assert_eq!(volume(&mut venue, midnight + 3 * day).1, amount("1100"));
    venue.check();
}

/// A trade whose settlement has this very time: the command comes as many nanoseconds before as it has events
/// in front of it.
fn trade_at(venue: &mut Venue, (seller, buyer): (Id, Id), at: i64) -> i64 {
    venue.accept(limit(seller, Sell, "1", "100"));
    let buy = Command::PlaceOrder(limit(buyer, Buy, "1", "100"));
    let mut probe = venue.live.clone();
    let mut stamped = venue.commands.last().expect("it ran").clone();
    (stamped.sequence, stamped.command) = (stamped.sequence + 1, buy.clone());
    let before = probe.position().event_sequence;
    let mut out = schema::EventBuffer::new();
    probe.execute(&stamped, &mut out);
    let mut place = None;
    for group in schema::GroupIter::new(out.bytes()) {
        for read in group.expect("a group").events() {
            let (head, event) = read.expect("an event");
            if matches!(event, Event::TradeSettled(_)) {
                place = Some(head.sequence - before - 1);
            }
        }
    }
    let place = i64::try_from(place.expect("it settles")).expect("few");
    venue.now = Timestamp(at - place);
    venue.run_stamped(buy, None);
    let settled = venue.events.iter().find(|(_, it)| matches!(it, Event::TradeSettled(_)));
    settled.expect("it settles").0.timestamp.0
}

/// 30 come in, 2 are charged, 3 go out: the users have 25, and the venue's own accounts hold the rest. A log that
/// tells any other total, by one unit of one posting, is no log of this venue: the event is named.
/// covers: INV-2
#[test]
fn thirty_in_three_out_and_two_of_fees_leave_twenty_five() {
    let mut venue = Venue::with_rates(2_000_000, 2_000_000);
    let users = [venue.account("alice", "1", "15"), venue.account("bob", "1", "15")];
    for round in 0..5 {
        let (seller, buyer) = (users[round % 2], users[(round + 1) % 2]);
        venue.accept(limit(seller, Sell, "0.1", "100"));
        venue.accept(limit(buyer, Buy, "0.1", "100"));
    }
    assert_eq!(venue.withdraw(users[0], 2, "3").outcome, DONE);
    let total = |account: u32| venue.live.balance(account, 2).total();
    let number = |id| venue.live.account_number(id).expect("opened");
    assert_eq!(users.map(number).map(total).iter().map(|it| it.0).sum::<i128>(), amount("25").0);
    let fees = [0, 1, 2].map(total).iter().map(|it| it.0).sum::<i128>();
    assert_eq!((fees, total(4)), (amount("2").0, amount("-27")));
    let (mut kernel, mut refused) = (kernel::Kernel::new(), 0);
    for group in schema::GroupIter::new(&venue.log) {
        let group = group.expect("a group");
        let events: Vec<_> = group.events().map(|event| event.expect("sound")).collect();
        for place in 0..events.len() {
            let (at, Event::BalanceUpdated(update)) = &events[place] else { continue };
            let mut other = schema::BalanceUpdated::new(update.reason, update.reference);
            for (leg, posting) in update.postings().iter().enumerate() {
                let delta = posting.delta + if leg == 1 { Amount(1) } else { Amount::ZERO };
                other.post(schema::Posting { delta, ..*posting });
            }
            let mut buffer = schema::EventBuffer::new();
            buffer.begin(&group.head);
            for (index, (head, event)) in events.iter().enumerate() {
                let changed = Event::BalanceUpdated(other);
                let event = if index == place { &changed } else { event };
                buffer.push(event.kind(), *head, event);
            }
            buffer.end();
            let bytes = buffer.take();
            let group = schema::GroupIter::new(&bytes).next().expect("one").expect("sound");
            let told = kernel.clone().apply_group(&group);
            let Err(kernel::ApplyError::Unbalanced { at: named, .. }) = told else {
                panic!("{told:?}")
            };
            assert_eq!(named, at.sequence);
            refused += 1;
        }
        kernel.apply_group(&group).expect("it applies");
    }
    assert!(refused > 9, "{refused}");
    venue.check();
}
