//! What queries say of fees, of an order before it is placed, and of orders that wait.

use port::{
    AccountFeesView, FeeScheduleView, OrderPreview, OrderView, Page, Period, Query, RefundView,
    View,
};
use schema::{
    AccountRates, AssetRef, Code, Command, CountdownCancel, FeeKind, FeeRefund, FeeSchedule,
    FeeTier, OrderRequest, OrderState, OrderType, Outcome, RatesChange, RefundReason, Refusal,
    TimeInForce, Trigger, TriggerKind, TriggerSource, WaiverReason, Why,
};
use units::{Amount, Id, Rate, Side, Timestamp};

use crate::testing::{
    Disks, NOON, ask, clock, created, genesis, label, market, open_venue, order, place, request,
    signed, submit,
};
use crate::{Engine, InProcess};

const DAY: i64 = schema::limits::DAY;

fn fees_of(port: &InProcess, account: Id, at: u64) -> AccountFeesView {
    match ask(port, Query::AccountFees(account), at).view {
        View::AccountFees(Some(fees)) => fees,
        other => panic!("no fees: {other:?}"),
    }
}

/// By a view that reflects everything that was told.
fn preview(engine: &Engine, request: OrderRequest) -> Result<OrderPreview, Refusal> {
    let told = engine.metrics().event_sequence.value();
    match ask(&engine.port(), Query::Preview(request), told).view {
        View::Preview(preview) => preview,
        other => panic!("no preview: {other:?}"),
    }
}

fn order_of(port: &InProcess, id: Id, at: u64) -> OrderView {
    match ask(port, Query::Order(id), at).view {
        View::Order(Some(order)) => order,
        other => panic!("no order: {other:?}"),
    }
}

/// The rates that a query tells are those that the next trade is charged, by tier, own or waived; what
/// is announced is told beside them.
/// covers: FEE-43
#[test]
fn the_rates_that_are_told_are_those_that_are_charged() {
    let disks = Disks::new(40);
    let engine = disks.start(&clock()).expect("sound");
    let port = engine.port();
    let accounts = open_venue(&port, 2);
    let table = genesis().fee_tiers;
    let tier = fees_of(&port, accounts[1], engine.metrics().event_sequence.value());
    assert_eq!((tier.kind, tier.tier, tier.next_tier), (FeeKind::Volume, 0, None));
    assert_eq!((tier.maker_rate, tier.taker_rate), (table[0].maker, table[0].taker));
    let cheap = AccountRates::Own { maker: Rate(10_000), taker: Rate(50_000) };
    let waiver = AccountRates::Waiver { reason: WaiverReason::BugBounty, ends_at: None };
    for (number, rates) in (1..).zip([AccountRates::Volume, cheap, waiver]) {
        let change = RatesChange { account: accounts[1], rates, effective_at: None };
        let set = submit(&port, signed(number, |by| Command::SetAccountRates(change, by)));
        assert_eq!(set.outcome, Outcome::Done { created: None });
        let told = fees_of(&port, accounts[1], set.last_event);
        submit(&port, place(accounts[0], Side::Sell, 10_000, 100));
        let taker = submit(&port, place(accounts[1], Side::Buy, 10_000, 100));
        let filled = order_of(&port, created(&taker), taker.last_event);
        assert_eq!(filled.state, OrderState::Filled);
        // 10,000 ticks of 0.01 times 100 lots of 0.001 are worth 10.
        let fee = told.taker_rate.of(Amount::from_units(10), Amount(1), units::Rounding::Up);
        assert_eq!(Some(filled.total_fee), fee, "{rates:?}");
    }
    let waived = fees_of(&port, accounts[1], 0);
    assert_eq!((waived.kind, waived.waiver), (FeeKind::Waiver, Some(WaiverReason::BugBounty)));
    let effective_at = Some(Timestamp(NOON + 31 * DAY));
    let dear = AccountRates::Own { maker: Rate(100_000), taker: Rate(300_000) };
    let change = RatesChange { account: accounts[0], rates: dear, effective_at };
    let set = submit(&port, signed(9, |by| Command::SetAccountRates(change, by)));
    let told = fees_of(&port, accounts[0], set.last_event);
    let announced = told.announced.expect("announced");
    assert_eq!((announced.taker_rate, Some(announced.effective_at)), (Rate(300_000), effective_at));
    assert_eq!((told.kind, told.taker_rate), (FeeKind::Volume, table[0].taker));
    assert_eq!(ask(&port, Query::AccountFees(Id([8; 16])), 0).view, View::AccountFees(None));
}

