//! A bare kernel in this process as the exchange.
//!
//! The whole way of a venue: genesis, signed listings, accounts, deposits, then the orders, each a
//! command with a stamp made from the recorded time. Nothing is written and nothing is waited for, so
//! this measures the core and proves its matching. The operator's key is made for this one run.

use std::collections::HashMap;

use anyhow::{Context as _, bail, ensure};
use ed25519_dalek::{Signer as _, SigningKey};
use kernel::Kernel;
use schema::{
    AccountOpening, AccountType, ApiClass, AssetRef, AssetTerms, CancelOrder, Code, Command, Event,
    EventBuffer, Genesis, GroupIter, Key, KeyOrigin, Label, LedgerEntry, MarketKind, MarketTerms,
    Matching, Operator, OrderRequest, OrderTier, OrderType, Outcome, Refusal, RiskTier, SelfTrade,
    Stamped, SymbolRef, TimeInForce, TradeExecuted, signed_bytes,
};
use units::{Amount, Id, Lots, Rate, Side, Ticks, Timestamp};

use super::plan::{KYC_TIER, Place, Plan, QUOTE_DECIMALS, base_decimals};
use super::rows::{Action, Depth, LEVEL_COUNT, Level, OrderRow, TradeRow, index};
use super::shown::ShownBook;
use super::venue::{Best, Canceled, Placed, Venue};

/// The kernel and what the recording calls its orders.
pub(super) struct LocalVenue {
    kernel: Kernel,
    buffer: EventBuffer,
    operator: SigningKey,
    stamp: Timestamp,
    keys: u64,
    accounts: [Vec<Id>; 2],
    /// Id and account by recorded id.
    orders: HashMap<u64, (Id, Id)>,
    /// Recorded id by sequence of OrderSubmitted.
    recorded: HashMap<u64, u64>,
    trades: Vec<TradeRow>,
    /// The book as the events show it.
    shown: ShownBook,
}

impl LocalVenue {
    /// A venue with the market of `symbol` and the plan's accounts.
    ///
    /// # Errors
    /// The market or an account cannot be made.
    pub(super) fn new(plan: &Plan, symbol: &str) -> anyhow::Result<Self> {
        let mut venue = Self {
            kernel: Kernel::new(),
            buffer: EventBuffer::new(),
            operator: SigningKey::from_bytes(&[42; 32]),
            stamp: MIDNIGHT,
            keys: 0,
            accounts: [Vec::new(), Vec::new()],
            orders: HashMap::new(),
            recorded: HashMap::new(),
            trades: Vec::new(),
            shown: ShownBook::default(),
        };
        venue.run(Command::Genesis(genesis(&venue.operator)), None)?;
        venue.list(plan, symbol)?;
        for side in [Side::Buy, Side::Sell] {
            for (number, &funds) in plan.funds[index(side)].iter().enumerate() {
                let account = venue.open(side, number, funds)?;
                venue.accounts[index(side)].push(account);
            }
        }
        Ok(venue)
    }

    /// Checks that money was neither made nor lost (INV-1).
    ///
    /// # Errors
    /// An asset whose balances do not sum to zero.
    pub(super) fn check_conserved(&self) -> anyhow::Result<()> {
        for asset in 1..=self.kernel.asset_count() {
            let sum = self.kernel.sum(asset);
            ensure!(sum == Amount::ZERO, "asset {asset} is not conserved: its sum is {sum}");
        }
        Ok(())
    }

    /// Lists both assets and the market.
    fn list(&mut self, plan: &Plan, symbol: &str) -> anyhow::Result<()> {
        let (base, quote) = symbol.split_once('/').context("a symbol is BASE/QUOTE")?;
        let (base, quote) = (label(base)?, label(quote)?);
        let assets = [(base, base_decimals(plan.lot_size)), (quote, QUOTE_DECIMALS)];
        for (symbol, decimals) in assets {
            self.run_signed(|operator| {
                Command::ListAsset(asset_terms(symbol, decimals), operator)
            })?;
        }
        let terms = market_terms(plan, label(symbol)?, (base, quote));
        self.run_signed(|operator| Command::ListMarket(terms.clone(), operator))?;
        Ok(())
    }

    /// Opens and funds an account.
    fn open(&mut self, side: Side, number: usize, funds: Amount) -> anyhow::Result<Id> {
        let name = format!("flow-{}-{number}", side.name().to_lowercase());
        let opened = self.run(Command::CreateAccount(opening(label(&name)?)), None)?;
        let Outcome::Done { created: Some(account) } = opened else {
            bail!("the account {name} was not opened");
        };
        let asset = AssetRef::Listed(match side {
            Side::Buy => QUOTE_NUMBER,
            Side::Sell => BASE_NUMBER,
        });
        let entry = LedgerEntry { account, asset, amount: funds, reference: Id([1; 16]) };
        self.run(Command::Deposit(entry), None)?;
        Ok(account)
    }

