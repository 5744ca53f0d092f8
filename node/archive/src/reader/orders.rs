//! Orders by id, by the client's own id, and in lists.

use port::{List, OrderFilter, OrderRecord, OrderStates, OrderStep, OrderView, Page};
use schema::{Code, EventKind, Label, OrderState, OrderTerms, OrderType, SymbolRef};
use units::{Amount, Id};

use super::merged::{Items, Merged};
use super::{Answered, Found, Reader, check_bounds, collect, within};
use crate::fault::ArchiveFault;
use crate::key::{self, Class, Key, space};
use crate::row::{OrderRow, TRADE_COUNT_INLINE};

impl Reader {
    pub(super) fn order_view_of(&self, id: Id) -> Answered<Option<OrderView>> {
        self.order_with(id)?.map(|(sequence, row)| self.order_view(sequence, &row)).transpose()
    }

    pub(super) fn order_of_client(
        &self,
        account: Id,
        label: &Label,
    ) -> Answered<Option<OrderView>> {
        let Some(account) = self.account_number(account)? else { return Ok(None) };
        let list = key::orders_of_client(account, label);
        let Some(sequence) = self.view.items(&list, 0).next_back().transpose()? else {
            return Ok(None);
        };
        let row = self.order(sequence)?.ok_or(ArchiveFault::Missing('O'))?;
        self.order_view(sequence, &row).map(Some)
    }

    pub(super) fn order_record(&self, id: Id) -> Answered<Option<OrderRecord>> {
        let Some((sequence, row)) = self.order_with(id)? else { return Ok(None) };
        let submitted = &row.submitted;
        let (requested_price, requested_quantity) = self.request(&row)?;
        let step = |step: &crate::row::Step| OrderStep {
            kind: step.kind,
            sequence: step.at.sequence,
            timestamp: step.at.timestamp,
        };
        let trade_id = |sequence| Ok(self.id(self.known_trade(sequence)?.executed_at, sequence));
        let trades = self.trades_of(sequence, &row, 0);
        let trades = trades.take(TRADE_COUNT_MAX).map(|trade| trade.and_then(trade_id));
        Ok(Some(OrderRecord {
            order: self.order_view(sequence, &row)?,
            post_only: submitted.post_only,
            reduce_only: submitted.reduce_only,
            expire_at: submitted.expire_at,
            trigger: submitted.trigger,
            oco_with: submitted.oco_with,
            position_side: submitted.position_side,
            requested_price,
            requested_quantity,
            steps: row.steps.iter().map(step).collect(),
            trades: trades.collect::<Answered<_>>()?,
        }))
    }

    pub(super) fn orders(&self, filter: &OrderFilter, page: &Page) -> Answered<List<OrderView>> {
        if let Err(code) = check_bounds(&filter.period, page) {
            return Ok(Err(code));
        }
        let account = match filter.account {
            Some(id) => match self.account_number(id)? {
                None => return Ok(Err(Code::AccountNotFound)),
                number => number,
            },
            None => None,
        };
        if filter.market.is_some_and(|number| self.lists.market(number).is_none()) {
            return Ok(Err(Code::SymbolNotFound));
        }
        // A price says something of a market's ticks alone.
        if filter.price.is_some() && filter.market.is_none() {
            return Ok(Err(Code::InvalidSchema));
        }
        let first = self.first(&filter.period, page)?;
        let items = self.candidates(filter, (account, first));
        let read = |sequence| {
            let row = self.order(sequence)?.ok_or(ArchiveFault::Missing('O'))?;
            let asked = row.place().is_some_and(|(of, market)| {
                account.is_none_or(|asked| asked == of)
                    && filter.market.is_none_or(|asked| asked == market)
                    && row.state.is_some_and(|state| filter.states.has(state))
            });
            let view = || asked.then(|| self.order_view(sequence, &row)).transpose();
            Ok(match within(&filter.period, row.created_at, view)? {
                Found::Item(Some(view)) => Found::Item(view),
                Found::Item(None) | Found::Other => Found::Other,
                Found::Beyond => Found::Beyond,
            })
        };
        collect(items, page.limit, read).map(Ok)
    }

    /// Sequences of an order's trades from one on: those in its row, then the rest.
    pub(super) fn trades_of(&self, order: u64, row: &OrderRow, from: u64) -> Items {
        let in_row = row.trades.clone().into_iter().filter(move |&trade| trade >= from).map(Ok);
        if row.trades.len() < TRADE_COUNT_INLINE {
            return Box::new(in_row);
        }
        Box::new(in_row.chain(self.view.items(&key::trades_of_order(order), from)))
    }

