//! A row of the table: a promise, and what a run of it found.
//!
//! Invariants: a broken promise is a figure that does not hold or a panic of the row, and either fails it;
//! a row that could not run says why and is never counted as passed.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// How much a row does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// A few seconds to a minute.
    Short,
    /// The figures of `docs/promises.md`.
    Full,
}

impl Size {
    /// One of two counts.
    pub(crate) const fn pick(self, short: u64, full: u64) -> u64 {
        match self {
            Self::Short => short,
            Self::Full => full,
        }
    }
}

/// A promise and how it is shown.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// What it is asked for by.
    pub name: &'static str,
    /// The promise.
    pub promise: &'static str,
    /// Shows it.
    pub(crate) run: fn(Size) -> Outcome,
}

/// A figure beside its bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// What was counted or measured.
    pub what: String,
    /// What came out.
    pub value: String,
    /// What must come out.
    pub bound: String,
    /// Whether it did.
    pub holds: bool,
    /// Whether it depends on how fast the machine is, and so on what else it does.
    pub is_timed: bool,
}

/// What a run found.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    done: Vec<String>,
    figures: Vec<Figure>,
    /// Why nothing was run.
    not_run: Option<String>,
    /// Why what was run shows less than the row promises.
    partly: Option<String>,
}

/// How a row ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything holds.
    Pass,
    /// What was shown holds, and it is not all of it.
    Partly(String),
    /// It cannot run here.
    NotRun(String),
    /// Something does not hold.
    Fail(String),
}

/// A row's run.
#[derive(Clone, Debug)]
pub struct Report {
    /// Its name.
    pub name: &'static str,
    /// Its promise.
    pub promise: &'static str,
    /// What it found, up to where it broke off.
    pub outcome: Outcome,
    /// How it ended.
    pub verdict: Verdict,
    /// How long it took.
    pub took: Duration,
}

impl Outcome {
    /// A row that cannot run on this machine.
    pub(crate) fn not_run(why: impl Into<String>) -> Self {
        Self { not_run: Some(why.into()), ..Self::default() }
    }

    /// Says why the row cannot show all of its promise here; it does not count as passed then.
    pub(crate) fn partly(&mut self, why: impl Into<String>) {
        self.partly = Some(why.into());
    }

    /// Says what was done.
    pub(crate) fn done(&mut self, text: impl Into<String>) {
        self.done.push(text.into());
    }

    /// A count that must be a certain one.
    pub(crate) fn exactly(&mut self, what: &str, value: u64, bound: u64) {
        self.figure(what, (value, bound.to_string()), value == bound);
    }

    /// A count that must not be below a bound.
    pub(crate) fn at_least(&mut self, what: &str, value: u64, bound: u64) {
        self.figure(what, (value, format!("at least {bound}")), value >= bound);
    }

    /// A count that must not be above a bound.
    pub(crate) fn at_most(&mut self, what: &str, value: u64, bound: u64) {
        self.figure(what, (value, format!("at most {bound}")), value <= bound);
    }

    /// A time that must not pass a bound.
    pub(crate) fn within(&mut self, what: &str, value: Duration, bound: Duration) {
        self.figures.push(Figure {
            what: what.to_owned(),
            value: format!("{value:.1?}"),
            bound: format!("at most {bound:.1?}"),
            holds: value <= bound,
            is_timed: true,
        });
    }

    /// A time beside another, which it may pass by so many hundredths.
    pub(crate) fn beside(&mut self, what: &str, value: Duration, (base, percent): (Duration, u32)) {
        let bound = base * percent / 100;
        let share = value.as_secs_f64() / base.as_secs_f64().max(1e-9) * 100.0;
        self.figures.push(Figure {
            what: what.to_owned(),
            value: format!("{value:.1?} ({share:.0} % of {base:.1?})"),
            bound: format!("at most {percent} %"),
            holds: value <= bound,
            is_timed: true,
        });
    }

