//! What BalanceUpdated did to an account, one entry an event.

use port::{LedgerEntryView, List, Page, Period};
use schema::{Code, Reference};
use units::Id;

use super::{Answered, Reader, check_bounds, within};
use crate::fault::ArchiveFault;
use crate::key;
use crate::row::{EntryRow, PostingRow};

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
        let list = key::entries_of(account);
        let read = |sequence| {
            let key = key::item(list.clone(), sequence);
            let row = self.view.row(&key, |bytes| EntryRow::read(bytes, sequence))?;
            let row = row.ok_or(ArchiveFault::Missing('L'))?;
            within(&period, row.at, || self.entry(account, sequence, &row))
        };
        self.part(&list, (&period, page), read).map(Ok)
    }

    /// An entry; the postings of a trade stand in the trade's row.
    fn entry(&self, account: u32, sequence: u64, row: &EntryRow) -> Answered<LedgerEntryView> {
        let (reference_id, in_trade) = match row.reference {
            Reference::Outside(id) => (id, Vec::new()),
            Reference::Trade(trade) => {
                let row = self.known_trade(trade)?;
                (self.id(row.executed_at, trade), row.postings)
            }
        };
        let own = |it: &&PostingRow| it.event == sequence && it.account == account;
        let postings = in_trade.iter().chain(&row.postings).filter(own);
        Ok(LedgerEntryView {
            sequence,
            timestamp: row.at,
            reason: row.reason,
            reference_id,
            postings: postings.map(|it| self.posting(it)).collect::<Answered<_>>()?,
        })
    }
}
