//! The steps of an order's life, found in the event log.
//!
//! An order's id holds the number of its first event, so the commands before it are only applied. From there
//! on a command is rendered if one of its events is about the order, to the end of the log: an order that
//! has ended may still be named by a cancel that is refused.

use anyhow::{Context as _, bail};
use schema::{
    Event, EventGroup, EventHead, Label, Matching, OrderSubmitted, OrderTerms, SymbolRef,
};
use units::Id;

use super::moment::{Moment, Origins};
use super::names::names;
use super::rules::{Rule, rules_of, step_of};
use crate::flow::bar;
use crate::log::Source;
use crate::render::{Rendered, Renderer};
use crate::state::{Groups, one_group};

/// Which order is asked for.
pub(super) enum Wanted {
    /// The one with this id.
    Id(Id),
    /// The last one that this account sent under this name.
    Client(Account, Label),
}

/// An account, as a person names it.
pub(super) enum Account {
    /// By its id.
    Id(Id),
    /// By its external id.
    Name(Label),
}

/// What is told of an order.
pub(super) struct Life {
    pub(super) order: Id,
    /// Its account: the external id, or the id of one that does not exist.
    pub(super) account: String,
    pub(super) steps: Vec<Step>,
}

/// One event of it.
pub(super) struct Step {
    pub(super) event: Rendered,
    /// Number of its command.
    pub(super) command: u64,
    pub(super) rules: Vec<Rule>,
    /// The step of LIFE-8 that failed.
    pub(super) failed: Option<(u8, &'static str)>,
    /// Balance and limits, where something was refused.
    pub(super) moment: Option<Moment>,
}

/// What an order is of, as its first event says.
struct Subject {
    account: Id,
    /// Market by symbol; absent for one that is not listed.
    symbol: Option<Label>,
}

/// The life of an order.
///
/// # Errors
/// There is no such order, or the log cannot be read.
pub(super) fn of(source: &Source, wanted: &Wanted) -> anyhow::Result<Life> {
    let id = match wanted {
        Wanted::Id(id) => *id,
        Wanted::Client(account, name) => named(source, account, name)?,
    };
    let first = id.sequence();
    if first == 0 || first > source.event_end() {
        bail!("no order {id} is in this log, which ends at event {}", source.event_end());
    }
    let bar = bar("reading events", source.event_end());
    let mut reader =
        Reader { renderer: Renderer::new(), origins: Origins::default(), subject: None };
    let mut steps = Vec::new();
    let mut groups = Groups::behind(source, 0)?;
    while let Some(bytes) = groups.next_bytes()? {
        let group = one_group(bytes)?;
        let last = group.head.first_sequence + u64::from(group.count) - 1;
        if last < first {
            reader.pass(&group)?;
        } else {
            reader.read(&group, id, &mut steps)?;
        }
        bar.set_position(last);
    }
    bar.finish_and_clear();
    let Some(subject) = reader.subject else {
        bail!("event {first} of this log is of no order {id}")
    };
    let account = reader.renderer.kernel().account_number(subject.account);
    let name = account.and_then(|it| reader.renderer.kernel().account(it));
    let account =
        name.map_or_else(|| subject.account.to_string(), |it| it.external_id().to_string());
    Ok(Life { order: id, account, steps })
}

/// The log up to a command.
struct Reader {
    renderer: Renderer,
    origins: Origins,
    /// Known from the order's first event on.
    subject: Option<Subject>,
}

impl Reader {
    fn pass(&mut self, group: &EventGroup<'_>) -> anyhow::Result<()> {
        self.renderer.pass(group)?;
        self.origins.pass(group, self.renderer.kernel())
    }

