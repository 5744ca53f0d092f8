//! `Reading`: an event log, followed from its first event on, and what its trades were.
//!
//! Owns only what a later event may name: listings, accounts, open orders, balances. An order that ended
//! is forgotten at the end of its command, so memory follows what is open and not how long the log is.
//! Each trade comes out twice, from different events: its figures from TradeExecuted and TradeSettled,
//! its row's postings from BalanceUpdated. Written apart from the archive on purpose: what compares both
//! would prove less if they shared their code (SETL-42, SETL-45).

use std::collections::HashMap;

use port::{PostingView, SettlementView, TradeState, TradeView};
use schema::{
    AccountType, BalanceUpdated, Bucket, Event, EventGroup, EventHead, FeeRefunded, Label,
    MarketKind, MarketTerms, OrderSubmitted, OrderTerms, Reference, TradeExecuted, TradeSettled,
    UpdateReason,
};
use units::{Amount, Id, Rounding, Side, Timestamp};

use crate::fault::ReadingFault;
use crate::refund::{Refund, posts};

/// A market, as its settlement needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Market {
    /// Its symbol.
    pub symbol: Label,
    /// Symbol of its base asset.
    pub base: Label,
    /// Symbol of its quote asset.
    pub quote: Label,
    pub(crate) tick: Amount,
    pub(crate) lot: Amount,
}

/// The figures of a trade: what TradeExecuted and TradeSettled say, and no posting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trade {
    /// Sequence of its TradeExecuted.
    pub sequence: u64,
    /// Its market.
    pub market: Market,
    /// Quantity × price.
    pub value: Amount,
    /// Quantity.
    pub quantity: Amount,
    /// Of the maker and of the taker; negative for a rebate.
    pub fees: [Amount; 2],
    /// Time of its TradeSettled; of its TradeExecuted if there is none. Says which day it belongs to.
    pub settled_at: Timestamp,
}

/// A trade of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Its figures.
    pub trade: Trade,
    /// Its row; `None` if it was never settled, which must not happen (SETL-64).
    pub row: Option<SettlementView>,
}

/// A log that is being followed.
#[derive(Debug)]
pub struct Reading {
    shard: u16,
    last: EventHead,
    accounts: Vec<Id>,
    /// The accounts among which fees are split.
    fee_accounts: Vec<Id>,
    assets: Vec<Label>,
    markets: Vec<Market>,
    orders: HashMap<u64, Order>,
    /// Orders that ended in this command.
    ended: Vec<u64>,
    balances: HashMap<(u32, u32), [Amount; 2]>,
    /// Trades of this command.
    trades: Vec<Draft>,
    /// Refunds of this command.
    refunds: Vec<Refund>,
    /// The refund whose postings come next.
    unposted: Option<FeeRefunded>,
}

#[derive(Clone, Copy, Debug)]
struct Order {
    id: Id,
    account: u32,
    market: u32,
    side: Side,
}

#[derive(Debug)]
struct Draft {
    trade: Trade,
    row: SettlementView,
}

impl Default for Reading {
    /// Before the first event.
    fn default() -> Self {
        Self {
            shard: 0,
            last: EventHead { sequence: 0, timestamp: Timestamp(0) },
            accounts: Vec::new(),
            fee_accounts: Vec::new(),
            assets: Vec::new(),
            markets: Vec::new(),
            orders: HashMap::new(),
            ended: Vec::new(),
            balances: HashMap::new(),
            trades: Vec::new(),
            refunds: Vec::new(),
            unposted: None,
        }
    }
}

impl Reading {
    /// Follows the events of a command and hands out its trades in order.
    ///
    /// # Errors
    /// The events do not follow or cannot be; nothing may be read on then.
    pub fn pass(&mut self, group: &EventGroup<'_>) -> Result<Vec<Settled>, ReadingFault> {
        let command = group.head.command_sequence;
        self.refunds.clear();
        for event in group.events() {
            let (at, event) = event.map_err(|source| ReadingFault::Events { command, source })?;
            let expected = self.last.sequence + 1;
            if at.sequence != expected {
                return Err(ReadingFault::Gap { expected, found: at.sequence });
            }
            self.event(at, &event)?;
            self.last = at;
        }
        if self.unposted.is_some() {
            return Err(impossible(self.last));
        }
        for order in self.ended.drain(..) {
            self.orders.remove(&order);
        }
        let trades = self.trades.drain(..).map(|Draft { trade, row }| {
            let is_settled = row.trade.state == TradeState::Settled;
            Settled { trade, row: is_settled.then_some(row) }
        });
        Ok(trades.collect())
    }

