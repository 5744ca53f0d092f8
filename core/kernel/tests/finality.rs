//! A trade is checked before it is made, settled in the command that made it, and never touched again.

mod common;

use std::collections::BTreeMap;

use common::audit::Audit;
use common::random::Random;
use common::{Venue, amount, code_of, entry, label, limit};
use schema::{
    AccountStatus, AssetRef, CancelAllOrders, CancelOrder, Code, Command, CountdownCancel, Event,
    FeeRefund, Genesis, MarketTerms, OrderRequest, ReduceOrder, RefundReason, ReplaceOrder,
    SelfTrade, TimeInForce, Transfer, UpdateReason,
};
use units::Side::{Buy, Sell};
use units::{Amount, Id};

const DAY: i64 = 86_400_000_000_000;
/// Largest size of a balance on either side (D-81).
const BALANCE_MAX: Amount = Amount(1 << 126);

/// Whether an event is of a trade.
fn is_of_a_trade(event: &Event) -> bool {
    match event {
        Event::TradeExecuted(_) | Event::TradeSettled(_) => true,
        Event::BalanceUpdated(posted) => posted.reason == UpdateReason::TradeSettlement,
        _ => false,
    }
}

/// What is executed is settled when its command ends, so that nothing is left for later: days pass, with the
/// work that falls due in them, and no trade, settlement or posting of one comes of it. No setting of a venue or
/// a market could say otherwise.
/// covers: SETL-3
#[test]
fn no_settlement_waits() {
    let mut random = Random::new(101);
    let mut audit = Audit::default();
    let mut follower = Venue::empty();
    for stamped in &random.venue.commands {
        follower.now = stamped.stamp;
        follower.run_stamped(stamped.command.clone(), stamped.key);
        audit.follow(&follower);
    }
    for _ in 0..3_000 {
        random.step();
        // Panics on a trade that is not settled at the end of its command.
        audit.follow(&random.venue);
    }
    assert!(audit.trades.len() > 300, "the stream trades: {}", audit.trades.len());
    assert_eq!(audit.trades, audit.settled);
    for _ in 0..200 {
        random.venue.now.0 += DAY / 50;
        random.venue.run(Command::Tick);
        assert!(!random.venue.events.iter().any(|(_, event)| is_of_a_trade(event)));
    }
    // Every setting there is: one that is added fails to compile here, and has to be looked at.
    let Genesis { venue_id: _, shard: _, operator_key: _, key_count_max: _, fee_tiers: _ } =
        common::genesis(&random.venue.operator, Vec::new());
    let MarketTerms {
        symbol: _,
        kind: _,
        base: _,
        quote: _,
        tick_size: _,
        lot_size: _,
        min_price: _,
        max_price: _,
        min_quantity: _,
        max_quantity: _,
        matching: _,
        protection_bound: _,
        price_band: _,
        open_orders_max: _,
        fee_tiers: _,
        post_only_until: _,
    } = common::btc_usdt();
}

/// What the events have told of accounts, money and orders, event by event.
#[derive(Default)]
struct Before {
    status: BTreeMap<u32, AccountStatus>,
    totals: BTreeMap<(u32, u32), Amount>,
    trades: usize,
    settlements: usize,
}

impl Before {
    fn pass(&mut self, event: &Event, orders: &Audit) {
        match event {
            Event::AccountStatusChanged(changed) => {
                let status = self.status.entry(changed.account).or_insert(AccountStatus::Active);
                assert_eq!(*status, changed.from);
                *status = changed.to;
            }
            Event::BalanceUpdated(posted) => {
                self.settlements += usize::from(is_of_a_trade(event));
                for leg in posted.postings() {
                    let total = self.totals.entry((leg.account, leg.asset)).or_default();
                    *total += leg.delta;
                    assert!(total.0.unsigned_abs() <= BALANCE_MAX.0.unsigned_abs());
                }
            }
            Event::TradeExecuted(trade) => {
                self.trades += 1;
                for order in [trade.maker, trade.taker] {
                    let account = orders.orders[&order].account;
                    let status = self.status.get(&account).unwrap_or(&AccountStatus::Active);
                    assert_eq!(*status, AccountStatus::Active, "account {account}");
                }
            }
            _ => {}
        }
    }
}

/// At each trade of a hostile stream both orders are open with enough left, for the same quantity (`Audit`), both
/// accounts are ACTIVE, and every posting leaves its balance in range, no user's below zero.
/// covers: SETL-9
#[test]
fn a_trade_is_made_between_open_orders_of_active_accounts() {
    let (mut trades, mut suspended) = (0, 0);
    for seed in 102..105 {
        let mut random = Random::new(seed);
        for _ in 0..3_000 {
            random.step();
        }
        let (mut orders, mut before) = (Audit::default(), Before::default());
        let mut venue = Venue::empty();
        for stamped in &random.venue.commands {
            venue.now = stamped.stamp;
            venue.run_stamped(stamped.command.clone(), stamped.key);
            // First the orders, so that those of this command are known to the second look.
            orders.follow(&venue);
            for (_, event) in &venue.events {
                before.pass(event, &orders);
            }
            let negative = |(at, total): (&(u32, u32), &Amount)| {
                let is_outside = matches!(at.0, 4 | 6);
                assert!(is_outside || *total >= Amount::ZERO, "{at:?} has {total}");
            };
            before.totals.iter().for_each(negative);
        }
        assert_eq!(before.settlements, before.trades, "no command posts a settlement by itself");
        trades += before.trades;
        suspended += before.status.values().filter(|it| **it != AccountStatus::Active).count();
    }
    assert!(trades > 1_000 && suspended > 0, "{trades} trades, {suspended} not active");
}

