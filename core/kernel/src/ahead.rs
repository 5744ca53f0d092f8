//! Looking ahead: what the next commands will need is read before the first of them runs.
//!
//! A command waits for memory several times in a row: account, balance, order, level, each found through the one
//! before. Commands of a batch do not wait for each other, so reading for all of them first lets the processor have
//! many of those reads under way at once. Owns that reading and nothing else: it changes nothing, decides nothing,
//! and may read in vain; a kernel that never looks ahead does the very same.

use core::hint::black_box;

use schema::{CancelOrder, Command, OrderRequest, Stamped, SymbolRef};
use units::Ticks;

use crate::{Kernel, Watch};

impl<W: Watch> Kernel<W> {
    /// Reads what these commands will need. Of use for more than a few at once; changes nothing.
    pub fn look_ahead(&self, commands: &[Stamped]) {
        let mut seen = 0;
        for stamped in commands {
            seen ^= match &stamped.command {
                Command::PlaceOrder(request) => self.look_at_request(request),
                Command::CancelOrder(cancel) => self.look_at_cancel(cancel),
                _ => 0,
            };
        }
        black_box(seen);
    }

    #[inline]
    fn look_at_request(&self, request: &OrderRequest) -> u64 {
        let SymbolRef::Listed(number) = request.symbol else { return 0 };
        let market = self.markets.market(number);
        let account = self.ledger.number(request.account);
        let (Some(market), Some(account)) = (market, account) else { return 0 };
        let asset = market.reserved_asset(request.side);
        let seen = self.ledger.look_at(account, asset) ^ self.orders.look_at_owner(account);
        let ticks = request.price.and_then(|price| market.tick.count(price));
        seen ^ ticks.map_or(0, |ticks| market.book.look_at_price(request.side, Ticks(ticks)))
    }

    #[inline]
    fn look_at_cancel(&self, cancel: &CancelOrder) -> u64 {
        let Some(slot) = self.orders.slot(cancel.order.sequence()) else { return 0 };
        let order = self.orders.at(slot);
        let market = self.markets.at(order.market());
        let seen = self.orders.look_at(slot) ^ market.book.look_at_order(order.node);
        let asset = market.reserved_asset(order.side);
        seen ^ self.ledger.look_at(order.account, asset) ^ self.orders.look_at_owner(order.account)
    }
}