/// What goes back of a fee is seen by its account, with the trade that the archive knows.
/// covers: FEE-24
#[test]
fn what_went_back_is_told() {
    let disks = Disks::new(43);
    let engine = disks.start(&clock()).expect("sound");
    let port = engine.port();
    let accounts = open_venue(&port, 2);
    submit(&port, place(accounts[0], Side::Sell, 10_000, 100));
    let taker = submit(&port, place(accounts[1], Side::Buy, 10_000, 100));
    let query = Query::TradesByAccount(accounts[1], Period::ALL, Page::FIRST);
    let View::Trades(Ok(trades)) = ask(&port, query, taker.last_event).view else {
        panic!("trades")
    };
    let trade = trades.items[0];
    let half = Amount(trade.taker_fee.0 / 2);
    let refund = |number, amount| {
        let refund = FeeRefund {
            trade: trade.trade_id,
            account: accounts[1],
            asset: AssetRef::Listed(2),
            fee: trade.taker_fee,
            amount,
            reason: RefundReason::Compensation,
            actor: label("ops-1"),
        };
        submit(&port, signed(number, |by| Command::RefundFee(refund, by)))
    };
    let done = refund(1, half);
    assert_eq!(done.outcome, Outcome::Done { created: None });
    let again = refund(2, trade.taker_fee);
    let refusal = Refusal::new(Code::InvalidAmount, Why::RefundTooLarge);
    assert_eq!(again.outcome, Outcome::Refused(refusal));
    let told = fees_of(&port, accounts[1], again.last_event);
    let shown = RefundView {
        trade_id: trade.trade_id,
        asset: trade.taker_fee_asset,
        fee: trade.taker_fee,
        refunded: half,
    };
    assert_eq!(told.refunds, [shown]);
    assert!(fees_of(&port, accounts[0], 0).refunds.is_empty());
}

#[test]
fn the_table_and_what_is_announced_are_told() {
    let disks = Disks::new(41);
    let engine = disks.start(&clock()).expect("sound");
    let port = engine.port();
    let account = open_venue(&port, 1)[0];
    let row = |above: i64, taker| FeeTier {
        above: Amount::from_units(above),
        maker: Rate(100_000),
        taker: Rate(taker),
    };
    let (now, then) = (vec![row(0, 200_000)], vec![row(0, 200_000), row(1_000, 150_000)]);
    let effective_at = Timestamp(NOON + 61 * DAY);
    let schedule = FeeSchedule { tiers: then.clone(), effective_at: Some(effective_at) };
    let set = signed(1, |by| Command::SetFeeSchedule(schedule.clone(), by));
    let set = submit(&port, set);
    assert_eq!(set.outcome, Outcome::Done { created: None });
    let told = ask(&port, Query::FeeSchedule, set.last_event).view;
    let announced = Some((effective_at, then));
    assert_eq!(told, View::FeeSchedule(FeeScheduleView { tiers: now, announced }));
    assert_eq!(fees_of(&port, account, 0).next_tier, None);
}

