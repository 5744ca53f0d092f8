//! A venue that is right because it is plain: the naive book, balances in a map, fees by the formula.
//!
//! Predicts from a command alone what it must lead to: the code of a refusal, or trades with both fees
//! and the balances after them (LIFE-8, LIFE-18, TRADE-10, TRADE-19, D-43, D-85). It shares no rule
//! with the kernel, `fees` or `ledger`; it knows limit orders, GTC and IOC, and the default self-trade
//! mode, and no status, key or schema fault.

use std::collections::BTreeMap;

use schema::{Code, LedgerEntry, OrderRequest, SymbolRef, TimeInForce};
use testkit::naive::{NaiveBook, Resting, Taker};
use units::{Amount, Lots, Side, Ticks};

use super::Venue;

const ONE: i128 = 1_000_000_000_000_000_000;
const RATE_ONE: i128 = 100_000_000;

/// A trade as predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trade {
    pub maker: u64,
    pub ticks: u64,
    pub lots: u64,
    pub maker_fee: i128,
    pub taker_fee: i128,
}

/// What a command leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    Refused(Code),
    Accepted(Vec<Trade>),
}

#[derive(Clone, Copy)]
struct Order {
    sequence: u64,
    account: u32,
    market: u32,
    side: Side,
    ticks: u64,
    left: u64,
    reserved: i128,
}

struct Market {
    base: u32,
    quote: u32,
    tick: i128,
    lot: i128,
    maker: i128,
    taker: i128,
    /// Last decimal of a fee.
    quantum: i128,
    open_max: usize,
    book: NaiveBook,
}

/// The plain venue.
pub struct Naive {
    markets: Vec<Market>,
    orders: BTreeMap<u32, Order>,
    /// Available and locked by account and asset.
    balances: BTreeMap<(u32, u32), (i128, i128)>,
    next: u32,
}

/// The smallest multiple of `step` that is at least `top ÷ bottom`.
fn up(top: i128, bottom: i128, step: i128) -> i128 {
    let whole = bottom * step;
    (top + whole - 1) / whole * step
}

impl Market {
    fn value(&self, ticks: u64, lots: u64) -> i128 {
        self.tick * self.lot / ONE * i128::from(ticks) * i128::from(lots)
    }

    /// A charge rounds up and is at most the value, a rebate rounds towards zero.
    fn fee(&self, value: i128, rate: i128) -> i128 {
        if rate < 0 {
            let whole = RATE_ONE * self.quantum;
            return -(value * -rate / whole * self.quantum);
        }
        up(value * rate, RATE_ONE, self.quantum).min(value)
    }

    /// What a buy must have reserved.
    fn need(&self, ticks: u64, lots: u64) -> i128 {
        let value = self.value(ticks, lots);
        value + self.fee(value, self.taker)
    }
}

impl Naive {
    /// The markets and balances of a venue without open orders.
    pub fn of(venue: &Venue) -> Self {
        let mut balances = BTreeMap::new();
        for account in 0..venue.live.account_count() {
            for asset in venue.live.assets_of(account) {
                let balance = venue.live.balance(account, asset);
                balances.insert((account, asset), (balance.available.0, balance.locked.0));
            }
        }
        let markets = venue.live.markets().map(|market| {
            let decimals = venue.live.asset(market.quote).expect("listed").decimals.min(8);
            let default = venue.live.genesis().expect("begun").fee_tiers[0];
            let tier = market.terms.fee_tiers.first().copied().unwrap_or(default);
            Market {
                base: market.base,
                quote: market.quote,
                tick: market.terms.tick_size.0,
                lot: market.terms.lot_size.0,
                maker: tier.maker.0.into(),
                taker: tier.taker.0.into(),
                quantum: 10i128.pow(18 - u32::from(decimals)),
                open_max: market.terms.open_orders_max as usize,
                book: NaiveBook::new(),
            }
        });
        Self { markets: markets.collect(), orders: BTreeMap::new(), balances, next: 0 }
    }