/// Everything that two accounts have.
fn money(venue: &Venue, accounts: [Id; 2]) -> Vec<(String, String)> {
    let of = |account| [1, 2].map(|asset| venue.balance(account, asset));
    let mut all: Vec<_> = accounts.into_iter().flat_map(of).collect();
    let systems = (0..7).flat_map(|number| [1, 2].map(|asset| venue.system(number, asset)));
    all.extend(systems.map(|total| (total, String::new())));
    all
}

/// Where one of the conditions of a trade does not hold, no event of it is there and nothing moved.
/// covers: SETL-10
#[test]
fn a_trade_that_may_not_be_does_not_happen() {
    let wrongs: [fn(&mut Venue, Id, Id); 6] = [
        // The maker's account is suspended, and with it its orders.
        |venue, seller, _| {
            venue.set_status(seller, AccountStatus::Suspended);
        },
        // The taker's is.
        |venue, _, buyer| {
            venue.set_status(buyer, AccountStatus::Suspended);
        },
        // The maker's order is canceled.
        |venue, seller, _| {
            let command = CancelAllOrders { account: seller, symbol: None };
            venue.run(Command::CancelAllOrders(command));
        },
        // The taker cannot pay.
        |venue, _, buyer| {
            venue.withdraw(buyer, 2, "950");
        },
        // The maker's order has passed its end.
        |venue, _, _| venue.now.0 += DAY,
        // The maker's deadline has passed.
        |venue, seller, _| {
            let countdown = CountdownCancel { account: seller, timeout: 1_000_000_000 };
            venue.run(Command::SetCountdownCancel(countdown));
            venue.now.0 += DAY / 2;
        },
    ];
    for (index, make_wrong) in wrongs.into_iter().enumerate() {
        let mut venue = Venue::new();
        let seller = venue.account("seller", "1", "0");
        let buyer = venue.account("buyer", "0", "1000");
        let expire_at = Some(units::Timestamp(venue.now.0 + DAY));
        let resting = OrderRequest {
            time_in_force: TimeInForce::Gtd,
            expire_at,
            ..limit(seller, Sell, "1", "100")
        };
        venue.accept(resting);
        make_wrong(&mut venue, seller, buyer);
        venue.run(Command::Tick);
        let before = money(&venue, [seller, buyer]);
        let taker =
            OrderRequest { time_in_force: TimeInForce::Ioc, ..limit(buyer, Buy, "1", "100") };
        venue.place(taker);
        assert!(!venue.events.iter().any(|(_, event)| is_of_a_trade(event)), "case {index}");
        assert!(money(&venue, [seller, buyer]) == before, "case {index}");
        venue.check();
    }
    // Nor does an account trade with itself.
    let mut venue = Venue::new();
    let both = venue.account("both", "1", "1000");
    for self_trade in [SelfTrade::CancelIncoming, SelfTrade::CancelResting, SelfTrade::CancelBoth] {
        venue.accept(limit(both, Sell, "1", "100"));
        venue.accept(OrderRequest { self_trade, ..limit(both, Buy, "1", "100") });
        assert!(!venue.events.iter().any(|(_, event)| is_of_a_trade(event)));
        let command = CancelAllOrders { account: both, symbol: None };
        venue.run(Command::CancelAllOrders(command));
        for (asset, units) in [(1, "1"), (2, "1000")] {
            assert_eq!(venue.balance(both, asset), (units.into(), "0".into()));
        }
    }
}

/// A venue after one trade, with its seller, its buyer, the trade's id and its two orders.
fn traded() -> (Venue, [Id; 2], Id, [Id; 2]) {
    let mut venue = Venue::new();
    let seller = venue.account("seller", "1", "0");
    let buyer = venue.account("buyer", "0", "1000");
    let maker = venue.accept(limit(seller, Sell, "0.5", "100"));
    let taker = venue.accept(limit(buyer, Buy, "0.5", "101"));
    let executed = venue.events.iter().find(|it| matches!(it.1, Event::TradeExecuted(_)));
    let head = executed.expect("they meet").0;
    let trade = Id::derive(head.timestamp, 0, head.sequence).expect("in range");
    (venue, [seller, buyer], trade, [maker, taker])
}