    /// Runs a command with the operator's signature.
    fn run_signed(&mut self, make: impl Fn(Operator) -> Command) -> anyhow::Result<Outcome> {
        self.keys += 1;
        let key_hash = u128::from(self.keys).to_le_bytes();
        let key = Key { key_hash, body_hash: key_hash, origin: KeyOrigin::Client, text: None };
        let valid_until = Timestamp(self.stamp.0 + SIGNATURE_LIFE);
        let unsigned = make(Operator { valid_until, signature: [0; 64] });
        let bytes = signed_bytes(VENUE_ID, &key, valid_until, &unsigned);
        let signature = self.operator.sign(&bytes).to_bytes();
        self.run(make(Operator { valid_until, signature }), Some(key))
    }

    /// Runs a command that must be done.
    fn run(&mut self, command: Command, key: Option<Key>) -> anyhow::Result<Outcome> {
        match self.execute(command, key) {
            Outcome::Refused(refusal) => bail!("{}", explain(&refusal)),
            outcome => Ok(outcome),
        }
    }

    fn execute(&mut self, command: Command, key: Option<Key>) -> Outcome {
        let sequence = self.kernel.position().command_sequence + 1;
        let (stamp, fallback_clock, correlation) = (self.stamp, false, None);
        self.buffer.clear();
        let stamped = Stamped {
            sequence,
            stamp,
            fallback_clock,
            correlation,
            key,
            command,
            account_version: None,
        };
        self.kernel.execute(&stamped, &mut self.buffer).outcome
    }

    /// Notes what the events of the command that just ran show; `taker` is the order that it placed.
    fn note_events(&mut self, taker: Option<&OrderRow>) -> anyhow::Result<()> {
        for group in GroupIter::new(self.buffer.bytes()) {
            for event in group?.events() {
                let (head, event) = event?;
                self.shown.on_event(head.sequence, &event)?;
                if let (Event::TradeExecuted(trade), Some(taker)) = (event, taker) {
                    self.trades.push(self.trade_row(taker, &trade)?);
                }
            }
        }
        Ok(())
    }

    fn trade_row(&self, taker: &OrderRow, trade: &TradeExecuted) -> anyhow::Result<TradeRow> {
        let market = self.kernel.market(MARKET_NUMBER).context("the market is listed")?;
        let maker = self.recorded.get(&trade.maker).context("a maker that was never placed")?;
        Ok(TradeRow {
            taker_seq: taker.seq,
            taker_order_id: taker.order_id,
            maker_order_id: *maker,
            price: market.price(trade.ticks),
            quantity: market.quantity(trade.lots),
        })
    }
}

impl Venue for LocalVenue {
    fn place(&mut self, order: &OrderRow, account: Place) -> anyhow::Result<Placed> {
        let Action::Place { price, quantity } = order.action else {
            bail!("a cancel places nothing")
        };
        let account = self.accounts[index(account.side)][account.account];
        self.stamp = Timestamp(MIDNIGHT.0 + order.time);
        let request = limit_order(account, order.side, (price, quantity));
        match self.execute(Command::PlaceOrder(request), None) {
            Outcome::Accepted { order: id } => {
                self.orders.insert(order.order_id, (id, account));
                self.recorded.insert(id.sequence(), order.order_id);
                self.note_events(Some(order))?;
                Ok(Placed::Accepted)
            }
            Outcome::Rejected { refusal, .. } | Outcome::Refused(refusal) => {
                let (code, detail) = (refusal.code.name().to_owned(), refusal.detail.to_string());
                Ok(Placed::Refused { code, detail })
            }
            outcome => bail!("an order got the answer {outcome:?}"),
        }
    }

    fn cancel(&mut self, order: &OrderRow) -> anyhow::Result<Canceled> {
        let placed = self.orders.get(&order.order_id).context("the order was never accepted")?;
        let (id, account) = *placed;
        self.stamp = Timestamp(MIDNIGHT.0 + order.time);
        let cancel = CancelOrder { account, order: id, state_seq: None };
        match self.execute(Command::CancelOrder(cancel), None) {
            Outcome::Done { .. } => {
                self.note_events(None)?;
                Ok(Canceled::Done)
            }
            Outcome::Refused(refusal) if refusal.code == Code::OrderNotFound => {
                Ok(Canceled::TooLate)
            }
            Outcome::Refused(refusal) => bail!("{}", explain(&refusal)),
            outcome => bail!("a cancel got the answer {outcome:?}"),
        }
    }

