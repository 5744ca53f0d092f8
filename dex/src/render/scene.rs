//! The state as it is between two events of one command.
//!
//! A log is applied command by command, but an event shows figures of its own moment: what is filled
//! after this trade, what is left reserved, the balance after this posting. The scene begins with the
//! state before the command and follows those figures event by event; only what the command names is
//! ever copied. At the command's end it must agree with the kernel, which a test holds it to.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use kernel::{Kernel, Market};
use schema::{
    BalanceUpdated, Bucket, Event, EventHead, Fill, Label, MarketParametersChanged, MarketTerms,
    OrderReduced, OrderSubmitted, OrderTerms, Posting, SymbolRef, TradeExecuted, Trigger,
};
use units::{Amount, Id, Lots, Rounding, Side, Ticks, mul_div};

use super::touches::Touches;
use super::waiting::Waiting;

/// An order at one moment.
#[derive(Clone, Debug)]
pub(super) struct OrderNow {
    pub(super) id: Id,
    /// Its own sequence (SEQ-27).
    pub(super) version: u64,
    /// Account and market by number; absent for an order that will be rejected.
    pub(super) place: Option<(u32, u32)>,
    pub(super) side: Side,
    pub(super) total: Lots,
    /// What it was before its last reduction in this command.
    pub(super) total_before: Lots,
    /// What it waits for, or waited for when this command began.
    pub(super) trigger: Option<Trigger>,
    pub(super) filled: Lots,
    /// Sum of ticks × lots of its trades.
    pub(super) units: u128,
    pub(super) fees: Amount,
    pub(super) reserved: Amount,
}

/// The trade that is being settled.
#[derive(Clone, Copy, Debug)]
pub(super) struct TradeNow {
    pub(super) sequence: u64,
    pub(super) id: Id,
    /// Ids of the maker's and the taker's order.
    pub(super) orders: [Id; 2],
    /// Listing number of the market.
    pub(super) market: u32,
}

/// The state between two events.
pub(super) struct Scene<'a> {
    kernel: &'a Kernel<Touches>,
    waiting: &'a Waiting,
    shard: u16,
    orders: BTreeMap<u64, OrderNow>,
    balances: BTreeMap<(u32, u32), [Amount; 2]>,
    new_accounts: Vec<Id>,
    new_markets: Vec<Label>,
    new_assets: Vec<Label>,
    trade: Option<TradeNow>,
    /// The last AccountTransferred: its sequence and id.
    transfer: Option<(u64, Id)>,
    /// Parameters of a market before and behind their last change in this command.
    terms: BTreeMap<u32, [MarketTerms; 2]>,
}

impl<'a> Scene<'a> {
    /// The state before a command.
    pub(super) fn before(kernel: &'a Kernel<Touches>, waiting: &'a Waiting) -> Self {
        Self {
            kernel,
            waiting,
            shard: kernel.shard(),
            orders: BTreeMap::new(),
            balances: BTreeMap::new(),
            new_accounts: Vec::new(),
            new_markets: Vec::new(),
            new_assets: Vec::new(),
            trade: None,
            transfer: None,
            terms: BTreeMap::new(),
        }
    }