    /// Adds what of the command is about the order.
    fn read(
        &mut self,
        group: &EventGroup<'_>,
        id: Id,
        steps: &mut Vec<Step>,
    ) -> anyhow::Result<()> {
        let mut events: Vec<(EventHead, Event)> = Vec::new();
        for event in group.events() {
            events.push(event?);
        }
        if !events.iter().any(|(at, event)| names(*at, event, id)) {
            return self.pass(group);
        }
        if let Some(subject) = events.iter().find_map(|(at, event)| self.subject(*at, event, id)) {
            self.subject = Some(subject);
        }
        let Some(subject) = &self.subject else { return self.pass(group) };
        let is_refusal =
            |event: &Event| matches!(event, Event::OrderRejected(_) | Event::CommandRejected(_));
        // Of the state before the command: what was looked at when it was refused.
        let kernel = self.renderer.kernel();
        let moment = events
            .iter()
            .any(|(_, event)| is_refusal(event))
            .then(|| self.origins.moment(kernel, subject.account, subject.symbol));
        let market = subject.symbol.and_then(|symbol| kernel.market_number(&symbol));
        let matching = market
            .and_then(|number| kernel.market(number))
            .map_or(Matching::PriceTime, |market| market.terms.matching);
        let rendered = self.renderer.render(group)?;
        for ((_, event), rendered) in events.iter().zip(rendered) {
            let refuses =
                matches!(event, Event::CommandRejected(it) if it.party.target == Some(id));
            if !refuses && !rendered.orders.contains(&id) {
                continue;
            }
            steps.push(Step {
                event: rendered,
                command: group.head.command_sequence,
                rules: rules_of(event, matching),
                failed: failed(event),
                moment: if is_refusal(event) { moment.clone() } else { None },
            });
        }
        self.origins.pass(group, self.renderer.kernel())
    }

    /// What the order is of, if this is its first event.
    fn subject(&self, at: EventHead, event: &Event, id: Id) -> Option<Subject> {
        let Event::OrderSubmitted(submitted) = event else { return None };
        let kernel = self.renderer.kernel();
        if Id::derive(at.timestamp, kernel.shard(), at.sequence) != Ok(id) {
            return None;
        }
        let listed = |number| kernel.market(number).map(|market| market.terms.symbol);
        let (account, symbol) = match submitted.terms {
            OrderTerms::Checked { account, market, .. } => {
                (kernel.account(account)?.id, listed(market))
            }
            OrderTerms::Requested { account, symbol, .. } => match symbol {
                SymbolRef::Listed(number) => (account, listed(number)),
                SymbolRef::Unknown(_) => (account, None),
            },
        };
        Some(Subject { account, symbol })
    }
}

const fn failed(event: &Event) -> Option<(u8, &'static str)> {
    match event {
        Event::OrderRejected(rejected) => step_of(rejected.reason),
        _ => None,
    }
}

/// The id of the last order that an account sent under a name.
fn named(source: &Source, account: &Account, name: &Label) -> anyhow::Result<Id> {
    let bar = bar("looking for the order", source.event_end());
    let mut renderer = Renderer::new();
    let mut found = None;
    let mut groups = Groups::behind(source, 0)?;
    while let Some(bytes) = groups.next_bytes()? {
        let group = one_group(bytes)?;
        for event in group.events() {
            let (at, event) = event?;
            let Event::OrderSubmitted(submitted) = event else { continue };
            if submitted.client_order_id.as_ref() == Some(name)
                && sender(&renderer, &submitted).is_some_and(|(id, name)| match account {
                    Account::Id(wanted) => *wanted == id,
                    Account::Name(wanted) => Some(*wanted) == name,
                })
            {
                found = Some(Id::derive(at.timestamp, renderer.kernel().shard(), at.sequence)?);
            }
        }
        renderer.pass(&group)?;
        bar.set_position(group.head.first_sequence);
    }
    bar.finish_and_clear();
    found.with_context(|| format!("the account sent no order under the name {name}"))
}

/// Id and name of the account that sent an order; the name only of one that exists.
fn sender(renderer: &Renderer, submitted: &OrderSubmitted) -> Option<(Id, Option<Label>)> {
    let kernel = renderer.kernel();
    let number = match submitted.terms {
        OrderTerms::Checked { account, .. } => Some(account),
        OrderTerms::Requested { account, .. } => kernel.account_number(account),
    };
    let known = number.and_then(|number| kernel.account(number));
    match (known, submitted.terms) {
        (Some(account), _) => Some((account.id, Some(account.external_id()))),
        (None, OrderTerms::Requested { account, .. }) => Some((account, None)),
        (None, OrderTerms::Checked { .. }) => None,
    }
}
