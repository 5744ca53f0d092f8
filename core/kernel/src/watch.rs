//! Who is told which entities change.
//!
//! The live kernel keeps no digest (DET-47) and is not watched. The shadow is, so that it can hash
//! what changed in a window of events (D-80). The watcher is told and never asked: it cannot change
//! what the kernel does.

use crate::Entity;

/// Is told of every entity that an event changes, adds or removes.
pub trait Watch {
    /// The entity is not what it was.
    fn touched(&mut self, entity: Entity);
}

/// Watches nothing and costs nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    #[inline]
    fn touched(&mut self, _: Entity) {}
}
