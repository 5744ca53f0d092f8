//! Orders and trades, followed from the events alone.
//!
//! Knows the graph of states (STATE-22), the order of a trade's events (LIFE-52) and what each may do;
//! compares with the kernel at command ends. Shares no code with the kernel but the events themselves.

use std::collections::{BTreeMap, BTreeSet};

use schema::{
    Bucket, Event, EventHead, OrderState, OrderTerms, Posting, Reference, TimeInForce, UpdateReason,
};
use units::{Amount, Lots, Side, Ticks, Timestamp};

use super::Venue;

/// What the events have told of one order.
#[derive(Clone, Debug)]
pub struct Told {
    pub state: Option<OrderState>,
    pub before: Option<OrderState>,
    pub side: Side,
    pub account: u32,
    pub market: u32,
    pub limit: Ticks,
    pub total: Lots,
    pub filled: Lots,
    /// Lots of TradeExecuted events that name it.
    pub traded: Lots,
    pub reserved: Amount,
    pub rests: bool,
    pub moved: EventHead,
    /// Every state it was in.
    pub path: Vec<OrderState>,
}

impl Told {
    fn remaining(&self) -> Lots {
        Lots(self.total.0 - self.filled.0)
    }

    pub fn is_open(&self) -> bool {
        matches!(self.state, Some(OrderState::Pending | OrderState::Partial))
    }
}

/// All orders and trades of a log.
#[derive(Default)]
pub struct Audit {
    pub orders: BTreeMap<u64, Told>,
    open: BTreeSet<u64>,
    /// Orders with an event in the present command.
    touched: BTreeSet<u64>,
    /// Executed and not settled trade, with its events so far.
    trade: Option<(u64, Vec<Event>)>,
    pub trades: BTreeSet<u64>,
    pub settled: BTreeSet<u64>,
    pub last: Option<EventHead>,
}

impl Audit {
    /// Follows the last command of a venue and compares with its kernel.
    pub fn follow(&mut self, venue: &Venue) {
        self.touched.clear();
        for (head, event) in &venue.events {
            self.number(*head);
            self.trade_event(head.sequence, event);
            self.order_event(*head, event, venue);
        }
        assert!(self.trade.is_none(), "a trade settles in its command (SETL-1)");
        self.compare(venue);
    }

    /// Numbers rise by one and times rise, over all commands.
    fn number(&mut self, head: EventHead) {
        let (sequence, time) = self.last.map_or((0, Timestamp(0)), |h| (h.sequence, h.timestamp));
        assert_eq!(head.sequence, sequence + 1, "no gap");
        assert!(head.timestamp > time, "times rise");
        self.last = Some(head);
    }

    /// A trade is TradeExecuted, two fills, postings, perhaps a release, TradeSettled.
    fn trade_event(&mut self, sequence: u64, event: &Event) {
        match event {
            Event::TradeExecuted(_) => {
                assert!(self.trade.is_none(), "one trade after the other (EVT-26)");
                assert!(self.trades.insert(sequence), "a sequence is one trade's");
                self.trade = Some((sequence, vec![event.clone()]));
            }
            Event::TradeSettled(settled) => {
                let (trade, mut events) = self.trade.take().expect("it was executed");
                assert_eq!(settled.trade, trade, "the trade that was executed");
                assert!(self.settled.insert(trade) && sequence > trade, "once, and later");
                events.push(event.clone());
                self.whole_trade(trade, &events);
            }
            _ => {
                if let Some((_, events)) = &mut self.trade {
                    events.push(event.clone());
                }
            }
        }
    }

