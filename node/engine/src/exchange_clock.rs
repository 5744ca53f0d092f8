//! Exchange time: the one function that gives stamps (TIME-11).
//!
//! Owns monotonicity. A stamp is above every stamp given before and above what the log ends with
//! (TIME-22 to TIME-24): while the wall clock is behind, stamps rise by 1 ns (TIME-33). A reading of
//! the wall clock that moved by more than 1 s against the monotonic clock is a *step* (D-53): it is
//! counted and used in no stamp. From then on the clock is *unconfirmed*: time goes on with the monotonic clock
//! from the last good reading, stamps carry the fallback flag (TIME-38), and the sequencer halts trading
//! (TIME-34, TIME-35) until a person confirms the clock (D-119). A wall clock that cannot be read is
//! replaced by the backup (TIME-37), and without one by the monotonic clock in the same way, but trading goes on until
//! the estimated error passes 1 s (TIME-39).
//!
//! Known limits: the difference to NTP is the operating system's to watch (TIME-32), and the machine has no backup
//! clock of its own.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use schema::ClockStatus;
use units::{Amount, Timestamp};

use crate::clock::Clock;

/// A stamp for a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Exchange time.
    pub time: Timestamp,
    /// Where it comes from.
    pub source: ClockStatus,
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
    /// Exchange time minus monotonic time at the last good reading.
    offset: i64,
    /// Monotonic time of that reading.
    good_at: u64,
    source: ClockStatus,
    /// Nobody trusts the clock: a person must look at it.
    unconfirmed: bool,
    /// A step that nobody was told of yet.
    step: Option<ClockStep>,
    /// Readings that were not above the last stamp.
    behind_count: u64,
    step_count: u64,
}

impl ExchangeClock {
    /// A clock whose first stamp is above `floor`, the last stamp and event time of the log. A wall
    /// clock more than 1 s behind that is a step back (TIME-24). One that lies ahead cannot be told from a rest.
    #[must_use]
    pub fn above(clock: Arc<dyn Clock>, floor: Timestamp) -> Self {
        let mut state = State::at(&*clock, floor);
        if let Some(reading) = Reading::of(&*clock) {
            state.follow(&reading);
            let behind = floor.0.saturating_sub(reading.time());
            if behind > STEP_NANOS {
                state.offset = reading.offset.saturating_add(behind);
                state.note_step(behind.saturating_neg());
            }
        }
        Self { clock, state: Mutex::new(state) }
    }

    /// A clock that nobody had confirmed when the log ended: it goes on from there, whatever the machine says now.
    #[must_use]
    pub fn unconfirmed(clock: Arc<dyn Clock>, floor: Timestamp) -> Self {
        let state = State { unconfirmed: true, ..State::at(&*clock, floor) };
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
        Stamp { time: Timestamp(state.last), source: state.source }
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

    /// Where stamps come from.
    #[must_use]
    pub fn source(&self) -> ClockStatus {
        self.state.lock().source
    }

    /// Whether a person must confirm the clock before anybody trades by it.
    #[must_use]
    pub fn is_unconfirmed(&self) -> bool {
        self.state.lock().unconfirmed
    }

    /// The estimated error of time without a clock, in seconds: 100 parts per million of it (TIME-39).
    pub(crate) fn error(&self) -> Amount {
        let state = self.state.lock();
        nanos(i128::from(state.error(&*self.clock)))
    }

    /// Readings that were not above the last stamp, and steps.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let state = self.state.lock();
        (state.behind_count, state.step_count)
    }

    /// A person says that the clock is right as it is: it is followed again. `false`, and nothing changes, when it
    /// cannot be read.
    pub(crate) fn confirm(&self) -> bool {
        let mut state = self.state.lock();
        let Some(reading) = Reading::of(&*self.clock) else { return false };
        state.follow(&reading);
        (state.unconfirmed, state.step) = (false, None);
        true
    }
}

impl State {
    /// Without a clock, from this time on.
    fn at(clock: &dyn Clock, floor: Timestamp) -> Self {
        Self {
            last: floor.0,
            offset: floor.0.saturating_sub(monotonic(clock)),
            good_at: clock.monotonic(),
            source: ClockStatus::Fallback,
            unconfirmed: false,
            step: None,
            behind_count: 0,
            step_count: 0,
        }
    }

    fn read(&mut self, clock: &dyn Clock) -> i64 {
        if !self.unconfirmed {
            match Reading::near(clock, self.offset) {
                Some(reading) if reading.moved(self.offset) > STEP_NANOS => {
                    self.note_step(reading.offset.saturating_sub(self.offset));
                }
                Some(reading) => self.follow(&reading),
                None => self.go_without(clock),
            }
        }
        monotonic(clock).saturating_add(self.offset)
    }

    const fn follow(&mut self, reading: &Reading) {
        (self.offset, self.good_at) = (reading.offset, reading.monotonic);
        self.source = reading.source;
    }

