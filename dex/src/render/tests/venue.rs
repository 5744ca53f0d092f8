//! A small venue whose every command is rendered.

use ed25519_dalek::{Signer as _, SigningKey};
use kernel::Kernel;
use schema::{
    AccountOpening, AccountType, ApiClass, AssetRef, AssetTerms, CancelOrder, Command, Event,
    EventBuffer, EventHead, Genesis, GroupHead, GroupIter, Key, KeyOrigin, Label, LedgerEntry,
    MarketKind, MarketTerms, Matching, NetworkTerms, Operator, OrderRequest, OrderTier, OrderType,
    Outcome, RiskTier, SelfTrade, Stamped, SymbolRef, TimeInForce, signed_bytes,
};
use serde_json::Value;
use units::{Amount, Id, Lots, Rate, Side, Ticks, Timestamp};

use super::field_names;
use crate::render::scene::Scene;
use crate::render::{Causes, Rendered, Renderer};

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
    /// The events as they are stored.
    pub(super) stored: Vec<u8>,
}

/// What one hand-made event is shown as.
pub(super) struct Drafted {
    /// Its id.
    pub(super) id: Id,
    pub(super) time: Timestamp,
    pub(super) payload: Value,
    /// Which event of the group caused it.
    pub(super) cause: Option<usize>,
    /// The order whose own sequence rises, with that sequence.
    pub(super) order: Option<(Id, u64)>,
    pub(super) source: &'static str,
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
            stored: Vec::new(),
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
            account_version: None,
        };
        let mut buffer = EventBuffer::new();
        let outcome = self.kernel.execute(&stamped, &mut buffer).outcome;
        self.shown.clear();
        self.stored.extend_from_slice(buffer.bytes());
        for group in GroupIter::new(buffer.bytes()) {
            let group = group.expect("a group");
            let (before, waiting) = (self.renderer.kernel.clone(), self.renderer.waiting.clone());
            self.shown = self.renderer.render(&group).expect("sound");
            let mut scene = Scene::before(&before, &waiting);
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

    /// A group of events that nobody made: the next command's, one nanosecond apart.
    fn group_of(&self, events: &[Event]) -> EventBuffer {
        let position = self.renderer.kernel.position();
        let (first, time) = (position.event_sequence + 1, position.last_timestamp.0 + 1);
        let mut buffer = EventBuffer::new();
        buffer.begin(&GroupHead {
            command_sequence: position.command_sequence + 1,
            first_sequence: first,
            first_timestamp: Timestamp(time),
            correlation: None,
            idempotency: None,
        });
        for ((sequence, time), event) in (first..).zip(time..).zip(events) {
            buffer.push(event.kind(), EventHead { sequence, timestamp: Timestamp(time) }, event);
        }
        buffer.end();
        buffer
    }

    /// Goes past hand-made events, which must be possible.
    pub(super) fn follow(&mut self, events: &[Event]) {
        let buffer = self.group_of(events);
        let group = GroupIter::new(buffer.bytes()).next().expect("one").expect("a group");
        self.kernel.apply_group(&group).expect("possible");
        self.shown = self.renderer.render(&group).expect("sound");
        self.log.extend(self.shown.iter().map(json));
    }

    /// What hand-made events are shown as; nothing goes past them. Each has the fields of its row.
    pub(super) fn drafts(&self, events: &[Event]) -> anyhow::Result<Vec<Drafted>> {
        let buffer = self.group_of(events);
        let group = GroupIter::new(buffer.bytes()).next().expect("one").expect("a group");
        let (drafts, shard) = self.renderer.draft(&group)?;
        let (mut causes, mut ids) = (Causes::default(), Vec::new());
        let drafted = drafts.iter().map(|draft| {
            let id = Id::derive(draft.head.timestamp, shard, draft.head.sequence)?;
            let cause = causes.next(draft, id);
            ids.push(id);
            let payload = serde_json::to_value(&draft.payload)?;
            let mut wanted: Vec<&str> =
                draft.event.kind().row().fields.iter().map(|field| field.name).collect();
            wanted.sort_unstable();
            assert_eq!(field_names(&payload), wanted, "{:?}", draft.event.kind());
            Ok(Drafted {
                id,
                time: draft.head.timestamp,
                payload,
                cause: cause.and_then(|cause| ids.iter().position(|id| *id == cause)),
                order: draft.counted_order,
                source: draft.event.source().name(),
            })
        });
        drafted.collect()
    }

    /// Sequence of the first of the next hand-made events.
    pub(super) fn next_event(&self) -> u64 {
        self.renderer.kernel.position().event_sequence + 1
    }

    /// How many orders wait for their triggers.
    pub(super) fn waiting_count(&self) -> usize {
        self.renderer.waiting.count()
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
