//! The tape: bytes read as commands, so that whatever the bytes are, most commands mean something.
//!
//! A byte picks the command, the next ones its fields, mostly from small sets that meet each other and
//! now and then from everything that the type can hold. A tape that has run out gives zeros.

use schema::{
    AccountStatus, AccountType, CancelOrder, ClockStatus, Command, Key, KeyOrigin, Label,
    LedgerEntry, OrderRequest, OrderType, PositionSide, SelfTrade, StatusChange, SymbolRef,
    TimeInForce, Trigger, TriggerKind, TriggerSource,
};
use schema::{AssetRef, Operator};
use testkit::rng::SplitMix64;
use units::{Amount, Id, Side, Timestamp};

use crate::venue::{Venue, label, opening};

/// Bytes that are taken from the front.
#[derive(Clone, Debug)]
pub struct Tape<'a> {
    rest: &'a [u8],
}

impl<'a> Tape<'a> {
    /// A tape of these bytes.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Whether all bytes have been taken.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.rest.split_first() else { return 0 };
        self.rest = rest;
        first
    }

    fn below(&mut self, count: usize) -> usize {
        usize::from(self.byte()) % count
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    fn wide(&mut self) -> i128 {
        i128::from_le_bytes(std::array::from_fn(|_| self.byte()))
    }

    /// Venues after random tapes of `size` bytes: what targets change bytes of.
    #[must_use]
    pub fn corpus(count: usize, size: usize) -> Vec<Venue> {
        let begun = Venue::begun();
        let mut rng = SplitMix64::new(1);
        let play = |_| {
            let bytes: Vec<u8> = (0..size).map(|_| rng.next().to_le_bytes()[0]).collect();
            let mut venue = begun.clone();
            let mut tape = Tape::new(&bytes);
            while !tape.is_empty() {
                tape.step(&mut venue);
            }
            venue
        };
        (0..count).map(play).collect()
    }

    /// Runs the next command of the tape.
    pub fn step(&mut self, venue: &mut Venue) {
        let time = self.byte();
        let nanos = match time {
            0..=150 => 0,
            151..=250 => i64::from(time),
            251..=253 => 61_000_000_000,
            _ => 90_000_000_000_000,
        };
        let key = self.key(venue);
        let command = self.command(venue);
        venue.run(command, key, nanos);
    }

    fn key(&mut self, venue: &Venue) -> Option<Key> {
        let byte = self.byte();
        if byte < 180 {
            return None;
        }
        // Few keys and two bodies, so that repeats and conflicts are common.
        let until = Timestamp(venue.now.0 + i64::from(byte) - 190);
        let is_gateway = byte.is_multiple_of(3);
        let origin =
            if is_gateway { KeyOrigin::Gateway { valid_until: until } } else { KeyOrigin::Client };
        let body_hash = [byte & 1; 16];
        Some(Key { key_hash: [self.byte() % 16; 16], body_hash, origin, text: None })
    }

    fn command(&mut self, venue: &Venue) -> Command {
        match self.byte() {
            0..=149 => Command::PlaceOrder(self.order(venue)),
            150..=194 => Command::CancelOrder(self.cancel(venue)),
            195..=209 => Command::Deposit(self.entry(venue)),
            210..=221 => Command::Withdraw(self.entry(venue)),
            222..=226 => Command::Tick,
            227..=232 => {
                let mut opening = opening(self.pick(&["a", "b", "c", "d", ""]));
                let types = [AccountType::Spot, AccountType::Margin, AccountType::System];
                opening.account_type = self.pick(&types);
                opening.kyc_tier = self.byte() % 5;
                Command::CreateAccount(opening)
            }
            233..=243 => {
                let status = [AccountStatus::Active, AccountStatus::Suspended];
                let (account, to) = (self.account(venue), self.pick(&status));
                let (reason, actor) = (label("fuzz"), label("fuzz"));
                let change = StatusChange { account, to, reason, actor };
                let sound = self.byte() < 200;
                let make = |operator: Operator| Command::SetAccountStatus(change, operator);
                if sound { venue.signed(make) } else { make(Venue::unsigned()) }
            }
            244..=247 => {
                Command::LeaderChanged { term: u64::from(self.byte()), leader: label("node") }
            }
            248..=250 => {
                Command::RecordStateHash { at_sequence: self.sequence(venue), state_hash: [1; 32] }
            }
            251..=252 => Command::RecordSnapshot {
                snapshot_sequence: self.sequence(venue),
                snapshot_timestamp: venue.now,
                checksum: [2; 32],
            },
            _ => {
                let all = [ClockStatus::Primary, ClockStatus::Backup, ClockStatus::Fallback];
                let (from, to) = (self.pick(&all), self.pick(&all));
                Command::RecordClockStatus { from, to, skew: Amount(self.wide()) }
            }
        }
    }

    fn sequence(&mut self, venue: &Venue) -> u64 {
        match self.byte() {
            0 => u64::MAX,
            byte => (venue.live.position().event_sequence + u64::from(byte)).saturating_sub(128),
        }
    }

    fn account(&mut self, venue: &Venue) -> Id {
        let byte = usize::from(self.byte());
        match byte {
            0 => Id([9; 16]),
            1 => venue.live.account(u32::from(self.byte() % 8)).expect("a system account").id,
            _ => venue.accounts[byte % venue.accounts.len()],
        }
    }

    /// Mostly a small number of steps, else anything.
    fn amount(&mut self, step: Amount, around: u8) -> Amount {
        match self.byte() {
            0 => Amount(self.wide()),
            1 => self.pick(&[Amount::ZERO, Amount(-1), Amount(i128::MAX), Amount(i128::MIN)]),
            2 => Amount(step.0 + 1),
            3 => Amount(step.0.saturating_mul(self.wide() >> 64)),
            byte => Amount(step.0 * i128::from(byte % 16 + around)),
        }
    }

    fn order(&mut self, venue: &Venue) -> OrderRequest {
        let number = u32::from(self.byte() % 3) + 1;
        let terms = &venue.live.market(number).expect("three are listed").terms;
        let (price, quantity) = (self.amount(terms.tick_size, 90), self.amount(terms.lot_size, 1));
        let scale = self.pick(&[1, 1, 1_000, 1_000_000]);
        let oddity = self.byte();
        let mut order = OrderRequest {
            account: self.account(venue),
            client_order_id: None,
            symbol: SymbolRef::Listed(number),
            side: if self.byte() & 1 == 0 { Side::Buy } else { Side::Sell },
            order_type: OrderType::Limit,
            quantity: Amount(quantity.0.saturating_mul(scale)),
            price: Some(price),
            time_in_force: self.pick(&[TimeInForce::Gtc, TimeInForce::Gtc, TimeInForce::Ioc]),
            expire_at: None,
            post_only: false,
            reduce_only: false,
            self_trade: SelfTrade::CancelIncoming,
            trigger: None,
            oco_with: None,
            position_side: None,
            by_quote: false,
        };
        if oddity < 24 {
            self.spoil(&mut order, oddity);
        }
        order
    }

    fn spoil(&mut self, order: &mut OrderRequest, oddity: u8) {
        match oddity {
            0 => order.price = None,
            1 => order.order_type = OrderType::Market,
            2 => order.time_in_force = self.pick(&[TimeInForce::Fok, TimeInForce::Gtd]),
            3 => order.expire_at = Some(Timestamp(i64::from(self.byte()))),
            4 => order.post_only = true,
            5 => order.reduce_only = true,
            6 => order.self_trade = self.pick(&[SelfTrade::CancelBoth, SelfTrade::DecrementBoth]),
            7 => order.oco_with = Some(order.account),
            8 => order.position_side = Some(PositionSide::Short),
            9 => order.symbol = SymbolRef::Listed(self.pick(&[0, 4, u32::MAX])),
            10 => order.symbol = SymbolRef::Unknown(label("NO/SUCH")),
            11 => order.client_order_id = Some(label(self.pick(&["", "mine"]))),
            12 => {
                let (kind, source) = (TriggerKind::TakeProfit, TriggerSource::Last);
                let trigger = Trigger { kind, price: Amount(self.wide()), source };
                order.trigger = Some(trigger);
            }
            _ => {}
        }
    }

    fn cancel(&mut self, venue: &Venue) -> CancelOrder {
        let newest = usize::from(self.byte()) % 32;
        let count = venue.orders.len();
        let (mut account, mut order) = match count.checked_sub(newest + 1) {
            Some(index) => venue.orders[index],
            None => (self.account(venue), Id([7; 16])),
        };
        let mut state_seq = None;
        match self.byte() {
            0..=9 => account = self.account(venue),
            10..=14 => order.0[self.below(16)] ^= self.byte(),
            15..=20 => state_seq = Some(self.sequence(venue)),
            21..=40 => state_seq = venue.live.order(order).map(|order| order.state_seq),
            _ => {}
        }
        CancelOrder { account, order, state_seq }
    }

    fn entry(&mut self, venue: &Venue) -> LedgerEntry {
        let number = self.byte() % 8;
        let asset = match number {
            0 => AssetRef::Unknown(self.pick::<Label>(&[label("BTC"), label("NONE")])),
            number => AssetRef::Listed(u32::from(number)),
        };
        let step = self.pick(&[Amount::ONE, Amount::quantum(6), Amount::quantum(18)]);
        let amount = self.amount(step, 1);
        LedgerEntry { account: self.account(venue), asset, amount, reference: Id([3; 16]) }
    }
}
