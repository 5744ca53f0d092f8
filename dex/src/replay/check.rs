//! What is wrong with a log: numbers that are missing, repeated or out of order, and effects without a cause.
//!
//! Owns a check that needs no state and goes on after a finding, so that one pass tells all (RPL-11, RPL-12).
//! It keeps the numbers of open orders and the last trade, nothing more. A sound log has no finding.

use std::collections::BTreeMap;
use std::fmt;

use schema::{Event, EventHead};

/// One thing that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// These numbers are not there.
    Missing { first: u64, last: u64 },
    /// This number came before.
    Repeated { sequence: u64 },
    /// This number is below one that came before, and was missing until now.
    OutOfOrder { sequence: u64 },
    /// The event's cause is not there, or comes later.
    Causeless { sequence: u64, cause: &'static str },
}

/// How far an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Submitted,
    Accepted,
}

/// A check as far as it has read.
#[derive(Debug, Default)]
pub(super) struct Check {
    last: u64,
    /// Ranges of numbers that were passed over, first to last.
    missing: BTreeMap<u64, u64>,
    orders: BTreeMap<u64, Stage>,
    /// The trade that is not settled yet.
    trade: Option<u64>,
    findings: Vec<Finding>,
}

impl Check {
    /// A check that begins behind an event; the orders that are open then have their causes there.
    pub(super) fn behind(event: u64, open: impl IntoIterator<Item = u64>) -> Self {
        let orders = open.into_iter().map(|order| (order, Stage::Accepted)).collect();
        Self { last: event, orders, ..Self::default() }
    }

    /// Reads on.
    pub(super) fn read(&mut self, at: EventHead, event: &Event) {
        self.number(at.sequence);
        if let Some(cause) = self.missing_cause(at.sequence, event) {
            self.findings.push(Finding::Causeless { sequence: at.sequence, cause });
        }
    }

    /// Everything that is wrong, in order of its numbers; numbers that turned up late are not missing.
    pub(super) fn findings(self) -> Vec<Finding> {
        let missing = self.missing.into_iter();
        let mut all: Vec<Finding> =
            missing.map(|(first, last)| Finding::Missing { first, last }).collect();
        all.extend(self.findings);
        all.sort_by_key(|finding| finding.place());
        all
    }

    fn number(&mut self, sequence: u64) {
        if sequence > self.last {
            if sequence > self.last + 1 {
                self.missing.insert(self.last + 1, sequence - 1);
            }
            self.last = sequence;
        } else if self.fill(sequence) {
            self.findings.push(Finding::OutOfOrder { sequence });
        } else {
            self.findings.push(Finding::Repeated { sequence });
        }
    }

    /// Takes a number out of those that are missing; `false` when it is none of them.
    fn fill(&mut self, sequence: u64) -> bool {
        let Some((&first, &last)) = self.missing.range(..=sequence).next_back() else {
            return false;
        };
        if last < sequence {
            return false;
        }
        self.missing.remove(&first);
        if first < sequence {
            self.missing.insert(first, sequence - 1);
        }
        if sequence < last {
            self.missing.insert(sequence + 1, last);
        }
        true
    }

    /// The cause that an event lacks.
    fn missing_cause(&mut self, sequence: u64, event: &Event) -> Option<&'static str> {
        let stage = |order: u64| self.orders.get(&order).copied();
        let open = |order: u64| stage(order) == Some(Stage::Accepted);
        match event {
            Event::OrderSubmitted(_) => {
                self.orders.insert(sequence, Stage::Submitted);
                None
            }
            Event::OrderAccepted(event) => {
                let known = self.orders.insert(event.order, Stage::Accepted);
                lacks(known != Some(Stage::Submitted), "its OrderSubmitted")
            }
            Event::OrderRejected(event) => {
                let known = self.orders.remove(&event.order);
                lacks(known != Some(Stage::Submitted), "its OrderSubmitted")
            }
            Event::MarginReserved(event) => {
                lacks(stage(event.order).is_none(), "the order's OrderSubmitted")
            }
            Event::OrderPartiallyFilled(fill) => lacks(!open(fill.order), ACCEPTED),
            Event::OrderFilled(fill) => lacks(self.end(fill.order), ACCEPTED),
            Event::OrderCanceled(ended) => lacks(self.end(ended.order), ACCEPTED),
            Event::OrderExpired(ended) => lacks(self.end(ended.order), ACCEPTED),
            Event::OrderReduced(event) => lacks(!open(event.order), ACCEPTED),
            Event::OrderTriggered(event) => lacks(!open(event.order), ACCEPTED),
            Event::TradeExecuted(trade) => {
                let lacking = !open(trade.maker) || !open(trade.taker);
                self.trade = Some(sequence);
                lacks(lacking, "the OrderAccepted of its orders")
            }
            Event::TradeSettled(settled) => {
                lacks(self.trade.take() != Some(settled.trade), "its TradeExecuted")
            }
            _ => None,
        }
    }

    /// An order ends; whether it was not open.
    fn end(&mut self, order: u64) -> bool {
        self.orders.remove(&order) != Some(Stage::Accepted)
    }
}

