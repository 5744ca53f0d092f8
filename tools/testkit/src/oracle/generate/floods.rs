//! Floods: more at once than one command may take (D-76, D-83).
//!
//! Each kind fills the market for floods with orders of a few accounts and then does one thing to all of
//! them: ends them by time, meets all their triggers, trades through them, lowers their limit. What comes
//! behind finds due work left.

use schema::{
    AssetRef, CancelAllOrders, Command, FeeSchedule, LedgerEntry, MarketChange, MarketParameters,
    OrderRequest, OrderType, ParameterChange, SelfTrade, SymbolRef, TimeInForce, Trigger,
    TriggerKind, TriggerSource,
};
use units::{Amount, Id, Side, Timestamp};

use super::admin::clock_is_back;
use super::setup::{FLOOD_MARKET, UNSIGNED, tiers};
use super::{Generator, label};
use crate::oracle::Oracle;

impl Generator {
    pub(super) fn prepare_flood(&mut self, oracle: &Oracle) {
        let able = oracle.accounts().iter().filter(|it| {
            it.opening.account_type == schema::AccountType::Spot
                && it.opening.kyc_tier > 0
                && it.status == schema::AccountStatus::Active
        });
        let accounts: Vec<Id> = able.map(|it| it.id).take(4).collect();
        let &[one, two, three, four] = accounts.as_slice() else { return };
        for account in accounts {
            self.fund_flood(account);
        }
        if oracle.halt().is_some() {
            self.prepare(clock_is_back());
            self.prepare(Command::ResumeTrading(label("who"), UNSIGNED));
        }
        if oracle.markets()[FLOOD_MARKET as usize - 1].paused {
            let (reason, actor) = (label("why"), label("who"));
            let symbol = SymbolRef::Listed(FLOOD_MARKET);
            let change = MarketChange { symbol, reason, actor };
            self.prepare(Command::ResumeMarket(change, UNSIGNED));
        }
        self.open_gates();
        self.prepare_cancels(oracle);
        self.flood_count += 1;
        match self.flood_count % 4 {
            0 => self.flood_of_ends(one, two),
            1 => self.flood_of_triggers((one, two), (three, four)),
            2 => self.flood_of_fills((one, two), three),
            _ => self.flood_beyond_limit(&[one, two, three]),
        }
        let schedule = FeeSchedule { tiers: tiers(&[(0, 0, 90_000)]), effective_at: None };
        self.prepare(Command::SetFeeSchedule(schedule, UNSIGNED));
        for account in [one, two, three, four] {
            for _ in 0..3 {
                let order = self.flood_order(account, Side::Buy, 900);
                self.prepare(Command::PlaceOrder(order));
            }
        }
        self.open_gates();
        self.prepare_cancels(oracle);
    }

    fn fund_flood(&mut self, account: Id) {
        for asset in [4, 5] {
            let amount = Amount::from_units(1_000_000);
            let (asset, reference) = (AssetRef::Listed(asset), self.random_id());
            self.prepare(Command::Deposit(LedgerEntry { account, asset, amount, reference }));
        }
    }

    fn open_gates(&mut self) {
        let parameters = MarketParameters {
            min_price: Some(units::Ticks(1)),
            max_price: Some(units::Ticks(1_000_000)),
            min_quantity: Some(units::Lots(1)),
            max_quantity: Some(units::Lots(40_000)),
            protection_bound: Some(units::Rate(5_000_000)),
            price_band: Some(None),
            open_orders_max: Some(10_000),
        };
        let symbol = SymbolRef::Listed(FLOOD_MARKET);
        let change = ParameterChange { symbol, parameters };
        self.prepare(Command::SetMarketParameters(change, UNSIGNED));
    }

    fn prepare_cancels(&mut self, oracle: &Oracle) {
        for account in &oracle.accounts()[8..] {
            let symbol = Some(SymbolRef::Listed(FLOOD_MARKET));
            let command = CancelAllOrders { account: account.id, symbol };
            self.prepare(Command::CancelAllOrders(command));
        }
    }

