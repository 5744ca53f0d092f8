//! Random commands from a seed: valid, wrong and hostile, over five markets where rounding bites.
//!
//! Owns the stream and remembers accounts, orders and keys of its own commands, so that later commands
//! can name them. Invariant: the same seed gives the same commands, as long as the kernel answers the
//! same. A command is signed where it must be, so that checks behind the signature are reached.

use schema::{
    AccountStatus, AccountType, CancelOrder, ClockStatus, Command, FeeTier, Key, KeyOrigin,
    LedgerEntry, MarketTerms, Operator, OrderRequest, OrderType, Outcome, PositionSide, Reply,
    SelfTrade, StatusChange, SymbolRef, TimeInForce, Trigger, TriggerKind, TriggerSource,
};
use testkit::rng::SplitMix64;
use units::{Amount, Id, Lots, Rate, Side, Ticks, Timestamp};

use super::{Venue, amount, asset, btc_usdt, label, limit, opening};

/// Open orders of one account in one market of the stream, so that the limit is met.
const OPEN_ORDERS_MAX: u32 = 12;
/// The middle of every market, in ticks; orders lie up to `REACH` ticks away.
const MIDDLE: u64 = 1_000;
const REACH: u64 = 12;
/// Accounts that the stream begins with.
const FUNDED: usize = 8;

/// A venue under random commands.
pub struct Random {
    pub rng: SplitMix64,
    pub venue: Venue,
    /// Accounts of users, of whatever status.
    pub accounts: Vec<Id>,
    /// Accepted orders with their accounts, ended ones too.
    orders: Vec<(Id, Id)>,
    keys: Vec<Key>,
    /// Whether wrong and hostile commands are mixed in.
    hostile: bool,
}

/// Symbol, base, quote, tick, lot, maker and taker rate.
const MARKETS: [(&str, &str, &str, &str, i64, i64); 4] = [
    // A rebate larger than the taker fee.
    ("ETH", "USDT", "0.01", "0.001", -50_000, 10_000),
    // Fees in whole yen: most trades are worth less than the last decimal of a fee.
    ("ETH", "YEN", "1", "0.000001", 2_000_000, 2_000_000),
    // Values of 11 decimals, fees of eight; a rebate as large as the charge.
    ("BTC", "WEI", "0.001", "0.00000001", -20_000, 20_000),
    ("ETH", "BTC", "0.00001", "0.001", 20_000, 100_000),
];

impl Random {
    /// A venue with five markets and eight funded accounts.
    pub fn new(seed: u64) -> Self {
        Self::with(seed, true)
    }

    /// The same with sound commands only, all of them of the order book and the ledger.
    pub fn sound(seed: u64) -> Self {
        Self::with(seed, false)
    }

    fn with(seed: u64, hostile: bool) -> Self {
        let mut venue = Venue::with_tiers(fees::default_tiers());
        for (symbol, decimals) in [("ETH", 18), ("YEN", 0), ("WEI", 18)] {
            venue.list(|operator| Command::ListAsset(asset(symbol, decimals), operator));
        }
        for (base, quote, tick, lot, maker, taker) in MARKETS {
            let tier = FeeTier { above: Amount::ZERO, maker: Rate(maker), taker: Rate(taker) };
            let terms = MarketTerms {
                symbol: label(&format!("{base}/{quote}")),
                base: label(base),
                quote: label(quote),
                tick_size: amount(tick),
                lot_size: amount(lot),
                open_orders_max: OPEN_ORDERS_MAX,
                min_price: Ticks(2),
                max_price: Ticks(1 << 40),
                max_quantity: Lots(1 << 40),
                fee_tiers: vec![tier],
                ..btc_usdt()
            };
            venue.list(move |operator| Command::ListMarket(terms.clone(), operator));
        }
        let rng = SplitMix64::new(seed);
        let (accounts, orders, keys) = (Vec::new(), Vec::new(), Vec::new());
        let mut random = Self { rng, venue, accounts, orders, keys, hostile };
        for index in 0..FUNDED {
            let id = random.venue.account(&format!("user{index}"), "0", "0");
            random.accounts.push(id);
            for asset in 1..=random.venue.live.asset_count() {
                let units = ["20", "2000", "90", "50000", "2"][asset as usize - 1];
                random.venue.deposit(id, asset, units);
            }
        }
        random
    }

    /// Runs one random command.
    pub fn step(&mut self) -> Reply {
        self.pass_time();
        let (command, key) = self.command();
        let account = match &command {
            Command::PlaceOrder(request) => Some(request.account),
            _ => None,
        };
        let opened = matches!(&command, Command::CreateAccount(_));
        let reply = self.venue.run_stamped(command, key);
        match (reply.outcome, account) {
            (Outcome::Accepted { order }, Some(account)) => self.orders.push((account, order)),
            (Outcome::Done { created: Some(id) }, None) if opened => self.accounts.push(id),
            _ => {}
        }
        reply
    }

