//! What the archive answers, drawn up from rows of one moment.
//!
//! A reader holds a snapshot: what it answers is of the commit that was the last when it was made, and
//! its position says so. Lists are walked by key; a part of a list looks at `LOOK_COUNT_MAX` rows at the
//! most, so a filter that fits little costs the caller several short parts and never one long one.

mod ledger;
mod merged;
mod orders;
mod trades;

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use port::{Cursor, Listed, Page, Period, Query, View as Answer};
use schema::{Code, Label, Reply};
use units::{Id, Timestamp};

use crate::fault::ArchiveFault;
use crate::key::{self, Key};
use crate::lists::Lists;
use crate::row::{MarketRow, OrderRow, Position, TradeRow, id_of};
use crate::row_codec::read_answer;
use crate::store::View;

/// The archive at one moment.
pub struct Reader {
    view: View,
    lists: Arc<Lists>,
    position: Position,
    /// Ids of accounts that this reader has shown.
    accounts: RefCell<HashMap<u32, Id>>,
}

/// What an item of a list is to a query.
enum Found<T> {
    Item(T),
    /// A filter leaves it out.
    Other,
    /// It and all behind it are beyond the period.
    Beyond,
}

/// An answer of this crate.
type Answered<T> = Result<T, ArchiveFault>;

impl Reader {
    pub(crate) fn new(view: View, lists: Arc<Lists>) -> Answered<Self> {
        let position = view.position()?;
        Ok(Self { view, lists, position, accounts: RefCell::default() })
    }

    /// How far it reaches.
    #[must_use]
    pub const fn position(&self) -> &Position {
        &self.position
    }

    /// The first answer of a keyed command, if it is kept.
    ///
    /// # Errors
    /// The store fails.
    pub fn reply(&self, command: u64) -> Answered<Option<Reply>> {
        self.view.row(&key::answer(command), |bytes| read_answer(bytes, command))
    }

    /// Answers a query of the archive; `None` for one that is the view's.
    ///
    /// # Errors
    /// The store fails.
    pub fn answer(&self, query: Query) -> Answered<Option<Answer>> {
        Ok(Some(match query {
            Query::Order(id) => Answer::Order(self.order_view_of(id)?),
            Query::OrderByClientId(account, label) => {
                Answer::Order(self.order_of_client(account, &label)?)
            }
            Query::Orders(filter, page) => Answer::Orders(self.orders(&filter, &page)?),
            Query::OrderRecord(id) => Answer::OrderRecord(self.order_record(id)?.map(Box::new)),
            Query::Trade(id) => Answer::Trade(self.trade_of(id)?),
            Query::TradesByOrder(id, page) => Answer::Trades(self.trades_of_order(id, &page)?),
            Query::TradesByAccount(id, period, page) => {
                Answer::Trades(self.trades_of_account(id, period, &page)?)
            }
            Query::TradesByMarket(number, period, page) => {
                Answer::PublicTrades(self.trades_of_market(number, period, &page)?)
            }
            Query::RecentTrades(number, limit) => {
                Answer::PublicTrades(self.recent_trades(number, limit)?)
            }
            Query::Settlement(id) => Answer::Settlement(self.settlement(id)?.map(Box::new)),
            Query::LedgerEntries(id, period, page) => {
                Answer::LedgerEntries(self.ledger_entries(id, period, &page)?)
            }
            _ => return Ok(None),
        }))
    }

    /// Every row, in order of key: what two archives of one log have in common.
    ///
    /// # Errors
    /// The store fails.
    pub fn rows(&self) -> impl Iterator<Item = Answered<(Vec<u8>, Vec<u8>)>> {
        self.view.all()
    }

    fn order(&self, sequence: u64) -> Answered<Option<OrderRow>> {
        self.view.row(&key::order(sequence), |bytes| OrderRow::read(bytes, sequence))
    }