/// What a preview says is what placing does: the reservation, the fee of a whole fill, the quantity by
/// quote; and what placing would refuse it refuses.
#[test]
fn a_preview_is_what_placing_does() {
    let disks = Disks::new(42);
    let engine = disks.start(&clock()).expect("sound");
    let port = engine.port();
    let accounts = open_venue(&port, 2);
    let mut by_quote = order(accounts[1], Side::Buy, 1, 1);
    (by_quote.order_type, by_quote.price) = (OrderType::Market, None);
    (by_quote.time_in_force, by_quote.by_quote) = (TimeInForce::Ioc, true);
    by_quote.quantity = Amount::from_units(5);
    let alone = preview(&engine, by_quote).expect("taken");
    assert_eq!((alone.price, alone.reserved), (None, Amount::ZERO));

    let sell = order(accounts[0], Side::Sell, 10_000, 100);
    let told = preview(&engine, sell).expect("taken");
    assert_eq!((told.reserved, told.reserved_asset), (sell.quantity, label("BTC")));
    let placed = submit(&port, request(Command::PlaceOrder(sell)));
    assert_eq!(order_of(&port, created(&placed), placed.last_event).reserved, told.reserved);

    let buy = order(accounts[1], Side::Buy, 10_000, 40);
    let told = preview(&engine, buy).expect("taken");
    assert_eq!((told.symbol, told.reserved_asset), (market().symbol, label("USDT")));
    assert_eq!((told.price, told.value), (buy.price, Amount::from_units(4)));
    assert_eq!(told.reserved, told.value + told.taker_fee);
    assert!(told.maker_fee < told.taker_fee && told.reserved < told.available);
    let taken = submit(&port, request(Command::PlaceOrder(buy)));
    let filled = order_of(&port, created(&taken), taken.last_event);
    assert_eq!((filled.state, filled.total_fee), (OrderState::Filled, told.taker_fee));

    let told = preview(&engine, by_quote).expect("taken");
    // 5 buys 50 lots at 10,000 ticks; the worst price is 5 % above the best.
    assert_eq!(told.quantity, Amount(market().lot_size.0 * 50));
    assert_eq!(told.price, Some(Amount(market().tick_size.0 * 10_500)));
    let taken = submit(&port, request(Command::PlaceOrder(by_quote)));
    let filled = order_of(&port, created(&taken), taken.last_event);
    assert_eq!((filled.state, filled.quantity), (OrderState::Filled, told.quantity));

    let poor = order(accounts[1], Side::Buy, 100_000_000, 1_000_000_000);
    assert!(preview(&engine, poor).is_ok_and(|told| told.reserved > told.available));
    let mut wrong = order(accounts[1], Side::Buy, 100, 1);
    wrong.price = None;
    let refusal = Refusal::new(Code::InvalidSchema, Why::LimitWithoutPrice);
    assert_eq!(preview(&engine, wrong), Err(refusal));
    let refusal = Refusal::new(Code::AccountNotFound, Why::NoSuchAccount);
    assert_eq!(preview(&engine, order(Id([8; 16]), Side::Buy, 100, 1)), Err(refusal));
}

/// An order shows its flags, its end, what it waits for and its pair; an ended one what it was sent with.
#[test]
fn an_order_shows_what_it_waits_for() {
    let disks = Disks::new(43);
    let engine = disks.start(&clock()).expect("sound");
    let port = engine.port();
    let account = open_venue(&port, 1)[0];
    let price = market().tick_size;
    let trigger = Trigger { kind: TriggerKind::Stop, price, source: TriggerSource::Last };
    let expire_at = Some(Timestamp(NOON + DAY));
    let mut waits = order(account, Side::Sell, 100, 10);
    (waits.trigger, waits.expire_at) = (Some(trigger), expire_at);
    (waits.time_in_force, waits.post_only) = (TimeInForce::Gtd, true);
    let waits = submit(&port, request(Command::PlaceOrder(waits)));
    let mut other = order(account, Side::Sell, 200, 10);
    other.oco_with = Some(created(&waits));
    let other = submit(&port, request(Command::PlaceOrder(other)));
    let shown = order_of(&port, created(&waits), other.last_event);
    assert_eq!((shown.trigger, shown.expire_at), (Some(trigger), expire_at));
    assert_eq!((shown.post_only, shown.is_triggered, shown.oco_with), (true, false, None));
    let shown = order_of(&port, created(&other), 0);
    assert_eq!((shown.trigger, shown.post_only), (None, false));
    assert_eq!(shown.oco_with, Some(created(&waits)));

    let armed = CountdownCancel { account, timeout: 60_000_000_000 };
    let armed = submit(&port, request(Command::SetCountdownCancel(armed)));
    let View::Account(Some(view)) = ask(&port, Query::Account(account), armed.last_event).view
    else {
        panic!("an account")
    };
    assert!(view.countdown_at.is_some_and(|time| time > Timestamp(NOON)) && !view.fee_in_token);
}