    /// Fees that the last command gave back.
    #[must_use]
    pub fn refunds(&self) -> &[Refund] {
        &self.refunds
    }

    /// The last event.
    #[must_use]
    pub const fn last(&self) -> EventHead {
        self.last
    }

    /// REVENUE, INSURANCE_FUND and REFERRAL.
    #[must_use]
    pub fn fee_accounts(&self) -> &[Id] {
        &self.fee_accounts
    }

    fn event(&mut self, at: EventHead, event: &Event) -> Result<(), ReadingFault> {
        match event {
            Event::GenesisRecorded(event) => self.shard = event.genesis.shard,
            Event::AccountCreated(event) => {
                let id = self.id(at)?;
                let name = event.opening.external_id;
                let is_system = event.opening.account_type == AccountType::System;
                if is_system && FEE_ACCOUNTS.contains(&name.as_str()) {
                    self.fee_accounts.push(id);
                }
                self.accounts.push(id);
            }
            Event::AssetListed(event) => self.assets.push(event.terms.symbol),
            Event::MarketListed(event) => self.list(at, &event.terms)?,
            Event::OrderSubmitted(event) => self.submit(at, event)?,
            Event::OrderRejected(event) => self.ended.push(event.order),
            Event::OrderFilled(fill) => self.ended.push(fill.order),
            Event::OrderCanceled(event) => self.ended.push(event.order),
            Event::OrderExpired(event) => self.ended.push(event.order),
            Event::MarginReserved(event) => self.hold(at, event.order, event.amount)?,
            Event::MarginReleased(event) => self.hold(at, event.order, -event.amount)?,
            Event::TradeExecuted(event) => self.execute(at, event)?,
            Event::BalanceUpdated(event) => self.post(at, event)?,
            Event::TradeSettled(event) => self.settle(at, event)?,
            Event::FeeRefunded(event) => self.refund(at, event)?,
            _ => {}
        }
        Ok(())
    }

    fn list(&mut self, at: EventHead, terms: &MarketTerms) -> Result<(), ReadingFault> {
        if terms.kind != MarketKind::Spot {
            return Err(ReadingFault::Derivative { at: at.sequence });
        }
        self.markets.push(Market {
            symbol: terms.symbol,
            base: terms.base,
            quote: terms.quote,
            tick: terms.tick_size,
            lot: terms.lot_size,
        });
        Ok(())
    }

    /// An order that failed its checks never trades and is not kept.
    fn submit(&mut self, at: EventHead, event: &OrderSubmitted) -> Result<(), ReadingFault> {
        if let OrderTerms::Checked { account, market, .. } = event.terms {
            let order = Order { id: self.id(at)?, account, market, side: event.side };
            self.orders.insert(at.sequence, order);
        }
        Ok(())
    }

    /// Moves from available to locked, or back when `amount` is negative.
    fn hold(&mut self, at: EventHead, order: u64, amount: Amount) -> Result<(), ReadingFault> {
        let order = self.order(at, order)?;
        let market = self.market(at, order.market)?;
        let symbol = match order.side {
            Side::Buy => market.quote,
            Side::Sell => market.base,
        };
        let asset = self.assets.iter().position(|asset| *asset == symbol);
        let asset = asset.and_then(|place| u32::try_from(place + 1).ok()).ok_or(impossible(at))?;
        let [available, locked] = self.balances.entry((order.account, asset)).or_default();
        *available = available.checked_sub(amount).ok_or(impossible(at))?;
        *locked = locked.checked_add(amount).ok_or(impossible(at))?;
        Ok(())
    }

    fn execute(&mut self, at: EventHead, event: &TradeExecuted) -> Result<(), ReadingFault> {
        let (maker, taker) = (self.order(at, event.maker)?, self.order(at, event.taker)?);
        let market = self.market(at, taker.market)?;
        let price = market.tick.0.checked_mul(i128::from(event.ticks.0)).ok_or(impossible(at))?;
        let quantity = market.lot.0.checked_mul(i128::from(event.lots.0)).ok_or(impossible(at))?;
        let (price, quantity) = (Amount(price), Amount(quantity));
        // Whole without rounding, since tick × lot is (ACCT-69).
        let value = price.checked_mul(quantity, Rounding::Down).ok_or(impossible(at))?;
        let trade = TradeView {
            trade_id: self.id(at)?,
            sequence: at.sequence,
            symbol: market.symbol,
            maker_order_id: maker.id,
            taker_order_id: taker.id,
            maker_account_id: self.account(at, maker.account)?,
            taker_account_id: self.account(at, taker.account)?,
            side: taker.side,
            price,
            quantity,
            maker_fee: Amount::ZERO,
            taker_fee: Amount::ZERO,
            maker_fee_asset: market.quote,
            taker_fee_asset: market.quote,
            executed_at: at.timestamp,
            settled_at: at.timestamp,
            state: TradeState::Matched,
        };
        let (sequence, fees, settled_at) = (at.sequence, [Amount::ZERO; 2], at.timestamp);
        self.trades.push(Draft {
            trade: Trade { sequence, market, value, quantity, fees, settled_at },
            row: SettlementView { trade, shard: self.shard, sequence: 0, postings: Vec::new() },
        });
        Ok(())
    }

