//! Seeded mixes of every command that a client can send, sound and unsound.

use port::Request;
use schema::{
    AccountStatus, AssetRef, CancelAllOrders, CancelOrder, Command, CountdownCancel, LedgerEntry,
    OrderRequest, OrderType, Outcome, ReduceOrder, ReplaceOrder, Reply, SelfTrade, StatusChange,
    SymbolRef, TimeInForce, Transfer, Trigger, TriggerKind, TriggerSource,
};
use testkit::rng::SplitMix64;
use units::{Amount, Id, Side};

use crate::testing::{created, deposit, keyed, label, opening, order, request, signed};

/// Makes requests, and learns from the replies which orders there are.
pub(super) struct Mix {
    random: SplitMix64,
    accounts: Vec<Id>,
    orders: Vec<(Id, Id)>,
    keyed: Vec<Request>,
    next_key: u64,
}

impl Mix {
    pub(super) fn new(seed: u64, accounts: Vec<Id>) -> Self {
        let next_key = seed << 32;
        let random = SplitMix64::new(seed);
        Self { random, accounts, orders: Vec::new(), keyed: Vec::new(), next_key }
    }

    /// The next request.
    pub(super) fn next(&mut self) -> Request {
        let account = self.account();
        match self.random.below(100) {
            0..50 => {
                let place = Command::PlaceOrder(self.order(account));
                self.maybe_keyed(place)
            }
            50..70 => {
                let cancel = self.cancel(account);
                self.maybe_keyed(cancel)
            }
            70..80 => {
                let change = self.change(account);
                self.keyed(change)
            }
            80..84 => {
                let asset = self.random.below_u32(4);
                self.maybe_keyed(deposit(account, asset, 5))
            }
            84..88 => {
                let withdraw = self.withdraw(account);
                self.maybe_keyed(withdraw)
            }
            88..91 => {
                let opening = opening(&format!("late-{}", self.random.below(30)));
                request(Command::CreateAccount(opening))
            }
            91..93 => self.status(account),
            _ => self.again(),
        }
    }

    /// Learns from a reply to a request.
    pub(super) fn learn(&mut self, request: &Request, reply: &Reply) {
        match (&request.command, reply.outcome) {
            (
                Command::PlaceOrder(order)
                | Command::ReplaceOrder(ReplaceOrder { request: order, .. }),
                Outcome::Accepted { order: id },
            ) => self.orders.push((order.account, id)),
            (Command::CreateAccount(_), Outcome::Done { .. }) => {
                self.accounts.push(created(reply));
            }
            _ => {}
        }
    }

    fn account(&mut self) -> Id {
        if self.random.below(40) == 0 {
            return Id([0xee; 16]);
        }
        *self.random.pick(&self.accounts).expect("there are accounts")
    }

    fn order(&mut self, account: Id) -> OrderRequest {
        let side = if self.random.coin() { Side::Buy } else { Side::Sell };
        let ticks = 10_000 + self.random.below_u32(60);
        let mut order = order(account, side, ticks, 1 + self.random.below_u32(500));
        match self.random.below(20) {
            9..13 => order.trigger = Some(self.trigger()),
            13 => {
                (order.order_type, order.price) = (OrderType::Market, None);
                order.time_in_force = TimeInForce::Ioc;
            }
            14 => order.self_trade = *self.random.pick(SelfTrade::ALL).expect("there are four"),
            15 => order.oco_with = Some(self.known(account).1),
            0 => order.time_in_force = TimeInForce::Ioc,
            1 => order.time_in_force = TimeInForce::Fok,
            2 => order.post_only = true,
            3 => order.price = Some(Amount(1)),
            4 => order.symbol = SymbolRef::Unknown(label("ETH/USDT")),
            5 => order.quantity = Amount::from_units(900_000_000),
            6 => order.self_trade = SelfTrade::CancelResting,
            7 => order.client_order_id = Some(label("mine")),
            8 => order.price = None,
            _ => {}
        }
        order
    }

    /// Of what changes open orders, and money between accounts.
    fn change(&mut self, account: Id) -> Command {
        let (owner, known) = self.known(account);
        match self.random.below(5) {
            0 => {
                let lots = self.random.below_u32(500);
                let quantity = order(owner, Side::Buy, 1, lots).quantity;
                let (account, state_seq) = (owner, None);
                Command::ReduceOrder(ReduceOrder { account, order: known, quantity, state_seq })
            }
            1 => {
                let request = self.order(owner);
                Command::ReplaceOrder(ReplaceOrder { order: known, state_seq: None, request })
            }
            2 => Command::CancelAllOrders(CancelAllOrders { account, symbol: None }),
            3 => {
                let timeout = u64::from(self.random.below_u32(3)) * 1_000_000_000;
                Command::SetCountdownCancel(CountdownCancel { account, timeout })
            }
            _ => {
                let (to, amount) = (self.account(), Amount::from_units(1));
                let asset = AssetRef::Listed(1 + self.random.below_u32(2));
                Command::Transfer(Transfer { from: account, to, asset, amount })
            }
        }
    }

    /// An order that was accepted, and its account.
    fn known(&mut self, account: Id) -> (Id, Id) {
        self.random.pick(&self.orders).copied().unwrap_or((account, Id([3; 16])))
    }

    /// Near the prices that are traded, so that most are met sooner or later.
    fn trigger(&mut self) -> Trigger {
        let kind = *self.random.pick(TriggerKind::ALL).expect("there are two");
        let ticks = 10_000 + self.random.below_u32(60);
        let price = order(Id([0; 16]), Side::Buy, ticks, 1).price.expect("a limit order");
        Trigger { kind, price, source: TriggerSource::Last }
    }

    fn cancel(&mut self, account: Id) -> Command {
        let (account, order) = self.known(account);
        let state_seq = (self.random.below(20) == 0).then_some(1);
        Command::CancelOrder(CancelOrder { account, order, state_seq })
    }

    fn withdraw(&mut self, account: Id) -> Command {
        let Command::Deposit(entry) = deposit(account, 1 + self.random.below_u32(2), 1) else {
            unreachable!("a deposit is one")
        };
        let amount = Amount::from_units(i64::from(self.random.below_u32(3)));
        Command::Withdraw(LedgerEntry { amount, ..entry })
    }

    fn status(&mut self, account: Id) -> Request {
        let to = if self.random.coin() { AccountStatus::Suspended } else { AccountStatus::Active };
        let (reason, actor) = (label("test"), label("operator"));
        let change = StatusChange { account, to, reason, actor };
        self.next_key += 1;
        signed(self.next_key, |by| Command::SetAccountStatus(change, by))
    }

    fn maybe_keyed(&mut self, command: Command) -> Request {
        if self.random.coin() {
            return request(command);
        }
        self.keyed(command)
    }

    /// With a key, as the door sends all: only so has it an event when it changes nothing (D-74).
    fn keyed(&mut self, command: Command) -> Request {
        self.next_key += 1;
        let request = keyed(self.next_key, command);
        self.keyed.push(request.clone());
        request
    }

    /// A request that was sent before, now and then with another body.
    fn again(&mut self) -> Request {
        let Some(known) = self.random.pick(&self.keyed) else {
            return request(Command::PlaceOrder(order(self.accounts[0], Side::Buy, 1, 1)));
        };
        let mut again = known.clone();
        if self.random.below(4) == 0
            && let Some(key) = &mut again.key
        {
            key.body_hash = [0xbb; 16];
        }
        again
    }
}
