//! The envelope of an event: what EVT-1 puts around its payload.
//!
//! Owns the two things that take the whole command to know: which event caused which, and which number
//! each touched entity got.

use std::collections::BTreeMap;

use kernel::Kernel;
use schema::catalogue::VERSION;
use schema::{Event, EventGroup, EventKind, Idempotency, Label, Reference};
use units::Id;

use super::Draft;
use super::fields::{Fields, Value};
use super::touches::{Touched, Touches};

/// Entities whose own sequence rises by one event, with that sequence.
#[derive(Clone, Debug, Default)]
pub(super) struct Listed {
    pub(super) accounts: Vec<(Id, u64)>,
    pub(super) symbols: Vec<(Label, u64)>,
}

/// Numbers the entities of a command, event by event.
pub(super) struct Entities<'a> {
    kernel: &'a Kernel<Touches>,
    parts: std::vec::IntoIter<Touched>,
    /// The last number given, by account and by market.
    accounts: BTreeMap<u32, u64>,
    markets: BTreeMap<u32, u64>,
}

impl<'a> Entities<'a> {
    /// Behind the application of a command: what it touched, with the numbers before it. An entity has
    /// one more for each event that touched it, so the number before is the one after without those.
    pub(super) fn new(kernel: &'a mut Kernel<Touches>) -> Self {
        let parts = kernel.watch_mut().take();
        let kernel = &*kernel;
        let (mut accounts, mut markets) = (BTreeMap::new(), BTreeMap::new());
        for part in &parts {
            for &number in &part.accounts {
                let after = || kernel.account(number).map_or(0, |account| account.version);
                let before = accounts.entry(number).or_insert_with(after);
                *before = before.saturating_sub(1);
            }
            for &number in &part.markets {
                let after = || kernel.market(number).map_or(0, |market| market.sequence);
                let before = markets.entry(number).or_insert_with(after);
                *before = before.saturating_sub(1);
            }
        }
        Self { kernel, parts: parts.into_iter(), accounts, markets }
    }

    /// The entities of the next event.
    pub(super) fn next(&mut self) -> Listed {
        let part = self.parts.next().unwrap_or_default();
        let mut listed = Listed::default();
        for number in part.accounts {
            let sequence = self.accounts.entry(number).or_default();
            *sequence += 1;
            let account = self.kernel.account(number);
            listed.accounts.extend(account.map(|account| (account.id, *sequence)));
        }
        for number in part.markets {
            let sequence = self.markets.entry(number).or_default();
            *sequence += 1;
            let market = self.kernel.market(number);
            listed.symbols.extend(market.map(|market| (market.terms.symbol, *sequence)));
        }
        listed
    }
}

/// Which event caused which, by the rule of docs/formats/event.md: fills, postings and settlement of a
/// trade its TradeExecuted, postings of a transfer its AccountTransferred; of others that name an order
/// the last order event of that order in the command, of a replacement that of the order it replaces;
/// otherwise the first event of the command, which has no cause itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Causes {
    first: Option<Id>,
    /// The last TradeExecuted or AccountTransferred.
    moved: Option<Id>,
    /// The last order event by order.
    orders: BTreeMap<Id, Id>,
}

impl Causes {
    /// The cause of the next event.
    pub(super) fn next(&mut self, draft: &Draft, id: Id) -> Option<Id> {
        let kind = draft.event.kind();
        let named = match kind {
            EventKind::TradeExecuted | EventKind::OrderSubmitted => draft.orders.last(),
            _ => draft.orders.first(),
        };
        let settles = match &draft.event {
            Event::OrderPartiallyFilled(_) | Event::OrderFilled(_) | Event::TradeSettled(_) => true,
            Event::BalanceUpdated(event) => matches!(event.reference, Reference::Event(_)),
            _ => false,
        };
        let cause = match named {
            _ if settles => self.moved,
            Some(order) => self.orders.get(order).copied(),
            None => None,
        };
        let cause = cause.or(self.first);
        if matches!(kind, EventKind::TradeExecuted | EventKind::AccountTransferred) {
            self.moved = Some(id);
        }
        if let Some(order) = draft.orders.first().filter(|_| kind.counts().order) {
            self.orders.insert(*order, id);
        }
        self.first.get_or_insert(id);
        cause
    }
}

/// The whole object of an event.
pub(super) fn envelope(
    draft: &Draft,
    (id, cause): (Id, Option<Id>),
    listed: &Listed,
    group: &EventGroup<'_>,
) -> Fields {
    let head = draft.head;
    let is_first = head.sequence == group.head.first_sequence;
    let idempotency = group.head.idempotency.as_ref().filter(|_| is_first).map(key);
    let metadata = Fields::new()
        .text("version", VERSION)
        .maybe("correlation_id", group.head.correlation)
        .maybe("causation_id", cause)
        .count("command_sequence", group.head.command_sequence)
        .list("entities", entities(draft, listed))
        .with("idempotency", idempotency.map_or(Value::Null, Value::Object));
    Fields::new()
        .text("event_id", id)
        .text("event_type", draft.event.kind().name())
        .count("shard", id.shard())
        .count("sequence", head.sequence)
        .with("timestamp", Value::Nanos(head.timestamp.0))
        .text("timestamp_iso", head.timestamp)
        .text("source", draft.event.source().name())
        .object("payload", draft.payload.clone())
        .object("metadata", metadata)
}

/// Order, accounts, symbol.
fn entities(draft: &Draft, listed: &Listed) -> Vec<Fields> {
    let entity = |kind: &str, id: String, sequence: u64| {
        Fields::new().text("kind", kind).text("id", id).count("sequence", sequence)
    };
    let order = draft.counted_order.iter();
    let order = order.map(|(id, sequence)| entity("order", id.to_string(), *sequence));
    let accounts = listed.accounts.iter();
    let accounts = accounts.map(|(id, sequence)| entity("account", id.to_string(), *sequence));
    let symbols = listed.symbols.iter();
    let symbols = symbols.map(|(id, sequence)| entity("symbol", id.to_string(), *sequence));
    order.chain(accounts).chain(symbols).collect()
}

fn key(key: &Idempotency) -> Fields {
    Fields::new()
        .hex("key_hash", &key.key_hash)
        .hex("body_hash", &key.body_hash)
        .time("expires_at", key.expires_at)
}
