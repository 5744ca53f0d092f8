//! One account, order or market again, from the events that list it (RPL-6 to RPL-8).
//!
//! What is rebuilt is folded from the shown form of those events alone, whose amounts, ids and states are
//! complete; no state of others is looked at. Beside it the whole log is applied, only to hold the result to
//! it: every figure must be that of the whole state at the same event. The fees of an account come from the
//! TradeSettled of its own trades, which count for nobody (SEQ-27).

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Context as _, bail};
use kernel::{Kernel, Watch};
use schema::Label;
use serde_json::{Map, Value as Json, json};
use units::{Amount, Id};

use super::Args;
use super::report::{Cause, Report, Wrong};
use crate::flow::bar;
use crate::log::Source;
use crate::render::{Fields, Rendered, Renderer, Value};
use crate::state::{Groups, Moment, one_group};

/// A figure and the events that it comes from.
#[derive(Clone, Debug, Default)]
struct Sum {
    amount: Amount,
    events: Vec<String>,
}

/// What is asked for, and what its events have told so far.
#[derive(Debug)]
struct One {
    /// As the entities of an event name it.
    kind: &'static str,
    /// Empty as long as no account with the name was created.
    id: String,
    /// External id of an account that is asked for by it.
    name: Option<String>,
    /// Plain figures, by name.
    figures: BTreeMap<&'static str, String>,
    /// The event that each figure comes from.
    from: BTreeMap<&'static str, String>,
    /// Available and locked, by asset.
    balances: BTreeMap<String, [Sum; 2]>,
    /// What the period began with.
    opening: BTreeMap<String, [Amount; 2]>,
    /// Fees of the period, by asset.
    fees: BTreeMap<String, Sum>,
    /// The trade at hand and whether the account made or took it.
    trade: (String, [bool; 2]),
    open_orders: u64,
    sequence: u64,
    count: u64,
}

/// Replays the one entity.
///
/// # Errors
/// There is none, or the log cannot be read.
pub(super) fn replay(source: &Source, args: &Args) -> anyhow::Result<Report> {
    let to = args.to.unwrap_or(Moment::Sequence(u64::MAX));
    let mut renderer = Renderer::new();
    let mut one = One::wanted(args);
    let bar = bar("reading events", source.event_end());
    let (mut begun, mut took_from) = (0, args.from.is_none());
    let began = Instant::now();
    let mut groups = Groups::behind(source, 0)?;
    while let Some(bytes) = groups.next_bytes()? {
        let group = one_group(bytes)?;
        let Some(last) = group.events().last().transpose()?.map(|(head, _)| head) else { continue };
        if !to.includes(last.sequence, last.timestamp) {
            break;
        }
        let is_before = args.from.is_some_and(|from| match from {
            Moment::Sequence(first) => last.sequence < first,
            Moment::Time(first) => last.timestamp < first,
        });
        if !took_from && !is_before {
            (took_from, begun) = (true, group.head.first_sequence - 1);
            one.open_period();
        }
        for event in &renderer.render(&group)? {
            one.pass(event)?;
        }
        bar.set_position(last.sequence);
    }
    bar.finish_and_clear();
    if one.count == 0 {
        bail!("no event up to there is of {} {}", one.kind, one.name.as_ref().unwrap_or(&one.id));
    }
    let kernel = renderer.kernel();
    let position = kernel.position();
    let wrong = one.differs(kernel).map(|what| Wrong {
        event: position.event_sequence,
        entity: Some(format!("{} {}", one.kind, one.id)),
        cause: Cause::Logic,
        what,
    });
    Ok(Report {
        begun,
        event_sequence: position.event_sequence,
        command_sequence: position.command_sequence,
        timestamp: Some(position.last_timestamp),
        took: began.elapsed(),
        wrong,
        rebuilt: Some(one.json()),
        ..Report::default()
    })
}

impl One {
    fn wanted(args: &Args) -> Self {
        let (kind, id, name) = match (&args.one.account, args.one.order, &args.one.symbol) {
            (Some(text), ..) => match text.parse::<Id>() {
                Ok(id) => ("account", id.to_string(), None),
                Err(_) => ("account", String::new(), Some(text.clone())),
            },
            (_, Some(id), _) => ("order", id.to_string(), None),
            (.., symbol) => {
                let symbol = symbol.as_deref().unwrap_or_default();
                ("symbol", symbol.replacen('-', "/", 1), None)
            }
        };
        Self {
            kind,
            id,
            name,
            figures: BTreeMap::new(),
            from: BTreeMap::new(),
            balances: BTreeMap::new(),
            opening: BTreeMap::new(),
            fees: BTreeMap::new(),
            trade: (String::new(), [false; 2]),
            open_orders: 0,
            sequence: 0,
            count: 0,
        }
    }

    /// What comes from here on belongs to the period.
    fn open_period(&mut self) {
        let now = |sums: &[Sum; 2]| [sums[0].amount, sums[1].amount];
        self.opening = self.balances.iter().map(|(asset, it)| (asset.clone(), now(it))).collect();
        self.fees.clear();
        for sum in self.balances.values_mut().flatten() {
            sum.events.clear();
        }
    }

