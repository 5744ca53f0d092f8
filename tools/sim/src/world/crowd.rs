//! Trading that a plan alone comes to too seldom: an account at its limit of open orders, and levels that are taken
//! whole once a node has begun again, so that the place of each order in them is seen.

use port::Request;
use schema::{
    AccountStatus, AccountType, AssetRef, Command, LedgerEntry, OrderRequest, OrderType, SelfTrade,
    SymbolRef, TimeInForce,
};
use testkit::oracle::state::{Account, Market};
use units::{Amount, Id, Side, Timestamp};

use super::World;
use super::clients::attempt;
use super::http::Message;
use crate::violation::Violation;

impl World {
    /// One account places more orders than it may, where that is fewest.
    pub(super) fn crowd(&mut self, end: Timestamp) -> Result<(), Violation> {
        let oracle = self.auditor.oracle();
        let open = oracle.markets().iter().filter(|it| !it.paused);
        let Some(market) = open.min_by_key(|it| it.terms.open_orders_max).cloned() else {
            return Ok(());
        };
        let Some(account) = oracle.accounts().iter().find(|it| may_trade(it)).cloned() else {
            return Ok(());
        };
        let first = market.prices(Side::Buy).first().copied();
        let ticks = market.last.or(first).unwrap_or(100) * 99 / 100;
        let lots = market.terms.min_quantity.0;
        for _ in 0..market.terms.open_orders_max.min(CROWD_COUNT_MAX) + 2 {
            let mut order = order_of(&market, &account, (Side::Buy, ticks.max(1), lots));
            (order.time_in_force, order.expire_at) = (TimeInForce::Gtd, Some(end));
            self.ask_once(Command::PlaceOrder(order));
            self.settle()?;
        }
        Ok(())
    }

    /// Takes the best level of each side of each market whole, with money that comes for that.
    pub(super) fn sweep(&mut self) -> Result<(), Violation> {
        for market in self.auditor.oracle().markets().to_vec() {
            for side in [Side::Buy, Side::Sell] {
                let oracle = self.auditor.oracle();
                let level = oracle.book(market.number, side.opposite()).into_iter().next();
                let Some((ticks, orders)) = level else { continue };
                let makers: Vec<u32> =
                    orders.iter().map(|it| oracle.orders()[it].account).collect();
                let lots = orders.iter().map(|it| oracle.orders()[it].remaining()).sum();
                let mut takers = oracle.accounts().iter().filter(|it| may_trade(it));
                let Some(taker) = takers.find(|it| !makers.contains(&it.number)).cloned() else {
                    continue;
                };
                let asset = if side == Side::Buy { market.quote } else { market.base };
                self.ask_once(Command::Deposit(LedgerEntry {
                    account: taker.id,
                    asset: AssetRef::Listed(asset),
                    amount: Amount::from_units(1_000_000),
                    reference: Id([7; 16]),
                }));
                let mut order = order_of(&market, &taker, (side, ticks, lots));
                order.time_in_force = TimeInForce::Ioc;
                self.ask_once(Command::PlaceOrder(order));
                self.settle()?;
            }
        }
        Ok(())
    }

    fn ask_once(&mut self, command: Command) {
        self.asked_count += 1;
        let correlation = attempt(u64::MAX - self.asked_count);
        let request = Request { correlation, key: None, account_version: None, command };
        self.arrive(Message::plain(request));
    }
}

fn may_trade(account: &Account) -> bool {
    account.status == AccountStatus::Active
        && account.opening.account_type == AccountType::Spot
        && account.opening.kyc_tier > 0
}

fn order_of(
    market: &Market,
    account: &Account,
    (side, ticks, lots): (Side, u64, u64),
) -> OrderRequest {
    OrderRequest {
        account: account.id,
        client_order_id: None,
        symbol: SymbolRef::Listed(market.number),
        side,
        order_type: OrderType::Limit,
        quantity: Amount(i128::from(lots) * market.terms.lot_size.0),
        by_quote: false,
        price: Some(Amount(i128::from(ticks) * market.terms.tick_size.0)),
        time_in_force: TimeInForce::Gtc,
        expire_at: None,
        post_only: false,
        reduce_only: false,
        self_trade: SelfTrade::CancelIncoming,
        trigger: None,
        oco_with: None,
        position_side: None,
    }
}

/// A market's limit may be much higher.
const CROWD_COUNT_MAX: u32 = 15;