fn lacks(lacking: bool, cause: &'static str) -> Option<&'static str> {
    lacking.then_some(cause)
}

impl Finding {
    const fn place(self) -> u64 {
        match self {
            Self::Missing { first, .. } => first,
            Self::Repeated { sequence }
            | Self::OutOfOrder { sequence }
            | Self::Causeless { sequence, .. } => sequence,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { first, last } if first == last => write!(f, "event {first} is missing"),
            Self::Missing { first, last } => write!(f, "events {first} to {last} are missing"),
            Self::Repeated { sequence } => write!(f, "event {sequence} comes twice"),
            Self::OutOfOrder { sequence } => write!(f, "event {sequence} comes too late"),
            Self::Causeless { sequence, cause } => {
                write!(f, "event {sequence} stands before {cause}, or without it")
            }
        }
    }
}

const ACCEPTED: &str = "the order's OrderAccepted";

#[cfg(test)]
mod tests {
    use super::*;
    use schema::{Code, Fill, OrderAccepted, OrderEnded, TradeExecuted, TradeSettled};
    use units::{Amount, Lots, Ticks, Timestamp};

    fn check(events: &[(u64, Event)]) -> Vec<Finding> {
        let mut check = Check::behind(0, [1, 2]);
        for (sequence, event) in events {
            let timestamp = Timestamp(i64::try_from(*sequence).expect("small"));
            check.read(EventHead { sequence: *sequence, timestamp }, event);
        }
        check.findings()
    }

    fn leader() -> Event {
        let leader = schema::Label::new("a").expect("short");
        Event::LeaderChanged(schema::LeaderChanged { term: 1, leader })
    }

    fn numbers(numbers: &[u64]) -> Vec<Finding> {
        check(&numbers.iter().map(|sequence| (*sequence, leader())).collect::<Vec<_>>())
    }

    fn trade(maker: u64, taker: u64) -> Event {
        Event::TradeExecuted(TradeExecuted { maker, taker, ticks: Ticks(1), lots: Lots(1) })
    }

    fn settled(trade: u64) -> Event {
        let (maker_fee, taker_fee) = (Amount::ZERO, Amount::ZERO);
        Event::TradeSettled(TradeSettled { trade, maker_fee, taker_fee })
    }

    /// covers: RPL-11
    #[test]
    fn every_wrong_number_is_told() {
        use Finding::{Missing, OutOfOrder, Repeated};
        assert_eq!(numbers(&[1, 2, 3, 4]), []);
        let missing = |first, last| Missing { first, last };
        assert_eq!(numbers(&[1, 2, 5, 6, 8]), [missing(3, 4), missing(7, 7)]);
        assert_eq!(numbers(&[2, 3]), [missing(1, 1)]);
        let twice = Repeated { sequence: 2 };
        assert_eq!(numbers(&[1, 2, 2, 3, 2]), [twice, twice]);
        assert_eq!(numbers(&[1, 3, 2, 4]), [OutOfOrder { sequence: 2 }]);
        let late = [missing(2, 2), OutOfOrder { sequence: 3 }, missing(4, 4)];
        assert_eq!(numbers(&[1, 5, 3, 6]), late);
    }

    /// covers: RPL-12
    #[test]
    fn an_effect_before_its_cause_is_told() {
        let accepted = |order| Event::OrderAccepted(OrderAccepted { order });
        let canceled =
            |order| Event::OrderCanceled(OrderEnded { order, reason: Code::UserRequested });
        assert_eq!(check(&[(1, trade(1, 2)), (2, settled(1)), (3, canceled(1))]), []);
        let lacking = |sequence, cause| Finding::Causeless { sequence, cause };
        let orders = "the OrderAccepted of its orders";
        // A trade before the acceptance of one of its orders.
        let early = check(&[(1, trade(1, 9)), (2, settled(1))]);
        assert_eq!(early, [lacking(1, orders)]);
        assert_eq!(check(&[(1, accepted(7))]), [lacking(1, "its OrderSubmitted")]);
        assert_eq!(check(&[(1, settled(9))]), [lacking(1, "its TradeExecuted")]);
        // What has ended is no cause of anything more.
        let late = check(&[(1, canceled(1)), (2, canceled(1)), (3, trade(1, 2))]);
        assert_eq!(late, [lacking(2, ACCEPTED), lacking(3, orders)]);
        let filled = Event::OrderPartiallyFilled(Fill {
            order: 9,
            ticks: Ticks(1),
            lots: Lots(1),
            fee: Amount::ZERO,
        });
        assert_eq!(check(&[(1, filled)]), [lacking(1, ACCEPTED)]);
    }
}
