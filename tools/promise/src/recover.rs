//! What a trader asks after a restart: what stayed unanswered, then whether all is as it was told.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;
use units::Amount;

use crate::exchange::balances;
use crate::http::{Broken, Request, amount, count, list, text};
use crate::trader::{Cancel, Kind, Placement, Session, Trader};

/// What came of the requests without an answer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Repeats {
    /// Orders, cancels and deposits without an answer.
    pub(crate) unknown: usize,
    /// Orders among them that had been done before the kill.
    pub(crate) done_before: usize,
    /// Requests sent again, the unknown twice.
    pub(crate) repeated: usize,
}

impl std::iter::Sum for Repeats {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, it| Self {
            unknown: sum.unknown + it.unknown,
            done_before: sum.done_before + it.done_before,
            repeated: sum.repeated + it.repeated,
        })
    }
}

/// What an account has, available and locked, by asset.
pub(crate) type Totals = BTreeMap<String, Amount>;

impl Trader {
    /// Sends again what stayed unanswered, twice, and some of what was answered. `recovered` is the
    /// last event of the exchange after its start.
    pub(crate) fn repeat(&mut self, session: &mut Session<'_>, recovered: u64) -> Repeats {
        let unbroken = |done: Result<(), Broken>| done.expect("nobody kills it now");
        let mut repeats = Repeats::default();
        for place in self.unanswered() {
            repeats.unknown += 1;
            unbroken(self.ask_placement(session, place));
            let sequence = self.placements[place].sequence();
            repeats.done_before += usize::from(sequence.is_some_and(|it| it <= recovered));
            unbroken(self.ask_placement(session, place));
            repeats.repeated += 2;
        }
        for place in 0..self.placements.len() {
            if self.placements[place].cancel == Cancel::Unanswered {
                repeats.unknown += 1;
                unbroken(self.ask_cancel(session, place));
                unbroken(self.ask_cancel(session, place));
                repeats.repeated += 2;
            }
        }
        for place in 0..self.deposits.len() {
            if self.deposits[place].answer.is_none() {
                repeats.unknown += 1;
                unbroken(self.ask_deposit(session, place));
                unbroken(self.ask_deposit(session, place));
                repeats.repeated += 2;
            }
        }
        for place in self.placements.len().saturating_sub(REPEATED_COUNT)..self.placements.len() {
            unbroken(self.ask_placement(session, place));
            repeats.repeated += 1;
        }
        repeats
    }

    fn unanswered(&self) -> Vec<usize> {
        let all = self.placements.iter().enumerate();
        all.filter(|(_, it)| it.answer.is_none()).map(|(place, _)| place).collect()
    }

    /// Every order from the place `since` on is as it was told.
    pub(crate) fn check_orders(&mut self, session: &mut Session<'_>, since: usize) {
        for placement in &mut self.placements[since..] {
            let path = placement.path();
            let shown = session.http.ask(Request::get(&path, session.token)).json(200);
            placement.check_shown(&shown, &self.account);
        }
    }

    /// The open orders are the trader's own, once each, and hold exactly what is locked.
    pub(crate) fn check_account(&mut self, session: &mut Session<'_>) -> Totals {
        let reserved = self.check_open(session);
        let mut totals = Totals::new();
        for balance in balances(&mut session.http, &self.account, session.token) {
            let asset = text(&balance, "asset");
            let [total, available, locked] =
                ["total", "available", "locked"].map(|name| amount(&balance, name));
            assert!(available >= Amount::ZERO, "{balance}");
            assert_eq!(available + locked, total, "{balance}");
            let held = reserved.get(asset).copied().unwrap_or_default();
            assert_eq!(locked, held, "what is locked is what the open orders reserve: {balance}");
            totals.insert(asset.to_owned(), total);
        }
        totals
    }

    /// Compares the open orders with what was told; answers what they reserve.
    fn check_open(&mut self, session: &mut Session<'_>) -> Totals {
        let path = format!("/v1/accounts/{}/orders", self.account);
        let answer = session.http.ask(Request::get(&path, session.token)).json(200);
        let mut listed: HashMap<&str, &Value> = HashMap::new();
        let mut reserved = Totals::new();
        for order in list(&answer, "orders") {
            let twice = listed.insert(text(order, "client_order_id"), order);
            assert!(twice.is_none(), "one key, two open orders: {order} and {twice:?}");
            let asset = if text(order, "side") == "BUY" { "USDT" } else { "BTC" };
            *reserved.entry(asset.to_owned()).or_default() += amount(order, "reserved");
        }
        let mut open = std::mem::take(&mut self.open);
        open.retain(|&place| {
            let placement = &mut self.placements[place];
            let order = listed.remove(placement.key.as_str());
            let is_open = order.is_some();
            let path = placement.path();
            let shown = order
                .cloned()
                .unwrap_or_else(|| session.http.ask(Request::get(&path, session.token)).json(200));
            placement.check_shown(&shown, &self.account);
            assert_eq!(is_open, is_open_state(text(&shown, "status")), "{shown}");
            is_open
        });
        self.open = open;
        assert!(listed.is_empty(), "open orders that nobody has: {listed:?}");
        reserved
    }
}

impl Placement {
    /// The order as it is shown is the one that was asked for, in a state that fits what was told.
    fn check_shown(&mut self, shown: &Value, account: &str) {
        assert_eq!(Some(text(shown, "order_id")), self.order.as_deref(), "{shown}");
        assert_eq!(text(shown, "client_order_id"), self.key, "{shown}");
        assert_eq!(text(shown, "account_id"), account, "{shown}");
        assert_eq!(text(shown, "side"), self.side, "{shown}");
        assert_eq!(amount(shown, "price"), self.price, "{shown}");
        let is_rejected = self.kind == Kind::TooLarge;
        let quantity = if is_rejected { Amount::ZERO } else { self.quantity }; // STATE-18
        assert_eq!(amount(shown, "quantity"), quantity, "{shown}");
        let filled = amount(shown, "filled_quantity");
        assert_eq!(filled + amount(shown, "remaining_quantity"), quantity, "{shown}");
        self.on_shown((filled, count(shown, "state_seq")));
        let status = text(shown, "status");
        assert_eq!(status == "FILLED", filled == self.quantity, "{shown}");
        let fits = match (self.kind, self.cancel) {
            (Kind::TooLarge, _) => status == "REJECTED",
            (Kind::Crossing, _) => ["FILLED", "CANCELED", "EXPIRED"].contains(&status),
            (Kind::Resting, Cancel::Canceled) => status == "CANCELED",
            (Kind::Resting, Cancel::TooLate) => status == "FILLED",
            (Kind::Resting, Cancel::NotAsked) => is_open_state(status) || status == "FILLED",
            (Kind::Resting, Cancel::Unanswered) => false,
        };
        assert!(fits, "{self:?} is {shown}");
    }
}

fn is_open_state(status: &str) -> bool {
    ["PENDING", "PARTIAL"].contains(&status)
}

/// Answered orders of a trader that are sent again after each restart.
const REPEATED_COUNT: usize = 10;
