//! The room on the disk, as the operating system tells it, and what a node must make of it (REC-70).
//!
//! Owns two ways in which a disk is full: it says so before (`used`), or a write fails without a word. In the first a
//! node refuses orders from the one mark on and everything from the other, takes both again when there is room, and
//! may look a moment late.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use engine::{Clock as _, DiskSpace};
use port::{PortFault, Request};
use schema::Command;
use testkit::rng::SplitMix64;

use super::World;
use crate::violation::{Violation, ensure};

/// What the machine says of its disk. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct SimSpace(Arc<AtomicU32>);

impl DiskSpace for SimSpace {
    fn used(&self) -> io::Result<u32> {
        Ok(self.0.load(Ordering::Relaxed))
    }
}

impl World {
    pub(super) fn fill_disk(&mut self, random: &mut SplitMix64) {
        if random.coin() {
            self.disk.set_full(true);
        } else {
            let used = u32::try_from(random.between(u64::from(LOW) - 200, u64::from(WHOLE)));
            self.use_space(used.expect("small"));
        }
    }

    pub(super) fn make_room(&mut self) {
        self.disk.set_full(false);
        self.use_space(0);
    }

    fn use_space(&mut self, used: u32) {
        let before = self.space.0.swap(used, Ordering::Relaxed);
        self.used_before.push((self.clock.monotonic(), before));
    }

    /// Who asks is told that there is no room when there is none, and only then.
    pub(super) fn check_room(
        &self,
        request: &Request,
        fault: Option<&PortFault>,
    ) -> Result<(), Violation> {
        let now = self.clock.monotonic();
        let young = self.used_before.iter().filter(|(until, _)| now - until <= LOOK_TIME);
        let used = young.map(|it| it.1).chain([self.space.0.load(Ordering::Relaxed)]);
        let has_no_room = fault == Some(&PortFault::NoRoom);
        let mut seen = used.map(|used| is_refused(used, &request.command));
        let may_be = seen.any(|is_refused| is_refused == has_no_room);
        let runs = self.node.as_ref().is_some_and(|it| it.stop_reason().is_none());
        ensure(may_be || !runs, || {
            format!("{:?} of the disk are in use, and {request:?} got {fault:?}", self.space.0)
        })
    }
}

/// Whether a disk that is so full takes no such command.
const fn is_refused(used: u32, command: &Command) -> bool {
    let is_order = matches!(command, Command::PlaceOrder(_) | Command::ReplaceOrder(_));
    used >= OUT || (used >= LOW && is_order)
}

/// Hundredths of a percent.
const WHOLE: u32 = 10_000;
/// From here on no order is taken.
const LOW: u32 = 9_000;
/// From here on nothing is.
const OUT: u32 = 9_500;
/// Nanoseconds after which a node has looked.
const LOOK_TIME: u64 = 250_000_000;
