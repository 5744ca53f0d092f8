//! Which entities each event of a command changed, as the kernel itself tells.
//!
//! The kernel names the system's entity first for every event that it applies, so the list falls into
//! one part an event.

use kernel::{Entity, Watch};

/// Everything that was touched since it was taken last.
#[derive(Clone, Debug, Default)]
pub(super) struct Touches(Vec<Entity>);

/// What one event touched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Touched {
    /// Accounts by number, each once.
    pub(super) accounts: Vec<u32>,
    /// Markets by listing number, each once.
    pub(super) markets: Vec<u32>,
}

impl Watch for Touches {
    fn touched(&mut self, entity: Entity) {
        self.0.push(entity);
    }
}

impl Touches {
    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Takes out what was touched, one part for each event.
    pub(super) fn take(&mut self) -> Vec<Touched> {
        let mut parts: Vec<Touched> = Vec::new();
        for entity in self.0.drain(..) {
            match (entity, parts.last_mut()) {
                (Entity::System, _) => parts.push(Touched::default()),
                (Entity::Account(number), Some(part)) => add(&mut part.accounts, number),
                (Entity::Market(number), Some(part)) => add(&mut part.markets, number),
                _ => {}
            }
        }
        parts
    }
}

fn add(numbers: &mut Vec<u32>, number: u32) {
    if !numbers.contains(&number) {
        numbers.push(number);
    }
}
