//! The states of an order: what each means, and every pair of the matrix, tried with made-up events.

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};

use common::{Venue, amount, limit};
use kernel::{ApplyError, Kernel, Order};
use schema::{
    Code, Event, EventBuffer, EventHead, ExpiryReason, Fill, GroupHead, GroupIter, HoldReason,
    MarginMoved, OrderAccepted, OrderEnded, OrderRejected, OrderState, OrderSubmitted, OrderTerms,
    Refusal, SymbolRef, TimeInForce, Why,
};
use units::Side::{Buy, Sell};
use units::{Amount, Id, Lots, Ticks, Timestamp};

use OrderState::{Canceled, Expired, Filled, Partial, Pending, Rejected};

const TOTAL: Lots = Lots(10);

/// A kernel with one account that can pay, and the head of its next event.
fn kernel() -> (Kernel, Id) {
    let mut venue = Venue::new();
    let alice = venue.account("alice", "0", "1000");
    (venue.replayed, alice)
}

/// Makes up one group of events behind a kernel's log and applies it.
fn apply(kernel: &mut Kernel, events: &[Event]) -> Result<(), String> {
    let position = kernel.position();
    let mut head = EventHead {
        sequence: position.event_sequence + 1,
        timestamp: Timestamp(position.last_timestamp.0 + 1),
    };
    let mut buffer = EventBuffer::new();
    buffer.begin(&GroupHead {
        command_sequence: position.command_sequence + 1,
        first_sequence: head.sequence,
        first_timestamp: head.timestamp,
        correlation: None,
        idempotency: None,
    });
    for event in events {
        buffer.push(event.kind(), head, event);
        head =
            EventHead { sequence: head.sequence + 1, timestamp: Timestamp(head.timestamp.0 + 1) };
    }
    buffer.end();
    let group = GroupIter::new(buffer.bytes()).next().expect("one group").expect("it is sound");
    let applied = catch_unwind(AssertUnwindSafe(|| kernel.apply_group(&group)));
    applied.map_err(|_| "a broken invariant".to_owned())?.map_err(|error| error.to_string())
}

fn submitted(kernel: &Kernel, alice: Id, rejected: bool) -> (u64, OrderSubmitted) {
    let terms = if rejected {
        OrderTerms::Requested {
            account: alice,
            symbol: SymbolRef::Listed(1),
            price: Some(amount("100")),
            quantity: amount("0.0001"),
            by_quote: false,
        }
    } else {
        let account = kernel.account_number(alice).expect("she is there");
        OrderTerms::Checked { account, market: 1, ticks: Ticks(10_000), lots: TOTAL }
    };
    let request = limit(alice, Buy, "0.0001", "100");
    let event = OrderSubmitted {
        terms,
        side: request.side,
        order_type: request.order_type,
        time_in_force: request.time_in_force,
        post_only: false,
        reduce_only: false,
        self_trade: request.self_trade,
        client_order_id: None,
        expire_at: None,
        trigger: None,
        oco_with: None,
        position_side: None,
        replaces: None,
    };
    (kernel.position().event_sequence + 1, event)
}

/// The events that lead an order to a state, and how much of it is filled then.
fn path(state: Option<OrderState>, order: u64) -> (Vec<Event>, Lots) {
    let fill = |lots| Fill { order, ticks: Ticks(10_000), lots, fee: Amount::ZERO };
    let some = Event::OrderPartiallyFilled(fill(Lots(3)));
    let accepted = Event::OrderAccepted(OrderAccepted { order });
    match state {
        None => (vec![], Lots(0)),
        Some(Pending) => (vec![accepted], Lots(0)),
        Some(Partial) => (vec![accepted, some], Lots(3)),
        Some(Filled) => (vec![accepted, Event::OrderFilled(fill(TOTAL))], TOTAL),
        Some(Rejected) => (vec![event_to(Rejected, order, Lots(0))], Lots(0)),
        Some(ended) => (vec![accepted, some, event_to(ended, order, Lots(3))], Lots(3)),
    }
}

/// The event that asks for a state.
fn event_to(state: OrderState, order: u64, filled: Lots) -> Event {
    let left = Lots(TOTAL.0 - filled.0);
    let fill = |lots| Fill { order, ticks: Ticks(10_000), lots, fee: Amount::ZERO };
    match state {
        Pending => Event::OrderAccepted(OrderAccepted { order }),
        Partial => Event::OrderPartiallyFilled(fill(Lots(1))),
        Filled => Event::OrderFilled(fill(Lots(left.0.max(1)))),
        Canceled => Event::OrderCanceled(OrderEnded { order, reason: Code::AdminCancel }),
        Expired => Event::OrderExpired(OrderEnded { order, reason: ExpiryReason::Ioc }),
        Rejected => {
            let Refusal { code, detail } = Refusal::new(Code::InvalidPrice, Why::PriceOffTick);
            Event::OrderRejected(OrderRejected { order, reason: code, detail })
        }
    }
}

