//! The world's time, and how late exchange time may be (D-53).
//!
//! Owns what a node can be held to that sees only a wall clock which jumps. A step of more than a second is used
//! in no stamp, so that each jump moves exchange time by a second at the most while the node is up. What
//! cannot be told is a wall clock that was wrong already when the node started: it begins with that time, or
//! with the log's if that is later, and goes on from there until a person confirms the clock.

use testkit::rng::SplitMix64;

use super::World;
use crate::violation::Violation;

impl World {
    /// Time passes, for the machine and for those who wait.
    pub(crate) fn advance(&mut self, nanos: i64) {
        self.clock.advance(nanos);
        self.gateway.advance(nanos);
    }

    /// Time passes to just before, at or just after the moment at which the next order or countdown ends.
    pub(super) fn pass_to_an_end(&mut self, random: &mut SplitMix64) {
        let Some(door) = self.door() else { return };
        let now = door.clock().now().0;
        if let Some(end) = self.auditor.next_end(now) {
            let edge = i64::try_from(random.below(3)).expect("small") - 1;
            self.advance((end - now + edge).min(DAY));
        }
    }

    pub(super) fn jump_clock(&mut self, random: &mut SplitMix64) {
        self.allow_time();
        let size = *random.pick(&JUMPS).expect("some");
        self.clock.step(if random.coin() { size } else { -size });
        self.ahead = self.ahead.saturating_add(STEP);
        self.hit("clock jumped");
    }

    /// The wall clock is right again, and the operator says so; then trading may go on.
    pub(super) fn right_clock(&mut self, random: &mut SplitMix64) -> Result<(), Violation> {
        self.allow_time();
        self.clock.set_right();
        if self.door().is_some() && self.auditor.oracle().is_clock_unconfirmed() {
            self.end_halt(random)?;
        }
        Ok(())
    }

    /// A node starts behind the log as it is.
    pub(super) fn begin_time(&mut self) {
        let late = self.clock.wall_time().max(self.auditor.last_time());
        self.ahead = late.saturating_sub(self.clock.true_time()).max(0);
        self.allow_time();
    }

    /// Whatever is stamped up to now is not later than this.
    pub(super) fn allow_time(&mut self) {
        let (right, wall) = (self.clock.true_time(), self.clock.wall_time());
        self.wall_ahead = self.wall_ahead.max(wall.saturating_sub(right));
        if self.auditor.has_confirmed() {
            // It may have been wrong, and is followed as it was.
            self.ahead = self.ahead.max(self.wall_ahead);
        }
        self.auditor.allow_time(right.saturating_add(self.ahead), wall);
    }
}

/// By how much the wall clock jumps, in nanoseconds.
const JUMPS: [i64; 5] =
    [400_000_000, 1_500_000_000, 60_000_000_000, 3_600_000_000_000, 86_400_000_000_000];
const DAY: i64 = 86_400_000_000_000;
/// What is not followed: more than a second.
const STEP: i64 = 1_000_000_000;
