//! The balance and the limits that a refused command was held against, each with the event that it comes from.

use std::collections::BTreeMap;

use kernel::{Kernel, Watch};
use schema::{Event, EventGroup, EventHead, Label};
use units::Id;

/// A figure, and the event that it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Figure {
    pub(super) name: String,
    pub(super) value: String,
    /// Absent where nothing set it, as a balance that never was.
    pub(super) event: Option<Id>,
}

/// What held before a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    /// The last event before it.
    pub(super) behind: u64,
    pub(super) figures: Vec<Figure>,
}

/// Which event set what, as far as a log was read.
#[derive(Debug, Default)]
pub(super) struct Origins {
    genesis: Option<Id>,
    /// By symbol: the last event that set parameters, and the last that opened or closed it.
    markets: BTreeMap<Label, [Option<Id>; 2]>,
    statuses: BTreeMap<u32, Id>,
    rates: BTreeMap<u32, Id>,
    schedule: Option<Id>,
}

impl Origins {
    /// Goes past the events of a command, which the kernel has just applied.
    ///
    /// # Errors
    /// They cannot be read.
    pub(super) fn pass<W: Watch>(
        &mut self,
        group: &EventGroup<'_>,
        kernel: &Kernel<W>,
    ) -> anyhow::Result<()> {
        for event in group.events() {
            let (at, event) = event?;
            let id = Id::derive(at.timestamp, kernel.shard(), at.sequence)?;
            let symbol = |number| kernel.market(number).map(|market| market.terms.symbol);
            match event {
                Event::GenesisRecorded(_) => self.genesis = Some(id),
                Event::MarketListed(event) => {
                    self.markets.insert(event.terms.symbol, [Some(id), Some(id)]);
                }
                Event::MarketParametersChanged(event) => {
                    self.set_market(symbol(event.market), 0, id);
                }
                Event::MarketPaused(event) | Event::MarketResumed(event) => {
                    self.set_market(symbol(event.market), 1, id);
                }
                Event::AccountStatusChanged(event) => {
                    self.statuses.insert(event.account, id);
                }
                Event::FeeTierChanged(event) => {
                    self.rates.insert(event.account, id);
                }
                Event::FeeScheduleChanged(_) => self.schedule = Some(id),
                _ => {}
            }
        }
        Ok(())
    }

    fn set_market(&mut self, symbol: Option<Label>, part: usize, event: Id) {
        if let Some(symbol) = symbol {
            self.markets.entry(symbol).or_default()[part] = Some(event);
        }
    }

    /// What holds for an account in a market.
    pub(super) fn moment<W: Watch>(
        &self,
        kernel: &Kernel<W>,
        account: Id,
        symbol: Option<Label>,
    ) -> Moment {
        let mut moment = Moment { behind: kernel.position().event_sequence, figures: Vec::new() };
        let market = symbol.and_then(|symbol| kernel.market_number(&symbol));
        match kernel.account_number(account) {
            Some(number) => self.of_account(kernel, number, market, &mut moment.figures),
            None => push(&mut moment.figures, "account", "there is none", None),
        }
        match market {
            Some(number) => self.of_market(kernel, number, &mut moment.figures),
            None => push(&mut moment.figures, "market", "there is none", None),
        }
        moment
    }

    fn of_account<W: Watch>(
        &self,
        kernel: &Kernel<W>,
        number: u32,
        market: Option<u32>,
        figures: &mut Vec<Figure>,
    ) {
        let Some(account) = kernel.account(number) else { return };
        let status = self.statuses.get(&number).copied().unwrap_or(account.id);
        push(figures, "account status", account.status.name(), Some(status));
        let market = market.and_then(|number| kernel.market(number));
        let assets: Vec<u32> = match market {
            Some(market) => vec![market.base, market.quote],
            None => kernel.assets_of(number).collect(),
        };
        for asset in assets {
            let Some(terms) = kernel.asset(asset) else { continue };
            let balance = kernel.balance(number, asset);
            let at = EventHead { sequence: balance.update_seq, timestamp: balance.updated_at };
            let set = Id::derive(at.timestamp, kernel.shard(), at.sequence);
            let set = set.ok().filter(|_| at.sequence > 0);
            push(figures, &format!("{} available", terms.symbol), balance.available, set);
            push(figures, &format!("{} locked", terms.symbol), balance.locked, set);
        }
        let Some(market) = market else { return };
        let open = kernel.orders_of(number).filter(|order| order.market == market.number);
        let (count, last) =
            open.fold((0u32, None), |(count, _), order| (count + 1, Some(kernel.order_id(&order))));
        let most = market.terms.open_orders_max;
        push(figures, "open orders in the market", format!("{count} of {most}"), last);
        if let Some(rates) = kernel.rates(number, market.number) {
            let set = self.rates.get(&number).copied().or(self.schedule).or(self.genesis);
            push(figures, "taker rate", rates.taker, set);
        }
    }

    fn of_market<W: Watch>(&self, kernel: &Kernel<W>, number: u32, figures: &mut Vec<Figure>) {
        let Some(market) = kernel.market(number) else { return };
        let terms = &market.terms;
        let [set, state] = self.markets.get(&terms.symbol).copied().unwrap_or_default();
        let is_open = if market.open { "open" } else { "paused" };
        push(figures, &format!("market {}", terms.symbol), is_open, state);
        let price = format!(
            "{} to {} in steps of {}",
            market.price(terms.min_price),
            market.price(terms.max_price),
            terms.tick_size
        );
        push(figures, "price", price, set);
        let quantity = format!(
            "{} to {} in steps of {}",
            market.quantity(terms.min_quantity),
            market.quantity(terms.max_quantity),
            terms.lot_size
        );
        push(figures, "quantity", quantity, set);
        if let (Some(band), Some(last)) = (terms.price_band, market.last_price) {
            let band = format!("{band} around {}", market.price(last));
            push(figures, "price band", band, set);
        }
    }
}

fn push(figures: &mut Vec<Figure>, name: &str, value: impl std::fmt::Display, event: Option<Id>) {
    figures.push(Figure { name: name.to_owned(), value: value.to_string(), event });
}
