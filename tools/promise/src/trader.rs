//! A trader who writes down what it asked and what it was told.
//!
//! Owns one account and is its only user, so what it wrote down is all that can have happened to its
//! orders but for their fills. Every request has a key of its own; one whose answer never came stays
//! written down without an answer, to be asked again (`recover.rs`).

use serde_json::json;
use testkit::rng::SplitMix64;
use units::Amount;

use crate::exchange::SYMBOL;
use crate::http::{Answer, Broken, Http, Request, amount, count, text};

/// A trader.
pub(crate) struct Trader {
    pub(crate) account: String,
    name: usize,
    rng: SplitMix64,
    key_count: u64,
    pub(crate) placements: Vec<Placement>,
    /// Places of orders that may be open.
    pub(crate) open: Vec<usize>,
    pub(crate) deposits: Vec<Deposit>,
}

/// Tokens and the connection of a round.
pub(crate) struct Session<'a> {
    pub(crate) http: Http,
    pub(crate) token: &'a str,
    pub(crate) operator: &'a str,
}

/// A placed order.
#[derive(Clone, Debug)]
pub(crate) struct Placement {
    pub(crate) key: String,
    pub(crate) side: &'static str,
    pub(crate) price: Amount,
    pub(crate) quantity: Amount,
    pub(crate) kind: Kind,
    /// The first whole answer.
    pub(crate) answer: Option<Answer>,
    /// The id of the order, once it was told.
    pub(crate) order: Option<String>,
    pub(crate) cancel: Cancel,
    /// The most that was seen filled, and the last state that was seen.
    pub(crate) seen: (Amount, u64),
}

/// What an order is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Stays in the book.
    Resting,
    /// Takes, and rests never.
    Crossing,
    /// Needs more money than there is.
    TooLarge,
}

/// How far the cancel of an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cancel {
    NotAsked,
    Unanswered,
    Canceled,
    /// It was filled before.
    TooLate,
}

/// A deposit of `DEPOSIT`.
#[derive(Clone, Debug)]
pub(crate) struct Deposit {
    pub(crate) key: String,
    pub(crate) answer: Option<Answer>,
}

impl Trader {
    pub(crate) fn new(name: usize, account: String, seed: u64) -> Self {
        Self {
            account,
            name,
            rng: SplitMix64::new(seed),
            key_count: 0,
            placements: Vec::new(),
            open: Vec::new(),
            deposits: Vec::new(),
        }
    }

    /// Trades until the connection breaks. `on_answer` is told of each whole answer.
    pub(crate) fn trade(&mut self, session: &mut Session<'_>, mut on_answer: impl FnMut()) {
        while self.step(session).is_ok() {
            on_answer();
        }
    }

    fn step(&mut self, session: &mut Session<'_>) -> Result<(), Broken> {
        match self.rng.below(100) {
            0..40 => self.place(session, Kind::Resting),
            40..60 => self.place(session, Kind::Crossing),
            60..63 => self.place(session, Kind::TooLarge),
            63..88 => self.cancel_one(session),
            88..98 => self.look(session),
            _ => self.deposit(session),
        }
    }

    fn place(&mut self, session: &mut Session<'_>, kind: Kind) -> Result<(), Broken> {
        let placement = self.next_placement(kind);
        self.placements.push(placement);
        self.ask_placement(session, self.placements.len() - 1)
    }

    fn next_placement(&mut self, kind: Kind) -> Placement {
        let is_buy = self.rng.coin();
        let (price, quantity) = match (kind, is_buy) {
            (Kind::Resting, true) => (self.rng.between(9_900, 9_990), self.rng.between(10, 200)),
            (Kind::Resting, false) => (self.rng.between(10_010, 10_100), self.rng.between(10, 200)),
            (Kind::Crossing, true) => (10_100, self.rng.between(10, 200)),
            (Kind::Crossing, false) => (9_900, self.rng.between(10, 200)),
            (Kind::TooLarge, _) => (100_000_000, 90_000),
        };
        Placement {
            key: self.next_key("order"),
            side: if is_buy || kind == Kind::TooLarge { "BUY" } else { "SELL" },
            price: hundredths(price),
            quantity: hundredths(quantity),
            kind,
            answer: None,
            order: None,
            cancel: Cancel::NotAsked,
            seen: (Amount::ZERO, 0),
        }
    }

    /// Asks for an order, for the first time or again.
    pub(crate) fn ask_placement(
        &mut self,
        session: &mut Session<'_>,
        place: usize,
    ) -> Result<(), Broken> {
        let body = self.placements[place].body();
        let (path, token) = ("/v1/orders", session.token);
        let request = Request { method: "POST", path, token, key: "", body: &body };
        let answer = session.http.call(request)?;
        let placement = &mut self.placements[place];
        let is_first = placement.answer.is_none();
        placement.on_answer(answer);
        if is_first && placement.kind == Kind::Resting && placement.is_accepted() {
            self.open.push(place);
        }
        Ok(())
    }

