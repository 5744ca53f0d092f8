//! Requests for orders: prices that cross, every type and flag, and faults of every kind.

use schema::{
    Command, OrderRequest, OrderType, PositionSide, SelfTrade, SymbolRef, TimeInForce, Trigger,
    TriggerKind, TriggerSource,
};
use units::{Amount, Id, Side, Timestamp};

use super::{Generator, label};
use crate::oracle::Oracle;
use crate::oracle::state::Market;

impl Generator {
    pub(super) fn place(&mut self, oracle: &Oracle) -> Command {
        Command::PlaceOrder(self.request(oracle))
    }

    /// A request of anybody in any market.
    pub(super) fn request(&mut self, oracle: &Oracle) -> OrderRequest {
        match self.symbol(oracle) {
            SymbolRef::Listed(number)
                if (1..=oracle.markets().len()).contains(&(number as usize)) =>
            {
                self.request_in(oracle, number)
            }
            symbol => OrderRequest { symbol, ..self.request_in(oracle, 1) },
        }
    }

    /// A request of anybody in this market, now and then a wrong one.
    pub(super) fn request_in(&mut self, oracle: &Oracle, number: u32) -> OrderRequest {
        let market = &oracle.markets()[number as usize - 1];
        let account = self.trader(oracle);
        let side = if self.rng.coin() { Side::Buy } else { Side::Sell };
        let mut request = OrderRequest {
            account,
            client_order_id: self.chance(3).then(|| label("mine")),
            symbol: SymbolRef::Listed(number),
            side,
            order_type: OrderType::Limit,
            quantity: self.quantity(market),
            by_quote: false,
            price: Some(self.price(market)),
            time_in_force: TimeInForce::Gtc,
            expire_at: None,
            post_only: false,
            reduce_only: false,
            self_trade: *self.rng.pick(SelfTrade::ALL).expect("some"),
            trigger: None,
            oco_with: None,
            position_side: None,
        };
        self.vary(&mut request, market);
        if self.chance(8) {
            request.trigger = Some(self.trigger(market, side));
            request.by_quote = false;
        }
        if self.chance(8) {
            request.oco_with = self.own_order(oracle, account, number);
        }
        if self.chance(9) {
            self.spoil(&mut request, market);
        }
        request
    }

    /// Few accounts trade most, so that they meet themselves.
    fn trader(&mut self, oracle: &Oracle) -> Id {
        if self.chance(3) || oracle.accounts().len() < 20 {
            return self.account(oracle);
        }
        let place = 8 + usize::try_from(self.rng.below(9)).expect("small");
        oracle.accounts()[place].id
    }

    fn vary(&mut self, request: &mut OrderRequest, market: &Market) {
        match self.rng.below(100) {
            0..50 => {}
            50..60 => request.time_in_force = TimeInForce::Ioc,
            60..68 => request.time_in_force = TimeInForce::Fok,
            68..78 => {
                request.time_in_force = TimeInForce::Gtd;
                request.expire_at = Some(self.expiry());
            }
            78..86 => {
                request.post_only = true;
                if self.rng.coin() {
                    request.time_in_force = TimeInForce::Gtd;
                    request.expire_at = Some(self.expiry());
                }
            }
            _ => {
                request.order_type = OrderType::Market;
                request.price = None;
                let tifs = [TimeInForce::Ioc, TimeInForce::Ioc, TimeInForce::Fok];
                request.time_in_force = *self.rng.pick(&tifs).expect("some");
                if self.rng.coin() {
                    request.by_quote = true;
                    let ticks = i128::from(self.ticks(market));
                    let lots = i128::from(self.lots(market));
                    request.quantity = Amount(ticks * lots * market.step * 11 / 10 + 1);
                }
            }
        }
    }

    fn expiry(&mut self) -> Timestamp {
        let spans = [30, 5_000_000, 1_000_000_000, 60_000_000_000, 40_000_000_000_000];
        let span = *self.rng.pick(&spans).expect("some");
        Timestamp(self.now + i64::try_from(self.rng.below(span)).expect("fits"))
    }

    /// A trigger near the last price, on the side that is not met yet, mostly.
    fn trigger(&mut self, market: &Market, side: Side) -> Trigger {
        let kind = if self.rng.coin() { TriggerKind::Stop } else { TriggerKind::TakeProfit };
        let upward = (kind == TriggerKind::Stop) == (side == Side::Buy);
        let last = market.last.unwrap_or(self.middles_of(market));
        let away = if self.chance(12) { 0 } else { 1 + self.rng.below(5) };
        let ticks = if upward { last + away } else { last.saturating_sub(away).max(1) };
        let price = Amount(i128::from(ticks) * market.terms.tick_size.0);
        Trigger { kind, price, source: TriggerSource::Last }
    }

