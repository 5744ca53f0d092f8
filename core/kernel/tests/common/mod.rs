//! A small venue for the kernel's tests: BTC/USDT with tick 0.01 and lot 0.00001, USDT with 6 decimals,
//! and whatever accounts a test opens. Every command goes through a live kernel and its events through
//! a second one, and `check` holds both to the same bytes. The random commands, the auditors that know
//! only the events, and the naive venue are in the modules below.

#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of the venue")]

pub mod audit;
pub mod counts;
pub mod money;
pub mod naive;
pub mod random;

use ed25519_dalek::{Signer, SigningKey};
use kernel::Kernel;
use schema::{
    AccountOpening, AccountType, ApiClass, AssetRef, AssetTerms, CancelOrder, Code, Command, Event,
    EventBuffer, EventHead, FeeTier, Genesis, GroupHead, GroupIter, Key, KeyOrigin, Label,
    LedgerEntry, MarketKind, MarketTerms, Matching, Operator, OrderRequest, OrderTier, OrderType,
    Outcome, Reply, RiskTier, SelfTrade, Stamped, StatusChange, SymbolRef, TimeInForce,
    signed_bytes,
};
use units::{Amount, Id, Lots, Rate, Side, Ticks, Timestamp};

pub const START: Timestamp = Timestamp(1_700_000_000_000_000_000);

/// Two kernels, one executing and one applying.
pub struct Venue {
    pub live: Kernel,
    pub replayed: Kernel,
    pub buffer: EventBuffer,
    pub now: Timestamp,
    /// Events of the last command.
    pub events: Vec<(EventHead, Event)>,
    /// What the last command's group says of it; none when it made no event.
    pub group: Option<GroupHead>,
    /// Every command so far.
    pub commands: Vec<Stamped>,
    /// Every group so far, as stored.
    pub log: Vec<u8>,
    pub operator: SigningKey,
    /// What the next command expects of its account.
    pub account_version: Option<u64>,
    keys: u64,
}

pub fn label(text: &str) -> Label {
    Label::new(text).expect("a short text")
}

pub fn amount(text: &str) -> Amount {
    text.parse().expect("a decimal")
}

pub const VENUE_ID: Id = Id([7; 16]);

pub fn genesis(operator: &SigningKey, fee_tiers: Vec<FeeTier>) -> Genesis {
    Genesis {
        venue_id: VENUE_ID,
        shard: 0,
        operator_key: operator.verifying_key().to_bytes(),
        key_count_max: 1_000,
        fee_tiers,
    }
}

pub fn asset(symbol: &str, decimals: u8) -> AssetTerms {
    AssetTerms {
        symbol: label(symbol),
        name: label(symbol),
        decimals,
        is_collateral: true,
        collateral_weight: Rate(Rate::ONE),
        networks: Vec::new(),
    }
}

pub fn btc_usdt() -> MarketTerms {
    MarketTerms {
        symbol: label("BTC/USDT"),
        kind: MarketKind::Spot,
        base: label("BTC"),
        quote: label("USDT"),
        tick_size: amount("0.01"),
        lot_size: amount("0.00001"),
        min_price: Ticks(1),
        max_price: Ticks(100_000_000_000),
        min_quantity: Lots(1),
        max_quantity: Lots(1_000_000_000_000),
        matching: Matching::PriceTime,
        protection_bound: Rate(5_000_000),
        price_band: None,
        open_orders_max: 200,
        fee_tiers: Vec::new(),
        post_only_until: None,
    }
}

pub fn opening(name: &str) -> AccountOpening {
    AccountOpening {
        account_type: AccountType::Spot,
        external_id: label(name),
        owner_id: None,
        jurisdiction: label("CH"),
        kyc_tier: 2,
        risk_tier: RiskTier::Standard,
        order_tier: OrderTier::Retail,
        api_class: ApiClass::Standard,
        metadata: Vec::new(),
    }
}

