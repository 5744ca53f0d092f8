//! Commands as people and programs read them: what was asked, by whom, and what came of it.
//!
//! A command says less than an event: entities that it names are shown as the kernel knew them when it
//! came, and what it led to is the kernel's reply.

use kernel::{Kernel, Watch};
use schema::{
    AccountRates, AssetRef, Command, FeeKind, FeeRefund, Key, KeyOrigin, LedgerEntry, OrderRequest,
    Outcome, ParameterChange, ProfileChange, Quarantine, RatesChange, Refusal, Reply, Stamped,
    SymbolRef, WaiverReason,
};
use units::{Id, Rate};

use super::changes::set_parameters;
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
    /// The accounts that it names or opened.
    pub(crate) accounts: Vec<Id>,
    /// The orders that it names or made.
    pub(crate) orders: Vec<Id>,
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
        accounts: accounts_of(&stamped.command, &reply.outcome),
        orders: orders_of(&stamped.command, &reply.outcome),
    }
}

fn quarantine(what: &Quarantine) -> Fields {
    Fields::new()
        .count("command", what.command)
        .text("invariant", what.invariant)
        .text("left", what.left)
        .text("right", what.right)
        .text("actor", what.actor)
}

#[expect(clippy::too_many_lines, reason = "a flat match, one arm a command")]
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
        Command::Quarantine(what, _) => quarantine(what),
        Command::HaltTrading(halt, _) => {
            Fields::new().text("reason", halt.reason.name()).text("actor", halt.actor)
        }
        Command::ResumeTrading(actor, _) | Command::ConfirmClock(actor, _) => {
            Fields::new().text("actor", actor)
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
        Command::Transfer(transfer) => Fields::new()
            .text("from_account_id", transfer.from)
            .text("to_account_id", transfer.to)
            .text("asset", asset(kernel, &transfer.asset))
            .text("amount", transfer.amount),
        Command::PauseMarket(change, _) | Command::ResumeMarket(change, _) => Fields::new()
            .text("symbol", symbol(kernel, &change.symbol))
            .text("reason", change.reason)
            .text("actor", change.actor),
        Command::SetMarketParameters(change, _) => Fields::new()
            .text("symbol", symbol(kernel, &change.symbol))
            .object("parameters", parameters(kernel, change)),
        Command::SetFeeSchedule(schedule, _) => Fields::new()
            .list("tiers", schedule.tiers.iter().map(registry::tier))
            .maybe_time("effective_at", schedule.effective_at),
        Command::SetAccountRates(change, _) => rates(change),
        Command::RefundFee(refund, _) => fee_refund(kernel, refund),
        Command::SetAccountProfile(change, _) => profile(change),
        Command::ReduceOrder(reduce) => Fields::new()
            .text("account_id", reduce.account)
            .text("order_id", reduce.order)
            .text("quantity", reduce.quantity)
            .with("state_seq", reduce.state_seq.map_or(Value::Null, Value::Count)),
        Command::ReplaceOrder(replace) => Fields::new()
            .text("order_id", replace.order)
            .with("state_seq", replace.state_seq.map_or(Value::Null, Value::Count))
            .object("request", order_request(kernel, &replace.request)),
        Command::CancelAllOrders(cancel) => Fields::new()
            .text("account_id", cancel.account)
            .maybe("symbol", cancel.symbol.map(|named| symbol(kernel, &named))),
        Command::SetCountdownCancel(countdown) => Fields::new()
            .text("account_id", countdown.account)
            .count("timeout_nanos", countdown.timeout),
    }
}

/// What an asset is called; a number that names none keeps its number.
fn asset<W: Watch>(kernel: &Kernel<W>, asset: &AssetRef) -> String {
    match asset {
        AssetRef::Unknown(text) => text.to_string(),
        AssetRef::Listed(number) => kernel
            .asset(*number)
            .map_or_else(|| format!("#{number}"), |terms| terms.symbol.to_string()),
    }
}

/// What a market is called; a number that names none keeps its number.
fn symbol<W: Watch>(kernel: &Kernel<W>, symbol: &SymbolRef) -> String {
    match symbol {
        SymbolRef::Unknown(text) => text.to_string(),
        SymbolRef::Listed(number) => kernel
            .market(*number)
            .map_or_else(|| format!("#{number}"), |market| market.terms.symbol.to_string()),
    }
}

