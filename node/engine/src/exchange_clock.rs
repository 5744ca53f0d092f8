//! Exchange time: the one function that gives stamps (TIME-11).
//!
//! Owns monotonicity. A stamp is above every stamp given before and above what the log ends with
//! (TIME-22 to TIME-24): while the wall clock is behind, stamps rise by 1 ns (TIME-33). A reading of
//! the wall clock that moved by more than 1 s against the monotonic clock is a *step* (D-53): it is
//! counted, reported, and used in no stamp. From then on time goes on with the monotonic clock from
//! the last good reading, and stamps carry the fallback flag (TIME-38), until a person confirms the
//! clock.
//!
//! Known limits: D-53 also halts trading at a step and when the estimated error of the fallback
//! passes 1 s (TIME-32, TIME-34, TIME-35, TIME-39). There is no halt command yet, so a step here makes
//! the shard degraded and goes on record as ClockStatusChanged, and nothing more. The difference to
//! NTP is the operating system's to watch.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use units::{Amount, Timestamp};

use crate::clock::Clock;

/// A stamp for a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Exchange time.
    pub time: Timestamp,
    /// Whether it comes from the monotonic clock alone.
    pub fallback: bool,
}

/// A step of the wall clock against the monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockStep {
    /// By how many nanoseconds; negative for a step back.
    pub nanos: i64,
}

/// Gives stamps. Threads may share it.
pub struct ExchangeClock {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The last stamp given.
    last: i64,
    /// Wall minus monotonic time at the last good reading.
    offset: i64,
    fallback: bool,
    /// A step that nobody was told of yet.
    step: Option<ClockStep>,
    /// Readings that were not above the last stamp.
    behind_count: u64,
    step_count: u64,
}

impl ExchangeClock {
    /// A clock whose first stamp is above `floor`, the last stamp and event time of the log. A wall
    /// clock more than 1 s behind that is a step back (TIME-24).
    #[must_use]
    pub fn above(clock: Arc<dyn Clock>, floor: Timestamp) -> Self {
        let offset = read_offset(&*clock);
        let mut state = State {
            last: floor.0,
            offset,
            fallback: false,
            step: None,
            behind_count: 0,
            step_count: 0,
        };
        let behind = floor.0.saturating_sub(clock.wall());
        if behind > STEP_NANOS {
            state.offset = offset.saturating_add(behind);
            state.note_step(behind.saturating_neg());
        }
        Self { clock, state: Mutex::new(state) }
    }

    /// The next stamp: above every one before.
    #[must_use]
    pub fn stamp(&self) -> Stamp {
        let mut state = self.state.lock();
        let reading = state.read(&*self.clock);
        if reading <= state.last {
            state.behind_count += 1;
        }
        state.last = reading.max(state.last.saturating_add(1));
        Stamp { time: Timestamp(state.last), fallback: state.fallback }
    }

    /// Exchange time now, for whoever asks (TIME-14); no stamp.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let mut state = self.state.lock();
        Timestamp(state.read(&*self.clock).max(state.last))
    }

    /// Monotonic time, for intervals.
    #[must_use]
    pub fn monotonic(&self) -> u64 {
        self.clock.monotonic()
    }

    /// A step since the last call, if there was one.
    pub(crate) fn take_step(&self) -> Option<ClockStep> {
        self.state.lock().step.take()
    }

    /// Whether stamps come from the monotonic clock alone.
    #[must_use]
    pub fn is_fallback(&self) -> bool {
        self.state.lock().fallback
    }

    /// Readings that were not above the last stamp, and steps.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let state = self.state.lock();
        (state.behind_count, state.step_count)
    }

    /// A person says that the wall clock is right: it is followed again.
    pub fn confirm(&self) {
        let mut state = self.state.lock();
        state.offset = read_offset(&*self.clock);
        state.fallback = false;
    }
}

impl State {
    fn read(&mut self, clock: &dyn Clock) -> i64 {
        if !self.fallback {
            let offset = read_offset_near(clock, self.offset);
            let moved = offset.saturating_sub(self.offset);
            if moved.saturating_abs() > STEP_NANOS {
                self.note_step(moved);
            } else {
                self.offset = offset;
            }
        }
        monotonic(clock).saturating_add(self.offset)
    }

    fn note_step(&mut self, nanos: i64) {
        self.fallback = true;
        self.step_count += 1;
        self.step = Some(ClockStep { nanos });
    }
}

impl ClockStep {
    /// Its size in seconds.
    #[must_use]
    pub fn skew(self) -> Amount {
        Amount(i128::from(self.nanos).abs() * (Amount::ONE.0 / 1_000_000_000))
    }
}

