//! A storm: many orders that end at one moment.

use port::Request;
use schema::{Command, OrderRequest, OrderType, SelfTrade, SymbolRef, TimeInForce};
use testkit::rng::SplitMix64;
use units::{Amount, Side, Timestamp};

use super::World;
use super::clients::attempt;
use super::http::Message;
use crate::violation::Violation;

impl World {
    /// Places orders below the market that end at one time, and lets that time pass.
    pub(super) fn storm(&mut self, random: &mut SplitMix64) -> Result<(), Violation> {
        let Some(door) = self.door() else { return Ok(()) };
        let end = Timestamp(door.clock().now().0 + LIFE);
        for _ in 0..random.between(60, 200) {
            let request = self.short_lived(random, end);
            self.arrive(Message::plain(request));
            if random.below(10) == 0 {
                self.settle()?;
            }
        }
        self.settle()?;
        self.advance(LIFE + 1_000_000_000);
        Ok(())
    }

    pub(super) fn short_lived(&self, random: &mut SplitMix64, end: Timestamp) -> Request {
        let accounts = self.auditor.oracle().accounts();
        let customers = &accounts[CUSTOMER_FIRST.min(accounts.len() - 1)..];
        let account = random.pick(customers).expect("some").id;
        let ticks = i128::from(random.between(700, 800));
        let order = OrderRequest {
            account,
            client_order_id: None,
            symbol: SymbolRef::Listed(MARKET),
            side: Side::Buy,
            order_type: OrderType::Limit,
            quantity: Amount(Amount::ONE.0 / 10),
            by_quote: false,
            price: Some(Amount(Amount::ONE.0 / 1_000 * ticks)),
            time_in_force: TimeInForce::Gtd,
            expire_at: Some(end),
            post_only: false,
            reduce_only: false,
            self_trade: SelfTrade::CancelIncoming,
            trigger: None,
            oco_with: None,
            position_side: None,
        };
        let (correlation, command) = (attempt(random.next()), Command::PlaceOrder(order));
        Request { correlation, key: None, account_version: None, command }
    }
}

/// Nanoseconds that the orders live.
const LIFE: i64 = 5_000_000_000;
/// The market that takes many orders of one account.
const MARKET: u32 = 9;
/// The first account that is not the exchange's own.
const CUSTOMER_FIRST: usize = 8;