    /// Takes an event if it lists the entity, or settles a trade of it.
    fn pass(&mut self, event: &Rendered) -> anyhow::Result<()> {
        let (kind, payload) = (event.kind.name(), &event.payload);
        if kind == "AccountCreated" && self.name.as_deref() == Some(payload.text_of("external_id"))
        {
            payload.text_of("account_id").clone_into(&mut self.id);
        }
        if kind == "TradeSettled" && self.kind == "account" {
            return self.settle(event);
        }
        let Some(sequence) = self.listed(event) else { return Ok(()) };
        self.sequence = sequence;
        self.count += 1;
        match self.kind {
            "account" => self.pass_account(event),
            "order" => self.pass_order(event),
            _ => self.pass_symbol(event),
        }
        Ok(())
    }

    /// The number that the event has among those of the entity; absent when it does not list it.
    fn listed(&self, event: &Rendered) -> Option<u64> {
        let Some(Value::Object(metadata)) = event.object.field("metadata") else { return None };
        let is_this = |it: &&Fields| it.text_of("kind") == self.kind && it.text_of("id") == self.id;
        match metadata.objects_of("entities").find(is_this)?.field("sequence") {
            Some(Value::Count(sequence)) => Some(*sequence),
            _ => None,
        }
    }

    fn set(&mut self, name: &'static str, value: &str, event: &Rendered) {
        self.figures.insert(name, value.to_owned());
        self.from.insert(name, event_id(event));
    }

    fn pass_account(&mut self, event: &Rendered) {
        let payload = &event.payload;
        match event.kind.name() {
            "AccountCreated" => self.set("status", "ACTIVE", event),
            "AccountStatusChanged" => self.set("status", payload.text_of("to"), event),
            "BalanceUpdated" => {
                for posting in payload.objects_of("postings") {
                    if posting.text_of("account_id") == self.id {
                        let part = usize::from(posting.text_of("bucket") == "LOCKED");
                        let amount = amount(posting.text_of("delta"));
                        self.post(posting.text_of("asset"), part, amount, event);
                    }
                }
            }
            name @ ("MarginReserved" | "MarginReleased") => {
                let amount = amount(payload.text_of("amount"));
                let locked = if name == "MarginReserved" { amount } else { -amount };
                self.post(payload.text_of("asset"), 0, -locked, event);
                self.post(payload.text_of("asset"), 1, locked, event);
            }
            "OrderAccepted" => self.open_orders += 1,
            "OrderFilled" | "OrderCanceled" | "OrderExpired" => {
                self.open_orders = self.open_orders.saturating_sub(1);
            }
            "TradeExecuted" => {
                let is_side = |name| payload.text_of(name) == self.id;
                let sides = [is_side("maker_account_id"), is_side("taker_account_id")];
                self.trade = (payload.text_of("trade_id").to_owned(), sides);
            }
            _ => {}
        }
    }

    fn post(&mut self, asset: &str, part: usize, amount: Amount, event: &Rendered) {
        let sum = &mut self.balances.entry(asset.to_owned()).or_default()[part];
        sum.amount += amount;
        sum.events.push(event_id(event));
    }

    /// The fees of the trade at hand, if the account was a side of it.
    fn settle(&mut self, event: &Rendered) -> anyhow::Result<()> {
        let payload = &event.payload;
        let (trade, sides) = std::mem::take(&mut self.trade);
        if trade != payload.text_of("trade_id") {
            return Ok(());
        }
        for (is_side, name) in sides.into_iter().zip(["maker_fee", "taker_fee"]) {
            if !is_side {
                continue;
            }
            let fee: Amount = payload.text_of(name).parse().ok().context("a fee")?;
            let asset = payload.text_of(&format!("{name}_asset")).to_owned();
            let sum = self.fees.entry(asset).or_default();
            sum.amount += fee;
            sum.events.push(event_id(event));
        }
        Ok(())
    }

    fn pass_order(&mut self, event: &Rendered) {
        let payload = &event.payload;
        let text = |name| payload.text_of(name);
        match event.kind.name() {
            "OrderSubmitted" if text("order_id") == self.id => {
                self.set("quantity", text("quantity"), event);
                self.set("price", text("price"), event);
                self.set("filled_quantity", "0", event);
            }
            "OrderAccepted" => self.set("status", "PENDING", event),
            "OrderRejected" => self.set("status", "REJECTED", event),
            "OrderPartiallyFilled" => {
                self.set("status", "PARTIAL", event);
                self.set("filled_quantity", text("filled_quantity"), event);
            }
            "OrderFilled" => {
                self.set("status", "FILLED", event);
                self.set("filled_quantity", text("filled_quantity"), event);
            }
            "OrderCanceled" => self.set("status", "CANCELED", event),
            "OrderExpired" => self.set("status", "EXPIRED", event),
            "OrderReduced" => self.set("quantity", text("new_quantity"), event),
            _ => {}
        }
    }

    fn pass_symbol(&mut self, event: &Rendered) {
        match event.kind.name() {
            "MarketListed" | "MarketPaused" => self.set("open", "false", event),
            "MarketResumed" => self.set("open", "true", event),
            "TradeExecuted" => self.set("last_price", event.payload.text_of("price"), event),
            _ => {}
        }
    }