    fn change(&mut self, account: u32, asset: u32, (free, locked): (i128, i128)) {
        let balance = self.balances.entry((account, asset)).or_default();
        *balance = (balance.0 + free, balance.1 + locked);
        assert!(account == 4 || (balance.0 >= 0 && balance.1 >= 0), "the plain venue is covered");
    }

    /// A deposit, or with a minus sign a withdrawal.
    pub fn entry(&mut self, account: u32, asset: u32, entry: &LedgerEntry, sign: i128) -> Told {
        let free = self.balances.get(&(account, asset)).map_or(0, |balance| balance.0);
        if sign < 0 && free < entry.amount.0 {
            return Told::Refused(Code::InsufficientBalance);
        }
        self.change(account, asset, (sign * entry.amount.0, 0));
        self.change(4, asset, (-sign * entry.amount.0, 0));
        Told::Accepted(Vec::new())
    }

    /// A cancel of the order that was submitted under this sequence.
    pub fn cancel(&mut self, account: u32, sequence: u64) -> Told {
        let found = self.orders.iter().find(|(_, order)| order.sequence == sequence);
        match found.map(|(id, order)| (*id, *order)) {
            Some((id, order)) if order.account == account => {
                self.markets[order.market as usize - 1].book.cancel(id);
                self.end(id);
                Told::Accepted(Vec::new())
            }
            _ => Told::Refused(Code::OrderNotFound),
        }
    }

    fn end(&mut self, id: u32) {
        let order = self.orders.remove(&id).expect("an open order");
        let market = &self.markets[order.market as usize - 1];
        let asset = if order.side == Side::Buy { market.quote } else { market.base };
        self.change(order.account, asset, (order.reserved, -order.reserved));
    }

    /// An order whose OrderSubmitted will have `sequence`.
    pub fn place(&mut self, account: u32, request: &OrderRequest, sequence: u64) -> Told {
        let SymbolRef::Listed(number) = request.symbol else { panic!("sound orders only") };
        let market = &self.markets[number as usize - 1];
        let price = request.price.expect("a limit order").0;
        let (ticks, lots) = (price / market.tick, request.quantity.0 / market.lot);
        let whole = ticks * market.tick == price && lots * market.lot == request.quantity.0;
        assert!(whole && ticks > 0 && lots > 0, "sound orders only");
        let (ticks, lots) = (u64::try_from(ticks).unwrap(), u64::try_from(lots).unwrap());
        let (asset, reserve) = match request.side {
            Side::Buy => (market.quote, market.need(ticks, lots)),
            Side::Sell => (market.base, market.lot * i128::from(lots)),
        };
        if self.balances.get(&(account, asset)).map_or(0, |balance| balance.0) < reserve {
            return Told::Refused(Code::InsufficientBalance);
        }
        let mine = |order: &&Order| (order.account, order.market) == (account, number);
        if self.orders.values().filter(mine).count() >= market.open_max {
            return Told::Refused(Code::RiskLimitBreach);
        }
        self.change(account, asset, (-reserve, reserve));
        self.next += 1;
        let (id, side) = (self.next, request.side);
        let left = lots;
        let order =
            Order { sequence, account, market: number, side, ticks, left, reserved: reserve };
        self.orders.insert(id, order);
        Told::Accepted(self.match_order(id, request.time_in_force == TimeInForce::Gtc))
    }

    /// Best price first, earliest first, until an own order, a price too far, or nothing is left.
    fn match_order(&mut self, id: u32, rests: bool) -> Vec<Trade> {
        let mut trades = Vec::new();
        loop {
            let order = self.orders[&id];
            let book = &self.markets[order.market as usize - 1].book;
            let Some((ticks, front)) = book.front(order.side.opposite()) else { break };
            let meets = match order.side {
                Side::Buy => ticks.0 <= order.ticks,
                Side::Sell => ticks.0 >= order.ticks,
            };
            if !meets || order.left == 0 {
                break;
            }
            if front.account == order.account {
                self.end(id);
                return trades;
            }
            trades.push(self.trade(id, front.id, order.left.min(front.lots.0)));
        }
        let order = self.orders[&id];
        if order.left == 0 || !rests {
            self.end(id);
        } else {
            let resting = Resting { id, account: order.account, lots: Lots(order.left) };
            let book = &mut self.markets[order.market as usize - 1].book;
            book.add(order.side, Ticks(order.ticks), resting);
        }
        trades
    }

