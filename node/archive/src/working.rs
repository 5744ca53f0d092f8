//! What the writer holds in memory: orders, trades and balances that changed since the last commit.
//!
//! The store is the truth; this is a cache in front of it, so a restart begins with nothing here. An order
//! that is placed and ends between two commits is written once, as it ended. After a commit ended orders
//! are forgotten, open ones and balances are kept up to a bound.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use units::Id;

use crate::fault::ArchiveFault;
use crate::key::{self, Class, Key, space};
use crate::row::{BalanceRow, OrderRow, TradeRow};
use crate::store::{Changes, Store};

/// Rows on their way into the store.
#[derive(Default)]
pub(crate) struct Working {
    orders: HashMap<u64, Held>,
    changed_orders: Vec<u64>,
    balances: HashMap<(u32, u32), (BalanceRow, bool)>,
    changed_balances: Vec<(u32, u32)>,
    /// Accounts created since the last commit, which the store cannot find yet.
    new_accounts: HashMap<Id, u32>,
    /// The trade that is being settled. A command settles one after the other (TRADE-28).
    trade: Option<(u64, TradeRow)>,
    /// Rows that are done.
    changes: Changes,
}

/// An order, and in which class the store lists it.
struct Held {
    row: OrderRow,
    listed: Option<Class>,
    changed: bool,
}

impl Working {
    /// An order to change; `None` if there is none.
    pub(crate) fn order_mut(
        &mut self,
        store: &Store,
        sequence: u64,
    ) -> Result<Option<&mut OrderRow>, ArchiveFault> {
        if !self.load(store, sequence)? {
            return Ok(None);
        }
        let held = self.orders.get_mut(&sequence).ok_or(ArchiveFault::Missing('O'))?;
        if !held.changed {
            held.changed = true;
            self.changed_orders.push(sequence);
        }
        Ok(Some(&mut held.row))
    }

    /// An order to look at.
    pub(crate) fn order(
        &mut self,
        store: &Store,
        sequence: u64,
    ) -> Result<Option<&OrderRow>, ArchiveFault> {
        self.load(store, sequence)?;
        Ok(self.orders.get(&sequence).map(|held| &held.row))
    }

    fn load(&mut self, store: &Store, sequence: u64) -> Result<bool, ArchiveFault> {
        if self.orders.contains_key(&sequence) {
            return Ok(true);
        }
        let row = store.row(&key::order(sequence), |bytes| OrderRow::read(bytes, sequence))?;
        let Some(row) = row else { return Ok(false) };
        let listed = row.place().and(row.state).and_then(Class::of);
        self.orders.insert(sequence, Held { row, listed, changed: false });
        Ok(true)
    }

    /// A new order.
    pub(crate) fn add_order(&mut self, sequence: u64, row: OrderRow) {
        self.changed_orders.push(sequence);
        self.orders.insert(sequence, Held { row, listed: None, changed: true });
    }

    /// A balance to change.
    pub(crate) fn balance_mut(
        &mut self,
        store: &Store,
        (account, asset): (u32, u32),
    ) -> Result<&mut BalanceRow, ArchiveFault> {
        let place = (account, asset);
        let held = match self.balances.entry(place) {
            Entry::Occupied(held) => held.into_mut(),
            Entry::Vacant(empty) => {
                let row = store.row(&key::balance(account, asset), BalanceRow::read)?;
                empty.insert((row.unwrap_or_default(), false))
            }
        };
        if !held.1 {
            held.1 = true;
            self.changed_balances.push(place);
        }
        Ok(&mut held.0)
    }

    /// A trade begins; the one before is done.
    pub(crate) fn begin_trade(&mut self, sequence: u64, row: TradeRow) {
        self.end_trade();
        self.trade = Some((sequence, row));
    }

    /// The trade that is being settled, if it is that one.
    pub(crate) fn trade_mut(&mut self, sequence: u64) -> Option<&mut TradeRow> {
        self.trade.as_mut().filter(|(of, _)| *of == sequence).map(|(_, row)| row)
    }

    /// The command is over: its last trade is done.
    pub(crate) fn end_trade(&mut self) {
        if let Some((sequence, row)) = self.trade.take() {
            self.changes.put(key::trade(sequence), row.write(sequence));
        }
    }

    /// An account was created.
    pub(crate) fn note_account(&mut self, id: Id, number: u32) {
        self.new_accounts.insert(id, number);
    }

    /// Number of an account.
    pub(crate) fn account_number(
        &self,
        store: &Store,
        id: Id,
    ) -> Result<Option<u32>, ArchiveFault> {
        match self.new_accounts.get(&id) {
            Some(&number) => Ok(Some(number)),
            None => store.row(&key::account_number(id), |it| it.u32()),
        }
    }

    /// Rows that are written as they are.
    pub(crate) const fn changes(&mut self) -> &mut Changes {
        &mut self.changes
    }

    /// Everything that changed, to be committed; what may be needed again is kept.
    pub(crate) fn take(&mut self) -> Changes {
        self.end_trade();
        let mut changes = std::mem::take(&mut self.changes);
        for sequence in self.changed_orders.drain(..) {
            let Some(held) = self.orders.get_mut(&sequence) else { continue };
            held.changed = false;
            changes.put(key::order(sequence), held.row.write(sequence));
            let class = held.row.state.and_then(Class::of);
            if held.listed != class {
                relist(&mut changes, sequence, &held.row, (held.listed, class));
                held.listed = class;
            }
            if !held.row.is_open() {
                self.orders.remove(&sequence);
            }
        }
        for place in self.changed_balances.drain(..) {
            if let Some((row, changed)) = self.balances.get_mut(&place) {
                *changed = false;
                changes.put(key::balance(place.0, place.1), row.write());
            }
        }
        self.forget();
        changes
    }

    /// Nothing here is changed now, so all of it may go.
    fn forget(&mut self) {
        self.new_accounts.clear();
        if self.orders.len() > ORDER_COUNT_KEPT {
            // The younger half stays: an order is likelier to change soon after it came.
            let mut sequences: Vec<u64> = self.orders.keys().copied().collect();
            let middle = sequences.len() / 2;
            let (_, &mut median, _) = sequences.select_nth_unstable(middle);
            self.orders.retain(|&sequence, _| sequence >= median);
        }
        if self.balances.len() > BALANCE_COUNT_KEPT {
            self.balances = HashMap::new();
        }
    }
}

/// Moves an order between the lists of its account, its market and its price.
fn relist(
    changes: &mut Changes,
    sequence: u64,
    row: &OrderRow,
    (from, to): (Option<Class>, Option<Class>),
) {
    if let Some(from) = from {
        lists_of(row, from, |list| changes.unlist(list, sequence));
    }
    if let Some(to) = to {
        lists_of(row, to, |list| changes.list(list, sequence));
    }
}

/// The lists that an order of a class stands in; a rejected order has none (STATE-34).
fn lists_of(row: &OrderRow, class: Class, mut each: impl FnMut(Key)) {
    let Some((account, market)) = row.place() else { return };
    each(key::orders_of(space::ORDER_OF_ACCOUNT, account, class));
    each(key::orders_of(space::ORDER_OF_MARKET, market, class));
    if let Some((market, ticks)) = row.limit() {
        each(key::orders_at(market, class, ticks));
    }
}

/// Open orders kept in memory after a commit.
const ORDER_COUNT_KEPT: usize = 500_000;
/// Balances kept in memory after a commit.
const BALANCE_COUNT_KEPT: usize = 1_000_000;
