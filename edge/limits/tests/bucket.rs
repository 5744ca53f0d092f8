//! The bucket and the quota against the known answers of document 18, and against a plain model.

use limits::{Bucket, Day, DayQuota, Rate, SECOND};

const MS: u64 = 1_000_000;

/// Rate, and rows of time, requests, admitted, level after, wait for one token in ms.
type Answers = (Rate, &'static [(u64, u32, u32, u64, u64)]);

fn rate(tokens: u32, window: u64) -> Rate {
    Rate::new(tokens, window).expect("a rate")
}

fn known_answers() -> Vec<Answers> {
    let half = Rate::with_burst(1, SECOND / 2, 1).expect("a rate");
    vec![
        (
            rate(20, SECOND),
            &[
                (0, 50, 40, 0, 50),
                (500_000_000, 15, 10, 0, 50),
                (549_999_999, 1, 0, 999_999_980, 1),
                (550_000_000, 1, 1, 0, 50),
                (10_000_000_000, 1, 1, 39_000_000_000, 0),
                (9_000_000_000, 1, 1, 38_000_000_000, 0),
            ],
        ),
        (
            rate(5, SECOND),
            &[
                (0, 11, 10, 0, 200),
                (199_999_999, 1, 0, 999_999_995, 1),
                (200_000_000, 1, 1, 0, 200),
                (1_000_000_000, 5, 4, 0, 200),
            ],
        ),
        (
            rate(60, 60 * SECOND),
            &[
                (0, 121, 120, 0, 1_000),
                (999_999_999, 1, 0, 59_999_999_940, 1),
                (1_000_000_000, 1, 1, 0, 1_000),
                (61_000_000_000, 61, 60, 0, 1_000),
            ],
        ),
        (rate(100, 60 * SECOND), &[(0, 201, 200, 0, 600), (600_000_000, 1, 1, 0, 600)]),
        (
            rate(10, 3_600 * SECOND),
            &[
                (0, 21, 20, 0, 360_000),
                (359_999_999_999, 1, 0, 3_599_999_999_990, 1),
                (360_000_000_000, 1, 1, 0, 360_000),
            ],
        ),
        (rate(1000, 60 * SECOND), &[(0, 2001, 2000, 0, 60)]),
        (rate(500, SECOND), &[(0, 1001, 1000, 0, 2)]),
        (
            rate(7, 3 * SECOND),
            &[
                (0, 15, 14, 0, 429),
                (428_571_428, 1, 0, 2_999_999_996, 1),
                (428_571_429, 1, 1, 3, 429),
            ],
        ),
        (half, &[(0, 2, 1, 0, 500), (500_000_000, 1, 1, 0, 500)]),
    ]
}

/// Every row of the table: admitted, level and wait, and a refused request takes nothing.
/// covers: RATE-15, RATE-16, RATE-17, RATE-19
#[test]
fn known_answers_come_out() {
    for (rate, rows) in known_answers() {
        let mut bucket = Bucket::full(rate, 0);
        for &(now, requests, admitted, level, wait) in rows {
            let mut count = 0;
            for _ in 0..requests {
                let before = bucket;
                match bucket.take(rate, now, 1) {
                    Ok(()) => count += 1,
                    Err(short) => {
                        let mut looked = before;
                        looked.settle(rate, now);
                        assert_eq!(bucket, looked, "a refused request takes nothing");
                        assert_eq!(short.wait, bucket.wait(1));
                    }
                }
            }
            assert_eq!((count, bucket.level()), (admitted, level), "{rate:?} at {now}");
            assert_eq!(bucket.wait(1).div_ceil(MS), wait, "{rate:?} at {now}");
            let to_full = (rate.capacity() - level).div_ceil(u64::from(rate.tokens()));
            assert_eq!(bucket.time_to_full(), to_full);
        }
    }
}

/// Twice the rate, full at the start, never more, and exactly full after a hundred years.
/// covers: RATE-14, RATE-18
#[test]
fn a_bucket_holds_twice_its_rate_and_never_more() {
    let century = 100 * 366 * 86_400 * SECOND;
    for (rate, _) in known_answers() {
        let twice = u64::from(rate.tokens()) * 2 * rate.window();
        if rate.burst() > 1 {
            assert_eq!(rate.capacity(), twice);
        }
        let mut bucket = Bucket::full(rate, 0);
        assert_eq!(bucket.level(), rate.capacity());
        assert_eq!(bucket.take(rate, 0, rate.burst()), Ok(()));
        assert_eq!(bucket.level(), 0);
        for now in [century, century + 1, u64::MAX] {
            bucket.settle(rate, now);
            assert_eq!(bucket.level(), rate.capacity());
        }
        assert!(bucket.take(rate, u64::MAX, u32::MAX).is_err());
    }
    assert_eq!(Rate::new(u32::MAX, 1), None);
    assert_eq!(Rate::with_burst(1, u64::MAX, 2), None);
    assert_eq!(Rate::new(0, SECOND), None);
}

/// A client that waits what it was told is admitted, and one nanosecond earlier it is not.
/// covers: RATE-17, RATE-30
#[test]
fn whoever_waits_is_admitted() {
    let mut random = Random(7);
    for (rate, _) in known_answers() {
        let mut bucket = Bucket::full(rate, 0);
        let mut now = 0;
        for _ in 0..2_000 {
            let count = 1 + u32::try_from(random.below(u64::from(rate.burst()))).expect("small");
            if let Err(short) = bucket.take(rate, now, count) {
                let mut early = bucket;
                assert!(early.take(rate, now + short.wait - 1, count).is_err());
                now += short.wait;
                assert_eq!(bucket.take(rate, now, count), Ok(()));
            }
            now += random.below(rate.window() / u64::from(rate.tokens()));
        }
    }
}

/// Every interval that begins and ends with an admitted request, against 2R + RT/W.
/// covers: RATE-72
#[test]
fn no_interval_admits_more_than_burst_and_rate() {
    let mut random = Random(11);
    for (rate, _) in known_answers() {
        let mut bucket = Bucket::full(rate, 0);
        let (mut now, mut taken) = (0, Vec::new());
        while taken.len() < 600 {
            if bucket.take(rate, now, 1).is_ok() {
                taken.push(now);
            }
            now += random.below(2 * rate.window() / u64::from(rate.tokens()));
        }
        for (first, &from) in taken.iter().enumerate() {
            for (last, &to) in taken.iter().enumerate().skip(first) {
                let count = (last - first + 1) as u128;
                let granted = u128::from(rate.tokens()) * u128::from(to - from);
                let most = u128::from(rate.capacity()) + granted;
                assert!(count * u128::from(rate.window()) <= most, "{rate:?} {from} to {to}");
            }
        }
    }
}

/// A lower rate cuts the level to its capacity, a higher one leaves it; either way back as well.
/// covers: RATE-44
#[test]
fn a_new_rate_cuts_the_level_and_adds_nothing() {
    let (low, high) = (rate(10, SECOND), rate(20, SECOND));
    let mut bucket = Bucket::full(high, 0);
    bucket.settle(low, 0);
    assert_eq!(bucket.level(), low.capacity());
    bucket.settle(high, 0);
    assert_eq!(bucket.level(), low.capacity(), "a higher rate gives no token at once");
    assert_eq!(bucket.take(high, 0, 15), Ok(()));
    bucket.settle(low, 0);
    assert_eq!(bucket.level(), 5 * SECOND, "below the new capacity the level stays");
}

/// Ten thousand on a day, not one more, and all of them again from midnight.
/// covers: RATE-8
#[test]
fn the_quota_is_of_a_utc_day_and_has_no_burst() {
    let midnight = 1_708_128_000 * 1_000_000_000; // 2024-02-17T00:00:00Z
    let (before, after) = (Day::of(midnight - 1), Day::of(midnight));
    assert_eq!(Day::left(midnight - 1), 1);
    let mut quota = DayQuota::default();
    for _ in 0..10_000 {
        assert!(quota.take(10_000, before, 1));
    }
    assert!(!quota.take(10_000, before, 1));
    assert!(quota.take(10_000, after, 10_000));
    assert!(!quota.take(10_000, after, 1));
    assert!(!quota.take(10_000, before, 1), "an older day brings nothing back");
}

/// The sources of the limiter have no type, no literal and no operation of floating point.
/// covers: RATE-13
#[test]
fn the_limiter_counts_in_integers() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("the sources") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("a source");
        assert_eq!(float_in(&text), None, "{}", path.display());
        count += 1;
    }
    assert!(count > 2, "the sources were read");
    for bad in ["let x: f64 = y;", "a as f32", "let half = 0.5;", "x * 1e9"] {
        assert!(float_in(bad).is_some(), "{bad}");
    }
}

/// The first word of code that is a float; comments and quoted texts are left out.
fn float_in(text: &str) -> Option<String> {
    let code = text.lines().map(|line| line.split("//").next().unwrap_or(line));
    for line in code {
        let unquoted = line.split('"').step_by(2).collect::<Vec<_>>().join(" ");
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        for word in unquoted.split(|c| !is_word(c)).filter(|word| !word.is_empty()) {
            let is_number = word.starts_with(|c: char| c.is_ascii_digit());
            let plain = word.split("..").all(|part| !part.contains('.') || !is_number);
            let exponent = is_number && !word.starts_with("0x") && word.contains('e');
            let tuple = word.split('.').count() > 2;
            if ["f32", "f64"].iter().any(|it| word.contains(it)) || exponent || (!plain && !tuple) {
                return Some(word.to_owned());
            }
        }
    }
    None
}

/// A small generator with a seed (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound.max(1)
    }
}
