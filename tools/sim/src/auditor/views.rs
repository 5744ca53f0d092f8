//! The views against the log.
//!
//! Owns what a query must show when the view has reached the last promised event: accounts, open orders,
//! books, markets and assets as the oracle has them.

use port::{AccountView, BookView, OrderView, Query, Seen, View};
use schema::{Event, OrderType};
use testkit::oracle::state::{Account, Market};
use units::{Id, Side};

use super::Auditor;
use crate::violation::{Violation, ensure};

impl Auditor {
    /// Every query whose answer is known.
    pub(crate) fn queries(&self) -> Vec<Query> {
        let mut queries = vec![Query::Markets, Query::Assets];
        for account in self.oracle.accounts() {
            queries.extend([Query::Account(account.id), Query::OpenOrders(account.id, None, None)]);
        }
        let books = self.oracle.markets().iter().map(|market| Query::Book(market.number, DEPTH));
        queries.extend(books);
        queries
    }

    /// A query at random: an account, its orders, or a book.
    pub(crate) fn query_at(&self, number: u64) -> Query {
        let queries = self.queries();
        queries[usize::try_from(number % queries.len() as u64).expect("small")]
    }

    /// What was seen is what the log leads to, if the log leads to that moment and no further.
    pub(crate) fn on_seen(&self, query: Query, least: u64, seen: &Seen) -> Result<(), Violation> {
        ensure(seen.sequence >= least, || {
            format!("{query:?} asked for event {least} and was shown {}", seen.sequence)
        })?;
        ensure(seen.sequence <= self.last_event(), || {
            format!("{query:?} shows event {}, which nobody promised", seen.sequence)
        })?;
        if seen.sequence < self.last_event() {
            return Ok(());
        }
        let shows = |is_same: bool| {
            ensure(is_same, || {
                format!("at event {}, {query:?} shows {:?}", seen.sequence, seen.view)
            })
        };
        match (query, &seen.view) {
            (Query::Account(id), View::Account(view)) => shows(self.is_account(id, view.as_ref())),
            (Query::OpenOrders(id, None, None), View::OpenOrders(view)) => {
                shows(self.are_orders(id, view.as_deref()))
            }
            (Query::Book(number, _), View::Book(view)) => {
                shows(self.is_book(number, view.as_ref()))
            }
            (Query::Markets, View::Markets(views)) => {
                let markets = self.oracle.markets();
                let pairs = markets.iter().zip(views);
                let is_same = |(market, view): (&Market, &port::MarketView)| {
                    let price = |ticks: u64| i128::from(ticks) * market.terms.tick_size.0;
                    (market.number, !market.paused) == (view.number, view.open)
                        && market.terms == view.terms
                        && market.last.map(price) == view.last_price.map(|it| it.0)
                };
                shows(markets.len() == views.len() && pairs.into_iter().all(is_same))
            }
            (Query::Assets, View::Assets(views)) => {
                let symbols = self.oracle.assets().iter().map(|asset| asset.terms.symbol);
                shows(symbols.eq(views.iter().map(|view| view.terms.symbol)))
            }
            _ => Err(Violation(format!("{query:?} was answered with {:?}", seen.view))),
        }
    }

    fn account_of(&self, id: Id) -> Option<&Account> {
        let number = self.oracle.account_number(id)?;
        self.oracle.accounts().get(number as usize)
    }

    fn is_account(&self, id: Id, view: Option<&AccountView>) -> bool {
        let (Some(account), Some(view)) = (self.account_of(id), view) else { return false };
        let mut expected =
            account.balances.iter().filter(|(_, it)| it.available != 0 || it.locked != 0).map(
                |(&asset, it)| {
                    let symbol = self.oracle.assets()[asset as usize - 1].terms.symbol;
                    (symbol, it.available, it.locked)
                },
            );
        let found = view.balances.iter().filter(|it| it.total.0 != 0 || it.locked.0 != 0);
        (account.status, account.version) == (view.status, view.version)
            && account.deadline == view.countdown_at.map(|time| time.0)
            && found.map(|it| (it.asset, it.available.0, it.locked.0)).eq(expected.by_ref())
            && expected.next().is_none()
    }

    fn are_orders(&self, id: Id, views: Option<&[OrderView]>) -> bool {
        let (Some(account), Some(views)) = (self.account_of(id), views) else { return false };
        let mut views: Vec<&OrderView> = views.iter().collect();
        views.sort_unstable_by_key(|it| it.order_id.sequence());
        let is_same = |(number, view): (&u64, &&OrderView)| self.is_order(*number, view);
        views.len() == account.orders.len() && account.orders.iter().zip(&views).all(is_same)
    }

    /// An open order as it stands, and as it was submitted.
    fn is_order(&self, number: u64, view: &OrderView) -> bool {
        let it = &self.oracle.orders()[&number];
        let terms = &self.oracle.markets()[it.market as usize - 1].terms;
        let lot = terms.lot_size.0;
        let amounts = (lot * i128::from(it.lots), lot * i128::from(it.filled), it.hold);
        let found = (view.quantity.0, view.filled_quantity.0, view.reserved.0);
        let price = i128::from(it.ticks) * terms.tick_size.0;
        let is_limit = it.order_type == OrderType::Limit;
        let submitted = usize::try_from(number - 1).ok().and_then(|at| self.events.get(at));
        let Some((_, Event::OrderSubmitted(submitted))) = submitted else { return false };
        let has_triggered = submitted.trigger.is_some() && it.waiting.is_none();
        (it.id, it.state_seq, it.side) == (view.order_id, view.state_seq, view.side)
            && amounts == found
            && view.price.map(|price| price.0) == is_limit.then_some(price)
            && (it.order_type, it.time_in_force) == (view.order_type, view.time_in_force)
            && (it.post_only, it.self_trade) == (view.post_only, view.self_trade)
            && it.expire_at == view.expire_at.map(|time| time.0)
            && (submitted.client_order_id, submitted.trigger)
                == (view.client_order_id, view.trigger)
            && (submitted.oco_with, has_triggered) == (view.oco_with, view.is_triggered)
    }

    fn is_book(&self, number: u32, view: Option<&BookView>) -> bool {
        let Some(view) = view else { return false };
        [(Side::Buy, &view.bids), (Side::Sell, &view.asks)].into_iter().all(|(side, levels)| {
            let expected = self.oracle.book(number, side).into_iter().map(|(ticks, orders)| {
                let terms = &self.oracle.markets()[number as usize - 1].terms;
                let left = orders.iter().map(|order| self.oracle.orders()[order].remaining());
                let quantity = i128::from(left.sum::<u64>()) * terms.lot_size.0;
                (i128::from(ticks) * terms.tick_size.0, quantity, orders.len() as u64)
            });
            let found = levels.iter().map(|it| (it.price.0, it.quantity.0, u64::from(it.orders)));
            expected.eq(found)
        })
    }
}

/// Levels asked for: more than there ever are.
const DEPTH: usize = 10_000;
