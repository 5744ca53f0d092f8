//! What a query answers, drawn up from the view.
//!
//! Plain data in decimals and ids. Nothing here changes anything.

use kernel::{Market, Order};
use port::{
    AccountView, AssetView, BalanceView, BookView, LevelView, MarketView, OrderView, Query, Seen,
    View as Answer,
};
use schema::{OrderState, OrderType};
use units::{Amount, Id, Lots, Rounding, Side, mul_div};

use super::View;
use super::changes::quantity;

impl View {
    /// Answers a query; `None` for `Health`, which is more than the view knows, and for what the archive
    /// answers.
    pub(crate) fn answer(&self, query: Query) -> Option<Seen> {
        let view = match query {
            Query::Account(id) => {
                Answer::Account(self.kernel.account_number(id).and_then(|n| self.account_view(n)))
            }
            Query::AccountByExternalId(label) => {
                let number = self.kernel.account_number_of(&label);
                Answer::Account(number.and_then(|number| self.account_view(number)))
            }
            Query::Order(id) => Answer::Order(self.find_order(id)),
            Query::OpenOrders(account, market, price) => {
                let number = self.kernel.account_number(account);
                Answer::OpenOrders(number.map(|number| self.open_orders(number, market, price)))
            }
            Query::Book(number, levels) => Answer::Book(self.book_view(number, levels)),
            Query::Markets => Answer::Markets(self.kernel.markets().map(market_view).collect()),
            Query::Assets => Answer::Assets(self.asset_views()),
            Query::FeeSchedule => Answer::FeeSchedule(self.fee_schedule()),
            Query::AccountFees(id) => {
                let number = self.kernel.account_number(id);
                Answer::AccountFees(number.and_then(|number| self.account_fees(number)))
            }
            Query::Preview(request) => Answer::Preview(self.preview(&request)),
            _ => return None,
        };
        Some(self.seen(view))
    }

    /// An answer with the state that it reflects.
    pub(crate) fn seen(&self, view: Answer) -> Seen {
        let position = self.kernel.position();
        Seen { sequence: position.event_sequence, timestamp: position.last_timestamp, view }
    }

    fn account_view(&self, number: u32) -> Option<AccountView> {
        let account = self.kernel.account(number)?;
        let rates = self.kernel.rates_in_force(number)?;
        let balances = self.kernel.assets_of(number);
        Some(AccountView {
            account_id: account.id,
            opening: account.opening(),
            status: account.status,
            version: account.version,
            created_at: account.created_at,
            updated_at: account.updated_at,
            maker_rate: rates.maker,
            taker_rate: rates.taker,
            balances: balances.filter_map(|asset| self.balance_view(number, asset)).collect(),
            fee_in_token: account.fee_in_token,
            countdown_at: self.kernel.countdown(number),
        })
    }

    fn balance_view(&self, account: u32, asset: u32) -> Option<BalanceView> {
        let balance = self.kernel.balance(account, asset);
        Some(BalanceView {
            asset: self.kernel.asset(asset)?.symbol,
            total: balance.total(),
            available: balance.available,
            locked: balance.locked,
            updated_at: balance.updated_at,
            update_seq: balance.update_seq,
        })
    }

    fn find_order(&self, id: Id) -> Option<OrderView> {
        match self.kernel.order(id) {
            Some(order) => self.order_view(&order),
            None => self.ended.order(id).copied(),
        }
    }

    fn open_orders(
        &self,
        account: u32,
        market: Option<u32>,
        price: Option<Amount>,
    ) -> Vec<OrderView> {
        let in_market = |order: &Order| market.is_none_or(|market| order.market == market);
        let at_price = |view: &OrderView| price.is_none() || view.price == price;
        let orders = self.kernel.orders_of(account).filter(in_market);
        orders.filter_map(|order| self.order_view(&order)).filter(at_price).collect()
    }

    /// An open order.
    pub(super) fn order_view(&self, order: &Order) -> Option<OrderView> {
        let market = self.kernel.market(order.market)?;
        let price = market.price(order.ticks);
        let asked = self.asked.get(&order.sequence).copied().unwrap_or_default();
        Some(OrderView {
            order_id: self.kernel.order_id(order),
            account_id: self.kernel.account(order.account)?.id,
            symbol: market.terms.symbol,
            client_order_id: asked.client_order_id,
            side: order.side,
            order_type: order.order_type,
            time_in_force: order.time_in_force,
            self_trade: order.self_trade,
            price: (order.order_type == OrderType::Limit).then_some(price),
            quantity: market.quantity(order.total),
            filled_quantity: market.quantity(order.filled),
            remaining_quantity: market.quantity(order.remaining()),
            average_price: average_price(market, order.units, order.filled),
            total_fee: order.fees,
            reserved: order.reserved,
            state: order.state.unwrap_or(OrderState::Pending),
            prev_state: order.prev_state,
            reason: None,
            expiry: None,
            state_seq: order.state_seq,
            state_changed_at: order.state_changed_at,
            created_at: order.submitted_at,
            post_only: order.is_post_only(),
            expire_at: order.conditions.as_ref().and_then(|it| it.expire_at),
            trigger: asked.trigger,
            is_triggered: asked.trigger.is_some() && order.waiting().is_none(),
            oco_with: asked.oco_with,
        })
    }

    fn book_view(&self, number: u32, levels: usize) -> Option<BookView> {
        let market = self.kernel.market(number)?;
        let side = |side: Side| {
            market.book().depth(side, levels).map(|level| LevelView {
                price: market.price(level.ticks),
                quantity: quantity(market, level.lots),
                orders: level.orders,
            })
        };
        Some(BookView {
            symbol: market.terms.symbol,
            sequence: market.sequence,
            bids: side(Side::Buy).collect(),
            asks: side(Side::Sell).collect(),
        })
    }

    fn asset_views(&self) -> Vec<AssetView> {
        let view = |number| {
            self.kernel.asset(number).map(|terms| AssetView { number, terms: terms.clone() })
        };
        (1..=self.kernel.asset_count()).filter_map(view).collect()
    }
}

fn market_view(market: &Market) -> MarketView {
    MarketView {
        number: market.number,
        terms: market.terms.clone(),
        open: market.open,
        sequence: market.sequence,
        last_price: market.last_price.map(|ticks| market.price(ticks)),
    }
}

/// Mean price of an order's trades: the exact sum of price × quantity in ticks × lots over the lots, in
/// quote per base, half away from zero at 18 decimals. Absent before the first trade.
pub(super) fn average_price(market: &Market, units: u128, filled: Lots) -> Option<Amount> {
    if filled.0 == 0 {
        return None;
    }
    let tick = market.terms.tick_size.0.unsigned_abs();
    let mean = mul_div(units, tick, u128::from(filled.0), Rounding::HalfAway)?;
    i128::try_from(mean).ok().map(Amount)
}