    fn middles_of(&mut self, market: &Market) -> u64 {
        let place = market.number as usize - 1;
        if self.middles.len() <= place {
            self.middles.resize(place + 1, 500);
        }
        if self.chance(40) {
            let width = self.rng.below(7);
            let middle = self.middles[place] + width;
            self.middles[place] = middle.saturating_sub(3).max(20);
        }
        self.middles[place]
    }

    pub(super) fn ticks(&mut self, market: &Market) -> u64 {
        let middle = self.middles_of(market);
        let far = if self.chance(12) { middle / 15 + 1 } else { 6 };
        middle.saturating_sub(far) + self.rng.below(2 * far + 1)
    }

    fn price(&mut self, market: &Market) -> Amount {
        let ticks = self.ticks(market).max(1);
        Amount(i128::from(ticks) * market.terms.tick_size.0)
    }

    pub(super) fn lots(&mut self, market: &Market) -> u64 {
        let least = market.terms.min_quantity.0;
        match self.rng.below(10) {
            0 => least,
            1 => least + self.rng.below(1_000),
            _ => least + self.rng.below(40),
        }
    }

    fn quantity(&mut self, market: &Market) -> Amount {
        Amount(i128::from(self.lots(market)) * market.terms.lot_size.0)
    }

    /// Makes one thing of a request wrong, or at the edge of it.
    fn spoil(&mut self, request: &mut OrderRequest, market: &Market) {
        let terms = &market.terms;
        let tick = terms.tick_size.0;
        let lot = terms.lot_size.0;
        let price = |ticks: u64| Some(Amount(i128::from(ticks) * tick));
        let quantity = |lots: u64| Amount(i128::from(lots) * lot);
        let wide = price(u64::MAX);
        match self.rng.below(36) {
            0 => request.price = None,
            1 => request.order_type = OrderType::Market,
            2 => request.time_in_force = TimeInForce::Gtd,
            3 => request.expire_at = Some(Timestamp(self.now + 1_000_000_000)),
            4 => request.post_only = !request.post_only,
            5 => request.reduce_only = true,
            6 => request.position_side = Some(PositionSide::Long),
            7 => request.oco_with = Some(self.random_id()),
            8 => request.by_quote = true,
            9 => request.price = Some(Amount(0)),
            10 => request.price = Some(Amount(-tick)),
            11 => request.price = request.price.map(|it| Amount(it.0 + 1)),
            12 => request.price = price(terms.max_price.0),
            13 => request.price = price(terms.max_price.0.saturating_add(1)),
            14 => request.price = wide,
            15 => request.quantity = Amount(0),
            16 => request.quantity = Amount(-lot),
            17 => request.quantity = Amount(request.quantity.0 + 1),
            18 => request.quantity = quantity(terms.min_quantity.0 - 1),
            19 => request.quantity = quantity(terms.max_quantity.0),
            20 => request.quantity = quantity(terms.max_quantity.0.saturating_add(1)),
            21 => request.quantity = quantity(u64::MAX),
            22 => {
                request.time_in_force = TimeInForce::Gtd;
                let early = i64::try_from(self.rng.below(3)).expect("small");
                request.expire_at = Some(Timestamp(self.now - 1 + early));
            }
            23 => request.expire_at = None,
            24 => request.account = self.random_id(),
            25 => request.symbol = SymbolRef::Unknown(label("A/B")),
            26 => request.symbol = SymbolRef::Listed(0),
            27 => self.spoil_trigger(request, |it| it.source = TriggerSource::Mark),
            28 => self.spoil_trigger(request, |it| it.price = Amount(0)),
            29 => self.spoil_trigger(request, |it| it.price = Amount(it.price.0 + 1)),
            30 => self.spoil_trigger(request, |it| it.price = Amount(i128::from(u64::MAX) * tick)),
            31 => {
                self.spoil_trigger(request, |it| {
                    it.kind = match it.kind {
                        TriggerKind::Stop => TriggerKind::TakeProfit,
                        TriggerKind::TakeProfit => TriggerKind::Stop,
                    };
                });
            }
            32 => request.price = price(terms.min_price.0),
            33 => {
                // Beyond what the customer has.
                request.quantity = quantity(terms.max_quantity.0);
                request.price = price(terms.max_price.0);
            }
            34 => request.quantity = Amount(1),
            _ => request.time_in_force = TimeInForce::Gtc,
        }
    }

    fn spoil_trigger(&mut self, request: &mut OrderRequest, how: impl Fn(&mut Trigger)) {
        let price = request.price.unwrap_or(Amount::ONE);
        let plain = Trigger { kind: TriggerKind::Stop, price, source: TriggerSource::Last };
        let mut trigger = request.trigger.unwrap_or(plain);
        how(&mut trigger);
        request.trigger = Some(trigger);
    }
}
