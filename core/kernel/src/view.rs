//! Reading the state, for the shadow's queries and for tests. Nothing here changes anything.

use ledger::{Account, Balance};
use schema::limits::{KEY_COUNT_DEFAULT, KEY_COUNT_RESERVE};
use schema::{AssetTerms, ClockStatus, Command, FeeTier, Genesis, Label};
use units::{Amount, Id, Lots, Side, Ticks, Timestamp};

use crate::due::day_of;
use crate::{Halt, KeptKey, Kernel, Market, Order, Position, Watch};

impl<W: Watch> Kernel<W> {
    /// Where the kernel stands in its logs.
    #[must_use]
    pub const fn position(&self) -> Position {
        self.position
    }

    /// Who is told of changes.
    pub const fn watch(&self) -> &W {
        &self.watch
    }

    /// Who is told of changes, to take what it collected.
    pub const fn watch_mut(&mut self) -> &mut W {
        &mut self.watch
    }

    /// The configuration, once the first command has run.
    #[must_use]
    pub fn genesis(&self) -> Option<&Genesis> {
        self.recorded.genesis.as_ref().map(|(genesis, _)| &**genesis)
    }

    /// Shard of the log; 0 before the genesis.
    #[must_use]
    pub fn shard(&self) -> u16 {
        self.genesis().map_or(0, |genesis| genesis.shard)
    }

    pub(crate) fn key_count_max(&self) -> u64 {
        self.genesis().map_or(KEY_COUNT_DEFAULT, |genesis| genesis.key_count_max)
    }

    /// Keys that may be kept when this command comes. What anybody can send in numbers stops at the
    /// shard's bound; cancels, money out and the operator's commands go on beyond it (D-83).
    pub(crate) fn key_bound(&self, command: &Command) -> u64 {
        let reserve = match command {
            Command::PlaceOrder(_)
            | Command::ReplaceOrder(_)
            | Command::CreateAccount(_)
            | Command::Deposit(_)
            | Command::Transfer(_) => 0,
            _ => KEY_COUNT_RESERVE,
        };
        self.key_count_max().saturating_add(reserve)
    }

    /// The halt that lasts (D-119).
    #[must_use]
    pub fn halt(&self) -> Option<&Halt> {
        self.halt.as_deref()
    }

    /// Where the stamps come from, as it is on record (TIME-40).
    #[must_use]
    pub fn clock_status(&self) -> ClockStatus {
        self.recorded.clock.unwrap_or(ClockStatus::Primary)
    }

    /// The event of the last recorded snapshot.
    #[must_use]
    pub fn recorded_snapshot(&self) -> Option<u64> {
        self.recorded.snapshot.map(|(sequence, ..)| sequence)
    }

    /// The last recorded state hash and the event it was taken at.
    #[must_use]
    pub const fn recorded_hash(&self) -> Option<(u64, [u8; 32])> {
        self.recorded.state_hash
    }

    /// How many accounts there are, system accounts included.
    #[must_use]
    pub fn account_count(&self) -> u32 {
        self.ledger.account_count()
    }

    /// Number of the account with this id.
    #[must_use]
    pub fn account_number(&self, id: Id) -> Option<u32> {
        self.ledger.number(id)
    }

    /// Number of the account that users see under this id.
    #[must_use]
    pub fn account_number_of(&self, external_id: &Label) -> Option<u32> {
        self.ledger.number_of_external_id(external_id)
    }

    /// The account with this number.
    #[must_use]
    pub fn account(&self, number: u32) -> Option<&Account> {
        self.ledger.account(number)
    }

    /// What an account has of an asset.
    #[must_use]
    pub fn balance(&self, account: u32, asset: u32) -> Balance {
        self.ledger.balance(account, asset)
    }

    /// The assets that an account has or had, by number.
    pub fn assets_of(&self, account: u32) -> impl Iterator<Item = u32> {
        self.ledger.assets_of(account)
    }

    /// Sum of all balances of an asset: zero at every command end (INV-1).
    #[must_use]
    pub fn sum(&self, asset: u32) -> Amount {
        self.ledger.sum(asset)
    }

