//! What BalanceUpdated did to an account, one entry an event.
//!
//! Entries of trades stand in the rows of the trades, the others in rows of their own; the lists of both
//! are walked as one. A trade stands in the list under its own sequence, which no other event of a
//! balance comes before that its postings come behind.

use port::{LedgerEntryView, List, Page, Period};
use schema::{Code, Reference};
use units::{Id, Timestamp};

use super::merged::Merged;
use super::{Answered, Found, Reader, check_bounds, collect, within};
use crate::key;
use crate::row::{EntryRow, PostingRow, TradeRow};

impl Reader {
    pub(super) fn ledger_entries(
        &self,
        id: Id,
        period: Period,
        page: &Page,
    ) -> Answered<List<LedgerEntryView>> {
        if let Err(code) = check_bounds(&period, page) {
            return Ok(Err(code));
        }
        let Some(account) = self.account_number(id)? else {
            return Ok(Err(Code::AccountNotFound));
        };
        let first = self.first(&period, page)?;
        let own = key::entries_of(account);
        let mut items = Merged::default();
        for list in [&own, &key::trades_of_account(account), &key::trades_touching(account)] {
            items.add(Box::new(self.view.items(list, first)));
        }
        let read = |sequence| -> Answered<Found<LedgerEntryView>> {
            let key = key::item(own.clone(), sequence);
            match self.view.row(&key, |bytes| EntryRow::read(bytes, sequence))? {
                Some(row) => within(&period, row.at, || self.entry(sequence, &row)),
                None => {
                    let row = self.known_trade(sequence)?;
                    within(&period, row.posted_at, || self.entry_of_trade(account, sequence, &row))
                }
            }
        };
        collect(items, page.limit, read).map(Ok)
    }

    fn entry(&self, sequence: u64, row: &EntryRow) -> Answered<LedgerEntryView> {
        let reference_id = match row.reference {
            Reference::Outside(id) => id,
            // Both are events of one command, whose times rise by 1 ns from one to the next (D-9).
            Reference::Event(event) => {
                let back = i64::try_from(sequence.saturating_sub(event)).unwrap_or(i64::MAX);
                self.id(Timestamp(row.at.0.saturating_sub(back)), event)
            }
        };
        let postings = row.postings.iter().map(|it| self.posting(it));
        Ok(LedgerEntryView {
            sequence,
            timestamp: row.at,
            reason: row.reason,
            reference_id,
            postings: postings.collect::<Answered<_>>()?,
        })
    }

    /// What a trade did to an account.
    fn entry_of_trade(
        &self,
        account: u32,
        trade: u64,
        row: &TradeRow,
    ) -> Answered<LedgerEntryView> {
        let own = |it: &&PostingRow| it.account == account;
        let postings = row.postings.iter().filter(own).map(|it| self.posting(it));
        let event = row.postings.iter().find(own).map_or(trade, |it| it.event);
        Ok(LedgerEntryView {
            sequence: event,
            timestamp: row.posted_at,
            reason: row.reason,
            reference_id: self.id(row.executed_at, trade),
            postings: postings.collect::<Answered<_>>()?,
        })
    }
}