    /// No clock can be read: the monotonic one goes on, for as long as its error is small (TIME-38, TIME-39).
    fn go_without(&mut self, clock: &dyn Clock) {
        self.source = ClockStatus::Fallback;
        self.unconfirmed = self.error(clock) > STEP_NANOS.unsigned_abs();
    }

    /// In nanoseconds.
    fn error(&self, clock: &dyn Clock) -> u64 {
        clock.monotonic().saturating_sub(self.good_at) / ERROR_DIVISOR
    }

    fn note_step(&mut self, nanos: i64) {
        self.source = ClockStatus::Fallback;
        self.unconfirmed = true;
        self.step_count += 1;
        self.step = Some(ClockStep { nanos });
    }
}

/// What a clock shows, against the monotonic one.
#[derive(Clone, Copy, Debug)]
struct Reading {
    source: ClockStatus,
    offset: i64,
    monotonic: u64,
}

impl Reading {
    /// Of the first clock that can be read.
    fn of(clock: &dyn Clock) -> Option<Self> {
        let monotonic = clock.monotonic();
        let (source, time) = match clock.wall() {
            Some(time) => (ClockStatus::Primary, time),
            None => (ClockStatus::Backup, clock.backup()?),
        };
        let since = i64::try_from(monotonic).unwrap_or(i64::MAX);
        Some(Self { source, offset: time.saturating_sub(since), monotonic })
    }

    /// Read again when it looks like a step: a thread that slept between the two clocks sees one where there is none.
    fn near(clock: &dyn Clock, expected: i64) -> Option<Self> {
        let mut reading = Self::of(clock)?;
        for _ in 0..STEP_READING_COUNT {
            if reading.moved(expected) <= STEP_NANOS {
                break;
            }
            reading = Self::of(clock)?;
        }
        Some(reading)
    }

    const fn moved(&self, expected: i64) -> i64 {
        self.offset.saturating_sub(expected).saturating_abs()
    }

    fn time(&self) -> i64 {
        self.offset.saturating_add_unsigned(self.monotonic)
    }
}

impl ClockStep {
    /// Its size in seconds.
    #[must_use]
    pub fn skew(self) -> Amount {
        nanos(i128::from(self.nanos).abs())
    }
}

impl fmt::Debug for ExchangeClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExchangeClock").field("state", &*self.state.lock()).finish_non_exhaustive()
    }
}

/// Nanoseconds in seconds.
const fn nanos(count: i128) -> Amount {
    Amount(count * (Amount::ONE.0 / 1_000_000_000))
}

fn monotonic(clock: &dyn Clock) -> i64 {
    i64::try_from(clock.monotonic()).unwrap_or(i64::MAX)
}

