//! A small venue whose every command is rendered.

use ed25519_dalek::{Signer as _, SigningKey};
use kernel::Kernel;
use schema::{
    AccountOpening, AccountType, ApiClass, AssetRef, AssetTerms, CancelOrder, Command, Event,
    EventBuffer, Genesis, GroupIter, Key, KeyOrigin, Label, LedgerEntry, MarketKind, MarketTerms,
    Matching, NetworkTerms, Operator, OrderRequest, OrderTier, OrderType, Outcome, RiskTier,
    SelfTrade, Stamped, SymbolRef, TimeInForce, signed_bytes,
};
use serde_json::Value;
use units::{Amount, Id, Lots, Rate, Side, Ticks, Timestamp};

use crate::render::scene::Scene;
use crate::render::{Rendered, Renderer};

const VENUE_ID: Id = Id([7; 16]);

/// A kernel that executes, and a renderer that follows.
pub(super) struct Venue {
    kernel: Kernel,
    renderer: Renderer,
    operator: SigningKey,
    now: i64,
    /// What the last command was shown as.
    pub(super) shown: Vec<Rendered>,
    /// Everything that was shown, as JSON.
    pub(super) log: Vec<Value>,
}

pub(super) fn label(text: &str) -> Label {
    Label::new(text).expect("short")
}

pub(super) fn amount(text: &str) -> Amount {
    text.parse().expect("a decimal")
}

pub(super) fn limit(account: Id, side: Side, quantity: &str, price: &str) -> OrderRequest {
    OrderRequest {
        account,
        client_order_id: Some(label("mine")),
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
    /// BTC/USDT with tick 0.01 and lot 0.0001.
    pub(super) fn new() -> Self {
        let operator = SigningKey::from_bytes(&[42; 32]);
        let operator_key = operator.verifying_key().to_bytes();
        let mut venue = Self {
            kernel: Kernel::new(),
            renderer: Renderer::new(),
            operator,
            now: 1_708_123_456_789_012_345,
            shown: Vec::new(),
            log: Vec::new(),
        };
        let fee_tiers = fees::default_tiers();
        let (shard, key_count_max) = (3, 1_000);
        let genesis = Genesis { venue_id: VENUE_ID, shard, operator_key, key_count_max, fee_tiers };
        venue.run(Command::Genesis(genesis));
        for (symbol, decimals) in [("BTC", 8), ("USDT", 6)] {
            venue.sign(|operator| Command::ListAsset(asset(symbol, decimals), operator));
        }
        venue.sign(|operator| Command::ListMarket(market(), operator));
        venue
    }

    /// Runs a command without a key.
    pub(super) fn run(&mut self, command: Command) -> Outcome {
        self.run_keyed(command, None)
    }

    /// Runs a command and renders what comes of it; the scene must agree with the state behind it.
    pub(super) fn run_keyed(&mut self, command: Command, key: Option<Key>) -> Outcome {
        self.now += 1_000;
        let stamped = Stamped {
            sequence: self.kernel.position().command_sequence + 1,
            stamp: Timestamp(self.now),
            fallback_clock: false,
            correlation: Some(Id([9; 16])),
            key,
            command,
        };
        let mut buffer = EventBuffer::new();
        let outcome = self.kernel.execute(&stamped, &mut buffer).outcome;
        self.shown.clear();
        for group in GroupIter::new(buffer.bytes()) {
            let group = group.expect("a group");
            let before = self.renderer.kernel.clone();
            self.shown = self.renderer.render(&group).expect("sound");
            let mut scene = Scene::before(&before);
            for event in group.events() {
                let (head, event): (_, Event) = event.expect("an event");
                scene.pass(head, &event).expect("sound");
            }
            scene.check(&self.renderer.kernel);
        }
        self.log.extend(self.shown.iter().map(json));
        outcome
    }

    /// Runs a command with the operator's signature.
    pub(super) fn sign(&mut self, make: impl Fn(Operator) -> Command) -> Outcome {
        let key_hash = u128::from(self.kernel.position().command_sequence).to_le_bytes();
        let key = Key {
            key_hash,
            body_hash: [1; 16],
            origin: KeyOrigin::Client,
            text: Some(label("key")),
        };
        let valid_until = Timestamp(self.now + 1_000_000_000);
        let unsigned = make(Operator { valid_until, signature: [0; 64] });
        let bytes = signed_bytes(VENUE_ID, &key, valid_until, &unsigned);
        let signature = self.operator.sign(&bytes).to_bytes();
        self.run_keyed(make(Operator { valid_until, signature }), Some(key))
    }

    /// Opens an account with 100 BTC and 1,000,000 USDT.
    pub(super) fn account(&mut self, name: &str) -> Id {
        let opening = AccountOpening {
            account_type: AccountType::Spot,
            external_id: label(name),
            owner_id: None,
            jurisdiction: label("CH"),
            kyc_tier: 2,
            risk_tier: RiskTier::Standard,
            order_tier: OrderTier::Retail,
            api_class: ApiClass::Standard,
            metadata: vec![(label("desk"), label("one"))],
        };
        let opened = self.run(Command::CreateAccount(opening));
        let Outcome::Done { created: Some(account) } = opened else { panic!("{opened:?}") };
        for (asset, units) in [(1, "100"), (2, "1000000")] {
            let asset = AssetRef::Listed(asset);
            let reference = Id([3; 16]);
            self.run(Command::Deposit(LedgerEntry {
                account,
                asset,
                amount: amount(units),
                reference,
            }));
        }
        account
    }

    /// Places an order; its id if it was accepted.
    pub(super) fn place(&mut self, request: OrderRequest) -> Option<Id> {
        match self.run(Command::PlaceOrder(request)) {
            Outcome::Accepted { order } => Some(order),
            _ => None,
        }
    }

    pub(super) fn cancel(&mut self, account: Id, order: Id) {
        self.run(Command::CancelOrder(CancelOrder { account, order, state_seq: None }));
    }

    /// The last event shown of a type.
    pub(super) fn last(&self, name: &str) -> &Value {
        let found = self.log.iter().rfind(|event| event["event_type"] == name);
        found.unwrap_or_else(|| panic!("no {name}"))
    }

    /// The state behind everything shown.
    pub(super) fn kernel(&self) -> &Kernel {
        &self.kernel
    }
}

/// An event as JSON.
pub(super) fn json(event: &Rendered) -> Value {
    serde_json::to_value(&event.object).expect("JSON")
}

fn asset(symbol: &str, decimals: u8) -> AssetTerms {
    let network = NetworkTerms {
        network: label("main"),
        min_withdrawal: amount("0.1"),
        withdrawal_fee: amount("0.01"),
        confirmations: 3,
        deposits_open: true,
        withdrawals_open: false,
    };
    AssetTerms {
        symbol: label(symbol),
        name: label(symbol),
        decimals,
        is_collateral: true,
        collateral_weight: Rate(Rate::ONE),
        networks: vec![network],
    }
}

fn market() -> MarketTerms {
    MarketTerms {
        symbol: label("BTC/USDT"),
        kind: MarketKind::Spot,
        base: label("BTC"),
        quote: label("USDT"),
        tick_size: amount("0.01"),
        lot_size: amount("0.0001"),
        min_price: Ticks(1),
        max_price: Ticks(100_000_000),
        min_quantity: Lots(1),
        max_quantity: Lots(1_000_000_000),
        matching: Matching::PriceTime,
        protection_bound: Rate(5_000_000),
        price_band: None,
        open_orders_max: 200,
        fee_tiers: fees::default_tiers(),
        post_only_until: None,
    }
}