    /// Moves behind an event.
    ///
    /// # Errors
    /// It names something that is not there.
    pub(super) fn pass(&mut self, at: EventHead, event: &Event) -> anyhow::Result<()> {
        match event {
            Event::GenesisRecorded(event) => self.shard = event.genesis.shard,
            Event::AccountCreated(_) => self.new_accounts.push(self.id(at)?),
            Event::AssetListed(event) => self.new_assets.push(event.terms.symbol),
            Event::MarketListed(event) => self.new_markets.push(event.terms.symbol),
            Event::OrderSubmitted(event) => {
                let order = OrderNow::submitted(self.id(at)?, event);
                self.orders.insert(at.sequence, order);
            }
            Event::OrderAccepted(event) => self.order_mut(event.order)?.version += 1,
            Event::OrderRejected(event) => self.order_mut(event.order)?.version += 1,
            Event::OrderCanceled(event) => self.order_mut(event.order)?.version += 1,
            Event::OrderExpired(event) => self.order_mut(event.order)?.version += 1,
            Event::OrderPartiallyFilled(fill) | Event::OrderFilled(fill) => self.fill(fill)?,
            Event::MarginReserved(event) => self.hold(event.order, event.amount)?,
            Event::MarginReleased(event) => self.hold(event.order, -event.amount)?,
            Event::TradeExecuted(event) => self.trade(at, event)?,
            Event::BalanceUpdated(event) => self.post(event)?,
            Event::OrderReduced(event) => self.reduce(event)?,
            Event::OrderTriggered(event) => self.order_mut(event.order)?.version += 1,
            Event::AccountTransferred(_) => self.transfer = Some((at.sequence, self.id(at)?)),
            Event::MarketParametersChanged(event) => self.change(event)?,
            _ => {}
        }
        Ok(())
    }

    /// The id that an event of this sequence and time makes.
    pub(super) fn id(&self, at: EventHead) -> anyhow::Result<Id> {
        Ok(Id::derive(at.timestamp, self.shard, at.sequence)?)
    }

    /// Shard of the log.
    pub(super) const fn shard(&self) -> u16 {
        self.shard
    }

    /// The trade that is being settled.
    pub(super) fn trade_now(&self) -> anyhow::Result<&TradeNow> {
        self.trade.as_ref().context("there is no trade in this command")
    }

    /// The event that a change of balances refers to: its id, and the orders that it is about.
    pub(super) fn referred(&self, sequence: u64) -> anyhow::Result<(Id, Vec<Id>)> {
        if let Some(trade) = self.trade.filter(|trade| trade.sequence == sequence) {
            return Ok((trade.id, trade.orders.to_vec()));
        }
        let transfer = self.transfer.filter(|(transfer, _)| *transfer == sequence);
        let (_, id) =
            transfer.context("no trade and no transfer of this command has this number")?;
        Ok((id, Vec::new()))
    }

    /// Parameters of a market before their last change in this command.
    pub(super) fn terms_before(&self, market: u32) -> anyhow::Result<&MarketTerms> {
        let terms = self.terms.get(&market).map(|[before, _]| before);
        terms.with_context(|| format!("no parameter of market {market} changed"))
    }

    /// An order by the sequence of its OrderSubmitted, as it is behind the last event passed.
    pub(super) fn order(&mut self, sequence: u64) -> anyhow::Result<&OrderNow> {
        self.order_mut(sequence).map(|order| &*order)
    }

    fn order_mut(&mut self, sequence: u64) -> anyhow::Result<&mut OrderNow> {
        if !self.orders.contains_key(&sequence) {
            let order = self.kernel.order_of(sequence);
            let order =
                order.with_context(|| format!("no open order has the number {sequence}"))?;
            let now = OrderNow {
                id: self.kernel.order_id(&order),
                version: order.version,
                place: Some((order.account, order.market)),
                side: order.side,
                total: order.total,
                total_before: order.total,
                trigger: self.waiting.of(sequence),
                filled: order.filled,
                units: order.units,
                fees: order.fees,
                reserved: order.reserved,
            };
            self.orders.insert(sequence, now);
        }
        self.orders.get_mut(&sequence).context("just entered")
    }

    /// Holds the scene to the state behind the command.
    #[cfg(test)]
    pub(super) fn check(&self, after: &Kernel<Touches>) {
        for (sequence, now) in &self.orders {
            if let Some(order) = after.order_of(*sequence) {
                assert_eq!((now.version, now.filled), (order.version, order.filled));
                assert_eq!(now.total, order.total);
                assert_eq!((now.units, now.fees), (order.units, order.fees));
                assert_eq!(now.reserved, order.reserved);
            }
        }
        for (&(account, asset), &[available, locked]) in &self.balances {
            let balance = after.balance(account, asset);
            assert_eq!((available, locked), (balance.available, balance.locked));
        }
    }

