//! What the events of orders, trades and balances become.
//!
//! The same figures as the kernel's `apply` keeps, with what it forgets. A new event of an order is one
//! arm in `indexer.rs` and one function here that changes the row and calls `step`.

use schema::{
    BalanceUpdated, Code, EventHead, EventKind, ExpiryReason, Fill, OrderEnded, OrderReduced,
    OrderRejected, OrderState, OrderSubmitted, OrderTerms, Posting, Reference, TradeExecuted,
    TradeSettled, UpdateReason,
};
use units::{Amount, Lots, Side};

use crate::fault::ArchiveFault;
use crate::indexer::Step;
use crate::key;
use crate::row::{
    EntryRow, MarketRow, OrderRow, PostingRow, Step as OrderStep, TRADE_COUNT_INLINE, TradeRow,
    TradeSide,
};

impl Step<'_> {
    pub(crate) fn submitted(
        &mut self,
        at: EventHead,
        event: &OrderSubmitted,
    ) -> Result<(), ArchiveFault> {
        let account = match event.terms {
            OrderTerms::Checked { account, market, .. } => {
                self.market(at, market)?;
                Some(account)
            }
            OrderTerms::Requested { account, .. } => {
                self.working.account_number(&self.generation.store, account)?
            }
        };
        if let (Some(account), Some(id)) = (account, &event.client_order_id) {
            self.working.changes().list(key::orders_of_client(account, id), at.sequence);
        }
        self.working.add_order(at.sequence, OrderRow::submitted(at, event, account));
        Ok(())
    }

    pub(crate) fn accepted(&mut self, at: EventHead, order: u64) -> Result<(), ArchiveFault> {
        let row = self.open_order(at, order)?;
        row.enter(OrderState::Pending, at);
        step(row, at, EventKind::OrderAccepted);
        Ok(())
    }

    pub(crate) fn rejected(
        &mut self,
        at: EventHead,
        event: &OrderRejected,
    ) -> Result<(), ArchiveFault> {
        let row = self.open_order(at, event.order)?;
        row.enter(OrderState::Rejected, at);
        row.reason = Some(event.reason);
        step(row, at, EventKind::OrderRejected);
        Ok(())
    }

    pub(crate) fn canceled(
        &mut self,
        at: EventHead,
        event: &OrderEnded<Code>,
    ) -> Result<(), ArchiveFault> {
        let row = self.open_order(at, event.order)?;
        row.enter(OrderState::Canceled, at);
        row.reason = Some(event.reason);
        step(row, at, EventKind::OrderCanceled);
        Ok(())
    }

    pub(crate) fn expired(
        &mut self,
        at: EventHead,
        event: &OrderEnded<ExpiryReason>,
    ) -> Result<(), ArchiveFault> {
        let row = self.open_order(at, event.order)?;
        row.enter(OrderState::Expired, at);
        row.expiry = Some(event.reason);
        step(row, at, EventKind::OrderExpired);
        Ok(())
    }

    /// Quantity taken off: the total is less, the state stays (STATE-37).
    pub(crate) fn reduced(
        &mut self,
        at: EventHead,
        event: &OrderReduced,
    ) -> Result<(), ArchiveFault> {
        let row = self.open_order(at, event.order)?;
        if event.total >= row.total || event.total <= row.filled {
            return Err(ArchiveFault::Impossible { at: at.sequence });
        }
        row.total = event.total;
        row.state_seq = at.sequence;
        row.state_changed_at = at.timestamp;
        step(row, at, EventKind::OrderReduced);
        Ok(())
    }

    /// A trigger was met; no state changes (STATE-26).
    pub(crate) fn triggered(&mut self, at: EventHead, order: u64) -> Result<(), ArchiveFault> {
        let row = self.open_order(at, order)?;
        step(row, at, EventKind::OrderTriggered);
        Ok(())
    }

    pub(crate) fn filled(
        &mut self,
        at: EventHead,
        fill: &Fill,
        whole: bool,
    ) -> Result<(), ArchiveFault> {
        let impossible = || ArchiveFault::Impossible { at: at.sequence };
        let (_, number) = self.place(at, fill.order)?;
        let market = self.market(at, number)?;
        let row = self.open_order(at, fill.order)?;
        let units = u128::from(fill.ticks.0) * u128::from(fill.lots.0);
        let cost = match row.submitted.side {
            Side::Buy => market.value(units).and_then(|value| value.checked_add(fill.fee)),
            Side::Sell => market.quantity(fill.lots),
        };
        let filled = row.filled.0.checked_add(fill.lots.0);
        row.filled = Lots(filled.filter(|&lots| lots <= row.total.0).ok_or_else(impossible)?);
        row.units = row.units.checked_add(units).ok_or_else(impossible)?;
        row.fees = row.fees.checked_add(fill.fee).ok_or_else(impossible)?;
        row.reserved =
            cost.and_then(|cost| row.reserved.checked_sub(cost)).ok_or_else(impossible)?;
        row.enter(if whole { OrderState::Filled } else { OrderState::Partial }, at);
        Ok(())
    }

    /// MarginReserved, or MarginReleased with the amount below zero.
    pub(crate) fn reserved(
        &mut self,
        at: EventHead,
        order: u64,
        amount: Amount,
    ) -> Result<(), ArchiveFault> {
        let impossible = || ArchiveFault::Impossible { at: at.sequence };
        let (account, number) = self.place(at, order)?;
        let market = self.market(at, number)?;
        let row = self.order(at, order)?;
        row.reserved = row.reserved.checked_add(amount).ok_or_else(impossible)?;
        let asset = market.reserved_asset(row.submitted.side);
        let balance = self.working.balance_mut(&self.generation.store, (account, asset))?;
        balance.available = balance.available.checked_sub(amount).ok_or_else(impossible)?;
        balance.locked = balance.locked.checked_add(amount).ok_or_else(impossible)?;
        Ok(())
    }

    pub(crate) fn executed(
        &mut self,
        at: EventHead,
        event: &TradeExecuted,
    ) -> Result<(), ArchiveFault> {
        let (maker, _, _) = self.trade_side(at, event.maker)?;
        let (taker, market, side) = self.trade_side(at, event.taker)?;
        for party in [&maker, &taker] {
            let row = self.order(at, party.order)?;
            if row.trades.len() < TRADE_COUNT_INLINE {
                row.trades.push(at.sequence);
            } else {
                self.working.changes().list(key::trades_of_order(party.order), at.sequence);
            }
        }
        let changes = self.working.changes();
        for party in [&maker, &taker] {
            changes.list(key::trades_of_account(party.account), at.sequence);
        }
        changes.list(key::trades_of_market(market), at.sequence);
        let row = TradeRow {
            executed_at: at.timestamp,
            market,
            maker,
            taker,
            side,
            ticks: event.ticks,
            lots: event.lots,
            settled: None,
            posted_at: at.timestamp,
            reason: UpdateReason::TradeSettlement,
            postings: Vec::with_capacity(BalanceUpdated::POSTING_COUNT_MAX),
        };
        self.working.begin_trade(at.sequence, row);
        Ok(())
    }

    pub(crate) fn settled(
        &mut self,
        at: EventHead,
        event: &TradeSettled,
    ) -> Result<(), ArchiveFault> {
        let row = self.working.trade_mut(event.trade);
        let row = row.ok_or(ArchiveFault::Impossible { at: at.sequence })?;
        row.maker.fee = event.maker_fee;
        row.taker.fee = event.taker_fee;
        row.settled = Some(at);
        Ok(())
    }

    /// Balances move.
    pub(crate) fn posted(
        &mut self,
        at: EventHead,
        event: &BalanceUpdated,
    ) -> Result<(), ArchiveFault> {
        let mut postings = Vec::with_capacity(event.postings().len());
        for posting in event.postings() {
            postings.push(self.post(at, posting)?);
        }
        if let Reference::Event(trade) = event.reference
            && event.reason == UpdateReason::TradeSettlement
        {
            return self.posted_in_trade(at, (trade, event.reason), postings);
        }
        let mut accounts: Vec<u32> = postings.iter().map(|posting| posting.account).collect();
        accounts.sort_unstable();
        accounts.dedup();
        for account in accounts {
            let own = postings.iter().filter(|posting| posting.account == account).copied();
            let row = EntryRow {
                at: at.timestamp,
                reason: event.reason,
                reference: event.reference,
                postings: own.collect(),
            };
            let key = key::item(key::entries_of(account), at.sequence);
            self.working.changes().put(key, row.write(at.sequence));
        }
        Ok(())
    }

    /// The trade's row has the postings. Its parties find it among their trades, others apart.
    fn posted_in_trade(
        &mut self,
        at: EventHead,
        (trade, reason): (u64, UpdateReason),
        postings: Vec<PostingRow>,
    ) -> Result<(), ArchiveFault> {
        let row = self.working.trade_mut(trade);
        let row = row.ok_or(ArchiveFault::Impossible { at: at.sequence })?;
        let parties = [row.maker.account, row.taker.account];
        let mut others: Vec<u32> = postings.iter().map(|posting| posting.account).collect();
        row.postings.extend(postings);
        (row.posted_at, row.reason) = (at.timestamp, reason);
        others.retain(|account| !parties.contains(account));
        others.dedup();
        for account in others {
            self.working.changes().list(key::trades_touching(account), trade);
        }
        Ok(())
    }

    fn post(&mut self, at: EventHead, posting: &Posting) -> Result<PostingRow, ArchiveFault> {
        let place = (posting.account, posting.asset);
        let balance = self.working.balance_mut(&self.generation.store, place)?;
        let part = balance.part_mut(posting.bucket);
        let before = *part;
        let after = before.checked_add(posting.delta);
        *part = after.ok_or(ArchiveFault::Impossible { at: at.sequence })?;
        Ok(PostingRow {
            event: at.sequence,
            account: posting.account,
            asset: posting.asset,
            bucket: posting.bucket,
            delta: posting.delta,
            before,
        })
    }

    fn trade_side(
        &mut self,
        at: EventHead,
        order: u64,
    ) -> Result<(TradeSide, u32, Side), ArchiveFault> {
        let (account, market) = self.place(at, order)?;
        let row = self.working.order(&self.generation.store, order)?;
        let row = row.ok_or(ArchiveFault::Impossible { at: at.sequence })?;
        let side = TradeSide { order, created_at: row.created_at, account, fee: Amount::ZERO };
        Ok((side, market, row.submitted.side))
    }

    /// Account and market of an order that passed its checks.
    fn place(&mut self, at: EventHead, order: u64) -> Result<(u32, u32), ArchiveFault> {
        let row = self.working.order(&self.generation.store, order)?;
        row.and_then(OrderRow::place).ok_or(ArchiveFault::Impossible { at: at.sequence })
    }

    fn order(&mut self, at: EventHead, order: u64) -> Result<&mut OrderRow, ArchiveFault> {
        let row = self.working.order_mut(&self.generation.store, order)?;
        row.ok_or(ArchiveFault::Impossible { at: at.sequence })
    }

    /// An order that an event changes; one that has ended is a fault (STATE-31).
    fn open_order(&mut self, at: EventHead, order: u64) -> Result<&mut OrderRow, ArchiveFault> {
        let row = self.order(at, order)?;
        if row.is_open() { Ok(row) } else { Err(ArchiveFault::Impossible { at: at.sequence }) }
    }

    fn market(&self, at: EventHead, number: u32) -> Result<MarketRow, ArchiveFault> {
        let market = self.generation.lists.read().market(number).copied();
        market.ok_or(ArchiveFault::Impossible { at: at.sequence })
    }
}

fn step(row: &mut OrderRow, at: EventHead, kind: EventKind) {
    row.steps.push(OrderStep { kind, at });
}