    /// The shortest lists that hold every order asked for, from a sequence on.
    fn candidates(&self, filter: &OrderFilter, (account, first): (Option<u32>, u64)) -> Items {
        let of = (filter.states, first);
        match (account, filter.market, filter.price) {
            (_, Some(market), Some(price)) => {
                match self.lists.market(market).and_then(|it| it.ticks(price)) {
                    Some(ticks) => self.listed(of, |class| key::orders_at(market, class, ticks)),
                    None => Box::new(std::iter::empty()),
                }
            }
            (Some(account), ..) => {
                self.listed(of, |class| key::orders_of(space::ORDER_OF_ACCOUNT, account, class))
            }
            (None, Some(market), None) => {
                self.listed(of, |class| key::orders_of(space::ORDER_OF_MARKET, market, class))
            }
            (None, None, _) => Box::new(self.view.items(&vec![space::ORDER], first)),
        }
    }

    /// The lists of each class that holds orders of these states, as one.
    fn listed(&self, (states, first): (OrderStates, u64), list: impl Fn(Class) -> Key) -> Items {
        let mut merged = Merged::default();
        for (class, of) in Class::ALL {
            if of.iter().any(|&state| states.has(state)) {
                merged.add(Box::new(self.view.items(&list(class), first)));
            }
        }
        Box::new(merged)
    }

    /// The order as `GetOrder` shows it, open or ended (LIFE-75).
    fn order_view(&self, sequence: u64, row: &OrderRow) -> Answered<OrderView> {
        let submitted = &row.submitted;
        let was_triggered = row.steps.iter().any(|step| step.kind == EventKind::OrderTriggered);
        let blank = OrderView {
            order_id: self.id(row.created_at, sequence),
            account_id: Id::default(),
            symbol: Label::new("").unwrap_or_else(|_| unreachable!("an empty text is short")),
            client_order_id: submitted.client_order_id,
            side: submitted.side,
            order_type: submitted.order_type,
            time_in_force: submitted.time_in_force,
            self_trade: submitted.self_trade,
            price: None,
            quantity: Amount::ZERO,
            filled_quantity: Amount::ZERO,
            remaining_quantity: Amount::ZERO,
            average_price: None,
            total_fee: row.fees,
            reserved: row.reserved,
            state: row.state.unwrap_or(OrderState::Pending),
            prev_state: row.prev_state,
            reason: row.reason,
            expiry: row.expiry,
            state_seq: row.state_seq,
            state_changed_at: row.state_changed_at,
            created_at: row.created_at,
            post_only: submitted.post_only,
            expire_at: submitted.expire_at,
            trigger: submitted.trigger,
            is_triggered: was_triggered,
            oco_with: submitted.oco_with,
        };
        match submitted.terms {
            OrderTerms::Checked { account, market, ticks, .. } => {
                let market = self.market(market)?;
                let limited = submitted.order_type == OrderType::Limit;
                let quantity = in_range(market.quantity(row.total))?;
                let filled_quantity = in_range(market.quantity(row.filled))?;
                Ok(OrderView {
                    account_id: self.account(account)?,
                    symbol: market.symbol,
                    price: limited.then(|| in_range(market.price(ticks))).transpose()?,
                    quantity,
                    filled_quantity,
                    remaining_quantity: quantity - filled_quantity,
                    average_price: row.average_price(market),
                    ..blank
                })
            }
            OrderTerms::Requested { account, symbol, price, .. } => {
                let symbol = match symbol {
                    SymbolRef::Unknown(text) => text,
                    SymbolRef::Listed(number) => {
                        self.lists.market(number).map_or(blank.symbol, |market| market.symbol)
                    }
                };
                Ok(OrderView { account_id: account, symbol, price, ..blank })
            }
        }
    }

    /// Price and quantity that were asked for (STATE-18).
    fn request(&self, row: &OrderRow) -> Answered<(Option<Amount>, Amount)> {
        match row.submitted.terms {
            OrderTerms::Checked { market, ticks, lots, .. } => {
                let market = self.market(market)?;
                Ok((Some(in_range(market.price(ticks))?), in_range(market.quantity(lots))?))
            }
            OrderTerms::Requested { price, quantity, .. } => Ok((price, quantity)),
        }
    }
}

/// A decimal that a sound row has.
pub(super) fn in_range(amount: Option<Amount>) -> Answered<Amount> {
    amount.ok_or(ArchiveFault::Missing('M'))
}

/// Trades that a record of an order names.
const TRADE_COUNT_MAX: usize = port::PAGE_LIMIT_MAX as usize;
