//! Events as every interface shows them: full ids, symbols, decimals as texts, times in two forms.
//!
//! A stored event names entities by small numbers and leaves out what follows from the state before it
//! (D-79). The renderer keeps that state: it applies the log command by command to a kernel of its own,
//! and follows the figures that change inside a command in a *scene*. The envelope is EVT-1, its entities
//! are what the kernel touched, by the table of the schema (SEQ-28, D-78). It deliberately holds no rule:
//! whatever it shows is in the log or in the kernel. Read `scene.rs`, then `trading.rs`.
//!
//! Where each derived field comes from is said in docs/formats/event.md.

mod changes;
mod command;
mod envelope;
mod fields;
mod payload;
mod registry;
mod scene;
#[cfg(test)]
mod tests;
mod touches;
mod trading;
mod waiting;

use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::{Context as _, anyhow};
use kernel::{Kernel, Watch};
use schema::{Event, EventGroup, EventHead, EventKind, Label};
use units::Id;

pub(crate) use command::render_command;
use envelope::{Causes, Entities, envelope};
pub(crate) use fields::{Fields, Value};
use scene::Scene;
use touches::Touches;
use waiting::Waiting;

/// An event as it is shown.
#[derive(Clone, Debug)]
pub(crate) struct Rendered {
    /// Its number and time.
    pub(crate) head: EventHead,
    /// Its type.
    pub(crate) kind: EventKind,
    /// Its payload.
    pub(crate) payload: Fields,
    /// The whole object.
    pub(crate) object: Fields,
    /// Accounts that count it (SEQ-27).
    pub(crate) accounts: Vec<Id>,
    /// Symbols that count it (SEQ-27).
    pub(crate) symbols: Vec<Label>,
    /// Orders that it is about.
    pub(crate) orders: Vec<Id>,
}

/// Follows a log of events from the first one on and renders them.
#[derive(Clone)]
pub(crate) struct Renderer {
    kernel: Kernel<Touches>,
    waiting: Waiting,
}

/// An event on its way to be rendered: all but its entities.
struct Draft {
    head: EventHead,
    event: Event,
    payload: Fields,
    orders: Vec<Id>,
    /// The order whose own sequence rises, and that sequence.
    counted_order: Option<(Id, u64)>,
}

impl Renderer {
    /// A renderer before the first event.
    pub(crate) fn new() -> Self {
        Self { kernel: Kernel::watched(Touches::default()), waiting: Waiting::default() }
    }

    /// The state behind the last command that it went past.
    pub(crate) fn kernel(&self) -> &Kernel<impl Watch + use<>> {
        &self.kernel
    }

    /// Goes past the events of a command.
    ///
    /// # Errors
    /// The group does not follow, or its events cannot be.
    pub(crate) fn pass(&mut self, group: &EventGroup<'_>) -> anyhow::Result<()> {
        self.kernel.watch_mut().clear();
        let kernel = &mut self.kernel;
        // A broken invariant leaves a kernel that must be dropped, and so does every other fault here.
        catch_unwind(AssertUnwindSafe(|| kernel.apply_group(group)))
            .map_err(|_| {
                anyhow!("the core stopped in the events of command {}", command_of(group))
            })?
            .with_context(|| format!("the events of command {} cannot be", command_of(group)))?;
        for event in group.events() {
            let (head, event) = event?;
            self.waiting.pass(head, &event);
        }
        Ok(())
    }

    /// Goes past the events of a command and renders them.
    ///
    /// # Errors
    /// The group does not follow, or its events cannot be.
    pub(crate) fn render(&mut self, group: &EventGroup<'_>) -> anyhow::Result<Vec<Rendered>> {
        let (drafts, shard) = self
            .draft(group)
            .with_context(|| format!("the events of command {} cannot be", command_of(group)))?;
        self.pass(group)?;
        let mut entities = Entities::new(&mut self.kernel);
        let mut causes = Causes::default();
        let mut rendered = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let listed = entities.next();
            let accounts = listed.accounts.iter().map(|(id, _)| *id).collect();
            let symbols = listed.symbols.iter().map(|(symbol, _)| *symbol).collect();
            let id = Id::derive(draft.head.timestamp, shard, draft.head.sequence)?;
            let cause = causes.next(&draft, id);
            let object = envelope(&draft, (id, cause), &listed, group);
            rendered.push(Rendered {
                head: draft.head,
                kind: draft.event.kind(),
                payload: draft.payload,
                object,
                accounts,
                symbols,
                orders: draft.orders,
            });
        }
        Ok(rendered)
    }

    /// The payloads, written while the state before the command is there.
    fn draft(&self, group: &EventGroup<'_>) -> anyhow::Result<(Vec<Draft>, u16)> {
        let mut scene = Scene::before(&self.kernel, &self.waiting);
        let mut drafts = Vec::new();
        for event in group.events() {
            let (head, event) = event?;
            scene.pass(head, &event)?;
            let (payload, orders) = payload::payload(&mut scene, head, &event)?;
            let counted = if event.kind().counts().order { orders.first() } else { None };
            let counted_order = match counted {
                Some(id) => Some((*id, scene.order(id.sequence())?.version)),
                None => None,
            };
            drafts.push(Draft { head, event, payload, orders, counted_order });
        }
        Ok((drafts, scene.shard()))
    }
}

const fn command_of(group: &EventGroup<'_>) -> u64 {
    group.head.command_sequence
}