    fn refund(&mut self, at: EventHead, event: &FeeRefunded) -> Result<(), ReadingFault> {
        self.refunds.push(Refund {
            sequence: at.sequence,
            refunded_at: at.timestamp,
            trade_id: event.trade,
            account_id: self.account(at, event.account)?,
            asset: self.asset(at, event.asset)?,
            amount: event.amount,
        });
        match self.unposted.replace(*event) {
            None => Ok(()),
            Some(_) => Err(impossible(at)),
        }
    }

    fn post(&mut self, at: EventHead, event: &BalanceUpdated) -> Result<(), ReadingFault> {
        if event.reason == UpdateReason::FeeRefund {
            let refunded = self.unposted.take().filter(|refunded| posts(event, refunded));
            refunded.ok_or(impossible(at))?;
        }
        let mut views = Vec::with_capacity(event.postings().len());
        for posting in event.postings() {
            let (account_id, asset) =
                (self.account(at, posting.account)?, self.asset(at, posting.asset)?);
            let balance = self.balances.entry((posting.account, posting.asset)).or_default();
            let part = match posting.bucket {
                Bucket::Available => &mut balance[0],
                Bucket::Locked => &mut balance[1],
            };
            let (bucket, delta, before) = (posting.bucket, posting.delta, *part);
            let after = before.checked_add(delta).ok_or(impossible(at))?;
            *part = after;
            views.push(PostingView { account_id, asset, bucket, delta, before, after });
        }
        match event.reference {
            Reference::Event(trade) if event.reason == UpdateReason::TradeSettlement => {
                self.draft(at, trade)?.row.postings.extend(views);
            }
            _ => {}
        }
        Ok(())
    }

    fn settle(&mut self, at: EventHead, event: &TradeSettled) -> Result<(), ReadingFault> {
        let draft = self.draft(at, event.trade)?;
        let row = &mut draft.row;
        if row.trade.state == TradeState::Settled {
            return Err(impossible(at));
        }
        row.sequence = at.sequence;
        row.trade.state = TradeState::Settled;
        row.trade.settled_at = at.timestamp;
        (row.trade.maker_fee, row.trade.taker_fee) = (event.maker_fee, event.taker_fee);
        draft.trade.fees = [event.maker_fee, event.taker_fee];
        draft.trade.settled_at = at.timestamp;
        Ok(())
    }

    /// A trade of this command: another command settles none (SETL-1).
    fn draft(&mut self, at: EventHead, trade: u64) -> Result<&mut Draft, ReadingFault> {
        let draft = self.trades.iter_mut().rev().find(|draft| draft.trade.sequence == trade);
        draft.ok_or(impossible(at))
    }

    fn id(&self, at: EventHead) -> Result<Id, ReadingFault> {
        Id::derive(at.timestamp, self.shard, at.sequence).map_err(|_| impossible(at))
    }

    fn order(&self, at: EventHead, order: u64) -> Result<Order, ReadingFault> {
        self.orders.get(&order).copied().ok_or(impossible(at))
    }

    /// Accounts count from 0.
    fn account(&self, at: EventHead, number: u32) -> Result<Id, ReadingFault> {
        self.accounts.get(number as usize).copied().ok_or(impossible(at))
    }

    /// Assets count from 1.
    fn asset(&self, at: EventHead, number: u32) -> Result<Label, ReadingFault> {
        listed(&self.assets, number).ok_or(impossible(at))
    }

    /// Markets count from 1.
    fn market(&self, at: EventHead, number: u32) -> Result<Market, ReadingFault> {
        listed(&self.markets, number).ok_or(impossible(at))
    }
}

fn listed<T: Copy>(list: &[T], number: u32) -> Option<T> {
    list.get(usize::try_from(number.checked_sub(1)?).ok()?).copied()
}

const fn impossible(at: EventHead) -> ReadingFault {
    ReadingFault::Impossible { at: at.sequence }
}

/// External ids of the system accounts among which fees are split (D-28, D-41).
const FEE_ACCOUNTS: [&str; 3] = ["REVENUE", "INSURANCE_FUND", "REFERRAL"];