    fn whole_trade(&self, trade: u64, events: &[Event]) {
        let Event::TradeExecuted(executed) = events[0] else { panic!("it begins so") };
        let (maker, taker) = (&self.orders[&executed.maker], &self.orders[&executed.taker]);
        assert!(maker.account != taker.account && maker.market == taker.market);
        assert!(maker.side != taker.side && executed.maker < executed.taker);
        assert_eq!(executed.ticks, maker.limit, "the maker's price");
        let meets = match taker.side {
            Side::Buy => taker.limit >= executed.ticks,
            Side::Sell => taker.limit <= executed.ticks,
        };
        assert!(meets && executed.lots.0 > 0, "prices meet");
        for (event, order) in [(&events[1], executed.maker), (&events[2], executed.taker)] {
            let (Event::OrderPartiallyFilled(fill) | Event::OrderFilled(fill)) = event else {
                panic!("maker's fill, then taker's: {event:?}")
            };
            assert_eq!((fill.order, fill.ticks, fill.lots), (order, executed.ticks, executed.lots));
        }
        let Event::BalanceUpdated(posted) = &events[3] else { panic!("then the postings") };
        assert_eq!(posted.reason, UpdateReason::TradeSettlement);
        assert_eq!(posted.reference, Reference::Event(trade), "postings name the trade (SETL-27)");
        for account in [maker.account, taker.account] {
            let mut postings = posted.postings().iter();
            assert!(postings.any(|leg| leg.account == account), "both sides' balances (INV-10)");
        }
        let tail = &events[4..];
        let released = tail.len() == 2 && matches!(tail[0], Event::MarginReleased(_));
        assert!(released || tail.len() == 1, "at most a release before TradeSettled: {tail:?}");
    }

    fn order_event(&mut self, at: EventHead, event: &Event, venue: &Venue) {
        use OrderState::{Canceled, Expired, Filled, Partial, Pending, Rejected};
        match event {
            Event::OrderSubmitted(submitted) => {
                let (account, market, limit, total) = match submitted.terms {
                    OrderTerms::Checked { account, market, ticks, lots } => {
                        (account, market, ticks, lots)
                    }
                    OrderTerms::Requested { .. } => (u32::MAX, 0, Ticks(0), Lots(0)),
                };
                let told = Told {
                    state: None,
                    before: None,
                    side: submitted.side,
                    account,
                    market,
                    limit,
                    total,
                    filled: Lots(0),
                    traded: Lots(0),
                    reserved: Amount::ZERO,
                    rests: submitted.time_in_force == TimeInForce::Gtc,
                    moved: at,
                    path: Vec::new(),
                };
                assert!(self.orders.insert(at.sequence, told).is_none());
                self.touched.insert(at.sequence);
            }
            Event::OrderAccepted(accepted) => self.move_to(accepted.order, Pending, at),
            Event::OrderRejected(rejected) => {
                assert!(rejected.reason.uses().rejects, "{:?}", rejected.reason);
                self.move_to(rejected.order, Rejected, at);
            }
            Event::OrderPartiallyFilled(fill) => {
                self.fill(fill, venue);
                self.move_to(fill.order, Partial, at);
            }
            Event::OrderFilled(fill) => {
                self.fill(fill, venue);
                self.move_to(fill.order, Filled, at);
            }
            Event::OrderCanceled(ended) => {
                assert!(ended.reason.uses().cancels, "{:?}", ended.reason);
                self.move_to(ended.order, Canceled, at);
            }
            Event::OrderExpired(ended) => self.move_to(ended.order, Expired, at),
            Event::MarginReserved(moved) => self.told(moved.order).reserved += moved.amount,
            Event::MarginReleased(moved) => self.told(moved.order).reserved -= moved.amount,
            Event::TradeExecuted(trade) => {
                for order in [trade.maker, trade.taker] {
                    let told = self.told(order);
                    assert!(told.is_open() && trade.lots <= told.remaining(), "what both have");
                    told.traded.0 += trade.lots.0;
                }
            }
            _ => {}
        }
    }

    fn told(&mut self, order: u64) -> &mut Told {
        self.touched.insert(order);
        self.orders.get_mut(&order).expect("an order is submitted before anything else")
    }

