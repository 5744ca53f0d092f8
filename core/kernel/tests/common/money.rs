//! Every balance, followed from postings and holds alone, and what came in, went out and was charged.

use std::collections::BTreeMap;

use ledger::SystemAccount;
use schema::{Bucket, Event, EventHead, UpdateReason};
use units::{Amount, Side};

use super::Venue;

/// Available, locked, and the event that changed them last.
#[derive(Clone, Copy, Default)]
struct Part {
    available: i128,
    locked: i128,
    last: Option<EventHead>,
}

/// All money of a log.
#[derive(Default)]
pub struct Money {
    parts: BTreeMap<(u32, u32), Part>,
    /// Account, reserved asset and quote asset of an order.
    orders: BTreeMap<u64, (u32, u32, u32)>,
    /// By asset: deposits less withdrawals.
    inflow: BTreeMap<u32, i128>,
    /// By asset: what TradeSettled events say was charged, net.
    fees: BTreeMap<u32, i128>,
    /// Asset of the trade that is being settled.
    quote: u32,
}

impl Money {
    /// Follows the last command of a venue and compares with its kernel.
    pub fn follow(&mut self, venue: &Venue) {
        for (head, event) in &venue.events {
            self.event(*head, event, venue);
        }
        self.compare(venue);
    }

    fn event(&mut self, at: EventHead, event: &Event, venue: &Venue) {
        match event {
            Event::OrderSubmitted(submitted) => {
                if let schema::OrderTerms::Checked { account, market, .. } = submitted.terms {
                    let market = venue.live.market(market).expect("its market");
                    let buys = submitted.side == Side::Buy;
                    let asset = if buys { market.quote } else { market.base };
                    self.orders.insert(at.sequence, (account, asset, market.quote));
                }
            }
            Event::MarginReserved(moved) => self.hold(at, moved.order, moved.amount.0),
            Event::MarginReleased(moved) => self.hold(at, moved.order, -moved.amount.0),
            Event::BalanceUpdated(updated) => {
                let mut sums = BTreeMap::new();
                for leg in updated.postings() {
                    *sums.entry(leg.asset).or_insert(0) += leg.delta.0;
                    self.post(at, leg);
                    if leg.account >= 8 && updated.reason != UpdateReason::TradeSettlement {
                        *self.inflow.entry(leg.asset).or_default() += leg.delta.0;
                    }
                }
                assert!(sums.values().all(|sum| *sum == 0), "postings sum to zero: {sums:?}");
            }
            Event::TradeExecuted(trade) => self.quote = self.orders[&trade.maker].2,
            Event::TradeSettled(settled) => {
                let net = settled.maker_fee.0 + settled.taker_fee.0;
                assert!(net >= 0 && settled.taker_fee.0 >= 0, "no trade costs money (FEE-11)");
                *self.fees.entry(self.quote).or_default() += net;
            }
            _ => {}
        }
    }

    fn post(&mut self, at: EventHead, leg: &schema::Posting) {
        let part = self.parts.entry((leg.account, leg.asset)).or_default();
        match leg.bucket {
            Bucket::Available => part.available += leg.delta.0,
            Bucket::Locked => part.locked += leg.delta.0,
        }
        part.last = Some(at);
        let may = leg.account == SystemAccount::External.number();
        assert!(may || (part.available >= 0 && part.locked >= 0), "nothing goes below zero");
    }

    fn hold(&mut self, at: EventHead, order: u64, amount: i128) {
        let (account, asset, _) = self.orders[&order];
        let part = self.parts.get_mut(&(account, asset)).expect("a balance");
        part.available -= amount;
        part.locked += amount;
        part.last = Some(at);
        assert!(part.available >= 0 && part.locked >= 0, "nothing goes below zero");
    }

    fn compare(&self, venue: &Venue) {
        for ((account, asset), part) in &self.parts {
            let balance = venue.live.balance(*account, *asset);
            assert_eq!((balance.available.0, balance.locked.0), (part.available, part.locked));
            assert_eq!(balance.total(), balance.available + balance.locked);
            let last = part.last.expect("changed");
            assert_eq!((balance.update_seq, balance.updated_at), (last.sequence, last.timestamp));
        }
        for asset in 1..=venue.live.asset_count() {
            let total = |accounts: std::ops::Range<u32>| {
                accounts.map(|account| venue.live.balance(account, asset).total().0).sum::<i128>()
            };
            let users = total(8..venue.live.account_count());
            let fees = self.fees.get(&asset).copied().unwrap_or(0);
            let inflow = self.inflow.get(&asset).copied().unwrap_or(0);
            assert_eq!(users + fees, inflow, "users and fees are what came in (INV-1)");
            // REVENUE, INSURANCE_FUND and REFERRAL got every fee.
            assert_eq!(total(0..3), fees, "fees collected are fees charged (FEE-59)");
            assert_eq!(Amount(total(4..5)), Amount(-inflow), "EXTERNAL is the other side");
        }
    }
}
