//! The engine's locks, as `parking_lot` has them, over those that `shuttle` schedules.
//!
//! Invariant: a wait with a deadline may end by it at any moment, as the scheduler likes; on a real machine
//! it may, too.

use std::ops::{Deref, DerefMut};
use std::time::Instant;

use shuttle::rand::Rng as _;
use shuttle::sync as under;
pub(crate) use shuttle::sync::atomic::{AtomicUsize, Ordering};

/// A lock.
#[derive(Debug)]
pub(crate) struct Mutex<T>(under::Mutex<T>);

/// A lock that is held.
#[derive(Debug)]
pub(crate) struct MutexGuard<'a, T> {
    lock: &'a Mutex<T>,
    /// `None` while its holder waits.
    held: Option<under::MutexGuard<'a, T>>,
}

/// Someone may wait for a change.
#[derive(Debug)]
pub(crate) struct Condvar(under::Condvar);

/// Whether a wait ended by its deadline.
pub(crate) struct Waited(bool);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(under::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard { lock: self, held: Some(self.0.lock().expect("no panic under the lock")) }
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.held.as_ref().expect("its holder does not wait")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.held.as_mut().expect("its holder does not wait")
    }
}

impl Condvar {
    pub(crate) fn new() -> Self {
        Self(under::Condvar::new())
    }

    pub(crate) fn notify_one(&self) {
        self.0.notify_one();
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }

    pub(crate) fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        let held = guard.held.take().expect("its holder does not wait");
        guard.held = Some(self.0.wait(held).expect("no panic under the lock"));
    }

    /// Ends by its deadline now and then, whatever the deadline is.
    pub(crate) fn wait_until<T>(&self, guard: &mut MutexGuard<'_, T>, until: Instant) -> Waited {
        let _ = until;
        if shuttle::rand::thread_rng().gen_bool(0.3) {
            guard.held = None;
            shuttle::thread::yield_now();
            guard.held = Some(guard.lock.0.lock().expect("no panic under the lock"));
            return Waited(true);
        }
        self.wait(guard);
        Waited(false)
    }
}

impl Waited {
    pub(crate) const fn timed_out(&self) -> bool {
        self.0
    }
}