    fn flood_order(&mut self, account: Id, side: Side, ticks: u64) -> OrderRequest {
        OrderRequest {
            account,
            client_order_id: None,
            symbol: SymbolRef::Listed(FLOOD_MARKET),
            side,
            order_type: OrderType::Limit,
            quantity: Amount(Amount::ONE.0 / 100),
            by_quote: false,
            price: Some(Amount(i128::from(ticks) * Amount::ONE.0 / 1_000)),
            time_in_force: TimeInForce::Gtc,
            expire_at: None,
            post_only: false,
            reduce_only: false,
            self_trade: SelfTrade::CancelResting,
            trigger: None,
            oco_with: None,
            position_side: None,
        }
    }

    /// More orders than one command may expire end at one time.
    fn flood_of_ends(&mut self, one: Id, two: Id) {
        let end = Timestamp(self.now + 60_000_000_000);
        for index in 0..1_250 {
            let account = if index % 2 == 0 { one } else { two };
            let mut order = self.flood_order(account, Side::Buy, 800 + index % 9);
            order.time_in_force = TimeInForce::Gtd;
            order.expire_at = Some(end);
            self.prepare(Command::PlaceOrder(order));
        }
        let order = self.flood_order(one, Side::Buy, 900);
        self.prepared.push_back((60_000_000_000, Command::PlaceOrder(order)));
    }

    /// One trade meets more triggers than one command may take.
    fn flood_of_triggers(&mut self, (one, two): (Id, Id), (three, four): (Id, Id)) {
        let first = self.flood_order(three, Side::Buy, 1_000);
        self.prepare(Command::PlaceOrder(first));
        let mut second = self.flood_order(four, Side::Sell, 1_000);
        second.time_in_force = TimeInForce::Ioc;
        self.prepare(Command::PlaceOrder(second));
        for index in 0..1_300 {
            let account = if index % 3 == 0 { one } else { two };
            let mut order = self.flood_order(account, Side::Buy, 1_000 + index % 30);
            let price = Amount(Amount::ONE.0 / 1_000 * 1_010);
            let (kind, source) = (TriggerKind::Stop, TriggerSource::Last);
            order.trigger = Some(Trigger { kind, price, source });
            self.prepare(Command::PlaceOrder(order));
        }
        let third = self.flood_order(three, Side::Buy, 1_020);
        self.prepare(Command::PlaceOrder(third));
        let fourth = self.flood_order(four, Side::Sell, 1_015);
        self.prepare(Command::PlaceOrder(fourth));
        for account in [one, two, three] {
            let order = self.flood_order(account, Side::Sell, 1_025);
            self.prepare(Command::PlaceOrder(order));
        }
        self.prepare(Command::Tick);
    }

    /// One order would make more fills than one command may.
    fn flood_of_fills(&mut self, (one, two): (Id, Id), three: Id) {
        // Sometimes exactly as many as one command may trade with.
        let count = if self.rng.coin() { 10_000 } else { 10_030 };
        for index in 0..count {
            let account = if index % 2 == 0 { one } else { two };
            let order = self.flood_order(account, Side::Sell, 1_000 + index % 20);
            self.prepare(Command::PlaceOrder(order));
        }
        let mut order = self.flood_order(three, Side::Buy, 1_030);
        order.quantity = Amount(Amount::ONE.0 / 100 * 10_010);
        order.time_in_force = TimeInForce::Fok;
        self.prepare(Command::PlaceOrder(order));
        order.time_in_force = TimeInForce::Gtc;
        self.prepare(Command::PlaceOrder(order));
    }

    /// A limit is lowered under what three accounts have.
    fn flood_beyond_limit(&mut self, accounts: &[Id]) {
        for index in 0..1_500 {
            let account = accounts[usize::try_from(index % 3).expect("small")];
            let order = self.flood_order(account, Side::Buy, 800 + index % 9);
            self.prepare(Command::PlaceOrder(order));
        }
        let parameters =
            MarketParameters { open_orders_max: Some(20), ..MarketParameters::default() };
        let symbol = SymbolRef::Listed(FLOOD_MARKET);
        let change = ParameterChange { symbol, parameters };
        self.prepare(Command::SetMarketParameters(change, UNSIGNED));
    }
}
