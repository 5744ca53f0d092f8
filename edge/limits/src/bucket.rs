//! The token bucket, exact in integers (section 2 of document 18).
//!
//! A rate grants `tokens` per `window` nanoseconds. A level counts units of 1/window token, so one token
//! is `window` units and a nanosecond adds `tokens` units: nothing is rounded and nothing drifts. A full
//! bucket is under 2⁵³ units, so that a store which counts in doubles (Redis) is as exact. Deliberately
//! no clock: time is nanoseconds that the caller hands in.

/// Nanoseconds of a second.
pub const SECOND: u64 = 1_000_000_000;

/// Units of the greatest bucket: what a double still counts one by one.
const UNITS_MAX: u64 = 1 << 53;

/// Tokens per window, and how many a bucket holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    tokens: u32,
    burst: u32,
    window: u64,
}

/// A bucket. It starts full when it is first looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Units of 1/window token.
    level: u64,
    /// Nanoseconds of the latest look.
    last: u64,
    /// The rate that has filled it since `last`.
    rate: Rate,
}

/// A bucket had too few tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Short {
    /// Nanoseconds until it has enough, rounded up. For more tokens than it holds: until it is full.
    pub wait: u64,
}

impl Rate {
    /// `tokens` per `window` nanoseconds; the bucket holds twice as many (D-31). `None` when one of them
    /// is 0 or the bucket would be over 2⁵³ units.
    #[must_use]
    pub const fn new(tokens: u32, window: u64) -> Option<Self> {
        match tokens.checked_mul(2) {
            Some(burst) => Self::with_burst(tokens, window, burst),
            None => None,
        }
    }

    /// As `new`, with a bucket of `burst` tokens, at least 1.
    #[must_use]
    pub const fn with_burst(tokens: u32, window: u64, burst: u32) -> Option<Self> {
        if tokens == 0 || burst == 0 || window == 0 || window > UNITS_MAX / burst as u64 {
            return None;
        }
        Some(Self { tokens, burst, window })
    }

    /// `factor` times as many tokens in a bucket as much greater; the rate itself where none holds that.
    #[must_use]
    pub const fn times(self, factor: u32) -> Self {
        let (tokens, burst) = (self.tokens.checked_mul(factor), self.burst.checked_mul(factor));
        let (Some(tokens), Some(burst)) = (tokens, burst) else { return self };
        match Self::with_burst(tokens, self.window, burst) {
            Some(rate) => rate,
            None => self,
        }
    }

    /// One part of `parts` of the tokens, rounded down and at least 1, with the bucket of that.
    #[must_use]
    pub const fn part_of(self, parts: u32) -> Self {
        let parts = if parts == 0 { 1 } else { parts };
        let tokens = if self.tokens / parts == 0 { 1 } else { self.tokens / parts };
        let burst = if self.burst / parts == 0 { 1 } else { self.burst / parts };
        Self { tokens, burst, window: self.window }
    }

    /// Tokens per window.
    #[must_use]
    pub const fn tokens(self) -> u32 {
        self.tokens
    }

    /// Nanoseconds of a window.
    #[must_use]
    pub const fn window(self) -> u64 {
        self.window
    }

    /// Tokens of a full bucket.
    #[must_use]
    pub const fn burst(self) -> u32 {
        self.burst
    }

    /// Units of a full bucket.
    #[must_use]
    pub const fn capacity(self) -> u64 {
        self.burst as u64 * self.window
    }

    /// Nanoseconds in which an empty bucket gets full, rounded up.
    #[must_use]
    pub const fn fill_time(self) -> u64 {
        self.capacity().div_ceil(self.tokens as u64)
    }
}

impl Bucket {
    /// A full bucket at `now`.
    #[must_use]
    pub const fn full(rate: Rate, now: u64) -> Self {
        Self { level: rate.capacity(), last: now, rate }
    }

    /// Moves the bucket to `now` and to `rate` (RATE-15, RATE-44). What the time since the last look
    /// brings comes at the rate of that time. An earlier `now` moves nothing.
    pub fn settle(&mut self, rate: Rate, now: u64) {
        if now > self.last {
            self.level = self.level_at(now);
            self.last = now;
        }
        if rate != self.rate {
            self.level = self.level.min(rate.capacity());
            self.rate = rate;
        }
    }

    /// Whether `count` tokens are there; moves the bucket to `now` and takes nothing.
    ///
    /// # Errors
    /// `Short` with the wait.
    pub fn check(&mut self, rate: Rate, now: u64, count: u32) -> Result<(), Short> {
        self.settle(rate, now);
        let need = u128::from(count) * u128::from(rate.window);
        if u128::from(self.level) >= need {
            return Ok(());
        }
        Err(Short { wait: self.wait(count) })
    }

    /// Takes `count` tokens, or nothing (RATE-16).
    ///
    /// # Errors
    /// `Short` with the wait.
    pub fn take(&mut self, rate: Rate, now: u64, count: u32) -> Result<(), Short> {
        self.check(rate, now, count)?;
        self.level -= u64::from(count) * rate.window; // checked to be there
        Ok(())
    }

    /// Nanoseconds until `count` tokens are there, rounded up (RATE-17); until it is full for more than
    /// it holds.
    #[must_use]
    pub const fn wait(&self, count: u32) -> u64 {
        let count = if count < self.rate.burst { count } else { self.rate.burst };
        let need = count as u64 * self.rate.window;
        // Up: a client that waits must find its token (RATE-30).
        need.saturating_sub(self.level).div_ceil(self.rate.tokens as u64)
    }

    /// Nanoseconds until it is full, rounded up (RATE-17).
    #[must_use]
    pub const fn time_to_full(&self) -> u64 {
        self.wait(self.rate.burst)
    }

    /// Whole tokens, rounded down: no more is told than can be taken.
    #[must_use]
    pub const fn remaining(&self) -> u64 {
        self.level / self.rate.window
    }

    /// Units of 1/window token at the last look.
    #[must_use]
    pub const fn level(&self) -> u64 {
        self.level
    }

    /// Nanoseconds of the last look.
    #[must_use]
    pub const fn last(&self) -> u64 {
        self.last
    }

    /// Whether it would be full at `now`: then a new bucket is the same.
    #[must_use]
    pub const fn is_full_at(&self, now: u64) -> bool {
        now.saturating_sub(self.last) >= self.time_to_full()
    }

    /// The level at a time after `last`. Time beyond what fills it is left out first, so that the
    /// product stays below the capacity (RATE-18).
    const fn level_at(&self, now: u64) -> u64 {
        let elapsed = now - self.last;
        if elapsed >= self.time_to_full() {
            return self.rate.capacity();
        }
        self.level + elapsed * self.rate.tokens as u64
    }
}
