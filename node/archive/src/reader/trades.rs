//! Trades by id, by order, by account and by market, and the settlement journal.

use port::{
    List, Listed, Page, Period, PostingView, SettlementView, TradePrint, TradeState, TradeView,
    is_limit,
};
use schema::Code;
use units::Id;

use super::orders::in_range;
use super::{Answered, Found, Reader, check_bounds, collect, within};
use crate::key;
use crate::row::{PostingRow, TradeRow};

impl Reader {
    pub(super) fn trade_of(&self, id: Id) -> Answered<Result<TradeView, Code>> {
        match self.trade_with(id)? {
            Some((sequence, row)) => self.trade_view(sequence, &row).map(Ok),
            None => Ok(Err(Code::TradeNotFound)),
        }
    }

    pub(super) fn trades_of_order(&self, id: Id, page: &Page) -> Answered<List<TradeView>> {
        if let Err(code) = check_bounds(&Period::ALL, page) {
            return Ok(Err(code));
        }
        let Some((order, row)) = self.order_with(id)? else { return Ok(Err(Code::OrderNotFound)) };
        let read =
            |sequence| self.trade_view(sequence, &self.known_trade(sequence)?).map(Found::Item);
        let first = self.first(&Period::ALL, page)?;
        collect(self.trades_of(order, &row, first), page.limit, read).map(Ok)
    }

    pub(super) fn trades_of_account(
        &self,
        id: Id,
        period: Period,
        page: &Page,
    ) -> Answered<List<TradeView>> {
        if let Err(code) = check_bounds(&period, page) {
            return Ok(Err(code));
        }
        let Some(account) = self.account_number(id)? else {
            return Ok(Err(Code::AccountNotFound));
        };
        let read = |sequence| {
            let row = self.known_trade(sequence)?;
            within(&period, row.executed_at, || self.trade_view(sequence, &row))
        };
        self.part(&key::trades_of_account(account), (&period, page), read).map(Ok)
    }

    pub(super) fn trades_of_market(
        &self,
        number: u32,
        period: Period,
        page: &Page,
    ) -> Answered<List<TradePrint>> {
        if let Err(code) = check_bounds(&period, page) {
            return Ok(Err(code));
        }
        if self.lists.market(number).is_none() {
            return Ok(Err(Code::SymbolNotFound));
        }
        let read = |sequence| {
            let row = self.known_trade(sequence)?;
            within(&period, row.executed_at, || self.print(sequence, &row))
        };
        self.part(&key::trades_of_market(number), (&period, page), read).map(Ok)
    }

    pub(super) fn recent_trades(&self, number: u32, limit: u32) -> Answered<List<TradePrint>> {
        if !is_limit(limit) {
            return Ok(Err(Code::InvalidSchema));
        }
        if self.lists.market(number).is_none() {
            return Ok(Err(Code::SymbolNotFound));
        }
        let newest = self.view.items(&key::trades_of_market(number), 0).rev();
        let print = |sequence: Answered<u64>| {
            let sequence = sequence?;
            self.print(sequence, &self.known_trade(sequence)?)
        };
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let items = newest.take(limit).map(print).collect::<Answered<_>>()?;
        Ok(Ok(Listed { items, next: None }))
    }

    pub(super) fn settlement(&self, id: Id) -> Answered<Result<SettlementView, Code>> {
        let Some((sequence, row)) = self.trade_with(id)? else {
            return Ok(Err(Code::TradeNotFound));
        };
        let Some(settled) = row.settled else { return Ok(Err(Code::TradeNotFound)) };
        Ok(Ok(SettlementView {
            trade: self.trade_view(sequence, &row)?,
            shard: self.position.shard,
            sequence: settled.sequence,
            postings: row.postings.iter().map(|it| self.posting(it)).collect::<Answered<_>>()?,
        }))
    }

    pub(super) fn posting(&self, row: &PostingRow) -> Answered<PostingView> {
        Ok(PostingView {
            account_id: self.account(row.account)?,
            asset: self.asset(row.asset)?,
            bucket: row.bucket,
            delta: row.delta,
            before: row.before,
            after: in_range(row.before.checked_add(row.delta))?,
        })
    }

    fn trade_with(&self, id: Id) -> Answered<Option<(u64, TradeRow)>> {
        let sequence = id.sequence();
        let row = self.trade(sequence)?;
        Ok(row.filter(|row| self.id(row.executed_at, sequence) == id).map(|row| (sequence, row)))
    }

    fn trade_view(&self, sequence: u64, row: &TradeRow) -> Answered<TradeView> {
        let market = self.market(row.market)?;
        // Both fees are charged in the quote asset (FEE-17 is not open yet).
        let fee_asset = self.asset(market.quote)?;
        let state = if row.settled.is_some() { TradeState::Settled } else { TradeState::Matched };
        Ok(TradeView {
            trade_id: self.id(row.executed_at, sequence),
            sequence,
            symbol: market.symbol,
            maker_order_id: self.id(row.maker.created_at, row.maker.order),
            taker_order_id: self.id(row.taker.created_at, row.taker.order),
            maker_account_id: self.account(row.maker.account)?,
            taker_account_id: self.account(row.taker.account)?,
            side: row.side,
            price: in_range(market.price(row.ticks))?,
            quantity: in_range(market.quantity(row.lots))?,
            maker_fee: row.maker.fee,
            taker_fee: row.taker.fee,
            maker_fee_asset: fee_asset,
            taker_fee_asset: fee_asset,
            executed_at: row.executed_at,
            settled_at: row.settled.map_or(row.executed_at, |at| at.timestamp),
            state,
        })
    }

    /// What the public sees of a trade (TRADE-43).
    fn print(&self, sequence: u64, row: &TradeRow) -> Answered<TradePrint> {
        let market = self.market(row.market)?;
        Ok(TradePrint {
            trade_id: self.id(row.executed_at, sequence),
            price: in_range(market.price(row.ticks))?,
            quantity: in_range(market.quantity(row.lots))?,
            side: row.side,
            executed_at: row.executed_at,
        })
    }
}
