//! The loop of a target.

use std::cell::Cell;
use std::env;
use std::panic::{self, AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Once;
use std::time::{Duration, Instant};

use testkit::rng::SplitMix64;

/// Runs a target on one input after the other for `FUZZ_SECONDS` (10 without it), each from a generator
/// of its own.
///
/// # Panics
/// As the target does; seed and number of the input are printed first.
pub fn run(name: &str, mut target: impl FnMut(&mut SplitMix64)) {
    let seed = number("FUZZ_SEED").unwrap_or(SEED);
    let seconds = number("FUZZ_SECONDS").unwrap_or(SECONDS);
    let mut one = |input: u64| {
        let mut rng = SplitMix64::new(seed ^ input.wrapping_mul(ODD));
        if let Err(cause) = catch_unwind(AssertUnwindSafe(|| target(&mut rng))) {
            println!("{name}: FUZZ_SEED={seed} FUZZ_ONLY={input}");
            resume_unwind(cause);
        }
    };
    if let Some(input) = number("FUZZ_ONLY") {
        return one(input);
    }
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut count = 0;
    while count == 0 || Instant::now() < end {
        one(count);
        count += 1;
    }
    println!("{name}: {count} inputs from seed {seed} in {seconds} s");
}

/// Whether a call panics, which is then not told on the terminal.
pub fn panics<T>(call: impl FnOnce() -> T) -> Option<T> {
    HOOK.call_once(|| {
        let told = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                told(info);
            }
        }));
    });
    QUIET.set(true);
    let result = catch_unwind(AssertUnwindSafe(call));
    QUIET.set(false);
    result.ok()
}

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

static HOOK: Once = Once::new();

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

const SEED: u64 = 20_261_124;
const SECONDS: u64 = 10;
/// An odd number with well spread bits, so that neighbouring inputs have nothing in common.
const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