/// Every pair of the matrix, those that a further fill makes included; what succeeds forms no loop.
/// Each is a function of order and event: whoever applies it comes to the same bytes.
/// covers: STATE-22, STATE-50, LIFE-69, STATE-28
#[test]
fn every_pair_of_states_is_tried() {
    let all = [Pending, Partial, Filled, Canceled, Rejected, Expired];
    let mut steps = Vec::new();
    for from in [None].into_iter().chain(all.map(Some)) {
        for to in all {
            let (mut kernel, alice) = kernel();
            let is_rejected = from == Some(Rejected) || (from.is_none() && to == Rejected);
            let (order, event) = submitted(&kernel, alice, is_rejected);
            let mut events = vec![Event::OrderSubmitted(event)];
            if !is_rejected {
                let (amount, reason) = (amount("1"), HoldReason::OrderPlacement);
                events.push(Event::MarginReserved(MarginMoved { order, amount, reason }));
            }
            let (path, filled) = path(from, order);
            events.extend(path);
            assert_eq!(apply(&mut kernel.clone(), &events), Ok(()), "{from:?} can be reached");
            events.push(event_to(to, order, filled));
            let succeeds = matches!(
                (from, to),
                (None, Pending | Rejected)
                    | (Some(Pending | Partial), Partial | Filled | Canceled | Expired)
            );
            let mut again = kernel.clone();
            let applied = apply(&mut kernel, &events);
            assert_eq!(apply(&mut again, &events), applied);
            assert!(Venue::state(&again) == Venue::state(&kernel));
            assert_eq!(applied.is_ok(), succeeds, "{from:?} → {to:?}: {applied:?}");
            let open = kernel.order_of(order).and_then(|order| order.state);
            if succeeds {
                assert_eq!(open, matches!(to, Pending | Partial).then_some(to));
                if from != Some(to) {
                    steps.push((from.map_or(-1, |from| i32::from(from.number())), to));
                }
            }
        }
    }
    // Numbers rise along every step but into REJECTED, which has no way out: no loop.
    assert!(steps.iter().all(|(from, to)| *from < i32::from(to.number())));
    assert!(steps.iter().all(|(from, _)| *from <= i32::from(Partial.number())));
}

/// A fill is of the kind that its quantity says.
#[test]
fn a_fill_of_the_wrong_kind_is_refused() {
    for (event, lots) in [(Partial, TOTAL), (Filled, Lots(4)), (Filled, Lots(11))] {
        let (mut kernel, alice) = kernel();
        let (order, event_submitted) = submitted(&kernel, alice, false);
        let (amount, reason) = (amount("1"), HoldReason::OrderPlacement);
        let fill = Fill { order, ticks: Ticks(10_000), lots, fee: Amount::ZERO };
        let fill = if event == Partial {
            Event::OrderPartiallyFilled(fill)
        } else {
            Event::OrderFilled(fill)
        };
        let events = [
            Event::OrderSubmitted(event_submitted),
            Event::MarginReserved(MarginMoved { order, amount, reason }),
            Event::OrderAccepted(OrderAccepted { order }),
            fill,
        ];
        let expected = ApplyError::Impossible { at: order + 3 }.to_string();
        assert_eq!(apply(&mut kernel, &events), Err(expected));
    }
}

fn open(venue: &Venue, order: Id) -> Option<Order> {
    venue.live.order(order)
}

/// PENDING: nothing filled, all reserved, displayed, and met by the next order.
/// covers: STATE-5, STATE-6, LIFE-15
#[test]
fn a_pending_order_holds_everything_and_can_be_met() {
    let mut venue = Venue::new();
    let alice = venue.account("alice", "0", "1000");
    let seller = venue.account("seller", "1", "0");
    let id = venue.accept(limit(alice, Buy, "0.5", "100"));
    assert_eq!(venue.names(), ["OrderSubmitted", "MarginReserved", "OrderAccepted"]);
    let order = open(&venue, id).expect("open");
    assert_eq!((order.state, order.prev_state), (Some(Pending), None));
    assert_eq!((order.filled, order.remaining()), (Lots(0), order.total));
    assert_eq!(order.reserved, amount("50.05"));
    assert_eq!(venue.balance(alice, 2), ("949.95".into(), "50.05".into()));
    let book = venue.live.market(1).expect("listed").book();
    assert_eq!(book.best(Buy), Some(Ticks(10_000)));
    venue.accept(limit(seller, Sell, "0.5", "100"));
    assert!(venue.names().contains(&"TradeExecuted"));
    // An order that fails a check is never PENDING.
    venue.reject(limit(alice, Buy, "0.5", "100.001"));
    assert!(!venue.names().contains(&"OrderAccepted"));
    venue.check();
}

