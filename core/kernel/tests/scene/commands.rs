//! A line of a scene as a command of the kernel: names become ids, words become fields.

use schema::{
    AssetRef, CancelAllOrders, CancelOrder, Command, CountdownCancel, Key, KeyOrigin, Label,
    LedgerEntry, OrderRequest, OrderType, PositionSide, ReduceOrder, ReplaceOrder, SymbolRef,
    TimeInForce, Transfer, Trigger, TriggerSource,
};
use units::{Amount, Id, Timestamp};

use super::acts::{AccountAct, KeyWords, OrderWords, SeqWords};
use super::parse::Fault;
use super::setup::BEGIN;
use super::stage::{Stage, hash_of};
use crate::common::label;

impl Stage {
    pub(crate) fn command_of(
        &self,
        line: usize,
        account: Id,
        (act, key): (&AccountAct, Option<&KeyWords>),
        counted: &dyn Fn(&str) -> String,
    ) -> Result<Command, Fault> {
        let place = |order: &OrderWords| {
            let mut request = self.request(line, account, order)?;
            request.client_order_id = key.and_then(|key| Label::new(&key.name).ok());
            Ok(request)
        };
        Ok(match act {
            AccountAct::Place { order, .. } => Command::PlaceOrder(place(order)?),
            AccountAct::Cancel { order, state_seq } => {
                let order = self.order_id(line, &counted(order))?;
                let state_seq = self.state_seq(order, *state_seq);
                Command::CancelOrder(CancelOrder { account, order, state_seq })
            }
            AccountAct::Reduce { order, to, state_seq } => {
                let order = self.order_id(line, &counted(order))?;
                let state_seq = self.state_seq(order, *state_seq);
                Command::ReduceOrder(ReduceOrder { account, order, quantity: *to, state_seq })
            }
            AccountAct::Replace { order, with, state_seq, .. } => {
                let order = self.order_id(line, &counted(order))?;
                let state_seq = self.state_seq(order, *state_seq);
                Command::ReplaceOrder(ReplaceOrder { order, state_seq, request: place(with)? })
            }
            AccountAct::CancelAll { symbol } => {
                let symbol = symbol.as_deref().map(|symbol| self.symbol_ref(symbol));
                Command::CancelAllOrders(CancelAllOrders { account, symbol })
            }
            AccountAct::Countdown { timeout } => {
                Command::SetCountdownCancel(CountdownCancel { account, timeout: *timeout })
            }
            AccountAct::Deposit { amount, asset } => {
                Command::Deposit(deposit(account, self.asset_ref(asset), *amount))
            }
            AccountAct::Withdraw { amount, asset } => {
                Command::Withdraw(deposit(account, self.asset_ref(asset), *amount))
            }
            AccountAct::Transfer { amount, asset, to } => Command::Transfer(Transfer {
                from: account,
                to: self.account_id(line, to)?,
                asset: self.asset_ref(asset),
                amount: *amount,
            }),
        })
    }

    fn request(&self, line: usize, account: Id, words: &OrderWords) -> Result<OrderRequest, Fault> {
        let usual = if words.market_order { TimeInForce::Ioc } else { TimeInForce::Gtc };
        let source = if words.by_mark { TriggerSource::Mark } else { TriggerSource::Last };
        let pair = words.oco_with.as_deref();
        Ok(OrderRequest {
            account,
            client_order_id: None,
            symbol: words.symbol.as_deref().map_or(SymbolRef::Listed(1), |s| self.symbol_ref(s)),
            side: words.side,
            order_type: if words.market_order { OrderType::Market } else { OrderType::Limit },
            quantity: words.quantity,
            by_quote: words.by_quote,
            price: words.price,
            time_in_force: words.time_in_force.unwrap_or(usual),
            expire_at: words.until.map(|until| Timestamp(BEGIN.0 + until)),
            post_only: words.post_only,
            reduce_only: words.reduce_only,
            self_trade: words.self_trade,
            trigger: words.trigger.map(|(kind, price)| Trigger { kind, price, source }),
            oco_with: pair.map(|name| self.order_id(line, name)).transpose()?,
            position_side: words.long.then_some(PositionSide::Long),
        })
    }

    fn state_seq(&self, order: Id, words: Option<SeqWords>) -> Option<u64> {
        let current = self.venue.live.order(order).map_or(0, |order| order.state_seq);
        words.map(|words| match words {
            SeqWords::Current => current,
            SeqWords::First => self.first_seq(order),
            SeqWords::Stale => current + 1,
        })
    }

    pub(crate) fn asset_ref(&self, symbol: &str) -> AssetRef {
        let number = self.venue.live.asset_number(&label(symbol));
        number.map_or(AssetRef::Unknown(label(symbol)), AssetRef::Listed)
    }
}

pub(crate) fn deposit(account: Id, asset: AssetRef, amount: Amount) -> LedgerEntry {
    LedgerEntry { account, asset, amount, reference: Id([3; 16]) }
}

/// The key of a command, by its account and the name that the scene gives it.
pub(crate) fn key_of(account: &str, key: &KeyWords, command: &Command) -> Key {
    let origin = key.until.map_or(KeyOrigin::Client, |until| KeyOrigin::Gateway {
        valid_until: Timestamp(BEGIN.0 + until),
    });
    Key {
        key_hash: hash_of(&format!("{account} {}", key.name)),
        body_hash: hash_of(&format!("{command:?}")),
        origin,
        text: Label::new(&key.name).ok(),
    }
}