    /// The first figure in which the whole state says otherwise (RPL-7).
    fn differs<W: Watch>(&self, kernel: &Kernel<W>) -> Option<String> {
        let wrong = |name: &str, here: &str, there: &str| {
            (here != there).then(|| format!("{name} is {here} by its own events, and {there}"))
        };
        let figure = |name: &str| self.figures.get(name).map_or("", String::as_str);
        match self.kind {
            "account" => self.account_differs(kernel),
            "order" => {
                let Some(order) = self.id.parse().ok().and_then(|id| kernel.order(id)) else {
                    let is_open = matches!(figure("status"), "PENDING" | "PARTIAL");
                    return is_open.then(|| "it is open by its own events, and not".to_owned());
                };
                let market = kernel.market(order.market)?;
                let status = order.state.map_or("", schema::OrderState::name);
                let [total, filled] =
                    [order.total, order.filled].map(|lots| market.quantity(lots).to_string());
                wrong("status", figure("status"), status)
                    .or_else(|| wrong("quantity", figure("quantity"), &total))
                    .or_else(|| wrong("filled_quantity", figure("filled_quantity"), &filled))
                    .or_else(|| {
                        wrong("sequence", &self.sequence.to_string(), &order.version.to_string())
                    })
            }
            _ => {
                let number = Label::new(&self.id).ok().and_then(|it| kernel.market_number(&it))?;
                let market = kernel.market(number)?;
                let last = market.last_price.map(|ticks| market.price(ticks).to_string());
                wrong("sequence", &self.sequence.to_string(), &market.sequence.to_string())
                    .or_else(|| wrong("open", figure("open"), &market.open.to_string()))
                    .or_else(|| {
                        wrong("last_price", figure("last_price"), &last.unwrap_or_default())
                    })
            }
        }
    }

    fn account_differs<W: Watch>(&self, kernel: &Kernel<W>) -> Option<String> {
        let number = self.id.parse().ok().and_then(|id| kernel.account_number(id));
        let Some((number, account)) = number.and_then(|it| Some((it, kernel.account(it)?))) else {
            return Some("the whole state has no such account".to_owned());
        };
        if account.version != self.sequence {
            return Some(format!("its sequence is {} and {}", self.sequence, account.version));
        }
        if self.figures.get("status").map(String::as_str) != Some(account.status.name()) {
            return Some(format!("its status is {}", account.status.name()));
        }
        let open = kernel.orders_of(number).count() as u64;
        if open != self.open_orders {
            return Some(format!("it has {} open orders and {open}", self.open_orders));
        }
        for asset in kernel.assets_of(number) {
            let (symbol, balance) = (kernel.asset(asset)?.symbol, kernel.balance(number, asset));
            let none = <[Sum; 2]>::default();
            let sums = self.balances.get(symbol.as_str()).unwrap_or(&none);
            if [sums[0].amount, sums[1].amount] != [balance.available, balance.locked] {
                let (here, there) = (sums[0].amount, balance.available);
                return Some(format!(
                    "{symbol} available is {here} by its own events, and {there}"
                ));
            }
        }
        None
    }

    fn json(&self) -> Json {
        let mut told = Map::new();
        told.insert("kind".to_owned(), self.kind.into());
        told.insert("id".to_owned(), self.id.clone().into());
        told.insert("sequence".to_owned(), self.sequence.into());
        told.insert("events".to_owned(), self.count.into());
        for (name, value) in &self.figures {
            let event = &self.from[name];
            told.insert((*name).to_owned(), json!({"value": value, "event_id": event}));
        }
        if self.kind == "account" {
            told.insert("open_orders".to_owned(), self.open_orders.into());
            told.insert("balances".to_owned(), self.balances());
            // Spot accounts hold none, and so gain or lose nothing by them (ACCT-2).
            told.insert("positions".to_owned(), json!([]));
            told.insert("pnl".to_owned(), json!({}));
            let fees = self.fees.iter().map(|(asset, sum)| {
                json!({"asset": asset, "paid": sum.amount.to_string(), "event_ids": sum.events})
            });
            told.insert("fees".to_owned(), fees.collect());
        }
        Json::Object(told)
    }

    fn balances(&self) -> Json {
        let of = |(asset, [available, locked]): (&String, &[Sum; 2])| {
            let [first, second] = self.opening.get(asset).copied().unwrap_or_default();
            json!({
                "asset": asset,
                "available": {
                    "opening": first.to_string(),
                    "closing": available.amount.to_string(),
                    "event_ids": available.events,
                },
                "locked": {
                    "opening": second.to_string(),
                    "closing": locked.amount.to_string(),
                    "event_ids": locked.events,
                },
            })
        };
        self.balances.iter().map(of).collect()
    }
}

fn event_id(event: &Rendered) -> String {
    event.object.text_of("event_id").to_owned()
}

/// An amount of an event that was rendered, which is always one.
fn amount(text: &str) -> Amount {
    text.parse().unwrap_or_default()
}