    /// Mostly a microsecond, often nothing, now and then long enough for keys to end.
    fn pass_time(&mut self) {
        let nanos: i64 = match self.rng.below(200) {
            0 => 86_400_000_000_000,
            1 => 61_000_000_000,
            2..60 => 0,
            _ => 1_000,
        };
        self.venue.now = Timestamp(self.venue.now.0 + nanos);
    }

    fn command(&mut self) -> (Command, Option<Key>) {
        let dice = self.rng.below(1_000);
        if !self.hostile {
            return match dice {
                0..780 => (Command::PlaceOrder(self.order()), None),
                780..940 => (Command::CancelOrder(self.cancel()), None),
                940..980 => (Command::Deposit(self.entry()), None),
                _ => (Command::Withdraw(self.entry()), None),
            };
        }
        match dice {
            0..520 => (Command::PlaceOrder(self.order()), self.maybe_key()),
            520..620 => (Command::PlaceOrder(self.wrong_order()), self.maybe_key()),
            620..790 => (Command::CancelOrder(self.cancel()), self.maybe_key()),
            790..850 => (Command::Deposit(self.entry()), self.maybe_key()),
            850..890 => (Command::Withdraw(self.entry()), self.maybe_key()),
            890..920 => (Command::Tick, self.maybe_key()),
            920..930 => (Command::CreateAccount(self.opening()), self.maybe_key()),
            930..960 => self.record(),
            _ => self.administration(),
        }
    }

    fn account(&mut self) -> Id {
        match self.rng.below(if self.hostile { 60 } else { 1 << 40 }) {
            0 => Id([9; 16]),
            // A system account.
            1 => self.venue.live.account(self.rng.below_u32(8)).expect("a system account").id,
            2..9 => *self.rng.pick(&self.accounts).expect("an account"),
            _ => *self.rng.pick(&self.accounts[..FUNDED]).expect("an account"),
        }
    }

    /// An order that is sound but for what the account has.
    fn order(&mut self) -> OrderRequest {
        let number = 1 + self.rng.below_u32(self.venue.live.markets().count().try_into().unwrap());
        let market = self.venue.live.market(number).expect("a market");
        let (tick, lot) = (market.terms.tick_size, market.terms.lot_size);
        let ticks = MIDDLE - REACH + self.rng.below(2 * REACH + 1);
        let lots = match self.rng.below(4) {
            0 => 1 + self.rng.below(3),
            1 => 1 + self.rng.below(100_000),
            _ => 1 + self.rng.below(2_000),
        };
        OrderRequest {
            symbol: SymbolRef::Listed(number),
            price: Some(Amount(tick.0 * i128::from(ticks))),
            quantity: Amount(lot.0 * i128::from(lots)),
            time_in_force: if self.rng.below(3) == 0 { TimeInForce::Ioc } else { TimeInForce::Gtc },
            client_order_id: (self.rng.below(4) == 0).then(|| label("mine")),
            ..limit(self.account(), if self.rng.coin() { Side::Buy } else { Side::Sell }, "1", "1")
        }
    }

    /// An order with something wrong in it.
    fn wrong_order(&mut self) -> OrderRequest {
        let mut order = self.order();
        let extremes = [0, -1, 1, i128::MAX, i128::MIN, 1 << 126, (1 << 126) + 1, 10i128.pow(36)];
        let extreme = Amount(*self.rng.pick(&extremes).expect("an amount"));
        match self.rng.below(20) {
            0 => order.price = Some(extreme),
            1 => order.quantity = extreme,
            2 => order.price = order.price.map(|price| Amount(price.0 + 1)),
            3 => order.quantity = Amount(order.quantity.0 + 1),
            4 => order.price = order.price.and_then(|price| shifted(price, self.rng.below(99))),
            5 => order.quantity = shifted(order.quantity, self.rng.below(99)).unwrap_or(extreme),
            6 => order.symbol = SymbolRef::Listed(0),
            7 => order.symbol = SymbolRef::Listed(u32::MAX),
            8 => order.symbol = SymbolRef::Unknown(label("NO/SUCH")),
            // A text that names a market after all.
            9 => order.symbol = SymbolRef::Unknown(label("BTC/USDT")),
            10 => order.price = None,
            11 => order.order_type = OrderType::Market,
            12 => order.time_in_force = TimeInForce::Fok,
            13 => order.expire_at = Some(self.venue.now),
            14 => order.post_only = true,
            15 => order.reduce_only = true,
            16 => order.self_trade = SelfTrade::CancelBoth,
            17 => order.oco_with = Some(Id([1; 16])),
            18 => order.position_side = Some(PositionSide::Long),
            _ => {
                let (kind, source) = (TriggerKind::Stop, TriggerSource::Mark);
                order.trigger = Some(Trigger { kind, price: extreme, source });
            }
        }
        order
    }

    fn cancel(&mut self) -> CancelOrder {
        let recent = self.orders.len().saturating_sub(120);
        let picked = self.rng.pick(&self.orders[recent..]).copied();
        let (mut account, mut order) = picked.unwrap_or((Id([9; 16]), Id([8; 16])));
        let mut state_seq = None;
        match self.rng.below(if self.hostile { 16 } else { 1 << 40 }) {
            0 => account = self.account(),
            1 => order = Id([0xff; 16]),
            2 => order.0[0] ^= 1,
            3 => state_seq = Some(self.rng.below(9)),
            4 => state_seq = self.venue.live.order(order).map(|order| order.state_seq),
            _ => {}
        }
        CancelOrder { account, order, state_seq }
    }

