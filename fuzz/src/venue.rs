//! Two kernels under fuzzing, one executing and one applying, and what must hold of them.

use ed25519_dalek::Signer;
use ed25519_dalek::SigningKey;
use kernel::Kernel;
use schema::{
    AccountOpening, AccountType, ApiClass, AssetTerms, Command, EventBuffer, FeeTier, Genesis,
    GroupIter, Key, KeyOrigin, Label, LedgerEntry, MarketKind, MarketTerms, Matching, Operator,
    OrderTier, Outcome, Reply, RiskTier, Stamped, encode_command, signed_bytes,
};
use units::{Amount, Id, Lots, Rate, Side, Ticks, Timestamp};

const VENUE: Id = Id([7; 16]);
const START: Timestamp = Timestamp(1_700_000_000_000_000_000);
/// The longest that an operator's signature may be ahead, in nanoseconds.
const DAY: i64 = 86_400_000_000_000;

/// A venue with three assets, three markets and four funded accounts.
#[derive(Clone)]
pub struct Venue {
    /// Executes.
    pub live: Kernel,
    /// Applies what `live` emits.
    pub replayed: Kernel,
    /// Stamp of the last command.
    pub now: Timestamp,
    /// Accounts of users.
    pub accounts: Vec<Id>,
    /// Accepted orders with their accounts, ended ones too.
    pub orders: Vec<(Id, Id)>,
    /// Stored forms of the commands so far.
    pub commands: Vec<Vec<u8>>,
    /// Every group so far.
    pub log: Vec<u8>,
}

pub(crate) fn label(text: &str) -> Label {
    Label::new(text).expect("a short text")
}

