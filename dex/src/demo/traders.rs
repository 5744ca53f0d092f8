//! Makers who quote around a wandering price, and takers who hit them.
//!
//! One loop decides for all, from one seed; each step asks the door a handful of times. A maker keeps a
//! few orders a side and cancels its oldest; a taker crosses the spread with an IOC order.

use std::fmt;

use hyper::{Method, StatusCode};
use serde_json::json;
use units::{Amount, Id};

use super::rng::Rng;
use super::session::Session;
use super::venue::{Listed, MARKETS, Venue, fund};

/// All traders.
pub(super) struct Traders {
    rng: Rng,
    makers: Vec<Id>,
    takers: Vec<Id>,
    markets: Vec<MarketState>,
    /// What was done.
    pub(super) pulse: Pulse,
}

/// How it goes.
#[derive(Clone, Debug, Default)]
pub(super) struct Pulse {
    prices: Vec<(&'static str, Amount)>,
    placed: u64,
    canceled: u64,
}

struct MarketState {
    symbol: &'static str,
    usual_lots: u64,
    tick_size: Amount,
    lot_size: Amount,
    /// Where the price wanders, in ticks.
    middle: i64,
}

/// An order to be.
struct Draft {
    account: Id,
    side: &'static str,
    ticks: i64,
    lots: u64,
    time_in_force: &'static str,
}

impl Traders {
    pub(super) fn new(seed: u64, venue: &Venue) -> Self {
        let state = |(market, listed): (&super::venue::DemoMarket, &Listed)| MarketState {
            symbol: market.symbol,
            usual_lots: market.usual_lots,
            tick_size: listed.tick_size,
            lot_size: listed.lot_size,
            middle: i64::try_from(listed.last_price.0 / listed.tick_size.0).unwrap_or(i64::MAX / 2),
        };
        Self {
            rng: Rng::new(seed),
            makers: venue.makers.clone(),
            takers: venue.takers.clone(),
            markets: MARKETS.iter().zip(&venue.markets).map(state).collect(),
            pulse: Pulse::default(),
        }
    }

    /// Every market moves a little, is quoted once and sometimes hit.
    pub(super) async fn step(&mut self, session: &mut Session<'_>) -> anyhow::Result<()> {
        self.pulse.prices.clear();
        for market in 0..self.markets.len() {
            self.wander(market);
            let quote = self.quote(market);
            self.make_room(session, market, &quote).await?;
            self.place(session, market, quote).await?;
            if self.rng.below(3) == 0 {
                let hit = self.hit(market);
                self.place(session, market, hit).await?;
            }
            let state = &self.markets[market];
            self.pulse.prices.push((state.symbol, state.price(state.middle)));
        }
        Ok(())
    }

    /// Cancels the maker's oldest order on a side where it has enough. What is open is asked and not
    /// remembered: others fill orders meanwhile.
    async fn make_room(
        &mut self,
        session: &mut Session<'_>,
        market: usize,
        quote: &Draft,
    ) -> anyhow::Result<()> {
        let symbol = self.markets[market].symbol.replace('/', "-");
        let path = format!("/v1/accounts/{}/orders?symbol={symbol}", quote.account);
        let answer = session.trade((Method::GET, &path), None).await?;
        let orders = answer.body["orders"].as_array();
        let mut same_side =
            orders.into_iter().flatten().filter(|order| order["side"] == quote.side);
        let Some(oldest) = same_side.next().and_then(|order| order["order_id"].as_str()) else {
            return Ok(());
        };
        if same_side.count() + 1 >= QUOTE_COUNT_MAX {
            let path = format!("/v1/orders/{oldest}");
            let answer = session.trade((Method::DELETE, &path), None).await?;
            self.pulse.canceled += u64::from(answer.status == StatusCode::OK);
        }
        Ok(())
    }

    fn wander(&mut self, market: usize) {
        let state = &mut self.markets[market];
        let width = (state.middle / 20_000).max(1);
        let reach = u64::try_from(2 * width + 1).unwrap_or(1);
        let step = i64::try_from(self.rng.below(reach)).unwrap_or(0) - width;
        state.middle = (state.middle + step).max(MIDDLE_MIN);
    }

    fn quote(&mut self, market: usize) -> Draft {
        let account = pick(&mut self.rng, &self.makers);
        let state = &self.markets[market];
        let unit = (state.middle / 50_000).max(1);
        let distance = unit * i64::try_from(1 + self.rng.below(40)).unwrap_or(1);
        let (side, ticks) = if self.rng.below(2) == 0 {
            ("BUY", state.middle - distance)
        } else {
            ("SELL", state.middle + distance)
        };
        let lots = 1 + self.rng.below(2 * state.usual_lots);
        Draft { account, side, ticks, lots, time_in_force: "GTC" }
    }

    fn hit(&mut self, market: usize) -> Draft {
        let account = pick(&mut self.rng, &self.takers);
        let state = &self.markets[market];
        let reach = (state.middle / 1_000).max(1);
        let (side, ticks) = if self.rng.below(2) == 0 {
            ("BUY", state.middle + reach)
        } else {
            ("SELL", state.middle - reach)
        };
        let lots = 1 + self.rng.below(state.usual_lots);
        Draft { account, side, ticks, lots, time_in_force: "IOC" }
    }

    /// Places an order; a trader who has run out of money gets more.
    async fn place(
        &mut self,
        session: &mut Session<'_>,
        market: usize,
        draft: Draft,
    ) -> anyhow::Result<()> {
        let state = &self.markets[market];
        let body = json!({
            "account_id": draft.account.to_string(),
            "symbol": state.symbol,
            "side": draft.side,
            "type": "LIMIT",
            "quantity": Amount(state.lot_size.0 * i128::from(draft.lots)).to_string(),
            "price": state.price(draft.ticks).to_string(),
            "time_in_force": draft.time_in_force,
        });
        let answer = session.trade((Method::POST, "/v1/orders"), Some(&body)).await?;
        if answer.status == StatusCode::CREATED {
            self.pulse.placed += 1;
            return Ok(());
        }
        match answer.code() {
            Some("INSUFFICIENT_BALANCE") => fund(session, draft.account, false).await?,
            code => tracing::warn!(?code, "the exchange refused an order of the demonstration"),
        }
        Ok(())
    }
}

impl MarketState {
    fn price(&self, ticks: i64) -> Amount {
        Amount(self.tick_size.0 * i128::from(ticks))
    }
}

impl fmt::Display for Pulse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (symbol, price) in &self.prices {
            write!(f, "{symbol} {price}   ")?;
        }
        write!(f, "{} orders placed, {} canceled", self.placed, self.canceled)
    }
}

/// One of several accounts.
fn pick(rng: &mut Rng, accounts: &[Id]) -> Id {
    accounts[usize::try_from(rng.below(accounts.len() as u64)).unwrap_or(0)]
}

/// Orders that a maker keeps on a side of a market.
const QUOTE_COUNT_MAX: usize = 12;
/// The price never wanders below this many ticks.
const MIDDLE_MIN: i64 = 1_000;