    fn figure(&mut self, what: &str, (value, bound): (u64, String), holds: bool) {
        let (what, value) = (what.to_owned(), value.to_string());
        self.figures.push(Figure { what, value, bound, holds, is_timed: false });
    }

    /// The figures.
    #[must_use]
    pub fn figures(&self) -> &[Figure] {
        &self.figures
    }

    fn verdict(&self) -> Verdict {
        let broken: Vec<&str> =
            self.figures.iter().filter(|it| !it.holds).map(|it| it.what.as_str()).collect();
        if !broken.is_empty() {
            return Verdict::Fail(broken.join("; "));
        }
        match (&self.not_run, &self.partly) {
            (Some(why), _) => Verdict::NotRun(why.clone()),
            _ if self.figures.is_empty() => Verdict::Fail("no figure".to_owned()),
            (None, Some(why)) => Verdict::Partly(why.clone()),
            (None, None) => Verdict::Pass,
        }
    }
}

/// Runs a row; a panic in it is a failure.
#[must_use]
pub fn run(row: &Row, size: Size) -> Report {
    let began = Instant::now();
    let ran = catch_unwind(AssertUnwindSafe(|| (row.run)(size)));
    let took = began.elapsed();
    let (outcome, verdict) = match ran {
        Ok(outcome) => {
            let verdict = outcome.verdict();
            (outcome, verdict)
        }
        Err(cause) => (Outcome::default(), Verdict::Fail(message(&*cause))),
    };
    Report { name: row.name, promise: row.promise, outcome, verdict, took }
}

/// What a panic said.
pub(crate) fn message(cause: &(dyn Any + Send)) -> String {
    let text = cause.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| cause.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without a message").to_owned()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.name, self.promise)?;
        for text in &self.outcome.done {
            writeln!(f, "  {text}")?;
        }
        for Figure { what, value, bound, holds, .. } in &self.outcome.figures {
            let mark = if *holds { "ok" } else { "NO" };
            writeln!(f, "  {mark}  {what}: {value} (must be {bound})")?;
        }
        write!(f, "  {}, {:.1} s", self.verdict, self.took.as_secs_f64())
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pass => f.write_str("PASS"),
            Self::Partly(why) => write!(f, "PARTLY: {why}"),
            Self::NotRun(why) => write!(f, "NOT RUN: {why}"),
            Self::Fail(what) => write!(f, "FAIL: {what}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(run: fn(Size) -> Outcome) -> Verdict {
        super::run(&Row { name: "row", promise: "it holds", run }, Size::Short).verdict
    }

    #[test]
    fn only_figures_that_hold_pass() {
        let good = |_| {
            let mut outcome = Outcome::default();
            outcome.exactly("lost", 0, 0);
            outcome
        };
        assert_eq!(verdict(good), Verdict::Pass);
        let bad = |_| {
            let mut outcome = Outcome::default();
            outcome.exactly("lost", 1, 0);
            outcome
        };
        assert_eq!(verdict(bad), Verdict::Fail("lost".to_owned()));
        assert!(matches!(verdict(|_| panic!("broken")), Verdict::Fail(text) if text == "broken"));
    }

    #[test]
    fn a_row_that_did_not_run_or_shows_nothing_never_passes() {
        let not_run = |_| Outcome::not_run("no tool");
        assert_eq!(verdict(not_run), Verdict::NotRun("no tool".to_owned()));
        let partly = |_| {
            let mut outcome = Outcome::default();
            outcome.exactly("lost", 0, 0);
            outcome.partly("too slow");
            outcome
        };
        assert_eq!(verdict(partly), Verdict::Partly("too slow".to_owned()));
        let broken = |_| {
            let mut outcome = Outcome::default();
            outcome.exactly("lost", 1, 0);
            outcome.partly("too slow");
            outcome
        };
        assert!(matches!(verdict(broken), Verdict::Fail(_)));
        assert!(matches!(verdict(|_| Outcome::default()), Verdict::Fail(_)));
    }
}