    /// One step of the graph of STATE-22; every other panics.
    fn move_to(&mut self, order: u64, to: OrderState, at: EventHead) {
        use OrderState::{Canceled, Expired, Filled, Partial, Pending, Rejected};
        let told = self.told(order);
        let allowed = match told.state {
            None => matches!(to, Pending | Rejected),
            Some(Pending) => matches!(to, Partial | Filled | Canceled | Expired),
            Some(Partial) => matches!(to, Partial | Filled | Canceled | Expired),
            Some(_) => false,
        };
        assert!(allowed, "{:?} → {to:?}", told.state);
        assert_eq!(told.account == u32::MAX, to == Rejected, "checked orders are accepted");
        assert!(at.sequence > told.moved.sequence || told.state.is_none());
        if told.state != Some(to) {
            told.before = told.state;
            told.state = Some(to);
            told.path.push(to);
        }
        told.moved = at;
        let (filled, total) = (told.filled, told.total);
        let sound = match to {
            Pending => filled.0 == 0 && total.0 > 0,
            Partial => filled.0 > 0 && filled < total,
            Filled => filled == total && told.traded == total,
            Canceled | Expired => filled < total,
            Rejected => filled.0 == 0 && total.0 == 0,
        };
        assert!(sound, "{to:?} with {filled:?} of {total:?}");
        if told.is_open() {
            self.open.insert(order);
        } else {
            self.open.remove(&order);
        }
    }

    fn fill(&mut self, fill: &schema::Fill, venue: &Venue) {
        let told = self.told(fill.order);
        let terms = &venue.live.market(told.market).expect("its market").terms;
        told.filled.0 += fill.lots.0;
        assert!(told.filled <= told.total, "filled ≤ total (LIFE-71)");
        let quantity = terms.lot_size.0 * i128::from(fill.lots.0);
        told.reserved -= match told.side {
            Side::Sell => Amount(quantity),
            Side::Buy => {
                let unit = terms.tick_size.0 * terms.lot_size.0 / Amount::ONE.0;
                Amount(unit * i128::from(fill.ticks.0) * i128::from(fill.lots.0)) + fill.fee
            }
        };
        assert!(told.reserved >= Amount::ZERO, "a fill is paid from the reservation");
    }

    /// The kernel holds the open orders as told, and no other (STATE-51).
    fn compare(&self, venue: &Venue) {
        let kernel = &venue.live;
        assert_eq!(kernel.order_count(), self.open.len());
        for sequence in &self.touched {
            let told = &self.orders[sequence];
            assert_eq!(told.filled, told.traded, "fills are trades (LIFE-72)");
            let Some(order) = kernel.order_of(*sequence) else {
                assert!(!told.is_open(), "an open order is in state");
                assert_eq!(told.reserved, Amount::ZERO, "an ended order holds nothing");
                continue;
            };
            assert!(told.is_open(), "an ended order has left (LIFE-75)");
            assert!(order.is_resting() && told.rests, "an open order is in its book");
            assert_eq!((order.state, order.prev_state), (told.state, told.before));
            assert_eq!((order.total, order.filled), (told.total, told.filled));
            assert_eq!(order.remaining(), told.remaining());
            assert_eq!(order.reserved, told.reserved);
            let moved = EventHead { sequence: order.state_seq, timestamp: order.state_changed_at };
            assert_eq!(moved, told.moved);
            let book = kernel.market(told.market).expect("its market").book();
            let maker = book
                .orders_at(told.side, told.limit)
                .find(|maker| kernel.order_in_book(maker).sequence == *sequence);
            assert_eq!(maker.map(|maker| maker.lots), Some(told.remaining()));
        }
    }
}

/// The legs of a trade's postings for one account, asset and bucket.
pub fn leg(postings: &[Posting], account: u32, asset: u32, bucket: Bucket) -> Amount {
    postings
        .iter()
        .filter(|posting| (posting.account, posting.asset) == (account, asset))
        .filter(|posting| posting.bucket == bucket)
        .fold(Amount::ZERO, |sum, posting| sum + posting.delta)
}
