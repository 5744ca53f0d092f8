//! What the gateway answered, against what must be answered.
//!
//! Owns how an outcome looks over HTTP (SVC-23, D-64): status, code, sequence and the id of what was made.
//! An answer without a command behind it is one that says so: the shard took nothing, or not in time.

use port::Request;
use schema::{AssetRef, Code, Command, Outcome, SymbolRef};
use serde_json::Value;
use testkit::oracle::Oracle;
use units::Id;

use super::Auditor;
use crate::violation::{Violation, ensure};
use crate::world::body_hash;

/// An answer over HTTP.
struct Said {
    status: u16,
    body: Value,
}

impl Said {
    fn code(&self) -> Option<&str> {
        self.body["error"]["code"].as_str()
    }

    fn is_done(&self, status: u16, last_event: u64) -> bool {
        self.status == status && self.body["sequence"].as_u64() == Some(last_event)
    }

    fn is_error(&self, status: u16, code: Code) -> bool {
        self.status == status && self.code() == Some(code.name())
    }

    fn names(&self, order: Id) -> bool {
        self.body["order_id"].as_str() == Some(&order.to_string())
    }
}

impl Auditor {
    /// An answer of the gateway left the node.
    pub(crate) fn on_http(
        &self,
        request: &Request,
        (status, body): (u16, &[u8]),
    ) -> Result<(), Violation> {
        let text = String::from_utf8_lossy(body);
        let body = serde_json::from_slice(body);
        let said = Said { status, body: body.map_err(|_| Violation(format!("no JSON: {text}")))? };
        if status == 503 {
            let is_known = matches!(said.code(), Some("UNAVAILABLE" | "TIMED_OUT"));
            return ensure(is_known, || format!("{request:?} got {status} {text}"));
        }
        let commands = &self.sent[&request.correlation].commands;
        let fits = if commands.is_empty() {
            // The log could not give it back, so it got no number.
            said.is_error(400, Code::InvalidSchema)
        } else {
            commands.iter().any(|&command| self.fits(request, self.first_answer(command), &said))
        };
        ensure(fits, || {
            let must: Vec<_> = commands.iter().map(|&command| self.first_answer(command)).collect();
            format!("{request:?} got {status} {text}, and must get one of {must:?}")
        })
    }

    /// The answer to a command; to a repeat that of the first with its key (D-74).
    fn first_answer(&self, command: u64) -> (Outcome, u64) {
        let answer = |command: u64| self.answers[usize::try_from(command - 1).expect("small")];
        match answer(command) {
            (Outcome::Repeated { first }, _) => answer(first),
            other => other,
        }
    }

    fn fits(&self, request: &Request, (outcome, last): (Outcome, u64), said: &Said) -> bool {
        let made = match request.command {
            Command::PlaceOrder(_) | Command::Transfer(_) => 201,
            Command::Deposit(_) | Command::Withdraw(_) => 201,
            _ => 200,
        };
        match outcome {
            Outcome::Accepted { order } => said.is_done(made, last) && said.names(order),
            Outcome::Done { .. } => said.is_done(made, last),
            Outcome::Rejected { order, refusal } => {
                said.is_error(422, refusal.code) && said.names(order)
            }
            Outcome::Refused(refusal) => match changed(&request.command) {
                Some(order) if is_gone(refusal.code) => self.fits_gone(request, order, said, last),
                _ => (400..500).contains(&said.status) && said.code() == Some(refusal.code.name()),
            },
            Outcome::Repeated { .. } => false,
        }
    }

    /// An order that is not open: canceled, ended otherwise, or not known any more.
    fn fits_gone(&self, request: &Request, order: Id, said: &Said, last: u64) -> bool {
        let is_cancel = matches!(request.command, Command::CancelOrder(_));
        (is_cancel && said.is_done(200, last) && self.canceled.contains(&order.sequence()))
            || said.is_error(409, Code::InvalidStateTransition)
            || said.is_error(404, Code::OrderNotFound)
    }
}

/// A request as a gateway reads it that has not seen yet what the client has: it names an asset or a market that
/// was listed a moment ago, and nobody told this gateway (the listing came by another door), so that the name goes
/// on as one that is not known. `None` where that is not what happened.
pub(super) fn as_read(asked: &Request, got: &Command, oracle: &Oracle) -> Option<Request> {
    let mut read = asked.clone();
    match (&mut read.command, got) {
        (Command::PlaceOrder(it), Command::PlaceOrder(got)) => {
            it.symbol = unlisted_market(it.symbol, got.symbol, oracle)?;
        }
        (Command::ReplaceOrder(it), Command::ReplaceOrder(got)) => {
            it.request.symbol = unlisted_market(it.request.symbol, got.request.symbol, oracle)?;
        }
        (Command::Transfer(it), Command::Transfer(got)) => {
            it.asset = unlisted_asset(it.asset, got.asset, oracle)?;
        }
        (Command::Deposit(it), Command::Deposit(got))
        | (Command::Withdraw(it), Command::Withdraw(got)) => {
            it.asset = unlisted_asset(it.asset, got.asset, oracle)?;
        }
        _ => return None,
    }
    if let Some(key) = &mut read.key {
        key.body_hash = body_hash(&read.command);
    }
    Some(read)
}

fn unlisted_market(asked: SymbolRef, got: SymbolRef, oracle: &Oracle) -> Option<SymbolRef> {
    let (SymbolRef::Listed(number), SymbolRef::Unknown(name)) = (asked, got) else { return None };
    let market = oracle.markets().iter().find(|it| it.number == number)?;
    (market.terms.symbol == name).then_some(got)
}

fn unlisted_asset(asked: AssetRef, got: AssetRef, oracle: &Oracle) -> Option<AssetRef> {
    let (AssetRef::Listed(number), AssetRef::Unknown(name)) = (asked, got) else { return None };
    let asset = oracle.assets().get((number as usize).checked_sub(1)?)?;
    (asset.terms.symbol == name).then_some(got)
}

/// The order that a command changes.
const fn changed(command: &Command) -> Option<Id> {
    match command {
        Command::CancelOrder(it) => Some(it.order),
        Command::ReduceOrder(it) => Some(it.order),
        Command::ReplaceOrder(it) => Some(it.order),
        _ => None,
    }
}

fn is_gone(code: Code) -> bool {
    matches!(code, Code::OrderNotFound | Code::InvalidStateTransition)
}
