//! How many orders may wait for their result at one time, from how long they waited (D-116, D-117).
//!
//! Owns the bound on orders in flight. What an order takes when nobody else waits is the base: the least
//! time of the last seconds, so that a slow disk is no queue. What an order took beyond the base is its
//! wait. Only in a window in which the bound was reached it moves: it shrinks by a quarter when too many
//! orders waited longer than the target, and grows by a sixteenth when not, so that a machine which is slow
//! without being asked for much refuses nobody. Invariants: the bound stays within its limits; a place is given back when it is dropped; an order without a place has reached nobody. It
//! knows no clock: times are handed in, so equal histories give equal bounds. Read `submit.rs` and
//! `serve.rs` for where it is asked.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::limits::{
    ADMISSION_BASE_TIME, ADMISSION_LATE_SHARE, ADMISSION_SAMPLE_COUNT, ADMISSION_WINDOW,
    ORDERS_IN_FLIGHT_MIN, ORDERS_IN_FLIGHT_START,
};

/// Counts the orders in flight and says whether one more may come.
#[derive(Debug)]
pub(crate) struct Admission {
    in_flight: AtomicU64,
    /// A copy of the controller's, read without its lock.
    bound: AtomicU64,
    refused: AtomicU64,
    /// With the time of the first result, from which it counts.
    controller: Mutex<(Controller, Option<Instant>)>,
}

/// A place among the orders in flight, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    admission: &'a Admission,
    since: Instant,
}

/// What moves the bound.
#[derive(Debug)]
pub(crate) struct Controller {
    target: Duration,
    /// The least and the greatest that the bound may be.
    limits: (u64, u64),
    bound: u64,
    base: Base,
    window: Window,
}

/// The least time that an order took, lately.
#[derive(Debug)]
struct Base {
    until: Duration,
    before: Duration,
    now: Duration,
}

/// What was seen since the bound was last looked at.
#[derive(Debug, Default)]
struct Window {
    began: Duration,
    results: u64,
    late: u64,
    /// An order was refused, or took the last place.
    was_full: bool,
}

impl Admission {
    /// Orders in flight up to `count_max`, held to a wait of `target`.
    pub(crate) fn new(count_max: u64, target: Duration) -> Self {
        let controller = Controller::new(count_max, target);
        Self {
            in_flight: AtomicU64::new(0),
            bound: AtomicU64::new(controller.bound),
            refused: AtomicU64::new(0),
            controller: Mutex::new((controller, None)),
        }
    }