    /// The order with this id and its sequence.
    fn order_with(&self, id: Id) -> Answered<Option<(u64, OrderRow)>> {
        let sequence = id.sequence();
        let row = self.order(sequence)?;
        Ok(row.filter(|row| self.id(row.created_at, sequence) == id).map(|row| (sequence, row)))
    }

    fn trade(&self, sequence: u64) -> Answered<Option<TradeRow>> {
        self.view.row(&key::trade(sequence), |bytes| TradeRow::read(bytes, sequence))
    }

    /// A trade that a list or another row names.
    fn known_trade(&self, sequence: u64) -> Answered<TradeRow> {
        self.trade(sequence)?.ok_or(ArchiveFault::Missing('T'))
    }

    fn id(&self, time: Timestamp, sequence: u64) -> Id {
        id_of(self.position.shard, time, sequence)
    }

    /// Number of the account with this id.
    fn account_number(&self, id: Id) -> Answered<Option<u32>> {
        self.view.row(&key::account_number(id), |it| it.u32())
    }

    /// Id of the account with this number.
    fn account(&self, number: u32) -> Answered<Id> {
        if let Some(id) = self.accounts.borrow().get(&number) {
            return Ok(*id);
        }
        let id = self.view.row(&key::account(number), |it| it.id())?;
        let id = id.ok_or(ArchiveFault::Missing('A'))?;
        self.accounts.borrow_mut().insert(number, id);
        Ok(id)
    }

    fn market(&self, number: u32) -> Answered<&MarketRow> {
        self.lists.market(number).ok_or(ArchiveFault::Missing('M'))
    }

    fn asset(&self, number: u32) -> Answered<Label> {
        self.lists.asset(number).copied().ok_or(ArchiveFault::Missing('X'))
    }

    /// Where a list is walked from: behind the cursor, and not before the stretch that the period starts in.
    fn first(&self, period: &Period, page: &Page) -> Answered<u64> {
        let behind = page.after.map_or(0, |after| after.sequence().saturating_add(1));
        let Some(start) = period.start else { return Ok(behind) };
        let mark = self.view.last_at(&key::time(start))?.unwrap_or(0);
        Ok(behind.max(mark))
    }

    /// A part of the list of one prefix.
    fn part<T>(
        &self,
        list: &Key,
        (period, page): (&Period, &Page),
        read: impl FnMut(u64) -> Answered<Found<T>>,
    ) -> Answered<Listed<T>> {
        let first = self.first(period, page)?;
        collect(self.view.items(list, first), page.limit, read)
    }
}

/// Walks the items of a list until there are enough.
fn collect<T>(
    items: impl Iterator<Item = Answered<u64>>,
    limit: u32,
    mut read: impl FnMut(u64) -> Answered<Found<T>>,
) -> Answered<Listed<T>> {
    let mut listed = Listed { items: Vec::new(), next: None };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut last = None;
    for (count, sequence) in items.enumerate() {
        let sequence = sequence?;
        if listed.items.len() == limit || count == LOOK_COUNT_MAX {
            listed.next = last.map(Cursor::behind);
            break;
        }
        last = Some(sequence);
        match read(sequence)? {
            Found::Item(item) => listed.items.push(item),
            Found::Other => {}
            Found::Beyond => break,
        }
    }
    Ok(listed)
}

/// Where something of this time stands to a period.
fn within<T>(
    period: &Period,
    time: Timestamp,
    item: impl FnOnce() -> Answered<T>,
) -> Answered<Found<T>> {
    if period.end.is_some_and(|end| time >= end) {
        return Ok(Found::Beyond);
    }
    if period.start.is_some_and(|start| time < start) {
        return Ok(Found::Other);
    }
    item().map(Found::Item)
}

/// What is wrong with the bounds of a list, if anything is (TRADE-42).
fn check_bounds(period: &Period, page: &Page) -> Result<(), Code> {
    if period.is_sound() && page.is_sound() { Ok(()) } else { Err(Code::InvalidSchema) }
}

/// Rows that one part of a list looks at.
const LOOK_COUNT_MAX: usize = 20_000;
