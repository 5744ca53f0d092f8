//! The shadow's state: a second kernel, fed by events, that queries are answered from.
//!
//! Owns a kernel that only ever applies event groups, the client's own ids of open orders (which the
//! kernel keeps only in events), and a bounded memory of orders that ended lately, which are asked
//! for the most and which the archive may not show yet (D-73). Whoever holds the lock sees a
//! command end, never the middle of a command. A view that could not apply a group is broken: it says
//! so and answers nothing but its health.

mod changes;
mod ended;
mod fast;
mod fees;
mod hash;
mod query;
mod saved;
mod scan;
mod touched;

use std::panic::{AssertUnwindSafe, catch_unwind};

use kernel::Kernel;
use schema::{ClockStatus, EventGroup, Label, Trigger};
use units::Id;

pub(crate) use changes::Changes;
pub(crate) use hash::StateHash;
pub use hash::hash_from_nothing;
pub(crate) use hash::hash_of_both;
pub(crate) use touched::Touched;

use crate::executor::message;
use ended::EndedOrders;
use fast::FastMap;

/// What queries see.
pub(crate) struct View {
    kernel: Kernel<Touched>,
    ended: EndedOrders,
    /// What open orders were sent with and the kernel does not keep, by sequence of OrderSubmitted.
    asked: FastMap<u64, Asked>,
    /// The clock's source on record.
    clock: ClockStatus,
    broken: bool,
}

/// A state hash that an event put on record: the event it was taken at, and the hash.
pub(crate) type RecordedHash = (u64, [u8; 32]);

/// What an order was sent with and the kernel does not keep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Asked {
    client_order_id: Option<Label>,
    trigger: Option<Trigger>,
    oco_with: Option<Id>,
}

impl View {
    /// A view before the first event that remembers so many ended orders.
    pub(crate) fn new(ended_count_max: usize) -> Self {
        Self {
            kernel: Kernel::watched(Touched::default()),
            ended: EndedOrders::new(ended_count_max),
            asked: FastMap::default(),
            clock: ClockStatus::Primary,
            broken: false,
        }
    }

    /// The kernel, to look at.
    pub(crate) const fn kernel(&self) -> &Kernel<Touched> {
        &self.kernel
    }

    /// Brings a state hash up to date with what changed since the last call.
    pub(crate) fn hash_into(&mut self, hash: &mut StateHash) {
        let mut touched = std::mem::take(self.kernel.watch_mut());
        touched.drain(|entity| hash.update(&self.kernel, entity));
        *self.kernel.watch_mut() = touched;
    }

    /// The clock's source on record.
    pub(crate) const fn clock(&self) -> ClockStatus {
        self.clock
    }

    /// Whether it failed to apply events: its answers would be wrong.
    pub(crate) const fn is_broken(&self) -> bool {
        self.broken
    }

    /// Applies all events of one command and notes what it changed in displayed markets. Answers the
    /// state hash that the command put on record, if it did.
    pub(crate) fn apply(
        &mut self,
        group: &EventGroup<'_>,
        changes: &mut Changes,
    ) -> Result<Option<RecordedHash>, String> {
        self.broken = true;
        let recorded = self.scan(group, changes).map_err(|fault| fault.to_string())?;
        catch_unwind(AssertUnwindSafe(|| self.kernel.apply_group(group)))
            .map_err(|panic| message(&*panic))?
            .map_err(|fault| fault.to_string())?;
        changes.after_group(&self.kernel);
        self.broken = false;
        Ok(recorded)
    }
}
