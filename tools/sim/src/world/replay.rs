//! The state from events alone.
//!
//! Owns the other replay: what a reader who has only the event log comes to, from an empty node, with every
//! recorded hash compared on the way (REC-40).

use std::path::Path;
use std::sync::Arc;

use engine::state_hash;
use journal::EventLog;
use journal::disk::Disk;
use kernel::Kernel;
use schema::limits::HASH_WINDOW;
use schema::{Event, EventGroup, GroupIter};

use super::node::{EVENTS, OPTIONS};
use crate::disk::SimDisk;
use crate::violation::{Violation, ensure};

/// What the events of a log lead to.
#[derive(Debug, Default)]
pub(super) struct Replayed {
    kernel: Kernel,
    /// Hashes at the ends of windows, until they are on record.
    due: Vec<(u64, [u8; 32])>,
    /// Recorded hashes that were compared.
    pub(super) compared: u64,
}

impl Replayed {
    /// Applies the events of a disk's log up to one.
    pub(super) fn of(disk: &SimDisk, last_event: u64) -> Result<Self, Violation> {
        let wrong = |what: String| Violation(format!("the events alone: {what}"));
        let disk: Arc<dyn Disk> = Arc::new(disk.clone());
        let opened = EventLog::open(disk, Path::new(EVENTS), OPTIONS);
        let (log, _) = opened.map_err(|fault| wrong(fault.to_string()))?;
        let mut replayed = Self::default();
        for block in log.read(1).map_err(|fault| wrong(fault.to_string()))? {
            let block = block.map_err(|fault| wrong(fault.to_string()))?;
            for group in GroupIter::new(block.payload()) {
                let group = group.map_err(|fault| wrong(fault.to_string()))?;
                if group.head.first_sequence > last_event {
                    return Ok(replayed);
                }
                replayed.apply(&group)?;
            }
        }
        Ok(replayed)
    }

    /// The last event, and the hash of the state.
    pub(super) fn state(&self) -> (u64, [u8; 32]) {
        (self.kernel.position().event_sequence, state_hash(&self.kernel))
    }

    fn apply(&mut self, group: &EventGroup<'_>) -> Result<(), Violation> {
        let before = self.kernel.position().event_sequence;
        self.kernel.apply_group(group).map_err(|fault| Violation(fault.to_string()))?;
        for event in group.events() {
            let (_, event) = event.map_err(|fault| Violation(fault.to_string()))?;
            if let Event::StateHashRecorded(it) = event {
                let own = self.due.iter().find(|due| due.0 == it.at_sequence);
                ensure(own == Some(&(it.at_sequence, it.state_hash)), || {
                    format!(
                        "the state at event {} has another hash than is on record",
                        it.at_sequence
                    )
                })?;
                self.compared += 1;
            }
        }
        let last = self.kernel.position().event_sequence;
        if last / HASH_WINDOW > before / HASH_WINDOW {
            self.due.push((last, state_hash(&self.kernel)));
        }
        Ok(())
    }
}