    /// Account and market of an order that was not rejected.
    pub(super) fn place(&mut self, order: u64) -> anyhow::Result<(u32, &'a Market)> {
        let (account, market) =
            self.order(order)?.place.context("the order was rejected and has no market")?;
        Ok((account, self.market(market)?))
    }

    /// The market with this listing number.
    pub(super) fn market(&self, number: u32) -> anyhow::Result<&'a Market> {
        let market = self.kernel.market(number);
        market.with_context(|| format!("there is no market number {number}"))
    }

    /// How many markets there are.
    pub(super) fn market_count(&self) -> usize {
        self.kernel.markets().count() + self.new_markets.len()
    }

    /// Symbol of a market.
    pub(super) fn symbol(&self, number: u32) -> anyhow::Result<Label> {
        if let Some(market) = self.kernel.market(number) {
            return Ok(market.terms.symbol);
        }
        let before = self.kernel.markets().count();
        let place = usize::try_from(number)?.checked_sub(before + 1);
        let symbol = place.and_then(|place| self.new_markets.get(place));
        symbol.copied().with_context(|| format!("there is no market number {number}"))
    }

    /// What a request called its market; a number that names none keeps its number.
    pub(super) fn requested_symbol(&self, symbol: &SymbolRef) -> String {
        match symbol {
            SymbolRef::Unknown(text) => text.to_string(),
            SymbolRef::Listed(number) => {
                self.symbol(*number).map_or_else(|_| format!("#{number}"), |text| text.to_string())
            }
        }
    }

    /// Symbol of an asset.
    pub(super) fn asset(&self, number: u32) -> anyhow::Result<Label> {
        if let Some(terms) = self.kernel.asset(number) {
            return Ok(terms.symbol);
        }
        let place = number.checked_sub(self.kernel.asset_count() + 1);
        let symbol = place.and_then(|place| self.new_assets.get(place as usize));
        symbol.copied().with_context(|| format!("there is no asset number {number}"))
    }

    /// Id of an account.
    pub(super) fn account(&self, number: u32) -> anyhow::Result<Id> {
        if let Some(account) = self.kernel.account(number) {
            return Ok(account.id);
        }
        let place = number.checked_sub(self.kernel.account_count());
        let id = place.and_then(|place| self.new_accounts.get(place as usize));
        id.copied().with_context(|| format!("there is no account number {number}"))
    }

    /// A part of a balance behind the last event passed.
    pub(super) fn balance(&mut self, posting: &Posting) -> Amount {
        self.balances_mut(posting.account, posting.asset)[part(posting.bucket)]
    }

    fn balances_mut(&mut self, account: u32, asset: u32) -> &mut [Amount; 2] {
        self.balances.entry((account, asset)).or_insert_with(|| {
            let balance = self.kernel.balance(account, asset);
            [balance.available, balance.locked]
        })
    }

    fn fill(&mut self, fill: &Fill) -> anyhow::Result<()> {
        let (_, market) = self.place(fill.order)?;
        let units = u128::from(fill.ticks.0) * u128::from(fill.lots.0);
        let value = market.value(units).context("a value out of range")?;
        let order = self.order_mut(fill.order)?;
        let cost = match order.side {
            Side::Buy => value.checked_add(fill.fee).context("a fee out of range")?,
            Side::Sell => market.quantity(fill.lots),
        };
        let filled = order.filled.0.checked_add(fill.lots.0).context("too much is filled")?;
        ensure!(filled <= order.total.0, "more is filled than was ordered");
        order.filled = Lots(filled);
        order.units = order.units.checked_add(units).context("too many trades")?;
        order.fees = order.fees.checked_add(fill.fee).context("a fee out of range")?;
        order.reserved = order.reserved.checked_sub(cost).context("a cost out of range")?;
        order.version += 1;
        Ok(())
    }

    /// Moves from available to locked, or back when `amount` is negative.
    fn hold(&mut self, order: u64, amount: Amount) -> anyhow::Result<()> {
        let (account, market) = self.place(order)?;
        let order = self.order_mut(order)?;
        order.reserved = order.reserved.checked_add(amount).context("a hold out of range")?;
        let asset = reserved_asset(order.side, market);
        let [available, locked] = self.balances_mut(account, asset);
        *available = available.checked_sub(amount).context("a hold out of range")?;
        *locked = locked.checked_add(amount).context("a hold out of range")?;
        Ok(())
    }

    fn reduce(&mut self, event: &OrderReduced) -> anyhow::Result<()> {
        let order = self.order_mut(event.order)?;
        ensure!(event.total < order.total, "an order is reduced to less");
        ensure!(event.total >= order.filled, "an order is reduced below what is filled");
        order.total_before = order.total;
        order.total = event.total;
        order.version += 1;
        Ok(())
    }

    fn change(&mut self, event: &MarketParametersChanged) -> anyhow::Result<()> {
        let before = match self.terms.remove(&event.market) {
            Some([_, now]) => now,
            None => self.market(event.market)?.terms.clone(),
        };
        let now = event.parameters.applied(before.clone());
        self.terms.insert(event.market, [before, now]);
        Ok(())
    }

    fn trade(&mut self, at: EventHead, trade: &TradeExecuted) -> anyhow::Result<()> {
        let (_, market) = self.place(trade.taker)?;
        self.trade = Some(TradeNow {
            sequence: at.sequence,
            id: self.id(at)?,
            orders: [self.order(trade.maker)?.id, self.order(trade.taker)?.id],
            market: market.number,
        });
        Ok(())
    }

    fn post(&mut self, event: &BalanceUpdated) -> anyhow::Result<()> {
        for posting in event.postings() {
            let balance = self.balances_mut(posting.account, posting.asset);
            let amount = &mut balance[part(posting.bucket)];
            *amount = amount.checked_add(posting.delta).context("a balance out of range")?;
        }
        Ok(())
    }
}