/// PARTIAL from the first fill that leaves something, in the book with what remains and reserved for
/// that; FILLED exactly when all is filled, off the book and with nothing held.
/// covers: STATE-8, STATE-9, STATE-10, STATE-11, STATE-12, STATE-32, STATE-7
#[test]
fn fills_lead_to_partial_and_filled() {
    let mut venue = Venue::new();
    let alice = venue.account("alice", "0", "1000");
    let seller = venue.account("seller", "1", "0");
    let id = venue.accept(limit(alice, Buy, "0.5", "100"));
    for (sold, filled) in [("0.1", "0.1"), ("0.3", "0.4")] {
        venue.accept(limit(seller, Sell, sold, "100"));
        let order = open(&venue, id).expect("open");
        let market = venue.live.market(1).expect("listed");
        assert_eq!((order.state, order.prev_state), (Some(Partial), Some(Pending)));
        assert_eq!(market.quantity(order.filled), amount(filled));
        assert_eq!(order.filled.0 + order.remaining().0, order.total.0);
        let front = market.book().front(Buy).expect("it rests");
        assert_eq!(front.lots, order.remaining());
        let rest = market.quantity(order.remaining());
        let need = rest.0 * 100 + rest.0 / 10;
        assert_eq!(order.reserved, Amount(need), "for what remains only");
        venue.check();
    }
    venue.accept(limit(seller, Sell, "0.1", "100"));
    assert!(open(&venue, id).is_none() && venue.names().contains(&"OrderFilled"));
    assert_eq!(venue.live.market(1).expect("listed").book().best(Buy), None);
    assert_eq!(venue.balance(alice, 2), ("949.99".into(), "0".into()));
    venue.check();
}

/// CANCELED after a fill: off the book, nothing held, and what was filled stays filled.
/// covers: STATE-13, LIFE-75
#[test]
fn a_canceled_order_keeps_its_fills_and_leaves() {
    let mut venue = Venue::new();
    let alice = venue.account("alice", "0", "1000");
    let seller = venue.account("seller", "1", "0");
    let id = venue.accept(limit(alice, Buy, "0.5", "100"));
    venue.accept(limit(seller, Sell, "0.2", "100"));
    venue.cancel(alice, id);
    assert!(open(&venue, id).is_none() && venue.live.order_count() == 0);
    assert_eq!(venue.live.market(1).expect("listed").book().best(Buy), None);
    assert_eq!(venue.balance(alice, 1), ("0.2".into(), "0".into()));
    assert_eq!(venue.balance(alice, 2).1, "0");
    let mut ioc = limit(alice, Buy, "0.5", "100");
    ioc.time_in_force = TimeInForce::Ioc;
    let id = venue.accept(ioc);
    assert!(open(&venue, id).is_none(), "it left with the command that ended it");
    let mut saved = Vec::new();
    venue.live.save(&mut saved);
    assert_eq!(Kernel::load(&saved).expect("saved").order_count(), 0);
    venue.check();
}

/// A submitted order has no state yet; a reduction and a trigger leave the state and the one before it.
/// covers: STATE-26
#[test]
fn three_events_leave_the_state_as_it_is() {
    let (mut made_up, alice) = kernel();
    let (order, event) = submitted(&made_up, alice, false);
    let (amount_held, reason) = (amount("1"), HoldReason::OrderPlacement);
    let held = MarginMoved { order, amount: amount_held, reason };
    let events = [Event::OrderSubmitted(event), Event::MarginReserved(held)];
    assert_eq!(apply(&mut made_up, &events), Ok(()));
    assert_eq!(made_up.order_of(order).map(|order| order.state), Some(None));

    let mut venue = Venue::new();
    let alice = venue.account("alice", "0", "1000");
    let seller = venue.account("seller", "1", "0");
    let states = |venue: &Venue, id| {
        let order = open(venue, id).expect("open");
        (order.state, order.prev_state)
    };
    let id = venue.accept(limit(alice, Buy, "0.5", "90"));
    for (sold, total, expected) in
        [(None, "0.4", (Some(Pending), None)), (Some("0.1"), "0.3", (Some(Partial), Some(Pending)))]
    {
        if let Some(sold) = sold {
            venue.accept(limit(seller, Sell, sold, "90"));
        }
        let (order, quantity, state_seq) = (id, amount(total), None);
        let reduce = schema::ReduceOrder { account: alice, order, quantity, state_seq };
        venue.run(schema::Command::ReduceOrder(reduce));
        assert!(venue.names().contains(&"OrderReduced"));
        assert_eq!(states(&venue, id), expected);
    }
    let trigger = schema::Trigger {
        kind: schema::TriggerKind::Stop,
        price: amount("100"),
        source: schema::TriggerSource::Last,
    };
    let waiting = schema::OrderRequest { trigger: Some(trigger), ..limit(alice, Buy, "0.5", "95") };
    let id = venue.accept(waiting);
    venue.accept(limit(seller, Sell, "0.1", "100"));
    venue.accept(limit(alice, Buy, "0.1", "100"));
    assert_eq!(states(&venue, id), (Some(Pending), None));
    venue.run(schema::Command::Tick);
    assert!(venue.names().contains(&"OrderTriggered"));
    assert_eq!(states(&venue, id), (Some(Pending), None));
    venue.check();
}