    /// A place for one order; `None` is counted as a refusal.
    pub(crate) fn place(&self) -> Option<Place<'_>> {
        // Counted first, so that two who ask at once are never both the last one that fits.
        let place = Place { admission: self, since: Instant::now() };
        if self.in_flight.fetch_add(1, Ordering::Relaxed) < self.bound() {
            return Some(place);
        }
        self.refused.fetch_add(1, Ordering::Relaxed);
        None
    }

    /// Whether so many wait that what is no order should go first.
    pub(crate) fn is_busy(&self) -> bool {
        self.in_flight() * 2 >= self.bound()
    }

    /// Whether an order that came now would be refused; if so it is counted as that.
    pub(crate) fn refuses(&self) -> bool {
        let is_full = self.in_flight() >= self.bound();
        if is_full {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        is_full
    }

    /// Orders that wait for their result.
    pub(crate) fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// How many may.
    pub(crate) fn bound(&self) -> u64 {
        self.bound.load(Ordering::Relaxed)
    }

    /// Orders refused.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

impl Place<'_> {
    /// The order has its result.
    pub(crate) fn on_result(&self) {
        let now = Instant::now();
        let admission = self.admission;
        let is_full = admission.in_flight() >= admission.bound();
        let mut state = admission.controller.lock().unwrap_or_else(PoisonError::into_inner);
        let (controller, first) = &mut *state;
        let at = now - *first.get_or_insert(now);
        controller.on_result(at, now - self.since, is_full);
        admission.bound.store(controller.bound, Ordering::Relaxed);
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.admission.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Controller {
    /// A bound of at most `count_max`, that starts where a busy day begins.
    pub(crate) fn new(count_max: u64, target: Duration) -> Self {
        let limits = (ORDERS_IN_FLIGHT_MIN.min(count_max), count_max);
        Self {
            target,
            limits,
            bound: ORDERS_IN_FLIGHT_START.min(count_max),
            base: Base { until: ADMISSION_BASE_TIME, before: Duration::MAX, now: Duration::MAX },
            window: Window::default(),
        }
    }

    /// At `at`, since the start, an order had its result, which took so long; `is_full` says whether every
    /// place was taken.
    pub(crate) fn on_result(&mut self, at: Duration, took: Duration, is_full: bool) {
        let waited = took.saturating_sub(self.base.on_result(at, took));
        self.window.results += 1;
        self.window.late += u64::from(waited > self.target);
        self.window.was_full |= is_full;
        let is_over = at.saturating_sub(self.window.began) >= ADMISSION_WINDOW;
        if !is_over || self.window.results < ADMISSION_SAMPLE_COUNT {
            return;
        }
        let (least, most) = self.limits;
        if !self.window.was_full {
            // What nobody ran into says nothing about it.
        } else if self.window.late * ADMISSION_LATE_SHARE > self.window.results {
            // Rounded down: towards fewer.
            self.bound = (self.bound * 3 / 4).max(least);
        } else {
            self.bound = (self.bound + (self.bound / 16).max(1)).min(most);
        }
        self.window = Window { began: at, ..Window::default() };
    }
}

impl Base {
    /// Takes a time and answers the base.
    fn on_result(&mut self, at: Duration, took: Duration) -> Duration {
        if at >= self.until {
            (self.before, self.now) = (self.now, Duration::MAX);
            self.until = at + ADMISSION_BASE_TIME;
        }
        self.now = self.now.min(took);
        self.now.min(self.before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: Duration = Duration::from_millis(2);
    const QUICK: Duration = Duration::from_micros(500);

    /// A controller and the time that has passed for it.
    struct Run {
        controller: Controller,
        at: Duration,
    }

    impl Run {
        fn new(count_max: u64) -> Self {
            Self { controller: Controller::new(count_max, TARGET), at: Duration::ZERO }
        }

        /// So many windows, each of 100 orders that took these times in turn. Answers the bounds.
        fn windows(&mut self, count: usize, took: &[Duration], is_full: bool) -> Vec<u64> {
            let window = |_| {
                for number in 0..100 {
                    self.at += ADMISSION_WINDOW / 99;
                    self.controller.on_result(self.at, took[number % took.len()], is_full);
                }
                self.controller.bound
            };
            (0..count).map(window).collect()
        }
    }

    fn rises(bounds: &[u64]) -> bool {
        bounds.is_sorted() && bounds.first() < bounds.last()
    }

    #[test]
    fn it_grows_while_it_is_reached_and_nobody_waits() {
        let mut run = Run::new(512);
        assert!(rises(&run.windows(20, &[QUICK], true)));
        assert_eq!(run.windows(200, &[QUICK], true).last(), Some(&512), "and not further");
    }

    #[test]
    fn it_stays_while_it_is_not_reached() {
        let mut run = Run::new(512);
        for took in [QUICK, TARGET * 10] {
            let bounds = run.windows(20, &[took], false);
            assert!(bounds.iter().all(|&bound| bound == ORDERS_IN_FLIGHT_START), "{bounds:?}");
        }
    }

    #[test]
    fn it_shrinks_while_orders_wait_and_never_to_nothing() {
        let mut run = Run::new(512);
        assert_eq!(run.windows(100, &[QUICK], true).last(), Some(&512));
        let mut bounds = run.windows(40, &[QUICK + TARGET * 2], true);
        assert_eq!(bounds.last(), Some(&ORDERS_IN_FLIGHT_MIN));
        bounds.reverse();
        assert!(rises(&bounds), "{bounds:?}");
        assert!(rises(&run.windows(20, &[QUICK], true)), "and comes back");
    }

    /// What takes long without anybody waiting is the machine's own time, here a disk of 10 ms.
    #[test]
    fn a_slow_disk_is_no_queue() {
        let mut run = Run::new(512);
        assert!(rises(&run.windows(20, &[Duration::from_millis(10)], true)));
    }

    /// A disk that becomes slow is taken for a queue at first, and for the machine's own time later.
    #[test]
    fn a_base_that_rises_is_learnt() {
        let mut run = Run::new(512);
        run.windows(1, &[QUICK], true);
        let slow = [Duration::from_millis(10)];
        assert_eq!(run.windows(30, &slow, true).last(), Some(&ORDERS_IN_FLIGHT_MIN));
        while run.at < ADMISSION_BASE_TIME * 3 {
            run.windows(1, &slow, true);
        }
        assert_eq!(run.controller.bound, 512);
    }

    /// A few late ones in a window are not yet a queue.
    #[test]
    fn a_single_late_order_shrinks_nothing() {
        let mut run = Run::new(512);
        run.windows(1, &[QUICK], false);
        let mut took = [QUICK; 100];
        took[7] = TARGET * 10;
        assert!(rises(&run.windows(20, &took, true)));
    }

    #[test]
    fn the_least_is_never_above_the_greatest() {
        for count_max in 0..4 {
            let mut run = Run::new(count_max);
            run.windows(2, &[QUICK], true);
            assert_eq!(run.windows(20, &[QUICK, TARGET * 9], true).last(), Some(&count_max));
        }
    }

    #[tokio::test]
    async fn a_place_is_given_back() {
        let admission = Admission::new(2, TARGET);
        let (first, second) = (admission.place(), admission.place());
        assert!(first.is_some() && second.is_some());
        assert!(admission.refuses() && admission.place().is_none());
        assert_eq!((admission.in_flight(), admission.refused()), (2, 2));
        drop(first);
        assert!(!admission.refuses() && admission.place().is_some());
        drop(second);
        assert_eq!((admission.in_flight(), admission.refused()), (0, 2));
    }
}