    fn depth(&mut self) -> anyhow::Result<Depth> {
        let market = self.kernel.market(MARKET_NUMBER).context("the market is listed")?;
        let side = |side| {
            let levels = market.book().depth(side, LEVEL_COUNT);
            let shown = levels.map(|level| {
                let lots = Lots(u64::try_from(level.lots).context("too many lots at a level")?);
                let (price, quantity) = (market.price(level.ticks), market.quantity(lots));
                Ok(Level { price, quantity, orders: level.orders.into() })
            });
            shown.collect::<anyhow::Result<Vec<_>>>()
        };
        Ok([side(Side::Buy)?, side(Side::Sell)?])
    }

    /// From the events alone; that the book itself says the same is checked on the way.
    fn best(&mut self) -> anyhow::Result<Best> {
        let market = self.kernel.market(MARKET_NUMBER).context("the market is listed")?;
        let shown = self.shown.best();
        for side in [Side::Buy, Side::Sell] {
            let found = market.book().depth(side, 1).next().map(|level| (level.ticks, level.lots));
            let told = shown[index(side)];
            ensure!(found == told, "the events tell of {told:?} and the book of {found:?}");
        }
        Ok(shown.map(|level| level.map(|(ticks, _)| market.price(ticks))))
    }

    fn trades(&mut self) -> anyhow::Result<Vec<TradeRow>> {
        Ok(self.trades.clone())
    }
}

fn explain(refusal: &Refusal) -> String {
    format!("{}: {}", refusal.code.name(), refusal.detail)
}

fn label(text: &str) -> anyhow::Result<Label> {
    Label::new(text).map_err(|_| anyhow::anyhow!("\"{text}\" has more than 64 bytes"))
}

fn genesis(operator: &SigningKey) -> Genesis {
    Genesis {
        venue_id: VENUE_ID,
        shard: 0,
        operator_key: operator.verifying_key().to_bytes(),
        key_count_max: 1_000,
        fee_tiers: fees::default_tiers(),
    }
}

fn asset_terms(symbol: Label, decimals: u8) -> AssetTerms {
    AssetTerms {
        symbol,
        name: symbol,
        decimals,
        is_collateral: false,
        collateral_weight: Rate(0),
        networks: Vec::new(),
    }
}

fn market_terms(plan: &Plan, symbol: Label, (base, quote): (Label, Label)) -> MarketTerms {
    MarketTerms {
        symbol,
        kind: MarketKind::Spot,
        base,
        quote,
        tick_size: plan.tick_size,
        lot_size: plan.lot_size,
        min_price: Ticks(1),
        max_price: plan.max_price,
        min_quantity: Lots(1),
        max_quantity: plan.max_quantity,
        matching: Matching::PriceTime,
        protection_bound: Rate(5_000_000),
        price_band: None,
        open_orders_max: schema::limits::OPEN_ORDER_COUNT_DEFAULT,
        fee_tiers: Vec::new(),
        post_only_until: None,
    }
}

fn opening(external_id: Label) -> AccountOpening {
    AccountOpening {
        account_type: AccountType::Spot,
        external_id,
        owner_id: None,
        jurisdiction: Label::new("ZZ").unwrap_or(external_id),
        kyc_tier: KYC_TIER,
        risk_tier: RiskTier::Standard,
        order_tier: OrderTier::MarketMaker,
        api_class: ApiClass::Institutional,
        metadata: Vec::new(),
    }
}

fn limit_order(account: Id, side: Side, (price, quantity): (Amount, Amount)) -> OrderRequest {
    OrderRequest {
        account,
        client_order_id: None,
        symbol: SymbolRef::Listed(MARKET_NUMBER),
        side,
        order_type: OrderType::Limit,
        quantity,
        price: Some(price),
        time_in_force: TimeInForce::Gtc,
        expire_at: None,
        post_only: false,
        reduce_only: false,
        self_trade: SelfTrade::CancelIncoming,
        trigger: None,
        oco_with: None,
        position_side: None,
        by_quote: false,
    }
}

/// Id of the venue that lives for one run.
const VENUE_ID: Id = Id([0xf1; 16]);
/// The day is not recorded: every recording happens on the first day that exchange time takes in.
const MIDNIGHT: Timestamp = Timestamp::TAKEN_FIRST;
/// A signature is used at once.
const SIGNATURE_LIFE: i64 = 1_000_000_000;
/// The listings of a new kernel are counted from 1.
const BASE_NUMBER: u32 = 1;
const QUOTE_NUMBER: u32 = 2;
const MARKET_NUMBER: u32 = 1;