/// The new values by the names of MarketListed, in decimals of the market; of one that nobody knows
/// there is no tick and no lot, and prices and quantities are counted in them.
fn parameters<W: Watch>(kernel: &Kernel<W>, change: &ParameterChange) -> Fields {
    let market = match change.symbol {
        SymbolRef::Unknown(_) => None,
        SymbolRef::Listed(number) => kernel.market(number),
    };
    let new = &change.parameters;
    if let Some(market) = market {
        let set = set_parameters(&market.terms, new).into_iter();
        return set.fold(Fields::new(), |fields, (name, _, value)| fields.with(name, value));
    }
    let steps = [
        ("min_price_ticks", new.min_price.map(|price| price.0)),
        ("max_price_ticks", new.max_price.map(|price| price.0)),
        ("min_quantity_lots", new.min_quantity.map(|lots| lots.0)),
        ("max_quantity_lots", new.max_quantity.map(|lots| lots.0)),
        ("open_orders_max", new.open_orders_max.map(u64::from)),
    ];
    let steps = steps.into_iter().filter_map(|(name, value)| Some((name, Value::Count(value?))));
    let text = |rate: Rate| Value::Text(rate.to_string());
    let rates = [
        ("protection_bound", new.protection_bound.map(text)),
        ("price_band", new.price_band.map(|band| band.map_or(Value::Null, text))),
    ];
    let rates = rates.into_iter().filter_map(|(name, value)| Some((name, value?)));
    steps.chain(rates).fold(Fields::new(), |fields, (name, value)| fields.with(name, value))
}

fn rates(change: &RatesChange) -> Fields {
    let fields = Fields::new().text("account_id", change.account);
    let (kind, own, reason, ends_at) = match change.rates {
        AccountRates::Volume => (FeeKind::Volume, None, None, None),
        AccountRates::Own { maker, taker } => (FeeKind::Vip, Some((maker, taker)), None, None),
        AccountRates::Waiver { reason, ends_at } => (FeeKind::Waiver, None, Some(reason), ends_at),
    };
    fields
        .text("kind", kind.name())
        .maybe("maker_rate", own.map(|(maker, _)| maker))
        .maybe("taker_rate", own.map(|(_, taker)| taker))
        .maybe("waiver_reason", reason.map(WaiverReason::name))
        .maybe_time("ends_at", ends_at)
        .maybe_time("effective_at", change.effective_at)
}

fn fee_refund<W: Watch>(kernel: &Kernel<W>, refund: &FeeRefund) -> Fields {
    Fields::new()
        .text("trade_id", refund.trade)
        .text("account_id", refund.account)
        .text("asset", asset(kernel, &refund.asset))
        .text("fee", refund.fee)
        .text("amount", refund.amount)
        .text("reason", refund.reason.name())
        .text("actor", refund.actor)
}

fn profile(change: &ProfileChange) -> Fields {
    Fields::new()
        .text("account_id", change.account)
        .count("kyc_tier", change.kyc_tier)
        .text("jurisdiction", change.jurisdiction)
        .text("risk_tier", change.risk_tier.name())
        .text("order_tier", change.order_tier.name())
        .text("api_class", change.api_class.name())
        .flag("fee_in_token", change.fee_in_token)
}

fn ledger_entry<W: Watch>(kernel: &Kernel<W>, entry: &LedgerEntry) -> Fields {
    Fields::new()
        .text("account_id", entry.account)
        .text("asset", asset(kernel, &entry.asset))
        .text("amount", entry.amount)
        .text("reference", entry.reference)
}

fn order_request<W: Watch>(kernel: &Kernel<W>, request: &OrderRequest) -> Fields {
    let trigger = request.trigger.map(|trigger| {
        Fields::new()
            .text("kind", trigger.kind.name())
            .text("price", trigger.price)
            .text("source", trigger.source.name())
    });
    Fields::new()
        .text("account_id", request.account)
        .text("symbol", symbol(kernel, &request.symbol))
        .text("side", request.side.name())
        .text("type", request.order_type.name())
        .maybe("quantity", Some(request.quantity).filter(|_| !request.by_quote))
        .maybe("quote_quantity", Some(request.quantity).filter(|_| request.by_quote))
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

fn accounts_of(command: &Command, outcome: &Outcome) -> Vec<Id> {
    match command {
        Command::CreateAccount(_) => match outcome {
            Outcome::Done { created } => created.iter().copied().collect(),
            _ => Vec::new(),
        },
        Command::PlaceOrder(request) => vec![request.account],
        Command::CancelOrder(cancel) => vec![cancel.account],
        Command::ReduceOrder(reduce) => vec![reduce.account],
        Command::ReplaceOrder(replace) => vec![replace.request.account],
        Command::CancelAllOrders(cancel) => vec![cancel.account],
        Command::SetCountdownCancel(countdown) => vec![countdown.account],
        Command::Deposit(entry) | Command::Withdraw(entry) => vec![entry.account],
        Command::Transfer(transfer) => vec![transfer.from, transfer.to],
        Command::SetAccountStatus(change, _) => vec![change.account],
        Command::SetAccountRates(change, _) => vec![change.account],
        Command::RefundFee(refund, _) => vec![refund.account],
        Command::SetAccountProfile(change, _) => vec![change.account],
        _ => Vec::new(),
    }
}

fn orders_of(command: &Command, outcome: &Outcome) -> Vec<Id> {
    let named = match command {
        Command::CancelOrder(cancel) => Some(cancel.order),
        Command::ReduceOrder(reduce) => Some(reduce.order),
        Command::ReplaceOrder(replace) => Some(replace.order),
        _ => None,
    };
    let made = match outcome {
        Outcome::Accepted { order } | Outcome::Rejected { order, .. } => Some(*order),
        _ => None,
    };
    named.into_iter().chain(made).collect()
}