/// A limit order GTC in BTC/USDT.
pub fn limit(account: Id, side: Side, quantity: &str, price: &str) -> OrderRequest {
    OrderRequest {
        account,
        client_order_id: None,
        symbol: SymbolRef::Listed(1),
        side,
        order_type: OrderType::Limit,
        quantity: amount(quantity),
        price: Some(amount(price)),
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

impl Venue {
    /// A venue with BTC (8 decimals), USDT (6) and BTC/USDT, at the rates of FEE-5.
    pub fn new() -> Self {
        Self::with_tiers(fees::default_tiers())
    }

    /// The same with maker and taker rates of a test's own.
    pub fn with_rates(maker: i64, taker: i64) -> Self {
        let tier = FeeTier { above: Amount::ZERO, maker: Rate(maker), taker: Rate(taker) };
        Self::with_tiers(vec![tier])
    }

    pub fn with_tiers(tiers: Vec<FeeTier>) -> Self {
        let mut venue = Self::empty();
        let command = Command::Genesis(genesis(&venue.operator, tiers));
        venue.run(command);
        venue.list(|operator| Command::ListAsset(asset("BTC", 8), operator));
        venue.list(|operator| Command::ListAsset(asset("USDT", 6), operator));
        venue.list(|operator| Command::ListMarket(btc_usdt(), operator));
        venue
    }

    /// Before the first command.
    pub fn empty() -> Self {
        Self {
            live: Kernel::new(),
            replayed: Kernel::new(),
            buffer: EventBuffer::new(),
            now: START,
            events: Vec::new(),
            group: None,
            commands: Vec::new(),
            log: Vec::new(),
            operator: SigningKey::from_bytes(&[42; 32]),
            account_version: None,
            keys: 0,
        }
    }

    /// Runs a command without a key, one microsecond later.
    pub fn run(&mut self, command: Command) -> Reply {
        self.run_keyed(command, None)
    }

    pub fn run_keyed(&mut self, command: Command, key: Option<Key>) -> Reply {
        self.now = Timestamp(self.now.0 + 1_000);
        self.run_stamped(command, key)
    }

    /// Runs a command at `now`.
    pub fn run_stamped(&mut self, command: Command, key: Option<Key>) -> Reply {
        let stamped = Stamped {
            sequence: self.live.position().command_sequence + 1,
            stamp: self.now,
            fallback_clock: false,
            correlation: Some(Id([9; 16])),
            key,
            command,
            account_version: self.account_version.take(),
        };
        self.buffer.clear();
        let reply = self.live.execute(&stamped, &mut self.buffer);
        self.commands.push(stamped);
        self.log.extend_from_slice(self.buffer.bytes());
        self.events.clear();
        self.group = None;
        for group in GroupIter::new(self.buffer.bytes()) {
            let group = group.expect("a group");
            self.events.extend(group.events().map(|event| event.expect("an event")));
            self.group = Some(group.head);
            self.replayed.apply_group(&group).expect("its events apply");
        }
        reply
    }

    /// A fresh client key.
    pub fn key(&mut self) -> Key {
        self.keys += 1;
        let mut key_hash = [0; 16];
        key_hash[..8].copy_from_slice(&self.keys.to_le_bytes());
        Key { key_hash, body_hash: [1; 16], origin: KeyOrigin::Client, text: None }
    }

    /// Signs and runs an administrative command.
    pub fn list(&mut self, make: impl Fn(Operator) -> Command) -> Reply {
        let key = self.key();
        let valid_until = Timestamp(self.now.0 + 1_000_000_000);
        let command = self.sign(&key, valid_until, make);
        self.run_keyed(command, Some(key))
    }

    /// An administrative command with the operator's signature.
    pub fn sign(
        &self,
        key: &Key,
        valid_until: Timestamp,
        make: impl Fn(Operator) -> Command,
    ) -> Command {
        let unsigned = make(Operator { valid_until, signature: [0; 64] });
        let bytes = signed_bytes(VENUE_ID, key, valid_until, &unsigned);
        make(Operator { valid_until, signature: self.operator.sign(&bytes).to_bytes() })
    }

    /// The id that the last command created.
    pub fn created(reply: Reply) -> Id {
        match reply.outcome {
            Outcome::Done { created: Some(id) } => id,
            other => panic!("nothing was created: {other:?}"),
        }
    }

    /// Runs a command that must be refused, and returns the code.
    pub fn refuse(&mut self, command: Command) -> Code {
        code_of(self.run(command).outcome)
    }

    /// Opens an account and funds it with units of BTC and USDT.
    pub fn account(&mut self, name: &str, btc: &str, usdt: &str) -> Id {
        let reply = self.run(Command::CreateAccount(opening(name)));
        let id = Self::created(reply);
        for (asset, units) in [(1, btc), (2, usdt)] {
            if amount(units) > Amount::ZERO {
                self.deposit(id, asset, units);
            }
        }
        id
    }

    pub fn deposit(&mut self, account: Id, asset: u32, units: &str) -> Reply {
        self.run(Command::Deposit(entry(account, asset, units)))
    }

    pub fn withdraw(&mut self, account: Id, asset: u32, units: &str) -> Reply {
        self.run(Command::Withdraw(entry(account, asset, units)))
    }

    pub fn place(&mut self, request: OrderRequest) -> Outcome {
        self.run(Command::PlaceOrder(request)).outcome
    }

    /// Places an order that must be accepted.
    pub fn accept(&mut self, request: OrderRequest) -> Id {
        match self.place(request) {
            Outcome::Accepted { order } => order,
            other => panic!("not accepted: {other:?}"),
        }
    }

    /// Places an order that must be rejected, and returns the code.
    pub fn reject(&mut self, request: OrderRequest) -> Code {
        match self.place(request) {
            Outcome::Rejected { refusal, .. } => refusal.code,
            other => panic!("not rejected: {other:?}"),
        }
    }

    pub fn cancel(&mut self, account: Id, order: Id) -> Outcome {
        let cancel = CancelOrder { account, order, state_seq: None };
        self.run(Command::CancelOrder(cancel)).outcome
    }

    pub fn set_status(&mut self, account: Id, to: schema::AccountStatus) -> Outcome {
        let change = StatusChange { account, to, reason: label("test"), actor: label("test") };
        self.list(move |operator| Command::SetAccountStatus(change, operator)).outcome
    }

    /// Available and locked of an account in an asset, as text.
    pub fn balance(&self, account: Id, asset: u32) -> (String, String) {
        let number = self.live.account_number(account).expect("an account");
        let balance = self.live.balance(number, asset);
        (balance.available.to_string(), balance.locked.to_string())
    }

    /// Balance of a system account by number, as text.
    pub fn system(&self, number: u32, asset: u32) -> String {
        self.live.balance(number, asset).total().to_string()
    }

    /// Names of the last command's events.
    pub fn names(&self) -> Vec<&'static str> {
        self.events.iter().map(|(_, event)| event.kind().name()).collect()
    }

    /// The state of a kernel, canonically, without what events alone do not tell.
    pub fn state(kernel: &Kernel) -> Vec<u8> {
        let mut out = Vec::new();
        for entity in kernel.entities() {
            assert!(kernel.encode_entity(entity, &mut out), "a listed entity is there");
        }
        out
    }

    /// Holds the venue to what must be true after every command.
    pub fn check(&self) {
        assert!(Self::state(&self.live) == Self::state(&self.replayed), "live and replayed differ");
        assert_eq!(self.live.sweep(), Ok(()));
        assert_eq!(self.replayed.sweep(), Ok(()));
        for asset in 1..=self.live.asset_count() {
            assert_eq!(self.live.sum(asset), Amount::ZERO, "asset {asset} is conserved");
        }
        for market in self.live.markets() {
            market.book().check();
            let other = self.replayed.market(market.number).expect("the same market");
            for side in [Side::Buy, Side::Sell] {
                let of = |kernel: &Kernel, book: &book::Book| {
                    book.iter(side)
                        .map(|maker| {
                            (kernel.order_in_book(&maker).sequence, maker.ticks, maker.lots)
                        })
                        .collect::<Vec<_>>()
                };
                assert_eq!(of(&self.live, market.book()), of(&self.replayed, other.book()));
            }
            let (bid, ask) = (market.book().best(Side::Buy), market.book().best(Side::Sell));
            assert!(bid.zip(ask).is_none_or(|(bid, ask)| bid < ask), "the book is not crossed");
        }
        self.check_reservations();
    }

    /// Locked is the sum of the open orders' reservations, for every account and asset.
    fn check_reservations(&self) {
        for account in 0..self.live.account_count() {
            for asset in self.live.assets_of(account) {
                let reserved = self
                    .live
                    .orders_of(account)
                    .filter(|order| {
                        let market = self.live.market(order.market).expect("its market");
                        asset == if order.side == Side::Buy { market.quote } else { market.base }
                    })
                    .fold(Amount::ZERO, |sum, order| sum + order.reserved);
                let balance = self.live.balance(account, asset);
                assert_eq!(balance.locked, reserved);
                // EXTERNAL and TRANSIT stand for what is outside.
                assert!(balance.available >= Amount::ZERO || matches!(account, 4 | 6));
            }
        }
    }
}

/// The code of a refusal.
pub fn code_of(outcome: Outcome) -> Code {
    match outcome {
        Outcome::Refused(refusal) | Outcome::Rejected { refusal, .. } => refusal.code,
        other => panic!("not refused: {other:?}"),
    }
}

/// What a refusal says, as text.
pub fn message_of(outcome: Outcome) -> String {
    match outcome {
        Outcome::Refused(refusal) | Outcome::Rejected { refusal, .. } => refusal.detail.to_string(),
        other => panic!("not refused: {other:?}"),
    }
}

pub fn entry(account: Id, asset: u32, units: &str) -> LedgerEntry {
    LedgerEntry {
        account,
        asset: AssetRef::Listed(asset),
        amount: amount(units),
        reference: Id([3; 16]),
    }
}