/// What is a step: more than 1 s (D-53).
const STEP_NANOS: i64 = 1_000_000_000;
/// Readings that must agree on a step.
const STEP_READING_COUNT: u32 = 3;
/// 100 parts per million (TIME-39).
const ERROR_DIVISOR: u64 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use std::thread;

    const NOON: i64 = 1_708_123_456_789_012_345;

    fn stamp(time: i64, source: ClockStatus) -> Stamp {
        Stamp { time: Timestamp(time), source }
    }

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
        assert_eq!(clock.stamp(), stamp(NOON + 2, ClockStatus::Primary));
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
        assert_eq!(clock.stamp(), stamp(NOON + 900_000_001, ClockStatus::Primary));
        let (manual, clock) = at_noon(NOON + 2_000_000_000);
        assert_eq!(clock.take_step(), Some(ClockStep { nanos: -2_000_000_000 }));
        manual.advance(5);
        assert_eq!(clock.stamp(), stamp(NOON + 2_000_000_005, ClockStatus::Fallback));
    }

    /// No stamp uses a time that jumped, in either direction, before a person said so.
    #[test]
    fn a_step_is_reported_and_not_followed() {
        for step in [3_600_000_000_000, -3_600_000_000_000] {
            let (manual, clock) = at_noon(0);
            assert_eq!(clock.stamp().time.0, NOON);
            manual.advance(1_000);
            manual.step(step);
            assert_eq!(clock.stamp(), stamp(NOON + 1_000, ClockStatus::Fallback));
            assert!(clock.is_unconfirmed());
            assert_eq!(clock.take_step(), Some(ClockStep { nanos: step }));
            assert_eq!(clock.take_step(), None);
            assert_eq!(ClockStep { nanos: step }.skew(), Amount::from_units(3_600));
            manual.advance(1_000);
            assert_eq!(clock.stamp().time.0, NOON + 2_000);
            assert!(clock.confirm() && !clock.is_unconfirmed());
            let time = (NOON + 2_000 + step).max(NOON + 2_001);
            assert_eq!(clock.stamp(), stamp(time, ClockStatus::Primary));
            assert_eq!(clock.counts().1, 1);
        }
    }

    /// Just over 1 s is a step in either direction, and 1 s is none. A step that is taken back is still one.
    #[test]
    fn more_than_a_second_is_a_step() {
        for second in [1_000_000_000, -1_000_000_000_i64] {
            let (manual, clock) = at_noon(0);
            let _ = clock.stamp();
            manual.step(second);
            assert_eq!(clock.stamp().source, ClockStatus::Primary);
            let (manual, clock) = at_noon(0);
            let _ = clock.stamp();
            manual.step(second + second.signum());
            assert_eq!(clock.stamp(), stamp(NOON + 1, ClockStatus::Fallback));
            manual.step(-second - second.signum());
            manual.advance(100);
            assert_eq!(clock.stamp(), stamp(NOON + 100, ClockStatus::Fallback));
            assert!(clock.is_unconfirmed());
        }
    }

    /// A clock that was unconfirmed when the log ended goes on from there, wherever the machine's is now.
    #[test]
    fn what_was_unconfirmed_stays_so() {
        for floor in [NOON - 86_400_000_000_000, NOON + 86_400_000_000_000] {
            let manual = Arc::new(ManualClock::new(NOON));
            let clock = ExchangeClock::unconfirmed(manual.clone(), Timestamp(floor));
            manual.advance(70);
            assert_eq!(clock.stamp(), stamp(floor + 70, ClockStatus::Fallback));
            assert!(clock.is_unconfirmed() && clock.confirm());
            assert_eq!(clock.stamp(), stamp((NOON + 70).max(floor + 71), ClockStatus::Primary));
        }
    }

    /// The backup takes over between two stamps, and the first clock again when it is there; neither is a step
    /// while the two agree to the second.
    /// covers: TIME-37
    #[test]
    fn the_backup_goes_on_without_a_gap() {
        let (manual, clock) = at_noon(0);
        manual.set_working(true, true);
        assert_eq!(clock.stamp(), stamp(NOON, ClockStatus::Primary));
        manual.advance(1_000);
        manual.set_working(false, true);
        assert_eq!(clock.stamp(), stamp(NOON + 1_000, ClockStatus::Backup));
        manual.advance(1_000);
        manual.step(900_000_000);
        manual.set_working(true, true);
        assert_eq!(clock.stamp(), stamp(NOON + 900_002_000, ClockStatus::Primary));
        assert!(!clock.is_unconfirmed() && clock.counts().1 == 0);
    }

    /// With no clock left the monotonic one goes on from the last good time; its error is 100 parts per million of
    /// what has passed, and beyond 10,000 s a person must look.
    /// covers: TIME-38, TIME-39
    #[test]
    fn without_a_clock_time_goes_on_for_ten_thousand_seconds() {
        let (manual, clock) = at_noon(0);
        let _ = clock.stamp();
        manual.set_working(false, false);
        let second = 1_000_000_000_u32;
        for passed in 1..=10_000 {
            manual.advance(second);
            let time = NOON + passed * i64::from(second);
            assert_eq!(clock.stamp(), stamp(time, ClockStatus::Fallback));
            assert!(!clock.is_unconfirmed(), "{passed} s");
        }
        assert_eq!(clock.error(), Amount::ONE);
        manual.advance(10_000);
        assert!(clock.stamp().source == ClockStatus::Fallback && clock.is_unconfirmed());
        assert!(!clock.confirm(), "there is nothing to confirm");
        // Its return alone confirms nothing.
        manual.set_working(true, false);
        let _ = clock.stamp();
        assert!(clock.is_unconfirmed() && clock.confirm());
        assert_eq!(clock.stamp().source, ClockStatus::Primary);
    }

    /// A clock that comes back in time is followed without anybody's word, unless it has stepped meanwhile.
    #[test]
    fn a_clock_that_comes_back_is_followed() {
        for (step, source) in [(0, ClockStatus::Primary), (-3_000_000_000, ClockStatus::Fallback)] {
            let (manual, clock) = at_noon(0);
            let _ = clock.stamp();
            manual.set_working(false, false);
            manual.advance(500);
            assert_eq!(clock.stamp(), stamp(NOON + 500, ClockStatus::Fallback));
            manual.step(step);
            manual.set_working(true, false);
            manual.advance(500);
            assert_eq!(clock.stamp(), stamp(NOON + 1_000, source));
            assert_eq!(clock.is_unconfirmed(), step != 0);
        }
    }

    /// A start without any clock goes on from the log.
    #[test]
    fn a_start_without_a_clock_goes_on_from_the_log() {
        let manual = Arc::new(ManualClock::new(NOON));
        manual.set_working(false, false);
        let clock = ExchangeClock::above(manual, Timestamp(NOON - 5));
        assert_eq!(clock.stamp(), stamp(NOON - 4, ClockStatus::Fallback));
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