    /// The rates of an account's next trade in a market (FEE-43).
    #[must_use]
    pub fn rates(&self, account: u32, market: u32) -> Option<FeeTier> {
        self.ledger.account(account)?;
        self.markets.market(market).map(|market| self.rates_of(account, market))
    }

    /// Row of an account in the shard's fee table, from 0, and its volume of the 30 whole days before
    /// the time of the last command (FEE-42).
    #[must_use]
    pub fn fee_tier(&self, account: u32) -> Option<(u8, Amount)> {
        let fees = self.fees.get(account as usize)?;
        Some((fees.tier, fees.volume(day_of(self.command_time))))
    }

    /// The shard's fee table (FEE-41).
    #[must_use]
    pub fn fee_tiers(&self) -> &[FeeTier] {
        &self.schedule.tiers
    }

    /// What an order would have to reserve, by its worst case, in which asset (LIFE-18).
    #[must_use]
    pub fn requirement(
        &self,
        account: u32,
        market: u32,
        (side, ticks, lots): (Side, Ticks, Lots),
    ) -> Option<(Amount, u32)> {
        let market = self.markets.market(market)?;
        let rate = self.rates(account, market.number)?.taker;
        let amount = market.requirement(side, (ticks, lots), rate)?;
        Some((amount, market.reserved_asset(side)))
    }

    /// When the countdown cancel of an account runs out, if it is armed (D-96).
    #[must_use]
    pub fn countdown(&self, account: u32) -> Option<Timestamp> {
        self.countdowns.get(&account).copied()
    }

    /// The open order with this id.
    #[must_use]
    pub fn order(&self, id: Id) -> Option<Order> {
        let order = self.order_of(id.sequence())?;
        (self.id_of(order.sequence, order.submitted_at) == id).then_some(order)
    }

    /// The open order with this sequence of OrderSubmitted.
    #[must_use]
    pub fn order_of(&self, sequence: u64) -> Option<Order> {
        self.orders.slot(sequence).map(|slot| self.orders.whole(slot))
    }

    /// The order that a book's maker stands for.
    #[must_use]
    pub fn order_in_book(&self, maker: &book::Maker) -> Order {
        self.orders.whole(maker.order)
    }

    /// The id of an order.
    #[must_use]
    pub fn order_id(&self, order: &Order) -> Id {
        self.id_of(order.sequence, order.submitted_at)
    }

    /// How many orders are open.
    #[must_use]
    pub fn order_count(&self) -> usize {
        self.orders.count()
    }

    /// The open orders of an account, by id.
    pub fn orders_of(&self, account: u32) -> impl Iterator<Item = Order> {
        self.orders.of_account(account).map(|slot| self.orders.whole(slot))
    }

    /// The market with this listing number.
    #[must_use]
    pub fn market(&self, number: u32) -> Option<&Market> {
        self.markets.market(number)
    }

    /// Listing number of the market with this symbol.
    #[must_use]
    pub fn market_number(&self, symbol: &Label) -> Option<u32> {
        self.markets.number(symbol)
    }

    /// All markets, in order of listing.
    pub fn markets(&self) -> impl Iterator<Item = &Market> {
        self.markets.iter()
    }

    /// How many assets there are; their numbers are 1 to that.
    #[must_use]
    pub fn asset_count(&self) -> u32 {
        self.assets.count()
    }

    /// Number of the asset with this symbol.
    #[must_use]
    pub fn asset_number(&self, symbol: &Label) -> Option<u32> {
        self.assets.number(symbol)
    }

    /// The asset with this number.
    #[must_use]
    pub fn asset(&self, number: u32) -> Option<&AssetTerms> {
        self.assets.terms(number)
    }

    /// A kept idempotency key.
    #[must_use]
    pub fn key(&self, key_hash: &[u8; 16]) -> Option<&KeptKey> {
        self.keys.any(key_hash)
    }

    /// How many keys are kept.
    #[must_use]
    pub fn key_count(&self) -> u64 {
        self.keys.count()
    }
}
