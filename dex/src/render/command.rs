//! Commands as people and programs read them: what was asked, by whom, and what came of it.
//!
//! A command says less than an event: entities that it names are shown as the kernel knew them when it
//! came, and what it led to is the kernel's reply.

use kernel::{Kernel, Watch};
use schema::{
    AssetRef, Command, Key, KeyOrigin, LedgerEntry, OrderRequest, Outcome, Refusal, Reply, Stamped,
    SymbolRef,
};
use units::Id;

use super::fields::{Fields, Value};
use super::registry;

/// A command as it is shown, and what it is about.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    /// The whole object.
    pub(crate) object: Fields,
    /// What was asked.
    pub(crate) body: Fields,
    /// What came of it.
    pub(crate) outcome: Fields,
    /// The account that it names or opened.
    pub(crate) account: Option<Id>,
    /// The order that it names or made.
    pub(crate) order: Option<Id>,
}

/// Renders a command that was just executed by this kernel with this reply.
pub(crate) fn render_command<W: Watch>(
    kernel: &Kernel<W>,
    stamped: &Stamped,
    reply: &Reply,
) -> Named {
    let body = body(kernel, &stamped.command);
    let outcome = outcome(&reply.outcome).count("last_event", reply.last_event);
    let object = Fields::new()
        .count("sequence", stamped.sequence)
        .with("stamp", Value::Nanos(stamped.stamp.0))
        .text("stamp_iso", stamped.stamp)
        .flag("fallback_clock", stamped.fallback_clock)
        .text("command_type", stamped.command.kind().name())
        .object("body", body.clone())
        .object("outcome", outcome.clone())
        .maybe("correlation_id", stamped.correlation)
        .with(
            "key",
            stamped.key.as_ref().map_or(Value::Null, |key| Value::Object(key_fields(key))),
        );
    Named {
        object,
        body,
        outcome,
        account: account_of(&stamped.command, &reply.outcome),
        order: order_of(&stamped.command, &reply.outcome),
    }
}

fn body<W: Watch>(kernel: &Kernel<W>, command: &Command) -> Fields {
    match command {
        Command::Tick => Fields::new(),
        Command::Genesis(genesis) => registry::genesis(Fields::new(), genesis),
        Command::LeaderChanged { term, leader } => {
            Fields::new().count("term", *term).text("leader_id", leader)
        }
        Command::RecordStateHash { at_sequence, state_hash } => {
            Fields::new().count("at_sequence", *at_sequence).hex("state_hash", state_hash)
        }
        Command::RecordSnapshot { snapshot_sequence, snapshot_timestamp, checksum } => {
            Fields::new()
                .count("snapshot_sequence", *snapshot_sequence)
                .time("snapshot_timestamp", *snapshot_timestamp)
                .hex("checksum", checksum)
        }
        Command::RecordClockStatus { from, to, skew } => {
            Fields::new().text("from", from.name()).text("to", to.name()).text("skew", skew)
        }
        Command::ListAsset(terms, _) => registry::asset(terms),
        Command::ListMarket(terms, _) => {
            registry::market(Fields::new().text("symbol", terms.symbol), terms)
        }
        Command::CreateAccount(opening) => registry::account(Fields::new(), opening),
        Command::SetAccountStatus(change, _) => Fields::new()
            .text("account_id", change.account)
            .text("to", change.to.name())
            .text("reason", change.reason)
            .text("actor", change.actor),
        Command::Deposit(entry) | Command::Withdraw(entry) => ledger_entry(kernel, entry),
        Command::PlaceOrder(request) => order_request(kernel, request),
        Command::CancelOrder(cancel) => {
            let fields =
                Fields::new().text("account_id", cancel.account).text("order_id", cancel.order);
            fields.with("state_seq", cancel.state_seq.map_or(Value::Null, Value::Count))
        }
        _ => Fields::new(),
    }
}

