//! The promises that the stream of events must keep, by itself.
//!
//! Owns a small picture of the venue that is made from events alone: balances, open orders, the books.
//! It knows no rule of pricing or checking; it holds every command to what may never break: numbers
//! without a gap and rising times, conservation per asset, nothing below zero, nothing locked without an
//! order, price-time priority, quantities that fit, an end for every order.

use std::collections::BTreeMap;

use schema::{
    Bucket, Event, EventHead, Fill, Matching, OrderSubmitted, OrderTerms, OrderType, Posting,
    TradeExecuted,
};
use testkit::oracle::state::EXTERNAL;
use units::Side;

use crate::violation::{Violation, ensure};

/// What the events so far have made.
#[derive(Debug, Default)]
pub(super) struct Stream {
    last: Option<EventHead>,
    account_count: u32,
    /// Base, quote, and whether equal prices go by time; number 1 is the first.
    markets: Vec<Market>,
    assets: Vec<String>,
    balances: BTreeMap<(u32, u32), Balance>,
    orders: BTreeMap<u64, Open>,
    /// Orders that ended in the command at work.
    ended: BTreeMap<u64, Open>,
    /// Rises with each order that takes its place in a book.
    places: u64,
    /// The order that was submitted and has no outcome yet.
    submitted: Option<(u64, OrderSubmitted)>,
}

#[derive(Clone, Copy, Debug)]
struct Market {
    base: u32,
    quote: u32,
    by_time: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Balance {
    available: i128,
    locked: i128,
}

/// An open order.
#[derive(Clone, Copy, Debug)]
struct Open {
    account: u32,
    market: u32,
    side: Side,
    ticks: u64,
    lots: u64,
    filled: u64,
    is_market: bool,
    expire_at: Option<i64>,
    /// Its place in time, once it may be met.
    place: Option<u64>,
}

impl Stream {
    /// The next event.
    pub(super) fn on_event(&mut self, head: EventHead, event: &Event) -> Result<(), Violation> {
        if let Some(last) = self.last {
            ensure(head.sequence == last.sequence + 1, || {
                format!("event {} follows {}", head.sequence, last.sequence)
            })?;
            ensure(head.timestamp > last.timestamp, || {
                format!("the time of event {} is not above the one before", head.sequence)
            })?;
        }
        self.last = Some(head);
        self.take(head, event)
            .map_err(|it| Violation(format!("event {}: {} ({event:?})", head.sequence, it.0)))
    }

    /// All events of a command have come.
    pub(super) fn on_command_end(&mut self) -> Result<(), Violation> {
        self.ended.clear();
        if let Some((order, _)) = self.submitted {
            return Err(Violation(format!("order {order} was submitted and has no outcome")));
        }
        let mut sums: BTreeMap<u32, i128> = BTreeMap::new();
        for (&(account, asset), balance) in &self.balances {
            *sums.entry(asset).or_default() += balance.available + balance.locked;
            ensure(account == EXTERNAL || balance.available >= 0, || {
                format!("account {account} has less than nothing of asset {asset}")
            })?;
            ensure(balance.locked >= 0, || format!("account {account} has locked below zero"))?;
            let may_lock = || self.orders.values().any(|it| self.locks(it, (account, asset)));
            ensure(balance.locked == 0 || may_lock(), || {
                format!("account {account} has asset {asset} locked and no order that needs it")
            })?;
        }
        let unequal = sums.iter().find(|&(_, &sum)| sum != 0);
        ensure(unequal.is_none(), || format!("assets and their sums: {sums:?}"))
    }

    fn locks(&self, order: &Open, of: (u32, u32)) -> bool {
        (order.account, self.hold_asset(order)) == of
    }

    fn take(&mut self, head: EventHead, event: &Event) -> Result<(), Violation> {
        match event {
            Event::AssetListed(it) => self.assets.push(it.terms.symbol.as_str().to_owned()),
            Event::MarketListed(it) => {
                let number = |symbol: &str| {
                    let at = self.assets.iter().position(|asset| asset == symbol);
                    at.and_then(|at| u32::try_from(at + 1).ok()).unwrap_or(0)
                };
                let terms = &it.terms;
                let by_time = terms.matching == Matching::PriceTime;
                let (base, quote) = (number(terms.base.as_str()), number(terms.quote.as_str()));
                self.markets.push(Market { base, quote, by_time });
            }
            Event::AccountCreated(_) => self.account_count += 1,
            Event::BalanceUpdated(it) => return self.post(it.postings()),
            Event::MarginReserved(it) => return self.reserve(it.order, it.amount.0),
            Event::MarginReleased(it) => return self.reserve(it.order, -it.amount.0),
            Event::OrderSubmitted(it) => {
                ensure(self.submitted.is_none(), || "two orders at once".to_owned())?;
                self.submitted = Some((head.sequence, *it));
                if let Some(open) = open_of(it) {
                    self.orders.insert(head.sequence, open);
                }
            }
            Event::OrderAccepted(it) => return self.accept(it.order),
            Event::OrderRejected(it) => {
                let submitted = self.submitted.take().map(|(order, _)| order);
                ensure(submitted == Some(it.order), || "it was not submitted".to_owned())?;
                self.orders.remove(&it.order);
            }
            Event::OrderTriggered(it) => {
                self.places += 1;
                let place = self.places;
                let order = self.open(it.order)?;
                order.place = Some(place);
                // D-97: what a MARKET order may go down to is said anew at its trigger, in no event.
                if order.is_market && order.side == Side::Sell {
                    order.ticks = 0;
                }
            }
            Event::OrderReduced(it) => {
                let order = self.open(it.order)?;
                ensure(it.total.0 < order.lots && it.total.0 > order.filled, || {
                    "an order is reduced to less than it was, and more than was filled".to_owned()
                })?;
                order.lots = it.total.0;
            }
            Event::TradeExecuted(it) => return self.trade(head, it),
            Event::OrderPartiallyFilled(it) => return self.fill(it, false),
            Event::OrderFilled(it) => return self.fill(it, true),
            Event::OrderCanceled(it) => return self.end(it.order),
            Event::OrderExpired(it) => return self.end(it.order),
            _ => {}
        }
        Ok(())
    }