impl OrderNow {
    fn submitted(id: Id, event: &OrderSubmitted) -> Self {
        let (place, total) = match event.terms {
            OrderTerms::Checked { account, market, lots, .. } => (Some((account, market)), lots),
            OrderTerms::Requested { .. } => (None, Lots(0)),
        };
        Self {
            id,
            version: 1,
            place,
            side: event.side,
            total,
            total_before: total,
            trigger: event.trigger,
            filled: Lots(0),
            units: 0,
            fees: Amount::ZERO,
            reserved: Amount::ZERO,
        }
    }

    /// What is left of it.
    pub(super) const fn remaining(&self) -> Lots {
        Lots(self.total.0 - self.filled.0)
    }

    /// Mean price of its trades, half away from zero at 18 decimals; absent before the first.
    pub(super) fn average_price(&self, market: &Market) -> Option<Amount> {
        let tick = market.terms.tick_size.0.unsigned_abs();
        let lots = u128::from(self.filled.0);
        let mean = (lots > 0).then(|| mul_div(self.units, tick, lots, Rounding::HalfAway))??;
        i128::try_from(mean).ok().map(Amount)
    }
}

/// The asset that an order of this side reserves.
pub(super) const fn reserved_asset(side: Side, market: &Market) -> u32 {
    match side {
        Side::Buy => market.quote,
        Side::Sell => market.base,
    }
}

/// A bound of a market in decimals.
pub(super) fn price_of(terms: &MarketTerms, ticks: Ticks) -> Amount {
    Amount(i128::from(ticks.0).saturating_mul(terms.tick_size.0))
}

/// A bound of a market in decimals.
pub(super) fn quantity_of(terms: &MarketTerms, lots: Lots) -> Amount {
    Amount(i128::from(lots.0).saturating_mul(terms.lot_size.0))
}

/// Where a part of a balance stands in a pair.
const fn part(bucket: Bucket) -> usize {
    match bucket {
        Bucket::Available => 0,
        Bucket::Locked => 1,
    }
}