    fn trade(&mut self, taker: u32, maker: u32, lots: u64) -> Trade {
        let (of_taker, of_maker) = (self.orders[&taker], self.orders[&maker]);
        let market = &mut self.markets[of_maker.market as usize - 1];
        let limit = Ticks(of_maker.ticks);
        let wanted = Taker { side: of_taker.side, limit, lots: Lots(lots) };
        let mut met = 0;
        market.book.take(wanted, |_, resting, _| met = resting.id);
        assert_eq!(met, maker, "the front trades");
        let buys = of_taker.side == Side::Buy;
        let (buyer, seller) = if buys { (taker, maker) } else { (maker, taker) };
        let (of_buyer, of_seller) = (self.orders[&buyer], self.orders[&seller]);
        let value = market.value(of_maker.ticks, lots);
        let need = market.need(of_buyer.ticks, of_buyer.left - lots);
        // D-85: the buyer pays from what the rest of its order does not need.
        let spare = of_buyer.reserved - value - need;
        let cap = |is_buyer: bool, fee: i128| if is_buyer { fee.min(spare) } else { fee };
        let taker_fee = cap(buys, market.fee(value, market.taker));
        let maker_fee = cap(!buys, market.fee(value, market.maker)).max(-taker_fee);
        let (buyer_fee, seller_fee) =
            if buys { (taker_fee, maker_fee) } else { (maker_fee, taker_fee) };
        let (base, quote, quantity) = (market.base, market.quote, market.lot * i128::from(lots));
        self.change(of_buyer.account, base, (quantity, 0));
        let freed = of_buyer.reserved - need - value - buyer_fee;
        self.change(of_buyer.account, quote, (freed, need - of_buyer.reserved));
        self.change(of_seller.account, base, (0, -quantity));
        self.change(of_seller.account, quote, (value - seller_fee, 0));
        let net = maker_fee + taker_fee;
        self.change(1, quote, (net * 20 / 100, 0));
        self.change(2, quote, (net * 10 / 100, 0));
        self.change(0, quote, (net - net * 20 / 100 - net * 10 / 100, 0));
        let order = self.orders.get_mut(&buyer).expect("open");
        (order.reserved, order.left) = (need, order.left - lots);
        let order = self.orders.get_mut(&seller).expect("open");
        (order.reserved, order.left) = (order.reserved - quantity, order.left - lots);
        if self.orders[&maker].left == 0 {
            self.end(maker);
        }
        let (ticks, maker) = (of_maker.ticks, of_maker.sequence);
        Trade { maker, ticks, lots, maker_fee, taker_fee }
    }

    /// Holds every balance and every book of a venue against the plain ones.
    pub fn compare(&self, venue: &Venue) {
        for ((account, asset), (free, locked)) in &self.balances {
            let balance = venue.live.balance(*account, *asset);
            let found = (balance.available, balance.locked);
            assert_eq!(found, (Amount(*free), Amount(*locked)), "account {account}, asset {asset}");
        }
        for (index, market) in self.markets.iter().enumerate() {
            let number = u32::try_from(index).expect("few") + 1;
            let live = venue.live.market(number).expect("listed");
            for side in [Side::Buy, Side::Sell] {
                let ladder = market.book.ladder(side);
                let plain = ladder.iter().flat_map(|(ticks, level)| {
                    level.iter().map(|order| (*ticks, order.lots, self.orders[&order.id].sequence))
                });
                let fast = live.book().iter(side).map(|maker| {
                    (maker.ticks, maker.lots, venue.live.order_in_book(&maker).sequence)
                });
                assert!(plain.eq(fast), "the books differ");
            }
        }
    }
}