fn ledger_entry<W: Watch>(kernel: &Kernel<W>, entry: &LedgerEntry) -> Fields {
    let asset = match entry.asset {
        AssetRef::Unknown(text) => text.to_string(),
        AssetRef::Listed(number) => kernel
            .asset(number)
            .map_or_else(|| format!("#{number}"), |terms| terms.symbol.to_string()),
    };
    Fields::new()
        .text("account_id", entry.account)
        .text("asset", asset)
        .text("amount", entry.amount)
        .text("reference", entry.reference)
}

fn order_request<W: Watch>(kernel: &Kernel<W>, request: &OrderRequest) -> Fields {
    let symbol = match request.symbol {
        SymbolRef::Unknown(text) => text.to_string(),
        SymbolRef::Listed(number) => kernel
            .market(number)
            .map_or_else(|| format!("#{number}"), |market| market.terms.symbol.to_string()),
    };
    let trigger = request.trigger.map(|trigger| {
        Fields::new()
            .text("kind", trigger.kind.name())
            .text("price", trigger.price)
            .text("source", trigger.source.name())
    });
    Fields::new()
        .text("account_id", request.account)
        .text("symbol", symbol)
        .text("side", request.side.name())
        .text("type", request.order_type.name())
        .text("quantity", request.quantity)
        .maybe("price", request.price)
        .text("time_in_force", request.time_in_force.name())
        .maybe("client_order_id", request.client_order_id)
        .maybe_time("expire_at", request.expire_at)
        .flag("post_only", request.post_only)
        .flag("reduce_only", request.reduce_only)
        .text("self_trade", request.self_trade.name())
        .with("trigger", trigger.map_or(Value::Null, Value::Object))
        .maybe("oco_with", request.oco_with)
        .maybe("position_side", request.position_side.map(schema::PositionSide::name))
}

fn outcome(outcome: &Outcome) -> Fields {
    match outcome {
        Outcome::Done { created } => {
            Fields::new().text("result", "DONE").maybe("created_id", *created)
        }
        Outcome::Accepted { order } => {
            Fields::new().text("result", "ACCEPTED").text("order_id", order)
        }
        Outcome::Rejected { order, refusal } => {
            refused(Fields::new().text("result", "REJECTED").text("order_id", order), refusal)
        }
        Outcome::Refused(refusal) => refused(Fields::new().text("result", "REFUSED"), refusal),
        Outcome::Repeated { first } => {
            Fields::new().text("result", "REPEATED").count("first_command", *first)
        }
    }
}

fn refused(fields: Fields, refusal: &Refusal) -> Fields {
    fields.text("code", refusal.code.name()).text("message", refusal.detail)
}

fn key_fields(key: &Key) -> Fields {
    let fields = Fields::new().hex("key_hash", &key.key_hash).hex("body_hash", &key.body_hash);
    let fields = match key.origin {
        KeyOrigin::Client => fields.text("origin", "CLIENT"),
        KeyOrigin::Gateway { valid_until } => {
            fields.text("origin", "GATEWAY").time("valid_until", valid_until)
        }
    };
    fields.maybe("text", key.text)
}

fn account_of(command: &Command, outcome: &Outcome) -> Option<Id> {
    match (command, outcome) {
        (Command::CreateAccount(_), Outcome::Done { created }) => *created,
        (Command::PlaceOrder(request), _) => Some(request.account),
        (Command::CancelOrder(cancel), _) => Some(cancel.account),
        (Command::Deposit(entry) | Command::Withdraw(entry), _) => Some(entry.account),
        (Command::SetAccountStatus(change, _), _) => Some(change.account),
        _ => None,
    }
}

fn order_of(command: &Command, outcome: &Outcome) -> Option<Id> {
    match (command, outcome) {
        (Command::CancelOrder(cancel), _) => Some(cancel.order),
        (_, Outcome::Accepted { order } | Outcome::Rejected { order, .. }) => Some(*order),
        _ => None,
    }
}