    fn open(&mut self, order: u64) -> Result<&mut Open, Violation> {
        self.orders.get_mut(&order).ok_or_else(|| Violation(format!("order {order} is not open")))
    }

    fn accept(&mut self, order: u64) -> Result<(), Violation> {
        let Some((_, submitted)) = self.submitted.take().filter(|&(number, _)| number == order)
        else {
            return Err(Violation("it was not submitted".to_owned()));
        };
        self.places += 1;
        let place = self.places;
        self.open(order)?.place = submitted.trigger.is_none().then_some(place);
        Ok(())
    }

    fn post(&mut self, postings: &[Posting]) -> Result<(), Violation> {
        let mut sums: BTreeMap<u32, i128> = BTreeMap::new();
        for it in postings {
            *sums.entry(it.asset).or_default() += it.delta.0;
            ensure(it.account < self.account_count, || format!("account {} unknown", it.account))?;
            let balance = self.balances.entry((it.account, it.asset)).or_default();
            match it.bucket {
                Bucket::Available => balance.available += it.delta.0,
                Bucket::Locked => balance.locked += it.delta.0,
            }
        }
        ensure(sums.values().all(|&sum| sum == 0), || format!("postings sum to {sums:?}"))
    }

    fn reserve(&mut self, order: u64, amount: i128) -> Result<(), Violation> {
        let order = *self.open_or_ended(order)?;
        let asset = self.hold_asset(&order);
        let balance = self.balances.entry((order.account, asset)).or_default();
        balance.available -= amount;
        balance.locked += amount;
        Ok(())
    }

    /// What an order had locked is released behind the event that ended it.
    fn open_or_ended(&mut self, order: u64) -> Result<&Open, Violation> {
        let found = self.orders.get(&order).or_else(|| self.ended.get(&order));
        found.ok_or_else(|| Violation(format!("order {order} never was")))
    }

    fn hold_asset(&self, order: &Open) -> u32 {
        let market = self.markets.get((order.market as usize).wrapping_sub(1));
        market.map_or(0, |market| if order.side == Side::Buy { market.quote } else { market.base })
    }

    /// LIFE-25, LIFE-26: the best price first, at one price the first in time.
    fn trade(&mut self, head: EventHead, it: &TradeExecuted) -> Result<(), Violation> {
        let (maker, taker) = (*self.open(it.maker)?, *self.open(it.taker)?);
        let (ticks, lots) = (it.ticks.0, it.lots.0);
        ensure(maker.market == taker.market && maker.side != taker.side, || {
            "maker and taker do not fit".to_owned()
        })?;
        ensure(maker.account != taker.account, || "somebody trades with himself".to_owned())?;
        ensure(ticks == maker.ticks, || "it is not at the maker's price".to_owned())?;
        let crosses = match taker.side {
            Side::Buy => ticks <= taker.ticks,
            Side::Sell => ticks >= taker.ticks,
        };
        ensure(crosses, || format!("the taker's limit is {}", taker.ticks))?;
        let left = (maker.lots - maker.filled).min(taker.lots - taker.filled);
        ensure(lots > 0 && lots <= left, || format!("{left} lots are left"))?;
        let by_time = self.markets[maker.market as usize - 1].by_time;
        let Some(place) = maker.place else {
            return Err(Violation("the maker waits for its trigger".to_owned()));
        };
        let passed_over = self.orders.iter().find(|&(&number, other)| {
            let may_be_met = other.market == maker.market
                && other.side == maker.side
                && number != it.maker
                && other.expire_at.is_none_or(|end| end >= head.timestamp.0);
            let is_better = match maker.side {
                Side::Buy => other.ticks > maker.ticks,
                Side::Sell => other.ticks < maker.ticks,
            };
            let is_earlier = by_time && other.ticks == maker.ticks;
            may_be_met && other.place.is_some_and(|at| is_better || (is_earlier && at < place))
        });
        ensure(passed_over.is_none(), || format!("it passes over {passed_over:?}"))
    }

    fn fill(&mut self, it: &Fill, is_whole: bool) -> Result<(), Violation> {
        let order = self.open(it.order)?;
        order.filled += it.lots.0;
        let Open { filled, lots, .. } = *order;
        ensure(filled <= lots && (filled == lots) == is_whole, || {
            format!("{filled} of {lots} lots are filled")
        })?;
        if is_whole { self.end(it.order) } else { Ok(()) }
    }

    fn end(&mut self, order: u64) -> Result<(), Violation> {
        let ended = *self.open(order)?;
        self.orders.remove(&order);
        self.ended.insert(order, ended);
        Ok(())
    }
}

fn open_of(it: &OrderSubmitted) -> Option<Open> {
    let OrderTerms::Checked { account, market, ticks, lots } = it.terms else { return None };
    Some(Open {
        account,
        market,
        side: it.side,
        ticks: ticks.0,
        lots: lots.0,
        filled: 0,
        is_market: it.order_type == OrderType::Market,
        expire_at: it.expire_at.map(|time| time.0),
        place: None,
    })
}