impl fmt::Debug for ExchangeClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExchangeClock").field("state", &*self.state.lock()).finish_non_exhaustive()
    }
}

fn monotonic(clock: &dyn Clock) -> i64 {
    i64::try_from(clock.monotonic()).unwrap_or(i64::MAX)
}

fn read_offset(clock: &dyn Clock) -> i64 {
    let monotonic = monotonic(clock);
    clock.wall().saturating_sub(monotonic)
}

/// The offset, read again when it looks like a step: a thread that slept between the two readings
/// sees one where there is none.
fn read_offset_near(clock: &dyn Clock, expected: i64) -> i64 {
    let mut offset = read_offset(clock);
    for _ in 0..STEP_READING_COUNT {
        if offset.saturating_sub(expected).saturating_abs() <= STEP_NANOS {
            break;
        }
        offset = read_offset(clock);
    }
    offset
}

/// What is a step: more than 1 s (D-53).
const STEP_NANOS: i64 = 1_000_000_000;
/// Readings that must agree on a step.
const STEP_READING_COUNT: u32 = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use std::thread;

    const NOON: i64 = 1_708_123_456_789_012_345;

    fn at_noon(floor: i64) -> (Arc<ManualClock>, ExchangeClock) {
        let manual = Arc::new(ManualClock::new(NOON));
        let clock = ExchangeClock::above(manual.clone(), Timestamp(floor));
        (manual, clock)
    }

    /// covers: TIME-22, TIME-33
    #[test]
    fn stamps_rise_by_one_while_the_wall_clock_is_behind() {
        let (manual, clock) = at_noon(0);
        assert_eq!(clock.stamp().time.0, NOON);
        assert_eq!(clock.stamp().time.0, NOON + 1);
        manual.step(-500_000_000);
        assert_eq!(clock.stamp(), Stamp { time: Timestamp(NOON + 2), fallback: false });
        assert_eq!(clock.counts(), (2, 0), "counted, and no step");
        manual.advance(500_000_003);
        assert_eq!(clock.stamp().time.0, NOON + 3);
        manual.advance(10);
        assert_eq!(clock.stamp().time.0, NOON + 13, "the clock has caught up");
        assert_eq!(clock.now().0, NOON + 13);
    }

    /// covers: TIME-24
    #[test]
    fn the_first_stamp_is_above_the_log() {
        let (_, clock) = at_noon(NOON + 900_000_000);
        assert_eq!(clock.stamp(), Stamp { time: Timestamp(NOON + 900_000_001), fallback: false });
        let (manual, clock) = at_noon(NOON + 2_000_000_000);
        assert_eq!(clock.take_step(), Some(ClockStep { nanos: -2_000_000_000 }));
        manual.advance(5);
        let stamp = clock.stamp();
        assert_eq!(stamp, Stamp { time: Timestamp(NOON + 2_000_000_005), fallback: true });
    }

    /// No stamp uses a time that jumped, in either direction, before a person said so.
    #[test]
    fn a_step_is_reported_and_not_followed() {
        for step in [3_600_000_000_000, -3_600_000_000_000] {
            let (manual, clock) = at_noon(0);
            assert_eq!(clock.stamp().time.0, NOON);
            manual.advance(1_000);
            manual.step(step);
            assert_eq!(clock.stamp(), Stamp { time: Timestamp(NOON + 1_000), fallback: true });
            assert_eq!(clock.take_step(), Some(ClockStep { nanos: step }));
            assert_eq!(clock.take_step(), None);
            assert_eq!(ClockStep { nanos: step }.skew(), Amount::from_units(3_600));
            manual.advance(1_000);
            assert_eq!(clock.stamp().time.0, NOON + 2_000);
            clock.confirm();
            assert!(!clock.is_fallback());
            let stamp = clock.stamp();
            assert_eq!(stamp.time.0, (NOON + 2_000 + step).max(NOON + 2_001));
            assert_eq!(clock.counts().1, 1);
        }
    }

    /// covers: TIME-23
    #[test]
    fn sixteen_threads_never_get_one_value_twice() {
        let (_, clock) = at_noon(0);
        let clock = Arc::new(clock);
        let ask = |clock: Arc<ExchangeClock>| {
            thread::spawn(move || {
                let stamps: Vec<i64> = (0..1_000).map(|_| clock.stamp().time.0).collect();
                assert!(stamps.is_sorted_by(|one, other| one < other));
                stamps
            })
        };
        let threads: Vec<_> = (0..16).map(|_| ask(clock.clone())).collect();
        let mut all: Vec<i64> =
            threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 16_000);
    }
}
