//! What listings and accounts become: their numbers, as events use them.

use std::sync::Arc;

use schema::wire::{write_id, write_label, write_u64};
use schema::{EventHead, Label, MarketTerms};

use crate::fault::ArchiveFault;
use crate::indexer::Step;
use crate::key;
use crate::row::{MarketRow, id_of};

impl Step<'_> {
    pub(crate) fn asset_listed(&mut self, symbol: Label) {
        let mut lists = self.generation.lists.write();
        let mut row = Vec::new();
        write_label(&mut row, &symbol);
        self.working.changes().put(key::asset(lists.next_asset()), row);
        Arc::make_mut(&mut lists).add_asset(symbol);
    }

    pub(crate) fn market_listed(
        &mut self,
        at: EventHead,
        terms: &MarketTerms,
    ) -> Result<(), ArchiveFault> {
        let mut lists = self.generation.lists.write();
        let asset = |symbol: &Label| {
            lists.asset_number(symbol).ok_or(ArchiveFault::Impossible { at: at.sequence })
        };
        let market = MarketRow {
            symbol: terms.symbol,
            base: asset(&terms.base)?,
            quote: asset(&terms.quote)?,
            tick: terms.tick_size,
            lot: terms.lot_size,
        };
        self.working.changes().put(key::market(lists.next_market()), market.write());
        Arc::make_mut(&mut lists).add_market(market);
        Ok(())
    }

    /// Accounts count from 0; the id is that of the event (D-51).
    pub(crate) fn account_created(&mut self, at: EventHead) {
        let number = self.position.account_count;
        let id = id_of(self.position.shard, at.timestamp, at.sequence);
        let (mut row, mut found) = (Vec::new(), Vec::new());
        write_id(&mut row, id);
        write_u64(&mut found, u64::from(number));
        let changes = self.working.changes();
        changes.put(key::account(number), row);
        changes.put(key::account_number(id), found);
        self.working.note_account(id, number);
        self.position.account_count = number + 1;
    }
}