/// The last event of a trade says that it is settled; before it what the filled orders still held is free again,
/// and with it the market's last price is the trade's.
/// covers: SETL-15
#[test]
fn a_settled_trade_leaves_nothing_held() {
    let (venue, [seller, buyer], trade, orders) = traded();
    let names = venue.names();
    let tail = ["BalanceUpdated", "MarginReleased", "TradeSettled"];
    assert_eq!(names[names.len() - 3..], tail, "{names:?}");
    let Some((_, Event::TradeSettled(settled))) = venue.events.last() else { panic!("settled") };
    assert_eq!(settled.trade, trade.sequence());
    for order in orders {
        assert!(venue.live.order(order).is_none(), "a filled order has left, and its hold with it");
    }
    // 1,000 − 50 − 0.1 % of 50; the hold was for 50.5 and its fee.
    assert_eq!(venue.balance(buyer, 2), ("949.95".into(), "0".into()));
    assert_eq!(venue.balance(seller, 1), ("0.5".into(), "0".into()));
    let last = venue.live.market(1).and_then(|market| market.last_price);
    assert_eq!(last, Some(units::Ticks(10_000)));
    venue.check();
}

/// Commands that name a trade or its orders after it was settled: those of orders find none; a fee that goes back
/// is a posting of its own reason. No event of the trade comes a second time, and the log so far stays as it was.
/// covers: SETL-32, TRADE-26
#[test]
fn no_command_changes_a_settled_trade() {
    let (mut venue, [seller, buyer], trade, [maker, taker]) = traded();
    let log = venue.log.clone();
    for (account, order) in [(seller, maker), (buyer, taker)] {
        let state_seq = None;
        let quantity = amount("0.1");
        let request = limit(account, Buy, "0.1", "1");
        for command in [
            Command::CancelOrder(CancelOrder { account, order, state_seq }),
            Command::ReduceOrder(ReduceOrder { account, order, quantity, state_seq }),
            Command::ReplaceOrder(ReplaceOrder { order, state_seq, request }),
        ] {
            assert_eq!(code_of(venue.run(command).outcome), Code::OrderNotFound);
        }
    }
    // The fee of the taker, 0.05, once whole; a second time there is nothing left of it.
    let refund = FeeRefund {
        trade,
        account: buyer,
        asset: AssetRef::Listed(2),
        fee: amount("0.05"),
        amount: amount("0.03"),
        reason: RefundReason::Malfunction,
        actor: label("operator"),
    };
    venue.list(|operator| Command::RefundFee(refund, operator));
    assert_eq!(venue.names(), ["FeeRefunded", "BalanceUpdated"]);
    let Event::BalanceUpdated(posted) = &venue.events[1].1 else { panic!("a posting") };
    assert_eq!(posted.reason, UpdateReason::FeeRefund);
    assert_eq!(venue.balance(buyer, 2).0, "949.98");
    let again = venue.list(|operator| Command::RefundFee(refund, operator));
    assert_eq!(code_of(again.outcome), Code::InvalidAmount);
    // Everything else that moves money or ends orders.
    venue.set_status(seller, AccountStatus::Suspended);
    venue.set_status(seller, AccountStatus::Active);
    venue.run(Command::CancelAllOrders(CancelAllOrders { account: buyer, symbol: None }));
    venue.run(Command::Withdraw(entry(buyer, 2, "1")));
    let transfer =
        Transfer { from: buyer, to: seller, asset: AssetRef::Listed(2), amount: amount("1") };
    venue.run(Command::Transfer(transfer));
    for _ in 0..40 {
        venue.now.0 += DAY;
        venue.run(Command::Tick);
    }
    assert!(venue.log.starts_with(&log) && venue.log.len() > log.len());
    for group in schema::GroupIter::new(&venue.log[log.len()..]) {
        for event in group.expect("a group").events() {
            assert!(!is_of_a_trade(&event.expect("an event").1));
        }
    }
    venue.check();
}

/// A command's steps: what is refused changes nothing; what is done is events, each with the next number and an
/// id that is its own, and the state behind it is the state before it with these events applied, no more.
/// covers: DET-39
#[test]
fn a_command_is_its_events() {
    let mut random = Random::new(106);
    let mut ids = std::collections::BTreeSet::new();
    let (mut refused, mut done) = (0, 0);
    for _ in 0..3_000 {
        let mut before = random.venue.live.clone();
        let reply = random.step();
        let venue = &random.venue;
        let first = before.position().event_sequence + 1;
        for (index, (head, _)) in venue.events.iter().enumerate() {
            assert_eq!(head.sequence, first + index as u64);
            let id = Id::derive(head.timestamp, before.shard(), head.sequence);
            assert!(ids.insert(id.expect("in range")), "an id of its own");
        }
        let end = venue.events.last().map_or(first - 1, |last| last.0.sequence);
        assert_eq!((reply.last_event, venue.live.position().event_sequence), (end, end));
        for group in schema::GroupIter::new(venue.buffer.bytes()) {
            before.apply_group(&group.expect("a group")).expect("it applies");
        }
        assert!(Venue::state(&before) == Venue::state(&venue.live));
        match reply.outcome {
            schema::Outcome::Refused(_) => refused += 1,
            _ => done += 1,
        }
    }
    assert!(refused > 100 && done > 1_000, "{refused} refused, {done} done");
}