    fn entry(&mut self) -> LedgerEntry {
        let count = self.venue.live.asset_count();
        let asset = 1 + self.rng.below_u32(count);
        let extremes = [0, -1, 1, i128::MAX, i128::MIN, 10i128.pow(36), 10i128.pow(36) - 1];
        let (amount, asset) = match self.rng.below(if self.hostile { 10 } else { 1 << 40 }) {
            0 => (Amount(*self.rng.pick(&extremes).expect("an amount")), asset),
            1 => (Amount::ONE, *self.rng.pick(&[0, count + 1, u32::MAX]).expect("a number")),
            _ => {
                let terms = self.venue.live.asset(asset).expect("an asset");
                let quantum = Amount::quantum(terms.decimals).0;
                let units = ["1", "300", "0.3", "500", "0.0005"][asset as usize - 1];
                let most = (super::amount(units).0 / quantum).max(1).unsigned_abs();
                let count = 1 + self.rng.below(u64::try_from(most).unwrap_or(u64::MAX));
                (Amount(quantum * i128::from(count)), asset)
            }
        };
        LedgerEntry { amount, ..super::entry(self.account(), asset, "1") }
    }

    fn opening(&mut self) -> schema::AccountOpening {
        // Few names, so that some are in use.
        let mut opening = opening(&format!("user{}", self.rng.below(40)));
        match self.rng.below(8) {
            0 => opening.account_type = AccountType::System,
            1 => opening.account_type = AccountType::Margin,
            2 => opening.kyc_tier = 4,
            3 => opening.external_id = label(""),
            _ => opening.metadata = vec![(label("a"), label("1")), (label("b"), label("2"))],
        }
        opening
    }

    /// A fresh key of a client or a gateway, none, or one that was used before.
    fn maybe_key(&mut self) -> Option<Key> {
        match self.rng.below(20) {
            0..4 => {
                let mut key = self.venue.key();
                if self.rng.coin() {
                    let late = if self.rng.below(4) == 0 { -1 } else { 1_000 };
                    let valid_until = Timestamp(self.venue.now.0 + late);
                    key.origin = KeyOrigin::Gateway { valid_until };
                }
                self.keys.push(key);
                Some(key)
            }
            4 => self.rng.pick(&self.keys).copied(),
            5 => {
                let mut key = self.rng.pick(&self.keys).copied()?;
                key.body_hash[0] ^= 1;
                Some(key)
            }
            _ => None,
        }
    }

    /// Commands of the sequencer, sound and not.
    fn record(&mut self) -> (Command, Option<Key>) {
        let position = self.venue.live.position();
        let number = self.rng.below(position.event_sequence + 2_000);
        let command = match self.rng.below(4) {
            0 => Command::LeaderChanged { term: self.rng.below(50), leader: label("node") },
            1 => Command::RecordStateHash { at_sequence: number, state_hash: [7; 32] },
            2 => Command::RecordSnapshot {
                snapshot_sequence: number,
                snapshot_timestamp: self.venue.now,
                checksum: [8; 32],
            },
            _ => {
                let all = [ClockStatus::Primary, ClockStatus::Backup, ClockStatus::Fallback];
                let mut pick = || *self.rng.pick(&all).expect("a status");
                Command::RecordClockStatus { from: pick(), to: pick(), skew: Amount(1) }
            }
        };
        (command, None)
    }

    /// Commands of the operator, signed and not.
    fn administration(&mut self) -> (Command, Option<Key>) {
        let dice = self.rng.below(12);
        let account = self.account();
        // Closing is mostly refused, since something is in the account.
        let to = match self.rng.below(12) {
            0 => AccountStatus::Closed,
            1 => AccountStatus::Suspended,
            _ => AccountStatus::Active,
        };
        let make = move |operator: Operator| match dice {
            0 => Command::ListAsset(asset("BTC", 8), operator),
            1 => Command::ListMarket(btc_usdt(), operator),
            _ => {
                let (reason, actor) = (label("random"), label("test"));
                Command::SetAccountStatus(StatusChange { account, to, reason, actor }, operator)
            }
        };
        let key = self.venue.key();
        let (valid_until, key) = match self.rng.below(12) {
            0 => (Timestamp(self.venue.now.0 - 1), Some(key)),
            1 => (Timestamp(self.venue.now.0 + 86_400_000_000_001), Some(key)),
            2 => (self.venue.now, None),
            _ => (self.venue.now, Some(key)),
        };
        let signed = key.unwrap_or_else(|| self.venue.key());
        let command = self.venue.sign(&signed, valid_until, make);
        (command, key)
    }
}

/// The amount times a power of two, if that fits.
fn shifted(amount: Amount, by: u64) -> Option<Amount> {
    amount.0.checked_mul(1i128.checked_shl(u32::try_from(by).ok()?)?).map(Amount)
}
