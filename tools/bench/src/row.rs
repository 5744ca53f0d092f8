//! A row of the benchmark table.
//!
//! Owns what a row is: a name, a unit, a target and the function that measures. It deliberately holds
//! no state: a row makes its own input, so that any row can run alone.

use crate::measure::Figure;

/// One benchmark.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Part and figure, such as `book.commands_per_second`; unique in the table.
    pub name: &'static str,
    /// What the value counts, such as `commands/s` or `ns`.
    pub unit: &'static str,
    /// What the value has to reach.
    pub target: Target,
    /// Runs the benchmark, checks that it did the work, and answers the figure.
    pub measure: fn() -> Figure,
}

/// What a value has to reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// Higher is better: this or more, such as a rate.
    AtLeast(f64),
    /// Lower is better: this or less, such as a latency.
    AtMost(f64),
    /// Nothing is promised; the value informs.
    None,
}

impl Target {
    /// Whether the value reaches the target; `None` where nothing is promised.
    #[must_use]
    pub fn met(self, value: f64) -> Option<bool> {
        match self {
            Self::AtLeast(bound) => Some(value >= bound),
            Self::AtMost(bound) => Some(value <= bound),
            Self::None => None,
        }
    }

    /// The bare number.
    #[must_use]
    pub fn bound(self) -> Option<f64> {
        match self {
            Self::AtLeast(bound) | Self::AtMost(bound) => Some(bound),
            Self::None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_met_at_its_bound_and_on_its_side() {
        assert_eq!(
            [9.0, 10.0, 11.0].map(|v| Target::AtLeast(10.0).met(v).unwrap()),
            [false, true, true]
        );
        assert_eq!(
            [9.0, 10.0, 11.0].map(|v| Target::AtMost(10.0).met(v).unwrap()),
            [true, true, false]
        );
        assert_eq!((Target::None.met(1.0), Target::None.bound()), (None, None));
        assert_eq!(Target::AtMost(10.0).bound(), Some(10.0));
    }
}