    fn cancel_one(&mut self, session: &mut Session<'_>) -> Result<(), Broken> {
        let Some(at) = self.random_open() else { return Ok(()) };
        let place = self.open.swap_remove(at);
        self.ask_cancel(session, place)
    }

    /// Asks for a cancel, for the first time or again.
    pub(crate) fn ask_cancel(
        &mut self,
        session: &mut Session<'_>,
        place: usize,
    ) -> Result<(), Broken> {
        let placement = &mut self.placements[place];
        let path = placement.path();
        let key = format!("cancel-{}", placement.key);
        let before = placement.cancel;
        if before == Cancel::NotAsked {
            placement.cancel = Cancel::Unanswered;
        }
        let token = session.token;
        let request = Request { method: "DELETE", path: &path, token, key: &key, body: "" };
        let answer = session.http.call(request)?;
        let told = match answer.status {
            200 => Cancel::Canceled,
            409 => Cancel::TooLate,
            status => panic!("a cancel got {status}: {}", answer.text),
        };
        let is_same = before == told || matches!(before, Cancel::NotAsked | Cancel::Unanswered);
        assert!(is_same, "{placement:?} is now told {told:?}");
        placement.cancel = told;
        Ok(())
    }

    /// Looks at an own order, whom others may have filled, and writes down what was shown.
    fn look(&mut self, session: &mut Session<'_>) -> Result<(), Broken> {
        let Some(at) = self.random_open() else { return Ok(()) };
        let placement = &mut self.placements[self.open[at]];
        let path = placement.path();
        let shown = session.http.call(Request::get(&path, session.token))?.json(200);
        placement.on_shown((amount(&shown, "filled_quantity"), count(&shown, "state_seq")));
        Ok(())
    }

    fn deposit(&mut self, session: &mut Session<'_>) -> Result<(), Broken> {
        let key = self.next_key("deposit");
        self.deposits.push(Deposit { key, answer: None });
        self.ask_deposit(session, self.deposits.len() - 1)
    }

    /// Asks for a deposit, for the first time or again.
    pub(crate) fn ask_deposit(
        &mut self,
        session: &mut Session<'_>,
        place: usize,
    ) -> Result<(), Broken> {
        let deposit = &mut self.deposits[place];
        let (asset, sum) = DEPOSIT;
        let body = json!({"account_id": self.account, "asset": asset, "amount": sum}).to_string();
        let (path, token) = ("/v1/admin/deposits", session.operator);
        let request = Request { method: "POST", path, token, key: &deposit.key, body: &body };
        let answer = session.http.call(request)?;
        answer.json(201);
        remember(&mut deposit.answer, answer);
        Ok(())
    }

    fn next_key(&mut self, what: &str) -> String {
        self.key_count += 1;
        format!("{what}-{}-{}", self.name, self.key_count)
    }

    fn random_open(&mut self) -> Option<usize> {
        let end = u64::try_from(self.open.len()).expect("a count fits");
        (end > 0).then(|| usize::try_from(self.rng.below(end)).expect("an index fits"))
    }
}

impl Placement {
    fn body(&self) -> String {
        let time_in_force = if self.kind == Kind::Resting { "GTC" } else { "IOC" };
        json!({"client_order_id": self.key, "symbol": SYMBOL, "side": self.side, "type": "LIMIT",
            "quantity": self.quantity.to_string(), "price": self.price.to_string(),
            "time_in_force": time_in_force})
        .to_string()
    }

    /// Where the order is shown.
    pub(crate) fn path(&self) -> String {
        format!("/v1/orders/{}", self.order.as_deref().expect("an order whose id was told"))
    }

    /// Whether the order was acknowledged.
    pub(crate) fn is_accepted(&self) -> bool {
        self.answer.as_ref().is_some_and(|answer| answer.status == 201)
    }

    /// The last event of its command, as the answer said.
    pub(crate) fn sequence(&self) -> Option<u64> {
        let answer = self.answer.as_ref()?;
        (answer.status == 201).then(|| count(&answer.json(201), "sequence"))
    }

    /// An answer came. Whatever is told again is the same to the byte, so it names one order.
    fn on_answer(&mut self, answer: Answer) {
        let status = if self.kind == Kind::TooLarge { 422 } else { 201 };
        let order = text(&answer.json(status), "order_id").to_owned();
        remember(&mut self.answer, answer);
        self.order = Some(order);
    }

    /// The order was shown: what was seen once is never taken back.
    pub(crate) fn on_shown(&mut self, shown: (Amount, u64)) {
        let (filled, state_seq) = self.seen;
        assert!(shown.0 >= filled && shown.1 >= state_seq, "{self:?} went back to {shown:?}");
        self.seen = shown;
    }
}

fn remember(first: &mut Option<Answer>, answer: Answer) {
    match first {
        Some(first) => assert_eq!(*first, answer, "a repeat gets the first answer"),
        None => *first = Some(answer),
    }
}

/// So many hundredths.
fn hundredths(count: u64) -> Amount {
    format!("{}.{:02}", count / 100, count % 100).parse().expect("a decimal")
}

/// Asset and amount of a deposit under load.
pub(crate) const DEPOSIT: (&str, &str) = ("USDT", "1.25");