pub(crate) fn opening(name: &str) -> AccountOpening {
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

fn amount(text: &str) -> Amount {
    text.parse().expect("a decimal")
}

fn operator() -> SigningKey {
    SigningKey::from_bytes(&[42; 32])
}

impl Venue {
    /// The venue that every input begins with.
    ///
    /// # Panics
    /// When its own commands are refused.
    #[must_use]
    pub fn begun() -> Self {
        let mut venue = Self {
            live: Kernel::new(),
            replayed: Kernel::new(),
            now: START,
            accounts: Vec::new(),
            orders: Vec::new(),
            commands: Vec::new(),
            log: Vec::new(),
        };
        let genesis = Genesis {
            venue_id: VENUE,
            shard: 3,
            operator_key: operator().verifying_key().to_bytes(),
            key_count_max: 14,
            fee_tiers: fees::default_tiers(),
        };
        venue.run(Command::Genesis(genesis), None, 1);
        for (symbol, decimals) in [("BTC", 8), ("USDT", 6), ("YEN", 0)] {
            let terms = AssetTerms {
                symbol: label(symbol),
                name: label(symbol),
                decimals,
                is_collateral: true,
                collateral_weight: Rate(Rate::ONE),
                networks: Vec::new(),
            };
            venue.administer(&|operator| Command::ListAsset(terms.clone(), operator));
        }
        for (base, quote, tick, lot, maker, taker) in [
            ("BTC", "USDT", "0.01", "0.00001", 20_000, 100_000),
            ("BTC", "YEN", "1", "0.00000001", 2_000_000, 2_000_000),
            ("USDT", "YEN", "0.000000000001", "0.000001", -50_000, 10_000),
        ] {
            let terms = market((base, quote), (tick, lot), (maker, taker));
            venue.administer(&|operator| Command::ListMarket(terms.clone(), operator));
        }
        for name in ["alice", "bob", "carol", "dave"] {
            let reply = venue.run(Command::CreateAccount(opening(name)), None, 1);
            let Outcome::Done { created: Some(account) } = reply.outcome else {
                panic!("not opened: {reply:?}")
            };
            for (asset, units) in [(1, "2"), (2, "500"), (3, "100000")] {
                let asset = schema::AssetRef::Listed(asset);
                let reference = Id([3; 16]);
                let entry = LedgerEntry { account, asset, amount: amount(units), reference };
                venue.run(Command::Deposit(entry), None, 1);
            }
        }
        venue
    }

    /// Runs a command so many nanoseconds later.
    ///
    /// # Panics
    /// When the kernel does, or when its events do not apply.
    pub fn run(&mut self, command: Command, key: Option<Key>, nanos: i64) -> Reply {
        self.now = Timestamp(self.now.0 + nanos);
        // An administrative command brings its own key, or it could never pass.
        let is_signed = matches!(&command, Command::SetAccountStatus(_, operator)
            if operator.signature != [0; 64]);
        let key = if is_signed { Some(self.admin_key()) } else { key };
        let stamped = Stamped {
            sequence: self.live.position().command_sequence + 1,
            stamp: self.now,
            fallback_clock: false,
            correlation: None,
            key,
            command,
            account_version: None,
        };
        self.run_stamped(&stamped)
    }

    /// Runs a command as it is.
    ///
    /// # Panics
    /// As `run`.
    pub fn run_stamped(&mut self, stamped: &Stamped) -> Reply {
        self.now = stamped.stamp;
        let mut bytes = Vec::new();
        encode_command(&mut bytes, stamped);
        self.commands.push(bytes);
        let mut out = EventBuffer::new();
        let reply = self.live.execute(stamped, &mut out);
        for group in GroupIter::new(out.bytes()) {
            let group = group.expect("what was written can be read");
            self.replayed.apply_group(&group).expect("what was emitted applies");
        }
        self.log.extend_from_slice(out.bytes());
        match (&stamped.command, reply.outcome) {
            (Command::PlaceOrder(request), Outcome::Accepted { order }) => {
                self.orders.push((request.account, order));
            }
            (Command::CreateAccount(_), Outcome::Done { created: Some(id) }) => {
                self.accounts.push(id);
            }
            _ => {}
        }
        reply
    }

    /// The key of the next administrative command, which no other command has.
    fn admin_key(&self) -> Key {
        let mut key_hash = [200; 16];
        key_hash[..8].copy_from_slice(&self.commands.len().to_le_bytes());
        Key { key_hash, body_hash: [1; 16], origin: KeyOrigin::Client, text: None }
    }

    fn administer(&mut self, make: &dyn Fn(Operator) -> Command) {
        let (key, command) = (self.admin_key(), self.signed(make));
        // The bound on keys is small, so each goes before the next comes.
        let reply = self.run(command, Some(key), DAY - 1);
        assert!(matches!(reply.outcome, Outcome::Done { .. }), "{reply:?}");
    }

    /// An administrative command that the operator signed for `run`.
    #[must_use]
    pub fn signed(&self, make: impl Fn(Operator) -> Command) -> Command {
        let valid_until = Timestamp(self.now.0 + DAY - 1);
        let unsigned = make(Self::unsigned());
        let bytes = signed_bytes(VENUE, &self.admin_key(), valid_until, &unsigned);
        make(Operator { valid_until, signature: operator().sign(&bytes).to_bytes() })
    }

    /// The approval of nobody.
    #[must_use]
    pub const fn unsigned() -> Operator {
        Operator { valid_until: Timestamp(i64::MAX), signature: [0; 64] }
    }

    /// What must hold at every command end.
    ///
    /// # Panics
    /// When it does not.
    pub fn check(&self) {
        check(&self.live);
        assert!(state(&self.live) == state(&self.replayed), "live and replayed differ");
        let saved = save(&self.live);
        let loaded = Kernel::load(&saved).expect("what was saved can be loaded");
        assert!(save(&loaded) == saved, "one state has one encoding");
        for market in self.live.markets() {
            let (bid, ask) = (market.book().best(Side::Buy), market.book().best(Side::Sell));
            assert!(bid.zip(ask).is_none_or(|(bid, ask)| bid < ask), "the book is not crossed");
        }
        for account in 0..self.live.account_count() {
            for asset in self.live.assets_of(account) {
                let reserved = |order: &kernel::Order| {
                    let market = self.live.market(order.market).expect("its market");
                    asset == if order.side == Side::Buy { market.quote } else { market.base }
                };
                let sum = self.live.orders_of(account).filter(reserved);
                let sum = sum.fold(Amount::ZERO, |sum, order| sum + order.reserved);
                assert_eq!(self.live.balance(account, asset).locked, sum, "locked is reserved");
            }
        }
    }
}

/// What holds of every kernel that was not refused: money is conserved, nothing is below zero that may
/// not be, and the books are whole.
///
/// # Panics
/// When it does not.
pub(crate) fn check(kernel: &Kernel) {
    for asset in 1..=kernel.asset_count() {
        assert_eq!(kernel.sum(asset), Amount::ZERO, "asset {asset} is conserved");
    }
    for account in 0..kernel.account_count() {
        for asset in kernel.assets_of(account) {
            let balance = kernel.balance(account, asset);
            // EXTERNAL and TRANSIT.
            let signed = account == 4 || account == 6;
            assert!(signed || (balance.available.0 >= 0 && balance.locked.0 >= 0));
        }
    }
    for market in kernel.markets() {
        market.book().check();
    }
}

pub(crate) fn state(kernel: &Kernel) -> Vec<u8> {
    let mut out = Vec::new();
    for entity in kernel.entities() {
        assert!(kernel.encode_entity(entity, &mut out), "a listed entity is there");
    }
    out
}

pub(crate) fn save(kernel: &Kernel) -> Vec<u8> {
    let mut bytes = Vec::new();
    kernel.save(&mut bytes);
    bytes
}

impl Venue {
    /// Money is conserved, nothing is below zero that may not be, the books are whole.
    ///
    /// # Panics
    /// When that does not hold of `kernel`.
    pub fn check_kernel(kernel: &Kernel) {
        check(kernel);
    }

    /// The bytes of a saved kernel.
    #[must_use]
    pub fn save(kernel: &Kernel) -> Vec<u8> {
        save(kernel)
    }
}

fn market(pair: (&str, &str), steps: (&str, &str), rates: (i64, i64)) -> MarketTerms {
    let tier = FeeTier { above: Amount::ZERO, maker: Rate(rates.0), taker: Rate(rates.1) };
    MarketTerms {
        symbol: label(&format!("{}/{}", pair.0, pair.1)),
        kind: MarketKind::Spot,
        base: label(pair.0),
        quote: label(pair.1),
        tick_size: amount(steps.0),
        lot_size: amount(steps.1),
        min_price: Ticks(1),
        max_price: Ticks(1 << 56),
        min_quantity: Lots(1),
        max_quantity: Lots(u64::MAX),
        matching: Matching::PriceTime,
        protection_bound: Rate(5_000_000),
        price_band: None,
        open_orders_max: 10,
        fee_tiers: vec![tier],
        post_only_until: None,
    }
}
